"""Faults planted in SCAL: each is one wrong line, as it is found in real code."""

from __future__ import annotations

from dataclasses import replace

from mdps.learners._truncated import iterate
from mdps.learners.scal import (
    box_minimum,
    choose,
    learner,
    mixtures,
    plan,
    restarted,
    sweeps,
    threshold,
    truncate,
    worst_value,
)
from mdps.learners.ucrl2b import box, box_maximum, estimate, unknown
from proofs_check.mutants import _truncated as counts
from proofs_check.mutants import ucrl2b as sets
from theorylab.compiler import Kernel
from theorylab.kernel import LEARNER, draw, kernel
from theorylab.learner import Learner

# restart


@kernel
def no_restart(st, p, s, a):
    """The plausible kernels are not mixed with state 0."""
    return box_maximum(st, p, s, a)


@kernel
def restart_elsewhere(st, p, s, a):
    """The restart leads to the last state."""
    return (1.0 - st.restart[0]) * box_maximum(st, p, s, a) + st.restart[0] * st.u[p.S - 1]


@kernel
def pessimistic_restart(st, p, s, a):
    """The least plausible value, not the largest."""
    return (1.0 - st.restart[0]) * box_minimum(st, p, s, a) + st.restart[0] * st.u[0]


@kernel
def plan_of_constant_restart(st, p, t, s, rng):
    """The restart does not shrink with time: eta = 1 / (10 c), at most 1."""
    estimate(st, p, t)
    st.restart[0] = min(1.0, 1.0 / (10.0 * p.span))
    done = sweeps(st, p, t)
    mixtures(st, p)
    st.coin[0], _ = draw(rng, t, 1, LEARNER)
    return done


# truncation


@kernel
def untruncated(st, p):
    """The span is not cut."""
    for s in range(p.S):
        st.u_next[s] = st.raised[s]


@kernel
def threshold_from_top(st, p):
    """The bound from below: max raised - c / tau, to which everything is lowered."""
    most = st.raised[0]
    for s in range(1, p.S):
        most = max(most, st.raised[s])
    return most - p.span / p.tau


@kernel
def threshold_undivided(st, p):
    """c in place of c / tau."""
    return threshold(st, p) - p.span / p.tau + p.span


# mixture


@kernel
def best_alone(st, p):
    """The best action is played where the value was cut, too."""
    for s in range(p.S):
        st.worst[s] = st.pi[s]
        st.floor[s] = st.raised[s]
        st.mix[s] = 1.0


@kernel
def weights_swapped(st, p):
    """The best action gets the weight of the worst."""
    mixtures(st, p)
    for s in range(p.S):
        if st.raised[s] > st.u_next[s]:
            st.mix[s] = 1.0 - st.mix[s]


@kernel
def reward_not_lowered(st, p, s, a):
    """The worst action keeps its optimistic reward."""
    return st.r_up[s, a] + worst_value(st, p, s, a)


@kernel
def worst_of_best_laws(st, p, s, a):
    """The worst action with its best plausible law."""
    ahead = (1.0 - st.restart[0]) * box_maximum(st, p, s, a) + st.restart[0] * st.u[0]
    return p.tau * ahead + (1.0 - p.tau) * st.u[s]


@kernel
def act_best(st, p, t, s, rng):
    """The mixture is planned and ignored."""
    st.coin[0], _ = draw(rng, t + 1, 0, LEARNER)
    return st.pi[s]


@kernel
def act_swapped(st, p, t, s, rng):
    """The coin is read the wrong way round."""
    a = st.worst[s] if st.coin[0] < st.mix[s] else st.pi[s]
    st.coin[0], _ = draw(rng, t + 1, 0, LEARNER)
    return a


@kernel
def act_one_coin(st, p, t, s, rng):
    """The coin is drawn once for all."""
    st.coin[0], _ = draw(rng, 0, 0, LEARNER)
    return choose(st, s)


@kernel
def act_zero(st, p, t, s, rng):
    """Action 0 is played, whatever the plan."""
    st.coin[0], _ = draw(rng, t + 1, 0, LEARNER)
    return 0


# plans


