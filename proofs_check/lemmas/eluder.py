"""Counting wide confidence sets by the eluder dimension, for finite classes F on few points, all sequences by hand.

x is e-independent of x_1..x_k if two functions have sum_i (f - f')^2(x_i) <= e^2 and |f - f'|(x) > e. dim(F, e) is
the length of the longest sequence in which, for one e' >= e, each point is e'-independent of those before it. For
F_t = {f : sum_{i<t} (f - c_t)^2(x_i) <= beta} around any centres c_t and w_t the width of F_t at x_t:

    number of t with w_t > e  <=  (4 beta / e^2 + 1) dim(F, e)        Russo and Van Roy (2013), proposition 3 [recalled]

A point occurs at most once in such a sequence, since the functions that show its independence differ by more than
e' there. The rates e' that matter are e and the roots of sums of squares.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations
from typing import Any

from theorylab.lemma import Lemma, Sides
from theorylab.lemma_fields import Field, Instance
from theorylab.strategies import Source, rewards

__all__ = ["counting", "dimension"]


def dimension(F: Any, e: Any) -> int:
    """The eluder dimension of functions F (M,n) at scale e > 0."""
    squares = [[(a - b) ** 2 for a, b in zip(f, g, strict=True)] for f, g in combinations(F, 2)]
    n = len(F[0])
    sums = [sum(d[i] for i in chosen) for d in squares for k in range(1, n) for chosen in combinations(range(n), k)]
    scales = {e * e, *(s for s in sums if s > e * e)}

    def longest(before: tuple[int, ...], scale: Any) -> int:
        free = [
            x for x in range(n) if x not in before and any(sum(d[i] for i in before) <= scale < d[x] for d in squares)
        ]
        return max((1 + longest((*before, x), scale) for x in free), default=0)

    return max(longest((), scale) for scale in scales)


def wide(source: Source) -> Instance:
    """M functions on n points, T points played, a centre for each round, beta and e.

    A third function is half of the time the reflection of the second in the first: two functions of one confidence set
    are farthest apart, by twice the root of beta, on opposite sides of the centre.
    """
    n, M, T = source.size(1, 3), source.integer(2, 3), source.integer(1, 6)
    F, centres = rewards(source, M, n), M - 1
    if M == 3 and source.integer(0, 1) == 0:
        F[2], centres = 2 * F[0] - F[1], 0
    return {
        "F": F,
        "played": [source.integer(0, n - 1) for _ in range(T)],
        "centre": [source.integer(0, centres) for _ in range(T)],
        "beta": Fraction(source.integer(0, 4), 16),
        "e": Fraction(source.integer(1, 7), 8),
    }


def count(x: Any) -> int:
    """Rounds in which the confidence set is wider than e at the point played."""
    total = 0
    for t, point in enumerate(x.played):
        centre = x.F[x.centre[t]]
        values = [f[point] for f in x.F if sum((f[i] - centre[i]) ** 2 for i in x.played[:t]) <= x.beta]
        total += max(values) - min(values) > x.e
    return total


def _sides(four: int, one: int) -> Sides:
    def sides(x: Any, f: Field) -> dict[str, tuple[Any, Any]]:
        most = (four * x.beta / (x.e * x.e) + one) * dimension(x.F.tolist(), x.e)
        return {"wide rounds": (f.number(count(x)), most)}

    return sides


counting = Lemma(
    name="russo2013.eluder-counting",
    text="Proposition 3: confidence sets of radius beta around any centres are wider than e at the point played in at "
    "most (4 beta/e^2 + 1) dim(F, e) rounds.",
    tag="recalled",
    draw=wide,
    sides=_sides(4, 1),
    twins={"+ 1 lost": _sides(4, 0), "4 lost": _sides(1, 1), "2 for 4": _sides(2, 1)},
)
