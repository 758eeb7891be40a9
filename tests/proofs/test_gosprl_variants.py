"""GOSPRL's requirements on states, other planners and rules: claims, their controls, and the errors of section 6.3."""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

import itertools
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy.optimize import linprog

from proofs_check.kill_matrix import Kills, kills_of, markdown, planted
from proofs_check.papers import _gosprl_variant_probes as variants
from proofs_check.papers import _gosprl_variant_steps as steps
from proofs_check.papers._gosprl_variant_steps import CLAIMS
from tests.proofs.test_tarbouriech2021 import MODELS
from theorylab.check import check
from theorylab.claim import Claim, Control, Instance
from theorylab.controls import fault_matrix
from theorylab.decide import Levels
from theorylab.kernel import kernel
from theorylab.learner import i8
from theorylab.measure import context_of
from theorylab.probe import Monitor, Probe
from theorylab.registry import find_learner, find_model
from theorylab.run import run

LEARNERS = tuple(dict.fromkeys(c.learner for c in CLAIMS))
OWN = [n for n in LEARNERS if n != "gosprl"]
WITH_CONTROLS = [c for c in CLAIMS if c.controls]
LEVELS = Levels()
#: at alpha = 1 and soon satisfied
FINISHES = Instance("star", 1_500, {"p": [0.5]}, {"eta": 1.0})


def kills(name: str) -> Kills:
    return kills_of(name, [c for c in CLAIMS if c.learner == name])


@pytest.mark.long
@pytest.mark.parametrize("name", LEARNERS)
def test_every_control_is_caught(name: str) -> None:
    found = kills(name)
    assert not found.alive and not found.named, f"{found.alive}, {found.named}\n{markdown(found)}"


def test_requirements_on_states_are_caught() -> None:
    found = kills("gosprl")
    assert len(found.caught) == 3 and not found.alive and not found.named, markdown(found)


@pytest.mark.parametrize("name", OWN)
def test_every_fault_is_under_a_claim(name: str) -> None:
    under = {id(k.learner) for c in CLAIMS if c.learner == name for k in c.controls}
    assert not [k for k, v in planted(name).items() if id(v) not in under]


@pytest.mark.long
@pytest.mark.parametrize("claim", WITH_CONTROLS, ids=lambda c: c.id)
def test_without_a_fault_nothing_is_caught(claim: Claim) -> None:
    """On the instances of all of its controls."""
    faithful = find_learner(claim.learner, "average")
    places = {repr(i): i for k in claim.controls if (i := k.instance or claim.control_instance) is not None}
    for place in places.values():
        plain = replace(claim, controls=(Control("no fault", faithful, place, replicates=8),))
        hit, detail = fault_matrix([plain], params={}, levels=LEVELS, seed=1)[claim.id]["no fault"]
        assert not hit, detail


@pytest.mark.long
@pytest.mark.parametrize("claim", WITH_CONTROLS, ids=lambda c: c.id)
def test_every_claim_runs(claim: Claim) -> None:
    """Where its faults are planted, at a small budget; the instances of the standard profile are longer."""
    place = FINISHES if claim.id.endswith("modest-guarantee") else claim.control_instance
    assert place is not None
    short = replace(claim, instances={"quick": (place,)})
    found = check(short, target="python", budget=64)
    assert found.verdict in ("NO VIOLATION FOUND", "SUPPORTED", "INCONCLUSIVE"), found


