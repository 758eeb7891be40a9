"""Faults planted in LOOP-EVI: each is one wrong line, as it is found in real code."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mdps.learners.loop_evi import derive, learner, plan, watch
from proofs_check.mutants import _average_linear as shared
from theorylab.kernel import Kernel, kernel, log, sqrt
from theorylab.learner import Learner


@kernel
def loops_lost(st, p, t, s, a, r, s2):
    """Steps that stay in the state are not recorded."""
    return watch(st, p, t, s, a, r, s2) if s2 != s else False


@kernel
def old_state(st, p, t, s, a, r, s2):
    """The target is the value of the state that was left."""
    return watch(st, p, t, s, a, r, s)


@kernel
def always(st, p, t, s, a, r, s2):
    """A plan at every step."""
    watch(st, p, t, s, a, r, s2)
    return True


def _root(p: dict[str, Any], size: float, span: float, ridge: float) -> dict[str, Any]:
    return {**derive(p), "beta_root": p["scale"] * (ridge + span * sqrt(size / 2.0))}


def zero(p: dict[str, Any]) -> dict[str, Any]:
    """radius = 0."""
    return {**derive(p), "beta_root": 0.0}


def volume(p: dict[str, Any], n: float) -> float:
    """(d/2) ln(1 + n span^2/(d lam))."""
    return float(0.5 * p["d"] * log(1.0 + n * p["span"] * p["span"] / (p["d"] * p["lam"])))


def no_log(p: dict[str, Any]) -> dict[str, Any]:
    """The volume is left out."""
    return _root(p, log(1.0 / p["delta"]), p["span"], sqrt(p["lam"]) * p["B"])


def no_delta(p: dict[str, Any]) -> dict[str, Any]:
    """delta is left out."""
    return _root(p, volume(p, p["T"]), p["span"], sqrt(p["lam"]) * p["B"])


def first_power(p: dict[str, Any]) -> dict[str, Any]:
    """The span to the power 1/2 outside of the root: beta with sp for sp^2."""
    return _root(p, volume(p, p["T"]) + log(1.0 / p["delta"]), sqrt(p["span"]), sqrt(p["lam"]) * p["B"])


def no_ridge(p: dict[str, Any]) -> dict[str, Any]:
    """sqrt(lam) B is left out."""
    return _root(p, volume(p, p["T"]) + log(1.0 / p["delta"]), p["span"], 0.0)


def one_sample(p: dict[str, Any]) -> dict[str, Any]:
    """The volume after one step, not after T."""
    return _root(p, volume(p, 1.0) + log(1.0 / p["delta"]), p["span"], sqrt(p["lam"]) * p["B"])


def _iterate(k: Kernel) -> Learner:
    return replace(learner, plan=plan.replace(iterate=k))


radius_zero = replace(learner, derive=zero)
log_dropped = replace(learner, derive=no_log)
delta_dropped = replace(learner, derive=no_delta)
span_to_one_half = replace(learner, derive=first_power)
norm_dropped = replace(learner, derive=no_ridge)
length_of_one = replace(learner, derive=one_sample)
ridge_off_by_one = replace(learner, begin=shared.larger_ridge)
unvisited_zero = replace(learner, begin=shared.nothing_unknown)
counts_lost = replace(learner, watch=loops_lost)
successor_lost = replace(learner, watch=old_state)
features_without_values = replace(learner, watch=watch.replace(feature=shared.without_values))
trigger_late = replace(learner, watch=watch.replace(doubled=shared.tripled))
trigger_always = replace(learner, watch=always)
determinant_wrong = replace(learner, watch=watch.replace(include=shared.log_det_of_one))
stale = replace(learner, plan=plan.replace(regress=shared.first_kept))
clipping_off = _iterate(shared.no_clip)
pessimistic = _iterate(shared.lower)
width_squared = _iterate(shared.width_squared)
uncentred = _iterate(shared.not_centred)
half_range_off = _iterate(shared.half_off)
truncation_off = _iterate(shared.no_truncation)
stops_early = _iterate(shared.one_sweep)
policy_minimises = _iterate(shared.minimising)
plays_zero = replace(learner, act=shared.act_zero)

GENERIC: dict[str, Learner | str] = {
    "bonus zero": radius_zero,
    "log factor dropped": log_dropped,
    "delta not divided": delta_dropped,
    "wrong variance": span_to_one_half,
    "count off by one": ridge_off_by_one,
    "lost counts": counts_lost,
    "unvisited at zero": unvisited_zero,
    "no clipping": clipping_off,
    "backup of the wrong stage": "no field: average reward, there are no stages",
    "mass to the wrong state": successor_lost,
    "stale estimate": stale,
    "worst action played": policy_minimises,
    "ties to the last": "equivalent: any maximiser will do in the proof, and every step holds for each of them",
    "late trigger": trigger_late,
    "draw reused": "no field: the learner draws nothing of its own",
    "wrong length in the logarithm": length_of_one,
}
