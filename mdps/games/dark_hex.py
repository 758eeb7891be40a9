"""Dark Hex: Hex with stones that only their owner sees.

Cell (r,c) of a board with R rows and C columns has number r C + c and the neighbours (r,c-1), (r,c+1), (r-1,c),
(r-1,c+1), (r+1,c-1), (r+1,c). Player 0 wants a path of its stones from the first row to the last, player 1 from the
first column to the last; one of them gets it, and 1 from the other. A player that tries a cell held by the other
finds the stone and places none: in the "classical" game it tries again, in the "abrupt" one the turn passes. It never
tries a cell that it knows to be taken. In the abrupt game the own tries tell how many the other has made. In the
classical game they do not; with observation "count" the players hear it, as in OpenSpiel, whose information states
hold the number of tries. At 2x2 these are OpenSpiel's; on larger boards OpenSpiel drops what was heard at earlier
turns, here it is remembered, so that recall stays perfect.

    decisions, ends, infosets of both      abrupt 2x2: 237, 234, 59 and 35     classical 2x2: 225, 216, 17 and 53
    with "count" 33 and 101                abrupt 2x3: 74375, 75578, 4033 and 2725

Trees are built up to six cells; the rules, `DarkHex`, hold for any size. Source of the rules: OpenSpiel (lanctot2019)
[source: public code]; the abrupt game is that of sokota2023 [source]. Values of player 0: abrupt 2x2 1/2, abrupt 2 x
3 9/11, classical 2x2 1 [derived: linear program].
"""

from __future__ import annotations

from dataclasses import dataclass

from mdps.games._board import Board, check
from theorylab.family import Family, Published
from theorylab.games.form import ExtensiveForm
from theorylab.games.tree import game_tree

__all__ = ["DarkHex", "family"]

AROUND = ((0, -1), (0, 1), (-1, 0), (-1, 1), (1, -1), (1, 0))


@dataclass(frozen=True)
class DarkHex(Board):
    """A history of the game, at first the empty board.

    Attributes:
        rows, columns: of the board. variant: "abrupt" or "classical". observation: "own" or "count".
        tries: (player, cell, whether the other's stone was there), in order.
        turn: whose turn it is. winner: 0 or 1, or -1 before the end.
    """

    def won(self, stones: frozenset[int], cell: int, player: int) -> bool:
        """Whether the group of stones around `cell` joins the player's two sides."""
        group, todo = {cell}, [cell]
        while todo:
            r, c = divmod(todo.pop(), self.columns)
            for i, j in ((r + x, c + y) for x, y in AROUND):
                near = i * self.columns + j
                if 0 <= i < self.rows and 0 <= j < self.columns and near in stones and near not in group:
                    group.add(near)
                    todo.append(near)
        if player == 0:
            reached, last = {g // self.columns for g in group}, self.rows - 1
        else:
            reached, last = {g % self.columns for g in group}, self.columns - 1
        return 0 in reached and last in reached


def build(rows: int = 2, columns: int = 2, variant: str = "abrupt", observation: str = "own") -> ExtensiveForm:
    """The tree of the "abrupt" or the "classical" game on at most six cells, at least two rows and two columns."""
    check("dark-hex", rows, columns, 2, variant, observation, "mdps.games.dark_hex.DarkHex")
    heard = "-count" if observation == "count" else ""
    return game_tree(DarkHex(rows, columns, variant, observation), name=f"dark-hex-{variant}{heard}-{rows}x{columns}")


def _published(name: str, params: dict[str, object], digest: str, known: dict[str, str], text: str) -> Published:
    return Published(name=f"dark-hex-{name}", params=params, digest=digest, known=known, text=text)


family = Family(
    name="dark-hex",
    build=build,
    setting="game",
    cite="lanctot2019",
    source_tag="source",
    text="Dark Hex, abrupt or classical: Hex with stones that only their owner sees; zero-sum.",
    tags=("zero-sum",),
    published=(
        _published(
            "abrupt-2x2",
            {},
            "b9a34a8bea628760",
            {
                "nodes": "471",
                "infosets": "94",
                "value": "0.5",
                "uniform_value": "0.4583333333",
                "uniform_exploitability": "0.4166666667",
            },
            "Abrupt: a met stone ends the turn.",
        ),
        _published(
            "classical-2x2",
            {"variant": "classical"},
            "bcd4eab017c12478",
            {"nodes": "441", "infosets": "70", "value": "1", "uniform_value": "0", "uniform_exploitability": "0.625"},
            "Classical: after a met stone the same player tries again, unheard.",
        ),
        _published(
            "count-2x2",
            {"variant": "classical", "observation": "count"},
            "97b8367e853e1194",
            {"nodes": "441", "infosets": "134", "value": "1", "uniform_value": "0", "uniform_exploitability": "0.625"},
            "Classical, the number of tries is heard: OpenSpiel's information states.",
        ),
        _published(
            "abrupt-2x3",
            {"columns": 3},
            "65a9d2164372bbff",
            {
                "nodes": "149953",
                "infosets": "6758",
                "value": "0.8181818182",
                "uniform_value": "0.7238888889",
                "uniform_exploitability": "0.3902777778",
            },
            "Abrupt, two rows and three columns.",
        ),
    ),
)
