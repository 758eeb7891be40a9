"""Average reward: certified bias against rationals, other namespaces, large sparse models, and planted faults."""

from __future__ import annotations

import itertools
from dataclasses import replace
from fractions import Fraction
from typing import Any

import array_api_strict
import numpy as np
import pytest
from scipy.sparse import csr_array

import mdps
from tests.plan.test_plan_certified import backups, exact, exact_gain_bias, random_model, solve
from theorylab.assume import reachability
from theorylab.errors import InputError
from theorylab.model import RewardLaw, TabularMDP
from theorylab.plan.average_reward import _bias_error, average_reward, evaluate_policy, q_values
from theorylab.plan.chains import Absorption, Poisson, policy_chain, policy_graph
from theorylab.plan.structure import distances, nearest_policy, period

M = mdps.models


def sparse(m: TabularMDP) -> TabularMDP:
    return replace(m, P=csr_array(m.P.reshape(-1, m.S)))


def true_error(m: TabularMDP, pi: np.ndarray, bias: np.ndarray, optimal: bool, ref: int = 0) -> Fraction:
    """max |bias - exact bias|, both with minimum 0, in rationals; checks that `pi` is optimal if asked."""
    P, r = exact(m, normalise=True)
    gain, h = exact_gain_bias(P, r, pi, ref)
    assert not optimal or all(gain + h[s] >= max(row) for s, row in enumerate(backups(P, r, h)))
    low = min(h)
    return max(abs(x - low - Fraction(y)) for x, y in zip(h, bias.tolist(), strict=True))


@pytest.mark.parametrize("make", [lambda m: m, sparse])
@pytest.mark.parametrize("seed", range(8))
def test_certified_bias_against_rationals(seed: int, make: Any) -> None:
    m = random_model(seed, S=6)
    p = average_reward(make(m))
    assert p.bias is not None and p.bias_error is not None
    assert true_error(m, p.pi, p.bias, True) <= Fraction(p.bias_error) < Fraction(1, 10**11)
    actions = np.random.default_rng(seed).integers(0, m.A, size=m.S)
    e = evaluate_policy(make(m), actions)
    assert e.bias is not None and e.bias_error is not None
    assert true_error(m, actions, e.bias, False) <= Fraction(e.bias_error) < Fraction(1, 10**11)


@pytest.mark.parametrize("seed", range(4))
def test_value_iteration_alone_has_an_honest_bias_error(seed: int) -> None:
    m = random_model(seed, S=6)
    p = average_reward(m, "relative-value-iteration", 1e-7)
    assert p.bias is not None and p.bias_error is not None
    error = true_error(m, p.pi, p.bias, True)
    assert Fraction(1, 10**12) < error <= Fraction(p.bias_error) < Fraction(1, 10**4)


@pytest.mark.parametrize("seed", range(4))
def test_evaluation_of_a_stochastic_policy_against_rationals(seed: int) -> None:
    m = random_model(seed)
    weights = np.random.default_rng(seed).integers(1, 9, size=(m.S, m.A))
    pi = weights / weights.sum(axis=1, keepdims=True)
    P, r = exact(m, normalise=True)
    w = [[Fraction(x) / sum(map(Fraction, row)) for x in row] for row in pi.tolist()]
    chain = [[sum(w[s][a] * P[s][a][j] for a in range(m.A)) for j in range(m.S)] for s in range(m.S)]
    matrix = [[Fraction(1) if j == 0 else (i == j) - chain[i][j] for j in range(m.S)] for i in range(m.S)]
    h = solve(matrix, [sum(w[s][a] * r[s][a] for a in range(m.A)) for s in range(m.S)])
    gain, h[0] = h[0], Fraction(0)
    for made in (m, sparse(m)):
        p = evaluate_policy(made, pi)
        assert p.gain is not None and p.bias is not None and p.bias_error is not None
        assert abs(Fraction(p.gain) - gain) <= Fraction(p.certified_error) < Fraction(1, 10**13)
        error = max(abs(x - min(h) - Fraction(y)) for x, y in zip(h, p.bias.tolist(), strict=True))
        assert error <= Fraction(p.bias_error) < Fraction(1, 10**11)


