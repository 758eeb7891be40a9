"""Faults planted in predictive CFR+: those of CFR+, and of the prediction."""

from __future__ import annotations

from dataclasses import replace

from mdps.learners.pcfr_plus import learner
from proofs_check.mutants.cfr_plus import generic, shared, turns
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

GENERIC: dict[str, Learner | str] = {**generic(FAULTS), "bonus zero": FAULTS["prediction left out"]}
