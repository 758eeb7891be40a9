"""Weights of the learning rate a_n = (H+1)/(H+n): a_n^i = a_i prod_{j=i+1}^n (1 - a_j).

jin2018, lemma 4.1 [recalled]: they sum to one, max_i a_n^i <= 2H/n, sum_i (a_n^i)^2 <= 2H/n, and 1/sqrt(n) <= sum_i
a_n^i / sqrt(i) <= 2/sqrt(n), and sum_{n >= i} a_n^i = 1 + 1/H. Golden values at H = 20, n = 50: 0.179396 and 0.144852.
"""

from __future__ import annotations

import numpy as np

__all__ = ["false_rate_weights", "rate_weights", "weights"]


def weights(H: int, n: int) -> np.ndarray:
    """a_n^i for i = 1..n, shape (n,); H >= 1 stages."""
    rate = (H + 1.0) / (H + np.arange(1, n + 1))
    rest = np.concatenate([np.cumprod((1.0 - rate)[:0:-1])[::-1], [1.0]])
    return np.asarray(rate * rest)


def tail(H: int, i: int, t: int) -> float:
    """sum_{n=i}^t a_n^i: increasing in t, with limit 1 + 1/H."""
    n = np.arange(i + 1, t + 1)
    return float((H + 1.0) / (H + i) * (1.0 + np.cumprod(1.0 - (H + 1.0) / (H + n)).sum()))


def _excess(rng: np.random.Generator, squares: float, least_n: float) -> tuple[float, str]:
    worst, where = -np.inf, ""
    sizes = np.exp(rng.uniform(np.log(least_n), np.log(3000), 40)).astype(int)
    for H, n in zip(rng.integers(1, 60, 40), sizes, strict=True):
        w, i, root = weights(int(H), int(n)), np.arange(1, n + 1), np.sqrt(n)
        sides = (
            ("sum to one", abs(float(w.sum()) - 1.0) - 1e-9),
            ("max", float(w.max()) * n / (2.0 * H) - 1.0),
            ("sum of squares", float(w @ w) * n / (squares * H) - 1.0),
            ("lower", 1.0 - root * float(w @ i**-0.5)),
            ("upper", root * float(w @ i**-0.5) / 2.0 - 1.0),
            ("tail", tail(int(H), int(n), 4 * int(n)) / (1.0 + 1.0 / H) - 1.0),
        )
        for name, value in sides:
            if value > worst or value != value:
                worst, where = value, f"{name} at H={H}, n={n}"
    return worst, where


def rate_weights(rng: np.random.Generator) -> tuple[float, str]:
    """Largest relative excess over random H and n, and where."""
    return _excess(rng, 2.0, 1.0)


def false_rate_weights(rng: np.random.Generator) -> tuple[float, str]:
    """The false twin: sum of squares <= 0.4 H/n, for n >= 20, where nothing is trivial."""
    return _excess(rng, 0.4, 20.0)
