"""Probes of MaxEnt and WeightedMaxEnt (tarbouriech2020), and the monitor they share.

`st` is the learner's state, `tr` the truth record of the average-reward loop; values are lhs - rhs. The monitor counts
transitions and follows the episodes from outside, by `tr.epochs` and the environment's visits:

    seen (S,A,S) transitions; plans: epochs so far; begun: a plan was made before this step; start (S,A) visits and rate
    (S,A) gradient at the start of the episode; kept (S,) its policy; drift (1,) Phi after this step
    due: 1 a plan has to follow this step, 0 none may, 2 the drift is within rounding of Q; was_due: the same one step
    before
"""

from __future__ import annotations

from proofs_check.papers._ucrl2b_probes import dual
from theorylab.kernel import kernel, log, sqrt
from theorylab.learner import f8, i8
from theorylab.probe import NEVER, Monitor

INVERSE_E = 0.36787944117144233


@kernel
def entropy_term(p, w, x):
    """w x log(1 / (x + mu)), the term of a pair of frequency x."""
    return -w * x * log(x + p.mu)


@kernel
def gradient(st, p, tr, t):
    """Largest distance of the planned rewards from the central difference quotient of H at the frequencies so far."""
    worst = 0.0
    for s in range(p.S):
        for a in range(p.A):
            x = tr.visits[s, a] / max(1.0, float(t))
            h = 1e-4 * (x + p.mu)
            w = st.w[s, a]
            slope = (entropy_term(p, w, x + h) - entropy_term(p, w, x - h)) / (2.0 * h)
            worst = max(worst, abs(st.r_up[s, a] - slope))
    return worst


@kernel
def positive(st, p, tr, t):
    """Largest -g over the pairs with lam + mu <= 1/e."""
    worst = NEVER
    for s in range(p.S):
        for a in range(p.A):
            if tr.visits[s, a] / max(1.0, float(t)) + p.mu <= INVERSE_E:
                worst = max(worst, -st.r_up[s, a])
    return worst


@kernel
def weights(st, p, tr, t):
    """Largest distance of a weight from V+ / sqrt(S L), with the environment's counters; from 1 in MaxEnt."""
    worst = 0.0
    for s in range(p.S):
        for a in range(p.A):
            wanted = 1.0
            if p.weighted == 1:
                n = float(max(1, tr.visits[s, a]))
                wanted = p.S * sqrt(2.0 * log(4.0 * p.S * p.S * p.A * n * n / p.delta) / n)
                for s2 in range(p.S):
                    x = tr.seen[s, a, s2] / n
                    wanted += sqrt(x * (1.0 - x))
                wanted /= p.S * sqrt(log(p.S * p.A / p.delta))
            worst = max(worst, abs(st.w[s, a] - wanted))
    return worst


@kernel
def radii(st, p, tr, t):
    """Largest distance of an end of a box from the printed formula, with the environment's counters."""
    worst = 0.0
    for s in range(p.S):
        for a in range(p.A):
            n = float(tr.visits[s, a])
            for s2 in range(p.S):
                low = 0.0
                high = 1.0
                if n > 0.0:
                    x = tr.seen[s, a, s2] / n
                    level = log(6.0 * p.S * p.A * n / p.delta) / n
                    width = p.alpha * (2.0 * sqrt(x * (1.0 - x) * level) + 6.0 * level)
                    low = max(0.0, x - width)
                    high = min(1.0, x + width)
                worst = max(worst, max(abs(st.low[s, a, s2] - low), abs(st.high[s, a, s2] - high)))
    return worst


@kernel
def coverage(st, p, tr, t):
    """Largest distance of an entry of the true kernel from its interval."""
    worst = NEVER
    for s in range(p.S):
        for a in range(p.A):
            for s2 in range(p.S):
                x = tr.P[s, a, s2]
                worst = max(worst, max(x - st.high[s, a, s2], st.low[s, a, s2] - x))
    return worst


@kernel
def largest(st, p, s, a):
    """max p~ u over the box of a row: the least dual bound, whose minimiser is one of the entries of u."""
    bound = dual(st, p, s, a, st.u[0])
    for s2 in range(1, p.S):
        bound = min(bound, dual(st, p, s, a, st.u[s2]))
    return bound


