"""Regret figures at paper sizes, the same bytes at every run.

`regret_figure` draws one instance on logarithmic axes: mean cumulative regret over replicates with its pointwise
5-95 % band, the theorem's bound, what any algorithm satisfies (trivial), and the lengths at which the bound is vacuous.
Data: `InstanceEvidence.curve`, lists of equal length n (completed rounds, episodes or steps), mean, low, high, and
where the claim has them bound (may be inf), trivial, scaled (the bound with the measured best constant); reward units.

Files hold no date; identifiers in SVG come from a fixed salt; layout is fixed before saving, so that all formats agree.
Colours are the colour-blind safe ones of Okabe and Ito, and line styles differ, for print in grey. No global state.
"""

from __future__ import annotations

import csv
import io
import math
import shutil
import textwrap
from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import style, ticker
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from theorylab.errors import InputError, nearest
from theorylab.evidence import InstanceEvidence
from theorylab.table import clean, number

__all__ = ["FORMATS", "SIZES", "regret_figure", "render", "save", "write_csv"]

#: size -> width and height in inches, font size in points
SIZES = {
    "neurips": (5.5, 3.4, 9.0),
    "icml": (3.25, 2.9, 8.0),
    "iclr": (5.5, 3.4, 9.0),
    "jmlr": (6.0, 3.7, 10.0),
    "slides": (10.0, 5.6, 18.0),
}
FORMATS = ("pdf", "svg", "png", "pgf")
DPI = 200
FONTS = ("STIXGeneral", "DejaVu Sans")  # both come with matplotlib
NEEDED, OPTIONAL = ("n", "mean", "low", "high"), ("bound", "trivial", "scaled")
BLUE, VERMILLION, GREEN, BLACK, GREY = "#0072B2", "#D55E00", "#009E73", "#000000", "#ECECEC"


def _style(size: str) -> AbstractContextManager[None]:
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


def _curve(instance: InstanceEvidence) -> dict[str, np.ndarray]:
    """The curve as float arrays of one length, n > 0. InputError for missing, uneven or NaN data."""
    where = f"the curve of {instance.learner} on {instance.model}"
    missing = [k for k in NEEDED if k not in instance.curve]
    if missing:
        raise InputError(f"{where} has no {', '.join(missing)}; a figure needs {', '.join(NEEDED)}")
    data = {k: np.asarray(instance.curve[k], dtype=float) for k in (*NEEDED, *OPTIONAL) if instance.curve.get(k)}
    length = data["n"].size if "n" in data else 0
    for name in NEEDED:
        if name not in data or data[name].shape != (length,):
            raise InputError(f"{where}: '{name}' must be a list as long as 'n' ({length} > 0 entries)")
    for name, values in data.items():
        if values.shape != (length,):
            raise InputError(f"{where}: '{name}' has {values.size} entries and 'n' has {length}; give as many")
        if np.isnan(values).any():
            raise InputError(f"{where}: {name}[{int(np.flatnonzero(np.isnan(values))[0])}] is NaN; mend that entry")
    keep = data["n"] > 0
    if not keep.any():
        raise InputError(f"{where} has no point with n > 0")
    return {k: v[keep] for k, v in data.items()}


@cache
def _characters() -> frozenset[int]:
    from matplotlib.font_manager import findfont, get_font

    return frozenset(code for name in FONTS for code in get_font(findfont(name)).get_charmap())


def _drawable(text: object) -> str:
    """Text for a figure: what the fonts cannot draw becomes U+FFFD."""
    return "".join(c if ord(c) in _characters() else "\N{REPLACEMENT CHARACTER}" for c in clean(text))


def _power(value: float) -> str:
    """A number as mathtext: 12000 stays, 3.4e8 becomes 3.4 x 10^8."""
    mantissa, _, exponent = number(value).partition("e")
    return rf"${mantissa} \times 10^{{{exponent}}}$" if exponent else mantissa


