"""Average reward: relative value iteration, then policy iteration with exact linear solves, and a certificate.

Solves g + h[s] = max_a q[s,a], q[s,a] = r[s,a] + sum_s2 P[s,a,s2] h[s2], for the gain g and the bias h (minimum 0).

1. Relative value iteration on the lazy model, v <- v + tau (T v - v) recentred by its minimum, tau = 0.9, which is
   aperiodic whatever the model; it stops when the span of T v - v is small.
2. Policy iteration from the greedy policy. A state keeps its action unless another is better by the tie tolerance. A
   policy with several recurrent classes is mended: the class of largest gain is kept and all states from which it is
   not reached for sure are steered to it. As only states whose action improved can have made a new recurrent class,
   the gain then rises strictly, and the iteration ends. Where rounding brings a policy back, it ends there.
3. Certificates. Gain: for any v, min(T v - v) <= g_star <= max(T v - v), taken at the final bias, plus rounding, and at
   v = 0, which is better where rounding drowns the bias. Bias: the bracket of `bracket` around the shortest paths to a
   frequent state of the policy that tied policies visit too, for the rewards r - g with g anywhere in its certified
   interval. It holds every solution of the optimality equation; where two policies without a common recurrent state
   tie, or nearly, there is no bracket and `bias_error` is infinite.

The exact model is P with each row divided by its exact sum (see `certify`). Weakly communicating, P dense (S,A,S) or
CSR. Sources: Puterman (1994), theorems 8.5.5, 8.5.6 (bounds), section 8.5.4 (aperiodicity), section 8.6 (policy
iteration) [recalled]; step 2, the rounding terms and the bracket of the bias [derived].
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from theorylab.errors import InputError
from theorylab.model import TabularMDP
from theorylab.plan.bracket import average, bracket, lengthen, taken, ties
from theorylab.plan.certify import Rounding, U, dot_bound, greedy, tie_tolerance
from theorylab.plan.chains import Poisson, policy_chain, policy_graph, support
from theorylab.plan.inputs import to_numpy
from theorylab.plan.record import Plan
from theorylab.plan.structure import closed_classes, distances, require_one_gain, require_unichain

__all__ = ["average_reward", "evaluate_policy", "q_values"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

TAU = 0.9
WARM_SPAN = 1e-6  # where value iteration hands over to policy iteration, relative to the reward range
WARM_SWEEPS = 1_000
MOST_SWEEPS = 1_000_000
MOST_STEPS = 1_000
LOOK = 1_000  # sweeps between two looks at the rounding of a backup


def q_values(model: TabularMDP, v: Floats) -> Floats:
    """r[s,a] + sum_s2 P[s,a,s2] v[s2], shape (S,A)."""
    out: Floats = model.r + average(model, v)
    return out


def _gain_of_class(chain: Any, reward: Floats, members: Ints) -> float:
    part = chain[members][:, members]
    return Poisson(part, 0).bias(reward[members])[0]


def _unichain(model: TabularMDP, pi: Ints) -> tuple[Ints, Any, Floats, int]:
    """`pi` with one recurrent class, its chain, its rewards and a recurrent state (step 2 of the module docstring)."""
    chain, reward = policy_chain(model, pi)
    graph = support(chain)
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
        chain, reward = policy_chain(model, pi)
        classes = closed_classes(support(chain))
    return pi, chain, reward, int(classes[0][0])


def _certify(
    model: TabularMDP, gain: float, bias: Floats, values: Floats, q_max: float, plain: Floats, averaging: float
) -> float:
    """Bound on |gain - exact gain| from the brackets at `bias` and at 0: values (S,) = T bias, plain (S,) = T 0.

    q_max: the largest |q| that an average takes; max |values| for a maximum, as q + u |q| grows with q.
    """
    rounding = Rounding.of(model)
    v_max = float(np.abs(bias).max())
    drift = values - bias
    error = rounding.backup(v_max, q_max) + rounding.defect * v_max + U * float(np.abs(drift).max()) + averaging * q_max
    bounds = []
    for step, off in ((drift, error), (plain, averaging * float(np.abs(model.r).max()))):
        width = max(gain - float(step.min()), float(step.max()) - gain, 0.0)
        bounds.append((width * (1 + 4 * U) + off) * (1 + 8 * U))
    return min(bounds)


def _bias_error(
    model: TabularMDP,
    gain: float,
    gain_error: float,
    bias: Floats,
    q: Floats,
    pi: NDArray[Any],
    system: Poisson,
    averaging: float,
    optimal: bool,
) -> float:
    """Bound on max |bias - exact bias|, both with minimum 0; `optimal`: of all policies, else of `pi` alone."""
    if model.S == 1:
        return 0.0
    law, rounding = system.stationary(), Rounding.of(model)
    # the bias is not negative
    mean = average(model, bias)
    error = rounding.entries(mean, q) + 1.01 * rounding.defect * mean
    if not optimal:
        ref, size = int(np.argmax(law)), taken(np.abs(q), pi)
        W, down = system.hitting(ref), bias - taken(q, pi) + gain
        off = taken(error, pi) * (1 + averaging) + averaging * size + gain_error
        off = (off + 2 * U * (bias + size + abs(gain))) * (1 + 8 * U)
        # the bracket holds h - h[ref]; the change to minimum 0 moves it by as much again
        return 2 * bracket(model, ref, W, pi, down, None, off, averaging=averaging, defect=rounding.defect)
    error = (error + gain_error + 2 * U * (bias[:, None] + np.abs(q) + abs(gain))) * (1 + 8 * U)
    gap = bias[:, None] - q + gain
    for tied in ties(bias, gap, error):
        likely = law.copy()
        while (ref := int(np.argmax(likely))) >= 0 and likely[ref] > 0:
            longer, times = lengthen(model, ref, pi, tied)
            if times is not None:
                bound = bracket(model, ref, times, longer, taken(gap, longer), gap, error, defect=rounding.defect)
                if np.isfinite(bound):
                    return 2 * bound
                break
            # a policy of ties misses ref: one that all of them visit lies in its recurrent classes
            likely[ref] = 0.0
            for members in closed_classes(support(policy_chain(model, longer)[0])):
                likely[np.isin(np.arange(model.S), members, invert=True)] = 0.0
    return float("inf")


def _value_iteration(model: TabularMDP, span: float, sweeps: int, xp: Any) -> tuple[Floats, float, int, bool]:
    """Step 1: (v, midpoint of the bracket, sweeps used, whether the span was reached); ends where rounding hides it."""
    S, A, rounding = model.S, model.A, Rounding.of(model)
    if xp is None:
        flat, r, space = model.flat, model.r, np
    else:
        flat, r, space = xp.asarray(model.P.reshape(-1, S)), xp.asarray(model.r), xp
    v = space.zeros(S, dtype=space.float64)
    gain = 0.0
    for n in range(1, sweeps + 1):
        drift = space.max(r + space.reshape(flat @ v, (S, A)), axis=1) - v
        low, high = float(space.min(drift)), float(space.max(drift))
        gain = (low + high) / 2
        if high - low <= span:
            return to_numpy(v), gain, n, True
        if n % LOOK == 0:
            v_max = float(space.max(v))
            if high - low <= rounding.backup(v_max, v_max + abs(gain)):
                return to_numpy(v), gain, n, False
        v = v + TAU * drift
        v = v - space.min(v)
    return to_numpy(v), gain, sweeps, False


def average_reward(model: TabularMDP, method: str = "auto", tol: float = 1e-10, xp: Any = None) -> Plan:
    """Optimal gain and bias of a weakly communicating model.

    Args:
        model: stationary, dense or CSR.
        method: "auto" (steps 1 and 2), "policy-iteration" (step 2 alone) or "relative-value-iteration" (step 1 alone,
            until the span of T v - v is at most `tol`).
        tol: in units of reward per step, for "relative-value-iteration".
        xp: array namespace of step 1 for a dense P (NumPy, CuPy, array-api-strict); with one other than NumPy "auto" is
            "relative-value-iteration". The certificate is taken with NumPy, and results are NumPy arrays.

    Raises:
        InputError: a model that is not weakly communicating, value iteration that has not reached `tol`, or `xp` where
            it cannot be used.
    """
    if xp is np:
        xp = None
    if xp is not None and (model.sparse or method == "policy-iteration"):
        raise InputError(
            "xp other than NumPy is for relative value iteration on a dense P; "
            + ("give a dense P, or leave xp=None" if model.sparse else "leave method='auto', or xp=None")
        )
    require_one_gain(model)
    scale = float(np.ptp(model.r))
    if scale == 0.0:
        # h = max_a P h has the constants alone as solutions where the model is weakly communicating
        zero, same = np.zeros(model.S), float(model.r[0, 0])
        policy = np.zeros(model.S, dtype=np.int64)
        return Plan(zero, model.r.copy(), policy, same, zero.copy(), 0.0, 0.0, 0, "all rewards are equal", 0.0)
    v, sweeps = np.zeros(model.S), 0
    if method != "policy-iteration":
        alone = method == "relative-value-iteration" or xp is not None
        limit = MOST_SWEEPS if alone else WARM_SWEEPS
        v, gain, sweeps, done = _value_iteration(model, tol if alone else WARM_SPAN * scale, limit, xp)
        if alone:
            if not done:
                raise InputError(
                    f"relative value iteration: tol {tol} "
                    + (f"not reached in {limit} sweeps" if sweeps == limit else "is below rounding, raise it")
                    + "; use method='auto'"
                )
            pi = greedy(q_values(model, v), tie_tolerance(v))
            pi, chain, _, ref = _unichain(model, pi)
            return _finish(model, gain, v, pi, Poisson(chain, ref), sweeps, "relative-value-iteration")
    pi = greedy(q_values(model, v), tie_tolerance(v))
    met: set[bytes] = set()
    for step in range(1, MOST_STEPS + 1):
        pi, chain, reward, ref = _unichain(model, pi)
        system = Poisson(chain, ref)
        gain, bias = system.bias(reward)
        bias = bias - bias.min()
        q = q_values(model, bias)
        better = q.max(axis=1) > taken(q, pi) + tie_tolerance(bias)
        # a policy that comes back shows that rounding decides
        if not better.any() or pi.tobytes() in met:
            name = "policy-iteration" if sweeps == 0 else "relative value iteration, then policy iteration"
            return _finish(model, gain, bias, pi, system, sweeps + step, name)
        met.add(pi.tobytes())
        pi = np.where(better, np.argmax(q, axis=1), pi)
    raise InputError(f"policy iteration did not settle in {MOST_STEPS} steps; use method='relative-value-iteration'")


def _finish(
    model: TabularMDP, gain: float, bias: Floats, pi: Ints, system: Poisson, iterations: int, method: str
) -> Plan:
    q = q_values(model, bias)
    best = q.max(axis=1)
    error = _certify(model, gain, bias, best, float(np.abs(best).max()), model.r.max(axis=1), 0.0)
    residual = float(np.abs(best - bias - gain).max())
    bias_error = _bias_error(model, gain, error, bias, q, pi, system, 0.0, True)
    policy = greedy(q, tie_tolerance(bias))
    return Plan(bias, q, policy, gain, bias, residual, error, iterations, method, bias_error)


def evaluate_policy(model: TabularMDP, pi: NDArray[Any]) -> Plan:
    """Gain and bias of a policy with one recurrent class: pi int (S,), or float (S,A) with rows summing to 1.

    Raises:
        InputError: several recurrent classes, named.
    """
    chain, reward = policy_chain(model, pi)
    system = Poisson(chain, int(require_unichain(policy_graph(model, pi, chain))[0]))
    gain, bias = system.bias(reward)
    bias = bias - bias.min()
    q = q_values(model, bias)
    values, q_max = taken(q, pi), float(taken(np.abs(q), pi).max())
    averaging = 0.0 if pi.ndim == 1 else float(np.abs(pi.sum(axis=1) - 1).max()) + 2 * dot_bound(model.A)
    error = _certify(model, gain, bias, values, q_max, taken(model.r, pi), averaging)
    residual = float(np.abs(values - bias - gain).max())
    bias_error = _bias_error(model, gain, error, bias, q, pi, system, averaging, False)
    return Plan(bias, q, pi.copy(), gain, bias, residual, error, 1, "linear solve", bias_error)
