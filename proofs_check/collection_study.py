"""The study of sample collection: the tables of the notes on fresh seeds, and the figures that belong to them.

    python -m proofs_check.collection_study [--only PART ...] [--replicates N] [--out DIR] [--markdown FILE]
                                            [--coverage DIR]

Every cell is a learner on a model with a seed of its own. What was run is kept in DIR/cells.json, so that a second call
goes on; the figures are written to DIR as PDF, SVG and PNG with a CSV of the numbers drawn. About ten minutes of one
core in all. `--markdown` writes the tables to a file, and the figures as SVG into the folder `figures` beside it;
`--coverage`, the folder of the study `studies/sample-collection.toml` once it was run, adds its figures there.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from proofs_check._collection_runs import Runs
from proofs_check._collection_tables import PARTS, Compared, agreement
from theorylab.errors import InputError
from theorylab.figure_command import choose_study
from theorylab.figure_style import SIZES, save, write, write_table

__all__ = ["main", "page"]

FIGURES = "figures"
HEAD = """# Sample collection: tables

Printed by `python -m proofs_check.collection_study`; what the algorithms are and what follows is on the page
[Sample collection](sample-collection.md). Values of the notes are those of their section 6.3, from other runs.

"""


def page(runs: Runs, parts: Sequence[str]) -> tuple[str, list[Compared]]:
    """The tables of parts as Markdown, with the count of agreements, and the comparisons."""
    texts, compared = [], []
    for name in parts:
        title, words, make = PARTS[name]
        text, more = make(runs)
        texts.append(f"## {title}\n\n{words}\n\n{text}")
        compared += more
    if compared:
        texts.append(f"## Agreement with the notes\n\n% begin agreement\n\n{agreement(compared)}\n% end agreement\n")
    return "\n".join(texts), compared


def draw(runs: Runs, out: Path, size: str, beside: Path | None) -> None:
    """The figures as files in `out`, for a paper, and `beside` the page."""
    from proofs_check._collection_figures import drawings

    for one in drawings(runs):
        figure = one.draw(size)
        for suffix in ("pdf", "svg", "png"):
            save(figure, out / f"{one.name}.{suffix}")
        write_table(one.table(), out / f"{one.name}.csv")
        _for_page(one, beside)
        print(f"{one.name}: {one.caption}", flush=True)


def _for_page(one: Any, beside: Path | None) -> None:
    from proofs_check._small_svg import page_svg

    if beside is not None:
        beside.mkdir(parents=True, exist_ok=True)
        write(beside / f"{one.name}.svg", page_svg(one.draw("neurips")))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print the tables and draw; 1 where a value of the notes is more than 4 combined standard errors away."""
    parser = argparse.ArgumentParser(prog="python -m proofs_check.collection_study", description="Sample collection.")
    parts = (*PARTS, "tables", FIGURES)
    parser.add_argument("--only", nargs="+", choices=parts, metavar="PART", default=list(parts[-2:]),
                        help=f"of {', '.join(parts)} (default: tables and figures)")  # fmt: skip
    parser.add_argument("--replicates", type=int, help="of every cell (default: its own number, 20 to 100)")
    parser.add_argument("--out", type=Path, default=Path("results/sample-collection-study"), help="folder of results")
    parser.add_argument("--size", choices=list(SIZES), default="neurips", help="of the figures")
    parser.add_argument("--markdown", type=Path, help="write the tables here, and SVG figures into figures/ beside it")
    parser.add_argument("--coverage", type=Path, help="folder of the study of coverage, whose figures go there too")
    options = parser.parse_args(arguments)
    beside = options.markdown.parent / "figures" if options.markdown else None
    try:
        if options.replicates is not None and options.replicates < 2:
            raise InputError(f"--replicates {options.replicates}: a standard error needs 2 or more")
        chosen = list(PARTS) if "tables" in options.only else [p for p in PARTS if p in options.only]
        runs = Runs(options.out, options.replicates, lambda line: print(line, file=sys.stderr, flush=True))
        text, compared = page(runs, chosen)
        print(text)
        if options.markdown and chosen:
            options.markdown.write_text(HEAD + text, encoding="utf-8")
        if FIGURES in options.only:
            draw(runs, options.out, options.size, beside)
        if options.coverage is not None:
            for one in choose_study(options.coverage, None, "coverage"):
                _for_page(one, beside)
    except InputError as wrong:
        print(wrong, file=sys.stderr)
        return 2
    return 1 if any(not abs(c.z) <= 4 for c in compared) else 0


if __name__ == "__main__":
    sys.exit(main())
