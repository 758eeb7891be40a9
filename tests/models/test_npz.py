"""Models as .npz files: round trips bit for bit, plain arrays, and every damaged or foreign file refused by name."""

from __future__ import annotations

import io
import json
import os
import pickle
import struct
import tracemalloc
import warnings
import zipfile
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array

import bandits
import mdps
from theorylab.errors import InputError
from theorylab.linear_bandit import ContextualBandit
from theorylab.model import (
    AverageReward,
    Bandit,
    Criterion,
    Discounted,
    FiniteHorizon,
    RewardLaw,
    ShortestPath,
    TabularMDP,
)
from theorylab.npz import KINDS, load, save

M, B = mdps.models, bandits.models
P = M.garnet(S=4, A=2, b=2, seed=3).P
R = np.arange(8).reshape(4, 2) / 10
THIRDS = np.full((2, 3, 2, 3), 1 / 3)

MODELS: list[Any] = [
    M.riverswim(),
    TabularMDP(
        P, R, [0.1, 0.2, 0.3, 0.4], Discounted(0.1 + 0.2), RewardLaw("gaussian", -0.1, 1.7, 1 / 3), "näme \"'\n\\"
    ),
    TabularMDP(csr_array(P.reshape(8, 4)), R, criterion=ShortestPath(2), name="sparse"),
    TabularMDP(THIRDS, np.zeros((3, 2)), criterion=FiniteHorizon(2), reward_law=RewardLaw("bernoulli")),
    Bandit([0.1, 0.7]),
    B.gaussian(means=[-3.0, 0.1], sd=0.3),
    M.simplex_linear(S=5, A=2, d=3, horizon=3),
    M.linear_chain(d=3, horizon=3),
    M.mixture_chain(d=3, horizon=3),
    M.mixture_two_state(),
    B.linear_sphere(A=4, d=3),
    B.linear_hypercube(d=2),
    B.contextual_linear(X=3, A=2, d=2),
    ContextualBandit([0.5, 0.5], [[0.1, 0.2], [0.3, 0.4]]),
]


def same(a: Any, b: Any) -> bool:
    """Whether two fields are equal to the bit."""
    if a is None or b is None or isinstance(a, str) or not hasattr(a, "dtype"):
        return bool(a == b)
    if not isinstance(a, np.ndarray):
        return all(same(getattr(a, k), getattr(b, k)) for k in ("data", "indices", "indptr")) and a.shape == b.shape
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


@pytest.mark.parametrize("model", MODELS, ids=lambda m: f"{type(m).__name__}-{m.setting}")
def test_round_trip(model: Any, tmp_path: Path) -> None:
    path = save(model, tmp_path / "m.npz")
    back = load(path)
    assert type(back) is type(model) and back.digest == model.digest
    for field in fields(model):
        assert same(getattr(back, field.name), getattr(model, field.name)), field.name
    again = save(back, tmp_path / "again.npz")
    assert again.read_bytes() == path.read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["again.npz", "m.npz"]


def test_every_kind_of_record_is_tried() -> None:
    assert {type(m).__name__ for m in MODELS} == set(KINDS)


def test_the_file_is_readable_without_this_library(tmp_path: Path) -> None:
    model = M.riverswim(criterion=FiniteHorizon(9))
    with np.load(save(model, tmp_path / "m.npz")) as z:
        header = json.loads(z["header"].item())
        assert sorted(z.files) == ["P", "header", "mu0", "r"] and (z["P"] == model.P).all()
    assert header["criterion"] == {"kind": "FiniteHorizon", "H": 9} and header["digest"] == model.digest
    assert (header["format"], header["version"], header["kind"]) == ("theorylab-model", 1, "TabularMDP")


def write(path: Path, **arrays: Any) -> Path:
    np.savez(path, **arrays)
    return path


