"""Regret figures at paper sizes, the same bytes at every run.

`regret_figure` draws one instance on logarithmic axes: the mean over replicates of cumulative regret, or of a solver's
exploitability, with its pointwise 5-95 % band, the theorem's bound, what any algorithm satisfies (trivial), and the
lengths at which the bound is vacuous. Data: `InstanceEvidence.curve`, lists of equal length n (completed rounds,
episodes, steps or iterations), mean, low, high, and where the claim has them bound (may be inf), trivial, scaled (the
bound with the measured best constant); reward units.

Files hold no date; identifiers in SVG come from a fixed salt; layout is fixed before saving, so that all formats agree.
Colours are the colour-blind safe ones of Okabe and Ito, and line styles differ, for print in grey. No global state.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from theorylab import figure_style
from theorylab.errors import InputError
from theorylab.evidence import InstanceEvidence
from theorylab.figure_style import (
    BLACK,
    BLUE,
    DARK,
    GREEN,
    GREY,
    VERMILLION,
    columns,
    decades,
    drawable,
    finish,
    paper_style,
    power,
    render,
    save,
    title,
    write_table,
)
from theorylab.table import number

__all__ = [
    "FORMATS",
    "SIZES",
    "axis_of",
    "path_of",
    "regret_figure",
    "regret_table",
    "render",
    "save",
    "shade_vacuous",
    "word_of",
    "write_csv",
]

#: of figure files, as in `theorylab.figure_style`
FORMATS = figure_style.FORMATS
#: size -> width and height in inches, font size in points, as in `theorylab.figure_style`
SIZES = figure_style.SIZES
NEEDED, OPTIONAL = ("n", "mean", "low", "high"), ("bound", "trivial", "scaled")


def _curve(instance: InstanceEvidence) -> dict[str, np.ndarray]:
    """The curve as float arrays of one length, n > 0. InputError for missing, uneven or NaN data."""
    where = f"the curve of {instance.learner} on {instance.model}"
    data = columns(where, instance.curve, NEEDED, OPTIONAL)
    keep = data["n"] > 0
    if not keep.any():
        raise InputError(f"{where} has no point with n > 0")
    return {k: v[keep] for k, v in data.items()}


def _limits(data: dict[str, np.ndarray]) -> tuple[tuple[float, float], tuple[float, float]]:
    """Limits of both axes: all finite positive values, but no band that runs off towards zero."""
    n = data["n"]
    middle = [v[np.isfinite(v) & (v > 0)] for k, v in data.items() if k in ("mean", "high", *OPTIONAL)]
    middle = [v for v in middle if v.size]
    if not middle:
        low = high = 1.0
    else:
        low, high = float(min(v.min() for v in middle)), float(max(v.max() for v in middle))
    below = data["low"][data["low"] > 0]
    if below.size:
        low = max(float(below.min()), low / 30.0) if low > below.min() else low
    edge = 1.06 if n.size > 1 and n[-1] / n[0] > 10 else 1.02
    x = (float(n[0]) / edge, float(n[-1]) * edge) if n[-1] > n[0] else (float(n[0]) / 2, float(n[0]) * 2)
    margin = max((high / low) ** 0.05, 1.15)
    return x, (low / margin, high * margin)


def regret_figure(instance: InstanceEvidence, *, claim_id: str, size: str = "neurips") -> Figure:
    """Regret against completed rounds, episodes or steps, with the bound, the trivial line and where it is vacuous.

    Args: an instance whose `curve` is filled; the claim's id for the title; a size of `SIZES`. Regret in reward units.
    Values at or below zero have no place on a logarithmic axis: the legend says how many points that concerns.
    Raises InputError for an unknown size or a curve that lacks a list, has uneven lists or holds NaN.
    """
    data = _curve(instance)
    with paper_style(size):
        width, height, font = SIZES[size]
        figure = Figure(figsize=(width, height), layout="constrained")
        ax = figure.add_subplot()
        ax.set_xscale("log")
        ax.set_yscale("log")
        x, y = _limits(data)
        ax.set(xlim=x, ylim=y)
        keys: list[Any] = []
        _lines(ax, instance, data, keys, y)
        if "trivial" in data:
            shade_vacuous(ax, instance, data, keys, font, data["trivial"])
        decades(ax.xaxis, *x)
        decades(ax.yaxis, *y)
        hidden = int((data["mean"] <= 0).sum())
        note = f" ({hidden} of {data['n'].size} means \N{LESS-THAN OR EQUAL TO} 0, not shown)" if hidden else ""
        ax.set_xlabel(axis_of(instance) + note, parse_math=False)
        what = path_of(instance)
        ax.set_ylabel(f"{what}\n(reward units)" if size in ("icml", "slides") else f"{what} (reward units)")
        title(ax, f"{claim_id}: {instance.learner} on {instance.model}", size)
        return finish(figure, keys)


def word_of(instance: InstanceEvidence) -> str:
    """What the curve of an instance shows: "regret", "exploitability"."""
    return instance.quantity or "regret"


def path_of(instance: InstanceEvidence) -> str:
    """The same in full: "cumulative regret", "exploitability"."""
    word = word_of(instance)
    return f"cumulative {word}" if word == "regret" else word


def axis_of(instance: InstanceEvidence) -> str:
    """The label of an axis of lengths: "completed rounds, n"."""
    unit = drawable(instance.unit)
    return f"completed {unit if unit.endswith('s') else unit + 's'}, n"


def _lines(
    ax: Any, instance: InstanceEvidence, data: dict[str, np.ndarray], keys: list[Any], y: tuple[float, float]
) -> None:
    n, mean = data["n"], data["mean"]
    run = instance.replicates or instance.n
    replicates = f"{run} replicates" if run != 1 else "1 replicate"
    band = ax.fill_between(
        n, np.maximum(data["low"], y[0]), np.maximum(data["high"], y[0]), color=BLUE, alpha=0.28, linewidth=0
    )
    one = "o" if n.size == 1 else ""
    keys += ax.plot(
        n, np.where(mean > 0, mean, np.nan), color=BLUE, linestyle="-", marker=one, label=f"mean {word_of(instance)}"
    )
    band.set_label(f"5\N{EN DASH}95 % of {replicates}")
    keys.append(band)
    best = "" if instance.constant is None else f", at most {number(instance.constant[1])}"
    for name, text, colour, dash in (
        ("bound", "bound of the claim", VERMILLION, (0, (5, 1.6))),
        ("scaled", f"best constant{best}", GREEN, (0, (5, 1.4, 1, 1.4))),
        ("trivial", "trivial (any algorithm)", BLACK, (0, (1, 1.3))),
    ):
        if name in data:
            seen = np.isfinite(data[name]) & (data[name] > 0)
            text += "" if seen.any() else " (infinite)" if np.isinf(data[name]).any() else " (not positive)"
            marks = one or ("." if seen.sum() == 1 else "")
            values = np.where(seen, data[name], np.nan)
            keys += ax.plot(n, values, color=colour, linestyle=dash, marker=marks, label=text)


def shade_vacuous(
    ax: Any,
    instance: InstanceEvidence,
    data: dict[str, np.ndarray],
    keys: list[Any],
    font: float,
    mark: np.ndarray,
) -> None:
    """Shade the lengths at which the bound is at or above trivial, and say where that ends, on the line `mark`."""
    if "bound" not in data or "trivial" not in data:
        return
    start, (left, right) = instance.nonvacuous_from, ax.get_xlim()
    vacuous_at_end = bool(data["bound"][-1] >= data["trivial"][-1])
    if start is None and not vacuous_at_end:
        return
    if start is not None and start <= data["n"][0]:
        return
    end = right if start is None else min(float(start), right)
    ax.axvspan(left, end, facecolor=GREY, edgecolor="none", zorder=0)
    keys.append(Patch(facecolor=GREY, edgecolor="#9A9A9A", linewidth=0.5, label="bound is vacuous"))
    if start is None:
        _note(ax, r"bound still vacuous at $n = 10^{18}$", font)
        return
    if start < right:
        ax.axvline(start, color=DARK, linewidth=0.08 * font, linestyle=(0, (3, 2)), zorder=1)
        logs = np.log(np.maximum(mark, 1e-300))
        level = math.exp(float(np.interp(math.log(start), np.log(data["n"]), logs)))
        ax.plot([start], [level], marker="D", color=DARK, markersize=0.5 * font, zorder=4)
        label = f"vacuous until $n$ = {power(start)}"
        line = Line2D([], [], color=DARK, linestyle=(0, (3, 2)), linewidth=0.08 * font, marker="D", label=label)
        line.set_markersize(0.5 * font)
        keys.append(line)
    else:
        _note(ax, f"bound stops being vacuous at $n$ = {power(start)}", font)


def _note(ax: Any, text: str, font: float) -> None:
    """An arrow to the right, beyond the plot, with a text, in the lower right corner, below all curves."""
    low, high = ax.get_ylim()
    ax.set_ylim(low / (high / low) ** 0.13, high)
    ax.annotate(
        text, xy=(0.995, 0.07), xytext=(0.94, 0.07), xycoords="axes fraction", textcoords="axes fraction", ha="right",
        va="center", fontsize=0.9 * font, zorder=5,
        arrowprops={"arrowstyle": "-|>", "color": BLACK, "linewidth": 0.08 * font, "shrinkA": 2, "shrinkB": 0},
    )  # fmt: skip


def write_csv(instance: InstanceEvidence, path: str | Path) -> Path:
    """Write the data of a figure: a head line, then a row per checkpoint; numbers exact to the bit, infinity as inf."""
    return write_table(regret_table(instance), path)


def regret_table(instance: InstanceEvidence) -> dict[str, list[float]]:
    """The columns of a regret figure. Raises InputError as `regret_figure`."""
    _curve(instance)
    return {k: instance.curve[k] for k in (*NEEDED, *OPTIONAL) if instance.curve.get(k)}
