"""Probes of UCRL2-VTR (wu2022) and LOOP-EVI (he2024.evi-...): kernels on one replicate, and the monitor they share.

`st` is the learner's state, `tr` the truth record of the average-reward loop with the table true_theta (d,); values are
lhs - rhs. The monitor adds up matrices of its own from the steps that the environment served, with features from the
dense phi and the values w of the plan that the step was played by, and inverts them afresh after every step. A paper
binds RADIUS, a kernel (p, t) -> the printed radius of a plan at time t_k = t + 1.
"""

from __future__ import annotations

from typing import Any

from theorylab.kernel import (
    cholesky,
    dot,
    invert_factor,
    kernel,
    log,
    log_det_factor,
    product,
    quadratic,
    sqrt,
)
from theorylab.learner import f8, i8
from theorylab.probe import NEVER, Monitor

RADIUS: Any = None
LN2 = 0.69314718055994530942


@kernel
def value_feature(st, p, s, a, i):
    """Coordinate i of X_w(s,a)."""
    total = 0.0
    for s2 in range(p.S):
        total += p.transition_phi[s, a, s2, i] * st.w[s2]
    return total


@kernel
def ahead(st, p, tr, s, a):
    """(P u)(s,a) with the true kernel."""
    row = s * p.A + a
    value = 0.0
    for j in range(tr.width):
        value += tr.prob[row, j] * st.u[tr.succ[row, j]]
    return value


@kernel
def norm_of(st, p, tr, s, a):
    """|X_w(s,a)| in the monitor's A^{-1}."""
    total = 0.0
    for i in range(p.d):
        x = value_feature(st, p, s, a, i)
        for j in range(p.d):
            total += tr.own_inv[i, j] * x * value_feature(st, p, s, a, j)
    return sqrt(max(0.0, total))


@kernel
def error_of(st, p, tr):
    """|theta_hat - theta| in the monitor's A."""
    total = 0.0
    for i in range(p.d):
        for j in range(p.d):
            total += tr.gram[i, j] * (st.theta[i] - tr.true_theta[i]) * (st.theta[j] - tr.true_theta[j])
    return sqrt(max(0.0, total))


@kernel
def along(st, p, s, a):
    """<X_w(s,a), theta_hat>."""
    total = 0.0
    for i in range(p.d):
        total += value_feature(st, p, s, a, i) * st.theta[i]
    return total


@kernel
def middle(st, p):
    """The midrange of u."""
    low = st.u[0]
    high = st.u[0]
    for s in range(1, p.S):
        low = min(low, st.u[s])
        high = max(high, st.u[s])
    return 0.5 * (low + high)


@kernel
def confidence(st, p, tr, t):
    """|theta_hat - theta|_A - radius."""
    return error_of(st, p, tr) - RADIUS(p, t)


@kernel
def radii(st, p, tr, t):
    """Distance of the radius from its formula."""
    return abs(st.radius[0] - RADIUS(p, t))


@kernel
def normal_equations(st, p, tr, t):
    """Largest |A theta_hat - sum X w(s') / v| over 1 + t, entries of the monitor's sums."""
    worst = 0.0
    for i in range(p.d):
        worst = max(worst, abs(dot(tr.gram[i], st.theta, p.d) - tr.own_b[i]) / (1.0 + t))
    return worst


@kernel
def inverse(st, p, tr, t):
    """Largest entry of |A_inv A - I|, A the monitor's."""
    worst = 0.0
    for i in range(p.d):
        for j in range(p.d):
            entry = dot(st.A_inv[i], tr.gram[j], p.d)
            worst = max(worst, abs(entry - 1.0) if i == j else abs(entry))
    return worst


@kernel
def centred(st, p, tr, t):
    """Largest distance of w from u minus its midrange."""
    worst = 0.0
    mid = middle(st, p)
    for s in range(p.S):
        worst = max(worst, abs(st.w[s] - (st.u[s] - mid)))
    return worst


@kernel
def half_range(st, p):
    """Half the span of u."""
    high = st.u[0]
    for s in range(1, p.S):
        high = max(high, st.u[s])
    return high - middle(st, p)


@kernel
def in_range(st, p, tr, t):
    """Largest distance of Q - r from the midrange of u, minus half its span."""
    worst = NEVER
    for s in range(p.S):
        for a in range(p.A):
            worst = max(worst, abs(st.Q[s, a] - p.r[s, a] - middle(st, p)) - half_range(st, p))
    return worst


