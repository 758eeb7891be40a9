"""Self-normalised bound of ridge regression: the deterministic part for any data, the probability without sampling.

V_n = lam I + sum x x^T and S_n = sum x eta, with x chosen from what was seen and eta R-subgaussian given that.

    ridge error    theta_hat - theta = V^-1 S - lam V^-1 theta, for r = <x, theta> + eta                    [derived]
                   |<x, theta_hat - theta>| <= ||x||_{V^-1} (||S||_{V^-1} + sqrt(lam) ||theta||)
    mixture        E exp(||S||^2_{V^-1} / (2 R^2)) (lam^d / det V)^(1/2) <= 1            abbasi2011, lemma 9 [recalled]
    theorem 1      P(some n: ||S||^2_{V^-1} > 2 R^2 ln(det(V)^(1/2) / (lam^(d/2) delta))) <= delta           [recalled]

The last two are computed exactly for random signs (R = 1): all 2^n sequences at once, the vector of each round a
function of the signs before it, chosen at random, along S, or where V knows least. The mean of the mixture tends to 1
for short vectors; theorem 1 is far from equality, as its price is paid once for all times and all rules.
"""

from __future__ import annotations

import math

import numpy as np

__all__ = ["exact_tail", "false_exact_tail", "false_ridge_error", "ridge_error", "tail"]

LONGEST = 10


def _ridge(rng: np.random.Generator, biased: bool) -> tuple[float, str]:
    worst, where = -np.inf, ""
    for _ in range(20):
        d, n = int(rng.integers(1, 6)), int(rng.integers(1, 30))
        lam = float(np.exp(rng.uniform(-3.0, 3.0)))
        X = rng.normal(size=(n, d)) * float(np.exp(rng.uniform(-4.0, 1.0)))
        theta, eta = rng.normal(size=d), rng.normal(size=n) * float(np.exp(rng.uniform(-3.0, 1.0)))
        V, S = lam * np.eye(d) + X.T @ X, X.T @ eta
        error = np.linalg.solve(V, X.T @ (X @ theta + eta)) - theta
        explained = np.linalg.solve(V, S) - lam * np.linalg.solve(V, theta)
        # along V^-1 (S - lam theta), where Cauchy-Schwarz is an equality, and anywhere
        for x in (V @ error, rng.normal(size=d)):
            width = math.sqrt(float(x @ np.linalg.solve(V, x)))
            norm = math.sqrt(float(S @ np.linalg.solve(V, S)))
            bias = math.sqrt(lam) * float(np.linalg.norm(theta)) if biased else 0.0
            sides = (
                ("identity", float(np.abs(error - explained).max()) - 1e-9),
                ("width", (abs(float(x @ error)) / width - norm - bias) / (1.0 + norm + bias)),
            )
            for name, value in sides:
                if value > worst or value != value:
                    worst, where = value, f"{name} at n={n}, d={d}, lam={lam:.3g}"
    return worst, where


def ridge_error(rng: np.random.Generator) -> tuple[float, str]:
    """Largest excess of the identity or the inequality, and where."""
    return _ridge(rng, True)


def false_ridge_error(rng: np.random.Generator) -> tuple[float, str]:
    """The false twin: sqrt(lam) ||theta|| is left out."""
    return _ridge(rng, False)


def tail(arms: np.ndarray, lam: float, delta: float, n: int, rule: int, seed: int, growth: bool) -> tuple[float, float]:
    """P(theorem 1's bound fails at some time up to n) and the largest mean of the mixture, over all 2^n sign sequences.

    arms (A, d): what may be played; rule 0 at random (a fixed arm for each history), 1 along S, 2 where ||x||_{V^-1} is
    largest. Without `growth` the determinant is left out of the bound.
    """
    rng = np.random.Generator(np.random.Philox(key=seed))
    d = arms.shape[1]
    V, S = np.tile(lam * np.eye(d), (1, 1, 1)), np.zeros((1, d))
    failed, mixture = np.zeros(1, dtype=bool), 0.0
    for _ in range(n):  # node i of depth t becomes nodes i and i + 2^t
        if rule == 0:
            at = rng.integers(len(arms), size=len(S))
        elif rule == 1:
            at = np.argmax(np.abs(S @ arms.T), axis=1)
        else:
            at = np.argmax(np.einsum("ai,tij,aj->ta", arms, np.linalg.inv(V), arms), axis=1)
        x = arms[at]
        V = np.tile(V + x[:, :, None] * x[:, None, :], (2, 1, 1))
        S = np.concatenate([S + x, S - x])
        square = np.einsum("ti,ti->t", S, np.linalg.solve(V, S[:, :, None])[:, :, 0])
        log_ratio = np.linalg.slogdet(V)[1] - d * math.log(lam)
        limit = 2.0 * math.log(1.0 / delta) + (log_ratio if growth else 0.0)
        failed = np.tile(failed, 2) | (square > limit)
        mixture = max(mixture, float(np.exp(0.5 * (square - log_ratio)).mean()))
    return float(failed.mean()), mixture


def _tail_excess(rng: np.random.Generator, growth: bool) -> tuple[float, str]:
    worst, where = -np.inf, ""
    for _ in range(4):
        d, rule = int(rng.integers(1, 4)), int(rng.integers(3))
        arms = rng.normal(size=(int(rng.integers(1, 5)), d)) * float(np.exp(rng.uniform(-2.0, 1.0)))
        lam, delta = float(np.exp(rng.uniform(-5.0, 3.0))), float(rng.uniform(0.02, 0.6))
        n = int(rng.integers(4, LONGEST + 1))
        failing, mixture = tail(arms, lam, delta, n, rule, int(rng.integers(1 << 30)), growth)
        about = f"n={n}, d={d}, arms={len(arms)}, lam={lam:.3g}, delta={delta:.3g}, rule {rule}"
        for name, value in (("theorem 1", failing - delta), ("mixture", mixture - 1.0)):
            if value > worst or value != value:
                worst, where = value, f"{name} at {about}"
    return worst, where


def exact_tail(rng: np.random.Generator) -> tuple[float, str]:
    """Largest P(bound fails) - delta or mean of the mixture - 1, and where."""
    return _tail_excess(rng, True)


def false_exact_tail(rng: np.random.Generator) -> tuple[float, str]:
    """The false twin: the determinant is left out of the bound."""
    return _tail_excess(rng, False)
