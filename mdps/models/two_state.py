"""Two states and a switch: action 0 stays, action 1 moves, and staying in state 1 earns 1.

With probability `slip` in [0, 1/2) the action does the opposite. r(1,stay) = 1, else 0. P (2,2,2), r (2,2) [derived].

Exact: gain 1 - slip, bias (0, 1), span 1, diameter 1 / (1 - slip).
"""

from __future__ import annotations

import numpy as np

from theorylab.errors import InputError
from theorylab.family import Family, Published
from theorylab.model import AVERAGE_REWARD, Criterion, TabularMDP
from theorylab.parameters import number


def build(slip: float = 0.0, criterion: Criterion = AVERAGE_REWARD) -> TabularMDP:
    """The switch with 0 <= slip < 1/2."""
    x = number("two-state", "slip", slip, 0.0, 0.5)
    if x == 0.5:
        raise InputError("two-state: slip is 0.5, where actions do nothing; give slip < 0.5")
    P = np.zeros((2, 2, 2))
    for s in range(2):
        P[s, 0, s] = P[s, 1, 1 - s] = 1 - x
        P[s, 0, 1 - s] = P[s, 1, s] = x
    r = np.array([[0.0, 0.0], [1.0, 0.0]])
    return TabularMDP(P=P, r=r, criterion=criterion, name=f"two-state-{x:g}")


family = Family(
    name="two-state",
    build=build,
    setting="mdp",
    source_tag="derived",
    text="Two states, stay or move; gain 1 - slip, bias span 1, diameter 1/(1 - slip).",
    tags=("communicating", "average", "episodic"),
    published=(
        Published(
            name="two-state-0",
            params={},
            digest="1c683d01aacbd911",
            known={"gain": "1", "bias_span": "1", "diameter": "1", "gap": "1"},
            text="No slip: deterministic.",
        ),
        Published(
            name="two-state-0.2",
            params={"slip": 0.2},
            digest="5b45350b72750ab0",
            known={"gain": "0.8", "bias_span": "1", "diameter": "1.25", "gap": "0.6"},
            text="Slip .2.",
        ),
    ),
)
