"""Exact rational answers: policy iteration and backward induction in fractions (python-flint, extra `exact`).

Every float64 number is a fraction, so a finite model has exact rational values. What is solved, with v >= the values of
all policies wherever the equations hold:

    FiniteHorizon   V[h,s] = max_a Q[h,s,a],  Q[h,s,a] = r[s,a] + sum_s2 P[h,s,a,s2] V[h+1,s2],  V[H] = 0
    Discounted      V[s] = max_a Q[s,a],      Q[s,a] = r[s,a] + gamma sum_s2 P[s,a,s2] V[s2]
    AverageReward   g + h[s] = max_a Q[s,a],  Q[s,a] = r[s,a] + sum_s2 P[s,a,s2] h[s2],  min h = 0
    ShortestPath    V[s] = max_a Q[s,a] over policies that reach the goal surely;  V[goal] = Q[goal,a] = 0

Which fractions: the float64 entries as given, except that average reward and hitting times divide each row of P by its
exact sum. `snap=n` means the printed decimals instead: every entry of P, r, gamma and a stochastic policy becomes the
nearest fraction with denominator <= n (so .35 is 7/20); an entry farther than 1e-12 from it, or a row that does not
then sum to exactly 1, is refused by name.

The float planner gives the first policy (shortest path: actions that may come one arc nearer to the goal). Exact policy
iteration then stops at once if no action is better in exact arithmetic, and goes on otherwise. A state keeps its action
unless another is strictly better, so the iteration ends. (For shortest paths with rewards of 0 a policy that avoids the
goal may tie: the answer is then the best among those that reach it, where the float planner may refuse the model.)
Sources: Puterman (1994), sections 4.5, 6.4, 8.6; Bertsekas and Tsitsiklis (1991) for shortest paths [recalled]; the
treatment of multichain policies and the test of `bias_unique` [derived].
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from theorylab.assume import reachability
from theorylab.criteria import AverageReward, Discounted, FiniteHorizon, ShortestPath
from theorylab.errors import InputError
from theorylab.model import TabularMDP
from theorylab.plan import api
from theorylab.plan.inputs import as_stationary, as_tabular, checked_policy
from theorylab.plan.rational import Fractions, Rationals
from theorylab.plan.record import Plan
from theorylab.plan.structure import closed_classes, distances, require_one_gain

__all__ = ["ExactPlan", "exact_bias_span", "exact_evaluate", "exact_hitting_times", "exact_plan"]

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class ExactPlan:
    """Exact values and a policy.

    Attributes:
        V: object array of `fractions.Fraction`: (H+1,S) for a finite horizon, else (S,); average reward: the bias.
        Q: the same, (H,S,A) or (S,A).
        pi: int64 (H,S) or (S,): the lowest index among exact ties (shortest path: among those ties, one that reaches
            the goal); for `exact_evaluate`, the policy given.
        gain: exact gain, in units of reward per step; None for other criteria.
        bias: (S,), minimum 0; None for other criteria.
        unique: bool (H,S) or (S,): whether exactly one action attains max_a Q. Never at the goal if A > 1.
        iterations: steps of exact policy iteration (1: the float policy was optimal), or stages.
        bias_unique: average reward: True if the optimality equation has one solution up to a constant, so that `bias`
            and its span are those of every optimal policy; False if that was not proved. None otherwise.

    Arrays are read-only.
    """

    V: Rationals
    Q: Rationals
    pi: NDArray[Any]
    gain: Fraction | None
    bias: Rationals | None
    unique: Bools
    iterations: int
    bias_unique: bool | None = None

    def __post_init__(self) -> None:
        for array in (self.V, self.Q, self.pi, self.bias, self.unique):
            if array is not None:
                array.flags.writeable = False

    def to_float(self) -> Plan:
        """Correctly rounded float64 arrays, as a `Plan`; its errors are those of this rounding.

        `residual` is an upper bound on how far the equations are from holding at the rounded numbers.
        """
        V, gap = _rounded(self.V)
        Q, _ = _rounded(self.Q)
        if self.gain is None:
            return Plan(V, Q, self.pi.copy(), None, None, _up(3 * gap), _up(gap), self.iterations, "exact")
        gain = float(self.gain)
        off = abs(Fraction(gain) - self.gain)
        residual = _up(3 * gap + off)
        return Plan(V, Q, self.pi.copy(), gain, V.copy(), residual, _up(off), self.iterations, "exact", _up(gap))


def _rounded(x: Rationals) -> tuple[NDArray[np.float64], Fraction]:
    """The nearest float64 of each entry (Python's division of integers is correctly rounded), and the largest error."""
    try:
        values = [float(y) for y in x.flat]
    except OverflowError:
        raise InputError("exact values exceed the largest float: keep the fractions, or rescale the rewards") from None
    gap: Fraction = max(abs(Fraction(v) - y) for v, y in zip(values, x.ravel().tolist(), strict=True))
    return np.array(values).reshape(x.shape), gap


def _up(x: Fraction) -> float:
    return float(np.nextafter(float(x), np.inf)) if x else 0.0


def _closed(support: Bools) -> list[Ints]:
    return closed_classes(csr_array(support.astype(np.int8)))


def _shown(members: NDArray[Any]) -> str:
    return str(members.tolist()[:8]).replace("]", ", ...]" if members.size > 8 else "]")


# values of a policy, one function a criterion


def _discounted_values(x: Fractions, pi: NDArray[Any]) -> list[Any]:
    one = x.flint.fmpq(1)
    rows, reward, _ = x.chain(pi)
    matrix = [[(one if i == j else 0) - x.gamma * p for j, p in enumerate(row)] for i, row in enumerate(rows)]
    return x.solve(matrix, [reward])[0]


def _gain_bias(x: Fractions, pi: NDArray[Any], ref: int, members: Ints | None = None) -> tuple[Any, list[Any]]:
    """(I - P) h + g 1 = r with h[ref] = 0 for a recurrent `ref`, on all states or on one recurrent class; min h = 0."""
    rows, reward, _ = x.chain(pi)
    inside = range(x.S) if members is None else members.tolist()
    one = x.flint.fmpq(1)
    matrix = [[one if j == ref else (one if i == j else 0) - rows[i][j] for j in inside] for i in inside]
    h = x.solve(matrix, [[reward[i] for i in inside]])[0]
    place = list(inside).index(ref)
    gain, h[place] = h[place], x.flint.fmpq(0)
    low = min(h)
    return gain, [y - low for y in h]


def _proper_values(x: Fractions, pi: NDArray[Any], goal: int, say: Callable[[Ints], str]) -> list[Any]:
    """Sum of rewards until `goal` of a policy that reaches it surely; `say` words the error about states that stay."""
    rows, reward, support = x.chain(pi)
    support = support.copy()
    support[goal] = False
    support[goal, goal] = True
    stays = [c for c in _closed(support) if goal not in c]
    if stays:
        raise InputError(say(stays[0]))
    others = [s for s in range(x.S) if s != goal]
    zero, one = x.flint.fmpq(0), x.flint.fmpq(1)
    if not others:
        return [zero]
    matrix = [[(one if i == j else zero) - rows[i][j] for j in others] for i in others]
    try:
        v, times = x.solve(matrix, [[reward[s] for s in others], [one] * len(others)])
    except ZeroDivisionError:  # singular
        v, times = [], [zero]
    # positive times prove that the powers of the chain sum up; only rows that sum to more than 1 can prevent it
    if min(times) <= 0:
        raise InputError("rows of P that sum to more than 1 make the sums of rewards infinite; use snap= or fix P")
    v.insert(goal, zero)
    return v


# optimal values


def _improved(pi: Ints, ties: Bools) -> Ints:
    """`pi` where its action attains the maximum, else the lowest action that does."""
    kept = ties[np.arange(pi.size), pi]
    return np.where(kept, pi, np.argmax(ties, axis=1))


def _mend(x: Fractions, pi: Ints) -> tuple[Ints, int]:
    """`pi` with one recurrent class, and a recurrent state: as in `average_reward`, the class of largest gain is kept
    and the states that may miss it are steered towards it."""
    classes = _closed(x.chain(pi)[2])
    if len(classes) == 1:
        return pi, int(classes[0][0])
    best = max(classes, key=lambda members: _gain_bias(x, pi, int(members[0]), members)[0])
    others = np.concatenate([c for c in classes if c is not best])
    settled = distances(csr_array(x.chain(pi)[2].astype(np.int8)), others) < 0
    pi = pi.copy()
    while not settled.all():
        reach = (x.support[0] & settled).any(axis=1).reshape(x.S, x.A)
        ready = ~settled & reach.any(axis=1)
        pi[ready] = np.argmax(reach[ready], axis=1)
        settled |= ready
    return pi, int(_closed(x.chain(pi)[2])[0][0])


def _one_end_component(x: Fractions, ties: Bools) -> bool:
    """Whether the actions that attain the maximum have one maximal end component, where a policy can stay for ever.

    Then the solution h of the optimality equation is unique up to a constant. Let v be another one and d = v - h. By
    conserving actions of h, d(s) >= sum_s2 P d, so d is constant on the component and smallest there. By those of v,
    d(s) <= sum_s2 P d, so d is largest on a recurrent class of a policy of such actions; there v - h is constant, hence
    the actions conserve h too, hence the class lies in the component.
    """
    allowed, support = ties.copy(), x.support[0].reshape(x.S, x.A, x.S)
    while True:
        graph = (support & allowed[:, :, None]).any(axis=1)
        _, label = connected_components(csr_array(graph.astype(np.int8)), directed=True, connection="strong")
        leaves = (support & (label[None, None, :] != label[:, None, None])).any(axis=2)
        if not (allowed & leaves).any():
            return np.unique(label[allowed.any(axis=1)]).size == 1
        allowed &= ~leaves


def _finite_horizon(x: Fractions, H: int, pi: list[NDArray[Any]] | None) -> tuple[list[Any], list[Any], Bools]:
    """V (H+1 lists), Q (H lists) and the ties (H,S,A), of the optimum or of a policy."""
    V: list[Any] = [[x.flint.fmpq(0)] * x.S]
    Q: list[Any] = []
    ties: list[Bools] = []
    for h in range(H - 1, -1, -1):
        q = x.backup(V[0], h % len(x.P))
        top, tie = x.best(q)
        if pi is not None:
            top = _averages(x, q, pi[h])
        V.insert(0, top)
        Q.insert(0, q)
        ties.insert(0, tie)
    return V, Q, np.array(ties)


def _averages(x: Fractions, q: list[Any], pi: NDArray[Any]) -> list[Any]:
    if pi.ndim == 1:
        return [q[s * x.A + int(a)] for s, a in enumerate(pi)]
    return [sum((w * q[s * x.A + a] for a, w in enumerate(row)), x.flint.fmpq(0)) for s, row in enumerate(pi)]


def _to_goal(x: Fractions, goal: int, pi: Ints) -> tuple[list[Any], list[Any], Bools, Ints, int]:
    def say(stays: Ints) -> str:
        return (
            f"the best sum of rewards until state {goal} is not attained: a policy that stays in states "
            f"{_shown(stays)} for ever gains as much or more; make the rewards there negative"
            + ("" if x.read.snap is not None else " (if rows of P are off 1 by rounding, give snap=)")
        )

    step = 0
    while True:
        step += 1
        v = _proper_values(x, pi, goal, say)
        q = x.backup(v)
        q[goal * x.A : (goal + 1) * x.A] = [x.flint.fmpq(0)] * x.A
        _, ties = x.best(q)
        better = _improved(pi, ties)
        if (better == pi).all():
            return v, q, ties, _lowest_proper(x, ties, goal), step
        pi = better


def _lowest_proper(x: Fractions, ties: Bools, goal: int) -> Ints:
    """The lowest optimal action everywhere; where that may miss the goal, the lowest one that may come nearer to it."""
    pi: Ints = np.argmax(ties, axis=1)
    support = x.chain(pi)[2].copy()
    support[goal] = np.eye(x.S, dtype=bool)[goal]
    if len(_closed(support)) == 1:
        return pi
    return _nearer(x, ties, goal)


def _nearer(x: Fractions, allowed: Bools, goal: int) -> Ints:
    """The lowest allowed action that may come one arc nearer to `goal`: reaches it surely."""
    support = x.support[0].reshape(x.S, x.A, x.S) & allowed[:, :, None]
    layer = distances(csr_array(support.any(axis=1).astype(np.int8)), np.array([goal]))
    nearer = (support & (layer[None, None, :] < layer[:, None, None]) & (layer >= 0)).any(axis=2)
    first: Ints = np.argmax(nearer, axis=1)
    return first


def _start_to(x: Fractions, model: TabularMDP, goal: int) -> Ints:
    lost = distances(reachability(model), np.array([goal])) < 0
    if lost.any():
        raise InputError(
            f"state {int(np.argmax(lost))} cannot reach the goal {goal} under any policy: remove it, give it an action "
            "that leads on, or choose another goal"
        )
    return _nearer(x, np.ones((x.S, x.A), dtype=bool), goal)


def _pack(x: Fractions, v: list[Any], q: list[Any], ties: Bools, pi: NDArray[Any], gain: Any, step: int) -> ExactPlan:
    V, unique = x.fractions(v, x.S), ties.sum(axis=-1) == 1
    Q = x.fractions(q, x.S, x.A)
    if gain is None:
        return ExactPlan(V, Q, pi, None, None, unique, step)
    exact_gain = Fraction(int(gain.p), int(gain.q))
    return ExactPlan(V, Q, pi, exact_gain, V.copy(), unique, step, _one_end_component(x, ties))


def _pack_stages(x: Fractions, H: int, pi: NDArray[Any] | None, policies: list[NDArray[Any]] | None) -> ExactPlan:
    V, Q, ties = _finite_horizon(x, H, policies)
    flat_v, flat_q = [y for row in V for y in row], [y for row in Q for y in row]
    chosen = np.argmax(ties, axis=-1) if pi is None else pi
    shapes = (H + 1, x.S), (H, x.S, x.A)
    unique = ties.sum(axis=-1) == 1
    return ExactPlan(x.fractions(flat_v, *shapes[0]), x.fractions(flat_q, *shapes[1]), chosen, None, None, unique, H)


def exact_plan(model: Any, *, snap: int | None = None) -> ExactPlan:
    """Exact optimal values, for every criterion; S = 100, A = 4 takes seconds.

    Args:
        model: FiniteHorizon (also with stages), Discounted, AverageReward (weakly communicating, periodic or not) or
            ShortestPath (the best among policies that reach the goal surely from every state).
        snap: None, or the largest denominator: see the module's text.

    Raises:
        InputError: python-flint missing; an entry that does not snap (named); an average-reward model whose optimal
            gain need not be one number; a goal that a state cannot reach, or a shortest path whose best sum of rewards
            is not attained by a policy that reaches the goal.
    """
    model = as_tabular(model)
    criterion = model.criterion
    x = Fractions(model, snap, isinstance(criterion, AverageReward))
    if isinstance(criterion, FiniteHorizon):
        return _pack_stages(x, criterion.H, None, None)
    if isinstance(criterion, ShortestPath):
        v, q, ties, pi, step = _to_goal(x, criterion.goal, _start_to(x, model, criterion.goal))
        return _pack(x, v, q, ties, pi, None, step)
    if isinstance(criterion, AverageReward):
        require_one_gain(model)
    pi = np.array(api.plan(model).pi)
    step, gain = 0, None
    while True:
        step += 1
        if isinstance(criterion, Discounted):
            v = _discounted_values(x, pi)
        else:
            pi, ref = _mend(x, pi)
            gain, v = _gain_bias(x, pi, ref)
        q = x.backup(v)
        _, ties = x.best(q)
        better = _improved(pi, ties)
        if (better == pi).all():
            return _pack(x, v, q, ties, np.argmax(ties, axis=1), gain, step)
        pi = better


def exact_evaluate(model: Any, pi: ArrayLike, *, snap: int | None = None) -> ExactPlan:
    """Exact values of a policy.

    Args:
        model: any criterion; with average reward the policy needs one recurrent class, the model nothing.
        pi: integers (S,) or (H,S), or probabilities (S,A) or (H,S,A). Probabilities are read as P is: as given,
            divided by their exact sum with average reward, snapped with `snap`.

    `unique` tells where one action attains max_a Q of this policy; `bias_unique` is about the policy's own equation
    and always True.

    Raises:
        InputError: python-flint missing; a policy of a wrong shape or entry; several recurrent classes with average
            reward, or a policy that may miss the goal (states named); an entry that does not snap.
    """
    model = as_tabular(model)
    criterion = model.criterion
    policy = checked_policy(model, pi)
    x = Fractions(model, snap, isinstance(criterion, AverageReward))
    table = policy
    if policy.dtype.kind == "f":
        table = np.empty(policy.shape, dtype=object)
        for index in np.ndindex(*policy.shape[:-1]):
            table[index] = x.read.law(policy[index].tolist(), "pi", index, x.normalise)
    if isinstance(criterion, FiniteHorizon):
        return _pack_stages(x, criterion.H, policy.copy(), list(table))
    gain = None
    if isinstance(criterion, Discounted):
        v = _discounted_values(x, table)
    elif isinstance(criterion, ShortestPath):
        v = _proper_values(x, table, criterion.goal, lambda c: _improper(criterion.goal, c))
    else:
        classes = _closed(x.chain(table)[2])
        if len(classes) > 1:
            raise InputError(
                f"the policy is multichain: its recurrent classes are {' and '.join(_shown(c) for c in classes[:3])}, "
                "so its gain is not one number; give a policy with one recurrent class"
            )
        gain, v = _gain_bias(x, table, int(classes[0][0]))
    q = x.backup(v)
    if isinstance(criterion, ShortestPath):
        q[criterion.goal * x.A : (criterion.goal + 1) * x.A] = [x.flint.fmpq(0)] * x.A
    out = _pack(x, v, q, x.best(q)[1], policy.copy(), gain, 1)
    return out if gain is None else replace(out, bias_unique=True)


def _improper(goal: int, stays: Ints) -> str:
    return (
        f"the policy may miss the goal {goal}: it can stay in states {_shown(stays)} for ever; give a policy that "
        "reaches the goal from every state"
    )


def exact_hitting_times(model: Any, goal: int, *, snap: int | None = None) -> Rationals:
    """Minimal expected numbers of steps from each state to `goal`: Fractions (S,), 0 at the goal, any criterion.

    Raises:
        InputError: a goal that is no state, a state that cannot reach it, stages, or an entry that does not snap.
    """
    model = as_tabular(model)
    if isinstance(goal, bool) or not isinstance(goal, (int, np.integer)) or not 0 <= goal < model.S:
        raise InputError(f"goal is {goal!r}; give a state, an integer in 0..{model.S - 1}")
    model = as_stationary(model)
    x = Fractions(model, snap, True)
    x.r = [x.flint.fmpq(-1)] * (x.S * x.A)
    v = _to_goal(x, int(goal), _start_to(x, model, int(goal)))[0]
    return x.fractions([-y for y in v], x.S)


def exact_bias_span(model: Any, *, snap: int | None = None) -> Fraction:
    """max - min of the optimal bias, in units of reward, whatever the model's criterion.

    Raises:
        InputError: as `exact_plan`, or an optimality equation that was not proved to have one solution up to a
            constant: the span then depends on which one is meant.
    """
    result = exact_plan(as_stationary(model), snap=snap)
    assert result.bias is not None
    if not result.bias_unique:
        raise InputError(
            "the optimality equation may have several solutions, with different spans (optimal policies can stay in "
            "separate sets of states); take exact_plan(model).bias for one of them"
        )
    span: Fraction = max(result.bias) - min(result.bias)
    return span
