"""Probes of what GOSPRL collects for: exploration for all goals (gosprl-explore) and the diameter (gosprl-diameter).

`st` is the learner's state, `tr` the truth record of the average-reward loop with the memory of the monitors below;
values are lhs - rhs. What was collected is counted from outside, in tr.visits and seen (S,A,S). The statements are
about runs that end: one that does not counts as a violation, UNFINISHED.

The planning phase of gosprl-explore is written out once more: at completion, on the transitions up to then, for every
goal, at the costs of the table `cost` (S,A). Memory: low, spare (S,A,S) the box of every law, v, v_next, order, pi (S,)
the plan, own (S,) the exact costs of its policy in the true model by elimination in matrix (S,S+1), loss (1,) the
largest excess over the optimal costs `best` (S,S), row g for goal g; -1 before completion. For gosprl-diameter cost is
1, and farthest (1,) is the largest optimistic time at the estimate, to 1e-10; round, before (1,): the round, and |v| at
the end of the round before.
"""

from __future__ import annotations

from theorylab.kernel import kernel, log, sqrt
from theorylab.learner import f8, i8
from theorylab.probe import NEVER, Monitor

UNFINISHED = 1e18
MOST_SWEEPS = 1_000_000


@kernel
def counts(st, p, tr, t):
    """Differences between the learner's counts and what happened."""
    wrong = 0
    for s in range(p.S):
        for a in range(p.A):
            wrong += abs(st.N[s, a] - tr.visits[s, a])
            for s2 in range(p.S):
                wrong += abs(st.moves[s, a, s2] - tr.seen[s, a, s2])
    return float(wrong)


@kernel
def beta(p, x, n):
    """The AME radius of an entry of frequency x after n visits."""
    iota = log(6.0 * p.S * p.A * n / p.delta)
    return 2.0 * sqrt(x * (1.0 - x) * iota / n) + 6.0 * iota / n


# Exploration


@kernel
def phi(p, tr):
    """Visits that the allocation asks of every pair, before rounding up, from the transitions so far."""
    most = 1
    for s in range(p.S):
        for a in range(p.A):
            degree = 0
            for s2 in range(p.S):
                degree += 1 if tr.seen[s, a, s2] > 0 else 0
            most = max(most, degree)
    y = max(p.cost, p.epsilon / (p.theta * p.times))
    X = p.times
    long = log(X * p.S * p.A / (y * p.epsilon * p.delta))
    short = log(X * p.S * p.A / (y * p.delta))
    first = X * X * X * most * long / (y * p.epsilon * p.epsilon)
    second = X * X * p.S * long / (y * p.epsilon)
    third = X * X * most * short * short / (y * y)
    return p.alpha0 * (first + second + third)


@kernel
def requirement(st, p, tr, t):
    """How far a requirement in force is outside of [phi, phi + 1), relative to phi or 1."""
    wanted = phi(p, tr)
    worst = NEVER
    for s in range(p.S):
        for a in range(p.A):
            worst = max(worst, max(wanted - st.need[s, a], st.need[s, a] - wanted - 1.0))
    return worst / max(1.0, wanted)


@kernel
def collected(st, p, tr, t):
    """At completion: the largest phi - visits."""
    worst = NEVER
    if st.finished[0] == t:
        wanted = phi(p, tr)
        for s in range(p.S):
            for a in range(p.A):
                worst = max(worst, wanted * (1.0 - 1e-12) - tr.visits[s, a])
    return worst


@kernel
def fill_boxes(p, tr):
    """low and spare of every visited pair, p_hat -+ alpha beta cut to [0, 1]."""
    for s in range(p.S):
        for a in range(p.A):
            n = 0
            for s2 in range(p.S):
                n += tr.seen[s, a, s2]
            for s2 in range(p.S):
                x = tr.seen[s, a, s2] / max(1.0, float(n))
                width = p.alpha * beta(p, x, max(1.0, float(n)))
                tr.low[s, a, s2] = max(0.0, x - width)
                tr.spare[s, a, s2] = min(1.0, x + width) - tr.low[s, a, s2]


@kernel
def rank(p, tr):
    """order = states by increasing v."""
    for s in range(p.S):
        place = 0
        for s2 in range(p.S):
            if tr.v[s2] < tr.v[s] or (tr.v[s2] == tr.v[s] and s2 < s):
                place += 1
        tr.order[place] = s


