"""Faults planted in UCBVI-CH: each is one wrong line, as it is found in real code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from mdps.learners._ucbvi import expect, settle
from mdps.learners.ucbvi_ch import backup, begin, improve, learner, plan, watch
from proofs_check.mutants import _ucbvi as wrong
from proofs_check.mutants._greedy import least, next_stage
from theorylab.compiler import Kernel
from theorylab.kernel import kernel, sqrt
from theorylab.learner import Learner

begin_right = begin


@kernel
def zero(p, n):
    """b = 0."""
    return 0.0


@kernel
def over_n(p, n):
    """b shrinks like 1/n."""
    return p.width / n


@kernel
def ten_times(p, n):
    """b is ten times too large."""
    return 10.0 * p.width / sqrt(float(n))


@kernel
def root_of_log(p, n):
    """sqrt(L) for L, as some texts print."""
    return p.width / sqrt(p.L * n)


@kernel
def begin_at_zero(st, p):
    """The bonus of an unvisited pair is zero: its Q is its reward and its next values."""
    begin_right(st, p)
    for s in range(p.S):
        for a in range(p.A):
            st.bonus[s, a] = 0.0


@kernel
def begin_at_one(st, p):
    """The min with the last Q starts at 1, as in a public port."""
    begin_right(st, p)
    for h in range(p.H):
        for s in range(p.S):
            for a in range(p.A):
                st.Q[h, s, a] = 1.0


@kernel
def same_stage(st, p, h):
    """The backup uses V_h, as the last episode left it."""
    expect(st.p_hat, st.V[h], st.mean, p.S, p.S * p.A)
    improve(st, p, h)


@kernel
def skip_stage(st, p, h):
    """The backup skips a stage."""
    expect(st.p_hat, st.V[min(h + 2, p.H)], st.mean, p.S, p.S * p.A)
    improve(st, p, h)


@kernel
def improve_q(st, p, h):
    """Q is updated, V is not."""
    for s in range(p.S):
        for a in range(p.A):
            settle(st, p, h, s, a, p.r[s, a] + st.mean[s * p.A + a] + st.bonus[s, a])


def with_bonus(bonus: Kernel) -> Learner:
    """The learner with another bonus."""
    return replace(learner, plan=plan.replace(bonus=bonus))


def with_backup(changed: Kernel) -> Learner:
    """The learner with another backup."""
    return replace(learner, plan=plan.replace(backup=changed))


def with_settle(changed: Kernel) -> Learner:
    """The learner with another assignment of Q."""
    return with_backup(backup.replace(improve=improve.replace(settle=changed)))


def with_log(term: Callable[[dict[str, Any]], float]) -> Learner:
    """The learner with another logarithm."""
    assert learner.derive is not None
    right = learner.derive

    def derive(p: dict[str, Any]) -> dict[str, Any]:
        L = term(p)
        return {**right(p), "L": L, "width": p["scale"] * 7.0 * p["H"] * L}

    return replace(learner, derive=derive)


bonus_zero = with_bonus(zero)
bonus_one_over_n = with_bonus(over_n)
bonus_tenfold = with_bonus(ten_times)
bonus_root_of_log = with_bonus(root_of_log)
log_dropped = with_log(wrong.no_logarithm)
delta_alone = with_log(wrong.only_delta)
episodes_for_steps = with_log(wrong.of_episodes)
count_off_by_one = replace(learner, plan=plan.replace(estimate=wrong.divide_by_one_more))
counts_lost = replace(learner, watch=watch.replace(count=wrong.lose_self_loops))
wrong_successor = replace(learner, watch=watch.replace(count=wrong.arrive_where_it_started))
estimate_stale = replace(learner, plan=plan.replace(estimate=wrong.estimate_once))
value_stale = with_backup(backup.replace(improve=improve_q))
unvisited_zero = replace(learner, begin=begin_at_zero)
cap_at_one = replace(learner, begin=begin_at_one)
clipping_off = with_settle(wrong.settle_uncapped)
last_q_forgotten = with_settle(wrong.settle_forgetful)
q_stale = with_settle(wrong.settle_once)
backup_same_stage = with_backup(same_stage)
backup_skips_stage = with_backup(skip_stage)
plans_every_other = replace(learner, watch=wrong.watch_every_other.replace(watch=watch))
argmin = replace(learner, act=least)
ties_to_last = replace(learner, act=wrong.last_of_ties)
acts_on_next_stage = replace(learner, act=next_stage)

GENERIC: dict[str, Learner | str] = {
    "bonus zero": bonus_zero,
    "log factor dropped": log_dropped,
    "delta not divided": delta_alone,
    "wrong variance": "no field: the bonus of UCBVI-CH has no variance, that of UCBVI-BF does",
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
