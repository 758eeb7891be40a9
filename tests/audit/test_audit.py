"""The audit: each check holds on a faithful agent and fails on one with a wrong line; runs are the package's."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bandits
import mdps
from tests.audit import agents
from theorylab import run
from theorylab.audit import AuditEnv, Report, audit, of_class, of_learner, of_remote
from theorylab.audit.judging import play, setup_of
from theorylab.audit.regret import references
from theorylab.errors import InputError
from theorylab.plan import evaluate

EPISODIC = mdps.models.riverswim(states=3, horizon=3, rewards="bernoulli")
AVERAGE = mdps.models.riverswim(states=3, rewards="bernoulli")
GARNET = mdps.models.garnet(S=3, A=2, b=2, seed=0, rewards="bernoulli")
BANDIT = bandits.models.bernoulli(means=(0.9, 0.6))


def of(agent: Any, model: Any = EPISODIC, length: int = 40, replicates: int = 2, **options: Any) -> Report:
    maker = agent if not isinstance(agent, type) else of_class(agent)
    return audit(maker, model, length=length, replicates=replicates, **options)


@pytest.mark.parametrize(
    ("learner", "model", "unit"),
    [
        ("ucb-h", EPISODIC, "episodes"),
        ("ucbvi-ch", EPISODIC, "episodes"),
        ("q-learning", EPISODIC, "episodes"),
        ("psrl", AVERAGE, "steps"),
        ("ucrl2", AVERAGE, "steps"),
        ("ucb1", BANDIT, "rounds"),
        ("thompson", BANDIT, "rounds"),
    ],
)
def test_the_trajectory_is_that_of_run_bit_for_bit(learner: str, model: Any, unit: str) -> None:
    maker = of_learner(learner, model.setting)
    world, _, _ = play(maker, setup_of(maker, model, 60, 7, 3))
    curves = run(maker.learner, model, seed=7, first=3, target="python", **{unit: 60})
    assert world.gap == curves["gap_regret"][0, -1]
    final = play_final(maker, model)
    for name, field in final.items():
        assert np.array_equal(field, curves.final[name][0]), name


def play_final(maker: Any, model: Any) -> dict[str, np.ndarray]:
    """The agent's state after the same run."""
    kept = []
    build = maker.build

    class Keeping(type(maker)):  # type: ignore[misc]
        def build(self, setup: Any) -> Any:
            kept.append(build(setup))
            return kept[-1]

    copy = Keeping(maker.learner, maker.params, maker.name)
    play(copy, setup_of(copy, model, 60, 7, 3))
    return dict(kept[-1].st._asdict())


def test_a_foreign_port_plays_the_same_and_agrees_with_the_learner() -> None:
    mine, theirs = of_class(agents.UCBH), of_learner("ucb-h")
    a, _, _ = play(mine, setup_of(mine, EPISODIC, 40, 0, 0))
    b, _, _ = play(theirs, setup_of(theirs, EPISODIC, 40, 0, 0))
    assert a.path == b.path and np.array_equal(a.sums, b.sums)
    report = of(agents.UCBH, like="ucb-h")
    assert report["like"].verdict == "NO VIOLATION FOUND" and report.exit_code == 0
    wrong = audit(of_class(agents.UCBH, c=1.0), EPISODIC, length=40, replicates=2, like="ucb-h")
    assert wrong.failed == ["like"] and wrong["like"].first is not None and wrong["like"].first.t == 1


FAULTS = [
    (agents.SmallBonus, {"optimism-V", "optimism-Q"}),
    (agents.LostLoops, {"counts"}),
    (agents.NoClip, {"cap"}),
    (agents.Shrinking, {"counts", "counts-rise"}),
    (agents.NotFinite, {"finite"}),
    (agents.Worst, {"greedy"}),
    (agents.Wild, {"range"}),
    (agents.Fraction, {"range"}),
    (agents.Global, {"reproducible"}),
    (agents.Fixed, {"seed-matters"}),
]


@pytest.mark.parametrize(("agent", "expected"), FAULTS, ids=[a.__name__ for a, _ in FAULTS])
def test_each_wrong_line_fails_the_check_that_is_about_it(agent: type, expected: set[str]) -> None:
    report = of(agent, replicates=8, delta=0.05)
    assert expected <= set(report.failed), report.failed
    assert report.exit_code == 1
    for name in expected:
        first = report[name].first
        assert first is not None and first.text


