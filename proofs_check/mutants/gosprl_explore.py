"""Faults planted in gosprl-explore: each is one wrong line of its requirement, its counts or its end.

Faults of the loop, the radii and the planner of a trip are those of `gosprl`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mdps.learners import gosprl_explore
from mdps.learners.gosprl_explore import learner, successors
from mdps.learners.gosprl_modest import ceiling
from theorylab.compiler import Kernel
from theorylab.kernel import kernel, log, sqrt
from theorylab.learner import Learner

FAITHFUL: Any = learner.watch
_watch: Any = learner.watch
_plan: Any = learner.plan
_derived: Any = learner.derive
faithful_ask = gosprl_explore.ask


@kernel
def terms(st, p, X, y, Gh, first, second):
    """phi of given pieces."""
    phi = X * X * X * Gh / (y * p.epsilon * p.epsilon) * first
    phi += X * X * p.S / (y * p.epsilon) * first + X * X * Gh / (y * y) * second * second
    return ceiling(p.alpha0 * phi)


@kernel
def longer(p):
    """The logarithm of the first two terms."""
    return log(p.times * p.S * p.A / (p.omega * p.epsilon * p.delta))


@kernel
def shorter(p):
    """The logarithm of the third term."""
    return log(p.times * p.S * p.A / (p.omega * p.delta))


@kernel
def all_successors(st, p):
    """Gh."""
    for s in range(p.S):
        for a in range(p.A):
            successors(st, p, s, a)
    return st.branching[0]


@kernel
def ask_square(st, p, s, a):
    """X^2 for X^3."""
    Gh = all_successors(st, p)
    phi = p.times * p.times * Gh / (p.omega * p.epsilon * p.epsilon) * longer(p)
    phi += p.times * p.times * p.S / (p.omega * p.epsilon) * longer(p)
    phi += p.times * p.times * Gh / (p.omega * p.omega) * shorter(p) * shorter(p)
    return ceiling(p.alpha0 * phi)


@kernel
def ask_own(st, p, s, a):
    """Gh of the pair alone."""
    Gh = max(1, successors(st, p, s, a))
    return terms(st, p, p.times, p.omega, Gh, longer(p), shorter(p))


@kernel
def ask_states(st, p, s, a):
    """S for Gh."""
    return terms(st, p, p.times, p.omega, p.S, longer(p), shorter(p))


@kernel
def ask_no_logs(st, p, s, a):
    """The logarithms are dropped."""
    return terms(st, p, p.times, p.omega, all_successors(st, p), 1.0, 1.0)


@kernel
def ask_no_delta(st, p, s, a):
    """delta is left out of the logarithms."""
    shift = log(p.delta)
    return terms(st, p, p.times, p.omega, all_successors(st, p), longer(p) + shift, shorter(p) + shift)


@kernel
def ask_no_square(st, p, s, a):
    """The logarithm of the third term is not squared."""
    second = sqrt(shorter(p))
    return terms(st, p, p.times, p.omega, all_successors(st, p), longer(p), second)


@kernel
def ask_one_log(st, p, s, a):
    """epsilon stands in the logarithm of the third term too."""
    return terms(st, p, p.times, p.omega, all_successors(st, p), longer(p), longer(p))


@kernel
def ask_floor(st, p, s, a):
    """Rounded down."""
    return terms(st, p, p.times, p.omega, all_successors(st, p), longer(p), shorter(p)) - 1


@kernel
def ask_first(st, p, s, a):
    """Gh is that of the first lookup, before any visit."""
    Gh = 1 if st.branching[0] == 0 else st.branching[0]
    st.branching[0] = Gh
    return terms(st, p, p.times, p.omega, Gh, longer(p), shorter(p))


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


@kernel
def finish_at_half(st, p, s, a):
    """Half of what is needed is enough."""
    return faithful_ask(st, p, s, a) // 2


def asking(rule: Kernel) -> Learner:
    """Another requirement, in both kernels that look it up."""
    return replace(learner, watch=_watch.throughout(ASK=rule), plan=_plan.throughout(ASK=rule))


def watching(broken: Kernel) -> Learner:
    """Another record of a step."""
    return replace(learner, watch=broken)


def omega_of(p: dict[str, Any]) -> dict[str, Any]:
    """omega without theta."""
    return {**_derived(p), "omega": max(p["cost"], p["epsilon"] / p["times"])}


def omega_of_cost(p: dict[str, Any]) -> dict[str, Any]:
    """omega = c_min + epsilon / (theta X) in place of the larger one."""
    return {**_derived(p), "omega": p["cost"] + p["epsilon"] / (p["theta"] * p["times"])}


square_for_cube = asking(ask_square)
branching_of_pair = asking(ask_own)
branching_all = asking(ask_states)
logs_dropped = asking(ask_no_logs)
delta_dropped = asking(ask_no_delta)
log_not_squared = asking(ask_no_square)
epsilon_in_both = asking(ask_one_log)
rounded_down = asking(ask_floor)
branching_stale = asking(ask_first)
halved = asking(finish_at_half)
theta_dropped = replace(learner, derive=omega_of)
omega_added = replace(learner, derive=omega_of_cost)
counts_lost = watching(watch_without_loops)
successors_lost = watching(successor_lost)

GENERIC: dict[str, Learner | str] = {
    "bonus zero": "no field: the requirement has no radius; those of the trips are planted in gosprl",
    "log factor dropped": logs_dropped,
    "delta not divided": delta_dropped,
    "wrong variance": "no field: the requirement is made of numbers of successors, not of variances",
    "count off by one": rounded_down,
    "lost counts": counts_lost,
    "unvisited at zero": "no field: pairs not yet visited are asked for like all others",
    "no clipping": "no field: the requirement has no cap",
    "backup of the wrong stage": "no field: there are no stages",
    "mass to the wrong state": successors_lost,
    "stale estimate": branching_stale,
    "worst action played": "no field: the plans of trips are those of gosprl, where it is planted",
    "ties to the last": "no field: the action in an open state is chosen by gosprl, where it is planted",
    "late trigger": "no field: the lookups are those of every rule that adapts (gosprl-modest)",
    "draw reused": "no field: the learner draws nothing",
    "wrong length in the logarithm": epsilon_in_both,
}
