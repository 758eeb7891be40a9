"""Faults planted in MDP-OOMD: each is one wrong line, as it is found in real code."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from mdps.learners.mdp_oomd import estimate, learner, level, mass, watch
from theorylab.kernel import LEARNER, draw, exp, kernel, log
from theorylab.learner import Learner

CREDIT: Any = None
DESCEND: Any = None
ESTIMATE: Any = None


@kernel
def watch_with(st, p, t, s, a, r, s2):
    """The faithful watch, with CREDIT(st, p, j, s, state, action, R, r) for what is done with a complete return."""
    i = st.clock[0]
    st.ring_s[i % p.N] = s
    st.ring_a[i % p.N] = a
    st.ring_sum[i % p.N] = st.total[0]
    st.total[0] += r
    j = i - p.N + 1
    if j >= 0 and j < p.B - p.N and j >= st.ready[st.ring_s[j % p.N]]:
        CREDIT(st, p, j, s, st.ring_s[j % p.N], st.ring_a[j % p.N], st.total[0] - st.ring_sum[j % p.N], r)
    st.clock[0] = i + 1
    return i + 1 == p.B


@kernel
def add(st, p, j, then, term, played):
    """One term of a mean."""
    st.y[then, played] += term
    st.used[then] += 1
    st.ready[then] = j + p.spacing


@kernel
def unweighted(st, p, j, s, then, played, R, r):
    """The importance weight is dropped."""
    add(st, p, j, then, R, played)


@kernel
def of_prime(st, p, j, s, then, played, R, r):
    """The weight is that of pi', not of the policy that was played."""
    add(st, p, j, then, R / st.prime[then, played], played)


@kernel
def short_return(st, p, j, s, then, played, R, r):
    """The return misses its last reward."""
    add(st, p, j, then, (R - r) / st.pi[then, played], played)


@kernel
def wrong_state(st, p, j, s, then, played, R, r):
    """The term goes to the state of today, not to the one of N steps ago."""
    add(st, p, j, s, R / st.pi[then, played], played)


@kernel
def lost_visits(st, p, j, s, then, played, R, r):
    """Visits without reward are not counted."""
    add(st, p, j, then, R / st.pi[then, played], played)
    if R == 0.0:
        st.used[then] -= 1


@kernel
def unspaced(st, p, j, s, then, played, R, r):
    """Every visit is used, whatever the spacing."""
    add(st, p, j, then, R / st.pi[then, played], played)
    st.ready[then] = 0


@kernel
def watch_tail(st, p, t, s, a, r, s2):
    """The visit at step B - N is used too."""
    ended = watch(st, p, t, s, a, r, s2)
    if ended:
        j = p.B - p.N
        then = st.ring_s[j % p.N]
        if j >= st.ready[then]:
            played = st.ring_a[j % p.N]
            add(st, p, j, then, (st.total[0] - st.ring_sum[j % p.N]) / st.pi[then, played], played)
    return ended


@kernel
def watch_half(st, p, t, s, a, r, s2):
    """The policy is updated in the middle of a block too."""
    return watch(st, p, t, s, a, r, s2) or 2 * st.clock[0] == p.B


@kernel
def watch_late(st, p, t, s, a, r, s2):
    """A block lasts one step longer."""
    watch(st, p, t, s, a, r, s2)
    return st.clock[0] == p.B + 1


@kernel
def plan_with(st, p, t, s, rng):
    """The faithful plan, with other parts."""
    if st.clock[0] > 0:
        for x in range(p.S):
            ESTIMATE(st, p, x)
            DESCEND(st, p, x)
        st.clock[0] = 0
        st.total[0] = 0.0
    return True


@kernel
def moved(st, p, s, a, lam):
    """1/(1/pi'(a) - eta beta(a) + lambda)."""
    return 1.0 / (1.0 / st.prime[s, a] - p.eta * st.beta[s, a] + lam)


@kernel
def faithful_descend(st, p, s):
    """Both steps."""
    st.lam[0, s] = level(st, p, s)
    for a in range(p.A):
        st.prime[s, a] = moved(st, p, s, a, st.lam[0, s])
    st.lam[1, s] = level(st, p, s)
    for a in range(p.A):
        st.pi[s, a] = moved(st, p, s, a, st.lam[1, s])


@kernel
def one_step(st, p, s):
    """pi is pi': no second step."""
    faithful_descend(st, p, s)
    for a in range(p.A):
        st.pi[s, a] = st.prime[s, a]


@kernel
def minimising(st, p, s):
    """The sign of beta is wrong: the worst actions gain."""
    for a in range(p.A):
        st.beta[s, a] = -st.beta[s, a]
    faithful_descend(st, p, s)
    for a in range(p.A):
        st.beta[s, a] = -st.beta[s, a]


