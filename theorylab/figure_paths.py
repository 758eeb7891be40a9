"""Paths behind verdicts: how the evidence grew with the replicates, and how two learners differ over a run.

`e_figure`: log10 of the supporting and the refuting e-process of a claim, an instance each, against the number of
replicates, with the thresholds and where it stopped. Valid at every n at once: the path may be looked at, and it may be
stopped anywhere. `difference_figure`: mean difference of the regret of two coupled learners with a band that holds at
all n at once (approximate, for drawing; the verdict is that of the e-process on the final regret).
"""

from __future__ import annotations

import math
import textwrap
from typing import Any

import numpy as np
from matplotlib import ticker
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from theorylab.errors import InputError
from theorylab.evidence import Evidence, InstanceEvidence
from theorylab.figure import axis_of, word_of
from theorylab.figure_style import (
    BLUE,
    DARK,
    MARKS,
    SIZES,
    VERMILLION,
    columns,
    decades,
    drawable,
    finish,
    limits,
    paper_style,
    title,
)
from theorylab.table import number

__all__ = ["difference_figure", "difference_table", "e_figure", "e_table"]

SIDES = {"support": (BLUE, "supports"), "refute": (VERMILLION, "refutes")}
#: of the sides, so that they differ in grey; instances differ by their markers
STYLES: dict[str, Any] = {"support": "-", "refute": (0, (5, 1.6))}


def _paths(e: Evidence) -> list[tuple[InstanceEvidence, dict[str, np.ndarray]]]:
    out = []
    for i in e.instances:
        if i.e_path:
            sides = [s for s in SIDES if f"log_e_{s}" in i.e_path]
            names = ["n", *(f"{k}_{s}" for s in sides for k in ("log_e", "threshold"))]
            out.append((i, columns(f"the e-path of {i.learner} on {i.model}", i.e_path, names)))
    if not out:
        raise InputError(f"{e.id} has no e-path")
    return out


def e_table(e: Evidence) -> dict[str, list[Any]]:
    """Columns instance (learner on model), n, log10_e_support, log10_e_refute; a side that is not tested is NaN.

    Raises InputError for a claim without e-processes, uneven lists or NaN.
    """
    out: dict[str, list[Any]] = {"instance": [], "n": [], **{f"log10_e_{s}": [] for s in SIDES}}
    for i, data in _paths(e):
        count = data["n"].size
        out["instance"] += [f"{i.learner} on {i.model}"] * count
        out["n"] += data["n"].tolist()
        for s in SIDES:
            out[f"log10_e_{s}"] += (data.get(f"log_e_{s}", np.full(count, np.nan)) / math.log(10)).tolist()
    return out


def e_figure(e: Evidence, *, size: str = "neurips") -> Figure:
    """The e-processes of a claim. Raises InputError for an unknown size, and as `e_table`."""
    paths = _paths(e)
    with paper_style(size):
        width, height, font = SIZES[size]
        figure = Figure(figsize=(width, height), layout="constrained")
        ax = figure.add_subplot()
        used, tops, lows = set(), [0.0], [0.0]
        thresholds = {
            (s, round(float(data[f"threshold_{s}"][-1]) / math.log(10), 12))
            for _, data in paths
            for s in SIDES
            if f"threshold_{s}" in data
        }
        floor = -2.0 * max(t for _, t in thresholds)
        for k, (_, data) in enumerate(paths):
            for side, (colour, _) in SIDES.items():
                if f"log_e_{side}" not in data:
                    continue
                used.add(side)
                values = data[f"log_e_{side}"] / math.log(10)
                seen = np.where(np.isfinite(values), values, np.nan)
                ax.plot(data["n"], seen, color=colour, linestyle=STYLES[side])
                threshold = float(data[f"threshold_{side}"][-1]) / math.log(10)
                stopped = values[-1] >= threshold - 1e-12
                ax.plot(
                    data["n"][-1:], np.maximum(seen[-1:], floor), color=colour, marker=MARKS[k % len(MARKS)],
                    markersize=0.6 * font, markerfacecolor=colour if stopped else "white", clip_on=False, zorder=5,
                )  # fmt: skip
                tops += [threshold, float(np.nanmax(seen, initial=0.0))]
                lows.append(float(np.nanmin(seen, initial=0.0)))
        low, high = max(min(lows), floor), max(tops)
        pad = 0.06 * (high - low)
        ax.set_ylim(low - pad, high + pad)
        for side, threshold in sorted(thresholds):
            ax.axhline(threshold, color=SIDES[side][0], linewidth=0.08 * font, linestyle=STYLES[side], zorder=1)
        ax.axhline(0.0, color=DARK, linewidth=0.06 * font, zorder=0)
        n = np.concatenate([data["n"] for _, data in paths])
        x = limits(n)
        ax.set(xscale="log", xlim=x)
        decades(ax.xaxis, *x)
        ax.yaxis.set_major_locator(ticker.MaxNLocator(6, integer=True))
        cut = ", cut below" if min(lows) < floor else ""
        ax.set_xlabel("replicates")
        ax.set_ylabel(rf"$\log_{{10}}$ e-value{cut}")
        title(ax, f"{e.id}: {e.verdict}", size)
        return finish(figure, _e_keys(paths, used, thresholds, font, size), 1 if size == "icml" else 2)


