"""Linear systems of a policy's chain, solved roughly: BiCGStab.

The caller judges the answer by its residual; nothing here is trusted. Source: van der Vorst (1992) [recalled].
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

__all__ = ["bicgstab"]

Floats = NDArray[np.float64]


def _dot(x: Floats, y: Floats, work: Floats) -> float:
    # BLAS would spread it over threads and sum in an order that depends on their number
    return float(np.add.reduce(np.multiply(x, y, out=work)))


def largest(x: Floats) -> float:
    """max |x|."""
    return float(max(x.max(), -x.min()))


def bicgstab(
    product: Callable[[Floats], Floats], b: Floats, wanted: float, most: int, size: Callable[[Floats], float] = largest
) -> Floats:
    """A rough solution x of M x = b from x = 0.

    Args:
        product: x -> M x.
        wanted: stop when size(b - M x) is this small, by the recurrence for the residual.
        most: iterations, of two products each.

    The x of the smallest residual is returned; 0 if none was better than that.
    """
    r, x = b.copy(), np.zeros_like(b)
    shadow, p, v, work = b.copy(), np.zeros_like(b), np.zeros_like(b), np.empty_like(b)
    rho = alpha = omega = 1.0
    best, best_size = x.copy(), size(b)
    for _ in range(most):
        before, rho = rho, _dot(shadow, r, work)
        if rho == 0.0 or omega == 0.0:
            break
        p -= np.multiply(v, omega, out=work)
        p *= rho / before * alpha / omega
        p += r
        v = product(p)
        slope = _dot(shadow, v, work)
        if slope == 0.0:
            break
        alpha = rho / slope
        r -= np.multiply(v, alpha, out=work)
        t = product(r)
        length = _dot(t, t, work)
        omega = _dot(t, r, work) / length if length > 0.0 else 0.0
        x += np.multiply(p, alpha, out=work)
        x += np.multiply(r, omega, out=work)
        r -= np.multiply(t, omega, out=work)
        now = size(r)
        if not now < float("inf"):
            break
        if now < best_size:
            best_size = now
            best[:] = x
        if now <= wanted:
            break
    return best
