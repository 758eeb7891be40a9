"""SCAL against a transcription, plan by plan and draw by draw, and every planted fault as a control."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mdps.models.garnet import family as garnet
from mdps.models.jao import family as jao
from mdps.models.riverswim import family as riverswim
from mdps.models.three_state import family as three_state
from mdps.models.two_state import family as two_state
from proofs_check.kill_matrix import planted
from tests.differential.stepping import Machine, World, far, not_first, ranked, sweeps_said
from tests.differential.test_average_learners import circle
from tests.reference.scal import SCAL
from theorylab.errors import InputError
from theorylab.learner import Learner
from theorylab.registry import find_learner
from theorylab.rng import LEARNER, draw
from theorylab.simulation import Simulation

CLOSE = 1e-7
SMALL = garnet(S=3, A=2, b=2, seed=2, rewards="bernoulli")
# planned at t = 3 with one visit each: the first sweep's changes span .5, the precision there, or less
AT_HALF, BELOW_HALF = circle(0.0, 0.5, 0.25), circle(0.0, 0.46, 0.25)
FORMS = ("2/6", "old")
Case = tuple[Any, int, dict[str, Any]]


def sets_of(params: dict[str, Any]) -> dict[str, Any]:
    """Parameters by the transcription's names."""
    given = {k: v for k, v in params.items() if k not in ("max_sweeps", "form")}
    return given | {"form": FORMS[params.get("form", 0)]}


def sets_differ(st: Any, reference: Any) -> str | None:
    """The first array of counts, sets and sweeps that differs; of the fields of `ucrl2b`."""
    sums = np.array([[[sum(x), sum(r * r for r in x)] for x in row] for row in reference.rewards])
    fields = {k: getattr(reference, k) for k in ("N", "nu", "r_up", "radius_r", "low", "high", "u", "u_next", "raised")}
    fields |= dict(moves=reference.P, total=sums[..., 0], squares=sums[..., 1], free=1.0 - reference.low.sum(axis=2))
    fields["p_hat"] = reference.P / np.maximum(reference.N, 1)[..., None]
    fields["sweeps"] = np.array([reference.iterations])
    change = reference.u_next - reference.u
    fields["gain"] = np.array([change.min(), change.max()])
    for name, theirs in fields.items():
        if far(getattr(st, name), theirs, CLOSE):
            return f"{name} is {getattr(st, name).tolist()} against {theirs.tolist()}"
    if st.order.tolist() != ranked(st.u):
        return f"order {st.order} of u {st.u}"
    # for the learner's own u, whose ties are then the same
    reference.backup(st.u)
    return "the optimistic rows differ" if far(st.law, reference.law, CLOSE) else None


def chosen_differ(ours: Any, theirs: Any, values: Any) -> str | None:
    """An action that is not among the best by more than rounding; the transcription then takes ours."""
    for s in range(len(ours)):
        gap = values[s].max() - values[s, ours[s]]
        if gap > CLOSE:
            return f"action {ours[s]} of state {s} against {theirs[s]}"
        theirs[s] = ours[s]
    return None


def plans_differ(st: Any, reference: SCAL) -> str | None:
    """The first thing of a plan that differs."""
    if wrong := sets_differ(st, reference) or not_first(st) or chosen_differ(st.pi, reference.pi, reference.q):
        return wrong
    cut = np.flatnonzero(reference.raised > reference.u_next)
    kept = np.setdiff1d(np.arange(len(st.pi)), cut)
    if (
        far(st.mix[kept], 1.0, 0.0)
        or far(st.worst[kept], st.pi[kept], 0.0)
        or far(st.floor[kept], st.raised[kept], 0.0)
    ):
        return "a mixture below the threshold"
    if any((reference.N[s, : st.worst[s] + 1] == 0).sum() > 1 and reference.N[s, st.worst[s]] == 0 for s in cut):
        return "worst is not the first of actions that look alike to the last bit"
    theirs = reference.worst[cut].copy()
    if wrong := chosen_differ(st.worst[cut], theirs, -reference.least[cut]):
        return f"worst: {wrong}"
    reference.worst[cut] = theirs
    if far(st.floor[cut], reference.least[cut].min(axis=1), CLOSE) or far(st.restart[0], reference.eta):
        return "floor or restart differs"
    # a weight is a quotient of differences, which may be small
    if far(st.mix * (st.raised - st.floor), reference.weight * (st.raised - st.floor), CLOSE):
        return f"mix {st.mix} against {reference.weight}"
    return None


def compare(learner: Learner, model: Any, steps: int, params: dict[str, Any], replicate: int = 0) -> str | None:
    """The first difference."""
    return follow(learner, model, steps, params, replicate)[0]


