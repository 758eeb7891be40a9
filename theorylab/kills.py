"""Kill matrices as data: which claims caught which planted faults of a learner, and how.

A property that catches a fault is the stronger witness; a step that repeats a formula of the learner
(`Evidence.copies`) catches whatever departs from that formula, and is counted apart.
"""

from __future__ import annotations

from collections.abc import Sequence

from theorylab.errors import InputError
from theorylab.evidence import Evidence

__all__ = ["CAUGHT", "COPIED", "IDLE", "MISSED", "kill_groups", "kill_table"]

#: cells: caught by a property, by a repeated formula, run and not caught, not run
CAUGHT, COPIED, MISSED, IDLE = "property", "formula", "not caught", "not run"


def learner_of(e: Evidence) -> str:
    """The learner of a claim; empty where no instance says."""
    return e.instances[0].learner if e.instances else ""


def kill_groups(evidence: Sequence[Evidence]) -> dict[tuple[str, str], list[Evidence]]:
    """(paper, learner) -> its claims that were put to a fault: faults of different learners may share a name."""
    out: dict[tuple[str, str], list[Evidence]] = {}
    for e in evidence:
        if e.kills:
            out.setdefault((e.paper, learner_of(e)), []).append(e)
    return out


def kill_table(claims: Sequence[Evidence]) -> dict[str, list[str]]:
    """Column fault, then a column for each claim: "property", "formula", "not caught" or "not run".

    Raises InputError where no claim was put to a fault.
    """
    faults = list(dict.fromkeys(f for e in claims for f in e.kills))
    if not faults:
        raise InputError("no claim was put to a planted fault; check claims whose learner has faults, with controls")
    out = {"fault": faults}
    for e in claims:
        hit = COPIED if e.copies else CAUGHT
        out[e.id] = [IDLE if f not in e.kills else hit if e.kills[f] else MISSED for f in faults]
    return out
