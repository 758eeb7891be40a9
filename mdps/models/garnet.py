"""Garnet(S, A, b): random models where each (s,a) has b distinct successors.

Successors are drawn without replacement, their probabilities are the b gaps that b-1 sorted uniforms cut out of
[0, 1], rewards are uniform on [0, 1]. For action 0 the row is mixed with the point mass at s+1 mod S by the weight `w`,
so that the model communicates (b + 1 successors at most). P (S,A,S), r (S,A). Source: Archibald, McKinnon and Thomas
(1995) [recalled]; the mixing weight [derived].

Random numbers: numpy.random.Generator(numpy.random.Philox(seed)), drawn in the order successors, cuts, rewards: a
seed names one model.
"""

from __future__ import annotations

import numpy as np

from mdps.models._check import integer, number
from theorylab.family import Family
from theorylab.model import AVERAGE_REWARD, Criterion, TabularMDP


def build(
    S: int = 10, A: int = 3, b: int = 3, seed: int = 0, w: float = 1e-3, criterion: Criterion = AVERAGE_REWARD
) -> TabularMDP:
    """The Garnet model of a seed; 1 <= b <= S, weight 0 <= w <= 1 (0 leaves out the mixing)."""
    S, A = integer("garnet", "S", S, 1), integer("garnet", "A", A, 1)
    b = integer("garnet", "b", b, 1, S)
    seed = integer("garnet", "seed", seed, 0)
    w = number("garnet", "w", w, 0.0, 1.0)
    rng = np.random.Generator(np.random.Philox(seed))
    order = np.argsort(rng.random((S, A, S)), axis=-1, kind="stable")
    cuts = np.sort(rng.random((S, A, b - 1)), axis=-1)
    r = rng.random((S, A))
    edges = np.concatenate([np.zeros((S, A, 1)), cuts, np.ones((S, A, 1))], axis=-1)
    P = np.zeros((S, A, S))
    np.put_along_axis(P, order[..., :b], np.diff(edges, axis=-1), axis=-1)
    if w > 0:
        P[:, 0] *= 1 - w
        P[np.arange(S), 0, (np.arange(S) + 1) % S] += w
    return TabularMDP(P=P, r=r, criterion=criterion, name=f"garnet-{S}-{A}-{b}-{seed}")


family = Family(
    name="garnet",
    build=build,
    setting="mdp",
    cite="archibald1995",
    source_tag="recalled",
    text="Random model with b successors a state and action, made communicating by a small weight; one model a seed.",
    tags=("communicating", "average", "random"),
)
