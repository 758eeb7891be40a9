"""Constrained models: closed forms, exact mixtures of deterministic policies, brute force, and faults in the solver."""

from __future__ import annotations

import itertools
from dataclasses import replace
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import scipy.optimize
from scipy.sparse import csr_array

import mdps
from theorylab.errors import InputError
from theorylab.model import AverageReward, Bandit, Discounted, FiniteHorizon, RewardLaw, ShortestPath, TabularMDP
from theorylab.plan import evaluate
from theorylab.plan.constrained import ConstrainedPlan, lagrangian_bound, plan_constrained
from theorylab.plan.exact import exact_evaluate

F = Fraction
HALF = F(1, 2)
ANY = RewardLaw("deterministic", low=-10, high=10)
SOLVERS = ["highs", "highs-ds", "clarabel"]
SEEDS = [5, 2, 0]
CRITERIA = [Discounted(0.75), FiniteHorizon(2), AverageReward()]


def random_problem(seed: int, criterion: Any, S: int = 3, A: int = 2) -> tuple[TabularMDP, np.ndarray]:
    """Every policy is recurrent on all states."""
    rng = np.random.default_rng(seed)
    weights = rng.integers(0, 10, size=(S, A, S))
    weights[np.arange(S), :, (np.arange(S) + 1) % S] += 1
    P, mu0 = weights / weights.sum(axis=-1, keepdims=True), np.arange(1, S + 1) / (S * (S + 1) / 2)
    r, costs = rng.integers(0, 8, size=(S, A)) / 8, rng.integers(-2, 8, size=(1, S, A)) / 8
    return TabularMDP(P=P, r=r, mu0=mu0, criterion=criterion, reward_law=ANY), costs


def exact_point(m: TabularMDP, r: np.ndarray, pi: Any) -> Fraction:
    e = exact_evaluate(replace(m, r=r), pi)
    if e.gain is not None:
        return e.gain
    start = e.V[0] if isinstance(m.criterion, FiniteHorizon) else e.V
    return sum((F(w) * v for w, v in zip(m.mu0.tolist(), start, strict=True)), F(0))


def exact_points(m: TabularMDP, costs: np.ndarray) -> list[tuple[Fraction, Fraction]]:
    """(cost, value) of every deterministic policy."""
    shape = (m.H, m.S) if isinstance(m.criterion, FiniteHorizon) else (m.S,)
    policies = [np.array(p).reshape(shape) for p in itertools.product(range(m.A), repeat=int(np.prod(shape)))]
    return [(exact_point(m, costs[0], pi), exact_point(m, m.r, pi)) for pi in policies]


def exact_optimum(points: list[tuple[Fraction, Fraction]], limit: Fraction) -> Fraction:
    """The best mixture of two policies within the limit: all that one constraint needs (Altman, theorem 3.8)."""
    best = [v for c, v in points if c <= limit]
    for (c1, v1), (c2, v2) in itertools.product(points, points):
        if c1 < limit < c2:
            share = (limit - c1) / (c2 - c1)
            best.append((1 - share) * v1 + share * v2)
    return max(best)


def binding(points: list[tuple[Fraction, Fraction]], share: Fraction = HALF) -> float:
    """A limit between the least cost and the cost of the best policy, so that it binds."""
    least, best = min(c for c, _ in points), max(points, key=lambda point: point[1])[0]
    assert best > least
    return float(least + share * (best - least))


def proved(p: ConstrainedPlan, width: float) -> None:
    assert p.upper - p.lower <= width and not p.violation.any()
    assert p.lower <= p.value.value <= p.upper
    assert (p.multipliers >= 0).all()


# answers known otherwise


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize(("criterion", "steps"), [(Discounted(0.75), 4), (FiniteHorizon(5), 5), (AverageReward(), 1)])
def test_one_state(criterion: Any, steps: int, solver: str) -> None:
    # action 1 earns 1 and costs 2: the budget says how often it is taken
    m = TabularMDP(P=np.ones((1, 2, 1)), r=[[0.0, 1.0]], criterion=criterion)
    p = plan_constrained(m, [[[0.0, 2.0]]], [0.5 * steps], solver=solver)
    proved(p, 1e-7)
    assert p.lower <= steps / 4 <= p.upper
    assert abs(p.multipliers[0] - 0.5) < 1e-6
    assert abs(p.costs.value[0] - steps / 2) < 1e-6 and abs(p.slack[0]) < 1e-6
    free = plan_constrained(m, [[[0.0, 2.0]]], [3.0 * steps], solver=solver)
    assert free.lower <= steps <= free.upper and free.multipliers[0] < 1e-6
    assert abs(free.slack[0] - steps) < 1e-6


