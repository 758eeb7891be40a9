"""Faults planted in linear LOOP."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import Any

from mdps.learners.loop_linear import beta_of, learner, watch
from proofs_check.mutants import _loop_linear as of
from proofs_check.mutants._greedy import worst_action
from theorylab.learner import Learner


def _beta(change: dict[str, Any]) -> Any:
    """beta of the form with other parameters."""

    def wrong(p: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
        return {"beta": p["scale"] * (p["beta"] or beta_of({**p, **found, **change}))}

    return wrong


def _span_once(p: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    return {"beta": found["beta"] / p["span"]}


beta_small = of.derived_with(of.planned_by(learner, of.own_budget), lambda p, found: {"beta": 1e-3 * found["beta"]})
radius_zero = of.planned_by(learner, of.least_budget)
radius_doubled = of.planned_by(learner, of.budget(2.0))
pessimistic = of.planned_by(learner, of.pessimist)
gain_forgotten = of.planned_by(learner, of.gain_forgotten)
span_ignored = of.planned_by(learner, of.with_(width=lambda p: inf))
norm_ignored = of.planned_by(learner, of.with_(W=lambda p: 100.0 * p.W))
uncapped = of.planned_by(learner, of.with_(cap=lambda p: 3.0 * p.cap))
ridge_twice = of.planned_by(learner, data=of.ridge_twice)
one_more = of.planned_by(learner, data=of.one_more)
stale = of.planned_by(learner, adopted=of.only_once)
stale_values = of.planned_by(learner, adopted=of.stale_values)
new_data_only = of.planned_by(learner, adopted=of.new_data_only)
other_unit = of.planned_by(learner, adopted=of.other_unit)
total_gain = of.planned_by(learner, adopted=of.total_gain)
counts_lost = replace(learner, watch=watch.replace(record=of.record_but_loops))
target_of_state = replace(learner, watch=watch.replace(record=of.record_here))
gain_negated = replace(learner, watch=watch.replace(record=of.record_negated))
policy_minimises = replace(learner, act=worst_action)
trigger_late = of.defaults(learner, factor=40.0)
trigger_early = of.defaults(learner, factor=2.0)
trigger_always = of.defaults(learner, trigger=1)
trigger_never = replace(learner, watch=of.never)
log_dropped = of.derived_with(learner, _beta({"T": 1}))
delta_dropped = of.derived_with(learner, _beta({"delta": 1.0}))
norm_dropped = of.derived_with(learner, _beta({"W": 1e-9, "W_e": 0.0}))
span_once = of.derived_with(learner, _span_once)

GENERIC: dict[str, Learner | str] = {
    "bonus zero": radius_zero,
    "log factor dropped": log_dropped,
    "delta not divided": delta_dropped,
    "wrong variance": span_once,
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
