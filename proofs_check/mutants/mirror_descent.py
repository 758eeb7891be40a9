"""Faults planted in mirror descent with action values: those of MMD that do not need a magnet."""

from __future__ import annotations

from mdps.learners.mirror_descent import learner
from proofs_check.mutants.mmd import generic, shared
from theorylab.learner import Learner

FAULTS = shared(learner)
# the kill matrix reads planted learners off the names of the file
globals().update({f"fault_{i}": fault for i, fault in enumerate(FAULTS.values())})

GENERIC: dict[str, Learner | str] = generic(FAULTS)
