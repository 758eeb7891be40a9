"""MDP-OOMD: one bandit by optimistic mirror descent in each state. Ergodic MDPs, rewards in [0, 1], T steps.

A block of B steps plays one policy pi. A visit of s at its step j < B - N (from 0), at least `spacing` steps after the
last visit of s that was used, is used with the action a_j that was played and the sum R_j of the N rewards from j on:

    beta(s,a) = (1/m) sum_j 1{a_j = a} R_j / pi(a|s),     m the visits of s that were used; 0 where there is none

which is right in the mean for the expected reward of N steps from (s,a). Then, in each state, with the log-barrier,

    1/pi'(a) <- 1/pi'(a) - eta beta(a) + lambda,     1/pi(a) <- 1/pi'(a) - eta beta(a) + lambda2

the second from the new pi', each lambda so that the left side is a distribution: the root of a decreasing function
between the least and the largest eta beta, by bisection down to neighbouring numbers; nothing is renormalised. Both
start uniform. There is no optimism in the sense of a confidence set: "optimistic" is the second step, which expects
beta to repeat.

Defaults N = ceil(4 t_mix log2 T) and B = ceil(16 N t_hit log2 T) need `t_mix` and `t_hit`, mixing time and largest
inverse stationary probability over policies; `N` and `B` given replace them (0: the default). `spacing=1` uses every
visit, as the authors' code does; 2 N is that of the paper.

State: pi, prime (S,A) policies; beta (S,A) of the last block; lam (2,S) its lambdas; y (S,A), used, ready (S,) sums,
visits used and the next step that may be; ring_s, ring_a, ring_sum (N,) the last N steps and the rewards before them;
total (1,) rewards of the block; clock (1,) its steps. Cost O(A) a step, O(S A) a bisection step. An unfinished block is
not learnt from.

Source: wei2020, algorithms 2 and 3 [rule: source, the authors' code, which searches lambda2 from the old pi instead of
pi' and renormalises; N, B and 2 N: recalled]. Remembered too: B = 16 t_mix t_hit (log2 T)^2, a quarter of this.
"""

from __future__ import annotations

import math
from typing import Any

from mdps.learners._distributions import sampled
from theorylab.errors import InputError
from theorylab.kernel import kernel, log
from theorylab.learner import Learner, f8, i8


@kernel
def begin(st, p):
    """Uniform policies, an empty block."""
    for s in range(p.S):
        for a in range(p.A):
            st.pi[s, a] = 1.0 / p.A
            st.prime[s, a] = 1.0 / p.A


@kernel
def watch(st, p, t, s, a, r, s2):
    """Keep the step; use the visit whose N rewards are complete; true after B steps."""
    i = st.clock[0]
    st.ring_s[i % p.N] = s
    st.ring_a[i % p.N] = a
    st.ring_sum[i % p.N] = st.total[0]
    st.total[0] += r
    j = i - p.N + 1
    if j >= 0 and j < p.B - p.N:
        then = st.ring_s[j % p.N]
        if j >= st.ready[then]:
            played = st.ring_a[j % p.N]
            st.y[then, played] += (st.total[0] - st.ring_sum[j % p.N]) / st.pi[then, played]
            st.used[then] += 1
            st.ready[then] = j + p.spacing
    st.clock[0] = i + 1
    return i + 1 == p.B


@kernel
def mass(st, p, s, lam):
    """sum_a 1/(1/pi'(a) - eta beta(a) + lam), or 2 left of the last pole, where the sum means nothing."""
    total = 0.0
    for a in range(p.A):
        inverse = 1.0 / st.prime[s, a] - p.eta * st.beta[s, a] + lam
        if inverse <= 0.0:
            return 2.0
        total += 1.0 / inverse
    return total


