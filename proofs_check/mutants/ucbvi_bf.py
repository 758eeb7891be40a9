"""Faults planted in UCBVI-BF: each is one wrong line, as it is found in real code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from mdps.learners._ucbvi import count, expect, settle
from mdps.learners.ucbvi_bf import backup, begin, bonuses, factors, improve, learner, plan, variance, watch, weigh
from proofs_check.mutants import _ucbvi as wrong
from proofs_check.mutants._greedy import least, next_stage
from theorylab.compiler import Kernel
from theorylab.kernel import kernel, sqrt
from theorylab.learner import Learner

begin_right, factors_right, bonuses_right = begin, factors, bonuses


@kernel
def none(st, p, h):
    """b = 0 where there are visits."""
    bonuses_right(st, p, h)
    for x in range(p.S * p.A):
        if st.third[x] > 0.0:
            st.bonus[h, x] = 0.0


@kernel
def ten_times(st, p, h):
    """b is ten times too large."""
    bonuses_right(st, p, h)
    for x in range(p.S * p.A):
        st.bonus[h, x] *= 10.0


@kernel
def without_last_term(st, p, h):
    """The last term is left out."""
    for x in range(p.S * p.A):
        st.bonus[h, x] = p.scale * sqrt(st.first[x] * st.var[x]) + st.second[x]


@kernel
def without_second_term(st, p, s, a):
    """14 H L / (3 n) is left out."""
    factors_right(st, p, s, a)
    st.second[s * p.A + a] = 0.0


@kernel
def second_moment(st, p, h):
    """The mean of V^2 for its variance."""
    for x in range(p.S * p.A):
        st.var[x] = 0.0
        for y in range(p.S):
            st.var[x] += st.p_hat[y, x] * (st.V[h + 1, y] * st.V[h + 1, y])


@kernel
def without_eight(st, p, s, a):
    """The factor 8 is left out before the variance."""
    factors_right(st, p, s, a)
    st.first[s * p.A + a] = p.L / st.N[s, a]


@kernel
def same_stage_visits(st, p, h):
    """N'_h for N'_{h+1}."""
    for y in range(p.S):
        st.weight[y] = p.H2
        if h == p.H - 1:
            st.weight[y] = 0.0
        elif st.reached[h, y] > 0:
            st.weight[y] = min(p.C / st.reached[h, y], p.H2)


@kernel
def pooled_visits(st, p, h):
    """Visits of y at all stages for N'_{h+1}(y)."""
    for y in range(p.S):
        n = 0
        for a in range(p.A):
            n += st.N[y, a]
        st.weight[y] = p.H2
        if h == p.H - 1:
            st.weight[y] = 0.0
        elif n > 0:
            st.weight[y] = min(p.C / n, p.H2)


@kernel
def watch_arrivals(st, p, k, h, s, a, r, s2):
    """A step is counted at the stage and state where it ends, under the number of the stage where it began."""
    count(st, p, s, a, s2)
    st.reached[h, s2] += 1
    return h == p.H - 1


@kernel
def begin_at_zero(st, p):
    """The bonus of an unvisited pair is zero: its Q is its reward."""
    begin_right(st, p)
    for x in range(p.S * p.A):
        st.second[x] = 0.0


@kernel
def begin_at_one(st, p):
    """The min with the last Q starts at 1, as in a public port."""
    begin_right(st, p)
    for h in range(p.H):
        for s in range(p.S):
            for a in range(p.A):
                st.Q[h, s, a] = 1.0


@kernel
def prepare(st, p, h):
    """Everything up to the bonuses, as in the learner: shared by the two faults below."""
    expect(st.p_hat, st.V[h + 1], st.mean, p.S, p.S * p.A)
    variance(st, p, h)
    weigh(st, p, h)
    expect(st.p_hat, st.weight, st.gap, p.S, p.S * p.A)
    bonuses(st, p, h)


@kernel
def same_stage(st, p, h):
    """The backup uses V_h, as the last episode left it."""
    prepare(st, p, h)
    expect(st.p_hat, st.V[h], st.mean, p.S, p.S * p.A)
    improve(st, p, h)


