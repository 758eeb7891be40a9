"""Probes of LOOP on a finite class of value functions (he2024), on the environment's own transitions.

The excess of hypothesis m is sum n (Q_m - c)^2 - min_g sum n (g - c)^2, c = r + P_hat V_m - J_m, g in the auxiliary
class; in F1 to F3 that on the learner's own data, whose in-sample errors are those on the environment's. Memory:
`taken` (S,A,S) transitions, `mean` (S,A) c of the last one looked at, own (1,) the excess of the hypothesis in play,
due (1,) the optimisations that the trigger has asked for, late (1,) how many are missing or too many.
"""

from __future__ import annotations

from proofs_check.papers._loop_monitor import monitor_with, refresh_values
from theorylab.kernel import kernel, log
from theorylab.learner import f8, i8
from theorylab.probe import NEVER


@kernel
def excess_of(p, tr, taken, m):
    """Excess loss of hypothesis m on transitions `taken` (S,A,S)."""
    own = 0.0
    for s in range(p.S):
        for a in range(p.A):
            n = 0
            ahead = 0.0
            for s2 in range(p.S):
                n += taken[s, a, s2]
                ahead += taken[s, a, s2] * p.V_m[m, s2]
            tr.mean[s, a] = 0.0
            tr.weight[s, a] = float(n)
            if n > 0:
                tr.mean[s, a] = tr.r_mean[s * p.A + a] + ahead / n - p.gains[m]
                e = p.values[m, s, a] - tr.mean[s, a]
                own += n * e * e
    least = own
    for k in range(p.K):
        total = 0.0
        for s in range(p.S):
            for a in range(p.A):
                e = p.auxiliary[k, s, a] - tr.mean[s, a]
                total += tr.weight[s, a] * e * e
        least = min(least, total)
    return own - least


@kernel
def in_sample_of(p, tr, m):
    """sum E(f_m)(x_i)^2 over all transitions."""
    total = 0.0
    for s in range(p.S):
        for a in range(p.A):
            n = 0
            e = p.values[m, s, a] + p.gains[m] - tr.r_mean[s * p.A + a]
            for s2 in range(p.S):
                n += tr.taken[s, a, s2]
                e -= tr.law[s, a, s2] * p.V_m[m, s2]
            total += n * e * e
    return total


@kernel
def follow(st, p, tr):
    """The transition, the excess of the hypothesis in play, and whether the trigger asks for another optimisation."""
    tr.taken[tr.s, tr.a, tr.s2] += 1
    if tr.begun[0] == 0:
        tr.begun[0] = 1
        tr.due[0] = 1
    tr.own[0] = excess_of(p, tr, tr.taken, st.played[0])
    tr.late[0] = 0.0
    if tr.due[0] >= 0:
        tr.late[0] = abs(float(st.switches[0] - tr.due[0]))
    else:
        tr.due[0] = st.switches[0]
    limit = 4.0 * p.beta
    if tr.own[0] >= limit * (1.0 + 1e-9):
        tr.due[0] += 1
    elif tr.own[0] > limit * (1.0 - 1e-9):
        tr.due[0] = -1  # rounding decides: the next step tells


monitor = monitor_with(
    refresh_values,
    follow,
    {
        "taken": i8["S", "A", "S"],
        "mean": f8["S", "A"],
        "weight": f8["S", "A"],
        "own": f8[1],
        "begun": i8[1],
        "due": i8[1],
        "late": f8[1],
    },
)


@kernel
def beta(st, p, tr, t):
    """Relative distance of beta from its formula."""
    value = 9.0 * log(1.0 * p.M * p.K / p.delta) if p.form == 0 else 0.5 * log(p.K / p.delta)
    return abs(p.beta / (p.scale * p.span * p.span * value) - 1.0)


@kernel
def member(st, p, tr, t):
    """Excess of a new hypothesis minus beta."""
    return excess_of(p, tr, tr.taken, st.played[0]) - p.beta


@kernel
def choice(st, p, tr, t):
    """How much more gain a hypothesis of the confidence set has than the one chosen."""
    worst = NEVER
    for m in range(p.M):
        if excess_of(p, tr, tr.taken, m) <= p.beta * (1.0 - 1e-9):
            worst = max(worst, p.gains[m] - st.J[0])
    return worst


@kernel
def on_time(st, p, tr, t):
    """How many optimisations are missing or too many."""
    return tr.late[0]


@kernel
def lazy(st, p, tr, t):
    """Excess of the hypothesis in play minus upsilon, its lazy bound."""
    return tr.own[0] - st.upsilon[0]


@kernel
def in_class(st, p, tr, t):
    """Largest distance of Q, V and J from those of the hypothesis named."""
    m = st.played[0]
    worst = abs(st.J[0] - p.gains[m])
    for s in range(p.S):
        worst = max(worst, abs(st.V[s] - p.V_m[m, s]))
        for a in range(p.A):
            worst = max(worst, abs(st.Q[s, a] - p.values[m, s, a]))
    return worst


@kernel
def f1(st, p, tr, t):
    """F1: excess of the truth, hypothesis 0, minus (B^2/2) ln(K/delta)."""
    return excess_of(p, tr, st.moves, 0) - 0.5 * p.span * p.span * log(p.K / p.delta)


@kernel
def f2(st, p, tr, t):
    """F2: in-sample errors of all hypotheses minus 2 excess + 2 B^2 ln(M/delta)."""
    worst = NEVER
    for m in range(p.M):
        bound = 2.0 * excess_of(p, tr, st.moves, m) + 2.0 * p.span * p.span * log(p.M / p.delta)
        worst = max(worst, in_sample_of(p, tr, m) - bound)
    return worst


@kernel
def f3(st, p, tr, t):
    """F3: excesses of all hypotheses minus 1.5 in-sample error + 1.5 B^2 ln(M K/delta)."""
    worst = NEVER
    for m in range(p.M):
        bound = 1.5 * in_sample_of(p, tr, m) + 1.5 * p.span * p.span * log(1.0 * p.M * p.K / p.delta)
        worst = max(worst, excess_of(p, tr, st.moves, m) - bound)
    return worst


@kernel
def f2_own(st, p, tr, t):
    """F2 for the hypothesis in play, with upsilon in place of its excess."""
    return tr.in_sample[0] - 2.0 * st.upsilon[0] - 2.0 * p.span * p.span * log(p.M / p.delta)
