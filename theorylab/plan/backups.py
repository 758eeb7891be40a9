"""Bellman backups q[s,a] = r[s,a] + gamma sum_s2 P[s,a,s2] v[s2] and T v = max_a q, for planners that iterate.

    Arrays    array programs: P dense in any array namespace (NumPy, CuPy, array-api-strict), or CSR through SciPy or
              cupyx.scipy.sparse; q is materialised
    Fused     compiled loops over CSR on the CPU: the maximum is taken row by row and q is not kept; blocks of states
              run in threads, with the same bits whatever their number; Gauss-Seidel sweeps and a preconditioner besides

Both also stand for a policy's chain (`Step.chain`), a model with one action. Shapes: v (S,), q (S,A), pi (S,) in the
types of the namespace. A backup rounds as `certify.Rounding` says, whichever of them computes it: each sums the
successors of a row in some order, multiplies by gamma and adds r. With gamma = 1 they serve undiscounted criteria.

Gauss-Seidel: Puterman (1994), section 6.3.3 [recalled].
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from theorylab.compiler import kernel, u64
from theorylab.errors import InputError
from theorylab.model import TabularMDP

__all__ = ["FUSED_TERMS", "Arrays", "Fused", "Step", "backups"]

Floats = NDArray[np.float64]

FUSED_TERMS = 400_000  # non-zero entries of P above which compiled loops pay for loading or compiling them
BLOCK_TERMS = 1_000_000  # entries a thread should get at least: below, starting threads costs more than it brings


class Step(NamedTuple):
    """One backup of v.

    Attributes:
        values: T v (S,). pi: the first best action of each state (S,).
        low, high: smallest and largest entry of T v - v, as computed.
        q: (S,A) where it was materialised, else None.
        chain: call it for the chain of pi, a model with one action, if the step was asked to keep it. The arrays of a
            compiled one are used again by the next such step.
    """

    values: Any
    pi: Any
    low: float
    high: float
    q: Any = None
    chain: Any = None


class Arrays:
    """Backups as array programs.

    Args:
        flat: (S*A, S), dense array of `xp`, SciPy CSR (xp is NumPy) or cupyx CSR (xp is CuPy).
        r: (S,A) of `xp`.
        gamma: discount factor; 1 for undiscounted criteria.
    """

    def __init__(self, flat: Any, r: Any, gamma: float, xp: Any = np) -> None:
        self.flat, self.r, self.gamma, self.xp = flat, r, gamma, xp
        self.S, self.A = int(r.shape[0]), int(r.shape[1])

    def q(self, v: Any) -> Any:
        """q (S,A)."""
        return self.r + self.gamma * self.xp.reshape(self.flat @ v, (self.S, self.A))

    def step(self, v: Any, keep: bool = False) -> Step:
        """One backup; `keep`: have `Step.chain`."""
        xp = self.xp
        q = self.q(v)
        values = xp.max(q, axis=1)
        drift = values - v
        pi = xp.argmax(q, axis=1)
        return Step(values, pi, float(xp.min(drift)), float(xp.max(drift)), q, lambda: self._restrict(pi))

    def _restrict(self, pi: Any) -> Arrays:
        xp = self.xp
        rows = xp.arange(self.S, dtype=pi.dtype) * self.A + pi
        dense = not hasattr(self.flat, "indptr")
        flat = xp.take(self.flat, rows, axis=0) if dense else self.flat[rows]
        return Arrays(flat, xp.reshape(xp.take(xp.reshape(self.r, (-1,)), rows), (self.S, 1)), self.gamma, xp)

    def linear(self, x: Any) -> Any:
        """x - gamma C x for a chain (A = 1)."""
        return x - self.gamma * (self.flat @ x)


# In the loops all indices are unsigned, since compiled code tests signed ones for being negative, entry by entry; and
# extremes are taken by conditional expressions, which compile to selects: which action is best cannot be predicted.


@kernel
def backup_loop(
    indptr: Any, indices: Any, data: Any, r: Any, gamma: float, v: Any, first: int, last: int, values: Any, pi: Any
) -> Any:
    """T v and the best actions of states first..last-1; returns the extremes of T v - v."""
    A = u64(r.shape[1])
    low, high = 1e308, -1e308
    start = u64(indptr[u64(first) * A])
    for s in range(u64(first), u64(last)):
        best, action = -1e308, u64(0)
        for a in range(A):
            end = u64(indptr[s * A + a + u64(1)])
            dot = 0.0
            for k in range(start, end):
                dot += data[k] * v[indices[k]]
            start = end
            q = r[s, a] + gamma * dot
            action = a if q > best else action
            best = q if q > best else best
        drift = best - v[s]
        low = drift if drift < low else low
        high = drift if drift > high else high
        values[s] = best
        pi[s] = action
    return low, high


@kernel
def choose_loop(
    indptr: Any,
    indices: Any,
    data: Any,
    r: Any,
    gamma: float,
    v: Any,
    first: int,
    last: int,
    values: Any,
    pi: Any,
    starts: Any,
    to_indices: Any,
    to_data: Any,
    to_r: Any,
) -> Any:
    """`backup_loop` that copies the best rows while they are in cache: row s from starts[s], filled up with zeros."""
    A = u64(r.shape[1])
    low, high = 1e308, -1e308
    start = u64(indptr[u64(first) * A])
    for s in range(u64(first), u64(last)):
        best, action = -1e308, u64(0)
        for a in range(A):
            end = u64(indptr[s * A + a + u64(1)])
            dot = 0.0
            for k in range(start, end):
                dot += data[k] * v[indices[k]]
            start = end
            q = r[s, a] + gamma * dot
            action = a if q > best else action
            best = q if q > best else best
        drift = best - v[s]
        low = drift if drift < low else low
        high = drift if drift > high else high
        values[s] = best
        pi[s] = action
        to_r[s, 0] = r[s, action]
        to = u64(starts[s])
        for k in range(u64(indptr[s * A + action]), u64(indptr[s * A + action + u64(1)])):
            to_indices[to] = indices[k]
            to_data[to] = data[k]
            to += u64(1)
        for k in range(to, u64(starts[s + u64(1)])):
            to_indices[k] = to_indices[to - u64(1)]
            to_data[k] = 0.0
    return low, high


@kernel
def chain_loop(
    indptr: Any, indices: Any, data: Any, r: Any, gamma: float, v: Any, first: int, last: int, values: Any
) -> Any:
    """`backup_loop` for one action."""
    low, high = 1e308, -1e308
    start = u64(indptr[first])
    for s in range(u64(first), u64(last)):
        end = u64(indptr[s + u64(1)])
        dot = 0.0
        for k in range(start, end):
            dot += data[k] * v[indices[k]]
        start = end
        q = r[s, 0] + gamma * dot
        drift = q - v[s]
        low = drift if drift < low else low
        high = drift if drift > high else high
        values[s] = q
    return low, high


@kernel
def q_loop(indptr: Any, indices: Any, data: Any, r: Any, gamma: float, v: Any, first: int, last: int, out: Any) -> None:
    """q of states first..last-1."""
    A = u64(r.shape[1])
    start = u64(indptr[u64(first) * A])
    for s in range(u64(first), u64(last)):
        for a in range(A):
            end = u64(indptr[s * A + a + u64(1)])
            dot = 0.0
            for k in range(start, end):
                dot += data[k] * v[indices[k]]
            start = end
            out[s, a] = r[s, a] + gamma * dot


@kernel
def sweep_loop(indptr: Any, indices: Any, data: Any, r: Any, gamma: float, v: Any, backward: bool) -> None:
    """One Gauss-Seidel sweep of v <- T v in place."""
    S, A = u64(r.shape[0]), u64(r.shape[1])
    for t in range(S):
        s = S - u64(1) - t if backward else t
        best = -1e308
        start = u64(indptr[s * A])
        for a in range(A):
            end = u64(indptr[s * A + a + u64(1)])
            dot = 0.0
            for k in range(start, end):
                dot += data[k] * v[indices[k]]
            start = end
            q = r[s, a] + gamma * dot
            best = q if q > best else best
        v[s] = best


@kernel
def scale_loop(
    indptr: Any, indices: Any, data: Any, gamma: float, scaled: Any, lower: Any, upper: Any, inverse: Any
) -> None:
    """Of I - gamma C = D (I - L - U): 1/D, the entries of L and U, where L ends and where U begins in each row."""
    for s in range(u64(len(inverse))):
        diagonal = 0.0
        lower[s] = upper[s] = indptr[s]
        for k in range(u64(indptr[s]), u64(indptr[s + u64(1)])):
            if indices[k] < s:
                lower[s] = upper[s] = k + u64(1)
            elif indices[k] == s:
                diagonal += data[k]
                upper[s] = k + u64(1)
        inverse[s] = 1.0 / (1.0 - gamma * diagonal)
        for k in range(u64(indptr[s]), u64(indptr[s + u64(1)])):
            scaled[k] = gamma * data[k] * inverse[s]


# Neighbours are summed so that the one written last is added last, as the loop waits for it.


@kernel
def lower_loop(indptr: Any, indices: Any, scaled: Any, lower: Any, b: Any, x: Any) -> None:
    """x = (I - L)^-1 b."""
    for s in range(u64(len(b))):
        dot = b[s]
        for k in range(u64(indptr[s]), u64(lower[s])):
            dot += scaled[k] * x[indices[k]]
        x[s] = dot


@kernel
def size_loop(indptr: Any, indices: Any, scaled: Any, lower: Any, inverse: Any, x: Any) -> float:
    """max |D (I - L) x|."""
    most = 0.0
    for s in range(u64(len(x))):
        dot = x[s]
        for k in range(u64(indptr[s]), u64(lower[s])):
            dot -= scaled[k] * x[indices[k]]
        size = abs(dot / inverse[s])
        most = size if size > most else most
    return most


@kernel
def upper_loop(indptr: Any, indices: Any, scaled: Any, upper: Any, b: Any, x: Any) -> None:
    """x = (I - U)^-1 b."""
    S = u64(len(b))
    for t in range(S):
        s = S - u64(1) - t
        dot = b[s]
        first, last = u64(upper[s]), u64(indptr[s + u64(1)])
        for i in range(last - first):
            k = last - u64(1) - i
            dot += scaled[k] * x[indices[k]]
        x[s] = dot


def _unsigned(x: NDArray[Any]) -> NDArray[Any]:
    return x.view(np.uint32 if x.dtype.itemsize == 4 else np.uint64)


class Fused:
    """Backups as compiled loops over CSR arrays; NumPy only.

    Args:
        indptr, indices, data: CSR (S*A, S), row s*A+a, indices of a row in ascending order.
        r: (S,A). gamma: as for `Arrays`.
        threads: workers of a backup; None is the number of cores. It does not change results.
    """

    xp = np

    def __init__(
        self,
        indptr: NDArray[Any],
        indices: NDArray[Any],
        data: Floats,
        r: Floats,
        gamma: float,
        threads: int | None = None,
    ) -> None:
        self.matrix = (_unsigned(indptr), _unsigned(indices), data)
        self.r, self.gamma, self.threads = r, gamma, threads
        self.S, self.A = r.shape
        most = threads or os.cpu_count() or 1
        workers = max(1, min(most, data.size // BLOCK_TERMS))
        # blocks of equal numbers of entries: rows may differ in length
        marks = np.searchsorted(indptr[:: self.A], np.arange(1, workers) * (data.size / workers))
        self.blocks = list(pairwise([0, *marks.tolist(), self.S]))

    def _each(self, work: Any) -> list[Any]:
        first, *rest = self.blocks  # the calling thread takes a block too
        others = [self._pool.submit(work, *block) for block in rest]
        return [work(*first), *(other.result() for other in others)]

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(len(self.blocks) - 1)  # its threads end when it is collected

    def q(self, v: Floats) -> Floats:
        """q (S,A)."""
        loop, out = q_loop.compile_cpu(), np.empty((self.S, self.A))
        self._each(lambda first, last: loop(*self.matrix, self.r, self.gamma, v, first, last, out))
        return out

    def step(self, v: Floats, keep: bool = False) -> Step:
        """One backup; `q` is not kept. `keep`: have `Step.chain`."""
        values, fixed = np.empty(self.S), (*self.matrix, self.r, self.gamma, v)
        pi = np.zeros(self.S, dtype=np.int32)
        if self.A == 1:
            alone = chain_loop.compile_cpu()
            ends = self._each(lambda first, last: alone(*fixed, first, last, values))
        elif keep:
            choose, room = choose_loop.compile_cpu(), self._room
            ends = self._each(lambda first, last: choose(*fixed, first, last, values, pi, *room))
        else:
            loop = backup_loop.compile_cpu()
            ends = self._each(lambda first, last: loop(*fixed, first, last, values, pi))
        return Step(values, pi, min(e[0] for e in ends), max(e[1] for e in ends), None, self._chain if keep else None)

    @cached_property
    def _room(self) -> tuple[NDArray[Any], NDArray[Any], Floats, Floats]:
        """Arrays of a policy's chain: starts of rows, long enough for any policy; indices, data, r (S,1)."""
        indptr, indices, _ = self.matrix
        starts = np.zeros(self.S + 1, dtype=indptr.dtype)
        np.cumsum(np.diff(indptr).reshape(self.S, self.A).max(axis=1), out=starts[1:])
        terms = int(starts[-1])
        return starts, np.empty(terms, dtype=indices.dtype), np.empty(terms), np.empty((self.S, 1))

    def _chain(self) -> Fused:
        return self if self.A == 1 else Fused(*self._room, self.gamma, self.threads)

    def sweep(self, v: Floats, backward: bool) -> None:
        """One Gauss-Seidel sweep of v in place, in ascending or descending order of states."""
        sweep_loop.compile_cpu()(*self.matrix, self.r, self.gamma, v, backward)

    def symmetric(self) -> Symmetric:
        """I - gamma C of a chain (A = 1), preconditioned by symmetric Gauss-Seidel."""
        return Symmetric(*self.matrix, self.gamma)


