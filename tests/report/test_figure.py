"""Regret figures: the same bytes in every process, what is drawn, and what is refused."""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import json
import math
import os
import subprocess
import sys
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from tests.report.conftest import HOSTILE, curve, instance
from theorylab.errors import InputError
from theorylab.evidence import InstanceEvidence
from theorylab.figure import SIZES, regret_figure, render, save, write_csv

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
import dataclasses, hashlib, json, sys
from theorylab.evidence import InstanceEvidence
from theorylab.figure import regret_figure, render
figure = regret_figure(InstanceEvidence(**json.load(sys.stdin)), claim_id="a.b", size="icml")
print(*(hashlib.sha256(render(figure, f)).hexdigest() for f in ("svg", "pdf", "png")))
"""


def texts(i: InstanceEvidence, size: str = "neurips") -> str:
    """All words of a figure."""
    figure = regret_figure(i, claim_id="auer2002.thm1", size=size)
    ax = figure.axes[0]
    words = [ax.get_title(loc="left"), ax.get_xlabel(), ax.get_ylabel(), *(t.get_text() for t in ax.texts)]
    return "\n".join([*words, *(t.get_text() for t in figure.legends[0].get_texts())])


def test_two_processes_write_the_same_bytes(vacuous: InstanceEvidence) -> None:
    figure = regret_figure(vacuous, claim_id="a.b", size="icml")
    here = [hashlib.sha256(render(figure, f)).hexdigest() for f in ("png", "pdf", "svg")][::-1]
    for seed in ("1", "2"):  # another order of sets, another time
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT],
            input=json.dumps(dataclasses.asdict(vacuous)),
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.split() == here


def test_global_settings_are_neither_used_nor_changed(bandit: InstanceEvidence) -> None:
    plain = render(regret_figure(bandit, claim_id="a.b"), "svg")
    with matplotlib.rc_context({"font.size": 30.0, "lines.linewidth": 9.0, "svg.fonttype": "none"}):
        before = dict(matplotlib.rcParams)
        assert render(regret_figure(bandit, claim_id="a.b"), "svg") == plain
        assert dict(matplotlib.rcParams) == before


@pytest.mark.parametrize("size", sorted(SIZES))
def test_nothing_is_clipped_and_nothing_overlaps(
    size: str, bandit: InstanceEvidence, vacuous: InstanceEvidence
) -> None:
    for i in (bandit, vacuous):
        figure = regret_figure(i, claim_id="auer2002.thm1", size=size)
        assert tuple(figure.get_size_inches()) == SIZES[size][:2]
        renderer = FigureCanvasAgg(figure).get_renderer()
        ax, legend = figure.axes[0], figure.legends[0]
        low, high = ax.get_xlim()
        ticks = [t for t in ax.get_xticklabels() if low <= t.get_position()[0] <= high]
        boxes = [ax.xaxis.label, ax.yaxis.label, ax._left_title, legend, *ax.texts, *ticks]
        for artist in boxes:
            box = artist.get_window_extent(renderer)
            assert figure.bbox.x0 - 0.5 <= box.x0 and box.x1 <= figure.bbox.x1 + 0.5, artist
            assert figure.bbox.y0 - 0.5 <= box.y0 and box.y1 <= figure.bbox.y1 + 0.5, artist
        assert legend.get_window_extent(renderer).y1 <= ax.xaxis.label.get_window_extent(renderer).y0


def test_the_figure_says_where_the_bound_gains_content(bandit: InstanceEvidence, vacuous: InstanceEvidence) -> None:
    inside, beyond = texts(bandit), texts(vacuous)
    assert "vacuous until $n$ = 168" in inside and "5–95 % of 512 replicates" in inside
    assert r"bound stops being vacuous at $n$ = $3.4 \times 10^{8}$" in beyond
    assert "completed episodes" in beyond and "cumulative regret (reward units)" in beyond
    for i, end in ((bandit, 168.0), (vacuous, 1060.0)):
        span = next(p for p in regret_figure(i, claim_id="a").axes[0].patches if p.get_facecolor()[0] > 0.9)
        assert span.get_extents().transformed(regret_figure(i, claim_id="a").axes[0].transData.inverted()).x1 == (
            pytest.approx(end)
        )


def test_a_bound_with_content_from_the_start_shades_nothing(bandit: InstanceEvidence) -> None:
    assert "vacuous" not in texts(dataclasses.replace(bandit, nonvacuous_from=1))


def test_an_infinite_bound_and_a_missing_one_are_named() -> None:
    data = curve(500, 1.0, 10.0)
    data["bound"] = [math.inf] * len(data["n"])
    i = instance("CONSTANT MEASURED", curve=data, nonvacuous_from=None, vacuous=True)
    assert "bound of the claim (infinite)" in texts(i) and "10^{18}" in texts(i)
    bare = {k: data[k] for k in ("n", "mean", "low", "high")}
    assert "bound" not in texts(dataclasses.replace(i, curve=bare))


def test_regret_at_or_below_zero_is_counted() -> None:
    data = curve(500, 10.0, 10.0)
    data["mean"] = [m - 2.0 for m in data["mean"]]
    data["low"] = [-5.0] * len(data["n"])
    hidden = sum(m <= 0 for m in data["mean"])
    assert hidden and f"({hidden} of {len(data['n'])} means ≤ 0, not shown)" in texts(instance("SUPPORTED", curve=data))
    nothing = {k: [0.0] * len(v) for k, v in data.items()} | {"n": data["n"]}
    render(regret_figure(instance("SUPPORTED", curve=nothing), claim_id="a"), "png")


def test_one_checkpoint_and_a_short_axis_have_labels() -> None:
    one = {k: v[-1:] for k, v in curve(500, 10.0, 10.0).items()}
    short = {k: v[-6:] for k, v in curve(500, 10.0, 10.0).items()}
    for data in (one, short):
        figure = regret_figure(instance("SUPPORTED", curve=data), claim_id="a")
        low, high = figure.axes[0].get_xlim()
        labelled = [t for t in figure.axes[0].get_xticks() if low <= t <= high]
        assert labelled


@pytest.mark.filterwarnings("error")
def test_hostile_names_are_drawn_as_text() -> None:
    i = instance("SUPPORTED", model=HOSTILE, learner="x" * 200, unit=HOSTILE, curve=curve(100, 10.0, 1.0))
    for size in ("icml", "neurips"):
        render(regret_figure(i, claim_id=HOSTILE, size=size), "svg")


def test_the_csv_holds_every_number_to_the_bit(tmp_path: Path, bandit: InstanceEvidence) -> None:
    data = {**bandit.curve, "bound": [math.inf, *bandit.curve["bound"][1:]]}
    with write_csv(dataclasses.replace(bandit, curve=data), tmp_path / "a.csv").open(newline="") as stream:
        read = list(csv.DictReader(stream))
    for name, values in data.items():
        assert [float(row[name]) for row in read] == values


@pytest.mark.parametrize("suffix", [".pdf", ".svg", ".png"])
def test_save_goes_by_the_suffix(suffix: str, tmp_path: Path, bandit: InstanceEvidence) -> None:
    figure = regret_figure(bandit, claim_id="a.b")
    file = save(figure, tmp_path / f"a{suffix}")
    assert file.read_bytes()[:5] in (b"%PDF-", b"<?xml", b"\x89PNG\r")
    assert b"CreationDate" not in file.read_bytes() and b"dc:date" not in file.read_bytes()


def test_what_is_refused(tmp_path: Path, bandit: InstanceEvidence) -> None:
    figure = regret_figure(bandit, claim_id="a.b")
    with pytest.raises(InputError, match=r"suffix '\.gif'; use one of \.pdf"):
        save(figure, tmp_path / "a.gif")
    with pytest.raises(InputError, match="cannot write"):
        save(figure, tmp_path / "none" / "a.png")
    with pytest.raises(InputError, match="unknown figure size 'neurip'; nearest: neurips"):
        regret_figure(bandit, claim_id="a.b", size="neurip")
    for change, text in (
        ({}, "has no n, mean, low, high"),
        ({**bandit.curve, "low": [1.0]}, "'low' must be a list as long as 'n'"),
        ({**bandit.curve, "bound": [1.0]}, "'bound' has 1 entries and 'n' has"),
        ({**bandit.curve, "mean": [math.nan] * len(bandit.curve["n"])}, r"mean\[0\] is NaN"),
        ({k: [0.0] for k in ("n", "mean", "low", "high")}, "no point with n > 0"),
    ):
        with pytest.raises(InputError, match=text):
            regret_figure(dataclasses.replace(bandit, curve=change), claim_id="a.b")


def test_lines_differ_in_grey(bandit: InstanceEvidence) -> None:
    lines = [line for line in regret_figure(bandit, claim_id="a").axes[0].lines if len(line.get_xdata()) > 2]
    assert len({str(line._unscaled_dash_pattern) for line in lines}) == len(lines) == 4
    assert np.all(lines[0].get_ydata() == np.array(bandit.curve["mean"]))
