"""Contextual linear bandits with random features: X contexts, A arms, mean <features[x,a], theta>.

Features and the direction of theta are uniform on the unit sphere of R^d, ||theta|| = norm, rewards Gaussian with
standard deviation sd; the law of contexts is uniform, or uniform on the simplex with `skewed` [derived]. features
(X,A,d), law (X,). Random numbers: numpy.random.Generator(numpy.random.Philox(seed)), drawn in the order features,
theta, law: a seed names one model.

Exact: the best expected reward a round is sum_x law[x] max_a means[x,a].
"""

from __future__ import annotations

import numpy as np

from bandits.models._sphere import sphere
from theorylab.family import Family
from theorylab.linear_bandit import ContextualBandit
from theorylab.model import RewardLaw
from theorylab.parameters import flag, integer, number, room


def build(
    X: int = 10, A: int = 5, d: int = 4, norm: float = 1.0, sd: float = 1.0, skewed: bool = False, seed: int = 0
) -> ContextualBandit:
    """The bandit of a seed; X, A, d >= 1, norm and sd > 0."""
    name = "contextual-linear"
    X, A, d = integer(name, "X", X, 1), integer(name, "A", A, 1), integer(name, "d", d, 1)
    norm, sd = number(name, "norm", norm, 0.0, open_low=True), number(name, "sd", sd, 0.0, open_low=True)
    skewed = flag(name, "skewed", skewed)
    room(name, "features", X, A, d)
    rng = np.random.Generator(np.random.Philox(integer(name, "seed", seed, 0)))
    features, theta = sphere(rng, (X, A), d), norm * sphere(rng, (), d)
    cuts = np.sort(rng.random(X - 1)) if skewed else np.arange(1, X) / X
    weights = np.diff(np.concatenate([[0.0], cuts, [1.0]]))
    high = norm * (1.0 + 1e-9)  # room for the rounding of an arm that points along theta
    law = RewardLaw("gaussian", low=-high, high=high, sd=sd)
    full = f"{name}-{X}-{A}-{d}-{seed}{'-skewed' if skewed else ''}"
    return ContextualBandit(weights, features=features, theta=theta, reward_law=law, name=full)


family = Family(
    name="contextual-linear",
    build=build,
    setting="contextual-bandit",
    source_tag="derived",
    text="Contextual linear bandit with random features on the unit sphere; one model a seed.",
    tags=("contextual-bandit", "random"),
)
