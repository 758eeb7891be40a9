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

__all__ = ["Decision", "Levels", "decide_invariant", "decide_rate", "e_path"]

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


def e_path(stop: int, **sides: tuple[np.ndarray, float]) -> dict[str, list[float]]:
    """The e-processes at geometrically spaced numbers of replicates up to `stop`, for figures.

    Args: sides, name -> log e-values (nats) at 1, 2, ... replicates, at least `stop` of them, and the threshold.
    Returns: columns n, and log_e_NAME and threshold_NAME for each side, in nats.
    """
    at = np.unique(np.geomspace(1, stop, POINTS).round().astype(int))
    out = {"n": [float(n) for n in at]}
    for name, (path, threshold) in sides.items():
        out[f"log_e_{name}"] = [float(v) for v in path[at - 1]]
        out[f"threshold_{name}"] = [float(threshold)] * at.size
    return out


def decide_rate(
    values: np.ndarray, level: float, levels: Levels, instances: int = 1, *, support: bool = True
) -> Decision:
    """Read values in [0, 1] in order and stop where an e-process crosses.

    `level` >= 1 can not be violated: the verdict is left open (the caller calls it vacuous). The refuting threshold
    is `instances / levels.refute`, so that the mean of the instances' e-values passes when one of them does. With
    `support=False` only a refutation stops: for bounds that nothing can be said for.
    """
    x = np.asarray(values, dtype=float)[: levels.budget]
    n = np.arange(1, x.size + 1)
    total = np.minimum(np.cumsum(x), n)
    if level >= 1.0 or x.size == 0:
        return Decision("INCONCLUSIVE", x.size, float(x.sum()), 0.0, 0.0, None, True)
    refute, favour = log_e_refute(total, n, level), log_e_support(total, n, level)
    most, least = math.log(instances / levels.refute), math.log(1.0 / levels.support)
    hit_refute = np.flatnonzero(refute >= most)
    hit_support = np.flatnonzero(favour >= least) if support else np.array([], dtype=int)
    at_refute = int(hit_refute[0]) if hit_refute.size else x.size
    at_support = int(hit_support[0]) if hit_support.size else x.size
    stop = min(at_refute, at_support, x.size - 1)
    verdict = "INCONCLUSIVE"
    if stop in (at_refute, at_support):
        verdict = "REFUTED" if at_refute <= at_support else "SUPPORTED"
    done = verdict != "INCONCLUSIVE" or x.size >= levels.budget
    return Decision(
        verdict,
        stop + 1,
        float(total[stop]),
        _exp(favour[stop]),
        _exp(refute[stop]),
        limits(float(total[stop]), stop + 1, levels.support),
        done,
        e_path(stop + 1, **({"support": (favour, least)} if support else {}), refute=(refute, most)),
    )


def decide_invariant(count: np.ndarray, effort: int) -> Decision:
    """One violation in any replicate refutes; otherwise none was found, final once `effort` replicates were run."""
    n = len(count)
    bad = np.flatnonzero(np.asarray(count) > 0)
    if bad.size:
        return Decision("REFUTED", n, float(bad.size), 0.0, math.inf, None, True)
    return Decision("NO VIOLATION FOUND", n, 0.0, 0.0, 0.0, None, n >= effort)
