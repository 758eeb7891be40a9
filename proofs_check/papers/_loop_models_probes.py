"""Steps of LOOP on a finite class of models (he2024): sufficient statistics of all losses, lemmas F1 to F5.

With u = P_m - P at a pair, V_i the target at step i and xi_i = (P V_i)(x_i) - V_i(s_{i+1}), a step adds (u V_i +
xi_i)^2 to the loss of model m and xi_i^2 to that of the truth. The difference of the two on all data is therefore, with
the memory

    W (S,A,S,S) = sum V_i V_i^T    and    C (S,A,S) = sum V_i xi_i    over the steps i at each pair,

sum over pairs of u W u^T + 2 u C, for every model: exact, and without the learner's own sums. The first part alone is
the in-sample error sum ((P_m - P) V_i)(x_i)^2 of F2 to F5. Further memory: diff (1,) that difference for the model in
play; kept (1,) the same before the last step; before (1,) the model played last.
"""

from __future__ import annotations

from proofs_check.papers._loop_monitor import monitor_with
from theorylab.kernel import kernel, log
from theorylab.learner import f8, i8
from theorylab.probe import NEVER


@kernel
def in_sample_of(p, tr, m):
    """sum ((P_m - P) V_i)(x_i)^2."""
    total = 0.0
    for s in range(p.S):
        for a in range(p.A):
            for x in range(p.S):
                left = p.models[m, s, a, x] - tr.law[s, a, x]
                for y in range(p.S):
                    total += left * tr.W[s, a, x, y] * (p.models[m, s, a, y] - tr.law[s, a, y])
    return total


@kernel
def cross_of(p, tr, m):
    """2 sum ((P_m - P) V_i)(x_i) xi_i."""
    total = 0.0
    for s in range(p.S):
        for a in range(p.A):
            for x in range(p.S):
                total += 2.0 * (p.models[m, s, a, x] - tr.law[s, a, x]) * tr.C[s, a, x]
    return total


@kernel
def refresh(st, p, tr):
    """A new model: its errors on the data before this step."""
    tr.in_sample[0] = in_sample_of(p, tr, st.played[0])
    tr.diff[0] = tr.in_sample[0] + cross_of(p, tr, st.played[0])


@kernel
def follow(st, p, tr):
    """One more target, and the differences of losses."""
    s = tr.s
    a = tr.a
    f = st.played[0]
    noise = -st.V[tr.s2]
    wrong = 0.0
    for x in range(p.S):
        noise += tr.law[s, a, x] * st.V[x]
        wrong += (p.models[f, s, a, x] - tr.law[s, a, x]) * st.V[x]
    tr.kept[0] = tr.diff[0]
    tr.diff[0] += wrong * wrong + 2.0 * wrong * noise
    for x in range(p.S):
        tr.C[s, a, x] += st.V[x] * noise
        for y in range(p.S):
            tr.W[s, a, x, y] += st.V[x] * st.V[y]
    tr.before[0] = f


monitor = monitor_with(
    refresh,
    follow,
    {"W": f8["S", "A", "S", "S"], "C": f8["S", "A", "S"], "diff": f8[1], "kept": f8[1], "before": i8[1]},
)


@kernel
def beta(st, p, tr, t):
    """Relative distance of beta from the printed formula: all lemmas, optimism only, the paper's form."""
    B = p.span
    M = 1.0 * p.M
    wanted = 9.0 * B * B * (2.0 * log(M) - log(p.delta))
    if p.form == 1:
        wanted = 0.5 * B * B * (log(M) - log(p.delta))
    if p.form == 2:
        wanted = p.constant * B * (log(1.0 * p.T) + 2.0 * log(M) - log(p.delta))
    return abs(p.beta / (p.scale * wanted) - 1.0)


@kernel
def solution(st, p, tr, t):
    """Largest |Q + J - r - P_f V| of the model in play."""
    worst = 0.0
    for s in range(p.S):
        for a in range(p.A):
            value = st.Q[s, a] + st.J[0] - tr.r_mean[s * p.A + a]
            for x in range(p.S):
                value -= p.models[st.played[0], s, a, x] * st.V[x]
            worst = max(worst, abs(value))
    return worst


@kernel
def losses(st, p, tr, t):
    """Largest relative distance of excess(m) - excess(truth) from the sufficient statistics, all models."""
    worst = 0.0
    for m in range(p.M):
        wanted = in_sample_of(p, tr, m) + cross_of(p, tr, m)
        worst = max(worst, abs(st.excess[m] - st.excess[tr.star] - wanted) / (1.0 + abs(wanted)))
    return worst


@kernel
def confidence(st, p, tr, t):
    """Excess of the model chosen minus beta."""
    return st.excess[st.played[0]] - p.beta


@kernel
def choice(st, p, tr, t):
    """Largest gain of the confidence set minus that of the model chosen."""
    worst = NEVER
    for m in range(p.M):
        if st.excess[m] <= p.beta:
            worst = max(worst, p.J_m[m] - st.J[0])
    return worst


@kernel
def trigger(st, p, tr, t):
    """4 beta minus the excess, on all data, of the model that is given up, relative to beta."""
    if t == 0:
        return NEVER
    return 4.0 - st.excess[tr.before[0]] / p.beta


@kernel
def kept(st, p, tr, t):
    """Loss of the model played minus that of the truth, on the data before this step, minus 4 beta."""
    return tr.kept[0] / p.beta - 4.0


@kernel
def bound(st, p, tr, t):
    """Loss of the model in play minus that of the truth, minus upsilon."""
    return (tr.diff[0] - st.upsilon[0]) / (1.0 + abs(tr.diff[0]))


@kernel
def spread(p):
    """B^2 ln(M/delta)."""
    return p.span * p.span * (log(1.0 * p.M) - log(p.delta))


@kernel
def truth_kept(st, p, tr, t):
    """F1: excess of the truth minus (B^2/2) ln(M/delta)."""
    return st.excess[tr.star] - 0.5 * spread(p)


@kernel
def errors_from_excess(st, p, tr, t):
    """F2: in-sample error minus 2 excess + 2 B^2 ln(M/delta), all models."""
    worst = NEVER
    for m in range(p.M):
        worst = max(worst, in_sample_of(p, tr, m) - 2.0 * st.excess[m] - 2.0 * spread(p))
    return worst


@kernel
def errors_in_play(st, p, tr, t):
    """F2 for the model in play at every step, with upsilon, which is at least its excess."""
    return tr.in_sample[0] - 2.0 * st.upsilon[0] - 2.0 * spread(p)


@kernel
def excess_from_errors(st, p, tr, t):
    """F3: excess minus 1.5 in-sample error + 1.5 B^2 ln(M^2/delta), all models."""
    iota = spread(p) + p.span * p.span * log(1.0 * p.M)
    worst = NEVER
    for m in range(p.M):
        worst = max(worst, st.excess[m] - 1.5 * in_sample_of(p, tr, m) - 1.5 * iota)
    return worst