def test_transient_and_rarely_visited_states() -> None:
    # osband's bias spans of the module docstring, and state 0, recurrent but visited once in 7^20 steps
    for states, span in ((4, 3.47507), (6, 6.31032431), (12, 14.880952), (20, 26.309524)):
        p = average_reward(M.riverswim(states=states))
        assert p.bias is not None and p.bias_error is not None
        assert abs(np.ptp(p.bias) - span) < 5e-6 and p.bias_error < 1e-10
    P = np.zeros((3, 1, 3))
    P[0, 0, 1] = P[1, 0, 2] = P[2, 0, 1] = 1
    p = average_reward(TabularMDP(P=P, r=[[1], [0], [1]]))
    assert p.bias == pytest.approx([0.5, 0, 0.5], abs=1e-15) and p.bias_error is not None and p.bias_error < 1e-14


def test_a_bias_that_is_not_unique_has_no_bound() -> None:
    # two loops that pay the same, linked by moves that pay 0: any h[1] - h[0] in [-1, 1] solves the equation
    P = np.zeros((2, 2, 2))
    P[0, 0, 0] = P[0, 1, 1] = P[1, 0, 1] = P[1, 1, 0] = 1
    p = average_reward(TabularMDP(P=P, r=[[0.75, 0.0], [0.75, 0.0]]))
    assert p.gain == 0.75 and p.certified_error < 1e-14 and p.bias_error == float("inf")
    # a near tie: the second loop pays 1e-14 less, which rounding cannot tell
    p = average_reward(TabularMDP(P=P, r=[[0.75, 0.0], [0.75 - 1e-15, 0.0]]))
    assert p.certified_error < 1e-14 and p.bias_error == float("inf")
    # a clear difference: h[1] - h[0] = 0 - 0.75
    p = average_reward(TabularMDP(P=P, r=[[0.75, 0.0], [0.5, 0.0]]))
    assert p.bias == pytest.approx([0.75, 0.0], abs=1e-15) and p.bias_error is not None and p.bias_error < 1e-13


def test_ties_on_the_way_keep_the_bound() -> None:
    # from 0, one step or two lead to the paying loop at 2, and both are optimal
    P = np.zeros((3, 2, 3))
    P[0, 0, 2] = P[0, 1, 1] = P[1, :, 2] = P[2, :, 2] = 1
    p = average_reward(TabularMDP(P=P, r=[[0, 0.5], [0.5, 0.5], [1, 1]]))
    assert p.bias == pytest.approx([0, 0.5, 1], abs=1e-15) and p.bias_error is not None and p.bias_error < 1e-13


def test_periodic_chains_have_a_certified_bias() -> None:
    m = TabularMDP(P=np.roll(np.eye(5), 1, axis=1)[:, None, :], r=np.eye(5)[:, :1])
    for made in (m, sparse(m)):
        p = average_reward(made)
        assert p.bias == pytest.approx([0.8, 0, 0.2, 0.4, 0.6], abs=1e-14)
        assert p.bias_error is not None and p.bias_error < 1e-13


def test_planted_faults_are_noticed() -> None:
    m = random_model(2, S=5)
    p = average_reward(m)
    assert p.gain is not None and p.bias is not None
    chain, _ = policy_chain(m, p.pi)
    system = Poisson(chain, 0)

    def bound(gain: float, bias: np.ndarray) -> float:
        q = q_values(m, bias)
        optimal = _bias_error(m, gain, p.certified_error, bias, q, p.pi, system, 0.0, True)
        alone = _bias_error(m, gain, p.certified_error, bias, q, p.pi, system, 0.0, False)
        assert alone <= optimal * (1 + 1e-12) or optimal < 1e-11
        return min(optimal, alone)

    assert bound(p.gain, p.bias) < 1e-11
    assert bound(p.gain + 1e-6, p.bias) > 1e-6
    for s in range(m.S):
        assert bound(p.gain, p.bias + 1e-6 * (np.arange(m.S) == s)) >= 1e-6
    # a gain that is known to 1e-5 only makes the bias no better
    assert _bias_error(m, p.gain, 1e-5, p.bias, p.Q, p.pi, system, 0.0, True) > 1e-5


