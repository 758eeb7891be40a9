"""Replicates in index order: an accumulator that refuses any other.

The statements of `bernoulli` and `mean` hold at any stopping time *of the sequence of replicates by index*. Fed in
order of completion, fast replicates come first, and these are not typical: an optional stop is then no stopping time.
An array does not show in which order it was filled; a `Stream` does.
"""

from __future__ import annotations

from theorylab.errors import InputError
from theorylab.stats._inputs import FloatArray, count, finite_array

__all__ = ["Stream"]


class Stream:
    """Values in [0, 1] of the replicates first, first + 1, ..., each added with its index.

    `n` and `total` feed `bernoulli.step`, `bernoulli.log_e_refute` and their kin; `values`, shape (n,), feeds `mean`.
    """

    def __init__(self, first: int = 0) -> None:
        self._first = count("first", first)
        self._values: list[float] = []
        self.total = 0.0

    def add(self, index: int, value: float) -> None:
        """Add the value of replicate `index`. InputError if another index is next, or the value is outside [0, 1]."""
        expected = self._first + len(self._values)
        if index != expected:
            raise InputError(f"replicate {index} was fed but replicate {expected} is next; feed them in index order")
        v = finite_array(f"value of replicate {index}", value)
        if v.ndim or not 0.0 <= v <= 1.0:
            raise InputError(f"replicate {index}: value={value!r} is not a number in [0, 1]; divide by its range")
        self._values.append(float(v))
        self.total += float(v)

    @property
    def n(self) -> int:
        """How many replicates have been added."""
        return len(self._values)

    @property
    def values(self) -> FloatArray:
        """The values in index order, shape (n,)."""
        return finite_array("values", self._values)
