"""A combination lock as a linear mixture MDP: a parameter can only be learnt at the end of a corridor.

States: corridor 0..N-1; near junction N with absorbing outcomes N+1, N+2; deep junction N+3 with absorbing outcomes
N+4, N+5. In corridor state i the action ok[i] moves on (from N-1 to the deep junction); the other one moves to 0, and
from 0 to the near junction. A junction's two actions mix two known laws on its outcomes with the weights of its own
block:

    action 0   w_1 (.9, .1) + w_2 (.2, .8)     near   w = (.6, .4)
    action 1   w_1 (.3, .7) + w_2 (.6, .4)     deep   w = (.35, .65)

d = 4: two coordinates a block, features halved and theta = 2 (.6, .4, .35, .65); the known moves have phi = 1/4 in
every coordinate, which gives 1 for all weights on the two simplices. Episodes of N + 3 stages, r = 1/2 in state N+4,
else 0, so that a trajectory from state 0 earns at most 1. ||phi_V|| <= 1. Source: horizon-free notes, instance I8a
[derived].

Exact: value .495 (play ok, then action 1: .35 x .3 + .65 x .6); smallest positive gap .025 (deep junction at the last
stage but one); playing at random reaches the deep junction in an episode with probability below 2^(1-N).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from theorylab.errors import InputError
from theorylab.family import Family, Published
from theorylab.linear import LinearMixtureMDP
from theorylab.model import FiniteHorizon
from theorylab.parameters import integer, room

NAME = "mixture-lock"
BASE = np.array([[[0.9, 0.1], [0.2, 0.8]], [[0.3, 0.7], [0.6, 0.4]]])  # [action, base kernel, outcome]
WEIGHTS = np.array([[0.6, 0.4], [0.35, 0.65]])  # [block, base kernel]


def build(N: int = 8, ok: Sequence[int] | None = None) -> LinearMixtureMDP:
    """The lock with a corridor of N >= 2 states; `ok` has one action, 0 or 1, a corridor state: 1, 0, 1, .. if None.

    phi (N+6,2,N+6,4), theta (4,).
    """
    N = integer(NAME, "N", N, 2)
    room(NAME, "phi", N + 6, 2, N + 6, 4)
    if ok is not None and (isinstance(ok, (str, bytes)) or np.ndim(ok) != 1):
        raise InputError(f"{NAME}: ok is {ok!r}; give {N} actions, 0 or 1, one a corridor state")
    moves: list[Any] = [(i + 1) % 2 for i in range(N)] if ok is None else list(ok)
    if len(moves) != N:
        raise InputError(f"{NAME}: ok has {len(moves)} entries; give {N}, one a corridor state")
    good = [integer(NAME, f"ok[{i}]", a, 0, 1) for i, a in enumerate(moves)]
    S = N + 6
    P, phi = np.zeros((S, 2, S)), np.zeros((S, 2, S, 4))
    for s in range(N):
        P[s, good[s], s + 1 if s < N - 1 else N + 3] = 1.0
        P[s, 1 - good[s], 0 if s > 0 else N] = 1.0
    for s in (N + 1, N + 2, N + 4, N + 5):
        P[s, :, s] = 1.0
    phi[P == 1.0] = 0.25
    for block, junction in enumerate((N, N + 3)):
        for outcome in (0, 1):
            phi[junction, :, junction + 1 + outcome, 2 * block : 2 * block + 2] = BASE[:, :, outcome] / 2
            w = BASE[:, :, outcome] * WEIGHTS[block]
            P[junction, :, junction + 1 + outcome] = w[:, 0] + w[:, 1]
    r = np.zeros((S, 2))
    r[N + 4] = 0.5
    label = "".join(map(str, good)) if ok is not None else str(N)
    full = f"{NAME}-{label}"
    return LinearMixtureMDP(phi, 2.0 * WEIGHTS.ravel(), r, criterion=FiniteHorizon(N + 3), name=full, P=P)


family = Family(
    name=NAME,
    build=build,
    setting="mdp",
    cite="zhang2023",
    source_tag="derived",
    text="Combination lock with two junctions, each with a block of the parameter that only visits to it reveal.",
    tags=("episodic", "linear-mixture", "exploration"),
    published=(
        Published(
            name="mixture-lock-4",
            params={"N": 4},
            digest="4dfc21dba6925ba1",
            known={"value": "0.495", "gap": "0.025"},
            text="Corridor of 4 states.",
        ),
    ),
)
