"""Faults planted in UCRL2B: each is one wrong line, as it is found in real code."""

from __future__ import annotations

from dataclasses import replace

from mdps.learners._evi import iterate, sort_states
from mdps.learners.ucrl2b import box, box_maximum, estimate, learner, level, plan, radius, sweeps, unknown
from theorylab.compiler import Kernel
from theorylab.kernel import kernel, log, sqrt
from theorylab.learner import Learner

# radii


@kernel
def zero_radius(p, variance, n, x):
    """No radius."""
    return 0.0


@kernel
def constant_level(p, n, t):
    """l = 1."""
    return 1.0


@kernel
def level_without_delta(p, n, t):
    """delta is left out of the logarithm."""
    return log(6.0 * p.S * p.A * n)


@kernel
def level_of_time(p, n, t):
    """The time in place of the visits in the logarithm."""
    return log(6.0 * p.S * p.A * (t + 1.0) / p.delta)


@kernel
def radius_without_variance(p, variance, n, x):
    """The first term without p_hat (1 - p_hat)."""
    return p.scale * (2.0 * sqrt(x / n) + 6.0 * x / n)


@kernel
def plan_anyway(st, p, t, s, rng):
    """The plan counts as made after `max_sweeps`: without radii sweeps need not converge."""
    estimate(st, p, t)
    sweeps(st, p, t)
    return True


@kernel
def box_of_reward_variance(st, p, s, a, n, x):
    """The variance of the rewards in the boxes."""
    free = 1.0
    mean = st.total[s, a] / n
    width = radius(p, max(0.0, st.squares[s, a] / n - mean * mean), n, x)
    for s2 in range(p.S):
        q = st.moves[s, a, s2] / n
        st.p_hat[s, a, s2] = q
        st.low[s, a, s2] = max(0.0, q - width)
        st.high[s, a, s2] = min(1.0, q + width)
        free -= st.low[s, a, s2]
    st.free[s, a] = free


# estimates


@kernel
def refresh(st, p, t, s, a, n):
    """Estimates and sets of a visited pair from a divisor n."""
    x = level(p, n, t)
    mean = st.total[s, a] / n
    st.radius_r[s, a] = radius(p, max(0.0, st.squares[s, a] / n - mean * mean), n, x)
    st.r_up[s, a] = min(1.0, mean + st.radius_r[s, a])
    box(st, p, s, a, n, x)


@kernel
def one_too_many(st, p, t):
    """n counts one visit too many."""
    for s in range(p.S):
        for a in range(p.A):
            st.N[s, a] += st.nu[s, a]
            st.nu[s, a] = 0
            if st.N[s, a] == 0:
                unknown(st, p, s, a)
            else:
                refresh(st, p, t, s, a, st.N[s, a] + 1.0)


@kernel
def first_kept(st, p, t):
    """A pair is estimated once, at the plan after its first visit."""
    for s in range(p.S):
        for a in range(p.A):
            old = st.N[s, a]
            st.N[s, a] += st.nu[s, a]
            st.nu[s, a] = 0
            if st.N[s, a] == 0:
                unknown(st, p, s, a)
            elif old == 0:
                refresh(st, p, t, s, a, float(st.N[s, a]))


@kernel
def no_cap(st, p, t):
    """Optimistic rewards are not capped."""
    estimate(st, p, t)
    for s in range(p.S):
        for a in range(p.A):
            if st.N[s, a] > 0:
                st.r_up[s, a] = st.total[s, a] / st.N[s, a] + st.radius_r[s, a]


@kernel
def pessimistic(st, p, s, a):
    """Pairs without a visit count as paying nothing."""
    unknown(st, p, s, a)
    st.r_up[s, a] = 0.0


# inner maximum


@kernel
def to_worst(st, p, s, a):
    """The free mass goes to the worst states."""
    value = 0.0
    for s2 in range(p.S):
        st.law[s, a, s2] = st.low[s, a, s2]
        value += st.low[s, a, s2] * st.u[s2]
    free = st.free[s, a]
    i = p.S - 1
    while free > 0.0 and i >= 0:
        s2 = st.order[i]
        added = min(free, st.high[s, a, s2] - st.low[s, a, s2])
        st.law[s, a, s2] += added
        value += added * st.u[s2]
        free -= added
        i -= 1
    return value


@kernel
def best_only(st, p, s, a):
    """Only the best state is filled; free mass that it has no room for is lost."""
    value = 0.0
    for s2 in range(p.S):
        st.law[s, a, s2] = st.low[s, a, s2]
        value += st.low[s, a, s2] * st.u[s2]
    best = st.order[0]
    added = min(st.free[s, a], st.high[s, a, best] - st.low[s, a, best])
    st.law[s, a, best] += added
    return value + added * st.u[best]


@kernel
def beyond_upper_end(st, p, s, a):
    """All free mass goes to the best state, past its upper end."""
    value = 0.0
    for s2 in range(p.S):
        st.law[s, a, s2] = st.low[s, a, s2]
        value += st.low[s, a, s2] * st.u[s2]
    best = st.order[0]
    st.law[s, a, best] += st.free[s, a]
    return value + st.free[s, a] * st.u[best]


# extended value iteration


@kernel
def one_sweep(st, p, t, s, rng):
    """The stopping rule is that of time 1 (precision 1) at every plan."""
    estimate(st, p, t)
    return sweeps(st, p, 0)


