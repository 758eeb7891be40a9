"""wei2020 and abbasi2019: bounds and levels by hand, assumptions, the event of the levels by simulation, faults."""

from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from mdps.models.garnet import family as garnet
from mdps.models.jump_riverswim import family as jump
from mdps.models.riverswim import family as riverswim
from mdps.models.two_state import family as two_state
from mdps.models.wheel import family as wheel
from proofs_check.kill_matrix import mutants_of, planted
from proofs_check.mutants._generic import FAULTS
from proofs_check.papers import _model_free_lemmas as lemmas
from proofs_check.papers import (
    _oomd_probes,
    _oomd_steps,
    _optimistic_q_probes,
    _optimistic_q_steps,
    _politex_probes,
    abbasi2019,
    wei2020,
)
from tests.proofs.kills import CHECKS
from theorylab import AverageReward, TabularMDP
from theorylab.check import check_many
from theorylab.claim import Claim, Context, Instance
from theorylab.claim_conformance import claim_conformance
from theorylab.evidence import POSITIVE
from theorylab.learner import Learner
from theorylab.lemma import Lemma, search, verify_identity
from theorylab.measure import context_of
from theorylab.plan import bias_span, evaluate, mixing_time, stationary_distribution
from theorylab.registry import find_learner
from theorylab.run import run

ALL = [*wei2020.claims, *abbasi2019.claims]
NAMES = ("optimistic-q", "mdp-oomd", "politex")
ON_RUNS = [c for c in ALL if c.scope == "run"]


def at(instance: Instance, name: str) -> Context:
    return context_of(find_learner(name), instance.build(), instance.length, dict(instance.learner))


def context(name: str, length: int, **params: float) -> Context:
    return at(Instance("two-state", length, {"slip": 0.1}, params), name)


# Claims


@pytest.mark.parametrize("claim", ALL, ids=lambda c: c.id)
def test_claims_are_complete(claim: Claim) -> None:
    failed = [o for o in claim_conformance(claim, beside=ALL) if not o.ok and o.name != "controls"]
    assert not failed, failed
    if claim.scope == "run":
        assert set(claim.instances) == {"standard"}
        assert claim.controls or claim.constants == "unspecified"


@pytest.mark.parametrize("name", NAMES)
def test_faults_are_listed_and_under_a_claim(name: str) -> None:
    table = mutants_of(name).GENERIC
    assert set(table) == set(FAULTS)
    reasons = [v for v in table.values() if not isinstance(v, Learner)]
    assert all(v.startswith(("no field: ", "equivalent: ")) and len(v) > 20 for v in reasons)
    under = {id(k.learner) for c in ON_RUNS if c.learner == name for k in c.controls}
    assert {id(v) for v in planted(name).values()} <= under


@pytest.mark.long
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("check", CHECKS, ids=lambda c: c.__name__)
def test_faults_and_claims(check: object, name: str) -> None:
    assert callable(check)
    check(name)


@pytest.mark.long
@pytest.mark.parametrize("name", NAMES)
def test_the_steps_hold(name: str) -> None:
    """At a budget that decides most: a level of 0.05 takes 109 replicates without a violation, more with some."""
    for found in check_many([c for c in ON_RUNS if c.learner == name], profile="standard", budget=128):
        assert found.verdict in (*POSITIVE, "INCONCLUSIVE"), (
            found.id,
            found.verdict,
            [(i.model, i.verdict) for i in found.instances],
        )
        assert all(c.ok for c in found.controls), [(c.name, c.observed) for c in found.controls if not c.ok]


# Lemmas


@pytest.mark.long
@pytest.mark.parametrize("lemma", [lemmas.CLOSENESS, lemmas.TRUNCATION], ids=lambda x: x.name)
def test_lemmas(lemma: Lemma) -> None:
    assert search(lemma, 64).verdict == "NO VIOLATION FOUND"
    for twin in lemma.twins:
        assert search(lemma, 256, twin=twin).verdict == "REFUTED", twin


def test_the_decomposition_is_an_identity() -> None:
    assert verify_identity(lemmas.DECOMPOSITION, points=2, seed=1).verdict == "IDENTITY HOLDS"
    for twin in lemmas.DECOMPOSITION.twins:
        assert verify_identity(lemmas.DECOMPOSITION, points=1, twin=twin).verdict == "REFUTED", twin


