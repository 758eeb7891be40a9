"""Order-statistic intervals (exact coverage), vacuity of known bounds, Holm, e-Holm and e-BH; imports stay light."""

from __future__ import annotations

import itertools
import math
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from theorylab.errors import InputError
from theorylab.stats import (
    best_constant,
    e_bh,
    e_holm,
    holm,
    least_n,
    nonvacuous_from,
    nonvacuous_from_callable,
    order_interval,
)


@pytest.mark.parametrize(
    ("n", "level", "alpha", "expected"),
    [(100, 0.9, 0.05, (84, 96)), (500, 0.95, 0.05, (465, 485)), (1000, 0.9, 0.01, (875, 925))],
)
def test_order_interval_examples(n: int, level: float, alpha: float, expected: tuple[int, int]) -> None:
    assert order_interval(n, level, alpha) == expected


@pytest.mark.parametrize("level", [0.1, 0.5, 0.9, 0.95])
@pytest.mark.parametrize("alpha", [0.05, 0.01])
@pytest.mark.parametrize("extra", [0, 1, 37, 900])
def test_order_interval_coverage_is_exact_and_tight(level: float, alpha: float, extra: int) -> None:
    """For continuous M: P(M_(l) <= q <= M_(u)) = P(l <= Bin(n, level) <= u - 1); each side within alpha/2, no slack."""
    n = least_n(level, alpha) + extra
    low, high = order_interval(n, level, alpha)
    law = stats.binom(n, level)
    assert 1 <= low < high <= n
    assert law.cdf(high - 1) - law.cdf(low - 1) >= 1 - alpha
    assert law.cdf(low - 1) <= alpha / 2 < law.cdf(low)
    assert law.sf(high - 1) <= alpha / 2 < law.sf(high - 2)
    # the check can fail: one order statistic tighter on both sides loses a side's level
    assert law.cdf(high - 2) - law.cdf(low) < 1 - alpha / 2


def test_order_interval_too_small_names_the_least_n() -> None:
    for level, alpha in ((0.9, 0.05), (0.99, 0.01), (0.5, 0.5), (0.05, 0.05)):
        least = least_n(level, alpha)
        worst = max(level, 1 - level)
        assert worst**least <= alpha / 2 < worst ** (least - 1)
        order_interval(least, level, alpha)
        with pytest.raises(InputError, match=f"at least n={least}$"):
            order_interval(least - 1, level, alpha)
    with pytest.raises(InputError, match=r"at least n=36$"):
        best_constant(np.ones(10), 0.1, 0.05)


def test_best_constant() -> None:
    rng = np.random.default_rng(7)
    m = rng.permutation(np.arange(1, 101).astype(float))
    assert best_constant(m, 0.1, 0.05) == (84.0, 96.0, 90.0)
    assert best_constant(m, 0.29, 0.05)[2] == 71.0  # 100 * 0.29 is 28.999999999999996 in floats
    m[m == 100] = np.inf  # a replicate that no constant satisfies leaves the rest alone
    assert best_constant(m, 0.1, 0.05) == (84.0, 96.0, 90.0)
    for bad, word in ((np.full(100, np.nan), r"M\[0\]=nan"), (np.ones((50, 2)), r"shape \(50, 2\)")):
        with pytest.raises(InputError, match=word):
            best_constant(bad, 0.1, 0.05)


def test_best_constant_covers() -> None:
    """4,000 samples of 100 exponentials, fixed seed: the 0.9-quantile log 10 is inside about 95.5 % of the time."""
    draws = np.random.default_rng(11).exponential(size=(4000, 100))
    got = np.array([best_constant(row, 0.1, 0.05) for row in draws])
    inside = ((got[:, 0] <= math.log(10)) & (math.log(10) <= got[:, 1])).mean()
    exact = stats.binom.cdf(95, 100, 0.9) - stats.binom.cdf(83, 100, 0.9)
    assert exact >= 0.95 and abs(inside - exact) < 4 * math.sqrt(exact * (1 - exact) / 4000)
    assert ((got[:, 0] <= got[:, 2]) & (got[:, 2] <= got[:, 1])).all()


@pytest.mark.parametrize("bad", [0, 1, -1, math.nan])
def test_quantile_bad_levels(bad: float) -> None:
    for call in (
        lambda: order_interval(100, bad, 0.05),
        lambda: order_interval(100, 0.9, bad),
        lambda: best_constant(np.ones(100), bad, 0.05),
        lambda: best_constant(np.ones(100), 0.1, bad),
        lambda: order_interval(0, 0.9, 0.05),
        lambda: order_interval(10.5, 0.9, 0.05),
    ):
        with pytest.raises(InputError):
            call()