@kernel
def domination(st, p, tr, t):
    """Where theta is in the set: largest r + P u - Q."""
    worst = NEVER
    if confidence(st, p, tr, t) <= 0.0:
        for s in range(p.S):
            for a in range(p.A):
                worst = max(worst, p.r[s, a] + ahead(st, p, tr, s, a) - st.Q[s, a])
    return worst


@kernel
def overshoot(st, p, tr, t):
    """Where theta is in the set: largest Q - (r + P u) - 2 radius |X|."""
    worst = NEVER
    if confidence(st, p, tr, t) <= 0.0:
        for s in range(p.S):
            for a in range(p.A):
                room = ahead(st, p, tr, s, a) + 2.0 * RADIUS(p, t) * norm_of(st, p, tr, s, a)
                worst = max(worst, st.Q[s, a] - p.r[s, a] - room)
    return worst


@kernel
def formula(st, p, tr, t):
    """Largest distance of Q from r + c + clip(<X, theta_hat> + radius |X|, -half, half)."""
    half = half_range(st, p)
    worst = 0.0
    for s in range(p.S):
        for a in range(p.A):
            value = along(st, p, s, a) + RADIUS(p, t) * norm_of(st, p, tr, s, a)
            value = p.r[s, a] + middle(st, p) + max(-half, min(half, value))
            worst = max(worst, abs(st.Q[s, a] - value))
    return worst


@kernel
def error_identity(st, p, tr, t):
    """Largest |E - (theta~ - theta)^T X|: E = Q - r - P u, theta~ the maximiser along A^{-1} X, all pairs.

    Where theta is in the set, theta~ is too: its distance from theta_hat, beyond the radius, is the other part.
    """
    worst = NEVER
    inside = confidence(st, p, tr, t) <= 0.0
    for s in range(p.S):
        for a in range(p.A):
            norm = norm_of(st, p, tr, s, a)
            if norm > 1e-9:
                shift = (st.Q[s, a] - p.r[s, a] - middle(st, p) - along(st, p, s, a)) / norm
                value = 0.0
                for i in range(p.d):
                    x = value_feature(st, p, s, a, i)
                    upper = st.theta[i]
                    for j in range(p.d):
                        upper += shift * tr.own_inv[i, j] * value_feature(st, p, s, a, j) / norm
                    value += (upper - tr.true_theta[i]) * x
                error = st.Q[s, a] - p.r[s, a] - ahead(st, p, tr, s, a)
                worst = max(worst, abs(error - value))
                if inside:
                    worst = max(worst, (abs(shift) - RADIUS(p, t)) * norm)
    return worst


@kernel
def sweep_of(st, p, s):
    """L u(s) from Q."""
    low = 0.0
    own = 0.0
    for x in range(p.S):
        top = st.Q[x, 0]
        for a in range(1, p.A):
            top = max(top, st.Q[x, a])
        low = top if x == 0 else min(low, top)
        if x == s:
            own = top
    return min(own, low + p.span)


@kernel
def backup(st, p, tr, t):
    """Largest distance of u_next from (1 - tau) u + tau L u."""
    worst = 0.0
    for s in range(p.S):
        worst = max(worst, abs((1.0 - p.tau) * st.u[s] + p.tau * sweep_of(st, p, s) - st.u_next[s]))
    return worst


@kernel
def optimism(st, p, tr, t):
    """Optimal gain minus the largest change of the last sweep."""
    high = NEVER
    for s in range(p.S):
        high = max(high, sweep_of(st, p, s) - st.u[s])
    return tr.gain - high


@kernel
def decomposition(st, p, tr, t):
    """Where theta is in the set: largest gain - 1/sqrt(T) - (Q(s,pi(s)) - u(s))."""
    worst = NEVER
    if confidence(st, p, tr, t) <= 0.0:
        for s in range(p.S):
            worst = max(worst, tr.gain - 1.0 / sqrt(float(p.T)) - st.Q[s, st.pi[s]] + st.u[s])
    return worst


@kernel
def stopping(st, p, tr, t):
    """Span of the last sweep's change minus 1/sqrt(T)."""
    low = sweep_of(st, p, 0) - st.u[0]
    high = low
    for s in range(1, p.S):
        change = sweep_of(st, p, s) - st.u[s]
        low = min(low, change)
        high = max(high, change)
    return high - low - 1.0 / sqrt(float(p.T))


@kernel
def span(st, p, tr, t):
    """Span of u minus its bound."""
    return 2.0 * half_range(st, p) - p.span