CSR = csr_array(P.reshape(8, 4))
PARTS: dict[str, Any] = dict(data=CSR.data, indices=CSR.indices, indptr=CSR.indptr, shape=np.array(CSR.shape), r=R)


@pytest.mark.parametrize(
    ("arrays", "criterion", "expected"),
    [
        (dict(P=P, r=R), None, AverageReward()),
        (dict(P=P, r=R, gamma=0.9), None, Discounted(0.9)),
        (dict(P=P, r=R, H=7), None, FiniteHorizon(7)),
        (dict(P=P, r=R, goal=np.array([3])), None, ShortestPath(3)),
        (dict(P=P, r=R), FiniteHorizon(3), FiniteHorizon(3)),
        (dict(P=THIRDS, r=np.zeros((3, 2)), H=2), None, FiniteHorizon(2)),
        (PARTS, None, AverageReward()),
        (PARTS | dict(gamma=0.5), None, Discounted(0.5)),
    ],
)
def test_plain_arrays(arrays: dict[str, Any], criterion: Any, expected: Criterion, tmp_path: Path) -> None:
    m = load(write(tmp_path / "mine.npz", **arrays), criterion=criterion)
    assert isinstance(m, TabularMDP) and m.criterion == expected and m.name == "mine" and m.sparse == ("data" in arrays)
    assert (m.dense() == arrays.get("P", P)).all() and (m.r == arrays["r"]).all()
    moved = load(write(tmp_path / "mine.npz", **arrays, mu0=np.eye(m.S)[1]), criterion=criterion)
    assert isinstance(moved, TabularMDP) and moved.mu0.tolist() == np.eye(m.S)[1].tolist()


@pytest.mark.parametrize(
    ("arrays", "criterion", "message"),
    [
        (dict(Q=P, r=R), None, r"'header' .*'P' .* are missing; it has: Q, r\. np\.savez\(path, P=P, r=r\)"),
        (dict(P=P), None, r"the key 'r' of a file of plain arrays is missing; it has: P"),
        (dict(P=P, r=R, reward=R), None, r"unknown key 'reward' .*known: P, r, mu0, low, high, gamma, H, goal"),
        (dict(P=P, r=R, gamma=0.9, H=3), None, r"gamma and H each set the criterion; leave only one"),
        (dict(P=P, r=R, H=3), Discounted(0.5), r"H and criterion= each set the criterion"),
        (dict(P=P, r=R, gamma=1.0), None, r"gamma is 1\.0; it must be below 1"),
        (dict(P=P, r=R, gamma=[0.5, 0.6]), None, r"gamma has shape \(2,\); give one number"),
        (dict(P=P * 2, r=R), None, r"P\[0,0,:\] sums to"),
        (dict(P=P, r=R, mu0=[1, 0]), None, r"mu0 has shape \(2,\)"),
        (dict(P=P.astype(object), r=R), None, r"pickled objects.*np\.savez"),
        (dict(P=P.astype(complex), r=R), None, r"P has dtype complex128"),
        (dict(P=P.astype("U8"), r=R), None, r"P has dtype <U8"),
        (dict(P=np.zeros(3, dtype=[("a", "f8")]), r=R), None, r"P has dtype \[\('a', '<f8'\)\]"),
        (dict(P=P > 0, r=R), None, r"P\[0,0,:\] sums to 2\.0"),
        (dict(P=np.where(P > 0.9, np.nan, P), r=R), None, r"P\[\d,\d,\d\] is nan"),
        (dict(P=-P, r=R), None, r"P\[0,0,\d\] is -0\.\d+"),
        (dict(P=P, r=R, gamma="0.5"), None, r"gamma is '0\.5'; give a finite number"),
        (dict(P=P, r=R, H=2.0), None, r"H is 2\.0; it must be an integer"),
        (PARTS | dict(shape=np.array([8, 2**63], dtype=np.uint64)), None, r"shape is \[8, 9223372036854775808\]"),
        (PARTS | dict(indices=CSR.indices.astype(bool)), None, "indices has shape .* and dtype bool"),
        (PARTS | dict(data=CSR.data * 1j), None, "data has shape .* and dtype complex128"),
        ({k: v for k, v in PARTS.items() if k != "indptr"}, None, r"the key 'indptr' .* is missing"),
        (PARTS | dict(indices=CSR.indices + 3), None, r"indices\[\d+\] is [4-6]; the states are 0\.\.3"),
        (PARTS | dict(indices=CSR.indices - 9), None, r"indices\[0\] is -\d+; the states"),
        (PARTS | dict(indptr=CSR.indptr[::-1].copy()), None, "indptr must rise from 0"),
        (PARTS | dict(indptr=CSR.indptr[:-1]), None, "indptr has 8 entries; a matrix of 8 rows needs 9"),
        (PARTS | dict(data=CSR.data[:-1]), None, "indptr must rise from 0 to the size of data"),
        (PARTS | dict(indices=CSR.indices * 1.0), None, "indices has shape .* and dtype float64"),
        (PARTS | dict(shape=[8, 4, 1]), None, r"shape is \[8, 4, 1\]; give two integers"),
        (PARTS | dict(shape=[10**12, 4]), None, "indptr has 9 entries"),
        (dict(header=R), None, r"its 'header' is not the JSON text"),
        (dict(header="{"), None, r"its 'header' is not the JSON text"),
        (dict(header="[1]"), None, r"its 'header' is not the JSON text of a model \(no JSON object\)"),
        (dict(header="{}"), None, r"its header is of format None, not 'theorylab-model'"),
    ],
)
def test_bad_plain_files(arrays: dict[str, Any], criterion: Any, message: str, tmp_path: Path) -> None:
    path = write(tmp_path / "mine.npz", **arrays)
    with pytest.raises(InputError, match=rf"mine\.npz: .*{message}"):
        load(path, criterion=criterion)


