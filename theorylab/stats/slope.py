"""Exponents of growth: slopes of log mean on log size over a sweep.

A sweep has m increasing sizes T_1 < ... < T_m (T, K, S, A, H or 1/eps), best a doubling grid, with *independent runs,
on the theorem's own instance, at each size*. With y_j = log mean_j, x_j = log T_j:

    s_j = max(se_j / mean_j, floor)      floor 0.01: model error, so that no size outweighs the rest by its precision
    w_j = 1/s_j^2,   b = sum w (x - xbar) y / sum w (x - xbar)^2,   se(b) = 1/sqrt(sum w (x - xbar)^2)

xbar the weighted mean. With equal coefficients of variation cv = sd/mean on a doubling grid and R replicates a size,
se = cv / (ln 2 sqrt(R m (m^2-1)/12)). se(b) is the delta method for log mean; `bootstrap` resamples instead, with the
weights held fixed. Limits are one-sided: each is on the wrong side with probability about alpha (asymptotic in R).

`stable_from` is the rule, declared beforehand, for which sizes are dropped before a slope is read.
Source: weighted least squares and percentile bootstrap are standard (Efron and Tibshirani 1993) [recalled]; the se of a
doubling grid and the rule of stability [derived].
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from theorylab.errors import InputError
from theorylab.stats._inputs import FloatArray, count, finite_array, inside_unit

__all__ = ["Local", "Slope", "bootstrap", "curvature", "from_samples", "local", "stable_from", "weighted"]

Samples = ArrayLike | Sequence[ArrayLike]

_BLOCK = 1 << 22  # entries resampled at a time: 32 MB


@dataclass(frozen=True)
class Slope:
    """A fitted power: log mean = intercept + value * log T, with the standard error of `value`."""

    value: float
    se: float
    intercept: float

    def limits(self, alpha: float) -> tuple[float, float]:
        """(lower, upper) normal limits of the slope, each at level alpha."""
        reach = float(-special.ndtri(inside_unit("alpha", alpha))) * self.se
        return self.value - reach, self.value + reach


@dataclass(frozen=True)
class Local:
    """Slopes between neighbours of the grid, each of shape (m-1,): value, standard error, limits."""

    value: FloatArray
    se: FloatArray
    low: FloatArray
    high: FloatArray


def sizes(T: ArrayLike, least: int = 2) -> FloatArray:
    """T as a float (m,) array of positive increasing sizes, m >= least; else InputError naming the entry."""
    t = finite_array("T", T)
    if t.ndim != 1 or t.size < least:
        raise InputError(f"T has shape {t.shape}; give at least {least} sizes, shape (m,): a growth needs a sweep")
    if t[0] <= 0.0:
        raise InputError(f"T[0]={float(t[0])!r} is not positive; give sizes above 0")
    flat = np.flatnonzero(np.diff(t) <= 0.0)
    if flat.size:
        i = int(flat[0]) + 1
        raise InputError(f"T[{i}]={float(t[i])!r} is not larger than T[{i - 1}]={float(t[i - 1])!r}; sort the sizes")
    return t


def one_each(name: str, values: ArrayLike, m: int, positive: bool) -> FloatArray:
    v = finite_array(name, values)
    if v.shape != (m,):
        raise InputError(f"{name} has shape {v.shape} and T has {m} sizes; give one entry for each size")
    bad = np.flatnonzero(v <= 0.0 if positive else v < 0.0)
    if bad.size:
        i = int(bad[0])
        need = "positive: its logarithm is taken; drop that size, or run more replicates" if positive else "at least 0"
        raise InputError(f"{name}[{i}]={float(v[i])!r} must be {need}")
    return v


def summary(T: ArrayLike, mean: ArrayLike, se: ArrayLike, least: int = 2) -> tuple[FloatArray, FloatArray, FloatArray]:
    """(T, mean, se) as checked (m,) arrays: T as `sizes`, mean > 0, se >= 0; else InputError naming the entry."""
    t = sizes(T, least)
    return t, one_each("mean", mean, t.size, True), one_each("se", se, t.size, False)


def rows_of(samples: Samples) -> list[FloatArray]:
    """One checked array of replicates per size."""
    rows = [finite_array(f"samples[{j}]", row) for j, row in enumerate(samples)]  # type: ignore[arg-type]
    for j, row in enumerate(rows):
        if row.ndim != 1 or row.size < 2:
            raise InputError(f"samples[{j}] has shape {row.shape}; give at least 2 replicates of each size, shape (R,)")
    return rows


def from_samples(samples: Samples) -> tuple[FloatArray, FloatArray]:
    """(mean, se), each of shape (m,), of m arrays of replicates: (m, R), or a list of (R_j,) with R_j >= 2.

    se_j = sd_j / sqrt(R_j), sd with R_j - 1. InputError for NaN or fewer than 2 replicates, naming the size.
    """
    rows = rows_of(samples)
    mean = np.array([row.mean() for row in rows])
    return mean, np.array([row.std(ddof=1) / np.sqrt(row.size) for row in rows])


def relative(mean: FloatArray, se: FloatArray, floor: float) -> FloatArray:
    """s_j: relative standard errors, at least `floor` > 0."""
    least = float(finite_array("floor", floor))
    if least <= 0.0:
        raise InputError(f"floor={floor!r} is not positive; give the relative model error, such as 0.01")
    return np.maximum(se / mean, least)


def _coefficients(t: FloatArray, s: FloatArray) -> tuple[FloatArray, float, float]:
    """(coefficients of the slope as a linear form in log mean, its standard error, weighted mean of log T)."""
    w, x = s**-2.0, np.log(t)
    centre = float(w @ x / w.sum())
    spread = float(w @ (x - centre) ** 2)
    return w * (x - centre) / spread, spread**-0.5, centre


def weighted(T: ArrayLike, mean: ArrayLike, se: ArrayLike, *, floor: float = 0.01) -> Slope:
    """Weighted least-squares slope of log mean on log T.

    Args: T sizes, mean > 0 and se >= 0 of the mean, each of shape (m,), m >= 2, sizes independent of each other.
        floor: least relative standard error of a size.
    Raises: InputError for one size only, sizes that do not increase, a mean <= 0, NaN, or lengths that differ.
    """
    t, mu, err = summary(T, mean, se)
    s = relative(mu, err, floor)
    coefficients, error, centre = _coefficients(t, s)
    value, w = float(coefficients @ np.log(mu)), s**-2.0
    return Slope(value, error, float(w @ np.log(mu) / w.sum()) - value * centre)


def curvature(T: ArrayLike, mean: ArrayLike, se: ArrayLike, *, floor: float = 0.01) -> tuple[float, float]:
    """(value, standard error) of k in log mean = a + b log T + k (log T)^2, weighted as `weighted`; m >= 3.

    k < 0: the exponent falls along the sweep, as it does while lower-order terms die out. InputError as `weighted`.
    """
    t, mu, err = summary(T, mean, se, 3)
    s, x = relative(mu, err, floor), np.log(t)
    x = (x - x.mean()) / np.ptp(x)  # conditioning; undone in the square below
    line = np.stack([np.ones_like(x), x], axis=1) / s[:, None]
    rest = x**2 / s - line @ np.linalg.lstsq(line, x**2 / s, rcond=None)[0]  # what a line does not explain
    power = float(rest @ rest)
    scale = float(np.log(t[-1] / t[0])) ** 2
    return float(rest @ (np.log(mu) / s)) / power / scale, power**-0.5 / scale


def local(T: ArrayLike, mean: ArrayLike, se: ArrayLike, *, alpha: float = 0.05, floor: float = 0.01) -> Local:
    """Local slopes log(mean_{j+1}/mean_j) / log(T_{j+1}/T_j), with normal limits at level alpha each. As `weighted`."""
    t, mu, err = summary(T, mean, se)
    steps, variance = np.diff(np.log(t)), relative(mu, err, floor) ** 2.0
    value, error = np.diff(np.log(mu)) / steps, np.sqrt(variance[1:] + variance[:-1]) / steps
    reach = float(-special.ndtri(inside_unit("alpha", alpha))) * error
    return Local(value, error, value - reach, value + reach)


def stable_from(T: ArrayLike, mean: ArrayLike, se: ArrayLike, *, floor: float = 0.01) -> int | None:
    """Index of the first size that is kept: the local slopes have stabilised there. None if they never do.

    The rule: the first j at which two consecutive differences of local slopes, b_{j+1} - b_j and b_{j+2} - b_{j+1}, are
    within 2 of their standard errors (neighbours share a size, which the error takes into account). It needs 4 sizes
    from j on, so m >= 4. InputError as `weighted`.
    """
    t, mu, err = summary(T, mean, se, 4)
    inverse, variance = 1.0 / np.diff(np.log(t)), relative(mu, err, floor) ** 2.0
    change = np.diff(np.diff(np.log(mu)) * inverse)
    a, b = inverse[:-1], inverse[1:]
    error = np.sqrt(variance[:-2] * a**2 + variance[1:-1] * (a + b) ** 2 + variance[2:] * b**2)
    calm = np.abs(change) <= 2.0 * error
    both = np.flatnonzero(calm[:-1] & calm[1:])
    return int(both[0]) if both.size else None


def bootstrap(
    T: ArrayLike,
    samples: Samples,
    *,
    shared: bool = False,
    draws: int = 2000,
    alpha: float = 0.05,
    floor: float = 0.01,
    seed: int = 0,
) -> tuple[float, float]:
    """(lower, upper) percentile bootstrap limits of `weighted`'s slope, each at level alpha.

    Replicates are resampled within each size, independently of the other sizes; with `shared`, replicate r at every
    size is a point of one curve, and whole curves are resampled. The weights stay those of the data.

    Args: T (m,); samples (m, R), or m arrays (R_j,), of one length if `shared`; draws >= 100; seed of the draws.
    Raises: InputError as `weighted` and `from_samples`; if curves are shared but lengths differ; if a resampled mean is
        not positive.
    """
    rows, level, number = rows_of(samples), inside_unit("alpha", alpha), count("draws", draws, 100)
    mean, se = from_samples(rows)
    t, mean, se = summary(T, mean, se)
    coefficients, _, _ = _coefficients(t, relative(mean, se, floor))
    lengths = [row.size for row in rows]
    if shared and len(set(lengths)) > 1:
        raise InputError(f"shared curves have {lengths} replicates at the sizes; give every curve at every size")
    rng = np.random.Generator(np.random.Philox(key=seed))
    slopes = np.empty(number)
    block = max(1, _BLOCK // max(lengths))
    for start in range(0, number, block):
        stop = min(start + block, number)
        pick = rng.integers(lengths[0], size=(stop - start, lengths[0]))
        means = np.empty((stop - start, t.size))
        for j, row in enumerate(rows):
            if j and not shared:
                pick = rng.integers(row.size, size=(stop - start, row.size))
            means[:, j] = row[pick].mean(axis=1)
        if (means <= 0.0).any():
            j = int(np.argwhere(means <= 0.0)[0, 1])
            raise InputError(f"samples[{j}]: a resampled mean is not positive; run more replicates at T={t[j]:g}")
        slopes[start:stop] = np.log(means) @ coefficients
    low, high = np.quantile(slopes, [level, 1.0 - level])
    return float(low), float(high)
