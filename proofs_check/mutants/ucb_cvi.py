"""Faults planted in gamma-UCB-CVI: each is one wrong line, as it is found in real code."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mdps.learners.ucb_cvi import backup, clip, derive, learn, learner
from theorylab.kernel import kernel, log, sqrt
from theorylab.learner import Learner


@kernel
def loops_lost(st, p, t, s, a, r, s2):
    """Steps that stay in the state are not recorded."""
    if s2 != s:
        learn(st, p, t, s, a, r, s2)


@kernel
def old_state(st, p, t, s, a, r, s2):
    """The transition is recorded as one to the state that was left."""
    learn(st, p, t, s, a, r, s)


@kernel
def visited_alone(st, p, t, s, a, r, s2):
    """Pairs without a visit get r + gamma beta: p_hat = 0 and max(1, N)."""
    learn(st, p, t, s, a, r, s2)
    for x in range(p.S):
        for b in range(p.A):
            if st.N[x, b] == 0:
                st.Q[x, b] = min(st.Q[x, b], p.r[x, b] + p.discount * p.beta)
    clip(st, p)


@kernel
def frozen(st, p, t, s, a, r, s2):
    """Only the pair just played is brought up to date."""
    st.N[s, a] += 1
    st.moves[s, a, s2] += 1
    for x in range(p.S):
        st.ahead[x] = st.V[x]
    st.Q[s, a] = min(st.Q[s, a], backup(st, p, s, a))
    clip(st, p)


@kernel
def not_monotone(st, p, t, s, a, r, s2):
    """The running minimum is left out."""
    st.N[s, a] += 1
    st.moves[s, a, s2] += 1
    for x in range(p.S):
        st.ahead[x] = st.V[x]
    for x in range(p.S):
        for b in range(p.A):
            if st.N[x, b] > 0:
                st.Q[x, b] = backup(st, p, x, b)
    clip(st, p)


@kernel
def every_fourth(st, p, t, s, a, r, s2):
    """A sweep only at every fourth step."""
    if t % 4 == 3:
        learn(st, p, t, s, a, r, s2)
    else:
        st.N[s, a] += 1
        st.moves[s, a, s2] += 1


@kernel
def no_clip(st, p):
    """The span is not clipped."""
    for s in range(p.S):
        st.V[s] = st.Q[s, 0]
        for a in range(1, p.A):
            st.V[s] = max(st.V[s], st.Q[s, a])


@kernel
def halved_clip(st, p):
    """Clipped at span for 2 span."""
    clip(st, p)
    low = st.V[0]
    for s in range(1, p.S):
        low = min(low, st.V[s])
    for s in range(p.S):
        st.V[s] = min(st.V[s], low + p.span)


@kernel
def one_more(st, p, s, a):
    """N + 1 in the bonus and in the average."""
    n = st.N[s, a] + 1.0
    value = 0.0
    for s2 in range(p.S):
        value += st.moves[s, a, s2] * st.ahead[s2]
    return p.r[s, a] + p.discount * (value / n + p.beta / sqrt(n))


@kernel
def bonus_over_n(st, p, s, a):
    """beta/N for beta/sqrt(N)."""
    return backup(st, p, s, a) - p.discount * p.beta * (1.0 / sqrt(float(st.N[s, a])) - 1.0 / st.N[s, a])


@kernel
def undiscounted(st, p, s, a):
    """gamma is left out of the backup."""
    return p.r[s, a] + (backup(st, p, s, a) - p.r[s, a]) / p.discount


@kernel
def least(st, p, t, s, rng):
    """The action with the smallest Q is played."""
    best = 0
    for a in range(1, p.A):
        if st.Q[s, a] < st.Q[s, best]:
            best = a
    return best


def no_bonus(p: dict[str, Any]) -> dict[str, Any]:
    """beta = 0."""
    return {**derive(p), "beta": 0.0}


def no_log(p: dict[str, Any]) -> dict[str, Any]:
    """The logarithm is left out."""
    return {**derive(p), "beta": p["scale"] * p["span"]}


def no_delta(p: dict[str, Any]) -> dict[str, Any]:
    """delta is left out."""
    size = p["S"] * log(2.0) + log(float(p["S"]) * p["A"] * p["T"])
    return {**derive(p), "beta": p["scale"] * p["span"] * sqrt(2.0 * size)}


def no_length(p: dict[str, Any]) -> dict[str, Any]:
    """One step for T in the logarithm."""
    size = p["S"] * log(2.0) + log(float(p["S"]) * p["A"] / p["delta"])
    return {**derive(p), "beta": p["scale"] * p["span"] * sqrt(2.0 * size)}


def unit_span(p: dict[str, Any]) -> dict[str, Any]:
    """The span is left out of beta."""
    found = derive(p)
    return {**found, "beta": found["beta"] / p["span"]}


def fixed_discount(p: dict[str, Any]) -> dict[str, Any]:
    """gamma = 1/2 for every T (pitfall 27)."""
    return derive({**p, "gamma": 0.5})


bonus_zero = replace(learner, derive=no_bonus)
log_dropped = replace(learner, derive=no_log)
delta_dropped = replace(learner, derive=no_delta)
length_dropped = replace(learner, derive=no_length)
span_dropped = replace(learner, derive=unit_span)
gamma_fixed = replace(learner, derive=fixed_discount)
counts_lost = replace(learner, learn=loops_lost)
successor_lost = replace(learner, learn=old_state)
unvisited_low = replace(learner, learn=visited_alone)
stale = replace(learner, learn=frozen)
rises = replace(learner, learn=not_monotone)
sweep_late = replace(learner, learn=every_fourth)
clip_off = replace(learner, learn=learn.replace(clip=no_clip))
clip_halved = replace(learner, learn=learn.replace(clip=halved_clip))
count_off_by_one = replace(learner, learn=learn.replace(backup=one_more))
bonus_one_over_n = replace(learner, learn=learn.replace(backup=bonus_over_n))
gamma_dropped = replace(learner, learn=learn.replace(backup=undiscounted))
argmin = replace(learner, act=least)

GENERIC: dict[str, Learner | str] = {
    "bonus zero": bonus_zero,
    "log factor dropped": log_dropped,
    "delta not divided": delta_dropped,
    "wrong variance": span_dropped,
    "count off by one": count_off_by_one,
    "lost counts": counts_lost,
    "unvisited at zero": unvisited_low,
    "no clipping": clip_off,
    "backup of the wrong stage": "no field: average reward, there are no stages",
    "mass to the wrong state": successor_lost,
    "stale estimate": stale,
    "worst action played": argmin,
    "ties to the last": "equivalent: any maximiser will do in the proof, and every step holds for each of them",
    "late trigger": sweep_late,
    "draw reused": "no field: the learner draws nothing of its own",
    "wrong length in the logarithm": length_dropped,
}
