"""Families of games of two players, one a file: `mdps.games.kuhn()`, `mdps.games.dark_hex(columns=3)`.

A file holds the rules besides, a frozen dataclass that `theorylab.games.game_tree` makes a tree of and that can be
played without one: `mdps.games.leduc` is the family, `from mdps.games.leduc import Leduc` the rules.
`from_openspiel(name)` reads a game of OpenSpiel, if that is installed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from theorylab.package import lazy_models

if TYPE_CHECKING:

    def __getattr__(name: str) -> Any: ...


FUNCTIONS = {"from_openspiel": "_openspiel"}
lazy_models(__name__, FUNCTIONS)
