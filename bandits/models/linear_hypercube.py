"""The hypercube lower bound for linear bandits, with a gap set by the horizon T.

Arms are the 2^d vectors of signs (entry j of arm a is +1 where bit j of a is set, else -1), theta in {-c/sqrt(T),
c/sqrt(T)}^d has the signs of arm `good`, rewards are Gaussian with sd 1. With c = 1 the regret of every policy is at
least exp(-2)/8 d sqrt(T) for some theta: Lattimore and Szepesvari (2020), theorem 24.1 [recalled; its action set is
the full cube [-1,1]^d: policies on the vertices are among its policies, and best actions are vertices].

Exact: best mean c d/sqrt(T), smallest positive gap 2 c/sqrt(T), ||x|| = sqrt(d), ||theta|| = c sqrt(d/T).
"""

from __future__ import annotations

import math

import numpy as np

from theorylab.family import Family, Published
from theorylab.linear_bandit import LinearBandit
from theorylab.model import RewardLaw
from theorylab.parameters import integer, number

NAME = "linear-hypercube"


def build(d: int = 4, T: int = 1024, c: float = 1.0, good: int | None = None) -> LinearBandit:
    """The bandit of dimension d in 1..12; the best arm is `good`, by default the last: all signs +1."""
    d, T = integer(NAME, "d", d, 1, 12), integer(NAME, "T", T, 1)
    c = number(NAME, "c", c, 0.0, open_low=True)
    best = integer(NAME, "good", 2**d - 1 if good is None else good, 0, 2**d - 1)
    bits = (np.arange(2**d)[:, None] >> np.arange(d)) & 1
    arms = 2.0 * bits.astype(np.float64) - 1.0
    step = c / math.sqrt(T)
    means = step * (arms @ arms[best])  # the products are small integers: exact
    law = RewardLaw("gaussian", low=-step * d, high=step * d, sd=1.0)
    return LinearBandit(arms, step * arms[best], law, f"{NAME}-{d}-T{T}-{best}", means)


family = Family(
    name=NAME,
    build=build,
    setting="linear-bandit",
    cite="lattimore2020",
    source_tag="recalled",
    text="Lower bound for linear bandits: the 2^d vectors of signs as arms, |theta_j| = c/sqrt(T), Gaussian rewards.",
    tags=("linear-bandit", "lower-bound"),
    published=(
        Published(
            name="linear-hypercube-4",
            params={"d": 4, "T": 1024, "good": 5},
            digest="fc705063423a981d",
            known={"gap": "0.0625", "best_mean": "0.125"},
            text="d = 4, T = 1024, |theta_j| = 1/32.",
        ),
    ),
)
