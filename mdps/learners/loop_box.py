"""LOOP-box: extended value iteration with the bonus sqrt(beta / n) of each pair on its own. A relaxation, not LOOP.

The ellipsoid of LOOP's confidence set lies in the box |e(s,a)| <= sqrt(beta / n(s,a)), so the gain is at least LOOP's:
optimism holds, but every pair has the whole budget, and the hypothesis may have an excess loss of S A beta, and
more where the cap or the span binds. It is given up where a pair has doubled its visits (`trigger` 2), since its excess
says nothing. Range of the values at most `span`.

State as that of `loop`; no cone programs.

Source: [derived, b5]; truncation of the range as in fruit2018 [recalled].
"""

from __future__ import annotations

from typing import Any

from mdps.learners._loop_tabular import learner_as
from mdps.loop.relaxations import loop_box
from mdps.loop.tabular import Empirical, Optimistic


def step(data: Empirical, p: Any) -> Optimistic:
    """The hypothesis of truncated value iteration on the box."""
    return loop_box(data, p.beta, p.span, p.cap)


learner = learner_as(
    "loop-box",
    step,
    "A relaxation of LOOP, kept to show what the shared budget is worth; plans when a pair has doubled its visits.",
    trigger=2,
)
