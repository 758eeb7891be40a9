"""Probes of UCRL-VTR's proof (ayoub2020): kernels on one replicate, and the monitor they share.

`st` is the learner's state, `tr` the truth record of the episodic loop with the table theta (H,d); values are lhs -
rhs. The monitor adds up its own matrices and right-hand sides from the steps that the environment served, with features
from the dense phi and the values of the plan that the step was played by, and inverts them afresh after every step.
"""

from __future__ import annotations

from proofs_check.papers._value_probes import backup
from theorylab.kernel import cholesky, dot, invert_factor, kernel, log, log_det_factor, quadratic, sqrt
from theorylab.learner import f8
from theorylab.probe import NEVER, Monitor


@kernel
def value_feature(st, p, h, s, a, i):
    """Coordinate i of phi_V(s,a), V = V_{h+1}."""
    total = 0.0
    for s2 in range(p.S):
        total += p.transition_phi[s, a, s2, i] * st.V[h + 1, s2]
    return total


@kernel
def norm_of(st, p, tr, h, s, a):
    """|phi_V(s,a)| in the monitor's Sigma^{-1}."""
    g = min(h, p.G - 1)
    total = 0.0
    for i in range(p.d):
        x = value_feature(st, p, h, s, a, i)
        for j in range(p.d):
            total += tr.own_inv[g, i, j] * x * value_feature(st, p, h, s, a, j)
    return sqrt(max(0.0, total))


@kernel
def samples_of(p, t):
    """Samples of a regression after t episodes."""
    return t * p.H if p.G == 1 else t


@kernel
def radius_of(p, tr, g, t):
    """scale ((H/2) sqrt(2 ln(G/delta) + ln det(Sigma/lam)) + sqrt(lam) B), with the monitor's determinant."""
    size = tr.own_log_det[g]
    if p.trace == 1:
        size = p.d * log(1.0 + samples_of(p, t) * float(p.H) * p.H / (p.d * p.lam))
    groups = 1.0 if p.homogeneous == 1 else float(p.H)
    return p.scale * (0.5 * p.H * sqrt(2.0 * log(groups / p.delta) + size) + sqrt(p.lam) * p.B)


@kernel
def error_of(st, p, tr, g):
    """|theta_hat - theta| in the monitor's Sigma."""
    total = 0.0
    for i in range(p.d):
        for j in range(p.d):
            total += tr.gram[g, i, j] * (st.theta[g, i] - tr.true_theta[g, i]) * (st.theta[g, j] - tr.true_theta[g, j])
    return sqrt(max(0.0, total))


@kernel
def confidence(st, p, tr, t):
    """Largest |theta_hat - theta|_Sigma - radius over the regressions."""
    worst = NEVER
    for g in range(p.G):
        worst = max(worst, error_of(st, p, tr, g) - radius_of(p, tr, g, t))
    return worst


@kernel
def domination(st, p, tr, t):
    """Where theta is in the confidence set: largest min(H, r + P V_{h+1}) - Q."""
    worst = NEVER
    for h in range(p.H):
        g = min(h, p.G - 1)
        if error_of(st, p, tr, g) <= radius_of(p, tr, g, t):
            for s in range(p.S):
                for a in range(p.A):
                    worst = max(worst, min(float(p.H), backup(st, p, tr, h, s, a)) - st.Q[h, s, a])
    return worst


@kernel
def overshoot(st, p, tr, t):
    """Where theta is in the confidence set: largest Q - (r + P V_{h+1}) - 2 radius |phi_V|."""
    worst = NEVER
    for h in range(p.H):
        g = min(h, p.G - 1)
        radius = radius_of(p, tr, g, t)
        if error_of(st, p, tr, g) <= radius:
            for s in range(p.S):
                for a in range(p.A):
                    room = backup(st, p, tr, h, s, a) + 2.0 * radius * norm_of(st, p, tr, h, s, a)
                    worst = max(worst, st.Q[h, s, a] - room)
    return worst


@kernel
def formula(st, p, tr, t):
    """Largest distance of Q from clip(r + <phi_V, theta_hat> + radius |phi_V|, 0, H), and of V from max Q."""
    worst = 0.0
    for h in range(p.H):
        g = min(h, p.G - 1)
        radius = radius_of(p, tr, g, t)
        for s in range(p.S):
            top = 0.0
            for a in range(p.A):
                value = p.r[s, a] + radius * norm_of(st, p, tr, h, s, a)
                for i in range(p.d):
                    value += value_feature(st, p, h, s, a, i) * st.theta[g, i]
                worst = max(worst, abs(st.Q[h, s, a] - max(0.0, min(float(p.H), value))))
                top = max(top, st.Q[h, s, a])
            worst = max(worst, abs(st.V[h, s] - top))
    return worst


