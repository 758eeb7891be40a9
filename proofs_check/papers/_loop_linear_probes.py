"""Probes of linear LOOP (he2024.linear-...) and FOPO (wei2021.fopo-...) beside `_loop_probes`, and the monitor they
share.

The monitor adds up its own sums from the steps that the environment served: `taken` (S,A,S) transitions, `gram` =
ridge I + sum phi
phi^T with `own_inv` its inverse by Cholesky, `own_next` (S,d), `own_reward`, `own_total` (d,), own_log_det (1,) = ln
det(gram /
ridge); due and late (1,) count the optimisations that the trigger has asked for. Ridges are positive here. Tables:
`law`, `bias`,
gain; star (d,) with phi^T star = Q*, V* centred; kappa, theta (d,), mu (d,S); V_c (S,) = V*; breadth, span of V at
most; W_e_form, the W_e of form 0; W_e, e_max, iota, eps2 of L-dom and L-trans [derived]:

    sum E   <= sqrt(2 d iota) sqrt(double) + (2 e_max + 1) d iota + eps2 T / 2,     iota = ln(1 + T L^2 W_e^2 / (d
    eps2)) sum E^2 <= 2 d iota (max in-sample + e_max^2 + eps2)
"""

from __future__ import annotations

from proofs_check.papers._loop_monitor import monitor_with, refresh_values
from proofs_check.papers._ucrl2_vtr_probes import invert
from theorylab.kernel import dot, kernel, log, product, sqrt
from theorylab.learner import f8, i8
from theorylab.probe import Monitor

LN2 = 0.69314718055994530942


@kernel
def gap_of(p, tr, omega, V, J):
    """|omega - own_inv (own_reward + own_next^T V - J own_total)|^2 in gram; the difference is left in `part`."""
    for i in range(p.d):
        total = tr.own_reward[i] - J * tr.own_total[i]
        for s2 in range(p.S):
            total += tr.own_next[s2, i] * V[s2]
        tr.column[i] = total
    product(tr.own_inv, tr.column, tr.part, p.d)
    for i in range(p.d):
        tr.part[i] = omega[i] - tr.part[i]
    total = 0.0
    for i in range(p.d):
        total += tr.part[i] * dot(tr.gram[i], tr.part, p.d)
    return total


@kernel
def begin(p, tr):
    """No data."""
    tr.seen[0] = 0
    tr.due[0] = -1
    for i in range(p.d):
        tr.gram[i, i] = p.ridge
        tr.own_inv[i, i] = 1.0 / p.ridge


@kernel
def follow(st, p, tr):
    """The transition in all sums; whether the trigger asks for another optimisation."""
    if st.switches[0] != tr.known[0]:
        tr.known[0] = st.switches[0]
        tr.log_det_start[0] = tr.own_log_det[0]
    tr.log_det_before[0] = tr.own_log_det[0]
    x = p.phi[tr.s, tr.a]
    tr.taken[tr.s, tr.a, tr.s2] += 1
    for i in range(p.d):
        tr.own_next[tr.s2, i] += x[i]
        tr.own_reward[i] += x[i] * p.r[tr.s, tr.a]
        tr.own_total[i] += x[i]
        for j in range(p.d):
            tr.gram[i, j] += x[i] * x[j]
    tr.own_log_det[0] = invert(tr.gram, tr.own_inv, tr.lower, tr.column, p.d) - p.d * log(p.ridge)
    tr.own[0] = gap_of(p, tr, st.omega, st.V, st.J[0])
    tr.late[0] = 0.0
    if tr.due[0] >= 0:
        tr.late[0] = abs(float(st.switches[0] - tr.due[0]))
    else:
        tr.due[0] = st.switches[0]
    limit = 4.0 * p.beta
    if tr.own[0] >= limit * (1.0 + 1e-6):
        tr.due[0] += 1
    elif tr.own[0] > limit * (1.0 - 1e-6):
        tr.due[0] = -1  # rounding decides: the next step tells


