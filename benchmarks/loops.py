"""Loop time of the library over that of a hand-written loop that returns the same bits.

Both sides run on one thread, warm (compilation excluded), in interleaved pairs; before any pair is timed the curves
of both are compared bit by bit. Times are CPU times of the thread, so that what runs beside does not count as much;
the ratio is formed within a pair. The library's time is its own `Curves.seconds["loop"]`, with its clock set
to CPU time for the duration of the measurement.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np

import theorylab.simulation as simulation
from benchmarks.limits import thompson, ucb1, ucb_h, ucbvi_ch, ucrl2
from theorylab.model import DETERMINISTIC, Bandit, FiniteHorizon, TabularMDP
from theorylab.registry import find_model
from theorylab.run import run
from theorylab.simulation import Curves, geometric

__all__ = ["CASES", "Case", "Row", "measure", "overhead", "same_bits", "table"]

SEED = 3
REPLICATES = (1, 16, 128, 1024)
#: figures of other packages and of earlier hand-written loops: measured elsewhere on another day, for context only
CONTEXT = (
    "UCB1, 10 arms, T=1e4, 100 runs: statisticalRL 15 s, an earlier hand-written Numba loop 0.037 s",
    "Thompson sampling, same: statisticalRL 20 s, NumPy 0.65 s, an earlier hand-written Numba loop 1.14 s",
    "UCBVI, S=20 A=4 H=20, K=1000, 1 run: rlberry 9.05 s, an earlier hand-written Numba loop 0.0089 s",
    "UCRL2, RiverSwim-6, T=1e5, 1 run: statisticalRL 1.01 s, an earlier hand-written Numba loop 0.0016 s",
)


@dataclass(frozen=True)
class Case:
    """One comparison: a learner, its model, the arguments of `run`, the hand-written loop and steps a replicate."""

    learner: str
    text: str
    model: Callable[[], Any]
    arguments: dict[str, Any]
    limit: ModuleType | None
    length: int
    steps: int


def bandit() -> Bandit:
    """Ten Bernoulli arms, means 0.9, ..., 0.1."""
    return Bandit(means=np.linspace(0.9, 0.1, 10))


def dirichlet() -> TabularMDP:
    """S=20, A=4, H=20; rows Dirichlet(1), rewards uniform and deterministic."""
    rng = np.random.default_rng(0)
    P, r = rng.dirichlet(np.ones(20), size=(20, 4)), rng.random((20, 4))
    return TabularMDP(P=P, r=r, criterion=FiniteHorizon(20), reward_law=DETERMINISTIC, name="dirichlet")


def riverswim() -> TabularMDP:
    """RiverSwim of six states, the variant of Osband et al."""
    model = find_model("riverswim")(states=6, variant="osband")
    assert isinstance(model, TabularMDP)
    return model


CASES = (
    Case("ucb1", "10 Bernoulli arms, T=1e4", bandit, dict(rounds=10_000), ucb1, 10_000, 10_000),
    Case("thompson", "10 Bernoulli arms, T=1e4", bandit, dict(rounds=10_000), thompson, 10_000, 10_000),
    Case(
        "ucb-h", "S=20 A=4 H=20, K=1000, exact=False", dirichlet, dict(episodes=1000, exact=False), ucb_h, 1000, 20_000
    ),
    Case(
        "ucbvi-ch",
        "S=20 A=4 H=20, K=1000, exact=False, scale=.01",
        dirichlet,
        dict(episodes=1000, exact=False, params=ucbvi_ch.PARAMS),
        ucbvi_ch,
        1000,
        20_000,
    ),
    Case("ucrl2", "RiverSwim-6, T=1e5", riverswim, dict(steps=100_000), ucrl2, 100_000, 100_000),
)


@contextmanager
def cpu_clock() -> Iterator[None]:
    """Let the library's own measurements read the CPU time of this thread."""
    before = simulation.time
    simulation.time = SimpleNamespace(perf_counter=time.thread_time)  # type: ignore[assignment]
    try:
        yield
    finally:
        simulation.time = before


