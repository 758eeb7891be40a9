"""Bounds on the error of undiscounted values, by a strict supersolution and a subsolution.

Let `goal` be a state, r rewards, P rows (s,a) off the goal, and V, W vectors with V[goal] = W[goal] = 0 and W > 0 off
the goal. For every row off the goal put

    gap[s,a] = V[s] - r[s,a] - sum_s2 P[s,a,s2] V[s2]        slope[s,a] = W[s] - sum_s2 P[s,a,s2] W[s2].

Upper side. If gap + eta slope > 0 on all rows, then u = V + eta W satisfies u > r_pi + P_pi u for every policy pi,
hence u >= V^pi wherever the spectral radius of P_pi off the goal is below 1 (then (I - P_pi)^-1 = I + P_pi + ... >= 0).
Lower side. If slope > 0 on the rows of one policy pi, then P_pi W < W with W > 0, so that its spectral radius is below
1 (Collatz and Wielandt); and if -gap + eta slope > 0 on them, l = V - eta W satisfies l < r_pi + P_pi l, so l <= V^pi.
Together |V - V_star| <= eta max W. u and l are never formed, so that only gap and slope carry rounding.

W is the expected hitting time of the goal under pi, for which slope = 1 on the rows of pi. An action that ties with
pi's, gap = 0 up to rounding, needs slope > 0 as well; hence pi is taken among the tied actions to make W large. Errors
are taken row by row, so that rounding where V or W is large does not blur rows that never get there.

Average reward: r - g takes the place of r and `goal` is a state `ref`. Let h solve g + h = max_a (r + P h) for the
exact gain g, h[ref] = 0. A greedy policy of h reaches ref for sure: on a recurrent class without ref u - h would be
superharmonic, hence constant, which the strictness of the upper side excludes. So h is that policy's value of the
shortest-path problem to ref, h <= u; and h >= V^pi >= l. The bracket thus holds every solution h.

Sources: Bertsekas and Tsitsiklis, An analysis of stochastic shortest path problems (1991), for the problem
[recalled]; the bounds [derived].
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from theorylab.model import TabularMDP
from theorylab.plan.certify import Rounding, U, tie_tolerance
from theorylab.plan.chains import Absorption, policy_chain, support
from theorylab.plan.structure import distances

__all__ = ["average", "bracket", "lengthen", "smallest_eta", "stranded", "taken", "ties"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST_STEPS = 1_000
ENOUGH = 0.5  # slope wanted of W on tied actions


def average(model: TabularMDP, v: Floats) -> Floats:
    """sum_s2 P[s,a,s2] v[s2], (S,A)."""
    flat = model.flat
    out: Floats = (flat @ v).reshape(model.S, model.A)
    return out


def taken(q: Floats, pi: NDArray[Any]) -> Floats:
    """The average of q (S,A) under a policy, int (S,) or float (S,A): shape (S,)."""
    if pi.ndim == 1:
        out: Floats = np.take_along_axis(q, pi[:, None], axis=1)[:, 0]
        return out
    weighed: Floats = (pi * q).sum(axis=1)
    return weighed


def stranded(graph: Any, goal: int) -> int | None:
    """A state from which a chain, by its adjacency, may miss the goal; None if it reaches it from all for sure."""
    layer = distances(graph, np.array([goal]))
    return int(np.argmin(layer)) if (layer < 0).any() else None


def ties(v: Floats, gap: Floats, error: Floats) -> list[NDArray[np.bool_]]:
    """Which actions are treated as ties, (S,A), for a first try and a second one; `error` (S,A) of the gaps."""
    above = gap - gap.min(axis=1, keepdims=True)
    return [above <= tie_tolerance(v), above <= 8 * error]


def lengthen(model: TabularMDP, goal: int, pi: Ints, tied: NDArray[np.bool_]) -> tuple[Ints, Floats | None]:
    """A policy of tied actions, from `pi`, with its hitting times W, so long that W - P W >= ENOUGH on tied rows.

    W is None if the policy does not reach the goal: then no W can do it.
    """
    met: set[bytes] = set()
    for _ in range(MOST_STEPS):
        chain, _ = policy_chain(model, pi)
        if stranded(support(chain), goal) is not None:
            return pi, None
        W = Absorption(chain, goal).solve(np.ones(model.S))
        slope = W[:, None] - average(model, W)
        short = tied & (slope < ENOUGH)
        short[goal] = False
        change = short.any(axis=1)
        # times so long that rounding hides the slope bring a policy back
        if not change.any() or pi.tobytes() in met:
            return pi, W
        met.add(pi.tobytes())
        pi = np.where(change, np.argmin(np.where(tied, slope, np.inf), axis=1), pi)
    return pi, None


def bracket(
    model: TabularMDP,
    goal: int,
    W: Floats,
    pi: NDArray[Any],
    gap_taken: Floats,
    gap: Floats | None,
    gap_error: Floats | float,
    *,
    averaging: float = 0.0,
    defect: float = 0.0,
) -> float:
    """eta max W of the module docstring: a bound on |V - V_star|, or on |V - V^pi| with gap None; may be infinite.

    Args:
        W: (S,), 0 at the goal.
        pi: policy of the lower side, int (S,) or float (S,A).
        gap_taken: (S,), V - r_pi - P_pi V as computed. gap: (S,A), all rows.
        gap_error: bounds on their errors, but for the rounding of the subtraction: one, or (S,A), or (S,) with
            gap None.
        averaging: bound on the relative error of an average under a stochastic `pi`.
        defect: `Rounding.defect` where rows stand for rows divided by their sums, else 0.
    """
    off = np.arange(model.S) != goal
    if not (np.isfinite(W).all() and (W[off] > 0).all() and W[goal] == 0 and np.isfinite(gap_error).all()):
        return float("inf")
    PW = average(model, W)
    # |1 / sum - 1| <= 1.01 defect
    slope_error = Rounding.of(model).entries(PW, 0.0) + 1.01 * defect * PW
    fall_error = (taken(slope_error, pi) * (1 + averaging) + averaging * taken(PW, pi)) * (1 + 8 * U)
    down, fall, fall_error = gap_taken[off], (W - taken(PW, pi))[off], fall_error[off]
    if not (fall * (1 - 4 * U) > fall_error).all():
        return float("inf")
    error = np.broadcast_to(gap_error, (gap_taken if gap is None else gap).shape)
    down_error = (error if gap is None else taken(error, pi))[off]
    low = smallest_eta(-down, fall, down_error, fall_error)
    if gap is None:
        high = smallest_eta(down, fall, down_error, fall_error)
    else:
        high = smallest_eta(gap[off], (W[:, None] - PW)[off], error[off], slope_error[off] * (1 + 8 * U))
    return max(low, high) * float(W.max()) * (1 + 8 * U)


def smallest_eta(gap: Floats, slope: Floats, gap_error: Floats | float, slope_error: Floats | float) -> float:
    """About the smallest eta >= 0 for which gap + eta slope > 0 on all rows for sure; infinite if none is found.

    Args:
        gap, slope: computed values, of one shape.
        gap_error, slope_error: bounds on how far they are from the exact ones, but for the rounding of the subtraction.
    """
    low_gap = (gap - gap_error) - 2 * U * (np.abs(gap) + gap_error)
    low_slope = (slope - slope_error) - 2 * U * (np.abs(slope) + slope_error)
    short = low_gap <= 0
    if not short.any():
        eta = 0.0
    elif not (low_slope[short] > 0).all():
        return float("inf")
    else:
        eta = float((-low_gap[short] / low_slope[short]).max()) * (1 + 8 * U) + 1e-300
    # elsewhere the gap must outweigh a negative slope
    falling = low_slope < 0
    if (low_gap[falling] <= eta * -low_slope[falling] * (1 + 8 * U)).any():
        return float("inf")
    return eta
