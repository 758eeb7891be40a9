"""Models in fractions (python-flint, extra `exact`): entries as given or snapped, backups, chains, linear solves.

Used by `theorylab.plan.exact`, whose text says which fractions are meant. Lists of flint.fmpq; states run fastest last:
row s*A+a as in a sparse P.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from theorylab.criteria import Discounted
from theorylab.errors import InputError
from theorylab.model import TabularMDP
from theorylab.validate import at

__all__ = ["Fractions", "Rationals", "Reader"]

Bools = NDArray[np.bool_]
Rationals = NDArray[np.object_]  # of fractions.Fraction

SNAP_DISTANCE = Fraction(1, 10**12)
SNAP_MOST = 500_000  # two fractions with denominators up to this are more than 2e-12 apart: the nearest one is unique


def flint_module() -> Any:
    try:
        import flint
    except ImportError:
        raise InputError(
            "exact answers need python-flint, which is not installed; install the extra: pip install theorylab[exact]"
        ) from None
    return flint


class Reader:
    """float64 -> flint.fmpq, as given or snapped; each distinct value is converted once."""

    def __init__(self, snap: int | None) -> None:
        self.fmpq = flint_module().fmpq
        if snap is not None and (isinstance(snap, bool) or not isinstance(snap, int) or not 1 <= snap <= SNAP_MOST):
            raise InputError(f"snap is {snap!r}; give the largest denominator, an integer in 1..{SNAP_MOST}, or None")
        self.snap = snap
        self.known: dict[float, Any] = {}

    def __call__(self, value: float, where: Callable[[], str]) -> Any:
        if value not in self.known:
            self.known[value] = self._read(value, where)
        return self.known[value]

    def _read(self, value: float, where: Callable[[], str]) -> Any:
        if self.snap is None:
            return self.fmpq(*value.as_integer_ratio())
        exact = Fraction(value)
        near = exact.limit_denominator(self.snap)
        if abs(near - exact) > SNAP_DISTANCE or (near == 0) != (value == 0):
            raise InputError(
                f"{where()} is {value!r}; the nearest fraction with denominator <= {self.snap} is {near}, "
                f"{'which would lose the entry' if near == 0 else 'farther than 1e-12'}: raise snap, fix that entry, "
                "or leave snap out to take the float64 entries as given"
            )
        return self.fmpq(near.numerator, near.denominator)

    def law(self, values: Sequence[float], name: str, index: tuple[int, ...], normalise: bool) -> list[Any]:
        """A row of probabilities; divided by its exact sum if `normalise`."""
        row = [self(x, lambda j=j: at(name, (*index, j))) for j, x in enumerate(values)]  # type: ignore[misc]
        total = sum(row, self.fmpq(0))
        if self.snap is not None and total != 1:
            raise InputError(
                f"{at(name, index, ',:')} in fractions with denominator <= {self.snap} sums to {total}, not 1: raise "
                "snap, fix that row, or leave snap out"
            )
        return row if total == 1 or not normalise else [x / total for x in row]


class Fractions:
    """A model in fractions. rows[k][s*A+a][s2]: one k, or one a stage; r[s*A+a]; support (k, S*A, S) booleans."""

    def __init__(self, model: TabularMDP, snap: int | None, normalise: bool) -> None:
        self.flint, self.read = flint_module(), Reader(snap)
        self.S, self.A, self.normalise = model.S, model.A, normalise
        P = model.dense()
        lead = () if P.ndim == 3 else (P.shape[0],)
        stages = P.reshape(-1, self.S * self.A, self.S)
        self.support: Bools = stages > 0
        self.rows = [
            [
                self.read.law(row, "P", (*((k,) if lead else ()), i // self.A, i % self.A), normalise)
                for i, row in enumerate(stage.tolist())
            ]
            for k, stage in enumerate(stages)
        ]
        self.P = [self.matrix(rows) for rows in self.rows]
        self.r = [
            self.read(x, lambda i=i: at("r", (i // self.A, i % self.A)))  # type: ignore[misc]
            for i, x in enumerate(model.r.ravel().tolist())
        ]
        criterion = model.criterion
        discount = criterion.gamma if isinstance(criterion, Discounted) else 1.0
        self.gamma = self.read(discount, lambda: "Discounted: gamma")
        if isinstance(criterion, Discounted):
            rate = self.gamma * max(sum(row, self.flint.fmpq(0)) for rows in self.rows for row in rows)
            if rate >= 1:
                raise InputError(
                    "gamma times the largest row sum of P reaches 1, so values need not exist; use a smaller gamma, "
                    "or snap= where the rows are printed decimals"
                )

    def matrix(self, rows: list[list[Any]]) -> Any:
        return self.flint.fmpq_mat(len(rows), len(rows[0]), [x for row in rows for x in row])

    def backup(self, v: list[Any], k: int = 0) -> list[Any]:
        """r + gamma P_k v, a list of S*A fractions."""
        product = (self.P[k] * self.matrix([[x] for x in v])).entries()
        return [x + self.gamma * y for x, y in zip(self.r, product, strict=True)]

    def solve(self, rows: list[list[Any]], right: list[list[Any]]) -> list[list[Any]]:
        """Columns x with `rows` x = each column of `right`."""
        n = len(rows)
        columns = self.flint.fmpq_mat(n, len(right), [column[i] for i in range(n) for column in right])
        x = self.matrix(rows).solve(columns)
        return [[x[i, j] for i in range(n)] for j in range(len(right))]

    def best(self, q: list[Any]) -> tuple[list[Any], Bools]:
        """max_a q (S values) and which actions attain it (S,A)."""
        table = [q[s * self.A : (s + 1) * self.A] for s in range(self.S)]
        top = [max(row) for row in table]
        return top, np.array([[x == m for x in row] for row, m in zip(table, top, strict=True)])

    def chain(self, pi: NDArray[Any], k: int = 0) -> tuple[list[list[Any]], list[Any], Bools]:
        """Rows (S,S), rewards (S,) and support (S,S) of a policy: int (S,) or a table of fractions (S,A)."""
        S, A, rows = self.S, self.A, self.rows[k]
        if pi.ndim == 1:
            index = np.arange(S) * A + pi
            return [rows[i] for i in index], [self.r[i] for i in index], self.support[k][index]
        zero = self.flint.fmpq(0)
        mixed, reward, support = [], [], np.zeros((S, S), dtype=bool)
        for s in range(S):
            terms = [(pi[s, a], s * A + a) for a in range(A) if pi[s, a] != 0]
            mixed.append([sum((w * rows[i][j] for w, i in terms), zero) for j in range(S)])
            reward.append(sum((w * self.r[i] for w, i in terms), zero))
            support[s] = self.support[k][[i for _, i in terms]].any(axis=0)
        return mixed, reward, support

    def fractions(self, values: list[Any], *shape: int) -> Rationals:
        out = np.empty(len(values), dtype=object)
        out[:] = [Fraction(int(x.p), int(x.q)) for x in values]
        return out.reshape(shape)
