"""Games beside those of OpenSpiel, where it is installed: the same arrays, and on boards too large for a tree the same
play. Sizes of the games, without OpenSpiel: `test_games_oracles`.
"""

from __future__ import annotations

import random
from typing import Any

import pytest

import mdps
from mdps.games.dark_hex import DarkHex
from mdps.games.hanabi_small import Hanabi
from mdps.games.phantom_tic_tac_toe import PhantomTicTacToe
from theorylab.errors import InputError
from theorylab.games import CHANCE, TERMINAL

pyspiel = pytest.importorskip("pyspiel")
G = mdps.games
long = pytest.mark.long

_TWO = "dark_hex(gameversion={},num_rows=2,num_cols={})"
_SPIEL = "goofspiel(num_cards={},imp_info=True,points_order={})"
SAME = [
    ("kuhn_poker", lambda: G.kuhn()),
    ("leduc_poker", lambda: G.leduc()),
    ("liars_dice(dice_sides=4)", lambda: G.liars_dice(4)),
    pytest.param("liars_dice(dice_sides=5)", lambda: G.liars_dice(5), marks=long),
    pytest.param("liars_dice(dice_sides=6)", lambda: G.liars_dice(6), marks=long),
    ("tiny_hanabi", lambda: G.tiny_hanabi()),
    (_TWO.format("adh", 2), lambda: G.dark_hex()),
    (_TWO.format("cdh", 2), lambda: G.dark_hex(variant="classical", observation="count")),
    pytest.param(_TWO.format("adh", 3), lambda: G.dark_hex(columns=3), marks=long),
    *((_SPIEL.format(3, o), lambda o=o: G.goofspiel(3, o)) for o in ("descending", "ascending", "random")),
    (_SPIEL.format(4, "descending"), lambda: G.goofspiel(4)),
    pytest.param(_SPIEL.format(4, "random"), lambda: G.goofspiel(4, "random"), marks=long),
]


@pytest.mark.parametrize(("name", "build"), SAME)
def test_the_arrays_are_the_same(name: str, build: Any) -> None:
    """Nodes, movers, the order of actions, infosets, chance and payoffs: all that the digest is of."""
    assert G.from_openspiel(name).digest == build().digest


def test_point_differences_are_twice_those_of_openspiel() -> None:
    theirs = G.from_openspiel(
        "goofspiel(num_cards=4,imp_info=True,points_order=ascending,returns_type=point_difference)"
    )
    assert (G.goofspiel(4, "ascending", "difference").payoff == 2 * theirs.payoff).all()


WALKS = [
    ("dark_hex(gameversion=adh)", DarkHex(3, 3), True),
    ("dark_hex(gameversion=cdh)", DarkHex(3, 3, "classical", "count"), False),
    ("phantom_ttt(gameversion=abrupt)", PhantomTicTacToe(3, 3), True),
    ("phantom_ttt(gameversion=classical)", PhantomTicTacToe(3, 3, "classical"), True),
    (
        "hanabi(players=2,colors=1,ranks=3,hand_size=1,max_information_tokens=1,max_life_tokens=1)",
        Hanabi((3, 2, 1), 1, 1, 1),
        None,
    ),
    (
        "hanabi(players=2,colors=1,ranks=4,hand_size=1,max_information_tokens=3,max_life_tokens=2)",
        Hanabi((3, 2, 2, 1), 3, 3, 2),
        None,
    ),
]


@pytest.mark.parametrize(("name", "root", "alike"), WALKS, ids=lambda x: x if isinstance(x, str) else "")
def test_random_play_is_the_same(name: str, root: Any, alike: bool | None) -> None:
    """Movers, moves in order, chance and payoffs along 500 histories; keys of infosets, where OpenSpiel has them.

    `alike`: one key for each information-state string; else keys say more than the string, which forgets.
    """
    game, rng = pyspiel.load_game(name), random.Random(1)
    theirs: dict[Any, Any] = {}
    mine: dict[Any, set[Any]] = {}
    for _ in range(500):
        a, b = root, game.new_initial_state()
        while a.mover() != TERMINAL:
            assert not b.is_terminal()
            moves = list(a.moves())
            if a.mover() == CHANCE:
                assert b.is_chance_node()
                outcomes, law = zip(*b.chance_outcomes(), strict=True)
                assert list(a.chance()) == pytest.approx(law, abs=1e-15)
            else:
                assert a.mover() == b.current_player()
                outcomes = tuple(b.legal_actions())
                if alike is not None:
                    key, string = (a.mover(), a.infoset()), (a.mover(), b.information_state_string())
                    assert theirs.setdefault(key, string) == string
                    mine.setdefault(string, set()).add(key)
            assert len(outcomes) == len(moves)
            k = rng.randrange(len(moves))
            a = a.child(moves[k])
            b.apply_action(outcomes[k])
        assert b.is_terminal() and list(a.payoffs()) == b.returns()
    if alike is not None:
        assert all(len(keys) == 1 for keys in mine.values()) == alike


def test_what_cannot_be_read_is_refused() -> None:
    with pytest.raises(InputError, match="OpenSpiel does not make 'kuhn_pokr'"):
        G.from_openspiel("kuhn_pokr")
    with pytest.raises(InputError, match="has 3 players; give a game of two"):
        G.from_openspiel("kuhn_poker(players=3)")
    with pytest.raises(InputError, match="more than 100 nodes"):
        G.from_openspiel("leduc_poker", limit=100)
    with pytest.raises(InputError, match="no information-state strings"):
        G.from_openspiel("backgammon")


@long
def test_openspiel_forgets_in_the_classical_game_on_larger_boards() -> None:
    """Its information states hold the number of tries now, but not those at earlier turns."""
    with pytest.raises(InputError, match="imperfect recall"):
        G.from_openspiel(_TWO.format("cdh", 3))
