"""Planners on models with answers in closed form, structure checks, and the text of every refusal."""

from __future__ import annotations

import importlib
import itertools
from dataclasses import replace
from typing import Any

import array_api_strict
import numpy as np
import pytest
from scipy.sparse import csr_array

import mdps
from theorylab.errors import InputError
from theorylab.model import AverageReward, Bandit, Discounted, FiniteHorizon, ShortestPath, TabularMDP
from theorylab.plan import bias_span, diameter, evaluate, gain_bias, gaps, hitting_times, plan
from theorylab.plan.average_reward import average_reward

M = mdps.models


def cycle(n: int) -> TabularMDP:
    """A deterministic cycle with reward 1 at state 0: period n, gain 1/n, bias known."""
    return TabularMDP(P=np.roll(np.eye(n), 1, axis=1)[:, None, :], r=np.eye(n)[:, :1])


def sparse(m: TabularMDP) -> TabularMDP:
    return replace(m, P=csr_array(m.P.reshape(-1, m.S)))


def two_islands() -> TabularMDP:
    """Two absorbing states and a state in between that may go to either."""
    P = np.zeros((3, 2, 3))
    P[0, :, 0] = P[2, :, 2] = 1
    P[1, 0, 0] = P[1, 1, 2] = 1
    return TabularMDP(P=P, r=[[0, 0], [0, 0], [1, 1]])


# finite horizon


def brute_force(m: TabularMDP) -> float:
    """Best value from state 0 over all deterministic policies pi[h,s], by forward propagation of the state's law."""
    best = -np.inf
    P = m.P if m.stage_dependent else np.stack([m.P] * m.H)
    for flat in itertools.product(range(m.A), repeat=m.H * m.S):
        pi = np.reshape(flat, (m.H, m.S))
        law, total = m.mu0, 0.0
        for h in range(m.H):
            total += law @ m.r[np.arange(m.S), pi[h]]
            law = law @ P[h, np.arange(m.S), pi[h]]
        best = max(best, total)
    return best


def test_backward_induction_matches_all_policies_stationary_and_staged() -> None:
    m = M.garnet(S=3, A=2, b=2, seed=1, criterion=FiniteHorizon(3))
    assert m.mu0 @ plan(m).V[0] == pytest.approx(brute_force(m), abs=1e-14)
    P = np.stack([M.garnet(S=3, A=2, b=2, seed=s).P for s in (1, 2, 3)])
    staged = replace(m, P=P)
    assert staged.mu0 @ plan(staged).V[0] == pytest.approx(brute_force(staged), abs=1e-14)
    assert plan(staged).V[0, 0] != plan(m).V[0, 0]
    assert np.array_equal(plan(replace(m, P=np.stack([m.P] * 3))).V, plan(m).V)


def test_shapes_and_the_last_stage() -> None:
    m = M.riverswim(criterion=FiniteHorizon(7))
    p = plan(m)
    assert p.V.shape == (8, 6) and p.Q.shape == (7, 6, 2) and p.pi.shape == (7, 6) and p.pi.dtype == np.int64
    assert (p.V[7] == 0).all() and (p.Q[6] == m.r).all()
    assert p.gain is None and p.bias is None and p.iterations == 7
    with pytest.raises(ValueError, match="read-only"):
        p.V[0, 0] = 1


def test_sparse_and_dense_agree_within_their_certificates() -> None:
    m = M.garnet(S=30, A=3, b=4, seed=2)
    for criterion in (FiniteHorizon(20), AverageReward(), Discounted(0.95)):
        a, b = plan(replace(m, criterion=criterion)), plan(sparse(replace(m, criterion=criterion)))
        assert np.abs(a.V - b.V).max() < 1e-11 and (a.pi == b.pi).all()
    assert np.abs(hitting_times(m) - hitting_times(sparse(m))).max() < 1e-9


def test_another_namespace_gives_the_same_numbers() -> None:
    m = M.riverswim(criterion=FiniteHorizon(15))
    staged = replace(m, P=np.stack([m.P] * 15))
    for model in (m, staged):
        assert np.abs(plan(model, xp=array_api_strict).V - plan(model).V).max() < 1e-14


