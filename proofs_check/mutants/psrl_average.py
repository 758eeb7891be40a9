"""Faults planted in PSRL with the dynamic episodes of TSDE: each is one wrong line, as it is found in real code."""

from __future__ import annotations

from dataclasses import replace

from mdps.learners import psrl
from mdps.learners._posterior import sample_model
from mdps.learners.psrl import solve_average, start_episode
from proofs_check.mutants.psrl import (
    counts_twice,
    losses_forgotten,
    mass_plus_one,
    mean_row,
    mirrored,
    one_site,
    same_draw,
    zero_unless_seen,
)
from theorylab.kernel import kernel
from theorylab.learner import Learner

learner = psrl.learner[1]


@kernel
def count(st, p, s, a, r, s2):
    """The counts of a step, as they should be."""
    st.moves[s, a, s2] += 1
    st.total[s, a] += r
    st.N[s, a] += 1
    st.clock[0] += 1


@kernel
def length_ignored(st, p, t, s, a, r, s2):
    """Only the visits end an episode."""
    count(st, p, s, a, r, s2)
    return st.N[s, a] > 2 * st.N_start[s, a]


@kernel
def visits_ignored(st, p, t, s, a, r, s2):
    """Only the length ends an episode."""
    count(st, p, s, a, r, s2)
    return st.clock[0] > st.clock[1]


@kernel
def fourfold(st, p, t, s, a, r, s2):
    """An episode ends when a pair's visits are more than fourfold."""
    count(st, p, s, a, r, s2)
    return st.clock[0] > st.clock[1] or st.N[s, a] > 4 * st.N_start[s, a]


@kernel
def doubled(st, p, t, s, a, r, s2):
    """An episode ends when a pair's visits have doubled, not more than doubled."""
    count(st, p, s, a, r, s2)
    return st.clock[0] > st.clock[1] or st.N[s, a] >= 2 * st.N_start[s, a]


@kernel
def not_longer(st, p, t, s, a, r, s2):
    """An episode ends when it is as long as the last one: lengths never grow."""
    count(st, p, s, a, r, s2)
    return st.clock[0] >= st.clock[1] or st.N[s, a] > 2 * st.N_start[s, a]


@kernel
def always(st, p, t, s, a, r, s2):
    """A draw at every step."""
    count(st, p, s, a, r, s2)
    return True


@kernel
def length_doubles(st, p, t, s, a, r, s2):
    """An episode may be twice as long as the last one."""
    count(st, p, s, a, r, s2)
    return st.clock[0] > 2 * st.clock[1] or st.N[s, a] > 2 * st.N_start[s, a]


@kernel
def self_loops_lost(st, p, t, s, a, r, s2):
    """Transitions that stay in the state are not counted."""
    st.total[s, a] += r
    st.clock[0] += 1
    if s2 != s:
        st.moves[s, a, s2] += 1
        st.N[s, a] += 1
    return st.clock[0] > st.clock[1] or st.N[s, a] > 2 * st.N_start[s, a]


@kernel
def successor_lost(st, p, t, s, a, r, s2):
    """Every transition is recorded as staying."""
    count(st, p, s, a, r, s)
    return st.clock[0] > st.clock[1] or st.N[s, a] > 2 * st.N_start[s, a]


@kernel
def reward_elsewhere(st, p, t, s, a, r, s2):
    """The reward goes to the next action's sum."""
    count(st, p, s, a, 0.0, s2)
    st.total[s, (a + 1) % p.A] += r
    return st.clock[0] > st.clock[1] or st.N[s, a] > 2 * st.N_start[s, a]


@kernel
def counts_not_frozen(st, p):
    """The counts at the start of the episode are those of the first one."""
    st.clock[1] = st.clock[0]
    st.clock[0] = 0


@kernel
def one_sweep(st, p):
    """The stopping test is reversed: relative value iteration stops while the span is still above the precision."""
    for sweep in range(p.max_sweeps):
        low = 0.0
        high = 0.0
        for s in range(p.S):
            top = 0.0
            best = 0
            for a in range(p.A):
                value = st.r[s, a]
                for s2 in range(p.S):
                    value += st.P[s, a, s2] * st.u[s2]
                if a == 0 or value > top:
                    top = value
                    best = a
            st.pi[s] = best
            change = top - st.u[s]
            st.u_next[s] = st.u[s] + 0.5 * change
            if s == 0 or change < low:
                low = change
            if s == 0 or change > high:
                high = change
        if high - low >= p.precision:
            st.gain[0] = low
            st.gain[1] = high
            st.sweeps[0] = sweep + 1
            return True
        base = st.u_next[0]
        for s in range(p.S):
            st.u[s] = st.u_next[s] - base
    return False