def _decades(axis: Any, low: float, high: float) -> None:
    """Labelled ticks: at 1, 2, 5 times powers of ten on a short axis, else at powers, at most seven."""
    span = math.log10(high / low)
    if span < 1.5:
        axis.set_major_locator(ticker.LogLocator(subs=(1.0, 2.0, 5.0)))
        axis.set_major_formatter(ticker.FuncFormatter(lambda x, _: _power(float(f"{x:.6g}"))))
    else:
        axis.set_major_locator(ticker.LogLocator(numticks=7))
        axis.set_major_formatter(ticker.LogFormatterMathtext())
    # between decades only where there are few: each tick costs time, and many make an axis grey
    axis.set_minor_locator(ticker.LogLocator(subs=range(2, 10) if span < 3.5 else (1.0,), numticks=40))
    axis.set_minor_formatter(ticker.NullFormatter())


def _limits(data: dict[str, np.ndarray]) -> tuple[tuple[float, float], tuple[float, float]]:
    """Limits of both axes: all finite positive values, but no band that runs off towards zero."""
    n = data["n"]
    middle = [v[np.isfinite(v) & (v > 0)] for k, v in data.items() if k in ("mean", "high", *OPTIONAL)]
    middle = [v for v in middle if v.size]
    if not middle:
        low = high = 1.0
    else:
        low, high = float(min(v.min() for v in middle)), float(max(v.max() for v in middle))
    below = data["low"][data["low"] > 0]
    if below.size:
        low = max(float(below.min()), low / 30.0) if low > below.min() else low
    edge = 1.06 if n.size > 1 and n[-1] / n[0] > 10 else 1.02
    x = (float(n[0]) / edge, float(n[-1]) * edge) if n[-1] > n[0] else (float(n[0]) / 2, float(n[0]) * 2)
    margin = max((high / low) ** 0.05, 1.15)
    return x, (low / margin, high * margin)


def regret_figure(instance: InstanceEvidence, *, claim_id: str, size: str = "neurips") -> Figure:
    """Regret against completed rounds, episodes or steps, with the bound, the trivial line and where it is vacuous.

    Args: an instance whose `curve` is filled; the claim's id for the title; a size of `SIZES`. Regret in reward units.
    Values at or below zero have no place on a logarithmic axis: the legend says how many points that concerns.
    Raises InputError for an unknown size or a curve that lacks a list, has uneven lists or holds NaN.
    """
    data = _curve(instance)
    with _style(size):
        width, height, font = SIZES[size]
        figure = Figure(figsize=(width, height), layout="constrained")
        ax = figure.add_subplot()
        ax.set_xscale("log")
        ax.set_yscale("log")
        x, y = _limits(data)
        ax.set(xlim=x, ylim=y)
        keys: list[Any] = []
        _lines(ax, instance, data, keys, y)
        _vacuity(ax, instance, data, keys, font)
        _decades(ax.xaxis, *x)
        _decades(ax.yaxis, *y)
        unit = _drawable(instance.unit)
        hidden = int((data["mean"] <= 0).sum())
        note = f" ({hidden} of {data['n'].size} means \N{LESS-THAN OR EQUAL TO} 0, not shown)" if hidden else ""
        ax.set_xlabel(f"completed {unit if unit.endswith('s') else unit + 's'}{note}", parse_math=False)
        ax.set_ylabel(
            "cumulative regret\n(reward units)" if size in ("icml", "slides") else "cumulative regret (reward units)"
        )
        title = _drawable(f"{claim_id}: {instance.learner} on {instance.model}")
        title = "\n".join(
            textwrap.wrap(title, int(110 * width / font), max_lines=3, placeholder=" \N{HORIZONTAL ELLIPSIS}")
        )
        ax.set_title(title, loc="left", parse_math=False)
        figure.legend(
            handles=keys, loc="outside lower center", ncols=2, frameon=False, handlelength=2.6, columnspacing=1.0,
            labelspacing=0.35, borderaxespad=0.2,
        )  # fmt: skip
        figure.draw_without_rendering()
        figure.set_layout_engine("none")
    return figure


