"""Arithmetic behind a lemma's two sides: doubles to search, rationals to decide, balls where log, exp or sqrt occur.

The sides are written once, with `+ - * / @ abs` on arrays and the functions of a `Field` for the rest. `RATIONALS`
computes in flint.fmpq, without error; `BALLS` in flint.arb at 192 bits, each number an interval that contains the true
one, so that `a > b` is said only where the intervals lie apart. The last two need python-flint.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from theorylab.errors import InputError
from theorylab.plan.rational import flint_module

__all__ = ["BALLS", "FLOATS", "RATIONALS", "Field", "Instance", "Read"]

Instance = dict[str, Any]
BITS = 192


class Read:
    """An instance in one field: its entries as attributes, numbers and arrays of the field, integers as they are."""

    def __init__(self, values: Instance) -> None:
        self.__dict__.update(values)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"this lemma's instance has no '{name}'; it has {', '.join(sorted(self.__dict__))}")


class Field:
    """Doubles; the exact fields override what differs. Arrays are float64, or object arrays of exact numbers."""

    name = "doubles"
    exact = False

    def context(self) -> AbstractContextManager[Any]:
        """Where the field computes: balls set their precision here."""
        return nullcontext()

    def number(self, x: int | Fraction) -> Any:
        """A number of the field."""
        return float(x)

    def read(self, instance: Instance) -> Read:
        """The instance with every Fraction and every array of Fractions in this field."""
        return Read({k: self._read(v) for k, v in instance.items()})

    def _read(self, value: Any) -> Any:
        if isinstance(value, Fraction):
            return self.number(value)
        if isinstance(value, np.ndarray) and value.dtype == object:
            return self.array([self.number(x) for x in value.ravel()]).reshape(value.shape)
        return value

    def array(self, entries: list[Any]) -> NDArray[Any]:
        """Numbers of the field as an array."""
        return np.array(entries, dtype=float)

    def eye(self, n: int) -> NDArray[Any]:
        """The identity matrix."""
        return self.array([self.number(int(i == j)) for i in range(n) for j in range(n)]).reshape(n, n)

    def solve(self, M: NDArray[Any], b: NDArray[Any]) -> NDArray[Any]:
        """x with M x = b, M (n,n), b (n,)."""
        return np.linalg.solve(M, b)

    def max(self, x: NDArray[Any], axis: int | None = None) -> Any:
        """The largest entry."""
        return np.max(x, axis=axis)

    def min(self, x: NDArray[Any], axis: int | None = None) -> Any:
        """The smallest entry."""
        return -self.max(-x, axis)

    def span(self, x: NDArray[Any]) -> Any:
        """max - min."""
        return self.max(x) - self.min(x)

    def greedy(self, q: NDArray[Any]) -> NDArray[np.int64]:
        """The first maximising action of each row (S,); in doubles to 1e-9, so that rounding breaks no tie."""
        return np.asarray(np.argmax(q >= np.max(q, axis=1, keepdims=True) - 1e-9, axis=1))

    def log(self, x: Any) -> Any:
        """Natural logarithm."""
        return np.log(x)

    def exp(self, x: Any) -> Any:
        """Exponential."""
        return np.exp(x)

    def sqrt(self, x: Any) -> Any:
        """Square root."""
        return np.sqrt(x)


class Rationals(Field):
    """flint.fmpq."""

    name = "rationals"
    exact = True

    def number(self, x: int | Fraction) -> Any:
        return flint_module().fmpq(x.numerator, x.denominator)

    def array(self, entries: list[Any]) -> NDArray[Any]:
        out = np.empty(len(entries), dtype=object)
        out[:] = entries
        return out

    def _matrix(self, M: NDArray[Any]) -> Any:
        return flint_module().fmpq_mat(*M.shape, M.ravel().tolist())

    def solve(self, M: NDArray[Any], b: NDArray[Any]) -> NDArray[Any]:
        return self.array(self._matrix(M).solve(self._matrix(b[:, None])).entries())

    def greedy(self, q: NDArray[Any]) -> NDArray[np.int64]:
        return np.asarray(np.argmax(q == np.max(q, axis=1)[:, None], axis=1))

    def log(self, x: Any) -> Any:
        raise InputError("this lemma takes a logarithm; declare it irrational=True")

    def exp(self, x: Any) -> Any:
        raise InputError("this lemma takes an exponential; declare it irrational=True")

    def sqrt(self, x: Any) -> Any:
        raise InputError("this lemma takes a square root; declare it irrational=True")


class Balls(Rationals):
    """flint.arb at 192 bits."""

    name = f"balls of {BITS} bits"

    def context(self) -> AbstractContextManager[Any]:
        found: AbstractContextManager[Any] = flint_module().ctx.workprec(BITS)
        return found

    def number(self, x: int | Fraction) -> Any:
        flint = flint_module()
        return flint.arb(flint.fmpq(x.numerator, x.denominator))

    def _matrix(self, M: NDArray[Any]) -> Any:
        return flint_module().arb_mat(*M.shape, M.ravel().tolist())

    def max(self, x: NDArray[Any], axis: int | None = None) -> Any:
        if axis is None:
            x, axis = x.ravel(), 0
        return np.frompyfunc(lambda a, b: a.max(b), 2, 1).reduce(x, axis=axis)

    def greedy(self, q: NDArray[Any]) -> NDArray[np.int64]:
        raise TypeError("greedy actions are not decided in ball arithmetic; draw the policy instead")

    def log(self, x: Any) -> Any:
        return np.frompyfunc(lambda a: a.log(), 1, 1)(x)

    def exp(self, x: Any) -> Any:
        return np.frompyfunc(lambda a: a.exp(), 1, 1)(x)

    def sqrt(self, x: Any) -> Any:
        return np.frompyfunc(lambda a: a.sqrt(), 1, 1)(x)


FLOATS, RATIONALS, BALLS = Field(), Rationals(), Balls()
