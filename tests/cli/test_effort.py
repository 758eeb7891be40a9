"""`theorylab check ... --plan`: what it says agrees with what a check then does, and it runs nothing."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.claims.coins import claim, coin
from theorylab import simulation
from theorylab.check import check_many
from theorylab.claim import Claim, Dominates, Expectation, Growth, HighProbability, Instance, Pointwise
from theorylab.effort import FACTORS, effort_table, plan_check, steps_of
from theorylab.errors import InputError
from theorylab.registry import find_claim
from theorylab.stats import n_support, zero_violation_stop
from theorylab.track import PROFILES


@pytest.fixture
def idle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing may be simulated or compiled."""

    def refuse(*args: Any, **more: Any) -> None:
        raise AssertionError("a plan without a pilot runs nothing")

    monkeypatch.setattr(simulation.Simulation, "__init__", refuse)


def regret(**more: Any) -> Claim:
    """A claim on the mean regret of uniform play on two arms, gap 0.5."""
    given: dict[str, Any] = dict(
        id="plays.regret",
        text="Mean regret is at most 0.4 n.",
        source_tag="derived",
        learner="uniform",
        kind=Expectation(),
        quantity="regret",
        instances={"quick": (Instance("bernoulli", 200, {"means": (0.9, 0.4)}),)},
        bound=lambda c, n: 0.4 * n,
        trivial=lambda c, n: 0.5 * n,
    )
    return Claim(**{**given, **more})


# rates: the numbers are those of the check


def test_a_rate_is_planned_as_it_will_be_checked(idle: None) -> None:
    (e,) = plan_check([claim(0.1, 0.0)])
    assert (e.test, e.level, e.kind, e.unit, e.steps) == ("rate", 0.1, "HighProbability", "rounds", 1)
    assert e.conclusions == ("SUPPORTED", "REFUTED", "INCONCLUSIVE")
    assert e.zero == zero_violation_stop(0.1, 0.01) == 53 >= n_support(0.1, 0.01)
    assert (e.threshold_support, e.threshold_refute, e.budget) == (100.0, 1000.0, PROFILES["quick"][0])
    assert (e.replicates, e.most) == (53, 8192)
    assert [r.rate for r in e.rates] == pytest.approx([f * 0.1 for f in FACTORS])
    assert e.rates[0].supported > 0.99 and e.rates[2].refuted > 0.99
    assert (e.constant, e.invariant, e.vacuous, e.seconds) == (None, None, False, None)


def test_a_check_takes_the_replicates_that_were_planned() -> None:
    """A coin that never pays stops at `zero`; coins at twice the rate stop where the plan says, over 40 seeds."""
    of = claim(0.1, 0.0)
    (e,) = plan_check([of])
    (done,) = check_many([of], target="python", run_controls=False)
    assert done.verdict == "SUPPORTED" and done.n == e.zero
    assert done.instances[0].replicates == e.replicates
    twice = claim(0.1, 0.2)
    planned = plan_check([twice])[0].rates[2]
    seen = [check_many([twice], target="python", run_controls=False, seed=k)[0] for k in range(40)]
    assert all(s.verdict == "REFUTED" for s in seen)
    n = np.array([s.n for s in seen])
    assert abs(n.mean() - planned.mean) <= 4 * n.std() / np.sqrt(40)
    assert np.mean(n <= planned.ninety) >= 0.75


def test_a_study_and_several_instances_raise_the_threshold(idle: None) -> None:
    of = claim(0.1, 0.0, 0.05)
    assert {e.threshold_refute for e in plan_check([of])} == {2000.0}
    many = [replace(of, id=f"coins.rate{k}") for k in range(60)]
    found = plan_check(many)
    assert len(found) == 120 and [e.id for e in found[:3]] == ["coins.rate0", "coins.rate0", "coins.rate1"]
    assert {e.threshold_refute for e in found} == {2400.0}  # 20 m above 1000, times two instances
    assert {e.threshold_refute for e in plan_check([of], alpha_refute=1e-6)} == {2e6}
    assert plan_check([of], alpha_support=0.05)[0].zero == 36


