"""Average reward: T v = max_a (r + P v), and what its residual says about gains.

    residual       min(Tv - v) <= g(greedy policy of v);  g(pi) <= max(Tv - v) for every policy pi
    bias           g + min(d) <= g(pi) <= g + max(d), d = r_pi + P_pi h - h - g: any g, h, and any unichain pi
    span           sp(Tv - Tw) <= tau sp(v - w),  tau = 1 - min over (s,a), (s',a') of sum_j min(P(j|s,a), P(j|s',a'))

[recalled]. The residual is drawn near the bias of a policy, v = h_pi + e s, where Tv - v is nearly constant.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from proofs_check.lemmas._mdp import Array, backups, gain_bias, induced
from theorylab.lemma import Lemma, Sides
from theorylab.lemma_fields import Field, Instance
from theorylab.strategies import Source, deterministic_policy, model, table, values, values_near

__all__ = ["gain_bias_residual", "residual", "span_contraction"]

Both = dict[str, tuple[Any, Any]]


def near_bias(source: Source) -> Instance:
    """A unichain model, a policy, and e s by which v differs from the policy's bias."""
    x = model(source, anchored=True)
    signs = values_near(source, table([0] * x["S"], x["S"]), Fraction(1))
    return {
        **x,
        "pi": deterministic_policy(source, x["S"], x["A"]),
        "e": Fraction(source.integer(0, 4), 4),
        "s": signs,
    }


def _residual(own: bool, fraction: int = 1) -> Sides:
    def sides(x: Any, f: Field) -> Both:
        g, h = gain_bias(x.P, x.r, x.pi, f)
        v = h + x.e * x.s
        q = backups(x.P, x.r, 1, v)
        pi = f.greedy(q) if own else x.pi
        residual = f.max(q, axis=1) - v
        low, high = f.min(residual), f.max(residual)
        reached, _ = gain_bias(x.P, x.r, pi, f)
        return {
            "min(Tv-v) <= g(greedy)": (low, reached),
            "g(pi) <= max(Tv-v)": (g, high - (high - low) * (fraction - 1)),
        }

    return sides


def _bias(signed: bool) -> Sides:
    def sides(x: Any, f: Field) -> Both:
        g, h = gain_bias(x.P, x.r, x.pi, f)
        guess, v = g + x.e * x.s[0], h + x.e * x.s
        chain, reward = induced(x.P, x.r, x.pi)
        defect = reward + chain @ v - v - guess
        high, low = (f.max(defect), f.min(defect)) if signed else (f.max(abs(defect)) / 2, -f.max(abs(defect)) / 2)
        return {"lower": (guess + low, g), "upper": (g, guess + high)}

    return sides


def two_values(source: Source) -> Instance:
    """A model and two value vectors that differ by e s."""
    x = model(source)
    v = values(source, x["S"])
    return {**x, "v": v, "w": values_near(source, v, Fraction(source.integer(1, 4), 4))}


def _overlap(P: Array, f: Field, same_action: bool) -> Any:
    S, A, _ = P.shape
    rows, actions = P.reshape(S * A, S), np.tile(np.arange(A), S)
    pairs = [(i, j) for i in range(S * A) for j in range(i + 1) if not same_action or actions[i] == actions[j]]
    return f.min(f.array([f.min(np.stack([rows[i], rows[j]]), axis=0).sum() for i, j in pairs]))


def _span(same_action: bool) -> Sides:
    def sides(x: Any, f: Field) -> Both:
        Tv, Tw = (f.max(backups(x.P, x.r, 1, u), axis=1) for u in (x.v, x.w))
        return {"sp(Tv - Tw)": (f.span(Tv - Tw), (1 - _overlap(x.P, f, same_action)) * f.span(x.v - x.w))}

    return sides


residual = Lemma(
    name="puterman1994.gain-residual",
    text="min(Tv - v) <= g of the greedy policy of v, and g(pi) <= max(Tv - v) for every policy: span(Tv - v) brackets "
    "the best gain and the greedy one.",
    tag="recalled",
    draw=near_bias,
    sides=_residual(True),
    twins={"any policy for the greedy one": _residual(False), "minimum for maximum": _residual(True, 2)},
)

gain_bias_residual = Lemma(
    name="puterman1994.gain-bias-residual",
    text="For any g and h and any unichain policy, with d = r_pi + P_pi h - h - g: g + min(d) <= g(pi) <= g + max(d).",
    tag="derived",
    draw=near_bias,
    sides=_bias(True),
    twins={"half of the largest |d|": _bias(False)},
)

span_contraction = Lemma(
    name="puterman1994.span-contraction",
    text="sp(Tv - Tw) <= tau sp(v - w), tau = 1 - min over all (s,a), (s',a') of sum_j min(P(j|s,a), P(j|s',a')).",
    tag="recalled",
    draw=two_values,
    sides=_span(False),
    twins={"pairs with equal actions only": _span(True)},
)
