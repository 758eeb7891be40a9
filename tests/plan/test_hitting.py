"""Hitting times and diameters: published and closed forms, exact rationals, refusals, and planted faults."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array

import mdps
from tests.plan.test_plan_certified import Row, exact, random_model, solve
from theorylab.errors import InputError
from theorylab.model import TabularMDP
from theorylab.plan.hitting import _Times, certified_diameter, certified_hitting_times, hitting_times, times_to

FOUR_ROOMS = (
    "....#....", "....#....", ".........", "....#....", "#.####.##", "....#....", "....#....", ".........", "....#....",
)  # fmt: skip


def grid(rows: tuple[str, ...], slip: float) -> TabularMDP:
    """Moves up, right, down, left; with probability slip the direction is redrawn uniformly; blocked moves stay."""
    cells = [(i, j) for i, row in enumerate(rows) for j, mark in enumerate(row) if mark == "."]
    place = {cell: k for k, cell in enumerate(cells)}
    P = np.zeros((len(cells), 4, len(cells)))
    for (i, j), s in place.items():
        for d, (di, dj) in enumerate(((-1, 0), (0, 1), (1, 0), (0, -1))):
            to = place.get((i + di, j + dj), s)
            P[s, :, to] += slip / 4
            P[s, d, to] += 1 - slip
    return TabularMDP(P=P, r=np.zeros((len(cells), 4)))


def star(*p: float) -> TabularMDP:
    """Centre 0, action i goes to leaf i+1 with p[i], else stays; every action at a leaf returns to the centre."""
    n = len(p)
    P = np.zeros((n + 1, n, n + 1))
    P[1:, :, 0] = 1
    for i, q in enumerate(p):
        P[0, i, 0], P[0, i, i + 1] = 1 - q, q
    return TabularMDP(P=P, r=np.zeros((n + 1, n)))


def wheel(S: int) -> TabularMDP:
    """Centre 0: action 0 (spin) is uniform over the ring, the others stay. Ring: left, right, stay, centre, noisy."""
    P = np.zeros((S, 5, S))
    P[0, 0, 1:] = 1 / (S - 1)
    P[0, 1:, 0] = 1
    for s in range(1, S):
        targets = (1 + (s - 2) % (S - 1), 1 + s % (S - 1), s, 0)
        for a, to in enumerate(targets):
            P[s, a, to] = 1
            P[s, 4, to] += 0.25
    return TabularMDP(P=P, r=np.zeros((S, 5)))


def noisy_riverswim(S: int) -> TabularMDP:
    """RiverSwim and two actions that jump uniformly: one in even states (counted from 1), one in odd ones."""
    P = np.zeros((S, 4, S))
    P[:, :2] = mdps.models.riverswim(states=S).P
    for s in range(S):
        jumps = 2 if (s + 1) % 2 == 0 else 3
        P[s, jumps], P[s, 5 - jumps, s] = 1 / S, 1
    return TabularMDP(P=P, r=np.zeros((S, 4)))


# sample_collection.md, section 5: D and sum_s D_s to the digits printed there
PUBLISHED: list[tuple[TabularMDP, float, float]] = [
    (mdps.models.riverswim(states=6), 14.722338, 47.9352),
    (mdps.models.riverswim(states=12), 34.722222, 222.5066),
    (mdps.models.riverswim(states=6, variant="strehl"), 22.510288, 69.4115),
    (noisy_riverswim(12), 7.185185, 54.6524),
    (wheel(5), 2, 9),
    (wheel(10), 4, 37),
    (grid(("." * 12,) * 2, 0.1), 13.053487, 248.1951),
    (grid(FOUR_ROOMS, 0.1), 17.845603, 1001.5837),
    (grid(FOUR_ROOMS, 0.0), 16, 898),
    (star(0.5, 0.25, 0.1), 11, 20),
]


@pytest.mark.parametrize(("model", "D", "total"), PUBLISHED)
def test_published_numbers(model: TabularMDP, D: float, total: float) -> None:
    times, widest = certified_hitting_times(model), certified_diameter(model)
    assert times.error < 1e-10 and widest.error < 1e-10
    assert abs(times.value.max() - D) <= 5.1e-7 and abs(widest.value - D) <= 5.1e-7
    assert abs(times.value.max(axis=0).sum() - total) <= 5.1e-5
    assert widest.low <= times.value.max() <= widest.high


def test_ssp_diameters_of_riverswim() -> None:
    expected = {
        "osband": (5, 4, 4.7619, 8.0612, 11.3897, 14.7223),
        "strehl": (5, 4, 7.7778, 12.5926, 17.5309, 22.5103),
    }
    for variant, row in expected.items():
        value = certified_hitting_times(mdps.models.riverswim(states=6, variant=variant)).value
        assert value.max(axis=0) == pytest.approx(row, abs=5.1e-5)


def exact_times(m: TabularMDP, goal: int) -> Row:
    """Rows divided by their sums: policy iteration in rationals from the float policy, which must be optimal."""
    P, _ = exact(m, normalise=True)
    t = times_to(m, goal)
    pi = np.argmin((m.dense().reshape(-1, m.S) @ t).reshape(m.S, m.A), axis=1)
    matrix = [
        [Fraction(int(i == j)) - (P[i][pi[i]][j] if goal not in (i, j) else 0) for j in range(m.S)] for i in range(m.S)
    ]
    v = solve(matrix, [Fraction(int(i != goal)) for i in range(m.S)])
    for s in range(m.S):
        assert s == goal or v[s] <= 1 + min(sum(p * x for p, x in zip(row, v, strict=True)) for row in P[s])
    return v


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_against_rationals(seed: int, sparse: bool) -> None:
    m = random_model(seed, S=5)
    made = replace(m, P=csr_array(m.P.reshape(-1, m.S))) if sparse else m
    times, widest = certified_hitting_times(made), certified_diameter(made)
    answer = [exact_times(m, g) for g in range(m.S)]
    error = max(abs(answer[g][s] - Fraction(times.value[s, g])) for s in range(5) for g in range(5))
    assert 0 < error <= Fraction(times.error) < Fraction(1, 10**11)
    D = max(max(v) for v in answer)
    assert abs(D - Fraction(widest.value)) <= Fraction(widest.error) < Fraction(1, 10**11)


def test_rows_that_are_off_one_are_covered() -> None:
    P = [[[0.5, 0.5 - 5e-10]], [[0.5, 0.5]]]
    m = TabularMDP(P=P, r=[[0.0], [1.0]])
    times = certified_hitting_times(m)
    answer = [exact_times(m, g) for g in range(2)]
    error = max(abs(answer[g][s] - Fraction(times.value[s, g])) for s in range(2) for g in range(2))
    assert 1e-10 < error <= Fraction(times.error) < Fraction(1, 10**7)


def test_chosen_goals_are_columns_of_all_goals() -> None:
    m = mdps.models.garnet(S=20, A=3, b=3, seed=1)
    times, some = certified_hitting_times(m), certified_hitting_times(m, goals=[7, 3])
    assert some.value.shape == (20, 2)
    assert np.abs(some.value - times.value[:, [7, 3]]).max() <= some.error + times.error
    assert np.array_equal(hitting_times(m), times.value)
    assert np.abs(times_to(m, 7) - times.value[:, 7]).max() <= 2 * times.error


def test_one_goal_of_a_model_that_does_not_communicate() -> None:
    # the goal absorbs: fine for that goal, not for the other
    m = TabularMDP(P=[[[0.75, 0.25]], [[0.0, 1.0]]], r=[[0], [0]])
    assert certified_hitting_times(m, goals=[1]).value[:, 0] == pytest.approx([4, 0], abs=1e-13)
    with pytest.raises(InputError, match="unreachable goal: state 1 cannot reach state 0 under any policy"):
        certified_hitting_times(m, goals=[0])
    for call in (certified_hitting_times, certified_diameter, hitting_times):
        with pytest.raises(
            InputError, match="diameter is infinite: state 1 cannot reach state 0 under any policy; use"
        ):
            call(m)


def test_sweeps_and_policy_iteration_agree_and_large_models_are_solved() -> None:
    # 430 states on a slow walk: sweeps cannot do it, and the systems go past the dense batches
    S = 430
    P = np.zeros((S, 1, S))
    for s in range(S):
        P[s, 0, max(s - 1, 0)] += 0.5
        P[s, 0, min(s + 1, S - 1)] += 0.5
    m = TabularMDP(P=csr_array(P.reshape(S, S)), r=np.zeros((S, 1)))
    times = certified_hitting_times(m, goals=[0, S - 1])
    # the walk reflected at S-1: T[s, 0] = s (2 S - 1 - s)
    s = np.arange(S)
    assert np.abs(times.value[:, 0] - s * (2 * S - 1 - s)).max() <= times.error < 1e-3
    assert np.abs(times.value[::-1, 1] - s * (2 * S - 1 - s)).max() <= times.error
    assert certified_diameter(cycle(3)).value == 2.0


def cycle(n: int) -> TabularMDP:
    return TabularMDP(P=np.roll(np.eye(n), 1, axis=1)[:, None, :], r=np.zeros((n, 1)))


def test_the_diameter_prunes_and_is_the_largest_time() -> None:
    for seed in range(3):
        m = mdps.models.garnet(S=60, A=3, b=3, seed=seed)
        times, widest = certified_hitting_times(m), certified_diameter(m)
        assert abs(times.value.max() - widest.value) <= times.error + widest.error < 1e-9


def test_the_bracket_notices_planted_faults() -> None:
    m = mdps.models.riverswim(states=6)
    times = _Times(m, np.arange(6))
    times.v = hitting_times(m).copy()
    columns = np.arange(6)
    times.bound(columns, times.backup(columns))
    assert (times.low <= 1).all() and (times.high >= 1).all() and (times.high - times.low).max() < 1e-12
    for s in range(5):
        times.v = hitting_times(m).copy()
        times.v[s, 5] *= 1 + 1e-6
        times.bound(columns, times.backup(columns))
        assert times.high[5] - times.low[5] > 1e-7
        assert (times.high - times.low)[:5].max() < 1e-12
    # an estimate that some policy could not attain has no upper bound
    times.v = np.where(np.eye(6, dtype=bool), 0.0, 1.0)
    times.bound(columns, times.backup(columns))
    assert np.isinf(times.high[3])
    assert not times.settled(np.array([3])).any()


@pytest.mark.parametrize(
    ("goals", "message"),
    [
        ([6], r"goal 6 is no state; the model has states 0\.\.5"),
        ([0.5], "give states, as integers"),
        ([], "give states"),
    ],
)
def test_bad_goals(goals: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        certified_hitting_times(mdps.models.riverswim(states=6), goals=goals)


def test_a_single_state() -> None:
    m = TabularMDP(P=[[[1.0]]], r=[[0.0]])
    assert certified_diameter(m) == (0.0, 0.0)
    assert certified_hitting_times(m).value.tolist() == [[0.0]]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("p", [1e-18, 1e-300, 5e-324])
@pytest.mark.parametrize("sparse", [False, True])
def test_times_beyond_double_precision_have_an_infinite_error(p: float, sparse: bool) -> None:
    P = np.array([[1.0, p, 0], [0, 0, 1], [1, 0, 0]])
    m = TabularMDP(P=csr_array(P) if sparse else P[:, None], r=np.zeros((3, 1)))
    found = certified_hitting_times(m)
    assert found.error == np.inf and np.isfinite(found.value).all()
    assert found.value[0, 1] <= 1 / Fraction(p)
    widest = certified_diameter(m)
    assert widest.error == np.inf and 1e12 < widest.value <= 2 + 1 / Fraction(p)