class Symmetric:
    """I - gamma C = D (I - L - U) as B = (I - L)^-1 (I - L - U) (I - U)^-1: same solutions, closer to I.

    (I - gamma C) x = b turns into B z = left(b), x = right(z). One product with B costs two triangular solves, since
    B z = y + (I - L)^-1 (z - y) with y = (I - U)^-1 z (Eisenstat, 1981) [recalled].
    """

    def __init__(self, indptr: NDArray[Any], indices: NDArray[Any], data: Floats, gamma: float) -> None:
        self.inverse = np.empty(indptr.size - 1)
        self.scaled, lower, upper = np.empty_like(data), np.empty_like(indptr[1:]), np.empty_like(indptr[1:])
        scale_loop.compile_cpu()(indptr, indices, data, gamma, self.scaled, lower, upper, self.inverse)
        self.below, self.above = (indptr, indices, self.scaled, lower), (indptr, indices, self.scaled, upper)

    def _lower(self, b: Floats) -> Floats:
        x = np.empty_like(b)
        lower_loop.compile_cpu()(*self.below, b, x)
        return x

    def left(self, b: Floats) -> Floats:
        """(I - L)^-1 D^-1 b."""
        return self._lower(b * self.inverse)

    def right(self, z: Floats) -> Floats:
        """(I - U)^-1 z."""
        x = np.empty_like(z)
        upper_loop.compile_cpu()(*self.above, z, x)
        return x

    def size(self, residual: Floats) -> float:
        """max |b - (I - gamma C) x| of a residual left(b) - B z."""
        return float(size_loop.compile_cpu()(*self.below, self.inverse, residual))

    def product(self, z: Floats) -> Floats:
        """B z."""
        y = self.right(z)
        return y + self._lower(z - y)


