"""`check`: each verdict is reached, says what it rests on, and depends on the replicates' numbers alone."""

from __future__ import annotations

import importlib
import json
import math
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from tests.claims.coins import CAUGHT, STOPPED, claim, coin, tosses
from theorylab.assume import Assumption
from theorylab.check import check, check_many
from theorylab.claim import Claim, Context, Control, Expectation, HighProbability, Instance, Pointwise
from theorylab.decide import Levels, decide_rate
from theorylab.errors import InputError
from theorylab.evidence import Evidence, exit_code, to_json
from theorylab.kernel import kernel
from theorylab.probe import Probe
from theorylab.registry import find_learner
from theorylab.stats import zero_violation_stop

ALPHA_R = 0.001


def of(c: Claim, **more: Any) -> Evidence:
    return check(c, target="python", **more)


# Rates


def test_supported_at_the_first_crossing() -> None:
    evidence = of(claim(0.1, 0.0))
    assert evidence.verdict == "SUPPORTED" and exit_code([evidence]) == 0
    assert evidence.n == zero_violation_stop(0.1, 0.01)  # no toss pays: the least number of replicates that can support
    assert evidence.e_value == evidence.e_support >= 100 and evidence.instances[0].violations == 0
    assert evidence.interval is not None and evidence.interval[0] == 0.0 < evidence.interval[1] < 0.2
    assert [(k.name, k.sort, k.ok) for k in evidence.controls] == [
        (CAUGHT.name, "learner fault", True),
        ("coins at the boundary", "null", True),
        ("coins at twice the rate", "null", True),
    ]
    assert evidence.kills == {CAUGHT.name: True}


def test_refuted() -> None:
    evidence = of(claim(0.1, 0.6))
    x = tosses(0.6, 64)
    alone = decide_rate(x, 0.1, Levels(budget=64))
    assert evidence.verdict == alone.verdict == "REFUTED" and exit_code([evidence]) == 1
    assert evidence.n == alone.n < 64 and evidence.e_value == evidence.e_refute == alone.e_refute >= 1 / ALPHA_R
    (instance,) = evidence.instances
    assert instance.violations == x[: alone.n].sum() and instance.first == 0 and instance.level == 0.1
    assert instance.max_excess == 0.5 and f"--replicate {int(np.argmax(x))} " in evidence.replay


def test_replicates_are_read_in_index_order() -> None:
    for seed in (1, 2, 3):
        evidence = of(claim(0.3, 0.15), seed=seed)
        alone = decide_rate(tosses(0.15, 600, seed), 0.3, Levels(budget=600))
        assert (evidence.verdict, evidence.n) == (alone.verdict, alone.n)
        assert (evidence.e_support, evidence.e_refute, evidence.interval) == (
            alone.e_support,
            alone.e_refute,
            alone.interval,
        )


def test_inconclusive_when_the_budget_ends() -> None:
    evidence = of(claim(0.3, 0.3), budget=50)
    assert evidence.verdict == "INCONCLUSIVE" and exit_code([evidence]) == 3
    assert evidence.n == 50 and evidence.provenance["budget"] == 50
    assert evidence.interval is not None and evidence.interval[0] < 0.3 < evidence.interval[1]
    assert evidence.e_value == max(evidence.e_support, evidence.e_refute) < 100


def test_no_violation_found_and_refuted_for_invariants() -> None:
    held = of(claim(0.1, 0.0, kind=Pointwise()))
    assert (held.verdict, held.n, held.e_value) == ("NO VIOLATION FOUND", 64, 0.0)
    assert held.instances[0].max_excess == -0.5 and held.instances[0].first is None
    failed = of(claim(0.1, 0.02, kind=Pointwise()), seed=5)
    x = tosses(0.02, 64, 5)
    assert failed.verdict == "REFUTED" and failed.e_refute == math.inf and failed.n == 64
    assert failed.instances[0].violations == x.sum() and f"--replicate {int(np.argmax(x))} " in failed.replay
    assert of(claim(0.1, 0.0, kind=Pointwise()), profile="standard").n == 256


def test_not_applicable() -> None:
    never = Assumption("never", "no model", lambda model: "this is not the model")
    evidence = of(claim(0.1, 0.0, assumes=(never,)))
    assert evidence.verdict == "NOT_APPLICABLE" and exit_code([evidence]) == 3
    assert evidence.n == 0 and evidence.instances[0].note == "this is not the model"
    some = Assumption("pays", "pays", lambda model: None if model.means[0] > 0 else "it never pays")
    mixed = of(claim(0.9, 0.0, 0.1, assumes=(some,)))
    assert [i.verdict for i in mixed.instances] == ["NOT_APPLICABLE", "SUPPORTED"] and mixed.verdict == "SUPPORTED"


