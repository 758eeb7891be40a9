"""Faults planted in GOSPRL's planner by extended value iteration: each is one wrong line, as it is found in real code.

The loop and the radii are those of `gosprl`, and so are their faults: see there. An upper end that is not cut at 1 is
no fault: what is left of a row is at most 1 minus the state's lower end.
"""

from __future__ import annotations

from dataclasses import replace

from mdps.learners import _trips, gosprl
from mdps.learners._trips import extended_trip, plausible_value
from mdps.learners.gosprl_extended import learner
from theorylab.compiler import Kernel
from theorylab.kernel import kernel
from theorylab.learner import Learner


@kernel
def box_without_upper_ends(st, p, s, a):
    """All that is missing from the lower ends goes to the best state."""
    n = float(st.N[s, a])
    free = 1.0
    value = 1.0
    for y in range(p.S):
        low = max(0.0, st.moves[s, a, y] / n - p.alpha * st.beta[s, a, y])
        free -= low
        value += low * st.v[y]
    return value + max(0.0, free) * st.v[st.order[0]]


@kernel
def box_from_the_worst(st, p, s, a):
    """The missing mass is handed to states in order of decreasing v."""
    n = float(st.N[s, a])
    free = 1.0
    value = 1.0
    for y in range(p.S):
        low = max(0.0, st.moves[s, a, y] / n - p.alpha * st.beta[s, a, y])
        free -= low
        value += low * st.v[y]
    i = p.S - 1
    while free > 0.0 and i >= 0:
        y = st.order[i]
        x = st.moves[s, a, y] / n
        width = p.alpha * st.beta[s, a, y]
        more = min(free, min(1.0, x + width) - max(0.0, x - width))
        value += more * st.v[y]
        free -= more
        i -= 1
    return value


@kernel
def box_of_twice_the_width(st, p, s, a):
    """A state takes up to twice the width above its lower end, also where that end was cut at zero."""
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
        more = min(free, 2.0 * p.alpha * st.beta[s, a, y])
        value += more * st.v[y]
        free -= more
        i += 1
    return value


@kernel
def box_without_lower_ends(st, p, s, a):
    """All mass is handed out, and none is left at the lower ends."""
    n = float(st.N[s, a])
    free = 1.0
    value = 1.0
    i = 0
    while free > 0.0 and i < p.S:
        y = st.order[i]
        more = min(free, min(1.0, st.moves[s, a, y] / n + p.alpha * st.beta[s, a, y]))
        value += more * st.v[y]
        free -= more
        i += 1
    return value


@kernel
def whole_ball(st, p, s, a):
    """The radius of the ball is not halved."""
    n = float(st.N[s, a])
    best = st.order[0]
    excess = min(2.0 * p.alpha * st.beta[s, a, best], 1.0 - st.moves[s, a, best] / n)
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
def ball_from_the_best(st, p, s, a):
    """What the best state gains is taken from the next best ones."""
    n = float(st.N[s, a])
    best = st.order[0]
    excess = min(p.alpha * st.beta[s, a, best], 1.0 - st.moves[s, a, best] / n)
    value = 1.0 + excess * st.v[best]
    for y in range(p.S):
        value += st.moves[s, a, y] / n * st.v[y]
    i = 1
    while excess > 0.0 and i < p.S:
        y = st.order[i]
        less = min(excess, st.moves[s, a, y] / n)
        value -= less * st.v[y]
        excess -= less
        i += 1
    return value


@kernel
def unseen_stays(st, p, s, a):
    """A pair not yet visited is believed to stay."""
    if st.N[s, a] == 0:
        return 1.0 + 0.9 * st.v[s]
    return plausible_value(st, p, s, a)


@kernel
def one_sweep(st, p, t):
    """Value iteration stops after one sweep."""
    return _trips.extended_iteration(st, p, 1e18)


@kernel
def maximise(st, p, t):
    """The plan is right, but the policy takes the worst action."""
    done = extended_trip(st, p, t)
    for x in range(p.S):
        if st.goal[x] == 0:
            for a in range(p.A):
                if plausible_value(st, p, x, a) > plausible_value(st, p, x, st.pi[x]):
                    st.pi[x] = a
    return done


@kernel
def unsorted(st, p):
    """States stay in the order of their index, that of the first sweep."""
    st.order[0] = 0


def planning(shortest_path: Kernel) -> Learner:
    """Another planner."""
    return replace(learner, plan=gosprl.plan.replace(shortest_path=shortest_path))


def helper(**names: Kernel) -> Learner:
    """Other helpers of the planner."""
    return planning(extended_trip.throughout(**names))


no_upper_ends = helper(box_value=box_without_upper_ends)
mass_to_the_worst = helper(box_value=box_from_the_worst)
upper_ends_uncut = helper(box_value=box_of_twice_the_width)
no_lower_ends = helper(box_value=box_without_lower_ends)
radius_not_halved = helper(ball_value=whole_ball)
best_states_lose = helper(ball_value=ball_from_the_best)
unvisited_stay = helper(plausible_value=unseen_stays)
order_stale = helper(sort_states=unsorted)
stops_early = planning(one_sweep)
policy_maximises = planning(maximise)

SHARED = "no field: not of this planner; planted in gosprl, whose loop and radii it shares"
GENERIC: dict[str, Learner | str] = {
    "bonus zero": SHARED,
    "log factor dropped": SHARED,
    "delta not divided": SHARED,
    "wrong variance": SHARED,
    "count off by one": SHARED,
    "lost counts": SHARED,
    "unvisited at zero": unvisited_stay,
    "no clipping": upper_ends_uncut,
    "backup of the wrong stage": "no field: there are no stages",
    "mass to the wrong state": mass_to_the_worst,
    "stale estimate": order_stale,
    "worst action played": policy_maximises,
    "ties to the last": "no field: equal values are exchangeable in the inner minimum",
    "late trigger": SHARED,
    "draw reused": "no field: the learner draws nothing",
    "wrong length in the logarithm": SHARED,
}
