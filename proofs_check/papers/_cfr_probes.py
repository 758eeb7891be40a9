"""What the claims on CFR, CFR+ and predictive CFR+ measure: a second account of each iteration, and probes on it.

Iteration t = 1, 2, ... (the loop's t + 1) goes from (x_t, y_t) to (x_{t+1}, y_{t+1}). From the policies that were
played alone, the monitor computes what each player could see: player 0 the opponent's y_t, player 1 the opponent's x_t,
or x_{t+1} with the table `alternate` = 1. With v the counterfactual values then, for player p and its policy pi_t:

    r_t(I,a) = v(I,a) - <pi_t(I), v(I)>     w_t = t^power     W_T = w_1 + ... + w_T

Memory, by sequence (Q,): pi0 and pi1, x0 and x1, the policies and plans before and after the iteration; raw, payoffs
of leaves against what was seen; v; r, and r0 that of the iteration before; regret = sum_t r_t; plans = sum_t w_t x_t;
rising = sum_t (w_t - w_{t-1}) x_t, w_0 = 0; R0 and R1, the learner's R before and after; lag = sum_{t<T}
(w_{t+1} - w_t) R_t; best, work. gain (2,): what each player's change of policy earned against what it saw. sums (4,):
V0 + V1, drift = - sum_t w_t gain_0, edge, and what both best responses to `plans` earn.
"""

from __future__ import annotations

from theorylab.kernel import kernel, sqrt
from theorylab.learner import f8
from theorylab.probe import Monitor


@kernel
def plan_of(x, pi, p):
    """x = the realisation plans of pi."""
    x[0] = 1.0
    x[p.second] = 1.0
    for i in range(p.I):
        for q in range(p.seq_first[i], p.seq_first[i] + p.seq_count[i]):
            x[q] = x[p.seq_before[i]] * pi[q]


@kernel
def leaves(g, x, p):
    """g = payoffs of the leaves right after each sequence, the opponent's plan being in x."""
    for q in range(p.Q):
        g[q] = 0.0
        for k in range(p.pay_start[q], p.pay_start[q + 1]):
            g[q] += p.pay[k] * x[p.pay_column[k]]


@kernel
def fold(v, pi, p):
    """From leaves to counterfactual values under pi."""
    for n in range(p.I):
        i = p.I - 1 - n
        for q in range(p.seq_first[i], p.seq_first[i] + p.seq_count[i]):
            v[p.seq_before[i]] += pi[q] * v[q]


@kernel
def fold_best(v, p):
    """The same, under the best action everywhere."""
    for n in range(p.I):
        i = p.I - 1 - n
        top = v[p.seq_first[i]]
        for q in range(p.seq_first[i] + 1, p.seq_first[i] + p.seq_count[i]):
            top = max(top, v[q])
        v[p.seq_before[i]] += top


@kernel
def weight_of(tr, t):
    """w_t = t^power for t >= 0; 0^0 = 1 here, since the first iteration has nothing before it."""
    return 1.0 if tr.power == 0 else (t if tr.power == 1 else t * t)


@kernel
def begin(p, tr):
    """The uniform policy, which a random start replaces."""
    for q in range(p.Q):
        tr.pi1[q] = 1.0
    for i in range(p.I):
        for q in range(p.seq_first[i], p.seq_first[i] + p.seq_count[i]):
            tr.pi1[q] = 1.0 / p.seq_count[i]


@kernel
def move_on(st, p, tr, t):
    """What was after the last iteration is before this one; a random start is read off the first average."""
    if t == 0 and p.random == 1:
        for i in range(p.I):
            for q in range(p.seq_first[i], p.seq_first[i] + p.seq_count[i]):
                tr.pi1[q] = st.total[q] / st.total[p.seq_before[i]]
    for q in range(p.Q):
        tr.pi0[q] = tr.pi1[q]
        tr.pi1[q] = st.pi[q]
        tr.R0[q] = tr.R1[q]
        tr.R1[q] = st.R[q]
        tr.r0[q] = tr.r[q]
    tr.pi1[0] = 1.0
    tr.pi1[p.second] = 1.0


