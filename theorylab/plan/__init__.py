"""Planning on known models: exact values with a certified error, evaluation, gaps, bias span, diameter and more."""

from __future__ import annotations

from theorylab.plan.api import (
    bias_span,
    diameter,
    evaluate,
    gain_bias,
    gaps,
    hitting_times,
    mixing_time,
    plan,
    plan_multichain,
    stationary_distribution,
)
from theorylab.plan.batch import BatchPlan, evaluate_batch, plan_batch
from theorylab.plan.constrained import ConstrainedPlan, plan_constrained
from theorylab.plan.exact import ExactPlan, exact_evaluate, exact_plan
from theorylab.plan.multichain import MultichainPlan
from theorylab.plan.occupancies import certified_occupancy, occupancy
from theorylab.plan.record import Certified, Plan
from theorylab.plan.suboptimality import minimal_gap

__all__ = [
    "BatchPlan",
    "Certified",
    "ConstrainedPlan",
    "ExactPlan",
    "MultichainPlan",
    "Plan",
    "bias_span",
    "certified_occupancy",
    "diameter",
    "evaluate",
    "evaluate_batch",
    "exact_evaluate",
    "exact_plan",
    "gain_bias",
    "gaps",
    "hitting_times",
    "minimal_gap",
    "mixing_time",
    "occupancy",
    "plan",
    "plan_batch",
    "plan_constrained",
    "plan_multichain",
    "stationary_distribution",
]
