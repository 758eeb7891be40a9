"""EULER and MVP: levels and shapes against numbers computed apart from them, and the lemmas behind their bonuses."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binom

from proofs_check.lemmas import bernstein, mvp_monotone
from proofs_check.papers import zanette2019, zhang2021mvp
from proofs_check.papers._mvp_models import largest_total, scaled, stopping, total_reward_at_most_one
from theorylab.claim import Context
from theorylab.criteria import DETERMINISTIC, FiniteHorizon
from theorylab.measure import context_of
from theorylab.model import TabularMDP
from theorylab.registry import find_learner, find_model
from theorylab.simulation import Simulation


def euler(n: int, model: str = "two-state", given: dict[str, float] | None = None, **params: object) -> Context:
    return context_of(find_learner("euler"), find_model(model)(**params), n, given or {})


def mvp(n: int, model: object, **given: float) -> Context:
    return context_of(find_learner("mvp"), model, n, given)


# zanette2019


def test_largest_variance_by_hand() -> None:
    # two stages of a switch: V_star of the second is (0, 1) and (.9 of it) wins where a move may slip
    c = euler(10, slip=0.1, horizon=2)
    assert zanette2019.largest_variance(c) == pytest.approx(0.1 * 0.9)
    # a reward of mean 1/2 adds a quarter
    c = euler(10, "garnet", S=2, A=1, b=1, w=0.0, seed=0, horizon=1, rewards="bernoulli")
    r = c.model.r
    assert zanette2019.largest_variance(c) == pytest.approx(float((r * (1 - r)).max()))
    assert zanette2019.largest_variance(euler(10, slip=0.0, horizon=3)) == 0.0


def test_euler_shape_by_hand() -> None:
    c = euler(50, slip=0.1, horizon=2, given={"delta": 0.1})
    l = math.log(4 * 2 * 2 * 100 * 70)  # noqa: E741
    assert c.l == pytest.approx(l, rel=1e-14)
    by_hand = math.sqrt(0.09 * 4 * 100 * l) + math.sqrt(2) * 4 * 4 * (2 * math.sqrt(2)) * l**2
    assert float(zanette2019.shape(c, np.array([50.0]))[0]) == pytest.approx(by_hand, rel=1e-12)


def test_fraction_tends_to_what_its_constants_give() -> None:
    """Without deviation 5 l / 3 + sqrt(2 l) stands for 7 l / 3; with the largest one only n against n - 1 is left."""
    c = euler(1_000_000, slip=0.1, horizon=2, given={"delta": 0.1})
    n = np.array([500_000.0, 1_000_000.0])
    rest = c.H * c.l / (3 * (n - 1)) + (4 * c.J + c.B_p) / n
    limit = 5 / 7 + 3 / 7 * math.sqrt(2 / c.l)
    assert zanette2019.fraction(c, float(c.H), rest, n) == pytest.approx(limit, rel=1e-4)
    assert 0.8 < limit < 0.9  # so that the printed constants do not give the level delta' that a full 7/3 would
    rest = 7 * c.l / (3 * (n - 1))
    assert zanette2019.fraction(c, 1.0, rest, n) == pytest.approx(1.0, rel=1e-4)


@pytest.mark.parametrize("scale", [1.0, 0.6])
def test_fraction_is_the_largest_that_works(scale: float) -> None:
    c = euler(400, slip=0.1, horizon=3, given={"delta": 0.1, "scale": scale})
    n = np.arange(2.0, 401.0)
    rest = c.H * c.l / (3 * (n - 1)) + (4 * c.J + c.B_p) / n

    def excess(q: float) -> float:
        worst = -math.inf
        for sd in np.linspace(0.0, c.H / 2, 41):
            wanted = sd * np.sqrt(2 * q * c.l / (n - 1)) + 7 * c.H * q * c.l / (3 * (n - 1))
            width = scale * (sd * np.sqrt(2 * c.l / n) + rest)
            worst = max(worst, float((wanted - width)[scale * rest < c.H].max()))
        return worst

    q = zanette2019.fraction(c, float(c.H), rest, n)
    assert excess(q) <= 1e-9 < excess(1.001 * q)


def test_euler_levels() -> None:
    c = euler(300, slip=0.2, horizon=2, given={"delta": 0.2})
    # rewards: 3 S A T exp(-q l), with q just below 1: three quarters of delta / 7, times exp((1 - q) l)
    assert 0.75 * 0.2 / 7 < zanette2019.reward_level(c) < 3 * 0.75 * 0.2 / 7
    assert zanette2019.level(c) == zanette2019.reward_level(c) + zanette2019.value_level(c) < 1
    # nothing is left of it with a small multiplier, nor where there is no next stage
    assert zanette2019.level(euler(300, slip=0.2, horizon=2, given={"scale": 0.3})) == 1.0
    assert zanette2019.value_level(euler(300, slip=0.2, horizon=1)) <= 1e-299
    # pooled counts go up to T, so there are H times as many events for the values
    pooled = euler(300, slip=0.2, horizon=2, given={"delta": 0.2, "pooled": 1})
    assert zanette2019.value_level(pooled) >= 1.9 * zanette2019.value_level(c)


def test_printed_B_p_alone_does_not_bound_the_deviation() -> None:
    """B_p is too small for sqrt(2 l / n) |sd_hat - sd| <= B_p / n, and 2 H l sqrt(n / (n - 1)) is not (H = 1 here)."""
    n, c = 400, 3.0
    l = math.log(28 * n / 0.05)  # noqa: E741  one pair, T = n
    sd = math.sqrt(c / n * (1 - c / n))  # no head: sd_hat = 0
    unseen = (1 - c / n) ** n
    assert unseen == pytest.approx(0.04923, abs=1e-5) and unseen > 1e4 * math.exp(-l)
    assert math.sqrt(2 * l / n) * sd > 1.7 * math.sqrt(2 * l) / n
    heads = np.arange(n + 1)
    apart = np.abs(np.sqrt(heads * (n - heads)) / n - sd)
    mass = binom.pmf(heads, n, c / n)
    assert float(mass[apart > 2 * l * math.sqrt(n / (n - 1)) / n / math.sqrt(2 * l / n)].sum()) <= math.exp(-l)


def test_sum_of_printed_constants_stays_below_the_inequality_from_4_5_on() -> None:
    for l, enough in ((4.4, True), (4.5, True), (4.6, False), (15.0, False)):  # noqa: E741
        assert (5 * l / 3 + math.sqrt(2 * l) >= 7 * l / 3 * (1 - 1e-12)) == enough


@pytest.mark.parametrize("l", [5.0, 9.0, 15.0])
def test_printed_width_covers_coins_nevertheless(l: float) -> None:  # noqa: E741
    """Exactly summed, the width for values fails less often than exp(-l) on coins: q < 1 comes of the inequality."""
    for n in (30, 300, 3000):
        heads = np.arange(n + 1)
        average = heads / n
        width = np.sqrt(2 * average * (1 - average) * l / n) + l / (3 * (n - 1)) + (4 * l / 3 + math.sqrt(2 * l)) / n
        for rate in np.geomspace(0.1 / n, 0.5, 60):
            missed = float(binom.pmf(heads, n, rate)[np.abs(average - rate) > width].sum())
            assert missed <= 0.2 * math.exp(-l)


def test_levels_of_the_instances_are_far_from_one() -> None:
    """A rate near 1 could not be refuted."""
    for profile in zanette2019.STEPS.values():
        for i in profile:
            assert zanette2019.level(context_of(find_learner("euler"), i.build(), i.length, dict(i.learner))) < 0.45


def test_pooled_counts_of_different_kernels_claim_nothing() -> None:
    """Stage 0 leads to state 1, the others to state 0: the pooled p_hat of a state is a mixture, in every run."""
    P = np.zeros((3, 2, 1, 2))
    P[0, :, 0, 1] = P[1:, :, 0, 0] = 1.0
    r, mu0 = np.array([[0.0], [1.0]]), np.array([0.5, 0.5])
    model = TabularMDP(P=P, r=r, mu0=mu0, criterion=FiniteHorizon(3), reward_law=DETERMINISTIC, name="turn")
    claim = next(c for c in zanette2019.claims if c.id == "zanette2019.value-coverage")
    given = {"delta": 0.05, "pooled": 1}
    c = context_of(find_learner("euler"), model, 200, given)
    sim = Simulation(
        find_learner("euler"), model, replicates=2, length=200, params=given, target="python", exact=False,
        probes=[claim.quantity], monitor=claim.monitor, tables=zanette2019.tables(c),
    )  # fmt: skip
    assert (sim.advance().observed["pcount"] > 0).all()
    assert zanette2019.value_level(c) == zanette2019.level(c) == 1.0
    apart = context_of(find_learner("euler"), model, 200, {"delta": 0.05})
    assert zanette2019.level(apart) < 0.1


def test_euler_on_a_chain_decays_like_one_over_n() -> None:
    """Sure moves and rewards: at four times the visits the width of the last stage is a quarter."""
    model = find_model("riverswim")(states=2, variant="colosseum", horizon=1, start=0)
    widths = []
    for episodes in (4000, 16_000):
        sim = Simulation(find_learner("euler"), model, replicates=1, length=episodes, target="python", exact=False)
        st = sim.advance(4000).state if episodes == 4000 else sim.advance().state
        n = st["N"][0, 0, 0, 0]
        assert (st["spread"] == 0.0).all()
        widths.append(n * (st["b_r"] + st["rest"])[0, 0, 0, 0] / sim.params["l"])
    assert widths == pytest.approx([widths[0]] * 2, rel=0.03)


# zhang2021mvp


def test_mvp_levels_by_hand() -> None:
    model = stopping(4, 3, 1)
    c = mvp(1000, model, delta=0.3)
    assert c.iota == pytest.approx(math.log(2 * 4 * 2 * 3 * 12 / 0.3), rel=1e-14)  # 12 powers of two up to 3000
    assert zhang2021mvp.reward_level(c) == pytest.approx(1.5 * 0.3 / 3)
    assert zhang2021mvp.level(c) == pytest.approx(0.3 / 3, rel=1e-6)
    assert zhang2021mvp.value_level(c) < 1e-20
    assert 14 / 3 * zhang2021mvp.U**2 + 2 * zhang2021mvp.U == pytest.approx(1.0)
    assert zhang2021mvp.level(mvp(1000, model, scale=0.1)) == 1.0
    assert zhang2021mvp.value_level(mvp(1000, model, scale=0.1)) < 0.1


@pytest.mark.parametrize("scale", [1.0, 0.1])
def test_mvp_bonus_covers_the_inequality_at_its_level(scale: float) -> None:
    """The kernel's part dominates both forms that the levels are worked out for, whatever variance and n / iota."""
    y = 460 / 9 * scale
    x = min(y, math.sqrt(y))
    two_sided = min((230 / 9 * scale) ** 2, 230 / 21 * scale)
    one_sided = (zhang2021mvp.U * x) ** 2
    for sd in np.linspace(0.0, 0.5, 51):
        for rate in np.geomspace(1e-8, 1.0, 60):
            bonus, form = y * (sd * math.sqrt(rate) + rate), max(x * sd * math.sqrt(rate), x**2 * rate)
            assert form <= bonus * (1 + 1e-12)
            for covering, q in ((bonus, two_sided), (form, one_sided)):
                assert 2 * sd * math.sqrt(q * rate) + 14 * q * rate / 3 <= covering * (1 + 1e-9)


