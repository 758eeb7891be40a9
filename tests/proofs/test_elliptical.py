"""Lemmas on ridge regression: they hold near equality, their false twins do not, and closed cases by hand."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest

from proofs_check.lemmas import elliptical, gaussian, self_normalised

Lemma = Callable[[np.random.Generator], tuple[float, str]]
LEMMAS: dict[str, tuple[Lemma, Lemma]] = {
    "determinant": (elliptical.determinant_trace, elliptical.false_determinant_trace),
    "potential": (elliptical.elliptical_potential, elliptical.false_elliptical_potential),
    "ridge error": (self_normalised.ridge_error, self_normalised.false_ridge_error),
    "theorem 1": (self_normalised.exact_tail, self_normalised.false_exact_tail),
    "perturbation": (gaussian.perturbation, gaussian.false_perturbation),
}


@pytest.mark.parametrize(("lemma", "twin"), LEMMAS.values(), ids=LEMMAS.keys())
def test_the_lemma_holds_and_its_false_twin_does_not(lemma: Lemma, twin: Lemma) -> None:
    for seed in range(3):
        rng = np.random.default_rng(seed)
        assert max(lemma(rng)[0] for _ in range(8)) <= 1e-9
        assert max(twin(rng)[0] for _ in range(24)) > 0.01


def test_determinant_and_potential_reach_equality() -> None:
    rng = np.random.default_rng(5)
    assert max(elliptical.determinant_trace(rng)[0] for _ in range(8)) > -1e-12
    assert max(elliptical.elliptical_potential(rng)[0] for _ in range(8)) > -1e-12


def test_potential_by_hand() -> None:
    # lam = 1: the first play of e_1 has norm 1, the second 1/2; e_2 then 1; det V = 3 * 2
    total, growth = elliptical.potential(np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]), 1.0)
    assert total == pytest.approx(2.5, rel=1e-15) and growth == pytest.approx(math.log(6), rel=1e-15)
    # a vector longer than sqrt(lam) counts as 1, and its determinant in full
    total, growth = elliptical.potential(np.array([[3.0]]), 1.0)
    assert total == 1.0 and growth == pytest.approx(math.log(10), rel=1e-15)


def test_the_tail_is_the_sum_over_all_signs() -> None:
    """By loops over sequences, one arm: S = x sum of signs."""
    x, lam, delta, n = 0.8, 0.1, 0.5, 7
    failing, mixture = 0, np.zeros(n)
    for signs in itertools.product((1, -1), repeat=n):
        broken = False
        for t in range(1, n + 1):
            V, S = lam + t * x * x, x * sum(signs[:t])
            broken |= S * S / V > 2 * math.log(math.sqrt(V / lam) / delta)
            mixture[t - 1] += math.exp(S * S / V / 2) * math.sqrt(lam / V) / 2**n
        failing += broken
    found = self_normalised.tail(np.array([[x]]), lam, delta, n, 0, 0, True)
    assert found[0] == failing / 2**n and found[1] == pytest.approx(mixture.max(), rel=1e-12)
    assert 0 < failing / 2**n < delta


def test_the_mixture_of_a_normal_law_has_mean_one() -> None:
    """Gaussian noise, one vector: E exp(S^2/(2V)) sqrt(lam/V) = 1 exactly, here by quadrature."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(200)
    for lam, x in ((1.0, 1.0), (0.5, 1.3), (4.0, 0.2)):
        V = lam + x * x
        mean = float(weights @ np.exp((x * nodes) ** 2 / (2 * V))) / math.sqrt(2 * math.pi) * math.sqrt(lam / V)
        assert mean == pytest.approx(1.0, rel=1e-6)


def test_anti_concentration_of_the_notes() -> None:
    assert pytest.approx(0.08555, abs=5e-6) == gaussian.P
    assert math.erfc(1 / math.sqrt(2)) / 2 >= gaussian.P  # P(Z >= 1) = .15866
    assert gaussian.gamma(3, 0.1) == pytest.approx(math.sqrt(6 * math.log(60)), rel=1e-15)


def test_either_half_of_the_false_perturbation_is_violated_alone() -> None:
    rng = np.random.default_rng(0)
    assert gaussian._excess(rng, 2.0, 2.0)[0] > 0.05 and gaussian._excess(rng, 4.0, 1.0)[0] > 0.05