_base = monitor_with(
    refresh_values,
    follow,
    {
        "taken": i8["S", "A", "S"], "gram": f8["d", "d"], "own_inv": f8["d", "d"], "lower": f8["d", "d"],
        "column": f8["d"],
        "part": f8["d"], "own_next": f8["S", "d"], "own_reward": f8["d"], "own_total": f8["d"], "own_log_det": f8[1],
        "log_det_before": f8[1], "log_det_start": f8[1], "known": i8[1], "own": f8[1], "due": i8[1], "late": f8[1],
    },
)  # fmt: skip
monitor = Monitor(_base.memory, begin, _base.observe)


@kernel
def sums(st, p, tr, t):
    """Largest distance of Lam, Phi, reward and total from the environment's, over 1 + t."""
    worst = 0.0
    for i in range(p.d):
        worst = max(worst, abs(st.reward[i] - tr.own_reward[i]))
        worst = max(worst, abs(st.total[i] - tr.own_total[i]))
        for s2 in range(p.S):
            worst = max(worst, abs(st.Phi[s2, i] - tr.own_next[s2, i]))
        for j in range(p.d):
            ridge = p.ridge if i == j else 0.0
            worst = max(worst, abs(st.Lam[i, j] + ridge - tr.gram[i, j]))
    return worst / (1.0 + t)


@kernel
def inverse(st, p, tr, t):
    """Largest entry of inverse gram - I."""
    worst = 0.0
    for i in range(p.d):
        for j in range(p.d):
            entry = dot(st.inverse[i], tr.gram[j], p.d)
            worst = max(worst, abs(entry - 1.0) if i == j else abs(entry))
    return worst


@kernel
def linear(st, p, tr, t):
    """Largest distance of Q from phi^T omega, and of V from max_a Q."""
    worst = 0.0
    for s in range(p.S):
        top = st.Q[s, 0]
        for a in range(p.A):
            top = max(top, st.Q[s, a])
            worst = max(worst, abs(st.Q[s, a] - dot(p.phi[s, a], st.omega, p.d)))
        worst = max(worst, abs(st.V[s] - top))
    return worst


@kernel
def loss(p, tr, g, V, J):
    """sum (phi^T g - r - V(s') + J)^2 + ridge |g|^2 over all transitions."""
    total = p.ridge * dot(g, g, p.d)
    for s in range(p.S):
        for a in range(p.A):
            value = dot(p.phi[s, a], g, p.d) - p.r[s, a] + J
            for s2 in range(p.S):
                total += tr.taken[s, a, s2] * (value - V[s2]) * (value - V[s2])
    return total


@kernel
def brute(st, p, tr, t):
    """Distance of the excess kept at the plan from loss(omega) - min_g loss(g), relative to 1 + the loss."""
    own = loss(p, tr, st.omega, st.V, st.J[0])
    gap_of(p, tr, st.omega, st.V, st.J[0])
    for i in range(p.d):
        tr.part[i] = st.omega[i] - tr.part[i]
    return abs(st.upsilon[0] - own + loss(p, tr, tr.part, st.V, st.J[0])) / (1.0 + own)


@kernel
def excess(st, p, tr, t):
    """Distance of upsilon from the excess of the hypothesis on all data, relative to 1 + beta."""
    return abs(st.upsilon[0] - tr.own[0]) / (1.0 + p.beta)


@kernel
def member(st, p, tr, t):
    """Excess of a new hypothesis on all data minus beta (1 + 2e-6)."""
    return gap_of(p, tr, st.omega, st.V, st.J[0]) - p.beta * (1.0 + 2e-6)


@kernel
def in_class(st, p, tr, t):
    """Largest excess of |V| over its bound, of |omega| over W and of J over the cap."""
    worst = max(st.J[0] - p.cap, sqrt(dot(st.omega, st.omega, p.d)) - p.W)
    for s in range(p.S):
        worst = max(worst, abs(st.V[s]) - 0.5 * p.width)
    return worst


@kernel
def certificate(st, p, tr, t):
    """Certified upper bound on the largest gain minus the gain of the hypothesis in play."""
    return st.bound[0] - st.J[0]


@kernel
def bound_optimism(st, p, tr, t):
    """Optimal gain minus the certified bound on the largest gain of the confidence set."""
    return tr.gain - st.bound[0]


@kernel
def on_time(st, p, tr, t):
    """How many optimisations are missing or too many: one at the start, one at each step that reaches 4 beta."""
    return tr.late[0] if t > 0 else abs(float(st.switches[0]) - 1.0)


