"""LOOP on linear functions (he2024.linear-...): steps L1 to L8, L-dom, L-trans, L11, the regret. Shared with FOPO:
`common`.

Derived, for a linear MDP with features phi, |phi| <= L, truth Q* = phi^T star, V* centred of span sp, M = ridge I +
Lam:

    coverage   |star - u(star) + gain q|_M <= sqrt(ridge) |star| + sp sqrt((D + ln(1/p))/2) at all t <= T except with
    probability p,
               D = (d/2) ln(1 + T L^2/(d ridge)) (self-normalised, noise in an interval of length sp); optimism where
               the truth is in the class too
    conc       |sum phi xi_f|_{M^-1} <= R sqrt((D + d ln(1 + 4 W L T/R) + ln(1/delta))/2) + 2 R/sqrt(T) for all f of
    the class at once
               except with probability delta, R the largest span of V (internal net of mesh R/T of the V)
    L4         in-sample error < (2 sqrt(beta) + sqrt(ridge) (W + W_e) + conc)^2, W_e bounding |w|, E(f) = phi^T w
    L5         an epoch adds at least (2 sqrt(beta) - sqrt(ridge) W - conc)^2 - (sqrt(beta) + sqrt(ridge) (W + W_e) +
    conc)^2, which is
               at least beta for form 0
    L-dom, L-trans   in `_loop_linear_probes`, with eps^2 = 1/T
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np

from mdps.learners.loop_linear import learner as LOOP
from mdps.loop.linear import constant_direction
from mdps.models.simplex_linear import family as simplex_linear
from proofs_check.mutants import loop_linear as faults
from proofs_check.papers import _loop_linear_probes as own
from proofs_check.papers import _loop_probes as shared
from proofs_check.papers._loop_bounds import trivial
from proofs_check.papers._loop_monitor import law_of
from theorylab.assume import average_reward, linear_norms, rewards_in_01
from theorylab.claim import Claim, Context, Control, HighProbability, Instance, Pointwise, Total
from theorylab.criteria import AVERAGE_REWARD
from theorylab.linear import LinearMDP
from theorylab.probe import Probe


def two_state(d: int = 3, slip: float = 0.3, step: float = 0.2) -> LinearMDP:
    """A chain of two states as a linear MDP with d features and 2^(d-2) actions a in {-1,1}^(d-2) at state 0.

    P(1|0,a) = slip + step <1, a>, P(0|1,.) = slip, reward 1 in state 1: phi(0,a) = (x, y a, 0), phi(1,a) = (0, 0, 1),
    x = (1 + step (d-2))^(-1/2), y = sqrt(step) x, as the hard chains of the literature have it.
    """
    k = d - 2
    signs = np.array([[1 if i >> j & 1 else -1 for j in range(k)] for i in range(2**k)], dtype=float)
    x = (1.0 + step * k) ** -0.5
    y = math.sqrt(step) * x
    phi = np.zeros((2, 2**k, d))
    phi[0, :, 0], phi[0, :, 1:-1], phi[1, :, -1] = x, y * signs, 1.0
    mu = np.zeros((d, 2))
    mu[0], mu[-1] = ((1.0 - slip) / x, slip / x), (slip, 1.0 - slip)
    mu[1:-1, 0], mu[1:-1, 1] = -step / y, step / y
    P = np.zeros((2, 2**k, 2))
    up = slip + step * signs.sum(axis=1)
    P[0, :, 1], P[0, :, 0], P[1, :, 0], P[1, :, 1] = up, 1.0 - up, slip, 1.0 - slip
    theta = np.eye(d)[-1]
    return LinearMDP(phi, mu, theta, criterion=AVERAGE_REWARD, name=f"linear-two-state-{d}", P=P)


def endless(S: int, A: int, d: int, seed: int) -> LinearMDP:
    """A random linear MDP of low rank with average reward."""
    model = simplex_linear(S=S, A=A, d=d, b=2, zeros=0.4, stationary=True, horizon=1, seed=seed)
    endless_one: LinearMDP = dataclasses.replace(model, criterion=AVERAGE_REWARD, name=f"{model.name}-average")
    return endless_one


#: gain 5/8, span 5/4; gain 0.517, span 0.044, far below the bound that is given
HARD, RANDOM = two_state(), endless(4, 2, 3, 5)
SPANS = {HARD.name: 1.25, RANDOM.name: 0.9}


def place(model: LinearMDP, length: int, **learner: Any) -> Instance:
    """An instance with a bound on the span that fits."""
    return Instance.of(model, length, {"span": SPANS[model.name], **learner})


LEMMAS = (place(HARD, 20_000, delta=0.2, ridge=0.01),)
STEPS = {
    "standard": (
        *LEMMAS,
        place(HARD, 20_000, delta=0.2, form=1, ridge=0.1),
        place(RANDOM, 10_000, delta=0.2, form=1, ridge=0.1, scale=0.2),
    )
}
FULL = {"standard": LEMMAS}
OPTIMISM = {
    "standard": (place(HARD, 10_000, delta=0.3, form=1, ridge=0.1), place(RANDOM, 5_000, delta=0.3, form=1, ridge=0.1))
}
FINAL = {"standard": (place(HARD, 50_000, delta=0.1, ridge=0.01),)}
SMALL = Instance.of(HARD, 250, {"span": 2.0, "delta": 0.01, "form": 1, "ridge": 0.02, "scale": 0.1})
#: the same, over before wrong sums leave no plan
BRIEF = dataclasses.replace(SMALL, length=16)
#: norms that bind
TIGHT = Instance.of(HARD, 250, {"span": 2.0, "delta": 0.01, "form": 1, "ridge": 0.02, "scale": 0.1, "W": 0.9})
SURE = place(HARD, 1_500, delta=0.01, form=1, ridge=0.05)
SHORT = place(HARD, 300, delta=0.01, ridge=0.01)
ASSUMES = (average_reward, rewards_in_01, linear_norms)


def truth(c: Context) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """star (d,), V* centred (S,), kappa (d,)."""
    kappa = constant_direction(c.model.phi)
    V = np.asarray(c.bias) - 0.5 * (np.max(c.bias) + np.min(c.bias))
    return c.model.theta + c.model.mu @ V - float(c.gain) * kappa, V, kappa


def length_of(x: np.ndarray) -> float:
    """Euclidean norm."""
    return float(np.sqrt(x @ x))


def largest(c: Context) -> float:
    """L."""
    return float(np.sqrt((np.asarray(c.model.phi) ** 2).sum(axis=-1)).max())


def breadth(c: Context) -> float:
    """The largest span of V in the class."""
    return float(min(c.width, 2.0 * c.W * largest(c)))


def volume(c: Context) -> float:
    """D of the module's text."""
    return float(0.5 * c.d * math.log(1.0 + c.T * largest(c) ** 2 / (c.d * c.ridge)))