@kernel
def greedy(st, p, tr, t):
    """Largest Q of any action minus that of the planned one."""
    worst = 0.0
    for s in range(p.S):
        for a in range(p.A):
            worst = max(worst, st.Q[s, a] - st.Q[s, st.pi[s]])
    return worst


@kernel
def played(st, p, tr, t):
    """Whether the action played is the plan's (0 or 1)."""
    return 0.0 if tr.a == st.pi[tr.s] else 1.0


@kernel
def counts(st, p, tr, t):
    """Samples of the regression against steps."""
    return abs(float(st.n[0] - (t + 1)))


@kernel
def determinant(st, p, tr, t):
    """|log_det - ln det(A / lam)|, the learner's against that of the monitor's matrix."""
    return abs(st.log_det[0] - tr.own_log_det[0])


@kernel
def potential(st, p, tr, t):
    """Sum of min(1, |X|^2 / v), each in the matrix before its own step, minus 2 ln det(A / lam)."""
    return tr.spent[0] - 2.0 * tr.own_log_det[0]


@kernel
def widths_kept(st, p, tr, t):
    """|X|^2 of the step in the matrix of the plan minus twice that in the matrix before the step."""
    return tr.width_plan[0] - 2.0 * tr.width_now[0]


@kernel
def trigger(st, p, tr, t):
    """ln det A before the step minus that of the plan and ln 2."""
    return tr.log_det_before[0] - tr.log_det_start[0] - LN2


@kernel
def switches(st, p, tr, t):
    """Plans so far minus 1 + log2(det A / lam^d), A before the step."""
    return tr.epochs - 1.0 - tr.log_det_before[0] / LN2


@kernel
def monitor_begin(p, tr):
    """A = lam I, twice."""
    for i in range(p.d):
        tr.gram[i, i] = p.lam
        tr.own_inv[i, i] = 1.0 / p.lam
        tr.kept[i, i] = 1.0 / p.lam
        tr.gram2[i, i] = p.lam
        tr.own_inv2[i, i] = 1.0 / p.lam


@kernel
def before_step(st, p, tr, t):
    """What a step is judged by, from the matrices before it; of form > 0 bound to the variances' own."""
    tr.slack[0] = NEVER


@kernel
def invert(gram, own_inv, lower, column, d):
    """own_inv = gram^{-1}; ln det gram."""
    size = 0.0
    if cholesky(gram, lower, d):
        invert_factor(lower, own_inv, column, d)
        size = log_det_factor(lower, d)
    return size


@kernel
def monitor_observe(st, p, tr, t):
    """Judge the step by the matrices before it, then add it."""
    if tr.epochs > tr.known[0]:
        tr.known[0] = tr.epochs
        tr.log_det_start[0] = tr.own_log_det[0]
        for i in range(p.d):
            for j in range(p.d):
                tr.plan_inv[i, j] = tr.own_inv[i, j]
    tr.log_det_before[0] = tr.own_log_det[0]
    for i in range(p.d):
        tr.x[i] = value_feature(st, p, tr.s, tr.a, i)
    before_step(st, p, tr, t)
    v = VARIANCE(st)
    tr.width_now[0] = quadratic(tr.own_inv, tr.x, p.d)
    tr.width_plan[0] = quadratic(tr.plan_inv, tr.x, p.d)
    # the learner's own inverse, as it was before the step
    tr.spent[0] += min(1.0, quadratic(tr.kept, tr.x, p.d) / v)
    for i in range(p.d):
        tr.own_b[i] += tr.x[i] * st.w[tr.s2] / v
        for j in range(p.d):
            tr.gram[i, j] += tr.x[i] * tr.x[j] / v
    tr.own_log_det[0] = invert(tr.gram, tr.own_inv, tr.lower, tr.column, p.d) - p.d * log(p.lam)
    for i in range(p.d):
        for j in range(p.d):
            tr.kept[i, j] = st.A_inv[i, j]


@kernel
def one(st):
    """Unweighted."""
    return 1.0


VARIANCE: Any = one
MATRIX = f8["d", "d"]
MEMORY = {
    "gram": MATRIX, "own_inv": MATRIX, "plan_inv": MATRIX, "kept": MATRIX, "own_b": f8["d"], "own_log_det": f8[1],
    "spent": f8[1], "lower": MATRIX, "column": f8["d"], "x": f8["d"], "x2": f8["d"], "width_now": f8[1],
    "width_plan": f8[1],
    "log_det_before": f8[1], "log_det_start": f8[1], "known": i8[1], "gram2": MATRIX, "own_inv2": MATRIX,
    "own_b2": f8["d"], "slack": f8[1], "off": f8[1],
}  # fmt: skip
monitor = Monitor(MEMORY, monitor_begin, monitor_observe)


