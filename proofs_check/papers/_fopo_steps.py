"""FOPO (wei2021.fopo-...): its steps and regret, on the probes and derivations of `_loop_linear_steps`.

    theorem     regret(T) = O~(sp d^{3/2} sqrt(T)) with probability 1 - delta; the constant and logarithms unspecified
         [recalled]

Program, radius, ridge and trigger are recalled; the failure probabilities are those that the radius in use affords by
the self-normalised bound, with the span of the truth [derived]. A plan is kept while det M is below twice that of the
plan, so that x^T M x <= 2 x^T M_plan x for every x, and with conc for V of range R = 2 W L

    in-sample error <= 2 (radius + sqrt(ridge) (W + W_e) + conc)^2 [derived]
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mdps.learners.fopo import learner as FOPO
from proofs_check.mutants import fopo as faults
from proofs_check.papers import _loop_linear_probes as own
from proofs_check.papers import _loop_linear_steps as linear
from proofs_check.papers._loop_bounds import trivial
from theorylab.claim import Claim, Context, Control, HighProbability, Instance, Pointwise
from theorylab.probe import Probe

ASSUMES = linear.ASSUMES
#: radius 13 at scale 0.02 and T = 20,000; the theory's 661 leaves J at the cap for all T here
STEPS = {
    "standard": (
        linear.place(linear.HARD, 20_000, delta=0.2, scale=0.02),
        linear.place(linear.RANDOM, 10_000, delta=0.2, scale=0.02),
    )
}
#: radius 6, enough for optimism at a level that runs can test
OPTIMISM = {
    "standard": (
        linear.place(linear.HARD, 5_000, delta=0.3, scale=0.01),
        linear.place(linear.RANDOM, 5_000, delta=0.3, scale=0.01),
    )
}
FINAL = {
    "standard": (
        linear.place(linear.HARD, 50_000, delta=0.1),
        linear.place(linear.HARD, 50_000, delta=0.1, scale=0.01),
    )
}
SMALL = linear.place(linear.HARD, 300, delta=0.01, scale=0.005)
SURE = linear.place(linear.HARD, 1_500, delta=0.01, scale=0.02)
#: norms that bind: sp of half the truth's
TIGHT = Instance.of(linear.HARD, 400, {"span": 0.05, "delta": 0.01, "scale": 0.003})


def in_bound(c: Context) -> float:
    """The bound of the module's text."""
    ridge = math.sqrt(c.ridge) * (c.W + linear.residual_norm(c))
    return float(2.0 * (math.sqrt(c.beta) * (1.0 + 1e-6) + ridge + linear.conc(c)) ** 2)


def tables(c: Context) -> dict[str, Any]:
    """As for linear LOOP, with the in-sample bound of the other trigger."""
    return {**linear.tables(c), "in_bound": in_bound(c)}


def shape(c: Context, n: np.ndarray) -> np.ndarray:
    """sp d^{3/2} sqrt(n)."""
    return np.asarray(c.span * c.d**1.5 * np.sqrt(np.asarray(n, dtype=float)))


CONTROLS = linear.controls(
    faults,
    {
        "log factor dropped": "log_dropped", "delta dropped": "delta_dropped", "d dropped": "dimension_dropped",
        "sp for 2 + sp": "span_alone", "determinant eightfold": "trigger_late", "never another plan": "trigger_never",
        "plan at every step": "trigger_always", "first hypothesis kept": "stale",
    },
)  # fmt: skip
CONTROLS["norm ignored"] = Control("norm ignored", faults.norm_ignored, TIGHT, replicates=4)
OWN: linear.Rows = {
    "radius": (
        "The radius is scale 20 (2 + sp) d sqrt(ln(T/delta)), and W = (2 + sp) sqrt(d).",
        "recalled", Pointwise(), own.printed_radius, "plan", 1e-9,
        "log factor dropped; delta dropped; d dropped; sp for 2 + sp",
    ),
    "determinant": (
        "The determinant that the trigger reads is that of M = ridge I + Lam.",
        "recalled", Pointwise(), own.determinant, "step", 1e-7, "self-loops lost",
    ),
    "doubling": (
        "Before every step det M is less than twice that of the plan.",
        "recalled", Pointwise(), own.doubling, "step", 1e-9, "determinant eightfold; never another plan; "
        "self-loops lost",
    ),
    "plans": (
        "The number of plans is at most 1 + log2(det M / ridge^d).",
        "derived", Pointwise(), own.plans, "step", 1e-6, "plan at every step",
    ),
    "most-plans": (
        "The number of plans is at most 1 + d log2(1 + t/(d ridge)).",
        "derived", Pointwise(), own.most_plans, "step", 1e-6, "plan at every step",
    ),
    "excess": (
        "upsilon is |b|_M^2 of the hypothesis in play on all data.",
        "derived", Pointwise(), own.excess, "step", 1e-6, "sign of the gain; ridge twice",
    ),
}  # fmt: skip
PLACES = {k: (OPTIMISM, SURE) for k in ("optimism", "bound-optimism", "coverage")}
ROWS = {**linear.common(HighProbability(linear.at_least_delta(linear.optimism_level))), **OWN}
STEP_CLAIMS: list[Claim] = []
for _name, _row in ROWS.items():
    _instances, _small = PLACES.get(_name, (STEPS, SMALL))
    _claim = linear.claim(
        "wei2021.fopo-", _name, _row, FOPO.name, CONTROLS, ASSUMES, copies=_name == "radius", instances=_instances,
        control_instance=_small,
    )  # fmt: skip
    assert isinstance(_claim.quantity, Probe)
    object.__setattr__(_claim, "tables", tables)
    STEP_CLAIMS.append(_claim)

CLAIMS = [
    Claim(
        id="wei2021.fopo-regret",
        text="FOPO: with probability 1 - delta, regret(n) = O~(sp d^{3/2} sqrt(n)); constant and logarithms "
        "unspecified, the order "
        "is recalled.",
        source_tag="recalled",
        learner=FOPO.name,
        kind=HighProbability(linear.delta),
        quantity="regret",
        constants="unspecified",
        shape=shape,
        trivial=trivial,
        instances=FINAL,
        assumes=ASSUMES,
        steps=tuple(c.id for c in STEP_CLAIMS),
    ),
    *STEP_CLAIMS,
]
