"""What bounds of all LOOP learners (he2024) share: failure probabilities, the trivial bound, orders of coefficients."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from theorylab.claim import Context


def level(times: float) -> Callable[[Context], float]:
    """A failure probability of some deltas."""

    def failure(c: Context) -> float:
        return min(1.0, times * float(c.delta))

    return failure


def trivial(c: Context, n: np.ndarray) -> np.ndarray:
    """n times the optimal gain: rewards are not negative."""
    return np.asarray(n, dtype=float) * float(c.gain)


def pairs_shape(c: Context, n: np.ndarray) -> np.ndarray:
    """S A (1 + ln n)."""
    return np.asarray(c.S * c.A * (1.0 + np.log(np.maximum(np.asarray(n, dtype=float), 1.0))))


def one_shape(c: Context, n: np.ndarray) -> np.ndarray:
    """S A."""
    return np.full(np.shape(n), float(c.S * c.A))
