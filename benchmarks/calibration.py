"""How often the whole `check` errs and decides, and what it costs: `python -m benchmarks.calibration [--quick]`.

Every run is a call of `check_many` on one claim with a seed of its own: run, measurement, decision and verdict, in the
budget of replicates that is stated. Boundary nulls are claims whose tested number is exactly at the limit:

    coins        one round of a bandit whose only arm pays with probability p = delta: a probe violates at that rate
    expectation  uniform play on A arms, one of which is worse: regret / trivial has mean 1/A, the bound is that
    dominance    uniform play against uniform play at other addresses: equal laws, independent draws, E D = 0

At the boundary a refutation is false, and a support is at the edge of being false; each fraction must be at most its
level plus three standard errors. Learner faults are left out (`controls=()`), since they cost most of a check and do
not bear on the verdict's errors; one row keeps the nulls, which may make a check invalid.

`--quick` makes 200 runs and writes nothing. 2,000 runs take about half an hour of one core. Writes
results/calibration.md, a section a part; `--part coins|means|power|overhead` renews one.
"""

from __future__ import annotations

import argparse
import math
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from benchmarks.tables import header
from theorylab.check import check_many
from theorylab.claim import Claim, Dominates, Expectation, HighProbability, Instance
from theorylab.kernel import LEARNER, draw, kernel
from theorylab.measure import Group
from theorylab.probe import Probe
from theorylab.registry import adopt, find_claim, find_learner
from theorylab.stats.power import sequential

RESULTS = Path(__file__).parent / "results"
TITLES = {
    "coins": "Coins at p = delta",
    "means": "Means and differences at their limits",
    "power": "Power on coins",
    "overhead": "Overhead of a check",
}
PARTS = tuple(TITLES)


@kernel
def paid(st: Any, p: Any, tr: Any, t: Any) -> Any:
    """Positive where the round paid."""
    return tr.r - 0.5


@kernel
def elsewhere(st: Any, p: Any, t: Any, rng: Any) -> Any:
    """Uniform play at addresses that no other learner uses here."""
    u, _ = draw(rng, t, 7, LEARNER)
    return int(u * p.A)


PAID = Probe("paid", paid)


def coins(delta: float, p: float) -> Claim:
    """The claim that a round pays with probability at most delta, on an arm that pays with probability p."""
    return Claim(
        id="coins.rate", text="The round pays with probability at most delta.", source_tag="derived", learner="uniform",
        kind=HighProbability(delta), quantity=PAID, instances={"quick": (Instance("bernoulli", 1, {"means": (p,)}),)},
    )  # fmt: skip


def mean_at(arms: int, length: int) -> Claim:
    """E regret <= n gap / arms for uniform play with one worse arm: an equality."""
    means = (0.9,) * (arms - 1) + (0.6,)
    return Claim(
        id="uniform.regret", text="E regret is at most n gap / A.", source_tag="derived", learner="uniform",
        kind=Expectation(), quantity="regret", instances={"quick": (Instance("bernoulli", length, {"means": means}),)},
        bound=lambda c, n: np.asarray(n * float(np.max(c.gap)) / arms),
        trivial=lambda c, n: np.asarray(n * float(np.max(c.gap))),
    )  # fmt: skip


def dominance(length: int) -> Claim:
    """Uniform play is better than uniform play."""
    return Claim(
        id="uniform.dominates", text="Uniform play loses less than uniform play.", source_tag="derived",
        learner="uniform", kind=Dominates("uniform-elsewhere"), quantity="regret",
        instances={"quick": (Instance("bernoulli", length, {"means": (0.9, 0.6)}),)},
        trivial=lambda c, n: np.asarray(n * float(np.max(c.gap))),
    )  # fmt: skip


def verdicts(claim: Claim, runs: int, **options: Any) -> tuple[Counter[str], float]:
    """Verdicts of so many checks with seeds of their own, and the mean number of replicates at the verdict."""
    found: Counter[str] = Counter()
    n = 0
    for seed in range(runs):
        given = {"run_controls": False, "target": "python", **options}
        (evidence,) = check_many([claim], seed=10_000 + seed, **given)
        found[evidence.verdict] += 1
        n += evidence.instances[0].n
    return found, n / runs