def backups(model: TabularMDP, gamma: float, xp: Any = None, fused: bool | None = None) -> Arrays | Fused:
    """The backups of a stationary model.

    Args:
        model: dense (S,A,S) or CSR.
        gamma: discount factor, 1 for undiscounted criteria.
        xp: array namespace; None or NumPy runs on the CPU, where a CSR model of more than FUSED_TERMS entries takes
            the compiled loops.
        fused: overrides that choice.

    Raises:
        InputError: a CSR model with a namespace other than NumPy and CuPy.
    """
    if xp is None or xp is np:
        if not model.sparse:
            return Arrays(model.P.reshape(-1, model.S), model.r, gamma)
        if model.P.nnz > FUSED_TERMS if fused is None else fused:
            return Fused(model.P.indptr, model.P.indices, model.P.data, model.r, gamma)
        return Arrays(model.P, model.r, gamma)
    r = xp.asarray(model.r)
    if not model.sparse:
        return Arrays(xp.asarray(model.P.reshape(-1, model.S)), r, gamma, xp)
    if not xp.__name__.endswith("cupy"):
        raise InputError(f"a sparse P runs on NumPy or CuPy, not on {xp.__name__}: give P of shape (S, A, S)")
    from cupyx.scipy.sparse import csr_matrix

    arrays = tuple(xp.asarray(x) for x in (model.P.data, model.P.indices, model.P.indptr))
    return Arrays(csr_matrix(arrays, shape=model.P.shape), r, gamma, xp)
