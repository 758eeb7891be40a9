"""The three-state chain whose diameter is unbounded while its bias span stays near 1.

State 0 (both actions): to 1 with probability q, to 2 with 1-q. State 1: to 0. State 2: action 0 stays; action 1 goes to
1 with probability q, to 0 with 1-q. r = 0, 1/3, 2/3 by state. P (3,2,3), r (3,2).
Source: SCAL (Fruit, Pirotta, Lazaric and Ortner, 2018) in the coding of StatisticalRL [source: public code]. The code
of SCAL itself gives states 0 and 1 one action, and numbers the two of state 2 the other way round (1 stays); its
default is q = .99, a different problem.

Exact for q = .005: gain 2/3, bias (1/3, 0, 1.00502513), span 1.00502513, diameter 200 = 1/q.
"""

from __future__ import annotations

import numpy as np

from theorylab.family import Family, Published
from theorylab.model import AVERAGE_REWARD, Criterion, TabularMDP
from theorylab.parameters import number


def build(q: float = 0.005, criterion: Criterion = AVERAGE_REWARD) -> TabularMDP:
    """The chain with probability 0 < q <= 1/2 of reaching state 1."""
    x = number("three-state", "q", q, 0.0, 0.5, open_low=True)
    P = np.zeros((3, 2, 3))
    P[0, :, 1], P[0, :, 2] = x, 1 - x
    P[1, :, 0] = 1.0
    P[2, 0, 2] = 1.0
    P[2, 1, 1], P[2, 1, 0] = x, 1 - x
    r = np.array([[0.0, 0.0], [1 / 3, 1 / 3], [2 / 3, 2 / 3]])
    return TabularMDP(P=P, r=r, criterion=criterion, name=f"three-state-{x:g}")


family = Family(
    name="three-state",
    build=build,
    setting="mdp",
    cite="fruit2018",
    source_tag="source",
    text="Three states, two actions, diameter 1/q with bias span near 1: gain 2/3 for every q.",
    tags=("communicating", "average"),
    published=(
        Published(
            name="three-state-0.005",
            params={"q": 0.005},
            digest="50ce4d0c9859bc6a",
            known={"gain": "0.6666666667", "bias_span": "1.00502513", "diameter": "200", "gap": "0.6733584590"},
            text="q = .005: diameter 200 with bias span near 1.",
        ),
    ),
)
