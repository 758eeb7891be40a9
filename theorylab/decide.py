"""From numbers per replicate to a verdict on one instance, by sequential e-values.

Replicates are read in index order. For a high-probability claim X_r = 1{violated}, tested against delta; for an
expectation X_r = quantity / trivial in [0, 1], tested against bound / trivial: the truncated-beta e-process of
`theorylab.stats.bernoulli` is valid for both. A run invariant is refuted by one violation beyond its tolerance.
Formulas: STATISTICS sections 2.2 and 2.3 of the theory pages.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from theorylab.stats import limits, log_e_refute, log_e_support

__all__ = ["Decision", "Levels", "decide_invariant", "decide_rate", "e_path", "first_passage", "path_grid"]

#: points of a stored path at most
POINTS = 80


@dataclass(frozen=True)
class Levels:
    """Error levels: P(SUPPORTED if false) <= support, P(REFUTED if true) <= refute, per claim; budget of replicates."""

    support: float = 0.01
    refute: float = 0.001
    budget: int = 2048


@dataclass(frozen=True)
class Decision:
    """Verdict at the first crossing (or at the end of the data), with what it rests on; `path` as `e_path`."""

    verdict: str
    n: int
    total: float
    e_support: float
    e_refute: float
    interval: tuple[float, float] | None
    final: bool
    path: dict[str, list[float]] = field(default_factory=dict)


def _exp(x: float) -> float:
    return math.exp(min(float(x), 700.0))


def path_grid(stop: int) -> np.ndarray:
    """Numbers of replicates 1 .. stop, geometrically spaced, at which a path is kept."""
    return np.unique(np.geomspace(1, stop, POINTS).round().astype(int))


def e_path(at: np.ndarray, **sides: tuple[np.ndarray, float]) -> dict[str, list[float]]:
    """The e-processes at some numbers of replicates, for figures.

    Args: at, of `path_grid`; sides, name -> log e-values (nats) at these numbers, and the threshold.
    Returns: columns n, and log_e_NAME and threshold_NAME for each side, in nats.
    """
    out = {"n": [float(n) for n in at]}
    for name, (path, threshold) in sides.items():
        out[f"log_e_{name}"] = [float(v) for v in path]
        out[f"threshold_{name}"] = [float(threshold)] * at.size
    return out


def first_passage(total: np.ndarray, before: int, level: float, alpha: float, *, refute: bool) -> int:
    """Index of the first sum at which the e-process reaches 1/alpha; the number of sums where none does.

    total: sums of the first before + 1, before + 2, ... observations. While nothing is added to the sum, every
    likelihood ratio of the mixture falls on the refuting side and rises on the supporting one: the largest e-value of
    such a stretch is its first or its last. So these are computed, not those of every replicate.
    """
    n, edge, last = before + np.arange(1, total.size + 1), math.log(1.0 / alpha), total.size - 1
    grows = np.flatnonzero(np.diff(total) > 0)
    if refute:
        ends = np.concatenate([[0], grows + 1])
        hit = np.flatnonzero(log_e_refute(total[ends], n[ends], level) >= edge)
        return int(ends[hit[0]]) if hit.size else total.size
    ends = np.concatenate([grows, [last]])
    hit = np.flatnonzero(log_e_support(total[ends], n[ends], level) >= edge)
    if not hit.size:
        return total.size
    low, high = (int(ends[hit[0] - 1]) if hit[0] else -1), int(ends[hit[0]])
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if log_e_support(total[middle], n[middle], level) >= edge else (middle, high)
    return high


def decide_rate(
    values: np.ndarray, level: float, levels: Levels, instances: int = 1, *, support: bool = True
) -> Decision:
    """Read values in [0, 1] in order and stop where an e-process crosses.

    `level` >= 1 can not be violated: the verdict is left open (the caller calls it vacuous). The refuting threshold
    is `instances / levels.refute`, so that the mean of the instances' e-values passes when one of them does. With
    `support=False` only a refutation stops: for bounds that nothing can be said for.
    """
    x = np.asarray(values, dtype=float)[: levels.budget]
    total = np.minimum(np.cumsum(x), np.arange(1, x.size + 1))
    if level >= 1.0 or x.size == 0:
        return Decision("INCONCLUSIVE", x.size, float(x.sum()), 0.0, 0.0, None, True)
    at_refute = first_passage(total, 0, level, levels.refute / instances, refute=True)
    at_support = first_passage(total, 0, level, levels.support, refute=False) if support else x.size
    stop = min(at_refute, at_support, x.size - 1)
    verdict = "INCONCLUSIVE"
    if stop in (at_refute, at_support):
        verdict = "REFUTED" if at_refute <= at_support else "SUPPORTED"
    done = verdict != "INCONCLUSIVE" or x.size >= levels.budget
    at = path_grid(stop + 1)
    refute, favour = log_e_refute(total[at - 1], at, level), log_e_support(total[at - 1], at, level)
    sides = {"refute": (refute, math.log(instances / levels.refute))}
    if support:
        sides = {"support": (favour, math.log(1.0 / levels.support)), **sides}
    return Decision(
        verdict,
        stop + 1,
        float(total[stop]),
        _exp(favour[-1]),
        _exp(refute[-1]),
        limits(float(total[stop]), stop + 1, levels.support),
        done,
        e_path(at, **sides),
    )


def decide_invariant(count: np.ndarray, effort: int) -> Decision:
    """One violation in any replicate refutes; otherwise none was found, final once `effort` replicates were run."""
    n = len(count)
    bad = np.flatnonzero(np.asarray(count) > 0)
    if bad.size:
        return Decision("REFUTED", n, float(bad.size), 0.0, math.inf, None, True)
    return Decision("NO VIOLATION FOUND", n, 0.0, 0.0, 0.0, None, n >= effort)
