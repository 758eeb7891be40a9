"""Files that are not the shard their name promises: truncated, flipped, foreign, pickled. Each is refused by name."""

from __future__ import annotations

import hashlib
import io
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bandits.learners import ucb1
from theorylab.errors import ShardError
from theorylab.model import Bandit
from theorylab.simulation import Simulation
from theorylab.store import SEAL, Store, decode


def make(first: int, replicates: int) -> Simulation:
    model = Bandit(means=[0.5, 0.6], name="two arms")
    return Simulation(ucb1.learner, model, replicates=replicates, first=first, length=9, target="python")


@pytest.fixture
def shard(tmp_path: Path) -> tuple[Store, str, Path]:
    store = Store(tmp_path)
    key = store.run(make, 0, 2).key
    return store, key, store.path(key)


def refused(shard: tuple[Store, str, Path], why: str = "") -> None:
    """Refused by `load` and `run` alike, with the file, the reason and the mend; deleted, it is computed again."""
    store, key, path = shard
    for attempt in (lambda: store.load(key), lambda: store.run(make, 0, 2)):
        with pytest.raises(ShardError, match="delete it and run again") as caught:
            attempt()
        assert str(path) in str(caught.value) and why in str(caught.value)
    path.unlink()
    assert store.run(make, 0, 2).fresh and store.load(key) is not None


@pytest.mark.parametrize("tenth", range(10))
def test_a_truncated_file(shard: tuple[Store, str, Path], tenth: int) -> None:
    data = shard[2].read_bytes()
    shard[2].write_bytes(data[: len(data) * tenth // 10])
    refused(shard, "truncated")


def test_every_truncation_and_an_added_byte(shard: tuple[Store, str, Path]) -> None:
    _, key, path = shard
    data = path.read_bytes()
    decode(key, data)
    for n in range(len(data)):
        with pytest.raises(ValueError):
            decode(key, data[:n])
    with pytest.raises(ValueError):
        decode(key, data + b"\0")


def test_a_flipped_byte(shard: tuple[Store, str, Path]) -> None:
    data = bytearray(shard[2].read_bytes())
    data[len(data) // 2] ^= 1
    shard[2].write_bytes(data)
    refused(shard, "checksum")


def test_every_flipped_byte(shard: tuple[Store, str, Path]) -> None:
    _, key, path = shard
    data = bytearray(path.read_bytes())
    for i in range(len(data)):
        data[i] ^= 1 << i % 8
        with pytest.raises(ValueError):
            decode(key, bytes(data))
        data[i] ^= 1 << i % 8
    decode(key, bytes(data))


def test_the_shard_of_another_block(shard: tuple[Store, str, Path]) -> None:
    store, _, path = shard
    other = store.run(make, 2, 2).key
    shutil.copyfile(store.path(other), path)
    refused(shard, f"holds the shard {other}")


def test_a_foreign_npz(shard: tuple[Store, str, Path]) -> None:
    np.savez(shard[2], regret=np.zeros((2, 9)))
    refused(shard, "no shard of this store")


def test_a_pickled_npz(shard: tuple[Store, str, Path], tmp_path: Path) -> None:
    np.savez(shard[2], regret=np.array([Bomb(tmp_path / "went off")], dtype=object))
    refused(shard)
    assert not (tmp_path / "went off").exists()


class Bomb:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[[Path], None], tuple[Path]]:
        return Path.touch, (self.path,)


def sealed(path: Path, changes: dict[str, bytes | None]) -> None:
    """Rewrite entries (None: leave one out) and give the file a checksum that fits."""
    with zipfile.ZipFile(path) as z:
        entries: dict[str, bytes | None] = {name: z.read(name) for name in z.namelist()}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        for name, data in (entries | changes).items():
            if data is not None:
                z.writestr(zipfile.ZipInfo(name), data)
        z.comment = SEAL + b"0" * 64
    body = out.getvalue()[:-64]
    path.write_bytes(body + hashlib.sha256(body).hexdigest().encode())


def npy(array: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


def test_pickled_arrays_under_a_good_checksum(shard: tuple[Store, str, Path], tmp_path: Path) -> None:
    sealed(shard[2], {"data.regret.npy": npy(np.array([Bomb(tmp_path / "went off")], dtype=object))})
    refused(shard, "Object arrays")
    assert not (tmp_path / "went off").exists()


@pytest.mark.parametrize("entry", ["meta.json", "checkpoints.npy", "data.regret.npy"])
def test_a_missing_entry_under_a_good_checksum(shard: tuple[Store, str, Path], entry: str) -> None:
    sealed(shard[2], {entry: None})
    refused(shard, entry)


def test_other_meta_and_shapes_under_a_good_checksum(shard: tuple[Store, str, Path]) -> None:
    sealed(shard[2], {"meta.json": b"[]"})
    refused(shard)
    sealed(shard[2], {"data.regret.npy": npy(np.zeros((3, 9)))})
    refused(shard, "shape")
    sealed(shard[2], {})  # the helper itself changes nothing that matters
    assert shard[0].load(shard[1]) is not None


def test_a_folder_in_place_of_a_file(shard: tuple[Store, str, Path]) -> None:
    store, key, path = shard
    path.unlink()
    path.mkdir()
    with pytest.raises(ShardError, match="cannot be read"):
        store.load(key)
