"""Batched planning: exact answers, bits that do not depend on the batch, and certificates replicate by replicate."""

from __future__ import annotations

import sys
from dataclasses import replace
from fractions import Fraction
from types import ModuleType, SimpleNamespace
from typing import Any

import array_api_strict
import flint
import numpy as np
import pytest
from scipy.sparse import csr_array, csr_matrix

from theorylab.errors import InputError
from theorylab.model import AverageReward, Criterion, Discounted, FiniteHorizon, ShortestPath, TabularMDP
from theorylab.plan import evaluate, plan
from theorylab.plan.backward_induction import CACHE, backward_induction
from theorylab.plan.batch import BatchPlan, evaluate_batch, plan_batch

Floats = np.ndarray[Any, np.dtype[np.float64]]

CRITERIA = [FiniteHorizon(7), Discounted(0.9), AverageReward()]


def models(R: int, S: int = 5, A: int = 3, seed: int = 0, H: int | None = None) -> tuple[Floats, Floats]:
    """Random P (R,S,A,S) or (R,H,S,A,S) with zeros, and r (R,S,A); state s+1 stays reachable from s."""
    rng = np.random.default_rng(seed)
    shape = (R, S, A, S) if H is None else (R, H, S, A, S)
    weights = rng.integers(1, 10, size=shape) * (rng.random(shape) > 0.4)
    weights[..., np.arange(S), :, (np.arange(S) + 1) % S] += 1
    return weights / weights.sum(axis=-1, keepdims=True), rng.integers(0, 8, size=(R, S, A)) / 7


def same(a: BatchPlan, b: BatchPlan, rows: slice) -> None:
    """Replicates `rows` of b are all of a, bit for bit."""
    for name in ("V", "Q", "pi", "certified_error", "iterations"):
        x, y = np.asarray(getattr(a, name)), np.asarray(getattr(b, name))[rows]
        assert x.tobytes() == y.tobytes(), name
    assert (a.gain is None) == (b.gain is None)
    if a.gain is not None and b.gain is not None:
        assert a.gain.tobytes() == b.gain[rows].tobytes()


def rational(x: Any) -> Any:
    return [rational(y) for y in x] if isinstance(x, list) else Fraction(x)


def rows_of(P: Floats, normalise: bool = False) -> Any:
    exact = rational(P.tolist())
    return [[[p / sum(row) for p in row] for row in state] for state in exact] if normalise else exact


def backup(P: Any, r: Any, v: list[Fraction], gamma: Fraction = Fraction(1)) -> list[list[Fraction]]:
    return [
        [r[s][a] + gamma * sum(p * x for p, x in zip(P[s][a], v, strict=True)) for a in range(len(r[s]))]
        for s in range(len(r))
    ]


def solve(matrix: list[list[Fraction]], right: list[Fraction]) -> list[Fraction]:
    n = len(right)
    a = flint.fmpq_mat(n, n, [flint.fmpq(x.numerator, x.denominator) for row in matrix for x in row])
    x = a.solve(flint.fmpq_mat(n, 1, [flint.fmpq(x.numerator, x.denominator) for x in right]))
    return [Fraction(int(x[i, 0].p), int(x[i, 0].q)) for i in range(n)]


def off(x: list[Fraction], y: Floats) -> Fraction:
    return max(abs(a - Fraction(b)) for a, b in zip(x, y.tolist(), strict=True))


def exact_gain(P: Any, r: Any, pi: Any) -> tuple[Fraction, list[Fraction]]:
    """(I - P_pi) h + g 1 = r_pi, h[0] = 0, for a policy under which state 0 is recurrent."""
    S = len(r)
    matrix = [[Fraction(1) if j == 0 else Fraction(int(i == j)) - P[i][pi[i]][j] for j in range(S)] for i in range(S)]
    h = solve(matrix, [r[i][pi[i]] for i in range(S)])
    gain, h[0] = h[0], Fraction(0)
    return gain, h


@pytest.mark.parametrize("staged", [False, True])
def test_finite_horizon_against_rationals(staged: bool) -> None:
    P, r = models(6, S=4, H=5 if staged else None)
    out = plan_batch(P, r, FiniteHorizon(5))
    assert out.V.shape == (6, 6, 4) and out.Q.shape == (6, 5, 4, 3) and out.pi.shape == (6, 5, 4) and out.gain is None
    for i in range(6):
        v, worst, reward = [Fraction(0)] * 4, Fraction(0), rational(r[i].tolist())
        for h in range(4, -1, -1):
            q = backup(rows_of(P[i, h] if staged else P[i]), reward, v)
            assert all(q[s][out.pi[i, h, s]] > max(q[s]) - Fraction(1, 10**11) for s in range(4))
            v = [max(row) for row in q]
            worst = max(worst, off(v, out.V[i, h]))
        assert 0 < worst <= Fraction(out.certified_error[i]) < Fraction(1, 10**13)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 0.99])
