"""Probes: a step of a proof, measured inside the loop at every step.

A probe is a kernel `value(st, p, tr, t) -> lhs - rhs`; the inequality holds when the value is at most `tol`. It
reads the learner's state, its parameters and a truth record and writes neither. The loop keeps, per replicate,
the maximum, the index of the first violation and the number of violations. NaN is a violation, and `max` and `min`
take two numbers and keep a NaN within probes and monitors.

`at` says when: "step" (after the learner has learnt from step t), "plan" (after a plan made at time t), "episode"
(after episode t), "end" (once, after the last step). Fields of the truth record `tr`:

    all        regret, gap_regret, visits (the environment's own counters), and the claim's tables
    bandit     mean[a], gap[a], a, r
    episodic   V_star[h,s], Q_star[h,s,a], succ, prob, r_mean (rows h*stride + s*A + a), h, s, a, r, s2
    average    gain, bias[s], gap[s,a], succ, prob, r_mean (rows s*A + a), s, a, r, s2, epochs

A `Monitor` adds memory of its own (a shadow sum, a copy of the last Q) that its `observe` kernel updates after each
step, before the probes of that step are evaluated; probes see the memory as fields of `tr`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from theorylab.compiler import Kernel
from theorylab.errors import InputError
from theorylab.learner import Field

__all__ = ["MOMENTS", "NEVER", "UNTESTED", "Monitor", "Probe"]

#: what a probe returns where the premise of its inequality is false: a probe that never returns more tested nothing
NEVER = -1e18
#: what a largest value up to here says: the premise was never true
UNTESTED = 0.1 * NEVER

MOMENTS = ("step", "plan", "episode", "end")


@dataclass(frozen=True, eq=False)
class Probe:
    """One measured inequality: `value(st, p, tr, t) <= tol` at every `at`."""

    name: str
    value: Kernel
    at: str = "step"
    tol: float = 0.0

    def __post_init__(self) -> None:
        if self.at not in MOMENTS:
            raise InputError(f"probe '{self.name}': at='{self.at}' is none of {', '.join(MOMENTS)}")


@dataclass(frozen=True, eq=False)
class Monitor:
    """Memory for probes: fields, a kernel `begin(p, tr)` and a kernel `observe(st, p, tr, t)` after every step."""

    memory: dict[str, Field] = field(default_factory=dict)
    begin: Kernel | None = None
    observe: Kernel | None = None
