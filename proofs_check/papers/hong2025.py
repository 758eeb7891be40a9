"""Hong, Chae, Zhang, Lee, Tewari 2025: gamma-LSCVI-UCB (linear MDPs) and gamma-UCB-CVI (tabular), average reward.

    theorem, linear    regret(T) = O~(sp sqrt(d^3 T ln(dT/delta))) with probability 1 - delta   [order source: abstract]
    theorem, tabular   regret(T) = O~(sp S sqrt(A T))                                            [recalled]

sp bounds the span of the optimal bias, gamma = 1 - 1/sqrt(T), V is clipped at its minimum + 2 sp; rewards are known.
Constants are hidden, so both get the best constant that was measured. The steps have failure probabilities [derived]:

* tabular: V - min V lies in [0, 2 sp]^S, the error of p_hat is convex in it, so that Hoeffding at the 2^S corners, with
  a union over S A pairs and T counts, gives |(p_hat - P) V| <= beta/sqrt(N) for all values at once, except with
  probability exp(S ln 2 + ln(S A T) - beta^2/(2 sp^2)), which is delta at scale 1;
* linear: the same corners, with the self-normalised bound for targets in an interval of length 2 sp and W >= |mu V| for
  V in [0, 2 sp]^S: |<phi, w> - P (V - min V)| <= beta |phi|_{Lambda^-1} for all values, pairs and times, except with
  probability 2^S exp(-(((beta - sqrt(lam) W)/sp)^2 - d ln(1 + T/(d lam)))/2).

On these events Q is at least the optimal discounted Q, by induction over the backups: the clip keeps V >= V_gamma since
the span of V_gamma is at most 2 sp (lemma `discounted`).
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np

from mdps.learners.lscvi_ucb import learner as LINEAR
from mdps.learners.ucb_cvi import learner as TABULAR
from mdps.models.simplex_linear import family as simplex_linear
from proofs_check.mutants import lscvi_ucb as linear_faults
from proofs_check.mutants import ucb_cvi as tabular_faults
from proofs_check.papers import _lscvi_probes as probes
from theorylab.assume import average_reward, communicating, linear_norms, rewards_in_01
from theorylab.claim import Claim, Context, Control, HighProbability, Instance, Pointwise
from theorylab.criteria import AVERAGE_REWARD
from theorylab.linear import norm_bound
from theorylab.model import TabularMDP
from theorylab.probe import Probe

COINS = {"rewards": "bernoulli"}
ASSUMES = (average_reward, communicating, rewards_in_01)


def endless(S: int, A: int, d: int, b: int, seed: int) -> Any:
    """A random linear MDP with average reward."""
    model = simplex_linear(S=S, A=A, d=d, b=b, horizon=1, zeros=0.0, stationary=True, seed=seed)
    return dataclasses.replace(model, criterion=AVERAGE_REWARD, name=f"{model.name}-average")


def discounted(P: np.ndarray, r: np.ndarray, gamma: float) -> np.ndarray:
    """The optimal discounted Q (S,A) by policy iteration; P (S,A,S), r (S,A)."""
    S = len(r)
    pi = np.zeros(S, dtype=np.int64)
    for _ in range(1000):
        at = np.arange(S), pi
        V = np.linalg.solve(np.eye(S) - gamma * P[at], r[at])
        Q = r + gamma * P @ V
        better = np.argmax(Q, axis=1)
        if (Q[np.arange(S), better] <= Q[at] + 1e-10).all():
            break
        pi = better
    return np.asarray(Q)


def tables(c: Context) -> dict[str, Any]:
    """The optimal discounted Q at gamma = 1 - 1/sqrt(T)."""
    model = c.model.tabular() if hasattr(c.model, "tabular") else c.model
    return {"Q_best": discounted(model.dense(), np.array(model.r), 1.0 - 1.0 / math.sqrt(c.T))}


def trivial(c: Context, n: np.ndarray) -> np.ndarray:
    """n times the optimal gain: rewards are not negative."""
    return np.asarray(n, dtype=float) * float(c.gain)


def tabular_shape(c: Context, n: np.ndarray) -> np.ndarray:
    """sp S sqrt(A n)."""
    return np.asarray(c.span * c.S * np.sqrt(c.A * np.asarray(n, dtype=float)))


def linear_shape(c: Context, n: np.ndarray) -> np.ndarray:
    """sp sqrt(d^3 n ln(dT/delta))."""
    return np.asarray(c.span * np.sqrt(float(c.d) ** 3 * np.asarray(n, dtype=float) * math.log(c.d * c.T / c.delta)))


def within(c: Context) -> bool:
    """Whether the span bound holds and gamma is the theory's."""
    return bool(np.ptp(c.bias) <= c.span and c.gamma == 0.0)


