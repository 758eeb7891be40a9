"""Self-normalised bound, by all 2^n sequences of two-valued noise. V_t = lam I + sum x x^T, S_t = sum x noise.

The noise is +-R with equal chances, so R-subgaussian; each vector depends on the noise before it in any way.

    E exp(|S_t|^2_{V_t^-1} / (2 R^2)) (lam^d / det V_t)^(1/2) <= 1 for every t             abbasi2011, lemma 9
    P(some t <= n: |S_t|^2_{V_t^-1} > 2 R^2 ln(det(V_t)^(1/2) / (lam^(d/2) delta))) <= delta        theorem 1

[recalled]. The mean tends to 1 for short vectors (0.9991 for |x|^2 = lam/16); theorem 1 is far from equality, as its
price is paid once for all times and rules. Where balls cannot decide that the bound fails, the sequence does not count.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from proofs_check.lemmas.potential import determinant
from theorylab.lemma import Lemma, Sides
from theorylab.lemma_fields import Field, Instance
from theorylab.strategies import Source, features

__all__ = ["mixture", "self_normalised"]

Both = dict[str, tuple[Any, Any]]
NOISE = (Fraction(1), Fraction(1, 2), Fraction(2))


def predictable(source: Source) -> Instance:
    """K arms (K,d), and which is played at each node of the tree of n <= 6 signs (heap order); R, lam and delta."""
    d, K, n = source.size(1, 2), source.size(1, 3), source.integer(1, 6)
    return {
        "d": d,
        "n": n,
        "R": NOISE[source.integer(0, 2)],
        "lam": Fraction(4) ** source.integer(-1, 1),
        "delta": Fraction(source.integer(1, 7), 8),
        "arms": features(source, K, d),
        "played": [source.integer(0, K - 1) for _ in range(2**n - 1)],
    }


def tree(x: Any, f: Field, stale: bool = False) -> list[list[tuple[Any, Any]]]:
    """(|S|^2_{V^-1}, det V / lam^d) after each round, for all signs so far: those of node i give 2i and 2i + 1.

    `stale`: V of the round before.
    """
    nodes, out, at = [(f.array([f.number(0)] * x.d), x.lam * f.eye(x.d))], [], 0
    for _ in range(x.n):
        after, found = [], []
        for S, V in nodes:
            row = x.arms[x.played[at]]
            at += 1
            W = V + row[:, None] * row[None, :]
            M = V if stale else W
            ratio = determinant(M) / x.lam**x.d
            for sign in (1, -1):
                s = S + sign * x.R * row
                after.append((s, W))
                found.append((s @ f.solve(M, s), ratio))
        nodes = after
        out.append(found)
    return out


def _mixture(power: int = 2, half: int = 2, stale: bool = False) -> Sides:
    def sides(x: Any, f: Field) -> Both:
        means = []
        for found in tree(x, f, stale):
            square, ratio = (f.array(list(column)) for column in zip(*found, strict=True))
            means.append((f.exp(square / (half * x.R**power)) / f.sqrt(ratio)).sum() / len(found))
        return {"mean": (f.array(means), f.number(1))}

    return sides


def _tail(power: int = 2, two: int = 2, root: bool = True) -> Sides:
    def sides(x: Any, f: Field) -> Both:
        price = -f.log(f.array([x.delta]))[0]
        failed = np.zeros(1, dtype=bool)
        for found in tree(x, f):
            square, ratio = (f.array(list(column)) for column in zip(*found, strict=True))
            limit = two * x.R**power * (price + (f.log(ratio) / 2 if root else 0))
            failed = np.repeat(failed, 2) | (square > limit).astype(bool)
        return {"P(fails)": (f.number(Fraction(int(failed.sum()), 2**x.n)), x.delta)}

    return sides


mixture = Lemma(
    name="abbasi2011.mixture",
    text="Lemma 9, method of mixtures: E exp(|S_t|^2_{V_t^-1} / (2 R^2)) (lam^d / det V_t)^(1/2) <= 1 for every t, for "
    "noise +-R and vectors that depend on the noise before them.",
    tag="recalled",
    draw=predictable,
    sides=_mixture(),
    twins={
        "R for R^2": _mixture(power=1),
        "1/2 lost": _mixture(half=1),
        "V of the round before": _mixture(stale=True),
    },
    irrational=True,
)

self_normalised = Lemma(
    name="abbasi2011.self-normalised",
    text="Theorem 1: P(some t <= n: |S_t|^2_{V_t^-1} > 2 R^2 ln(det(V_t)^(1/2) / (lam^(d/2) delta))) <= delta, for "
    "noise +-R and vectors that depend on the noise before them.",
    tag="recalled",
    draw=predictable,
    sides=_tail(),
    twins={
        "2 lost": _tail(two=1),
        "R dropped": _tail(power=0),
        "R for R^2": _tail(power=1),
        "determinant left out": _tail(root=False),
    },
    irrational=True,
)