def test_discounted_against_rationals(gamma: float) -> None:
    P, r = models(6)
    r *= np.array([1, 1e-3, 1e4, 1, 1, 0])[:, None, None]
    out = plan_batch(P, r, Discounted(gamma))
    assert out.V.shape == (6, 5) and out.Q.shape == (6, 5, 3)
    for i in range(6):
        exact_p, reward, g = rows_of(P[i]), rational(r[i].tolist()), Fraction(gamma)
        pi = out.pi[i]
        matrix = [[Fraction(int(s == t)) - g * exact_p[s][pi[s]][t] for t in range(5)] for s in range(5)]
        v = solve(matrix, [reward[s][pi[s]] for s in range(5)])
        assert all(v[s] == max(q) for s, q in enumerate(backup(exact_p, reward, v, g)))
        assert off(v, out.V[i]) <= Fraction(out.certified_error[i])
        assert out.certified_error[i] <= 1e-10 * max(1, np.abs(out.V[i]).max())


def test_average_reward_against_rationals() -> None:
    P, r = models(6)
    out = plan_batch(P, r, AverageReward(), tol=1e-11)
    assert out.gain is not None
    for i in range(6):
        exact_p, reward = rows_of(P[i], normalise=True), rational(r[i].tolist())
        gain, h = exact_gain(exact_p, reward, out.pi[i])
        assert all(gain + h[s] >= max(q) for s, q in enumerate(backup(exact_p, reward, h)))
        assert abs(gain - Fraction(out.gain[i])) <= Fraction(out.certified_error[i]) < Fraction(2, 10**11)
        assert out.V[i].min() == 0 and np.abs(out.V[i] - np.array([float(x - min(h)) for x in h])).max() < 1e-9


def test_rows_off_one_are_covered() -> None:
    # a row of mass 1 - 5e-10: as given when discounting, divided by its sum for the average reward
    P = np.array([[[[0.5, 0.5 - 5e-10]], [[0.5, 0.5]]]])
    r = np.array([[0.0], [1.0]])
    out = plan_batch(P, r, AverageReward())
    exact_p, reward = rows_of(P[0], normalise=True), rational(r.tolist())
    assert out.gain is not None
    gain, _ = exact_gain(exact_p, reward, [0, 0])
    assert 1e-11 < abs(gain - Fraction(out.gain[0])) <= Fraction(out.certified_error[0]) < Fraction(1, 10**8)
    out = plan_batch(P, r, Discounted(0.999))
    g, as_given = Fraction(0.999), rows_of(P[0])
    v = solve(
        [[Fraction(int(s == t)) - g * as_given[s][0][t] for t in range(2)] for s in range(2)], [x[0] for x in reward]
    )
    assert off(v, out.V[0]) <= Fraction(out.certified_error[0]) < Fraction(6, 10**8)


@pytest.mark.parametrize("criterion", CRITERIA)
def test_bits_do_not_depend_on_the_batch(criterion: Criterion) -> None:
    P, r = models(130, S=9, A=2)
    full = plan_batch(P, r, criterion)
    for start, stop in [(0, 1), (129, 130), (0, 7), (60, 67), (0, 64), (1, 65), (64, 128), (65, 130), (0, 65)]:
        same(plan_batch(P[start:stop], r[start:stop], criterion), full, slice(start, stop))


@pytest.mark.parametrize("criterion", CRITERIA)
def test_the_array_standard_suffices_and_its_bits_do_not_depend_on_the_batch(criterion: Criterion) -> None:
    P, r = models(70)
    full = plan_batch(P, r, criterion, xp=array_api_strict)
    assert full.V.__class__.__module__.startswith("array_api_strict")
    for start, stop in [(0, 1), (63, 70), (3, 68)]:
        part = plan_batch(array_api_strict.asarray(P[start:stop]), r[start:stop], criterion, xp=array_api_strict)
        same(part, full, slice(start, stop))
    same(full, plan_batch(P, r, criterion), slice(0, 70))


