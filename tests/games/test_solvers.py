"""Solvers of games: printed values of the notes on sokota2024 (6.2, 6.3), what a run records, and its errors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import mdps
from tests.games.trees import random_game
from theorylab import run
from theorylab.errors import InputError
from theorylab.games import action_values, expected_value, exploitability, random_policy
from theorylab.games.kernels import LANES
from theorylab.games.layout import by_infoset, by_sequence, layout
from theorylab.kernel import kernel
from theorylab.registry import find_learner
from theorylab.simulation import Simulation

#: learner, parameters, iterations -> exploitability on Kuhn poker
KUHN = [
    ("cfr", {}, {100: 0.0257, 1000: 0.00727}),
    pytest.param("cfr-plus", {}, {100: 0.00119, 1000: 8.7e-5}, marks=pytest.mark.long),
    pytest.param("pcfr-plus", {}, {100: 2.3e-5, 1000: 2.4e-8}, marks=pytest.mark.long),
    ("mmd", dict(eta=1.0, alpha=1.0, schedule=1), {100: 0.0291, 1000: 0.00506, 3000: 0.00236}),
    ("mmd", dict(magnet=0.05), {100: 0.0941, 1000: 0.00366}),
    ("mmd", dict(alpha=0.5, eta=0.05), {3000: 0.112}),
    ("mmd", dict(alpha=0.2, eta=0.02), {3000: 0.0436}),
    ("mmd", dict(alpha=0.1, eta=0.01), {3000: 0.0211}),
    ("mmd", dict(alpha=0.05, eta=0.005), {3000: 0.0676}),
]
#: the same on other games, by name
LARGER = [
    ("leduc", "cfr", {}, {100: 0.173, 1000: 0.0398}),
    ("leduc", "cfr-plus", {}, {100: 0.0134, 1000: 0.00025}),
    ("leduc", "pcfr-plus", {}, {100: 0.0198, 1000: 0.00071}),
    ("leduc", "mmd", dict(eta=1.0, alpha=5.0, schedule=1), {100: 0.235, 1000: 0.0669, 3000: 0.0344}),
    ("leduc", "mmd", dict(magnet=0.05), {100: 0.174, 1000: 0.091, 3000: 0.0343}),
    ("dark_hex", "cfr", {}, {100: 0.0562}),  # later, and with CFR+, rounding decides: see the test below
    ("dark_hex", "mmd", dict(eta=1.0, alpha=1.0, schedule=1), {100: 0.0302, 1000: 0.00909, 3000: 0.0051}),
    ("liars_dice", "cfr", {}, {100: 0.097, 1000: 0.0145}),
    ("liars_dice", "cfr-plus", {}, {100: 0.0023, 1000: 4.5e-5}),
    ("liars_dice", "mmd", dict(eta=2.0, alpha=1.0, schedule=1), {100: 0.0736, 1000: 0.0152, 3000: 0.00383}),
    ("liars_dice", "mmd", dict(magnet=0.05), {100: 0.191, 1000: 0.0146, 3000: 0.00151}),
]


def _close(found: float, printed: float) -> bool:
    # three figures are printed, fewer below 1e-3
    return abs(found - printed) <= 0.04 * printed if printed < 1e-3 else abs(found - printed) <= 0.006 * printed


@pytest.mark.parametrize(("name", "params", "printed"), KUHN)
def test_exploitability_on_kuhn_poker(name, params, printed):
    found = run(name, mdps.games.kuhn(), iterations=max(printed), checkpoints=list(printed), params=params)
    assert all(_close(x, y) for x, y in zip(found["exploitability"][0], printed.values(), strict=True)), found.data


@pytest.mark.long
@pytest.mark.parametrize(
    ("game", "name", "params", "printed"), LARGER, ids=[f"{g}-{n}-{i}" for i, (g, n, _, _) in enumerate(LARGER)]
)
def test_exploitability_on_larger_games(game, name, params, printed):
    model = getattr(mdps.games, game)()
    found = run(name, model, iterations=max(printed), checkpoints=list(printed), params=params)
    assert all(_close(x, y) for x, y in zip(found["exploitability"][0], printed.values(), strict=True)), found.data


def test_regrets_that_are_zero_stay_zero_on_dark_hex():
    """In exact fractions exploitability of CFR+ from the uniform policy is 5/(6 T (T + 1)) (checked up to T = 12).

    Regrets of exactly 0 that come out at 1e-17 are normalised to a pure policy: in doubles on the tree, T = 10, 100
    and 1000 give .1029, .00747 and .00087, as OpenSpiel's CFR+ does, and the notes have .00698 and .00081.
    """
    T = [1, 2, 3, 10, 100]
    found = run("cfr-plus", mdps.games.dark_hex(), iterations=100, checkpoints=T, target="python")
    assert found["exploitability"][0] == pytest.approx([5.0 / (6.0 * t * (t + 1.0)) for t in T], rel=1e-8)


def test_curves_are_the_values_of_the_policy():
    game = random_game(3, zero_sum=False)
    found = run("cfr", game, iterations=5, replicates=3, params={"random": 1}, target="python")
    policy = found.final["policy"]
    assert policy.shape == (3, game.infosets, game.A)
    np.testing.assert_allclose(
        np.stack([found["value"][:, -1], found["value_1"][:, -1]], axis=1), expected_value(game, policy), atol=1e-12
    )
    zero = random_game(3)
    found = run("cfr", zero, iterations=5, replicates=3, params={"random": 1}, target="python")
    wanted = exploitability(zero, found.final["policy"])
    np.testing.assert_allclose(found["exploitability"][:, -1], wanted, atol=1e-12)
    assert (found["exploitability"] >= -1e-12).all() and found.replicates == 3


@pytest.mark.parametrize("seed", [1, 5, 8])
def test_one_step_of_mmd_is_its_formula(seed):
    game = random_game(seed)
    eta, alpha = 0.7, 0.3
    found = run("mmd", game, iterations=1, params=dict(eta=eta, alpha=alpha, random=1), target="python", seed=seed)
    # the first policy is the last of a run that does nothing: a vanishing stepsize
    first = run("mmd", game, iterations=1, params=dict(eta=1e-300, random=1), target="python", seed=seed)
    pi = first.final["policy"][0]
    values = action_values(game, pi)
    uniform = 1.0 / game.infoset_actions[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        new = np.exp((np.log(pi) + alpha * eta * np.log(uniform) + eta * np.nan_to_num(values.q)) / (1 + alpha * eta))
    new = np.where(game.legal, new, 0.0)
    np.testing.assert_allclose(found.final["policy"][0], new / new.sum(axis=1, keepdims=True), atol=1e-12)


def test_replicates_side_by_side_have_the_same_bits():
    game = mdps.games.kuhn()
    spec = find_learner("cfr", "game")
    runs = [
        Simulation(spec, game, replicates=r, length=20, params=dict(random=1), target=target, first=first, lanes=lanes)
        .advance()
        .curves()
        for r, target, first, lanes in ((5, "python", 0, None), (5, "cpu", 0, 1), (5, "cpu", 0, 5), (2, "cpu", 3, 2))
    ]
    for other, rows in ((runs[1], slice(0, 5)), (runs[2], slice(0, 5)), (runs[3], slice(3, 5))):
        for key in ("exploitability", "value", "value_1"):
            assert np.array_equal(runs[0][key][rows], other[key])
        for key, value in runs[0].final.items():
            assert np.array_equal(value[rows], other.final[key]), key
    assert len({x.tobytes() for x in runs[0].final["policy"]}) == 5


def test_policies_by_sequence_and_by_infoset():
    game = random_game(8)
    pi = random_policy(game, 2, 3)
    rows = by_sequence(game, pi)
    assert rows.shape == (3, layout(game).sizes["Q"])
    assert np.array_equal(by_infoset(game, rows), pi) and np.array_equal(by_infoset(game, rows[1]), pi[1])
    with pytest.raises(InputError, match="an entry a sequence"):
        by_infoset(game, rows[:, 1:])


def test_errors_name_what_is_wrong():
    game = mdps.games.kuhn()
    for params, text in (
        (dict(eta=0.0), "eta=0.0 must be positive"),
        (dict(alpha=-1.0), "alpha=-1.0 not negative"),
        (dict(magnet=1.5), "magnet=1.5 is a rate"),
        (dict(schedule=2), "schedule=2 is none of 0 and 1"),
        (dict(stepsize=1.0), "no parameter 'stepsize'"),
    ):
        with pytest.raises(InputError, match=text):
            run("mmd", game, iterations=1, params=params, target="python")
    with pytest.raises(InputError, match="takes iterations="):
        run("cfr", game, episodes=5)
    with pytest.raises(InputError, match="choose a learner for game"):
        run("ucb-h", game, iterations=5)
    with pytest.raises(InputError, match="is for the setting game"):
        run("cfr", mdps.models.riverswim(states=3), steps=5)
    spec = find_learner("cfr", "game")
    with pytest.raises(InputError, match="side by side"):
        Simulation(spec, game, replicates=4, length=2, target="python", lanes=2)

    @kernel
    def halved(st, p, pi):
        for q in range(p.Q):
            pi[q, 0] = 0.25

    with pytest.raises(InputError, match="replicate 0, iteration 0: `act` wrote no policy"):
        run(replace(spec, act=halved), game, iterations=2, target="python")


@pytest.mark.slow
def test_an_error_names_the_replicate_among_those_side_by_side() -> None:
    @kernel
    def spoilt(st, p, pi):
        for q in range(p.Q):
            for j in range(LANES):
                pi[q, j] = st.pi[q, j]
        if LANES > 5:
            pi[1, 5] = -1.0

    wrong = replace(find_learner("cfr", "game"), act=spoilt)
    with pytest.raises(InputError, match="replicate 15, iteration 1: `act` wrote no policy"):
        run(wrong, mdps.games.matching_pennies(), iterations=2, replicates=8, first=10, checkpoints=[2])
