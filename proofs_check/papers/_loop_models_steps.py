"""LOOP on finite classes of models: steps F1 to F5, L1 to L8, L11, and the regret (he2024).

Everything but theorem 1's form is derived, with explicit constants, and in the quantities of the model-based
discrepancy: with V_i the target at step i, the in-sample error of a model m is sum ((P_m - P) V_i)(x_i)^2. F1 to F5
hold for every beta > 0; with beta = 9 B^2 ln(M^2/delta) (form 0, scale 1) an epoch adds at least (2/3) beta - 3 B^2
ln(M^2/delta) >= beta/3, and no model that was given up comes back: when it is given up F3 makes its in-sample error at
least (8/3) beta - B^2 iota, and a return would need it to be at most 2 beta + 2 B^2 iota by F2 [derived]. Hence at most
K optimisations, K the number of models with J_m >= gain, and

    regret(n) <= K S A B + sqrt(K S A (1 + ln n) n b) + B sqrt((T/2) ln(1/delta)) + B K,
       b = 8 beta + 2 B^2 ln(M/delta),

for all n <= T with probability 1 - 4 delta. Optimism needs beta >= (B^2/2) ln(M/delta') only: delta' = M exp(-2 beta /
B^2).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mdps.learners.loop_models import learner as FAITHFUL
from mdps.loop.classes import holds, largest_span, relabelled_riverswim, sign_grid
from mdps.models.mixture_two_state import build as two_state
from proofs_check.mutants import loop_models as faults
from proofs_check.papers import _loop_models_probes as own
from proofs_check.papers import _loop_probes as shared
from proofs_check.papers._loop_bounds import level, one_shape, pairs_shape, trivial
from proofs_check.papers._loop_monitor import law_of
from theorylab.assume import Assumption, average_reward, rewards_in_01
from theorylab.claim import Claim, Context, Control, HighProbability, Instance, Pointwise, Total
from theorylab.probe import Probe

LEARNER = "loop-models"


class Models(list[Any]):
    """A class as nested lists, with a name for reports."""

    def __init__(self, name: str, models: np.ndarray) -> None:
        super().__init__(models.tolist())
        self.name = name

    def __repr__(self) -> str:
        return f"{self.name} ({len(self)} models)"


#: class, model and largest span: 64 models of four states, 24 of three, 16 of the hard linear mixture family
_SWIM, SWIM = relabelled_riverswim(4, labels="1011")
_TINY, TINY = relabelled_riverswim(3, (0.2, 0.35, 0.5), 0.2, "101")
_LOW, MIDDLE = relabelled_riverswim(3, (0.2,), 0.35, "101")
_SIGNS, SIGNS = sign_grid(5, 0.75), two_state(d=5, delta=0.75, good=5).tabular()
CLASSES = {
    SWIM.name: (Models("relabelled riverswim-4", _SWIM), SWIM, largest_span(_SWIM, SWIM.r)),
    TINY.name: (Models("relabelled riverswim-3", _TINY), TINY, largest_span(_TINY, TINY.r)),
    MIDDLE.name: (Models("relabelled riverswim-3", _TINY), MIDDLE, largest_span(_TINY, TINY.r)),
    SIGNS.name: (Models("sign grid d=5", _SIGNS), SIGNS, largest_span(_SIGNS, SIGNS.r)),
}


def place(model: Any, length: int, **learner: Any) -> Instance:
    """An instance with the class of its model and the least span that the class allows."""
    models, truth, span = CLASSES[model.name]
    return Instance.of(truth, length, {"models": models, "span": span, **learner})


def low_class() -> np.ndarray:
    """A class without the model `MIDDLE`, none of whose members has its gain."""
    return _LOW


def _in_class(model: Any) -> str | None:
    if model.name not in CLASSES:
        return f"no class is known for the model {model.name}"
    P = np.array(model.dense())
    if holds(CLASSES[model.name][0], P) is None:
        return f"the class of {model.name} does not have its kernel"
    return None


in_class = Assumption("truth in the class", "the true kernel is a member of the class (A2, realisability)", _in_class)
ASSUMES = (average_reward, rewards_in_01, in_class)

#: the theory's beta; practice, where the steps without a theory of beta hold too; the paper's form
LEMMAS = (place(TINY, 20_000, delta=0.2), place(SIGNS, 20_000, delta=0.2))
STEPS = {
    "standard": (
        *LEMMAS,
        place(SWIM, 20_000, delta=0.2, form=1),
        place(SIGNS, 20_000, delta=0.2, form=2, constant=0.1),
    )
}
FULL = {"standard": LEMMAS}
#: optimism alone, at a level that runs can test
OPTIMISM = {"standard": (place(SWIM, 20_000, delta=0.3, form=1), place(SIGNS, 20_000, delta=0.3, form=1))}
#: the truth has the smallest gain, so that a model of every other value of `right` is played before it; a larger one
PLAIN = place(MIDDLE, 600, delta=0.01, scale=0.005)
SMALL = place(TINY, 600, delta=0.01, scale=0.005)
#: beta at which F4 says something; enough for optimism at a level that few runs refute
SHORT = place(TINY, 200, delta=0.01, scale=0.6)
SURE = place(MIDDLE, 1_000, delta=0.01, form=1)
#: the truth alone is the class: the bounds on regret are then least
ALONE = Instance.of(
    TINY, 1_500, {"models": Models("the truth alone", TINY.P[None]), "span": CLASSES[TINY.name][2], "delta": 0.01,
    "form": 1}
)  # fmt: skip
FINAL = {"standard": (place(TINY, 50_000, delta=0.1), place(SIGNS, 50_000, delta=0.1))}


def optimism_level(c: Context) -> float:
    """M exp(-2 beta / B^2), which inverts F1."""
    return float(min(1.0, max(np.finfo(float).tiny, c.M * math.exp(-2.0 * c.beta / c.span**2))))


def optimism_at_delta(c: Context) -> float:
    """delta, or the level of this beta where that is larger."""
    return max(float(c.delta), optimism_level(c))


def assembled_level(c: Context) -> float:
    """Optimism and the martingale of L3."""
    return min(1.0, float(c.delta) + optimism_at_delta(c))


def iota(c: Context) -> float:
    """ln(M^2 / delta)."""
    return math.log(c.M * c.M / c.delta)


def least_increment(c: Context) -> float:
    """What an epoch adds at least to the sum of squared errors; 0 where beta is too small for a bound."""
    return max(0.0, float((2.0 / 3.0) * c.beta - 3.0 * c.span**2 * iota(c)))


def largest_error(c: Context) -> float:
    """b: the bound of F5 on the in-sample error."""
    return float(8.0 * c.beta + 2.0 * c.span**2 * math.log(c.M / c.delta))


def tables(c: Context) -> dict[str, Any]:
    """What the probes read."""
    law = law_of(c)
    star = holds(c.models, law)
    return {
        "law": law,
        "star": 0 if star is None else star,  # without a truth the claim is not applicable
        "in_bound": largest_error(c),
        "increment": least_increment(c),
        "e_max": float(c.span),
        "repeats": 1,
    }


def rivals(c: Context) -> int:
    """Models that are not below the optimal gain: those that an optimistic learner may play."""
    return int(np.sum(np.asarray(c.J_m) >= float(c.gain) - 1e-9))


def bound(c: Context, n: np.ndarray) -> np.ndarray:
    """The regret bound of the module's text, for form 0 at scale 1 or larger."""
    K, n = rivals(c), np.maximum(np.asarray(n, dtype=float), 1.0)
    cells = K * c.S * c.A
    martingale = c.span * math.sqrt(0.5 * c.T * math.log(1.0 / c.delta))
    return np.asarray(
        cells * c.span + np.sqrt(cells * (1.0 + np.log(n)) * n * largest_error(c)) + martingale + c.span * K
    )