def test_check_invalid_when_a_control_is_not_caught() -> None:
    harmless = Control("no fault at all", find_learner("uniform", "bandit"), coin(0.0))
    for p in (0.0, 0.6):  # whatever the claim's own verdict
        evidence = of(claim(0.1, p, controls=(CAUGHT, harmless)))
        assert evidence.verdict == "CHECK_INVALID" and exit_code([evidence]) == 1
        assert {k.name: k.ok for k in evidence.controls}["no fault at all"] is False
        assert evidence.kills == {CAUGHT.name: True, "no fault at all": False}


def test_a_control_without_an_instance_is_refused() -> None:
    with pytest.raises(InputError, match="has no instance; give control_instance"):
        of(claim(0.1, 0.0, control_instance=None, controls=(STOPPED,)))


def test_a_fault_that_stops_the_loop_is_not_the_merit_of_a_claim() -> None:
    evidence = of(claim(0.1, 0.0, controls=(STOPPED,)))
    assert evidence.verdict == "CHECK_INVALID" and evidence.kills == {STOPPED.name: False}


@kernel
def nan_or_never(st: Any, p: Any, tr: Any, t: Any) -> Any:
    """Not a number where the round paid; elsewhere the premise is false."""
    return float("nan") if tr.r > 0.5 else -1e18


def test_what_is_not_a_number_refutes_even_where_the_premise_is_false_elsewhere() -> None:
    evidence = of(claim(0.1, 0.5, kind=Pointwise(), quantity=Probe("nan", nan_or_never)))
    assert evidence.verdict == "REFUTED" and "not a number" in evidence.instances[0].note


def test_an_invariant_at_its_tolerance_holds_and_just_above_it_does_not() -> None:
    evidence = of(claim(0.1, 0.0, kind=Pointwise()))
    edges = {k.name: (k.sort, k.observed, k.ok) for k in evidence.controls}
    assert edges["lhs - rhs at the tolerance"] == ("null", "not refuted", True)
    assert edges["lhs - rhs just above the tolerance"] == ("bound fault", "REFUTED", True)


def test_a_claim_that_allows_everything_is_vacuous() -> None:
    assert of(claim(1.0, 0.5)).instances[0].verdict == "VACUOUS"
    for delta in (0.0, 2.0, -1.0, float("nan")):
        with pytest.raises(InputError, match="must lie in"):
            HighProbability(delta)


# Several instances


def test_refuted_when_the_mean_of_the_e_values_passes() -> None:
    alone = of(claim(0.1, 1.0))
    among = of(claim(0.1, 0.0, 0.0, 0.0, 1.0))
    assert alone.verdict == among.verdict == "REFUTED"
    assert [i.verdict for i in among.instances] == ["SUPPORTED"] * 3 + ["REFUTED"]
    bad = among.instances[3]
    assert bad.e_refute >= 4 / ALPHA_R and bad.n > alone.n  # read on, until the mean of four is enough
    assert among.e_refute == pytest.approx(np.mean([i.e_refute for i in among.instances]))
    assert among.e_refute >= 1 / ALPHA_R
    assert among.n == sum(i.n for i in among.instances)


def test_the_weakest_instance_decides() -> None:
    mixed = of(claim(0.3, 0.0, 0.3), budget=40)
    assert [i.verdict for i in mixed.instances] == ["SUPPORTED", "INCONCLUSIVE"] and mixed.verdict == "INCONCLUSIVE"
    supported = of(claim(0.3, 0.0, 0.01))
    assert supported.verdict == "SUPPORTED"
    assert supported.e_support == min(i.e_support for i in supported.instances) >= 100


def test_a_study_of_many_claims_raises_the_threshold() -> None:
    many = [claim(0.1, 0.6, id=f"coins.{i}") for i in range(60)]
    found = check_many(many, target="python", run_controls=False)
    assert len(found) == 60 and {e.verdict for e in found} == {"REFUTED"}
    assert all(e.provenance["alpha_refute"] == 1 / 1200 and e.e_refute >= 1200 for e in found)
    assert len({(e.n, e.e_refute) for e in found}) == 1  # they share the runs


# What the verdict may not depend on


@pytest.mark.parametrize("p", [0.15, 0.6, 0.3])
def test_the_block_size_does_not_matter(p: float, monkeypatch: pytest.MonkeyPatch) -> None:
    def told(block: int) -> tuple[Any, ...]:
        monkeypatch.setattr(importlib.import_module("theorylab.track"), "BLOCK", block)
        e = of(claim(0.3, p), budget=192)
        return e.verdict, e.n, e.e_support, e.e_refute, e.interval, e.instances[0].violations

    assert told(1) == told(7) == told(32) == told(500)


