"""E-values over the runs of a ledger: the product after each run, with the ends of the runs marked.

log10 of the supporting and of the refuting e-value of a claim after each run, joined as `theorylab.ledger` joins them:
products over runs, of several instances the least of the supporting ones and the mean of the refuting ones. The
horizontal axis counts replicates, a dotted line stands at the end of each run. Valid after every run at once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from matplotlib import ticker
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from theorylab.figure_kinds import Drawing
from theorylab.figure_paths import SIDES, STYLES
from theorylab.figure_style import DARK, SIZES, finish, paper_style, title
from theorylab.ledger import Joined
from theorylab.table import clean, number

__all__ = ["ledger_drawing", "ledger_figure", "ledger_table"]

#: e-values at which the claim is supported or refuted, as in `theorylab.ledger.accumulate`
PASSES = {"support": 100.0, "refute": 1000.0}
#: ends of runs are marked by lines up to this many
LINES = 40


def ledger_table(joined: Sequence[Joined]) -> dict[str, list[Any]]:
    """Columns run, replicates (so far), log10_e_support, log10_e_refute; -inf where an e-value is 0."""
    out: dict[str, list[Any]] = {
        "run": [float(k) for k in range(1, len(joined) + 1)],
        "replicates": [float(j.replicates) for j in joined],
    }
    for side in SIDES:
        out[f"log10_e_{side}"] = [float(getattr(j, f"log_e_{side}")) / math.log(10.0) for j in joined]
    return out


def ledger_figure(joined: Sequence[Joined], *, size: str = "neurips") -> Figure:
    """The e-values of a claim over its runs, from 1 before the first. Raises InputError for an unknown size."""
    table = {k: np.array(v) for k, v in ledger_table(joined).items()}
    with paper_style(size):
        width, height, font = SIZES[size]
        figure = Figure(figsize=(width, height), layout="constrained")
        ax = figure.add_subplot()
        floor = -2.0 * math.log10(PASSES["refute"])
        n, keys, seen = np.concatenate([[0.0], table["replicates"]]), [], [0.0]
        for side, (colour, verb) in SIDES.items():
            edge = math.log10(PASSES[side])
            values = np.concatenate([[0.0], table[f"log10_e_{side}"]])
            shown = np.where(np.isfinite(values), values, np.nan)
            marker = "o" if side == "support" else "s"
            own: dict[str, Any] = dict(color=colour, linestyle=STYLES[side], marker=marker, markersize=0.45 * font)
            ax.plot(n, shown, markevery=slice(1, None), **own)
            ax.axhline(edge, color=colour, linewidth=0.08 * font, linestyle=STYLES[side], zorder=1)
            label = f"{verb} the claim; passes at {number(PASSES[side])}"
            keys.append(Line2D([], [], **own, label=label))
            seen += [edge, *shown[np.isfinite(shown)]]
        low, high = max(min(seen), floor), max(seen)
        pad = 0.06 * (high - low)
        ax.set(ylim=(low - pad, high + pad), xlim=(0.0, 1.03 * n[-1]))
        ends: dict[str, Any] = dict(color=DARK, linewidth=0.08 * font, linestyle=(0, (1, 1.6)))
        if len(joined) <= LINES:
            for at in table["replicates"]:
                ax.axvline(at, zorder=0, **ends)
        keys.append(Line2D([], [], label="end of a run", **ends))
        ax.axhline(0.0, color=DARK, linewidth=0.06 * font, zorder=0)
        ax.yaxis.set_major_locator(ticker.MaxNLocator(6, integer=True))
        ax.set_xlabel("replicates of all runs")
        ax.set_ylabel(r"$\log_{10}$ e-value" + (", cut below" if min(seen) < floor else ""))
        last, runs = joined[-1], f"{len(joined)} run{'' if len(joined) == 1 else 's'}"
        title(ax, f"{last.claim}: {last.verdict} over {runs}", size)
        return finish(figure, keys, 1 if size == "icml" else 2)


def _draw(joined: Sequence[Joined], size: str) -> Figure:
    return ledger_figure(joined, size=size)


def ledger_drawing(claim: str, joined: Sequence[Joined], anchor: str) -> Drawing:
    """The drawing of a claim's runs."""
    text = clean(f"{claim}: {joined[-1].verdict}. Products of e-values after each of {len(joined)} runs.")
    name = f"{anchor}-runs"
    return Drawing("e-path", name, text, claim, partial(ledger_table, joined), partial(_draw, joined))
