"""Optimistic programs of tabular LOOP: time of the exact step, gaps of ascent and certificates on random instances.

    python -m benchmarks.loop_solvers [--quick]

The exact step is timed on RiverSwim-6 (64 policies), each pair visited equally often. Random instances: rows Dirichlet
(1/2), visits log-uniform on 10 to 1000, uniform rewards; the span either does not bind or is .8 of the range that the
optimum takes without it (instances where the set is then empty are left out and counted). One thread, CPU time.
Writes results/loop-solvers.md; four minutes.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy is loaded: one BLAS thread

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import mdps
from benchmarks.tables import header
from mdps.loop.ascent import ascend
from mdps.loop.relaxations import box_bound, lifted_bound, u_bound
from mdps.loop.tabular import Empirical, empirical, optimise
from theorylab.errors import InputError

RESULTS = Path(__file__).parent / "results" / "loop-solvers.md"
SPAN = 1.05 * 6.31032431 + 0.01  # RiverSwim-6
#: B^2 (6 log(1 + T/12) + log 20) at T = 2e4
BETA = 1846.0


def timed(call: Callable[[], Any]) -> tuple[Any, float]:
    """What a call returns, and its CPU seconds."""
    started = time.process_time()
    result = call()
    return result, time.process_time() - started


def step(visits: int, factor: float, draws: int) -> str:
    """A line on the exact step with `visits` of each pair."""
    model = mdps.models.riverswim(states=6)
    P, r = model.dense(), np.asarray(model.r)
    rng = np.random.default_rng(visits)
    rows = []
    for _ in range(draws):
        e = empirical(rng.multinomial(visits, P), r)
        f, seconds = timed(lambda e=e: optimise(e, factor * BETA, SPAN))
        rows.append((seconds, f.programs, f.J, f.bound - f.J))
    seconds, programs, J, gap = zip(*rows, strict=True)
    ms = sorted(1e3 * x for x in seconds)
    return (
        f"| {visits} | {factor} | {statistics.median(J):.4f} | {statistics.median(programs):.0f} ({max(programs)}) "
        f"| {statistics.median(ms):.1f} ({ms[-1]:.1f}) | {max(gap):.0e} |"
    )


def instances(S: int, A: int, tight: bool, count: int) -> tuple[list[tuple[Empirical, float, float]], int]:
    """`count` instances (data, beta, span) whose set is not empty, and how many were left out."""
    rng = np.random.default_rng(10 * S + tight)
    found: list[tuple[Empirical, float, float]] = []
    empty = 0
    while len(found) < count:
        P = rng.dirichlet(np.full(S, 0.5), size=(S, A))
        e = Empirical(P, np.exp(rng.uniform(np.log(10), np.log(1000), (S, A))), rng.random((S, A)))
        beta, span = float(rng.choice([0.1, 0.5, 1.0])), 20.0
        if tight:
            span = 0.8 * float(np.ptp(optimise(e, beta, span).V))
            try:
                optimise(e, beta, span)
            except InputError:
                empty += 1
                continue
        found.append((e, beta, span))
    return found, empty


def gaps(S: int, A: int, tight: bool, count: int) -> list[str]:
    """Lines on ascent, box, u-bound and lifted bound against the exact optimum."""
    cases, empty = instances(S, A, tight, count)
    methods: dict[str, Callable[[Empirical, float, float], Any]] = {
        "exact": optimise,
        "ascent": ascend,
        "box (LOOP-box)": box_bound,
        "u-bound": lambda e, beta, span: u_bound(e, beta),
        "lifted": lambda e, beta, span: lifted_bound(e, beta),
    }
    found = {name: [timed(lambda case=case, m=m: m(*case)) for case in cases] for name, m in methods.items()}
    exact = np.array([f.J for f, _ in found["exact"]])
    lines = []
    for name, results in found.items():
        ms = 1e3 * statistics.median(seconds for _, seconds in results)
        columns = {name: [x for x, _ in results]}
        if name in ("exact", "ascent"):
            columns = {f"{name}, certificate": [f.bound for f, _ in results]}
        if name == "ascent":
            columns = {"ascent": [f.J for f, _ in results], **columns}
        for column, values in columns.items():
            apart = (np.array(values) - exact) * (-1.0 if column == "ascent" else 1.0)
            assert apart.min() > -1e-6, column
            median, largest = max(0.0, np.median(apart)), max(0.0, apart.max())
            lines.append(
                f"| {S}, {A} | {'binds' if tight else 'free'} | {count} ({empty}) | {column} "
                f"| {median:.1e} | {largest:.1e} | {(apart < 1e-6).sum()} | {ms:.1f} |"
            )
    return lines


def main(arguments: list[str]) -> int:
    """Measure, print, write."""
    quick = "--quick" in arguments
    lines: list[str] = []

    def say(*more: str) -> None:
        print("\n".join(more), flush=True)
        lines.extend(more)

    _, first = timed(lambda: optimise(empirical(np.zeros((6, 2, 6), int), np.zeros((6, 2))), 1.0, 1.0))
    say(
        *header("Optimistic programs of tabular LOOP"),
        "## The exact step on RiverSwim-6",
        "",
        f"64 policies; beta: factor times {BETA:.0f}; J, programs and milliseconds: medians (largest) over 20 draws of "
        "the data; gap: the largest certified one. The first call of a size builds its programs: "
        f"{first:.1f} s, the import of cvxpy with it.",
        "",
        "| visits of each pair | factor | J | programs | ms | gap |",
        "|---:|---:|---:|---:|---:|---:|",
    )
    for visits in (5, 500, 50_000):
        for factor in (1.0, 0.1, 0.01):
            say(step(visits, factor, 3 if quick else 20))
    say(
        "",
        "## Gaps to the exact optimum on random instances",
        "",
        "Median and largest distance in gain, instances within 1e-6, median milliseconds. In brackets: instances left "
        "out since the span leaves the set empty. The u-bound and the lifted bound ignore the span.",
        "",
        "| S, A | span | instances | method | median | max | < 1e-6 | ms |",
        "|---|---|---:|---|---:|---:|---:|---:|",
    )
    for S, A in ((4, 2), (5, 2)):
        for tight in (False, True):
            say(*gaps(S, A, tight, 5 if quick else 100))
    if not quick:
        RESULTS.write_text("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
