"""Steps of MLE-LOOP (he2024) on finite classes: likelihoods, lemmas M1 to M6.

Tables: distance, hellinger (M,S,A) = TV and D_H^2 = 1 - sum sqrt(P_m P) between model and truth; logs_true (M,S,A,S)
logarithms of the class, REMOVED where a probability is zero; star the index of the truth; beta0 = ln(M/delta). For any
beta > 0, w.p. >= 1 - 2 delta [derived; at beta = 3 beta0 the constants are those of the notes: 1.29, 0.82, 2.18 -
1.29]:

    M2  sum D_H^2(P_m, P)(x_i) <= (max loglik - loglik(m)) / 2 + beta0 for every model, so that, as TV^2 <= 2 D_H^2,
    M3  sum TV(P_m, P) <= sqrt((beta + 2 beta0) t) for members of the set, sqrt(2 beta0 t) for the most likely model,
    M5  sum TV(P_f, P) <= (3 sqrt(beta) + sqrt(2 beta0)) sqrt(t) while f is retained,
    M6  an epoch that ends at t adds (3 sqrt(beta) - sqrt(2 beta0) - sqrt(beta + 2 beta0)) sqrt(t) or more to that sum.

Memory beside the shared one: moves (S,A,S) transitions; tv_sum (1,) sum over the data of TV(P_f, P), kept (1,) the same
before the last step, tv_epoch (1,) its part since the last switch, tv_total (1,) sum over i of TV(P_{f_i}, P)(x_i);
last (1,) upsilon after the step and was (1,) before it, -1 where the model is new.
"""

from __future__ import annotations

from proofs_check.papers._loop_monitor import monitor_with, refresh_values
from proofs_check.papers._loop_probes import realisation_bound
from theorylab.kernel import kernel, log, sqrt
from theorylab.learner import f8, i8
from theorylab.probe import NEVER


@kernel
def refresh(st, p, tr):
    """A new model: its errors on the data before this step."""
    refresh_values(st, p, tr)
    total = 0.0
    for s in range(p.S):
        for a in range(p.A):
            total += tr.visits[s, a] * tr.distance[st.played[0], s, a]
    tr.tv_sum[0] = total - tr.distance[st.played[0], tr.s, tr.a]
    tr.tv_epoch[0] = 0.0
    tr.last[0] = -1.0


@kernel
def follow(st, p, tr):
    """One more transition."""
    far = tr.distance[st.played[0], tr.s, tr.a]
    tr.moves[tr.s, tr.a, tr.s2] += 1
    tr.kept[0] = tr.tv_sum[0]
    tr.tv_sum[0] += far
    tr.tv_epoch[0] += far
    tr.tv_total[0] += far
    tr.was[0] = tr.last[0]
    tr.last[0] = st.upsilon[0]


monitor = monitor_with(
    refresh,
    follow,
    {"moves": i8["S", "A", "S"], **dict.fromkeys(("tv_sum", "kept", "tv_epoch", "tv_total", "last", "was"), f8[1])},
)


@kernel
def beta(st, p, tr, t):
    """Relative distance of beta from the printed formula: all lemmas, optimism only, the paper's form."""
    wanted = log(1.0 * p.M) - log(p.delta)
    if p.form == 0:
        wanted *= 3.0
    if p.form == 2:
        wanted = p.constant * (wanted + log(1.0 * p.T))
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
def likelihoods(st, p, tr, t):
    """Largest distance of a log-likelihood from that of the transitions; models that the data exclude must be
    removed.
    """
    worst = 0.0
    for m in range(p.M):
        wanted = 0.0
        for s in range(p.S):
            for a in range(p.A):
                for x in range(p.S):
                    if tr.moves[s, a, x] > 0:
                        wanted += tr.moves[s, a, x] * tr.logs_true[m, s, a, x]
        if wanted <= p.removed:
            worst = max(worst, 1.0 if st.loglik[m] > p.removed else 0.0)
        else:
            worst = max(worst, abs(st.loglik[m] - wanted) / (1.0 + abs(wanted)))
    return worst


@kernel
def likeliest(st, p, tr, t):
    """Largest log-likelihood minus that of the model held for the most likely one."""
    worst = NEVER
    for m in range(p.M):
        worst = max(worst, st.loglik[m] - st.loglik[st.mle[0]])
    return worst


@kernel
def distances(st, p, tr, t):
    """Distance of upsilon from the sum over the data of TV between the two models, for each step."""
    total = 0.0
    for s in range(p.S):
        for a in range(p.A):
            for x in range(p.S):
                total += 0.5 * tr.visits[s, a] * abs(p.models[st.played[0], s, a, x] - p.models[st.mle[0], s, a, x])
    return abs(st.upsilon[0] - total) / (t + 1.0)


