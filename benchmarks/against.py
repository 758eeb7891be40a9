"""Against the packages where people run these algorithms today: `python -m benchmarks.against [--make] [--quick]`.

`--make` first creates an environment a peer under `.peers/` (see `peers/requirements.txt`). Each peer runs in a process
of its own, in its own interface, on the same problem; library and peer alternate, CPU time of one thread, compilation
and imports excluded on both sides. A ratio is formed within a pair: seconds a replicate of the peer over those of the
library, at R = 1 and at R = 128. The peers do not compute the same numbers: other generators, other constants in the
bonus (docs: the notes below the table). A peer that is not installed is left out with a line that says so.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.loops import Case, bandit, cpu_clock, dirichlet, library, riverswim
from benchmarks.tables import header

HERE = Path(__file__).parent
FOLDER = HERE.parent / ".peers"
RESULTS = HERE / "results" / "peers.md"
REPLICATES = 128


@dataclass(frozen=True)
class Task:
    """One algorithm: the library's case, the peers that have it, and the length at which a peer is run."""

    case: Case
    peers: tuple[str, ...]
    peer_length: int


TASKS = (
    Task(
        Case(
            "ucbvi-ch",
            "S=20 A=4 H=20, K=1000, scale=.01",
            dirichlet,
            dict(episodes=1000, exact=False, params={"scale": 0.01}),
            None,
            1000,
            20_000,
        ),
        ("rlberry_scool",),
        100,
    ),
    Task(
        Case("ucrl2", "RiverSwim-6, T=1e5", riverswim, dict(steps=100_000), None, 100_000, 100_000),
        ("statisticalrl",),
        100_000,
    ),
    Task(
        Case("ucb1", "10 Bernoulli arms, T=1e4", bandit, dict(rounds=10_000), None, 10_000, 10_000),
        ("statisticalrl", "smpybandits"),
        10_000,
    ),
    Task(
        Case("thompson", "10 Bernoulli arms, T=1e4", bandit, dict(rounds=10_000), None, 10_000, 10_000),
        ("statisticalrl", "smpybandits"),
        10_000,
    ),
)
NOTES = (
    "rlberry-scool's UCBVI has a simplified bonus without logarithms and replans every episode; it is run for 100 "
    "episodes and its time is scaled to 1,000, since every episode costs the same.",
    "statisticalRL's UCRL2 has delta = 0.1 and rewards 0.1 and 1 at the ends of its RiverSwim; UCB has width "
    "sqrt(ln(t^2)/(2 N)).",
    "SMPyBandits' policies are run in a loop of two lines (choose, draw, update), not in its evaluator.",
)


def requirements() -> dict[str, list[str]]:
    """Peer -> what its environment holds."""
    lines = (HERE / "peers" / "requirements.txt").read_text().splitlines()
    pairs = (line.split(":", 1) for line in lines if line and not line.startswith("#"))
    return {name: packages.split() for name, packages in pairs}


def python_of(peer: str) -> Path:
    """The interpreter of a peer's environment."""
    return FOLDER / peer / "bin" / "python"


def make() -> None:
    """Create the environments; one that cannot be installed is said so and left out."""
    for peer, packages in requirements().items():
        if python_of(peer).exists():
            continue
        venv.create(FOLDER / peer, with_pip=True)
        done = subprocess.run([str(python_of(peer)), "-m", "pip", "install", "-q", *packages], check=False)
        if done.returncode:
            print(f"{peer}: not installed", file=sys.stderr)
            python_of(peer).unlink()


def seconds_of(peer: str, arrays: Path, task: Task) -> tuple[float, str]:
    """CPU seconds of one replicate of the peer, scaled to the case's length, and its version."""
    script = str(HERE / "peers" / f"on_{peer}.py")
    command = [str(python_of(peer)), script, str(arrays), task.case.learner, str(task.peer_length)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found = json.loads(done.stdout.splitlines()[-1])
    return float(found["seconds"]) * task.case.length / task.peer_length, str(found["version"])


def arrays_of(model: Any, path: Path) -> None:
    """The model as plain arrays."""
    if hasattr(model, "means"):
        np.savez(path, means=model.means)
    else:
        np.savez(path, P=model.P, r=model.r, H=getattr(model.criterion, "H", 0))


def rows(task: Task, pairs: int) -> list[str]:
    """Lines of the table for one task: a line a peer."""
    model = task.case.model()
    for replicates in (1, REPLICATES):
        library(task.case, model, replicates)  # compiles
    out = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "arrays.npz"
        arrays_of(model, path)
        for peer in task.peers:
            if not python_of(peer).exists():
                out.append(f"| {task.case.learner} | {task.case.text} | {peer} | not installed | | | | | |")
                continue
            ours: dict[int, list[float]] = {1: [], REPLICATES: []}
            theirs: list[float] = []
            version = ""
            for _ in range(pairs):
                seconds, version = seconds_of(peer, path, task)
                theirs.append(seconds)
                with cpu_clock():
                    for replicates, times in ours.items():
                        times.append(library(task.case, model, replicates).seconds["loop"] / replicates)
            single = [b / a for a, b in zip(ours[1], theirs, strict=True)]
            many = [b / a for a, b in zip(ours[REPLICATES], theirs, strict=True)]
            out.append(
                f"| {task.case.learner} | {task.case.text} | {version} | {statistics.median(theirs):.3g} "
                f"| {statistics.median(ours[1]):.3g} | {statistics.median(ours[REPLICATES]):.3g} "
                f"| {statistics.median(single):,.0f} | {min(single):,.0f} - {max(single):,.0f} "
                f"| {statistics.median(many):,.0f} |"
            )
    return out


def main(arguments: list[str]) -> None:
    """Make, measure, print, write."""
    if "--make" in arguments:
        make()
    quick = "--quick" in arguments
    lines = [
        *header("Against other packages"),
        "CPU seconds a replicate, one thread, imports and compilation excluded; library and peer alternate; the ratio "
        "is formed within a pair.",
        "",
        f"| learner | case | peer | peer, s | library R=1, s | library R={REPLICATES}, s a replicate "
        f"| ratio R=1, median | min - max | ratio R={REPLICATES} |",
        "|---|---|---|---:|---:|---:|---:|---|---:|",
    ]
    print("\n".join(lines), flush=True)
    for task in TASKS:
        for line in rows(task, 2 if quick else 5):
            print(line, flush=True)
            lines.append(line)
    lines += ["", *(f"- {note}" for note in NOTES)]
    if not quick:
        RESULTS.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
