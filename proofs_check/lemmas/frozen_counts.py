"""Sums over counts that are frozen while an episode lasts.

Of SA pairs one is visited at each of T = KH steps; N_{t_k} are the visits before the step's episode. In an episode of H
steps a pair with N_{t_k} <= H is found at most 2H times in all (at most H visits before the last such episode, at
most H in it), hence at most 2HSA such steps. At the others N_t + 1 <= N_{t_k} + H <= 2 N_{t_k}, so that 1/sqrt(N_{t_k})
<= sqrt(2/(N_t + 1)), and sum_{j <= n} 1/sqrt(j) <= 2 sqrt(n) with Cauchy's inequality gives 2 sqrt(2 SA T) [derived].

Episodes whose length exceeds the last one's by at most one, and that end early only when a count has more than
doubled: their number after T steps is at most sqrt(2 T M), M = 1 + SA log2(1 + T/(SA)). For between two early ends the
j-th of m episodes has at least j + 1 steps but for the last, so these m take at least m (m + 1)/2 steps; Cauchy's
inequality sums them; and j early ends at a pair need 2^j - 1 visits [derived; ouyang2017 has sqrt(2 S A T log T)].
"""

from __future__ import annotations

import numpy as np

__all__ = ["dynamic_episodes", "false_dynamic_episodes", "false_frozen_counts", "frozen_counts"]


def _frozen(rng: np.random.Generator, few: float, sum_constant: float) -> tuple[float, str]:
    worst, where = -np.inf, ""
    for _ in range(12):
        pairs, H, K = int(rng.integers(1, 8)), int(rng.integers(1, 30)), int(rng.integers(2, 300))
        N = np.zeros(pairs)
        rare, total = 0, 0.0
        for _ in range(K):
            # a few pairs an episode: the least visited ones, which is what makes frozen counts small, or random ones
            chosen = np.argsort(N, kind="stable")[: int(rng.integers(1, pairs + 1))] if rng.random() < 0.8 else [0]
            visits = np.bincount(rng.choice(chosen, H), minlength=pairs)
            small = N <= H
            rare += int(visits[small].sum())
            total += float((visits[~small] / np.sqrt(N[~small])).sum())
            N += visits
        steps = float(K * H)
        for name, value in (
            ("few", rare / (few * H * pairs) - 1.0),
            ("sum", total / (sum_constant * np.sqrt(pairs * steps)) - 1.0),
        ):
            if value > worst:
                worst, where = value, f"{name} at SA={pairs}, H={H}, K={K}"
    return worst, where


def frozen_counts(rng: np.random.Generator) -> tuple[float, str]:
    """Largest relative excess over 2HSA and over 2 sqrt(2 SA T), and where."""
    return _frozen(rng, 2.0, 2.0 * np.sqrt(2.0))


def false_frozen_counts(rng: np.random.Generator) -> tuple[float, str]:
    """The false twin: at most HSA steps, as if counts were not frozen."""
    return _frozen(rng, 1.0, 2.0 * np.sqrt(2.0))


def _dynamic(rng: np.random.Generator, constant: float) -> tuple[float, str]:
    worst, where = -np.inf, ""
    for _ in range(12):
        pairs, T = int(rng.integers(1, 12)), int(np.exp(rng.uniform(0.0, np.log(4000.0))))
        N = np.zeros(pairs, dtype=int)
        frozen, length, last, episodes = N.copy(), 0, 1, 1
        lazy = rng.random()
        for t in range(T):
            # stay on one pair until it pays to end the episode early: the pair that is nearest to its doubling
            j = int(np.argmin(2 * frozen - N)) if rng.random() < lazy else int(rng.integers(pairs))
            N[j] += 1
            length += 1
            excess = episodes / (constant * np.sqrt(2.0 * (t + 1) * (1.0 + pairs * np.log2(1.0 + (t + 1) / pairs)))) - 1
            if excess > worst:
                worst, where = float(excess), f"SA={pairs}, after {t + 1} steps"
            if length > last or N[j] > 2 * frozen[j]:
                frozen, length, last, episodes = N.copy(), 0, length, episodes + 1
    return worst, where


def dynamic_episodes(rng: np.random.Generator) -> tuple[float, str]:
    """Largest relative excess of the number of episodes over sqrt(2 T (1 + SA log2(1 + T/(SA)))), and where."""
    return _dynamic(rng, 1.0)


def false_dynamic_episodes(rng: np.random.Generator) -> tuple[float, str]:
    """The false twin: 0.4 of the bound."""
    return _dynamic(rng, 0.4)
