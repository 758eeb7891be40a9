"""Studies that are killed or run out of room and are started again: the folder ends up byte for byte the same.

A driver process imports once and forks a child for every case, so that SIGKILL, file-size limits and patched system
calls reach the child alone. The python target starts no threads, hence the forks are safe.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from theorylab.study import Study, execute

ROOT = Path(__file__).resolve().parents[2]
TEXT = """
name = "interrupted"
replicates = 3
block = 2
target = "python"
[[learners]]
name = "ucb1"
[[models]]
family = "bernoulli"
lengths = [5, 60]
"""
WRITES = 7  # study.json, four shards, summary.csv, manifest.json

#: cases(): a list of [name, out, n]; each runs in a fork and its exit status is recorded, -9 for SIGKILL
DRIVER = '''
import json, os, resource, signal, sys, time
from theorylab.engines import worker
from theorylab.errors import InputError
from theorylab.store import StoreFull
from theorylab.study import Study, execute

text, cases = json.loads(sys.stdin.read())
study = Study.parse(text)
real = {k: getattr(os, k) for k in ("replace", "write", "fsync", "unlink", "open")}

def kill():
    os.kill(os.getpid(), signal.SIGKILL)

def at(call, n, act):
    """Let `act` stand in for the n-th use of a call."""
    uses = []
    def patched(*args, **more):
        uses.append(args)
        return act(*args, **more) if len(uses) == n else real[call](*args, **more)
    setattr(os, call, patched)

def then_kill(call):
    def act(*args, **more):
        real[call](*args, **more)
        kill()
    return act

def half(fd, data):
    real["write"](fd, data[: len(data) // 2])
    kill()

def child(name, out, n):
    if name == "after replace":
        at("replace", n, then_kill("replace"))
    elif name == "before replace":
        at("replace", n, lambda *args: kill())
    elif name == "half written":
        at("write", n, half)
    elif name == "temporary made":
        at("open", n, then_kill("open"))
    elif name == "limit":
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (n, n))
    if name == "worker":
        worker(study, out, n, 2)
    else:
        execute(study, out)

def fork(case):
    pid = os.fork()
    if pid:
        return pid
    code = 70
    try:
        child(*case)
        code = 0
    except StoreFull as error:
        open(case[1] + ".error", "w").write(str(error))
        code = 28
    finally:
        os._exit(code)

def status(pid):
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

out = []
for case in cases:
    if case[0] == "at once":  # n processes in one folder
        pids = [fork(case) for _ in range(case[2])]
        out.append(max(status(p) for p in pids))
    elif case[0] == "kill later":  # kill again and again, a little later each time, until one run ends by itself
        tries = 0
        while True:
            pid = fork(case)
            time.sleep(tries * case[2] / 1e4)
            os.kill(pid, signal.SIGKILL)
            if status(pid) == 0:
                break
            tries += 1
        out.append(tries)
    else:
        out.append(status(fork(case)))
print(json.dumps(out))
'''


def drive(cases: list[tuple[str, Path, int]], text: str = TEXT) -> list[int]:
    sent = json.dumps([text, [(name, str(out), n) for name, out, n in cases]])
    done = subprocess.run([sys.executable, "-c", DRIVER], cwd=ROOT, input=sent, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    statuses: list[int] = json.loads(done.stdout)
    return statuses


def tree(folder: Path) -> dict[str, bytes | None]:
    """Every file with its bytes, every folder with None."""
    return {str(p.relative_to(folder)): p.read_bytes() if p.is_file() else None for p in folder.rglob("*")}


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes | None]:
    out = tmp_path_factory.mktemp("undisturbed")
    execute(Study.parse(TEXT), out)
    files = tree(out)
    assert sum(data is not None for data in files.values()) == WRITES
    return files


@pytest.mark.parametrize("moment", ["after replace", "before replace", "half written"])
def test_killed_at_every_write(tmp_path: Path, expected: dict[str, bytes | None], moment: str) -> None:
    cases = [(moment, tmp_path / str(n), n) for n in range(1, WRITES + 2)]
    # one more than there are writes: that run is not killed
    assert drive(cases) == [-signal.SIGKILL] * WRITES + [0]
    for _, out, n in cases:
        before = tree(out)
        left = [name for name in before if name.endswith(".tmp")]
        assert len(left) == (0 if moment == "after replace" or n > WRITES else 1)
        assert all(before[name] == expected[name] for name in before if name not in left)
        assert (before == expected) == (n > WRITES or (moment, n) == ("after replace", WRITES))
        execute(Study.parse(TEXT), out)
        assert tree(out) == expected


def test_killed_at_every_opening_of_a_file(tmp_path: Path, expected: dict[str, bytes | None]) -> None:
    cases = [("temporary made", tmp_path / str(n), n) for n in range(1, 30)]
    statuses = drive(cases)
    # each file takes a temporary and a flush of its folder; each shard the root's flush; opening a store a trial
    assert statuses.count(-signal.SIGKILL) >= 2 * WRITES and set(statuses) == {0, -signal.SIGKILL}
    for _, out, _ in cases:
        execute(Study.parse(TEXT), out)
        assert tree(out) == expected


def test_killed_again_and_again(tmp_path: Path, expected: dict[str, bytes | None]) -> None:
    """At moments that nobody chose: the first comes at once, each further one about a millisecond later."""
    tries = drive([("kill later", tmp_path / str(n), n) for n in (7, 11)])
    assert min(tries) >= 1
    for n in (7, 11):
        assert tree(tmp_path / str(n)) == expected


def test_killed_from_outside(tmp_path: Path, expected: dict[str, bytes | None]) -> None:
    code = (
        "import sys; from theorylab.study import Study, execute; "
        "execute(Study.parse(sys.argv[1]), sys.argv[2], progress=lambda *step: print(*step, flush=True))"
    )
    command = [sys.executable, "-c", code, TEXT, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("1 4 ")
        process.kill()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.count("\n") == 4, done.stderr
    assert tree(tmp_path) == expected


def test_processes_in_one_folder(tmp_path: Path, expected: dict[str, bytes | None]) -> None:
    cases: list[tuple[str, Path, int]] = [("at once", tmp_path / str(n), 4) for n in range(5)]
    assert drive(cases) == [0] * 5
    for _, out, _ in cases:
        assert tree(out) == expected


def test_a_killed_worker(tmp_path: Path, expected: dict[str, bytes | None]) -> None:
    out = tmp_path / "out"
    assert drive([("half written", out, 3), ("worker", out, 1), ("worker", out, 0)]) == [-signal.SIGKILL, 0, 0]
    assert [n for n in tree(out) if n.endswith(".tmp")] == []
    assert not (out / "manifest.json").exists()
    execute(Study.parse(TEXT), out)
    assert tree(out) == expected


def test_no_room(tmp_path: Path, expected: dict[str, bytes | None]) -> None:
    """A real limit on the size of files: the run stops at the first file above it and names it; nothing is half there.

    The limits are the sizes of the files, less one byte: so each of them is once the file that does not fit.
    """
    sizes = {name: len(data) for name, data in expected.items() if data is not None}
    cases = [("limit", tmp_path / str(size), size - 1) for size in sorted(set(sizes.values()))]
    statuses = drive([*cases, ("limit", tmp_path / "enough", max(sizes.values()))])
    assert statuses == [28] * len(cases) + [0] and tree(tmp_path / "enough") == expected
    blamed = set()
    for _, out, limit in cases:
        error = (tmp_path / f"{out.name}.error").read_text()
        assert error.startswith("no room for ") and "File too large" in error and "then run again" in error
        name = str(Path(error.split()[3]).relative_to(out))
        assert sizes[name] > limit
        blamed.add(name)
        before: dict[str, Any] = {k: v for k, v in tree(out).items() if v is not None}
        assert name not in before and all(before[k] == expected[k] for k in before)
        assert not before or max(len(v) for v in before.values()) <= limit
        execute(Study.parse(TEXT), out)
        assert tree(out) == expected
    assert len(blamed) > 1