@kernel
def observe(st, p, tr, t):
    """The account of one iteration."""
    move_on(st, p, tr, t)
    w = weight_of(tr, t + 1.0)
    ahead = weight_of(tr, t + 2.0)
    if t == 0:
        plan_of(tr.x1, tr.pi0, p)
    for q in range(p.Q):
        tr.x0[q] = tr.x1[q]
    plan_of(tr.x1, tr.pi1, p)
    for q in range(p.Q):
        tr.best[q] = tr.x1[q] if tr.alternate == 1 and q < p.second else tr.x0[q]
    leaves(tr.raw, tr.best, p)
    tr.gain[0] = 0.0
    tr.gain[1] = 0.0
    for q in range(p.Q):
        tr.v[q] = tr.raw[q]
        tr.gain[0 if q < p.second else 1] += (tr.x1[q] - tr.x0[q]) * tr.raw[q]
        tr.plans[q] += w * tr.x0[q]
    fold(tr.v, tr.pi0, p)
    for i in range(p.I):
        mean = 0.0
        for q in range(p.seq_first[i], p.seq_first[i] + p.seq_count[i]):
            mean += tr.pi0[q] * tr.v[q]
        for q in range(p.seq_first[i], p.seq_first[i] + p.seq_count[i]):
            tr.r[q] = tr.v[q] - mean
            tr.regret[q] += tr.r[q]
    for q in range(p.Q):
        tr.best[q] = 0.0 if q == 0 or q == p.second else w * tr.R1[q] - tr.lag[q]
        tr.lag[q] += (ahead - w) * tr.R1[q]
    fold_best(tr.best, p)
    tr.sums[0] = tr.best[0] + tr.best[p.second]
    tr.sums[1] -= w * tr.gain[0]


@kernel
def observe_edge(st, p, tr, t):
    """The same, with edge = max_y sum_{s<=T} (w_s - w_{s-1}) (u_1(x_s, y) - u_1(x_{T+1}, y)), and sums[3]."""
    observe(st, p, tr, t)
    w = weight_of(tr, t + 1.0)
    before = 0.0 if t == 0 else weight_of(tr, t + 0.0)
    for q in range(p.Q):
        tr.rising[q] += (w - before) * tr.x0[q]
        tr.v[q] = tr.rising[q] - w * tr.x1[q] if q < p.second else 0.0
    leaves(tr.best, tr.v, p)
    fold_best(tr.best, p)
    tr.sums[2] = tr.best[p.second]
    leaves(tr.best, tr.plans, p)
    fold_best(tr.best, p)
    tr.sums[3] = tr.best[0] + tr.best[p.second]


MEMORY = {
    **{k: f8["Q"] for k in ("pi0", "pi1", "x0", "x1", "raw", "v", "r", "r0", "regret", "plans", "rising")},
    **{k: f8["Q"] for k in ("R0", "R1", "lag", "best")},
    "gain": f8[2],
    "sums": f8[4],
}
together = Monitor(MEMORY, begin, observe)
in_turn = Monitor(MEMORY, begin, observe_edge)


# Regret matching


@kernel
def orthogonal(st, p, tr, t):
    """Largest |<pi_t(I), R_t(I) - R_{t-1}(I)>|."""
    worst = 0.0
    for i in range(p.I):
        found = 0.0
        for q in range(p.seq_first[i], p.seq_first[i] + p.seq_count[i]):
            found += tr.pi0[q] * (tr.R1[q] - tr.R0[q])
        worst = max(worst, abs(found))
    return worst


@kernel
def increments(st, p, tr, t):
    """Largest |R_t(I,a) - R_{t-1}(I,a)| - L(I)."""
    worst = -1e300
    for i in range(p.I):
        for q in range(p.seq_first[i], p.seq_first[i] + p.seq_count[i]):
            worst = max(worst, abs(tr.R1[q] - tr.R0[q]) - tr.L[i])
    return worst


@kernel
def potential(st, p, tr, t):
    """Largest |[R_t(I)]^+|^2 - |[R_{t-1}(I)]^+|^2 - |R_t(I) - R_{t-1}(I)|^2."""
    worst = -1e300
    for i in range(p.I):
        found = 0.0
        for q in range(p.seq_first[i], p.seq_first[i] + p.seq_count[i]):
            new = max(tr.R1[q], 0.0)
            old = max(tr.R0[q], 0.0)
            found += new * new - old * old - (tr.R1[q] - tr.R0[q]) * (tr.R1[q] - tr.R0[q])
        worst = max(worst, found)
    return worst


@kernel
def immediate(st, p, tr, t):
    """Largest sum_t r_t(I,a) - B(I) sqrt(T), of the policies that were played."""
    worst = -1e300
    root = sqrt(t + 1.0)
    for i in range(p.I):
        for q in range(p.seq_first[i], p.seq_first[i] + p.seq_count[i]):
            worst = max(worst, tr.regret[q] - tr.B[i] * root)
    return worst


@kernel
def regrets(st, p, tr, t):
    """Largest difference of R and sum_t r_t."""
    worst = 0.0
    for i in range(p.I):
        for q in range(p.seq_first[i], p.seq_first[i] + p.seq_count[i]):
            worst = max(worst, abs(st.R[q] - tr.regret[q]))
    return worst


