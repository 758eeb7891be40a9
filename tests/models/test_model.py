"""Records of models: conversion, defaults, digests, and the text of every refusal."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import scipy.sparse
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


FLAT = P.reshape(6, 3)
CSR = csr_array(FLAT)


@pytest.mark.parametrize(
    "given",
    [
        *(getattr(scipy.sparse, f"{kind}_array")(FLAT) for kind in ("coo", "csc", "bsr", "lil", "dok", "dia")),
        *(getattr(scipy.sparse, f"{kind}_matrix")(FLAT) for kind in ("csr", "coo", "lil")),
        csr_array((CSR.data, CSR.indices.astype(np.int64), CSR.indptr.astype(np.int64)), shape=(6, 3)),
        CSR.astype(np.float32),
        # a place given three times, a row out of order, stored zeros of both signs
        csr_array(
            (
                [0.25, 0.5, 0.25, 1.0, 0.75, 0.25, 0.25, 0.75, 1.0, 1.0, 0.0, -0.0],
                [0, 1, 0, 0, 2, 1, 0, 2, 2, 2, 0, 1],
                [0, 3, 4, 6, 8, 9, 12],
            ),
            shape=(6, 3),
        ),
    ],
    ids=lambda x: f"{type(x).__name__}-{x.dtype}-{x.nnz}",
)
def test_every_sparse_form_is_the_same_model(given: Any) -> None:
    m = TabularMDP(given, R)
    assert m.digest == TabularMDP(CSR, R).digest and m.row_profile == TabularMDP(P, R).row_profile
    assert m.P.format == "csr" and m.P.indices.dtype == m.P.indptr.dtype == np.int32 and m.P.has_canonical_format
    for array in (m.P.data, m.P.indices, m.P.indptr):
        assert not array.flags.writeable
        if given.format == "csr":
            assert not any(np.shares_memory(array, x) for x in (given.data, given.indices, given.indptr))


def test_sparse_entries_of_one_place_add_up_in_float64() -> None:
    whole = coo_array((np.array([True] * 7), ([0, 0, 1, 2, 3, 4, 5], [0, 0, 1, 2, 0, 1, 2])), shape=(6, 3))
    with pytest.raises(InputError, match=r"P\[0,0,:\] sums to 2\.0"):  # not "or", as truth values have it
        TabularMDP(whole, R)
    wraps = coo_array(
        (np.array([127, 127, 3, 1, 1, 1, 1, 1], np.int8), ([0, 0, 0, 1, 2, 3, 4, 5], [0] * 8)), shape=(6, 3)
    )
    with pytest.raises(InputError, match=r"P\[0,0,:\] sums to 257\.0"):  # not 1, as 8 bits have it
        TabularMDP(wraps, R)


def broken(**parts: Any) -> Any:
    """CSR whose parts are replaced behind the back of scipy, which would read outside of its arrays."""
    out = CSR.copy()
    for key, value in parts.items():
        setattr(out, key, np.array(value))
    return out


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (broken(indices=[0, 1, 1000, *CSR.indices[3:]]), r"broken parts: indices\[2\] is 1000; the states are 0\.\.2"),
        (broken(indices=[0, -1, *CSR.indices[2:]]), r"indices\[1\] is -1"),
        (broken(indptr=[0, 2, 1, 5, 7, 8, 9]), "indptr must rise from 0 to the size of data, 9"),
        (broken(indptr=[0, 2, 3, 5, 7, 8, 90]), "indptr must rise"),
        (broken(indptr=[0, 9]), "indptr has 2 entries; a matrix of 6 rows needs 7"),
    ],
)
def test_broken_sparse_arrays(given: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        TabularMDP(given, R)
    columns = csr_array(FLAT).tocsc()
    columns.indices = np.full_like(columns.indices, 99)
    with pytest.raises(InputError, match=r"that scipy cannot convert to CSR .*build it anew"):
        TabularMDP(columns, R)


@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
@pytest.mark.parametrize("cast", ["<f8", ">f8", "f4", "f2", "g"])
def test_every_real_type_becomes_the_same_float64(cast: str) -> None:
    given = P.astype(cast)
    for x in (given, np.asfortranarray(given), given[::-1][::-1], np.ma.masked_array(given), given.tolist()):
        m = TabularMDP(x, np.asmatrix(R.astype(cast)))
        assert m.digest == TabularMDP(P, R).digest and m.P.flags.c_contiguous and not m.P.flags.writeable
    given.flags.writeable = False
    assert TabularMDP(given, R).digest == TabularMDP(P, R).digest


@pytest.mark.parametrize("sparse", [False, True])
def test_models_made_from_one_another_share_their_kernel(sparse: bool) -> None:
    m = TabularMDP(CSR if sparse else P, R)
    other = replace(m, criterion=Discounted(0.5))
    assert other.P is m.P and other.row_profile == m.row_profile
    assert other.digest == TabularMDP(CSR if sparse else P, R, criterion=Discounted(0.5)).digest
    with pytest.raises(InputError, match="expected"):
        replace(m, r=R[:, :1])
    with pytest.raises(InputError, match=r"r\[0,1\] is 2\.0"):
        replace(m, r=R * 2)
    # a kernel that was made writable again is checked and copied anew
    values = m.P.data if sparse else m.P
    values.flags.writeable = True
    values[(0,) * values.ndim] = 0.75
    with pytest.raises(InputError, match=r"P\[0,0,:\] sums to 1\.25"):
        replace(m, criterion=Discounted(0.5))
    values[(0,) * values.ndim] = 0.5
    assert replace(m, criterion=Discounted(0.5)).P is not m.P


def test_a_sparse_model_is_made_with_one_copy() -> None:
    S, A, b = 20_000, 4, 5
    succ = np.sort(np.random.default_rng(0).integers(0, S, (S * A, b)), axis=1).ravel()
    given = csr_array((np.full(succ.size, 1 / b), succ, np.arange(0, succ.size + 1, b)), shape=(S * A, S))
    r = np.zeros((S, A))
    tracemalloc.start()
    m = TabularMDP(given, r)
    kept, peak = tracemalloc.get_traced_memory()
    assert len(m.digest) == 64
    digesting = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert m.P.indices.dtype == np.int32 and kept < 1.1 * (m.P.nnz * 12 + S * A * 4 + S * A * 8 + S * 8)
    assert peak < 1.25 * kept and digesting < max(peak, kept + 5_000_000)


NAN = float("nan")
MASKED = np.ma.masked_array(P, mask=P == 0.25)
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
    ({"P": MASKED}, r"P\[1,0,1\] is masked; a model has no missing entries: fill it"),
    ({"r": np.ma.masked_array(R, mask=R == 0.5)}, r"r\[1,1\] is masked"),
    ({"mu0": np.ma.masked_array([1.0, 0.0, 0.0], mask=[0, 1, 0])}, r"mu0\[1\] is masked"),
    ({"r": np.where(R == 1, np.inf, R)}, r"r\[0,1\] is inf; mean rewards must be finite"),
    ({"r": R * 1e300}, r"r\[0,1\] is 1e\+300, outside the declared reward range"),
    ({"r": csr_array(R)}, r"r has dtype object"),
    ({"mu0": [[1, 0, 0]]}, r"mu0 has shape \(1, 3\)"),
    ({"mu0": 1.0}, r"mu0 has shape \(\)"),
    ({"P": np.asmatrix(FLAT)}, r"P has shape \(6, 3\); expected \(3, 2, 3\)"),
    ({"P": coo_array(P)}, r"sparse with shape \(3, 2, 3\); expected \(S\*A, S\) = \(6, 3\)"),
    ({"P": csr_array((6, 3))}, r"P\[0,0,:\] sums to 0\.0"),
    ({"P": None}, r"P has dtype object"),
    ({"name": 5}, r"name is 5; give a text"),
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
    odd: list[Any] = ["0.5", True, None, np.array([0.5]), 10**400, 1j]
    for value in odd:
        with pytest.raises(InputError, match=r"gamma is .*; give a finite number"):
            Discounted(value)
        with pytest.raises(InputError, match=r"low is .*; give a finite number"):
            RewardLaw("deterministic", low=value)
    assert repr(Discounted(-0.0)) == repr(Discounted(0)) == repr(Discounted(np.float32(0.0)))  # equal digests
    for law, message in [
        ({"kind": np.array(["bernoulli", "gaussian"])}, "kind is array"),
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
