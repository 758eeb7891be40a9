"""Orders of growth: operating characteristics on known truths, UCB1's slow terms, vacuity, selection on learners."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats

from theorylab.errors import InputError
from theorylab.stats import order as module
from theorylab.stats.order import ORDERS, compare, growth, linear_regret
from theorylab.stats.slope import from_samples, local, weighted

T = 2.0 ** np.arange(9, 17)
NAMES = list(ORDERS)


def generator(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=seed))


def noisy(mean: np.ndarray, R: int, seed: int, cv: float = 0.55) -> np.ndarray:
    shape = cv**-2
    return generator(seed).gamma(shape, 1 / shape, size=(mean.size, R)) * mean[:, None]


def verdicts(truth: str, g: str, R: int, runs: int = 300, **options: Any) -> dict[str, float]:
    """Share of each word over sweeps of the true order."""
    found = Counter(
        growth(T, from_samples(noisy(ORDERS[truth](T), R, 1000 + i)), g, **options).verdict for i in range(runs)
    )
    return {word: found[word] / runs for word in ("CONSISTENT", "INCONSISTENT", "INCONCLUSIVE", "VACUOUS")}


SE = 3 * math.sqrt(0.05 * 0.95 / 300)


@pytest.mark.parametrize("truth", NAMES)
@pytest.mark.parametrize(("R", "least"), [(50, 0.45), (200, 0.86)])
def test_the_true_order_is_consistent_and_not_accused(truth: str, R: int, least: float) -> None:
    """P(upper limit <= 0.03) is 0.55 at R = 50 and 0.96 at R = 200 by the normal law, less what stability drops."""
    found = verdicts(truth, truth, R)
    assert found["CONSISTENT"] >= least
    assert found["INCONSISTENT"] <= 0.05 + SE
    assert found["INCONSISTENT"] <= 0.03  # two tests in one: well below the level
    larger = NAMES[NAMES.index(truth) + 1 :]
    for g in larger:  # O(g) is true of any larger order as well
        loose = verdicts(truth, g, R, runs=60)
        assert loose["INCONSISTENT"] == 0.0 and loose["CONSISTENT"] > 0.95


# truth, claimed smaller order, least share of INCONSISTENT at R = 50 and at R = 200
WRONG = [
    ("sqrt T", "log T", 0.95, 0.95),
    ("sqrt(T log T)", "log T", 0.95, 0.95),
    ("T^(2/3)", "log T", 0.95, 0.95),
    ("T", "log T", 0.95, 0.95),
    ("T^(2/3)", "sqrt T", 0.65, 0.92),
    ("T", "sqrt T", 0.95, 0.95),
    ("T^(2/3)", "sqrt(T log T)", 0.28, 0.88),
    ("T", "sqrt(T log T)", 0.95, 0.95),
    ("T", "T^(2/3)", 0.95, 0.95),
    ("sqrt(T log T)", "sqrt T", 0.0, 0.05),
]


@pytest.mark.parametrize(("truth", "g", "at_50", "at_200"), WRONG)
def test_a_wrong_smaller_order_is_inconsistent(truth: str, g: str, at_50: float, at_200: float) -> None:
    """Power; and CONSISTENT is said of a wrong order no more often than the level, also for a factor sqrt(log T)."""
    for R, least in ((50, at_50), (200, at_200)):
        found = verdicts(truth, g, R, runs=200)
        assert found["INCONSISTENT"] >= least
        assert found["CONSISTENT"] <= (0.05 if truth == "sqrt(T log T)" and g == "sqrt T" else 0.0)


def test_consistent_errs_at_most_at_its_level_at_the_margin() -> None:
    """The worst false case: an exponent larger by exactly eta."""
    mean = T**0.53
    said = np.mean([growth(T, from_samples(noisy(mean, 200, i)), "sqrt T").verdict == "CONSISTENT" for i in range(400)])
    assert 0.01 < said <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 400)


def test_exact_order_tests_both_directions() -> None:
    for truth, g, word in (("sqrt T", "sqrt T", "CONSISTENT"), ("log T", "sqrt T", "INCONSISTENT")):
        found = verdicts(truth, g, 1000, runs=60, exact=True)
        assert found[word] > 0.9
    assert verdicts("sqrt T", "T^(2/3)", 1000, runs=60, exact=True)["CONSISTENT"] == 0.0
    unclear = (T**0.46, 0.03 * T**0.46)  # too few replicates to see on the upper half that it falls short
    assert growth(T, unclear, "sqrt T").verdict == "CONSISTENT"
    assert growth(T, unclear, "sqrt T", exact=True).verdict == "INCONCLUSIVE"
    assert verdicts("sqrt T", "T^(2/3)", 1000, runs=60)["CONSISTENT"] > 0.9


# mean regret of UCB1 with the constant of its theorem, gap 0.2, T = 2^9 .. 2^16: 2,000 replicates each, cv 0.21 to 0.29
UCB1 = np.array([18.183, 26.853, 36.189, 47.36, 59.053, 70.843, 81.817, 92.44])


def test_lower_order_terms_of_ucb1_are_not_called_inconsistent(monkeypatch: pytest.MonkeyPatch) -> None:
    """A trend test on Reg/log T always rejects here. The verdict does not, thanks to the curvature."""
    for R in (50, 200, 1000):
        sweeps = [from_samples(noisy(UCB1, R, 50 + i, cv=0.25)) for i in range(100)]
        found = [growth(T, s, "log T") for s in sweeps]
        assert all(d.low > 0.0 for d in found)  # the trend test
        assert np.mean([d.verdict == "INCONSISTENT" for d in found]) <= 0.01
        with monkeypatch.context() as without:
            without.setattr(module.slope, "curvature", lambda *a, **k: (0.0, 1.0))
            accused = np.mean([growth(T, s, "log T").verdict == "INCONSISTENT" for s in sweeps])
        assert accused > (0.2 if R == 50 else 0.5)


def run_sweep(learner: str, R: int, gap: Callable[[int], float], params: Any = None, seed: int = 1) -> np.ndarray:
    """Final regret (m, R) on two Bernoulli arms, one run and one instance for each T."""
    import bandits
    import theorylab

    rows = []
    for i, t in enumerate(T.astype(int).tolist()):
        arms = bandits.models.bernoulli(means=(0.5 + gap(t) / 2, 0.5 - gap(t) / 2))
        more = {"params": params(t)} if params else {}
        curves = theorylab.run(learner, arms, replicates=R, rounds=t, seed=seed + i, checkpoints=[t], **more)
        rows.append(curves["regret"][:, -1])
    return np.array(rows)


def test_ucb1_of_the_package() -> None:
    trivial, uniform, sqrt_words = 0.2 * T, 0.1 * T, Counter[str]()
    for seed in (1, 11, 21):
        x = run_sweep("ucb1", 100, lambda t: 0.2, seed=seed)
        found = growth(T, x, "log T", trivial=trivial, uniform=uniform)
        assert found.verdict == "INCONCLUSIVE" and found.half_low > 0.03
        sqrt_words[growth(T, x, "sqrt T", trivial=trivial, uniform=uniform).verdict] += 1
        assert growth(T, x, np.ones_like, trivial=trivial, uniform=uniform).verdict != "CONSISTENT"
    assert sqrt_words["CONSISTENT"] >= 2 and sqrt_words["INCONSISTENT"] == 0


@pytest.mark.long
def test_table_of_selection() -> None:
    """Section 4.2, pools of 2,000 replicates a size, 100 resamplings of R = 200 (and 1,000) of them.

    UCB1 there has the width sqrt(log t / (2 N)): scale = 1/2. A pool's own slope has an error of about 0.003, as the
    table's has: fitted powers agree within 4 sqrt(2) times that. Shares of a pool depend on it: +- 0.3.
    """
    half = {"scale": 0.5}
    rows = [  # learner, gap, params, order, power, its spread, best by affine fit at 200 / 1000, kept at 200
        ("ucb1", lambda t: 0.2, lambda t: half, "log T", 0.222, 0.007, 1.0, 1.0, 0.91),
        ("moss", lambda t: 2 * math.sqrt(2 / t), None, "sqrt T", 0.495, 0.009, 0.86, 1.0, 0.93),
        ("ucb1", lambda t: 1.5 * (math.log(t) / t) ** 0.5, lambda t: half, "sqrt(T log T)", 0.554, 0.008, 0.89, 1, 0.9),
    ]  # fmt: skip
    for learner, gap, params, name, power, spread, best_200, best_1000, kept_200 in rows:
        pool, rng = run_sweep(learner, 2000, gap, params), generator(5)
        for R, best in ((200, best_200), (1000, best_1000)):
            subs = [from_samples(np.array([row[rng.integers(row.size, size=R)] for row in pool])) for _ in range(100)]
            pure = np.mean([compare(T, *s, affine=False).best == name for s in subs])
            ranked = [compare(T, *s) for s in subs]
            values = np.array([weighted(T, *s).value for s in subs])
            share, kept = np.mean([c.best == name for c in ranked]), np.mean([name in c.kept for c in ranked])
            print(learner, name, R, values.mean().round(4), values.std().round(4), pure, share, kept)
            assert pure >= 0.99 and abs(share - best) <= 0.3
            words = {growth(T, s, name).verdict for s in subs[:20]}
            assert "INCONSISTENT" not in words or R == 200
            if R == 200:
                assert abs(values.mean() - power) <= 4 * math.sqrt(2) * 0.003
                assert values.std() == pytest.approx(spread, rel=0.35) and abs(kept - kept_200) <= 0.3
    etc = run_sweep("explore-then-commit", 20, lambda t: 0.5, lambda t: {"m": round(t ** (2 / 3) / 2)})
    found = weighted(T, *from_samples(etc))
    print("explore-then-commit", found.value, compare(T, *from_samples(etc)).best)
    assert found.value == pytest.approx(0.669, abs=0.004) and compare(T, *from_samples(etc)).best == "T^(2/3)"


def test_fits_are_weighted_least_squares_with_the_chi_square_law() -> None:
    mean, se = T**0.6, 0.05 * T**0.6 * (1 + np.arange(8) / 8)
    for affine in (False, True):
        fit = compare(T, mean, se, {"g": "sqrt T"}, affine=affine).fits[0]
        columns = [T**0.5, np.ones(8)][: 1 + affine]
        X = np.stack(columns, axis=1) / se[:, None]
        solution, chi2, *_ = np.linalg.lstsq(X, mean / se, rcond=None)
        assert (fit.c, fit.c0)[: 1 + affine] == pytest.approx(tuple(solution), rel=1e-9)
        assert fit.chi2 == pytest.approx(chi2[0]) and fit.p == pytest.approx(stats.chi2.sf(chi2[0], 7 - affine))
    assert compare(T, T[::-1], se, {"g": "sqrt T"}).fits[0].c == 0.0  # a decreasing curve is no growth


def test_the_affine_test_keeps_its_level() -> None:
    """Known errors, normal noise: the true order with an offset is rejected 5 % of the time."""
    mean, runs = 5.0 + 2.0 * np.log(T), 1000
    rng = generator(6)
    rejected = np.mean(
        [
            not compare(T, mean * (1 + 0.03 * rng.standard_normal(8)), 0.03 * mean).kept.count("log T")
            for _ in range(runs)
        ]
    )
    assert abs(rejected - 0.05) <= 3 * math.sqrt(0.05 * 0.95 / runs)


def test_compare_selects_and_says_what_it_can_tell_apart() -> None:
    for truth in NAMES:
        s = from_samples(noisy(ORDERS[truth](T), 1000, 7))
        pure = compare(T, *s, affine=False)
        assert pure.best == truth and truth in pure.kept and set(pure.apart) == set(NAMES) - {truth}
    found = compare(T, *from_samples(noisy(ORDERS["sqrt(T log T)"](T), 50, 7)))
    assert "sqrt T" not in found.apart and {"log T", "T"} <= set(found.apart)
    from_one = compare([1, 2, 4, 8], [1.0, 2.0, 4.1, 7.9], [0.1, 0.2, 0.3, 0.4])  # log T is 0 at T = 1
    assert from_one.best == "T"
    custom = compare(T, T**0.8, 0.01 * T**0.8, {"T^0.8": lambda t: t**0.8, "values": T**0.5, "T": "T"})
    assert custom.best == "T^0.8" and custom.apart == ("values", "T")


def test_burn_in_is_vacuous() -> None:
    """Regret near the trivial bound, or growing as uniform play's does, supports and accuses nobody."""
    x = noisy(0.6 * T, 200, 8)
    for claim in ("sqrt T", "T"):
        found = growth(T, x, claim, trivial=T)
        assert found.verdict == "VACUOUS" and "0.6" in found.reason and "burn-in" in found.reason
        assert growth(T, 0.3 * x, claim, trivial=T, uniform=0.5 * T).verdict == "VACUOUS"
    assert growth(T, 0.3 * x, "sqrt T", trivial=T).verdict == "INCONSISTENT"
    # out of burn-in only at the last size: still burn-in on the upper half; only below the half: not vacuous
    late = np.where(T < T[-1], 0.6 * T, 0.3 * T)
    assert growth(T, (late, 0.02 * late), "sqrt T", trivial=T).verdict == "VACUOUS"
    early = noisy(np.minimum(0.6 * T, 0.6 * (512 * T) ** 0.5), 200, 9)
    assert growth(T, early, "sqrt T", trivial=T, uniform=0.5 * T).verdict == "CONSISTENT"
    # a sweep whose gap shrinks with T has uniform play on the claimed order: nothing could fail there
    minimax = noisy(T**0.5, 200, 10)
    assert growth(T, minimax, "sqrt T", uniform=1.4 * T**0.5).verdict == "VACUOUS"