def most(alpha: float, runs: int) -> float:
    """A level plus three standard errors."""
    return alpha + 3.0 * math.sqrt(alpha * (1.0 - alpha) / runs)


def row_of(name: str, claim: Claim, runs: int, budget: int, support: float, refute: float, **options: Any) -> str:
    """One null: both error fractions beside what they may be."""
    found, n = verdicts(claim, runs, budget=budget, alpha_support=support, alpha_refute=refute, **options)
    said, against = found["SUPPORTED"] / runs, found["REFUTED"] / runs
    ok = said <= most(support, runs) and against <= most(refute, runs)
    return (
        f"| {name} | {budget} | {support:g} / {refute:g} | {against:.4f} | {most(refute, runs):.4f} | {said:.4f} | "
        f"{most(support, runs):.4f} | {found['CHECK_INVALID'] / runs:.4f} | {n:.0f} | {'yes' if ok else 'NO'} |"
    )


ERRORS = (
    "| null | budget | alpha support / refute | false refutations | at most | false supports | at most | invalid "
    "| mean n | within |",
    "|---|---:|---|---:|---:|---:|---:|---:|---:|---|",
)
LEVELS = ((0.01, 0.001), (0.05, 0.05))


def coin_errors(runs: int, say: Callable[..., None]) -> None:
    """False verdicts on coins at p = delta."""
    say(
        f"## {TITLES['coins']}",
        "",
        f"{runs} runs a row; python target, on which one round of 32 replicates is quickest; the bits are "
        "those of cpu.",
        "",
        *ERRORS,
    )
    for delta in (0.1, 0.05):
        for budget in (256, 1024):
            for support, refute in LEVELS:
                say(row_of(f"delta = {delta}", coins(delta, delta), runs, budget, support, refute))
    say(
        row_of(
            "delta = 0.1, with the nulls of the controls", coins(0.1, 0.1), runs, 256, 0.01, 0.001, run_controls=True
        )
    )
    say(
        "",
        "The last row runs coins at the boundary and at twice the rate beside each check: where those are decided "
        "wrongly the check is invalid.",
        "",
    )


def mean_errors(runs: int, say: Callable[..., None]) -> None:
    """False verdicts on means and differences at their limits."""
    spec = replace(find_learner("uniform", "bandit"), name="uniform-elsewhere", act=elsewhere)
    adopt(SimpleNamespace(learner=spec), "benchmarks.calibration")
    say(f"## {TITLES['means']}", "", f"{runs} runs a row.", "", *ERRORS)
    for arms, length in ((2, 1), (10, 1)):
        for support, refute in LEVELS:
            name = f"expectation, mean 1/{arms}, {length} rounds"
            say(row_of(name, mean_at(arms, length), runs, 1024, support, refute))
    for support, refute in LEVELS:
        say(row_of("dominance, E D = 0, 2 rounds", dominance(2), runs, 512, support, refute))
    say("")


def powers(runs: int, say: Callable[..., None]) -> None:
    """Verdict shares away from the boundary, beside the exact recursion."""
    say(
        f"## {TITLES['power']}",
        "",
        f"{runs} runs a row at alpha support 0.01, refute 0.001; in brackets the exact law "
        "(`theorylab.stats.power.sequential`).",
        "",
        "| delta | rate | budget | supported | refuted | open | mean n | largest deviation, standard errors |",
        "|---:|---:|---:|---|---|---|---|---:|",
    )
    for delta in (0.1, 0.05):
        for factor in (0.25, 0.5, 2.0):
            p, budget = factor * delta, 2048
            exact = sequential(delta, p, 0.001, 0.01, budget)
            found, n = verdicts(coins(delta, p), runs, budget=budget)
            shares = (
                (found["SUPPORTED"] / runs, exact.supported),
                (found["REFUTED"] / runs, exact.refuted),
                (found["INCONCLUSIVE"] / runs, exact.inconclusive),
            )
            off = max(abs(a - b) / math.sqrt(max(b * (1.0 - b), 1.0 / runs) / runs) for a, b in shares)
            cells = " | ".join(f"{a:.4f} ({b:.4f})" for a, b in shares)
            say(f"| {delta} | {factor:g} delta | {budget} | {cells} | {n:.0f} ({exact.mean:.0f}) | {off:.1f} |")
    say("")