def shape(c: Context, n: np.ndarray) -> np.ndarray:
    """Theorem 1: sp d sqrt(n beta), d = max(sqrt(d_G), kappa_G), d_G = 2 d_E ln T, kappa_G = d_E, d_E = M - 1
    [recalled].
    """
    n = np.asarray(n, dtype=float)
    d = max(math.sqrt(2.0 * (c.M - 1) * math.log(c.T)), c.M - 1.0)
    return np.asarray(c.span * d * np.sqrt(n * c.beta))


CONTROLS = {
    name: Control(name, learner, replicates=4)
    for name, learner in {
        "smallest gain of the set": faults.optimist_negated,
        "confidence set ignored": faults.set_ignored,
        "radius zero": faults.radius_zero,
        "radius doubled": faults.radius_doubled,
        "log factor dropped": faults.log_dropped,
        "class not in the logarithm": faults.union_dropped,
        "beta without B^2": faults.span_once,
        "V not centred": faults.uncentred,
        "V of the first model": faults.stale,
        "gain of T steps": faults.total_gain,
        "sign of the gain": faults.gain_negated,
        "worst action": faults.policy_minimises,
        "target of the state left": faults.target_of_state,
        "self-loops lost": faults.counts_lost,
        "one visit less": faults.one_visit_less,
        "losses never updated": faults.losses_stale,
        "targets of the newest V": faults.targets_newest,
        "optimisation at every step": faults.always,
        "losses never updated, optimisation at every step": faults.always_stale,
        "values in another unit": faults.other_unit,
        "trigger on new data": faults.new_data_only,
        "trigger at 2 beta": faults.trigger_early,
        "trigger at 40 beta": faults.trigger_late,
    }.items()
}  # fmt: skip
#: a class without the truth: what the steps say of it when nobody asks whether the assumption holds
WITHOUT = {
    "class without the truth": Control(
        "class without the truth",
        FAITHFUL,
        Instance.of(
            MIDDLE, 600, {"models": Models("none pays as much", _LOW), "span": CLASSES[TINY.name][2], "form": 1,
            "delta": 0.01}
        ),
        replicates=4,
    )
}  # fmt: skip