@kernel
def mixes_with_best(st, p, s, a):
    """The mixing moves 1 - tau of the mass to the best state instead of leaving it where it is."""
    return box_maximum(st, p, s, a) + (1.0 - p.tau) / p.tau * (st.u[st.order[0]] - st.u[s])


@kernel
def plan_minimising(st, p, t, s, rng):
    """The plan is right, but the policy takes the worst action."""
    done = plan(st, p, t, s, rng)
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


# counts


@kernel
def late(st, p, t, s, a, r, s2):
    """The episode ends when the visits of a pair in it are four times those before it."""
    st.nu[s, a] += 1
    st.total[s, a] += r
    st.squares[s, a] += r * r
    st.moves[s, a, s2] += 1
    b = st.pi[s2]
    return st.nu[s2, b] >= 4 * max(1, st.N[s2, b])


@kernel
def always(st, p, t, s, a, r, s2):
    """A new plan at every step."""
    st.nu[s, a] += 1
    st.total[s, a] += r
    st.squares[s, a] += r * r
    st.moves[s, a, s2] += 1
    return True


@kernel
def self_loops_lost(st, p, t, s, a, r, s2):
    """Transitions that stay in the state are not counted."""
    if s2 != s:
        st.nu[s, a] += 1
        st.moves[s, a, s2] += 1
    st.total[s, a] += r
    st.squares[s, a] += r * r
    b = st.pi[s2]
    return st.nu[s2, b] >= max(1, st.N[s2, b])


@kernel
def successor_lost(st, p, t, s, a, r, s2):
    """Every transition is recorded as staying."""
    st.nu[s, a] += 1
    st.total[s, a] += r
    st.squares[s, a] += r * r
    st.moves[s, a, s] += 1
    b = st.pi[s2]
    return st.nu[s2, b] >= max(1, st.N[s2, b])


@kernel
def reward_elsewhere(st, p, t, s, a, r, s2):
    """The reward goes to the next action's sums."""
    st.nu[s, a] += 1
    st.total[s, (a + 1) % p.A] += r
    st.squares[s, (a + 1) % p.A] += r * r
    st.moves[s, a, s2] += 1
    b = st.pi[s2]
    return st.nu[s2, b] >= max(1, st.N[s2, b])


@kernel
def no_squares(st, p, t, s, a, r, s2):
    """The squares are not summed, so that the variance counts as zero."""
    st.nu[s, a] += 1
    st.total[s, a] += r
    st.moves[s, a, s2] += 1
    b = st.pi[s2]
    return st.nu[s2, b] >= max(1, st.N[s2, b])


def _estimate(**names: Kernel) -> Learner:
    return replace(learner, plan=plan.replace(estimate=estimate.replace(**names)))


def _maximum(kernel: Kernel) -> Learner:
    return replace(learner, plan=plan.replace(sweeps=iterate.replace(MAXIMUM=kernel, PREPARE=sort_states)))


no_radius = estimate.replace(radius=zero_radius, box=box.replace(radius=zero_radius))
radius_zero = replace(learner, plan=plan_anyway.replace(estimate=no_radius))
log_dropped = _estimate(level=constant_level)
delta_dropped = _estimate(level=level_without_delta)
time_in_log = _estimate(level=level_of_time)
reward_variance = _estimate(box=box_of_reward_variance)
no_variance = _estimate(radius=radius_without_variance, box=box.replace(radius=radius_without_variance))
one_more = replace(learner, plan=plan.replace(estimate=one_too_many))
stale = replace(learner, plan=plan.replace(estimate=first_kept))
uncapped = replace(learner, plan=plan.replace(estimate=no_cap))
unvisited_zero = _estimate(unknown=pessimistic)
mass_to_worst = _maximum(to_worst)
mass_lost = replace(learner, plan=plan_anyway.replace(sweeps=iterate.replace(MAXIMUM=best_only, PREPARE=sort_states)))
overfull = _maximum(beyond_upper_end)
mixed_wrongly = _maximum(mixes_with_best)
stops_early = replace(learner, plan=one_sweep)
policy_minimises = replace(learner, plan=plan_minimising)
plays_zero = replace(learner, act=act_zero)
trigger_late = replace(learner, watch=late)
trigger_always = replace(learner, watch=always)
counts_lost = replace(learner, watch=self_loops_lost)
successors_lost = replace(learner, watch=successor_lost)
rewards_swapped = replace(learner, watch=reward_elsewhere)
squares_lost = replace(learner, watch=no_squares)

GENERIC: dict[str, Learner | str] = {
    "bonus zero": radius_zero,
    "log factor dropped": log_dropped,
    "delta not divided": delta_dropped,
    "wrong variance": reward_variance,
    "count off by one": one_more,
    "lost counts": counts_lost,
    "unvisited at zero": unvisited_zero,
    "no clipping": uncapped,
    "backup of the wrong stage": "no field: average reward, there are no stages",
    "mass to the wrong state": mass_to_worst,
    "stale estimate": stale,
    "worst action played": policy_minimises,
    "ties to the last": "equivalent: every maximising action attains u_next, which is all that any step uses",
    "late trigger": trigger_late,
    "draw reused": "no field: the learner draws nothing of its own",
    "wrong length in the logarithm": time_in_log,
}
