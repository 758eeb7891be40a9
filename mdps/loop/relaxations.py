"""Certified upper bounds on the largest gain in tabular LOOP's confidence set, and LOOP-box, which plays one of them.

    box_bound(e, beta, span)       a bonus sqrt(beta / n) for each pair on its own: the ellipsoid lies in this box
    u_bound(e, beta)               the shared budget, mu^2 <= mu max mu in the noise term
    lifted_bound(e, beta)          the doubly nonnegative relaxation of mu mu^T
    loop_box(e, beta, span)        the hypothesis of box-EVI: LOOP-box, which is not LOOP

The u-bound and the lifted bound leave out the span, and are the cap where a pair has no visits. Every number is a bound
by weak duality at whatever the iteration or the solver returned, to the rounding of a few sums (and of one eigenvalue):
inexact solutions make it looser, never wrong. Source: [derived, b5]; truncation of the range: fruit2018 [recalled].
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mdps.loop.tabular import Empirical, Optimistic, checked, completion, excess
from theorylab.errors import InputError

__all__ = ["PAIRS", "box_bonus", "box_bound", "lifted_bound", "loop_box", "u_bound"]

Floats = NDArray[np.float64]
#: most pairs of the lifted bound
PAIRS = 40
#: step of the lazy iteration
LAZY = 0.9


def box_bonus(e: Empirical, beta: float, span: float, cap: float) -> Floats:
    """sqrt(beta / n) (S,A); without visits so much that r + bonus = cap + span, which never binds."""
    return np.where(e.n > 0.0, np.sqrt(beta / np.where(e.n > 0.0, e.n, 1.0)), cap + span - e.r)


def loop_box(
    e: Empirical, beta: float, span: float, cap: float = 1.0, tolerance: float = 1e-7, sweeps: int = 100_000
) -> Optimistic:
    """LOOP-box: extended value iteration with the bonus of each pair, range of u truncated to `span`.

    T u = min(L u, min L u + span), L u = max_a r + sqrt(beta / n) + P_hat u, iterated lazily, u <- u + .9 (T u - u), so
    that periodic models converge too; J is the middle of T u - u, at most cap, and Q the completion of (V, J, pi): its
    excess is up to S A beta where neither cap nor span binds, and has no such bound otherwise. Members of the
    confidence set satisfy V + J <= T V, and T is monotone, hence J <= max(T u - u) for every u: `bound` is the least of
    these. [derived]

    Args:
        tolerance: range of T u - u at the end, in units of cap + span. sweeps: most of them; bound - J
            tells what is left.
    """
    checked(e, beta, span, cap)
    reward = e.r + box_bonus(e, beta, span, cap)
    u, bound = np.zeros(e.S), np.inf
    for _ in range(sweeps):
        rows = reward + e.P_hat @ u
        raised = rows.max(axis=-1)
        step = np.minimum(raised, raised.min() + span) - u
        high, low = float(step.max()), float(step.min())
        bound = min(bound, high)
        if high - low <= tolerance * (cap + span):
            break
        u = u + LAZY * step
        u -= u.min()
    V = u - 0.5 * (u.max() + u.min())
    J, pi = min(cap, 0.5 * (high + low)), rows.argmax(axis=-1)
    Q = completion(e, V, J, pi)
    return Optimistic(V, Q, J, pi, excess(e, Q, J), max(J, min(cap, bound)), 0, 0)


def box_bound(e: Empirical, beta: float, span: float, cap: float = 1.0) -> float:
    """The bound of `loop_box`."""
    return loop_box(e, beta, span, cap).bound


def _largest_mean(e: Empirical, rho: Floats) -> tuple[float, Floats]:
    """Upper bound on max <mu, rho> over occupancies mu of P_hat, by max(rho + P_hat V - V) at the potentials V of the
    linear program, and its mu (S,A)."""
    from scipy.optimize import linprog

    S, A = e.n.shape
    drift = e.P_hat.copy()
    drift[np.arange(S), :, np.arange(S)] -= 1.0
    drift = drift.reshape(S * A, S)
    scale = float(np.abs(rho).max())
    found = linprog(
        np.append(1.0, np.zeros(S)),
        A_ub=np.hstack([-np.ones((S * A, 1)), drift]),
        b_ub=-rho.ravel() / scale,
        bounds=[(None, None), (0.0, 0.0), *[(None, None)] * (S - 1)],
        method="highs",
    )
    value = float((rho.ravel() + drift @ (scale * found.x[1:])).max())
    return value, np.maximum(-found.ineqlin.marginals, 0.0).reshape(S, A)


def u_bound(e: Empirical, beta: float, cap: float = 1.0) -> float:
    """max <mu, r> + sqrt(beta sum mu u / n) over occupancies, u(s,a) the largest mu(s,a): at most `cap`.

    With k = u / n the root is at most beta sum mu k / (2 t) + t / 2 for every t > 0: a linear program in mu, and a
    convex function of t, lowered by bisection of its slope. [derived, b5]
    """
    checked(e, beta, 1.0, cap)
    if (e.n == 0.0).any():
        return cap
    largest = np.empty(e.n.shape)
    for pair in np.ndindex(*e.n.shape):
        one = np.zeros(e.n.shape)
        one[pair] = 1.0
        largest[pair] = min(1.0, max(0.0, _largest_mean(e, one)[0]))
    k = largest / e.n
    high = float(np.sqrt(beta * k.max()))
    low, best = 1e-4 * high, cap
    for _ in range(20):
        t = float(np.sqrt(low * high))
        value, mu = _largest_mean(e, e.r + beta * k / (2.0 * t))
        best = min(best, value + 0.5 * t)
        if beta * (mu * k).sum() > t * t:
            low = t
        else:
            high = t
    return best


def lifted_bound(e: Empirical, beta: float, cap: float = 1.0) -> float:
    """The doubly nonnegative relaxation over M ~ mu mu^T: at most `cap`.

    max <r, M 1> + sqrt(beta sum M_xx / n_x) over M >= 0, M positive semidefinite, 1^T M 1 = 1, F M = 0 (flow); then
    mu = M 1. With Z an orthonormal basis of the flows M = Z N Z^T. Certificate [derived]: for t > 0, W >= 0 and all g,
    C = (r 1^T + 1 r^T) / 2 + beta diag(1/n) / (2 t) has <C, M> <= g - l tr N, l the least eigenvalue of
    Z^T (g 1 1^T - C - W) Z, and 0 <= tr N = tr M <= 1: the bound is g + (-l)_+ + t / 2. t, g, W are Clarabel's.

    Raises `InputError` for more than `PAIRS` pairs.
    """
    import cvxpy

    cp: Any = cvxpy
    checked(e, beta, 1.0, cap)
    S, A = e.n.shape
    if S * A > PAIRS:
        raise InputError(f"S A={S * A} pairs are more than {PAIRS} of the lifted bound; use u_bound and box_bound")
    if (e.n == 0.0).any():
        return cap
    flow = e.P_hat.reshape(S * A, S) - np.repeat(np.eye(S), A, axis=0)
    left, sizes, _ = np.linalg.svd(flow)
    Z = left[:, int((sizes > 1e-12 * sizes.max()).sum()) :]
    r, weight, one = e.r.ravel(), beta / e.n.ravel(), np.ones(S * A)
    N = cp.Variable((Z.shape[1], Z.shape[1]), PSD=True)
    M = Z @ N @ Z.T
    nonnegative = M >= 0
    mean, noise = (r @ Z) @ N @ (Z.T @ one), cp.sum(cp.multiply(weight[:, None] * Z, Z @ N))
    program = cp.Problem(cp.Maximize(mean + cp.sqrt(noise)), [nonnegative, (one @ Z) @ N @ (Z.T @ one) == 1])
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Solution may be inaccurate")  # the certificate does not need it
            program.solve(solver=cp.CLARABEL)
    except cp.SolverError:
        return cap
    return cap if N.value is None else min(cap, _lifted_dual(Z, r, weight, nonnegative.dual_value, mean, noise))


def _lifted_dual(Z: Floats, r: Floats, weight: Floats, W: Floats, mean: Any, noise: Any) -> float:
    t = float(np.sqrt(noise.value))
    g = float(mean.value) + 0.5 * t
    C = 0.5 * (r[:, None] + r) + np.diag(weight) / (2.0 * t)
    least = float(np.linalg.eigvalsh(Z.T @ (g - C - np.maximum(0.5 * (W + W.T), 0.0)) @ Z).min())
    return g + max(0.0, -least) + 0.5 * t
