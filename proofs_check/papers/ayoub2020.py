"""Ayoub, Jia, Szepesvari, Wang, Yang 2020 (and Jia et al. 2020): UCRL-VTR. Linear mixture MDPs, d features, episodic.

    regret     with probability 1 - delta, regret(K) = O~(d H sqrt(T)) for one theta, O~(d H^{3/2} sqrt(T)) for one a
               stage, T = KH, |phi_V|_2 <= 1 for V in [0, 1]^S        [source: Zhou, Gu, Szepesvari 2021, remark 7]

Logarithms and constants are hidden, so that claim gets the best constant that was measured. The steps have explicit
constants [derived]. Targets V(s') lie in an interval of length H, so that the self-normalised bound with R = H/2 gives,
for G regressions, each at delta/G,

    |theta_hat - theta|_Sigma <= radius = (H/2) sqrt(2 ln(G/delta) + ln(det Sigma/lam^d)) + sqrt(lam) B   (confidence)

at all plans at once, except with probability delta. On that event 0 <= Q_h - (r + P V_{h+1}) <= 2 radius |phi_V| below
the cap. With L = d ln(1 + n H^2/(d lam)), n samples of a regression after k episodes, the determinant is at most
lam^d e^L, and sum min(1, |phi_V|^2) <= 2 L with Sigma as it is before each sample. With one regression for each stage
that is the Sigma of the plan. With one for all it lags behind by less than an episode: up to the first step of an
episode at which det Sigma has doubled since the plan |phi_V|^2 is at most twice as large, and what is left of the
episode is worth at most H; this happens in at most L/ln 2 episodes. Hence, for scale = 1 and B >= |theta|,

    regret(k) <= 2 max(H/2, sqrt(2) radius) sqrt(2 k H L) + H L/ln 2 + H sqrt(KH ln(1/delta)/2)      one theta
    regret(k) <= 2 H max(H/2, radius) sqrt(2 k L) + H sqrt(KH ln(1/delta)/2)                         one a stage

for all k <= K, radius with e^L for the determinant, except with probability 2 delta.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from proofs_check.mutants import ucrl_vtr as faults
from proofs_check.papers import _ucrl_vtr_probes as probes
from proofs_check.papers import _value_probes as values
from proofs_check.papers._linear_mdp_lemmas import doubling, false_doubling
from proofs_check.papers._mixture_models import coin, key
from theorylab.assume import episodic, mixture_norms, rewards_in_01
from theorylab.claim import Claim, Context, Control, HighProbability, Instance, Pointwise
from theorylab.criteria import FiniteHorizon
from theorylab.probe import Probe

SMALL = Instance(
    "mixture-random", 12, {"S": 3, "A": 2, "d": 2, "horizon": 3, "b": 2}, {"B": 1.2, "delta": 0.1, "lam": 0.8}
)
STAGES = Instance("mixture-chain", 8, {"d": 2, "horizon": 3, "K": 8}, {"B": 1.1, "delta": 0.1, "homogeneous": 0})
#: a small ridge and a small radius: values begin above H, and later estimates fall below 0
BOTH_CAPS = Instance("mixture-chain", 12, {**STAGES.model, "K": 12}, {**STAGES.learner, "lam": 1e-4, "scale": 0.03})
STEPS = {
    "quick": (
        Instance("mixture-random", 400, {"S": 5, "A": 3, "d": 3, "horizon": 4, "b": 2}, {"B": 1.2, "delta": 0.2}),
        Instance.of(coin(6), 300, {"B": 1.01, "delta": 0.2}),
        Instance("mixture-chain", 300, {"d": 2, "horizon": 3, "K": 300}, {"B": 1.1, "delta": 0.2, "homogeneous": 0}),
    ),
    "standard": (
        Instance.of(coin(10), 2000, {"B": 1.01, "delta": 0.1}),
        Instance("mixture-random", 2000, {"S": 8, "A": 3, "d": 3, "horizon": 6, "b": 3}, {"B": 1.2, "delta": 0.1}),
        Instance("mixture-lock", 2000, {"N": 4}, {"B": 2.1, "delta": 0.1, "trace": 1}),
        Instance("mixture-chain", 2000, {"d": 3, "horizon": 4, "K": 2000}, {"B": 1.1, "delta": 0.1, "homogeneous": 0}),
    ),
}
FINAL = {
    "quick": (Instance.of(key(8, 3), 60_000, {"B": 1.4, "delta": 0.1}),),
    "standard": (
        Instance.of(key(8, 3), 100_000, {"B": 1.4, "delta": 0.1}),
        Instance("mixture-two-state", 50_000, {"d": 2, "criterion": FiniteHorizon(3)}, {"B": 1.1, "delta": 0.1}),
    ),
}
#: one regression for each stage
APART = {
    "standard": (
        Instance.of(key(8, 3), 50_000, {"B": 1.4, "delta": 0.1, "homogeneous": 0}),
        Instance("mixture-chain", 20_000, {"d": 3, "horizon": 4, "K": 2000}, {"B": 1.1, "homogeneous": 0}),
    ),
}


def shape(c: Context, n: np.ndarray) -> np.ndarray:
    """d H sqrt(n H), or d H^{3/2} sqrt(n H) with one regression for each stage, after n episodes."""
    return np.asarray(c.d * c.H * np.sqrt(float(c.G) * c.H * np.asarray(n, dtype=float)))


def explicit(c: Context, n: np.ndarray) -> np.ndarray:
    """The explicit form of the module's text [derived]."""
    k, H = np.asarray(n, dtype=float), float(c.H)
    L = c.d * np.log(1.0 + k * (H / c.G) * H * H / (c.d * c.lam))
    radius = H / 2.0 * np.sqrt(2.0 * math.log(c.G / c.delta) + L) + math.sqrt(c.lam) * c.B
    noise = H * math.sqrt(c.K * H * math.log(1.0 / c.delta) / 2.0)
    if c.G == 1:
        lag = H * L / math.log(2.0)
        return np.asarray(2.0 * np.maximum(H / 2.0, math.sqrt(2.0) * radius) * np.sqrt(2.0 * k * H * L) + lag + noise)
    return np.asarray(2.0 * H * np.maximum(H / 2.0, radius) * np.sqrt(2.0 * k * L) + noise)


