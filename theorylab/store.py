"""The store: finished blocks of replicates as files named by what determines them.

A shard holds the curves and probe results of replicates first .. first + R - 1 of one simulation. Its key is the
sha256 of the simulation's digest (kernel sources, parameters, model arrays, tables, checkpoints, length, seed), the
block (first, R), the labels it carries and FORMAT; its file is root/key[:2]/key.npz:

    meta.json            learner, model, setting, params, seed, first, replicates, checkpoints, key, format
    checkpoints.npy      (C,) int64
    data.regret.npy ...  (R, C) float64, reward units; probe.NAME.max.npy, .first.npy, .count.npy (R,); final.NAME.npy
    comment              sha256 of every byte before the comment's last 64

The bytes are a function of the key alone: no dates, no timing, entries not compressed. `np.load` reads a shard. A
file comes into being whole: written under a temporary name in its folder, flushed to the disk, then renamed. The
temporary is locked while its writer lives, so what a killed process left is told apart by its free lock.
Any number of processes may share a root: two that compute one block write the same bytes.
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import fcntl
import hashlib
import io
import json
import os
import re
import secrets
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from theorylab.errors import InputError, ShardError
from theorylab.simulation import Curves, ProbeResult, Simulation

__all__ = ["FORMAT", "Shard", "Store", "StoreFull", "clean", "key_of", "refusal", "write_atomic"]

#: version of the layout above; a change gives every shard a new key
FORMAT = 1
#: errors that mean "no room": the disk, the largest file allowed, the user's quota
FULL = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)
DAY = 86400.0  # seconds after which a temporary on a disk without locks counts as abandoned
TEMPORARY = re.compile(r"\..+\.[0-9a-f]{16}\.tmp")
KEY = re.compile(r"[0-9a-f]{64}")
SEAL = b"sha256 "  # the comment's beginning; 64 hexadecimal digits follow and end the file
PROBE = ("max", "first", "count")


class StoreFull(InputError):
    """No room for a file: the disk is full, the quota is used up, or the file is larger than is allowed."""


class Shard(NamedTuple):
    """A block's key, its curves, and whether it was computed just now (else it was read)."""

    key: str
    curves: Curves
    fresh: bool


def key_of(simulation: Simulation, *, final: bool = False) -> str:
    """The key of a simulation's shard, 64 hexadecimal digits; `final`: with the final state fields.

    The names of model and probes enter because the shard carries them, though they do not change a number.
    """
    about = {
        "format": FORMAT,
        "digest": simulation.digest(),
        "first": simulation.first,
        "replicates": simulation.replicates,
        "model": simulation.model.name,
        "probes": [q.name for q in simulation.probes],
        "final": final,
    }
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()


class Store:
    """Shards under the folder `root`, which is made if it is missing.

    Opening removes what killed writers left behind. Raises `InputError` for a root that cannot be made or written,
    and `StoreFull` where there is no room.
    """

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = Path(root)
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            self.clean()
            _trial(self.root)
        except OSError as reason:
            raise refusal(self.root, 0, reason) from None

    def clean(self) -> None:
        """Remove what killed writers left behind; living writers, shards and other files are not touched."""
        clean(self.root)
        for folder in self.root.iterdir():
            if len(folder.name) == 2 and folder.is_dir():
                clean(folder)

    def path(self, key: str) -> Path:
        """The file of a key; `InputError` for what is no key."""
        if not KEY.fullmatch(key):
            raise InputError(f"'{key}' is not the key of a shard; give the 64 hexadecimal digits of `key_of`")
        return self.root / key[:2] / f"{key}.npz"

    def save(self, key: str, curves: Curves, *, final: bool = False) -> Path:
        """Write curves and probe results, and with `final` the final state fields; an old file is replaced.

        Raises `StoreFull` or `InputError` naming the file and the mend; no part of the file remains then, and the
        other shards stay as they are.
        """
        path = self.path(key)
        data = encode(key, curves, final=final)
        try:
            path.parent.mkdir(exist_ok=True)
            _sync_folder(self.root)
        except OSError as reason:
            raise refusal(path, len(data), reason) from None
        write_atomic(path, data)
        return path

    def load(self, key: str) -> Curves | None:
        """The shard's curves (`final` and `seconds` empty unless stored), or None where there is none.

        Raises `ShardError` for a file that is truncated, damaged, or not the shard its name promises.
        """
        path = self.path(key)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as reason:
            raise ShardError(
                f"shard {path} cannot be read ({reason.strerror}); make it readable or delete it"
            ) from None
        try:
            return decode(key, data)
        except (ValueError, KeyError, TypeError, EOFError, RuntimeError, zipfile.BadZipFile) as reason:
            raise ShardError(f"shard {path} cannot be used: {reason}; delete it and run again") from None

    def run(
        self,
        make: Callable[[int, int], Simulation],
        first: int,
        replicates: int,
        *,
        reuse: bool = True,
        final: bool = False,
    ) -> Shard:
        """The block of replicates first .. first + replicates - 1: read if it is stored, else run to the end and saved.

        `make(first, replicates)` builds its simulation; `reuse=False` runs it again whatever is stored; `final` keeps
        the final state fields too.
        """
        simulation = make(first, replicates)
        key = key_of(simulation, final=final)
        stored = self.load(key) if reuse else None
        if stored is not None:
            return Shard(key, stored, False)
        curves = simulation.advance().curves()
        self.save(key, curves, final=final)
        return Shard(key, curves if final else dataclasses.replace(curves, final={}), True)