@pytest.mark.parametrize("solver", SOLVERS)
def test_classes_are_joined(solver: str) -> None:
    # one may stay in state 0 for nothing or in state 1 for 1 at cost 1: the optimum .3 mixes two recurrent classes
    costs = np.zeros((1, 2, 2))
    costs[0, 1] = 1
    p = plan_constrained(mdps.models.two_state(), costs, [0.3], solver=solver)
    proved(p, 1e-5)
    assert p.lower <= 0.3 <= p.upper < 0.3 + 1e-7
    assert evaluate(mdps.models.two_state(), p.pi).gain == p.value.value


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("criterion", CRITERIA)
def test_exact_mixtures_lie_in_the_bracket(criterion: Any, solver: str) -> None:
    for seed in SEEDS:
        m, costs = random_problem(seed, criterion)
        points = exact_points(m, costs)
        for share in (F(1, 10), F(1, 2), F(2)):
            limit = F(binding(points, share))
            p = plan_constrained(m, costs, [float(limit)], solver=solver)
            proved(p, 1e-11 if solver == "highs" else 1e-5)
            assert F(p.lower) <= exact_optimum(points, limit) <= F(p.upper)
            # the certificates of the policy: exact values of the returned probabilities
            assert abs(exact_point(m, m.r, p.pi) - F(p.value.value)) <= F(p.value.error)
            paid = exact_point(m, costs[0], p.pi)
            assert paid <= limit and abs(paid - F(float(p.costs.value[0]))) <= F(p.costs.error)


def test_stages_and_sparse() -> None:
    P = np.stack([random_problem(seed, FiniteHorizon(2))[0].P for seed in (7, 8)])
    m, costs = random_problem(9, FiniteHorizon(2))
    m = TabularMDP(P=P, r=m.r, mu0=m.mu0, criterion=FiniteHorizon(2), reward_law=ANY)
    points = exact_points(m, costs)
    limit = F(float(sum(c for c, _ in points) / len(points)))
    p = plan_constrained(m, costs, [float(limit)])
    proved(p, 1e-11)
    assert F(p.lower) <= exact_optimum(points, limit) <= F(p.upper)
    assert p.pi.shape == (2, 3, 2) and p.occupancy.shape == (2, 3, 2)
    for criterion in CRITERIA:
        m, costs = random_problem(1, criterion)
        limit = F(float(min(c for c, _ in exact_points(m, costs)) + F(1, 8)))
        dense = plan_constrained(m, costs, [float(limit)])
        sparse = plan_constrained(replace(m, P=csr_array(m.P.reshape(-1, 3))), costs, [float(limit)])
        assert max(dense.lower, sparse.lower) <= min(dense.upper, sparse.upper)
        assert abs(dense.lower - sparse.lower) < 1e-10


def test_no_stochastic_policy_on_a_grid_beats_it() -> None:
    m, costs = random_problem(2, Discounted(0.75), S=2)
    points = exact_points(m, costs)
    limit = float(min(c for c, _ in points) + F(1, 4))
    p = plan_constrained(m, costs, [limit])
    proved(p, 1e-11)
    best = -np.inf
    grid = np.linspace(0, 1, 41)
    for x, y in itertools.product(grid, grid):
        pi = np.array([[1 - x, x], [1 - y, y]])
        if m.mu0 @ evaluate(replace(m, r=costs[0]), pi).V <= limit:
            best = max(best, float(m.mu0 @ evaluate(m, pi).V))
    assert p.upper - 0.1 < best <= p.upper


