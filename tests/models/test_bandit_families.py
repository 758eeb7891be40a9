"""Linear and contextual bandits and their families: exact embeddings, gaps set by T, constants of lower bounds."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from scipy.optimize import linprog

import bandits
from theorylab.errors import InputError
from theorylab.linear_bandit import UNIT_GAUSSIAN, ContextualBandit, LinearBandit
from theorylab.model import Bandit, Discounted, FiniteHorizon, RewardLaw
from theorylab.plan import gaps, plan

B = bandits.models
X = np.array([[1.0, 0.0], [0.5, 0.5], [0.0, -1.0]])
THETA = np.array([0.5, 0.25])


def test_linear_bandit_by_hand() -> None:
    m = LinearBandit(X, THETA, name="x")
    assert (m.A, m.d, m.setting, m.best_mean) == (3, 2, "linear-bandit", 0.5)
    assert m.means.tolist() == [0.5, 0.375, -0.25] and m.gaps.tolist() == [0.0, 0.125, 0.75]
    b = m.bandit()
    assert isinstance(b, Bandit) and b.means.tolist() == m.means.tolist() and b.reward_law == UNIT_GAUSSIAN
    assert b.name == "x" and m.feature_norm == pytest.approx(1) and m.parameter_norm == pytest.approx(math.sqrt(5) / 4)
    other = LinearBandit(X @ np.array([[0.0, 1.0], [1.0, 0.0]]), THETA[::-1])
    assert other.bandit().digest == b.digest and other.digest != m.digest == LinearBandit(X, THETA).digest
    assert replace(m, reward_law=RewardLaw("gaussian", -1, 1, 2)).means is not m.means
    for array in (m.features, m.theta, m.means):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


def test_the_error_of_means_is_proved() -> None:
    rng = np.random.default_rng(0)
    m = LinearBandit(rng.normal(size=(30, 7)), rng.normal(size=7), RewardLaw("gaussian", -50, 50, 1))
    theta = [Fraction(t) for t in m.theta.tolist()]
    for x, mean in zip(m.features.tolist(), m.means.tolist(), strict=True):
        exact = sum((Fraction(v) * t for v, t in zip(x, theta, strict=True)), Fraction(0))
        assert abs(Fraction(mean) - exact) <= Fraction(m.mean_error)
    assert 0 < m.mean_error < 1e-13


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LinearBandit(X, [0.5]), r"theta has shape \(1,\); expected \(2,\)"),
        (lambda: LinearBandit(X[0], THETA), r"features has shape \(2,\); expected \(A, d\)"),
        (lambda: LinearBandit(X, [np.inf, 0]), r"theta\[0\] is inf; features and parameters must be finite"),
        (
            lambda: LinearBandit(X, 3 * THETA),
            r"LinearBandit: means\[0\] is 1\.5, outside.*give the exact means besides",
        ),
        (
            lambda: LinearBandit(X, THETA, means=[0.5, 0.375, 0.0]),
            r"means\[2\] is 0\.0 but features\[a\] \. theta is -0\.25",
        ),
        (lambda: LinearBandit(X, THETA, "gaussian"), "reward_law is 'gaussian'"),
        (lambda: ContextualBandit([0.5, 0.25], [[0.5], [0.5]]), "law sums to 0.75"),
        (lambda: ContextualBandit([0.5, 0.5], [[0.5], [2.0]]), r"ContextualBandit: means\[1,0\] is 2\.0, outside"),
        (lambda: ContextualBandit([0.5, 0.5], [[0.5]]), r"means has shape \(1, 1\); expected \(2, A\)"),
        (lambda: ContextualBandit([0.5, 0.5]), r"needs means \(X, A\), or features \(X, A, d\) with theta"),
        (lambda: ContextualBandit([1.0], features=X[None]), r"features and theta go together; give theta"),
        (lambda: ContextualBandit([1.0], theta=THETA), r"features and theta go together; give features"),
        (lambda: ContextualBandit([], [[0.5]]), r"law has shape \(0,\)"),
        (lambda: B.gaussian(means=[0, np.nan]), r"means\[1\] is nan"),
        (lambda: B.gaussian(sd=0), r"gaussian: sd is 0; give a number in \(0, inf\)"),
        (lambda: B.minimax_pair(T=1, A=3), r"minimax-pair: T is 1, where a mean would be 1\.4.*; give T >= 2"),
        (lambda: B.minimax_pair(T=15, A=5, law="bernoulli"), "give T >= 16"),
        (lambda: B.minimax_pair(A=2, environment=2), r"environment is 2; give an integer in 0\.\.1"),
        (lambda: B.minimax_pair(law="normal"), "unknown law 'normal'"),
        (lambda: B.end_of_optimism(epsilon=0.3, gamma=2), r"epsilon is 0\.3; give epsilon <= 1/gamma\^2 = 0\.25"),
        (lambda: B.end_of_optimism(epsilon=1, gamma=1), "below 1"),
        (lambda: B.end_of_optimism(gamma=0.5), r"gamma is 0\.5; give a number in \[1, inf\)"),
        (lambda: B.linear_hypercube(d=13), r"d is 13; give an integer in 1\.\.12"),
        (lambda: B.linear_sphere(A=True), "A is True"),
        (lambda: B.contextual_linear(X=0), "X is 0; give an integer >= 1"),
    ],
)
def test_refusals(make: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        make()


def test_contextual_bandit_as_tabular_model() -> None:
    law, means = np.array([0.5, 0.25, 0.25]), np.array([[0.0, 0.5], [1.0, 0.25], [-0.5, -0.75]])
    m = ContextualBandit(law, means)
    assert (m.X, m.A, m.setting, m.mean_error) == (3, 2, "contextual-bandit", 0.0)
    assert m.gaps.tolist() == [[0.5, 0.0], [0.0, 0.75], [0.0, 0.25]]
    t = m.tabular()
    p = plan(t)
    assert p.gain == pytest.approx(0.25 + 0.25 - 0.125, abs=1e-14) and p.pi.tolist() == [1, 0, 0]
    assert np.abs(gaps(t) - m.gaps).max() < 1e-12 and (t.P == law).all() and t.mu0.tolist() == law.tolist()
    once = replace(t, criterion=FiniteHorizon(1))
    assert float(once.mu0 @ plan(once).V[0]) == 0.375
    assert plan(replace(t, criterion=Discounted(0.5))).pi.tolist() == [1, 0, 0]


def test_contextual_linear_means_and_law() -> None:
    m = B.contextual_linear(X=6, A=3, d=2, norm=0.5, skewed=True, seed=4)
    assert m.features is not None and m.theta is not None
    assert np.abs(m.means - m.features @ m.theta).max() < 1e-15
    assert np.abs(np.linalg.norm(m.features, axis=-1) - 1).max() < 1e-15
    assert np.linalg.norm(m.theta) == pytest.approx(0.5) and len(set(m.law.tolist())) == 6
    assert m.law.sum() == pytest.approx(1) and B.contextual_linear(X=4).law.tolist() == [0.25] * 4
    assert plan(m.tabular()).gain == pytest.approx(float(m.law @ m.means.max(axis=1)), abs=1e-14)
    plain = ContextualBandit(m.law, m.means, reward_law=m.reward_law)
    assert plain.digest != m.digest and plain.tabular().digest == m.tabular().digest


GOLDEN = {"linear_sphere": "f987ac809d8d8513", "contextual_linear": "4be54b45766fa4b5"}


@pytest.mark.parametrize("name", GOLDEN)
def test_a_seed_names_one_model(name: str) -> None:
    family = getattr(B, name)
    assert family().digest[:16] == GOLDEN[name] and family(seed=1).digest != family().digest


def test_points_of_the_sphere_are_uniform() -> None:
    x = B.linear_sphere(A=4000, d=3, seed=2).features
    assert np.abs(np.linalg.norm(x, axis=1) - 1).max() < 1e-15
    # a coordinate of a uniform point of the sphere in three dimensions is uniform on [-1, 1]
    for column in x.T:
        heights = np.sort((column + 1) / 2)
        distance = np.abs(heights - (np.arange(4000) + 0.5) / 4000).max()
        assert distance < 1.95 / math.sqrt(4000)  # level 0.001 of Kolmogorov's test
    assert np.abs(np.corrcoef(x.T) - np.eye(3)).max() < 0.06
    assert B.linear_sphere(d=1, A=4).gaps.max() in (0.0, 2.0)


def test_gaussian() -> None:
    m = B.gaussian(means=[-2.0, 3.0], sd=0.5)
    assert m.reward_law == RewardLaw("gaussian", low=-2.0, high=3.0, sd=0.5) and m.gaps.tolist() == [5.0, 0.0]
    assert B.gaussian().reward_law == RewardLaw("gaussian", sd=1.0) and m.name == "gaussian(-2,3;0.5)"


@pytest.mark.parametrize("law", ["gaussian", "bernoulli"])
def test_minimax_environments(law: str) -> None:
    T, A, c = 4000, 5, 0.75
    gap, base = c * math.sqrt((A - 1) / T), 0.5 if law == "bernoulli" else 0.0
    first = B.minimax_pair(T=T, A=A, law=law, c=c)
    assert np.abs(first.gaps - [0, gap, gap, gap, gap]).max() < 1e-16 + 1e-15
    assert first.best_mean == pytest.approx(base + gap) and first.reward_law.kind == law
    other = B.minimax_pair(T=T, A=A, law=law, c=c, environment=3)
    assert np.abs(other.gaps - [gap, 2 * gap, 2 * gap, 0, 2 * gap]).max() < 1e-15
    assert (np.flatnonzero(other.means != first.means) == [3]).all()
    quarter = B.minimax_pair(T=4 * T, A=A, law=law, c=c)
    assert quarter.gaps.max() == pytest.approx(gap / 2)


def test_constants_of_the_minimax_lower_bound() -> None:
    T, A = 1000, 2
    pair = [B.minimax_pair(T=T, A=A, environment=i) for i in range(A)]
    gap = pair[0].gaps.max()
    KL = float((pair[1].means[1] - pair[0].means[1]) ** 2) / 2
    assert KL == pytest.approx(2 * gap**2)
    bound = T * gap / 4 * math.exp(-KL * T / (A - 1)) / 2
    assert bound == pytest.approx(math.exp(-0.5) / 16 * math.sqrt((A - 1) * T))
    assert bound >= math.sqrt((A - 1) * T) / 27
    # the divergence of Bernoulli laws from its definition
    p, q = (B.minimax_pair(T=T, law="bernoulli", environment=i).means[1] for i in (0, 1))
    KL = p * math.log(p / q) + (1 - p) * math.log((1 - p) / (1 - q))
    assert KL == pytest.approx(-math.log(1 - 16 * gap**2) / 2, rel=1e-10)
    # the two easiest policies are inside the bound: each loses in one of the two environments
    assert max(pair[1].gaps[0] * T, 0.0) >= bound


def test_linear_hypercube() -> None:
    m = B.linear_hypercube(d=3, T=400, c=2.0, good=6)
    assert m.A == 8 and m.best_mean == pytest.approx(3 * 0.1) and int(np.argmin(m.gaps)) == 6
    assert np.unique(m.gaps.round(12)).tolist() == pytest.approx([0, 0.2, 0.4, 0.6])
    assert m.feature_norm == pytest.approx(math.sqrt(3)) and m.parameter_norm == pytest.approx(0.1 * math.sqrt(3))
    assert m.features[6].tolist() == [-1.0, 1.0, 1.0] and m.mean_error < 1e-16


@pytest.mark.parametrize(("epsilon", "gamma"), [(0.01, 2.0), (0.1, 3.0), (0.25, 1.0)])
def test_end_of_optimism(epsilon: float, gamma: float) -> None:
    m = B.end_of_optimism(epsilon=epsilon, gamma=gamma)
    assert m.means.tolist() == [1.0, 0.0, 1.0 - epsilon] and m.feature_norm < 1 + 1e-14
    # the asymptotic constant: minimise n2 + epsilon n3 where arm 1 is free, so only the second coordinate is uncertain
    y = m.features[:, 1]
    solved = linprog(
        c=m.gaps[1:],
        A_ub=-np.array([y[1:] ** 2] * 2),
        b_ub=[-2 * y[a] ** 2 / m.gaps[a] ** 2 for a in (1, 2)],
        bounds=[(0, None)] * 2,
    )
    assert solved.fun == pytest.approx(2 * gamma**2, rel=1e-6)
    only_third = 2 * y[2] ** 2 / m.gaps[2] ** 2 / y[2] ** 2 * m.gaps[2]
    assert only_third == pytest.approx(2 / epsilon) and only_third >= solved.fun * (1 - 1e-9)


@pytest.mark.parametrize("name", ["minimax_pair", "linear_hypercube", "end_of_optimism"])
def test_published_numbers(name: str) -> None:
    family = getattr(B, name)
    assert family.published
    for published in family.published:
        m = family.instance(published.name)()
        assert m.digest[:16] == published.digest
        found = {"gap": float(m.gaps[m.gaps > 1e-9].min()), "best_mean": m.best_mean}
        for key, digits in published.known.items():
            assert abs(found[key] - float(digits)) <= 1.0000001 * 10.0 ** -len(digits.partition(".")[2])
