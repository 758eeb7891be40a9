"""MLE-LOOP on finite classes of models: steps M1 to M6, L1 to L3, and the regret (he2024, all but theorem 2 derived).

With beta0 = ln(M/delta) and D_H^2(p, q) = 1 - sum sqrt(p q): the likelihood ratio of any model against the truth is a
martingale, hence M1; its square root gives M2, sum D_H^2(P_m, P)(x_i) <= (max loglik - loglik(m)) / 2 + beta0 for all
models and times; TV^2 <= 2 D_H^2 and Cauchy-Schwarz give the rest (`_mle_loop_probes`). M1 holds with probability 1 -
delta, all together with 1 - 2 delta. Since |E(f)(x)| <= B TV(P_f, P)(x), and by L3, for all n <= T with probability 1 -
3 delta, N(n) optimisations so far,

    regret(n) <= B sum_{i<=n} TV(P_{f_i}, P)(x_i) + B sqrt((T/2) ln(1/delta)) + B N(n),
    sum_{i<=n} TV(P_{f_i}, P)(x_i) <= S A + rate sqrt(n) S A (1 + ln n),         rate = 3 sqrt(beta) + sqrt(2 beta0),
    N(n) <= 1 + sqrt(2) S A ((rate / least) (1 + ln n) (1 + log2 n) + 3.5 / least),
        least = the factor of sqrt(t) in M6:

at a pair with m visits before TV(P_f, P) <= (the sum of M5) / m, and the m's give harmonic sums; each of the 1 + log2 n
stretches (n/2^{j+1}, n/2^j] has at most sqrt(2 2^j / n) / least times the sum of the TV up to its end of epochs that
end in it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mdps.learners.mle_loop import learner as FAITHFUL
from mdps.loop.classes import holds
from proofs_check.mutants import mle_loop as faults
from proofs_check.papers import _loop_probes as shared
from proofs_check.papers import _mle_loop_probes as own
from proofs_check.papers._loop_bounds import level, trivial
from proofs_check.papers._loop_models_steps import (
    ALONE,
    ASSUMES,
    MIDDLE,
    SIGNS,
    SWIM,
    TINY,
    Models,
    low_class,
    place,
)  # fmt: skip
from proofs_check.papers._loop_monitor import law_of
from theorylab.claim import Claim, Context, Control, HighProbability, Instance, Pointwise
from theorylab.probe import Probe

LEARNER = "mle-loop"
#: in place of ln 0, as the learner has it
IMPOSSIBLE = -1e250

STEPS = {
    "standard": (
        place(SWIM, 20_000, delta=0.2),
        place(SIGNS, 20_000, delta=0.2),
        place(SWIM, 20_000, delta=0.2, form=2, constant=0.3),
    )
}
OPTIMISM = {"standard": (place(SWIM, 20_000, delta=0.3, form=1), place(SIGNS, 20_000, delta=0.3, form=1))}
FINAL = {"standard": (place(SWIM, 50_000, delta=0.1), place(SIGNS, 50_000, delta=0.1))}
SMALL = place(TINY, 600, delta=0.01, scale=0.03)
PLAIN = place(MIDDLE, 600, delta=0.01, scale=0.03)
SURE = place(MIDDLE, 600, delta=0.01, form=1)
SHORT = place(TINY, 600, delta=0.01)
LONG = place(TINY, 2_000, delta=0.01)


def least_of(c: Context) -> float:
    """M exp(-beta): the level of optimism with this beta, which inverts M1; delta where that is larger."""
    return float(min(1.0, max(c.delta, c.M * math.exp(-c.beta))))


def assembled_level(c: Context) -> float:
    """M2 and optimism, and the martingale of L3."""
    return min(1.0, 2.0 * float(c.delta) + least_of(c))


def tables(c: Context) -> dict[str, Any]:
    """What the probes read."""
    law, models = law_of(c), np.asarray(c.models, dtype=float)
    star = holds(models, law)
    with np.errstate(divide="ignore"):
        logs = np.where(models > 0.0, np.log(models), IMPOSSIBLE)
    return {
        "law": law,
        "star": 0 if star is None else star,  # without a truth the claim is not applicable
        "distance": 0.5 * np.abs(models - law).sum(axis=-1),
        "hellinger": np.maximum(0.0, 1.0 - np.sqrt(models * law).sum(axis=-1)),
        "logs_true": logs,
        "beta0": math.log(c.M / c.delta),
        "e_max": float(c.span),
        "repeats": 0,
    }


def bound(c: Context, n: np.ndarray) -> np.ndarray:
    """The regret bound of the module's text."""
    n = np.maximum(np.asarray(n, dtype=float), 1.0)
    pairs, beta0 = float(c.S * c.A), math.log(c.M / c.delta)
    rate = 3.0 * math.sqrt(c.beta) + math.sqrt(2.0 * beta0)
    least = 3.0 * math.sqrt(c.beta) - math.sqrt(2.0 * beta0) - math.sqrt(c.beta + 2.0 * beta0)
    logs = 1.0 + np.log(n)
    optimisations = 1.0 + math.sqrt(2.0) * pairs * (rate / least * logs * (1.0 + np.log2(n)) + 3.5 / least)
    martingale = math.sqrt(0.5 * c.T * math.log(1.0 / c.delta))
    return np.asarray(c.span * (pairs + rate * np.sqrt(n) * pairs * logs + martingale + optimisations))