def _e_keys(
    paths: list[tuple[InstanceEvidence, dict[str, np.ndarray]]],
    used: set[str],
    thresholds: set[tuple[str, float]],
    font: float,
    size: str,
) -> list[Any]:
    keys = []
    for side, (colour, verb) in SIDES.items():
        if side in used:
            levels = ", ".join(number(10.0**t) for s, t in sorted(thresholds) if s == side)
            keys.append(Line2D([], [], color=colour, linestyle=STYLES[side],
                               label=f"{verb} the claim; passes at {levels}"))  # fmt: skip
    most = 34 if size in ("icml", "slides") else 44
    for k, (i, data) in enumerate(paths):
        end = f", n = {number(data['n'][-1])}"
        lines = textwrap.wrap(drawable(i.model), most - len(end), max_lines=2, placeholder="\N{HORIZONTAL ELLIPSIS}")
        text = "\n".join(lines) + end
        key = Line2D([], [], color=DARK, linestyle="none", marker=MARKS[k % len(MARKS)], label=text)
        key.set_markersize(0.5 * font)
        keys.append(key)
    return keys


def difference_table(instance: InstanceEvidence) -> dict[str, list[float]]:
    """Columns n, mean, low, high: regret of the learner minus the other's, its band over all n (reward units).

    Raises InputError for an instance without a difference, uneven lists or NaN.
    """
    where = f"the difference of {instance.learner} on {instance.model}"
    data = columns(where, instance.difference, ("n", "mean", "low", "high"))
    return {k: v.tolist() for k, v in data.items()}


def difference_figure(instance: InstanceEvidence, *, claim_id: str, size: str = "neurips") -> Figure:
    """Mean difference of the regret of two learners over a run. Raises InputError for the size, and as its table."""
    data = {k: np.asarray(v) for k, v in difference_table(instance).items()}
    with paper_style(size):
        width, height, _ = SIZES[size]
        figure = Figure(figsize=(width, height), layout="constrained")
        ax = figure.add_subplot()
        one = "o" if data["n"].size == 1 else ""
        band = ax.fill_between(data["n"], data["low"], data["high"], color=BLUE, alpha=0.28, linewidth=0)
        band.set_label("band, 95 % at all n at once")
        run = instance.replicates or instance.n
        keys: list[Any] = ax.plot(
            data["n"], data["mean"], color=BLUE, marker=one, label=f"mean difference of {run} replicates"
        )
        keys.append(band)
        keys.append(ax.axhline(0.0, color=DARK, linestyle=(0, (5, 1.6)), label="0: no difference"))
        ax.yaxis.set_major_locator(ticker.MaxNLocator(6))
        x = limits(data["n"])
        ax.set(xscale="log", xlim=x)
        decades(ax.xaxis, *x)
        ax.set_xlabel(axis_of(instance), parse_math=False)
        what = f"difference of {word_of(instance)}"
        ax.set_ylabel(f"{what}\n(reward units)" if size in ("icml", "slides") else f"{what} (reward units)")
        title(ax, f"{claim_id}: {instance.learner} minus {instance.other} on {instance.model}", size)
        return finish(figure, keys)
