"""The simulation lemma: values of one policy in two models, rewards in [0, 1] and values discounted.

For ||P(s,a) - P^(s,a)||_1 <= e and |r(s,a) - r^(s,a)| <= e_r in all (s,a):

    |V - V^| <= (e_r + gamma e / (2 (1-gamma))) / (1-gamma)

with e the full l1 distance: |(P - P^) V| <= (e/2) span(V) [recalled; the factor 1/2 derived]. Near equality for small
e: state 0 pays and stays, and in the other model leaves for good with probability e/2.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from proofs_check.lemmas._mdp import value
from theorylab.lemma import Lemma, Sides
from theorylab.lemma_fields import Field, Instance
from theorylab.strategies import Source, model, moved, policy, table

__all__ = ["same_rewards", "two_rewards"]


def pair(source: Source, errors: int) -> Instance:
    """A model, one near it whose rewards differ by up to `errors` twentieths and stay in [0, 1], and a policy.

    States stay where they are, and rewards are 0 or 1, in about half of the draws: equality needs both.
    """
    x = model(source)
    S, A = x["S"], x["A"]
    for s in range(S):
        if source.integer(0, 1) == 0:
            x["P"][s] = table([int(s == t) for t in range(S)], S)
            x["r"][s] = table([round(r) for r in x["r"][s]], A)
    shift = table([Fraction(source.integer(-errors, errors), 20) for _ in range(S * A)], S, A)
    near = table([min(max(r, Fraction(0)), Fraction(1)) for r in (x["r"] + shift).ravel()], S, A)
    return {**x, "P_hat": moved(source, x["P"]), "r_hat": near, "pi": policy(source, S, A)}


def _sides(half: int, power: int, rewards: int = 1) -> Sides:
    def sides(x: Any, f: Field) -> dict[str, tuple[Any, Any]]:
        e = f.max(abs(x.P - x.P_hat).sum(axis=2))
        e_r = f.max(abs(x.r - x.r_hat))
        gap = abs(value(x.P, x.r, x.gamma, x.pi, f) - value(x.P_hat, x.r_hat, x.gamma, x.pi, f))
        one = 1 - x.gamma
        return {"|V - V^|": (gap, rewards * e_r / one + x.gamma * e / (half * one**power))}

    return sides


same_rewards = Lemma(
    name="kearns2002.simulation",
    text="|V^pi - V^^pi| <= gamma e / (2 (1-gamma)^2) in every state, for models whose rows differ by at most e in the "
    "1-norm, with equal rewards in [0, 1].",
    tag="recalled",
    draw=lambda source: pair(source, 0),
    sides=_sides(2, 2),
    twins={"e/2 taken for e": _sides(4, 2), "one factor 1/(1-gamma) lost": _sides(2, 1)},
)

two_rewards = Lemma(
    name="kearns2002.simulation-rewards",
    text="|V^pi - V^^pi| <= e_r / (1-gamma) + gamma e / (2 (1-gamma)^2) in every state, for models whose rows differ "
    "by at most e in the 1-norm and rewards in [0, 1] by at most e_r.",
    tag="recalled",
    draw=lambda source: pair(source, 2),
    sides=_sides(2, 2),
    twins={"rewards left out": _sides(2, 2, rewards=0), "e/2 taken for e": _sides(4, 2)},
)
