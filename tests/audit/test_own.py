"""The package's learners pass the audit, and what their planted faults do under it is the data of `unseen`."""

from __future__ import annotations

from typing import Any

import pytest

from proofs_check.kill_matrix import learners as faulty
from proofs_check.kill_matrix import planted
from tests.audit.instances import instances, learners
from tests.audit.unseen import ALIKE, UNSEEN
from theorylab.audit import audit, of_learner
from theorylab.audit.own import FIELDS
from theorylab.errors import InputError
from theorylab.learner import Learner

ALL = learners()
QUICK = ("ucb1", "ucb-h", "ucrl2")
#: faults whose plans do not end on the instance
ENDLESS = {("kl-ucrl", "reversed_divergence")}


@pytest.mark.parametrize("learner", ALL, ids=[f"{x.name}-{x.setting}" for x in ALL])
def test_every_learner_passes(learner: Learner) -> None:
    for model, length, params in instances(learner):
        report = audit(of_learner(learner, **params), model, length=length, replicates=6)
        assert report.failed == [], [(f, report[f].first, report[f].note) for f in report.failed]


def test_the_table_of_fields_names_learners_and_their_fields() -> None:
    known = {(x.name, x.setting): x for x in ALL}
    assert set(FIELDS) <= set(known)
    assert {k[0] for k in set(known) - set(FIELDS)} == {"uniform"}
    for key, fields in FIELDS.items():
        assert {f for f in fields.values() if isinstance(f, str)} <= set(known[key].state)


def outcome(name: str, mutant: Learner) -> str:
    """ "alone", "like" or "" for a fault: what sees it, on any instance."""
    base = next(x for x in ALL if (x.name, x.setting) == (mutant.name, mutant.setting))
    seen = ""
    for model, length, params in instances(base):
        mine = {k: v for k, v in params.items() if k in mutant.settable}
        theirs = {k: v for k, v in params.items() if k in base.settable}
        maker = of_learner(mutant, **mine)
        try:
            report = audit(maker, model, length=length, replicates=4, like=base, like_params=theirs)
        except InputError as wrong:
            assert "did not converge" in str(wrong)
            return "alone"
        if set(report.failed) - {"like"}:
            return "alone"
        seen = "like" if "like" in report.failed else seen
    return seen


@pytest.mark.parametrize(
    "name", [n if n in QUICK else pytest.param(n, marks=pytest.mark.long) for n in sorted(faulty())]
)
def test_every_fault_fails_but_those_that_are_listed(name: str) -> None:
    found = {f: outcome(name, m) for f, m in planted(name).items() if (name, f) not in ENDLESS}
    assert {f for f, how in found.items() if how == "like"} == set(ALIKE.get(name, ("", ""))[1].split())
    assert {f for f, how in found.items() if not how} == set(UNSEEN.get(name, {}))
    assert all(UNSEEN.get(name, {}).values())
