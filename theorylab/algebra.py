"""Dense linear algebra in d features, as scalar kernels: sums in index order, the same bits on every target.

Matrices are (d, d) views of a state field, such as `st.V_inv` or `st.V_inv[h]`; vectors are (d,) views. Costs: O(d^2)
but for the two factorisations, O(d^3). A rank-one update of an inverse loses digits over many updates, so who keeps
one factors afresh now and then and says so.
"""

from __future__ import annotations

from math import sqrt

from theorylab.compiler import kernel
from theorylab.special import log

__all__ = [
    "cholesky", "combine", "dot", "invert_factor", "log_det_factor", "product", "quadratic", "rank_one_inverse",
    "solve_lower", "solve_lower_transposed",
]  # fmt: skip


@kernel
def dot(x, y, d):
    """sum_i x_i y_i."""
    total = 0.0
    for i in range(d):
        total += x[i] * y[i]
    return total


@kernel
def combine(columns, x, out, n, d):
    """out[j] = sum_i x_i columns[i, j] for n columns at once: each sum in index order, neighbours side by side."""
    for j in range(n):
        out[j] = x[0] * columns[0, j]
    for i in range(1, d):
        factor = x[i]
        for j in range(n):
            out[j] += factor * columns[i, j]


@kernel
def product(matrix, x, out, d):
    """out = matrix x; out may not be x."""
    for i in range(d):
        total = 0.0
        for j in range(d):
            total += matrix[i, j] * x[j]
        out[i] = total


@kernel
def quadratic(matrix, x, d):
    """x^T matrix x."""
    total = 0.0
    for i in range(d):
        row = 0.0
        for j in range(d):
            row += matrix[i, j] * x[j]
        total += x[i] * row
    return total


@kernel
def rank_one_inverse(inverse, x, work, d):
    """Sherman-Morrison: the inverse of M becomes that of M + x x^T, M symmetric; returns x^T M^{-1} x of before.

    det(M + x x^T) = det(M) (1 + the returned number). `work` (d,) holds M^{-1} x of before at the end. The result is
    symmetric to the last bit.
    """
    product(inverse, x, work, d)
    before = dot(x, work, d)
    scale = 1.0 / (1.0 + before)
    for i in range(d):
        for j in range(i + 1):
            value = inverse[i, j] - work[i] * work[j] * scale
            inverse[i, j] = value
            inverse[j, i] = value
    return before


@kernel
def cholesky(matrix, lower, d):
    """lower lower^T = matrix, `lower` (d, d) with zeros above its diagonal; false where a pivot is not positive."""
    for j in range(d):
        for i in range(j):
            lower[i, j] = 0.0
        pivot = matrix[j, j]
        for k in range(j):
            pivot -= lower[j, k] * lower[j, k]
        if not pivot > 0.0:
            return False
        root = sqrt(pivot)
        lower[j, j] = root
        for i in range(j + 1, d):
            value = matrix[i, j]
            for k in range(j):
                value -= lower[i, k] * lower[j, k]
            lower[i, j] = value / root
    return True


@kernel
def solve_lower(lower, b, out, d):
    """out = lower^{-1} b; out may be b."""
    for i in range(d):
        value = b[i]
        for k in range(i):
            value -= lower[i, k] * out[k]
        out[i] = value / lower[i, i]


@kernel
def solve_lower_transposed(lower, b, out, d):
    """out = lower^{-T} b; out may be b."""
    for m in range(d):
        i = d - 1 - m
        value = b[i]
        for k in range(i + 1, d):
            value -= lower[k, i] * out[k]
        out[i] = value / lower[i, i]


@kernel
def log_det_factor(lower, d):
    """ln det(lower lower^T) = 2 sum_i ln lower_ii, in nats."""
    total = 0.0
    for i in range(d):
        total += log(lower[i, i])
    return 2.0 * total


@kernel
def invert_factor(lower, out, work, d):
    """out = (lower lower^T)^{-1}, symmetric to the last bit; `work` is (d,)."""
    for j in range(d):
        for i in range(d):
            work[i] = 1.0 if i == j else 0.0
        solve_lower(lower, work, work, d)
        solve_lower_transposed(lower, work, work, d)
        for i in range(j + 1):
            out[i, j] = work[i]
            out[j, i] = work[i]
