"""Two lemmas of the explicit forms for linear MDPs (jin2020) and linear mixtures (ayoub2020), for all data [derived].

    corners    |sum_t phi_t (x_t + (1_{s_t'} - p_t) V)|_{Lambda^{-1}} for V in [0, H]^S is largest at a corner, V in
               {0, H}^S: it is convex in V.
    doubling   |x|^2_{A^{-1}} <= (det B / det A) |x|^2_{B^{-1}} for B >= A > 0, with equality for B = A + c x x^T.

Both are tried near equality: values next to a corner, B that grows along x.
"""

from __future__ import annotations

import itertools

import numpy as np

__all__ = ["corners", "doubling", "false_corners", "false_doubling"]


def _norms(V: np.ndarray, phi: np.ndarray, noise: np.ndarray, steps: np.ndarray, Lam: np.ndarray) -> np.ndarray:
    """The norm for every row of V."""
    sums = (noise + V @ steps.T) @ phi
    return np.asarray(np.sqrt(np.einsum("vi,vi->v", sums, np.linalg.solve(Lam, sums.T).T)))


def _corners(rng: np.random.Generator, at_most: int) -> tuple[float, str]:
    """The largest excess over the corners with at most `at_most` entries above zero."""
    worst, where = -np.inf, ""
    for _ in range(10):
        S, d, n, H = int(rng.integers(2, 6)), int(rng.integers(1, 4)), int(rng.integers(1, 12)), rng.uniform(1.0, 9.0)
        phi, noise = rng.normal(size=(n, d)), rng.uniform(-0.5, 0.5, size=n)
        steps = np.eye(S)[rng.integers(S, size=n)] - rng.dirichlet(np.ones(S), size=n)
        Lam = np.eye(d) + phi.T @ phi
        cube = H * np.array([c for c in itertools.product((0.0, 1.0), repeat=S) if sum(c) <= at_most])
        # values in the cube, and some next to a corner of it
        V = H * np.vstack([rng.random((20, S)), np.clip(rng.integers(2, size=(20, S)) + rng.normal(0, 0.01), 0, 1)])
        data = (phi, noise, steps, Lam)
        excess = float(_norms(V, *data).max() - _norms(cube, *data).max())
        if excess > worst or excess != excess:
            worst, where = excess, f"S={S}, d={d}, n={n}, H={H:.3g}"
    return worst, where


def _doubling(rng: np.random.Generator, power: float) -> tuple[float, str]:
    worst, where = -np.inf, ""
    for _ in range(20):
        d, n = int(rng.integers(1, 5)), int(rng.integers(1, 4))
        a = rng.normal(size=(d + 1, d))
        A, x = a.T @ a + 0.1 * np.eye(d), rng.normal(size=d)
        y = np.vstack([x * rng.uniform(0.5, 2.0), rng.normal(size=(n, d)) * rng.choice([0.0, 0.01, 1.0])])
        B = A + y.T @ y
        ratio = np.exp(power * (np.linalg.slogdet(B)[1] - np.linalg.slogdet(A)[1]))
        excess = float(x @ np.linalg.solve(A, x) / (ratio * (x @ np.linalg.solve(B, x))) - 1.0)
        if excess > worst or excess != excess:
            worst, where = excess, f"d={d}, {n + 1} vectors"
    return worst, where


def corners(rng: np.random.Generator) -> tuple[float, str]:
    """Largest norm at values in the cube minus the largest at its corners, and where."""
    return _corners(rng, 99)


def false_corners(rng: np.random.Generator) -> tuple[float, str]:
    """The false twin: corners with one entry above zero at most."""
    return _corners(rng, 1)


def doubling(rng: np.random.Generator) -> tuple[float, str]:
    """Largest |x|^2_{A^{-1}} over its bound, minus 1, and where."""
    return _doubling(rng, 1.0)


def false_doubling(rng: np.random.Generator) -> tuple[float, str]:
    """The false twin: the square root of the ratio of determinants."""
    return _doubling(rng, 0.5)
