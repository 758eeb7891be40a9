"""The command line as a process of its own: what it imports, exit codes, and a study that is killed and run again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STUDY = """
name = "killed"
replicates = 20
block = 1
target = "python"
[[learners]]
name = "ucb1"
[[models]]
family = "bernoulli"
params = { means = [0.5, 0.4, 0.3] }
length = 8000
"""
HEAVY = ("numpy", "scipy", "numba", "matplotlib", "cvxpy", "gymnasium", "msgspec")
LIGHT = f"""
import sys
from theorylab.cli import main
sys.argv = ["theorylab", *sys.argv[1:]]
try:
    main()
except SystemExit as end:
    print("exit", end.code, [m for m in {HEAVY!r} if m in sys.modules], file=sys.stderr)
"""


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def theorylab(*args: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "theorylab", *(str(a) for a in args)]
    return subprocess.run(command, cwd=cwd, env=environment(), capture_output=True, text=True)


def tree(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_help_imports_nothing_heavy() -> None:
    for args in (["--help"], ["check", "--help"], ["run", "--help"]):
        done = subprocess.run(
            [sys.executable, "-c", LIGHT, *args], cwd=ROOT, env=environment(), capture_output=True, text=True
        )
        assert done.stderr.splitlines()[-1] == "exit 0 []", done.stderr
        assert "Usage:" in done.stdout
    # the same question does find what is imported
    done = subprocess.run(
        [sys.executable, "-c", LIGHT, "list"], cwd=ROOT, env=environment(), capture_output=True, text=True
    )
    assert "'numpy'" in done.stderr.splitlines()[-1]


def test_check_from_another_folder(tmp_path: Path) -> None:
    small = ["--model", "bernoulli", "--length", "20", "--target", "python"]
    done = theorylab("check", "auer2002.sums", *small, "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)[0]["verdict"] == "NO VIOLATION FOUND"
    wrong = theorylab("check", "auer2002.sum", *small, cwd=tmp_path)
    assert (wrong.returncode, wrong.stdout) == (2, "") and "Traceback" not in wrong.stderr
    assert wrong.stderr == "theorylab: unknown claim 'auer2002.sum'; nearest: auer2002.sums\n" or (
        wrong.stderr.count("\n") == 1 and "nearest: auer2002.sums" in wrong.stderr
    )
    assert not list(tmp_path.iterdir())  # nothing is left behind


def test_a_run_that_is_killed_goes_on(tmp_path: Path) -> None:
    study, whole, broken = tmp_path / "killed.toml", tmp_path / "whole", tmp_path / "broken"
    study.write_text(STUDY)
    assert theorylab("run", study, "--out", whole, cwd=tmp_path).returncode == 0
    command = [sys.executable, "-m", "theorylab", "run", str(study), "--out", str(broken)]
    process = subprocess.Popen(command, cwd=tmp_path, env=environment(), stdout=subprocess.DEVNULL)
    while process.poll() is None and not list(broken.glob("shards/*/*.npz")):
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    done = tree(broken)
    assert 0 < sum(k.endswith(".npz") for k in done) < 20 and "manifest.json" not in done
    again = theorylab("run", study, "--out", broken, cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert tree(broken) == tree(whole)
