"""Models as .npz files: `save(model, path)` and `load(path)`, without pickle, bit for bit.

A file of this library holds one array a field of the record and an array `header`, a JSON text:

    {"format": "theorylab-model", "version": 1, "kind": "TabularMDP", "name": "...", "digest": "<64 hex digits>",
     "criterion": {"kind": "FiniteHorizon", "H": 8}, "reward_law": {"kind": "bernoulli", "low": 0.0, ...}}

    TabularMDP        P, r, mu0; or data, indices, indptr (the parts of the CSR matrix P), r, mu0
    LinearMDP         phi, mu, theta, mu0, P, r          LinearMixtureMDP   phi, theta, r, mu0, P
    Bandit            means                              LinearBandit       features, theta, means
    ContextualBandit  law, means (, features, theta)

`np.load(path)` reads it too. The bytes are a function of the model alone. Loading builds the record anew, with all of
its checks, and compares the digest.

`load` also takes plain arrays of one's own, made with np.savez: P (S,A,S) or (H,S,A,S) and r (S,A), or the parts data,
indices, indptr, shape of a CSR P (S*A,S) and r; optionally mu0, and one of gamma (discounted), H (episodes), goal
(shortest path); average reward without them, or what `criterion=` says.
"""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from theorylab.criteria import AverageReward, Criterion, Discounted, FiniteHorizon, RewardLaw, ShortestPath
from theorylab.errors import InputError
from theorylab.linear import LinearMDP, LinearMixtureMDP
from theorylab.linear_bandit import ContextualBandit, LinearBandit
from theorylab.model import Bandit, TabularMDP

__all__ = ["FORMAT", "VERSION", "load", "save"]

FORMAT, VERSION = "theorylab-model", 1
Model: TypeAlias = TabularMDP | LinearMDP | LinearMixtureMDP | Bandit | LinearBandit | ContextualBandit
Arrays: TypeAlias = dict[str, NDArray[Any]]

KINDS: dict[str, Any] = {
    k.__name__: k for k in (TabularMDP, LinearMDP, LinearMixtureMDP, Bandit, LinearBandit, ContextualBandit)
}
CRITERIA: dict[str, Any] = {k.__name__: k for k in (FiniteHorizon, Discounted, AverageReward, ShortestPath)}
TEXTS = ("criterion", "reward_law", "name")  # fields that are no arrays
CSR = ("data", "indices", "indptr")
ENDS: dict[str, Any] = {"gamma": Discounted, "H": FiniteHorizon, "goal": ShortestPath}  # scalars of plain files


def save(model: Model, path: str | os.PathLike[str]) -> Path:
    """Write the model to `path`, which must end in .npz, whole or not at all; an old file is replaced.

    Raises:
        InputError: a path without .npz or that cannot be written, or an object that is no model.
    """
    from theorylab.store import write_atomic

    target = _npz(path)
    kind = type(model).__name__
    if KINDS.get(kind) is not type(model):
        raise InputError(f"cannot save a {kind}; give one of: {', '.join(KINDS)}")
    header: dict[str, Any] = dict(format=FORMAT, version=VERSION, kind=kind, name=model.name, digest=model.digest)
    if "criterion" in _names(kind):
        criterion = model.criterion  # type: ignore[union-attr]
        header["criterion"] = dict(kind=type(criterion).__name__, **asdict(criterion))
    header["reward_law"] = asdict(model.reward_law)
    arrays = {"header": np.array(json.dumps(header))} | _arrays(model)
    write_atomic(target, _encode(arrays))
    return target


def load(path: str | os.PathLike[str], *, criterion: Criterion | None = None) -> Model:
    """The model in a file of `save`, or the TabularMDP of a file of plain arrays, named after the file.

    `criterion` is for plain arrays only: a file of `save` carries its own.

    Raises:
        InputError: a file that is missing, truncated or damaged, arrays that need pickle, unknown or missing keys, a
            newer version, a digest that does not fit, or arrays that are no model; the text names file and mend.
    """
    source = _npz(path)
    arrays = _read(source)
    try:
        if "header" not in arrays:
            return _plain(arrays, criterion, source.stem)
        if criterion is not None:
            raise InputError(
                "it carries its own criterion; leave out criterion=, or use dataclasses.replace(model, criterion=...)"
            )
        return _decode(arrays)
    except InputError as error:
        raise InputError(f"{source}: {error}") from None


