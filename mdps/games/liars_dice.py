"""Liar's Dice with one die each.

Both roll a die of n sides, unseen by the other. In turn the players bid "quantity x face", later in the list 1x1,
..., 1xn, 2x1, ..., 2xn than the last bid, or call it a lie. Face n is wild, it counts for every face. The caller wins
1 if fewer dice than the bid's quantity show its face, else the bidder. The tree has n^2 4^n decisions, n^2 (4^n - 1)
ends, 1 + n chance nodes and n 2^(2n-1) infosets of each player. Rules of OpenSpiel (lanctot2019) [source: public
code]. Values of player 0 for 2 to 6 sides, exact: 1/2, 1/9, 1/16, 1/125, -7/258 [derived: linear program].
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from mdps.games._rules import Rules, zero_sum
from theorylab.family import Family, Published
from theorylab.games.form import CHANCE, TERMINAL, ExtensiveForm
from theorylab.games.tree import game_tree
from theorylab.parameters import integer

__all__ = ["LiarsDice", "family"]

LIAR = "liar"


@dataclass(frozen=True)
class LiarsDice(Rules):
    """A history.

    Attributes:
        sides: n. dice: the faces rolled, 1..n, of player 0 and then of player 1.
        bids: places in the list of bids, from 0. called: whether the last was called a lie.
    """

    sides: int = 4
    dice: tuple[int, ...] = ()
    bids: tuple[int, ...] = ()
    called: bool = False

    def mover(self) -> int:
        """0, 1, CHANCE or TERMINAL."""
        if len(self.dice) < 2:
            return CHANCE
        return TERMINAL if self.called else len(self.bids) % 2

    def moves(self) -> tuple[int | str, ...]:
        """Faces at a roll; else the later bids, and "liar" after the first."""
        if len(self.dice) < 2:
            return tuple(range(1, self.sides + 1))
        if not self.bids:
            return tuple(range(2 * self.sides))
        return (*range(self.bids[-1] + 1, 2 * self.sides), LIAR)

    def child(self, move: Any) -> LiarsDice:
        """The history after a roll or a move."""
        if isinstance(move, str):
            return replace(self, called=True)
        if len(self.dice) < 2:
            return replace(self, dice=(*self.dice, move))
        return replace(self, bids=(*self.bids, move))

    def infoset(self) -> str:
        """The own die and the bids."""
        bids = " ".join(f"{1 + b // self.sides}x{1 + b % self.sides}" for b in self.bids)
        return f"{self.dice[len(self.bids) % 2]} {bids}".rstrip()

    def payoffs(self) -> tuple[float, float]:
        """1 to the winner."""
        quantity, face = 1 + self.bids[-1] // self.sides, 1 + self.bids[-1] % self.sides
        true = sum(die in (face, self.sides) for die in self.dice) >= quantity
        bidder = (len(self.bids) - 1) % 2
        return zero_sum(1.0 if true == (bidder == 0) else -1.0)


def build(sides: int = 4) -> ExtensiveForm:
    """The tree for dice of 2 to 6 sides."""
    n = integer("liars-dice", "sides", sides, 2, 6)
    return game_tree(LiarsDice(n), name=f"liars-dice-{n}")


def _published(n: int, digest: str, value: str, uniform: str, exploitability: str) -> Published:
    sizes = {"nodes": str(n * n * (2 * 4**n - 1) + 1 + n), "infosets": str(n * 4**n)}
    known = {**sizes, "value": value, "uniform_value": uniform, "uniform_exploitability": exploitability}
    return Published(
        name=f"liars-dice-{n}-sides",
        params={"sides": n},
        digest=digest,
        known=known,
        text=f"Dice of {n} sides.",
    )


family = Family(
    name="liars-dice",
    build=build,
    setting="game",
    cite="lanctot2019",
    source_tag="source",
    text="Liar's Dice with one die of n sides each, the highest face wild; zero-sum.",
    tags=("zero-sum",),
    published=(
        _published(2, "9769944053b94fbc", "0.5", "0.125", "0.5625"),
        _published(3, "f60f75d9765ce668", "0.1111111111", "0.0185185185", "0.5555555556"),
        _published(4, "1cfd20fba97f9560", "0.0625", "-0.015625", "0.6550595238"),
        _published(5, "b983c004fe71c8ff", "0.008", "-0.028", "0.7208708995"),
        _published(6, "7aaad04940ebffd8", "-0.0271317829", "-0.0324074074", "0.7807443232"),
    ),
)
