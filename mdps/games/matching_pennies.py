"""Matching pennies: two coins, the row player wins 1 if they agree, else the column player.

Payoffs of the row player ((1, -1), (-1, 1)); value 0, both mix evenly [derived].
"""

from __future__ import annotations

import numpy as np

from theorylab.family import Family, Published
from theorylab.games.matrix import MatrixGame

__all__ = ["family"]


def build() -> MatrixGame:
    """The game."""
    return MatrixGame(np.array([[1.0, -1.0], [-1.0, 1.0]]), name="matching-pennies")


family = Family(
    name="matching-pennies",
    build=build,
    setting="matrix-game",
    source_tag="derived",
    text="Matching pennies: payoffs 1 and -1, value 0; zero-sum.",
    tags=("zero-sum",),
    published=(
        Published(
            name="matching-pennies-2x2",
            params={},
            digest="064d12a63093afb8",
            known={"value": "0", "uniform_value": "0", "uniform_exploitability": "0"},
            text="Both mix evenly.",
        ),
    ),
)
