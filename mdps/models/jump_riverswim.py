"""JumpRiverSwim: RiverSwim where every step may jump to any state with a small probability.

S states, e = jump / S. Action 0 (left): state max(s-1, 0) has probability 1 - (S-1) e, all others e. Action 1 (right),
on top of e everywhere: state 0: .7 stay, .3 - S e to the right; interior: .1 left, .6 stay, .3 - S e right; state S-1:
.7 left, .3 - S e stay. r(0,left) = .2, r(S-1,right) = 1, else 0. P (S,2,S), r (S,2).
Source: the code of Wei et al. (2020), S = 6, jump = .01, whose costs are 1 - r [source: public code]; other sizes
[derived].

Exact for S = 6, jump = .01: gain 0.2096026667, bias span 3.21473684, diameter 22.789271, bias (.2, 0, .31486316,
1.11705263, 2.11494737, 3.21473684), optimal actions (0,0,1,1,1,1).
"""

from __future__ import annotations

import numpy as np

from theorylab.family import Family, Published
from theorylab.model import AVERAGE_REWARD, Criterion, TabularMDP
from theorylab.parameters import integer, number, room


def build(states: int = 6, jump: float = 0.01, criterion: Criterion = AVERAGE_REWARD) -> TabularMDP:
    """JumpRiverSwim with `states` >= 3 states and jumps of total probability about `jump` in [0, 0.3]."""
    S = integer("jump-riverswim", "states", states, 3)
    room("jump-riverswim", "P", S, 2, S)
    e = number("jump-riverswim", "jump", jump, 0.0, 0.3) / S
    P = np.full((S, 2, S), e)
    forward = 0.3 - (S - 1) * e  # includes the e of its own
    for s in range(S):
        P[s, 0, max(s - 1, 0)] = 1 - (S - 1) * e
        P[s, 1, min(s + 1, S - 1)] = forward
        if s == 0:
            P[s, 1, s] += 0.7
        elif s < S - 1:
            P[s, 1, s - 1] += 0.1
            P[s, 1, s] += 0.6
        else:
            P[s, 1, s - 1] += 0.7
    r = np.zeros((S, 2))
    r[0, 0], r[S - 1, 1] = 0.2, 1.0
    return TabularMDP(P=P, r=r, criterion=criterion, name=f"jump-riverswim-{S}")


family = Family(
    name="jump-riverswim",
    build=build,
    setting="mdp",
    cite="wei2020",
    source_tag="source",
    text="RiverSwim with jumps to any state; 6 states: gain 0.2096026667, bias span 3.21473684, diameter 22.789271.",
    tags=("communicating", "average"),
    published=(
        Published(
            name="jump-riverswim-6",
            params={},
            digest="97821203b14d80de",
            known={"gain": "0.2096026667", "bias_span": "3.21473684", "diameter": "22.789271", "gap": "0.08668968421"},
            text="Jumps of total probability .01, rewards .2 and 1, as in the code of Wei et al.",
        ),
    ),
)
