"""`run`: what its arguments mean, and what it says when they do not fit."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from theorylab.conformance import default_models
from theorylab.errors import InputError
from theorylab.kernel import kernel
from theorylab.model import Bandit, Discounted, ShortestPath
from theorylab.registry import find_learner
from theorylab.run import run

EPISODIC, AVERAGE, BANDIT = (default_models(s)[0] for s in ("episodic", "average", "bandit"))


def test_curves_say_what_was_run() -> None:
    curves = run("ucb-h", EPISODIC, replicates=3, episodes=6, seed=4, first=2, target="python", params=dict(c=1))
    assert (curves.learner, curves.model, curves.setting) == ("ucb-h", EPISODIC.name, "episodic")
    assert (curves.replicates, curves.seed, curves.first) == (3, 4, 2)
    assert curves.params == dict(c=1.0, delta=0.1) and isinstance(curves.params["c"], float)
    assert curves.checkpoints.tolist() == [1, 2, 3, 4, 5, 6]
    assert {q: curves[q].shape for q in curves.data} == dict.fromkeys(("regret", "gap_regret", "reward"), (3, 6))
    assert curves.final["Q"].shape == (3, 3, 4, 2) and curves.final["V"].shape == (3, 4, 4)
    assert set(curves.seconds) == {"setup", "compile", "loop"}


def test_a_learner_by_name_or_spec() -> None:
    by_name = run("ucb1", BANDIT, replicates=2, rounds=20, target="python")
    by_spec = run(find_learner("ucb1"), BANDIT, replicates=2, rounds=20, target="python")
    assert by_name["regret"].tobytes() == by_spec["regret"].tobytes()


def test_a_shared_name_means_the_learner_of_the_setting() -> None:
    for model, unit in ((BANDIT, "rounds"), (EPISODIC, "episodes"), (AVERAGE, "steps")):
        curves = run("uniform", model, target="python", **{unit: 2})  # type: ignore[arg-type]
        assert curves.setting == model.setting


def test_a_stateless_learner_has_no_final_state() -> None:
    assert run("uniform", BANDIT, rounds=2, target="python").final == {}


@pytest.mark.parametrize(
    ("model", "given", "text"),
    [
        (BANDIT, dict(episodes=5), "'bandit' takes rounds=...; got episodes"),
        (BANDIT, dict(rounds=5, steps=5), "'bandit' takes rounds=...; got steps"),
        (BANDIT, {}, "'bandit' takes rounds=..."),
        (EPISODIC, dict(steps=5), "'episodic' takes episodes=...; got steps"),
        (AVERAGE, dict(rounds=5, episodes=2), "'average' takes steps=...; got rounds, episodes"),
    ],
)
def test_the_length_is_in_the_unit_of_the_setting(model: Any, given: dict[str, int], text: str) -> None:
    with pytest.raises(InputError) as refused:
        run("uniform", model, target="python", **given)  # type: ignore[arg-type]
    assert text in str(refused.value)


@pytest.mark.parametrize(
    ("learner", "model", "given", "text"),
    [
        ("ucbh", EPISODIC, dict(episodes=1), "unknown learner 'ucbh'; nearest: ucb-h"),
        ("unifrom", BANDIT, dict(rounds=1), "unknown learner 'unifrom'; nearest: uniform"),
        (3, BANDIT, dict(rounds=1), "learner=3 is neither a name nor a Learner"),
        ("ucb-h", BANDIT, dict(rounds=1), "learner 'ucb-h' is for the setting episodic, the model's is bandit"),
        ("ucrl2", EPISODIC, dict(episodes=1), "learner 'ucrl2' is for the setting average, the model's is episodic"),
        (find_learner("ucb1"), AVERAGE, dict(rounds=1), "learner 'ucb1' is for the setting bandit, model 'riverswim'"),
        ("uniform", dataclasses.replace(AVERAGE, criterion=Discounted(0.9)), dict(steps=1), "is discounted"),
        ("uniform", dataclasses.replace(AVERAGE, criterion=ShortestPath(3)), dict(steps=1), "is ssp"),
        (
            find_learner("uniform", "average"),
            dataclasses.replace(AVERAGE, criterion=Discounted(0.9)),
            dict(steps=1),
            "has the criterion Discounted(gamma=0.9); simulations run FiniteHorizon(H) and AverageReward()",
        ),
        (
            find_learner("ucb1"),
            "a model",
            dict(rounds=1),
            "no loop runs a str: give a TabularMDP, a Bandit, or a linear model",
        ),
        ("ucb-h", EPISODIC, dict(episodes=1, params=dict(C=1.0)), "learner 'ucb-h' has no parameter 'C'; "),
        ("uniform", BANDIT, dict(rounds=1, params=dict(c=1.0)), "has no parameter 'c'; it has none"),
        ("ucb-h", EPISODIC, dict(episodes=1, params=dict(delta=1.0)), "delta=1.0 must lie strictly between 0 and 1"),
        ("ucb-h", EPISODIC, dict(episodes=1, params=dict(c="1")), "parameter c='1' is not a finite number"),
        ("ucb1", BANDIT, dict(rounds=1, target="gpu"), "unknown target 'gpu'"),
        ("ucb1", BANDIT, dict(rounds=1, seed=-1), "seed -1 is not an integer in [0, 2^64)"),
        ("ucb1", BANDIT, dict(rounds=1, replicates=0), "replicates=0 must be an integer >= 1"),
    ],
)
def test_what_does_not_fit_is_named(learner: Any, model: Any, given: dict[str, Any], text: str) -> None:
    with pytest.raises(InputError) as refused:
        run(learner, model, **{"target": "python", **given})
    assert text in str(refused.value)


def test_a_replicate_is_replayed_alone() -> None:
    block = run("ucrl2", AVERAGE, replicates=4, steps=30, seed=8, target="python")
    alone = run("ucrl2", AVERAGE, replicates=1, first=2, steps=30, seed=8, target="python")
    assert alone["regret"].tobytes() == np.ascontiguousarray(block["regret"][2:3]).tobytes()
    assert alone.final["p_hat"].tobytes() == block.final["p_hat"][2:3].tobytes()


@kernel
def misspelt(st: Any, p: Any, t: Any, a: Any, r: Any) -> None:
    """A field that UCB1 does not keep."""
    st.totl[a] += r


def test_a_kernel_that_does_not_compile_is_named() -> None:
    broken = dataclasses.replace(find_learner("ucb1"), learn=misspelt)
    with pytest.raises(InputError, match=r"learner 'ucb1' with its probes does not compile: .*totl"):
        run(broken, Bandit((0.5, 0.6)), rounds=5)


@pytest.mark.parametrize("seed", [1.5, True, -1, 2**64])
def test_a_seed_is_a_whole_number(seed: object) -> None:
    with pytest.raises(InputError, match="seed"):
        run("ucb1", Bandit((0.5, 0.6)), rounds=5, target="python", seed=seed)
