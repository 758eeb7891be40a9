"""Growth and dominance claims through `check`: verdicts with known truth, controls, calibration, refusals."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bandits.learners.explore_then_commit import learner as etc
from proofs_check.papers._bandit_probes import trivial
from proofs_check.papers.lattimore2020 import sweep
from theorylab import InputError
from theorylab.assume import Assumption
from theorylab.check import check
from theorylab.claim import Claim, Control, Dominates, Growth, Instance, Total
from theorylab.decide import Levels
from theorylab.evidence import exit_code
from theorylab.kernel import kernel
from theorylab.registry import find_claim, find_learner
from theorylab.sweep import Sweep
from theorylab.versus import decide_difference

PAIR = {"means": (0.7, 0.5)}
uniform = find_learner("uniform", "bandit")


@kernel
def second(st: Any, p: Any, t: Any, rng: Any) -> Any:
    """Always arm 1."""
    return 1


@kernel
def rarely_second(st: Any, p: Any, t: Any, rng: Any) -> Any:
    """Arm 1 in every tenth round: linear regret, a tenth of what any algorithm satisfies."""
    return 1 if t % 10 == 0 else 0


tenth = replace(uniform, name="tenth", act=rarely_second)
worst = replace(uniform, name="worst", act=second)


def growth(**more: Any) -> Claim:
    given: dict[str, Any] = dict(
        id="etc.growth",
        text="Regret is of order n^(2/3).",
        learner="explore-then-commit",
        kind=Growth("n^(2/3)", exact=True),
        quantity="regret",
        shape=lambda c, n: n ** (2 / 3),
        trivial=trivial,
        instances={"quick": sweep(11, 17)},
    )
    return Claim(**{**given, **more})


def versus(learner: str, other: str, *means: tuple[float, ...], **more: Any) -> Claim:
    given: dict[str, Any] = dict(
        id="a.below",
        text="Mean regret is below the other's.",
        learner=learner,
        kind=Dominates(other),
        quantity="regret",
        trivial=trivial,
        instances={"quick": tuple(Instance("bernoulli", 300, {"means": m}) for m in means)},
    )
    return Claim(**{**given, **more})


# Growth


def test_explore_then_commit_grows_as_its_exploration() -> None:
    evidence = check("lattimore2020.growth")
    assert evidence.verdict == "CONSISTENT" and exit_code([evidence]) == 0
    assert evidence.growth["T2"] == 65536.0
    low, high = evidence.interval or (1.0, 1.0)
    assert -0.03 < low < high < 0.03
    assert [(c.sort, c.ok) for c in evidence.controls] == [
        ("learner fault", True),
        ("bound fault", True),
        ("null", True),
    ]
    assert {i.verdict for i in evidence.instances} == {"MEASURED"}


def test_too_small_an_order_is_inconsistent_and_too_large_a_one_is_not_exact() -> None:
    small = check(growth(shape=lambda c, n: np.sqrt(n)))
    assert small.verdict == "INCONSISTENT" and exit_code([small]) == 1
    large = check(growth(shape=lambda c, n: n**0.9))
    assert large.verdict == "INCONSISTENT"
    upper = check(growth(shape=lambda c, n: n**0.9, kind=Growth("n^0.9")))
    assert upper.verdict == "CONSISTENT"


def test_outside_of_the_regime_nothing_is_inconsistent() -> None:
    kind = Growth("sqrt(n)", regime=lambda c: c.T >= 4096)
    evidence = check(growth(shape=lambda c, n: np.sqrt(n), kind=kind))
    assert evidence.verdict == "INCONCLUSIVE" and "T=2048 is outside" in evidence.growth["reason"]
    assert all(c.ok for c in evidence.controls)  # faults are caught whatever the regime


def test_linear_regret_is_vacuous_at_the_trivial_bound_and_inconsistent_below_it() -> None:
    at_bound = check(growth(shape=lambda c, n: n, kind=Growth("n")), learner=worst)
    assert at_bound.verdict == "VACUOUS"
    below = check(growth(shape=lambda c, n: np.sqrt(n), kind=Growth("sqrt(n)")), learner=tenth)
    assert below.verdict == "VACUOUS" and "uniform" in below.growth["reason"]


def test_a_fault_that_is_not_caught_makes_the_check_invalid() -> None:
    evidence = check(growth(controls=(Control("nothing broken", etc),)))
    assert evidence.verdict == "CHECK_INVALID"
    assert [c.name for c in evidence.controls if not c.ok] == ["nothing broken"]


def test_points_use_addresses_of_their_own() -> None:
    claim = growth(instances={"quick": tuple(Instance("bernoulli", 64, PAIR, {"m": 4}) for _ in range(4))})
    points = Sweep.__new__(Sweep)
    points.instances, points.models = claim.on("quick"), [i.build() for i in claim.on("quick")]
    points.params, points.seed, points.target, points.claim, points.contexts = {}, 0, "cpu", claim, [None] * 4
    first, after = points.sample(etc, 0, 40), points.sample(etc, 1, 20)
    assert np.array_equal(first[20:], after)  # replicate r of point 1 is replicate 20 + r of the same stream


@pytest.mark.parametrize(
    ("instances", "message"),
    [
        (sweep(9, 10), "a sweep of 1 sizes shows no growth; give at least 4"),
        (sweep(9, 12)[::-1] + sweep(13, 14), r"T\[1\]=1024 is not above T\[0\]=2048"),
    ],
)
def test_sweeps_that_show_nothing_are_refused(instances: tuple[Instance, ...], message: str) -> None:
    with pytest.raises(InputError, match=message):
        check(growth(instances={"quick": instances}))


@kernel
def plays_of_second(st: Any, p: Any, tr: Any, t: Any) -> Any:
    """Plays of arm 1."""
    return float(tr.visits[1])


PLAYS = Total("plays of arm 1", plays_of_second)
LONG = tuple(Instance("bernoulli", 2**k, PAIR) for k in range(6, 12))


def test_totals_grow_and_are_compared_like_regret() -> None:
    """Uniform play gives arm 1 half of the rounds; a tenth of them is less, and less than sqrt(n) is not."""
    plays: dict[str, Any] = dict(quantity=PLAYS, instances={"quick": LONG}, trivial=lambda c, n: 4.0 * n)
    linear = check(growth(shape=lambda c, n: n, kind=Growth("n"), **plays), learner=uniform)
    assert linear.verdict == "CONSISTENT" and linear.growth["quantity"] == "plays of arm 1"
    root = check(growth(shape=lambda c, n: np.sqrt(n), kind=Growth("sqrt(n)"), **plays), learner=uniform)
    assert root.verdict == "INCONSISTENT"
    by_size = Growth("4 m", sweep="m", size=lambda c: 4.0 * c.T)
    sized = check(growth(shape=lambda c, n: 4 * n, kind=by_size, **plays), learner=uniform)
    assert sized.verdict == "CONSISTENT" and sized.growth["T2"] == 4 * 2**11
    less = versus("uniform", "uniform", (0.7, 0.5), quantity=PLAYS, trivial=lambda c, n: 1.0 * n)
    below = check(less, learner=tenth)
    assert below.verdict == "SUPPORTED" and not below.instances[0].difference
    assert "plays of arm 1 30 against" in below.instances[0].note
    assert check(less, learner=worst).verdict == "REFUTED"
    with pytest.raises(InputError, match="longer runs"):
        check(growth(shape=lambda c, n: n, kind=Growth("n"), **{**plays, "trivial": lambda c, n: 0.5 * n}))


@pytest.mark.parametrize("value", [0.0, np.inf])
def test_an_order_that_is_not_positive_is_refused(value: float) -> None:
    with pytest.raises(InputError, match="must be positive"):
        check(growth(shape=lambda c, n: np.where(n > 2000, value, n)))


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (dict(shape=None), "needs shape="),
        (dict(trivial=None), "needs trivial="),
        (dict(quantity=lambda rng: (0.0, "")), "quantity='regret'"),
    ],
)
def test_an_incomplete_growth_claim_is_refused(more: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        growth(**more)


# Dominance


def test_kl_ucb_is_below_ucb1() -> None:
    evidence = check("garivier2011.below-ucb1")
    assert evidence.verdict == "SUPPORTED" and evidence.e_value >= 100.0
    assert all(c.ok for c in evidence.controls)
    assert {c.sort for c in evidence.controls} == {"learner fault", "bound fault", "null"}
    assert all(i.interval is not None and i.interval[1] < 0.0 for i in evidence.instances)


def test_the_other_way_round_is_refuted() -> None:
    claim = versus("ucb1", "kl-ucb", (0.9, 0.6))
    evidence = check(claim)
    assert evidence.verdict == "REFUTED" and evidence.e_value >= 1000.0


def test_equal_learners_are_inconclusive_since_they_play_alike() -> None:
    evidence = check(versus("ucb1", "ucb1", (0.9, 0.6)), budget=512)
    assert evidence.verdict == "INCONCLUSIVE"
    assert evidence.instances[0].mean == 0.0


def test_a_lower_regret_on_one_instance_only_is_not_supported() -> None:
    evidence = check(versus("uniform", "ucb1", (0.9, 0.6)), learner=replace(uniform, act=second), budget=1024)
    assert evidence.verdict == "REFUTED"
    both = check(versus("uniform", "ucb1", (0.9, 0.6), (0.6, 0.9)), learner=replace(uniform, act=second), budget=1024)
    assert [i.verdict for i in both.instances] == ["REFUTED", "SUPPORTED"] and both.verdict == "REFUTED"


def test_an_assumption_that_is_false_on_an_instance_leaves_it_out() -> None:
    two = Assumption("two-arms", "two arms", lambda m: "" if m.A == 2 else f"{m.A} arms")
    claim = versus("kl-ucb", "ucb1", (0.9, 0.6), (0.9, 0.6, 0.5), assumes=(two,))
    evidence = check(claim)
    assert [i.verdict for i in evidence.instances] == [
        "NOT_APPLICABLE",
        "SUPPORTED",
    ] and evidence.verdict == "SUPPORTED"


def test_a_difference_outside_of_its_range_stops_the_check() -> None:
    with pytest.raises(InputError, match=r"difference in replicate \d+ is .* correct the claim's trivial bound"):
        check(versus("kl-ucb", "ucb1", (0.9, 0.6), trivial=lambda c, n: 1e-3 * n))


def test_false_verdicts_on_differences_of_mean_zero_keep_their_levels() -> None:
    rng = np.random.Generator(np.random.Philox(key=5))
    levels, runs = Levels(support=0.05, refute=0.05, budget=200), 1000
    skew = np.where(rng.random((runs, 200)) < 0.1, 9.0, -1.0)  # mean 0
    words = [decide_difference(d, 10.0, levels).verdict for d in skew]
    for word in ("SUPPORTED", "REFUTED"):
        assert words.count(word) / runs <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / runs), word


def test_claims_that_compare_are_registered_with_controls() -> None:
    for name in ("lattimore2020.growth", "garivier2011.below-ucb1"):
        assert find_claim(name)[0].controls
    assert "theorylab.sweep" in sys.modules
