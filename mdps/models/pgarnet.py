"""A fixed Garnet-like model without randomness, for tests: S = 10, A = 3.

P(s,a) puts .5, .3, .2 on (3s + 5a + 1), (3s + 5a + 8), (3s + 5a + 15) mod 10; r(s,a) = ((5s + 3a + 1) mod 11) / 10.
P (10,3,10), r (10,3) [derived]. Exact: gain 0.8363461538, bias span 0.37892990, diameter 9.471229.
"""

from __future__ import annotations

import numpy as np

from theorylab.family import Family, Published
from theorylab.model import AVERAGE_REWARD, Criterion, TabularMDP


def build(criterion: Criterion = AVERAGE_REWARD) -> TabularMDP:
    """The model; `criterion` is average reward by default."""
    P, r = np.zeros((10, 3, 10)), np.zeros((10, 3))
    for s in range(10):
        for a in range(3):
            for offset, p in ((1, 0.5), (8, 0.3), (15, 0.2)):
                P[s, a, (3 * s + 5 * a + offset) % 10] += p
            r[s, a] = ((5 * s + 3 * a + 1) % 11) / 10
    return TabularMDP(P=P, r=r, criterion=criterion, name="pgarnet")


family = Family(
    name="pgarnet",
    build=build,
    setting="mdp",
    source_tag="derived",
    text="Fixed model of 10 states and 3 actions: gain 0.8363461538, bias span 0.37892990, diameter 9.471229.",
    tags=("communicating", "average"),
    published=(
        Published(
            name="pgarnet-10",
            params={},
            digest="f9bff761508a499f",
            known={"gain": "0.8363461538", "bias_span": "0.37892990", "diameter": "9.471229", "gap": "0.1682692308"},
            text="The only member.",
        ),
    ),
)