def test_what_the_budget_does_not_allow_is_not_promised(idle: None) -> None:
    (e,) = plan_check([claim(0.001, 0.0)], budget=1000)
    assert e.conclusions == ("REFUTED", "INCONCLUSIVE") and e.zero == 5585 and e.replicates == e.most == 1000
    assert e.rates[0].inconclusive > 0.9
    text = effort_table([e], terminal=False)
    assert ">1000" in text and "1 of 1 tested rates cannot be supported within the budget." in text
    (tiny,) = plan_check([claim(1e-200, 0.0)])
    assert tiny.zero is None and "SUPPORTED" not in tiny.conclusions and "REFUTED" in tiny.conclusions
    (short,) = plan_check([claim(0.5, 0.0)], budget=2)
    assert short.conclusions == ("INCONCLUSIVE",)
    (near,) = plan_check([claim(0.9, 0.0)])
    assert near.rates[2].rate == pytest.approx(0.95)  # twice the level is no rate


# other kinds


def test_means_constants_and_vacuous_bounds(idle: None) -> None:
    (mean,) = plan_check([regret()])
    assert mean.test == "mean" and mean.level == pytest.approx(0.8) and mean.constant == 16 * PROFILES["quick"][2]
    assert mean.replicates == mean.constant and mean.steps == 200
    (vacuous,) = plan_check([regret(bound=lambda c, n: 0.0 * n + 1e6)])
    assert vacuous.test == "vacuous" and vacuous.vacuous and vacuous.nonvacuous_from == 2_000_001
    assert vacuous.conclusions == ("VACUOUS",) and vacuous.rates == () and vacuous.zero is None
    text = effort_table([vacuous], terminal=False)
    assert "vacuous" in text and "below 2e6" in text and "1 of 1 cannot be supported" in " ".join(text.split())
    rate = regret(kind=HighProbability(0.1), bound=lambda c, n: 0.0 * n + 1e6)
    (violated,) = plan_check([rate])
    assert violated.conclusions == ("VACUOUS", "REFUTED") and violated.threshold_refute == 1000.0
    (open_,) = plan_check(
        [regret(kind=HighProbability(0.1), bound=None, shape=lambda c, n: n, constants="unspecified")]
    )
    assert open_.test == "constant" and open_.conclusions == ("CONSTANT MEASURED", "VACUOUS")
    assert open_.replicates == open_.constant == 64
    (certain,) = plan_check([claim(1.0, 0.5)])
    assert certain.test == "vacuous" and certain.conclusions == ("VACUOUS",)


def test_invariants_lemmas_and_comparisons(idle: None) -> None:
    (invariant,) = plan_check([claim(0.1, 0.0, kind=Pointwise())], profile="standard")
    assert (invariant.test, invariant.invariant, invariant.replicates) == ("invariant", 256, 256)
    assert invariant.conclusions == ("NO VIOLATION FOUND", "REFUTED") and invariant.level is None
    (lemma,) = plan_check(find_claim("jin2018.weights"))
    assert lemma.test == "lemma" and lemma.model == "all models" and lemma.steps == 0
    sizes = {"quick": tuple(Instance("bernoulli", 2**k, {"means": (0.9, 0.4)}) for k in range(4, 8))}
    growth = regret(kind=Growth("T"), bound=None, shape=lambda c, n: n, instances=sizes)
    points = plan_check([growth])
    assert [e.steps for e in points] == [16, 32, 64, 128] and {e.test for e in points} == {"sweep"}
    assert all("CONSISTENT" in e.conclusions and "uniform play" in e.note for e in points)
    (pair,) = plan_check([regret(kind=Dominates("ucb1"), bound=None)])
    assert pair.test == "difference" and pair.steps == 400 and "ucb1" in pair.note and pair.most >= 8192


def test_what_does_not_apply_costs_nothing(idle: None) -> None:
    (e,) = plan_check(find_claim("auer2002.counts"), models=[Instance("gaussian", 30)])
    assert e.test == "not applicable" and e.conclusions == ("NOT_APPLICABLE",) and e.replicates == 0 and e.note
    assert "not" in effort_table([e], terminal=False)


def test_claims_on_one_run_share_its_cost(idle: None) -> None:
    of = claim(0.1, 0.0)
    one, both = plan_check([of]), plan_check([of, replace(of, id="coins.again")])
    assert steps_of(both) == steps_of(one) == 53 and steps_of(both, most=True) == 8192
    other = plan_check([of, replace(of, id="coins.other", instances={"quick": (coin(0.3),)})])
    assert steps_of(other) == 106
    sweep = plan_check([regret(kind=Dominates("ucb1"), bound=None)])
    assert steps_of(sweep + sweep) == steps_of(sweep) == 128 * 400


