"""Faults planted in RLSVI: each is one wrong line, as it is found in real code."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mdps.learners import rlsvi
from mdps.learners.rlsvi import derive, draw_cell, learner, target_sum
from theorylab.kernel import LEARNER, kernel, normal, sqrt
from theorylab.learner import Learner


@kernel
def without_noise(st, p, k, h, s, a, rng):
    """The posterior mean in place of a draw."""
    return (p.pull + target_sum(st, p, h, s, a)) / (st.N[h, s, a] + p.beta)


@kernel
def variance_for_sd(st, p, k, h, s, a, rng):
    """The noise is multiplied by its variance instead of the root."""
    weight = 1.0 / (st.N[h, s, a] + p.beta)
    mean = (p.pull + target_sum(st, p, h, s, a)) * weight
    return mean + p.v * weight * normal(rng, k, (h * p.S + s) * p.A + a, LEARNER)


@kernel
def noise_twice(st, p, k, h, s, a, rng):
    """The noise is added to the mean, and to the draw once more."""
    weight = 1.0 / (st.N[h, s, a] + p.beta)
    mean = (p.pull + target_sum(st, p, h, s, a)) * weight
    return mean + 2.0 * sqrt(p.v * weight) * normal(rng, k, (h * p.S + s) * p.A + a, LEARNER)


@kernel
def mean_twice(st, p, k, h, s, a, rng):
    """The mean of the data enters twice, as in a public port."""
    weight = 1.0 / (st.N[h, s, a] + p.beta)
    mean = (p.pull + 2.0 * target_sum(st, p, h, s, a)) * weight
    return mean + sqrt(p.v * weight) * normal(rng, k, (h * p.S + s) * p.A + a, LEARNER)


@kernel
def from_one(st, p, k, h, s, a, rng):
    """Visits start at one, which halves the first sample, as in a public port."""
    weight = 1.0 / (st.N[h, s, a] + 1.0 + p.beta)
    mean = (p.pull + target_sum(st, p, h, s, a)) * weight
    return mean + sqrt(p.v * weight) * normal(rng, k, (h * p.S + s) * p.A + a, LEARNER)


@kernel
def zero_prior(st, p, k, h, s, a, rng):
    """The prior has mean zero: cells without a visit are drawn around zero."""
    weight = 1.0 / (st.N[h, s, a] + p.beta)
    mean = target_sum(st, p, h, s, a) * weight
    return mean + sqrt(p.v * weight) * normal(rng, k, (h * p.S + s) * p.A + a, LEARNER)


@kernel
def prior_outweighed(st, p, k, h, s, a, rng):
    """The prior's mean is not weighted by beta."""
    weight = 1.0 / (st.N[h, s, a] + p.beta)
    mean = (p.H + target_sum(st, p, h, s, a)) * weight
    return mean + sqrt(p.v * weight) * normal(rng, k, (h * p.S + s) * p.A + a, LEARNER)


@kernel
def same_noise(st, p, k, h, s, a, rng):
    """The noise of the first episode in all of them."""
    weight = 1.0 / (st.N[h, s, a] + p.beta)
    mean = (p.pull + target_sum(st, p, h, s, a)) * weight
    return mean + sqrt(p.v * weight) * normal(rng, 0, (h * p.S + s) * p.A + a, LEARNER)


@kernel
def stage_noise(st, p, k, h, s, a, rng):
    """One noise a stage, shared by all its cells."""
    weight = 1.0 / (st.N[h, s, a] + p.beta)
    mean = (p.pull + target_sum(st, p, h, s, a)) * weight
    return mean + sqrt(p.v * weight) * normal(rng, k, h * p.S * p.A, LEARNER)


@kernel
def clipped(st, p, k, h, s, a, rng):
    """The draw is clipped at H - h, which the algorithm does not do."""
    return min(draw_cell(st, p, k, h, s, a, rng), float(p.H - h))


@kernel
def same_stage(st, p, h, s, a):
    """The backup uses V_h instead of V_{h+1}."""
    total = st.total[h, s, a]
    for s2 in range(p.S):
        total += st.moves[h, s, a, s2] * st.V[h, s2]
    return total


