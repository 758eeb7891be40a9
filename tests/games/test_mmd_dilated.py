"""MMD in sequence form, mirror descent, and grids of stepsizes: one step by formula, printed values, errors."""

from __future__ import annotations

import numpy as np
import pytest

import mdps
from tests.games.trees import random_game
from theorylab.errors import InputError
from theorylab.games import action_values, expected_value, exploitability, random_policy, uniform_policy
from theorylab.games.layout import by_sequence
from theorylab.games.quantal import agent_quantal_response, quantal_response, regularised_gap
from theorylab.games.values import realisation
from theorylab.registry import find_learner
from theorylab.simulation import Simulation


def simulate(name, game, iterations, replicates=1, target="python", begin=0, lanes=None, **params):
    options = dict(replicates=replicates, length=iterations, params=params, checkpoints=[iterations])
    return Simulation(find_learner(name), game, target=target, first=begin, lanes=lanes, **options).advance()


def last(*args, **options):
    return simulate(*args, **options).curves().final["policy"]


def dilated_step(game, pi, eta, alpha, player, new):
    """Of one player, as the notes print it: minimisation, and grad psi with its constants."""
    one = game.sequences[player]
    other = realisation(game, pi)[1 - player]
    U = game.payoff_matrices[player].toarray()
    g = -(U @ other if player == 0 else U.T @ other)
    children = np.bincount(one.parent, minlength=one.infoset.size)
    slope = np.zeros(one.infoset.size)
    slope[1:] = np.log(pi[one.infoset[1:], one.action[1:]]) + 1.0 - children[1:]
    ell = (eta * g - slope) / (1.0 + eta * alpha)
    for k in np.argsort(-one.depth, kind="stable"):
        at = slice(one.first[k], one.first[k] + one.actions[k])
        weight = np.exp(-ell[at])
        own = weight / weight.sum()
        new[one.infosets[k], : one.actions[k]] = own
        ell[one.parent[k]] += ell[at] @ own + own @ np.log(own)


@pytest.mark.parametrize("seed", [1, 5, 8])
@pytest.mark.parametrize("alternate", [0, 1])
def test_one_step_in_sequence_form_is_its_formula(seed, alternate):
    game = random_game(seed, zero_sum=False)
    pi = random_policy(game, seed)
    new = pi.copy()
    dilated_step(game, pi, 0.7, 0.3, 0, new)
    dilated_step(game, new if alternate else pi, 0.7, 0.3, 1, new)
    found = last("mmd-dilated", game, 1, eta=0.7, alpha=0.3, alternate=alternate, first=by_sequence(game, pi))
    np.testing.assert_allclose(found[0], new, atol=1e-13)


@pytest.mark.parametrize(("name", "alpha"), [("mmd", 0.3), ("mirror-descent", 0.0)])
@pytest.mark.parametrize("alternate", [0, 1])
def test_one_step_by_infoset_is_its_formula(name, alpha, alternate):
    if name == "mirror-descent" and alternate:
        with pytest.raises(InputError, match="no parameter 'alternate'"):
            last(name, random_game(5), 1, alternate=1)
        return
    game, eta = random_game(5, zero_sum=False), 0.7
    pi, uniform = random_policy(game, 5), uniform_policy(game)

    def step(policy):
        q = np.nan_to_num(action_values(game, policy).q)
        with np.errstate(divide="ignore", invalid="ignore"):
            new = np.exp((np.log(policy) + alpha * eta * np.log(uniform) + eta * q) / (1.0 + alpha * eta))
        new = np.where(game.legal, new, 0.0)
        return new / new.sum(axis=1, keepdims=True)

    wanted = step(pi)
    if alternate:
        mine = (game.infoset_player == 0)[:, None]
        wanted = np.where(mine, wanted, step(np.where(mine, wanted, pi)))
    switch = {"alpha": alpha, "alternate": alternate} if name == "mmd" else {}
    found = last(name, game, 1, eta=eta, first=by_sequence(game, pi), **switch)
    np.testing.assert_allclose(found[0], wanted, atol=1e-13)


@pytest.mark.parametrize(
    ("name", "printed"),
    [
        ("kuhn", {10: 0.0507, 100: 2.3e-8}),
        ("dark_hex", {10: 0.307, 100: 0.0319}),
        pytest.param("dark_hex", {500: 2.0e-5, 1000: 2.5e-9}, marks=pytest.mark.long),
    ],
)
def test_regularised_gap(name, printed):
    game = getattr(mdps.games, name)()
    for n, gap in printed.items():
        found = regularised_gap(game, last("mmd-dilated", game, n)[0], 0.1)
        assert found == pytest.approx(gap, rel=0.03 if gap < 1e-4 else 2e-3)


def test_default_stepsize():
    for name, eta in (("kuhn", 0.9), ("dark_hex", 0.1), ("liars_dice", 25.6), ("leduc", 8.5207)):
        made = Simulation(find_learner("mmd-dilated"), getattr(mdps.games, name)(), replicates=1, length=1)
        assert made.params["etas"] == pytest.approx([eta], rel=1e-5)
    made = Simulation(
        find_learner("mmd-dilated"), mdps.games.kuhn(), replicates=1, length=1, params=dict(alphas=[0.1, 0.2])
    )
    assert made.params["etas"] == pytest.approx([0.9, 1.8])


