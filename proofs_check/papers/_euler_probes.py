"""Probes of EULER's proof (zanette2019): kernels on one replicate, and the monitor they share.

`st` is the learner's state, `tr` the truth record of the episodic loop; values are lhs - rhs. Row g of a count is the
stage, or 0 where counts are pooled over the stages.
"""

from __future__ import annotations

from theorylab.kernel import kernel, sqrt
from theorylab.learner import f8, i8
from theorylab.probe import NEVER, Monitor


@kernel
def row_of(p, h):
    """Where the counts of a stage are kept."""
    return 0 if p.pooled == 1 else h


@kernel
def served(p, tr, h, s, a):
    """Visits that the environment has served to the pair, over all stages where counts are pooled."""
    if p.pooled == 0:
        return tr.visits[h, s, a]
    n = 0
    for g in range(p.H):
        n += tr.visits[g, s, a]
    return n


@kernel
def expected(p, tr, h, s, a):
    """The true p V_star_{h+1}: Q_star less the mean reward."""
    return tr.Q_star[h, s, a] - tr.r_mean[h * tr.stride + s * p.A + a]


@kernel
def deviation(st, p, tr, g, h, s, a):
    """Standard deviation of V_star_{h+1} under p_hat, two passes."""
    mean = 0.0
    for y in range(p.S):
        mean += st.p_hat[g, s, a, y] * tr.V_star[h + 1, y]
    var = 0.0
    for y in range(p.S):
        d = tr.V_star[h + 1, y] - mean
        var += st.p_hat[g, s, a, y] * d * d
    return sqrt(var)


@kernel
def reward_excess(st, p, tr, g, h, s, a):
    """|r_hat - r| - b_r of one pair."""
    return abs(st.r_hat[g, s, a] - tr.r_mean[h * tr.stride + s * p.A + a]) - st.b_r[g, s, a]


@kernel
def value_excess(st, p, tr, g, h, s, a):
    """|(p_hat - p) V_star_{h+1}| less the bonus at V_star, without its norm: phi(V_star) + (4 J + B_p) / n."""
    error = -expected(p, tr, h, s, a)
    for y in range(p.S):
        error += st.p_hat[g, s, a, y] * tr.V_star[h + 1, y]
    return abs(error) - st.root[g, s, a] * deviation(st, p, tr, g, h, s, a) - st.rest[g, s, a]


@kernel
def reward_coverage(st, p, tr, t):
    """Largest |r_hat - r| - b_r over the pairs with visits."""
    worst = NEVER
    for h in range(p.H):
        g = row_of(p, h)
        for s in range(p.S):
            for a in range(p.A):
                if tr.total[g, s, a] > 0:
                    worst = max(worst, reward_excess(st, p, tr, g, h, s, a))
    return worst


@kernel
def value_coverage(st, p, tr, t):
    """Largest `value_excess` over the pairs with visits."""
    worst = NEVER
    for h in range(p.H - 1):
        g = row_of(p, h)
        for s in range(p.S):
            for a in range(p.A):
                if tr.total[g, s, a] > 0:
                    worst = max(worst, value_excess(st, p, tr, g, h, s, a))
    return worst


@kernel
def optimism(st, p, tr, t):
    """Largest Q_star - Q_up and V_star - V_up over all stages."""
    worst = NEVER
    for h in range(p.H):
        for s in range(p.S):
            worst = max(worst, tr.V_star[h, s] - st.V_up[h, s])
            for a in range(p.A):
                worst = max(worst, tr.Q_star[h, s, a] - st.Q_up[h, s, a])
    return worst


@kernel
def pessimism(st, p, tr, t):
    """Largest V_low - V_star over all stages."""
    worst = NEVER
    for h in range(p.H):
        for s in range(p.S):
            worst = max(worst, st.V_low[h, s] - tr.V_star[h, s])
    return worst


@kernel
def enclosed(st, p, tr, h):
    """Whether V_low <= V_star <= V_up at stage h, within rounding."""
    for y in range(p.S):
        if st.V_low[h, y] > tr.V_star[h, y] + 1e-12 or st.V_up[h, y] < tr.V_star[h, y] - 1e-12:
            return False
    return True


