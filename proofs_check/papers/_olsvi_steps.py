"""OLSVI.FH (wei2021): claims and their probes. Episodes of L steps are cut out of one trajectory; linear MDPs.

    theorem    regret(T) = O~( sqrt(sp) (d T)^{3/4} + (sp d T)^{2/3} ) with probability 1 - delta       [recalled]

Constants and logarithms are hidden, so it gets the best constant that was measured. As for LSVI-UCB (jin2020), with one
regression for all stages: V_{h+1} lies in [0, L]^S on the event, the error of a regression is convex in it, and the
self-normalised bound at the 2^S corners, R = L/2 (or (L+1)/2 where rewards are random), W >= |theta + mu V|, gives

    |<phi, w_h> - (r + P V_{h+1})| <= beta |phi|_{Lambda^-1}       all pairs, stages, episodes,

except with probability 2^S exp(-(((beta - sqrt(lam) W)/R)^2 - d ln(1 + T/(d lam)))/2) [derived]. Then Q_h is at least
the optimal value of the remaining L - h steps, whose sum over L steps is at least L gain - sp (lemma `finite-horizon`).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mdps.learners.olsvi_fh import learner as LEARNER
from proofs_check.mutants import olsvi_fh as faults
from proofs_check.papers import _lscvi_probes as shared
from proofs_check.papers._lscvi_probes import norm_of
from proofs_check.papers.hong2025 import endless
from theorylab.assume import average_reward, communicating, linear_norms, rewards_in_01
from theorylab.claim import Claim, Context, Control, HighProbability, Instance, Pointwise
from theorylab.criteria import AVERAGE_REWARD
from theorylab.kernel import dot, kernel, log, sqrt
from theorylab.linear import norm_bound
from theorylab.model import TabularMDP
from theorylab.probe import NEVER, Probe

# Probes


@kernel
def beta_of(p):
    """scale c d L sqrt(ln(2 d T/delta))."""
    return p.scale * p.c * p.d * p.L * sqrt(log(2.0 * p.d * p.T / p.delta))


@kernel
def betas(st, p, tr, t):
    """Distance of beta from its formula."""
    return abs(p.beta - beta_of(p))


@kernel
def lengths(st, p, tr, t):
    """Excess of L over the printed length, rounded up, and of the length over L."""
    return max(p.L - tr.length - 1.0, tr.length - p.L)


@kernel
def estimate(st, p, tr, h, s, a):
    """<phi, w_h> with the monitor's sums and V_{h+1} of the plan."""
    total = 0.0
    for i in range(p.d):
        target = tr.own_paid[i]
        for s2 in range(p.S):
            target += tr.own_after[s2, i] * st.V[h + 1, s2]
        total += dot(tr.own_inv[i], p.phi[s, a], p.d) * target
    return total


@kernel
def backup(st, p, tr, h, s, a):
    """(r + P V_{h+1})(s,a) with the true model."""
    row = s * p.A + a
    total = tr.r_mean[row]
    for j in range(tr.width):
        total += tr.prob[row, j] * st.V[h + 1, tr.succ[row, j]]
    return total


@kernel
def confidence(st, p, tr, t):
    """Largest |<phi, w_h> - (r + P V_{h+1})| - beta |phi|."""
    worst = NEVER
    for h in range(p.L):
        for s in range(p.S):
            for a in range(p.A):
                error = abs(estimate(st, p, tr, h, s, a) - backup(st, p, tr, h, s, a))
                worst = max(worst, error - beta_of(p) * norm_of(p, tr, s, a))
    return worst


@kernel
def formula(st, p, tr, t):
    """Largest distance of Q from min(L, <phi, w_h> + beta |phi|), and of V from max Q."""
    worst = 0.0
    for h in range(p.L):
        for s in range(p.S):
            top = NEVER
            for a in range(p.A):
                value = min(float(p.L), estimate(st, p, tr, h, s, a) + beta_of(p) * norm_of(p, tr, s, a))
                worst = max(worst, abs(st.Q[h, s, a] - value))
                top = max(top, st.Q[h, s, a])
            worst = max(worst, abs(st.V[h, s] - top))
    return worst


