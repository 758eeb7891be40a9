"""Grid worlds: cells, moves, slips, and the entries of P.

A layout is a list of strings of one length; '#' is a wall, any other character a free cell. States are the free cells
row by row. Actions 0..3 are up, right, down, left; a move into a wall or out of the grid stays. With probability
`slip`

    "uniform"    the direction is drawn anew, uniformly over the four (the intended one included);
    "sideways"   the direction is one of the two at right angles, each with probability slip / 2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from theorylab.errors import InputError
from theorylab.family import Grid
from theorylab.parameters import choice, number

__all__ = ["ARROWS", "Layout", "moves", "read", "transitions"]

ARROWS = "↑→↓←"
STEPS = ((-1, 0), (0, 1), (1, 0), (0, -1))
SLIPS = ("uniform", "sideways")

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Layout:
    """The free cells of a grid.

    Attributes:
        rows: the strings, top row first.
        cells: int64 (S,2), row and column of each state.
        states: int64 (rows, columns), state of each cell, -1 on walls.
    """

    rows: tuple[str, ...]
    cells: Ints
    states: Ints

    @property
    def S(self) -> int:
        """Number of free cells."""
        return int(self.cells.shape[0])

    def marked(self, character: str) -> Ints:
        """States of the cells that carry `character`, ascending."""
        text = np.array([list(row) for row in self.rows])
        return np.sort(self.states[(text == character) & (self.states >= 0)])

    def picture(self, marks: Mapping[int, str]) -> Grid:
        """Where the states lie; arrows are those of actions 0..3."""
        cells = {s: (int(i), int(j)) for s, (i, j) in enumerate(self.cells)}
        return Grid(shape=(len(self.rows), len(self.rows[0])), cells=cells, arrows=ARROWS, marks=dict(marks))


def read(family: str, rows: Sequence[str]) -> Layout:
    """The free cells of `rows`; refuses a layout that is empty, ragged, or walls only."""
    lines = tuple(rows) if isinstance(rows, Sequence) else ()
    if not lines or not all(isinstance(line, str) and line for line in lines):
        raise InputError(f"{family}: the layout is {rows!r}; give strings of one length, top row first")
    for i, line in enumerate(lines):
        if len(line) != len(lines[0]):
            raise InputError(f"{family}: row {i} of the layout has {len(line)} cells, row 0 has {len(lines[0])}")
    free = np.array([[c != "#" for c in line] for line in lines])
    if not free.any():
        raise InputError(f"{family}: the layout has no free cell; every character but '#' is one")
    states = np.where(free, np.cumsum(free).reshape(free.shape) - 1, -1)
    return Layout(lines, np.argwhere(free), states)


def moves(layout: Layout) -> Ints:
    """int64 (S,4): the cell that each direction leads to; the cell itself where the move is blocked."""
    height, width = layout.states.shape
    here = np.arange(layout.S)
    out = np.empty((layout.S, 4), dtype=np.int64)
    for d, (di, dj) in enumerate(STEPS):
        i, j = layout.cells[:, 0] + di, layout.cells[:, 1] + dj
        inside = (i >= 0) & (i < height) & (j >= 0) & (j < width)
        there = layout.states[np.clip(i, 0, height - 1), np.clip(j, 0, width - 1)]
        out[:, d] = np.where(inside & (there >= 0), there, here)
    return out


def transitions(family: str, target: Ints, slip: float, kind: str) -> tuple[Ints, Ints, NDArray[np.float64]]:
    """Entries (row s*4+a, successor, probability) of P for the moves `target` (S,4); several may share a place."""
    slip = number(family, "slip", slip, 0.0, 1.0)
    choice(family, "slip_kind", kind, SLIPS)
    S = target.shape[0]
    state, action = np.repeat(np.arange(S), 4), np.tile(np.arange(4), S)
    row = state * 4 + action
    turns = [(0, 1 - slip)]
    turns += [(k, slip / 4) for k in range(4)] if kind == "uniform" else [(1, slip / 2), (3, slip / 2)]
    cols = [target[state, (action + k) % 4] for k, _ in turns]
    return np.tile(row, len(turns)), np.concatenate(cols), np.repeat([p for _, p in turns], row.size)