def test_one_model_of_a_batch_is_that_model() -> None:
    P, r = models(3)
    for criterion in CRITERIA:
        out = plan_batch(P, r, criterion)
        for i in range(3):
            one = plan(TabularMDP(P=P[i], r=r[i], criterion=criterion))
            if isinstance(criterion, AverageReward):
                assert one.gain is not None and out.gain is not None
                assert abs(one.gain - out.gain[i]) <= one.certified_error + out.certified_error[i]
            else:
                assert np.abs(one.V - out.V[i]).max() <= one.certified_error + out.certified_error[i]
            assert (one.pi == out.pi[i]).all()


def test_the_shift_follows_the_mixing_and_not_the_discount() -> None:
    P, r = models(4)
    out = plan_batch(P, r, Discounted(0.9999))
    assert out.iterations.max() < 100
    # a cycle never mixes: plain discounting, and still certified
    cycle = np.eye(3)[[1, 2, 0]][None, :, None, :]
    slow = plan_batch(cycle, np.array([[0.0], [0.0], [1.0]]), Discounted(0.99))
    assert slow.iterations[0] > 500
    exact = np.array([0.99**2, 0.99, 1.0]) / (1 - 0.99**3)
    assert np.abs(slow.V[0] - exact).max() <= slow.certified_error[0] + 1e-12


def test_tolerance_beyond_rounding_stops_at_the_rounding_floor() -> None:
    P, r = models(3)
    for criterion in CRITERIA[1:]:
        out = plan_batch(P, r, criterion, tol=1e-30)
        assert (out.certified_error > 1e-30).all() and (out.certified_error < 1e-12).all()


def test_a_replicate_that_does_not_converge_is_named() -> None:
    P, r = models(70, S=3, A=2)
    P[67] = np.eye(3)[:, None, :]  # three absorbing states: no single gain
    r[67] = np.arange(3)[:, None] / 2
    with pytest.raises(InputError, match=r"replicate 67: tol 1e-10 not reached in 2000 sweeps.*most_sweeps"):
        plan_batch(P, r, AverageReward(), most_sweeps=2000)
    with pytest.raises(InputError, match=r"replicate 0: tol 1e-10 not reached in 2 sweeps, certified error"):
        plan_batch(P, r, Discounted(0.9), most_sweeps=2)


def test_ties_go_to_the_lowest_action_of_each_replicate() -> None:
    P, r = models(2)
    P[:, :, 2], r[:, :, 2] = P[:, :, 0], r[:, :, 0]
    r[1] *= 1e6  # the tolerance is relative to the replicate's own values
    assert not (plan_batch(P, r, Discounted(0.9)).pi == 2).any()


def test_bad_models_are_refused_by_name() -> None:
    P, r = models(3)
    bad = P.copy()
    bad[2, 1, 0, :] *= 1.1
    with pytest.raises(InputError, match=r"P\[2,1,0,:\] sums to 1.1.*P\[replicate,s,a,:\]"):
        plan_batch(bad, r, Discounted(0.9))
    bad = P.copy()
    bad[1, 4, 2, 3] = np.nan
    with pytest.raises(InputError, match=r"P\[1,4,2,3\] is nan; probabilities must be finite"):
        plan_batch(bad, r, AverageReward(), xp=array_api_strict)
    wrong = r.copy()
    wrong[1, 2, 0] = np.inf
    with pytest.raises(InputError, match=r"r\[1,2,0\] is inf; mean rewards must be finite"):
        plan_batch(P, wrong, AverageReward())
    with pytest.raises(InputError, match=r"P has shape \(3, 5, 3, 5\) and r \(2, 5, 3\); expected P \(R, S, A, S\)"):
        plan_batch(P, r[:2], AverageReward())
    with pytest.raises(InputError, match=r"expected P \(R, S, A, S\) or \(R, 4, S, A, S\)"):
        plan_batch(P[:, None], r, FiniteHorizon(4))
    with pytest.raises(InputError, match="no batched planner for ShortestPath"):
        plan_batch(P, r, ShortestPath(0))
    with pytest.raises(InputError, match="tol is 0; give a positive"):
        plan_batch(P, r, Discounted(0.9), tol=0)


def policies(model: TabularMDP, B: int, stochastic: bool) -> Any:
    rng = np.random.default_rng(7)
    shape = (B, model.H, model.S) if isinstance(model.criterion, FiniteHorizon) else (B, model.S)
    if not stochastic:
        return rng.integers(0, model.A, size=shape)
    weights = rng.integers(1, 9, size=(*shape, model.A))
    return weights / weights.sum(axis=-1, keepdims=True)


