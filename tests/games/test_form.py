"""The record of an extensive form: what it derives and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from tests.games.trees import random_game
from theorylab.errors import InputError
from theorylab.games import CHANCE, TERMINAL, ExtensiveForm, game_tree


def parts(**changes):
    """A coin (1/4, 3/4) that player 0 sees, then a guess by player 1 of what player 0 plays."""
    game = dict(
        parent=[-1, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6],
        mover=[CHANCE, 0, 0, 1, 1, 1, 1] + [TERMINAL] * 8,
        action=[-1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1],
        infoset=[-1, 0, 1, 2, 2, 2, 2] + [-1] * 8,
        chance=[1.0, 0.25, 0.75] + [1.0] * 12,
        payoff=[[0.0, 0.0]] * 7 + [[k, -k] for k in (1.0, -1.0, -1.0, 1.0, 2.0, -2.0, -2.0, 2.0)],
    )
    game.update(changes)
    return {k: np.array(v) for k, v in game.items()}


def test_sizes_sequences_and_payoff_matrix():
    game = ExtensiveForm(**parts())
    assert (game.N, game.infosets, game.A, game.setting) == (15, 3, 2, "game")
    assert game.infoset_player.tolist() == [0, 0, 1] and game.infoset_actions.tolist() == [2, 2, 2]
    assert game.depth.tolist() == [0, 1, 1, 2, 2, 2, 2] + [3] * 8
    one, two = game.sequences
    assert one.first.tolist() == [1, 3] and one.parent.tolist() == [0, 0] and two.parent.tolist() == [0]
    assert one.infoset.tolist() == [-1, 0, 0, 1, 1] and one.action.tolist() == [-1, 0, 1, 0, 1]
    # by hand: rows empty, (0,0), (0,1), (1,0), (1,1); columns empty, 0, 1
    wanted = [[0, 0, 0], [0, 0.25, -0.25], [0, -0.25, 0.25], [0, 1.5, -1.5], [0, -1.5, 1.5]]
    assert np.array_equal(game.payoff_matrices[0].toarray(), np.array(wanted))
    assert game.zero_sum and not game.common_payoff and game.payoff_range == (-2.0, 2.0)


def test_digest_is_of_content():
    game = ExtensiveForm(**parts())
    assert game.digest == ExtensiveForm(**parts(), name="other").digest
    other = parts()
    other["payoff"][8] = [3.0, -3.0]
    assert game.digest != ExtensiveForm(**other).digest
    assert not game.chance.flags.writeable and not game.parent.flags.writeable


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"chance": [1.0, 0.25, 0.7] + [1.0] * 12}, r"chance at node 0 sum to 0.95, not to 1"),
        ({"chance": [1.0, -0.25, 1.25] + [1.0] * 12}, r"chance\[1\]=-0.25 is no probability"),
        ({"chance": [1.0, 0.25, 0.75, 0.5] + [1.0] * 11}, r"chance\[3\]=0.5, but chance does not move"),
        ({"infoset": [-1, 0, 1, 0, 2, 2, 2] + [-1] * 8}, "infoset 0 belongs to both players: at nodes 1 and 3"),
        ({"infoset": [-1, 0, 1, 3, 3, 3, 3] + [-1] * 8}, "infoset 2 has no node"),
        ({"infoset": [-1, 0, 1, 2, 2, 2, -1] + [-1] * 8}, r"infoset\[6\]=-1 at a node with mover 1"),
        ({"payoff": [[0.0, 0.0]] * 6 + [[1.0, 0.0]] + [[0.0, 0.0]] * 8}, r"payoff\[6\] is not 0"),
        ({"payoff": [[0.0, 0.0]] * 14 + [[np.nan, 0.0]]}, r"payoff\[14\].*not finite"),
        ({"payoff": [0.0] * 15}, r"payoff has shape \(15,\)"),
        ({"parent": [-1, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 15]}, r"parent\[14\]=15"),
        ({"parent": [0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6]}, "node 0 must be the root"),
        ({"mover": [CHANCE, 0, 0, 1, 1, 1, 3] + [TERMINAL] * 8}, r"mover\[6\]=3 is none of"),
        ({"mover": [CHANCE, 0, 0, 1, 1, 1, TERMINAL] + [TERMINAL] * 8}, "node 6 is terminal and has 2 children"),
        ({"mover": [CHANCE, 0, 0, 1, 1, 1, 1, 1] + [TERMINAL] * 7}, "node 7 is not terminal and has no child"),
        ({"action": [-1, 0, 0, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1]}, "children of node 0 are not 0..1"),
        ({"action": [-1.0] * 15}, "give integers"),
        ({"labels": ["a"]}, "labels has 1 entries"),
    ],
)
def test_bad_records_are_refused_by_name(changes, text):
    with pytest.raises(InputError, match=text):
        ExtensiveForm(**parts(**changes))


def test_differing_action_sets_are_refused():
    game = parts()
    # node 6 gets a third child
    more = {"parent": 6, "mover": TERMINAL, "action": 2, "infoset": -1, "chance": 1.0}
    game = {k: np.append(v, more[k]) if k in more else v for k, v in game.items()}
    game["payoff"] = np.append(game["payoff"], [[0.0, 0.0]], axis=0)
    with pytest.raises(InputError, match="infoset 2 has differing action sets: 2 actions at node 3, 3 at node 6"):
        ExtensiveForm(**game)


def test_imperfect_recall_is_refused():
    # player 0 moves, then moves again without knowing what it played
    with pytest.raises(InputError, match="imperfect recall: at nodes 1 and 2 of infoset 1 player 0"):
        ExtensiveForm(
            parent=np.array([-1, 0, 0, 1, 1, 2, 2]),
            mover=np.array([0, 0, 0] + [TERMINAL] * 4),
            action=np.array([-1, 0, 1, 0, 1, 0, 1]),
            infoset=np.array([0, 1, 1, -1, -1, -1, -1]),
            chance=np.ones(7),
            payoff=np.zeros((7, 2)),
        )


@pytest.mark.parametrize("seed", range(12))
def test_sequences_of_random_games(seed):
    game = random_game(seed)
    for p, one in enumerate(game.sequences):
        assert (np.diff(one.depth) >= 0).all()
        for i, first, count, parent, depth in zip(*one[:5], strict=True):
            assert count == game.infoset_actions[i] and game.infoset_player[i] == p
            assert one.infoset[first : first + count].tolist() == [i] * count
            assert one.action[first : first + count].tolist() == list(range(count))
            assert (parent == 0) == (depth == 0)
            if parent:
                before = one.infosets.tolist().index(one.infoset[parent])
                assert one.depth[before] == depth - 1
    assert np.concatenate(game.levels).size == game.N and [len(x) > 0 for x in game.levels]
    for above, below in pairwise(game.levels):
        assert set(game.parent[below].tolist()) <= set(above.tolist())


class _Guess:
    """Rules with a fault: player 1 sees the move, but is offered another list of moves after it."""

    def __init__(self, played=(), fault="", law=(1.0,)):
        self.played, self.fault, self.law = played, fault, law

    def mover(self):
        return (CHANCE, 0, 1, TERMINAL)[len(self.played)]

    def moves(self):
        if len(self.played) == 0:
            return ["deal"]
        if self.fault == "order" and self.played[1:] == ("r",):
            return ["r", "l"]
        return ["l", "r"]

    def chance(self):
        return self.law

    def child(self, move):
        return _Guess((*self.played, move), self.fault, self.law)

    def infoset(self):
        return "first" if len(self.played) == 1 else "second"

    def payoffs(self):
        return (1.0, -1.0) if self.played[1] == self.played[2] else (-1.0, 1.0)


def test_trees_of_rules():
    game = game_tree(_Guess(), "guess")
    assert (game.N, game.infosets, game.name) == (8, 2, "guess")
    assert game.labels == ("first", "second") and game.moves == (("l", "r"), ("l", "r"))
    assert replace(game, name="x").digest == game.digest
    with pytest.raises(InputError, match="'second' of player 1 has differing action sets"):
        game_tree(_Guess(fault="order"))
    with pytest.raises(InputError, match="1 outcomes and 2 probabilities"):
        game_tree(_Guess(law=(0.5, 0.5)))
    with pytest.raises(InputError, match=r"chance at node 0 sum to 0\.9"):
        game_tree(_Guess(law=(0.9,)))
    with pytest.raises(InputError, match="more than 7 nodes"):
        game_tree(_Guess(), limit=7)
