"""Betting on means: exact expectations over all sequences, false alarms, the interval, the table of widths."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from theorylab.errors import InputError
from theorylab.stats import boundary, log_e_refute, step
from theorylab.stats.mean import first_crossing, from_range, interval, log_capital
from theorylab.stats.stream import Stream


def generator(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=seed))


def all_sequences(values: tuple[float, ...], n: int) -> np.ndarray:
    return np.array(list(itertools.product(values, repeat=n)))


def law(sequences: np.ndarray, values: tuple[float, ...], p: tuple[float, ...]) -> np.ndarray:
    weight = np.ones(len(sequences))
    for v, q in zip(values, p, strict=True):
        weight *= q ** (sequences == v).sum(axis=1)
    return weight


def slow_capital(x: list[float], m: float, side: str, alpha: float, fixed_n: int | None, look_ahead: int = 0) -> float:
    """Transcription of the formulas, one replicate at a time. `look_ahead=1` is a fault: the bet sees its outcome."""
    capital, cap = 1.0, 0.5 / (m if side == "above" else 1 - m)
    for i in range(1, len(x) + 1):
        past = x[: i - 1 + look_ahead]
        v = 0.25
        for j in range(1, len(past) + 1):
            v += (past[j - 1] - (0.5 + sum(past[:j])) / (j + 1)) ** 2
        v /= len(past) + 1
        bet = math.sqrt(2 * math.log(1 / alpha) / (v * (fixed_n or i * math.log(1 + i))))
        capital *= 1 + (1 if side == "above" else -1) * min(bet, cap) * (x[i - 1] - m)
    return capital


BINARY = all_sequences((0.0, 1.0), 12)


@pytest.mark.parametrize("fixed_n", [None, 12])
@pytest.mark.parametrize("alpha", [0.05, 0.001])
@pytest.mark.parametrize("m", [0.02, 0.1, 0.5, 0.9])
def test_expectation_over_all_binary_sequences(m: float, alpha: float, fixed_n: int | None) -> None:
    """Exactly 1 at the boundary after every replicate, below 1 and falling inside the null, above 1 outside."""
    above = np.exp(log_capital(BINARY, m, side="above", alpha=alpha, fixed_n=fixed_n))
    below = np.exp(log_capital(BINARY, m, side="below", alpha=alpha, fixed_n=fixed_n))
    at = law(BINARY, (0.0, 1.0), (1 - m, m))
    assert np.abs(at @ above - 1).max() < 1e-12 and np.abs(at @ below - 1).max() < 1e-12
    low, high = law(BINARY, (0.0, 1.0), (1 - m / 2, m / 2)), law(BINARY, (0.0, 1.0), ((1 - m) / 2, (1 + m) / 2))
    for inside, outside, capital in ((low, high, above), (high, low, below)):
        assert (np.diff(inside @ capital) < 0).all() and (inside @ capital)[0] < 1
        assert (np.diff(outside @ capital) > 0).all() and (outside @ capital)[0] > 1


def test_expectation_over_real_values_and_a_changing_law() -> None:
    """A martingale needs the conditional mean alone: three values, and a second half with another law of mean m."""
    values, m = (0.0, 0.3, 1.0), 0.34
    x = all_sequences(values, 8)
    first, second = (0.24, 0.6, 0.16), (0.66, 0.0, 0.34)
    assert np.dot(values, first) == pytest.approx(m) and np.dot(values, second) == pytest.approx(m)
    weight = law(x[:, :4], values, first) * law(x[:, 4:], values, second)
    assert weight.sum() == pytest.approx(1.0)
    for side in ("above", "below"):
        assert weight @ np.exp(log_capital(x, m, side=side, alpha=0.05)) == pytest.approx(np.ones(8), abs=1e-12)


def test_a_bet_that_sees_its_outcome_fails_the_same_sum() -> None:
    """With three values the variance that includes X_i bets more when X_i = m, less otherwise: no martingale."""
    x = all_sequences((0.0, 0.5, 1.0), 7)
    at = law(x, (0.0, 0.5, 1.0), (0.2, 0.6, 0.2))
    honest = at @ np.array([slow_capital(list(s), 0.5, "above", 0.9, None) for s in x])
    cheat = at @ np.array([slow_capital(list(s), 0.5, "above", 0.9, None, look_ahead=1) for s in x])
    assert honest == pytest.approx(1.0, abs=1e-12) and cheat > 1.02


@pytest.mark.parametrize("side", ["above", "below"])
@pytest.mark.parametrize("fixed_n", [None, 40])
def test_the_vectorised_capital_is_the_formula(side: str, fixed_n: int | None) -> None:
    x = generator(1).beta(2, 5, size=(3, 40))
    for m in (0.05, 0.3, 0.9):
        table = log_capital(x, m, side=side, alpha=0.01, fixed_n=fixed_n)
        for r, i in ((0, 1), (1, 17), (2, 40)):
            expected = math.log(slow_capital(list(x[r, :i]), m, side, 0.01, fixed_n))
            assert table[r, i - 1] == pytest.approx(expected, abs=1e-12)
        assert np.array_equal(table[1], log_capital(x[1], m, side=side, alpha=0.01, fixed_n=fixed_n))


def beta_2_50(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    return rng.beta(2, 50, size=size)


def coin(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    return (rng.random(size) < 0.02).astype(float)


def two_point(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    return np.where(rng.random(size) < 0.3, 0.9, 0.2)


LAWS: list[tuple[Callable[[np.random.Generator, tuple[int, int]], np.ndarray], float]] = [
    (beta_2_50, 2 / 52),
    (coin, 0.02),
    (two_point, 0.41),
]


@pytest.mark.parametrize(("draw", "m"), LAWS)
def test_false_alarms_at_the_boundary_uniformly_in_n(draw: Callable[..., np.ndarray], m: float) -> None:
    """2,000 sequences of 1,000: the capital ever reaches 1/alpha at most alpha + 3 se often, on either side."""
    x, alpha, runs = draw(generator(2), (2000, 1000)), 0.05, 2000
    limit = alpha + 3 * math.sqrt(alpha * (1 - alpha) / runs)
    for side in ("above", "below"):
        for fixed_n in (None, 1000):
            ever = (log_capital(x, m, side=side, alpha=alpha, fixed_n=fixed_n) >= math.log(1 / alpha)).any(axis=1)
            assert ever.mean() <= limit
    # the test can fail: with half the mean as candidate the capital against mean <= m/2 crosses
    ever = (log_capital(x, m / 2, side="above", alpha=alpha) >= math.log(1 / alpha)).any(axis=1)
    assert ever.mean() > 5 * limit


def test_first_crossing_is_the_first_on_either_side() -> None:
    x = beta_2_50(generator(3), (1, 2000))[0]
    up = log_capital(x, 0.02, side="above", alpha=0.001) >= math.log(1000)
    down = log_capital(x, 0.08, side="below", alpha=0.01) >= math.log(100)
    assert first_crossing(x, 0.02, 0.001, alpha_support=0.01) == ("refute", int(np.argmax(up)) + 1)
    assert first_crossing(x, 0.08, 0.001, alpha_support=0.01) == ("support", int(np.argmax(down)) + 1)
    assert first_crossing(x, 2 / 52, 0.001, alpha_support=0.01) == (None, 2000)
    assert first_crossing([], 0.5, 0.05) == (None, 0)
    word, n = first_crossing(np.ones(100), 0.5, 0.05)
    assert word == "refute" and first_crossing(np.ones(n - 1), 0.5, 0.05) == (None, n - 1)
    assert first_crossing([0.0, 0.3], 0.0, 0.9) == ("refute", 2)  # a mean of 0 leaves no room for a positive value


def test_capitals_are_monotone_in_the_candidate() -> None:
    m = np.linspace(0.0, 1.0, 201)
    for seed in range(5):
        x = generator(seed).random(300) ** (1 + 3 * seed)
        up = np.array([log_capital(x, v, side="above", alpha=0.05) for v in m])
        down = np.array([log_capital(x, v, side="below", alpha=0.05) for v in m])
        assert (np.diff(up, axis=0) <= 1e-12).all() and (np.diff(down, axis=0) >= -1e-12).all()


@pytest.mark.parametrize("n", [1, 30, 400])
def test_the_interval_holds_what_no_capital_has_refuted(n: int) -> None:
    x, alpha = beta_2_50(generator(4), (1, n))[0] * 3, 0.05
    low, high = interval(x, alpha)

    def refuted(m: float, side: str) -> bool:
        return bool((log_capital(x, m, side=side, alpha=alpha / 2) >= math.log(2 / alpha)).any())

    for m in np.linspace(0.0, 1.0, 1001):
        assert (refuted(m, "above") or refuted(m, "below")) == (not low < m < high) or m in (0.0, 1.0)
    # outwards, and by no more than 2e-12
    assert low == 0.0 or (refuted(low, "above") and not refuted(low + 2e-12, "above"))
    assert high == 1.0 or (refuted(high, "below") and not refuted(high - 2e-12, "below"))


def test_interval_is_a_running_intersection() -> None:
    x = coin(generator(5), (1, 1500))[0]
    ends = [interval(x[:n], 0.05) for n in (0, 1, 10, 100, 1000, 1500)]
    assert ends[0] == (0.0, 1.0)
    assert all(a[0] <= b[0] and b[1] <= a[1] for a, b in itertools.pairwise(ends))
    low, high = interval(1 - x, 0.05)
    assert (1 - high, 1 - low) == pytest.approx(ends[-1], abs=3e-12)
    zero = interval(np.zeros(500), 0.05)
    assert zero[0] == 0.0 and 0.0 < zero[1] < 0.02
    # replicates whose mean moves empty the intersection: the ends cross, and say so
    low, high = interval(np.repeat([0.0, 1.0], 300), 0.05)
    assert low > high


def t_interval(x: np.ndarray) -> tuple[float, float]:
    reach = float(stats.t.ppf(0.975, x.size - 1)) * x.std(ddof=1) / math.sqrt(x.size)
    return x.mean() - reach, x.mean() + reach


def hoeffding(x: np.ndarray) -> tuple[float, float]:
    reach = math.sqrt(math.log(2 / 0.05) / (2 * x.size))
    return max(0.0, x.mean() - reach), min(1.0, x.mean() + reach)


def empirical_bernstein(x: np.ndarray) -> tuple[float, float]:
    log = math.log(4 / 0.05)
    reach = math.sqrt(2 * x.var(ddof=1) * log / x.size) + 7 * log / (3 * (x.size - 1))
    return max(0.0, x.mean() - reach), min(1.0, x.mean() + reach)


def lognormal(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    return np.minimum(np.exp(0.5 * rng.standard_normal(size)) / 20, 1.0)


# data, mean, n, widths and coverage (+- 0.04, of 60 repetitions) of: t, Hoeffding, empirical Bernstein, betting
TABLE = [
    (beta_2_50, 2 / 52, 200, (0.0073, 0.134, 0.095, 0.041), (0.98, 1.00)),
    (beta_2_50, 2 / 52, 1000, (0.0033, 0.082, 0.025, 0.0086), (0.95, 0.98)),
    (coin, 0.02, 50, (0.052, 0.213, 0.277, 0.155), (0.65, 1.00)),
    (coin, 0.02, 1000, (0.0171, 0.063, 0.042, 0.0208), (0.92, 0.95)),
    (lognormal, math.exp(0.125) / 20, 1000, (0.0037, 0.086, 0.026, 0.0087), (0.90, 0.98)),
]


@pytest.mark.parametrize(("draw", "mu", "n", "widths", "coverage"), TABLE)
def test_table_of_widths(
    draw: Callable[..., np.ndarray], mu: float, n: int, widths: tuple[float, ...], coverage: tuple[float, float]
) -> None:
    """The table of section 3. Its betting column is the fixed-n tuning read off a grid of step 0.001, first to last
    candidate that is left: one step too narrow on average. The exact ends are wider by that step."""
    x, runs, step_ = draw(generator(7), (60, n)), 60, 0.001
    ends = np.array([[t_interval(v), hoeffding(v), empirical_bernstein(v), interval(v, 0.05, fixed_n=n)] for v in x])
    width = ends[..., 1] - ends[..., 0]
    on_grid = step_ * (np.ceil(ends[:, 3, 1] / step_) - 1 - np.floor(ends[:, 3, 0] / step_) - 1)
    error = 4 * np.sqrt(2) * width.std(axis=0) / math.sqrt(runs) + 0.0006  # of both means, and rounding
    assert (np.abs(width.mean(axis=0) - widths)[:3] <= error[:3]).all()
    assert abs(on_grid.mean() - widths[3]) <= error[3]
    assert on_grid.mean() < width[:, 3].mean() <= on_grid.mean() + 2 * step_
    covered = ((ends[..., 0] <= mu) & (mu <= ends[..., 1])).mean(axis=0)
    for found, noted in ((covered[0], coverage[0]), (covered[3], coverage[1])):
        p = (found + noted) / 2
        assert abs(found - noted) <= 3 * math.sqrt(2 * max(p * (1 - p), 0.01) / runs) + 0.005
    assert covered[1] == covered[2] == 1.0


def test_coverage_of_the_always_valid_interval() -> None:
    """At all n at once, for the default tuning: 300 intervals of 400 coins, at least 95 % - 3 se."""
    x = (generator(8).random((300, 400)) < 0.3).astype(float)
    ends = np.array([interval(v, 0.05) for v in x])
    covered = ((ends[:, 0] <= 0.3) & (0.3 <= ends[:, 1])).mean()
    assert covered >= 0.95 - 3 * math.sqrt(0.05 * 0.95 / 300)
    assert ((ends[:, 0] <= 0.4) & (0.4 <= ends[:, 1])).mean() < 0.5  # and it is no trivial interval


def test_errors_name_the_entry() -> None:
    for call, text in (
        (lambda: log_capital([0.1, 1.2], 0.5, side="above", alpha=0.05), r"x\[1\]=1.2 is outside \[0, 1\]; divide"),
        (lambda: log_capital([[0.1], [-1e-300]], 0.5, side="above", alpha=0.05), r"x\[1,0\]=-1e-300 is outside"),
        (lambda: interval([0.1, float("nan")], 0.05), r"x\[1\]=nan"),
        (lambda: interval([[0.1]], 0.05), r"x has shape \(1, 1\)"),
        (lambda: first_crossing(0.3, 0.5, 0.05), r"x has shape \(\)"),
        (lambda: log_capital([0.1], 1.5, side="above", alpha=0.05), "m=1.5 is not a mean"),
        (lambda: log_capital([0.1], 0.5, side="up", alpha=0.05), "side='up' is unknown"),  # type: ignore[arg-type]
        (lambda: log_capital([0.1], 0.5, side="above", alpha=1.0), "alpha=1.0 is outside"),
        (lambda: log_capital([0.1], 0.5, side="above", alpha=0.05, fixed_n=0), "fixed_n=0 is not a count"),
        (lambda: from_range([3.0, 8.0], 0.0, 7.0), r"values\[1\]=8.0 is outside \[0, 7\]; prove a wider range"),
        (lambda: from_range([3.0], 7.0, 7.0), "low=7.0 is not below high=7.0"),
    ):
        with pytest.raises(InputError, match=text):
            call()


def test_from_range_never_leaves_the_unit_interval() -> None:
    rng = generator(9)
    for _ in range(200):
        low, high = sorted(rng.normal(size=2) * 10.0 ** rng.integers(-5, 6))
        v = from_range(np.append(rng.uniform(low, high, 50), [low, high]), low, high)
        assert (v >= 0).all() and (v <= 1).all() and v[-2] == 0.0 and v[-1] == 1.0


def test_a_stream_takes_replicates_in_index_order_only() -> None:
    """Both processes from one stream, and an order of completion is refused."""
    stream, hi_lo = Stream(first=10), boundary(0.1, 0.05, 100)
    x = coin(generator(3), (1, 60))[0]
    for i, value in enumerate(x):
        stream.add(10 + i, value)
        step(*hi_lo, stream.total, stream.n)
    assert stream.n == 60 and stream.total == x.sum() and np.array_equal(stream.values, x)
    assert log_e_refute(stream.total, stream.n, 0.1) == log_e_refute(x.sum(), 60, 0.1)
    for index in (69, 71):
        with pytest.raises(InputError, match=f"replicate {index} was fed but replicate 70 is next"):
            stream.add(index, 0.0)
    for value in (1.5, -0.1, float("nan"), "x"):
        with pytest.raises(InputError, match="replicate 70"):
            stream.add(70, value)  # type: ignore[arg-type]
    stream.add(70, 1.0)
    assert stream.n == 61
    assert Stream().values.shape == (0,) and interval(Stream().values, 0.05) == (0.0, 1.0)


def test_order_of_completion_breaks_the_level() -> None:
    """Why: losses that finish early are small. Fed so, with a stop at the first crossing, a true claim is refuted."""
    rng, m, alpha, wrong, right = generator(11), 0.5, 0.05, 0, 0
    for _ in range(200):
        x = (rng.random(200) < m).astype(float)
        finished = np.argsort(rng.random(200) - x, kind="stable")  # a violation ends its run early
        wrong += first_crossing(x[finished], m, alpha)[0] == "refute"
        right += first_crossing(x, m, alpha)[0] == "refute"
    assert right / 200 <= alpha + 3 * math.sqrt(alpha * (1 - alpha) / 200) and wrong / 200 > 0.9
