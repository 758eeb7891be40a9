"""The graph of a model: recurrent classes, end components, and whether a model is weakly communicating.

A model is weakly communicating when one closed set of states communicates (each state reachable from each other under
some policy) and every other state is transient under every policy; then the optimal gain is one number (Puterman,
1994, section 8.3 and theorem 8.3.2) [recalled]. An end component is a set of states with actions under which the
states communicate and are never left (de Alfaro, Formal verification of probabilistic systems, 1997) [recalled]. All
is decided exactly, from which probabilities are positive.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order, connected_components

from theorylab.assume import reachability
from theorylab.errors import InputError
from theorylab.model import TabularMDP

__all__ = [
    "closed_classes",
    "distances",
    "end_components",
    "nearest_policy",
    "pattern",
    "period",
    "require_communicating",
    "require_one_gain",
    "require_unichain",
]

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


def pattern(model: TabularMDP) -> Any:
    """CSR (S*A,S), or (H*S*A,S) with stages, of P with one stored entry for each successor that can occur."""
    return model.P if model.sparse else csr_array(model.P.reshape(-1, model.S))


def closed_classes(graph: Any) -> list[Ints]:
    """The closed strongly connected components of an adjacency (S,S): for a policy's chain, its recurrent classes."""
    count, label = connected_components(graph, directed=True, connection="strong")
    if count == 1:
        return [np.arange(graph.shape[0])]
    arcs = graph.tocoo()
    leaving = label[arcs.row] != label[arcs.col]
    is_open = np.zeros(count, dtype=bool)
    is_open[label[arcs.row[leaving]]] = True
    return [np.flatnonzero(label == c) for c in range(count) if not is_open[c]]


def distances(graph: Any, targets: Ints) -> Ints:
    """Fewest arcs from each state to `targets`; -1 where they cannot be reached."""
    S = graph.shape[0]
    back = graph.T.tocsr()
    # one extra node with an arc to every target turns a set of targets into one source
    wide = csr_array(
        (
            np.ones(back.indices.size + targets.size),
            np.concatenate([back.indices, targets]),
            np.append(back.indptr, back.indices.size + targets.size),
        ),
        shape=(S + 1, S + 1),
    )
    order, before = breadth_first_order(wide, S, return_predecessors=True)
    place = np.empty(S + 1, dtype=np.int64)
    place[order] = np.arange(order.size)
    parent = place[before[order[1:]]]  # ascending, so that the layers are found by bisection
    out = np.full(S, -1, dtype=np.int64)
    begin, end, step = 1, 1 + int(np.searchsorted(parent, 1)), 0
    while begin < end:
        out[order[begin:end]] = step
        begin, end, step = end, 1 + int(np.searchsorted(parent, end)), step + 1
    return out


def nearest_policy(model: TabularMDP, layer: Ints) -> Ints:
    """From each state the first action that may come one arc nearer, int64 (S,); `layer` from `distances`.

    The targets must be reachable from every state; the policy then reaches them with probability 1.
    """
    rows = pattern(model)
    row = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
    nearer = np.zeros(rows.shape[0], dtype=bool)
    nearer[row[layer[rows.indices] < layer[row // model.A]]] = True
    first: Ints = np.argmax(nearer.reshape(model.S, model.A), axis=1).astype(np.int64)
    return first


def period(graph: Any, members: Ints) -> int:
    """The period of a closed class of a chain with adjacency `graph`."""
    part = graph[members][:, members].tocoo()
    layer = distances(part.T, np.array([0]))  # arcs from the first member to each
    return int(np.gcd.reduce(layer[part.row] + 1 - layer[part.col]))


def end_components(model: TabularMDP, inside: Bools) -> tuple[Ints, Bools]:
    """The maximal end components within the states `inside`.

    Returns:
        label: int64 (S,), the number of the component of each state, -1 where there is none.
        stays: bool (S,A), the actions that belong to it: all successors lie in the same component.
    """
    S, A = model.S, model.A
    rows = pattern(model)
    row = np.repeat(np.arange(S * A), np.diff(rows.indptr))
    label = np.where(inside, 0, -1)
    alive = np.repeat(inside, A)
    while alive.any():
        leaves = label[rows.indices] != label[row // A]
        alive[row[leaves]] = False
        alive &= np.repeat(label >= 0, A)
        kept = alive[row]
        graph = csr_array(
            (np.ones(int(kept.sum()), dtype=np.int32), (row[kept] // A, rows.indices[kept])), shape=(S, S)
        )
        _, parts = connected_components(graph, directed=True, connection="strong")
        parts = np.where(alive.reshape(S, A).any(axis=1), parts, -1)
        if (parts[row[kept] // A] == parts[rows.indices[kept]]).all():
            label = parts
            break
        label = parts
    if not alive.any():
        return np.full(S, -1, dtype=np.int64), np.zeros((S, A), dtype=bool)
    _, numbered = np.unique(label, return_inverse=True)
    return (numbered - int((label < 0).any())).astype(np.int64), alive.reshape(S, A)


def require_communicating(model: TabularMDP, what: str) -> None:
    """Refuse models in which some state cannot be reached from another.

    Raises:
        InputError: "`what`: state s cannot reach state g under any policy; use a communicating model".
    """
    graph = reachability(model)
    start = np.array([0])
    for forward in (False, True):
        layer = distances(graph.T if forward else graph, start)
        if (layer < 0).any():
            lost = int(np.argmin(layer))
            source, target = (0, lost) if forward else (lost, 0)
            raise InputError(
                f"{what}: state {source} cannot reach state {target} under any policy; use a communicating model"
            )


def _trap(model: TabularMDP, outside: Bools) -> Ints:
    """The states outside of the closed class in which some policy can stay for ever; empty if none."""
    return np.flatnonzero(end_components(model, outside)[0] >= 0)


def require_unichain(graph: Any) -> Ints:
    """The recurrent class of a policy, from the adjacency of its chain.

    Raises:
        InputError: several recurrent classes, named.
    """
    classes = closed_classes(graph)
    if len(classes) > 1:
        shown = " and ".join(str(c.tolist()[:8]).replace("]", ", ...]" if c.size > 8 else "]") for c in classes[:3])
        raise InputError(
            f"the policy is multichain: its recurrent classes are {shown}{' ...' if len(classes) > 3 else ''}, so its "
            "gain is not one number; give a policy with one recurrent class"
        )
    return classes[0]


def require_one_gain(model: TabularMDP) -> None:
    """Refuse models that are not weakly communicating, where the optimal gain may depend on the initial state.

    Raises:
        InputError: names two states of different closed classes, or a state outside of the closed class that a policy
            need not leave.
    """
    closed = closed_classes(reachability(model))
    if len(closed) > 1:
        raise InputError(
            f"the model is not weakly communicating: states {closed[0][0]} and {closed[1][0]} lie in closed classes "
            "that cannot reach each other, so the optimal gain need not be one number; "
            "give each class as a model of its own, use plan_multichain(model) of theorylab.plan.multichain for the "
            "gain of each state, or use FiniteHorizon(H) or Discounted(gamma)"
        )
    outside = np.ones(model.S, dtype=bool)
    outside[closed[0]] = False
    trap = _trap(model, outside)
    if trap.size:
        raise InputError(
            f"the model is not weakly communicating: state {closed[0][0]} cannot reach state {trap[0]}, where a policy "
            "can stay for ever, so the optimal gain need not be one number; "
            "remove that state, use plan_multichain(model) of theorylab.plan.multichain for the gain of each state, or "
            "use FiniteHorizon(H) or Discounted(gamma)"
        )
