"""Diameter estimates: the two-sided bound, unfinished runs, refusals."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mdps.collection.diameter import estimate_diameter, factor
from mdps.models.star import family as star
from mdps.models.two_state import family as two_state
from mdps.models.wheel import family as wheel
from theorylab.errors import InputError
from theorylab.plan import diameter


def test_the_factor_by_hand() -> None:
    assert factor(1.0) == 10.0 and factor(0.5) == pytest.approx(1.5 * 2.5)


def test_runs_that_the_budget_cuts_off_are_reported() -> None:
    found = estimate_diameter(star(p=(0.3,)), 1.0, alpha=0.02, budget=170, replicates=6, target="python")
    ended = found.steps >= 0
    assert 0 < found.unfinished < 6 and found.unfinished == int((~ended).sum())
    assert np.isnan(found.estimate[~ended]).all() and np.isinf(found.interval[~ended, 1]).all()
    assert np.array_equal(found.interval[~ended, 0], found.lower[~ended])
    assert found.interval[ended, 1] == pytest.approx(found.estimate[ended])
    assert found.interval[ended, 0] == pytest.approx(found.estimate[ended] / 10)
    assert np.all(found.lower[ended] * 2 <= 2.0 ** (found.rounds[ended] - 1) + 1e-9)


def test_before_the_first_round_has_ended_nothing_is_known() -> None:
    found = estimate_diameter(wheel(states=3), 0.5, budget=5, target="python")
    assert found.rounds.tolist() == [1] and found.lower.tolist() == [0.0] and found.unfinished == 1


@pytest.mark.parametrize(
    ("change", "word"),
    [({"epsilon": 1.5}, "epsilon=1.5"), ({"delta": 1.0}, "delta=1.0"), ({"alpha": 0.0}, "alpha=0.0"),
     ({"budget": 0}, "length=0")],
)  # fmt: skip
def test_what_is_refused(change: dict[str, float], word: str) -> None:
    given = {"epsilon": 0.5, "delta": 0.1, "alpha": 1.0, "budget": 10, **change}
    with pytest.raises(InputError, match=word):
        estimate_diameter(two_state(), given.pop("epsilon"), target="python", **given)  # type: ignore[arg-type]


@pytest.mark.long
def test_the_two_sided_bound_in_every_run() -> None:
    """alpha = 1, 16 runs a model; the level allows one in ten to fail, the radii are five times too large."""
    for model, epsilon, budget in (
        (star(p=(0.11,)), 1.0, 80_000),
        (star(p=(0.5, 0.25)), 1.0, 90_000),
        (two_state(slip=0.2), 0.5, 60_000),
        (wheel(states=3), 1.0, 70_000),
    ):
        D = diameter(model)
        found = estimate_diameter(model, epsilon, budget=budget, replicates=16)
        assert found.unfinished == 0
        assert np.all((found.interval[:, 0] <= D) & (found.interval[:, 1] >= D) & (found.lower <= D))
        assert np.all(found.rounds <= math.ceil(math.log2(D * (1 + epsilon))) + 1)
