"""Probes of the steps of linear Thompson sampling (abeille2017): the law of the draws, and what optimism costs.

The draw is whitened with the monitor's own factor: g = L^T (theta~ - theta_hat) / beta, V = L L^T, beta by the printed
formula from a table. If the learner is right, g is standard normal given the past, whatever root of V^-1 it uses: L^T M
is orthogonal. So sums of squares of g along fixed unit directions over the rounds have chi-square laws, exactly.
"""

from __future__ import annotations

from proofs_check.papers import _linear_bandit_probes as shared
from proofs_check.papers._linear_bandit_probes import congruence, monitor_begin, monitor_observe
from theorylab.kernel import dot, kernel, sqrt
from theorylab.learner import f8
from theorylab.probe import NEVER, Monitor


@kernel
def thompson_begin(p, tr):
    """Nothing drawn yet."""
    monitor_begin(p, tr)
    tr.shortfall[0] = 0.0


@kernel
def thompson_observe(st, p, tr, t):
    """The whitened draw of this round, its squares along e_i and (e_i +- e_j)/sqrt(2), and the count of optimism."""
    monitor_observe(st, p, tr, t)
    for i in range(p.d):
        side = 0.0
        for k in range(i, p.d):
            side += tr.lower_at[k, i] * (st.sample[k] - tr.theta_at[k])
        tr.g[i] = side / tr.beta_of[t]
        tr.drawn[i] += tr.g[i]
    for i in range(p.d):
        for j in range(p.d):
            along = tr.g[i]
            if i > j:
                along = (tr.g[i] + tr.g[j]) * tr.half_root
            elif i < j:
                along = (tr.g[i] - tr.g[j]) * tr.half_root
            tr.squares[i, j] += along * along
    top = st.value[0]
    for a in range(1, p.A):
        top = max(top, st.value[a])
    tr.top[0] = top
    if tr.outside_at[0] + tr.beta_at[0] <= tr.beta_of[t]:
        tr.shortfall[0] += tr.anti - (1.0 if top >= tr.best_mean else 0.0)


monitor = Monitor(
    shared.MEMORY | dict(g=f8["d"], drawn=f8["d"], squares=f8["d", "d"], top=f8[1], shortfall=f8[1]),
    thompson_begin,
    thompson_observe,
)


@kernel
def root(st, p, tr, t):
    """Largest entry of |M^T V M - I| with the exact V: M M^T = V^-1."""
    return congruence(st.root, tr.gram, p.d)


@kernel
def length(st, p, tr, t):
    """| ||theta~ - theta_hat||_V - beta ||eta|| |, at the decision, beta the learner's."""
    drawn = sqrt(dot(tr.g, tr.g, p.d)) * tr.beta_of[t]
    return abs(drawn - tr.beta_at[0] * sqrt(dot(st.eta, st.eta, p.d)))


@kernel
def inflation(st, p, tr, t):
    """Distance of beta from its printed formula at the next decision."""
    return abs(st.beta[0] - tr.beta_of[t + 1])


@kernel
def greedy(st, p, tr, t):
    """Largest <x, theta~> minus that of the arm played, or 1 where a lower arm has the same."""
    played = dot(tr.x[tr.a], st.sample, p.d)
    worst = NEVER
    for a in range(p.A):
        value = dot(tr.x[a], st.sample, p.d)
        worst = max(worst, value - played)
        if a < tr.a and value == played:
            worst = 1.0
    return worst


@kernel
def covariance(st, p, tr, t):
    """Largest excess of a sum of squares over its upper quantile, or of the lower quantile over it, in units of T."""
    worst = NEVER
    for i in range(p.d):
        for j in range(p.d):
            worst = max(worst, max(tr.squares[i, j] - tr.square_high, tr.square_low - tr.squares[i, j]))
    return worst / t


@kernel
def centre(st, p, tr, t):
    """Largest |sum of g_i| minus its quantile, over sqrt(T)."""
    worst = 0.0
    for i in range(p.d):
        worst = max(worst, abs(tr.drawn[i]))
    return worst / sqrt(float(t)) - tr.mean_high


@kernel
def concentration(st, p, tr, t):
    """||theta~ - theta_hat||_V minus gamma, at the decision."""
    return (sqrt(dot(tr.g, tr.g, p.d)) - tr.ratio) * tr.beta_of[t]


@kernel
def optimism(st, p, tr, t):
    """p times the rounds with theta in the ellipsoid, minus those of them with an optimistic draw, minus the margin."""
    return tr.shortfall[0] - tr.margin


@kernel
def instant(st, p, tr, t):
    """Gap - (J(theta) - J(theta~)) - (beta + gamma) ||x||_{V^-1} of the arm played, on both events at the decision."""
    if dot(tr.g, tr.g, p.d) > tr.ratio * tr.ratio:
        return NEVER
    if tr.outside_at[0] + tr.beta_at[0] > tr.beta_of[t]:
        return NEVER
    width = sqrt(tr.square_at[tr.a])
    return tr.gap[tr.a] - (tr.best_mean - tr.top[0]) - (1.0 + tr.ratio) * tr.beta_of[t] * width
