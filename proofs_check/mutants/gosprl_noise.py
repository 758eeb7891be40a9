"""Faults planted in GOSPRL for a noise-weighted sample: each is one wrong line, as it is found in real code.

Those of the loop under a rule that are not planted here are in `gosprl_modest`.
"""

from __future__ import annotations

from dataclasses import replace

from mdps.learners import _adaptive
from mdps.learners._collection import refresh
from mdps.learners.gosprl_modest import ceiling
from mdps.learners.gosprl_noise import ask, learner, noise
from proofs_check.mutants import gosprl as shared
from proofs_check.mutants import gosprl_modest as loop
from theorylab.compiler import Kernel
from theorylab.kernel import kernel, sqrt
from theorylab.learner import Learner


@kernel
def variance(st, p, s, a):
    """The variance takes the place of its root."""
    n = float(max(1, st.N[s, a]))
    total = 0.0
    for s2 in range(p.S):
        x = st.moves[s, a, s2] / n
        total += x * (1.0 - x)
    return total / sqrt(float(p.S))


@kernel
def undivided(st, p, s, a):
    """The division by sqrt S is left out."""
    return sqrt(float(p.S)) * noise(st, p, s, a)


@kernel
def noise_ahead(st, p, s, a):
    """Frequencies divide by N + 1."""
    total = 0.0
    for s2 in range(p.S):
        x = st.moves[s, a, s2] / (st.N[s, a] + 1.0)
        total += sqrt(x * (1.0 - x))
    return total / sqrt(float(p.S))


@kernel
def ask_without_least(st, p, s, a):
    """`least` is left out: one visit without noise is enough."""
    return max(1, ceiling(p.samples * noise(st, p, s, a)))


@kernel
def ask_floor(st, p, s, a):
    """Samples are rounded down."""
    return max(p.least, int(p.samples * noise(st, p, s, a)))


@kernel
def ask_once(st, p, s, a):
    """The requirement is looked up while it is zero, and then kept."""
    return ask(st, p, s, a) if st.need[s, a] == 0 else st.need[s, a]


@kernel
def smallest(st, p, s):
    """The open action with the smallest gap is played."""
    refresh(st, p, s)
    for a in range(p.A):
        best = st.pi[s]
        gap = st.need[s, a] - st.N[s, a]
        if gap > 0 and gap < st.need[s, best] - st.N[s, best]:
            st.pi[s] = a


@kernel
def ties_to_the_last(st, p, s):
    """Ties between gaps go to the last action."""
    refresh(st, p, s)
    for a in range(p.A):
        best = st.pi[s]
        gap = st.need[s, a] - st.N[s, a]
        if gap > 0 and gap == st.need[s, best] - st.N[s, best]:
            st.pi[s] = a


def ruled(ask: Kernel = ask, refresh: Kernel = refresh, **helpers: Kernel) -> Learner:
    """Another rule, another choice in G, or other helpers of the loop."""
    names = dict(ASK=ask, ASK_STATE=_adaptive.nothing, ADVANCE=_adaptive.done_at_once, refresh=refresh)
    watch = _adaptive.watch.throughout(**names)
    plan = _adaptive.plan.throughout(**names)
    return replace(learner, watch=watch.throughout(**helpers), plan=plan.throughout(**helpers))


def watching(watch: Kernel) -> Learner:
    """Another count of a step."""
    return replace(learner, watch=watch.throughout(ASK=ask, ASK_STATE=_adaptive.nothing, refresh=refresh))


variance_for_deviation = ruled(ask=ask.throughout(noise=variance))
not_divided = ruled(ask=ask.throughout(noise=undivided))
count_ahead = ruled(ask=ask.throughout(noise=noise_ahead))
least_left_out = ruled(ask=ask_without_least)
rounded_down = ruled(ask=ask_floor)
looked_up_once = ruled(ask=ask_once)
goals_move = watching(loop.watch_revising)
arrival_unchecked = watching(loop.watch_unchecked)
counts_lost = watching(loop.watch_without_loops)
smallest_gap = ruled(refresh=smallest)
ties_last = ruled(refresh=ties_to_the_last)
trigger_late = ruled(doubled=shared.quadrupled)

GENERIC: dict[str, Learner | str] = {
    "bonus zero": "no field: the rule has no radius; planted in gosprl, whose planner it shares",
    "log factor dropped": "no field: the rule has no logarithm",
    "delta not divided": "no field: the rule has no delta",
    "wrong variance": variance_for_deviation,
    "count off by one": count_ahead,
    "lost counts": counts_lost,
    "unvisited at zero": least_left_out,
    "no clipping": "no field: nothing in the rule is cut",
    "backup of the wrong stage": "no field: there are no stages",
    "mass to the wrong state": "no field: not of the rule; planted in gosprl, whose planner it shares",
    "stale estimate": looked_up_once,
    "worst action played": "no field: not of the rule; planted in gosprl-modest, whose loop it shares",
    "ties to the last": ties_last,
    "late trigger": trigger_late,
    "draw reused": "no field: the learner draws nothing",
    "wrong length in the logarithm": "no field: the rule has no logarithm",
}
