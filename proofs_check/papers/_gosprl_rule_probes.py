"""Probes of GOSPRL under a rule of the data, and the monitor that follows its loop from the outside.

`st` is the learner's state, `tr` the truth record with the memory of `monitor_of`; values are lhs - rhs.
"""

from __future__ import annotations

from typing import Any

from theorylab.compiler import Kernel
from theorylab.kernel import kernel, log, sqrt
from theorylab.learner import f8, i8
from theorylab.probe import NEVER, Monitor

ASKED: Any = None
FURTHER: Any = None


@kernel
def modest_radius(p, tr, s, a):
    """alpha sum of the radii of AME, from the monitor's counts."""
    n = float(max(1, tr.n[s, a]))
    iota = log(6.0 * p.S * p.A * n / p.delta)
    total = 0.0
    for s2 in range(p.S):
        f = tr.seen[s, a, s2] / n
        total += 2.0 * sqrt(f * (1.0 - f) * iota / n) + 6.0 * iota / n
    return p.alpha * total


@kernel
def deviations(p, tr, s, a):
    """X, the sum over s2 of sqrt(p_hat (1 - p_hat))."""
    n = float(max(1, tr.n[s, a]))
    total = 0.0
    for s2 in range(p.S):
        f = tr.seen[s, a, s2] / n
        total += sqrt(f * (1.0 - f))
    return total


@kernel
def formula(p, tr, s, a):
    """b(s,a) of the formula before it is rounded up, with the logarithms written out."""
    eta = tr.eta[0]
    x = deviations(p, tr, s, a)
    pairs = float(p.S * p.A)
    b = 24.0 * p.S / eta * (log(24.0 * p.S) + log(pairs) - log(p.delta) - log(eta))
    if x > 0.0:
        whole = log(8.0) + 1.0 + log(x) + 0.5 * log(2.0 * pairs) - 0.5 * log(p.delta) - log(eta)
        b += 57.0 * (x / eta) * (x / eta) * whole * whole
    return b


@kernel
def rounded_up(x):
    """The smallest integer at or above x."""
    n = int(x)
    while n < x:
        n += 1
    return n


@kernel
def modest_asked(p, tr, s, a):
    """Visits asked of a pair, from the monitor's counts."""
    if p.rule == 1:
        return rounded_up(formula(p, tr, s, a))
    return tr.n[s, a] + (1 if modest_radius(p, tr, s, a) > tr.eta[0] else 0)


@kernel
def noise_asked(p, tr, s, a):
    """Visits asked of a pair, from the monitor's counts."""
    return max(p.least, rounded_up(p.samples * (deviations(p, tr, s, a) / sqrt(float(p.S)))))


@kernel
def modest_further(p, tr):
    """1 where the run goes on with another accuracy."""
    tr.reached[0] = tr.eta[0]
    if p.shrink < 1.0:
        tr.eta[0] *= p.shrink
        return 1
    return 0


@kernel
def noise_further(p, tr):
    """The run ends."""
    return 0


@kernel
def note_state(p, tr, s):
    """The requirement of a state from the counts; returns 1 where it is open."""
    out = 0
    for a in range(p.A):
        tr.need[s, a] = ASKED(p, tr, s, a)
        if tr.need[s, a] > tr.n[s, a]:
            out = 1
    tr.open[s] = out
    return out


@kernel
def look_up(p, tr, t):
    """All requirements after t steps; the end where nothing is open and there is no further accuracy."""
    going = 1
    while going == 1:
        going = 0
        left = 0
        for s in range(p.S):
            left += note_state(p, tr, s)
        if left == 0:
            going = FURTHER(p, tr)
            if going == 0:
                tr.done[0] = t


@kernel
def rule_begin(p, tr):
    """Nothing seen, and a lookup due."""
    tr.done[0] = -1
    tr.due[0] = 1
    tr.first[0] = -1
    tr.eta[0] = FIRST(p)


@kernel
def note_trip(st, p, tr, t):
    """A trip began with this step: what G, the policy and the visits were."""
    tr.trips[0] += 1
    tr.start_t[0] = t
    for s in range(p.S):
        tr.kept_pi[s] = st.pi[s]
        tr.kept_goal[s] = tr.open[s]
        for a in range(p.A):
            tr.start[s, a] = tr.n[s, a]


