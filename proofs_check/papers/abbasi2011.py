"""Abbasi-Yadkori, Pal, Szepesvari 2011: OFUL for linear bandits. R-subgaussian noise, ||theta|| <= S, n rounds.

    theorem 1    ||sum x noise||^2_{V^-1} <= 2 R^2 ln(det(V)^(1/2) / (lam^(d/2) delta)) at all times, w.p. 1 - delta
    theorem 2    ||theta_hat - theta||_V <= beta at all times, with probability 1 - delta
    theorem 3    regret(n) <= 4 sqrt(n d ln(lam + n L/d)) (sqrt(lam) S + R sqrt(2 ln(1/delta) + d ln(1 + n L/(lam d))))
                 for all n, with probability 1 - delta, where |<x, theta>| <= 1 and lam >= max(1, L^2)

[recalled]; theorem 3 is asked for where L <= 1, as its proof works with n L^2. Steps: lemma 10 (determinant and trace)
and lemma 11 (elliptical potential), also for all sequences of vectors (`proofs_check.lemmas`); det(V + x x^T) = det(V)
(1 + ||x||^2_{V^-1}); optimism; gap <= 2 beta ||x|| of the arm played; the sum over rounds, stated with the determinant
that occurred [derived]: for theta in every ellipsoid gap <= 2 min(1, beta ||x||) <= 2 max(1, beta) min(1, ||x||), and
beta grows with n, so that by Cauchy-Schwarz and lemma 11 regret <= sqrt(8 n ln(det V / lam^d)) max(1, beta), beta at
the last decision. Theorem 3 is for the radius of theorem 2, and as its proof goes through the trace for `radius=1` too;
the power form can be wider than sqrt(2) times the trace's, which is all that the constant 4 leaves room for.

A statement that rests on the noise says nothing (level 1) where the learner is told less than the truth: R below the
noise, S_theta below ||theta||; where `radius=3`, the heuristic, is chosen; or for scale < 1 (theorem 3: scale != 1).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from proofs_check.lemmas.elliptical import (
    determinant_trace,
    elliptical_potential,
    false_determinant_trace,
    false_elliptical_potential,
)
from proofs_check.lemmas.mixtures import mixture, self_normalised
from proofs_check.lemmas.potential import determinant_trace as exact_trace
from proofs_check.lemmas.potential import elliptical as exact_potential
from proofs_check.lemmas.self_normalised import (
    exact_tail,
    false_exact_tail,
    false_ridge_error,
    ridge_error,
)
from proofs_check.mutants import oful as faults
from proofs_check.papers import _linear_bandit_probes as shared
from proofs_check.papers import _oful_probes as probes
from proofs_check.papers._bandit_probes import plays_conserved
from theorylab.claim import Claim, Context, Control, HighProbability, Instance, Pointwise
from theorylab.probe import Probe

#: theorem 3 is below trivial on the first two; the third has the power form, for the steps
SPHERE = Instance("linear-sphere", 1000, {"A": 8, "d": 3, "sd": 0.2}, {"R": 0.2, "delta": 0.1})
THREE = Instance("end-of-optimism", 12_000, {}, {"delta": 0.1, "radius": 1})
POWER = Instance("end-of-optimism", 12_000, {}, {"delta": 0.1, "radius": 2})
FINAL = {
    "quick": (SPHERE, THREE),
    "standard": (
        Instance("linear-sphere", 20_000, {"A": 20, "d": 5, "sd": 0.5}, {"R": 0.5, "delta": 0.05}),
        Instance("end-of-optimism", 30_000, {}, {"delta": 0.05, "radius": 1}),
    ),
}
#: far below trivial, with little noise
QUIET = Instance("linear-sphere", 5000, {"A": 10, "d": 2, "sd": 0.1}, {"R": 0.1, "delta": 0.1})
CUBE = Instance("linear-hypercube", 5000, {"d": 4, "T": 5000}, {"lam": 4.0, "delta": 0.05})
STEPS = {"quick": (SPHERE, POWER), "standard": (*FINAL["standard"], CUBE)}
#: with lam below ||x||^2, so that everything is formed afresh at the first plays
SMALL = Instance("linear-sphere", 70, {"A": 6, "d": 2, "sd": 1.0}, {"delta": 0.05, "lam": 0.5})


def bound(c: Context, n: np.ndarray) -> np.ndarray:
    """Theorem 3, right-hand side, at n rounds; infinite where lam < 1 makes its first logarithm negative."""
    n, L = np.asarray(n, dtype=float), float(c.model.feature_norm)
    width = np.sqrt(c.lam) * c.S_theta + c.R * np.sqrt(
        2.0 * np.log(1.0 / c.delta) + c.d * np.log(1.0 + n * L / (c.lam * c.d))
    )
    log_term = np.log(c.lam + n * L / c.d)
    return np.asarray(4.0 * np.sqrt(n * c.d * np.where(log_term < 0.0, np.inf, log_term)) * width)


def level(c: Context) -> float:
    """delta; 1 where the learner is told less than the truth, uses the heuristic or shrinks the radius."""
    return float(c.delta) if shared.told_true(c) and c.radius < 3 and c.scale >= 1.0 else 1.0


def theorem_level(c: Context) -> float:
    """The same; 1 where lam < max(1, L^2), for the power form, and where the radius is not the printed one."""
    printed = c.radius < 2 and c.scale == 1.0
    return level(c) if printed and c.lam >= max(1.0, c.model.feature_norm**2 - 1e-9) else 1.0


def tables(c: Context) -> dict[str, Any]:
    """The shared tables, and the radius apart from the learner's constants: after n plays, -1 for the determinant."""
    n = np.arange(c.T + 1.0)
    out = shared.shared_tables(c)
    longest = float((np.asarray(c.model.features) ** 2).sum(axis=1).max())
    two_log, trace = float(2.0 * np.log(1.0 / c.delta)), c.d * np.log(1.0 + n * longest / (c.lam * c.d))

    def wide(growth: np.ndarray) -> np.ndarray:
        return np.asarray(c.scale * (c.R * np.sqrt(two_log + growth) + out["bias"]))

    forms = (
        np.full(n.shape, -1.0),
        wide(trace),
        wide(c.d * np.log((c.lam + n + 1.0) / c.lam)),
        np.full(n.shape, c.scale * (1.0 + np.sqrt(np.log(2.0 / c.delta) / 2.0))),
    )
    first = float(forms[c.radius][0]) if c.radius > 0 else float(wide(np.zeros(1))[0])
    return out | dict(radius_of=forms[c.radius], first_beta=first, trace_of=trace, two_log=two_log, noise_sd=float(c.R))


