"""Faults planted in 0/1-UCRL: each is one wrong line, as it is found in real code."""

from __future__ import annotations

from dataclasses import replace

from mdps.learners._evi import iterate, sort_states
from mdps.learners.gosprl import doubled
from mdps.learners.zero_one_ucrl import (
    box,
    box_maximum,
    learner,
    log_term,
    open_episode,
    plan,
    radius,
    sweeps,
    tally,
    unknown,
    watch,
)
from theorylab.compiler import Kernel
from theorylab.kernel import kernel, log, sqrt
from theorylab.learner import Learner

# Boxes


@kernel
def no_radius(p, x, n, iota):
    """The radius is zero: the plan trusts the frequencies."""
    return 0.0


@kernel
def plan_anyway(st, p, t, s, rng):
    """A plan that goes on where its sweeps do not end, so that the fault shows and not the limit."""
    plan(st, p, t, s, rng)
    return True


@kernel
def no_log(p, n):
    """The logarithm is dropped."""
    return 1.0


@kernel
def no_delta(p, n):
    """delta is left out of the logarithm."""
    return log(6.0 * p.S * p.A * n)


@kernel
def log_of_horizon(p, n):
    """The length of the run stands in the logarithm."""
    return log(6.0 * p.S * p.A * p.T / p.delta)


@kernel
def deviation_for_variance(p, x, n, iota):
    """The variance stands outside of the root."""
    return p.alpha * (2.0 * x * (1.0 - x) * sqrt(iota / n) + 6.0 * iota / n)


@kernel
def box_ahead(st, p, s, a, n):
    """Radii and frequencies divide by N + 1."""
    box(st, p, s, a, n + 1.0)


@kernel
def box_below_zero(st, p, s, a, n):
    """Lower ends are not cut at zero."""
    box(st, p, s, a, n)
    iota = log_term(p, n)
    st.free[s, a] = 1.0
    st.width[s, a] = p.S
    for s2 in range(p.S):
        x = st.moves[s, a, s2] / n
        st.low[s, a, s2] = x - radius(p, x, n, iota)
        st.free[s, a] -= st.low[s, a, s2]
        st.support[s, a, s2] = s2


@kernel
def first_box(st, p, s, a, n):
    """The box of the first visit is kept."""
    if n == 1.0:
        box(st, p, s, a, n)


@kernel
def stays(st, p, s, a):
    """A pair not yet visited is believed to stay."""
    unknown(st, p, s, a)
    st.low[s, a, s] = 1.0
    st.support[s, a, 0] = s
    st.width[s, a] = 1
    st.free[s, a] = 0.0


# Inner maximum


@kernel
def lower_value(st, s, a):
    """low u."""
    value = 0.0
    for j in range(st.width[s, a]):
        s2 = st.support[s, a, j]
        value += st.low[s, a, s2] * st.u[s2]
    return value


@kernel
def to_worst(st, p, s, a):
    """The free mass goes to the worst states."""
    value = lower_value(st, s, a)
    free = st.free[s, a]
    i = p.S - 1
    while free > 0.0 and i >= 0:
        s2 = st.order[i]
        added = min(free, st.high[s, a, s2] - st.low[s, a, s2])
        value += added * st.u[s2]
        free -= added
        i -= 1
    return value


@kernel
def best_only(st, p, s, a):
    """Only the best state is filled; free mass that it has no room for is lost."""
    best = st.order[0]
    added = min(st.free[s, a], st.high[s, a, best] - st.low[s, a, best])
    return lower_value(st, s, a) + added * st.u[best]


@kernel
def beyond_upper_end(st, p, s, a):
    """All free mass goes to the best state, past its upper end."""
    return lower_value(st, s, a) + st.free[s, a] * st.u[st.order[0]]


# Plan and play


@kernel
def one_sweep(st, p, t):
    """The stopping rule is that of the first step (precision 1) at every plan."""
    return sweeps(st, p, 0)


@kernel
def minimise(st, p, t):
    """The plan is right, but the policy takes the worst action."""
    done = sweeps(st, p, t)
    for x in range(p.S):
        worst = 0.0
        for a in range(p.A):
            value = st.r_up[x, a] + p.tau * box_maximum(st, p, x, a)
            if a == 0 or value < worst:
                worst = value
                st.pi[x] = a
    return done


@kernel
def act_zero(st, p, t, s, rng):
    """Action 0 is played, whatever the plan."""
    return 0


@kernel
def first_reward(st, p, s, a):
    """The rewards of the first episode are kept."""
    return 1.0 if p.b[s, a] > 0 else 0.0


@kernel
def late_reward(st, p, s, a):
    """A pair is rewarded for one sample more than was asked."""
    return 1.0 if st.N[s, a] <= p.b[s, a] else 0.0