@kernel
def forward(st, p, k, rng):
    """Stages are done from the first to the last: the values ahead are those of the last episode."""
    for h in range(p.H):
        for s in range(p.S):
            top = 0.0
            for a in range(p.A):
                value = draw_cell(st, p, k, h, s, a, rng)
                st.Q[h, s, a] = value
                if a == 0 or value > top:
                    top = value
                    st.pi[h, s] = a
            st.V[h, s] = top
    return True


@kernel
def minimum(st, p, k, rng):
    """Values are minima over the actions, and these are played."""
    for i in range(p.H):
        h = p.H - 1 - i
        for s in range(p.S):
            low = 0.0
            for a in range(p.A):
                value = draw_cell(st, p, k, h, s, a, rng)
                st.Q[h, s, a] = value
                if a == 0 or value < low:
                    low = value
                    st.pi[h, s] = a
            st.V[h, s] = low
    return True


@kernel
def worst_played(st, p, k, h, s, rng):
    """The action with the smallest draw."""
    worst = 0
    for a in range(1, p.A):
        if st.Q[h, s, a] < st.Q[h, s, worst]:
            worst = a
    return worst


@kernel
def self_loops_lost(st, p, k, h, s, a, r, s2):
    """Transitions that stay in the state are not counted."""
    st.total[h, s, a] += r
    if s2 != s:
        st.N[h, s, a] += 1
        st.moves[h, s, a, s2] += 1
    return h == p.H - 1


@kernel
def successor_lost(st, p, k, h, s, a, r, s2):
    """Every transition is recorded as staying."""
    st.N[h, s, a] += 1
    st.total[h, s, a] += r
    st.moves[h, s, a, s] += 1
    return h == p.H - 1


@kernel
def reward_elsewhere(st, p, k, h, s, a, r, s2):
    """The reward goes to the next action's sum."""
    st.N[h, s, a] += 1
    st.total[h, s, (a + 1) % p.A] += r
    st.moves[h, s, a, s2] += 1
    return h == p.H - 1


@kernel
def every_other(st, p, k, h, s, a, r, s2):
    """A draw is held for two episodes."""
    st.N[h, s, a] += 1
    st.total[h, s, a] += r
    st.moves[h, s, a, s2] += 1
    return h == p.H - 1 and k % 2 == 1


def derive_without_horizon(p: dict[str, Any]) -> dict[str, Any]:
    """v = 3: the squared range of the values is left out."""
    return {**derive(p), "v": 3.0 * p["v_scale"]}


def drawing(draw: object) -> Learner:
    """RLSVI with another draw of a cell."""
    return replace(learner, plan=rlsvi.plan.replace(draw_cell=draw))


noise_zero = drawing(without_noise)
sd_squared = drawing(variance_for_sd)
noise_doubled = drawing(noise_twice)
mean_doubled = drawing(mean_twice)
counts_from_one = drawing(from_one)
unvisited_zero = drawing(zero_prior)
prior_unweighted = drawing(prior_outweighed)
noise_reused = drawing(same_noise)
noise_shared = drawing(stage_noise)
clipping_on = drawing(clipped)
backup_same_stage = drawing(draw_cell.replace(target_sum=same_stage))
values_stale = replace(learner, plan=forward)
value_minimum = replace(learner, plan=minimum)
argmin = replace(learner, act=worst_played)
counts_lost = replace(learner, watch=self_loops_lost)
successors_lost = replace(learner, watch=successor_lost)
rewards_swapped = replace(learner, watch=reward_elsewhere)
trigger_late = replace(learner, watch=every_other)
variance_without_horizon = replace(learner, derive=derive_without_horizon)

NO_LOG = "no field: the noise variance 3 H^2 and the prior have no logarithm and no delta"
GENERIC: dict[str, Learner | str] = {
    "bonus zero": noise_zero,  # what explores is the noise
    "log factor dropped": NO_LOG,
    "delta not divided": NO_LOG,
    "wrong variance": variance_without_horizon,
    "count off by one": counts_from_one,
    "lost counts": counts_lost,
    "unvisited at zero": unvisited_zero,
    "no clipping": "no field: Q is not clipped in the 2019 proof; the opposite fault, clipping at H - h, is planted",
    "backup of the wrong stage": backup_same_stage,
    "mass to the wrong state": successors_lost,
    "stale estimate": values_stale,
    "worst action played": argmin,
    "ties to the last": "equivalent: two draws tie with probability zero",
    "late trigger": trigger_late,
    "draw reused": noise_reused,
    "wrong length in the logarithm": NO_LOG,
}