def test_ties_go_to_the_lowest_index_even_when_rounding_prefers_another() -> None:
    # 0.1 + 0.2 exceeds 0.3 by one unit in the last place: a bare argmax would take action 1
    r = np.array([[0.3, 0.1 + 0.2, 0.3]])
    assert r[0, 1] > r[0, 0]
    p = plan(TabularMDP(P=np.ones((1, 3, 1)), r=r, criterion=FiniteHorizon(1)))
    assert p.pi.tolist() == [[0]] and p.V[0, 0] == r[0, 1] and 0 < p.residual < 1e-15


def test_evaluating_the_optimal_policy_gives_the_optimal_values() -> None:
    for m in (
        M.riverswim(criterion=FiniteHorizon(30)),
        M.garnet(seed=3, criterion=FiniteHorizon(30)),
        M.garnet(seed=3),
    ):
        p = plan(m)
        again = evaluate(m, p.pi)
        assert np.abs(again.V - p.V).max() < 1e-12
        assert again.pi.tolist() == p.pi.tolist()


def test_policies_with_and_without_a_stage_axis() -> None:
    m = M.riverswim(criterion=FiniteHorizon(5))
    right = np.ones(6, dtype=int)
    one_hot = np.eye(2)[right]
    expected = evaluate(m, right).V
    for pi in (np.stack([right] * 5), one_hot, np.stack([one_hot] * 5)):
        assert np.array_equal(evaluate(m, pi).V, expected)


# average reward


@pytest.mark.parametrize("make", [lambda m: m, sparse])
@pytest.mark.parametrize("method", ["auto", "policy-iteration", "relative-value-iteration"])
def test_periodic_cycle(make: Any, method: str) -> None:
    p = plan(make(cycle(5)), method=method)
    assert p.gain == pytest.approx(0.2, abs=1e-10)
    assert p.bias == pytest.approx([0.8, 0.0, 0.2, 0.4, 0.6], abs=1e-8)
    assert np.abs(p.Q.max(axis=1) - p.gain - p.bias).max() <= p.residual + 1e-15


def test_periodic_two_state_switching() -> None:
    # r(s, move) = s: the best policy alternates, with period 2
    P = np.array([[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]]])
    p = plan(TabularMDP(P=P, r=[[0.25, 0.0], [0.0, 1.0]]))
    assert p.gain == 0.5 and p.pi.tolist() == [1, 1]


def best_gain(m: TabularMDP) -> float:
    """Largest gain of a recurrent class over all stationary policies (communicating models reach any class)."""
    best = -np.inf
    for pi in itertools.product(range(m.A), repeat=m.S):
        chain = m.P[np.arange(m.S), pi]
        lazy = (chain + np.eye(m.S)) / 2
        best = max(best, float((np.linalg.matrix_power(lazy, 2**20) @ m.r[np.arange(m.S), pi]).max()))
    return best


@pytest.mark.parametrize("seed", range(8))
def test_gain_is_the_best_over_all_policies(seed: int) -> None:
    # deterministic moves (b = 1) make most policies multichain and periodic; action 0 keeps the model communicating
    m = M.garnet(S=4, A=3, b=1, seed=seed, w=0.5)
    for method in ("auto", "policy-iteration"):
        assert plan(m, method=method).gain == pytest.approx(best_gain(m), abs=1e-9)


def test_policy_iteration_mends_multichain_starts() -> None:
    # two rooms, each with a loop that pays at once; the greedy start stays in both, only the second is worth keeping
    P = np.zeros((2, 2, 2))
    P[0, 0, 0] = P[0, 1, 1] = P[1, 0, 1] = P[1, 1, 0] = 1
    p = plan(TabularMDP(P=P, r=[[0.5, 0.0], [0.75, 0.0]]), method="policy-iteration")
    assert p.gain == 0.75 and p.pi.tolist() == [1, 0] and p.bias == pytest.approx([0.0, 0.75])


