"""The chain of the lower bounds for linear and for linear mixture MDPs; see `linear_chain` and `mixture_chain`.

States x_1 .. x_(H+1) = 0 .. H and an absorbing goal H+1 with reward 1, all other rewards 0; actions a in
{-1,1}^(d-1). At stage h (from 1) the goal is entered with probability delta + Delta <x_h, a>, delta = 1/H, Delta =
sqrt(delta/K)/(4 sqrt 2), x_h in {-1,1}^(d-1) hidden. For probabilities K >= (d-1)^2 H/32; the theorems ask for K >=
(d-1)^2 H/2 [recalled].
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mdps.models._hypercube import MAX_SIGNS, actions, best_actions
from theorylab.errors import InputError
from theorylab.parameters import integer, room

__all__ = ["Chain", "chain"]


class Chain(NamedTuple):
    """Constants of a chain.

    Attributes:
        d, H, K: as in the parameters.
        delta, step: delta and Delta.
        alpha, beta: (1 + Delta (d-1))^(-1/2) and sqrt(Delta) alpha.
        signs: (A, d-1), the actions.
        hidden: (H, d-1), the vectors x_h.
        goal: (H, A), probability of entering the goal at each stage.
        label: K, d, H and the best actions, for names.
    """

    d: int
    H: int
    K: int
    delta: float
    step: float
    alpha: float
    beta: float
    signs: NDArray[np.float64]
    hidden: NDArray[np.float64]
    goal: NDArray[np.float64]
    label: str


def chain(family: str, d: int, horizon: int, K: int, good: Any) -> Chain:
    """The constants, or `InputError` for K so small that a probability would be negative."""
    d = integer(family, "d", d, 2, MAX_SIGNS + 1)
    H = integer(family, "horizon", horizon, 2)
    K = integer(family, "K", K, 1)
    if 32 * K < (d - 1) ** 2 * H:
        least = -(-((d - 1) ** 2) * H // 32)
        raise InputError(f"{family}: K is {K}; probabilities need K >= (d-1)^2 H/32, that is K >= {least}")
    room(family, "P", H, H + 2, 2 ** (d - 1), H + 2)
    room(family, "features of transitions", H + 2, 2 ** (d - 1), H + 2, d)
    best = best_actions(family, good, d - 1, H)
    signs = actions(d - 1)
    hidden = signs[best]
    delta, step = 1.0 / H, math.sqrt(1.0 / (32.0 * H * K))
    alpha = 1.0 / math.sqrt(1.0 + step * (d - 1))
    goal = delta + step * (hidden @ signs.T)  # the products are small integers: exact
    several = "-".join(map(str, best)) if H <= 6 else "mixed"
    label = f"d{d}-H{H}-K{K}-{best[0] if len(set(best)) == 1 else several}"
    return Chain(d, H, K, delta, step, alpha, math.sqrt(step) * alpha, signs, hidden, goal, label)