def test_the_shape_of_modest_by_hand() -> None:
    c = context_of(find_learner("gosprl-modest"), MODELS["star"], 100, {"eta": 0.5})
    by_hand = 11 * 2 * 4 * 3 / 0.25 + 11 * 16 * 3 / 0.5 + 11**1.5 * 16 * 3  # Gamma = 2, D = 11
    assert steps.modest_shape(c, np.array([1.0])) == pytest.approx([by_hand], rel=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_duals_of_the_inner_minima_are_those_of_a_linear_program(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for S, ball in itertools.product((2, 3, 5), (False, True)):
        C = rng.integers(0, 4, (1, 1, S))
        C[0, 0, 0] += 1
        n = C.sum()
        v, beta = np.round(rng.random(S) * 5, 1), np.full((1, 1, S), 0.0)
        beta[0, 0] = rng.random() * 0.6 if ball else rng.random(S) * 0.6
        st = SimpleNamespace(v=v, beta=beta)
        p = SimpleNamespace(S=S, alpha=0.7)
        tr = SimpleNamespace(visits=np.array([[n]]), seen=C)
        phat, w = C[0, 0] / n, 0.7 * beta[0, 0]
        if ball:
            found = variants.ball_dual.build("python")(st, p, tr, 0, 0)
            A = np.block([[np.eye(S), -np.eye(S)], [-np.eye(S), -np.eye(S)], [np.zeros((1, S)), np.ones((1, S))]])
            best = linprog(
                np.r_[v, np.zeros(S)], A_ub=A, b_ub=np.r_[phat, -phat, 2 * w[0]],
                A_eq=np.c_[np.ones((1, S)), np.zeros((1, S))], b_eq=[1.0],
            )  # fmt: skip
        else:
            found = variants.box_dual.build("python")(st, p, tr, 0, 0)
            bounds = [(max(0.0, x - y), min(1.0, x + y)) for x, y in zip(phat, w, strict=True)]
            best = linprog(v, A_eq=np.ones((1, S)), b_eq=[1.0], bounds=bounds)
        assert best.status == 0 and found == pytest.approx(best.fun, abs=1e-9)


# Section 6.3: average and worst norm-1 error after n steps, by 20 runs each; no standard errors are given there

MODEST = {"eta": 4.0, "shrink": 0.7, "alpha": 1.0}


@kernel
def nothing_seen(p, tr):
    """The counts arrive zeroed."""
    tr.moves[0, 0, 0] = 0


@kernel
def see(st, p, tr, t):
    """Count the transition."""
    tr.moves[tr.s, tr.a, tr.s2] += 1


@kernel
def error(p, tr, s, a):
    """|p_hat - p|_1 of a pair."""
    n = float(max(1, tr.visits[s, a]))
    total = 0.0
    for s2 in range(p.S):
        total += abs(tr.moves[s, a, s2] / n - tr.law[s, a, s2])
    return total


@kernel
def average_error(st, p, tr, t):
    """Mean over pairs."""
    total = 0.0
    for s in range(p.S):
        for a in range(p.A):
            total += error(p, tr, s, a)
    return total / (p.S * p.A)


@kernel
def worst_error(st, p, tr, t):
    """Largest over pairs."""
    most = 0.0
    for s in range(p.S):
        for a in range(p.A):
            most = max(most, error(p, tr, s, a))
    return most


SEEN = Monitor({"moves": i8["S", "A", "S"]}, nothing_seen, see)
ERRORS = tuple(Probe(n, v, "end", np.inf) for n, v in (("average", average_error), ("worst", worst_error)))
TABLE: list[tuple[str, int, str, tuple[float, float]]] = [
    ("wheel", 10_000, "gosprl-modest", (0.0118, 0.0924)),
    ("wheel", 10_000, "uniform-collection", (0.0159, 0.128)),
    ("wheel", 100_000, "gosprl-modest", (0.0031, 0.0245)),
    ("wheel", 100_000, "uniform-collection", (0.0051, 0.0398)),
    ("riverswim", 10_000, "gosprl-modest", (0.0142, 0.0563)),
    ("riverswim", 10_000, "uniform-collection", (0.0519, 0.365)),
    ("riverswim", 100_000, "gosprl-modest", (0.0039, 0.0128)),
    ("riverswim", 100_000, "uniform-collection", (0.0129, 0.0798)),
    ("noisy", 10_000, "gosprl-modest", (0.0625, 0.271)),
    ("noisy", 10_000, "uniform-collection", (0.0622, 0.272)),
    ("noisy", 100_000, "gosprl-modest", (0.0165, 0.0611)),
    ("noisy", 100_000, "uniform-collection", (0.0197, 0.0853)),
]
ROWS = [
    pytest.param(*row, marks=pytest.mark.long if row[1] > 10_000 or row[2] == "gosprl-modest" else pytest.mark.slow)
    for row in TABLE
]
#: outside of the 1 to 99 % range of means of 20: 0.0158 here against 0.0128, one cell of 24
OUTSIDE = {("riverswim", 100_000, "gosprl-modest", "worst")}


def errors(model: Any, n: int, learner: str, replicates: int) -> dict[str, np.ndarray]:
    params = MODEST if learner == "gosprl-modest" else {}
    curves = run(
        learner, model, replicates=replicates, steps=n, params=params, checkpoints=[n], probes=ERRORS, monitor=SEEN,
        tables={"law": np.array(model.dense())},
    )  # fmt: skip
    return {q: curves.probes[q].max for q in ("average", "worst")}


@pytest.mark.long
@pytest.mark.parametrize(("model", "n", "learner", "wanted"), ROWS)
def test_errors_of_the_notes(model: str, n: int, learner: str, wanted: tuple[float, float]) -> None:
    many = learner == "uniform-collection" and n == 10_000  # a wide law, whose tail 200 runs do not show
    found = errors(MODELS[model], n, learner, 1000 if many else 200)
    for (name, x), value in zip(found.items(), wanted, strict=True):
        means = np.random.default_rng(0).choice(x, (4000, 20)).mean(axis=1)
        low, high = np.quantile(means, (0.01, 0.99))
        if (model, n, learner, name) not in OUTSIDE:
            assert low <= value <= high, (name, x.mean(), low, high)
        else:  # within a factor of two, and no closer
            assert not low <= value <= high and 0.5 < value / x.mean() < 2.0, (name, x.mean(), low, high)


def test_all_pairs_are_tried_before_any_is_satisfied() -> None:
    """Ties of the implicit rule go to the fewest visits: with the lowest action alone the first state would be left
    only after it had satisfied each of its actions in turn."""
    model = find_model("noisy-riverswim")(states=6)
    final = run("gosprl-modest", model, steps=600, target="python", params=MODEST).final
    assert final["N"].min() > 0 and final["reached"][0, 0] == 0.0