def tabular_level(c: Context) -> float:
    """exp(S ln 2 + ln(S A T) - beta^2/(2 span^2)), at most 1."""
    size = c.S * math.log(2.0) + math.log(c.S * c.A * c.T)
    exponent = size - c.scale**2 * (size + math.log(1.0 / c.delta))
    return math.exp(exponent) if within(c) and exponent < 0.0 else 1.0


def linear_level(c: Context) -> float:
    """The failure probability of the module's text, at most 1."""
    parts = np.maximum(np.maximum(c.model.mu, 0.0).sum(axis=-1), np.maximum(-c.model.mu, 0.0).sum(axis=-1))
    W = 2.0 * c.span * norm_bound(np.atleast_2d(parts)) * (1.0 + 1e-12)
    z = (c.beta - math.sqrt(c.lam) * W) / c.span
    exponent = c.S * math.log(2.0) - 0.5 * (z * z - c.d * math.log(1.0 + c.T / (c.d * c.lam)))
    return 1.0 if z <= 0.0 or exponent >= 0.0 or not within(c) else max(math.exp(exponent), 1e-300)


def discounted_excess(rng: np.random.Generator) -> tuple[float, Any]:
    """Largest of sp(V_gamma) - 2 sp(h) and |gain - (1 - gamma) V_gamma| - (1 - gamma) sp(h) on random models."""
    return _discounted(rng, 2.0, 1.0)


def false_discounted_excess(rng: np.random.Generator) -> tuple[float, Any]:
    """With sp(h)/2 for 2 sp(h), and half of the second."""
    return _discounted(rng, 0.5, 0.5)


def _discounted(rng: np.random.Generator, first: float, second: float) -> tuple[float, Any]:
    from theorylab.plan import plan

    worst, where = -np.inf, None
    for _ in range(8):
        S, A = int(rng.integers(2, 5)), int(rng.integers(1, 4))
        P = rng.integers(0, 5, (S, A, S)).astype(float)
        P[np.arange(S), :, (np.arange(S) + 1) % S] += 1.0  # communicating
        P /= P.sum(axis=-1, keepdims=True)
        model = TabularMDP(P, rng.integers(0, 5, (S, A)) / 4.0, criterion=AVERAGE_REWARD, name="random")
        solved = plan(model)
        assert solved.gain is not None and solved.bias is not None
        sp, gamma = float(np.ptp(solved.bias)), float(rng.choice([0.3, 0.5, 0.9, 0.99]))
        V = discounted(model.dense(), np.array(model.r), gamma).max(axis=1)
        off = float(np.abs(solved.gain - (1.0 - gamma) * V).max())
        value = max(float(np.ptp(V)) - first * sp, off - second * (1.0 - gamma) * sp)
        if value > worst:
            worst, where = value, (model, gamma)
    return worst - 1e-7, where


# gamma-UCB-CVI

