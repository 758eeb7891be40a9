"""Distribution-free interval of a quantile by order statistics, and the best constant of a bound.

For n independent copies of M with order statistics M_(1) <= ... <= M_(n) and the quantile q of level p:

    l = largest  with  P(Bin(n,p) <= l-1) <= alpha/2        then P(M_(l) > q) <= alpha/2
    u = smallest with  P(Bin(n,p) >= u)   <= alpha/2        then P(M_(u) < q) <= alpha/2

for any distribution, ties included. It needs n >= log(alpha/2)/log(p) (and /log(1-p)); fewer raise InputError.

Best constant: M_r = max_t Reg_t / b(t) with b the shape of the bound. "P(exists t: Reg_t > c b(t)) <= delta" holds iff
c is at least the (1-delta)-quantile of M, so [M_(l), M_(u)] brackets the least constant that would do, and
slack = c_theorem / M_(u) is what the report prints. Cost O(n log n). Source: classical (David and Nagaraja, Order
Statistics, section 7.1) [recalled], tie case [derived], coverage checked exactly in the tests.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from theorylab.errors import InputError
from theorylab.stats._inputs import count, finite_array, inside_unit

__all__ = ["best_constant", "least_n", "order_interval"]


def least_n(level: float, alpha: float) -> int:
    """Least n for which `order_interval(n, level, alpha)` exists: max(level,1-level)^n <= alpha/2."""
    p, al = inside_unit("level", level), inside_unit("alpha", alpha)
    log_worst = max(math.log(p), math.log1p(-p))
    n = max(1, math.ceil(math.log(al / 2.0) / log_worst))
    while not _two_sided(n, p, al):  # the quotient of logs may round down onto the boundary
        n += 1
    return n


def _cdf(k: int, n: int, p: float) -> float:
    """P(Bin(n,p) <= k) for -1 <= k <= n."""
    return 0.0 if k < 0 else 1.0 if k >= n else float(special.betaincc(k + 1.0, n - k, p))


def _sf(k: int, n: int, p: float) -> float:
    """P(Bin(n,p) >= k) for 0 <= k <= n+1."""
    return 1.0 if k <= 0 else 0.0 if k > n else float(special.betainc(k, n - k + 1.0, p))


def _two_sided(n: int, p: float, alpha: float) -> bool:
    return _cdf(0, n, p) <= alpha / 2.0 and _sf(n, n, p) <= alpha / 2.0


def _last_true(holds: Callable[[int], bool], low: int, high: int) -> int:
    """Largest k in low..high-1 with holds(k), given holds(low), not holds(high), and holds decreasing in k."""
    while high - low > 1:
        mid = (low + high) // 2
        low, high = (mid, high) if holds(mid) else (low, mid)
    return low


def order_interval(n: int, level: float, alpha: float) -> tuple[int, int]:
    """1-based (l, u) such that [M_(l), M_(u)] covers the quantile of this level with probability >= 1 - alpha.

    Args: n sample size; level of the quantile in (0, 1), so 1 - delta for a claim at delta; alpha in (0, 1).
    Raises InputError if n is too small, naming the least n; or for a level outside (0, 1).
    """
    m, p, al = count("n", n, 1), inside_unit("level", level), inside_unit("alpha", alpha)
    if not _two_sided(m, p, al):
        raise InputError(
            f"n={m} is too small for a two-sided interval of the {p:g}-quantile at alpha={al:g}; "
            f"give at least n={least_n(p, al)}"
        )
    low = _last_true(lambda k: _cdf(k - 1, m, p) <= al / 2.0, 1, m + 1)
    high = _last_true(lambda k: _sf(k, m, p) > al / 2.0, 0, m) + 1
    return low, high


def best_constant(M: ArrayLike, delta: float, alpha: float) -> tuple[float, float, float]:
    """(low, high, estimate) of the least constant c with P(M > c) <= delta, from the ratios M of shape (R,).

    low = M_(l), high = M_(u) by `order_interval(R, 1-delta, alpha)`: they bracket it with probability >= 1 - alpha. The
    estimate is the empirical quantile, M_(k) with the least k >= R(1-delta). +inf entries are allowed (a replicate that
    no constant satisfies). Raises InputError for NaN, a wrong shape, R too small (names the least R), or bad levels.
    """
    ratios = finite_array("M", M, infinite=True)
    d, al = inside_unit("delta", delta), inside_unit("alpha", alpha)
    if ratios.ndim != 1:
        raise InputError(f"M has shape {ratios.shape}; give one number per replicate, shape (R,)")
    n = ratios.size
    low, high = order_interval(n, 1.0 - d, al)
    ordered = np.sort(ratios)
    k = n - math.floor(n * d * (1.0 + 1e-12))  # ceil(n(1-delta)), with the product's rounding taken into account
    return float(ordered[low - 1]), float(ordered[high - 1]), float(ordered[min(max(k, 1), n) - 1])