@kernel
def exponential(st, p, s):
    """Exponential weights in place of the log-barrier."""
    for k in range(2):
        total = 0.0
        for a in range(p.A):
            total += st.prime[s, a] * exp(p.eta * st.beta[s, a])
        for a in range(p.A):
            x = st.prime[s, a] * exp(p.eta * st.beta[s, a]) / total
            if k == 0:
                st.prime[s, a] = x
            else:
                st.pi[s, a] = x


@kernel
def normalised(st, p, s):
    """lambda is the largest eta beta, and the sum is divided out."""
    high = p.eta * st.beta[s, 0]
    for a in range(1, p.A):
        high = max(high, p.eta * st.beta[s, a])
    for k in range(2):
        total = mass(st, p, s, high)
        for a in range(p.A):
            st.pi[s, a] = moved(st, p, s, a, high) / total
        if k == 0:
            for a in range(p.A):
                st.prime[s, a] = st.pi[s, a]


@kernel
def unsolved(st, p, s):
    """lambda is the largest eta beta; nothing makes the sum one."""
    high = p.eta * st.beta[s, 0]
    for a in range(1, p.A):
        high = max(high, p.eta * st.beta[s, a])
    for a in range(p.A):
        st.prime[s, a] = moved(st, p, s, a, high)
    for a in range(p.A):
        st.pi[s, a] = moved(st, p, s, a, high)


@kernel
def from_played(st, p, s):
    """Both steps start from the policy that was played, as if there were one policy."""
    for a in range(p.A):
        st.prime[s, a] = st.pi[s, a]
    faithful_descend(st, p, s)


@kernel
def summed(st, p, s):
    """beta is the sum, not the mean."""
    n = st.used[s]
    estimate(st, p, s)
    for a in range(p.A):
        st.beta[s, a] *= n


@kernel
def carried(st, p, s):
    """Sums and counts of earlier blocks are kept."""
    for a in range(p.A):
        st.beta[s, a] = st.y[s, a] / st.used[s] if st.used[s] > 0 else 0.0
    st.ready[s] = 0


@kernel
def likeliest(st, p, t, s, rng):
    """The likeliest action is played."""
    best = 0
    for a in range(1, p.A):
        if st.pi[s, a] > st.pi[s, best]:
            best = a
    return best


@kernel
def same_draw(st, p, t, s, rng):
    """One draw serves all steps."""
    u, _ = draw(rng, 0, 0, LEARNER)
    a = 0
    passed = st.pi[s, 0]
    while a < p.A - 1 and u >= passed:
        a += 1
        passed += st.pi[s, a]
    return a


def derive_natural(p: dict[str, Any]) -> dict[str, Any]:
    """Natural logarithms in the defaults."""
    ln = log(float(p["T"]))
    N = int(p["N"] or max(1, math.ceil(4.0 * p["t_mix"] * ln)))
    return dict(N=N, B=int(p["B"] or math.ceil(16.0 * N * p["t_hit"] * ln)))


def _credit(f: Any) -> Learner:
    return replace(learner, watch=watch_with.replace(CREDIT=f))


def _plan(f: Any, e: Any = estimate) -> Learner:
    return replace(learner, plan=plan_with.replace(DESCEND=f, ESTIMATE=e))


weight_dropped = _credit(unweighted)
weight_of_prime = _credit(of_prime)
return_short = _credit(short_return)
state_of_today = _credit(wrong_state)
visits_lost = _credit(lost_visits)
spacing_ignored = _credit(unspaced)
tail_used = replace(learner, watch=watch_tail)
update_twice = replace(learner, watch=watch_half)
block_long = replace(learner, watch=watch_late)
second_step_dropped = _plan(one_step)
sign_wrong = _plan(minimising)
exponential_weights = _plan(exponential)
sum_divided_out = _plan(normalised)
lambda_unsolved = _plan(unsolved)
one_policy = _plan(from_played)
sum_for_mean = _plan(faithful_descend, summed)
blocks_mixed = _plan(faithful_descend, carried)
plays_likeliest = replace(learner, act=likeliest)
draw_reused = replace(learner, act=same_draw)
natural_logarithm = replace(learner, derive=derive_natural)

GENERIC: dict[str, Learner | str] = {
    "bonus zero": "no field: there is no bonus and no confidence set",
    "log factor dropped": "no field: there is no bonus and no confidence set",
    "delta not divided": "no field: there is no confidence level",
    "wrong variance": "no field: no variance enters",
    "count off by one": tail_used,
    "lost counts": visits_lost,
    "unvisited at zero": "equivalent: the rule says so, and with all of beta equal a state keeps its policies",
    "no clipping": "no field: nothing is capped",
    "backup of the wrong stage": return_short,
    "mass to the wrong state": state_of_today,
    "stale estimate": blocks_mixed,
    "worst action played": sign_wrong,
    "ties to the last": "no field: actions are drawn, none is chosen as the best",
    "late trigger": block_long,
    "draw reused": draw_reused,
    "wrong length in the logarithm": natural_logarithm,
}