@pytest.mark.parametrize("stochastic", [False, True])
@pytest.mark.parametrize("criterion", CRITERIA)
def test_policies_one_by_one(criterion: Criterion, stochastic: bool) -> None:
    P, r = models(1)
    dense = TabularMDP(P=P[0], r=r[0], criterion=criterion)
    pi = policies(dense, 5, stochastic)
    for model in (dense, replace(dense, P=csr_array(P[0].reshape(-1, 5)))):
        out = evaluate_batch(model, pi)
        assert (np.asarray(out.pi) == pi).all()
        for b in range(5):
            one = evaluate(dense, pi[b])
            bound = one.certified_error + out.certified_error[b]
            assert bound < 1e-11
            if isinstance(criterion, AverageReward):
                assert one.gain is not None and out.gain is not None and abs(one.gain - out.gain[b]) <= bound
                assert np.abs(one.V - out.V[b]).max() < 1e-11
            else:
                assert np.abs(one.V - out.V[b]).max() <= bound
            assert np.abs(one.Q - out.Q[b]).max() < 1e-11


@pytest.mark.parametrize("gamma", [0.5, 0.99])
def test_policies_against_rationals(gamma: float) -> None:
    P, r = models(1, S=4)
    model = TabularMDP(P=P[0], r=r[0], criterion=Discounted(gamma))
    pi = policies(model, 4, stochastic=True)
    out = evaluate_batch(model, pi)
    average = evaluate_batch(replace(model, criterion=AverageReward()), pi)
    assert average.gain is not None
    for b in range(4):
        weight, reward = rational(pi[b].tolist()), rational(r[0].tolist())
        for normalise in (False, True):
            exact_p = rows_of(P[0], normalise)
            if normalise:
                weight = [[w / sum(row) for w in row] for row in weight]
            chain = [[[sum(weight[s][a] * exact_p[s][a][t] for a in range(3)) for t in range(4)]] for s in range(4)]
            gained = [[sum(weight[s][a] * reward[s][a] for a in range(3))] for s in range(4)]
            if normalise:
                chain = [[[p / sum(row[0]) for p in row[0]]] for row in chain]
                gain, _ = exact_gain(chain, gained, [0] * 4)
                assert abs(gain - Fraction(average.gain[b])) <= Fraction(average.certified_error[b])
            else:
                g = Fraction(gamma)
                matrix = [[Fraction(int(s == t)) - g * chain[s][0][t] for t in range(4)] for s in range(4)]
                v = solve(matrix, [x[0] for x in gained])
                assert off(v, out.V[b]) <= Fraction(out.certified_error[b]) < Fraction(1, 10**10)


@pytest.mark.parametrize("criterion", CRITERIA)
@pytest.mark.parametrize("stochastic", [False, True])
def test_bits_of_a_policy_do_not_depend_on_the_batch(criterion: Criterion, stochastic: bool) -> None:
    P, r = models(1, S=9, A=2)
    model = TabularMDP(P=P[0], r=r[0], criterion=criterion)
    pi = policies(model, 130, stochastic)
    full = evaluate_batch(model, pi)
    for start, stop in [(0, 1), (129, 130), (0, 7), (60, 67), (0, 64), (1, 65), (65, 130)]:
        same(evaluate_batch(model, pi[start:stop]), full, slice(start, stop))
    same(evaluate_batch(model, pi[3:70], xp=array_api_strict), full, slice(3, 70))


def test_bits_of_a_sparse_product_do_not_depend_on_the_batch() -> None:
    P, r = models(1, S=9, A=2)
    model = TabularMDP(P=csr_array(P[0].reshape(-1, 9)), r=r[0], criterion=FiniteHorizon(6))
    pi = policies(model, 66, stochastic=False)
    same(evaluate_batch(model, pi[5:]), evaluate_batch(model, pi), slice(5, 66))


