"""Faults planted in GOSPRL's planner by policy iteration: each is one wrong line, as it is found in real code.

The loop, the radii and the lower bounds are those of `gosprl`, and so are their faults: see there.
"""

from __future__ import annotations

from dataclasses import replace

from mdps.learners import gosprl
from mdps.learners._collection import backup
from mdps.learners._trips import equations, improve, policy_iteration, solve
from mdps.learners.gosprl_policy_iteration import learner
from theorylab.compiler import Kernel
from theorylab.kernel import kernel
from theorylab.learner import Learner


@kernel
def one_round(st, p, t):
    """The policy of the start is evaluated and improved once, and its values are kept."""
    for x in range(p.S):
        if st.goal[x] == 0:
            st.pi[x] = 0
    done = solve(st, p)
    improve(st, p)
    st.sweeps[0] = 1
    return done


@kernel
def two_rounds(st, p, t):
    """The minimum over actions is taken in the first round only."""
    for x in range(p.S):
        if st.goal[x] == 0:
            st.pi[x] = 0
    done = solve(st, p)
    if done and improve(st, p):
        done = solve(st, p)
    for x in range(p.S):
        st.v_next[x] = st.v[x]
    st.sweeps[0] = 2
    return done


@kernel
def transposed(st, p):
    """The equations hold the columns of plow."""
    equations(st, p)
    for x in range(p.S):
        for y in range(p.S):
            st.matrix[x, y] = 1.0 if x == y else 0.0
            if st.goal[x] == 0 and st.goal[y] == 0:
                st.matrix[x, y] -= st.plow[y, st.pi[y], x]


@kernel
def goals_cost(st, p):
    """A step costs 1 on G too."""
    equations(st, p)
    for x in range(p.S):
        st.matrix[x, p.S] = 1.0


@kernel
def other_pivot(st, p):
    """A row is divided by its own diagonal entry in place of the pivot's."""
    equations(st, p)
    m = st.matrix
    for k in range(p.S):
        for i in range(k + 1, p.S):
            factor = m[i, k] / m[i, i]
            for j in range(k, p.S + 1):
                m[i, j] -= factor * m[k, j]
    return back(st, p)


@kernel
def back(st, p):
    """Values from a matrix that is triangular."""
    m = st.matrix
    for i in range(p.S):
        k = p.S - 1 - i
        value = m[k, p.S]
        for j in range(k + 1, p.S):
            value -= m[k, j] * st.v[j]
        st.v[k] = value / m[k, k]
    return True


@kernel
def diagonal(st, p):
    """Nothing is put in from the states behind."""
    done = solve(st, p)
    for k in range(p.S):
        st.v[k] = st.matrix[k, p.S] / st.matrix[k, k]
    return done


@kernel
def maximise(st, p, t):
    """The plan is right, but the policy takes the worst action."""
    done = policy_iteration(st, p, t)
    for x in range(p.S):
        if st.goal[x] == 0:
            for a in range(p.A):
                if backup(st, x, a) > backup(st, x, st.pi[x]):
                    st.pi[x] = a
    return done


@kernel
def next_to_last(st, p):
    """The last action is left out of the minimum."""
    changed = False
    for x in range(p.S):
        st.v_next[x] = 0.0
        if st.goal[x] == 0:
            least = backup(st, x, 0)
            best = 0
            for a in range(1, p.A - 1):
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
def capped(st, p, t):
    """A plan, whether its rounds ended or not."""
    policy_iteration(st, p, t)
    return True


def planning(shortest_path: Kernel) -> Learner:
    """Another planner."""
    return replace(learner, plan=gosprl.plan.replace(shortest_path=shortest_path))


def helper(**names: Kernel) -> Learner:
    """Other helpers of the planner; where its rounds have no end, the last one stands."""
    return planning(capped.replace(policy_iteration=policy_iteration.throughout(**names)))


stops_after_one_round = planning(one_round)
minimum_in_the_first_round = planning(two_rounds)
equations_transposed = helper(equations=transposed)
goals_not_free = helper(equations=goals_cost)
pivot_of_the_row = helper(solve=other_pivot)
no_substitution = helper(solve=diagonal)
policy_maximises = planning(maximise)
last_action_left_out = helper(improve=next_to_last)

SHARED = "no field: not of this planner; planted in gosprl, whose loop and lower bounds it shares"
GENERIC: dict[str, Learner | str] = {
    "bonus zero": SHARED,
    "log factor dropped": SHARED,
    "delta not divided": SHARED,
    "wrong variance": SHARED,
    "count off by one": SHARED,
    "lost counts": SHARED,
    "unvisited at zero": SHARED,
    "no clipping": SHARED,
    "backup of the wrong stage": "no field: there are no stages",
    "mass to the wrong state": equations_transposed,
    "stale estimate": minimum_in_the_first_round,
    "worst action played": policy_maximises,
    "ties to the last": "no field: an action is left only for one that is better",
    "late trigger": SHARED,
    "draw reused": "no field: the learner draws nothing",
    "wrong length in the logarithm": SHARED,
}
