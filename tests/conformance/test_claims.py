"""Every registered claim has what it must have, controls above all; each part is missed where it is missing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.claims.coins import claim as coin_claim
from tests.claims.coins import coin
from theorylab.check import check, check_many
from theorylab.claim import Claim, Dominates, Expectation, HighProbability, Instance, Pointwise
from theorylab.claim_conformance import toothless
from theorylab.conformance import claim_conformance
from theorylab.registry import find_claim, iter_specs
from theorylab.table import plain_table

#: claims in the profile full alone: a bound that is below trivial after millions of rounds only
FULL_ONLY = {"abeille2017.thm1-line"}


def failed(claim: Claim, *beside: Claim) -> dict[str, str]:
    return {o.name: o.detail for o in claim_conformance(claim, beside) if not o.ok}


def test_every_registered_claim() -> None:
    found = {c.id: failed(c) for c in iter_specs("papers")}
    assert len(found) > 300
    missing = "no instances in quick or standard"
    assert {k: v for k, v in found.items() if v} == {k: {"instances": missing} for k in FULL_ONLY}


def counts(**changes: Any) -> Claim:
    claim: Claim = find_claim("auer2002.counts")[0]
    return replace(claim, **changes)


def planted(what: str, value: Any) -> Claim:
    """A claim whose own checks are gone round."""
    claim = counts()
    object.__setattr__(claim, what, value)
    return claim


@pytest.mark.parametrize(
    ("claim", "name", "words"),
    [
        (counts(controls=()), "controls", "toothless: no learner fault"),
        (counts(text="  "), "text", "the text is empty"),
        (planted("source_tag", ""), "source tag", "'' is no source tag"),
        (counts(id="auer1999.counts", paper="auer1999"), "paper", "no BibTeX entry of 'auer1999'"),
        (counts(learner="ucb9"), "learner", "unknown learner 'ucb9'"),
        (counts(steps=("auer2002.sums", "auer2002.sum")), "steps", "unknown claim 'auer2002.sum'"),
        (counts(instances={}), "instances", "no instances in quick or standard"),
        (counts(control_instance=None), "places", "'counts lost' has no instance"),
        (counts(controls=counts().controls * 2), "places", "two controls 'counts lost'"),
    ],
    ids=lambda x: x if isinstance(x, str) else "",
)
def test_what_is_missing_is_said(claim: Claim, name: str, words: str) -> None:
    found = failed(claim)
    assert set(found) == {name} and found[name].startswith(words), found


def test_steps_of_the_same_file_are_known() -> None:
    other = counts(id="mine.step")
    assert failed(counts(steps=("mine.step",)), other) == {} != failed(counts(steps=("mine.step",)))


TWENTY = Instance("bernoulli", 20, {"means": (0.9, 0.6)})


def regret(height: float, **changes: Any) -> Claim:
    """A bound that is `height` times what any algorithm satisfies, without a fault."""

    def trivial(c: Any, n: np.ndarray) -> np.ndarray:
        return np.asarray(n * float(np.max(c.gap)))

    given: dict[str, Any] = dict(
        id="auer2002.mine", text="A bound.", learner="uniform", kind=Expectation(), quantity="regret", trivial=trivial,
        bound=lambda c, n: height * trivial(c, n), instances={"quick": (TWENTY,)},
    )  # fmt: skip
    return Claim(**{**given, **changes})


def test_a_bound_below_trivial_needs_a_fault_and_a_vacuous_one_does_not() -> None:
    below = "no learner fault, though the bound is below trivial"
    assert failed(regret(0.9)) == {"controls": f"toothless: {below}"} and failed(regret(1.5)) == {}
    assert toothless(regret(0.9), [True]) == "" and toothless(regret(0.9), [True, False]) == below
    open_constant = regret(0.9, constants="unspecified", bound=None, shape=lambda c, n: np.sqrt(n))
    assert failed(open_constant) == {}


def test_comparisons_and_lemmas() -> None:
    assert toothless(regret(0.9, kind=Dominates("uniform"), bound=None), []) == "no learner fault"
    about_models = counts(scope="models", kind=Pointwise(), quantity=lambda rng: (0.0, ""), controls=())
    assert toothless(about_models, []) == "no false twin"
    assert failed(about_models)["controls"] == "toothless: no false twin"
    assert toothless(replace(about_models, false_twin=lambda rng: (1.0, "")), []) == ""


def test_evidence_and_table_say_it() -> None:
    options: dict[str, Any] = dict(target="python", budget=64)
    bare = check(coin_claim(0.5, 0.0, 0.1, controls=()), **options)
    assert bare.toothless == "no learner fault"
    text = " ".join(plain_table([bare]).split())
    assert text.count("toothless:") == 1
    assert check(coin_claim(0.5, 0.0), **options).toothless == ""
    assert check(regret(0.9), **options).toothless == "no learner fault, though the bound is below trivial"
    vacuous = check(regret(1.5), **options)
    assert vacuous.verdict == "VACUOUS" and vacuous.toothless == ""  # half the best constant was refuted


def test_a_bound_fault_that_could_not_be_made_is_missed() -> None:
    still = regret(1.5, instances={"quick": (coin(0.5, 20),)}, trivial=lambda c, n: 1.0 * n, bound=lambda c, n: 2.0 * n)
    (evidence,) = check_many([still], target="python", budget=64)
    assert evidence.verdict == "VACUOUS" and evidence.toothless == "no bound fault: every measured constant is 0"
    refuted = check(coin_claim(0.1, 1.0, kind=HighProbability(0.1), controls=()), target="python", budget=64)
    assert refuted.verdict == "REFUTED" and refuted.toothless == "no learner fault"
