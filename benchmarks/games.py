"""Solvers of games against peers: `python -m benchmarks.games [--make] [--quick]`.

OpenSpiel, LiteEFG, and CFR on the tree by hand; Leduc poker and four-sided Liar's Dice. CPU seconds of one thread an
iteration, imports, trees and compilation excluded on both sides; library and peer alternate, a ratio is formed within a
pair. The library runs one replicate, and 64 at once (of MMD, 64 stepsizes), whose time is given for each. `--make`
first creates an environment a peer under `.peers/`. A second table has the largest games that are held exactly: time to
build, bytes of the arrays, times of an iteration and of one exploitability. Tables to results/games.md.
"""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import mdps
from benchmarks.against import HERE, make, python_of
from benchmarks.limits import cfr_tree
from benchmarks.loops import cpu_clock
from benchmarks.tables import header
from theorylab.games import exploitability, uniform_policy
from theorylab.games.layout import layout
from theorylab.run import run

RESULTS = HERE / "results" / "games.md"
REPLICATES = 64
GAMES: dict[str, tuple[Callable[[], Any], str]] = {
    "Leduc": (mdps.games.leduc, "leduc_poker"),
    "Liar's Dice, 4 sides": (lambda: mdps.games.liars_dice(4), "liars_dice(numdice=1,dice_sides=4)"),
}


@dataclass(frozen=True)
class Task:
    """A solver: iterations of the library, its parameters, what differs between 64 runs, and peers with iterations."""

    learner: str
    iterations: int
    params: dict[str, Any]
    many: dict[str, Any]
    peers: tuple[tuple[str, str, int], ...]


STEPS = np.geomspace(0.01, 1.0, REPLICATES)
TASKS = (
    Task("cfr", 1000, {}, {"random": 1}, (
        ("tree by hand", "cfr", 300), ("liteefg", "cfr", 300), ("openspiel", "cfr-c++", 30),
        ("openspiel", "cfr-python", 3),
    )),
    Task("cfr-plus", 1000, {}, {"random": 1}, (
        ("liteefg", "cfr-plus", 300), ("openspiel", "cfr-plus-c++", 30), ("openspiel", "cfr-plus-python", 3),
    )),
    Task("mmd", 1000, {"eta": 0.1, "alpha": 1.0}, {"etas": STEPS, "alpha": 1.0}, (("liteefg", "mmd", 300),)),
    Task("mmd-dilated", 1000, {"alpha": 0.1}, {"alphas": STEPS}, (("openspiel", "mmd-dilated-python", 10),)),
)  # fmt: skip
CALLS = (
    ("liteefg", "exploitability", 300),
    ("openspiel", "exploitability-c++", 10),
    ("openspiel", "exploitability-python", 3),
)
LARGE: dict[str, Callable[[], Any]] = {
    "liars_dice(5)": lambda: mdps.games.liars_dice(5),
    "dark_hex(columns=3), abrupt 2x3": lambda: mdps.games.dark_hex(columns=3),
    "hanabi_small()": mdps.games.hanabi_small,
    "liars_dice(6)": lambda: mdps.games.liars_dice(6),
}


def solver(learner: str, game: Any, iterations: int, replicates: int, params: dict[str, Any]) -> tuple[float, float]:
    """CPU seconds an iteration of a replicate, and the exploitability at the end (mean over replicates)."""
    with cpu_clock():
        curves = run(
            learner,
            game,
            iterations=iterations,
            replicates=replicates,
            checkpoints=[iterations],
            params=params,
            threads=1,
        )
    return curves.seconds["loop"] / iterations / replicates, float(curves["exploitability"].mean())


