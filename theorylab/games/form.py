"""Extensive-form games of two players with perfect recall, as topologically sorted arrays.

A game is a tree of N nodes, parents before children. A node is a decision of player 0 or 1, a chance node or terminal.
Nodes that a player cannot tell apart form an *infoset* (information set); I is the number of infosets of both players.

Sequence form: a *sequence* of a player is what it has played on the way to a node: nothing (sequence 0), or an infoset
of its own with an action taken there. The sequences of an infoset are consecutive, in the order of its actions. Perfect
recall says that all nodes of an infoset come after the same own sequence, its parent sequence. A *realisation plan* x
has x[0] = 1 and, at each infoset, sum_a x[(i,a)] = x[parent of i]; x[(i,a)] / x[parent of i] is the behavioural
probability of a. With U_i[q0,q1] the payoffs of player i, each times the probability of chance on the way, summed over
the terminal nodes with these sequences, the expected payoff is x^T U_i y.

Definitions: von Stengel (Efficient computation of behavior strategies, 1996) [recalled].
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from theorylab.errors import InputError
from theorylab.validate import SUM_TOLERANCE, check_name, digest_of, floats, freeze

__all__ = ["CHANCE", "PLAYERS", "TERMINAL", "ExtensiveForm", "Sequences"]

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]

#: values of `mover` besides the players 0 and 1
CHANCE, TERMINAL = -1, -2
PLAYERS = (0, 1)


class Sequences(NamedTuple):
    """The sequences of one player: n of them, 0 the empty one; m infosets, parents before children.

    Attributes:
        infosets: (m,) infosets of the player, those reached by fewer own moves first.
        first: (m,) the first sequence of each.
        actions: (m,) its number of actions.
        parent: (m,) the sequence before it.
        depth: (m,) own moves before it.
        infoset, action: (n,) of each sequence; -1 for the empty one.
    """

    infosets: Ints
    first: Ints
    actions: Ints
    parent: Ints
    depth: Ints
    infoset: Ints
    action: Ints


def _integers(x: Any, what: str, size: int | None = None) -> Ints:
    array = np.asarray(x)
    if array.ndim != 1 or array.dtype.kind not in "iu" or (size is not None and array.size != size):
        shape = "(N,)" if size is None else f"({size},)"
        raise InputError(f"{what} has shape {array.shape} and dtype {array.dtype}; give integers of shape {shape}")
    out: Ints = array.astype(np.int64)
    freeze(out)
    return out


def _where(bad: NDArray[np.bool_]) -> int:
    return int(np.argmax(bad))


@dataclass(frozen=True, eq=False)
class ExtensiveForm:
    """A two-player game in extensive form with perfect recall.

    Attributes:
        parent: int64 (N,), the node before; parent[0] = -1, parent[n] < n.
        mover: int64 (N,), 0 or 1 at decisions, CHANCE = -1, TERMINAL = -2.
        action: int64 (N,), which of its parent's edges leads to the node, from 0; -1 for the root.
        infoset: int64 (N,), at decisions, from 0; -1 elsewhere.
        chance: float64 (N,), probability of the edge to the node where its parent is a chance node; 1 elsewhere.
        payoff: float64 (N,2), payoffs of both players at terminal nodes, reward units; 0 elsewhere.
        labels: names of the infosets, or none; not part of the digest.
        moves: names of the actions of each infoset, or none; not part of the digest.
        name: for labels only; not part of the digest.

    Arrays are private copies, read-only.

    Raises:
        InputError: an entry that does not fit, by name; chance probabilities that do not sum to one; an infoset whose
            nodes belong to both players or differ in their actions; imperfect recall (two nodes of an infoset with
            different own sequences).
    """

    parent: Ints
    mover: Ints
    action: Ints
    infoset: Ints
    chance: Floats
    payoff: Floats
    labels: tuple[str, ...] = ()
    moves: tuple[tuple[str, ...], ...] = ()
    name: str = ""

    def __post_init__(self) -> None:
        check_name(self.name)
        parent = _integers(self.parent, "parent")
        N = parent.size
        arrays: dict[str, Any] = {"parent": parent}
        for key in ("mover", "action", "infoset"):
            arrays[key] = _integers(getattr(self, key), key, N)
        for key, shape in (("chance", (N,)), ("payoff", (N, 2))):
            arrays[key] = floats(getattr(self, key), key)
            if arrays[key].shape != shape:
                raise InputError(f"{key} has shape {arrays[key].shape}; expected {shape}, an entry a node")
            if not np.isfinite(arrays[key]).all():
                n = int(np.argwhere(~np.isfinite(arrays[key]))[0][0])
                raise InputError(f"{key}[{n}]={arrays[key][n]} is not finite; give numbers")
            freeze(arrays[key])
        for key, value in arrays.items():
            object.__setattr__(self, key, value)
        self._check_tree()
        self._check_chance()
        self._check_infosets()
        self._check_recall()
        for key, size in (("labels", self.infosets), ("moves", self.infosets)):
            if getattr(self, key) and len(getattr(self, key)) != size:
                raise InputError(f"{key} has {len(getattr(self, key))} entries; the game has {size} infosets")

    # what is refused

    def _check_tree(self) -> None:
        parent, mover, action = self.parent, self.mover, self.action
        if parent.size == 0 or parent[0] != -1 or action[0] != -1:
            raise InputError("node 0 must be the root: parent[0] = -1 and action[0] = -1")
        bad = (parent[1:] < 0) | (parent[1:] >= np.arange(1, parent.size))
        if bad.any():
            n = _where(bad) + 1
            raise InputError(f"parent[{n}]={parent[n]}: a parent comes before its child; number the nodes so")
        bad = (mover < TERMINAL) | (mover > 1)
        if bad.any():
            n = _where(bad)
            raise InputError(f"mover[{n}]={mover[n]} is none of 0, 1, -1 (chance) and -2 (terminal)")
        size = np.bincount(parent[1:], minlength=parent.size)
        bad = (mover == TERMINAL) != (size == 0)
        if bad.any():
            n = _where(bad)
            what = f"is terminal and has {size[n]} children" if size[n] else "is not terminal and has no child"
            raise InputError(f"node {n} {what}; mend mover or parent")
        # the edges of a node are 0 .. size-1, each once
        order = np.lexsort((action[1:], parent[1:])) + 1
        start = np.cumsum(size) - size
        bad = action[order] != np.arange(order.size) - start[parent[order]]
        if bad.any():
            n = int(parent[order[_where(bad)]])
            raise InputError(f"the actions at the children of node {n} are not 0..{size[n] - 1}, each once")
        bad = (mover != TERMINAL) & (self.payoff != 0.0).any(axis=1)
        if bad.any():
            raise InputError(f"payoff[{_where(bad)}] is not 0 at a node that is not terminal; put it at the leaves")
        object.__setattr__(self, "_size", size)

    def _check_chance(self) -> None:
        chance, parent = self.chance, self.parent
        drawn = np.zeros(parent.size, dtype=bool)
        drawn[1:] = self.mover[parent[1:]] == CHANCE
        bad = ~drawn & (chance != 1.0)
        if bad.any():
            n = _where(bad)
            raise InputError(f"chance[{n}]={chance[n]}, but chance does not move at its parent; put 1")
        bad = drawn & ((chance < 0.0) | (chance > 1.0))
        if bad.any():
            n = _where(bad)
            raise InputError(f"chance[{n}]={chance[n]} is no probability")
        total = np.bincount(parent[drawn], weights=chance[drawn], minlength=parent.size)
        bad = (self.mover == CHANCE) & (np.abs(total - 1.0) > SUM_TOLERANCE)
        if bad.any():
            n = _where(bad)
            raise InputError(f"the probabilities of chance at node {n} sum to {total[n]:.12g}, not to 1; mend them")

    def _check_infosets(self) -> None:
        infoset, mover = self.infoset, self.mover
        decision = mover >= 0
        bad = decision != (infoset >= 0)
        if bad.any():
            n = _where(bad)
            raise InputError(f"infoset[{n}]={infoset[n]} at a node with mover {mover[n]}; decisions alone have one")
        count = int(infoset.max()) + 1 if decision.any() else 0
        nodes = np.flatnonzero(decision)
        # the first node of each infoset speaks for it
        of, first = np.unique(infoset[nodes], return_index=True)
        if of.size != count:
            missing = int(np.setdiff1d(np.arange(count), of)[0])
            raise InputError(f"infoset {missing} has no node; number the infosets 0..{count - 1} without gaps")
        head = nodes[first][infoset[nodes]]
        bad = mover[nodes] != mover[head]
        if bad.any():
            i = _where(bad)
            raise InputError(f"infoset {infoset[nodes[i]]} belongs to both players: at nodes {head[i]} and {nodes[i]}")
        size = self.__dict__["_size"]
        bad = size[nodes] != size[head]
        if bad.any():
            i = _where(bad)
            raise InputError(
                f"infoset {infoset[nodes[i]]} has differing action sets: {size[head[i]]} actions at node {head[i]}, "
                f"{size[nodes[i]]} at node {nodes[i]}"
            )
        heads = nodes[first]
        for key, value in (("_player", mover[heads].copy()), ("_actions", size[heads].copy()), ("_heads", heads)):
            freeze(value)
            object.__setattr__(self, key, value)

    def _check_recall(self) -> None:
        """Own sequences of both players at every node, and that an infoset has one."""
        first = np.zeros(self.infosets, dtype=np.int64)
        for p in PLAYERS:
            mine = np.flatnonzero(self.infoset_player == p)
            first[mine] = 1 + np.cumsum(self.infoset_actions[mine]) - self.infoset_actions[mine]
        seq = np.zeros((2, self.parent.size), dtype=np.int64)
        for level in self.levels[1:]:
            before = self.parent[level]
            for p in PLAYERS:
                moved = self.mover[before] == p
                seq[p, level] = np.where(moved, first[self.infoset[before]] + self.action[level], seq[p, before])
        nodes = np.flatnonzero(self.mover >= 0)
        own = seq[self.mover[nodes], nodes]
        heads = self.__dict__["_heads"][self.infoset[nodes]]
        before = own[np.searchsorted(nodes, heads)]
        if (own != before).any():
            i = _where(own != before)
            head, name = heads[i], self.label(int(self.infoset[nodes[i]]))
            raise InputError(
                f"imperfect recall: at nodes {head} and {nodes[i]} of infoset {name} player {self.mover[nodes[i]]} has "
                "played differently before; tell infosets apart by the player's own actions"
            )
        for key, value in (("_first", first), ("_seq", seq)):
            freeze(value)
            object.__setattr__(self, key, value)

    # sizes and parts

    @property
    def N(self) -> int:
        """Number of nodes."""
        return int(self.parent.size)

    @property
    def infosets(self) -> int:
        """I, the number of infosets of both players."""
        return int(self.__dict__["_player"].size)

    @property
    def A(self) -> int:
        """The largest number of actions of an infoset."""
        return int(self.infoset_actions.max(initial=0))

    @property
    def setting(self) -> str:
        """ "game"."""
        return "game"

    @property
    def infoset_player(self) -> Ints:
        """(I,) whose infoset it is."""
        return self.__dict__["_player"]  # type: ignore[no-any-return]

    @property
    def infoset_actions(self) -> Ints:
        """(I,) numbers of actions."""
        return self.__dict__["_actions"]  # type: ignore[no-any-return]

    @property
    def sequence(self) -> Ints:
        """(2,N) the sequence of each player before a node."""
        return self.__dict__["_seq"]  # type: ignore[no-any-return]

    @cached_property
    def legal(self) -> NDArray[np.bool_]:
        """(I,A) which actions an infoset has."""
        out: NDArray[np.bool_] = np.arange(self.A) < self.infoset_actions[:, None]
        freeze(out)
        return out

    @cached_property
    def depth(self) -> Ints:
        """(N,) edges from the root."""
        out = np.zeros(self.N, dtype=np.int64)
        for level, nodes in enumerate(self.levels):
            out[nodes] = level
        freeze(out)
        return out

    @cached_property
    def levels(self) -> tuple[Ints, ...]:
        """Nodes by depth, each level in index order."""
        size = self.__dict__["_size"]
        children = np.argsort(self.parent[1:], kind="stable") + 1
        start = np.cumsum(size) - size
        out, level = [], np.zeros(1, dtype=np.int64)
        while level.size:
            out.append(level)
            total = size[level]
            place = np.arange(total.sum()) - np.repeat(np.cumsum(total) - total, total)
            level = np.sort(children[np.repeat(start[level], total) + place])
        return tuple(out)

    def label(self, infoset: int) -> str:
        """The name of an infoset, or its number."""
        return f"'{self.labels[infoset]}'" if self.labels else str(infoset)

    @cached_property
    def chance_reach(self) -> Floats:
        """(N,) probability that chance makes all of its moves on the way to a node."""
        out = np.ones(self.N)
        for level in self.levels[1:]:
            out[level] = out[self.parent[level]] * self.chance[level]
        freeze(out)
        return out

    @cached_property
    def sequences(self) -> tuple[Sequences, Sequences]:
        """The sequences of both players."""
        made = []
        for p in PLAYERS:
            mine = np.flatnonzero(self.infoset_player == p)
            first, count = self.__dict__["_first"][mine], self.infoset_actions[mine]
            parent = self.sequence[p, self.__dict__["_heads"][mine]]
            infoset = np.concatenate([[-1], np.repeat(mine, count)])
            action = np.concatenate([[-1], np.arange(count.sum()) - np.repeat(first - 1, count)])
            depth = np.zeros(mine.size, dtype=np.int64)
            before = np.searchsorted(mine, infoset[parent])
            below = parent > 0
            for _ in range(self.N):
                new = np.where(below, depth[np.where(below, before, 0)] + 1, 0)
                if (new == depth).all():
                    break
                depth = new
            order = np.argsort(depth, kind="stable")
            made.append(
                Sequences(mine[order], first[order], count[order], parent[order], depth[order], infoset, action)
            )
        return made[0], made[1]

    @cached_property
    def payoff_matrices(self) -> tuple[Any, Any]:
        """U_0, U_1: CSR (sequences of player 0, of player 1), payoffs weighted by chance, duplicates summed."""
        return self._matrix(self.payoff[:, 0]), self._matrix(self.payoff[:, 1])

    def _matrix(self, weight: Floats) -> Any:
        from scipy.sparse import csr_array

        leaves = np.flatnonzero(self.mover == TERMINAL)
        shape = tuple(s.infoset.size for s in self.sequences)
        entries = (weight * self.chance_reach)[leaves]
        out = csr_array((entries, (self.sequence[0, leaves], self.sequence[1, leaves])), shape=shape)
        out.sum_duplicates()
        return out

    @cached_property
    def zero_sum(self) -> bool:
        """Whether payoffs add up to 0 at every leaf, up to 1e-12 of the largest."""
        most = np.abs(self.payoff).max(initial=0.0)
        return bool((np.abs(self.payoff.sum(axis=1)) <= 1e-12 * most).all())

    @cached_property
    def common_payoff(self) -> bool:
        """Whether both players have the same payoff at every leaf, up to 1e-12 of the largest."""
        most = np.abs(self.payoff).max(initial=0.0)
        return bool((np.abs(self.payoff[:, 0] - self.payoff[:, 1]) <= 1e-12 * most).all())

    @cached_property
    def payoff_range(self) -> tuple[float, float]:
        """Smallest and largest payoff of player 0 at a leaf, reward units."""
        leaves = self.payoff[self.mover == TERMINAL, 0]
        return float(leaves.min()), float(leaves.max())

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) of the arrays; names do not enter."""
        keys = ("parent", "mover", "action", "infoset", "chance", "payoff")
        return digest_of({k: getattr(self, k) for k in keys})
