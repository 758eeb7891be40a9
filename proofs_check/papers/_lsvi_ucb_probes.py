"""Probes of LSVI-UCB's proof (jin2020): kernels on one replicate, and the monitor they share.

`st` is the learner's state, `tr` the truth record of the episodic loop; values are lhs - rhs. The monitor adds up its
own Gram matrices and sums from the steps that the environment served, and inverts them afresh after every step.
"""

from __future__ import annotations

from proofs_check.papers._value_probes import backup
from theorylab.kernel import cholesky, dot, invert_factor, kernel, log, log_det_factor, quadratic, sqrt
from theorylab.learner import f8
from theorylab.probe import NEVER, Monitor


@kernel
def beta_of(p, tr):
    """scale c d H sqrt(iota) with iota = ln(2dT/delta) from the table."""
    return p.scale * p.c * p.d * p.H * sqrt(tr.log_term)


@kernel
def radius_of(p, tr, h, s, a):
    """beta sqrt(phi^T Lambda_h^{-1} phi) with the monitor's inverse."""
    return beta_of(p, tr) * sqrt(quadratic(tr.own_inv[h], p.phi[s, a], p.d))


@kernel
def error_of(st, p, tr, h, s, a):
    """|<phi, w_h> - (r + P V_{h+1})|."""
    return abs(dot(p.phi[s, a], st.w[h], p.d) - backup(st, p, tr, h, s, a))


@kernel
def confidence(st, p, tr, t):
    """Largest error of the regression beyond beta sqrt(phi^T Lambda^{-1} phi), over all stages and pairs."""
    worst = NEVER
    for h in range(p.H):
        for s in range(p.S):
            for a in range(p.A):
                worst = max(worst, error_of(st, p, tr, h, s, a) - radius_of(p, tr, h, s, a))
    return worst


@kernel
def domination(st, p, tr, t):
    """Where the regression is as good as the bonus says: largest min(H, r + P V_{h+1}) - Q."""
    worst = NEVER
    for h in range(p.H):
        for s in range(p.S):
            for a in range(p.A):
                if error_of(st, p, tr, h, s, a) <= radius_of(p, tr, h, s, a):
                    worst = max(worst, min(float(p.H), backup(st, p, tr, h, s, a)) - st.Q[h, s, a])
    return worst


@kernel
def overshoot(st, p, tr, t):
    """Where the regression is as good as the bonus says: largest Q - (r + P V_{h+1}) - 2 bonus."""
    worst = NEVER
    for h in range(p.H):
        for s in range(p.S):
            for a in range(p.A):
                bonus = radius_of(p, tr, h, s, a)
                if error_of(st, p, tr, h, s, a) <= bonus:
                    worst = max(worst, st.Q[h, s, a] - backup(st, p, tr, h, s, a) - 2.0 * bonus)
    return worst


@kernel
def normal_equations(st, p, tr, t):
    """Largest |Lambda_h w_h - sum phi (r + V_{h+1}(s'))| over 1 + n_h, entries of the monitor's sums, V of this plan.

    V_{h+1} is the maximum of Q_{h+1}, with Q_H = 0, not the learner's V.
    """
    worst = 0.0
    for h in range(p.H):
        for i in range(p.d):
            right = tr.own_paid[h, i]
            for s2 in range(p.S):
                value = 0.0
                if h + 1 < p.H:
                    value = st.Q[h + 1, s2, 0]
                    for a in range(1, p.A):
                        value = max(value, st.Q[h + 1, s2, a])
                right += tr.own_after[h, s2, i] * value
            worst = max(worst, abs(dot(tr.gram[h, i], st.w[h], p.d) - right) / (1.0 + t))
    return worst


@kernel
def inverse(st, p, tr, t):
    """Largest entry of |Lam_inv Lambda - I|, Lambda the monitor's."""
    worst = 0.0
    for h in range(p.H):
        for i in range(p.d):
            for j in range(p.d):
                entry = dot(st.Lam_inv[h, i], tr.gram[h, j], p.d)
                worst = max(worst, abs(entry - 1.0) if i == j else abs(entry))
    return worst


@kernel
def widths(st, p, tr, t):
    """Largest relative distance of a kept width from phi^T Lambda^{-1} phi, with the monitor's inverse."""
    worst = 0.0
    for h in range(p.H):
        for s in range(p.S):
            for a in range(p.A):
                wanted = quadratic(tr.own_inv[h], p.phi[s, a], p.d)
                if wanted > 0.0:
                    worst = max(worst, abs(st.width[h, s * p.A + a] - wanted) / wanted)
    return worst


@kernel
def formula(st, p, tr, t):
    """Largest distance of Q from min(H, <phi, w_h> + c d H sqrt(iota) sqrt(phi^T Lambda_h^{-1} phi))."""
    worst = 0.0
    for h in range(p.H):
        for s in range(p.S):
            for a in range(p.A):
                wanted = min(float(p.H), dot(p.phi[s, a], st.w[h], p.d) + radius_of(p, tr, h, s, a))
                worst = max(worst, abs(st.Q[h, s, a] - wanted))
    return worst