@kernel
def level(st, p, s):
    """lambda: the root of mass = 1."""
    low = p.eta * st.beta[s, 0]
    high = low
    for a in range(1, p.A):
        low = min(low, p.eta * st.beta[s, a])
        high = max(high, p.eta * st.beta[s, a])
    middle = 0.5 * (low + high)
    while low < middle and middle < high:
        if mass(st, p, s, middle) > 1.0:
            low = middle
        else:
            high = middle
        middle = 0.5 * (low + high)
    return high


@kernel
def descend(st, p, s):
    """Both mirror-descent steps in one state."""
    for k in range(2):
        lam = level(st, p, s)
        st.lam[k, s] = lam
        for a in range(p.A):
            x = 1.0 / (1.0 / st.prime[s, a] - p.eta * st.beta[s, a] + lam)
            if k == 0:
                st.prime[s, a] = x
            else:
                st.pi[s, a] = x


@kernel
def estimate(st, p, s):
    """beta in one state, and an empty block."""
    for a in range(p.A):
        st.beta[s, a] = st.y[s, a] / st.used[s] if st.used[s] > 0 else 0.0
        st.y[s, a] = 0.0
    st.used[s] = 0
    st.ready[s] = 0


@kernel
def plan(st, p, t, s, rng):
    """After a block: the estimate, then both steps, in every state."""
    if st.clock[0] > 0:
        for x in range(p.S):
            estimate(st, p, x)
            descend(st, p, x)
        st.clock[0] = 0
        st.total[0] = 0.0
    return True


def window(p: dict[str, Any], log2: float) -> int:
    """N: as given, or ceil(4 t_mix log2 T)."""
    if p["N"] < 0 or (p["N"] == 0 and p["t_mix"] <= 0.0):
        raise InputError(
            f"learner 'mdp-oomd': N={p['N']} and t_mix={p['t_mix']}; give a positive t_mix, or N >= 1 rewards of a "
            f"return"
        )
    return int(p["N"] or math.ceil(4.0 * p["t_mix"] * log2))


def derive(p: dict[str, Any]) -> dict[str, Any]:
    """N and B, in steps."""
    log2 = log(float(p["T"])) / log(2.0)
    N = max(1, window(p, log2))
    if p["B"] < 0 or (p["B"] == 0 and p["t_hit"] <= 0.0):
        raise InputError(
            f"learner 'mdp-oomd': B={p['B']} and t_hit={p['t_hit']}; give a positive t_hit, or B > N steps of a block"
        )
    B = int(p["B"] or max(N + 1, math.ceil(16.0 * N * p["t_hit"] * log2)))
    if N >= B:
        raise InputError(f"learner 'mdp-oomd': N={N} is not below B={B}; a block must be longer than a return")
    if p["eta"] <= 0.0:
        raise InputError(f"learner 'mdp-oomd': eta={p['eta']} is not positive; give a step size")
    if p["spacing"] < 1:
        raise InputError(
            f"learner 'mdp-oomd': spacing={p['spacing']} is below 1, where every visit is used; give steps"
        )
    return dict(N=N, B=B)


def example(model: Any) -> dict[str, Any]:
    """Short blocks."""
    return {"N": 2, "B": 10, "eta": 0.1}


learner = Learner(
    name="mdp-oomd",
    setting="average",
    cite="wei2020",
    source_tag="recalled",
    params=dict(t_mix=0.0, t_hit=0.0, N=0, B=0, eta=0.01, spacing=1),
    state=dict(
        pi=f8["S", "A"], prime=f8["S", "A"], beta=f8["S", "A"], lam=f8[2, "S"], y=f8["S", "A"], used=i8["S"],
        ready=i8["S"], ring_s=i8["N"], ring_a=i8["N"], ring_sum=f8["N"], total=f8[1], clock=i8[1],
    ),
    begin=begin,
    act=sampled,
    watch=watch,
    plan=plan,
    derive=derive,
    example=example,
    text="Every visit of a state is used (spacing=1), as in the authors' code; the lambdas are found to rounding.",
)  # fmt: skip
