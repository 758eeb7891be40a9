"""Dense algebra kernels against exact rationals and LAPACK, and the same bits on the python and cpu targets."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from theorylab import algebra

Floats = NDArray[np.float64]


def positive(d: int, seed: int) -> Floats:
    x = np.random.default_rng(seed).standard_normal((3 * d, d))
    return np.asarray(x.T @ x + np.eye(d))


@pytest.mark.parametrize("target", ["python", "cpu"])
@pytest.mark.parametrize("d", [1, 2, 7])
def test_factor_solve_and_determinant(target: str, d: int) -> None:
    M, b = positive(d, d), np.arange(1.0, d + 1)
    L, out, work = np.full((d, d), np.nan), np.empty(d), np.empty(d)
    assert algebra.cholesky.build(target)(M, L, d)
    np.testing.assert_allclose(L, np.linalg.cholesky(M), rtol=1e-12)
    algebra.solve_lower.build(target)(L, b, out, d)
    algebra.solve_lower_transposed.build(target)(L, out, out, d)
    np.testing.assert_allclose(M @ out, b, rtol=1e-11)
    assert algebra.log_det_factor.build(target)(L, d) == pytest.approx(np.linalg.slogdet(M)[1], rel=1e-12)
    inverse = np.empty((d, d))
    algebra.invert_factor.build(target)(L, inverse, work, d)
    np.testing.assert_allclose(inverse @ M, np.eye(d), atol=1e-12)
    assert np.array_equal(inverse, inverse.T)


def test_a_matrix_that_is_not_positive_is_said_so() -> None:
    d = 2
    L = np.zeros((d, d))
    assert not algebra.cholesky(np.array([[1.0, 2.0], [2.0, 4.0]]), L, d)
    assert not algebra.cholesky(np.array([[np.nan, 0.0], [0.0, 1.0]]), L, d)


def test_rank_one_update_in_exact_arithmetic() -> None:
    d, x = 2, np.array([Fraction(1, 3), Fraction(-2)], dtype=object)
    inverse = np.array([[Fraction(1), Fraction(0)], [Fraction(0), Fraction(1, 2)]], dtype=object)
    work = np.empty(d, dtype=object)
    product = Exact.product(inverse, x, d)
    before = sum(x[i] * product[i] for i in range(d))
    expected = [[inverse[i, j] - product[i] * product[j] / (1 + before) for j in range(d)] for i in range(d)]
    as_floats = inverse.astype(float)
    got = algebra.rank_one_inverse(as_floats, x.astype(float), work.astype(float), d)
    assert got == pytest.approx(float(before), rel=1e-15)
    np.testing.assert_allclose(as_floats, np.array(expected, dtype=float), rtol=1e-14)


class Exact:
    """Products of object arrays of fractions."""

    @staticmethod
    def product(matrix: NDArray[Any], x: NDArray[Any], d: int) -> list[Any]:
        return [sum((matrix[i, j] * x[j] for j in range(d)), Fraction(0)) for i in range(d)]


def test_rank_one_updates_follow_the_inverse_and_the_determinant() -> None:
    d, rng = 5, np.random.default_rng(0)
    update = {t: algebra.rank_one_inverse.build(t) for t in ("python", "cpu")}
    inverse = {t: np.eye(d) for t in update}
    M, log_det, work = np.eye(d), 0.0, np.empty(d)
    for _ in range(200):
        x = rng.standard_normal(d)
        before = {t: f(inverse[t], x, work, d) for t, f in update.items()}
        assert before["python"] == before["cpu"]
        M += np.outer(x, x)
        log_det += float(np.log1p(before["cpu"]))
    assert np.array_equal(inverse["python"], inverse["cpu"])
    np.testing.assert_allclose(inverse["cpu"] @ M, np.eye(d), atol=1e-12)
    assert log_det == pytest.approx(np.linalg.slogdet(M)[1], rel=1e-12)


def test_products() -> None:
    M, x, out = positive(4, 9), np.array([1.0, -2.0, 3.0, 0.5]), np.empty(4)
    algebra.product(M, x, out, 4)
    np.testing.assert_allclose(out, M @ x, rtol=1e-14)
    assert algebra.quadratic(M, x, 4) == pytest.approx(x @ M @ x, rel=1e-14)
    assert algebra.dot(x, x, 4) == 14.25