def coverage_level(c: Context) -> float:
    """p of coverage for this beta; 1 where it says nothing."""
    margin = math.sqrt(c.beta) - math.sqrt(c.ridge) * length_of(truth(c)[0])
    span = float(np.ptp(c.bias)) + 2.0 * c.error
    if margin <= 0.0:
        return 1.0
    return float(min(1.0, max(np.finfo(float).tiny, math.exp(volume(c) - 2.0 * (margin / span) ** 2))))


def optimism_level(c: Context) -> float:
    """The same where the truth is in the class, else 1."""
    star, V, _ = truth(c)
    return coverage_level(c) if length_of(star) <= c.W and np.abs(V).max() <= 0.5 * c.width else 1.0


def at_least_delta(level: Any) -> Any:
    """delta, or a level where that is larger."""

    def failure(c: Context) -> float:
        return float(max(c.delta, level(c)))

    return failure


def delta(c: Context) -> float:
    """delta."""
    return float(c.delta)


def conc(c: Context) -> float:
    """The uniform bound on the noise of the module's text."""
    R = breadth(c)
    net = c.d * math.log(1.0 + 4.0 * c.W * largest(c) * c.T / R)
    return R * math.sqrt(0.5 * (volume(c) + net + math.log(1.0 / c.delta))) + 2.0 * R / math.sqrt(c.T)


