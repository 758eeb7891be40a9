"""Probes of gamma-LSCVI-UCB and gamma-UCB-CVI (hong2025), and of regressions on phi that OLSVI.FH (wei2021) shares.

`st` is the learner's state, `tr` the truth record of the average-reward loop with the table Q_best (S,A), the optimal
discounted Q; values are lhs - rhs. Monitors add up matrices and counts of their own from the steps that the environment
served.
"""

from __future__ import annotations

from theorylab.kernel import (
    cholesky,
    dot,
    invert_factor,
    kernel,
    log,
    log_det_factor,
    quadratic,
    sqrt,
)
from theorylab.learner import f8, i8
from theorylab.probe import NEVER, Monitor

LN2 = 0.69314718055994530942


# Both algorithms: discounted values with a clipped span


@kernel
def ahead_of(p, tr, values, s, a):
    """(P values)(s,a) with the true kernel."""
    row = s * p.A + a
    total = 0.0
    for j in range(tr.width):
        total += tr.prob[row, j] * values[tr.succ[row, j]]
    return total


@kernel
def optimism(st, p, tr, t):
    """Largest excess of the optimal discounted Q over Q."""
    worst = NEVER
    for s in range(p.S):
        for a in range(p.A):
            worst = max(worst, tr.Q_best[s, a] - st.Q[s, a])
    return worst


@kernel
def best_of(st, p, s):
    """max_a Q(s,a)."""
    top = st.Q[s, 0]
    for a in range(1, p.A):
        top = max(top, st.Q[s, a])
    return top


@kernel
def clip(st, p, tr, t):
    """Largest distance of V from min(max_a Q, min_s max_a Q + 2 span)."""
    low = best_of(st, p, 0)
    for s in range(1, p.S):
        low = min(low, best_of(st, p, s))
    worst = 0.0
    for s in range(p.S):
        worst = max(worst, abs(st.V[s] - min(best_of(st, p, s), low + 2.0 * p.span)))
    return worst


@kernel
def clipped_span(st, p, tr, t):
    """Span of V minus 2 span."""
    low = st.V[0]
    high = st.V[0]
    for s in range(1, p.S):
        low = min(low, st.V[s])
        high = max(high, st.V[s])
    return high - low - 2.0 * p.span


@kernel
def top(st, p, tr, t):
    """Largest Q minus 1/(1 - gamma), gamma = 1 - 1/sqrt(T)."""
    worst = NEVER
    for s in range(p.S):
        worst = max(worst, best_of(st, p, s) - sqrt(float(p.T)))
    return worst


@kernel
def discount(st, p, tr, t):
    """|(1 - gamma) sqrt(T) - 1|, gamma the discount that the learner uses."""
    return abs((1.0 - p.discount) * sqrt(float(p.T)) - 1.0)


# gamma-UCB-CVI


@kernel
def cvi_beta(p):
    """scale span sqrt(2 (S ln 2 + ln(S A T/delta)))."""
    return p.scale * p.span * sqrt(2.0 * (p.S * LN2 + log(float(p.S) * p.A * p.T / p.delta)))


@kernel
def cvi_estimate(p, tr, s, a):
    """p_hat V of a visited pair, with the V of before the step."""
    total = 0.0
    for s2 in range(p.S):
        total += tr.seen[s, a, s2] * tr.V_old[s2]
    return total / tr.visits[s, a]


@kernel
def cvi_excess(p, tr, s, a):
    """|(p_hat - P) V| minus beta/sqrt(N) of a visited pair."""
    error = abs(cvi_estimate(p, tr, s, a) - ahead_of(p, tr, tr.V_old, s, a))
    return error - cvi_beta(p) / sqrt(float(tr.visits[s, a]))


