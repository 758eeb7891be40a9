"""Faults planted in mirror descent with action values: those of MMD that do not need a magnet."""

from __future__ import annotations

from mdps.learners.mirror_descent import learner
from proofs_check.mutants.mmd import shared
from theorylab.learner import Learner

FAULTS = shared(learner)
# the kill matrix reads planted learners off the names of the file
globals().update({f"fault_{i}": fault for i, fault in enumerate(FAULTS.values())})

GENERIC: dict[str, Learner | str] = {
    "bonus zero": "no field: no magnet and no bonus",
    "log factor dropped": "no field: no logarithm of a number of rounds",
    "delta not divided": "no field: nothing is random, there is no delta",
    "wrong variance": "no field: no variance",
    "count off by one": FAULTS["schedule from 2"],
    "lost counts": FAULTS["uniform restart"],
    "unvisited at zero": "no field: an infoset that is not reached keeps its policy, and all are reached from within",
    "no clipping": "no field: logarithms need no floor",
    "backup of the wrong stage": FAULTS["values not passed up"],
    "mass to the wrong state": "no field: no transition is estimated",
    "stale estimate": FAULTS["plans of the first policies"],
    "worst action played": FAULTS["softmax of minus values"],
    "ties to the last": "no field: no best action is chosen",
    "late trigger": FAULTS["every second iteration"],
    "draw reused": "no field: it draws its first policy alone",
    "wrong length in the logarithm": "no field: no logarithm of a length",
}
