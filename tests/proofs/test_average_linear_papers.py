"""Bounds and levels of wu2022, hong2025, wei2021 and LOOP-EVI by hand; their faults (long); the closed form."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest

from mdps.models.mixture_two_state import family as mixture_two_state
from mdps.models.riverswim import family as riverswim
from proofs_check.kill_matrix import kills_of, markdown, planted
from proofs_check.papers import _loop_evi_steps as evi
from proofs_check.papers import _olsvi_steps as olsvi
from proofs_check.papers import hong2025, wu2022
from theorylab.check import check
from theorylab.claim import Claim, Context, Control
from theorylab.controls import fault_matrix
from theorylab.decide import Levels
from theorylab.measure import context_of
from theorylab.plan import plan
from theorylab.registry import find_learner
from theorylab.simulation import Simulation

HARD = mixture_two_state(d=3)
CLAIMS: dict[str, list[Claim]] = {
    "ucrl2-vtr": wu2022.claims,
    "loop-evi": evi.CLAIMS,
    "lscvi-ucb": [c for c in hong2025.claims if c.learner == "lscvi-ucb"],
    "ucb-cvi": [c for c in hong2025.claims if c.learner == "ucb-cvi"],
    "olsvi-fh": olsvi.CLAIMS,
}
RUNS = [c for claims in CLAIMS.values() for c in claims if c.scope == "run"]
WITH_CONTROLS = [c for c in RUNS if c.controls]


def context(learner: str, model: Any, n: int, **params: Any) -> Context:
    return context_of(find_learner(learner), model, n, params)


def at(function: Any, c: Context, n: float) -> float:
    return float(function(c, np.array([float(n)]))[0])


def golden(name: str, given: dict[str, Any], t: int) -> tuple[Any, Any]:
    """State and parameters after one plan at time t."""
    run = Simulation(find_learner(name), HARD, replicates=1, length=100, params=given, target="python")
    st = run.bind["VIEW"].build("python")(tuple(run.state.values()), 0)
    p = run.bind["PARAMS"].build("python")(tuple(run.params.values()))
    run.learner.begin.build("python")(st, p)
    assert run.learner.plan is not None
    assert run.learner.plan.build("python")(st, p, t, 0, None)
    return st, p


def test_radii_by_hand_through_the_kernels() -> None:
    given = {"diameter": 5.0, "B": 2.0, "delta": 0.1}
    st, p = golden("ucrl2-vtr", given, 99)
    assert p.lam == 0.25 and p.span == 5.0 and p.precision == 0.1
    assert st.radius[0] == pytest.approx(5 * math.sqrt(3 * math.log((0.25 + 2500) / 0.025)) + 1, rel=1e-12)
    st, _ = golden("ucrl2-vtr", {**given, "form": 1}, 99)
    ell = math.log(4 * 100**2 / 0.1)
    by_hand = 8 * math.sqrt(3 * math.log(401) * ell) + 4 * math.sqrt(3) * ell + 1
    assert st.radius[0] == pytest.approx(by_hand, rel=1e-12)
    st, _ = golden("loop-evi", {"span": 2.0, "B": 1.5, "lam": 4.0, "delta": 0.1}, 5)
    by_hand = 3 + 2 * math.sqrt((1.5 * math.log(1 + 100 * 4 / 12) + math.log(10)) / 2)
    assert st.radius[0] == pytest.approx(by_hand, rel=1e-12)


def test_without_data_the_best_state_is_certain() -> None:
    """A wide ellipsoid and the clip: every pair leads to the best state, so that L u = r + max u."""
    st, p = golden("ucrl2-vtr", {"diameter": 5.0, "B": 2.0}, 0)
    assert st.Q == pytest.approx(p.r + st.u.max(), abs=1e-12) and st.u[1] - st.u[0] == pytest.approx(1.0, abs=0.1)
    assert st.w.max() == pytest.approx(-st.w.min()) and st.w.max() > 0.4


def test_explicit_bounds_by_hand() -> None:
    c = context("ucrl2-vtr", HARD, 400, diameter=5.0, B=2.0, delta=0.1)
    L = 3 * math.log(1 + 100 * 25 / (3 * 0.25))
    radius = 5 * math.sqrt(3 * math.log((0.25 + 2500) / 0.025)) + 1
    noise = 5 * math.sqrt(400 * math.log(10) / 2)
    by_hand = 2 * math.sqrt(2) * radius * math.sqrt(200 * L) + 5 * (1 + L / math.log(2)) + noise + 100 / 20
    assert at(wu2022.explicit, c, 100) == pytest.approx(by_hand, rel=1e-12)
    assert at(wu2022.shape_hoeffding, c, 100) == 150.0
    assert at(wu2022.shape_bernstein, c, 100) == pytest.approx(3 * math.sqrt(500))
    c = context("loop-evi", HARD, 400, span=2.2, B=1.5, lam=4.0, delta=0.1)
    L = 3 * math.log(1 + 100 * 4.84 / 12)
    radius = 3 + 2.2 * math.sqrt((1.5 * math.log(1 + 400 * 4.84 / 12) + math.log(10)) / 2)
    noise = 2.2 * math.sqrt(400 * math.log(10) / 2)
    by_hand = 2 * math.sqrt(2) * radius * math.sqrt(200 * L) + 2.2 * (1 + L / math.log(2)) + noise + 5
    assert at(evi.explicit, c, 100) == pytest.approx(by_hand, rel=1e-12)


def test_orders_by_hand() -> None:
    c = context("olsvi-fh", olsvi.FEW, 400, span=0.5)
    assert at(olsvi.shape, c, 200) == pytest.approx(math.sqrt(0.5) * 400**0.75 + 200 ** (2 / 3))
    c = context("lscvi-ucb", hong2025.FEW, 400, span=0.5)
    assert at(hong2025.linear_shape, c, 100) == pytest.approx(0.5 * math.sqrt(800 * math.log(2 * 400 / 0.1)))
    c = context("ucb-cvi", riverswim(states=3), 400, span=0.5)
    assert at(hong2025.tabular_shape, c, 100) == pytest.approx(1.5 * math.sqrt(200))


def test_levels_say_something_where_claims_run_and_nothing_outside_of_the_theory() -> None:
    for claim in RUNS:
        if claim.quantity == "regret" or not hasattr(claim.kind, "level"):
            continue
        for instance in (*claim.on("standard"), claim.control_instance):
            assert instance is not None
            c = context_of(find_learner(claim.learner), instance.build(), instance.length, dict(instance.learner))
            assert claim.kind.level(c) < 0.5, (claim.id, instance)
    good: dict[str, Any] = {"diameter": 2.2, "B": 2.2, "delta": 0.1, "scale": 0.5}
    level = wu2022.confidence_level
    assert level(context("ucrl2-vtr", HARD, 10, **good)) == pytest.approx(0.1**1.5)
    for wrong in ({"diameter": 2.1}, {"B": 1.0}, {"scale": 0.4}, {"form": 1}):
        assert level(context("ucrl2-vtr", HARD, 10, **{**good, **wrong})) == 1.0
    good = {"span": 2.2, "B": 1.07, "delta": 0.1}
    assert evi.confidence_level(context("loop-evi", HARD, 10, **good)) == 0.1
    for wrong in ({"span": 2.1}, {"B": 1.0}, {"scale": 0.9}):
        assert evi.confidence_level(context("loop-evi", HARD, 10, **{**good, **wrong})) == 1.0
    assert hong2025.tabular_level(context("ucb-cvi", riverswim(states=3), 10, span=4.0, gamma=0.5)) == 1.0


def test_discounted_values_of_a_model_by_hand() -> None:
    P = np.array([[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]]])  # stay or move
    found = hong2025.discounted(P, np.array([[0.0, 0.0], [1.0, 0.0]]), 0.9)
    assert found == pytest.approx(np.array([[8.1, 9.0], [10.0, 8.1]]))


def test_the_range_and_the_clip_are_what_keep_optimism_from_the_moon() -> None:
    """Without them the first sweeps of UCRL2-VTR are worth radius |X|, far above any law's average."""
    given = {"diameter": 2.2, "B": 1.07}
    for learner, above in (
        (find_learner("ucrl2-vtr"), False),
        (planted("ucrl2-vtr")["clipping_off"], True),
    ):
        run = Simulation(learner, HARD, replicates=1, length=30, params=given, target="python").advance()
        assert bool(run.state["Q"][0].max() - 1.0 > run.state["u"][0].max() + 1e-9) is above