@kernel
def cvi_confidence(st, p, tr, t):
    """Largest excess over visited pairs, with the learner's own counts."""
    worst = NEVER
    for s in range(p.S):
        for a in range(p.A):
            if st.N[s, a] > 0:
                n = float(st.N[s, a])
                total = 0.0
                for s2 in range(p.S):
                    total += st.moves[s, a, s2] * tr.V_old[s2]
                error = abs(total / n - ahead_of(p, tr, tr.V_old, s, a))
                worst = max(worst, error - cvi_beta(p) / sqrt(n))
    return worst


@kernel
def cvi_overshoot(st, p, tr, t):
    """Where a pair's error is within its bonus: largest Q - (r + gamma (P V + 2 beta/sqrt(N)))."""
    gamma = 1.0 - 1.0 / sqrt(float(p.T))
    worst = NEVER
    for s in range(p.S):
        for a in range(p.A):
            if tr.visits[s, a] > 0 and cvi_excess(p, tr, s, a) <= 0.0:
                room = ahead_of(p, tr, tr.V_old, s, a) + 2.0 * cvi_beta(p) / sqrt(float(tr.visits[s, a]))
                worst = max(worst, st.Q[s, a] - p.r[s, a] - gamma * room)
    return worst


@kernel
def cvi_formula(st, p, tr, t):
    """Largest distance of Q from min(Q of before, r + gamma (p_hat V + beta/sqrt(N))), or the top before any visit."""
    gamma = 1.0 - 1.0 / sqrt(float(p.T))
    worst = 0.0
    for s in range(p.S):
        for a in range(p.A):
            wanted = 1.0 / (1.0 - gamma)
            if tr.visits[s, a] > 0:
                bonus = cvi_beta(p) / sqrt(float(tr.visits[s, a]))
                wanted = min(tr.Q_old[s, a], p.r[s, a] + gamma * (cvi_estimate(p, tr, s, a) + bonus))
            worst = max(worst, abs(st.Q[s, a] - wanted))
    return worst


@kernel
def cvi_monotone(st, p, tr, t):
    """Largest rise of an entry of Q."""
    worst = NEVER
    for s in range(p.S):
        for a in range(p.A):
            worst = max(worst, st.Q[s, a] - tr.Q_old[s, a])
    return worst


@kernel
def cvi_counts(st, p, tr, t):
    """Visits and transitions of the pair just played, against the environment's."""
    error = abs(float(st.N[tr.s, tr.a] - tr.visits[tr.s, tr.a]))
    for s2 in range(p.S):
        error = max(error, abs(float(st.moves[tr.s, tr.a, s2] - tr.seen[tr.s, tr.a, s2])))
    return error


@kernel
def cvi_greedy(st, p, tr, t):
    """Largest Q of before the step in the state left, minus that of the action played."""
    high = tr.Q_old[tr.s, 0]
    for a in range(1, p.A):
        high = max(high, tr.Q_old[tr.s, a])
    return high - tr.Q_old[tr.s, tr.a]


@kernel
def cvi_begin(p, tr):
    """Everything at 1/(1 - gamma)."""
    for s in range(p.S):
        tr.V_now[s] = p.top
        for a in range(p.A):
            tr.Q_now[s, a] = p.top


@kernel
def cvi_observe(st, p, tr, t):
    """The transition, and the values of before and after."""
    tr.seen[tr.s, tr.a, tr.s2] += 1
    for s in range(p.S):
        tr.V_old[s] = tr.V_now[s]
        tr.V_now[s] = st.V[s]
        for a in range(p.A):
            tr.Q_old[s, a] = tr.Q_now[s, a]
            tr.Q_now[s, a] = st.Q[s, a]


PAIRS = f8["S", "A"]
cvi_monitor = Monitor(
    {"seen": i8["S", "A", "S"], "Q_old": PAIRS, "Q_now": PAIRS, "V_old": f8["S"], "V_now": f8["S"]},
    cvi_begin,
    cvi_observe,
)


# Regressions on phi: gamma-LSCVI-UCB and OLSVI.FH