CLAIMS = ("auer2002.thm1", "auer2002.optimism", "jin2018.optimism", "jin2018.thm1-explicit", "jaksch2010.optimism")


def overheads(repeats: int, say: Callable[..., None]) -> None:
    """Time of a check against the time of its replicates."""
    say(
        f"## {TITLES['overhead']}",
        "",
        "A warm check without controls against the same replicates alone: one simulation of the same kernels, instance",
        "and number of replicates. Overhead = check / replicates - 1, median of the repeats, in CPU time, since other",
        "processes ran beside. Controls: what a first check with controls takes on top of one without, wall time; the",
        "command line keeps their outcomes by digest, so that later checks do not pay again.",
        "",
        "| claim | profile | replicates | alone, CPU s | check, CPU s | overhead | alone / check, wall s | controls |",
        "|---|---|---:|---:|---:|---:|---|---:|",
    )
    for name in CLAIMS:
        for profile in ("quick", "standard"):
            (claim,) = find_claim(name)
            say(overhead(claim, profile, repeats))


def overhead(claim: Claim, profile: str, repeats: int) -> str:
    """One row: the check and its replicates, timed in turn."""
    (evidence,) = check_many([claim], profile=profile, run_controls=False)  # compiles
    groups = []
    for instance, part in zip(claim.on(profile), evidence.instances, strict=True):
        model = instance.build()
        spec = find_learner(claim.learner, model.setting)
        groups.append((Group([claim], spec, instance, model, dict(instance.learner), spec), part.replicates or part.n))
    checks, alone = [], []
    for _ in range(repeats):
        alone.append(_timed(lambda: _replicates(groups)))
        checks.append(_timed(lambda: check_many([claim], profile=profile, run_controls=False)))
    started = time.perf_counter()
    check_many([claim], profile=profile)
    wall_c, cpu_c = (float(np.median(x)) for x in zip(*checks, strict=True))
    wall_a, cpu_a = (float(np.median(x)) for x in zip(*alone, strict=True))
    controls = max(time.perf_counter() - started - wall_c, 0.0)
    ratio = float(np.median([c[1] / a[1] for c, a in zip(checks, alone, strict=True)])) - 1.0
    total = sum(n for _, n in groups)
    return (
        f"| {claim.id} | {profile} | {total} | {cpu_a:.3f} | {cpu_c:.3f} | {100 * ratio:.1f} % "
        f"| {wall_a:.3f} / {wall_c:.3f} | {controls:.1f} |"
    )


def _replicates(groups: Sequence[tuple[Group, int]]) -> None:
    for group, n in groups:
        group.simulation(0, n, seed=0, target="cpu").advance()


def _timed(work: Callable[[], object]) -> tuple[float, float]:
    """Wall and CPU seconds of this process, all threads."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.calibration")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--part", choices=PARTS, action="append")
    given = parser.parse_args(arguments)
    runs, repeats = (200, 1) if given.quick else (2000, 3)
    work = dict(
        zip(PARTS, ((coin_errors, runs), (mean_errors, runs), (powers, runs), (overheads, repeats)), strict=True)
    )
    for part in given.part or PARTS:
        lines: list[str] = []

        def say(*more: str, lines: list[str] = lines) -> None:
            print(*more, sep="\n", flush=True)
            lines.extend(more)

        measure, size = work[part]
        measure(size, say)
        if not given.quick:
            _write(part, "\n".join(lines).rstrip())


def _write(part: str, text: str) -> None:
    """Put one part's section into the file, the others as they are there."""
    path = RESULTS / "calibration.md"
    _, *old = path.read_text().split("\n## ") if path.exists() else [""]
    found = {title.partition("\n")[0]: f"## {title.rstrip()}" for title in old} | {TITLES[part]: text}
    head = "\n".join(header("Calibration of the whole check")).rstrip()
    path.write_text("\n\n".join([head, *(found[t] for t in TITLES.values() if t in found)]) + "\n")


if __name__ == "__main__":
    main()
