"""The arrays that kernels on games read, and policies by sequence.

The sequences of both players stand in one row of Q entries: those of player 0 from 0 on, those of player 1 from
`second` on, each beginning with the empty one. The I infosets are those of player 0, fewer own moves first, then those
of player 1 (I0 of the first player). A policy *by sequence* has at each sequence the probability of its last action,
and 1 at the two empty ones.

    seq_first, seq_count, seq_before (I,)   an infoset's first sequence, number of actions, parent sequence
    pay_start (Q+1,), pay_column, pay       rows of [[0, U_0], [U_1^T, 0]] in CSR: times the realisation plans, the
                                            payoffs of leaves right after each sequence
    mass_start (I+1,), mass_column, mass    rows: times the realisation plans, an infoset's mass (see `values`)
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from theorylab.errors import InputError
from theorylab.games.form import PLAYERS, ExtensiveForm
from theorylab.games.matrix import MatrixGame
from theorylab.games.values import check_policy

__all__ = ["Layout", "as_tree", "by_infoset", "by_sequence", "layout"]

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True)
class Layout:
    """Sizes (`Q`, `I`, `I0`, `second`), the arrays of the module's text by name, and the infosets in their order."""

    sizes: dict[str, int]
    arrays: dict[str, Any]
    infosets: Ints


def as_tree(game: Any) -> ExtensiveForm:
    """The extensive form of a game; of a matrix game, `MatrixGame.extensive()`."""
    if isinstance(game, ExtensiveForm):
        return game
    if isinstance(game, MatrixGame):
        return _extensive(game)
    raise InputError(f"{type(game).__name__} is no game; give an ExtensiveForm or a MatrixGame")


@cache
def _extensive(game: MatrixGame) -> ExtensiveForm:
    return game.extensive()


@cache
def layout(game: ExtensiveForm) -> Layout:
    """The arrays of a game."""
    from scipy.sparse import block_array, csr_array

    sides = game.sequences
    second = sides[0].infoset.size
    shift = (0, second)
    first, count, before = (
        np.concatenate([x + move for x, move in zip(parts, moves, strict=True)])
        for parts, moves in (
            ([s.first for s in sides], shift),
            ([s.actions for s in sides], (0, 0)),
            ([s.parent for s in sides], shift),
        )
    )
    infosets = np.concatenate([s.infosets for s in sides])
    U, W = game.payoff_matrices
    pay = csr_array(block_array([[None, U], [W.T, None]], format="csr"))
    row = np.empty(game.infosets, dtype=np.int64)
    row[infosets] = np.arange(infosets.size)
    nodes = np.flatnonzero(game.mover >= 0)
    other = 1 - game.mover[nodes]
    column = game.sequence[other, nodes] + np.where(other == 1, second, 0)
    Q = second + sides[1].infoset.size
    mass = csr_array((game.chance_reach[nodes], (row[game.infoset[nodes]], column)), shape=(infosets.size, Q))
    for matrix in (pay, mass):
        matrix.sum_duplicates()
    arrays: dict[str, Any] = {"seq_first": first, "seq_count": count, "seq_before": before}
    for name, matrix in (("pay", pay), ("mass", mass)):
        arrays[f"{name}_start"] = matrix.indptr.astype(np.int64)
        arrays[f"{name}_column"] = matrix.indices.astype(np.int64)
        arrays[name] = matrix.data.astype(np.float64)
    sizes = {"Q": Q, "I": infosets.size, "I0": sides[0].infosets.size, "second": second, "A": game.A}
    return Layout(sizes, arrays, infosets)


def by_sequence(game: Any, policy: Any) -> Floats:
    """A policy (I,A), or (R,I,A), of a game as (Q,) or (R,Q): see the module's text. Raises InputError as `values`."""
    tree = as_tree(game)
    pi, single = check_policy(tree, policy)
    parts = []
    for p in PLAYERS:
        one = tree.sequences[p]
        parts += [np.ones((len(pi), 1)), pi[:, one.infoset[1:], one.action[1:]]]
    out: Floats = np.concatenate(parts, axis=1)
    return out[0] if single else out


def by_infoset(game: Any, policy: Any) -> Floats:
    """A policy by sequence, (Q,) or (R,Q), as (I,A) or (R,I,A)."""
    tree = as_tree(game)
    given = np.asarray(policy, dtype=np.float64)
    Q = layout(tree).sizes["Q"]
    if given.shape[-1:] != (Q,) or given.ndim not in (1, 2):
        raise InputError(f"policy has shape {given.shape}; expected ({Q},) or (R, {Q}), an entry a sequence")
    rows = given.reshape(-1, Q)
    out = np.zeros((len(rows), tree.infosets, tree.A))
    for p in PLAYERS:
        one = tree.sequences[p]
        start = layout(tree).sizes["second"] * p + 1
        out[:, one.infoset[1:], one.action[1:]] = rows[:, start : start + one.infoset.size - 1]
    return out[0] if given.ndim == 1 else out