@pytest.mark.parametrize("method", ["auto", "relative-value-iteration"])
def test_another_namespace_gives_the_same_numbers(method: str) -> None:
    m = M.garnet(S=30, A=3, b=4, seed=2)
    a = average_reward(m, "relative-value-iteration", 1e-9)
    b = average_reward(m, method, 1e-9, xp=array_api_strict)
    assert a.gain is not None and b.gain is not None and a.bias is not None and b.bias is not None
    assert type(b.bias) is np.ndarray and type(b.gain) is float and b.method == "relative-value-iteration"
    assert abs(a.gain - b.gain) < 1e-14 and np.abs(a.bias - b.bias).max() < 1e-12 and (a.pi == b.pi).all()
    assert b.certified_error < 1e-8 and b.bias_error is not None and b.bias_error < 1e-4
    assert average_reward(m, xp=np).method == average_reward(m).method


def test_namespaces_are_refused_where_they_do_nothing() -> None:
    m = M.garnet(S=5, A=2, b=2, seed=0)
    with pytest.raises(InputError, match="on a dense P; give a dense P, or leave xp=None"):
        average_reward(sparse(m), xp=array_api_strict)
    with pytest.raises(InputError, match="leave method='auto', or xp=None"):
        average_reward(m, "policy-iteration", xp=array_api_strict)


def large(seed: int, S: int, A: int, b: int) -> TabularMDP:
    rng = np.random.default_rng(seed)
    columns, p = rng.integers(0, S, (S * A, b)), rng.dirichlet(np.ones(b), S * A)
    flat = csr_array((p.ravel(), columns.ravel(), np.arange(0, S * A * b + 1, b)), shape=(S * A, S))
    return TabularMDP(P=csr_array(flat.multiply(1 / flat.sum(axis=1)[:, None])), r=rng.random((S, A)))


def test_large_sparse_models_are_certified_and_agree_with_dense_algebra() -> None:
    m = large(3, 1500, 3, 6)
    p = average_reward(m)
    assert p.gain is not None and p.bias is not None and p.bias_error is not None
    assert p.certified_error < 1e-13 and p.bias_error < 1e-9
    S = m.S
    chain = m.dense()[np.arange(S), p.pi]
    matrix = np.eye(S) - chain
    matrix[:, 0] = 1
    x = np.linalg.solve(matrix, m.r[np.arange(S), p.pi])
    gain, x[0] = x[0], 0
    assert abs(gain - p.gain) < 1e-12 and np.abs(x - x.min() - p.bias).max() < 1e-11
    for pi in (p.pi, np.full((S, 3), 1 / 3)):
        e = evaluate_policy(m, pi)
        assert e.gain is not None and e.bias_error is not None
        assert e.certified_error < 1e-13 and e.bias_error < 1e-9 and e.gain <= p.gain + 1e-13


def test_solvers_beyond_the_small_size() -> None:
    """BiCGStab where it converges, sparse LU where it does not (a long cycle)."""
    n = 450
    ring = csr_array(np.roll(np.eye(n), 1, axis=1))
    gain, h = Poisson(ring, 0).bias(np.eye(n)[0])
    # h[0] = 0 and h[s] = g s - (1 for s > 0 ... ) along the cycle: h[s + 1] = h[s] + g - [s = 0]
    expected = np.where(np.arange(n) > 0, np.arange(n) / n - 1, 0)
    assert gain == pytest.approx(1 / n, abs=1e-15) and np.abs(h - expected).max() < 1e-12
    assert np.abs(Poisson(ring, 0).stationary() - 1 / n).max() < 1e-14
    for chain in (ring, ring.toarray()):
        assert np.abs(Absorption(chain, 0).solve(np.ones(n)) - (n - np.arange(n)) % n).max() < 1e-9
    m = large(1, 500, 1, 5)
    chain, reward = policy_chain(m, np.zeros(500, dtype=int))
    dense = chain.toarray()
    for made in (chain, dense):
        gain, h = Poisson(made, 4).bias(reward)
        assert h[4] == 0 and np.abs(gain + h - reward - dense @ h).max() < 1e-13
        mu = Poisson(made, 4).stationary()
        assert np.abs(mu - mu @ dense).max() < 1e-15 and mu.sum() == pytest.approx(1, abs=1e-12)
        assert abs(mu @ reward - gain) < 1e-12
        times = Absorption(made, 4).solve(np.ones(500))
        assert np.abs(times - 1 - dense @ times)[np.arange(500) != 4].max() < 1e-9 * times.max()
        assert np.abs(Poisson(made, 4).hitting(4) - times).max() < 1e-9 * times.max()


