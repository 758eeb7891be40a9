"""Hypercube instances of lower bounds for linear mixture MDPs: one informative step, then an absorbing state.

States x1, x2, x3 = 0, 1, 2; from x1 the vector a in {-1,1}^(d-1) leads to x3 with a probability linear in a, else to
x2; x2 and x3 are absorbing, r(x3,.) = 1/H, all else 0, so that a trajectory earns at most 1. With x in {-1,1}^(d-1)
hidden:

    variant    P(x3|x1,a)                   phi(x3|x1,a)             phi(x2|x1,a)               theta
    zhang2023  delta0 + Delta <x,a>         (al delta0, be a)        (al (1-delta0), -be a)     (1/al, Delta x/be)
    zhang2021  1/2 + c/(sqrt(2) d) <x,a>    (sqrt(2)/4, a/sqrt(2d))  (sqrt(2)/4, -a/sqrt(2d))   (sqrt(2), c x/sqrt(d))

delta0 = 1/6, Delta = sqrt(delta0/K)/(4 sqrt(2)) = 1/sqrt(192 K), al = (1 + Delta (d-1))^(-1/2), be = sqrt(Delta) al;
an absorbing state has phi(s|s,.) = (al, 0), or (1/sqrt(2), 0). Sources: zhang2023: Zhang, Zhang and Gu (2023), lower
bound [source; al and be recalled, checked]; zhang2021: Zhang, Zhou and Gu (2021) [source]. zhang2023 needs K >= 3
(d-1)^2/16 for probabilities and is stated for K >= 3 d^2.

Exact, with p = max_a P(x3|x1,a): value p (H-1)/H; the best action is the hidden x; the smallest positive gap is
2 Delta/H, or sqrt(2) c/(d H); ||theta|| = 1 + Delta (d-1), or sqrt(2 + c^2 (d-1)/d); ||phi_V|| <= 1 [derived].
"""

from __future__ import annotations

import math

import numpy as np

from mdps.models._hypercube import MAX_SIGNS, actions, best_actions
from theorylab.errors import InputError
from theorylab.family import Family, Published
from theorylab.linear import LinearMixtureMDP
from theorylab.model import FiniteHorizon
from theorylab.parameters import choice, integer, number

VARIANTS = ("zhang2023", "zhang2021")


def build(
    d: int = 4,
    horizon: int = 10,
    variant: str = "zhang2023",
    K: int | None = None,
    c: float | None = None,
    good: int | None = None,
) -> LinearMixtureMDP:
    """The instance with 2^(d-1) actions, of which `good` (all signs +1 if None) is the hidden x.

    K is the number of episodes that sets the gap of zhang2023 (48 if None); `c` is the constant of zhang2021 (0.1 if
    None). phi (3,A,3,d).

    Raises:
        InputError: K or c for which a probability would leave [0, 1], or given to the other variant.
    """
    name = "mixture-hypercube"
    choice(name, "variant", variant, VARIANTS)
    other, value = ("c", c) if variant == "zhang2023" else ("K", K)
    if value is not None:
        raise InputError(f"{name}: {other} is {value!r}; variant '{variant}' has no {other}: leave it out")
    d = integer(name, "d", d, 2, MAX_SIGNS + 1)
    H = integer(name, "horizon", horizon, 1)
    (best,) = best_actions(name, good, d - 1, 1)
    signs = actions(d - 1)
    agree = signs @ signs[best]  # small integers: exact
    if variant == "zhang2023":
        K = integer(name, "K", 48 if K is None else K, 1)
        if 16 * K < 3 * (d - 1) ** 2:
            least = -(-3 * (d - 1) ** 2 // 16)
            raise InputError(f"{name}: K is {K}; probabilities need K >= 3 (d-1)^2/16, that is K >= {least}")
        base, step = 1.0 / 6.0, 1.0 / math.sqrt(192 * K)
        al = 1.0 / math.sqrt(1.0 + step * (d - 1))
        be = math.sqrt(step) * al
        theta = np.concatenate([[1.0 / al], step / be * signs[best]])
        label = f"K{K}"
    else:
        c = number(name, "c", 0.1 if c is None else c, 0.0, d / (math.sqrt(2.0) * (d - 1)), open_low=True)
        base, step = 0.5, c / (math.sqrt(2.0) * d)
        al, be = math.sqrt(0.5), 1.0 / math.sqrt(2.0 * d)
        theta = np.concatenate([[math.sqrt(2.0)], c / math.sqrt(d) * signs[best]])
        label = f"c{c:g}"
    A = signs.shape[0]
    phi, P = np.zeros((3, A, 3, d)), np.zeros((3, A, 3))
    phi[0, :, 1, 0], phi[0, :, 2, 0] = al * (1.0 - base), al * base
    phi[0, :, 1, 1:], phi[0, :, 2, 1:] = -be * signs, be * signs
    P[0, :, 2] = base + step * agree
    P[0, :, 1] = 1.0 - P[0, :, 2]
    for s in (1, 2):
        phi[s, :, s, 0] = al
        P[s, :, s] = 1.0
    r = np.zeros((3, A))
    r[2] = 1.0 / H
    full = f"{name}-{variant}-d{d}-H{H}-{label}-{best}"
    return LinearMixtureMDP(phi, theta, r, criterion=FiniteHorizon(H), name=full, P=P)


family = Family(
    name="mixture-hypercube",
    build=build,
    setting="mdp",
    cite="zhang2023",
    source_tag="source",
    text=(
        "Lower-bound instance for linear mixture MDPs: 2^(d-1) vectors of signs as actions, one informative step; "
        "variants zhang2023 (gap set by the number K of episodes) and zhang2021."
    ),
    tags=("episodic", "linear-mixture", "lower-bound"),
    published=(
        Published(
            name="mixture-hypercube-zhang2023-4",
            params={"d": 4, "horizon": 10, "variant": "zhang2023", "K": 48, "good": 5},
            digest="e37e0a2e733d7952",
            known={"value": "0.178125", "gap": "0.0020833333"},
            text="d = 4, H = 10, K = 3 d^2 = 48, hence Delta = 1/96; ||theta|| = 1 + 3/96.",
        ),
        Published(
            name="mixture-hypercube-zhang2021-4",
            params={"d": 4, "horizon": 10, "variant": "zhang2021", "c": 0.1, "good": 5},
            digest="7e6674f723c7b615",
            known={"value": "0.497729708", "gap": "0.003535533906"},
            cite="zhang2021",
            tag="source",
            text="d = 4, H = 10, c = 0.1.",
        ),
    ),
)
