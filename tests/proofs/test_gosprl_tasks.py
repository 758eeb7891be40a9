"""Claims on GOSPRL's tasks: tables and bounds by hand, lemmas and their twins, the kernels' planning phase against the
array code, each claim on its instances, and each planted fault."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from mdps.collection.planning import best_value, goal_value, plan_to_goal
from proofs_check.kill_matrix import planted
from proofs_check.mutants._generic import FAULTS
from proofs_check.mutants.gosprl_diameter import iterate_for_policy
from proofs_check.papers import _gosprl_task_lemmas as lemmas
from proofs_check.papers import _gosprl_task_probes as probes
from proofs_check.papers._gosprl_task_steps import CLAIMS, DIAMETER, EXPLORE, NARROW, SMALL_WHEEL, goals_of
from theorylab.check import check_many
from theorylab.claim import Control
from theorylab.controls import fault_matrix
from theorylab.decide import Levels
from theorylab.learner import Learner
from theorylab.measure import context_of
from theorylab.plan import diameter
from theorylab.probe import Probe
from theorylab.registry import find_learner
from theorylab.run import run

RUNS = [c for c in CLAIMS if c.scope == "run"]
TASKS = ("gosprl-explore", "gosprl-diameter")


def claims_of(learner: str) -> list[Any]:
    return [c for c in RUNS if c.learner == learner]


# Lemmas


@pytest.mark.parametrize("name", ["nearby"])
def test_lemmas_hold_and_their_false_twins_do_not(name: str) -> None:
    for seed in range(3):
        assert getattr(lemmas, name)(np.random.default_rng(seed))[0] <= 1e-9
        assert getattr(lemmas, f"false_{name}")(np.random.default_rng(seed))[0] > 1e-3


def test_the_factor_of_the_estimate_follows_up_to_three_halves() -> None:
    x = np.linspace(0.0, 1.5, 50)
    assert np.all(1.0 / (1.0 - x / 2.0) <= 1.0 + 2.0 * x + 1e-12)
    assert 1.0 / (1.0 - 1.51 / 2.0) > 1.0 + 2.0 * 1.51


# What the statements are about


def test_the_costs_of_the_guarantee() -> None:
    instance = EXPLORE["standard"][0]
    c = context_of(find_learner("gosprl-explore"), instance.build(), 100, dict(instance.learner))
    tables = goals_of(c)
    assert np.all((tables["cost"] >= 0.5) & (tables["cost"] <= 1.0))
    assert tables["best"].shape == (2, 2) and np.all(np.diag(tables["best"]) == 0.0)


def test_times_bound_the_diameter_where_the_guarantee_is_claimed() -> None:
    for instance in EXPLORE["standard"]:
        assert instance.learner["times"] >= diameter(instance.build()) * (1 - 1e-12)
        assert "alpha0" not in instance.learner and "alpha" not in instance.learner  # 1, the theory's


def test_the_ceiling_in_the_number_of_rounds_is_needed() -> None:
    """On the wheel the round of W = 2 is not the last, as |v| may pass 2; log2(D (1 + eps)) + 1 allows two rounds."""
    wheel = DIAMETER["standard"][3]
    D = diameter(wheel.build())
    bare = math.log2(D * (1 + wheel.learner["epsilon"])) + 1
    assert 2 < bare < 3 == math.ceil(bare - 1) + 1


def planning_loss(moves: np.ndarray, model: Any, tables: dict[str, Any], p: dict[str, Any]) -> float:
    """The largest excess over all goals, by the array code."""
    worst = 0.0
    for g in range(model.S):
        found = plan_to_goal(
            moves, g, tables["cost"], cost_floor=p["cost"], epsilon=p["epsilon"], theta=2.0, diameter=p["times"],
            delta=0.1, alpha=p["alpha"],
        )  # fmt: skip
        worst = max(worst, float((goal_value(model, found.pi, g, tables["cost"]).value - tables["best"][g]).max()))
    return worst


def test_the_kernels_planning_phase_is_that_of_the_package() -> None:
    model, p = SMALL_WHEEL.build(), {**SMALL_WHEEL.learner, "cost": 0.3, "epsilon": 0.4, "times": 1.0, "alpha0": 0.002}
    p["alpha"] = 0.02
    rng = np.random.default_rng(2)
    cost = rng.uniform(0.3, 1.0, (model.S, model.A))
    best = np.array([best_value(model, g, cost).upper for g in range(model.S)])
    tables = dict(law=np.array(model.dense()), cost=cost, best=best)
    shared: dict[str, Any] = dict(replicates=6, params=p, target="python")
    loss = Probe("loss", probes.guarantee, "end")
    curves = run(
        "gosprl-explore", model, steps=150, probes=[loss], monitor=probes.monitor_plans, tables=tables, **shared
    )
    found = curves.probes["loss"].max + p["epsilon"]
    finished = curves.final["finished"][:, 0]
    assert np.all(finished > 0) and np.any((found > 1e-3) & (found < 10.0))
    for r in np.flatnonzero(found < 1e17):
        short = run("gosprl-explore", model, steps=int(finished[r]), first=int(r), **{**shared, "replicates": 1})
        assert planning_loss(short.final["moves"][0], model, tables, p) == pytest.approx(found[r], abs=1e-6)


# Faults


@pytest.mark.parametrize("name", TASKS)
def test_every_fault_is_under_a_claim_and_in_the_table(name: str) -> None:
    under = {id(k.learner) for c in claims_of(name) for k in c.controls}
    assert not [k for k, v in planted(name).items() if id(v) not in under]
    from proofs_check.kill_matrix import mutants_of

    table = mutants_of(name).GENERIC
    assert set(table) == set(FAULTS)
    assert all(isinstance(v, Learner) or v.startswith("no field: ") for v in table.values())


@pytest.mark.long
@pytest.mark.parametrize("name", TASKS)
def test_every_fault_is_caught_by_the_claims_that_name_it(name: str) -> None:
    claims = claims_of(name)
    matrix = fault_matrix(claims, params={}, levels=Levels(), seed=0)
    missed = [
        (c.id, k.name, matrix[c.id][k.name][1]) for c in claims for k in c.controls if not matrix[c.id][k.name][0]
    ]
    assert not missed


@pytest.mark.long
@pytest.mark.parametrize("name", TASKS)
def test_nothing_is_caught_without_a_fault(name: str) -> None:
    faithful = find_learner(name, "average")
    clean = []
    for c in claims_of(name):
        places = {repr(k.instance or c.control_instance): k.instance or c.control_instance for k in c.controls}
        controls = tuple(Control(f"none {i}", faithful, at, 6) for i, at in enumerate(places.values()))
        clean.append(replace(c, controls=controls))
    matrix = fault_matrix(clean, params={}, levels=Levels(), seed=0)
    assert not {c: row for c, row in matrix.items() if any(hit for hit, _ in row.values())}


def test_one_fault_by_its_step() -> None:
    bracket = next(c for c in RUNS if c.id.endswith("diameter-bracket"))
    only = replace(bracket, controls=(Control("values of the last sweep", iterate_for_policy, NARROW, 1),))
    assert fault_matrix([only], params={}, levels=Levels(), seed=0)[only.id]["values of the last sweep"][0]


@pytest.mark.long
def test_with_the_values_of_the_last_sweep_the_estimate_may_be_below_the_diameter() -> None:
    instance = DIAMETER["standard"][0]
    final = run(iterate_for_policy, instance.build(), replicates=8, steps=40_000, params=dict(instance.learner)).final
    assert np.all(final["finished"] > 0) and final["estimate"].min() < diameter(instance.build())


# The claims on their instances


@pytest.mark.long
@pytest.mark.parametrize("name", TASKS)
def test_no_claim_is_refuted(name: str) -> None:
    """64 replicates decide every claim: a level of 0.1 is supported from 53 replicates without a violation on."""
    for found in check_many(claims_of(name), profile="standard", budget=64, run_controls=False):
        for instance in found.instances:
            assert instance.verdict in ("SUPPORTED", "NO VIOLATION FOUND"), (found.id, instance.model, instance.verdict)