@kernel
def norm_of(p, tr, s, a):
    """|phi(s,a)| in the monitor's Lambda^{-1}."""
    return sqrt(max(0.0, quadratic(tr.own_inv, p.phi[s, a], p.d)))


@kernel
def inverse(st, p, tr, t):
    """Largest entry of |Lam_inv Lambda - I|, Lambda the monitor's, and distance of a width from its own."""
    worst = 0.0
    for i in range(p.d):
        for j in range(p.d):
            entry = dot(st.Lam_inv[i], tr.gram[j], p.d)
            worst = max(worst, abs(entry - 1.0) if i == j else abs(entry))
    for s in range(p.S):
        for a in range(p.A):
            worst = max(worst, abs(st.width[s * p.A + a] - norm_of(p, tr, s, a) * norm_of(p, tr, s, a)))
    return worst


@kernel
def determinant(st, p, tr, t):
    """|log_det - ln det(Lambda / lam)|."""
    return abs(st.log_det[0] - tr.own_log_det[0])


@kernel
def potential(st, p, tr, t):
    """Sum of min(1, |phi|^2), each in the learner's matrix before its own step, minus 2 ln det(Lambda / lam)."""
    return tr.spent[0] - 2.0 * tr.own_log_det[0]


@kernel
def trigger(st, p, tr, t):
    """ln det Lambda before the step minus that of the plan and ln 2."""
    return tr.log_det_before[0] - tr.log_det_start[0] - LN2


@kernel
def widths_kept(st, p, tr, t):
    """|phi|^2 of the step in the matrix of the plan minus twice that in the matrix before the step."""
    return tr.width_plan[0] - 2.0 * tr.width_now[0]


@kernel
def switches(st, p, tr, t):
    """Plans so far minus 1 + log2(det Lambda / lam^d), Lambda before the step."""
    return tr.epochs - 1.0 - tr.log_det_before[0] / LN2


@kernel
def data_begin(p, tr):
    """Lambda = lam I."""
    for i in range(p.d):
        tr.gram[i, i] = p.lam
        tr.own_inv[i, i] = 1.0 / p.lam
        tr.kept[i, i] = 1.0 / p.lam


@kernel
def data_observe(st, p, tr, t):
    """Judge the step by the matrices before it, then add it; `kept` is the learner's inverse."""
    if tr.epochs > tr.known[0]:
        tr.known[0] = tr.epochs
        tr.log_det_start[0] = tr.own_log_det[0]
        for i in range(p.d):
            for j in range(p.d):
                tr.plan_inv[i, j] = tr.own_inv[i, j]
    tr.log_det_before[0] = tr.own_log_det[0]
    tr.width_now[0] = quadratic(tr.own_inv, p.phi[tr.s, tr.a], p.d)
    tr.width_plan[0] = quadratic(tr.plan_inv, p.phi[tr.s, tr.a], p.d)
    tr.spent[0] += min(1.0, quadratic(tr.kept, p.phi[tr.s, tr.a], p.d))
    for i in range(p.d):
        x = p.phi[tr.s, tr.a, i]
        tr.own_after[tr.s2, i] += x
        tr.own_paid[i] += x * tr.r
        for j in range(p.d):
            tr.gram[i, j] += x * p.phi[tr.s, tr.a, j]
    if cholesky(tr.gram, tr.lower, p.d):
        invert_factor(tr.lower, tr.own_inv, tr.column, p.d)
        tr.own_log_det[0] = log_det_factor(tr.lower, p.d) - p.d * log(p.lam)
    for i in range(p.d):
        for j in range(p.d):
            tr.kept[i, j] = st.Lam_inv[i, j]


