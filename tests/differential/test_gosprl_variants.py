"""GOSPRL's requirements on states, other planners and rules against the transcription; planted faults as controls."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mdps.models.garnet import family as garnet
from mdps.models.riverswim import family as riverswim
from mdps.models.star import family as star
from mdps.models.wheel import family as wheel
from proofs_check.kill_matrix import planted
from proofs_check.mutants import gosprl as state_faults
from tests.differential._gosprl_rules import compare_ruled
from tests.differential.stepping import World, choose
from tests.differential.test_gosprl import compare
from tests.reference.gosprl import GOSPRL
from theorylab.learner import Learner
from theorylab.registry import find_learner
from theorylab.rng import INITIAL, LEARNER, draw
from theorylab.simulation import Simulation

Cases = tuple[tuple[Any, int, dict[str, Any]], ...]
GARNET, SMALL = garnet(S=4, A=3, b=2, seed=1), garnet(S=3, A=2, b=2, seed=2)
UNSEEN = [[0, 0, 0, 0, 2], [0, 0, 0, 2, 0], [0, 0, 0, 8, 0]]
STATES: Cases = (
    (riverswim(states=4), 250, {"b_states": [4, 0, 7, 9], "alpha": 0.1}),
    (star(p=(0.5, 0.25)), 120, {"b_states": [0, 6, 6], "alpha": 0.1}),
    (SMALL, 150, {"b": [[0, 0], [4, 0], [0, 0]], "b_states": [0, 9, 9], "alpha": 0.1}),
    (wheel(states=4), 100, {"b": [[0] * 5, [0, 2, 0, 0, 0], [0] * 5, [0] * 5], "b_states": [5, 0, 3, 3], "alpha": 0.1}),
)
PLANNERS: dict[str, Cases] = {
    "gosprl-policy-iteration": (
        (riverswim(states=4), 200, {"b": [[0, 0], [0, 0], [0, 0], [6, 6]], "alpha": 0.05, "max_sweeps": 30}),
        (GARNET, 250, {"samples": 8, "alpha": 0.03, "max_sweeps": 30}),
        (wheel(states=3), 80, {"b": UNSEEN, "alpha": 0.05, "max_sweeps": 30}),
    ),
    "gosprl-extended": (
        (GARNET, 120, {"samples": 6, "alpha": 0.03, "max_sweeps": 300}),
        (GARNET, 120, {"samples": 6, "alpha": 0.03, "radius": 2, "max_sweeps": 300}),
        (riverswim(states=4), 120, {"samples": 6, "alpha": 0.02, "radius": 1, "max_sweeps": 300}),
        (wheel(states=3), 80, {"b": UNSEEN, "alpha": 0.05, "max_sweeps": 300}),
    ),
}  # fmt: skip
RULES: dict[str, Cases] = {
    "gosprl-modest": (
        (SMALL, 300, {"eta": 0.8, "alpha": 0.1}),
        (SMALL, 300, {"eta": 3.0, "alpha": 0.1, "shrink": 0.7}),
        (star(p=(0.1,)), 300, {"eta": 1.0, "alpha": 0.02}),
        (star(p=(0.3,)), 500, {"eta": 2.0, "rule": 1}),
        (GARNET, 300, {"eta": 1.5, "alpha": 0.05, "radius": 1}),
        (SMALL, 200, {"eta": 1.5, "alpha": 0.1, "radius": 2}),
        (star(p=(0.5,)), 20, {"eta": 1e6}),
    ),
    "gosprl-noise": (
        (SMALL, 300, {"samples": 20, "least": 2, "alpha": 0.1}),
        (GARNET, 300, {"samples": 30, "least": 3, "alpha": 0.05}),
        (star(p=(0.5, 0.25)), 200, {"samples": 25, "least": 1, "alpha": 0.2}),
    ),
}


def first_of(learner: Learner, cases: Cases) -> str | None:
    """The first difference on any of the runs, by the comparison that fits the learner."""
    ruled = learner.name in RULES
    for model, steps, params in cases:
        found = (compare_ruled if ruled else compare)(learner, model, steps, dict(params))
        if found is not None:
            return f"{model.name}: {found}"
    return None


@pytest.mark.parametrize("name", ["gosprl", "known-p-greedy"])
def test_requirements_on_states(name: str) -> None:
    cases = [(m, n, {k: v for k, v in p.items() if name == "gosprl" or k != "alpha"}) for m, n, p in STATES]
    assert first_of(find_learner(name), tuple(cases)) is None


@pytest.mark.parametrize("fault", ["states_ignored", "states_by_one_action", "states_most_visited"])
def test_every_fault_of_states_shows(fault: str) -> None:
    assert first_of(getattr(state_faults, fault), STATES) is not None


NAMES = [n if n != "gosprl-extended" else pytest.param(n, marks=pytest.mark.long) for n in (*PLANNERS, *RULES)]


@pytest.mark.parametrize("name", NAMES)
def test_variants(name: str) -> None:
    assert first_of(find_learner(name), {**PLANNERS, **RULES}[name]) is None


FAULTS = [pytest.param(n, v, id=f"{n}: {k}") for n in (*PLANNERS, *RULES) for k, v in planted(n).items()]


@pytest.mark.long
@pytest.mark.parametrize(("name", "mutant"), FAULTS)
def test_every_fault_shows(name: str, mutant: Learner) -> None:
    assert first_of(mutant, {**PLANNERS, **RULES}[name]) is not None


def test_uniform_collection_counts_visits_of_states() -> None:
    model, steps = riverswim(states=3), 60
    asked = np.array([4, 3, 0])
    run = Simulation(
        find_learner("uniform-collection"), model, replicates=1, length=steps, seed=0, target="python",
        params={"b_states": asked.tolist()},
    ).advance()  # fmt: skip
    world, left, finished = World(model), asked.copy(), -1
    s = choose(model.mu0, float(draw(world.rng, 0, 0, INITIAL)[0]))
    for t in range(steps):
        a = int(draw(world.rng, t, 0, LEARNER)[0] * model.A)
        left[s] -= 1
        if finished < 0 and left.max() <= 0:
            finished = t + 1
        s = world.step(0, s, a)[1]
    assert 7 <= finished == int(run.state["finished"][0, 0])


def test_policy_iteration_of_the_transcription_is_the_best_of_all_policies() -> None:
    rng = np.random.default_rng(4)
    reference = GOSPRL(np.array([[0, 0], [0, 0], [0, 0], [9, 9]]), alpha=0.05, planner="policies")
    P = rng.dirichlet(np.ones(4), size=(4, 2))
    s = 0
    for _ in range(80):
        a = int(rng.integers(2)) if s < 3 else reference.act(s)
        s2 = int(rng.choice(4, p=P[s, a]))
        reference.C[s, a, s2] += 1
        reference.N[s, a] += 1
        s = s2
    reference.U = reference.N.copy()
    reference.goals = {3}
    reference.start_attempt()
    values = []
    for code in range(8):
        Q = np.array([reference.plow[x, code >> x & 1, :3] for x in range(3)])
        values.append(np.linalg.solve(np.eye(3) - Q, np.ones(3)))
    assert reference.v[:3] == pytest.approx(np.min(values, axis=0), rel=1e-10)
