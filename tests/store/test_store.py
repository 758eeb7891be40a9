"""The store: what a key depends on, bytes that a key determines, files that come into being whole or not at all."""

from __future__ import annotations

import dataclasses
import errno
import fcntl
import hashlib
import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bandits.learners import ucb1
from theorylab.errors import InputError
from theorylab.kernel import kernel
from theorylab.learner import Learner
from theorylab.model import Bandit, FiniteHorizon
from theorylab.probe import Probe
from theorylab.registry import find_learner, find_model
from theorylab.simulation import Curves, Simulation
from theorylab.store import Store, StoreFull, encode, key_of

ROOT = Path(__file__).resolve().parents[2]
TWO_ARMS = Bandit(means=[0.5, 0.6], name="two arms")


@kernel
def more_than_one(st, p, tr, t):
    return tr.regret - 1.0


@kernel
def act_last(st, p, t, rng):
    return p.A - 1


def simulation(learner: Learner = ucb1.learner, model: Any = TWO_ARMS, **changes: Any) -> Simulation:
    given: dict[str, Any] = dict(replicates=3, length=20, target="python", checkpoints=[5, 20])
    return Simulation(learner, model, **{**given, **changes})


def make(first: int, replicates: int) -> Simulation:
    probe = Probe("more than one", more_than_one)
    return simulation(first=first, replicates=replicates, probes=[probe])


def same(a: Curves, b: Curves) -> None:
    assert (a.learner, a.model, a.setting, a.params, a.seed, a.first) == (
        b.learner,
        b.model,
        b.setting,
        b.params,
        b.seed,
        b.first,
    )
    assert np.array_equal(a.checkpoints, b.checkpoints) and a.checkpoints.dtype == b.checkpoints.dtype
    assert list(a.data) == list(b.data) and list(a.probes) == list(b.probes)
    for k in a.data:
        assert a.data[k].tobytes() == b.data[k].tobytes() and a.data[k].shape == b.data[k].shape
    for k in a.probes:
        for field in ("max", "first", "count"):
            x, y = getattr(a.probes[k], field), getattr(b.probes[k], field)
            assert x.dtype == y.dtype and x.tobytes() == y.tobytes()


def tree(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_shard_gives_back_what_was_saved(tmp_path: Path) -> None:
    store = Store(tmp_path / "new" / "store")
    curves = make(2, 3).advance().curves()
    key = key_of(make(2, 3))
    assert store.load(key) is None
    path = store.save(key, curves)
    assert path == tmp_path / "new" / "store" / key[:2] / f"{key}.npz"
    loaded = store.load(key)
    assert loaded is not None
    same(loaded, curves)
    assert loaded.final == {} and loaded.seconds == {}
    assert loaded.probes["more than one"].count.sum() > 0  # the probe has something to lose


def test_final_state_is_stored_on_request(tmp_path: Path) -> None:
    store = Store(tmp_path)
    curves = make(0, 3).advance().curves()
    store.save(key_of(make(0, 3), final=True), curves, final=True)
    loaded = store.load(key_of(make(0, 3), final=True))
    assert loaded is not None and set(loaded.final) == set(curves.final) == set(ucb1.learner.state)
    for k, v in curves.final.items():
        assert loaded.final[k].dtype == v.dtype and np.array_equal(loaded.final[k], v)
    shard = store.run(make, 0, 3, final=True)
    assert not shard.fresh and set(shard.curves.final) == set(curves.final)


def test_numpy_reads_a_shard(tmp_path: Path) -> None:
    store = Store(tmp_path)
    shard = store.run(make, 0, 3)
    with np.load(store.path(shard.key), allow_pickle=False) as z:
        assert np.array_equal(z["data.regret"], shard.curves["regret"])
        assert np.array_equal(z["checkpoints"], [5, 20])


def test_run_computes_once(tmp_path: Path) -> None:
    store = Store(tmp_path)
    first, second = store.run(make, 4, 2), store.run(make, 4, 2)
    assert first.fresh and not second.fresh and first.key == second.key
    same(first.curves, second.curves)
    assert first.curves.first == 4 and first.curves.replicates == 2
    before = tree(tmp_path)
    assert store.run(make, 4, 2, reuse=False).fresh and tree(tmp_path) == before


def test_bytes_are_the_same_in_another_process() -> None:
    """Another hash seed, another clock, another time zone."""
    code = (
        "import hashlib, sys; sys.path.insert(0, 'tests/store'); import test_store as t; s = t.make(0, 3); "
        "print(hashlib.sha256(t.encode(t.key_of(s), s.advance().curves())).hexdigest())"
    )
    here = hashlib.sha256(encode(key_of(make(0, 3)), make(0, 3).advance().curves())).hexdigest()
    for seed, zone in (("1", "UTC-11"), ("2", "UTC+11")):
        env = {**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "PYTHONPATH": str(ROOT)}
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True)
        assert done.stdout.strip() == here, done.stderr


