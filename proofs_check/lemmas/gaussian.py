"""The standard normal law as a perturbation, for linear Thompson sampling (abeille2017, definition 1): eta ~ N(0, I_d).

    anti-concentration   P(<u, eta> >= 1) >= p = 1/(4 sqrt(e pi)) = .08555 for ||u|| = 1     [recalled]
                         from  P(Z >= z) >= exp(-z^2/2) / (4 sqrt(pi) z), z >= 1             [recalled]
    concentration        P(||eta|| > sqrt(c d ln(c' d / delta))) <= delta with c = c' = 2    [recalled]

Both are exact numbers of the normal and chi-square laws: nothing is sampled. Neither is tight: P(Z >= 1) = .15866, so
the ratio of the two sides is at most .54 in the first, at z = 1; it is at most .24 in the second, at d = delta = 1.
"""

from __future__ import annotations

import math

import numpy as np

__all__ = ["P", "false_perturbation", "gamma", "perturbation"]

#: anti-concentration of the normal law, as printed
P = 1.0 / (4.0 * math.sqrt(math.e * math.pi))


def gamma(d: int, delta: float, c: float = 2.0) -> float:
    """sqrt(c d ln(2 d / delta)): the length that eta exceeds with probability at most delta."""
    return math.sqrt(c * d * math.log(2.0 * d / delta))


def _excess(rng: np.random.Generator, four: float, c: float) -> tuple[float, str]:
    from scipy.stats import chi2, norm

    z = np.concatenate([[1.0], rng.uniform(1.0, 6.0, 20)])
    lower = np.exp(-0.5 * z * z) / (four * math.sqrt(math.pi) * z)
    ratios = [
        (float(v), f"anti-concentration at z={at:.3g}") for v, at in zip(lower / norm.sf(z) - 1.0, z, strict=True)
    ]
    for _ in range(20):
        d, delta = int(rng.integers(1, 40)), float(np.exp(-rng.uniform(0.0, 25.0)))
        ratios.append((float(chi2.sf(gamma(d, delta, c) ** 2, d)) / delta - 1.0, f"d={d}, delta={delta:.3g}"))
    return max(ratios)


def perturbation(rng: np.random.Generator) -> tuple[float, str]:
    """Largest relative excess of either inequality, and where."""
    return _excess(rng, 4.0, 2.0)


def false_perturbation(rng: np.random.Generator) -> tuple[float, str]:
    """The false twin: 2 for 4 in the lower tail, c = 1."""
    return _excess(rng, 2.0, 1.0)
