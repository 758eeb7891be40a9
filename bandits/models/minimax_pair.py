"""Pairs of bandits that no policy can play well both: the minimax lower bound, with a gap set by the horizon T.

gap = c sqrt((A-1)/T). Environment 0 has means base + (gap, 0, .., 0); environment i in 1..A-1 differs in arm i alone,
whose mean is base + 2 gap, so that arm i is best by `gap`. law "gaussian": base 0, sd 1. law "bernoulli": base 1/2.

The lower bound picks i as the arm other than 0 that the policy plays least in environment 0, E_0 N_i <= T/(A-1). With
KL the divergence between the laws of arm i in the two environments, the inequality of Bretagnolle and Huber gives

    R_0 + R_i >= (T gap / 4) exp(-KL T/(A-1)),        KL = 2 gap^2 (gaussian),  -log(1 - 16 gap^2)/2 (bernoulli), nats,

hence with c = 1/2 and Gaussian rewards max(R_0, R_i) >= exp(-1/2)/16 sqrt((A-1) T) >= sqrt((A-1) T)/27 for T >= A-1.
Source: Lattimore and Szepesvari (2020), theorem 15.2 and its proof [source]; Bernoulli rewards and other c [derived].

Exact: smallest positive gap c sqrt((A-1)/T) in every environment; best mean base + gap, or base + 2 gap.
"""

from __future__ import annotations

import math

import numpy as np

from theorylab.errors import InputError
from theorylab.family import Family, Published
from theorylab.model import BERNOULLI, Bandit, RewardLaw
from theorylab.parameters import choice, integer, number, room

NAME = "minimax-pair"
LAWS = {"gaussian": (0.0, 0.5), "bernoulli": (0.5, 0.25)}  # base, and the largest gap that keeps means in [0, 1]


def build(T: int = 1000, A: int = 2, environment: int = 0, law: str = "gaussian", c: float = 0.5) -> Bandit:
    """The environment of the horizon T; A >= 2 arms, environment in 0..A-1, 0 < c <= 1e6.

    Raises:
        InputError: T so small that a mean would leave [0, 1].
    """
    choice(NAME, "law", law, LAWS)
    T, A = integer(NAME, "T", T, 1), integer(NAME, "A", A, 2)
    i, c = integer(NAME, "environment", environment, 0, A - 1), number(NAME, "c", c, 0.0, 1e6, open_low=True)
    room(NAME, "means", A)
    base, largest = LAWS[law]
    gap = c * math.sqrt((A - 1) / T)
    if gap > largest:
        least = math.ceil((c / largest) ** 2 * (A - 1))
        raise InputError(f"{NAME}: T is {T}, where a mean would be {base + 2 * gap:g}; give T >= {least}")
    means = np.full(A, base)
    means[0] = base + gap
    if i > 0:
        means[i] = base + 2.0 * gap
    rewards = BERNOULLI if law == "bernoulli" else RewardLaw("gaussian", sd=1.0)
    return Bandit(means=means, reward_law=rewards, name=f"{NAME}-{law}-T{T}-A{A}-{i}")


family = Family(
    name=NAME,
    build=build,
    setting="bandit",
    cite="lattimore2020",
    source_tag="source",
    text=(
        "Minimax lower bound: environment 0 favours arm 0 by gap = c sqrt((A-1)/T), environment i another arm by the "
        "same gap; Gaussian or Bernoulli rewards."
    ),
    tags=("bandit", "lower-bound"),
    published=(
        Published(
            name="minimax-pair-0",
            params={"T": 1024, "A": 2, "environment": 0},
            digest="f9541f6a5656f5f8",
            known={"gap": "0.015625", "best_mean": "0.015625"},
            text="T = 1024, two Gaussian arms, gap 1/64, arm 0 best.",
        ),
        Published(
            name="minimax-pair-1",
            params={"T": 1024, "A": 2, "environment": 1},
            digest="2385c9f2c1dbd4e7",
            known={"gap": "0.015625", "best_mean": "0.03125"},
            text="T = 1024, two Gaussian arms, gap 1/64, arm 1 best.",
        ),
    ),
)