def test_total_reward_assumption() -> None:
    assert largest_total(stopping(5, 4, 2)) == 1.0 and total_reward_at_most_one(stopping(5, 4, 2)) is None
    model = find_model("riverswim")(states=3, horizon=4)
    # two steps to the last state, where 1 is earned; from there on 1 at each of four stages
    assert largest_total(model) == pytest.approx(4.0)
    assert total_reward_at_most_one(model) == "an episode can earn 4, above 1"
    assert largest_total(scaled("riverswim", states=3, horizon=4)) == pytest.approx(1.0)
    lock = find_model("combination-lock")(H=3)
    assert largest_total(lock) == 1.0
    # frozen lake's reward is its mean, 1/3, wherever the goal may be entered: three tries earn 1, and then a fourth
    assert total_reward_at_most_one(find_model("frozen-lake")(H=6)) is not None
    assert "gaussian" in str(total_reward_at_most_one(find_model("riverswim")(horizon=4, noise=0.1)))


# Lemmas


def test_lemmas_hold_and_their_false_twins_do_not() -> None:
    for seed in range(3):
        for holds in (bernstein.quantity, bernstein.total_variance, mvp_monotone.monotone):
            assert holds(np.random.default_rng(seed))[0] <= 1e-9, holds
    for fails in (bernstein.false_twin, bernstein.wrong_total_variance, mvp_monotone.false_monotone):
        assert max(fails(np.random.default_rng(seed))[0] for seed in range(3)) > 1e-3, fails


