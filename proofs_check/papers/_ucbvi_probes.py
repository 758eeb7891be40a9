"""Probes of UCBVI's proof (azar2017) that both bonuses share, and the monitor's own record of the run.

`st` is the learner's state, `tr` the truth record of the episodic loop; values are lhs - rhs. At an episode's first
step the monitor writes down, from transitions that it has recorded itself and from the learner's V_{h+1}: `before`, the
visits of each pair before the episode, and `known`, their next states; `printed`, its bonus by the paper's formula;
`guess` = p_hat V_{h+1}; `coming` = p V_{h+1}. The probes compare after the episode, when the plan still stands. There
is one kernel for all stages, so p V_star_{h+1} = Q_star - r. `BONUS(st, p, tr, h, s, a)`, the printed bonus, and
`OWN(st, p, h, s, a)`, the learner's, are filled by `bound_to`.
"""

from __future__ import annotations

from typing import Any

from proofs_check.papers._value_probes import optimism
from theorylab.compiler import Kernel
from theorylab.kernel import kernel, log, sqrt
from theorylab.learner import f8, i8
from theorylab.probe import NEVER, Monitor

LN2 = 0.69314718055994530942
BONUS: Any = None
OWN: Any = None


@kernel
def mean_of(p, tr, s, a, values):
    """Mean of `values` (S,) under the transitions recorded from a pair; it has been visited."""
    total = 0.0
    for y in range(p.S):
        total += tr.seen[s, a, y] * values[y]
    return total / tr.before[s, a]


@kernel
def true_mean(p, tr, s, a, values):
    """Mean of `values` (S,) under the true law of a pair."""
    total = 0.0
    for j in range(tr.width):
        total += tr.prob[s * p.A + a, j] * values[tr.succ[s * p.A + a, j]]
    return total


@kernel
def best_action(st, p, h, s):
    """The first maximiser of Q[h, s, :]."""
    best = 0
    for a in range(1, p.A):
        if st.Q[h, s, a] > st.Q[h, s, best]:
            best = a
    return best


@kernel
def counts(st, p, tr, t):
    """Pooled visits and transitions of every pair: the learner's against the environment's and the monitor's."""
    worst = 0.0
    for s in range(p.S):
        for a in range(p.A):
            n = st.N[s, a]
            for h in range(p.H):
                n -= tr.visits[h, s, a]
            worst = max(worst, abs(float(n)))
            for y in range(p.S):
                worst = max(worst, abs(float(st.moves[y, s * p.A + a] - tr.seen[s, a, y])))
    return worst


@kernel
def fresh(st, p, tr, t):
    """The counts of the plan against all visits before its episode."""
    worst = 0.0
    for s in range(p.S):
        for a in range(p.A):
            worst = max(worst, abs(float(st.n[s, a] - tr.before[s, a])))
    return worst


@kernel
def law(st, p, tr, t):
    """Rows of p_hat: not negative, sum to one, and n p_hat is the number of transitions; zero before the first."""
    worst = 0.0
    for s in range(p.S):
        for a in range(p.A):
            n = tr.before[s, a]
            total = 0.0
            for y in range(p.S):
                q = st.p_hat[y, s * p.A + a]
                total += q
                worst = max(worst, max(-q, abs(q - tr.known[s, a, y] / max(1, n))))
            worst = max(worst, abs(total - min(1, n)))
    return worst


@kernel
def bonus(st, p, tr, t):
    """Largest distance of a bonus from its formula; from H where there is no visit."""
    worst = 0.0
    for h in range(p.H):
        for s in range(p.S):
            for a in range(p.A):
                worst = max(worst, abs(OWN(st, p, h, s, a) - tr.printed[h, s, a]))
    return worst


@kernel
def backup(st, p, tr, t):
    """Q and V against min(Q of the last episode, H, r + p_hat V_{h+1} + b), the printed bonus, and max_a Q."""
    worst = 0.0
    for h in range(p.H):
        for s in range(p.S):
            top = 0.0
            for a in range(p.A):
                q = float(p.H)
                if tr.before[s, a] > 0:
                    q = min(q, tr.r_mean[s * p.A + a] + tr.guess[h, s, a] + tr.printed[h, s, a])
                    q = min(q, tr.Q_last[h, s, a])
                worst = max(worst, abs(st.Q[h, s, a] - q))
                top = max(top, q)
            worst = max(worst, max(abs(st.V[h, s] - top), abs(st.V[p.H, s])))
    return worst


