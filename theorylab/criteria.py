"""What is optimised (criteria) and how rewards fall around their means (reward laws).

Definitions are the textbook's (Puterman, Markov Decision Processes, 1994) [recalled]; see `theorylab.model`.
"""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass
from numbers import Real
from typing import Any, TypeAlias

import numpy as np

from theorylab.errors import InputError

__all__ = [
    "AVERAGE_REWARD",
    "BERNOULLI",
    "DETERMINISTIC",
    "AverageReward",
    "Criterion",
    "Discounted",
    "FiniteHorizon",
    "RewardLaw",
    "ShortestPath",
]

HUGE = 1e100  # rewards beyond it leave no room for sums and squares in float64


def _integer(value: Any, what: str, low: int) -> int:
    try:
        if isinstance(value, (bool, np.bool_)):
            raise TypeError
        number = operator.index(value)
    except TypeError:
        raise InputError(f"{what} is {value!r}; it must be an integer >= {low}") from None
    if number < low:
        raise InputError(f"{what} is {number}; it must be an integer >= {low}")
    return number


def _number(value: Any, what: str) -> float:
    """`value` as a finite float; no texts and no truth values."""
    try:
        if isinstance(value, bool) or not isinstance(value, Real):
            raise TypeError
        number = float(value)
    except (TypeError, OverflowError):
        raise InputError(f"{what} is {value!r}; give a finite number") from None
    if not math.isfinite(number):
        raise InputError(f"{what} is {number}; give a finite number")
    return number + 0.0  # -0.0 becomes 0.0, so that equal records have equal texts


@dataclass(frozen=True)
class FiniteHorizon:
    """Episodes of H stages (H >= 1); value is the expected sum of H rewards."""

    H: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "H", _integer(self.H, "FiniteHorizon: H", 1))


@dataclass(frozen=True)
class Discounted:
    """Discounted sum of rewards, with 0 <= gamma < 1."""

    gamma: float

    def __post_init__(self) -> None:
        gamma = _number(self.gamma, "Discounted: gamma")
        if gamma >= 1:
            raise InputError(
                f"Discounted: gamma is {gamma}; it must be below 1: use AverageReward() or FiniteHorizon(H) "
                "for undiscounted problems"
            )
        if gamma < 0:
            raise InputError(f"Discounted: gamma is {gamma}; it must be in [0, 1)")
        object.__setattr__(self, "gamma", gamma)


@dataclass(frozen=True)
class AverageReward:
    """Long-run average reward per step."""


@dataclass(frozen=True)
class ShortestPath:
    """Sum of rewards until the state `goal` is entered."""

    goal: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "goal", _integer(self.goal, "ShortestPath: goal", 0))


Criterion: TypeAlias = FiniteHorizon | Discounted | AverageReward | ShortestPath


@dataclass(frozen=True)
class RewardLaw:
    """The law of a reward given its mean.

    Attributes:
        kind: "deterministic" (the mean itself), "bernoulli" (1 with probability the mean, else 0) or "gaussian"
            (normal around the mean with standard deviation `sd`).
        low, high: declared range, in units of reward. Means must lie in it; so do rewards, unless gaussian.
            A bernoulli law has range [0, 1].
        sd: standard deviation of a gaussian reward, in units of reward; 0 for the other kinds.

    Raises:
        InputError: unknown kind, empty or infinite range, or an `sd` that does not fit the kind.
    """

    kind: str
    low: float = 0.0
    high: float = 1.0
    sd: float = 0.0

    def __post_init__(self) -> None:
        if not isinstance(self.kind, str) or self.kind not in ("deterministic", "bernoulli", "gaussian"):
            raise InputError(f"RewardLaw: kind is {self.kind!r}; known kinds: deterministic, bernoulli, gaussian")
        for name in ("low", "high", "sd"):
            object.__setattr__(self, name, _number(getattr(self, name), f"RewardLaw: {name}"))
        for name in ("low", "high", "sd"):
            if abs(getattr(self, name)) > HUGE:
                raise InputError(
                    f"RewardLaw: {name} is {getattr(self, name)!r}; rewards beyond {HUGE:g} overflow sums and squares: "
                    "rescale the rewards"
                )
        if self.low > self.high:
            raise InputError(f"RewardLaw: low {self.low} is above high {self.high}; swap them")
        if self.kind == "bernoulli" and (self.low, self.high) != (0.0, 1.0):
            raise InputError(
                f"RewardLaw: bernoulli rewards are 0 or 1, the declared range is [{self.low}, {self.high}]; "
                "leave low=0, high=1, or use kind 'deterministic'"
            )
        if self.kind == "gaussian" and self.sd <= 0:
            raise InputError(f"RewardLaw: sd is {self.sd}; a gaussian law needs sd > 0 (or use kind 'deterministic')")
        if self.kind != "gaussian" and self.sd != 0:
            raise InputError(f"RewardLaw: sd is {self.sd} for kind '{self.kind}'; only a gaussian law has sd > 0")


DETERMINISTIC = RewardLaw("deterministic")
BERNOULLI = RewardLaw("bernoulli")
AVERAGE_REWARD = AverageReward()
