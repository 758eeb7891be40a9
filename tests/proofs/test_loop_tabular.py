"""LOOP on all tables, by ascent, by boxes and on classes of values: faults under claims, constants by hand."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from proofs_check.papers import _loop_tabular_steps as tabular
from proofs_check.papers import _loop_values_steps as values
from tests.proofs.kills import check_caught, check_clean, check_copies, check_generic, check_under_a_claim, claims_on
from theorylab.check import check
from theorylab.claim import Claim
from theorylab.measure import context_of
from theorylab.registry import find_learner

NAMES = ("loop", "loop-ascent", "loop-box", "loop-values")
STEPS = [c for c in (*tabular.CLAIMS, *values.CLAIMS) if c.controls and c.control_instance is not None]
#: about epochs that end; their faults end them too soon, where without a fault none has
NO_EPOCH = {"he2024.tabular-t4", "he2024.values-f4"}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("rule", [check_generic, check_under_a_claim], ids=lambda c: c.__name__)
def test_faults_and_claims(rule: Callable[[str], None], name: str) -> None:
    rule(name)


@pytest.mark.long
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("rule", [check_caught, check_copies, check_clean], ids=lambda c: c.__name__)
def test_every_fault_is_caught(rule: Callable[[str], None], name: str) -> None:
    rule(name)


@pytest.mark.long
@pytest.mark.parametrize("claim", STEPS, ids=lambda c: c.id)
def test_every_claim_runs(claim: Claim) -> None:
    """Where its faults are planted, at a small budget; the instances of the standard profile are longer."""
    assert claim.control_instance is not None
    short = replace(claim, instances={"quick": (claim.control_instance,)}, controls=())
    found = check(short, target="python", budget=4)
    fine = {"VACUOUS"} if claim.id in NO_EPOCH else {"NO VIOLATION FOUND", "SUPPORTED", "INCONCLUSIVE"}
    assert found.verdict in fine, found


def test_every_claim_has_a_tag_of_the_notes() -> None:
    """The paper's own form is recalled, what has explicit constants is derived, and neither is the other."""
    tags = {c.id: c.source_tag for c in (*claims_on()["loop"], *claims_on()["loop-values"])}
    assert tags["he2024.tabular-thm1"] == "recalled" and tags["he2024.tabular-sharper"] == "derived"
    assert tags["he2024.tabular-t8"] == "derived" and set(tags.values()) == {"recalled", "derived"}


def context(name: str, place: Any) -> Any:
    return context_of(find_learner(name), place.build(), place.length, dict(place.learner))


def test_constants_of_tables_by_hand() -> None:
    c = context("loop", tabular.place("jao", 100_000, delta=0.1))
    B, T, delta = 1.76, 1e5, 0.1  # S = A = 2
    beta_tab = B**2 * (2 * math.log(1 + T / 4) + math.log(1 / delta))
    beta_V = beta_tab + 2 * B**2 * math.log(T + 1)
    assert tabular.beta_V(c) == pytest.approx(beta_V, rel=1e-12)
    assert c.beta == pytest.approx(9 * beta_V, rel=1e-12)
    x = math.sqrt(beta_V) + 2 * B / math.sqrt(T)
    b = (2 * math.sqrt(c.beta) + x) ** 2
    assert tabular.in_bound(c) == pytest.approx(b, rel=1e-12)
    assert 49 * beta_V <= b <= 5.5 * c.beta  # T7 of the notes
    adds = 3 * c.beta - 6 * math.sqrt(c.beta) * x
    assert tabular.increment(c) == pytest.approx(adds, rel=1e-12)
    assert adds == pytest.approx(c.beta, rel=0.01)  # T4: beta where the mesh is nothing
    n = 5e4
    errors = 4 * (B + 1) + math.sqrt(4 * (1 + math.log(n)) * n * b) + B * math.sqrt(T / 2 * math.log(1 / delta))
    optimisations = 1 + (4 * (B + 1) ** 2 + 4 * b * (1 + math.log(n))) / adds
    assert tabular.switch_bound(c, np.array([n])) == pytest.approx([optimisations], rel=1e-12)
    assert tabular.bound(c, np.array([n])) == pytest.approx([errors + B * optimisations], rel=1e-12)
    short = context("loop", tabular.place("jao", 100_000, delta=0.1, form=1))
    assert short.beta == pytest.approx(beta_tab, rel=1e-12)
    assert tabular.beta_level(short) == pytest.approx(0.1, rel=1e-9)  # T1 inverted
    assert tabular.increment(short) == 0.0 and np.isinf(tabular.switch_bound(short, np.array([n]))).all()


def test_forms_of_the_regret_by_hand() -> None:
    """The paper's d = max(sqrt(d_G), kappa_G) multiplies sp sqrt(n beta); the sharper form has sqrt(d_G) alone."""
    c = context("loop", tabular.place("jao", 100_000, delta=0.1))
    n, d_G, B = np.array([1e4]), 4 * (1 + math.log(1e5)), 1.76
    assert tabular.paper_shape(c, n) == pytest.approx([B * math.sqrt(d_G) * math.sqrt(1e4 * c.beta)], rel=1e-12)
    by_hand = math.sqrt(d_G * 1e4 * c.beta) + B * 100 + B * 4 * math.log(1e5)
    assert tabular.sharper_shape(c, n) == pytest.approx([by_hand], rel=1e-12)


def test_constants_of_classes_of_values_by_hand() -> None:
    c = context("loop-values", values.LEMMAS[0])
    B, M, delta = c.span, 16, 0.2
    assert (c.M, c.K) == (M, 2 * M)
    iota = math.log(M * 2 * M / delta)
    assert c.beta == pytest.approx(9 * B**2 * iota, rel=1e-12)
    found = values.tables(c)
    assert found["in_bound"] == pytest.approx(8 * c.beta + 2 * B**2 * math.log(M / delta), rel=1e-12)
    assert found["in_bound"] <= 8.3 * c.beta  # F5 of the notes
    assert found["increment"] == pytest.approx(c.beta / 3, rel=1e-12)  # F4
    sure = context("loop-values", values.SURE)
    assert sure.beta == pytest.approx(B**2 / 2 * math.log(32 / 0.01), rel=1e-12)
    assert values.optimism_level(sure) == pytest.approx(0.01, rel=1e-9)
