"""Games of placing stones unseen: each player knows its own stones and those of the other that it ran into.

A player that tries a cell held by the other finds the stone and places none. In the "classical" game it then tries
again, in the "abrupt" one the turn passes. It never tries a cell that it knows to be taken.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, TypeVar

from mdps.games._rules import Rules, zero_sum
from theorylab.errors import InputError
from theorylab.games.form import TERMINAL
from theorylab.parameters import choice, integer

__all__ = ["OBSERVATIONS", "VARIANTS", "Board", "check"]

VARIANTS = ("abrupt", "classical")
OBSERVATIONS = ("own", "count")
CELLS = 6  # of the largest board whose tree is built
B = TypeVar("B", bound="Board")


@dataclass(frozen=True)
class Board(Rules):
    """A history; a game says by `won` when a stone has won.

    Attributes:
        rows, columns: cells are numbered row by row.
        variant: "abrupt" or "classical".
        observation: "own", own tries are all that a player sees; or "count", it also hears how many the other makes.
        tries: (player, cell, whether the other's stone was there), in order.
        turn: whose turn it is, 0 or 1.
        winner: 0 or 1, or -1 before the end and for a draw.
    """

    rows: int
    columns: int
    variant: str = "abrupt"
    observation: str = "own"
    tries: tuple[tuple[int, int, bool], ...] = ()
    turn: int = 0
    winner: int = -1

    def stones(self, player: int) -> frozenset[int]:
        """The cells that hold a stone of the player."""
        return frozenset(cell for who, cell, met in self.tries if who == player and not met)

    def won(self, stones: frozenset[int], cell: int, player: int) -> bool:
        """Whether the player wins by its last stone, at `cell`; `stones` holds it."""
        raise NotImplementedError

    def mover(self) -> int:
        """0, 1 or TERMINAL."""
        full = sum(not met for _, _, met in self.tries) == self.rows * self.columns
        return TERMINAL if full or self.winner >= 0 else self.turn

    def moves(self) -> tuple[int, ...]:
        """The cells that the player has not tried."""
        known = {cell for who, cell, _ in self.tries if who == self.turn}
        return tuple(c for c in range(self.rows * self.columns) if c not in known)

    def child(self: B, move: Any) -> B:
        """The history after trying a cell."""
        who = self.turn
        met = move in self.stones(1 - who)
        turn = who if met and self.variant == "classical" else 1 - who
        after = replace(self, tries=(*self.tries, (who, move, met)), turn=turn)
        if not met and self.won(after.stones(who), move, who):
            return replace(after, winner=who)
        return after

    def infoset(self) -> str:
        """The own tries in order, "!" where a stone was met; with "count" each after the number of tries before it."""
        mine = [(n, cell, met) for n, (who, cell, met) in enumerate(self.tries) if who == self.turn]
        if self.observation == "own":
            return " ".join(f"{cell}{'!' * met}" for _, cell, met in mine)
        return " ".join([*(f"{n}:{cell}{'!' * met}" for n, cell, met in mine), f"{len(self.tries)}:"])

    def payoffs(self) -> tuple[float, float]:
        """1 to the winner; 0 for a draw."""
        return zero_sum((1.0, -1.0)[self.winner] if self.winner >= 0 else 0.0)


def check(family: str, rows: int, columns: int, low: int, variant: str, observation: str, rules: str) -> None:
    """Refuse what is no board, or one whose tree is too large; `rules` names what can still be played there."""
    R = integer(family, "rows", rows, low)
    C = integer(family, "columns", columns, low)
    choice(family, "variant", variant, VARIANTS)
    choice(family, "observation", observation, OBSERVATIONS)
    if variant == "abrupt" and observation == "count":
        raise InputError(
            f"{family}: observation is 'count' with variant 'abrupt', where the own tries tell how many the other has; "
            "leave it out or give variant='classical'"
        )
    if R * C > CELLS:
        raise InputError(
            f"{family}: rows={R} and columns={C} make {R * C} cells; a tree is built for at most {CELLS} (at 3x3 it "
            f"has above 10^10 nodes); choose a smaller board, or play the rules {rules} by sampled search"
        )
