"""What all figures share: paper sizes, fonts, colours, ticks, and files that are the same bytes at every run.

Widths are what the styles set, so that a figure is included without scaling and its letters keep their size:

    neurips   neurips_2024.sty: textwidth=5.5in, one column                                  [recalled]
    icml      icml2024.sty: \\textwidth 6.75in, \\columnsep 0.25in, so a column of 3.25 in     [source]
    iclr      iclr2024_conference.sty: \\textwidth 5.5 true in, one column                    [recalled]
    jmlr      jmlr2e.sty: \\textwidth 6.0 true in, one column                                 [source]
    slides    a page of 16:9 is 10 x 5.625 in; letters of 18 pt are read from the last row          [derived]

No letter is below `LEAST` points, subscripts apart. Files hold no date; identifiers in SVG come from a fixed salt;
layout is fixed before saving, so that all formats agree. Colours are the colour-blind safe ones of Okabe and Ito (2008)
[recalled]; what they tell apart, line styles or shapes tell apart too (`look`), for print in grey. No global state.
"""

from __future__ import annotations

import csv
import io
import math
import shutil
import textwrap
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import style, ticker
from matplotlib.figure import Figure

from theorylab.errors import InputError, nearest
from theorylab.table import clean, number

__all__ = [
    "FORMATS",
    "LEAST",
    "SIZES",
    "columns",
    "decades",
    "drawable",
    "finish",
    "legend_columns",
    "limits",
    "look",
    "paper_style",
    "power",
    "render",
    "save",
    "title",
    "write_table",
]

#: size -> width and height in inches, font size in points
SIZES = {
    "neurips": (5.5, 3.4, 9.0),
    "icml": (3.25, 2.9, 8.0),
    "iclr": (5.5, 3.4, 9.0),
    "jmlr": (6.0, 3.7, 10.0),
    "slides": (10.0, 5.6, 18.0),
}
#: of figure files; pgf needs TeX
FORMATS = ("pdf", "svg", "png", "pgf")
DPI = 200
FONTS = ("STIXGeneral", "DejaVu Sans")  # both come with matplotlib
BLUE, VERMILLION, GREEN, BLACK, GREY = "#0072B2", "#D55E00", "#009E73", "#000000", "#ECECEC"
DARK = "#555555"
#: points, the smallest letters of any figure
LEAST = 6.0
PALETTE = (BLUE, VERMILLION, GREEN, BLACK, "#CC79A7", "#E69F00", "#56B4E9")
MARKS = ("o", "s", "^", "D", "v", "P", "X", "*")
DASHES: tuple[Any, ...] = (
    "-",
    (0, (5, 1.6)),
    (0, (1, 1.3)),
    (0, (5, 1.4, 1, 1.4)),
    (0, (9, 2)),
    (0, (3, 1, 1, 1, 1, 1)),
)


def paper_style(size: str) -> AbstractContextManager[None]:
    """Settings of a size, for a `with` block. Raises InputError for an unknown size."""
    if size not in SIZES:
        raise InputError(f"unknown figure size '{size}'{nearest(size, SIZES)}; use one of {', '.join(SIZES)}")
    font = SIZES[size][2]
    settings: dict[str, Any] = {
        "font.family": list(FONTS),
        "mathtext.fontset": "stix",
        "font.size": font,
        "axes.titlesize": font,
        "axes.labelsize": font,
        "legend.fontsize": 0.92 * font,
        "xtick.labelsize": 0.92 * font,
        "ytick.labelsize": 0.92 * font,
        "axes.linewidth": 0.07 * font,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "lines.linewidth": 0.16 * font,
        "svg.hashsalt": "theorylab",
        "svg.fonttype": "path",
        "pdf.fonttype": 42,
        "pgf.texsystem": "pdflatex",
    }
    made: AbstractContextManager[None] = style.context(settings, after_reset=True)
    return made


def look(k: int) -> dict[str, Any]:
    """Colour, line style and marker of the k-th of several lines; no two of 168 agree in all three."""
    return dict(color=PALETTE[k % 7], linestyle=DASHES[k % 6], marker=MARKS[k % 8])


def legend_columns(labels: Sequence[str], size: str, most: int = 3) -> int:
    """Columns of a legend with these labels that fit the width of a size: from 1 to `most`."""
    width, _, font = SIZES[size]
    for count in range(min(most, len(labels)), 1, -1):
        rows, more = divmod(len(labels), count)  # a legend is filled column by column, the first ones longer
        ends = [0]
        for k in range(count):
            ends.append(ends[-1] + rows + (k < more))
        widest = sum(max(map(len, labels[i:j])) for i, j in pairwise(ends))
        if font * (0.42 * widest + 4.1 * count) < 72 * width:  # letters of 0.92 font, less than half as wide as high
            return count
    return 1


def columns(
    where: str, table: Mapping[str, Sequence[float]], needed: Sequence[str], optional: Sequence[str] = ()
) -> dict[str, np.ndarray]:
    """Columns of a table as float arrays of one length. InputError for missing, uneven or NaN data, by entry."""
    missing = [k for k in needed if k not in table]
    if missing:
        raise InputError(f"{where} has no {', '.join(missing)}; a figure needs {', '.join(needed)}")
    data = {k: np.asarray(table[k], dtype=float) for k in (*needed, *optional) if table.get(k)}
    first = needed[0]
    length = data[first].size if first in data else 0
    for name in needed:
        if name not in data or data[name].shape != (length,):
            raise InputError(f"{where}: '{name}' must be a list as long as '{first}' ({length} > 0 entries)")
    for name, values in data.items():
        if values.shape != (length,):
            raise InputError(f"{where}: '{name}' has {values.size} entries and '{first}' has {length}; give as many")
        if np.isnan(values).any():
            raise InputError(f"{where}: {name}[{int(np.flatnonzero(np.isnan(values))[0])}] is NaN; mend that entry")
    return data