def _npz(path: str | os.PathLike[str]) -> Path:
    out = Path(path)
    if out.suffix != ".npz":
        raise InputError(f"{out}: the name of a model's file ends in .npz; give {out.name}.npz")
    return out


def _names(kind: str) -> list[str]:
    return [f.name for f in fields(KINDS[kind])]


def _arrays(model: Model) -> Arrays:
    """Field -> array, with the parts of a sparse P in its place."""
    out: Arrays = {}
    for name in _names(type(model).__name__):
        value = getattr(model, name)
        if name in TEXTS or value is None:
            continue
        if name == "P" and not isinstance(value, np.ndarray):
            out |= {part: getattr(value, part) for part in CSR}
        else:
            out[name] = value
    return out


def _encode(arrays: Arrays) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as z:
        for name, array in arrays.items():
            entry = io.BytesIO()
            little = array.astype(array.dtype.newbyteorder("<"), order="C", copy=False)
            np.lib.format.write_array(entry, little, version=(1, 0), allow_pickle=False)
            # an entry built by hand carries the fixed date 1980-01-01 in place of the clock's
            z.writestr(zipfile.ZipInfo(f"{name}.npy"), entry.getvalue())
    return out.getvalue()


def _read(source: Path) -> Arrays:
    """All arrays of the file, read with their checksums."""
    try:
        opened = np.load(source, allow_pickle=False)
        if not isinstance(opened, np.lib.npyio.NpzFile):
            raise ValueError("it is a single array, not an archive of arrays")
        with opened:
            return {name: np.asarray(opened[name]) for name in opened.files}
    except FileNotFoundError:
        raise InputError(f"{source}: no such file; give the path of an .npz file") from None
    except Exception as error:  # bytes that are no archive make zipfile and numpy raise nearly anything
        if "allow_pickle" in str(error) or "pickled" in str(error):
            raise InputError(
                f"{source}: it holds pickled objects, which run code when they are read, or it is no .npz file at all; "
                "save plain arrays of numbers with np.savez"
            ) from None
        reason = str(error) or type(error).__name__
        raise InputError(f"{source}: cannot be read ({reason}); it is truncated, damaged or no .npz file") from None


def _decode(arrays: Arrays) -> Model:
    """The record of a file with a header."""
    header = _header(arrays.pop("header"))
    if header.get("format") != FORMAT:
        raise InputError(f"its header is of format {header.get('format')!r}, not '{FORMAT}'; leave out that key")
    if header.get("version") != VERSION:
        raise InputError(
            f"it is of version {header.get('version')!r}; this theorylab reads version {VERSION}: update it"
        )
    kind = str(header.get("kind"))
    if kind not in KINDS:
        raise InputError(f"it holds a {kind!r}; known kinds: {', '.join(KINDS)}")
    record, names = KINDS[kind], _names(kind)
    expected = [n for n in names if n not in TEXTS]
    if kind == "TabularMDP" and "data" in arrays:
        expected = [*CSR, *(n for n in expected if n != "P")]
    optional = ("features", "theta") if kind == "ContextualBandit" else ()
    _keys(arrays, [n for n in expected if n not in optional], optional, f"a {kind}")
    try:
        law = RewardLaw(**header["reward_law"])
        texts = dict(reward_law=law, name=str(header["name"]))
        if "criterion" in names:
            texts["criterion"] = _criterion(header["criterion"])
        digest = header["digest"]
    except InputError:
        raise
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"its header lacks a part or has one too many ({error}); save the model again") from None
    if "data" in arrays:
        P = _csr(arrays, (arrays["r"].size, arrays["r"].shape[0] if arrays["r"].ndim else 0))
        arrays = {"P": P} | {k: v for k, v in arrays.items() if k not in CSR}
    model: Model = record(**arrays, **texts)
    if model.digest != digest:
        raise InputError(
            f"its arrays have digest {model.digest[:16]}.., its header says {str(digest)[:16]}..: it was changed since "
            "it was saved; save the model again"
        )
    return model


