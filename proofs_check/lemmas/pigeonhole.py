"""Sums of 1/sqrt(n) and 1/n over visits: pairs are visited one a step, T = KH steps, counts pooled over the stages.

With n the count after the visit, for every sequence of visits to M pairs,

    sum_t 1/sqrt(n_t) <= 2 sqrt(M T),       sum_t 1/n_t <= M (1 + ln(max(1, T/M)))

by sum_{j <= n} 1/sqrt(j) <= 2 sqrt(n), sum_{j <= n} 1/j <= 1 + ln n, and Cauchy's and Jensen's inequalities. With the
counts N of the plan, which do not change within an episode of H steps, and the steps with N >= H only,

    sum_{N >= H} 1/sqrt(N) <= 2 sqrt(M T),   sum_{N >= H} 1/N <= M log2(1 + T/(M H)),   #{N < H} <= 2 H M   [derived]

For v <= H <= N visits in an episode v/sqrt(N) = (sqrt(N+v) - sqrt(N)) (1 + sqrt(1+v/N)), at most (sqrt(N+v) - sqrt(N))
(2 + H/(2N)); the second part sums to at most sqrt(H), since N+v <= 2N, and the first telescopes from a count of at
least H. And v/N <= log2(1 + v/N) for v <= N, which telescopes too. A pair has fewer than H visits before its last
episode with N < H and at most H in it. The rare steps and the sums of 1/sqrt(N) come within 5% of their bounds
below; the sums of 1/N stay at 0.82 of theirs or less, but with ln for log2 their inequality is false.
"""

from __future__ import annotations

import math

import numpy as np

__all__ = ["false_frozen", "false_running", "frozen", "running"]


def visits(rng: np.random.Generator, steps: int, pairs: int) -> np.ndarray:
    """A sequence of visits (steps,): round robin, at random, with decreasing weights, or in long blocks."""
    kind = rng.integers(4)
    if kind == 0:
        return np.arange(steps) % pairs
    if kind == 1:
        return np.asarray(rng.integers(pairs, size=steps))
    if kind == 2:
        weights = 1.0 / np.arange(1, pairs + 1) ** rng.uniform(0.5, 3.0)
        return np.asarray(rng.choice(pairs, size=steps, p=weights / weights.sum()))
    return np.arange(steps) * pairs // steps


def _running(rng: np.random.Generator, root: float, start: float) -> tuple[float, str]:
    worst, where = -math.inf, ""
    for _ in range(12):
        M, T = int(rng.integers(1, 30)), int(np.exp(rng.uniform(0.0, np.log(20_000.0))))
        n = np.bincount(visits(rng, T, M), minlength=M)
        j = np.arange(1, n.max() + 1)
        roots = np.concatenate([[0.0], np.cumsum(1.0 / np.sqrt(j))])[n].sum()
        inverses = np.concatenate([[0.0], np.cumsum(1.0 / j)])[n].sum()
        for name, value in (
            ("roots", roots / (root * math.sqrt(M * T)) - 1.0),
            ("inverses", inverses / (M * (start + math.log(max(1.0, T / M)))) - 1.0),
        ):
            if value > worst:
                worst, where = float(value), f"{name} at M={M}, T={T}"
    return worst, where


def running(rng: np.random.Generator) -> tuple[float, str]:
    """Largest relative excess of the two sums with running counts, and where."""
    return _running(rng, 2.0, 1.0)


def false_running(rng: np.random.Generator) -> tuple[float, str]:
    """The false twin: 1.8 for 2, and 1/2 for 1 before the logarithm."""
    return _running(rng, 1.8, 0.5)


def _frozen(rng: np.random.Generator, root: float, base: float, rare: float) -> tuple[float, str]:
    worst, where = -math.inf, ""
    for _ in range(12):
        M, H, K = int(rng.integers(1, 8)), int(rng.integers(1, 30)), int(rng.integers(2, 300))
        N = np.zeros(M)
        few, roots, inverses = 0.0, 0.0, 0.0
        greedy = rng.random() < 0.7
        for _ in range(K):
            # one pair an episode is worst: the least visited with N >= H, or one that has not got there yet
            v = np.zeros(M)
            if greedy:
                v[int(np.argmin(N))] = H - (int(rng.integers(2)) if N.min() == 0 and H > 1 else 0)
            else:
                v += np.bincount(visits(rng, H, M), minlength=M)
            small = N < H
            few += float(v[small].sum())
            roots += float((v[~small] / np.sqrt(N[~small])).sum())
            inverses += float((v[~small] / N[~small]).sum())
            N += v
        T = float(N.sum())
        for name, value in (
            ("few", few / (rare * H * M) - 1.0),
            ("roots", roots / (root * math.sqrt(M * T)) - 1.0),
            ("inverses", inverses / (M * math.log(1.0 + T / (M * H)) / math.log(base)) - 1.0),
        ):
            if value > worst:
                worst, where = float(value), f"{name} at M={M}, H={H}, K={K}"
    return worst, where


def frozen(rng: np.random.Generator) -> tuple[float, str]:
    """Largest relative excess of the two sums and of the number of rare steps, with counts frozen, and where."""
    return _frozen(rng, 2.0, 2.0, 2.0)


def false_frozen(rng: np.random.Generator) -> tuple[float, str]:
    """The false twin: 1.8 for 2, ln for log2, and at most H M steps with N < H, as if counts were not frozen."""
    return _frozen(rng, 1.8, math.e, 1.0)
