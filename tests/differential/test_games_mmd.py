"""Magnetic mirror descent and mirror descent against transcriptions over histories, and faults as controls."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mdps.games.kuhn import family as kuhn
from mdps.games.liars_dice import family as liars_dice
from mdps.games.perturbed_rps import family as perturbed_rps
from mdps.games.tiny_hanabi import family as tiny_hanabi
from proofs_check.kill_matrix import planted
from tests.differential.test_games import Solver, far, first_policy
from tests.games.trees import random_game
from tests.reference.mirror_descent import MirrorDescent
from tests.reference.mmd import MMD
from tests.reference.mmd_dilated import MMDDilated
from theorylab.errors import InputError
from theorylab.games.layout import by_infoset, by_sequence
from theorylab.learner import Learner
from theorylab.registry import find_learner
from theorylab.run import run
from theorylab.truth import known_to, sizes_at

Case = tuple[Any, int, dict[str, Any]]
TRANSCRIPTIONS: dict[str, Any] = {"mmd": MMD, "mirror-descent": MirrorDescent, "mmd-dilated": MMDDilated}
GAMES: list[tuple[Any, int]] = [
    (kuhn(), 6), (perturbed_rps(), 20), (random_game(3), 4), (random_game(8, zero_sum=False), 4),
]  # fmt: skip
EVERY = {"eta": 0.5, "schedule": 1, "weighted": 1, "random": 1}
SETTINGS: dict[str, list[dict[str, Any]]] = {
    "mmd": [{"eta": 0.5, "alpha": 0.5}, {"alpha": 0.5, "magnet": 0.1, **EVERY}],
    "mirror-descent": [{"eta": 0.5}, EVERY],
    "mmd-dilated": [{"alpha": 0.2}, {"alpha": 0.5, "eta": 0.7, "random": 1}, {"alpha": 0.9, "schedule": 1}],
}
#: player 0 never bets, so that three infosets are not reached
CHECKED = by_sequence(kuhn(), np.where(kuhn().infoset_player[:, None] == 0, [1.0, 0.0], [0.7, 0.3]))
#: updates in turn, payoffs that overflow unless the largest is taken off, what is not reached, a switch that is none
MORE: dict[str, list[Case]] = {
    "mmd": [
        (kuhn(), 4, {"eta": 0.5, "alpha": 0.5, "alternate": 1, "magnet": 0.1}),
        (kuhn(), 1, {"eta": 2000.0, "alpha": 1e-4, "random": 1}),
        (kuhn(), 3, {"eta": 0.5, "alpha": 0.5, "first": CHECKED}),
        (kuhn(), 0, {"random": 2}),
    ],
    "mirror-descent": [
        (kuhn(), 1, {"eta": 2000.0, "random": 1}),
        (kuhn(), 3, {"eta": 0.5, "first": CHECKED}),
        (liars_dice(sides=2), 2, {"eta": 0.5}),  # has infosets of one action
        (kuhn(), 0, {"random": 2}),
    ],
    "mmd-dilated": [
        (kuhn(), 4, {"eta": 0.5, "alpha": 0.5, "alternate": 1}),
        (kuhn(), 1, {"eta": 5000.0, "alpha": 1e-4, "random": 1}),
        (kuhn(), 0, {"random": 2}),
    ],
}
CASES: dict[str, list[Case]] = {
    name: [*((game, length, params) for game, length in GAMES for params in settings), *MORE[name]]
    for name, settings in SETTINGS.items()
}


def unrefused(learner: Learner, model: Any, params: dict[str, Any]) -> str | None:
    """None where a switch that is neither 0 nor 1 is refused."""
    try:
        learner.parameters(params, sizes_at(model, 1), known_to(learner, model))
    except InputError as refusal:
        return None if "is none of 0 and 1" in str(refusal) else str(refusal)
    return f"not refused: {params}"


def compare(learner: Learner, model: Any, length: int, params: dict[str, Any]) -> str | None:
    """The policies, their logits and what is stood for after every iteration, and the magnet where there is one."""
    if length == 0:
        return unrefused(learner, model, params)
    solver = Solver(learner, model, length, params)
    given = {k: v for k, v in params.items() if k not in ("random", "first")}
    if learner.name == "mmd-dilated":
        given["largest"] = max(float(np.abs(U.data).max()) for U in solver.tree.payoff_matrices)
    first = first_policy(solver, params.get("random", 0))
    if "first" in params:
        rows = by_infoset(solver.tree, params["first"]).tolist()
        first = [row[:n] for row, n in zip(rows, solver.tree.infoset_actions, strict=True)]
    reference = TRANSCRIPTIONS[learner.name](solver.tree, first, **given)
    if far(solver.field("pi"), reference.sigma):
        return "the first policy differs"
    for t in range(length):
        solver.learn(t)
        reference.step()
        for what, ours, theirs in (
            ("policy", solver.field("pi"), reference.sigma),
            ("policy of the logits", np.exp(solver.field("logits")), reference.sigma),
            ("what is stood for", solver.average(), reference.sigma),
            *([("magnet", solver.field("rho"), reference.rho)] if learner.name == "mmd" else []),
        ):
            if far(ours, theirs):
                return f"iteration {t}: {what} differs"
    return None


@pytest.mark.parametrize("name", TRANSCRIPTIONS)
def test_a_solver_follows_its_transcription(name: str) -> None:
    for case in CASES[name]:
        assert compare(find_learner(name, "game"), *case) is None, case


@pytest.mark.long
@pytest.mark.parametrize("name", TRANSCRIPTIONS)
@pytest.mark.parametrize("game", [liars_dice(sides=2), tiny_hanabi(variant="E")], ids=lambda g: g.name)
def test_a_solver_on_another_game(name: str, game: Any) -> None:
    assert compare(find_learner(name, "game"), game, 5, {"random": 1}) is None


@pytest.mark.parametrize("name", TRANSCRIPTIONS)
def test_every_fault_of_a_solver_shows(name: str) -> None:
    params = SETTINGS[name][1]
    assert not [k for k, v in planted(name).items() if compare(v, kuhn(), 5, params) is None]


@pytest.mark.parametrize("name", TRANSCRIPTIONS)
def test_a_run_ends_where_the_kernels_that_were_compared_end(name: str) -> None:
    params = SETTINGS[name][1]
    solver = Solver(find_learner(name, "game"), kuhn(), 3, params, seed=7)
    for t in range(3):
        solver.learn(t)
    found = run(name, kuhn(), iterations=3, seed=7, params=params, target="python")
    assert np.array_equal(found.final["policy"][0], solver.average())
