"""GOSPRL against NumPy, and on grids of thousands of states: `python -m benchmarks.collection [--quick]`.

The NumPy form is what a researcher would write: all replicates in lock-step as arrays, those that need a plan planned
in one masked batch, those that have finished dropped. Its draws are its own, so completion times agree statistically:
the distance of the means in standard errors is printed. Both sides are charged with the steps until completion only;
the kernel runs on to the end of its run and is not paid for that. One thread, CPU time, warm, alternating, the ratio
within a pair. The grids are open squares with slip .1. Writes results/collection.md.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy is loaded: one BLAS thread on both sides

import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.loops import cpu_clock
from benchmarks.numpy_form import distance
from benchmarks.tables import header
from mdps.collection.bounds import lp_bound
from theorylab.registry import find_learner, find_model
from theorylab.run import run
from theorylab.simulation import Simulation

RESULTS = Path(__file__).parent / "results" / "collection.md"
SEED, DELTA = 5, 0.1


def lockstep(model: Any, replicates: int, samples: int, alpha: float, seed: int) -> np.ndarray:
    """Completion times (R,) of TREASURE-`samples` with the radius AME times alpha, all replicates in lock-step."""
    rng = np.random.default_rng(seed)
    cum, S, A = model.dense().cumsum(axis=2), model.S, model.A
    C = np.zeros((replicates, S, A, S))
    N, U = np.zeros((replicates, S, A)), np.zeros((replicates, S, A))
    pi, s = np.zeros((replicates, S), dtype=int), np.zeros(replicates, dtype=int)
    travelling = np.zeros(replicates, dtype=bool)
    finished, alive = np.zeros(replicates), np.arange(replicates)
    t = 0
    while alive.size:
        at = s[alive]
        inside = (N[alive, at] < samples).any(axis=1)
        due = alive[~inside & ~travelling[alive]]
        if due.size:
            U[due] = N[due]
            pi[due] = plan(C[due], N[due], samples, alpha, t)
        a = np.where(inside, (samples - N[alive, at]).argmax(axis=1), pi[alive, at])
        after = (rng.random(alive.size)[:, None] < cum[at, a]).argmax(axis=1)
        C[alive, at, a, after] += 1.0
        N[alive, at, a] += 1.0
        s[alive] = after
        before = U[alive, at, a]
        twice = N[alive, at, a] - before >= np.maximum(before, 1.0)
        arrived = (N[alive, after] < samples).any(axis=1)
        travelling[alive] = ~(inside | arrived | twice)
        t += 1
        done = (N[alive] >= samples).all(axis=(1, 2))
        finished[alive[done]] = t
        alive = alive[~done]
    return finished


def plan(C: np.ndarray, N: np.ndarray, samples: int, alpha: float, t: int) -> np.ndarray:
    """Optimistic policies (m,S) of a batch of replicates, value iteration on lower bounds from zero."""
    m, S, A, _ = C.shape
    closed = N.min(axis=2) >= samples
    n = np.maximum(N, 1.0)[..., None]
    x, iota = C / n, np.log(6.0 * S * A * n / DELTA)
    low = np.maximum(0.0, x - alpha * (2.0 * np.sqrt(x * (1.0 - x) * iota / n) + 6.0 * iota / n))
    low = (low * closed[:, None, None, :]).reshape(m, S * A, S)
    v, pi, going = np.zeros((m, S)), np.zeros((m, S), dtype=int), np.arange(m)
    precision = max(1e-6, 0.5 / max(1, t))
    while going.size:
        q = 1.0 + (low[going] @ v[going, :, None]).reshape(-1, S, A)
        new = np.where(closed[going], q.min(axis=2), 0.0)
        still = np.abs(new - v[going]).max(axis=1) > precision
        pi[going] = q.argmin(axis=2)
        v[going] = new
        going = going[still]
    return pi


@dataclass(frozen=True)
class Case:
    """TREASURE-10 with a tenth of the radius on a model; `length` steps are enough for every replicate."""

    learner: str
    model: str
    length: int
    replicates: tuple[int, ...]


CASES = (
    Case("gosprl", "riverswim", 1_200, (1, 16, 128, 1024)),
    Case("gosprl-sparse", "riverswim", 1_200, (1, 16, 128, 1024)),
    Case("gosprl", "four-rooms", 8_000, (16,)),
    Case("gosprl-sparse", "four-rooms", 8_000, (1, 16, 128)),
)
#: most successors of a pair in these models and in the grids
SLOTS: dict[str, dict[str, int]] = {"gosprl": {}, "gosprl-sparse": {"slots": 4}}
SAMPLES, ALPHA = 10, 0.1
#: sides of the squares, and runs of each
GRIDS = ((20, 3), (45, 3), (71, 1))


def against(case: Case, replicates: int, pairs: int) -> str:
    """A line of the table against NumPy."""
    model = find_model(case.model)()
    arguments: dict[str, Any] = dict(
        steps=case.length, seed=SEED, threads=1, params=dict(samples=SAMPLES, alpha=ALPHA, **SLOTS[case.learner])
    )
    run(case.learner, model, replicates=1, **arguments)  # compiles
    ours, theirs = [], []
    with cpu_clock():
        for _ in range(pairs):
            curves = run(case.learner, model, replicates=replicates, **arguments)
            times = curves.final["finished"][:, 0]
            assert times.min() > 0, f"{case.model}: {case.length} steps are too few"
            ours.append(times.sum() / curves.seconds["loop"])
            started = time.thread_time()
            other = lockstep(model, replicates, SAMPLES, ALPHA, SEED)
            theirs.append(other.sum() / (time.thread_time() - started))
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    means = f"{times.mean():.0f}, {other.mean():.0f}"
    apart = f"{distance(times, other):.1f}" if replicates >= 16 else ""
    speed, other_speed, ratio = (f"{statistics.median(x):.3g}" for x in (ours, theirs, ratios))
    return (
        f"| {case.learner} | {case.model} | {replicates} | {speed} | {other_speed} | {ratio} "
        f"| {min(ratios):.3g} - {max(ratios):.3g} | {pairs} | {means} | {apart} |"
    )


def grid(side: int) -> Any:
    """An open square of cells, slip .1, as a sparse model."""
    return find_model("gridworld")(
        layout="/".join(["." * side] * side), rewards={}, slip=0.1, after="move", sparse=True
    )


def to_the_end(learner: str, model: Any, samples: int, length: int, bound: float, replicates: int) -> str:
    """A line of the table of grids: medians over replicates, one after the other."""
    params = dict(samples=samples, alpha=ALPHA, **SLOTS[learner])
    rows = []
    with cpu_clock():
        for i in range(replicates):
            simulation = Simulation(
                find_learner(learner), model, replicates=1, length=length, seed=SEED, first=i, params=params, threads=1
            ).advance()
            steps, attempts = (int(simulation.state[k][0, 0]) for k in ("finished", "attempts"))
            assert steps > 0, f"{length} steps are too few"
            rows.append((steps, attempts, simulation.seconds["loop"]))
    steps, attempts, seconds = (statistics.median(x) for x in zip(*rows, strict=True))
    low, high = min(r[0] for r in rows), max(r[0] for r in rows)
    return (
        f"| {learner} | {model.S} | {samples} | {replicates} | {bound:.0f} | {steps:.0f} ({low} - {high}) "
        f"| {steps / bound:.2f} | {attempts:.0f} | {seconds:.2f} | {1e3 * seconds / attempts:.2f} "
        f"| {simulation.footprint / 1e6:.1f} |"
    )


def main(arguments: list[str]) -> int:
    """Measure, print, write."""
    quick = "--quick" in arguments
    lines: list[str] = []

    def say(*more: str) -> None:
        print("\n".join(more), flush=True)
        lines.extend(more)

    say(
        *header("GOSPRL: replicate-steps against NumPy, and grids of thousands of states"),
        "## TREASURE-10, a tenth of the radius, against NumPy in lock-step",
        "",
        "Replicate-steps until completion per second, one thread, CPU time, warm; ratio: kernel over NumPy, within a "
        "pair; means: completion times of kernel and NumPy, and their distance in standard errors.",
        "",
        "| learner | model | R | kernel, steps/s | NumPy, steps/s | ratio | min - max | pairs | means | distance |",
        "|---|---|---:|---:|---:|---:|---|---:|---|---:|",
    )
    for case in CASES:
        for replicates in case.replicates[:2] if quick else case.replicates:
            say(against(case, replicates, 5 if replicates <= 16 and not quick else 3))
    say(
        "",
        "## Open square grids, slip .1, a tenth of the radius, to completion",
        "",
        "One replicate a run, medians (least and largest steps); bound: the linear program, in steps; seconds: CPU "
        "time of the whole loop, all plans and steps; ms: that over the attempts, each of which is one plan; MB: state "
        "and records of a replicate.",
        "",
        "| learner | S | K | runs | LP bound | steps | over the bound | attempts | seconds | ms an attempt | MB |",
        "|---|---:|---:|---:|---:|---|---:|---:|---:|---:|---:|",
    )
    for side, runs in GRIDS[:1] if quick else GRIDS:
        model = grid(side)
        bound = lp_bound(model, np.ones((model.S, model.A))).certified_lower  # K times that for K of each pair
        for learner, samples in (("gosprl", 10), ("gosprl-sparse", 1), ("gosprl-sparse", 10)):
            if learner == "gosprl" and side > GRIDS[0][0]:
                continue  # S^2 A words a field
            run(learner, model, steps=2, seed=SEED, threads=1, params=SLOTS[learner])  # compiles
            say(to_the_end(learner, model, samples, 400 * model.S, samples * bound, 1 if learner == "gosprl" else runs))
    if not quick:
        RESULTS.write_text("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
