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
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from theorylab.errors import InputError

__all__ = [
    "FAILURES",
    "POSITIVE",
    "ControlOutcome",
    "Evidence",
    "InstanceEvidence",
    "exit_code",
    "from_json",
    "to_json",
]

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
        mean: mean of the measured quantity at the end. quantity: "regret" or "exploitability", of which there is a
            curve, else "". curve: checkpoints, mean, quantiles, bound, trivial for figures.
            upper: the (1 - level)-quantile, of claims that hold with probability 1 - level.
        e_path: the e-processes at geometrically spaced n up to the verdict, log_e_support, log_e_refute and their
            thresholds (nats). difference: of a comparison with the learner `other`, n, mean, low, high of regret minus
            the other's, with a band simultaneous over n at level 0.05 (approximate, for drawing).
        code: digest of what ran: kernels (learner, probes, loop) and the arrays they read, or the modules of a lemma.
        replicate: the earliest that violated, else 0; replay: command that repeats it. note: what a reader must know.
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
    quantity: str = ""
    curve: dict[str, list[float]] = field(default_factory=dict)
    e_path: dict[str, list[float]] = field(default_factory=dict)
    other: str = ""
    difference: dict[str, list[float]] = field(default_factory=dict)
    code: str = ""
    replicate: int = 0
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
        toothless: which controls the claim lacks, so that nothing shows that its check can fail; "" for none.
        growth: of a growth claim, the decision on its sweep: range T1 to T2, slopes of log(regret/order), local slopes,
            and the tables `sweep` and `slopes` of `theorylab.sweep.Sweep.record`.
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
    toothless: str = ""
    replay: str = ""
    growth: dict[str, Any] = field(default_factory=dict)
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
    if hasattr(value, "tolist"):
        return plain(value.tolist())
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
                for name in ("curve", "e_path", "difference"):
                    instance.pop(name)
            for name in ("sweep", "slopes"):
                row["growth"].pop(name, None)
        rows.append(row)
    return json.dumps(rows, indent=2, allow_nan=False)


def from_json(text: str) -> list[Evidence]:
    """The evidence that `to_json` wrote: its numbers, with infinities and NaN, and its words.

    Lists come back as lists where JSON cannot tell tuples, in `params`, `growth` and `provenance`; the text of what is
    read is the same again. Raises InputError, naming the entry, for what is no such text.
    """
    try:
        rows = json.loads(text)
    except ValueError as wrong:
        raise InputError(f"the evidence is not JSON ({wrong}); give an evidence.json of a report") from None
    if not isinstance(rows, list):
        raise InputError(f"the evidence is {_kind(rows)}, not a list of claims; give an evidence.json of a report")
    return [_read(Evidence, row, f"[{k}]") for k, row in enumerate(rows)]


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "a truth value", type(None): "null"}
    return names.get(type(value), "a number")


def _read(record: Any, row: Any, where: str) -> Any:
    """A record from an object with its fields by name; those with a default may be missing."""
    if not isinstance(row, dict):
        raise InputError(f"{where} is {_kind(row)}, not an object; give an evidence.json of a report")
    fields = {f.name: f for f in dataclasses.fields(record)}
    for name in row:
        if name not in fields:
            raise InputError(f"{where}.{name} is no entry of evidence of this version; write the report again")
    out = {}
    for name, f in fields.items():
        if name in row:
            out[name] = READERS[str(f.type)](row[name], f"{where}.{name}")
        elif f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING:
            raise InputError(f"{where} lacks '{name}'; give an evidence.json of a report, as it was written")
    return record(**out)


def _refuse(value: Any, where: str, wanted: str) -> InputError:
    return InputError(f"{where} is {value!r}, not {wanted}; give the file as it was written")


def _number(value: Any, where: str) -> float:
    if value in ("inf", "-inf", "nan"):
        return float(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _refuse(value, where, "a number")
    return float(value)


def _plain_type(kind: type, wanted: str) -> Callable[[Any, str], Any]:
    def read(value: Any, where: str) -> Any:
        if type(value) is not kind:
            raise _refuse(value, where, wanted)
        return value

    return read


def _or_none(read: Callable[[Any, str], Any]) -> Callable[[Any, str], Any]:
    return lambda value, where: None if value is None else read(value, where)


def _pair(value: Any, where: str) -> tuple[float, float]:
    if not isinstance(value, list) or len(value) != 2:
        raise _refuse(value, where, "a pair of numbers")
    return _number(value[0], f"{where}[0]"), _number(value[1], f"{where}[1]")


def _items(read: Callable[[Any, str], Any]) -> Callable[[Any, str], tuple[Any, ...]]:
    def items(value: Any, where: str) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise _refuse(value, where, "a list")
        return tuple(read(v, f"{where}[{k}]") for k, v in enumerate(value))

    return items


def _entries(read: Callable[[Any, str], Any]) -> Callable[[Any, str], dict[str, Any]]:
    def entries(value: Any, where: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise _refuse(value, where, "an object")
        return {k: read(v, f"{where}.{k}") for k, v in value.items()}

    return entries


def _any(value: Any, where: str) -> Any:
    return value


_text, _whole, _truth = _plain_type(str, "a text"), _plain_type(int, "an integer"), _plain_type(bool, "true or false")
#: type of a field, as written above -> its reader
READERS: dict[str, Callable[[Any, str], Any]] = {
    "str": _text,
    "int": _whole,
    "bool": _truth,
    "float": _number,
    "int | None": _or_none(_whole),
    "float | None": _or_none(_number),
    "tuple[float, float] | None": _or_none(_pair),
    "dict[str, list[float]]": _entries(lambda v, where: list(_items(_number)(v, where))),
    "dict[str, bool]": _entries(_truth),
    "dict[str, Any]": _entries(_any),
    "tuple[str, ...]": _items(_text),
    "tuple[ControlOutcome, ...]": _items(lambda v, where: _read(ControlOutcome, v, where)),
    "tuple[InstanceEvidence, ...]": _items(lambda v, where: _read(InstanceEvidence, v, where)),
}
