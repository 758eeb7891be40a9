"""Probes of UCRL2's proof (jaksch2010): kernels on one replicate, and the monitor they share.

`st` is the learner's state, `tr` the truth record of the average-reward loop; values are lhs - rhs.
"""

from __future__ import annotations

from theorylab.kernel import kernel, log, sqrt
from theorylab.learner import f8, i8
from theorylab.probe import NEVER, Monitor

LN2 = 0.69314718055994530942


@kernel
def pair_excess(st, p, tr, s, a):
    """Largest excess of the empirical reward and law of one pair over its radii."""
    row = s * p.A + a
    reward = abs(st.total[s, a] / max(1, st.N[s, a]) - tr.r_mean[row]) - st.radius_r[s, a]
    distance = 0.0
    for s2 in range(p.S):
        distance += st.p_hat[s, a, s2]
    for j in range(tr.width):
        if tr.prob[row, j] > 0.0:
            x = st.p_hat[s, a, tr.succ[row, j]]
            distance += abs(x - tr.prob[row, j]) - x
    return max(reward, distance - st.radius_p[s, a])


@kernel
def coverage(st, p, tr, t):
    """Largest excess over all pairs: positive when the true MDP is outside the plausible set."""
    worst = NEVER
    for s in range(p.S):
        for a in range(p.A):
            worst = max(worst, pair_excess(st, p, tr, s, a))
    return worst


@kernel
def optimism(st, p, tr, t):
    """Optimal gain minus the largest change of the last sweep, recomputed."""
    high = st.u_next[0] - st.u[0]
    for s in range(1, p.S):
        high = max(high, st.u_next[s] - st.u[s])
    return tr.gain - high


@kernel
def domination(st, p, tr, t):
    """Where the true MDP is plausible: largest amount by which its Bellman update of u exceeds the optimistic one."""
    if coverage(st, p, tr, t) > 0.0:
        return NEVER
    worst = NEVER
    for s in range(p.S):
        for a in range(p.A):
            row = s * p.A + a
            value = tr.r_mean[row]
            for j in range(tr.width):
                value += tr.prob[row, j] * st.u[tr.succ[row, j]]
            worst = max(worst, value - st.u_next[s])
    return worst


@kernel
def attained(st, p, tr, t):
    """Largest amount by which u_next exceeds what any law in the l1 ball can give: reward plus mass moved to the
    top."""
    top = st.u[0]
    low = st.u[0]
    for s in range(1, p.S):
        top = max(top, st.u[s])
        low = min(low, st.u[s])
    worst = NEVER
    for s in range(p.S):
        best = NEVER
        for a in range(p.A):
            value = 0.0
            mass = 0.0
            for s2 in range(p.S):
                value += st.p_hat[s, a, s2] * st.u[s2]
                mass += st.p_hat[s, a, s2]
            if mass > 0.5:
                value = min(top, value + 0.5 * st.radius_p[s, a] * (top - low))
            else:
                value = top
            best = max(best, st.r_up[s, a] + value)
        worst = max(worst, st.u_next[s] - best)
    return worst


@kernel
def stopping(st, p, tr, t):
    """Span of the last sweep's change minus 1/sqrt(t_k)."""
    low = st.u_next[0] - st.u[0]
    high = low
    for s in range(1, p.S):
        low = min(low, st.u_next[s] - st.u[s])
        high = max(high, st.u_next[s] - st.u[s])
    return high - low - 1.0 / sqrt(t + 1.0)


@kernel
def radii(st, p, tr, t):
    """Largest distance of a radius from its formula at t_k = t + 1, with the environment's counters."""
    worst = 0.0
    for s in range(p.S):
        for a in range(p.A):
            n = max(1, tr.visits[s, a])
            x = sqrt(7.0 * log(2.0 * p.S * p.A * (t + 1.0) / p.delta) / (2.0 * n))
            y = sqrt(14.0 * p.S * log(2.0 * p.A * (t + 1.0) / p.delta) / n)
            worst = max(worst, max(abs(st.radius_r[s, a] - x), abs(st.radius_p[s, a] - y)))
    return worst


