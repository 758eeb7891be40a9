"""Two linear mixture MDPs on which the claims about UCRL-VTR (ayoub2020) say something.

Both mix two base kernels with features phi = (p_1, p_2)/sqrt(2) and theta = sqrt(2) (w, 1 - w), so that |phi_V| <= 1.
Regret bounds in units of H are met by few families, whose values are scaled to 1: in `key` play at random loses almost
all. The noise of value targets is assumed to fill [0, H]: in `coin` it does.
"""

from __future__ import annotations

import math

import numpy as np

from theorylab.criteria import FiniteHorizon
from theorylab.linear import LinearMixtureMDP

__all__ = ["coin", "key"]


def key(A: int, horizon: int, w: float = 0.95) -> LinearMixtureMDP:
    """State 1 pays 1, state 0 nothing. The last action leads to 1 by p_1 and to 0 by p_2, the others to 0.

    Value from state 0: w (horizon - 1); of play at random a share 1/A of it.
    """
    p = np.zeros((2, A, 2, 2))
    p[:, -1, 1, 0] = p[:, :-1, 0, 0] = p[:, :, 0, 1] = 1.0
    return mixture(p, w, 1, horizon, f"key-{A}-{horizon}-{w:g}")


def coin(horizon: int, w: float = 0.5) -> LinearMixtureMDP:
    """From state 0 to state 1 by p_1 and to state 2 by p_2; both are absorbing, 1 pays 1, 2 nothing; two equal actions.

    Value from state 0: w (horizon - 1). The learner's value of state 2 is 0 from the start, that of state 1 is high.
    """
    p = np.zeros((3, 2, 3, 2))
    p[0, :, 1, 0] = p[0, :, 2, 1] = 1.0
    p[1, :, 1, :] = p[2, :, 2, :] = 1.0
    return mixture(p, w, 1, horizon, f"coin-{horizon}-{w:g}")


def mixture(p: np.ndarray, w: float, paying: int, horizon: int, name: str) -> LinearMixtureMDP:
    """The mixture w p[..., 0] + (1 - w) p[..., 1], p (S,A,S,2), in which one state pays 1."""
    r = np.zeros(p.shape[:2])
    r[paying] = 1.0
    theta, P = math.sqrt(2.0) * np.array([w, 1.0 - w]), w * p[..., 0] + (1.0 - w) * p[..., 1]
    return LinearMixtureMDP(p * math.sqrt(0.5), theta, r, criterion=FiniteHorizon(horizon), name=name, P=P)
