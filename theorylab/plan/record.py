"""The record that planners return."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Certified", "Plan"]


class Certified(NamedTuple):
    """A number, or an array of numbers, with a proved bound on its error, rounding included.

    Attributes:
        value: float or array.
        error: bound on max |value - exact|, in the unit of the value; infinite where nothing could be proved.
    """

    value: Any
    error: float

    @property
    def low(self) -> Any:
        """A lower bound on the exact number."""
        return np.nextafter(self.value - self.error, -np.inf)

    @property
    def high(self) -> Any:
        """An upper bound on the exact number."""
        return np.nextafter(self.value + self.error, np.inf)


@dataclass(frozen=True, eq=False)
class Plan:
    """Values and a policy, of an optimal plan or of the evaluation of a given policy.

    Attributes:
        V: finite horizon (H+1,S) with V[H]=0; discounted (S,); average reward (S,), equal to `bias`.
        Q: (H,S,A) or (S,A): r[s,a] + (gamma) sum_s2 P[s,a,s2] V[s2], with the next stage's V for a finite horizon. With
            average reward max_a Q[s,a] = gain + bias[s].
        pi: the policy: integers (H,S) or (S,); for `evaluate`, the policy given.
        gain: average reward per step; None for other criteria.
        bias: (S,), minimum 0; solves gain + bias[s] = max_a Q[s,a] (or the policy's own equation); None for others.
        residual: how far the equations are from holding at the returned numbers: finite horizon, the largest
            V[h,s] - Q[h,s,pi[h,s]] (non-zero only where a tie was broken); else the largest |T V - V (- gain)|.
        certified_error: a proved bound, rounding included, on |gain - exact gain| (average reward) or on
            max |V - exact V| (other criteria), in units of reward.
        iterations: sweeps of value iteration plus steps of policy iteration.
        method: the planner that was used.
        bias_error: average reward only: a proved bound on max |bias - exact bias|, both with minimum 0, rounding
            included; infinite where none was proved, None for other criteria.

    All arrays are read-only. Lowest action index among ties within `certify.TIE` times max(1, max |V|).
    """

    V: NDArray[np.float64]
    Q: NDArray[np.float64]
    pi: NDArray[Any]
    gain: float | None
    bias: NDArray[np.float64] | None
    residual: float
    certified_error: float
    iterations: int
    method: str
    bias_error: float | None = None

    def __post_init__(self) -> None:
        for array in (self.V, self.Q, self.pi, self.bias):
            if array is not None:
                array.flags.writeable = False