MATRIX = f8["d", "d"]
data_monitor = Monitor(
    {
        "gram": MATRIX, "own_inv": MATRIX, "kept": MATRIX, "plan_inv": MATRIX, "lower": MATRIX, "column": f8["d"],
        "own_after": f8["S", "d"], "own_paid": f8["d"], "own_log_det": f8[1], "spent": f8[1], "log_det_before": f8[1],
        "log_det_start": f8[1], "known": i8[1], "width_now": f8[1], "width_plan": f8[1],
    },
    data_begin,
    data_observe,
)  # fmt: skip


# gamma-LSCVI-UCB alone


@kernel
def beta_of(p):
    """scale c span d sqrt(ln(d T/delta))."""
    return p.scale * p.c * p.span * p.d * sqrt(log(p.d * float(p.T) / p.delta))


@kernel
def betas(st, p, tr, t):
    """Distance of beta from its formula."""
    return abs(p.beta - beta_of(p))


@kernel
def lowest(st, p):
    """min of the values of the last backup."""
    low = st.ahead[0]
    for s in range(1, p.S):
        low = min(low, st.ahead[s])
    return low


@kernel
def normal_equations(st, p, tr, t):
    """Largest |Lambda w - sum phi (V'(s') - min V')| over 1 + t, with the monitor's sums."""
    low = lowest(st, p)
    worst = 0.0
    for i in range(p.d):
        wanted = 0.0
        for s2 in range(p.S):
            wanted += tr.own_after[s2, i] * (st.ahead[s2] - low)
        worst = max(worst, abs(dot(tr.gram[i], st.w, p.d) - wanted) / (1.0 + t))
    return worst


@kernel
def pair_excess(st, p, tr, s, a):
    """|<phi,w> + min V' - P V'| minus beta |phi|."""
    error = abs(dot(p.phi[s, a], st.w, p.d) + lowest(st, p) - ahead_of(p, tr, st.ahead, s, a))
    return error - beta_of(p) * norm_of(p, tr, s, a)


@kernel
def confidence(st, p, tr, t):
    """Largest excess over all pairs."""
    worst = NEVER
    for s in range(p.S):
        for a in range(p.A):
            worst = max(worst, pair_excess(st, p, tr, s, a))
    return worst


@kernel
def overshoot(st, p, tr, t):
    """Where a pair's error is within its bonus: largest Q - (r + gamma (P V' + 2 beta |phi|))."""
    gamma = 1.0 - 1.0 / sqrt(float(p.T))
    worst = NEVER
    for s in range(p.S):
        for a in range(p.A):
            if pair_excess(st, p, tr, s, a) <= 0.0:
                room = ahead_of(p, tr, st.ahead, s, a) + 2.0 * beta_of(p) * norm_of(p, tr, s, a)
                worst = max(worst, st.Q[s, a] - p.r[s, a] - gamma * room)
    return worst


@kernel
def formula(st, p, tr, t):
    """Largest Q - (r + gamma (<phi,w> + min V' + beta |phi|))."""
    gamma = 1.0 - 1.0 / sqrt(float(p.T))
    worst = NEVER
    for s in range(p.S):
        for a in range(p.A):
            value = dot(p.phi[s, a], st.w, p.d) + lowest(st, p) + beta_of(p) * norm_of(p, tr, s, a)
            worst = max(worst, st.Q[s, a] - p.r[s, a] - gamma * value)
    return worst


@kernel
def settled(st, p, tr, t):
    """Largest fall of V in the last backup minus 1/sqrt(T), and largest rise."""
    worst = NEVER
    for s in range(p.S):
        fall = st.ahead[s] - st.V[s]
        worst = max(worst, max(fall - 1.0 / sqrt(float(p.T)), -fall))
    return worst


@kernel
def planned(st, p, tr, t):
    """Largest Q of any action minus that of the planned one."""
    worst = 0.0
    for s in range(p.S):
        worst = max(worst, best_of(st, p, s) - st.Q[s, st.pi[s]])
    return worst


@kernel
def played(st, p, tr, t):
    """Whether the action played is the plan's (0 or 1)."""
    return 0.0 if tr.a == st.pi[tr.s] else 1.0
