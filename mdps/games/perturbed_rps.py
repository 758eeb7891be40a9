"""Perturbed rock-paper-scissors, payoffs mapped to [0, 1].

    variant "code"      row payoffs ((0,-3,3), (3,0,-1), (-3,1,0)), as the experiments of sokota2023 run it
    variant "figure"    row payoffs ((0,-1,3), (1,0,-3), (-3,3,0)), as a figure of sokota2023 prints it

Each is taken to (x + 3) / 6, the column player gets minus that; so the value is 1/2 for the row player. Equilibria in
the order rock, paper, scissors: code (1, 3, 3) / 7, figure (3, 3, 1) / 7 [derived]. Source: sokota2023, text and
public code [source].
"""

from __future__ import annotations

import numpy as np

from theorylab.family import Family, Published
from theorylab.games.matrix import MatrixGame
from theorylab.parameters import choice

__all__ = ["MATRICES", "family"]

#: row payoffs by variant, before they are mapped to [0, 1]
MATRICES = {"code": ((0, -3, 3), (3, 0, -1), (-3, 1, 0)), "figure": ((0, -1, 3), (1, 0, -3), (-3, 3, 0))}


def build(variant: str = "code") -> MatrixGame:
    """The game of variant "code" or "figure"."""
    name = choice("perturbed-rps", "variant", variant, MATRICES)
    row = (np.array(MATRICES[name], dtype=float) + 3.0) / 6.0
    return MatrixGame(row, -row, name=f"perturbed-rps-{name}")


def _published(variant: str, digest: str, text: str) -> Published:
    known = {"value": "0.5", "uniform_value": "0.5", "uniform_exploitability": "0.1111111111"}
    return Published(
        name=f"perturbed-rps-{variant}", params={"variant": variant}, digest=digest, known=known, text=text
    )


family = Family(
    name="perturbed-rps",
    build=build,
    setting="matrix-game",
    cite="sokota2023",
    source_tag="source",
    text="Perturbed rock-paper-scissors, payoffs in [0, 1], as coded or as printed; zero-sum, value 1/2.",
    tags=("zero-sum",),
    published=(
        _published("code", "4592c4b5fd819edb", "The matrix of the experiments."),
        _published("figure", "5b21fe2cb09f90b6", "The matrix of the figure."),
    ),
)
