"""Models as .npz files: `save(model, path)` and `load(path)`, without pickle, bit for bit.

A file of this library holds one array a field of the record and an array `header`, a JSON text:

    {"format": "theorylab-model", "version": 1, "kind": "TabularMDP", "name": "...", "digest": "<64 hex digits>",
     "criterion": {"kind": "FiniteHorizon", "H": 8}, "reward_law": {"kind": "bernoulli", "low": 0.0, ...}}

    TabularMDP        P, r, mu0; or data, indices, indptr (the parts of the CSR matrix P), r, mu0
    LinearMDP         phi, mu, theta, mu0, P, r          LinearMixtureMDP   phi, theta, r, mu0, P
    Bandit            means                              LinearBandit       features, theta, means
    ContextualBandit  law, means (, features, theta)

`np.load(path)` reads it too. The bytes are a function of the model alone. Loading builds the record anew, with all of
its checks, and compares the digest. Names and sizes are checked before any array is read.

`load` also takes plain arrays of one's own, made with np.savez: P (S,A,S) or (H,S,A,S) and r (S,A), or the parts data,
indices, indptr, shape of a CSR P (S*A,S) and r; optionally mu0, the range low, high of the rewards ([0, 1] if left
out), and one of gamma (discounted), H (episodes), goal (shortest path); average reward without them, or what
`criterion=` says.
"""

from __future__ import annotations

import io
import json
import math
import os
import stat
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
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
from theorylab.validate import check_csr, check_means, floats

__all__ = ["FORMAT", "VERSION", "load", "save"]

FORMAT, VERSION = "theorylab-model", 1
Model: TypeAlias = TabularMDP | LinearMDP | LinearMixtureMDP | Bandit | LinearBandit | ContextualBandit
Arrays: TypeAlias = dict[str, NDArray[Any]]

SUFFIX = ".npy"
KINDS: dict[str, Any] = {
    k.__name__: k for k in (TabularMDP, LinearMDP, LinearMixtureMDP, Bandit, LinearBandit, ContextualBandit)
}
CRITERIA: dict[str, Any] = {k.__name__: k for k in (FiniteHorizon, Discounted, AverageReward, ShortestPath)}
TEXTS = ("criterion", "reward_law", "name")  # fields that are no arrays
CSR = ("data", "indices", "indptr")
RANGE = ("low", "high")  # of the rewards, scalars of plain files
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
        InputError: a file that is missing, truncated or damaged, arrays that need pickle, unknown, missing or repeated
            keys, a newer version, a digest that does not fit, or arrays that are no model; the text names file and
            mend.
    """
    source = _npz(path)
    try:
        with _reading():
            file = _open(source)
        with file:
            members = _members(file)
            if "header" not in members:
                return _plain(file, members, criterion, source.stem)
            if criterion is not None:
                raise InputError(
                    "it carries its own criterion; leave out criterion=, or use dataclasses.replace(model, "
                    "criterion=...)"
                )
            return _decode(file, members)
    except InputError as error:
        raise InputError(f"{source}: {error}") from None


@contextmanager
def _reading() -> Iterator[None]:
    """Errors of reading as `InputError`: bytes that are no archive make zipfile and numpy raise nearly anything."""
    try:
        yield
    except InputError:
        raise
    except FileNotFoundError:
        raise InputError("no such file; give the path of an .npz file") from None
    except MemoryError as error:
        raise InputError(f"does not fit into memory ({error}); load it on a larger machine") from None
    except Exception as error:
        reason = str(error) or type(error).__name__
        raise InputError(f"cannot be read ({reason}); it is truncated, damaged or no .npz file") from None


def _open(source: Path) -> zipfile.ZipFile:
    if not stat.S_ISREG(source.stat().st_mode):
        raise InputError("cannot be read (it is no regular file); give the path of an .npz file")
    if not zipfile.is_zipfile(source):
        with open(source, "rb") as file:
            if file.read(len(np.lib.format.MAGIC_PREFIX)) == np.lib.format.MAGIC_PREFIX:
                raise ValueError("it is a single array, not an archive of arrays")
        raise InputError("it is truncated or no .npz file at all; np.savez makes one of plain arrays of numbers")
    return zipfile.ZipFile(source)


def _npz(path: Any) -> Path:
    if not isinstance(path, (str, os.PathLike)) or "\0" in str(path):
        raise InputError(f"{path!r} is no path; give a text such as 'model.npz'")
    out = Path(path)
    if out.suffix.lower() != ".npz":
        raise InputError(f"{out}: the name of a model's file ends in .npz; give {out.name or 'model'}.npz")
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


def _members(file: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Key -> entry of the archive; refuses a key that stands there twice, of which readers see only one."""
    out: dict[str, zipfile.ZipInfo] = {}
    for entry in file.infolist():
        key = entry.filename.removesuffix(SUFFIX)
        if key in out:
            raise InputError(f"it holds the key {key!r} twice; leave only one of them")
        out[key] = entry
    return out


