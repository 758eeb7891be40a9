"""GOSPRL for a requirement that is a rule of the data: the loop, with the rule left open.

A rule is up to three kernels, put in by `adaptive`:

    ask (st, p, s, a)      -> b_t(s,a), visits asked of a pair, from the data of the run (N, moves, `own_radius`)
    ask_state (st, p, s)   -> b_t(s), visits asked of a state with any action; none where it is left out
    advance (st, p, t)     -> true when the task is done; else it has moved the objective on, which `ask` then follows.
                              Called when nothing is open; done at once where it is left out

The requirement is looked up again after every sample taken in G, for its state, and for all states before an attempt is
planned, so also whenever one ends, and before the task is called done; not while travelling, so that G and the policy
stay as they are on the way. Where the lookup at its end closes the state that was reached, the arrival was of no use
and a new attempt begins. The planner, the radii and the end of an attempt are those of `gosprl`. `finished` is the
number of steps after which every requirement in force was met and `advance` agreed; it is written before the next step,
so that a run of just that length does not know it. b_t may fall; what counts is what is in force.

Source: tarbouriech2021 [adaptive requirements: recalled; times of the lookups: derived].
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from mdps.learners import gosprl
from mdps.learners._collection import play, refresh, shortest_path, start_attempt
from mdps.learners.gosprl import doubled, entry_radius, log_term, truncate
from theorylab.compiler import Kernel
from theorylab.errors import InputError
from theorylab.kernel import kernel
from theorylab.learner import Field, Learner

ASK: Any = None
ASK_STATE: Any = None
ADVANCE: Any = None


@kernel
def nothing(st, p, s):
    """No requirement on states."""
    return 0


@kernel
def done_at_once(st, p, t):
    """The task is done when nothing is open."""
    return True


@kernel
def own_radius(st, p, s, a):
    """alpha sum over s2 of beta(s,a,s2), from the data so far: what |p_hat - p|_1 is at most, on the radii's event."""
    n = float(max(1, st.N[s, a]))
    iota = log_term(p, n)
    total = 0.0
    for s2 in range(p.S):
        total += entry_radius(p, st.moves[s, a, s2] / n, n, iota)
    return p.alpha * total


@kernel
def evenly(st, p, s):
    """`refresh` with ties between gaps to the fewest visits, for rules that ask for one visit more at a time."""
    refresh(st, p, s)
    for a in range(p.A):
        best = st.pi[s]
        gap = st.need[s, a] - st.N[s, a]
        if gap > 0 and gap == st.need[s, best] - st.N[s, best] and st.N[s, a] < st.N[s, best]:
            st.pi[s] = a


@kernel
def revise(st, p, s):
    """Look the requirement of a state and its pairs up again."""
    st.need_states[s] = ASK_STATE(st, p, s)
    for a in range(p.A):
        st.need[s, a] = ASK(st, p, s, a)
    refresh(st, p, s)


@kernel
def look_up(st, p, t):
    """After t steps: look all requirements up again; where none is open, finish or move the objective on."""
    moved = True
    while moved:
        moved = False
        for s in range(p.S):
            revise(st, p, s)
        if st.goals[0] == 0:
            moved = not ADVANCE(st, p, t)
            if not moved:
                st.finished[0] = t
                for s in range(p.S):
                    st.pi[s] = 0


@kernel
def begin(st, p):
    """No samples and no attempt yet."""
    st.t_k[0] = -1
    st.finished[0] = -1


@kernel
def watch(st, p, t, s, a, r, s2):
    """Count the step; true when the lookup and perhaps an attempt are due: after a sample in G, or the end of one."""
    st.moves[s, a, s2] += 1
    st.N[s, a] += 1
    if st.finished[0] >= 0:
        return False
    if st.goal[s] == 1:
        revise(st, p, s)
        return st.goal[s2] == 0 or st.goals[0] == 0
    st.arrivals[0] += st.goal[s2]
    return st.goal[s2] == 1 or doubled(st, s, a)


@kernel
def plan(st, p, t, s, rng):
    """The lookup, and an attempt where it leaves the agent outside G."""
    done = True
    look_up(st, p, t)
    if st.goal[s] == 0 and st.finished[0] < 0:
        start_attempt(st, t)
        truncate(st, p)
        done = shortest_path(st, p, t)
    return done


def accepts(p: dict[str, Any], model: Any) -> None:
    """Refuse a model on which some pair cannot be visited again and again: a rule may ask for any of them."""
    from mdps.collection.requirements import requirement

    requirement(model, samples=1)


def adaptive(
    name: str,
    ask: Kernel,
    *,
    params: Mapping[str, float | int],
    text: str,
    state: Mapping[str, Field] | None = None,
    ask_state: Kernel = nothing,
    advance: Kernel = done_at_once,
    choose: Kernel = refresh,
    check: Callable[[dict[str, Any]], dict[str, Any]] = lambda p: {},
    source_tag: str = "derived",
) -> Learner:
    """GOSPRL under a rule; `params` and `state` are those of the rule, `check` refuses and derives parameters of it.

    `choose` finds the action of an open state: `refresh`, ties to the lowest one, or `evenly`.
    """

    def derive(p: dict[str, Any]) -> dict[str, Any]:
        gosprl.choices(name, p)
        return check(p)

    rule = dict(ASK=ask, ASK_STATE=ask_state, ADVANCE=advance, refresh=choose)
    return Learner(
        name=name,
        setting="average",
        cite="tarbouriech2021",
        source_tag=source_tag,
        params={**params, **gosprl.PARAMS},
        state={**gosprl.STATE, **(state or {})},
        derive=derive,
        accepts=accepts,
        begin=begin,
        act=play,
        watch=watch.throughout(**rule),
        plan=plan.throughout(**rule),
        text=text,
    )


def positive(name: str, p: Mapping[str, Any], *names: str) -> None:
    """Refuse parameters that are not above zero."""
    for key in names:
        if not (np.isfinite(p[key]) and p[key] > 0):
            raise InputError(f"{name}: {key}={p[key]} must be positive")
