"""OFUL, determinant radius, R replicates in lock-step: batched rank-one updates, a round some calls of NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np


def lockstep(model: Any, replicates: int, rounds: int, seed: int, delta: float = 0.05) -> np.ndarray:
    """Sum of gaps of each replicate, shape (R,); lam = R = S_theta = 1, Gaussian noise of the model's sd."""
    rng = np.random.default_rng(seed)
    X, mean, sd = np.asarray(model.features), np.asarray(model.means), float(model.reward_law.sd)
    A, d = X.shape
    rows = np.arange(replicates)
    inverse = np.tile(np.eye(d), (replicates, 1, 1))
    theta, log_det = np.zeros((replicates, d)), np.zeros(replicates)
    square = np.tile((X * X).sum(axis=1), (replicates, 1))
    value, plays = np.zeros((replicates, A)), np.zeros((replicates, A))
    for _ in range(rounds):
        beta = np.sqrt(2.0 * np.log(1.0 / delta) + log_det) + 1.0
        a = (value + beta[:, None] * np.sqrt(square)).argmax(axis=1)
        plays[rows, a] += 1.0
        r = mean[a] + sd * rng.standard_normal(replicates)
        x = X[a]
        u = np.matmul(inverse, x[:, :, None])[:, :, 0]
        w = np.einsum("ri,ri->r", x, u)
        shrink = 1.0 / (1.0 + w)
        gain = shrink * (r - value[rows, a])
        inverse -= (shrink[:, None] * u)[:, :, None] * u[:, None, :]
        log_det += np.log1p(w)
        theta += gain[:, None] * u
        z = u @ X.T
        value += gain[:, None] * z
        square -= shrink[:, None] * (z * z)
    return np.asarray(plays @ (mean.max() - mean))
