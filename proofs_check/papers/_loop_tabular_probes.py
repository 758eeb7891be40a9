"""Probes of tabular LOOP (he2024) beside those of `_loop_probes`: kernels on one replicate, and the monitor they share.

The monitor keeps what the environment did, so that nothing is taken from the learner but its hypothesis: `taken`
(S,A,S) transitions, `loss` (S,A) terms of the excess loss of the hypothesis in play, own (1,) their sum, and due (1,),
the optimisations that the trigger has asked for. T1 and T2 speak of the learner's own data: `noise` (S,A) are terms n
((P_hat - P) V*)^2, with its N and moves, truth_loss (1,) their sum.
"""

from __future__ import annotations

from proofs_check.papers._loop_monitor import monitor_with, refresh_values
from theorylab.kernel import kernel, log, sqrt
from theorylab.learner import f8, i8
from theorylab.probe import NEVER


@kernel
def term(st, p, tr, s, a):
    """n (Q + J - r - P_hat V)^2 of a pair, from the environment's transitions."""
    n = tr.visits[s, a]
    if n == 0:
        return 0.0
    ahead = 0.0
    for s2 in range(p.S):
        ahead += tr.taken[s, a, s2] * st.V[s2]
    e = st.Q[s, a] + st.J[0] - tr.r_mean[s * p.A + a] - ahead / n
    return n * e * e


@kernel
def noise_term(st, p, tr, s, a):
    """n ((P_hat - P) V*)^2 of a pair, on the learner's data."""
    n = float(st.N[s, a])
    if n == 0.0:
        return 0.0
    ahead = 0.0
    for s2 in range(p.S):
        ahead += (st.moves[s, a, s2] / n - tr.law[s, a, s2]) * tr.bias[s2]
    return n * ahead * ahead


@kernel
def refresh(st, p, tr):
    """In-sample error of a new hypothesis, and its excess loss, on the data before this step."""
    refresh_values(st, p, tr)


@kernel
def follow(st, p, tr):
    """The transition, the terms of its pair, and whether the trigger asks for another optimisation."""
    tr.taken[tr.s, tr.a, tr.s2] += 1
    if tr.known[0] == 0:
        tr.due[0] = 1  # the optimisation at the start
    if st.switches[0] != tr.known[0]:
        tr.known[0] = st.switches[0]
        tr.own[0] = 0.0
        for s in range(p.S):
            for a in range(p.A):
                tr.loss[s, a] = term(st, p, tr, s, a)
                tr.own[0] += tr.loss[s, a]
    else:
        tr.own[0] -= tr.loss[tr.s, tr.a]
        tr.loss[tr.s, tr.a] = term(st, p, tr, tr.s, tr.a)
        tr.own[0] += tr.loss[tr.s, tr.a]
    tr.truth_loss[0] -= tr.noise[tr.s, tr.a]
    tr.noise[tr.s, tr.a] = noise_term(st, p, tr, tr.s, tr.a)
    tr.truth_loss[0] += tr.noise[tr.s, tr.a]
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
    refresh,
    follow,
    {
        "taken": i8["S", "A", "S"],
        "known": i8[1],
        "loss": f8["S", "A"],
        "own": f8[1],
        "noise": f8["S", "A"],
        "truth_loss": f8[1],
        "due": i8[1],
        "late": f8[1],
    },
)


@kernel
def beta(st, p, tr, t):
    """Relative distance of beta from its formula."""
    pairs = 1.0 * p.S * p.A
    size = 0.5 * pairs * log(1.0 + p.T / pairs) + log(1.0 / p.delta)
    value = p.span * p.span * size
    if p.form == 0:
        value = 9.0 * p.span * p.span * (size + p.S * log(p.T + 1.0))
    return abs(p.beta / (p.scale * value) - 1.0)


@kernel
def coverage(st, p, tr, t):
    """T1: excess loss of the truth minus beta."""
    return tr.truth_loss[0] - p.beta


@kernel
def member(st, p, tr, t):
    """Excess loss of a new hypothesis on all transitions minus beta (1 + 1e-6)."""
    total = 0.0
    for s in range(p.S):
        for a in range(p.A):
            total += term(st, p, tr, s, a)
    return total - p.beta * (1.0 + 1e-6)


