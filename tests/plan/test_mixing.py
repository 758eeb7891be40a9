"""Mixing times and stationary laws: closed forms, brute force, exact rationals, refusals, and planted faults."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array

import mdps
from tests.plan.test_plan_certified import exact, random_model, solve
from theorylab.errors import InputError
from theorylab.model import TabularMDP
from theorylab.plan import mixing
from theorylab.plan.average_reward import average_reward
from theorylab.plan.mixing import mixing_time, stationary_distribution

M = mdps.models


def chain_of(P: Any) -> TabularMDP:
    P = np.asarray(P, dtype=float)
    return TabularMDP(P=P[:, None, :], r=np.zeros((P.shape[0], 1)))


def test_two_states_in_closed_form() -> None:
    # K = [[1-a, a], [b, 1-b]]: d(t) = max(a, b)/(a+b) |1-a-b|^t
    a, b = 0.01, 0.03
    m = chain_of([[1 - a, a], [b, 1 - b]])
    zero = np.zeros(2, dtype=int)
    for epsilon in (0.25, 0.1, 1e-3, 1e-9):
        t = int(np.ceil(np.log(epsilon * (a + b) / b) / np.log(1 - a - b)))
        assert mixing_time(m, zero, epsilon) == (t, 0.0)
    law = stationary_distribution(m, zero)
    assert np.abs(law.value - [0.75, 0.25]).max() <= law.error < 1e-13


def test_a_distance_equal_to_epsilon_is_settled_exactly() -> None:
    # d(t) = 2^-(t+1): equal to the epsilon at t = 1 and at t = 4
    m = chain_of([[0.75, 0.25], [0.25, 0.75]])
    assert mixing_time(m) == (1, 0.0)
    assert mixing_time(m, epsilon=2.0**-5) == (4, 0.0)
    # the exact answer of rows that are 1 only after division: K mixes in one step, d(1) = 0
    third = chain_of(np.full((3, 3), 1 / 3))
    assert mixing_time(third) == (1, 0.0)


def test_undecided_distances_of_larger_models_are_bracketed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mixing, "EXACT_STATES", 1)
    got = mixing_time(chain_of([[0.75, 0.25], [0.25, 0.75]]))
    assert got == (2, 1.0) and got.low <= 1 <= got.high


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_against_brute_force(seed: int, sparse: bool) -> None:
    m = M.garnet(S=12, A=3, b=2, seed=seed)
    weights = np.random.default_rng(seed).random((12, 3))
    pi = weights / weights.sum(axis=1, keepdims=True)
    made = replace(m, P=csr_array(m.P.reshape(-1, 12))) if sparse else m
    for policy, w in ((pi, pi), (average_reward(m).pi, np.eye(3)[average_reward(m).pi])):
        K = np.einsum("sa,sat->st", w, m.P)
        mu = np.linalg.matrix_power((K + np.eye(12)) / 2, 2**12)[0]
        for epsilon in (0.25, 0.01):
            t, power = 0, np.eye(12)
            while np.abs(power - mu).sum(axis=1).max() / 2 > epsilon:
                t, power = t + 1, power @ K
            assert mixing_time(made, policy, epsilon) == (t, 0.0)
        law = stationary_distribution(made, policy)
        assert np.abs(law.value - mu).max() < 1e-12 and law.error < 1e-12
    assert mixing_time(made) == mixing_time(made, average_reward(m).pi)


@pytest.mark.parametrize("seed", range(5))
def test_the_law_against_rationals(seed: int) -> None:
    m = random_model(seed, S=5)
    pi = np.random.default_rng(seed).integers(0, m.A, size=m.S)
    P, _ = exact(m, normalise=True)
    K = [P[s][pi[s]] for s in range(5)]
    matrix = [[K[j][i] - (i == j) for j in range(5)] for i in range(4)] + [[Fraction(1)] * 5]
    mu = solve(matrix, [Fraction(0)] * 4 + [Fraction(1)])
    law = stationary_distribution(m, pi)
    distance = sum(abs(x - Fraction(y)) for x, y in zip(mu, law.value.tolist(), strict=True)) / 2
    assert 0 < distance <= Fraction(law.error) < Fraction(1, 10**12)
    # the fractions used to settle ties are the same chain
    inner = mixing._Fractions(m, pi)
    assert inner.mu == mu and inner.K == K
    assert inner.distance(0) == max(1 - x for x in mu)


def test_fractions_agree_with_floats() -> None:
    m = random_model(7, S=4)
    weights = np.random.default_rng(7).integers(1, 9, size=(4, 3))
    pi = weights / weights.sum(axis=1, keepdims=True)
    law = mixing._law(m, pi)
    powers, inner = mixing._Powers(law), mixing._Fractions(m, pi)
    power: tuple[np.ndarray, float] = (np.eye(4), 0.0)
    for t in range(12):
        distance, error = powers.distance(power)
        assert abs(inner.distance(t) - Fraction(distance)) <= Fraction(error) < Fraction(1, 10**13)
        power = powers.times(power, powers.square(0))


def test_transient_states_have_mass_zero() -> None:
    m = chain_of([[0.5, 0.5, 0], [0, 0.25, 0.75], [0, 0.5, 0.5]])
    law = stationary_distribution(m, np.zeros(3, dtype=int))
    assert law.value[0] == 0 and law.value[1:] == pytest.approx([0.4, 0.6], abs=1e-15)
    absorbing = chain_of([[0.5, 0.5], [0, 1]])
    assert stationary_distribution(absorbing, np.zeros(2, dtype=int)).value.tolist() == [0, 1]
    assert mixing_time(absorbing) == (2, 0.0)  # TV from state 0 is 2^-t
    assert mixing_time(chain_of([[1.0]])) == (0, 0.0)


def test_a_wrong_law_has_a_large_error(monkeypatch: pytest.MonkeyPatch) -> None:
    m = M.riverswim(states=6)
    pi = np.ones(6, dtype=int)
    good = stationary_distribution(m, pi)
    right = mixing.Poisson.stationary

    def wrong(self: Any) -> np.ndarray:
        return right(self) + 1e-6 * np.eye(6)[2]

    monkeypatch.setattr(mixing.Poisson, "stationary", wrong)
    bad = stationary_distribution(m, pi)
    assert np.abs(bad.value - good.value).sum() / 2 <= bad.error and 1e-7 < bad.error < 1e-3
    monkeypatch.setattr(mixing.Poisson, "hitting", lambda self, goal: np.zeros(6))
    assert stationary_distribution(m, pi).error == float("inf")


def test_refusals() -> None:
    cycle = chain_of(np.roll(np.eye(4), 1, axis=1))
    with pytest.raises(InputError, match="periodic with period 4"):
        mixing_time(cycle)
    assert np.abs(stationary_distribution(cycle, np.zeros(4, dtype=int)).value - 0.25).max() < 1e-15
    with pytest.raises(InputError, match=r"multichain: its recurrent classes are \[0\] and \[1\]"):
        mixing_time(M.two_state(), np.array([0, 0]))
    for epsilon in (0.0, 1.0, float("nan")):
        with pytest.raises(InputError, match="give a distance in"):
            mixing_time(cycle, epsilon=epsilon)
    slow = chain_of([[1 - 1e-15, 1e-15], [1e-15, 1 - 1e-15]])
    with pytest.raises(InputError, match="mixes too slowly for float64"):
        mixing_time(slow)


def test_laws_that_underflow_are_refused() -> None:
    P = np.array([[[1.0, 0], [1, 1e-200]], [[1e-323, 1], [1e-323, 1]]])
    m = TabularMDP(P=P, r=np.zeros((2, 2)))
    # 0 -> 1 has probability 1e-400, beyond floats: without it state 0 would look absorbing, with law (1, 0)
    with pytest.raises(InputError, match=r"law on states \[0, 1\] is singular in double precision"):
        stationary_distribution(m, np.array([[1.0, 1e-200], [1.0, 0]]))
