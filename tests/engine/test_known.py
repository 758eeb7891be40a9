"""What a learner is told of the model, array parameters, and linear models in the loops."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

import bandits
import mdps
from theorylab.errors import InputError
from theorylab.kernel import kernel
from theorylab.learner import Learner, f8, i8
from theorylab.model import AverageReward
from theorylab.run import run
from theorylab.simulation import Simulation


@kernel
def begin(st, p):  # type: ignore[no-untyped-def]
    """What is known goes to the state, where a test can read it."""
    for s in range(p.S):
        for a in range(p.A):
            st.seen[s, a] = p.r[s, a] + p.P[s, a, 0] + p.weight[s, a]
            st.wanted[s, a] = p.need[s, a]


@kernel
def act(st, p, k, h, s, rng):  # type: ignore[no-untyped-def]
    """The first action."""
    return 0


@kernel
def learn(st, p, k, h, s, a, r, s2):  # type: ignore[no-untyped-def]
    """Nothing is learnt."""
    st.seen[0, 0] = st.seen[0, 0]


def derive(p: dict[str, Any]) -> dict[str, Any]:
    need = np.full((p["S"], p["A"]), p["least"]) if p["need"] is None else p["need"]
    return dict(need=need, weight=0.5 * p["r"])


reader = Learner(
    name="reader", setting="episodic", begin=begin, act=act, learn=learn, params=dict(least=2), derive=derive,
    arrays=dict(need=i8["S", "A"]), knows=("r", "P"), state=dict(seen=f8["S", "A"], wanted=i8["S", "A"]),
)  # fmt: skip
MODEL = mdps.models.riverswim(states=3, horizon=2)


@pytest.mark.parametrize("target", ["python", "cpu"])
def test_a_learner_sees_what_it_is_told(target: str) -> None:
    final = run(reader, MODEL, replicates=2, episodes=2, target=target).final
    expected = MODEL.r + MODEL.P[:, :, 0] + 0.5 * MODEL.r
    assert np.array_equal(final["seen"], np.stack([expected, expected]))
    assert np.all(final["wanted"] == 2)


def test_an_array_parameter_replaces_the_derived_one() -> None:
    need = [[1, 0], [0, 4], [2, 2]]
    curves = run(reader, MODEL, replicates=1, episodes=1, target="python", params={"need": need})
    assert curves.final["wanted"][0].tolist() == need and curves.params["need"] == need


def test_arrays_enter_the_digest() -> None:
    def digest(**params: Any) -> str:
        return Simulation(reader, MODEL, replicates=1, length=2, params=params).digest()

    assert digest() == digest(need=np.full((3, 2), 2)) != digest(need=np.full((3, 2), 3))


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"need": [[1, 2]]}, r"need has shape \(1, 2\), not \(3, 2\)"),
        ({"need": "many"}, "need is no array of numbers"),
        ({"need": [[1, 2], [0, 1.5], [0, 0]]}, r"need\[1, 1\] = 1.5 is not an integer"),
        ({"need": [[1, 2], [0, np.nan], [0, 0]]}, r"need\[1, 1\] = nan"),
        ({"ned": 1}, "no parameter 'ned'; nearest: need"),
    ],
)
def test_wrong_arrays_are_refused(given: dict[str, Any], text: str) -> None:
    with pytest.raises(InputError, match=text):
        run(reader, MODEL, episodes=1, params=given)


def test_an_array_that_nobody_gives_is_asked_for() -> None:
    bare = dataclasses.replace(reader, derive=lambda p: dict(weight=p["r"]))
    with pytest.raises(InputError, match="give the array need"):
        run(bare, MODEL, episodes=1)


def test_a_model_without_what_a_learner_is_told_is_refused() -> None:
    with pytest.raises(InputError, match="is told features of the arms"):
        run(dataclasses.replace(reader, knows=("features",)), MODEL, episodes=1)
    with pytest.raises(InputError, match="knows 'Q'"):
        dataclasses.replace(reader, knows=("Q",))
    staged = dataclasses.replace(MODEL, P=np.stack([MODEL.P, MODEL.P]))
    with pytest.raises(InputError, match=r"one kernel; .* one for each stage"):
        run(reader, staged, episodes=1)


def test_a_linear_bandit_runs_as_the_bandit_that_it_embeds() -> None:
    model = bandits.models.linear_sphere()
    ours, plain = (run("ucb1", m, replicates=3, rounds=80, seed=4) for m in (model, model.bandit()))
    assert np.array_equal(ours["regret"], plain["regret"])
    simulation = Simulation(ucb1(), model, replicates=1, length=5)
    assert simulation.sizes == {"A": model.A, "T": 5, "d": model.d}


def ucb1() -> Learner:
    from theorylab.registry import find_learner

    found = find_learner("ucb1")
    assert isinstance(found, Learner)
    return found


def test_linear_mdps_run_as_their_embeddings() -> None:
    for model in (mdps.models.simplex_linear(), mdps.models.mixture_two_state(horizon=3)):
        ours, plain = (run("ucb-h", m, replicates=2, episodes=20) for m in (model, model.tabular()))
        assert np.array_equal(ours["regret"], plain["regret"])


def test_stage_dependent_rewards_of_a_linear_mdp_are_refused() -> None:
    base = mdps.models.simplex_linear()
    staged = dataclasses.replace(base, theta=np.stack([base.theta] * base.H), P=None, r=None)
    with pytest.raises(InputError, match="theta depends on the stage"):
        run("ucb-h", staged, episodes=1)


def test_known_arrays_are_private() -> None:
    simulation = Simulation(reader, MODEL, replicates=1, length=1)
    simulation.params["r"][0, 0] = 7.0
    assert MODEL.r[0, 0] != 7.0


def test_average_models_are_told_too() -> None:
    model = dataclasses.replace(MODEL, criterion=AverageReward())
    with pytest.raises(InputError, match="setting"):
        run(reader, model, steps=3)
