"""One replicate again: it stops where the compiled run first failed, and says both sides of that inequality."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from theorylab.check import check_many
from theorylab.claim import Claim, Instance
from theorylab.errors import InputError
from theorylab.evidence import to_json
from theorylab.kernel import kernel
from theorylab.measure import Group
from theorylab.registry import find_claim, find_learner
from theorylab.replay import replay
from theorylab.replay_command import as_text, execute
from theorylab.sides import sides_of
from theorylab.truth import truth_of


def claim(name: str) -> Claim:
    (found,) = find_claim(name)
    assert isinstance(found, Claim)
    return found


ARMS = Instance("bernoulli", 200, {"means": (0.9, 0.6)})
SWIM = Instance("riverswim", 40, {"states": 4, "horizon": 5, "rewards": "bernoulli"}, {"c": 0.0})


def of_probe(one: Claim, instance: Instance, learner: object, replicate: int) -> tuple[int, int, float]:
    """First failure, number of failures and largest value of the compiled run."""
    faithful = find_learner(one.learner, one.setting)
    group = Group([one], learner or faithful, instance, instance.build(), dict(instance.learner), faithful)  # type: ignore[arg-type]
    seen = group.simulation(replicate, 1, seed=7, target="cpu").advance().curves().probes[group.slots[one.id][0]]
    return int(seen.first[0]), int(seen.count[0]), float(seen.max[0])


def test_a_fault_stops_where_the_compiled_run_first_failed() -> None:
    one = claim("auer2002.optimism")
    fault = next(c for c in one.controls if c.name == "bonus zero").learner
    for replicate in range(4):
        first, count, largest = of_probe(one, ARMS, fault, replicate)
        found = replay(one, ARMS, learner=fault, replicate=replicate, seed=7)
        assert count > 0 and found.violated and (found.t, found.failures, found.largest) == (first, count, largest)
        assert found.sides is not None and (found.sides.left, found.sides.right) == ("tr.best_mean", "st.ucb[a]")
        assert found.sides.lhs == 0.9 and found.sides.lhs - found.sides.rhs == found.value > found.tol
        last = found.steps[-1]
        assert last.t == first and len(found.steps) == 5 and found.state[f"N[{int(last.moved['a'])}]"] == last.visits


def test_what_holds_stops_where_it_is_closest() -> None:
    for name, instance in (("auer2002.optimism", ARMS), ("jin2018.clipping", replace(SWIM, learner={}))):
        one = claim(name)
        found = replay(one, instance, seed=7, back=3)
        _, count, largest = of_probe(one, instance, None, 0)
        assert count == 0 and not found.violated and found.value == found.largest == largest <= found.tol
        assert len(found.steps) == min(3, found.t + 1)
    assert "closest after step" in as_text(found)


def test_an_episode_is_entered_at_its_first_stage() -> None:
    """Without a bonus the estimates fall below Q_star; the failure lies inside an episode."""
    one = claim("jin2018.optimism")
    first, count, _ = of_probe(one, SWIM, None, 2)
    found = replay(one, SWIM, replicate=2, seed=7)
    assert count > 0 and found.t == first == found.steps[-1].t and found.steps[-1].moved["h"] == first % 5
    h, s = int(found.steps[-1].moved["h"]), int(found.steps[-1].moved["s"])
    assert found.sides is not None and found.sides.left.startswith("tr.Q_star")
    assert found.sides.lhs in truth_of(SWIM.build()).tables["Q_star"][h, s]


def test_regret_is_compared_with_its_bound() -> None:
    one = claim("auer2002.thm1")
    uniform = find_learner("uniform", "bandit")
    found = replay(one, replace(ARMS, length=2000), learner=uniform, seed=7)
    assert found.violated and found.sides is not None and found.sides.left == "tr.regret"
    assert found.sides.lhs == found.steps[-1].regret
    text = as_text(found)
    assert f"FAILS after round {found.t}:" in text and "bound_auer2002_thm1[t + 1]" in text
    assert max(map(len, text.splitlines())) <= 100


@kernel
def inner(x, y):
    return 3.0 * x - y


@kernel
def largest(x, y):
    worst = -1.0
    for i in range(3):
        worst = max(worst, x * i - y)
        if inner(x, y) > worst:
            worst = inner(x, y)
    return worst


@kernel
def apart(x, y):
    return abs(x - 2.0 * y)


@kernel
def quotient(x, y):
    return x / y


def test_sides_are_found_in_loops_and_in_callees_and_never_made_up() -> None:
    function = largest.build("python")
    found = sides_of(largest, function, (2.0, 1.0), function(2.0, 1.0))
    assert found is not None and (found.kernel, found.left, found.right) == ("inner", "3.0 * x", "y")
    assert (found.lhs, found.rhs) == (6.0, 1.0)
    found = sides_of(largest, function, (-0.1, 0.3), function(-0.1, 0.3))
    assert found is not None and (found.left, found.indices, found.lhs) == ("x * i", {"i": 0}, 0.0)
    found = sides_of(apart, apart.build("python"), (1.0, 2.0), 3.0)
    assert found is not None and (found.left, found.right, found.lhs, found.rhs) == ("x", "2.0 * y", 1.0, 4.0)
    assert sides_of(quotient, quotient.build("python"), (1.0, 2.0), 0.5) is None


def test_evidence_names_the_replicate_and_its_seed(tmp_path: Path) -> None:
    one = claim("auer2002.thm1")
    uniform = find_learner("uniform", "bandit")
    evidence = check_many([one], learner=uniform, seed=3, budget=64, run_controls=False)[0]
    assert evidence.verdict == "REFUTED"
    (tmp_path / "evidence.json").write_text(to_json([evidence]))
    found = json.loads(execute(str(tmp_path), None, as_json=True))
    assert (found["seed"], found["learner"], found["violated"]) == (3, "uniform", True)
    assert found["replicate"] == evidence.instances[0].replicate and found["t"] == evidence.instances[0].first
    assert "FAILS" in execute(str(tmp_path / "evidence.json"), "auer2002.thm1", replicate=1)


def test_what_cannot_be_replayed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has no inequality along one run"):
        replay(claim("lattimore2020.growth"))
    with pytest.raises(InputError, match="back=0 must be an integer >= 1"):
        replay(claim("auer2002.optimism"), back=0)
    with pytest.raises(InputError, match="has the instances 0 to"):
        execute("auer2002.optimism", None, number=99)
    with pytest.raises(InputError, match="is no single claim"):
        execute("auer2002", None)
    with pytest.raises(InputError, match="--param and --length belong to --model"):
        execute("auer2002.optimism", None, length=7)
    with pytest.raises(InputError, match="learner 'uniform' keeps no ucb"):
        replay(claim("auer2002.optimism"), learner=find_learner("uniform", "bandit"))
    evidence = check_many([claim("auer2002.counts")], budget=64, run_controls=False)[0]
    (tmp_path / "evidence.json").write_text(to_json([evidence]))
    with pytest.raises(InputError, match="no claim in the evidence is refuted"):
        execute(str(tmp_path), None)
    with pytest.raises(InputError, match="no claim 'x' is in the evidence"):
        execute(str(tmp_path), "x")
    moved = replace(evidence, instances=(replace(evidence.instances[0], digest="0" * 64),))
    (tmp_path / "evidence.json").write_text(to_json([moved]))
    with pytest.raises(InputError, match="has no instance"):
        execute(str(tmp_path), "auer2002.counts")


def test_a_claim_is_replayed_on_a_model_of_ones_own() -> None:
    given = {"means": (0.5, 0.2)}
    found = json.loads(execute("auer2002.optimism", None, model="bernoulli", given=given, length=30, as_json=True))
    assert (found["model"], found["length"]) == ("bernoulli(0.5,0.2)", 30) and not found["violated"]


def test_the_page_shows_what_is_printed() -> None:
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "replay.md").read_text("utf-8")
    shown = page.partition("```text\n")[2].partition("```")[0]
    assert execute("auer2002.optimism", None, params={"scale": 0}, back=3) == shown