def shape(c: Context, n: np.ndarray) -> np.ndarray:
    """Theorem 2: sp d sqrt(n beta), d = M - 1 at its largest [recalled]."""
    d = max(math.sqrt(2.0 * (c.M - 1) * math.log(c.T)), c.M - 1.0)
    return np.asarray(c.span * d * np.sqrt(np.asarray(n, dtype=float) * c.beta))


CONTROLS = {
    name: Control(name, learner, replicates=4)
    for name, learner in {
        "smallest gain of the set": faults.optimist_negated,
        "confidence set ignored": faults.set_ignored,
        "radius zero": faults.radius_zero,
        "radius doubled": faults.radius_doubled,
        "log factor dropped": faults.log_dropped,
        "class not in the logarithm": faults.union_dropped,
        "factor 3 dropped": faults.factor_dropped,
        "V not centred": faults.uncentred,
        "V of the first model": faults.stale,
        "gain of T steps": faults.total_gain,
        "values in another unit": faults.other_unit,
        "worst action": faults.policy_minimises,
        "likelihood of staying": faults.likelihood_of_staying,
        "self-loops lost": faults.counts_lost,
        "first visits lost": faults.first_visit_lost,
        "likelihoods never updated": faults.likelihoods_stale,
        "transitions counted twice": faults.counted_twice,
        "1-norm not halved": faults.norm_not_halved,
        "distances stale": faults.distances_stale,
        "first model held for the likeliest": faults.first_likeliest,
        "optimisation at every step": faults.always,
        "likelihoods never updated, optimisation at every step": faults.always_stale,
        "trigger without the time": faults.trigger_early,
        "trigger on new data": faults.new_data_only,
        "trigger at 30 sqrt(beta t)": faults.trigger_late,
    }.items()
}
CONTROLS["class without the truth"] = Control(
    "class without the truth",
    FAITHFUL,
    Instance.of(
        MIDDLE, 600, {"models": Models("none pays as much", low_class()), "span": place(TINY, 1).learner["span"],
        "form": 1, "delta": 0.01}
    ),
    replicates=4,
)  # fmt: skip


def _step(name: str, text: str, kind: Any, value: Any, at: str, tol: float, caught: str, **more: Any) -> Claim:
    given: dict[str, Any] = dict(source_tag="derived", instances=STEPS, control_instance=SMALL)
    return Claim(
        id=f"he2024.mle-{name}",
        text=text,
        learner=LEARNER,
        kind=kind,
        quantity=Probe(f"mle.{name}", value, at, tol),
        assumes=ASSUMES,
        tables=tables,
        monitor=own.monitor,
        controls=tuple(CONTROLS[c] for c in caught.split("; ")),
        **{**given, **more},
    )