@kernel
def greedy(st, p, tr, t):
    """Largest distance of the planned action's optimistic value from u_next, and excess of any action's over it."""
    worst = 0.0
    for s in range(p.S):
        for a in range(p.A):
            value = st.r_up[s, a] + p.tau * largest(st, p, s, a) + (1.0 - p.tau) * st.u[s]
            short = value - st.u_next[s]
            worst = max(worst, abs(short) if a == st.policy[s] else short)
    return worst


@kernel
def episode(st, p, tr, t):
    """1 where an action is not the episode's, or an episode goes on or ends where it may not; else 0."""
    wrong = 0.0
    if tr.a != tr.kept[tr.s]:
        wrong = 1.0
    if tr.was_due[0] < 2 and tr.begun[0] != tr.was_due[0]:
        wrong = 1.0
    return wrong


@kernel
def counts(st, p, tr, t):
    """Visits and transitions of the pair just played, against the environment's counter and the monitor's record."""
    error = abs(float(st.N[tr.s, tr.a] - tr.visits[tr.s, tr.a]))
    for s2 in range(p.S):
        error = max(error, abs(float(st.moves[tr.s, tr.a, s2] - tr.seen[tr.s, tr.a, s2])))
    return error


@kernel
def model_error(st, p, tr, t):
    """Largest excess of the average and of the worst error over their bounds; p_hat is the learner's."""
    error = 0.0
    most = 0.0
    bound = 0.0
    bound_most = 0.0
    for s in range(p.S):
        for a in range(p.A):
            distance = 0.0
            for s2 in range(p.S):
                distance += abs(float(st.moves[s, a, s2]) / max(1, st.N[s, a]) - tr.P[s, a, s2])
            visits = tr.visits[s, a] + 1.0
            f = tr.V[s, a] / sqrt(visits) + p.S / visits
            error += distance
            bound += f
            most = max(most, distance)
            bound_most = max(bound_most, f)
    level = 4.0 * log(6.0 * p.S * p.A * p.T / p.delta)
    return max((error - level * bound) / (p.S * p.A), most - level * bound_most)


# Monitor


@kernel
def slope(st, p, tr, s, a, x):
    """The gradient at frequency x, as one quotient."""
    y = x + p.mu
    return -st.w[s, a] * (y * log(y) + x) / y


@kernel
def monitor_begin(p, tr):
    """A plan is due before the first step (memory arrives zeroed)."""
    tr.due[0] = 1


@kernel
def note_plan(st, p, tr, t):
    """A plan was made before this step, after t steps."""
    tr.drift[0] = 0.0
    for s in range(p.S):
        tr.kept[s] = st.policy[s]
        for a in range(p.A):
            before = tr.visits[s, a]
            if s == tr.s and a == tr.a:
                before -= 1
            tr.start[s, a] = before
            tr.rate[s, a] = slope(st, p, tr, s, a, before / max(1.0, float(t)))


@kernel
def observe(st, p, tr, t):
    """Record the step, and whether the episode must end with it."""
    tr.seen[tr.s, tr.a, tr.s2] += 1
    tr.was_due[0] = tr.due[0]
    tr.begun[0] = 1 if tr.epochs > tr.plans[0] else 0
    tr.plans[0] = tr.epochs
    if tr.begun[0] == 1:
        note_plan(st, p, tr, t)
    total = 0.0
    for s in range(p.S):
        for a in range(p.A):
            change = slope(st, p, tr, s, a, tr.visits[s, a] / (t + 1.0)) - tr.rate[s, a]
            total += change * change
    tr.drift[0] += sqrt(total)
    most = -2.0 * log(p.mu)
    following = tr.kept[tr.s2]
    before = tr.start[tr.s2, following]
    tr.due[0] = 1 if tr.visits[tr.s2, following] - before >= max(1, before) or tr.drift[0] > most else 0
    if abs(tr.drift[0] - most) < 1e-9:
        tr.due[0] = 2


monitor = Monitor(
    dict(
        seen=i8["S", "A", "S"], plans=i8[1], begun=i8[1], start=i8["S", "A"], rate=f8["S", "A"], kept=i8["S"],
        drift=f8[1], due=i8[1], was_due=i8[1],
    ),
    monitor_begin,
    observe,
)  # fmt: skip