def test_a_faithful_agent_passes_all() -> None:
    report = of(agents.UCBH, replicates=8)
    assert report.failed == [] and report.delta == 0.1
    assert report["cap"].note == "keeps the cap H" and report["value-of-Q"].verdict == "NO VIOLATION FOUND"
    assert report["counts"].n == 8 and report["empirical-p"].note == "the agent exposes no p_hat"


def test_a_stale_value_is_not_the_maximum_of_Q() -> None:
    report = audit(of_class(agents.Stale, c=0.01), EPISODIC, length=40, replicates=2)
    assert "value-of-Q" in report.failed


MODELS = [
    ("", set()), ("n + 1", {"empirical-p"}), ("other state", {"transitions", "empirical-p"}),
    ("rewards", {"reward-sums", "empirical-r"}), ("radius", {"coverage-p"}), ("radius_r", {"coverage-r"}),
]  # fmt: skip


@pytest.mark.parametrize(("wrong", "expected"), MODELS, ids=[w or "faithful" for w, _ in MODELS])
def test_estimates_and_radii(wrong: str, expected: set[str]) -> None:
    report = audit(of_class(agents.Model, wrong=wrong), GARNET, length=250, replicates=8)
    assert expected <= set(report.failed), (report.failed, report.results)
    assert wrong or report.failed == []


def test_the_first_failure_names_step_state_and_both_sides() -> None:
    first = of(agents.LostLoops)["counts"].first
    assert first is not None and first.episode == first.t // 3 and first.stage == first.t % 3
    assert "counts[" in first.text and first.lhs == first.rhs - 1.0


def test_a_radius_that_covers_everything_is_vacuous() -> None:
    report = audit(of_class(agents.Model), AVERAGE, length=20, replicates=8)
    assert report["coverage-p"].verdict == "VACUOUS"
    burn = audit(of_learner("ucbvi-ch"), EPISODIC, length=10, replicates=8)
    assert burn["optimism-V"].verdict == "VACUOUS"


def test_without_delta_rates_are_not_decided_and_with_zero_violations_they_are_supported() -> None:
    report = audit(of_class(agents.Model, level=0.3), GARNET, length=200, replicates=24)
    assert report["coverage-r"].verdict == "SUPPORTED"
    silent = audit(of_class(agents.Model, wrong="radius_r", say=False), GARNET, length=200, replicates=2)
    assert silent["coverage-r"].note.startswith("no delta") and silent["coverage-r"].violations == 2


def test_regret_of_a_stuck_agent_is_linear_and_worse_than_uniform_play() -> None:
    stuck = audit(of_class(agents.Index, stuck=True), BANDIT, length=200, replicates=64)
    assert {"regret"} <= set(stuck.failed) and stuck["linear-regret"].verdict == "VACUOUS"
    good = audit(of_class(agents.Index), BANDIT, length=400, replicates=64, delta=0.5)
    assert good.failed == [] and good["regret"].verdict == "SUPPORTED"
    assert good["linear-regret"].verdict == "CONSISTENT"
    both = bandits.models.bernoulli(means=(0.9, 0.8, 0.7))
    linear = audit(of_class(agents.Index, stuck=True), both, length=400, replicates=8, burn_in=100)
    assert linear.failed == ["linear-regret"]
    assert audit(of_class(agents.Index, stuck=True), both, length=400, replicates=8, burn_in=101).failed == []


def test_references_of_regret_are_exact() -> None:
    uniform, worst = references(EPISODIC, 10)
    even = evaluate(EPISODIC, np.full((3, 3, 2), 0.5))
    from theorylab import plan

    star = float(EPISODIC.mu0 @ plan(EPISODIC).V[0])
    assert uniform == pytest.approx(10 * (star - float(EPISODIC.mu0 @ even.V[0])))
    assert worst >= uniform
    assert references(BANDIT, 10) == pytest.approx((1.5, 3.0))


def test_regret_of_the_policies_of_a_learner_is_that_of_run() -> None:
    report = audit(of_learner("ucbvi-ch", scale=0.02), EPISODIC, length=60, replicates=2)
    curves = run("ucbvi-ch", EPISODIC, replicates=2, episodes=60, target="python", params={"scale": 0.02})
    assert report.numbers["policy_regret"] == pytest.approx(curves["regret"][:, -1].mean(), rel=1e-12)
    assert report.numbers["regret"] == pytest.approx(curves["gap_regret"][:, -1].mean(), rel=1e-12)


