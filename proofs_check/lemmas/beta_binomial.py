"""Facts on Beta posteriors with whole-numbered parameters that the analysis of Thompson sampling rests on.

    fact 1    P(Beta(a, b) <= y) = P(Bin(a + b - 1, y) >= a)                                   [agrawal2013: source]
    lemma 1   of two arms with independent samples, and y: P(arm 2 is played, theta_2 <= y)
              <= (1 - p)/p P(arm 1 is played, theta_2 <= y),  p = P(theta_1 > y)               [agrawal2013: recalled]

`distribution` is fact 1 as a kernel: the probability integral transform of the samples of a run. It sums the binomial
law from its term a away from the mode, with a table of ln k!.
"""

from __future__ import annotations

import math

import numpy as np

from theorylab.kernel import exp, kernel, log

__all__ = [
    "distribution", "false_identity", "false_ratio", "identity", "log_factorials", "ratio",
]  # fmt: skip


def log_factorials(n: int) -> np.ndarray:
    """ln k! for k = 0..n."""
    from scipy.special import gammaln

    return np.asarray(gammaln(np.arange(n + 1) + 1.0))


@kernel
def distribution(x, up, down, log_factorial):  # type: ignore[no-untyped-def]
    """P(Beta(up + 1, down + 1) <= x), up and down whole, 0 < x < 1."""
    n = up + down + 1
    upper_tail = up + 1 >= (n + 1) * x  # the terms fall from here on upwards
    j = up + 1 if upper_tail else up
    odds = x / (1.0 - x)
    term = exp(log_factorial[n] - log_factorial[j] - log_factorial[n - j] + j * log(x) + (n - j) * log(1.0 - x))
    total = term
    while term > 1e-17 * total and 0 < j < n:
        if upper_tail:
            term = term * (n - j) * odds / (j + 1.0)
            j += 1
        else:
            term = term * j / ((n - j + 1.0) * odds)
            j -= 1
        total += term
    return total if upper_tail else 1.0 - total


def _identity(rng: np.random.Generator, more: int) -> tuple[float, str]:
    from scipy.special import betainc

    call, table = distribution.build("python"), log_factorials(3000)
    worst, where = -math.inf, ""
    for _ in range(40):
        up, down = (int(x) for x in np.exp(rng.uniform(0.0, np.log(1400.0), 2)) - 1.0)
        spread = math.sqrt((up + 1.0) * (down + 1.0) / (up + down + 3.0)) / (up + down + 2.0)
        x = float(np.clip((up + 1.0) / (up + down + 2.0) + rng.normal() * spread, 1e-9, 1.0 - 1e-9))
        value = abs(call(x, up, down + more, table) - float(betainc(up + 1.0, down + 1.0, x)))
        if value - 1e-10 > worst:
            worst, where = value - 1e-10, f"Beta({up + 1}, {down + 1}) at {x:.4g}"
    return worst, where


def identity(rng: np.random.Generator) -> tuple[float, str]:
    """Largest distance of the two sides of fact 1, the left side by scipy's incomplete beta function."""
    return _identity(rng, 0)


def false_identity(rng: np.random.Generator) -> tuple[float, str]:
    """The false twin: one toss more."""
    return _identity(rng, 1)


def _ratio(rng: np.random.Generator, factor: float) -> tuple[float, str]:
    from scipy.special import betainc, betaincinv

    nodes, weights = np.polynomial.legendre.leggauss(40)
    worst, where = -math.inf, ""
    for _ in range(15):
        # near equality theta_1 varies little where theta_2 does: a wide law and a narrow one
        (a1, b1), (a2, b2) = np.exp(rng.uniform(0.0, np.log(4.0), 2)), np.exp(rng.uniform(1.0, np.log(3000.0), 2))
        below = float(np.exp(rng.uniform(np.log(1e-4), 0.0)))
        y = float(betaincinv(a2, b2, below))
        p = 1.0 - float(betainc(a1, b1, y))
        if not 1e-6 < p < 1.0 - 1e-6:
            continue
        first = betainc(a1, b1, betaincinv(a2, b2, below * (nodes + 1.0) / 2.0))  # P(theta_1 <= theta_2) along theta_2
        second_plays = float(weights @ first) / 2.0
        value = second_plays / (factor * (1.0 - p) / p * (1.0 - second_plays)) - 1.0
        if value > worst:
            worst, where = value, f"Beta({a1:.3g}, {b1:.3g}), Beta({a2:.3g}, {b2:.3g}), y={y:.3g}"
    return worst, where


def ratio(rng: np.random.Generator) -> tuple[float, str]:
    """Largest relative excess of the left side of lemma 1 over its right side."""
    return _ratio(rng, 1.0)


def false_ratio(rng: np.random.Generator) -> tuple[float, str]:
    """The false twin: 0.8 (1 - p)/p."""
    return _ratio(rng, 0.8)
