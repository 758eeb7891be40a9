"""Probes of MVP's proof (zhang2021mvp): kernels on one replicate, and the monitor they share.

`st` is the learner's state, `tr` the truth record of the episodic loop; values are lhs - rhs. Counts are over
all stages.
"""

from __future__ import annotations

from theorylab.kernel import kernel, log, sqrt
from theorylab.learner import f8, i8
from theorylab.probe import NEVER, Monitor

LN2 = 0.69314718055994530942
#: c1, and the part of c3 = 460/9 + 28/3 that belongs to the kernel
KERNEL = 460.0 / 9.0
REWARD = 28.0 / 3.0
SQRT8 = 2.8284271247461903


@kernel
def expected(p, tr, h, s, a):
    """The true p V_star_{h+1}: Q_star less the mean reward."""
    return tr.Q_star[h, s, a] - tr.r_mean[h * tr.stride + s * p.A + a]


@kernel
def deviation(st, p, tr, h, s, a):
    """Standard deviation of V_star_{h+1} under p_hat, two passes."""
    mean = 0.0
    for y in range(p.S):
        mean += st.p_hat[s, a, y] * tr.V_star[h + 1, y]
    var = 0.0
    for y in range(p.S):
        d = tr.V_star[h + 1, y] - mean
        var += st.p_hat[s, a, y] * d * d
    return sqrt(var)


@kernel
def shortfall(st, p, tr, h, s, a):
    """(p - p_hat) V_star_{h+1}."""
    error = expected(p, tr, h, s, a)
    for y in range(p.S):
        error -= st.p_hat[s, a, y] * tr.V_star[h + 1, y]
    return error


@kernel
def reward_coverage(st, p, tr, t):
    """Largest |r_hat - r| less the reward's part of the bonus: scale (c2 sqrt(r_hat iota / n) + 28 iota / (3 n))."""
    worst = NEVER
    for s in range(p.S):
        for a in range(p.A):
            if tr.frozen[s, a] > 0:
                bound = st.rest[s, a] - p.scale * KERNEL * tr.log_term / tr.frozen[s, a]
                worst = max(worst, abs(st.r_hat[s, a] - tr.r_mean[s * p.A + a]) - bound)
    return worst


@kernel
def value_coverage(st, p, tr, t):
    """Largest |(p_hat - p) V_star_{h+1}| less the kernel's part of the bonus at V_star."""
    worst = NEVER
    for h in range(p.H - 1):
        for s in range(p.S):
            for a in range(p.A):
                if tr.frozen[s, a] > 0:
                    bound = st.width[s, a] * deviation(st, p, tr, h, s, a)
                    bound += p.scale * KERNEL * tr.log_term / tr.frozen[s, a]
                    worst = max(worst, abs(shortfall(st, p, tr, h, s, a)) - bound)
    return worst


@kernel
def optimism(st, p, tr, t):
    """Largest Q_star - Q and V_star - V over all stages."""
    worst = NEVER
    for h in range(p.H):
        for s in range(p.S):
            worst = max(worst, tr.V_star[h, s] - st.V[h, s])
            for a in range(p.A):
                worst = max(worst, tr.Q_star[h, s, a] - st.Q[h, s, a])
    return worst


@kernel
def optimistic(st, p, tr, h):
    """Whether V >= V_star at stage h, within rounding."""
    for y in range(p.S):
        if st.V[h, y] < tr.V_star[h, y] - 1e-12:
            return False
    return True


@kernel
def induction(st, p, tr, t):
    """Q_star - Q where stage h + 1 is optimistic, and reward and max-form of the kernel's bonus cover the pair.

    The max-form is max(x sqrt(Var_p_hat(V_star) iota / n), x^2 iota / n), which is monotone in the values; x is the
    largest number for which the bonus dominates it: min(y, sqrt(y)) with y = 460/9 scale.
    """
    worst = NEVER
    x = min(KERNEL * p.scale, sqrt(KERNEL * p.scale))
    for h in range(p.H):
        if optimistic(st, p, tr, h + 1):
            for s in range(p.S):
                for a in range(p.A):
                    if tr.frozen[s, a] > 0:
                        rate = tr.log_term / tr.frozen[s, a]
                        reward = p.scale * (SQRT8 * sqrt(st.r_hat[s, a] * rate) + REWARD * rate)
                        covered = tr.r_mean[s * p.A + a] - st.r_hat[s, a] <= reward
                        form = max(x * sqrt(rate) * deviation(st, p, tr, h, s, a), x * x * rate)
                        if covered and shortfall(st, p, tr, h, s, a) <= form:
                            worst = max(worst, tr.Q_star[h, s, a] - st.Q[h, s, a])
    return worst


@kernel
def sure_pairs(st, p, tr, t):
    """Pairs that always led to one state, below the cap: Q - r_hat - p_hat V minus the bonus of variance zero."""
    worst = NEVER
    for s in range(p.S):
        for a in range(p.A):
            if tr.frozen[s, a] > 0:
                rate = tr.log_term / tr.frozen[s, a]
                for y in range(p.S):
                    if tr.law[s, a, y] == 1.0:
                        for h in range(p.H):
                            if st.Q[h, s, a] < 1.0:
                                rest = 2.0 * sqrt(2.0 * st.r_hat[s, a] * rate) + 544.0 / 9.0 * rate
                                value = st.Q[h, s, a] - st.r_hat[s, a] - st.V[h + 1, y]
                                worst = max(worst, value - p.scale * rest)
    return worst


