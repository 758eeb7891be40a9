"""The certified error against exact rational answers: it bounds the true error, and is not vacuous."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import flint
import numpy as np
import pytest
from scipy.sparse import csr_array

from theorylab.model import AverageReward, Discounted, FiniteHorizon, TabularMDP
from theorylab.plan import evaluate, evaluate_batch, plan

Row = list[Fraction]


def random_model(seed: int, S: int = 4, A: int = 3, zeros: float = 0.4) -> TabularMDP:
    """Integer weights over their sum: rows that floats cannot hold exactly; state s+1 stays reachable from s."""
    rng = np.random.default_rng(seed)
    weights = rng.integers(1, 10, size=(S, A, S)) * (rng.random((S, A, S)) > zeros)
    weights[np.arange(S), :, (np.arange(S) + 1) % S] += 1
    r = rng.integers(0, 8, size=(S, A)) / 7
    return TabularMDP(P=weights / weights.sum(axis=-1, keepdims=True), r=r)


def exact(model: TabularMDP, normalise: bool) -> tuple[list[list[Row]], list[Row]]:
    """P[s][a][s2] and r[s][a] as rationals: the float64 entries, divided by their row sums if `normalise`."""
    P = [[[Fraction(x) for x in row.tolist()] for row in state] for state in model.dense()]
    if normalise:
        P = [[[x / sum(row) for x in row] for row in state] for state in P]
    return P, [[Fraction(x) for x in row.tolist()] for row in model.r]


def backups(P: list[list[Row]], r: list[Row], v: Row, gamma: Fraction = Fraction(1)) -> list[Row]:
    return [
        [r[s][a] + gamma * sum(p * x for p, x in zip(P[s][a], v, strict=True)) for a in range(len(r[s]))]
        for s in range(len(r))
    ]


def solve(matrix: list[Row], right: Row) -> Row:
    n = len(right)
    a = flint.fmpq_mat(n, n, [flint.fmpq(x.numerator, x.denominator) for row in matrix for x in row])
    b = flint.fmpq_mat(n, 1, [flint.fmpq(x.numerator, x.denominator) for x in right])
    x = a.solve(b)
    return [Fraction(int(x[i, 0].p), int(x[i, 0].q)) for i in range(n)]


def exact_gain_bias(P: list[list[Row]], r: list[Row], pi: np.ndarray, ref: int) -> tuple[Fraction, Row]:
    """(I - P_pi) h + g 1 = r_pi, h[ref] = 0."""
    S = len(r)
    matrix = [[Fraction(1) if j == ref else Fraction(int(i == j)) - P[i][pi[i]][j] for j in range(S)] for i in range(S)]
    x = solve(matrix, [r[i][pi[i]] for i in range(S)])
    gain, x[ref] = x[ref], Fraction(0)
    return gain, x


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_backward_induction(seed: int, sparse: bool) -> None:
    m = replace(random_model(seed), criterion=FiniteHorizon(12))
    P, r = exact(m, normalise=False)
    p = plan(replace(m, P=csr_array(m.P.reshape(-1, m.S))) if sparse else m)
    v = [Fraction(0)] * m.S
    error = Fraction(0)
    for h in range(11, -1, -1):
        v = [max(row) for row in backups(P, r, v)]
        error = max(error, *(abs(x - Fraction(y)) for x, y in zip(v, p.V[h].tolist(), strict=True)))
    assert 0 < error <= Fraction(p.certified_error) < Fraction(1, 10**12)


@pytest.mark.parametrize("seed", range(4))
def test_finite_horizon_evaluation_of_a_stochastic_policy(seed: int) -> None:
    m = replace(random_model(seed), criterion=FiniteHorizon(9))
    weights = np.random.default_rng(seed + 100).integers(1, 9, size=(9, m.S, m.A))
    pi = weights / weights.sum(axis=-1, keepdims=True)
    P, r = exact(m, normalise=False)
    p = evaluate(m, pi)
    v = [Fraction(0)] * m.S
    error = Fraction(0)
    for h in range(8, -1, -1):
        q = backups(P, r, v)
        v = [sum(Fraction(w) * x for w, x in zip(pi[h, s].tolist(), q[s], strict=True)) for s in range(m.S)]
        error = max(error, *(abs(x - Fraction(y)) for x, y in zip(v, p.V[h].tolist(), strict=True)))
    assert 0 < error <= Fraction(p.certified_error) < Fraction(1, 10**12)


@pytest.mark.parametrize("method", ["auto", "policy-iteration", "relative-value-iteration"])
@pytest.mark.parametrize("seed", range(6))
def test_average_reward(seed: int, method: str) -> None:
    m = random_model(seed, S=5)
    P, r = exact(m, normalise=True)
    p = plan(m, method=method, tol=1e-9)
    # the arcs s -> s+1 make every policy recurrent on all states, so any reference state will do
    gain, h = exact_gain_bias(P, r, p.pi, 0)
    # exact optimality of the returned policy: gain + h >= every backup, in rationals
    assert all(gain + h[s] >= max(row) for s, row in enumerate(backups(P, r, h)))
    assert p.gain is not None and p.bias is not None
    assert abs(Fraction(p.gain) - gain) <= Fraction(p.certified_error)
    assert p.certified_error < (1e-8 if method == "relative-value-iteration" else 1e-13)
    accuracy = 1e-6 if method == "relative-value-iteration" else 1e-12
    low = min(h)
    assert max(abs(float(x - low) - y) for x, y in zip(h, p.bias.tolist(), strict=True)) < accuracy
    assert p.bias.min() == 0


@pytest.mark.parametrize("seed", range(4))
def test_average_reward_evaluation(seed: int) -> None:
    m = random_model(seed)
    P, r = exact(m, normalise=True)
    actions = np.random.default_rng(seed).integers(0, m.A, size=m.S)
    gain, h = exact_gain_bias(P, r, actions, 0)
    one_hot = np.eye(m.A)[actions]
    for p in (
        evaluate(m, actions),
        evaluate(m, one_hot),
        evaluate(replace(m, P=csr_array(m.P.reshape(-1, 4))), one_hot),
    ):
        assert p.gain is not None and p.bias is not None
        assert abs(Fraction(p.gain) - gain) <= Fraction(p.certified_error) < Fraction(1, 10**12)
        assert max(abs(float(x - min(h)) - y) for x, y in zip(h, p.bias.tolist(), strict=True)) < 1e-12


@pytest.mark.parametrize("gamma", [0.0, 0.5, 0.99])
@pytest.mark.parametrize("seed", range(3))
def test_discounted(seed: int, gamma: float) -> None:
    m = replace(random_model(seed), criterion=Discounted(gamma))
    P, r = exact(m, normalise=False)
    g = Fraction(gamma)
    p = plan(m)
    matrix = [[Fraction(int(i == j)) - g * P[i][p.pi[i]][j] for j in range(m.S)] for i in range(m.S)]
    v = solve(matrix, [r[i][p.pi[i]] for i in range(m.S)])
    assert all(v[s] == max(row) for s, row in enumerate(backups(P, r, v, g)))
    error = max(abs(x - Fraction(y)) for x, y in zip(v, p.V.tolist(), strict=True))
    assert error <= Fraction(p.certified_error) < Fraction(1, 10**10)
    again = evaluate(m, p.pi)
    assert np.abs(again.V - p.V).max() <= p.certified_error + again.certified_error


def test_the_certificate_covers_rows_that_are_off_one() -> None:
    # a row sum of 1 - 5e-10 passes validation; the exact model divides by the sum, and the bracket must allow for it
    P = np.array([[[0.5, 0.5 - 5e-10]], [[0.5, 0.5]]])
    m = TabularMDP(P=P, r=[[0.0], [1.0]], criterion=AverageReward())
    p = plan(m)
    exact_p, r = exact(m, normalise=True)
    gain, _ = exact_gain_bias(exact_p, r, p.pi, 0)
    assert p.gain is not None
    assert 1e-11 < abs(Fraction(p.gain) - gain) <= Fraction(p.certified_error) < Fraction(1, 10**8)


def test_an_evaluation_that_is_wrong_would_be_seen() -> None:
    # the bracket is computed from the equations, not from the solver's word: shifting a bias widens it
    from theorylab.plan.average_reward import _certify, q_values

    m = random_model(0)
    p = plan(m)
    assert p.gain is not None and p.bias is not None
    wrong = p.bias + np.array([1e-6, 0, 0, 0])
    q = q_values(m, wrong)
    assert _certify(m, p.gain, wrong, q.max(axis=1), float(np.abs(q).max()), m.r.max(axis=1), 0.0) > 1e-8


def test_underflow_in_the_average_of_a_stochastic_policy() -> None:
    m = TabularMDP(P=np.ones((1, 2, 1)), r=np.full((1, 2), 1.5e-323), criterion=FiniteHorizon(1))
    pi = np.array([[0.5, 0.5]])
    for value, error in (
        (evaluate(m, pi).V[0, 0], evaluate(m, pi).certified_error),
        (evaluate_batch(m, pi[None]).V[0, 0, 0], evaluate_batch(m, pi[None]).certified_error[0]),
    ):
        assert 0 < abs(Fraction(float(value)) - Fraction(1.5e-323)) <= Fraction(float(error))
