"""Verdicts on the mean of X in [0, 1]: betting capital processes and the always-valid interval they give.

X_1, X_2, ... are one number per replicate, divided by the *proved* range (`from_range`), fed in index order
(`stream.Stream` sees to that). For a candidate mean m, with bets l_i that depend on X_1 .. X_{i-1} alone:

    K_plus_n(m)  = prod_{i<=n} (1 + l_i (X_i - m)),   0 <= l_i <= c/m          "above": evidence against mean <= m
    K_minus_n(m) = prod_{i<=n} (1 - l_i (X_i - m)),   0 <= l_i <= c/(1-m)      "below": evidence against mean >= m
    l_i = min( sqrt(2 ln(1/alpha) / (v_{i-1} i ln(1+i))), the cap ),   c = 1/2;   fixed_n puts n for i ln(1+i)
    mean_i = (1/2 + sum_{j<=i} X_j)/(i+1),   v_i = (1/4 + sum_{j<=i} (X_j - mean_j)^2)/(i+1),   v_0 = 1/4

Validity. X - m >= -m, so a factor of K_plus is at least 1 - c > 0; its mean given the past is 1 + l_i (E X_i - m),
equal to 1 at E X_i = m and at most 1 below. So K_plus is a nonnegative supermartingale started at 1 whenever every
conditional mean is <= m (a martingale if all are m), and by Ville's inequality P(sup_n K_plus >= 1/alpha) <= alpha at
any stopping time; K_minus mirrors it, K_minus(m; X) = K_plus(1-m; 1-X). `fixed_n` tunes the bets to one sample size;
the statement holds at every other size as well.

Monotone in m. A factor of K_plus is 1 + u(X-m) where u <= c/m and 1 - c + c X/m beyond: both decrease in m, and they
agree at u = c/m. So every K_plus_n(m), and max_n K_plus_n(m), decreases in m; K_minus increases. Hence the candidates
that no capital has ever refuted form an interval, whose ends bisection finds without a grid. [derived]

Numerics. log K by log1p and a running sum: relative error of K below 1e-15 n (1 + |log K|). Cost O(n) a candidate.
Source: Waudby-Smith and Ramdas 2024, Estimating means of bounded random variables by betting [recalled].
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from theorylab.errors import InputError
from theorylab.stats._inputs import FloatArray, count, finite_array, inside_unit

__all__ = ["Side", "first_crossing", "from_range", "interval", "log_capital"]

Side = Literal["above", "below"]

CAP = 0.5  # a factor never falls below 1 - CAP, so that no single replicate can take the whole capital
_WIDTH = 1e-12  # by how much bisection may round an end outwards


def from_range(values: ArrayLike, low: float, high: float) -> FloatArray:
    """(values - low) / (high - low), for values with the proved range [low, high] (reward units); any shape.

    The range must follow from the theorem or the model (0 and K H for episodic regret), never from the data: a range
    read off the sample voids the statement. Raises InputError for low >= high, and for an entry outside the range,
    which is then not a range: it is named, not clipped.
    """
    v = finite_array("values", values)
    ends = finite_array("(low, high)", [low, high])
    if not ends[0] < ends[1]:
        raise InputError(f"low={low!r} is not below high={high!r}; give the ends of the proved range")
    _inside("values", v, float(ends[0]), float(ends[1]), "prove a wider range, or find out how the value came about")
    return np.asarray((v - ends[0]) / (ends[1] - ends[0]), dtype=np.float64)


def _inside(name: str, v: FloatArray, low: float, high: float, mend: str) -> None:
    bad = (v < low) | (v > high)
    if bad.any():
        at = tuple(int(i) for i in np.argwhere(bad)[0])
        where = f"[{','.join(map(str, at))}]" if at else ""
        raise InputError(f"{name}{where}={float(v[at])!r} is outside [{low:g}, {high:g}]; {mend}")


def _unit(x: ArrayLike, dimensions: tuple[int, ...]) -> FloatArray:
    """x as (n,) or (R, n) with entries in [0, 1]."""
    v = finite_array("x", x)
    if v.ndim not in dimensions:
        raise InputError(f"x has shape {v.shape}; give (n,){' or (R, n)' if 2 in dimensions else ''}")
    _inside("x", v, 0.0, 1.0, "divide by the proved range first (mean.from_range); nothing is clipped")
    return v


def _candidate(m: float) -> float:
    v = finite_array("m", m)
    if v.ndim or not 0.0 <= v <= 1.0:
        raise InputError(f"m={m!r} is not a mean of values in [0, 1]; give bound / range, inside [0, 1]")
    return float(v)


def _bets(x: FloatArray, alpha: float, fixed_n: int | None) -> FloatArray:
    """The bets before the cap, which alone depends on m; entry i-1 uses X_1 .. X_{i-1}."""
    i = np.arange(1.0, x.shape[-1] + 1.0)
    means = (0.5 + np.cumsum(x, axis=-1)) / (i + 1.0)
    variances = (0.25 + np.cumsum((x - means) ** 2, axis=-1)) / (i + 1.0)
    past = np.concatenate([np.full((*x.shape[:-1], 1), 0.25), variances], axis=-1)[..., : x.shape[-1]]
    clock = i * np.log1p(i) if fixed_n is None else float(count("fixed_n", fixed_n, 1))
    return np.asarray(np.sqrt(2.0 * math.log(1.0 / alpha) / (past * clock)), dtype=np.float64)


def _log_capital(x: FloatArray, m: float, bets: FloatArray, side: Side) -> FloatArray:
    if side not in ("above", "below"):
        raise InputError(f"side={side!r} is unknown; give 'above' (against mean <= m) or 'below' (against mean >= m)")
    sign, room = (1.0, m) if side == "above" else (-1.0, 1.0 - m)
    capped = np.minimum(bets, CAP / room if room > 0.0 else math.inf)
    return np.asarray(np.cumsum(np.log1p(sign * capped * (x - m)), axis=-1), dtype=np.float64)


def log_capital(x: ArrayLike, m: float, *, side: Side, alpha: float, fixed_n: int | None = None) -> FloatArray:
    """Running log capital (nats) of the bets against one side of the mean m, after each replicate.

    Args:
        x: (n,) values in [0, 1] in index order; or (R, n), R independent sequences.
        m: candidate mean in [0, 1] (bound / range). alpha: level that the bets are tuned to.
        side: "above" bets against mean <= m (K_plus), "below" against mean >= m (K_minus).
        fixed_n: tune the bets to this sample size instead of to all.
    Returns: float64 of the shape of x; entry i-1 is log K_i. It reaches log(1/alpha) at any i with probability at most
        alpha if every conditional mean is on the side bet against.
    Raises: InputError for an entry outside [0, 1] or NaN (named, never clipped), m, alpha, side or fixed_n.
    """
    v, level = _unit(x, (1, 2)), inside_unit("alpha", alpha)
    return _log_capital(v, _candidate(m), _bets(v, level, fixed_n), side)


def first_crossing(
    x: ArrayLike, m: float, alpha: float, *, alpha_support: float | None = None, fixed_n: int | None = None
) -> tuple[Literal["refute", "support"] | None, int]:
    """The first decision on "mean <= m" along x of shape (n,), and after how many replicates it fell.

    ("refute", i) if K_plus first reaches 1/alpha at i: probability at most alpha if the mean is <= m.
    ("support", i) if K_minus first reaches 1/alpha_support (default alpha): at most alpha_support if the mean is >= m.
    (None, n) if neither does; "refute" if both do at once, which needs levels near 1. InputError as `log_capital`.
    """
    v, level = _unit(x, (1,)), _candidate(m)
    a_r = inside_unit("alpha", alpha)
    a_s = a_r if alpha_support is None else inside_unit("alpha_support", alpha_support)
    first = []
    for side, a in (("above", a_r), ("below", a_s)):
        crossed = _log_capital(v, level, _bets(v, a, fixed_n), side) >= math.log(1.0 / a)  # type: ignore[arg-type]
        first.append(int(np.argmax(crossed)) + 1 if crossed.any() else v.size + 1)
    refuted, supported = first
    if min(first) > v.size:
        return None, v.size
    return ("refute", refuted) if refuted <= supported else ("support", supported)


def interval(x: ArrayLike, alpha: float, *, fixed_n: int | None = None) -> tuple[float, float]:
    """Always-valid interval for the mean: it covers the truth at all n at once with probability at least 1 - alpha.

    The candidates that neither capital, at alpha/2 each, has refuted at any i <= n: the running intersection. It may
    be empty (low > high), with probability at most alpha if all replicates have one mean. Ends are rounded outwards by
    at most 1e-12. No data give (0, 1). x of shape (n,); InputError as `log_capital`. Cost about 80 passes over x.
    """
    v, half = _unit(x, (1,)), inside_unit("alpha", alpha) / 2.0
    bets, need = _bets(v, half, fixed_n), math.log(1.0 / half)

    def refuted(m: float, side: Side) -> bool:
        return bool(np.max(_log_capital(v, m, bets, side), initial=0.0) >= need)

    def end(side: Side, outer: float, inner: float) -> float:
        """The last refuted candidate on the way from `outer` to `inner`, which no data can refute."""
        while abs(inner - outer) > _WIDTH:
            middle = (outer + inner) / 2.0
            outer, inner = (middle, inner) if refuted(middle, side) else (outer, middle)
        return outer

    return end("above", 0.0, 1.0), end("below", 1.0, 0.0)
