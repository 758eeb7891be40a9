"""Measures of hardness against exact rationals and published values; what does not apply says why."""

from __future__ import annotations

import importlib
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from scipy.sparse import csr_array

import mdps
from theorylab.criteria import RewardLaw
from theorylab.errors import InputError
from theorylab.hardness import UNITS, Hardness, _variance, hardness
from theorylab.model import AverageReward, Bandit, Criterion, Discounted, FiniteHorizon, ShortestPath, TabularMDP
from theorylab.plan import Plan, plan
from theorylab.plan.exact import exact_bias_span, exact_plan
from theorylab.plan.shortest_path import solve


def random_model(seed: int, criterion: Criterion, S: int = 4, A: int = 3) -> TabularMDP:
    """Integer weights over their sum; state s+1 stays reachable from s; costs where there is a goal."""
    rng = np.random.default_rng(seed)
    weights = rng.integers(1, 10, size=(S, A, S)) * (rng.random((S, A, S)) > 0.4)
    weights[np.arange(S), :, (np.arange(S) + 1) % S] += 1
    r = rng.integers(1, 8, size=(S, A)) / (-7 if isinstance(criterion, ShortestPath) else 7)
    law = RewardLaw("deterministic", low=-1.0)
    return TabularMDP(
        P=weights / weights.sum(axis=-1, keepdims=True), r=r, criterion=criterion, reward_law=law, mu0=np.full(S, 1 / S)
    )


def exact_variance(model: TabularMDP) -> Fraction:
    """max over rows of the variance of the exact V, rows divided by their sums."""
    V = exact_plan(model).V
    P = np.broadcast_to(model.dense(), (1, *model.dense().shape)) if V.ndim == 1 else model.dense()
    if V.ndim == 2 and P.ndim == 3:
        P = np.broadcast_to(P, (V.shape[0] - 1, *P.shape))
    worst = Fraction(0)
    for h in range(P.shape[0]):
        v = V.tolist() if V.ndim == 1 else V[h + 1].tolist()
        for s in range(model.S):
            if isinstance(model.criterion, ShortestPath) and s == model.criterion.goal:
                continue
            for row in P[h, s].tolist():
                p = [Fraction(x) for x in row]
                mean = sum(a * b for a, b in zip(p, v, strict=True)) / sum(p)
                worst = max(worst, sum(a * (b - mean) ** 2 for a, b in zip(p, v, strict=True)) / sum(p))
    return worst


def explained(found: Hardness) -> None:
    """Every quantity is there or has a reason; one that is there and proved needs none but for open ties."""
    for key in UNITS:
        known = getattr(found, key)
        assert (known is not None and np.isfinite(known.error)) or found.reasons[key], key


@pytest.mark.parametrize("criterion", [FiniteHorizon(5), Discounted(0.9)])
@pytest.mark.parametrize("seed", range(3))
def test_value_and_variance_against_rationals(seed: int, criterion: Criterion) -> None:
    model = random_model(seed, criterion)
    for m in (model, replace(model, P=csr_array(model.P.reshape(-1, 4)))):
        found = hardness(m)
        V = exact_plan(model).V
        start = (V[0] if V.ndim == 2 else V).tolist()
        value = sum(Fraction(p) * v for p, v in zip(model.mu0.tolist(), start, strict=True))
        assert found.value is not None and found.variance is not None
        assert abs(value - Fraction(found.value.value)) <= Fraction(found.value.error) < Fraction(1, 10**12)
        assert abs(exact_variance(model) - Fraction(found.variance.value)) <= Fraction(found.variance.error)
        assert found.variance.error < 1e-11
        assert (found.S, found.A) == (4, 3) and found.branching == (float(model.row_profile.terms), 0.0)
        explained(found)
    assert (found.H, found.gamma) == ((5, None) if isinstance(criterion, FiniteHorizon) else (None, 0.9))


def test_variance_where_rows_are_off_one_and_at_a_goal() -> None:
    model = random_model(0, ShortestPath(2))
    P = model.P.copy()
    P[1], P[3] = P[1] * (1 - 5e-10), P[3] * (1 + 5e-10)
    P[2] = [0.5, 0.5, 0, 0]  # what happens at the goal does not matter
    model = replace(model, P=P)
    result = solve(model)
    found = _variance(model, result.V, result.certified_error)
    distance = abs(exact_variance(model) - Fraction(found.value))
    assert 0 < distance <= Fraction(found.error) < Fraction(1, 10**7)


