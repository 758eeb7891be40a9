"""Checks of the arrays of models: entries, rows and shapes; messages name the offending entry and the mend.

Nothing is renormalised or clipped.
"""

from __future__ import annotations

import hashlib
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
    "check_law",
    "check_means",
    "check_probabilities",
    "check_sparse",
    "digest_of",
    "first",
    "floats",
    "freeze",
]

Floats: TypeAlias = NDArray[np.float64]

SUM_TOLERANCE = 1e-9  # how far a row of probabilities may be from 1: room for rounding, not for mistakes


class RowProfile(NamedTuple):
    """What planners need to know of the rows of P to bound rounding, taken when the rows are checked.

    Attributes:
        terms: the largest number of non-zero entries of a row.
        low, high: the smallest and largest computed sum of a row.
    """

    terms: int
    low: float
    high: float


def floats(x: Any, what: str) -> Floats:
    """A float64 C-ordered private copy of `x`; refuses what is not an array of real numbers."""
    try:
        raw = np.asarray(x)
    except ValueError as error:
        raise InputError(
            f"{what} is not a rectangular array of numbers ({error}); give nested lists of one shape"
        ) from None
    if raw.dtype.kind not in "biuf":
        raise InputError(f"{what} has dtype {raw.dtype}; give an array of real numbers (float64)")
    # adding zero turns -0.0 into 0.0, so that equal models have equal bytes and digests
    return np.array(raw, dtype=np.float64, order="C", copy=True) + 0.0


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
    bad = np.abs(sums - 1.0) > SUM_TOLERANCE
    if bad.any():
        i = first(bad) if x.ndim > 1 else ()
        where, what = (at(name, i, ",:"), "row") if i else (name, "vector")
        raise InputError(
            f"{where} sums to {float(sums[i])!r}; {what}s must sum to 1 within {SUM_TOLERANCE:g}: fix that {what}"
        )
    terms = int(np.count_nonzero(x, axis=-1).max())
    return RowProfile(terms, float(sums.min()), float(sums.max()))


def check_entries(x: Floats, label: Callable[[tuple[int, ...]], str]) -> None:
    """Entries finite and >= 0; `label` names an entry by its index."""
    bad = ~(np.isfinite(x) & (x >= 0))
    if bad.any():
        i = first(bad)
        rule = ">= 0" if np.isfinite(x[i]) else "finite"
        raise InputError(f"{label(i)} is {float(x[i])!r}; probabilities must be {rule}: fix that entry")


def check_sparse(P: Any, A: int) -> RowProfile:
    """The same for CSR (S*A, S); indices in messages are (s, a, s2)."""

    def label(k: tuple[int, ...]) -> str:
        row = int(np.searchsorted(P.indptr, k[0], side="right")) - 1
        return f"P[{row // A},{row % A},{int(P.indices[k])}]"

    check_entries(P.data, label)
    sums = np.asarray(P.sum(axis=1)).ravel()
    bad = np.abs(sums - 1.0) > SUM_TOLERANCE
    if bad.any():
        row = int(np.argmax(bad))
        raise InputError(
            f"P[{row // A},{row % A},:] sums to {float(sums[row])!r}; rows must sum to 1 within {SUM_TOLERANCE:g}: "
            "fix that row"
        )
    return RowProfile(int(np.diff(P.indptr).max(initial=1)), float(sums.min()), float(sums.max()))


def check_means(x: Floats, law: RewardLaw, name: str) -> None:
    """Mean rewards finite and inside the declared range of the law."""
    bad = ~np.isfinite(x)
    if bad.any():
        i = first(bad)
        raise InputError(f"{at(name, i)} is {x[i]}; mean rewards must be finite: fix that entry")
    bad = (x < law.low) | (x > law.high)
    if bad.any():
        i = first(bad)
        mend = "" if law.kind == "bernoulli" else f", or declare the range: RewardLaw('{law.kind}', low=..., high=...)"
        raise InputError(
            f"{at(name, i)} is {float(x[i])!r}, outside the declared reward range [{law.low}, {law.high}] of the "
            f"{law.kind} law; fix that entry{mend}"
        )


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
        h.update(np.ascontiguousarray(x, dtype=kind).tobytes())
    for record in records:
        h.update(repr(record).encode())
    return h.hexdigest()
