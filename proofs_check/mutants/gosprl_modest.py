"""Faults planted in GOSPRL-MODEST and in the loop under a rule: each is one wrong line, as it is found in real code."""

from __future__ import annotations

from dataclasses import replace

from mdps.learners import _adaptive, gosprl_modest
from mdps.learners._adaptive import evenly, own_radius, revise
from mdps.learners.gosprl import doubled, entry_radius, log_term
from mdps.learners.gosprl_modest import advance, ask, ceiling, learner
from proofs_check.mutants import gosprl as shared
from theorylab.compiler import Kernel
from theorylab.kernel import kernel, log, sqrt
from theorylab.learner import Learner

# The rule


@kernel
def half_radius(st, p, s, a):
    """Half of the sum of the radii."""
    return 0.5 * own_radius(st, p, s, a)


@kernel
def radius_of_seen(st, p, s, a):
    """Successors that were not seen are left out of the sum."""
    n = float(max(1, st.N[s, a]))
    iota = log_term(p, n)
    total = 0.0
    for s2 in range(p.S):
        if st.moves[s, a, s2] > 0:
            total += entry_radius(p, st.moves[s, a, s2] / n, n, iota)
    return p.alpha * total


@kernel
def largest_radius(st, p, s, a):
    """The largest radius of a row takes the place of the sum."""
    n = float(max(1, st.N[s, a]))
    iota = log_term(p, n)
    total = 0.0
    for s2 in range(p.S):
        total = max(total, entry_radius(p, st.moves[s, a, s2] / n, n, iota))
    return p.alpha * total


@kernel
def radius_ahead(st, p, s, a):
    """The radius of one visit more."""
    n = st.N[s, a] + 1.0
    iota = log_term(p, n)
    total = 0.0
    for s2 in range(p.S):
        total += entry_radius(p, st.moves[s, a, s2] / n, n, iota)
    return p.alpha * total


@kernel
def ask_once(st, p, s, a):
    """The requirement is looked up while it is zero, and then kept."""
    return ask(st, p, s, a) if st.need[s, a] == 0 else st.need[s, a]


@kernel
def one_logarithm(st, p, s, a, eta):
    """The logarithm of the formula is not squared."""
    n = float(max(1, st.N[s, a]))
    X = 0.0
    for s2 in range(p.S):
        x = st.moves[s, a, s2] / n
        X += sqrt(x * (1.0 - x))
    b = 24.0 * p.S / eta * log(24.0 * p.S * p.S * p.A / (p.delta * eta))
    if X > 0.0:
        b += (
            57.0
            * X
            * X
            / (eta * eta)
            * log(8.0 * 2.718281828459045 * X * sqrt(2.0 * p.S * p.A) / (sqrt(p.delta) * eta))
        )
    return ceiling(b)


@kernel
def first_term(st, p, s, a, eta):
    """The second term of the formula, 24 S / eta times its logarithm, is left out."""
    n = float(max(1, st.N[s, a]))
    X = 0.0
    for s2 in range(p.S):
        x = st.moves[s, a, s2] / n
        X += sqrt(x * (1.0 - x))
    b = 1.0
    if X > 0.0:
        factor = log(8.0 * 2.718281828459045 * X * sqrt(2.0 * p.S * p.A) / (sqrt(p.delta) * eta))
        b += 57.0 * X * X / (eta * eta) * factor * factor
    return ceiling(b)


@kernel
def variance_sum(st, p, s, a, eta):
    """The formula sums variances, not their roots."""
    n = float(max(1, st.N[s, a]))
    X = 0.0
    for s2 in range(p.S):
        x = st.moves[s, a, s2] / n
        X += x * (1.0 - x)
    b = 24.0 * p.S / eta * log(24.0 * p.S * p.S * p.A / (p.delta * eta))
    if X > 0.0:
        factor = log(8.0 * 2.718281828459045 * X * sqrt(2.0 * p.S * p.A) / (sqrt(p.delta) * eta))
        b += 57.0 * X * X / (eta * eta) * factor * factor
    return ceiling(b)


# Accuracies


@kernel
def advance_twice(st, p, t):
    """An accuracy is left out."""
    advance(st, p, t)
    return advance(st, p, t)


@kernel
def advance_never(st, p, t):
    """The run ends with its first accuracy, also where it should go on."""
    advance(st, p, t)
    return True


@kernel
def advance_unrecorded(st, p, t):
    """The accuracy that was met is recorded as the next one."""
    done = advance(st, p, t)
    st.reached[0] = p.shrink * st.reached[0]
    return done


# The loop

faithful_plan = learner.plan


@kernel
def watch_revising(st, p, t, s, a, r, s2):
    """The state left is looked up at every step: G moves while the policy stays."""
    st.moves[s, a, s2] += 1
    st.N[s, a] += 1
    if st.finished[0] >= 0:
        return False
    inside = st.goal[s] == 1
    revise(st, p, s)
    if inside:
        return st.goal[s2] == 0 or st.goals[0] == 0
    st.arrivals[0] += st.goal[s2]
    return st.goal[s2] == 1 or doubled(st, s, a)


@kernel
def watch_unchecked(st, p, t, s, a, r, s2):
    """Nothing is looked up on arrival."""
    st.moves[s, a, s2] += 1
    st.N[s, a] += 1
    if st.finished[0] >= 0:
        return False
    if st.goal[s] == 1:
        revise(st, p, s)
        return st.goal[s2] == 0 or st.goals[0] == 0
    st.arrivals[0] += st.goal[s2]
    return st.goal[s2] == 0 and doubled(st, s, a)


