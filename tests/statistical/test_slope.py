"""Slopes of growth: predicted against simulated errors, local slopes, the rule of stability, bootstrap, errors."""

from __future__ import annotations

import math

import numpy as np
import pytest

from theorylab.errors import InputError
from theorylab.stats.slope import bootstrap, curvature, from_samples, local, stable_from, weighted

T = 2.0 ** np.arange(9, 17)
CV = 0.55


def generator(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=seed))


def noisy(mean: np.ndarray, R: int, seed: int, cv: float = CV) -> np.ndarray:
    """(m, R) positive replicates with the given means and coefficient of variation."""
    shape = cv**-2
    return generator(seed).gamma(shape, 1 / shape, size=(mean.size, R)) * mean[:, None]


@pytest.mark.parametrize(("R", "noted"), [(50, 0.017), (200, 0.009), (1000, 0.004)])
def test_standard_error_predicted_printed_and_measured(R: int, noted: float) -> None:
    predicted = CV / (math.log(2) * math.sqrt(R * 8 * 63 / 12))
    runs = 400
    fits = [weighted(T, *from_samples(noisy(T**0.5, R, 100 + i))) for i in range(runs)]
    values = np.array([f.value for f in fits])
    assert abs(values.mean() - 0.5) < 4 * predicted / math.sqrt(runs)
    assert values.std() == pytest.approx(predicted, rel=4 / math.sqrt(2 * runs))
    assert values.std() == pytest.approx(noted, abs=0.0005 + 4 * noted / math.sqrt(2 * runs))
    assert np.mean([f.se for f in fits]) == pytest.approx(predicted, rel=0.05)
    # one-sided limits err on each side with probability alpha
    miss = np.mean([[f.limits(0.05)[0] > 0.5, f.limits(0.05)[1] < 0.5] for f in fits], axis=0)
    assert (miss <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / runs)).all() and (miss > 0.01).all()


def test_mean_and_its_standard_error() -> None:
    mean, se = from_samples([[1.0, 2.0, 6.0], [4.0, 4.0]])
    assert mean.tolist() == [3.0, 4.0] and se == pytest.approx([math.sqrt(7 / 3), 0.0])


def test_slope_is_the_least_squares_solution() -> None:
    rng = generator(1)
    t, mean = np.sort(rng.uniform(1, 100, 6)), rng.uniform(1, 5, 6)
    se = mean * rng.uniform(0.02, 0.3, 6)
    X = np.stack([np.log(t), np.ones(6)], axis=1) * (mean / se)[:, None]
    solution = np.linalg.lstsq(X, np.log(mean) * mean / se, rcond=None)[0]
    found = weighted(t, mean, se)
    assert (found.value, found.intercept) == pytest.approx(tuple(solution), rel=1e-10)
    assert found.se == pytest.approx(np.sqrt(np.linalg.inv(X.T @ X)[0, 0]), rel=1e-10)


def test_curvature_is_the_quadratic_coefficient() -> None:
    rng = generator(2)
    mean = rng.uniform(1, 5, 8)
    se = mean * rng.uniform(0.02, 0.3, 8)
    x = np.log(T)
    X = np.stack([np.ones(8), x, x**2], axis=1) * (mean / se)[:, None]
    value, error = curvature(T, mean, se)
    assert value == pytest.approx(np.linalg.lstsq(X, np.log(mean) * mean / se, rcond=None)[0][2], rel=1e-8)
    assert error == pytest.approx(np.sqrt(np.linalg.inv(X.T @ X)[2, 2]), rel=1e-6)


def test_the_floor_bounds_the_weight_of_a_precise_size() -> None:
    """A size without noise would fix the line alone: with the floor it counts like one with 1 %."""
    mean = T**0.5
    exact, floored = np.zeros(8), 0.01 * mean
    assert weighted(T, mean, exact) == weighted(T, mean, floored)
    assert weighted(T, mean, exact, floor=0.05).se == pytest.approx(5 * weighted(T, mean, exact).se)
    with pytest.raises(InputError, match=r"floor=0.0 is not positive"):
        weighted(T, mean, exact, floor=0.0)


def test_local_slopes_on_any_grid() -> None:
    t = np.array([10.0, 20.0, 60.0, 61.0])
    found = local(t, 3 * t**0.7, 0.02 * t**0.7)
    assert found.value == pytest.approx(np.full(3, 0.7))
    s = np.full(4, 0.01)  # 0.02/3 is below the floor
    assert found.se == pytest.approx(np.hypot(s[1:], s[:-1]) / np.diff(np.log(t)))
    assert found.high - found.low == pytest.approx(2 * 1.6448536 * found.se, rel=1e-6)
    inside = np.zeros(7)
    for i in range(300):
        b = local(T, *from_samples(noisy(np.log(T), 50, 500 + i)), alpha=0.025)
        truth = np.diff(np.log(np.log(T))) / math.log(2)
        inside += (b.low <= truth) & (truth <= b.high)
    assert (np.abs(inside / 300 - 0.95) < 3.5 * math.sqrt(0.05 * 0.95 / 300) + 0.01).all()


