"""PMEVI-DT against a transcription that finds its commutes from the whole history, and every planted fault."""

from __future__ import annotations

from typing import Any

import pytest

from mdps.models.garnet import family as garnet
from mdps.models.jao import family as jao
from mdps.models.riverswim import family as riverswim
from mdps.models.three_state import family as three_state
from mdps.models.two_state import family as two_state
from proofs_check.kill_matrix import planted
from tests.differential.stepping import Machine, World, far, not_first, sweeps_said
from tests.differential.test_scal import AT_HALF, BELOW_HALF, CLOSE, SMALL, Case, chosen_differ, sets_differ, sets_of
from tests.reference.pmevi_dt import PMEVIDT
from theorylab.errors import InputError
from theorylab.learner import Learner
from theorylab.registry import find_learner
from theorylab.simulation import Simulation


def plans_differ(st: Any, reference: PMEVIDT) -> str | None:
    """The first thing of a plan that differs."""
    for name in ("est", "limit", "bonus", "mark", "paid_at"):
        if far(getattr(st, name), getattr(reference, name), CLOSE):
            return f"{name} is {getattr(st, name).tolist()} against {getattr(reference, name).tolist()}"
    if st.contradicted[0] != reference.contradicted:
        return f"contradicted {st.contradicted[0]} against {reference.contradicted}"
    return sets_differ(st, reference) or not_first(st) or chosen_differ(st.pi, reference.pi, reference.q)


def compare(learner: Learner, model: Any, steps: int, params: dict[str, Any], replicate: int = 0) -> str | None:
    """The first difference."""
    return follow(learner, model, steps, params, replicate)[0]


def follow(
    learner: Learner, model: Any, steps: int, params: dict[str, Any], replicate: int = 0
) -> tuple[str | None, Any, PMEVIDT]:
    """The first difference, the learner's state and the transcription at the end."""
    world = World(model, replicate=replicate)
    machine = Machine(learner, {"S": model.S, "A": model.A, "T": steps}, params, world.rng)
    given = sets_of(params)
    if not given.get("span"):
        given["span"] = steps**0.2
    reference = PMEVIDT(model.S, model.A, **{"delta": 0.1, **given})
    s, due = world.start(0), True
    for t in range(steps):
        if due != (t == 0 or reference.ended):
            return f"step {t}: {'a plan' if due else 'no plan'}, against the transcription", machine.st, reference
        if due:
            made = machine.plan(t, s)
            reference.start_episode()
            if made != (reference.iterations <= machine.p.max_sweeps):
                return f"step {t}: {sweeps_said(made, reference)}", machine.st, reference
            if not made:  # on both sides: the run ends here
                return None, machine.st, reference
            if wrong := plans_differ(machine.st, reference):
                return f"step {t}: {wrong}", machine.st, reference
        a = machine.act(t, s)
        if a != reference.pi[s]:
            return f"step {t}: action {a} against {reference.pi[s]}", machine.st, reference
        r, s2 = world.step(0, s, a)
        due = machine.watch(t, s, a, r, s2)
        reference.learn(s, a, r, s2)
        if far(machine.st.nu, reference.nu, 0.0):
            return f"step {t}: nu differs", machine.st, reference
        s = s2
    return None, machine.st, reference


#: more is paid than owed; bounds that contradict each other off the last state; a tie with the precision of a plan
RARE: list[Case] = [
    (garnet(S=2, A=1, b=2, seed=3, rewards="bernoulli"), 120, {"span": 3.0, "scale": 0.0, "max_sweeps": 300}),
    (garnet(S=3, A=1, b=3, seed=0), 120, {"span": 0.1, "scale": 0.0, "max_sweeps": 300}),
    *((m, 10, {"span": 4.0, "scale": 0.0, "tau": 0.5, "max_sweeps": 300}) for m in (AT_HALF, BELOW_HALF)),
]
CASES: list[Case] = [
    (SMALL, 160, {"scale": 0.02, "max_sweeps": 300}),
    (three_state(q=0.1), 150, {"span": 1.1, "scale": 0.02, "max_sweeps": 300}),
    (riverswim(states=4, rewards="bernoulli"), 180, {"span": 3.5, "scale": 0.02, "tau": 0.6, "max_sweeps": 300}),
    (jao(delta=0.25, epsilon=0.1, rewards="bernoulli"), 180, {"scale": 0.1, "max_sweeps": 300}),
    (garnet(S=4, A=3, b=4, seed=1), 160, {"span": 0.5, "scale": 0.01, "form": 1, "alpha": 0.4, "max_sweeps": 300}),
    (garnet(S=4, A=2, b=4, seed=1, rewards="bernoulli"), 300, {"span": 0.5, "scale": 0.02, "max_sweeps": 300}),
    (SMALL, 160, {"span": 0.02, "scale": 0.0, "tau": 1.0, "max_sweeps": 300}),
    (riverswim(states=4), 150, {"scale": 0.02, "tau": 0.6, "max_sweeps": 8}),
    (two_state(), 100, {"max_sweeps": 300}),
    (garnet(S=1, A=3, b=1, seed=1), 40, {"max_sweeps": 300}),
]


@pytest.mark.parametrize("case", CASES[:3], ids=lambda c: c[0].name)
def test_transcription(case: Case) -> None:
    model, steps, params = case
    wrong, _, reference = follow(find_learner("pmevi-dt"), model, steps // 2, params)
    assert wrong is None
    assert reference.episodes >= 8


@pytest.mark.long
def test_transcription_at_length() -> None:
    narrowed = contradicted = 0
    for model, steps, params in CASES:
        for replicate in range(2):
            wrong, st, reference = follow(find_learner("pmevi-dt"), model, 3 * steps, params, replicate)
            assert wrong is None, (model.name, params)
            narrowed += int((st.limit < reference.c0).sum() > model.S)
            contradicted += reference.contradicted
    assert narrowed >= 6 and contradicted > 0


@pytest.mark.long
@pytest.mark.parametrize("name", ["pmevi-dt"])
def test_every_fault_shows(name: str) -> None:
    for fault, mutant in planted(name).items():
        assert any(compare(mutant, *case) for case in CASES[:7]), fault


def test_what_is_refused() -> None:
    spec = find_learner("pmevi-dt")
    for wrong in ({"span": -1.0}, {"tau": 0.0}, {"form": 2}, {"alpha": -1.0}):
        with pytest.raises(InputError, match="pmevi-dt"):
            spec.parameters(wrong, {"S": 2, "A": 2, "T": 10})
    assert spec.parameters({}, {"S": 2, "A": 2, "T": 100_000})["c0"] == pytest.approx(10.0)


def test_a_run_is_the_trajectory_that_was_compared() -> None:
    spec, (model, steps, params) = find_learner("pmevi-dt"), CASES[0]
    wrong, st, reference = follow(spec, model, steps, params)
    assert wrong is None
    run = Simulation(spec, model, replicates=1, length=steps, target="python", params=params).advance()
    for field in spec.state:
        assert run.state[field][0].tolist() == getattr(st, field).tolist()
    assert run.observed["cur"][0, 2] == reference.episodes > 5