def _lines(
    ax: Any, instance: InstanceEvidence, data: dict[str, np.ndarray], keys: list[Any], y: tuple[float, float]
) -> None:
    n, mean = data["n"], data["mean"]
    run = instance.replicates or instance.n
    replicates = f"{run} replicates" if run != 1 else "1 replicate"
    band = ax.fill_between(
        n, np.maximum(data["low"], y[0]), np.maximum(data["high"], y[0]), color=BLUE, alpha=0.28, linewidth=0
    )
    one = "o" if n.size == 1 else ""
    keys += ax.plot(n, np.where(mean > 0, mean, np.nan), color=BLUE, linestyle="-", marker=one, label="mean regret")
    band.set_label(f"5\N{EN DASH}95 % of {replicates}")
    keys.append(band)
    for name, text, colour, dash in (
        ("bound", "bound of the claim", VERMILLION, (0, (5, 1.6))),
        ("scaled", "bound, best constant", GREEN, (0, (5, 1.4, 1, 1.4))),
        ("trivial", "trivial (any algorithm)", BLACK, (0, (1, 1.3))),
    ):
        if name in data:
            seen = np.isfinite(data[name]) & (data[name] > 0)
            text += "" if seen.any() else " (infinite)" if np.isinf(data[name]).any() else " (not positive)"
            marks = one or ("." if seen.sum() == 1 else "")
            values = np.where(seen, data[name], np.nan)
            keys += ax.plot(n, values, color=colour, linestyle=dash, marker=marks, label=text)


def _vacuity(ax: Any, instance: InstanceEvidence, data: dict[str, np.ndarray], keys: list[Any], font: float) -> None:
    """Shade the lengths at which the bound is at or above trivial, and say where that ends."""
    if "bound" not in data or "trivial" not in data:
        return
    start, (left, right) = instance.nonvacuous_from, ax.get_xlim()
    vacuous_at_end = bool(data["bound"][-1] >= data["trivial"][-1])
    if start is None and not vacuous_at_end:
        return
    if start is not None and start <= data["n"][0]:
        return
    end = right if start is None else min(float(start), right)
    ax.axvspan(left, end, facecolor=GREY, edgecolor="none", zorder=0)
    keys.append(Patch(facecolor=GREY, edgecolor="#9A9A9A", linewidth=0.5, label="bound is vacuous"))
    if start is None:
        _note(ax, r"bound still vacuous at $n = 10^{18}$", font)
        return
    if start < right:
        ax.axvline(start, color="#555555", linewidth=0.08 * font, linestyle=(0, (3, 2)), zorder=1)
        trivial = np.log(np.maximum(data["trivial"], 1e-300))
        level = math.exp(float(np.interp(math.log(start), np.log(data["n"]), trivial)))
        ax.plot([start], [level], marker="D", color="#555555", markersize=0.5 * font, zorder=4)
        label = f"vacuous until $n$ = {_power(start)}"
        line = Line2D([], [], color="#555555", linestyle=(0, (3, 2)), linewidth=0.08 * font, marker="D", label=label)
        line.set_markersize(0.5 * font)
        keys.append(line)
    else:
        _note(ax, f"bound stops being vacuous at $n$ = {_power(start)}", font)


def _note(ax: Any, text: str, font: float) -> None:
    """An arrow to the right, beyond the plot, with a text, in the lower right corner, below all curves."""
    low, high = ax.get_ylim()
    ax.set_ylim(low / (high / low) ** 0.13, high)
    ax.annotate(
        text, xy=(0.995, 0.07), xytext=(0.94, 0.07), xycoords="axes fraction", textcoords="axes fraction", ha="right",
        va="center", fontsize=0.9 * font, zorder=5,
        arrowprops={"arrowstyle": "-|>", "color": BLACK, "linewidth": 0.08 * font, "shrinkA": 2, "shrinkB": 0},
    )  # fmt: skip


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
    with _style("neurips"):  # texts and lines took their sizes when they were made; this gives the salt and font types
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
    _write(file, render(figure, file.suffix.lstrip(".")))
    return file


def write_csv(instance: InstanceEvidence, path: str | Path) -> Path:
    """Write the data of a figure: a head line, then a row per checkpoint; numbers exact to the bit, infinity as inf."""
    names = [k for k in (*NEEDED, *OPTIONAL) if instance.curve.get(k)]
    _curve(instance)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    for row in zip(*(instance.curve[k] for k in names), strict=True):
        writer.writerow([f"{v:.0f}" if k == "n" else repr(float(v)) for k, v in zip(names, row, strict=True)])
    file = Path(path)
    _write(file, text.getvalue().encode("utf-8"))
    return file


def _write(file: Path, data: bytes) -> None:
    try:
        file.write_bytes(data)
    except OSError as error:
        raise InputError(
            f"cannot write '{file}': {error.strerror}; name a folder that exists and is writable"
        ) from None
