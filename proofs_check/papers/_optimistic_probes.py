"""Probes that every learner with extended value iteration over (s,a)-rectangular sets shares (UCRL2B, KL-UCRL).

They read what such a learner keeps: r_up, radius_r, p_hat, law (the maximising rows), u, u_next, pi; p.tau, the
aperiodicity transform; and the tables P (S,A,S) and D. A paper binds PLAUSIBLE, a kernel (st, p, tr) -> largest excess
of the true MDP over the sets.
Values are lhs - rhs.
"""

from __future__ import annotations

from typing import Any

from theorylab.kernel import kernel
from theorylab.probe import NEVER

PLAUSIBLE: Any = None


@kernel
def value_of(st, p, s, a):
    """law(s,a) u, in index order."""
    value = 0.0
    for s2 in range(p.S):
        value += st.law[s, a, s2] * st.u[s2]
    return value


def true_rows(model: Any) -> Any:
    """The kernel as a dense array (S,A,S): the table `P` of the probes."""
    return model.P.toarray().reshape(model.S, model.A, model.S) if model.sparse else model.P


@kernel
def reward_excess(st, p, tr):
    """Largest excess of |empirical - true mean reward| over its radius, visited pairs."""
    worst = NEVER
    for s in range(p.S):
        for a in range(p.A):
            if st.N[s, a] > 0:
                error = abs(st.total[s, a] / st.N[s, a] - tr.r_mean[s * p.A + a])
                worst = max(worst, error - st.radius_r[s, a])
    return worst


@kernel
def rewards(st, p, tr, t):
    """As a probe: positive when some mean reward is outside its interval."""
    return reward_excess(st, p, tr)


@kernel
def optimistic_reward(st, p, tr, t):
    """Distance of r_up from min(1, mean + radius) with the environment's counters, and from 1 before any visit."""
    worst = 0.0
    for s in range(p.S):
        for a in range(p.A):
            wanted = 1.0
            if tr.visits[s, a] > 0:
                wanted = min(1.0, tr.paid[s, a] / tr.visits[s, a] + st.radius_r[s, a])
            worst = max(worst, abs(st.r_up[s, a] - wanted))
    return worst


@kernel
def estimate(st, p, tr, t):
    """Largest distance of visits times p_hat from the transitions that the environment made."""
    worst = 0.0
    for s in range(p.S):
        for a in range(p.A):
            for s2 in range(p.S):
                worst = max(worst, abs(st.p_hat[s, a, s2] * tr.visits[s, a] - tr.seen[s, a, s2]))
    return worst


@kernel
def sum_to_one(st, p, tr, t):
    """Largest distance of the sum of an optimistic row from one, and largest negative part of an entry."""
    worst = 0.0
    for s in range(p.S):
        for a in range(p.A):
            mass = 0.0
            for s2 in range(p.S):
                mass += st.law[s, a, s2]
                worst = max(worst, -st.law[s, a, s2])
            worst = max(worst, abs(mass - 1.0))
    return worst


@kernel
def backup(st, p, tr, t):
    """Distance of u_next from the optimistic Bellman update of u with the rows `law`."""
    worst = 0.0
    for s in range(p.S):
        best = NEVER
        for a in range(p.A):
            best = max(best, st.r_up[s, a] + p.tau * value_of(st, p, s, a))
        worst = max(worst, abs(best + (1.0 - p.tau) * st.u[s] - st.u_next[s]))
    return worst


@kernel
def greedy(st, p, tr, t):
    """Largest distance of the value of the planned action from u_next, the maximum over actions."""
    worst = 0.0
    for s in range(p.S):
        a = st.pi[s]
        value = st.r_up[s, a] + p.tau * value_of(st, p, s, a) + (1.0 - p.tau) * st.u[s]
        worst = max(worst, abs(value - st.u_next[s]))
    return worst


@kernel
def played(st, p, tr, t):
    """Whether the action played is the plan's (0 or 1); a plan is made only before a step."""
    return 0.0 if tr.a == st.pi[tr.s] else 1.0


@kernel
def domination(st, p, tr, t):
    """Where the true MDP is plausible: largest amount by which its mixed Bellman update exceeds the optimistic one."""
    if PLAUSIBLE(st, p, tr) > 0.0:
        return NEVER
    worst = NEVER
    for s in range(p.S):
        for a in range(p.A):
            ahead = 0.0
            for s2 in range(p.S):
                ahead += tr.P[s, a, s2] * st.u[s2]
            value = tr.r_mean[s * p.A + a] + p.tau * ahead + (1.0 - p.tau) * st.u[s]
            worst = max(worst, value - st.u_next[s])
    return worst


@kernel
def span(st, p, tr, t):
    """tau times the span of u_next, minus D, where the true MDP is plausible."""
    if PLAUSIBLE(st, p, tr) > 0.0:
        return NEVER
    low = st.u_next[0]
    high = low
    for s in range(1, p.S):
        low = min(low, st.u_next[s])
        high = max(high, st.u_next[s])
    return p.tau * (high - low) - tr.D
