"""Abeille, Lazaric 2017: linear Thompson sampling revisited. R-subgaussian noise, ||x|| <= 1, ||theta|| <= S, T rounds.

    theorem 1    with probability 1 - delta, with delta' = delta/(4T), p = .08555 and c = c' = 2 for the normal law,
                 regret(T) <= (beta_T(delta') + gamma_T(delta') (1 + 4/p)) sqrt(2 T d ln(1 + T/lam))
                              + (4 gamma_T(delta')/p) sqrt((8 T/lam) ln(4/delta))                            [source]
                 gamma_t(delta') = beta_t(delta') sqrt(c d ln(c' d/delta'))                                  [source]

The theorem's number of rounds is in the algorithm: the bound is for the end of the run. What is checked before it is
the same bound at n, with beta_n, gamma_n and sqrt(2 n d ln(1 + n/lam)); the last term keeps T, as the inequality of
Azuma holds at all n <= T at once with the margin of T, not with that of n [derived].
It lies above trivial up to T = 2e6 even in one dimension without noise; the steps are what is tested:

    coverage       ||theta_hat_t - theta||_{V_t} <= beta_t(delta') for all t <= T+1; proposition 1 holds for all t at
                   once, so the failure probability is delta', where the paper's union over t makes it delta/4 [derived]
    concentration  ||theta~_t - theta_hat_t||_{V_t} <= gamma_t(delta') for all t <= T, w.p. 1 - T delta' = 1 - delta/4
    optimism       given the past with theta in the ellipsoid, J(theta~) >= J(theta) has probability at least p (lemma 3
                   has p/2 as it asks for concentration besides): so p - 1{optimistic}, summed over such rounds, is a
                   supermartingale with steps in an interval of length 1, above sqrt(T ln(1/eps)/2) at some n <= T with
                   probability at most eps (Azuma, Hoeffding) [derived], eps = .1 here
    covariance     the draws have covariance beta_t^2 V_t^-1: d^2 chi-square sums over T rounds, each between its
                   quantiles at .03/(2 d^2), asked for at the level .1 [derived]; so a wrong beta shows from relative
                   errors of about 4/sqrt(2 T) on, and a root that turns or stretches the law
    instant        gap <= J(theta) - J(theta~) + (beta + gamma) ||x||_{V^-1} on the two events

with J(theta) = max_a <x_a, theta>. The lemmas on determinants and potentials are those of abbasi2011. A statement that
rests on the noise says nothing (level 1) where the learner is told less than the truth, for `inflate=0` and for scale
< 1 (theorem 1: scale != 1).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from proofs_check.lemmas.gaussian import P, false_perturbation, gamma, perturbation
from proofs_check.mutants import lin_thompson as faults
from proofs_check.papers import _lin_thompson_probes as probes
from proofs_check.papers import _linear_bandit_probes as shared
from proofs_check.papers._bandit_probes import plays_conserved
from theorylab.claim import Claim, Context, Control, HighProbability, Instance, Pointwise
from theorylab.linear_bandit import LinearBandit
from theorylab.probe import Probe

#: level of the statements on the draws, and that of their quantiles: well below, so that the evidence can decide
EPS, INNER = 0.1, 0.03
SPHERE = Instance("linear-sphere", 2000, {"A": 8, "d": 3, "sd": 0.5}, {"R": 0.5, "delta": 0.4})
THREE = Instance("end-of-optimism", 2000, {}, {"delta": 0.4})
STEPS = {
    "quick": (SPHERE, THREE),
    "standard": (
        Instance("linear-sphere", 20_000, {"A": 20, "d": 5, "sd": 0.5}, {"R": 0.5, "delta": 0.2}),
        Instance("linear-sphere", 20_000, {"A": 50, "d": 2, "sd": 0.1}, {"R": 0.1, "delta": 0.4, "lam": 4.0}),
        Instance("end-of-optimism", 20_000, {}, {"delta": 0.2}),
    ),
}
SMALL = Instance("linear-sphere", 150, {"A": 6, "d": 2, "sd": 0.5}, {"R": 0.5, "delta": 0.4})
QUIET = Instance("linear-sphere", 150, {"A": 6, "d": 2, "sd": 0.1}, {"R": 0.1, "delta": 0.4})
#: hardly any noise: the ridge estimate is short, hence hardly ever optimistic
LONG = Instance("linear-sphere", 400, {"A": 6, "d": 2, "sd": 0.01}, {"R": 0.01, "delta": 0.4})
LINE = Instance("linear-sphere", 40, {"A": 6, "d": 1, "sd": 0.5}, {"R": 0.5, "delta": 0.4})
#: without inflation
PLAIN = Instance("linear-sphere", 150, {"A": 6, "d": 2, "sd": 0.5}, {"R": 0.5, "delta": 0.4, "inflate": 0})
#: arms that point nearly the same way, so that V^-1 is far from a diagonal matrix, and V is not I at first
CLOSE = LinearBandit(np.array([[0.8, 0.6], [0.6, 0.8], [0.96, 0.28]]), np.array([0.6, 0.8]), name="close")
NEAR = Instance.of(CLOSE, 150, {"delta": 0.4, "lam": 2.0})


#: the shortest of the round numbers at which theorem 1 is below trivial
LONG_LINE = Instance("linear-sphere", 4_000_000, {"A": 4, "d": 1, "sd": 0.01, "seed": 1}, {"R": 0.01, "delta": 0.4})


def betas(c: Context, n: np.ndarray) -> np.ndarray:
    """scale beta_t(delta') at the decisions t = n + 1, after n plays; scale R for plain posterior sampling."""
    n = np.asarray(n, dtype=float)
    if c.inflate == 0:
        return np.full(n.shape, float(c.scale * c.R))
    log_term = 2.0 * math.log(4.0 * c.T / c.delta) + c.d * np.log((c.lam + n + 1.0) / c.lam)
    return np.asarray(c.scale * (c.R * np.sqrt(log_term) + math.sqrt(c.lam) * c.S_theta))


def bound(c: Context, n: np.ndarray) -> np.ndarray:
    """Theorem 1, right-hand side, at n rounds of a run of T."""
    n = np.asarray(n, dtype=float)
    beta = betas(c, n - 1.0)
    wide = beta * gamma(int(c.d), c.delta / (4.0 * c.T))
    first = (beta + wide * (1.0 + 4.0 / P)) * np.sqrt(2.0 * n * c.d * np.log1p(n / c.lam))
    return np.asarray(first + (4.0 * wide / P) * math.sqrt(8.0 * c.T / c.lam * math.log(4.0 / c.delta)))


def sound(c: Context) -> bool:
    """Whether the paper's assumptions hold: what the learner is told, ||x|| <= 1, the inflated radius, not shrunk."""
    return shared.told_true(c) and c.inflate == 1 and c.scale >= 1.0 and c.model.feature_norm <= 1.0 + 1e-9


def delta(c: Context) -> float:
    """delta of theorem 1; 1 where an assumption fails, lam >= 1 among them, or scale is not 1."""
    return float(c.delta) if sound(c) and c.lam >= 1.0 and c.scale == 1.0 else 1.0


def quarter(c: Context) -> float:
    """delta/4: the share of coverage and of concentration."""
    return float(c.delta / 4.0) if sound(c) else 1.0


def always(c: Context) -> float:
    """eps, for statements on the learner's own draws: they need nothing of the noise."""
    return EPS


def tables(c: Context) -> dict[str, Any]:
    """The shared tables; beta, and the quantiles of the statistics of the draws."""
    from scipy.stats import chi2, norm

    tail = INNER / (2.0 * c.d**2)
    low, high = chi2.ppf([tail, 1.0 - tail], int(c.T))
    return shared.shared_tables(c) | dict(
        beta_of=betas(c, np.arange(c.T + 1.0)),
        first_beta=float(betas(c, np.zeros(1))[0]),
        ratio=gamma(int(c.d), c.delta / (4.0 * c.T)),
        anti=P,
        margin=math.sqrt(c.T * math.log(1.0 / EPS) / 2.0),
        half_root=math.sqrt(0.5),
        square_low=float(low),
        square_high=float(high),
        mean_high=float(norm.isf(INNER / (2.0 * c.d))),
    )


def control(name: str, learner: Any, instance: Instance | None = None, replicates: int = 8) -> Control:
    """A planted fault, run without compilation."""
    return Control(name, learner, instance, replicates)


CONTROLS = {
    "no perturbation": control("no perturbation", faults.bonus_zero, QUIET),
    "no perturbation, longer": control("no perturbation, longer", faults.bonus_zero, LONG, 4),
    "logarithm left out": control("logarithm left out", faults.log_dropped),
    "delta not divided": control("delta not divided", faults.delta_whole),
    "T left out": control("T left out", faults.no_horizon),
    "plain posterior": control("plain posterior", faults.posterior, QUIET),
    "R left out": control("R left out", faults.noise_dropped),
    "S_theta left out": control("S_theta left out", faults.norm_dropped, QUIET),
    "counts from one": control("counts from one", faults.count_off_by_one),
    "lost counts": control("lost counts", faults.counts_lost),
    "stale estimate": control("stale estimate", faults.estimate_stale, QUIET),
    "estimate without 1 + w": control("estimate without 1 + w", faults.gain_too_large),
    "rewards of the next arm": control("rewards of the next arm", faults.rewards_swapped),
    "root not updated": control("root not updated", faults.root_stale),
    "root by entries": control("root by entries", faults.root_by_entries, NEAR),
    "root transposed": control("root transposed", faults.root_transposed, NEAR),
    "root shrunk twice": control("root shrunk twice", faults.root_shrunk_twice),
    "one draw for the run": control("one draw for the run", faults.draw_reused),
    "one draw for all directions": control("one draw for all directions", faults.draw_shared, PLAIN),
    "worst arm": control("worst arm", faults.argmin),
    "ties to the last": control("ties to the last", faults.ties_last, LINE),
}


def _step(
    name: str, text: str, tag: str, kind: Any, probe: Probe, caught: tuple[str, ...], copies: bool = False
) -> Claim:
    return Claim(
        id=f"abeille2017.{name}",
        text=text,
        source_tag=tag,
        learner="lin-thompson",
        kind=kind,
        quantity=probe,
        instances=STEPS,
        control_instance=SMALL,
        assumes=(shared.linear_bandit,),
        controls=tuple(CONTROLS[c] for c in caught),
        tables=tables,
        monitor=probes.monitor,
        copies=copies,
    )


NAMES = (
    "counts", "estimate", "root", "length", "inflation", "greedy", "covariance", "centre", "coverage", "concentration",
    "optimism", "instant",
)  # fmt: skip
claims = [
    Claim(
        id="abeille2017.thm1",
        text="Theorem 1: with probability 1 - delta, regret(T) <= (beta_T + gamma_T (1 + 4/p)) sqrt(2 T d ln(1 + "
        "T/lam)) + (4 gamma_T/p) sqrt((8T/lam) ln(4/delta)), at delta' = delta/(4T); p = .08555, c = c' = 2.",
        source_tag="source",
        learner="lin-thompson",
        kind=HighProbability(delta),
        quantity="regret",
        bound=bound,
        trivial=shared.trivial,
        instances=STEPS,
        assumes=(shared.linear_bandit, shared.unit_means, shared.unit_features),
        steps=tuple(f"abeille2017.{s}" for s in (*NAMES, "perturbation")),
    ),
    Claim(
        id="abeille2017.thm1-line",
        text="Theorem 1 where it is below trivial: two directions on a line, hardly any noise, 4e6 rounds.",
        source_tag="source",
        learner="lin-thompson",
        kind=HighProbability(delta),
        quantity="regret",
        bound=bound,
        trivial=shared.trivial,
        instances={"full": (LONG_LINE,)},
        assumes=(shared.linear_bandit, shared.unit_means, shared.unit_features),
        controls=(Control("worst arm for 4e6 rounds", faults.argmin, LONG_LINE, 16, "cpu"),),
    ),
    Claim(
        id="abeille2017.perturbation",
        text="Definition 1 for the normal law: P(<u, eta> >= 1) >= p = 1/(4 sqrt(e pi)) = .08555 for unit u, by the "
        "tail exp(-z^2/2) / (4 sqrt(pi) z) for z >= 1; P(||eta|| > sqrt(2 d ln(2 d/delta))) <= delta for all d and "
        "delta.",
        source_tag="recalled",
        scope="models",
        learner="lin-thompson",
        kind=Pointwise(),
        quantity=perturbation,
        false_twin=false_perturbation,
        instances={},
    ),
    _step(
        "counts",
        "Plays are conserved: N_a equals the number of times arm a was played.",
        "derived",
        Pointwise(),
        Probe("lin-thompson.counts", plays_conserved),
        ("lost counts", "counts from one"),
    ),
    _step(
        "estimate",
        "theta_hat solves V theta_hat = sum x r, for the plays and rewards that occurred (residual over lam + n).",
        "source",
        Pointwise(),
        Probe("lin-thompson.estimate", shared.estimate, tol=1e-9),
        ("stale estimate", "estimate without 1 + w", "rewards of the next arm"),
    ),
    _step(
        "root",
        "The matrix that turns noise into a perturbation is a root of V^-1 for the plays that occurred: no entry of "
        "M^T V M - I exceeds 1e-9.",
        "derived",
        Pointwise(),
        Probe("lin-thompson.root", probes.root, tol=1e-9),
        ("root not updated", "root by entries", "root shrunk twice", "rewards of the next arm"),
    ),
    _step(
        "length",
        "||theta~ - theta_hat||_V = beta ||eta|| for every draw, whatever the root.",
        "derived",
        Pointwise(),
        Probe("lin-thompson.length", probes.length, tol=1e-8),
        ("root transposed", "root by entries", "root not updated"),
    ),
    _step(
        "inflation",
        "Every beta is R sqrt(2 ln(4T/delta) + d ln((lam + t)/lam)) + sqrt(lam) S_theta, times scale.",
        "source",
        Pointwise(),
        Probe("lin-thompson.inflation", probes.inflation, tol=1e-9),
        ("T left out", "delta not divided", "logarithm left out"),
        copies=True,
    ),
    _step(
        "greedy",
        "The arm played has the largest <x_a, theta~>, the lowest arm of those.",
        "source",
        Pointwise(),
        Probe("lin-thompson.greedy", probes.greedy),
        ("worst arm", "ties to the last"),
    ),
    _step(
        "covariance",
        "theta~ has covariance beta_t^2 V_t^-1 given the past: the d^2 sums of squares of the whitened draws along e_i "
        "and (e_i +- e_j)/sqrt(2) lie between the quantiles of their chi-square law at .03/(2 d^2) at "
        "the end, except with probability .1.",
        "derived",
        HighProbability(always),
        Probe("lin-thompson.covariance", probes.covariance, at="end"),
        (
            "no perturbation",
            "logarithm left out",
            "delta not divided",
            "plain posterior",
            "R left out",
            "S_theta left out",
            "root not updated",
            "root by entries",
            "one draw for the run",
            "one draw for all directions",
        ),
    ),
    _step(
        "centre",
        "theta~ has mean theta_hat given the past: the sum of the whitened draws is normal with variance T along each "
        "axis, within its quantiles at .03/(2 d), except with probability .1.",
        "derived",
        HighProbability(always),
        Probe("lin-thompson.centre", probes.centre, at="end"),
        ("one draw for the run",),
    ),
    _step(
        "coverage",
        "Theta is in the ellipsoid of beta_t(delta') at every decision but with probability delta/4 (union over t; "
        "proposition 1 gives delta').",
        "source",
        HighProbability(quarter),
        Probe("lin-thompson.coverage", shared.coverage, tol=1e-9),
        ("no perturbation", "plain posterior", "S_theta left out"),
    ),
    _step(
        "concentration",
        "||theta~ - theta_hat||_V <= gamma_t(delta') = beta_t(delta') sqrt(2 d ln(2 d/delta')) at every decision, but "
        "with probability delta/4; far from equality, as ln(2 d/delta') pays for d two-sided tails at once.",
        "source",
        HighProbability(quarter),
        Probe("lin-thompson.concentration", probes.concentration, tol=1e-9),
        ("root not updated",),
    ),
    _step(
        "optimism",
        "Of the rounds with theta in the ellipsoid, at least the share p has an optimistic draw, J(theta~) >= "
        "J(theta), up to sqrt(T ln(10)/2), at all n <= T, except with probability .1 (lemma 3 and Azuma).",
        "derived",
        HighProbability(always),
        Probe("lin-thompson.optimism", probes.optimism, tol=1e-9),
        ("no perturbation, longer",),
    ),
    _step(
        "instant",
        "With theta in the ellipsoid and the draw within gamma, the gap of the arm played is at most J(theta) - "
        "J(theta~) + (beta + gamma) ||x||_{V^-1}.",
        "source",
        Pointwise(),
        Probe("lin-thompson.instant", probes.instant, tol=1e-9),
        ("worst arm",),
    ),
]