STEP_CLAIMS = [
    _step(
        "beta", "beta is 3 ln(M/delta), or ln(M/delta), or c ln(T M/delta), times the multiplier.",
        Pointwise(), own.beta, "plan", 1e-9,
        "log factor dropped; class not in the logarithm; factor 3 dropped", copies=True,
    ),
    _step(
        "solution", "The hypothesis in play solves the optimality equation of its model: Q + J = r + P_f V.",
        Pointwise(), own.solution, "plan", 1e-8, "gain of T steps; values in another unit; V of the first model",
    ),
    _step(
        "greedy", "V(s) is the largest Q(s,a) and that of the policy.",
        Pointwise(), shared.greedy, "plan", 1e-8, "V of the first model",
    ),
    _step("played", "The action played is that of the hypothesis.", Pointwise(), shared.played, "step", 0.0,
    "worst action"),
    _step("centred", "V has midrange 0 and |V| <= B/2.", Pointwise(), shared.centred, "plan", 1e-8, "V not centred"),
    _step("visits", "N counts the steps.", Pointwise(), shared.visits, "step", 0.0, "self-loops lost"),
    _step(
        "likelihoods",
        "At every optimisation each log-likelihood is that of the transitions; models that the data exclude are "
        "removed.",
        Pointwise(), own.likelihoods, "plan", 1e-8,
        "likelihood of staying; first visits lost; transitions counted twice; likelihoods never updated, "
        "optimisation at every step",
    ),
    _step(
        "likeliest", "g has the largest log-likelihood at every step.",
        Pointwise(), own.likeliest, "step", 1e-9, "first model held for the likeliest",
    ),
    _step(
        "distances", "upsilon is the sum over all data of TV between the model in play and the most likely one.",
        Pointwise(), own.distances, "step", 1e-9, "1-norm not halved; distances stale; trigger on new data",
        control_instance=PLAIN,
    ),
    _step(
        "confidence", "The model chosen has a log-likelihood within beta of the largest.",
        Pointwise(), own.confidence, "plan", 1e-9, "confidence set ignored; radius doubled", source_tag="recalled",
        control_instance=PLAIN,
    ),
    _step(
        "choice", "No model of the confidence set has a larger gain than the one chosen.",
        Pointwise(), own.choice, "plan", 1e-9, "smallest gain of the set; radius zero", source_tag="recalled",
    ),
    _step(
        "trigger", "A model is given up only when upsilon exceeds 3 sqrt(beta t).",
        Pointwise(), own.trigger, "plan", 0.0, "optimisation at every step; trigger without the time",
        source_tag="recalled",
    ),
    _step(
        "retained", "A model is retained only while upsilon is at most 3 sqrt(beta t).",
        Pointwise(), own.retained, "step", 1e-9, "trigger at 30 sqrt(beta t)", source_tag="recalled",
        control_instance=SHORT,
    ),
    _step(
        "m1", "M1: the truth's log-likelihood is within ln(M/delta) of the largest at all times, with probability 1 - "
        "delta.",
        HighProbability(level(1.0)), own.truth_likely, "step", 1e-9, "likelihood of staying",
        control_instance=SHORT,
    ),
    _step(
        "m2",
        "M2: sum D_H^2(P_m, P) <= (max loglik - loglik(m)) / 2 + ln(M/delta) for every model, with probability 1 - "
        "delta.",
        HighProbability(level(1.0)), own.hellinger, "plan", 1e-8,
        "likelihoods never updated, optimisation at every step",
        control_instance=SHORT,
    ),
    _step(
        "m3-members",
        "M3: sum TV(P_m, P) <= sqrt((beta + 2 ln(M/delta)) t) for members of the set (1.29 sqrt(beta t) at form 0), "
        "w.p. 1 - 2 delta.",
        HighProbability(level(2.0)), own.members, "plan", 1e-8, "likelihoods never updated, optimisation at every step",
        control_instance=SHORT,
    ),
    _step(
        "m3-likeliest",
        "M3: sum TV(P_g, P) <= sqrt(2 ln(M/delta) t) for the most likely model (0.82 sqrt(beta t) at form 0), w.p. "
        "1 - 2 delta.",
        HighProbability(level(2.0)), own.likeliest_close, "step", 1e-8, "likelihoods never updated",
        control_instance=SHORT,
    ),
    _step(
        "m4", "M4: |E(f)(s,a)| <= span(V_f) TV(P_f, P)(s,a) for every pair.",
        Pointwise(), own.error_by_distance, "plan", 1e-8, "gain of T steps; V of the first model",
    ),
    _step(
        "m5-in-play",
        "M5: while f is retained sum TV(P_f, P) <= (3 sqrt(beta) + sqrt(2 ln(M/delta))) sqrt(t), w.p. 1 - 2 delta.",
        HighProbability(level(2.0)), own.close_while_retained, "step", 1e-8,
        "trigger at 30 sqrt(beta t); likelihoods never updated",
        control_instance=LONG,
    ),
    _step(
        "m6",
        "M6: an epoch that ends at t adds (3 sqrt(beta) - sqrt(2 ln(M/delta)) - sqrt(beta + 2 ln(M/delta))) sqrt(t) "
        "or more to sum TV "
        "(0.89 sqrt(beta t) at form 0), w.p. 1 - 2 delta.",
        HighProbability(level(2.0)), own.epoch_adds, "plan", 1e-8, "optimisation at every step",
        instances={"standard": STEPS["standard"][:2]}, control_instance=SHORT,
    ),
    _step(
        "optimism",
        "L1: the gain of the model in play is at least the optimal one, except with probability max(delta, M "
        "exp(-beta)).",
        HighProbability(least_of), shared.optimism, "plan", 1e-9,
        "smallest gain of the set; class without the truth", instances=OPTIMISM, control_instance=SURE,
    ),
    _step(
        "decomposition", "L2: sum (J - r) = sum E + sum (P V - V(s)) with equality.",
        Pointwise(), shared.decomposition, "step", shared.ROUNDING, "worst action; V of the first model",
    ),
    _step(
        "realisation",
        "L3: sum (P V - V(s)) <= B sqrt((T/2) ln(1/delta)) + B N at all t <= T, with probability 1 - delta.",
        HighProbability(level(1.0)), shared.realisation, "step", 1e-8, "values in another unit",
    ),
    _step(
        "dominance", "L7: sum E <= S A B + sqrt(S A (1 + ln t)) sqrt(sum of in-sample errors), value-based.",
        Pointwise(), shared.dominance, "step", 1e-8, "gain of T steps",
    ),
    _step(
        "transfer", "L8: sum E^2 <= S A B^2 + S A (1 + ln t) max in-sample error, value-based.",
        Pointwise(), shared.transfer, "step", 1e-8, "gain of T steps",
    ),
    _step(
        "assembled",
        "L11: regret(t) <= B sum TV(P_f, P)(x_i) + B sqrt((T/2) ln(1/delta)) + B N, w.p. 1 - 2 delta - that of L1.",
        HighProbability(assembled_level), own.by_distance, "step", 1e-8, "worst action", instances=OPTIMISM,
        control_instance=ALONE,
    ),
]  # fmt: skip

