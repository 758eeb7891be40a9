"""Empirical Bernstein inequality, summed exactly over the counts of coins and of laws with three values.

For n independent values in an interval of length B with mean mu, average X and variance V (divided by n - 1),

    P(mu - X > sqrt(2 V ln(2/delta) / n) + 7 B ln(2/delta) / (3 (n - 1))) <= delta,   n >= 2

Maurer and Pontil (2009), theorem 4, for B = 1 [recalled]; the same for X - mu, by B - X. Hardest are rare values, where
V is often 0; the probability stays far below delta. The root is missed only from about n = 110 on: coins go to n = 256.
Sequences that balls cannot place beyond the bound do not count.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from math import factorial
from typing import Any

import numpy as np

from proofs_check.lemmas._mdp import Array
from theorylab.lemma import Lemma, Sides
from theorylab.lemma_fields import Field, Instance
from theorylab.strategies import Source, table

__all__ = ["empirical_bernstein"]

LONGEST = {2: 256, 3: 30}


def values(source: Source) -> Instance:
    """n values of a law p on S outcomes in [0, B], the first one often likely; delta in sixteenths."""
    S = source.size(2, 3)
    n, k, B = source.integer(2, LONGEST[S]), source.integer(1, 15), 2 ** source.integer(0, 3)
    weights = source.weights(S)
    if source.integer(0, 1) == 0:
        weights[0] += source.integer(0, 40)
    inner = [Fraction(source.integer(1, 3), 4)] if S == 3 else []
    return {
        "n": n,
        "B": B,
        "delta": Fraction(k, 16),
        "values": table([B * v for v in (Fraction(0), Fraction(1), *inner)], S),
        "p": table([Fraction(w, sum(weights)) for w in weights], S),
    }


@cache
def outcomes(n: int, S: int) -> tuple[Array, list[int]]:
    """Counts (.,S) of n draws, and the number of sequences with each."""
    firsts = range(n + 1)
    rows = [(n - i, i) for i in firsts] if S == 2 else [(n - i - j, i, j) for i in firsts for j in range(n + 1 - i)]
    ways = []
    for row in rows:
        number = factorial(n)
        for count in row:
            number //= factorial(count)
        ways.append(number)
    return np.array(rows), ways


def _sides(root: bool = True, lower: int = 7, scaled: bool = True) -> Sides:
    def sides(x: Any, f: Field) -> dict[str, tuple[Any, Any]]:
        n = x.n
        rows, ways = outcomes(n, len(x.p))
        chance = f.array([f.number(w) for w in ways])
        for i, p in enumerate(x.p):
            powers = [f.number(1)]
            for _ in range(n):
                powers.append(powers[-1] * p)
            chance = chance * f.array(powers)[rows[:, i]]
        average = rows @ x.values / n
        apart = x.values[None, :] - average[:, None]
        variance = (rows * (apart * apart)).sum(axis=1) / (n - 1)  # a power of a ball around 0 is no number
        log = f.log(f.array([2 / x.delta]))[0]
        width = lower * (x.B if scaled else 1) * log / (3 * (n - 1))
        width = width + f.sqrt(2 * variance * log / n) * int(root)
        gap = x.p @ x.values - average
        return {
            side: (f.number(0) + chance[(sign * gap > width).astype(bool)].sum(), x.delta)
            for side, sign in (("mu above", 1), ("mu below", -1))
        }

    return sides


empirical_bernstein = Lemma(
    name="maurer2009.empirical-bernstein",
    text="Theorem 4: P(mu - X > sqrt(2 V ln(2/delta)/n) + 7 B ln(2/delta)/(3 (n-1))) <= delta, X the average and V the "
    "variance (divided by n - 1) of n >= 2 independent values in an interval of length B; the same for X - mu.",
    tag="recalled",
    draw=values,
    sides=_sides(),
    twins={
        "1/3 for 7/3": _sides(lower=1),
        "second term left out": _sides(lower=0),
        "first term left out": _sides(root=False),
        "B dropped": _sides(scaled=False),
    },
    irrational=True,
)
