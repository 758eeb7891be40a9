"""Growth over a sweep: mean regret against size on logarithmic axes, and the local slopes of its ratio to the order.

Upper panel: means with their limits, the claimed order times the constant that fits the range best (least squares
weighted by the standard errors, as in `theorylab.stats.order.compare`), what any algorithm satisfies. Sizes before the
range are hollow. Lower panel: local slopes of log(regret/order) between neighbouring sizes with their limits, and the
margin, within which a slope does not speak against the order. The verdict is in the title. Data: the tables `sweep` and
`slopes` in `Evidence.growth`; all limits normal, 5 % on each side.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib import ticker
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from theorylab.evidence import Evidence
from theorylab.figure_style import (
    BLACK,
    BLUE,
    DARK,
    GREY,
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

__all__ = ["growth_figure", "growth_table"]

SWEEP, SLOPES = ("x", "mean", "low", "high", "order", "scaled", "trivial"), ("x", "slope", "low", "high")


def _tables(e: Evidence) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    return (
        columns(f"the sweep of {e.id}", e.growth.get("sweep", {}), SWEEP),
        columns(f"the local slopes of {e.id}", e.growth.get("slopes", {}), SLOPES),
    )


def growth_table(e: Evidence) -> dict[str, list[float]]:
    """The sweep's columns, and slope_to_next, slope_low, slope_high: NaN at the last size, which has no next one.

    Raises InputError for evidence without a sweep, uneven lists or NaN.
    """
    sweep, slopes = _tables(e)
    out = {k: [float(v) for v in column] for k, column in sweep.items()}
    names = {"slope": "slope_to_next", "low": "slope_low", "high": "slope_high"}
    return {**out, **{names[k]: [*(float(v) for v in slopes[k]), float("nan")] for k in SLOPES[1:]}}


def growth_figure(e: Evidence, *, size: str = "neurips") -> Figure:
    """The sweep of a growth claim. Raises InputError for an unknown size, and as `growth_table`."""
    sweep, slopes = _tables(e)
    with paper_style(size):
        width, height, font = SIZES[size]
        figure = Figure(figsize=(width, 1.3 * height if size != "slides" else height), layout="constrained")
        top, below = figure.subplots(2, 1, sharex=True, height_ratios=(1.9, 1.0) if size != "slides" else (1.5, 1.0))
        letter, margin = drawable(e.growth["size"]), float(e.growth["margin"])
        keys = _means(top, sweep, float(e.growth["T1"]), font)
        keys += _slopes(below, slopes, margin, bool(e.growth["exact"]), font)
        x = limits(sweep["x"], 0.04)
        top.set_xlim(x)
        decades(below.xaxis, *x)
        top.tick_params(labelbottom=False)
        what = str(e.growth.get("quantity", "regret"))
        top.set_ylabel("mean regret\n(reward units)" if what == "regret" else f"mean\n{what}", parse_math=False)
        below.set_ylabel("slope of log\n(regret / order)" if what == "regret" else "slope of log\n(mean / order)")
        below.set_xlabel(f"${letter}$" if letter.isalpha() else letter)
        found = f"slope in [{number(e.growth['low'])}, {number(e.growth['high'])}], margin {number(margin)}"
        where = f"[{number(e.growth['T1'])}, {number(e.growth['T2'])}]"
        title(top, f"{e.id}: {e.verdict} on {letter} in {where}, {found}", size)
        return finish(figure, keys)


def _means(ax: Any, data: dict[str, np.ndarray], start: float, font: float) -> list[Any]:
    ax.set(xscale="log", yscale="log")
    x, mean, keys = data["x"], data["mean"], []
    low = np.where(data["low"] > 0, data["low"], mean / 1e3)
    bars = dict(color=BLUE, linestyle="none", capsize=0.3 * font, elinewidth=0.12 * font, zorder=3)
    for inside, face, text in (
        (x >= start, BLUE, "mean, 90 % limits"),
        (x < start, "white", "before the range"),
    ):
        if inside.any():
            reach = (mean[inside] - low[inside], data["high"][inside] - mean[inside])
            keys.append(
                ax.errorbar(
                    x[inside], mean[inside], yerr=reach, marker="o", markersize=0.45 * font, markerfacecolor=face,
                    label=text, **bars,
                )
            )  # fmt: skip
    keys += ax.plot(x, data["scaled"], color=VERMILLION, linestyle=(0, (5, 1.6)), label="order, fitted to the range")
    keys += ax.plot(x, data["trivial"], color=BLACK, linestyle=(0, (1, 1.3)), label="trivial (any algorithm)")
    y = limits(np.concatenate([mean, data["high"], data["scaled"], data["trivial"], low[data["low"] > 0]]), 0.05)
    ax.set_ylim(y)
    decades(ax.yaxis, *y)
    return keys


def _slopes(ax: Any, data: dict[str, np.ndarray], margin: float, exact: bool, font: float) -> list[Any]:
    reach = (data["slope"] - data["low"], data["high"] - data["slope"])
    ax.errorbar(
        data["x"], data["slope"], yerr=reach, color=BLUE, linestyle="none", marker="o", markersize=0.4 * font,
        capsize=0.3 * font, elinewidth=0.12 * font, zorder=3,
    )  # fmt: skip
    ax.axhline(0.0, color=DARK, linewidth=0.08 * font, zorder=1)
    low, high = min(float(data["low"].min()), -margin), max(float(data["high"].max()), margin)
    pad = 0.08 * (high - low)
    ax.set_ylim(low - pad, high + pad)
    bottom = -margin if exact else low - pad
    ax.axhspan(bottom, margin, facecolor=GREY, edgecolor="none", zorder=0)
    ax.axhline(margin, color=VERMILLION, linewidth=0.1 * font, linestyle=(0, (3, 2)), zorder=2)
    if exact:
        ax.axhline(-margin, color=VERMILLION, linewidth=0.1 * font, linestyle=(0, (3, 2)), zorder=2)
    ax.yaxis.set_major_locator(ticker.MaxNLocator(4))
    return [Patch(facecolor=GREY, edgecolor=VERMILLION, linewidth=0.6, label="margin of the slope")]
