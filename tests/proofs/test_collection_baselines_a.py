"""0/1-UCRL and R-MAX for collection: transcriptions, faults, steps, the reference table, and R-MAX's lock-in."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from mdps.models.garnet import family as garnet
from mdps.models.riverswim import family as riverswim
from mdps.models.star import family as star
from mdps.models.wheel import family as wheel
from proofs_check.kill_matrix import Kills, kills_of, markdown, mutants_of, planted
from proofs_check.mutants._generic import FAULTS
from proofs_check.papers import _r_max_steps, _zero_one_ucrl_steps
from tests.differential._baselines_a import CASES, FAULT_CASES, compare
from theorylab.check import check_many
from theorylab.claim import Claim, Control
from theorylab.claim_conformance import claim_conformance
from theorylab.controls import fault_matrix
from theorylab.decide import Levels
from theorylab.errors import InputError
from theorylab.evidence import POSITIVE
from theorylab.learner import Learner
from theorylab.plan.average_reward import average_reward
from theorylab.registry import find_learner, find_model
from theorylab.run import run

STEPS: dict[str, list[Claim]] = {
    "zero-one-ucrl": _zero_one_ucrl_steps.CLAIMS,
    "r-max-collection": _r_max_steps.CLAIMS,
}
NAMES = tuple(STEPS)
#: what only the repeated formula of the boxes catches
COPIES_ONLY = {
    "zero-one-ucrl": {
        "log factor dropped", "delta left out", "variance outside the root", "horizon in the logarithm",
        "visits plus one", "negative lower ends", "boxes of the first episode",
    },
    "r-max-collection": set(),
}  # fmt: skip
STAR = find_model("star")()


# Transcriptions


@pytest.mark.parametrize("name", NAMES)
def test_transcription(name: str) -> None:
    for model, steps, params in CASES[name][:3]:
        assert compare(find_learner(name), model, steps, params) is None


@pytest.mark.long
@pytest.mark.parametrize("name", NAMES)
def test_transcription_at_length(name: str) -> None:
    for model, steps, params in CASES[name]:
        for replicate in range(2):
            assert compare(find_learner(name), model, 2 * steps, params, replicate) is None, (model.name, params)


@pytest.mark.long
@pytest.mark.parametrize("name", NAMES)
def test_every_fault_shows(name: str) -> None:
    for fault, mutant in planted(name).items():
        found = [compare(mutant, m, n, params) for m, n, params in FAULT_CASES[name]]
        assert any(found), fault


# What is refused, and what nothing is asked of


@pytest.mark.parametrize(
    ("name", "params", "word"),
    [
        ("zero-one-ucrl", {"samples": -1}, "samples=-1"),
        ("r-max-collection", {"b": [[1, 0, 0], [0, -2, 0], [0, 0, 0], [0, 0, 0]]}, r"b\[1, 1\] = -2"),
        ("zero-one-ucrl", {"alpha": -0.1}, "alpha=-0.1"),
        ("zero-one-ucrl", {"tau": 0.0}, "tau=0.0"),
        ("r-max-collection", {"gamma": 1.0}, "gamma=1.0"),
        ("r-max-collection", {"gamma": 0.0}, "gamma=0.0"),
        ("r-max-collection", {"precision": 0.0}, "precision=0.0"),
    ],
)
def test_what_is_refused(name: str, params: dict[str, Any], word: str) -> None:
    with pytest.raises(InputError, match=word):
        run(name, STAR, steps=5, target="python", params=params)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_asked_is_complete_before_the_first_step(name: str) -> None:
    final = run(name, STAR, steps=5, target="python", params={"samples": 0}).final
    assert final["finished"].tolist() == [[0]]
    assert final["N"].sum() == final["N"][0, :, 0].sum() == 5


def test_one_state_by_hand() -> None:
    """One state, two actions, b = (3, 2): five steps, each action in turn as it lasts."""
    room = garnet(S=1, A=2, b=1, seed=0)
    for name in NAMES:
        curves = run(name, room, steps=8, target="python", params={"b": [[3, 2]]})
        assert curves.final["finished"].tolist() == [[5]]
        assert curves.final["N"].tolist() == [[[6, 2]]]  # then action 0


# Steps


@cache
def kills(name: str) -> Kills:
    return kills_of(name, STEPS[name])


@pytest.mark.parametrize("name", NAMES)
def test_faults_are_listed_and_under_a_claim(name: str) -> None:
    table = mutants_of(name).GENERIC
    assert set(table) == set(FAULTS)
    reasons = [v for v in table.values() if not isinstance(v, Learner)]
    assert all(v.startswith(("no field: ", "equivalent: ")) and len(v) > 20 for v in reasons)
    under = {id(k.learner) for c in STEPS[name] for k in c.controls}
    assert {id(v) for v in planted(name).values()} <= under


@pytest.mark.parametrize("name", NAMES)
def test_claims_are_complete(name: str) -> None:
    for claim in STEPS[name]:
        failed = [o for o in claim_conformance(claim, beside=STEPS[name]) if not o.ok]
        assert not failed, (claim.id, failed)
        assert set(claim.instances) == {"standard"}


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_every_fault_is_caught(name: str) -> None:
    found = kills(name)
    assert not found.alive and not found.named, markdown(found)
    assert set(found.by_copies_only) == COPIES_ONLY[name], markdown(found)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_the_faithful_learner_is_not_caught(name: str) -> None:
    none = (Control("no fault", find_learner(name), replicates=8),)
    matrix = fault_matrix([replace(c, controls=none) for c in STEPS[name]], params={}, levels=Levels(), seed=0)
    assert not {c: row for c, row in matrix.items() if any(hit for hit, _ in row.values())}


@pytest.mark.long
@pytest.mark.parametrize("name", NAMES)
def test_the_steps_hold(name: str) -> None:
    for found in check_many(STEPS[name], profile="standard", budget=64):
        assert found.verdict in POSITIVE, (found.id, found.verdict, [(i.model, i.verdict) for i in found.instances])
        assert all(c.ok for c in found.controls), [(c.name, c.observed) for c in found.controls if not c.ok]


# Tables


@pytest.mark.parametrize("model", [riverswim(states=3), star(p=(0.5, 0.25)), garnet(S=3, A=3, b=2, seed=2)])
def test_the_optimal_gain_is_the_largest_share(model: Any) -> None:
    shares = _zero_one_ucrl_steps.shares(model.dense())
    assert shares.sum(axis=1) == pytest.approx(np.ones(len(shares)), abs=1e-10)
    rng = np.random.default_rng(1)
    for _ in range(4):
        r = rng.integers(0, 2, (model.S, model.A)).astype(float)
        planned = average_reward(replace(model, r=r))
        assert float(np.max(shares @ r.ravel())) == pytest.approx(planned.gain, abs=1e-8)


def test_policies_are_few() -> None:
    assert _zero_one_ucrl_steps.few_policies(riverswim(states=6)) is None
    assert "4096" in str(_zero_one_ucrl_steps.few_policies(find_model("corridor")()))


# Reference runs of the notes, section 6.3: 0/1-UCRL on TREASURE-10, mean steps (standard error)

WHEEL = wheel()
MODELS = {
    "riverswim": riverswim(),
    "riverswim-12": riverswim(states=12),
    "noisy": find_model("noisy-riverswim")(),
    "wheel": replace(WHEEL, P=np.concatenate([WHEEL.dense()[:1, [4, 0, 1, 2, 3]], WHEEL.dense()[1:]])),  # spin first
    "corridor": find_model("corridor")(),
    "four-rooms": find_model("four-rooms")(),
    "star": STAR,
}
TABLE: dict[float, dict[str, tuple[float, float]]] = {
    0.1: {
        "riverswim": (394, 12), "riverswim-12": (1563, 64), "noisy": (705, 21), "wheel": (304, 3),
        "corridor": (1194, 23), "four-rooms": (3994, 151), "star": (891, 34),
    },
    1.0: {
        "riverswim": (3101, 114), "riverswim-12": (14658, 637), "noisy": (2536, 90), "wheel": (303, 1),
        "corridor": (9705, 717), "four-rooms": (45868, 1273), "star": (1533, 116),
    },
}  # fmt: skip
LONG = {("corridor", 0.1), ("corridor", 1.0), ("four-rooms", 0.1), ("four-rooms", 1.0), ("riverswim-12", 1.0)}
ROWS = [
    pytest.param(a, m, *v, marks=pytest.mark.long if (m, a) in LONG else pytest.mark.slow)
    for a, row in TABLE.items()
    for m, v in row.items()
]


@pytest.mark.parametrize(("alpha", "model", "mean", "error"), ROWS)
def test_reference_table(alpha: float, model: str, mean: float, error: float) -> None:
    """Fresh seeds: a difference of 3 combined standard errors has probability .003 in a cell, .04 in all."""
    steps = int(6 * mean) + 2000
    params = {"samples": 10, "alpha": alpha}
    curves = run("zero-one-ucrl", MODELS[model], replicates=200, steps=steps, params=params, checkpoints=[steps])
    finished = curves.final["finished"][:, 0].astype(float)
    assert finished.min() > 0
    spread = math.hypot(error, finished.std(ddof=1) / math.sqrt(200))
    assert abs(finished.mean() - mean) <= 3 * spread, (finished.mean(), spread)


# R-MAX's lock-in


@pytest.mark.long
@pytest.mark.parametrize(("p", "m"), [((0.5, 0.25, 0.1), 10), ((0.5, 0.25, 0.1), 3), ((0.5, 0.25), 2)])
def test_r_max_is_stuck_where_a_leaf_was_missed(p: tuple[float, ...], m: int) -> None:
    """Stuck exactly when a leaf was missed in all m tries of its action; that of action 0, played when all values are
    0, is found at last. Four standard errors: wrong once in 16000 cells."""
    n, chance = 2000, 1 - math.prod(1 - (1 - q) ** m for q in p[1:])
    curves = run("r-max-collection", star(p=p), replicates=n, steps=2000, params={"samples": m}, checkpoints=[2000])
    stuck = curves.final["finished"][:, 0] < 0
    assert abs(stuck.mean() - chance) <= 4 * math.sqrt(chance * (1 - chance) / n)
    assert np.all(curves.final["v_next"][stuck, 0] == 0.0)  # from the centre nothing is left to hope for
    assert np.all(curves.final["missing"][stuck] > 0)


@pytest.mark.slow
def test_sure_moves_never_lock_r_max_in() -> None:
    corridor = find_model("corridor")(slip=0.0)
    curves = run("r-max-collection", corridor, replicates=2, steps=1500, params={"samples": 10}, checkpoints=[1500])
    assert np.all(curves.final["finished"] >= 960)  # the bound of the linear program
