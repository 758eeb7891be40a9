"""Distances of two laws on n outcomes, and how far an empirical law strays. TV is half of the l1 distance.

    Pinsker      TV <= sqrt(KL / 2)
    Hellinger    H^2 / 2 <= TV <= H sqrt(1 - H^2/4),  KL >= -2 ln(1 - H^2/2) >= H^2,  H^2 = sum (sqrt p - sqrt q)^2
    l1           P(|p_hat - p|_1 >= e) <= (2^S - 2) exp(-n e^2 / 2), p_hat the frequencies of n draws

[recalled: Tsybakov (2009), section 2.4; Weissman et al. (2003)]. The probability of the last is summed over all counts;
coins are nearest to equality.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations_with_replacement
from math import factorial
from typing import Any

import numpy as np

from proofs_check.lemmas._mdp import Array
from theorylab.lemma import Lemma, Sides
from theorylab.lemma_fields import Field, Instance
from theorylab.strategies import Source, law, moved, table

__all__ = ["hellinger", "l1_deviation", "pinsker"]

Both = dict[str, tuple[Any, Any]]


def two_laws(source: Source, positive: bool) -> Instance:
    """Laws p and q on the same outcomes, near each other in about half of the draws; `positive`: q(x) > 0 for all x."""
    n = source.size(2, 4)
    weights = [k + 1 for k in source.weights(n)]
    q = table([Fraction(k, sum(weights)) for k in weights], n) if positive else law(source, n)
    p = moved(source, q) if source.integer(0, 1) == 0 else law(source, n)
    return {"p": p, "q": q}


def _kl(x: Any, f: Field) -> Any:
    seen = np.array([p > 0 for p in x.p])
    return (x.p[seen] * f.log(x.p[seen] / x.q[seen])).sum()


def _tv(x: Any) -> Any:
    return abs(x.p - x.q).sum() / 2


def _square(x: Any, f: Field) -> Any:
    """H^2, as 2 - 2 sum sqrt(p q)."""
    return 2 - 2 * f.sqrt(x.p * x.q).sum()


def _pinsker(over: int, hellinger: int) -> Sides:
    def sides(x: Any, f: Field) -> Both:
        kl, tv, square = _kl(x, f), _tv(x), _square(x, f)
        affinity = f.log(f.array([1 - square / 2]))[0]
        return {"TV^2 <= KL/2": (tv * tv, kl / over), "Hellinger <= KL": (-hellinger * affinity, kl)}

    return sides


def _hellinger(lower: int, upper: int) -> Sides:
    def sides(x: Any, f: Field) -> Both:
        tv, square = _tv(x), _square(x, f)
        return {
            "H^2/2 <= TV": (square / lower, tv),
            "TV^2 <= H^2 (1 - H^2/4)": (tv * tv, square * (1 - square / upper)),
        }

    return sides


def coins(source: Source) -> Instance:
    """A law on S outcomes, n draws, a distance."""
    S, n = source.size(2, 3), source.integer(1, 6)
    return {"S": S, "n": n, "p": law(source, S), "e": Fraction(source.integer(1, 8), 4)}


def tail(p: Array, n: int, e: Any) -> Any:
    """P(|p_hat - p|_1 >= e), summed over all counts."""
    total = 0 * e
    for outcome in combinations_with_replacement(range(len(p)), n):
        counts = [outcome.count(i) for i in range(len(p))]
        if not sum(abs(c - n * x) for c, x in zip(counts, p, strict=True)) < n * e:
            ways = factorial(n)
            for c in counts:
                ways //= factorial(c)
            term = 0 * e + ways
            for c, x in zip(counts, p, strict=True):
                term = term * x**c
            total = total + term
    return total


def _l1(sets: bool, half: int) -> Sides:
    def sides(x: Any, f: Field) -> Both:
        bound = (2**x.S - 2 if sets else 1) * f.exp(f.array([-x.n * x.e * x.e / half]))[0]
        return {"tail": (tail(x.p, x.n, x.e), bound)}

    return sides


pinsker = Lemma(
    name="tsybakov2009.pinsker",
    text="TV(p, q) <= sqrt(KL(p, q) / 2), and KL(p, q) >= -2 ln(1 - H^2(p, q)/2).",
    tag="recalled",
    draw=lambda source: two_laws(source, True),
    sides=_pinsker(2, 2),
    twins={"KL / 3": _pinsker(3, 2), "-3 ln(1 - H^2/2)": _pinsker(2, 3)},
    irrational=True,
)

hellinger = Lemma(
    name="tsybakov2009.hellinger",
    text="H^2(p, q)/2 <= TV(p, q) <= H(p, q) sqrt(1 - H^2(p, q)/4).",
    tag="recalled",
    draw=lambda source: two_laws(source, False),
    sides=_hellinger(2, 4),
    twins={"H^2 <= TV": _hellinger(1, 4), "1 - H^2/2": _hellinger(2, 2)},
    irrational=True,
)

l1_deviation = Lemma(
    name="weissman2003.l1-deviation",
    text="P(|p_hat - p|_1 >= e) <= (2^S - 2) exp(-n e^2 / 2) for the frequencies of n draws from a law on S outcomes.",
    tag="recalled",
    draw=coins,
    sides=_l1(True, 2),
    twins={"exp(-n e^2)": _l1(True, 1), "1 for 2^S - 2": _l1(False, 2)},
    irrational=True,
)
