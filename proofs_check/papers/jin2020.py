"""Jin, Yang, Wang, Jordan 2020: LSVI-UCB. Linear MDPs of d features, episodic, rewards in [0, 1], lam = 1.

    theorem 3.1   with probability 1 - delta, regret(K) = O(sqrt(d^3 H^3 T) iota), T = KH, iota = ln(2dT/delta)
                  [order source; the factor iota recalled]

The paper leaves c of beta = c d H sqrt(iota) and the constant of the theorem open, so theorem 3.1 itself gets the best
constant that was measured. Its proof covers the values that the learner may meet by a net, which costs beta its factor
d and needs a large c. With S states a simpler cover gives numbers [derived]. For V in [0, H]^S the error of a
regression is convex in V, so the 2^S corners of the cube are enough; at each of them the targets r + V(s') lie in an
interval of length L = H, or H + 1 where rewards are random, and the self-normalised bound with R = L/2 holds for all
episodes at once. With W >= |theta_h + mu_h V| for all V in [0, H]^S (the ridge's part), all regressions obey

    |<phi, w_h> - (r + P V_{h+1})| <= beta |phi|_{Lambda^-1}       all pairs, stages, episodes,      (confidence)

except with probability H 2^S exp(-(((beta - sqrt(lam) W) / R)^2 - d ln(1 + K/(d lam))) / 2), as long as V >= 0, which
optimism gives by induction from the last stage. On that event 0 <= Q_h - (r + P V_{h+1}) <= 2 beta |phi| below the cap,
V - V^pi is a sum of such terms along the episode and of martingale differences in an interval of length H, and with the
elliptical potential, sum min(1, |phi|^2) <= 2 d ln(1 + k/(d lam)) a stage (terms are at most H too, and beta > H/2
wherever the probability is below 1: so min(1, .) costs nothing, for any lam),

    regret(k) <= 2 beta H sqrt(2 d k ln(1 + k/(d lam))) + H sqrt(K H ln(1/delta) / 2),        all k <= K,

except with that probability plus delta.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mdps.learners.lsvi_ucb import learner as LEARNER
from mdps.models.one_hot import family as one_hot
from mdps.models.riverswim import family as riverswim
from proofs_check.mutants import lsvi_ucb as faults
from proofs_check.papers import _lsvi_ucb_probes as probes
from proofs_check.papers import _value_probes as values
from proofs_check.papers._linear_mdp_lemmas import corners, false_corners
from theorylab.assume import episodic, linear_norms, rewards_in_01
from theorylab.claim import Claim, Context, Control, HighProbability, Instance, Pointwise
from theorylab.linear import norm_bound
from theorylab.probe import Probe

#: Q falls below the cap within a few episodes, so that targets move, and neither lam nor the scale is 1: for what holds
#: without exception
SMALL = Instance(
    "simplex-linear", 16, {"S": 4, "A": 2, "d": 2, "horizon": 2, "b": 2}, {"c": 0.1, "scale": 0.5, "lam": 0.8}
)
#: the derived failure probability is 0.08 here: for what holds with high probability
SURE = Instance("simplex-linear", 12, {"S": 4, "A": 2, "d": 2, "horizon": 2, "b": 2}, {"c": 0.66})
#: everything lies above the cap
HIGH = Instance("simplex-linear", 12, {"S": 4, "A": 2, "d": 2, "horizon": 2, "b": 2}, {"c": 3.0})
STEPS = {
    "quick": (
        Instance("simplex-linear", 400, {"S": 6, "A": 2, "d": 3, "horizon": 3, "b": 3}, {"c": 0.46}),
        Instance("linear-chain", 400, {"d": 3, "horizon": 3, "K": 400}, {"c": 0.34}),
    ),
    "standard": (
        Instance("simplex-linear", 4000, {"S": 10, "A": 3, "d": 4, "horizon": 4, "b": 3, "seed": 1}, {"c": 0.385}),
        Instance("linear-chain", 4000, {"d": 4, "horizon": 4, "K": 4000}, {"c": 0.275}),
        Instance.of(one_hot(model=riverswim(states=4, horizon=3, rewards="bernoulli")), 2000, {"c": 0.277}),
    ),
}
SWITCH = {"S": 2, "A": 2, "d": 2, "horizon": 2, "b": 2, "zeros": 0.5, "stationary": True, "seed": 48}
#: c is large enough for theorem 3.1: the derived failure probability of the confidence bounds is at most delta/2
FINAL = {
    "quick": (Instance("simplex-linear", 120_000, SWITCH, {"c": 0.595}),),
    "standard": (
        Instance("simplex-linear", 400_000, SWITCH, {"c": 0.585}),
        Instance("linear-chain", 100_000, {"d": 3, "horizon": 3, "K": 400}, {"c": 0.335}),
    ),
}


def shape(c: Context, n: np.ndarray) -> np.ndarray:
    """sqrt(d^3 H^3 n H) iota: the order of theorem 3.1 after n episodes."""
    return np.asarray(np.sqrt(float(c.d) ** 3 * float(c.H) ** 4 * np.asarray(n, dtype=float)) * c.iota)


def explicit(c: Context, n: np.ndarray) -> np.ndarray:
    """The explicit form of the module's text [derived]."""
    k = np.asarray(n, dtype=float)
    noise = c.H * math.sqrt(c.K * c.H * math.log(1.0 / c.delta) / 2.0)
    return np.asarray(2.0 * c.beta * c.H * np.sqrt(2.0 * c.d * k * np.log(1.0 + k / (c.d * c.lam))) + noise)


