"""GOSPRL, and the greedy collector that knows p, against the transcription step by step; planted faults as controls.

A choice of the plan is compared where it leads by more than rounding; in ties within rounding the transcription goes on
with the kernels' choice. Exact ties (all values 1) go to the lowest action on both sides.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from mdps.models.garnet import family as garnet
from mdps.models.riverswim import family as riverswim
from mdps.models.star import family as star
from mdps.models.wheel import family as wheel
from proofs_check.mutants import gosprl as faults
from proofs_check.mutants import known_p_greedy as known_faults
from tests.differential.stepping import Machine, World, choose, far
from tests.reference.gosprl import GOSPRL
from theorylab.errors import InputError
from theorylab.learner import Learner
from theorylab.registry import find_learner
from theorylab.rng import INITIAL, LEARNER, draw
from theorylab.simulation import Simulation

FAMILIES = ("AME", "ROS", "L1")
PLANNERS = {"gosprl-policy-iteration": "policies", "gosprl-extended": "extended"}


def compare(
    learner: Learner, model: Any, steps: int, params: dict[str, Any], replicate: int = 0, begin: int = 0
) -> str | None:
    """The first difference in plans, actions, counts and the completion time, or None; up to a plan that needs too many
    sweeps. With `begin` the clock starts there, as if so many steps had left no trace: plans late in a run."""
    world, sizes = World(model, replicate=replicate), {"S": model.S, "A": model.A, "T": steps}
    known = "P" in learner.knows
    machine = Machine(told(learner, model.dense()) if known else learner, sizes, params, world.rng)
    p, st = machine.p, machine.st
    flat = 0 if "b_states" in params else params.get("samples", 1)
    reference = GOSPRL(
        np.array(params.get("b", np.full((model.S, model.A), flat))),
        delta=1.0 if known else p.delta,
        alpha=1.0 if known else p.alpha,
        family="AME" if known else FAMILIES[p.radius],
        kernel=model.dense() if known else None,
        b_states=params.get("b_states"),
        planner=PLANNERS.get(learner.name, "values"),
    )
    reference.t = begin
    if wrong := counts_differ(st, reference, known):
        return f"at first: {wrong}"
    s, due = world.start(0), True
    for t in range(begin, begin + steps):
        attempts = reference.attempts
        planned = not due or machine.plan(t, s)
        wanted = reference.act(s)
        started = reference.attempts > attempts
        if planned == (started and reference.sweeps > p.max_sweeps):
            return f"step {t}: the plan {'is made' if planned else 'failed'}, against the transcription"
        if not planned:
            return None
        if started != (int(st.attempts[0]) > attempts) or int(st.attempts[0]) != reference.attempts:
            return f"step {t}: {st.attempts[0]} attempts against {reference.attempts}"
        if started and (wrong := plans_differ(st, reference, known)):
            return f"step {t}: {wrong}"
        if due and not started and t > begin:
            return f"step {t}: a plan, against the transcription"
        a = machine.act(t, s)
        if reference.travelling:
            wanted = int(reference.policy[s])  # after ties within rounding
        if a != wanted:
            return f"step {t}: action {a} against {wanted} in state {s}"
        _, s2 = world.step(0, s, a)
        due = machine.watch(t, s, a, 0.0, s2)
        reference.learn(s, a, s2)
        if wrong := counts_differ(st, reference, known):
            return f"step {t}: {wrong}"
        s = s2
    return None


def refusal_differs(learner: Learner, model: Any) -> str | None:
    """A requirement with a negative entry, behind others, is refused by the name of that entry."""
    b = np.zeros((model.S, model.A), dtype=np.int64)
    b[0, 0], b[-1, -1] = 1, -1
    sizes = {"S": model.S, "A": model.A, "T": 1}
    try:
        told(learner, model.dense()).parameters({"b": b.tolist()}, sizes)
    except InputError as refused:
        wanted = f"b[{model.S - 1}, {model.A - 1}] = -1 is negative"
        return None if str(refused).startswith(wanted) else f"refused by '{refused}', not by '{wanted}'"
    return "a negative requirement is not refused"


def told(learner: Learner, P: np.ndarray) -> Learner:
    """The learner with P among its derived constants, as the machine has no model to ask."""
    derive = learner.derive
    assert derive is not None
    return replace(learner, derive=lambda p: {**derive(p), "P": P}, knows=())


def plans_differ(st: Any, reference: GOSPRL, known: bool) -> str | None:
    """The first field of a plan that differs."""
    pairs: list[tuple[str, Any, Any]] = [("plow", st.plow, reference.plow), ("v", st.v, reference.v)]
    pairs += [("v_next", st.v_next, reference.v_next), ("t_k", st.t_k[0], reference.t_k)]
    pairs += [("sweeps", st.sweeps[0], reference.sweeps)]
    if not known:
        pairs = [("U", st.U, reference.U), ("beta", st.beta, reference.beta), *pairs]
    for name, ours, theirs in pairs:
        if far(ours, theirs):
            return f"{name} differs by {np.max(np.abs(np.asarray(ours, float) - np.asarray(theirs, float))):.3g}"
    if reference.planner == "extended" and st.order.tolist() != sorted(range(reference.S), key=lambda x: (st.v[x], x)):
        return f"order {st.order} of v {st.v}"
    for at in np.ndindex(st.width.shape):
        if st.support[at][: st.width[at]].tolist() != np.flatnonzero(st.plow[at]).tolist():
            return f"the support of the row {list(at)} is {st.support[at][: st.width[at]].tolist()}"
    for s in set(range(len(st.pi))) - reference.goals:
        q = np.sort(reference.q[s])
        tied = 0.0 < q[1] - q[0] < 1e-9 if len(q) > 1 else False
        if st.pi[s] != reference.policy[s] and not tied:
            return f"pi[{s}] is {st.pi[s]} against {reference.policy[s]}"
        reference.policy[s] = st.pi[s]
    return None


def counts_differ(st: Any, reference: GOSPRL, known: bool) -> str | None:
    """The first of counts, open states, arrivals and completion time that differs."""
    finished = -1 if reference.finished is None else reference.finished
    goal = [int(s in reference.goals) for s in range(reference.S)]
    t_k = -1 if reference.t_k is None else reference.t_k
    pairs: list[tuple[str, Any, Any]] = [("N", st.N, reference.N), ("goal", st.goal, goal)]
    pairs += [("goals", st.goals[0], len(reference.goals)), ("t_k", st.t_k[0], t_k)]
    pairs += [("arrivals", st.arrivals[0], reference.arrivals), ("finished", st.finished[0], finished)]
    if not known:
        pairs.append(("moves", st.moves, reference.C))
    for name, ours, theirs in pairs:
        if far(ours, theirs, 0.0):
            return f"{name} is {np.asarray(ours).tolist()} against {np.asarray(theirs).tolist()}"
    return None


RANDOM_B = np.random.default_rng(5).integers(0, 5, (4, 3)).tolist()
CASES: dict[str, tuple[Any, dict[str, Any]]] = {
    "riverswim": (riverswim(states=4), {"samples": 4, "alpha": 0.1}),
    "riverswim, bernoulli, theory": (riverswim(states=3, rewards="bernoulli"), {"samples": 3, "delta": 0.3}),
    "wheel": (wheel(states=4), {"samples": 3, "alpha": 0.1}),
    "star, leaves": (star(p=(0.5, 0.25)), {"b": [[0, 0], [4, 0], [0, 4]], "alpha": 0.3}),
    "garnet, random b": (garnet(S=4, A=3, b=2, seed=1), {"b": RANDOM_B, "alpha": 0.05}),
    "garnet, ROS": (garnet(S=4, A=3, b=2, seed=2), {"samples": 5, "alpha": 0.05, "radius": 1}),
    "garnet, L1": (garnet(S=4, A=3, b=2, seed=3), {"samples": 5, "alpha": 0.2, "radius": 2}),
    "nothing asked": (riverswim(states=3), {"samples": 0}),
}


@pytest.mark.parametrize(("model", "params"), CASES.values(), ids=CASES.keys())
def test_gosprl(model: Any, params: dict[str, Any]) -> None:
    for replicate in range(2):
        assert compare(find_learner("gosprl"), model, 400, params, replicate) is None


@pytest.mark.parametrize("name", ["riverswim", "wheel", "star, leaves", "garnet, random b", "nothing asked"])
def test_known_p_greedy(name: str) -> None:
    model, params = CASES[name]
    given = {k: v for k, v in params.items() if k in ("b", "samples")}
    assert compare(find_learner("known-p-greedy"), model, 300, given) is None


@pytest.mark.parametrize("name", ["gosprl", "known-p-greedy"])
def test_a_negative_requirement_is_refused_by_name(name: str) -> None:
    assert refusal_differs(find_learner(name), riverswim(states=3)) is None


def planted(module: Any) -> list[Any]:
    faithful = find_learner(module.learner.name)
    assert module.learner is faithful
    return [pytest.param(v, id=k) for k, v in vars(module).items() if isinstance(v, Learner) and v is not faithful]


EXITS = [[0, 0, 0, 0, 6], [4, 0, 0, 4, 0], [0, 4, 0, 4, 0]]
FAULT_CASES: tuple[tuple[Any, int, dict[str, Any]], ...] = (
    (
        wheel(states=3),
        60,
        {"b": EXITS, "alpha": 0.001},
    ),  # first: with more, negative entries may keep a plan from ending
    (wheel(states=3), 120, {"b": EXITS, "alpha": 0.03}),
    (star(p=(1.0, 0.5)), 80, {"b": [[0, 0], [2, 2], [2, 2]], "alpha": 0.1}),
)


ON_STATES = (garnet(S=3, A=2, b=2, seed=2), 150, {"b_states": [4, 9, 9], "alpha": 0.1})


@pytest.mark.parametrize("mutant", planted(faults))
def test_every_fault_of_gosprl_shows(mutant: Learner) -> None:
    assert any(compare(mutant, m, n, params) is not None for m, n, params in (*FAULT_CASES, ON_STATES))


@pytest.mark.parametrize("mutant", planted(known_faults))
def test_every_fault_of_known_p_greedy_shows(mutant: Learner) -> None:
    cases = [(m, n, {"b": params["b"]}) for m, n, params in FAULT_CASES if params["alpha"] != 0.001]
    assert any(compare(mutant, m, n, params) is not None for m, n, params in cases)


def test_uniform_collection_plays_floor_of_u_times_a_and_stops_its_clock() -> None:
    model, steps = riverswim(states=3), 60
    b = np.array([[3, 3], [2, 1], [0, 0]])
    run = Simulation(
        find_learner("uniform-collection"), model, replicates=1, length=steps, seed=0, target="python",
        params={"b": b.tolist()},
    ).advance()  # fmt: skip
    world, left, finished = World(model), b.copy(), -1
    s = choose(model.mu0, float(draw(world.rng, 0, 0, INITIAL)[0]))
    for t in range(steps):
        a = int(draw(world.rng, t, 0, LEARNER)[0] * model.A)
        left[s, a] -= 1
        if finished < 0 and left.max() <= 0:
            finished = t + 1
        s = world.step(0, s, a)[1]
    assert 9 <= finished == int(run.state["finished"][0, 0])
    assert np.array_equal(run.state["N"][0], b - left)
