"""Models whose total reward in an episode is at most 1, and the assumption that says so."""

from __future__ import annotations

from typing import Any

import numpy as np

from mdps.models._rescale import rescale_rewards
from theorylab.assume import Assumption
from theorylab.criteria import BERNOULLI, FiniteHorizon
from theorylab.model import TabularMDP
from theorylab.registry import find_model

__all__ = ["largest_total", "scaled", "stopping", "total_reward_at_most_one"]


def stopping(S: int, H: int, seed: int) -> TabularMDP:
    """Optimal stopping: action 0 stops, earns Bernoulli(r(s)) and closes, action 1 moves on to one of two states.

    States 0..S-2 are open, S-1 is closed for good. Rewards other than the one for stopping are 0. Starts anywhere open;
    from state 0 action 1 leads to one state for sure.
    """
    rng = np.random.Generator(np.random.Philox(seed))
    P, r, mu0 = np.zeros((S, 2, S)), np.zeros((S, 2)), np.full(S, 1.0 / (S - 1))
    for s in range(S - 1):
        ahead = rng.choice(S - 1, size=2, replace=False)
        P[s, 1, ahead[0]] = chance = rng.uniform(0.2, 0.8) if s > 0 else 1.0
        P[s, 1, ahead[1]] = 1.0 - chance
    P[:, 0, S - 1] = P[S - 1, 1, S - 1] = 1.0
    r[: S - 1, 0] = np.linspace(0.1, 0.9, S - 1)
    mu0[S - 1] = 0.0
    return TabularMDP(P=P, r=r, mu0=mu0, criterion=FiniteHorizon(H), reward_law=BERNOULLI, name=f"stopping-{S}-{seed}")


def scaled(family: str, **params: Any) -> TabularMDP:
    """A model of a family with rewards in [0, 1], divided by its horizon: values are those of the family over H."""
    model = find_model(family)(**params)
    return rescale_rewards(model, low=0.0, high=float(model.H))


def largest_total(model: TabularMDP) -> float:
    """The largest total reward that any path of H stages can earn with positive probability, from any state."""
    P = model.dense()
    top = np.where(model.r > 0, 1.0, 0.0) if model.reward_law.kind == "bernoulli" else model.r
    total = np.zeros(model.S)
    for h in range(model.H - 1, -1, -1):
        law = P[h] if model.stage_dependent else P
        total = (top + np.where(law > 0, total, -np.inf).max(axis=-1)).max(axis=-1)
    return float(total.max())


def _at_most_one(model: Any) -> str | None:
    if not isinstance(model, TabularMDP) or not isinstance(model.criterion, FiniteHorizon):
        return "the model is no TabularMDP in episodes"
    if model.reward_law.kind == "gaussian":
        return "rewards are gaussian, hence unbounded"
    total = largest_total(model)
    return None if total <= 1.0 + 1e-12 else f"an episode can earn {total:g}, above 1"


total_reward_at_most_one = Assumption(
    "total reward at most 1", "the rewards of an episode add up to at most 1, from every state", _at_most_one
)
