"""Bernoulli bandits: arm a pays 1 with probability means[a], else 0. means (A,) in [0, 1]."""

from __future__ import annotations

from dataclasses import replace

from numpy.typing import ArrayLike

from theorylab.family import Family
from theorylab.model import BERNOULLI, Bandit


def build(means: ArrayLike = (0.5, 0.6)) -> Bandit:
    """The bandit with the given means; a mean outside [0, 1] raises `InputError` naming the arm."""
    model = Bandit(means=means, reward_law=BERNOULLI, name="bernoulli")  # type: ignore[arg-type]
    arms = ",".join(f"{m:g}" for m in model.means) if model.A <= 4 else f"{model.A} arms"
    return replace(model, name=f"bernoulli({arms})")


family = Family(
    name="bernoulli",
    build=build,
    setting="bandit",
    source_tag="source",
    text="Arms that pay 1 with probability means[a], else 0.",
    tags=("bandit",),
)
