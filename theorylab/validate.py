"""Checks of the arrays of models: entries, rows and shapes; messages name the offending entry and the mend.

Nothing is renormalised or clipped.
"""

from __future__ import annotations

import hashlib
import weakref
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from theorylab.criteria import RewardLaw
from theorylab.errors import InputError

__all__ = [
    "SUM_TOLERANCE",
    "RowProfile",
    "at",
    "check_csr",
    "check_law",
    "check_means",
    "check_name",
    "check_probabilities",
    "check_sparse",
    "digest_of",
    "first",
    "floats",
    "freeze",
    "known_profile",
    "remember",
]

Floats: TypeAlias = NDArray[np.float64]

SUM_TOLERANCE = 1e-9  # how far a row of probabilities may be from 1: room for rounding, not for mistakes
BLOCK = 2**18  # entries hashed at once


class RowProfile(NamedTuple):
    """What planners need to know of the rows of P to bound rounding, taken when the rows are checked.

    Attributes:
        terms: the largest number of non-zero entries of a row.
        low, high: the smallest and largest computed sum of a row.
    """

    terms: int
    low: float
    high: float


_CHECKED: dict[int, tuple[weakref.ref[Any], RowProfile]] = {}  # kernels of models, by identity


def remember(P: Any, profile: RowProfile) -> None:
    """Note that `P` is checked and read-only: models made from it share it (see `known_profile`)."""
    key = id(P)
    _CHECKED[key] = (weakref.ref(P, lambda _: _CHECKED.pop(key, None)), profile)


def known_profile(P: Any) -> RowProfile | None:
    """The profile of `P` if it is the kernel of a model and still read-only, else None."""
    entry = _CHECKED.get(id(P))
    kernel: Any = None if entry is None else entry[0]()
    if entry is None or kernel is None or kernel is not P:
        return None
    parts = (kernel,) if isinstance(kernel, np.ndarray) else (kernel.data, kernel.indices, kernel.indptr)
    return None if any(part.flags.writeable for part in parts) else entry[1]


def floats(x: Any, what: str) -> Floats:
    """A float64 C-ordered private copy of `x`; refuses what is not an array of real numbers."""
    if np.ma.is_masked(x):
        i = first(np.ma.getmaskarray(x))
        raise InputError(f"{at(what, i)} is masked; a model has no missing entries: fill it, as with x.filled(value)")
    try:
        raw = np.asarray(x)
    except ValueError as error:
        raise InputError(
            f"{what} is not a rectangular array of numbers ({error}); give nested lists of one shape"
        ) from None
    if raw.dtype.kind not in "biuf":
        raise InputError(f"{what} has dtype {raw.dtype}; give an array of real numbers (float64)")
    out = np.array(raw, dtype=np.float64, order="C", copy=True)
    # adding zero turns -0.0 into 0.0, so that equal models have equal bytes and digests
    out += 0.0
    return out


def freeze(x: NDArray[Any]) -> None:
    """Make an array read-only."""
    x.flags.writeable = False


def at(name: str, index: tuple[int, ...], tail: str = "") -> str:
    """`name[i,j]`, as messages print an entry; `tail` comes after the indices."""
    return f"{name}[{','.join(str(i) for i in index)}{tail}]"


def first(bad: NDArray[np.bool_]) -> tuple[int, ...]:
    """The index of the first true entry, in row-major order."""
    return tuple(int(i) for i in np.unravel_index(int(np.argmax(bad)), bad.shape))


def check_probabilities(x: Floats, name: str) -> RowProfile:
    """Entries finite and >= 0, and the last axis sums to 1; `x` dense, any leading shape."""
    check_entries(x, lambda i: at(name, i))
    sums = np.asarray(x.sum(axis=-1))
    low, high = float(sums.min()), float(sums.max())
    if _off(low, high):
        i = first(np.abs(sums - 1.0) > SUM_TOLERANCE) if x.ndim > 1 else ()
        where, what = (at(name, i, ",:"), "row") if i else (name, "vector")
        raise InputError(
            f"{where} sums to {float(sums[i])!r}; {what}s must sum to 1 within {SUM_TOLERANCE:g}: fix that {what}"
        )
    return RowProfile(int(np.count_nonzero(x, axis=-1).max()), low, high)


def _off(low: float, high: float) -> bool:
    """Whether the smallest or the largest sum of a row is too far from 1."""
    return low - 1.0 < -SUM_TOLERANCE or high - 1.0 > SUM_TOLERANCE


