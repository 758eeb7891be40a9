"""Coupled comparisons: levels by enumeration where the sample space is finite, else by simulation with stated error.

Simulated false-alarm rates are compared with alpha + 3 standard errors; wrong variants are put through the same
loops and must fail.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from scipy import special

import theorylab
from bandits.models import bernoulli
from theorylab.errors import InputError
from theorylab.stats.paired import (
    dominance,
    flip,
    mean_difference,
    sign,
    sign_sequential,
    uniform_in_time,
    variance_reduction,
)


def generator(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=seed))


def allowed(alpha: float, runs: int) -> float:
    return alpha + 3.0 * float(np.sqrt(alpha * (1.0 - alpha) / runs))


# sign test


@pytest.mark.parametrize("alpha", [0.05, 0.01])
@pytest.mark.parametrize("n", [1, 7, 20, 41])
def test_sign_has_its_exact_level(n: int, alpha: float) -> None:
    """Sum over all counts: the largest level that the binomial allows, and no more."""
    mass = special.comb(n, np.arange(n + 1)) / 2.0**n
    found = [sign(np.r_[-np.ones(k), np.ones(n - k)], alpha=alpha) for k in range(n + 1)]
    refuted = np.array([c.verdict == "REFUTED" for c in found])
    supported = np.array([c.verdict == "SUPPORTED" for c in found])
    level = mass[refuted].sum()
    assert level <= alpha and mass[supported].sum() == pytest.approx(level)
    assert level + mass[int(refuted.sum())] > alpha  # one more count would be too many
    p = np.array([c.p for c in found])
    assert all(mass[p <= x].sum() <= x + 1e-12 for x in p)


def test_sign_by_hand() -> None:
    found = sign([-1.0, -2.0, 0.0, 3.0, -1.0, -0.5, -1e-300])
    assert (found.n, found.ties, found.estimate) == (6, 1, 5 / 6)
    assert found.p_support == pytest.approx(7 / 64) and found.p_refute == pytest.approx(63 / 64)
    assert found.p == pytest.approx(14 / 64) and found.verdict == "INCONCLUSIVE"
    nothing = sign(np.zeros(4))
    assert (nothing.n, nothing.ties, nothing.p, nothing.estimate) == (0, 4, 1.0, None)
    assert nothing.interval == (0.0, 1.0) and nothing.verdict == "INCONCLUSIVE"


def test_sign_sequential_reads_in_order_and_stops() -> None:
    better = sign_sequential(np.r_[0.0, 0.0, -np.ones(50)], alpha=0.01)
    assert better.verdict == "SUPPORTED" and better.ties == 2 and better.e_support >= 100.0 > better.e_refute  # type: ignore[operator]
    assert sign_sequential(-np.ones(better.n - 1), alpha=0.01).verdict == "INCONCLUSIVE"
    # what comes after the stop is not read
    after = sign_sequential(np.r_[np.zeros(2), -np.ones(50), np.ones(500)], alpha=0.01)
    assert (after.n, after.ties, after.verdict) == (better.n, 2, "SUPPORTED")
    worse = sign_sequential(np.ones(50), alpha=0.01)
    assert worse.verdict == "REFUTED" and worse.n == better.n and worse.estimate == 0.0
    assert worse.interval is not None and worse.interval[1] <= 0.5
    none = sign_sequential(np.zeros(3))
    assert (none.n, none.ties, none.verdict, none.interval) == (0, 3, "INCONCLUSIVE", (0.0, 1.0))


def test_sign_sequential_may_be_looked_at_after_every_replicate() -> None:
    """False alarms of either word along 200 looks, 600 runs; the fixed-n test looked at as often fails."""
    alpha, runs, n = 0.05, 600, 200
    rng, false, peeked = generator(1), {"SUPPORTED": 0, "REFUTED": 0}, 0
    looks = np.arange(1, n + 1)
    for _ in range(runs):
        d = rng.choice([-1.0, 1.0], size=n)
        word = sign_sequential(d, alpha=alpha).verdict
        if word in false:
            false[word] += 1
        above = np.cumsum(d > 0)  # P(Bin(n, 1/2) >= above) after each replicate
        peeked += bool((special.betainc(np.maximum(above, 1e-9), looks - above + 1.0, 0.5) <= alpha).any())
    assert max(false.values()) / runs <= allowed(alpha, runs)
    assert min(false.values()) > 0  # the loop can see one
    assert peeked / runs > 0.2


# sign flips


def test_flip_has_its_exact_level_by_enumeration() -> None:
    """All 2^8 sign patterns of given sizes: the level is the largest multiple of 1/256 that alpha allows."""
    sizes = np.array([0.1, 0.23, 0.41, 0.8, 1.7, 2.9, 6.1, 11.3])  # no two subsets have one sum
    for alpha in (0.05, 0.01):
        patterns = [flip(np.array(s) * sizes, alpha=alpha) for s in itertools.product((-1.0, 1.0), repeat=8)]
        for word in ("REFUTED", "SUPPORTED"):
            assert sum(c.verdict == word for c in patterns) == int(alpha * 256)
        assert sum(c.p <= alpha for c in patterns) == 2 * int(alpha * 128)  # type: ignore[operator]
        assert sorted({c.p_refute for c in patterns}) == [k / 256 for k in range(1, 257)]


def test_flip_counts_equal_sums_as_ties() -> None:
    """0.1 + 0.2 + 0.3 in another order differs in the last bit; the p-value may not."""
    d = np.array([0.1, 0.2, 0.3, -0.3, -0.2, -0.1, 0.7])
    reference = sum(
        np.dot(s, np.rint(10 * d)) >= np.rint(10 * d).sum() for s in itertools.product((-1.0, 1.0), repeat=7)
    )
    for order in (d, d[::-1], np.sort(d), 1e-200 * d, 1e200 * d):
        assert flip(order).p_refute == reference / 128
    assert flip(np.zeros(9)).p == 1.0


def test_random_flips_estimate_the_exact_p() -> None:
    rng = generator(2)
    d = rng.normal(0.4, 1.0, 16)
    exact = flip(d, draws=2**16)
    drawn = flip(d, draws=19_999, seed=3)
    assert exact.p_refute == pytest.approx(round(exact.p_refute * 2**16) / 2**16)  # type: ignore[operator]
    for a, b in ((exact.p_refute, drawn.p_refute), (exact.p, drawn.p)):
        assert a is not None and b is not None and abs(a - b) <= 4.0 * np.sqrt(a * (1 - a) / 20_000) + 1e-4
    assert drawn.p_refute == flip(d, draws=19_999, seed=3).p_refute != flip(d, draws=19_999, seed=4).p_refute


def test_a_random_p_value_is_never_zero() -> None:
    found = flip(-np.ones(40), draws=99)
    assert found.p_support == 0.01 and found.p_refute == 1.0 and found.p == 0.01
    assert found.verdict == "SUPPORTED"


def test_flip_level_and_power() -> None:
    """2,000 runs of 30 symmetric heavy-tailed differences, 199 draws: false alarms at 0.05; power at a shift."""
    rng, alpha, runs = generator(4), 0.05, 2000
    null = [flip(rng.standard_t(2, 30), draws=199, seed=k, alpha=alpha) for k in range(runs)]
    for word in ("REFUTED", "SUPPORTED"):
        assert sum(c.verdict == word for c in null) / runs <= allowed(alpha, runs)
    assert sum(c.verdict == "REFUTED" for c in null) / runs >= alpha - 3.0 * np.sqrt(alpha / runs)
    shifted = [flip(rng.normal(-0.6, 1.0, 30), draws=199, seed=k, alpha=alpha) for k in range(200)]
    assert sum(c.verdict == "SUPPORTED" for c in shifted) >= 180  # normal theory: power 0.94


# bounded differences


def skewed(rng: np.random.Generator, n: int) -> Any:
    """Mean 0, in [-1, 1]: rarely -0.98, else 0.02."""
    return np.where(rng.random(n) < 0.02, -0.98, 0.02)


def test_betting_keeps_its_level_where_flips_do_not() -> None:
    """1,000 runs of a skewed law of mean 0: the betting test, looked at all along, holds; sign flips at n = 40 fail."""
    rng, alpha, runs = generator(5), 0.05, 1000
    bets = [mean_difference(skewed(rng, 400), 1.0, alpha) for _ in range(runs)]
    for word in ("REFUTED", "SUPPORTED"):
        assert sum(c.verdict == word for c in bets) / runs <= allowed(alpha, runs)
    covered = [c.interval[0] <= 0.0 <= c.interval[1] for c in bets if c.interval is not None]
    assert np.mean(covered) >= 1.0 - allowed(2 * alpha, runs)
    flips = [flip(skewed(rng, 40), draws=99, seed=k, alpha=alpha) for k in range(200)]
    assert np.mean([c.verdict == "REFUTED" for c in flips]) > 0.3


def test_betting_has_power_and_agrees_with_its_interval() -> None:
    rng = generator(6)
    for shift, word in ((-0.1, "SUPPORTED"), (0.1, "REFUTED")):
        for _ in range(20):
            d = rng.uniform(-0.5, 0.5, 2000) + shift
            found = mean_difference(d, 1.0, 0.01)
            assert found.verdict == word and found.n < 1000
            assert found.interval is not None and (found.interval[1] <= 0.0) == (word == "SUPPORTED")
            assert (found.e_support if word == "SUPPORTED" else found.e_refute) >= 100.0 - 1e-9  # type: ignore[operator]
    assert mean_difference(np.tile([0.3, -0.3], 100), 1.0).verdict == "INCONCLUSIVE"
    assert mean_difference(10.0 * d, 10.0, 0.01).n == found.n  # units do not matter


def test_differences_outside_of_the_range_are_named() -> None:
    with pytest.raises(InputError, match=r"D\[2\]=-1\.5 leaves \[-range, range\] with range=1\.0"):
        mean_difference([0.5, 1.0, -1.5, 7.0], 1.0)
    edge = mean_difference([0.3, -0.3] * 40, 0.3)  # the ends belong to the range, whatever they round to
    assert edge.n == 80
    for bad in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(InputError, match="range="):
            mean_difference([0.5], bad)


# curves


def walks(rng: np.random.Generator, R: int, n: int) -> Any:
    return np.cumsum(rng.normal(size=(R, n)), axis=1)


def test_uniform_in_time_has_its_level() -> None:
    """500 runs of 25 random walks of 20 steps: false alarms of each p-value at alpha = 0.05; the largest pointwise
    test, uncorrected, fails."""
    rng, alpha, runs = generator(7), 0.05, 500
    found = [uniform_in_time(walks(rng, 25, 20), draws=199, seed=k, alpha=alpha) for k in range(runs)]
    for p in ("p", "p_refute"):
        assert np.mean([getattr(c, p) <= alpha for c in found]) <= allowed(alpha, runs)
    assert np.mean([c.verdict == "REFUTED" for c in found]) >= 0.02
    assert np.mean([c.verdict == "SUPPORTED" for c in found]) <= allowed(alpha, runs)
    pointwise = [walks(rng, 25, 20) for _ in range(runs)]
    z = [(d.mean(0) / d.std(0, ddof=1)).max() * 5.0 for d in pointwise]
    assert np.mean(np.array(z) > 1.711) > 0.1  # t quantile, 24 degrees of freedom


def test_a_curve_with_one_bad_stretch_is_refuted_but_not_supported() -> None:
    rng = generator(8)
    shift = np.where((np.arange(30) >= 10) & (np.arange(30) < 14), 2.0, -2.0)
    d = rng.normal(size=(60, 30)) + shift
    found = uniform_in_time(d, draws=999)
    assert found.verdict == "REFUTED" and found.at is not None and found.band is not None
    mean, low, high = found.band
    assert mean.shape == (30,) and (low < mean).all() and (mean < high).all()
    assert (low[10:14] > 0).all() and (high[14:] < 0).all()
    assert uniform_in_time(d[:, 14:], draws=999).verdict == "SUPPORTED"
    assert uniform_in_time(-d, draws=999).verdict == "REFUTED"
    # one time at which nothing is known keeps the whole from being supported
    open_ = np.concatenate([np.zeros((60, 1)), d[:, 14:]], axis=1)
    assert uniform_in_time(open_, draws=999).verdict == "INCONCLUSIVE"


def test_the_band_is_simultaneous() -> None:
    """300 runs, 80 skewed curves each: the band covers the whole mean curve in about 90 %; a pointwise one does not."""
    rng, alpha, runs = generator(9), 0.1, 300
    covered, pointwise = 0, 0
    truth = np.linspace(0.0, 50.0, 25)
    for k in range(runs):
        d = np.cumsum(rng.exponential(size=(80, 25)) - 1.0, axis=1) + truth
        band = uniform_in_time(d, draws=199, seed=k, alpha=alpha).band
        assert band is not None
        mean, low, high = band
        covered += bool(((low <= truth) & (truth <= high)).all())
        pointwise += bool((np.abs(mean - truth) <= 1.645 * d.std(0, ddof=1) / np.sqrt(80)).all())
    assert abs(covered / runs - (1 - alpha)) <= 3.0 * np.sqrt(0.09 / runs) + 0.03  # the band is approximate
    assert pointwise / runs < 0.75


# laws


def test_dominance_level_and_words() -> None:
    """1,000 runs of two samples of one law: REFUTED at most alpha = 0.1; the naive band without ln(2/alpha) fails."""
    rng, alpha, runs, n = generator(10), 0.1, 1000, 100
    found = [dominance(rng.random(n), rng.random(n), alpha) for _ in range(runs)]
    assert np.mean([c.verdict == "REFUTED" for c in found]) <= allowed(alpha, runs)
    half = 0.5 * 2.0 * np.sqrt(np.log(2 / alpha) / (2 * n))
    assert np.mean([c.estimate > half for c in found]) > alpha  # type: ignore[operator]


def test_dominance_by_hand() -> None:
    x = np.arange(256) / 256  # sums with 1/2 are exact
    lower = dominance(x, x + 0.5, 0.05)
    assert lower.verdict == "CONSISTENT" and lower.estimate == 0.0
    assert lower.interval == (0.0, pytest.approx(2 * np.sqrt(np.log(40) / 512)))
    higher = dominance(x + 0.5, x, 0.05)
    assert higher.verdict == "REFUTED" and higher.estimate == pytest.approx(0.5)
    assert dominance(x, x).verdict == "INCONCLUSIVE"
    # cdfs that cross by more than the bands: no dominance either way, though the means agree
    wide, narrow = 2.0 * x - 1.0, 0.1 * (2.0 * x - 1.0)
    assert dominance(wide, narrow).verdict == dominance(narrow, wide).verdict == "REFUTED"
    assert dominance(np.r_[x, x], x + 0.5, 0.05).verdict == "CONSISTENT"  # sizes may differ


def test_ties_between_samples_are_no_difference() -> None:
    assert dominance(np.ones(500), np.ones(400)).estimate == 0.0
    assert dominance(np.r_[np.zeros(300), np.ones(100)], np.r_[np.zeros(100), np.ones(300)]).verdict == "CONSISTENT"


# coupling


def test_coupled_runs_have_a_smaller_variance() -> None:
    """UCB1 against MOSS, 5 arms, T = 5000: the notes measured 2.5; 128 replicates have a standard error of about 0.3.

    With replicates paired at different addresses nothing is gained.
    """
    model = bernoulli(means=(0.5, 0.45, 0.4, 0.35, 0.3))
    a, b = (
        theorylab.run(name, model, rounds=5000, replicates=128, seed=11, checkpoints=[5000])["regret"][:, -1]
        for name in ("ucb1", "moss")
    )
    assert 1.6 < variance_reduction(a, b) < 4.5
    assert variance_reduction(a, np.roll(b, 1)) < 1.4
    d = a - b
    assert (sign(d).verdict, flip(d).verdict, sign_sequential(d).verdict) == ("REFUTED",) * 3
    assert dominance(b, a).verdict == "CONSISTENT"


def test_variance_reduction_by_hand() -> None:
    assert variance_reduction([0.0, 1.0], [0.0, 1.0]) == float("inf")
    assert variance_reduction([0.0, 1.0, 0.0, 1.0], [0.0, 0.0, 1.0, 1.0]) == pytest.approx(1.0)
    assert variance_reduction([0.0, 1.0], [1.0, 0.0]) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: sign([]), r"D has shape \(0,\)"),
        (lambda: sign([[1.0]]), r"D has shape \(1, 1\)"),
        (lambda: sign([1.0, float("nan")]), r"D\[1\]=nan"),
        (lambda: sign([1.0], alpha=0.5), "alpha=0.5 is not below 1/2"),
        (lambda: sign_sequential([1.0], alpha=0.0), "alpha=0.0"),
        (lambda: flip([1.0], draws=98), "draws=98: the smallest p-value is 1/99, above alpha=0.01.* draws >= 99"),
        (lambda: flip([1.0], draws=0), "draws=0"),
        (lambda: uniform_in_time(np.ones((1, 3))), r"D has shape \(1, 3\)"),
        (lambda: uniform_in_time(np.ones(3)), r"shape \(R, n\)"),
        (lambda: dominance([1.0], []), r"b has shape \(0,\)"),
        (lambda: variance_reduction([1.0, 2.0], [1.0]), "same R >= 2"),
        (lambda: variance_reduction([1.0, 1.0], [2.0, 2.0]), "neither a nor b varies"),
    ],
)
def test_bad_input_is_named(call: Any, text: str) -> None:
    with pytest.raises(InputError, match=text):
        call()
