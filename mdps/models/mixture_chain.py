"""The chain of the lower bound Omega(d H sqrt(T)) for linear mixture MDPs, with a gap set by the number K of episodes.

States x_1 .. x_(H+1) and an absorbing goal; see `mdps.models._chain` for the probabilities. From x_j one moves to the
goal or to x_(j+1) (x_(H+1) is absorbing). With alpha = (1 + Delta (d-1))^(-1/2), beta = sqrt(Delta) alpha, x_h the
hidden signs:

    phi(x_(j+1)|x_j,a) = (alpha (1-delta), -beta a)   phi(goal|x_j,a) = (alpha delta, beta a)   phi(s|s,.) = (alpha, 0)
    theta_h = (1/alpha, Delta x_h/beta),  ||theta_h|| = 1 + Delta (d-1),  ||phi_V|| <= 1

with s in {x_(H+1), goal}. Source: Zhou, Gu and Szepesvari (2021), lower bound [source: public code of
LDP-UCRL-VTR, which cites it; norms derived].

Exact, with p = 1/H + (d-1) Delta: value sum_{h=1}^{H} (1-p)^(h-1) p (H-h); smallest positive gap 2 Delta [derived].
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mdps.models._chain import chain
from theorylab.family import Family, Published
from theorylab.linear import LinearMixtureMDP
from theorylab.model import FiniteHorizon


def build(d: int = 4, horizon: int = 6, K: int = 1000, good: int | Sequence[int] | None = None) -> LinearMixtureMDP:
    """The chain with 2^(d-1) actions and `horizon` stages.

    `good` is the best action, or one a stage; all signs +1 if None.
    phi (H+2,A,H+2,d), theta (H,d), P (H,H+2,A,H+2).

    Raises:
        InputError: K < (d-1)^2 H/32, where a probability would be negative.
    """
    c = chain("mixture-chain", d, horizon, K, good)
    H, S, A = c.H, c.H + 2, c.signs.shape[0]
    phi, P = np.zeros((S, A, S, c.d)), np.zeros((H, S, A, S))
    for s in range(H):
        phi[s, :, s + 1, 0], phi[s, :, s + 1, 1:] = c.alpha * (1.0 - c.delta), -c.beta * c.signs
        phi[s, :, -1, 0], phi[s, :, -1, 1:] = c.alpha * c.delta, c.beta * c.signs
        P[:, s, :, -1], P[:, s, :, s + 1] = c.goal, 1.0 - c.goal
    for s in (H, H + 1):
        phi[s, :, s, 0] = c.alpha
        P[:, s, :, s] = 1.0
    theta = np.concatenate([np.full((H, 1), 1.0 / c.alpha), c.step / c.beta * c.hidden], axis=1)
    r = np.zeros((S, A))
    r[-1] = 1.0
    return LinearMixtureMDP(phi, theta, r, criterion=FiniteHorizon(H), name=f"mixture-chain-{c.label}", P=P)


family = Family(
    name="mixture-chain",
    build=build,
    setting="mdp",
    cite="zhou2021",
    source_tag="source",
    text=(
        "Lower-bound chain for linear mixture MDPs with parameters that depend on the stage; the gap is set by the "
        "number K of episodes."
    ),
    tags=("episodic", "linear-mixture", "lower-bound"),
    published=(
        Published(
            name="mixture-chain-3",
            params={"d": 3, "horizon": 2, "K": 64, "good": 2},
            digest="026ee66ca0a54a2e",
            known={"value": "0.53125", "gap": "0.03125"},
            text="d = 3, H = 2, K = 64, hence Delta = 1/64 and p = 1/2 + 1/32.",
        ),
    ),
)