@kernel
def cap(st, p, tr, t):
    """Largest Q - H, and V - H, over all stages."""
    worst = NEVER
    for h in range(p.H):
        for s in range(p.S):
            worst = max(worst, st.V[h, s] - p.H)
            for a in range(p.A):
                worst = max(worst, st.Q[h, s, a] - p.H)
    return worst


@kernel
def counts(st, p, tr, t):
    """Sums of the stage just played, over 1 + n: over successors, the features of all visits served; rewards as the
    monitor's."""
    worst = 0.0
    for i in range(p.d):
        total = 0.0
        for s in range(p.S):
            total += st.after[tr.h, s, i]
            for a in range(p.A):
                total -= tr.visits[tr.h, s, a] * p.phi[s, a, i]
        worst = max(worst, max(abs(total), abs(st.paid[tr.h, i] - tr.own_paid[tr.h, i])))
        worst = max(worst, abs(st.after[tr.h, tr.s2, i] - tr.own_after[tr.h, tr.s2, i]))
    return worst / (2.0 + t // p.H)


@kernel
def replans(st, p, tr, t):
    """Number of plans against episodes begun."""
    return abs(float(tr.epochs - (t // p.H + 1)))


@kernel
def potential(st, p, tr, t):
    """Sum of widths at the pairs played at this stage, each before its own step, minus 2 ln det(Lambda / lam)."""
    return tr.spent[tr.h] - 2.0 * tr.log_det[tr.h]


@kernel
def determinant(st, p, tr, t):
    """|sum ln(1 + width) - ln det(Lambda / lam)|: the product of 1 + width is the growth of the determinant."""
    return abs(tr.grown[tr.h] - tr.log_det[tr.h])


@kernel
def weight_norm(st, p, tr, t):
    """Largest |w_h| - 2H sqrt(d n / lam), n episodes of data."""
    worst = NEVER
    for h in range(p.H):
        worst = max(worst, sqrt(dot(st.w[h], st.w[h], p.d)) - 2.0 * p.H * sqrt(p.d * t / p.lam))
    return worst


@kernel
def unit_of(p, tr, h, s, a):
    """i where phi(s,a) = e_i and row i of Lambda_h is zero off the diagonal, else -1."""
    unit = -1
    for i in range(p.d):
        if p.phi[s, a, i] == 1.0:
            unit = i
    if unit >= 0:
        for j in range(p.d):
            if j != unit and (p.phi[s, a, j] != 0.0 or tr.gram[h, unit, j] != 0.0):
                return -1
    return unit


@kernel
def isolated(st, p, tr, t):
    """Where phi(s,a) = e_i and Lambda_h does not mix e_i with others: w_i against sum y / (n + lam), and the width
    against 1 / (n + lam), with n visits that have the feature and y = r + V_{h+1}(s')."""
    worst = NEVER
    for h in range(p.H):
        for s in range(p.S):
            for a in range(p.A):
                i = unit_of(p, tr, h, s, a)
                if i >= 0:
                    total = tr.own_paid[h, i]
                    for s2 in range(p.S):
                        total += tr.own_after[h, s2, i] * st.V[h + 1, s2]
                    n = tr.gram[h, i, i] - p.lam
                    off = abs(st.width[h, s * p.A + a] - 1.0 / (n + p.lam))
                    worst = max(worst, max(off, abs(st.w[h, i] - total / (n + p.lam))))
    return worst


@kernel
def monitor_begin(p, tr):
    """Lambda_h = lam I."""
    for h in range(p.H):
        for i in range(p.d):
            tr.gram[h, i, i] = p.lam
            tr.own_inv[h, i, i] = 1.0 / p.lam
        for s in range(p.S):
            for a in range(p.A):
                tr.kept[h, s * p.A + a] = dot(p.phi[s, a], p.phi[s, a], p.d) / p.lam


@kernel
def monitor_observe(st, p, tr, t):
    """Add the step to the monitor's sums; `kept` are the learner's widths as they were before it."""
    h = tr.h
    before = tr.kept[h, tr.s * p.A + tr.a]
    tr.spent[h] += min(1.0, before)
    tr.grown[h] += log(1.0 + before)
    for i in range(p.d):
        x = p.phi[tr.s, tr.a, i]
        tr.own_after[h, tr.s2, i] += x
        tr.own_paid[h, i] += x * tr.r
        for j in range(p.d):
            tr.gram[h, i, j] += x * p.phi[tr.s, tr.a, j]
    if cholesky(tr.gram[h], tr.lower, p.d):
        invert_factor(tr.lower, tr.own_inv[h], tr.column, p.d)
        tr.log_det[h] = log_det_factor(tr.lower, p.d) - p.d * log(p.lam)
    for j in range(p.S * p.A):
        tr.kept[h, j] = st.width[h, j]


MATRICES = f8["H", "d", "d"]
monitor = Monitor(
    {
        "gram": MATRICES, "own_inv": MATRICES, "own_after": f8["H", "S", "d"], "own_paid": f8["H", "d"],
        "log_det": f8["H"], "spent": f8["H"], "grown": f8["H"], "kept": f8["H", "S*A"], "lower": f8["d", "d"],
        "column": f8["d"],
    },
    monitor_begin,
    monitor_observe,
)  # fmt: skip
