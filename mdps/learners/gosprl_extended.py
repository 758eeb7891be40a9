"""GOSPRL whose attempts are planned by extended value iteration over all plausible laws. Average setting.

The loop and the radii are those of `gosprl`; the planner is `_trips.extended_trip`: the box of radii 0 and 1 as in the
authors' neighbouring paper, the ball of radius 2 as in UCRL2. The model is less optimistic than the lower bounds of
`gosprl`, which drop upper ends. State: as `gosprl`, with order (S,) states by value; plow is filled, but not read.
Source: tarbouriech2021 [recalled; inner minimum source: the authors' neighbouring papers].
"""

from __future__ import annotations

from dataclasses import replace

from mdps.learners import gosprl
from mdps.learners._trips import extended_trip
from theorylab.learner import i8

learner = replace(
    gosprl.learner,
    name="gosprl-extended",
    state={**gosprl.STATE, "order": i8["S"]},
    plan=gosprl.plan.replace(shortest_path=extended_trip),
    text="Plans by extended value iteration over all laws within the radii, upper ends included.",
)
