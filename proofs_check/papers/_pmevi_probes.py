"""Probes of PMEVI-DT's proof (boone2024): commutes, bias region, mitigation, projection. Values are lhs - rhs."""

from __future__ import annotations

from proofs_check.papers import _ucrl2b_probes as boxes
from proofs_check.papers._optimistic_probes import value_of
from proofs_check.papers._ucrl2b_probes import printed_radius
from theorylab.kernel import kernel, log, sqrt
from theorylab.learner import f8, i8
from theorylab.probe import NEVER, Monitor


@kernel
def stretches(st, p, tr, t):
    """Steps and rewards of completed stretches against a tally of the steps since whose start one state was last."""
    worst = 0.0
    for s in range(p.S):
        for y in range(p.S):
            if s != y and tr.recent[y] > tr.recent[s] and tr.recent[s] > 0:
                worst = max(worst, abs(float(st.steps[s, y] - tr.tally[s, y])))
                worst = max(worst, abs(st.gained[s, y] - tr.earned[s, y]))
                worst = max(worst, abs(float(st.hops[s, y] - tr.left[s, y])))
    return worst


@kernel
def accounts(st, p, tr, t):
    """Rewards received and gains promised, against the monitor's sums."""
    return max(abs(st.paid[0] - tr.sums[0]), abs(st.owed[0] - tr.sums[1]))


@kernel
def estimate_error(st, p, tr, t):
    """Largest excess of n |h*(s) - h*(y) - est| over |regret| + |signed noise| + sum of gaps, all as they were."""
    worst = NEVER
    for s in range(p.S):
        for y in range(p.S):
            n = float(st.hops[s, y] + st.hops[y, s])
            if s != y and n > 0.0:
                error = abs(n * (tr.bias[s] - tr.bias[y] - st.est[s, y]))
                # the stretch that is open belongs to neither side
                there = tr.noise[s, y] if tr.recent[y] > tr.recent[s] else tr.before[s, y]
                back = tr.noise[y, s] if tr.recent[s] > tr.recent[y] else tr.before[y, s]
                worst = max(worst, error - abs(t * tr.gain - tr.sums[0]) - abs(there - back) - tr.sums[2])
    return worst


@kernel
def bias_region(st, p, tr, t):
    """Largest excess of a difference of the optimal bias over its bound."""
    worst = NEVER
    for s in range(p.S):
        for y in range(p.S):
            if s != y:
                worst = max(worst, tr.bias[s] - tr.bias[y] - st.limit[s, y])
    return worst


@kernel
def printed_limit(st, p, tr, t, s, y):
    """min(c0, est + slack / n) from the learner's records of stretches, before the bounds are closed."""
    n = float(st.hops[s, y] + st.hops[y, s])
    if s == y or n == 0.0:
        return 0.0 if s == y else p.c0
    # what was paid and owed when the plan was made: the monitor has seen t steps
    gain = tr.sums[0] / max(1.0, float(t))
    x = log(2.0 * p.S * p.S * (t + 1.0) * (t + 1.0) / p.delta)
    slack = 2.0 * max(0.0, tr.sums[1] - tr.sums[0]) + p.scale * (1.0 + p.c0) * sqrt(2.0 * t * x) + p.c0
    there = st.gained[s, y] - gain * float(st.steps[s, y])
    back = st.gained[y, s] - gain * float(st.steps[y, s])
    return min(p.c0, (there - back + slack) / n)


@kernel
def reached(st, p, tr, t):
    """Distance of a bound from the least of its printed value and of two others' sum: nothing is cut below that."""
    if float(st.contradicted[0]) > 0.0:
        return NEVER
    worst = NEVER
    for s in range(p.S):
        for y in range(p.S):
            if s != y:
                least = printed_limit(st, p, tr, t, s, y)
                for z in range(p.S):
                    if z != s and z != y:
                        least = min(least, st.limit[s, z] + st.limit[z, y])
                worst = max(worst, abs(st.limit[s, y] - least))
    return worst


@kernel
def consistent(st, p, tr, t):
    """Number of plans at which bounds contradicted each other."""
    return float(st.contradicted[0])


@kernel
def closed(st, p, tr, t):
    """Largest violation of the triangle inequality, of limit <= c0, and of a diagonal of zeros."""
    worst = NEVER
    for s in range(p.S):
        worst = max(worst, abs(st.limit[s, s]))
        for y in range(p.S):
            worst = max(worst, st.limit[s, y] - p.c0)
            for z in range(p.S):
                worst = max(worst, st.limit[s, y] - st.limit[s, z] - st.limit[z, y])
    return worst


@kernel
def printed_bonus(st, p, tr, t, s, a):
    """The bonus from the environment's counters and the bounds."""
    n = float(tr.visits[s, a])
    total = 0.0
    for i in range(p.S):
        for j in range(p.S):
            d = max(st.limit[i, j], st.limit[j, i])
            total += 0.5 * (tr.seen[s, a, i] / n) * (tr.seen[s, a, j] / n) * d * d
    spread = min(total, p.c0 * p.c0 / 4.0)
    x = p.alpha * log(p.S * p.A / p.delta * (2.0 * (t + 1.0) if p.form == 1 else 6.0 * n))
    return p.c0 * printed_radius(p, spread / (p.c0 * p.c0), n, x)


