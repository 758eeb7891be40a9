"""Values, best responses, exploitability and equilibria against enumeration."""

from __future__ import annotations

import numpy as np
import pytest

from tests.games.trees import children, random_game, slow_best, slow_reach, slow_value
from theorylab.errors import InputError
from theorylab.games import (
    MatrixGame,
    action_values,
    best_response,
    expected_value,
    exploitability,
    first_action_policy,
    random_policy,
    solve,
    uniform_policy,
)
from theorylab.games.equilibrium import behavioural, constraints
from theorylab.games.values import realisation

SEEDS = [0, 1, 3, 5, 8, 13]


@pytest.mark.parametrize("seed", SEEDS)
def test_expected_value_is_that_of_the_tree(seed):
    game = random_game(seed, zero_sum=False)
    pi = random_policy(game, seed, 3)
    wanted = [slow_value(game, one) for one in pi]
    np.testing.assert_allclose(expected_value(game, pi), wanted, atol=1e-13)
    np.testing.assert_allclose(expected_value(game, pi[1]), wanted[1], atol=1e-13)


@pytest.mark.parametrize("seed", SEEDS)
def test_action_values_are_conditional_expectations(seed):
    game = random_game(seed, zero_sum=False)
    pi = random_policy(game, seed + 100)
    found = action_values(game, pi)
    below = children(game)
    for i in range(game.infosets):
        p = int(game.infoset_player[i])
        nodes = np.flatnonzero(game.infoset == i)
        weight = np.array([slow_reach(game, pi, int(n), p) for n in nodes])
        assert found.mass[i] == pytest.approx(weight.sum(), abs=1e-13)
        own = slow_reach(game, pi, int(nodes[0]), -1) / weight[0]
        assert found.reach[i] == pytest.approx(own, abs=1e-13)
        for a in range(game.A):
            if a >= game.infoset_actions[i]:
                assert np.isnan(found.q[i, a]) and found.counterfactual[i, a] == 0.0
                continue
            values = [slow_value(game, pi, below[n][a], below)[p] for n in nodes]
            assert found.counterfactual[i, a] == pytest.approx(float(weight @ values), abs=1e-12)
            assert found.q[i, a] == pytest.approx(float(weight @ values / weight.sum()), abs=1e-11)
    np.testing.assert_allclose(found.value, slow_value(game, pi), atol=1e-13)


def test_action_values_where_nothing_leads_are_undefined():
    game = MatrixGame(np.eye(2)).extensive()
    pi = np.array([[1.0, 0.0], [0.5, 0.5]])
    assert np.isfinite(action_values(game, pi).q).all()
    tree = random_game(3)
    found = action_values(tree, first_action_policy(tree))
    assert np.isnan(found.q[found.mass == 0.0]).all() and (found.mass == 0.0).any()


@pytest.mark.parametrize("seed", SEEDS)
def test_best_response_against_all_pure_strategies(seed):
    game = random_game(seed, depth=3)
    pi = random_policy(game, seed + 7, 2)
    best = [[slow_best(game, one, p) for one in pi] for p in (0, 1)]
    for p in (0, 1):
        found = best_response(game, pi, p)
        np.testing.assert_allclose(found.value, best[p], atol=1e-12)
        # and its actions earn that
        played = pi[0].copy()
        mine = game.sequences[p].infosets
        played[mine] = 0.0
        played[mine, found.actions[0]] = 1.0
        assert expected_value(game, played)[p] == pytest.approx(best[p][0], abs=1e-12)
    np.testing.assert_allclose(exploitability(game, pi), (np.array(best[0]) + np.array(best[1])) / 2.0, atol=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
def test_equilibria_have_no_gain_and_the_value_of_minimax(seed):
    game = random_game(seed)
    found = solve(game)
    assert found.error < 1e-9
    assert found.value == pytest.approx(float(expected_value(game, found.policy)[0]), abs=1e-9)
    # player 0 cannot get more against it, nor less by its own part
    assert best_response(game, found.policy, 0).value == pytest.approx(found.value, abs=1e-9)


def test_equilibrium_of_matrix_games():
    found = solve(MatrixGame(np.array([[0.0, -3.0, 3.0], [3.0, 0.0, -1.0], [-3.0, 1.0, 0.0]])))
    assert found.value == pytest.approx(0.0, abs=1e-12)
    np.testing.assert_allclose(found.policy[0], np.array([1.0, 3.0, 3.0]) / 7.0, atol=1e-9)
    x = MatrixGame(np.array([[3.0, 1.0], [2.0, 4.0]]))
    found = solve(x)  # by hand: value 5/2, row (1/2, 1/2), column (3/4, 1/4)
    assert found.value == pytest.approx(2.5)
    np.testing.assert_allclose(found.policy, [[0.5, 0.5], [0.75, 0.25]], atol=1e-9)
    assert x.zero_sum and not x.common_payoff and x.setting == "matrix-game"
    assert x.extensive().payoff_matrices[0].toarray()[1:, 1:].tolist() == [[3.0, 1.0], [2.0, 4.0]]
    with pytest.raises(InputError, match="not zero-sum"):
        solve(MatrixGame(np.eye(2), np.eye(2)))
    with pytest.raises(InputError, match=r"row\[0,1\]=nan"):
        MatrixGame(np.array([[0.0, np.nan]]))
    with pytest.raises(InputError, match="expected the same"):
        MatrixGame(np.eye(2), np.eye(3))


@pytest.mark.parametrize("seed", SEEDS)
def test_realisation_plans_obey_their_constraints(seed):
    game = random_game(seed)
    pi = random_policy(game, seed)
    plans = realisation(game, pi)
    for p in (0, 1):
        right = constraints(game, p) @ plans[p]
        np.testing.assert_allclose(right, np.eye(right.size)[0], atol=1e-14)
    np.testing.assert_allclose(behavioural(game, plans), pi, atol=1e-12)


def test_policies_are_checked():
    game = MatrixGame(np.array([[1.0, 2.0, 3.0], [0.0, 1.0, 0.0]])).extensive()
    good = uniform_policy(game)
    assert good.tolist() == [[0.5, 0.5, 0.0], [1 / 3, 1 / 3, 1 / 3]]
    for change, text in (
        ((0, 2, 0.5), r"infoset 'row' has no action 2"),
        ((0, 1, 0.4), r"policy\[0,0\] sums to 0.9, not to 1"),
        ((1, 0, -0.1), r"policy\[0,1,0\]=-0.1 is no probability"),
        ((1, 0, np.nan), r"policy\[0,1,0\]=nan is no probability"),
    ):
        bad = good.copy()
        bad[change[0], change[1]] = change[2]
        with pytest.raises(InputError, match=text):
            expected_value(game, bad)
    with pytest.raises(InputError, match=r"policy has shape \(2, 2\)"):
        expected_value(game, good[:, :2])
    with pytest.raises(InputError, match="player=2"):
        best_response(game, good, 2)
    with pytest.raises(InputError, match="not zero-sum: payoffs"):
        exploitability(random_game(0, zero_sum=False), uniform_policy(random_game(0)))


def test_random_policies_are_addressed():
    game = random_game(0)
    many = random_policy(game, 4, 5)
    assert np.array_equal(random_policy(game, 4, 2), many[:2]) and np.array_equal(random_policy(game, 4), many[0])
    assert not np.array_equal(many[0], many[1])
    with pytest.raises(InputError, match="weight=0"):
        random_policy(game, 0, weight=0.0)