def peer_of(peer: str, task: str, game: Any, name: str, iterations: int) -> tuple[float, float, str]:
    """Seconds an iteration of a peer, what it reached, and its version."""
    if peer == "tree by hand":
        started = time.process_time()
        policy = cfr_tree.solve(game, iterations)
        return (time.process_time() - started) / iterations, exploitability(game, policy), peer
    command = [str(python_of(peer)), str(HERE / "peers" / f"on_{peer}.py"), name, task, str(iterations)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found = json.loads(done.stdout.splitlines()[-1])
    return float(found["seconds"]), float(found["value"]), f"{found['version']}, {task}"


def call_time(game: Any, calls: int) -> float:
    """CPU seconds of one call of `exploitability` on the uniform policy, with the check of its entries."""
    policy = uniform_policy(game)
    started = time.process_time()
    for _ in range(calls):
        exploitability(game, policy)
    return (time.process_time() - started) / calls


def lines_of(label: str, game: Any, name: str, task: Task, pairs: int) -> list[str]:
    """Lines of the first table: a line a peer."""
    for replicates, params in ((1, task.params), (REPLICATES, task.many)):
        solver(task.learner, game, 2, replicates, params)  # compiles
    cfr_tree.solve(game, 1)
    out = []
    for peer, what, iterations in task.peers:
        if peer != "tree by hand" and not python_of(peer).exists():
            out.append(f"| {label} | {task.learner} | {peer} | not installed | | | | | |")
            continue
        theirs, alone, many, version = [], [], [], ""
        for _ in range(pairs):
            seconds, _, version = peer_of(peer, what, game, name, iterations)
            theirs.append(seconds)
            alone.append(solver(task.learner, game, task.iterations, 1, task.params)[0])
            many.append(solver(task.learner, game, task.iterations // 10, REPLICATES, task.many)[0])
        out.append(row(label, task.learner, version, theirs, alone, many))
    return out


def row(label: str, what: str, version: str, theirs: list[float], alone: list[float], many: list[float]) -> str:
    """One line: medians in microseconds, ratios within pairs."""
    ratios = [b / a for a, b in zip(alone, theirs, strict=True)]
    together = [b / a for a, b in zip(many, theirs, strict=True)]
    share = statistics.median(m / a for a, m in zip(alone, many, strict=True))
    micro = [f"{1e6 * statistics.median(x):,.1f}" for x in (theirs, alone, many)]
    return (
        f"| {label} | {what} | {version} | {micro[0]} | {micro[1]} | {micro[2]} | {statistics.median(ratios):,.1f} "
        f"({min(ratios):,.1f} - {max(ratios):,.1f}) | {statistics.median(together):,.0f} | {share:.2f} |"
    )


def calls(label: str, game: Any, name: str, pairs: int) -> list[str]:
    """Lines of exploitability calls."""
    call_time(game, 3)
    out = []
    for peer, what, count in CALLS:
        if not python_of(peer).exists():
            out.append(f"| {label} | exploitability | {peer} | not installed | | | | | |")
            continue
        theirs, alone, many, version = [], [], [], ""
        policies = np.tile(uniform_policy(game), (REPLICATES, 1, 1))
        for _ in range(pairs):
            seconds, _, version = peer_of(peer, what, game, name, count)
            theirs.append(seconds)
            alone.append(call_time(game, 100))
            started = time.process_time()
            exploitability(game, policies)
            many.append((time.process_time() - started) / REPLICATES)
        out.append(row(label, "exploitability", version, theirs, alone, many))
    return out


def large(name: str, build: Callable[[], Any]) -> str:
    """One line of the second table."""
    started = time.process_time()
    game = build()
    arrays = layout(game)
    built = time.process_time() - started
    held = sum(np.asarray(x).nbytes for x in arrays.arrays.values())
    held += sum(getattr(game, k).nbytes for k in ("parent", "mover", "action", "infoset", "chance", "payoff"))
    solver("cfr", game, 1, 1, {})
    alone = 1e3 * solver("cfr", game, 20, 1, {})[0]
    solver("cfr", game, 1, REPLICATES, {})
    many = 1e3 * solver("cfr", game, 5, REPLICATES, {})[0]
    call = f"{1e3 * call_time(game, 3):,.1f}" if game.zero_sum else "-"
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    return (
        f"| `{name}` | {game.parent.size:,} | {arrays.sizes['Q']:,} | {built:.1f} | {held / 2**20:.1f} | {alone:.2f} "
        f"| {many:.2f} | {call} | {peak:,.0f} |"
    )


def main(arguments: list[str]) -> None:
    """Make, measure, print, write."""
    if "--make" in arguments:
        make()
    quick = "--quick" in arguments
    lines = [
        *header("Solvers of games"),
        "Microseconds of CPU an iteration of one replicate, one thread, medians; ratios are formed within pairs, with "
        "their range. The last column is the time of one of 64 at once over that of one alone.",
        "",
        "| game | solver | against | its | library, alone | library, of 64 | ratio alone | ratio of 64 | 64 at once |",
        "|---|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    print("\n".join(lines), flush=True)
    pairs = 1 if quick else 5
    for label, (build, name) in GAMES.items():
        game = build()
        for task in TASKS:
            for line in lines_of(label, game, name, task, pairs):
                print(line, flush=True)
                lines.append(line)
        for line in calls(label, game, name, pairs):
            print(line, flush=True)
            lines.append(line)
    lines += [
        "",
        "Notes: OpenSpiel's CFR alternates, LiteEFG's CFR and the tree by hand do not; an iteration of LiteEFG is the "
        "update and that of the average. OpenSpiel's dilated MMD is NumPy on its own sequence form. An exploitability "
        "of the library is a call with all checks of the policy.",
        "",
        "Largest games held exactly (peak: of the process up to there):",
        "",
        "| game | nodes | sequences | build, s | arrays, MiB | CFR alone, ms | CFR of 64, ms | exploitability, ms | "
        "peak, MiB |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for name, build in list(LARGE.items())[: 2 if quick else None]:
        lines.append(large(name, build))
        print(lines[-1], flush=True)
    if not quick:
        Path(RESULTS).write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
