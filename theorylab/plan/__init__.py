"""Planning on known models: exact values with a certified error, evaluation, gaps, bias span and diameter."""

from __future__ import annotations

from theorylab.plan.api import bias_span, diameter, evaluate, gain_bias, gaps, hitting_times, plan
from theorylab.plan.record import Plan

__all__ = ["Plan", "bias_span", "diameter", "evaluate", "gain_bias", "gaps", "hitting_times", "plan"]
