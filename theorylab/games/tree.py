"""Game trees from rules: `game_tree(root)` visits every history once, breadth first, and returns the record."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Protocol

import numpy as np

from theorylab.errors import InputError
from theorylab.games.form import CHANCE, TERMINAL, ExtensiveForm

__all__ = ["GameState", "game_tree"]


class GameState(Protocol):
    """A history of a game, as its rules see it."""

    def mover(self) -> int:
        """0 or 1 where a player moves, -1 (`CHANCE`) or -2 (`TERMINAL`)."""

    def moves(self) -> Sequence[Hashable]:
        """The legal actions, or the outcomes of chance, in a fixed order."""

    def chance(self) -> Sequence[float]:
        """At a chance node: the probabilities of `moves()`."""

    def child(self, move: Hashable) -> GameState:
        """The history after a move."""

    def infoset(self) -> Hashable:
        """What the mover knows: equal for histories it cannot tell apart, own actions included (perfect recall)."""

    def payoffs(self) -> tuple[float, float]:
        """At the end: payoffs of both players."""


def game_tree(root: GameState, name: str = "", limit: int = 5_000_000) -> ExtensiveForm:
    """The extensive form of a game.

    Infosets are numbered in the order in which they are met; the infosets of the two players are apart even where
    their keys agree. `labels` are the keys as text, `moves` the actions of each infoset as text.

    Args:
        root: the empty history. limit: of nodes. name: of the game.

    Raises:
        InputError: more than `limit` nodes; an infoset whose histories have other moves, or the same in another order;
            and what `ExtensiveForm` refuses.
    """
    states: list[GameState | None] = [root]
    parent, action, chance = [-1], [-1], [1.0]
    mover: list[int] = []
    infoset: list[int] = []
    payoff: list[tuple[float, float]] = []
    known: dict[tuple[int, Hashable], int] = {}
    legal: list[tuple[Hashable, ...]] = []
    n = 0
    while n < len(states):
        state = states[n]
        assert state is not None
        states[n] = None  # a large tree would keep every history
        who = state.mover()
        mover.append(who)
        infoset.append(-1)
        payoff.append((0.0, 0.0))
        if who == TERMINAL:
            one, two = state.payoffs()
            payoff[n] = (float(one), float(two))
        else:
            moves = tuple(state.moves())
            if who >= 0:
                key = (who, state.infoset())
                if key not in known:
                    known[key] = len(legal)
                    legal.append(moves)
                elif legal[known[key]] != moves:
                    raise InputError(
                        f"infoset {key[1]!r} of player {who} has differing action sets: {legal[known[key]]} and "
                        f"{moves}; tell the infosets apart or list the same moves in the same order"
                    )
                infoset[n] = known[key]
            laws = list(state.chance()) if who == CHANCE else [1.0] * len(moves)
            if len(laws) != len(moves):
                raise InputError(f"node {n}: chance has {len(moves)} outcomes and {len(laws)} probabilities")
            if len(states) + len(moves) > limit:
                raise InputError(f"the tree has more than {limit} nodes; choose a smaller game or raise `limit`")
            for a, move in enumerate(moves):
                states.append(state.child(move))
                parent.append(n)
                action.append(a)
                chance.append(float(laws[a]))
        n += 1
    return ExtensiveForm(
        parent=np.array(parent),
        mover=np.array(mover),
        action=np.array(action),
        infoset=np.array(infoset),
        chance=np.array(chance),
        payoff=np.array(payoff),
        labels=tuple(_text(key) for _, key in known),
        moves=tuple(tuple(_text(m) for m in moves) for moves in legal),
        name=name,
    )


def _text(key: Hashable) -> str:
    return key if isinstance(key, str) else repr(key)
