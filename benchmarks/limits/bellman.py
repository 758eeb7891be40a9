"""Span value iteration written by hand for one CSR or dense model, and plain passes over memory.

What a specialist would write: one fused Numba loop, span stopping, mid-point correction of the values.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

__all__ = ["read", "solve", "triad"]

Floats = NDArray[np.float64]


@numba.njit(nogil=True, error_model="numpy", cache=True)
def _sweep(indptr, indices, data, r, gamma, v, out):  # type: ignore[no-untyped-def]
    S, A = r.shape
    low, high = np.inf, -np.inf
    for s in range(S):
        best = -np.inf
        for a in range(A):
            q = 0.0
            for k in range(indptr[s * A + a], indptr[s * A + a + 1]):
                q += data[k] * v[indices[k]]
            best = max(best, r[s, a] + gamma * q)
        low, high = min(low, best - v[s]), max(high, best - v[s])
        out[s] = best
    return low, high


def solve(P: Any, r: Floats, gamma: float, error: float) -> Floats:
    """Values within `error` of the optimum, rounding aside."""
    v, out = np.zeros(r.shape[0]), np.empty(r.shape[0])
    # unsigned indices: compiled code tests signed ones for being negative
    indptr, indices = P.indptr.view(np.uint32), P.indices.view(np.uint32)
    while True:
        low, high = _sweep(indptr, indices, P.data, r, gamma, v, out)
        if gamma * (high - low) / 2 <= error * (1 - gamma):
            return out + gamma * (low + high) / 2 / (1 - gamma)
        v, out = out, v


@numba.njit(nogil=True, fastmath=True, cache=True)
def _read(x):  # type: ignore[no-untyped-def]
    total = 0.0
    for i in range(x.size):
        total += x[i]
    return total


@numba.njit(nogil=True, cache=True)
def _triad(a, b, c):  # type: ignore[no-untyped-def]
    for i in range(a.size):
        a[i] = b[i] + 3.0 * c[i]


def _parts(work: Any, threads: int, *arrays: Floats) -> None:
    if threads == 1:
        work(*arrays)
        return
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, *(np.array_split(x, threads) for x in arrays)))


def read(x: Floats, threads: int) -> None:
    """One pass of reads."""
    _parts(_read, threads, x)


def triad(a: Floats, b: Floats, c: Floats, threads: int) -> None:
    """STREAM's triad."""
    _parts(_triad, threads, a, b, c)
