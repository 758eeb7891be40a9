"""Faults planted in PSRL in episodes: each is one wrong line, as it is found in real code."""

from __future__ import annotations

from dataclasses import replace

from mdps.learners import _posterior, psrl
from mdps.learners._posterior import sample_model
from mdps.learners.psrl import solve
from theorylab.kernel import LEARNER, beta, gamma, kernel
from theorylab.learner import Learner

learner = psrl.learner[0]


@kernel
def draw_row(st, p, visit, rng, s, a, site, mass, weight):
    """P[s,a,:] ~ Dirichlet(mass + weight moves[s,a,:])."""
    index = 0
    total = 0.0
    for s2 in range(p.S):
        x, index = gamma(rng, visit, site, LEARNER, mass + weight * st.moves[s, a, s2], index)
        st.P[s, a, s2] = x
        total += x
    for s2 in range(p.S):
        st.P[s, a, s2] = st.P[s, a, s2] / total


@kernel
def mean_row(st, p, visit, rng):
    """The posterior mean in place of a draw."""
    for s in range(p.S):
        for a in range(p.A):
            total = 0.0
            for s2 in range(p.S):
                total += p.mass + st.moves[s, a, s2]
            for s2 in range(p.S):
                st.P[s, a, s2] = (p.mass + st.moves[s, a, s2]) / total


@kernel
def counts_twice(st, p, visit, rng):
    """Counts enter twice: half the variance."""
    for s in range(p.S):
        for a in range(p.A):
            draw_row(st, p, visit, rng, s, a, s * p.A + a, p.mass, 2.0)


@kernel
def mass_plus_one(st, p, visit, rng):
    """Counts start at one: a mass of 1 is added to every entry of the prior."""
    for s in range(p.S):
        for a in range(p.A):
            draw_row(st, p, visit, rng, s, a, s * p.A + a, p.mass + 1.0, 1.0)


@kernel
def prior_alone(st, p, visit, rng):
    """The data do not enter."""
    for s in range(p.S):
        for a in range(p.A):
            draw_row(st, p, visit, rng, s, a, s * p.A + a, p.mass, 0.0)


@kernel
def same_draw(st, p, visit, rng):
    """The same random numbers in every episode."""
    for s in range(p.S):
        for a in range(p.A):
            draw_row(st, p, 0, rng, s, a, s * p.A + a, p.mass, 1.0)


@kernel
def one_site(st, p, visit, rng):
    """The same random numbers for every pair."""
    for s in range(p.S):
        for a in range(p.A):
            draw_row(st, p, visit, rng, s, a, 0, p.mass, 1.0)


