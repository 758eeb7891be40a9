"""Faults planted in gosprl-diameter: each is one wrong line of its rounds, its plans or its estimate.

Faults of the loop, the radii and the planner of a trip are those of `gosprl`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mdps.learners import gosprl_diameter
from mdps.learners._adaptive import own_radius
from mdps.learners._trips import extended_iteration
from mdps.learners.gosprl_diameter import bound_radii, farthest, learner
from proofs_check.mutants.gosprl import no_log
from theorylab.compiler import Kernel
from theorylab.kernel import kernel, log
from theorylab.learner import Learner

INFINITY = float("inf")
FAITHFUL: Any = learner.watch
_watch: Any = learner.watch
_plan: Any = learner.plan
FARTHEST: Any = farthest


@kernel
def ask_whole(st, p, s, a):
    """The radii may add up to eta, not eta / 2."""
    enough = st.rounds[0] == 0 or own_radius(st, p, s, a) <= p.epsilon / st.guess[0]
    return st.N[s, a] + (0 if enough else 1)


@kernel
def ask_once(st, p, s, a):
    """eta is that of the first round."""
    enough = st.rounds[0] == 0 or own_radius(st, p, s, a) <= 0.5 * p.epsilon
    return st.N[s, a] + (0 if enough else 1)


@kernel
def ask_two(st, p, s, a):
    """Two more visits are asked for."""
    enough = st.rounds[0] == 0 or own_radius(st, p, s, a) <= 0.5 * p.epsilon / st.guess[0]
    return st.N[s, a] + (0 if enough else 2)


@kernel
def ask_nothing(st, p, s, a):
    """No sample is asked for."""
    return st.N[s, a]


@kernel
def no_delta(p, n):
    """delta is left out of the logarithm."""
    return log(6.0 * p.S * p.A * n)


@kernel
def iterate(st, p):
    """|u| for |v|: the values of the last sweep, not a bound on those of its policy."""
    return FARTHEST(st, p) * (1.0 - 0.5 * p.epsilon)


@kernel
def first_goal(st, p):
    """The values of one goal only."""
    bound_radii(st, p)
    most = 0.0
    st.goal[0] = 1
    if not extended_iteration(st, p, 0.5 * p.epsilon):
        most = INFINITY
    st.goal[0] = 0
    for s in range(p.S):
        most = max(most, st.v_next[s])
    return most / (1.0 - 0.5 * p.epsilon)


@kernel
def goals_kept(st, p):
    """The goals before remain goals until all are done."""
    bound_radii(st, p)
    most = 0.0
    for g in range(p.S):
        st.goal[g] = 1
        if not extended_iteration(st, p, 0.5 * p.epsilon):
            most = INFINITY
        for s in range(p.S):
            most = max(most, st.v_next[s])
    for g in range(p.S):
        st.goal[g] = 0
    return most / (1.0 - 0.5 * p.epsilon)


@kernel
def smallest_start(st, p):
    """The smallest expected time to a goal, over starts, in place of the largest."""
    bound_radii(st, p)
    most = 0.0
    for g in range(p.S):
        st.goal[g] = 1
        extended_iteration(st, p, 0.5 * p.epsilon)
        st.goal[g] = 0
        least = INFINITY
        for s in range(p.S):
            if s != g:
                least = min(least, st.v_next[s])
        most = max(most, least)
    return most / (1.0 - 0.5 * p.epsilon)


@kernel
def advance_slowly(st, p, t):
    """W grows by a quarter, it does not double."""
    return step_of(st, p, t, 1.25, 2.0)


@kernel
def advance_bare(st, p, t):
    """D_hat = |v|, without the factor."""
    return step_of(st, p, t, 2.0, 0.0)


@kernel
def advance_once(st, p, t):
    """D_hat = (1 + eta |v|) |v|."""
    return step_of(st, p, t, 2.0, 1.0)


@kernel
def advance_twice(st, p, t):
    """D_hat = (1 + 2 epsilon |v|) |v|."""
    return step_of(st, p, t, 2.0, 2.0 * st.guess[0])


@kernel
def step_of(st, p, t, growth, weight):
    """The end of a round with another growth of W and another weight of eta |v|."""
    if st.rounds[0] > 0:
        st.largest[0] = FARTHEST(st, p)
        if st.largest[0] <= st.guess[0]:
            st.estimate[0] = (1.0 + weight * p.epsilon / st.guess[0] * st.largest[0]) * st.largest[0]
            return True
    st.rounds[0] += 1
    st.guess[0] = 1.0 if st.rounds[0] == 1 else growth * st.guess[0]
    return False


@kernel
def advance_early(st, p, t):
    """A round ends with |v| <= 2 W."""
    if st.rounds[0] > 0:
        st.largest[0] = FARTHEST(st, p)
        if st.largest[0] <= 2.0 * st.guess[0]:
            eta = p.epsilon / st.guess[0]
            st.estimate[0] = (1.0 + 2.0 * eta * st.largest[0]) * st.largest[0]
            return True
    st.rounds[0] += 1
    st.guess[0] = 1.0 if st.rounds[0] == 1 else 2.0 * st.guess[0]
    return False


@kernel
def advance_late(st, p, t):
    """A round is the last only with |v| <= W / 2."""
    if st.rounds[0] > 0:
        st.largest[0] = FARTHEST(st, p)
        if st.largest[0] <= 0.5 * st.guess[0]:
            eta = p.epsilon / st.guess[0]
            st.estimate[0] = (1.0 + 2.0 * eta * st.largest[0]) * st.largest[0]
            return True
    st.rounds[0] += 1
    st.guess[0] = 1.0 if st.rounds[0] == 1 else 2.0 * st.guess[0]
    return False


@kernel
def watch_without_loops(st, p, t, s, a, r, s2):
    """Transitions that stay in the state are not counted."""
    if s2 == s:
        return False
    return FAITHFUL(st, p, t, s, a, r, s2)


@kernel
def successor_lost(st, p, t, s, a, r, s2):
    """The successor is not recorded, but the state itself."""
    due = FAITHFUL(st, p, t, s, a, r, s2)
    st.moves[s, a, s2] -= 1
    st.moves[s, a, s] += 1
    return due


def asking(rule: Kernel) -> Learner:
    """Another requirement, in both kernels that look it up."""
    return replace(learner, watch=_watch.throughout(ASK=rule), plan=_plan.throughout(ASK=rule))


def throughout(**helpers: Kernel) -> Learner:
    """Other helpers wherever they are called."""
    return replace(learner, watch=_watch.throughout(**helpers), plan=_plan.throughout(**helpers))


def advancing(rule: Kernel) -> Learner:
    """Another end of a round."""
    return replace(learner, plan=_plan.throughout(ADVANCE=rule))


def measuring(rule: Kernel) -> Learner:
    """Another |v|."""
    return advancing(gosprl_diameter.advance.replace(farthest=rule))


def watching(broken: Kernel) -> Learner:
    """Another record of a step."""
    return replace(learner, watch=broken)


accuracy_whole = asking(ask_whole)
accuracy_first = asking(ask_once)
two_at_once = asking(ask_two)
nothing_asked = asking(ask_nothing)
log_dropped = throughout(log_term=no_log)
delta_dropped = throughout(log_term=no_delta)
iterate_for_policy = measuring(iterate)
one_goal = measuring(first_goal)
goal_not_reset = measuring(goals_kept)
nearest_start = measuring(smallest_start)
guess_slow = advancing(advance_slowly)
factor_dropped = advancing(advance_bare)
factor_halved = advancing(advance_once)
factor_without_guess = advancing(advance_twice)
ends_early = advancing(advance_early)
ends_late = advancing(advance_late)
counts_lost = watching(watch_without_loops)
successors_lost = watching(successor_lost)

GENERIC: dict[str, Learner | str] = {
    "bonus zero": nothing_asked,
    "log factor dropped": log_dropped,
    "delta not divided": delta_dropped,
    "wrong variance": "no field: the radii are those of gosprl, where it is planted",
    "count off by one": two_at_once,
    "lost counts": counts_lost,
    "unvisited at zero": "no field: at the end of a round every pair has been visited",
    "no clipping": "no field: the boxes are those of gosprl-extended",
    "backup of the wrong stage": "no field: there are no stages",
    "mass to the wrong state": successors_lost,
    "stale estimate": accuracy_first,
    "worst action played": nearest_start,
    "ties to the last": "no field: the estimate is a number, the plans of trips are those of gosprl",
    "late trigger": ends_late,
    "draw reused": "no field: the learner draws nothing",
    "wrong length in the logarithm": "no field: the logarithms are those of gosprl, where it is planted",
}
