"""Kuhn poker: three cards, one bet.

Cards 0 < 1 < 2. Each player puts in 1 and gets a card. Player 0 passes or bets 1; after a pass player 1 passes or
bets; after a bet the other folds ("pass") or calls ("bet"). A fold loses what is in, else the higher card wins: 1 or
2. Chance deals one card after the other: 24 decisions, 4 chance nodes, 30 ends, 6 infosets of each player. Source:
Kuhn (A simplified two-person poker, 1950) [recalled], moves in the order of OpenSpiel [source: public code].

Exact: the value of player 0 is -1/18; uniform play is worth 1/8 to it and is exploitable by 11/24.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from mdps.games._rules import Rules, zero_sum
from theorylab.family import Family, Published
from theorylab.games.form import CHANCE, TERMINAL, ExtensiveForm
from theorylab.games.tree import game_tree

__all__ = ["Kuhn", "family"]

ENDS = ("pp", "pbp", "pbb", "bp", "bb")


@dataclass(frozen=True)
class Kuhn(Rules):
    """A history.

    Attributes:
        cards: those dealt, to player 0 and then to player 1. bets: "p" a pass or fold, "b" a bet or call.
    """

    cards: tuple[int, ...] = ()
    bets: str = ""

    def mover(self) -> int:
        """0, 1, CHANCE or TERMINAL."""
        if len(self.cards) < 2:
            return CHANCE
        return TERMINAL if self.bets in ENDS else len(self.bets) % 2

    def moves(self) -> tuple[int, ...] | tuple[str, ...]:
        """Cards at a deal, else "p" and "b"."""
        if len(self.cards) < 2:
            return tuple(c for c in range(3) if c not in self.cards)
        return ("p", "b")

    def child(self, move: Any) -> Kuhn:
        """The history after a deal or a move."""
        if isinstance(move, str):
            return replace(self, bets=self.bets + move)
        return replace(self, cards=(*self.cards, move))

    def infoset(self) -> str:
        """The own card and the bets."""
        return f"{self.cards[len(self.bets) % 2]}{self.bets}"

    def payoffs(self) -> tuple[float, float]:
        """Won and lost at the end."""
        if self.bets in ("bp", "pbp"):
            return zero_sum(1.0 if self.bets == "bp" else -1.0)
        stake = 1.0 if self.bets == "pp" else 2.0
        return zero_sum(stake if self.cards[0] > self.cards[1] else -stake)


def build() -> ExtensiveForm:
    """The tree."""
    return game_tree(Kuhn(), name="kuhn")


family = Family(
    name="kuhn",
    build=build,
    setting="game",
    cite="kuhn1950",
    source_tag="recalled",
    text="Kuhn poker: three cards, one bet of 1; zero-sum, value -1/18 for the first player.",
    tags=("zero-sum",),
    published=(
        Published(
            name="kuhn-poker",
            params={},
            digest="42194c17f8b385c7",
            known={
                "nodes": "58",
                "infosets": "12",
                "value": "-0.0555555556",
                "uniform_value": "0.125",
                "uniform_exploitability": "0.4583333333",
            },
            text="Three cards, one bet.",
        ),
    ),
)
