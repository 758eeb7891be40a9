"""Values, limits and errors of the Bernoulli statistics; validity for real-valued observations in [0,1]."""

from __future__ import annotations

import math

import flint
import numpy as np
import pytest
from scipy import special, stats

from theorylab.errors import InputError
from theorylab.stats import (
    boundary,
    clopper_pearson_lower,
    clopper_pearson_upper,
    interval,
    log_e_refute,
    log_e_support,
    n_support,
    step,
    zero_violation_stop,
)


def ball(x: float, n: int, delta: float, refute: bool) -> float:
    """The formula in ball arithmetic; the precision covers the magnitude of the smallest tail."""
    with flint.ctx.workprec(4000 if n <= 10**4 else 700):
        half, d = flint.arb("0.5"), flint.arb(delta)
        a, b = half + flint.arb(x), half + flint.arb(n) - flint.arb(x)
        low, high = (a, b, d), (b, a, 1 - d)  # either tail as a lower tail of the variable or of its reflection
        wanted, other = (high, low) if refute else (low, high)
        if (x + 0.5 > (n + 1) * delta) == refute:  # the large tail, from the small one, which converges
            post = 1 - other[2].beta_lower(other[0], other[1], regularized=True)
        else:
            post = wanted[2].beta_lower(wanted[0], wanted[1], regularized=True)
        prior = wanted[2].beta_lower(half, half, regularized=True)
        log_b = a.lgamma() + b.lgamma() - flint.arb(n + 1).lgamma() - flint.arb.pi().log()
        value = log_b + (post / prior).log() - flint.arb(x) * d.log() - (flint.arb(n) - flint.arb(x)) * (1 - d).log()
        assert float(value.rad()) < 1e-12
        return float(value.mid())


@pytest.mark.parametrize("delta", [0.5, 0.1, 0.01, 0.999])
@pytest.mark.parametrize(
    ("x", "n"), [(0, 0), (0, 1), (1, 1), (3, 50), (2.25, 50), (50, 50), (0, 2000), (700.5, 2000), (2000, 2000)]
)
def test_against_ball_arithmetic(x: float, n: int, delta: float) -> None:
    assert float(log_e_refute(x, n, delta)) == pytest.approx(ball(x, n, delta, True), rel=1e-12, abs=1e-10)
    assert float(log_e_support(x, n, delta)) == pytest.approx(ball(x, n, delta, False), rel=1e-12, abs=1e-10)


def test_underflow_is_finite_and_right() -> None:
    """At n = 1e6 the posterior mass of the wrong side is far below the least float; the value is still finite."""
    assert special.betaincc(0.5, 10**6 + 0.5, 0.1) == 0.0  # the plain formula gives log 0
    x = np.array([0, 1, 10, 1e4, 99_000, 1e5, 101_000, 5e5, 999_999, 1e6])
    for delta in (1e-300, 1e-9, 0.1, 0.5, 1 - 1e-12):
        for n in (10**6, 10**9):
            for value in (log_e_refute(x, n, delta), log_e_support(x, n, delta)):
                assert np.isfinite(value).all()
    # and right, at a size where the tail of 1e-4577 is still cheap in ball arithmetic
    assert ball(0, 10**5, 0.1, True) == pytest.approx(float(log_e_refute(0, 10**5, 0.1)), abs=1e-9)
    assert ball(10**5, 10**6, 0.1, True) == pytest.approx(float(log_e_refute(10**5, 10**6, 0.1)), abs=1e-8)
    assert ball(10**5, 10**5, 0.1, False) == pytest.approx(float(log_e_support(10**5, 10**5, 0.1)), abs=1e-9)


def test_no_step_where_the_continued_fraction_takes_over() -> None:
    """log E is smooth in x: a jump at the switch of method would show in the second difference."""
    for f in (log_e_refute, log_e_support):
        v = f(np.linspace(0, 4000, 4001), 4000, 0.3)
        assert np.abs(np.diff(v, 2)).max() < 2.0 * np.abs(np.diff(v, 2))[[0, -1]].max()
        assert np.abs(np.diff(v, 3)[100:-100]).max() < 1e-4
    assert (np.diff(log_e_refute(np.arange(4001), 4000, 0.3)) > 0).all()
    assert (np.diff(log_e_support(np.arange(4001), 4000, 0.3)) < 0).all()


