"""The study of games: figures of solvers and of search, exact where nothing is said of seeds.

    python -m proofs_check.games_study [--only NAME ...] [--out DIR] [--size SIZE] [--beside DIR] [--tables FILE]

Figures are written to DIR as PDF, SVG and PNG with a CSV of the numbers drawn; `--beside` adds small SVG files for a
page, `--tables` writes the tables as Markdown. About a minute of one core, ten with the tables.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from proofs_check._games_figures import drawings
from proofs_check._games_tables import PARTS
from proofs_check._small_svg import page_svg
from theorylab.figure_style import SIZES, save, write, write_table

__all__ = ["main"]

HEAD = """# Search in games: tables

Printed by `python -m proofs_check.games_study --tables FILE`; what is shown is explained on the page
[Update equivalence](update-equivalence.md).

"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Compute and draw."""
    made = {d.name.removeprefix("games-"): d for d in drawings()}
    parser = argparse.ArgumentParser(prog="python -m proofs_check.games_study", description="Solvers and search.")
    parser.add_argument("--only", nargs="+", choices=list(made), metavar="NAME", default=list(made),
                        help=f"of {', '.join(made)}")  # fmt: skip
    parser.add_argument("--out", type=Path, default=Path("results/games-study"), help="folder of results")
    parser.add_argument("--size", choices=list(SIZES), default="neurips", help="of the figures")
    parser.add_argument("--beside", type=Path, help="folder of small SVG files")
    parser.add_argument("--tables", type=Path, help="write the tables here")
    given = parser.parse_args(arguments)
    given.out.mkdir(parents=True, exist_ok=True)
    for name in given.only:
        one = made[name]
        figure = one.draw(given.size)
        for suffix in ("pdf", "svg", "png"):
            save(figure, given.out / f"{one.name}.{suffix}")
        write_table(one.table(), given.out / f"{one.name}.csv")
        if given.beside is not None:
            given.beside.mkdir(parents=True, exist_ok=True)
            write(given.beside / f"{one.name}.svg", page_svg(one.draw("neurips")))
        print(f"{one.name}: {one.caption}", flush=True)
    if given.tables is not None:
        parts = [f"## {title}\n\n" + "\n".join(make()) for title, make in PARTS.values()]
        given.tables.write_text(HEAD + "\n\n".join(parts) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
