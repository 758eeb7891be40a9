"""What the probes of GOSPRL's proof remember: the two monitors, of GOSPRL and of the greedy learner that knows p.

What the loop does is measured from the outside: the open states, the attempts and their ends come from the
environment's visits and from `tr.epochs`, which grows when the loop has asked for a plan. Memory after a step:

    open (S,) states with a requirement not met; seen (S,A,S) transitions (GOSPRL only); done: the completion time or -1
    where: the step was taken 1 in G, 2 on the way, 0 after completion; inside, arrivals, trips: samples taken in G,
    attempts ended in G, attempts begun; plans: epochs counted so far
    start (S,A), start_t: visits and time at the start of the attempt; kept_pi (S,) its policy; own (S,) the exact value
    of that policy in the planned model, by elimination in matrix (S,S+1)
    entered, doubled: what allows a plan after this step, that it was taken in G or entered it, or doubled its pair
    kept (S,A): sum of the radii of a pair at the last plan (GOSPRL only)
"""

from __future__ import annotations

from theorylab.kernel import kernel
from theorylab.learner import f8, i8
from theorylab.probe import Monitor


@kernel
def open_state(p, tr, s):
    """1 while an action of s, or s with any action, is short of its requirement, by the environment's visits."""
    out = 0
    total = 0
    for a in range(p.A):
        total += tr.visits[s, a]
        if tr.visits[s, a] < p.b[s, a]:
            out = 1
    if total < p.b_states[s]:
        out = 1
    return out


@kernel
def monitor_begin(p, tr):
    """Nothing seen; open are the states of which something is asked."""
    tr.done[0] = 0
    for s in range(p.S):
        tr.open[s] = 0
        if p.b_states[s] > 0:
            tr.open[s] = 1
            tr.done[0] = -1
        for a in range(p.A):
            if p.b[s, a] > 0:
                tr.open[s] = 1
                tr.done[0] = -1
    tr.entered[0] = 1


@kernel
def solve_own(st, p, tr):
    """own = 1 + plow_pi own off G, 0 on G, by elimination (rows sum to less than one, so no pivoting)."""
    m = tr.matrix
    for s in range(p.S):
        for s2 in range(p.S):
            m[s, s2] = 1.0 if s == s2 else 0.0
            if tr.open[s] == 0:
                m[s, s2] -= st.plow[s, st.pi[s], s2]
        m[s, p.S] = 1.0 if tr.open[s] == 0 else 0.0
    for k in range(p.S):
        pivot = max(m[k, k], 1e-300)
        for i in range(k + 1, p.S):
            factor = m[i, k] / pivot
            for j in range(k, p.S + 1):
                m[i, j] -= factor * m[k, j]
    for i in range(p.S):
        k = p.S - 1 - i
        value = m[k, p.S]
        for j in range(k + 1, p.S):
            value -= m[k, j] * tr.own[j]
        tr.own[k] = value / max(m[k, k], 1e-300)


@kernel
def note_trip(st, p, tr, t):
    """A trip began with this step: visits before it, its time, its policy and that policy's value."""
    tr.trips[0] += 1
    tr.start_t[0] = t
    for s in range(p.S):
        tr.kept_pi[s] = st.pi[s]
        for a in range(p.A):
            tr.start[s, a] = tr.visits[s, a]
    tr.start[tr.s, tr.a] -= 1
    solve_own(st, p, tr)


@kernel
def observe(st, p, tr, t):
    """Record the step."""
    if tr.done[0] >= 0:
        tr.where[0] = 0
    else:
        tr.where[0] = 1 if tr.open[tr.s] == 1 else 2
    planned = tr.epochs - tr.plans[0]
    tr.plans[0] = tr.epochs
    tr.entered[0] = 0
    tr.doubled[0] = 0
    if tr.where[0] == 2:
        if planned > 0:
            note_trip(st, p, tr, t)
        before = tr.start[tr.s, tr.a]
        tr.entered[0] = tr.open[tr.s2]
        tr.arrivals[0] += tr.open[tr.s2]
        tr.doubled[0] = 1 if tr.visits[tr.s, tr.a] - before >= max(1, before) else 0
    elif tr.where[0] == 1:
        tr.inside[0] += 1
        tr.entered[0] = 1
        tr.open[tr.s] = open_state(p, tr, tr.s)
        left = 0
        for s in range(p.S):
            left += tr.open[s]
        if left == 0:
            tr.done[0] = t + 1
            tr.entered[0] = 0  # nothing may be planned after completion


@kernel
def observe_radii(st, p, tr, t):
    """Record the step, its transition, and the radii of a plan made just before it."""
    planned = tr.epochs > tr.plans[0]
    observe(st, p, tr, t)
    tr.seen[tr.s, tr.a, tr.s2] += 1
    if planned and tr.where[0] == 2:
        for s in range(p.S):
            for a in range(p.A):
                tr.kept[s, a] = row_sum(st.beta, p, s, a)


@kernel
def row_sum(rows, p, s, a):
    """Sum of a row of an array (S,A,S)."""
    total = 0.0
    for s2 in range(p.S):
        total += rows[s, a, s2]
    return total


MEMORY = dict(
    open=i8["S"], done=i8[1], where=i8[1], inside=i8[1], arrivals=i8[1], trips=i8[1], plans=i8[1], start=i8["S", "A"],
    start_t=i8[1], kept_pi=i8["S"], entered=i8[1], doubled=i8[1], matrix=f8["S", "S+1"], own=f8["S"],
)  # fmt: skip
monitor = Monitor({**MEMORY, "seen": i8["S", "A", "S"], "kept": f8["S", "A"]}, monitor_begin, observe_radii)
monitor_known = Monitor(MEMORY, monitor_begin, observe)
