"""Shortest paths: exact rational answers, refusals, and certificates that notice planted faults."""

from __future__ import annotations

import itertools
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array

from tests.plan.test_plan_certified import Row, backups, exact, solve
from theorylab.errors import InputError
from theorylab.model import RewardLaw, ShortestPath, TabularMDP
from theorylab.plan.bracket import average, bracket, lengthen, smallest_eta, taken
from theorylab.plan.certify import Rounding
from theorylab.plan.shortest_path import METHODS, evaluate_policy
from theorylab.plan.shortest_path import solve as plan_ssp
from theorylab.plan.structure import end_components

WIDE = RewardLaw("deterministic", -100, 100)


def model_of(P: Any, r: Any, goal: int) -> TabularMDP:
    return TabularMDP(P=P, r=r, criterion=ShortestPath(goal), reward_law=WIDE)


def random_ssp(seed: int, S: int = 5, A: int = 3, high: int = 0) -> TabularMDP:
    """Integer weights over their sum, rewards in sevenths from -2 to high/7; state s+1 stays reachable from s."""
    rng = np.random.default_rng(seed)
    weights = rng.integers(1, 10, size=(S, A, S)) * (rng.random((S, A, S)) > 0.5)
    weights[np.arange(S), :, (np.arange(S) + 1) % S] += 1
    r = rng.integers(-14, high, size=(S, A)) / 7
    return model_of(weights / weights.sum(axis=-1, keepdims=True), r, S - 1)


def sparse(m: TabularMDP) -> TabularMDP:
    return replace(m, P=csr_array(m.P.reshape(-1, m.S)))


def exact_values(m: TabularMDP, weights: np.ndarray) -> Row:
    """V^pi in rationals, entries as given; weights (S,A)."""
    P, r = exact(m, normalise=False)
    goal = m.criterion.goal  # type: ignore[union-attr]
    w = [[Fraction(x) for x in row] for row in weights.tolist()]
    matrix, right = [], []
    for s in range(m.S):
        if s == goal:
            matrix.append([Fraction(int(j == s)) for j in range(m.S)])
            right.append(Fraction(0))
            continue
        law = [sum(w[s][a] * P[s][a][j] for a in range(m.A)) if j != goal else Fraction(0) for j in range(m.S)]
        matrix.append([Fraction(int(j == s)) - law[j] for j in range(m.S)])
        right.append(sum(w[s][a] * r[s][a] for a in range(m.A)))
    return solve(matrix, right)


def check_optimal(m: TabularMDP, **options: Any) -> tuple[Any, Fraction]:
    """The plan and its true error, after checking in rationals that its policy is optimal."""
    p = plan_ssp(m, **options)
    v = exact_values(m, np.eye(m.A)[p.pi])
    P, r = exact(m, normalise=False)
    goal = m.criterion.goal  # type: ignore[union-attr]
    for s, row in enumerate(backups(P, r, v)):
        assert s == goal or max(row) <= v[s]
    assert p.V[goal] == 0 and (p.Q[goal] == 0).all()
    return p, max(abs(x - Fraction(y)) for x, y in zip(v, p.V.tolist(), strict=True))


@pytest.mark.parametrize("make", [lambda m: m, sparse])
@pytest.mark.parametrize("seed", range(8))
def test_costs_against_rationals(seed: int, make: Any) -> None:
    p, error = check_optimal(make(random_ssp(seed)))
    assert error <= Fraction(p.certified_error) < Fraction(1, 10**11)
    assert p.method == "policy-iteration"


def test_rewards_of_both_signs_against_rationals() -> None:
    solved = 0
    for seed in range(40):
        m = random_ssp(seed, high=5)
        try:
            p, error = check_optimal(m)
        except InputError as refusal:
            assert "ill-posed" in str(refusal)
            continue
        solved += 1
        assert error <= Fraction(p.certified_error) < Fraction(1, 10**10)
    assert 10 < solved


@pytest.mark.parametrize("seed", range(4))
def test_value_iteration_reports_an_honest_error(seed: int) -> None:
    p, error = check_optimal(random_ssp(seed), method="value-iteration", tol=1e-6)
    assert Fraction(1, 10**12) < error <= Fraction(p.certified_error) < Fraction(1, 10**4)
    assert p.residual <= 1e-6


@pytest.mark.parametrize("seed", range(4))
def test_evaluation_against_rationals(seed: int) -> None:
    m = random_ssp(seed, high=10)
    rng = np.random.default_rng(seed)
    weights = rng.integers(1, 9, size=(m.S, m.A))
    pi = weights / weights.sum(axis=1, keepdims=True)
    actions = rng.integers(0, m.A, size=m.S)
    for policy, w in ((pi, pi), (actions, np.eye(m.A)[actions])):
        for made in (m, sparse(m)):
            p = evaluate_policy(made, policy)
            v = exact_values(m, w)
            error = max(abs(x - Fraction(y)) for x, y in zip(v, p.V.tolist(), strict=True))
            assert 0 < error <= Fraction(p.certified_error) < Fraction(1, 10**11)
            assert p.pi.dtype == policy.dtype