@kernel
def optimism(st, p, tr, t):
    """Largest excess of the optimal value of the remaining steps over Q."""
    worst = NEVER
    for h in range(p.L):
        for s in range(p.S):
            for a in range(p.A):
                worst = max(worst, tr.Q_best[h, s, a] - st.Q[h, s, a])
    return worst


@kernel
def overshoot(st, p, tr, t):
    """Where the error of a pair is within its bonus: largest Q - (r + P V_{h+1} + 2 beta |phi|)."""
    worst = NEVER
    for h in range(p.L):
        for s in range(p.S):
            for a in range(p.A):
                bonus = beta_of(p) * norm_of(p, tr, s, a)
                true = backup(st, p, tr, h, s, a)
                if abs(estimate(st, p, tr, h, s, a) - true) <= bonus:
                    worst = max(worst, st.Q[h, s, a] - true - 2.0 * bonus)
    return worst


@kernel
def domination(st, p, tr, t):
    """Where the error of a pair is within its bonus: largest min(L, r + P V_{h+1}) - Q."""
    worst = NEVER
    for h in range(p.L):
        for s in range(p.S):
            for a in range(p.A):
                true = backup(st, p, tr, h, s, a)
                if abs(estimate(st, p, tr, h, s, a) - true) <= beta_of(p) * norm_of(p, tr, s, a):
                    worst = max(worst, min(float(p.L), true) - st.Q[h, s, a])
    return worst


@kernel
def cap(st, p, tr, t):
    """Largest Q - L."""
    worst = NEVER
    for h in range(p.L):
        for s in range(p.S):
            for a in range(p.A):
                worst = max(worst, st.Q[h, s, a] - p.L)
    return worst


@kernel
def greedy(st, p, tr, t):
    """Largest Q of the stage minus that of the action played."""
    h = t % p.L
    top = st.Q[h, tr.s, 0]
    for a in range(1, p.A):
        top = max(top, st.Q[h, tr.s, a])
    return top - st.Q[h, tr.s, tr.a]