def test_inconsistent_needs_the_regime_on_the_whole_range() -> None:
    x = noisy(T**0.8, 200, 11)
    holds = np.ones(8, dtype=bool)
    assert growth(T, x, "sqrt T", regime=holds).verdict == "INCONSISTENT"
    holds[2] = False
    found = growth(T, x, "sqrt T", regime=holds)
    assert found.verdict == "INCONCLUSIVE" and "T=2048 is outside the theorem's regime" in found.reason
    assert growth(T, x, "T", regime=holds).verdict == "CONSISTENT"


def test_growth_that_sets_in_late_is_not_consistent() -> None:
    """Over the range the slope is within the margin, on the upper half it is above: no CONSISTENT."""
    ratio = np.array([1.0, 0.93, 0.87, 0.82, 0.82, 0.88, 0.96, 1.06])
    mean = ratio * T**0.5
    found = growth(T, (mean, 0.01 * mean), "sqrt T")
    assert found.high < 0.03 and found.half_low > 0.03 and found.verdict != "CONSISTENT"


def test_a_sweep_that_never_settles_is_inconclusive() -> None:
    mean = np.exp(0.05 * np.arange(8.0) ** 3)
    found = growth(T, (mean, 0.0 * mean), "log T")
    assert found.verdict == "INCONCLUSIVE" and not found.stable and "stabilise" in found.reason