def _step(name: str, text: str, kind: Any, value: Any, at: str, tol: float, caught: str, **more: Any) -> Claim:
    given: dict[str, Any] = dict(
        source_tag="derived",
        instances=STEPS,
        control_instance=SMALL,
        controls=tuple({**CONTROLS, **WITHOUT}[c] for c in caught.split("; ")),
    )
    return Claim(
        id=f"he2024.models-{name}",
        text=text,
        learner=LEARNER,
        kind=kind,
        quantity=Probe(f"models.{name}", value, at, tol),
        assumes=ASSUMES,
        tables=tables,
        monitor=own.monitor,
        **{**given, **more},
    )


STEP_CLAIMS = [
    _step(
        "beta",
        "beta is 9 B^2 ln(M^2/delta), or (B^2/2) ln(M/delta), or c B ln(T M^2/delta), times the multiplier.",
        Pointwise(), own.beta, "plan", 1e-9,
        "log factor dropped; class not in the logarithm; beta without B^2", copies=True,
    ),
    _step(
        "solution",
        "The hypothesis in play solves the optimality equation of its model: Q + J = r + P_f V.",
        Pointwise(), own.solution, "plan", 1e-8, "gain of T steps; sign of the gain; values in another unit",
    ),
    _step(
        "greedy",
        "V(s) is the largest Q(s,a) and that of the policy.",
        Pointwise(), shared.greedy, "plan", 1e-8, "V of the first model; sign of the gain",
    ),
    _step("played", "The action played is that of the hypothesis.", Pointwise(), shared.played, "step", 0.0,
    "worst action"),
    _step(
        "centred",
        "V has midrange 0 and |V| <= B/2.",
        Pointwise(), shared.centred, "plan", 1e-8, "V not centred",
    ),
    _step("visits", "N counts the steps.", Pointwise(), shared.visits, "step", 0.0, "self-loops lost"),
    _step(
        "losses",
        "At every optimisation the differences of all excesses are those of the losses on all data with the targets "
        "of the models "
        "played then, from the second moments of the targets.",
        Pointwise(), own.losses, "plan", 1e-6,
        "target of the state left; one visit less; targets of the newest V",
    ),
    _step(
        "confidence",
        "The model chosen has excess at most beta on all data.",
        Pointwise(), own.confidence, "plan", 1e-8, "confidence set ignored; radius doubled", source_tag="recalled",
        control_instance=PLAIN,
    ),
    _step(
        "choice",
        "No model of the confidence set has a larger gain than the one chosen.",
        Pointwise(), own.choice, "plan", 1e-9, "smallest gain of the set; radius zero", source_tag="recalled",
    ),
    _step(
        "trigger",
        "A model is given up only when its excess on all data has reached 4 beta.",
        Pointwise(), own.trigger, "plan", 1e-9, "optimisation at every step; trigger at 2 beta", source_tag="recalled",
    ),
    _step(
        "kept",
        "A model is played only while its loss is less than 4 beta above that of the truth.",
        Pointwise(), own.kept, "step", 1e-9, "trigger at 40 beta; trigger on new data; losses never updated",
    ),
    _step(
        "upsilon",
        "upsilon is at least the loss of the model in play minus that of the truth (the lazy bound on its excess).",
        Pointwise(), own.bound, "step", 1e-8, "losses never updated; trigger on new data",
    ),
    _step(
        "f1",
        "F1: the excess of the truth is at most (B^2/2) ln(M/delta) at every update, with probability 1 - delta.",
        HighProbability(level(1.0)), own.truth_kept, "step", 1e-9, "target of the state left",
    ),
    _step(
        "f2",
        "F2: the in-sample error of every model is at most 2 excess + 2 B^2 ln(M/delta), with probability 1 - delta.",
        HighProbability(level(1.0)), own.errors_from_excess, "plan", 1e-8,
        "losses never updated, optimisation at every step",
    ),
    _step(
        "f2-in-play",
        "F2 for the model in play at every step, with upsilon in place of its excess.",
        HighProbability(level(1.0)), own.errors_in_play, "step", 1e-8, "losses never updated",
    ),
    _step(
        "f3",
        "F3: the excess of every model is at most 1.5 in-sample error + 1.5 B^2 ln(M^2/delta), with probability 1 - "
        "2 delta.",
        HighProbability(level(2.0)), own.excess_from_errors, "plan", 1e-8, "values in another unit",
    ),
    _step(
        "optimism",
        "L1: the gain of the model in play is at least the optimal one at every optimisation, except with probability "
        "max(delta, M exp(-2 beta/B^2)).",
        HighProbability(optimism_at_delta), shared.optimism, "plan", 1e-9,
        "smallest gain of the set; radius zero; target of the state left; class without the truth",
        instances=OPTIMISM, control_instance=SURE,
    ),
    _step(
        "decomposition",
        "L2: sum (J - r) = sum E + sum (P V - V(s)) with equality.",
        Pointwise(), shared.decomposition, "step", shared.ROUNDING,
        "worst action; V of the first model; sign of the gain",
    ),
    _step(
        "realisation",
        "L3: sum (P V - V(s)) <= B sqrt((T/2) ln(1/delta)) + B N at all t <= T, with probability 1 - delta, N the "
        "optimisations.",
        HighProbability(level(1.0)), shared.realisation, "step", 1e-8, "values in another unit",
    ),
    _step(
        "f5",
        "L4, F5: the in-sample error of the model in play is at most 8 beta + 2 B^2 ln(M/delta), with probability 1 "
        "- delta.",
        HighProbability(level(1.0)), shared.in_sample, "step", 1e-8, "trigger at 40 beta; losses never updated",
    ),
    _step(
        "f4",
        "L5, F4: an epoch adds at least (2/3) beta - 3 B^2 ln(M^2/delta) >= beta/3 to sum E(f_i)(x_i)^2, with "
        "probability 1 - 3 delta.",
        HighProbability(level(3.0)), shared.increments, "plan", 1e-8, "optimisation at every step",
        instances=FULL, control_instance=SHORT,
    ),
    _step(
        "switches",
        "L6: N(T) <= 1 + sum E^2 / ((2/3) beta - 3 B^2 ln(M^2/delta)), with probability 1 - 3 delta.",
        HighProbability(level(3.0)), shared.switches, "step", 1e-8, "optimisation at every step",
        instances=FULL, control_instance=SHORT,
    ),
    _step(
        "dominance",
        "L7: sum E <= N S A B + sqrt(N S A (1 + ln t)) sqrt(sum of in-sample errors), N the optimisations so far.",
        Pointwise(), shared.dominance, "step", 1e-8, "gain of T steps",
    ),
    _step(
        "transfer",
        "L8: sum E^2 <= N S A B^2 + N S A (1 + ln t) max in-sample error.",
        Pointwise(), shared.transfer, "step", 1e-8, "gain of T steps",
    ),
    _step(
        "assembled",
        "L11: regret(t) <= N S A B + sqrt(N S A (1 + ln t) sum of in-sample errors) + B sqrt((T/2) ln(1/delta)) + B "
        "N, except with "
        "probability delta + that of L1.",
        HighProbability(assembled_level), shared.assembled, "step", 1e-8, "worst action",
        instances=OPTIMISM, control_instance=ALONE,
    ),
]  # fmt: skip

