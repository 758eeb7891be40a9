"""Gymnasium's CliffWalking as a tabular model: from one corner of a 4 x 12 grid to the other along a cliff.

States 0..47 row by row, actions up, right, down, left; a step costs 1, a step off the cliff costs 100 and leads back
to the start (state 36); the goal (state 47) absorbs. P (48,4,48), r (48,4), range [-100, 0]: for learners that need
rewards in [0, 1] use `rescale_rewards(model)`. Optimal return from the start: -13 if not slippery and H >= 13. The
table is read from the environment (CliffWalking-v1; Sutton and Barto, 2018, example 6.6) [source].
"""

from __future__ import annotations

from dataclasses import replace

from mdps.models._gymnasium import from_gymnasium
from theorylab.family import Family, Grid, Published
from theorylab.model import Criterion, FiniteHorizon, TabularMDP
from theorylab.parameters import flag


def build(is_slippery: bool = False, H: int = 100, criterion: Criterion | None = None) -> TabularMDP:
    """CliffWalking, episodes of H stages unless another `criterion` is given."""
    from gymnasium.envs.toy_text.cliffwalking import CliffWalkingEnv

    is_slippery = flag("cliff-walking", "is_slippery", is_slippery)
    env = CliffWalkingEnv(is_slippery=is_slippery)
    model = from_gymnasium(env, criterion=FiniteHorizon(H) if criterion is None else criterion)
    return replace(model, name="cliff-walking" + ("-slippery" if is_slippery else ""))


def grid(**_others: object) -> Grid:
    """Where the cells lie; the cliff is marked C, the goal G."""
    marks = {s: "C" for s in range(37, 47)} | {47: "G"}
    return Grid((4, 12), {s: divmod(s, 12) for s in range(48)}, "↑→↓←", marks)


family = Family(
    name="cliff-walking",
    build=build,
    setting="mdp",
    cite="sutton2018",
    source_tag="source",
    text="Gymnasium's CliffWalking-v1, episodic; rewards -1 and -100, the goal absorbs.",
    tags=("episodic", "grid"),
    published=(
        Published(
            name="cliff-walking-v1",
            params={},
            digest="c441b4be869209ca",
            known={"value": "-13", "gap": "1"},
            text="Not slippery, episodes of 100 steps.",
        ),
        Published(
            name="cliff-walking-slippery",
            params={"is_slippery": True},
            digest="8f883553742d1a44",
            known={"value": "-63.01337329"},
            text="Slippery (CliffWalkingSlippery-v1), episodes of 100 steps.",
        ),
    ),
    grid=grid,
)