def follow(
    learner: Learner, model: Any, steps: int, params: dict[str, Any], replicate: int = 0
) -> tuple[str | None, Any, SCAL]:
    """The first difference, the learner's state and the transcription at the end."""
    world = World(model, replicate=replicate)
    machine = Machine(learner, {"S": model.S, "A": model.A, "T": steps}, params, world.rng)
    reference = SCAL(model.S, model.A, **{"delta": 0.1, **sets_of(params)})
    s, due = world.start(0), True
    for t in range(steps):
        coin = draw(world.rng, t, 0, LEARNER)[0]
        if due != (t == 0 or reference.due(s, coin)):
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
            coin = draw(world.rng, t, 1, LEARNER)[0]
        a, wanted = machine.act(t, s), reference.action(s, coin)
        if a != wanted:
            return f"step {t}: action {a} against {wanted}", machine.st, reference
        r, s2 = world.step(0, s, a)
        due = machine.watch(t, s, a, r, s2)
        reference.learn(s, a, r, s2)
        if far(machine.st.nu, reference.nu, 0.0):
            return f"step {t}: nu differs", machine.st, reference
        s = s2
    return None, machine.st, reference


CASES: list[Case] = [
    (SMALL, 160, {"span": 0.05, "scale": 0.1, "max_sweeps": 300}),
    (three_state(q=0.1), 150, {"span": 1.1, "scale": 0.1, "max_sweeps": 300}),
    (riverswim(states=4, rewards="bernoulli"), 180, {"span": 3.5, "scale": 0.2, "tau": 0.6, "max_sweeps": 300}),
    (jao(delta=0.25, epsilon=0.1, rewards="bernoulli"), 180, {"span": 0.5, "scale": 0.3, "max_sweeps": 300}),
    (garnet(S=4, A=3, b=3, seed=1), 160, {"span": 0.3, "scale": 0.05, "form": 1, "alpha": 0.4, "max_sweeps": 300}),
    (SMALL, 160, {"span": 0.05, "scale": 0.1, "tau": 1.0, "max_sweeps": 300}),
    (riverswim(states=4), 150, {"span": 3.5, "scale": 0.02, "tau": 0.6, "max_sweeps": 8}),
    (two_state(), 100, {"span": 1.0, "max_sweeps": 300}),
    (garnet(S=1, A=3, b=1, seed=1), 40, {"span": 1.0, "max_sweeps": 300}),
]


#: sets so narrow that the least plausible laws of truncated states differ between actions, and ties
NARROW: list[Case] = [
    (garnet(S=4, A=3, b=4, seed=1), 160, {"span": 0.2, "scale": 0.01, "max_sweeps": 300}),
    (garnet(S=4, A=2, b=3, seed=2, rewards="bernoulli"), 160, {"span": 0.2, "scale": 0.01, "max_sweeps": 300}),
    (garnet(S=3, A=3, b=3, seed=1), 160, {"span": 0.2, "scale": 0.0, "max_sweeps": 300}),
    # the least raised value is that of the last of two states
    (garnet(S=2, A=1, b=2, seed=0), 120, {"span": 0.1, "scale": 0.0, "max_sweeps": 300}),
    # above the threshold, states not yet visited
    (riverswim(states=4), 60, {"span": 0.05, "scale": 0.0, "max_sweeps": 300}),
    *((m, 10, {"span": 4.0, "scale": 0.0, "tau": 0.5, "max_sweeps": 300}) for m in (AT_HALF, BELOW_HALF)),
]


def refused(learner: Learner) -> str | None:
    """Says so where parameters without meaning are not refused, or what has a meaning is."""
    for wrong in (
        {},
        {"span": -1.0},
        {"span": 1.0, "tau": 0.0},
        {"span": 1.0, "form": 2},
        {"span": 1.0, "alpha": -1.0},
    ):
        try:
            learner.parameters(wrong, {"S": 2, "A": 2, "T": 10})
        except InputError:
            continue
        return f"{wrong} is accepted"
    return None


@pytest.mark.parametrize("case", CASES[:3], ids=lambda c: c[0].name)
def test_transcription(case: Case) -> None:
    model, steps, params = case
    wrong, _, reference = follow(find_learner("scal"), model, steps // 2, params)
    assert wrong is None
    assert reference.episodes >= 8


@pytest.mark.long
def test_transcription_at_length() -> None:
    mixed = 0
    for model, steps, params in CASES:
        for replicate in range(2):
            wrong, st, _ = follow(find_learner("scal"), model, 3 * steps, params, replicate)
            assert wrong is None, (model.name, params)
            mixed += int(np.any((st.mix > 0.0) & (st.mix < 1.0)))
    assert mixed >= 6


@pytest.mark.long
@pytest.mark.parametrize("name", ["scal"])
def test_every_fault_shows(name: str) -> None:
    for fault, mutant in planted(name).items():
        assert any(compare(mutant, *case) for case in CASES[:5]), fault


def test_what_is_refused() -> None:
    assert refused(find_learner("scal")) is None
    with pytest.raises(InputError, match=r"span=0.0 is not positive; give an upper bound"):
        find_learner("scal").parameters({}, {"S": 2, "A": 2, "T": 10})


def test_a_run_is_the_trajectory_that_was_compared() -> None:
    spec, (model, steps, params) = find_learner("scal"), CASES[0]
    wrong, st, reference = follow(spec, model, steps, params)
    assert wrong is None
    run = Simulation(spec, model, replicates=1, length=steps, target="python", params=params).advance()
    for field in spec.state:
        assert run.state[field][0].tolist() == getattr(st, field).tolist()
    assert run.observed["cur"][0, 2] == reference.episodes > 5