@kernel
def unmet(p, tr):
    """Pairs that are short of what the rule asks of them by the present counts."""
    left = 0
    for s in range(p.S):
        for a in range(p.A):
            if ASKED(p, tr, s, a) > tr.n[s, a]:
                left += 1
    return left


@kernel
def rule_observe(st, p, tr, t):
    """Record the step: the lookup before it, where it was taken, and what it makes due."""
    if tr.first[0] < 0 and unmet(p, tr) == 0:
        tr.first[0] = t
    planned = tr.epochs - tr.plans[0]
    tr.plans[0] = tr.epochs
    tr.missed[0] = tr.due[0] - (1 if planned > 0 else 0)
    if planned > 0 and tr.done[0] < 0:
        look_up(p, tr, t)
    tr.where[0] = 0
    if tr.done[0] < 0:
        tr.where[0] = 1 if tr.open[tr.s] == 1 else 2
    if tr.where[0] == 2 and planned > 0:
        note_trip(st, p, tr, t)
    tr.played[0] = wanted(p, tr)
    tr.n[tr.s, tr.a] += 1
    tr.seen[tr.s, tr.a, tr.s2] += 1
    tr.due[0] = 0
    if tr.where[0] == 1:
        note_state(p, tr, tr.s)
        left = 0
        for s in range(p.S):
            left += tr.open[s]
        tr.due[0] = 1 if tr.open[tr.s2] == 0 or left == 0 else 0
    elif tr.where[0] == 2:
        before = tr.start[tr.s, tr.a]
        tr.due[0] = 1 if tr.open[tr.s2] == 1 or tr.n[tr.s, tr.a] - before >= max(1, before) else 0


@kernel
def wanted(p, tr):
    """The rule's action: in G the largest gap, of equal ones by EVEN, on the way the trip's policy, at the end 0."""
    best = 0
    if tr.where[0] == 2:
        best = tr.kept_pi[tr.s]
    if tr.where[0] == 1:
        for a in range(1, p.A):
            gap = max(0, tr.need[tr.s, a] - tr.n[tr.s, a])
            most = max(0, tr.need[tr.s, best] - tr.n[tr.s, best])
            if gap > most or (EVEN and gap == most and tr.n[tr.s, a] < tr.n[tr.s, best]):
                best = a
    return best


FIRST: Any = None
EVEN: Any = None


@kernel
def modest_first(p):
    """The first accuracy."""
    return p.eta


@kernel
def noise_first(p):
    """There is no accuracy."""
    return 0.0


def monitor_of(asked: Kernel, further: Kernel, first: Kernel, even: bool) -> Monitor:
    """The loop under a rule, followed from the environment's moves and from when plans were made.

    Memory after a step: n (S,A), seen (S,A,S) the environment's counts; need (S,A), open (S,), eta, reached, done: the
    requirement in force by the lookups that were due, the open states by it, accuracies and completion time; first: the
    first number of steps after which nothing was short by the counts; due: a
    lookup must be made before the next step; missed: due minus made, of the lookup before this one; where, played: the
    step was taken 1 in G, 2 on the way, 0 after completion, and the action that the rule wanted; trips, start_t, start,
    kept_pi, kept_goal: attempts begun, and time, visits, policy and G at the start of the last one.
    """
    memory = dict(
        n=i8["S", "A"], seen=i8["S", "A", "S"], need=i8["S", "A"], open=i8["S"], eta=f8[1], reached=f8[1], done=i8[1],
        due=i8[1], missed=i8[1], where=i8[1], played=i8[1], trips=i8[1], start_t=i8[1], start=i8["S", "A"],
        kept_pi=i8["S"], kept_goal=i8["S"], plans=i8[1], first=i8[1],
    )  # fmt: skip
    names = dict(ASKED=asked, FURTHER=further, FIRST=first, EVEN=even)
    return Monitor(memory, rule_begin.throughout(**names), rule_observe.throughout(**names))