@kernel
def mirrored(st, p, visit, rng):
    """Rows are written from the last state to the first."""
    for s in range(p.S):
        for a in range(p.A):
            draw_row(st, p, visit, rng, s, a, s * p.A + a, p.mass, 1.0)
            for i in range(p.S // 2):
                x = st.P[s, a, i]
                st.P[s, a, i] = st.P[s, a, p.S - 1 - i]
                st.P[s, a, p.S - 1 - i] = x


@kernel
def zero_unless_seen(st, p, visit, rng):
    """Rows of pairs without a visit are zero."""
    for s in range(p.S):
        for a in range(p.A):
            n = 0
            for s2 in range(p.S):
                n += st.moves[s, a, s2]
            draw_row(st, p, visit, rng, s, a, s * p.A + a, p.mass, 1.0)
            if n == 0:
                for s2 in range(p.S):
                    st.P[s, a, s2] = 0.0


@kernel
def divided_by_counts(st, p, visit, rng):
    """Gammas are divided by the sum of the parameters instead of their own."""
    for s in range(p.S):
        for a in range(p.A):
            index = 0
            total = 0.0
            for s2 in range(p.S):
                total += p.mass + st.moves[s, a, s2]
            for s2 in range(p.S):
                x, index = gamma(rng, visit, s * p.A + a, LEARNER, p.mass + st.moves[s, a, s2], index)
                st.P[s, a, s2] = x / total


@kernel
def losses_forgotten(st, p, visit, rng):
    """Beta(1 + total, 1 + n): successes count as failures too."""
    for s in range(p.S):
        for a in range(p.A):
            n = 0
            for s2 in range(p.S):
                n += st.moves[s, a, s2]
            site = p.S * p.A + s * p.A + a
            st.r[s, a] = beta(rng, visit, site, LEARNER, 1.0 + st.total[s, a], 1.0 + n)
    return True


@kernel
def same_stage(st, p):
    """The backup uses V_h of the last episode instead of V_{h+1}."""
    for i in range(p.H):
        h = p.H - 1 - i
        for s in range(p.S):
            top = 0.0
            for a in range(p.A):
                value = st.r[s, a]
                for s2 in range(p.S):
                    value += st.P[s, a, s2] * st.V[h, s2]
                if a == 0 or value > top:
                    top = value
                    st.pi[h, s] = a
            st.V[h, s] = top


@kernel
def worst_policy(st, p):
    """Values are right, the policy takes the worst action."""
    solve(st, p)
    for h in range(p.H):
        for s in range(p.S):
            low = 0.0
            for a in range(p.A):
                value = st.r[s, a]
                for s2 in range(p.S):
                    value += st.P[s, a, s2] * st.V[h + 1, s2]
                if a == 0 or value < low:
                    low = value
                    st.pi[h, s] = a


@kernel
def solved_before_drawn(st, p, k, rng):
    """The policy is that of the last episode's draw."""
    solve(st, p)
    return sample_model(st, p, k, rng)


@kernel
def self_loops_lost(st, p, k, h, s, a, r, s2):
    """Transitions that stay in the state are not counted."""
    if s2 != s:
        st.moves[s, a, s2] += 1
    st.total[s, a] += r
    return h == p.H - 1


@kernel
def successor_lost(st, p, k, h, s, a, r, s2):
    """Every transition is recorded as staying."""
    st.moves[s, a, s] += 1
    st.total[s, a] += r
    return h == p.H - 1


@kernel
def reward_elsewhere(st, p, k, h, s, a, r, s2):
    """The reward goes to the next action's sum."""
    st.moves[s, a, s2] += 1
    st.total[s, (a + 1) % p.A] += r
    return h == p.H - 1


@kernel
def every_other(st, p, k, h, s, a, r, s2):
    """A draw is held for two episodes."""
    st.moves[s, a, s2] += 1
    st.total[s, a] += r
    return h == p.H - 1 and k % 2 == 1


@kernel
def act_ahead(st, p, k, h, s, rng):
    """The policy of the next stage."""
    return st.pi[min(h + 1, p.H - 1), s]


def sampling(sample: object) -> Learner:
    """PSRL with another sampler of the kernel."""
    return replace(learner, plan=psrl.plan.replace(sample_model=sample_model.replace(sample_kernel=sample)))


posterior_mean = sampling(mean_row)
variance_halved = sampling(counts_twice)
counts_from_one = sampling(mass_plus_one)
data_unused = sampling(prior_alone)
draw_reused = sampling(same_draw)
draw_shared = sampling(one_site)
rows_mirrored = sampling(mirrored)
unvisited_zero = sampling(zero_unless_seen)
not_normalised = sampling(divided_by_counts)
failures_wrong = replace(
    learner, plan=psrl.plan.replace(sample_model=_posterior.sample_model.replace(sample_rewards=losses_forgotten))
)
backup_same_stage = replace(learner, plan=psrl.plan.replace(solve=same_stage))
policy_minimises = replace(learner, plan=psrl.plan.replace(solve=worst_policy))
policy_stale = replace(learner, plan=solved_before_drawn)
counts_lost = replace(learner, watch=self_loops_lost)
successors_lost = replace(learner, watch=successor_lost)
rewards_swapped = replace(learner, watch=reward_elsewhere)
trigger_late = replace(learner, watch=every_other)
acts_on_next_stage = replace(learner, act=act_ahead)

NO_BONUS = "no field: posterior sampling has no bonus and no radius, hence no logarithm and no delta"
GENERIC: dict[str, Learner | str] = {
    "bonus zero": posterior_mean,  # what explores is the draw: without it the posterior mean is played
    "log factor dropped": NO_BONUS,
    "delta not divided": NO_BONUS,
    "wrong variance": variance_halved,
    "count off by one": counts_from_one,
    "lost counts": counts_lost,
    "unvisited at zero": unvisited_zero,
    "no clipping": "no field: values of a drawn model lie in [0, H - h] by themselves, nothing is clipped",
    "backup of the wrong stage": backup_same_stage,
    "mass to the wrong state": successors_lost,
    "stale estimate": policy_stale,
    "worst action played": policy_minimises,
    "ties to the last": "equivalent: every maximiser is optimal for the draw, and no step says which is played; before "
    "the last stage two actions tie with probability zero",
    "late trigger": trigger_late,
    "draw reused": draw_reused,
    "wrong length in the logarithm": NO_BONUS,
}
