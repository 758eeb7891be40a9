"""Faults planted in KL-UCRL: each is one wrong line, as it is found in real code."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mdps.learners._evi import iterate
from mdps.learners.kl_ucrl import E, estimate, find_best, kl_maximum, learner, plan, sweeps
from proofs_check.mutants.ucrl2 import always, late, reward_elsewhere, self_loops_lost, successor_lost
from theorylab.compiler import Kernel
from theorylab.kernel import exp, kernel, log, sqrt
from theorylab.learner import Learner

# constants and radii


def without_radii(p: dict[str, Any]) -> dict[str, float]:
    """C_P = C_R = 0."""
    return {"C_P": 0.0, "C_R": 0.0}


def without_logs(p: dict[str, Any]) -> dict[str, float]:
    """The logarithms are dropped."""
    return {"C_P": p["scale"] * p["S"], "C_R": p["scale"] * sqrt(1.0 / 1.99)}


def constants(p: dict[str, Any], delta: float, log_T: float) -> dict[str, float]:
    """C_P and C_R, scaled, from another ln T or another delta."""
    S, A, scale = p["S"], p["A"], p["scale"]
    B = log(2.0 * E * S * S * A * log_T / delta)
    y = B + 1.0 / log_T
    C_P = S * (B + log(y) * (1.0 + 1.0 / y))
    return {"C_P": scale * C_P, "C_R": scale * sqrt(log(4.0 * S * A * log_T / delta) / 1.99)}


def without_delta(p: dict[str, Any]) -> dict[str, float]:
    """delta is left out of the logarithms."""
    return constants(p, 1.0, log(float(max(2, p["T"]))))


def with_one_log(p: dict[str, Any]) -> dict[str, float]:
    """T in place of ln T in the logarithms."""
    return constants(p, p["delta"], float(p["T"]))


@kernel
def plan_anyway(st, p, t, s, rng):
    """The plan counts as made after `max_sweeps`: without radii sweeps need not converge."""
    estimate(st, p, t)
    sweeps(st, p, t)
    return True


@kernel
def close(st, p, s, a, n):
    """Estimates and radii of a visited pair from a divisor n."""
    st.radius_p[s, a] = p.C_P / n
    st.radius_r[s, a] = p.C_R / sqrt(n)
    st.r_up[s, a] = min(1.0, st.total[s, a] / n + st.radius_r[s, a])
    for s2 in range(p.S):
        st.p_hat[s, a, s2] = st.moves[s, a, s2] / n


@kernel
def root_of_radius(st, p, t):
    """The radius of the ball is sqrt(C_P / n), as if it were a distance."""
    estimate(st, p, t)
    for s in range(p.S):
        for a in range(p.A):
            st.radius_p[s, a] = sqrt(st.radius_p[s, a])


@kernel
def one_too_many(st, p, t):
    """n counts one visit too many."""
    for s in range(p.S):
        for a in range(p.A):
            st.N[s, a] += st.nu[s, a]
            st.nu[s, a] = 0
            st.r_up[s, a] = 1.0
            if st.N[s, a] > 0:
                close(st, p, s, a, st.N[s, a] + 1.0)


@kernel
def first_kept(st, p, t):
    """A pair is estimated once, at the plan after its first visit."""
    for s in range(p.S):
        for a in range(p.A):
            old = st.N[s, a]
            st.N[s, a] += st.nu[s, a]
            st.nu[s, a] = 0
            if st.N[s, a] == 0:
                st.r_up[s, a] = 1.0
            elif old == 0:
                close(st, p, s, a, float(st.N[s, a]))


@kernel
def no_cap(st, p, t):
    """Optimistic rewards are not capped."""
    estimate(st, p, t)
    for s in range(p.S):
        for a in range(p.A):
            if st.N[s, a] > 0:
                st.r_up[s, a] = st.total[s, a] / st.N[s, a] + st.radius_r[s, a]


@kernel
def pessimistic(st, p, t):
    """Pairs without a visit count as paying nothing."""
    estimate(st, p, t)
    for s in range(p.S):
        for a in range(p.A):
            if st.N[s, a] == 0:
                st.r_up[s, a] = 0.0


# inner maximum


@kernel
def tilted(st, p, s, a):
    """The ball of KL(q, p_hat) instead of KL(p_hat, q): q ~ p_hat exp(y u), y by bisection."""
    if st.N[s, a] == 0:
        return kl_maximum(st, p, s, a)
    top = st.u[st.best[0]]
    low = 0.0
    high = 1000.0
    value = top
    for _ in range(60):
        y = 0.5 * (low + high)
        norm = 0.0
        mean = 0.0
        for s2 in range(p.S):
            w = st.p_hat[s, a, s2] * exp(y * (st.u[s2] - top))
            st.law[s, a, s2] = w
            norm += w
            mean += w * (st.u[s2] - top)
        if norm == 0.0 or y * mean / norm - log(norm) > st.radius_p[s, a]:
            high = y
        else:
            low = y
        value = top + mean / norm if norm > 0.0 else top
    for s2 in range(p.S):
        st.law[s, a, s2] = st.law[s, a, s2] / norm if norm > 0.0 else st.p_hat[s, a, s2]
    return value


@kernel
def seen_only(st, p, s, a):
    """States that were never reached from the pair get no mass: the best one is looked for in the support."""
    best = st.best[0]
    if st.N[s, a] > 0:
        st.best[0] = -1
        for s2 in range(p.S):
            if st.p_hat[s, a, s2] > 0.0 and (st.best[0] < 0 or st.u[s2] > st.u[st.best[0]]):
                st.best[0] = s2
    value = kl_maximum(st, p, s, a)
    st.best[0] = best
    return value


@kernel
def find_worst(st, p):
    """The state of smallest u in place of the largest."""
    best = 0
    for s in range(1, p.S):
        if st.u[s] < st.u[best]:
            best = s
    st.best[0] = best


@kernel
def to_worst(st, p, s, a):
    """Mass moves towards the worst state: the inner minimum."""
    for s2 in range(p.S):
        st.u[s2] = -st.u[s2]
    value = kl_maximum(st, p, s, a)
    for s2 in range(p.S):
        st.u[s2] = -st.u[s2]
    return -value


@kernel
def no_refinement(nu, low, high, f, slope, radius):
    """The first trial counts as the root."""
    return nu


@kernel
def unseen_mass_lost(st, p, s, a):
    """The states of the support make room for the unseen best state, which then gets nothing."""
    value = kl_maximum(st, p, s, a)
    best = st.best[0]
    if st.N[s, a] > 0 and st.p_hat[s, a, best] == 0.0:
        value -= st.law[s, a, best] * st.u[best]
        st.law[s, a, best] = 0.0
    return value


# extended value iteration


@kernel
def one_sweep(st, p, t, s, rng):
    """The stopping rule is that of time 1 (precision 1) at every plan."""
    estimate(st, p, t)
    return sweeps(st, p, 0)


@kernel
def empirical_reward(st, p, t, s, rng):
    """Extended value iteration with the empirical rewards of visited pairs; their radii are added too late."""
    estimate(st, p, t)
    for x in range(p.S):
        for a in range(p.A):
            if st.N[x, a] > 0:
                st.r_up[x, a] = st.total[x, a] / st.N[x, a]
    done = sweeps(st, p, t)
    for x in range(p.S):
        for a in range(p.A):
            if st.N[x, a] > 0:
                st.r_up[x, a] = min(1.0, st.r_up[x, a] + st.radius_r[x, a])
    return done


@kernel
def plan_minimising(st, p, t, s, rng):
    """The plan is right, but the policy takes the worst action."""
    done = plan(st, p, t, s, rng)
    for x in range(p.S):
        worst = 0.0
        for a in range(p.A):
            value = st.r_up[x, a] + p.tau * kl_maximum(st, p, x, a)
            if a == 0 or value < worst:
                worst = value
                st.pi[x] = a
    return done


@kernel
def act_zero(st, p, t, s, rng):
    """Action 0 is played, whatever the plan."""
    return 0


def _maximum(maximum: Kernel, prepare: Kernel = find_best) -> Learner:
    return replace(learner, plan=plan.replace(sweeps=iterate.replace(MAXIMUM=maximum, PREPARE=prepare)))


def _cut_short(maximum: Kernel) -> Learner:
    return replace(learner, plan=plan_anyway.replace(sweeps=iterate.replace(MAXIMUM=maximum, PREPARE=find_best)))


radius_zero = replace(learner, derive=without_radii, plan=plan_anyway)
log_dropped = replace(learner, derive=without_logs)
delta_dropped = replace(learner, derive=without_delta)
one_log = replace(learner, derive=with_one_log)
root_radius = replace(learner, plan=plan.replace(estimate=root_of_radius))
one_more = replace(learner, plan=plan_anyway.replace(estimate=one_too_many))
stale = replace(learner, plan=plan.replace(estimate=first_kept))
uncapped = replace(learner, plan=plan.replace(estimate=no_cap))
unvisited_zero = replace(learner, plan=plan.replace(estimate=pessimistic))
reversed_divergence = _cut_short(tilted)
no_special = _cut_short(seen_only)
mass_to_worst = _maximum(to_worst, find_worst)
first_guess_only = _cut_short(kl_maximum.replace(refined=no_refinement))
mass_lost = _cut_short(unseen_mass_lost)
stops_early = replace(learner, plan=one_sweep)
reward_left_out = replace(learner, plan=empirical_reward)
policy_minimises = replace(learner, plan=plan_minimising)
plays_zero = replace(learner, act=act_zero)
trigger_late = replace(learner, watch=late)
trigger_always = replace(learner, watch=always)
counts_lost = replace(learner, watch=self_loops_lost)
successors_lost = replace(learner, watch=successor_lost)
rewards_swapped = replace(learner, watch=reward_elsewhere)

GENERIC: dict[str, Learner | str] = {
    "bonus zero": radius_zero,
    "log factor dropped": log_dropped,
    "delta not divided": delta_dropped,
    "wrong variance": "no field: KL balls and Hoeffding intervals use no variance",
    "count off by one": one_more,
    "lost counts": counts_lost,
    "unvisited at zero": unvisited_zero,
    "no clipping": uncapped,
    "backup of the wrong stage": "no field: average reward, there are no stages",
    "mass to the wrong state": mass_to_worst,
    "stale estimate": stale,
    "worst action played": policy_minimises,
    "ties to the last": "equivalent: every maximising action attains u_next, which is all that any step uses",
    "late trigger": trigger_late,
    "draw reused": "no field: the learner draws nothing of its own",
    "wrong length in the logarithm": one_log,
}
