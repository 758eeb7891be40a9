"""Wu, Zhou, Gu 2022: UCRL2-VTR. Linear mixture MDPs, average reward, diameter D, d features, |theta|_2 <= B.

    theorem, Hoeffding   regret(T) = O~(d D sqrt(T)) with probability 1 - delta            [recalled]
    theorem, Bernstein   regret(T) = O~(d sqrt(D T)), which matches the lower bound        [source: abstract]

Constants and logarithms are hidden, so these two get the best constant that was measured. The radii are those of public
code [source: code]; their failure probabilities here are

    Hoeffding   delta^(2 d scale^2), for scale >= 1/2 and scale B >= |theta|               [derived]
    Bernstein   3 delta at scale >= 1, B >= |theta|                                        [recalled]

Derived: targets w(s') lie in an interval of length D, |X|_2 <= D, so that the self-normalised bound with R = D/2 has
|theta_hat - theta|_A <= (D/2) sqrt(2 ln(1/p) + d ln(1 + n D^2/(d lam))) + sqrt(lam) |theta| for all n at once except
with probability p; the printed radius squared has scale^2 D^2 d (ln(1 + t D^2/lam) + ln(1/delta)) in place of (D^2/4)
(2 ln(1/p) + ...). On that event each step loses gain - r <= E + P w - w(s) + 1/sqrt(T) with 0 <= E <= min(D, 2 radius
|X|_{A_plan^-1}), and with L = d ln(1 + n D^2/(d lam)), radius at t = n,

    regret(n) <= max(D, 2 sqrt(2) radius) sqrt(2 n L) + D (1 + L/ln 2) + D sqrt(T ln(1/delta)/2) + n/sqrt(T)

for all n <= T except with probability delta^(2 d scale^2) + delta (form 0): norms in the matrix of the plan are at most
sqrt(2) times those of the moment, sum min(1, |X|^2) <= 2 L, and there are at most 1 + L/ln 2 plans [derived]. D enters
as a bound on the span of the optimal bias alone.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np

from mdps.learners.ucrl2_vtr import learner as LEARNER
from mdps.models.mixture_random import family as mixture_random
from proofs_check.mutants import ucrl2_vtr as faults
from proofs_check.papers import _ucrl2_vtr_probes as probes
from proofs_check.papers._average_linear_steps import steps
from theorylab.assume import average_reward, communicating, mixture_norms, rewards_in_01
from theorylab.claim import Claim, Context, Control, HighProbability, Instance, Pointwise
from theorylab.criteria import AVERAGE_REWARD
from theorylab.probe import Probe

#: gain 4/7, bias span 15/7, diameter 5, |theta| = 16/15
HARD = {"d": 3}
D5 = {"diameter": 5.0, "B": 1.07, "delta": 0.1}


def endless(S: int, A: int, d: int, b: int, seed: int) -> Any:
    """A random mixture with average reward; weights sum to one, so that |theta| <= sqrt(d)."""
    model = mixture_random(S=S, A=A, d=d, b=b, horizon=1, seed=seed)
    return dataclasses.replace(model, criterion=AVERAGE_REWARD, name=f"{model.name}-average")


#: span 0.61, |theta| = 1.23, w(s') far from w(s) on average; the failure probability is 0.05
SURE = {"d": 2, "delta": 0.7}
SMALL = Instance("mixture-two-state", 250, SURE, {"diameter": 0.8, "B": 2.5, "delta": 0.05, "scale": 0.5})
#: a small radius: values leave the clip
NARROW = Instance("mixture-two-state", 250, HARD, {"diameter": 2.2, "B": 2.2, "delta": 0.1, "scale": 0.15})
WEIGHTED = Instance("mixture-two-state", 200, HARD, {**D5, "form": 1, "diameter": 1.5})
#: the truncation binds
TIGHT = Instance("mixture-two-state", 60, HARD, {**D5, "diameter": 0.5})
#: more features than 4, so that the floor D^2/d is below the largest variance D^2/4
MANY = Instance("mixture-two-state", 60, {"d": 7, "delta": 0.6}, {**D5, "form": 1, "diameter": 1.0})
STEPS = {
    "standard": (
        Instance("mixture-two-state", 20_000, HARD, {"diameter": 5.0, "B": 2.2, "delta": 0.5, "scale": 0.5}),
        Instance("mixture-two-state", 20_000, HARD, {"diameter": 5.0, "B": 1.07, "delta": 0.1, "form": 1}),
        Instance.of(endless(5, 3, 3, 2, 1), 20_000, {"diameter": 2.0, "B": 3.5, "delta": 0.5, "scale": 0.5}),
        Instance("mixture-two-state", 5_000, {"d": 7}, {"diameter": 2.2, "B": 1.07, "delta": 0.1, "form": 1}),
    ),
}
#: those with weights
WITH_SIGMA = {"standard": tuple(i for i in STEPS["standard"] if i.learner.get("form") == 1)}
FINAL = {"standard": (Instance("mixture-two-state", 100_000, HARD, D5),)}
BERNSTEIN = {"standard": (Instance("mixture-two-state", 100_000, HARD, {**D5, "form": 1}),)}
ASSUMES = (average_reward, communicating, mixture_norms, rewards_in_01)


def trivial(c: Context, n: np.ndarray) -> np.ndarray:
    """n times the optimal gain: rewards are not negative."""
    return np.asarray(n, dtype=float) * float(c.gain)


def shape_hoeffding(c: Context, n: np.ndarray) -> np.ndarray:
    """d D sqrt(n)."""
    return np.asarray(c.d * c.span * np.sqrt(np.asarray(n, dtype=float)))


def shape_bernstein(c: Context, n: np.ndarray) -> np.ndarray:
    """d sqrt(D n)."""
    return np.asarray(c.d * np.sqrt(c.span * np.asarray(n, dtype=float)))


def confidence_level(c: Context) -> float:
    """Failure probability of the module's text; 1 where it says nothing."""
    span = float(np.ptp(c.bias)) <= c.span
    if not span or c.scale * c.B < c.model.parameter_norm:
        return 1.0
    if c.form == 0:
        return float(c.delta ** (2.0 * c.d * c.scale**2)) if c.scale >= 0.5 else 1.0
    return float(min(1.0, 3.0 * c.delta)) if c.scale >= 1.0 else 1.0


