"""One way: two states, one of them absorbing, so that an action matters for good.

State 0: action 0 stays and pays r0, action 1 moves to state 1, which pays r1 for ever. P (2,2,2), r (2,2).
Discounted: V(1) = r1 / (1 - gamma), V(0) = max(r0, gamma r1) / (1 - gamma). Source: derived here.
"""

from __future__ import annotations

import numpy as np

from theorylab.errors import InputError
from theorylab.family import Family
from theorylab.model import Criterion, Discounted, TabularMDP

DISCOUNTED = Discounted(0.9)


def build(r0: float = 0.5, r1: float = 1.0, criterion: Criterion = DISCOUNTED) -> TabularMDP:
    """The model with rewards `r0` and `r1` in [0, 1].

    Raises:
        InputError: a reward outside [0, 1].
    """
    for name, value in (("r0", r0), ("r1", r1)):
        if not 0.0 <= value <= 1.0:
            raise InputError(f"one-way: {name} is {value}; give a reward in [0, 1]")
    P = np.zeros((2, 2, 2))
    P[0, 0, 0] = P[0, 1, 1] = 1.0
    P[1, :, 1] = 1.0
    r = np.array([[r0, 0.0], [r1, r1]])
    return TabularMDP(P=P, r=r, mu0=np.array([1.0, 0.0]), criterion=criterion, name="one-way")


family = Family(
    name="one-way",
    build=build,
    setting="mdp",
    source_tag="derived",
    text="Two states, one absorbing; V(0) = max(r0, gamma r1) / (1 - gamma).",
)
