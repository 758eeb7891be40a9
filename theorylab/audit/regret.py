"""Regret of the actions that an audited agent played, against uniform play and against growth that is linear.

Regret is the sum of gaps, in units of reward; that of uniform play and the largest that a run can have are computed,
not simulated.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from theorylab.audit.checks import Failure
from theorylab.audit.world import Moment, World
from theorylab.decide import Levels, decide_rate
from theorylab.truth import truth_of

__all__ = ["LINEAR", "Result", "judged", "policy_gap", "references"]

LINEAR = 0.9  # slope of log regret from which growth over a factor 4 counts as linear


@dataclass
class Result:
    """What became of one check.

    Attributes:
        verdict: REFUTED, NO VIOLATION FOUND, SUPPORTED, INCONCLUSIVE, VACUOUS, NOT_APPLICABLE, CONSISTENT,
        INCONSISTENT. n, violations: replicates read and those in which it failed. e_value: of the verdict's side.
        first: first failure in replicate order.
    """

    name: str
    words: str
    kind: str
    verdict: str
    note: str = ""
    n: int = 0
    violations: int = 0
    e_value: float | None = None
    interval: tuple[float, float] | None = None
    tolerance: float | None = None
    first: Failure | None = None


def policy_gap(m: Moment) -> float:
    """V_star - V^pi at the episode's first state, pi the exposed policy, else the first maximiser of the exposed Q."""
    w = m.world
    P = w.kernel(True)
    r = w.means(3)
    pi = m.read.get("policy")
    if pi is None:
        pi = m.read["Q"].argmax(axis=-1)
    if pi.dtype.kind in "iu":
        pi = np.eye(w.A)[pi]
    pi = np.broadcast_to(pi, (w.H, w.S, w.A))
    V = np.zeros(w.S)
    for h in reversed(range(w.H)):
        V = (pi[h] * (r[h] + P[h] @ V)).sum(axis=1)
    return float(w.tb.V_star[0, m.state] - V[m.state])


def references(model: Any, length: int) -> tuple[float, float]:
    """Expected gap regret of uniform play, exact, and a bound that no run exceeds, both over the whole length."""
    truth = truth_of(model)
    gap, tb = truth.tables["gap"], truth.tables
    if truth.setting == "bandit":
        return length * float(gap.mean()), length * float(gap.max())
    world = World(model, 1, 0, 0)
    if truth.setting == "episodic":
        law, total = np.array(tb["mu0"]), 0.0
        for h in range(world.H):
            total += float(law @ gap[h].mean(axis=1))
            law = law @ world.kernel(True)[h].mean(axis=1)
        return length * total, length * float(gap.max(axis=(1, 2)).sum())
    law, total, chain = np.array(tb["mu0"]), 0.0, world.kernel(False).mean(axis=1)
    for _ in range(length):
        total += float(law @ gap.mean(axis=1))
        law = law @ chain
    return total, length * float(gap.max())


def judged(
    regrets: list[tuple[float, float, float | None]],
    traits: Mapping[str, Any],
    uniform: float,
    worst: float,
    length: int,
    burn_in: int | None,
) -> list[Result]:
    """The two results on regret; `regrets` holds total, first quarter and policy regret of each replicate."""
    final = np.array([x[0] for x in regrets])
    mean = float(final.mean())
    text = f"mean {mean:.6g}; uniform play {uniform:.6g}; no run exceeds {worst:.6g}"
    exact = [x[2] for x in regrets if x[2] is not None]
    if exact:
        text += f"; V_star - V^pi of its policies {float(np.mean(exact)):.6g}"
    better = Result("regret", "mean regret of the actions played <= that of uniform play", "expectation", "", text)
    linear = Result("linear-regret", "regret grows slower than linearly", "growth", "", n=len(final))
    if not traits["minimises_regret"] or worst <= 0.0:
        reason = "every action is optimal" if worst <= 0.0 else "the agent says minimises_regret = False"
        return [replace(x, verdict="NOT_APPLICABLE", note=reason) for x in (better, linear)]
    d = decide_rate(final / worst, uniform / worst, Levels(budget=len(final)))
    better.verdict, better.n, better.interval = d.verdict, d.n, d.interval
    better.e_value = d.e_refute if d.verdict == "REFUTED" else d.e_support
    quarter = np.array([x[1] for x in regrets])
    if not (quarter > 0.0).all():
        linear.verdict, linear.note = "NOT_APPLICABLE", "too short, or no regret in the first quarter of a run"
        return [better, linear]
    slopes = np.log(np.maximum(final, 1e-300) / quarter) / math.log(4.0)
    linear.note = f"slope of log regret over the last factor 4: {slopes.min():.3f} to {slopes.max():.3f}"
    linear.verdict = "CONSISTENT"
    if (slopes > LINEAR).all():
        known = burn_in is not None and burn_in <= length // 4
        linear.verdict = "INCONSISTENT" if known else "VACUOUS"
        linear.note += (
            "" if known else "; burn-in and a stuck agent look alike: give --burn-in at most a quarter of --length"
        )
    linear.note += f"; on [{max(1, length // 4)}, {length}]"
    return [better, linear]