@kernel
def monotone(st, p, tr, t):
    """Largest growth of Q since the last episode; at first, since H."""
    worst = NEVER
    for h in range(p.H):
        for s in range(p.S):
            for a in range(p.A):
                worst = max(worst, st.Q[h, s, a] - tr.Q_last[h, s, a])
    return worst


@kernel
def cap(st, p, tr, t):
    """Largest Q - H, the cap that the paper prints."""
    worst = NEVER
    for h in range(p.H):
        for s in range(p.S):
            for a in range(p.A):
                worst = max(worst, st.Q[h, s, a] - p.H)
    return worst


@kernel
def unvisited(st, p, tr, t):
    """Largest |Q - H| over pairs that had never been visited; never true once all have."""
    worst = NEVER
    for h in range(p.H):
        for s in range(p.S):
            for a in range(p.A):
                if tr.before[s, a] == 0:
                    worst = max(worst, abs(st.Q[h, s, a] - p.H))
    return worst


@kernel
def greedy(st, p, tr, t):
    """Largest Q of the visited state minus that of the action played; the first of the largest is played."""
    best = best_action(st, p, tr.h, tr.s)
    if best < tr.a and st.Q[tr.h, tr.s, best] == st.Q[tr.h, tr.s, tr.a]:
        return float(p.H)  # a tie that was not decided for the lowest action
    return st.Q[tr.h, tr.s, best] - st.Q[tr.h, tr.s, tr.a]


@kernel
def coverage(st, p, tr, t):
    """Largest |(p_hat - p) V_star_{h+1}| minus the bonus, both the learner's, over visited pairs and h < H."""
    worst = NEVER
    for h in range(p.H - 1):
        for s in range(p.S):
            for a in range(p.A):
                if tr.before[s, a] > 0:
                    error = tr.r_mean[s * p.A + a] - tr.Q_star[h, s, a]
                    for y in range(p.S):
                        error += st.p_hat[y, s * p.A + a] * tr.V_star[h + 1, y]
                    worst = max(worst, abs(error) - OWN(st, p, h, s, a))
    return worst


@kernel
def transitions(st, p, tr, t):
    """Largest |p_hat(y) - p(y)| - sqrt(2 p (1 - p) L / n) - L / (3 n) over p > 0, and mass of p_hat where p = 0."""
    worst = NEVER
    for s in range(p.S):
        for a in range(p.A):
            n = tr.before[s, a]
            if n > 0:
                row = s * p.A + a
                impossible = 0.0
                for y in range(p.S):
                    impossible += st.p_hat[y, row]
                for j in range(tr.width):
                    q = tr.prob[row, j]
                    if q > 0.0:
                        mean = st.p_hat[tr.succ[row, j], row]
                        impossible -= mean
                        width = sqrt(2.0 * q * max(0.0, 1.0 - q) * tr.log_term / n) + tr.log_term / (3.0 * n)
                        worst = max(worst, abs(mean - q) - width)
                if not abs(impossible) <= 1e-9:  # rounding would hide how far the widths are from equality
                    worst = max(worst, abs(impossible))
    return worst


@kernel
def implication(st, p, tr, t):
    """The same, where every plan so far had its deviations (p - p_hat) V_star below the printed bonus."""
    if tr.broken[0] > 0:
        return NEVER
    return optimism(st, p, tr, t)


@kernel
def recursion(st, p, tr, t):
    """Bellman error minus 2 b + p (V - V_star)_{h+1} / H + S H^2 L / (2n) + S H L / (3n), over visited pairs."""
    worst = NEVER
    lower = p.S * p.H * tr.log_term * (0.5 * p.H + 1.0 / 3.0)
    for h in range(p.H):
        for s in range(p.S):
            for a in range(p.A):
                if tr.before[s, a] > 0:
                    r = tr.r_mean[s * p.A + a]
                    error = st.Q[h, s, a] - r - tr.coming[h, s, a]
                    excess = tr.coming[h, s, a] - (tr.Q_star[h, s, a] - r)
                    allowed = 2.0 * tr.printed[h, s, a] + excess / p.H + lower / tr.before[s, a]
                    worst = max(worst, error - allowed)
    return worst


@kernel
def unrolled(st, p, tr, t):
    """|V_{k,1}(s_1) - V^{pi_k}_1(s_1) - E_{pi_k} sum_h Bellman error|: both sides are the monitor's."""
    return abs(tr.sides[0] - tr.sides[1])


@kernel
def pigeonhole(st, p, tr, t):
    """Sums over the steps so far with the learner's counts at the plan, minus their bounds: the largest of three."""
    pairs = float(p.S * p.A)
    steps = (t + 1.0) * p.H
    rare = tr.sums[0] - 2.0 * p.H * pairs
    roots = tr.sums[1] - 2.0 * sqrt(pairs * steps)
    return max(rare, max(roots, tr.sums[2] - pairs * log(1.0 + steps / (pairs * p.H)) / LN2))


