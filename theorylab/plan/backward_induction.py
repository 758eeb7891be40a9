"""Backward induction for finite horizons: V[H] = 0, Q[h] = r + P_h V[h+1], V[h] = max_a Q[h].

Shapes: V (H+1,S), Q (H,S,A), pi (H,S); P dense (S,A,S) or (H,S,A,S), or CSR. O(H nnz(P)) time. The certified error
follows the recursion e[H] = 0, e[h] = rho e[h+1] + backup rounding (see `certify`), since a maximum over actions is
exact and moves by no more than its arguments. Source: Puterman (1994), section 4.5 [recalled]; bound [derived].
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from theorylab.model import TabularMDP
from theorylab.plan.certify import Rounding, U, dot_bound, greedy, tie_tolerance
from theorylab.plan.record import Plan

__all__ = ["backward_induction", "evaluate_policy"]

Floats = NDArray[np.float64]


def _backups(model: TabularMDP, xp: Any) -> Callable[[int, Any], Any]:
    """(h, V[h+1]) -> Q[h] (S,A) as an array of the namespace."""
    S, A = model.S, model.A
    if model.sparse:
        return lambda h, v: model.r + (model.P @ v).reshape(S, A)
    r = xp.asarray(model.r)
    flat = xp.asarray(model.P.reshape(-1, S * A, S))
    stages = [flat[h, :, :] for h in range(flat.shape[0])]
    return lambda h, v: r + xp.reshape(xp.matmul(stages[h % len(stages)], v), (S, A))


def _to_numpy(x: Any) -> Floats:
    # CuPy refuses an implicit transfer; its arrays have .get()
    return np.asarray(x.get() if hasattr(x, "get") else x, dtype=np.float64)


def _errors(model: TabularMDP, V: Floats, Q: Floats, averaging: float) -> float:
    """The recursion of the module docstring; `averaging` bounds the relative rounding of a policy's average of Q."""
    rounding = Rounding.of(model)
    error = worst = 0.0
    for h in range(model.H - 1, -1, -1):
        q_max = float(np.abs(Q[h]).max())
        error = rounding.row_sum * error + rounding.backup(float(np.abs(V[h + 1]).max()), q_max)
        if averaging:
            error = (1 + averaging) * error + averaging * q_max
        error *= 1 + 8 * U
        worst = max(worst, error)
    return worst


def backward_induction(model: TabularMDP, xp: Any = None) -> Plan:
    """Optimal values of a finite-horizon model.

    Args:
        model: any `TabularMDP` with criterion FiniteHorizon(H), dense, stage-dependent or CSR.
        xp: array namespace for the backups (None: NumPy). Results come back as NumPy arrays.
    """
    H, S, A = model.H, model.S, model.A
    space: Any = np if xp is None else xp
    backup = _backups(model, space)
    V, Q = np.zeros((H + 1, S)), np.empty((H, S, A))
    v = space.asarray(np.zeros(S))
    for h in range(H - 1, -1, -1):
        q = backup(h, v)
        v = space.max(q, axis=-1)
        Q[h], V[h] = _to_numpy(q), _to_numpy(v)
    pi = greedy(Q, tie_tolerance(V))
    lost = V[:H] - np.take_along_axis(Q, pi[..., None], axis=-1)[..., 0]
    error = _errors(model, V, Q, 0.0)
    return Plan(V, Q, pi, None, None, float(lost.max()), error, H, "backward-induction")


def evaluate_policy(model: TabularMDP, pi: NDArray[Any]) -> Plan:
    """Values of a policy: pi int (H,S), or float (H,S,A) with rows summing to 1. V (H+1,S), Q (H,S,A)."""
    H, S, A = model.H, model.S, model.A
    backup = _backups(model, np)
    stochastic = pi.ndim == 3
    V, Q = np.zeros((H + 1, S)), np.empty((H, S, A))
    for h in range(H - 1, -1, -1):
        Q[h] = backup(h, V[h + 1])
        V[h] = (pi[h] * Q[h]).sum(axis=-1) if stochastic else Q[h][np.arange(S), pi[h]]
    # a row of pi may be off 1 within the tolerance of the check; the average is taken with the entries as given
    averaging = float(np.abs(pi.sum(axis=-1) - 1).max()) + 2 * dot_bound(A) if stochastic else 0.0
    return Plan(V, Q, pi.copy(), None, None, 0.0, _errors(model, V, Q, averaging), H, "backward-induction")
