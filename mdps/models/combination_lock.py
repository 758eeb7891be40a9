"""The combination lock with two chains: one wrong action, and the episode is lost.

At each stage h < H there are states A, B and dead: state 3h, 3h+1, 3h+2. In A and in B one action is good: it leads
to A or B of the next stage with probability 1/2 each; any other action, and every action in dead, leads to dead. At
the last stage the good action in A or B earns 1, everything else .1 with probability 1/2, that is .05 in the mean; r
= 0 before. The first state is A or B with probability 1/2 each. After the last stage the lock starts anew, which
FiniteHorizon(H), the default, never sees. P (3H,A,3H), r (3H,A).

The good actions are drawn by numpy.random.Generator(numpy.random.Philox(seed)).integers(A, size=(H, 2)): [h, 0] in A,
[h, 1] in B. Rewards are deterministic with these means; `rewards="bernoulli"` draws them, with other odds than the .1
with probability 1/2 of the source (means, and so values, are the same). Source: the code of hybrid policy-gradient
methods (Zhou et al., 2024) [source: public code], with discrete actions seen as they are; there observations are noisy
and actions are softmax weights, and the good actions are drawn without a seed.

Exact: V* = 1; the uniform policy has value A^-H + .05 (1 - A^-H) and reaches the end alive with probability A^-H.
"""

from __future__ import annotations

import numpy as np

from theorylab.family import Family, Published
from theorylab.model import Criterion, FiniteHorizon, TabularMDP
from theorylab.parameters import integer, room

CONSOLATION = 0.05  # mean of .1 with probability 1/2


def build(H: int = 5, A: int = 3, seed: int = 0, criterion: Criterion | None = None) -> TabularMDP:
    """The lock of `H` >= 1 stages and `A` >= 2 actions, in episodes of H stages unless another `criterion` is given."""
    H, A = integer("combination-lock", "H", H, 1), integer("combination-lock", "A", A, 2)
    seed = integer("combination-lock", "seed", seed, 0)
    room("combination-lock", "P", 3 * H, A, 3 * H)
    good = np.random.Generator(np.random.Philox(seed)).integers(A, size=(H, 2))
    P, r = np.zeros((3 * H, A, 3 * H)), np.zeros((3 * H, A))
    for h in range(H - 1):
        P[3 * h : 3 * h + 3, :, 3 * h + 5] = 1.0
        for x in range(2):
            P[3 * h + x, good[h, x]] = 0.0
            P[3 * h + x, good[h, x], 3 * h + 3 : 3 * h + 5] = 0.5
    last = 3 * (H - 1)
    P[last:, :, :2] = 0.5
    r[last:] = CONSOLATION
    r[[last, last + 1], good[H - 1]] = 1.0
    mu0 = np.zeros(3 * H)
    mu0[:2] = 0.5
    return TabularMDP(
        P=P,
        r=r,
        mu0=mu0,
        criterion=FiniteHorizon(H) if criterion is None else criterion,
        name=f"combination-lock-{H}-{A}-{seed}",
    )


family = Family(
    name="combination-lock",
    build=build,
    setting="mdp",
    cite="zhou2024",
    source_tag="source",
    text="Two chains with one good action a stage and state: best value 1, uniform play A^-H + .05 (1 - A^-H).",
    tags=("episodic", "hard"),
    published=(
        Published(
            name="combination-lock-5-3-0",
            params={},
            digest="92a24c181d54e5b4",
            known={"value": "1", "gap": "0.95"},
            text="5 stages, 3 actions.",
        ),
        Published(
            name="combination-lock-8-4-0",
            params={"H": 8, "A": 4},
            digest="720138960cb46fe3",
            known={"value": "1", "gap": "0.95"},
            text="8 stages, 4 actions.",
        ),
    ),
)