# UCRL2-VTR: its radii and variances


@kernel
def printed_radius(p, t):
    """Radius of form 0 or 1 at t_k = t + 1, from D and B."""
    n = t + 1.0
    lam = 1.0 / (p.B * p.B)
    if p.form == 0:
        size = log((lam + n * p.diameter * p.diameter) / (p.delta * lam))
        return p.scale * (p.diameter * sqrt(p.d * size) + sqrt(lam) * p.B)
    ell = log(4.0 * n * n / p.delta)
    first = 8.0 * sqrt(p.d * log(1.0 + n / lam) * ell)
    return p.scale * (first + 4.0 * sqrt(float(p.d)) * ell + sqrt(lam) * p.B)


@kernel
def distance(gram, theta, truth, d):
    """|theta - truth| in a matrix."""
    total = 0.0
    for i in range(d):
        for j in range(d):
            total += gram[i, j] * (theta[i] - truth[i]) * (theta[j] - truth[j])
    return sqrt(max(0.0, total))


@kernel
def judge_variance(st, p, tr, t):
    """slack = variance of w(s') minus sigma^2 where both regressions are within their radii; off = its formula."""
    tr.slack[0] = NEVER
    tr.off[0] = NEVER
    if p.form > 0:
        D = p.diameter
        n = t + 1.0
        lam = 1.0 / (p.B * p.B)
        ell = log(4.0 * n * n / p.delta)
        rc = 8.0 * p.d * sqrt(log(1.0 + n / (4.0 * lam)) * ell) + 4.0 * sqrt(float(p.d)) * ell + sqrt(lam) * p.B
        rt = 2.0 * D * D * sqrt(p.d * log(1.0 + n * D * D / (4.0 * p.d * lam)) * ell) + D * D * ell + sqrt(lam) * p.B
        row = tr.s * p.A + tr.a
        first = 0.0
        second = 0.0
        for j in range(tr.width):
            y = st.w[tr.succ[row, j]]
            first += tr.prob[row, j] * y
            second += tr.prob[row, j] * y * y
        for i in range(p.d):
            total = 0.0
            for s2 in range(p.S):
                total += p.transition_phi[tr.s, tr.a, s2, i] * st.w[s2] * st.w[s2]
            tr.x2[i] = total
        product(tr.own_inv, tr.own_b, tr.column, p.d)
        inside = distance(tr.gram, tr.column, tr.true_theta, p.d) <= rc
        mean = dot(tr.x, tr.column, p.d)
        product(tr.own_inv2, tr.own_b2, tr.column, p.d)
        inside = inside and distance(tr.gram2, tr.column, tr.true_theta, p.d) <= rt
        square = dot(tr.x2, tr.column, p.d)
        if p.form == 1:
            mean = max(-0.5 * D, min(0.5 * D, mean))
            square = max(0.0, min(0.25 * D * D, square))
        else:
            mean = max(0.0, min(D, mean))
            square = max(0.0, min(D * D, square))
        error = min(0.25 * D * D, D * rc * sqrt(max(0.0, quadratic(tr.own_inv, tr.x, p.d))))
        error += min(0.25 * D * D, rt * sqrt(max(0.0, quadratic(tr.own_inv2, tr.x2, p.d))))
        tr.off[0] = abs(st.variance[0] - max(D * D / p.d, square - mean * mean + error))
        if inside:
            tr.slack[0] = second - first * first - st.variance[0]
        y = st.w[tr.s2] * st.w[tr.s2]
        for i in range(p.d):
            tr.own_b2[i] += tr.x2[i] * y
            for j in range(p.d):
                tr.gram2[i, j] += tr.x2[i] * tr.x2[j]
        invert(tr.gram2, tr.own_inv2, tr.lower, tr.column, p.d)


@kernel
def used(st):
    """The weight of the step just added."""
    return st.variance[0]


@kernel
def variance_bound(st, p, tr, t):
    """Variance minus sigma^2 on the event of both regressions."""
    return tr.slack[0]


@kernel
def variance_formula(st, p, tr, t):
    """Distance of sigma^2 from its formula."""
    return tr.off[0]


@kernel
def variance_floor(st, p, tr, t):
    """D^2/d minus sigma^2."""
    return NEVER if p.form == 0 else p.diameter * p.diameter / p.d - st.variance[0]


weighted_monitor = Monitor(MEMORY, monitor_begin, monitor_observe.replace(before_step=judge_variance, VARIANCE=used))