def _read(file: zipfile.ZipFile, entry: zipfile.ZipInfo) -> NDArray[Any]:
    """One array, read with its checksum, in the byte order of this machine; its size is checked before it is read."""
    if not entry.filename.endswith(SUFFIX):
        raise InputError(f"its entry {entry.filename!r} is no array; leave it out")
    with _reading():
        with file.open(entry) as stream:
            version = np.lib.format.read_magic(stream)
            read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            shape, _, dtype = read(stream)
            start = stream.tell()
        if dtype.hasobject:
            raise InputError(
                f"its array {entry.filename!r} holds pickled objects, which run code when they are read; save plain "
                "arrays of numbers with np.savez"
            )
        declared, held = math.prod(shape) * dtype.itemsize, entry.file_size - start
        if declared != held or min(shape, default=0) < 0:
            raise ValueError(f"{entry.filename} says it is {shape} of {dtype}, {declared} bytes, and holds {held}")
        with file.open(entry) as stream:
            array = np.asarray(np.lib.format.read_array(stream, allow_pickle=False))
            stream.read()  # to the end, where the checksum is compared
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def _arrays_of(file: zipfile.ZipFile, members: Mapping[str, zipfile.ZipInfo]) -> Arrays:
    return {key: _read(file, entry) for key, entry in members.items()}


def _decode(file: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo]) -> Model:
    """The record of a file with a header."""
    header = _header(_read(file, members.pop("header")))
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
    if kind == "TabularMDP" and "data" in members:
        expected = [*CSR, *(n for n in expected if n != "P")]
    optional = ("features", "theta") if kind == "ContextualBandit" else ()
    _keys(members, [n for n in expected if n not in optional], optional, f"a {kind}")
    try:
        parts = {"format", "version", "kind", "digest", *(n for n in TEXTS if n in names)}
        if set(header) != parts:
            raise KeyError(sorted(set(header) ^ parts)[0])
        texts = dict(reward_law=RewardLaw(**header["reward_law"]), name=header["name"])
        if "criterion" in names:
            texts["criterion"] = _criterion(header["criterion"])
    except InputError:
        raise
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"its header lacks a part or has one too many ({error}); save the model again") from None
    arrays, digest = _arrays_of(file, members), header["digest"]
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


def _keys(members: Mapping[str, Any], required: list[str], optional: tuple[str, ...], what: str) -> None:
    missing = [k for k in required if k not in members]
    extra = [k for k in members if k not in required and k not in optional]
    if missing:
        raise InputError(f"the key {missing[0]!r} of {what} is missing; it has: {', '.join(members) or 'none'}")
    if extra:
        known = ", ".join([*required, *optional])
        raise InputError(f"unknown key {extra[0]!r} in {what}; known: {known}: leave it out")


def _plain(
    file: zipfile.ZipFile, members: Mapping[str, zipfile.ZipInfo], criterion: Criterion | None, name: str
) -> TabularMDP:
    """The TabularMDP of a file without a header."""
    sparse = "data" in members
    required = [*CSR, "shape", "r"] if sparse else ["P", "r"]
    if not sparse and "P" not in members:
        raise InputError(
            f"the keys 'header' (a file of theorylab.npz.save), 'P' (plain arrays) and 'data' (parts of a CSR P) are "
            f"missing; it has: {', '.join(members) or 'none'}. np.savez(path, P=P, r=r) makes a file that can be read"
        )
    _keys(members, required, ("mu0", *RANGE, *ENDS), "a file of plain arrays")
    ends = [k for k in ENDS if k in members]
    if len(ends) + (criterion is not None) > 1:
        given = [*ends, *(["criterion="] if criterion is not None else [])]
        raise InputError(f"{' and '.join(given)} each set the criterion; leave only one of them")
    arrays = _arrays_of(file, members)
    if ends:
        criterion = ENDS[ends[0]](_scalar(arrays, ends[0]))
    law = RewardLaw("deterministic", **{k: _scalar(arrays, k) for k in RANGE if k in arrays})
    try:
        check_means(floats(arrays["r"], "r"), law, "r")
    except InputError as error:
        if "outside the declared" not in str(error):
            raise
        raise InputError(f"{str(error).partition(';')[0]}; fix that entry, or give the keys low and high") from None
    P = arrays["P"] if not sparse else _csr(arrays, _pair(arrays["shape"]))
    return TabularMDP(P, arrays["r"], arrays.get("mu0"), criterion or AverageReward(), law, name=name)  # type: ignore[arg-type]


def _scalar(arrays: Arrays, key: str) -> Any:
    if arrays[key].size != 1:
        raise InputError(f"{key} has shape {arrays[key].shape}; give one number")
    return arrays[key].item()


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
    if max(shape) > np.iinfo(np.int64).max:
        raise InputError(f"shape is {list(shape)}; give two integers, (S*A, S)")
    check_csr(data, indices, indptr, shape)
    return csr_array((data, indices, indptr), shape=shape)