LEARNER = """
from theorylab.kernel import kernel
from theorylab.learner import Learner, i8

STEP = 1

@kernel
def helper(a):
    return a + 0

@kernel
def begin(st, p):
    st.plays[0] = 0

@kernel
def act(st, p, t, rng):
    return helper(st.plays[0] % p.A)

@kernel
def learn(st, p, t, a, r):
    st.plays[0] += STEP

learner = Learner(name="in turn", setting="bandit", begin=begin, act=act, learn=learn, state=dict(plays=i8[1]))
"""


def learner_from(path: Path, source: str) -> Learner:
    path.write_text(source, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    learner: Learner = module.learner
    return learner


def test_what_determines_the_bits_changes_the_key() -> None:
    keys = {
        "as is": key_of(simulation()),
        "parameter": key_of(simulation(params={"scale": 0.5})),
        "seed": key_of(simulation(seed=1)),
        "first": key_of(simulation(first=3)),
        "replicates": key_of(simulation(replicates=2)),
        "length": key_of(simulation(length=21)),
        "checkpoints": key_of(simulation(checkpoints=[5, 6, 20])),
        "means": key_of(simulation(model=Bandit(means=[0.5, np.nextafter(0.6, 1)], name="two arms"))),
        "label of the model": key_of(simulation(model=Bandit(means=[0.5, 0.6], name="other"))),
        "kernel": key_of(simulation(dataclasses.replace(ucb1.learner, act=act_last))),
        "learner's name": key_of(simulation(dataclasses.replace(ucb1.learner, name="ucb2"))),
        "probe": key_of(simulation(probes=[Probe("a", more_than_one)])),
        "label of the probe": key_of(simulation(probes=[Probe("b", more_than_one)])),
        "tolerance": key_of(simulation(probes=[Probe("b", more_than_one, tol=0.5)])),
        "table": key_of(simulation(tables={"bound": np.ones(3)})),
        "other table": key_of(simulation(tables={"bound": np.full(3, 2.0)})),
        "final": key_of(simulation(), final=True),
    }
    assert len(set(keys.values())) == len(keys), keys


def test_exact_evaluation_changes_the_key() -> None:
    model = dataclasses.replace(find_model("riverswim")(states=3), criterion=FiniteHorizon(2))
    learner = find_learner("ucb-h", "episodic")
    assert key_of(simulation(learner, model, exact=True)) != key_of(simulation(learner, model, exact=False))


def test_the_source_of_a_kernel_changes_the_key(tmp_path: Path) -> None:
    """A copy in another file has the same key; an edit of a kernel, of one it calls or of a constant has not."""
    edits = [("", ""), ("", ""), ("% p.A", "% 2"), ("return a + 0", "return a + 0 * a"), ("STEP = 1", "STEP = 3")]
    keys = []
    for i, (old, new) in enumerate(edits):
        assert old in LEARNER
        keys.append(key_of(simulation(learner_from(tmp_path / f"copy{i}.py", LEARNER.replace(old, new, 1)))))
    assert keys[0] == keys[1] and len(set(keys)) == 4


@pytest.mark.parametrize("change", [{"threads": 1}, {"threads": 7}], ids=str)
def test_what_does_not_determine_the_bits_leaves_the_key(change: dict[str, Any]) -> None:
    assert key_of(simulation(**change)) == key_of(simulation())


@pytest.mark.parametrize("key", ["", "../../x", "ab", "A" * 64, "g" * 64, "0" * 63])
def test_a_key_is_64_hexadecimal_digits(tmp_path: Path, key: str) -> None:
    with pytest.raises(InputError, match="64 hexadecimal digits"):
        Store(tmp_path).load(key)


def test_a_root_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for root in (tmp_path / "file", tmp_path / "file" / "store"):
        with pytest.raises(InputError, match=r"cannot write .*file.*: .*; choose a folder") as caught:
            Store(root)
        assert str(root) in str(caught.value)


def test_a_root_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.open

    def refuse(path: Any, flags: int, *args: Any, **more: Any) -> int:
        if flags & os.O_CREAT:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        return real(path, flags, *args, **more)

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(InputError, match=f"cannot write {tmp_path}: Read-only file system; choose a folder"):
        Store(tmp_path)


def test_a_folder_that_is_in_the_way_is_named(tmp_path: Path) -> None:
    store = Store(tmp_path)
    key = key_of(make(0, 3))
    (tmp_path / key[:2]).write_text("")
    with pytest.raises(InputError, match=f"{key}.npz cannot be read .Not a directory"):
        store.run(make, 0, 3)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
@pytest.mark.parametrize("call", ["write", "fsync", "replace", "open"])
def test_a_full_disk_leaves_no_part_of_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, number: int
) -> None:
    store = Store(tmp_path)
    store.run(make, 0, 2)
    key = key_of(make(2, 2))
    # the folder is there, so that what fails is the file
    store.path(key).parent.mkdir(exist_ok=True)
    before, real_write, real_open = tree(tmp_path), os.write, os.open

    def full(*args: Any, **more: Any) -> Any:
        if call == "write" and len(args[1]) > 100:  # some bytes still fit
            return real_write(args[0], args[1][:100])
        if call == "open" and not args[1] & os.O_CREAT:
            return real_open(*args, **more)
        raise OSError(number, os.strerror(number))

    wrote: list[int] = []
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", lambda fd: None)
        if call == "write":

            def some(fd: int, data: Any) -> int:
                if sum(wrote) >= 300:
                    return int(full(fd, data[:1]))
                wrote.append(int(full(fd, data)))
                return wrote[-1]

            patch.setattr(os, "write", some)
        elif call == "fsync":
            inode = store.path(key).parent.stat().st_ino  # the folder's own flush comes before the file's
            patch.setattr(os, "fsync", lambda fd: None if os.fstat(fd).st_ino != inode and _folder(fd) else full())
        else:
            patch.setattr(os, call, full)
        with pytest.raises(StoreFull, match=f"no room for .*{key}.npz .*free some space"):
            store.run(make, 2, 2)
    assert call != "write" or sum(wrote) == 300
    assert tree(tmp_path) == before
    assert not store.run(make, 0, 2).fresh and store.run(make, 2, 2).fresh


