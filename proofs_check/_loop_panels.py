"""Panels of lines and panels of dots: what the figures of the studies of LOOP are made of.

Lines are means over replicates, shades lie between the 10 % and the 90 % quantile of the replicates, order statistics.
Replicates that ended with an error are left out of means and count as infinite in quantiles, as in the tables.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib import ticker
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from proofs_check._loop_runs import Found
from theorylab.figure_style import DARK, SIZES, decades, finish, legend_columns, limits, look, paper_style

__all__ = ["Dots", "Line", "Panel", "Points", "dots_of", "figure_of", "line", "names_of", "point", "rows_of"]

SHADE = "10\N{EN DASH}90 % of replicates"
#: name, mean, low, high of the points of a row
Points = tuple[tuple[str, float, float, float], ...]


@dataclass(frozen=True)
class Line:
    """One algorithm in one panel: x (C,), mean (C,), low and high (C,) quantiles (NaN: no shade).

    `bare`: crosses without a line, in the colour of the line of that name.
    """

    name: str
    x: tuple[float, ...]
    mean: tuple[float, ...]
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    bare: str = ""


@dataclass(frozen=True)
class Panel:
    """Lines on axes; points with bars where `x` is empty, as instances are joined by none.

    `ticks`: labels of x. `log`: which axes are logarithmic; `floor`: what is drawn is above it.
    """

    title: str
    x: str
    y: str
    lines: tuple[Line, ...]
    log: str = "xy"
    ticks: dict[float, str] | None = None
    floor: float = 0.0


@dataclass(frozen=True)
class Dots:
    """Rows of one panel: label -> points (name, mean, low, high)."""

    title: str
    x: str
    rows: Mapping[str, Points]


def point(found: Found, name: str = "regret", per: float = 1.0) -> tuple[float, float, float]:
    """Mean, 10 % and 90 % at the end; infinite quantiles as NaN, which is not drawn."""
    values = found.last(name)
    if not values.size:
        return math.nan, math.nan, math.nan
    low, high = found.quantile(0.1, name), found.quantile(0.9, name)
    return float(values.mean()) / per, low / per, high / per if math.isfinite(high) else math.nan


def line(
    name: str, found: dict[float, Found | None], what: str = "regret", per: Callable[[float], float] | None = None
) -> Line:
    """A line through the ends of cells; what is missing is left out."""
    kept = {x: f for x, f in found.items() if f is not None}
    values = [point(f, what, per(x) if per else 1.0) for x, f in kept.items()]
    mean, low, high = (tuple(v[i] for v in values) for i in range(3))
    return Line(name, tuple(map(float, kept)), mean, low, high)


def rows_of(panels: Sequence[Panel | Dots]) -> dict[str, list[Any]]:
    """The columns of a figure."""
    out: dict[str, list[Any]] = {k: [] for k in ("panel", "name", "x", "mean", "q10", "q90")}
    for p in panels:
        if isinstance(p, Panel):
            got = [
                (p.title, one.name, x, *(v[i] if v else math.nan for v in (one.mean, one.low, one.high)))
                for one in p.lines for i, x in enumerate(one.x)
            ]  # fmt: skip
        else:
            got = [
                (p.title, f"{row}: {n}", math.nan, m, a, b) for row, points in p.rows.items() for n, m, a, b in points
            ]
        for row in got:
            for column, value in zip(out.values(), row, strict=True):
                column.append(value)
    return out


def names_of(panels: Sequence[Panel | Dots]) -> list[str]:
    """Names in the order of their first line."""
    out: dict[str, None] = {}
    for p in panels:
        for name in (
            [one.name for one in p.lines] if isinstance(p, Panel) else [n for r in p.rows.values() for n, *_ in r]
        ):
            out.setdefault(name)
    return list(out)


def _numbers(p: Panel) -> np.ndarray:
    return np.array([v for one in p.lines for part in (one.mean, one.low, one.high) for v in part], dtype=float)


def _axes(ax: Any, p: Panel) -> None:
    x, y = np.array([v for one in p.lines for v in one.x]), _numbers(p)
    y = y[np.isfinite(y)]
    if "x" in p.log:
        xlim = limits(x, 0.04)
        ax.set(xscale="log", xlim=xlim)
        decades(ax.xaxis, *xlim)
    else:
        pad = 0.06 * float(np.ptp(x) or 1.0)
        ax.set_xlim(x.min() - pad, x.max() + pad)
    if "y" in p.log:
        ylim = limits(y[y > p.floor], 0.04)
        ax.set(yscale="log", ylim=ylim)
        decades(ax.yaxis, *ylim)
    else:
        low, high = min(0.0, float(y.min())), float(y.max())
        ax.set_ylim(low - 0.03 * (high - low) * (low < 0), high + 0.06 * (high - low))
        ax.yaxis.set_major_locator(ticker.MaxNLocator(6, integer=high > 3.0))
    if p.ticks:
        ax.set_xticks(list(p.ticks), list(p.ticks.values()))
        ax.set_xticks([], minor=True)
    ax.set_xlabel(p.x)
    ax.set_ylabel(p.y)
    ax.set_title(p.title, loc="left")


def _marks(font: float) -> dict[str, Any]:
    return dict(markersize=0.4 * font, markerfacecolor="white", markeredgewidth=0.09 * font, linewidth=0.12 * font)


def _draw(ax: Any, p: Panel, order: Sequence[str], font: float) -> None:
    bottom = ax.get_ylim()[0] if "y" in p.log else -math.inf
    many = max((len(one.x) for one in p.lines), default=0) > 12
    for one in p.lines:
        own, x = look(order.index(one.name)), np.array(one.x)
        mean = np.array(one.mean)
        if not p.x and not one.bare:  # instances, which no line joins
            ends = np.abs(np.stack([one.low, one.high]) - mean)
            ax.errorbar(x, mean, yerr=ends, **{**own, "linestyle": "none"}, elinewidth=0.12 * font,
                        **{**_marks(font), "linewidth": 0.0}, zorder=3)  # fmt: skip
            continue
        if one.bare:
            ax.plot(x, mean, linestyle="none", marker="x", color=look(order.index(one.bare))["color"],
                    markersize=0.6 * font, markeredgewidth=0.14 * font, zorder=5)  # fmt: skip
            continue
        if one.low:
            ax.fill_between(
                x,
                np.maximum(one.low, bottom),
                np.maximum(one.high, bottom),
                color=own["color"],
                alpha=0.15,
                linewidth=0,
                zorder=1,
            )
        shown = np.where(mean > bottom, mean, np.nan)
        ax.plot(x, shown, **own, **_marks(font), zorder=3, markevery=6 if many else 1)


def _keys(panels: Sequence[Panel | Dots], font: float) -> list[Any]:
    bare = {one.name for p in panels if isinstance(p, Panel) for one in p.lines if one.bare}
    keys: list[Any] = []
    for k, name in enumerate(names_of(panels)):
        if name in bare:
            keys.append(Line2D([], [], linestyle="none", marker="x", color=DARK, markersize=0.6 * font,
                               markeredgewidth=0.14 * font, label=name))  # fmt: skip
        else:
            keys.append(Line2D([], [], **look(k), **_marks(font), label=name))
    return [*keys, Patch(facecolor="#C9C9C9", edgecolor="none", label=SHADE)]


def figure_of(panels: Sequence[Panel], size: str, shaded: bool = True) -> Figure:
    """Panels beside each other, below each other on a narrow page."""
    with paper_style(size):
        width, height, font = SIZES[size]
        narrow = width < 4.5
        columns = 1 if narrow else min(len(panels), 3)
        rows = -(-len(panels) // columns)
        keys = _keys(panels, font)[: None if shaded else -1]
        count = legend_columns([str(k.get_label()) for k in keys], size)
        tall = height * (0.05 + 0.68 * rows) + -(-len(keys) // count) * 1.45 * font / 72
        figure = Figure(figsize=(width, tall), layout="constrained")
        order = names_of(panels)
        for ax, p in zip(figure.subplots(rows, columns, squeeze=False).flat, panels, strict=False):
            _axes(ax, p)
            _draw(ax, p, order, font)
        return finish(figure, keys, count)


def dots_of(panels: Sequence[Dots], size: str, columns: int = 3, note: str = "10\N{EN DASH}90 % as bars") -> Figure:
    """Rows of points with bars; the labels of rows beside the first panel of each line."""
    with paper_style(size):
        width, _, font = SIZES[size]
        columns = min(columns if width > 4.5 else 1, len(panels))
        rows = -(-len(panels) // columns)
        labels = list(panels[0].rows)
        order = names_of(panels)
        figure = Figure(figsize=(width, rows * (len(labels) * 1.35 * font / 72 + 0.62) + 0.3), layout="constrained")
        grid = figure.subplots(rows, columns, squeeze=False)
        for ax in grid.flat[len(panels) :]:
            ax.set_axis_off()
        for i, (ax, p) in enumerate(zip(grid.flat, panels, strict=False)):
            _dots(ax, p, order, font)
            ax.set_yticks(range(len(labels)), labels if i % columns == 0 else [""] * len(labels))
            ax.set_ylim(len(labels) - 0.4, -0.6)
            ax.set_title(p.title, loc="left")
            ax.set_xlabel(p.x)
        keys = [
            Line2D([], [], color=look(k)["color"], marker=look(k)["marker"], linestyle="none", markersize=0.45 * font,
                   markerfacecolor="white" if k == 0 else look(k)["color"], markeredgewidth=0.1 * font, label=name)
            for k, name in enumerate(order)
        ]  # fmt: skip
        bar = Line2D([], [], color=DARK, linewidth=0.12 * font, label=note)
        return finish(figure, [*keys, bar], len(order) + 1)


def _dots(ax: Any, p: Dots, order: Sequence[str], font: float) -> None:
    values = np.array([v for points in p.rows.values() for _, *three in points for v in three], dtype=float)
    x = limits(values, 0.05)
    ax.set(xscale="log", xlim=x)
    decades(ax.xaxis, *x)
    for i, points in enumerate(p.rows.values()):
        if i % 2 == 0:
            ax.axhspan(i - 0.5, i + 0.5, color="#F4F4F4", zorder=0, linewidth=0)
        for name, mean, low, high in points:
            k = order.index(name)
            own, at = look(k), i + (k - (len(order) - 1) / 2) * 0.32
            ends = max(low, x[0]) if math.isfinite(low) else mean, high if math.isfinite(high) else x[1]
            ax.plot(ends, [at, at], color=own["color"], linewidth=0.12 * font, zorder=2)
            face = "white" if k == 0 else own["color"]
            ax.plot([mean], [at], color=own["color"], marker=own["marker"], markersize=0.4 * font, linestyle="none",
                    markerfacecolor=face, markeredgewidth=0.09 * font, zorder=3)  # fmt: skip
