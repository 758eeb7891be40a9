"""Faults planted in the greedy collector that knows p: each is one wrong line, as it is found in real code.

A warm start is none: G shrinks, so that the operator grows, and the last values v <= L v stay below the new V*_G.
"""

from __future__ import annotations

from dataclasses import replace

from mdps.learners import known_p_greedy
from mdps.learners._collection import bound_entry, count, on_the_way
from mdps.learners.known_p_greedy import learner, leave_out_goals
from proofs_check.mutants import gosprl as shared
from theorylab.compiler import Kernel
from theorylab.kernel import kernel
from theorylab.learner import Learner


@kernel
def loops_arrive(st, p):
    """Staying in the state is taken for an arrival in G."""
    for s in range(p.S):
        for a in range(p.A):
            st.width[s, a] = 0
            for s2 in range(p.S):
                bound_entry(st, s, a, s2, p.P[s, a, s2] if s2 != s else 0.0)


@kernel
def first_goals(st, p):
    """The open states of the first attempt are kept in the model."""
    if st.attempts[0] == 1:
        leave_out_goals(st, p)


@kernel
def watch_without_loops(st, p, t, s, a, r, s2):
    """Visits that stay in the state are not counted."""
    inside = st.goal[s] == 1
    if s2 != s:
        inside = count(st, p, t, s, a)
    return on_the_way(st, inside, s2) and inside


@kernel
def watch_always(st, p, t, s, a, r, s2):
    """A new plan at every step."""
    inside = count(st, p, t, s, a)
    return on_the_way(st, inside, s2)


def planning(**helpers: Kernel) -> Learner:
    """Other helpers of the plan."""
    return replace(learner, plan=known_p_greedy.plan.replace(**helpers))


def counting(**helpers: Kernel) -> Learner:
    """Other helpers of the count of a visit."""
    return replace(learner, watch=known_p_greedy.watch.replace(count=count.replace(**helpers)))


mass_of_loops = planning(leave_out_goals=loops_arrive)
goals_stale = planning(leave_out_goals=first_goals)
stops_early = planning(shortest_path=shared.one_sweep)
policy_maximises = planning(shortest_path=shared.maximise)
closes_late = counting(refresh=shared.refresh_late)
smallest_gap = counting(refresh=shared.refresh_smallest)
ties_last = counting(refresh=shared.refresh_last)
last_step_free = counting(settle=shared.settle_without_last)
counts_lost = replace(learner, watch=watch_without_loops)
plans_always = replace(learner, watch=watch_always)

GENERIC: dict[str, Learner | str] = {
    "bonus zero": "no field: p is known, there is no radius",
    "log factor dropped": "no field: p is known, there is no radius",
    "delta not divided": "no field: nothing is left to chance but the moves",
    "wrong variance": "no field: p is known, there is no radius",
    "count off by one": "no field: p is known, no estimate divides by a count",
    "lost counts": counts_lost,
    "unvisited at zero": "no field: the rows are those of p, visited or not",
    "no clipping": "no field: probabilities are not negative",
    "backup of the wrong stage": "no field: there are no stages",
    "mass to the wrong state": mass_of_loops,
    "stale estimate": goals_stale,
    "worst action played": policy_maximises,
    "ties to the last": ties_last,
    "late trigger": "no field: an attempt ends in G only",
    "draw reused": "no field: the learner draws nothing",
    "wrong length in the logarithm": "no field: there is no logarithm",
}
