"""UCB-H by hand: a stationary model with H stages, deterministic rewards, no exact evaluation of the policies.

Beyond the plain loop: the greedy action of a cell is kept and renewed only when the cell is updated; the next state
of a cell's next visit is drawn right after a visit, so that Philox is off the path from state to state; the scan
of the cumulative law has no branch. The state of one replicate is allocated once and stays in the cache.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit

from benchmarks.limits.philox import ENVIRONMENT, INITIAL, both, successor, words


@njit(nogil=True, error_model="numpy")
def loop(succ, cum, mean, mu0_cum, gaps, S, A, H, c_bonus, H3_iota, k0, k1, R, checkpoints, curve):
    """R replicates; curve (R, checkpoints, 3) takes NaN (no exact regret), gap regret and reward."""
    Q = np.empty((H, S, A))
    V = np.empty((H + 1, S))
    N = np.empty((H, S, A), np.int64)
    ahead = np.empty((H, S, A), np.int64)
    greedy = np.empty((H, S), np.int64)
    horizon = float(H)
    for i in range(R):
        replicate = np.uint64(i)
        Q[:] = horizon
        V[:H] = horizon
        V[H] = 0.0
        N[:] = 0
        ahead[:] = -1
        greedy[:] = 0
        gap = 0.0
        reward = 0.0
        k_from = 0
        for c in range(checkpoints.size):
            k_to = checkpoints[c]
            for k in range(k_from, k_to):
                u, _ = both(np.uint64(k), np.uint64(0), replicate, INITIAL, k0, k1)
                s = 0
                while u >= mu0_cum[s]:
                    s += 1
                for h in range(H):
                    a = greedy[h, s]
                    row = s * A + a
                    site = np.uint64(h * S * A + row)
                    n = N[h, s, a]
                    s2 = ahead[h, s, a]
                    if s2 < 0:
                        u, _ = both(np.uint64(n), site, replicate, ENVIRONMENT, k0, k1)
                        s2 = successor(succ, cum, row, u)
                    n += 1
                    N[h, s, a] = n
                    u, _ = both(np.uint64(n), site, replicate, ENVIRONMENT, k0, k1)
                    ahead[h, s, a] = successor(succ, cum, row, u)
                    r = mean[row]
                    rate = (horizon + 1.0) / (horizon + n)
                    bonus = c_bonus * np.sqrt(H3_iota / n)
                    Q[h, s, a] = (1.0 - rate) * Q[h, s, a] + rate * (r + V[h + 1, s2] + bonus)
                    best = 0
                    top = Q[h, s, 0]
                    for b in range(1, A):
                        q = Q[h, s, b]
                        best = b if q > top else best
                        top = q if q > top else top
                    greedy[h, s] = best
                    V[h, s] = min(horizon, top)
                    gap += gaps[h, s, a]
                    reward += r
                    s = s2
            curve[i, c, 0] = np.nan
            curve[i, c, 1] = gap
            curve[i, c, 2] = reward
            k_from = k_to


def prepare(model: Any, replicates: int, checkpoints: np.ndarray, seed: int) -> Callable[[np.ndarray], None]:
    """A function that fills a curve of shape (replicates, checkpoints, 3); the last checkpoint is K."""
    from theorylab.kernel import log
    from theorylab.truth import truth_of

    tb = truth_of(model).tables
    if model.reward_law.kind != "deterministic" or tb["stride"] != 0 or "alias" in tb:
        raise ValueError("this loop is for a stationary model of at most 32 successors and deterministic rewards")
    k0, k1 = words(seed)
    S, A, H = model.S, model.A, model.H
    iota = log(S * A * (int(checkpoints[-1]) * H) / 0.1)
    fixed = (tb["succ"], tb["cum"], tb["r_mean"], tb["mu0_cum"], tb["gap"], S, A, H, 2.0, float(H) * H * H * iota)
    return lambda curve: loop(*fixed, k0, k1, replicates, checkpoints, curve)
