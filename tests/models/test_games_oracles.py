"""Games against numbers found elsewhere: sizes, uniform and first-action play, one step of search, common payoffs.

Sizes are those of OpenSpiel's games; the rest was computed by an independent program. They depend on every payoff, on
chance, and on who knows what.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mdps
from theorylab.games import (
    ExtensiveForm,
    action_values,
    expected_value,
    exploitability,
    first_action_policy,
    random_policy,
    solve,
    uniform_policy,
)

G = mdps.games
long = pytest.mark.long

#: decisions, chance nodes, ends, infosets, sequences, depth
SIZES = [
    ("kuhn", {}, (24, 4, 30, (6, 6), (13, 13), 5)),
    ("dark_hex", {}, (237, 0, 234, (59, 35), (89, 81), 7)),
    ("dark_hex", {"variant": "classical", "observation": "count"}, (225, 0, 216, (33, 101), (77, 169), 7)),
    ("liars_dice", {"sides": 4}, (4096, 5, 4080, (512, 512), (1021, 1021), 11)),
    ("leduc", {}, (3780, 157, 5520, (468, 468), (1093, 1093), 11)),
    *(("tiny_hanabi", {"variant": v}, (12, 3, 16, (2, 4), (5, 9), 4)) for v in "ABCD"),
    ("tiny_hanabi", {"variant": "E"}, (16, 3, 36, (2, 6), (7, 19), 4)),
    ("tiny_hanabi", {"variant": "F"}, (27, 4, 36, (3, 6), (7, 13), 4)),
    ("signal_game", {"cards": 5, "actions": 4}, (125, 6, 400, (5, 20), (21, 81), 4)),
    pytest.param("liars_dice", {"sides": 5}, (25600, 6, 25575, (2560, 2560), (5116, 5116), 13), marks=long),
    pytest.param("liars_dice", {"sides": 6}, (147456, 7, 147420, (12288, 12288), (24571, 24571), 15), marks=long),
    pytest.param("dark_hex", {"columns": 3}, (74375, 0, 75578, (4033, 2725), (6045, 6343), 11), marks=long),
    pytest.param("hanabi_small", {}, (18719, 5620, 22309, (8563, 8618), (18045, 18368), 16), marks=long),
]


@pytest.mark.parametrize(("name", "params", "sizes"), SIZES)
def test_sizes(name: str, params: dict[str, Any], sizes: Any) -> None:
    game = getattr(G, name)(**params)
    kinds = tuple(int(np.isin(game.mover, who).sum()) for who in ((0, 1), -1, -2))
    infosets = tuple(int((game.infoset_player == p).sum()) for p in (0, 1))
    assert (*kinds, infosets, tuple(s.infoset.size for s in game.sequences), len(game.levels) - 1) == sizes


#: uniform play: exploitability and value; first actions: exploitability; the value of the game
PLAY = [
    ("kuhn", {}, 0.458333, 0.125, 1.0, -1 / 18),
    ("dark_hex", {}, 0.416667, 0.458333, 1.0, 0.5),
    ("liars_dice", {}, 0.655060, -0.015625, 0.875, 1 / 16),
    ("leduc", {}, 2.373611, -0.078125, 1.0, -0.0856),
    pytest.param("dark_hex", {"columns": 3}, 0.390, 0.72389, None, 9 / 11, marks=long),
]


@pytest.mark.parametrize(("name", "params", "gain", "value", "first", "solved"), PLAY)
def test_uniform_play_first_actions_and_equilibria(
    name: str, params: dict[str, Any], gain: float, value: float, first: float | None, solved: float
) -> None:
    game = getattr(G, name)(**params)
    uniform = uniform_policy(game)
    assert exploitability(game, uniform) == pytest.approx(gain, abs=6e-7 if gain != 0.39 else 5e-4)
    assert expected_value(game, uniform)[0] == pytest.approx(value, abs=6e-7 if value != 0.72389 else 5e-6)
    if first is not None:
        assert exploitability(game, first_action_policy(game)) == pytest.approx(first, abs=1e-12)
    found = solve(game)
    assert found.error < 1e-9 and found.value == pytest.approx(solved, abs=1e-9 if solved != -0.0856 else 5e-5)


#: after one step of magnetic mirror descent from uniform play, exact action values, uniform magnet; alpha 0, .05, .2, 1
STEPS = [
    ("kuhn", {}, {0.5: (0.226, 0.226, 0.225, 0.254), 10.0: (0.332, 0.327, 0.301, 0.241)}),
    ("dark_hex", {}, {1.0: (0.329, 0.333, 0.343, 0.371), 5.0: (0.208, 0.209, 0.231, 0.343)}),
    ("liars_dice", {}, {1.0: (0.473, 0.479, 0.497, 0.555), 50.0: (0.316, 0.377, 0.313, 0.475)}),
    ("leduc", {}, {0.1: (1.756, 1.757, 1.760, 1.772), 2.0: (2.511, 2.479, 2.389, 2.014)}),
    pytest.param(
        "dark_hex", {"columns": 3}, {1.0: (0.336, 0.339, 0.345, 0.362), 10.0: (0.153, 0.189, 0.248, 0.341)}, marks=long
    ),
]


def step(game: ExtensiveForm, eta: float, alpha: float) -> Any:
    """softmax(eta q / (1 + alpha eta)) at every infoset, q under uniform play."""
    q = np.where(game.legal, action_values(game, uniform_policy(game)).q, -np.inf) * eta / (1.0 + alpha * eta)
    weight = np.exp(q - q.max(axis=1, keepdims=True))
    return weight / weight.sum(axis=1, keepdims=True)


@pytest.mark.parametrize(("name", "params", "rows"), STEPS)
def test_one_step_from_uniform_play(name: str, params: dict[str, Any], rows: dict[float, Any]) -> None:
    game = getattr(G, name)(**params)
    for eta, printed in rows.items():
        for alpha, gain in zip((0.0, 0.05, 0.2, 1.0), printed, strict=True):
            assert exploitability(game, step(game, eta, alpha)) == pytest.approx(gain, abs=6e-4), (eta, alpha)


#: uniform play of Tiny Hanabi: value, and the rate of gain of mirror descent, sum_i Pr(i) Var q(i, .)
HANABI = {
    "A": (1.625, 0.203125),
    "B": (0.4375, 0.0234375),
    "C": (1.5, 0.34375),
    "D": (1.3125, 0.8359375),
    "E": (3.7222, 6.456790),
    "F": (1.3889, 0.384259),
}


@pytest.mark.parametrize("variant", HANABI)
def test_common_payoffs_under_uniform_play(variant: str) -> None:
    game = G.tiny_hanabi(variant)
    value, rate = HANABI[variant]
    found = action_values(game, uniform_policy(game))
    assert found.value == pytest.approx([value, value], abs=6e-5)
    assert (found.reach * found.mass * found.q.var(axis=1)).sum() == pytest.approx(rate, abs=6e-7)


#: quantal response equilibria of perturbed rock-paper-scissors, the same for both players
QRE = {
    0.5: (0.29813319, 0.41382045, 0.28804635),
    0.2: (0.22364492, 0.47798817, 0.29836691),
    0.1: (0.17347803, 0.48630324, 0.34021873),
    0.05: (0.1517447, 0.46794775, 0.38030755),
}


@pytest.mark.parametrize("alpha", QRE)
def test_quantal_responses_of_perturbed_rps(alpha: float) -> None:
    mix, game = np.array(QRE[alpha]), G.perturbed_rps()
    for payoff in (game.row, game.column.T):  # of each player: own action, action of the other
        weight = np.exp(payoff @ mix / alpha)
        assert weight / weight.sum() == pytest.approx(mix, abs=3e-7)


def test_oracles_notice_another_game() -> None:
    """A printed number is missed where a payoff, a law of chance or an infoset is another."""
    kuhn = G.kuhn()
    law = np.array(kuhn.chance)
    law[1:4] = 0.3, 0.3, 0.4
    leaves = np.flatnonzero(kuhn.mover == -2)
    payoff = np.array(kuhn.payoff)
    payoff[leaves[0]] *= 2
    for changed in ({"chance": law}, {"payoff": payoff}):
        fields = {k: getattr(kuhn, k) for k in ("parent", "mover", "action", "infoset", "chance", "payoff")}
        other = ExtensiveForm(**{**fields, **changed})
        found = exploitability(other, uniform_policy(other)), expected_value(other, uniform_policy(other))[0]
        assert max(abs(found[0] - 0.458333), abs(found[1] - 0.125)) > 1e-3
    assert abs(exploitability(kuhn, random_policy(kuhn, 3)) - 0.458333) > 1e-3
