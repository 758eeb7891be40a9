"""Random games of Tiny Hanabi's form: C cards, A actions, whole payoffs, the same for both players.

Rules: `mdps.games.tiny_hanabi`. The payoffs are drawn uniformly from 0..high, each apart, by a counter-based
generator from `seed` alone. C^2 (1 + A) decisions, 1 + C chance nodes, C^2 A^2 ends, C and C A infosets [derived].
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mdps.games.tiny_hanabi import TinyHanabi
from theorylab.family import Family, Published
from theorylab.games.form import ExtensiveForm
from theorylab.games.tree import game_tree
from theorylab.parameters import integer

__all__ = ["family", "table_of"]


def table_of(cards: int, actions: int, high: int, seed: int) -> Any:
    """The payoffs: nested tuples (cards, cards, actions, actions) of integers in 0..high."""
    draw = np.random.Generator(np.random.Philox(key=seed))
    table = draw.integers(high + 1, size=(cards, cards, actions, actions)).tolist()
    return _tuples(table)


def _tuples(x: Any) -> Any:
    return tuple(_tuples(y) for y in x) if isinstance(x, list) else x


def build(cards: int = 3, actions: int = 3, high: int = 10, seed: int = 0) -> ExtensiveForm:
    """The tree: 2 to 20 cards and actions, payoffs in 0..high."""
    C = integer("signal-game", "cards", cards, 2, 20)
    A = integer("signal-game", "actions", actions, 2, 20)
    top = integer("signal-game", "high", high, 1, 2**31)
    seed = integer("signal-game", "seed", seed, 0, 2**64 - 1)
    return game_tree(TinyHanabi(table_of(C, A, top, seed)), name=f"signal-game-{C}-{A}-{top}-{seed}")


family = Family(
    name="signal-game",
    build=build,
    setting="game",
    source_tag="derived",
    text="Random games of Tiny Hanabi's form, whole payoffs in 0..high from a seed; common payoff.",
    tags=("common-payoff",),
    published=(
        Published(
            name="signal-game-4-4",
            params={"cards": 4, "actions": 4, "high": 10, "seed": 0},
            digest="df18978162139772",
            known={"nodes": "341", "infosets": "20", "optimum": "8.8125", "uniform_value": "4.9296875"},
            text="Four cards, four actions, seed 0.",
        ),
    ),
)
