"""Predictive CFR+: the last instantaneous regret is taken for the next one; alternating, quadratic averages.

For player 0, then for player 1 against what player 0 plays by then, with t = 1, 2, ...:

    total    += t^2 x_t                     x_t the realisation plan of the player's pi_t
    u         = v - <pi_t, v>               v counterfactual values
    R         = max(0, R + u)
    pi_{t+1}  proportional to max(0, R + u), uniform where that is 0

State: see `mdps.learners._cfr`. Source: farina2021 [recalled].
"""

from __future__ import annotations

from typing import Any

from mdps.learners._cfr import STATE, act, alternate, begin
from theorylab.learner import Learner


def derive(p: dict[str, Any]) -> dict[str, Any]:
    """The switches of `alternate`."""
    return dict(prediction=1.0, power=2)


learner = Learner(
    name="pcfr-plus",
    setting="game",
    cite="farina2021",
    source_tag="recalled",
    params=dict(random=0),
    state=STATE,
    begin=begin,
    act=act,
    learn=alternate,
    derive=derive,
    text="Alternating updates, quadratic average; the prediction is the last instantaneous regret.",
)