@kernel
def worst_policy(st, p):
    """The values are right, the policy takes the worst action."""
    done = solve_average(st, p)
    for s in range(p.S):
        low = 0.0
        for a in range(p.A):
            value = st.r[s, a]
            for s2 in range(p.S):
                value += st.P[s, a, s2] * st.u[s2]
            if a == 0 or value < low:
                low = value
                st.pi[s] = a
    return done


@kernel
def solved_before_drawn(st, p, t, s, rng):
    """The policy is that of the last episode's draw."""
    start_episode(st, p)
    done = solve_average(st, p)
    return sample_model(st, p, t, rng) and done


@kernel
def discounted(st, p):
    """The sum over next states is discounted by 0.5: another criterion than the gain."""
    for sweep in range(p.max_sweeps):
        low = 0.0
        high = 0.0
        for s in range(p.S):
            top = 0.0
            best = 0
            for a in range(p.A):
                value = st.r[s, a]
                for s2 in range(p.S):
                    value += 0.5 * st.P[s, a, s2] * st.u[s2]
                if a == 0 or value > top:
                    top = value
                    best = a
            st.pi[s] = best
            change = top - st.u[s]
            st.u_next[s] = st.u[s] + 0.5 * change
            if s == 0 or change < low:
                low = change
            if s == 0 or change > high:
                high = change
        if high - low < p.precision:
            st.gain[0] = low
            st.gain[1] = high
            st.sweeps[0] = sweep + 1
            return True
        base = st.u_next[0]
        for s in range(p.S):
            st.u[s] = st.u_next[s] - base
    return False


@kernel
def other_state(st, p, t, s, rng):
    """The action of the next state."""
    return st.pi[(s + 1) % p.S]


def sampling(sample: object) -> Learner:
    """TSDE with another sampler of the kernel."""
    return replace(learner, plan=psrl.plan_average.replace(sample_model=sample_model.replace(sample_kernel=sample)))


def solving(solve: object) -> Learner:
    """TSDE with another solver."""
    return replace(learner, plan=psrl.plan_average.replace(solve_average=solve))


posterior_mean = sampling(mean_row)
variance_halved = sampling(counts_twice)
counts_from_one = sampling(mass_plus_one)
draw_reused = sampling(same_draw)
draw_shared = sampling(one_site)
rows_mirrored = sampling(mirrored)
unvisited_zero = sampling(zero_unless_seen)
failures_wrong = replace(
    learner, plan=psrl.plan_average.replace(sample_model=sample_model.replace(sample_rewards=losses_forgotten))
)
stops_early = solving(one_sweep)
policy_minimises = solving(worst_policy)
solved_discounted = solving(discounted)
policy_stale = replace(learner, plan=solved_before_drawn)
start_stale = replace(learner, plan=psrl.plan_average.replace(start_episode=counts_not_frozen))
length_dropped = replace(learner, watch=length_ignored)
doubling_dropped = replace(learner, watch=visits_ignored)
trigger_late = replace(learner, watch=fourfold)
trigger_early = replace(learner, watch=doubled)
length_early = replace(learner, watch=not_longer)
length_twice = replace(learner, watch=length_doubles)
trigger_always = replace(learner, watch=always)
counts_lost = replace(learner, watch=self_loops_lost)
successors_lost = replace(learner, watch=successor_lost)
rewards_swapped = replace(learner, watch=reward_elsewhere)
acts_elsewhere = replace(learner, act=other_state)

NO_BONUS = "no field: posterior sampling has no bonus and no radius, hence no logarithm and no delta"
GENERIC: dict[str, Learner | str] = {
    "bonus zero": posterior_mean,  # what explores is the draw: without it the posterior mean is played
    "log factor dropped": NO_BONUS,
    "delta not divided": NO_BONUS,
    "wrong variance": variance_halved,
    "count off by one": trigger_early,
    "lost counts": counts_lost,
    "unvisited at zero": unvisited_zero,
    "no clipping": "no field: relative values of a drawn model are not clipped",
    "backup of the wrong stage": solved_discounted,  # no stages: the wrong operator in the backup
    "mass to the wrong state": successors_lost,
    "stale estimate": policy_stale,
    "worst action played": policy_minimises,
    "ties to the last": "equivalent: two actions of a drawn model tie with probability zero where they differ in law, "
    "and any maximiser attains the certified gain",
    "late trigger": trigger_late,
    "draw reused": draw_reused,
    "wrong length in the logarithm": NO_BONUS,
}
