"""Linear LOOP and FOPO: claims, their controls, the constants of the derived bounds by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from proofs_check.kill_matrix import Kills, kills_of, markdown, mutants_of, planted
from proofs_check.mutants._generic import FAULTS
from proofs_check.papers import _fopo_steps, _loop_linear_steps
from proofs_check.papers._loop_linear_steps import HARD, RANDOM, SPANS
from theorylab.check import check
from theorylab.claim import Claim, Control
from theorylab.controls import fault_matrix
from theorylab.decide import Levels
from theorylab.learner import Learner
from theorylab.measure import context_of
from theorylab.plan import plan
from theorylab.registry import find_learner

STEPS: dict[str, list[Claim]] = {"loop-linear": _loop_linear_steps.CLAIMS, "fopo": _fopo_steps.CLAIMS}
NAMES = tuple(STEPS)
#: what only the repeated formulas of beta and the radius catch
COPIES_ONLY = {
    "loop-linear": {"log factor dropped", "delta dropped", "norm of omega dropped", "span to the first power"},
    "fopo": {"log factor dropped", "delta dropped", "d dropped", "sp for 2 + sp"},
}
WITH_CONTROLS = [c for claims in STEPS.values() for c in claims if c.controls]


@cache
def kills(name: str) -> Kills:
    return kills_of(name, STEPS[name])


@pytest.mark.long
@pytest.mark.parametrize("name", NAMES)
def test_every_control_is_caught(name: str) -> None:
    found = kills(name)
    assert len(found.caught) >= 20 and not found.alive and not found.named, f"{found.named}\n{markdown(found)}"
    assert set(found.by_copies_only) == COPIES_ONLY[name]


@pytest.mark.parametrize("name", NAMES)
def test_every_fault_is_under_a_claim(name: str) -> None:
    under = {id(k.learner) for c in STEPS[name] for k in c.controls}
    assert not [k for k, v in planted(name).items() if id(v) not in under]
    table = mutants_of(name).GENERIC
    assert set(table) == set(FAULTS)
    assert all(isinstance(v, Learner) or v.startswith(("no field: ", "equivalent: ")) for v in table.values())


@pytest.mark.long
@pytest.mark.parametrize("name", NAMES)
def test_without_a_fault_nothing_is_caught(name: str) -> None:
    """On the instances of all controls."""
    for place in {
        repr(i): i for c in STEPS[name] for k in c.controls if (i := k.instance or c.control_instance)
    }.values():
        faithful = Control("no fault", find_learner(name, "average"), place, replicates=8)
        claims = [replace(c, controls=(faithful,)) for c in STEPS[name] if c.controls and c.control_instance == place]
        matrix = fault_matrix(claims, params={}, levels=Levels(), seed=1)
        assert not [(c, row) for c, row in matrix.items() if row["no fault"][0]]


@pytest.mark.long
@pytest.mark.parametrize("claim", WITH_CONTROLS, ids=lambda c: c.id)
def test_every_claim_runs(claim: Claim) -> None:
    """Where its faults are planted, at a small budget; the instances of the standard profile are longer."""
    assert claim.control_instance is not None
    short = replace(claim, instances={"quick": (claim.control_instance,)}, controls=())
    found = check(short, target="python", budget=64)
    untested = ("VACUOUS",) if claim.id.endswith("increments") else ()  # no epoch of the faithful learner ends there
    assert found.verdict in ("NO VIOLATION FOUND", "SUPPORTED", "INCONCLUSIVE", *untested), found


def test_the_models_are_what_they_say() -> None:
    for model, gain, span in ((HARD, 0.625, 1.25), (RANDOM, None, None)):
        found = plan(model.tabular())
        assert found.bias is not None and found.gain is not None
        sp = float(np.ptp(found.bias))
        assert sp <= SPANS[model.name] * (1 + 1e-9)
        if gain is not None:
            assert float(np.max(found.gain)) == pytest.approx(gain, abs=1e-9) and sp == pytest.approx(span, abs=1e-9)


def test_the_truth_solves_its_equation() -> None:
    """phi^T star = r + P V* - gain, and |star| is within W."""
    for model in (HARD, RANDOM):
        c = context_of(find_learner("loop-linear"), model, 1000, {"span": SPANS[model.name]})
        star, V, kappa = _loop_linear_steps.truth(c)
        Q = np.asarray(model.phi) @ star
        assert np.abs(Q - model.r - np.asarray(model.P) @ V + float(c.gain)).max() < 1e-9
        assert np.abs(Q.max(axis=1) - V).max() < 1e-8 and np.linalg.norm(star) <= c.W
        assert np.abs(np.asarray(model.phi) @ kappa - 1.0).max() < 1e-12


def test_constants_by_hand() -> None:
    c = context_of(find_learner("loop-linear"), HARD, 20_000, {"span": 1.25, "delta": 0.2, "ridge": 0.01})
    W, L, T = 2.625 * math.sqrt(3), 1.0, 20_000
    kappa = math.sqrt(1.2 + 1.0)  # (1/x, 0, 1), x^2 = 1/1.2
    W_e = W + kappa + 1.625 * math.sqrt(3)
    D = 1.5 * math.log(1 + T / 0.03)
    conc = 1.25 * math.sqrt((D + 3 * math.log(1 + 4 * W * L * T / 1.25) + math.log(5)) / 2) + 2.5 / math.sqrt(T)
    assert c.beta == pytest.approx(9 * (0.1 * (W + W_e) + conc) ** 2, rel=1e-9)
    assert _loop_linear_steps.conc(c) == pytest.approx(conc, rel=1e-9)
    assert _loop_linear_steps.residual_norm(c) <= W_e + 0.2
    assert _loop_linear_steps.least_increment(c) >= 0.95 * c.beta
    assert _loop_linear_steps.coverage_level(c) < 1e-12
    f = context_of(find_learner("fopo"), HARD, 20_000, {"span": 1.25, "delta": 0.2, "scale": 0.02})
    assert math.sqrt(f.beta) == pytest.approx(0.02 * 20 * 3.25 * 3 * math.sqrt(math.log(1e5)), rel=1e-9)
    assert f.W == pytest.approx(3.25 * math.sqrt(3), rel=1e-12)


def test_levels_say_nothing_where_the_truth_is_out_of_the_class() -> None:
    spec = find_learner("loop-linear")
    low = context_of(spec, HARD, 1000, {"span": 1.0, "form": 1})
    assert _loop_linear_steps.optimism_level(low) == 1.0
    small = context_of(spec, HARD, 1000, {"span": 1.25, "beta": 1e-3})
    assert _loop_linear_steps.coverage_level(small) == 1.0