@kernel
def estimates(st, p, tr, t):
    """Largest distance of p_hat and r_up from the environment's transitions and rewards over max(1, visits)."""
    worst = 0.0
    for s in range(p.S):
        for a in range(p.A):
            n = max(1, tr.visits[s, a])
            x = sqrt(7.0 * log(2.0 * p.S * p.A * (t + 1.0) / p.delta) / (2.0 * n))
            up = tr.paid[s, a] / n + x
            if p.cap_rewards == 1:
                up = min(1.0, up)
            worst = max(worst, abs(st.r_up[s, a] - up))
            for s2 in range(p.S):
                worst = max(worst, abs(st.p_hat[s, a, s2] - float(tr.seen[s, a, s2]) / n))
    return worst


@kernel
def clipping(st, p, tr, t):
    """Largest optimistic reward minus 1."""
    worst = NEVER
    for s in range(p.S):
        for a in range(p.A):
            worst = max(worst, st.r_up[s, a] - 1.0)
    return worst


@kernel
def span(st, p, tr, t):
    """Span of u_next minus D, where the true MDP is plausible."""
    if coverage(st, p, tr, t) > 0.0:
        return NEVER
    low = st.u_next[0]
    high = low
    for s in range(1, p.S):
        low = min(low, st.u_next[s])
        high = max(high, st.u_next[s])
    return high - low - tr.D


@kernel
def counts(st, p, tr, t):
    """Visits and transitions of the pair just played, against the environment's counter and the monitor's record."""
    error = abs(float(st.N[tr.s, tr.a] + st.nu[tr.s, tr.a] - tr.visits[tr.s, tr.a]))
    for s2 in range(p.S):
        error = max(error, abs(float(st.moves[tr.s, tr.a, s2] - tr.seen[tr.s, tr.a, s2])))
    return error


@kernel
def sums(st, p, tr, t):
    """Reward sum of the pair just played, against the monitor's."""
    return abs(st.total[tr.s, tr.a] - tr.paid[tr.s, tr.a])


@kernel
def best_law(st, p, s, a):
    """max p~ u over the l1 ball, written apart from the learner: values in increasing order by repeated search."""
    best = 0
    value = 0.0
    for s2 in range(p.S):
        value += st.p_hat[s, a, s2] * st.u[s2]
        if st.u[s2] > st.u[best]:
            best = s2
    if st.N[s, a] == 0:
        return st.u[best]
    left = min(0.5 * st.radius_p[s, a], 1.0 - st.p_hat[s, a, best])
    value += left * st.u[best]
    last = -1
    for _ in range(p.S):
        low = -1
        for s2 in range(p.S):
            after = last < 0 or st.u[s2] > st.u[last] or (st.u[s2] == st.u[last] and s2 > last)
            if after and s2 != best and (low < 0 or st.u[s2] < st.u[low]):
                low = s2
        if low >= 0:
            taken = min(left, st.p_hat[s, a, low])
            value -= taken * st.u[low]
            left -= taken
            last = low
    return value


@kernel
def greedy(st, p, tr, t):
    """Largest distance of the planned action's optimistic value from u_next, and excess of any action's over it."""
    worst = 0.0
    for s in range(p.S):
        for a in range(p.A):
            short = st.r_up[s, a] + best_law(st, p, s, a) - st.u_next[s]
            worst = max(worst, abs(short) if a == st.pi[s] else short)
    return worst


@kernel
def doubling(st, p, tr, t):
    """Visits of the pair in this episode minus max(1, visits before it)."""
    return float(st.nu[tr.s, tr.a] - max(1, st.N[tr.s, tr.a]))


@kernel
def episodes(st, p, tr, t):
    """Episodes so far minus S A log2(8 n / (S A)), n = t + 1 >= S A."""
    pairs = float(p.S * p.A)
    n = t + 1.0
    if n < pairs:
        return NEVER
    return tr.epochs - pairs * log(8.0 * n / pairs) / LN2


@kernel
def monitor_begin(p, tr):
    """Nothing seen, nothing paid (memory arrives zeroed)."""
    tr.paid[0, 0] = 0.0


@kernel
def monitor_observe(st, p, tr, t):
    """Record the transition and the reward."""
    tr.seen[tr.s, tr.a, tr.s2] += 1
    tr.paid[tr.s, tr.a] += tr.r


monitor = Monitor({"seen": i8["S", "A", "S"], "paid": f8["S", "A"]}, monitor_begin, monitor_observe)
