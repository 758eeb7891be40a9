"""GOSPRL for thousands of states: the algorithm of `gosprl`, with successors kept only where they were seen.

A successor that was not seen has p_hat = 0, hence plow = 0 with each of the three radii: sums over the successors seen,
in order of the index, are those of `gosprl` term by term. Actions, completion times, v, v_next and pi are the same bits
for the same seeds. Memory is S A `slots` words a field for S^2 A; `slots` is the most distinct successors of a pair (0
for S). A pair with more ends the run with an `InputError` that names it.

A plan bounds anew the rows that were visited since the last one, N != U, as a row is a function of its own counts.
Bounds are kept on G too, which changes no bit of a sum: there v = 0. Sweeps are those of `gosprl`; in place
(Gauss-Seidel, in order of the values) about as many were needed and each took longer.

State: succ, times (S,A,slots) successors and how often they were seen, in order of the index, the first met (S,A) of
them; support, plow (S,A,slots) successors of positive bound and the bounds, the first width (S,A); U (S,A) visits
before the attempt; full: 1 + s A + a of a pair without a free slot; and the fields of `_collection`: N, goal, finished,
attempts, arrivals, t_k, sweeps, v, v_next, pi.

Source: tarbouriech2021, as `gosprl`; storage [derived].
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mdps.learners import gosprl
from mdps.learners._collection import (
    ARRAYS,
    REQUIREMENT,
    accepts,
    begin_to_travel,
    count,
    on_the_way,
    play,
    requirement,
    shortest_path,
)
from mdps.learners.gosprl import PARAMS, doubled, entry_radius, log_term
from theorylab.errors import InputError
from theorylab.kernel import kernel
from theorylab.learner import Learner, f8, i8

# Counts: kernels without branches around memory, as in `_collection`, since they run at every step.


@kernel
def insert(st, s, a, j, s2, new):
    """Where `new` is 1, a slot for s2 before the j-th successor of a pair."""
    met = st.met[s, a]
    for i in range(new * (met - j)):
        st.succ[s, a, met - i] = st.succ[s, a, met - i - 1]
        st.times[s, a, met - i] = st.times[s, a, met - i - 1]
    st.succ[s, a, j] = s2 if new == 1 else st.succ[s, a, j]
    st.times[s, a, j] = 0 if new == 1 else st.times[s, a, j]
    st.met[s, a] = met + new


@kernel
def record(st, p, s, a, s2):
    """Count a transition; `full` where there is no slot for it."""
    smaller = 0
    known = 0
    for k in range(st.met[s, a]):
        smaller += 1 if st.succ[s, a, k] < s2 else 0
        known += 1 if st.succ[s, a, k] == s2 else 0
    new = 1 if known == 0 and st.met[s, a] < p.slots else 0
    j = min(smaller, p.slots - 1)
    insert(st, s, a, j, s2, new)
    st.times[s, a, j] += known + new
    st.full[0] = max(st.full[0], (1 - known - new) * (1 + s * p.A + a))


@kernel
def watch(st, p, t, s, a, r, s2):
    """Count the step; true when an attempt must begin, as in `gosprl`, and where a pair has no slot left."""
    record(st, p, s, a, s2)
    inside = count(st, p, t, s, a)
    twice = doubled(st, s, a)
    full = st.full[0] > 0
    travelling = on_the_way(st, inside, s2)
    return full or (travelling and (inside or twice))


@kernel
def bound_row(st, p, s, a):
    """Positive lower bounds of a pair, in order of the index."""
    n = float(max(1, st.N[s, a]))
    iota = log_term(p, n)
    width = 0
    for j in range(st.met[s, a]):
        x = st.times[s, a, j] / n
        low = x - p.alpha * entry_radius(p, x, n, iota)
        st.plow[s, a, width] = low  # overwritten by the next one where it is not positive
        st.support[s, a, width] = st.succ[s, a, j]
        width += 1 if low > 0.0 else 0
    st.width[s, a] = width


@kernel
def truncate(st, p):
    """U = N, and the model of the attempt: rows visited since the last one are new."""
    for s in range(p.S):
        for a in range(p.A):
            if st.N[s, a] != st.U[s, a]:
                st.U[s, a] = st.N[s, a]
                bound_row(st, p, s, a)


@kernel
def backup(st, s, a):
    """1 + sum of plow v over the row (s, a); v = 0 on G."""
    value = 1.0
    for j in range(st.width[s, a]):
        value += st.plow[s, a, j] * st.v[st.support[s, a, j]]
    return value


to_goals = shortest_path.replace(backup=backup)
trip = gosprl.plan.replace(truncate=truncate, shortest_path=to_goals)


@kernel
def plan(st, p, t, s, rng):
    """An attempt and its policy, as in `gosprl`; false where a pair has no slot left."""
    return st.full[0] == 0 and trip(st, p, t, s, rng)


def failure(state: dict[str, np.ndarray], p: dict[str, Any]) -> str | None:
    """The pair without a free slot, if that is why a plan failed."""
    place = int(state["full"][0])
    if place == 0:
        return None
    s, a = divmod(place - 1, p["A"])
    return (
        f"the pair (s, a) = ({s}, {a}) has had more than slots={p['slots']} distinct successors; give a "
        f"larger `slots`, or 0 for all S={p['S']}"
    )


def derive(p: dict[str, Any]) -> dict[str, Any]:
    """The requirement and the number of slots; refuses what `gosprl` does, and negative slots."""
    gosprl.choices("gosprl-sparse", p)
    if p["slots"] < 0:
        raise InputError(f"slots={p['slots']} is negative; give the most successors of a pair, or 0 for S")
    return dict(slots=p["slots"] or p["S"], **requirement(p))


STATE = {
    **REQUIREMENT,
    **dict(v=f8["S"], v_next=f8["S"], attempts=i8[1], arrivals=i8[1], t_k=i8[1], sweeps=i8[1], U=i8["S", "A"]),
    **dict(succ=i8["S", "A", "slots"], times=i8["S", "A", "slots"], met=i8["S", "A"], full=i8[1]),
    **dict(support=i8["S", "A", "slots"], plow=f8["S", "A", "slots"], width=i8["S", "A"]),
}
learner = Learner(
    name="gosprl-sparse",
    setting="average",
    cite="tarbouriech2021",
    source_tag="recalled",
    params=dict(samples=1, slots=0, **PARAMS),
    arrays=ARRAYS,
    state=STATE,
    derive=derive,
    accepts=accepts,
    begin=begin_to_travel,
    act=play,
    watch=watch,
    plan=plan,
    failure=failure,
    text="gosprl with S A `slots` words of memory a field: `slots` is the most distinct successors of a pair, 0 for S; "
    "a pair with more ends the run.",
)
