"""UCRL2B and KL-UCRL against transcriptions of the papers, plan by plan, and every planted fault as a control.

Rows are compared for the learner's own u: where two states tie in u but for rounding the maximisers of the two sides
differ and the values do not. Values of the two root finders agree to about 1e-10, and a sum over many sweeps of them to
1e-7.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest

from mdps.models.garnet import family as garnet
from mdps.models.jao import family as jao
from mdps.models.riverswim import family as riverswim
from mdps.models.two_state import family as two_state
from proofs_check.mutants import kl_ucrl as kl_ucrl_faults
from proofs_check.mutants import ucrl2b as ucrl2b_faults
from tests.differential._kl_rows import rows_differ
from tests.differential.stepping import Machine, World, clear, far, not_first, ranked, sweeps_said
from tests.reference.kl_ucrl import KLUCRL
from tests.reference.ucrl2b import UCRL2B
from theorylab import AverageReward, TabularMDP
from theorylab.errors import InputError
from theorylab.learner import Learner
from theorylab.registry import find_learner
from theorylab.simulation import Simulation

CLOSE = 1e-7
COINS = {"rewards": "bernoulli"}
SMALL = garnet(S=3, A=2, b=2, seed=2, **COINS)
FORMS = ("2/6", "old")


def circle(*rewards: float) -> TabularMDP:
    """One action and the next state each time: known sizes of the changes of a sweep at known times of plans."""
    S = len(rewards)
    P = np.roll(np.eye(S), 1, axis=1)[:, None]
    name = f"circle-{','.join(map(str, rewards))}"
    return TabularMDP(P=P, r=np.array(rewards)[:, None], mu0=np.eye(S)[0], criterion=AverageReward(), name=name)


def transcription(name: str, model: Any, steps: int, params: dict[str, Any]) -> Any:
    """The learner's transcription with the same parameters."""
    given = {k: v for k, v in params.items() if k != "max_sweeps"}
    if name == "kl-ucrl":
        return KLUCRL(model.S, model.A, steps, **given)
    form = FORMS[given.pop("form", 0)]
    return UCRL2B(model.S, model.A, form=form, **given)


def planned(name: str, reference: Any) -> dict[str, Any]:
    """What a plan must agree on: the learner's field -> the transcription's value."""
    fields = {k: getattr(reference, k) for k in ("N", "nu", "r_up", "radius_r", "u", "u_next")}
    fields["moves"] = reference.P
    if name == "kl-ucrl":
        return fields | dict(total=reference.R, p_hat=reference.p_hat, radius_p=reference.radius_p)
    sums = np.array([[[sum(x), sum(r * r for r in x)] for x in row] for row in reference.rewards])
    free = 1.0 - reference.low.sum(axis=2)
    fields["p_hat"] = reference.P / np.maximum(reference.N, 1)[..., None]
    return fields | dict(total=sums[..., 0], squares=sums[..., 1], low=reference.low, high=reference.high, free=free)


def plans_differ(name: str, st: Any, reference: Any) -> str | None:
    """The first thing of a plan that differs; where actions tie within rounding the transcription takes ours."""
    for field, theirs in planned(name, reference).items():
        if far(getattr(st, field), theirs, CLOSE):
            return f"{field} differs"
    if far(np.einsum("ijk,k->ij", st.law, st.u), np.einsum("ijk,k->ij", reference.law, reference.u), CLOSE):
        return "the values of the optimistic rows differ"
    if wrong := last_rows_differ(name, st, reference):
        return wrong
    if st.sweeps[0] != reference.iterations:
        return f"{st.sweeps[0]} sweeps against {reference.iterations}"
    change = reference.u_next - reference.u
    if far(st.gain, (change.min(), change.max()), CLOSE):
        return f"gain {st.gain} against {change.min()}, {change.max()}"
    if wrong := not_first(st):
        return wrong
    for s in range(len(st.pi)):
        gap = reference.q[s].max() - reference.q[s, st.pi[s]]
        if gap > CLOSE:
            return f"pi[{s}] is {st.pi[s]} against {reference.pi[s]}"
        reference.pi[s] = st.pi[s]
    return None


def last_rows_differ(name: str, st: Any, reference: Any) -> str | None:
    """The rows of the last sweep against the transcription's for the learner's own u, whose ties are then the same."""
    if name == "kl-ucrl":
        if st.best[0] != int(np.argmax(st.u)):
            return f"best {st.best[0]} of u {st.u}"
    elif st.order.tolist() != ranked(st.u):
        return f"order {st.order} of u {st.u}"
    reference.backup(st.u)
    return "the optimistic rows differ" if far(st.law, reference.law, CLOSE) else None


