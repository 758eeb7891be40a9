"""A corridor of 2 rows by 12 columns.

States row by row; actions 0..3 are up, right, down, left. With probability `slip` the direction is drawn anew,
uniformly over the four; a blocked move stays. The start is the first cell. P (S,4,S), r (S,4).

The source is free of rewards: r = 0. With `reward` x > 0 every action in the last cell (bottom right) earns x. Layout:
the reference runs on sample collection, in the spirit of Tarbouriech et al. (2021), whose own corridor is not public
[derived].

Exact for 2 x 12, slip .1: diameter 13.053487, sum over states s of the largest minimal hitting time D_s = 248.1951.
"""

from __future__ import annotations

from mdps.models._grid import Layout, moves, read, transitions
from mdps.models._rows import assemble
from theorylab.family import Family, Grid, Published
from theorylab.model import AVERAGE_REWARD, Criterion, TabularMDP
from theorylab.parameters import integer, number, room


def _layout(rows: int, length: int) -> Layout:
    rows, length = integer("corridor", "rows", rows, 1), integer("corridor", "length", length, 1)
    room("corridor", "P", rows * length, 4, rows * length)
    return read("corridor", ["." * length] * rows)


def build(
    rows: int = 2, length: int = 12, slip: float = 0.1, reward: float = 0.0, criterion: Criterion = AVERAGE_REWARD
) -> TabularMDP:
    """The corridor of `rows` by `length` cells, 0 <= slip <= 1, 0 <= reward <= 1 in the last cell."""
    layout = _layout(rows, length)
    row, col, p = transitions("corridor", moves(layout), slip, "uniform")
    x = number("corridor", "reward", reward, 0.0, 1.0)
    return TabularMDP(
        P=assemble("corridor", layout.S, 4, row, col, p, False),
        r=[[0.0] * 4] * (layout.S - 1) + [[x] * 4],  # type: ignore[arg-type]
        criterion=criterion,
        name=f"corridor-{rows}x{length}-{slip:g}" + (f"-reward{x:g}" if x else ""),
    )


def grid(rows: int = 2, length: int = 12, **_others: object) -> Grid:
    """Where the cells lie."""
    return _layout(rows, length).picture({})


family = Family(
    name="corridor",
    build=build,
    setting="mdp",
    cite="tarbouriech2021",
    source_tag="derived",
    text="A corridor of 2 by 12 cells with uniform slips and no rewards: diameter 13.053487 for slip .1.",
    tags=("communicating", "average", "reward-free", "grid"),
    published=(
        Published(
            name="corridor-2x12-0.1",
            params={},
            digest="f7740d74ca03fa58",
            known={"diameter": "13.053487"},
            text="Slip .1.",
        ),
    ),
    grid=grid,
)
