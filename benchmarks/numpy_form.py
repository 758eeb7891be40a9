"""Kernels against NumPy: `python -m benchmarks.numpy_form [--quick] [--guard]`.

The NumPy form advances all replicates in lock-step as arrays (`benchmarks/lockstep/`), the kernel runs one replicate
after the other; one thread, CPU time, warm, alternating, the ratio within a pair. Their draws differ, so their mean
regrets agree only statistically: the distance in standard errors is printed. `--guard` exits with 1 where a kernel has
become slower than its NumPy form: whoever loses a compilation cannot miss it. Writes results/lockstep.md.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy is loaded: one BLAS thread on both sides

import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.lockstep import lsvi_ucb, oful, ucb1
from benchmarks.loops import bandit, cpu_clock
from benchmarks.tables import header
from theorylab.registry import find_model
from theorylab.run import run

RESULTS = Path(__file__).parent / "results" / "lockstep.md"
SEED = 5


@dataclass(frozen=True)
class Form:
    """One algorithm in both forms: `regret(curves)` and the lock-step's result are comparable, shape (R,)."""

    learner: str
    text: str
    model: Callable[[], Any]
    arguments: dict[str, Any]
    lockstep: Callable[[Any, int], np.ndarray]
    quantity: str
    steps: int


def sphere() -> Any:
    """Ten arms on the unit sphere in five dimensions, noise of sd 1."""
    return find_model("linear-sphere")(A=10, d=5)


def simplex() -> Any:
    """A linear MDP of 20 states, 5 actions, 8 features and 10 stages."""
    return find_model("simplex-linear")(S=20, A=5, d=8, horizon=10)


FORMS = (
    Form(
        "ucb1", "10 arms, T=1e4", bandit, dict(rounds=10_000),
        lambda m, r: ucb1.lockstep(m, r, 10_000, SEED), "gap_regret", 10_000,
    ),
    Form(
        "oful", "10 arms, d=5, T=2,000", sphere, dict(rounds=2000),
        lambda m, r: oful.lockstep(m, r, 2000, SEED), "gap_regret", 2000,
    ),
    Form(
        "lsvi-ucb", "S=20 A=5 d=8 H=10, K=200", simplex, dict(episodes=200, exact=False, params=dict(scale=0.05)),
        lambda m, r: lsvi_ucb.lockstep(m, r, 200, SEED, dict(scale=0.05)), "reward", 2000,
    ),
)  # fmt: skip
REPLICATES = (1, 16, 128, 1024)


def distance(a: np.ndarray, b: np.ndarray) -> float:
    """Difference of two means in standard errors."""
    spread = a.var(ddof=1) / a.size + b.var(ddof=1) / b.size
    return float(abs(a.mean() - b.mean()) / np.sqrt(spread)) if spread > 0 else 0.0


def measure(form: Form, replicates: int, pairs: int) -> tuple[str, float]:
    """A line of the table and the median ratio."""
    model = form.model()
    run(form.learner, model, replicates=1, seed=SEED, threads=1, **form.arguments)  # compiles
    ours, theirs = [], []
    with cpu_clock():
        for _ in range(pairs):
            curves = run(form.learner, model, replicates=replicates, seed=SEED, threads=1, **form.arguments)
            ours.append(curves.seconds["loop"])
            started = time.thread_time()
            other = form.lockstep(model, replicates)
            theirs.append(time.thread_time() - started)
    ratios = [b / a for a, b in zip(ours, theirs, strict=True)]
    ratio, steps = statistics.median(ratios), replicates * form.steps
    apart = f"{distance(curves[form.quantity][:, -1], other):.1f}" if replicates >= 16 else ""
    line = (
        f"| {form.learner} | {form.text} | {replicates} | {statistics.median(ours) / steps * 1e9:.1f} "
        f"| {statistics.median(theirs) / steps * 1e9:.1f} | {ratio:.1f} | {min(ratios):.1f} - {max(ratios):.1f} "
        f"| {apart} |"
    )
    return line, ratio


def main(arguments: list[str]) -> int:
    """Measure, print, write; 1 where `--guard` finds a kernel slower than NumPy."""
    quick, guard = "--quick" in arguments, "--guard" in arguments
    lines = [
        *header("Kernels against NumPy in lock-step"),
        "One thread, CPU time, warm; ratio: NumPy over kernel, within a pair; last column: distance of the two mean "
        "results in standard errors.",
        "",
        "| learner | case | R | kernel, ns/step | NumPy, ns/step | ratio, median | min - max | distance |",
        "|---|---|---:|---:|---:|---:|---|---:|",
    ]
    print("\n".join(lines), flush=True)
    slow = []
    for form in FORMS:
        for replicates in (16,) if guard else REPLICATES[:3] if quick else REPLICATES:
            line, ratio = measure(form, replicates, 3 if quick or guard or replicates > 128 else 7)
            print(line, flush=True)
            lines.append(line)
            if ratio < 1.0:
                slow.append(f"{form.learner} at R={replicates}")
    if guard:
        print(f"slower than NumPy: {', '.join(slow)}" if slow else "every kernel is ahead of its NumPy form")
        return 1 if slow else 0
    if not quick:
        RESULTS.write_text("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