@kernel
def induction(st, p, tr, t):
    """Where stage h + 1 is enclosed and the pair covered: Q_star - Q_up, and V_low - V_star if the pair is played."""
    worst = NEVER
    for h in range(p.H):
        g = row_of(p, h)
        if enclosed(st, p, tr, h + 1):
            for s in range(p.S):
                for a in range(p.A):
                    if tr.total[g, s, a] > 0 and reward_excess(st, p, tr, g, h, s, a) <= 0.0:
                        if value_excess(st, p, tr, g, h, s, a) <= 0.0:
                            worst = max(worst, tr.Q_star[h, s, a] - st.Q_up[h, s, a])
                            if st.pi[h, s] == a:
                                worst = max(worst, st.V_low[h, s] - tr.V_star[h, s])
    return worst


@kernel
def correction(st, p, tr, t):
    """Where stage h + 1 is enclosed and Q_up is below its cap: what the bonus lacks of the bonus at V_star.

    The norm of V_up - V_low makes up for the variance being that of V_up instead of V_star.
    """
    worst = NEVER
    for h in range(p.H):
        g = row_of(p, h)
        if enclosed(st, p, tr, h + 1):
            for s in range(p.S):
                for a in range(p.A):
                    if st.Q_up[h, s, a] < p.H - h:
                        least = st.r_hat[g, s, a] + st.b_r[g, s, a] + st.rest[g, s, a]
                        least += st.root[g, s, a] * deviation(st, p, tr, g, h, s, a)
                        for y in range(p.S):
                            least += st.p_hat[g, s, a, y] * st.V_up[h + 1, y]
                        worst = max(worst, least - st.Q_up[h, s, a])
    return worst


@kernel
def sure_pairs(st, p, tr, t):
    """Pairs that always led to one state, below the cap: bonus without its norm, minus its order H l / n.

    b_r is taken as it is, and as 7 l / (3 (n - 1)) where all rewards were the same.
    """
    worst = NEVER
    for h in range(p.H):
        g = row_of(p, h)
        for s in range(p.S):
            for a in range(p.A):
                for y in range(p.S):
                    n = tr.total[g, s, a]
                    if n > 0 and tr.seen[g, s, a, y] == n and st.Q_up[h, s, a] < p.H - h:
                        root = p.scale * sqrt(2.0 * tr.log_term / n)
                        norm = root * abs(st.V_up[h + 1, y] - st.V_low[h + 1, y])
                        order = 5.0 * p.H / 3.0 * tr.log_term + p.H * sqrt(2.0 * tr.log_term)
                        b_r = st.b_r[g, s, a]
                        if st.spread[g, s, a] == 0.0:
                            b_r = p.scale * 7.0 * tr.log_term / (3.0 * max(1, n - 1))
                        value = st.Q_up[h, s, a] - st.r_hat[g, s, a] - st.V_up[h + 1, y]
                        worst = max(worst, value - norm - b_r - p.scale * order / max(1, n - 1))
    return worst


@kernel
def clipping(st, p, tr, t):
    """Largest of V_up - (H - h), Q_up - (H - h), -V_low and V_low - V_up."""
    worst = NEVER
    for h in range(p.H):
        for s in range(p.S):
            worst = max(worst, max(st.V_up[h, s] - (p.H - h), max(-st.V_low[h, s], st.V_low[h, s] - st.V_up[h, s])))
            for a in range(p.A):
                worst = max(worst, st.Q_up[h, s, a] - (p.H - h))
    return worst


@kernel
def counts(st, p, tr, t):
    """Visits and transitions of the pair just played, against the environment's counter and the monitor's record."""
    g = row_of(p, tr.h)
    error = abs(float(st.N[g, tr.s, tr.a] - served(p, tr, tr.h, tr.s, tr.a)))
    for y in range(p.S):
        error = max(error, abs(float(st.moves[g, tr.s, tr.a, y] - tr.seen[g, tr.s, tr.a, y])))
    return error


@kernel
def estimates(st, p, tr, t):
    """p_hat, r_hat and Var_r of the pair just played, against the monitor's sums."""
    g = row_of(p, tr.h)
    n = tr.total[g, tr.s, tr.a]
    mean = tr.paid[g, tr.s, tr.a] / n
    error = abs(st.r_hat[g, tr.s, tr.a] - mean)
    error = max(error, abs(st.spread[g, tr.s, tr.a] / n - (tr.squares[g, tr.s, tr.a] / n - mean * mean)))
    for y in range(p.S):
        error = max(error, abs(st.p_hat[g, tr.s, tr.a, y] - tr.seen[g, tr.s, tr.a, y] / n))
    return error


