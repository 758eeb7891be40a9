"""Bounds, levels and special cases of the bandit papers against numbers that are computed apart from them."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.stats import beta as beta_law
from scipy.stats import kstest

from bandits.models.bernoulli import family as bernoulli
from bandits.models.gaussian import family as gaussian
from proofs_check.lemmas import bernoulli_kl, beta_binomial
from proofs_check.papers import agrawal2013, audibert2010, evendar2006, garivier2011, lattimore2020
from tests.reference.kl_ucb import d
from theorylab import run
from theorylab.claim import Context, Control, Instance
from theorylab.controls import fault_matrix
from theorylab.decide import Levels
from theorylab.errors import InputError
from theorylab.measure import context_of
from theorylab.model import DETERMINISTIC, Bandit
from theorylab.registry import find_learner
from theorylab.stats import nonvacuous_from_callable


def context(name: str, means: tuple[float, ...], n: int, **params: Any) -> Context:
    return context_of(find_learner(name), bernoulli(means=means), n, params)


def at(function: Any, c: Context, n: float) -> float:
    return float(function(c, np.array([float(n)]))[0])


# Lemmas


@pytest.mark.parametrize(
    ("lemma", "twin"),
    [
        (bernoulli_kl.pinsker, bernoulli_kl.false_pinsker),
        (bernoulli_kl.root, bernoulli_kl.false_root),
        (beta_binomial.identity, beta_binomial.false_identity),
        (beta_binomial.ratio, beta_binomial.false_ratio),
    ],
    ids=lambda f: f.__name__,
)
def test_lemmas_hold_and_their_false_twins_do_not(lemma: Any, twin: Any) -> None:
    for seed in range(5):
        assert lemma(np.random.default_rng(seed))[0] <= 1e-9
        assert twin(np.random.default_rng(seed))[0] > 1e-4


def test_lemmas_are_tried_near_equality() -> None:
    worst = [
        max(f(np.random.default_rng(s))[0] for s in range(20)) for f in (bernoulli_kl.pinsker, beta_binomial.ratio)
    ]
    assert -1e-3 < worst[0] <= 0 and -0.05 < worst[1] <= 0


# audibert2010


def test_moss_bounds_by_hand() -> None:
    c = context("moss", (0.9, 0.1), 20_000)
    assert at(audibert2010.bound, c, 20_000) == pytest.approx(25 * math.sqrt(40_000), rel=1e-14)
    assert at(audibert2010.gap_bound, c, 20_000) == pytest.approx(57.5 * math.log(110 * 20_000 * 0.64 / 2), rel=1e-12)
    c = context("moss", (0.5, 0.45, 0.1, 0.5), 20_000)  # the least positive gap, 0.05, and the floor 10^4
    assert at(audibert2010.gap_bound, c, 20_000) == pytest.approx(23 * 4 / 0.05 * math.log(1e4), rel=1e-12)


@pytest.mark.parametrize(("gap", "K"), [(0.8, 2), (0.4, 2), (0.5, 5)])
def test_moss_bound_says_something_from_625_k_over_gap_squared(gap: float, K: int) -> None:
    c = context("moss", (0.9, *(0.9 - gap,) * (K - 1)), 10)
    trivial = audibert2010.trivial
    start = nonvacuous_from_callable(lambda n: at(audibert2010.bound, c, n), lambda n: at(trivial, c, n), start=2)
    assert start is not None and abs(start - (math.floor(625 * K / gap**2) + 1)) <= 1


def test_moss_deviation_has_its_level() -> None:
    c = context("moss", (0.6, 0.4, 0.6), 5000)
    x = audibert2010.deviation(c)
    assert 2 * 15 * 3 / (4 * 5000 * x**2) == pytest.approx(audibert2010.LEVEL, rel=1e-12)
    # the sum over blocks behind it: x^2 sum_j 2^j exp(-2^j x^2) <= 1.811 for every x, so 2 * 1.811 <= 15/4
    u = 2.0 ** np.arange(0, 60)
    largest = max(float(y * np.sum(u * np.exp(-u * y))) for y in np.geomspace(1e-6, 10, 4001))
    assert largest <= 1 / math.e + 1 / math.log(2) <= 15 / 8


# garivier2011


def test_kl_ucb_shape_and_threshold() -> None:
    c = context("kl-ucb", (0.6, 0.4), 10_000, c=3.0)
    # the notes' asymptotic value on this instance
    assert at(garivier2011.shape, c, 10_000) == pytest.approx(22.7, abs=0.05)
    assert at(garivier2011.budget, c, 100) == pytest.approx(math.log(100) + 3 * math.log(math.log(100)), rel=1e-14)
    for A, T in ((2, 2000), (10, 2000), (2, 20_000), (5, 20_000), (10, 20_000)):
        c = context("kl-ucb", tuple(np.linspace(0.9, 0.4, A)), T, c=3.0)
        level = A * math.e * math.ceil(garivier2011.threshold(c) * math.log(T)) * math.exp(-garivier2011.threshold(c))
        assert garivier2011.deviation_level(c) == pytest.approx(level, rel=1e-12) and level < 0.1


def test_kl_ucb_optimism_level_by_hand() -> None:
    c = context("kl-ucb", (0.6, 0.4), 2000, c=3.0)
    total = 0.0
    for j in range(5, 11):  # 2^10 <= 2000 < 2^11
        level = j * math.log(2) + 3 * math.log(j * math.log(2))
        total += math.e * math.ceil(level * (j + 1) * math.log(2)) * math.exp(-level)
    assert garivier2011.optimism_level(c) == pytest.approx(total, rel=1e-12) and 0.09 < total < 0.11


def explicit_by_hand(means: tuple[float, ...], n: int) -> float:
    """The explicit form, term by term, with the best eps of a minimiser."""
    K, best = len(means), max(means)
    missed, level = 0.0, 0.0
    for t in range(K + 1, n + 1):
        level = math.log(t) + 3 * math.log(math.log(t))
        missed += min(1.0, math.e * math.ceil(level * math.log(t)) * math.exp(-level))
    out = (best - min(means)) * missed
    for mean in means:
        if mean < best:
            gap = best - mean
            plays = minimize_scalar(
                lambda e, mean=mean: level / d(mean + e, best) + 0.5 / e**2,
                bounds=(0.04 * gap, 0.96 * gap),
                method="bounded",
            ).fun
            out += gap * (1 + plays)
    return float(out)


@pytest.mark.parametrize(("means", "n"), [((0.6, 0.4), 2500), ((0.9, 0.8, 0.5), 1000), ((0.6, 0.4), 20_000)])
def test_kl_ucb_explicit_form_by_hand(means: tuple[float, ...], n: int) -> None:
    value, wanted = at(garivier2011.explicit, context("kl-ucb", means, n, c=3.0), n), explicit_by_hand(means, n)
    assert wanted * (1 - 1e-9) <= value <= 1.005 * wanted


def test_kl_ucb_explicit_form_grows_and_says_something() -> None:
    c = context("kl-ucb", (0.6, 0.4), 20_000, c=3.0)
    n = np.unique(np.geomspace(3, 1e8, 300).astype(int)).astype(float)
    values = garivier2011.explicit(c, n)
    assert np.all(np.diff(values) > 0) and np.all(np.diff(garivier2011.missed_rounds(c, n)) >= 0)
    below = garivier2011.explicit(c, n) < garivier2011.trivial(c, n)
    assert not below[0] and below[-1] and n[below][0] < 600


def fixed(*means: float) -> Bandit:
    return Bandit(means=np.array(means), reward_law=DETERMINISTIC, name="fixed")


# roots that round to 1, roots with few digits of 1 - q left, and a mean of 1
@pytest.mark.parametrize("means", [(0.99, 0.5), (0.9, 0.85, 0.5), (1.0, 0.99)])
def test_kl_ucb_steps_hold_for_rewards_that_are_not_0_or_1(means: tuple[float, ...]) -> None:
    where = Instance.of(fixed(*means), 60, {"c": 3.0})
    plain = (Control("no fault", find_learner("kl-ucb"), where, replicates=2),)
    steps = [replace(c, controls=plain) for c in garivier2011.claims if c.scope == "run" and not c.cumulative]
    matrix = fault_matrix(steps, params={}, levels=Levels(), seed=0)
    assert len(matrix) == 8 and not any(row["no fault"][0] for row in matrix.values()), matrix


def test_kl_ucb_missed_rounds_are_not_fewer_than_the_sum_over_all_rounds() -> None:
    c = context("kl-ucb", (0.6, 0.4), 20_000, c=3.0)
    t = np.arange(3.0, 100_001.0)  # f rises at each step of its ceil, blocks and all
    level = np.log(t) + 3 * np.log(np.log(t))
    f = np.minimum(1.0, math.e * np.ceil(level * np.log(t)) * np.exp(-level))
    assert np.any(np.diff(f[4100:]) > 0)
    found, exact = garivier2011.missed_rounds(c, t), np.cumsum(f)
    assert np.all(found >= exact * (1 - 1e-12)) and np.all(found <= 1.01 * exact)


# agrawal2013


def test_thompson_successes_are_rewards_where_all_of_these_are_0_or_1() -> None:
    (claim,) = (c for c in agrawal2013.claims if c.id == "agrawal2013.rewards")

    def missing(model: Any) -> list[str]:
        return [w for w in (a(model) for a in claim.assumes) if w]

    assert not missing(bernoulli(means=(0.6, 0.4))) and not missing(fixed(1.0, 0.0))
    assert missing(fixed(0.6, 0.4)) == ["rewards are deterministic, not all of them 0 or 1"]


def test_thompson_shapes_by_hand() -> None:
    c = context("thompson", (0.9, 0.8, 0.8), 1000)
    assert at(agrawal2013.gap_shape, c, 1000) == pytest.approx(math.log(1000) * 0.2 / d(0.8, 0.9), rel=1e-12)
    assert at(agrawal2013.worst_case_shape, c, 1000) == pytest.approx(math.sqrt(3000 * math.log(1000)), rel=1e-12)


def test_thompson_levels_by_hand() -> None:
    found = agrawal2013.tables(context("thompson", (0.6, 0.4), 1000))
    # two sides of two statistics at 0.05 / 4 each; tails exp(-x^2 / (2 s n)), s = 1/12 and 1/4, n = 2000
    for name, s in (("drift", 1 / 12), ("spread", 1 / 4)):
        assert math.exp(-(found[name] ** 2) / (2 * s * 2000)) == pytest.approx(0.05 / 4, rel=1e-12)
    assert 2 * math.exp(-2 * found["tosses"] ** 2 / 1000) == pytest.approx(0.05, rel=1e-12)
    assert 2 * 2 * 1000 * math.exp(-found["rate_level"]) == pytest.approx(0.05, rel=1e-12)


def test_last_samples_of_many_runs_follow_their_beta_laws() -> None:
    """Kolmogorov and Smirnov at 1e-6: the last round's transforms, from the counts of before it, are uniform."""
    replicates, rounds = 1500, 60
    before = run("thompson", bernoulli(means=(0.6, 0.4)), replicates=replicates, rounds=rounds - 1, seed=4).final
    last = run("thompson", bernoulli(means=(0.6, 0.4)), replicates=replicates, rounds=rounds, seed=4).final
    v = beta_law.cdf(last["theta"], before["successes"] + 1, before["failures"] + 1).ravel()
    assert v.size == 2 * replicates and kstest(v, "uniform").pvalue > 1e-6
    wrong = beta_law.cdf(last["theta"], before["successes"] + 2, before["failures"] + 1).ravel()
    assert kstest(wrong, "uniform").pvalue < 1e-6