def test_the_decision_carries_its_numbers() -> None:
    x = noisy(T**0.5, 200, 12)
    found = growth(T, x, "sqrt T", seed=3)
    assert found == growth(T, x, "sqrt T", seed=3)
    line = weighted(T, *from_samples(x / T[:, None] ** 0.5))
    assert (found.T1, found.T2) == (512.0, 65536.0) and found.slope == pytest.approx(line.value)
    assert found.low <= line.limits(0.05)[0] + 1e-12 and found.high >= line.limits(0.05)[1] - 1e-12
    assert found.local == pytest.approx(tuple(local(T, *from_samples(x)).value)) and len(found.local) == 7
    assert "sqrt T" in found.kept and 0.05 < found.affine_p <= 1.0
    assert str(found).startswith("CONSISTENT ON [512, 65536]: slope of log(Reg/g) in [")


def test_linear_regret_detector() -> None:
    curves = noisy(T, 20, 13, cv=0.02).T
    assert linear_regret(T, curves)
    one_learns = curves.copy()
    one_learns[7] = T**0.5
    assert not linear_regret(T, one_learns)
    assert not linear_regret(T, T[None] ** 0.85) and linear_regret(T, T[None] ** 0.95)
    assert not linear_regret(T, np.zeros((1, 8))) and linear_regret([10, 35, 41], [[1.0, 50.0, 40.0]])
    for t, c, text in (
        ([10, 20, 30], np.ones((2, 3)), "runs from 10 to 30; the detector needs a factor of at least 4"),
        (T, curves.T, r"curves has shape \(8, 20\)"),
        (T, -curves, r"curves\[0,0\]=-.* is negative"),
    ):
        with pytest.raises(InputError, match=text):
            linear_regret(t, c)