def residual_norm(c: Context) -> float:
    """W_e from the norms of the model: |w| <= W + cap |kappa| + |theta| + (R/2) | |mu|(S) |."""
    _, _, kappa = truth(c)
    total = np.abs(np.asarray(c.model.mu)).sum(axis=-1)
    return float(c.W + c.cap * length_of(kappa) + length_of(c.model.theta) + 0.5 * breadth(c) * length_of(total))


def in_bound(c: Context) -> float:
    """L4."""
    return float((2.0 * math.sqrt(c.beta) + math.sqrt(c.ridge) * (c.W + residual_norm(c)) + conc(c)) ** 2)


def least_increment(c: Context) -> float:
    """L5, 0 where beta is too small for a bound."""
    root, ridge = math.sqrt(c.beta), math.sqrt(c.ridge)
    last = max(0.0, 2.0 * root - ridge * c.W - conc(c))
    first = root * (1.0 + 1e-6) + ridge * (c.W + residual_norm(c)) + conc(c)
    return float(max(0.0, last**2 - first**2))


def iota(c: Context) -> float:
    """ln(1 + T L^2 W_e^2/(d eps^2)), eps^2 = 1/T."""
    return math.log(1.0 + c.T**2 * largest(c) ** 2 * residual_norm(c) ** 2 / c.d)


def tables(c: Context) -> dict[str, Any]:
    """What the probes read."""
    star, V, kappa = truth(c)
    form = c.W + c.cap * length_of(kappa) + (1.0 + 0.5 * c.span) * math.sqrt(c.d)
    return {
        "law": law_of(c), "star": star, "V_c": V, "kappa": kappa,
        "theta": np.array(c.model.theta), "mu": np.array(c.model.mu),
        "in_bound": in_bound(c), "increment": least_increment(c), "e_max": breadth(c) + c.cap, "W_e": residual_norm(c),
        "W_e_form": form, "iota": iota(c), "eps2": 1.0 / c.T, "breadth": breadth(c), "repeats": 0,
    }  # fmt: skip


def paper_shape(c: Context, n: np.ndarray) -> np.ndarray:
    """Theorem 1's special case: sp^{3/2} d^{3/2} sqrt(n) without logarithms [recalled]."""
    return np.asarray(c.span**1.5 * c.d**1.5 * np.sqrt(np.asarray(n, dtype=float)))


def sharper_shape(c: Context, n: np.ndarray) -> np.ndarray:
    """B d sqrt(n): what the lemmas assemble to without logarithms [derived]."""
    return np.asarray(c.span * c.d * np.sqrt(np.asarray(n, dtype=float)))


def bound(c: Context, n: np.ndarray) -> np.ndarray:
    """The regret bound of linear-regret, for form 0 at scale 1 or larger."""
    n = np.asarray(n, dtype=float)
    size, b, e = c.d * iota(c), in_bound(c), breadth(c) + c.cap
    optimisations = 1.0 + 2.0 * size * (b + e * e + 1.0 / c.T) / max(least_increment(c), 1e-300)
    noise = breadth(c) * (math.sqrt(0.5 * c.T * math.log(1.0 / c.delta)) + optimisations)
    return np.asarray(np.sqrt(2.0 * size * n * b) + (2.0 * e + 1.0) * size + 0.5 * n / c.T + noise)


def bound_level(c: Context) -> float:
    """conc, the martingale, coverage."""
    return min(1.0, 2.0 * float(c.delta) + optimism_level(c))


def dimension_shape(c: Context, n: np.ndarray) -> np.ndarray:
    """2 d iota."""
    return np.full(np.shape(n), 2.0 * c.d * iota(c))