@kernel
def spent(st, p, tr, t):
    """Where the gain is below its cap: relative distance of the excess loss of a new hypothesis from beta."""
    if st.J[0] >= p.cap * (1.0 - 1e-9):
        return NEVER
    total = 0.0
    for s in range(p.S):
        for a in range(p.A):
            total += term(st, p, tr, s, a)
    return abs(total / p.beta - 1.0)


@kernel
def excess(st, p, tr, t):
    """Distance of upsilon from the excess loss on all transitions, relative to 1 + beta."""
    return abs(st.upsilon[0] - tr.own[0]) / (1.0 + p.beta)


@kernel
def recorded(st, p, tr, t):
    """Largest distance of the transitions counted from the environment's."""
    worst = 0.0
    for s in range(p.S):
        for a in range(p.A):
            for s2 in range(p.S):
                worst = max(worst, abs(1.0 * st.moves[s, a, s2] - tr.taken[s, a, s2]))
    return worst


@kernel
def on_time(st, p, tr, t):
    """How many optimisations are missing or too many: one at the start, one at each step that reaches 4 beta."""
    return tr.late[0]


@kernel
def capped(st, p, tr, t):
    """J minus the cap."""
    return st.J[0] - p.cap


@kernel
def certificate(st, p, tr, t):
    """Certified upper bound on the largest gain minus the gain of the hypothesis in play."""
    return st.bound[0] - st.J[0]


@kernel
def bound_optimism(st, p, tr, t):
    """Optimal gain minus the certified bound on the largest gain of the confidence set."""
    return tr.gain - st.bound[0]


@kernel
def boxed(st, p, tr, t):
    """Largest |V| minus B/2."""
    worst = NEVER
    for s in range(p.S):
        worst = max(worst, abs(st.V[s]) - 0.5 * p.span)
    return worst


@kernel
def in_box(st, p, tr, t):
    """Where neither cap nor span binds: largest excess of sqrt(n) |e| over sqrt(beta), with 1e-6 (cap + span) for e."""
    low = st.V[0]
    high = st.V[0]
    for s in range(1, p.S):
        low = min(low, st.V[s])
        high = max(high, st.V[s])
    if st.J[0] >= p.cap * (1.0 - 1e-6) or high - low >= p.span * (1.0 - 1e-6):
        return NEVER
    worst = NEVER
    for s in range(p.S):
        for a in range(p.A):
            slack = 1e-6 * (p.cap + p.span) * sqrt(float(tr.visits[s, a]))
            worst = max(worst, sqrt(term(st, p, tr, s, a)) - sqrt(p.beta) - slack)
    return worst


@kernel
def uniform(st, p, tr, t):
    """T2: the largest of sqrt(sum n ((P_hat - P) V)^2) over |V| <= B/2, at a corner of the box, minus its bound."""
    worst = 0.0
    for corner in range(tr.corners):
        total = 0.0
        for s in range(p.S):
            for a in range(p.A):
                n = float(st.N[s, a])
                if n > 0.0:
                    ahead = 0.0
                    rest = corner
                    for s2 in range(p.S):
                        sign = 1.0 if rest % 2 == 1 else -1.0
                        rest = rest // 2
                        ahead += sign * (st.moves[s, a, s2] / n - tr.law[s, a, s2])
                    total += n * ahead * ahead
        worst = max(worst, total)
    return 0.5 * p.span * sqrt(worst) - tr.uniform_bound


@kernel
def switched(st, p, tr, t):
    """T7: optimisations minus 1 + (S A e_max^2 + b S A (1 + ln n)) / increment."""
    if tr.increment <= 0.0:
        return NEVER
    pairs = 1.0 * p.S * p.A
    total = pairs * tr.e_max * tr.e_max + tr.in_bound * pairs * (1.0 + log(t + 1.0))
    return st.switches[0] - 1.0 - total / tr.increment


@kernel
def assembled(st, p, tr, t):
    """L11: regret minus sum E + sum (P V - V(s))."""
    return (tr.regret - tr.plain[0] - tr.drift[0]) / (t + 1.0)


@kernel
def doubling(st, p, tr, t):
    """Visits of a pair since the last optimisation minus max(1, those before it)."""
    return float(st.N[tr.s, tr.a] - st.before[tr.s, tr.a] - max(1, st.before[tr.s, tr.a]))
