"""MaxEnt's claims: tables and probes by hand, the sign of the gradient, the lemma on noise; checks in the long tier."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest

from proofs_check.kill_matrix import kills_of
from proofs_check.papers import _max_ent_probes as probes
from proofs_check.papers import tarbouriech2020 as paper
from theorylab.check import check
from theorylab.claim import Claim
from theorylab.measure import context_of
from theorylab.registry import find_learner, find_model

WHEEL = find_model("wheel")()


def test_the_tables_and_the_level_by_hand() -> None:
    c = context_of(find_learner("max-ent"), WHEEL, 100, {"delta": 0.2})
    assert paper.level(c) == 0.2
    tables = paper.tables(c)
    assert tables["V"][:, 4] == pytest.approx(np.full(5, math.sqrt(3 / 5)))  # four outcomes of 1/4
    assert tables["V"][:, :4].tolist() == np.zeros((5, 4)).tolist()


def test_mu_and_Q_from_the_length() -> None:
    values = find_learner("max-ent").parameters({}, {"S": 5, "A": 5, "T": 1000})
    assert values["mu"] == pytest.approx(1 / (10 * 5 ** (2 / 3))) and values["Q"] == pytest.approx(
        2 * math.log(10 * 5 ** (2 / 3))
    )
    few = find_learner("max-ent").parameters({}, {"S": 5, "A": 5, "T": 1})
    assert few["mu"] == pytest.approx(1 / math.e - 1 / 25)


def test_the_gradient_can_be_negative_although_mu_is_small() -> None:
    """The notes say it is not for mu <= 1/e - 1/(SA); at lam = 1/2 and mu = 0.01 it is log(0.51) + 0.98 > 0."""
    rate = probes.slope.build("python")
    p, st = SimpleNamespace(mu=0.01), SimpleNamespace(w=np.ones((1, 1)))
    assert (
        rate(st, p, None, 0, 0, 0.5) == pytest.approx(-(math.log(0.51) + 0.5 / 0.51))
        and rate(st, p, None, 0, 0, 0.5) < 0
    )
    edge = 1 / math.e - 0.01
    assert rate(st, p, None, 0, 0, edge) == pytest.approx(1 - edge * math.e) and edge * math.e < 1


def test_the_bound_of_the_error_by_hand() -> None:
    """Two states, one action, 4 visits each: p_hat = (1, 0) and (1/2, 1/2) against p = (1/2, 1/2), errors 1 and 0."""
    st = SimpleNamespace(moves=np.array([[[4, 0]], [[2, 2]]]), N=np.array([[4], [4]]))
    tr = SimpleNamespace(P=np.full((2, 1, 2), 0.5), V=np.full((2, 1), 1 / math.sqrt(2)), visits=np.array([[4], [4]]))
    p = SimpleNamespace(S=2, A=1, T=10, delta=0.1)
    bound = 4 * math.log(6 * 2 * 10 / 0.1) * (1 / math.sqrt(2) / math.sqrt(5) + 2 / 5)
    found = probes.model_error.build("python")(st, p, tr, 0)
    assert found == pytest.approx(max(0.5 - bound, 1.0 - bound))


def test_the_lemma_on_noise_holds_and_its_false_twin_does_not() -> None:
    assert paper.noise_excess(np.random.default_rng(0))[0] <= 1e-15
    assert paper.false_noise_excess(np.random.default_rng(0))[0] > 1e-4


@pytest.mark.long
@pytest.mark.parametrize("claim", paper.claims, ids=lambda c: c.id)
def test_claims(claim: Claim) -> None:
    evidence = check(claim, profile="standard")
    assert evidence.verdict in ("NO VIOLATION FOUND", "SUPPORTED"), evidence.verdict


@pytest.mark.long
def test_every_fault_is_caught() -> None:
    found = kills_of("max-ent")
    assert not found.alive and not found.named
