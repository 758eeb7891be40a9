"""GOSPRL's lemmas for all models: planning at unit cost, simulation, lower bounds, the tight instance of T2."""

from __future__ import annotations

from typing import Any

from proofs_check.lemmas import collection
from proofs_check.lemmas import shortest_path as lemmas
from theorylab.claim import Claim, Pointwise


def lemma(name: str, text: str, quantity: Any, twin: Any, tag: str = "derived") -> Claim:
    """A claim of the paper on all models."""
    return Claim(
        id=f"tarbouriech2021.{name}",
        text=text,
        source_tag=tag,
        learner="gosprl",
        kind=Pointwise(),
        scope="models",
        quantity=quantity,
        false_twin=twin,
        instances={},
    )


LEMMAS = [
    lemma(
        "value-iteration",
        "For all models with unit cost: v = L^j 0 and |L v - v| <= eps < 1 give v <= V* <= V^pi <= v / (1 - eps), pi "
        "greedy for v.",
        lemmas.certificate,
        lemmas.false_certificate,
    ),
    lemma(
        "tail",
        "If the goal is at most d expected steps away from every state, more than m steps have probability at most "
        "2 exp(-m / (4 d)).",
        lemmas.tail,
        lemmas.false_tail,
        "source",
    ),
    lemma(
        "simulation",
        "Rows within eta in the 1-norm, costs at least c_min, x = eta |V'| / c_min <= 1/2: V <= (1 + 2 x) V', V' <= "
        "(1 + x) V and |V - V'| <= 7 x |V'|.",
        lemmas.simulation,
        lemmas.false_simulation,
        "source",
    ),
    lemma(
        "star",
        "T2 is attained: on a star with n >= 2 leaves reached with p_i and b_i samples asked of leaf i, the least "
        "expected time is exactly sum b_i (1 + 1/p_i) = sum b_i D_i. No algorithm is faster, even one that knows p.",
        collection.star,
        collection.false_star,
    ),
    lemma(
        "lp-bound",
        "The linear program's value is at most the least expected time of any algorithm that knows p.",
        collection.program,
        collection.false_program,
    ),
    lemma(
        "hitting-bound",
        "The largest D(s_1 -> s) + 1 over the states s with a requirement is at most the least expected time.",
        collection.hitting,
        collection.false_hitting,
    ),
    lemma(
        "shrinking",
        "G' a part of G: V*_G <= V*_G' entrywise, so that D_G never falls while G shrinks.",
        collection.shrinking,
        collection.false_shrinking,
    ),
    lemma(
        "chain",
        "With goal g and costs in [c_min, 1]: B_star <= D_g <= T_star <= B_star / c_min, D_g = max_s min_pi E tau(s -> "
        "g). With the diameter over all goals in the place of D_g the chain is false.",
        collection.chain,
        collection.false_chain,
        "source",
    ),
]
