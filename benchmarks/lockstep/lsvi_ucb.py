"""LSVI-UCB, R replicates in lock-step: the linear algebra of all replicates in batched calls of NumPy.

The same estimator and the same savings as the kernel: sums of features by successor in place of the history, the
inverse and the width of every pair carried along by rank-one updates, here of all stages of an episode at once.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def lockstep(model: Any, replicates: int, episodes: int, seed: int, params: dict[str, Any]) -> np.ndarray:
    """Sum of rewards of each replicate, shape (R,); params: c, delta, lam, scale as for the learner."""
    given = {"c": 1.0, "delta": 0.1, "lam": 1.0, "scale": 1.0, **params}
    R, H, S, A, d = replicates, model.H, model.S, model.A, model.d
    iota = math.log(2 * d * episodes * H / given["delta"])
    beta, lam = given["scale"] * given["c"] * d * H * math.sqrt(iota), given["lam"]
    rng, rows, every = np.random.default_rng(seed), np.arange(R), np.arange(H)[:, None]
    features = np.ascontiguousarray(model.phi.reshape(S * A, d))
    columns = np.ascontiguousarray(features.T)
    law = np.broadcast_to(model.P, (H, S, A, S)).reshape(H, S * A, S)
    cumulative, mean = np.cumsum(law, axis=2)[:, :, :-1], model.r.ravel()
    start, random = np.cumsum(model.mu0)[:-1], model.reward_law.kind == "bernoulli"

    inverse = np.tile(np.eye(d) / lam, (H, R, 1, 1))
    width = np.tile((features * features).sum(axis=1) / lam, (H, R, 1))
    after, paid = np.zeros((H, R, S, d)), np.zeros((H, R, d))
    Q, bonus, square = np.empty((H, R, S * A)), np.empty((H, R, S * A)), np.empty((H, R, S * A))
    pairs, successors, rewards = np.empty((H, R), int), np.empty((H, R), int), np.empty((H, R))
    total = np.zeros(R)
    for _ in range(episodes):
        np.sqrt(width, out=bonus)
        bonus *= beta
        V = np.zeros((R, S))
        for h in reversed(range(H)):
            right = paid[h] + (V[:, None, :] @ after[h])[:, 0]
            w = (inverse[h] @ right[:, :, None])[:, :, 0]
            np.matmul(w, columns, out=Q[h])
            Q[h] += bonus[h]
            np.minimum(Q[h], H, out=Q[h])
            V = Q[h].reshape(R, S, A).max(axis=2)
        u, v = rng.random((H, R)), rng.random((H, R))
        s = (rng.random(R)[:, None] >= start).sum(axis=1)
        for h in range(H):
            a = Q[h].reshape(R, S, A)[rows, s].argmax(axis=1)
            pairs[h] = s * A + a
            s = (u[h][:, None] >= cumulative[h, pairs[h]]).sum(axis=1)
            successors[h] = s
        rewards[:] = v < mean[pairs] if random else mean[pairs]
        total += rewards.sum(axis=0)
        x = features[pairs]
        after[every, rows, successors] += x
        paid += x * rewards[:, :, None]
        y = (inverse @ x[:, :, :, None])[:, :, :, 0]
        shrink = 1.0 / (1.0 + (x * y).sum(axis=2))
        inverse -= (y * shrink[:, :, None])[:, :, :, None] * y[:, :, None, :]
        np.matmul(y, columns, out=square)
        square *= square
        square *= shrink[:, :, None]
        width -= square
    return total
