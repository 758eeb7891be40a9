"""UCRL2 by hand: an average-reward model with deterministic rewards.

Beyond the plain loop: pairs (s, a) are one index; one counter serves as the environment's visits and the learner's,
compared with the count at which an episode ends; the policy stores pairs; the next state of a pair's next visit is
drawn right after a visit, so that Philox is off the path from state to state; the scan of the law has no branch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit

from benchmarks.limits.philox import ENVIRONMENT, INITIAL, both, log, successor, words


@njit(nogil=True, error_model="numpy")
def plan(t, delta, S, A, seen, N, stop, total, moves, p_hat, r_up, half, u, u_next, order, pi):
    """Empirical model, radii and extended value iteration at time t; pi takes pairs."""
    log_r = log(2.0 * S * A * (t + 1.0) / delta)
    log_p = log(2.0 * A * (t + 1.0) / delta)
    for x in range(S * A):
        N[x] = seen[x]
        stop[x] = N[x] + max(1, N[x])
        n = float(max(1, N[x]))
        r_up[x] = min(1.0, total[x] / n + np.sqrt(7.0 * log_r / (2.0 * n)))
        half[x] = 0.5 * np.sqrt(14.0 * S * log_p / n)
        for y in range(S):
            p_hat[x, y] = moves[x, y] / n
    for s in range(S):
        u_next[s] = 0.0
    precision = 1.0 / np.sqrt(t + 1.0)
    while True:
        for s in range(S):
            u[s] = u_next[s]
        for i in range(1, S):
            x = order[i]
            j = i
            while j > 0:
                y = order[j - 1]
                if u[y] > u[x] or (u[y] == u[x] and y < x):
                    break
                order[j] = y
                j -= 1
            order[j] = x
        best = order[0]
        low = np.inf
        high = -np.inf
        for s in range(S):
            top = -np.inf
            for x in range(s * A, s * A + A):
                value = 0.0
                for y in range(S):
                    value += p_hat[x, y] * u[y]
                gain = min(1.0 - p_hat[x, best], half[x])
                value += gain * u[best]
                if N[x] > 0:
                    j = S - 1
                    while gain > 0.0 and j > 0:
                        y = order[j]
                        taken = min(gain, p_hat[x, y])
                        value -= taken * u[y]
                        gain -= taken
                        j -= 1
                value = r_up[x] + value
                if value > top:
                    top = value
                    pi[s] = x
            u_next[s] = top
            low = min(low, top - u[s])
            high = max(high, top - u[s])
        if high - low < precision:
            break


@njit(nogil=True, error_model="numpy")
def loop(succ, cum, mean, mu0_cum, gaps, optimal_gain, S, A, delta, k0, k1, R, checkpoints, curve):
    """R replicates; curve (R, checkpoints, 3) takes regret, gap regret and reward."""
    X = S * A
    seen, N, stop, ahead = np.empty(X, np.int64), np.empty(X, np.int64), np.empty(X, np.int64), np.empty(X, np.int64)
    total, r_up, half = np.empty(X), np.empty(X), np.empty(X)
    moves, p_hat = np.empty((X, S), np.int64), np.empty((X, S))
    u, u_next, order, pi = np.empty(S), np.empty(S), np.empty(S, np.int64), np.empty(S, np.int64)
    for i in range(R):
        replicate = np.uint64(i)
        total[:] = 0.0
        moves[:] = 0
        for s in range(S):
            order[s] = s
        for x in range(X):
            seen[x] = 0
            w, _ = both(np.uint64(0), np.uint64(x), replicate, ENVIRONMENT, k0, k1)
            ahead[x] = successor(succ, cum, x, w)
        w, _ = both(np.uint64(0), np.uint64(0), replicate, INITIAL, k0, k1)
        s = 0
        while w >= mu0_cum[s]:
            s += 1
        due = True
        gap = 0.0
        reward = 0.0
        t0 = 0
        for c in range(checkpoints.size):
            t1 = checkpoints[c]
            for t in range(t0, t1):
                if due:
                    plan(t, delta, S, A, seen, N, stop, total, moves, p_hat, r_up, half, u, u_next, order, pi)
                x = pi[s]
                n = seen[x] + 1
                seen[x] = n
                s2 = ahead[x]
                w, _ = both(np.uint64(n), np.uint64(x), replicate, ENVIRONMENT, k0, k1)
                ahead[x] = successor(succ, cum, x, w)
                r = mean[x]
                total[x] += r
                moves[x, s2] += 1
                y = pi[s2]
                due = seen[y] >= stop[y]
                gap += gaps[x]
                reward += r
                s = s2
            curve[i, c, 0] = t1 * optimal_gain - reward
            curve[i, c, 1] = gap
            curve[i, c, 2] = reward
            t0 = t1


def prepare(model: Any, replicates: int, checkpoints: np.ndarray, seed: int) -> Callable[[np.ndarray], None]:
    """A function that fills a curve of shape (replicates, checkpoints, 3)."""
    from theorylab.truth import truth_of

    tb = truth_of(model).tables
    if model.reward_law.kind != "deterministic" or "alias" in tb:
        raise ValueError("this loop is for a model of at most 32 successors a pair and deterministic rewards")
    k0, k1 = words(seed)
    fixed = (tb["succ"], tb["cum"], tb["r_mean"], tb["mu0_cum"], tb["gap"].ravel(), tb["gain"], model.S, model.A, 0.1)
    return lambda curve: loop(*fixed, k0, k1, replicates, checkpoints, curve)