def explicit(c: Context, n: np.ndarray) -> np.ndarray:
    """The explicit form of the module's text, form 0 [derived]."""
    D, lam, k = c.span, 1.0 / c.B**2, np.asarray(n, dtype=float)
    L = c.d * np.log(1.0 + k * D * D / (c.d * lam))
    radius = c.scale * (D * np.sqrt(c.d * np.log((lam + k * D * D) / (c.delta * lam))) + 1.0)
    noise = D * math.sqrt(c.T * math.log(1.0 / c.delta) / 2.0)
    first = np.maximum(D, 2.0 * math.sqrt(2.0) * radius) * np.sqrt(2.0 * k * L)
    return np.asarray(first + D * (1.0 + L / math.log(2.0)) + noise + k / math.sqrt(c.T))


def explicit_level(c: Context) -> float:
    """Failure probability of the explicit form."""
    return float(min(1.0, confidence_level(c) + c.delta))


def tables(c: Context) -> dict[str, Any]:
    """theta."""
    return {"true_theta": np.array(c.model.theta)}


CONTROLS = {
    name: Control(name, learner, replicates=4)
    for name, learner in {
        "radius zero": faults.radius_zero,
        "log factor dropped": faults.log_dropped,
        "delta left out": faults.delta_dropped,
        "horizon for clock": faults.horizon_for_clock,
        "norm of theta dropped": faults.norm_dropped,
        "noise in [0, 1]": faults.range_forgotten,
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
        "lam of another power": faults.ridge_wrong,
    }.items()
}
for name, mutant, instance in (
    ("no truncation", faults.truncation_off, TIGHT),
    ("sigma only in X", faults.weights_wrong, WEIGHTED),
    ("sigma^2 halved", faults.floor_dropped, WEIGHTED),
    ("sigma^2 constant", faults.variance_ignored, MANY),
):
    CONTROLS[name] = Control(name, mutant, instance, replicates=4)