# lattimore2020


def test_explore_then_commit_bounds_by_hand() -> None:
    c = context("explore-then-commit", (0.6, 0.4), 1000, m=25)
    assert at(lattimore2020.bound_at(1.0), c, 1000) == pytest.approx(5 + 190 * math.exp(-1), rel=1e-12)
    assert at(lattimore2020.bound_at(0.25), c, 1000) == pytest.approx(5 + 190 * math.exp(-0.25), rel=1e-12)
    assert lattimore2020.error_level(c) == pytest.approx(math.exp(-1), rel=1e-12)
    c = context("explore-then-commit", (0.5, 0.5, 0.2), 100, m=10)  # arms that are best make no error
    assert lattimore2020.error_level(c) == pytest.approx(math.exp(-0.9), rel=1e-12)


def test_explore_then_commit_regret_is_what_the_binomials_say() -> None:
    # two arms, m = 25: the second is committed to with P(X2 > X1), ties go to the first
    from scipy.stats import binom

    k = np.arange(26)
    wrong = float(np.sum(binom.pmf(k, 25, 0.6) * binom.sf(k, 25, 0.4)))
    exact = 5 + 190 * wrong
    model = bernoulli(means=(0.6, 0.4))
    x = run("explore-then-commit", model, replicates=2000, rounds=1000, params={"m": 25}, seed=1)["regret"][:, -1]
    assert abs(x.mean() - exact) <= 4.5 * x.std() / math.sqrt(x.size)
    assert exact < at(lattimore2020.bound_at(1.0), context("explore-then-commit", (0.6, 0.4), 1000, m=25), 1000)


