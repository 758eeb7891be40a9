"""Inner maxima over boxes, l1 and KL balls: transcriptions and kernels against programs, closed forms and limits."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import brentq, linprog

from proofs_check.lemmas.inner_maximum import box_row, case, kl_row, l1_value

from .kl_ucrl import constants, f, max_kl
from .ucrl2 import inner_maximum as l1_maximum
from .ucrl2b import UCRL2B, half_width, inner_maximum

Floats = NDArray[np.float64]
CASES = [case(np.random.default_rng(seed)) for seed in range(60)]


def widths(p_hat: Floats, n: int) -> tuple[Floats, Floats]:
    """A box around the law, half-widths as of UCRL2B with l = 1."""
    w = np.array([2 * math.sqrt(p * (1 - p) / n) + 6 / n for p in p_hat])
    return np.maximum(0.0, p_hat - w), np.minimum(1.0, p_hat + w)


def kl(p: Floats, q: Floats) -> float:
    seen = p > 0
    return float(p[seen] @ np.log(p[seen] / q[seen]))


# Boxes


def test_box_by_hand() -> None:
    # lower ends .1, .2, .4 leave .3 free: state 0 has room for .2, the rest goes to state 1
    low, high, u = np.array([0.1, 0.2, 0.4]), np.array([0.3, 0.4, 0.6]), np.array([3.0, 2.0, 1.0])
    assert inner_maximum(low, high, u) == pytest.approx([0.3, 0.3, 0.4], abs=1e-15)
    value, row = box_row(np.array([0.2, 0.3, 0.5]), low, high, u)
    assert row == pytest.approx([0.3, 0.3, 0.4], abs=1e-15) and value == pytest.approx(1.9, abs=1e-15)


def test_box_ties_go_to_the_lowest_state() -> None:
    low, high, u = np.zeros(3), np.full(3, 0.6), np.ones(3)
    assert inner_maximum(low, high, u) == pytest.approx([0.6, 0.4, 0.0], abs=1e-15)
    assert box_row(np.full(3, 1 / 3), low, high, u)[1] == pytest.approx([0.6, 0.4, 0.0], abs=1e-15)


@pytest.mark.parametrize(("p_hat", "u", "n"), CASES)
def test_box_solves_the_linear_program(p_hat: Floats, u: Floats, n: int) -> None:
    low, high = widths(p_hat, n)
    solution = linprog(-u, A_eq=np.ones((1, len(u))), b_eq=[1.0], bounds=list(zip(low, high, strict=True)))
    assert solution.status == 0
    value, row = box_row(p_hat, low, high, u)
    slow = inner_maximum(low, high, u)
    assert value == pytest.approx(-solution.fun, abs=1e-8) and slow @ u == pytest.approx(value, abs=1e-12)
    assert row.sum() == pytest.approx(1.0, abs=1e-12)  # the check of the notes
    assert np.all(row >= low - 1e-15) and np.all(row <= high + 1e-15)


def test_half_widths_by_hand() -> None:
    # S = 6, A = 2, delta = .05, n = 100: l = ln(144000) = 11.87757; sqrt(.25 l / n) = .172319
    ell = math.log(144_000)
    assert half_width(0.25, 100, 1000, 6, 2, 0.05, "2/6", 1.0) == pytest.approx(2 * 0.172319 + 0.712654, abs=2e-6)
    assert half_width(0.0, 1, 1, 6, 2, 0.05, "2/6", 1.0) == pytest.approx(6 * math.log(1440), rel=1e-14) and ell > 11.87
    # older form: l = ln(480000) = 13.081541, sqrt(14 * .25 * l / 100) = .676649, 49 l / (3 * 99) = 2.158234
    old = half_width(0.25, 100, 1000, 6, 2, 0.05, "old", 1.0)
    assert old == pytest.approx(0.676649 + 2.158234, abs=2e-6)
    twice = half_width(0.25, 100, 1000, 6, 2, 0.05, "old", 4.0)  # multipliers sqrt(alpha) and alpha
    assert twice == pytest.approx(2 * 0.676649 + 4 * 2.158234, abs=5e-6)
    assert math.isfinite(half_width(0.0, 1, 1, 6, 2, 0.05, "old", 1.0))  # n - 1 is at least 1


def test_everything_is_plausible_after_one_visit() -> None:
    learner = UCRL2B(S=3, A=2, delta=0.1)
    learner.act(0)
    learner.learn(0, 0, 0.25, 1)
    learner.start_episode()
    assert learner.low[0, 0].tolist() == [0.0, 0.0, 0.0] and learner.high[0, 0].tolist() == [1.0, 1.0, 1.0]
    assert learner.r_up[0, 0] == 1.0 and learner.radius_r[0, 0] > 1.0


# l1 balls


@pytest.mark.parametrize(("p_hat", "u", "n"), CASES[:20])
def test_l1_kernel_agrees_with_the_transcription(p_hat: Floats, u: Floats, n: int) -> None:
    radius = math.sqrt(4.0 / n)
    assert l1_value(p_hat, radius, u) == pytest.approx(float(l1_maximum(p_hat, radius, u) @ u), abs=1e-12)


# KL balls

BOTH: list[Callable[[Floats, float, Floats], Floats]] = [max_kl, lambda p, r, u: kl_row(p, r, u)[1]]


@pytest.mark.parametrize("maximum", BOTH, ids=["transcription", "kernel"])
@pytest.mark.parametrize("w", [0.02, 0.3, 0.9])
@pytest.mark.parametrize("radius", [1e-4, 0.03, 0.5, 4.0])
def test_two_states_have_a_binary_divergence(
    w: float, radius: float, maximum: Callable[[Floats, float, Floats], Floats]
) -> None:
    # p_hat = (1 - w, w), u = (0, 1): y = q(0) is the lower root of kl(1 - w, y) = radius
    def excess(y: float) -> float:
        return (1 - w) * math.log((1 - w) / y) + w * math.log(w / (1 - y)) - radius

    y = brentq(excess, 1e-300, 1 - w, xtol=1e-300, rtol=1e-14)
    assert maximum(np.array([1 - w, w]), radius, np.array([0.0, 1.0]))[0] == pytest.approx(y, rel=1e-7, abs=1e-15)


@pytest.mark.parametrize("maximum", BOTH, ids=["transcription", "kernel"])
def test_one_seen_state_gives_what_the_ball_allows(maximum: Callable[[Floats, float, Floats], Floats]) -> None:
    # KL(e_0, q) = -ln q(0): the unseen best state gets 1 - exp(-radius)
    q = maximum(np.array([1.0, 0.0, 0.0]), 0.7, np.array([1.0, 2.0, 3.0]))
    assert q == pytest.approx([math.exp(-0.7), 0.0, 1 - math.exp(-0.7)], abs=1e-15)


@pytest.mark.parametrize("maximum", BOTH, ids=["transcription", "kernel"])
def test_an_unseen_best_state_stays_out_of_a_small_ball(maximum: Callable[[Floats, float, Floats], Floats]) -> None:
    p_hat, u = np.array([0.5, 0.5, 0.0]), np.array([0.0, 1.0, 1.5])
    edge = f(0.0, p_hat, u)  # f(max u) = (ln 1.5 + ln .5) / 2 + ln(1/3 + 1)
    assert edge == pytest.approx(0.5 * math.log(0.75) + math.log(4 / 3), rel=1e-14)
    assert maximum(p_hat, 0.99 * edge, u)[2] == 0.0
    q = maximum(p_hat, 1.01 * edge, u)
    assert q[2] == pytest.approx(1 - math.exp(-0.01 * edge), rel=1e-9)
    assert kl(p_hat, q) == pytest.approx(1.01 * edge, abs=1e-12)


@pytest.mark.parametrize(("p_hat", "u", "n"), CASES)
@pytest.mark.parametrize("c", [0.1, 3.0, 30.0])
def test_kl_kernel_agrees_with_the_transcription(p_hat: Floats, u: Floats, n: int, c: float) -> None:
    radius = c / n
    value, row = kl_row(p_hat, radius, u)
    slow = max_kl(p_hat, radius, u)
    assert value == pytest.approx(float(slow @ u), abs=1e-9 * max(1.0, abs(u).max()))
    assert row.sum() == pytest.approx(1.0, abs=1e-12) and row.min() >= 0.0
    if value < u.max() - 1e-12:
        assert kl(p_hat, row) == pytest.approx(radius, abs=1e-8)  # the check of the notes


@pytest.mark.parametrize(("p_hat", "u", "n"), CASES[:20])
def test_kl_limits(p_hat: Floats, u: Floats, n: int) -> None:
    """C to 0 returns p_hat, C to infinity puts all mass on best states (checks of the notes)."""
    _, still = kl_row(p_hat, 0.0, u)
    assert still.tolist() == p_hat.tolist()
    seen = p_hat > 0
    span = float(np.ptp(u[seen]))
    if u[seen].max() == u.max():  # an unseen best state gets 1 - exp(f - C) > 0 as soon as C > f
        value = kl_row(p_hat, 1e-8, u)[0]
        assert 0.0 <= value - float(p_hat @ u) <= span * math.sqrt(1e-8 / 2) + 1e-12  # Pinsker
    for radius in (400.0, 5000.0):  # the second puts the root below the smallest double
        value, everything = kl_row(p_hat, radius, u)
        assert everything[u == u.max()].sum() == pytest.approx(1.0, abs=1e-9) and np.isfinite(everything).all()
        assert value == pytest.approx(float(u.max()), abs=1e-9)


def test_kl_of_equal_values_returns_the_empirical_law() -> None:
    p_hat = np.array([0.25, 0.75, 0.0])
    for maximum in BOTH:
        assert maximum(p_hat, 0.5, np.full(3, 2.0)).tolist() == p_hat.tolist()


def test_constants_by_hand() -> None:
    # S = 6, A = 2, T = 1000, delta = .05: ln T = 6.907755, B = ln(2 e 72 6.907755 / .05) = 10.897752
    C_P, C_R = constants(6, 2, 1000, 0.05)
    B = math.log(2 * 72 * 6.907755278982137 / 0.05) + 1
    assert pytest.approx(10.8977, abs=1e-3) == B
    y = B + 1 / 6.907755278982137
    assert C_P == pytest.approx(6 * (B + math.log(y) * (1 + 1 / y)), rel=1e-14)
    assert C_R == pytest.approx(math.sqrt(math.log(48 * 6.907755278982137 / 0.05) / 1.99), rel=1e-14)
    assert constants(6, 2, 1, 0.05) == constants(6, 2, 2, 0.05)  # ln 1 = 0