def test_sparse_products_on_a_device(monkeypatch: pytest.MonkeyPatch) -> None:
    # the wiring of CuPy, with SciPy's matrix in place of the device's
    cupy = SimpleNamespace(__name__="cupy", asarray=np.asarray, reshape=np.reshape, max=np.max)
    for name in ("cupyx", "cupyx.scipy", "cupyx.scipy.sparse"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setattr(sys.modules["cupyx.scipy.sparse"], "csr_matrix", csr_matrix, raising=False)
    P, r = models(1)
    model = TabularMDP(P=csr_array(P[0].reshape(-1, 5)), r=r[0], criterion=FiniteHorizon(4))
    there, here = backward_induction(model, cupy), plan(model)
    assert (there.V == here.V).all() and (there.pi == here.pi).all()
    assert there.certified_error == here.certified_error


def test_a_large_model_is_read_row_by_row() -> None:
    rng = np.random.default_rng(0)
    P = rng.random((600, 6, 600))
    P /= P.sum(axis=-1, keepdims=True)
    model = TabularMDP(P=P, r=rng.random((600, 6)), criterion=FiniteHorizon(3))
    assert model.P.nbytes > CACHE
    one, batch = plan(model), plan_batch(P[None], model.r, FiniteHorizon(3))
    assert np.abs(one.V - batch.V[0]).max() <= one.certified_error + batch.certified_error[0]
    assert np.abs(evaluate_batch(model, one.pi[None]).V[0] - one.V).max() <= 2 * one.certified_error


def test_stage_dependent_model_and_stationary_policies() -> None:
    P, r = models(1, H=4)
    model = TabularMDP(P=P[0], r=r[0], criterion=FiniteHorizon(4))
    stationary = np.random.default_rng(3).integers(0, 3, size=(2, 5))
    out = evaluate_batch(model, stationary)
    for b in range(2):
        one = evaluate(model, stationary[b])
        assert np.abs(one.V - out.V[b]).max() <= one.certified_error + out.certified_error[b]
    assert out.pi.shape == (2, 4, 5)


def test_the_optimal_policies_of_a_batch_have_the_optimal_values() -> None:
    P, r = models(1)
    model = TabularMDP(P=P[0], r=r[0], criterion=Discounted(0.9))
    best = plan_batch(P, r, Discounted(0.9))
    again = evaluate_batch(model, best.pi)
    assert np.abs(best.V - again.V).max() <= best.certified_error[0] + again.certified_error[0]


def test_bad_policies_are_refused_by_name() -> None:
    P, r = models(1)
    model = TabularMDP(P=P[0], r=r[0], criterion=FiniteHorizon(4))
    with pytest.raises(InputError, match=r"policies\[1,3\] is 3; actions are 0..2: fix that entry"):
        evaluate_batch(model, [[0, 0, 0, 0, 0], [0, 0, 0, 3, 0]])
    with pytest.raises(InputError, match=r"policies of actions .* shape \(5,\); expected \(B, 5\) or \(B, 4, 5\)"):
        evaluate_batch(model, [0, 0, 0, 0, 0])
    off_one = np.full((2, 5, 3), 1 / 3)
    off_one[1, 2] = 0.3
    with pytest.raises(InputError, match=r"policies\[1,2,:\] sums to 0\.8999.*fix that row"):
        evaluate_batch(model, off_one)
    with pytest.raises(InputError, match="dtype bool"):
        evaluate_batch(model, np.zeros((1, 5), dtype=bool))
    with pytest.raises(InputError, match=r"no batched evaluation for ShortestPath.*evaluate\(model, pi\)"):
        evaluate_batch(replace(model, criterion=ShortestPath(0)), off_one)
    two = TabularMDP(P=np.stack([np.eye(2), np.eye(2)[::-1]], axis=1), r=np.zeros((2, 2)))
    with pytest.raises(InputError, match=r"policies\[65\] is multichain: states 0 and 1 lie in different"):
        evaluate_batch(two, [[1, 1]] * 65 + [[0, 0]])
    with pytest.raises(InputError, match="a sparse P runs on NumPy or CuPy, not on array_api_strict"):
        evaluate_batch(replace(model, P=csr_array(P[0].reshape(-1, 5))), np.zeros((1, 5), int), xp=array_api_strict)


def test_a_singular_policy_is_named() -> None:
    P = np.array([[[0.5, 0.5], [1, 1e-300]], [[0.5, 0.5], [0, 1]]])
    m = TabularMDP(P=P, r=np.eye(2), criterion=AverageReward())
    with pytest.raises(InputError, match=r"policies\[1\]: its linear system is singular in double precision"):
        evaluate_batch(m, [[0, 0], [1, 1]])
    with pytest.raises(InputError, match="tol is inf"):
        plan_batch(P[None], m.r, AverageReward(), tol=float("inf"))
