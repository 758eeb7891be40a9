"""Faults planted in PMEVI-DT: each is one wrong line, as it is found in real code."""

from __future__ import annotations

from dataclasses import replace

from mdps.learners._truncated import iterate
from mdps.learners.pmevi_dt import (
    arrive,
    bonuses,
    difference,
    learner,
    mitigated,
    noise,
    plan,
    project,
    raw_limits,
    sweeps,
    track,
    watch,
)
from mdps.learners.scal import box_minimum
from mdps.learners.ucrl2b import box, box_maximum, estimate, unknown
from proofs_check.mutants import _truncated as counts
from proofs_check.mutants import ucrl2b as sets
from theorylab.compiler import Kernel
from theorylab.kernel import kernel, log, sqrt
from theorylab.learner import Learner

# commutes


@kernel
def arrive_swapped(st, p, s):
    """A stretch that ends in s is booked as one that begins there."""
    for y in range(p.S):
        if y != s and st.last[s, y] != s + 1:
            if st.last[s, y] == y + 1:
                st.hops[s, y] += 1
                st.steps[s, y] += st.clock[0] - st.mark[s, y]
                st.gained[s, y] += st.paid[0] - st.paid_at[s, y]
            st.last[s, y] = s + 1
            st.last[y, s] = s + 1
            st.mark[s, y] = st.clock[0]
            st.mark[y, s] = st.clock[0]
            st.paid_at[s, y] = st.paid[0]
            st.paid_at[y, s] = st.paid[0]


@kernel
def arrive_from_start(st, p, s):
    """The clock of a stretch is never set anew."""
    for y in range(p.S):
        if y != s and st.last[s, y] != s + 1:
            if st.last[s, y] == y + 1:
                st.hops[y, s] += 1
                st.steps[y, s] += st.clock[0] - st.mark[s, y]
                st.gained[y, s] += st.paid[0] - st.paid_at[s, y]
            st.last[s, y] = s + 1
            st.last[y, s] = s + 1


@kernel
def track_nothing_owed(st, p, s, r):
    """The optimistic gains are not summed."""
    arrive(st, p, s)
    st.clock[0] += 1
    st.paid[0] += r


# bias region


@kernel
def no_noise(p, n, t):
    """No width for chance."""
    return 0.0


@kernel
def noise_without_log(p, n, t):
    """The logarithm is 1."""
    return p.scale * (1.0 + p.c0) * sqrt(0.5 * n)


@kernel
def noise_without_delta(p, n, t):
    """delta is left out of the logarithm."""
    return p.scale * (1.0 + p.c0) * sqrt(0.5 * n * log(2.0 * p.S * p.S * (t + 1.0) * (t + 1.0)))


@kernel
def noise_without_span(p, n, t):
    """The range of the rewards alone, without that of the bias."""
    return p.scale * sqrt(0.5 * n * log(2.0 * p.S * p.S * (t + 1.0) * (t + 1.0) / p.delta))


@kernel
def difference_negated(st, s, y, mean, hops):
    """h(y) - h(s) for h(s) - h(y)."""
    return difference(st, y, s, mean, hops)


@kernel
def difference_of_sums(st, s, y, mean, hops):
    """The gain is not subtracted."""
    return difference(st, s, y, 0.0, hops)


@kernel
def limits_without_slack(st, p, t):
    """The estimates alone."""
    raw_limits(st, p, t)
    for s in range(p.S):
        for y in range(p.S):
            if s != y and st.hops[s, y] + st.hops[y, s] > 0:
                st.limit[s, y] = min(p.c0, st.est[s, y])


@kernel
def limits_without_regret(st, p, t):
    """The slack without what is owed."""
    raw_limits(st, p, t)
    slack = 2.0 * noise(p, float(st.clock[0]), t) + p.c0
    for s in range(p.S):
        for y in range(p.S):
            hops = st.hops[s, y] + st.hops[y, s]
            if s != y and hops > 0:
                st.limit[s, y] = min(p.c0, st.est[s, y] + slack / hops)


