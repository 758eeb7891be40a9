"""The divergence of two Bernoulli laws: Pinsker's inequality and its sharper forms, and the upper confidence root.

For 0 <= p < q < 1, with kl in nats,

    kl(p, q) >= 2 (q - p)^2,    kl(p, q) >= (q - p)^2 / (2 p (1 - p)) where p >= 1/2                 [derived]

since kl(p, q) is the integral of (x - p)/(x (1 - x)) from p to q and x (1 - x) is at most 1/4, and at most p (1 - p)
where p >= 1/2. The first is `garivier2011`'s comparison of KL-UCB with UCB1, both give the start of Newton's method.

Root: N plays with rewards S and q = max{q <= 1 : N kl(S/N, q) <= budget}. The kernel of the learner is held against
this definition: N kl at q - 1e-9 m must lie below the budget and at q + 1e-9 m above it, m the distance of q from the
mean and from 1, up to the rounding of the formula and of q.
"""

from __future__ import annotations

import math

import numpy as np

__all__ = ["false_pinsker", "false_root", "kl", "pinsker", "root"]


def kl(p: float, q: float) -> float:
    """p ln(p/q) + (1-p) ln((1-p)/(1-q)), with 0 ln 0 = 0 and inf where q shuts out what p allows."""
    out = 0.0
    for x, y in ((p, q), (1.0 - p, 1.0 - q)):
        if x > 0.0:
            out += x * math.log(x / y) if y > 0.0 else math.inf
    return out


def _pinsker(rng: np.random.Generator, factor: float) -> tuple[float, str]:
    worst, where = -math.inf, ""
    for _ in range(200):
        p = float(rng.uniform(0.3, 0.7) if rng.random() < 0.7 else rng.uniform(0.0, 1.0))
        q = p + float(rng.uniform(0.01, 0.2)) * (1.0 - p)
        value = kl(p, q)
        forms = [("1/4", 0.25)] + ([("p (1-p)", p * (1.0 - p))] if p >= 0.5 else [])
        for name, variance in forms:
            excess = factor * (q - p) ** 2 / (2.0 * variance) - value
            if excess / value > worst:
                worst, where = excess / value, f"variance {name} at p={p:.4g}, q={q:.4g}"
    return worst, where


def pinsker(rng: np.random.Generator) -> tuple[float, str]:
    """Largest relative excess of the lower bounds over kl(p, q)."""
    return _pinsker(rng, 1.0)


def false_pinsker(rng: np.random.Generator) -> tuple[float, str]:
    """The false twin: lower bounds a tenth larger."""
    return _pinsker(rng, 1.1)


def _root(rng: np.random.Generator, far: float) -> tuple[float, str]:
    from bandits.learners.kl_ucb import upper

    find = upper.build("python")
    worst, where = -math.inf, ""
    for _ in range(40):
        N = int(np.exp(rng.uniform(0.0, np.log(1e5))))
        S = float(rng.integers(0, N + 1)) if rng.random() < 0.7 else float(rng.uniform(0.0, N))
        budget = float(rng.uniform(0.5, 16.0))
        mean = S / N
        rest = sum(x * math.log(x / N) for x in (S, N - S) if x > 0.0)
        q = find(float(N), S, rest, budget)
        room = min(q - mean, 1.0 - q)
        if mean == 1.0:
            excess = abs(q - 1.0)
        elif q == 1.0:  # the root is above the last double below 1
            excess = N * kl(mean, 1.0 - 2.0**-53) - budget
        else:
            q += far * room
            low, high = N * kl(mean, q - 1e-9 * room), N * kl(mean, min(q + 1e-9 * room, 1.0))
            # rounding: of the formula itself, and of q, which near 1 has few digits left of 1 - q
            rounding = 1e-14 * N + 2.0**-51 * ((N - S) / (1.0 - q) + S / q)
            excess = max(low - budget, budget - high) - rounding
        if excess > worst:
            worst, where = excess, f"N={N}, S={S:.6g}, budget={budget:.4g}"
    return worst, where


def root(rng: np.random.Generator) -> tuple[float, str]:
    """Largest amount by which the kernel's root misses the definition, in nats of N kl."""
    return _root(rng, 0.0)


def false_root(rng: np.random.Generator) -> tuple[float, str]:
    """The false twin: the root moved by a ten-thousandth of its distance from the mean and from 1."""
    return _root(rng, 1e-4)
