"""Faults planted in LOOP-box."""

from __future__ import annotations

from dataclasses import replace

from mdps.learners.loop_box import learner, step
from proofs_check.mutants import _loop_tabular as of
from proofs_check.mutants._greedy import worst_action
from theorylab.learner import Learner

radius_zero = of.planned_by(learner, of.no_budget(step))
radius_doubled = of.planned_by(learner, of.budget(step, 4.0))
pessimistic = of.planned_by(learner, of.pessimist(step))
uncapped = of.planned_by(learner, of.uncapped(step))
one_less = of.planned_by(learner, of.one_less(step))
uncentred = of.planned_by(learner, step, of.uncentred)
values_halved = of.planned_by(learner, step, of.values_halved)
other_unit = of.planned_by(learner, step, of.other_unit)
other_unit_doubling = of.defaults(other_unit, trigger=2)
stale = of.planned_by(learner, step, of.only_once)
counts_lost = of.recorded(learner, of.record_but_loops)
successor_shifted = of.recorded(learner, of.record_beside)
policy_minimises = replace(learner, act=worst_action)
trigger_late = of.quadrupled(learner)
log_dropped = of.beta_by(learner, of.no_log)
union_dropped = of.beta_by(learner, of.no_union)
span_once = of.beta_by(learner, of.span_once)

GENERIC: dict[str, Learner | str] = {
    "bonus zero": radius_zero,
    "log factor dropped": log_dropped,
    "delta not divided": union_dropped,
    "wrong variance": span_once,
    "count off by one": one_less,
    "lost counts": counts_lost,
    "unvisited at zero": "no field: pairs never visited have a bonus that does not bind, whatever it is",
    "no clipping": uncapped,
    "backup of the wrong stage": "no field: there are no stages",
    "mass to the wrong state": successor_shifted,
    "stale estimate": stale,
    "worst action played": policy_minimises,
    "ties to the last": "equivalent: any maximiser is legal, and no step speaks of which one is played",
    "late trigger": trigger_late,
    "draw reused": "no field: the learner draws nothing",
    "wrong length in the logarithm": "no field: T is the length of the run, which is the only length there is",
}
