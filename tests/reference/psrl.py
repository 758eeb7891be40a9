"""PSRL in episodes and with TSDE's dynamic episodes, and the sampler of Dirichlet rows they share.

Sources: Osband, Russo, Van Roy 2013, algorithm 1 [recalled]; Ouyang, Gagrani, Nayyar, Jain 2017, algorithm 1
[recalled]. Prior Dirichlet(mass, ..., mass) a row; rewards known, or Beta(1, 1) a pair. TSDE counts time from 1: t_0 =
0, t_1 = 1, T_k = t_{k+1} - t_k. Stages count from 0 here.

Gammas: Marsaglia, Tsang 2000 (a method for generating gamma variables): d = shape - 1/3, c = 1/sqrt(9 d), v = (1 + c
x)^3 with x normal, accepted if ln U < x^2/2 + d - d v + d ln v; below shape 1, Gamma(shape + 1) U^(1/shape). Uniforms
come from the addresses that the learner's text gives; normals by SciPy's inverse of the distribution function.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from theorylab.rng import LEARNER, Rng, draw_indexed

Floats = NDArray[np.float64]
MIDDLE = 2.0**-54  # drawn doubles stand for cells of width 2^-53


class Blocks:
    """Pairs of uniform numbers of one address, one after the other."""

    def __init__(self, rng: Rng, visit: int, site: int) -> None:
        self.place, self.used = (rng, visit, site, LEARNER), 0

    def next(self) -> tuple[float, float]:
        u, w = draw_indexed(*self.place, self.used)
        self.used += 1
        return float(u) + MIDDLE, float(w) + MIDDLE


def gamma_draw(shape: float, blocks: Blocks) -> float:
    """Gamma(shape, 1)."""
    if shape < 1.0:
        u, _ = blocks.next()
        return float(u ** (1.0 / shape)) * gamma_draw(shape + 1.0, blocks)
    d = shape - 1.0 / 3.0
    while True:
        u, w = blocks.next()
        x = float(ndtri(u)) if u < 0.5 else -float(ndtri(1.0 - u))
        v = (1.0 + x / math.sqrt(9.0 * d)) ** 3
        if v > 0.0 and math.log(w) < x * x / 2.0 + d - d * v + d * math.log(v):
            return d * v


class Posterior:
    """Attributes: moves (S,A,S) transitions, won (S,A) sums of rewards, P (S,A,S) and r (S,A) the last draw."""

    def __init__(self, r: Floats, mass: float, known_rewards: bool) -> None:
        self.S, self.A = r.shape
        self.r, self.mass, self.known = r.copy(), mass, known_rewards
        self.moves, self.won = np.zeros((self.S, self.A, self.S)), np.zeros((self.S, self.A))
        self.P = np.zeros((self.S, self.A, self.S))

    def learn(self, s: int, a: int, r: float, s2: int) -> None:
        """Conjugate update: one more count."""
        self.moves[s, a, s2] += 1
        self.won[s, a] += r

    def sample(self, visit: int, rng: Rng) -> None:
        """A model from the posterior."""
        pairs = self.S * self.A
        for s in range(self.S):
            for a in range(self.A):
                site = s * self.A + a
                blocks = Blocks(rng, visit, site)
                x = np.array([gamma_draw(self.mass + c, blocks) for c in self.moves[s, a]])
                self.P[s, a] = x / x.sum()
                if not self.known:
                    n, blocks = self.moves[s, a].sum(), Blocks(rng, visit, pairs + site)
                    wins = gamma_draw(1.0 + self.won[s, a], blocks)
                    losses = gamma_draw(1.0 + n - self.won[s, a], blocks)
                    self.r[s, a] = wins / (wins + losses)


class PSRL(Posterior):
    """Episodic. Attributes besides: V (H+1,S), Q (H,S,A), pi (H,S)."""

    def __init__(self, r: Floats, H: int, mass: float, known_rewards: bool = True) -> None:
        super().__init__(r, mass, known_rewards)
        self.H = H

    def start_episode(self, k: int, rng: Rng) -> None:
        """Sample M_k from the posterior, compute its optimal policy mu_k."""
        self.sample(k, rng)
        self.V, self.Q = np.zeros((self.H + 1, self.S)), np.zeros((self.H, self.S, self.A))
        for h in reversed(range(self.H)):
            self.Q[h] = self.r + self.P @ self.V[h + 1]
            self.V[h] = self.Q[h].max(axis=1)
        self.pi = self.Q.argmax(axis=2)


class TSDE(Posterior):
    """Average reward. Attributes besides: t (from 1), t_k, length (T_{k-1}), N, N_k (S,A), J, u (S,), pi (S,)."""

    def __init__(self, r: Floats, mass: float, known_rewards: bool = True) -> None:
        super().__init__(r, mass, known_rewards)
        self.t, self.t_k, self.episodes = 1, 0, 0  # t <- 1, t_0 <- 0
        self.N, self.N_k = np.zeros_like(r, dtype=np.int64), np.zeros_like(r, dtype=np.int64)

    def over(self) -> bool:
        """The loop's condition fails: t > t_k + T_{k-1} or N_t > 2 N_{t_k} somewhere. True before the first episode."""
        return self.episodes == 0 or self.t > self.t_k + self.length or bool(np.any(self.N > 2 * self.N_k))

    def start_episode(self, rng: Rng) -> None:
        """T_{k-1} <- t - t_k, t_k <- t; sample theta_k, compute its optimal stationary policy."""
        self.length = self.t - self.t_k
        self.t_k, self.N_k = self.t, self.N.copy()
        self.episodes += 1
        self.sample(self.t - 1, rng)
        self.solve()

    def solve(self) -> None:
        """The average-reward optimality equation J + u = max_a (r + P u), u(0) = 0, by policy iteration."""
        pi = np.zeros(self.S, dtype=np.int64)
        every = np.arange(self.S)
        while True:
            left = np.eye(self.S) - self.P[every, pi]
            left[:, 0] = 1.0  # u(0) = 0: its column serves the gain
            solution = np.linalg.solve(left, self.r[every, pi])
            self.J, self.u = float(solution[0]), np.concatenate([[0.0], solution[1:]])
            self.q = self.r + self.P @ self.u
            better = self.q.max(axis=1) > self.q[every, pi] + 1e-11
            if not better.any():
                self.pi = pi
                return
            pi = np.where(better, self.q.argmax(axis=1), pi)

    def learn(self, s: int, a: int, r: float, s2: int) -> None:
        super().learn(s, a, r, s2)
        self.N[s, a] += 1
        self.t += 1


def gain_of(P: Floats, r: Floats, pi: NDArray[Any]) -> float:
    """Gain of a policy whose chain has one recurrent class."""
    every = np.arange(len(pi))
    left = np.eye(len(pi)) - P[every, pi]
    left[:, 0] = 1.0
    return float(np.linalg.solve(left, r[every, pi])[0])


def relative_values(P: Floats, r: Floats, u: Floats, precision: float, limit: int) -> tuple[int | None, Floats, Floats]:
    """How the learner's text solves a draw: u <- u + (L u - u)/2 - const from the last u on, until span(L u - u) <
    precision. Sweeps made, u and r + P u (S,A) of the last one; None for more than `limit` sweeps."""
    for sweep in range(limit):
        q = r + P @ u
        change = q.max(axis=1) - u
        if np.ptp(change) < precision:
            return sweep + 1, u, q
        u = u + change / 2.0
        u = u - u[0]
    return None, u, r + P @ u