SURE = Instance("two-state", 1_500, {"slip": 0.3}, {"span": 1.01, "delta": 0.05})
#: bonuses so small that values leave the top
MOVING = Instance("garnet", 120, {"S": 3, "A": 2, "b": 2, "seed": 2}, {"span": 0.9, "delta": 0.1, "scale": 0.05})
#: the clip binds
TIGHT = Instance("riverswim", 60, {"states": 3}, {"span": 0.1, "delta": 0.1, "scale": 0.05})
CVI_STEPS = {
    "standard": (
        Instance("riverswim", 10_000, {"states": 4}, {"span": 3.5, "delta": 0.2}),
        Instance("garnet", 10_000, {"S": 5, "A": 2, "b": 2, "seed": 1}, {"span": 3.0, "delta": 0.2}),
    ),
}
CVI_FINAL = {"standard": (Instance("two-state", 100_000, {"slip": 0.1}, {"span": 1.3, "delta": 0.1}),)}
CVI_CONTROLS = {
    name: Control(name, learner, replicates=4)
    for name, learner in {
        "beta zero": tabular_faults.bonus_zero,
        "log factor dropped": tabular_faults.log_dropped,
        "delta left out": tabular_faults.delta_dropped,
        "T left out": tabular_faults.length_dropped,
        "span left out of beta": tabular_faults.span_dropped,
        "gamma fixed": tabular_faults.gamma_fixed,
        "self-loops lost": tabular_faults.counts_lost,
        "value of the state left": tabular_faults.successor_lost,
        "unvisited pairs at r + beta": tabular_faults.unvisited_low,
        "one pair a step": tabular_faults.stale,
        "minimum left out": tabular_faults.rises,
        "every fourth step": tabular_faults.sweep_late,
        "clip at span": tabular_faults.clip_halved,
        "N + 1": tabular_faults.count_off_by_one,
        "beta/N": tabular_faults.bonus_one_over_n,
        "gamma left out": tabular_faults.gamma_dropped,
        "argmin": tabular_faults.argmin,
    }.items()
}
CVI_CONTROLS["no clip"] = Control("no clip", tabular_faults.clip_off, TIGHT, replicates=2)


def _step(name: str, entry: tuple[Any, ...], linear: bool) -> Claim:
    text, tag, kind, value, at, tol, caught, *copies = entry
    controls = CONTROLS if linear else CVI_CONTROLS
    sure = isinstance(kind, HighProbability)
    return Claim(
        id=f"hong2025.{'' if linear else 'cvi-'}{name}",
        text=text,
        source_tag=tag,
        learner=(LINEAR if linear else TABULAR).name,
        kind=kind,
        quantity=Probe(f"{'lscvi-ucb' if linear else 'ucb-cvi'}.{name}", value, at, tol),
        instances=STEPS if linear else CVI_STEPS,
        control_instance=(LINEAR_SURE if sure else LINEAR_MOVING) if linear else (SURE if sure else MOVING),
        assumes=(*ASSUMES, linear_norms) if linear else ASSUMES,
        controls=tuple(controls[c] for c in caught.split("; ")),
        tables=tables,
        monitor=probes.data_monitor if linear else probes.cvi_monitor,
        copies=bool(copies),
    )


FLAT = Pointwise()
CLIP = "V = min(max_a Q, min_s max_a Q + 2 span)."
CVI: dict[str, tuple[Any, ...]] = {
    "confidence": (
        "|(p_hat - P) V| <= beta/sqrt(N) for every visited pair at every step, V the values of before.",
        "derived", HighProbability(tabular_level), probes.cvi_confidence, "step", 1e-9,
        "value of the state left",
    ),
    "optimism": (
        "Q is at least the optimal discounted Q, all pairs, every step, on the event of confidence.",
        "recalled", HighProbability(tabular_level), probes.optimism, "step", 1e-7,
        "beta zero; unvisited pairs at r + beta; gamma fixed",
    ),
    "overshoot": (
        "Where the error of a pair is within its bonus, Q <= r + gamma (P V + 2 beta/sqrt(N)).",
        "derived", FLAT, probes.cvi_overshoot, "step", 1e-9, "one pair a step; every fourth step; gamma left out",
    ),
    "backup": (
        "Q = min(Q of before, r + gamma (p_hat V + beta/sqrt(N))) for visited pairs, 1/(1 - gamma) for the others.",
        "recalled", FLAT, probes.cvi_formula, "step", 1e-9,
        "log factor dropped; delta left out; T left out; span left out of beta; N + 1; beta/N; beta zero; gamma left "
        "out", True,
    ),
    "monotone": (
        "No entry of Q rises.",
        "source", FLAT, probes.cvi_monotone, "step", 0.0, "minimum left out",
    ),
    "clip": (CLIP, "source", FLAT, probes.clip, "step", 1e-12, "no clip; clip at span"),
    "span": (
        "The span of V is at most 2 span.",
        "source", FLAT, probes.clipped_span, "step", 1e-9, "no clip",
    ),
    "top": (
        "Q <= 1/(1 - gamma) = sqrt(T).",
        "recalled", FLAT, probes.top, "step", 1e-6, "minimum left out",
    ),
    "gamma": (
        "1 - gamma = 1/sqrt(T).",
        "recalled", FLAT, probes.discount, "step", 1e-6, "gamma fixed",
    ),
    "counts": (
        "Counts are those of the environment.",
        "derived", FLAT, probes.cvi_counts, "step", 0.0, "self-loops lost; value of the state left",
    ),
    "greedy": (
        "The action played maximises the Q of before the step.",
        "recalled", FLAT, probes.cvi_greedy, "step", 0.0, "argmin",
    ),
}  # fmt: skip


