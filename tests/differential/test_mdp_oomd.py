"""MDP-OOMD against its transcription, block by block; every planted fault shows; what is refused."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from mdps.models.garnet import family as garnet
from mdps.models.jump_riverswim import family as jump
from mdps.models.two_state import family as two_state
from proofs_check.kill_matrix import planted
from tests.differential.stepping import Machine, World, far, sampling_differs
from tests.reference.mdp_oomd import MDPOOMD, barrier_step
from theorylab.errors import InputError
from theorylab.learner import Learner
from theorylab.registry import find_learner
from theorylab.rng import LEARNER, draw
from theorylab.simulation import Simulation

SMALL = garnet(S=3, A=3, b=3, seed=2, rewards="bernoulli")
SHORT = {"N": 3, "B": 14, "eta": 0.2}
CASES: list[tuple[Any, int, dict[str, Any]]] = [
    (SMALL, 120, SHORT),
    (jump(states=4), 100, {"N": 1, "B": 2, "eta": 1.5}),
    (two_state(slip=0.2), 120, {"N": 2, "B": 20, "eta": 0.5, "spacing": 4}),
    (SMALL, 100, {"N": 7, "B": 25, "eta": 3.0, "spacing": 2}),
    (SMALL, 300, {"t_mix": 0.1, "t_hit": 0.2, "eta": 0.05}),
    (garnet(S=2, A=1, b=2, seed=1), 60, SHORT),
    (two_state(slip=0.2), 1, {"t_mix": 0.1, "t_hit": 0.2}),  # log2 T is 0
]


def compare(learner: Learner, model: Any, steps: int, params: dict[str, Any]) -> str | None:
    """The action of every step, when a block ends, and both policies, beta and lambda after it; the block's rewards."""
    world = World(model)
    sizes = {"S": model.S, "A": model.A, "T": steps}
    machine = Machine(learner, sizes, params, world.rng)
    if wrong := sampling_differs(Machine(learner, sizes, params, world.rng)):
        return wrong
    reference = MDPOOMD(model.S, model.A, steps, **params)
    if (machine.p.N, machine.p.B) != (reference.N, reference.B):
        return f"N, B: {machine.p.N}, {machine.p.B} against {reference.N}, {reference.B}"
    s, due, ended = world.start(0), True, True
    for t in range(steps):
        if due != ended:
            return f"step {t}: {'a plan' if due else 'no plan'}, against the transcription"
        if due:
            machine.plan(t, s)
            for name in ("pi", "prime", "beta", "lam"):
                if far(getattr(machine.st, name), getattr(reference, name)):
                    return f"step {t}: {name} differs"
        if far(machine.st.total[0], sum(reward for _, _, reward in reference.block)):
            return f"step {t}: total is {machine.st.total[0]}"
        u = float(draw(world.rng, t, 0, LEARNER)[0])
        a, wanted = machine.act(t, s), reference.act(s, u)
        if a != wanted and np.min(np.abs(np.cumsum(reference.pi[s]) - u)) > 1e-9:
            return f"step {t}: action {a} against {wanted}"
        r, s2 = world.step(0, s, a)
        due = machine.watch(t, s, a, r, s2)
        ended = reference.learn(s, a, r)
        s = s2
    return None


@pytest.mark.parametrize(("model", "steps", "params"), CASES[:3])
def test_transcription(model: Any, steps: int, params: dict[str, Any]) -> None:
    assert compare(find_learner("mdp-oomd"), model, steps, params) is None


@pytest.mark.long
@pytest.mark.parametrize(("model", "steps", "params"), CASES)
def test_transcription_at_length(model: Any, steps: int, params: dict[str, Any]) -> None:
    assert compare(find_learner("mdp-oomd"), model, 20 * steps, params) is None


@pytest.mark.parametrize("fault", planted("mdp-oomd"))
def test_every_fault_shows(fault: str) -> None:
    assert any(compare(planted("mdp-oomd")[fault], m, n, p) for m, n, p in CASES[:5])


@pytest.mark.long
def test_a_compiled_run_is_the_trajectory_that_was_compared() -> None:
    spec = find_learner("mdp-oomd")
    assert compare(spec, SMALL, 300, SHORT) is None
    runs = (Simulation(spec, SMALL, replicates=2, length=300, params=SHORT, target=x) for x in ("python", "cpu"))
    ends = [x.advance().state for x in runs]
    for field in spec.state:
        assert np.array_equal(ends[0][field], ends[1][field])


@pytest.mark.parametrize(
    ("params", "word"),
    [
        ({}, "N=0 and t_mix=0.0"),
        ({"t_mix": -1.0}, "t_mix=-1.0"),
        ({"N": -2, "B": 4}, "N=-2"),
        ({"t_mix": 2.0}, "B=0 and t_hit=0.0"),
        ({"N": 4, "B": 4}, "N=4 is not below B=4"),
        ({"N": 2, "B": 4, "eta": 0.0}, "eta=0.0 is not positive"),
        ({"N": 2, "B": 4, "spacing": 0}, "spacing=0"),
    ],
)
def test_what_is_refused(params: dict[str, Any], word: str) -> None:
    with pytest.raises(InputError, match=word):
        find_learner("mdp-oomd").parameters(params, {"S": 2, "A": 2, "T": 1000})


def test_defaults_by_hand() -> None:
    """T = 1024: log2 T = 10, N = 4 * 3 * 10, B = 16 * 120 * 2.5 * 10, up to rounding."""
    p = find_learner("mdp-oomd").parameters({"t_mix": 3.0, "t_hit": 2.5}, {"S": 2, "A": 2, "T": 1024})
    assert abs(p["N"] - 120) <= 1 and abs(p["B"] - 16 * p["N"] * 25) <= 1


def test_a_step_of_the_barrier_by_hand() -> None:
    """Two actions, base 1/2: 1/(2 - x + l) + 1/(2 + l) = 1 with x = 1 gives l^2 + l - 1 = 0."""
    x, lam = barrier_step(np.array([0.5, 0.5]), np.array([1.0, 0.0]))
    root = (math.sqrt(5.0) - 1.0) / 2.0
    assert lam == pytest.approx(root, abs=1e-14) and x == pytest.approx([1 / (1 + root), 1 / (2 + root)], abs=1e-14)
