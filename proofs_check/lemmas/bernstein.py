"""Variances: the empirical Bernstein inequality on coins, summed exactly, and the law of total variance.

For n independent values in an interval of length B with mean x, average x_n and variance V_n (divided by n - 1),

    P( |x_n - x| > sqrt(2 V_n L / n) + 7 B L / (3 (n - 1)) ) <= 3 exp(-L),     n >= 2

Source: Maurer and Pontil (2009), theorem 4 [recalled: one-sided, 2 exp(-L)]; the other side shares its event on V_n,
and adds exp(-L) [derived]. For coins of rate x the probability is a binomial sum.

For a policy with values V_h and rewards that do not depend on the next state, the variance of the return from (0, s) is
E sum_h [Var r(s_h, a_h) + Var_p(V_{h+1})]. The left side is found from the second moment of the return, M_h = E r^2 + 2
r pV_{h+1} + p M_{h+1} [derived].
"""

from __future__ import annotations

import math

import numpy as np

__all__ = ["false_twin", "probability", "quantity", "return_variance", "stage_variances", "total_variance",
           "wrong_total_variance"]  # fmt: skip


def probability(n: int, rate: float, L: float, lower_order: float = 7.0 / 3.0) -> float:
    """P(|x_n - rate| > width) for n coins, with `lower_order` in place of 7/3."""
    from scipy.stats import binom

    heads = np.arange(n + 1)
    average = heads / n
    variance = average * (1.0 - average) * n / (n - 1.0)
    width = np.sqrt(2.0 * variance * L / n) + lower_order * L / (n - 1.0)
    return float(binom.pmf(heads, n, rate)[np.abs(average - rate) > width].sum())


def _excess(rng: np.random.Generator, lower_order: float) -> tuple[float, str]:
    worst, where = -math.inf, ""
    for _ in range(20):
        n, L = int(np.exp(rng.uniform(np.log(2), np.log(2000)))), float(rng.uniform(1.1, 6.0))
        # small rates are hard: with no head at all the empirical variance is zero
        rate = float(min(0.5, rng.exponential(3.0) / n))
        value = probability(n, rate, L, lower_order) / (3.0 * math.exp(-L)) - 1.0
        if value > worst:
            worst, where = value, f"n={n}, rate={rate:.3g}, L={L:.3g}"
    return worst, where


def quantity(rng: np.random.Generator) -> tuple[float, str]:
    """Largest probability relative to 3 exp(-L), less one, over random n, rates and L."""
    return _excess(rng, 7.0 / 3.0)


def false_twin(rng: np.random.Generator) -> tuple[float, str]:
    """The false twin: a lower-order term of L / (3 (n - 1)), that of the true variance, for 7 L / (3 (n - 1))."""
    return _excess(rng, 1.0 / 3.0)


def return_variance(P: np.ndarray, r: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Variance of the return from (0, s): P (H,S,S), mean rewards r and their second moments (H,S), of one policy."""
    V, M = np.zeros(P.shape[1]), np.zeros(P.shape[1])
    for h in range(len(P) - 1, -1, -1):
        V, M = r[h] + P[h] @ V, second[h] + 2.0 * r[h] * (P[h] @ V) + P[h] @ M
    return np.asarray(M - V**2)


def stage_variances(P: np.ndarray, r: np.ndarray, second: np.ndarray, ahead: int = 1) -> np.ndarray:
    """E sum_h [Var r + Var_p(V_{h+ahead})] from (0, s); `ahead` = 1 is the law of total variance."""
    H, S = r.shape
    V = np.zeros((H + 2, S))
    for h in range(H - 1, -1, -1):
        V[h] = r[h] + P[h] @ V[h + 1]
    total = np.zeros(S)
    for h in range(H - 1, -1, -1):
        v = V[h + ahead]
        total = second[h] - r[h] ** 2 + P[h] @ v**2 - (P[h] @ v) ** 2 + P[h] @ total
    return total


def _difference(rng: np.random.Generator, ahead: int) -> tuple[float, str]:
    worst, where = -math.inf, ""
    for _ in range(20):
        H, S = int(rng.integers(1, 9)), int(rng.integers(1, 7))
        P = rng.dirichlet(np.full(S, 0.5), size=(H, S))
        r = rng.random((H, S))
        second = np.where(rng.random((H, S)) < 0.5, r, r**2)  # Bernoulli or deterministic
        value = float(np.max(np.abs(return_variance(P, r, second) - stage_variances(P, r, second, ahead))))
        if value > worst:
            worst, where = value, f"H={H}, S={S}"
    return worst, where


def total_variance(rng: np.random.Generator) -> tuple[float, str]:
    """Largest difference of the two sides over random kernels, rewards and horizons."""
    return _difference(rng, 1)


def wrong_total_variance(rng: np.random.Generator) -> tuple[float, str]:
    """The false twin: the variance of V_h for that of V_{h+1}."""
    return _difference(rng, 0)
