"""Faults planted in UCRL2: each is one wrong line, as it is found in real code."""

from __future__ import annotations

from dataclasses import replace

from mdps.learners import ucrl2
from mdps.learners._evi import sort_states
from mdps.learners.ucrl2 import estimate, inner_maximum, learner
from mdps.learners.ucrl2 import plan as faithful_plan
from theorylab.kernel import kernel, log, sqrt
from theorylab.learner import Learner


@kernel
def close_counts(st, p, t, scale_r, scale_p, log_r, log_p):
    """Close the episode's counts; empirical model and scaled radii."""
    for s in range(p.S):
        for a in range(p.A):
            st.N[s, a] += st.nu[s, a]
            st.nu[s, a] = 0
            n = float(max(1, st.N[s, a]))
            st.radius_r[s, a] = scale_r * sqrt(7.0 * log_r / (2.0 * n))
            st.radius_p[s, a] = scale_p * sqrt(14.0 * p.S * log_p / n)
            st.r_up[s, a] = min(1.0, st.total[s, a] / n + st.radius_r[s, a])
            for s2 in range(p.S):
                st.p_hat[s, a, s2] = st.moves[s, a, s2] / n


@kernel
def no_radius(st, p, t):
    """Both radii are zero."""
    close_counts(st, p, t, 0.0, 0.0, 1.0, 1.0)


@kernel
def no_log(st, p, t):
    """The logarithms are dropped."""
    close_counts(st, p, t, 1.0, 1.0, 1.0, 1.0)


@kernel
def no_delta(st, p, t):
    """delta is left out of the logarithms."""
    close_counts(st, p, t, 1.0, 1.0, log(2.0 * p.S * p.A * (t + 1.0)), log(2.0 * p.A * (t + 1.0)))


@kernel
def count_ahead(st, p, t):
    """The estimates divide by N + 1."""
    estimate(st, p, t)
    for s in range(p.S):
        for a in range(p.A):
            n = st.N[s, a] + 1.0
            for s2 in range(p.S):
                st.p_hat[s, a, s2] = st.moves[s, a, s2] / n


@kernel
def horizon_in_log(st, p, t):
    """The logarithms are of the horizon T, not of the time of the plan."""
    close_counts(st, p, t, 1.0, 1.0, log(2.0 * p.S * p.A * p.T / p.delta), log(2.0 * p.A * p.T / p.delta))


@kernel
def unvisited_worthless(st, p, t):
    """Pairs that were never tried get reward zero."""
    estimate(st, p, t)
    for s in range(p.S):
        for a in range(p.A):
            if st.N[s, a] == 0:
                st.r_up[s, a] = 0.0


@kernel
def model_kept(st, p, t):
    """Once a pair has data its row of the empirical kernel is never estimated again; the radii shrink all the same."""
    log_r = log(2.0 * p.S * p.A * (t + 1.0) / p.delta)
    log_p = log(2.0 * p.A * (t + 1.0) / p.delta)
    for s in range(p.S):
        for a in range(p.A):
            known = st.N[s, a] > 0
            st.N[s, a] += st.nu[s, a]
            st.nu[s, a] = 0
            n = float(max(1, st.N[s, a]))
            st.radius_r[s, a] = sqrt(7.0 * log_r / (2.0 * n))
            st.radius_p[s, a] = sqrt(14.0 * p.S * log_p / n)
            st.r_up[s, a] = min(1.0, st.total[s, a] / n + st.radius_r[s, a])
            if not known:
                for s2 in range(p.S):
                    st.p_hat[s, a, s2] = st.moves[s, a, s2] / n


@kernel
def worst_state(st, p, s, a):
    """The extra mass goes to the worst state."""
    value = 0.0
    for s2 in range(p.S):
        value += st.p_hat[s, a, s2] * st.u[s2]
    worst = st.order[p.S - 1]
    gain = min(1.0 - st.p_hat[s, a, worst], 0.5 * st.radius_p[s, a])
    value += gain * st.u[worst]
    i = 0
    while gain > 0.0 and i < p.S - 1 and st.N[s, a] > 0:
        best = st.order[i]
        taken = min(gain, st.p_hat[s, a, best])
        value -= taken * st.u[best]
        gain -= taken
        i += 1
    return value


@kernel
def whole_radius(st, p, s, a):
    """The best state gets the whole radius instead of half of it."""
    best = st.order[0]
    value = 0.0
    for s2 in range(p.S):
        value += st.p_hat[s, a, s2] * st.u[s2]
    gain = min(1.0 - st.p_hat[s, a, best], st.radius_p[s, a])
    value += gain * st.u[best]
    i = p.S - 1
    while gain > 0.0 and i > 0 and st.N[s, a] > 0:
        worst = st.order[i]
        taken = min(gain, st.p_hat[s, a, worst])
        value -= taken * st.u[worst]
        gain -= taken
        i -= 1
    return value


