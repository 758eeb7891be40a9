"""Records of models: conversion, defaults, digests, and the text of every refusal."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.sparse import coo_array, csr_array

from theorylab.errors import InputError
from theorylab.model import (
    BERNOULLI,
    AverageReward,
    Bandit,
    Discounted,
    FiniteHorizon,
    RewardLaw,
    ShortestPath,
    TabularMDP,
)

P = np.array([[[0.5, 0.5, 0.0], [1.0, 0.0, 0.0]], [[0.0, 0.25, 0.75], [0.25, 0.0, 0.75]], [[0.0, 0.0, 1.0]] * 2])
R = np.array([[0.0, 1.0], [0.25, 0.5], [0.75, 0.0]])


def changed(index: tuple[int, ...], value: float) -> np.ndarray:
    out = P.copy()
    out[index] = value
    return out


def test_defaults_and_properties() -> None:
    m = TabularMDP(P=P, r=R)
    assert (m.S, m.A, m.setting, m.sparse, m.stage_dependent) == (3, 2, "average", False, False)
    assert m.mu0.tolist() == [1.0, 0.0, 0.0]
    assert m.P.dtype == m.r.dtype == m.mu0.dtype == np.float64


def test_arrays_are_private_and_read_only() -> None:
    mine = P.copy()
    m = TabularMDP(P=mine, r=R)
    mine[0, 0, 0] = 7.0
    assert m.P[0, 0, 0] == 0.5
    for array in (m.P, m.r, m.mu0, *m.rows()):
        with pytest.raises(ValueError, match="read-only"):
            array[(0,) * array.ndim] = 1


def test_replace_criterion_gives_each_setting() -> None:
    m = TabularMDP(P=P, r=R)
    finite = replace(m, criterion=FiniteHorizon(8))
    assert finite.H == 8 and finite.setting == "episodic"
    assert replace(m, criterion=Discounted(0.5)).setting == "discounted"
    assert replace(m, criterion=ShortestPath(2)).setting == "ssp"
    with pytest.raises(InputError, match=r"no horizon.*AverageReward"):
        _ = m.H


def test_rows_are_padded_with_successors_that_can_occur() -> None:
    succ, prob = TabularMDP(P=P, r=R).rows()
    assert succ.dtype == np.int64
    assert succ.tolist() == [[0, 1], [0, 0], [1, 2], [0, 2], [2, 2], [2, 2]]
    assert prob.tolist() == [[0.5, 0.5], [1, 0], [0.25, 0.75], [0.25, 0.75], [1, 0], [1, 0]]


def test_rows_of_a_stage_dependent_model_are_ordered_by_stage_state_action() -> None:
    other = P[::-1, ::-1, ::-1]
    m = TabularMDP(P=np.stack([P, other]), r=R, criterion=FiniteHorizon(2))
    assert m.stage_dependent
    succ, prob = m.rows()
    rebuilt = np.zeros((12, 3))
    np.add.at(rebuilt, (np.arange(12)[:, None], succ), prob)
    assert (rebuilt.reshape(2, 3, 2, 3) == np.stack([P, other])).all()


@pytest.mark.parametrize("make", [csr_array, coo_array])
def test_sparse_is_the_same_model(make: Any) -> None:
    dense, m = TabularMDP(P=P, r=R), TabularMDP(P=make(P.reshape(6, 3)), r=R)
    assert m.sparse and (m.dense() == P).all() and not m.dense().flags.writeable
    for a, b in zip(m.rows(), dense.rows(), strict=True):
        assert (a == b).all()


def test_digest_follows_the_content_and_not_the_name() -> None:
    m = TabularMDP(P=P, r=R)
    assert len(m.digest) == 64
    assert m.digest == TabularMDP(P=P.copy(), r=R, name="other").digest
    assert m.digest == TabularMDP(P=np.where(P == 0, -0.0, P), r=R).digest
    swapped = TabularMDP(P=P, r=R[:, ::-1])
    others = [
        swapped,
        replace(m, criterion=FiniteHorizon(3)),
        replace(m, criterion=FiniteHorizon(4)),
        replace(m, mu0=[0, 1, 0]),
        replace(m, reward_law=BERNOULLI),
        TabularMDP(P=csr_array(P.reshape(6, 3)), r=R),
    ]
    assert len({x.digest for x in [m, *others]}) == 7
    assert Bandit([0.5, 0.25]).digest != Bandit([0.25, 0.5]).digest


NAN = float("nan")
BAD_MDP: list[tuple[dict[str, Any], str]] = [
    ({"P": changed((1, 0, 1), 0.25 + 1e-6)}, r"P\[1,0,:\] sums to 1\.000001.*within 1e-09: fix that row"),
    ({"P": csr_array(changed((1, 0, 1), 0.25 + 1e-6).reshape(6, 3))}, r"P\[1,0,:\] sums to 1\.000001"),
    ({"P": changed((1, 1, 2), -0.75)}, r"P\[1,1,2\] is -0\.75; probabilities must be >= 0"),
    ({"P": csr_array(changed((1, 1, 2), -0.75).reshape(6, 3))}, r"P\[1,1,2\] is -0\.75"),
    ({"P": changed((2, 1, 0), NAN)}, r"P\[2,1,0\] is nan; probabilities must be finite"),
    ({"P": changed((0, 1, 0), np.inf)}, r"P\[0,1,0\] is inf"),
    ({"P": csr_array(changed((2, 1, 0), NAN).reshape(6, 3))}, r"P\[2,1,0\] is nan"),
    ({"P": P[:, :1]}, r"P has shape \(3, 1, 3\); expected \(3, 2, 3\)"),
    ({"P": csr_array(P.reshape(6, 3)[:5])}, r"sparse with shape \(5, 3\); expected \(S\*A, S\) = \(6, 3\)"),
    ({"P": P.astype(object)}, r"P has dtype object"),
    ({"P": P.astype(complex)}, r"P has dtype complex128"),
    ({"P": csr_array(P.reshape(6, 3)).astype(complex)}, r"P has dtype complex128"),
    ({"P": [[1.0], [0.5, 0.5]]}, r"P is not a rectangular array"),
    ({"P": np.stack([P] * 2)}, r"stage-dependent.*AverageReward.*use FiniteHorizon\(H\)"),
    ({"P": np.stack([P] * 2), "criterion": FiniteHorizon(3)}, r"shape \(2, 3, 2, 3\); expected \(3, 3, 2, 3\)"),
    ({"r": np.where(R == 0.25, NAN, R)}, r"r\[1,0\] is nan; mean rewards must be finite"),
    ({"r": R * 2}, r"r\[0,1\] is 2\.0, outside the declared reward range \[0\.0, 1\.0\].*RewardLaw\('deterministic'"),
    ({"r": -R, "reward_law": BERNOULLI}, r"r\[0,1\] is -1\.0, outside.*bernoulli law"),
    ({"r": R.ravel()}, r"r has shape \(6,\); expected \(S, A\)"),
    ({"r": np.zeros((0, 2)), "P": np.zeros((0, 2, 0))}, r"r has shape \(0, 2\)"),
    ({"r": [["a", "b"]] * 3}, r"r has dtype <U1"),
    ({"mu0": [0.5, 0.25, 0.125]}, r"mu0 sums to 0\.875; vectors must sum to 1"),
    ({"mu0": [1.5, -0.5, 0]}, r"mu0\[1\] is -0\.5"),
    ({"mu0": [NAN, 1, 0]}, r"mu0\[0\] is nan"),
    ({"mu0": [1.0, 0.0]}, r"mu0 has shape \(2,\); expected \(3,\)"),
    ({"criterion": "average"}, r"criterion is 'average'; give FiniteHorizon"),
    ({"criterion": ShortestPath(3)}, r"goal is 3; the model has states 0\.\.2"),
    ({"reward_law": "bernoulli"}, r"reward_law is 'bernoulli'; give a RewardLaw"),
]


@pytest.mark.parametrize(("fields", "message"), BAD_MDP)
def test_bad_models_are_refused_by_entry(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        TabularMDP(**({"P": P, "r": R} | fields))


def test_a_row_within_1e9_is_accepted_as_given() -> None:
    row = 0.25 + 5e-10
    assert TabularMDP(P=changed((1, 0, 1), row), r=R).P[1, 0, 1] == row


def test_bad_criteria_and_laws() -> None:
    with pytest.raises(InputError, match=r"gamma is 1\.0; it must be below 1: use AverageReward\(\) or FiniteHorizon"):
        Discounted(1.0)
    with pytest.raises(InputError, match=r"gamma is 1\.5.*AverageReward"):
        Discounted(1.5)
    with pytest.raises(InputError, match=r"gamma is -0\.1; it must be in \[0, 1\)"):
        Discounted(-0.1)
    with pytest.raises(InputError, match="gamma is nan"):
        Discounted(NAN)
    bad: list[Any] = [0, -3, 2.5, True, "8", None]
    for H in bad:
        with pytest.raises(InputError, match=r"FiniteHorizon: H is .*integer >= 1"):
            FiniteHorizon(H)
    with pytest.raises(InputError, match="goal is -1"):
        ShortestPath(-1)
    for law, message in [
        ({"kind": "poisson"}, "kind is 'poisson'"),
        ({"kind": "deterministic", "low": 2.0}, r"low 2\.0 is above high 1\.0"),
        ({"kind": "bernoulli", "high": 2.0}, "bernoulli rewards are 0 or 1"),
        ({"kind": "gaussian"}, "needs sd > 0"),
        ({"kind": "deterministic", "sd": 1.0}, "only a gaussian law"),
        ({"kind": "deterministic", "high": np.inf}, "high is inf"),
    ]:
        fields: dict[str, Any] = dict(law)
        with pytest.raises(InputError, match=message):
            RewardLaw(**fields)


def test_bandit() -> None:
    b = Bandit([0.25, 0.75, 0.5])
    assert (b.A, b.best_mean, b.setting, b.gaps.tolist()) == (3, 0.75, "bandit", [0.5, 0.0, 0.25])
    with pytest.raises(InputError, match=r"means\[1\] is 1\.5, outside"):
        Bandit([0.5, 1.5])
    with pytest.raises(InputError, match=r"means has shape \(0,\)"):
        Bandit([])
    assert Bandit([3.0], reward_law=RewardLaw("gaussian", 0.0, 5.0, 2.0)).best_mean == 3.0


def test_equality_is_identity() -> None:
    a, b = TabularMDP(P=P, r=R), TabularMDP(P=P, r=R)
    assert a != b and len({a, b}) == 2 and AverageReward() == AverageReward()
