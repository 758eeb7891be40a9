"""Games of OpenSpiel as extensive forms (the extra `games` installs it)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from theorylab.errors import InputError
from theorylab.games.form import CHANCE, TERMINAL, ExtensiveForm
from theorylab.games.tree import game_tree

__all__ = ["from_openspiel"]


@dataclass(frozen=True)
class _History:
    """A state of OpenSpiel; it is never changed in place."""

    state: Any

    def mover(self) -> int:
        if self.state.is_terminal():
            return TERMINAL
        return CHANCE if self.state.is_chance_node() else int(self.state.current_player())

    def moves(self) -> list[int]:
        if self.state.is_chance_node():
            return [a for a, _ in self.state.chance_outcomes()]
        return list(self.state.legal_actions())

    def chance(self) -> list[float]:
        return [p for _, p in self.state.chance_outcomes()]

    def child(self, move: Any) -> _History:
        return _History(self.state.child(move))

    def infoset(self) -> str:
        return str(self.state.information_state_string())

    def payoffs(self) -> tuple[float, float]:
        one, two = self.state.returns()
        return float(one), float(two)


def from_openspiel(game: str, limit: int = 5_000_000) -> ExtensiveForm:
    """The extensive form of a two-player game of OpenSpiel, infosets by its information-state strings.

    Moves at the same time are written one after the other, player 0 first.

    Args:
        game: name and parameters as OpenSpiel takes them, such as "kuhn_poker" or "liars_dice(dice_sides=4)".
        limit: of nodes.

    Raises:
        InputError: OpenSpiel is not installed or does not know the game; not two players; chance that is only sampled;
            no information-state strings; strings that forget a player's own moves (imperfect recall); more than `limit`
            nodes.
    """
    try:
        import pyspiel
    except ImportError:
        raise InputError("OpenSpiel is not installed; install the extra: theorylab[games]") from None
    try:
        made = pyspiel.load_game(game)
    except pyspiel.SpielError as error:
        raise InputError(f"OpenSpiel does not make '{game}': {error}") from None
    kind = made.get_type()
    if made.num_players() != 2:
        raise InputError(f"'{game}' has {made.num_players()} players; give a game of two")
    if kind.chance_mode == pyspiel.GameType.ChanceMode.SAMPLED_STOCHASTIC:
        raise InputError(f"chance in '{game}' is only sampled; a tree needs its probabilities")
    if not kind.provides_information_state_string:
        raise InputError(f"'{game}' has no information-state strings; write its rules as a `GameState`")
    if kind.dynamics == pyspiel.GameType.Dynamics.SIMULTANEOUS:
        made = pyspiel.convert_to_turn_based(made)
    return game_tree(_History(made.new_initial_state()), name=kind.short_name.replace("_", "-"), limit=limit)
