"""Faults planted in predictive CFR+: those of CFR+, and of the prediction."""

from __future__ import annotations

from dataclasses import replace

from mdps.learners.pcfr_plus import learner
from proofs_check.mutants.cfr_plus import shared, turns
from theorylab.kernel import kernel
from theorylab.learner import Learner


@kernel
def against(st, p, change, i, q, j):
    """The prediction with the wrong sign."""
    st.R[q, j] = max(0.0, st.R[q, j] + change)
    st.pi[q, j] = max(0.0, st.R[q, j] - p.prediction * change)


@kernel
def predict_nothing(st, p, change, i, q, j):
    """The prediction is left out."""
    st.R[q, j] = max(0.0, st.R[q, j] + change)
    st.pi[q, j] = st.R[q, j]


@kernel
def predict_twice(st, p, change, i, q, j):
    """The prediction is kept in the regrets."""
    st.R[q, j] = max(0.0, st.R[q, j] + change + p.prediction * change)
    st.pi[q, j] = st.R[q, j]


FAULTS = {
    **shared(learner),
    "prediction's sign": replace(learner, learn=turns.replace(UPDATE=against)),
    "prediction left out": replace(learner, learn=turns.replace(UPDATE=predict_nothing)),
    "prediction kept in the regrets": replace(learner, learn=turns.replace(UPDATE=predict_twice)),
}
# the kill matrix reads planted learners off the names of the file
globals().update({f"fault_{i}": fault for i, fault in enumerate(FAULTS.values())})

GENERIC: dict[str, Learner | str] = {
    "bonus zero": FAULTS["prediction left out"],
    "log factor dropped": "no field: no logarithm",
    "delta not divided": "no field: nothing is random, there is no delta",
    "wrong variance": "no field: no variance",
    "count off by one": FAULTS["first policy left out"],
    "lost counts": FAULTS["regrets not accumulated"],
    "unvisited at zero": "no field: all infosets are updated at every iteration",
    "no clipping": FAULTS["floor left out"],
    "backup of the wrong stage": FAULTS["values not passed up"],
    "mass to the wrong state": "no field: no transition is estimated",
    "stale estimate": FAULTS["values computed once"],
    "worst action played": FAULTS["negative part matched"],
    "ties to the last": "no field: no best action is chosen",
    "late trigger": FAULTS["every second iteration"],
    "draw reused": "no field: it draws its first policy alone",
    "wrong length in the logarithm": "no field: no logarithm",
}