Rows = dict[str, tuple[Any, ...]]


def common(sure: Any) -> Rows:
    """Steps of both learners: text, tag, kind, probe, moment, tolerance, faults. `sure` is the kind of optimism."""
    flat = Pointwise()
    return {
        "sums": (
            "Lam, Phi, sum phi r and sum phi are those of the steps served.",
            "derived", flat, own.sums, "step", 1e-9, "self-loops lost; target of the state left",
        ),
        "inverse": (
            "The matrix kept is the inverse of M = ridge I + Lam.",
            "derived", flat, own.inverse, "step", 1e-7, "ridge twice; one visit more; self-loops lost",
        ),
        "linear": (
            "Q = phi^T omega and V = max_a Q.",
            "recalled", flat, own.linear, "plan", 1e-9, "V of the first hypothesis",
        ),
        "greedy": (
            "V(s) is the largest Q(s,a) and that of the policy.",
            "recalled", flat, shared.greedy, "plan", 2e-9, "V of the first hypothesis",
        ),
        "played": (
            "The action played is the greedy one.",
            "recalled", flat, shared.played, "step", 0.0, "worst action"),
        "visits": ("N counts the steps.", "derived", flat, shared.visits, "step", 0.0, "self-loops lost"),
        "identity": (
            "The excess at a plan, |omega - u(omega) + J q|_M^2, is the loss of omega minus the least one of "
            "linear functions, with "
            "ridge on both sides, summed over all data (4c).",
            "derived", flat, own.brute, "plan", 1e-7,
            "ridge twice; one visit more; target of the state left",
        ),
        "class": (
            "|omega| <= W, |V| <= B/2 (no such bound in FOPO), J at most the largest reward.",
            "recalled", flat, own.in_class, "plan", 1e-9, "norm ignored; no cap; gain in another unit",
        ),
        "member": (
            "A new hypothesis is in the confidence set: its excess on all data is at most beta.",
            "recalled", flat, own.member, "plan", 1e-8, "radius doubled; gain forgotten; ridge twice; "
            "gain in another unit; first hypothesis kept",
        ),
        "certificate": (
            "The certified bound on the gain of all hypotheses of the set exceeds that of the one chosen by at "
            "most 1e-5.",
            "derived", flat, own.certificate, "plan", 1e-5, "pessimistic sign",
        ),
        "coverage": (
            "The excess of the truth is at most beta at every step, except with the probability of its "
            "self-normalised bound.",
            "derived", HighProbability(at_least_delta(coverage_level)), own.coverage, "step", 1e-9, "a "
            "thousandth of beta",
        ),
        "optimism": (
            "L1: the gain of a new hypothesis is at least the optimal one, except with that probability.",
            "recalled", sure, shared.optimism, "plan", 1e-6, "radius zero; pessimistic sign",
        ),
        "bound-optimism": (
            "The certified bound is at least the optimal gain, except with that probability.",
            "derived", sure, own.bound_optimism, "plan", 1e-9, "radius zero",
        ),
        "decomposition": (
            "L2: sum (J - r) = sum E + sum (P V - V(s)) with equality.",
            "recalled", flat, shared.decomposition, "step", shared.ROUNDING, "worst action; V of the first hypothesis",
        ),
        "realisation": (
            "L3: sum (P V - V(s)) <= R sqrt((T/2) ln(1/delta)) + R N, N the optimisations, with probability 1 - delta.",
            "derived", HighProbability(delta), own.realisation, "step", 1e-8, "V in another unit",
        ),
        "residual": (
            "E(f)(s,a) = phi^T w with w = omega + J kappa - theta - mu V, and |w| <= W_e.",
            "derived", flat, own.residual, "plan", 1e-8, "gain in another unit",
        ),
        "in-sample": (
            "L4: the in-sample error of the hypothesis in play stays below its bound, with probability 1 - delta.",
            "derived", HighProbability(delta), shared.in_sample, "step", 1e-8, "gain in another unit",
        ),
        "l-dom": (
            "L7, L-dom: sum E <= sqrt(2 d iota) sqrt(double) + (2 e_max + 1) d iota + eps^2 T/2.",
            "derived", flat, own.dominance, "step", 1e-8, "gain in another unit",
        ),
        "l-trans": (
            "L8, L-trans: sum E^2 <= 2 d iota (max in-sample + e_max^2 + eps^2).",
            "derived", flat, own.transfer, "step", 1e-8, "gain in another unit",
        ),
    }  # fmt: skip