@kernel
def coverage(st, p, tr, t):
    """Excess of the truth minus beta."""
    return gap_of(p, tr, tr.star, tr.V_c, tr.gain) - p.beta


@kernel
def residual(st, p, tr, t):
    """Largest distance of E(f) from phi^T w, w = omega + J kappa - theta - mu V, and of |w| beyond W_e."""
    worst = 0.0
    for i in range(p.d):
        total = st.omega[i] + st.J[0] * tr.kappa[i] - tr.theta[i]
        for s2 in range(p.S):
            total -= tr.mu[i, s2] * st.V[s2]
        tr.part[i] = total
    worst = sqrt(dot(tr.part, tr.part, p.d)) - tr.W_e
    for s in range(p.S):
        for a in range(p.A):
            value = st.Q[s, a] + st.J[0] - p.r[s, a]
            for s2 in range(p.S):
                value -= tr.law[s, a, s2] * st.V[s2]
            worst = max(worst, abs(value - dot(p.phi[s, a], tr.part, p.d)))
    return worst


@kernel
def dominance_bound(p, tr, n):
    """Right-hand side of L-dom, n steps."""
    size = p.d * tr.iota
    return sqrt(2.0 * size * tr.double[0]) + (2.0 * tr.e_max + 1.0) * size + 0.5 * tr.eps2 * n


@kernel
def dominance(st, p, tr, t):
    """L-dom: sum E minus its bound."""
    return tr.plain[0] - dominance_bound(p, tr, t + 1.0)


@kernel
def transfer(st, p, tr, t):
    """L-trans: sum E^2 minus its bound."""
    return tr.transfer[0] - 2.0 * p.d * tr.iota * (tr.most[0] + tr.e_max * tr.e_max + tr.eps2)


@kernel
def realisation(st, p, tr, t):
    """L3: sum (P V - V(s)) minus breadth (sqrt((T/2) ln(1/delta)) + N), V spanning at most tr.breadth."""
    return tr.drift[0] - tr.breadth * (sqrt(0.5 * p.T * log(1.0 / p.delta)) + st.switches[0])


# determinants


@kernel
def determinant(st, p, tr, t):
    """|log_det - ln det(M / ridge)|, the learner's (from ln det(ridge I) = 0) against the environment's."""
    return abs(st.log_det[0] - tr.own_log_det[0])


@kernel
def doubling(st, p, tr, t):
    """ln det M before the step minus that of the plan and ln 2."""
    return tr.log_det_before[0] - tr.log_det_start[0] - LN2


@kernel
def plans(st, p, tr, t):
    """Plans minus 1 + log2(det M / ridge^d), M before the step."""
    return st.switches[0] - 1.0 - tr.log_det_before[0] / LN2


@kernel
def most_plans(st, p, tr, t):
    """Plans minus 1 + d log2(1 + t / (d ridge)), for |phi| <= 1."""
    return st.switches[0] - 1.0 - p.d * log(1.0 + t / (p.d * p.ridge)) / LN2


@kernel
def printed_radius(st, p, tr, t):
    """Distance of FOPO's radius from scale 20 (2 + sp) d sqrt(ln(T/delta)), of beta from its square, of W "
    "from (2 + sp) sqrt(d)."""
    radius = p.scale * 20.0 * (2.0 + p.span) * p.d * sqrt(log(p.T / p.delta))
    off = max(abs(p.radius - radius), abs(p.beta - radius * radius) / (1.0 + radius))
    return max(off, abs(p.W - (2.0 + p.span) * sqrt(1.0 * p.d)))


@kernel
def theory_beta(st, p, tr, t):
    """Relative distance of beta from its form, for ridge > 0."""
    B = p.span
    noise = 0.5 * p.d * log(1.0 + p.T * p.L * p.L / (p.d * p.ridge)) - log(p.delta)
    root = sqrt(p.ridge)
    if p.form == 1:
        wanted = root * p.W + B * sqrt(0.5 * noise)
    else:
        noise += p.d * log(1.0 + 4.0 * p.W * p.L * p.T / B)
        wanted = 3.0 * (root * (p.W + tr.W_e_form) + B * sqrt(0.5 * noise) + 2.0 * B / sqrt(1.0 * p.T))
    return abs(p.beta / (p.scale * wanted * wanted) - 1.0)
