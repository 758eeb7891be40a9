"""The package's learners pass the audit, and what their planted faults do under it is the data of `unseen`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from proofs_check.kill_matrix import learners as faulty
from proofs_check.kill_matrix import planted
from tests.audit.instances import instances, learners
from tests.audit.unseen import ALIKE, UNSEEN
from theorylab.audit import audit, of_learner
from theorylab.audit.judging import play, setup_of
from theorylab.audit.own import FIELDS
from theorylab.errors import InputError
from theorylab.learner import Learner

ALL = learners()
QUICK = ("ucb1", "moss", "ucb-h")
#: four suffice to refute a rate with delta = 0.1 beside four others; EULER has five others
REPLICATES = {"euler": 5}
#: faults whose plans do not end on the instance
ENDLESS = {("kl-ucrl", "reversed_divergence")}


@pytest.mark.parametrize("learner", ALL, ids=[f"{x.name}-{x.setting}" for x in ALL])
def test_every_learner_passes(learner: Learner) -> None:
    passes(learner, instances(learner)[0])


@pytest.mark.long
@pytest.mark.parametrize("learner", ALL, ids=[f"{x.name}-{x.setting}" for x in ALL])
def test_every_learner_passes_on_its_other_instances(learner: Learner) -> None:
    for where in instances(learner)[1:]:
        passes(learner, where)


def passes(learner: Learner, where: tuple[Any, int, dict[str, Any]]) -> None:
    model, length, params = where
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
            report = audit(
                maker, model, length=length, replicates=REPLICATES.get(name, 4), like=base, like_params=theirs
            )
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


def states(mutant: Learner, model: Any, length: int, params: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """Actions of one replicate and the state after it."""
    kept = []
    maker = of_learner(mutant, **params)

    class Keeping(type(maker)):  # type: ignore[misc]
        def build(self, setup: Any) -> Any:
            kept.append(super().build(setup))
            return kept[-1]

    copy = Keeping(maker.learner, maker.params, maker.name)
    world, _, _ = play(copy, setup_of(copy, model, length, 0, 0))
    return world.path, dict(kept[-1].st._asdict())


def test_a_plan_at_every_episode_leaves_mvp_as_it_is() -> None:
    base = next(x for x in ALL if x.name == "mvp")
    model, _, params = instances(base)[-1]
    (a, x), (b, y) = (states(spec, model, 200, params) for spec in (base, planted("mvp")["plan_always"]))
    assert a == b
    for k in x:
        assert np.array_equal(x[k], y[k]), k


def test_without_refactorisation_oful_differs_by_rounding_alone() -> None:
    base = next(x for x in ALL if x.name == "oful")
    model, _, params = instances(base)[-1]
    mutant = of_learner(planted("oful")["never_fresh"], **params)
    report = audit(mutant, model, length=1500, replicates=1, like=base, like_params=params)
    assert report["like"].verdict == "NO VIOLATION FOUND"  # on the same past, to 1e-9 and up to ties


@pytest.mark.parametrize("name", ["ucbvi-ch", "ucbvi-bf"])
def test_another_rule_for_ties_plays_otherwise_and_maximises_the_same_values(name: str) -> None:
    mutant = planted(name)["ties_to_last"]
    base = next(x for x in ALL if x.name == name)
    model, length, params = instances(base)[0]
    assert states(base, model, length, params)[0] != states(mutant, model, length, params)[0]
    report = audit(of_learner(mutant, **params), model, length=length, replicates=4, like=base, like_params=params)
    assert report.failed == [] and report["greedy"].verdict == "NO VIOLATION FOUND"


#: every check beyond the plain inequalities, and a fault that it refutes
CATCHES = [
    ("mvp", "stage_skipped", "backup"), ("psrl", "policy_stale", "plan-policy"), ("psrl", "backup_same_stage", "plan"),
    ("ucbvi-ch", "last_q_forgotten", "Q-falls"), ("ucbvi-ch", "estimate_stale", "fresh"),
    ("psrl", "not_normalised", "rows"), ("ucrl2", "mass_to_worst", "extended"), ("ucrl2", "trigger_always", "epochs"),
    ("mvp", "trigger_late", "epochs"), ("psrl-average", "length_twice", "epochs"),
    ("psrl-average", "policy_minimises", "bias"), ("euler", "lower_below_zero", "lower"),
    ("ucb1", "unplayed_zero", "each-once"), ("moss", "width_subtracted", "index"), ("ucb1", "log_dropped", "level"),
    ("moss", "horizon_replaced", "share"), ("kl-ucb", "pinsker_index", "kl-level"),
    ("explore-then-commit", "choice_stale", "commit"), ("successive-elimination", "threshold_halved", "eliminate"),
    ("successive-elimination", "stop_off_by_one", "stopped"), ("gosprl", "last_step_free", "collected"),
    ("gosprl", "closes_late", "samples"), ("known-p-greedy", "mass_of_loops", "trip"),
    ("gosprl", "trigger_never", "attempts"), ("q-learning", "rate_constant", "learning"),
    ("ucbvi-ch", "bonus_one_over_n", "root-n"), ("oful", "log_dropped", "grows"), ("oful", "width_squared", "ridge"),
    ("lsvi-ucb", "targets_stale", "least-squares"), ("ucrl-vtr", "plan_late", "value-targets"),
    ("thompson", "variance_fourfold", "law"), ("psrl", "variance_halved", "law"), ("rlsvi", "noise_shared", "law"),
    ("lin-thompson", "root_stale", "law"), ("q-learning", "epsilon_swapped", "law"),
    ("gosprl", "delta_dropped", "delta-matters"), ("ucbvi-ch", "delta_alone", "length-matters"),
    ("ucrl2", "horizon_for_clock", "length-matters"), ("ucrl2b", "stale", "fresh"), ("ucrl2b", "uncapped", "r_up"),
]  # fmt: skip


@pytest.mark.long
@pytest.mark.parametrize(("name", "fault", "check"), CATCHES, ids=[f"{c}-{n}-{f}" for n, f, c in CATCHES])
def test_each_check_refutes_a_fault(name: str, fault: str, check: str) -> None:
    mutant = planted(name)[fault]
    base = next(x for x in ALL if (x.name, x.setting) == (mutant.name, mutant.setting))
    found: set[str] = set()
    for model, length, params in instances(base):
        mine = {k: v for k, v in params.items() if k in mutant.settable}
        found |= set(audit(of_learner(mutant, **mine), model, length=length, replicates=4).failed)
    assert check in found, found