def test_the_hard_family_is_that_of_the_notes() -> None:
    solved = plan(HARD.tabular())
    assert solved.bias is not None
    assert solved.gain == pytest.approx(4 / 7) and np.ptp(solved.bias) == pytest.approx(15 / 7)


@pytest.mark.parametrize(
    ("lemma", "twin"),
    [
        (hong2025.discounted_excess, hong2025.false_discounted_excess),
        (olsvi.horizon_excess, olsvi.false_horizon_excess),
    ],
    ids=["discounted", "finite-horizon"],
)
def test_lemmas_hold_and_their_false_twins_do_not(lemma: Any, twin: Any) -> None:
    assert lemma(np.random.default_rng(0))[0] <= 0.0
    assert twin(np.random.default_rng(0))[0] > 0.01


@pytest.mark.long
@pytest.mark.parametrize("name", CLAIMS)
def test_every_control_is_caught(name: str) -> None:
    found = kills_of(name, [c for c in CLAIMS[name] if c.scope == "run"])
    assert not found.alive and not found.named, f"{found.alive}, {found.named}\n{markdown(found)}"
    under = {id(k.learner) for c in CLAIMS[name] for k in c.controls}
    assert not [k for k, v in planted(name).items() if id(v) not in under]


@pytest.mark.long
@pytest.mark.parametrize("claim", WITH_CONTROLS, ids=lambda c: c.id)
def test_without_a_fault_nothing_is_caught(claim: Claim) -> None:
    faithful = find_learner(claim.learner, "average")
    plain = dataclasses.replace(claim, controls=(Control("no fault", faithful, replicates=4),))
    hit, detail = fault_matrix([plain], params={}, levels=Levels(), seed=1)[claim.id]["no fault"]
    assert not hit, detail


@pytest.mark.long
@pytest.mark.parametrize("claim", WITH_CONTROLS, ids=lambda c: c.id)
def test_every_claim_runs(claim: Claim) -> None:
    """Where its faults are planted, at a small budget; the instances of the standard profile are longer."""
    place = wu2022.MANY if claim.id.rpartition(".")[2] in wu2022.OWN else claim.control_instance
    assert place is not None
    found = check(dataclasses.replace(claim, instances={"quick": (place,)}), target="python", budget=16)
    assert found.verdict in ("NO VIOLATION FOUND", "SUPPORTED", "INCONCLUSIVE"), found
