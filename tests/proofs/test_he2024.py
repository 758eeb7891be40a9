"""LOOP and MLE-LOOP: claims on finite classes, their controls, and the formulas of their bounds."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from proofs_check.kill_matrix import Kills, kills_of, markdown, mutants_of, planted
from proofs_check.mutants._generic import FAULTS
from proofs_check.papers import _loop_models_steps as loop
from proofs_check.papers import _mle_loop_steps as mle
from theorylab.check import check
from theorylab.claim import Claim, Control, Instance
from theorylab.claim_conformance import claim_conformance
from theorylab.controls import fault_matrix
from theorylab.decide import Levels
from theorylab.learner import Learner
from theorylab.measure import context_of
from theorylab.registry import find_learner

PAPER: dict[str, list[Claim]] = {"loop-models": loop.CLAIMS, "mle-loop": mle.CLAIMS}
NAMES = tuple(PAPER)
STEPS = [c for claims in PAPER.values() for c in claims if c.controls]
#: what only the repeated formula of beta catches
COPIES_ONLY = {
    "loop-models": {"log factor dropped", "class not in the logarithm", "beta without B^2"},
    "mle-loop": {"log factor dropped", "class not in the logarithm", "factor 3 dropped"},
}


def kills(name: str, claims: list[Claim] | None = None) -> Kills:
    return kills_of(name, PAPER[name] if claims is None else claims)


@pytest.mark.long
@pytest.mark.parametrize("name", NAMES)
def test_every_control_is_caught(name: str) -> None:
    found = kills(name)
    assert not found.alive and not found.named, f"{found.alive}, {found.named}\n{markdown(found)}"
    assert set(found.by_copies_only) == COPIES_ONLY[name]


def test_a_control_of_each_is_caught() -> None:
    """At every run, at little cost: a trigger that comes too soon, and an unlikely optimist."""
    for name, step in (("loop-models", "trigger"), ("mle-loop", "choice")):
        claims = [c for c in PAPER[name] if c.id.endswith(f"-{step}")]
        short = [replace(c, controls=tuple(replace(k, replicates=2) for k in c.controls)) for c in claims]
        found = kills(name, short)
        assert len(found.caught) == 2 and not found.alive and not found.named, markdown(found)


@pytest.mark.parametrize("name", NAMES)
def test_faults_and_claims(name: str) -> None:
    under = {id(k.learner) for c in PAPER[name] for k in c.controls}
    assert not [k for k, v in planted(name).items() if id(v) not in under]
    table = mutants_of(name).GENERIC
    assert set(table) == set(FAULTS)
    assert all(id(v) in under for v in table.values() if isinstance(v, Learner))


@pytest.mark.parametrize("name", NAMES)
def test_claims_conform(name: str) -> None:
    failed = [o for c in PAPER[name] for o in claim_conformance(c, beside=PAPER[name]) if not o.ok]
    assert not failed, failed


@pytest.mark.long
@pytest.mark.parametrize("name", NAMES)
def test_without_a_fault_nothing_is_caught(name: str) -> None:
    """On the instances of all controls but those that break an assumption."""
    claims = []
    for c in PAPER[name]:
        if c.control_instance is not None:
            claims.append(replace(c, controls=(Control("no fault", find_learner(name), replicates=4),)))
    for place in {repr(c.control_instance): c.control_instance for c in claims}.values():
        here = [replace(c, control_instance=place) for c in claims]
        matrix = fault_matrix(here, params={}, levels=Levels(), seed=1)
        caught = {c: row["no fault"][1] for c, row in matrix.items() if row["no fault"][0]}
        assert not caught, caught


def test_a_class_without_the_truth_is_a_failed_assumption() -> None:
    claim = next(c for c in loop.CLAIMS if c.id == "he2024.models-played")
    from mdps.loop.classes import relabelled_riverswim

    _, outside = relabelled_riverswim(3, (0.2, 0.5), 0.2, "010")
    stranger = replace(outside, name=loop.TINY.name, P=np.roll(outside.P, 1, axis=0))
    place = Instance.of(stranger, 50, dict(loop.SMALL.learner))
    found = check(replace(claim, instances={"quick": (place,)}), target="python", budget=8)
    assert found.verdict == "NOT_APPLICABLE" and "does not have its kernel" in found.instances[0].note


def context(name: str, place: Instance) -> Any:
    return context_of(find_learner(name), place.build(), place.length, dict(place.learner))


def test_constants_by_hand() -> None:
    c = context("loop-models", loop.LEMMAS[0])
    B, M, delta = c.span, 24, 0.2
    iota = math.log(M * M / delta)
    assert c.beta == pytest.approx(9 * B * B * iota, rel=1e-12)
    # F4 and F5 of the notes: at least beta/3, at most 8.3 beta
    assert loop.least_increment(c) == pytest.approx(c.beta / 3, rel=1e-12)
    assert loop.largest_error(c) == pytest.approx(8 * c.beta + 2 * B * B * math.log(M / delta), rel=1e-12)
    assert loop.largest_error(c) <= 8.3 * c.beta
    assert loop.rivals(c) == M  # the truth has the smallest gain of all
    n, cells = 1e4, M * 3 * 2
    by_hand = cells * B + math.sqrt(cells * (1 + math.log(n)) * n * loop.largest_error(c)) + B * M
    by_hand += B * math.sqrt(1e4 * math.log(1 / delta))
    assert loop.bound(c, np.array([n])) == pytest.approx([by_hand], rel=1e-12)
    assert loop.optimism_level(context("loop-models", loop.OPTIMISM["standard"][0])) == pytest.approx(0.3, rel=1e-9)


def test_constants_of_the_likelihoods_by_hand() -> None:
    c = context("mle-loop", mle.STEPS["standard"][0])
    beta0 = math.log(c.M / c.delta)
    assert c.beta == pytest.approx(3 * beta0, rel=1e-12)
    root = math.sqrt(c.beta)
    # M3, M5, M6 of the notes in units of sqrt(beta t): 1.29, 0.82, 3.82 and 2.18 - 1.29
    assert math.sqrt(c.beta + 2 * beta0) / root == pytest.approx(1.29, abs=0.005)
    assert math.sqrt(2 * beta0) / root == pytest.approx(0.82, abs=0.005)
    found = mle.tables(c)
    assert found["distance"][found["star"]].max() == 0.0 and found["hellinger"][found["star"]].max() < 1e-12
    assert (found["distance"] ** 2 <= 2 * found["hellinger"] + 1e-12).all()


@pytest.mark.long
@pytest.mark.parametrize("claim", STEPS, ids=lambda c: c.id)
def test_every_claim_runs(claim: Claim) -> None:
    """Where its faults are planted, at a small budget; the instances of the standard profile are longer."""
    assert claim.control_instance is not None
    short = replace(claim, instances={"quick": (claim.control_instance,)}, controls=())
    found = check(short, target="python", budget=8)
    assert found.verdict in ("NO VIOLATION FOUND", "SUPPORTED", "INCONCLUSIVE"), found