@pytest.mark.parametrize("criterion", CRITERIA)
def test_two_limits_and_two_solvers(criterion: Any) -> None:
    m, costs = random_problem(5, criterion, S=4, A=3)
    both = np.concatenate([costs, np.roll(costs, 1, axis=2)])
    middle = plan_constrained(m, both, [100.0, 100.0])
    least = [plan_constrained(replace(m, r=-c), both, [100.0, 100.0]) for c in both]
    limits = [0.6 * -low.upper + 0.4 * top for low, top in zip(least, middle.costs.value, strict=True)]
    plans = [plan_constrained(m, both, limits, solver=solver) for solver in SOLVERS]
    for p in plans:
        proved(p, 1e-5)
        assert p.upper < middle.upper - 1e-3
        assert (p.costs.value <= limits).all()
    assert max(p.lower for p in plans) <= min(p.upper for p in plans)


@pytest.mark.parametrize("criterion", CRITERIA)
def test_a_limit_of_zero_is_met_without_rounding(criterion: Any) -> None:
    # action 1 must never be taken: cost 0 is the least, so there is no room inside the limit
    m, costs = random_problem(3, criterion)
    costs[0] = [[0, 0.3]] * 3
    p = plan_constrained(m, costs, [0.0])
    assert p.costs.value.tolist() == [0] and p.costs.error == 0 and not p.violation.any()
    assert (p.pi[..., 1] == 0).all()
    only = exact_point(m, m.r, np.zeros(3, dtype=int))
    assert F(p.lower) <= only <= F(p.upper) and p.upper - p.lower < 1e-11


# limits that cannot be met, faults


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("criterion", CRITERIA)
def test_limits_that_cannot_be_met(criterion: Any, solver: str) -> None:
    m, costs = random_problem(0, criterion)
    least = min(c for c, _ in exact_points(m, costs))
    both = np.concatenate([np.ones_like(costs), costs])
    with pytest.raises(InputError, match=r"limits\[1\] is .*cost 1 of at least .* raise limits\[1\]") as caught:
        plan_constrained(m, both, [100, float(least) - 0.01], solver=solver)
    said = float(str(caught.value).split("at least ")[1].split(" ")[0])
    assert abs(said - float(least)) < 1e-6
    opposed = np.concatenate([costs, -costs])
    with pytest.raises(InputError, match=r"no policy meets all limits .*with weights \[0.5, 0.5\]"):
        plan_constrained(m, opposed, [float(least) + 0.1, -float(least) - 0.2], solver=solver)


def test_a_limit_below_the_least_cost_by_less_than_the_solver_sees() -> None:
    m, costs = random_problem(0, Discounted(0.75))
    least = min(c for c, _ in exact_points(m, costs))
    with pytest.raises(InputError, match=r"limits\[0\] is .*certified"):
        plan_constrained(m, costs, [float(least) - 1e-9])
    # at the least cost itself nothing can be proved feasible, and that is said
    p = plan_constrained(m, costs, [float(least)])
    assert p.violation[0] < 1e-12
    assert p.lower == -np.inf or p.upper - p.lower < 1e-6
    assert F(p.upper) >= exact_optimum(exact_points(m, costs), least)


@pytest.mark.parametrize("criterion", CRITERIA)
def test_poor_multipliers_widen_the_bound_and_never_break_it(criterion: Any) -> None:
    m, costs = random_problem(SEEDS[0], criterion)
    points = exact_points(m, costs)
    limit = binding(points)
    p = plan_constrained(m, costs, [limit])
    optimum = exact_optimum(points, F(limit))
    bounds = [lagrangian_bound(m, costs, [limit], [lam]) for lam in (0.0, 0.1, 1.0, 10.0)]
    # exact Lagrangian bounds, from all deterministic policies
    for lam, bound in zip((0.0, 0.1, 1.0, 10.0), bounds, strict=True):
        dual = max(v - F(lam) * c for c, v in points) + F(lam) * F(limit)
        assert optimum <= dual <= F(bound) <= dual + F(1, 10**10)
    assert max(bounds) > p.upper + 0.01
    for wrong, words in (([-0.1], "multipliers >= 0: fix its sign"), ([np.nan], "is nan"), ([1.0, 1.0], "shape")):
        with pytest.raises(InputError, match=words):
            lagrangian_bound(m, costs, [limit], wrong)