@kernel
def plan_minimising(st, p, t, s, rng):
    """The plan is right, but the policy takes the worst action."""
    done = plan(st, p, t, s, rng)
    for x in range(p.S):
        worst = 0.0
        for a in range(p.A):
            value = st.r_up[x, a] + p.tau * restarted(st, p, x, a)
            if a == 0 or value < worst:
                worst = value
                st.pi[x] = a
    return done


@kernel
def plan_anyway(st, p, t, s, rng):
    """The plan counts as made after `max_sweeps`: with wrong sets sweeps need not converge."""
    plan(st, p, t, s, rng)
    return True


@kernel
def one_sweep(st, p, t):
    """The stopping rule is that of time 1 (precision 1) at every plan."""
    return sweeps(st, p, 0)


@kernel
def due(st, s, a, s2, times):
    """Whether the next pair has `times` its visits before the episode."""
    b = choose(st, s2)
    return st.nu[s2, b] >= times * max(1, st.N[s2, b])


def _plan(**names: Kernel) -> Learner:
    return replace(learner, plan=plan.replace(**names))


def _estimate(**names: Kernel) -> Learner:
    return _plan(estimate=estimate.replace(**names))


def _sweeps(**names: Kernel) -> Learner:
    """Sweeps with a wrong part; they need not converge."""
    wrong = iterate.replace(**{"BACKUP": restarted, "PROJECT": truncate, **names})
    return replace(learner, plan=plan_anyway.replace(plan=plan.replace(sweeps=wrong)))


def _maximum(wrong: Kernel) -> Learner:
    return _sweeps(BACKUP=restarted.replace(box_maximum=wrong))


def _threshold(wrong: Kernel) -> Learner:
    return _sweeps(PROJECT=truncate.replace(threshold=wrong))


def _mixtures(wrong: Kernel) -> Learner:
    return _plan(mixtures=mixtures.replace(worst_value=wrong))


def _watch(wrong: Kernel) -> Learner:
    return replace(learner, watch=wrong.replace(TRACK=counts.nothing, DUE=due))


no_radius = estimate.replace(radius=sets.zero_radius, box=box.replace(radius=sets.zero_radius))
radius_zero = replace(learner, plan=plan_anyway.replace(plan=plan.replace(estimate=no_radius)))
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
restart_left_out = _sweeps(BACKUP=no_restart)
restart_to_last = _sweeps(BACKUP=restart_elsewhere)
restart_constant = replace(learner, plan=plan_of_constant_restart)
wrong_sign = _sweeps(BACKUP=pessimistic_restart)
not_truncated = _sweeps(PROJECT=untruncated)
truncated_from_top = _threshold(threshold_from_top)
span_undivided = _threshold(threshold_undivided)
best_action_alone = _plan(mixtures=best_alone)
mixture_swapped = _plan(mixtures=weights_swapped)
reward_kept = _mixtures(reward_not_lowered)
best_laws = _mixtures(worst_of_best_laws)
mixture_ignored = replace(learner, act=act_best)
coin_swapped = replace(learner, act=act_swapped)
coin_kept = replace(learner, act=act_one_coin)
plays_zero = replace(learner, act=act_zero)
policy_minimises = replace(learner, plan=plan_minimising)
stops_early = _plan(sweeps=one_sweep)
trigger_late = _watch(counts.late)
trigger_always = replace(learner, watch=counts.always.replace(TRACK=counts.nothing))
counts_lost = _watch(counts.self_loops_lost)
successors_lost = _watch(counts.successor_lost)
rewards_swapped = _watch(counts.reward_elsewhere)
squares_lost = _watch(counts.no_squares)

GENERIC: dict[str, Learner | str] = {
    "bonus zero": radius_zero,
    "log factor dropped": log_dropped,
    "delta not divided": delta_dropped,
    "wrong variance": reward_variance,
    "count off by one": one_more,
    "lost counts": counts_lost,
    "unvisited at zero": unvisited_zero,
    "no clipping": not_truncated,
    "backup of the wrong stage": "no field: average reward, there are no stages",
    "mass to the wrong state": mass_to_worst,
    "stale estimate": stale,
    "worst action played": policy_minimises,
    "ties to the last": "equivalent: every maximising action attains the raised value, which is all that any step uses",
    "late trigger": trigger_late,
    "draw reused": coin_kept,
    "wrong length in the logarithm": time_in_log,
}
