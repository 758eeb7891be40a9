"""Search: printed values of the notes on sokota2024 (6.4), what is played, its error, planted faults, bad input."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import mdps
from tests.games.trees import random_game
from theorylab.errors import InputError
from theorylab.games import (
    CHANCE,
    TERMINAL,
    ExtensiveForm,
    MatrixGame,
    action_values,
    expected_value,
    exploitability,
    first_action_policy,
    random_policy,
    uniform_policy,
)
from theorylab.games import search as module
from theorylab.games.rollouts import estimate, running, watch
from theorylab.games.search import sampled_action_values, search, sparta
from theorylab.games.search_result import jackknife
from theorylab.games.updates import apply_globally, best_response, blueprint, magnetic, mirror_descent, regularised

KUHN = mdps.games.kuhn()
HEX = mdps.games.dark_hex()


# Action values by rollouts


def _scores(game, pi, exact=None, **keys):
    """Means of qhat over seeds less the exact values, in standard errors; where qhat does not vary it must be exact."""
    q = sampled_action_values(game, pi, 5, 400, **keys).q
    wanted = action_values(game, pi).q if exact is None else exact
    mean, error = q.mean(axis=0), q.std(axis=0, ddof=1) / np.sqrt(len(q))
    np.testing.assert_array_equal(np.isnan(mean), np.isnan(wanted))
    still = error < 1e-12
    found = np.where(
        still, np.where(np.abs(mean - wanted) < 1e-12, 0.0, np.inf), (mean - wanted) / np.where(still, 1.0, error)
    )
    return found[game.legal & ~np.isnan(wanted)]


@pytest.mark.parametrize("common", [True, False])
@pytest.mark.parametrize("game", [KUHN, random_game(0, zero_sum=False), random_game(3)], ids=["kuhn", "0", "3"])
def test_rollouts_average_to_the_action_values(game, common):
    scores = _scores(game, random_policy(game, 6), common=common)
    assert np.abs(scores).max() < 4.5


def _no_chance(game, pi):
    """Weights of histories without the reach of chance."""
    found = ORIGINAL["history_weights"](game, pi)
    return found / np.where(game.chance_reach > 0.0, game.chance_reach, 1.0)


def _improved(game, pi):
    """Rollouts under the updated policy."""
    return ORIGINAL["edge_probabilities"](game, apply_globally(game, pi, mirror_descent(2.0)))


def _own_improved(game, pi):
    """Rollouts in which player 0 alone plays the updated policy later."""
    return ORIGINAL["edge_probabilities"](game, apply_globally(game, pi, mirror_descent(2.0), (0,)))


def _improved_belief(game, pi):
    """Beliefs as if the players had searched before."""
    return ORIGINAL["history_weights"](game, apply_globally(game, pi, mirror_descent(2.0)))


ORIGINAL = {name: getattr(module, name) for name in ("history_weights", "edge_probabilities")}


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("history_weights", _no_chance),
        ("history_weights", _improved_belief),
        ("edge_probabilities", _improved),
        ("edge_probabilities", _own_improved),
    ],
)
def test_faults_of_beliefs_and_rollouts_are_told(name, fault, monkeypatch):
    game = random_game(16)
    pi = random_policy(game, 6)
    monkeypatch.setattr(module, name, fault)
    assert np.abs(_scores(game, pi)).max() > 10.0  # 2.7 without a fault


def test_seeds_and_infosets_may_be_split():
    pi, update = random_policy(KUHN, 6), magnetic(1.0, 0.2)
    for beliefs in ("exact", "particles"):
        whole = search(KUHN, pi, update, 7, 20, beliefs=beliefs, particles=4, tries=200, seed=3)
        parts = [
            search(KUHN, pi, update, 7, r, beliefs=beliefs, particles=4, tries=200, seed=3)
            for r in (range(10), range(10, 20))
        ]
        joined = parts[0].join(parts[1])
        np.testing.assert_array_equal(joined.rows, whole.rows)
        np.testing.assert_array_equal(joined.policy, whole.policy)
        assert (joined.rollouts, joined.short, joined.fallbacks) == (whole.rollouts, whole.short, whole.fallbacks)
        alone = search(KUHN, pi, update, 7, 20, beliefs=beliefs, particles=4, tries=200, seed=3, infosets=[4, 9])
        np.testing.assert_array_equal(alone.rows, whole.rows[:, [4, 9]])
        assert not np.array_equal(parts[0].rows, parts[1].rows)
    assert not np.array_equal(whole.rows, search(KUHN, pi, update, 7, 20, seed=4).rows)
    with pytest.raises(InputError, match="do not follow"):
        parts[1].join(parts[0])
    with pytest.raises(InputError, match="same search"):
        parts[0].join(search(KUHN, pi, magnetic(1.0, 0.2), 7, range(10, 20)))


def test_common_histories_leave_the_difference_of_actions():
    # chance draws x in {0, 8}, the player cannot see it and adds 0 or 1
    game = ExtensiveForm(
        parent=np.array([-1, 0, 0, 1, 1, 2, 2]),
        mover=np.array([CHANCE, 0, 0, TERMINAL, TERMINAL, TERMINAL, TERMINAL]),
        action=np.array([-1, 0, 1, 1, 0, 0, 1]),  # edges not in the order of nodes
        infoset=np.array([-1, 0, 0, -1, -1, -1, -1]),
        chance=np.array([1.0, 0.25, 0.75, 1.0, 1.0, 1.0, 1.0]),
        payoff=np.array([[0.0, 0], [0, 0], [0, 0], [1, -1], [0, 0], [8, -8], [9, -9]]),
    )
    pi = uniform_policy(game)
    both = [sampled_action_values(game, pi, 3, 200, common=c).q[:, 0] for c in (True, False)]
    np.testing.assert_allclose(both[0][:, 1] - both[0][:, 0], 1.0, atol=1e-12)
    assert both[0][:, 0].std() > 1.0  # the values themselves vary
    assert both[1].var(axis=0)[0] == pytest.approx(12.0 / 3.0, rel=0.2)
    assert (both[1][:, 1] - both[1][:, 0]).var() == pytest.approx(2 * 12.0 / 3.0, rel=0.25)


def test_no_draw_serves_twice():
    # one decision, then two fair coins of chance: the payoff is the number of heads
    game = ExtensiveForm(
        parent=np.array([-1, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6]),
        mover=np.array([0, *[CHANCE] * 6, *[TERMINAL] * 8]),
        action=np.array([-1, *[0, 1] * 7]),
        infoset=np.array([0, *[-1] * 14]),
        chance=np.array([1.0, 1.0, 1.0, *[0.5] * 12]),
        payoff=np.array([[0.0, 0.0]] * 7 + [[h, -h] for h in (0.0, 1.0, 1.0, 2.0)] * 2),
    )
    q = sampled_action_values(game, uniform_policy(game), 8, 4000).q[:, 0]
    np.testing.assert_allclose(8 * q.var(axis=0), 0.5, rtol=0.1)  # over rollouts and steps
    assert abs(np.corrcoef(q.T)[0, 1]) < 0.08 and abs(np.corrcoef(q[1:, 0], q[:-1, 0])[0, 1]) < 0.08


def test_all_particles_are_used():
    pi = uniform_policy(KUHN)
    one, many = (
        sampled_action_values(KUHN, pi, 500, 200, beliefs="particles", particles=K, tries=1000, infosets=[1]).q[:, 0, 1]
        for K in (1, 16)
    )
    assert many.var() < 0.3 * one.var()


def test_kernels_are_the_same_as_plain_python():
    game = random_game(3)
    pi = random_policy(game, 6)
    built = {}
    for target in ("cpu", "python"):
        with pytest.MonkeyPatch.context() as patch:
            for name, one in (("estimate", estimate), ("running", running), ("watch", watch)):
                patch.setattr(module, name, _Built(one, target))
            for beliefs in ("exact", "particles"):
                built[target, beliefs] = sampled_action_values(
                    game, pi, 6, 3, beliefs=beliefs, particles=3, tries=20, minimum=2, width=0.5
                )
    for beliefs in ("exact", "particles"):
        one, two = built["cpu", beliefs], built["python", beliefs]
        np.testing.assert_array_equal(one.q, two.q)
        np.testing.assert_array_equal(one.number, two.number)
        assert (one.fallbacks, one.short) == (two.fallbacks, two.short) and (one.number < 0).any()


class _Built:
    def __init__(self, kernel, target):
        self.compile_cpu = kernel.compile_cpu if target == "cpu" else lambda: kernel.build("python")


def test_particles_are_histories_of_the_blueprint():
    pi = random_policy(KUHN, 6)
    assert np.abs(_scores(KUHN, pi, beliefs="particles", particles=3, tries=3000)).max() < 4.5
    found = sampled_action_values(KUHN, pi, 5, 50, beliefs="particles", particles=3, tries=3000)
    few = sampled_action_values(KUHN, pi, 5, 50, beliefs="particles", particles=40, tries=3000)
    assert found.fallbacks == 0 and found.short < few.short


def test_without_particles_all_histories_are_alike():
    game = random_game(0, zero_sum=False)
    pi = random_policy(game, 6)
    found = sampled_action_values(game, pi, 30, 100, beliefs="particles", tries=1)
    assert 0 < found.fallbacks < 100 * game.infosets and found.short > 0
    # player 1 moves without seeing what player 0, who never plays its second action, has done
    A = np.array([[1.0, 2.0], [5.0, 4.0]])
    tree = MatrixGame(A, -A).extensive()
    one = np.array([[1.0, 0.0], [1.0, 0.0]])
    q = sampled_action_values(tree, one, 200, 20, beliefs="particles", particles=3, tries=50).q
    np.testing.assert_array_equal(q[:, 1], np.broadcast_to([-1.0, -2.0], (20, 2)))


# What is played


def test_exact_search_is_the_global_update():
    pi, update = random_policy(KUHN, 6), magnetic(np.linspace(0.5, 2.0, 12), 0.2)
    for players in ((0,), (1,), (0, 1)):
        found = search(KUHN, pi, update, players=players)
        np.testing.assert_allclose(found.policy, apply_globally(KUHN, pi, update, players), atol=1e-15)
        assert found.exploitability().error == 0.0 and (found.stderr == 0.0).all() and found.rollouts == 0
        floor, whole = found.exploitability_floor().plain, found.exploitability().plain
        assert floor == whole == pytest.approx(exploitability(KUHN, found.policy), abs=1e-15)
    np.testing.assert_array_equal(search(KUHN, pi, blueprint(), 3, 4).policy, pi)


#: notes, 6.4, eta 5, alpha .05: rollouts, seeds -> exploitability of the average, mean of realised tables
SAMPLED = [(1, 200, 0.356, 0.608), (10, 200, 0.243, 0.515), (100, 20, 0.236, 0.321)]
#: their standard deviations over 20 to 50 runs of these sizes
SPREAD = {1: (0.0095, 0.0095), 10: (0.0122, 0.006), 100: (0.0135, 0.012)}


@pytest.mark.parametrize(("rollouts", "seeds", "printed", "realised"), SAMPLED)
def test_sampled_search_on_abrupt_dark_hex(rollouts, seeds, printed, realised):
    found = search(HEX, uniform_policy(HEX), magnetic(5.0, 0.05), rollouts, seeds)
    whole, single = SPREAD[rollouts]
    # both numbers are random: the difference of two
    assert abs(found.exploitability().plain - printed) < 3 * np.sqrt(2) * whole
    assert abs(found.realised_exploitability().mean() - realised) < 3 * np.sqrt(2) * single
    assert found.rollouts == rollouts * seeds * HEX.legal.sum()


def test_intervals_hold_what_is_played_and_plain_averages_are_too_high():
    whole = search(HEX, uniform_policy(HEX), magnetic(5.0, 0.05), 10, 20 * 60)
    inside, plain = 0, []
    for k in range(60):
        one = replace(whole, rows=whole.rows[20 * k : 20 * k + 20], seeds=range(20))
        low, high = one.exploitability_interval(0.95)
        inside += low < 0.2212 < high  # by 20,000 seeds, +- .002
        plain.append(one.exploitability().plain)
    assert inside >= 55 and np.mean(plain) > 0.2212 + 0.03
    low, high = whole.exploitability_interval(0.99)
    assert low < 0.2212 < high < low + 0.06


@pytest.mark.long
def test_rows_approach_the_update_at_the_root_of_the_rollouts_and_what_is_played_faster():
    pi, update = uniform_policy(HEX), magnetic(5.0, 0.05)
    exact = apply_globally(HEX, pi, update)[0]
    single, mean = [], []
    for rollouts, seeds in ((16, 100_000), (256, 50_000), (4096, 500)):
        rows = search(HEX, pi, update, rollouts, seeds, infosets=[0]).rows[:, 0]
        single.append(np.abs(rows - exact).sum(axis=1).mean() / 2.0)
        mean.append(np.abs(rows.mean(axis=0) - exact).sum() / 2.0)
    # a single row has the error of qhat, N^{-1/2}
    assert single[1] / single[2] == pytest.approx(4.0, rel=0.1), single
    # qhat is unbiased and U smooth: of their average the terms of first order cancel, and 1/N is left
    assert 10.0 < mean[0] / mean[1] < 18.0, mean


def test_average_is_unbiased_in_value_and_single_tables_are_not_what_is_played():
    pi = uniform_policy(HEX)
    found = search(HEX, pi, magnetic(5.0, 0.05), 10, 400)
    other = search(HEX, pi, magnetic(5.0, 0.05), 10, 400, seed=1)
    for p in (0, 1):
        one, two = found.value(p), other.value(p)
        assert abs(one.plain - two.plain) < 4 * np.hypot(one.error, two.error)
        # payoffs are linear in rows of different infosets: a single table's mean is right too
        assert found.realised_value(p).mean() == pytest.approx(one.plain, abs=5 * one.error)
    assert found.realised_exploitability().mean() > found.exploitability().plain + 0.2
    spread = found.rows.std(axis=0, ddof=1) / np.sqrt(400)
    np.testing.assert_allclose(found.stderr, spread, atol=1e-15)
    np.testing.assert_allclose(found.policy.sum(axis=1), 1.0, atol=1e-12)


def test_infosets_without_mass_keep_the_blueprint_and_are_counted():
    pi = first_action_policy(KUHN)
    mass = action_values(KUHN, pi).mass
    empty = np.flatnonzero(mass == 0.0)
    for rollouts in (None, 4):
        found = search(KUHN, pi, regularised(1.0), rollouts, 3)
        assert found.zero_mass == empty.size > 0
        np.testing.assert_array_equal(found.policy[empty], pi[empty])
        assert (found.policy[mass > 0.0] != pi[mass > 0.0]).any(axis=1).all()


def test_argmax_play_and_ties():
    game = mdps.games.tiny_hanabi("B")
    pi = uniform_policy(game)
    exact = action_values(game, pi).q
    top = exact >= exact.max(axis=1, keepdims=True) - 1e-12
    tied = int((top.sum(axis=1) > 1).sum())
    found = search(game, pi, mirror_descent(1.0), play="argmax")
    np.testing.assert_array_equal(found.policy, search(game, pi, best_response()).policy)
    assert found.ties == search(game, pi, best_response()).ties == tied > 0
    assert search(game, pi, mirror_descent(1.0)).ties == 0
    sampled = search(game, pi, mirror_descent(1.0), 5, 100, play="argmax")
    assert set(np.unique(sampled.rows)) == {0.0, 1.0} and 0 < sampled.ties < 100 * game.infosets
    np.testing.assert_array_equal(sampled.rows, search(game, pi, best_response(), 5, 100).rows)


# SPARTA


def test_sparta_deviates_for_gains_above_the_threshold_only():
    pi = random_policy(HEX, 2)
    q = np.where(HEX.legal, action_values(HEX, pi).q, -np.inf)
    mine = HEX.sequences[0].infosets
    kept = pi[mine].argmax(axis=1)
    gain = q[mine].max(axis=1) - q[mine, kept]
    found = sparta(HEX, pi, 0, threshold=0.3, minimum=100, rollouts=2000, seeds=4)
    at = np.argsort(found.infosets)
    moved = found.policy[np.sort(mine)].argmax(axis=1) != pi[np.sort(mine)].argmax(axis=1)
    gain = gain[np.argsort(mine)]
    assert moved[gain > 0.4].all() and not moved[gain < 0.2].any() and (gain > 0.4).any() and (gain < 0.2).any()
    assert at.size == mine.size
    np.testing.assert_array_equal(found.policy[HEX.infoset_player == 1], pi[HEX.infoset_player == 1])
    never = sparta(HEX, pi, 0, threshold=5.0, minimum=2, rollouts=10, seeds=2)
    np.testing.assert_array_equal(never.policy[mine].argmax(axis=1), kept)
    assert (never.rows.max(axis=-1) == 1.0).all()


def test_sparta_gains_and_drops_actions_that_are_worse():
    pi = first_action_policy(HEX)
    before = expected_value(HEX, pi)[0]
    found = sparta(HEX, pi, 0, seeds=20, minimum=50, rollouts=400)
    assert found.value().plain > before - 2 * 7 * 2.0 * 4 / 20.0 and found.value().plain >= before
    full = sparta(KUHN, uniform_policy(KUHN), 0, seeds=20, minimum=400, rollouts=400)
    less = sparta(KUHN, uniform_policy(KUHN), 0, seeds=20, minimum=50, rollouts=400)
    assert less.rollouts < full.rollouts == 20 * 400 * 2 * 6
    again = sampled_action_values(KUHN, uniform_policy(KUHN), 400, 20, infosets=full.infosets)
    moved = again.q[:, :, 1] - again.q[:, :, 0] > 0.05
    np.testing.assert_array_equal(full.rows[:, :, 1] == 1.0, moved)


# The jackknife


def test_jackknife_of_means_and_of_a_square():
    x = np.random.default_rng(0).normal(2.0, 1.0, 40)
    found = jackknife(lambda m: m, x, 40)
    assert found.corrected == pytest.approx(x.mean()) and found.plain == pytest.approx(x.mean())
    assert found.error == pytest.approx(x.std(ddof=1) / np.sqrt(40))
    square = jackknife(lambda m: m**2, x, 40)
    assert square.corrected == pytest.approx(x.mean() ** 2 - x.var(ddof=1) / 40)  # unbiased for the squared mean
    for groups in (7, 20):
        assert jackknife(lambda m: m, x[:39], groups).corrected == pytest.approx(x[:39].mean())
    errors = [jackknife(lambda m: m, np.random.default_rng(s).normal(size=37), 10).error for s in range(200)]
    assert np.sqrt(np.mean(np.square(errors))) == pytest.approx(37**-0.5, rel=0.1)
    assert np.isnan(jackknife(lambda m: m, x[:1]).error)


UPDATE = mirror_descent(1.0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda g, pi: search(g, pi, UPDATE, 0, 5), "rollouts=0 is no positive number"),
        (lambda g, pi: search(g, pi, UPDATE, 5, 0), "seeds=0"),
        (lambda g, pi: search(g, pi, UPDATE, 5, range(0, 9, 2)), "neighbouring"),
        (lambda g, pi: search(g, pi, UPDATE, 5, 5, beliefs="prior"), "beliefs='prior'"),
        (lambda g, pi: search(g, pi, UPDATE, 5, 5, beliefs="particles", particles=0), "particles=0"),
        (lambda g, pi: search(g, pi, UPDATE, beliefs="particles"), "need rollouts"),
        (lambda g, pi: search(g, pi, UPDATE, 5, 5, play="max"), "play='max'"),
        (lambda g, pi: search(g, pi, UPDATE, 5, 5, players=(0,), infosets=np.arange(12)), "none of the players"),
        (lambda g, pi: search(g, pi, UPDATE, 5, 5, infosets=[1, 1]), "distinct"),
        (lambda g, pi: search(g, np.stack([pi, pi]), UPDATE, 5, 5), "give one policy"),
        (lambda g, pi: search(g, pi, mirror_descent(np.ones((5, 1))), 5, 5), "parameters by replicate"),
        (lambda g, pi: search(g, pi, UPDATE, 2**31, 5), "below 2\\^32"),
        (lambda g, pi: sampled_action_values(g, pi, 2, 2, kept=[0]), "kept has shape"),
        (lambda g, pi: sampled_action_values(g, pi, 2, 2, kept=[2] * 12), "legal action"),
        (lambda g, pi: sparta(g, pi, 2), "player=2"),
        (lambda g, pi: sparta(g, pi, 0, threshold=-1.0), "threshold=-1.0"),
        (lambda g, pi: sparta(g, pi, 0, minimum=50, rollouts=10), "minimum=50"),
        (lambda g, pi: search(g, pi, UPDATE, 2, 3).exploitability_floor(), "give four at least"),
        (lambda g, pi: search(g, pi, UPDATE, 2, 3).exploitability(1), "1 groups of 3 seeds"),
        (
            lambda g, pi: search(mdps.games.tiny_hanabi("A"), uniform_policy(mdps.games.tiny_hanabi("A")), UPDATE)
            .exploitability(),
            "not zero-sum",
        ),
    ],
)  # fmt: skip
def test_what_is_refused(make, message):
    with pytest.raises(InputError, match=message):
        make(KUHN, uniform_policy(KUHN))
