"""Claims that cannot be decided as they are stated stop with an InputError that names the entry and the mend."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.claims.coins import claim, coin, faithful
from theorylab import InputError
from theorylab.check import check
from theorylab.claim import (
    Claim,
    Control,
    Dominates,
    Expectation,
    Growth,
    HighProbability,
    Identity,
    Instance,
    Pointwise,
)
from theorylab.kernel import kernel
from theorylab.lemma import Lemma
from theorylab.models_scope import check_lemma

ARMS = {"means": (0.6, 0.4)}
SWEEP = tuple(Instance("bernoulli", 4 * 2**j, ARMS) for j in range(4))


def regret(kind: Any, **more: Any) -> Claim:
    given: dict[str, Any] = dict(
        id="coins.regret", text="", source_tag="derived", learner="uniform", kind=kind, quantity="regret",
        bound=lambda c, n: 1.0 + 0.0 * n, trivial=lambda c, n: 0.2 * n,
        instances={"quick": (Instance("bernoulli", 8, ARMS),)},
    )  # fmt: skip
    return Claim(**{**given, **more})


FORMULAS = [
    (lambda c, n: n * np.nan, "is NaN at n=1; mend the formula"),
    (lambda c, n: np.where(n == 8, np.nan, 1.0), "is NaN at n=8; mend the formula"),
    (lambda c, n: 1.0, r"returned float64 of shape \(\) for n of shape \(9,\); return one number for each n"),
    (lambda c, n: np.ones(3), r"returned float64 of shape \(3,\)"),
    (lambda c, n: np.ones((n.size, 2)), r"returned float64 of shape \(9, 2\)"),
    (lambda c, n: None, "returned object"),
    (lambda c, n: 1j * n, "returned complex128"),
]


@pytest.mark.parametrize("kind", [Expectation(), HighProbability(0.1), Pointwise()], ids=lambda k: type(k).__name__)
@pytest.mark.parametrize(("bound", "message"), FORMULAS)
def test_a_bound_that_gives_no_number_is_refused(kind: Any, bound: Any, message: str) -> None:
    with pytest.raises(InputError, match=f"claim coins.regret: bound {message}"):
        check(regret(kind, bound=bound), target="python", budget=32)


def test_a_bound_may_be_undefined_before_the_first_round() -> None:
    def log(c: Any, n: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            return np.asarray(1.2 + 0.0 * n * np.log(n))

    assert check(regret(Expectation(), bound=log), target="python", budget=32).verdict != "REFUTED"


def test_a_mean_is_tested_against_a_number_above_zero() -> None:
    for value, message in ((0.0, r"bound / trivial is .* above 0"), (-1.0, "bound is -1 at n=1; mend the formula")):
        with pytest.raises(InputError, match=f"claim coins.regret: {message}"):
            check(regret(Expectation(), bound=lambda c, n, v=value: v + 0.0 * n), target="python", budget=32)


def test_without_a_bound_or_a_trivial_value_nothing_is_supported() -> None:
    """A claim without a bound was never violated, and a bound beyond what any algorithm loses was never vacuous."""
    shape = lambda c, n: n  # noqa: E731
    for kind in (HighProbability(0.1), Pointwise(), Expectation()):
        with pytest.raises(InputError, match="with explicit constants needs bound="):
            regret(kind, bound=None, shape=shape)
    with pytest.raises(InputError, match=r"needs trivial=\.\.\., what any algorithm satisfies"):
        regret(HighProbability(0.1), bound=lambda c, n: 1e9 * n, trivial=None)
    regret(HighProbability(0.1), bound=None, shape=shape, constants="unspecified")


def test_an_invariant_on_regret_has_nulls_and_its_violation_is_refuted() -> None:
    always = regret(Pointwise(), bound=lambda c, n: 0.2 * n, trivial=lambda c, n: 0.4 * n)
    held = check(always, target="python", budget=64)
    assert held.verdict == "NO VIOLATION FOUND" and {c.sort for c in held.controls} == {"null", "bound fault"}
    wrong = replace(always, bound=lambda c, n: 0.05 * n)
    assert check(wrong, target="python", budget=64).verdict == "REFUTED"


@kernel
def nothing(st: Any, p: Any, t: Any, rng: Any) -> Any:
    """No arm at all."""
    return None


RAISES = Control("no arm at all", replace(faithful(), act=nothing))
POSITIVE = dict(trivial=lambda c, n: 0.2 * n, bound=None)


@pytest.mark.parametrize(
    "made",
    [
        claim(0.1, 0.02, controls=(RAISES,)),
        regret(Dominates("ucb1"), **POSITIVE, controls=(RAISES,)),
        regret(Growth("n"), **POSITIVE, shape=lambda c, n: n, instances={"quick": SWEEP}, controls=(RAISES,)),
    ],
    ids=["rate", "dominance", "growth"],
)
def test_a_control_that_raises_is_named(made: Claim) -> None:
    with pytest.raises(
        InputError, match=rf"control 'no arm at all' of claim {made.id} cannot run: .*; mend its learner"
    ):
        check(made, target="python", budget=64)


@pytest.mark.parametrize("value", [0.0, np.inf, -1.0])
def test_a_comparison_needs_a_positive_finite_range(value: float) -> None:
    with pytest.raises(InputError, match=r"claim coins.regret: trivial is .* positive finite range"):
        check(regret(Dominates("ucb1"), bound=None, trivial=lambda c, n: value + 0.0 * n), target="python", budget=64)
    with pytest.raises(InputError, match=r"claim coins.regret: the trivial bound is .* must be positive"):
        many = dict(instances={"quick": SWEEP}, shape=lambda c, n: n, bound=None)
        check(regret(Growth("n"), **many, trivial=lambda c, n: value + 0.0 * n), target="python")


def test_a_comparison_needs_a_level_below_one_half_and_a_sweep_a_size() -> None:
    with pytest.raises(InputError, match=r"alpha_support=0.6 is not below 1/2"):
        check(regret(Dominates("ucb1"), **POSITIVE), target="python", budget=64, alpha_support=0.6)
    with pytest.raises(InputError, match="sweep='H' is no size of its instances; they have T, A"):
        made = regret(Growth("n", sweep="H"), **POSITIVE, shape=lambda c, n: n, instances={"quick": SWEEP})
        check(made, target="python")


def sampled(quantity: Any, **more: Any) -> Claim:
    given: dict[str, Any] = dict(
        id="toys.sampled", text="", source_tag="derived", learner="", instances={}, kind=Pointwise(), scope="models",
        quantity=quantity, false_twin=lambda rng: (1.0, ""),
    )  # fmt: skip
    return Claim(**{**given, **more})


def test_a_sampled_lemma_returns_a_pair_and_is_no_identity() -> None:
    with pytest.raises(InputError, match=r"claim toys.sampled returned 0.0; return \(largest lhs - rhs"):
        check(sampled(lambda rng: 0.0))
    with pytest.raises(InputError, match=r"false_twin returned 1.0"):
        check(sampled(lambda rng: (0.0, ""), false_twin=lambda rng: 1.0))
    with pytest.raises(InputError, match="with scope='models' give kind=Pointwise"):
        sampled(lambda rng: (0.0, ""), kind=HighProbability(0.1))
    with pytest.raises(InputError, match="an Identity needs a Lemma"):
        sampled(lambda rng: (0.0, ""), kind=Identity())


def test_a_lemma_is_searched_at_least_twice_as_long_as_its_hardest_twin() -> None:
    """A twin found late shows nothing of a short search: with the twin's own fault the lemma itself is refuted."""

    def rare(x: Any, f: Any) -> dict[str, Any]:
        return {"sum": (sum(x.x), f.number(x.top))}

    def draw(source: Any) -> dict[str, Any]:
        return {"x": [source.integer(0, 3) for _ in range(6)], "top": 16}

    lemma = Lemma(
        name="toys2000.rare", text="", tag="derived", draw=draw, sides=lambda x, f: {"sum": (sum(x.x), f.number(18))},
        twins={"16": rare},
    )  # fmt: skip
    part, (twin,) = check_lemma(Claim.of(lemma), 1, 0)
    calls = int(twin.detail.split()[2])
    assert twin.ok and calls > 4 and part.n == 2 * calls and part.verdict == "NO VIOLATION FOUND"
    assert check_lemma(Claim.of(replace(lemma, sides=rare)), 1, 0)[0].verdict == "REFUTED"
    assert part.code != "" and part.code == check_lemma(Claim.of(replace(lemma, text="x")), 1, 0)[0].code


def test_the_same_instance_twice_counts_twice_and_supports_once() -> None:
    once, twice = (check(claim(0.2, 0.02), models=[coin(0.02)] * k, target="python", budget=128) for k in (1, 2))
    assert once.verdict == twice.verdict == "SUPPORTED" and once.e_support == twice.e_support
