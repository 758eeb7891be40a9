"""Gaps against exact rationals, and the decision between small gaps and ties."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array

from theorylab.criteria import RewardLaw
from theorylab.model import AverageReward, Bandit, Criterion, Discounted, FiniteHorizon, ShortestPath, TabularMDP
from theorylab.plan import Plan, plan
from theorylab.plan.exact import exact_plan
from theorylab.plan.shortest_path import solve
from theorylab.plan.suboptimality import certified_gaps, decided_gaps, minimal_gap

CRITERIA = [FiniteHorizon(5), Discounted(0.9), AverageReward(), ShortestPath(2)]


def random_model(seed: int, criterion: Criterion, S: int = 4, A: int = 3) -> TabularMDP:
    """Integer weights over their sum; state s+1 stays reachable from s; costs where there is a goal."""
    rng = np.random.default_rng(seed)
    weights = rng.integers(1, 10, size=(S, A, S)) * (rng.random((S, A, S)) > 0.4)
    weights[np.arange(S), :, (np.arange(S) + 1) % S] += 1
    r = rng.integers(1, 8, size=(S, A)) / 7
    if isinstance(criterion, ShortestPath):
        r = -r
    law = RewardLaw("deterministic", low=-1.0)
    return TabularMDP(P=weights / weights.sum(axis=-1, keepdims=True), r=r, criterion=criterion, reward_law=law)


def exact_gaps(model: TabularMDP) -> list[Fraction]:
    answer = exact_plan(model)
    gaps = answer.Q.max(axis=-1, keepdims=True) - answer.Q
    return list(gaps.ravel())


def planned(model: TabularMDP) -> Plan:
    """The float plan; where it does not bound the error of its bias, the exact error takes the place of the bound."""
    if isinstance(model.criterion, ShortestPath):
        return solve(model)
    result = plan(model)
    if result.bias is None or result.bias_error is not None:
        return result
    answer = exact_plan(model)
    assert answer.bias is not None
    off = max(abs(x - Fraction(y)) for x, y in zip(answer.bias.tolist(), result.bias.tolist(), strict=True))
    return replace(result, bias_error=float(np.nextafter(float(off), 1)))


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("criterion", CRITERIA)
@pytest.mark.parametrize("seed", range(3))
def test_the_error_bounds_the_distance_from_the_rational_answer(seed: int, criterion: Criterion, sparse: bool) -> None:
    model = random_model(seed, criterion)
    answer = exact_gaps(model)
    m = replace(model, P=csr_array(model.P.reshape(-1, 4))) if sparse else model
    result = planned(m)
    found = certified_gaps(m, result=result)
    worst = max(abs(x - Fraction(y)) for x, y in zip(answer, found.value.ravel().tolist(), strict=True))
    assert worst <= Fraction(found.error) < Fraction(1, 10**11)
    positive = [x for x in answer if x > 0]
    report = decided_gaps(m, exact=False, result=result)
    assert abs(min(positive) - Fraction(report.minimal.value)) <= Fraction(report.minimal.error) < Fraction(1, 10**11)
    states = 4 * (5 if isinstance(criterion, FiniteHorizon) else 1)
    goal = 2 if isinstance(criterion, ShortestPath) else 0  # its actions are no ties
    assert report.undecided == () and not report.exact and report.ties == answer.count(Fraction(0)) - states - goal
    assert report.at is not None and report.gaps.value[report.at] == report.minimal.value
    inverse = sum(1 / x for x in positive)
    assert abs(inverse - Fraction(report.inverse_sum.value)) <= Fraction(report.inverse_sum.error) < Fraction(1, 10**6)


def test_rows_off_one_are_covered() -> None:
    for criterion in CRITERIA:
        model = random_model(1, criterion)
        P = model.P.copy()
        P[1], P[3] = P[1] * (1 - 5e-10), P[3] * (1 + 5e-10)
        model = replace(model, P=P)
        found = certified_gaps(model, result=planned(model))
        worst = max(abs(x - Fraction(y)) for x, y in zip(exact_gaps(model), found.value.ravel().tolist(), strict=True))
        assert worst <= Fraction(found.error)


def test_bandits_are_exact_up_to_one_rounding() -> None:
    means = np.array([0.3, 0.9, 0.1, 0.9, 0.7])
    report = decided_gaps(Bandit(means))
    for mean, gap in zip(means.tolist(), report.gaps.value.tolist(), strict=True):
        assert abs(Fraction(0.9) - Fraction(mean) - Fraction(gap)) <= Fraction(gap) * Fraction(2) ** -53
    assert report.ties == 1 and report.undecided == () and report.at == (4,)
    assert abs(Fraction(0.9) - Fraction(0.7) - Fraction(report.minimal.value)) <= Fraction(report.minimal.error)
    assert abs(report.inverse_sum.value - (1 / 0.6 + 1 / 0.8 + 1 / 0.2)) <= report.inverse_sum.error + 1e-13
    assert report.minimal.error < 1e-15 and report.inverse_sum.error < 1e-13
    same = decided_gaps(Bandit([0.5, 0.5]))
    assert same.minimal == (np.inf, 0.0) and same.inverse_sum == (0.0, 0.0) and same.at is None and same.ties == 1
    near = minimal_gap(Bandit([0.5, np.nextafter(0.5, 0)]))
    assert near.value == 2.0**-54 and near.low > 0


def test_equal_rows_are_ties() -> None:
    for criterion in CRITERIA:
        model = random_model(0, criterion)
        P, r = model.P.copy(), model.r.copy()
        P[:, 2], r[:, 2] = P[:, 1], r[:, 1]
        model = replace(model, P=P, r=r)
        best = planned(model).pi
        states = np.ones(best.shape, dtype=bool)
        if isinstance(criterion, ShortestPath):
            states[2] = False
        sparse = replace(model, P=csr_array(P.reshape(-1, 4)))
        for m in (model, sparse):
            report = decided_gaps(m, exact=False, result=planned(m))
            assert report.undecided == () and report.ties == (best[states] == 1).sum() > 0
            assert (report.gaps.value[report.positive] > 1e-4).all()


def mirrored() -> TabularMDP:
    """Two ways from state 0 that are worth the same, through different states, and one that is worse."""
    P = np.zeros((4, 3, 4))
    P[0, [0, 1, 2], [1, 2, 3]] = 1
    P[1, :, [0, 3]], P[2, :, [0, 3]] = np.array([[0.3], [0.7]]), np.array([[0.3], [0.7]])
    P[3, :, 0] = 1
    r = np.array([[0.0, 0.0, 0.0], [0.7] * 3, [0.7] * 3, [0.1] * 3])
    return TabularMDP(P=P, r=r)


@pytest.mark.parametrize("criterion", [FiniteHorizon(6), Discounted(0.9), AverageReward()])
def test_rounding_leaves_ties_open_and_rationals_decide_them(criterion: Criterion) -> None:
    model = replace(mirrored(), criterion=criterion)
    open_ = decided_gaps(model, exact=False, result=planned(model))
    assert minimal_gap(model).error < 1e-15
    assert len(open_.undecided) > 0 and {i[-2] for i in open_.undecided} == {0}
    assert open_.inverse_sum.error == np.inf
    # a smaller gap may hide among the open entries: the interval of the smallest reaches down to 0
    assert open_.minimal.low <= 0 < open_.minimal.value
    decided = decided_gaps(model)
    assert decided.exact and decided.undecided == () and decided.minimal.value == pytest.approx(open_.minimal.value)
    assert decided.ties == open_.ties + len(open_.undecided)
    assert decided.minimal.low > 0 and decided.inverse_sum.error < 1e-12


def test_a_gap_below_rounding_is_not_called_a_tie() -> None:
    model = replace(mirrored(), criterion=Discounted(0.9))
    r = model.r.copy()
    r[1] = np.nextafter(0.7, 1)
    model = replace(model, r=r)
    open_ = decided_gaps(model, exact=False)
    assert open_.undecided == ((0, 1),) and open_.minimal.value > 1e-3
    decided = decided_gaps(model, exact=True)
    assert decided.at == (0, 1) and 0 < decided.minimal.value < 1e-15 and decided.minimal.low > 0
    # the float answer said that such a gap may hide
    assert open_.minimal.low <= decided.minimal.value


def test_the_last_stage_is_known_exactly() -> None:
    P = np.zeros((2, 3, 2))
    P[:, 0, 0], P[:, 1, 1], P[:, 2, :] = 1, 1, 0.5
    model = TabularMDP(P=P, r=np.array([[0.3, 0.3, 0.1], [0.0, 0.0, 0.0]]), criterion=FiniteHorizon(1))
    report = decided_gaps(model, exact=False)
    assert report.undecided == () and report.ties == 1 + 2 and report.minimal.value == pytest.approx(0.2)


def test_whole_numbers_on_certain_ways_do_not_round() -> None:
    # two ways from 0 to 3 of the same length, over 1 and over 2, and staying
    P = np.zeros((4, 3, 4))
    P[0, [0, 1, 2], [1, 2, 0]] = P[1, :, 3] = P[2, :, 3] = P[3, :, 3] = 1
    r = np.array([[-1.0, -1.0, -1.0], [-1.0] * 3, [-1.0] * 3, [0.0] * 3])
    law = RewardLaw("deterministic", low=-2.0)
    model = TabularMDP(P=P, r=r, criterion=FiniteHorizon(40), reward_law=law)
    report = decided_gaps(model, exact=False)
    assert report.undecided == () and report.minimal == (1.0, pytest.approx(0, abs=1e-15))
    assert plan(model).certified_error == 0
    # thirds round
    assert plan(replace(model, r=r / 3)).certified_error > 0
    report = decided_gaps(replace(model, r=r / 3), exact=False)
    assert len(report.undecided) > 0


def test_nothing_to_lose() -> None:
    model = TabularMDP(P=np.full((2, 2, 2), 0.5), r=np.full((2, 2), 0.25), criterion=Discounted(0.5))
    report = decided_gaps(model)
    assert report.minimal == (np.inf, 0.0) and report.inverse_sum == (0.0, 0.0) and report.ties == 2
    different = np.array([[[0.5, 0.5], [0.25, 0.75]], [[0.5, 0.5], [0.25, 0.75]]])
    open_ = decided_gaps(replace(model, P=different), exact=False)
    assert open_.minimal == (0.0, np.inf) and open_.ties == 0 and len(open_.undecided) == 2
    assert decided_gaps(replace(model, P=different)).minimal == (np.inf, 0.0)


def test_without_a_bound_on_the_bias_nothing_is_claimed(monkeypatch: pytest.MonkeyPatch) -> None:
    model = random_model(0, AverageReward())
    result = replace(plan(model), bias_error=None)
    report = decided_gaps(model, exact=False, result=result)
    assert report.gaps.error == np.inf and not report.positive.any()
    assert report.minimal == (0.0, np.inf) and len(report.undecided) == 8
    # rationals need no bound
    assert decided_gaps(model, result=result).minimal.error < 1e-15


def test_a_bias_that_is_not_unique_has_no_certified_gaps() -> None:
    # two absorbing states of gain 1: the bias is free to shift on one of them
    P = np.zeros((3, 2, 3))
    P[0, 0, 1] = P[0, 1, 2] = P[1, 0, 1] = P[1, 1, 0] = P[2, 0, 2] = P[2, 1, 0] = 1
    model = TabularMDP(P=P, r=np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 0.0]]))
    report: Any = decided_gaps(model)
    assert report.gaps.error == np.inf and not report.exact


@pytest.mark.filterwarnings("error")
def test_gaps_below_the_least_float_are_positive() -> None:
    P = np.array([[[1.0, 0], [1, 5e-324]], [[0, 1], [0, 1]]])
    m = TabularMDP(P=P, r=np.array([[0.0, 0], [0.25, 0.25]]), criterion=FiniteHorizon(2))
    found = decided_gaps(m)
    assert found.exact and found.positive.sum() == 1 and found.positive[0, 0, 0] and found.ties == 3
    assert abs(Fraction(found.minimal.value) - Fraction(5e-324) / 4) <= Fraction(found.minimal.error)
    assert found.inverse_sum.error == np.inf


def test_gaps_beyond_the_largest_float_stay_undecided() -> None:
    P = np.array([[[1.0, 5e-324], [1, 1e-323]], [[0, 1], [1, 0]]])
    m = TabularMDP(P=P, r=np.array([[0.0, 0], [1e20, 0]]), reward_law=RewardLaw("deterministic", 0.0, 1e20))
    assert not decided_gaps(m, exact=True).exact
