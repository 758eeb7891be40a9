"""GOSPRL: collects b(s,a) samples of every pair by optimistic trips to open states. Average setting, communicating.

The agent knows S, A, b and delta; there is no reset, and rewards are ignored. b is the array `b` (S,A), or `samples`
of every pair where it is not given (TREASURE-K); `b_states` (S,) asks for visits of states with any action, beside b or
alone. With C(s,a,s2) transitions and N(s,a) visits so far:

    1. G = the states with an open action, N(s,a) < b(s,a), or sum_a N(s,a) < b(s); when G is empty the sample is
       complete, and action 0 is played from then on without planning.
    2. In a state of G play the action with the largest b - N; where only b(s) is short, the one with the fewest visits.
    3. Elsewhere an attempt begins: U = N, the optimistic policy to G is planned, and it and G are kept. The attempt
       ends as soon as G is entered or the pair just executed has doubled, N - U >= max(1, U).

The plan lets each entry off G be as small as its radius allows, and gives all that is missing from a row to G, so that
a pair not yet visited is believed to jump to G:

    plow(s,a,s2) = max(0, p_hat(s,a,s2) - alpha beta(s,a,s2)),   p_hat = C / n,   n = max(1, N(s,a))

    radius 0 (AME)  beta = 2 sqrt(p_hat (1 - p_hat) iota / n) + 6 iota / n,   iota = log(6 S A n / delta)   [source]
    radius 1 (ROS)  beta = 4 sqrt(p_hat iota / n) + 28 iota / n,              iota = log(S A n / delta)     [source]
    radius 2 (L1)   beta = sqrt(8 S iota / n) / 2,                            iota = log(2 A n / delta)     [recalled]

Each of the sets |p - p_hat| <= beta holds p for all pairs and times at once, except with probability delta. The third
is what a ball of radius sqrt(8 S iota / n) in the 1-norm allows an entry: half of it, as both laws sum to one
[derived]. `alpha` = 1 is the theory, 0.1 the practice. With alpha = 0 (p_hat itself) a way that was missed by chance is
believed shut; where no other is left, values grow without end and the plan fails after `max_sweeps`.

Other forms: `gosprl-policy-iteration` and `gosprl-extended` plan otherwise, `gosprl-sparse` is for thousands of states,
and rules that ask for more as they learn take the place of the fixed b in `gosprl-modest` and others (`_adaptive`).

State: moves (S,A,S) transitions, U (S,A) visits before the attempt, beta (S,A,S) radii of the last plan, and the
fields of `_collection`: N, goal, finished (the completion time in steps, -1 before), attempts, arrivals, t_k, plow, v,
pi. Ties to the lowest action. Cost S^2 A a plan, then a sweep looks at the positive entries of plow.

Source: tarbouriech2021, loop and planner [recalled; radii source: the authors' neighbouring papers].
"""

from __future__ import annotations

from typing import Any

from mdps.learners._collection import (
    ARRAYS,
    REQUIREMENT,
    TRAVEL,
    accepts,
    begin_to_travel,
    bound_entry,
    count,
    on_the_way,
    play,
    requirement,
    shortest_path,
    start_attempt,
)
from theorylab.errors import InputError
from theorylab.kernel import kernel, log, sqrt
from theorylab.learner import Learner, f8, i8

AME, ROS, L1 = 0, 1, 2


@kernel
def log_term(p, n):
    """iota of the radius at n = max(1, N)."""
    weight = 6.0 * p.S * p.A
    if p.radius == ROS:
        weight = float(p.S * p.A)
    if p.radius == L1:
        weight = 2.0 * p.A
    return log(weight * n / p.delta)


@kernel
def entry_radius(p, x, n, iota):
    """beta of an entry of frequency x."""
    if p.radius == ROS:
        return 4.0 * sqrt(x * iota / n) + 28.0 * iota / n
    if p.radius == L1:
        return 0.5 * sqrt(8.0 * p.S * iota / n)
    return 2.0 * sqrt(x * (1.0 - x) * iota / n) + 6.0 * iota / n


@kernel
def doubled(st, s, a):
    """Whether the visits of a pair in the attempt have reached those before it."""
    return st.N[s, a] - st.U[s, a] >= max(1, st.U[s, a])


@kernel
def watch(st, p, t, s, a, r, s2):
    """Count the step; true when an attempt must begin: in a closed state, after a sample in G or a doubling."""
    st.moves[s, a, s2] += 1
    inside = count(st, p, t, s, a)
    twice = doubled(st, s, a)
    return on_the_way(st, inside, s2) and (inside or twice)


@kernel
def bound_row(st, p, s, a):
    """Radii and lower bounds of a pair."""
    n = float(max(1, st.N[s, a]))
    iota = log_term(p, n)
    st.width[s, a] = 0
    for s2 in range(p.S):
        x = st.moves[s, a, s2] / n
        st.beta[s, a, s2] = entry_radius(p, x, n, iota)
        bound_entry(st, s, a, s2, x - p.alpha * st.beta[s, a, s2])


@kernel
def truncate(st, p):
    """U = N, and the model of the attempt."""
    for s in range(p.S):
        for a in range(p.A):
            st.U[s, a] = st.N[s, a]
            bound_row(st, p, s, a)


@kernel
def plan(st, p, t, s, rng):
    """An attempt and its policy; nothing where the run begins in G or with nothing to collect."""
    done = True
    if st.goal[s] == 0 and st.finished[0] < 0:
        start_attempt(st, t)
        truncate(st, p)
        done = shortest_path(st, p, t)
    return done


def choices(name: str, p: dict[str, Any]) -> None:
    """Refuse a radius that does not exist and a negative multiplier."""
    if p["radius"] not in (AME, ROS, L1):
        raise InputError(f"{name}: radius={p['radius']} is none of 0 (AME), 1 (ROS), 2 (L1)")
    if p["alpha"] < 0.0:
        raise InputError(f"{name}: alpha={p['alpha']} is negative; 1 is the theory's radius, 0 none")


def derive(p: dict[str, Any]) -> dict[str, Any]:
    """The requirement; refuses what `choices` does."""
    choices("gosprl", p)
    return requirement(p)


#: parameters and state of every learner that makes GOSPRL's trips
PARAMS = dict(alpha=1.0, delta=0.1, radius=AME, max_sweeps=1_000_000)
STATE = {
    **REQUIREMENT,
    **TRAVEL,
    **dict(moves=i8["S", "A", "S"], U=i8["S", "A"], beta=f8["S", "A", "S"]),
}
learner = Learner(
    name="gosprl",
    setting="average",
    cite="tarbouriech2021",
    source_tag="recalled",
    params=dict(samples=1, **PARAMS),
    arrays=ARRAYS,
    state=STATE,
    derive=derive,
    accepts=accepts,
    begin=begin_to_travel,
    act=play,
    watch=watch,
    plan=plan,
    text="The sample asked for is the array b, or `samples` of every pair, and b_states of states; `radius` 0 AME, "
    "1 ROS, 2 L1, times `alpha`. "
    "The precision of a plan is 1/(2 t_k), but not below 1e-6. `finished` holds the completion time in steps, or -1.",
)
