"""The least expected time to collect a sample when p is known, exactly, by dynamic programming: for toy cases.

Over (s, rho), rho what is left of the requirement after the visits so far,

    V(s, 0) = 0,    V(s, rho) = min_a 1 + sum_s' p(s' | s, a) V(s', rho - (s,a)),

where rho - (s,a) takes a visit off (s,a), and off s with any action, if either is still asked for [derived]. A visit
that takes something off leads to a smaller rho, any other one leaves rho as it is: in ascending order each rho is a
shortest-path problem over the states, whose exits cost 1 + sum p V at smaller rho. It is solved by policy iteration
from a policy that reaches an exit surely, with linear solves: in doubles, or in fractions (python-flint).

The number of rho is prod (b + 1) over the entries of b: toy cases only. The bounds of `mdps.collection.bounds` are at
most this optimum, and every algorithm takes at least as long: known-p greedy too, which does not plan the order of the
open states.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mdps.collection.requirements import Requirement, requirement
from theorylab.assume import reachability
from theorylab.errors import InputError
from theorylab.lemma_fields import FLOATS, RATIONALS, Field
from theorylab.model import TabularMDP
from theorylab.plan.inputs import as_stationary
from theorylab.plan.rational import Fractions
from theorylab.plan.structure import distances

__all__ = ["LARGEST", "OptimalTime", "optimal_time", "values"]

Array = NDArray[Any]
Ints = NDArray[np.int64]

LARGEST = 100_000  # states times what may be left
TIE = 1e-12  # in doubles an action is changed for one that is better by this factor


@dataclass(frozen=True, eq=False)
class OptimalTime:
    """The optimum, in steps.

    Attributes:
        value: expected steps from mu0 to completion; a Fraction where exact, else a float.
        V: (b_1 + 1, ..., b_m + 1, S), the same from every state for all that may be left of the m entries asked for;
            NaN (None where exact) at states that cannot be met.
        policy: int64, the same shape: an optimal action; 0 where nothing is left, -1 at states that cannot be met.
        entries: the m axes of V in order: (s, a), then (s, None) for visits of s with any action.
        requirement: what was asked for.
    """

    value: Any
    V: Array
    policy: Ints
    entries: tuple[tuple[int, int | None], ...]
    requirement: Requirement

    def _index(self, s: int, pairs: ArrayLike | None, states: ArrayLike | None) -> tuple[int, ...]:
        left = self.requirement.pairs if pairs is None else np.asarray(pairs)
        visits = self.requirement.states if states is None else np.asarray(states)
        found = [int(visits[x]) if a is None else int(left[x, a]) for x, a in self.entries]
        for (x, a), n, most in zip(self.entries, found, self.V.shape, strict=False):
            if not 0 <= n < most:
                where = f"state {x}" if a is None else f"pair ({x}, {a})"
                raise InputError(f"{n} samples left of {where}; give 0 to {most - 1}, what was asked for")
        return (*found, s)

    def value_of(self, s: int, pairs: ArrayLike | None = None, states: ArrayLike | None = None) -> Any:
        """Least expected steps from state s when `pairs` (S,A) and `states` (S,) are left; by default all."""
        return self.V[self._index(s, pairs, states)]

    def action(self, s: int, pairs: ArrayLike | None = None, states: ArrayLike | None = None) -> int:
        """An optimal action there."""
        return int(self.policy[self._index(s, pairs, states)])


def optimal_time(
    model: Any, b: ArrayLike | Requirement, *, exact: bool = False, snap: int | None = None
) -> OptimalTime:
    """The optimum for an agent that knows p (module docstring).

    Args:
        model: stationary transitions, any criterion; the graph and mu0 are used.
        b: (S,A), or a `Requirement`.
        exact: in fractions: P and mu0 as given, each row divided by its exact sum.
        snap: with `exact`, entries of P and mu0 are the nearest fractions with denominators up to this (.35 is 7/20).

    In doubles: about a millisecond for each rho at S = 5, no certificate (use `exact` to decide equality).

    Raises:
        InputError: a requirement that `requirement` refuses, so one that cannot be met; a table of more than 100,000
            values (its size is named); `snap` without `exact`; python-flint missing, or an entry that does not snap.
    """
    model, asked = as_stationary(model), requirement(model, b)
    if snap is not None and not exact:
        raise InputError(f"snap={snap} is for exact answers; give exact=True as well")
    met = np.flatnonzero(distances(reachability(model).T, np.flatnonzero(model.mu0)) >= 0)
    entries = [(int(s), int(a)) for s, a in np.argwhere(asked.pairs)]
    entries += [(int(s), None) for s in np.flatnonzero(asked.states)]  # type: ignore[misc]
    shape = tuple(int(asked.states[s] if a is None else asked.pairs[s, a]) + 1 for s, a in entries)
    size = met.size * math.prod(shape)
    if size > LARGEST:
        raise InputError(
            f"the table has {met.size} states times {math.prod(shape)} requirements left, {size} values, more than "
            f"{LARGEST}; ask for less, or use lower_bound(model, b) of mdps.collection.bounds"
        )
    f, P, start = _numbers(model, met, exact, snap)
    V, policy = values(P, asked.pairs[met], asked.states[met], f)
    value = start @ V[(-1,) * len(shape)]
    every: Array = np.full((*shape, model.S), None if exact else np.nan, dtype=object if exact else float)
    every[..., met] = np.frompyfunc(_fraction, 1, 1)(V) if exact else V
    actions = np.full((*shape, model.S), -1, dtype=np.int64)
    actions[..., met] = policy
    for array in (every, actions):
        array.flags.writeable = False
    return OptimalTime(_fraction(value) if exact else float(value), every, actions, tuple(entries), asked)


def _fraction(x: Any) -> Fraction:
    return Fraction(int(x.p), int(x.q))


def _numbers(model: TabularMDP, met: Ints, exact: bool, snap: int | None) -> tuple[Field, Array, Array]:
    """The field, P (n,A,n) and mu0 (n,) in it, on the states that can be met; no row leads out of them."""
    S, A = model.S, model.A
    if not exact:
        P, start = model.dense()[met][:, :, met], model.mu0[met]
        return FLOATS, P / P.sum(axis=2, keepdims=True), start / start.sum()
    read = Fractions(model, snap, True)
    rows = RATIONALS.array([x for row in read.rows[0] for x in row]).reshape(S, A, S)
    start = RATIONALS.array(read.read.law(model.mu0.tolist(), "mu0", (), True))
    return RATIONALS, rows[met][:, :, met], start[met]


def values(P: Array, pairs: Ints, states: Ints, f: Field) -> tuple[Array, Ints]:
    """V and the policy (see `OptimalTime`) of P (S,A,S) in a field of `theorylab.lemma_fields`.

    Every state must lead to every state with a requirement; `optimal_time` checks that, this function does not.
    """
    S, A = pairs.shape
    wanted, visited = np.argwhere(pairs), np.flatnonzero(states)
    shape = (*(int(n) + 1 for n in pairs[pairs > 0]), *(int(n) + 1 for n in states[visited]))
    step = [math.prod(shape[i + 1 :]) for i in range(len(shape))]
    count = math.prod(shape)
    V = f.array([f.number(0)] * (count * S)).reshape(count, S)
    policy = np.zeros((count, S), dtype=np.int64)
    support = P > 0
    for k, left in enumerate(np.ndindex(shape)):
        taken = np.zeros((S, A), dtype=np.int64)  # index of rho minus that of rho - (s,a)
        for i, (s, a) in enumerate(wanted):
            taken[s, a] += step[i] * (left[i] > 0)
        for i, s in enumerate(visited, start=len(wanted)):
            taken[s] += step[i] * (left[i] > 0)
        if k > 0:
            V[k], policy[k] = _shortest(P, support, V, k, taken, f)
    return V.reshape(*shape, S), policy.reshape(*shape, S)


def _shortest(P: Array, support: Array, V: Array, k: int, taken: Ints, f: Field) -> tuple[Array, Ints]:
    """The shortest-path problem of one rho."""
    S, A = taken.shape
    one, exits = f.number(1), taken > 0
    cost = f.array([one] * (S * A)).reshape(S, A)
    for s, a in np.argwhere(exits):
        cost[s, a] = one + P[s, a] @ V[k - taken[s, a]]
    stay = P.copy()
    stay[exits] = f.number(0)
    at, pi = np.arange(S), _towards(support, exits)
    while True:
        v = f.solve(f.eye(S) - stay[at, pi], cost[at, pi])
        q = cost + stay @ v
        best = np.argmin(q, axis=1)
        better = q[at, best] < (q[at, pi] if f.exact else q[at, pi] * (1 - TIE))
        if not better.any():
            return v, pi
        pi = np.where(better, best, pi)


def _towards(support: Array, exits: Array) -> Ints:
    """The first exit of each state that has one, elsewhere the first action that may come nearer to such a state."""
    pi: Ints = np.argmax(exits, axis=1)
    near = np.asarray(exits.any(axis=1))
    while not near.all():
        nearer = (support & near).any(axis=2) & ~near[:, None]
        pi = np.where(nearer.any(axis=1), np.argmax(nearer, axis=1), pi)
        near = near | nearer.any(axis=1)
    return pi
