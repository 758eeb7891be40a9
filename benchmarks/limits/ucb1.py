"""UCB1 by hand: one bandit, deterministic or Bernoulli rewards.

Beyond the plain loop: the mean of an arm is renewed only when it is played; the widths of all arms form a loop that
vectorises; the best arm is found as the maximum and then its first place, which does not mispredict; the outcome of
an arm's next play is computed right after a play, so that Philox is off the path from one decision to the next.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit

from benchmarks.limits.philox import ENVIRONMENT, both, log, words


@njit(nogil=True, error_model="numpy")
def loop(mean, gaps, bernoulli, scale, k0, k1, R, checkpoints, curve):
    """R replicates; curve (R, checkpoints, 3) takes regret, gap regret and reward."""
    A = mean.size
    plays, total, average, index, ahead = np.empty(A), np.empty(A), np.empty(A), np.empty(A), np.empty(A)
    for i in range(R):
        replicate = np.uint64(i)
        for a in range(A):
            plays[a] = 0.0
            total[a] = 0.0
            average[a] = 0.0
            ahead[a] = mean[a]
            if bernoulli:
                _, v = both(np.uint64(0), np.uint64(a), replicate, ENVIRONMENT, k0, k1)
                ahead[a] = 1.0 if v < mean[a] else 0.0
        regret = 0.0
        reward = 0.0
        t0 = 0
        for c in range(checkpoints.size):
            t1 = checkpoints[c]
            for t in range(t0, t1):
                if t < A:
                    a = t
                else:
                    two_log = 2.0 * log(float(t))
                    for b in range(A):
                        index[b] = average[b] + scale * np.sqrt(two_log / plays[b])
                    top = index[0]
                    for b in range(1, A):
                        top = max(top, index[b])
                    a = 0
                    while index[a] != top:
                        a += 1
                r = ahead[a]
                n = plays[a] + 1.0
                plays[a] = n
                s = total[a] + r
                total[a] = s
                average[a] = s / n
                regret += gaps[a]
                reward += r
                if bernoulli:
                    _, v = both(np.uint64(np.int64(n)), np.uint64(a), replicate, ENVIRONMENT, k0, k1)
                    ahead[a] = 1.0 if v < mean[a] else 0.0
            curve[i, c, 0] = regret
            curve[i, c, 1] = regret
            curve[i, c, 2] = reward
            t0 = t1


def prepare(model: Any, replicates: int, checkpoints: np.ndarray, seed: int) -> Callable[[np.ndarray], None]:
    """A function that fills a curve of shape (replicates, checkpoints, 3)."""
    kind = model.reward_law.kind
    if kind not in ("bernoulli", "deterministic"):
        raise ValueError(f"this loop knows bernoulli and deterministic rewards, not {kind}")
    k0, k1 = words(seed)
    mean, gaps = np.array(model.means), np.array(model.gaps)
    return lambda curve: loop(mean, gaps, kind == "bernoulli", 1.0, k0, k1, replicates, checkpoints, curve)