def altered(tmp_path: Path, model: Any, **changes: Any) -> Path:
    """A saved file with arrays or entries of the header replaced (None: removed)."""
    with np.load(save(model, tmp_path / "m.npz")) as z:
        arrays = dict(z)
    header = json.loads(arrays["header"].item())
    for key, value in changes.items():
        where = arrays if key in arrays or isinstance(value, np.ndarray) else header
        if value is None:
            del where[key]
        else:
            where[key] = value
    arrays["header"] = np.array(json.dumps(header))
    return write(tmp_path / "m.npz", **arrays)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (dict(name=5), "name is 5; give a text"),
        (dict(more=1), r"its header lacks a part or has one too many \('more'\)"),
        (dict(reward_law=dict(kind="deterministic", low="0", high=1.0, sd=0.0)), "low is '0'; give a finite number"),
        (dict(version=2), r"it is of version 2; this theorylab reads version 1: update it"),
        (dict(format="other"), r"format 'other'"),
        (dict(kind="MatrixGame"), r"it holds a 'MatrixGame'; known kinds: TabularMDP"),
        (dict(kind=["Bandit"]), r"known kinds"),
        (dict(kind="LinearMDP"), r"the key 'phi' of a LinearMDP is missing; it has: P, r, mu0"),
        (dict(r=R * 0.5), r"its arrays have digest .*: it was changed since it was saved"),
        (dict(reward_law=dict(kind="bernoulli", low=0.0, high=1.0, sd=0.0)), "its arrays have digest"),
        (dict(digest=None), r"its header lacks a part or has one too many \('digest'\)"),
        (dict(criterion=None), r"its header lacks a part"),
        (dict(criterion={"kind": "FiniteHorizon"}), r"its header lacks a part"),
        (dict(criterion={"kind": "Robust"}), r"its criterion is 'Robust'; known: FiniteHorizon"),
        (dict(criterion={"kind": "Discounted", "gamma": 2}), r"gamma is 2\.0; it must be below 1"),
        (dict(criterion="AverageReward"), r"its header lacks a part"),
        (dict(mu0=None), r"the key 'mu0' of a TabularMDP is missing"),
        (dict(extra=np.zeros(2)), r"unknown key 'extra' in a TabularMDP; known: P, r, mu0"),
        (dict(P=P * 2), r"P\[0,0,:\] sums to"),
    ],
)
def test_altered_files(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    path = altered(tmp_path, TabularMDP(P, R), **changes)
    with pytest.raises(InputError, match=rf"m\.npz: .*{message}"):
        load(path)


def test_altered_sparse_and_contextual_files(tmp_path: Path) -> None:
    sparse = TabularMDP(CSR, R)
    with pytest.raises(InputError, match=r"indices\[0\] is 1000; the states are 0\.\.3"):
        load(altered(tmp_path, sparse, indices=np.r_[1000, sparse.P.indices[1:]]))
    with pytest.raises(InputError, match="unknown key 'P'"):
        load(altered(tmp_path, sparse, P=P))
    with pytest.raises(InputError, match="indptr has 9 entries; a matrix of 0 rows needs 1"):
        load(altered(tmp_path, sparse, r=np.zeros((0, 2))))
    with pytest.raises(InputError, match=r"features and theta go together; give theta"):
        load(altered(tmp_path, B.contextual_linear(X=3, A=2, d=2), theta=None))


def test_criterion_is_for_plain_arrays_only(tmp_path: Path) -> None:
    path = save(TabularMDP(P, R), tmp_path / "m.npz")
    with pytest.raises(InputError, match=r"it carries its own criterion; .*dataclasses\.replace"):
        load(path, criterion=FiniteHorizon(3))


def test_names_and_foreign_files(tmp_path: Path) -> None:
    model = Bandit([0.5])
    with pytest.raises(InputError, match=r"model: the name of a model's file ends in \.npz; give model\.npz"):
        save(model, tmp_path / "model")
    with pytest.raises(InputError, match=r"ends in \.npz; give m\.npy\.npz"):
        load(tmp_path / "m.npy")
    with pytest.raises(InputError, match=r"none\.npz: no such file"):
        load(tmp_path / "none.npz")
    with pytest.raises(InputError, match=r"cannot save a dict; give one of: TabularMDP"):
        save({}, tmp_path / "m.npz")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="cannot write"):
        save(model, tmp_path / "missing" / "m.npz")
    (tmp_path / "folder.npz").mkdir()
    with pytest.raises(InputError, match=r"folder\.npz: cannot be read"):
        load(tmp_path / "folder.npz")
    for name, data in [
        ("empty", b""),
        ("text", b"P,r\n1,0\n"),
        ("pickle", pickle.dumps({"P": [1]})),
        ("zip", b"PK\x03\x04 and no more"),
    ]:
        path = tmp_path / f"{name}.npz"
        path.write_bytes(data)
        with pytest.raises(InputError, match=rf"{name}\.npz: .*(truncated|no \.npz file at all)"):
            load(path)
    np.save(tmp_path / "one.npy", R)
    (tmp_path / "one.npy").rename(tmp_path / "one.npz")
    with pytest.raises(InputError, match=r"one\.npz: cannot be read \(it is a single array"):
        load(tmp_path / "one.npz")


