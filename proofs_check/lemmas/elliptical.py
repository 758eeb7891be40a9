"""Elliptical potential, and determinant against trace. V_n = lam I + sum_{t <= n} x_t x_t^T, ||x_t|| <= L, in R^d.

    determinant, trace     det V_n <= (lam + n L^2 / d)^d                                    abbasi2011, lemma 10
    elliptical potential   sum_t min(1, ||x_t||^2_{V_{t-1}^-1}) <= 2 ln(det V_n / lam^d)      abbasi2011, lemma 11
                           <= 2 d ln(1 + n L^2 / (lam d))

[recalled]. The first is an equality for n a multiple of d, in equal shares of orthogonal vectors of length L. In the
second, min(1, w) <= ln(1 + w) / ln 2 with equality at w = 1 [derived]: so 1/ln 2 = 1.4427 would do in place of 2, and
is attained by d orthogonal vectors with ||x||^2 = lam. Both are asked for here, near these cases and away from them.
"""

from __future__ import annotations

import math

import numpy as np

__all__ = [
    "determinant_trace", "elliptical_potential", "false_determinant_trace", "false_elliptical_potential", "potential",
    "vectors",
]  # fmt: skip

Sample = tuple[np.ndarray, float, float]


def vectors(rng: np.random.Generator) -> Sample:
    """Vectors (n, d) of length at most L, with L and lam: random, one direction at a time, or near equality."""
    d, rounds = int(rng.integers(1, 7)), int(rng.integers(1, 12))
    lam, style = float(np.exp(rng.uniform(-4.0, 4.0))), int(rng.integers(4))
    if style == 0:  # any vectors at all
        x = rng.normal(size=(d * rounds, d)) * np.exp(rng.uniform(-2.0, 2.0, size=(d * rounds, 1)))
        return x, float(np.sqrt((x * x).sum(axis=1).max())), lam
    basis = np.linalg.qr(rng.normal(size=(d, d)))[0]
    length = math.sqrt(lam) if style == 1 else float(np.exp(rng.uniform(-2.0, 2.0)))
    x = length * np.tile(basis, (rounds if style != 1 else 1, 1))
    if style == 3:  # shorter by up to one per cent, in another order
        x = rng.permutation(x * rng.uniform(0.99, 1.0, size=(len(x), 1)))
    return x, length * (1.0 + 1e-14), lam


def potential(x: np.ndarray, lam: float) -> tuple[float, float]:
    """sum_t min(1, ||x_t||^2_{V_{t-1}^-1}) and ln(det V_n / lam^d) of vectors (n, d), by solving with V afresh."""
    V, total = lam * np.eye(x.shape[1]), 0.0
    for row in x:
        total += min(1.0, float(row @ np.linalg.solve(V, row)))
        V = V + np.outer(row, row)
    return total, float(np.linalg.slogdet(V)[1] - x.shape[1] * math.log(lam))


def _trace_excess(rng: np.random.Generator, shares: float) -> tuple[float, str]:
    worst, where = -np.inf, ""
    for _ in range(20):
        x, L, lam = vectors(rng)
        n, d = x.shape
        growth = float(np.linalg.slogdet(np.eye(d) + x.T @ x / lam)[1])
        value = growth - d * math.log1p(n * L * L / (lam * (d + shares)))
        if value > worst or value != value:
            worst, where = value, f"n={n}, d={d}, L={L:.3g}, lam={lam:.3g}"
    return worst, where


def _potential_excess(rng: np.random.Generator, factor: float) -> tuple[float, str]:
    worst, where = -np.inf, ""
    for _ in range(10):
        x, L, lam = vectors(rng)
        n, d = x.shape
        total, growth = potential(x, lam)
        for name, value in (
            ("potential", total - factor * growth),
            ("bound", factor * growth - factor * d * math.log1p(n * L * L / (lam * d))),
        ):
            if value > worst or value != value:
                worst, where = value, f"{name} at n={n}, d={d}, L={L:.3g}, lam={lam:.3g}"
    return worst, where


def determinant_trace(rng: np.random.Generator) -> tuple[float, str]:
    """Largest ln(det V / lam^d) - d ln(1 + n L^2 / (lam d)), and where."""
    return _trace_excess(rng, 0.0)


def false_determinant_trace(rng: np.random.Generator) -> tuple[float, str]:
    """The false twin: the trace spread over d + 1 directions."""
    return _trace_excess(rng, 1.0)


def elliptical_potential(rng: np.random.Generator) -> tuple[float, str]:
    """Largest excess of either inequality with the sharp factor 1/ln 2, and where; the factor 2 follows."""
    return _potential_excess(rng, 1.0 / math.log(2.0))


def false_elliptical_potential(rng: np.random.Generator) -> tuple[float, str]:
    """The false twin: the factor 1.4, below 1/ln 2."""
    return _potential_excess(rng, 1.4)
