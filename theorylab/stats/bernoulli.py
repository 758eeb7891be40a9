"""Verdicts on a violation rate: truncated-beta e-processes, exact binomial limits, planning.

Each replicate yields X_i in [0,1] (a violation indicator, or a bounded loss divided by its proved range); x = sum of
the first n. Jeffreys prior a = b = 1/2 on the alternative q, truncated to q > delta (refute) or q < delta (support):

    log E_refute(x,n)  = betaln(a+x, b+n-x) + log Ibar_delta(a+x, b+n-x) - betaln(a,b) - log Ibar_delta(a,b)
                         - x log delta - (n-x) log(1-delta)                       H0: mean <= delta   (Ibar = 1 - I)
    log E_support(x,n) = the same with I_delta in place of Ibar_delta             H0: mean >= delta

Validity. For a fixed q one observation multiplies by F_q(X) = (q/delta)^X ((1-q)/(1-delta))^(1-X), the exponential of a
linear function: convex in X, hence on [0,1] at most its chord X q/delta + (1-X)(1-q)/(1-delta), with equality at X = 0
and 1. If the conditional mean of X given the past is m, then E F_q(X) <= m q/delta + (1-m)(1-q)/(1-delta), which is 1
at m = delta and linear in m with the sign of q - delta: at most 1 for q > delta, m <= delta and for q < delta, m >=
delta. Mixtures over q keep this, so E is a nonnegative supermartingale started at 1 under its H0, for real x as for
counts, and by Ville's inequality P(sup_n E_n >= 1/alpha) <= alpha at any stopping time. Real x only lowers the expected
evidence.
Feed replicates in index order: an order that depends on the results voids the statement.

Numerics. The closed prior masses are I_delta(1/2,1/2) = (2/pi) asin sqrt(delta). Where the posterior mass underflows,
log I comes from its continued fraction in log space, so that no value is ever NaN or -inf. Absolute error of log E:
below 1e-8 up to n = 1e6, growing like n log n times 1e-16 beyond.

Cost: log_e_* O(1) an entry; boundary O(n_max) evaluations, cached; step two integer comparisons.
Source: mixture supermartingales for Bernoulli means (Robbins 1970; Ville 1939) [recalled]; convexity step [derived];
limits: Clopper and Pearson 1934 [recalled], checked against scipy.stats in the tests.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from theorylab.errors import InputError
from theorylab.stats._inputs import FloatArray, count, inside_unit, successes

__all__ = [
    "boundary",
    "clopper_pearson_lower",
    "clopper_pearson_upper",
    "interval",
    "log_e_refute",
    "log_e_support",
    "n_support",
    "step",
    "zero_violation_stop",
]

IntArray = NDArray[np.int64]

A0 = B0 = 0.5  # Jeffreys: zero violations at delta = 0.1, alpha = 0.05 stop after 36; the flat prior needs 43
_UNDERFLOW = 1e-250  # below this tail mass the continued fraction takes over (it converges in a few steps there)
_N_LIMIT = 10**7


def _log_fraction(a: FloatArray, b: FloatArray, y: float) -> FloatArray:
    """log of the continued fraction C in I_y(a,b) = y^a (1-y)^b C / (a B(a,b)), for y far below a/(a+b)."""
    c = np.ones_like(a)
    d = 1.0 / (1.0 - (a + b) * y / (a + 1.0))
    h = d.copy()
    for m in range(1, 200):
        num = m * (b - m) * y / ((a + 2 * m - 1.0) * (a + 2 * m))
        d = 1.0 / (1.0 + num * d)
        c = 1.0 + num / c
        h *= d * c
        num = -(a + m) * (a + b + m) * y / ((a + 2 * m) * (a + 2 * m + 1.0))
        d = 1.0 / (1.0 + num * d)
        c = 1.0 + num / c
        h *= d * c
        if np.all(np.abs(d * c - 1.0) < 1e-14):
            break
    return np.asarray(np.log(h), dtype=np.float64)


def _log_e(x: FloatArray, n: FloatArray, delta: float, refute: bool) -> FloatArray:
    """Both e-processes, without checks; x and n float arrays of one shape."""
    a, b = x + A0, n - x + B0
    log_d, log_c = math.log(delta), math.log1p(-delta)
    # betaln(1/2,1/2) + log of the prior mass of the side, in closed form; 1 - delta is exact where it is small
    prior = math.log(2.0 * math.asin(math.sqrt(1.0 - delta if refute else delta)))
    tail = np.asarray(special.betaincc(a, b, delta) if refute else special.betainc(a, b, delta), dtype=np.float64)
    deep = tail < _UNDERFLOW
    out = np.where(deep, 0.0, special.betaln(a, b) + np.log(np.where(deep, 1.0, tail)) - x * log_d - (n - x) * log_c)
    if deep.any():
        # y^x (1-y)^(n-x) of the fraction's front factor cancels against the likelihood at delta exactly
        s, f, y = (b[deep], a[deep], 1.0 - delta) if refute else (a[deep], b[deep], delta)
        out[deep] = A0 * log_d + B0 * log_c - np.log(s) + _log_fraction(s, f, y)
    return np.asarray(out - prior, dtype=np.float64)


def log_e_refute(x: ArrayLike, n: ArrayLike, delta: float) -> FloatArray:
    """log E against H0: mean <= delta (nats). Large values refute "the violation rate is at most delta".

    Args:
        x: sum of the first n observations, 0 <= x <= n, real or whole; any shape.
        n: number of observations, whole, broadcast against x.
        delta: the claimed rate, in (0, 1).
    Returns: float64 array of the broadcast shape (0-d for scalars).
    Raises: InputError for x outside [0, n], NaN, fractional n, or delta outside (0, 1).
    """
    d = inside_unit("delta", delta)
    return _log_e(*successes(x, n, whole=False), d, True)


def log_e_support(x: ArrayLike, n: ArrayLike, delta: float) -> FloatArray:
    """log E against H0: mean >= delta (nats). Large values support "the rate is below delta". As `log_e_refute`."""
    d = inside_unit("delta", delta)
    return _log_e(*successes(x, n, whole=False), d, False)


def _least(reached: Callable[[IntArray, IntArray], NDArray[np.bool_]], n_max: int) -> IntArray:
    """For n = 0..n_max the least count k with reached(k, n), n+1 where none.

    One more observation moves the least count by 0 or 1 (a success multiplies E by at least 1, a failure by at most
    1), so a coarse grid brackets the finer one and the whole table costs O(n_max) evaluations instead of O(n log n).
    """
    out = np.zeros(n_max + 1, dtype=np.int64)
    stride = 1
    while stride <= n_max:
        stride *= 2
    at = np.zeros(1, dtype=np.int64)
    while True:
        # left neighbour on the coarser grid gives the bracket, the right one (where inside) narrows it
        left = np.maximum(at - stride, 0)
        low = np.where(at > 0, out[left], 0)
        high = np.minimum(low + (at - left), at + 1)
        right = at + stride
        inside = (right <= n_max) & (at > 0)
        high[inside] = np.minimum(high[inside], out[right[inside]])
        high[at == 0] = 1
        open_ = np.flatnonzero(low < high)
        while open_.size:
            mid = (low[open_] + high[open_]) // 2
            hit = reached(mid, at[open_])
            high[open_] = np.where(hit, mid, high[open_])
            low[open_] = np.where(hit, low[open_], mid + 1)
            open_ = open_[low[open_] < high[open_]]
        out[at] = high
        if stride == 1:
            return out
        stride //= 2
        at = np.arange(stride, n_max + 1, 2 * stride, dtype=np.int64)


@lru_cache(maxsize=64)
def _crossing(delta: float, alpha: float, n_max: int, refute: bool) -> IntArray:
    """hi (refute) or lo (support) of `boundary`, read-only because it is shared between callers."""
    threshold = math.log(1.0 / alpha)

    def reached(k: IntArray, n: IntArray) -> NDArray[np.bool_]:
        x = k if refute else n - k  # support: count the non-violations
        return np.asarray(_log_e(x.astype(np.float64), n.astype(np.float64), delta, refute) >= threshold)

    least = _least(reached, n_max)
    table = least if refute else np.arange(n_max + 1, dtype=np.int64) - least
    table.setflags(write=False)
    return table


def boundary(
    delta: float, alpha: float, n_max: int, *, alpha_support: float | None = None
) -> tuple[IntArray, IntArray]:
    """Integer stopping tables (hi, lo), each of shape (n_max+1,), indexed by n = 0..n_max; read-only.

    hi[n] is the least count x with E_refute(x,n) >= 1/alpha, n+1 where none; lo[n] the largest count with
    E_support(x,n) >= 1/alpha_support (default alpha), -1 where none. Crossing hi at any time has probability at most
    alpha if the rate is at most delta; crossing lo at most alpha_support if the rate is at least delta.
    Raises InputError for delta or a level outside (0, 1), or n_max outside 0..1e7.
    """
    d, a_r = inside_unit("delta", delta), inside_unit("alpha", alpha)
    a_s = a_r if alpha_support is None else inside_unit("alpha_support", alpha_support)
    m = count("n_max", n_max)
    if m > _N_LIMIT:
        raise InputError(f"n_max={m} is above {_N_LIMIT}; give a smaller n_max, or compare log_e_* with log(1/alpha)")
    return _crossing(d, a_r, m, True), _crossing(d, a_s, m, False)


def step(hi: IntArray, lo: IntArray, x: float, n: int) -> Literal["refute", "support"] | None:
    """The decision ("refute", "support", None: go on) after n replicates with x violations, by the `boundary` tables.

    x may be a real sum as well: E_refute increases and E_support decreases in x, so a crossing reported is a crossing,
    though it may come one replicate later than with log_e_*. If both tables are crossed, which needs levels near 1,
    the answer is "refute". Raises InputError if n is beyond the tables or x is outside [0, n].
    """
    if count("n", n) >= min(len(hi), len(lo)):
        raise InputError(f"n={n} is outside the tables 0..{len(hi) - 1}; call boundary with a larger n_max")
    if not 0 <= x <= n:
        raise InputError(f"x={x} is outside 0..n={n}; x counts the violations among the first n replicates")
    if x >= hi[n]:
        return "refute"
    return "support" if x <= lo[n] else None


def interval(x: float, n: int, alpha: float) -> tuple[float, float]:
    """Always-valid interval for the mean: it covers the truth at all n at once with probability at least 1 - alpha.

    {p : betaln(a+x, b+n-x) - betaln(a,b) - x log p - (n-x) log(1-p) < log(1/alpha)}, the untruncated mixture; the
    left side is convex in p with its minimum at x/n. x may be real (module docstring). Ends are rounded outwards.
    Raises InputError for alpha outside (0, 1) or x outside [0, n].
    """
    al = inside_unit("alpha", alpha)
    xs, ns = successes(x, n, whole=False)
    if xs.ndim:
        raise InputError(f"x has shape {xs.shape}; interval takes one pair (x, n) at a time")
    s, f = float(xs), float(ns - xs)
    if s + f == 0:
        return 0.0, 1.0
    front = float(special.betaln(A0 + s, B0 + f)) - math.log(math.pi) - math.log(1.0 / al)

    def rejected(p: float) -> bool:
        return front - (s * math.log(p) if s else 0.0) - (f * math.log1p(-p) if f else 0.0) >= 0.0

    def search(outside: float, inside: float) -> float:
        # bisect to neighbouring floats and return the rejected one; outside is 0 or 1, where the density is infinite
        while True:
            mid = 0.5 * (outside + inside)
            if mid in (outside, inside):
                return outside
            if rejected(mid):
                outside = mid
            else:
                inside = mid

    mode = s / (s + f)
    return (search(0.0, mode) if s else 0.0), (search(1.0, mode) if f else 1.0)


def limits(x: float, n: int, alpha: float) -> tuple[float, float]:
    """One-sided always-valid limits of the mean, from the e-processes that give the verdicts.

    upper = sup {p : E_support(x, n; p) < 1/alpha}, lower = inf {p : E_refute(x, n; p) < 1/alpha}: each is right at all
    n at once with probability at least 1 - alpha, and upper <= delta exactly where delta is supported at level alpha.
    x may be real. Ends are rounded outwards to 1e-12. Raises InputError for alpha outside (0, 1) or x outside [0, n].
    """
    al = inside_unit("alpha", alpha)
    xs, ns = successes(x, n, whole=False)
    total, size, edge = float(xs), float(ns), math.log(1.0 / al)
    if size == 0:
        return 0.0, 1.0

    def search(log_e: Callable[[float], float], rejected: float, kept: float) -> float:
        # E is monotone in p on either side of x/n: bisect between a rejected end and the estimate
        while abs(rejected - kept) > 1e-12:
            mid = 0.5 * (rejected + kept)
            if log_e(mid) >= edge:
                rejected = mid
            else:
                kept = mid
        return rejected

    mean = min(max(total / size, 1e-12), 1.0 - 1e-12)
    upper = search(lambda p: float(_log_e(xs, ns, p, False)), 1.0 - 1e-15, mean) if total < size else 1.0
    lower = search(lambda p: float(_log_e(xs, ns, p, True)), 1e-15, mean) if total > 0 else 0.0
    return max(0.0, lower), min(1.0, upper)


def clopper_pearson_upper(x: ArrayLike, n: ArrayLike, a: float) -> FloatArray:
    """One-sided exact upper limit at fixed n: P(upper < p) <= a. 1 where x = n (n = 0 too). x and n whole, broadcast.

    For a single look at a fixed n only: looking after every replicate breaks the level (29.6 % false refutations at a
    nominal 5 % were measured); use the e-processes there. Raises InputError as `log_e_refute`, and for fractional x.
    """
    xs, ns = successes(x, n, whole=True)
    level = inside_unit("a", a)
    top = xs >= ns
    # the complemented inverse takes the level itself, so that a = 1e-20 is not lost in 1 - a
    upper = special.betainccinv(xs + 1.0, np.where(top, 1.0, ns - xs), level)
    return np.asarray(np.where(top, 1.0, upper), dtype=np.float64)


def clopper_pearson_lower(x: ArrayLike, n: ArrayLike, a: float) -> FloatArray:
    """One-sided exact lower limit at fixed n: P(lower > p) <= a. 0 where x = 0. As `clopper_pearson_upper`."""
    xs, ns = successes(x, n, whole=True)
    level = inside_unit("a", a)
    bottom = xs <= 0
    lower = special.betaincinv(np.where(bottom, 1.0, xs), ns - xs + 1.0, level)
    return np.asarray(np.where(bottom, 0.0, lower), dtype=np.float64)


def _first(holds: Callable[[int], bool], start: int) -> int:
    """Least n >= start with holds(n), for a predicate that stays true once true: doubling, then bisection."""
    if holds(start):
        return start
    low, high = start, max(2 * start, start + 1)
    while not holds(high):
        low, high = high, 2 * high
        if high > 10**18:
            raise InputError("more than 1e18 replicates would be needed; give a larger delta or a larger alpha")
    while high - low > 1:
        mid = (low + high) // 2
        low, high = (low, mid) if holds(mid) else (mid, high)
    return high


def n_support(delta: float, alpha: float, c: int = 0) -> int:
    """Least fixed n at which c violations still support the claim: clopper_pearson_upper(c, n, alpha) <= delta.

    With c = 0 it is ceil(log alpha / log(1-delta)). Raises InputError for levels outside (0, 1) or c not a count.
    """
    d, al, k = inside_unit("delta", delta), inside_unit("alpha", alpha), count("c", c)
    return _first(lambda n: float(special.betaincc(k + 1.0, n - k, d)) <= al, k + 1)


def zero_violation_stop(delta: float, alpha: float) -> int:
    """Least n at which zero violations support the claim sequentially: E_support(0, n) >= 1/alpha."""
    d, al = inside_unit("delta", delta), inside_unit("alpha", alpha)
    zero, threshold = np.zeros(()), math.log(1.0 / al)
    return _first(lambda n: float(_log_e(zero, np.asarray(float(n)), d, False)) >= threshold, 1)
