"""Politex against its transcription, part by part; every planted fault shows; what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mdps.models.garnet import family as garnet
from mdps.models.jump_riverswim import family as jump
from mdps.models.two_state import family as two_state
from proofs_check.kill_matrix import planted
from tests.differential.stepping import Machine, World, far, sampling_differs
from tests.reference.politex import Politex
from theorylab.errors import InputError
from theorylab.learner import Learner
from theorylab.registry import find_learner
from theorylab.rng import LEARNER, draw
from theorylab.simulation import Simulation

SMALL = garnet(S=3, A=3, b=3, seed=2, rewards="bernoulli")
SHORT = {"N": 6, "B": 20, "eta": 0.4}
CASES: list[tuple[Any, int, dict[str, Any]]] = [
    (SMALL, 120, SHORT),
    (jump(states=4), 121, {"eta": 0.8, "ridge": 0.5}),
    (two_state(slip=0.2), 60, {"N": 1, "B": 3, "eta": 3.0}),
    (garnet(S=2, A=1, b=2, seed=1), 60, SHORT),
    (SMALL, 120, {"N": 6, "B": 20, "eta": 5000.0}),  # scores whose exponentials are no numbers
    (two_state(slip=0.2), 5, {}),  # the root of T, rounded up, is 3
]


def compare(learner: Learner, model: Any, steps: int, params: dict[str, Any]) -> str | None:
    """The action of every step, when a part ends, and the policy, gain, bias and Q after it."""
    world = World(model)
    sizes = {"S": model.S, "A": model.A, "T": steps}
    machine = Machine(learner, sizes, params, world.rng)
    if wrong := sampling_differs(Machine(learner, sizes, params, world.rng)):
        return wrong
    reference = Politex(model.S, model.A, steps, **params)
    if (machine.p.N, machine.p.B) != (reference.N, reference.B):
        return f"N, B: {machine.p.N}, {machine.p.B} against {reference.N}, {reference.B}"
    s, due = world.start(0), True
    for t in range(steps):
        if due != (len(reference.phase) in (0, reference.N)):
            return f"step {t}: {'a plan' if due else 'no plan'}, against the transcription"
        if due:
            machine.plan(t, s)
            last = reference.Q[-1] if reference.Q else np.zeros((model.S, model.A))
            for name, theirs in (("pi", reference.pi), ("lam", reference.lam), ("v", reference.v), ("Q", last)):
                if far(getattr(machine.st, name), theirs, 1e-8):
                    return f"step {t}: {name} differs"
        u = float(draw(world.rng, t, 0, LEARNER)[0])
        a, wanted = machine.act(t, s), reference.act(s, u)
        if a != wanted and np.min(np.abs(np.cumsum(reference.pi[s]) - u)) > 1e-9:
            return f"step {t}: action {a} against {wanted}"
        r, s2 = world.step(0, s, a)
        due = machine.watch(t, s, a, r, s2)
        reference.learn(s, a, r, s2)
        s = s2
    return None


@pytest.mark.parametrize(("model", "steps", "params"), CASES)
def test_transcription(model: Any, steps: int, params: dict[str, Any]) -> None:
    assert compare(find_learner("politex"), model, steps, params) is None


@pytest.mark.long
@pytest.mark.parametrize(("model", "steps", "params"), CASES)
def test_transcription_at_length(model: Any, steps: int, params: dict[str, Any]) -> None:
    assert compare(find_learner("politex"), model, 20 * steps, params) is None


@pytest.mark.parametrize("fault", planted("politex"))
def test_every_fault_shows(fault: str) -> None:
    assert any(compare(planted("politex")[fault], m, n, p) for m, n, p in CASES)


@pytest.mark.long
def test_a_compiled_run_is_the_trajectory_that_was_compared() -> None:
    spec = find_learner("politex")
    assert compare(spec, SMALL, 300, SHORT) is None
    runs = (Simulation(spec, SMALL, replicates=2, length=300, params=SHORT, target=x) for x in ("python", "cpu"))
    ends = [x.advance().state for x in runs]
    for field in spec.state:
        assert np.array_equal(ends[0][field], ends[1][field])


@pytest.mark.parametrize(
    ("params", "word"),
    [
        ({"N": 5, "B": 5}, "N=5 is not below B=5"),
        ({"B": 1}, "N=0 is not below B=1"),
        ({"N": -1}, "N=-1 is negative"),
        ({"B": -3}, "B=-3 is negative"),
        ({"eta": 0.0}, "eta=0.0 is not positive"),
        ({"eta": -1.0}, "eta=-1.0 is not positive"),
        ({"ridge": 0.0}, "ridge=0.0 is not positive"),
    ],
)
def test_what_is_refused(params: dict[str, Any], word: str) -> None:
    with pytest.raises(InputError, match=word):
        find_learner("politex").parameters(params, {"S": 2, "A": 2, "T": 1000})


@pytest.mark.parametrize(("T", "B"), [(1, 2), (4, 2), (5, 3), (100, 10), (101, 11), (10_000, 100)])
def test_the_default_phase_is_the_root_rounded_up(T: int, B: int) -> None:
    p = find_learner("politex").parameters({}, {"S": 2, "A": 2, "T": T})
    assert (p["B"], p["N"]) == (B, B // 2)
