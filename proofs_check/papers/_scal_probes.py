"""Probes of SCAL's proof (fruit2018): truncation, mixture, restart and the drawn actions. Values are lhs - rhs."""

from __future__ import annotations

from proofs_check.papers import _ucrl2b_probes as boxes
from proofs_check.papers._optimistic_probes import value_of
from proofs_check.papers._ucrl2b_probes import plausible
from theorylab.kernel import kernel, log, sqrt
from theorylab.learner import f8
from theorylab.probe import NEVER, Monitor


@kernel
def restart(p, t):
    """eta = min(1, 1 / (c t_k)), printed."""
    return min(1.0, 1.0 / (p.span * (t + 1.0)))


@kernel
def lazy(st, p, t, s, ahead):
    """tau [(1 - eta) ahead + eta u(0)] + (1 - tau) u(s)."""
    eta = restart(p, t)
    return p.tau * ((1.0 - eta) * ahead + eta * st.u[0]) + (1.0 - p.tau) * st.u[s]


@kernel
def backup(st, p, tr, t):
    """Distance of raised from the optimistic update of u with the rows `law` and the restart."""
    worst = 0.0
    for s in range(p.S):
        best = NEVER
        for a in range(p.A):
            best = max(best, st.r_up[s, a] + lazy(st, p, t, s, value_of(st, p, s, a)))
        worst = max(worst, abs(best - st.raised[s]))
    return worst


@kernel
def greedy(st, p, tr, t):
    """Largest distance of the value of the planned best action from raised."""
    worst = 0.0
    for s in range(p.S):
        a = st.pi[s]
        worst = max(worst, abs(st.r_up[s, a] + lazy(st, p, t, s, value_of(st, p, s, a)) - st.raised[s]))
    return worst


@kernel
def cut(st, p, tr, t):
    """Distance of u_next from min(raised, min raised + c / tau)."""
    least = st.raised[0]
    for s in range(1, p.S):
        least = min(least, st.raised[s])
    worst = 0.0
    for s in range(p.S):
        worst = max(worst, abs(st.u_next[s] - min(st.raised[s], least + p.span / p.tau)))
    return worst


@kernel
def span(st, p, tr, t):
    """tau times the span of u_next, minus c."""
    low = st.u_next[0]
    high = low
    for s in range(1, p.S):
        low = min(low, st.u_next[s])
        high = max(high, st.u_next[s])
    return p.tau * (high - low) - p.span


@kernel
def least_dual(st, p, s, a, price):
    """price + sum_i low_i (u_i - price)^+ - high_i (price - u_i)^+: below q u for every q of the box, any price."""
    value = price
    for s2 in range(p.S):
        gap = st.u[s2] - price
        value += gap * (st.low[s, a, s2] if gap > 0.0 else st.high[s, a, s2])
    return value


@kernel
def floors(st, p, tr, t):
    """Where the value was cut: distance of floor from the least dual value with reward 0; raised elsewhere."""
    worst = 0.0
    for s in range(p.S):
        wanted = st.raised[s]
        if st.raised[s] > st.u_next[s]:
            for a in range(p.A):
                bound = least_dual(st, p, s, a, st.u[0])
                for s2 in range(1, p.S):
                    bound = max(bound, least_dual(st, p, s, a, st.u[s2]))
                value = lazy(st, p, t, s, bound)
                wanted = value if a == 0 else min(wanted, value)
        worst = max(worst, abs(st.floor[s] - wanted))
    return worst


@kernel
def exists(st, p, tr, t):
    """floor - u_next: the threshold can be mixed."""
    worst = NEVER
    for s in range(p.S):
        worst = max(worst, st.floor[s] - st.u_next[s])
    return worst


@kernel
def mixture(st, p, tr, t):
    """Distance of mix raised + (1 - mix) floor from u_next, and excess of mix over [0, 1]."""
    worst = 0.0
    for s in range(p.S):
        mean = st.mix[s] * st.raised[s] + (1.0 - st.mix[s]) * st.floor[s]
        worst = max(worst, abs(mean - st.u_next[s]))
        worst = max(worst, max(-st.mix[s], st.mix[s] - 1.0))
    return worst


@kernel
def played(st, p, tr, t):
    """Whether the action played is the best one, or, where the value was cut, the worst one (0 or 1)."""
    if tr.a == st.pi[tr.s] or (tr.a == st.worst[tr.s] and st.raised[tr.s] > st.u_next[tr.s]):
        return 0.0
    return 1.0


@kernel
def law(st, p, tr, t):
    """|sum of (best played) - mix| minus the width of a Gaussian mixture at level 0.05 after n mixed decisions."""
    n = tr.drawn[1]
    if n < 1.0:
        return NEVER
    return abs(tr.drawn[0]) - sqrt(0.5 * (n + 1.0) * log(20.0 * sqrt(n + 1.0)))


@kernel
def optimism(st, p, tr, t):
    """Optimal gain minus eta span(h*) minus the largest change of the last sweep."""
    high = st.u_next[0] - st.u[0]
    for s in range(1, p.S):
        high = max(high, st.u_next[s] - st.u[s])
    return tr.gain - restart(p, t) * tr.sp - high


@kernel
def domination(st, p, tr, t):
    """Where the true MDP is plausible: largest amount by which its update, with the restart, exceeds raised."""
    if plausible(st, p, tr) > 0.0:
        return NEVER
    worst = NEVER
    for s in range(p.S):
        for a in range(p.A):
            ahead = 0.0
            for s2 in range(p.S):
                ahead += tr.P[s, a, s2] * st.u[s2]
            worst = max(worst, tr.r_mean[s * p.A + a] + lazy(st, p, t, s, ahead) - st.raised[s])
    return worst


@kernel
def monitor_observe(st, p, tr, t):
    """Transitions and rewards, and where two actions are mixed, the number of best ones beyond their probability."""
    tr.seen[tr.s, tr.a, tr.s2] += 1
    tr.paid[tr.s, tr.a] += tr.r
    tr.paid_twice[tr.s, tr.a] += tr.r * tr.r
    if st.pi[tr.s] != st.worst[tr.s]:
        tr.drawn[0] += (1.0 if tr.a == st.pi[tr.s] else 0.0) - st.mix[tr.s]
        tr.drawn[1] += 1.0


monitor = Monitor({**boxes.monitor.memory, "drawn": f8[2]}, boxes.monitor_begin, monitor_observe)
