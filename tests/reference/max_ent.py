"""MaxEnt and WeightedMaxEnt for the estimation of an unknown kernel, without rewards.

Source: Tarbouriech, Shekhar, Pirotta, Ghavamzadeh, Lazaric 2020, algorithm 2, by the notes on sample collection,
section 4 [source]. t_k = 1 + steps before episode k, lam = counts / steps so far (zero before the first), T+ = max(1,
counts):

    H(lam) = sum w lam log(1 / (lam + mu)),       dH/dlam = -w (log(lam + mu) + lam / (lam + mu))
    w = V+ / sqrt(S L), L = log(S A / delta)      V+ = (1 / sqrt S) sum_{s'} [sqrt(phat (1 - phat)) + sqrt(2 l' / T+)]
    l' = log(4 S^2 A T+^2 / delta)                MaxEnt: w = 1
    mu = 1 / (n^{1/3} S^{2/3}) for n steps        at most 1/e - 1 / (S A)
    episode k: EVI(gradient at t_k, boxes, 1 / sqrt(t_k)); play on while Phi <= Q = 2 log(1 / mu) and nu < max(1, T_k)
    after each step Phi += || gradient - gradient at t_k ||_2, with the weights of t_k

Boxes are the AME ones, 2 sqrt(phat (1 - phat) l / T) + 6 l / T with l = log(6 S A T / delta), times alpha; extended
value iteration is mixed, u <- max_a g + tau max p u + (1 - tau) u.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tests.reference.ucrl2b import inner_maximum

Floats = NDArray[np.float64]


class MaxEnt:
    """`act(s)` may begin an episode; `learn(s, a, s2)` is told of the step.

    Attributes: C (S,A,S) transitions; T (S,A) counts before the episode, nu in it; w, grad (S,A), low, high (S,A,S) of
    the episode; pi (S,), u, u_next (S,), q (S,A) of its last sweep; phi, t, episodes, iterations; finished: completion
    time of the requirement b, b_states, or None.
    """

    def __init__(
        self,
        b: NDArray[np.int64],
        n: int,
        weighted: int = 0,
        mu: float = 0.0,
        alpha: float = 1.0,
        delta: float = 0.1,
        tau: float = 0.9,
        b_states: NDArray[np.int64] | None = None,
    ) -> None:
        self.b = b
        self.b_states = np.zeros(len(b), dtype=np.int64) if b_states is None else b_states
        self.S, self.A = S, A = b.shape
        self.weighted, self.alpha, self.delta, self.tau = bool(weighted), alpha, delta, tau
        self.mu = mu if mu > 0 else min(n ** (-1 / 3) * S ** (-2 / 3), math.exp(-1) - 1 / (S * A))
        self.Q = 2 * math.log(1 / self.mu)
        self.C = np.zeros((S, A, S), dtype=np.int64)
        self.T, self.nu = np.zeros((S, A), dtype=np.int64), np.zeros((S, A), dtype=np.int64)
        self.w, self.grad, self.q = np.ones((S, A)), np.zeros((S, A)), np.zeros((S, A))
        self.low, self.high = np.zeros((S, A, S)), np.ones((S, A, S))
        self.u, self.u_next, self.pi = np.zeros(S), np.zeros(S), np.zeros(S, dtype=np.int64)
        self.phi, self.t, self.episodes, self.iterations = 0.0, 0, 0, 0
        self.finished: int | None = None if self.open_states().any() else 0

    def open_states(self) -> NDArray[np.bool_]:
        """(S,) whether an action is short of its requirement, or the state is with any action."""
        N = self.T + self.nu
        found: NDArray[np.bool_] = (N < self.b).any(axis=1) | (N.sum(axis=1) < self.b_states)
        return found

    def gradient(self) -> Floats:
        """dH/dlam at the frequencies so far."""
        lam = (self.T + self.nu) / max(1, self.t)
        out: Floats = -self.w * (np.log(lam + self.mu) + lam / (lam + self.mu))
        return out

    def act(self, s: int) -> int:
        """The test comes before the play."""
        a = self.pi[s]
        if self.episodes == 0 or not (self.phi <= self.Q and self.nu[s, a] < max(1, self.T[s, a])):
            self.start_episode()
        return int(self.pi[s])

    def learn(self, s: int, a: int, s2: int) -> None:
        """One step has been observed."""
        self.C[s, a, s2] += 1
        self.nu[s, a] += 1
        self.t += 1
        self.phi += float(np.linalg.norm(self.gradient() - self.grad))
        if self.finished is None and not self.open_states().any():
            self.finished = self.t

    def start_episode(self) -> None:
        """Counts, boxes, weights, gradient, policy."""
        self.episodes += 1
        self.T, self.nu, self.phi = self.T + self.nu, np.zeros_like(self.nu), 0.0
        S, A = self.S, self.A
        for s in range(S):
            for a in range(A):
                n = max(1, int(self.T[s, a]))
                phat = self.C[s, a] / n
                ell = math.log(6 * S * A * n / self.delta)
                beta = self.alpha * (2 * np.sqrt(phat * (1 - phat) * ell / n) + 6 * ell / n)
                if self.T[s, a] > 0:
                    self.low[s, a], self.high[s, a] = np.maximum(0, phat - beta), np.minimum(1, phat + beta)
                if self.weighted:
                    ell2 = math.log(4 * S**2 * A * n**2 / self.delta)
                    upper = math.fsum(np.sqrt(phat * (1 - phat)) + math.sqrt(2 * ell2 / n)) / math.sqrt(S)
                    self.w[s, a] = upper / math.sqrt(S * math.log(S * A / self.delta))
        self.grad = self.gradient()
        self.extended_value_iteration()

    def backup(self, u: Floats) -> Floats:
        """g + tau max p u + (1 - tau) u(s), (S,A)."""
        best = np.array(
            [[inner_maximum(self.low[s, a], self.high[s, a], u) @ u for a in range(self.A)] for s in range(self.S)]
        )
        return self.grad + self.tau * best + (1 - self.tau) * u[:, None]

    def extended_value_iteration(self) -> None:
        """From u = 0 to a span of the change below 1 / sqrt(t_k)."""
        self.u_next, self.iterations = np.zeros(self.S), 0
        while True:
            self.u = self.u_next
            self.q = self.backup(self.u)
            self.u_next = self.q.max(axis=1)
            self.iterations += 1
            change = self.u_next - self.u
            if change.max() - change.min() < 1 / math.sqrt(self.t + 1):
                break
        self.pi = np.argmax(self.q, axis=1)