@kernel
def theorem_3(st, p, tr, t):
    """2 T exploitability minus sum_I [max_a R_T(I,a)]^+, over T."""
    total = 0.0
    for i in range(p.I):
        top = 0.0
        for q in range(p.seq_first[i], p.seq_first[i] + p.seq_count[i]):
            top = max(top, st.R[q])
        total += top
    return 2.0 * tr.exploitability - total / (t + 1.0)


@kernel
def decomposition(st, p, tr, t):
    """|2 exploitability - (V0 + V1) / T|."""
    return abs(2.0 * tr.exploitability - tr.sums[0] / (t + 1.0))


# Averages


@kernel
def mass_of(tr, t):
    """W_T."""
    T = t + 1.0
    if tr.power == 0:
        return T
    return T * (T + 1.0) / 2.0 if tr.power == 1 else T * (T + 1.0) * (2.0 * T + 1.0) / 6.0


@kernel
def average(st, p, tr, t):
    """Largest difference of the learner's sum of plans and sum_t w_t x_t, over W_T."""
    worst = 0.0
    for q in range(p.Q):
        worst = max(worst, abs(st.total[q] - tr.plans[q]))
    return worst / mass_of(tr, t)


@kernel
def stands_for(st, p, tr, t):
    """|2 exploitability - what both best responses to sum_t w_t x_t / W_T earn| (zero-sum: the values cancel)."""
    return abs(2.0 * tr.exploitability - tr.sums[3] / mass_of(tr, t))


# Regret matching+ and its predictive form


@kernel
def nonnegative(st, p, tr, t):
    """Minus the smallest R."""
    worst = -1e300
    for q in range(p.Q):
        worst = max(worst, -st.R[q])
    return worst


@kernel
def dominates(st, p, tr, t):
    """Largest R_{t-1} + r_t - R_t."""
    worst = -1e300
    for i in range(p.I):
        for q in range(p.seq_first[i], p.seq_first[i] + p.seq_count[i]):
            worst = max(worst, tr.R0[q] + tr.r[q] - tr.R1[q])
    return worst


@kernel
def plain(st, p, tr, t):
    """Largest sum_t r_t - R_T."""
    worst = -1e300
    for i in range(p.I):
        for q in range(p.seq_first[i], p.seq_first[i] + p.seq_count[i]):
            worst = max(worst, tr.regret[q] - st.R[q])
    return worst


@kernel
def predictive_potential(st, p, tr, t):
    """Largest |R_t|^2 - |R_{t-1}|^2 - |r_t - m_t|^2 + |[R_{t-1} + m_t]^+ - R_{t-1}|^2, m_t = prediction r_{t-1}."""
    worst = -1e300
    for i in range(p.I):
        found = 0.0
        for q in range(p.seq_first[i], p.seq_first[i] + p.seq_count[i]):
            guess = tr.prediction * tr.r0[q]
            moved = max(0.0, tr.R0[q] + guess) - tr.R0[q]
            error = tr.r[q] - guess
            found += tr.R1[q] * tr.R1[q] - tr.R0[q] * tr.R0[q] - error * error + moved * moved
        worst = max(worst, found)
    return worst


@kernel
def norm(st, p, tr, t):
    """Largest |R_T(I)| - B(I) sqrt(T), or with a prediction B(I) sqrt(4 T - 3)."""
    worst = -1e300
    root = sqrt(4.0 * t + 1.0) if tr.prediction == 1 else sqrt(t + 1.0)
    for i in range(p.I):
        square = 0.0
        for q in range(p.seq_first[i], p.seq_first[i] + p.seq_count[i]):
            square += st.R[q] * st.R[q]
        worst = max(worst, sqrt(square) - tr.B[i] * root)
    return worst


@kernel
def improvement(st, p, tr, t):
    """The larger loss of the two players' changes of policy, each against what it saw."""
    return -min(tr.gain[0], tr.gain[1])


@kernel
def folk(st, p, tr, t):
    """exploitability - (V0 + V1 + drift + edge) / (2 W_T)."""
    return tr.exploitability - (tr.sums[0] + tr.sums[1] + tr.sums[2]) / (2.0 * mass_of(tr, t))


@kernel
def after_the_run(st, p, tr, t):
    """exploitability - (w_T sqrt(4 T - 3) tr.heaviest + drift + w_T Delta) / (2 W_T)."""
    w = weight_of(tr, t + 1.0)
    total = w * sqrt(4.0 * t + 1.0) * tr.heaviest + max(0.0, tr.sums[1]) + w * tr.Delta
    return tr.exploitability - total / (2.0 * mass_of(tr, t))