def encode(key: str, curves: Curves, *, final: bool = False) -> bytes:
    """The bytes of a shard: a function of the arguments alone."""
    arrays = {"checkpoints": curves.checkpoints} | {f"data.{k}": v for k, v in curves.data.items()}
    for name, probe in curves.probes.items():
        arrays |= {f"probe.{name}.{field}": getattr(probe, field) for field in PROBE}
    if final:
        arrays |= {f"final.{k}": v for k, v in curves.final.items()}
    meta = {
        "format": FORMAT,
        "key": key,
        "learner": curves.learner,
        "model": curves.model,
        "setting": curves.setting,
        "params": curves.params,
        "seed": curves.seed,
        "first": curves.first,
        "replicates": curves.replicates,
        "checkpoints": curves.checkpoints.size,
        "quantities": list(curves.data),
        "probes": list(curves.probes),
        "final": list(curves.final) if final else [],
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as z:
        # entries built by hand carry the fixed date 1980-01-01 in place of the clock's
        z.writestr(zipfile.ZipInfo("meta.json"), json.dumps(meta, indent=1, default=_number))
        for name, array in arrays.items():
            entry = io.BytesIO()
            little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
            np.lib.format.write_array(entry, little, version=(1, 0), allow_pickle=False)
            z.writestr(zipfile.ZipInfo(f"{name}.npy"), entry.getvalue())
        z.comment = SEAL + b"0" * 64
    body = out.getvalue()[:-64]
    return body + hashlib.sha256(body).hexdigest().encode()


def decode(key: str, data: bytes) -> Curves:
    """The curves in the bytes of a shard; `ValueError` and its like for bytes that are not those of `key`."""
    body, seal = data[:-64], data[-64:]
    if not body.endswith(SEAL):
        raise ValueError("it is truncated, or no shard of this store")
    if hashlib.sha256(body).hexdigest().encode() != seal:
        raise ValueError("its checksum does not fit its bytes")
    with zipfile.ZipFile(io.BytesIO(data)) as z:
        meta = json.loads(z.read("meta.json"))
        if meta["format"] != FORMAT or meta["key"] != key:
            raise ValueError(f"it holds the shard {meta['key']} of format {meta['format']}")

        def array(name: str) -> np.ndarray:
            # pickled arrays run code when they are read, so they are refused
            with z.open(f"{name}.npy") as entry:
                read: np.ndarray = np.lib.format.read_array(entry, allow_pickle=False)
            return read

        checkpoints = array("checkpoints")
        curves = Curves(
            learner=meta["learner"],
            model=meta["model"],
            setting=meta["setting"],
            checkpoints=checkpoints,
            data={k: array(f"data.{k}") for k in meta["quantities"]},
            final={k: array(f"final.{k}") for k in meta["final"]},
            probes={k: ProbeResult(*(array(f"probe.{k}.{field}") for field in PROBE)) for k in meta["probes"]},
            params=meta["params"],
            seed=meta["seed"],
            first=meta["first"],
        )
    shape = (meta["replicates"], meta["checkpoints"])
    if checkpoints.shape != shape[1:] or any(x.shape != shape for x in curves.data.values()):
        raise ValueError(f"its arrays do not have the shape {shape} that it declares")
    return curves


def _number(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{value!r} is no number")


def write_atomic(path: Path, data: bytes) -> None:
    """Make `path` hold exactly `data`, or leave it as it was; on return the file is on the disk.

    Raises `StoreFull` where there is no room and `InputError` for any other refusal of the system.
    """
    try:
        while not _write(path, data):
            pass
    except OSError as reason:
        raise refusal(path, len(data), reason) from None


def _write(path: Path, data: bytes) -> bool:
    """One attempt; False if a cleaner took the temporary in the moment before it was locked."""
    temporary = path.with_name(f".{path.name[:20]}.{secrets.token_hex(8)}.tmp")
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            pass  # a disk without locks: the temporary is left alone for a day
        if os.fstat(fd).st_nlink == 0:
            return False
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(fd, rest) :]
        os.fsync(fd)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    finally:
        os.close(fd)
    _sync_folder(path.parent)
    return True


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    except OSError as reason:
        if reason.errno not in (errno.EINVAL, errno.ENOTSUP):  # disks that keep folders without being asked
            raise
    finally:
        os.close(fd)


def _trial(folder: Path) -> None:
    """Make and remove an empty temporary: permissions alone do not tell a read-only disk."""
    temporary = folder / f".trial.{secrets.token_hex(8)}.tmp"
    os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666))
    with contextlib.suppress(FileNotFoundError):
        os.unlink(temporary)


def clean(folder: Path) -> None:
    """Remove the temporaries of dead writers from a folder; those of living ones, and all other files, stay."""
    for temporary in folder.iterdir():
        if TEMPORARY.fullmatch(temporary.name):
            with contextlib.suppress(OSError):  # another process may clean at the same time, or own the file
                _clean(temporary)


def _clean(temporary: Path) -> None:
    fd = os.open(temporary, os.O_RDWR | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        except OSError:
            if time.time() - os.fstat(fd).st_mtime < DAY:
                return
        # a writer renames while it holds the lock: what is locked here may no longer bear the temporary's name
        if os.stat(temporary).st_ino == os.fstat(fd).st_ino:
            os.unlink(temporary)
    finally:
        os.close(fd)


def refusal(path: Path, size: int, reason: OSError) -> InputError:
    """The error to raise for a refusal of the system to write `size` bytes to `path`."""
    what = os.strerror(reason.errno) if reason.errno else str(reason)
    if reason.errno in FULL:
        need = f" ({size} bytes)" if size else ""
        return StoreFull(
            f"no room for {path}{need}: {what}; what was finished is kept: free some space or raise the quota or the "
            "limit on file sizes, then run again"
        )
    return InputError(f"cannot write {path}: {what}; choose a folder that can be made and written")