def test_transient_states_are_allowed() -> None:
    # state 0 leaves for good under every action: weakly communicating, not communicating
    P = np.zeros((3, 1, 3))
    P[0, 0, 1] = P[1, 0, 2] = P[2, 0, 1] = 1
    m = TabularMDP(P=P, r=[[1], [0], [1]])
    assert plan(m).gain == pytest.approx(0.5)
    with pytest.raises(InputError, match="diameter is infinite: state 1 cannot reach state 0"):
        diameter(m)


def test_several_closed_classes_are_refused() -> None:
    with pytest.raises(InputError, match=r"not weakly communicating: states 0 and 2 lie in closed classes"):
        plan(two_islands())


def test_a_trap_outside_of_the_closed_class_is_refused() -> None:
    # state 0 may stay for ever at reward 1, or go to state 1, which is absorbing and pays 0
    m = TabularMDP(P=[[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [0.0, 1.0]]], r=[[1, 0], [0, 0]])
    with pytest.raises(InputError, match=r"state 1 cannot reach state 0, where a policy can stay for ever"):
        plan(m)


def test_multichain_policy_is_refused_with_its_classes() -> None:
    m = M.two_state()
    with pytest.raises(InputError, match=r"multichain: its recurrent classes are \[0\] and \[1\]"):
        evaluate(m, [0, 0])
    assert evaluate(m, [1, 0]).gain == 1.0
    # one class, one transient state, is fine; so is a policy that randomises between the two
    assert gain_bias(m, np.array([[0.5, 0.5], [1.0, 0.0]])) == (1.0, pytest.approx([0.0, 2.0]))


def test_evaluation_matches_the_stationary_law() -> None:
    m = M.garnet(S=8, A=3, b=3, seed=4)
    pi = np.full((8, 3), 1 / 3)
    chain, r = m.P.mean(axis=1), m.r.mean(axis=1)
    law = np.linalg.matrix_power(chain, 10_000)[0]
    gain, bias = gain_bias(m, pi)
    assert gain == pytest.approx(law @ r, abs=1e-12)
    assert np.abs(gain + bias - r - chain @ bias).max() < 1e-13


def test_functions_that_do_not_depend_on_the_criterion() -> None:
    a, f = M.riverswim(), M.riverswim(criterion=FiniteHorizon(3))
    assert bias_span(a) == bias_span(f) and diameter(a) == diameter(f)
    assert gain_bias(f, np.ones(6, dtype=int))[0] == plan(a).gain


def test_hitting_times_in_closed_form() -> None:
    # a cycle: the time from s to g is the distance along it
    T = hitting_times(cycle(6))
    s, g = np.meshgrid(np.arange(6), np.arange(6), indexing="ij")
    assert np.abs(T - (g - s) % 6).max() < 1e-12
    assert hitting_times(M.three_state(q=0.01))[2, 1] == pytest.approx(100.0, rel=1e-12)
    assert diameter(TabularMDP(P=[[[1.0]]], r=[[0.0]])) == 0.0


def test_hitting_times_need_a_choice_that_is_not_the_shortest_path() -> None:
    # from 0: a shortcut with probability .01 (else back), or two sure steps through 1; the sure way takes 2
    P = np.zeros((3, 2, 3))
    P[0, 0, 2], P[0, 0, 0], P[0, 1, 1], P[1, :, 2], P[2, :, 0] = 0.01, 0.99, 1, 1, 1
    assert hitting_times(TabularMDP(P=P, r=np.zeros((3, 2))))[0, 2] == 2.0


# gaps


def test_gaps() -> None:
    f = M.riverswim(criterion=FiniteHorizon(6))
    p = plan(f)
    assert gaps(f).shape == (6, 6, 2) and np.array_equal(gaps(f), p.V[:6, :, None] - p.Q)
    a = M.riverswim()
    p = plan(a)
    assert p.gain is not None
    assert np.abs(gaps(a) - (p.gain + p.V[:, None] - p.Q)).max() < 1e-14
    assert (gaps(a).min(axis=1) == 0).all() and (gaps(a)[:, 0] > 0).all()
    assert gaps(Bandit([0.25, 0.75])).tolist() == [0.5, 0.0]
    assert gaps(replace(a, criterion=Discounted(0.9))).shape == (6, 2)


