"""Gaussian bandits: arm a pays a normal reward with mean means[a] and standard deviation sd, in units of reward."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from theorylab.family import Family
from theorylab.model import Bandit, RewardLaw
from theorylab.parameters import number
from theorylab.validate import floats


def build(means: ArrayLike = (0.0, 0.5), sd: float = 1.0) -> Bandit:
    """The bandit with means (A,) and sd > 0; the declared range of means is the smallest that has [0, 1] in it."""
    sd = number("gaussian", "sd", sd, 0.0, open_low=True)
    array = floats(means, "means")
    inside = array[np.isfinite(array)]  # a mean that is not finite is named by Bandit
    low, high = float(inside.min(initial=0.0)), float(inside.max(initial=1.0))
    arms = ",".join(f"{m:g}" for m in array.ravel()) if array.size <= 4 else f"{array.size} arms"
    law = RewardLaw("gaussian", low=low, high=high, sd=sd)
    return Bandit(means=array, reward_law=law, name=f"gaussian({arms};{sd:g})")


family = Family(
    name="gaussian",
    build=build,
    setting="bandit",
    source_tag="source",
    text="Arms that pay normal rewards with means `means` and standard deviation `sd`.",
    tags=("bandit",),
)
