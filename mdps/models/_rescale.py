"""An affine map of rewards to [0, 1], for theorems stated on that range: x -> (x - low) / (high - low)."""

from __future__ import annotations

from dataclasses import replace

from theorylab.criteria import HUGE
from theorylab.errors import InputError
from theorylab.model import RewardLaw, ShortestPath, TabularMDP
from theorylab.parameters import number

__all__ = ["rescale_rewards"]


def rescale_rewards(model: TabularMDP, low: float | None = None, high: float | None = None) -> TabularMDP:
    """The model with rewards mapped affinely to [0, 1]: x -> (x - low) / (high - low).

    `low` and `high` (units of reward) default to the declared range, and must contain it. Values of the result
    are those of the model, minus `low` a step, divided by high - low; policies keep their order.

    Raises:
        InputError: an empty range, a declared range that would leave [0, 1], or a shortest-path criterion with
            low != 0, where a shift of the rewards changes which policies are optimal.
    """
    if not isinstance(model, TabularMDP):
        raise InputError(f"rescale_rewards: got {type(model).__name__}; give a TabularMDP")
    law = model.reward_law
    a = law.low if low is None else number("rescale_rewards", "low", low, -HUGE, HUGE)
    b = law.high if high is None else number("rescale_rewards", "high", high, -HUGE, HUGE)
    if a >= b:
        raise InputError(f"rescale_rewards: [{a}, {b}] is not a range; give finite low < high")
    if law.low < a or law.high > b:
        raise InputError(
            f"rescale_rewards: the declared range [{law.low}, {law.high}] is not inside [{a}, {b}]; widen low, high"
        )
    if law.kind == "bernoulli":
        if (a, b) != (0.0, 1.0):
            raise InputError("rescale_rewards: bernoulli rewards are 0 or 1 already; leave low=0, high=1")
        return model
    if isinstance(model.criterion, ShortestPath) and a != 0:
        raise InputError(f"rescale_rewards: a shift by {a} changes a shortest-path problem; use low=0")
    return replace(model, r=(model.r - a) / (b - a), reward_law=RewardLaw(law.kind, 0.0, 1.0, law.sd / (b - a)))
