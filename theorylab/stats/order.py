"""Orders of growth: which orders fit a sweep, and whether a claimed order is consistent with it.

A sweep gives mean regret at m sizes T_1 < ... < T_m from independent runs, on the theorem's own instance, at each
(`slope`). Selection works: `compare` fits c g and c0 + c g by least squares weighted with s_j = max(se_j, floor mean_j)
and ranks the orders g by chi-square. Testing does not: with enough replicates every order is rejected, the true one
too, since lower-order terms and rounding are real. Hence the words of `growth`, on the range [T1, T2] of stable sizes:

    VACUOUS       burn-in: mean regret is at least half of trivial at a size of the upper half of the sweep, or the
                  slope there is not shown to differ from uniform play's by more than eta
    CONSISTENT    the upper limit of the slope of log(Reg/g) over the stable range is <= eta, and its lower limit on
                  the upper half is too
    INCONSISTENT  its lower limit exceeds eta on the upper half, and c0 + c g is rejected with the 1 % floor, and the
                  slope does not fall along the range (curvature above -2 se), and the theorem's regime holds on it all
    INCONCLUSIVE  otherwise; also if local slopes never stabilise

in this order. A growth claim is never refuted: a sweep says nothing about sizes beyond it. `exact` (Theta) asks for
both directions: the slope of log(Reg/g) within [-eta, eta], INCONSISTENT also where it falls below -eta.

Why the slope must not fall: UCB1 with the constant of its theorem has regret of order log T, and at T up to 65,536 both
the slope on the upper half and the affine fit speak against that at 200 replicates; what gives it away is that the
excess shrinks with T. (Below -eta, mirrored: the slope must not rise.)

Where g falls along the sweep, as the 1/sqrt T of a solver's exploitability, a constant c0 > 0 is no lower-order term
but the failure itself: the fit that INCONSISTENT must reject is then c g alone.

Errors. A slope that is above eta on the range is called CONSISTENT with probability about alpha (asymptotic in R, and
for the range chosen by `slope.stable_from`; rates are measured in the tests). INCONSISTENT needs two one-sided tests,
each at level about alpha, so it is said with probability at most about alpha if either the slope of the ratio is at
most eta or c0 + c g is true within the floor. An order's difference in slope below eta cannot be seen.
Source: rules of this package [derived]; measured operating characteristics in docs/theory/growth-and-means.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from theorylab.errors import InputError, nearest
from theorylab.stats import slope
from theorylab.stats._inputs import FloatArray, finite_array, inside_unit

__all__ = ["ORDERS", "Fit", "Fits", "GrowthDecision", "compare", "growth", "linear_regret"]

Order = str | Callable[[FloatArray], ArrayLike] | ArrayLike
Word = Literal["CONSISTENT", "INCONSISTENT", "INCONCLUSIVE", "VACUOUS"]

ORDERS: Mapping[str, Callable[[FloatArray], FloatArray]] = {
    "log T": lambda t: np.asarray(np.log(t)),
    "sqrt T": lambda t: np.asarray(np.sqrt(t)),
    "sqrt(T log T)": lambda t: np.asarray(np.sqrt(t * np.log(t))),
    "T^(2/3)": lambda t: np.asarray(t ** (2.0 / 3.0)),
    "T": lambda t: t,
}

APART = 9.0  # difference of chi-squares from which two orders are told apart
LINEAR = 0.9  # slope from which regret counts as linear


@dataclass(frozen=True)
class Fit:
    """Least-squares fit c0 + c g of one order (c0 = 0 if pure), c >= 0: chi-square and its p-value."""

    name: str
    c0: float
    c: float
    chi2: float
    p: float


@dataclass(frozen=True)
class Fits:
    """Fits of all candidates. `kept`: not rejected; `best`: least chi-square; `apart`: those it is told apart from."""

    fits: tuple[Fit, ...]
    best: str
    kept: tuple[str, ...]
    apart: tuple[str, ...]


@dataclass(frozen=True)
class GrowthDecision:
    """What a sweep says about an order: a word, the range it speaks of, and the numbers behind it.

    slope, low, high: slope of log(Reg/g) over the range, with its limits at level alpha each; half_*: the same on the
    upper half. affine_p: p-value of c0 + c g (c g, where g falls) over the range. local: local slopes of log Reg
    between the range's sizes. kept, best: of `compare` with c0 + c g over the range. stable: whether the range is
    stable, else it is the sweep.
    """

    verdict: Word
    T1: float
    T2: float
    slope: float
    low: float
    high: float
    half_slope: float
    half_low: float
    half_high: float
    affine_p: float
    local: tuple[float, ...]
    kept: tuple[str, ...]
    best: str
    stable: bool
    reason: str

    def __str__(self) -> str:
        return f"{self.verdict} ON [{self.T1:g}, {self.T2:g}]: {self.reason}"


def _values(name: str, g: Order, t: FloatArray, positive: bool = False) -> FloatArray:
    """An order at the sizes: at least 0 (log T at T = 1), or positive; one value each."""
    if isinstance(g, str):
        if g not in ORDERS:
            raise InputError(f"order '{g}' is unknown{nearest(g, ORDERS)}; or give a function of T, or its values")
        g = ORDERS[g]
    v = finite_array(f"order {name}", g(t) if callable(g) else g)
    if v.shape != t.shape:
        raise InputError(f"order {name} has shape {v.shape} and T has {t.size} sizes; give one value for each size")
    bad = np.flatnonzero(v <= 0.0 if positive else v < 0.0)
    if bad.size:
        i, need = int(bad[0]), "positive" if positive else "at least 0"
        raise InputError(
            f"order {name} is {float(v[i])!r} at T[{i}]={float(t[i]):g}; it must be {need}: drop that size"
        )
    return v


def _fit(name: str, g: FloatArray, mean: FloatArray, s: FloatArray, affine: bool) -> Fit:
    w, scale = s**-2.0, float(g[-1])
    x = g / scale
    x_bar, y_bar = (float(w @ x / w.sum()), float(w @ mean / w.sum())) if affine else (0.0, 0.0)
    spread = float(w @ (x - x_bar) ** 2)
    # c < 0 would be no growth at all: the fit is then the constant
    c = max(float(w @ ((x - x_bar) * (mean - y_bar))) / spread, 0.0) if spread > 0.0 else 0.0
    c0 = y_bar - c * x_bar
    chi2 = float(w @ (mean - c0 - c * x) ** 2)
    freedom = mean.size - (2 if affine else 1)
    return Fit(name, c0, c / scale, chi2, float(special.gammaincc(freedom / 2.0, chi2 / 2.0)))


def compare(
    T: ArrayLike,
    mean: ArrayLike,
    se: ArrayLike,
    candidates: Mapping[str, Order] | None = None,
    *,
    affine: bool = True,
    level: float = 0.05,
    floor: float = 0.01,
) -> Fits:
    """Fit every candidate order to mean regret over a sweep and rank them.

    Args:
        T, mean, se: (m,), m >= 3, as `slope.weighted` (independent sizes, mean in reward units).
        candidates: name -> function of T, or its (m,) values (default `ORDERS`). affine: fit c0 + c g, else c g.
        level: fits with p-value below it are not `kept`. floor: least relative standard error of a size.
    Raises: InputError as `slope.weighted`; for an order that is negative at a size; for no candidates.
    The p-value is of the chi-square law with m - 2 (pure: m - 1) degrees of freedom. Cost O(m) a candidate.
    """
    t, mu, err = slope.summary(T, mean, se, 3)
    at, s = inside_unit("level", level), mu * slope.relative(mu, err, floor)
    orders = ORDERS if candidates is None else candidates
    if not orders:
        raise InputError("candidates is empty; give at least one order of growth")
    fits = tuple(_fit(name, _values(name, g, t), mu, s, affine) for name, g in orders.items())
    best = min(fits, key=lambda f: f.chi2)
    kept = tuple(f.name for f in fits if f.p >= at)
    return Fits(fits, best.name, kept, tuple(f.name for f in fits if f.chi2 - best.chi2 >= APART))


def linear_regret(T: ArrayLike, curves: ArrayLike) -> bool:
    """Whether regret is linear at the end: over the last factor 4 of T the slope is above 0.9 in all replicates.

    Args: T (m,) sizes with T[-1] >= 4 T[0]; curves (R, m), regret >= 0 of each replicate at the sizes. Compared are
        T[-1] and the largest size at or below T[-1]/4. A replicate without regret at the end is not linear.
    Raises: InputError for a grid that is too short, shapes that differ, or negative regret (use the sum of gaps).
    """
    t, c = slope.sizes(T), finite_array("curves", curves)
    if c.ndim != 2 or c.shape[1] != t.size or not c.shape[0]:
        raise InputError(f"curves has shape {c.shape} and T has {t.size} sizes; give (R, {t.size}) with R >= 1")
    if (c < 0.0).any():
        r, j = (int(i) for i in np.argwhere(c < 0.0)[0])
        raise InputError(f"curves[{r},{j}]={float(c[r, j])!r} is negative; give pseudo-regret, a sum of gaps")
    early = np.flatnonzero(t <= t[-1] / 4.0)
    if not early.size:
        raise InputError(f"T runs from {t[0]:g} to {t[-1]:g}; the detector needs a factor of at least 4")
    k = int(early[-1])
    return bool(np.all(c[:, -1] > c[:, k] * (t[-1] / t[k]) ** LINEAR))


def _limits(
    t: FloatArray,
    mean: FloatArray,
    se: FloatArray,
    samples: list[FloatArray] | None,
    alpha: float,
    floor: float,
    seed: int,
) -> tuple[float, float, float]:
    """(slope, lower, upper): the wider of the normal limits, which carry the floor, and the bootstrap's, which skew."""
    line = slope.weighted(t, mean, se, floor=floor)
    low, high = line.limits(alpha)
    if samples is not None:
        b_low, b_high = slope.bootstrap(t, samples, alpha=alpha, floor=floor, seed=seed)
        low, high = min(low, b_low), max(high, b_high)
    return line.value, low, high


