"""Goofspiel with hidden bids: n cards each, n prizes, the higher bid takes the prize.

Each player holds the cards 1..n. In each round a prize 1..n is shown, both bid a card at the same time, the higher
bid takes the prize and equal ones lose it; the cards are gone. The bids stay hidden: players see who won, not with
what. The prizes come in descending, ascending or random order. With payoff "win" the player with more points gets 1
from the other, 0 for equal points; with "difference", as much as it has more. The bids of a round are written one
after the other, player 1 not seeing that of player 0. The last cards are bid by themselves. Rules of OpenSpiel
(lanctot2019) [source: public code], where the payoff "point_difference" is half of "difference" here. The game is
symmetric: its value is 0. Three cards, fixed order: 31 decisions, 36 ends, 8 infosets each; random: 174, 28 chance
nodes, 216, 45; four cards, fixed order: 501, 576, 81.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from mdps.games._rules import Rules, zero_sum
from theorylab.family import Family, Published
from theorylab.games.form import CHANCE, TERMINAL, ExtensiveForm
from theorylab.games.tree import game_tree
from theorylab.parameters import choice, integer

__all__ = ["Goofspiel", "family"]

ORDERS = ("descending", "ascending", "random")
PAYOFFS = ("win", "difference")


@dataclass(frozen=True)
class Goofspiel(Rules):
    """A history.

    Attributes:
        cards: n. order: of the prizes: "descending", "ascending" or "random". payoff: "win" or "difference".
        prizes: those that chance has shown; none for a fixed order.
        bids: of player 0 and of player 1, who is one bid behind where it is to bid.
    """

    cards: int = 3
    order: str = "descending"
    payoff: str = "win"
    prizes: tuple[int, ...] = ()
    bids: tuple[tuple[int, ...], tuple[int, ...]] = ((), ())

    def shown(self) -> tuple[int, ...]:
        """The prizes up to that of the round."""
        if self.order == "random":
            return self.prizes
        k = min(len(self.bids[1]) + 1, self.cards)
        return tuple(range(self.cards, self.cards - k, -1) if self.order == "descending" else range(1, k + 1))

    def mover(self) -> int:
        """0, 1, CHANCE or TERMINAL."""
        first, second = map(len, self.bids)
        if second == self.cards:
            return TERMINAL
        if self.order == "random" and len(self.prizes) == second:
            return CHANCE
        return first - second

    def moves(self) -> tuple[int, ...]:
        """Prizes that are left, where chance shows one; else the cards in hand."""
        who = self.mover()
        return _left(self.cards, self.prizes if who == CHANCE else self.bids[who])

    def child(self, move: Any) -> Goofspiel:
        """The history after a prize or a bid."""
        who = self.mover()
        if who == CHANCE:
            return replace(self, prizes=(*self.prizes, move))
        if who == 0:
            return replace(self, bids=((*self.bids[0], move), self.bids[1]))
        first, second = self.bids[0], (*self.bids[1], move)
        prizes = self.prizes
        if len(second) == self.cards - 1:  # the last round plays itself
            first, second = (*first, *_left(self.cards, first)), (*second, *_left(self.cards, second))
            prizes = (*prizes, *_left(self.cards, prizes)) if self.order == "random" else ()
        return replace(self, prizes=prizes, bids=(first, second))

    def infoset(self) -> str:
        """The prizes, who won each round ("<" player 1, ">" player 0, "=" nobody) and the own bids."""
        rounds = "".join("<=>"[1 + (a > b) - (a < b)] for a, b in zip(*self.bids, strict=False))
        own = self.bids[self.mover()]
        return f"{' '.join(map(str, self.shown()))} | {rounds} | {' '.join(map(str, own))}"

    def payoffs(self) -> tuple[float, float]:
        """By the points at the end."""
        lead = sum(p * ((a > b) - (a < b)) for p, a, b in zip(self.shown(), *self.bids, strict=True))
        return zero_sum(float(lead if self.payoff == "difference" else (lead > 0) - (lead < 0)))


def _left(n: int, gone: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(c for c in range(1, n + 1) if c not in gone)


def build(cards: int = 3, order: str = "descending", payoff: str = "win") -> ExtensiveForm:
    """The tree for 2 to 5 cards (random order: to 4)."""
    choice("goofspiel", "order", order, ORDERS)
    choice("goofspiel", "payoff", payoff, PAYOFFS)
    n = integer("goofspiel", "cards", cards, 2, 4 if order == "random" else 5)
    return game_tree(Goofspiel(n, order, payoff), name=f"goofspiel-{order}-{payoff}-{n}")


def _published(order: str, cards: int, digest: str, nodes: str, infosets: str, exploitability: str) -> Published:
    return Published(
        name=f"goofspiel-{order}-{cards}",
        params={"cards": cards, "order": order},
        digest=digest,
        known={
            "nodes": nodes,
            "infosets": infosets,
            "value": "0",
            "uniform_value": "0",
            "uniform_exploitability": exploitability,
        },
        text=f"{cards} cards, prizes in {order} order, 1 to the winner.",
    )


family = Family(
    name="goofspiel",
    build=build,
    setting="game",
    cite="lanctot2019",
    source_tag="source",
    text="Goofspiel with hidden bids: the higher of two cards takes the prize; zero-sum, value 0.",
    tags=("zero-sum",),
    published=(
        _published("descending", 3, "1d53234c357b09b1", "67", "16", "0.6666666667"),
        _published("ascending", 3, "a39ea9b90f2f1975", "67", "16", "0.6666666667"),
        _published("random", 3, "43f854938eecd5cd", "418", "90", "0.6666666667"),
        _published("descending", 4, "71fe2d7542a1dba2", "1077", "162", "0.7083333333"),
    ),
)