def control(name: str, learner: Any, instance: Instance | None = None, replicates: int = 8) -> Control:
    """A planted fault, run without compilation."""
    return Control(name, learner, instance, replicates)


#: equal features, hence ties, in each pair of arms
LINE = Instance("linear-sphere", 40, {"A": 6, "d": 1, "sd": 1.0}, {"delta": 0.05})
#: noise of sd 2, for faults that forget R
LOUD = Instance("linear-sphere", 70, {"A": 6, "d": 2, "sd": 2.0}, {"R": 2.0, "delta": 0.05})
#: hardly any noise, for faults that forget sqrt(lam) S_theta
STILL = Instance("linear-sphere", 30, {"A": 6, "d": 2, "sd": 0.1}, {"R": 0.1, "delta": 0.05})
#: long enough for the regret of the worst arm
LONG = Instance("linear-sphere", 400, {"A": 6, "d": 2, "sd": 0.1}, {"R": 0.1, "delta": 0.05})
#: more directions, for faults that forget the determinant
WIDE = Instance("linear-sphere", 60, {"A": 12, "d": 5, "sd": 1.0}, {"delta": 0.2})
#: little regularisation, where rounding decides without a fresh factor
THIN = Instance("linear-sphere", 60, {"A": 6, "d": 1, "sd": 1.0}, {"lam": 2e-8, "delta": 0.05})
#: many plays before everything is formed afresh, for faults that this mends
STIFF = Instance("linear-sphere", 40, {"A": 6, "d": 1, "sd": 0.1}, {"R": 0.1, "lam": 16.0, "delta": 0.05})
TRACE = Instance("linear-sphere", 40, {"A": 6, "d": 2, "sd": 1.0}, {"delta": 0.05, "radius": 1})
CONTROLS = {
    "bonus zero": control("bonus zero", faults.bonus_zero),
    "determinant left out": control("determinant left out", faults.log_dropped, WIDE, 20),
    "delta left out": control("delta left out", faults.delta_dropped, replicates=24),
    "R left out": control("R left out", faults.noise_dropped, LOUD, 16),
    "S_theta left out": control("S_theta left out", faults.norm_dropped, STILL),
    "determinant, not its logarithm": control("determinant, not its logarithm", faults.plain_determinant),
    "counts from one": control("counts from one", faults.count_off_by_one),
    "lost counts": control("lost counts", faults.counts_lost),
    "no width before a play": control("no width before a play", faults.unvisited_zero),
    "stale estimate": control("stale estimate", faults.estimate_stale, STIFF),
    "estimate without 1 + w": control("estimate without 1 + w", faults.gain_too_large),
    "rewards of the next arm": control("rewards of the next arm", faults.rewards_swapped),
    "inverse by the Euclidean norm": control("inverse by the Euclidean norm", faults.inverse_wrong),
    "widths not updated": control("widths not updated", faults.widths_stale),
    "square for root": control("square for root", faults.width_squared),
    "trace for determinant": control("trace for determinant", faults.trace_for_determinant),
    "determinant not updated": control("determinant not updated", faults.determinant_stale, STIFF),
    "worst arm": control("worst arm", faults.argmin),
    "worst arm, little noise": control("worst arm, little noise", faults.argmin, LONG, 2),
    "ties to the last": control("ties to the last", faults.ties_last, LINE),
    "no fresh factor": control("no fresh factor", faults.never_fresh, THIN),
    "horizon in the logarithm": control("horizon in the logarithm", faults.horizon_in_log, TRACE),
}