@kernel
def bonus(st, p, tr, t):
    """b_r, root and rest of the pair just played, against their formulas, with the environment's counter."""
    g = row_of(p, tr.h)
    n = tr.total[g, tr.s, tr.a]
    m = max(1, n - 1)
    mean = tr.paid[g, tr.s, tr.a] / n
    var = max(0.0, tr.squares[g, tr.s, tr.a] / n - mean * mean)
    b_r = sqrt(2.0 * var * tr.log_term / n) + 7.0 * tr.log_term / (3.0 * m)
    rest = p.H * tr.log_term / (3.0 * m) + (4.0 * p.H * tr.log_term / 3.0 + p.H * sqrt(2.0 * tr.log_term)) / n
    error = max(abs(st.b_r[g, tr.s, tr.a] - p.scale * b_r), abs(st.rest[g, tr.s, tr.a] - p.scale * rest))
    return max(error, abs(st.root[g, tr.s, tr.a] - p.scale * sqrt(2.0 * tr.log_term / n)))


@kernel
def backup(st, p, tr, t):
    """Q_up, V_up and V_low against the printed rules; variances as half the mean squared difference of two draws."""
    worst = 0.0
    for h in range(p.H):
        g = row_of(p, h)
        for s in range(p.S):
            top = 0.0
            for a in range(p.A):
                top = max(top, st.Q_up[h, s, a])
                value = float(p.H - h)
                low = 0.0
                if tr.total[g, s, a] > 0:
                    up_mean = 0.0
                    low_mean = 0.0
                    up_var = 0.0
                    low_var = 0.0
                    apart = 0.0
                    for y in range(p.S):
                        q = st.p_hat[g, s, a, y]
                        if q > 0.0:
                            u = st.V_up[h + 1, y]
                            v = st.V_low[h + 1, y]
                            up_mean += q * u
                            low_mean += q * v
                            apart += q * (u - v) * (u - v)
                            for z in range(y):
                                both = q * st.p_hat[g, s, a, z]
                                up_var += both * (u - st.V_up[h + 1, z]) * (u - st.V_up[h + 1, z])
                                low_var += both * (v - st.V_low[h + 1, z]) * (v - st.V_low[h + 1, z])
                    part = st.b_r[g, s, a] + st.rest[g, s, a] + st.root[g, s, a] * sqrt(apart)
                    up = st.r_hat[g, s, a] + up_mean + part + st.root[g, s, a] * sqrt(up_var)
                    low = st.r_hat[g, s, a] + low_mean - part - st.root[g, s, a] * sqrt(low_var)
                    value = min(value, up)
                    low = max(0.0, low)
                worst = max(worst, abs(st.Q_up[h, s, a] - value))
                if st.pi[h, s] == a:
                    worst = max(worst, abs(st.V_low[h, s] - low))
            worst = max(worst, abs(st.V_up[h, s] - top))
    return worst


@kernel
def greedy(st, p, tr, t):
    """Largest Q_up of the visited state minus that of the action played."""
    top = st.Q_up[tr.h, tr.s, 0]
    for a in range(1, p.A):
        top = max(top, st.Q_up[tr.h, tr.s, a])
    return top - st.Q_up[tr.h, tr.s, tr.a]


@kernel
def schedule(st, p, tr, t):
    """Number of plans against the number of episodes begun."""
    return abs(float(tr.epochs - (t + 1)))


@kernel
def monitor_begin(p, tr):
    """Nothing seen, nothing paid (memory arrives zeroed)."""
    tr.paid[0, 0, 0] = 0.0


@kernel
def monitor_observe(st, p, tr, t):
    """Record the transition and the reward."""
    g = row_of(p, tr.h)
    tr.total[g, tr.s, tr.a] += 1
    tr.seen[g, tr.s, tr.a, tr.s2] += 1
    tr.paid[g, tr.s, tr.a] += tr.r
    tr.squares[g, tr.s, tr.a] += tr.r * tr.r


CELLS = f8["H", "S", "A"]
monitor = Monitor(
    {"total": i8["H", "S", "A"], "seen": i8["H", "S", "A", "S"], "paid": CELLS, "squares": CELLS},
    monitor_begin,
    monitor_observe,
)