@kernel
def replans(st, p, tr, t):
    """Number of plans against episodes begun."""
    return abs(float(tr.epochs - (t // p.L + 1)))


# Tables, levels, bounds


def tables(c: Context) -> dict[str, Any]:
    """Optimal values of the remaining steps (L,S,A), and the printed length before rounding up."""
    P, r = c.model.tabular().dense(), np.array(c.model.r)
    Q, V = np.zeros((c.L, *r.shape)), np.zeros(len(r))
    for h in reversed(range(c.L)):
        Q[h] = r + P @ V
        V = Q[h].max(axis=1)
    length = max(math.sqrt(c.span) * c.T**0.25 / c.d**0.75, (c.span * c.T / c.d**2) ** (1 / 3))
    given = c.values["length"] if "length" in c.values else 0
    return {"Q_best": Q, "length": float(max(1.0, length) if given == 0 else given) - 1e-9}


def level(c: Context) -> float:
    """The failure probability of the module's text, at most 1."""
    parts = np.maximum(np.maximum(c.model.mu, 0.0).sum(axis=-1), np.maximum(-c.model.mu, 0.0).sum(axis=-1))
    W = c.model.parameter_norm + c.L * norm_bound(np.atleast_2d(parts)) * (1.0 + 1e-12)
    R = 0.5 * (c.L if c.model.reward_law.kind == "deterministic" else c.L + 1.0)
    z = (c.beta - math.sqrt(c.lam) * W) / R
    exponent = c.S * math.log(2.0) - 0.5 * (z * z - c.d * math.log(1.0 + c.T / (c.d * c.lam)))
    return 1.0 if z <= 0.0 or exponent >= 0.0 else max(math.exp(exponent), 1e-300)


def shape(c: Context, n: np.ndarray) -> np.ndarray:
    """sqrt(sp) (d n)^{3/4} + (sp d n)^{2/3}."""
    k = np.asarray(n, dtype=float)
    return np.asarray(math.sqrt(c.span) * (c.d * k) ** 0.75 + (c.span * c.d * k) ** (2.0 / 3.0))


def trivial(c: Context, n: np.ndarray) -> np.ndarray:
    """n times the optimal gain: rewards are not negative."""
    return np.asarray(n, dtype=float) * float(c.gain)


def horizon_excess(rng: np.random.Generator) -> tuple[float, Any]:
    """Largest L gain - sp - V of L steps, and V - L gain - sp, on random models."""
    return _horizon(rng, 1.0)


def false_horizon_excess(rng: np.random.Generator) -> tuple[float, Any]:
    """With a quarter of the span."""
    return _horizon(rng, 0.25)


def _horizon(rng: np.random.Generator, factor: float) -> tuple[float, Any]:
    from theorylab.plan import plan

    worst, where = -np.inf, None
    for _ in range(8):
        S, A, L = int(rng.integers(2, 5)), int(rng.integers(1, 4)), int(rng.integers(1, 12))
        P = rng.integers(0, 3, (S, A, S)).astype(float)
        P[np.arange(S), :, (np.arange(S) + 1) % S] += 1.0  # communicating
        P /= P.sum(axis=-1, keepdims=True)
        model = TabularMDP(P, rng.integers(0, 5, (S, A)) / 4.0, criterion=AVERAGE_REWARD, name="random")
        solved = plan(model)
        assert solved.gain is not None and solved.bias is not None
        V = np.zeros(S)
        for _ in range(L):
            V = (np.array(model.r) + model.dense() @ V).max(axis=1)
        value = float(np.abs(V - L * solved.gain).max() - factor * np.ptp(solved.bias))
        if value > worst:
            worst, where = value, (model, L)
    return worst - 1e-7, where


# Claims

FEW = endless(3, 2, 2, 2, 3)
SURE = Instance.of(FEW, 60, {"span": 0.5, "length": 3, "c": 1.2})
NARROW = Instance.of(FEW, 60, {"span": 0.5, "length": 3, "c": 0.5, "scale": 0.3, "lam": 0.8})
AUTO = Instance.of(FEW, 60, {"span": 0.5, "c": 0.3})
STEPS = {
    "standard": (
        Instance.of(endless(4, 2, 2, 2, 1), 5_000, {"span": 0.1, "c": 0.6}),
        Instance.of(endless(6, 3, 3, 3, 3), 5_000, {"span": 0.38, "c": 0.465}),
    ),
}
FINAL = {"standard": (Instance.of(FEW, 100_000, {"span": 0.32, "c": 0.6}),)}
ASSUMES = (average_reward, communicating, linear_norms, rewards_in_01)
CONTROLS = {
    name: Control(name, learner, replicates=4)
    for name, learner in {
        "beta zero": faults.bonus_zero,
        "log factor dropped": faults.log_dropped,
        "delta left out": faults.delta_dropped,
        "L for T": faults.episodes_for_steps,
        "L left out of beta": faults.range_dropped,
        "self-loops lost": faults.counts_lost,
        "value of the state left": faults.successor_lost,
        "plan every second episode": faults.plan_late,
        "ridge lam + 1": faults.ridge_off_by_one,
        "unseen directions known": faults.unvisited_zero,
        "features without values": faults.features_without_values,
        "no cap": faults.clipping_off,
        "backup of the same stage": faults.backup_same_stage,
        "first plans kept": faults.stale,
        "argmin": faults.argmin,
        "stage 0 for all": faults.stage_zero,
    }.items()
}
CONTROLS["another length"] = Control("another length", faults.length_wrong, AUTO, replicates=2)
FLAT = Pointwise()
TABLE: dict[str, tuple[Any, ...]] = {
    "confidence": (
        "|<phi, w_h> - (r + P V_{h+1})| <= beta |phi| for all pairs and stages at every plan.",
        "derived", HighProbability(level), confidence, "plan", 1e-9, "no cap",
    ),
    "optimism": (
        "Q_h is at least the optimal value of the remaining L - h steps, on the event of confidence.",
        "recalled", HighProbability(level), optimism, "plan", 1e-9, "beta zero",
    ),
    "domination": (
        "Where the error of a pair is within its bonus, Q_h >= min(L, r + P V_{h+1}).",
        "derived", FLAT, domination, "plan", 1e-9, "beta zero; features without values",
    ),
    "overshoot": (
        "Where the error of a pair is within its bonus, Q_h <= r + P V_{h+1} + 2 beta |phi|.",
        "derived", FLAT, overshoot, "plan", 1e-9, "first plans kept",
    ),
    "backup": (
        "Q_h = min(L, <phi, w_h> + beta |phi|), w_h the ridge regression of r + V_{h+1}(s') on the data of all stages "
        "(regression equations and bonus at once), V_h = max_a Q_h.",
        "recalled", FLAT, formula, "plan", 1e-8,
        "value of the state left; features without values; backup of the same stage; ridge lam + 1; unseen directions "
        "known", True,
    ),
    "beta": (
        "beta = c d L sqrt(ln(2dT/delta)).",
        "recalled", FLAT, betas, "plan", 1e-9,
        "beta zero; log factor dropped; delta left out; L for T; L left out of beta", True,
    ),
    "length": (
        "L = max{sqrt(sp) T^{1/4}/d^{3/4}, (sp T/d^2)^{1/3}}, rounded up.",
        "recalled", FLAT, lengths, "plan", 1e-6, "another length", True,
    ),
    "cap": ("Q <= L.", "recalled", FLAT, cap, "plan", 0.0, "no cap"),
    "greedy": (
        "The action played maximises Q of its stage.",
        "recalled", FLAT, greedy, "step", 0.0, "argmin; stage 0 for all",
    ),
    "episodes": (
        "There is a plan at every L-th step and at no other.",
        "recalled", FLAT, replans, "step", 0.0, "plan every second episode",
    ),
    "inverse": (
        "The matrix kept is the inverse of Lambda = lam I + sum phi phi^T, the widths are phi^T Lambda^{-1} phi.",
        "recalled", FLAT, shared.inverse, "plan", 1e-8, "ridge lam + 1; unseen directions known; self-loops lost",
    ),
    "potential": (
        "sum min(1, |phi|^2) <= 2 ln(det Lambda / lam^d) (elliptical potential).",
        "derived", FLAT, shared.potential, "step", 1e-8, "self-loops lost",
    ),
}  # fmt: skip


def _step(name: str, entry: tuple[Any, ...]) -> Claim:
    text, tag, kind, value, at, tol, caught, *copies = entry
    return Claim(
        id=f"wei2021.olsvi-{name}",
        text=f"OLSVI.FH: {text}",
        source_tag=tag,
        learner=LEARNER.name,
        kind=kind,
        quantity=Probe(f"olsvi-fh.{name}", value, at, tol),
        instances=STEPS,
        control_instance=SURE if isinstance(kind, HighProbability) else NARROW,
        assumes=ASSUMES,
        controls=tuple(CONTROLS[c] for c in caught.split("; ")),
        tables=tables,
        monitor=shared.data_monitor,
        copies=bool(copies),
    )


STEP_CLAIMS = [_step(name, entry) for name, entry in TABLE.items()]
CLAIMS = [
    Claim(
        id="wei2021.olsvi-regret",
        text="OLSVI.FH: with probability 1 - delta, regret(T) = O~(sqrt(sp) (dT)^{3/4} + (sp d T)^{2/3}); constants "
        "and logarithms are not given.",
        source_tag="recalled",
        learner=LEARNER.name,
        kind=HighProbability(lambda c: float(c.delta)),
        quantity="regret",
        constants="unspecified",
        shape=shape,
        trivial=trivial,
        instances=FINAL,
        assumes=ASSUMES,
        steps=(*(c.id for c in STEP_CLAIMS), "wei2021.finite-horizon"),
    ),
    Claim(
        id="wei2021.finite-horizon",
        text="The optimal value of L steps differs from L gain by at most the span of the bias.",
        source_tag="derived",
        scope="models",
        learner=LEARNER.name,
        kind=Pointwise(),
        quantity=horizon_excess,
        false_twin=false_horizon_excess,
        instances={},
    ),
    *STEP_CLAIMS,
]
