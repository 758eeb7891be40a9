"""Occupancy measures against exact rationals, simulation by powers, and the identities that define them."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import flint
import numpy as np
import pytest
from scipy.sparse import csr_array

from theorylab.errors import InputError
from theorylab.model import AverageReward, Criterion, Discounted, FiniteHorizon, ShortestPath, TabularMDP
from theorylab.plan import evaluate
from theorylab.plan.occupancies import certified_occupancy, occupancy

Floats = np.ndarray[Any, np.dtype[np.float64]]
Matrix = list[list[Fraction]]

CRITERIA = [FiniteHorizon(6), Discounted(0.95), AverageReward(), ShortestPath(2)]


def random_model(seed: int, criterion: Criterion, S: int = 5, A: int = 3) -> TabularMDP:
    """Integer weights over their sum; state s+1 stays reachable from s under every action."""
    rng = np.random.default_rng(seed)
    staged = isinstance(criterion, FiniteHorizon) and seed % 2 == 1
    shape = (criterion.H, S, A, S) if staged and isinstance(criterion, FiniteHorizon) else (S, A, S)
    weights = rng.integers(1, 10, size=shape) * (rng.random(shape) > 0.5)
    weights[..., np.arange(S), :, (np.arange(S) + 1) % S] += 1
    mu0 = rng.integers(0, 5, size=S) + np.eye(S)[0]
    return TabularMDP(
        P=weights / weights.sum(axis=-1, keepdims=True),
        r=rng.integers(0, 8, size=(S, A)) / 7,
        mu0=mu0 / mu0.sum(),
        criterion=criterion,
    )


def random_policy(seed: int, model: TabularMDP, stochastic: bool) -> Any:
    rng = np.random.default_rng(1000 + seed)
    shape = (model.H, model.S) if isinstance(model.criterion, FiniteHorizon) else (model.S,)
    if not stochastic:
        return rng.integers(0, model.A, size=shape)
    weights = rng.integers(0, 5, size=(*shape, model.A)) + np.eye(model.A)[0]
    return weights / weights.sum(axis=-1, keepdims=True)


def rational(x: Any) -> Any:
    return [rational(y) for y in x] if isinstance(x, list) else Fraction(x)


def solve(matrix: Matrix, right: list[Fraction]) -> list[Fraction]:
    """x with x matrix = right."""
    n = len(right)
    a = flint.fmpq_mat(
        n, n, [flint.fmpq(matrix[j][i].numerator, matrix[j][i].denominator) for i in range(n) for j in range(n)]
    )
    x = a.solve(flint.fmpq_mat(n, 1, [flint.fmpq(v.numerator, v.denominator) for v in right]))
    return [Fraction(int(x[i, 0].p), int(x[i, 0].q)) for i in range(n)]


def exact(model: TabularMDP, pi: Any) -> Any:
    """The occupancy measure in rationals, as nested lists."""
    S, A = model.S, model.A
    normalise = isinstance(model.criterion, AverageReward)

    def rows(x: Any) -> Any:
        out = rational(np.asarray(x, dtype=float).tolist())
        return [[v / sum(row) for v in row] for row in out] if normalise else out

    one_hot = np.eye(A)[pi] if np.asarray(pi).dtype.kind == "i" else np.asarray(pi)
    mu0 = rational(model.mu0.tolist())
    P = model.dense()
    if isinstance(model.criterion, FiniteHorizon):
        x, out = mu0, []
        for h in range(model.H):
            weight = rows(one_hot[h] if one_hot.ndim == 3 else one_hot)
            flat = rows((P[h] if P.ndim == 4 else P).reshape(S * A, S))
            d = [[x[s] * weight[s][a] for a in range(A)] for s in range(S)]
            x = [sum(d[s][a] * flat[s * A + a][t] for s in range(S) for a in range(A)) for t in range(S)]
            out.append(d)
        return out
    weight, flat = rows(one_hot), rows(P.reshape(S * A, S))
    chain = [[sum(weight[s][a] * flat[s * A + a][t] for a in range(A)) for t in range(S)] for s in range(S)]
    eye = [[Fraction(int(s == t)) for t in range(S)] for s in range(S)]
    if isinstance(model.criterion, Discounted):
        g = Fraction(model.criterion.gamma)
        x = solve([[eye[s][t] - g * chain[s][t] for t in range(S)] for s in range(S)], [(1 - g) * m for m in mu0])
    elif isinstance(model.criterion, ShortestPath):
        goal = model.criterion.goal
        keep = [s for s in range(S) if s != goal]
        visits = solve([[eye[s][t] - chain[s][t] for t in keep] for s in keep], [mu0[s] for s in keep])
        x = [Fraction(0)] * S
        for s, v in zip(keep, visits, strict=True):
            x[s] = v
    else:
        # irreducible: stationarity, with the last equation replaced by the normalisation
        matrix = [[eye[s][t] - chain[s][t] if t < S - 1 else Fraction(1) for t in range(S)] for s in range(S)]
        x = [sum(mu0) * v for v in solve(matrix, [Fraction(0)] * (S - 1) + [Fraction(1)])]
    return [[x[s] * weight[s][a] for a in range(A)] for s in range(S)]


def largest(exact_d: Any, d: Any) -> Fraction:
    if isinstance(exact_d, list):
        return max(largest(x, y) for x, y in zip(exact_d, d, strict=True))
    return abs(exact_d - Fraction(d))


def as_csr(model: TabularMDP) -> TabularMDP:
    return replace(model, P=csr_array(model.P.reshape(-1, model.S)))


@pytest.mark.parametrize("stochastic", [False, True])
@pytest.mark.parametrize("criterion", CRITERIA)
@pytest.mark.parametrize("seed", range(4))
def test_the_error_bounds_the_distance_from_the_rational_answer(
    seed: int, criterion: Criterion, stochastic: bool
) -> None:
    model = random_model(seed, criterion)
    pi = random_policy(seed, model, stochastic)
    answer = exact(model, pi)
    for m in [model] if model.stage_dependent else [model, as_csr(model)]:
        d = certified_occupancy(m, pi)
        assert d.value.shape == (*((6,) if isinstance(criterion, FiniteHorizon) else ()), 5, 3)
        assert largest(answer, d.value.tolist()) <= Fraction(d.error) < Fraction(1, 10**12)


@pytest.mark.parametrize("stochastic", [False, True])
@pytest.mark.parametrize("criterion", CRITERIA)
def test_rows_off_one_are_covered(criterion: Criterion, stochastic: bool) -> None:
    model = random_model(0, criterion)
    P = model.P.copy()
    P[1], P[3] = P[1] * (1 - 5e-10), P[3] * (1 + 5e-10)
    model = replace(model, P=P)
    pi = random_policy(0, model, stochastic)
    if stochastic:
        pi[..., 2, :] *= 1 - 8e-10
    d = certified_occupancy(model, pi)
    distance = largest(exact(model, pi), d.value.tolist())
    assert distance <= Fraction(d.error)
    # rows are taken as given but for the average reward, where the exact chain divides by the sums
    if isinstance(criterion, AverageReward):
        assert 1e-11 < distance and d.error < 1e-7
    else:
        assert d.error < 1e-12


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("criterion", CRITERIA)
def test_value_and_flow(criterion: Criterion, seed: int) -> None:
    model = random_model(seed, criterion)
    pi = random_policy(seed, model, stochastic=True)
    d = certified_occupancy(model, pi)
    tolerance = d.error * d.value.size + 1e-12
    value = float((d.value * model.r).sum())
    if isinstance(criterion, FiniteHorizon):
        assert np.abs(d.value.sum(axis=(1, 2)) - 1).max() <= tolerance
        p = evaluate(model, pi)
        assert abs(value - model.mu0 @ p.V[0]) <= tolerance + p.certified_error
        P = np.broadcast_to(model.P, (6, 5, 3, 5))
        for h in range(5):
            inflow = np.einsum("sa,sat->t", d.value[h], P[h])
            assert np.abs(d.value[h + 1].sum(axis=1) - inflow).max() <= tolerance
        return
    inflow = np.einsum("sa,sat->t", d.value, model.P)
    state = d.value.sum(axis=1)
    if isinstance(criterion, Discounted):
        assert abs(state.sum() - 1) <= tolerance
        assert np.abs(state - 0.05 * model.mu0 - 0.95 * inflow).max() <= tolerance
        p = evaluate(model, pi)
        assert abs(value / (1 - 0.95) - model.mu0 @ p.V) <= (tolerance + p.certified_error) / 0.05
    elif isinstance(criterion, AverageReward):
        assert abs(state.sum() - 1) <= tolerance
        assert np.abs(state - inflow).max() <= tolerance
        p = evaluate(model, pi)
        assert p.gain is not None and abs(value - p.gain) <= tolerance + p.certified_error
    else:
        assert (d.value[2] == 0).all()
        inflow[2] = 0
        start = model.mu0 * (np.arange(5) != 2)
        assert np.abs(state - start - inflow).max() <= tolerance


def test_a_periodic_and_multichain_policy() -> None:
    # 0 goes to the cycle {1,2} with 1/3, to 3 with 1/6 and stays with 1/2; 4 stays; 5 is never reached
    P = np.zeros((6, 1, 6))
    P[0, 0, [0, 1, 3]] = [1 / 2, 1 / 3, 1 / 6]
    P[1, 0, 2] = P[2, 0, 1] = P[3, 0, 3] = P[4, 0, 4] = P[5, 0, 5] = 1
    model = TabularMDP(P=P, r=np.zeros((6, 1)), mu0=[0.75, 0, 0, 0, 0.25, 0])
    for m in (model, as_csr(model)):
        d = certified_occupancy(m, np.zeros(6, dtype=int))
        assert np.abs(d.value[:, 0] - [0, 0.25, 0.25, 0.25, 0.25, 0]).max() <= d.error < 1e-13
    # the same by brute force: the average over time
    x, total = model.mu0, np.zeros(6)
    for _ in range(20_000):
        total += x
        x = x @ P[:, 0]
    assert np.abs(total / 20_000 - d.value[:, 0]).max() < 1e-3


def test_a_shortest_path_by_hand() -> None:
    # each try succeeds with probability 1/8, so state 0 is visited 8 times; state 2 loops but never occurs
    P = np.zeros((4, 2, 4))
    P[0, :, [0, 1]], P[1, :, 1], P[2, :, 2], P[3, :, 1] = np.array([[7 / 8], [1 / 8]]), 1, 1, 1
    model = TabularMDP(P=P, r=np.zeros((4, 2)), mu0=[0.5, 0, 0, 0.5], criterion=ShortestPath(1))
    d = certified_occupancy(model, [1, 0, 0, 0])
    assert np.abs(d.value - [[0, 4], [0, 0], [0, 0], [0.5, 0]]).max() <= d.error < 1e-13
    start_at_goal = replace(model, mu0=[0, 1, 0, 0])
    assert (occupancy(start_at_goal, [0, 0, 0, 0]) == 0).all()


def test_an_improper_policy_is_refused_by_state() -> None:
    P = np.zeros((4, 2, 4))
    P[:, 0, 3], P[0, 1, 1], P[1:, 1, 2] = 1, 1, 1
    model = TabularMDP(P=P, r=np.zeros((4, 2)), criterion=ShortestPath(3))
    assert occupancy(model, [1, 0, 1, 0])[1, 0] == 1
    with pytest.raises(InputError, match=r"improper policy: from state 0, which occurs, it does not reach the goal 3"):
        occupancy(model, [1, 1, 1, 0])
    with pytest.raises(InputError, match="improper policy: from state 2"):
        occupancy(replace(model, mu0=[0, 0, 0.5, 0.5]), [0, 0, 1, 0])


def test_a_large_sparse_chain_is_certified_without_a_dense_matrix() -> None:
    # a random walk on a ring of 3000 states with jumps: the stationary law of a doubly stochastic chain is uniform
    S = 3000
    rows, jump = np.arange(S), np.random.default_rng(0).permutation(S)
    P = csr_array(
        (np.full(3 * S, 1 / 4), (np.tile(rows, 3), np.concatenate([rows, (rows + 1) % S, jump]))), shape=(S, S)
    )
    P = P + csr_array((np.full(S, 1 / 4), (rows, (rows - 1) % S)), shape=(S, S))
    model = TabularMDP(P=P, r=np.zeros((S, 1)))
    pi = np.zeros(S, dtype=int)
    d = certified_occupancy(model, pi)
    assert np.abs(d.value - 1 / S).max() <= d.error < 1e-8
    d = certified_occupancy(replace(model, criterion=Discounted(0.99), mu0=np.full(S, 1 / S)), pi)
    assert np.abs(d.value - 1 / S).max() <= d.error < 1e-11


def test_slow_chains_get_wide_or_infinite_errors() -> None:
    # success with probability 1e-9: a billion visits, known to about 1e9 * 1e9 * u
    def walk(p: float) -> TabularMDP:
        return TabularMDP(P=[[[1 - p, p]], [[0, 1]]], r=np.zeros((2, 1)), criterion=ShortestPath(1))

    d = certified_occupancy(walk(2.0**-30), [0, 0])
    assert abs(d.value[0, 0] - 2.0**30) <= d.error < 2.0**30 * 1e-5
    with pytest.raises(InputError, match=r"singular in double precision.*1e-16"):
        occupancy(TabularMDP(P=[[[1.0, 1e-17]], [[0, 1]]], r=np.zeros((2, 1)), criterion=ShortestPath(1)), [0, 0])
    near = TabularMDP(P=[[[1 - 2.0**-53, 2.0**-53]], [[0, 1]]], r=np.zeros((2, 1)), criterion=ShortestPath(1))
    assert certified_occupancy(near, [0, 0]).error == np.inf


def test_a_fault_in_the_solve_widens_the_error(monkeypatch: pytest.MonkeyPatch) -> None:
    from theorylab.plan.occupancies import _Killed

    model = random_model(0, Discounted(0.9))
    pi = random_policy(0, model, stochastic=False)
    right = certified_occupancy(model, pi)
    true = _Killed._solve
    monkeypatch.setattr(_Killed, "_solve", lambda self, b, back: true(self, b, back) + 1e-6)
    wrong = certified_occupancy(model, pi)
    assert np.abs(wrong.value - right.value).max() <= wrong.error + right.error
    assert wrong.error > 1e-6


def test_a_policy_is_checked() -> None:
    model = random_model(0, AverageReward())
    with pytest.raises(InputError, match=r"pi\[2\] is 3; actions are 0..2"):
        occupancy(model, [0, 0, 3, 0, 0])
    with pytest.raises(InputError, match=r"shape \(4,\); expected \(5,\)"):
        occupancy(model, [0, 0, 0, 0])


def test_recurrent_classes_joined_by_products_that_underflow_are_not_parted() -> None:
    P = np.array([[[1.0, 0], [1, 1e-200]], [[1e-200, 1], [0, 1]]])
    m = TabularMDP(P=P, r=np.zeros((2, 2)), criterion=AverageReward())
    # both ways with probability 1e-400: the law is (1/2, 1/2), not the initial one
    with pytest.raises(InputError, match="singular in double precision"):
        certified_occupancy(m, np.array([[1.0, 1e-200], [1e-200, 1.0]]))
