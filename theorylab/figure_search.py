"""The trace of a worst-instance search: the best value so far against evaluations of the objective.

Data: what `theorylab attack NAME --json` prints. Ratios have the line at 1, above which the statement is violated, and
the largest attainable ratio where the target knows it; differences lhs - rhs have their threshold; constants that the
paper leaves open have no line. Marks at the bottom say where runs of the search, the polish and the simplification
began. A search that stays below the line supports nothing: it says how hard one has looked.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib import ticker
from matplotlib.figure import Figure

from theorylab.errors import InputError
from theorylab.figure_style import (
    BLACK,
    BLUE,
    DARK,
    GREEN,
    SIZES,
    VERMILLION,
    columns,
    decades,
    finish,
    limits,
    paper_style,
    title,
)
from theorylab.table import number

__all__ = ["read_search", "trace_figure", "trace_table"]

NEEDED = ("id", "verdict", "quantity", "evaluations", "trace", "best")
STAGES = ("restart of the search", "polish", "simplify")


def read_search(text: str, source: str = "the file") -> dict[str, Any]:
    """What `theorylab attack --json` printed. Raises InputError that names what is missing."""
    try:
        found = json.loads(text)
    except ValueError as wrong:
        raise InputError(f"{source} is not JSON ({wrong}); write it by: theorylab attack NAME --json") from None
    missing = [k for k in NEEDED if k not in found] if isinstance(found, dict) else list(NEEDED)
    if missing:
        raise InputError(
            f"{source} has no {', '.join(missing)}; a trace needs what `theorylab attack NAME --json` prints"
        )
    return dict(found)


def trace_table(search: Mapping[str, Any]) -> dict[str, list[float]]:
    """Columns n (evaluations so far), best: a row at each improvement, and a last one at the end of the search.

    Values that are not finite, of points where nothing is measured, are left in. Raises InputError for an empty trace.
    """
    pairs = search["trace"]
    if not pairs:
        raise InputError(f"the trace of {search['id']} is empty; run the search with more evaluations")
    try:
        table = {"n": [float(n) for n, _ in pairs], "best": [float(v) for _, v in pairs]}
    except (TypeError, ValueError):
        raise InputError(
            f"the trace of {search['id']} is no list of pairs (evaluations, best); give the file as it was written"
        ) from None
    columns(f"the trace of {search['id']}", table, ("n", "best"))
    end = float(search["evaluations"])
    if end > table["n"][-1]:
        table = {"n": [*table["n"], end], "best": [*table["best"], table["best"][-1]]}
    return table


def _threshold(search: Mapping[str, Any]) -> float:
    """The value above which the statement fails; inf where its constant is open."""
    return float(search.get("threshold", 1.0))


def trace_figure(search: Mapping[str, Any], *, size: str = "neurips") -> Figure:
    """Best ratio (constant, lhs - rhs) against evaluations. Raises InputError for the size, and as `trace_table`."""
    table = {k: np.asarray(v) for k, v in trace_table(search).items()}
    n, best = table["n"], np.where(np.isfinite(table["best"]), table["best"], np.nan)
    with paper_style(size):
        width, height, font = SIZES[size]
        figure = Figure(figsize=(width, height), layout="constrained")
        ax = figure.add_subplot()
        quantity, threshold = search["quantity"], _threshold(search)
        one = n.size == 1
        keys: list[Any] = ax.plot(
            n, best, color=BLUE, drawstyle="steps-post", marker="o" if one else "", label=f"best {quantity} so far"
        )
        levels = []
        if math.isfinite(threshold):
            text = f"violated above {number(threshold)}"
            keys.append(ax.axhline(threshold, color=VERMILLION, linestyle=(0, (5, 1.6)), label=text))
            levels.append(threshold)
        if search.get("attainable") is not None:
            reach = float(search["attainable"])
            keys.append(
                ax.axhline(reach, color=GREEN, linestyle=(0, (5, 1.4, 1, 1.4)), label=f"attainable: {number(reach)}")
            )
            levels.append(reach)
        fresh = search.get("fresh")
        if fresh and fresh.get("ratio") is not None:
            value = float(fresh["ratio"])
            keys += ax.plot(
                [search["evaluations"]], [value], marker="D", linestyle="none", color=BLACK, markersize=0.5 * font,
                label=f"winner on fresh addresses: {number(value)}", clip_on=False, zorder=5,
            )  # fmt: skip
            levels.append(value)
        everything = np.concatenate([best[np.isfinite(best)], levels])
        _scale(ax, everything)
        x = limits(n, 0.02)
        ax.set(xscale="log", xlim=x)
        decades(ax.xaxis, *x)
        keys += _stages(ax, search.get("stages") or [], font)
        ax.set_xlabel("evaluations of the objective")
        ax.set_ylabel("best constant" if quantity == "constant" else f"best {quantity}")
        best_one = f"best {quantity} {number(float(search['best']))} in {search['evaluations']} evaluations"
        title(ax, f"{search['id']}: {search['verdict']}, {best_one}", size)
        return finish(figure, keys)


def _scale(ax: Any, values: np.ndarray) -> None:
    low, high = float(values.min()), float(values.max())
    if low > 0 and high / low > 30:
        ax.set_yscale("log")
        y = limits(values, 0.06)
        ax.set_ylim(y)
        decades(ax.yaxis, *y)
        return
    low = min(low, 0.0) if low >= 0 else low
    pad = 0.07 * (high - low or 1.0)
    ax.set_ylim(low - pad, high + pad)
    ax.yaxis.set_major_locator(ticker.MaxNLocator(6))


def _stages(ax: Any, stages: list[Any], font: float) -> list[Any]:
    """Marks just above the axis where a stage began; the first run of the search begins it and is none."""
    keys, runs = [], 0
    at: dict[str, list[float]] = {s: [] for s in STAGES}
    for start, name in stages:
        runs += name not in STAGES
        if name in STAGES:
            at[name].append(max(float(start), 1.0))
        elif runs > 1:
            at[STAGES[0]].append(max(float(start), 1.0))
    for name, marker in zip(STAGES, ("^", "s", "v"), strict=True):
        if at[name]:
            label = f"{name} ({len(at[name])})" if name == STAGES[0] else f"{name} begins"
            for start in at[name]:
                ax.axvline(start, color=DARK, linewidth=0.06 * font, linestyle=(0, (1, 2)), zorder=0)
            keys += ax.plot(
                at[name], [0.03] * len(at[name]), transform=ax.get_xaxis_transform(), color=DARK, linestyle="none",
                marker=marker, markersize=0.45 * font, label=label, clip_on=False,
            )  # fmt: skip
    return keys
