"""Solvers of games against transcriptions that walk over histories, iteration by iteration, and faults as controls."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from mdps.games.kuhn import family as kuhn
from mdps.games.liars_dice import family as liars_dice
from mdps.games.matching_pennies import family as matching_pennies
from mdps.games.perturbed_rps import family as perturbed_rps
from proofs_check.kill_matrix import planted
from tests.games.trees import random_game
from tests.reference.cfr import CFR, Table
from tests.reference.cfr_plus import CFRPlus
from tests.reference.fictitious_play import FictitiousPlay
from tests.reference.pcfr_plus import PCFRPlus
from theorylab.games.layout import as_tree, by_infoset, layout
from theorylab.learner import Learner, resolve
from theorylab.registry import find_learner
from theorylab.rng import LEARNER, Rng, draw, key_words
from theorylab.run import run
from theorylab.truth import known_to, sizes_at

CLOSE = 1e-9
TRANSCRIPTIONS: dict[str, Any] = {"cfr": CFR, "cfr-plus": CFRPlus, "pcfr-plus": PCFRPlus}
CASES = [
    (kuhn(), 8, {}),
    (kuhn(), 3, {"random": 1}),
    (perturbed_rps(), 40, {"random": 1}),
    (matching_pennies(), 3, {}),  # no regret at all: uniform play goes on
    (random_game(3), 6, {"random": 1}),
    (random_game(8), 6, {}),
]


class Solver:
    """A learner's kernels as plain functions, on one replicate: state arrays (Q, 1) and (I, 1)."""

    def __init__(self, learner: Learner, model: Any, length: int, params: dict[str, Any], seed: int = 0) -> None:
        sizes = sizes_at(model, length)
        self.p = SimpleNamespace(**learner.parameters(params, sizes, known_to(learner, model)))
        shapes = {k: (*resolve(f, vars(self.p)), 1) for k, f in learner.state.items()}
        self.st = SimpleNamespace(**{k: np.zeros(shape) for k, shape in shapes.items()})
        k0, k1 = (int(k) for k in key_words(seed))
        self.tree, self.rng = as_tree(model), Rng(k0, k1, 0)
        self.calls = {k: getattr(learner, k).build("python") for k in ("begin", "learn", "act")}
        self.calls["begin"](self.st, self.p, self.rng)

    def learn(self, t: int) -> None:
        self.calls["learn"](self.st, self.p, t, self.rng)

    def average(self) -> Any:
        """What it stands for, (I, A)."""
        pi = np.ones((layout(self.tree).sizes["Q"], 1))
        self.calls["act"](self.st, self.p, pi)
        return by_infoset(self.tree, pi[:, 0])

    def field(self, name: str) -> Any:
        """A state array (I, A)."""
        return by_infoset(self.tree, getattr(self.st, name)[:, 0])


def first_policy(solver: Solver, random: int) -> Table | None:
    """Uniform, or exponential weights from the addressed draws: site q is the sequence's place in the row."""
    if not random:
        return None
    tree, found = solver.tree, layout(solver.tree)
    out: Table = [[] for _ in range(tree.infosets)]
    for info, first, count in zip(found.infosets, solver.p.seq_first, solver.p.seq_count, strict=True):
        draws = [float(draw(solver.rng, 0, int(q), LEARNER)[0]) for q in range(first, first + count)]
        weights = [-math.log(1.0 - u) for u in draws]
        out[info] = [w / sum(weights) for w in weights]
    return out


def far(ours: Any, theirs: Table) -> bool:
    return any(not abs(ours[i, a] - x) <= CLOSE for i, row in enumerate(theirs) for a, x in enumerate(row))


def compare(learner: Learner, model: Any, length: int, params: dict[str, Any]) -> str | None:
    """CFR and its kin: the regrets, the policy and the average after every iteration."""
    solver = Solver(learner, model, length, params)
    reference = TRANSCRIPTIONS[learner.name](solver.tree, first_policy(solver, params.get("random", 0)))
    if far(solver.field("pi"), reference.sigma):
        return "the first policy differs"
    for t in range(length):
        solver.learn(t)
        reference.step()
        for what, ours, theirs in (
            ("regrets", solver.field("R"), reference.regret),
            ("policy", solver.field("pi"), reference.sigma),
            ("average", solver.average(), reference.average()),
        ):
            if far(ours, theirs):
                return f"iteration {t}: {what} differs"
    return None


def compare_play(learner: Learner, model: Any, length: int, params: dict[str, Any]) -> str | None:
    """Fictitious play: values of actions and best responses, ties to the lowest action, and averages."""
    solver = Solver(learner, model, length, params)
    reference = FictitiousPlay(solver.tree, first_policy(solver, params.get("random", 0)))
    if far(solver.average(), reference.sigma):
        return "the first policy differs"
    if wrong := ties_differ(learner):
        return wrong
    for t in range(length):
        solver.learn(t)
        reference.respond()
        ours = solver.field("pi")
        if far(solver.field("g"), reference.worth):
            return f"iteration {t}: values of actions differ"
        for i, worth in enumerate(reference.worth):
            a = int(ours[i].argmax())
            if ours[i].max() != 1.0 or max(worth) - worth[a] > CLOSE:
                return f"iteration {t}: reply {ours[i]} at infoset {i}, worth {worth}"
            reference.reply[i] = [float(k == a) for k in range(len(worth))]  # of a tie within rounding, ours
        reference.mix()
        if far(solver.average(), reference.sigma):
            return f"iteration {t}: average differs"
    return None


def ties_differ(learner: Learner) -> str | None:
    """Of plans that reach nothing: all actions are worth 0, and the first is the reply."""
    solver = Solver(learner, perturbed_rps(), 1, {})
    solver.st.total[:] = 0.0
    solver.st.total[0] = solver.st.total[solver.p.second] = 1.0
    solver.learn(0)
    played = solver.field("pi").argmax(axis=1).tolist()
    return None if played == [0, 0] else f"ties go to {played}"


def compare_any(learner: Learner, model: Any, length: int, params: dict[str, Any]) -> str | None:
    return (compare_play if learner.name == "fictitious-play" else compare)(learner, model, length, params)


NAMES = [*TRANSCRIPTIONS, "fictitious-play"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("case", range(len(CASES)))
def test_a_solver_follows_its_transcription(name: str, case: int) -> None:
    assert compare_any(find_learner(name, "game"), *CASES[case]) is None


@pytest.mark.long
@pytest.mark.parametrize("name", NAMES)
def test_a_solver_on_a_larger_game(name: str) -> None:
    assert compare_any(find_learner(name, "game"), liars_dice(sides=2), 5, {"random": 1}) is None


@pytest.mark.parametrize("name", NAMES)
def test_every_fault_of_a_solver_shows(name: str) -> None:
    alive = [k for k, v in planted(name).items() if compare_any(v, kuhn(), 10, {}) is None]
    assert not alive


@pytest.mark.parametrize("name", NAMES)
def test_a_run_ends_where_the_kernels_that_were_compared_end(name: str) -> None:
    solver = Solver(find_learner(name, "game"), kuhn(), 4, {"random": 1}, seed=7)
    for t in range(4):
        solver.learn(t)
    found = run(name, kuhn(), iterations=4, seed=7, params={"random": 1}, target="python")
    assert np.array_equal(found.final["policy"][0], solver.average())


def test_ties_go_to_the_lowest_action() -> None:
    assert ties_differ(find_learner("fictitious-play", "game")) is None
