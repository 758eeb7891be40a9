"""How many replicates before a test can decide, and what it will then say: planning before a long run.

    n_support_power, n_refute_power    fixed n, exact binomial: replicates that have the wanted power at a true rate
    sequential                         the e-processes of `bernoulli` with a budget: exact law of verdict and length
    slope_se, n_slope                  slopes of log regret over a sweep of m sizes

`n_support` and `zero_violation_stop` of `theorylab.stats.bernoulli` belong to the same family. Nothing here simulates.

The power of an exact binomial test is a saw in n: one more replicate at the same critical count makes supporting
harder, one more count makes refuting harder. Planned is the least n from which on every n has the power.
Source: STATISTICS sections 2.1, 2.2, 4.1, 4.2; the recursion over counts [derived].
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from theorylab.errors import InputError
from theorylab.stats._inputs import FloatArray, count, inside_unit
from theorylab.stats.bernoulli import boundary

__all__ = ["Operating", "n_refute_power", "n_slope", "n_support_power", "sequential", "slope_se"]

IntArray = NDArray[np.int64]

_MOST = 10**6  # replicates beyond which a plan at fixed n is refused
_GONE = 1e-17  # probability below which no more counts are followed


# fixed n, exact binomial


def _at_most(c: IntArray, n: IntArray, p: float) -> FloatArray:
    """P(Bin(n,p) <= c) for c >= 0."""
    inside = np.asarray(special.betaincc(c + 1.0, np.maximum(n - c, 1), p))
    return np.where(c >= n, 1.0, inside)


def _at_least(c: IntArray, n: IntArray, p: float) -> FloatArray:
    """P(Bin(n,p) >= c) for c >= 1."""
    inside = np.asarray(special.betainc(np.asarray(c, dtype=float), np.maximum(n - c + 1, 1), p))
    return np.where(c > n, 0.0, inside)


def _first(holds: Callable[[IntArray], NDArray[np.bool_]], below: IntArray) -> IntArray:
    """Entry by entry the least n > below with holds(n), where holds stays true once true and is false at below."""
    low, high = below, 2 * below + 1
    while not (enough := holds(high)).all():
        low, high = np.where(enough, low, high), np.where(enough, high, 2 * high)
    while (high - low > 1).any():
        mid = (low + high) // 2
        hit = holds(mid)
        low, high = np.where(hit, low, mid), np.where(hit, mid, high)
    return high


def _last_dip(power_at: Callable[[IntArray], FloatArray], power: float) -> int:
    """The last critical count whose power dips below `power`; -1 if none.

    `power_at(c)` gives the lowest point of each tooth of the saw. Teeth are followed until one misses the
    certainty by less than a quarter of 1 - power behind the last dip; from there on the distance only grows.
    """
    last, first, size = -1, 0, 64
    while True:
        c = np.arange(first, first + size, dtype=np.int64)
        lowest = power_at(c)
        dips = np.flatnonzero(lowest < power)
        last = first + int(dips[-1]) if dips.size else last
        behind = lowest[max(0, last + 1 - first) :]
        if behind.size and behind.max() >= 1.0 - 0.25 * (1.0 - power):
            return last
        first, size = first + size, 2 * size


def _rates(delta: Any, alpha: Any, rate: Any, power: Any, above: bool) -> tuple[float, float, float, float]:
    d, al, beta = inside_unit("delta", delta), inside_unit("alpha", alpha), inside_unit("power", power)
    p = _rate(rate)
    if (p <= d) if above else (p >= d):
        side, other = ("above", "refuted") if above else ("below", "supported")
        raise InputError(f"rate={p:g} must lie {side} delta={d:g}: at another rate the claim is not to be {other}")
    z = -special.ndtri(al) * math.sqrt(d * (1.0 - d)) + special.ndtri(beta) * math.sqrt(p * (1.0 - p))
    if (z / (p - d)) ** 2 > _MOST:
        raise InputError(
            f"rate={p:g} is too close to delta={d:g}: about {(z / (p - d)) ** 2:.3g} replicates, more than {_MOST}; a "
            "claim whose rate is so close stays open"
        )
    return d, al, p, beta


def _rate(rate: Any) -> float:
    p = float(rate)
    if not 0.0 <= p <= 1.0:
        raise InputError(f"rate={p!r} is outside [0, 1]; give the true probability of a violation")
    return p


def n_support_power(delta: float, alpha: float, rate: float, power: float = 0.9) -> int:
    """Least n from which on the exact fixed-n test supports with probability >= power, at a true rate < delta.

    The test supports where clopper_pearson_upper(x, n, alpha) <= delta. Raises InputError for levels outside (0, 1), a
    rate not below delta, or a rate so close that more than about 1e6 replicates are needed.
    """
    d, al, p, beta = _rates(delta, alpha, rate, power, above=False)

    def needed(c: IntArray) -> IntArray:
        return _first(lambda n: _at_most(c, n, d) <= al, c)

    def lowest(c: IntArray) -> FloatArray:
        return _at_most(c, needed(c + 1) - 1, p)  # at the last n with critical count c

    last = _last_dip(lowest, beta)
    return int(needed(np.array([last + 1]))[0])


def n_refute_power(delta: float, alpha: float, rate: float, power: float = 0.9) -> int:
    """Least n from which on the exact fixed-n test refutes with probability >= power, at a true rate > delta.

    The test refutes where P(Bin(n, delta) >= x) <= alpha. As `n_support_power`.
    """
    d, al, p, beta = _rates(delta, alpha, rate, power, above=True)

    def too_many(c: IntArray) -> IntArray:
        return _first(lambda n: _at_least(c, n, d) > al, c - 1)  # the least n at which c does not refute any more

    def lowest(c: IntArray) -> FloatArray:
        n = np.where(c > 0, too_many(np.maximum(c, 1)), 1)  # the first n at which c + 1 violations are needed
        return _at_least(c + 1, n, p)

    critical = np.array([_last_dip(lowest, beta) + 1])
    if critical[0] == 0:
        return 1
    return int(_first(lambda n: _at_least(critical, n, p) >= beta, critical - 1)[0])


# sequential


@dataclass(frozen=True)
class Operating:
    """What the sequential test does at a true rate, exactly.

    Attributes:
        rate: the true rate. supported, refuted, inconclusive: probabilities of the verdicts within the budget.
        mean: expected number of replicates; ninety: number that suffices with probability 0.9 (the budget where
            the test stays open more often than that).
    """

    rate: float
    supported: float
    refuted: float
    inconclusive: float
    mean: float
    ninety: int


def _scan(inflow: FloatArray, stay: float) -> FloatArray:
    """y[n] = inflow[n] + stay y[n-1], by doubling: y gathers 1, 2, 4, ... terms; sums of nonnegative numbers only."""
    y, k, factor = inflow, 1, stay
    while k < y.size and factor > 0.0:
        longer = y.copy()
        longer[k:] += factor * y[:-k]
        y, k, factor = longer, 2 * k, factor * factor
    return y


@lru_cache(maxsize=4096)
def _sequential(delta: float, rate: float, alpha_refute: float, alpha_support: float, budget: int) -> Operating:
    hi, lo = boundary(delta, alpha_refute, budget, alpha_support=alpha_support)
    supported, refuted = np.zeros(budget + 1), np.zeros(budget + 1)
    inflow, first, open_ = np.array([1.0]), 0, 0.0  # arrivals at count x at n = first, first + 1, ...
    x = 0
    while True:
        # count x is open for n from `start` (before it x refutes) to `end` (there x supports): both tables increase
        start, end = int(np.searchsorted(hi, x, side="right")), int(np.searchsorted(lo, x, side="left"))
        early = max(0, min(start - first, inflow.size))
        refuted[first : first + early] += inflow[:early]
        inflow, first = inflow[early:], first + early
        stop = min(end, budget + 1)
        late = max(0, stop - first)
        supported[first + late : first + inflow.size] += inflow[late:]
        if not inflow.size or not late or inflow.sum() < _GONE:
            break
        arrivals = np.zeros(stop - first)
        arrivals[: min(inflow.size, late)] = inflow[:late]
        law = _scan(arrivals, 1.0 - rate)
        if end <= budget:
            supported[end] += (1.0 - rate) * law[-1]
        else:
            open_ += law[-1]
        inflow, first, x = rate * law[: budget - first], first + 1, x + 1
    stops = supported + refuted
    stops[budget] += open_
    n = np.arange(budget + 1)
    reached = np.flatnonzero(np.cumsum(stops) >= 0.9 - 1e-12)
    return Operating(
        rate, float(supported.sum()), float(refuted.sum()), float(open_), float(n @ stops), int(reached[0])
    )


def sequential(delta: float, rate: float, alpha_refute: float, alpha_support: float, budget: int) -> Operating:
    """Exact operating characteristics of the e-process test of a rate at most delta, at a true violation rate.

    Follows the law of the count x over n through the stopping tables of `boundary`, one count at a time; no
    simulation. For real observations in [0, 1] of the same mean the evidence grows as fast on average and varies less.
    Args: delta in (0, 1); rate in [0, 1]; levels in (0, 1); budget: most replicates, 1 to 1e7. Rounding error below
    1e-12 plus 1e-17 a count. Cost O(open cells (n, x) log n): 5 ms at delta = 0.05 and a budget of 8,192, away from it.
    Raises InputError for entries outside these sets.
    """
    d, p = inside_unit("delta", delta), _rate(rate)
    a_r, a_s = inside_unit("alpha_refute", alpha_refute), inside_unit("alpha_support", alpha_support)
    return _sequential(d, p, a_r, a_s, count("budget", budget, 1))


# slopes


def slope_se(cv: float, R: int, m: int, *, ratio: float = 2.0) -> float:
    """Standard error of the slope of log mean against log size: cv / (ln ratio sqrt(R m (m^2-1) / 12)).

    Args: cv, coefficient of variation of a replicate, the same at each size; R replicates at each of m >= 2 sizes on
    a geometric grid of this ratio (2: doublings). Raises InputError for a cv that is not positive, or counts too small.
    """
    return _cv(cv) / (math.sqrt(count("R", R, 1)) * _spread(m, ratio))


def n_slope(cv: float, m: int, diff: float, *, alpha: float = 0.05, power: float = 0.9, ratio: float = 2.0) -> int:
    """Replicates at each of m sizes to tell slopes that differ by `diff` apart: one-sided level alpha, this power.

    R = ((z_alpha + z_power) cv / (ln ratio sqrt(m (m^2-1) / 12) diff))^2, rounded up; normal approximation of the
    slope. Raises InputError as `slope_se`, for diff not positive or levels outside (0, 1).
    """
    if not diff > 0.0:
        raise InputError(f"diff={diff!r} must be positive: the difference of the slopes to be seen")
    z = float(-special.ndtri(inside_unit("alpha", alpha)) + special.ndtri(inside_unit("power", power)))
    if z <= 0.0:
        raise InputError(f"alpha={alpha:g} and power={power:g}: the level is above 1 - power; nothing needs planning")
    return max(1, math.ceil((z * _cv(cv) / (_spread(m, ratio) * diff)) ** 2))


def _cv(cv: float) -> float:
    if not (cv > 0.0 and math.isfinite(cv)):
        raise InputError(f"cv={cv!r} must be positive and finite: standard deviation over mean of one replicate")
    return float(cv)


def _spread(m: int, ratio: float) -> float:
    """Root of the sum of squares of m log sizes around their mean."""
    if not (ratio > 1.0 and math.isfinite(ratio)):
        raise InputError(f"ratio={ratio!r} must be above 1: the factor between neighbouring sizes")
    points = count("m", m, 2)
    return math.log(ratio) * math.sqrt(points * (points**2 - 1) / 12.0)