@kernel
def watch_without_loops(st, p, t, s, a, r, s2):
    """Visits that stay in the state are not counted."""
    if st.finished[0] >= 0:
        return False
    if s2 != s:
        st.moves[s, a, s2] += 1
        st.N[s, a] += 1
    if st.goal[s] == 1:
        revise(st, p, s)
        return st.goal[s2] == 0 or st.goals[0] == 0
    st.arrivals[0] += st.goal[s2]
    return st.goal[s2] == 1 or doubled(st, s, a)


@kernel
def settled_late(st, p, t, s, rng):
    """The completion time is one step too large."""
    before = st.finished[0]
    done = faithful_plan(st, p, t, s, rng)
    if before < 0 and st.finished[0] >= 0:
        st.finished[0] += 1
    return done


@kernel
def smallest(st, p, s):
    """Ties between gaps go to the most visits."""
    evenly(st, p, s)
    for a in range(p.A):
        best = st.pi[s]
        gap = st.need[s, a] - st.N[s, a]
        if gap > 0 and gap == st.need[s, best] - st.N[s, best] and st.N[s, a] > st.N[s, best]:
            st.pi[s] = a


@kernel
def evenly_last(st, p, s):
    """Ties between gaps and visits go to the last action."""
    evenly(st, p, s)
    for a in range(p.A):
        best = st.pi[s]
        gap = st.need[s, a] - st.N[s, a]
        if gap > 0 and gap == st.need[s, best] - st.N[s, best] and st.N[s, a] == st.N[s, best]:
            st.pi[s] = a


@kernel
def refresh_any(st, p, s):
    """A state closes as soon as one of its actions is satisfied."""
    evenly(st, p, s)
    satisfied = 0
    for a in range(p.A):
        if st.need[s, a] <= st.N[s, a]:
            satisfied = 1
    if satisfied == 1:
        st.goals[0] -= st.goal[s]
        st.goal[s] = 0


def ruled(ask: Kernel = ask, advance: Kernel = advance, refresh: Kernel = evenly, **helpers: Kernel) -> Learner:
    """Another rule, another order of accuracies, another choice in G, or other helpers of the loop."""
    names = dict(ASK=ask, ASK_STATE=_adaptive.nothing, ADVANCE=advance, refresh=refresh)
    watch = _adaptive.watch.throughout(**names)
    plan = _adaptive.plan.throughout(**names)
    return replace(learner, watch=watch.throughout(**helpers), plan=plan.throughout(**helpers))


def asking(**helpers: Kernel) -> Learner:
    """Other helpers of the rule."""
    return ruled(ask=gosprl_modest.ask.throughout(**helpers))


radius_zero = asking(entry_radius=shared.no_radius)
log_dropped = asking(log_term=shared.no_log)
delta_dropped = asking(log_term=shared.no_delta)
variance_unrooted = asking(entry_radius=shared.deviation_for_variance)
satisfied_by_half = asking(own_radius=half_radius)
unseen_left_out = asking(own_radius=radius_of_seen)
largest_for_sum = asking(own_radius=largest_radius)
count_ahead = asking(own_radius=radius_ahead)
looked_up_once = ruled(ask=ask_once)
log_not_squared = asking(by_formula=one_logarithm)
second_term_missing = asking(by_formula=first_term)
variances_for_roots = asking(by_formula=variance_sum)
accuracy_left_out = ruled(advance=advance_twice)
ends_at_the_first = ruled(advance=advance_never)
next_accuracy_recorded = ruled(advance=advance_unrecorded)
goals_move = replace(learner, watch=watch_revising.throughout(ASK=ask, ASK_STATE=_adaptive.nothing, refresh=evenly))
arrival_unchecked = replace(
    learner, watch=watch_unchecked.throughout(ASK=ask, ASK_STATE=_adaptive.nothing, refresh=evenly)
)
counts_lost = replace(
    learner, watch=watch_without_loops.throughout(ASK=ask, ASK_STATE=_adaptive.nothing, refresh=evenly)
)
finished_late = replace(learner, plan=settled_late)
most_visited_first = ruled(refresh=smallest)
ties_last = ruled(refresh=evenly_last)
closes_early = ruled(refresh=refresh_any)
trigger_late = ruled(doubled=shared.quadrupled)
policy_maximises = ruled(shortest_path=shared.maximise)

GENERIC: dict[str, Learner | str] = {
    "bonus zero": radius_zero,
    "log factor dropped": log_dropped,
    "delta not divided": delta_dropped,
    "wrong variance": variance_unrooted,
    "count off by one": count_ahead,
    "lost counts": counts_lost,
    "unvisited at zero": unseen_left_out,
    "no clipping": "no field: a sum of radii is not cut; the planner is that of gosprl",
    "backup of the wrong stage": "no field: there are no stages",
    "mass to the wrong state": "no field: not of the rule; planted in gosprl, whose planner it shares",
    "stale estimate": looked_up_once,
    "worst action played": policy_maximises,
    "ties to the last": ties_last,
    "late trigger": trigger_late,
    "draw reused": "no field: the learner draws nothing",
    "wrong length in the logarithm": "no field: not of the rule; planted in gosprl, whose radii it shares",
}