def _header(array: NDArray[Any]) -> dict[str, Any]:
    try:
        if array.dtype.kind != "U" or array.ndim:
            raise ValueError("no text")
        header = json.loads(array.item())
        if not isinstance(header, dict):
            raise ValueError("no JSON object")
    except (ValueError, RecursionError) as error:
        raise InputError(f"its 'header' is not the JSON text of a model ({error}); leave out that key") from None
    return header


def _criterion(entry: Mapping[str, Any]) -> Any:
    values = dict(entry)
    kind = str(values.pop("kind"))
    if kind not in CRITERIA:
        raise InputError(f"its criterion is {kind!r}; known: {', '.join(CRITERIA)}")
    return CRITERIA[kind](**values)


def _keys(arrays: Arrays, required: list[str], optional: tuple[str, ...], what: str) -> None:
    missing = [k for k in required if k not in arrays]
    extra = [k for k in arrays if k not in required and k not in optional]
    if missing:
        raise InputError(f"the key {missing[0]!r} of {what} is missing; it has: {', '.join(arrays) or 'none'}")
    if extra:
        known = ", ".join([*required, *optional])
        raise InputError(f"unknown key {extra[0]!r} in {what}; known: {known}: leave it out")


def _plain(arrays: Arrays, criterion: Criterion | None, name: str) -> TabularMDP:
    """The TabularMDP of a file without a header."""
    sparse = "data" in arrays
    required = [*CSR, "shape", "r"] if sparse else ["P", "r"]
    if not sparse and "P" not in arrays:
        raise InputError(
            f"the keys 'header' (a file of theorylab.npz.save), 'P' (plain arrays) and 'data' (parts of a CSR P) are "
            f"missing; it has: {', '.join(arrays) or 'none'}. np.savez(path, P=P, r=r) makes a file that can be read"
        )
    _keys(arrays, required, ("mu0", *ENDS), "a file of plain arrays")
    ends = [k for k in ENDS if k in arrays]
    if len(ends) + (criterion is not None) > 1:
        given = [*ends, *(["criterion="] if criterion is not None else [])]
        raise InputError(f"{' and '.join(given)} each set the criterion; leave only one of them")
    if ends:
        value = arrays[ends[0]]
        if value.size != 1:
            raise InputError(f"{ends[0]} has shape {value.shape}; give one number")
        criterion = ENDS[ends[0]](value.item())
    P = arrays["P"] if not sparse else _csr(arrays, _pair(arrays["shape"]))
    return TabularMDP(P, arrays["r"], arrays.get("mu0"), criterion or AverageReward(), name=name)  # type: ignore[arg-type]


def _pair(shape: NDArray[Any]) -> tuple[int, int]:
    if shape.shape != (2,) or shape.dtype.kind not in "iu":
        raise InputError(f"shape is {shape.tolist()!r}; give two integers, (S*A, S)")
    return int(shape[0]), int(shape[1])


def _csr(arrays: Arrays, shape: tuple[int, int]) -> Any:
    """The sparse matrix of the parts; scipy trusts them, so they are checked before it reads them."""
    from scipy.sparse import csr_array

    data, indices, indptr = (arrays[k] for k in CSR)
    for key, array, kinds in (("data", data, "fiub"), ("indices", indices, "iu"), ("indptr", indptr, "iu")):
        if array.ndim != 1 or array.dtype.kind not in kinds:
            raise InputError(f"{key} has shape {array.shape} and dtype {array.dtype}; give a vector of numbers")
    rows, columns = shape
    if indptr.size != rows + 1:
        raise InputError(f"indptr has {indptr.size} entries; a matrix of {rows} rows needs {rows + 1}")
    if indptr[0] != 0 or indptr[-1] != data.size or indices.size != data.size or (indptr[1:] < indptr[:-1]).any():
        raise InputError(f"indptr must rise from 0 to the size of data, {data.size}, and of indices, {indices.size}")
    outside = (indices < 0) | (indices >= columns)
    if outside.any():
        k = int(np.argmax(outside))
        raise InputError(f"indices[{k}] is {int(indices[k])}; the states are 0..{columns - 1}: fix that entry")
    return csr_array((data, indices, indptr), shape=shape)
