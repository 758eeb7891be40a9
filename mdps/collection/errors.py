"""Errors of an estimated kernel: measured, expected for given visits, bounded, and at the best stationary occupancy.

A pair of n >= 1 visits has p_hat = its transitions / n, a pair never visited p_hat = 0, whose distance from p in the
1-norm is 1 [derived: the convention of N+ = max(1, N); the notes state none]. Kernels P are (S,A,S), dense.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, xlog1py, xlogy

from mdps.collection.requirements import row_noise
from theorylab.errors import InputError, nearest

__all__ = [
    "OBJECTIVES", "OccupancyError", "expected_errors", "model_error_bounds", "model_errors",
    "optimal_occupancy_error",
]  # fmt: skip

Floats = NDArray[np.float64]

#: what an occupancy is best for: entropy of pairs, the same weighted by their noise, the bound, its leading term
OBJECTIVES = ("entropy", "weighted", "surrogate", "noise")


def model_errors(moves: Any, P: Any) -> tuple[Floats, Floats]:
    """Average and worst ||p_hat(.|s,a) - p(.|s,a)||_1 over pairs, (R,) each, of transitions `moves` (R,S,A,S).

    Raises `InputError` for other shapes and for negative counts.
    """
    counts, P = np.asarray(moves, dtype=float), np.asarray(P, dtype=float)
    if counts.ndim != 4 or counts.shape[1:] != P.shape:
        raise InputError(f"moves has shape {counts.shape} and P {P.shape}; give counts (R,S,A,S) and a kernel (S,A,S)")
    if counts.min(initial=0.0) < 0.0:
        at = tuple(int(i) for i in np.argwhere(counts < 0.0)[0])
        raise InputError(f"moves[{', '.join(map(str, at))}] = {counts[at]:g} is negative; give counts of transitions")
    p_hat = counts / np.maximum(1.0, counts.sum(axis=-1, keepdims=True))
    rows = np.abs(p_hat - P).sum(axis=-1).reshape(counts.shape[0], -1)
    return rows.mean(axis=1), rows.max(axis=1)


def _surrogate(V: Floats, visits: Any, S: int) -> Floats:
    """F = V / sqrt(T + 1) + S / (T + 1) of pairs of T visits, (..., S, A)."""
    T = np.asarray(visits, dtype=float) + 1.0
    out: Floats = V / np.sqrt(T) + S / T
    return out


def model_error_bounds(visits: Any, P: Any, steps: int, delta: float) -> tuple[Floats, Floats]:
    """Bounds of the average and of the worst error after `visits` (R,S,A) in runs of `steps` n, (R,) each.

    4 log(6 S A n / delta) times the mean, and times the largest, F = V / sqrt(T + 1) + S / (T + 1), except with
    probability delta [source: tarbouriech2020, proposition 2, by the notes]. It cannot hold at every
    S: the error of a pair of many visits is about sqrt(2 S / pi) V / sqrt(T), which is more than the bound's leading
    term where sqrt(2 S / pi) > 4 log(6 S A n / delta), at tens of thousands of states [derived].
    """
    visits, P = np.asarray(visits), np.asarray(P, dtype=float)
    S, A = P.shape[:2]
    F = _surrogate(row_noise(P, S), visits, S).reshape(visits.shape[0], -1)
    level = 4.0 * np.log(6.0 * S * A * steps / delta)
    return level * F.mean(axis=1), level * F.max(axis=1)


def expected_errors(visits: Any, P: Any) -> Floats:
    """E ||p_hat - p||_1 of every pair after a fixed number of visits (S,A); exact, in double precision.

    De Moivre: a binomial X of size n and rate p has, with m = floor(n p) + 1,
    E|X - n p| = 2 m C(n, m) p^m (1 - p)^(n - m + 1).
    """
    P = np.asarray(P, dtype=float)
    n = np.asarray(visits, dtype=float)[..., None]
    m = np.minimum(np.floor(n * P) + 1.0, np.maximum(n, 1.0))  # at p = 1 the value is 0 for any m
    log_binomial = gammaln(n + 1.0) - gammaln(m + 1.0) - gammaln(np.maximum(n - m, 0.0) + 1.0)
    spread = 2.0 * m * np.exp(log_binomial + xlogy(m, P) + xlog1py(n - m + 1.0, -P))
    rows: Floats = np.where(n[..., 0] > 0.0, (spread / np.maximum(n, 1.0)).sum(axis=-1), 1.0)
    return rows


@dataclass(frozen=True)
class OccupancyError:
    """What the best stationary occupancy of an objective gives in n steps.

    Attributes:
        occupancy: lam (S,A), frequencies of the pairs. error: mean over pairs of the expected error at floor(n lam)
            visits. surrogate: the mean of F at n lam visits.
    """

    occupancy: Floats
    error: float
    surrogate: float


def optimal_occupancy_error(model: Any, steps: float, objective: str = "noise", floor: float = 1e-4) -> OccupancyError:
    """The stationary occupancy that is best for an objective, by a convex program with the true kernel, and its error.

    Occupancies lam (S,A) are at least `floor` everywhere, sum to one and flow: what leaves a state enters it. The
    objectives: "entropy" sum lam log(1/lam), "weighted" sum V lam log(1/lam), "surrogate" the mean of F at n lam
    visits, "noise" its leading term, sum V / sqrt(lam). The program needs cvxpy.

    The notes do not say how the errors that the source prints at n = 2e6 were measured; these are expectations.
    Raises `InputError` for an unknown objective, a floor that is not positive, and one that no occupancy keeps (to the
    solver's tolerance, about 1e-9).
    """
    if objective not in OBJECTIVES:
        raise InputError(f"objective '{objective}'{nearest(objective, OBJECTIVES)}")
    if floor <= 0.0:
        raise InputError(f"floor={floor} is not positive; pairs without a visit have no estimate, give 1e-6 or so")
    P = model.dense()
    S = P.shape[0]
    lam = _program(P, float(steps), objective, floor)
    visits = np.floor(steps * lam)
    F = _surrogate(row_noise(P, S), steps * lam, S)
    return OccupancyError(lam, float(expected_errors(visits, P).mean()), float(F.mean()))


def _program(P: Floats, steps: float, objective: str, floor: float) -> Floats:
    cp: Any = importlib.import_module("cvxpy")

    S, A = P.shape[:2]
    V, x = row_noise(P, S), cp.Variable((S, A))
    flow = [cp.sum(x[s]) == cp.sum(cp.multiply(P[:, :, s], x)) for s in range(S)]
    if objective in ("entropy", "weighted"):
        goal = cp.Maximize(cp.sum(cp.multiply(V if objective == "weighted" else np.ones((S, A)), cp.entr(x))))
    elif objective == "noise":
        goal = cp.Minimize(cp.sum(cp.multiply(V, cp.power(x, -0.5))))
    else:
        y = x + 1.0 / steps
        goal = cp.Minimize(cp.sum(cp.multiply(V, cp.power(y, -0.5)) + S / np.sqrt(steps) * cp.inv_pos(y)))
    problem = cp.Problem(goal, [cp.sum(x) == 1.0, x >= floor, *flow])
    problem.solve(solver=cp.CLARABEL)
    if problem.status != cp.OPTIMAL:
        raise InputError(f"no occupancy of at least floor={floor} everywhere was found ({problem.status}); lower it")
    return np.asarray(x.value)
