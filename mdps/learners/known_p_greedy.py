"""Known-p greedy: GOSPRL's loop with the true kernel in its planner. A reference: it pays nothing for learning.

The agent knows p, and plans the shortest expected way to the open states G from each closed state that it is left in.
Everything else is GOSPRL's: the requirement (`b`, or `samples` of every pair), the open action with the largest b - N
inside G, value iteration from zero to the precision 1/(2 t_k), not below 1e-6, action 0 after completion. An attempt
ends in G only: with the true kernel a plan does not change on the way. Greedy, since the order of the open states is
not planned; where the star asks for samples of its leaves only, it is optimal.

State: the fields of `_collection`, plow = p off G. Ties to the lowest action.
Source: sample-collection notes on tarbouriech2021 [derived].
"""

from __future__ import annotations

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
from theorylab.kernel import kernel
from theorylab.learner import Learner


@kernel
def watch(st, p, t, s, a, r, s2):
    """Count the step; true when an attempt must begin: in a closed state, after a sample in G."""
    inside = count(st, p, t, s, a)
    return on_the_way(st, inside, s2) and inside


@kernel
def leave_out_goals(st, p):
    """plow = p off G."""
    for s in range(p.S):
        for a in range(p.A):
            st.width[s, a] = 0
            for s2 in range(p.S):
                bound_entry(st, s, a, s2, p.P[s, a, s2])


@kernel
def plan(st, p, t, s, rng):
    """An attempt and its policy; nothing where the run begins in G or with nothing to collect."""
    done = True
    if st.goal[s] == 0 and st.finished[0] < 0:
        start_attempt(st, t)
        leave_out_goals(st, p)
        done = shortest_path(st, p, t)
    return done


learner = Learner(
    name="known-p-greedy",
    setting="average",
    cite="tarbouriech2021",
    source_tag="derived",
    params=dict(samples=1, max_sweeps=1_000_000),
    arrays=ARRAYS,
    knows=("P",),
    state={**REQUIREMENT, **TRAVEL},
    derive=requirement,
    accepts=accepts,
    begin=begin_to_travel,
    act=play,
    watch=watch,
    plan=plan,
    text="Knows the kernel; nearest open state first. `finished` holds the completion time in steps, or -1.",
)
