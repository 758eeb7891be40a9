"""Random zero-sum matrix games: m rows, n columns, payoffs of the row player uniform in [0, 1].

Drawn by a counter-based generator from `seed` alone, row by row [derived]. They stand in for the stage games of
sokota2023, which are not public.
"""

from __future__ import annotations

import numpy as np

from theorylab.family import Family, Published
from theorylab.games.matrix import MatrixGame
from theorylab.parameters import integer, room

__all__ = ["family"]


def build(m: int = 20, n: int = 30, seed: int = 0) -> MatrixGame:
    """The game."""
    rows = integer("random-matrix", "m", m, 1)
    columns = integer("random-matrix", "n", n, 1)
    seed = integer("random-matrix", "seed", seed, 0, 2**64 - 1)
    room("random-matrix", "the payoffs", rows, columns, mend="choose fewer rows or columns")
    row = np.random.Generator(np.random.Philox(key=seed)).random((rows, columns))
    return MatrixGame(row, name=f"random-matrix-{rows}x{columns}-{seed}")


family = Family(
    name="random-matrix",
    build=build,
    setting="matrix-game",
    source_tag="derived",
    text="Random zero-sum matrix games, payoffs uniform in [0, 1] from a seed.",
    tags=("zero-sum",),
    published=(
        Published(
            name="random-matrix-20x30",
            params={"m": 20, "n": 30, "seed": 0},
            digest="d2f478ea5a6cb5bc",
            known={
                "value": "0.4909537955",
                "uniform_value": "0.5136328640",
                "uniform_exploitability": "0.1156733423",
            },
            text="Twenty rows, thirty columns, seed 0.",
        ),
    ),
)