def member(array: Any, version: Any = None) -> bytes:
    out = io.BytesIO()
    np.lib.format.write_array(out, np.asarray(array), version=version)
    return out.getvalue()


def header(shape: str, body: bytes = b"", descr: str = "'<f8'") -> bytes:
    text = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + body


def archive(path: Path, *members: tuple[str, bytes], how: int = zipfile.ZIP_STORED) -> Path:
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", how) as z:
        warnings.simplefilter("ignore", UserWarning)  # zipfile warns of a name given twice
        for name, data in members:
            z.writestr(name, data)
    return path


WHOLE = (("P.npy", member(P)), ("r.npy", member(R)))
BOMB = header("(1500, 1, 1500)", bytes(1500 * 1500 * 8))


@pytest.mark.parametrize("how", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
@pytest.mark.parametrize("kind", ["<f8", ">f8", "fortran", "version2"])
def test_foreign_files_with_the_same_numbers(how: int, kind: str, tmp_path: Path) -> None:
    forms = {"fortran": member(np.asfortranarray(P)), "version2": member(P, version=(2, 0))}
    path = archive(tmp_path / "m.npz", ("P.npy", forms.get(kind) or member(P.astype(kind))), WHOLE[1], how=how)
    assert load(path).digest == TabularMDP(P, R).digest
    parts = {k: v.astype(v.dtype.newbyteorder(">")) for k, v in PARTS.items()}
    assert load(write(tmp_path / "s.npz", **parts)).digest == TabularMDP(CSR, R).digest


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ((*WHOLE, WHOLE[1]), r"it holds the key 'r' twice; leave only one of them"),
        ((*WHOLE, ("r", member(R))), r"it holds the key 'r' twice"),
        ((*WHOLE, ("notes.txt", b"hello")), r"unknown key 'notes\.txt'"),
        ((*WHOLE, ("mu0", b"hello")), r"its entry 'mu0' is no array; leave it out"),
        ((*WHOLE, ("mu0.npy", b"hello")), r"cannot be read \(EOF"),
        ((*WHOLE, ("../mu0.npy", member([1.0, 0, 0, 0]))), r"unknown key '\.\./mu0'"),
        ((*WHOLE, ("bomb.npy", BOMB)), r"unknown key 'bomb'"),
        ((("P.npy", WHOLE[0][1] + b"more"), WHOLE[1]), r"is \(4, 2, 4\) of float64, 256 bytes, and holds 260"),
        ((("P.npy", WHOLE[0][1][:-8]), WHOLE[1]), r"256 bytes, and holds 248"),
        ((("P.npy", header("(10**5,)")), WHOLE[1]), "cannot be read"),
        ((("P.npy", header("(100000, 100000, 1000)")), WHOLE[1]), r"80000000000000 bytes, and holds 0"),
        ((("P.npy", header("(-1, 5)")), WHOLE[1]), r"says it is \(-1, 5\)"),
        ((("P.npy", header(f"({2**70},)")), WHOLE[1]), "and holds 0"),
        ((("P.npy", header("(1,)", descr="__import__('os')")), WHOLE[1]), "cannot be read"),
        ((("P.npy", b"\x93NUMPY\x02\x00" + struct.pack("<I", 2**31) + b" " * 9), WHOLE[1]), "cannot be read"),
        ((("P.npy", b"\x93NUMPY\x09\x00" + member(P)[8:]), WHOLE[1]), "cannot be read"),
        ((("P.npy", BOMB), WHOLE[1]), r"P has shape \(1500, 1, 1500\); expected \(4, 2, 4\)"),
        ((), "'P' .* are missing; it has: none"),
    ],
)  # fmt: skip
def test_hostile_archives(members: tuple[tuple[str, bytes], ...], message: str, tmp_path: Path) -> None:
    path = archive(tmp_path / "m.npz", *members, how=zipfile.ZIP_DEFLATED)
    with pytest.raises(InputError, match=rf"m\.npz: .*{message}"):
        load(path)


