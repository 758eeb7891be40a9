"""Anyone's agent under the steps that apply: `theorylab audit PACKAGE.MODULE:Agent --model NAME`.

    agent     what an agent is: `act` and `observe`, or `train`; what it may let be read
    world     the exact model that it plays, with addressed randomness
    space     `AuditEnv`, its Gymnasium-style form
    checks    the inequalities, read at every decision
    own       the package's learners as agents
    remote    an agent in another interpreter; `child` is its other end
    regret    regret of what was played, against uniform play
    judging   `audit`: replicates, verdicts, the report

The public names are imported on first use, so that `child` runs in an environment that has only numpy.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOME = {
    "AuditEnv": "space",
    "Report": "judging",
    "audit": "judging",
    "of_class": "agent",
    "of_learner": "own",
    "of_remote": "remote",
}

__all__ = ["AuditEnv", "Report", "audit", "of_class", "of_learner", "of_remote"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'theorylab.audit' has no attribute '{name}'")
    return getattr(importlib.import_module(f"theorylab.audit.{_HOME[name]}"), name)