def test_closed_forms() -> None:
    # a chain of n states: each step forward succeeds with probability q at cost 1: V[s] = -(n - 1 - s)/q
    n, q = 6, 0.25
    P = np.zeros((n, 1, n))
    for s in range(n - 1):
        P[s, 0, s], P[s, 0, s + 1] = 1 - q, q
    P[n - 1, 0, 0] = 1.0  # the goal's row is not used
    p = plan_ssp(model_of(P, np.full((n, 1), -1.0), n - 1))
    assert np.abs(p.V + (n - 1 - np.arange(n)) / q).max() <= p.certified_error < 1e-12
    # a positive reward on the way is collected once: 0 -> 1 (+5), 1 -> goal (-1), staying costs 1/2
    P = np.zeros((3, 2, 3))
    P[0, 0, 0] = P[0, 1, 1] = P[1, 0, 1] = P[1, 1, 2] = P[2, :, 2] = 1
    p = plan_ssp(model_of(P, [[-0.5, 5], [-0.5, -1], [9, 9]], 2))
    assert p.V.tolist() == [4, -1, 0] and p.pi[:2].tolist() == [1, 1]
    assert p.certified_error < 1e-14


def test_the_best_of_all_proper_policies() -> None:
    m = random_ssp(3, S=4, A=2, high=3)
    values = [evaluate_policy(m, np.array(pi)).V for pi in itertools.product(range(2), repeat=4)]
    assert np.abs(plan_ssp(m).V - np.max(values, axis=0)).max() < 1e-12


def test_ties_of_short_and_long_ways_keep_a_certificate() -> None:
    # 0 -> goal at -2, or 0 -> 1 -> goal at -1 and -1: a tie whose long way has the larger hitting time
    P = np.zeros((3, 2, 3))
    P[0, 0, 2] = P[0, 1, 1] = P[1, :, 2] = P[2, :, 2] = 1
    p = plan_ssp(model_of(P, [[-2, -1], [-1, -1], [0, 0]], 2))
    assert p.V.tolist() == [-2, -1, 0] and p.pi[0] == 0
    # the same with a positive reward elsewhere, so that -V is no help
    q = plan_ssp(model_of(P, [[2, 1], [1, 1], [0, 0]], 2))
    assert q.V.tolist() == [2, 1, 0] and q.certified_error < 1e-14
    tied = np.ones((3, 2), dtype=bool)
    found = lengthen(model_of(P, np.zeros((3, 2)), 2), 2, np.array([0, 0, 0]), tied)
    assert found is not None and found[0][0] == 1 and found[1].tolist() == [2, 1, 0]


def test_large_models_with_the_iterative_solver() -> None:
    rng = np.random.default_rng(5)
    S, A, b = 600, 3, 4
    columns, p = rng.integers(0, S, (S * A, b)), rng.dirichlet(np.ones(b), S * A)
    flat = csr_array((p.ravel(), columns.ravel(), np.arange(0, S * A * b + 1, b)), shape=(S * A, S))
    flat = csr_array(flat.multiply(1 / flat.sum(axis=1)[:, None]))
    m = model_of(flat, -rng.random((S, A)), 17)
    result = plan_ssp(m)
    assert result.certified_error < 1e-9
    # the plan of the same model by dense LU, whose certificate stands by itself
    off = np.delete(np.arange(S), 17)
    chain = m.dense()[np.arange(S), result.pi][np.ix_(off, off)]
    v = np.linalg.solve(np.eye(S - 1) - chain, m.r[off, result.pi[off]])
    assert np.abs(v - result.V[off]).max() <= result.certified_error + 1e-10
    again = evaluate_policy(m, np.full((S, A), 1 / A))
    assert np.isfinite(again.certified_error) and (again.V <= result.V + 1e-9).all()


def test_planted_faults_are_noticed() -> None:
    m = random_ssp(1)
    p = plan_ssp(m)
    goal = m.S - 1
    rounding = Rounding.of(m).backup(float(np.abs(p.V).max()), float(np.abs(p.Q).max()))
    found = lengthen(m, goal, p.pi, p.Q >= p.Q.max(axis=1, keepdims=True))
    assert found is not None
    pi, W = found

    def bound(v: np.ndarray, policy: np.ndarray) -> float:
        gap = v[:, None] - (m.r + average(m, v))
        return bracket(m, goal, W, policy, taken(gap, policy), gap, rounding)

    assert bound(p.V, pi) < 1e-12
    for s in range(goal):
        wrong = p.V + 1e-6 * (np.arange(m.S) == s)
        assert 1e-6 <= bound(wrong, pi) < 1e-3
    # a policy that is not optimal has a gap: no lower side that is near
    worst = np.where(np.arange(m.S) == 0, np.argmin(p.Q, axis=1), pi)
    assert bound(p.V, worst) > 1e-3
    # hitting times that are not: W constant off the goal proves nothing where the goal is two steps away
    P = np.zeros((3, 1, 3))
    P[0, 0, 1] = P[1, 0, 2] = P[2, 0, 2] = 1
    line, zero = model_of(P, np.zeros((3, 1)), 2), np.zeros(3, dtype=int)
    assert bracket(line, 2, np.array([2.0, 1, 0]), zero, np.zeros(3), None, 1e-9) == pytest.approx(2e-9)
    for W in ([1.0, 1, 0], [2.0, 1, 1], [1.0, 0, 0], [np.inf, 1, 0]):
        assert bracket(line, 2, np.array(W), zero, np.zeros(3), None, 1e-9) == float("inf")


