"""Gymnasium's FrozenLake as a tabular model: reach the goal without falling into a hole.

States 0..S-1 row by row (S = 16 or 64), actions left, down, right, up; holes and the goal absorb with reward 0, the
step into the goal earns 1. On slippery ice the intended direction has probability 1/3 and the two at right angles
(1-1/3)/2 each. P (S,4,S), r (S,4), rewards 0 or 1. Maps and law are those of FrozenLake-v1 [source]; they are held
here, as the last bits of the probabilities differ between versions of Gymnasium (1.1 has 1/3 three times) and a model
should not.

With `restarts` the model is no longer episodic: holes and goal lead back to the start, one step and reward 0, under the
criterion average reward (`mdps.models.with_restarts`) [derived]. All states are kept, and it communicates. Exact for
8x8, slippery: gain 3745545073 / 357490160200 = 0.0104773375, diameter 688.100260 steps (from the corner below the start
to the cell left of the goal), sum over states s of the largest minimal hitting time D_s = 5219.948.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mdps.models._grid import moves, read
from mdps.models._restarts import from_episodes
from theorylab.family import Family, Grid, Published
from theorylab.model import Criterion, TabularMDP
from theorylab.parameters import choice, flag

MAPS = {
    "4x4": ("SFFF", "FHFH", "FFFH", "HFFG"),
    "8x8": ("SFFFFFFF", "FFFFFFFF", "FFFHFFFF", "FFFFFHFF", "FFFHFFFF", "FHHFFFHF", "FHFFHFHF", "FFFHFFFG"),
}
SUCCESS = 1.0 / 3.0


@dataclass(frozen=True)
class _Table:
    """What `from_gymnasium` reads of an environment."""

    P: dict[int, dict[int, list[tuple[float, int, float, bool]]]]
    initial_state_distrib: Any


def _table(rows: tuple[str, ...], slippery: bool) -> _Table:
    layout = read("frozen-lake", rows)
    letters, target = "".join(rows), moves(layout)
    law = {1: (1.0 - SUCCESS) / 2.0, 0: SUCCESS, -1: (1.0 - SUCCESS) / 2.0} if slippery else {0: 1.0}
    P: dict[int, dict[int, list[tuple[float, int, float, bool]]]] = {}
    for s, letter in enumerate(letters):
        P[s] = {}
        for a in range(4):
            if letter in "GH":
                P[s][a] = [(1.0, s, 0.0, True)]
                continue
            # the lake's actions left, down, right, up are the grid's directions 3, 2, 1, 0
            ends = [(p, int(target[s, (3 - a + turn) % 4])) for turn, p in law.items()]
            P[s][a] = [(p, s2, float(letters[s2] == "G"), letters[s2] in "GH") for p, s2 in ends]
    return _Table(P, np.array([float(letter == "S") for letter in letters]))


def _rows(map_name: str) -> tuple[str, ...]:
    return MAPS[choice("frozen-lake", "map_name", map_name, MAPS)]


def build(
    map_name: str = "4x4",
    is_slippery: bool = True,
    H: int | None = None,
    criterion: Criterion | None = None,
    restarts: bool = False,
) -> TabularMDP:
    """FrozenLake on the map "4x4" or "8x8": episodes of H stages (100 if H is None) unless a `criterion` is given.

    With `restarts` one trajectory goes on for ever, with average reward unless another `criterion` is given.

    Raises:
        InputError: an unknown map, or `restarts` with H.
    """
    rows, slippery = _rows(map_name), flag("frozen-lake", "is_slippery", is_slippery)
    model = from_episodes("frozen-lake", lambda: _table(rows, slippery), H, 100, criterion, restarts)
    ending = ("" if is_slippery else "-dry") + ("-restarts" if restarts else "")
    return replace(model, name=f"frozen-lake-{map_name}{ending}")


def grid(map_name: str = "4x4", **_others: object) -> Grid:
    """Where the cells lie; holes are marked H, the goal G."""
    rows = _rows(map_name)
    layout = read("frozen-lake", rows)
    marks = {s: letter for s, letter in enumerate("".join(rows)) if letter in "GH"}
    return Grid(layout.states.shape, layout.picture({}).cells, "←↓→↑", marks)


family = Family(
    name="frozen-lake",
    build=build,
    setting="mdp",
    cite="towers2024gymnasium",
    source_tag="source",
    text="Gymnasium's FrozenLake-v1 on the map 4x4 or 8x8: episodic, holes and the goal absorb; or with restarts.",
    tags=("episodic", "grid"),
    published=(
        Published(
            name="frozen-lake-4x4",
            params={},
            digest="025562d51e766ae5",
            known={"value": "0.7441902878"},
            text="Slippery, episodes of 100 steps as registered in Gymnasium.",
        ),
        Published(
            name="frozen-lake-8x8",
            params={"map_name": "8x8", "H": 200},
            digest="024bfb948aa92c49",
            known={"value": "0.9132201502"},
            text="Slippery, episodes of 200 steps as registered in Gymnasium (FrozenLake8x8-v1).",
        ),
        Published(
            name="frozen-lake-4x4-dry",
            params={"is_slippery": False},
            digest="fc77b2a8a35cbbf7",
            known={"value": "1", "gap": "1"},
            text="Not slippery, episodes of 100 steps.",
        ),
        Published(
            name="frozen-lake-8x8-restarts",
            params={"map_name": "8x8", "restarts": True},
            digest="d82a857c87412f57",
            known={"bias_span": "0.8523177053", "diameter": "688.100260", "gap": "0.0009233531382"},
            tag="derived",
            text="Slippery, one trajectory without end: holes and goal lead back to the start. Gain 0.0104773375.",
        ),
    ),
    grid=grid,
)
