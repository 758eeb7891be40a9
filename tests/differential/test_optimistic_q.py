"""Optimistic Q-learning against its transcription, step by step; every planted fault shows; what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mdps.models.garnet import family as garnet
from mdps.models.jump_riverswim import family as jump
from mdps.models.riverswim import family as riverswim
from mdps.models.two_state import family as two_state
from proofs_check.kill_matrix import planted
from tests.differential.stepping import Machine, World, far
from tests.reference.optimistic_q import OptimisticQ
from theorylab.errors import InputError
from theorylab.learner import Learner
from theorylab.registry import find_learner
from theorylab.simulation import Simulation

COINS = {"rewards": "bernoulli"}
SMALL = garnet(S=3, A=2, b=2, seed=2, **COINS)
CASES: list[tuple[Any, int, dict[str, Any]]] = [
    (SMALL, 150, {"span": 0.5, "scale": 0.05, "gamma": 0.75}),
    (jump(states=4), 120, {"span": 0.3, "scale": 0.05, "gamma": 0.6, "form": 1}),
    (riverswim(states=3, **COINS), 100, {"span": 1.0, "scale": 0.02, "delta": 0.3}),
    (garnet(S=4, A=3, b=2, seed=1), 100, {"span": 1.0, "scale": 0.0}),
    (two_state(), 40, {"span": 0.1, "scale": 0.1, "form": 1, "gamma": 0.9}),
    (garnet(S=1, A=1, b=1, seed=1), 40, {"span": 0.1, "scale": 0.1}),
]


def compare(learner: Learner, model: Any, steps: int, params: dict[str, Any]) -> str | None:
    """The action, Q, Qhat, Vhat, N and the bonus at every step."""
    world = World(model)
    machine = Machine(learner, {"S": model.S, "A": model.A, "T": steps}, params, world.rng)
    reference = OptimisticQ(model.S, model.A, steps, **params)
    if far((machine.p.gamma, machine.p.H), (reference.gamma, reference.H)):
        return f"gamma, H: {machine.p.gamma}, {machine.p.H} against {reference.gamma}, {reference.H}"
    s = world.start(0)
    for t in range(steps):
        a, wanted = machine.act(t, s), reference.act(s)
        if a != wanted and not abs(reference.Qhat[s, a] - reference.Qhat[s, wanted]) < 1e-9:
            return f"step {t}: action {a} against {wanted}"
        if a != wanted and np.all(reference.Qhat[s] == reference.H):
            return f"step {t}: action {a} of equals that were never moved"
        r, s2 = world.step(0, s, a)
        machine.learn(t, s, a, r, s2)
        reference.learn(s, a, r, s2)
        for name in ("Q", "Qhat", "Vhat", "N"):
            if far(getattr(machine.st, name), getattr(reference, name), 1e-7):
                return f"step {t}: {name} differs"
        if far(machine.st.bonus[0], reference.bonus):
            return f"step {t}: bonus {machine.st.bonus[0]} against {reference.bonus}"
        s = s2
    return None


@pytest.mark.parametrize(("model", "steps", "params"), CASES[:3])
def test_transcription(model: Any, steps: int, params: dict[str, Any]) -> None:
    assert compare(find_learner("optimistic-q"), model, steps, params) is None


@pytest.mark.long
@pytest.mark.parametrize(("model", "steps", "params"), CASES)
def test_transcription_at_length(model: Any, steps: int, params: dict[str, Any]) -> None:
    assert compare(find_learner("optimistic-q"), model, 4 * steps, params) is None


@pytest.mark.parametrize("fault", planted("optimistic-q"))
def test_every_fault_shows(fault: str) -> None:
    mutant = planted("optimistic-q")[fault]
    assert any(compare(mutant, m, n, p) for m, n, p in CASES[:4])


@pytest.mark.long
def test_a_compiled_run_is_the_trajectory_that_was_compared() -> None:
    params = {"span": 0.5, "scale": 0.05, "gamma": 0.75}
    spec = find_learner("optimistic-q")
    assert compare(spec, SMALL, 300, params) is None
    ends = [
        Simulation(spec, SMALL, replicates=2, length=300, params=params, target=x).advance().state
        for x in ("python", "cpu")
    ]
    for field in spec.state:
        assert np.array_equal(ends[0][field], ends[1][field])


@pytest.mark.parametrize(
    ("params", "word"),
    [
        ({}, "span=0.0 is not positive"),
        ({"span": -1.0}, "span=-1.0 is not positive"),
        ({"span": 1.0, "gamma": 1.0}, "gamma=1.0 must lie"),
        ({"span": 1.0, "gamma": 1.2}, "gamma=1.2 must lie"),
        ({"span": 1.0, "gamma": -0.1}, "gamma=-0.1 must lie"),
        ({"span": 1.0, "gamma": 0.3, "form": 1}, "below 1"),
        ({"span": 1.0, "form": 2}, "form=2"),
        ({"span": 1.0, "scale": -1.0}, "scale=-1.0"),
    ],
)
def test_what_is_refused(params: dict[str, Any], word: str) -> None:
    with pytest.raises(InputError, match=word):
        find_learner("optimistic-q").parameters(params, {"S": 2, "A": 2, "T": 1000})


def test_the_discount_by_hand() -> None:
    """1 - (SA/T)^(1/3) from T = 8 SA on, 1/2 below; H one less in the authors' form."""
    at = find_learner("optimistic-q").parameters
    assert at({"span": 1.0}, {"S": 2, "A": 2, "T": 4000})["gamma"] == pytest.approx(0.9, abs=1e-12)
    assert at({"span": 1.0}, {"S": 2, "A": 2, "T": 4})["gamma"] == 0.5
    assert at({"span": 1.0}, {"S": 2, "A": 2, "T": 4000})["H"] == pytest.approx(10.0, abs=1e-9)
    assert at({"span": 1.0, "form": 1}, {"S": 2, "A": 2, "T": 4000})["H"] == pytest.approx(9.0, abs=1e-9)
    # 4 sp sqrt(ln(2T/delta)) with T = 4000, delta = .1: ln 80000 = 11.2898
    assert at({"span": 2.0}, {"S": 2, "A": 2, "T": 4000})["c"] == pytest.approx(8 * 11.28978191**0.5, rel=1e-8)
