"""Random linear mixture MDPs, and their lazy dilations: the same mixture on a longer horizon.

d base kernels P_i whose rows are laws on b states, weights w ~ Dirichlet(2,..,2), P = sum_i w_i P_i; rewards uniform
on [0, 1] and divided by the number of stages, so that a trajectory earns at most 1. Features phi = P_i/sqrt(d) and
theta = sqrt(d) w, so that ||phi_V|| <= 1 and ||theta|| <= sqrt(d) (horizon_free instance I3) [derived].

Dilation by n: each base kernel becomes P_i/n + (1 - 1/n) I and the horizon n times `horizon`. As the weights sum to
1, the dilated model is the mixture of the dilated kernels with the same theta; an episode has the same expected
number of moves that are not lazy (I4) [derived]. Exact relations to the model with n = 1: with average reward the
gain is 1/n of it (the rewards are divided by n), the bias span is the same and the diameter is n times as large.

phi (S,A,S,d), theta (d,), r (S,A). Random numbers: numpy.random.Generator(numpy.random.Philox(seed)), drawn in the
order base kernels (states, then probabilities), weights, rewards. Dirichlet(2,..,2) is the sums of neighbouring pairs
of Dirichlet(1,..,1) in 2d coordinates.
"""

from __future__ import annotations

import math

import numpy as np

from mdps.models._simplex import sparse_laws, uniform_simplex
from theorylab.family import Family
from theorylab.linear import LinearMixtureMDP
from theorylab.model import FiniteHorizon
from theorylab.parameters import integer, room


def build(
    S: int = 10, A: int = 2, d: int = 3, horizon: int = 6, b: int = 3, dilation: int = 1, seed: int = 0
) -> LinearMixtureMDP:
    """The mixture of a seed with dilation * horizon stages; 1 <= b <= S successors a row of a base kernel."""
    name = "mixture-random"
    S, A, d = integer(name, "S", S, 1), integer(name, "A", A, 1), integer(name, "d", d, 1)
    H, b = integer(name, "horizon", horizon, 1), integer(name, "b", b, 1, S)
    n, seed = integer(name, "dilation", dilation, 1), integer(name, "seed", seed, 0)
    room(name, "phi", S, A, S, d)
    rng = np.random.Generator(np.random.Philox(seed))
    base = sparse_laws(rng, (d, S, A), S, b)
    weights = uniform_simplex(rng, (), 2 * d).reshape(d, 2).sum(axis=1)
    r = rng.random((S, A)) / (n * H)
    if n > 1:
        base /= n
        base[:, np.arange(S), :, np.arange(S)] += 1.0 - 1.0 / n
    phi = np.moveaxis(base, 0, -1) / math.sqrt(d)
    full = f"{name}-{S}-{A}-{d}-{seed}" + (f"-lazy{n}" if n > 1 else "")
    return LinearMixtureMDP(phi, math.sqrt(d) * weights, r, criterion=FiniteHorizon(n * H), name=full)


family = Family(
    name="mixture-random",
    build=build,
    setting="mdp",
    source_tag="derived",
    text=(
        "Random mixture of d base kernels, one model a seed; `dilation` makes it lazy on a longer horizon without "
        "changing the parameters."
    ),
    tags=("episodic", "linear-mixture", "random"),
)
