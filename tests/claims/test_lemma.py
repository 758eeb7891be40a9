"""Lemmas as properties: what decides, what counts as rounding, the error of an identity, and the verdicts of claims."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from theorylab.check import check
from theorylab.claim import Claim, Identity, Pointwise
from theorylab.errors import InputError
from theorylab.evidence import to_json
from theorylab.lemma import Lemma, literal, search, verify_identity, violation
from theorylab.lemma_fields import BALLS, FLOATS, RATIONALS
from theorylab.plan import plan
from theorylab.strategies import (
    Points,
    Source,
    confidence_set,
    features,
    law,
    model,
    moved,
    policy,
    preference_matrix,
    rewards,
    strategy,
    table,
    values_near,
)  # fmt: skip

TENTH = Fraction(1, 10)


def numbers(source: Source) -> dict[str, Any]:
    return {"S": source.size(1, 3), "x": source.number(0, 1), "a": TENTH, "b": 2 * TENTH, "c": 3 * TENTH}


def lemma(**changes: Any) -> Lemma:
    """x <= x + 1/10, with a twin that says x <= x - 1/10."""
    given_ = dict(
        name="toys2000.more",
        text="x <= x + 1/10.",
        tag="derived",
        draw=numbers,
        sides=lambda x, f: {"more": (x.x, x.x + x.a)},
        twins={"less": lambda x, f: {"more": (x.x, x.x - x.a)}},
    )
    return Lemma(**{**given_, **changes})


def identity(degree: int = 3) -> Lemma:
    """(x + a)^2 = x^2 + 2 a x + a^2; the twin says that (4x - 1)...(4x - degree) is 0 for every x."""

    def roots(x: Any, f: Any) -> dict[str, Any]:
        out = f.number(1)
        for k in range(1, degree + 1):
            out = out * (10 * x.x - k)
        return {"roots": (out, f.number(0))}

    return lemma(
        sides=lambda x, f: {"square": ((x.x + x.a) ** 2, x.x**2 + 2 * x.a * x.x + x.a**2)},
        twins={"roots": roots},
        kind="identity",
        degree=lambda x: degree,
    )


# What decides


def test_a_lemma_that_holds() -> None:
    found = search(lemma(), 50)
    # all there are: 2 S x 5 x with small sizes, 3 x 5 with all
    assert (found.verdict, found.calls, found.exact, found.rounding) == ("NO VIOLATION FOUND", 25, 0, 0)
    assert found.ratio == pytest.approx(1 / 1.1) and found.closest is not None and found.closest["x"] == 1


def test_a_false_lemma_is_shrunk_and_printed_in_fractions() -> None:
    found = search(lemma(), 50, twin="less")
    assert found.counterexample == {"S": 1, "x": 0, "a": TENTH, "b": 2 * TENTH, "c": 3 * TENTH}
    assert found.broken == "more: lhs = 0 > -1/10 = rhs"
    assert "dict(S=1, x=0, a=1/10, b=1/5, c=3/10)" in found.text()
    rare = lemma(sides=lambda x, f: {"rare": (x.x * x.S, f.number(2) + x.a)})  # violated at S = 3, x > 7/10 alone
    found = search(rare, 200)
    assert found.counterexample is not None and (found.counterexample["S"], found.counterexample["x"]) == (3, 0.75)
    assert found.shrinks > 0 and found.calls > 1


def test_a_float_excess_that_is_rounding_is_counted_and_is_no_violation() -> None:
    assert 0.1 + 0.2 > 0.3
    found = search(lemma(sides=lambda x, f: {"sum": (x.a + x.b, x.c)}), 50)
    assert (found.verdict, found.rounding, found.exact) == ("NO VIOLATION FOUND", found.calls, found.calls)
    assert f"{found.calls} float excesses were rounding" in found.text()


def test_a_violation_below_the_resolution_of_doubles_is_found() -> None:
    tiny = lemma(sides=lambda x, f: {"tiny": (f.number(1) + f.number(Fraction(1, 10**30)), f.number(1))})
    assert search(tiny, 10).verdict == "REFUTED"
    assert search(replace(tiny, irrational=True), 10).verdict == "REFUTED"  # 192 bits reach 1e-30, and not 1e-90:
    finer = lemma(sides=lambda x, f: {"f": (f.number(1) + f.number(Fraction(1, 10**90)), f.number(1))}, irrational=True)
    found = search(finer, 10)
    assert (found.verdict, found.undecided) == ("NO VIOLATION FOUND", found.calls)


def test_nan_in_doubles_is_decided_exactly() -> None:
    def big(x: Any, f: Any) -> dict[str, Any]:
        y = f.exp(f.array([f.number(1000)]))[0]
        return {"big": (y / y, f.number(1) - x.a if x.S == 3 else f.number(2))}

    with np.errstate(over="ignore", invalid="ignore"):
        found = search(lemma(sides=big, irrational=True), 50)
    assert found.verdict == "REFUTED" and found.counterexample is not None and found.counterexample["S"] == 3


def test_every_entry_of_an_array_is_compared() -> None:
    last = lemma(sides=lambda x, f: {"row": (f.array([x.x, x.x, x.x + x.a]), x.x)})
    assert search(last, 10).verdict == "REFUTED"


def test_balls_decide_logarithms() -> None:
    log2 = lambda f: f.log(f.array([f.number(2)]))[0]  # noqa: E731
    near = Fraction(6931471805599453094172321214581765680755, 10**40)  # ln 2 to 40 digits, rounded down
    for value, verdict in ((near, "REFUTED"), (near + Fraction(1, 10**40), "NO VIOLATION FOUND")):
        at = lemma(sides=lambda x, f, v=value: {"ln 2": (log2(f), f.number(v))}, irrational=True)
        assert search(at, 10).verdict == verdict
    with pytest.raises(InputError, match="declare it irrational=True"):
        violation(lemma(sides=lambda x, f: {"ln 2": (log2(f), x.a)}), {"a": TENTH})


def test_the_same_seed_finds_the_same() -> None:
    a, b = (search(lemma(), 50, seed=5, twin="less") for _ in range(2))
    assert (a.text(), a.calls, a.shrinks) == (b.text(), b.calls, b.shrinks)


# Identities


def test_the_error_of_an_identity() -> None:
    found = verify_identity(identity(5), points=3, N=10)
    assert (found.verdict, found.degree, found.false_pass) == ("IDENTITY HOLDS", 5, 0.125)
    assert "passes with probability at most 1.2e-01" in found.text()
    assert verify_identity(identity()).false_pass == pytest.approx(2.7e-17)


def test_a_false_identity_passes_as_often_as_schwartz_and_zippel_allow() -> None:
    """Degree 3, N = 10, integers 1..10: the twin has its 3 roots there, so a point passes with probability 3/10."""
    wrong = identity(3)
    passed = sum(
        verify_identity(wrong, points=1, N=10, seed=seed, twin="roots").verdict == "IDENTITY HOLDS"
        for seed in range(1000)
    )
    from scipy.stats import binom

    assert binom.cdf(passed, 1000, 0.3) > 1e-4 and binom.sf(passed - 1, 1000, 0.3) > 1e-4
    assert verify_identity(wrong, twin="roots").verdict == "REFUTED"


def test_points_have_the_largest_sizes_and_exact_laws() -> None:
    x = model(Points(10**6, 0), S=(1, 3), A=(1, 2))
    assert (x["S"], x["A"]) == (3, 2) and (x["P"].sum(axis=2) == 1).all() and 0 < x["gamma"] < 1
    assert all(p > 0 for p in x["P"].ravel()) and all(0 <= r <= 1 for r in x["r"].ravel())
    again, other = model(Points(10**6, 0), S=(1, 3), A=(1, 2)), model(Points(10**6, 1), S=(1, 3), A=(1, 2))
    assert literal(x) == literal(again) != literal(other)


# Refusals


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": "equality"}, "kind is 'equality'"),
        ({"tag": "guess"}, "tag 'guess'"),
        ({"twins": {}}, "at least one false twin"),
        ({"kind": "identity"}, "an identity needs it"),
        ({"degree": lambda x: 2}, "belongs to an identity"),
        ({"kind": "identity", "degree": lambda x: 2, "irrational": True}, "balls cannot show an identity"),
    ],
)
def test_a_lemma_that_cannot_be_checked_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=f"toys2000.more: .*{message}"):
        lemma(**changes)


def test_wrong_calls_are_refused() -> None:
    with pytest.raises(InputError, match="has no twin 'more'; it has less"):
        search(lemma(), 10, twin="more")
    with pytest.raises(InputError, match="examples=1 must be"):
        search(lemma(), 1)
    with pytest.raises(InputError, match="is an inequality; use search"):
        verify_identity(lemma())
    with pytest.raises(InputError, match="points=0"):
        verify_identity(identity(), points=0)
    with pytest.raises(InputError, match="N=3 is not above the degree 3"):
        verify_identity(identity(), N=3)
    with pytest.raises(InputError, match=r"sides raised AttributeError: .* no 'y'; it has S, a, b, c, x"):
        search(lemma(sides=lambda x, f: {"y": (x.y, x.x)}), 10)


# Claims


def test_verdicts_of_claims() -> None:
    holds = check(Claim.of(lemma()))
    assert holds.verdict == "NO VIOLATION FOUND" and "best ratio 0.909091 (more)" in holds.instances[0].note
    assert [(c.name, c.ok) for c in holds.controls] == [("false twin: less", True)]
    same = check(Claim.of(identity()))
    assert (same.verdict, same.kind, same.n) == ("IDENTITY HOLDS", "Identity", 3)
    assert "probability at most 2.7e-17" in same.instances[0].note


def test_a_false_claim_is_refuted_with_its_counterexample() -> None:
    false = check(Claim.of(lemma(sides=lemma().twins["less"])))
    assert false.verdict == "REFUTED" and false.e_refute == float("inf")
    assert "lhs = 0 > -1/10 = rhs at dict(S=1, x=0" in false.instances[0].note
    assert false.replay == "" and json.loads(to_json([false]))[0]["verdict"] == "REFUTED"  # no paper holds it
    wrong = identity()
    unequal = check(Claim.of(replace(wrong, sides=wrong.twins["roots"])))
    assert unequal.verdict == "REFUTED" and "lhs = -6 != 0 = rhs at dict(S=1, x=0" in unequal.instances[0].note


def test_the_replay_of_a_registered_lemma_runs(capsys: pytest.CaptureFixture[str]) -> None:
    from proofs_check.lemmas.simulation_lemma import same_rewards

    false = check(Claim.of(replace(same_rewards, sides=same_rewards.twins["one factor 1/(1-gamma) lost"])))
    python, option, code = shlex.split(false.replay)
    assert (false.verdict, python, option) == ("REFUTED", "python", "-c")
    registered = code.replace("].quantity;", "].quantity; x = wrong(x);")  # the registered one holds
    exec(registered, {"wrong": lambda x: replace(x, sides=x.twins["one factor 1/(1-gamma) lost"])})
    assert capsys.readouterr().out.strip() == false.instances[0].note


def test_a_twin_that_is_true_makes_the_check_invalid() -> None:
    for blind in (lemma(), identity()):
        evidence = check(Claim.of(replace(blind, twins={"the lemma itself": blind.sides})))
        assert evidence.verdict == "CHECK_INVALID" and not evidence.controls[0].ok


def test_kinds_and_scopes_that_do_not_fit_a_lemma_are_refused() -> None:
    for kind, scope in ((Identity(), "models"), (Pointwise(), "run")):
        with pytest.raises(InputError, match=r"a Lemma goes with scope='models' and kind=Pointwise\(\)"):
            replace(Claim.of(lemma()), kind=kind, scope=scope)


# Strategies and fields

quick = settings(max_examples=40, derandomize=True, database=None, deadline=None)


@quick
@given(strategy(model, S=(1, 3), A=(1, 2)))
def test_models_are_models(x: dict[str, Any]) -> None:
    assert x["P"].shape == (x["S"], x["A"], x["S"]) and (x["P"].sum(axis=2) == 1).all()
    assert all(4 * r % 1 == 0 and 0 <= r <= 1 for r in x["r"].ravel()) and x["gamma"].limit_denominator(100) < 1


@quick
@given(strategy(confidence_set, 3))
def test_laws_lie_in_their_confidence_set(x: Any) -> None:
    p_hat, radius, p = x
    assert p.sum() == 1 == p_hat.sum() and min(p) >= 0 and abs(p - p_hat).sum() <= radius


@quick
@given(strategy(preference_matrix, 3), strategy(features, 2, 3), strategy(values_near, table([1, 2], 2), TENTH))
def test_matrices_features_and_values(M: Any, phi: Any, v: Any) -> None:
    assert (M == -M.T).all() and max(abs(M.ravel())) <= 1
    assert phi.shape == (2, 3) and max(abs(phi.ravel())) <= 1
    assert all((x - y) * 10 in (-1, 0, 1) for x, y in zip(v, (1, 2), strict=True))


def test_anchored_and_moved_laws() -> None:
    for seed in range(20):
        source = Points(7, seed)
        assert law(source, 3, anchored=True)[0] > 0
        P = policy(source, 2, 3)
        near = moved(source, P)
        assert (near.sum(axis=1) == 1).all() and min(near.ravel()) >= 0
        assert max(abs(near - P).sum(axis=1)) <= Fraction(2, 5)


def test_fields_agree_with_each_other_and_with_the_planner() -> None:
    from proofs_check.lemmas._mdp import optimal
    from theorylab.criteria import Discounted
    from theorylab.model import TabularMDP

    for seed in range(5):
        x = model(Points(50, seed), S=(1, 3), A=(1, 2))
        floats, exact = (optimal(f.read(x).P, f.read(x).r, f.read(x).gamma, f) for f in (FLOATS, RATIONALS))
        made = TabularMDP(
            x["P"].astype(float), x["r"].astype(float), np.ones(3) / 3, criterion=Discounted(float(x["gamma"]))
        )
        assert np.allclose(floats, [float(Fraction(int(v.p), int(v.q))) for v in exact], rtol=1e-12)
        assert np.allclose(floats, plan(made).V, rtol=1e-8)
        with BALLS.context():
            y = BALLS.read({"v": rewards(Points(50, seed), 4)})
            rational = RATIONALS.read({"v": rewards(Points(50, seed), 4)})
            assert BALLS.span(y.v).contains(RATIONALS.span(rational.v))


def test_a_ball_that_is_no_number_is_refused() -> None:
    """It would pass for undecided, and hide the violation: d^2 <= -1 never holds."""

    def sides(x: Any, f: Any) -> dict[str, Any]:
        d = f.exp(f.array([x.x + x.a]))[0] - f.exp(f.array([x.x + x.a]))[0]
        return {"square": (d**2, -f.number(1))}

    with pytest.raises(InputError, match=r"'square' at .* no NaN \(of a ball d that may contain 0"):
        search(lemma(irrational=True, sides=sides, twins={"the same": sides}), 4)
