"""Chains of policies and their linear systems: Poisson's equation and the equations of absorption.

    Poisson(chain, ref).bias(r)         g + h[s] = r[s] + sum_s2 P[s,s2] h[s2], h[ref] = 0, for one recurrent class
    Absorption(chain, goal).solve(b)    x[s] = b[s] + sum_s2 P[s,s2] x[s2] off the goal, x[goal] = 0

Up to SMALL states: LU of a dense matrix. Beyond: BiCGStab on I - P + 1 1^T / S, whose spectrum is that of I - P with
the eigenvalue 0 moved to 1, so that a chain that mixes fast takes few products however long it takes to hit a state
(if h solves it, stationarity gives mean(h) = g, hence Poisson's equation). Absorption is put in that form by a chain
that restarts from the goal at a uniform state: x = h - h[goal] + g W, with W[s] = (b1[goal] - b1[s]) / g1 the hitting
times of the goal, (g1, b1) gain and bias of the reward 1 at the goal. Where BiCGStab does not get there, sparse LU.
All are refined until the residual stops shrinking; zeros are returned where a system is singular in double precision.
No number here is trusted: the planners bound errors from the residuals of what is returned. Sources: Puterman (1994),
section 8.2; renewal reward [recalled]; the combination [derived].
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lu_solve
from scipy.linalg.lapack import dgetrf
from scipy.sparse import csc_array, csr_array, eye_array, hstack
from scipy.sparse.linalg import LinearOperator, bicgstab, splu

from theorylab.model import TabularMDP

__all__ = ["SMALL", "Absorption", "Poisson", "policy_chain", "policy_graph", "support"]

Floats = NDArray[np.float64]
Solve = Callable[..., Floats]

SMALL = 400  # states up to which a dense LU is the quickest
MOST_PRODUCTS = 300  # of the chain with a vector in one run of BiCGStab, before LU takes over
INNER = 1e-8  # relative residual asked of one run; refinement does the rest
ROUNDS = 6
FLOOR = 2.0**-49  # a residual this small, relative to the solution, is rounding


def policy_chain(model: TabularMDP, pi: NDArray[Any]) -> tuple[Any, Floats]:
    """Transition matrix (S,S) and mean rewards (S,) of a policy: pi int (S,) or float (S,A)."""
    S, A = model.S, model.A
    flat = model.flat
    if pi.ndim == 1:
        rows = np.arange(S) * A + pi
        return flat[rows], model.r.ravel()[rows]
    weights = csr_array((pi.ravel(), (np.repeat(np.arange(S), A), np.arange(S * A))), shape=(S, S * A))
    weights.eliminate_zeros()
    return weights @ flat, (pi * model.r).sum(axis=1)


def policy_graph(model: TabularMDP, pi: NDArray[Any], chain: Any) -> Any:
    """CSR adjacency (S,S) of the chain of a policy, exact: products of probabilities that underflow are arcs too."""
    if pi.ndim == 1:
        return support(chain)
    occurs = csr_array(model.flat > 0).astype(np.int32)
    S, A = model.S, model.A
    taken = csr_array(((pi > 0).ravel().astype(np.int32), np.arange(S * A), np.arange(S + 1) * A), shape=(S, S * A))
    return support(taken @ occurs)


def support(chain: Any) -> Any:
    """CSR adjacency (S,S) of the positive entries."""
    graph = csr_array(chain)
    graph.eliminate_zeros()
    return graph


def _factors(matrix: Any) -> Solve:
    """x -> matrix^-1 x, or matrix^-T x with trans=1."""
    # a singular matrix gives numbers that are not finite, which the caller drops
    if isinstance(matrix, np.ndarray):
        lu = dgetrf(matrix, overwrite_a=True)[:2]
        return lambda b, trans=0: lu_solve(lu, b, trans=trans, check_finite=False)
    try:
        factors = splu(matrix.tocsc())
    except RuntimeError:
        return lambda b, trans=0: np.full(b.shape, np.nan)
    return lambda b, trans=0: factors.solve(b, trans="T" if trans else "N")


def _krylov(product: Callable[[Floats], Floats], b: Floats) -> Floats | None:
    operator = LinearOperator((b.size, b.size), matvec=product, dtype=np.float64)
    scale = float(np.abs(b).max())  # its thresholds are absolute
    if scale == 0.0:
        return np.zeros(b.size)
    start = np.linspace(-1.0, 1.0, b.size)  # from 0 it breaks down on unit vectors
    with np.errstate(all="ignore"):  # a breakdown shows as a solution that is not finite
        x, info = bicgstab(operator, b / scale, x0=start, rtol=INNER, atol=0.0, maxiter=MOST_PRODUCTS // 2)
    return x * scale if info == 0 and np.isfinite(x).all() else None


class Poisson:
    """Poisson's equation of a chain with one recurrent class that contains `ref`; chain dense or CSR (S,S)."""

    def __init__(self, chain: Any, ref: int) -> None:
        self.chain, self.ref, self.S = chain, ref, int(chain.shape[0])
        self._direct = self._bordered() if self.S <= SMALL else None

    def _bordered(self) -> Solve:
        """I - P with the column of h[ref] = 0 given to the gain."""
        S, ref = self.S, self.ref
        if isinstance(self.chain, np.ndarray) or S <= SMALL:
            matrix = np.eye(S) - (self.chain if isinstance(self.chain, np.ndarray) else self.chain.toarray())
            matrix[:, ref] = 1.0
            return _factors(matrix)
        rest = (eye_array(S, format="csr") - self.chain).tocsc()
        return _factors(hstack([rest[:, :ref], csc_array(np.ones((S, 1))), rest[:, ref + 1 :]], format="csc"))

    def _once(self, reward: Floats) -> tuple[float, Floats]:
        if self._direct is None:
            x = _krylov(lambda v: v - self.chain @ v + v.mean(), reward)
            if x is not None:
                return float(x.mean()), x - x[self.ref]
            self._direct = self._bordered()
        x = self._direct(reward)
        gain, x[self.ref] = float(x[self.ref]), 0.0
        return gain, x

    def bias(self, reward: Floats) -> tuple[float, Floats]:
        """Gain and bias (S,), with bias[ref] = 0."""
        gain, h, rest, size = 0.0, np.zeros(self.S), reward, np.inf
        for _ in range(ROUNDS):
            with np.errstate(over="ignore", invalid="ignore"):
                more, step = self._once(rest)
                new = reward - (gain + more) - (h + step) + self.chain @ (h + step)
            left = float(np.abs(new).max())
            if not left < size / 2:
                break
            gain, h, rest, size = gain + more, h + step, new, left
            if size <= FLOOR * max(abs(gain), float(np.abs(h).max())):
                break
        return gain, h

    def stationary(self) -> Floats:
        """The stationary law (S,), up to rounding; its entries may be off by small amounts of either sign."""
        if self._direct is None:
            back, share = self.chain.T, 1.0 / self.S
            x, rest = np.zeros(self.S), np.full(self.S, share)
            for _ in range(2):
                step = _krylov(lambda v: v - back @ v + v.sum() * share, rest)
                if step is None:
                    break
                x = x + step
                rest = share * (1 - x.sum()) - x + back @ x
            if x.any():
                return x
            self._direct = self._bordered()
        unit = np.zeros(self.S)
        unit[self.ref] = 1.0
        return self._direct(unit, trans=1)

    def hitting(self, goal: int) -> Floats:
        """Expected number of steps to a recurrent state, (S,), 0 at the goal, up to rounding."""
        unit = np.zeros(self.S)
        unit[goal] = 1.0
        gain, h = self.bias(unit)
        with np.errstate(divide="ignore", invalid="ignore"):
            out: Floats = (h[goal] - h) / gain
        return out