CLAIMS = [
    Claim(
        id="he2024.mle-thm2",
        text="Theorem 2: with probability 1 - 5 delta, regret(n) <= c sp d sqrt(n beta), here with the eluder "
        "dimension of a finite "
        "class at its largest, M - 1; form recalled, the constant unspecified.",
        source_tag="recalled",
        learner=LEARNER,
        kind=HighProbability(level(5.0)),
        quantity="regret",
        constants="unspecified",
        shape=shape,
        trivial=trivial,
        instances=FINAL,
        assumes=ASSUMES,
        steps=tuple(c.id for c in STEP_CLAIMS),
    ),
    Claim(
        id="he2024.mle-regret",
        text="For form 0: regret(n) <= B (S A + rate sqrt(n) S A (1 + ln n) + sqrt((T/2) ln(1/delta)) + N) for all n "
        "<= T with probability "
        "1 - 3 delta, rate = 3 sqrt(beta) + sqrt(2 ln(M/delta)), N the bound of M6 on the optimisations.",
        source_tag="derived",
        learner=LEARNER,
        kind=HighProbability(level(3.0)),
        quantity="regret",
        bound=bound,
        trivial=trivial,
        instances=FINAL,
        assumes=ASSUMES,
        steps=tuple(c.id for c in STEP_CLAIMS),
    ),
    *STEP_CLAIMS,
]
