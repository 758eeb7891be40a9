"""CFR+: regret matching+, alternating updates, averages weighted by the iteration.

For player 0, then for player 1 against what player 0 plays by then, with t = 1, 2, ...:

    total    += t x_t                       x_t the realisation plan of the player's pi_t
    R         = max(0, R + v - <pi_t, v>)   v counterfactual values
    pi_{t+1}  proportional to R, uniform where R = 0

State: see `mdps.learners._cfr`. Source: tammelin2014 [recalled]; switches as in public code [source: code].
"""

from __future__ import annotations

from typing import Any

from mdps.learners._cfr import STATE, act, alternate, begin
from theorylab.learner import Learner


def derive(p: dict[str, Any]) -> dict[str, Any]:
    """The switches of `alternate`."""
    return dict(prediction=0.0, power=1)


learner = Learner(
    name="cfr-plus",
    setting="game",
    cite="tammelin2014",
    source_tag="recalled",
    params=dict(random=0),
    state=STATE,
    begin=begin,
    act=act,
    learn=alternate,
    derive=derive,
    text="Alternating updates, linear average.",
)
