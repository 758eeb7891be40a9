"""Is the first learner no worse than the second? Tests on coupled differences D = loss_A - loss_B, one per replicate.

Both learners run on the same seed and the same replicate addresses. Draws are addressed by site and visit, so that the
joint law changes, never a marginal; `variance_reduction` says what it bought. Every test returns a `Comparison` with
a verdict word on its `statement`: SUPPORTED, REFUTED or INCONCLUSIVE (`dominance`: CONSISTENT in place of SUPPORTED).
With replicates iid, P(SUPPORTED if the statement is false) <= alpha and P(REFUTED if it is true) <= alpha:

    sign               P(D<0 | D != 0) >= 1/2     exact binomial tails, ties dropped; no assumption on the law of D
    sign_sequential    the same                   e-processes of theorylab.stats.bernoulli at delta = 1/2; stop anywhere
    flip               E D <= 0                   sign flips; exact if D - E D is symmetric about 0
    mean_difference    E D <= 0                   betting on (D + range)/(2 range); any law on [-range, range]
    uniform_in_time    E D_t <= 0 at all t        sign flips of whole curves; exact if D - E D is jointly symmetric
    dominance          F_A >= F_B everywhere      Dvoretzky-Kiefer-Wolfowitz bands; no assumption

The level of the flips rests on their assumption: a skewed D with mean 0 is rejected more often than alpha, which
`mean_difference` never does. Of two learners with one joint law (exchangeable) D is symmetric.
Source: STATISTICS section 5; permutation p-values with the +1: Phipson and Smyth 2010; DKW with Massart's constant
1990; e-processes as in `bernoulli` [recalled].
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from theorylab.errors import InputError
from theorylab.stats._inputs import FloatArray, count, finite_array, inside_unit
from theorylab.stats.bernoulli import clopper_pearson_lower, clopper_pearson_upper, limits, log_e_refute, log_e_support
from theorylab.stats.mean import first_crossing, log_capital
from theorylab.stats.mean import interval as mean_interval

__all__ = [
    "Comparison",
    "dominance",
    "flip",
    "mean_difference",
    "sign",
    "sign_sequential",
    "uniform_in_time",
    "variance_reduction",
]

_CELLS = 1 << 22  # signs held at a time
_ROUNDING = 1e-12  # statistics this close (relative) count as ties, which only enlarges p


@dataclass(frozen=True, eq=False)
class Comparison:
    """What a comparison found.

    Attributes:
        method: the function. statement: what the verdict word is about. verdict: SUPPORTED, REFUTED, INCONCLUSIVE, or
            CONSISTENT. alpha: bound on the probability of each word being said wrongly.
        n: differences that were read (`sign`: that are not ties); ties: exact zeros among those, and not in n.
        estimate: of P(D<0 | D != 0), of E D, of its largest entry over t, or of sup (F_B - F_A); None without data.
        interval: limits, each wrong with probability at most alpha (one-sided); None where the method has none.
        p_support, p_refute: one-sided p-values against "false" and "true"; p: two-sided. None for sequential methods.
        e_support, e_refute: e-values where the test stopped. None for fixed-n methods.
        band: (mean, low, high), each (n_t,), simultaneous in t, for drawing: `uniform_in_time` only.
        at: index t of the largest standardised |difference|: `uniform_in_time` only.
    """

    method: str
    statement: str
    verdict: str
    alpha: float
    n: int
    estimate: float | None
    interval: tuple[float, float] | None = None
    p_support: float | None = None
    p_refute: float | None = None
    p: float | None = None
    e_support: float | None = None
    e_refute: float | None = None
    ties: int = 0
    band: tuple[FloatArray, FloatArray, FloatArray] | None = field(default=None, repr=False)
    at: int | None = None


def _word(support: bool, refute: bool) -> str:
    return "REFUTED" if refute else "SUPPORTED" if support else "INCONCLUSIVE"


def _level(alpha: float) -> float:
    """alpha in (0, 1/2): SUPPORTED and REFUTED are each wrong with at most this probability."""
    al = inside_unit("alpha", alpha)
    if al >= 0.5:
        raise InputError(f"alpha={al:g} is not below 1/2, where both words could be said of the same data; give less")
    return al


def _sample(name: str, values: ArrayLike, ndim: int = 1) -> FloatArray:
    """Finite differences or losses of shape (R,) or (R, n), R >= 1."""
    v = finite_array(name, values)
    if v.ndim != ndim or v.size == 0:
        shape = "(R,)" if ndim == 1 else "(R, n)"
        raise InputError(f"{name} has shape {v.shape}; give one row per replicate, a non-empty array of shape {shape}")
    return v


def variance_reduction(a: ArrayLike, b: ArrayLike) -> float:
    """(Var a + Var b) / Var(a - b) of coupled losses, each (R,): how many times fewer replicates coupling needs.

    1 for independent runs, inf where the difference is constant. Raises InputError for shapes that differ, R < 2, or
    losses that do not vary at all.
    """
    x, y = _sample("a", a), _sample("b", b)
    if x.shape != y.shape or x.size < 2:
        raise InputError(f"a has shape {x.shape} and b {y.shape}; give the same R >= 2 replicates of both")
    alone, coupled = float(x.var(ddof=1) + y.var(ddof=1)), float((x - y).var(ddof=1))
    if alone == 0.0:
        raise InputError("neither a nor b varies over the replicates; there is no variance to reduce")
    return alone / coupled if coupled > 0.0 else math.inf


# signs


def _tail(k: int, n: int) -> float:
    """P(Bin(n, 1/2) >= k)."""
    return 1.0 if k == 0 else float(special.betainc(k, n - k + 1.0, 0.5))


_SIGN = "the first is not worse than the second more often than not: P(D < 0 | D != 0) >= 1/2"


def sign(D: ArrayLike, *, alpha: float = 0.01) -> Comparison:
    """Exact sign test on D of shape (R,); ties (exact zeros) are dropped and counted.

    One-sided p-values are the binomial tails at 1/2 of #{D<0} (p_support) and #{D>0} (p_refute); the two-sided one is
    twice the smaller, at most 1, exact because the law is symmetric. For one look at a fixed R; `sign_sequential` may
    stop anywhere. Raises InputError for NaN, infinite entries, a wrong shape, or alpha outside (0, 1/2).
    """
    d, al = _sample("D", D), _level(alpha)
    below, above = int((d < 0.0).sum()), int((d > 0.0).sum())
    n = below + above
    support, refute = _tail(below, n), _tail(above, n)
    return Comparison(
        method="sign",
        statement=_SIGN,
        verdict=_word(support <= al, refute <= al),
        alpha=al,
        n=n,
        estimate=below / n if n else None,
        interval=(float(clopper_pearson_lower(below, n, al)), float(clopper_pearson_upper(below, n, al))),
        p_support=support,
        p_refute=refute,
        p=min(1.0, 2.0 * min(support, refute)),
        ties=d.size - n,
    )


def sign_sequential(D: ArrayLike, *, alpha: float = 0.01) -> Comparison:
    """The sign test by e-processes, D of shape (R,) read in index order and ties passed over: stops at a crossing.

    X = 1{D > 0} against delta = 1/2, so that it may be called again after every replicate without loss of level. n is
    the number of non-ties read, the interval is that of P(D<0 | D != 0), always valid. Raises InputError as `sign`.
    """
    d, al = _sample("D", D), _level(alpha)
    where = np.flatnonzero(d != 0.0)
    above, n = np.cumsum(d[where] > 0.0), np.arange(1, where.size + 1)
    # in front of the data both processes are at one
    log_r = np.concatenate([[0.0], log_e_refute(above, n, 0.5)])
    log_s = np.concatenate([[0.0], log_e_support(above, n, 0.5)])
    edge = math.log(1.0 / al)
    crossed = np.flatnonzero(np.maximum(log_r, log_s) >= edge)
    stop = int(crossed[0]) if crossed.size else where.size
    worse = int(above[stop - 1]) if stop else 0
    low, high = limits(worse, stop, al)
    return Comparison(
        method="sign_sequential",
        statement=_SIGN,
        verdict=_word(bool(log_s[stop] >= edge), bool(log_r[stop] >= edge)),
        alpha=al,
        n=stop,
        estimate=1.0 - worse / stop if stop else None,
        interval=(1.0 - high, 1.0 - low),
        e_support=_exp(log_s[stop]),
        e_refute=_exp(log_r[stop]),
        ties=int(where[stop - 1]) + 1 - stop if crossed.size else d.size - stop,
    )


def _exp(x: float) -> float:
    return math.exp(min(float(x), 700.0))


# sign flips


def _flips(R: int, draws: int, seed: int) -> Iterator[FloatArray]:
    """Blocks of sign vectors (b, R): all 2^R of them where these are at most `draws`, else `draws` random ones."""
    block = max(1, _CELLS // R)
    rng = np.random.Generator(np.random.Philox(key=seed))
    everything = R <= draws.bit_length() and 2**R <= draws
    total = 2**R if everything else draws
    for first in range(0, total, block):
        size = min(block, total - first)
        if everything:
            bits = np.arange(first, first + size)[:, None] >> np.arange(R) & 1
        else:
            bits = rng.integers(0, 2, size=(size, R), dtype=np.int8)
        yield np.asarray(1.0 - 2.0 * bits, dtype=np.float64)


@dataclass(frozen=True)
class _Flipped:
    """Tails of the flipped statistics: `above`, `below`, `both` of the maximum over t; `lower` (n_t,) pointwise."""

    above: float
    below: float
    both: float
    lower: FloatArray


def _flip_tails(d: FloatArray, draws: int, seed: int) -> tuple[FloatArray, _Flipped]:
    """The standardised sums T (n_t,) of d (R, n_t), and their p-values by flips of whole rows.

    T_t = sum_r d_rt / sqrt(sum_r d_rt^2): the denominator does not change under flips.
    """
    R = d.shape[0]
    scale = np.abs(d).max(axis=0)
    z = d / np.where(scale > 0.0, scale, 1.0)  # squares neither overflow nor underflow
    norm = np.sqrt((z**2).sum(axis=0))
    z = z / np.where(norm > 0.0, norm, 1.0)
    T, tol = z.sum(axis=0), _ROUNDING * math.sqrt(R)
    top, bottom, most = T.max(), T.min(), np.abs(T).max()
    counts, lower, total = np.zeros(3, dtype=np.int64), np.zeros(T.size, dtype=np.int64), 0
    for signs in _flips(R, draws, seed):
        flipped = signs @ z
        high, low = flipped.max(axis=1), flipped.min(axis=1)
        counts += [
            (high >= top - tol).sum(),
            (low <= bottom + tol).sum(),
            (np.maximum(high, -low) >= most - tol).sum(),
        ]
        lower += (flipped <= T + tol).sum(axis=0)
        total += len(signs)
    one = 0 if total == 2**R else 1  # the identity is among the 2^R, and is added to random ones
    above, below, both = ((counts + one) / (total + one)).tolist()
    return T, _Flipped(above, below, both, (lower + one) / (total + one))


def _draws(draws: int, alpha: float) -> int:
    b = count("draws", draws, 1)
    if 1.0 / (1.0 + b) > alpha:
        raise InputError(
            f"draws={b}: the smallest p-value is 1/{b + 1}, above alpha={alpha:g}, so that the test could never decide"
            f"; give draws >= {math.ceil(1.0 / alpha) - 1}"
        )
    return b


def flip(D: ArrayLike, *, draws: int = 9999, seed: int = 0, alpha: float = 0.01) -> Comparison:
    """Sign-flip permutation test for the mean of D, shape (R,): p = (1 + #{T* >= T}) / (1 + draws), T = sum D.

    All 2^R flips are summed, and p is exact, where 2^R <= draws. p_refute counts T* >= T, p_support T* <= T, p both
    tails of |T|. Exact level if D - E D is symmetric about 0; R < log2(1/alpha) can not decide. The interval is left
    out: `mean_difference` has one without that assumption.
    Raises InputError as `sign`, and for draws too few to reach alpha. Cost O(draws R).
    """
    d, al = _sample("D", D), _level(alpha)
    _, found = _flip_tails(d[:, None], _draws(draws, al), count("seed", seed))
    return Comparison(
        method="flip",
        statement="the first is no worse than the second on average: E D <= 0",
        verdict=_word(found.below <= al, found.above <= al),
        alpha=al,
        n=d.size,
        estimate=float(d.mean()),
        p_support=found.below,
        p_refute=found.above,
        p=found.both,
    )


def uniform_in_time(D: ArrayLike, *, draws: int = 9999, seed: int = 0, alpha: float = 0.01) -> Comparison:
    """Curves compared at all times at once: D = curves_A - curves_B of shape (R, n), one row per replicate.

    REFUTED if the largest standardised difference over t is too large among flips of whole curves (p_refute): then
    the first is worse at some t. SUPPORTED if at every t the pointwise flip test rejects E D_t >= 0 (p_support is the
    largest pointwise p: an intersection-union test needs no correction). Columns where all differences are zero can
    not support: cut them off. p is two-sided, for "no difference at any t". Exact if D - E D is jointly symmetric.

    `band` = mean -+ q sd_t/sqrt(R), q the (1-alpha)-quantile of the largest standardised |mean| of flipped residual
    curves: simultaneous, approximate (R of 50 and more), for drawing and not for verdicts.
    Raises InputError as `flip`. Cost O(draws R n).
    """
    d, al = _sample("D", D, ndim=2), _level(alpha)
    if d.shape[0] < 2:
        raise InputError(f"D has shape {d.shape}; a band needs R >= 2 replicates")
    b, key = _draws(draws, al), count("seed", seed)
    T, found = _flip_tails(d, b, key)
    mean, error = d.mean(axis=0), d.std(axis=0, ddof=1) / math.sqrt(d.shape[0])
    residual = (d - mean) / np.where(error > 0.0, error, 1.0) / d.shape[0]
    largest = np.concatenate([np.abs(signs @ residual).max(axis=1) for signs in _flips(d.shape[0], b, key)])
    q = float(np.quantile(largest, 1.0 - al, method="higher"))
    support = float(found.lower.max())
    return Comparison(
        method="uniform_in_time",
        statement="the first is no worse than the second on average at every t: E D_t <= 0",
        verdict=_word(support <= al, found.above <= al),
        alpha=al,
        n=d.shape[0],
        estimate=float(mean.max()),
        p_support=support,
        p_refute=found.above,
        p=found.both,
        band=(mean, mean - q * error, mean + q * error),
        at=int(np.argmax(np.abs(T))),
    )


# means and laws


def mean_difference(D: ArrayLike, range: float, alpha: float = 0.01) -> Comparison:
    """Mean of bounded differences, |D| <= range (a proved range, in units of D), by betting; D (R,) in index order.

    X = (D + range)/(2 range) lies in [0, 1] and E D <= 0 is E X <= 1/2: `theorylab.stats.mean.log_capital` against
    it, stopped at the first crossing. Valid for any law of D on the range, skewed ones too, at any stopping time. The
    interval has every mean that neither side has rejected by then.
    Raises InputError for a |D| above range (naming the entry; nothing is clipped), and as `sign`.
    """
    d, al = _sample("D", D), _level(alpha)
    if not (math.isfinite(range) and range > 0.0):
        raise InputError(f"range={range!r} must be a positive finite number: the proved bound on |D|")
    outside = np.flatnonzero(np.abs(d) > range)
    if outside.size:
        i = int(outside[0])
        raise InputError(
            f"D[{i}]={float(d[i])!r} leaves [-range, range] with range={float(range)!r}; give a range that is proved "
            "for every difference, or mend that entry"
        )
    x = 0.5 + d / (2.0 * range)  # in [0, 1] after rounding too: 2 range is exact, and rounding is monotone
    word, stop = first_crossing(x, 0.5, al)
    low, high = mean_interval(x[:stop], 2.0 * al)  # alpha on each side, as the verdict
    return Comparison(
        method="mean_difference",
        statement="the first is no worse than the second on average: E D <= 0",
        verdict=_word(word == "support", word == "refute"),
        alpha=al,
        n=stop,
        estimate=float(d[:stop].mean()),
        interval=(range * (2.0 * low - 1.0), range * (2.0 * high - 1.0)),
        e_support=_exp(log_capital(x[:stop], 0.5, side="below", alpha=al)[-1]),
        e_refute=_exp(log_capital(x[:stop], 0.5, side="above", alpha=al)[-1]),
    )


def _cdf(ordered: FloatArray, at: FloatArray) -> FloatArray:
    return np.searchsorted(ordered, at, side="right") / ordered.size


def dominance(a: ArrayLike, b: ArrayLike, alpha: float = 0.01) -> Comparison:
    """Is loss a stochastically no larger than loss b: F_a(x) >= F_b(x) at every x? a (n_a,), b (n_b,).

    Bands of half-width e = sqrt(ln(2/alpha) / (2 n)) around both empirical cdfs; theta = sup_x (F_b - F_a), zero iff a
    dominates. One side of one band fails with probability at most alpha/2, so that the lower limit of theta, max (F_b -
    F_a) - e_a - e_b, is wrong with probability at most alpha, whether a and b are coupled or not; so is the upper.

        REFUTED        the bands cross against a: the lower limit is positive
        CONSISTENT     they do not, and somewhere a's band lies above b's: b does not dominate a
        INCONCLUSIVE   the bands touch everywhere

    Dominance everywhere has no finite-sample proof (the tails of any band overlap): CONSISTENT has the error alpha for
    "b does not dominate a" alone, and interval[1] says by how much F_b may exceed F_a after all.
    Raises InputError for NaN, infinite entries, a wrong shape, or alpha outside (0, 1/2).
    """
    x, y, al = np.sort(_sample("a", a)), np.sort(_sample("b", b)), _level(alpha)
    at = np.concatenate([x, y])
    gap = _cdf(y, at) - _cdf(x, at)  # its extremes over the real line, with 0 far out, are at the data
    width = sum(math.sqrt(math.log(2.0 / al) / (2.0 * n)) for n in (x.size, y.size))
    theta, other = max(0.0, float(gap.max())), max(0.0, float(-gap.min()))
    verdict = "REFUTED" if theta > width else "CONSISTENT" if other > width else "INCONCLUSIVE"
    return Comparison(
        method="dominance",
        statement="the first loss is stochastically no larger than the second: F_A >= F_B everywhere",
        verdict=verdict,
        alpha=al,
        n=min(x.size, y.size),
        estimate=theta,
        interval=(max(0.0, theta - width), min(1.0, theta + width)),
    )