def test_equilibria_are_fixed_points():
    game, alpha = mdps.games.kuhn(), 0.3
    agent, reduced = agent_quantal_response(game, alpha).policy, quantal_response(game, alpha).policy
    assert np.abs(agent - reduced).max() > 0.05
    for name, pi in (("mmd", agent), ("mmd-dilated", reduced)):
        found = last(name, game, 1, eta=0.5, alpha=alpha, first=by_sequence(game, pi))
        np.testing.assert_allclose(found[0], pi, atol=1e-9)


@pytest.mark.parametrize("name", ["mmd", "mmd-dilated", "mirror-descent"])
def test_a_replicate_has_its_own_stepsize(name):
    game, etas = random_game(5), [0.1, 0.7, 2.0]
    more = {} if name == "mirror-descent" else {"alphas": [0.5, 0.1, 0.3]}
    found = last(name, game, 4, replicates=5, etas=etas, random=1, **more)
    part = last(name, game, 4, replicates=2, begin=3, etas=etas, random=1, **more)
    assert np.array_equal(found[3:], part)
    for r in range(5):
        one = {} if name == "mirror-descent" else {"alpha": more["alphas"][r % 3]}
        alone = last(name, game, 4, begin=r, eta=etas[r % 3], random=1, **one)
        assert np.array_equal(found[r], alone[0]), r


@pytest.mark.long
@pytest.mark.parametrize("name", ["mmd", "mmd-dilated", "mirror-descent"])
def test_stepsizes_side_by_side_have_the_same_bits(name):
    game, etas = mdps.games.kuhn(), [0.1, 0.7, 2.0]
    runs = [
        last(name, game, 20, replicates=5, etas=etas, random=1, target=target, lanes=lanes)
        for target, lanes in (("python", None), ("cpu", 1), ("cpu", 5), ("cpu", 3))
    ]
    assert all(np.array_equal(runs[0], x) for x in runs[1:])


def test_one_step_of_search_from_uniform_play():
    # MMDS on the uniform blueprint of Kuhn poker, exact values: exploitability by (eta, alpha), notes 6.4
    printed = {(0.5, 0.0): 0.226, (0.5, 1.0): 0.254, (2.0, 0.05): 0.269, (2.0, 1.0): 0.232, (10.0, 0.2): 0.301}
    game = mdps.games.kuhn()
    etas, alphas = zip(*printed, strict=True)
    found = last("mmd", game, 1, replicates=len(printed), etas=etas, alphas=alphas)
    np.testing.assert_allclose(exploitability(game, found), list(printed.values()), atol=6e-4)
    plain = last("mirror-descent", game, 1, eta=0.5)
    assert exploitability(game, plain[0]) == pytest.approx(0.226, abs=6e-4)


def test_mirror_descent_with_common_payoffs():
    # limits from uniform play at eta = 0.1, notes 6.6
    for name, payoff in (("A", 2.25), ("B", 1.0), ("E", 10.0)):
        game = mdps.games.tiny_hanabi(name)
        pi = last("mirror-descent", game, 300)[0]
        assert expected_value(game, pi)[0] == pytest.approx(payoff, rel=0.02)


def test_a_probability_of_zero_stays_zero():
    game = mdps.games.kuhn()
    pure = uniform_policy(game)
    pure[0] = [1.0, 0.0]
    for name in ("mmd", "mmd-dilated", "mirror-descent"):
        found = last(name, game, 3, first=by_sequence(game, pure))[0]
        assert found[0].tolist() == [1.0, 0.0] and np.isfinite(found).all()


def test_errors_name_what_is_wrong():
    game = mdps.games.kuhn()
    pi = by_sequence(game, uniform_policy(game))
    short = pi.copy()
    short[1] = 0.25
    negative = pi.copy()
    negative[4] = -0.5
    pure = pi.copy()
    pure[1:3] = 0.0, 1.0
    for name, params, text in (
        ("mmd", dict(etas=[0.1, 0.0]), r"etas\[1\]=0.0 must be positive and alpha=1.0 not negative"),
        ("mmd", dict(alphas=[0.1, -1.0, 2.0]), r"eta=0.1 must be positive and alphas\[1\]=-1.0 not negative"),
        ("mmd", dict(etas=[0.1, 0.2], alphas=[1.0]), r"alphas has shape \(1,\), not \(2,\)"),
        ("mmd", dict(etas=[]), "etas or alphas is empty"),
        ("mmd", dict(alternate=2), "alternate=2 is none of 0 and 1"),
        ("mmd", dict(first=pi[1:]), r"first has shape \(25,\), not \(26,\)"),
        ("mmd", dict(first=short), r"first\[1:3\], infoset 0 of the layout, sums to 0.75"),
        ("mmd", dict(first=negative), r"first\[4\]=-0.5 is no probability"),
        ("mmd", dict(first=pi, random=1), "leave one out"),
        ("mmd", dict(first=pure, magnet=0.05), r"first\[1\]=0, and a moving magnet"),
        ("mirror-descent", dict(alpha=0.5), "no parameter 'alpha'"),
        ("mirror-descent", dict(eta=-1.0), "eta=-1.0 must be positive"),
        ("mmd-dilated", dict(alpha=0.0), "give eta"),
        ("mmd-dilated", dict(eta=-1.0), "eta=-1.0 must be positive"),
        ("mmd-dilated", dict(alphas=[0.1, 0.0]), "alpha is 0.0"),
    ):
        with pytest.raises(InputError, match=text):
            last(name, game, 1, **params)