@cache
def _characters() -> frozenset[int]:
    from matplotlib.font_manager import findfont, get_font

    return frozenset(code for name in FONTS for code in get_font(findfont(name)).get_charmap())


def drawable(text: object) -> str:
    """Text for a figure: what the fonts cannot draw becomes U+FFFD."""
    return "".join(c if ord(c) in _characters() else "\N{REPLACEMENT CHARACTER}" for c in clean(text))


def power(value: float) -> str:
    """A number as mathtext: 12000 stays, 3.4e8 becomes 3.4 x 10^8."""
    mantissa, _, exponent = number(value).partition("e")
    return rf"${mantissa} \times 10^{{{exponent}}}$" if exponent else mantissa


def decades(axis: Any, low: float, high: float) -> None:
    """Labelled ticks: at 1, 2, 5 times powers of ten on a short axis, else at powers, at most seven."""
    span = math.log10(high / low)
    if span < 1.5:
        axis.set_major_locator(ticker.LogLocator(subs=(1.0, 2.0, 5.0)))
        axis.set_major_formatter(ticker.FuncFormatter(lambda x, _: power(float(f"{x:.6g}"))))
    else:
        axis.set_major_locator(ticker.LogLocator(numticks=7))
        axis.set_major_formatter(ticker.LogFormatterMathtext())
    # between decades only where there are few: each tick costs time, and many make an axis grey
    axis.set_minor_locator(ticker.LogLocator(subs=range(2, 10) if span < 3.5 else (1.0,), numticks=40))
    axis.set_minor_formatter(ticker.NullFormatter())


def limits(values: np.ndarray, share: float = 0.02) -> tuple[float, float]:
    """Ends of a logarithmic axis: the finite positive values with a margin, a share of their logarithmic span."""
    seen = values[np.isfinite(values) & (values > 0)]
    if not seen.size:
        return 0.5, 2.0
    low, high = float(seen.min()), float(seen.max())
    margin = max((high / low) ** share, 1.02) if high > low else 2.0
    return low / margin, high * margin


def title(ax: Any, text: str, size: str, lines: int = 3) -> None:
    """A title to the left, wrapped to the width of the size; what does not fit in `lines` ends with an ellipsis."""
    width, _, font = SIZES[size]
    wrapped = textwrap.wrap(
        drawable(text), int(110 * width / font), max_lines=lines, placeholder=" \N{HORIZONTAL ELLIPSIS}"
    )
    ax.set_title("\n".join(wrapped), loc="left", parse_math=False)


def finish(figure: Figure, keys: Sequence[Any], columns: int = 2, handle: float = 2.6) -> Figure:
    """The legend below the axes, and the layout fixed, so that all formats agree."""
    if keys:
        figure.legend(
            handles=list(keys), loc="outside lower center", ncols=columns, frameon=False, handlelength=handle,
            columnspacing=1.0, labelspacing=0.35, borderaxespad=0.2,
        )  # fmt: skip
    engine = figure.get_layout_engine()
    assert engine is not None
    engine.execute(figure)
    figure.set_layout_engine("none")
    return figure


def render(figure: Figure, format: str) -> bytes:
    """The file of a figure as bytes; the same for the same figure, whenever and wherever it is drawn.

    `format` is one of `FORMATS`. Raises InputError for another, and for "pgf" without TeX.
    """
    if format not in FORMATS:
        raise InputError(f"unknown figure format '{format}'; use one of {', '.join(FORMATS)}")
    if format == "pgf" and shutil.which("pdflatex") is None:
        raise InputError("the format pgf needs pdflatex, which is not installed; use pdf, svg or png")
    metadata: dict[str, dict[str, Any]] = {
        "pdf": {"CreationDate": None, "Creator": "TheoryLab", "Producer": None},
        "svg": {"Date": None, "Creator": None, "Format": None, "Type": None},
        "png": {"Software": None},
    }
    out = io.BytesIO()
    with paper_style("neurips"):  # sizes were taken when the artists were made; this gives salt and font types
        options: dict[str, Any] = {"metadata": metadata[format]} if format in metadata else {}
        figure.savefig(out, format=format, dpi=DPI, **options)
    return out.getvalue()


def save(figure: Figure, path: str | Path) -> Path:
    """Write the figure; the suffix (.pdf, .svg, .png, .pgf) says how. Returns the path.

    Raises InputError for another suffix or a place that cannot be written.
    """
    file = Path(path)
    if file.suffix.lstrip(".") not in FORMATS:
        raise InputError(f"'{file}' has the suffix '{file.suffix}'; use one of {', '.join('.' + f for f in FORMATS)}")
    write(file, render(figure, file.suffix.lstrip(".")))
    return file


def write_table(table: Mapping[str, Sequence[Any]], path: str | Path) -> Path:
    """Write the data of a figure: a head line, then rows; numbers exact to the bit, infinity as inf."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table)
    for row in zip(*table.values(), strict=True):
        writer.writerow([_cell(k, v) for k, v in zip(table, row, strict=True)])
    file = Path(path)
    write(file, text.getvalue().encode("utf-8"))
    return file


#: columns that hold counts and indices
WHOLE = ("n", "replicates", "stage", "state", "action", "next_state", "arm", "optimal")


def _cell(name: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    return f"{value:.0f}" if name in WHOLE else repr(float(value))


def write(file: Path, data: bytes) -> None:
    """Write a file. Raises InputError for a place that cannot be written."""
    try:
        file.write_bytes(data)
    except OSError as error:
        raise InputError(
            f"cannot write '{file}': {error.strerror}; name a folder that exists and is writable"
        ) from None
