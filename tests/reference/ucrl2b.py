"""UCRL2B for a communicating average-reward MDP with unknown kernel and unknown rewards in [0, 1].

Source: Fruit, Pirotta, Lazaric 2020 (note), on top of Jaksch, Ortner, Auer 2010, figure 1 and section 3.1 [sets: 2/6
form source; older form from public code; step numbers of the frame: recalled]. With n = N_k(s,a), t_k = 1 + steps taken
before episode k, sigma2 = p_hat (1 - p_hat) or the population variance of the n rewards:

    form "2/6"    2 sqrt(sigma2 l / n) + 6 l / n,                      l = ln(6 S A n / delta)
    form "old"    sqrt(14 sigma2 l / n) + 49 l / (3 (n - 1)),          l = ln(2 S A t_k / delta), n - 1 at least 1
    EVI: u_0 = 0, u_{i+1}(s) = max_a { r~ + tau max_{p in box} p u_i + (1 - tau) u_i(s) }, until span < 1 / sqrt(t_k)

`alpha` multiplies l and `scale` the sum. r~ = min(1, r_hat + radius); a pair with n = 0 has r~ = 1 and any law. The
inner maximum is written from above: every state at its upper end, mass removed from the worst states down to their
lower ends until one unit is left.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def inner_maximum(low: Floats, high: Floats, u: Floats) -> Floats:
    """The p with low <= p <= high, sum p = 1 and the largest sum p u; needs sum low <= 1 <= sum high."""
    p = high.copy()
    too_much = math.fsum(p) - 1.0
    for s in sorted(range(len(u)), key=lambda s: (u[s], -s)):  # worst first; of equal ones the last
        taken = min(max(too_much, 0.0), float(p[s] - low[s]))
        p[s] -= taken
        too_much -= taken
    assert abs(math.fsum(p) - 1.0) < 1e-12, "the box holds no distribution"
    return p


def half_width(sigma2: float, n: int, t_k: int, S: int, A: int, delta: float, form: str, alpha: float) -> float:
    """Half-width of a confidence interval at scale 1."""
    if form == "2/6":
        ell = alpha * math.log(6 * S * A * n / delta)
        return 2 * math.sqrt(sigma2 * ell / n) + 6 * ell / n
    ell = alpha * math.log(2 * S * A * t_k / delta)
    return math.sqrt(14 * sigma2 * ell / n) + 49 * ell / (3 * max(1, n - 1))


class UCRL2B:
    """Everything about the past is frozen at the start of an episode, except nu, the list of rewards, P and t.

    Attributes: N (S,A) counts before the episode; nu (S,A) counts inside it; pi (S,) policy; u (S,) before and u_next
    (S,) after the last backup, q (S,A) the backup itself, law (S,A,S) its rows; episodes; t; t_k; low, high (S,A,S),
    radius_r, r_up (S,A); rewards[s][a] all rewards of a pair; P (S,A,S) transition counts; iterations.
    """

    def __init__(
        self,
        S: int,
        A: int,
        delta: float,
        form: str = "2/6",
        scale: float = 1.0,
        alpha: float = 1.0,
        tau: float = 0.9,
    ) -> None:
        assert 0.0 < delta < 1.0 and form in ("2/6", "old") and 0.0 < tau <= 1.0
        self.S, self.A, self.delta, self.form, self.scale, self.alpha, self.tau = S, A, delta, form, scale, alpha, tau
        self.t = self.t_k = self.episodes = self.iterations = 0
        self.N = np.zeros((S, A), dtype=np.int64)
        self.nu = np.zeros((S, A), dtype=np.int64)
        self.rewards: list[list[list[float]]] = [[[] for _ in range(A)] for _ in range(S)]
        self.P, self.law = np.zeros((S, A, S)), np.zeros((S, A, S))
        self.low, self.high = np.zeros((S, A, S)), np.ones((S, A, S))
        self.radius_r, self.r_up, self.q = np.ones((S, A)), np.ones((S, A)), np.zeros((S, A))
        self.u, self.u_next = np.zeros(S), np.zeros(S)
        self.pi = np.zeros(S, dtype=np.int64)

    def act(self, s: int) -> int:
        """Step 6: while nu(s,pi(s)) < max(1, N(s,pi(s))) play on; the test comes before the play."""
        if self.episodes == 0 or self.nu[s, self.pi[s]] >= max(1, self.N[s, self.pi[s]]):
            self.start_episode()
        return int(self.pi[s])

    def learn(self, s: int, a: int, r: float, s2: int) -> None:
        """Steps 6a-6c: the step (s, a, r, s2) has been observed."""
        self.rewards[s][a].append(r)
        self.P[s, a, s2] += 1.0
        self.nu[s, a] += 1
        self.t += 1

    def start_episode(self) -> None:
        """Steps 1-5: freeze the counts, estimate, build the confidence sets, plan."""
        self.episodes += 1
        self.t_k = self.t + 1
        self.N = self.N + self.nu
        self.nu = np.zeros((self.S, self.A), dtype=np.int64)
        for s in range(self.S):
            for a in range(self.A):
                if self.N[s, a] > 0:
                    self.confidence(s, a, int(self.N[s, a]))
        self.extended_value_iteration()

    def confidence(self, s: int, a: int, n: int) -> None:
        """Step 4: intervals of the mean reward and of every entry of the row."""

        def width(sigma2: float) -> float:
            return self.scale * half_width(sigma2, n, self.t_k, self.S, self.A, self.delta, self.form, self.alpha)

        mean = math.fsum(self.rewards[s][a]) / n
        sigma2 = math.fsum((r - mean) ** 2 for r in self.rewards[s][a]) / n
        self.radius_r[s, a] = width(sigma2)
        self.r_up[s, a] = min(1.0, mean + self.radius_r[s, a])
        for s2 in range(self.S):
            p_hat = float(self.P[s, a, s2]) / n
            w = width(p_hat * (1 - p_hat))
            self.low[s, a, s2], self.high[s, a, s2] = max(0.0, p_hat - w), min(1.0, p_hat + w)

    def backup(self, u: Floats) -> Floats:
        """The array (S,A) of r~ + tau max p u + (1 - tau) u(s); its row maxima are the next iterate."""
        q = np.zeros((self.S, self.A))
        for s in range(self.S):
            for a in range(self.A):
                self.law[s, a] = inner_maximum(self.low[s, a], self.high[s, a], u)
                best = math.fsum(self.law[s, a, s2] * u[s2] for s2 in range(self.S))
                q[s, a] = self.r_up[s, a] + self.tau * best + (1 - self.tau) * u[s]
        return q

    def extended_value_iteration(self) -> None:
        """Iterate from u_0 = 0; pi is greedy with respect to the u of the last backup."""
        self.u_next, self.iterations = np.zeros(self.S), 0
        while True:
            self.u = self.u_next
            self.q = self.backup(self.u)
            self.u_next = self.q.max(axis=1)
            self.iterations += 1
            step = self.u_next - self.u
            if step.max() - step.min() < 1.0 / math.sqrt(self.t_k):
                break
        self.pi = np.argmax(self.q, axis=1)
