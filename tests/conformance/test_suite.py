"""The conformance suite finds what it is there for: each check fails on a learner that breaks its rule."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from theorylab.compiler import u64
from theorylab.conformance import Outcome, conformance, default_models, main
from theorylab.errors import InputError
from theorylab.kernel import LEARNER, draw, kernel
from theorylab.learner import Learner, f8, i8

LARGEST = np.uint64(2**64 - 1)


@kernel
def begin(st: Any, p: Any) -> Any:
    st.n[0] = 0


@kernel
def begin_float(st: Any, p: Any) -> Any:
    st.x[0] = 1.0


@kernel
def act_overflow(st: Any, p: Any, t: Any, rng: Any) -> Any:
    return 1 if u64(t) + LARGEST > LARGEST else 0  # wraps in machine words, not in Python's integers


@kernel
def act_first(st: Any, p: Any, t: Any, rng: Any) -> Any:
    return 0


@kernel
def act_beyond(st: Any, p: Any, t: Any, rng: Any) -> Any:
    return p.A if t == 2 else 0


@kernel
def learn_bandit(st: Any, p: Any, t: Any, a: Any, r: Any) -> Any:
    st.n[0] += 1


@kernel
def learn_growing(st: Any, p: Any, t: Any, a: Any, r: Any) -> Any:
    st.x[0] = st.x[0] * 1e200  # beyond the largest double at the second step


@kernel
def act_counting(st: Any, p: Any, k: Any, h: Any, s: Any, rng: Any) -> Any:
    st.n[0] += 1
    return 0


@kernel
def act_flapping(st: Any, p: Any, k: Any, h: Any, s: Any, rng: Any) -> Any:
    n = st.n[0]
    st.n[0] = 1 - n
    return min(1, n)


@kernel
def act_episodic(st: Any, p: Any, k: Any, h: Any, s: Any, rng: Any) -> Any:
    u, _ = draw(rng, k, h * p.S + s, LEARNER)
    return int(u * p.A)


@kernel
def learn_episodic(st: Any, p: Any, k: Any, h: Any, s: Any, a: Any, r: Any, s2: Any) -> Any:
    st.n[0] = 0


@kernel
def learn_outside(st: Any, p: Any, k: Any, h: Any, s: Any, a: Any, r: Any, s2: Any) -> Any:
    st.n[h + s] += 1


def failed(outcomes: list[Outcome]) -> dict[str, str]:
    """The checks that failed, the model's name left out, with what they found."""
    return {o.name.rpartition(": ")[2]: o.detail for o in outcomes if not o.ok}


def bandit(act: Any, learn: Any = learn_bandit) -> Learner:
    state: dict[str, Any] = dict(n=i8[1]) if learn is learn_bandit else dict(x=f8[1])
    start = begin if learn is learn_bandit else begin_float
    return Learner(name="planted", setting="bandit", begin=start, act=act, learn=learn, state=state)


def episodic(act: Any, learn: Any = learn_episodic) -> Learner:
    return Learner(name="planted", setting="episodic", begin=begin, act=act, learn=learn, state=dict(n=i8[1]))


@pytest.fixture(autouse=True)
def python_for_cpu(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Most faults show without compiling: there the suite's runs on "cpu" are made on the python target."""
    if "compiled" in request.fixturenames:
        return
    from theorylab import conformance as suite

    original = suite._Checks.simulation
    monkeypatch.setattr(
        suite._Checks, "simulation", lambda self, **options: original(self, **{**options, "target": "python"})
    )


@pytest.fixture
def compiled() -> None:
    """Asks for real runs on the cpu target."""


def test_a_difference_between_targets_is_found(compiled: None) -> None:
    found = failed(conformance(bandit(act_overflow), default_models("bandit")[0], length=8))
    assert set(found) == {"python = cpu", "stop and resume"}  # the second resumes on other targets
    assert "observed.curve" in found["python = cpu"] and "state.n" not in found["python = cpu"]


def test_a_sound_learner_passes() -> None:
    assert failed(conformance(episodic(act_episodic), default_models("episodic")[1], length=6)) == {}


def test_an_act_that_writes_is_found() -> None:
    found = failed(conformance(episodic(act_counting), default_models("episodic")[1], length=6))
    assert found["act"] == "act writes state.n"


def test_an_act_that_changes_its_mind_is_found() -> None:
    found = failed(conformance(episodic(act_flapping), default_models("episodic")[1], length=6))
    assert "two answers at (k=1, h=0, s=0)" in found["act"]


def test_an_action_out_of_range_is_found() -> None:
    found = failed(conformance(bandit(act_beyond), default_models("bandit")[0], length=6))
    assert "the action is outside 0..2" in found["python = cpu"]


def test_an_index_out_of_range_is_found() -> None:
    found = failed(conformance(episodic(act_episodic, learn_outside), default_models("episodic")[1], length=6))
    assert found["python = cpu"].startswith("IndexError")


def test_a_state_that_is_not_finite_is_found() -> None:
    found = failed(conformance(bandit(act_first, learn_growing), default_models("bandit")[0], length=6))
    assert found["state finite"] == "not finite: x"


def test_a_run_without_chance_is_found() -> None:
    from theorylab.model import Bandit

    still = Bandit(means=[0.0, 0.0, 0.0])  # type: ignore[arg-type]
    found = failed(conformance(bandit(act_first), still, length=6))
    assert found["another seed"] == "two seeds give the same curves"
    assert found["more replicates"] == "all replicates have the same curves"


def test_parameters_that_are_let_through_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Learner, "parameters", lambda self, given, sizes, known: {**self.params, **sizes})
    found = failed(conformance(bandit(act_first), default_models("bandit")[0], length=6))
    assert found["refuses bad parameters"] == "no_such_parameter=1.0 was accepted"


def test_the_command_line_prints_digests(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["uniform", "--setting", "bandit", "--target", "python", "--length", "7"]) == 0
    (run,) = json.loads(capsys.readouterr().out)
    assert (run["learner"], run["setting"], run["target"]) == ("uniform", "bandit", "python")
    assert {"state.nothing", "observed.visits", "observed.pmax", "observed.steps"} <= set(run["arrays"])
    assert main(["uniform", "--setting", "bandit", "--target", "python", "--length", "8"]) == 0
    (longer,) = json.loads(capsys.readouterr().out)
    assert longer["arrays"]["observed.visits"] != run["arrays"]["observed.visits"]


def test_the_command_line_names_unknown_learners() -> None:
    with pytest.raises(InputError, match="unknown learner 'unifrom'; nearest: uniform"):
        main(["unifrom"])
