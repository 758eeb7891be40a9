"""Optimistic Q-learning for average-reward MDPs: a transcription that keeps the history and recomputes everything.

Source: Wei, Jafarnia-Jahromi, Luo, Sharma, Jain 2020, algorithm 1 [authors' code: rule, start, H = gamma/(1-gamma);
second public code: gamma = 1 - 1/H and the bonus 4 sp sqrt((H/n) ln(2T/delta)); recalled: gamma = 1 - (SA/T)^(1/3)].

Per pair the list of targets (reward, Vhat at the successor when it was seen) is kept. After n of them
    Q = sum_i a_n^i (target_i + b_i),   a_n^i = a_i prod_{j > i} (1 - a_j),   a_j = (H+1)/(H+j),
Qhat is the least of H and of all Q so far, and Vhat its largest entry over actions.
"""

from __future__ import annotations

import math

import numpy as np


class OptimisticQ:
    """Attributes: Q, Qhat, N (S,A); Vhat (S,); bonus the last one; H; gamma."""

    def __init__(
        self,
        S: int,
        A: int,
        T: int,
        span: float,
        delta: float = 0.1,
        scale: float = 1.0,
        gamma: float | None = None,
        form: int = 0,
    ) -> None:
        assert span > 0.0 and form in (0, 1)
        horizon = max(2.0, (T / (S * A)) ** (1 / 3))
        self.gamma = 1 - 1 / horizon if gamma is None else gamma
        self.H = 1 / (1 - self.gamma) - form
        self.T, self.span, self.delta, self.scale = T, span, delta, scale
        self.seen: list[list[list[float]]] = [[[] for _ in range(A)] for _ in range(S)]
        self.all_Q: list[list[list[float]]] = [[[self.H] for _ in range(A)] for _ in range(S)]
        self.bonus = 0.0

    def width(self, n: int) -> float:
        return self.scale * 4 * self.span * math.sqrt(self.H / n * math.log(2 * self.T / self.delta))

    @property
    def Q(self) -> np.ndarray:
        return np.array([[pair[-1] for pair in row] for row in self.all_Q])

    @property
    def Qhat(self) -> np.ndarray:
        return np.array([[min(pair) for pair in row] for row in self.all_Q])

    @property
    def Vhat(self) -> np.ndarray:
        return np.asarray(self.Qhat.max(axis=1))

    @property
    def N(self) -> np.ndarray:
        return np.array([[len(pair) for pair in row] for row in self.seen])

    def act(self, s: int) -> int:
        return int(np.argmax(self.Qhat[s]))

    def learn(self, s: int, a: int, r: float, s2: int) -> None:
        targets = self.seen[s][a]
        targets.append(r + self.gamma * float(self.Vhat[s2]))
        n = len(targets)
        rates = [(self.H + 1) / (self.H + j) for j in range(1, n + 1)]
        total = 0.0
        for i in range(1, n + 1):
            weight = rates[i - 1] * math.prod(1 - x for x in rates[i:])
            total += weight * (targets[i - 1] + self.width(i))
        self.all_Q[s][a].append(total)
        self.bonus = self.width(n)
