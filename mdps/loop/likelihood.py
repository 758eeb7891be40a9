"""MLE-LOOP on all kernels: a certified upper bound on the largest gain, since the maximum itself is not convex.

The confidence set of MLE-LOOP over all kernels is one shared budget, sum n(s,a) KL(P_hat(.|s,a) | P(.|s,a)) <= beta, in
nats. Each pair alone then satisfies KL <= beta / n(s,a), and with the operator

    (T u)(s) = max_a { r(s,a) + max { p u : KL(P_hat(.|s,a) | p) <= beta / n(s,a) } }

the optimality equation V + J = max_a (r + P V) of a member gives V + J <= T V; T is monotone and commutes with
constants, so that J <= max(T u - u) for EVERY u [derived]. The inner maximum is bounded by its dual, for any nu >= max
u

    max p u <= nu - exp( sum P_hat ln(nu - u) - beta / n ),                                              (dual)

which is the maximum at the best nu; a nu that is not the best makes the bound looser, never wrong [derived]. A pair
without visits may have any law. Prefer finite classes, where the maximum is exact (`mdps.learners.mle_loop`).

Source: he2024, Algorithm 2 [recalled]; the bound as in KL-UCRL's planning, section 4e of the notes [derived].
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mdps.loop.tabular import Empirical, empirical
from theorylab.errors import InputError

__all__ = ["dual", "kl_bound", "likelihood_gap"]

Floats = NDArray[np.float64]
#: step of the lazy iteration
LAZY = 0.9
#: halvings of the bracket of ln(nu - max u)
HALVINGS = 50


def likelihood_gap(moves: ArrayLike, P: ArrayLike) -> float:
    """sum n KL(P_hat | P), nats: by how much P (S,A,S) is less likely than the frequencies of `moves` (S,A,S)."""
    counted, law = np.asarray(moves, dtype=float), np.asarray(P, dtype=float)
    if counted.shape != law.shape:
        raise InputError(f"moves has shape {counted.shape}, P {law.shape}; give both as (S,A,S)")
    n = counted.sum(axis=-1, keepdims=True)
    frequency = counted / np.maximum(n, 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(counted > 0.0, counted * (np.log(frequency) - np.log(law)), 0.0)
    return float(terms.sum())


def dual(P_hat: Floats, u: Floats, radius: Floats) -> Floats:
    """Upper bound (S,A) on max { p u : KL(P_hat | p) <= radius }, at the nu that a bisection finds; units of u.

    P_hat (S,A,S), u (S,), radius (S,A) in nats, infinite where every law is allowed.
    """
    top, spread = float(u.max()), float(np.ptp(u))
    if spread == 0.0:
        return np.full(radius.shape, top)
    finite = np.isfinite(radius)
    eps = np.where(finite, radius, 1.0)
    gap = top - u

    def terms(x: Floats) -> tuple[Floats, Floats]:
        """exp(sum P_hat ln(nu - u) - eps), and its derivative in nu, at nu = max u + e^x."""
        width = gap + np.exp(x)[..., None]
        value = np.exp((P_hat * np.log(width)).sum(axis=-1) - eps)
        return value, value * (P_hat / width).sum(axis=-1)

    # the derivative 1 - (...)' of the dual rises with nu: negative below the minimum, positive above it
    low, high = np.full(radius.shape, np.log(spread) - 690.0), np.full(radius.shape, np.log(spread) + 40.0)
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        below = terms(middle)[1] > 1.0
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    best = top + np.exp(high) - terms(high)[0]
    out: Floats = np.where(finite, np.minimum(best, top), top)
    return out


def kl_bound(
    moves: ArrayLike, r: ArrayLike, beta: float, cap: float = 1.0, tolerance: float = 1e-6, sweeps: int = 2_000
) -> float:
    """An upper bound on the gain of every kernel within `beta` nats of the frequencies, reward units a step.

    Args:
        moves: transitions counted (S,A,S). r: known mean rewards (S,A). beta: budget in nats, >= 0. cap: largest gain.
        tolerance: range of T u - u at the end, in units of cap. sweeps: most of them; the bound holds after any number.

    Raises InputError: a negative beta, data or rewards of a wrong kind, as `mdps.loop.tabular.empirical`.
    """
    if not beta >= 0.0:
        raise InputError(f"kl_bound: beta={beta} is negative; it is a budget in nats")
    e: Empirical = empirical(moves, r)
    radius = np.where(e.n > 0.0, beta / np.where(e.n > 0.0, e.n, 1.0), np.inf)
    u, bound = np.zeros(e.S), np.inf
    for _ in range(sweeps):
        step = (e.r + dual(e.P_hat, u, radius)).max(axis=-1) - u
        bound = min(bound, float(step.max()))
        if float(np.ptp(step)) <= tolerance * cap:
            break
        u = u + LAZY * step
        u -= u.min()
    return min(cap, bound)
