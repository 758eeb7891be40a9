"""Probes of GOSPRL's proof (tarbouriech2021) and of the greedy learner that knows p.

`st` is the learner's state, `tr` the truth record of the average-reward loop with the memory of `_gosprl_monitor`;
values are lhs - rhs. Those at plans are NEVER where nothing was planned, at the start of a run in G; those that hold
the radius of AME are NEVER where another one was chosen.
"""

from __future__ import annotations

from proofs_check.papers._gosprl_monitor import row_sum
from theorylab.kernel import kernel, log, sqrt
from theorylab.probe import NEVER

LN2 = 0.69314718055994530942
#: completion time of a run that ended before
UNFINISHED = 1e18


# The total


@kernel
def completion_time(st, p, tr, t):
    """Steps until every requirement held for the first time; 1e18 where the run ended before."""
    return float(st.finished[0]) if st.finished[0] >= 0 else UNFINISHED


# At plans


@kernel
def radii(st, p, tr, t):
    """Largest distance of a radius from 2 sqrt(x (1 - x) iota / n) + 6 iota / n, with the environment's counters."""
    worst = NEVER
    if st.t_k[0] == t and p.radius == 0:
        worst = 0.0
        for s in range(p.S):
            for a in range(p.A):
                n = float(max(1, tr.visits[s, a]))
                iota = log(6.0 * p.S * p.A * n / p.delta)
                for s2 in range(p.S):
                    x = tr.seen[s, a, s2] / n
                    worst = max(worst, abs(st.beta[s, a, s2] - 2.0 * sqrt(x * (1.0 - x) * iota / n) - 6.0 * iota / n))
    return worst


@kernel
def own_counts(st, p, tr, t):
    """Largest change of a pair's radii since the last plan, over the pairs not visited since."""
    worst = NEVER
    if st.t_k[0] == t and tr.trips[0] > 0:
        for s in range(p.S):
            for a in range(p.A):
                if tr.visits[s, a] == tr.start[s, a]:
                    worst = max(worst, abs(row_sum(st.beta, p, s, a) - tr.kept[s, a]))
    return worst


@kernel
def row_excess(st, p, tr, s, a, scale):
    """Largest excess of |p - p_hat| over scale beta in a row, p_hat of the environment's counters."""
    n = float(max(1, tr.visits[s, a]))
    worst = NEVER
    for s2 in range(p.S):
        worst = max(worst, abs(tr.seen[s, a, s2] / n - tr.law[s, a, s2]) - scale * st.beta[s, a, s2])
    return worst


@kernel
def coverage(st, p, tr, t):
    """Largest excess of |p - p_hat| over beta: positive when p is outside of the confidence set."""
    worst = NEVER
    if st.t_k[0] == t:
        for s in range(p.S):
            for a in range(p.A):
                worst = max(worst, row_excess(st, p, tr, s, a, 1.0))
    return worst


@kernel
def lower(st, p, tr, t):
    """Largest plow - p, over the rows off G that lie within alpha beta of p."""
    worst = NEVER
    if st.t_k[0] == t:
        for s in range(p.S):
            for a in range(p.A):
                if tr.open[s] == 0 and row_excess(st, p, tr, s, a, p.alpha) <= 0.0:
                    for s2 in range(p.S):
                        worst = max(worst, st.plow[s, a, s2] - tr.law[s, a, s2])
    return worst


@kernel
def residue(st, p, tr, t):
    """Off G: 0 <= plow <= p_hat, nothing on G, and G's share, 1 - sum plow, at least min(1, 6 alpha iota) / n.

    A row of n visits has an entry p_hat >= 1/n. If it is on G, G has it; else plow is below it by alpha beta >= 6
    alpha iota / n, or by all of it. Before the first visit p_hat = 0 and G's share is 1.
    """
    worst = NEVER
    if st.t_k[0] == t and p.radius == 0:
        for s in range(p.S):
            for a in range(p.A):
                if tr.open[s] == 0:
                    n = float(max(1, tr.visits[s, a]))
                    iota = log(6.0 * p.S * p.A * n / p.delta)
                    for s2 in range(p.S):
                        x = st.plow[s, a, s2]
                        most = tr.seen[s, a, s2] / n if tr.open[s2] == 0 else 0.0
                        worst = max(worst, max(-x, x - most))
                    share = 1.0 - row_sum(st.plow, p, s, a)
                    worst = max(worst, min(1.0, 6.0 * p.alpha * iota) / n - share)
    return worst