# refusals

RIVER, FINITE = M.riverswim(), M.riverswim(criterion=FiniteHorizon(3))
BAD: list[tuple[Any, str]] = [
    (lambda: plan(Bandit([0.5])), "cannot plan on a Bandit"),  # type: ignore[arg-type]
    (lambda: plan(replace(RIVER, criterion=ShortestPath(5))), "ill-posed: .* away from goal 5, and no reward"),
    (lambda: plan(RIVER, method="polcy-iteration"), "unknown method 'polcy-iteration'.*policy-iteration"),
    (lambda: plan(RIVER, method="backward-induction"), r"unknown method 'backward-induction' for AverageReward\(\)"),
    (lambda: plan(FINITE, tol=0.0), "tol is 0.0; give a positive"),
    (lambda: plan(RIVER, tol=float("nan")), "tol is nan; give a positive finite tolerance"),
    (lambda: plan(RIVER, method="policy-iteration", xp=array_api_strict), "not used by 'policy-iteration' for Average"),
    (lambda: evaluate(RIVER, [1, 1, 1]), r"shape \(3,\); expected \(6,\)"),
    (lambda: evaluate(RIVER, np.ones((3, 6), dtype=int)), r"shape \(3, 6\); expected \(6,\)"),
    (
        lambda: evaluate(FINITE, np.ones(6)),
        r"probabilities \(floats\) has shape \(6,\); expected \(6, 2\) or \(3, 6, 2\)",
    ),
    (lambda: evaluate(RIVER, [1, 1, 2, 1, 1, 1]), r"pi\[2\] is 2; actions are 0\.\.1"),
    (lambda: evaluate(RIVER, [1, 1, 1, -1, 1, 1]), r"pi\[3\] is -1"),
    (lambda: evaluate(RIVER, np.full((6, 2), 0.25)), r"pi\[0,:\] sums to 0\.5; rows must sum to 1"),
    (lambda: evaluate(RIVER, np.array([[1.5, -0.5]] * 6)), r"pi\[0,1\] is -0\.5; probabilities"),
    (lambda: evaluate(RIVER, [[0.5, 0.5], [1.0]]), "not a rectangular array"),
    (lambda: evaluate(RIVER, ["left"] * 6), "pi has dtype <U4"),
    (lambda: diameter(replace(FINITE, P=np.stack([FINITE.P] * 3))), "need stationary transitions"),
    (lambda: bias_span(replace(FINITE, P=np.stack([FINITE.P] * 3))), "needs stationary transitions"),
]


@pytest.mark.parametrize(("call", "message"), BAD)
def test_refusals(call: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        call()


def test_value_iteration_that_cannot_reach_its_tolerance_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    # by module object: `theorylab.plan` is the function, so a dotted path would not resolve
    monkeypatch.setattr(importlib.import_module("theorylab.plan.average_reward"), "MOST_SWEEPS", 50)
    with pytest.raises(InputError, match=r"tol 1e-300 not reached in 50 sweeps; use method='auto'"):
        plan(RIVER, method="relative-value-iteration", tol=1e-300)


def test_value_iteration_alone_reports_an_honest_error() -> None:
    p, q = average_reward(RIVER, "relative-value-iteration", 1e-3), average_reward(RIVER)
    assert p.gain is not None and q.gain is not None
    assert abs(p.gain - q.gain) <= p.certified_error + q.certified_error
    assert 1e-6 < p.certified_error < 1e-3 and q.certified_error < 1e-13


def test_an_xp_that_is_no_namespace_is_refused() -> None:
    with pytest.raises(InputError, match=r"xp is 3; give an array namespace"):
        plan(TabularMDP(P=np.ones((1, 1, 1)), r=np.ones((1, 1)), criterion=Discounted(0.5)), xp=3)
