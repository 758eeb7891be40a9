"""Bounds: the anchors of the notes, weak duality at any potentials, a dense copy of the program, and refusals."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import mdps
from mdps.collection import bounds
from mdps.collection.bounds import check_budget, hitting_bound, lower_bound, lp_bound, sum_of_diameters
from mdps.collection.requirements import requirement, treasure
from proofs_check.lemmas.collection import walk_program
from theorylab.errors import InputError
from theorylab.model import TabularMDP
from theorylab.plan import diameter, hitting_times

M = mdps.models
ANCHORS: dict[str, tuple[Callable[[], TabularMDP], float, float, float]] = {
    "riverswim-6": (lambda: M.riverswim(states=6), 14.722338, 47.9352, 23.055),
    "riverswim-12": (lambda: M.riverswim(states=12), 34.722222, 222.5066, 49.056),
    "riverswim-sl-6": (lambda: M.riverswim(states=6, variant="strehl"), 22.510288, 69.4115, 32.996),
    "noisy-riverswim-12": (lambda: M.noisy_riverswim(states=12), 7.185185, 54.6524, 54.179),
    "wheel-5": (lambda: M.wheel(states=5), 2, 9, 29),
    "wheel-10": (lambda: M.wheel(states=10), 4, 37, 60.25),
    "corridor": (lambda: M.corridor(), 13.053487, 248.1951, 96),
    "four-rooms-0.1": (lambda: M.four_rooms(slip=0.1), 17.845603, 1001.5837, 272),
    "four-rooms-0": (lambda: M.four_rooms(slip=0.0), 16, 898, 272),
    "star": (lambda: M.star(p=[0.5, 0.25, 0.1]), 11, 20, 57),
}


@pytest.mark.parametrize("name", ANCHORS)
def test_anchors_of_section_5(name: str) -> None:
    make, D, sum_D, lp = ANCHORS[name]
    model = make()
    found = lp_bound(model, treasure(model.S, model.A, 1))
    assert diameter(model) == pytest.approx(D, abs=6e-7)
    assert sum_of_diameters(model, requirement(model, states=np.ones(model.S, int))) == pytest.approx(sum_D, abs=6e-5)
    assert found.value == pytest.approx(lp, abs=6e-4)
    assert found.value * (1 - 1e-9) <= found.certified_lower <= found.value
    assert found.x.sum() == pytest.approx(found.value) and found.last.sum() == pytest.approx(1)
    ten = lp_bound(model, treasure(model.S, model.A, 10))
    assert ten.value == pytest.approx(10 * found.value, rel=1e-9)  # LP(K) = K LP(1) for flat b


def test_printed_diameters_and_the_program_for_skewed_requirements() -> None:
    def each(model: TabularMDP) -> list[float]:
        return [sum_of_diameters(model, np.eye(model.S, dtype=int)[s][:, None] * one) for s in range(model.S)]

    one = np.array([1, 0])
    model = M.riverswim(states=6)
    assert each(model) == pytest.approx([5, 4, 4.7619, 8.0612, 11.3897, 14.7223], abs=6e-5)
    assert each(M.riverswim(states=6, variant="strehl")) == pytest.approx(
        [5, 4, 7.7778, 12.5926, 17.5309, 22.5103], abs=6e-5
    )
    assert lp_bound(model, treasure(6, 2, 10)).value == pytest.approx(230.554, abs=6e-4)
    # K samples of (last state, left) cost 4.33 each, not D_s = 14.7 (P4 of the notes)
    b = np.zeros((6, 2), dtype=int)
    b[5, 0] = 1000
    assert lp_bound(model, b).value / 1000 == pytest.approx(4.33, abs=0.02)


def random_model(rng: np.random.Generator, S: int, A: int) -> TabularMDP:
    P = rng.dirichlet(np.full(S, 0.4), size=(S, A))
    return TabularMDP(P=0.95 * P + 0.05 / S, r=np.zeros((S, A)), mu0=rng.dirichlet(np.ones(S)))


def test_against_the_program_written_out() -> None:
    rng = np.random.default_rng(0)
    for _ in range(15):
        S, A = int(rng.integers(2, 6)), int(rng.integers(1, 4))
        model, b = random_model(rng, S, A), rng.integers(0, 5, size=(S, A))
        found = lp_bound(model, b)
        assert found.value == pytest.approx(walk_program(model.dense(), b, model.mu0, False), rel=1e-9)
        assert (found.x >= b - 1e-9).all() and (found.last >= -1e-9).all()
        inflow = np.einsum("sa,sat->t", found.x, model.dense()) + model.mu0
        assert found.x.sum(axis=1) + found.last == pytest.approx(inflow, abs=1e-9)


def test_weak_duality_holds_for_any_potentials() -> None:
    """What HiGHS returns is not trusted: no potentials whatever give a certified value above the optimum."""
    rng = np.random.default_rng(1)
    for _ in range(20):
        S, A = int(rng.integers(2, 6)), int(rng.integers(1, 4))
        model = random_model(rng, S, A)
        asked = requirement(model, rng.integers(0, 4, size=(S, A)), states=rng.integers(0, 9, size=S))
        best = lp_bound(model, asked).value
        for scale in (0.1, 1.0, 30.0, 1e6):
            assert bounds._dual_value(model, asked, scale * rng.normal(size=S)) <= best * (1 + 1e-12)


def test_the_certified_value_is_below_the_exact_one() -> None:
    """On stars the program's value is sum b_i (1 + 1/p_i), with p as floats of rows divided by their sums."""
    rng = np.random.default_rng(5)
    for _ in range(15):
        p, b = rng.uniform(0.01, 1, size=3), np.zeros((4, 3), dtype=int)
        b[1:, 0] = rng.integers(1, 1000, size=3)
        rows = [Fraction(float(q)) / (Fraction(float(q)) + Fraction(float(1 - q))) for q in p]
        exact = sum(int(n) * (1 + 1 / q) for n, q in zip(b[1:, 0], rows, strict=True))
        found = lp_bound(M.star(p=p.tolist()), b)
        assert exact * (1 - Fraction(1, 10**9)) < Fraction(found.certified_lower) <= exact