def test_claims_checked_together_get_the_verdicts_they_get_alone() -> None:
    claims = [claim(level, 0.2, id=f"coins.{level}") for level in (0.05, 0.5, 0.25)]
    together = check_many(claims, target="python", budget=300)
    for c, e in zip(claims, together, strict=True):
        alone = of(c, budget=300)
        assert (e.verdict, e.n, e.e_support, e.e_refute) == (alone.verdict, alone.n, alone.e_support, alone.e_refute)
    assert [e.verdict for e in together] == ["REFUTED", "SUPPORTED", "INCONCLUSIVE"]


def test_threads_and_targets_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    def told(workers: int, target: str) -> dict[str, Any]:
        monkeypatch.setattr("os.cpu_count", lambda: workers)
        e = check(claim(0.3, 0.15), target=target)
        row: dict[str, Any] = json.loads(to_json([e]))[0]
        row.pop("provenance"), row.pop("seconds"), row["instances"][0].pop("seconds")
        return row

    assert told(1, "cpu") == told(5, "cpu") == told(1, "python")


# Regret


def at_most(factor: float, order: Any) -> Any:
    def bound(c: Context, n: np.ndarray) -> np.ndarray:
        return np.asarray(factor * order(np.asarray(n, dtype=float)))

    return bound


TRIVIAL = at_most(0.8, lambda n: n)
GAPS = {"means": (0.9, 0.1)}


def regret(kind: Any, length: int = 60, **more: Any) -> Claim:
    """A claim on UCB1's regret with two arms of gap 0.8."""
    instances = {"quick": (Instance("bernoulli", length, GAPS),)}
    given: dict[str, Any] = dict(
        id="coins.regret", text="regret", learner="ucb1", quantity="regret", trivial=TRIVIAL, instances=instances
    )
    return Claim(**{**given, "kind": kind, **more})


def test_regret_supported_with_its_slack() -> None:
    evidence = of(regret(HighProbability(0.1), bound=at_most(6.0, np.sqrt)))
    (i,) = evidence.instances
    assert evidence.verdict == "SUPPORTED" and not evidence.vacuous
    assert i.bound == pytest.approx(6 * math.sqrt(60)) and i.trivial == pytest.approx(48.0)
    assert i.nonvacuous_from == 57 == evidence.nonvacuous_from  # 6 sqrt(n) < 0.8 n from n = 57 on
    assert i.constant is not None and i.slack is not None
    assert i.slack == pytest.approx(1.0 / i.constant[1]) and i.slack > 1.0
    assert i.mean is not None and len(i.curve["n"]) == len(i.curve["bound"]) == len(i.curve["scaled"])


def test_vacuous_bounds_are_not_called_supported() -> None:
    evidence = of(regret(HighProbability(0.1), bound=at_most(6.0, np.sqrt), length=50))
    assert evidence.verdict == "VACUOUS" and evidence.vacuous and exit_code([evidence]) == 3
    names = {k.name: (k.sort, k.ok) for k in evidence.controls}
    assert names["half the best constant"] == ("bound fault", True)
    assert names["upper limit of the best constant"] == ("null", True)
    mean = of(regret(Expectation(), bound=at_most(6.0, np.sqrt), length=50))
    assert mean.verdict == "VACUOUS" and mean.vacuous


def test_vacuous_on_one_instance_is_vacuous() -> None:
    both = (Instance("bernoulli", 60, GAPS), Instance("bernoulli", 50, GAPS))
    evidence = of(regret(HighProbability(0.1), bound=at_most(6.0, np.sqrt), instances={"quick": both}))
    assert [i.verdict for i in evidence.instances] == ["SUPPORTED", "VACUOUS"]
    assert evidence.verdict == "VACUOUS" and evidence.vacuous


def test_constant_measured() -> None:
    open_claim = regret(HighProbability(0.1), shape=at_most(1.0, np.sqrt), constants="unspecified")
    evidence = of(open_claim)
    assert evidence.verdict == "CONSTANT MEASURED" and exit_code([evidence]) == 0
    (i,) = evidence.instances
    assert i.constant is not None and evidence.interval == i.constant
    low, high = i.constant
    assert 0 < low <= high < 48.0
    assert i.n >= 64 and {k.name for k in evidence.controls if k.ok} >= {"half the best constant"}
    # the interval is one of order statistics of max_n regret / sqrt(n): scaling the shape scales it
    scaled = of(replace(open_claim, shape=at_most(2.0, np.sqrt)))
    assert scaled.instances[0].constant == pytest.approx((low / 2, high / 2), rel=1e-12)


def test_burn_in_is_not_a_measured_constant() -> None:
    idle = regret(HighProbability(0.1), learner="uniform", shape=at_most(1.0, np.sqrt), constants="unspecified")
    evidence = of(replace(idle, trivial=at_most(0.7, lambda n: n)))  # uniform play loses 0.4 a round: over half of it
    assert evidence.verdict == "VACUOUS" and "burn-in" in evidence.instances[0].note


