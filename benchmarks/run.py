"""All benchmark tables: `python -m benchmarks.run [--quick]` prints them and writes results/loop-times.md.

`--quick` leaves out R = 1024 and writes nothing. About a minute and a half; compilation of the first run comes on top.
"""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks import guard, loops
from benchmarks.tables import header

RESULTS = Path(__file__).parent / "results" / "loop-times.md"


def main(arguments: list[str]) -> None:
    """Measure, print, write."""
    quick = "--quick" in arguments
    out: list[str] = []

    def say(*lines: str) -> None:
        for line in lines:
            print(line, flush=True)
            out.append(line)

    say(*header("Loop times"))
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