@kernel
def limits_above_span(st, p, t):
    """The bound c0 is forgotten where an estimate is."""
    raw_limits(st, p, t)
    slack = 2.0 * max(0.0, st.owed[0] - st.paid[0]) + 2.0 * noise(p, float(st.clock[0]), t) + p.c0
    for s in range(p.S):
        for y in range(p.S):
            hops = st.hops[s, y] + st.hops[y, s]
            if s != y and hops > 0:
                st.limit[s, y] = st.est[s, y] + slack / hops


@kernel
def close_not(st, p):
    """The bounds are not closed."""
    return None


# mitigation


@kernel
def no_bonuses(st, p, t):
    """The empirical mean without a bonus."""
    for s in range(p.S):
        for a in range(p.A):
            st.bonus[s, a] = 0.0


@kernel
def variance_of_span(st, p, s, a):
    """The variance that c0 allows, not that of the region."""
    return 0.25 * p.c0 * p.c0


@kernel
def unmitigated(st, p, s, a):
    """max p~ u alone."""
    return box_maximum(st, p, s, a)


@kernel
def pessimistic(st, p, s, a):
    """The least plausible value, not the largest."""
    return box_minimum(st, p, s, a)


# projection


@kernel
def not_projected(st, p):
    """The region is not used."""
    for s in range(p.S):
        st.u_next[s] = st.raised[s]


@kernel
def project_undivided(st, p):
    """limit in place of limit / tau."""
    for s in range(p.S):
        least = st.raised[s]
        for y in range(p.S):
            least = min(least, st.raised[y] + st.limit[s, y])
        st.u_next[s] = least


@kernel
def project_transposed(st, p):
    """The bound of h(y) - h(s) for that of h(s) - h(y)."""
    for s in range(p.S):
        least = st.raised[s]
        for y in range(p.S):
            least = min(least, st.raised[y] + st.limit[y, s] / p.tau)
        st.u_next[s] = least


@kernel
def flattened(st, p):
    """Every value at the least one: in the region if it holds constants, and far too low."""
    least = st.raised[0]
    for s in range(1, p.S):
        least = min(least, st.raised[s])
    for s in range(p.S):
        st.u_next[s] = least


# plans


@kernel
def plan_anyway(st, p, t, s, rng):
    """The plan counts as made after `max_sweeps`: with wrong sets sweeps need not converge."""
    plan(st, p, t, s, rng)
    return True


@kernel
def plan_minimising(st, p, t, s, rng):
    """The plan is right, but the policy takes the worst action."""
    done = plan(st, p, t, s, rng)
    for x in range(p.S):
        worst = 0.0
        for a in range(p.A):
            value = st.r_up[x, a] + p.tau * mitigated(st, p, x, a)
            if a == 0 or value < worst:
                worst = value
                st.pi[x] = a
    return done


@kernel
def one_sweep(st, p, t):
    """The stopping rule is that of time 1 (precision 1) at every plan."""
    return sweeps(st, p, 0)


@kernel
def act_zero(st, p, t, s, rng):
    """Action 0 is played, whatever the plan."""
    return 0


@kernel
def due(st, s, a, s2, times):
    """Whether the pair just played has `times` its visits before the episode."""
    return st.nu[s, a] >= times * max(1, st.N[s, a])


def _plan(**names: Kernel) -> Learner:
    """Plans with a wrong part; their sweeps need not converge."""
    return replace(learner, plan=plan_anyway.replace(plan=plan.replace(**names)))


def _estimate(**names: Kernel) -> Learner:
    return _plan(estimate=estimate.replace(**names))


def _sweeps(**names: Kernel) -> Learner:
    return _plan(sweeps=iterate.replace(**{"BACKUP": mitigated, "PROJECT": project, **names}))


def _maximum(wrong: Kernel) -> Learner:
    return _sweeps(BACKUP=mitigated.replace(box_maximum=wrong))