# gamma-LSCVI-UCB

FEW = endless(3, 2, 2, 2, 3)
LINEAR_SURE = Instance.of(FEW, 150, {"span": 0.5, "delta": 0.1, "c": 1.3})
LINEAR_MOVING = Instance.of(FEW, 150, {"span": 0.5, "delta": 0.1, "c": 0.5, "scale": 0.2, "lam": 0.8})
STEPS = {
    "standard": (
        Instance.of(endless(4, 2, 2, 2, 1), 10_000, {"span": 1.0, "c": 1.15}),
        Instance.of(endless(6, 3, 3, 3, 3), 10_000, {"span": 1.0, "c": 0.92}),
    ),
}
#: the clip binds
LINEAR_TIGHT = Instance.of(FEW, 60, {"span": 0.02, "delta": 0.1, "c": 0.5, "scale": 0.2})
FINAL = {"standard": (Instance.of(endless(4, 2, 2, 2, 1), 100_000, {"span": 1.0, "c": 1.2}),)}
CONTROLS = {
    name: Control(name, learner, replicates=4)
    for name, learner in {
        "beta zero": linear_faults.bonus_zero,
        "log factor dropped": linear_faults.log_dropped,
        "delta left out": linear_faults.delta_dropped,
        "T left out": linear_faults.length_dropped,
        "span left out of beta": linear_faults.span_dropped,
        "gamma fixed": linear_faults.gamma_fixed,
        "self-loops lost": linear_faults.counts_lost,
        "value of the state left": linear_faults.successor_lost,
        "tripled determinant": linear_faults.trigger_late,
        "plan at every step": linear_faults.trigger_always,
        "ridge lam + 1": linear_faults.ridge_off_by_one,
        "unseen directions known": linear_faults.unvisited_zero,
        "features without values": linear_faults.features_without_values,
        "minimum kept in the targets": linear_faults.minimum_kept,
        "clip at span": linear_faults.clip_halved,
        "argmin": linear_faults.argmin,
        "ten backups": linear_faults.stops_early,
        "first plan kept": linear_faults.stale,
        "action 0 played": linear_faults.plays_zero,
    }.items()
}
CONTROLS["no clip"] = Control("no clip", linear_faults.clip_off, LINEAR_TIGHT, replicates=2)
CONTROLS["top doubled"] = Control("top doubled", linear_faults.top_doubled, LINEAR_SURE, replicates=2)
LSCVI: dict[str, tuple[Any, ...]] = {
    "confidence": (
        "|<phi,w> + min V' - P V'| <= beta |phi| for all pairs at every plan, V' the values of its last backup.",
        "derived", HighProbability(linear_level), probes.confidence, "plan", 1e-9,
        "features without values; minimum kept in the targets",
    ),
    "optimism": (
        "Q is at least the optimal discounted Q, all pairs, every plan, on the event of confidence.",
        "recalled", HighProbability(linear_level), probes.optimism, "plan", 1e-7, "beta zero; gamma fixed",
    ),
    "overshoot": (
        "Where the error of a pair is within its bonus, Q <= r + gamma (P V' + 2 beta |phi|).",
        "derived", FLAT, probes.overshoot, "plan", 1e-9, "first plan kept",
    ),
    "backup": (
        "Q <= r + gamma (<phi,w> + min V' + beta |phi|), the last backup.",
        "recalled", FLAT, probes.formula, "plan", 1e-8, "first plan kept", True,
    ),
    "beta": (
        "beta = c span d sqrt(ln(dT/delta)).",
        "recalled", FLAT, probes.betas, "plan", 1e-9,
        "beta zero; log factor dropped; delta left out; T left out; span left out of beta", True,
    ),
    "clip": (CLIP, "source", FLAT, probes.clip, "plan", 1e-12, "no clip; clip at span"),
    "span": (
        "The span of V is at most 2 span.",
        "source", FLAT, probes.clipped_span, "plan", 1e-9, "no clip",
    ),
    "top": (
        "Q <= 1/(1 - gamma) = sqrt(T).",
        "recalled", FLAT, probes.top, "plan", 1e-6, "top doubled",
    ),
    "gamma": ("1 - gamma = 1/sqrt(T).", "recalled", FLAT, probes.discount, "plan", 1e-6, "gamma fixed"),
    "settled": (
        "The last backup lowers no value by 1/sqrt(T) or more and raises none.",
        "derived", FLAT, probes.settled, "plan", 1e-12, "ten backups",
    ),
    "greedy": (
        "The planned action of every state maximises Q.",
        "recalled", FLAT, probes.planned, "plan", 0.0, "argmin",
    ),
    "played": (
        "The action played is the planned one.",
        "recalled", FLAT, probes.played, "step", 0.0, "action 0 played",
    ),
    "normal-equations": (
        "Lambda w = sum phi (V'(s') - min V') at every plan.",
        "recalled", FLAT, probes.normal_equations, "plan", 1e-9,
        "features without values; minimum kept in the targets; value of the state left; first plan kept",
    ),
    "inverse": (
        "The matrix kept is the inverse of Lambda = lam I + sum phi phi^T, the widths are phi^T Lambda^{-1} phi.",
        "recalled", FLAT, probes.inverse, "plan", 1e-8, "ridge lam + 1; unseen directions known; self-loops lost",
    ),
    "determinant": (
        "The determinant that the trigger reads is that of Lambda.",
        "recalled", FLAT, probes.determinant, "step", 1e-8, "self-loops lost; ridge lam + 1",
    ),
    "potential": (
        "sum min(1, |phi|^2) <= 2 ln(det Lambda / lam^d) (elliptical potential).",
        "derived", FLAT, probes.potential, "step", 1e-8, "self-loops lost",
    ),
    "trigger": (
        "Before every step det Lambda is less than twice that of the plan.",
        "recalled", FLAT, probes.trigger, "step", 1e-9, "tripled determinant",
    ),
    "widths": (
        "|phi|^2 in the matrix of the plan is at most twice that in the matrix before the step.",
        "derived", FLAT, probes.widths_kept, "step", 1e-9, "tripled determinant",
    ),
    "switches": (
        "The number of plans is at most 1 + log2(det Lambda / lam^d).",
        "derived", FLAT, probes.switches, "step", 1e-8, "plan at every step",
    ),
}  # fmt: skip

