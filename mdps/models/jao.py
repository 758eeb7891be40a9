"""The two-state block of the lower bound of Jaksch, Ortner and Auer (2010).

r(state 0) = 0, r(state 1) = 1 for every action. P(1|0,a) = delta, and delta + epsilon for the one good action;
P(0|1,a) = delta. P (2,A,2), r (2,A). Source: Jaksch et al. (2010), section 6 [recalled; checked].

Exact, for epsilon > 0: gain (delta + epsilon) / (2 delta + epsilon), bias span 1 / (2 delta + epsilon), diameter
1 / delta; e.g. delta=.2, epsilon=.02: .523810, 2.380952, 5.
"""

from __future__ import annotations

import numpy as np

from theorylab.errors import InputError
from theorylab.family import Family, Published
from theorylab.model import AVERAGE_REWARD, Criterion, TabularMDP
from theorylab.parameters import integer, number, room


def build(
    delta: float = 0.25, epsilon: float = 0.1, actions: int = 2, good: int = 0, criterion: Criterion = AVERAGE_REWARD
) -> TabularMDP:
    """The block with `actions` >= 1 actions of which `good` is the better one in state 0.

    Raises:
        InputError: delta not in (0, 1], epsilon < 0, or delta + epsilon > 1.
    """
    A = integer("jao", "actions", actions, 1)
    room("jao", "P", 2, A, 2)
    best = integer("jao", "good", good, 0, A - 1)
    d = number("jao", "delta", delta, 0.0, 1.0, open_low=True)
    e = number("jao", "epsilon", epsilon, 0.0, 1.0)
    if d + e > 1:
        raise InputError(f"jao: delta + epsilon is {d + e!r}; it is a probability: choose epsilon <= 1 - delta")
    P = np.empty((2, A, 2))
    P[0, :, 0], P[0, :, 1] = 1 - d, d
    P[0, best, 0], P[0, best, 1] = 1 - (d + e), d + e
    P[1, :, 0], P[1, :, 1] = d, 1 - d
    r = np.array([[0.0] * A, [1.0] * A])
    return TabularMDP(P=P, r=r, criterion=criterion, name=f"jao-{d:g}-{e:g}")


family = Family(
    name="jao",
    build=build,
    setting="mdp",
    cite="jaksch2010",
    source_tag="recalled",
    text=(
        "Two-state block of the lower bound for average reward: gain (delta+epsilon)/(2 delta+epsilon), bias span "
        "1/(2 delta+epsilon), diameter 1/delta."
    ),
    tags=("communicating", "average"),
    published=(
        Published(
            name="jao-0.2-0.02",
            params={"delta": 0.2, "epsilon": 0.02},
            digest="575a2a8c32a29ec7",
            known={"gain": "0.523810", "bias_span": "2.380952", "diameter": "5", "gap": "0.04761904762"},
            text="Delta .2, epsilon .02.",
        ),
        Published(
            name="jao-16",
            params={"delta": 0.25, "epsilon": 0.1},
            digest="bfb0ba2ed53be7ca",
            known={"gain": "0.583333", "bias_span": "1.666667", "diameter": "4", "gap": "0.1666666667"},
            text="Delta .25, epsilon .1, also written jao16.",
        ),
        Published(
            name="jao-0.4-0.1",
            params={"delta": 0.4, "epsilon": 0.1},
            digest="f1e617ed760ade12",
            known={"gain": "0.555556", "bias_span": "1.111111", "diameter": "2.5", "gap": "0.1111111111"},
            text="Delta .4, epsilon .1.",
        ),
    ),
)
