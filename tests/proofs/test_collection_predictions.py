"""Growth of GOSPRL's theorem and the predictions P1 to P10: bounds by hand, quantities by hand, verdicts (long)."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from proofs_check.papers import _collection_predictions as paper
from theorylab.check import check
from theorylab.measure import context_of
from theorylab.registry import find_learner, find_model

STAR = find_model("star")()
ONE = np.array([1.0])
VERDICTS = {"refined": "CONSTANT MEASURED", **dict.fromkeys(("growth-B", "growth-D", "growth-chain"), "CONSISTENT")}
VERDICTS |= dict.fromkeys(("p6-practice", "p6-theory"), "CONSISTENT")


def context(learner: str = "gosprl", **params: Any) -> Any:
    return context_of(find_learner(learner), STAR, 100, params)


def test_orders_and_bounds_by_hand() -> None:
    c = context(samples=10)  # S = 4, A = 3, D_s = 1, 3, 5, 11
    assert paper.samples(c) == 120.0 and paper.first_order(c, ONE) == pytest.approx([120 * 11.0])
    assert paper.order(c, ONE) == pytest.approx([120 * 11 + 11**1.5 * 16 * 3])
    lower = sum(d**1.5 for d in (1, 3, 5, 11)) * 16 * 3
    assert paper.refined(c, ONE) == pytest.approx([30 * 20 + lower])
    assert paper.over_lp(2.0, 5.0)(c, ONE) == pytest.approx([2 * 570 + 5])
    assert paper.share_of_worst_case(0.5)(c, ONE) == pytest.approx([300.0])
    assert paper.third_of_samples(c, ONE) == [40.0] and paper.length(c, ONE) == [100.0]
    assert paper.largest_error(c, ONE) == [2.0]


def test_the_average_error_by_hand() -> None:
    law = np.array([[[0.5, 0.5], [1.0, 0.0]], [[0.0, 1.0], [0.25, 0.75]]])
    moved = np.array([[[3, 1], [0, 0]], [[0, 2], [0, 4]]])
    tr = SimpleNamespace(visits=moved.sum(axis=2), moved=moved, law=law)
    p = SimpleNamespace(S=2, A=2)
    # 0.25 twice, 1 where nothing was seen, nothing, 0.25 twice
    assert paper.average_error(None, p, tr, 9) == pytest.approx((0.5 + 1.0 + 0.0 + 0.5) / 4)


@pytest.mark.parametrize(("finished", "steps"), [(17, 17.0), (-1, 60.0), (0, 0.0)])
def test_a_run_that_did_not_finish_counts_its_length(finished: int, steps: float) -> None:
    assert paper.time_within(SimpleNamespace(finished=[finished]), None, None, 60) == steps


def test_every_prediction_has_a_claim() -> None:
    names = {c.id.partition(".")[2].partition("-")[0] for c in paper.CLAIMS}
    assert {f"p{i}" for i in range(1, 11)} <= names
    assert all(c.controls for c in paper.CLAIMS if c.constants == "explicit")


@pytest.mark.long
@pytest.mark.parametrize("claim", paper.CLAIMS, ids=[c.id.partition(".")[2] for c in paper.CLAIMS])
def test_the_verdicts_of_the_standard_profile(claim: Any) -> None:
    found = check(claim, profile="standard")
    assert found.verdict == VERDICTS.get(claim.id.partition(".")[2], "SUPPORTED"), found.growth.get("reason")
    assert all(c.ok for c in found.controls)