def test_broadcasting() -> None:
    table = log_e_refute(np.arange(4)[:, None], np.array([3, 5]), 0.2)
    assert table.shape == (4, 2)
    assert table[2, 1] == log_e_refute(2, 5, 0.2)
    assert log_e_support(0, 0, 0.2) == pytest.approx(0.0, abs=1e-14)  # no data, E = 1


@pytest.mark.parametrize(
    ("delta", "alpha", "n_max"), [(0.1, 0.05, 300), (0.5, 0.3, 97), (0.9, 0.01, 64), (0.01, 0.001, 400), (0.3, 0.05, 0)]
)
def test_boundary_against_brute_force(delta: float, alpha: float, n_max: int) -> None:
    hi, lo = boundary(delta, alpha, n_max)
    assert hi.dtype == lo.dtype == np.int64 and hi.shape == lo.shape == (n_max + 1,)
    for n in range(n_max + 1):
        x = np.arange(n + 1)
        up = np.flatnonzero(log_e_refute(x, n, delta) >= math.log(1 / alpha))
        down = np.flatnonzero(log_e_support(x, n, delta) >= math.log(1 / alpha))
        assert hi[n] == (up[0] if up.size else n + 1)
        assert lo[n] == (down[-1] if down.size else -1)


def test_boundary_levels_and_step() -> None:
    hi, lo = boundary(0.1, 0.001, 200, alpha_support=0.01)
    assert (hi == boundary(0.1, 0.001, 50_000)[0][:201]).all()  # a longer table starts with the shorter one
    assert (lo == boundary(0.1, 0.01, 200)[1]).all() and (lo != boundary(0.1, 0.001, 200)[1]).any()
    assert step(hi, lo, 0, 52) is None
    assert step(hi, lo, 0, 53) == "support"
    assert step(hi, lo, int(hi[20]), 20) == "refute"
    assert step(hi, lo, int(hi[20]) - 1, 20) is None
    assert step(hi, lo, 0, 0) is None
    with pytest.raises(ValueError, match="read-only"):
        hi[0] = 0


@pytest.mark.parametrize(("x", "n"), [(0, 10), (3, 10), (10, 10), (17, 400), (2.5, 40), (0, 10**6), (5e5, 10**6)])
def test_interval_ends_solve_the_equation(x: float, n: int) -> None:
    low, high = interval(x, n, 0.05)
    assert low <= x / n <= high

    def log_mixture(p: float) -> float:
        likelihood = special.xlogy(x, p) + special.xlog1py(n - x, -p)
        return float(special.betaln(x + 0.5, n - x + 0.5) - math.log(math.pi) - likelihood)

    for end, edge in ((low, 0.0), (high, 1.0)):
        if end == edge:
            assert x == (0 if edge == 0.0 else n)
        else:
            assert log_mixture(end) == pytest.approx(math.log(20), abs=1e-7)
    # nested in alpha, symmetric, and all of [0,1] without data
    assert interval(x, n, 0.001)[0] <= low and interval(x, n, 0.001)[1] >= high
    assert interval(n - x, n, 0.05)[0] == pytest.approx(1 - high, abs=1e-9)
    assert interval(0, 0, 0.05) == (0.0, 1.0)


@pytest.mark.parametrize("p", [0.5, 0.1, 0.02])
def test_interval_covers_at_all_times_exactly(p: float) -> None:
    """P(some n <= 600 has p outside the interval), by dynamic programming over (n, x): at most alpha."""
    n_max, alpha = 600, 0.1
    alive, missed = np.ones(1), 0.0
    for n in range(1, n_max + 1):
        g = np.zeros(n + 1)
        g[:-1] = alive * (1 - p)
        g[1:] += alive * p
        # invert once per n: the counts whose interval misses p are those with mixture/likelihood(p) >= 1/alpha
        x = np.arange(n + 1)
        ratio = special.betaln(x + 0.5, n - x + 0.5) - math.log(math.pi) - x * math.log(p) - (n - x) * math.log1p(-p)
        out = ratio >= math.log(1 / alpha)
        if n in (40, 600):
            ends = np.array([interval(int(k), n, alpha) for k in x])
            assert (out == ((ends[:, 0] >= p) | (ends[:, 1] <= p))).all()
        missed += g[out].sum()
        alive = np.where(out, 0.0, g)
    assert 0.1 * alpha < missed <= alpha


