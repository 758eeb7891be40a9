"""The printed matrix, and that no learner with a theorem is left without one."""

from __future__ import annotations

import dataclasses

import pytest

from proofs_check.kill_matrix import kills_of, learners, main, markdown
from proofs_check.mutants.ucb1 import bonus_zero
from theorylab.claim import Control
from theorylab.registry import iter_specs


def test_every_learner_with_a_paper_has_claims() -> None:
    with_claims = {c.learner for claims in learners().values() for c in claims}
    missing = {x.name for x in iter_specs("learners") if x.cite} - with_claims
    assert not missing


def test_lemmas_have_false_twins() -> None:
    for claim in iter_specs("papers"):
        if claim.scope == "models":
            assert claim.false_twin is not None, claim.id


def test_the_matrix_as_text() -> None:
    text = markdown(kills_of("ucb1"))
    row = next(line for line in text.splitlines() if line.startswith("| **bonus zero**"))
    assert "c" in row and "X" in row and "." in row
    assert "Caught by a repeated formula alone: N + 1 in the width" in text
    assert "- no clipping: no field: indices have no cap." in text


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ucb1"]) == 0
    assert "faults in 1 learners" in capsys.readouterr().out
    assert main(["ucb9"]) == 2


def test_a_fault_that_lives_is_said() -> None:
    counts = next(c for c in learners()["ucb1"] if c.id == "auer2002.counts")
    blind = dataclasses.replace(counts, controls=(Control("bonus zero", bonus_zero),))
    found = kills_of("ucb1", [blind])
    assert found.alive == ["bonus zero"] and found.named == (("auer2002.counts", "bonus zero"),)
    assert "Not caught by any step: bonus zero." in markdown(found)
