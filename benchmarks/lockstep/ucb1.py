"""UCB1 on Bernoulli arms, R replicates in lock-step: arrays (R, A), a round a few calls of NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np


def lockstep(model: Any, replicates: int, rounds: int, seed: int) -> np.ndarray:
    """Sum of gaps of each replicate, shape (R,)."""
    rng = np.random.default_rng(seed)
    mean, rows = np.asarray(model.means), np.arange(replicates)
    A = mean.size
    N, total = np.zeros((replicates, A)), np.zeros((replicates, A))
    width = np.empty((replicates, A))
    for t in range(rounds):
        if t < A:
            a = np.full(replicates, t)
        else:
            np.divide(2.0 * np.log(t), N, out=width)
            np.sqrt(width, out=width)
            width += total / N
            a = width.argmax(axis=1)
        N[rows, a] += 1.0
        total[rows, a] += rng.random(replicates) < mean[a]
    return np.asarray(N @ (mean.max() - mean))