# Counts and the end of an episode


@kernel
def quadrupled(st, s, a):
    """An episode ends when the visits of a pair in it are four times those before it."""
    return st.N[s, a] - st.U[s, a] >= 4 * max(1, st.U[s, a])


@kernel
def always(st, s, a):
    """A new episode at every step."""
    return True


@kernel
def watch_doubling_only(st, p, t, s, a, r, s2):
    """A completed pair does not end the episode."""
    tally(st, p, t, s, a, s2)
    return st.finished[0] < 0 and doubled(st, s, a)


@kernel
def tally_without_loops(st, p, t, s, a, s2):
    """Transitions that stay in the state are not counted."""
    completed = False
    if s2 != s:
        completed = tally(st, p, t, s, a, s2)
    return completed


@kernel
def tally_staying(st, p, t, s, a, s2):
    """Every transition is recorded as staying."""
    return tally(st, p, t, s, a, s)


@kernel
def tally_without_last(st, p, t, s, a, s2):
    """The step that completes the sample is not charged."""
    return tally(st, p, t - 1, s, a, s2)


@kernel
def tally_late(st, p, t, s, a, s2):
    """A pair is complete when its requirement is exceeded."""
    st.moves[s, a, s2] += 1
    st.N[s, a] += 1
    completed = st.N[s, a] == p.b[s, a] + 1
    if completed and p.b[s, a] > 0:
        st.missing[0] -= 1
    if completed and st.missing[0] == 0:
        st.finished[0] = t + 1
    return completed


def boxes(**names: Kernel) -> Learner:
    """Another helper of an episode's start."""
    return replace(learner, plan=plan.replace(open_episode=open_episode.replace(**names)))


def of_box(**names: Kernel) -> Learner:
    """Another helper of a box."""
    return boxes(box=box.replace(**names))


def sweeping(kernel: Kernel) -> Learner:
    """Another planner."""
    return replace(learner, plan=plan.replace(sweeps=kernel))


def maximum(kernel: Kernel) -> Learner:
    """Another inner maximum; what it does to the sweeps is let pass."""
    other = plan.replace(sweeps=iterate.replace(MAXIMUM=kernel, PREPARE=sort_states))
    return replace(learner, plan=plan_anyway.replace(plan=other))


def watching(**names: Kernel) -> Learner:
    """Another helper of the count of a step."""
    return replace(learner, watch=watch.replace(**names))


radius_zero = replace(
    learner,
    plan=plan_anyway.replace(plan=plan.replace(open_episode=open_episode.replace(box=box.replace(radius=no_radius)))),
)
log_dropped = of_box(log_term=no_log)
delta_dropped = of_box(log_term=no_delta)
horizon_in_log = of_box(log_term=log_of_horizon)
variance_unrooted = of_box(radius=deviation_for_variance)
count_ahead = boxes(box=box_ahead)
uncut = boxes(box=box_below_zero)
boxes_stale = boxes(box=first_box)
unseen_stays = replace(
    learner, plan=plan_anyway.replace(plan=plan.replace(open_episode=open_episode.replace(unknown=stays)))
)
mass_to_worst = maximum(to_worst)
mass_lost = maximum(best_only)
overfull = maximum(beyond_upper_end)
stops_early = sweeping(one_sweep)
policy_minimises = sweeping(minimise)
plays_zero = replace(learner, act=act_zero)
rewards_stale = boxes(reward=first_reward)
rewards_late = boxes(reward=late_reward)
trigger_late = watching(doubled=quadrupled)
trigger_always = watching(doubled=always)
completion_missed = replace(learner, watch=watch_doubling_only)
counts_lost = watching(tally=tally_without_loops)
successors_lost = watching(tally=tally_staying)
last_step_free = watching(tally=tally_without_last)
closes_late = watching(tally=tally_late)

GENERIC: dict[str, Learner | str] = {
    "bonus zero": radius_zero,
    "log factor dropped": log_dropped,
    "delta not divided": delta_dropped,
    "wrong variance": variance_unrooted,
    "count off by one": count_ahead,
    "lost counts": counts_lost,
    "unvisited at zero": unseen_stays,
    "no clipping": uncut,
    "backup of the wrong stage": "no field: average reward, there are no stages",
    "mass to the wrong state": mass_to_worst,
    "stale estimate": boxes_stale,
    "worst action played": policy_minimises,
    "ties to the last": "equivalent: every maximising action attains u_next, which is all that any step uses",
    "late trigger": trigger_late,
    "draw reused": "no field: the learner draws nothing of its own",
    "wrong length in the logarithm": horizon_in_log,
}
