"""Faults planted in FOPO."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mdps.learners.fopo import learner, radius_of, watch
from proofs_check.mutants import _loop_linear as of
from proofs_check.mutants._greedy import worst_action
from theorylab.kernel import kernel
from theorylab.learner import Learner


def _radius(change: Any) -> Any:
    """The radius with other parameters, `change` a function of the right ones."""

    def wrong(p: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
        radius = p["scale"] * radius_of({**p, **change(p)})
        return {"radius": radius, "beta": radius * radius}

    return wrong


@kernel
def eightfold(st, p):
    """The determinant has grown eightfold."""
    return st.log_det[0] - st.log_det_plan[0] >= 3.0 * 0.69314718055994530942


beta_small = of.derived_with(of.planned_by(learner, of.own_budget), lambda p, found: {"beta": 1e-3 * found["beta"]})
radius_zero = of.planned_by(learner, of.least_budget)
radius_doubled = of.planned_by(learner, of.budget(4.0))
pessimistic = of.planned_by(learner, of.pessimist)
gain_forgotten = of.planned_by(learner, of.gain_forgotten)
norm_ignored = of.planned_by(learner, of.with_(W=lambda p: 100.0 * p.W))
uncapped = of.planned_by(learner, of.with_(cap=lambda p: 3.0 * p.cap))
ridge_twice = of.planned_by(learner, data=of.ridge_twice)
one_more = of.planned_by(learner, data=of.one_more)
stale = of.planned_by(learner, adopted=of.only_once)
stale_values = of.planned_by(learner, adopted=of.stale_values)
other_unit = of.planned_by(learner, adopted=of.other_unit)
total_gain = of.planned_by(learner, adopted=of.total_gain)
counts_lost = replace(learner, watch=watch.replace(record=of.record_but_loops))
target_of_state = replace(learner, watch=watch.replace(record=of.record_here))
gain_negated = replace(learner, watch=watch.replace(record=of.record_negated))
policy_minimises = replace(learner, act=worst_action)
trigger_late = replace(learner, watch=watch.replace(doubled=eightfold))
trigger_never = replace(learner, watch=of.never)
trigger_always = replace(learner, watch=of.always)
log_dropped = of.derived_with(learner, _radius(lambda p: {"T": 2.718281828459045 * p["delta"]}))
delta_dropped = of.derived_with(learner, _radius(lambda p: {"delta": 1.0}))
dimension_dropped = of.derived_with(learner, _radius(lambda p: {"d": 1}))
span_alone = of.derived_with(learner, _radius(lambda p: {"span": p["span"] - 2.0}))

GENERIC: dict[str, Learner | str] = {
    "bonus zero": radius_zero,
    "log factor dropped": log_dropped,
    "delta not divided": delta_dropped,
    "wrong variance": dimension_dropped,
    "count off by one": one_more,
    "lost counts": counts_lost,
    "unvisited at zero": "no field: directions without data cost the ridge alone, and have no value of their own",
    "no clipping": uncapped,
    "backup of the wrong stage": target_of_state,
    "mass to the wrong state": "no field: no probability is moved, bonuses are on linear functions",
    "stale estimate": stale,
    "worst action played": policy_minimises,
    "ties to the last": "equivalent: any maximiser of the gain is legal, and no step speaks of which one is played",
    "late trigger": trigger_late,
    "draw reused": "no field: the learner draws nothing",
    "wrong length in the logarithm": "no field: T is the length of the run, which is the only length there is",
}