def trivial(c: Context, n: np.ndarray) -> np.ndarray:
    """n times the largest optimal value of a first state: rewards are not negative, so no algorithm loses more."""
    return np.asarray(n, dtype=float) * float(np.max(c.V_star[0][c.mu0 > 0]))


def confidence_level(c: Context) -> float:
    """delta, where the radius is that of the theory: scale >= 1, B >= |theta|, one theta if there is one regression."""
    one = c.homogeneous == 0 or c.model.theta.ndim == 1
    return float(c.delta) if one and c.scale >= 1.0 and c.model.parameter_norm <= c.B else 1.0


def explicit_level(c: Context) -> float:
    """Failure probability of the explicit form, for scale = 1."""
    return float(min(1.0, confidence_level(c) + c.delta)) if c.scale == 1.0 else 1.0


def tables(c: Context) -> dict[str, Any]:
    """theta of every stage, (H,d)."""
    return {"true_theta": np.array(np.broadcast_to(c.model.theta, (c.H, c.d)))}


TRACE, RIDGE = {**SMALL.learner, "trace": 1}, {**SMALL.learner, "lam": 100.0}
CONTROLS = {
    name: Control(name, learner, replicates=4)
    for name, learner in {
        "bonus zero": faults.bonus_zero,
        "radius tenfold": faults.radius_tenfold,
        "delta left out": faults.delta_dropped,
        "ridge lam + 1": faults.ridge_off_by_one,
        "unseen directions known": faults.unvisited_zero,
        "self-loops lost": faults.counts_lost,
        "value of the state left": faults.successor_lost,
        "regression on V_h": faults.regression_same_stage,
        "target of another stage": faults.stages_mixed,
        "reward in the target": faults.reward_in_target,
        "values of the last episode": faults.values_stale,
        "plan every second episode": faults.plan_late,
        "backup of the same stage": faults.backup_same_stage,
        "argmin": faults.argmin,
    }.items()
}
for name, mutant, instance in (
    ("delta not divided", faults.delta_undivided, STAGES),
    ("episodes for samples", faults.episodes_for_steps, Instance("mixture-random", 6, SMALL.model, TRACE)),
    # a large ridge: its part of the radius is then the larger one
    ("norm of theta dropped", faults.norm_dropped, Instance("mixture-random", 8, SMALL.model, RIDGE)),
    ("noise of values in [0, 1]", faults.range_forgotten, Instance.of(coin(8), 20, {"B": 1.01, "delta": 0.1})),
    ("determinant dropped", faults.log_dropped, Instance.of(coin(8), 20, {"B": 1.01, "delta": 0.9})),
    ("no cap", faults.clipping_off, BOTH_CAPS),
):
    CONTROLS[name] = Control(name, mutant, instance, replicates=4)


