"""Evidence: what a check returns, plain data that figures, tables and reports are drawn from.

Verdicts, in order of precedence within a claim: CHECK_INVALID (a control failed), NOT_APPLICABLE (an assumption is
false on every instance), REFUTED, VACUOUS, SUPPORTED, INCONCLUSIVE. Besides: CONSTANT MEASURED [l, u] where the
paper leaves the constant open, NO VIOLATION FOUND for what must hold along every run or on every model, IDENTITY
HOLDS, and CONSISTENT / INCONSISTENT for growth.
"""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import dataclass, field
from typing import Any

__all__ = ["FAILURES", "POSITIVE", "ControlOutcome", "Evidence", "InstanceEvidence", "exit_code", "to_json"]

POSITIVE = ("SUPPORTED", "CONSISTENT", "IDENTITY HOLDS", "NO VIOLATION FOUND", "CONSTANT MEASURED")
FAILURES = ("REFUTED", "INCONSISTENT", "CHECK_INVALID")


@dataclass(frozen=True)
class ControlOutcome:
    """One control of a claim and what became of it.

    Attributes:
        name: of the planted fault or null. sort: "learner fault", "bound fault" or "null".
        expected, observed: verdict words; ok: whether they agree.
        detail: what was run and what fired, in words.
    """

    name: str
    sort: str
    expected: str
    observed: str
    ok: bool
    detail: str = ""


@dataclass(frozen=True)
class InstanceEvidence:
    """A claim on one instance.

    Attributes:
        model: its name; digest: of its arrays; learner, params: who ran; length: K, T or rounds; unit: which.
        verdict: on this instance alone. n: replicates the verdict was reached at; violations: those that violated.
        replicates: how many were run in all (they feed the curve, the mean, the slack); 0 where it is n.
        e_support, e_refute: e-values at n (0 where the kind has none).
        level: the tested rate, or the tested mean in units of trivial; interval: one-sided limits of it, always valid.
        slack: theorem's constant over the smallest that would do (upper limit); constant: [low, high] of the best one.
        bound, trivial: at the final length (reward units); nonvacuous_from: least length with bound < trivial (None:
            beyond 1e18); vacuous: bound >= trivial at every length up to this one.
        max_excess: largest lhs - rhs seen; first: index of the first violation in the earliest violating replicate.
        mean: mean of the measured quantity at the end. curve: checkpoints, mean, quantiles, bound, trivial for figures.
        replay: command that repeats the decisive replicate. note: anything a reader must know.
    """

    model: str
    digest: str
    learner: str
    params: dict[str, Any]
    length: int
    unit: str
    verdict: str
    n: int = 0
    violations: int = 0
    replicates: int = 0
    e_support: float = 0.0
    e_refute: float = 0.0
    level: float | None = None
    interval: tuple[float, float] | None = None
    slack: float | None = None
    constant: tuple[float, float] | None = None
    bound: float | None = None
    trivial: float | None = None
    nonvacuous_from: int | None = None
    vacuous: bool = False
    max_excess: float | None = None
    first: int | None = None
    mean: float | None = None
    curve: dict[str, list[float]] = field(default_factory=dict)
    replay: str = ""
    note: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Evidence:
    """The verdict on one claim, with all that it rests on.

    Attributes:
        id, paper, source_tag, text, kind, scope, constants: of the claim.
        verdict: see the module's text. n: replicates over all instances.
        e_value: the verdict's own (support: least over instances; refute: mean over instances).
        interval, slack, vacuous, nonvacuous_from: of the instance that decides.
        copies: True for a step that repeats a formula of the algorithm rather than a property of it.
        controls: outcomes. instances: per instance. kills: mutant -> whether a probe of this claim caught it.
        provenance: versions, seed, profile, levels, digest of the kernels. seconds: wall time.
    """

    id: str
    paper: str
    source_tag: str
    text: str
    kind: str
    scope: str
    constants: str
    verdict: str
    n: int
    e_support: float
    e_refute: float
    e_value: float
    interval: tuple[float, float] | None
    slack: float | None
    vacuous: bool
    nonvacuous_from: int | None
    controls: tuple[ControlOutcome, ...] = ()
    instances: tuple[InstanceEvidence, ...] = ()
    kills: dict[str, bool] = field(default_factory=dict)
    steps: tuple[str, ...] = ()
    copies: bool = False
    replay: str = ""
    provenance: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0


def exit_code(evidence: list[Evidence]) -> int:
    """1 on any failure, 0 with at least one positive verdict, 3 otherwise."""
    if any(e.verdict in FAILURES for e in evidence):
        return 1
    return 0 if any(e.verdict in POSITIVE for e in evidence) else 3


def plain(value: Any) -> Any:
    """Data that JSON can hold: infinities and NaN become strings, never silent nulls."""
    if isinstance(value, float) and not math.isfinite(value):
        return repr(value)
    if hasattr(value, "item") and getattr(value, "shape", None) == ():
        return plain(value.item())
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return value


def to_json(evidence: list[Evidence], *, curves: bool = True) -> str:
    """One JSON array, an object per claim; `curves=False` leaves out the figures' data."""
    rows = []
    for e in evidence:
        row = plain(dataclasses.asdict(e))
        if not curves:
            for instance in row["instances"]:
                instance.pop("curve")
        rows.append(row)
    return json.dumps(rows, indent=2, allow_nan=False)