def test_visits_with_any_action() -> None:
    rng = np.random.default_rng(2)
    for _ in range(5):
        S, A = int(rng.integers(2, 5)), int(rng.integers(2, 4))
        model, visits = random_model(rng, S, A), rng.integers(0, 6, size=S)
        found = lp_bound(model, requirement(model, states=visits))
        assert (found.x.sum(axis=1) >= visits - 1e-9).all()
        assert found.value * (1 - 1e-9) <= found.certified_lower <= found.value * (1 + 1e-12)
        split = [rng.multinomial(visits, rng.dirichlet(np.ones(A))) for _ in range(4)]
        assert found.value <= min(lp_bound(model, b).value for b in split) * (1 + 1e-9)
        # a feasible flow, and potentials that certify its value
        inflow = np.einsum("sa,sat->t", found.x, model.dense()) + model.mu0
        assert found.x.sum(axis=1) + found.last == pytest.approx(inflow, abs=1e-9)
    # with one action there is nothing to choose; beside pairs it asks for what they leave
    one = random_model(rng, 4, 1)
    want = np.array([3, 0, 2, 5])
    assert lp_bound(one, requirement(one, states=want)).value == pytest.approx(lp_bound(one, want[:, None]).value)
    both = requirement(one, [[1], [0], [2], [0]], states=want)
    assert lp_bound(one, both).value == pytest.approx(lp_bound(one, want[:, None]).value)


def test_the_program_forgets_the_way_there() -> None:
    """A chain whose end can stay: the sample there is a circulation of its own, and costs one step (pitfall 13)."""
    n = 7
    P = np.zeros((n, 2, n))
    P[np.arange(n), 0, np.maximum(np.arange(n) - 1, 0)] = 1
    P[np.arange(n), 1, np.minimum(np.arange(n) + 1, n - 1)] = 1
    model = TabularMDP(P=P, r=np.zeros((n, 2)))
    b = np.zeros((n, 2), dtype=int)
    b[n - 1, 1] = 1
    found = lower_bound(model, b)
    assert found.lp.value == pytest.approx(1) and found.hitting.value == n == pytest.approx(found.value, rel=1e-12)
    assert found.binding == "hitting time" and found.hitting.state == n - 1
    assert found.value <= found.hitting.value
    b[n - 1, 1] = 100
    assert lower_bound(model, b).binding == "linear program"


