"""Tabular LOOP from its definition: losses as sums over the data, the optimum by search over values, not policies'
programs.

Data is a list of (s, a, s2). The loss of (Q, J) against a table g is sum (g(s,a) - r(s,a) - V(s2) + J)^2; the infimum
over all tables is taken pair by pair at the mean of the targets.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

Step = tuple[int, int, int]


def beta_of(S: int, A: int, T: int, delta: float, B: float, form: int) -> float:
    """Forms 0 and 1."""
    value = S * A / 2 * math.log(1 + T / (S * A)) + math.log(1 / delta)
    return B**2 * value if form == 1 else 9 * B**2 * (value + S * math.log(T + 1))


def excess(data: Sequence[Step], Q: np.ndarray, J: float, r: np.ndarray) -> float:
    """L(f, f) - inf_g L(f, g), sums over the data."""
    V = Q.max(axis=1)
    targets: dict[tuple[int, int], list[float]] = {}
    for s, a, s2 in data:
        targets.setdefault((s, a), []).append(float(r[s, a]) + float(V[s2]) - J)
    own = sum((float(Q[pair]) - y) ** 2 for pair, ys in targets.items() for y in ys)
    best = sum((math.fsum(ys) / len(ys) - y) ** 2 for ys in targets.values() for y in ys)
    return own - best


def _cheapest(V: np.ndarray, J: np.ndarray, n: np.ndarray, P: np.ndarray, r: np.ndarray, pi: Any) -> np.ndarray:
    """Least excess of values V (k,S) with gains J (k,) where pi is greedy: the free Q by hand."""
    total = np.zeros(len(V))
    for s in range(V.shape[1]):
        for a in range(n.shape[1]):
            if n[s, a] > 0:
                wanted = r[s, a] + V @ P[s, a] - J  # the table's entry without residual
                entry = V[:, s] if pi[s] == a else np.minimum(wanted, V[:, s])
                total += n[s, a] * (entry - wanted) ** 2
    return total


def largest_gain(
    data: Sequence[Step], r: np.ndarray, beta: float, B: float, cap: float, rounds: int = 5, mesh: int = 33
) -> float:
    """The largest J over all tables with |V| <= B/2 in the confidence set, by a mesh on V that is refined; S <= 3."""
    S, A = r.shape
    moves = np.zeros((S, A, S))
    for s, a, s2 in data:
        moves[s, a, s2] += 1
    n = moves.sum(axis=2)
    P = moves / np.maximum(n, 1)[..., None]
    best = -math.inf
    for pi in itertools.product(range(A), repeat=S):
        centre, width = np.zeros(S - 1), B
        for _ in range(rounds):
            axes = [np.clip(np.linspace(c - width, c + width, mesh), -B, B) for c in centre]
            rest = np.stack([x.ravel() for x in np.meshgrid(*axes, indexing="ij")], axis=1)
            V = np.concatenate([np.zeros((len(rest), 1)), rest], axis=1)
            V = V[V.max(axis=1) - V.min(axis=1) <= B * (1 + 1e-12)]
            J = _gains(V, n, P, r, pi, beta, cap)
            k = int(J.argmax())
            if not np.isfinite(J[k]):
                break
            best = max(best, float(J[k]))
            centre, width = V[k, 1:], 3.0 * width / (mesh - 1)
    return best


def _gains(V: np.ndarray, n: np.ndarray, P: np.ndarray, r: np.ndarray, pi: Any, beta: float, cap: float) -> np.ndarray:
    """The largest J <= cap of each V, or -inf: the excess is convex in J, so its minimum is found, then its end."""
    low, high = np.full(len(V), -3.0 - V.max() + V.min()), np.full(len(V), cap)
    for _ in range(60):
        a, b = low + (high - low) / 3, high - (high - low) / 3
        left = _cheapest(V, a, n, P, r, pi) <= _cheapest(V, b, n, P, r, pi)
        low, high = np.where(left, low, a), np.where(left, b, high)
    bottom = low
    ok = _cheapest(V, bottom, n, P, r, pi) <= beta
    low, high = bottom, np.full(len(V), cap)
    inside = _cheapest(V, high, n, P, r, pi) <= beta
    for _ in range(50):
        middle = 0.5 * (low + high)
        good = _cheapest(V, middle, n, P, r, pi) <= beta
        low, high = np.where(good, middle, low), np.where(good, high, middle)
    return np.where(inside, cap, np.where(ok, low, -math.inf))


def box_gain(data: Sequence[Step], r: np.ndarray, beta: float, B: float, cap: float) -> float:
    """LOOP-box: the gain, at most cap, of u -> max_a r + sqrt(beta / n) + P_hat u, range of u cut to B.

    Half steps and plain loops; a pair without visits pays the most that a step can, cap + B.
    """
    S, A = r.shape
    counts: dict[tuple[int, int], list[int]] = {(s, a): [0] * S for s in range(S) for a in range(A)}
    for s, a, s2 in data:
        counts[s, a][s2] += 1
    u = [0.0] * S
    while True:
        image = []
        for s in range(S):
            paid = []
            for a in range(A):
                n = sum(counts[s, a])
                if n == 0:
                    paid.append(cap + B + sum(u) / S)
                else:
                    ahead = sum(c * x for c, x in zip(counts[s, a], u, strict=True)) / n
                    paid.append(float(r[s, a]) + math.sqrt(beta / n) + ahead)
            image.append(max(paid))
        image = [min(x, min(image) + B) for x in image]
        change = [x - y for x, y in zip(image, u, strict=True)]
        if max(change) - min(change) <= 1e-6:
            return float(min(cap, 0.5 * (max(change) + min(change))))
        u = [y + 0.5 * x for x, y in zip(change, u, strict=True)]
        u = [y - min(u) for y in u]
