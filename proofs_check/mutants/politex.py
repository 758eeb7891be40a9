"""Faults planted in Politex: each is one wrong line, as it is found in real code."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mdps.learners._distributions import sampled
from mdps.learners.politex import act, evaluate, improve, learner, plan, reweigh, solve, watch
from theorylab.kernel import LEARNER, draw, kernel
from theorylab.learner import Learner

CREDIT: Any = None


@kernel
def transposed(st, p):
    """The transitions are read as M(s',s)."""
    total = 0.0
    for s in range(p.S):
        total += st.paid[s]
    st.lam[0] = total / p.N
    for s in range(p.S):
        for s2 in range(p.S):
            st.system[s, s2] = -float(st.moves[s2, s])
        st.system[s, s] += st.visits[s] + p.ridge
        st.v[s] = st.paid[s] - st.lam[0] * st.visits[s]
    solve(st, p)


@kernel
def per_phase(st, p):
    """The gain is divided by B."""
    for s in range(p.S):
        st.paid[s] *= p.N / p.B
    evaluate(st, p)


@kernel
def old_gain(st, p):
    """The gain of the last phase is kept, but for the first."""
    before = st.lam[0]
    evaluate(st, p)
    if before != 0.0:
        st.lam[0] = before


@kernel
def uncentred(st, p):
    """The gain is not subtracted in the system."""
    total = 0.0
    for s in range(p.S):
        total += st.paid[s]
    st.lam[0] = total / p.N
    for s in range(p.S):
        for s2 in range(p.S):
            st.system[s, s2] = -float(st.moves[s, s2])
        st.system[s, s] += st.visits[s] + p.ridge
        st.v[s] = st.paid[s]
    solve(st, p)


@kernel
def watch_with(st, p, t, s, a, r, s2):
    """The faithful watch with CREDIT(st, s, a, r, s2) for the second part."""
    if st.clock[0] < p.N:
        st.visits[s] += 1
        st.moves[s, s2] += 1
        st.paid[s] += r
    else:
        st.tried[s, a] += 1
        st.q_sum[s, a] += CREDIT(st, s, a, r, s2)
    st.clock[0] += 1
    return st.clock[0] == p.N or st.clock[0] == p.B


@kernel
def own_state(st, s, a, r, s2):
    """v(s) for v(s')."""
    return r - st.lam[0] + st.v[s]


@kernel
def gain_left_out(st, s, a, r, s2):
    """The gain is left out."""
    return r + st.v[s2]


@kernel
def self_loops_lost(st, p, t, s, a, r, s2):
    """Transitions that stay are not counted in the system; their rewards are."""
    ended = watch(st, p, t, s, a, r, s2)
    if st.clock[0] <= p.N and s2 == s:
        st.visits[s] -= 1
        st.moves[s, s2] -= 1
    return ended


@kernel
def watch_short(st, p, t, s, a, r, s2):
    """The system is made without the last step of the first part."""
    ended = watch(st, p, t, s, a, r, s2)
    if st.clock[0] == p.N:
        st.visits[s] -= 1
        st.moves[s, s2] -= 1
        st.paid[s] -= r
    return ended


@kernel
def watch_both(st, p, t, s, a, r, s2):
    """Steps of the first part enter Q too, with the gain and bias of the phase before."""
    first = st.clock[0] < p.N
    ended = watch(st, p, t, s, a, r, s2)
    if first:
        st.tried[s, a] += 1
        st.q_sum[s, a] += r - st.lam[0] + st.v[s2]
    return ended


@kernel
def watch_late(st, p, t, s, a, r, s2):
    """A phase lasts one step longer."""
    watch(st, p, t, s, a, r, s2)
    return st.clock[0] == p.N or st.clock[0] == p.B + 1


@kernel
def plan_late(st, p, t, s, rng):
    """The plan that goes with it."""
    if st.clock[0] == p.N:
        evaluate(st, p)
    elif st.clock[0] == p.B + 1:
        improve(st, p)
    return True


@kernel
def first_kept(st, p):
    """Counts of the first part are carried into the next phase."""
    for s in range(p.S):
        for a in range(p.A):
            st.Q[s, a] = st.q_sum[s, a] / st.tried[s, a] if st.tried[s, a] > 0 else 0.0
            st.score[s, a] += p.eta * st.Q[s, a]
            st.q_sum[s, a] = 0.0
            st.tried[s, a] = 0
        reweigh(st, p, s)
    st.clock[0] = 0


@kernel
def second_kept(st, p):
    """Sums of the second part are carried into the next phase."""
    for s in range(p.S):
        for a in range(p.A):
            st.Q[s, a] = st.q_sum[s, a] / st.tried[s, a] if st.tried[s, a] > 0 else 0.0
            st.score[s, a] += p.eta * st.Q[s, a]
        reweigh(st, p, s)
        st.visits[s] = 0
        st.paid[s] = 0.0
        for s2 in range(p.S):
            st.moves[s, s2] = 0
    st.clock[0] = 0


@kernel
def summed(st, p):
    """Q is the sum, not the mean."""
    for s in range(p.S):
        for a in range(p.A):
            if st.tried[s, a] > 0:
                st.q_sum[s, a] *= st.tried[s, a]
    improve(st, p)


@kernel
def frozen(st, p):
    """The policy is not updated."""
    improve(st, p)
    for s in range(p.S):
        for a in range(p.A):
            st.pi[s, a] = 1.0 / p.A


@kernel
def last_alone(st, p):
    """The policy follows the last Q alone, from uniform."""
    for s in range(p.S):
        for a in range(p.A):
            st.score[s, a] = 0.0
    improve(st, p)


@kernel
def minimising(st, p):
    """The sign of Q is wrong in the weights."""
    for s in range(p.S):
        for a in range(p.A):
            st.score[s, a] = -st.score[s, a]
    improve(st, p)
    for s in range(p.S):
        for a in range(p.A):
            st.score[s, a] -= 2.0 * p.eta * st.Q[s, a]
        reweigh(st, p, s)
        for a in range(p.A):
            st.score[s, a] = -st.score[s, a]


@kernel
def rate_lost(st, p):
    """eta is left out."""
    improve(st, p)
    for s in range(p.S):
        for a in range(p.A):
            st.score[s, a] += (1.0 - p.eta) * st.Q[s, a]
        reweigh(st, p, s)


@kernel
def never_forced(st, p, t, s, rng):
    """No action is forced."""
    return sampled(st, p, t, s, rng)


@kernel
def likeliest(st, p, t, s, rng):
    """The likeliest action is played where none is forced."""
    if st.clock[0] >= p.N:
        for a in range(p.A):
            if st.tried[s, a] == 0:
                return a
    best = 0
    for a in range(1, p.A):
        if st.pi[s, a] > st.pi[s, best]:
            best = a
    return best


@kernel
def first_draw(st, p, t, s, rng):
    """One draw serves all steps."""
    u, _ = draw(rng, 0, 0, LEARNER)
    a = 0
    passed = st.pi[s, 0]
    while a < p.A - 1 and u >= passed:
        a += 1
        passed += st.pi[s, a]
    return a


moves_transposed = replace(learner, plan=plan.replace(evaluate=transposed))
gain_over_B = replace(learner, plan=plan.replace(evaluate=per_phase))
gain_stale = replace(learner, plan=plan.replace(evaluate=old_gain))
system_uncentred = replace(learner, plan=plan.replace(evaluate=uncentred))
value_of_own_state = replace(learner, watch=watch_with.replace(CREDIT=own_state))
gain_dropped = replace(learner, watch=watch_with.replace(CREDIT=gain_left_out))
counts_lost = replace(learner, watch=self_loops_lost)
first_part_short = replace(learner, watch=watch_short)
parts_mixed = replace(learner, watch=watch_both)
phase_long = replace(learner, watch=watch_late, plan=plan_late)
phases_mixed = replace(learner, plan=plan.replace(improve=first_kept))
estimates_carried = replace(learner, plan=plan.replace(improve=second_kept))
sum_for_mean = replace(learner, plan=plan.replace(improve=summed))
policy_frozen = replace(learner, plan=plan.replace(improve=frozen))
last_estimate_alone = replace(learner, plan=plan.replace(improve=last_alone))
sign_wrong = replace(learner, plan=plan.replace(improve=minimising))
eta_dropped = replace(learner, plan=plan.replace(improve=rate_lost))
forcing_off = replace(learner, act=never_forced)
plays_likeliest = replace(learner, act=likeliest)
draw_reused = replace(learner, act=act.replace(sampled=first_draw))

GENERIC: dict[str, Learner | str] = {
    "bonus zero": "no field: there is no bonus and no confidence set",
    "log factor dropped": "no field: there is no bonus and no confidence set",
    "delta not divided": "no field: there is no confidence level",
    "wrong variance": "no field: no variance enters",
    "count off by one": first_part_short,
    "lost counts": counts_lost,
    "unvisited at zero": "equivalent: the rule says so; in a state without a visit all of Q is equal and pi stays",
    "no clipping": "no field: nothing is capped",
    "backup of the wrong stage": value_of_own_state,
    "mass to the wrong state": moves_transposed,
    "stale estimate": gain_stale,
    "worst action played": sign_wrong,
    "ties to the last": "equivalent: only the order in which actions are forced; every step holds for any order",
    "late trigger": phase_long,
    "draw reused": draw_reused,
    "wrong length in the logarithm": "no field: no logarithm enters",
}