def test_hitting_bound_by_hand_and_from_a_random_start() -> None:
    star = M.star(p=[0.5, 0.25, 0.1])
    found = hitting_bound(star, treasure(4, 3, 1))
    assert found.value == pytest.approx(11, rel=1e-12) and found.state == 3 and found.certified_lower <= 11
    assert hitting_bound(star, np.eye(4, 3, dtype=int)[[1, 0, 3, 3]]).value == pytest.approx(3)  # leaf 1 alone: 2 + 1
    rng = np.random.default_rng(3)
    model = random_model(rng, 5, 2)
    means = model.mu0 @ hitting_times(model) + 1
    assert hitting_bound(model, treasure(5, 2, 1)).value == pytest.approx(means.max(), rel=1e-12)
    assert hitting_bound(model, np.eye(5, 2, dtype=int)).value == pytest.approx(means[:2].max(), rel=1e-12)


@pytest.mark.parametrize("make", [lambda: M.four_rooms(slip=0.1), lambda: M.riverswim(states=40), lambda: M.corridor()])
def test_goals_that_are_dropped_are_not_the_farthest(make: Callable[[], TabularMDP]) -> None:
    model = make()
    mu0 = np.random.default_rng(4).dirichlet(np.full(model.S, 0.2))
    for start in (model.mu0, mu0):
        moved = TabularMDP(P=model.P, r=model.r, mu0=start)
        means = start @ hitting_times(model) + 1
        found = hitting_bound(moved, treasure(model.S, model.A, 1))
        assert found.value == pytest.approx(means.max(), rel=1e-11) and means[found.state] == pytest.approx(means.max())
        kept = bounds._farthest(moved, np.arange(model.S))
        assert int(np.argmax(means)) in kept and kept.size < model.S / 2


def test_nothing_asked() -> None:
    model = M.star()
    found = lower_bound(model, np.zeros((4, 3), int))
    assert found.value == found.lp.value == found.hitting.value == 0 and found.hitting.state is None
    assert sum_of_diameters(model, np.zeros((4, 3), int)) == 0
    check_budget(model, np.zeros((4, 3), int), 0)


@pytest.mark.parametrize(
    ("budget", "word"),
    [
        (14, r"budget=14 is below the hitting-time bound 15\.7223: state 5 alone takes every algorithm 14\.7223 steps"),
        (1, "budget=1 is below the 2 samples asked for"),
        (-1, "budget is -1"),
        (20.0, "budget is 20.0"),
        (True, "budget is True"),
    ],
)
def test_budgets(budget: Any, word: str) -> None:
    model, b = M.riverswim(states=6), np.zeros((6, 2), dtype=int)
    b[5] = 1
    with pytest.raises(InputError, match=word):
        check_budget(model, b, budget)
    check_budget(model, b, 16)


def test_requirements_are_checked_by_every_bound() -> None:
    broken = TabularMDP(P=np.eye(2)[:, None], r=np.zeros((2, 1)))
    for bound in (lp_bound, hitting_bound, lower_bound, sum_of_diameters):
        with pytest.raises(InputError, match=r"\(1, 0\) cannot be reached"):
            bound(broken, [[1], [1]])
        with pytest.raises(InputError, match="negative"):
            bound(broken, [[-1], [0]])


@pytest.mark.long
def test_a_grid_of_2000_states() -> None:
    model = M.gridworld(layout=["." * 50] * 40, rewards={}, slip=0.1, after="move", sparse=True)
    rng = np.random.default_rng(0)
    for b in (treasure(model.S, 4, 10), rng.integers(0, 101, size=(model.S, 4))):
        found = lp_bound(model, b)
        assert found.value * (1 - 1e-8) <= found.certified_lower <= found.value * (1 + 1e-12)
    found = hitting_bound(model, treasure(model.S, 4, 10))
    assert found.state == model.S - 1 and found.value == pytest.approx(97.8321255, abs=1e-6)
