"""Linear bandits with random arms: A arms and the direction of theta uniform on the unit sphere of R^d.

features (A,d) with ||x|| = 1, ||theta|| = norm, Gaussian rewards of standard deviation sd [derived]. Random numbers:
numpy.random.Generator(numpy.random.Philox(seed)), drawn in the order arms, theta: a seed names one model.
"""

from __future__ import annotations

import numpy as np

from bandits.models._sphere import sphere
from theorylab.family import Family
from theorylab.linear_bandit import LinearBandit
from theorylab.model import RewardLaw
from theorylab.parameters import integer, number, room


def build(A: int = 20, d: int = 5, norm: float = 1.0, sd: float = 1.0, seed: int = 0) -> LinearBandit:
    """The bandit of a seed; A, d >= 1, norm and sd > 0."""
    name = "linear-sphere"
    A, d = integer(name, "A", A, 1), integer(name, "d", d, 1)
    norm, sd = number(name, "norm", norm, 0.0, open_low=True), number(name, "sd", sd, 0.0, open_low=True)
    room(name, "features", A, d)
    rng = np.random.Generator(np.random.Philox(integer(name, "seed", seed, 0)))
    features, theta = sphere(rng, (A,), d), norm * sphere(rng, (), d)
    high = norm * (1.0 + 1e-9)  # room for the rounding of an arm that points along theta
    law = RewardLaw("gaussian", low=-high, high=high, sd=sd)
    return LinearBandit(features, theta, law, f"{name}-{A}-{d}-{seed}")


family = Family(
    name="linear-sphere",
    build=build,
    setting="linear-bandit",
    source_tag="derived",
    text="Linear bandit with A random arms on the unit sphere of R^d; one model a seed.",
    tags=("linear-bandit", "random"),
)
