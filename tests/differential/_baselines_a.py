"""0/1-UCRL and R-MAX for collection against their transcriptions, step by step: plans, actions, counts, the end.

A choice of the plan is compared where it leads by more than rounding; in ties within rounding the transcription goes on
with the kernels' choice. Exact ties go to the lowest action on both sides where both sides compute the same numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mdps.models.garnet import family as garnet
from mdps.models.riverswim import family as riverswim
from mdps.models.star import family as star
from mdps.models.wheel import family as wheel
from tests.differential.stepping import Machine, World, far, ranked
from tests.reference.r_max_collection import RMaxCollection
from tests.reference.zero_one_ucrl import ZeroOneUCRL
from theorylab.learner import Learner

TIED = 1e-9
Reference = ZeroOneUCRL | RMaxCollection


def transcription(learner: Learner, p: Any) -> Reference:
    """The transcription with the parameters that the learner runs with."""
    if learner.name == "zero-one-ucrl":
        return ZeroOneUCRL(p.b, p.delta, p.alpha, p.tau, p.max_sweeps)
    return RMaxCollection(p.b, p.gamma, p.precision)


def compare(learner: Learner, model: Any, steps: int, params: dict[str, Any], replicate: int = 0) -> str | None:
    """The first difference, or None; up to a plan that needs too many sweeps."""
    world = World(model, replicate=replicate)
    machine = Machine(learner, {"S": model.S, "A": model.A, "T": steps}, params, world.rng)
    asked = np.array(params.get("b", np.full((model.S, model.A), params.get("samples", 1))))
    if not np.array_equal(machine.p.b, asked):
        return "b is not what was asked for"
    reference = transcription(learner, machine.p)
    s, due = world.start(0), True
    for t in range(steps):
        before = made_by(reference)
        planned = not due or machine.plan(t, s)
        wanted = reference.act(s)
        new = made_by(reference) > before
        if due != new and not (t == 0 and reference.finished == 0):
            return f"step {t}: {'a plan' if due else 'no plan'}, against the transcription"
        if planned == (new and reference.sweeps > machine.p.max_sweeps):
            return f"step {t}: the plan {'is made' if planned else 'failed'}, against the transcription"
        if not planned:
            return None
        if new and (wrong := plans_differ(machine.st, reference)):
            return f"step {t}: {wrong}"
        a = machine.act(t, s)
        if new or reference.finished is None:
            wanted = int(reference.policy[s])  # after ties within rounding
        if a != wanted:
            return f"step {t}: action {a} against {wanted} in state {s}"
        _, s2 = world.step(0, s, a)
        due = machine.watch(t, s, a, 0.0, s2)
        reference.learn(s, a, s2)
        if wrong := counts_differ(machine.st, reference):
            return f"step {t}: {wrong}"
        s = s2
    return None


def made_by(reference: Reference) -> int:
    """Plans so far."""
    return reference.episodes if isinstance(reference, ZeroOneUCRL) else reference.plans


def plans_differ(st: Any, reference: Reference) -> str | None:
    """The first field of a plan that differs."""
    pairs: list[tuple[str, Any, Any]]
    if isinstance(reference, ZeroOneUCRL):
        change = reference.u_next - reference.u
        pairs = [("U", st.U, reference.U), ("r_up", st.r_up, reference.reward), ("low", st.low, reference.low)]
        pairs += [("high", st.high, reference.high), ("free", st.free, 1.0 - reference.low.sum(axis=2))]
        pairs += [("u", st.u, reference.u), ("u_next", st.u_next, reference.u_next)]
        pairs += [("gain", st.gain, (change.min(), change.max())), ("order", st.order, ranked(st.u))]
        seen, q = st.low > 0.0, reference.q
    else:
        scale = 1.0 - reference.gamma
        rows = reference.model[..., :-1]
        pairs = [("known", st.known, reference.known), ("p_hat", st.p_hat * st.known[..., None], rows)]
        pairs += [("v", st.v, scale * reference.V[:-1]), ("v_next", st.v_next, scale * reference.V_next[:-1])]
        seen, q = rows > 0.0, scale * reference.q
    for name, ours, theirs in [*pairs, ("sweeps", st.sweeps[0], reference.sweeps)]:
        if far(ours, theirs):
            return f"{name} differs by {np.max(np.abs(np.asarray(ours, float) - np.asarray(theirs, float))):.3g}"
    for at in np.ndindex(st.width.shape):
        if st.support[at][: st.width[at]].tolist() != np.flatnonzero(seen[at]).tolist():
            return f"the support of the row {list(at)} is {st.support[at][: st.width[at]].tolist()}"
    for s in range(len(st.pi)):
        ranks = np.sort(q[s])
        near = bool(ranks[-1] - q[s, st.pi[s]] < TIED)
        if not near or (st.pi[s] != reference.policy[s] and q[s, st.pi[s]] == q[s, reference.policy[s]]):
            return f"pi[{s}] is {st.pi[s]} against {reference.policy[s]}"
        reference.policy[s] = st.pi[s]
    return None


def counts_differ(st: Any, reference: Reference) -> str | None:
    """The first of counts and completion time that differs."""
    finished = -1 if reference.finished is None else reference.finished
    missing = int(np.sum(reference.N < reference.b))
    pairs: list[tuple[str, Any, Any]] = [("N", st.N, reference.N), ("moves", st.moves, reference.C)]
    pairs += [("missing", st.missing[0], missing), ("finished", st.finished[0], finished)]
    pairs.append(("sweeps", st.sweeps[0], reference.sweeps))  # no trace of a plan where none is due
    for name, ours, theirs in pairs:
        if far(ours, theirs, 0.0):
            return f"{name} is {np.asarray(ours).tolist()} against {np.asarray(theirs).tolist()}"
    return None


_RANDOM_B = np.random.default_rng(5).integers(0, 5, (4, 3)).tolist()
_LEAVES = {"b": [[0, 0], [4, 0], [0, 4]]}
_FIRST_STATE = [[1, 1], [0, 0], [0, 0]]
_GARNET = garnet(S=4, A=3, b=2, seed=1)
#: name of the learner -> model, steps, parameters; sweeps are few, so that faults which keep them from ending show
CASES: dict[str, list[tuple[Any, int, dict[str, Any]]]] = {
    "zero-one-ucrl": [
        (riverswim(states=4), 80, {"samples": 4, "alpha": 0.1, "max_sweeps": 300}),
        (star(p=(0.5, 0.25)), 80, {**_LEAVES, "alpha": 0.3, "max_sweeps": 300}),
        (riverswim(states=3), 5, {"samples": 0}),
        (_GARNET, 100, {"b": _RANDOM_B, "alpha": 0.03, "tau": 0.6, "max_sweeps": 300}),
        (wheel(states=4), 80, {"samples": 3, "delta": 0.3, "max_sweeps": 300}),
        (riverswim(states=3), 60, {"samples": 4, "alpha": 0.0, "max_sweeps": 60}),
        (garnet(S=4, A=1, b=3, seed=1), 100, {"samples": 6, "alpha": 0.05, "max_sweeps": 300}),
        # lower ends above zero of four successors: an upper end binds before the free mass is spent
        (garnet(S=4, A=2, b=4, seed=1), 120, {"samples": 16, "alpha": 0.03, "max_sweeps": 300}),
        # at t = 0 the second sweep's changes span 1 - tau, between 1/sqrt(2) and 1; two sweeps, where one is allowed
        *((riverswim(states=3), 10, {"b": _FIRST_STATE, "tau": 0.2, "max_sweeps": k}) for k in (60, 1)),
    ],
    "r-max-collection": [
        (riverswim(states=4), 120, {"samples": 4}),
        (star(p=(0.5, 0.25)), 100, {**_LEAVES, "gamma": 0.9}),
        (riverswim(states=3), 5, {"samples": 0}),
        (_GARNET, 120, {"b": _RANDOM_B, "gamma": 0.7, "precision": 0.01}),
        (wheel(states=4), 100, {"samples": 3, "gamma": 0.95}),
        (riverswim(states=4), 120, {"samples": 3, "max_sweeps": 5}),
        # the first change, 1/2, is the precision: one sweep; with a smaller one two, where one is allowed
        (riverswim(states=3), 60, {"samples": 2, "gamma": 0.5, "precision": 0.5}),
        (riverswim(states=3), 60, {"samples": 2, "gamma": 0.5, "precision": 0.25, "max_sweeps": 1}),
    ],
}
FAULT_CASES: dict[str, list[tuple[Any, int, dict[str, Any]]]] = {
    "zero-one-ucrl": [
        (garnet(S=3, A=2, b=2, seed=2), 100, {"b": [[6, 0], [4, 6], [0, 5]], "alpha": 0.05, "max_sweeps": 300}),
        (riverswim(states=3), 100, {"samples": 4, "alpha": 0.1, "max_sweeps": 300}),
    ],
    "r-max-collection": [
        (
            garnet(S=4, A=2, b=2, seed=2),
            100,
            {"b": [[4, 0], [3, 4], [0, 5], [3, 3]], "gamma": 0.9, "precision": 1e-3, "max_sweeps": 2000},
        ),
        (riverswim(states=3), 100, {"samples": 3, "gamma": 0.9, "max_sweeps": 2000}),
    ],
}