def growth(
    T: ArrayLike,
    data: slope.Samples | tuple[ArrayLike, ArrayLike],
    g: Order,
    *,
    eta: float = 0.03,
    alpha: float = 0.05,
    exact: bool = False,
    trivial: ArrayLike | None = None,
    uniform: ArrayLike | None = None,
    regime: ArrayLike | None = None,
    floor: float = 0.01,
    seed: int = 0,
) -> GrowthDecision:
    """Whether regret over a sweep grows no faster than g: the rules of the module docstring.

    Args:
        T: (m,) increasing sizes, m >= 4 (8 to decide: power.n_slope plans them).
        data: replicates at each size, (m, R) or m arrays (R_j,), independent between sizes; or the pair (mean, se) as
            a tuple, each (m,). With replicates the limits also cover the percentile bootstrap's (draws from `seed`).
        g: the claimed order: a name of `ORDERS`, a function of T, or its (m,) values.
        eta: margin of the exponent. alpha: level of each limit, and of the rejection of the affine fit.
        exact: the claim is Theta(g), not O(g).
        trivial: (m,) what any learner satisfies. uniform: (m,) mean regret of uniform play on the same instances.
        regime: (m,) truth values, whether the theorem's regime holds at a size; None: at all sizes.
    Raises: InputError as `slope.weighted`, `slope.from_samples` and `compare`; for eta <= 0; for shapes that differ.
    """
    rows: list[FloatArray] | None = None
    if isinstance(data, tuple) and len(data) == 2:
        mean, se = data
    else:
        rows = slope.rows_of(data)
        mean, se = slope.from_samples(rows)
    t, mu, err = slope.summary(T, mean, se, 4)
    level, margin = inside_unit("alpha", alpha), float(finite_array("eta", eta))
    if margin <= 0.0:
        raise InputError(f"eta={eta!r} is not positive; give the margin of the exponent, such as 0.03")
    order = _values("g", g, t, positive=True)
    holds = np.ones(t.size, dtype=bool) if regime is None else np.asarray(regime)
    if holds.shape != t.shape or holds.dtype != np.bool_:
        raise InputError(f"regime has shape {holds.shape}, type {holds.dtype}; give one truth value for each of T")

    def ratio_slope(start: int, by: FloatArray) -> tuple[float, float, float]:
        part = None if rows is None else [row / b for row, b in zip(rows[start:], by[start:], strict=True)]
        q = slice(start, None)
        return _limits(t[q], mu[q] / by[q], err[q] / by[q], part, level, floor, seed)

    start = slope.stable_from(t, mu / order, err / order, floor=floor)
    first, upper = start or 0, t.size // 2
    q = slice(first, None)
    value, low, high = ratio_slope(first, order)
    half, half_low, half_high = ratio_slope(max(first, upper), order)
    rising = bool(order[-1] >= order[first])
    (affine,) = compare(t[q], mu[q], err[q], {"g": order[q]}, affine=rising, floor=floor).fits
    fit = "c0 + c g" if rising else "c g"
    ranked = compare(t[q], mu[q], err[q], floor=floor)

    def decided(verdict: Word, reason: str) -> GrowthDecision:
        steps = tuple(float(b) for b in slope.local(t[q], mu[q], err[q], floor=floor).value)
        numbers = (value, low, high, half, half_low, half_high, affine.p, steps, ranked.kept, ranked.best)
        return GrowthDecision(verdict, float(t[first]), float(t[-1]), *numbers, start is not None, reason)

    if trivial is not None:
        most = slope.one_each("trivial", trivial, t.size, True)
        burning = upper + np.flatnonzero(mu[upper:] >= most[upper:] / 2.0)
        if burning.size:
            j = int(burning[-1])
            share = mu[j] / most[j]
            return decided("VACUOUS", f"burn-in: the mean is {share:.2f} of the trivial bound at T={t[j]:g}")
    if uniform is not None:
        _, u_low, u_high = ratio_slope(upper, slope.one_each("uniform", uniform, t.size, True))
        if u_low <= margin and u_high >= -margin:
            return decided(
                "VACUOUS", f"slope minus uniform play's is in [{u_low:.3f}, {u_high:.3f}], within {margin:g}"
            )
    if start is None:
        return decided("INCONCLUSIVE", "local slopes do not stabilise on the sweep")
    above, below = half_low > margin, exact and half_high < -margin
    if high <= margin and not above and (not exact or low >= -margin) and not below:
        return decided("CONSISTENT", f"slope of log(Reg/g) in [{low:.3f}, {high:.3f}], margin {margin:g}")
    if not (above or below):
        return decided("INCONCLUSIVE", f"slope of log(Reg/g) in [{low:.3f}, {high:.3f}] over the range, in "
                       f"[{half_low:.3f}, {half_high:.3f}] on its upper half, margin {margin:g}")  # fmt: skip
    off = f"slope of log(Reg/g) in [{half_low:.3f}, {half_high:.3f}] on the upper half, margin {margin:g}"
    if affine.p >= level:
        return decided("INCONCLUSIVE", f"{off}, but {fit} fits (p = {affine.p:.2g})")
    k, k_se = slope.curvature(t[q], mu[q] / order[q], err[q] / order[q], floor=floor)
    if (k if above else -k) < -2.0 * k_se:
        return decided("INCONCLUSIVE", f"{off}, but it still moves towards 0: curvature {k:.3g}, se {k_se:.1g}")
    if not holds[q].all():
        j = first + int(np.flatnonzero(~holds[q])[0])
        return decided("INCONCLUSIVE", f"{off}, but T={t[j]:g} is outside the theorem's regime")
    return decided("INCONSISTENT", f"{off}, and {fit} is rejected (p = {affine.p:.2g})")
