"""Planners of a trip to the open states G, besides value iteration on the lower bounds (`_collection.shortest_path`).

All of them plan at unit cost to v = 0 on G and leave v, v_next = L v (S,) and the policy in pi; ties to the lowest
action.

policy_iteration: on the same lower bounds plow, exact. Off G, (I - plow_pi) v = 1 is solved by elimination without
pivoting: rows of plow sum to less than one, so that the matrix is diagonally dominant. It starts at action 0
everywhere, which is proper as every policy is where alpha > 0, and leaves an action for another only where that one is
better by more than 1e-12 of the value. S^3 / 3 multiplications a round, a handful of rounds; for S up to some hundreds.

extended_iteration: the model may be any law within alpha beta of p_hat, upper ends included: with radii 0 and 1

    (L v)(s) = 1 + min_a min { q v : |q - p_hat| <= alpha beta entrywise, 0 <= q <= 1, sum q = 1 }

whose inner minimum starts at the lower ends and hands the missing mass to states in order of increasing v, each up to
its upper end [source: ALT21, appendix B]; with radius 2 the ball |q - p_hat|_1 <= alpha sqrt(8 S iota / n), where the
best state gains half the radius and the worst states lose it [source: JOA10, figure 2]. A pair that was never visited
jumps to G. Iterated from v = 0 until |L v - v| is at most the precision. Its values are at or above those of the lower
bounds, which drop the upper ends [derived].
"""

from __future__ import annotations

from mdps.learners._collection import PRECISION_FLOOR, backup
from theorylab.kernel import kernel


@kernel
def equations(st, p):
    """matrix = (I - plow_pi, 1), with v = 0 on G."""
    m = st.matrix
    for x in range(p.S):
        closed = 1.0 - st.goal[x]
        for y in range(p.S):
            m[x, y] = 1.0 if x == y else 0.0
            if st.goal[x] == 0:
                m[x, y] -= st.plow[x, st.pi[x], y]
        m[x, p.S] = closed


@kernel
def solve(st, p):
    """v = (I - plow_pi)^{-1} 1 off G; false where a pivot is not positive (a policy that never arrives)."""
    equations(st, p)
    m = st.matrix
    for k in range(p.S):
        if m[k, k] <= 0.0:
            return False
        for i in range(k + 1, p.S):
            factor = m[i, k] / m[k, k]
            if factor != 0.0:
                for j in range(k, p.S + 1):
                    m[i, j] -= factor * m[k, j]
    for i in range(p.S):
        k = p.S - 1 - i
        value = m[k, p.S]
        for j in range(k + 1, p.S):
            value -= m[k, j] * st.v[j]
        st.v[k] = value / m[k, k]
    return True


@kernel
def improve(st, p):
    """v_next = L v, and the actions that are better than those played; true if there was one."""
    changed = False
    for x in range(p.S):
        st.v_next[x] = 0.0
        if st.goal[x] == 0:
            least = backup(st, x, 0)
            best = 0
            for a in range(1, p.A):
                value = backup(st, x, a)
                if value < least:
                    least = value
                    best = a
            st.v_next[x] = least
            if least < (1.0 - 1e-12) * backup(st, x, st.pi[x]):
                st.pi[x] = best
                changed = True
    return changed


@kernel
def policy_iteration(st, p, t):
    """Exact values of the best policy on the lower bounds; false if a policy never arrives (alpha = 0)."""
    for x in range(p.S):
        if st.goal[x] == 0:
            st.pi[x] = 0
    for round in range(p.max_sweeps):
        if not solve(st, p):
            return False
        if not improve(st, p):
            st.sweeps[0] = round + 1
            return True
    return False


# Extended value iteration


@kernel
def sort_states(st, p):
    """order = states by increasing v, ties to the lowest index (insertion sort: nearly sorted between sweeps)."""
    for i in range(1, p.S):
        x = st.order[i]
        j = i
        while j > 0:
            y = st.order[j - 1]
            if st.v[y] < st.v[x] or (st.v[y] == st.v[x] and y < x):
                break
            st.order[j] = y
            j -= 1
        st.order[j] = x


@kernel
def box_value(st, p, s, a):
    """1 + min q v over the box of a visited pair."""
    n = float(st.N[s, a])
    free = 1.0
    value = 1.0
    for y in range(p.S):
        low = max(0.0, st.moves[s, a, y] / n - p.alpha * st.beta[s, a, y])
        free -= low
        value += low * st.v[y]
    i = 0
    while free > 0.0 and i < p.S:
        y = st.order[i]
        x = st.moves[s, a, y] / n
        width = p.alpha * st.beta[s, a, y]
        more = min(free, min(1.0, x + width) - max(0.0, x - width))
        value += more * st.v[y]
        free -= more
        i += 1
    return value


@kernel
def ball_value(st, p, s, a):
    """1 + min q v over the ball in the 1-norm of a visited pair; beta is half the radius."""
    n = float(st.N[s, a])
    best = st.order[0]
    excess = min(p.alpha * st.beta[s, a, best], 1.0 - st.moves[s, a, best] / n)
    value = 1.0 + excess * st.v[best]
    for y in range(p.S):
        value += st.moves[s, a, y] / n * st.v[y]
    i = p.S - 1
    while excess > 0.0 and i > 0:
        y = st.order[i]
        less = min(excess, st.moves[s, a, y] / n)
        value -= less * st.v[y]
        excess -= less
        i -= 1
    return value


@kernel
def plausible_value(st, p, s, a):
    """1 + min q v over the plausible laws of a pair."""
    if st.N[s, a] == 0:
        return 1.0
    if p.radius == 2:
        return ball_value(st, p, s, a)
    return box_value(st, p, s, a)


@kernel
def extended_iteration(st, p, precision):
    """Value iteration over all plausible laws, from zero; false if it does not stop within the sweep limit."""
    for x in range(p.S):
        st.order[x] = x
        st.v_next[x] = 0.0
    for sweep in range(p.max_sweeps):
        for x in range(p.S):
            st.v[x] = st.v_next[x]
        sort_states(st, p)
        change = 0.0
        for x in range(p.S):
            if st.goal[x] == 0:
                least = 0.0
                for a in range(p.A):
                    value = plausible_value(st, p, x, a)
                    if a == 0 or value < least:
                        least = value
                        st.pi[x] = a
                st.v_next[x] = least
                change = max(change, abs(least - st.v[x]))
        if change <= precision:
            st.sweeps[0] = sweep + 1
            return True
    return False


@kernel
def extended_trip(st, p, t):
    """Extended value iteration to the precision of `shortest_path`."""
    return extended_iteration(st, p, max(PRECISION_FLOOR, 0.5 / max(1, t)))