@kernel
def value_of(st, p, s, a):
    """1 + sum of plow v over all states."""
    value = 1.0
    for s2 in range(p.S):
        value += st.plow[s, a, s2] * st.v[s2]
    return value


@kernel
def least_value(st, p, s):
    """The least value of an action."""
    least = value_of(st, p, s, 0)
    for a in range(1, p.A):
        least = min(least, value_of(st, p, s, a))
    return least


@kernel
def backup(st, p, tr, t):
    """Largest distance of v_next from L v, and of v and v_next from 0 on G."""
    worst = NEVER
    if st.t_k[0] == t:
        worst = 0.0
        for s in range(p.S):
            if tr.open[s] == 1:
                worst = max(worst, max(abs(st.v[s]), abs(st.v_next[s])))
            else:
                worst = max(worst, abs(st.v_next[s] - least_value(st, p, s)))
    return worst


@kernel
def greedy(st, p, tr, t):
    """Largest excess of the planned action's value over the least one."""
    worst = NEVER
    if st.t_k[0] == t:
        for s in range(p.S):
            if tr.open[s] == 0:
                worst = max(worst, value_of(st, p, s, st.pi[s]) - least_value(st, p, s))
    return worst


@kernel
def last_change(st, p):
    """The sup norm of v_next - v."""
    change = 0.0
    for s in range(p.S):
        change = max(change, abs(st.v_next[s] - st.v[s]))
    return change


@kernel
def stopping(st, p, tr, t):
    """The last change minus the precision max(1e-6, 1 / (2 max(1, t)))."""
    worst = NEVER
    if st.t_k[0] == t:
        worst = last_change(st, p) - max(1e-6, 0.5 / max(1, t))
    return worst


@kernel
def rising(st, p, tr, t):
    """Largest v - v_next: value iteration from zero comes from below."""
    worst = NEVER
    if st.t_k[0] == t:
        for s in range(p.S):
            if tr.open[s] == 0:
                worst = max(worst, st.v[s] - st.v_next[s])
    return worst


@kernel
def goal_mask(p, tr):
    """Row of the table V_goal: the sum of 2^s over the open states s."""
    mask = 0
    bit = 1
    for s in range(p.S):
        mask += bit * tr.open[s]
        bit *= 2
    return mask


@kernel
def excess_off_goal(st, p, tr):
    """Largest excess of |p - p_hat| over alpha beta in the rows off G."""
    worst = NEVER
    for s in range(p.S):
        for a in range(p.A):
            if tr.open[s] == 0:
                worst = max(worst, row_excess(st, p, tr, s, a, p.alpha))
    return worst


@kernel
def optimism(st, p, tr, t):
    """Largest v - V*_G and V*_G - D, where every row off G lies within alpha beta of p."""
    worst = NEVER
    if st.t_k[0] == t and excess_off_goal(st, p, tr) <= 0.0:
        mask = goal_mask(p, tr)
        for s in range(p.S):
            if tr.open[s] == 0:
                x = tr.V_goal[mask, s]
                worst = max(worst, max(st.v_next[s] - x, x - tr.D))
    return worst


@kernel
def baseline(st, p, tr, t):
    """Largest distance of U from the visits before the attempt."""
    worst = NEVER
    if st.t_k[0] == t:
        worst = 0.0
        for s in range(p.S):
            for a in range(p.A):
                worst = max(worst, abs(float(st.U[s, a] - tr.visits[s, a])))
    return worst


@kernel
def replanning(st, p, tr, t):
    """1 for a plan not due: the step before neither entered G, nor was taken in G, nor doubled its pair."""
    return 0.0 if tr.entered[0] == 1 or tr.doubled[0] == 1 else 1.0


@kernel
def replanning_known(st, p, tr, t):
    """1 for a plan not due: the step before neither entered G nor was taken in it."""
    return 1.0 - tr.entered[0]


@kernel
def values_known(st, p, tr, t):
    """Largest v - V*_G and V*_G - v / (1 - eps), eps the last change: the certificate with the true kernel."""
    worst = NEVER
    if st.t_k[0] == t:
        eps = last_change(st, p)
        mask = goal_mask(p, tr)
        worst = eps - 1.0
        for s in range(p.S):
            if tr.open[s] == 0:
                x = tr.V_goal[mask, s]
                worst = max(worst, max(st.v[s] - x, x - st.v[s] / max(1.0 - eps, 1e-300)))
    return worst


