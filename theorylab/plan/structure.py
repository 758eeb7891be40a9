"""The graph of a model: recurrent classes of a policy, and whether a model is weakly communicating.

A model is weakly communicating when one closed set of states communicates (each state reachable from each other under
some policy) and every other state is transient under every policy; then the optimal gain is one number (Puterman,
1994, section 8.3 and theorem 8.3.2) [recalled]. Decided exactly, from which probabilities are positive.
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

__all__ = ["closed_classes", "distances", "require_one_gain"]

Ints = NDArray[np.int64]


def closed_classes(graph: Any) -> list[Ints]:
    """The closed strongly connected components of an adjacency (S,S): for a policy's chain, its recurrent classes."""
    count, label = connected_components(graph, directed=True, connection="strong")
    arcs = graph.tocoo()
    leaving = label[arcs.row] != label[arcs.col]
    is_open = np.zeros(count, dtype=bool)
    is_open[label[arcs.row[leaving]]] = True
    return [np.flatnonzero(label == c) for c in range(count) if not is_open[c]]


def distances(graph: Any, targets: Ints) -> Ints:
    """Fewest arcs from each state to `targets`; -1 where they cannot be reached."""
    S = graph.shape[0]
    back = graph.T.tocoo()
    # one extra node with an arc to every target turns a set of targets into one source
    rows = np.concatenate([back.row, np.full(targets.size, S)])
    cols = np.concatenate([back.col, targets])
    wide = csr_array((np.ones(rows.size, dtype=np.int8), (rows, cols)), shape=(S + 1, S + 1))
    order, before = breadth_first_order(wide, S, return_predecessors=True)
    out = np.full(S + 1, -1, dtype=np.int64)
    out[S] = 0
    for node in order[1:]:
        out[node] = out[before[node]] + 1
    return np.where(out[:S] > 0, out[:S] - 1, -1)


def _trap(model: TabularMDP, outside: NDArray[np.bool_]) -> Ints:
    """The states outside of the closed class in which some policy can stay for ever; empty if none."""
    succ, prob = model.rows()
    inside = outside.copy()
    while inside.any():
        stays = ((prob == 0) | inside[succ]).all(axis=1).reshape(model.S, model.A)
        keep = inside & stays.any(axis=1)
        if (keep == inside).all():
            break
        inside = keep
    return np.flatnonzero(inside)


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
            "give each class as a model of its own, or use FiniteHorizon(H) or Discounted(gamma)"
        )
    outside = np.ones(model.S, dtype=bool)
    outside[closed[0]] = False
    trap = _trap(model, outside)
    if trap.size:
        raise InputError(
            f"the model is not weakly communicating: state {closed[0][0]} cannot reach state {trap[0]}, where a policy "
            "can stay for ever, so the optimal gain need not be one number; "
            "remove that state, or use FiniteHorizon(H) or Discounted(gamma)"
        )