def _folder(fd: int) -> bool:
    import stat

    return stat.S_ISDIR(os.fstat(fd).st_mode)


def test_an_interrupt_leaves_no_part_of_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*args: Any) -> None:
        raise KeyboardInterrupt

    store = Store(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", interrupt)
        with pytest.raises(KeyboardInterrupt):
            store.run(make, 0, 2)
    assert tree(tmp_path) == {}


def leftovers(root: Path) -> list[Path]:
    names = [root / f".{'ab' * 10}.{'0' * 16}.tmp", root / "ab" / f".{'ab' * 10}.{'1' * 16}.tmp"]
    names[1].parent.mkdir()
    for name in names:
        name.write_bytes(b"half")
    return names


def test_what_killed_writers_left_is_removed(tmp_path: Path) -> None:
    left = leftovers(tmp_path)
    others = [tmp_path / ".note.tmp", tmp_path / "ab" / "x.npz", tmp_path / "notes" / left[0].name]
    others[2].parent.mkdir()
    for other in others:
        other.write_bytes(b"mine")
    Store(tmp_path)
    assert not any(p.exists() for p in left) and all(p.exists() for p in others)


def test_the_temporary_of_a_living_writer_stays(tmp_path: Path) -> None:
    left = leftovers(tmp_path)
    with left[1].open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        Store(tmp_path)
        assert not left[0].exists() and left[1].exists()
    Store(tmp_path)
    assert not left[1].exists()


def test_without_locks_only_old_temporaries_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_locks(*args: Any) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", no_locks)
    left = leftovers(tmp_path)
    os.utime(left[0], (1e9, 1e9))
    store = Store(tmp_path)
    assert not left[0].exists() and left[1].exists()
    assert store.run(make, 0, 2).fresh and not store.run(make, 0, 2).fresh


def test_a_writer_whose_temporary_was_cleaned_away_begins_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cleaner may come in the moment between the making of a temporary and its lock."""
    real, took = fcntl.flock, []

    def late(fd: int, flags: int) -> None:
        if len(took) < 2:
            took.extend(p for p in tmp_path.rglob(".*.tmp"))
            took[-1].unlink()
        real(fd, flags)

    store = Store(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(fcntl, "flock", late)
        shard = store.run(make, 0, 2)
    assert (
        len(took) == 2
        and not store.run(make, 0, 2).fresh
        and list(tree(tmp_path)) == [f"{shard.key[:2]}/{shard.key}.npz"]
    )