def test_sizes_and_names_are_checked_before_arrays_are_read(tmp_path: Path) -> None:
    bomb = archive(tmp_path / "bomb.npz", *WHOLE, ("more.npy", BOMB), how=zipfile.ZIP_DEFLATED)
    lies = archive(tmp_path / "lies.npz", ("P.npy", header("(1500, 1, 1500)")), WHOLE[1])
    tracemalloc.start()
    for path in (bomb, lies):
        with pytest.raises(InputError):
            load(path)
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()


def test_paths(tmp_path: Path) -> None:
    model = Bandit([0.5])
    odd: list[Any] = [5, None, b"m.npz", "a\0.npz"]
    for path in odd:
        with pytest.raises(InputError, match=r"is no path; give a text such as 'model\.npz'"):
            load(path)
        with pytest.raises(InputError, match="is no path"):
            save(model, path)
    with pytest.raises(InputError, match=r"ends in \.npz; give model\.npz"):
        load("")
    assert load(save(model, tmp_path / "M.NPZ")).digest == model.digest
    os.mkfifo(tmp_path / "pipe.npz")  # opening it to read would wait for ever
    with pytest.raises(InputError, match=r"pipe\.npz: cannot be read \(it is no regular file\)"):
        load(tmp_path / "pipe.npz")


