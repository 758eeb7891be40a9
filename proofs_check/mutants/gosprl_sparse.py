"""Faults planted in GOSPRL with stored successors: the new lines, and what can break in the rows and sweeps it shares.

The rule in G, the trigger and the ledger are kernels of `gosprl` and `_collection`, and faults in them are planted
there.
"""

from __future__ import annotations

from dataclasses import replace

from mdps.learners import gosprl_sparse
from mdps.learners._collection import count, on_the_way
from mdps.learners.gosprl import doubled, entry_radius, log_term
from mdps.learners.gosprl_sparse import backup, bound_row, insert, learner, record, to_goals, trip
from proofs_check.mutants import gosprl as shared
from theorylab.compiler import Kernel
from theorylab.kernel import kernel
from theorylab.learner import Learner

# Storage


@kernel
def insert_over(st, s, a, j, s2, new):
    """A new successor takes the place of the one behind it."""
    if new == 1:
        if j == st.met[s, a]:
            st.met[s, a] += 1
        st.succ[s, a, j] = s2
        st.times[s, a, j] = 0


@kernel
def insert_unsorted(st, s, a, j, s2, new):
    """A new successor goes to the front, whatever its index."""
    insert(st, s, a, 0 if new == 1 else j, s2, new)


@kernel
def insert_counted(st, s, a, j, s2, new):
    """The first time a successor is seen counts twice."""
    insert(st, s, a, j, s2, new)
    st.times[s, a, j] += new


@kernel
def insert_short(st, s, a, j, s2, new):
    """The last successor behind a new one is not moved up, and is overwritten."""
    met = st.met[s, a]
    last = st.succ[s, a, met]
    insert(st, s, a, j, s2, new)
    if new == 1 and j < met:
        st.succ[s, a, met] = last
        st.times[s, a, met] = 0


@kernel
def watch_without_loops(st, p, t, s, a, r, s2):
    """Transitions that stay in the state are not recorded."""
    if s2 != s:
        record(st, p, s, a, s2)
    inside = count(st, p, t, s, a)
    twice = doubled(st, s, a)
    return on_the_way(st, inside, s2) and (inside or twice)


# Rows


@kernel
def row_ahead(st, p, s, a):
    """Radii and frequencies divide by N + 1."""
    n = st.N[s, a] + 1.0
    iota = log_term(p, n)
    width = 0
    for j in range(st.met[s, a]):
        x = st.times[s, a, j] / n
        low = x - p.alpha * entry_radius(p, x, n, iota)
        if low > 0.0:
            st.plow[s, a, width] = low
            st.support[s, a, width] = st.succ[s, a, j]
            width += 1
    st.width[s, a] = width


@kernel
def row_uncut(st, p, s, a):
    """Negative entries are kept."""
    n = float(max(1, st.N[s, a]))
    iota = log_term(p, n)
    for j in range(st.met[s, a]):
        x = st.times[s, a, j] / n
        st.plow[s, a, j] = x - p.alpha * entry_radius(p, x, n, iota)
        st.support[s, a, j] = st.succ[s, a, j]
    st.width[s, a] = st.met[s, a]


@kernel
def row_refilled(st, p, s, a):
    """The mass that is cut off stays with the first successor of positive bound."""
    bound_row(st, p, s, a)
    left = 1.0
    for j in range(st.width[s, a]):
        left -= st.plow[s, a, j]
    if st.width[s, a] > 0:
        st.plow[s, a, 0] += left


@kernel
def row_misplaced(st, p, s, a):
    """Bounds are packed, successors are not: a bound stands at the successor of an entry cut before it."""
    n = float(max(1, st.N[s, a]))
    iota = log_term(p, n)
    width = 0
    for j in range(st.met[s, a]):
        x = st.times[s, a, j] / n
        low = x - p.alpha * entry_radius(p, x, n, iota)
        st.support[s, a, j] = st.succ[s, a, j]
        if low > 0.0:
            st.plow[s, a, width] = low
            width += 1
    st.width[s, a] = width


@kernel
def rows_doubled(st, p):
    """Rows are bounded anew only where the pair has doubled: others are stale."""
    for s in range(p.S):
        for a in range(p.A):
            if doubled(st, s, a):
                bound_row(st, p, s, a)
            if st.N[s, a] != st.U[s, a]:
                st.U[s, a] = st.N[s, a]


# Planner


@kernel
def free_arrival(st, s, a):
    """Only the mass that stays off G, or on the seen part of it, is charged for the step."""
    value = 0.0
    for j in range(st.width[s, a]):
        value += st.plow[s, a, j] * (1.0 + st.v[st.support[s, a, j]])
    return value


@kernel
def maximise(st, p, t):
    """The plan is right, but the policy takes the worst action."""
    done = to_goals(st, p, t)
    for x in range(p.S):
        if st.goal[x] == 0:
            for a in range(p.A):
                if backup(st, x, a) > backup(st, x, st.pi[x]):
                    st.pi[x] = a
    return done


def _trip(**names: Kernel) -> Learner:
    return replace(learner, plan=gosprl_sparse.plan.replace(trip=trip.replace(**names)))


def _row(row: Kernel) -> Learner:
    return _trip(truncate=gosprl_sparse.truncate.replace(bound_row=row))


def _helpers(**names: Kernel) -> Learner:
    return _row(bound_row.replace(**names))


def _inserting(other: Kernel) -> Learner:
    return replace(learner, watch=gosprl_sparse.watch.replace(record=record.replace(insert=other)))


_sweep = shared.sweep.replace(backup=backup)
successor_lost = _inserting(insert_over)
order_lost = _inserting(insert_unsorted)
first_twice = _inserting(insert_counted)
last_not_moved = _inserting(insert_short)
counts_lost = replace(learner, watch=watch_without_loops)
radius_zero = _helpers(entry_radius=shared.no_radius)
log_dropped = _helpers(log_term=shared.no_log)
delta_dropped = _helpers(log_term=shared.no_delta)
variance_unrooted = _helpers(entry_radius=shared.deviation_for_variance)
count_ahead = _row(row_ahead)
clipping_off = _row(row_uncut)
mass_stays = _row(row_refilled)
bound_misplaced = _row(row_misplaced)
rows_stale = _trip(truncate=rows_doubled)
warm_start = _trip(shortest_path=shared.warm.replace(sweep=_sweep))
stops_early = _trip(shortest_path=shared.one_sweep.replace(sweep=_sweep))
arrival_free = _trip(shortest_path=to_goals.replace(backup=free_arrival))
policy_maximises = _trip(shortest_path=maximise)
last_step_free = replace(
    learner, watch=gosprl_sparse.watch.replace(count=count.replace(settle=shared.settle_without_last))
)

_THERE = "no field: the kernel is that of `gosprl`, and the fault is planted there"
GENERIC: dict[str, Learner | str] = {
    "bonus zero": radius_zero,
    "log factor dropped": log_dropped,
    "delta not divided": delta_dropped,
    "wrong variance": variance_unrooted,
    "count off by one": count_ahead,
    "lost counts": counts_lost,
    "unvisited at zero": "no field: nothing is stored of a pair before its first visit",
    "no clipping": clipping_off,
    "backup of the wrong stage": "no field: there are no stages",
    "mass to the wrong state": bound_misplaced,
    "stale estimate": rows_stale,
    "worst action played": policy_maximises,
    "ties to the last": _THERE,
    "late trigger": _THERE,
    "draw reused": "no field: the learner draws nothing",
    "wrong length in the logarithm": _THERE,
}