def test_weights_of_real_horizons() -> None:
    rng = np.random.Generator(np.random.Philox(key=0))
    assert lemmas.rates(rng)[0] < 1e-12 < 0.1 < lemmas.false_rates(rng)[0]


def test_discounted_values_by_hand() -> None:
    """The switch without slip at gamma = .8: V* = 5 where 1 is earned for ever, 4 beside it; gain 1, span 1."""
    tables = _optimistic_q_probes.tables(at(_optimistic_q_steps.SURE, "optimistic-q"))
    assert tables["V_disc"] == pytest.approx([4.0, 5.0], abs=1e-9) and tables["H0"] == pytest.approx(5.0)
    assert tables["Q_disc"] == pytest.approx(np.array([[3.2, 4.0], [5.0, 3.2]]), abs=1e-9)


# Bounds and levels


def test_shapes_by_hand() -> None:
    n = np.array([1000.0])
    assert _optimistic_q_steps.shape(context("optimistic-q", 9, span=2.0), n) == pytest.approx(2 * 4 ** (1 / 3) * 100)
    c = context("mdp-oomd", 9, t_mix=3.0, t_hit=5.0, N=2, B=4)
    assert _oomd_steps.shape(c, n) == pytest.approx(math.sqrt(27 * 5 * 2 * 1000))
    assert abbasi2019.shape(context("politex", 9), n) == pytest.approx(1000**0.75)


def test_the_level_of_optimism_by_hand() -> None:
    # slip .1, gamma .75: V*(1) - V*(0) = 1, so D = .75; L = ln(2 * 1000 / .1)
    c = context("optimistic-q", 1000, span=0.5, scale=0.5, gamma=0.75)
    by_hand = 2 * 2 * 1000 * (0.1 / 2000) ** (16 * 0.25 * 0.25 / 0.75**2)
    assert _optimistic_q_probes.union(c, 1.0) == pytest.approx(by_hand, rel=1e-6)
    coins = at(
        Instance("two-state", 1000, {"slip": 0.1, "rewards": "bernoulli"}, {"span": 0.5, "scale": 0.5, "gamma": 0.75}),
        "optimistic-q",
    )
    assert _optimistic_q_probes.union(coins, 1.0) == 1.0


def test_lengths_and_logarithm_of_the_blocks_by_hand() -> None:
    c = context("mdp-oomd", 1000, N=4, B=100, spacing=2)
    tables = _oomd_probes.tables(c)
    assert (tables["N0"], tables["B0"], tables["groups"]) == (4, 100, 2)
    assert tables["L"] == pytest.approx(math.log(2 * 2 * 2 * 10 * (50 + 2) / 0.05))
    assert tables["drift"] == pytest.approx(math.sqrt(500 * math.log(40)))
    given = _oomd_probes.tables(context("mdp-oomd", 1000, t_mix=0.3, t_hit=0.7))
    assert given["N0"] == math.ceil(1.2 * math.log2(1000)) == 12
    assert given["B0"] == math.ceil(16 * 12 * 0.7 * math.log2(1000))


def test_times_of_the_final_instances() -> None:
    """Largest mixing time and inverse stationary probability over the deterministic policies of the switch."""
    model = two_state(slip=0.1)
    policies = [np.array([a, b]) for a in (0, 1) for b in (0, 1)]
    assert max(mixing_time(model, pi) for pi in policies) == 4
    assert max((1 / stationary_distribution(model, pi)).max() for pi in policies) == pytest.approx(10.0)
    assert bias_span(jump()) <= 3.22


# Assumptions


@pytest.mark.parametrize(
    ("model", "holds"),
    [
        (jump(), True),
        (two_state(slip=0.1), True),
        (garnet(S=3, A=3, b=3, seed=2), True),
        (two_state(), False),  # two states that keep themselves
        (riverswim(states=3), False),  # left for ever
        (wheel(states=3), False),
    ],
    ids=lambda x: getattr(x, "name", str(x)),
)
def test_ergodic(model: TabularMDP, holds: bool) -> None:
    assert (_oomd_probes.ergodic(model) is None) is holds


