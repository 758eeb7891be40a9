"""Average reward: relative value iteration, then policy iteration with exact linear solves, and a certificate.

Solves g + h[s] = max_a q[s,a], q[s,a] = r[s,a] + sum_s2 P[s,a,s2] h[s2], for the gain g and the bias h (minimum 0).

1. Relative value iteration on the lazy model, v <- v + tau (T v - v) recentred by its minimum, tau = 0.9, which is
   aperiodic whatever the model; it stops when the span of T v - v is small.
2. Policy iteration from the greedy policy. A state keeps its action unless another is better by the tie tolerance. A
   policy with several recurrent classes is mended: the class of largest gain is kept and all states from which it is
   not reached for sure are steered to it. As only states whose action improved can have made a new recurrent class,
   the gain then rises strictly, and the iteration ends.
3. Certificate: for any v, min(T v - v) <= g_star <= max(T v - v), evaluated at the final bias, plus rounding.

Model: weakly communicating, P dense (S,A,S) or CSR. Sources: Puterman (1994), theorems 8.5.5, 8.5.6 (bounds), section
8.5.4 (aperiodicity), section 8.6 (policy iteration) [recalled]; step 2 and the rounding term [derived].
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array, csr_array, eye_array, hstack
from scipy.sparse.linalg import splu

from theorylab.errors import InputError
from theorylab.model import TabularMDP
from theorylab.plan.certify import Rounding, U, dot_bound, greedy, tie_tolerance
from theorylab.plan.record import Plan
from theorylab.plan.structure import closed_classes, distances, require_one_gain

__all__ = ["average_reward", "evaluate_policy", "q_values"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

TAU = 0.9
WARM_SPAN = 1e-6  # where value iteration hands over to policy iteration, relative to the reward range
WARM_SWEEPS = 1_000
MOST_SWEEPS = 1_000_000
MOST_STEPS = 1_000


def q_values(model: TabularMDP, v: Floats) -> Floats:
    """r[s,a] + sum_s2 P[s,a,s2] v[s2], shape (S,A)."""
    flat = model.P if model.sparse else model.P.reshape(-1, model.S)
    out: Floats = model.r + (flat @ v).reshape(model.S, model.A)
    return out


def _chain(model: TabularMDP, pi: NDArray[Any]) -> tuple[Any, Floats]:
    """Transition matrix (S,S) and mean rewards (S,) of a policy: pi int (S,) or float (S,A)."""
    S, A = model.S, model.A
    flat = model.P if model.sparse else model.P.reshape(-1, S)
    if pi.ndim == 1:
        rows = np.arange(S) * A + pi
        return flat[rows], model.r.ravel()[rows]
    weights = csr_array((pi.ravel(), (np.repeat(np.arange(S), A), np.arange(S * A))), shape=(S, S * A))
    weights.eliminate_zeros()
    return weights @ flat, (pi * model.r).sum(axis=1)


def _support(chain: Any) -> Any:
    graph = csr_array(chain)
    graph.eliminate_zeros()
    return graph


def _solve(chain: Any, reward: Floats, ref: int) -> tuple[float, Floats]:
    """Gain and bias of a unichain policy: (I - P) h + g 1 = r with h[ref] = 0 for a recurrent `ref`; h then min 0.

    The unknown h[ref] gives its column to g, which leaves one square system.
    """
    S = reward.size
    if isinstance(chain, np.ndarray):
        matrix = np.eye(S) - chain
        matrix[:, ref] = 1.0
        x = np.linalg.solve(matrix, reward)
        x = x + np.linalg.solve(matrix, reward - matrix @ x)  # one step of refinement
    else:
        rest = (eye_array(S, format="csr") - chain).tocsc()
        sparse = hstack([rest[:, :ref], csc_array(np.ones((S, 1))), rest[:, ref + 1 :]], format="csc")
        factors = splu(sparse)
        x = factors.solve(reward)
        x = x + factors.solve(reward - sparse @ x)
    gain = float(x[ref])
    x[ref] = 0.0
    return gain, x - x.min()


def _gain_of_class(chain: Any, reward: Floats, members: Ints) -> float:
    part = chain[members][:, members]
    return _solve(part, reward[members], 0)[0]


def _unichain(model: TabularMDP, pi: Ints) -> tuple[Ints, Any, Floats, int]:
    """`pi` with one recurrent class, its chain, its rewards and a recurrent state (step 2 of the module docstring)."""
    chain, reward = _chain(model, pi)
    graph = _support(chain)
    classes = closed_classes(graph)
    if len(classes) > 1:
        best = max(classes, key=lambda members: _gain_of_class(chain, reward, members))
        others = np.concatenate([c for c in classes if c is not best])
        # states that may enter another class must be steered; the rest reaches `best` for sure already
        astray = distances(graph, others) >= 0
        pi = pi.copy()
        succ, prob = model.rows()
        settled = ~astray
        while not settled.all():
            reach = ((prob > 0) & settled[succ]).any(axis=1).reshape(model.S, model.A)
            ready = ~settled & reach.any(axis=1)
            pi[ready] = np.argmax(reach[ready], axis=1)
            settled = settled | ready
        chain, reward = _chain(model, pi)
        classes = closed_classes(_support(chain))
    return pi, chain, reward, int(classes[0][0])


def _certify(model: TabularMDP, gain: float, bias: Floats, values: Floats, q_max: float, extra: float) -> float:
    """Bound on |gain - exact gain| from the bracket at `bias`; values (S,) = T bias; `extra`: further rounding."""
    rounding = Rounding.of(model)
    v_max = float(np.abs(bias).max())
    drift = values - bias
    error = rounding.backup(v_max, q_max) + rounding.defect * v_max + U * float(np.abs(drift).max()) + extra
    width = max(gain - float(drift.min()), float(drift.max()) - gain, 0.0)
    return (width * (1 + 4 * U) + error) * (1 + 8 * U)


def _value_iteration(model: TabularMDP, span: float, sweeps: int) -> tuple[Floats, float, int, bool]:
    """Step 1: (v, midpoint of the bracket, sweeps used, whether the span was reached)."""
    v = np.zeros(model.S)
    gain = 0.0
    for n in range(1, sweeps + 1):
        drift = q_values(model, v).max(axis=1) - v
        low, high = float(drift.min()), float(drift.max())
        gain = (low + high) / 2
        if high - low <= span:
            return v, gain, n, True
        v = v + TAU * drift
        v -= v.min()
    return v, gain, sweeps, False


def average_reward(model: TabularMDP, method: str = "auto", tol: float = 1e-10) -> Plan:
    """Optimal gain and bias of a weakly communicating model.

    Args:
        model: stationary, dense or CSR.
        method: "auto" (steps 1 and 2), "policy-iteration" (step 2 alone) or "relative-value-iteration" (step 1 alone,
            until the span of T v - v is at most `tol`).
        tol: in units of reward per step, for "relative-value-iteration".

    Raises:
        InputError: a model that is not weakly communicating, or value iteration that has not reached `tol`.
    """
    require_one_gain(model)
    scale = max(float(np.ptp(model.r)), 1e-300)
    v, sweeps = np.zeros(model.S), 0
    if method != "policy-iteration":
        alone = method == "relative-value-iteration"
        limit = MOST_SWEEPS if alone else WARM_SWEEPS
        v, gain, sweeps, done = _value_iteration(model, tol if alone else WARM_SPAN * scale, limit)
        if alone:
            if not done:
                raise InputError(
                    f"relative value iteration: tol {tol} not reached in {limit} sweeps; use method='auto'"
                )
            return _finish(model, gain, v, sweeps, method)
    pi = greedy(q_values(model, v), tie_tolerance(v))
    for step in range(1, MOST_STEPS + 1):
        pi, chain, reward, ref = _unichain(model, pi)
        gain, bias = _solve(chain, reward, ref)
        q = q_values(model, bias)
        kept = np.take_along_axis(q, pi[:, None], axis=1)[:, 0]
        better = q.max(axis=1) > kept + tie_tolerance(bias)
        if not better.any():
            return _finish(model, gain, bias, sweeps + step, "policy-iteration" if sweeps == 0 else "auto")
        pi = np.where(better, np.argmax(q, axis=1), pi)
    raise InputError(f"policy iteration did not settle in {MOST_STEPS} steps; use method='relative-value-iteration'")


def _finish(model: TabularMDP, gain: float, bias: Floats, iterations: int, method: str) -> Plan:
    q = q_values(model, bias)
    best = q.max(axis=1)
    error = _certify(model, gain, bias, best, float(np.abs(q).max()), 0.0)
    name = "relative value iteration, then policy iteration" if method == "auto" else method
    residual = float(np.abs(best - bias - gain).max())
    return Plan(bias, q, greedy(q, tie_tolerance(bias)), gain, bias, residual, error, iterations, name)


def evaluate_policy(model: TabularMDP, pi: NDArray[Any]) -> Plan:
    """Gain and bias of a policy with one recurrent class: pi int (S,), or float (S,A) with rows summing to 1.

    Raises:
        InputError: several recurrent classes, named.
    """
    chain, reward = _chain(model, pi)
    classes = closed_classes(_support(chain))
    if len(classes) > 1:
        shown = " and ".join(str(c.tolist()[:8]).replace("]", ", ...]" if c.size > 8 else "]") for c in classes[:3])
        raise InputError(
            f"the policy is multichain: its recurrent classes are {shown}{' ...' if len(classes) > 3 else ''}, so its "
            "gain is not one number; give a policy with one recurrent class"
        )
    gain, bias = _solve(chain, reward, int(classes[0][0]))
    q = q_values(model, bias)
    q_max = float(np.abs(q).max())
    extra = 0.0
    if pi.ndim == 1:
        values = np.take_along_axis(q, pi[:, None], axis=1)[:, 0]
    else:
        values = (pi * q).sum(axis=1)
        extra = (float(np.abs(pi.sum(axis=1) - 1).max()) + 2 * dot_bound(model.A)) * q_max
    error = _certify(model, gain, bias, values, q_max, extra)
    residual = float(np.abs(values - bias - gain).max())
    return Plan(bias, q, pi.copy(), gain, bias, residual, error, 1, "linear solve")
