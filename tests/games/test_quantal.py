"""Quantal response equilibria and the regularised gap: values printed in the notes on sokota2024, and definitions."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

import mdps
from tests.games.trees import random_game
from theorylab.errors import InputError
from theorylab.games import MatrixGame, action_values, expected_value, exploitability, random_policy, uniform_policy
from theorylab.games.layout import by_sequence
from theorylab.games.quantal import (
    agent_quantal_response,
    dilated_divergence,
    quantal_best_response,
    quantal_response,
    regularised_gap,
)
from theorylab.games.values import realisation
from theorylab.registry import find_learner
from theorylab.simulation import Simulation

#: perturbed rock-paper-scissors: temperature -> the policy of both players
RPS = {
    0.5: (0.29813319, 0.41382045, 0.28804635),
    0.2: (0.22364492, 0.47798817, 0.29836691),
    0.1: (0.17347803, 0.48630324, 0.34021873),
    0.05: (0.1517447, 0.46794775, 0.38030755),
}
#: Kuhn poker: temperature -> probability to bet or call at each agent equilibrium, exploitability, value
AGENTS = {
    0.5: (
        {"0": 0.2843, "1": 0.3970, "2": 0.5361, "0p": 0.3172, "1p": 0.3461, "2p": 0.6711}
        | {"0b": 0.1192, "1b": 0.6840, "2b": 0.9975, "0pb": 0.1192, "1pb": 0.6382, "2pb": 0.9975},
        0.1124,
        -0.0448,
    ),
    0.1: (
        {"0": 0.1899, "1": 0.1369, "2": 0.5916, "0p": 0.3222, "1p": 0.0339, "2p": 0.9434}
        | {"0b": 0.0, "1b": 0.4301, "2b": 1.0, "0pb": 0.0, "1pb": 0.5455, "2pb": 1.0},
        0.0189,
        -0.0562,
    ),
}


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def matrix_step(A, x, y, eta, alpha, alternate=False):
    """One step of MMD with a uniform magnet, row vectors x (R,m) and y (R,n), x maximises x^T A y; eta (R,1)."""
    new = softmax((np.log(x) + eta * (y @ A.T)) / (1.0 + eta * alpha))
    return new, softmax((np.log(y) - eta * ((new if alternate else x) @ A)) / (1.0 + eta * alpha))


def entropy(game, pi):
    """psi of both players, from its definition."""
    total = np.zeros(2)
    plans = realisation(game, pi)
    for p in (0, 1):
        one = game.sequences[p]
        for i, first, count, before in zip(one.infosets, one.first, one.actions, one.parent, strict=True):
            own = pi[i, :count]
            total[p] += plans[p][before] * (own @ np.log(own))
            np.testing.assert_allclose(plans[p][first : first + count], plans[p][before] * own)
    return total


@pytest.mark.parametrize(("alpha", "printed"), RPS.items())
def test_perturbed_rps(alpha, printed):
    game = mdps.games.perturbed_rps()
    found = quantal_response(game, alpha)
    np.testing.assert_allclose(found.policy, np.tile(printed, (2, 1)), atol=1e-8)
    x, y = found.policy
    assert np.abs(x - softmax(game.row @ y / alpha)).max() < 1e-12
    assert np.abs(y - softmax(-game.row.T @ x / alpha)).max() < 1e-12
    assert found.residual <= 1e-12 and 0.0 <= found.gap < 1e-20


@pytest.mark.parametrize(
    ("alpha", "largest"),
    [(0.5, 0.652), (0.2, 0.9269), (0.1, 0.9812), pytest.param(0.05, 0.9954, marks=pytest.mark.long)],
)
def test_rate_of_mmd_in_perturbed_rps(alpha, largest):
    game = mdps.games.perturbed_rps()
    target = quantal_response(game, alpha, tol=1e-13).policy
    bound = 1.0 / (1.0 + alpha * alpha)
    # from uniform play and from a policy near a corner; the largest ratio is that of the first. The notes have .678,
    # .937, .984 and .9961 from a start that they do not give
    x = np.stack([np.full(3, 1 / 3), random_policy(game.extensive(), 4)[0]])
    y = np.full((2, 3), 1 / 3)
    old, ratios = dilated_divergence(game, target, np.stack([x, y], axis=1)), [0.0]
    while old[0] > 1e-10:
        x, y = matrix_step(game.row, x, y, alpha, alpha)
        new = dilated_divergence(game, target, np.stack([x, y], axis=1))
        assert (new <= bound * (1.0 + 1e-9) * old)[old > 1e-10].all()
        ratios.append(float(new[0] / old[0]))
        old = new
    assert max(ratios) == pytest.approx(largest, abs=1e-4)


def test_too_large_a_stepsize_fails_in_perturbed_rps():
    game, alpha = mdps.games.perturbed_rps(), 0.05
    target = quantal_response(game, alpha).policy
    x = y = np.full((1, 3), 1 / 3)
    seen = []
    for _ in range(300):
        x, y = matrix_step(game.row, x, y, 64 * alpha, alpha)
        seen.append(dilated_divergence(game, target, np.stack([x[0], y[0]])))
    assert max(b / a for a, b in pairwise(seen)) > 1.0 and seen[-1] > 0.01


def test_matching_pennies_simultaneous_and_alternating():
    game, alpha = mdps.games.matching_pennies(), 0.1
    x0, y0 = np.array([[0.8, 0.2]]), np.array([[0.3, 0.7]])

    def after(etas, alternate):
        eta = np.array(etas)[:, None]
        x, y = np.repeat(x0, len(etas), axis=0), np.repeat(y0, len(etas), axis=0)
        for _ in range(2000):
            x, y = matrix_step(game.row, x, y, eta, alpha, alternate)
        return dilated_divergence(game, np.full((1, 2, 2), 0.5), np.stack([x, y], axis=1))

    both = after([0.1, 0.5], False)
    assert both[0] == pytest.approx(6e-10, rel=0.1) and both[1] > 0.1
    turns = after([0.1, 0.5, 1.0, 2.0, 5.0], True)
    assert (turns[:4] < 1e-8).all() and turns[4] > 0.1


@pytest.mark.parametrize("alpha", [0.1, 0.3])
def test_stepsize_limit_in_matching_pennies(alpha):
    # simultaneous MMD contracts near the QRE if and only if eta < 2 alpha/(1 - alpha^2)
    eta = np.array([[0.95], [1.05]]) * 2.0 * alpha / (1.0 - alpha**2)
    x, y = np.tile([0.5001, 0.4999], (2, 1)), np.full((2, 2), 0.5)
    game, half = mdps.games.matching_pennies(), np.full((2, 2), 0.5)
    first = dilated_divergence(game, half, np.stack([x, y], axis=1))
    for _ in range(2000):
        x, y = matrix_step(game.row, x, y, eta, alpha)
    grown = dilated_divergence(game, half, np.stack([x, y], axis=1)) / first
    assert grown[0] < 0.05 and grown[1] > 20.0


def test_the_step_above_is_that_of_the_learner():
    game = mdps.games.perturbed_rps()
    pi = random_policy(game.extensive(), 9)
    x, y = pi[:1], pi[1:]
    for _ in range(7):
        x, y = matrix_step(game.row, x, y, 0.6, 0.3)
    for name in ("mmd", "mmd-dilated"):
        params = dict(eta=0.6, alpha=0.3, first=by_sequence(game, pi))
        found = Simulation(find_learner(name), game, replicates=1, length=7, params=params, target="python").advance()
        np.testing.assert_allclose(found.curves().final["policy"][0], np.concatenate([x, y]), atol=1e-14)


@pytest.mark.parametrize("alpha", AGENTS)
def test_agent_equilibrium_of_kuhn_poker(alpha):
    game = mdps.games.kuhn()
    printed, exploited, value = AGENTS[alpha]
    found = agent_quantal_response(game, alpha)
    bet = {name: found.policy[i, 1] for i, name in enumerate(game.labels)}
    assert bet.keys() == printed.keys()
    assert all(abs(bet[name] - p) <= 5.1e-5 for name, p in printed.items())
    assert exploitability(game, found.policy) == pytest.approx(exploited, abs=5.1e-5)
    assert expected_value(game, found.policy)[0] == pytest.approx(value, abs=5.1e-5)
    q = action_values(game, found.policy).q
    assert np.abs(found.policy - softmax(q / alpha)).max() < 1e-8 and np.isnan(found.gap)


@pytest.mark.parametrize("seed", [3, 8])
def test_gap_and_best_response_from_their_definitions(seed):
    game, alpha = random_game(seed), 0.4
    pi = random_policy(game, 1)
    best = quantal_best_response(game, pi, alpha)
    U = game.payoff_matrices[0].toarray()
    x, y = realisation(game, pi)

    def gain(w):
        (u, v), psi = realisation(game, w), entropy(game, w)
        return u @ U @ y - alpha * psi[0], -(x @ U @ v) - alpha * psi[1]

    gap = sum(gain(best)) + alpha * sum(entropy(game, pi))
    assert regularised_gap(game, pi, alpha) == pytest.approx(gap, rel=1e-10)
    for k in range(20):
        other = random_policy(game, 100 + k)
        assert all(a <= b + 1e-12 for a, b in zip(gain(0.95 * best + 0.05 * other), gain(best), strict=True))
    found = quantal_response(game, alpha)
    assert np.abs(found.policy - quantal_best_response(game, found.policy, alpha)).max() <= 1e-12
    # the gap bounds the distance to the equilibrium
    assert 0.0 < dilated_divergence(game, pi, found.policy) <= regularised_gap(game, pi, alpha) / alpha
    rows = regularised_gap(game, np.stack([pi, found.policy]), alpha)
    assert rows[0] == pytest.approx(gap, rel=1e-10) and rows[1] == found.gap


def test_divergence_from_its_definition():
    game = random_game(5)
    z, pi = random_policy(game, 1), random_policy(game, 2)
    # Bregman: psi(z) - psi(pi) - <grad psi(pi), z - pi>, with the gradient of the notes
    plans, others = realisation(game, z), realisation(game, pi)
    total = entropy(game, z).sum() - entropy(game, pi).sum()
    for p in (0, 1):
        one = game.sequences[p]
        slope = np.log(pi[one.infoset[1:], one.action[1:]]) + 1.0
        slope -= np.bincount(one.parent, minlength=one.infoset.size)[1:]
        total -= slope @ (plans[p] - others[p])[1:]
    assert dilated_divergence(game, z, pi) == pytest.approx(total, rel=1e-12)
    assert dilated_divergence(game, z, z) == 0.0
    assert np.allclose(dilated_divergence(game, z, np.stack([pi, z])), [total, 0.0])
    pure = np.zeros_like(z)
    pure[:, 0] = 1.0
    assert np.isinf(dilated_divergence(game, z, pure)) and np.isfinite(dilated_divergence(game, pure, z))
    # no cancellation close by: KL of (1/2 + e, 1/2 - e) from uniform is 2 e^2 + O(e^4)
    pennies, e = mdps.games.matching_pennies(), 1e-7
    near = np.array([[0.5 + e, 0.5 - e], [0.5, 0.5]])
    assert dilated_divergence(pennies, near, np.full((2, 2), 0.5)) == pytest.approx(2.0 * e * e, rel=1e-6)


def test_agent_equilibrium_of_common_payoffs():
    game = mdps.games.tiny_hanabi("A")
    found = agent_quantal_response(game, 0.3)
    q = action_values(game, found.policy).q
    with np.errstate(invalid="ignore"):
        wanted = np.exp(np.where(game.legal, q / 0.3, -np.inf))
    assert np.abs(found.policy - wanted / wanted.sum(axis=1, keepdims=True)).max() <= 1e-9


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "expl"), [("kuhn", 0.112), ("dark_hex", 0.178), ("liars_dice", 0.284), ("leduc", 0.225)]
)
def test_agent_equilibria_of_larger_games(name, expl):
    game = getattr(mdps.games, name)()
    found = agent_quantal_response(game, 0.5)
    assert found.residual <= 1e-10 and exploitability(game, found.policy) == pytest.approx(expl, abs=6e-4)
    assert quantal_response(game, 0.1).gap < 1e-20


def test_errors_name_what_is_wrong():
    kuhn, hanabi = mdps.games.kuhn(), mdps.games.tiny_hanabi("A")
    for alpha in (0.0, -1.0, float("nan"), float("inf")):
        for call in (quantal_response, agent_quantal_response):
            with pytest.raises(InputError, match="the theorem needs it positive"):
                call(kuhn, alpha)
        for call in (regularised_gap, quantal_best_response):
            with pytest.raises(InputError, match=f"alpha={alpha}"):
                call(kuhn, uniform_policy(kuhn), alpha)
    with pytest.raises(InputError, match=r"not zero-sum: payoffs .* at node \d+"):
        quantal_response(hanabi, 1.0)
    with pytest.raises(InputError, match="not zero-sum"):
        regularised_gap(hanabi, uniform_policy(hanabi), 1.0)
    with pytest.raises(InputError, match=r"no quantal response equilibrium of 'kuhn' within 3 iterations: residual 0"):
        quantal_response(kuhn, 0.1, limit=3)
    with pytest.raises(InputError, match="no agent quantal response"):
        agent_quantal_response(kuhn, 0.1, limit=3)
    with pytest.raises(InputError, match=r"sums to 0\.5"):
        dilated_divergence(MatrixGame(np.eye(2)), np.full((2, 2), 0.25), np.full((2, 2), 0.5))