def follow(learner: Learner, model: Any, steps: int, params: dict[str, Any]) -> tuple[str | None, Any, Any]:
    """The first difference, the learner's state and the transcription at the end."""
    world = World(model)
    machine = Machine(learner, {"S": model.S, "A": model.A, "T": steps}, params, world.rng)
    reference = transcription(learner.name, model, steps, params)
    s, due = world.start(0), True
    for t in range(steps):
        before = reference.episodes
        made = not due or machine.plan(t, s)
        wanted = reference.act(s)
        if due != (reference.episodes > before):
            return f"step {t}: {'a plan' if due else 'no plan'}, against the transcription", machine.st, reference
        if made != (not due or reference.iterations <= machine.p.max_sweeps):
            return f"step {t}: {sweeps_said(made, reference)}", machine.st, reference
        if not made:  # on both sides: the run ends here
            return None, machine.st, reference
        if due and (wrong := plans_differ(learner.name, machine.st, reference)):
            return f"step {t}: {wrong}", machine.st, reference
        a = machine.act(t, s)
        if a != int(reference.pi[s]) or (a != wanted and clear(reference.q[s], False)):
            return f"step {t}: action {a} against {wanted}", machine.st, reference
        r, s2 = world.step(0, s, a)
        due = machine.watch(t, s, a, r, s2)
        reference.learn(s, a, r, s2)
        if far(machine.st.nu, reference.nu, 0.0):
            return f"step {t}: nu differs", machine.st, reference
        s = s2
    return None, machine.st, reference


def accepted(learner: Learner, params: dict[str, Any]) -> str | None:
    """Says so where parameters without meaning are not refused."""
    try:
        learner.parameters(params, {"S": 2, "A": 2, "T": 10})
    except InputError:
        return None
    return f"{params} is accepted"


CASES = {
    "riverswim": (riverswim(states=4, **COINS), {"delta": 0.1}),
    "deterministic rewards": (riverswim(states=3), {"delta": 0.1, "scale": 0.2}),
    "deterministic model": (two_state(), {"delta": 0.1}),
    "jao": (jao(delta=0.25, epsilon=0.1, **COINS), {"delta": 0.5, "scale": 0.3}),
    "garnet": (garnet(S=4, A=3, b=2, seed=1, **COINS), {"delta": 0.1, "scale": 0.2}),
    "mixed": (SMALL, {"delta": 0.1, "scale": 0.2, "tau": 0.5}),
}
OLDER = {
    "older form": (SMALL, {"delta": 0.1, "form": 1, "scale": 0.1}),
    "older form with a multiplier": (riverswim(states=3, **COINS), {"delta": 0.1, "form": 1, "alpha": 0.1}),
    "unmixed": (SMALL, {"delta": 0.1, "scale": 0.2, "tau": 1.0}),
}


@pytest.mark.parametrize(("model", "params"), [*CASES.values(), *OLDER.values()], ids=[*CASES, *OLDER])
def test_ucrl2b(model: Any, params: dict[str, Any]) -> None:
    wrong, _, reference = follow(find_learner("ucrl2b"), model, 400, params)
    assert wrong is None
    assert reference.episodes >= 8


@pytest.mark.parametrize(("model", "params"), CASES.values(), ids=CASES.keys())
def test_kl_ucrl(model: Any, params: dict[str, Any]) -> None:
    wrong, _, reference = follow(find_learner("kl-ucrl"), model, 250, params)
    assert wrong is None
    assert reference.episodes >= 8


def mutants(module: ModuleType) -> list[Any]:
    """Every planted fault of a file, by name."""
    faithful = find_learner(module.learner.name)
    found = [(k, v) for k, v in vars(module).items() if isinstance(v, Learner) and v is not faithful]
    assert found and module.learner is faithful
    return [pytest.param(v, id=k) for k, v in found]


@pytest.mark.parametrize("mutant", mutants(ucrl2b_faults))
def test_every_fault_of_ucrl2b_shows(mutant: Learner) -> None:
    # few sweeps are allowed, so that a fault that keeps them from converging shows as a plan that fails
    assert follow(mutant, SMALL, 300, {"delta": 0.1, "scale": 0.05, "max_sweeps": 300})[0] is not None


@pytest.mark.parametrize("mutant", mutants(kl_ucrl_faults))
def test_every_fault_of_kl_ucrl_shows(mutant: Learner) -> None:
    assert follow(mutant, SMALL, 200, {"delta": 0.1, "scale": 0.2, "max_sweeps": 300})[0] is not None


def test_rows_of_kl_ucrl_that_runs_seldom_meet() -> None:
    assert rows_differ(find_learner("kl-ucrl"), 300) is None
    assert rows_differ(kl_ucrl_faults.first_guess_only, 300) is not None


@pytest.mark.parametrize("name", ["ucrl2b", "kl-ucrl"])
def test_a_tau_outside_its_range_is_refused(name: str) -> None:
    spec = find_learner(name)
    assert accepted(spec, {"tau": 0.0}) is accepted(spec, {"tau": 1.5}) is None
    assert accepted(spec, {"tau": 1.0}) is not None


def test_a_plan_that_needs_too_many_sweeps_fails_on_both_sides() -> None:
    given = {"delta": 0.1, "scale": 0.02, "tau": 0.6, "max_sweeps": 8}
    wrong, _, reference = follow(find_learner("ucrl2b"), riverswim(states=4), 300, given)
    assert wrong is None and reference.iterations > 8 and reference.t < 300


@pytest.mark.parametrize("name", ["ucrl2b", "kl-ucrl"])
def test_a_run_is_the_trajectory_that_was_compared(name: str) -> None:
    spec, steps = find_learner(name), 200
    wrong, st, reference = follow(spec, SMALL, steps, {"delta": 0.1})
    assert wrong is None
    run = Simulation(spec, SMALL, replicates=1, length=steps, target="python").advance()
    for field in spec.state:
        assert run.state[field][0].tolist() == getattr(st, field).tolist()
    assert run.observed["cur"][0, 2] == reference.episodes > 5
