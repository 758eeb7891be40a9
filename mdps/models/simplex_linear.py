"""Random linear MDPs of low rank: features on the d-simplex, measures that are laws on the states.

phi(s,a) is uniform on the simplex, except for d anchor pairs, one a coordinate, with phi = e_k, so that every
direction can be visited; mu_h(k,.) is a law on b states; theta has entries uniform on [0, 1], of which floor(zeros d)
are then set to 0. Then P_h(.|s,a) = sum_k phi_k(s,a) mu_h(k,.) and r = <phi, theta> are a kernel and rewards in [0, 1]
(Jin et al. 2020, example 2.2) [recalled], ||phi|| <= 1, ||mu_h(S)|| = sqrt(d), ||theta|| <= sqrt(d). phi (S,A,d), mu
(H,d,S) or (d,S), theta (d,) [derived].

Random numbers: numpy.random.Generator(numpy.random.Philox(seed)), drawn in the order phi, anchors, mu (states, then
probabilities), theta, zeros: a seed names one model.
"""

from __future__ import annotations

import numpy as np

from mdps.models._simplex import sparse_laws, uniform_simplex
from theorylab.errors import InputError
from theorylab.family import Family
from theorylab.linear import LinearMDP
from theorylab.model import FiniteHorizon
from theorylab.parameters import flag, integer, number, room


def build(
    S: int = 20,
    A: int = 5,
    d: int = 5,
    horizon: int = 5,
    b: int = 4,
    zeros: float = 0.6,
    stationary: bool = False,
    seed: int = 0,
) -> LinearMDP:
    """The model of a seed, with `horizon` stages; `stationary`: one mu for all stages.

    Raises:
        InputError: fewer than d pairs (s,a), b above S, a share `zeros` outside [0, 1].
    """
    name = "simplex-linear"
    S, A, d = integer(name, "S", S, 1), integer(name, "A", A, 1), integer(name, "d", d, 1)
    stationary = flag(name, "stationary", stationary)
    if d > S * A:
        raise InputError(f"{name}: d is {d}; there are {S * A} pairs (s,a) to be anchors: give d <= {S * A}")
    H, b = integer(name, "horizon", horizon, 1), integer(name, "b", b, 1, S)
    zeros, seed = number(name, "zeros", zeros, 0.0, 1.0), integer(name, "seed", seed, 0)
    stages = 1 if stationary else H
    room(name, "mu", stages, d, S)
    room(name, "P", stages, S, A, S)
    rng = np.random.Generator(np.random.Philox(seed))
    phi = uniform_simplex(rng, (S * A,), d)
    anchors = np.argsort(rng.random(S * A), kind="stable")[:d]
    phi[anchors] = np.eye(d)
    mu = sparse_laws(rng, (d,) if stationary else (H, d), S, b)
    theta = rng.random(d)
    theta[np.argsort(rng.random(d), kind="stable")[: int(zeros * d)]] = 0.0
    full = f"{name}-{S}-{A}-{d}-{seed}{'-stationary' if stationary else ''}"
    return LinearMDP(phi.reshape(S, A, d), mu, theta, criterion=FiniteHorizon(H), name=full)


family = Family(
    name="simplex-linear",
    build=build,
    setting="mdp",
    cite="jin2020",
    source_tag="derived",
    text="Random linear MDP of low rank: features on the d-simplex with d anchor pairs; one model a seed.",
    tags=("episodic", "linear", "random"),
)
