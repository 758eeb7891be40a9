"""What the studies of LOOP compute besides runs of cells: the lemma suite (E1) and gaps of solvers (E8).

E1 measures the high-probability steps of he2024's claims on the instances that the claims name: the share of runs in
which a step failed at least once, with its exact upper limit at 95 % (Clopper and Pearson), beside the probability that
the step allows. E8 draws random empirical models, 20 to 2000 visits a pair, and bounds the largest gain from above.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
from scipy.special import betaincinv

from mdps.loop.ascent import ascend
from mdps.loop.relaxations import box_bound, lifted_bound, u_bound
from mdps.loop.tabular import Empirical, empirical, optimise
from theorylab.claim import Claim, HighProbability, Instance
from theorylab.errors import InputError
from theorylab.measure import Group
from theorylab.probe import Probe
from theorylab.registry import find_learner

__all__ = ["COLUMNS", "SOLVERS", "SUITES", "instance_gaps", "lemmas", "random_instance", "suite", "upper_limit"]

#: suite -> learner, module of its steps
SUITES = {
    "models": ("loop-models", "proofs_check.papers._loop_models_steps"),
    "MLE": ("mle-loop", "proofs_check.papers._mle_loop_steps"),
    "tabular": ("loop", "proofs_check.papers._loop_tabular_steps"),
}
SEED = 801
#: of a suite
COLUMNS = ("claim", "model", "steps", "form", "delta", "allowed", "failed", "runs", "worst")


def lemmas(name: str) -> list[tuple[Claim, Instance]]:
    """High-probability steps of a suite, each with its first two instances; none where it does not exist."""
    learner, module = SUITES[name]
    try:
        find_learner(learner, "average")
        found = importlib.import_module(module)
    except (InputError, ModuleNotFoundError):
        return []
    claims = [
        c for value in vars(found).values() if isinstance(value, list)
        for c in value if isinstance(c, Claim) and c.learner == learner
    ]  # fmt: skip
    unique = {c.id: c for c in claims if isinstance(c.kind, HighProbability) and isinstance(c.quantity, Probe)}
    return [(c, i) for c in unique.values() for i in c.on("standard")[:2]]


def upper_limit(failed: int, runs: int, level: float = 0.05) -> float:
    """Largest failure probability at which `failed` of `runs` or fewer have probability `level` (Clopper, Pearson)."""
    return 1.0 if failed == runs else float(betaincinv(failed + 1, runs - failed, 1.0 - level))


def suite(name: str, replicates: int, most: int = 30_000, target: str = "cpu") -> dict[str, Any]:
    """Measure the lemmas of a suite on instances of at most `most` steps: a row for each lemma and instance.

    Columns claim, model, steps, delta, allowed (probability), failed, runs, worst (largest lhs - rhs, the unit of the
    lemma).
    """
    learner = find_learner(SUITES[name][0], "average")
    groups: dict[str, tuple[Instance, list[Claim]]] = {}
    for claim, instance in lemmas(name):
        if instance.length <= most:
            groups.setdefault(repr(instance), (instance, []))[1].append(claim)
    out: dict[str, list[Any]] = {k: [] for k in COLUMNS}
    for instance, claims in groups.values():
        group = Group(claims, learner, instance, instance.build(), dict(instance.learner))
        curves = group.simulation(0, replicates, seed=SEED, target=target, points=2).advance().curves()
        for claim in claims:
            sample = group.sample(claim, curves)
            kind = claim.kind
            assert isinstance(kind, HighProbability)
            row = (
                claim.id, group.model.name, instance.length, int(group.context.form), float(group.context.delta),
                kind.level(group.context), int(sample.violated.sum()), replicates, float(sample.excess.max()),
            )  # fmt: skip
            for column, value in zip(out.values(), row, strict=True):
                column.append(value)
    return out


# Gaps of solvers

#: bound, or what is found, minus the exact largest gain
SOLVERS = ("ascent", "ascent's certificate", "lifted relaxation", "u-bound", "box")
BETA, SPAN = 4.0, 2.0


def random_instance(S: int, A: int, seed: int) -> Empirical:
    """Transitions counted from flat Dirichlet rows, visits log-uniform in 20..2000, rewards uniform in [0, 1]."""
    rng = np.random.Generator(np.random.Philox(key=seed))
    P = rng.dirichlet(np.ones(S), size=(S, A))
    n = np.round(np.exp(rng.uniform(np.log(20.0), np.log(2000.0), (S, A)))).astype(int)
    moves = np.array([[rng.multinomial(n[s, a], P[s, a]) for a in range(A)] for s in range(S)])
    return empirical(moves, rng.uniform(0.0, 1.0, (S, A)))


def instance_gaps(S: int, A: int, count: int) -> dict[str, list[float]]:
    """Over instances 0..count-1: the exact gain J, its certified gap, and for each of `SOLVERS` the difference from J.

    Negative for the ascent where it misses the maximum; the others are upper bounds, never below -1e-6.
    """
    out: dict[str, list[float]] = {k: [] for k in ("J", "certified", *SOLVERS)}
    for seed in range(count):
        e = random_instance(S, A, 808_000 + seed)
        best, climbed = optimise(e, BETA, SPAN), ascend(e, BETA, SPAN)
        found = (climbed.J, climbed.bound, lifted_bound(e, BETA), u_bound(e, BETA), box_bound(e, BETA, SPAN))
        out["J"].append(best.J)
        out["certified"].append(best.bound - best.J)
        for name, value in zip(SOLVERS, found, strict=True):
            out[name].append(float(value) - best.J)
    return out