def test_variance_covers_the_error_of_the_values() -> None:
    model = random_model(1, Discounted(0.9))
    V = plan(model).V
    off = V + 1e-6 * np.array([1, -1, 1, -1])
    found = _variance(model, off, 1e-6 + 1e-12)
    assert abs(exact_variance(model) - Fraction(found.value)) <= Fraction(found.error)


def test_without_a_bound_on_the_values_the_variance_has_none() -> None:
    model = random_model(0, Discounted(0.9))
    assert _variance(model, np.zeros(4), np.inf) == (0.0, np.inf)


def test_stages() -> None:
    P = np.stack([random_model(seed, Discounted(0.5)).P for seed in range(3)])
    model = replace(random_model(0, FiniteHorizon(3)), P=P)
    found = hardness(model)
    assert found.variance is not None
    assert abs(exact_variance(model) - Fraction(found.variance.value)) <= Fraction(found.variance.error)
    for key in ("gain", "bias_span", "diameter", "mixing_time"):
        assert getattr(found, key) is None and found.reasons[key] == "the transitions depend on the stage"
    explained(found)


def test_riverswim_has_its_published_values_whatever_the_criterion() -> None:
    swim = mdps.models.riverswim(states=6, variant="osband")
    for model in (swim, replace(swim, criterion=Discounted(0.9)), replace(swim, criterion=FiniteHorizon(4))):
        found = hardness(model)
        for known, value, unit in (
            (found.gain, 0.4286224338, 1e-10),
            (found.bias_span, 6.31032431, 1e-8),
            (found.diameter, 14.722338, 1e-6),
        ):
            assert known is not None and abs(known.value - value) <= unit
        assert found.gain is not None and found.gain.error < 1e-12
        explained(found)
    assert found.branching == (3.0, 0.0)
    average = hardness(swim)
    assert average.value is None and "gain" in average.reasons["value"]
    assert average.gap is not None and average.ties is not None
    assert average.gap.value == pytest.approx(0.42362243, abs=1e-8)
    assert average.ties == (0.0, 0.0)


def test_the_bias_span_is_that_of_the_rationals() -> None:
    model = random_model(2, AverageReward())
    found = hardness(model)
    exact = exact_bias_span(model)
    assert found.bias_span is not None and found.variance is not None
    assert abs(exact - Fraction(found.bias_span.value)) < Fraction(1, 10**12)
    if found.bias_span.error < np.inf:
        assert abs(exact - Fraction(found.bias_span.value)) <= Fraction(found.bias_span.error)
        assert abs(exact_variance(model) - Fraction(found.variance.value)) <= Fraction(found.variance.error)
    else:
        assert "no bound" in found.reasons["bias_span"] and "no bound" in found.reasons["variance"]


def test_what_cannot_be_reached_is_named() -> None:
    P = np.zeros((3, 2, 3))
    P[0, 0, 1], P[0, 1, 2], P[1, :, 1], P[2, :, 2] = 1, 1, 1, 1
    model = TabularMDP(P=P, r=[[0, 0], [1, 1], [0.5, 0.5]], criterion=Discounted(0.5))
    found = hardness(model)
    assert found.diameter is None and "state" in found.reasons["diameter"]
    assert found.value is not None and found.value.value == pytest.approx(1.0)
    explained(found)
    refused = hardness(replace(model, criterion=AverageReward()))
    explained(refused)


def test_a_refusal_of_the_planner_is_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(model: TabularMDP, tol: float) -> Plan:
        raise InputError("no plan today")

    monkeypatch.setattr(importlib.import_module("theorylab.hardness"), "plan", refuse)
    found = hardness(random_model(0, AverageReward()))
    assert found.reasons["value"] == "no plan today" and found.reasons["gain"] == found.reasons["gap"] == "see value"
    assert found.gap is None and found.diameter is not None
    explained(found)


