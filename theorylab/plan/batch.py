"""Planning over a leading replicate axis: `plan_batch` (many models) and `evaluate_batch` (many policies of one model).

Array programs against a namespace `xp` (NumPy, CuPy, array-api-strict). A replicate's bits depend neither on the number
of replicates nor on how they are split into calls, on one device. NumPy's stacked products work on one replicate at a
time; a product (S*A,S) @ (S,B) does not, and neither do other libraries' stacked products: those run in blocks of 64,
the last one padded by copies of its last replicate. A replicate that has converged is frozen.

    FiniteHorizon   backward induction, error by the recursion of `backward_induction`
    Discounted      v <- T v + gamma / (1 - gamma) * middle of T v - v;  |v - V_star| <= |T v - v| / (1 - gamma rho)
    AverageReward   v <- v + tau (T v - v), tau = 0.9, and min(T v - v) <= g_star <= max(T v - v)

The shift makes |T v - v| shrink at the rate at which the chain mixes; with plain value iteration it shrinks at rate
gamma. Sources: Puterman (1994), sections 4.5, 6.6.2 (bounds), 8.5.4 (tau), theorem 8.5.5 [recalled]; rounding
[derived].
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dgetrf
from scipy.sparse import csr_array

from theorylab.criteria import HUGE
from theorylab.errors import InputError
from theorylab.model import SUM_TOLERANCE, AverageReward, Criterion, Discounted, FiniteHorizon, TabularMDP
from theorylab.plan.backward_induction import products
from theorylab.plan.certify import TIE, UNDERFLOW, Rounding, U, dot_bound
from theorylab.plan.inputs import as_tabular, to_numpy
from theorylab.plan.structure import closed_classes
from theorylab.validate import at, check_probabilities, first

__all__ = ["BLOCK", "BatchPlan", "evaluate_batch", "plan_batch"]

Floats = NDArray[np.float64]

BLOCK = 64
TAU = 0.9  # of lazy value iteration: aperiodic whatever the model
FLOOR = 4.0  # a residual within this factor of the rounding bound cannot be told from 0: the iteration stops there


@dataclass(frozen=True, eq=False)
class BatchPlan:
    """Values and policies of R replicates (models, or policies of one model). Shapes and units as in `Plan`.

    Attributes:
        V, Q, pi: arrays of the namespace `xp`: (R,H+1,S), (R,H,S,A), (R,H,S), or (R,S), (R,S,A), (R,S); for
            `evaluate_batch`, `pi` holds the policies given. With average reward V is a relative value, minimum 0.
        gain: average reward only: float64 (R,), reward per step.
        certified_error: float64 (R,): a proved bound, rounding included, on the error of the gain (average reward) or
            on max |V - exact V| of that replicate (other criteria), in units of reward.
        iterations: int64 (R,): stages, sweeps, or 1 for a linear solve.
        method: the planner that was used.
    """

    V: Any
    Q: Any
    pi: Any
    gain: Floats | None
    certified_error: Floats
    iterations: NDArray[np.int64]
    method: str


def plan_batch(
    P: Any, r: Any, criterion: Criterion, *, tol: float = 1e-10, xp: Any = None, most_sweeps: int = 100_000
) -> BatchPlan:
    """Optimal values and policies of R models of one shape.

    Args:
        P: (R,S,A,S), or (R,H,S,A,S) with FiniteHorizon(H); rows sum to 1 within 1e-9.
        r: (R,S,A), or (S,A) for all replicates; in units of reward.
        criterion: FiniteHorizon(H), Discounted(gamma) or AverageReward().
        tol: each replicate iterates until its own certified error is at most tol * max(1, |V|) (Discounted) or
            tol * max(1, |gain|) (AverageReward), or as small as rounding permits: read `certified_error`.
        xp: array namespace; None is NumPy.
        most_sweeps: sweeps after which a replicate that has not reached `tol` is refused.

    Raises:
        InputError: a wrong shape, a row that is no law (named), a criterion without a batched planner, or a replicate
            (named) that has not reached `tol`, as one whose gain depends on the initial state.
    """
    if not isinstance(criterion, (FiniteHorizon, Discounted, AverageReward)):
        raise InputError(
            f"no batched planner for {criterion}; use FiniteHorizon(H), Discounted(gamma), AverageReward()"
        )
    if not 0 < tol < float("inf"):
        raise InputError(f"tol is {tol}; give a positive finite tolerance")
    space: Any = np if xp is None else xp
    P, r, rounding = _checked(P, r, criterion, space)
    R, S, A = r.shape
    stages = (criterion.H,) if isinstance(criterion, FiniteHorizon) else ()
    V = space.empty((R, criterion.H + 1, S) if isinstance(criterion, FiniteHorizon) else (R, S), dtype=space.float64)
    Q = space.empty((R, *stages, S, A), dtype=space.float64)
    gain, error, sweeps = np.zeros(R), np.zeros(R), np.zeros(R, dtype=np.int64)
    for part, n in _blocks(R, pad=space is not np):
        block = _take(P, part, space), _take(r, part, space), _rows(rounding, part)
        if isinstance(criterion, FiniteHorizon):
            v, q = _induction(block[0], block[1], criterion.H, space)
            limits = to_numpy(_largest(v, space)), to_numpy(_largest(space.reshape(q, (*q.shape[:2], S * A)), space))
            outcome = [_horizon_errors(block[2], *limits, 0.0), np.zeros(len(part)), np.full(len(part), criterion.H)]
        else:
            gamma = criterion.gamma if isinstance(criterion, Discounted) else None
            v, q, *outcome = _iterate(*block, gamma, tol, space, most_sweeps, part[0])
        here = slice(part[0], part[0] + n)
        V[here, ...], Q[here, ...] = v[:n, ...], q[:n, ...]
        error[here], gain[here], sweeps[here] = (x[:n] for x in outcome)
    method = "backward-induction" if stages else "value-iteration"
    average = isinstance(criterion, AverageReward)
    return BatchPlan(V, Q, _greedy(Q, V, space), gain if average else None, error, sweeps, method)


def _blocks(count: int, pad: bool) -> Iterator[tuple[list[int], int]]:
    """Blocks of indices 0..count-1 with the number that is not padding, of BLOCK entries each if `pad`."""
    for start in range(0, count, BLOCK):
        n = min(BLOCK, count - start)
        yield [start + min(i, n - 1) for i in range(BLOCK if pad else n)], n


def _take(x: Any, part: list[int], xp: Any) -> Any:
    if part[-1] - part[0] == len(part) - 1:
        return x[part[0] : part[-1] + 1, ...]
    return xp.take(x, xp.asarray(part), axis=0)


def _rows(rounding: Any, part: list[int]) -> Any:
    return Rounding(rounding.terms[part], rounding.row_sum[part], rounding.defect[part])


def _largest(x: Any, xp: Any) -> Any:
    return xp.max(xp.abs(x), axis=-1)


def _column(x: Any, xp: Any, ndim: int) -> Any:
    """A host array (R,) as (R,1,...) of the namespace."""
    return xp.reshape(xp.asarray(x), (x.shape[0],) + (1,) * (ndim - 1))


def _greedy(Q: Any, V: Any, xp: Any) -> Any:
    """The lowest action index within the tie tolerance of the best, replicate by replicate."""
    ties = TIE * np.maximum(1.0, to_numpy(_largest(xp.reshape(V, (V.shape[0], -1)), xp)))
    best = xp.max(Q, axis=-1, keepdims=True) - _column(ties, xp, Q.ndim)
    return xp.argmax(xp.where(Q >= best, xp.ones_like(Q), xp.zeros_like(Q)), axis=-1)


def _checked(P: Any, r: Any, criterion: Criterion, xp: Any) -> tuple[Any, Any, Any]:
    """P as (R,S*A,S) or (R,H,S*A,S), r as (R,S,A), and a `Rounding` of host arrays (R,)."""
    P, r = (xp.asarray(x, dtype=xp.float64) for x in (P, r))
    H = criterion.H if isinstance(criterion, FiniteHorizon) else None
    S, A = r.shape[-2:] if r.ndim in (2, 3) else (0, 0)
    R = P.shape[0] if P.ndim else 0
    shapes = [(R, S, A, S)] + ([] if H is None else [(R, H, S, A, S)])
    if 0 in (R, S, A) or P.shape not in shapes or r.shape not in [(S, A), (R, S, A)]:
        expected = "(R, S, A, S)" + ("" if H is None else f" or (R, {H}, S, A, S)")
        raise InputError(
            f"P has shape {P.shape} and r {r.shape}; expected P {expected} and r (R, S, A) or (S, A), for {criterion}"
        )
    wrong = ~(xp.isfinite(r) & (xp.abs(r) <= HUGE))
    if xp.any(wrong):
        i = first(to_numpy(wrong))
        raise InputError(
            f"{at('r', i)} is {float(r[i])!r}; mean rewards must be finite, at most {HUGE:g}: fix that entry"
        )
    sums = xp.sum(P, axis=-1)
    if xp.any(~(xp.isfinite(P) & (P >= 0))) or xp.any(xp.abs(sums - 1.0) > SUM_TOLERANCE):
        try:
            check_probabilities(to_numpy(P), "P")
        except InputError as error:
            order = "replicate,s,a" if P.ndim == 4 else "replicate,h,s,a"
            raise InputError(f"{error} (indices: P[{order},:])") from None
    terms = to_numpy(xp.max(xp.reshape(xp.count_nonzero(P, axis=-1), (R, -1)), axis=-1))
    sums = xp.reshape(sums, (R, -1))
    low, high = to_numpy(xp.min(sums, axis=-1)), to_numpy(xp.max(sums, axis=-1))
    flat = xp.reshape(P, (*P.shape[:-3], S * A, S))
    slack = dot_bound(terms) * high * (1 + 4 * U)
    rounding: Any = Rounding(terms, high + slack, np.maximum(np.abs(low - 1.0), np.abs(high - 1.0)) + slack)
    return flat, xp.broadcast_to(r, (R, S, A)), rounding


def _induction(P: Any, r: Any, H: int, xp: Any) -> tuple[Any, Any]:
    R, S, A = r.shape
    V, Q = xp.zeros((R, H + 1, S), dtype=xp.float64), xp.empty((R, H, S, A), dtype=xp.float64)
    v = V[:, H, :]
    for h in range(H - 1, -1, -1):
        stage = P if P.ndim == 3 else P[:, h, :, :]
        q = r + xp.reshape(xp.matmul(stage, xp.expand_dims(v, axis=-1)), (R, S, A))
        v = xp.max(q, axis=-1)
        V[:, h, :], Q[:, h, :, :] = v, q
    return V, Q


def _horizon_errors(rounding: Any, v_max: Floats, q_max: Floats, averaging: Any) -> Floats:
    """`backward_induction.stage_errors` for all replicates, the largest over stages; v_max (R,H+1), q_max (R,H)."""
    R, H = q_max.shape
    error = worst = np.zeros(R)
    for h in range(H - 1, -1, -1):
        if h < H - 1:
            error = rounding.row_sum * error + rounding.backup(v_max[:, h + 1], q_max[:, h])
        error = (1 + averaging) * error + averaging * q_max[:, h] + np.where(averaging > 0, UNDERFLOW, 0.0)
        error = error * (1 + 8 * U)
        worst = np.maximum(worst, error)
    return worst


def _iterate(
    P: Any, r: Any, rounding: Any, gamma: float | None, tol: float, xp: Any, most_sweeps: int, offset: int
) -> tuple[Any, ...]:
    """Value iteration on one block: V, Q, errors, gains, sweeps. `gamma` None is average reward."""
    R, S, A = r.shape
    v = xp.zeros((R, S), dtype=xp.float64)
    active, sweeps = np.ones(R, dtype=bool), np.zeros(R, dtype=np.int64)
    for n in range(1, most_sweeps + 1):
        product = xp.reshape(xp.matmul(P, xp.expand_dims(v, axis=-1)), (R, S, A))
        q = r + (product if gamma is None else gamma * product)
        best = xp.max(q, axis=-1)
        drift = best - v
        low, high = to_numpy(xp.min(drift, axis=-1)), to_numpy(xp.max(drift, axis=-1))
        v_max, q_max = to_numpy(_largest(v, xp)), to_numpy(_largest(xp.reshape(q, (R, S * A)), xp))
        middle = (low + high) / 2
        if gamma is None:
            residual, scale = (high - low) / 2, np.maximum(1.0, np.abs(middle))
            error, noise = _gain_error(rounding, middle, low, high, v_max, q_max, 0.0)
        else:
            residual, scale = np.maximum(-low, high), np.maximum(1.0, v_max)
            error, noise = _discounted_error(rounding, gamma, residual, v_max, q_max, 0.0)
        done = (error <= tol * scale) | (residual <= FLOOR * noise)
        sweeps[active] = n
        active &= ~done
        if not active.any():
            return v, q, error, middle, sweeps
        if gamma is None:
            step = v + TAU * drift
            step = step - xp.min(step, axis=-1, keepdims=True)
        else:
            step = best + _column(gamma / (1 - gamma) * middle, xp, 2)
        v = xp.where(_column(active, xp, 2), step, v)
    i = int(np.argmax(active))
    raise InputError(
        f"replicate {offset + i}: tol {tol} not reached in {most_sweeps} sweeps, certified error {error[i]:.3g}; raise "
        "most_sweeps or tol" + (", unless its gain depends on the initial state" if gamma is None else "")
    )


def _gain_error(
    rounding: Any, gain: Floats, low: Floats, high: Floats, v_max: Floats, q_max: Floats, averaging: Any
) -> tuple[Floats, Floats]:
    """(bound on |gain - exact gain|, its rounding part) from the bracket [low, high] of T v - v."""
    noise = rounding.backup(v_max, q_max) + rounding.defect * v_max + U * np.maximum(np.abs(low), np.abs(high))
    noise = noise + averaging * q_max
    width = np.maximum(0.0, np.maximum(gain - low, high - gain))
    return (width * (1 + 4 * U) + noise) * (1 + 16 * U), noise


def _discounted_error(
    rounding: Any, gamma: float, residual: Floats, v_max: Floats, q_max: Floats, averaging: Any
) -> tuple[Floats, Floats]:
    """(certified error, rounding of one backup), as in `discounted`."""
    noise = rounding.backup(v_max, q_max) + U * rounding.row_sum * v_max + U * residual + averaging * q_max
    rate = gamma * rounding.row_sum * (1 + averaging) * (1 + 4 * U)
    with np.errstate(divide="ignore"):
        error = np.where(rate < 1, (residual + noise) / np.abs(1 - rate) * (1 + 16 * U), np.inf)
    return error, noise


def evaluate_batch(model: Any, policies: Any, *, xp: Any = None) -> BatchPlan:
    """Values of B policies of one model; with average reward each needs one recurrent class.

    Args:
        model: FiniteHorizon (dense, stage-dependent or CSR), Discounted or AverageReward (dense; CSR is solved policy
            by policy). A dense model other than FiniteHorizon needs room for 64 matrices (S,S).
        policies: integers (B,S), with a finite horizon also (B,H,S); or floats (B,S,A), (B,H,S,A), probabilities.
        xp: array namespace; None is NumPy.

    Raises:
        InputError: a wrong shape or entry, or a policy with several recurrent classes (named); no batched evaluation.
    """
    space: Any = np if xp is None else xp
    model = as_tabular(model)
    if not isinstance(model.criterion, (FiniteHorizon, Discounted, AverageReward)):
        raise InputError(f"no batched evaluation for {model.criterion}; use evaluate(model, pi) for each policy")
    pi = _policies(model, to_numpy(policies))
    if model.sparse and not isinstance(model.criterion, FiniteHorizon):
        return _one_by_one(model, pi, space)
    averaging = np.zeros(len(pi))
    if pi.dtype.kind == "f":
        averaging = np.abs(pi.sum(axis=-1) - 1).reshape(len(pi), -1).max(axis=1) + 2 * dot_bound(model.A)
    S, A, B = model.S, model.A, len(pi)
    stages = (model.H,) if isinstance(model.criterion, FiniteHorizon) else ()
    V = space.empty((B, model.H + 1, S) if stages else (B, S), dtype=space.float64)
    Q = space.empty((B, *stages, S, A), dtype=space.float64)
    error, gain = np.zeros(B), np.zeros(B)
    for part, n in _blocks(B, pad=True):
        if stages:
            v, q, e, g = _evaluate_horizon(model, pi[part], averaging[part], space)
        else:
            v, q, e, g = _evaluate_stationary(model, pi[part], averaging[part], space, part[0])
        here = slice(part[0], part[0] + n)
        V[here, ...], Q[here, ...], error[here], gain[here] = v[:n, ...], q[:n, ...], e[:n], g[:n]
    iterations = np.full(B, stages[0] if stages else 1)
    return BatchPlan(
        V,
        Q,
        space.asarray(pi),
        gain if isinstance(model.criterion, AverageReward) else None,
        error,
        iterations,
        "backward-induction" if stages else "linear solve",
    )


def _policies(model: TabularMDP, pi: NDArray[Any]) -> NDArray[Any]:
    """Policies validated: int64 (B,S) or float64 (B,S,A), with a stage axis after B if the horizon is finite."""
    if pi.dtype.kind not in "iuf":
        raise InputError(f"policies have dtype {pi.dtype}; give integers (actions) or floats (probabilities)")
    S, A = model.S, model.A
    chosen = pi.dtype.kind in "iu"
    tail = (S,) if chosen else (S, A)
    tails = [tail, (model.H, *tail)] if isinstance(model.criterion, FiniteHorizon) else [tail]
    if pi.shape[1:] not in tails or len(pi) == 0:
        kind = "actions (integers)" if chosen else "probabilities (floats)"
        shapes = " or ".join("(B, " + ", ".join(map(str, t)) + ")" for t in tails)
        raise InputError(f"policies of {kind} have shape {pi.shape}; expected {shapes} with B >= 1")
    if chosen:
        wrong = (pi < 0) | (pi >= A)
        if wrong.any():
            i = first(wrong)
            raise InputError(f"{at('policies', i)} is {pi[i].item()}; actions are 0..{A - 1}: fix that entry")
    else:
        check_probabilities(pi, "policies")
    pi = pi.astype(np.int64 if chosen else np.float64)
    if isinstance(model.criterion, FiniteHorizon) and pi.shape[1:] == tail:
        pi = np.repeat(pi[:, None], model.H, axis=1)
    return pi


def _one_by_one(model: TabularMDP, pi: NDArray[Any], xp: Any) -> BatchPlan:
    from theorylab.plan.api import evaluate  # the public functions are built on this module's neighbours

    plans = [evaluate(model, policy) for policy in pi]
    V, Q = (xp.asarray(np.stack(x)) for x in ([p.V for p in plans], [p.Q for p in plans]))
    gain = np.array([p.gain for p in plans]) if isinstance(model.criterion, AverageReward) else None
    error, iterations = np.array([p.certified_error for p in plans]), np.array([p.iterations for p in plans])
    return BatchPlan(V, Q, xp.asarray(pi), gain, error, iterations, plans[0].method)


def _followed(q: Any, pi: Any, xp: Any) -> Any:
    """Values (S,B) of following policies pi, int (B,S) or float (B,S,A), at q (S,A,B)."""
    if pi.ndim == 3:
        return xp.sum(xp.moveaxis(pi, 0, 2) * q, axis=1)
    return xp.take_along_axis(q, xp.expand_dims(xp.moveaxis(pi, 0, 1), axis=1), axis=1)[:, 0, :]


def _evaluate_horizon(
    model: TabularMDP, pi: NDArray[Any], averaging: Floats, xp: Any
) -> tuple[Any, Any, Floats, Floats]:
    H, S, A, B = model.H, model.S, model.A, len(pi)
    product, r, actions = products(model, xp), xp.expand_dims(xp.asarray(model.r), axis=-1), xp.asarray(pi)
    v = xp.zeros((S, B), dtype=xp.float64)
    V, Q = xp.zeros((B, H + 1, S), dtype=xp.float64), xp.empty((B, H, S, A), dtype=xp.float64)
    v_max, q_max = [xp.zeros(B)], []
    for h in range(H - 1, -1, -1):
        q = r + xp.reshape(product(h, v), (S, A, B))
        v = _followed(q, actions[:, h, ...], xp)
        Q[:, h, ...], V[:, h, :] = xp.moveaxis(q, -1, 0), xp.moveaxis(v, -1, 0)
        # the extremes are taken while the stage is in the cache
        q_max.append(xp.max(xp.abs(xp.reshape(q, (S * A, B))), axis=0))
        v_max.append(xp.max(xp.abs(v), axis=0))
    largest_v, largest_q = (to_numpy(xp.stack(x[::-1], axis=1)) for x in (v_max, q_max))
    return V, Q, _horizon_errors(Rounding.of(model), largest_v, largest_q, averaging), np.zeros(B)


def _evaluate_stationary(
    model: TabularMDP, pi: NDArray[Any], averaging: Floats, xp: Any, offset: int
) -> tuple[Any, Any, Floats, Floats]:
    S, A, B = model.S, model.A, len(pi)
    flat, r, actions = xp.asarray(model.P.reshape(S * A, S)), xp.asarray(model.r), xp.asarray(pi)
    if pi.ndim == 2:
        rows = xp.reshape(xp.arange(S) * A + actions, (B * S,))
        chain = xp.reshape(xp.take(flat, rows, axis=0), (B, S, S))
        reward = xp.reshape(xp.take(xp.reshape(r, (S * A,)), rows), (B, S))
    else:
        P = xp.reshape(flat, (S, A, S))
        chain = sum(xp.expand_dims(actions[:, :, a], axis=-1) * P[:, a, :] for a in range(A))
        reward = xp.sum(actions * r, axis=-1)
    rounding, gamma = Rounding.of(model), None
    if isinstance(model.criterion, Discounted):
        gamma = model.criterion.gamma
        x = _linear(xp.eye(S) - gamma * chain, reward, xp, offset)
        gain, v = np.zeros(B), x
    else:
        # the unknown h[ref] gives its column to the gain, for a recurrent state ref of each policy
        ref = xp.expand_dims(xp.arange(S) == _column(_recurrent(to_numpy(chain), offset), xp, 2), axis=1)
        matrix = xp.where(ref, xp.ones((S, S)), xp.eye(S) - chain)
        x = _linear(matrix, reward, xp, offset)
        gain = to_numpy(xp.sum(xp.where(ref[:, 0, :], x, xp.zeros((B, S))), axis=-1))
        v = xp.where(ref[:, 0, :], xp.zeros((B, S)), x)
        v = v - xp.min(v, axis=-1, keepdims=True)
    columns = xp.moveaxis(v, 0, 1)
    product = xp.reshape(xp.matmul(flat, columns), (S, A, B))
    q = xp.expand_dims(r, axis=-1) + (product if gamma is None else gamma * product)
    drift = _followed(q, actions, xp) - columns
    low, high = to_numpy(xp.min(drift, axis=0)), to_numpy(xp.max(drift, axis=0))
    v_max, q_max = to_numpy(_largest(v, xp)), to_numpy(xp.max(xp.abs(xp.reshape(q, (S * A, B))), axis=0))
    if gamma is None:
        error, _ = _gain_error(rounding, gain, low, high, v_max, q_max, averaging)
    else:
        error, _ = _discounted_error(rounding, gamma, np.maximum(-low, high), v_max, q_max, averaging)
    return v, xp.moveaxis(q, -1, 0), np.where(np.isnan(error), np.inf, error), gain


def _linear(matrix: Any, right: Any, xp: Any, offset: int) -> Any:
    """x (B,S) with matrix (B,S,S) times x = right (B,S)."""
    try:
        x = xp.linalg.solve(matrix, xp.expand_dims(right, axis=-1))[:, :, 0]
        singular = ~np.isfinite(to_numpy(x)).all(axis=-1)
        if not singular.any():
            return x
    except np.linalg.LinAlgError:
        singular = np.array([dgetrf(m)[2] > 0 for m in to_numpy(matrix)])
    raise InputError(
        f"policies[{offset + int(np.argmax(singular))}]: its linear system is singular in double precision, as some "
        "probabilities that matter are too small; raise them, or use evaluate(model, pi), which bounds the error"
    )


def _recurrent(chains: Floats, offset: int) -> NDArray[np.int64]:
    """A recurrent state of each policy."""
    refs = []
    for b, chain in enumerate(chains):
        classes = closed_classes(csr_array(chain))
        if len(classes) > 1:
            raise InputError(
                f"policies[{offset + b}] is multichain: states {classes[0][0]} and {classes[1][0]} lie in different "
                "recurrent classes, so its gain is not one number; give policies with one recurrent class"
            )
        refs.append(int(classes[0][0]))
    return np.array(refs)
