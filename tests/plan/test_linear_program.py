"""Linear programs against exact answers, and solvers that fail or lie."""

from __future__ import annotations

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
from theorylab.model import AverageReward, Discounted, FiniteHorizon, RewardLaw, ShortestPath, TabularMDP
from theorylab.plan import plan
from theorylab.plan.exact import exact_plan
from theorylab.plan.linear_program import OccupancyLP, maximise, occupancy_lp, solve

F = Fraction
COSTS = RewardLaw("deterministic", low=-2, high=0)
CRITERIA = [Discounted(0.9), FiniteHorizon(6), AverageReward(), ShortestPath(2)]


def random_model(seed: int, criterion: Any, S: int = 6, A: int = 3) -> TabularMDP:
    rng = np.random.default_rng(seed)
    weights = rng.integers(1, 10, size=(S, A, S)) * (rng.random((S, A, S)) > 0.6)
    weights[np.arange(S), 0, (np.arange(S) + 1) % S] += 1
    weights[..., 0] += weights.sum(axis=-1) == 0
    r = rng.integers(0, 8, size=(S, A)) / 7
    P = weights / weights.sum(axis=-1, keepdims=True)
    if isinstance(criterion, ShortestPath):
        return TabularMDP(P=P, r=r - 1.5, criterion=criterion, reward_law=COSTS)
    return TabularMDP(P=P, r=r, criterion=criterion)


def distance(p: Any, exact: Any) -> Fraction:
    """How far a Plan is from the exact answer, in the sense of its certified error."""
    if exact.gain is not None:
        return abs(F(p.gain) - exact.gain)
    return max(abs(F(x) - y) for x, y in zip(p.V.ravel().tolist(), exact.V.ravel(), strict=True))


def clear(exact: Any) -> Any:
    """Where the best action is best by more than rounding of P."""
    q = np.sort(exact.Q.astype(float), axis=-1)
    return q[..., -1] > q[..., -2] + 1e-9


@pytest.mark.parametrize("solver", ["highs", "highs-ds", "clarabel"])
@pytest.mark.parametrize("criterion", CRITERIA)
def test_agrees_with_the_exact_answer(criterion: Any, solver: str) -> None:
    for seed in range(3):
        m = random_model(seed, criterion)
        if seed == 1:
            m = replace(m, P=csr_array(m.P.reshape(-1, m.S)))
        exact, p = exact_plan(m), solve(m, solver=solver)
        assert distance(p, exact) <= F(p.certified_error) < F(1, 10**11)
        assert (p.pi == exact.pi)[clear(exact)].all()
        assert p.V.shape == exact.V.shape and p.Q.shape == exact.Q.shape
        assert p.residual < 1e-12 and solver in p.method


def test_stages() -> None:
    P = np.stack([random_model(seed, FiniteHorizon(4), S=3).P for seed in range(4)])
    m = TabularMDP(P=P, r=random_model(0, FiniteHorizon(4), S=3).r, criterion=FiniteHorizon(4))
    p, exact = solve(m), exact_plan(m)
    assert distance(p, exact) <= F(p.certified_error) < F(1, 10**12)
    assert (p.pi == exact.pi)[clear(exact)].all()


def test_closed_forms() -> None:
    assert abs((solve(mdps.models.riverswim(states=6)).gain or 0) - 7203 / 16805) < 1e-14
    p = solve(mdps.models.three_state(q=0.005))
    assert abs((p.gain or 0) - 2 / 3) < 1e-15
    assert p.bias is not None and np.abs(p.bias - [1 / 3, 0, 200 / 199]).max() < 1e-12
    assert p.bias_error == np.inf
    assert solve(mdps.models.two_state(criterion=Discounted(0.5))).V.tolist() == pytest.approx([1, 2], abs=1e-14)
    one = TabularMDP(P=np.ones((1, 2, 1)), r=[[0.25, 0.5]])
    assert solve(one).gain == 0.5 and solve(one).pi.tolist() == [1]
    single = replace(one, criterion=ShortestPath(0))
    assert solve(single).V.tolist() == [0] and solve(single).certified_error == 0


