"""Phantom tic-tac-toe: stones that only their owner sees, `line` in a row win.

Players place stones in turn on R x C cells, cell (r,c) has number r C + c. `line` stones of a player in a row, column
or diagonal win 1 from the other; a full board without them is a draw, 0. A player that tries a cell held by the other
finds the stone and places none: in the "classical" game it tries again, in the "abrupt" one the turn passes. It never
tries a cell that it knows to be taken. A player knows its own tries and what they met; with observation "count" it
also hears how many the other made (the abrupt game tells that anyway).

The game of the literature has 3x3 cells and line 3: above 10^10 histories, no tree; its rules are
`PhantomTicTacToe(3, 3, line=3)`. Trees are built up to six cells: with the defaults, 2x3 cells and line 2, 1,175
decisions, 2,798 ends, 189 and 107 infosets, value 13/17 for player 0 [derived]. Source of the rules: OpenSpiel
(lanctot2019) [source: public code]; boards other than 3x3 are made here [derived].
"""

from __future__ import annotations

from dataclasses import dataclass

from mdps.games._board import Board, check
from theorylab.errors import InputError
from theorylab.family import Family, Published
from theorylab.games.form import ExtensiveForm
from theorylab.games.tree import game_tree
from theorylab.parameters import integer

__all__ = ["PhantomTicTacToe", "family"]

AXES = ((0, 1), (1, 0), (1, 1), (1, -1))


@dataclass(frozen=True)
class PhantomTicTacToe(Board):
    """A history of the game, at first the empty board.

    Attributes:
        rows, columns: of the board. variant: "abrupt" or "classical". observation: "own" or "count".
        line: stones that win.
        tries: (player, cell, whether the other's stone was there), in order.
        turn: whose turn it is. winner: 0 or 1, or -1 before the end and for a draw.
    """

    line: int = 3

    def won(self, stones: frozenset[int], cell: int, player: int) -> bool:
        """Whether `line` stones lie in a row through `cell`."""
        r, c = divmod(cell, self.columns)
        return any(1 + self._run(stones, r, c, x, y) + self._run(stones, r, c, -x, -y) >= self.line for x, y in AXES)

    def _run(self, stones: frozenset[int], r: int, c: int, x: int, y: int) -> int:
        """Stones that follow (r,c) in direction (x,y) without a gap."""
        n = 0
        while 0 <= r + x < self.rows and 0 <= c + y < self.columns and (r + x) * self.columns + c + y in stones:
            r, c, n = r + x, c + y, n + 1
        return n


def build(
    rows: int = 2, columns: int = 3, line: int = 2, variant: str = "abrupt", observation: str = "own"
) -> ExtensiveForm:
    """The tree of the "abrupt" or the "classical" game on at most six cells; line is at most the longer side."""
    what = "phantom-tic-tac-toe"
    check(what, rows, columns, 1, variant, observation, "mdps.games.phantom_tic_tac_toe.PhantomTicTacToe")
    stones = integer(what, "line", line, 2)
    if stones > max(rows, columns):
        raise InputError(f"{what}: line is {stones}; give at most the longer side, {max(rows, columns)}")
    heard = "-count" if observation == "count" else ""
    root = PhantomTicTacToe(rows, columns, variant, observation, line=stones)
    return game_tree(root, name=f"{what}-{variant}{heard}-{rows}x{columns}-{stones}")


def _published(variant: str, digest: str, nodes: str, infosets: str, value: str, uniform: str) -> Published:
    return Published(
        name=f"phantom-tic-tac-toe-{variant}-2x3",
        params={"variant": variant},
        digest=digest,
        known={
            "nodes": nodes,
            "infosets": infosets,
            "value": value,
            "uniform_value": uniform,
            "uniform_exploitability": "0.3333333333",
        },
        text=f"Two rows, three columns, two stones in a row, {variant}.",
    )


family = Family(
    name="phantom-tic-tac-toe",
    build=build,
    setting="game",
    cite="lanctot2019",
    source_tag="source",
    text="Phantom tic-tac-toe, abrupt or classical: stones that only their owner sees; zero-sum, with draws.",
    tags=("zero-sum",),
    published=(
        _published("abrupt", "8438dbd3605ea282", "3973", "296", "0.7647058824", "0.5501234568"),
        _published("classical", "949a4dc715733cb3", "4405", "226", "1", "0.5555555556"),
    ),
)