@pytest.mark.parametrize("criterion", CRITERIA)
def test_a_lying_solver_cannot_break_the_bracket(criterion: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    m, costs = random_problem(SEEDS[0], criterion)
    points = exact_points(m, costs)
    limit = binding(points)
    optimum = exact_optimum(points, F(limit))
    tight = plan_constrained(m, costs, [limit])
    honest = scipy.optimize.linprog

    def signs(*args: Any, **kwargs: Any) -> Any:
        out = honest(*args, **kwargs)
        out.ineqlin.marginals *= -1
        return out

    def forgets(*args: Any, A_ub: Any = None, b_ub: Any = None, **kwargs: Any) -> Any:
        out = honest(*args, **kwargs)
        out.ineqlin = SimpleNamespace(marginals=np.zeros(1))
        return out

    with monkeypatch.context() as context:
        context.setattr(scipy.optimize, "linprog", signs)
        p = plan_constrained(m, costs, [limit])
        assert F(p.lower) <= optimum <= F(p.upper) and p.upper > tight.upper + 0.01
        context.setattr(scipy.optimize, "linprog", forgets)
        q = plan_constrained(m, costs, [limit])
    excess = exact_point(m, costs[0], q.pi) - F(limit)
    assert q.lower == -np.inf and optimum <= F(q.upper)
    assert F(1, 100) < excess <= F(float(q.violation[0]))


def test_bad_input_is_refused() -> None:
    m, costs = random_problem(0, Discounted(0.75))
    for args, words in (
        ((Bandit(means=[0.5]), costs, [1]), "cannot plan on a Bandit"),
        ((replace(m, criterion=ShortestPath(0)), costs, [1]), r"no constrained planner for ShortestPath\(goal=0\)"),
        ((m, costs[0], [1]), r"costs has shape \(3, 2\); expected \(K, S, A\) = \(K, 3, 2\)"),
        ((m, costs, [1, 2]), r"limits has shape \(2,\); expected \(1,\)"),
        ((m, costs * np.nan, [1]), r"costs\[0,0,0\] is nan"),
        ((m, costs, [np.inf]), r"limits\[0\] is inf"),
    ):
        with pytest.raises(InputError, match=words):
            plan_constrained(*args)  # type: ignore[arg-type]
    two = TabularMDP(P=np.stack([np.eye(2)], axis=1), r=[[0.0], [1.0]])
    with pytest.raises(InputError, match="not weakly communicating"):
        plan_constrained(two, np.zeros((1, 2, 1)), [1])


def test_a_failing_solver_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    m, costs = random_problem(0, Discounted(0.75))
    words = SimpleNamespace(status=4, message="numbers went wrong", x=None)
    monkeypatch.setattr(scipy.optimize, "linprog", lambda *args, **kwargs: words)
    with pytest.raises(InputError, match=r"constrained linear program \(highs\): failed \(numbers went wrong\)"):
        plan_constrained(m, costs, [1.0])
    words.status = 2
    with pytest.raises(InputError, match=r"limits \[100.0\] cannot be met within the tolerance of highs"):
        plan_constrained(m, costs, [100.0])
    with pytest.raises(InputError, match="unknown or not installed"):
        plan_constrained(m, costs, [1.0], solver="no-such")


def test_the_bound_covers_the_rounding_of_prices() -> None:
    # r - lam c cancels: its rounding is far above that of the planner
    big = TabularMDP(P=[[[1.0]]], r=[[3e5]], reward_law=RewardLaw("deterministic", high=1e6))
    for k in range(20):
        lam = 3e6 - k / 7
        exact = F(3e5) - F(lam) * F(0.1)
        bound = F(lagrangian_bound(big, [[[0.1]]], [0.0], [lam]))
        assert exact <= bound <= exact + F(1, 10**8)


def test_costs_beyond_the_range_are_named() -> None:
    m = TabularMDP(P=np.ones((1, 1, 1)), r=np.ones((1, 1)), criterion=Discounted(0.5))
    with pytest.raises(InputError, match=r"costs\[0,0,0\] is 1e\+200; give finite numbers, at most 1e\+100"):
        plan_constrained(m, [[[1e200]]], [1.0])
    with pytest.raises(InputError, match="costs has dtype <U1"):
        plan_constrained(m, "a", [1.0])
