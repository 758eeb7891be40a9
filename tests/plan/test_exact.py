"""Exact answers: closed forms, brute force over all policies, ties, and the float certificates that must cover them."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array

import mdps
from theorylab.errors import InputError
from theorylab.model import AverageReward, Discounted, FiniteHorizon, RewardLaw, ShortestPath, TabularMDP
from theorylab.plan import api, evaluate, plan, shortest_path
from theorylab.plan.exact import exact_bias_span, exact_evaluate, exact_hitting_times, exact_plan

F = Fraction
ANY = RewardLaw("deterministic", low=-10, high=10)
Table = list[list[Fraction]]


def random_model(seed: int, S: int = 3, A: int = 2, zeros: float = 0.4, cycle: bool = True) -> TabularMDP:
    rng = np.random.default_rng(seed)
    weights = rng.integers(1, 10, size=(S, A, S)) * (rng.random((S, A, S)) > zeros)
    weights[np.arange(S), :, (np.arange(S) + 1) % S] += 1 if cycle else 0
    weights[..., 0] += weights.sum(axis=-1) == 0
    return TabularMDP(P=weights / weights.sum(axis=-1, keepdims=True), r=rng.integers(0, 8, size=(S, A)) / 7)


def ring(n: int, criterion: Any = None) -> TabularMDP:
    P = np.zeros((n, 1, n))
    P[np.arange(n), 0, (np.arange(n) + 1) % n] = 1
    r = np.zeros((n, 1))
    r[0, 0] = 1
    return TabularMDP(P=P, r=r, criterion=criterion or AverageReward())


def gauss(matrix: Table, right: list[Fraction]) -> list[Fraction]:
    """Gauss-Jordan elimination in Python's fractions: independent of flint."""
    n = len(right)
    rows = [[*row, b] for row, b in zip(matrix, right, strict=True)]
    for i in range(n):
        pivot = next(k for k in range(i, n) if rows[k][i] != 0)
        rows[i], rows[pivot] = rows[pivot], rows[i]
        rows[i] = [x / rows[i][i] for x in rows[i]]
        for k in range(n):
            if k != i and rows[k][i] != 0:
                rows[k] = [x - rows[k][i] * y for x, y in zip(rows[k], rows[i], strict=True)]
    return [row[n] for row in rows]


def entries(m: TabularMDP, normalise: bool) -> tuple[Any, Table]:
    P = [[[F(x) for x in row] for row in state] for state in m.dense().tolist()]
    if normalise:
        P = [[[x / sum(row) for x in row] for row in state] for state in P]
    return P, [[F(x) for x in row] for row in m.r.tolist()]


def policies(m: TabularMDP) -> list[tuple[int, ...]]:
    return list(itertools.product(range(m.A), repeat=m.S))


# closed forms


def test_riverswim_has_a_rational_gain() -> None:
    p = exact_plan(mdps.models.riverswim(states=6), snap=200)
    assert p.gain == F(7203, 16805)
    assert abs(p.gain - F("0.4286224338")) < F(1, 10**10)
    assert p.pi.tolist() == [1] * 6 and p.unique.all() and p.bias_unique
    span = exact_bias_span(mdps.models.riverswim(states=6, criterion=FiniteHorizon(5)), snap=200)
    assert abs(span - F("6.31032431")) < F(1, 10**8)
    assert abs(exact_hitting_times(mdps.models.riverswim(states=6), 5, snap=200)[0] - F("14.722338")) < F(1, 10**6)


def test_without_snap_the_answer_is_that_of_the_floats() -> None:
    m = mdps.models.riverswim(states=6)
    given, printed = exact_plan(m).gain, exact_plan(m, snap=200).gain
    assert given is not None and printed is not None
    assert 0 < abs(given - printed) < F(1, 10**15)
    assert F(plan(m).gain or 0.0) != printed