def controls(faults: Any, more: dict[str, str]) -> dict[str, Control]:
    """The faults of both learners by name, and a learner's own: name -> attribute."""
    both = {
        "self-loops lost": "counts_lost", "target of the state left": "target_of_state", "ridge twice": "ridge_twice",
        "one visit more": "one_more", "V of the first hypothesis": "stale_values", "worst action": "policy_minimises",
        "norm ignored": "norm_ignored", "no cap": "uncapped", "gain in another unit": "total_gain",
        "radius doubled": "radius_doubled",
        "gain forgotten": "gain_forgotten", "pessimistic sign": "pessimistic", "radius zero": "radius_zero",
        "V in another unit": "other_unit", "sign of the gain": "gain_negated", "a thousandth of beta": "beta_small",
    }  # fmt: skip
    many = {"radius zero": 16}
    return {k: Control(k, getattr(faults, v), replicates=many.get(k, 4)) for k, v in {**both, **more}.items()}


def claim(
    prefix: str, name: str, row: tuple[Any, ...], learner: str, found: dict[str, Control], assumes: Any, **more: Any
) -> Claim:
    """A step as a claim."""
    text, tag, kind, value, at, tol, caught = row
    return Claim(
        id=f"{prefix}{name}",
        text=text,
        source_tag=tag,
        learner=learner,
        kind=kind,
        quantity=Probe(f"{prefix.partition('.')[2]}{name}", value, at, tol),
        assumes=assumes,
        controls=tuple(found[x] for x in caught.split("; ")),
        tables=tables,
        monitor=own.monitor,
        **more,
    )


CONTROLS = controls(
    faults,
    {
        "span ignored": "span_ignored", "trigger on new data": "new_data_only", "trigger at 40 beta": "trigger_late",
        "trigger at 2 beta": "trigger_early",
        "optimisation at every step": "trigger_always", "never given up": "trigger_never",
        "first hypothesis kept": "stale",
        "log factor dropped": "log_dropped", "delta dropped": "delta_dropped", "norm of omega dropped": "norm_dropped",
        "span to the first power": "span_once",
    },
)  # fmt: skip

CONTROLS["norm ignored"] = Control("norm ignored", faults.norm_ignored, TIGHT, replicates=4)

OWN: Rows = {
    "beta": (
        "beta has its form, times the multiplier.",
        "derived", Pointwise(), own.theory_beta, "plan", 1e-9,
        "log factor dropped; delta dropped; norm of omega dropped; span to the first power",
    ),
    "excess": (
        "upsilon is the excess of the hypothesis in play on all data, old and new.",
        "derived", Pointwise(), own.excess, "step", 1e-6,
        "sign of the gain; trigger on new data; ridge twice",
    ),
    "determinant": (
        "The determinant that trigger 2 reads is that of M = ridge I + Lam.",
        "derived", Pointwise(), own.determinant, "step", 1e-7, "self-loops lost",
    ),
    "trigger": (
        "A hypothesis is given up at the first step at which its excess on all data has reached 4 beta, and only then.",
        "recalled", Pointwise(), own.on_time, "step", 0.0,
        "trigger at 40 beta; trigger at 2 beta; optimisation at every step; trigger on new data; never given up",
    ),
    "increments": (
        "L5: an epoch adds at least (2 sqrt(beta) - sqrt(ridge) W - conc)^2 - (sqrt(beta) + sqrt(ridge) (W + "
        "W_e) + conc)^2 to sum E^2, "
        "with probability 1 - delta.",
        "derived", HighProbability(delta), shared.increments, "plan", 1e-8, "optimisation at every step",
    ),
    "switches": (
        "L6: N(T) <= 1 + sum E^2 / the increment of L5, with probability 1 - delta.",
        "derived", HighProbability(delta), shared.switches, "step", 1e-8, "optimisation at every step",
    ),
}  # fmt: skip
PLACES = {"increments": (FULL, SHORT), "switches": (FULL, SHORT), "optimism": (OPTIMISM, SURE),
          "bound-optimism": (OPTIMISM, SURE),
          "coverage": (OPTIMISM, SURE), "sums": (STEPS, BRIEF), "determinant": (STEPS, BRIEF)}  # fmt: skip
