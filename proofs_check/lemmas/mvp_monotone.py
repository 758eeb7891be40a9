"""Monotonicity behind MVP: p V + max(x sqrt(Var_p(V) i / n), x^2 i / n) is nondecreasing in every V(y), V in [0,1]^S.

Where the first term is the larger, its derivative in V(y) is at least -p(y) times x sqrt(i / n) / sd <= 1, since V(y) -
pV >= -1. The paper's max-form has x = 20/3 and x^2 = 400/9 [recalled], the smallest square that works. The kernel's
part of the bonus, (460/9) (sqrt(Var i / n) + i / n) with 460/9 = 20/3 + 400/9, is a sum, not monotone itself, and
dominates that max-form. max(c1 sqrt(Var i / n), c3 i / n) with c1 = 460/9 and c3 = 544/9 is not monotone, since c3 <
c1^2 [derived].
"""

from __future__ import annotations

import math

import numpy as np

__all__ = ["false_monotone", "max_form", "monotone"]

ROOT = 20.0 / 3.0
SQUARE = 400.0 / 9.0


def max_form(p: np.ndarray, V: np.ndarray, rate: float, root: float = ROOT, square: float = SQUARE) -> float:
    """p V + max(root sqrt(Var_p(V) rate), square rate), rate = iota / n."""
    mean = float(p @ V)
    variance = float(p @ (V - mean) ** 2)
    return mean + max(root * math.sqrt(variance * rate), square * rate)


def _excess(rng: np.random.Generator, square: float) -> tuple[float, str]:
    """Largest decrease of the max-form when one value is raised, over random laws, values and rates."""
    worst, where = -math.inf, ""
    for _ in range(60):
        S = int(rng.integers(2, 7))
        p = rng.dirichlet(np.full(S, rng.choice([0.1, 1.0])))
        # near equality: values at the ends of [0, 1], and the two terms of the maximum close to one another
        V = np.where(rng.random(S) < 0.7, (rng.random(S) < 0.7).astype(float), rng.random(S))
        mean = float(p @ V)
        rate = float(p @ (V - mean) ** 2) / ROOT**2 * float(np.exp(rng.uniform(-1.0, 2.5)))
        if rate < 1e-12:
            continue
        y = int(rng.integers(S))
        raised = V.copy()
        raised[y] += (1.0 - V[y]) * float(rng.choice([0.01, 0.1, 1.0]))
        fall = max_form(p, V, rate, square=square) - max_form(p, raised, rate, square=square)
        if fall > worst:
            worst, where = fall, f"S={S}, p(y)={p[y]:.3g}, V(y) {V[y]:.3g} -> {raised[y]:.3g}, rate={rate:.3g}"
    return worst, where


def monotone(rng: np.random.Generator) -> tuple[float, str]:
    """The largest fall with the paper's constants: at most rounding."""
    return _excess(rng, SQUARE)


def false_monotone(rng: np.random.Generator) -> tuple[float, str]:
    """The false twin: the constant of i / n lowered to a quarter."""
    return _excess(rng, SQUARE / 4.0)
