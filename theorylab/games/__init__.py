"""Games of two players: records, trees built from rules, exact values, and equilibria by linear programming.

Loaded at first use, so that importing one name does not import the others.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from theorylab.games.equilibrium import Equilibrium, solve
    from theorylab.games.form import CHANCE, TERMINAL, ExtensiveForm
    from theorylab.games.matrix import MatrixGame
    from theorylab.games.tree import GameState, game_tree
    from theorylab.games.values import (
        Response,
        action_values,
        best_response,
        expected_value,
        exploitability,
        first_action_policy,
        random_policy,
        uniform_policy,
    )

_HOME = {
    "CHANCE": "form",
    "TERMINAL": "form",
    "Equilibrium": "equilibrium",
    "ExtensiveForm": "form",
    "GameState": "tree",
    "MatrixGame": "matrix",
    "Response": "values",
    "action_values": "values",
    "best_response": "values",
    "expected_value": "values",
    "exploitability": "values",
    "first_action_policy": "values",
    "game_tree": "tree",
    "random_policy": "values",
    "solve": "equilibrium",
    "uniform_policy": "values",
}

__all__ = [
    "CHANCE",
    "TERMINAL",
    "Equilibrium",
    "ExtensiveForm",
    "GameState",
    "MatrixGame",
    "Response",
    "action_values",
    "best_response",
    "expected_value",
    "exploitability",
    "first_action_policy",
    "game_tree",
    "random_policy",
    "solve",
    "uniform_policy",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'theorylab.games' has no attribute '{name}'")
    return getattr(importlib.import_module(f"theorylab.games.{_HOME[name]}"), name)