@kernel
def one_sweep(st, p, t, s, rng):
    """Extended value iteration stops after one sweep."""
    estimate(st, p, t)
    for x in range(p.S):
        st.u[x] = 0.0
    sort_states(st, p)
    low = 0.0
    high = 0.0
    for x in range(p.S):
        top = 0.0
        for a in range(p.A):
            value = st.r_up[x, a] + inner_maximum(st, p, x, a)
            if a == 0 or value > top:
                top = value
                st.pi[x] = a
        st.u_next[x] = top
        if x == 0 or top < low:
            low = top
        if x == 0 or top > high:
            high = top
    st.gain[0] = low
    st.gain[1] = high
    return True


@kernel
def late(st, p, t, s, a, r, s2):
    """The episode ends when visits have quadrupled."""
    st.nu[s, a] += 1
    st.total[s, a] += r
    st.moves[s, a, s2] += 1
    b = st.pi[s2]
    return st.nu[s2, b] >= 4 * max(1, st.N[s2, b])


@kernel
def always(st, p, t, s, a, r, s2):
    """A new plan at every step."""
    st.nu[s, a] += 1
    st.total[s, a] += r
    st.moves[s, a, s2] += 1
    return True


@kernel
def self_loops_lost(st, p, t, s, a, r, s2):
    """Transitions that stay in the state are not counted."""
    if s2 != s:
        st.nu[s, a] += 1
        st.moves[s, a, s2] += 1
    st.total[s, a] += r
    b = st.pi[s2]
    return st.nu[s2, b] >= max(1, st.N[s2, b])


@kernel
def successor_lost(st, p, t, s, a, r, s2):
    """Every transition is recorded as staying."""
    st.nu[s, a] += 1
    st.total[s, a] += r
    st.moves[s, a, s] += 1
    b = st.pi[s2]
    return st.nu[s2, b] >= max(1, st.N[s2, b])


@kernel
def reward_elsewhere(st, p, t, s, a, r, s2):
    """The reward goes to the next action's sum."""
    st.nu[s, a] += 1
    st.total[s, (a + 1) % p.A] += r
    st.moves[s, a, s2] += 1
    b = st.pi[s2]
    return st.nu[s2, b] >= max(1, st.N[s2, b])


@kernel
def plan_minimising(st, p, t, s, rng):
    """The plan is right, but the policy takes the worst action."""
    done = faithful_plan(st, p, t, s, rng)
    for x in range(p.S):
        worst = 0.0
        for a in range(p.A):
            value = st.r_up[x, a] + inner_maximum(st, p, x, a)
            if a == 0 or value < worst:
                worst = value
                st.pi[x] = a
    return done


radius_zero = replace(learner, plan=ucrl2.plan.replace(estimate=no_radius))
log_dropped = replace(learner, plan=ucrl2.plan.replace(estimate=no_log))
delta_dropped = replace(learner, plan=ucrl2.plan.replace(estimate=no_delta))
mass_to_worst = replace(learner, plan=ucrl2.plan.replace(inner_maximum=worst_state))
full_radius = replace(learner, plan=ucrl2.plan.replace(inner_maximum=whole_radius))
stops_early = replace(learner, plan=one_sweep)
trigger_late = replace(learner, watch=late)
trigger_always = replace(learner, watch=always)
counts_lost = replace(learner, watch=self_loops_lost)
successors_lost = replace(learner, watch=successor_lost)
rewards_swapped = replace(learner, watch=reward_elsewhere)
policy_minimises = replace(learner, plan=plan_minimising)
count_off_by_one = replace(learner, plan=ucrl2.plan.replace(estimate=count_ahead))
horizon_for_clock = replace(learner, plan=ucrl2.plan.replace(estimate=horizon_in_log))
unvisited_zero = replace(learner, plan=ucrl2.plan.replace(estimate=unvisited_worthless))
kernel_stale = replace(learner, plan=ucrl2.plan.replace(estimate=model_kept))
uncapped = replace(learner, params={**learner.params, "cap_rewards": 0})

GENERIC: dict[str, Learner | str] = {
    "bonus zero": radius_zero,
    "log factor dropped": log_dropped,
    "delta not divided": delta_dropped,
    "wrong variance": "no field: the radii are Hoeffding's and Weissman's, no variance enters",
    "count off by one": count_off_by_one,
    "lost counts": counts_lost,
    "unvisited at zero": unvisited_zero,
    "no clipping": uncapped,
    "backup of the wrong stage": "no field: the average-reward criterion has no stages",
    "mass to the wrong state": mass_to_worst,
    "stale estimate": kernel_stale,
    "worst action played": policy_minimises,
    "ties to the last": "equivalent: any greedy policy and any order of equal states are optimal in the inner problem",
    "late trigger": trigger_late,
    "draw reused": "no field: no posterior is sampled",
    "wrong length in the logarithm": horizon_for_clock,
}