def test_a_pilot_times_the_run() -> None:
    first = plan_check([claim(0.1, 0.0), claim(0.2, 0.0, id="coins.b")], pilot=True, target="python")
    assert all(e.speed and e.speed > 0 and e.pilot == 1 and e.seconds and e.seconds > 0 for e in first)
    text = effort_table(first, terminal=False)
    assert "pilot: about" in text and "not measured" not in text


# the command


def test_the_command_prints_a_table(call: Any, idle: None) -> None:
    done = call("check", "auer2002", "--plan")
    assert done.code == 0 and done.err == ""
    assert max(map(len, done.out.splitlines())) <= 100
    words = " ".join(done.out.split())
    assert "rate 0.00137" in words and "mean 0.347" in words and "invariant 64" in words
    assert "not measured; --pilot" in words and "controls not counted" in words
    # one line for claims whose plan is the same
    assert "auer2002.index, " in words


def test_the_command_prints_json(call: Any, idle: None) -> None:
    rows = json.loads(call("check", "auer2002", "--plan", "--json", "--profile", "standard").out)
    planned = plan_check(find_claim("auer2002"), profile="standard")
    assert [(r["id"], r["zero"], r["replicates"]) for r in rows] == [(e.id, e.zero, e.replicates) for e in planned]
    assert {r["budget"] for r in rows} == {32768} and len(rows[0]["rates"]) == len(FACTORS)


def test_options_of_a_check_are_those_of_its_plan(call: Any, idle: None) -> None:
    given = ["check", "auer2002.optimism", "--model", "bernoulli", "--param", "means=[0.9, 0.5]", "--length", "50"]
    (row,) = json.loads(call(*given, "--plan", "--json", "--alpha-support", "0.05", "--budget", "500").out)
    assert row["model"] == "bernoulli(0.9,0.5)" and row["steps"] == 50 and row["budget"] == 500
    assert row["threshold_support"] == pytest.approx(20.0)
    (fresh,) = json.loads(call(*given, "--plan", "--json", "--fresh").out)
    assert fresh["threshold_refute"] == pytest.approx(1e6)
    (other,) = json.loads(call(*given, "--plan", "--json", "--learner", "uniform").out)
    assert other["test"] == "not applicable"


def test_a_terminal_gets_a_rich_table() -> None:
    from rich.console import Console

    efforts = plan_check([claim(0.1, 0.0), regret(bound=lambda c, n: 0.0 * n + 1e6)])
    console = Console(width=100, record=True, file=io.StringIO())
    console.print(effort_table(efforts, terminal=True))
    assert "rate 0.1" in console.export_text()


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["check", "auer2002.thm", "--plan"], ["unknown claim 'auer2002.thm'"]),
        (["check", "auer2002", "--plan", "--profile", "quik"], ["unknown profile 'quik'"]),
        (["check", "auer2002", "--plan", "--alpha-refute", "2"], ["alpha_refute=2.0"]),
        (["check", "auer2002", "--plan", "--budget", "0"], ["budget=0 must be an integer >= 1"]),
        (["check", "auer2002", "--plan", "--target", "gpu"], ["unknown target 'gpu'"]),
        (["check", "auer2002", "--plan", "--seed=-1"], ["seed -1"]),
        (["check", "auer2002", "--plan", "--learner-param", "scal=1"], ["has no parameter 'scal'"]),
        (["check", "auer2002", "--plan", "--report", "somewhere"], ["--plan gives no evidence"]),
        (["check", "auer2002", "--pilot"], ["--pilot belongs to --plan"]),
        (["check", "auer2002.counts", "--model", "riverswim", "--plan"], ["setting bandit", "average"]),
    ],
)
def test_the_command_refuses(call: Any, args: list[str], words: list[str]) -> None:
    done = call(*args)
    assert done.code == 2 and done.out == "" and done.err.count("\n") == 1
    assert all(w in done.err for w in words), done.err


def test_nothing_to_plan() -> None:
    with pytest.raises(InputError, match="no claims"):
        plan_check([])
    with pytest.raises(InputError, match="no instances"):
        plan_check([claim(0.1)])
