"""The record that planners return."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Plan"]


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

    def __post_init__(self) -> None:
        for array in (self.V, self.Q, self.pi, self.bias):
            if array is not None:
                array.flags.writeable = False
