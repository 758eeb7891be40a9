"""The access-control queue: accept or reject a customer, given free servers and the customer's priority.

10 servers; a customer of priority 1, 2, 4 or 8 (uniform) stands at the head of the queue. State 4 b + i: b servers
busy (0..10), priority 2^i: 44 states. Action 0 rejects, action 1 accepts, which needs a free server (otherwise it
rejects) and earns the priority. Then each busy server, the one just filled included, becomes free with probability
.06, and a new customer comes. The start has all servers free. P (44,2,44), r (44,2).

    variant   rewards
    unit      priority / 8, in [0, 1] (the default: theorems are stated for that range)
    book      the priority, in [0, 8]

Sources: Sutton and Barto (2018), example 10.2 [source]; order of states and start as in csuite [source: public code].

Exact: gain 0.3434552438, bias span 3.18747753 (unit), 2.747642 (book); diameter 50.836552. Optimal policy: priorities 8
and 4 are accepted whenever a server is free, 2 if at least 4 are free, 1 never.
"""

from __future__ import annotations

from math import comb

import numpy as np

from theorylab.family import Family, Published
from theorylab.model import AVERAGE_REWARD, Criterion, RewardLaw, TabularMDP
from theorylab.parameters import choice

SERVERS, FREES = 10, 0.06
PRIORITIES = (1.0, 2.0, 4.0, 8.0)
SCALES = {"unit": 8.0, "book": 1.0}


def build(variant: str = "unit", criterion: Criterion = AVERAGE_REWARD) -> TabularMDP:
    """The queue; `variant` unit or book.

    Raises:
        InputError: an unknown variant.
    """
    scale, n = SCALES[choice("access-control", "variant", variant, SCALES)], len(PRIORITIES)
    S = (SERVERS + 1) * n
    law = [[comb(b, k) * FREES**k * (1 - FREES) ** (b - k) for k in range(b + 1)] for b in range(SERVERS + 1)]
    P, r = np.zeros((S, 2, S)), np.zeros((S, 2))
    for b in range(SERVERS + 1):
        for i, priority in enumerate(PRIORITIES):
            for a in range(2):
                taken = a == 1 and b < SERVERS
                for k, p in enumerate(law[b + taken]):
                    left = b + taken - k
                    P[n * b + i, a, n * left : n * (left + 1)] = p / n
                if taken:
                    r[n * b + i, a] = priority / scale
    mu0 = np.zeros(S)
    mu0[:n] = 1.0 / n
    top = max(PRIORITIES) / scale
    return TabularMDP(
        P=P,
        r=r,
        mu0=mu0,
        criterion=criterion,
        reward_law=RewardLaw("deterministic", 0.0, top),
        name=f"access-control-{variant}",
    )


family = Family(
    name="access-control",
    build=build,
    setting="mdp",
    cite="sutton2018",
    source_tag="source",
    text="Queue with 10 servers and 4 priorities, 44 states: gain 0.3434552438, bias span 3.18747753 (rewards / 8).",
    tags=("communicating", "average"),
    published=(
        Published(
            name="access-control-unit",
            params={},
            digest="abe314f73af5a27e",
            known={
                "gain": "0.3434552438",
                "bias_span": "3.18747753",
                "diameter": "50.836552",
                "gap": "0.0003930082379",
            },
            text="Rewards divided by 8, in [0, 1].",
        ),
        Published(
            name="access-control-book",
            params={"variant": "book"},
            digest="9f25ab1eb22f3124",
            known={"gain": "2.747642", "bias_span": "25.49982025", "diameter": "50.836552", "gap": "0.003144065903"},
            text="Rewards 1, 2, 4, 8, as in the book.",
        ),
    ),
)
