"""Hanabi with one colour, three ranks and hands of one card: cooperation by hints.

The deck has three cards of rank 0, two of the middle rank, one of rank 2. Each player holds a card that only the
other sees. In turn a player discards its card (not with all hints there; a hint comes back), plays it (it must be of
the next rank, else a life is lost) or pays a hint to tell the other the colour or the rank of its card. A card that
is discarded or played is seen by both, and a new one is dealt. The game ends with all ranks played, without lives, or
one turn of each player after the last card is dealt. Both get the number of cards played with success, 0 without
lives. Rules of the Hanabi Learning Environment (bard2020) as OpenSpiel has them [source: public code].

Infosets are the player's own observations and actions in order: recall is perfect, while the observation vectors of
public code forget. With one hint and one life: 18,719 decisions, 5,620 chance nodes, 22,309 ends, 8,563 and 8,618
infosets; uniform play scores 16/81 [derived].
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from theorylab.family import Family, Published
from theorylab.games.form import CHANCE, TERMINAL, ExtensiveForm
from theorylab.games.tree import game_tree
from theorylab.parameters import integer

__all__ = ["Hanabi", "family"]


@dataclass(frozen=True)
class Hanabi:
    """A history of a game with one colour and hands of one card.

    Attributes:
        deck: cards that are left of each rank. most: hints at the most. hints, lives: that are left.
        hands: rank of each player's card, -1 for none. built: cards played with success.
        last: turns that are left once the deck is empty. turn: whose turn comes next.
        events: (player, kind, rank) in order; kinds "deal", "discard", "play", "colour" and "rank".
    """

    deck: tuple[int, ...] = (3, 2, 1)
    most: int = 1
    hints: int = 1
    lives: int = 1
    hands: tuple[int, int] = (-1, -1)
    built: int = 0
    last: int = 2
    turn: int = 0
    events: tuple[tuple[int, str, int], ...] = ()

    def mover(self) -> int:
        """0, 1, CHANCE or TERMINAL."""
        if self.lives == 0 or self.built == len(self.deck) or self.last == 0:
            return TERMINAL
        return CHANCE if -1 in self.hands and sum(self.deck) > 0 else self.turn

    def moves(self) -> tuple[int, ...] | tuple[str, ...]:
        """Ranks at a deal; else those of "discard", "play", "colour" and "rank" that are legal."""
        if self.mover() == CHANCE:
            return tuple(r for r, n in enumerate(self.deck) if n > 0)
        discard = ("discard",) if self.hints < self.most else ()
        hint = ("colour", "rank") if self.hints > 0 and self.hands[1 - self.turn] >= 0 else ()
        return (*discard, "play", *hint)

    def chance(self) -> tuple[float, ...]:
        """The shares of the ranks in the deck."""
        return tuple(n / sum(self.deck) for n in self.deck if n > 0)

    def child(self, move: Any) -> Hanabi:
        """The history after a deal or a move."""
        if not isinstance(move, str):
            who = self.hands.index(-1)
            deck = tuple(n - (r == move) for r, n in enumerate(self.deck))
            return replace(self, deck=deck, hands=self._hold(who, move), events=(*self.events, (who, "deal", move)))
        who, own = self.turn, self.hands[self.turn]
        after = replace(self, turn=1 - who, last=self.last - (sum(self.deck) == 0))
        if move in ("colour", "rank"):
            told = (who, move, self.hands[1 - who])
            return replace(after, hints=self.hints - 1, events=(*self.events, told))
        after = replace(after, hands=self._hold(who, -1), events=(*self.events, (who, move, own)))
        if move == "discard":
            return replace(after, hints=self.hints + 1)
        return replace(after, built=self.built + 1) if own == self.built else replace(after, lives=self.lives - 1)

    def _hold(self, who: int, card: int) -> tuple[int, int]:
        return (card, self.hands[1]) if who == 0 else (self.hands[0], card)

    def infoset(self) -> str:
        """What the player saw: all events, without the ranks of its own deals and of hints of colour."""
        hidden = (("deal", self.turn), ("colour", 0), ("colour", 1))
        return " ".join(f"{who}{kind}" + ("" if (kind, who) in hidden else f"{r}") for who, kind, r in self.events)

    def payoffs(self) -> tuple[float, float]:
        """The score, to both."""
        score = float(self.built) if self.lives > 0 else 0.0
        return score, score


def build(ranks: int = 3, hints: int = 1, lives: int = 1) -> ExtensiveForm:
    """The tree for 2 or 3 ranks, 1 or 2 hints and lives; the first rank has 3 cards, the last 1, one between them 2."""
    top = integer("hanabi-small", "ranks", ranks, 2, 3)
    most = integer("hanabi-small", "hints", hints, 1, 2)
    life = integer("hanabi-small", "lives", lives, 1, 2)
    deck = (3, 1) if top == 2 else (3, 2, 1)
    return game_tree(Hanabi(deck, most, most, life), name=f"hanabi-small-{top}-{most}-{life}")


family = Family(
    name="hanabi-small",
    build=build,
    setting="game",
    cite="bard2020",
    source_tag="source",
    text="Hanabi with one colour, three ranks, hands of one card, one hint and one life; common payoff.",
    tags=("common-payoff",),
    published=(
        Published(
            name="hanabi-small-2-ranks",
            params={"ranks": 2},
            digest="20bf2a3e8d5944fc",
            known={"nodes": "465", "infosets": "176", "uniform_value": "0.5231481481"},
            text="Two ranks: four cards.",
        ),
        Published(
            name="hanabi-small-3-ranks",
            params={},
            digest="50a0deaac618af97",
            known={"nodes": "46648", "infosets": "17181", "uniform_value": "0.1975308642"},
            text="Three ranks, one hint, one life.",
        ),
    ),
)