def trivial(c: Context, n: np.ndarray) -> np.ndarray:
    """n times the largest optimal value of a first state: rewards are not negative, so no algorithm loses more."""
    return np.asarray(n, dtype=float) * float(np.max(c.V_star[0][c.mu0 > 0]))


def parameter_bound(model: Any) -> float:
    """W: a bound on |theta_h + mu_h V| over h and V in [0, H]^S; a coordinate of mu V is at most the larger of the
    positive and the negative part of mu."""
    parts = np.maximum(np.maximum(model.mu, 0.0).sum(axis=-1), np.maximum(-model.mu, 0.0).sum(axis=-1))
    return float(model.parameter_norm + model.H * norm_bound(parts) * (1.0 + 1e-12))


def concentration_level(c: Context) -> float:
    """H 2^S exp(-(((beta - sqrt(lam) W) / R)^2 - d ln(1 + K/(d lam))) / 2), at most 1."""
    R = 0.5 * (c.H if c.model.reward_law.kind == "deterministic" else c.H + 1.0)
    z = (c.beta - math.sqrt(c.lam) * parameter_bound(c.model)) / R
    spread = c.d * math.log(1.0 + c.K / (c.d * c.lam))
    exponent = math.log(c.H) + c.S * math.log(2.0) - 0.5 * (z * z - spread)
    return 1.0 if z <= 0.0 or exponent >= 0.0 else max(math.exp(exponent), 1e-300)


def explicit_level(c: Context) -> float:
    """Failure probability of the explicit form."""
    return float(min(1.0, concentration_level(c) + c.delta))


def tables(c: Context) -> dict[str, float]:
    """ln(2dT/delta) in nats, apart from the learner's own constant."""
    return {"log_term": math.log(2.0 * c.d * c.T / c.delta)}


CONTROLS = {
    name: Control(name, learner, replicates=4)
    for name, learner in {
        "log factor dropped": faults.log_dropped,
        "delta left out": faults.delta_dropped,
        "K for T": faults.episodes_for_steps,
        "factor d left out": faults.dimension_dropped,
        "bonus tenfold": faults.bonus_tenfold,
        "ridge lam + 1": faults.ridge_off_by_one,
        "self-loops lost": faults.counts_lost,
        "one matrix for all stages": faults.shared_matrix,
        "successor not recorded": faults.successor_lost,
        "targets not recomputed": faults.targets_stale,
        "plan every second episode": faults.plan_late,
        "backup of the same stage": faults.backup_same_stage,
        "bonus of a port": faults.port_bonus,
        "argmin": faults.argmin,
        "bonus zero": faults.bonus_zero,
        "unvisited at zero": faults.unvisited_zero,
    }.items()
}
for name, mutant in {
    "no cap": faults.clipping_off,
    "no cap in the targets": faults.target_uncapped,
    "no cap at the choice": faults.choice_uncapped,
}.items():
    CONTROLS[name] = Control(name, mutant, HIGH, replicates=4)