CLAIMS = [
    Claim(
        id="he2024.models-thm1",
        text="Theorem 1: with probability 1 - 5 delta, regret(n) <= c sp d sqrt(n beta), d = max(sqrt(d_G), kappa_G), "
        "here with "
        "d_G = 2 d_E ln T, kappa_G = d_E and the eluder dimension d_E of a finite class at its largest, M - 1; form "
        "and dimensions "
        "recalled, the constant unspecified.",
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
        id="he2024.models-regret",
        text="For form 0: regret(n) <= K S A B + sqrt(K S A (1 + ln n) n b) + B sqrt((T/2) ln(1/delta)) + B K for all "
        "n <= T with "
        "probability 1 - 4 delta, b = 8 beta + 2 B^2 ln(M/delta), K the number of models of at least the optimal gain.",
        source_tag="derived",
        learner=LEARNER,
        kind=HighProbability(level(4.0)),
        quantity="regret",
        bound=bound,
        trivial=trivial,
        instances=FINAL,
        assumes=ASSUMES,
        steps=tuple(c.id for c in STEP_CLAIMS),
    ),
    *(
        Claim(
            id=f"he2024.models-{name}",
            text=text,
            source_tag="derived",
            learner=LEARNER,
            kind=HighProbability(0.05),
            quantity=Total(f"models.{name}", value),
            constants="unspecified",
            shape=form,
            trivial=lambda c, n: np.asarray(n, dtype=float) ** 2,  # of no use: the constant is open
            instances={"standard": LEMMAS},
            assumes=ASSUMES,
            tables=tables,
            monitor=own.monitor,
        )
        for name, value, form, text in (
            (
                "d-hat", shared.d_hat, pairs_shape,
                "E11: the empirical dominance coefficient, the largest (sum E)_+^2 / sum of in-sample errors, in S "
                "A (1 + ln T).",
            ),
            (
                "kappa-hat", shared.kappa_hat, one_shape,
                "E11: the empirical transfer coefficient, sum E^2 / (max in-sample error ln T), in S A.",
            ),
        )
    ),
    *STEP_CLAIMS,
]  # fmt: skip