def test_expectations() -> None:
    supported = of(regret(Expectation(), bound=at_most(0.6, lambda n: n)))
    (i,) = supported.instances
    assert supported.verdict == "SUPPORTED" and i.level == pytest.approx(0.75)
    assert i.interval is not None and i.mean is not None and i.interval[0] < i.mean / 48.0 < i.interval[1]
    assert i.level is not None and i.slack == pytest.approx(i.level / i.interval[1])
    refuted = of(regret(Expectation(), bound=at_most(0.4 * i.mean / 60, lambda n: n)))
    assert refuted.verdict == "REFUTED" and refuted.e_refute >= 1000


def test_a_quantity_outside_its_trivial_range_is_refused() -> None:
    wrong = regret(Expectation(), bound=at_most(0.01, lambda n: n), trivial=at_most(0.02, lambda n: n))
    with pytest.raises(InputError, match=r"leaves \[0, trivial\]"):
        of(wrong)


# Evidence


def test_evidence_is_plain_data() -> None:
    evidence = of(claim(0.1, 0.0, kind=Pointwise()))
    (row,) = json.loads(to_json([evidence]))
    assert set(row) == {f.name for f in fields(Evidence)}
    assert row["id"] == "coins.rate" and row["paper"] == "coins" and row["kind"] == "Pointwise"
    assert row["provenance"].keys() >= {"theorylab", "numpy", "seed", "profile", "alpha_support", "alpha_refute"}
    assert row["instances"][0]["digest"] and row["instances"][0]["unit"] == "rounds"
    failed = of(claim(0.1, 1.0, kind=Pointwise()))
    assert json.loads(to_json([failed]))[0]["e_refute"] == "inf"  # JSON has no infinities
    assert "curve" not in json.loads(to_json([failed], curves=False))[0]["instances"][0]


# Input


def test_unknown_names_and_numbers_are_refused() -> None:
    c = claim(0.1, 0.0)
    for match, options in (
        ("unknown profile 'fast'; known: quick", {"profile": "fast"}),
        ("alpha_support=0.0 must lie strictly between 0 and 1", {"alpha_support": 0.0}),
        ("alpha_refute=1.5 must lie strictly between 0 and 1", {"alpha_refute": 1.5}),
        ("unknown learner 'unifrom'; nearest: uniform", {"learner": "unifrom"}),
        ("has no parameter 'scale'", {"params": {"scale": 1.0}}),
        ("budget=0 must be an integer >= 1", {"budget": 0}),
        ("budget=-3 must be an integer >= 1", {"budget": -3}),
        ("coins.rate has no instances in the profile", {"models": []}),
    ):
        with pytest.raises(InputError, match=match):
            of(c, **options)
    with pytest.raises(InputError, match=r"unknown claim 'auer2002.thm'; nearest: auer2002.thm1"):
        check("auer2002.thm")
    with pytest.raises(InputError, match=r"'auer2002' names \d+ claims; give one id"):
        check("auer2002")
    with pytest.raises(InputError, match="source_tag 'guessed' is none of"):
        claim(0.1, 0.0, source_tag="guessed")


def test_profiles_that_list_no_instances() -> None:
    late = claim(0.1, id="coins.late", instances={"standard": (coin(0.0),)})
    assert late.on("quick") == () and late.on("full") == late.on("standard") == (coin(0.0),)
    with pytest.raises(InputError, match=r"coins\.late has no instances in the profile 'quick'; give models="):
        of(late)
    assert of(late, models=[coin(0.0)]).verdict == of(late, profile="full", budget=64).verdict == "SUPPORTED"
    both = check_many([late, claim(0.1, 0.0)], target="python", run_controls=False)
    assert [e.id for e in both] == ["coins.rate"]  # in a list it waits for a larger profile
    with pytest.raises(InputError, match="no instances in the profile 'quick'"):
        check_many([late, replace(late, id="coins.later")], target="python")


def test_models_and_learners_in_place_of_the_claims_own() -> None:
    evidence = check("auer2002.counts", models=[Instance("bernoulli", 30, {"means": (0.2, 0.3, 0.4)})], target="python")
    assert evidence.verdict == "NO VIOLATION FOUND" and evidence.instances[0].model == "bernoulli(0.2,0.3,0.4)"
    assert evidence.instances[0].length == 30
    uniform = check(
        "auer2002.thm1", learner="uniform", models=[Instance("bernoulli", 1000, GAPS)], target="python", budget=64
    )
    assert uniform.verdict == "REFUTED" and uniform.instances[0].learner == "uniform"