def test_explore_then_commit_asks_for_a_play() -> None:
    with pytest.raises(InputError, match="m=0"):
        run("explore-then-commit", bernoulli(means=(0.6, 0.4)), rounds=10, params={"m": 0})


def test_subgaussian_rewards() -> None:
    assert lattimore2020.subgaussian(gaussian(sd=1.0)) is None
    assert "1.5" in str(lattimore2020.subgaussian(gaussian(sd=1.5)))
    assert lattimore2020.subgaussian(bernoulli()) is None


# evendar2006


def test_elimination_level_is_the_sum_over_rounds_and_arms() -> None:
    c = context("successive-elimination", (0.9, 0.5, 0.1), 100, delta=0.5)
    # 2 exp(-2 t alpha_t^2) for every arm and round
    alphas = [math.sqrt(math.log(5 * 3 * t**2 / 0.5) / t) for t in range(1, 3000)]
    total = sum(3 * 2 * math.exp(-2 * t * a**2) for t, a in enumerate(alphas, start=1))
    assert evendar2006.coverage_level(c) == pytest.approx(total, rel=1e-6)
    assert evendar2006.coverage_level(c) < 0.5


@pytest.mark.parametrize(("means", "delta"), [((0.6, 0.4), 0.5), ((0.9, 0.8, 0.2), 0.1), ((1.0, 0.0), 0.9)])
def test_elimination_plays_by_hand(means: tuple[float, ...], delta: float) -> None:
    c = context("successive-elimination", means, 100, delta=delta)
    rounds = []
    for mean in means[1:]:
        t = 1
        while 4 * math.sqrt(math.log(5 * len(means) * t**2 / delta) / t) > means[0] - mean:
            t += 1
        rounds.append(t)
    assert at(evendar2006.plays_bound, c, 7) == sum(rounds) + max(rounds)


def test_elimination_shape_by_hand() -> None:
    c = context("successive-elimination", (0.9, 0.8, 0.4), 100, delta=0.1)
    by_hand = math.log(3 / 0.01) / 0.01 + math.log(3 / 0.05) / 0.25
    assert at(evendar2006.shape, c, 1) == pytest.approx(by_hand, rel=1e-12)


@pytest.mark.parametrize(
    ("params", "match"), [({"scale": 0.0}, "scale=0"), ({"c": -1.0}, "c=-1"), ({"c": 0.01}, "exceed")]
)
def test_elimination_refuses_widths_that_are_not_positive(params: dict[str, float], match: str) -> None:
    with pytest.raises(InputError, match=match):
        run("successive-elimination", bernoulli(means=(0.6, 0.4)), rounds=10, params=params)


def test_elimination_of_one_arm_has_stopped_before_it_begins() -> None:
    final = run("successive-elimination", bernoulli(means=(0.5,)), rounds=10, replicates=2).final
    assert final["stop"].tolist() == [[0], [0]] and final["N"].tolist() == [[10], [10]]