def _uniform() -> Control:
    from theorylab.registry import find_learner

    return Control("uniform play", find_learner("uniform", "bandit"), QUIET, replicates=12, target="cpu")


def _lemma(name: str, text: str, quantity: Any, twin: Any, tag: str = "recalled") -> Claim:
    return Claim(
        id=f"abbasi2011.{name}",
        text=text,
        source_tag=tag,
        scope="models",
        learner="oful",
        kind=Pointwise(),
        quantity=quantity,
        false_twin=twin,
        instances={},
    )


def _step(
    name: str, text: str, tag: str, kind: Any, probe: Probe, caught: tuple[str, ...], copies: bool = False
) -> Claim:
    return Claim(
        id=f"abbasi2011.{name}",
        text=text,
        source_tag=tag,
        learner="oful",
        kind=kind,
        quantity=probe,
        instances=STEPS,
        control_instance=SMALL,
        assumes=(shared.linear_bandit, shared.unit_means) if name == "sum" else (shared.linear_bandit,),
        controls=tuple(CONTROLS[c] for c in caught),
        tables=tables,
        monitor=shared.monitor,
        copies=copies,
    )


LEMMAS = ("lemma10", "lemma11", "ridge-error", "thm1-exact")
NAMES = (
    "counts", "estimate", "inverse", "widths", "determinant", "trace", "potential", "radius", "index",
    "greedy", "thm1", "thm2", "optimism", "optimism-inside", "instant", "sum",
)  # fmt: skip
claims = [
    Claim(
        id="abbasi2011.thm3",
        text="Theorem 3: with probability 1 - delta, for all n, regret(n) <= 4 sqrt(n d ln(lam + n L/d)) (sqrt(lam) S "
        "+ R sqrt(2 ln(1/delta) + d ln(1 + n L/(lam d)))), for |<x, theta>| <= 1, L <= 1 and lam >= 1.",
        source_tag="recalled",
        learner="oful",
        kind=HighProbability(theorem_level),
        quantity="regret",
        bound=bound,
        trivial=shared.trivial,
        instances=FINAL,
        assumes=(shared.linear_bandit, shared.unit_means, shared.unit_features),
        steps=tuple(f"abbasi2011.{s}" for s in NAMES + LEMMAS),
        controls=(_uniform(),),
    ),
    _lemma(
        "lemma10",
        "Lemma 10: det(lam I + sum x x^T) <= (lam + n L^2 / d)^d for any n vectors of R^d with ||x|| <= L; equality "
        "for equal shares of orthogonal vectors.",
        determinant_trace,
        false_determinant_trace,
    ),
    _lemma(
        "lemma11",
        "Lemma 11: sum_t min(1, ||x_t||^2_{V_{t-1}^-1}) <= 2 ln(det V_n / lam^d) <= 2 d ln(1 + n L^2 / (lam d)) for "
        "any n vectors of R^d with ||x|| <= L; within 40 % of equality for one direction at a time with ||x||^2 = lam.",
        elliptical_potential,
        false_elliptical_potential,
    ),
    _lemma(
        "ridge-error",
        "theta_hat - theta = V^-1 sum x noise - lam V^-1 theta, hence |<x, theta_hat - theta>| <= ||x||_{V^-1} "
        "(||sum x noise||_{V^-1} + sqrt(lam) ||theta||), for any data; equality in one dimension.",
        ridge_error,
        false_ridge_error,
        "derived",
    ),
    _lemma(
        "thm1-exact",
        "Theorem 1 for random signs as noise and vectors chosen by what was seen: the probability that the bound fails "
        "at some n <= 10, summed over all sequences of signs, is at most delta; and the mean of the mixture martingale "
        "exp(||sum x noise||^2_{V^-1} / 2) (lam^d / det V)^(1/2) is at most 1 at every n.",
        exact_tail,
        false_exact_tail,
    ),
    _step(
        "counts",
        "Plays are conserved: N_a equals the number of times arm a was played.",
        "derived",
        Pointwise(),
        Probe("oful.counts", plays_conserved),
        ("lost counts", "counts from one"),
    ),
    _step(
        "estimate",
        "theta_hat solves V theta_hat = sum x r, for the plays and rewards that occurred (residual over lam + n).",
        "recalled",
        Pointwise(),
        Probe("oful.estimate", shared.estimate, tol=1e-9),
        ("stale estimate", "estimate without 1 + w", "rewards of the next arm", "lost counts"),
    ),
    _step(
        "inverse",
        "The inverse that is kept is that of V = lam I + sum x x^T: no entry of L^T V_inv L - I exceeds 1e-9, V = L "
        "L^T; so every width is right to 1e-9 d, relatively, after any number of rank-one updates.",
        "derived",
        Pointwise(),
        Probe("oful.inverse", probes.inverse, tol=1e-9),
        ("inverse by the Euclidean norm", "counts from one"),
    ),
    _step(
        "widths",
        "The squared norm and the mean that are kept for every arm, played or not, are ||x_a||^2_{V^-1} (relatively) "
        "and <x_a, theta_hat>.",
        "derived",
        Pointwise(),
        Probe("oful.widths", probes.widths, tol=1e-9),
        ("widths not updated", "no fresh factor"),
    ),
    _step(
        "determinant",
        "det(V + x x^T) = det(V) (1 + ||x||^2_{V^-1}) at every play, for the learner's determinant.",
        "recalled",
        Pointwise(),
        Probe("oful.determinant", probes.determinant, tol=1e-9),
        ("trace for determinant", "determinant not updated"),
    ),
    _step(
        "trace",
        "Lemma 10 along the run: ln(det V / lam^d) <= d ln(1 + n L^2 / (lam d)), for the learner's determinant.",
        "recalled",
        Pointwise(),
        Probe("oful.trace", probes.trace, tol=1e-9),
        ("trace for determinant",),
    ),
    _step(
        "potential",
        "Lemma 11 along the run, with the learner's determinant: sum min(1, ||x||^2_{V^-1}) <= 2 ln(det V / lam^d).",
        "recalled",
        Pointwise(),
        Probe("oful.potential", probes.potential, tol=1e-9),
        ("determinant not updated",),
    ),
    _step(
        "radius",
        "Every radius is R sqrt(2 ln(1/delta) + growth) + sqrt(lam) S_theta, growth by the determinant, the trace or "
        "the power form, or the heuristic's constant; times scale.",
        "recalled",
        Pointwise(),
        Probe("oful.radius", probes.radius, tol=1e-9),
        ("bonus zero", "determinant, not its logarithm", "horizon in the logarithm"),
        copies=True,
    ),
    _step(
        "index",
        "Every index is <x_a, theta_hat> + beta ||x_a||_{V^-1} at every decision.",
        "recalled",
        Pointwise(),
        Probe("oful.index", probes.index, tol=1e-8),
        ("square for root", "widths not updated"),
        copies=True,
    ),
    _step(
        "greedy",
        "The arm played has the largest index, the lowest arm of those.",
        "recalled",
        Pointwise(),
        Probe("oful.greedy", probes.greedy),
        ("worst arm", "ties to the last"),
    ),
    _step(
        "thm1",
        "Theorem 1: ||sum x noise||_{V^-1} <= beta - sqrt(lam) S_theta after every play, except with probability "
        "delta.",
        "recalled",
        HighProbability(level),
        Probe("oful.self-normalised", shared.self_normalised, tol=1e-9),
        ("bonus zero", "determinant left out", "delta left out", "R left out"),
    ),
    _step(
        "thm2",
        "Theorem 2: theta is in the ellipsoid after every play, ||theta_hat - theta||_V <= beta, except with "
        "probability delta.",
        "recalled",
        HighProbability(level),
        Probe("oful.coverage", shared.coverage, tol=1e-9),
        ("bonus zero", "S_theta left out", "stale estimate"),
    ),
    _step(
        "optimism",
        "The largest index is at least the best mean at every decision, except with probability delta.",
        "recalled",
        HighProbability(level),
        Probe("oful.optimism", probes.optimism, tol=1e-9),
        ("bonus zero", "no width before a play"),
    ),
    _step(
        "optimism-inside",
        "Where theta is in the ellipsoid of a decision, every index is at least the arm's mean.",
        "recalled",
        Pointwise(),
        Probe("oful.optimism-inside", probes.optimism_inside, tol=1e-9),
        ("square for root", "no width before a play"),
    ),
    _step(
        "instant",
        "Where theta is in the ellipsoid of a decision, the gap of the arm played is at most 2 beta ||x||_{V^-1}.",
        "recalled",
        Pointwise(),
        Probe("oful.instant", probes.instant, tol=1e-9),
        ("worst arm",),
    ),
    _step(
        "sum",
        "While theta was in every ellipsoid, regret(n) <= sqrt(8 n ln(det V / lam^d)) max(1, beta): Cauchy-Schwarz, "
        "gap <= 2 min(1, beta ||x||), lemma 11.",
        "derived",
        Pointwise(),
        Probe("oful.sum", probes.total, tol=1e-9),
        ("worst arm, little noise",),
    ),
    *(Claim.of(x) for x in (exact_trace, exact_potential, mixture, self_normalised)),
]
