"""Kill matrices: planted faults of a learner against the claims that were put to them.

A cell says whether the claim caught the fault: as a property (full square), as a step that repeats a formula of the
learner (half square: the weaker witness), not at all (open square), or that it was not run (no square). The shapes
differ, so that it reads in grey. The number at the right counts the properties that caught a fault, "none" says that
nothing did. The size gives the width; the height grows with the faults, on slides only where they do not fit. Claims
that would need letters below 6 pt side by side stand in several panels, one above the other.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from theorylab.evidence import Evidence
from theorylab.figure_style import (
    BLUE,
    DARK,
    DPI,
    LEAST,
    SIZES,
    VERMILLION,
    drawable,
    finish,
    legend_columns,
    paper_style,
)
from theorylab.kills import CAUGHT, COPIED, MISSED, kill_table

__all__ = ["kill_figure"]

SHARE = 0.85  # of a cell that its letters take
HALF = ((-0.5, -0.5), (-0.5, 0.5), (0.5, -0.5))
FRAMES = {CAUGHT: BLUE, COPIED: "none", MISSED: "#9A9A9A"}


def kill_figure(claims: Sequence[Evidence], *, name: str, size: str = "neurips") -> Figure:
    """The matrix of claims on one learner, named in the title. Raises InputError as `kill_table`, or for the size."""
    table = kill_table(claims)
    faults, ids = table.pop("fault"), list(table)
    with paper_style(size):
        width, height, font = SIZES[size]
        small = max(min(0.92 * font, 12.0), LEAST)
        left = min(0.36 * width, 0.0075 * small * max(len(f) for f in faults) + 0.1)  # inches, as all below
        room, narrow = width - left - 0.4, LEAST / 72 / SHARE
        panels = math.ceil(len(ids) / int(room / narrow))
        each = math.ceil(len(ids) / panels)
        cell = min(room / each, 0.025 * font)
        text = textwrap.wrap(drawable(f"{name}: planted faults against claims"), int(110 * width / font))
        keys = _legend(0.75 * font)
        across = legend_columns([str(key.get_label()) for key in keys], size, 4)
        around = 1.3 * font / 72 * (len(text) + math.ceil(len(keys) / across) + 1)
        row = min(cell, max((height - around - 0.8) / len(faults), 0.12) if size == "slides" else 0.2)
        letters = max(min(small, 72 * SHARE * min(cell, row)), LEAST)
        shorts = [_short(drawable(i.partition(".")[2] or i), 26) for i in ids]
        head = 0.0078 * letters * max(len(s) for s in shorts) + 0.1
        tall = max(panels * (row * len(faults) + head) + around, 0.5 * height)
        # at a coarse resolution small letters are narrower than in the files, and the layout would clip them
        figure = Figure(figsize=(width, tall), dpi=DPI, layout="constrained")
        longest = int(left / (0.0066 * letters))
        names = [_short(drawable(f), longest) for f in faults]
        for k, ax in enumerate(figure.subplots(panels, 1, squeeze=False)[:, 0]):
            part = slice(k * each, (k + 1) * each)
            ax.set(xlim=(-0.5, each - 0.5), ylim=(len(faults) - 0.5, -0.5))
            _cells(ax, {i: table[i] for i in ids[part]}, 72 * 0.76 * min(cell, row))
            ax.set_xticks(range(len(ids[part])), shorts[part], rotation=90, fontsize=letters, parse_math=False)
            ax.xaxis.tick_top()
            ax.set_yticks(range(len(faults)), names, fontsize=letters, parse_math=False)
            ax.tick_params(length=0, pad=2)
            for side in ("top", "right", "left", "bottom"):
                ax.spines[side].set_visible(False)
            _counts(ax, faults, table, each, letters)
        figure.suptitle("\n".join(text), x=0.01, ha="left", fontsize=font, parse_math=False)
        return finish(figure, keys, across, 1.2)


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "\N{HORIZONTAL ELLIPSIS}"


def _mark(what: str, side: float, **more: Any) -> dict[str, Any]:
    """A marker as wide as `side` points."""
    line = dict(linestyle="none", markersize=side, markeredgewidth=0.06 * side, markeredgecolor=FRAMES[what], **more)
    return {**line, "marker": HALF if what == COPIED else "s", "markerfacecolor": "white" if what == MISSED else BLUE}


def _cells(ax: Any, table: dict[str, list[str]], side: float) -> None:
    for what in (CAUGHT, COPIED, MISSED):
        at = [(j, i) for j, column in enumerate(table.values()) for i, cell in enumerate(column) if cell == what]
        if at:
            x, y = zip(*at, strict=True)
            if what == COPIED:
                ax.plot(x, y, **_mark(MISSED, side))
            ax.plot(x, y, **_mark(what, side))


def _counts(ax: Any, faults: list[str], table: dict[str, list[str]], columns: int, letters: float) -> None:
    """At the right of a panel, of all panels together: how many properties caught a fault."""
    for i in range(len(faults)):
        cells = [column[i] for column in table.values()]
        count, alive = cells.count(CAUGHT), not {CAUGHT, COPIED} & set(cells)
        ax.annotate(
            "none" if alive else str(count), xy=(columns - 0.5, i), xytext=(3, 0), textcoords="offset points",
            va="center", ha="left", fontsize=letters, color=VERMILLION if alive else DARK,
            fontweight="bold" if alive else "normal", annotation_clip=False,
        )  # fmt: skip


def _legend(side: float) -> list[Any]:
    return [
        Line2D([], [], label="caught by a property", **_mark(CAUGHT, side)),
        Line2D([], [], label="caught by a repeated formula", **_mark(COPIED, side)),
        Line2D([], [], label="not caught", **_mark(MISSED, side)),
        Line2D([], [], linestyle="none", label="no square: not run"),
        Line2D([], [], linestyle="none", label="number: properties that caught the fault"),
    ]
