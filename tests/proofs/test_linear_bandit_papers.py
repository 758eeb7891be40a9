"""Bounds, levels and tables of abbasi2011 and abeille2017 against numbers computed apart from them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from proofs_check.papers import abbasi2011, abeille2017
from tests.reference.lin_thompson import LinThompson
from tests.reference.oful import power_radius, trace_radius
from theorylab.check import check_many
from theorylab.claim import Context, Instance
from theorylab.measure import context_of
from theorylab.model import Bandit
from theorylab.registry import find_claim, find_learner, find_model


def context(learner: str, n: int, params: dict[str, Any], **model: Any) -> Context:
    return context_of(find_learner(learner), find_model("linear-sphere")(**model), n, params)


def at(function: Any, c: Context, n: float) -> float:
    return float(function(c, np.array([float(n)]))[0])


def test_oful_bound_by_hand() -> None:
    c = context("oful", 1000, {"delta": 0.1, "R": 0.5, "lam": 2.0, "S_theta": 3.0}, A=5, d=4, sd=0.5)
    log_term = math.log(2 + 1000 / 4)
    width = math.sqrt(2) * 3 + 0.5 * math.sqrt(2 * math.log(10) + 4 * math.log(1 + 1000 / 8))
    # L = 1 is rounded up by the model, which moves the sixteenth digit
    assert at(abbasi2011.bound, c, 1000) == pytest.approx(4 * math.sqrt(4000 * log_term) * width, rel=1e-12)
    assert at(abbasi2011.shared.trivial, c, 7) == pytest.approx(7 * float(c.gap.max()), rel=1e-15)


def test_oful_radii_of_the_notes() -> None:
    forms = {1: trace_radius(1000, 5, 1.0, 1.0, 0.05, 1.0, 1.0), 2: power_radius(1000, 5, 1.0, 0.05, 1.0, 1.0)}
    for radius, form in forms.items():
        c = context("oful", 1200, {"radius": radius}, A=3, d=5)
        tables = abbasi2011.tables(c)
        n = 1000 if radius == 1 else 999
        value = tables["radius_of"][n]
        assert value == pytest.approx(form, rel=1e-12)
        assert value == pytest.approx({1: 6.701578, 2: 7.366729}[radius], abs=5e-7)


def test_theorems_are_below_trivial_where_they_are_said_to_be() -> None:
    for instance in (*abbasi2011.FINAL["quick"], *abbasi2011.FINAL["standard"], abbasi2011.QUIET):
        c = context_of(find_learner("oful"), instance.build(), instance.length, dict(instance.learner))
        assert at(abbasi2011.bound, c, instance.length) < at(abbasi2011.shared.trivial, c, instance.length)
    line = abeille2017.LONG_LINE
    for length, below in ((line.length, True), (line.length // 4, False)):
        c = context_of(find_learner("lin-thompson"), line.build(), length, dict(line.learner))
        assert (at(abeille2017.bound, c, length) < at(abeille2017.shared.trivial, c, length)) == below


def test_lin_thompson_bound_by_hand() -> None:
    T, d, delta = 500, 3, 0.2
    c = context("lin-thompson", T, {"delta": delta, "R": 0.5, "lam": 2.0}, A=5, d=d, sd=0.5)
    reference = LinThompson(np.asarray(c.model.features), T, delta=delta, R=0.5, lam=2.0)
    for t in (1, 17, T):
        reference.t = t
        assert at(abeille2017.betas, c, t - 1) == pytest.approx(reference.beta, rel=1e-13)
    early = at(abeille2017.bound, c, 1)  # the margin of Azuma is that of T at every n <= T
    small, p = delta / (4 * T), 1 / (4 * math.sqrt(math.e * math.pi))
    wide = reference.beta * math.sqrt(2 * d * math.log(2 * d / small))
    first = (reference.beta + wide * (1 + 4 / p)) * math.sqrt(2 * T * d * math.log(1 + T / 2))
    assert at(abeille2017.bound, c, T) == pytest.approx(
        first + 4 * wide / p * math.sqrt(8 * T / 2 * math.log(4 / delta)), rel=1e-12
    )
    reference.t = 1
    one = reference.beta * math.sqrt(2 * d * math.log(2 * d / small))
    assert early > 4 * one / p * math.sqrt(8 * T / 2 * math.log(4 / delta))


@pytest.mark.parametrize(
    ("params", "model", "expected"),
    [
        ({"delta": 0.1}, {}, 0.1),
        ({"delta": 0.1, "R": 0.5}, {"sd": 0.5}, 0.1),
        ({"delta": 0.1, "R": 0.5}, {"sd": 0.6}, 1.0),  # told less noise than there is
        ({"delta": 0.1}, {"norm": 1.5}, 1.0),  # and a smaller norm
        ({"delta": 0.1, "S_theta": 1.5}, {"norm": 1.5}, 0.1),
        ({"delta": 0.1, "radius": 3}, {}, 1.0),  # the heuristic
        ({"delta": 0.1, "scale": 0.9}, {}, 1.0),  # a radius below the theory
    ],
)
def test_oful_levels(params: dict[str, Any], model: dict[str, Any], expected: float) -> None:
    c = context("oful", 50, params, **model)
    levels = {k.id: k.kind.level(c) for k in find_claim("abbasi2011") if hasattr(k.kind, "level")}
    assert levels["abbasi2011.thm1"] == levels["abbasi2011.thm2"] == levels["abbasi2011.optimism"] == expected
    assert levels["abbasi2011.thm3"] == expected
    small = context("oful", 50, {**params, "lam": 0.5}, **model)
    assert abbasi2011.level(small) == expected and abbasi2011.theorem_level(small) == 1.0  # lam < L^2


def test_theorem_3_is_for_its_own_radius() -> None:
    """The power form can be wider than sqrt(2) times the trace form, all that the constant 4 leaves room for."""
    for params, expected in (({"radius": 1}, 0.05), ({"radius": 2}, 1.0), ({"scale": 2.0}, 1.0)):
        c = context("oful", 60, params, A=3, d=20)
        assert abbasi2011.level(c) == 0.05 and abbasi2011.theorem_level(c) == expected
    n, d, small = 30, 20, {"lam": 1.0, "delta": 0.5, "R": 1.0, "S": 0.01}
    assert power_radius(n, d, **small) > 1.5 * trace_radius(n, d, 1.0, **small)


def test_oful_bound_says_nothing_where_its_logarithm_is_negative() -> None:
    c = context("oful", 50, {"lam": 0.1}, A=3, d=4)
    assert abbasi2011.bound(c, np.array([1.0, 50.0]))[0] == np.inf and np.isfinite(at(abbasi2011.bound, c, 50))


def test_lin_thompson_levels() -> None:
    levels = {k.id.split(".")[1]: k.kind for k in find_claim("abeille2017") if hasattr(k.kind, "level")}
    faithful = context("lin-thompson", 50, {"delta": 0.2})
    assert levels["thm1"].level(faithful) == pytest.approx(0.2)
    assert levels["coverage"].level(faithful) == levels["concentration"].level(faithful) == pytest.approx(0.05)
    assert levels["covariance"].level(faithful) == 0.1
    for params, model in (({"inflate": 0}, {}), ({"R": 0.5}, {}), ({}, {"norm": 2.0}), ({"scale": 0.5}, {})):
        other = context("lin-thompson", 50, params, **model)
        assert levels["thm1"].level(other) == levels["coverage"].level(other) == 1.0
        assert levels["covariance"].level(other) == 0.1
    wider = context("lin-thompson", 50, {"delta": 0.2, "scale": 2.0})
    assert levels["thm1"].level(wider) == 1.0 and levels["coverage"].level(wider) == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("paper", "params"),
    [
        ("abbasi2011", {"scale": 0.2}),
        ("abbasi2011", {"radius": 3, "S_theta": 0.1, "scale": 0.05}),  # theta is outside of the first ellipsoid
        ("abeille2017", {"scale": 3.0}),
        ("abeille2017", {"inflate": 0, "scale": 0.3}),
    ],
)
def test_a_faithful_learner_is_not_accused_of_its_parameters(paper: str, params: dict[str, Any]) -> None:
    steps = [k for k in find_claim(paper) if k.scope == "run" and not k.cumulative]
    at_hand = Instance("linear-sphere", 60, {"A": 6, "d": 3, "sd": 0.5}, {"R": 0.5, "delta": 0.1})
    found = check_many(steps, models=[at_hand], params=params, budget=24, run_controls=False, target="python")
    assert not [e.id for e in found if e.verdict == "REFUTED"]


def test_quantiles_of_the_draws() -> None:
    from scipy.stats import chi2, norm

    c = context("lin-thompson", 200, {}, d=3)
    tables = abeille2017.tables(c)
    outside = chi2.cdf(tables["square_low"], 200) + chi2.sf(tables["square_high"], 200)
    assert 9 * outside == pytest.approx(0.03, rel=1e-9)  # d^2 sums
    assert 2 * 3 * norm.sf(tables["mean_high"]) == pytest.approx(0.03, rel=1e-9)
    assert tables["margin"] == pytest.approx(math.sqrt(100 * math.log(10)))


def test_what_the_theorems_ask_of_a_model() -> None:
    claims = {k.id: k for k in find_claim("abbasi2011")}
    sphere, cube = find_model("linear-sphere"), find_model("linear-hypercube")

    def wrong(claim: str, model: Any) -> list[str]:
        return [w for w in (a(model) for a in claims[f"abbasi2011.{claim}"].assumes) if w]

    assert not wrong("thm3", sphere()) and not wrong("sum", cube(d=2)) and not wrong("index", cube(d=2))
    assert "above 1" in wrong("thm3", cube(d=2))[0]  # ||x|| = sqrt(2)
    assert "a mean reward" in wrong("sum", sphere(norm=4.0))[0]
    assert "not a LinearBandit" in wrong("counts", Bandit([0.1, 0.2]))[0]  # type: ignore[arg-type]