def ucb1(gap: float) -> Callable[[int], float]:
    return lambda t: 8 * math.log(t) / gap + (1 + math.pi**2 / 3) * gap


def ucbvi_ch(S: int, A: int, H: int, delta: float) -> Callable[[int], float]:
    def bound(K: int) -> float:
        log = math.log(5 * S * A * K * H / delta)
        return 20 * H**1.5 * log * math.sqrt(S * A * K) + 250 * H**2 * S**2 * A * log**2

    return bound


@pytest.mark.parametrize(("gap", "exact", "noted"), [(0.5, 169, 168), (0.2, 1462, 1461), (0.1, 7099, 7126)])
def test_ucb1_is_vacuous_until(gap: float, exact: int, noted: int) -> None:
    """The exact first T; the notes' table, read off a coarser computation, is within 1 percent of it."""
    bound = ucb1(gap)
    first = nonvacuous_from_callable(bound, lambda t: t * gap)
    t = np.arange(1, 20_001)
    assert first == exact
    assert nonvacuous_from([bound(int(k)) for k in t], t * gap) == exact  # arrays and search agree
    assert bound(exact) < exact * gap and bound(exact - 1) >= (exact - 1) * gap
    assert abs(noted - exact) <= max(1, 0.01 * exact)


UCBVI = [
    (2, 2, 2, 4_620_084, 5e6),
    (3, 2, 3, 16_006_669, 2e7),
    (5, 2, 5, 77_801_142, 9e7),
    (5, 2, 10, 173_528_399, 3e8),
    (20, 4, 20, 13_205_229_281, 2e10),
]


@pytest.mark.parametrize(("S", "A", "H", "exact", "noted"), UCBVI)
def test_ucbvi_is_vacuous_until(S: int, A: int, H: int, exact: int, noted: float) -> None:
    """delta = 0.05. The notes give orders of magnitude, each at or above the exact first K and within a factor 2."""
    bound = ucbvi_ch(S, A, H, 0.05)
    first = nonvacuous_from_callable(bound, lambda K: K * H)
    assert first is not None
    assert first == pytest.approx(exact, abs=2)  # the last digits sit at the rounding of a bound near 1e11
    assert bound(first) < first * H and bound(first - 1) >= (first - 1) * H
    assert first <= noted < 2 * first


def test_ucbvi_formula_golden() -> None:
    assert math.log(5 * 6 * 2 * 20_000 / 0.05) == pytest.approx(16.99356, abs=5e-6)
    assert ucbvi_ch(6, 2, 20, 0.05)(1000) == pytest.approx(2.08e9, rel=0.01)
    assert ucbvi_ch(6, 2, 20, 0.05)(1000) > 1e5 * 2e4  # against trivial K H


def test_vacuity_arrays() -> None:
    assert nonvacuous_from([5, 1, 5, 1, 1], 3) == 4
    assert nonvacuous_from([5, 1, 5, 1, 1], 3, start=10) == 13
    assert nonvacuous_from([1, 1], [3, 3]) == 1
    assert nonvacuous_from([1, 3], [3, 3]) is None  # equal is vacuous
    assert nonvacuous_from([np.inf, 1], 3) == 2
    for args, word in ((([], 3), "non-empty"), (([1, np.nan], 3), r"bound\[1\]=nan"), (([1, 2], [1, 2, 3]), "shape")):
        with pytest.raises(InputError, match=word):
            nonvacuous_from(*args)


def test_vacuity_search_edges() -> None:
    assert nonvacuous_from_callable(lambda t: 0.5 * t, lambda t: t) == 1
    assert nonvacuous_from_callable(lambda t: 0.5 * t, lambda t: t, start=17) == 17
    assert nonvacuous_from_callable(lambda t: 2 * t, lambda t: t) is None
    assert nonvacuous_from_callable(lambda t: 1e19, lambda t: t) is None  # beyond 1e18
    assert nonvacuous_from_callable(lambda t: 10**17, lambda t: t) == 10**17 + 9
    # floats near 1e17 are 16 apart, and 10**17 + 9 is the first integer that rounds to the next one
    for exact in (1, 2, 3, 4, 5, 1023, 1024, 1025, 999_983):
        assert nonvacuous_from_callable(lambda t, k=exact: k - 0.5, lambda t: t) == exact
    assert nonvacuous_from_callable(lambda t: 99.5, lambda t: t, t_max=100) == 100
    assert nonvacuous_from_callable(lambda t: 100, lambda t: t, t_max=100) is None
    with pytest.raises(InputError, match=r"bound\(1\)=nan"):
        nonvacuous_from_callable(lambda t: math.nan, lambda t: t)
    with pytest.raises(InputError, match="start"):
        nonvacuous_from_callable(lambda t: 1, lambda t: t, start=11, t_max=10)


