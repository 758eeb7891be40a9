"""gosprl-explore and gosprl-diameter against a transcription of their loop and rules; planted faults as controls."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from mdps.learners import gosprl_diameter, gosprl_explore
from mdps.models.garnet import family as garnet
from mdps.models.star import family as star
from mdps.models.two_state import family as two_state
from mdps.models.wheel import family as wheel
from proofs_check.mutants import gosprl_diameter as diameter_faults
from proofs_check.mutants import gosprl_explore as explore_faults
from tests.differential.stepping import Machine, World, far
from tests.differential.test_gosprl import FAMILIES, plans_differ
from tests.reference.gosprl_rules import Diameter, Explore, RuleGOSPRL
from theorylab.errors import InputError
from theorylab.learner import Learner

EXPLORE, DIAMETER = gosprl_explore.learner, gosprl_diameter.learner


def transcription(learner: Learner, model: Any, p: Any) -> RuleGOSPRL:
    """The transcription with the parameters that the learner was given."""
    if learner.name == EXPLORE.name:
        rule: Any = Explore(p.times, p.epsilon, p.cost, p.theta, p.alpha0)
    else:
        rule = Diameter(p.epsilon, p.max_sweeps)
    return RuleGOSPRL(rule, model.S, model.A, p.delta, p.alpha, FAMILIES[p.radius])


def task_differs(st: Any, rule: Any) -> str | None:
    """The first difference in the task's own state."""
    if isinstance(rule, Diameter):
        pairs = [("W", st.guess[0], rule.W), ("rounds", st.rounds[0], float(rule.rounds))]
        pairs.append(("estimate", st.estimate[0], rule.estimate))
        known = rule.rounds > 1 or math.isfinite(rule.v)
        pairs.append(("|v|", st.largest[0], rule.v if known else 0.0))
        for name, ours, theirs in pairs:
            if ours != theirs and (math.isinf(theirs) or far(ours, theirs, 1e-9 * max(1.0, abs(theirs)))):
                return f"{name} is {ours} against {theirs}"
    return None


def ended(reference: RuleGOSPRL) -> tuple[int, bool] | None:
    """How far the diameter's rounds are."""
    return (reference.rule.rounds, reference.finished is not None) if isinstance(reference.rule, Diameter) else None


def compare(
    learner: Learner, model: Any, steps: int, params: dict[str, Any], replicate: int = 0, begin: int = 0
) -> str | None:
    """The first difference in lookups, plans, actions, counts and results, or None; with `begin` the clock starts
    there, as if so many steps had left no trace. Up to a plan of an attempt that needs too many sweeps."""
    world = World(model, replicate=replicate)
    machine = Machine(learner, {"S": model.S, "A": model.A, "T": steps}, {"max_sweeps": 5_000, **params}, world.rng)
    st, reference = machine.st, transcription(learner, model, machine.p)
    reference.t = begin
    s, due = world.start(0), True
    for t in range(begin, begin + steps):
        planned = not due or machine.plan(t, s)
        idle = reference.travelling or s in reference.goals or reference.finished is not None
        if due != (reference.due or not idle):
            return f"step {t}: {'a lookup' if due else 'no lookup'}, against the transcription"
        attempts, rounds = reference.attempts, ended(reference)
        wanted = reference.act(s)
        started = reference.attempts > attempts
        if planned == (started and reference.sweeps > machine.p.max_sweeps):
            return f"step {t}: the plan {'is made' if planned else 'failed'}, against the transcription"
        if not planned:
            return None
        if started and (wrong := plans_differ(st, reference, False)):
            return f"step {t}: {wrong}"
        a = machine.act(t, s)
        if due:
            if not started and ended(reference) not in (rounds, (1, False)):  # v is that of a plan of the rule
                if st.order.tolist() != sorted(range(model.S), key=lambda x: (st.v[x], x)):
                    return f"step {t}: order {st.order} of v {st.v}"
                if st.sweeps[0] != reference.sweeps:
                    return f"step {t}: {st.sweeps[0]} sweeps against {reference.sweeps}"
            if far(st.need, reference.b, 0.0):
                return f"step {t}: need is {st.need.tolist()} against {reference.b.tolist()}"
            if wrong := task_differs(st, reference.rule):
                return f"step {t}: {wrong}"
        finished = -1 if reference.finished is None else reference.finished
        for name, ours, theirs in (
            ("goals", st.goal, [int(x in reference.goals) for x in range(model.S)]),
            ("finished", st.finished[0], finished),
            ("attempts", st.attempts[0], reference.attempts),
            ("arrivals", st.arrivals[0], reference.arrivals),
            ("t_k", st.t_k[0], -1 if reference.t_k is None else reference.t_k),
        ):
            if far(ours, theirs, 0.0):
                return f"step {t}: {name} is {np.asarray(ours).tolist()} against {np.asarray(theirs).tolist()}"
        if a != wanted:
            tied = reference.travelling and abs(reference.q[s, a] - reference.q[s, wanted]) <= 1e-9 * reference.q[s, a]
            if not tied:
                return f"step {t}: action {a} against {wanted} in state {s}"
        if reference.travelling:
            reference.policy = st.pi.copy()
        _, s2 = world.step(0, s, a)
        due = machine.watch(t, s, a, 0.0, s2)
        reference.learn(s, a, s2)
        if far(st.N, reference.N, 0.0) or far(st.moves, reference.C, 0.0):
            return f"step {t}: counts differ"
        if far(st.need, reference.b, 0.0) or st.goals[0] != len(reference.goals):
            return f"step {t}: need is {st.need.tolist()} against {reference.b.tolist()}, or the number of open states"
        s = s2
    return None


