"""Tiny Hanabi: two cards, two moves, one payoff for both.

Each player gets one of C cards, uniform and independent of the other's. Player 0 sees its card and takes one of A
actions, in public; player 1 sees its card and that action, and acts. Both get U[card 0, card 1, action 0, action 1].
Variants A to F: the six tables of OpenSpiel (lanctot2019), by Burch and Bard [source: public code]; E is the default
there.

Exact, by trying all ways of player 0 to map cards to actions: optima A 2.25, B 1, C 2.5, D 2.5, E 10, F 7/3; uniform
play is worth A 1.625, B .4375, C 1.5, D 1.3125, E 67/18, F 25/18.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from mdps.games._rules import Rules
from theorylab.family import Family, Published
from theorylab.games.form import CHANCE, TERMINAL, ExtensiveForm
from theorylab.games.tree import game_tree
from theorylab.parameters import choice

__all__ = ["TABLES", "TinyHanabi", "family", "optimum"]

#: payoffs by variant: card 0, card 1, action 0, action 1
TABLES: dict[str, Any] = {
    "A": ((((0, 1), (0, 0)), ((0, 1), (3, 2))), (((3, 3), (3, 2)), ((2, 0), (3, 3)))),
    "B": ((((1, 0), (1, 0)), ((0, 1), (0, 1))), (((0, 1), (0, 0)), ((1, 0), (1, 0)))),
    "C": ((((3, 0), (0, 3)), ((2, 0), (3, 3))), (((2, 2), (3, 0)), ((0, 1), (0, 2)))),
    "D": ((((3, 0), (1, 3)), ((3, 0), (3, 0))), (((3, 2), (0, 2)), ((0, 1), (0, 0)))),
    "E": (
        (((10, 0, 0), (4, 8, 4), (10, 0, 0)), ((0, 0, 10), (4, 8, 4), (0, 0, 10))),
        (((0, 0, 10), (4, 8, 4), (0, 0, 0)), ((10, 0, 0), (4, 8, 4), (10, 0, 0))),
    ),
    "F": (
        (((0, 3), (3, 2)), ((0, 0), (0, 1)), ((3, 1), (2, 1))),
        (((0, 2), (0, 1)), ((1, 2), (1, 2)), ((0, 1), (0, 3))),
        (((1, 3), (1, 2)), ((0, 3), (2, 2)), ((3, 1), (3, 0))),
    ),
}


@dataclass(frozen=True)
class TinyHanabi(Rules):
    """A history.

    Attributes:
        table: payoffs, nested tuples (C, C, A, A). cards: those dealt. actions: those taken.
    """

    table: Any
    cards: tuple[int, ...] = ()
    actions: tuple[int, ...] = ()

    def mover(self) -> int:
        """0, 1, CHANCE or TERMINAL."""
        if len(self.cards) < 2:
            return CHANCE
        return TERMINAL if len(self.actions) == 2 else len(self.actions)

    def moves(self) -> tuple[int, ...]:
        """Cards at a deal, else the actions."""
        return tuple(range(len(self.table) if len(self.cards) < 2 else len(self.table[0][0])))

    def child(self, move: Any) -> TinyHanabi:
        """The history after a deal or an action."""
        if len(self.cards) < 2:
            return replace(self, cards=(*self.cards, move))
        return replace(self, actions=(*self.actions, move))

    def infoset(self) -> str:
        """The own card; of player 1 also the action that it saw."""
        return " ".join(str(x) for x in (self.cards[len(self.actions)], *self.actions))

    def payoffs(self) -> tuple[float, float]:
        """The entry of the table, to both."""
        (c, d), (a, b) = self.cards, self.actions
        value = float(self.table[c][d][a][b])
        return value, value


def optimum(table: Any) -> float:
    """The best expected payoff: all maps of player 0 from cards to actions, the best answer of player 1 to each.

    `table`: (C, C, A, A). Takes A^C times C^2 A steps.
    """
    C, A = len(table), len(table[0][0])
    best = max(
        sum(
            max(sum(table[c][d][a][b] for c in range(C) if plan[c] == a) for b in range(A))
            for d in range(C)
            for a in range(A)
        )
        for plan in product(range(A), repeat=C)
    )
    return float(best) / C**2


def build(variant: str = "E") -> ExtensiveForm:
    """The tree of variant A, B, C, D, E or F."""
    name = choice("tiny-hanabi", "variant", variant, TABLES)
    return game_tree(TinyHanabi(TABLES[name]), name=f"tiny-hanabi-{name.lower()}")


def _published(variant: str, digest: str, optimum: str, uniform: str) -> Published:
    C, A = len(TABLES[variant]), len(TABLES[variant][0][0])
    return Published(
        name=f"tiny-hanabi-{variant}",
        params={"variant": variant},
        digest=digest,
        known={
            "nodes": str(C * C * (1 + A + A * A) + 1 + C),
            "infosets": str(C * (1 + A)),
            "optimum": optimum,
            "uniform_value": uniform,
        },
        text=f"{C} cards, {A} actions.",
    )


family = Family(
    name="tiny-hanabi",
    build=build,
    setting="game",
    cite="lanctot2019",
    source_tag="source",
    text="Tiny Hanabi A to F: one card and one action each, the first action in public; common payoff.",
    tags=("common-payoff",),
    published=(
        _published("A", "668f8d9b7ba7e6b0", "2.25", "1.625"),
        _published("B", "fc71e76f26ab1a7b", "1", "0.4375"),
        _published("C", "ad2e0020f8cdbaf4", "2.5", "1.5"),
        _published("D", "c4b69e4da39ba230", "2.5", "1.3125"),
        _published("E", "859ace4af3babf1d", "10", "3.7222222222"),
        _published("F", "60015337609090db", "2.3333333333", "1.3888888889"),
    ),
)
