"""MaxEnt, WeightedMaxEnt and the stationary policy against transcriptions, step by step; planted faults as controls."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mdps.models.garnet import family as garnet
from mdps.models.riverswim import family as riverswim
from mdps.models.wheel import family as wheel
from proofs_check.mutants import max_ent as faults
from proofs_check.mutants import stationary_policy as policy_faults
from tests.differential.stepping import Machine, World, far, ranked, sweeps_said
from tests.reference.max_ent import MaxEnt
from tests.reference.stationary_policy import action
from tests.reference.ucrl2b import inner_maximum
from theorylab.errors import InputError
from theorylab.learner import Learner
from theorylab.registry import find_learner
from theorylab.rng import LEARNER, draw

CLOSE = 1e-7


def compare_max_ent(learner: Learner, model: Any, steps: int, params: dict[str, Any]) -> str | None:
    """The first difference in plans, actions, counts, the drift and the completion time, or None."""
    world = World(model)
    machine = Machine(learner, {"S": model.S, "A": model.A, "T": steps}, params, world.rng)
    own = {k: v for k, v in params.items() if k in ("weighted", "mu", "alpha", "delta", "tau")}
    states = np.array(params.get("b_states", [0] * model.S), dtype=np.int64)
    every = 0 if "b_states" in params else params.get("samples", 1)
    b = np.array(params.get("b", np.full((model.S, model.A), every)), dtype=np.int64)
    st, reference = machine.st, MaxEnt(b, steps, b_states=states, **own)
    if far((machine.p.mu, machine.p.Q), (reference.mu, reference.Q)):
        return f"mu {machine.p.mu} and Q {machine.p.Q} against {reference.mu} and {reference.Q}"
    s, due = world.start(0), True
    for t in range(steps):
        episodes = reference.episodes
        made = not due or machine.plan(t, s)
        reference.act(s)
        if due != (reference.episodes > episodes):
            return f"step {t}: {'a plan' if due else 'no plan'}, against the transcription"
        if made != (not due or reference.iterations <= machine.p.max_sweeps):
            return f"step {t}: {sweeps_said(made, reference)}"
        if not made:  # on both sides: the run ends here
            return None
        if due and (wrong := plans_differ(st, reference)):
            return f"step {t}: {wrong}"
        a = machine.act(t, s)
        if a != int(reference.pi[s]):  # after ties within rounding
            return f"step {t}: action {a} against {reference.pi[s]}"
        _, s2 = world.step(0, s, a)
        due = machine.watch(t, s, a, 0.0, s2)
        reference.learn(s, a, s2)
        finished = -1 if reference.finished is None else reference.finished
        pairs: tuple[tuple[str, Any, Any], ...] = (
            ("N", st.N, reference.T + reference.nu),
            ("moves", st.moves, reference.C),
            ("finished", st.finished[0], finished),
            ("goal", st.goal, reference.open_states()),
            ("goals", st.goals[0], reference.open_states().sum()),
            ("phi", st.phi[0], reference.phi),
        )
        for name, ours, theirs in pairs:
            if far(ours, theirs, CLOSE):
                return f"step {t}: {name} differs"
        s = s2
    return None


def plans_differ(st: Any, reference: MaxEnt) -> str | None:
    """The first field of a plan that differs; where actions tie within rounding the transcription takes ours."""
    free = 1.0 - reference.low.sum(axis=2)
    pairs: list[tuple[str, Any, Any]] = [
        ("U", st.U, reference.T),
        ("w", st.w, reference.w),
        ("r_up", st.r_up, reference.grad),
    ]
    pairs += [("low", st.low, reference.low), ("high", st.high, reference.high), ("free", st.free, free)]
    pairs += [("u", st.u, reference.u), ("u_next", st.u_next, reference.u_next)]
    for name, ours, theirs in pairs:
        if far(ours, theirs, CLOSE):
            return f"{name} differs by {np.max(np.abs(ours - theirs)):.3g}"
    change = reference.u_next - reference.u
    if far(st.gain, (change.min(), change.max()), CLOSE):
        return f"gain {st.gain} against {change.min()}, {change.max()}"
    best = np.array(
        [
            [inner_maximum(low, high, st.u) for low, high in zip(*x, strict=True)]
            for x in zip(st.low, st.high, strict=True)
        ]
    )
    if far(st.law, best, CLOSE):  # for the learner's own u, whose ties are then the same
        return "the optimistic rows differ"
    if st.order.tolist() != ranked(st.u):
        return f"order {st.order} of u {st.u}"
    if st.sweeps[0] != reference.iterations:
        return f"{st.sweeps[0]} sweeps against {reference.iterations}"
    for s in range(len(st.policy)):
        q = np.sort(reference.q[s])[::-1]
        tied = len(q) > 1 and 0.0 < q[0] - q[1] < 1e-9
        if st.policy[s] != reference.pi[s] and not tied:
            return f"policy[{s}] is {st.policy[s]} against {reference.pi[s]}"
        reference.pi[s] = st.policy[s]
    return None


def compare_policy(learner: Learner, model: Any, steps: int, params: dict[str, Any]) -> str | None:
    """The first difference in actions and counts."""
    world = World(model)
    machine = Machine(learner, {"S": model.S, "A": model.A, "T": steps}, params, world.rng)
    policy = params.get("policy", np.full((model.S, model.A), 1.0 / model.A).tolist())
    C = np.zeros((model.S, model.A, model.S), dtype=np.int64)
    s = world.start(0)
    for t in range(steps):
        a, wanted = machine.act(t, s), action(policy[s], float(draw(world.rng, t, 0, LEARNER)[0]))
        if a != wanted:
            return f"step {t}: action {a} against {wanted}"
        _, s2 = world.step(0, s, a)
        machine.learn(t, s, a, 0.0, s2)
        C[s, a, s2] += 1
        if far(machine.st.moves, C, 0.0) or far(machine.st.N, C.sum(axis=2), 0.0):
            return f"step {t}: counts differ"
        s = s2
    return None


SMALL = garnet(S=3, A=2, b=2, seed=2)
CASES: dict[str, tuple[Any, int, dict[str, Any]]] = {
    "garnet": (SMALL, 250, {"weighted": 1, "alpha": 0.1, "max_sweeps": 300}),
    "garnet, theory": (SMALL, 250, {"delta": 0.3, "samples": 3, "max_sweeps": 300}),
    "riverswim": (riverswim(states=3), 200, {"alpha": 0.05, "tau": 0.6, "max_sweeps": 300}),
    "wheel": (wheel(states=3), 150, {"weighted": 1, "mu": 0.01, "alpha": 0.2, "samples": 0, "max_sweeps": 300}),
    "mu from few steps": (SMALL, 4, {"b": [[1, 0], [0, 0], [0, 0]], "max_sweeps": 300}),
    "sweeps that end": (riverswim(states=4), 200, {"alpha": 0.02, "max_sweeps": 12}),
    "visits of states": (SMALL, 60, {"b_states": [4, 0, 9], "max_sweeps": 300}),
    "one action": (garnet(S=4, A=1, b=2, seed=1), 60, {"samples": 3, "max_sweeps": 300}),
    "radius zero": (SMALL, 100, {"alpha": 0.0, "max_sweeps": 300}),
}
POLICY_CASES: tuple[tuple[Any, int, dict[str, Any]], ...] = (
    (SMALL, 60, {"policy": [[0.2, 0.8], [1.0, 0.0], [0.0, 1.0]]}),
    (wheel(states=3), 60, {"policy": [[0.1, 0.2, 0.0, 0.3, 0.4], [0.0, 0.5, 0.5, 0.0, 0.0], [0.2] * 5]}),
    (wheel(states=3), 30, {}),
)


def planted(module: Any) -> list[Any]:
    return [pytest.param(v, id=k) for k, v in vars(module).items() if isinstance(v, Learner) and k != "learner"]


@pytest.mark.parametrize(("model", "steps", "params"), CASES.values(), ids=CASES.keys())
def test_max_ent(model: Any, steps: int, params: dict[str, Any]) -> None:
    assert compare_max_ent(find_learner("max-ent"), model, steps, params) is None


@pytest.mark.parametrize(("model", "steps", "params"), POLICY_CASES)
def test_stationary_policy(model: Any, steps: int, params: dict[str, Any]) -> None:
    assert compare_policy(find_learner("stationary-policy"), model, steps, params) is None


@pytest.mark.parametrize("mutant", planted(faults))
def test_every_fault_of_max_ent_shows(mutant: Learner) -> None:
    assert any(compare_max_ent(mutant, m, n, params) is not None for m, n, params in CASES.values())


@pytest.mark.parametrize("mutant", planted(policy_faults))
def test_every_fault_of_the_stationary_policy_shows(mutant: Learner) -> None:
    assert any(compare_policy(mutant, m, n, params) is not None for m, n, params in POLICY_CASES)


@pytest.mark.parametrize(
    ("name", "params", "word"),
    [
        ("max-ent", {"weighted": 2}, "weighted=2"),
        ("max-ent", {"alpha": -0.1}, "alpha=-0.1"),
        ("max-ent", {"tau": 0.0}, "tau=0.0"),
        ("max-ent", {"mu": 0.25}, r"mu=0.25 must lie in \(0, 1/e - 1/\(SA\)\] = \(0, 0.201213\]"),
        ("max-ent", {"mu": -0.1}, "mu=-0.1"),
        ("max-ent", {"b": [[1, 0], [0, -1], [0, 0]]}, r"b\[1, 1\] = -1"),
        ("stationary-policy", {"policy": [[0.5, 0.5], [1.2, -0.2], [1, 0]]}, r"policy\[1, 1\] = -0.2"),
        ("stationary-policy", {"policy": [[0.5, 0.5], [0, 1], [0.5, 0.4]]}, r"policy\[2\] = \[0.5, 0.4\] sums to 0.9"),
    ],
)
def test_what_is_refused(name: str, params: dict[str, Any], word: str) -> None:
    with pytest.raises(InputError, match=word):
        find_learner(name).parameters(params, {"S": 3, "A": 2, "T": 100})


def test_too_few_pairs_are_refused() -> None:
    with pytest.raises(InputError, match="S A = 2 pairs"):
        find_learner("max-ent").parameters({}, {"S": 2, "A": 1, "T": 100})