def test_stable_from_drops_a_transient_and_nothing_else() -> None:
    """Linear up to 2^11, then sqrt T: the start is dropped. Without a transient the whole sweep is kept, mostly."""
    mean = np.where(T < 2**11, T, 2**11 * (T / 2**11) ** 0.5)
    quiet = 0.02 * mean
    assert stable_from(T, mean, quiet) == 2
    assert stable_from(T, T**0.5, quiet / mean * T**0.5) == 0
    assert stable_from(T, np.exp(0.05 * np.arange(8.0) ** 3), np.zeros(8)) is None
    kept = [stable_from(T, *from_samples(noisy(T**0.5, 200, 900 + i))) for i in range(300)]
    # two differences within 2 se each: at most 2 * 4.6 % of the sweeps lose their first size
    assert 0.85 < np.mean([k == 0 for k in kept]) <= 0.97
    found = [stable_from(T, *from_samples(noisy(mean, 200, 900 + i))) for i in range(300)]
    assert np.mean([k is not None and k in (1, 2) for k in found]) > 0.7


@pytest.mark.parametrize("R", [20, 200])
def test_bootstrap_covers_and_agrees_with_the_delta_method(R: int) -> None:
    runs, miss, width = 150, np.zeros(2), []
    for i in range(runs):
        x = noisy(T**0.5, R, 2000 + i)
        low, high = bootstrap(T, x, draws=400, seed=i)
        miss += np.array([low > 0.5, high < 0.5])
        width.append((high - low) / np.subtract(*weighted(T, *from_samples(x)).limits(0.05)[::-1]))
    # at R = 20 resampled sds are too small by sqrt(19/20) and skewness shows: 0.07 in place of 0.05
    assert (miss / runs <= (0.05 if R == 200 else 0.07) + 3 * math.sqrt(0.05 * 0.95 / runs)).all() and miss.sum() > 0
    assert np.mean(width) == pytest.approx(1.0, abs=0.06)


def test_bootstrap_of_shared_curves() -> None:
    """Curves that differ by a factor alone have one slope: resampling whole curves sees it."""
    factor = generator(3).uniform(0.5, 2.0, 40)
    curves = T[:, None] ** 0.5 * factor
    low, high = bootstrap(T, curves, shared=True)
    assert high - low < 1e-9 and low == pytest.approx(0.5)
    low, high = bootstrap(T, curves)
    assert high - low > 0.03
    assert bootstrap(T, curves, seed=1) == bootstrap(T, curves, seed=1) != bootstrap(T, curves, seed=2)
    ragged = [row[: 10 + j] for j, row in enumerate(curves)]
    assert bootstrap(T, ragged)[0] < 0.5
    with pytest.raises(InputError, match="shared curves have"):
        bootstrap(T, ragged, shared=True)


def test_errors_name_the_entry() -> None:
    mean, se = T**0.5, 0.1 * T**0.5
    nan, bad = mean.copy(), mean.copy()
    nan[3], bad[4] = np.nan, 0.0
    x = noisy(mean, 5, 4)
    for call, text in (
        (lambda: weighted([8.0], [1.0], [0.1]), r"T has shape \(1,\); give at least 2 sizes"),
        (lambda: weighted([8, 16, 16], mean[:3], se[:3]), r"T\[2\]=16.0 is not larger than T\[1\]=16.0"),
        (lambda: weighted([0, 8], mean[:2], se[:2]), r"T\[0\]=0.0 is not positive"),
        (lambda: weighted(T, nan, se), r"mean\[3\]=nan"),
        (lambda: weighted(T, bad, se), r"mean\[4\]=0.0 must be positive"),
        (lambda: weighted(T, mean[:5], se), r"mean has shape \(5,\) and T has 8 sizes"),
        (lambda: weighted(T, mean, -se), r"se\[0\]=-.* must be at least 0"),
        (lambda: stable_from(T[:3], mean[:3], se[:3]), "give at least 4 sizes"),
        (lambda: curvature(T[:2], mean[:2], se[:2]), "give at least 3 sizes"),
        (lambda: from_samples([[1.0, 2.0], [3.0]]), r"samples\[1\] has shape \(1,\); give at least 2 replicates"),
        (lambda: from_samples([[1.0, 2.0], [3.0, np.inf]]), r"samples\[1\]\[1\]=inf"),
        (lambda: bootstrap(T, x.T), r"mean has shape \(5,\) and T has 8 sizes"),
        (lambda: bootstrap(T, x, draws=3), "draws=3 is not a count"),
        (lambda: bootstrap(T[:2], [[0.0, 0.0, 1.0], [1.0, 2.0, 3.0]]), r"samples\[0\]: a resampled mean"),
    ):
        with pytest.raises(InputError, match=text):
            call()