OWN: dict[str, tuple[Any, ...]] = {
    "floor": (
        "sigma_t^2 >= D^2/d at every step (Bernstein).",
        "source", Pointwise(), probes.variance_floor, "step", 1e-9, "sigma^2 halved",
    ),
    "variance": (
        "Wherever both regressions are within rc and rt of theta, sigma_t^2 is at least the variance of w(s') "
        "(Bernstein, clips of centred values).",
        "derived", Pointwise(), probes.variance_bound, "step", 1e-9, "sigma^2 constant",
    ),
    "sigma": (
        "sigma_t^2 = max(D^2/d, V_t + E_t), from the regressions of the steps before (Bernstein).",
        "source", Pointwise(), probes.variance_formula, "step", 1e-7, "sigma^2 halved; sigma^2 constant", True,
    ),
}  # fmt: skip
MORE = {
    "radius": "horizon for clock; noise in [0, 1]; lam of another power",
    "normal-equations": "sigma only in X",
}


def _step(
    name: str, text: str, tag: str, kind: Any, value: Any, at: str, tol: float, caught: str, copies: bool = False
) -> Claim:
    listed = [*caught.split("; "), *(x for x in MORE.get(name, "").split("; ") if x)]
    return Claim(
        id=f"wu2022.{name}",
        text=text,
        source_tag=tag,
        learner=LEARNER.name,
        kind=kind,
        quantity=Probe(f"ucrl2-vtr.{name}", value, at, tol),
        instances=WITH_SIGMA if name in OWN else STEPS,
        control_instance=SMALL if isinstance(kind, HighProbability) else NARROW,
        assumes=ASSUMES,
        controls=tuple(CONTROLS[c] for c in listed),
        tables=tables,
        monitor=probes.weighted_monitor,
        copies=copies,
    )


SHARED = steps(HighProbability(confidence_level), probes.printed_radius)
STEP_CLAIMS = [_step(name, *entry) for name, entry in {**SHARED, **OWN}.items()]
#: lemmas for all data that the steps rest on
LEMMAS = ("ayoub2020.doubling", "abbasi2011.lemma10", "abbasi2011.lemma11", "abbasi2011.thm1-exact")
BELOW = (*(c.id for c in STEP_CLAIMS), *LEMMAS)

claims = [
    Claim(
        id="wu2022.regret-hoeffding",
        text="UCRL2-VTR with Hoeffding radii: with probability 1 - delta, regret(T) = O~(d D sqrt(T)); constants and "
        "logarithms are not given, the order is recalled.",
        source_tag="recalled",
        learner=LEARNER.name,
        kind=HighProbability(lambda c: float(c.delta)),
        quantity="regret",
        constants="unspecified",
        shape=shape_hoeffding,
        trivial=trivial,
        instances=FINAL,
        assumes=ASSUMES,
        steps=BELOW,
    ),
    Claim(
        id="wu2022.regret-bernstein",
        text="UCRL2-VTR with Bernstein radii: with probability 1 - delta, regret(T) = O~(d sqrt(D T)); constants and "
        "logarithms are not given, the order is the abstract's.",
        source_tag="source",
        learner=LEARNER.name,
        kind=HighProbability(lambda c: float(c.delta)),
        quantity="regret",
        constants="unspecified",
        shape=shape_bernstein,
        trivial=trivial,
        instances=BERNSTEIN,
        assumes=ASSUMES,
        steps=BELOW,
    ),
    Claim(
        id="wu2022.regret-explicit",
        text="Hoeffding radii, constants written out: regret(n) <= max(D, 2 sqrt(2) radius) sqrt(2nL) + D (1 + L/ln 2) "
        "+ D sqrt(T ln(1/delta)/2) + n/sqrt(T), L = d ln(1 + nD^2/(d lam)).",
        source_tag="derived",
        learner=LEARNER.name,
        kind=HighProbability(explicit_level),
        quantity="regret",
        bound=explicit,
        trivial=trivial,
        instances=FINAL,
        assumes=ASSUMES,
        steps=BELOW,
    ),
    *STEP_CLAIMS,
]