# At steps


@kernel
def certificate(st, p, tr, t):
    """On the first step of an attempt: eps - 1, v - V^pi and V^pi - v / (1 - eps), eps the plan's last change."""
    worst = NEVER
    if tr.where[0] == 2 and tr.start_t[0] == t:
        eps = last_change(st, p)
        worst = eps - 1.0
        for s in range(p.S):
            if st.goal[s] == 0:
                worst = max(worst, max(st.v[s] - tr.own[s], tr.own[s] - st.v[s] / max(1.0 - eps, 1e-300)))
    return worst


@kernel
def counts(st, p, tr, t):
    """Visits and transitions of the pair just played, against the environment's counter and the monitor's record."""
    error = abs(float(st.N[tr.s, tr.a] - tr.visits[tr.s, tr.a]))
    for s2 in range(p.S):
        error = max(error, abs(float(st.moves[tr.s, tr.a, s2] - tr.seen[tr.s, tr.a, s2])))
    return error


@kernel
def visits(st, p, tr, t):
    """Visits of the pair just played, against the environment's counter."""
    return abs(float(st.N[tr.s, tr.a] - tr.visits[tr.s, tr.a]))


@kernel
def goal_set(st, p, tr, t):
    """States whose place in or out of G is wrong."""
    wrong = 0
    for s in range(p.S):
        wrong += abs(st.goal[s] - tr.open[s])
    return float(wrong)


@kernel
def rule(st, p, tr, t):
    """Distance of the action played from the rule: in G the first of the largest gaps, on the way the trip's policy.

    Where no action is short, but the state, the first of those with the fewest visits.
    """
    wanted = 0
    if tr.where[0] == 2:
        wanted = tr.kept_pi[tr.s]
    if tr.where[0] == 1:
        gap = 0
        fewest = tr.visits[tr.s, 0] + 1
        for a in range(p.A):
            before = tr.visits[tr.s, a]
            if a == tr.a:
                before -= 1
            short = p.b[tr.s, a] - before
            if short > gap:
                gap = short
                wanted = a
            if gap == 0 and before < fewest:
                fewest = before
                wanted = a
    return float(abs(tr.a - wanted))


@kernel
def doubling(st, p, tr, t):
    """Visits of the pair in this attempt minus max(1, visits before it)."""
    worst = NEVER
    if tr.where[0] == 2:
        before = tr.start[tr.s, tr.a]
        worst = float(tr.visits[tr.s, tr.a] - before - max(1, before))
    return worst


@kernel
def length(st, p, tr, t):
    """Steps of the attempt so far minus sum max(1, visits before it)."""
    worst = NEVER
    if tr.where[0] == 2:
        most = 0
        for s in range(p.S):
            for a in range(p.A):
                most += max(1, tr.start[s, a])
        worst = float(t + 1 - tr.start_t[0] - most)
    return worst


@kernel
def attempts(st, p, tr, t):
    """Attempts so far minus arrivals and S A (2 + log2 n), n = t + 1 steps."""
    return float(tr.trips[0] - tr.arrivals[0]) - p.S * p.A * (2.0 + log(t + 1.0) / LN2)


@kernel
def arrivals(st, p, tr, t):
    """Arrivals in G so far minus B."""
    return tr.arrivals[0] - tr.B


@kernel
def spending(st, p, tr, t):
    """Distance of the samples still missing from B minus the samples taken in G."""
    missing = 0
    for s in range(p.S):
        for a in range(p.A):
            missing += max(0, p.b[s, a] - tr.visits[s, a])
    return abs(missing + tr.inside[0] - tr.B)


@kernel
def completion(st, p, tr, t):
    """Distance of the completion time recorded from the first time at which every requirement held."""
    return abs(float(st.finished[0] - tr.done[0]))


@kernel
def ledger(st, p, tr, t):
    """Distance of the learner's attempts, arrivals and time of the attempt from the monitor's."""
    error = abs(st.attempts[0] - tr.trips[0]) + abs(st.arrivals[0] - tr.arrivals[0])
    if tr.where[0] == 2:
        error += abs(st.t_k[0] - tr.start_t[0])
    return float(error)
