"""Probes of GOSPRL's other planners.

`st` is the learner's state, `tr` the truth record with the memory of `_gosprl_monitor`; values are lhs - rhs. The
inner minima are recomputed from their duals: over the box [l, u] with sum 1

    min q v = max over y of { v_y + sum_x (v_x - v_y) (l_x where v_x >= v_y, u_x elsewhere) }

and over the ball of radius r around p_hat in the 1-norm, a unit of mass moved to the best state costs 2 in norm:

    min q v = p_hat v + max over m >= 0 of { -m r - sum_x p_hat_x max(0, v_x - min v - 2 m) },

where the maximum lies at m = 0 or at a 2 m = v_y - min v [derived].
"""

from __future__ import annotations

from proofs_check.papers._gosprl_probes import goal_mask, least_value, row_excess, value_of
from theorylab.kernel import kernel
from theorylab.probe import NEVER

# Policy iteration


@kernel
def exact(st, p, tr, t):
    """Largest distance of v from L v and from v_next, over v; and of v from 0 on G."""
    worst = NEVER
    if st.t_k[0] == t:
        worst = 0.0
        for s in range(p.S):
            if tr.open[s] == 1:
                worst = max(worst, abs(st.v[s]))
            else:
                scale = max(1.0, abs(st.v[s]))
                worst = max(worst, abs(st.v[s] - least_value(st, p, s)) / scale)
                worst = max(worst, abs(st.v[s] - st.v_next[s]) / scale)
    return worst


@kernel
def greedy(st, p, tr, t):
    """Largest excess of the planned action's value over the least one, over v."""
    worst = NEVER
    if st.t_k[0] == t:
        for s in range(p.S):
            if tr.open[s] == 0:
                excess = value_of(st, p, s, st.pi[s]) - least_value(st, p, s)
                worst = max(worst, excess / max(1.0, abs(st.v[s])))
    return worst


@kernel
def own_value(st, p, tr, t):
    """On the first step of an attempt: distance of v from the exact value of the policy played, over v."""
    worst = NEVER
    if tr.where[0] == 2 and tr.start_t[0] == t:
        worst = 0.0
        for s in range(p.S):
            if st.goal[s] == 0:
                worst = max(worst, abs(st.v[s] - tr.own[s]) / max(1.0, abs(st.v[s])))
    return worst


# Extended value iteration


@kernel
def box_dual(st, p, tr, s, a):
    """min q v over the box."""
    n = float(max(1, tr.visits[s, a]))
    best = NEVER
    for y in range(p.S):
        value = st.v[y]
        for x in range(p.S):
            more = st.v[x] - st.v[y]
            f = tr.seen[s, a, x] / n
            width = p.alpha * st.beta[s, a, x]
            value += more * (max(0.0, f - width) if more >= 0.0 else min(1.0, f + width))
        best = max(best, value)
    return best


@kernel
def ball_dual(st, p, tr, s, a):
    """min q v over the ball; beta is half its radius."""
    n = float(max(1, tr.visits[s, a]))
    low = st.v[0]
    mean = 0.0
    for x in range(p.S):
        low = min(low, st.v[x])
        mean += tr.seen[s, a, x] / n * st.v[x]
    best = NEVER
    for y in range(p.S):
        m = 0.5 * (st.v[y] - low)
        value = mean - m * 2.0 * p.alpha * st.beta[s, a, y]
        for x in range(p.S):
            value -= tr.seen[s, a, x] / n * max(0.0, st.v[x] - low - 2.0 * m)
        best = max(best, value)
    return best


@kernel
def row_value(st, p, tr, s, a):
    """1 + min q v; a pair never visited jumps to G."""
    if tr.visits[s, a] == 0:
        return 1.0
    return 1.0 + (ball_dual(st, p, tr, s, a) if p.radius == 2 else box_dual(st, p, tr, s, a))


@kernel
def extended_row(st, p, tr, t):
    """Largest distance of v_next from the least row value, and excess of the planned action's over it."""
    worst = NEVER
    if st.t_k[0] == t:
        worst = 0.0
        for s in range(p.S):
            if tr.open[s] == 1:
                worst = max(worst, max(abs(st.v[s]), abs(st.v_next[s])))
            else:
                least = 1e18
                own = 0.0
                for a in range(p.A):
                    value = row_value(st, p, tr, s, a)
                    least = min(least, value)
                    if a == st.pi[s]:
                        own = value
                scale = max(1.0, abs(st.v[s]))
                worst = max(worst, max(abs(st.v_next[s] - least), own - least) / scale)
    return worst


@kernel
def ball_excess(st, p, tr, s, a):
    """|p - p_hat|_1 - 2 alpha beta of a row."""
    n = float(max(1, tr.visits[s, a]))
    total = -2.0 * p.alpha * st.beta[s, a, 0]
    for s2 in range(p.S):
        total += abs(tr.seen[s, a, s2] / n - tr.law[s, a, s2])
    return total


@kernel
def plausible(st, p, tr):
    """1 where every visited row off G is a plausible law."""
    good = 1
    for s in range(p.S):
        for a in range(p.A):
            if tr.open[s] == 0 and tr.visits[s, a] > 0:
                excess = ball_excess(st, p, tr, s, a) if p.radius == 2 else row_excess(st, p, tr, s, a, p.alpha)
                if excess > 0.0:
                    good = 0
    return good


@kernel
def extended_optimism(st, p, tr, t):
    """Largest v_next - V*_G, where every visited row off G is plausible."""
    worst = NEVER
    if st.t_k[0] == t and plausible(st, p, tr) == 1:
        mask = goal_mask(p, tr)
        for s in range(p.S):
            if tr.open[s] == 0:
                worst = max(worst, st.v_next[s] - tr.V_goal[mask, s])
    return worst


@kernel
def extended_tighter(st, p, tr, t):
    """Largest excess of one sweep on the lower bounds over one sweep on the plausible laws, both from v."""
    worst = NEVER
    if st.t_k[0] == t:
        for s in range(p.S):
            if tr.open[s] == 0:
                worst = max(worst, (least_value(st, p, s) - st.v_next[s]) / max(1.0, abs(st.v[s])))
    return worst
