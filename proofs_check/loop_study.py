"""The studies E1 to E11 of LOOP: tables and figures on fresh seeds.

    python -m proofs_check.loop_study [--only PART ...] [--replicates N] [--out DIR] [--markdown FILE]

Every cell is a learner on a model; what was run is kept in DIR/cells, so that a second call goes on. Cells whose
learner is not registered, and cells that a learner refuses, are listed at the end. Figures are written to DIR as PDF,
SVG and PNG with a CSV of the numbers drawn. `--markdown` writes the tables to a file, and the figures as SVG into the
folder `figures` beside it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from proofs_check._loop_runs import Runs
from proofs_check._loop_tables import PARTS
from theorylab.errors import InputError
from theorylab.figure_style import SIZES, save, write, write_table

__all__ = ["absent", "main", "page"]

FIGURES = "figures"
HEAD = """# Average-reward studies: tables

Printed by `python -m proofs_check.loop_study`; what was asked and what follows is on the page
[Average-reward studies](average-reward-studies.md). A cell reads: mean [10 %, 90 %] over replicates.

"""


def page(runs: Runs, parts: Sequence[str]) -> str:
    """The tables of parts as Markdown, and what is missing."""
    texts = []
    for name in parts:
        title, words, make = PARTS[name]
        texts.append(f"## {title}\n\n{words}\n\n% begin {name}\n\n{make(runs)}\n% end {name}\n")
    return "\n".join([*texts, absent(runs)])


def absent(runs: Runs) -> str:
    """Learners that are not registered or whose cells were not run, how many cells, and cells that were refused."""
    lines = [f"- {k}: {len(v)} cells, such as {v[0]}" for k, v in sorted(runs.missing.items())]
    lines += [f"- refused: {k}: {v}" for k, v in sorted(runs.refused.items())]
    return "## Missing cells\n\n" + ("\n".join(lines) if lines else "None.") + "\n"


def draw(runs: Runs, parts: Sequence[str], size: str, beside: Path | None) -> None:
    """The figures as files in the folder of results, for a paper, and `beside` the page."""
    from proofs_check._loop_figures import drawings
    from proofs_check._small_svg import page_svg

    for one in drawings(runs, parts):
        figure = one.draw(size)
        for suffix in ("pdf", "svg", "png"):
            save(figure, runs.folder / f"{one.name}.{suffix}")
        write_table(one.table(), runs.folder / f"{one.name}.csv")
        print(f"{one.name}: {one.caption}", flush=True)
        if beside is not None:
            beside.mkdir(parents=True, exist_ok=True)
            write(beside / f"{one.name}.svg", page_svg(one.draw("neurips")))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print the tables and draw; 2 where something asked for cannot be done."""
    parser = argparse.ArgumentParser(prog="python -m proofs_check.loop_study", description="Studies of LOOP.")
    parser.add_argument("--only", nargs="+", choices=list(PARTS), metavar="PART", default=list(PARTS),
                        help=f"of {', '.join(PARTS)} (default: all)")  # fmt: skip
    parser.add_argument("--replicates", type=int, help="of every cell (default: its own number)")
    parser.add_argument("--out", type=Path, default=Path("results/loop-study"), help="folder of results")
    parser.add_argument("--size", choices=list(SIZES), default="neurips", help="of the figures")
    parser.add_argument("--stored", action="store_true", help="run nothing: take what the folder has")
    parser.add_argument("--tables", action="store_true", help="draw no figures")
    parser.add_argument("--markdown", type=Path, help="write the tables here, and SVG figures into figures/ beside it")
    options = parser.parse_args(arguments)
    try:
        if options.replicates is not None and options.replicates < 2:
            raise InputError(f"--replicates {options.replicates}: a standard error needs 2 or more")
        parts = [p for p in PARTS if p in options.only]
        runs = Runs(
            options.out,
            options.replicates,
            lambda line: print(line, file=sys.stderr, flush=True),
            stored=options.stored,
        )
        text = page(runs, parts)
        print(text)
        if options.markdown:
            options.markdown.write_text(HEAD + text, encoding="utf-8")
        if not options.tables:
            draw(runs, parts, options.size, options.markdown.parent / "figures" if options.markdown else None)
    except InputError as wrong:
        print(wrong, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
