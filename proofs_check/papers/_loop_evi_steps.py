"""Steps of LOOP-EVI, the relaxation of LOOP on linear mixture MDPs (he2024.evi-...): all derived, none is the paper's.

The radius is sqrt(beta) of the linear formula with span bound B: targets lie in an interval of that length and |X|_2 is
at most it, so that |theta_hat - theta|_A <= radius at all plans at once except with probability delta, for scale >= 1
and a norm bound of at least |theta|. With L = d ln(1 + n span^2/(d lam)), as for UCRL2-VTR (wu2022),

    regret(n) <= max(span, 2 sqrt(2) radius) sqrt(2 n L) + span (1 + L/ln 2) + span sqrt(T ln(1/delta)/2) + n/sqrt(T)

for all n <= T except with probability 2 delta.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mdps.learners.loop_evi import learner as LEARNER
from proofs_check.mutants import loop_evi as faults
from proofs_check.papers import _ucrl2_vtr_probes as probes
from proofs_check.papers._average_linear_steps import steps
from proofs_check.papers.wu2022 import ASSUMES, HARD, SURE, endless, tables, trivial
from theorylab.claim import Claim, Context, Control, HighProbability, Instance
from theorylab.kernel import kernel, log, sqrt
from theorylab.probe import Probe

GIVEN = {"span": 5.0, "B": 1.07, "delta": 0.1}
SMALL = Instance("mixture-two-state", 250, SURE, {"span": 0.8, "B": 1.25, "delta": 0.05})
#: a small radius and a ridge of its own: values leave the clip
NARROW = Instance("mixture-two-state", 250, HARD, {**GIVEN, "span": 2.2, "lam": 0.8, "scale": 0.3})
#: the truncation binds
TIGHT = Instance("mixture-two-state", 60, HARD, {**GIVEN, "span": 0.5})
STEPS = {
    "standard": (
        Instance("mixture-two-state", 20_000, HARD, {"span": 2.2, "B": 1.07, "delta": 0.2}),
        Instance.of(endless(5, 3, 3, 2, 1), 20_000, {"span": 0.8, "B": 1.75, "delta": 0.2}),
    ),
}
FINAL = {"standard": (Instance("mixture-two-state", 20_000, HARD, {"span": 2.2, "B": 1.07, "delta": 0.1}),)}


@kernel
def loop_radius(p, t):
    """sqrt(lam) B + span sqrt(((d/2) ln(1 + T span^2/(d lam)) + ln(1/delta))/2)."""
    size = 0.5 * p.d * log(1.0 + p.T * p.span * p.span / (p.d * p.lam)) - log(p.delta)
    return p.scale * (sqrt(p.lam) * p.B + p.span * sqrt(0.5 * size))


def confidence_level(c: Context) -> float:
    """delta, where the radius is that of the theory; else 1."""
    sure = c.scale >= 1.0 and c.B >= c.model.parameter_norm and float(np.ptp(c.bias)) <= c.span
    return float(c.delta) if sure else 1.0


def explicit(c: Context, n: np.ndarray) -> np.ndarray:
    """The explicit form of the module's text."""
    k, B = np.asarray(n, dtype=float), c.span
    L = c.d * np.log(1.0 + k * B * B / (c.d * c.lam))
    size = 0.5 * c.d * math.log(1.0 + c.T * B * B / (c.d * c.lam)) + math.log(1.0 / c.delta)
    radius = c.scale * (math.sqrt(c.lam) * c.B + B * math.sqrt(size / 2.0))
    noise = B * math.sqrt(c.T * math.log(1.0 / c.delta) / 2.0)
    first = max(B, 2.0 * math.sqrt(2.0) * radius) * np.sqrt(2.0 * k * L)
    return np.asarray(first + B * (1.0 + L / math.log(2.0)) + noise + k / math.sqrt(c.T))


CONTROLS = {
    name: Control(name, learner, replicates=4)
    for name, learner in {
        "radius zero": faults.radius_zero,
        "log factor dropped": faults.log_dropped,
        "delta left out": faults.delta_dropped,
        "first power of the span": faults.span_to_one_half,
        "norm of theta dropped": faults.norm_dropped,
        "volume after one step": faults.length_of_one,
        "ridge lam + 1": faults.ridge_off_by_one,
        "unseen directions known": faults.unvisited_zero,
        "self-loops lost": faults.counts_lost,
        "value of the state left": faults.successor_lost,
        "features without values": faults.features_without_values,
        "tripled determinant": faults.trigger_late,
        "plan at every step": faults.trigger_always,
        "determinant of norms": faults.determinant_wrong,
        "estimate kept": faults.stale,
        "no clipping": faults.clipping_off,
        "lower bound": faults.pessimistic,
        "norm squared": faults.width_squared,
        "uncentred": faults.uncentred,
        "half the range off": faults.half_range_off,
        "one sweep": faults.stops_early,
        "policy minimises": faults.policy_minimises,
        "action 0 played": faults.plays_zero,
    }.items()
}
CONTROLS["no truncation"] = Control("no truncation", faults.truncation_off, TIGHT, replicates=4)
MORE = {"radius": "first power of the span; volume after one step"}


def _step(
    name: str, text: str, tag: str, kind: Any, value: Any, at: str, tol: float, caught: str, copies: bool = False
) -> Claim:
    listed = [*caught.split("; "), *(x for x in MORE.get(name, "").split("; ") if x)]
    return Claim(
        id=f"he2024.evi-{name}",
        text=f"LOOP-EVI, a relaxation of LOOP: {text}",
        source_tag="derived",
        learner=LEARNER.name,
        kind=kind,
        quantity=Probe(f"loop-evi.{name}", value, at, tol),
        instances=STEPS,
        control_instance=SMALL if isinstance(kind, HighProbability) else NARROW,
        assumes=ASSUMES,
        controls=tuple(CONTROLS[c] for c in listed),
        tables=tables,
        monitor=probes.monitor,
        copies=copies,
    )


SHARED = steps(HighProbability(confidence_level), loop_radius)
STEP_CLAIMS = [_step(name, *entry) for name, entry in SHARED.items()]
CLAIMS = [
    Claim(
        id="he2024.evi-regret",
        text="LOOP-EVI, a relaxation of LOOP: regret(n) <= max(span, 2 sqrt(2) radius) sqrt(2nL) + span (1 + L/ln 2) + "
        "span sqrt(T ln(1/delta)/2) + n/sqrt(T), L = d ln(1 + n span^2/(d lam)); derived, not the paper's theorem.",
        source_tag="derived",
        learner=LEARNER.name,
        kind=HighProbability(lambda c: min(1.0, confidence_level(c) + c.delta)),
        quantity="regret",
        bound=explicit,
        trivial=trivial,
        instances=FINAL,
        assumes=ASSUMES,
        steps=tuple(c.id for c in STEP_CLAIMS),
    ),
    *STEP_CLAIMS,
]
