"""Learners spread over processes: the same evidence, in the order of the claims."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from theorylab.check import check_many
from theorylab.errors import InputError
from theorylab.registry import find_claim

IDS = ("jin2018.weights", "auer2002.counts", "jaksch2010.doubling", "auer2002.greedy")


def plain(evidence: Any) -> Any:
    """Evidence without the times."""
    parts = tuple(dataclasses.replace(p, seconds=0.0) for p in evidence.instances)
    return dataclasses.replace(evidence, seconds=0.0, instances=parts)


def test_processes_give_the_evidence_of_one() -> None:
    claims = [find_claim(i)[0] for i in IDS]
    said: list[str] = []
    serial = check_many(claims, run_controls=False)
    spread = check_many(claims, run_controls=False, processes=2, progress=said.append)
    assert [e.id for e in spread] == list(IDS)
    assert [plain(e) for e in spread] == [plain(e) for e in serial]
    assert len(said) == 4 and said[-1].startswith("3 of 3 learners")


def test_an_error_in_a_process_reaches_the_caller() -> None:
    claims = [find_claim(i)[0] for i in IDS]
    with pytest.raises(InputError, match="no parameter 'speed'"):
        check_many(claims, params={"speed": 1}, processes=2)


def test_a_claim_that_no_id_names_stays_in_this_process() -> None:
    mine = dataclasses.replace(find_claim("auer2002.counts")[0], id="mine.counts")
    found = check_many([mine, find_claim("jin2018.weights")[0]], run_controls=False, processes=2)
    assert found[0].id == "mine.counts"
