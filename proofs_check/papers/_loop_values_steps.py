"""LOOP on finite classes of value functions: steps F1 to F5 and L1 to L11 (he2024).

All constants are derived. With B = span, M hypotheses, K tables of a complete auxiliary class, for all times at once:

    F1   excess(f*) <= (B^2/2) ln(K/delta)                                                prob. 1 - delta
    F2   sum E(f)(x_i)^2 <= 2 excess(f) + 2 B^2 ln(M/delta) for all f                     prob. 1 - delta
    F3   excess(f) <= 1.5 sum E(f)(x_i)^2 + 1.5 B^2 ln(M K/delta) for all f               prob. 1 - delta
    F4   an epoch adds at least (2/3) beta - 3 B^2 ln(M K/delta) to sum E^2               on the events of F2, F3
    F5   in-sample error of f_t < 8 beta + 2 B^2 ln(M/delta)                              on the event of F2

The classes are the truth and neighbours of it that all promise more, with their Bellman updates as the auxiliary class.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mdps.learners.loop_values import learner as FAITHFUL
from mdps.loop.values import completed, incompleteness, perturbed
from mdps.models.jao import build as jao
from mdps.models.riverswim import build as riverswim
from proofs_check.mutants import loop_values as faults
from proofs_check.papers import _loop_probes as shared
from proofs_check.papers import _loop_tabular_probes as tabular
from proofs_check.papers import _loop_values_probes as own
from proofs_check.papers._loop_bounds import level
from proofs_check.papers._loop_models_steps import Models
from proofs_check.papers._loop_monitor import law_of
from theorylab.assume import Assumption, average_reward, rewards_in_01
from theorylab.claim import Claim, Context, Control, HighProbability, Instance, Pointwise
from theorylab.probe import Probe

LEARNER = "loop-values"


def _class(model: Any, M: int, spread: float, seed: int) -> dict[str, Any]:
    values, gains = perturbed(model, M, spread=spread, seed=seed)
    V = values.max(axis=2)
    return {
        "values": Models("neighbours of the truth", values),
        "gains": Models("their gains", gains),
        "auxiliary": Models("with their Bellman updates", completed(model, values, gains)),
        "span": float(np.ptp(V, axis=1).max()),
    }


_JAO, _SWIM = jao(delta=0.25, epsilon=0.1), riverswim(states=4)
CLASSES = {_JAO.name: (_JAO, _class(_JAO, 16, 0.5, 1)), _SWIM.name: (_SWIM, _class(_SWIM, 12, 1.0, 2))}


def place(model: Any, length: int, **learner: Any) -> Instance:
    """An instance with the class of its model."""
    return Instance.of(model, length, {**CLASSES[model.name][1], **learner})


def _realised(model: Any) -> str | None:
    if model.name not in CLASSES:
        return f"no class is known for the model {model.name}"
    hypotheses = CLASSES[model.name][1]
    values, gains = np.array(hypotheses["values"]), np.array(hypotheses["gains"])
    first = incompleteness(model, values[:1], gains[:1], values[:1])
    if first > 1e-9:
        return f"hypothesis 0 of the class of {model.name} is not the truth: its Bellman error is {first:.3g}"
    rest = incompleteness(model, values, gains, np.array(hypotheses["auxiliary"]))
    return None if rest <= 1e-9 else f"the auxiliary class of {model.name} misses Bellman updates by {rest:.3g}"


realised = Assumption(
    "realisable and complete", "the class has the truth, the auxiliary class all Bellman updates (A2, A3)", _realised
)
ASSUMES = (average_reward, rewards_in_01, realised)

LEMMAS = (place(_JAO, 20_000, delta=0.2), place(_SWIM, 20_000, delta=0.2))
STEPS = (*LEMMAS, place(_SWIM, 10_000, delta=0.2, form=1, scale=0.2))
EPOCHS = (place(_JAO, 50_000, delta=0.2), place(_SWIM, 50_000, delta=0.2))
SMALL = place(_JAO, 1_500, delta=0.01, scale=0.03)
WHOLE = place(_JAO, 60, delta=0.01)
SURE = place(_JAO, 1_500, delta=0.01, form=1)
LONG = place(_JAO, 3_000, delta=0.01, scale=0.02)
#: few hypotheses, for steps that speak of all of them at every step
FEW = Instance.of(_JAO, 1_500, {**_class(_JAO, 4, 0.5, 1), "delta": 0.01, "form": 1})


def optimism_level(c: Context) -> float:
    """delta, or K exp(-2 beta / B^2) of F1 where that is larger."""
    return max(float(c.delta), min(1.0, float(c.K * math.exp(-2.0 * c.beta / c.span**2))))


def tables(c: Context) -> dict[str, Any]:
    """What the probes read."""
    logs = math.log(c.M * c.K / c.delta)
    values, gains = np.array(c.values["values"]), np.array(c.values["gains"])
    law = law_of(c)
    errors = values + gains[:, None, None] - c.model.r - np.einsum("say,my->msa", law, values.max(axis=2))
    return {
        "law": law,
        "in_bound": float(8.0 * c.beta + 2.0 * c.span**2 * math.log(c.M / c.delta)),
        "increment": float(max(0.0, 2.0 / 3.0 * c.beta - 3.0 * c.span**2 * logs)),
        "e_max": float(np.abs(errors).max()),
        "repeats": 0,
    }


CONTROLS = {
    name: Control(name, learner, replicates=4)
    for name, learner in {
        "smallest gain of the set": faults.pessimistic,
        "confidence set ignored": faults.set_ignored,
        "radius doubled": faults.radius_doubled,
        "least loss": faults.radius_zero,
        "incomplete auxiliary class": faults.incomplete,
        "rewards shifted": faults.reward_shifted,
        "n + 5 in the loss": faults.one_more,
        "V of the first hypothesis": faults.stale,
        "V not centred": faults.uncentred,
        "first hypothesis kept": faults.kept,
        "values in another unit": faults.other_unit,
        "three visits of four lost": faults.three_of_four_lost,
        "self-loops lost": faults.counts_lost,
        "successor shifted": faults.successor_shifted,
        "optimisation at every step": faults.trigger_always,
        "lazy bound for the excess": faults.trigger_by_bound,
        "excess never looked up": faults.trigger_never,
        "trigger at 40 beta": faults.trigger_late,
        "worst action": faults.policy_minimises,
        "logarithm dropped": faults.log_dropped,
        "class not in the logarithm": faults.union_dropped,
        "beta without B^2": faults.span_once,
    }.items()
}
CONTROLS["values in another unit, kept"] = Control("values in another unit, kept", faults.other_unit_kept, replicates=8)
_OTHERS = {k: v for k, v in CLASSES[_JAO.name][1].items()}
#: pitfall 15: the truth is left out, and the steps are asked without the assumption
WITHOUT = Control(
    "class without the truth",
    FAITHFUL,
    Instance.of(
        _JAO,
        1_500,
        {
            **_OTHERS,
            "values": Models("pessimists alone", np.array(_OTHERS["values"])[1:]),
            "gains": Models("below the optimal gain", np.full(15, 0.4)),
            "auxiliary": Models("the class", np.array(_OTHERS["values"])[1:]),
            "scale": 100.0,
            "delta": 0.01,
        },
    ),
    replicates=4,
)
CONTROLS["class without the truth"] = WITHOUT


def _step(name: str, text: str, kind: Any, value: Any, at: str, tol: float, caught: str, **more: Any) -> Claim:
    given: dict[str, Any] = dict(source_tag="derived", instances={"standard": STEPS}, control_instance=SMALL)
    return Claim(
        id=f"he2024.values-{name}",
        text=text,
        learner=LEARNER,
        kind=kind,
        quantity=Probe(f"values.{name}", value, at, tol),
        assumes=ASSUMES,
        controls=tuple(CONTROLS[c] for c in caught.split("; ")),
        tables=tables,
        monitor=own.monitor,
        **{**given, **more},
    )


CLAIMS = [
    _step(
        "beta", "beta is 9 B^2 ln(MK/delta), or (B^2/2) ln(K/delta), times the multiplier.",
        Pointwise(), own.beta, "plan", 1e-9,
        "logarithm dropped; class not in the logarithm; beta without B^2", copies=True,
        control_instance=WHOLE,
    ),
    _step(
        "in-class", "Q, V and J are those of the hypothesis in play.",
        Pointwise(), own.in_class, "plan", 1e-9, "V of the first hypothesis; V not centred; values in another unit",
    ),
    _step("greedy", "V(s) is the largest Q(s,a) and that of the policy.",
          Pointwise(), shared.greedy, "plan", 1e-8, "V of the first hypothesis"),
    _step("played", "The action played is that of the hypothesis.",
          Pointwise(), shared.played, "step", 0.0, "worst action"),
    _step("visits", "N counts the steps.", Pointwise(), shared.visits, "step", 0.0, "self-loops lost"),
    _step("centred", "|V| <= B/2.", Pointwise(), tabular.boxed, "plan", 1e-8, "V not centred"),
    _step(
        "member", "The hypothesis chosen has excess at most beta on all transitions.",
        Pointwise(), own.member, "plan", 1e-7,
        "confidence set ignored; radius doubled; self-loops lost; successor shifted; rewards shifted",
        source_tag="recalled",
    ),
    _step(
        "choice", "No hypothesis of the confidence set has a larger gain than the one chosen.",
        Pointwise(), own.choice, "plan", 0.0,
        "smallest gain of the set; least loss; n + 5 in the loss", source_tag="recalled",
    ),
    _step(
        "trigger",
        "There is an optimisation at the start and after each step at which the excess on all data reaches 4 beta, "
        "and no "
        "other.",
        Pointwise(), own.on_time, "step", 0.0,
        "trigger at 40 beta; optimisation at every step; lazy bound for the excess; excess never looked up",
        source_tag="recalled",
    ),
    _step(
        "lazy", "upsilon is at least the excess of the hypothesis in play.",
        Pointwise(), own.lazy, "step", 1e-7, "self-loops lost; incomplete auxiliary class",
    ),
    _step(
        "f1", "F1: the excess of the truth is at most (B^2/2) ln(K/delta) at every step, on the learner's data.",
        HighProbability(level(1.0)), own.f1, "step", 1e-9, "successor shifted", control_instance=FEW,
    ),
    _step(
        "f2", "F2: in-sample errors of all hypotheses are at most 2 excess + 2 B^2 ln(M/delta), excess on the "
        "learner's data.",
        HighProbability(level(1.0)), own.f2, "step", 1e-8, "three visits of four lost", control_instance=FEW,
        instances={"standard": (place(_JAO, 5_000, delta=0.2), place(_SWIM, 5_000, delta=0.2))},
    ),
    _step(
        "f3", "F3: excesses of all hypotheses are at most 1.5 in-sample errors + 1.5 B^2 ln(MK/delta).",
        HighProbability(level(1.0)), own.f3, "step", 1e-8, "successor shifted", control_instance=FEW,
        instances={"standard": (place(_JAO, 5_000, delta=0.2), place(_SWIM, 5_000, delta=0.2))},
    ),
    _step(
        "f4", "F4 (L5): an epoch adds at least (2/3) beta - 3 B^2 ln(MK/delta) to sum E^2.",
        HighProbability(level(2.0)), shared.increments, "plan", 1e-9, "optimisation at every step",
        instances={"standard": EPOCHS}, control_instance=WHOLE,
    ),
    _step(
        "l6", "L6: at most 1 + sum E^2 / increment optimisations.",
        HighProbability(level(2.0)), shared.switches, "plan", 1e-9, "optimisation at every step",
        instances={"standard": EPOCHS}, control_instance=WHOLE,
    ),
    _step(
        "f5", "F5 (L4): the in-sample error of the hypothesis in play is below 8 beta + 2 B^2 ln(M/delta) at every "
        "step.",
        HighProbability(level(1.0)), shared.in_sample, "step", 1e-9, "excess never looked up; first hypothesis kept",
        control_instance=LONG,
    ),
    _step(
        "optimism",
        "L1: the gain of the hypothesis is at least the optimal one at every optimisation, except with probability "
        "max(delta, K exp(-2 beta/B^2)).",
        HighProbability(optimism_level), shared.optimism, "plan", 1e-9, "class without the truth",
        control_instance=SURE,
    ),
    _step(
        "l2", "L2: sum (J - r) = sum E + sum (P V - V(s)), exactly.",
        Pointwise(), shared.decomposition, "step", 1e-8, "worst action", source_tag="recalled",
    ),
    _step(
        "l3", "L3: sum (P V - V(s)) <= B sqrt((n/2) ln(1/delta)) + B N(n) at the end, with probability 1 - delta.",
        HighProbability(level(1.0)), shared.realisation, "end", 1e-8, "values in another unit, kept",
    ),
    _step(
        "l7", "L7: sum E <= SA e_max + sqrt(SA (1 + ln n)) sqrt(sum of in-sample errors), e_max the largest |E| of "
        "the class.",
        Pointwise(), shared.dominance, "step", 1e-8, "values in another unit",
    ),
    _step(
        "l8", "L8: sum E^2 <= SA e_max^2 + SA (1 + ln n) times the largest in-sample error.",
        Pointwise(), shared.transfer, "step", 1e-8, "values in another unit",
    ),
    _step(
        "l11", "L11: regret is at most sum E + sum (P V - V(s)) at every step, on the event of optimism.",
        HighProbability(optimism_level), tabular.assembled, "step", 1e-8, "class without the truth",
        control_instance=SURE,
    ),
]  # fmt: skip