MORE = {"class": "span ignored"}


def _row(name: str, row: tuple[Any, ...]) -> tuple[Any, ...]:
    return (*row[:-1], "; ".join(x for x in (row[-1], MORE.get(name, "")) if x))


ROWS = {k: _row(k, v) for k, v in {**common(HighProbability(at_least_delta(optimism_level))), **OWN}.items()}
STEP_CLAIMS = [
    claim(
        "he2024.linear-", name, row, LOOP.name, CONTROLS, ASSUMES, copies=name == "beta",
        instances=PLACES.get(name, (STEPS, SMALL))[0], control_instance=PLACES.get(name, (STEPS, SMALL))[1],
    )
    for name, row in ROWS.items()
]  # fmt: skip


def _total(name: str, text: str, value: Any) -> Claim:
    return Claim(
        id=f"he2024.linear-{name}",
        text=text,
        source_tag="derived",
        learner=LOOP.name,
        kind=HighProbability(0.05),
        quantity=Total(f"linear.{name}", value),
        constants="unspecified",
        shape=dimension_shape,
        trivial=lambda c, n: np.full(np.shape(n), np.inf),
        instances={"standard": LEMMAS},
        assumes=ASSUMES,
        tables=tables,
        monitor=own.monitor,
    )


def _regret(name: str, text: str, tag: str, level: Any, **more: Any) -> Claim:
    return Claim(
        id=f"he2024.linear-{name}",
        text=text,
        source_tag=tag,
        learner=LOOP.name,
        kind=HighProbability(level),
        quantity="regret",
        trivial=trivial,
        instances=FINAL,
        assumes=ASSUMES,
        steps=tuple(c.id for c in STEP_CLAIMS),
        **more,
    )


CLAIMS = [
    _regret(
        "thm1",
        "Theorem 1 on linear MDPs: with probability 1 - 5 delta, regret(n) = O~(sp^{3/2} d^{3/2} sqrt(n)); "
        "order recalled, constant "
        "and logarithms unspecified.",
        "recalled",
        lambda c: min(1.0, 5.0 * c.delta),
        constants="unspecified",
        shape=paper_shape,
    ),
    _regret(
        "sharper",
        "With beta of order B^2 d the lemmas assemble to regret(n) = O~(B d sqrt(n)); not the paper's statement.",
        "derived",
        bound_level,
        constants="unspecified",
        shape=sharper_shape,
    ),
    _regret(
        "regret",
        "For form 0: regret(n) <= sqrt(2 d iota n b) + (2 e_max + 1) d iota + n/(2T) + B sqrt((T/2) "
        "ln(1/delta)) + B N for all n <= T "
        "except with probability 2 delta + that of L1, b of L4, N of L6.",
        "derived",
        bound_level,
        bound=bound,
    ),
    _total(
        "d-hat",
        "E11: the empirical dominance coefficient, the largest (sum E)_+^2 / double, in 2 d iota.",
        shared.d_hat,
    ),
    _total(
        "kappa-hat",
        "E11: the empirical transfer coefficient, sum E^2 / (max in-sample ln T), in 2 d iota.",
        shared.kappa_hat,
    ),
    *STEP_CLAIMS,
]