@kernel
def clipping(st, p, tr, t):
    """Largest of Q - 1, V - 1 and -V."""
    worst = NEVER
    for h in range(p.H):
        for s in range(p.S):
            worst = max(worst, max(st.V[h, s] - 1.0, -st.V[h, s]))
            for a in range(p.A):
                worst = max(worst, st.Q[h, s, a] - 1.0)
    return worst


@kernel
def backup(st, p, tr, t):
    """Q and V against the printed rule; the variance as half the mean squared difference of two draws."""
    worst = 0.0
    for h in range(p.H):
        for s in range(p.S):
            top = 0.0
            for a in range(p.A):
                top = max(top, st.Q[h, s, a])
                value = 1.0
                if tr.frozen[s, a] > 0:
                    value = st.r_hat[s, a] + st.rest[s, a]
                    var = 0.0
                    for y in range(p.S):
                        q = st.p_hat[s, a, y]
                        v = st.V[h + 1, y]
                        value += q * v
                        for z in range(y):
                            var += q * st.p_hat[s, a, z] * (v - st.V[h + 1, z]) * (v - st.V[h + 1, z])
                    value = min(1.0, value + st.width[s, a] * sqrt(var))
                worst = max(worst, abs(st.Q[h, s, a] - value))
            worst = max(worst, abs(st.V[h, s] - top))
    return worst


@kernel
def counts(st, p, tr, t):
    """Visits and transitions of the pair just played, against the environment's counters and the monitor's record."""
    n = 0
    for h in range(p.H):
        n += tr.visits[h, tr.s, tr.a]
    error = abs(float(st.N[tr.s, tr.a] - n))
    for y in range(p.S):
        error = max(error, abs(float(st.moves[tr.s, tr.a, y] - tr.seen[tr.s, tr.a, y])))
    return error


@kernel
def doubling(st, p, tr, t):
    """n of the pair just played against the largest power of two that its visits have reached."""
    n = 0
    for h in range(p.H):
        n += tr.visits[h, tr.s, tr.a]
    power = 1
    while 2 * power <= n:
        power = 2 * power
    return abs(float(st.n[tr.s, tr.a] - power))


@kernel
def estimates(st, p, tr, t):
    """p_hat and r_hat of the pair just played, against what the monitor kept at the last power of two."""
    error = abs(st.r_hat[tr.s, tr.a] - tr.reward[tr.s, tr.a])
    for y in range(p.S):
        error = max(error, abs(st.p_hat[tr.s, tr.a, y] - tr.law[tr.s, tr.a, y]))
    return error


@kernel
def bonus(st, p, tr, t):
    """width and rest of the pair just played against their formulas, n and r_hat from the monitor."""
    rate = tr.log_term / tr.frozen[tr.s, tr.a]
    rest = 2.0 * sqrt(2.0 * tr.reward[tr.s, tr.a] * rate) + 544.0 / 9.0 * rate
    error = abs(st.width[tr.s, tr.a] - p.scale * 460.0 / 9.0 * sqrt(rate))
    return max(error, abs(st.rest[tr.s, tr.a] - p.scale * rest))


@kernel
def schedule(st, p, tr, t):
    """Plans after the first, against the past episodes in which some pair was refreshed."""
    return abs(float(tr.epochs - 1 - tr.changed[0]))


@kernel
def replans(st, p, tr, t):
    """Plans after the first minus S A (1 + log2 (t + 1))."""
    return tr.epochs - 1 - p.S * p.A * (1.0 + log(t + 1.0) / LN2)


@kernel
def monitor_begin(p, tr):
    """Nothing seen, nothing paid (memory arrives zeroed)."""
    tr.changed[0] = 0


@kernel
def monitor_observe(st, p, tr, t):
    """Record the step; at a power of two keep the law of all visits and the mean reward of the latest half.

    `changed` has the number of past episodes with a power of two, and whether the present one has seen one.
    """
    if tr.h == 0:
        tr.changed[0] += tr.changed[1]
        tr.changed[1] = 0
    tr.seen[tr.s, tr.a, tr.s2] += 1
    tr.paid[tr.s, tr.a] += tr.r
    n = 0
    for y in range(p.S):
        n += tr.seen[tr.s, tr.a, y]
    due = 1 if tr.frozen[tr.s, tr.a] == 0 else 2 * tr.frozen[tr.s, tr.a]
    if n == due:
        tr.changed[1] = 1
        tr.frozen[tr.s, tr.a] = n
        tr.reward[tr.s, tr.a] = tr.paid[tr.s, tr.a] / max(1, n // 2)
        tr.paid[tr.s, tr.a] = 0.0
        for y in range(p.S):
            tr.law[tr.s, tr.a, y] = tr.seen[tr.s, tr.a, y] / n


PAIRS = f8["S", "A"]
monitor = Monitor(
    {
        "seen": i8["S", "A", "S"],
        "frozen": i8["S", "A"],
        "paid": PAIRS,
        "reward": PAIRS,
        "law": f8["S", "A", "S"],
        "changed": i8[2],
    },
    monitor_begin,
    monitor_observe,
)
