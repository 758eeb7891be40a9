"""The chain of the lower bound Omega(d sqrt(H^3 K)) for linear MDPs, with a gap set by the number K of episodes.

States x_1 .. x_(H+1) and an absorbing goal; see `mdps.models._chain` for the probabilities. As a linear MDP in d + 1
features, with alpha = (1 + Delta (d-1))^(-1/2), beta = sqrt(Delta) alpha and x_h the hidden signs of stage h:

    phi(x_j, a) = (alpha, beta a, 0)     phi(goal, a) = (0, 0, 1)     theta = (0, 0, 1)
    mu_h(x_(h+1)) = ((1-delta)/alpha, -Delta x_h/beta, 0)             mu_h(goal) = (delta/alpha, Delta x_h/beta, 1)

so that at stage h every state but the goal has the law of x_h. ||phi|| = 1, ||mu_h(S)||^2 = 2 + Delta (d-1),
||theta|| = 1. Source: the style of Zhou, Gu and Szepesvari (2021), He et al. (2023) and Hu et al. (2022) [recalled].

Exact, with p = 1/H + (d-1) Delta: value sum_{h=1}^{H} (1-p)^(h-1) p (H-h); smallest positive gap 2 Delta (at stage
H-1, where the last reward is at stake) [derived].
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mdps.models._chain import chain
from theorylab.family import Family, Published
from theorylab.linear import LinearMDP
from theorylab.model import FiniteHorizon


def build(d: int = 4, horizon: int = 6, K: int = 1000, good: int | Sequence[int] | None = None) -> LinearMDP:
    """The chain with 2^(d-1) actions and `horizon` stages.

    `good` is the best action, or one a stage; all signs +1 if None. phi (H+2,A,d+1), mu (H,d+1,H+2), P (H,H+2,A,H+2).

    Raises:
        InputError: K < (d-1)^2 H/32, where a probability would be negative.
    """
    c = chain("linear-chain", d, horizon, K, good)
    H, S, A = c.H, c.H + 2, c.signs.shape[0]
    phi, mu = np.zeros((S, A, c.d + 1)), np.zeros((H, c.d + 1, S))
    P = np.zeros((H, S, A, S))
    phi[:-1, :, 0], phi[:-1, :, 1:-1], phi[-1, :, -1] = c.alpha, c.beta * c.signs, 1.0
    for h in range(H):
        mu[h, 0, h + 1], mu[h, 1:-1, h + 1] = (1.0 - c.delta) / c.alpha, -c.step / c.beta * c.hidden[h]
        mu[h, 0, -1], mu[h, 1:-1, -1], mu[h, -1, -1] = c.delta / c.alpha, c.step / c.beta * c.hidden[h], 1.0
        P[h, :-1, :, -1], P[h, :-1, :, h + 1], P[h, -1, :, -1] = c.goal[h], 1.0 - c.goal[h], 1.0
    theta = np.zeros(c.d + 1)
    theta[-1] = 1.0
    return LinearMDP(phi, mu, theta, criterion=FiniteHorizon(H), name=f"linear-chain-{c.label}", P=P)


family = Family(
    name="linear-chain",
    build=build,
    setting="mdp",
    cite="hu2022",
    source_tag="recalled",
    text=(
        "Lower-bound chain for linear MDPs: 2^(d-1) vectors of signs as actions, a goal entered with probability "
        "1/H + Delta <x_h, a>, Delta = sqrt(1/(H K))/(4 sqrt 2) set by the number K of episodes."
    ),
    tags=("episodic", "linear", "lower-bound"),
    published=(
        Published(
            name="linear-chain-3",
            params={"d": 3, "horizon": 2, "K": 64, "good": 2},
            digest="3c6ca6010124c065",
            known={"value": "0.53125", "gap": "0.03125"},
            text="d = 3, H = 2, K = 64, hence Delta = 1/64 and p = 1/2 + 1/32.",
        ),
    ),
)