class Absorption:
    """The equations of absorption in `goal`, which every state reaches; the row of the goal does not matter."""

    def __init__(self, chain: Any, goal: int) -> None:
        self.chain, self.goal, self.S = chain, goal, int(chain.shape[0])
        self._direct = self._system() if self.S <= SMALL else None
        self._times: tuple[float, Floats] | None = None

    def _system(self) -> Solve:
        S, goal = self.S, self.goal
        if isinstance(self.chain, np.ndarray) or S <= SMALL:
            matrix = np.eye(S) - (self.chain if isinstance(self.chain, np.ndarray) else self.chain.toarray())
            matrix[goal] = 0.0
            matrix[:, goal] = 0.0
            matrix[goal, goal] = 1.0
            return _factors(matrix)
        keep = np.ones(S)
        keep[goal] = 0.0
        off = csr_array((keep, (np.arange(S), np.arange(S))), shape=(S, S))
        return _factors(eye_array(S, format="csr") - off @ self.chain @ off)

    def _restart(self, v: Floats) -> Floats:
        w = v - self.chain @ v
        w[self.goal] = v[self.goal] - v.mean()
        out: Floats = w + v.mean()
        return out

    def _once(self, b: Floats) -> Floats:
        if self._direct is None:
            if self._times is None:
                unit = np.zeros(self.S)
                unit[self.goal] = 1.0
                h = _krylov(self._restart, unit)
                if h is not None and h.mean() > 0:
                    self._times = float(h.mean()), (h[self.goal] - h) / h.mean()
            x = None if self._times is None else _krylov(self._restart, b)
            if x is not None and self._times is not None:
                out: Floats = x - x[self.goal] + x.mean() * self._times[1]
                return out
            self._direct = self._system()
        return self._direct(b)

    def solve(self, b: Floats, start: Floats | None = None, rounds: int = ROUNDS) -> Floats:
        """x (S,) for b (S,), whose entry at the goal is not used; `start` (S,) is an estimate, 0 at the goal."""
        b = b.copy()
        b[self.goal] = 0.0
        x = np.zeros(self.S) if start is None else start
        rest, size = self._rest(b, x), np.inf
        for _ in range(rounds):
            with np.errstate(over="ignore", invalid="ignore"):
                step = self._once(rest)
                step[self.goal] = 0.0
                new = self._rest(b, x + step)
            left = float(np.abs(new).max())
            if not left < size / 2:
                break
            x, rest, size = x + step, new, left
            if size <= FLOOR * float(np.abs(x).max()):
                break
        return x

    def _rest(self, b: Floats, x: Floats) -> Floats:
        rest: Floats = b - x + self.chain @ x
        rest[self.goal] = 0.0
        return rest