def check_entries(x: Floats, label: Callable[[tuple[int, ...]], str]) -> None:
    """Entries finite and >= 0; `label` names an entry by its index."""
    # extremes need no arrays of their own; a nan makes them nan, which fails both comparisons
    if x.size == 0 or (x.min() >= 0 and x.max() < np.inf):
        return
    i = first(~(np.isfinite(x) & (x >= 0)))
    rule = ">= 0" if np.isfinite(x[i]) else "finite"
    raise InputError(f"{label(i)} is {float(x[i])!r}; probabilities must be {rule}: fix that entry")


def check_csr(data: NDArray[Any], indices: NDArray[Any], indptr: NDArray[Any], shape: tuple[int, int]) -> None:
    """The parts of a CSR matrix make one of that shape; scipy trusts them, and would read outside of arrays."""
    rows, columns = shape
    if indptr.size != rows + 1:
        raise InputError(f"indptr has {indptr.size} entries; a matrix of {rows} rows needs {rows + 1}")
    if indptr[0] != 0 or indptr[-1] != data.size or indices.size != data.size or (indptr[1:] < indptr[:-1]).any():
        raise InputError(f"indptr must rise from 0 to the size of data, {data.size}, and of indices, {indices.size}")
    if indices.size and not (indices.min() >= 0 and indices.max() < columns):
        k = int(np.argmax((indices < 0) | (indices >= columns)))
        raise InputError(f"indices[{k}] is {int(indices[k])}; the states are 0..{columns - 1}: fix that entry")


def check_sparse(P: Any, A: int) -> RowProfile:
    """Entries finite and >= 0, and rows sum to 1, of a CSR (S*A, S); indices in messages are (s, a, s2)."""

    def label(k: tuple[int, ...]) -> str:
        row = int(np.searchsorted(P.indptr, k[0], side="right")) - 1
        return f"P[{row // A},{row % A},{int(P.indices[k])}]"

    check_entries(P.data, label)
    sums = P @ np.ones(P.shape[1])
    low, high = float(sums.min()), float(sums.max())
    if _off(low, high):
        row = int(np.argmax(np.abs(sums - 1.0) > SUM_TOLERANCE))
        raise InputError(
            f"P[{row // A},{row % A},:] sums to {float(sums[row])!r}; rows must sum to 1 within {SUM_TOLERANCE:g}: "
            "fix that row"
        )
    return RowProfile(int(np.diff(P.indptr).max(initial=1)), low, high)


def check_means(x: Floats, law: RewardLaw, name: str) -> None:
    """Mean rewards finite and inside the declared range of the law."""
    if x.min() >= law.low and x.max() <= law.high:
        return
    bad = ~np.isfinite(x)
    if bad.any():
        i = first(bad)
        raise InputError(f"{at(name, i)} is {x[i]}; mean rewards must be finite: fix that entry")
    i = first((x < law.low) | (x > law.high))
    mend = "" if law.kind == "bernoulli" else f", or declare the range: RewardLaw('{law.kind}', low=..., high=...)"
    raise InputError(
        f"{at(name, i)} is {float(x[i])!r}, outside the declared reward range [{law.low}, {law.high}] of the "
        f"{law.kind} law; fix that entry{mend}"
    )


def check_name(name: Any) -> None:
    """Refuse a name that is no text."""
    if not isinstance(name, str):
        raise InputError(f"name is {name!r}; give a text, such as name='my-model'")


def check_law(law: Any) -> None:
    """Refuse what is not a `RewardLaw`."""
    if not isinstance(law, RewardLaw):
        raise InputError(f"reward_law is {law!r}; give a RewardLaw, e.g. RewardLaw('deterministic')")


def digest_of(arrays: dict[str, NDArray[Any]], *records: Any) -> str:
    """SHA-256 (hex) of arrays with their names and shapes, and of the texts of records; the same on every platform."""
    h = hashlib.sha256()
    for name, x in arrays.items():
        kind = "<f8" if x.dtype.kind == "f" else "<i8"
        h.update(f"{name}{x.shape}{kind}".encode())
        flat = x.reshape(-1)
        for i in range(0, flat.size, BLOCK):  # in blocks, as another type of integers needs a copy
            h.update(np.ascontiguousarray(flat[i : i + BLOCK], dtype=kind).data)
    for record in records:
        h.update(repr(record).encode())
    return h.hexdigest()
