"""Gymnasium's FrozenLake as a tabular model: reach the goal without falling into a hole.

States 0..S-1 row by row (S = 16 or 64), actions left, down, right, up; holes and the goal absorb with reward 0, the
step into the goal earns 1. On slippery ice the three directions that are not opposite are equally likely. P (S,4,S),
r (S,4), rewards 0 or 1. The table is read from the environment (FrozenLake-v1) [source].
"""

from __future__ import annotations

from dataclasses import replace

from mdps.models._gymnasium import from_gymnasium
from theorylab.errors import InputError
from theorylab.family import Family
from theorylab.model import Criterion, FiniteHorizon, TabularMDP

MAPS = ("4x4", "8x8")


def build(
    map_name: str = "4x4", is_slippery: bool = True, H: int = 100, criterion: Criterion | None = None
) -> TabularMDP:
    """FrozenLake on the map "4x4" or "8x8", episodes of H stages unless another `criterion` is given.

    Raises:
        InputError: an unknown map.
    """
    if map_name not in MAPS:
        raise InputError(f"frozen-lake: unknown map '{map_name}'; known: {', '.join(MAPS)}")
    from gymnasium.envs.toy_text.frozen_lake import FrozenLakeEnv

    env = FrozenLakeEnv(map_name=map_name, is_slippery=is_slippery)
    model = from_gymnasium(env, criterion=FiniteHorizon(H) if criterion is None else criterion)
    return replace(model, name=f"frozen-lake-{map_name}" + ("" if is_slippery else "-dry"))


family = Family(
    name="frozen-lake",
    build=build,
    setting="mdp",
    cite="towers2024gymnasium",
    source_tag="source",
    text="Gymnasium's FrozenLake-v1 on the map 4x4 or 8x8, episodic; holes and the goal absorb.",
    tags=("episodic",),
)