def test_a_failed_save_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(Bandit([0.5]), tmp_path / "m.npz")
    before = path.read_bytes()

    def fail(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(InputError, match="no room"):
        save(Bandit([0.25]), path)
    assert path.read_bytes() == before and [p.name for p in tmp_path.iterdir()] == ["m.npz"]


def test_damage_anywhere_is_refused_or_harmless(tmp_path: Path) -> None:
    """Bytes flipped one at a time, and the file cut short: an InputError that names the file, or the model itself."""
    model = TabularMDP(csr_array(np.array([[0.25, 0.75], [1.0, 0.0]])), [[0.5], [0.25]], name="x")
    path = save(model, tmp_path / "m.npz")
    whole = path.read_bytes()
    harmless = 0
    for i in range(0, len(whole), 7):
        path.write_bytes(whole[:i] + bytes([whole[i] ^ 0x55]) + whole[i + 1 :])
        try:
            back = load(path)
        except InputError as error:
            assert str(path) in str(error)
        else:
            assert back.digest == model.digest  # dates and flags of the archive
            harmless += 1
    assert harmless < 0.4 * len(whole) / 7
    for i in range(0, len(whole) - 1, 29):
        path.write_bytes(whole[:i])
        with pytest.raises(InputError, match=r"m\.npz"):
            load(path)


def test_a_header_cannot_be_forged_over_other_arrays(tmp_path: Path) -> None:
    first, second = TabularMDP(P, R), TabularMDP(P, R, criterion=Discounted(0.5))
    with np.load(save(second, tmp_path / "b.npz")) as z:
        header = z["header"]
    with np.load(save(first, tmp_path / "a.npz")) as z:
        arrays = {k: v for k, v in z.items() if k != "header"}
    loaded = load(write(tmp_path / "c.npz", header=header, **arrays))
    assert loaded.digest == second.digest  # arrays agree: it is the second model
    with pytest.raises(InputError, match="its arrays have digest"):
        load(write(tmp_path / "c.npz", header=header, **(arrays | {"mu0": np.eye(4)[2]})))
    assert replace(first, criterion=Discounted(0.5)).digest == second.digest


def test_own_arrays_may_declare_the_range_of_their_rewards(tmp_path: Path) -> None:
    P, r = np.full((2, 1, 2), 0.5), np.array([[-3.0], [2.0]])
    np.savez(tmp_path / "costs.npz", P=P, r=r, low=-4.0, high=2.0, goal=1)
    model = load(tmp_path / "costs.npz")
    assert (model.reward_law.low, model.reward_law.high) == (-4.0, 2.0) and model.r.tolist() == r.tolist()
    np.savez(tmp_path / "wide.npz", P=P, r=r)
    with pytest.raises(InputError, match=r"r\[0,0\] is -3.0, outside .* \[0.0, 1.0\].*give the keys low and high"):
        load(tmp_path / "wide.npz")
    np.savez(tmp_path / "two.npz", P=P, r=r, low=[-4.0, 0.0])
    with pytest.raises(InputError, match=r"low has shape \(2,\); give one number"):
        load(tmp_path / "two.npz")