def test_errors_name_the_entry() -> None:
    x = noisy(T**0.5, 5, 14)
    mean, se = from_samples(x)
    for call, text in (
        (lambda: growth(T, x, "log t"), "order 'log t' is unknown; nearest: log T"),
        (lambda: growth(T[:3], x[:3], "log T"), "give at least 4 sizes"),
        (lambda: growth(T, x[:, :1], "log T"), r"samples\[0\] has shape \(1,\)"),
        (lambda: growth(T, x, lambda t: -t), r"order g is -512.0 at T\[0\]=512; it must be positive"),
        (lambda: growth(T, x, np.ones(3)), r"order g has shape \(3,\) and T has 8 sizes"),
        (lambda: growth(T, x, "log T", eta=0.0), "eta=0.0 is not positive"),
        (lambda: growth(T, x, "log T", trivial=T[:2]), r"trivial has shape \(2,\)"),
        (lambda: growth(T, x, "log T", uniform=0 * T), r"uniform\[0\]=0.0 must be positive"),
        (lambda: growth(T, x, "log T", regime=T), "regime has shape .8,., type float64"),
        (lambda: growth(T, (mean, se[:4]), "log T"), r"se has shape \(4,\)"),
        (lambda: compare(T, mean, se, {}), "candidates is empty"),
        (lambda: compare(T, mean, se, level=0.0), "level=0.0 is outside"),
        (lambda: compare(T, mean, -se), r"se\[0\]=-.* must be at least 0"),
    ):
        with pytest.raises(InputError, match=text):
            call()


def test_a_constant_is_no_lower_order_term_of_an_order_that_falls() -> None:
    """What stays where it is fits c0 + c/sqrt T, but is not O(1/sqrt T); what falls so is consistent."""
    T = 100.0 * 2.0 ** np.arange(8)
    noise = 1.0 + 0.02 * np.random.default_rng(5).standard_normal((8, 50))
    stays, falls = 0.3 * noise, 2.0 * noise / np.sqrt(T)[:, None]
    order = 1.0 / np.sqrt(T)
    found = growth(T, stays, order)
    assert found.verdict == "INCONSISTENT" and "and c g is rejected" in found.reason
    assert growth(T, falls, order).verdict == "CONSISTENT"
    assert growth(T, stays, np.sqrt(T)).verdict == "CONSISTENT"  # an order that rises has room for a constant
