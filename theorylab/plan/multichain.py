"""Average reward without assumptions on the model: the optimal gain of each initial state, certified.

Under any policy the recurrent classes lie in maximal end components, and within one every state can be reached from
every other. So the optimal gain is the best expected gain of the component where one settles (de Alfaro, 1997, theorem
on end components [recalled]; Puterman, 1994, section 9.2, solves the same equations by policy iteration):

1. each component is a communicating model of its own: gain g_k with a certified error e_k;
2. the quotient, where each component is one state with the actions "settle" (reward g_k, to the goal) and its leaving
   actions, and all other states keep theirs, is a shortest-path problem in which every policy reaches the goal;
3. gain[s] is the quotient's value; its error is that of the bracket of `bracket`, plus max e_k [derived].

The exact model is P with each row divided by its exact sum (see `certify`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, vstack

from theorylab.errors import InputError
from theorylab.model import RewardLaw, ShortestPath, TabularMDP
from theorylab.plan.bracket import average, bracket, lengthen, taken, ties
from theorylab.plan.certify import Rounding, U, dot_bound
from theorylab.plan.components import component_gain
from theorylab.plan.shortest_path import solve
from theorylab.plan.structure import distances, end_components, pattern

__all__ = ["MultichainPlan", "plan_multichain"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class MultichainPlan:
    """Optimal gains of a model with average reward.

    Attributes:
        gain: float64 (S,), the largest average reward per step from each state.
        pi: int64 (S,), a policy that attains them, up to ties.
        component: int64 (S,), the number of the maximal end component of each state, -1 for states in none.
        certified_error: a proved bound on max |gain - exact gain|, rounding included.
    """

    gain: Floats
    pi: Ints
    component: Ints
    certified_error: float

    def __post_init__(self) -> None:
        for array in (self.gain, self.pi, self.component):
            array.flags.writeable = False


def _quotient(model: TabularMDP, label: Ints, leaving: Ints, gains: list[float]) -> tuple[TabularMDP, Ints, Ints]:
    """Step 2: the model, the node of each state (S,), and the row s*A+a of each of its rows (nodes, actions).

    Nodes: components in order, then the states in none, then the goal. The row of "settle" is -1. Spare actions repeat
    the first one.
    """
    S, A, count = model.S, model.A, len(gains)
    free = np.flatnonzero(label < 0)
    node = label.copy()
    node[free] = count + np.arange(free.size)
    goal = count + free.size
    settle = np.full(count, -1)
    rows, owner = np.concatenate([settle, leaving]), np.concatenate([np.arange(count), node[leaving // A]])
    order = np.argsort(owner, kind="stable")
    rows, owner = rows[order], owner[order]
    first = np.searchsorted(owner, np.arange(goal))
    width = np.diff(np.append(first, owner.size))
    place = first[:, None] + np.where(np.arange(width.max()) < width[:, None], np.arange(width.max()), 0)
    table = np.vstack([rows[place], np.full((1, int(width.max())), -1)])
    merge = csr_array((np.ones(S), (np.arange(S), node)), shape=(S, goal + 1))
    goal_row = csr_array((np.ones(1), ([0], [goal])), shape=(1, goal + 1))
    laws = csr_array(vstack([csr_array(pattern(model) @ merge), goal_row]))
    reward = np.zeros(table.shape)
    reward[:count][table[:count] < 0] = np.repeat(gains, (table[:count] < 0).sum(axis=1))
    low, high = float(reward.min()), float(reward.max())
    quotient = TabularMDP(
        P=laws[np.where(table < 0, S * A, table).ravel()],
        r=reward,
        criterion=ShortestPath(goal),
        reward_law=RewardLaw("deterministic", low, high),
    )
    return quotient, node, table


def plan_multichain(model: TabularMDP) -> MultichainPlan:
    """Optimal gains from all states of a stationary model, dense or CSR; no assumption on its chains.

    Raises:
        InputError: stage-dependent transitions.
    """
    if model.stage_dependent:
        raise InputError(f"needs stationary transitions; P has shape {model.P.shape}: give P of shape (S, A, S)")
    S, A = model.S, model.A
    label, stays = end_components(model, np.ones(S, dtype=bool))
    parts = [np.flatnonzero(label == k) for k in range(int(label.max()) + 1)]
    pi = np.zeros(S, dtype=np.int64)
    gains, errors = [], []
    for members in parts:
        gain, error, actions = component_gain(model, members, stays[members])
        pi[members] = actions
        gains.append(gain)
        errors.append(error)
    if len(parts) == 1 and parts[0].size == S:
        return MultichainPlan(np.full(S, gains[0]), pi, label, errors[0])
    quotient, node, table = _quotient(model, label, np.flatnonzero(~stays.ravel()), gains)
    result = solve(quotient)
    bound = _error(model, quotient, result.V, result.Q, result.pi)
    chosen = table[np.arange(quotient.S), result.pi]
    for n, row in enumerate(chosen[:-1].tolist()):
        if row >= 0 and n < len(parts):
            pi[parts[n]] = _towards(model, parts[n], stays, row // A)
        if row >= 0:
            pi[row // A] = row % A
    return MultichainPlan(result.V[node], pi, label, (bound + max(errors)) * (1 + 4 * U))


def _error(model: TabularMDP, quotient: TabularMDP, V: Floats, Q: Floats, pi: Ints) -> float:
    """Step 3 for the quotient of the exact model: its float rows are off by the division and by the sums over nodes."""
    goal = quotient.S - 1
    rounding = Rounding.of(model)
    drift = rounding.defect + 2 * dot_bound(rounding.terms)
    v_max = float(np.abs(V).max())
    gap = V[:, None] - Q
    error = Rounding.of(quotient).entries(average(quotient, np.abs(V)), Q) + drift * v_max
    longer, W = lengthen(quotient, goal, pi, ties(V, gap, error)[0])
    if W is None:
        return float("inf")
    return bracket(quotient, goal, W, longer, taken(gap, longer), gap, error, defect=drift)


def _towards(model: TabularMDP, members: Ints, stays: NDArray[np.bool_], target: int) -> Ints:
    """Actions of a component that lead to one of its states for sure, int64 (n,)."""
    A = model.A
    rows = pattern(model)
    row = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
    kept = stays.ravel()[row] & np.isin(row // A, members)
    source, action, successor = row[kept] // A, row[kept] % A, rows.indices[kept]
    graph: Any = csr_array((np.ones(source.size, dtype=np.int32), (source, successor)), shape=(model.S, model.S))
    layer = distances(graph, np.array([target]))
    pi = np.zeros(model.S, dtype=np.int64)
    nearer = layer[successor] < layer[source]
    # written backwards, so that the lowest action stands
    pi[source[nearer][::-1]] = action[nearer][::-1]
    out: Ints = pi[members]
    return out
