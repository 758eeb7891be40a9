"""Rounding analysis for planners, and ties.

With unit roundoff u = 2^-53 and gamma_n = n u / (1 - n u), a dot product of n non-zero terms obeys
|fl(p . v) - p . v| <= gamma_n sum_i p_i |v_i| in any order of summation, with or without fused multiply-add (Higham,
Accuracy and Stability of Numerical Algorithms, 2002, section 3.1) [recalled]. Exact zeros add no rounding, so n is
the largest number of successors m. The Bellman backup fl(r + fl(P v)) is therefore off by at most

    gamma_m rho max|v| + u max|q|,    rho = the largest row sum of P.

Values are certified for P with its float64 entries as given. For average reward, where rows must sum to 1 exactly,
the exact model is P with each row divided by its sum, which moves P v by at most defect * max|v|.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from theorylab.model import TabularMDP

__all__ = ["FINEST", "TIE", "Rounding", "U", "dot_bound", "greedy", "tie_tolerance"]

U = 2.0**-53
TIE = 1e-12  # actions within TIE * max(1, max|V|) of the best are ties: rounding must not decide a policy
FINEST = 1e-16  # a `tol` that rounding stops short of: as exact as the method allows
UNDERFLOW = 2.0**-1022


def dot_bound(n: int) -> float:
    """gamma_n = n u / (1 - n u)."""
    return n * U / (1.0 - n * U)


@dataclass(frozen=True)
class Rounding:
    """What the rounding of a backup depends on.

    Attributes:
        terms: m, the largest number of successors of a row.
        row_sum: rho, an upper bound on the row sums of P.
        defect: an upper bound on |row sum - 1|.
    """

    terms: int
    row_sum: float
    defect: float

    @classmethod
    def of(cls, model: TabularMDP) -> Rounding:
        """The constants of a model."""
        terms, low, high = model.row_profile
        slack = dot_bound(terms) * high * (1 + 4 * U)
        return cls(terms, high + slack, max(abs(low - 1.0), abs(high - 1.0)) + slack)

    def backup(self, v_max: float, q_max: float) -> float:
        """Bound on the error of one fl(r + fl(P v)) with |v| <= v_max and |result| <= q_max."""
        bound = dot_bound(self.terms) * self.row_sum * v_max + U * q_max + self.terms * UNDERFLOW
        return bound * (1 + 16 * U)

    def entries(self, v_mean: NDArray[np.float64], q: NDArray[np.float64] | float) -> NDArray[np.float64]:
        """`backup` entry by entry: v_mean = P |v| as computed, q the results."""
        gamma = dot_bound(self.terms)
        bound: NDArray[np.float64] = gamma * (1 + 2 * gamma) * v_mean + U * np.abs(q) + self.terms * UNDERFLOW
        return bound * (1 + 16 * U)


def tie_tolerance(v: NDArray[np.float64]) -> float:
    """TIE * max(1, max|v|), in units of reward."""
    return TIE * max(1.0, float(np.abs(v).max()))


def greedy(q: NDArray[np.float64], tolerance: float) -> NDArray[np.int64]:
    """The lowest action index within `tolerance` of the best; q (..., A) -> int64 (...)."""
    best = q.max(axis=-1, keepdims=True)
    first: NDArray[np.int64] = np.argmax(q >= best - tolerance, axis=-1).astype(np.int64)
    return first
