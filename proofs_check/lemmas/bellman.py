"""The discounted Bellman operator T v = max_a (r + gamma P v), and what is lost by acting on wrong values.

    contraction     |Tv - Tw| <= gamma |v - w|                               equality for w = v + c
    monotonicity    v <= w implies Tv <= Tw;  T(v + c) = Tv + gamma c
    greedy loss     |v - V*| <= e implies V* - V^pi <= 2 gamma e / (1-gamma), pi greedy for v

The last is attained: v = V* + e on one action's successor and V* - e on the other's [recalled]. It is drawn as
v = V* + e s with s in {-1, 0, 1}^S.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from proofs_check.lemmas._mdp import Array, backups, optimal, value
from theorylab.lemma import Lemma, Sides
from theorylab.lemma_fields import Field, Instance
from theorylab.strategies import Source, model, table, values, values_near

__all__ = ["contraction", "greedy_loss", "monotonicity"]

Both = dict[str, tuple[Any, Any]]


def two_values(source: Source) -> Instance:
    """A model and two value vectors at distance e, often with w = v + e."""
    x = model(source)
    v, e = values(source, x["S"]), Fraction(source.integer(1, 4), 4)
    return {**x, "v": v, "w": values_near(source, v, e)}


def _T(x: Any, v: Array, f: Field) -> Array:
    found: Array = f.max(backups(x.P, x.r, x.gamma, v), axis=1)
    return found


def _contraction(power: int) -> Sides:
    def sides(x: Any, f: Field) -> Both:
        return {"|Tv - Tw|": (f.max(abs(_T(x, x.v, f) - _T(x, x.w, f))), x.gamma**power * f.max(abs(x.v - x.w)))}

    return sides


def ordered(source: Source) -> Instance:
    """A model, values v <= w, and a shift c >= 0."""
    x = model(source)
    v = values(source, x["S"])
    more = table([Fraction(source.integer(0, 2), 4) for _ in v], len(v))
    return {**x, "v": v, "w": v + more, "c": Fraction(source.integer(0, 4), 4)}


def _monotone(discounted: bool) -> Sides:
    def sides(x: Any, f: Field) -> Both:
        Tv, Tw = _T(x, x.v, f), _T(x, x.w, f)
        moved = _T(x, x.v + x.c, f)
        by = x.gamma * x.c if discounted else x.c
        return {"Tv <= Tw": (Tv, Tw), "T(v+c) <= Tv + gamma c": (moved, Tv + by), "and back": (Tv + by, moved)}

    return sides


def _half_kept(x: Any, f: Field) -> Both:
    return {"Tv <= Tw - (w - v)/2": (_T(x, x.v, f), _T(x, x.w, f) - (x.w - x.v) / 2)}


def wrong_values(source: Source) -> Instance:
    """A model with a choice, e, and the signs of v - V* = e s."""
    x = model(source, S=(2, 4), A=(2, 3))
    signs = values_near(source, table([0] * x["S"], x["S"]), Fraction(1))
    return {**x, "e": Fraction(source.integer(1, 4), 4), "s": signs}


def _greedy(factor: int) -> Sides:
    def sides(x: Any, f: Field) -> Both:
        best = optimal(x.P, x.r, x.gamma, f)
        pi = f.greedy(backups(x.P, x.r, x.gamma, best + x.e * x.s))
        return {"V* - V^pi": (best - value(x.P, x.r, x.gamma, pi, f), factor * x.gamma * x.e / (1 - x.gamma))}

    return sides


contraction = Lemma(
    name="puterman1994.contraction",
    text="|Tv - Tw| <= gamma |v - w| in the maximum norm, for all values v, w.",
    tag="recalled",
    draw=two_values,
    sides=_contraction(1),
    twins={"gamma^2 for gamma": _contraction(2)},
)

monotonicity = Lemma(
    name="puterman1994.monotonicity",
    text="v <= w implies Tv <= Tw, and T(v + c) = Tv + gamma c for every constant c.",
    tag="recalled",
    draw=ordered,
    sides=_monotone(True),
    twins={"gamma lost in T(v + c)": _monotone(False), "half of w - v kept": _half_kept},
)

greedy_loss = Lemma(
    name="singh1994.greedy-loss",
    text="If |v - V*| <= e then the greedy policy of v loses at most 2 gamma e / (1-gamma) in every state.",
    tag="recalled",
    draw=wrong_values,
    sides=_greedy(2),
    twins={"gamma e / (1-gamma)": _greedy(1)},
)