def test_mvp_max_form_with_the_printed_c1_and_c3_is_not_monotone() -> None:
    """c3 < c1^2: raising a value lowers the maximum of the two printed terms. (20/3)^2 = 400/9 is the edge."""
    p, low, high = np.array([0.1, 0.9]), np.array([0.0, 1.0]), np.array([0.2, 1.0])
    rate = 0.09 / (2 * (544 / 460)) ** 2 / 10  # the first term is the larger
    printed = dict(root=460 / 9, square=544 / 9)
    assert mvp_monotone.max_form(p, high, rate, **printed) < mvp_monotone.max_form(p, low, rate, **printed)
    assert mvp_monotone.max_form(p, high, rate) >= mvp_monotone.max_form(p, low, rate)


def test_bernstein_probability_by_brute_force() -> None:
    # n = 3 coins of rate .3 and L = 1.2: the variance of 1 head in 3 is 1/3
    width = [7 * 1.2 / 6 + math.sqrt(2 * v * 1.2 / 3) for v in (0.0, 1 / 3, 1 / 3, 0.0)]
    masses = [0.7**3, 3 * 0.3 * 0.49, 3 * 0.09 * 0.7, 0.027]
    by_hand = sum(m for k, (m, w) in enumerate(zip(masses, width, strict=True)) if abs(k / 3 - 0.3) > w)
    assert bernstein.probability(3, 0.3, 1.2) == pytest.approx(by_hand, abs=1e-15)
    assert bernstein.probability(2000, 0.0002, 2.0, 0.0) > 3 * math.exp(-2.0)
    assert bernstein.probability(2000, 0.0002, 2.0) < 3 * math.exp(-2.0)


def test_bernstein_sample_bites_below_the_printed_constant_only() -> None:
    """What the claim's text says of its distance from equality."""
    worst = [max(bernstein._excess(np.random.default_rng(s), c)[0] for s in range(12)) for c in (2 / 3, 1.0, 7 / 3)]
    assert worst[0] > 0.3 and worst[1] < -0.3 and worst[2] < -0.9


def test_total_variance_by_hand() -> None:
    # one fair coin of reward, then a stage that pays 1 in state 1: variances 1/4 and 1/4
    P = np.full((2, 2, 2), 0.5)
    r = np.array([[0.5, 0.5], [0.0, 1.0]])
    second = np.array([[0.5, 0.5], [0.0, 1.0]])
    assert bernstein.return_variance(P, r, second) == pytest.approx([0.5, 0.5])
    assert bernstein.stage_variances(P, r, second) == pytest.approx([0.5, 0.5])