def _limits(**names: Kernel) -> Learner:
    return _plan(raw_limits=raw_limits.replace(**names))


def _watch(wrong: Kernel) -> Learner:
    return replace(learner, watch=wrong.replace(TRACK=track, DUE=due))


def _track(wrong: Kernel) -> Learner:
    return replace(learner, watch=watch.replace(track=wrong))


no_radius = estimate.replace(radius=sets.zero_radius, box=box.replace(radius=sets.zero_radius))
radius_zero = _plan(estimate=no_radius)
log_dropped = _estimate(level=sets.constant_level)
delta_dropped = _estimate(level=sets.level_without_delta)
time_in_log = _estimate(level=sets.level_of_time)
reward_variance = _estimate(box=sets.box_of_reward_variance)
no_variance = _estimate(radius=sets.radius_without_variance, box=box.replace(radius=sets.radius_without_variance))
one_more = _plan(estimate=sets.one_too_many)
stale = _plan(estimate=sets.first_kept)
uncapped = _plan(estimate=sets.no_cap)
unvisited_zero = _estimate(unknown=sets.pessimistic.replace(unknown=unknown))
mass_to_worst = _maximum(sets.to_worst)
mass_lost = _maximum(sets.best_only)
overfull = _maximum(sets.beyond_upper_end)
wrong_sign = _sweeps(BACKUP=pessimistic)
stretches_swapped = _track(track.replace(arrive=arrive_swapped))
stretches_from_start = _track(track.replace(arrive=arrive_from_start))
nothing_owed = _track(track_nothing_owed)
noise_zero = _limits(noise=no_noise)
noise_log_dropped = _limits(noise=noise_without_log)
noise_delta_dropped = _limits(noise=noise_without_delta)
noise_of_rewards = _limits(noise=noise_without_span)
estimate_negated = _limits(difference=difference_negated)
gain_not_subtracted = _limits(difference=difference_of_sums)
slack_zero = _plan(raw_limits=limits_without_slack)
regret_left_out = _plan(raw_limits=limits_without_regret)
span_forgotten = _plan(raw_limits=limits_above_span)
not_closed = _plan(close=close_not)
bonus_zero = _plan(bonuses=no_bonuses)
variance_largest = _plan(bonuses=bonuses.replace(variance=variance_of_span))
no_mitigation = _sweeps(BACKUP=unmitigated)
no_projection = _sweeps(PROJECT=not_projected)
limits_undivided = _sweeps(PROJECT=project_undivided)
limits_transposed = _sweeps(PROJECT=project_transposed)
projected_flat = _sweeps(PROJECT=flattened)
plays_zero = replace(learner, act=act_zero)
policy_minimises = replace(learner, plan=plan_minimising)
stops_early = _plan(sweeps=one_sweep)
trigger_late = _watch(counts.late)
trigger_always = replace(learner, watch=counts.always.replace(TRACK=track))
counts_lost = _watch(counts.self_loops_lost)
successors_lost = _watch(counts.successor_lost)
rewards_swapped = _watch(counts.reward_elsewhere)
squares_lost = _watch(counts.no_squares)

GENERIC: dict[str, Learner | str] = {
    "bonus zero": bonus_zero,
    "log factor dropped": log_dropped,
    "delta not divided": delta_dropped,
    "wrong variance": reward_variance,
    "count off by one": one_more,
    "lost counts": counts_lost,
    "unvisited at zero": unvisited_zero,
    "no clipping": no_projection,
    "backup of the wrong stage": "no field: average reward, there are no stages",
    "mass to the wrong state": mass_to_worst,
    "stale estimate": stale,
    "worst action played": policy_minimises,
    "ties to the last": "equivalent: every maximising action attains the raised value, which is all that any step uses",
    "late trigger": trigger_late,
    "draw reused": "no field: the learner draws nothing of its own",
    "wrong length in the logarithm": time_in_log,
}