FORK = star(p=(0.5, 0.25))
FORKED = {"times": 2.0, "epsilon": 0.8, "cost": 0.1, "theta": 2.0, "alpha0": 0.001, "alpha": 0.1}
EXPLORE_CASES: tuple[tuple[Any, int, dict[str, Any]], ...] = (
    (FORK, 160, FORKED),
    (wheel(states=3), 150, {"times": 1.5, "epsilon": 0.5, "alpha0": 0.01, "alpha": 0.1}),
    (garnet(S=4, A=2, b=3, seed=1), 200, {"times": 3.0, "epsilon": 0.9, "cost": 0.5, "alpha0": 0.003, "alpha": 0.05}),
)
DIAMETER_CASES: tuple[tuple[Any, int, dict[str, Any]], ...] = (
    (star(p=(0.3,)), 160, {"epsilon": 1.0, "alpha": 0.02}),
    (star(p=(0.5, 0.25)), 260, {"epsilon": 1.0, "alpha": 0.01}),
    (two_state(slip=0.2), 150, {"epsilon": 0.5, "alpha": 0.02}),
)


@pytest.mark.parametrize(("model", "steps", "params"), EXPLORE_CASES, ids=lambda x: getattr(x, "name", None))
def test_explore(model: Any, steps: int, params: dict[str, Any]) -> None:
    assert compare(EXPLORE, model, steps, params) is None


@pytest.mark.parametrize(("model", "steps", "params"), DIAMETER_CASES, ids=lambda x: getattr(x, "name", None))
def test_diameter(model: Any, steps: int, params: dict[str, Any]) -> None:
    assert compare(DIAMETER, model, steps, params) is None


def planted(module: Any) -> list[Any]:
    """The faults of a file."""
    found = {k: v for k, v in vars(module).items() if isinstance(v, Learner) and k != "learner"}
    return [pytest.param(v, id=k) for k, v in found.items()]


@pytest.mark.long
@pytest.mark.parametrize("mutant", planted(explore_faults))
def test_every_fault_of_explore_shows(mutant: Learner) -> None:
    assert any(compare(mutant, m, n, g) is not None for m, n, g in EXPLORE_CASES)


@pytest.mark.long
@pytest.mark.parametrize("mutant", planted(diameter_faults))
def test_every_fault_of_diameter_shows(mutant: Learner) -> None:
    assert any(compare(mutant, m, n, g) is not None for m, n, g in DIAMETER_CASES)


def test_one_fault_of_each_shows() -> None:
    assert compare(explore_faults.square_for_cube, *EXPLORE_CASES[0]) is not None
    assert compare(diameter_faults.iterate_for_policy, *DIAMETER_CASES[0]) is not None


@pytest.mark.parametrize(
    ("learner", "params", "word"),
    [
        (EXPLORE, {"times": 0.5}, "times=0.5 is below 1"),
        (EXPLORE, {"cost": 1.5}, "cost=1.5"),
        (EXPLORE, {"alpha0": 0.0}, "alpha0=0.0 must be positive"),
        (EXPLORE, {"times": 1.0, "epsilon": 3.0}, "epsilon=3.0 is above theta"),
        (DIAMETER, {"epsilon": 1.2}, "epsilon=1.2 is above 1"),
        (DIAMETER, {"epsilon": 0.0}, "epsilon=0.0 must be positive"),
        (DIAMETER, {"alpha": 0.0}, "alpha=0.0 must be positive"),
    ],
)
def test_what_is_refused(learner: Learner, params: dict[str, Any], word: str) -> None:
    with pytest.raises(InputError, match=word):
        learner.parameters(params, {"S": 3, "A": 2, "T": 5})
