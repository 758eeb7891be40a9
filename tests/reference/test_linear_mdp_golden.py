"""The transcriptions for linear MDPs against golden numbers, closed forms and tabular dynamic programming."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mdps.models.mixture_random import family as mixture_random
from mdps.models.one_hot import family as one_hot
from mdps.models.riverswim import family as riverswim
from mdps.models.simplex_linear import family as simplex_linear
from theorylab import plan
from theorylab.criteria import FiniteHorizon
from theorylab.model import TabularMDP

from .lsvi_ucb import LSVIUCB
from .ucrl_vtr import UCRLVTR, radius, trace_bound


def small() -> TabularMDP:
    model = riverswim(states=3, horizon=3)
    assert isinstance(model, TabularMDP)
    return model


# LSVI-UCB


def test_lsvi_ucb_golden_bonus() -> None:
    # one-hot features, n = 3, lam = 1, beta = 2: the bonus is 2 / sqrt(4) = 1
    learner = LSVIUCB(np.eye(2).reshape(1, 2, 2), H=10, K=5, delta=0.1, c=1.0)
    learner.beta = 2.0
    for y in (0.5, 0.25, 1.0):
        learner.learn(9, 0, 0, y, 0)
    learner.plan()
    assert learner.w[9] == pytest.approx([1.75 / 4, 0.0])
    assert learner.Q[9, 0] == pytest.approx([1.75 / 4 + 1.0, 2.0])


def test_lsvi_ucb_golden_beta() -> None:
    # d = 2, H = 3, K = 100, delta = .1: iota = ln(2 * 2 * 300 / .1) = ln 12000
    learner = LSVIUCB(np.eye(2).reshape(1, 2, 2), H=3, K=100, delta=0.1, c=0.5)
    assert learner.beta == pytest.approx(0.5 * 2 * 3 * math.sqrt(math.log(12000.0)), rel=1e-14)
    assert learner.beta == pytest.approx(9.194235, abs=5e-7)  # ln 12000 = 9.392662


def test_lsvi_ucb_on_one_hot_features_is_tabular_value_iteration() -> None:
    """w = sum y / (n + lam), bonus beta / sqrt(n + lam), targets with V of this plan: against loops over cells."""
    m = one_hot(model=small())
    learner, rng = LSVIUCB(m.phi, H=3, K=40, delta=0.1, c=0.01), np.random.default_rng(0)
    steps: list[list[tuple[int, int, float, int]]] = [[], [], []]
    for _ in range(40):
        for h in range(3):
            step = (int(rng.integers(3)), int(rng.integers(2)), float(rng.random()), int(rng.integers(3)))
            learner.learn(h, *step)
            steps[h].append(step)
    learner.plan()
    V = np.zeros(3)
    for h in (2, 1, 0):
        Q = np.zeros((3, 2))
        for s in range(3):
            for a in range(2):
                ys = [r + V[s2] for x, b, r, s2 in steps[h] if (x, b) == (s, a)]
                Q[s, a] = min(3.0, sum(ys) / (len(ys) + 1) + learner.beta / math.sqrt(len(ys) + 1))
        assert learner.Q[h] == pytest.approx(Q, abs=1e-12)
        V = Q.max(axis=1)
    assert (learner.Q < 3.0).any() and not np.isclose(learner.Q, learner.Q[0, 0, 0]).all()


def test_lsvi_ucb_without_data_is_the_norm_of_the_features() -> None:
    m = simplex_linear(S=4, A=2, d=2, horizon=2, b=2)
    learner = LSVIUCB(m.phi, H=2, K=10, delta=0.1, c=0.1, lam=4.0)
    learner.plan()
    assert learner.Q[0] == pytest.approx(np.minimum(2.0, learner.beta * np.linalg.norm(m.phi, axis=2) / 2.0))


# UCRL-VTR


def test_ucrl_vtr_golden_radius() -> None:
    """The printed number of the notes: d=4, k=100, H=10, lam=1, B=1, delta=.05, trace bound."""
    assert radius(10, 0.05, trace_bound(4, 100, 10, 1.0), 1.0, 1.0) == pytest.approx(31.5325, abs=5e-5)


def test_the_trace_bound_is_attained_by_orthogonal_features() -> None:
    d, n, H, lam = 3, 6, 2, 0.5
    Sigma = lam * np.eye(d) + H**2 * (n / d) * np.eye(d)
    assert np.linalg.slogdet(Sigma / lam)[1] == pytest.approx(trace_bound(d, n, H, lam), rel=1e-13)
    x = np.random.default_rng(0).normal(size=(n, d))
    x *= H / np.linalg.norm(x, axis=1, keepdims=True)
    assert np.linalg.slogdet(np.eye(d) + x.T @ x / lam)[1] < trace_bound(d, n, H, lam)


def test_ucrl_vtr_with_the_true_parameter_plans_optimally() -> None:
    """With theta known and no bonus the plan is dynamic programming, below the clip at H."""
    m = mixture_random(S=5, A=2, d=3, horizon=4, b=2)
    learner = UCRLVTR(m.phi, m.r, H=4, delta=0.1, lam=1e-12, B=0.0, homogeneous=True, trace=False)
    # features of unit vectors with exact targets determine theta; the radius is that of H -> 0
    for i in range(3):
        for _ in range(1000):
            learner.samples[0].append((1e6 * np.eye(3)[i], 1e6 * float(m.theta[i])))
    learner.plan()
    exact = plan(m.tabular())
    assert learner.theta[0] == pytest.approx(m.theta, rel=1e-9)
    assert np.all(learner.Q >= exact.Q - 1e-9)
    assert learner.Q == pytest.approx(exact.Q, abs=1e-4)


def test_value_features_give_the_backup() -> None:
    m = mixture_random(S=5, A=2, d=3, horizon=4, b=2)
    learner = UCRLVTR(m.phi, m.r, H=4, delta=0.1, lam=1.0, B=1.0, homogeneous=True, trace=False)
    V = np.random.default_rng(0).random(5)
    assert learner.features(V) @ m.theta == pytest.approx(m.P @ V, abs=1e-13)
    assert learner.features(V) == pytest.approx(m.value_features(V), abs=1e-14)


def test_ucrl_vtr_one_hot_mixture_counts() -> None:
    """One-hot mixture features: theta_i = sum of V(s') phi_V,i / (lam + sum phi_V,i^2) where they do not mix."""
    m = one_hot(model=TabularMDP(P=np.ones((1, 1, 1)), r=np.ones((1, 1)), criterion=FiniteHorizon(2)), form="mixture")
    learner = UCRLVTR(m.phi, m.r, H=2, delta=0.5, lam=1.0, B=1.0, homogeneous=True, trace=False)
    learner.plan()
    # one state, one action: V_1 = 1, phi_V = 1, |phi_V| = 1, beta = sqrt(2 ln 2) + 1 > 1, clipped at H = 2
    assert learner.V[:2, 0] == pytest.approx([2.0, 1.0]) and learner.beta[0] == pytest.approx(
        math.sqrt(math.log(4)) + 1
    )
    for k in range(1, 30):
        learner.learn(0, 0, 0, 0)
        learner.learn(1, 0, 0, 0)
        learner.plan()
        assert learner.theta[0][0] == pytest.approx(k / (k + 1)) and learner.V[1, 0] == 1.0
        beta = math.sqrt(2 * math.log(2) + math.log(1 + k)) + 1
        assert learner.V[0, 0] == pytest.approx(min(2.0, 1 + k / (k + 1) + beta / math.sqrt(k + 1)))
