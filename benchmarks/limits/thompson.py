"""Thompson sampling by hand: one Bernoulli bandit, Beta(1, 1) priors.

Beyond the plain loop: shapes are at least one, so that a gamma draw needs no boost; the constants of Marsaglia and
Tsang's sampler (shape - 1/3 and its width) are kept and renewed only for the arm that was played; rewards are 0 or 1,
so that no coin is tossed; the outcome of an arm's next play is computed right after a play.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit

from benchmarks.limits.philox import ENVIRONMENT, both, log, words
from theorylab import special

LEARNER = np.uint64(2)
normal_of = special.normal_of.build("cpu")  # the polynomials are the library's
HALF_CELL = 5.551115123125783e-17
S8 = np.uint64(8)


@njit(nogil=True, error_model="numpy", inline="always")
def gamma(t, a, replicate, k0, k1, d, c, index):
    """A gamma draw with the kept constants d and c, and the next block."""
    while True:
        u, w = both(t, a, replicate, LEARNER | (np.uint64(index) << S8), k0, k1)
        index += 1
        x = normal_of(u)
        v = 1.0 + c * x
        if v > 0.0:
            v = v * v * v
            if w < 1.0 - 0.0331 * (x * x) * (x * x):
                return d * v, index
            if log(w + HALF_CELL) < 0.5 * x * x + d - d * v + d * log(v):
                return d * v, index


@njit(nogil=True, error_model="numpy")
def loop(mean, gaps, k0, k1, R, checkpoints, curve):
    """R replicates; curve (R, checkpoints, 3) takes regret, gap regret and reward."""
    A = mean.size
    plays, ahead = np.empty(A, np.int64), np.empty(A)
    d_up, c_up, d_down, c_down = np.empty(A), np.empty(A), np.empty(A), np.empty(A)
    for i in range(R):
        replicate = np.uint64(i)
        for a in range(A):
            plays[a] = 0
            d_up[a] = d_down[a] = 1.0 - 1.0 / 3.0
            c_up[a] = c_down[a] = 1.0 / np.sqrt(9.0 * d_up[a])
            _, v = both(np.uint64(0), np.uint64(a), replicate, ENVIRONMENT, k0, k1)
            ahead[a] = 1.0 if v < mean[a] else 0.0
        up, down = np.ones(A), np.ones(A)
        regret = 0.0
        reward = 0.0
        t0 = 0
        for c in range(checkpoints.size):
            t1 = checkpoints[c]
            for t in range(t0, t1):
                best = 0
                top = -1.0
                for a in range(A):
                    x, used = gamma(np.uint64(t), np.uint64(a), replicate, k0, k1, d_up[a], c_up[a], 0)
                    y, used = gamma(np.uint64(t), np.uint64(a), replicate, k0, k1, d_down[a], c_down[a], used)
                    theta = x / (x + y)
                    if theta > top:
                        top = theta
                        best = a
                r = ahead[best]
                if r > 0.0:
                    up[best] += 1.0
                    d_up[best] = up[best] - 1.0 / 3.0
                    c_up[best] = 1.0 / np.sqrt(9.0 * d_up[best])
                else:
                    down[best] += 1.0
                    d_down[best] = down[best] - 1.0 / 3.0
                    c_down[best] = 1.0 / np.sqrt(9.0 * d_down[best])
                regret += gaps[best]
                reward += r
                plays[best] += 1
                _, v = both(np.uint64(plays[best]), np.uint64(best), replicate, ENVIRONMENT, k0, k1)
                ahead[best] = 1.0 if v < mean[best] else 0.0
            curve[i, c, 0] = regret
            curve[i, c, 1] = regret
            curve[i, c, 2] = reward
            t0 = t1


def prepare(model: Any, replicates: int, checkpoints: np.ndarray, seed: int) -> Callable[[np.ndarray], None]:
    """A function that fills a curve of shape (replicates, checkpoints, 3)."""
    if model.reward_law.kind != "bernoulli":
        raise ValueError(f"this loop knows bernoulli rewards, not {model.reward_law.kind}")
    k0, k1 = words(seed)
    mean, gaps = np.array(model.means), np.array(model.gaps)
    return lambda curve: loop(mean, gaps, k0, k1, replicates, checkpoints, curve)
