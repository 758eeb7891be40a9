"""The two-state lower bound for average-reward linear mixture MDPs of Wu, Zhou and Gu (2022).

Actions a in {-1,1}^(d-1), hidden theta in {-Delta/(d-1), Delta/(d-1)}^(d-1): P(x1|x0,a) = delta + <a, theta> and
P(x0|x1,.) = delta; r(x0,.) = 0, r(x1,.) = 1. With alpha = sqrt(Delta / ((d-1)(1+Delta))), beta = sqrt(1/(1+Delta)):

    phi(x0|x0,a) = (-alpha a, beta (1-delta))    phi(x1|x0,a) = (alpha a, beta delta)    theta~ = (theta/alpha, 1/beta)
    phi(x0|x1,.) = (0, beta delta)               phi(x1|x1,.) = (0, beta (1-delta))

Scalings of Delta with the number of steps T, D = 1/delta, each from another public code [source: code]:

    fixed   Delta as given, delta/3 by default
    d       Delta = constant sqrt(2 log(2)/5) d / sqrt(D T)
    d-1     Delta = constant (d-1) / sqrt(2 T log(2) / (5 delta)), for T >= 16 (d-1)^2 constant^2 / delta

with constant = 1/45; experiments there take 1/5 or 1/2. All need 3 Delta <= delta, and delta <= 3/4 for probabilities.

Exact: gain (delta+Delta)/(2 delta+Delta), bias span 1/(2 delta+Delta), diameter 1/delta, smallest positive gap
2 Delta/((d-1)(2 delta+Delta)), ||theta~|| = 1 + Delta [gain source: code; the rest derived].
"""

from __future__ import annotations

import math

import numpy as np

from mdps.models._hypercube import MAX_SIGNS, actions, best_actions
from theorylab.errors import InputError
from theorylab.family import Family, Published
from theorylab.linear import LinearMixtureMDP
from theorylab.model import AVERAGE_REWARD, Criterion
from theorylab.parameters import choice, integer, number

NAME = "mixture-two-state"
SCALINGS = ("fixed", "d", "d-1")


def gap_parameter(scaling: str, d: int, delta: float, T: int | None, constant: float | None) -> float:
    """Delta of the scalings "d" and "d-1"."""
    T = integer(NAME, "T", T, 1)
    constant = number(NAME, "constant", 1 / 45 if constant is None else constant, 0.0, 1.0, open_low=True)
    if scaling == "d":
        return constant * math.sqrt(2.0 * math.log(2.0) / 5.0) * d * math.sqrt(delta / T)
    least = 16.0 * (d - 1) ** 2 * constant**2 / delta
    if least > T:
        raise InputError(f"{NAME}: T is {T}; the scaling d-1 needs T >= 16 (d-1)^2 constant^2/delta = {least:g}")
    return constant * (d - 1) / math.sqrt(2.0 * T * math.log(2.0) / (5.0 * delta))


def build(
    d: int = 3,
    delta: float = 0.2,
    Delta: float | None = None,
    scaling: str = "fixed",
    T: int | None = None,
    constant: float | None = None,
    good: int | None = None,
    criterion: Criterion = AVERAGE_REWARD,
) -> LinearMixtureMDP:
    """The instance with 2^(d-1) actions, of which `good` (all signs +1 if None) is the best one in state 0.

    The scalings d and d-1 take T and `constant` (1/45 if None), "fixed" takes Delta. phi (2,A,2,d).

    Raises:
        InputError: 3 Delta above delta, T below the least that the scaling allows, Delta given with a scaling that
            sets it, or T or `constant` without one.
    """
    choice(NAME, "scaling", scaling, SCALINGS)
    d = integer(NAME, "d", d, 2, MAX_SIGNS + 1)
    delta = number(NAME, "delta", delta, 0.0, 0.75, open_low=True)
    if scaling != "fixed" and Delta is not None:
        raise InputError(f"{NAME}: Delta is {Delta} with scaling '{scaling}', which sets it; leave out one of the two")
    if scaling == "fixed" and T is not None:
        raise InputError(f"{NAME}: T is {T} with scaling 'fixed', which has no T; give scaling='d' or 'd-1'")
    if scaling == "fixed" and constant is not None:
        raise InputError(f"{NAME}: constant is {constant} with scaling 'fixed', which has none: leave it out")
    if scaling != "fixed":
        D = gap_parameter(scaling, d, delta, T, constant)
    else:
        D = delta / 3 if Delta is None else number(NAME, "Delta", Delta, 0.0, 1.0, open_low=True)
    if D > delta / 3:
        mend = "give a smaller Delta" if scaling == "fixed" else "give a larger T or a smaller constant"
        raise InputError(f"{NAME}: Delta is {D!r}; it must be at most delta/3 = {delta / 3!r}: {mend}")
    (best,) = best_actions(NAME, good, d - 1, 1)
    signs = actions(d - 1)
    A = signs.shape[0]
    alpha, beta = math.sqrt(D / ((d - 1) * (1.0 + D))), math.sqrt(1.0 / (1.0 + D))
    theta = np.concatenate([D / (d - 1) / alpha * signs[best], [1.0 / beta]])
    phi, P = np.zeros((2, A, 2, d)), np.zeros((2, A, 2))
    phi[0, :, 0, :-1], phi[0, :, 1, :-1] = -alpha * signs, alpha * signs
    phi[0, :, 0, -1] = phi[1, :, 1, -1] = beta * (1.0 - delta)
    phi[0, :, 1, -1] = phi[1, :, 0, -1] = beta * delta
    P[0, :, 1] = delta + D * ((signs @ signs[best]) / (d - 1))
    P[0, :, 0] = 1.0 - P[0, :, 1]
    P[1, :, 0], P[1, :, 1] = delta, 1.0 - delta
    r = np.array([[0.0] * A, [1.0] * A])
    return LinearMixtureMDP(phi, theta, r, criterion=criterion, name=f"{NAME}-d{d}-{delta:g}-{D:g}-{best}", P=P)


family = Family(
    name=NAME,
    build=build,
    setting="mdp",
    cite="wu2022",
    source_tag="source",
    text=(
        "Two-state lower bound for average-reward linear mixture MDPs: gain (delta+Delta)/(2 delta+Delta), bias span "
        "1/(2 delta+Delta), diameter 1/delta; Delta fixed or set by the number T of steps."
    ),
    tags=("communicating", "average", "linear-mixture", "lower-bound"),
    published=(
        Published(
            name="mixture-two-state-3",
            params={"d": 3, "delta": 0.2, "good": 2},
            digest="7d16b2795ba7210e",
            known={"gain": "0.5714285714", "bias_span": "2.142857143", "diameter": "5", "gap": "0.1428571429"},
            text="d = 3, delta = 0.2, Delta = delta/3 = 1/15: gain 4/7, span 15/7.",
        ),
    ),
)
