"""A ledger of checks: evidence as JSON lines, whose e-values multiply across runs with fresh seeds.

`append` writes one line per claim; `accumulate` reads a file and joins the lines. E-values of runs with different seeds
are independent, and a product of independent e-values is one: months of nightly checks become one growing proof or one
growing alarm. Every run counts, whatever its own verdict, since leaving runs out would void the product; a line that
repeats a seed on the same instance is the same evidence and counts once. What is joined must be the same statement: the
claim, the model's arrays, the length, the tested level and the code of the run (kernels of learner, probe and loop,
and the arrays they read: a bound with another constant is another statement).

A claim of several instances is SUPPORTED when every instance's product passes 1/alpha_support, and REFUTED when the
mean of their refuting products passes 1/alpha_refute. Invariants have no e-value: their replicates add up, and one
violation refutes. Controls are part of each line: a line whose controls failed is named and adds no evidence. Since
controls share addresses with the runs, leaving such a line out could favour one side: it counts as min(e, 1) on both,
which keeps the product an e-value whatever made the control fail.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from theorylab.errors import InputError
from theorylab.evidence import Evidence, plain

__all__ = ["FORMAT", "Joined", "accumulate", "append", "as_text", "is_ledger", "read", "run_by_run"]

#: version of the lines; lines of another are refused
FORMAT = 1
KEPT = ("model", "digest", "learner", "params", "length", "unit", "verdict", "n", "violations", "level", "e_support",
        "e_refute", "code")  # fmt: skip
VACUOUS = ("VACUOUS", "NOT_APPLICABLE")
#: verdicts that runs can add to; for any other the newest line speaks
OPEN = ("SUPPORTED", "REFUTED", "INCONCLUSIVE", "NO VIOLATION FOUND", "IDENTITY HOLDS", "CHECK_INVALID")
#: kinds without e-values, which one violation refutes -> what is said without one
FOUND = {"Pointwise": "NO VIOLATION FOUND", "Identity": "IDENTITY HOLDS"}


def append(path: str | Path, evidence: Sequence[Evidence]) -> Path:
    """Add a line for each claim to the file, which is made if missing; a line is written whole or not at all.

    Raises InputError where the file cannot be written, or ends in the middle of a line.
    """
    file = Path(path)
    lines = []
    for e in evidence:
        about = asdict(e)
        instances = [{k: i[k] for k in KEPT} for i in about["instances"]]
        lines.append(
            plain(
                dict(
                    format=FORMAT, claim=e.id, kind=e.kind, verdict=e.verdict, seed=e.provenance.get("seed"),
                    theorylab=e.provenance.get("theorylab"), failed=[c.name for c in e.controls if not c.ok],
                    instances=instances,
                )
            )
        )  # fmt: skip
    data = "".join(json.dumps(line, allow_nan=False) + "\n" for line in lines).encode()
    try:
        with open(file, "ab+") as out:
            if out.tell() > 0:
                out.seek(-1, os.SEEK_END)
                if out.read(1) != b"\n":
                    raise InputError(f"'{file}' ends in the middle of a line; remove that line, or choose another file")
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
    except OSError as error:
        raise InputError(f"cannot write '{file}': {error.strerror}; name a file that can be written") from None
    return file


def read(path: str | Path) -> list[dict[str, Any]]:
    """The lines of a ledger. Raises InputError, naming the line, for one that is no line of a ledger of this format."""
    try:
        rows = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise InputError(f"cannot read the ledger '{path}': {reason}") from None
    out = []
    for number, row in enumerate(rows, 1):
        where = f"'{path}', line {number}"
        try:
            line = json.loads(row)
            version = line["format"]
        except (ValueError, TypeError, KeyError):
            raise InputError(f"{where} is not a line of a ledger; remove it, or choose another file") from None
        if version != FORMAT:
            raise InputError(
                f"{where} has format {version}, and this version joins lines of format {FORMAT} only; keep them in "
                "files of their own"
            )
        try:
            out.append({**line, "line": number, "instances": [_instance(i) for i in line["instances"]]})
            str(line["claim"]), str(line["kind"]), list(line["failed"]), int(line["seed"])
        except (KeyError, TypeError, ValueError) as reason:
            raise InputError(f"{where} lacks or spoils an entry ({reason}); remove that line") from None
    return out


def is_ledger(text: str) -> bool:
    """Whether a text begins with a line of a ledger, of whatever format."""
    try:
        first = json.loads(text.partition("\n")[0])
    except ValueError:
        return False
    return isinstance(first, dict) and {"format", "claim", "instances"} <= set(first)


def _instance(row: dict[str, Any]) -> dict[str, Any]:
    """An instance's entries with their numbers as numbers: infinities come back from their texts."""
    numbers = {k: float(row[k]) for k in ("e_support", "e_refute")}
    if not all(v >= 0.0 for v in numbers.values()):
        raise ValueError("an e-value below 0")
    return {**{k: row[k] for k in KEPT}, **numbers, "n": int(row["n"]), "violations": int(row["violations"])}


@dataclass
class Joined:
    """A claim over all its runs.

    Attributes:
        claim, verdict: at the levels given. runs: lines joined; replicates, violations: their sums.
        log_e_support, log_e_refute: of the claim (nats). instances: the same, by instance.
        left_out: lines that were not joined, with the reason.
    """

    claim: str
    verdict: str
    runs: int
    replicates: int
    violations: int
    log_e_support: float
    log_e_refute: float
    instances: list[dict[str, Any]] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


def _log(value: float) -> float:
    return math.log(value) if value > 0.0 else -math.inf