@kernel
def skip_stage(st, p, h):
    """The backup skips a stage."""
    prepare(st, p, h)
    expect(st.p_hat, st.V[min(h + 2, p.H)], st.mean, p.S, p.S * p.A)
    improve(st, p, h)


@kernel
def improve_q(st, p, h):
    """Q is updated, V is not."""
    for s in range(p.S):
        for a in range(p.A):
            x = s * p.A + a
            settle(st, p, h, s, a, p.r[s, a] + st.mean[x] + st.bonus[h, x])


def with_backup(**changed: Kernel) -> Learner:
    """The learner with one part of its backup changed."""
    return replace(learner, plan=plan.replace(backup=backup.replace(**changed)))


def with_settle(changed: Kernel) -> Learner:
    """The learner with another assignment of Q."""
    return with_backup(improve=improve.replace(settle=changed))


def with_log(term: Callable[[dict[str, Any]], float]) -> Learner:
    """The learner with another logarithm."""
    assert learner.derive is not None
    right = learner.derive

    def derive(p: dict[str, Any]) -> dict[str, Any]:
        L, values = term(p), right(p)
        return {**values, "L": L, "C": values["C"] * (L / values["L"]) ** 2}

    return replace(learner, derive=derive)


bonus_zero = with_backup(bonuses=none)
bonus_tenfold = with_backup(bonuses=ten_times)
last_term_dropped = with_backup(bonuses=without_last_term)
second_term_dropped = replace(learner, plan=plan.replace(factors=without_second_term))
eight_dropped = replace(learner, plan=plan.replace(factors=without_eight))
variance_uncentred = with_backup(variance=second_moment)
visits_same_stage = with_backup(weigh=same_stage_visits)
visits_pooled = with_backup(weigh=pooled_visits)
visits_shifted = replace(learner, watch=watch_arrivals)
log_dropped = with_log(wrong.no_logarithm)
delta_alone = with_log(wrong.only_delta)
episodes_for_steps = with_log(wrong.of_episodes)
count_off_by_one = replace(learner, plan=plan.replace(estimate=wrong.divide_by_one_more))
counts_lost = replace(learner, watch=watch.replace(count=wrong.lose_self_loops))
wrong_successor = replace(learner, watch=watch.replace(count=wrong.arrive_where_it_started))
estimate_stale = replace(learner, plan=plan.replace(estimate=wrong.estimate_once))
value_stale = with_backup(improve=improve_q)
unvisited_zero = replace(learner, begin=begin_at_zero)
cap_at_one = replace(learner, begin=begin_at_one)
clipping_off = with_settle(wrong.settle_uncapped)
last_q_forgotten = with_settle(wrong.settle_forgetful)
q_stale = with_settle(wrong.settle_once)
backup_same_stage = replace(learner, plan=plan.replace(backup=same_stage))
backup_skips_stage = replace(learner, plan=plan.replace(backup=skip_stage))
plans_every_other = replace(learner, watch=wrong.watch_every_other.replace(watch=watch))
argmin = replace(learner, act=least)
ties_to_last = replace(learner, act=wrong.last_of_ties)
acts_on_next_stage = replace(learner, act=next_stage)

GENERIC: dict[str, Learner | str] = {
    "bonus zero": bonus_zero,
    "log factor dropped": log_dropped,
    "delta not divided": delta_alone,
    "wrong variance": variance_uncentred,
    "count off by one": count_off_by_one,
    "lost counts": counts_lost,
    "unvisited at zero": unvisited_zero,
    "no clipping": clipping_off,
    "backup of the wrong stage": backup_same_stage,
    "mass to the wrong state": wrong_successor,
    "stale estimate": estimate_stale,
    "worst action played": argmin,
    "ties to the last": ties_to_last,
    "late trigger": plans_every_other,
    "draw reused": "no field: the learner draws nothing",
    "wrong length in the logarithm": episodes_for_steps,
}