@kernel
def radii(st, p, tr, t):
    """Largest distance of a radius from its formula, with the monitor's determinant."""
    worst = 0.0
    for g in range(p.G):
        worst = max(worst, abs(st.radius[g] - radius_of(p, tr, g, t)))
    return worst


@kernel
def normal_equations(st, p, tr, t):
    """Largest |Sigma theta_hat - sum phi_V V(s')| over 1 + n, entries of the monitor's sums."""
    worst = 0.0
    for g in range(p.G):
        for i in range(p.d):
            off = abs(dot(tr.gram[g, i], st.theta[g], p.d) - tr.own_b[g, i])
            worst = max(worst, off / (1.0 + samples_of(p, t)))
    return worst


@kernel
def inverse(st, p, tr, t):
    """Largest entry of |Sigma_inv Sigma - I|, Sigma the monitor's."""
    worst = 0.0
    for g in range(p.G):
        for i in range(p.d):
            for j in range(p.d):
                entry = dot(st.Sigma_inv[g, i], tr.gram[g, j], p.d)
                worst = max(worst, abs(entry - 1.0) if i == j else abs(entry))
    return worst


@kernel
def cap(st, p, tr, t):
    """Largest of Q - H, -Q, V - H and -V over all stages."""
    worst = NEVER
    for h in range(p.H):
        for s in range(p.S):
            worst = max(worst, max(st.V[h, s] - p.H, -st.V[h, s]))
            for a in range(p.A):
                worst = max(worst, max(st.Q[h, s, a] - p.H, -st.Q[h, s, a]))
    return worst


@kernel
def counts(st, p, tr, t):
    """Samples of the regression just fed against the visits that the environment has served."""
    g = min(tr.h, p.G - 1)
    total = 0
    for h in range(p.H):
        if p.G == 1 or h == tr.h:
            for s in range(p.S):
                for a in range(p.A):
                    total += tr.visits[h, s, a]
    return abs(float(st.n[g] - total))


@kernel
def replans(st, p, tr, t):
    """Number of plans against episodes begun."""
    return abs(float(tr.epochs - (t // p.H + 1)))


@kernel
def potential(st, p, tr, t):
    """Sum of min(1, |phi_V|^2), each in the matrix before its own step, minus 2 ln det(Sigma / lam)."""
    g = min(tr.h, p.G - 1)
    return tr.spent[g] - 2.0 * tr.own_log_det[g]


@kernel
def determinant(st, p, tr, t):
    """|log_det - ln det(Sigma / lam)|, the learner's against that of the monitor's matrix."""
    g = min(tr.h, p.G - 1)
    return abs(st.log_det[g] - tr.own_log_det[g])


@kernel
def trace(st, p, tr, t):
    """ln det(Sigma / lam) - d ln(1 + n H^2 / (d lam)), n samples: |phi_V| <= H where values lie in [0, H]."""
    g = min(tr.h, p.G - 1)
    n = t + 1.0 if p.G == 1 else t // p.H + 1.0
    return tr.own_log_det[g] - p.d * log(1.0 + n * float(p.H) * p.H / (p.d * p.lam))


@kernel
def monitor_begin(p, tr):
    """Sigma = lam I."""
    for g in range(p.H):
        for i in range(p.d):
            tr.gram[g, i, i] = p.lam
            tr.own_inv[g, i, i] = 1.0 / p.lam
            tr.kept[g, i, i] = 1.0 / p.lam


@kernel
def monitor_observe(st, p, tr, t):
    """Add the step to the monitor's sums; `kept` is the learner's inverse as it was before it."""
    g = min(tr.h, p.G - 1)
    for i in range(p.d):
        tr.x[i] = value_feature(st, p, tr.h, tr.s, tr.a, i)
    tr.spent[g] += min(1.0, quadratic(tr.kept[g], tr.x, p.d))
    for i in range(p.d):
        tr.own_b[g, i] += tr.x[i] * st.V[tr.h + 1, tr.s2]
        for j in range(p.d):
            tr.gram[g, i, j] += tr.x[i] * tr.x[j]
    if cholesky(tr.gram[g], tr.lower, p.d):
        invert_factor(tr.lower, tr.own_inv[g], tr.column, p.d)
        tr.own_log_det[g] = log_det_factor(tr.lower, p.d) - p.d * log(p.lam)
    for i in range(p.d):
        for j in range(p.d):
            tr.kept[g, i, j] = st.Sigma_inv[g, i, j]


MATRICES = f8["H", "d", "d"]
monitor = Monitor(
    {
        "gram": MATRICES, "own_inv": MATRICES, "kept": MATRICES, "own_b": f8["H", "d"], "own_log_det": f8["H"],
        "spent": f8["H"], "lower": f8["d", "d"], "column": f8["d"], "x": f8["d"],
    },
    monitor_begin,
    monitor_observe,
)  # fmt: skip
