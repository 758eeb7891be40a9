"""KL-UCRL for a communicating average-reward MDP with unknown kernel and unknown rewards in [0, 1].

Source: Filippi, Cappe, Garivier 2010: algorithm 1 (KL-UCRL), algorithm 2 (MaxKL, the inner maximum) [recalled]. With
n = N_k(s,a), t_k = 1 + steps taken before episode k and T the number of steps, known:

    plausible: n KL(p_hat, p) <= C_P, |r - r_hat| <= C_R / sqrt(n)
    EVI: u_0 = 0, u_{i+1}(s) = max_a { r~ + max_p p u_i }, until span < 1 / sqrt(t_k)

The root of f(nu) = C_P / n is found by Brent's method over ln(nu - max u). r~ = min(1, r_hat + C_R /
sqrt(n)); a pair with n = 0 has r~ = 1 and any law. `tau` < 1 mixes every kernel with the identity.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

Floats = NDArray[np.float64]


def constants(S: int, A: int, T: int, delta: float) -> tuple[float, float]:
    """C_P and C_R; ln T is taken at T = 2 at least."""
    ln_T = math.log(max(T, 2))
    B = math.log(2 * math.e * S**2 * A * ln_T / delta)
    C_P = S * (B + math.log(B + 1 / ln_T) * (1 + 1 / (B + 1 / ln_T)))
    C_R = math.sqrt(math.log(4 * S * A * ln_T / delta) / 1.99)
    return C_P, C_R


def f(x: float, p_hat: Floats, u: Floats) -> float:
    """f(nu) at nu = max u + x: sum p_hat ln(nu - u) + ln sum p_hat / (nu - u) over the support; infinite at a pole."""
    seen = p_hat > 0
    gaps = x + (u.max() - u[seen])
    if gaps.min() <= 0:
        return math.inf
    return float(p_hat[seen] @ np.log(gaps)) + math.log(float(np.sum(p_hat[seen] / gaps)))


def max_kl(p_hat: Floats, radius: float, u: Floats) -> Floats:
    """Algorithm 2: the q (S,) with KL(p_hat, q) <= radius and the largest sum q u; radius = C_P / n."""
    seen = p_hat > 0
    top = float(u.max())
    if radius == 0.0 or np.all(u[seen] == top):
        return p_hat.copy()  # f is undefined, and there is nothing to gain
    unseen_best = [s for s in range(len(u)) if u[s] == top and not seen[s]]  # step 1: the set I*
    q = np.zeros(len(u))
    if f(0.0, p_hat, u) < radius:  # step 2: max u is not among the values on the support
        x = 0.0
        r = 1.0 - math.exp(f(x, p_hat, u) - radius)
        q[unseen_best[0]] = r  # any split of r among them will do
    else:  # step 3: r = 0 and f(nu) = radius
        r, up = 0.0, float(top - u.min())
        while f(up, p_hat, u) > radius:
            up *= 2.0
        down = up
        while down > 0.0 and f(down, p_hat, u) < radius:
            down /= 10.0
        logs = (math.log(max(down, 1e-300)), math.log(up))
        x = math.exp(brentq(lambda y: f(math.exp(y), p_hat, u) - radius, *logs, xtol=1e-15, rtol=1e-15))
    tilted = np.where(seen, p_hat / np.where(seen, x + (top - u), 1.0), 0.0)  # step 4
    return np.asarray(q + (1.0 - r) * tilted / tilted.sum())


class KLUCRL:
    """Everything about the past is frozen at the start of an episode, except nu, R, P and t.

    Attributes: N (S,A) counts before the episode; nu (S,A) counts inside it; pi (S,) policy; u (S,) before and u_next
    (S,) after the last backup, q (S,A) the backup itself, law (S,A,S) its rows; episodes; t; t_k; p_hat (S,A,S);
    radius_p, radius_r, r_up (S,A); R (S,A) sums of rewards; P (S,A,S) transition counts; iterations.
    """

    def __init__(self, S: int, A: int, T: int, delta: float, scale: float = 1.0, tau: float = 1.0) -> None:
        assert 0.0 < delta < 1.0
        self.S, self.A, self.tau = S, A, tau
        self.C_P, self.C_R = (scale * c for c in constants(S, A, T, delta))
        self.t = self.t_k = self.episodes = self.iterations = 0
        self.N = np.zeros((S, A), dtype=np.int64)
        self.nu = np.zeros((S, A), dtype=np.int64)
        self.R, self.P, self.p_hat = np.zeros((S, A)), np.zeros((S, A, S)), np.zeros((S, A, S))
        self.radius_p, self.radius_r, self.r_up = np.zeros((S, A)), np.zeros((S, A)), np.ones((S, A))
        self.u, self.u_next, self.q = np.zeros(S), np.zeros(S), np.zeros((S, A))
        self.law = np.zeros((S, A, S))
        self.pi = np.zeros(S, dtype=np.int64)

    def act(self, s: int) -> int:
        """Play on while nu(s,pi(s)) < max(1, N(s,pi(s))); the test comes before the play."""
        if self.episodes == 0 or self.nu[s, self.pi[s]] >= max(1, self.N[s, self.pi[s]]):
            self.start_episode()
        return int(self.pi[s])

    def learn(self, s: int, a: int, r: float, s2: int) -> None:
        """The step (s, a, r, s2) has been observed."""
        self.R[s, a] += r
        self.P[s, a, s2] += 1.0
        self.nu[s, a] += 1
        self.t += 1

    def start_episode(self) -> None:
        """Freeze the counts, estimate, build the confidence sets, plan."""
        self.episodes += 1
        self.t_k = self.t + 1
        self.N = self.N + self.nu
        self.nu = np.zeros((self.S, self.A), dtype=np.int64)
        for s in range(self.S):
            for a in range(self.A):
                n = int(self.N[s, a])
                if n > 0:
                    self.p_hat[s, a] = self.P[s, a] / n
                    self.radius_p[s, a], self.radius_r[s, a] = self.C_P / n, self.C_R / math.sqrt(n)
                    self.r_up[s, a] = min(1.0, self.R[s, a] / n + self.radius_r[s, a])
        self.extended_value_iteration()

    def backup(self, u: Floats) -> Floats:
        """The array (S,A) of r~ + tau max p u + (1 - tau) u(s); its row maxima are the next iterate."""
        q = np.zeros((self.S, self.A))
        for s in range(self.S):
            for a in range(self.A):
                if self.N[s, a] == 0:
                    self.law[s, a] = np.eye(self.S)[int(np.argmax(u))]
                else:
                    self.law[s, a] = max_kl(self.p_hat[s, a], float(self.radius_p[s, a]), u)
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
