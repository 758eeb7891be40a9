"""Claims on a total at the end of a run, open constants of a mean, and controls that need more replicates."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from theorylab.check import check, check_many
from theorylab.claim import Claim, Control, Expectation, HighProbability, Instance, Total
from theorylab.errors import InputError
from theorylab.kernel import kernel
from theorylab.registry import find_learner
from theorylab.run import run

ARMS = {"means": (0.6, 0.4)}
QUICK = {"quick": (Instance("bernoulli", 200, ARMS),)}


@kernel
def plays_of_the_worse(st, p, tr, t):  # type: ignore[no-untyped-def]
    """Plays of arm 1 after t rounds."""
    return float(tr.visits[1])


PLAYS = Total("plays of the worse arm", plays_of_the_worse)


def claim(**given: Any) -> Claim:
    base: dict[str, Any] = dict(
        id="auer2002.plays", text="", learner="ucb1", instances=QUICK, quantity=PLAYS, kind=HighProbability(0.1),
        trivial=lambda c, n: n, source_tag="derived",
    )  # fmt: skip
    return Claim(**{**base, **given})


def lines(slope: float) -> Any:
    return lambda c, n: slope * n


def test_a_total_below_its_bound_is_supported_and_above_refuted() -> None:
    held = check(claim(bound=lines(0.9)))
    broken = check(claim(bound=lines(0.01)))
    assert held.verdict == "SUPPORTED" and broken.verdict == "REFUTED"
    found = held.instances[0]
    assert found.mean is not None and 20 < found.mean < 100 and found.bound == 180.0
    # plays times the gap are the regret
    regret = run("ucb1", QUICK["quick"][0].build(), replicates=found.replicates, rounds=200, seed=0).regret
    assert regret[:, -1].mean() == pytest.approx(0.2 * found.mean, rel=1e-9)


def test_a_total_is_read_after_the_last_step() -> None:
    both = claim(bound=lines(1.0)), claim(id="auer2002.all", quantity=Total("all", every_play), bound=lines(1.0))
    found = check_many(both, run_controls=False)
    assert found[1].instances[0].mean == 200.0


@kernel
def every_play(st, p, tr, t):  # type: ignore[no-untyped-def]
    """All plays."""
    return float(tr.visits[0] + tr.visits[1])


def test_the_open_constant_of_a_mean_is_measured() -> None:
    open_mean = claim(kind=Expectation(), constants="unspecified", shape=lambda c, n: np.sqrt(n))
    found = check(open_mean)
    assert found.verdict == "CONSTANT MEASURED" and found.interval is not None
    low, high = found.interval
    instance = found.instances[0]
    assert instance.mean is not None and low < instance.mean / np.sqrt(200.0) < high < 2.0 * low
    assert {c.name: c.ok for c in found.controls}["half the best constant"]
    assert instance.slack is None and not instance.vacuous


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (dict(), "needs bound=... or shape="),
        (dict(kind=Expectation(), shape=lines(1.0)), "explicit constants needs bound"),
        (dict(kind=Expectation(), bound=lines(1.0), trivial=None), "needs trivial"),
    ],
)
def test_what_a_total_needs(given: dict[str, Any], text: str) -> None:
    with pytest.raises(InputError, match=text):
        claim(**given)


def test_a_control_goes_on_until_a_strict_level_is_reached() -> None:
    uniform = Control("uniform play", find_learner("uniform", "bandit"), Instance("bernoulli", 200, ARMS), 2)
    strict = check(claim(bound=lines(0.4), controls=(uniform,)), alpha_refute=1e-9)
    outcome = next(c for c in strict.controls if c.name == "uniform play")
    assert outcome.ok and "of 16 replicates" in outcome.detail, outcome


def test_a_control_that_is_never_violated_does_not_go_on() -> None:
    faithful = Control("no fault", find_learner("ucb1"), Instance("bernoulli", 200, ARMS), 2)
    found = check(claim(bound=lines(0.9), controls=(faithful,)))
    outcome = next(c for c in found.controls if c.name == "no fault")
    assert found.verdict == "CHECK_INVALID" and not outcome.ok and "of 2 replicates" in outcome.detail


def test_a_length_where_the_shape_is_zero_says_nothing_of_the_constant() -> None:
    """log 1 = 0, and a first pull of the worse arm loses something all the same."""
    open_rate = Claim(
        id="uniform.open", text="Regret is O(n), measured against log n.", source_tag="derived", learner="uniform",
        kind=HighProbability(0.3), quantity="regret", constants="unspecified", instances=QUICK,
        shape=lambda c, n: np.log(np.maximum(n, 1.0)), trivial=lambda c, n: 0.2 * n,
    )  # fmt: skip
    (found,) = check_many([open_rate], target="python", budget=128, run_controls=False)
    assert found.instances[0].constant is not None
    low, high = found.instances[0].constant
    assert 1.0 < low < high < 10.0
