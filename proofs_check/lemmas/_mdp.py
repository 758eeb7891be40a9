"""Values, occupancies and gains of small MDPs in any field of `theorylab.lemma_fields`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from theorylab.lemma_fields import Field

Array = NDArray[Any]


def induced(P: Array, r: Array, pi: Array) -> tuple[Array, Array]:
    """Chain (S,S) and rewards (S,) of a policy: actions (S,) or probabilities (S,A)."""
    if pi.ndim == 1:
        at = np.arange(len(pi))
        return P[at, pi], r[at, pi]
    return (pi[:, :, None] * P).sum(axis=1), (pi * r).sum(axis=1)


def value(P: Array, r: Array, gamma: Any, pi: Array, f: Field) -> Array:
    """Discounted values (S,) of a policy."""
    chain, reward = induced(P, r, pi)
    return f.solve(f.eye(len(chain)) - gamma * chain, reward)


def backups(P: Array, r: Array, gamma: Any, v: Array) -> Array:
    """r + gamma P v, (S,A)."""
    return np.asarray(r + gamma * (P @ v))


def advantages(P: Array, r: Array, gamma: Any, pi: Array, f: Field) -> Array:
    """Q - V of a policy, (S,A)."""
    V = value(P, r, gamma, pi, f)
    return np.asarray(backups(P, r, gamma, V) - V[:, None])


def optimal(P: Array, r: Array, gamma: Any, f: Field) -> Array:
    """V* (S,) by policy iteration."""
    pi = np.zeros(len(r), dtype=np.int64)
    while True:
        better = f.greedy(backups(P, r, gamma, value(P, r, gamma, pi, f)))
        if np.array_equal(better, pi):
            return value(P, r, gamma, pi, f)
        pi = better


def occupancy(P: Array, r: Array, gamma: Any, pi: Array, mu: Array, f: Field) -> Array:
    """(1-gamma) sum_t gamma^t P(s_t = s) from s_0 ~ mu, (S,)."""
    chain, _ = induced(P, r, pi)
    return np.asarray((1 - gamma) * f.solve((f.eye(len(chain)) - gamma * chain).T, mu))


def gain_bias(P: Array, r: Array, pi: Array, f: Field) -> tuple[Any, Array]:
    """Gain, and bias (S,) with h(0) = 0, of a policy whose chain has one recurrent class."""
    chain, reward = induced(P, r, pi)
    M = f.eye(len(chain)) - chain
    M[:, 0] = f.array([f.number(1)] * len(chain))
    x = f.solve(M, reward)
    h = x.copy()
    h[0] = f.number(0)
    return x[0], h


def stationary(P: Array, r: Array, pi: Array, f: Field) -> Array:
    """Stationary law (S,) of such a policy."""
    chain, _ = induced(P, r, pi)
    M = (f.eye(len(chain)) - chain).T
    M[0] = f.array([f.number(1)] * len(chain))
    return f.solve(M, f.eye(len(chain))[0])