@kernel
def bonuses(st, p, tr, t):
    """Largest distance of a bonus from the printed one, visited pairs."""
    worst = 0.0
    for s in range(p.S):
        for a in range(p.A):
            if tr.visits[s, a] > 0:
                worst = max(worst, abs(st.bonus[s, a] - printed_bonus(st, p, tr, t, s, a)))
    return worst


@kernel
def mitigation(st, p, tr, t):
    """Largest excess of (P - p_hat) h*, the mean of the optimal bias, over the bonus, visited pairs."""
    worst = NEVER
    for s in range(p.S):
        for a in range(p.A):
            if st.N[s, a] > 0:
                error = 0.0
                for s2 in range(p.S):
                    error += (tr.P[s, a, s2] - st.p_hat[s, a, s2]) * tr.bias[s2]
                worst = max(worst, error - st.bonus[s, a])
    return worst


@kernel
def mitigated(st, p, s, a):
    """min(law u, p_hat u + bonus / tau), and law u before the first visit."""
    value = value_of(st, p, s, a)
    if st.N[s, a] == 0:
        return value
    mean = st.bonus[s, a] / p.tau
    for s2 in range(p.S):
        mean += st.p_hat[s, a, s2] * st.u[s2]
    return min(value, mean)


@kernel
def backup(st, p, tr, t):
    """Distance of raised from the mitigated update of u with the rows `law`."""
    worst = 0.0
    for s in range(p.S):
        best = NEVER
        for a in range(p.A):
            best = max(best, st.r_up[s, a] + p.tau * mitigated(st, p, s, a))
        worst = max(worst, abs(best + (1.0 - p.tau) * st.u[s] - st.raised[s]))
    return worst


@kernel
def greedy(st, p, tr, t):
    """Largest distance of the mitigated value of the planned action from raised."""
    worst = 0.0
    for s in range(p.S):
        a = st.pi[s]
        value = st.r_up[s, a] + p.tau * mitigated(st, p, s, a) + (1.0 - p.tau) * st.u[s]
        worst = max(worst, abs(value - st.raised[s]))
    return worst


@kernel
def in_region(st, p, tr, t):
    """Largest excess of a difference of u_next over its bound, and of u_next over raised."""
    worst = NEVER
    for s in range(p.S):
        worst = max(worst, st.u_next[s] - st.raised[s])
        for y in range(p.S):
            if s != y:
                worst = max(worst, p.tau * (st.u_next[s] - st.u_next[y]) - st.limit[s, y])
    return worst


@kernel
def greatest(st, p, tr, t):
    """Distance of u_next from the least bound that a state sets: none of its entries can be raised in the region."""
    worst = NEVER
    for s in range(p.S):
        room = st.raised[s] - st.u_next[s]
        for y in range(p.S):
            if s != y:
                room = min(room, st.u_next[y] + st.limit[s, y] / p.tau - st.u_next[s])
        worst = max(worst, room)
    return worst


@kernel
def idempotent(st, p, tr, t):
    """Distance of the projection of u_next from u_next."""
    worst = 0.0
    for s in range(p.S):
        least = st.u_next[s]
        for y in range(p.S):
            least = min(least, st.u_next[y] + st.limit[s, y] / p.tau)
        worst = max(worst, st.u_next[s] - least)
    return worst


@kernel
def monitor_begin(p, tr):
    """Nothing seen (memory arrives zeroed)."""
    tr.paid[0, 0] = 0.0


@kernel
def monitor_observe(st, p, tr, t):
    """Transitions and rewards; sums; each pair of states credits the step to the one visited last, s_t included."""
    tr.seen[tr.s, tr.a, tr.s2] += 1
    tr.paid[tr.s, tr.a] += tr.r
    tr.paid_twice[tr.s, tr.a] += tr.r * tr.r
    tr.sums[0] += tr.r
    tr.sums[1] += st.gain[1]
    gap = tr.gap[tr.s, tr.a]
    noise = tr.bias[tr.s] - tr.bias[tr.s2] + tr.gain - tr.r - gap
    tr.sums[2] += gap
    for y in range(p.S):
        if y != tr.s and tr.recent[y] > tr.recent[tr.s]:
            tr.left[y, tr.s] += 1
        if y != tr.s and tr.recent[y] >= tr.recent[tr.s]:
            tr.before[tr.s, y] = tr.noise[tr.s, y]
    tr.recent[tr.s] = t + 1
    for s in range(p.S):
        for y in range(p.S):
            if tr.recent[s] > tr.recent[y]:
                tr.tally[s, y] += 1
                tr.earned[s, y] += tr.r
                tr.noise[s, y] += noise


monitor = Monitor(
    {
        **boxes.monitor.memory, "sums": f8[3], "recent": i8["S"], "tally": i8["S", "S"], "left": i8["S", "S"],
        "earned": f8["S", "S"], "noise": f8["S", "S"], "before": f8["S", "S"],
    },
    monitor_begin,
    monitor_observe,
)  # fmt: skip
