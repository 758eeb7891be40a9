"""Compiled loops against the same kernels run as plain Python: the gain that every kernel must show.

A ratio near 1 would mean that a kernel fell back to the interpreter; 20 is a low mark, 200 and more are usual. The
table shows the figures and marks those below; nothing is asserted. CPU times, the least of a few repeats.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.loops import CASES, SEED, Case, cpu_clock
from theorylab.run import run

__all__ = ["MARK", "measure", "table"]

MARK = 20.0
SHORT: dict[str, dict[str, Any]] = {
    "ucb1": dict(rounds=1000), "thompson": dict(rounds=100), "ucb-h": dict(episodes=50), "ucbvi-ch": dict(episodes=10),
    "ucrl2": dict(steps=1000),
}  # fmt: skip
STEPS = {"ucb1": 1000, "thompson": 100, "ucb-h": 1000, "ucbvi-ch": 200, "ucrl2": 1000}


def measure(case: Case) -> tuple[str, float, float]:
    """Learner, and seconds a step as plain Python and compiled."""
    model = case.model()
    arguments = {**case.arguments, **SHORT[case.learner]}
    best: dict[str, float] = {}
    rewards: dict[str, np.ndarray] = {}
    with cpu_clock():
        for target, calls in (("python", 3), ("cpu", 15)):
            runs = [run(case.learner, model, seed=SEED, target=target, threads=1, **arguments) for _ in range(calls)]
            best[target] = min(c.seconds["loop"] for c in runs)
            rewards[target] = runs[0]["reward"]
    assert np.array_equal(rewards["python"], rewards["cpu"]), f"{case.learner}: the targets differ"
    return case.learner, best["python"] / STEPS[case.learner], best["cpu"] / STEPS[case.learner]


def table() -> list[str]:
    """The comparison of all cases as lines of a Markdown table."""
    lines = [
        "| learner | plain Python, ns/step | compiled, ns/step | ratio | above 20 |",
        "|---|---:|---:|---:|---|",
    ]
    for case in CASES:
        name, plain, compiled = measure(case)
        ratio = plain / compiled
        mark = "yes" if ratio > MARK else "NO"
        lines.append(f"| {name} | {plain * 1e9:.0f} | {compiled * 1e9:.1f} | {ratio:.0f} | {mark} |")
    return lines
