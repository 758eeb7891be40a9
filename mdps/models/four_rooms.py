"""Four rooms: 9 x 9 cells cut by walls into four rooms that are joined by doors, 68 free cells.

    ....#....
    ....#....
    .........
    ....#....
    #.####.##
    ....#....
    ....#....
    .........
    ....#....

States are the free cells row by row; actions 0..3 are up, right, down, left. With probability `slip` the direction is
drawn anew, uniformly over the four; a blocked move stays. The start is the first cell. P (68,4,68), or CSR (272,68)
with `sparse=True`; r (68,4).

The source is free of rewards: r = 0. With `reward` x > 0 every action in the last cell (bottom right) earns x. Layout:
the reference runs on sample collection, in the spirit of Tarbouriech et al. (2021), whose own grid is not public
[derived].

Exact: diameter 17.845603 and sum over states s of the largest minimal hitting time D_s = 1001.5837 for slip .1; 16 and
898 for slip 0.
"""

from __future__ import annotations

from mdps.models._grid import moves, read, transitions
from mdps.models._rows import assemble
from theorylab.family import Family, Grid, Published
from theorylab.model import AVERAGE_REWARD, Criterion, TabularMDP
from theorylab.parameters import number

ROWS = (
    "....#....",
    "....#....",
    ".........",
    "....#....",
    "#.####.##",
    "....#....",
    "....#....",
    ".........",
    "....#....",
)


def build(
    slip: float = 0.1, reward: float = 0.0, criterion: Criterion = AVERAGE_REWARD, sparse: bool = False
) -> TabularMDP:
    """The four rooms with 0 <= slip <= 1 and 0 <= reward <= 1 in the last cell."""
    layout = read("four-rooms", ROWS)
    row, col, p = transitions("four-rooms", moves(layout), slip, "uniform")
    x = number("four-rooms", "reward", reward, 0.0, 1.0)
    return TabularMDP(
        P=assemble("four-rooms", layout.S, 4, row, col, p, sparse),
        r=[[0.0] * 4] * (layout.S - 1) + [[x] * 4],  # type: ignore[arg-type]
        criterion=criterion,
        name=f"four-rooms-{slip:g}" + (f"-reward{x:g}" if x else ""),
    )


def grid(**_others: object) -> Grid:
    """Where the cells lie."""
    return read("four-rooms", ROWS).picture({})


family = Family(
    name="four-rooms",
    build=build,
    setting="mdp",
    cite="tarbouriech2021",
    source_tag="derived",
    text="Four rooms of 68 cells, slips uniform over the directions, no rewards: diameter 17.845603 for slip .1.",
    tags=("communicating", "average", "reward-free", "grid"),
    published=(
        Published(
            name="four-rooms-0.1",
            params={},
            digest="3a2b74fc73b9bd08",
            known={"diameter": "17.845603"},
            text="Slip .1.",
        ),
        Published(
            name="four-rooms-0",
            params={"slip": 0.0},
            digest="c73a62c82875dcca",
            known={"diameter": "16"},
            text="No slip.",
        ),
    ),
    grid=grid,
)
