"""PMEVI-DT: optimism within a bias region that commutes teach. Average reward, communicating, rewards in [0, 1].

Sets of episode k, which starts after t steps at t_k = t + 1: the boxes and reward intervals of `mdps.learners.ucrl2b`
at the same time. Two more come from the data, for the optimal bias h with span(h) <= c0.

Bias region. For two states s, y the visits to either cut the run into alternating stretches s -> y, y -> s. With n(s,y)
completed stretches, G and K their rewards and steps, R the sum of all t rewards, and owed the sum of the optimistic
gains under which these steps were made,

    est(s,y)   = [ G(s->y) - G(y->s) - (R / t) (K(s->y) - K(y->s)) ] / n(s,y),
    slack      = 2 max(0, owed - R) + 2 scale (1 + c0) sqrt(t ln(2 S^2 t_k^2 / delta) / 2) + c0,
    h(s)-h(y) <= limit(s,y) = min(c0, est(s,y) + slack / n(s,y)),   closed under limit(s,z) + limit(z,y).

Bounds that contradict each other (a negative cycle; not on the event) are left out together, and limit = c0: counted in
`contradicted`. Mitigation. With l and the half-width of `ucrl2b`, V(s,a) the largest variance that p_hat gives to a
vector of the region, at most half the p_hat-mean of max(limit(i,j), limit(j,i))^2 and at most c0^2 / 4,

    bonus(s,a) = 2 sqrt(V l / n) + 6 c0 l / n       (form 0, scale 1).

A plan iterates, u = 0 at first, until span(u_next - u) < 1/sqrt(t_k),

    raised(s)  = max_a { r~(s,a) + tau min[ max_p~ p~ u, p_hat u + bonus / tau ] + (1 - tau) u(s) },
    u_next(s)  = min_y { raised(y) + limit(s,y) / tau },      the greatest vector of the region below raised,

and plays the greedy action of the last sweep until a pair has nu >= max(1, N) visits in the episode (doubling trick).

`span` is c0; 0 stands for T^(1/5), which needs no knowledge and is right from T = span(h)^5 on. `form`, `alpha`,
`scale`, `tau`, `max_sweeps`: as for `ucrl2b`; scale multiplies all widths.

What is whose. From the abstract [source]: projection, mitigation, no prior span. From memory of the paper [recalled]:
the operator min(p~ u, p_hat u + bonus), alternating stretches, an error made of optimistic regret and a martingale over
the number of commutes, c0 = T^(1/5), the doubling rule. Worked out here [derived], so that each part has a proof with
explicit constants: slack (the paper's has 3 c0 and a larger root), V from the pairwise bounds (the paper takes a
reference vector of the region and adds 8 c0 times its error), sets of UCRL2B (any may be used), lazy kernels `tau`, the
stopping rule of UCRL2 (the paper's is sqrt(log t / t)), and what is done with contradictory bounds. A prior region for
the bias, which the paper allows, is left out.

State: as of `ucrl2b`, and raised (S,), bonus (S,A), est, limit (S,S) of the last plan; hops, steps (S,S), gained (S,S)
completed stretches, their steps and rewards; last (S,S) 1 + the state of the two visited last, 0 before; mark, paid_at
(S,S) the clock and the rewards when it was; clock (1,) steps; paid, owed (1,); contradicted (1,). Ties: lowest action,
lowest state. Cost: O(S) a step, O(S^3 A) a plan and O(S^2 A) a sweep.

Source: boone2024 [recalled, as said above].
"""

from __future__ import annotations

from typing import Any

from mdps.learners import ucrl2b
from mdps.learners._evi import act, begin
from mdps.learners._truncated import checked_sets, iterate
from mdps.learners.ucrl2b import box_maximum, estimate, level, radius
from theorylab.errors import InputError
from theorylab.kernel import exp, kernel, log, sqrt
from theorylab.learner import Learner, f8, i8


@kernel
def arrive(st, p, s):
    """Close the stretches that end in s, open those that begin there."""
    for y in range(p.S):
        if y != s and st.last[s, y] != s + 1:
            if st.last[s, y] == y + 1:
                st.hops[y, s] += 1
                st.steps[y, s] += st.clock[0] - st.mark[s, y]
                st.gained[y, s] += st.paid[0] - st.paid_at[s, y]
            st.last[s, y] = s + 1
            st.last[y, s] = s + 1
            st.mark[s, y] = st.clock[0]
            st.mark[y, s] = st.clock[0]
            st.paid_at[s, y] = st.paid[0]
            st.paid_at[y, s] = st.paid[0]


@kernel
def track(st, p, s, r):
    """Stretches, and what was paid and owed."""
    arrive(st, p, s)
    st.clock[0] += 1
    st.paid[0] += r
    st.owed[0] += st.gain[1]


@kernel
def watch(st, p, t, s, a, r, s2):
    """Count the step; true when the pair just played has doubled its visits."""
    track(st, p, s, r)
    st.nu[s, a] += 1
    st.total[s, a] += r
    st.squares[s, a] += r * r
    st.moves[s, a, s2] += 1
    return st.nu[s, a] >= max(1, st.N[s, a])


