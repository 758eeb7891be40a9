"""Discounted planning: every method against exact rational answers, with certificates that hold and are not vacuous."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import cache
from typing import Any

import array_api_strict
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_array

from tests.plan.test_plan_certified import backups as exact_backups
from tests.plan.test_plan_certified import exact, random_model, solve
from theorylab.errors import InputError
from theorylab.model import Discounted, RewardLaw, TabularMDP
from theorylab.plan import backups as backup_module
from theorylab.plan import discounted as planner
from theorylab.plan import discounted_sweeps as sweeps
from theorylab.plan.backups import Fused, backups
from theorylab.plan.certify import tie_tolerance
from theorylab.plan.discounted_bounds import Bound, Monitor
from theorylab.plan.krylov import bicgstab
from theorylab.plan.record import Plan

Floats = NDArray[np.float64]
WIDE = RewardLaw("deterministic", low=-5, high=5)


def discounted(seed: int, gamma: float, S: int = 4, A: int = 3) -> TabularMDP:
    """Rewards of both signs."""
    m = random_model(seed, S=S, A=A)
    return TabularMDP(P=m.P, r=3 * m.r - 2, criterion=Discounted(gamma), reward_law=WIDE)


def sparse(m: TabularMDP) -> TabularMDP:
    return replace(m, P=csr_array(m.P.reshape(-1, m.S)))


def values_of(m: TabularMDP, pi: NDArray[Any]) -> tuple[list[Fraction], bool]:
    """Exact values of a policy for the float64 entries as given, and whether it is exactly optimal."""
    P, r = exact(m, normalise=False)
    g = Fraction(m.criterion.gamma)  # type: ignore[union-attr]
    matrix = [[Fraction(int(i == j)) - g * P[i][pi[i]][j] for j in range(m.S)] for i in range(m.S)]
    v = solve(matrix, [r[i][pi[i]] for i in range(m.S)])
    return v, all(v[s] == max(row) for s, row in enumerate(exact_backups(P, r, v, g)))


@cache
def answer(seed: int, gamma: float) -> tuple[TabularMDP, list[Fraction]]:
    m = discounted(seed, gamma)
    v, optimal = values_of(m, planner.solve(m, "policy-iteration", tol=1e-300).pi)
    assert optimal
    return m, v


def distance(v: list[Fraction], p: Plan) -> Fraction:
    return max(abs(x - Fraction(y)) for x, y in zip(v, p.V.tolist(), strict=True))


@pytest.mark.parametrize("gamma", [0.0, 0.5, 0.99, 0.999])
@pytest.mark.parametrize("method", ["auto", *planner.METHODS])
@pytest.mark.parametrize("as_csr", [False, True])
@pytest.mark.parametrize("seed", range(2))
def test_all_methods_against_rationals(seed: int, as_csr: bool, method: str, gamma: float) -> None:
    m, v = answer(seed, gamma)
    p = planner.solve(sparse(m) if as_csr else m, method, tol=1e-10)
    scale = max(1, float(max(map(abs, v))))
    assert distance(v, p) <= Fraction(p.certified_error) <= 1e-10 * scale
    assert p.method == (method if method != "auto" else "policy-iteration")
    assert p.pi.dtype == np.int64 and values_of(m, p.pi)[1]
    q = exact_backups(*exact(m, normalise=False), v, Fraction(gamma))
    assert np.allclose(p.Q, [[float(x) for x in row] for row in q], rtol=0, atol=2e-10 * scale)
    assert p.residual == pytest.approx(np.abs(p.Q.max(axis=1) - p.V).max(), abs=0)


@pytest.mark.parametrize("method", planner.METHODS)
def test_a_tolerance_out_of_reach_ends_at_the_rounding_floor(method: str) -> None:
    m, v = answer(0, 0.999)
    p = planner.solve(m, method, tol=1e-300)
    assert distance(v, p) <= Fraction(p.certified_error)
    floor = Bound(m).error(0.0, float(np.abs(p.V).max())) / (1 - 0.999)
    assert floor / 2 < p.certified_error < 3 * floor


@pytest.mark.parametrize("method", planner.METHODS[:2])
@pytest.mark.parametrize("gamma", [0.5, 0.999])
def test_array_api_strict(method: str, gamma: float) -> None:
    m, v = answer(1, gamma)
    p = planner.solve(m, method, tol=1e-10, xp=array_api_strict)
    same = planner.solve(m, method, tol=1e-10)
    assert distance(v, p) <= Fraction(p.certified_error) < 1e-6
    assert type(p.V) is type(p.Q) is type(p.pi) is np.ndarray
    assert p.pi.tolist() == same.pi.tolist() and p.iterations == same.iterations


def test_what_does_not_run_on_a_namespace_is_refused() -> None:
    m = discounted(0, 0.9)
    with pytest.raises(InputError, match="a sparse P runs on NumPy or CuPy, not on array_api_strict: give P of shape"):
        planner.solve(sparse(m), xp=array_api_strict)
    with pytest.raises(InputError, match="'policy-iteration' runs on NumPy only; with xp use value-iteration or mod"):
        planner.solve(m, "policy-iteration", xp=array_api_strict)
    with pytest.raises(InputError, match=r"unknown method 'magic' .* known: auto, value-iteration"):
        planner.solve(m, "magic")
    with pytest.raises(InputError, match=r"needs Discounted\(gamma\)"):
        planner.solve(random_model(0))


def test_the_certificate_sees_planted_faults() -> None:
    m, v = answer(0, 0.99)
    good = planner.solve(m, tol=1e-10)

    def certified(values: Floats) -> float:
        q = backups(m, 0.99).q(values)
        drift = q.max(axis=1) - values
        return planner._plan(Bound(m), values, q, drift, good.pi, 0.0, 1, "fault").certified_error

    for fault in (1e-6, -1e-6):
        assert certified(good.V + fault) >= 1e-6
        assert certified(good.V + fault * (np.arange(m.S) == 2)) >= 1e-6
    # span stopping without centring, as pymdptoolbox has it: the policy is right, the values are not
    w = np.zeros(m.S)
    while True:
        new = backups(m, 0.99).q(w).max(axis=1)
        if np.ptp(new - w) < 1e-12:
            break
        w = new
    true = max(abs(float(x) - y) for x, y in zip(v, new.tolist(), strict=True))
    assert true > 1 and true <= certified(new) <= 10 * true


@pytest.mark.parametrize("method", ["auto", *planner.METHODS])
@pytest.mark.parametrize("off", [5e-10, -5e-10])
def test_rows_that_are_off_one(method: str, off: float) -> None:
    # the entries count as given: a deficit of 5e-10 a step moves values of size 1000 by 5e-4
    P = np.array([[[0.5, 0.5 + off], [0.25, 0.75 + off]], [[0.5, 0.5 + off], [1 + off, 0.0]]])
    m = TabularMDP(P=P, r=[[1.0, 0.5], [0.25, 1.0]], criterion=Discounted(0.999))
    p = planner.solve(m, method, tol=1e-10)
    v, optimal = values_of(m, p.pi)
    assert optimal and abs(v[0] - 1000) > 2e-4
    assert distance(v, p) <= Fraction(p.certified_error) < 1e-6


def test_a_rate_of_one_is_certified_by_nothing() -> None:
    # gamma times a row sum exceeds 1: the operator need not contract, and the bound says so
    gamma = 1 - 1e-12
    m = TabularMDP(P=[[[1 + 5e-10]]], r=[[0.5]], criterion=Discounted(gamma))
    assert planner.solve(m, "policy-iteration").certified_error == float("inf")


@pytest.mark.parametrize("method", ["auto", *planner.METHODS])
def test_ties_go_to_the_lowest_action(method: str) -> None:
    m = discounted(3, 0.9)
    P, r = np.repeat(m.P, 2, axis=1), np.repeat(m.r, 2, axis=1)
    r[:, 1::2] += 1e-14  # below the tolerance of ties
    twice = TabularMDP(P=P, r=r, criterion=Discounted(0.9), reward_law=WIDE)
    p = planner.solve(twice, method)
    assert p.pi.tolist() == (2 * planner.solve(m).pi).tolist()
    assert tie_tolerance(p.V) > 1e-13


def grid(n: int, gamma: float, seed: int = 0) -> TabularMDP:
    """A torus with slips, absorbed in state 0: chains that mix slowly; CSR."""
    rng = np.random.default_rng(seed)
    s = np.arange(n * n)
    y, x = np.divmod(s, n)
    near = np.stack([(y - 1) % n * n + x, (y + 1) % n * n + x, y * n + (x - 1) % n, y * n + (x + 1) % n], axis=1)
    rows, cols, data = [], [], []
    for a in range(4):
        for d in range(4):
            rows.append(s * 4 + a)
            cols.append(np.where(s == 0, 0, near[:, d]))
            data.append(np.full(s.size, 0.025 + 0.9 * (a == d)))
    flat = csr_array((np.concatenate(data), (np.concatenate(rows), np.concatenate(cols))), shape=(s.size * 4, s.size))
    r = -0.5 - rng.random((s.size, 4))
    r[0] = 0
    return TabularMDP(P=flat, r=r, criterion=Discounted(gamma), reward_law=WIDE)


@pytest.mark.parametrize("workers", [1, 3])
def test_compiled_backups_equal_array_programs(workers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backup_module, "BLOCK_TERMS", 10)
    m = grid(9, 0.9)
    loops = Fused(m.P.indptr, m.P.indices, m.P.data, m.r, 0.9, workers)
    assert len(loops.blocks) == workers and loops.blocks[-1][1] == m.S
    arrays = backups(m, 0.9, fused=False)
    v = np.random.default_rng(1).normal(size=m.S)
    fine = dict(rtol=0, atol=1e-14)
    np.testing.assert_allclose(loops.q(v), arrays.q(v), **fine)
    want = arrays.step(v)
    for keep in (False, True):
        got = loops.step(v, keep=keep)
        np.testing.assert_allclose(got.values, want.values, **fine)
        assert got.pi.tolist() == want.pi.tolist()
        assert (got.low, got.high) == ((got.values - v).min(), (got.values - v).max())
    here, there = got.chain().step(v), want.chain().step(v)
    np.testing.assert_allclose(here.values, there.values, **fine)
    assert (here.values - got.values == 0).all()
    swept, forward = v.copy(), v.copy()
    loops.sweep(swept, backward=False)
    for s in range(m.S):
        forward[s] = arrays.q(forward)[s].max()
    np.testing.assert_allclose(swept, forward, **fine)
    loops.sweep(swept, backward=True)
    for s in range(m.S - 1, -1, -1):
        forward[s] = arrays.q(forward)[s].max()
    np.testing.assert_allclose(swept, forward, **fine)


def test_threads_do_not_change_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backup_module, "BLOCK_TERMS", 10)
    m = grid(12, 0.95)
    plans = []
    for workers in (1, 2, 5):
        op = Fused(m.P.indptr, m.P.indices, m.P.data, m.r, 0.95, workers)
        monitor = Monitor(Bound(m), 1e-9)
        sweeps.modified(op, monitor, np.zeros(m.S))
        plans.append((monitor.v, monitor.steps))
    for v, steps in plans[1:]:
        assert v.tobytes() == plans[0][0].tobytes() and steps == plans[0][1]


def test_rows_of_different_lengths_keep_their_chain() -> None:
    P = csr_array(np.array([[1.0, 0, 0], [0.2, 0.3, 0.5], [0, 1.0, 0], [0.5, 0, 0.5], [0, 0, 1.0], [0.1, 0.1, 0.8]]))
    r = np.array([[0.0, 0.1], [0.5, 0.2], [0.3, 0.4]])
    m = TabularMDP(P=P, r=r, criterion=Discounted(0.9))
    v = np.array([1.0, -2.0, 0.5])
    loops, arrays = backups(m, 0.9, fused=True), backups(m, 0.9)
    assert isinstance(loops, Fused)
    kept = loops.step(v, keep=True)
    np.testing.assert_allclose(kept.chain().step(v).values, arrays.step(v).chain().step(v).values, rtol=0, atol=1e-15)
    np.testing.assert_allclose(kept.chain().step(v).values, kept.values, rtol=0, atol=1e-15)


def test_the_preconditioned_system_is_the_system() -> None:
    m = grid(7, 0.97)
    loops = backups(m, 0.97, fused=True)
    assert isinstance(loops, Fused)
    chain = loops.step(np.zeros(m.S), keep=True).chain()
    C = backups(m, 0.97, fused=False).step(np.zeros(m.S)).chain().flat.toarray()
    A = np.eye(m.S) - 0.97 * C
    system = chain.symmetric()
    rng = np.random.default_rng(0)
    x, z = rng.normal(size=m.S), rng.normal(size=m.S)
    np.testing.assert_allclose(system.left(A @ system.right(z)), system.product(z), rtol=0, atol=1e-11)
    assert system.size(system.left(A @ x)) == pytest.approx(np.abs(A @ x).max(), rel=1e-12)
    y = system.right(bicgstab(system.product, system.left(A @ x), 1e-12, 200, system.size))
    assert np.abs(y - x).max() < 1e-9


@pytest.mark.parametrize("gamma", [0.9, 0.999])
@pytest.mark.parametrize("method", planner.METHODS)
def test_compiled_plans_agree_with_linear_solves(method: str, gamma: float, monkeypatch: pytest.MonkeyPatch) -> None:
    m = grid(20, gamma)
    want = planner.solve(m, "policy-iteration", tol=1e-300)
    monkeypatch.setattr(backup_module, "FUSED_TERMS", 0)
    monkeypatch.setattr(planner, "LU_STATES", 0)
    p = planner.solve(m, method)
    assert p.method == method
    assert np.abs(p.V - want.V).max() <= p.certified_error + want.certified_error <= 3e-10 * np.abs(want.V).max()
    auto = planner.solve(m)
    assert auto.method == ("modified" if gamma == 0.9 else "inexact") + "-policy-iteration"
    assert auto.iterations < 200
    assert np.abs(auto.V - want.V).max() <= auto.certified_error + want.certified_error


@pytest.mark.parametrize("gamma", [0.0, 0.5, 0.99, 0.999])
def test_compiled_plans_against_rationals(gamma: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backup_module, "FUSED_TERMS", 0)
    monkeypatch.setattr(planner, "LU_STATES", 0)
    m, v = answer(2, gamma)
    for method in planner.METHODS:
        p = planner.solve(sparse(m), method)
        assert distance(v, p) <= Fraction(p.certified_error) <= 1e-10 * max(1.0, float(max(map(abs, v))))


def test_where_krylov_fails_sweeps_take_over(monkeypatch: pytest.MonkeyPatch) -> None:
    m, v = answer(0, 0.99)
    monkeypatch.setattr(sweeps, "bicgstab", lambda product, b, *rest: np.full_like(b, np.nan))
    p = planner.solve(m, "inexact-policy-iteration")
    assert distance(v, p) <= Fraction(p.certified_error) < 1e-7


def test_slow_chains_leave_modified_policy_iteration() -> None:
    dense = replace(grid(9, 0.999), P=grid(9, 0.999).dense())
    assert planner.solve(dense).method == "policy-iteration"
    assert planner.solve(discounted(0, 0.99, S=80)).method == "modified-policy-iteration"


@pytest.mark.parametrize("gamma", [0.0, 0.5, 0.99, 0.999])
@pytest.mark.parametrize("stochastic", [False, True])
def test_evaluation_by_iteration(gamma: float, stochastic: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    m = discounted(5, gamma)
    rng = np.random.default_rng(0)
    weights = rng.integers(1, 9, size=(m.S, m.A))
    pi: NDArray[Any] = weights / weights.sum(axis=1, keepdims=True) if stochastic else rng.integers(0, m.A, size=m.S)
    P, r = exact(m, normalise=False)
    share = [[Fraction(x) for x in row] for row in (pi if stochastic else np.eye(m.A)[pi]).tolist()]
    g = Fraction(gamma)
    matrix = [
        [Fraction(int(s == t)) - g * sum(share[s][a] * P[s][a][t] for a in range(m.A)) for t in range(m.S)]
        for s in range(m.S)
    ]
    v = solve(matrix, [sum(share[s][a] * r[s][a] for a in range(m.A)) for s in range(m.S)])
    direct = planner.evaluate_policy(m, pi)
    monkeypatch.setattr(planner, "LU_STATES", 0)
    plans = [direct, planner.evaluate_policy(m, pi), planner.evaluate_policy(sparse(m), pi)]
    assert [p.method for p in plans] == ["linear solve", "iterative evaluation", "iterative evaluation"]
    for p in plans:
        scale = max(1.0, float(np.abs(p.V).max()))
        assert distance(v, p) <= Fraction(p.certified_error) < 1e-14 * scale / (1 - gamma)


def test_evaluation_of_slow_chains_by_iteration(monkeypatch: pytest.MonkeyPatch) -> None:
    m = grid(20, 0.999)
    pi = planner.solve(m).pi
    direct = planner.evaluate_policy(m, pi)
    monkeypatch.setattr(planner, "LU_STATES", 0)
    p = planner.evaluate_policy(m, pi)
    assert p.iterations < 20
    assert np.abs(p.V - direct.V).max() <= p.certified_error + direct.certified_error < 1e-8


def test_the_monitor_gives_up_when_nothing_improves() -> None:
    m = discounted(0, 0.9)
    monitor = Monitor(Bound(m), 1e-12)
    monitor.patience = 6
    v = np.ones(m.S)
    assert not monitor.stop(np, v, -1.0, 1.0)
    for _ in range(4):
        assert not monitor.stop(np, 2 * v, -2.0, 2.0)
    assert not monitor.stop(np, np.full(m.S, np.nan), np.nan, np.nan)
    assert monitor.stop(np, 2 * v, -2.0, 2.0)
    assert monitor.v is v