def test_a_period_is_named() -> None:
    P = np.zeros((2, 2, 2))
    P[0, :, 1] = P[1, :, 0] = 1.0
    model = TabularMDP(P=P, r=np.zeros((2, 2)), criterion=AverageReward(), name="there and back")
    assert "has period 2" in str(_oomd_probes.ergodic(model))
    P[0, 0] = [0.5, 0.5]
    assert "the policy (1, 0) has period 2" in str(_oomd_probes.ergodic(replace(model, P=P)))
    P[0, 1] = [0.5, 0.5]
    assert _oomd_probes.ergodic(replace(model, P=P)) is None


# Probes against arrays


def test_gain_and_bias_of_the_monitor() -> None:
    model = garnet(S=4, A=3, b=4, seed=1)
    policy = np.random.default_rng(0).dirichlet(np.ones(3), 4)
    p = SimpleNamespace(S=4, A=3)
    zeros = {"h": np.zeros(4), "times": np.zeros(4), "left": np.zeros((4, 4)), "g": np.zeros(1)}
    tr = SimpleNamespace(played=policy, P=model.dense(), r_mean=model.r.ravel(), **zeros)
    _politex_probes.truth.build("python")(p, tr)
    exact = evaluate(model, policy)
    assert exact.bias is not None
    assert tr.g[0] == pytest.approx(exact.gain, abs=1e-10)
    assert tr.h - tr.h.min() == pytest.approx(exact.bias - exact.bias.min(), abs=1e-9)


def test_expected_returns_of_the_monitor() -> None:
    model = garnet(S=3, A=2, b=3, seed=2)
    policy = np.random.default_rng(1).dirichlet(np.ones(2), 3)
    tr = SimpleNamespace(
        played=policy, P=model.dense(), r_mean=model.r.ravel(), N0=4.0, value=np.zeros(3), wanted=np.zeros((3, 2))
    )
    _oomd_probes.expected.build("python")(SimpleNamespace(S=3, A=2), tr)
    chain, reward = np.einsum("sa,sax->sx", policy, model.dense()), (policy * model.r).sum(axis=1)
    ahead = sum(np.linalg.matrix_power(chain, k) @ reward for k in range(3))
    assert tr.wanted == pytest.approx(model.r + model.dense() @ ahead, abs=1e-12)


# What theory's constants do


def test_the_first_value_to_move_does_so_at_a_visit_known_beforehand() -> None:
    """All values stay at H until (1 - gamma) H - r = 1 - r exceeds sum_i a_n^i b_i at the pair of action 0 that stays.

    Its rewards and the values seen are constants, so that the visit does not depend on the draws.
    """
    params = {"span": 0.2, "gamma": 0.75}
    c = at(Instance("jump-riverswim", 55, {"states": 3}, params), "optimistic-q")
    n, mean = 0, 1.0
    while mean >= 1.0 - 0.2:
        n += 1
        rate = (c.H + 1) / (c.H + n)
        mean = (1 - rate) * mean + rate * c.c * math.sqrt(c.H / n)
    curves = run("optimistic-q", jump(states=3), replicates=2, steps=55, params=params, target="python")
    assert 30 < n < 50
    for N, Qhat in zip(curves.final["N"], curves.final["Qhat"], strict=True):
        assert N[0, 0] == n and N[0, 1] > 0 and Qhat[0, 0] < c.H


@pytest.mark.long
def test_regret_on_jump_riverswim() -> None:
    """16 replicates, T = 1e5: means of the table of average-reward-baselines.md, within 4 standard errors."""
    rows: list[tuple[str, dict[str, float], float, float]] = [
        ("optimistic-q", {"span": 3.22}, 4968, 1),
        ("optimistic-q", {"span": 3.22, "scale": 0.01}, 708, 28),
        ("mdp-oomd", {"N": 10, "B": 30}, 7181, 51),
        ("politex", {}, 2738, 124),
    ]
    for name, params, mean, error in rows:
        found = run(name, jump(), replicates=16, steps=100_000, params=params, checkpoints=[100_000], seed=2)
        x = found["regret"][:, -1]
        assert abs(x.mean() - mean) <= 4 * math.hypot(error, x.std(ddof=1) / 4), (name, params, x.mean())