@kernel
def box_cost(p, tr, s, a, nu):
    """max(c, nu) + min q v over the box."""
    free = 1.0
    value = max(tr.cost[s, a], nu)
    for s2 in range(p.S):
        free -= tr.low[s, a, s2]
        value += tr.low[s, a, s2] * tr.v[s2]
    for i in range(p.S):
        more = max(0.0, min(free, tr.spare[s, a, tr.order[i]]))
        value += more * tr.v[tr.order[i]]
        free -= more
    return value


@kernel
def plan_to(p, tr, goal, nu, precision):
    """Extended value iteration to the goal, from zero, at costs of at least nu; pi is greedy for the last v."""
    for s in range(p.S):
        tr.v_next[s] = 0.0
    change = 2.0 * precision
    sweep = 0
    while change > precision and sweep < MOST_SWEEPS:
        sweep += 1
        for s in range(p.S):
            tr.v[s] = tr.v_next[s]
        rank(p, tr)
        change = 0.0
        for s in range(p.S):
            if s != goal:
                for a in range(p.A):
                    value = box_cost(p, tr, s, a, nu)
                    if a == 0 or value < tr.v_next[s]:
                        tr.v_next[s] = value
                        tr.pi[s] = a
                change = max(change, tr.v_next[s] - tr.v[s])


@kernel
def true_costs(p, tr, goal):
    """own = cost + P_pi own off the goal, by elimination; false for a policy that need not arrive."""
    m = tr.matrix
    for s in range(p.S):
        for s2 in range(p.S):
            m[s, s2] = 1.0 if s == s2 else 0.0
            if s != goal and s2 != goal:
                m[s, s2] -= tr.law[s, tr.pi[s], s2]
        m[s, p.S] = tr.cost[s, tr.pi[s]] if s != goal else 0.0
    for k in range(p.S):
        if m[k, k] <= 1e-10:
            return False
        for i in range(k + 1, p.S):
            factor = m[i, k] / m[k, k]
            for j in range(k, p.S + 1):
                m[i, j] -= factor * m[k, j]
    for i in range(p.S):
        k = p.S - 1 - i
        value = m[k, p.S]
        for j in range(k + 1, p.S):
            value -= m[k, j] * tr.own[j]
        tr.own[k] = value / m[k, k]
    return True


@kernel
def observe_plans(st, p, tr, t):
    """At completion the loss of the planning phase over all goals; then record the transition."""
    if st.finished[0] == t:
        tr.loss[0] = 0.0
        fill_boxes(p, tr)
        nu = p.epsilon / (2.0 * p.theta * p.times)
        precision = max(p.cost, 2.0 * nu) * p.epsilon / (6.0 * p.times)
        for goal in range(p.S):
            plan_to(p, tr, goal, nu, precision)
            if not true_costs(p, tr, goal):
                tr.loss[0] = UNFINISHED
            else:
                for s in range(p.S):
                    tr.loss[0] = max(tr.loss[0], tr.own[s] - tr.best[goal, s])
    tr.seen[tr.s, tr.a, tr.s2] += 1


@kernel
def begin_plans(p, tr):
    """Nothing planned."""
    tr.loss[0] = -1.0


@kernel
def guarantee(st, p, tr, t):
    """The largest excess of a planned policy over the optimal cost, minus epsilon."""
    return tr.loss[0] - p.epsilon if tr.loss[0] >= 0.0 else UNFINISHED


# Diameter


@kernel
def observe_rounds(st, p, tr, t):
    """The round and |v| of the one before; at the estimate the optimistic times; then the transition."""
    if st.finished[0] == t:
        fill_boxes(p, tr)
        for goal in range(p.S):
            plan_to(p, tr, goal, 0.0, 1e-10)
            for s in range(p.S):
                tr.farthest[0] = max(tr.farthest[0], tr.v_next[s])
    elif st.finished[0] < 0 and st.rounds[0] > tr.round[0]:
        tr.round[0] = st.rounds[0]
        tr.before[0] = st.largest[0]
    tr.seen[tr.s, tr.a, tr.s2] += 1


@kernel
def bracket(st, p, tr, t):
    """With u the largest optimistic time, exact: the larger of u - |v| and (1 - epsilon / 2) |v| - u, over u."""
    u = tr.farthest[0]
    v = st.largest[0]
    return max(u - v, (1.0 - 0.5 * p.epsilon) * v - u) / u if u > 0.0 else UNFINISHED