def test_graph_helpers() -> None:
    m = M.riverswim(states=5)
    graph = reachability(m)
    assert (graph.toarray() > 0).tolist() == (m.P > 0).any(axis=1).tolist()
    assert (reachability(sparse(m)).toarray() > 0).tolist() == (graph.toarray() > 0).tolist()
    layer = distances(graph, np.array([4]))
    assert layer.tolist() == [4, 3, 2, 1, 0]
    assert distances(graph, np.array([0, 4])).tolist() == [0, 1, 2, 1, 0]
    assert nearest_policy(m, layer)[:4].tolist() == [1, 1, 1, 1]
    island = csr_array(np.array([[0, 1, 0], [0, 1, 0], [0, 0, 1]]))
    assert distances(island, np.array([1])).tolist() == [1, 0, -1]
    for n in (1, 2, 6):
        assert period(csr_array(np.roll(np.eye(n), 1, axis=1)), np.arange(n)) == n
    # cycles of length 4 and 6 through state 0
    arcs = np.zeros((9, 9))
    for path in ((0, 1, 2, 3, 0), (0, 4, 5, 6, 7, 8, 0)):
        for a, b in itertools.pairwise(path):
            arcs[a, b] = 1
    assert period(csr_array(arcs), np.arange(9)) == 2


def test_tied_cycles_that_share_a_state_have_a_certified_bias() -> None:
    # 0 -> 1 -> 0 and 1 -> 2 -> 1 both gain 1/2; only state 1 lies on both
    P = np.zeros((3, 3, 3))
    for s, row in enumerate(((0, 1, 2), (0, 0, 2), (0, 1, 1))):
        P[s, np.arange(3), row] = 1.0
    r = np.array([[-2.0, 0, -2], [-2, 1, 0], [0, -2, 1]])
    p = average_reward(TabularMDP(P=P, r=r, reward_law=RewardLaw("deterministic", -2.0, 1.0)))
    assert p.bias_error is not None and p.bias_error < 1e-13
    assert np.abs(p.bias - [0.0, 0.5, 1.0]).max() <= p.bias_error


@pytest.mark.filterwarnings("error")
def test_chains_that_are_singular_in_double_precision_end_with_an_honest_gain() -> None:
    m = TabularMDP(P=np.array([[[1.0, 1e-300]], [[1e-300, 1.0]]]), r=np.array([[0.0], [1.0]]))
    for p in (average_reward(m), average_reward(m, "policy-iteration"), evaluate_policy(m, np.zeros(2, dtype=int))):
        assert p.gain is not None
        assert abs(p.gain - 0.5) <= p.certified_error < 1.1
        assert p.bias_error == np.inf
    big = random_model(3, S=500, A=1)
    rows = np.eye(500)[:, None]
    rows[np.arange(500), 0, (np.arange(500) + 1) % 500] = 1e-300
    p = average_reward(sparse(replace(big, P=rows)), "policy-iteration")
    assert p.gain is not None and abs(p.gain - big.r.mean()) <= p.certified_error <= 1.1


def test_a_tolerance_below_rounding_is_refused_at_once() -> None:
    m = replace(random_model(1), r=random_model(1).r * 1e12, reward_law=RewardLaw("deterministic", 0.0, 1e12))
    with pytest.raises(InputError, match=r"tol 1e-10 is below rounding, raise it; use method='auto'"):
        average_reward(m, "relative-value-iteration")


def test_probabilities_whose_product_underflows_are_arcs() -> None:
    # 0 -> 1 has probability 1e-400, 1 -> 0 has 1e-200: one recurrent class {0, 1}, not {0}
    P = np.array([[[1.0, 0], [1, 1e-200]], [[1e-200, 1], [1, 0]]])
    m = TabularMDP(P=P, r=np.array([[0.0, 0], [1, 1]]))
    pi = np.array([[1.0, 1e-200], [1.0, 0]])
    graph = policy_graph(m, pi, policy_chain(m, pi)[0])
    assert graph.toarray().astype(bool).all()
    assert evaluate_policy(m, pi).certified_error >= 1e-200