def _log_product(kept: list[dict[str, Any]], failed: list[dict[str, Any]], name: str) -> float:
    """log of the product of e-values; infinite ones stand for a violation of what must never happen, and win."""
    logs = [_log(i[name]) for i in kept] + [min(_log(i[name]), 0.0) for i in failed]
    return math.inf if math.inf in logs else sum(logs)


def accumulate(
    lines: Iterable[dict[str, Any]], *, alpha_support: float = 0.01, alpha_refute: float = 0.001
) -> list[Joined]:
    """Join the lines of a ledger, claim by claim in the order of first appearance.

    Runs of another code, level, length or model stand for themselves: of those the newest is joined, and older ones
    are named in `left_out`.
    """
    claims: dict[str, list[dict[str, Any]]] = {}
    for line in lines:
        claims.setdefault(line["claim"], []).append(line)
    return [_join(name, rows, alpha_support, alpha_refute) for name, rows in claims.items()]


def run_by_run(lines: Sequence[dict[str, Any]]) -> dict[str, list[Joined]]:
    """Claim -> what was joined after each of its runs: the runs of the newest line's statement, each seed once."""
    out: dict[str, list[Joined]] = {}
    newest = {line["claim"]: _statement(line) for line in lines}
    for name, statement in newest.items():
        rows = [line for line in lines if line["claim"] == name and _statement(line) == statement]
        first = {int(row["seed"]): row for row in reversed(rows)}
        once = [row for row in rows if first[int(row["seed"])] is row]
        out[name] = [accumulate(once[: k + 1])[0] for k in range(len(once))]
    return out


def _statement(line: dict[str, Any]) -> str:
    """What must agree for two lines to be about the same statement."""
    about = [[i[k] for k in ("digest", "learner", "params", "length", "level", "code")] for i in line["instances"]]
    return json.dumps([line["kind"], about], sort_keys=True)


def _join(name: str, rows: list[dict[str, Any]], alpha_support: float, alpha_refute: float) -> Joined:
    left_out: list[str] = []
    seen: dict[int, int] = {}
    kept: list[dict[str, Any]] = []
    failed: list[dict[str, Any]] = []
    current = _statement(rows[-1])
    for row in rows:
        where, seed = f"line {row['line']}", int(row["seed"])
        if _statement(row) != current:
            left_out.append(f"{where}: another code, model, length, level or parameters than the newest line")
        elif seed in seen:
            left_out.append(f"{where}: seed {seed} is that of line {seen[seed]}; the same run is no new evidence")
        else:
            seen[seed] = row["line"]
            (failed if row["failed"] else kept).append(row)
            if row["failed"]:
                left_out.append(f"{where}: the control '{row['failed'][0]}' failed; it counts against only")
    parts = []
    for k, instance in enumerate(rows[-1]["instances"]):
        same, spoilt = ([row["instances"][k] for row in rows] for rows in (kept, failed))
        if all(i["verdict"] in VACUOUS for i in (instance, *same)):
            continue
        parts.append(
            dict(
                model=instance["model"],
                length=instance["length"],
                replicates=sum(i["n"] for i in same),
                violations=sum(i["violations"] for i in same),
                log_e_support=_log_product(same, spoilt, "e_support"),
                log_e_refute=_log_product(same, spoilt, "e_refute"),
            )
        )
    support = min((p["log_e_support"] for p in parts), default=-math.inf)
    refute = _log_mean([p["log_e_refute"] for p in parts])
    violations, newest = sum(p["violations"] for p in parts), rows[-1]
    verdict = "INCONCLUSIVE"
    if not kept:
        verdict = "CHECK_INVALID"
    elif newest["kind"] in FOUND and violations:  # whatever a later run did not come upon
        verdict, support, refute = "REFUTED", -math.inf, math.inf
    elif newest["verdict"] not in OPEN or not parts:
        verdict = newest["verdict"]
    elif newest["kind"] in FOUND:
        verdict, support, refute = FOUND[newest["kind"]], -math.inf, -math.inf
    elif refute >= math.log(1.0 / alpha_refute):
        verdict = "REFUTED"
    elif support >= math.log(1.0 / alpha_support):
        verdict = "SUPPORTED"
    replicates = sum(p["replicates"] for p in parts)
    return Joined(name, verdict, len(kept), replicates, violations, support, refute, parts, left_out)


def _log_mean(values: list[float]) -> float:
    """log of the mean of e-values given by their logs."""
    top = max(values, default=-math.inf)
    if not math.isfinite(top):
        return top
    return top + math.log(sum(math.exp(v - top) for v in values) / len(values))


def as_text(joined: Sequence[Joined]) -> str:
    """The joined claims as a table: runs, replicates, violations, e-values as powers of ten, and lines left out."""
    wide = max([len(j.claim) for j in joined] + [5])
    out = [f"{'claim':{wide}s} {'runs':>5s} {'n':>9s} {'violate':>8s} {'e support':>10s} {'e refute':>10s}  verdict"]
    for j in joined:
        powers = [f"{_power(v):>10s}" for v in (j.log_e_support, j.log_e_refute)]
        row = f"{j.claim:{wide}s} {j.runs:5d} {j.replicates:9d} {j.violations:8d} {' '.join(powers)}  {j.verdict}"
        out += [row, *(f"    left out, {reason}" for reason in j.left_out)]
    return "\n".join(["joined over all runs of the ledger:", *out]) + "\n"


def _power(log: float) -> str:
    if not math.isfinite(log):
        return "-" if log < 0 else "inf"
    return f"1e{log / math.log(10.0):+.1f}"
