"""GOSPRL whose attempts are planned by policy iteration on the lower bounds: exact, no tolerance. Average setting.

The loop, the radii and the lower bounds are those of `gosprl`; the planner is `_trips.policy_iteration`. Its values are
the fixed point that value iteration of `gosprl` nears from below, so that the two play alike but for near ties. With
alpha = 0 a policy may never arrive, and the plan fails. State: as `gosprl`; v the values, v_next = L v, sweeps the
rounds of the last plan, matrix (S,S+1) scratch. Source: tarbouriech2021 [planner: derived].
"""

from __future__ import annotations

from dataclasses import replace

from mdps.learners import gosprl
from mdps.learners._trips import policy_iteration
from theorylab.learner import f8

learner = replace(
    gosprl.learner,
    name="gosprl-policy-iteration",
    state={**gosprl.STATE, "matrix": f8["S", "S+1"]},
    plan=gosprl.plan.replace(shortest_path=policy_iteration),
    text="Exact plans by policy iteration on the lower bounds; for up to some hundreds of states.",
)
