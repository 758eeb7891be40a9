"""The transcriptions of OFUL and linear Thompson sampling against the notes' numbers, closed forms and brute force."""

from __future__ import annotations

import math

import numpy as np
import pytest

from .lin_thompson import LinThompson
from .oful import OFUL, determinant_radius, power_radius, trace_radius


def test_golden_radii() -> None:
    assert power_radius(1000, 5, 1.0, 0.05, 1.0, 1.0) == pytest.approx(7.366729, abs=5e-7)
    assert trace_radius(1000, 5, 1.0, 1.0, 0.05, 1.0, 1.0) == pytest.approx(6.701578, abs=5e-7)


def test_the_determinant_form_is_below_the_trace_form_and_meets_it_on_orthogonal_arms() -> None:
    d, lam, delta = 4, 2.0, 0.1
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, d))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    V = lam * np.eye(d) + x.T @ x
    assert determinant_radius(V, lam, delta, 1.0, 1.0) <= trace_radius(40, d, 1.0, lam, delta, 1.0, 1.0)
    orthogonal = (lam + 10) * np.eye(d)
    assert determinant_radius(orthogonal, lam, delta, 0.7, 2.0) == pytest.approx(
        trace_radius(40, d, 1.0, lam, delta, 0.7, 2.0), rel=1e-13
    )
    assert power_radius(41, d, lam, delta, 0.7, 2.0) > trace_radius(40, d, 1.0, lam, delta, 0.7, 2.0)


def test_oful_in_one_dimension_by_hand() -> None:
    # arms 1 and -1/2, lam = 1, one play of arm 0 with reward 2: V = 2, theta_hat = 1, det V / lam = 2
    learner = OFUL(np.array([[1.0], [-0.5]]), delta=0.1, R=0.5, S_theta=3.0)
    assert learner.act() == 0  # at first both means are 0 and the longer arm is the wider one
    learner.learn(0, 2.0)
    assert learner.theta == pytest.approx([1.0], rel=1e-15)
    beta = 0.5 * math.sqrt(2 * math.log(math.sqrt(2) / 0.1)) + 3.0
    assert learner.beta == pytest.approx(beta, rel=1e-14)
    learner.act()
    assert learner.index == pytest.approx([1 + beta / math.sqrt(2), -0.5 + 0.5 * beta / math.sqrt(2)], rel=1e-14)


def test_the_index_is_the_maximum_over_the_ellipsoid() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(6, 2))
    learner = OFUL(x, delta=0.2, lam=0.7, R=0.3, S_theta=1.5)
    for a in (0, 1, 1, 4):
        learner.learn(a, float(rng.normal()))
    learner.act()
    angles = np.linspace(0, 2 * np.pi, 20_001)
    circle = np.stack([np.cos(angles), np.sin(angles)])
    lower = np.linalg.cholesky(learner.V)
    boundary = learner.theta[:, None] + learner.beta * np.linalg.solve(
        lower.T, circle
    )  # ||theta - theta_hat||_V = beta
    assert learner.index == pytest.approx((x @ boundary).max(axis=1), rel=1e-6)


def test_linucb_heuristic() -> None:
    assert OFUL(np.eye(2), delta=0.05, radius=3).beta == pytest.approx(1 + math.sqrt(math.log(40) / 2), rel=1e-15)


def test_ties_go_to_the_lowest_arm() -> None:
    assert OFUL(np.eye(3)).act() == 0
    assert LinThompson(np.ones((3, 2)) / 2, T=10).act(np.array([0.3, -2.0])) == 0


def test_lin_thompson_inflation_by_hand() -> None:
    learner = LinThompson(np.eye(2), T=50, delta=0.4, lam=2.0, R=0.5, S_theta=3.0)
    learner.learn(0, 1.0)
    assert learner.t == 2 and learner.delta_prime == pytest.approx(0.002)
    expected = 0.5 * math.sqrt(2 * math.log((2 + 2) / 2 / 0.002)) + math.sqrt(2) * 3.0  # d/2 = 1
    assert learner.beta == pytest.approx(expected, rel=1e-14)
    assert LinThompson(np.eye(2), T=50, R=0.5, inflate=0).beta == 0.5


def test_draws_have_the_covariance_of_the_notes() -> None:
    """Within 2 % over 1e5 draws."""
    rng = np.random.default_rng(3)
    learner = LinThompson(rng.normal(size=(8, 3)) / 3, T=100, lam=0.5)
    for a in range(8):
        learner.learn(a, float(rng.normal()))
    eta = rng.normal(size=(100_000, 3))
    root = np.linalg.inv(np.linalg.cholesky(learner.V)).T
    theta, beta = learner.theta, learner.beta
    for i in range(3):  # the map from eta to theta~ is affine: three unit vectors and zero tell all of it
        learner.act(np.eye(3)[i])
        assert learner.sample == pytest.approx(theta + beta * root[:, i], rel=1e-10)
    samples = theta + beta * (eta @ root.T)
    target = beta**2 * np.linalg.inv(learner.V)
    assert np.abs(np.cov(samples.T) - target).max() <= 0.02 * np.abs(target).max()


def test_roots_that_are_none_are_refused() -> None:
    learner = LinThompson(np.eye(2), T=10, lam=4.0)
    learner.act(np.array([1.0, 0.0]), root=np.array([[0.0, 0.5], [-0.5, 0.0]]))  # turned: a root all the same
    assert learner.sample == pytest.approx([0.0, -0.5 * learner.beta], rel=1e-14)
    with pytest.raises(AssertionError, match="no root"):
        learner.act(np.array([1.0, 0.0]), root=np.eye(2))
