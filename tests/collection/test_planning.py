"""The planning phase: its backup against a linear program, plans against exact optima, values and brackets by hand."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from scipy.optimize import linprog

from mdps.collection.planning import best_value, goal_value, plan_to_goal, radii
from mdps.models.garnet import family as garnet
from mdps.models.riverswim import family as riverswim
from mdps.models.star import family as star
from tests.reference.gosprl import radius
from theorylab.errors import InputError
from theorylab.plan import hitting_times

GARNET = garnet(S=4, A=2, b=2, seed=1)
RNG = np.random.default_rng(0)
MOVES = RNG.multinomial(40, GARNET.dense())
COST = RNG.uniform(0.3, 1.0, (4, 2))
GIVEN: dict[str, Any] = dict(cost_floor=0.3, epsilon=0.5, theta=2.0, diameter=5.0, delta=0.1, alpha=0.05)


@pytest.mark.parametrize(("number", "family"), [(0, "AME"), (1, "ROS")])
def test_radii_are_those_of_the_transcription(number: int, family: str) -> None:
    moves = MOVES.copy()
    moves[1, 1] = 0
    got = radii(moves, 0.1, number)
    for s, a, y in itertools.product(range(4), range(2), range(4)):
        n = max(1, int(moves[s, a].sum()))
        assert got[s, a, y] == pytest.approx(radius(family, moves[s, a, y] / n, n, 4, 2, 0.1), rel=1e-12)


def backup_by_program(v: np.ndarray, goal: int, alpha: float, nu: float) -> np.ndarray:
    """(L v) with the inner minimum as a linear program over the box."""
    beta, out = alpha * radii(MOVES, 0.1), np.zeros((4, 2))
    for s, a in itertools.product(range(4), range(2)):
        x = MOVES[s, a] / MOVES[s, a].sum()
        ends = list(zip(np.maximum(0, x - beta[s, a]), np.minimum(1, x + beta[s, a]), strict=True))
        q = linprog(np.where(np.arange(4) == goal, 0.0, v), A_eq=np.ones((1, 4)), b_eq=[1.0], bounds=ends)
        out[s, a] = max(COST[s, a], nu) + q.fun
    out[goal] = 0.0
    return out


@pytest.mark.parametrize("goal", [0, 3])
def test_the_plan_is_a_fixed_point_over_the_boxes(goal: int) -> None:
    found = plan_to_goal(MOVES, goal, COST, **GIVEN)
    assert (found.nu, found.omega) == pytest.approx((0.5 / 20, 0.3))
    assert found.precision == pytest.approx(0.3 * 0.5 / 30)
    q = backup_by_program(found.v, goal, 0.05, found.nu)
    assert found.v[goal] == 0.0
    assert np.all(q.min(axis=1) - found.v >= -1e-9) and np.all(q.min(axis=1) - found.v <= found.precision)
    assert np.all(q[np.arange(4), found.pi] <= q.min(axis=1) + 2 * found.precision)


def test_with_many_samples_and_no_radius_the_plan_is_optimal() -> None:
    moves = np.random.default_rng(1).multinomial(200_000, GARNET.dense())
    for goal in range(4):
        found = plan_to_goal(moves, goal, COST, **{**GIVEN, "alpha": 0.0, "epsilon": 0.01})
        best = best_value(GARNET, goal, COST)
        assert np.all(best.upper - best.lower <= 1e-9) and not best.prices.any()
        assert goal_value(GARNET, found.pi, goal, COST).value == pytest.approx(best.upper, abs=1e-9)
        assert found.v == pytest.approx(best.upper, abs=0.05)


def test_a_pair_never_visited_is_believed_to_jump_to_the_goal() -> None:
    moves = MOVES.copy()
    moves[2, 1] = 0
    found = plan_to_goal(moves, 0, COST, **{**GIVEN, "alpha": 0.0})
    assert found.pi[2] == 1 and found.v[2] == pytest.approx(COST[2, 1])


def test_unit_costs_are_times() -> None:
    ones = np.ones((4, 2))
    for goal in range(4):
        assert best_value(GARNET, goal, ones).upper == pytest.approx(hitting_times(GARNET)[:, goal], abs=1e-9)
        fastest = best_value(GARNET, goal, ones, theta=1.0)
        assert fastest.upper == pytest.approx(hitting_times(GARNET)[:, goal], abs=1e-6)


def occupancy_program(model: Any, s: int, goal: int, cost: np.ndarray, limit: float) -> float:
    """The least cost from s over occupancies x >= 0 off the goal with expected time at most the limit."""
    off = [x for x in range(model.S) if x != goal]
    P = model.dense()
    flow = np.array([[[float(x == y) - P[x, a, y] for a in range(model.A)] for x in off] for y in off])
    start = [float(y == s) for y in off]
    found = linprog(
        cost[off].ravel(), A_eq=flow.reshape(len(off), -1), b_eq=start, A_ub=np.ones((1, cost[off].size)), b_ub=[limit]
    )
    return float(found.fun)


@pytest.mark.parametrize("theta", [1.05, 1.5, 3.0])
def test_the_bracket_holds_the_optimum_of_the_occupancy_program(theta: float) -> None:
    for model, goal in ((GARNET, 0), (riverswim(states=4), 3), (star(p=(0.5, 0.25)), 2)):
        rng = np.random.default_rng(3)
        cost = rng.uniform(0, 1, (model.S, model.A)) * (rng.random((model.S, model.A)) < 0.6)
        found = best_value(model, goal, cost, theta)
        fastest = hitting_times(model)[:, goal]
        assert found.lower[goal] == found.upper[goal] == 0.0
        for s in range(model.S):
            if s != goal:
                exact = occupancy_program(model, s, goal, cost, theta * fastest[s])
                assert found.lower[s] - 1e-7 <= exact <= found.upper[s] + 1e-7
                assert found.upper[s] - found.lower[s] <= 1e-4


def test_a_free_way_that_is_long_is_mixed_in_as_far_as_the_limit_allows() -> None:
    """From the leaf of a star: action 0 costs 1 and arrives with p = 1/2, nothing else: cost and time are 2 from 0."""
    model = star(p=(0.5,))
    free = np.zeros((2, 1))
    found = best_value(model, 1, free, theta=1.0)
    assert np.all(found.lower == 0.0) and np.all(found.upper <= 1e-9)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"goal": 4}, "goal=4 is no state"),
        ({"goal": True}, "goal=True is no state"),
        ({"moves": MOVES[:, :, :2]}, r"moves has shape \(4, 2, 2\)"),
        ({"moves": MOVES - 50}, r"moves\[0, 0, 0\]=-"),
        ({"moves": MOVES + 0.5}, r"is no count"),
        ({"cost": COST[:, :1]}, r"cost has shape \(4, 1\)"),
        ({"cost": COST + 0.5}, r"is outside \[0, 1\]"),
        ({"cost": COST * np.nan}, r"cost\[0, 0\]=nan"),
        ({"cost_floor": 0.99}, "is below cost_floor=0.99"),
        ({"cost_floor": -0.1}, r"cost_floor=-0.1 is outside"),
        ({"theta": 0.5}, "theta=0.5"),
        ({"diameter": 0.5}, "diameter=0.5"),
        ({"diameter": np.inf}, "diameter=inf"),
        ({"epsilon": 6.0}, r"epsilon=6.0 is outside \(0, 5\]"),
        ({"delta": 0.0}, "delta=0.0"),
        ({"alpha": -1.0}, "alpha=-1.0"),
        ({"radius": 2}, "radius=2"),
    ],
)
def test_what_is_refused(change: dict[str, Any], word: str) -> None:
    given = {"moves": MOVES, "goal": 0, "cost": COST, **GIVEN, **change}
    with pytest.raises(InputError, match=word):
        plan_to_goal(given.pop("moves"), given.pop("goal"), given.pop("cost"), **given)


def test_a_goal_never_entered_is_named() -> None:
    moves = MOVES.copy()
    moves[:3, :, 3] = 0
    with pytest.raises(InputError, match="goal 3 was never entered"):
        plan_to_goal(moves, 3, COST, **GIVEN)


def test_policies_that_never_arrive_and_free_cycles_are_named() -> None:
    model = riverswim(states=3)
    with pytest.raises(InputError, match="improper"):
        goal_value(model, np.zeros(3, dtype=int), 2, np.ones((3, 2)))
    with pytest.raises(InputError, match="ill-posed"):
        best_value(model, 2, np.zeros((3, 2)))
    with pytest.raises(InputError, match=r"theta=0\.9"):
        best_value(model, 2, np.ones((3, 2)), theta=0.9)
