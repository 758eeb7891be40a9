"""Faults planted in UCB-H: each is one wrong line, as it is found in real code."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mdps.learners.ucb_h import learner
from proofs_check.mutants._greedy import least, next_stage
from theorylab.kernel import kernel, log, sqrt
from theorylab.learner import Learner


@kernel
def cap(st, p, h, s):
    """The value of a state, capped at H: shared by the faults below, which break something else."""
    top = st.Q[h, s, 0]
    for b in range(1, p.A):
        if st.Q[h, s, b] > top:
            top = st.Q[h, s, b]
    st.V[h, s] = min(float(p.H), top)


@kernel
def step(st, p, h, s, a, target, bonus, rate):
    """Move one cell towards its target."""
    st.bonus[0] = bonus
    st.Q[h, s, a] = (1.0 - rate) * st.Q[h, s, a] + rate * (target + bonus)
    cap(st, p, h, s)


@kernel
def no_bonus(st, p, k, h, s, a, r, s2):
    """b = 0."""
    n = st.N[h, s, a] + 1
    st.N[h, s, a] = n
    step(st, p, h, s, a, r + st.V[h + 1, s2], 0.0, (p.H + 1.0) / (p.H + n))


@kernel
def no_log(st, p, k, h, s, a, r, s2):
    """The logarithm is dropped: b = c sqrt(H^3 / n)."""
    n = st.N[h, s, a] + 1
    st.N[h, s, a] = n
    step(st, p, h, s, a, r + st.V[h + 1, s2], p.c * sqrt(p.H3_iota / p.iota / n), (p.H + 1.0) / (p.H + n))


@kernel
def fast_bonus(st, p, k, h, s, a, r, s2):
    """b shrinks like 1/n."""
    n = st.N[h, s, a] + 1
    st.N[h, s, a] = n
    step(st, p, h, s, a, r + st.V[h + 1, s2], p.c * sqrt(p.H3_iota) / n, (p.H + 1.0) / (p.H + n))


@kernel
def large_bonus(st, p, k, h, s, a, r, s2):
    """b is ten times too large."""
    n = st.N[h, s, a] + 1
    st.N[h, s, a] = n
    step(st, p, h, s, a, r + st.V[h + 1, s2], 10.0 * p.c * sqrt(p.H3_iota / n), (p.H + 1.0) / (p.H + n))


@kernel
def averaging(st, p, k, h, s, a, r, s2):
    """The rate of a plain average, 1/n, instead of (H+1)/(H+n)."""
    n = st.N[h, s, a] + 1
    st.N[h, s, a] = n
    step(st, p, h, s, a, r + st.V[h + 1, s2], p.c * sqrt(p.H3_iota / n), 1.0 / n)


@kernel
def same_stage(st, p, k, h, s, a, r, s2):
    """The backup uses V_h instead of V_{h+1}."""
    n = st.N[h, s, a] + 1
    st.N[h, s, a] = n
    step(st, p, h, s, a, r + st.V[h, s2], p.c * sqrt(p.H3_iota / n), (p.H + 1.0) / (p.H + n))


@kernel
def later_stage(st, p, k, h, s, a, r, s2):
    """The backup of the last stage is right, all others skip a stage and bonuses are left out."""
    n = st.N[h, s, a] + 1
    st.N[h, s, a] = n
    step(st, p, h, s, a, r + st.V[min(h + 2, p.H), s2], 0.0, (p.H + 1.0) / (p.H + n))


@kernel
def lost_counts(st, p, k, h, s, a, r, s2):
    """Transitions that stay in the state are not counted."""
    n = st.N[h, s, a] + 1
    if s2 != s:
        st.N[h, s, a] = n
    step(st, p, h, s, a, r + st.V[h + 1, s2], p.c * sqrt(p.H3_iota / n), (p.H + 1.0) / (p.H + n))


@kernel
def no_clipping(st, p, k, h, s, a, r, s2):
    """V = max Q, not capped at H."""
    n = st.N[h, s, a] + 1
    st.N[h, s, a] = n
    step(st, p, h, s, a, r + st.V[h + 1, s2], p.c * sqrt(p.H3_iota / n), (p.H + 1.0) / (p.H + n))
    top = st.Q[h, s, 0]
    for b in range(1, p.A):
        if st.Q[h, s, b] > top:
            top = st.Q[h, s, b]
    st.V[h, s] = top


@kernel
def begin_at_zero(st, p):
    """Unvisited pairs start at zero instead of H."""
    st.bonus[0] = 0.0
    for h in range(p.H):
        for s in range(p.S):
            st.V[h, s] = 0.0
            for a in range(p.A):
                st.Q[h, s, a] = 0.0
                st.N[h, s, a] = 0
    for s in range(p.S):
        st.V[p.H, s] = 0.0


@kernel
def stale_value(st, p, k, h, s, a, r, s2):
    """Q is updated, V is not."""
    n = st.N[h, s, a] + 1
    st.N[h, s, a] = n
    before = st.V[h, s]
    step(st, p, h, s, a, r + st.V[h + 1, s2], p.c * sqrt(p.H3_iota / n), (p.H + 1.0) / (p.H + n))
    st.V[h, s] = before


@kernel
def count_behind(st, p, k, h, s, a, r, s2):
    """The rate uses the count before the visit."""
    n = st.N[h, s, a] + 1
    st.N[h, s, a] = n
    step(st, p, h, s, a, r + st.V[h + 1, s2], p.c * sqrt(p.H3_iota / n), (p.H + 1.0) / (p.H + n - 1.0))


def derive_without_delta(p: dict[str, Any]) -> dict[str, Any]:
    """delta is left out of the logarithm."""
    iota = log(float(p["S"] * p["A"] * p["T"]))
    return dict(iota=iota, H3_iota=float(p["H"]) * p["H"] * p["H"] * iota)


def derive_from_episodes(p: dict[str, Any]) -> dict[str, Any]:
    """K is used for T in the logarithm."""
    iota = log(p["S"] * p["A"] * p["K"] / p["delta"])
    return dict(iota=iota, H3_iota=float(p["H"]) * p["H"] * p["H"] * iota)


bonus_zero = replace(learner, learn=no_bonus)
log_dropped = replace(learner, learn=no_log)
bonus_one_over_n = replace(learner, learn=fast_bonus)
bonus_tenfold = replace(learner, learn=large_bonus)
rate_one_over_n = replace(learner, learn=averaging)
backup_same_stage = replace(learner, learn=same_stage)
backup_skips_stage = replace(learner, learn=later_stage)
counts_lost = replace(learner, learn=lost_counts)
clipping_off = replace(learner, learn=no_clipping)
unvisited_zero = replace(learner, begin=begin_at_zero)
value_stale = replace(learner, learn=stale_value)
argmin = replace(learner, act=least)
acts_on_next_stage = replace(learner, act=next_stage)
episodes_for_steps = replace(learner, derive=derive_from_episodes)
count_off_by_one = replace(learner, learn=count_behind)
delta_dropped = replace(learner, derive=derive_without_delta)

GENERIC: dict[str, Learner | str] = {
    "bonus zero": bonus_zero,
    "log factor dropped": log_dropped,
    "delta not divided": delta_dropped,
    "wrong variance": "no field: the bonus is Hoeffding's, no variance enters",
    "count off by one": count_off_by_one,
    "lost counts": counts_lost,
    "unvisited at zero": unvisited_zero,
    "no clipping": clipping_off,
    "backup of the wrong stage": backup_same_stage,
    "mass to the wrong state": "no field: no kernel is estimated",
    "stale estimate": value_stale,
    "worst action played": argmin,
    "ties to the last": "equivalent: the theorem holds for any rule for ties, and so does every step",
    "late trigger": "no field: every visit updates at once",
    "draw reused": "no field: no posterior is sampled",
    "wrong length in the logarithm": episodes_for_steps,
}
