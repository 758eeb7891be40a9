"""UCBVI-CH by hand: a stationary model with H stages, deterministic rewards, no exact evaluation of the policies.

Beyond the plain loop: pairs (s, a) are one index; rows of the empirical kernel are next states, so that the sums over
them run along memory for all pairs at once, four next states a pass; only what was visited in the last episode is
renewed; the greedy pairs are kept; the next state of a site's next visit is drawn right after a visit, so that Philox
is off the path from state to state; the scan of the cumulative law has no branch.

With the paper's constants no plan does any work for the first (7 L)^2 visits of a pair, so the bonus is scaled.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit

from benchmarks.limits.philox import ENVIRONMENT, INITIAL, both, successor, words

#: parameters that `run` must be given for the same curves
PARAMS = {"scale": 0.01, "delta": 0.1}


@njit(nogil=True, error_model="numpy")
def plan(N, n, moves, p_hat, bonus, mean, value, r, Q, V, greedy, S, A, H, width):
    """Optimistic values Q (H, S*A) and V (H+1, S) of the next episode, and its pairs greedy (H, S)."""
    X = S * A
    for x in range(X):
        if N[x] != n[x]:
            n[x] = N[x]
            for y in range(S):
                p_hat[y, x] = moves[y, x] / n[x]
            bonus[x] = width / np.sqrt(float(n[x]))
    horizon = float(H)
    for h in range(H - 1, -1, -1):
        for x in range(X):
            mean[x] = 0.0
        y = 0
        while y + 3 < S:
            v0, v1, v2, v3 = V[h + 1, y], V[h + 1, y + 1], V[h + 1, y + 2], V[h + 1, y + 3]
            for x in range(X):
                two = (mean[x] + p_hat[y, x] * v0) + p_hat[y + 1, x] * v1
                mean[x] = (two + p_hat[y + 2, x] * v2) + p_hat[y + 3, x] * v3
            y += 4
        while y < S:
            v = V[h + 1, y]
            for x in range(X):
                mean[x] += p_hat[y, x] * v
            y += 1
        for x in range(X):
            value[x] = min(Q[h, x], min(horizon, r[x] + mean[x] + bonus[x]))
            Q[h, x] = value[x]
        for s in range(S):
            best = s * A
            top = value[best]
            for x in range(s * A + 1, s * A + A):
                best = x if value[x] > top else best
                top = value[x] if value[x] > top else top
            V[h, s] = top
            greedy[h, s] = best


@njit(nogil=True, error_model="numpy")
def loop(succ, cum, mean_r, mu0_cum, gaps, S, A, H, width, k0, k1, R, checkpoints, curve):
    """R replicates; curve (R, checkpoints, 3) takes NaN (no exact regret), gap regret and reward."""
    X = S * A
    N, n = np.empty(X, np.int64), np.empty(X, np.int64)
    visits, ahead = np.empty(H * X, np.int64), np.empty(H * X, np.int64)
    moves, p_hat = np.empty((S, X), np.int64), np.empty((S, X))
    bonus, mean, value = np.empty(X), np.empty(X), np.empty(X)
    Q, V, greedy = np.empty((H, X)), np.empty((H + 1, S)), np.empty((H, S), np.int64)
    for i in range(R):
        replicate = np.uint64(i)
        N[:] = 0
        n[:] = 0
        visits[:] = 0
        ahead[:] = -1
        moves[:] = 0
        p_hat[:] = 0.0
        bonus[:] = float(H)
        Q[:] = float(H)
        V[:H] = float(H)
        V[H] = 0.0
        gap = 0.0
        reward = 0.0
        k_from = 0
        for c in range(checkpoints.size):
            k_to = checkpoints[c]
            for k in range(k_from, k_to):
                plan(N, n, moves, p_hat, bonus, mean, value, mean_r, Q, V, greedy, S, A, H, width)
                u, _ = both(np.uint64(k), np.uint64(0), replicate, INITIAL, k0, k1)
                s = 0
                while u >= mu0_cum[s]:
                    s += 1
                for h in range(H):
                    x = greedy[h, s]
                    site = h * X + x
                    visit = visits[site]
                    s2 = ahead[site]
                    if s2 < 0:
                        u, _ = both(np.uint64(visit), np.uint64(site), replicate, ENVIRONMENT, k0, k1)
                        s2 = successor(succ, cum, x, u)
                    visits[site] = visit + 1
                    u, _ = both(np.uint64(visit + 1), np.uint64(site), replicate, ENVIRONMENT, k0, k1)
                    ahead[site] = successor(succ, cum, x, u)
                    N[x] += 1
                    moves[s2, x] += 1
                    gap += gaps[site]
                    reward += mean_r[x]
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
    L = log(5.0 * S * A * (int(checkpoints[-1]) * H) / PARAMS["delta"])
    width = PARAMS["scale"] * 7.0 * H * L
    fixed = (tb["succ"], tb["cum"], tb["r_mean"], tb["mu0_cum"], np.ravel(tb["gap"]), S, A, H, width)
    return lambda curve: loop(*fixed, k0, k1, replicates, checkpoints, curve)