def test_large_models_are_measured_where_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    module = importlib.import_module("theorylab.hardness")
    monkeypatch.setattr(module, "MOST_STATES", 3)
    model = random_model(0, Discounted(0.9))
    found = hardness(model)
    assert found.diameter is None and found.gain is None and found.gap is not None
    assert found.reasons["diameter"] == (
        "not computed beyond 3 states (4 here); ask for it: hardness(model, diameter=True)"
    )
    explained(found)
    asked = hardness(model, diameter=True)
    assert asked.diameter is not None and "diameter" not in asked.reasons
    average = hardness(replace(model, criterion=AverageReward()))
    assert average.gain is not None and average.bias_span is not None and average.diameter is None
    monkeypatch.undo()
    assert hardness(model, diameter=False).reasons["diameter"] == "not asked for: diameter=False"


def test_open_ties_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.import_module("theorylab.plan.suboptimality"), "EXACT_STATES", 0)
    P = np.zeros((4, 2, 4))
    P[0, 0, 1] = P[0, 1, 2] = 1
    P[1, :, [0, 3]] = P[2, :, [0, 3]] = np.array([[0.3], [0.7]])
    P[3, :, 0] = 1
    model = TabularMDP(P=P, r=np.array([[0.0, 0.0], [0.7, 0.2], [0.7, 0.7], [0.1, 0.1]]), criterion=Discounted(0.9))
    found = hardness(model)
    assert found.reasons["ties"] == found.reasons["inverse_gaps"] == "see gap"
    assert found.reasons["gap"] == (
        "rounding leaves open whether (s,a) = (0, 1) ties with the best or has a smaller gap: 1 in all"
    )
    # states 2 and 3 have equal actions; that of state 0 is open
    assert found.ties == (3.0, 1.0)
    assert found.gap is not None and found.gap.low <= 0 < 0.5 - 1e-9 < found.gap.value
    monkeypatch.undo()
    decided = hardness(model)
    assert decided.ties == (3.0, 0.0) and "ties" not in decided.reasons


def test_bandit() -> None:
    found = hardness(Bandit([0.25, 0.5, 0.75, 0.75]))
    assert found.best_mean == (0.75, 0.0) and found.ties == (1.0, 0.0)
    assert found.gap is not None and found.inverse_gaps is not None and found.inverse_square_gaps is not None
    assert (found.gap.value, found.inverse_gaps.value, found.inverse_square_gaps.value) == (0.25, 6.0, 20.0)
    assert 0 < found.inverse_square_gaps.error < 1e-13
    assert found.criterion == "bandit" and found.reasons["diameter"] == "a bandit has no states"
    explained(found)
    means = [0.9, 0.8, 0.3, 0.1]
    odd = hardness(Bandit(means)).inverse_square_gaps
    exact = sum(1 / (Fraction(0.9) - Fraction(m)) ** 2 for m in means[1:])
    assert odd is not None and abs(exact - Fraction(odd.value)) <= Fraction(odd.error)


def test_rows() -> None:
    rows = hardness(random_model(0, Discounted(0.9))).as_rows()
    assert [row.name for row in rows] == [key.replace("_", " ") for key in UNITS]
    by_name = {row.name: row for row in rows}
    assert by_name["diameter"].unit == "steps" and by_name["variance"].unit == "reward^2"
    best = by_name["best mean"]
    assert best.value is None and best.error is None and best.reason == "only a bandit's arms have one"
    name, value, error, unit, reason = by_name["gap"]
    assert (name, unit, reason) == ("gap", "reward", "") and isinstance(value, float) and isinstance(error, float)


@pytest.mark.filterwarnings("error")
def test_extreme_variances() -> None:
    P = np.array([[[0.5, 0.5]], [[0.5, 0.5]]])
    tiny = TabularMDP(P=P, r=np.array([[0.0], [3e-162]]))
    found = hardness(tiny).variance
    assert found is not None and abs(Fraction(found.value) - Fraction(3e-162) ** 2 / 4) <= Fraction(found.error)
    V = np.array([0.0, 1e300])
    assert _variance(tiny, V, 0.0) == (np.inf, np.inf)
    with pytest.raises(InputError, match="cannot plan on a int"):
        hardness(3)  # type: ignore[arg-type]
