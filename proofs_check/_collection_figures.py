"""Figures of the study of sample collection, from its cells; each with the numbers that are drawn as columns.

    cost      completion time over the lower bound of the linear program, against K
    errors    average and worst error of the estimated kernel, against n
    burn-in   completion time of TREASURE-1 on RiverSwim(S), against S, with fitted powers

Lines are means, bars their 95 % limits by Student's t, pointwise, and shades lie between the 10 % and the 90 % quantile
of the replicates, order statistics: the smallest value with at least that share at or below it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from scipy.special import stdtrit

from mdps.collection.bounds import lp_bound
from proofs_check._collection_cells import CHAIN, ESTIMATORS, KNOWN, PRACTICE, SAMPLES, THEORY, N, estimate, model_of
from proofs_check._collection_runs import Runs, available
from proofs_check._collection_tables import NAMES, errors_at
from theorylab.errors import InputError
from theorylab.figure_kinds import Drawing
from theorylab.figure_style import DARK, SIZES, decades, finish, legend_columns, limits, look, paper_style
from theorylab.stats.slope import Slope, weighted

__all__ = ["Line", "drawings"]

#: row of the tables -> name in legends
LABELS = {
    KNOWN: "known p, greedy",
    PRACTICE: "GOSPRL, \N{GREEK SMALL LETTER ALPHA} = 0.1",
    THEORY: "GOSPRL, \N{GREEK SMALL LETTER ALPHA} = 1",
    "GOSPRL-MODEST": "GOSPRL-MODEST, \N{GREEK SMALL LETTER ALPHA} = 1",
}
BANDS = "mean, its 95 % limits as bars, 10\N{EN DASH}90 % of the replicates shaded"


@dataclass(frozen=True)
class Line:
    """Replicates of one algorithm in one panel: x (C,), and values (R_c,) at each x."""

    panel: str
    name: str
    x: tuple[float, ...]
    values: tuple[np.ndarray, ...]

    def summary(self) -> dict[str, np.ndarray]:
        """replicates, mean, mean_low, mean_high, q10, q90, each (C,)."""
        rows = []
        for v in map(np.sort, self.values):
            r = v.size
            reach = stdtrit(r - 1, 0.975) * v.std(ddof=1) / np.sqrt(r)
            rows.append((r, v.mean(), v.mean() - reach, v.mean() + reach, v[-(-r // 10) - 1], v[-(-9 * r // 10) - 1]))
        names = ("replicates", "mean", "mean_low", "mean_high", "q10", "q90")
        return dict(zip(names, np.array(rows, dtype=float).T, strict=True))


def table(lines: Sequence[Line], x: str) -> dict[str, list[Any]]:
    """The columns of a figure."""
    out: dict[str, list[Any]] = {"panel": [], "algorithm": [], x: []}
    for line in lines:
        out["panel"] += [line.panel] * len(line.x)
        out["algorithm"] += [line.name] * len(line.x)
        out[x] += line.x
        for name, values in line.summary().items():
            out.setdefault(name, []).extend(values.tolist())
    return out


def complete(runs: Runs, cell: Any) -> np.ndarray:
    """Completion times; InputError where a run was cut, as a mean over the others would be too small."""
    found = runs[cell]
    if found.unfinished:
        raise InputError(f"{cell.key}: {found.unfinished} runs were cut; give them a larger length")
    return found.values.astype(float)


def _draw(ax: Any, lines: Sequence[Line], order: Sequence[str], font: float) -> None:
    for line in lines:
        k = list(order).index(line.name)
        own, data, x = look(k), line.summary(), np.array(line.x)
        ax.fill_between(x, data["q10"], data["q90"], color=own["color"], alpha=0.18, linewidth=0, zorder=1)
        reach = np.stack([data["mean"] - data["mean_low"], data["mean_high"] - data["mean"]])
        ax.errorbar(
            x, data["mean"], yerr=reach, **own, markersize=0.36 * font, markerfacecolor="white",
            markeredgewidth=0.09 * font, elinewidth=0.09 * font, linewidth=0.12 * font, zorder=3,
        )  # fmt: skip


def _ends(lines: Sequence[Line]) -> np.ndarray:
    data = [line.summary() for line in lines]
    return np.concatenate([d[k] for d in data for k in ("q10", "q90", "mean_low", "mean_high", "mean")])


def _keys(order: Sequence[str], font: float) -> list[Any]:
    keys: list[Any] = [
        Line2D([], [], **look(k), label=LABELS.get(name, name), markersize=0.36 * font, markerfacecolor="white",
               markeredgewidth=0.09 * font, linewidth=0.12 * font)
        for k, name in enumerate(order)
    ]  # fmt: skip
    bar = Line2D([], [], color=DARK, linestyle="none", marker="|", markersize=0.9 * font, markeredgewidth=0.1 * font,
                 label="95 % limits of the mean")  # fmt: skip
    return [*keys, Patch(facecolor="#C9C9C9", edgecolor="none", label="10\N{EN DASH}90 % of replicates"), bar]


def _panels(size: str, rows: int, columns: int, tall: float) -> tuple[Figure, Any]:
    """Panels beside each other, or below each other on a page too narrow for them; `tall`: height of a row."""
    width, height, _ = SIZES[size]
    if width < 4.5:
        rows, columns = columns, rows
    figure = Figure(figsize=(width, height * (0.3 + tall * rows)), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False)
    return figure, axes.T if width < 4.5 else axes


def _log(ax: Any, lines: Sequence[Line], y: tuple[float, float]) -> None:
    x = limits(np.concatenate([line.x for line in lines]), 0.04)
    ax.set(xscale="log", yscale="log", xlim=x, ylim=y)
    decades(ax.xaxis, *x)
    decades(ax.yaxis, *y)


def _left(ax: Any, what: str, labelled: bool) -> None:
    """The vertical axis; in a row of equal ones the first is labelled."""
    if labelled:
        ax.set_ylabel(what)
    else:
        ax.tick_params(which="both", labelleft=False)


# Cost over the bound

COST = (KNOWN, PRACTICE, THEORY)


def cost_lines(runs: Runs) -> list[Line]:
    """Completion times over the bound of the linear program."""
    out = []
    for model in dict.fromkeys(model for _, model, _ in SAMPLES):
        known = model_of(model)
        one = lp_bound(known, np.ones((known.S, known.A), dtype=int)).value  # the bound of K samples is K times this
        for label in COST:
            cells = {K: cell for (row, on, K), (cell, _) in SAMPLES.items() if (row, on) == (label, model)}
            values = tuple(complete(runs, cell) / (K * one) for K, cell in cells.items())
            out.append(Line(NAMES[model], label, tuple(map(float, cells)), values))
    return out


def cost_figure(lines: Sequence[Line], size: str) -> Figure:
    """A panel for each model."""
    with paper_style(size):
        font = SIZES[size][2]
        panels = list(dict.fromkeys(line.panel for line in lines))
        figure, axes = _panels(size, 1, len(panels), 0.62)
        y = limits(np.append(_ends(lines), 0.9), 0.03)
        for ax, panel in zip(axes.flat, panels, strict=True):
            here = [line for line in lines if line.panel == panel]
            _log(ax, here, y)
            ax.axhline(1.0, color=DARK, linewidth=0.09 * font, linestyle=(0, (1, 1.5)), zorder=2)
            _draw(ax, here, COST, font)
            ax.set_title(panel, loc="left")
            ax.set_xlabel("samples of every pair, K")
            _left(ax, "steps / LP bound", panel == panels[0] or size == "icml")
        keys = _keys(COST, font)
        one = Line2D([], [], color=DARK, linewidth=0.09 * font, linestyle=(0, (1, 1.5)), label="the bound")
        return _finish(figure, [*keys, one], size)


def _finish(figure: Figure, keys: Sequence[Any], size: str) -> Figure:
    return finish(figure, keys, legend_columns([str(k.get_label()) for k in keys], size))


# Errors of the estimated kernel

PANELS = ("wheel-5", "riverswim-6", "noisy-riverswim-12")


def error_lines(runs: Runs) -> list[Line]:
    """Average and worst errors; panels "average, MODEL" and "worst, MODEL"."""
    out = []
    for j, which in enumerate(("average", "worst")):
        for model in PANELS:
            for label in ESTIMATORS:
                cells = estimate(label, model)
                if available(cells[0]):
                    values = tuple(errors_at(runs, cells, n)[:, j] for n in N)
                    out.append(Line(f"{which}, {NAMES[model]}", label, tuple(map(float, N)), values))
    return out


def error_figure(lines: Sequence[Line], size: str) -> Figure:
    """A row for the average, one for the worst error, a column for each model."""
    with paper_style(size):
        font = SIZES[size][2]
        figure, axes = _panels(size, 2, len(PANELS), 0.56)
        order = list(dict.fromkeys(line.name for line in lines))
        for i, which in enumerate(("average", "worst")):
            y = limits(_ends([line for line in lines if line.panel.startswith(which)]), 0.04)
            for ax, model in zip(axes[i], PANELS, strict=True):
                here = [line for line in lines if line.panel == f"{which}, {NAMES[model]}"]
                _log(ax, here, y)
                _draw(ax, here, order, font)
                if i == 0 or size == "icml":
                    ax.set_title(NAMES[model], loc="left")
                if i == 1 or size == "icml":
                    ax.set_xlabel("steps, n")
                _left(ax, f"{which} norm-1 error", model == PANELS[0] or size == "icml")
        return _finish(figure, _keys(order, font), size)


# Burn-in

BURN = (PRACTICE, THEORY)


def burn_lines(runs: Runs) -> list[Line]:
    """Completion times of TREASURE-1."""
    out = []
    for label in BURN:
        cells = {S: cell for (row, S), (cell, _) in CHAIN.items() if row == label}
        out.append(
            Line("RiverSwim(S)", label, tuple(map(float, cells)), tuple(complete(runs, c) for c in cells.values()))
        )
    return out


def slope_of(line: Line) -> Slope:
    """The fitted power of S (`theorylab.stats.slope.weighted`, with its floor)."""
    data = line.summary()
    se = [v.std(ddof=1) / np.sqrt(v.size) for v in line.values]
    return weighted(line.x, data["mean"], se)


def burn_table(lines: Sequence[Line]) -> dict[str, list[Any]]:
    """The means, the fits at each size, and the slopes with their 95 % limits."""
    out = table(lines, "S")
    for line in lines:
        fit = slope_of(line)
        low, high = fit.limits(0.025)
        out.setdefault("fit", []).extend(np.exp(fit.intercept + fit.value * np.log(line.x)).tolist())
        for name, value in (("slope", fit.value), ("slope_low", low), ("slope_high", high)):
            out.setdefault(name, []).extend([value] * len(line.x))
    return out


def _slope_words(line: Line) -> str:
    fit = slope_of(line)
    low, high = fit.limits(0.025)
    return f"slope {fit.value:.2f} [{low:.2f}, {high:.2f}]"


def burn_figure(lines: Sequence[Line], size: str) -> Figure:
    """Means with fitted powers."""
    with paper_style(size):
        width, height, font = SIZES[size]
        figure = Figure(figsize=(width, height), layout="constrained")
        ax = figure.add_subplot()
        _log(ax, lines, limits(_ends(lines), 0.04))
        sizes = [int(x) for x in lines[0].x]
        ax.set_xticks(sizes, [str(S) for S in sizes])
        ax.set_xticks([], minor=True)
        keys = _keys(BURN, font)
        for k, line in enumerate(lines):
            own, data, x = look(k), line.summary(), np.array(line.x)
            fit = slope_of(line)
            ax.fill_between(x, data["q10"], data["q90"], color=own["color"], alpha=0.18, linewidth=0, zorder=1)
            ax.plot(x, np.exp(fit.intercept + fit.value * np.log(x)), color=own["color"], linestyle=own["linestyle"],
                    linewidth=0.12 * font, zorder=2)  # fmt: skip
            reach = np.stack([data["mean"] - data["mean_low"], data["mean_high"] - data["mean"]])
            ax.errorbar(
                x, data["mean"], yerr=reach, color=own["color"], marker=own["marker"], linestyle="none", zorder=3,
                markersize=0.45 * font, markerfacecolor="white", markeredgewidth=0.09 * font,
                elinewidth=0.1 * font,
            )  # fmt: skip
            keys[k].set_label(f"{LABELS[line.name]}: {_slope_words(line)}")
        ax.set_xlabel("states of the chain, S")
        ax.set_ylabel("steps to see every pair")
        return finish(figure, keys, 2 if width > 4.5 else 1)


def drawings(runs: Runs) -> list[Drawing]:
    """The figures; cells that are missing are run."""
    cost, errors, burn = cost_lines(runs), error_lines(runs), burn_lines(runs)
    slopes = "; ".join(f"{LABELS[line.name]}: {_slope_words(line)}" for line in burn)

    def one(name: str, caption: str, columns: Callable[[], Any], draw: Any, lines: Sequence[Line]) -> Drawing:
        return Drawing("study", f"sample-collection-{name}", caption, "tarbouriech2021", columns, partial(draw, lines))

    return [
        one(
            "cost",
            f"Steps to K samples of every pair over the lower bound of the linear program; {BANDS}.",
            partial(table, cost, "K"),
            cost_figure,
            cost,
        ),
        one(
            "errors",
            f"Norm-1 error of the estimated kernel, average and worst over pairs, after n steps; {BANDS}.",
            partial(table, errors, "n"),
            error_figure,
            errors,
        ),
        one(
            "burn-in",
            f"Steps until every pair of RiverSwim(S) has been seen, with fitted powers of S ({slopes}, 95 % limits); "
            f"{BANDS}.",
            partial(burn_table, burn),
            burn_figure,
            burn,
        ),
    ]