def _step(
    name: str,
    text: str,
    tag: str,
    kind: Any,
    value: Any,
    at: str,
    caught: tuple[str, ...],
    tol: float = 1e-9,
    copies: bool = False,
) -> Claim:
    return Claim(
        id=f"ayoub2020.{name}",
        text=text,
        source_tag=tag,
        learner="ucrl-vtr",
        kind=kind,
        quantity=Probe(f"ucrl-vtr.{name}", value, at, tol),
        instances=STEPS,
        control_instance=SMALL,
        assumes=(episodic, mixture_norms, rewards_in_01),
        controls=tuple(CONTROLS[c] for c in caught),
        tables=tables,
        monitor=probes.monitor,
        copies=copies,
    )


def _uniform() -> Control:
    from theorylab.registry import find_learner

    return Control("uniform play", find_learner("uniform", "episodic"), FINAL["quick"][0], replicates=12, target="cpu")


NAMES = (
    "confidence", "optimism", "domination", "overshoot", "radius", "formula", "normal-equations", "inverse", "cap",
    "counts", "greedy", "replans", "potential", "determinant", "trace",
)  # fmt: skip
#: lemmas for all data that the steps rest on
LEMMAS = (
    "ayoub2020.doubling", "abbasi2011.lemma10", "abbasi2011.lemma11", "abbasi2011.ridge-error", "abbasi2011.thm1-exact",
)  # fmt: skip
claims = [
    Claim(
        id="ayoub2020.regret",
        text="With probability 1 - delta, regret(K) = O~(d H sqrt(T)) with one theta for all stages; constants and "
        "logarithms are not given.",
        source_tag="source",
        learner="ucrl-vtr",
        kind=HighProbability(lambda c: float(c.delta)),
        quantity="regret",
        shape=shape,
        trivial=trivial,
        constants="unspecified",
        instances=FINAL,
        assumes=(episodic, mixture_norms, rewards_in_01),
        steps=(*(f"ayoub2020.{s}" for s in NAMES), *LEMMAS),
    ),
    Claim(
        id="ayoub2020.regret-stages",
        text="With probability 1 - delta, regret(K) = O~(d H^{3/2} sqrt(T)) with a theta for each stage; constants and "
        "logarithms are not given.",
        source_tag="source",
        learner="ucrl-vtr",
        kind=HighProbability(lambda c: float(c.delta)),
        quantity="regret",
        shape=shape,
        trivial=trivial,
        constants="unspecified",
        instances=APART,
        assumes=(episodic, mixture_norms, rewards_in_01),
        steps=(*(f"ayoub2020.{s}" for s in NAMES), *LEMMAS),
    ),
    Claim(
        id="ayoub2020.regret-explicit",
        text="The bound with the constants of its proof written out: regret(k) <= 2 max(H/2, sqrt(2) radius) "
        "sqrt(2kHL) + HL/ln 2 + H sqrt(KH ln(1/delta)/2) for all k <= K, L = d ln(1 + kH^3/(d lam)), radius = (H/2) "
        "sqrt(2 ln(1/delta) + L) + sqrt(lam) B, except with probability 2 delta (one theta).",
        source_tag="derived",
        learner="ucrl-vtr",
        kind=HighProbability(explicit_level),
        quantity="regret",
        bound=explicit,
        trivial=trivial,
        instances={k: v[:1] for k, v in FINAL.items()},
        assumes=(episodic, mixture_norms, rewards_in_01),
        controls=(_uniform(),),
    ),
    Claim(
        id="ayoub2020.doubling",
        text="|x|^2_{A^{-1}} <= (det B / det A) |x|^2_{B^{-1}} for B >= A > 0, equal for B = A + c x x^T: while the "
        "determinant has not doubled since the plan, the widths of the plan are at most sqrt(2) too large.",
        source_tag="derived",
        scope="models",
        learner="ucrl-vtr",
        kind=Pointwise(),
        quantity=doubling,
        false_twin=false_doubling,
        instances={},
    ),
    _step(
        "confidence",
        "|theta_hat - theta|_Sigma <= radius at every plan, except with probability delta. Nearest to equality on "
        "the coin, where values fill the interval [0, H] of the noise.",
        "derived",
        HighProbability(confidence_level),
        probes.confidence,
        "plan",
        ("target of another stage",),
    ),
    _step(
        "optimism",
        "Q_h(s,a) >= Q_star_h(s,a) for all pairs and stages at every plan, on the event of confidence.",
        "recalled",
        HighProbability(confidence_level),
        values.optimism,
        "plan",
        ("bonus zero", "unseen directions known", "norm of theta dropped"),
    ),
    _step(
        "domination",
        "Wherever theta is in the confidence set, Q_h >= min(H, r + P V_{h+1}).",
        "derived",
        Pointwise(),
        probes.domination,
        "plan",
        (
            "bonus zero", "unseen directions known", "noise of values in [0, 1]", "determinant dropped",
            "norm of theta dropped",
        ),
    ),
    _step(
        "overshoot",
        "Wherever theta is in the confidence set, Q_h <= r + P V_{h+1} + 2 radius |phi_V|.",
        "derived",
        Pointwise(),
        probes.overshoot,
        "plan",
        ("radius tenfold", "backup of the same stage"),
    ),
    _step(
        "radius",
        "radius = (H/2) sqrt(2 ln(G/delta) + ln det(Sigma/lam)) + sqrt(lam) B at every plan (d ln(1 + nH^2/(d lam)) "
        "for the determinant with trace = 1).",
        "derived",
        Pointwise(),
        probes.radii,
        "plan",
        (
            "bonus zero", "determinant dropped", "noise of values in [0, 1]", "norm of theta dropped", "delta left out",
            "delta not divided", "episodes for samples",
        ),
        copies=True,
    ),
    _step(
        "formula",
        "Q_h = clip(r + <phi_V, theta_hat> + radius |phi_V|, 0, H) with V = V_{h+1} of this plan, and V_h = max Q_h.",
        "source",
        Pointwise(),
        probes.formula,
        "plan",
        ("backup of the same stage", "no cap"),
        copies=True,
    ),
    _step(
        "normal-equations",
        "Sigma theta_hat = sum phi_V V(s') with V = V_{h+1} of the episode in which the step was made, against sums "
        "kept apart from the learner; error over 1 + n.",
        "recalled",
        Pointwise(),
        probes.normal_equations,
        "plan",
        (
            "values of the last episode", "value of the state left", "regression on V_h", "target of another stage",
            "reward in the target", "self-loops lost", "ridge lam + 1",
        ),
    ),
    _step(
        "inverse",
        "The kept inverse is the inverse of lam I + sum phi_V phi_V^T, entry by entry.",
        "derived",
        Pointwise(),
        probes.inverse,
        "plan",
        ("regression on V_h", "self-loops lost", "ridge lam + 1"),
        tol=1e-7,
    ),
    _step(
        "cap",
        "Q_h and V_h lie in [0, H] at every plan.",
        "source",
        Pointwise(),
        probes.cap,
        "plan",
        ("no cap",),
        tol=0.0,
    ),
    _step(
        "counts",
        "Every visit is a sample: a regression has as many as the environment has served visits to its stages.",
        "derived",
        Pointwise(),
        probes.counts,
        "step",
        ("self-loops lost",),
        tol=0.0,
    ),
    _step(
        "greedy",
        "The action played maximises Q_h(s, .).",
        "recalled",
        Pointwise(),
        values.greedy,
        "step",
        ("argmin",),
        tol=0.0,
    ),
    _step(
        "replans",
        "There is one plan before every episode.",
        "recalled",
        Pointwise(),
        probes.replans,
        "step",
        ("plan every second episode",),
        tol=0.0,
    ),
    _step(
        "potential",
        "sum min(1, |phi_V|^2_{Sigma^{-1}}) over the samples, each with the matrix before it, is at most 2 ln "
        "det(Sigma / lam).",
        "recalled",
        Pointwise(),
        probes.potential,
        "step",
        ("self-loops lost",),
    ),
    _step(
        "determinant",
        "The sum of ln(1 + |phi_V|^2_{Sigma^{-1}}) that the learner keeps is ln det(Sigma / lam).",
        "derived",
        Pointwise(),
        probes.determinant,
        "step",
        ("regression on V_h", "self-loops lost", "ridge lam + 1"),
        tol=1e-8,
    ),
    _step(
        "trace",
        "ln det(Sigma / lam) <= d ln(1 + n H^2/(d lam)) after n samples, as |phi_V| <= H (values in [0, H]).",
        "derived",
        Pointwise(),
        probes.trace,
        "step",
        ("no cap",),
    ),
]  # fmt: skip