@kernel
def confidence(st, p, tr, t):
    """Largest log-likelihood minus that of the model chosen, minus beta."""
    return st.loglik[st.mle[0]] - st.loglik[st.played[0]] - p.beta


@kernel
def choice(st, p, tr, t):
    """Largest gain of the confidence set minus that of the model chosen."""
    worst = NEVER
    for m in range(p.M):
        if st.loglik[m] >= st.loglik[st.mle[0]] - p.beta:
            worst = max(worst, p.J_m[m] - st.J[0])
    return worst


@kernel
def trigger(st, p, tr, t):
    """3 sqrt(beta t) minus upsilon, where a model is given up; t from 1."""
    if t == 0:
        return NEVER
    return 3.0 * sqrt(p.beta * (t + 1.0)) - tr.last[0]


@kernel
def retained(st, p, tr, t):
    """upsilon minus 3 sqrt(beta t), where a model is retained; t from 1."""
    if tr.was[0] < 0.0:
        return NEVER
    return tr.was[0] - 3.0 * sqrt(p.beta * (t + 1.0))


@kernel
def truth_likely(st, p, tr, t):
    """M1: largest log-likelihood minus that of the truth, minus ln(M/delta)."""
    return st.loglik[st.mle[0]] - st.loglik[tr.star] - tr.beta0


@kernel
def hellinger(st, p, tr, t):
    """M2: sum of D_H^2 minus half the likelihood gap + beta0, all models that the data do not exclude."""
    worst = NEVER
    for m in range(p.M):
        if st.loglik[m] > p.removed:
            total = 0.0
            for s in range(p.S):
                for a in range(p.A):
                    total += tr.visits[s, a] * tr.hellinger[m, s, a]
            worst = max(worst, total - 0.5 * (st.loglik[st.mle[0]] - st.loglik[m]) - tr.beta0)
    return worst


@kernel
def far_from_truth(p, tr, m):
    """Sum over the data of TV(P_m, P)."""
    total = 0.0
    for s in range(p.S):
        for a in range(p.A):
            total += tr.visits[s, a] * tr.distance[m, s, a]
    return total


@kernel
def members(st, p, tr, t):
    """M3: sum TV of every member of the set minus sqrt((beta + 2 beta0) t), t steps so far."""
    worst = NEVER
    for m in range(p.M):
        if st.loglik[m] >= st.loglik[st.mle[0]] - p.beta:
            worst = max(worst, far_from_truth(p, tr, m) - sqrt((p.beta + 2.0 * tr.beta0) * t))
    return worst


@kernel
def likeliest_close(st, p, tr, t):
    """M3: sum TV of the most likely model minus sqrt(2 beta0 t)."""
    return far_from_truth(p, tr, st.mle[0]) - sqrt(2.0 * tr.beta0 * (t + 1.0))


@kernel
def error_by_distance(st, p, tr, t):
    """M4: largest |E(f)| - span(V) TV(P_f, P), all pairs."""
    low = st.V[0]
    high = st.V[0]
    for s in range(1, p.S):
        low = min(low, st.V[s])
        high = max(high, st.V[s])
    worst = NEVER
    for s in range(p.S):
        for a in range(p.A):
            value = st.Q[s, a] + st.J[0] - tr.r_mean[s * p.A + a]
            for x in range(p.S):
                value -= tr.law[s, a, x] * st.V[x]
            worst = max(worst, abs(value) - (high - low) * tr.distance[st.played[0], s, a])
    return worst


@kernel
def close_while_retained(st, p, tr, t):
    """M5: sum TV of the model in play on the data before this step minus (3 sqrt(beta) + sqrt(2 beta0)) sqrt(t), t
    from 1.
    """
    return tr.kept[0] - (3.0 * sqrt(p.beta) + sqrt(2.0 * tr.beta0)) * sqrt(t + 1.0)


@kernel
def epoch_adds(st, p, tr, t):
    """M6: what the epoch that ends must have added to sum TV, minus what it has; t from 1."""
    rate = 3.0 * sqrt(p.beta) - sqrt(2.0 * tr.beta0) - sqrt(p.beta + 2.0 * tr.beta0)
    if t == 0 or rate <= 0.0:
        return NEVER
    return rate * sqrt(t + 1.0) - tr.tv_epoch[0]


@kernel
def by_distance(st, p, tr, t):
    """Regret minus B sum TV(P_f, P)(x_i) and the bound of L3: M4 and L1 to L3 in the quantities of the run."""
    return tr.regret - p.span * tr.tv_total[0] - realisation_bound(p, st.switches[0], 1.0 * p.T)
