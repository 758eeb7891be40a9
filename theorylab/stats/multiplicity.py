"""Many claims at once: Holm for p-values; e-Holm and e-BH for e-values.

m hypotheses, levels alpha. All three are valid under any dependence, so claims may share runs.

    Holm    (family-wise error): sort p ascending, reject while p_(i) <= alpha/(m-i+1)
    e-Holm  (family-wise error): sort e descending, reject while e_(i) >= (m-i+1)/alpha
    e-BH    (false discovery rate): reject the k largest, k the largest with e_(k) >= m/(k alpha)

Each returns a boolean array of the input's shape (m,), True where the hypothesis is rejected. Cost O(m log m).
Source: Holm 1979; Vovk and Wang 2021 (e-Holm); Wang and Ramdas 2022 (e-BH) [recalled].
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from theorylab.errors import InputError
from theorylab.stats._inputs import FloatArray, finite_array, inside_unit

__all__ = ["e_bh", "e_holm", "holm"]


def _vector(name: str, values: ArrayLike, high: float) -> FloatArray:
    """A (m,) array with entries in [0, high]."""
    v = finite_array(name, values, infinite=True)
    if v.ndim != 1:
        raise InputError(f"{name} has shape {v.shape}; give one number per hypothesis, shape (m,)")
    bad = np.flatnonzero((v < 0.0) | (v > high))
    if bad.size:
        i = int(bad[0])
        raise InputError(f"{name}[{i}]={float(v[i])!r} is outside [0, {high:g}]; mend that entry")
    return v


def _first_k(order: NDArray[np.int64], k: int) -> NDArray[np.bool_]:
    out = np.zeros(order.size, dtype=np.bool_)
    out[order[:k]] = True
    return out


def holm(p: ArrayLike, alpha: float) -> NDArray[np.bool_]:
    """Holm's step-down test on p-values, shape (m,). InputError for entries outside [0, 1], NaN or a bad alpha."""
    v, al = _vector("p", p, 1.0), inside_unit("alpha", alpha)
    order = np.argsort(v, kind="stable")
    passed = v[order] <= al / np.arange(v.size, 0, -1)
    return _first_k(order, int(np.logical_and.accumulate(passed).sum()))


def e_holm(e: ArrayLike, alpha: float) -> NDArray[np.bool_]:
    """Step-down test on e-values, shape (m,), inf allowed. InputError for negative entries, NaN or a bad alpha."""
    v, al = _vector("e", e, np.inf), inside_unit("alpha", alpha)
    order = np.argsort(-v, kind="stable")
    passed = v[order] >= np.arange(v.size, 0, -1) / al
    return _first_k(order, int(np.logical_and.accumulate(passed).sum()))


def e_bh(e: ArrayLike, alpha: float) -> NDArray[np.bool_]:
    """e-BH at false discovery rate alpha, shape (m,), inf allowed. InputError as `e_holm`."""
    v, al = _vector("e", e, np.inf), inside_unit("alpha", alpha)
    order = np.argsort(-v, kind="stable")
    passed = np.flatnonzero(v[order] >= v.size / (al * np.arange(1, v.size + 1)))
    return _first_k(order, int(passed[-1]) + 1 if passed.size else 0)