@kernel
def noise(p, n, t):
    """Width of a martingale of the bias over n steps, at time t_k = t + 1."""
    x = log(2.0 * p.S * p.S * (t + 1.0) * (t + 1.0) / p.delta)
    return p.scale * (1.0 + p.c0) * sqrt(0.5 * n * x)


@kernel
def difference(st, s, y, mean, hops):
    """est(s, y) from `hops` > 0 completed stretches and the mean reward."""
    time = float(st.steps[s, y] - st.steps[y, s])
    return (st.gained[s, y] - st.gained[y, s] - mean * time) / hops


@kernel
def raw_limits(st, p, t):
    """min(c0, est + slack / n) for each pair of states; c0 where no stretch is complete."""
    n = float(st.clock[0])
    mean = st.paid[0] / max(1.0, n)
    slack = 2.0 * max(0.0, st.owed[0] - st.paid[0]) + 2.0 * noise(p, n, t) + p.c0
    for s in range(p.S):
        for y in range(p.S):
            st.limit[s, y] = 0.0 if s == y else p.c0
            hops = st.hops[s, y] + st.hops[y, s]
            if s != y and hops > 0:
                st.est[s, y] = difference(st, s, y, mean, hops)
                st.limit[s, y] = min(p.c0, st.est[s, y] + slack / hops)


@kernel
def close(st, p):
    """Shortest paths; bounds that contradict each other are left out."""
    for z in range(p.S):
        for s in range(p.S):
            for y in range(p.S):
                st.limit[s, y] = min(st.limit[s, y], st.limit[s, z] + st.limit[z, y])
    least = 0.0
    for s in range(p.S):
        least = min(least, st.limit[s, s])
    if least < 0.0:
        st.contradicted[0] += 1
        for s in range(p.S):
            for y in range(p.S):
                st.limit[s, y] = 0.0 if s == y else p.c0


@kernel
def variance(st, p, s, a):
    """Largest variance that p_hat gives to a vector of the region, bounded pair by pair."""
    total = 0.0
    for i in range(p.S):
        for j in range(i):
            d = max(st.limit[i, j], st.limit[j, i])
            total += st.p_hat[s, a, i] * st.p_hat[s, a, j] * d * d
    return min(total, 0.25 * p.c0 * p.c0)


@kernel
def bonuses(st, p, t):
    """The bonus of each visited pair."""
    for s in range(p.S):
        for a in range(p.A):
            if st.N[s, a] > 0:
                n = float(st.N[s, a])
                spread = variance(st, p, s, a) / (p.c0 * p.c0)
                st.bonus[s, a] = p.c0 * radius(p, spread, n, level(p, n, t))


@kernel
def mitigated(st, p, s, a):
    """max p~ u over the row's box, at most p_hat u + bonus / tau once the pair was visited."""
    value = box_maximum(st, p, s, a)
    if st.N[s, a] > 0:
        mean = 0.0
        for s2 in range(p.S):
            mean += st.p_hat[s, a, s2] * st.u[s2]
        value = min(value, mean + st.bonus[s, a] / p.tau)
    return value


@kernel
def project(st, p):
    """The greatest vector of the region below raised."""
    for s in range(p.S):
        least = st.raised[s]
        for y in range(p.S):
            least = min(least, st.raised[y] + st.limit[s, y] / p.tau)
        st.u_next[s] = least


sweeps = iterate.replace(BACKUP=mitigated, PROJECT=project)


@kernel
def plan(st, p, t, s, rng):
    """Sets, bias region, bonuses, projected and mitigated value iteration; false where the sweeps did not suffice."""
    estimate(st, p, t)
    raw_limits(st, p, t)
    close(st, p)
    bonuses(st, p, t)
    return sweeps(st, p, t)


def derive(p: dict[str, Any]) -> dict[str, Any]:
    """c0; refuses parameters without meaning."""
    checked_sets("pmevi-dt", p)
    if p["span"] < 0.0:
        raise InputError(f"learner 'pmevi-dt': span={p['span']} is negative; give a bound c0 > 0, or 0 for T^(1/5)")
    return {"c0": p["span"] if p["span"] > 0.0 else float(exp(log(float(p["T"])) / 5.0))}


learner = Learner(
    name="pmevi-dt",
    setting="average",
    cite="boone2024",
    source_tag="recalled",
    params={**ucrl2b.learner.params, "span": 0.0},
    state=dict(
        **ucrl2b.learner.state, raised=f8["S"], bonus=f8["S", "A"], est=f8["S", "S"], limit=f8["S", "S"],
        hops=i8["S", "S"], steps=i8["S", "S"], gained=f8["S", "S"], last=i8["S", "S"], mark=i8["S", "S"],
        paid_at=f8["S", "S"], clock=i8[1], paid=f8[1], owed=f8[1], contradicted=i8[1],
    ),
    begin=begin,
    act=act,
    watch=watch,
    plan=plan,
    derive=derive,
    text="UCRL2B's sets; a bias region from commutes and mitigated backups; constants of region and bonus are derived "
    "here, since the paper's were not at hand. span=0 stands for T^(1/5).",
)  # fmt: skip
