"""UCRL2 for a communicating average-reward MDP with unknown kernel and unknown rewards in [0, 1].

Source: Jaksch, Ortner, Auer 2010: figure 1 (the algorithm), section 3.1 with figure 2 (extended value iteration, EVI)
[radii: source; step numbers: recalled]. With n = max(1, N_k(s,a)) and t_k = 1 + steps taken before episode k:

    radius_r = sqrt(7 ln(2 S A t_k / delta) / (2 n))        |r~ - r_hat| <= radius_r
    radius_p = sqrt(14 S ln(2 A t_k / delta) / n)           ||p~ - p_hat||_1 <= radius_p
    EVI: u_0 = 0, u_{i+1}(s) = max_a { r_hat + radius_r + max_{p plausible} sum_s2 p(s2) u_i(s2) },
         until span(u_{i+1} - u_i) < 1 / sqrt(t_k)

`reward_cap` = 1 takes optimistic rewards in [0, 1] (figure 1, step 4); None is the formula of section 3.1.2 alone.
A pair with N_k = 0 has p_hat = 0, which sums to 0. Its radius is at least 2 (14 S ln(2 A t_k / delta) >= 14 ln 2 > 4
for delta < 1 [derived]), so the best state is raised to min(1, 0 + radius/2) = 1: a point mass. Thus the row chosen
sums to 1 for every pair; this is asserted. Ties: lowest action; equal values of u: lowest state first.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def inner_maximum(p_hat: Floats, radius: float, u: Floats) -> Floats:
    """Figure 2: the p (S,) with the largest sum p u among distributions within L1 distance `radius` of p_hat (S,)."""
    best_first = sorted(range(len(u)), key=lambda s: (-u[s], s))  # input: states sorted by u, largest first
    p = p_hat.copy()  # step 1: p = p_hat, except
    best = best_first[0]
    p[best] = min(1.0, p_hat[best] + radius / 2.0)  # step 1: the best state gains half the radius
    ell = len(u) - 1  # step 2: start from the worst state
    while math.fsum(p) > 1.0 and ell > 0:  # step 3; ell = 0 is reached only if the last unit of rounding remains
        worst = best_first[ell]
        others = math.fsum(p[s] for s in range(len(u)) if s != worst)
        p[worst] = max(0.0, 1.0 - others)  # step 3a
        ell -= 1  # step 3b
    assert abs(math.fsum(p) - 1.0) < 1e-12, "row does not sum to one: p_hat sums to less than one and radius < 2"
    return p


class UCRL2:
    """UCRL2, figure 1. Everything about the past is frozen at the start of an episode, except nu, R, P and t.

    Attributes: N (S,A) counts before the episode; nu (S,A) counts inside it; pi (S,) policy; u (S,) before and u_next
    (S,) after the last backup, q (S,A) the backup itself; episodes (number started); t (steps taken so far);
    t_k (time of the episode's start, from 1); radius_p, radius_r (S,A); p_hat (S,A,S); r_hat (S,A); R (S,A) sums of
    rewards and P (S,A,S) transition counts so far; iterations (backups made by the last EVI).
    """

    def __init__(self, S: int, A: int, delta: float, reward_cap: float | None = None) -> None:
        assert 0.0 < delta < 1.0
        self.S, self.A, self.delta, self.reward_cap = S, A, delta, reward_cap
        self.t = self.t_k = self.episodes = self.iterations = 0
        self.N = np.zeros((S, A), dtype=np.int64)
        self.nu = np.zeros((S, A), dtype=np.int64)
        self.R, self.P = np.zeros((S, A)), np.zeros((S, A, S))
        self.r_hat, self.p_hat = np.zeros((S, A)), np.zeros((S, A, S))
        self.radius_r, self.radius_p = np.zeros((S, A)), np.zeros((S, A))
        self.u, self.u_next, self.q = np.zeros(S), np.zeros(S), np.zeros((S, A))
        self.pi = np.zeros(S, dtype=np.int64)

    def act(self, s: int) -> int:
        """Step 6: while nu(s,pi(s)) < max(1, N(s,pi(s))) play on; the test comes before the play."""
        if self.episodes == 0 or self.nu[s, self.pi[s]] >= max(1, self.N[s, self.pi[s]]):
            self.start_episode()  # now nu = 0 < max(1, N), so the new policy is always played at least once
        return int(self.pi[s])  # step 6a

    def learn(self, s: int, a: int, r: float, s2: int) -> None:
        """Steps 6a-6c: the step (s, a, r, s2) has been observed."""
        self.R[s, a] += r
        self.P[s, a, s2] += 1.0
        self.nu[s, a] += 1  # step 6b
        self.t += 1  # step 6c

    def start_episode(self) -> None:
        """Steps 1-5: freeze the counts, estimate, build the confidence set, plan."""
        self.episodes += 1
        self.t_k = self.t + 1  # step 1: the paper's t counts from 1
        self.N = self.N + self.nu  # step 2: counts before the episode
        self.nu = np.zeros((self.S, self.A), dtype=np.int64)  # step 2
        for s in range(self.S):
            for a in range(self.A):
                n = max(1, int(self.N[s, a]))
                self.r_hat[s, a] = self.R[s, a] / n  # step 3
                self.p_hat[s, a] = self.P[s, a] / n  # step 3
                log_p = math.log(2 * self.A * self.t_k / self.delta)
                log_r = math.log(2 * self.S * self.A * self.t_k / self.delta)
                self.radius_p[s, a] = math.sqrt(14 * self.S * log_p / n)  # step 4
                self.radius_r[s, a] = math.sqrt(7 * log_r / (2 * n))  # step 4
        self.extended_value_iteration()  # step 5

    def optimistic_reward(self, s: int, a: int) -> float:
        """The largest plausible mean reward of (s, a), cut at reward_cap if one is given."""
        r = float(self.r_hat[s, a] + self.radius_r[s, a])
        return r if self.reward_cap is None else min(r, self.reward_cap)

    def backup(self, u: Floats) -> Floats:
        """The array (S,A) of r~(s,a) + max_p sum_s2 p(s2) u(s2); its row maxima are the next iterate of EVI."""
        q = np.zeros((self.S, self.A))
        for s in range(self.S):
            for a in range(self.A):
                p = inner_maximum(self.p_hat[s, a], float(self.radius_p[s, a]), u)
                q[s, a] = self.optimistic_reward(s, a) + math.fsum(p[s2] * u[s2] for s2 in range(self.S))
        return q

    def extended_value_iteration(self) -> None:
        """Section 3.1: iterate from u_0 = 0; pi is greedy with respect to the u of the last backup."""
        self.u_next, self.iterations = np.zeros(self.S), 0  # u_0 = 0
        while True:
            self.u = self.u_next
            self.q = self.backup(self.u)
            self.u_next = self.q.max(axis=1)
            self.iterations += 1
            step = self.u_next - self.u
            if step.max() - step.min() < 1.0 / math.sqrt(self.t_k):  # the stopping rule
                break
        self.pi = np.argmax(self.q, axis=1)  # first maximum
