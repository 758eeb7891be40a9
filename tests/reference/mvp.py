"""MVP, monotonic value propagation, for an episodic MDP with one kernel and a total reward of at most 1 an episode.

Source: Zhang, Ji and Du 2021, algorithm 1 [recalled; c1, c2, c3 and the doubling checked in the text of its sequel;
line numbers ours]. Stages count from 0. iota = ln(2 / d'), d' = delta / (S A H (1 + floor(log2 T))): the union bound
that the paper leaves to a rescaling of delta at the end.
"""

from __future__ import annotations

import math

import numpy as np

C1, C2, C3 = 460 / 9, 2 * math.sqrt(2), 544 / 9


class MVP:
    """Attributes: N, n (S,A), counts (S,A,S), r_hat (S,A), p_hat (S,A,S), Q (H,S,A), V (H+1,S), triggered, plans."""

    def __init__(self, S: int, A: int, H: int, K: int, delta: float, scale: float = 1.0) -> None:
        self.S, self.A, self.H, self.scale = S, A, H, scale
        events = S * A * H * (1 + math.floor(math.log2(K * H)))
        self.iota = math.log(2 / (delta / events))
        self.N, self.n = np.zeros((S, A), dtype=np.int64), np.zeros((S, A), dtype=np.int64)
        self.counts, self.p_hat = np.zeros((S, A, S)), np.zeros((S, A, S))
        self.rewards: list[list[list[float]]] = [[[] for _ in range(A)] for _ in range(S)]
        self.r_hat = np.zeros((S, A))
        self.Q = np.ones((H, S, A))  # line 1: Q = 1
        self.V = np.ones((H + 1, S))
        self.V[H] = 0.0
        self.triggered, self.plans = False, 0

    def act(self, h: int, s: int) -> int:
        """Line 4: the greedy action (first maximum)."""
        return int(np.argmax(self.Q[h, s]))

    def learn(self, s: int, a: int, r: float, s2: int) -> None:
        """Lines 5-12 for one step."""
        self.N[s, a] += 1
        self.counts[s, a, s2] += 1
        self.rewards[s][a].append(r)
        N = int(self.N[s, a])
        if N in {2**i for i in range(N.bit_length())}:  # line 7: the trigger set
            latest = self.rewards[s][a][N // 2 :]  # theta is reset at each trigger: the latest half
            self.r_hat[s, a] = sum(latest) / len(latest)  # line 8
            self.p_hat[s, a] = self.counts[s, a] / N  # line 9
            self.n[s, a] = N  # line 10
            self.triggered = True  # line 11

    def bonus(self, s: int, a: int, V: np.ndarray) -> float:
        """Line 16: the bonus at the values V of the next stage."""
        p, n = self.p_hat[s, a], int(self.n[s, a])
        variance = float(p @ V**2 - (p @ V) ** 2)
        first = C1 * math.sqrt(max(0.0, variance) * self.iota / n)
        # a negative r_hat, which the setting excludes, counts as 0 under the root
        return first + C2 * math.sqrt(max(0.0, self.r_hat[s, a]) * self.iota / n) + C3 * self.iota / n

    def episode_ends(self) -> None:
        """Lines 13-19: a plan where something was triggered."""
        if not self.triggered:
            return
        self.triggered = False
        self.plans += 1
        for h in reversed(range(self.H)):
            for s in range(self.S):
                for a in range(self.A):
                    if self.n[s, a] == 0:
                        self.Q[h, s, a] = 1.0
                        continue
                    V = self.V[h + 1]
                    value = self.r_hat[s, a] + float(self.p_hat[s, a] @ V) + self.scale * self.bonus(s, a, V)
                    self.Q[h, s, a] = min(1.0, value)  # line 17
            self.V[h] = self.Q[h].max(axis=1)  # line 18
