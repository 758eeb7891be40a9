"""LOOP at the sizes that issue tables ask for: exact tabular runs, and finite classes of values on the CPU or a GPU.

    python -m benchmarks.loop [--target cpu|cuda] [--out benchmarks/results/loop.md]

Tabular: replicates of exact LOOP on RiverSwim-6 to T steps, beta of form 1 at three multipliers, span 1.05 times the
true one; seconds, optimisations and cone programs a run. Finite classes: M hypotheses (the truth and neighbours that
promise more) with their Bellman updates, R replicates, beta of form 0. Nothing is asserted about time.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import mdps
from benchmarks.tables import header
from mdps.loop.values import completed, perturbed
from theorylab.plan import bias_span
from theorylab.registry import find_learner
from theorylab.simulation import Simulation


def timed(name: str, model: Any, steps: int, replicates: int, target: str, params: dict[str, Any]) -> Simulation:
    """A finished run; compilation and imports are left out by a short run before."""
    options: dict[str, Any] = dict(seed=1, params=params, target=target)
    Simulation(find_learner(name, "average"), model, replicates=1, length=50, **options).advance()
    return Simulation(find_learner(name, "average"), model, replicates=replicates, length=steps, **options).advance()


def tabular(steps: int, replicates: int) -> list[str]:
    """Rows of exact tabular LOOP and of its relaxations."""
    model = mdps.models.riverswim(states=6)
    span = 1.05 * bias_span(model) + 0.01
    rows = [
        "| learner | multiplier of beta | seconds a run | of these planning | optimisations | cone programs | regret, "
        "median (1 %, 99 %) |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in ("loop", "loop-ascent", "loop-box"):
        for scale in (1.0, 0.1, 0.02):
            run = timed(name, model, steps, replicates, "cpu", dict(span=span, form=1, scale=scale))
            loop, plan = run.seconds["loop"] / replicates, run.seconds["plan"] / replicates
            regret = run.curves()["regret"][:, -1]
            low, middle, high = np.percentile(regret, [1, 50, 99])
            rows.append(
                f"| {name} | {scale:g} | {loop + plan:.3f} | {plan:.3f} | {run.state['switches'].mean():.1f} | "
                f"{run.state['programs'].mean():.1f} | {middle:,.0f} ({low:,.0f}, {high:,.0f}) |"
            )
    return rows


def finite(sizes: Sequence[int], steps: int, replicates: int, target: str) -> list[str]:
    """Rows of finite classes of values."""
    model = mdps.models.riverswim(states=6)
    rows = [
        "| hypotheses M | auxiliary K | replicates | seconds in all | of these planning | steps/s | optimisations | "
        "truth in play at the end |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for M in sizes:
        values, gains = perturbed(model, M, spread=1.0, seed=0)
        span = float(np.ptp(values.max(axis=2), axis=1).max())
        auxiliary = completed(model, values, gains)
        params = dict(values=values, gains=gains, auxiliary=auxiliary, span=span, scale=0.1)
        run = timed("loop-values", model, steps, replicates, target, params)
        found = float((run.state["played"] == 0).mean())
        seconds = run.seconds["loop"] + run.seconds["plan"]
        rows.append(
            f"| {M:,} | {len(auxiliary):,} | {replicates} | {seconds:.2f} | {run.seconds['plan']:.2f} | "
            f"{replicates * steps / seconds:.2e} | {run.state['switches'].mean():.1f} | {found:.2f} |"
        )
    return rows


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line of this module."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.loop", description="LOOP at full size.")
    parser.add_argument("--target", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/loop.md"))
    parser.add_argument("--steps", type=int, default=1_000_000)
    parser.add_argument("--replicates", type=int, default=64)
    given = parser.parse_args(arguments)
    lines = [
        *header("LOOP: exact tabular runs, and finite classes of values"),
        "",
        f"Exact tabular LOOP on RiverSwim-6, T = {given.steps:,}, {given.replicates} replicates, two threads in the "
        f"loop, "
        "plans one after the other.",
        "",
        *tabular(given.steps, given.replicates),
        "",
        f"Finite classes of values on RiverSwim-6, T = 100,000, target {given.target}, beta of form 0 times .1.",
        "",
        *finite((100, 1_000, 10_000), 100_000, 256, given.target),
    ]
    given.out.write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
