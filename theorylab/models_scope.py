"""Lemmas for all models: a claim of scope "models" gives the largest lhs - rhs over random instances.

`quantity(rng)` draws one batch of instances near the equality case and returns (largest lhs - rhs, where). The
control is the claim's false twin, the same function with one constant spoilt, which must be violated.
"""

from __future__ import annotations

import time

import numpy as np

from theorylab.claim import Claim
from theorylab.errors import InputError
from theorylab.evidence import ControlOutcome, InstanceEvidence

__all__ = ["check_lemma"]

TOLERANCE = 1e-9


def check_lemma(claim: Claim, effort: int, seed: int) -> tuple[InstanceEvidence, list[ControlOutcome]]:
    """Evaluate the lemma on `effort` batches; one excess beyond 1e-9 refutes it."""
    if claim.false_twin is None:
        raise InputError(f"claim {claim.id}: a lemma needs false_twin=..., or its check could not fail")
    started = time.perf_counter()
    rng = np.random.Generator(np.random.Philox(key=seed))
    worst, where = -np.inf, ""
    for _ in range(effort):
        excess, at = claim.quantity(rng)
        if excess > worst or excess != excess:
            worst, where = excess, at
    verdict = "NO VIOLATION FOUND" if worst <= TOLERANCE else "REFUTED"
    part = InstanceEvidence(
        model="all models",
        digest="",
        learner="",
        params={},
        length=effort,
        unit="batches",
        verdict=verdict,
        n=effort,
        violations=int(not worst <= TOLERANCE),
        e_refute=float("inf") if verdict == "REFUTED" else 0.0,
        max_excess=float(worst),
        note=f"closest to equality: {where}",
        seconds=time.perf_counter() - started,
    )
    rng = np.random.Generator(np.random.Philox(key=seed))
    twin = max(claim.false_twin(rng)[0] for _ in range(effort))
    caught = twin > TOLERANCE
    outcome = ControlOutcome(
        "false twin", "bound fault", "REFUTED", "REFUTED" if caught else "not refuted", caught, f"excess {twin:.3g}"
    )
    return part, [outcome]