def test_agents_that_drive_the_loop() -> None:
    report = of(agents.Driver, length=20)
    assert report.failed == [] and report["counts"].verdict == "NO VIOLATION FOUND"
    assert of(of_class(agents.Driver, endless=True), length=20).replicates == 2
    with pytest.raises(InputError, match="train returned after 57 of 60 steps"):
        of(of_class(agents.Driver, short=1), length=20)


def test_handed_arrays_and_errors() -> None:
    assert of(agents.Told)["no-mutation"].verdict == "NO VIOLATION FOUND"
    assert "no-mutation" in of(of_class(agents.Told, write=True)).failed
    for agent, text in (
        (agents.Mute, "no act"),
        (agents.Raises, "ZeroDivisionError: a division in observe .*agents.py, line"),
        (agents.Shapes, r"Q has shape \(3, 3\); expected"),
        ("tests.audit.agents:Nobody", "no 'Nobody'"),
        ("nowhere.at:All", "no module"),
        ("nowhere", "PACKAGE.MODULE:Agent"),
    ):
        with pytest.raises(InputError, match=text):
            audit(agent, EPISODIC, length=5, replicates=1)
    for bad in (dict(length=0), dict(length=5, replicates=0), dict(length=5, delta=1.5)):
        with pytest.raises(InputError):
            audit(agents.UCBH, EPISODIC, **bad)  # type: ignore[arg-type]


def test_the_environment_hides_the_model() -> None:
    env = AuditEnv(3, 2, 3, lambda: 0, lambda a: (1, 0.5, True))
    assert env.reset(seed=4) == (0, {}) and env.step(1) == (1, 0.5, False, True, {})
    assert {k for k in vars(env) if not k.startswith("_")} == {"observation_space", "action_space", "horizon"}
    with pytest.raises(InputError, match="reset at stage 1 of 3"):
        play(of_class(Cutter), setup_of(of_class(Cutter), EPISODIC, 4, 0, 0))


class Cutter:
    def __init__(self, *arguments: Any) -> None: ...

    def train(self, env: Any, length: int) -> None:
        env.reset()
        env.step(0)
        env.reset()


def test_another_interpreter_gives_the_same_report() -> None:
    here = audit("tests.audit.agents:LostLoops", EPISODIC, length=15, replicates=2)
    there = audit(of_remote("tests.audit.agents:LostLoops", sys.executable), EPISODIC, length=15, replicates=2)
    assert here.to_dict() == {**there.to_dict(), "replay": here.replay}
    assert there.failed == ["counts"]
    driven = audit(
        of_remote("tests.audit.agents:Driver", sys.executable, endless=True), EPISODIC, length=10, replicates=1
    )
    assert driven.failed == []
    with pytest.raises(InputError, match="ZeroDivisionError: a division in observe"):
        audit(of_remote("tests.audit.agents:Raises", sys.executable), EPISODIC, length=5, replicates=1)
    with pytest.raises(InputError, match="No such file"):
        of_remote("tests.audit.agents:Raises", "/nowhere/python")


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    from theorylab.audit_command import execute

    options: dict[str, Any] = dict(length=20, delta=None, replicates=2, burn_in=None, like="ucb-h", python=None, seed=1)
    params = dict(model=dict(states=3, horizon=3), agent={}, like={})
    text, code = execute("tests.audit.agents:NoClip", "riverswim", params, as_json=False, **options)
    assert code == 1 and "cap FAILS: replicate 0, step" in text and "replay: theorylab audit tests.audit" in text
    text, code = execute("ucb-h", "riverswim", params, as_json=True, **options)
    found = json.loads(text)
    assert code == 0 and found["failed"] == [] and found["replay"].endswith("--like ucb-h")
    with pytest.raises(InputError, match="--like-param belongs to --like"):
        execute("ucb-h", "riverswim", {**params, "like": {"c": 1}}, as_json=True, **{**options, "like": None})


def test_the_child_needs_only_numpy() -> None:
    import subprocess

    heavy = "{'scipy', 'numba', 'typer'}"
    code = f"import sys, theorylab.audit.child, theorylab.audit.space; print(sorted({heavy} & set(sys.modules)))"
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