CVI_CLAIMS = [_step(name, entry, False) for name, entry in CVI.items()]
LINEAR_CLAIMS = [_step(name, entry, True) for name, entry in LSCVI.items()]


def _final(name: str, text: str, tag: str, learner: str, shape: Any, instances: Any, steps: list[Claim]) -> Claim:
    return Claim(
        id=f"hong2025.{name}",
        text=text,
        source_tag=tag,
        learner=learner,
        kind=HighProbability(lambda c: float(c.delta)),
        quantity="regret",
        constants="unspecified",
        shape=shape,
        trivial=trivial,
        instances=instances,
        assumes=(*ASSUMES, linear_norms) if learner == LINEAR.name else ASSUMES,
        steps=(*(c.id for c in steps), "hong2025.discounted"),
    )


claims = [
    _final(
        "regret",
        "gamma-LSCVI-UCB: with probability 1 - delta, regret(T) = O~(sp sqrt(d^3 T ln(dT/delta))), constants hidden.",
        "source", LINEAR.name, linear_shape, FINAL, LINEAR_CLAIMS,
    ),
    _final(
        "cvi-regret",
        "gamma-UCB-CVI: with probability 1 - delta, regret(T) = O~(sp S sqrt(A T)), constants and logarithms hidden.",
        "recalled", TABULAR.name, tabular_shape, CVI_FINAL, CVI_CLAIMS,
    ),
    Claim(
        id="hong2025.discounted",
        text="The span of the optimal discounted value is at most twice that of the bias, and (1 - gamma) V is within "
        "(1 - gamma) sp of the gain.",
        source_tag="recalled",
        scope="models",
        learner=LINEAR.name,
        kind=Pointwise(),
        quantity=discounted_excess,
        false_twin=false_discounted_excess,
        instances={},
    ),
    *LINEAR_CLAIMS,
    *CVI_CLAIMS,
]  # fmt: skip
