"""Politex: policy iteration by expert prediction, tabular. Ergodic MDPs, rewards in [0, 1], T steps.

A phase of B steps plays one policy pi. Its first N steps give the gain, lambda = mean reward, and a bias v that solves

    (diag(n) - M + ridge I) v = sum over visits of s of (r - lambda),    n(s) visits, M(s,s') transitions of these steps

(without ridge the rows sum to zero, and v is fixed only up to a constant). In the other B - N steps a state first plays
each action once, lowest first, then pi again, and Q(s,a) is the mean of r - lambda + v(s') over these steps; 0 for a
pair without one. Then in each state pi <- pi exp(eta Q), normalised: pi is proportional to exp(eta sum of all Q).

Sums of eta Q are kept, and exponentials are taken of their distances to the largest, so nothing is capped (the public
code caps eta Q at 100, and solves its system with N - 1 steps). Defaults: B = ceil(sqrt T), N = B/2 rounded down, by
which the estimates' error, of order 1/sqrt B, and the prediction's, 1/sqrt(T/B), balance at T^{3/4}. No optimism.

State: pi, score (S,A), the sums of eta Q; Q (S,A) of the last phase; lam (1,), v (S,); visits (S,), moves (S,S), paid
(S,) of the first part; tried, q_sum (S,A) of the second; system (S,S) workspace; clock (1,) steps of the phase. Cost
O(S^3) a phase. An unfinished phase is not learnt from.

Source: abbasi2019 [rule, ridge = 0.05 and eta = 0.2: source, the code of wei2020's authors; defaults of N and B:
derived].
"""

from __future__ import annotations

import math
from typing import Any

from mdps.learners._distributions import sampled
from theorylab.errors import InputError
from theorylab.kernel import exp, kernel
from theorylab.learner import Learner, f8, i8


@kernel
def begin(st, p):
    """A uniform policy (sums and counts arrive zeroed)."""
    for s in range(p.S):
        for a in range(p.A):
            st.pi[s, a] = 1.0 / p.A


@kernel
def act(st, p, t, s, rng):
    """In the second part an action that was not tried there, else a draw from pi."""
    if st.clock[0] >= p.N:
        for a in range(p.A):
            if st.tried[s, a] == 0:
                return a
    return sampled(st, p, t, s, rng)


@kernel
def watch(st, p, t, s, a, r, s2):
    """Count the step in its part; true at the end of each part."""
    if st.clock[0] < p.N:
        st.visits[s] += 1
        st.moves[s, s2] += 1
        st.paid[s] += r
    else:
        st.tried[s, a] += 1
        st.q_sum[s, a] += r - st.lam[0] + st.v[s2]
    st.clock[0] += 1
    return st.clock[0] == p.N or st.clock[0] == p.B


@kernel
def solve(st, p):
    """v of system v = v by elimination; no pivoting, since the rows are diagonally dominant."""
    for i in range(p.S):
        for j in range(i + 1, p.S):
            factor = st.system[j, i] / st.system[i, i]
            for k in range(i + 1, p.S):
                st.system[j, k] -= factor * st.system[i, k]
            st.v[j] -= factor * st.v[i]
    for x in range(p.S):
        i = p.S - 1 - x
        for k in range(i + 1, p.S):
            st.v[i] -= st.system[i, k] * st.v[k]
        st.v[i] /= st.system[i, i]


@kernel
def evaluate(st, p):
    """Gain and bias of the first part."""
    total = 0.0
    for s in range(p.S):
        total += st.paid[s]
    st.lam[0] = total / p.N
    for s in range(p.S):
        for s2 in range(p.S):
            st.system[s, s2] = -float(st.moves[s, s2])
        st.system[s, s] += st.visits[s] + p.ridge
        st.v[s] = st.paid[s] - st.lam[0] * st.visits[s]
    solve(st, p)


@kernel
def reweigh(st, p, s):
    """pi(.|s) proportional to exp(score)."""
    top = st.score[s, 0]
    for a in range(1, p.A):
        top = max(top, st.score[s, a])
    total = 0.0
    for a in range(p.A):
        st.pi[s, a] = exp(st.score[s, a] - top)
        total += st.pi[s, a]
    for a in range(p.A):
        st.pi[s, a] /= total


@kernel
def improve(st, p):
    """Q of the second part, the next policy, and an empty phase."""
    for s in range(p.S):
        for a in range(p.A):
            st.Q[s, a] = st.q_sum[s, a] / st.tried[s, a] if st.tried[s, a] > 0 else 0.0
            st.score[s, a] += p.eta * st.Q[s, a]
            st.q_sum[s, a] = 0.0
            st.tried[s, a] = 0
        reweigh(st, p, s)
        st.visits[s] = 0
        st.paid[s] = 0.0
        for s2 in range(p.S):
            st.moves[s, s2] = 0
    st.clock[0] = 0


@kernel
def plan(st, p, t, s, rng):
    """What the part that ended asks for; nothing before the first step."""
    if st.clock[0] == p.N:
        evaluate(st, p)
    elif st.clock[0] == p.B:
        improve(st, p)
    return True


def derive(p: dict[str, Any]) -> dict[str, Any]:
    """N and B, in steps."""
    for name in ("N", "B"):
        if p[name] < 0:
            raise InputError(f"learner 'politex': {name}={p[name]} is negative; give steps, or 0 for the default")
    B = int(p["B"] or max(2, math.isqrt(p["T"] - 1) + 1))
    N = int(p["N"] or B // 2)
    if not 0 < N < B:
        raise InputError(
            f"learner 'politex': N={N} is not below B={B}; a phase must go on after its first N >= 1 steps"
        )
    if p["eta"] <= 0.0:
        raise InputError(f"learner 'politex': eta={p['eta']} is not positive; give a learning rate")
    if p["ridge"] <= 0.0:
        raise InputError(f"learner 'politex': ridge={p['ridge']} is not positive, and the system has no one solution")
    return dict(N=N, B=B)


learner = Learner(
    name="politex",
    setting="average",
    cite="abbasi2019",
    source_tag="recalled",
    params=dict(N=0, B=0, eta=0.2, ridge=0.05),
    state=dict(
        pi=f8["S", "A"], score=f8["S", "A"], Q=f8["S", "A"], lam=f8[1], v=f8["S"], visits=i8["S"], moves=i8["S", "S"],
        paid=f8["S"], tried=i8["S", "A"], q_sum=f8["S", "A"], system=f8["S", "S"], clock=i8[1],
    ),
    begin=begin,
    act=act,
    watch=watch,
    plan=plan,
    derive=derive,
    text="Rewards are learnt from, not known; the parts of a phase are N and B - N steps, and nothing is capped.",
)  # fmt: skip
