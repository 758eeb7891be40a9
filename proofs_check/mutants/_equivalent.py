"""Automatic mutants that nothing can tell from the learner, each with the reason why. See `proofs_check.mutation`."""

from __future__ import annotations

__all__ = ["EQUIVALENT"]

#: learner (as `kill_matrix.learners` names it) -> name of the mutant -> why it is equivalent
EQUIVALENT: dict[str, dict[str, str]] = {}
