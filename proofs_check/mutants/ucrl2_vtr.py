"""Faults planted in UCRL2-VTR: each is one wrong line, as it is found in real code."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mdps.learners.ucrl2_vtr import derive, learner, plan, radius_at, spread, watch
from proofs_check.mutants import _average_linear as shared
from theorylab.kernel import Kernel, kernel, log, sqrt
from theorylab.learner import Learner


@kernel
def no_radius(st, p, t):
    """radius = 0."""
    return 0.0


@kernel
def no_log(st, p, t):
    """The logarithms are left out."""
    if p.form == 0:
        return p.scale * (p.span * sqrt(1.0 * p.d) + sqrt(p.lam) * p.B)
    return p.scale * (12.0 * sqrt(1.0 * p.d) + sqrt(p.lam) * p.B)


@kernel
def no_delta(st, p, t):
    """delta is left out."""
    n = t + 1.0
    return p.scale * (p.span * sqrt(p.d * log((p.lam + n * p.span * p.span) / p.lam)) + sqrt(p.lam) * p.B)


@kernel
def plans_counted(st, p, t):
    """The horizon stands for the clock."""
    return radius_at(st, p, p.T)


@kernel
def no_norm(st, p, t):
    """sqrt(lam) B is left out."""
    return radius_at(st, p, t) - p.scale * sqrt(p.lam) * p.B


@kernel
def unit_range(st, p, t):
    """Noise in [0, 1], not in an interval of length D."""
    return p.scale * (sqrt(p.d * log((p.lam + (t + 1.0) * p.span * p.span) / (p.delta * p.lam))) + sqrt(p.lam) * p.B)


@kernel
def loops_lost(st, p, t, s, a, r, s2):
    """Steps that stay in the state are not recorded."""
    st.variance[0] = 1.0
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


@kernel
def no_floor(st, p, t, y):
    """sigma^2 may fall below D^2/d."""
    return 0.5 * spread(st, p, t, y)


@kernel
def constant_variance(st, p, t, y):
    """sigma^2 = D^2/d, whatever the variance."""
    return max(0.0 * spread(st, p, t, y), p.span * p.span / p.d)


def squared_norm(p: dict[str, Any]) -> dict[str, Any]:
    """lam = 2/B, not 1/B^2."""
    return {**derive(p), "lam": 2.0 / p["B"]}


def _radius(k: Kernel) -> Learner:
    return replace(learner, plan=plan.replace(radius_at=k))


def _iterate(k: Kernel) -> Learner:
    return replace(learner, plan=plan.replace(iterate=k))


radius_zero = _radius(no_radius)
log_dropped = _radius(no_log)
delta_dropped = _radius(no_delta)
horizon_for_clock = _radius(plans_counted)
norm_dropped = _radius(no_norm)
range_forgotten = _radius(unit_range)
ridge_off_by_one = replace(learner, begin=shared.larger_ridge)
ridge_wrong = replace(learner, derive=squared_norm)
unvisited_zero = replace(learner, begin=shared.nothing_unknown)
counts_lost = replace(learner, watch=loops_lost)
successor_lost = replace(learner, watch=old_state)
features_without_values = replace(learner, watch=watch.replace(feature=shared.without_values))
trigger_late = replace(learner, watch=watch.replace(doubled=shared.tripled))
trigger_always = replace(learner, watch=always)
determinant_wrong = replace(learner, watch=watch.replace(include=shared.log_det_of_one))
weights_wrong = replace(learner, watch=watch.replace(include=shared.target_unweighted))
floor_dropped = replace(learner, watch=watch.replace(spread=no_floor))
variance_ignored = replace(learner, watch=watch.replace(spread=constant_variance))
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
    "wrong variance": variance_ignored,
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
    "wrong length in the logarithm": horizon_for_clock,
}