@pytest.mark.parametrize(("d", "e"), [("0.25", "0.1"), ("0.2", "0.02"), ("0.3", "0.7")])
def test_jao(d: str, e: str) -> None:
    D, E = F(d), F(e)
    m = mdps.models.jao(delta=float(d), epsilon=float(e), actions=3, good=1)
    p = exact_plan(m, snap=100)
    assert p.gain == (D + E) / (2 * D + E)
    assert exact_bias_span(m, snap=100) == 1 / (2 * D + E)
    assert exact_hitting_times(m, 0, snap=100).tolist() == [0, 1 / D]
    assert p.unique.tolist() == [True, False] and p.pi.tolist() == [1, 0]


def test_three_states() -> None:
    p = exact_plan(mdps.models.three_state(q=0.005), snap=200)
    assert p.gain == F(2, 3)
    assert p.bias is not None and p.bias.tolist() == [F(1, 3), F(0), F(200, 199)]
    assert exact_bias_span(mdps.models.three_state(q=0.005), snap=200) == F(200, 199)


@pytest.mark.parametrize("slip", ["0", "0.125", "0.1"])
def test_two_states(slip: str) -> None:
    p = exact_plan(mdps.models.two_state(slip=float(slip)), snap=10)
    assert p.gain == 1 - F(slip)
    assert p.bias is not None and p.bias.tolist() == [0, 1]
    assert p.pi.tolist() == [1, 0]


@pytest.mark.parametrize("n", [1, 2, 7])
def test_cycles_are_periodic(n: int) -> None:
    p = exact_plan(ring(n))
    assert p.gain == F(1, n)
    assert p.bias is not None
    # after state 0, h[s] = (s - 1)/n up to a constant: each step without reward loses the gain
    assert p.bias.tolist() == [F(n - 1, n) if s == 0 else F(s - 1, n) for s in range(n)]
    d = exact_plan(ring(n, Discounted(0.5)))
    assert d.V[0] == 1 / (1 - F(1, 2) ** n)
    s = exact_plan(ring(n, ShortestPath(0)))
    assert s.V.tolist() == [0] * n
    assert exact_hitting_times(ring(n), 0).tolist() == [(n - s) % n for s in range(n)]


def test_snap_reaches_gamma() -> None:
    assert exact_plan(ring(1, Discounted(0.9)), snap=10).V[0] == 10
    assert exact_plan(ring(1, Discounted(0.9))).V[0] == 1 / (1 - F(0.9)) != 10


# brute force


@pytest.mark.parametrize("seed", range(5))
def test_all_policies_discounted(seed: int) -> None:
    m = replace(random_model(seed, cycle=False), criterion=Discounted(0.875))
    P, r = entries(m, False)
    values = []
    for pi in policies(m):
        matrix = [[F(int(i == j)) - F(7, 8) * P[i][pi[i]][j] for j in range(m.S)] for i in range(m.S)]
        values.append(gauss(matrix, [r[i][pi[i]] for i in range(m.S)]))
        assert exact_evaluate(m, pi).V.tolist() == values[-1]
    p = exact_plan(m)
    assert p.V.tolist() == [max(v[s] for v in values) for s in range(m.S)]
    assert exact_evaluate(m, p.pi).V.tolist() == p.V.tolist()


@pytest.mark.parametrize("seed", range(5))
def test_all_policies_average(seed: int) -> None:
    m = random_model(seed)
    P, r = entries(m, True)
    gains = []
    for pi in policies(m):
        # every policy is recurrent on all states, so any reference state will do
        matrix = [[F(1) if j == 0 else F(int(i == j)) - P[i][pi[i]][j] for j in range(m.S)] for i in range(m.S)]
        gain, *_ = h = gauss(matrix, [r[i][pi[i]] for i in range(m.S)])
        gains.append(gain)
        h[0] = F(0)
        e = exact_evaluate(m, pi)
        assert e.gain == gain and e.bias is not None and e.bias_unique
        assert e.bias.tolist() == [x - min(h) for x in h]
    p = exact_plan(m)
    assert p.gain == max(gains)
    assert exact_evaluate(m, p.pi).gain == p.gain
    assert p.gain + p.V[1] == max(p.Q[1])


