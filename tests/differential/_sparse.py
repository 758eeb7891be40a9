"""`gosprl-sparse` stepped beside `gosprl`, which has a transcription: the same bits; the end where slots are few."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.differential.stepping import Machine, World
from tests.differential.test_gosprl_sparse import SAME
from theorylab.learner import Learner
from theorylab.registry import find_learner


def compare_sparse(learner: Learner, model: Any, steps: int, params: dict[str, Any], begin: int = 0) -> str | None:
    """The first difference, or None; up to a plan that fails. With `begin` the clock starts there."""
    world, sizes = World(model), {"S": model.S, "A": model.A, "T": steps}
    dense = {k: v for k, v in params.items() if k != "slots"}
    ours, theirs = Machine(learner, sizes, params, world.rng), Machine(find_learner("gosprl"), sizes, dense, world.rng)
    slots, full = params["slots"] or model.S, 0
    if wrong := states_differ(ours.st, theirs.st):
        return f"at first: {wrong}"
    s, due = world.start(0), (True, True)
    for t in range(begin, begin + steps):
        planned = tuple(not d or m.plan(t, s) for d, m in zip(due, (ours, theirs), strict=True))
        if planned != (planned[1] and not full, planned[1]):
            return f"step {t}: plans {planned} where `full` is {full}"
        if not all(planned):
            return None
        if wrong := states_differ(ours.st, theirs.st):
            return f"step {t}, before it: {wrong}"
        a = ours.act(t, s)
        if a != theirs.act(t, s):
            return f"step {t}: action {a}"
        _, s2 = world.step(0, s, a)
        due = ours.watch(t, s, a, 0.0, s2), theirs.watch(t, s, a, 0.0, s2)
        full = 1 + s * model.A + a if np.count_nonzero(theirs.st.moves[s, a]) > slots else 0
        if int(ours.st.full[0]) != full or due[0] != (due[1] or full > 0):
            return f"step {t}: full is {ours.st.full[0]} against {full}, or a plan is due where none is"
        if not full and (wrong := states_differ(ours.st, theirs.st)):
            return f"step {t}: {wrong}"
        s = s2
    return None


def states_differ(ours: Any, theirs: Any) -> str | None:
    """The first field in which both differ, successors and counts of the rows, and bounds off G."""
    for name in (*SAME, "need_states", "goals"):
        if not np.array_equal(getattr(ours, name), getattr(theirs, name)):
            return f"{name} differs"
    for at in np.ndindex(theirs.N.shape):
        met, seen, width = slice(ours.met[at]), np.flatnonzero(theirs.moves[at]), ours.width[at]
        if (
            ours.succ[at][met].tolist() != seen.tolist()
            or ours.times[at][met].tolist() != theirs.moves[at][seen].tolist()
        ):
            return f"the successors of {at} differ"
        kept = np.zeros(len(theirs.goal))
        kept[ours.support[at][:width]] = ours.plow[at][:width]
        if np.any((theirs.plow[at] > 0.0) & (theirs.plow[at] != kept)):
            return f"plow of {at} differs"
        if np.any(ours.plow[at][:width] <= 0.0):
            return f"a bound of {at} that is not positive is kept"
    return None
