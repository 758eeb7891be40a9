"""Figures of a stored study: learners side by side on one model, with bands over the replicates.

    curves     cumulative regret: the theorem's own where all learners have it, else the sum of gaps; reward units
    reward     reward per round, episode or step so far; reward units
    coverage   share of a sample's requirements that is met, where `theorylab.coverage` kept it

Per learner and checkpoint, over R replicates x: the mean; its 95 % limits by Student's t with R - 1 degrees of freedom,
mean -+ t sd / sqrt R, pointwise (for drawing; comparisons with an error level are claims); and the 2.5, 50 and 97.5 %
quantiles, order statistics: the smallest value with at least that share of replicates at or below it. The first and
the last are the least and the largest of fewer than 40 replicates, and are called so. A learner's line has a colour, a
style and a marker of its own. Regret is drawn on linear axes unless learners end more than a factor 20 apart; on
logarithmic ones, what is at or below 0 ends at the axis, and the label counts the means there. Coverage begins at half
the steps after which the first replicate has met something.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from matplotlib import ticker
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from scipy.special import stdtrit

from theorylab.coverage import Coverage, coverage_of
from theorylab.figure_kinds import Drawing
from theorylab.figure_style import (
    DARK,
    SIZES,
    decades,
    drawable,
    finish,
    legend_columns,
    limits,
    look,
    paper_style,
    title,
)
from theorylab.learner import UNITS
from theorylab.result import Result
from theorylab.simulation import Curves
from theorylab.table import clean, number

__all__ = ["STUDY_KINDS", "Learned", "study_drawings", "study_figure", "study_table"]

#: kind -> what it shows
STUDY_KINDS = {
    "curves": "cumulative regret of the learners of a study",
    "reward": "reward of the learners of a study, per round, episode or step so far",
    "coverage": "share of a sample's requirements that learners have met",
}
APART = 20.0  # a factor between final means from which on linear axes hide the smaller ones
FEW = 40  # replicates below which the 2.5 % quantile is the least value


@dataclass(frozen=True)
class Learned:
    """What is drawn of one learner: checkpoints n (C,), values (R, C) of its replicates, a remark for the legend."""

    name: str
    n: np.ndarray
    values: np.ndarray
    remark: str = ""

    def summary(self) -> dict[str, np.ndarray]:
        """mean, mean_low, mean_high, q025, q50, q975, each (C,), as in the module's text; limits NaN where R is 1."""
        x = np.sort(self.values, axis=0)
        r = x.shape[0]
        mean = np.array([math.fsum(column) / r for column in x.T.tolist()])
        reach = np.full(mean.shape, np.nan)
        if r > 1:
            squares = [math.fsum(column) for column in np.square(x - mean).T.tolist()]
            reach = stdtrit(r - 1, 0.975) * np.sqrt(np.array(squares) / (r - 1) / r)
        ranks = {name: x[-(-share * r // 1000) - 1] for name, share in (("q025", 25), ("q50", 500), ("q975", 975))}
        return {"mean": mean, "mean_low": mean - reach, "mean_high": mean + reach, **ranks}


def study_table(learners: Sequence[Learned]) -> dict[str, list[Any]]:
    """Columns learner, n, replicates and those of `Learned.summary`."""
    out: dict[str, list[Any]] = {"learner": [], "n": [], "replicates": []}
    for one in learners:
        count = one.n.size
        out["learner"] += [one.name] * count
        out["n"] += one.n.tolist()
        out["replicates"] += [one.values.shape[0]] * count
        for name, values in one.summary().items():
            out.setdefault(name, []).extend(values.tolist())
    return out


def study_figure(
    learners: Sequence[Learned], *, heading: str, kind: str, unit: str, what: str = "", size: str = "neurips"
) -> Figure:
    """Learners side by side; `unit`: "rounds", "episodes" or "steps"; `what`: the quantity of the vertical axis.

    Raises InputError for an unknown size.
    """
    drawn = [one.summary() for one in learners]
    with paper_style(size):
        width, height, font = SIZES[size]
        figure = Figure(figsize=(width, height), layout="constrained")
        ax = figure.add_subplot()
        hidden = _axes(ax, learners, drawn, kind)
        keys: list[Any] = []
        for k, (one, data) in enumerate(zip(learners, drawn, strict=True)):
            keys.append(_line(ax, k, len(learners), one, data, font))
        keys += _bands(learners, font)
        count = legend_columns([str(key.get_label()) for key in keys], size)
        if kind == "coverage" and size != "slides":  # a slide has one height; a page has room for a long legend
            figure.set_figheight(height + max(0, -(-len(keys) // count) - 3) * 1.4 * font / 72)
        note = f" ({hidden} means \N{LESS-THAN OR EQUAL TO} 0, not shown)" if hidden else ""
        ax.set_xlabel(f"completed {unit}, n{note}", parse_math=False)
        ax.set_ylabel(what.replace(" (", "\n(") if size in ("icml", "slides") else what, parse_math=False)
        title(ax, heading, size)
        return finish(figure, keys, count)


def _axes(ax: Any, learners: Sequence[Learned], drawn: Sequence[dict[str, np.ndarray]], kind: str) -> int:
    """Scales and limits; how many means have no place on a logarithmic axis."""
    last = [float(data["mean"][-1]) for data in drawn]
    far = kind == "curves" and min(last) > 0 and max(last) > APART * min(last)
    n = np.concatenate([one.n for one in learners]).astype(float)
    if far or kind != "curves":
        if kind == "coverage":
            n = n[n >= 0.5 * min(_begins(one, data) for one, data in zip(learners, drawn, strict=True))]
        x = limits(n)
        ax.set(xscale="log", xlim=x)
        decades(ax.xaxis, *x)
    else:
        ax.set_xlim(0.0, 1.02 * float(n.max()))
        ax.xaxis.set_major_locator(ticker.MaxNLocator(5, integer=True))
    ends = [np.concatenate([data[k] for data in drawn]) for k in ("q025", "mean_low", "q975", "mean_high")]
    low, high = float(np.nanmin(ends[:2])), float(np.nanmax(ends[2:]))
    if far:
        means = np.concatenate([data["mean"] for data in drawn])
        y = limits(np.array([max(means[means > 0].min(), high / 1e4), high]), 0.05)
        ax.set(yscale="log", ylim=y)
        decades(ax.yaxis, *y)
        return int((means <= 0).sum())
    if kind != "reward":  # what begins at 0; coverage ends at 1
        low, high = min(low, 0.0), max(high, 1.0 if kind == "coverage" else 1e-9)
    pad = 0.03 * (high - low) or 0.5
    ax.set_ylim(low - pad if low < 0 or kind != "curves" else 0.0, high + pad)
    # a fixed number of ticks: one that depends on the length of the axis could change with the layout
    ax.yaxis.set_major_locator(ticker.MaxNLocator(6))
    return 0


def _begins(one: Learned, data: dict[str, np.ndarray]) -> float:
    """The first checkpoint at which some replicate is above 0; the last one if there is none."""
    return float(one.n[min(int((data["mean"] <= 0).sum()), one.n.size - 1)])


def _line(ax: Any, k: int, count: int, one: Learned, data: dict[str, np.ndarray], font: float) -> Line2D:
    """The mean with its band and, at a few checkpoints that differ between learners, its limits and a marker."""
    own = look(k)
    log = ax.get_yscale() == "log"
    floor = ax.get_ylim()[0] if log else -np.inf
    if one.values.shape[0] > 1:
        ax.fill_between(
            one.n, np.maximum(data["q025"], floor), np.maximum(data["q975"], floor), color=own["color"],
            alpha=0.2 if count <= 4 else 0.12,
            linewidth=0, zorder=1,
        )  # fmt: skip
    mean = np.where(data["mean"] > 0, data["mean"], np.nan) if log else data["mean"]
    ax.plot(one.n, mean, color=own["color"], linestyle=own["linestyle"], zorder=3)
    scale = ax.get_xaxis().get_transform()
    inside = (one.n > 0) & (one.n >= ax.get_xlim()[0])
    ends = scale.transform(np.array([one.n[inside][0], one.n[-1]], dtype=float))
    at = ends[0] + (ends[1] - ends[0]) * (np.arange(7) + (k + 1) / (count + 1)) / 7
    places = np.unique(np.abs(scale.transform(one.n.astype(float))[:, None] - at).argmin(axis=0))
    places = places[np.isfinite(mean[places])]
    reach = None
    if one.values.shape[0] > 1:
        reach = np.abs(np.stack([data["mean_low"], data["mean_high"]])[:, places] - mean[places])
        if log:
            reach[0] = np.minimum(reach[0], mean[places] - floor * (1 - 1e-9)).clip(0)
    ax.errorbar(
        one.n[places], mean[places], yerr=reach, color=own["color"], linestyle="none", marker=own["marker"],
        markersize=0.42 * font, markerfacecolor="white", markeredgewidth=0.09 * font, capsize=0.3 * font,
        elinewidth=0.1 * font, zorder=4,
    )  # fmt: skip
    label = drawable(one.name) + (f": {one.remark}" if one.remark else "")
    return Line2D([], [], **own, label=label, markersize=0.42 * font, markerfacecolor="white",
                  markeredgewidth=0.09 * font)  # fmt: skip


def _bands(learners: Sequence[Learned], font: float) -> list[Any]:
    """What the shades and bars are, of how many replicates."""
    counts = sorted({one.values.shape[0] for one in learners})
    many = " or ".join(map(str, counts))
    if counts == [1]:
        return [Line2D([], [], linestyle="none", label="1 replicate")]
    spread = "2.5\N{EN DASH}97.5 %" if counts[0] >= FEW else "least to largest"
    bar = Line2D([], [], color=DARK, linestyle="none", marker="|", markersize=0.9 * font, markeredgewidth=0.1 * font,
                 label="95 % limits of the mean")  # fmt: skip
    return [Patch(facecolor="#C9C9C9", edgecolor="none", label=f"{spread} of {many} replicates"), bar]


def study_drawings(result: Result, model: str | None = None) -> list[Drawing]:
    """The figures of a study, of a model's label or of all: kind by kind for each model and length."""
    groups: dict[tuple[str, int], list[tuple[str, Curves]]] = {}
    for cell, curves in zip(result.cells, result.curves, strict=True):
        if model in (None, cell.model):
            groups.setdefault((cell.model, cell.length), []).append((cell.learner, curves))
    from theorylab.figure_command import anchors_of

    study = result.study.name
    anchors = anchors_of([f"{study}-{label}-{length}" for label, length in groups])
    out = []
    for (label, length), cells in groups.items():
        unit = UNITS[cells[0][1].setting]
        for kind, what, learners in _quantities(cells, unit):
            heading = f"{study}: {label}"
            r = learners[0].values.shape[0]
            more = "; complete: all met, and the median of the steps that took" if kind == "coverage" else ""
            text = clean(f"{study} on {label}, {length} {unit}: {what}; {_caption(r)}{more}.")
            draw = partial(_at_size, partial(study_figure, learners, heading=heading, kind=kind, unit=unit, what=what))
            name = f"{anchors[f'{study}-{label}-{length}']}-{kind}"
            out.append(Drawing(kind, name, text, study, partial(study_table, learners), draw))
    return out


def _at_size(draw: Any, size: str) -> Figure:
    made: Figure = draw(size=size)
    return made


def _caption(r: int) -> str:
    if r == 1:
        return "1 replicate"
    spread = "2.5 % to 97.5 % quantiles" if r >= FEW else "least to largest"
    return f"mean of {r} replicates, its 95 % limits (Student's t, pointwise) as bars, {spread} shaded"


def _quantities(cells: Sequence[tuple[str, Curves]], unit: str) -> Iterator[tuple[str, str, list[Learned]]]:
    """Kind, name of the quantity and learners."""
    own = all("regret" in c.data for _, c in cells)
    name = "regret" if own else "gap_regret"
    words = "cumulative regret (reward units)" if own else "sum of gaps (reward units)"
    yield "curves", words, [Learned(label, c.checkpoints, c[name]) for label, c in cells]
    per = f"reward per {unit[:-1]} so far (reward units)"
    yield "reward", per, [Learned(label, c.checkpoints, c["reward"] / c.checkpoints) for label, c in cells]
    kept = [(label, c, found) for label, c in cells if (found := coverage_of(c)) is not None]
    if kept:
        learners = [
            Learned(label, c.checkpoints, found.at(c.checkpoints), _complete(found)) for label, c, found in kept
        ]
        asked = sorted({found.asked for _, _, found in kept})
        yield "coverage", f"share of {' or '.join(map(str, asked))} requirements met", learners


def _complete(found: Coverage) -> str:
    """How many replicates met everything, and the median of the steps that took, over all replicates."""
    last = np.sort(found.steps[:, -1])
    done, r = int(np.isfinite(last).sum()), last.size
    median = float(last[-(-r // 2) - 1])
    return f"{done}/{r} complete" + (f", median {number(median)}" if math.isfinite(median) else "")