def test_vacuity_search_restarts_where_the_assumption_fails() -> None:
    """Below trivial at 1 (log 1 = 0), vacuous again; and a bump behind the first crossing: the last crossing counts."""
    assert 30 * math.log(151) < 151 and 30 * math.log(150) > 150
    assert nonvacuous_from_callable(lambda t: 30 * math.log(t), lambda t: t) == 151
    # below from 50 on but for a bump on 58..59, between the grid points 32 and 64, where bisection does not look
    bump = nonvacuous_from_callable(lambda t: 1e3 if 58 <= t <= 59 else 49.5, lambda t: t)
    assert bump == 60


def brute_holm(p: list[float], alpha: float) -> list[bool]:
    """Closed testing with Bonferroni for every intersection: what Holm shortcuts."""
    m = len(p)
    sets = [s for k in range(1, m + 1) for s in itertools.combinations(range(m), k)]
    return [all(min(p[j] for j in s) <= alpha / len(s) for s in sets if i in s) for i in range(m)]


def brute_e_holm(e: list[float], alpha: float) -> list[bool]:
    m = len(e)
    sets = [s for k in range(1, m + 1) for s in itertools.combinations(range(m), k)]
    return [all(max(e[j] for j in s) >= len(s) / alpha for s in sets if i in s) for i in range(m)]


def test_multiplicity_against_brute_force() -> None:
    rng = np.random.default_rng(3)
    seen: set[int] = set()
    for _ in range(300):
        p = rng.beta(0.2, 1.0, size=5)
        p[rng.integers(5)] = p[rng.integers(5)]  # ties
        e = np.exp(rng.exponential(4.0, size=5))
        alpha = 0.05
        assert holm(p, alpha).tolist() == brute_holm(p.tolist(), alpha)
        assert e_holm(e, alpha).tolist() == brute_e_holm(e.tolist(), alpha)
        k = max((k for k in range(1, 6) if np.sort(e)[-k] >= 5 / (k * alpha)), default=0)
        assert e_bh(e, alpha).sum() == k
        assert not k or e[e_bh(e, alpha)].min() >= np.sort(e)[-k]
        seen.add(k)
    assert len(seen) >= 5  # the sample exercises small and large rejection sets


def test_multiplicity_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005], 0.05).tolist() == [True, False, False, True]
    # e-BH, m = 4, alpha 0.05: thresholds 80, 40, 26.7, 20; the 25 at rank 3 fails, the 21 at rank 4 carries all
    assert e_bh([100, 25, 45, 21], 0.05).tolist() == [True] * 4
    assert e_bh([100, 25, 45, 19], 0.05).tolist() == [True, False, True, False]
    assert e_holm([100, 25, 45, 21], 0.05).tolist() == [True, False, False, False]
    assert e_bh([np.inf, 0, 0], 0.05).tolist() == [True, False, False]
    for f in (holm, e_holm, e_bh):
        assert f([], 0.05).size == 0
        for bad, word in (([0.5, -1], r"\[1\]=-1.0"), ([np.nan], "nan"), ([[0.5]], "shape")):
            with pytest.raises(InputError, match=word):
                f(bad, 0.05)
        with pytest.raises(InputError, match="alpha"):
            f([0.5], 1.0)
    with pytest.raises(InputError, match=r"p\[0\]=1.5"):
        holm([1.5], 0.05)


def test_e_bh_keeps_the_false_discovery_rate_under_full_dependence() -> None:
    """All e-values equal one variable, 1/p with probability p and 0 else: it may reject only where p <= alpha."""
    alpha = 0.05
    for p in (0.06, 0.05, 0.01):
        rejected = e_bh(np.full(20, 1 / p), alpha).any()
        assert bool(rejected) == (p <= alpha)


def test_imports_stay_light() -> None:
    code = "import sys, theorylab.stats; print('scipy.stats' in sys.modules, 'scipy.optimize' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