def library(case: Case, model: Any, replicates: int) -> Curves:
    """One call of `run` on one thread."""
    return run(case.learner, model, replicates=replicates, seed=SEED, threads=1, **case.arguments)


def same_bits(case: Case, model: Any, replicates: int) -> None:
    """Raise `AssertionError` unless the hand-written loop returns the library's curves bit by bit."""
    assert case.limit is not None
    curves = library(case, model, replicates)
    curve = np.empty((replicates, curves.checkpoints.size, 3))
    case.limit.prepare(model, replicates, curves.checkpoints, SEED)(curve)
    for j, quantity in enumerate(("regret", "gap_regret", "reward")):
        if quantity in curves.data:
            assert np.array_equal(curves[quantity], curve[:, :, j]), f"{case.learner}: {quantity} differs"


@dataclass(frozen=True)
class Row:
    """CPU seconds of the loops of both sides, one entry a pair."""

    learner: str
    text: str
    replicates: int
    steps: int
    library: list[float]
    limit: list[float]

    @property
    def ratios(self) -> list[float]:
        """Library over hand-written, pair by pair."""
        return [a / b for a, b in zip(self.library, self.limit, strict=True)]

    @property
    def ratio(self) -> float:
        """Median ratio."""
        return statistics.median(self.ratios)


def repeats(replicates: int) -> int:
    """Pairs that are timed: more where one takes a millisecond."""
    return 31 if replicates == 1 else 11 if replicates <= 16 else 7 if replicates <= 128 else 5


def measure(case: Case, replicates: int) -> Row:
    """Interleaved pairs of one case, after the comparison of bits and one warm pair."""
    model = case.model()
    same_bits(case, model, replicates)
    checkpoints = geometric(case.length)
    assert case.limit is not None
    simulate = case.limit.prepare(model, replicates, checkpoints, SEED)
    ours: list[float] = []
    theirs: list[float] = []
    with cpu_clock():
        for pair in range(repeats(replicates) + 1):
            seconds = library(case, model, replicates).seconds["loop"]
            curve = np.full((replicates, checkpoints.size, 3), np.nan)
            started = time.thread_time()
            simulate(curve)
            if pair > 0:
                theirs.append(time.thread_time() - started)
                ours.append(seconds)
    return Row(case.learner, case.text, replicates, replicates * case.steps, ours, theirs)


def overhead(case: Case, calls: int = 31) -> tuple[float, float]:
    """Fixed cost of a warm call of `run` with one replicate, loop excluded: median wall and CPU seconds."""
    model = case.model()
    library(case, model, 1)
    wall: list[float] = []
    cpu: list[float] = []
    for _ in range(calls):
        started = time.perf_counter()
        loop = library(case, model, 1).seconds["loop"]
        wall.append(time.perf_counter() - started - loop)
        with cpu_clock():
            started = time.thread_time()
            loop = library(case, model, 1).seconds["loop"]
            cpu.append(time.thread_time() - started - loop)
    return statistics.median(wall), statistics.median(cpu)


def table(rows: list[Row]) -> list[str]:
    """The comparison as lines of a Markdown table."""
    lines = [
        "| learner | case | R | library, ns/step | hand-written, ns/step | ratio, median | min - max | pairs |",
        "|---|---|---:|---:|---:|---:|---|---:|",
    ]
    for row in rows:
        ours, theirs = (statistics.median(x) / row.steps * 1e9 for x in (row.library, row.limit))
        spread = f"{min(row.ratios):.2f} - {max(row.ratios):.2f}"
        lines.append(
            f"| {row.learner} | {row.text} | {row.replicates} | {ours:.1f} | {theirs:.1f} | {row.ratio:.2f} | {spread} "
            f"| {len(row.library)} |"
        )
    return lines
