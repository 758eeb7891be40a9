"""All benchmark tables: `python -m benchmarks.run [--quick]` prints them and writes results/loop-times.md.

`--quick` leaves out R = 1024 and writes nothing. About a minute and a half; compilation of the first run comes on top.
"""

from __future__ import annotations

import datetime
import os
import platform
import sys
from pathlib import Path

from benchmarks import guard, loops

RESULTS = Path(__file__).parent / "results" / "loop-times.md"


def processor() -> str:
    """Model name of the processor."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def header() -> list[str]:
    """Date, hardware and versions."""
    import llvmlite
    import numba
    import numpy

    try:
        load = f"{os.getloadavg()[0]:.1f}"
    except OSError:
        load = "unknown"
    return [
        "# Loop times",
        "",
        f"Date {datetime.date.today().isoformat()}; {processor()}, {os.cpu_count()} cores, load average {load};",
        f"Python {platform.python_version()}, numpy {numpy.__version__}, numba {numba.__version__}, "
        f"llvmlite {llvmlite.__version__}.",
        "",
    ]


def main(arguments: list[str]) -> None:
    """Measure, print, write."""
    quick = "--quick" in arguments
    out: list[str] = []

    def say(*lines: str) -> None:
        for line in lines:
            print(line, flush=True)
            out.append(line)

    say(*header())
    say(
        "## Library over hand-written loop",
        "",
        "One thread; loop alone, warm, compilation excluded; thread CPU time, not wall time, since other processes may",
        "run beside; pairs interleaved, the ratio formed within each pair. Both sides return equal bits (asserted).",
        "",
    )
    rows = [
        loops.measure(case, replicates)
        for case in loops.CASES
        for replicates in loops.REPLICATES
        if not (quick and replicates > 128)
    ]
    say(*loops.table(rows), "")
    say("## Fixed cost of one warm call of `run` (loop excluded, R = 1, median)", "")
    say("| learner | wall, ms | CPU, ms |", "|---|---:|---:|")
    for case in loops.CASES:
        wall, cpu = loops.overhead(case)
        say(f"| {case.learner} | {wall * 1e3:.2f} | {cpu * 1e3:.2f} |")
    say("", "## Compiled against plain Python (CPU time, least of the repeats)", "")
    say(*guard.table(), "")
    say("## Context: measured elsewhere, other day, other hardware; no ratio with the tables above is meant", "")
    say(*(f"- {line}" for line in loops.CONTEXT))
    if not quick:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text("\n".join(out) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