@pytest.mark.parametrize("stages", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_all_policies_finite_horizon(seed: int, stages: bool) -> None:
    H = 3
    m = random_model(seed, S=2, cycle=False)
    P = np.stack([random_model(100 + seed + h, S=2, cycle=False).P for h in range(H)]) if stages else m.P
    m = TabularMDP(P=P, r=m.r, criterion=FiniteHorizon(H))
    p = exact_plan(m)
    best = None
    for flat in itertools.product(range(2), repeat=2 * H):
        pi = np.array(flat).reshape(H, 2)
        e = exact_evaluate(m, pi)
        v = [F(0), F(0)]
        for h in range(H - 1, -1, -1):
            Ph = m.P[h] if stages else m.P
            v = [
                F(m.r[s, a]) + sum(F(q) * y for q, y in zip(Ph[s, a].tolist(), v, strict=True))
                for s, a in enumerate(pi[h])
            ]
        assert e.V[0].tolist() == v
        best = v if best is None else [max(x, y) for x, y in zip(best, v, strict=True)]
    assert p.V[0].tolist() == best
    assert p.V.shape == (H + 1, 2) and p.Q.shape == (H, 2, 2) and p.pi.shape == p.unique.shape == (H, 2)
    assert p.V[H].tolist() == [0, 0]
    assert exact_evaluate(m, p.pi).V.tolist() == p.V.tolist()


@pytest.mark.parametrize("seed", range(6))
def test_all_policies_shortest_path(seed: int) -> None:
    m = random_model(seed, S=4, zeros=0.6, cycle=False)
    P = m.P.copy()
    P[:, 1] = np.roll(np.eye(4), 1, axis=1)  # action 1 walks round the ring, so the goal can be reached
    m = TabularMDP(P=P, r=-1 - m.r, criterion=ShortestPath(3), reward_law=ANY)
    Pf, r = entries(m, False)
    values = []
    for pi in itertools.product(range(2), repeat=3):
        matrix = [[F(int(i == j)) - Pf[i][pi[i]][j] for j in range(3)] for i in range(3)]
        try:
            v = exact_evaluate(m, [*pi, 0]).V.tolist()
        except InputError as error:
            assert "may miss the goal 3" in str(error)
            continue
        assert v == [*gauss(matrix, [r[i][pi[i]] for i in range(3)]), 0]
        values.append(v)
    p = exact_plan(m)
    assert values and p.V.tolist() == [max(v[s] for v in values) for s in range(4)]
    assert exact_evaluate(m, p.pi).V.tolist() == p.V.tolist()
    times = exact_hitting_times(m, 3)
    unit = exact_plan(replace(m, r=-np.ones((4, 2))))
    assert all(abs(float(x + y)) < 1e-12 for x, y in zip(times, unit.V, strict=True))


# the float planner against the exact answer


@pytest.mark.parametrize("criterion", [AverageReward(), Discounted(0.97), FiniteHorizon(9), ShortestPath(2)])
@pytest.mark.parametrize("seed", range(6))
def test_float_certificates_contain_the_exact_answer(seed: int, criterion: Any) -> None:
    m = random_model(seed, S=5, A=3, zeros=0.6)
    r = m.r - 1.125 if isinstance(criterion, ShortestPath) else m.r
    m = replace(m, r=r, criterion=criterion, reward_law=ANY)
    if seed % 2:
        m = replace(m, P=csr_array(m.P.reshape(-1, 5)))
    exact, p = exact_plan(m), shortest_path.solve(m) if isinstance(criterion, ShortestPath) else plan(m)
    if isinstance(criterion, AverageReward):
        assert p.gain is not None and p.bias is not None and exact.gain is not None and exact.bias is not None
        assert abs(F(p.gain) - exact.gain) <= F(p.certified_error) < F(1, 10**10)
        gap = max(abs(F(x) - y) for x, y in zip(p.bias.tolist(), exact.bias, strict=True))
        assert exact.bias_unique and gap < F(1, 10**10)
        if p.bias_error is not None:
            assert gap <= F(p.bias_error)
    else:
        gap = max(abs(F(x) - y) for x, y in zip(p.V.ravel().tolist(), exact.V.ravel(), strict=True))
        assert gap <= F(p.certified_error) < F(1, 10**9)
    # where the best action is best by more than rounding of P
    q = np.sort(exact.Q.astype(float), axis=-1)
    assert (p.pi == exact.pi)[q[..., -1] > q[..., -2] + 1e-9].all()


@pytest.mark.parametrize("criterion", [AverageReward(), Discounted(0.75), FiniteHorizon(4)])
def test_to_float_rounds_correctly(criterion: Any) -> None:
    exact = exact_plan(replace(random_model(1, S=4), criterion=criterion))
    p = exact.to_float()
    for x, y in zip([*p.V.ravel().tolist(), *p.Q.ravel().tolist()], [*exact.V.flat, *exact.Q.flat], strict=True):
        below, above = F(float(np.nextafter(x, -np.inf))), F(float(np.nextafter(x, np.inf)))
        assert abs(F(x) - y) <= min(abs(below - y), abs(above - y))
    if exact.gain is not None and p.gain is not None:
        assert abs(F(p.gain) - exact.gain) <= F(p.certified_error) < F(1, 10**15)
        assert p.bias_error is not None and p.bias_error < 1e-14
    else:
        gap = max(abs(F(x) - y) for x, y in zip(p.V.ravel().tolist(), exact.V.flat, strict=True))
        assert 0 < gap <= F(p.certified_error) < F(1, 10**14)
    assert p.residual < 1e-13 and p.method == "exact"
    assert not p.V.flags.writeable and not exact.V.flags.writeable


# ties, warm start, structure


def test_exact_ties_take_the_lowest_index() -> None:
    # 1/2 + 1/2 is a tie in fractions, and so are rows that differ in floats by less than the float tolerance
    P = np.zeros((1, 3, 1)) + 1.0
    tie = TabularMDP(P=P, r=[[0.25, 0.5, 0.5]], criterion=Discounted(0.5))
    p = exact_plan(tie)
    assert p.pi.tolist() == [1] and p.unique.tolist() == [False]
    near = replace(tie, r=np.array([[0.25, 0.5, 0.5 + 2.0**-50]]))
    assert plan(near).pi.tolist() == [1]  # a tie for the float planner
    q = exact_plan(near)
    assert q.pi.tolist() == [2] and q.unique.tolist() == [True]
    assert q.V[0] == 1 + F(2) ** -49


def planted(pi: list[int]) -> Callable[[TabularMDP], Any]:
    return lambda model: SimpleNamespace(pi=np.array(pi))


def test_a_wrong_first_policy_is_put_right(monkeypatch: pytest.MonkeyPatch) -> None:
    m = random_model(3, S=4, A=3)
    for criterion in (AverageReward(), Discounted(0.9)):
        model = replace(m, criterion=criterion)
        right = exact_plan(model)
        worst = np.argmin(np.array(right.Q, dtype=float), axis=1).tolist()
        with monkeypatch.context() as context:
            context.setattr(api, "plan", planted(worst))
            again = exact_plan(model)
        assert right.iterations == 1 < again.iterations
        assert again.V.tolist() == right.V.tolist() and again.gain == right.gain


@pytest.mark.parametrize("start", list(itertools.product(range(2), repeat=4)))
def test_multichain_policies_are_mended(start: tuple[int, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    # action 0 stays, action 1 walks round the ring: a policy has up to four recurrent classes
    P = np.stack([np.eye(4), np.roll(np.eye(4), 1, axis=1)], axis=1)
    m = TabularMDP(P=P, r=[[0.0, 0.5], [0.25, 0.125], [0.75, 0.0], [0.5, 0.25]])
    with monkeypatch.context() as context:
        context.setattr(api, "plan", planted(list(start)))
        p = exact_plan(m)
    assert p.gain == F(3, 4)
    assert p.bias is not None and p.bias_unique
    # stay in state 2; else walk to it, at rewards 1/8, 1/2, 1/4 less the gain
    assert p.bias.tolist() == [F(1, 2), F(3, 4), F(11, 8), F(0)]


def test_several_biases_are_said() -> None:
    # both states may stay at reward 1: every h with |h0 - h1| <= 1 solves the equation
    P = np.stack([np.eye(2), np.eye(2)[::-1]], axis=1)
    m = TabularMDP(P=P, r=[[1.0, 0.0], [1.0, 0.0]])
    p = exact_plan(m)
    assert p.gain == 1 and p.bias_unique is False
    with pytest.raises(InputError, match=r"several solutions.*exact_plan\(model\).bias"):
        exact_bias_span(m)
    # a second place to stay counts even where an optimal action leaves it
    P = np.array([[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [0.0, 1.0]]])
    one_way = TabularMDP(
        P=np.concatenate([P, np.array([[[1.0, 0.0]], [[1.0, 0.0]]])], axis=1), r=[[1.0, 1, 0], [1, 1, 0]]
    )
    assert exact_plan(one_way).bias_unique is False


def test_zero_reward_cycles_do_not_hide_the_goal() -> None:
    # state 0: action 0 stays for nothing, action 1 goes to the goal for nothing: the tie must end at the goal
    P = np.array([[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [0.0, 1.0]]])
    p = exact_plan(TabularMDP(P=P, r=np.zeros((2, 2)), criterion=ShortestPath(1)))
    assert p.V.tolist() == [0, 0] and p.pi.tolist() == [1, 0] and p.unique.tolist() == [False, False]


def test_stochastic_policies() -> None:
    m = random_model(2, S=3, A=2)
    pi = np.array([[0.25, 0.75], [1 / 3, 2 / 3], [1.0, 0.0]])
    for criterion in (FiniteHorizon(4), Discounted(0.5)):
        e, f = exact_evaluate(replace(m, criterion=criterion), pi), evaluate(replace(m, criterion=criterion), pi)
        gap = max(abs(F(x) - y) for x, y in zip(f.V.ravel().tolist(), e.V.flat, strict=True))
        assert gap <= F(f.certified_error)
    gain = exact_evaluate(m, pi).gain
    assert gain is not None and abs(float(gain) - (evaluate(m, pi).gain or 0)) < 1e-14
    # half and half of two one-step games
    bandit = TabularMDP(P=np.ones((1, 2, 1)), r=[[0.0, 1.0]])
    assert exact_evaluate(bandit, [[1 / 3, 2 / 3]], snap=3).gain == F(2, 3)
    # as given, the probabilities are divided by their exact sum
    assert exact_evaluate(bandit, [[0.1, 0.9]]).gain == F(0.9) / (F(0.1) + F(0.9))


# refusals


def test_a_missing_flint_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "flint", None)
    with pytest.raises(InputError, match=r"theorylab\[exact\]"):
        exact_plan(ring(2))


def test_snap_refuses_by_name() -> None:
    m = mdps.models.riverswim(states=4)
    with pytest.raises(InputError, match=r"P\[1,1,0\] is 0.05; .*<= 10 is 1/10, farther than 1e-12: raise snap"):
        exact_plan(m, snap=10)
    tiny = TabularMDP(P=[[[1.0, 1e-13]], [[0.0, 1.0]]], r=np.zeros((2, 1)))
    with pytest.raises(InputError, match=r"P\[0,0,1\] is 1e-13; .* is 0, which would lose the entry: raise snap"):
        exact_plan(tiny, snap=10)
    with pytest.raises(InputError, match=r"r\[0,0\] is 0.005; .* denominator <= 100 is .*raise snap"):
        exact_plan(m, snap=100)
    thirds = TabularMDP(P=[[[1 / 3 + 5e-10, 2 / 3]], [[0.0, 1.0]]], r=np.zeros((2, 1)), criterion=Discounted(0.5))
    with pytest.raises(InputError, match=r"P\[0,0,0\] is 0.33333333.* farther than 1e-12"):
        exact_plan(thirds, snap=10)
    within = TabularMDP(P=[[[0.5 + 1e-13, 0.5]], [[0.0, 1.0]]], r=np.zeros((2, 1)), criterion=Discounted(0.5))
    assert exact_plan(within, snap=2).V.tolist() == [0, 0]
    with pytest.raises(InputError, match=r"Discounted: gamma is 0.99"):
        exact_plan(ring(2, Discounted(0.99)), snap=10)
    for bad in (0, True, 1.5, 10**6):
        with pytest.raises(InputError, match=r"snap is .*integer in 1..500000"):
            exact_plan(m, snap=bad)  # type: ignore[arg-type]


def test_a_snapped_row_must_sum_to_one() -> None:
    # a/1999 + b/2000 + c/2001 = 1 - 1/(1999*2000*2001): each entry is a fraction, but the row is not a law
    n = (1999, 2000, 2001)
    N = n[0] * n[1] * n[2]
    row = [1 - F(pow(N // k, -1, k), k) for k in n]
    assert sum(row) == 1 - F(1, N)
    m = TabularMDP(P=np.array([[[float(x) for x in row]]] * 3), r=np.zeros((3, 1)))
    with pytest.raises(InputError, match=r"P\[0,0,:\] in fractions .* <= 2001 sums to 7999997999/7999998000, not 1"):
        exact_plan(m, snap=2001)


def test_wrong_structure_is_refused() -> None:
    two = TabularMDP(P=np.stack([np.eye(2)], axis=1), r=[[0.0], [1.0]])
    with pytest.raises(InputError, match="not weakly communicating"):
        exact_plan(two)
    with pytest.raises(InputError, match=r"multichain: its recurrent classes are \[0\] and \[1\]"):
        exact_evaluate(two, [0, 0])
    with pytest.raises(InputError, match=r"state 0 cannot reach the goal 1"):
        exact_plan(replace(two, criterion=ShortestPath(1)))
    with pytest.raises(InputError, match=r"goal is 2; give a state, an integer in 0..1"):
        exact_hitting_times(two, 2)
    with pytest.raises(InputError, match="state 1 cannot reach the goal 0"):
        exact_hitting_times(two, 0)
    with pytest.raises(InputError, match="stationary"):
        exact_bias_span(TabularMDP(P=np.ones((3, 1, 1, 1)), r=[[0.0]], criterion=FiniteHorizon(3)))
    with pytest.raises(InputError, match=r"pi\[1\] is 5"):
        exact_evaluate(ring(2), [0, 5])


def test_rewards_that_pay_for_staying_are_refused() -> None:
    P = np.array([[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [0.0, 1.0]]])
    m = TabularMDP(P=P, r=[[0.5, 0.0], [0.0, 0.0]], criterion=ShortestPath(1))
    with pytest.raises(InputError, match=r"not attained: a policy that stays in states \[0\] for ever"):
        exact_plan(m)


def test_row_sums_above_one_are_noticed() -> None:
    big = 1 + 5e-10
    slow = TabularMDP(P=[[[big]]], r=[[1.0]], criterion=Discounted(1 - 1e-10))
    with pytest.raises(InputError, match="gamma times the largest row sum of P reaches 1"):
        exact_plan(slow)
    leak = TabularMDP(
        P=[[[big - 1e-10, 1e-10]], [[0.0, 1.0]]], r=[[-1.0], [0.0]], criterion=ShortestPath(1), reward_law=ANY
    )
    with pytest.raises(InputError, match="sum to more than 1"):
        exact_plan(leak)


def test_rows_beyond_one_and_values_beyond_floats_are_refused() -> None:
    rows = np.array([[[1.0, 5e-324]], [[0.0, 1.0]]])
    law = RewardLaw("deterministic", -1.0, 0.0)
    path = TabularMDP(P=rows, r=-np.ones((2, 1)), criterion=ShortestPath(1), reward_law=law)
    with pytest.raises(InputError, match="rows of P that sum to more than 1"):
        exact_evaluate(path, [0, 0])
    long = replace(path, criterion=AverageReward(), P=np.array([[[1.0, 5e-324]], [[5e-324, 1.0]]]), r=-np.eye(2)[:, :1])
    with pytest.raises(InputError, match="exceed the largest float"):
        exact_plan(long).to_float()