def test_smallest_eta() -> None:
    one = np.array([1.0])
    assert smallest_eta(np.array([-1.0]), np.array([2.0]), 0.0, 0.0) == pytest.approx(0.5)
    assert smallest_eta(one, -one, 0.0, 0.0) == 0.0
    assert smallest_eta(np.array([-1.0]), np.array([0.0]), 0.0, 0.0) == float("inf")
    # the second row allows eta < 1/2 only, the first needs 1
    assert smallest_eta(np.array([-1.0, 1.0]), np.array([1.0, -2.0]), 0.0, 0.0) == float("inf")
    assert smallest_eta(np.array([0.0]), one, 0.25, 0.5) == pytest.approx(0.5)


def loop(reward: float) -> TabularMDP:
    """States 0 and 1 may swap for ever (at `reward` and 1) or leave from 1 to the goal 2."""
    P = np.zeros((3, 2, 3))
    P[0, :, 1] = P[1, 0, 0] = P[1, 1, 2] = P[2, :, 2] = 1
    return model_of(P, [[reward, reward], [1, -5], [0, 0]], 2)


def test_end_components() -> None:
    label, stays = end_components(loop(0.0), np.array([True, True, False]))
    assert label.tolist() == [0, 0, -1] and stays.tolist() == [[True, True], [True, False], [False, False]]
    P = np.zeros((4, 1, 4))
    P[0, 0, 0], P[0, 0, 1], P[1, 0, 1], P[2, 0, 3], P[3, 0, 2] = 0.5, 0.5, 1, 1, 1
    label, stays = end_components(TabularMDP(P=P, r=np.zeros((4, 1))), np.ones(4, dtype=bool))
    assert label.tolist() == [-1, 0, 1, 1] and stays[:, 0].tolist() == [False, True, True, True]
    assert end_components(TabularMDP(P=P, r=np.zeros((4, 1))), np.zeros(4, dtype=bool))[0].tolist() == [-1] * 4


@pytest.mark.parametrize("make", [lambda m: m, sparse])
def test_refusals(make: Any) -> None:
    with pytest.raises(InputError, match=r"ill-posed: states 0, 1 can be kept for ever, away from goal 2, and no rew"):
        plan_ssp(make(loop(0.0)))
    with pytest.raises(InputError, match=r"ill-posed: states 0, 1 .* at an average reward of 0\.25 a step"):
        plan_ssp(make(loop(-0.5)))
    with pytest.raises(InputError, match=r"average reward of .* a step, whose sign its certified error .* leaves open"):
        plan_ssp(make(loop(-1.0)))
    p = plan_ssp(make(loop(-1.25)))
    assert p.V.tolist() == [-6.25, -5, 0]
    with pytest.raises(InputError, match="improper: from state 0 it does not reach goal 2"):
        evaluate_policy(make(loop(-1.25)), np.zeros(3, dtype=int))
    P = np.eye(3)[:, None, :]
    with pytest.raises(InputError, match="unreachable goal: state 0 cannot reach state 2"):
        plan_ssp(make(model_of(P, -np.ones((3, 1)), 2)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(plan_ssp.__globals__, "MOST_SWEEPS", 3)
        with pytest.raises(InputError, match="tol 1e-300 not reached in 3 sweeps; use method='auto'"):
            plan_ssp(make(random_ssp(0)), "value-iteration", 1e-300)


def test_a_single_state_and_the_list_of_methods() -> None:
    p = plan_ssp(model_of([[[1.0]]], [[3.0]], 0))
    assert p.V.tolist() == [0] and p.certified_error == 0
    assert METHODS == ("policy-iteration", "value-iteration")


def test_rounding_of_large_values_does_not_blur_other_rows() -> None:
    # state 1 waits for 1e7 steps at a loss of 7 each; actions 1 are penalties; state 0 goes to the goal at once
    P = np.array([[[0, 0, 1.0], [0, 0, 1]], [[0, 1 - 2.0**-23, 2.0**-23], [1, 0, 0]], [[0, 0, 1], [0, 0, 1]]])
    r = np.array([[-1e-9, -1e12], [-7.0, -1e15], [0, 0]])
    m = TabularMDP(P=P, r=r, criterion=ShortestPath(2), reward_law=RewardLaw("deterministic", -1e15, 0.0))
    p, true = check_optimal(m)
    assert true <= Fraction(p.certified_error) < 1
