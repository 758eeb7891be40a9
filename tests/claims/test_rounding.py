"""Bounds that are attained, and instances on which nothing can be lost."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.claims.coins import coin, faithful
from theorylab.check import check
from theorylab.claim import Claim, Expectation, HighProbability, Instance
from theorylab.kernel import kernel
from theorylab.measure import ROUNDING


def claim(kind: Any, bound: float, *means: float, shift: float = 0.0) -> Claim:
    """Regret of uniform play is at most `bound` times the largest gap times n."""
    return Claim(
        id="coins.regret",
        text="Regret is at most a multiple of the largest gap in each round.",
        learner="uniform",
        kind=kind,
        quantity="regret",
        bound=lambda c, n: (bound * np.max(c.gap) + shift) * n,
        trivial=lambda c, n: n * np.max(c.gap),
        instances={"quick": (Instance("bernoulli", 300, {"means": means}),)},
        control_instance=coin(0.5),
    )


def test_a_bound_that_is_attained_is_not_refuted() -> None:
    evidence = check(claim(HighProbability(0.1), 0.0, 0.3, 0.3), target="python", budget=64)
    assert evidence.instances[0].violations == 0


@kernel
def second(st: Any, p: Any, t: Any, rng: Any) -> Any:
    """The second arm, always."""
    return 1


@pytest.mark.parametrize(("shift", "violations"), [(-0.1 * ROUNDING, 0), (-10.0 * ROUNDING, 64)])
def test_rounding_is_a_billionth_of_the_largest_regret(shift: float, violations: int) -> None:
    worse = replace(faithful(), act=second)  # its regret is n times the gap, exactly
    made = claim(HighProbability(0.5), 1.0, 0.5, 0.25, shift=shift)
    evidence = check(made, learner=worse, target="python", budget=64)
    assert min(evidence.instances[0].violations, 1) == min(violations, 1)


def test_where_nothing_can_be_lost_a_mean_is_vacuous() -> None:
    evidence = check(claim(Expectation(), 1.0, 0.3, 0.3), target="python", budget=64)
    assert evidence.instances[0].verdict == "VACUOUS"
