"""The fast learners against independent transcriptions of the papers, step by step, and planted faults as controls."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest

from bandits.models.bernoulli import family as bernoulli
from mdps.models.garnet import family as garnet
from mdps.models.jao import family as jao
from mdps.models.riverswim import family as riverswim
from mdps.models.two_state import family as two_state
from proofs_check.mutants import ucb1 as ucb1_faults
from proofs_check.mutants import ucb_h as ucb_h_faults
from proofs_check.mutants import ucrl2 as ucrl2_faults
from tests.differential.stepping import World, compare_ucb1, compare_ucb_h, compare_ucrl2, follow_ucrl2
from tests.reference.ucb1 import UCB1
from tests.reference.ucb_h import UCBH
from tests.reference.uniform import uniform_arm
from theorylab.conformance import default_models
from theorylab.learner import Learner
from theorylab.registry import find_learner
from theorylab.rng import LEARNER, draw
from theorylab.simulation import Simulation


def mutants(module: ModuleType) -> list[Any]:
    """Every planted fault of a file, by name."""
    faithful = find_learner(module.learner.name)
    found = [(k, v) for k, v in vars(module).items() if isinstance(v, Learner) and v is not faithful]
    assert found and module.learner is faithful
    return [pytest.param(v, id=k) for k, v in found]


# UCB1

TEN = tuple(0.05 + 0.09 * a for a in range(10))
BANDITS = {
    "two arms": (0.9, 0.6),
    "three arms, two of them best": (0.7, 0.7, 0.2),
    "arms that all pay": (1.0, 1.0),  # equal counts give equal indices: ties throughout
    "arms that never pay": (0.0, 0.0, 0.0),
    "ten arms": TEN,
    "one arm": (0.5,),
}


@pytest.mark.parametrize("means", BANDITS.values(), ids=BANDITS.keys())
@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_ucb1(means: tuple[float, ...], scale: float) -> None:
    model = bernoulli(means=means)
    assert compare_ucb1(find_learner("ucb1"), model, 600, {"scale": scale}) is None


@pytest.mark.parametrize("mutant", mutants(ucb1_faults))
def test_every_fault_of_ucb1_shows(mutant: Learner) -> None:
    assert compare_ucb1(mutant, bernoulli(means=(0.9, 0.1)), 300) is not None


# UCB-H

STAGES, STATIONARY = default_models("episodic")[:2]
EPISODIC = {
    "stage-dependent, bernoulli": STAGES,
    "stationary, bernoulli": STATIONARY,
    "riverswim": riverswim(states=3, horizon=4),
    "one stage": riverswim(states=3, horizon=1, rewards="bernoulli"),
    "garnet": garnet(S=5, A=3, b=2, seed=4, horizon=5),
}


@pytest.mark.parametrize("model", EPISODIC.values(), ids=EPISODIC.keys())
@pytest.mark.parametrize(("c", "delta"), [(2.0, 0.1), (0.05, 0.3)])
def test_ucb_h(model: Any, c: float, delta: float) -> None:
    # with the small c values fall below the cap H, so that clipping, backups and argmax all matter
    assert compare_ucb_h(find_learner("ucb-h"), model, 150, {"c": c, "delta": delta}) is None


@pytest.mark.parametrize("mutant", mutants(ucb_h_faults))
def test_every_fault_of_ucb_h_shows(mutant: Learner) -> None:
    # with one stage the bonus falls below the cap, so that values move: a fault in them shows there alone
    models = (riverswim(states=3, horizon=3), riverswim(states=3, horizon=1))
    assert any(compare_ucb_h(mutant, m, 60, {"c": 1.0, "delta": 0.05}) is not None for m in models)


# UCRL2

AVERAGE = {
    "riverswim": (riverswim(states=3), {"delta": 0.1}),
    "riverswim, bernoulli": (riverswim(states=4, rewards="bernoulli"), {"delta": 0.05}),
    "riverswim, uncapped": (riverswim(states=3), {"delta": 0.1, "cap_rewards": 0}),
    "two states": (two_state(slip=0.1), {"delta": 0.1}),
    "jao": (jao(delta=0.25, epsilon=0.1, rewards="bernoulli"), {"delta": 0.5}),
    "garnet": (garnet(S=4, A=3, b=2, seed=1), {"delta": 0.1}),
}


@pytest.mark.parametrize(("model", "params"), AVERAGE.values(), ids=AVERAGE.keys())
def test_ucrl2(model: Any, params: dict[str, Any]) -> None:
    assert compare_ucrl2(find_learner("ucrl2"), model, 1500, params) is None


@pytest.mark.parametrize("mutant", mutants(ucrl2_faults))
def test_every_fault_of_ucrl2_shows(mutant: Learner) -> None:
    assert compare_ucrl2(mutant, riverswim(states=3), 600, {"delta": 0.1}) is not None


# Uniform play


def actions(learner: Learner, model: Any, length: int, seed: int, replicate: int) -> dict[tuple[int, ...], int]:
    """Visits of every site at the end of a run of that length."""
    run = Simulation(learner, model, replicates=1, first=replicate, length=length, seed=seed, target="python")
    visits = run.advance().observed["visits"][0]
    return {tuple(int(i) for i in at): int(visits[tuple(at)]) for at in np.argwhere(visits > 0)}


@pytest.mark.parametrize("setting", ["bandit", "episodic", "average"])
def test_uniform_plays_floor_of_u_times_a(setting: str) -> None:
    model, learner, length = default_models(setting)[0], find_learner("uniform", setting), 40
    world = World(model, seed=11, replicate=3)
    expected: dict[tuple[int, ...], int] = {}

    def arm(t: int, site: int) -> int:
        return uniform_arm(float(draw(world.rng, t, site, LEARNER)[0]), model.A)

    def count(*at: int) -> None:
        expected[at] = expected.get(at, 0) + 1

    if setting == "bandit":
        for t in range(length):
            count(arm(t, 0))
    elif setting == "average":
        s = world.start(0)
        for t in range(length):
            a = arm(t, 0)
            count(s, a)
            s = world.step(0, s, a)[1]
    else:
        for k in range(length):
            s = world.start(k)
            for h in range(model.H):
                a = arm(k, h * model.S + s)
                count(h, s, a)
                s = world.step(h, s, a)[1]
    assert actions(learner, model, length, 11, 3) == expected
    assert actions(learner, model, length, 12, 3) != expected  # the comparison can fail
    assert len({at[-1] for at in expected}) == model.A  # and every action occurs


# Whole runs: the transcription plays by itself, in the environment written here, and ends where the engine ends


def test_a_run_of_ucb1_by_the_transcription_alone() -> None:
    model, rounds = bernoulli(means=(0.7, 0.5, 0.4)), 400
    run = Simulation(find_learner("ucb1"), model, replicates=2, length=rounds, seed=5, target="python").advance()
    for i in range(2):
        world, learner = World(model, seed=5, replicate=i), UCB1(A=3)
        for t in range(rounds):
            a = learner.act(t)
            learner.learn(a, world.pull(a))
        assert run.state["N"][i].tolist() == learner.N.tolist()
        assert run.state["total"][i].tolist() == learner.total.tolist()
        assert run.curves()["regret"][i, -1] == pytest.approx(float(learner.N @ np.array([0.0, 0.2, 0.3])), abs=1e-9)


@pytest.mark.parametrize("model", [STAGES, STATIONARY], ids=["stage-dependent", "stationary"])
def test_a_run_of_ucb_h_by_the_transcription_alone(model: Any) -> None:
    episodes, params = 80, {"c": 0.1, "delta": 0.1}
    spec = find_learner("ucb-h")
    run = Simulation(spec, model, replicates=1, length=episodes, seed=6, params=params, target="python").advance()
    world, learner = World(model, seed=6), UCBH(model.S, model.A, model.H, episodes, 0.1, 0.1)
    for k in range(episodes):
        s = world.start(k)
        for h in range(model.H):
            a = learner.act(h, s)
            r, s2 = world.step(h, s, a)
            learner.learn(h, s, a, r, s2)
            s = s2
    assert run.state["N"][0].tolist() == learner.N.tolist()
    np.testing.assert_allclose(run.state["Q"][0], learner.Q, rtol=1e-12)


def test_a_run_of_ucrl2_is_the_trajectory_that_was_compared() -> None:
    model, steps = riverswim(states=4, rewards="bernoulli"), 300
    spec = find_learner("ucrl2")
    wrong, st, reference = follow_ucrl2(spec, model, steps, {"delta": 0.1})
    assert wrong is None
    run = Simulation(spec, model, replicates=1, length=steps, target="python").advance()
    for name in spec.state:
        assert run.state[name][0].tolist() == getattr(st, name).tolist()
    assert run.observed["cur"][0, 2] == reference.episodes > 10
    assert run.curves()["reward"][0, -1] == reference.R.sum()
