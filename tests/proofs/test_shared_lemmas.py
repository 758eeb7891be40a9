"""Sums over visits, elliptical potential, mixtures, empirical Bernstein in exact form, beside numbers found apart."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from scipy.stats import multinomial

from proofs_check.lemmas import bernstein, elliptical, empirical_bernstein, mixtures, potential, self_normalised, visits
from theorylab.lemma import Lemma, search, violation
from theorylab.lemma_fields import BALLS, FLOATS, RATIONALS, Field
from theorylab.strategies import table


def sides(lemma: Lemma, instance: dict[str, Any], field: Field = FLOATS) -> dict[str, tuple[Any, Any]]:
    with field.context():
        return dict(lemma.sides(field.read(instance), field))


def test_sums_over_visits_by_hand() -> None:
    x = {"M": 3, "pair": [2, 0, 2], "times": [2, 1, 1]}  # counts 1, 2, 1, 3
    found = sides(visits.running, x)
    assert found["1/sqrt(n)"] == pytest.approx((2 + 1 / math.sqrt(2) + 1 / math.sqrt(3), 2 * math.sqrt(12)))
    assert found["1/n"] == pytest.approx((2 + 1 / 2 + 1 / 3, 3 * (1 + math.log(4 / 3))))
    # fewer visits than pairs: no logarithm below 0
    assert sides(visits.running, {"M": 3, "pair": [1], "times": [1]})["1/n"] == pytest.approx((1, 3))


def test_lemma_19_by_hand() -> None:
    left, right = sides(visits.episodes, {"parts": table([Fraction(1, 2), 1, Fraction(3, 2)], 3)})["episodes"]
    assert left == pytest.approx(0.5 + 1 + 1.5 / math.sqrt(1.5))
    assert right == pytest.approx((math.sqrt(2) + 1) * math.sqrt(3))


def test_the_counterexample_of_lemma_19_doubles() -> None:
    x = search(visits.episodes, 256, twin="2 for sqrt(2) + 1").counterexample
    assert x is not None and list(x["parts"]) == [1, 1, 2, 4, 8]


def test_potential_and_determinant_agree_with_the_sampled_form() -> None:
    rng = np.random.default_rng(0)
    for d in (1, 2, 3):
        rows = rng.integers(-4, 5, size=(5, d))
        x = {"d": d, "lam": Fraction(9, 16), "vectors": table([Fraction(int(k), 4) for k in rows.ravel()], 5, d)}
        total, growth = elliptical.potential(rows / 4, 9 / 16)
        found = sides(potential.elliptical, x)
        assert found["lemma 11"] == pytest.approx((total, 2 * growth), rel=1e-12)
        assert found["1/ln 2 for 2"] == pytest.approx((total, growth / math.log(2)), rel=1e-12)
        longest = float(((rows / 4) ** 2).sum(axis=1).max())
        assert found["with the trace"][1] == pytest.approx(2 * d * math.log1p(5 * longest * 16 / (9 * d)), rel=1e-12)
        det, most = sides(potential.determinant_trace, x)["det"]
        assert det == pytest.approx(math.exp(growth) * (9 / 16) ** d, rel=1e-12)
        assert most == pytest.approx((9 / 16 + 5 * longest / d) ** d, rel=1e-12)


def test_equality_of_lemma_10_is_exact() -> None:
    axes = table([1, 0, 0, 0, 1, 0, 0, 0, 1] * 2, 6, 3)
    det, most = sides(potential.determinant_trace, {"d": 3, "lam": Fraction(1, 16), "vectors": axes}, RATIONALS)["det"]
    assert det == most and str(det) == str(Fraction(33, 16) ** 3)


@pytest.mark.parametrize("R", [Fraction(1, 2), Fraction(2)])
def test_mixture_and_tail_by_loops_over_sequences(R: Fraction) -> None:
    """Two arms in two dimensions, the second played after a sum of signs below 0; V and S formed afresh."""
    arms, lam, delta, n = np.array([[0.75, 0.25], [-0.5, 1.0]]), 0.25, 0.875, 5
    played = [int(sum(signs) < 0) for t in range(n) for signs in itertools.product((1, -1), repeat=t)]
    x = {
        "d": 2, "n": n, "R": R, "lam": Fraction(1, 4), "delta": Fraction(7, 8),
        "arms": table([Fraction(3, 4), Fraction(1, 4), Fraction(-1, 2), 1], 2, 2), "played": played,
    }  # fmt: skip
    mean, failing = np.zeros(n), 0
    for signs in itertools.product((1, -1), repeat=n):
        broken = False
        rows = np.array([arms[int(sum(signs[:t]) < 0)] for t in range(n)])
        for t in range(1, n + 1):
            V = lam * np.eye(2) + rows[:t].T @ rows[:t]
            S = float(R) * np.array(signs[:t]) @ rows[:t]
            square, ratio = S @ np.linalg.inv(V) @ S, np.linalg.det(V) / lam**2
            mean[t - 1] += math.exp(square / (2 * float(R) ** 2)) / math.sqrt(ratio) / 2**n
            broken |= bool(square > 2 * float(R) ** 2 * math.log(math.sqrt(ratio) / delta))
        failing += broken
    assert sides(mixtures.mixture, x)["mean"][0] == pytest.approx(mean, rel=1e-12)
    assert sides(mixtures.self_normalised, x)["P(fails)"] == (failing / 2**n, delta)
    assert 0 < failing and violation(mixtures.self_normalised, x)[0] == "" == violation(mixtures.mixture, x)[0]


def test_one_arm_agrees_with_the_sampled_form() -> None:
    x = {"d": 1, "n": 6, "R": Fraction(1), "lam": Fraction(1, 4), "delta": Fraction(3, 4),
         "arms": table([Fraction(1, 2)], 1, 1), "played": [0] * 63}  # fmt: skip
    failed, mean = self_normalised.tail(np.array([[0.5]]), 0.25, 0.75, 6, 0, 0, True)
    assert sides(mixtures.self_normalised, x)["P(fails)"][0] == failed > 0
    assert max(sides(mixtures.mixture, x)["mean"][0]) == pytest.approx(mean, rel=1e-12)


@pytest.mark.parametrize(("n", "k"), [(2, 1), (30, 2), (100, 3), (256, 7)])
def test_empirical_bernstein_on_coins_agrees_with_the_sampled_form(n: int, k: int) -> None:
    """The two sides together are the two-sided probability; with 1/3 for 7/3 too, where it is larger."""
    delta, rate, lemma = Fraction(k, 16), Fraction(1, 8), empirical_bernstein.empirical_bernstein
    x = {"n": n, "B": 4, "delta": delta, "values": table([0, 4], 2), "p": table([1 - rate, rate], 2)}
    L = math.log(2 / delta)
    for wide, lower in ((lemma.sides, 7 / 3), (lemma.twins["1/3 for 7/3"], 1 / 3)):
        both = [left for left, _ in wide(FLOATS.read(x), FLOATS).values()]
        assert sum(both) == pytest.approx(bernstein.probability(n, 0.125, L, lower), rel=1e-9, abs=1e-15)


def test_empirical_bernstein_on_three_values() -> None:
    n, B, v, p = 17, 2, np.array([0.0, 2.0, 0.5]), np.array([0.75, 0.125, 0.125])
    x = {"n": n, "B": B, "delta": Fraction(15, 16), "values": table([0, 2, Fraction(1, 2)], 3),
         "p": table([Fraction(3, 4), Fraction(1, 8), Fraction(1, 8)], 3)}  # fmt: skip
    L, above, below = math.log(32 / 15), 0.0, 0.0
    for i, j in itertools.product(range(n + 1), repeat=2):
        if i + j <= n:
            counts = [n - i - j, i, j]
            sample = np.repeat(v, counts)
            width = math.sqrt(2 * sample.var(ddof=1) * L / n) + 7 * B * L / (3 * (n - 1))
            above += multinomial.pmf(counts, n, p) * (v @ p - sample.mean() > width)
            below += multinomial.pmf(counts, n, p) * (sample.mean() - v @ p > width)
    lemma = empirical_bernstein.empirical_bernstein
    for field in (FLOATS, BALLS):
        found = sides(lemma, x, field)
        assert float(found["mu above"][0]) == pytest.approx(above, rel=1e-9)
        assert float(found["mu below"][0]) == pytest.approx(below, rel=1e-9)
    assert above + below > 0