@kernel
def estimate(st, p, tr, t):
    """The larger of D - D_hat and D_hat - f D, over D."""
    e = p.epsilon
    f = (1.0 + 2.0 * e * (1.0 + e)) * (1.0 + e)
    value = st.estimate[0]
    return max(tr.D - value, value - f * tr.D) / tr.D if st.finished[0] >= 0 else UNFINISHED


@kernel
def rounds(st, p, tr, t):
    """Rounds beyond ceil(log2(D (1 + epsilon))) + 1."""
    most = 1
    reach = 1.0
    while reach < tr.D * (1.0 + p.epsilon):
        reach *= 2.0
        most += 1
    return float(st.rounds[0] - most) if st.finished[0] >= 0 else UNFINISHED


@kernel
def optimism(st, p, tr, t):
    """The largest optimistic time of the last round minus D, over D."""
    return st.largest[0] * (1.0 - 0.5 * p.epsilon) / tr.D - 1.0 if st.finished[0] >= 0 else UNFINISHED


@kernel
def doubled(n):
    """2^n."""
    out = 1.0
    for _ in range(n):
        out = 2.0 * out
    return out


@kernel
def accuracy(st, p, tr, t):
    """At the estimate: the largest distance of p_hat from p in the 1-norm minus epsilon / (2 W), W = 2^(rounds - 1)."""
    worst = NEVER
    if st.finished[0] == t:
        for s in range(p.S):
            for a in range(p.A):
                n = max(1.0, float(tr.visits[s, a]))
                total = 0.0
                for s2 in range(p.S):
                    total += abs(tr.seen[s, a, s2] / n - tr.law[s, a, s2])
                worst = max(worst, total - p.epsilon / doubled(st.rounds[0]))
    return worst


@kernel
def precision(st, p, tr, t):
    """At the estimate: the largest sum of a pair's radii minus epsilon / (2 W), relative to it."""
    worst = NEVER
    if st.finished[0] == t and p.radius == 0:
        for s in range(p.S):
            for a in range(p.A):
                n = max(1.0, float(tr.visits[s, a]))
                total = 0.0
                for s2 in range(p.S):
                    total += p.alpha * beta(p, tr.seen[s, a, s2] / n, n)
                worst = max(worst, total * doubled(st.rounds[0]) / p.epsilon - 1.0)
    return worst


@kernel
def once_more(st, p, tr, t):
    """At every lookup: the requirement of a pair beyond one visit more than it has, or none."""
    worst = NEVER
    for s in range(p.S):
        for a in range(p.A):
            worst = max(worst, abs(st.need[s, a] - tr.visits[s, a] - 0.5) - 0.5)
    return worst


@kernel
def reached(st, p, tr, t):
    """At the estimate, W = 2^(rounds - 1): the largest of |v| - W, |guess - W| and W / 2 - |v| of the round before."""
    worst = NEVER
    if st.finished[0] == t:
        W = 0.5 * doubled(st.rounds[0])
        worst = max(st.largest[0] - W, abs(st.guess[0] - W))
        if st.rounds[0] > 1 and tr.round[0] == st.rounds[0]:
            worst = max(worst, 0.5 * W * (1.0 + 1e-12) - tr.before[0])
    return worst


@kernel
def formula(st, p, tr, t):
    """Distance of D_hat from (1 + 2 eta |v|) |v|, eta = epsilon / W, relative to it."""
    v = st.largest[0]
    wanted = (1.0 + 2.0 * p.epsilon / (0.5 * doubled(st.rounds[0])) * v) * v
    return abs(st.estimate[0] / wanted - 1.0) if st.finished[0] >= 0 else UNFINISHED


BOXES = dict(low=f8["S", "A", "S"], spare=f8["S", "A", "S"], v=f8["S"], v_next=f8["S"], order=i8["S"], pi=i8["S"])
ROUNDS = dict(farthest=f8[1], round=i8[1], before=f8[1])
EXACT = dict(own=f8["S"], matrix=f8["S", "S+1"], loss=f8[1])
monitor_rounds = Monitor(dict(seen=i8["S", "A", "S"], **BOXES, **ROUNDS), None, observe_rounds)
monitor_plans = Monitor(dict(seen=i8["S", "A", "S"], **BOXES, **EXACT), begin_plans, observe_plans)
