"""Probes of the steps of OFUL (abbasi2011): what the radius promises, and that the learner keeps what it says."""

from __future__ import annotations

from proofs_check.papers._linear_bandit_probes import congruence
from theorylab.kernel import dot, kernel, log, sqrt
from theorylab.probe import NEVER


@kernel
def inverse(st, p, tr, t):
    """Largest entry of |L^T V_inv L - I| with the exact V = L L^T: the relative error of every ||x||_{V^-1}^2."""
    return congruence(tr.lower, st.V_inv, p.d)


@kernel
def determinant(st, p, tr, t):
    """|ln det V_{t+1} - ln det V_t - ln(1 + ||x||^2_{V_t^-1})|: the learner's determinant, the monitor's others."""
    return abs(st.log_det[0] - tr.growth_at[0] - log(1.0 + tr.square_at[tr.a]))


@kernel
def trace(st, p, tr, t):
    """ln(det V / lam^d) - d ln(1 + n L^2 / (lam d)), the learner's determinant."""
    return st.log_det[0] - tr.trace_of[t + 1]


@kernel
def potential(st, p, tr, t):
    """sum min(1, ||x||^2_{V^-1}) at the decisions minus 2 ln(det V / lam^d), the learner's determinant."""
    return tr.potential[0] - 2.0 * st.log_det[0]


@kernel
def widths(st, p, tr, t):
    """Largest relative error of ||x_a||^2_{V^-1}, and largest error of <x_a, theta_hat>, over the arms."""
    worst = 0.0
    for a in range(p.A):
        if st.square[a] != tr.square[a]:  # equal for an arm of zeros
            worst = max(worst, abs(st.square[a] / tr.square[a] - 1.0))
        worst = max(worst, abs(st.mean[a] - dot(tr.x[a], st.theta, p.d)))
    return worst


@kernel
def radius(st, p, tr, t):
    """Distance of the radius from its printed formula, by the monitor's determinant where the table has -1."""
    printed = tr.radius_of[t + 1]
    if printed < 0.0:
        printed = p.scale * (tr.noise_sd * sqrt(tr.two_log + tr.growth[0]) + tr.bias)
    return abs(st.beta[0] - printed)


@kernel
def index(st, p, tr, t):
    """Largest distance of an index from <x_a, theta_hat> + beta ||x_a||_{V^-1}, the norm from the exact V."""
    worst = 0.0
    for a in range(p.A):
        ucb = dot(tr.x[a], tr.theta_at, p.d) + tr.beta_at[0] * sqrt(tr.square_at[a])
        worst = max(worst, abs(st.ucb[a] - ucb))
    return worst


@kernel
def greedy(st, p, tr, t):
    """Largest index minus that of the arm played, or 1 where a lower arm has the same."""
    played = st.ucb[tr.a]
    worst = NEVER
    for a in range(p.A):
        worst = max(worst, st.ucb[a] - played)
        if a < tr.a and st.ucb[a] == played:
            worst = 1.0
    return worst


@kernel
def optimism(st, p, tr, t):
    """Best mean minus the largest index."""
    top = st.ucb[0]
    for a in range(1, p.A):
        top = max(top, st.ucb[a])
    return tr.best_mean - top


@kernel
def optimism_inside(st, p, tr, t):
    """Largest <x_a, theta> minus the arm's index where theta is in the ellipsoid of the decision."""
    worst = NEVER
    if tr.outside_at[0] <= 0.0:
        for a in range(p.A):
            worst = max(worst, tr.mean[a] - st.ucb[a])
    return worst


@kernel
def instant(st, p, tr, t):
    """Gap of the arm played minus 2 beta ||x||_{V^-1} where theta is in the ellipsoid of the decision."""
    if tr.outside_at[0] > 0.0:
        return NEVER
    return tr.gap[tr.a] - 2.0 * tr.beta_at[0] * sqrt(tr.square_at[tr.a])


@kernel
def total(st, p, tr, t):
    """Regret minus sqrt(8 n ln(det V / lam^d)) max(1, beta) where theta was in every ellipsoid so far."""
    if tr.inside[0] == 0.0:
        return NEVER
    return tr.regret - sqrt(8.0 * (t + 1.0) * tr.growth[0]) * max(1.0, tr.beta_at[0])
