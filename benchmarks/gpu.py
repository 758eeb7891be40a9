"""Throughput on a CUDA device: `python -m benchmarks.gpu`.

Replicate-steps a second of the loop for R = 1e3 to 1e6 replicates, warm, compilation and transfers of the state apart,
beside all cores of the CPU on the same problem at R = 1e3. A size whose state does not fit the device is left out with
a line that says so. Writes results/gpu.md.
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.loops import CASES, Case
from benchmarks.tables import header
from theorylab.device import require
from theorylab.errors import InputError
from theorylab.run import run

RESULTS = Path(__file__).parent / "results" / "gpu.md"
REPLICATES = (1_000, 10_000, 100_000, 1_000_000)
#: lengths at which a million replicates take seconds
SHORT: dict[str, dict[str, Any]] = {
    "ucb1": dict(rounds=1000),
    "thompson": dict(rounds=200),
    "ucb-h": dict(episodes=50),
    "ucbvi-ch": dict(episodes=20),
    "ucrl2": dict(steps=2000),
}
STEPS = {"ucb1": 1000, "thompson": 200, "ucb-h": 1000, "ucbvi-ch": 400, "ucrl2": 2000}


def seconds(case: Case, model: Any, replicates: int, target: str, repeats: int) -> float:
    """Median seconds of the loop."""
    arguments = {**case.arguments, **SHORT[case.learner]}
    run(case.learner, model, replicates=8, target=target, **arguments)  # compiles
    found = [
        run(case.learner, model, replicates=replicates, target=target, **arguments).seconds["loop"]
        for _ in range(repeats)
    ]
    return statistics.median(found)


def main(arguments: list[str]) -> None:
    """Measure, print, write; an `InputError` names what is missing where there is no device."""
    cuda = require()
    name = cuda.get_current_device().name
    lines = [*header("Throughput on a CUDA device"), f"Device: {name if isinstance(name, str) else name.decode()}.", ""]
    lines += [
        "| learner | case | R | device, replicate-steps/s | CPU, all cores, R=1e3 | ratio |",
        "|---|---|---:|---:|---:|---:|",
    ]
    print("\n".join(lines), flush=True)
    for case in CASES:
        model, steps = case.model(), STEPS[case.learner]
        cpu = 1000 * steps / seconds(case, model, 1000, "cpu", 3)
        for replicates in REPLICATES:
            started = time.perf_counter()
            try:
                rate = replicates * steps / seconds(case, model, replicates, "cuda", 3)
                line = f"| {case.learner} | {case.text} | {replicates:,} | {rate:.3g} | {cpu:.3g} | {rate / cpu:.1f} |"
            except (MemoryError, InputError) as reason:
                line = f"| {case.learner} | {case.text} | {replicates:,} | {type(reason).__name__} | {cpu:.3g} | |"
            print(line, flush=True)
            lines.append(line)
            if time.perf_counter() - started > 60:  # the next size would take ten times as long
                break
    RESULTS.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
