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

from theorylab.errors import InputError
from theorylab.model import TabularMDP
from theorylab.plan.certify import UNDERFLOW, Rounding, U, dot_bound, tie_tolerance
from theorylab.plan.inputs import to_numpy
from theorylab.plan.record import Plan

__all__ = ["backward_induction", "evaluate_policy", "products", "stage_errors"]

Floats = NDArray[np.float64]

CACHE = 2**24  # bytes of P_h beyond which a product waits for memory: row by row it then reads 1.2 times as fast


def products(model: TabularMDP, xp: Any) -> Callable[[int, Any], Any]:
    """The map (h, v) -> P_h v of the namespace `xp`: v (S,) -> (S*A,), or v (S,B) -> (S*A,B).

    Raises:
        InputError: a CSR model with a namespace other than NumPy or CuPy.
    """
    if model.sparse:
        matrix = model.P if xp is np else _on_device(model, xp)
        return lambda h, v: matrix @ v
    flat = xp.asarray(model.P.reshape(-1, model.S * model.A, model.S))
    stages = [flat[h, :, :] for h in range(flat.shape[0])]
    if xp is np and stages[0].nbytes > CACHE:
        return lambda h, v: (np.vecdot if v.ndim == 1 else np.matmul)(stages[h % len(stages)], v)
    return lambda h, v: xp.matmul(stages[h % len(stages)], v)


def _on_device(model: TabularMDP, xp: Any) -> Any:
    if not xp.__name__.endswith("cupy"):
        raise InputError(f"a sparse P runs on NumPy or CuPy, not on {xp.__name__}: give P of shape (S, A, S)")
    from cupyx.scipy.sparse import csr_matrix

    arrays = tuple(xp.asarray(x) for x in (model.P.data, model.P.indices, model.P.indptr))
    return csr_matrix(arrays, shape=model.P.shape)


def stage_errors(model: TabularMDP, V: Floats, Q: Floats, averaging: float = 0.0) -> Floats:
    """The recursion of the module docstring: bounds (H,) on max |Q[h] - exact| and max |V[h] - exact|.

    `averaging` bounds the relative rounding of a policy's average of Q. The last stage has Q = r, without rounding; and
    where transitions are certain and rewards are whole numbers, or multiples of 2^-20, no stage rounds.
    """
    if not averaging and _exact(model):
        return np.zeros(model.H)
    rounding = Rounding.of(model)
    v_max, q_max = np.abs(V).max(axis=1), np.maximum(Q.max(axis=(1, 2)), -Q.min(axis=(1, 2)))
    errors = np.zeros(model.H)
    error = 0.0
    for h in range(model.H - 1, -1, -1):
        if h < model.H - 1:
            error = rounding.row_sum * error + rounding.backup(float(v_max[h + 1]), float(q_max[h]))
        error = (1 + averaging) * error + averaging * float(q_max[h]) + (UNDERFLOW if averaging else 0.0)
        error *= 1 + 8 * U
        errors[h] = error
    return errors


def _exact(model: TabularMDP) -> bool:
    """Whether every row of P is a single 1 and all sums of H rewards are exact, as integers below 2^53 are."""
    if model.row_profile != (1, 1.0, 1.0):
        return False
    scaled = np.ldexp(model.r, 20)
    return bool((scaled == np.rint(scaled)).all() and model.H * float(np.abs(scaled).max()) < 2.0**52)


def backward_induction(model: TabularMDP, xp: Any = None) -> Plan:
    """Optimal values of a finite-horizon model.

    Args:
        model: any `TabularMDP` with criterion FiniteHorizon(H), dense, stage-dependent or CSR.
        xp: array namespace for the backups (None: NumPy); a CSR model takes NumPy or CuPy. Results come back as NumPy
            arrays.
    """
    H, S, A = model.H, model.S, model.A
    space: Any = np if xp is None else xp
    product = products(model, space)
    r = space.asarray(model.r)
    V, Q = np.zeros((H + 1, S)), np.empty((H, S, A))
    v = space.asarray(np.zeros(S))
    for h in range(H - 1, -1, -1):
        q = r + space.reshape(product(h, v), (S, A))
        v = space.max(q, axis=-1)
        Q[h], V[h] = to_numpy(q), to_numpy(v)
    # as `certify.greedy`, which would take the maximum once more
    pi = np.argmax(Q >= V[:H, :, None] - tie_tolerance(V), axis=-1)
    lost = V[:H] - np.take_along_axis(Q, pi[..., None], axis=-1)[..., 0]
    error = float(stage_errors(model, V, Q).max())
    return Plan(V, Q, pi, None, None, float(lost.max()), error, H, "backward-induction")


def evaluate_policy(model: TabularMDP, pi: NDArray[Any]) -> Plan:
    """Values of a policy: pi int (H,S), or float (H,S,A) with rows summing to 1. V (H+1,S), Q (H,S,A)."""
    H, S, A = model.H, model.S, model.A
    product = products(model, np)
    stochastic = pi.ndim == 3
    V, Q = np.zeros((H + 1, S)), np.empty((H, S, A))
    for h in range(H - 1, -1, -1):
        Q[h] = model.r + product(h, V[h + 1]).reshape(S, A)
        V[h] = (pi[h] * Q[h]).sum(axis=-1) if stochastic else Q[h][np.arange(S), pi[h]]
    # a row of pi may be off 1 within the tolerance of the check; the average is taken with the entries as given
    averaging = float(np.abs(pi.sum(axis=-1) - 1).max()) + 2 * dot_bound(A) if stochastic else 0.0
    error = float(stage_errors(model, V, Q, averaging).max())
    return Plan(V, Q, pi.copy(), None, None, 0.0, error, H, "backward-induction")