@pytest.mark.parametrize("solver", ["highs", "highs-ds", "clarabel"])
def test_classes_that_tie(solver: str) -> None:
    # staying is best anywhere: the optimal frequencies are any mixture of four classes
    P = np.stack([np.eye(4), np.roll(np.eye(4), 1, axis=1)], axis=1)
    m = TabularMDP(P=P, r=[[1.0, 0.0]] * 4)
    p = solve(m, solver=solver)
    assert abs((p.gain or 0) - 1) <= p.certified_error < 1e-12


def test_rewards_of_any_size() -> None:
    m = random_model(0, Discounted(0.9))
    small = replace(m, r=m.r * 1e-9)
    assert solve(small).certified_error < 1e-20
    assert (solve(small).pi == exact_plan(m).pi).all()
    large = replace(m, r=m.r * 1e9, reward_law=RewardLaw("deterministic", high=1e9))
    assert solve(large, tol=1.0).certified_error < 1e-2


@pytest.mark.parametrize("criterion", CRITERIA)
def test_matrices_hold_for_the_occupancy_of_a_policy(criterion: Any) -> None:
    m = replace(random_model(4, criterion), mu0=np.array([0.5, 0.25, 0.0, 0.0, 0.125, 0.125]))
    lp = occupancy_lp(m)
    exact = exact_plan(m)
    # the unknowns of a policy are those of its actions; with the others at 0 the rows determine them
    pi = np.broadcast_to(exact.pi, (lp.b_eq.size // m.S, m.S)).ravel()
    columns = np.arange(lp.b_eq.size) * m.A + pi
    square = lp.A_eq[:, columns].toarray()
    x = np.linalg.solve(square, lp.b_eq)
    assert (x > -1e-12).all()
    start = exact.V[0] if isinstance(criterion, FiniteHorizon) else exact.V
    value = exact.gain if exact.gain is not None else sum(F(w) * v for w, v in zip(m.mu0.tolist(), start, strict=True))
    assert abs(lp.c[columns] @ x - float(value)) < 1e-12
    out = maximise(lp)
    assert out.x is not None and abs(lp.c @ out.x - float(value)) < 1e-8


def test_start_replaces_mu0() -> None:
    m = random_model(0, FiniteHorizon(3), S=2)
    assert occupancy_lp(m).b_eq.tolist() == [1, 0, 0, 0, 0, 0]
    assert occupancy_lp(m, [[1, 2], [3, 4], [5, 6]]).b_eq.tolist() == [1, 2, 3, 4, 5, 6]
    with pytest.raises(InputError, match=r"start of shape \(3,\) must be .* of shape \(2,\) or \(3, 2\)"):
        occupancy_lp(m, [1, 1, 1])
    with pytest.raises(InputError, match="masses >= 0"):
        occupancy_lp(m, [1, -1])


# solvers that fail or lie


@pytest.mark.parametrize(("status", "kind"), [(1, "failed"), (2, "infeasible"), (3, "unbounded"), (4, "failed")])
def test_a_failing_solver_is_reported(monkeypatch: pytest.MonkeyPatch, status: int, kind: str) -> None:
    words = SimpleNamespace(status=status, message=f"words {status}", x=None)
    monkeypatch.setattr(scipy.optimize, "linprog", lambda *args, **kwargs: words)
    with pytest.raises(InputError, match=rf"linear program \(Discounted.*, highs\): {kind} \(words {status}\); "):
        solve(random_model(0, Discounted(0.9)))


def test_a_lying_solver_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    for criterion in CRITERIA:
        m = random_model(0, criterion)
        exact = exact_plan(m)
        honest = scipy.optimize.linprog

        def lie(c: Any, *args: Any, **kwargs: Any) -> Any:
            # the worst policy under the name of the best
            return honest(-c, *args, **kwargs)  # noqa: B023

        if isinstance(criterion, ShortestPath):
            m = replace(m, P=m.P * 0.9 + 0.1 * np.eye(6)[2])  # so that all policies are proper
            exact = exact_plan(m)
        with monkeypatch.context() as context:
            context.setattr(scipy.optimize, "linprog", lie)
            try:
                p = solve(m, tol=1e9)
            except InputError as error:
                assert "unbounded" in str(error) and isinstance(criterion, AverageReward)
                continue
            with pytest.raises(InputError, match=r"certified within .* of the optimum only, tol is 1e-06"):
                solve(m)
        assert F(1, 100) < distance(p, exact) <= F(p.certified_error)


def test_a_solution_that_names_no_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    P = np.stack([np.eye(3), np.roll(np.eye(3), 1, axis=1)], axis=1)
    m = TabularMDP(P=P, r=[[1.0, 0.0]] * 3)
    flat = SimpleNamespace(status=0, x=np.full(6, 1 / 6), message="", nit=1)
    monkeypatch.setattr(scipy.optimize, "linprog", lambda *args, **kwargs: flat)
    with pytest.raises(InputError, match="does not name a policy, as actions tie"):
        solve(m)


def test_cvxpy_failures_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    import cvxpy

    m = random_model(0, Discounted(0.9))

    def breaks(self: Any, **kwargs: Any) -> None:
        raise cvxpy.error.SolverError("out of luck")

    with monkeypatch.context() as context:
        context.setattr(cvxpy.Problem, "solve", breaks)
        with pytest.raises(InputError, match=r"clarabel\): failed \(out of luck\)"):
            solve(m, solver="clarabel")
    monkeypatch.setattr(cvxpy, "installed_solvers", lambda: ["SCS"])
    with pytest.raises(InputError, match=r"solver 'clarabel' is unknown or not installed"):
        solve(m, solver="clarabel")
    with pytest.raises(InputError, match=r"solver 'higs' is unknown.*nearest: highs"):
        solve(m, solver="higs")


@pytest.mark.parametrize("solver", ["highs", "highs-ds", "clarabel"])
def test_statuses(solver: str) -> None:
    m = mdps.models.riverswim(states=6)
    lp = occupancy_lp(m)
    assert maximise(lp, solver, -lp.c[None], np.array([-0.9])).status == "infeasible"
    assert maximise(OccupancyLP(lp.A_eq * 0, lp.b_eq * 0, lp.c), solver).status == "unbounded"
    gains = TabularMDP(
        P=[[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [0.0, 1.0]]], r=[[0.5, 0.0], [0.0, 0.0]], criterion=ShortestPath(1)
    )
    with pytest.raises(InputError, match=r"unbounded .*; some rewards can be collected for ever"):
        solve(gains, solver=solver)


def test_models_without_an_answer() -> None:
    two = TabularMDP(P=np.stack([np.eye(2)], axis=1), r=[[0.0], [1.0]])
    with pytest.raises(InputError, match="not weakly communicating"):
        solve(two)
    with pytest.raises(InputError, match="state 1 cannot reach the goal 0"):
        solve(replace(two, criterion=ShortestPath(0)))
    with pytest.raises(InputError, match="tol is 0"):
        solve(two, tol=0)


def test_a_large_sparse_model() -> None:
    S, A, b = 300, 5, 6
    rng = np.random.default_rng(0)
    succ = np.array([rng.choice(S, b, replace=False) for _ in range(S * A)])
    prob = rng.dirichlet(np.ones(b), S * A)
    P = csr_array((prob.ravel(), (np.repeat(np.arange(S * A), b), succ.ravel())), shape=(S * A, S))
    m = TabularMDP(P=P, r=rng.random((S, A)), criterion=Discounted(0.95))
    p, q = solve(m), plan(m, tol=1e-14)
    assert np.abs(p.V - q.V).max() <= p.certified_error + q.certified_error < 1e-10
