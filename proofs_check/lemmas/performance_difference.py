"""The performance-difference identities, discounted and on average. pi is the old policy, pi' the new one.

    V'(mu) - V(mu) = 1/(1-gamma) sum_s d'(s) sum_a pi'(a|s) A(s,a),  d' = (1-gamma) sum_t gamma^t P'(s_t = s), s_0 ~ mu
    g' - g         = sum_s m'(s) sum_a pi'(a|s) (r + P h - h - g)(s,a),  m' stationary under pi', (g, h) of pi

The second where either policy has one recurrent class [recalled].

Degrees [derived]. P, pi and gamma are quotients of integers. Row s of I - gamma P_pi times its denominators (those of
pi(.|s), of gamma, and of A rows of P) has degree at most A + 2, so V and d are quotients of degree at most S(A+3). Both
sides together hold two values or biases and one occupancy, S A denominators of P, S of pi', and r, gamma, mu.
"""

from __future__ import annotations

from typing import Any

from proofs_check.lemmas._mdp import Array, backups, gain_bias, occupancy, stationary, value
from theorylab.lemma import Lemma, Sides
from theorylab.lemma_fields import Field, Instance
from theorylab.strategies import Source, law, model, policy

__all__ = ["average", "degree", "discounted"]


def two_policies(source: Source) -> Instance:
    """A model that reaches state 0 from everywhere, a start law and two stochastic policies."""
    x = model(source, anchored=True)
    S, A = x["S"], x["A"]
    return {**x, "mu": law(source, S), "old": policy(source, S, A), "new": policy(source, S, A)}


def degree(x: Instance) -> int:
    """See the text of the module."""
    S, A = x["S"], x["A"]
    return int(3 * S * (A + 3) + S * A + 2 * S + 6)


def _discounted(occupied: str, normalised: bool) -> Sides:
    def sides(x: Any, f: Field) -> dict[str, tuple[Any, Any]]:
        V = value(x.P, x.r, x.gamma, x.old, f)
        new: Array = value(x.P, x.r, x.gamma, x.new, f)
        d = occupancy(x.P, x.r, x.gamma, getattr(x, occupied), x.mu, f)
        advantage = backups(x.P, x.r, x.gamma, V) - V[:, None]
        right = d @ (x.new * advantage).sum(axis=1)
        return {"difference": (x.mu @ (new - V), right / (1 - x.gamma) if normalised else right)}

    return sides


def _average(occupied: str) -> Sides:
    def sides(x: Any, f: Field) -> dict[str, tuple[Any, Any]]:
        g, h = gain_bias(x.P, x.r, x.old, f)
        new, _ = gain_bias(x.P, x.r, x.new, f)
        advantage = x.r + x.P @ h - h[:, None] - g
        return {
            "difference": (new - g, stationary(x.P, x.r, getattr(x, occupied), f) @ (x.new * advantage).sum(axis=1))
        }

    return sides


discounted = Lemma(
    name="kakade2002.performance-difference",
    text="V'(mu) - V(mu) = 1/(1-gamma) sum_s d'(s) sum_a pi'(a|s) A(s,a) for any two policies, d' the normalised "
    "occupancy of the new one from mu and A the advantages of the old one.",
    tag="recalled",
    draw=two_policies,
    sides=_discounted("new", True),
    twins={"occupancy of the old policy": _discounted("old", True), "1/(1-gamma) lost": _discounted("new", False)},
    kind="identity",
    degree=degree,
)

average = Lemma(
    name="cao1999.average-performance-difference",
    text="g' - g = sum_s m'(s) sum_a pi'(a|s) (r + P h - h - g)(s,a) for any two unichain policies, m' the stationary "
    "law of the new one, g and h gain and bias of the old one.",
    tag="recalled",
    draw=two_policies,
    sides=_average("new"),
    twins={"stationary law of the old policy": _average("old")},
    kind="identity",
    degree=degree,
)
