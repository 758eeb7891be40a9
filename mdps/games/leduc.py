"""Leduc poker: six cards of three ranks, two rounds, one card in public.

Ranks 0 < 1 < 2, two cards of each; card c has rank c // 2, and cards of a rank are told apart. Each player puts in 1
and gets a card. Two rounds of bets, player 0 first in both: fold (where the other has put in more), call (or pass) or
raise, at most two raises a round, by 2 in the first and by 4 in the second; the card in public comes between them. At
the end a card of the public rank wins, else the higher rank; equal ranks share. Payoffs up to 13. 3,780 decisions,
157 chance nodes, 5,520 ends, 468 infosets of each player. Source: Southey et al. (Bayes' bluff, 2005) [recalled],
sizes of bets and order of moves as in OpenSpiel [source: public code].

Exact: uniform play is worth -.078125 to player 0 and is exploitable by 2.373611; the value is -.0856064241.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from mdps.games._rules import Rules, zero_sum
from theorylab.family import Family, Published
from theorylab.games.form import CHANCE, TERMINAL, ExtensiveForm
from theorylab.games.tree import game_tree

__all__ = ["Leduc", "family"]

CARDS, RAISES, SIZES = 6, 2, (2, 4)


@dataclass(frozen=True)
class Leduc(Rules):
    """A history.

    Attributes:
        cards: those dealt: of player 0, of player 1, in public.
        rounds: the moves of each round: "f" fold, "c" call or pass, "r" raise.
        put: what each player has put in.
    """

    cards: tuple[int, ...] = ()
    rounds: tuple[str, str] = ("", "")
    put: tuple[int, int] = (1, 1)

    def _done(self, k: int) -> bool:
        moves = self.rounds[k]
        return moves.endswith("f") or (len(moves) > 1 and moves.endswith("c"))

    def _round(self) -> int:
        return 1 if len(self.cards) == 3 else 0

    def mover(self) -> int:
        """0, 1, CHANCE or TERMINAL."""
        if len(self.cards) < 2:
            return CHANCE
        k = self._round()
        if not self._done(k):
            return len(self.rounds[k]) % 2
        return TERMINAL if k == 1 or self.rounds[0].endswith("f") else CHANCE

    def moves(self) -> tuple[int, ...] | tuple[str, ...]:
        """Cards at a deal, else those of "f", "c" and "r" that are legal."""
        k = self._round()
        if len(self.cards) < 2 or self._done(k):
            return tuple(c for c in range(CARDS) if c not in self.cards)
        fold = ("f",) if self.put[0] != self.put[1] else ()
        more = ("r",) if self.rounds[k].count("r") < RAISES else ()
        return (*fold, "c", *more)

    def child(self, move: Any) -> Leduc:
        """The history after a deal or a move."""
        if not isinstance(move, str):
            return replace(self, cards=(*self.cards, move))
        k = self._round()
        who, put = len(self.rounds[k]) % 2, list(self.put)
        if move != "f":
            put[who] = max(put) + (SIZES[k] if move == "r" else 0)
        rounds = (self.rounds[0] + move, "") if k == 0 else (self.rounds[0], self.rounds[1] + move)
        return Leduc(self.cards, rounds, (put[0], put[1]))

    def infoset(self) -> str:
        """The own card, the card in public and the moves."""
        own = self.cards[len(self.rounds[self._round()]) % 2]
        shown = f"{self.cards[2]}{self.rounds[1]}" if len(self.cards) == 3 else ""
        return f"{own} {self.rounds[0]} {shown}".rstrip() if shown else f"{own} {self.rounds[0]}".rstrip()

    def payoffs(self) -> tuple[float, float]:
        """Won and lost at the end."""
        last = self.rounds[self._round()]
        if last.endswith("f"):
            loser = (len(last) - 1) % 2
            return zero_sum(float(self.put[1]) if loser == 1 else -float(self.put[0]))
        first, second, public = (c // 2 for c in self.cards)
        strength = (first + 10 * (first == public)) - (second + 10 * (second == public))
        return zero_sum(float(self.put[0]) * ((strength > 0) - (strength < 0)))


def build() -> ExtensiveForm:
    """The tree."""
    return game_tree(Leduc(), name="leduc")


family = Family(
    name="leduc",
    build=build,
    setting="game",
    cite="southey2005",
    source_tag="recalled",
    text="Leduc poker: six cards, two rounds of bets of 2 and 4, one card in public; zero-sum, payoffs up to 13.",
    tags=("zero-sum",),
    published=(
        Published(
            name="leduc-poker",
            params={},
            digest="42c2c42d4eff7516",
            known={
                "nodes": "9457",
                "infosets": "936",
                "value": "-0.0856064241",
                "uniform_value": "-0.078125",
                "uniform_exploitability": "2.3736111111",
            },
            text="Cards of a rank are told apart, as in OpenSpiel.",
        ),
    ),
)