@kernel
def monitor_begin(p, tr):
    """Q is H before the first episode (other memory arrives zeroed)."""
    for h in range(p.H):
        for s in range(p.S):
            for a in range(p.A):
                tr.Q_now[h, s, a] = float(p.H)


@kernel
def write_down(st, p, tr):
    """What the plan of this episode rests on; whether a deviation (p - p_hat) V_star exceeds the printed bonus."""
    for s in range(p.S):
        for a in range(p.A):
            n = 0
            for y in range(p.S):
                n += tr.seen[s, a, y]
                tr.known[s, a, y] = tr.seen[s, a, y]
            tr.before[s, a] = n
            for h in range(p.H):
                tr.Q_last[h, s, a] = tr.Q_now[h, s, a]
                tr.Q_now[h, s, a] = st.Q[h, s, a]
                tr.coming[h, s, a] = true_mean(p, tr, s, a, st.V[h + 1])
                tr.printed[h, s, a] = float(p.H)
                if n > 0:
                    tr.guess[h, s, a] = mean_of(p, tr, s, a, st.V[h + 1])
                    tr.printed[h, s, a] = BONUS(st, p, tr, h, s, a)
                    error = tr.Q_star[h, s, a] - tr.r_mean[s * p.A + a] - mean_of(p, tr, s, a, tr.V_star[h + 1])
                    if error > tr.printed[h, s, a]:
                        tr.broken[0] = 1


@kernel
def unroll(st, p, tr, start):
    """sides[0] = V_1 - V^pi_1 at the start, V^pi backwards; sides[1] = E sum of Bellman errors, states forwards."""
    for s in range(p.S):
        tr.W[p.H, s] = 0.0
        tr.mass[0, s] = 0.0
    for i in range(p.H):
        h = p.H - 1 - i
        for s in range(p.S):
            a = best_action(st, p, h, s)
            tr.W[h, s] = tr.r_mean[s * p.A + a] + true_mean(p, tr, s, a, tr.W[h + 1])
    tr.sides[0] = st.V[0, start] - tr.W[0, start]
    tr.mass[0, start] = 1.0
    total = 0.0
    for h in range(p.H):
        for s in range(p.S):
            tr.mass[(h + 1) % 2, s] = 0.0
        for s in range(p.S):
            m = tr.mass[h % 2, s]
            a = best_action(st, p, h, s)
            row = s * p.A + a
            total += m * (st.Q[h, s, a] - tr.r_mean[row] - tr.coming[h, s, a])
            for j in range(tr.width):
                tr.mass[(h + 1) % 2, tr.succ[row, j]] += m * tr.prob[row, j]
    tr.sides[1] = total


@kernel
def monitor_observe(st, p, tr, t):
    """Before the first step is recorded what belongs to the plan of its episode; then the step."""
    if tr.h == 0:
        write_down(st, p, tr)
        unroll(st, p, tr, tr.s)
    n = st.n[tr.s, tr.a]
    if n < p.H:
        tr.sums[0] += 1.0
    else:
        tr.sums[1] += 1.0 / sqrt(float(n))
        tr.sums[2] += 1.0 / n
    tr.seen[tr.s, tr.a, tr.s2] += 1


CELLS, LAWS = f8["H", "S", "A"], i8["S", "A", "S"]
MEMORY = {
    "seen": LAWS, "known": LAWS, "before": i8["S", "A"], "Q_now": CELLS, "Q_last": CELLS, "printed": CELLS,
    "guess": CELLS, "coming": CELLS, "broken": i8[1], "sides": f8[2], "W": f8["H+1", "S"], "mass": f8[2, "S"],
    "sums": f8[3],
}  # fmt: skip


def bound_to(formula: Kernel, own: Kernel) -> tuple[dict[str, Kernel], Monitor]:
    """The probes by name, and the monitor, with a printed bonus in place of BONUS and the learner's of OWN."""
    probes = {k.__name__: k for k in (counts, fresh, law, backup, monotone, cap, unvisited, greedy)}
    probes |= {k.__name__: k for k in (transitions, optimism, implication, recursion, unrolled, pigeonhole)}
    probes |= {k.__name__: k.replace(OWN=own) for k in (bonus, coverage)}
    observe = monitor_observe.replace(write_down=write_down.replace(BONUS=formula))
    return probes, Monitor(MEMORY, monitor_begin, observe)