#: a broken assumption: rewards far outside [0, 1]
CONTROLS["rewards of sd 50"] = Control(
    "rewards of sd 50",
    LEARNER,
    Instance.of(one_hot(model=riverswim(states=3, horizon=2, noise=50.0)), 20, {"c": 0.75}),
    replicates=4,
)


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
        id=f"jin2020.{name}",
        text=text,
        source_tag=tag,
        learner="lsvi-ucb",
        kind=kind,
        quantity=Probe(f"lsvi-ucb.{name}", value, at, tol),
        instances=STEPS,
        control_instance=SMALL if isinstance(kind, Pointwise) else SURE,
        assumes=(episodic, linear_norms, rewards_in_01),
        controls=tuple(CONTROLS[c] for c in caught),
        tables=tables,
        monitor=probes.monitor,
        copies=copies,
    )


def _uniform() -> Control:
    from theorylab.registry import find_learner

    return Control("uniform play", find_learner("uniform", "episodic"), FINAL["quick"][0], replicates=12, target="cpu")


NAMES = (
    "confidence", "optimism", "domination", "overshoot", "normal-equations", "inverse", "widths", "formula", "cap",
    "counts", "greedy", "replans", "potential", "determinant", "weight-norm", "isolated", "corners",
)  # fmt: skip
#: lemmas for all data that the steps rest on
LEMMAS = ("abbasi2011.lemma10", "abbasi2011.lemma11", "abbasi2011.ridge-error", "abbasi2011.thm1-exact")
claims = [
    Claim(
        id="jin2020.thm3.1",
        text="Theorem 3.1: with probability 1 - delta, regret(K) = O(sqrt(d^3 H^3 T) iota), iota = ln(2dT/delta), if c "
        "is large enough; neither constant is given. Here c is large enough: the derived probability that a confidence "
        "bound fails is at most delta/2, and the other half is for the martingale.",
        source_tag="recalled",
        learner="lsvi-ucb",
        kind=HighProbability(lambda c: float(c.delta)),
        quantity="regret",
        shape=shape,
        trivial=trivial,
        constants="unspecified",
        instances=FINAL,
        assumes=(episodic, linear_norms, rewards_in_01),
        steps=(*(f"jin2020.{s}" for s in NAMES), *LEMMAS),
    ),
    Claim(
        id="jin2020.thm3.1-explicit",
        text="Theorem 3.1 for S states with its constants written out: regret(k) <= 2 beta H sqrt(2dk ln(1 + k/(d "
        "lam))) + H sqrt(KH ln(1/delta)/2) for all k <= K, except with probability H 2^S exp(-(((beta - sqrt(lam) W)"
        "/R)^2 - d ln(1 + K/(d lam)))/2) + delta.",
        source_tag="derived",
        learner="lsvi-ucb",
        kind=HighProbability(explicit_level),
        quantity="regret",
        bound=explicit,
        trivial=trivial,
        instances={k: v[:1] for k, v in FINAL.items()},
        assumes=(episodic, linear_norms, rewards_in_01),
        controls=(_uniform(),),
    ),
    Claim(
        id="jin2020.corners",
        text="The error of a regression on targets r + V(s'), in the norm of Lambda^{-1}, is largest over V in [0, "
        "H]^S at a corner: so 2^S bounds are enough for all values that the learner may meet.",
        source_tag="derived",
        scope="models",
        learner="lsvi-ucb",
        kind=Pointwise(),
        quantity=corners,
        false_twin=false_corners,
        instances={},
    ),
    _step(
        "confidence",
        "|<phi, w_h> - (r + P V_{h+1})| <= beta sqrt(phi^T Lambda_h^{-1} phi) for all pairs and stages at every plan "
        "(lemma B.4), except with the derived probability for S states. Far from equality: the cover by corners is "
        "paid for in beta.",
        "derived",
        HighProbability(concentration_level),
        probes.confidence,
        "plan",
        ("rewards of sd 50",),
    ),
    _step(
        "optimism",
        "Q_h(s,a) >= Q_star_h(s,a) for all pairs and stages at every plan (lemma B.5), on the event of confidence.",
        "recalled",
        HighProbability(concentration_level),
        values.optimism,
        "plan",
        ("bonus zero", "unvisited at zero"),
    ),
    _step(
        "domination",
        "Wherever the error of the regression is within the bonus, Q_h >= min(H, r + P V_{h+1}).",
        "derived",
        Pointwise(),
        probes.domination,
        "plan",
        ("bonus zero", "unvisited at zero", "factor d left out"),
    ),
    _step(
        "overshoot",
        "Wherever the error of the regression is within the bonus, Q_h <= r + P V_{h+1} + 2 beta sqrt(phi^T "
        "Lambda_h^{-1} phi) (the recursion of lemma B.6).",
        "recalled",
        Pointwise(),
        probes.overshoot,
        "plan",
        ("bonus tenfold",),
    ),
    _step(
        "normal-equations",
        "Lambda_h w_h = sum phi (r + V_{h+1}(s')) over all steps of stage h, with V_{h+1} = max Q_{h+1} of this plan "
        "(the regression of algorithm 1), against sums kept apart from the learner; error over 1 + n.",
        "recalled",
        Pointwise(),
        probes.normal_equations,
        "plan",
        (
            "targets not recomputed", "backup of the same stage", "no cap in the targets", "one matrix for all stages",
            "successor not recorded", "self-loops lost", "ridge lam + 1",
        ),
    ),
    _step(
        "inverse",
        "The kept inverse is the inverse of lam I + sum phi phi^T of its own stage, entry by entry.",
        "derived",
        Pointwise(),
        probes.inverse,
        "plan",
        ("one matrix for all stages", "self-loops lost", "ridge lam + 1"),
        tol=1e-7,
    ),
    _step(
        "widths",
        "The kept phi^T Lambda_h^{-1} phi of every pair, relative to that of an inverse taken afresh.",
        "derived",
        Pointwise(),
        probes.widths,
        "plan",
        ("one matrix for all stages", "self-loops lost"),
        tol=1e-8,
    ),
    _step(
        "formula",
        "Q_h = min(H, <phi, w_h> + c d H sqrt(iota) sqrt(phi^T Lambda_h^{-1} phi)) for all pairs (algorithm 1).",
        "recalled",
        Pointwise(),
        probes.formula,
        "plan",
        ("log factor dropped", "delta left out", "K for T", "factor d left out", "bonus of a port", "no cap"),
        copies=True,
    ),
    _step(
        "cap",
        "Q_h and V_h are at most H at every plan, in the targets too (the cap that algorithm 1 prints; H - h would "
        "be a variant).",
        "recalled",
        Pointwise(),
        probes.cap,
        "plan",
        ("no cap", "no cap in the targets", "no cap at the choice"),
        tol=0.0,
    ),
    _step(
        "counts",
        "Data are conserved: the features recorded at a stage are those of the visits served, by successor, and so are "
        "the rewards; error over 1 + n.",
        "derived",
        Pointwise(),
        probes.counts,
        "step",
        ("self-loops lost", "successor not recorded"),
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
        "sum min(1, phi^T Lambda_h^{-1} phi) over the steps of a stage, each with the matrix before it, is at most 2 "
        "ln det(Lambda_h / lam) (lemma D.2).",
        "recalled",
        Pointwise(),
        probes.potential,
        "step",
        ("self-loops lost",),
    ),
    _step(
        "determinant",
        "det Lambda_h grows by the factor 1 + phi^T Lambda_h^{-1} phi at each step.",
        "derived",
        Pointwise(),
        probes.determinant,
        "step",
        ("one matrix for all stages", "self-loops lost"),
        tol=1e-8,
    ),
    _step(
        "weight-norm",
        "|w_h| <= 2H sqrt(d n / lam) with n episodes of data (lemma B.2, from targets of at most 2H). Far from "
        "equality: by a factor 4 sqrt(d) after one episode already.",
        "recalled",
        Pointwise(),
        probes.weight_norm,
        "plan",
        ("no cap",),
    ),
    _step(
        "isolated",
        "One-hot reduction: where phi(s,a) = e_i and Lambda_h does not mix e_i with others, as for every pair of a "
        "one-hot model, w_i = sum (r + V_{h+1}(s')) / (n + lam) and phi^T Lambda_h^{-1} phi = 1 / (n + lam).",
        "derived",
        Pointwise(),
        probes.isolated,
        "plan",
        ("ridge lam + 1", "one matrix for all stages"),
    ),
]  # fmt: skip
