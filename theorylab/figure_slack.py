"""The slack of a bound over a run: theorem's bound over what was measured, at every checkpoint.

`slack_figure` draws bound / upper quantile and bound / mean of the regret on logarithmic axes, with the line at 1,
below which the bound would be violated, and the lengths at which the bound is vacuous. The quantile is that of the
claim, 1 - level, where the claim holds with a probability, else the 95 % one. Pointwise in n, of all replicates: a
picture of where a bound is loose; the number with an error level is `InstanceEvidence.slack`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from theorylab.errors import InputError
from theorylab.evidence import InstanceEvidence
from theorylab.figure import axis_of, shade_vacuous, word_of
from theorylab.figure_style import BLACK, BLUE, GREEN, SIZES, columns, decades, finish, limits, paper_style, title
from theorylab.table import number

__all__ = ["slack_figure", "slack_table"]


def _curve(instance: InstanceEvidence) -> dict[str, np.ndarray]:
    where = f"the curve of {instance.learner} on {instance.model}"
    data = columns(where, instance.curve, ("n", "mean", "high", "bound"), ("trivial", "upper"))
    keep = data["n"] > 0
    if not keep.any():
        raise InputError(f"{where} has no point with n > 0")
    return {k: v[keep] for k, v in data.items()}


def _ratio(bound: np.ndarray, measured: np.ndarray) -> np.ndarray:
    return np.where(measured > 0, bound / np.where(measured > 0, measured, 1.0), np.nan)


def slack_table(instance: InstanceEvidence) -> dict[str, list[float]]:
    """Columns n, to_quantile, to_mean: the bound over both (1: tight); NaN where the measured regret is <= 0.

    Raises InputError for a curve without a bound, or one that lacks a list, has uneven lists or holds NaN.
    """
    data = _curve(instance)
    upper = data.get("upper", data["high"])
    table = {
        "n": data["n"],
        "to_quantile": _ratio(data["bound"], upper),
        "to_mean": _ratio(data["bound"], data["mean"]),
    }
    return {k: [float(v) for v in column] for k, column in table.items()}


def slack_figure(instance: InstanceEvidence, *, claim_id: str, size: str = "neurips") -> Figure:
    """Bound over measured regret against completed rounds, episodes or steps. Otherwise as `regret_figure`."""
    data, table = _curve(instance), {k: np.asarray(v) for k, v in slack_table(instance).items()}
    n, lines = table["n"], (table["to_quantile"], table["to_mean"])
    with paper_style(size):
        width, height, font = SIZES[size]
        figure = Figure(figsize=(width, height), layout="constrained")
        ax = figure.add_subplot()
        ax.set(xscale="log", yscale="log")
        x, y = limits(n), limits(np.concatenate([*lines, [1.0]]), 0.06)
        ax.set(xlim=x, ylim=y)
        share = 1.0 - instance.level if "upper" in data and instance.level is not None else 0.95
        run = instance.replicates or instance.n
        keys: list[Any] = []
        for values, text, colour, dash in (
            (lines[0], f"bound / {number(100 * share)} % quantile", BLUE, "-"),
            (lines[1], f"bound / mean, {run} replicates", GREEN, (0, (5, 1.4, 1, 1.4))),
        ):
            seen = np.isfinite(values)
            text += "" if seen.any() else " (infinite)" if np.isinf(values).any() else " (nothing measured)"
            mark = "o" if seen.sum() == 1 else ""
            drawn = np.where(seen, values, np.nan)
            keys += ax.plot(n, drawn, color=colour, linestyle=dash, marker=mark, label=text)
        keys.append(ax.axhline(1.0, color=BLACK, linestyle=(0, (1, 1.3)), label="violated below 1"))
        finite = np.where(np.isfinite(lines[0]), lines[0], 1.0)
        shade_vacuous(ax, instance, data, keys, font, finite)
        decades(ax.xaxis, *x)
        decades(ax.yaxis, *ax.get_ylim())
        hidden = int(np.isnan(lines[1]).sum())
        note = f" ({hidden} of {n.size} means \N{LESS-THAN OR EQUAL TO} 0, not shown)" if hidden else ""
        ax.set_xlabel(axis_of(instance) + note, parse_math=False)
        ax.set_ylabel(f"bound / measured {word_of(instance)}")
        title(ax, f"{claim_id}: {instance.learner} on {instance.model}", size)
        return finish(figure, keys)