def test_clopper_pearson_against_scipy() -> None:
    for n in (1, 5, 30, 1000):
        for x in sorted({0, 1, n // 3, n - 1, n}):
            for a in (0.05, 0.001):
                upper = stats.binomtest(x, n, alternative="less").proportion_ci(1 - a).high
                lower = stats.binomtest(x, n, alternative="greater").proportion_ci(1 - a).low
                assert float(clopper_pearson_upper(x, n, a)) == pytest.approx(upper, rel=1e-9)
                assert float(clopper_pearson_lower(x, n, a)) == pytest.approx(lower, rel=1e-9)
    assert float(clopper_pearson_upper(0, 0, 0.05)) == 1.0 and float(clopper_pearson_lower(0, 0, 0.05)) == 0.0
    # a level below the spacing of floats near 1 is not lost: upper(0, n) = 1 - a^(1/n)
    assert float(clopper_pearson_upper(0, 100, 1e-20)) == pytest.approx(-math.expm1(math.log(1e-20) / 100), rel=1e-12)
    assert (np.diff(clopper_pearson_upper(np.arange(31), 30, 0.05)) > 0).all()


def laws(mean: float) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Laws on [0,1] with this mean (< 1/2) as quadrature nodes and weights."""
    t, w = special.roots_legendre(40)
    b = 2.0 * (1 - mean) / mean  # Beta(2, b)
    s, v = special.roots_jacobi(40, b - 1, 1.0)
    return {
        "coin": (np.array([0.0, 1.0]), np.array([1 - mean, mean])),
        "two points": (np.array([mean / 2, 1.0]), np.array([1 - mean, mean / 2]) / (1 - mean / 2)),
        "uniform": (mean * (1 + t), w / 2),
        "beta": ((1 + s) / 2, v / v.sum()),
    }


@pytest.mark.parametrize("delta", [0.3, 0.1, 0.02])
@pytest.mark.parametrize("name", ["coin", "two points", "uniform", "beta"])
def test_real_observations_one_step_mean_at_most_one(name: str, delta: float) -> None:
    """E[E_{n+1} / E_n | past] for X in [0,1] of mean delta, from many states: 1 for coins, below 1 for the others."""
    node, weight = laws(delta)[name]
    assert weight.sum() == pytest.approx(1) and weight @ node == pytest.approx(delta)
    for f in (log_e_refute, log_e_support):
        for x, n in ((0, 0), (0.3, 1), (2.7, 20), (delta * 200, 200), (60.5, 100)):
            ratio = np.exp(f(x + node, n + 1, delta) - f(x, n, delta))
            if name == "coin":
                assert weight @ ratio == pytest.approx(1, abs=1e-10)
            else:
                assert weight @ ratio < 1 - 1e-8
    # the other side of delta, and the wrong null: a mean above delta must be able to raise E_refute
    node, weight = laws(1.6 * delta)[name]
    assert weight @ np.exp(log_e_support(5 + node, 101, delta) - log_e_support(5, 100, delta)) < 1
    x = 2 * delta * 1000
    assert weight @ np.exp(log_e_refute(x + node, 1001, delta) - log_e_refute(x, 1000, delta)) > 1


def test_convexity_is_needed_from_above() -> None:
    """One factor (q/d)^X ((1-q)/(1-d))^(1-X) lies under its chord inside (0,1), strictly, and meets it at 0 and 1."""
    t = np.linspace(0, 1, 101)
    for q, d in ((0.3, 0.1), (0.05, 0.1), (0.99, 0.5)):
        factor = (q / d) ** t * ((1 - q) / (1 - d)) ** (1 - t)
        chord = t * q / d + (1 - t) * (1 - q) / (1 - d)
        assert (factor[1:-1] < chord[1:-1]).all()
        assert factor[[0, -1]] == pytest.approx(chord[[0, -1]])


def test_real_observations_sup_by_simulation() -> None:
    """sup over n <= 200 of both processes on real data of mean delta: 1,000 paths a law, crossings at most alpha."""
    rng = np.random.default_rng(20261101)
    delta, alpha, n = 0.2, 0.1, np.arange(1, 201)
    for b_mean, expect_cross in ((delta, False), (0.4, True)):
        # the law on {0.05, 1} is nearly a coin: the hardest of the real laws, while Beta(2, b) is an easy one
        high = (b_mean - 0.05) / 0.95
        draws = [
            rng.beta(2.0, 2.0 * (1 - b_mean) / b_mean, size=(1000, n.size)),
            np.where(rng.random((1000, n.size)) < high, 1.0, 0.05),
        ]
        for x in draws:
            crossed = (log_e_refute(np.minimum(np.cumsum(x, axis=1), n), n, delta) >= math.log(1 / alpha)).any(axis=1)
            if expect_cross:
                assert crossed.mean() > 0.95
            else:
                assert crossed.mean() <= alpha + 3 * math.sqrt(alpha * (1 - alpha) / 1000)
                low = log_e_support(np.minimum(np.cumsum(x, axis=1), n), n, delta) >= math.log(1 / alpha)
                assert low.any(axis=1).mean() <= alpha + 3 * math.sqrt(alpha * (1 - alpha) / 1000)


@pytest.mark.parametrize("bad", [0, 1, -0.1, 1.5, math.nan, math.inf, "x", None])
def test_levels_outside_the_unit_interval(bad: object) -> None:
    calls = [
        lambda: log_e_refute(1, 2, bad),
        lambda: log_e_support(1, 2, bad),
        lambda: boundary(bad, 0.05, 10),
        lambda: boundary(0.1, bad, 10),
        lambda: interval(1, 2, bad),
        lambda: clopper_pearson_upper(1, 2, bad),
        lambda: clopper_pearson_lower(1, 2, bad),
        lambda: n_support(bad, 0.05),
        lambda: n_support(0.1, bad),
        lambda: zero_violation_stop(bad, 0.05),
        lambda: zero_violation_stop(0.1, bad),
    ]
    for call in calls:
        with pytest.raises(InputError, match=r"(delta|alpha|a)="):
            call()


@pytest.mark.parametrize(
    ("x", "n", "word"),
    [
        (-1, 5, "at least 0"),
        (6, 5, "at most n"),
        (math.nan, 5, "x="),
        (1, math.nan, "n="),
        (1, 2.5, "whole"),
        (1, math.inf, "n="),
    ],
)
def test_bad_counts(x: float, n: float, word: str) -> None:
    for f in (log_e_refute, log_e_support, interval, clopper_pearson_upper, clopper_pearson_lower):
        with pytest.raises(InputError, match=word):
            f(x, n, 0.1)


def test_bad_input_names_the_entry() -> None:
    with pytest.raises(InputError, match=r"x=7.0, n=5.0 at \[2\]"):
        log_e_refute([1, 2, 7], 5, 0.1)
    with pytest.raises(InputError, match="whole number of violations"):
        clopper_pearson_upper(1.5, 5, 0.1)
    with pytest.raises(InputError, match="broadcast"):
        log_e_refute([1, 2], [3, 4, 5], 0.1)
    with pytest.raises(InputError, match="one pair"):
        interval([1, 2], 5, 0.1)
    with pytest.raises(InputError, match="n_max"):
        boundary(0.1, 0.05, -1)
    with pytest.raises(InputError, match="n_max"):
        boundary(0.1, 0.05, 10**9)
    with pytest.raises(InputError, match="c="):
        n_support(0.1, 0.05, -1)
    hi, lo = boundary(0.1, 0.05, 10)
    for x, n in ((0, 11), (0, -1), (3, 2), (-1, 2), (math.nan, 2), (0, 1.5)):
        with pytest.raises(InputError):
            step(hi, lo, x, n)
