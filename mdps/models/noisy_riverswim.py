"""NoisyRiverSwim: RiverSwim with two more actions that jump anywhere, each from every second state.

States, actions 0 (left) and 1 (right) and their rewards are those of RiverSwim, variant osband. Action 2 (a_even) in
the 2nd, 4th, ... state jumps to a state drawn uniformly from all S, itself included, and stays in the other states;
action 3 (a_odd) is the mirror: it jumps in the 1st, 3rd, ... state. Both earn 0. P (S,4,S), r (S,4).
Source: Tarbouriech, Shekhar, Pirotta, Ghavamzadeh and Lazaric (2020), which is free of rewards [source]; RiverSwim's
rewards [derived].

Exact for S = 12: diameter 7.185185, sum over states s of the largest minimal hitting time D_s = 54.6524.
"""

from __future__ import annotations

import numpy as np

from mdps.models.riverswim import build as riverswim
from theorylab.family import Family, Published
from theorylab.model import AVERAGE_REWARD, Criterion, TabularMDP
from theorylab.parameters import integer, room


def build(states: int = 12, criterion: Criterion = AVERAGE_REWARD) -> TabularMDP:
    """NoisyRiverSwim with `states` >= 2 states."""
    S = integer("noisy-riverswim", "states", states, 2)
    room("noisy-riverswim", "P", S, 4, S)
    river = riverswim(states=S)
    P, r = np.zeros((S, 4, S)), np.zeros((S, 4))
    P[:, :2], r[:, :2] = river.P, river.r
    for s in range(S):
        # counted from 1, the states 1, 3, ... are the second, the fourth, ...
        jumps, stays = (2, 3) if s % 2 == 1 else (3, 2)
        P[s, jumps] = 1.0 / S
        P[s, stays, s] = 1.0
    return TabularMDP(P=P, r=r, criterion=criterion, name=f"noisy-riverswim-{S}")


family = Family(
    name="noisy-riverswim",
    build=build,
    setting="mdp",
    cite="tarbouriech2020",
    source_tag="source",
    text="RiverSwim with two actions that jump to a random state; 12 states: diameter 7.185185.",
    tags=("communicating", "average"),
    published=(
        Published(
            name="noisy-riverswim-12",
            params={},
            digest="4f83f6087252c9a8",
            known={"gain": "0.4322305229", "bias_span": "3.105656350", "diameter": "7.185185", "gap": "0.2940234792"},
            text="12 states, the size of the source's experiments.",
        ),
    ),
)