modest_monitor = monitor_of(modest_asked, modest_further, modest_first, True)
noise_monitor = monitor_of(noise_asked, noise_further, noise_first, False)


@kernel
def requirement(st, p, tr, t):
    """Largest distance of the requirement in force from the rule of the environment's counts."""
    worst = 0
    for s in range(p.S):
        for a in range(p.A):
            worst = max(worst, abs(st.need[s, a] - tr.need[s, a]))
    return float(worst)


@kernel
def goal_set(st, p, tr, t):
    """States whose place in or out of G is wrong."""
    wrong = 0
    for s in range(p.S):
        wrong += abs(st.goal[s] - tr.open[s])
    return float(wrong)


@kernel
def frozen(st, p, tr, t):
    """On the way: states at which G or the policy off G are not those of the start of the attempt."""
    worst = NEVER
    if tr.where[0] == 2:
        moved = 0
        for s in range(p.S):
            if st.goal[s] != tr.kept_goal[s] or (tr.kept_goal[s] == 0 and st.pi[s] != tr.kept_pi[s]):
                moved += 1
        worst = float(moved)
    return worst


@kernel
def choice(st, p, tr, t):
    """Distance of the action played from the rule's."""
    return float(abs(tr.a - tr.played[0]))


@kernel
def lookups(st, p, tr, t):
    """1 where a lookup was due before the step and was not made, or made and not due."""
    return float(abs(tr.missed[0]))


@kernel
def counts(st, p, tr, t):
    """Distance of the counts of the pair just played from the environment's."""
    error = abs(float(st.N[tr.s, tr.a] - tr.visits[tr.s, tr.a]))
    for s2 in range(p.S):
        error = max(error, abs(float(st.moves[tr.s, tr.a, s2] - tr.seen[tr.s, tr.a, s2])))
    return error


@kernel
def modest_completion(st, p, tr, t):
    """Distance of the completion time from the first number of steps after which all pairs were satisfied."""
    first = tr.first[0] if p.shrink == 1.0 else -1
    return abs(float(st.finished[0] - first))


@kernel
def noise_completion(st, p, tr, t):
    """Distance of the completion time from the first number of steps after which every requirement was met."""
    return abs(float(st.finished[0] - tr.first[0]))


@kernel
def largest_radius(p, tr):
    """Largest alpha sum of radii of a pair."""
    most = 0.0
    for s in range(p.S):
        for a in range(p.A):
            most = max(most, modest_radius(p, tr, s, a))
    return most


@kernel
def accuracies(st, p, tr, t):
    """Where an accuracy was met with this lookup: radii above it, none above the next one, or a next one that is not
    shrink times it."""
    worst = NEVER
    if p.rule == 0 and p.shrink < 1.0 and st.reached[0] != tr.reached[0]:
        most = largest_radius(p, tr)
        worst = max(max(most - st.reached[0], st.eta[0] - most), abs(st.eta[0] - p.shrink * st.reached[0]))
    return worst


@kernel
def row_error(p, tr, s, a):
    """|p_hat - p|_1 of a pair by the monitor's counts; 1 before its first visit."""
    n = float(max(1, tr.n[s, a]))
    total = 0.0
    for s2 in range(p.S):
        total += abs(tr.seen[s, a, s2] / n - tr.law[s, a, s2])
    return total


@kernel
def guarantee(st, p, tr, t):
    """max |p_hat - p|_1 minus the accuracy that was met with this lookup."""
    worst = NEVER
    if st.finished[0] == t or st.reached[0] != tr.reached[0]:
        for s in range(p.S):
            for a in range(p.A):
                worst = max(worst, row_error(p, tr, s, a) - st.reached[0])
    return worst


@kernel
def guarantee_ratio(st, p, tr, t):
    """max |p_hat - p|_1 over the accuracy that was met with this lookup: how far the guarantee is from equality."""
    worst = NEVER
    if st.finished[0] == t or st.reached[0] != tr.reached[0]:
        for s in range(p.S):
            for a in range(p.A):
                worst = max(worst, row_error(p, tr, s, a) / st.reached[0])
    return worst
