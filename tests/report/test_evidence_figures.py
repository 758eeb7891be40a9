"""Figures of the evidence: what is drawn, the same bytes in every process, data beside each, and what is refused."""

from __future__ import annotations

import csv
import dataclasses
import json
import math
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from proofs_check.papers.lattimore2020 import sweep
from tests.report.conftest import HOSTILE, claim, curve, instance
from theorylab.claim import Claim, Dominates, Growth, Instance
from theorylab.decide import Levels, decide_rate, e_path
from theorylab.errors import InputError
from theorylab.evidence import READERS, ControlOutcome, Evidence, InstanceEvidence, from_json, to_json
from theorylab.figure_command import anchors_of, choose, execute, read_source
from theorylab.figure_growth import growth_figure
from theorylab.figure_kinds import KINDS, Drawing, drawings, kill_drawings, trace_drawing
from theorylab.figure_paths import difference_figure, e_figure, e_table
from theorylab.figure_slack import slack_figure, slack_table
from theorylab.figure_style import DPI, LEAST, SIZES, render, write_table
from theorylab.kills import kill_groups, kill_table
from theorylab.registry import find_learner
from theorylab.stats import log_e_refute, log_e_support
from theorylab.sweep import Sweep
from theorylab.versus import Pair

pytestmark = pytest.mark.filterwarnings("error")

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
import hashlib, sys
from pathlib import Path
from theorylab.figure_command import choose, read_source
from theorylab.figure_style import render
for source in sys.argv[1:]:
    for d in choose(*read_source(source), None, None):
        print(d.name, hashlib.sha256(render(d.draw("icml"), "svg") + repr(dict(d.table())).encode()).hexdigest())
"""
T = [512.0, 1024.0, 2048.0, 4096.0, 8192.0, 16384.0]


def coins(rate: float, level: float, count: int = 400, seed: int = 0) -> dict[str, list[float]]:
    """The e-path of coins tested against a level."""
    x = (np.random.default_rng(seed).random(count) < rate).astype(float)
    return decide_rate(x, level, Levels(budget=count)).path


def growing(power: float = 0.5) -> Evidence:
    """A growth claim whose regret is 3 x^power, of the claimed order sqrt x, all limits 10 % off."""
    mean = [3.0 * x**power for x in T]
    sweep = {
        "x": T, "mean": mean, "low": [0.9 * m for m in mean], "high": [1.1 * m for m in mean],
        "order": [x**0.5 for x in T], "scaled": [3.0 * x**0.5 for x in T], "trivial": [0.5 * x for x in T],
    }  # fmt: skip
    between = [math.sqrt(a * b) for a, b in pairwise(T)]
    slopes = {"x": between, "slope": [power - 0.5] * 5, "low": [power - 0.6] * 5, "high": [power - 0.4] * 5}
    growth = dict(
        verdict="CONSISTENT", T1=1024.0, T2=T[-1], slope=0.0, low=-0.01, high=0.02, margin=0.03, exact=False, size="T",
        reason="slope of log(Reg/g) in [-0.010, 0.020], margin 0.03", sweep=sweep, slopes=slopes,
    )  # fmt: skip
    points = [instance("MEASURED", length=int(x), bound=None, interval=None) for x in T]
    return claim("lattimore2020.growth", "CONSISTENT", *points, kind="Growth", growth=growth, kills={})


def compared() -> InstanceEvidence:
    n = [1.0, 10.0, 100.0, 1000.0]
    band = {"n": n, "mean": [0.0, -0.1, -2.0, -9.0], "low": [0.0, -0.4, -3.0, -11.0], "high": [0.0, 0.2, -1.0, -7.0]}
    return instance("SUPPORTED", learner="kl-ucb", other="ucb1", difference=band, replicates=128, bound=None)


def matrix(faults: int, columns: int) -> list[Evidence]:
    """Claims on one learner with every cell of a kill matrix; the last fault is caught by none."""
    out = []
    for j in range(columns):
        kills = {
            f"fault {i} with a name of some length": i < faults - 1 and i % columns == j
            for i in range(faults)
            if (i + j) % 7
        }
        out.append(claim(f"paper2000.property-{j}", "SUPPORTED", instance("SUPPORTED"), kills=kills, copies=j % 3 == 0))
    return out


@pytest.fixture(scope="module")
def search() -> dict[str, Any]:
    trace = [[1, 0.1], [4, 0.2], [30, 0.45], [300, 0.5263]]
    stages = [[2, "search from chain"], [60, "search from random 1"], [210, "search from pair"], [400, "polish"],
              [450, "simplify"]]  # fmt: skip
    return dict(
        id="simulation-lemma", verdict="NO VIOLATION FOUND", quantity="ratio", evaluations=500, trace=trace,
        best=0.5263, attainable=10 / 19, stages=stages, fresh=None, words="no violation in 500 evaluations",
    )  # fmt: skip


@pytest.fixture(scope="module")
def everything(bandit: InstanceEvidence, vacuous: InstanceEvidence) -> list[Evidence]:
    """Claims that have every figure of the evidence between them."""
    rate = dataclasses.replace(bandit, e_path=coins(0.0, 0.05))
    rest = dataclasses.replace(vacuous, e_path=coins(0.2, 0.05), level=0.05)
    return [
        claim("auer2002.thm1", "SUPPORTED", rate, dataclasses.replace(rest, curve={})),
        growing(),
        claim("garivier2011.below-ucb1", "SUPPORTED", compared(), kind="Dominates", kills={}),
        *matrix(6, 4),
    ]


@pytest.fixture(scope="module")
def chosen(everything: list[Evidence], search: dict[str, Any]) -> dict[str, Drawing]:
    """One drawing of each kind."""
    found = {d.kind: d for d in [*choose(everything, None, None, None), trace_drawing(search, "simulation-lemma")]}
    assert set(found) == set(KINDS)
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, everything: list[Evidence], search: dict[str, Any]) -> Path:
    place = tmp_path_factory.mktemp("stored")
    (place / "evidence.json").write_text(to_json(everything), encoding="utf-8")
    (place / "search.json").write_text(json.dumps(search), encoding="utf-8")
    return place


def words(figure: Figure) -> str:
    """All words of a figure."""
    out = [t.get_text() for legend in figure.legends for t in legend.get_texts()]
    for ax in figure.axes:
        out += [ax.get_title(loc="left"), ax.get_xlabel(), ax.get_ylabel(), *(t.get_text() for t in ax.texts)]
    return "\n".join(out)


def test_two_processes_write_the_same_bytes(folder: Path) -> None:
    sources = [str(folder), str(folder / "search.json")]
    runs = []
    for seed in ("1", "2"):  # another order of sets, another time
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, *sources], env={**os.environ, "PYTHONHASHSEED": seed}, cwd=ROOT,
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        runs.append(done.stdout)
    assert runs[0] == runs[1] and len(runs[0].splitlines()) >= 8


@pytest.mark.parametrize("kind", [k for k in KINDS if k != "regret"])
@pytest.mark.parametrize("size", ["neurips", "icml", "slides"])
def test_nothing_is_clipped_and_nothing_overlaps(kind: str, size: str, chosen: dict[str, Drawing]) -> None:
    figure = chosen[kind].draw(size)
    assert figure.get_size_inches()[0] == SIZES[size][0]
    renderer = FigureCanvasAgg(figure).get_renderer()
    (legend,) = figure.legends
    boxes: list[Any] = [legend, *figure.texts]
    for ax in figure.axes:
        (x0, x1), (y0, y1) = sorted(ax.get_xlim()), sorted(ax.get_ylim())
        boxes += [ax.xaxis.label, ax.yaxis.label, ax._left_title]
        boxes += [t for t in ax.get_xticklabels() if x0 <= t.get_position()[0] <= x1]
        boxes += [t for t in ax.get_yticklabels() if y0 <= t.get_position()[1] <= y1]
    for artist in boxes:
        if not getattr(artist, "get_text", lambda: "legend")():
            continue
        box = artist.get_window_extent(renderer)
        assert figure.bbox.x0 - 0.5 <= box.x0 and box.x1 <= figure.bbox.x1 + 0.5, artist
        assert figure.bbox.y0 - 0.5 <= box.y0 and box.y1 <= figure.bbox.y1 + 0.5, artist
    lowest = min(ax.get_tightbbox(renderer).y0 for ax in figure.axes)
    assert legend.get_window_extent(renderer).y1 <= lowest + 0.5
    for ax in figure.axes:  # labels of an axis do not run into each other
        row = [t for t in ax.get_yticklabels() if t.get_text() and t.get_visible()]
        spans = sorted((t.get_window_extent(renderer).y0, t.get_window_extent(renderer).y1) for t in row)
        assert all(a[1] <= b[0] + 1.0 for a, b in pairwise(spans))


@pytest.mark.parametrize(("size", "panels"), [("neurips", 1), ("slides", 1), ("icml", 2)])
def test_a_matrix_of_thirty_by_thirty_is_legible(size: str, panels: int) -> None:
    (drawing,) = kill_drawings(matrix(30, 30), {("paper2000", "ucb1"): "p"})
    figure = drawing.draw(size)
    assert figure.dpi == DPI and len(figure.axes) == panels
    renderer = FigureCanvasAgg(figure).get_renderer()
    columns = 0
    for ax in figure.axes:
        columns += len(ax.get_xticklabels())
        for labels, axis in ((ax.get_xticklabels(), 0), (ax.get_yticklabels(), 1)):
            boxes = [t.get_window_extent(renderer) for t in labels]
            spans = sorted((b.x0, b.x1) if axis == 0 else (b.y0, b.y1) for b in boxes)
            assert all(a[1] <= b[0] + 1.0 for a, b in pairwise(spans))
            assert min(t.get_fontsize() for t in labels) >= LEAST
        assert len(ax.get_yticklabels()) == len(ax.texts) == 30
        assert all(figure.bbox.x0 <= t.get_window_extent(renderer).x0 for t in ax.get_yticklabels())
        assert all(t.get_window_extent(renderer).x1 <= figure.bbox.x1 for t in ax.texts)
    assert columns == 30


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_the_csv_is_the_data_drawn(kind: str, chosen: dict[str, Drawing], tmp_path: Path) -> None:
    table, figure = chosen[kind].table(), chosen[kind].draw("neurips")
    with write_table(table, tmp_path / "a.csv").open(newline="") as stream:
        read = list(csv.DictReader(stream))
    for name, column in table.items():
        for row, value in zip(read, column, strict=True):
            same = row[name] == value if isinstance(value, str) else np.array_equal(float(row[name]), value, True)
            assert same, (name, row[name], value)
    lines = [tuple(np.asarray(line.get_ydata(), float)) for ax in figure.axes for line in ax.lines]
    drawn = {
        "regret": ("mean", "bound", "trivial"), "slack": ("to_quantile", "to_mean"), "growth": ("scaled", "trivial"),
        "difference": ("mean",), "trace": ("best",),
    }.get(kind, ())  # fmt: skip
    for name in drawn:
        column = np.array([float(row[name]) for row in read])
        assert any(len(line) == column.size and np.array_equal(line, column, True) for line in lines), name


def test_slack_is_the_bound_over_the_quantile_of_the_claim(bandit: InstanceEvidence) -> None:
    data = curve(1000, 10.0, 0.8)
    data["upper"] = [2.0 * m for m in data["mean"]]
    i = dataclasses.replace(bandit, curve=data, level=0.01)
    table = slack_table(i)
    assert np.allclose(table["to_quantile"], 5.0) and np.allclose(table["to_mean"], 10.0)
    text = words(slack_figure(i, claim_id="a.b"))
    assert "bound / 99 % quantile" in text and "violated below 1" in text and "vacuous until $n$ = 168" in text
    assert "95 % quantile" in words(slack_figure(bandit, claim_id="a.b"))
    data["mean"] = [0.0, *data["mean"][1:]]
    assert math.isnan(slack_table(dataclasses.replace(i, curve=data))["to_mean"][0])
    assert "(1 of" in words(slack_figure(dataclasses.replace(i, curve=data), claim_id="a.b"))


def test_an_e_path_is_the_process_up_to_the_verdict() -> None:
    x = np.zeros(400)
    x[[20, 50]] = 1.0
    found = decide_rate(x, 0.05, Levels(budget=400), instances=3)
    path = found.path
    assert path["n"][0] == 1.0 and path["n"][-1] == found.n and len(path["n"]) <= 80
    at = np.array(path["n"], dtype=int)
    total = np.cumsum(x)[at - 1]
    assert np.array_equal(path["log_e_support"], log_e_support(total, at, 0.05))
    assert np.array_equal(path["log_e_refute"], log_e_refute(total, at, 0.05))
    assert set(path["threshold_refute"]) == {math.log(3000.0)} and set(path["threshold_support"]) == {math.log(100.0)}
    assert path["log_e_support"][-1] >= math.log(100.0) > path["log_e_support"][-2]
    assert math.isclose(math.exp(path["log_e_support"][-1]), found.e_support)
    only = decide_rate(x, 0.05, Levels(budget=400), support=False).path
    assert "log_e_support" not in only and e_path(np.array([1]), refute=(np.zeros(1), 1.0))["n"] == [1.0]


def test_an_e_figure_marks_where_it_stopped() -> None:
    supported = instance("SUPPORTED", e_path=coins(0.0, 0.05))
    refuted = instance("REFUTED", model="coin(0.5)", e_path=coins(0.5, 0.05))
    figure = e_figure(claim("a.b", "REFUTED", supported, refuted))
    ax = figure.axes[0]
    ends = [line for line in ax.lines if line.get_marker() in ("o", "s")]
    assert [line.get_markerfacecolor() != "white" for line in ends] == [True, False, False, True]
    assert "passes at 100" in words(figure) and "passes at 1000" in words(figure) and "coin(0.5), n = " in words(figure)
    table = e_table(claim("a.b", "REFUTED", supported, refuted))
    assert table["instance"].count("ucb1 on coin(0.5)") == len(refuted.e_path["n"])
    assert ax.get_ylim()[0] > -8.0 and "cut below" not in ax.get_ylabel()
    long = dict(supported.e_path)
    long["log_e_refute"] = [-30.0 * (k + 1) for k in range(len(long["n"]))]
    cut = e_figure(claim("a.b", "SUPPORTED", dataclasses.replace(supported, e_path=long)))
    assert "cut below" in cut.axes[0].get_ylabel() and cut.axes[0].get_ylim()[0] > -8.0


def test_a_growth_figure_shows_range_margin_and_verdict(chosen: dict[str, Drawing]) -> None:
    figure = chosen["growth"].draw("neurips")
    text = words(figure)
    assert "CONSISTENT on T in [1024, 16384]" in text.replace("\n", " ") and "margin 0.03" in text.replace("\n", " ")
    assert "before the range" in text and "order, fitted to the range" in text
    top, below = figure.axes
    assert any(np.allclose(line.get_ydata(), 0.03) for line in below.lines)
    assert top.get_ylim()[1] > 0.5 * T[-1] and "margin 0.03" in chosen["growth"].caption
    table = chosen["growth"].table()
    assert table["slope_to_next"][:5] == [0.0] * 5 and math.isnan(table["slope_to_next"][5])


def test_a_sweep_is_recorded_as_it_was_decided() -> None:
    order = Growth("n^(1/2)", margin=0.04, sweep="T")
    made = Claim(
        id="a.growth", text="t", learner="explore-then-commit", kind=order, quantity="regret",
        shape=lambda c, n: n**0.5, trivial=lambda c, n: 0.5 * n, instances={"quick": sweep(9, 14)},
    )  # fmt: skip
    learner = find_learner("explore-then-commit", "bandit")
    points = Sweep(made, learner, made.on("quick"), {}, 0, "python")
    rng = np.random.default_rng(0)
    samples = [2.0 * t**0.5 * rng.uniform(0.9, 1.1, 300) for t in points.x]
    found = points.decide(samples)
    stored = points.record(samples, found)
    table = stored["sweep"]
    assert stored["verdict"] == found.verdict == "CONSISTENT" and stored["margin"] == 0.04 and stored["size"] == "T"
    assert table["x"] == [2.0**k for k in range(9, 9 + len(points.x))] and np.allclose(table["order"], points.x**0.5)
    assert np.allclose(table["mean"], [s.mean() for s in samples])
    half = [1.6448536 * s.std(ddof=1) / math.sqrt(s.size) for s in samples]
    assert np.allclose(np.subtract(table["high"], table["mean"]), half)
    assert np.allclose(table["scaled"], 2.0 * points.x**0.5, rtol=0.01)
    slopes = np.diff(np.log(np.array(table["mean"]) / table["order"])) / math.log(2.0)
    assert np.allclose(stored["slopes"]["slope"], slopes) and len(stored["slopes"]["x"]) == len(points.x) - 1
    e = claim("a.growth", "CONSISTENT", kind="Growth", growth=stored)
    assert from_json(to_json([e]))[0].growth["sweep"] == table
    growth_figure(e, size="icml")


def test_a_band_is_of_the_difference_of_coupled_curves() -> None:
    learner = find_learner("ucb1", "bandit")
    made = Claim(
        id="a.below", text="t", learner="ucb1", kind=Dominates("moss"), quantity="regret",
        trivial=lambda c, n: 0.5 * n, instances={},
    )  # fmt: skip
    place = Instance("bernoulli", 500, {"means": (0.7, 0.2)})
    pair = Pair(made, learner, learner, place, place.build(), {}, 0, "python")
    shape = (200, len(pair.checkpoints))
    rng = np.random.default_rng(1)
    shared = rng.normal(0.0, 5.0, shape).cumsum(axis=1)
    pair.curves = [shared + rng.normal(-1.0, 0.5, shape), shared]
    band = {k: np.array(v) for k, v in pair.band().items()}
    assert band["n"].tolist() == list(pair.checkpoints) and band["n"][-1] == 500.0
    assert np.allclose(band["mean"], (pair.curves[0] - pair.curves[1]).mean(axis=0))
    width = (band["high"] - band["mean"]) / (0.5 / math.sqrt(200))
    assert np.all(np.abs(band["mean"] + 1.0) < 0.2) and np.all((width > 2.3) & (width < 4.0))  # wider than 1.96


def test_a_kill_matrix_tells_properties_from_formulas() -> None:
    first = claim("p2000.index", "SUPPORTED", instance("SUPPORTED"), kills={"a": True, "b": False}, copies=True)
    second = claim("p2000.law", "SUPPORTED", instance("SUPPORTED"), kills={"b": False, "c": True})
    other = claim("p2000.x", "SUPPORTED", instance("SUPPORTED", learner="moss"), kills={"a": False})
    assert {k: [e.id for e in v] for k, v in kill_groups([first, second, other]).items()} == {
        ("p2000", "ucb1"): ["p2000.index", "p2000.law"], ("p2000", "moss"): ["p2000.x"],
    }  # fmt: skip
    assert kill_table([first, second]) == {
        "fault": ["a", "b", "c"],
        "p2000.index": ["formula", "not caught", "not run"],
        "p2000.law": ["not run", "not caught", "property"],
    }
    (drawing,) = kill_drawings([first, second], {("p2000", "ucb1"): "p"})
    ax = drawing.draw("neurips").axes[0]
    assert [t.get_text() for t in ax.texts] == ["0", "none", "1"]
    shapes = {str(line.get_marker()) for line in ax.lines}
    grey = {matplotlib.colors.to_hex(line.get_markerfacecolor()) for line in ax.lines}
    assert len(shapes) == 2 and len(grey) == 2  # square, half; dark, white: they differ in grey


def test_a_trace_has_its_lines(chosen: dict[str, Drawing], search: dict[str, Any]) -> None:
    text = words(chosen["trace"].draw("neurips"))
    assert "violated above 1" in text and "attainable: 0.526" in text and "restart of the search (2)" in text
    assert "polish begins" in text and "simplify begins" in text
    assert chosen["trace"].table()["n"][-1] == 500.0
    open_ = {**search, "quantity": "constant", "threshold": "inf", "attainable": None, "stages": [], "best": 40.0,
             "trace": [[1, 1.0], [20, 40.0]]}  # fmt: skip
    text = words(trace_drawing(open_, "a").draw("icml"))
    assert "violated" not in text and "best constant" in text and "restart" not in text
    probe = {**search, "quantity": "lhs - rhs", "threshold": 1e-9, "trace": [[1, "-inf"], [3, -0.5]],
             "attainable": None, "fresh": {"ratio": -0.6}}  # fmt: skip
    assert "winner on fresh addresses: -0.6" in words(trace_drawing(probe, "a").draw("icml"))


def test_lines_differ_in_grey(chosen: dict[str, Drawing]) -> None:
    for kind in ("slack", "difference", "trace"):
        figure = chosen[kind].draw("neurips")
        handles = [
            h for h in figure.legends[0].legend_handles if getattr(h, "get_linestyle", lambda: "None")() != "None"
        ]
        lines = [h for h in handles if hasattr(h, "get_data") and h.get_marker() in ("None", "")]
        assert len({str(line._unscaled_dash_pattern) for line in lines}) == len(lines) >= 2, kind


def test_evidence_comes_back(everything: list[Evidence], evidence: list[Evidence]) -> None:
    for stored in (everything, evidence):
        text = to_json(stored)
        again = from_json(text)
        assert to_json(again) == text
        assert [e.instances for e in again] == [e.instances for e in stored]
        assert [e.interval for e in again] == [e.interval for e in stored]
    assert from_json(to_json(evidence))[6].e_value == math.inf
    odd = instance(
        "SUPPORTED", mean=math.nan, e_path={"n": [1.0], "log_e_support": [-math.inf]}, constant=(0.0, math.inf)
    )
    back = from_json(to_json([claim("a.b", "SUPPORTED", odd)]))[0].instances[0]
    assert back.mean is not None and math.isnan(back.mean) and back.constant == (0.0, math.inf)
    assert back.e_path["log_e_support"] == [-math.inf]
    bare = from_json(to_json(everything, curves=False))
    assert not any(i.curve or i.e_path or i.difference for e in bare for i in e.instances)
    assert "sweep" not in bare[1].growth and bare[1].growth["margin"] == 0.03
    for record in (Evidence, InstanceEvidence, ControlOutcome):
        assert {str(f.type) for f in dataclasses.fields(record)} <= set(READERS)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda rows: rows[0].pop("verdict"), r"\[0\] lacks 'verdict'"),
        (lambda rows: rows[1].update(colour="red"), r"\[1\]\.colour is no entry of evidence"),
        (lambda rows: rows[0].update(n="many"), r"\[0\]\.n is 'many', not an integer"),
        (lambda rows: rows[0]["instances"][1].update(slack="wide"), r"\[0\]\.instances\[1\]\.slack is 'wide', not"),
        (lambda rows: rows[0]["instances"][0]["curve"].update(n=[1, None]), r"\.curve\.n\[1\] is None, not a number"),
        (lambda rows: rows[0].update(interval=[1.0]), r"\[0\]\.interval is \[1\.0\], not a pair"),
        (lambda rows: rows[0].update(kills={"a": 1}), r"\[0\]\.kills\.a is 1, not true or false"),
        (lambda rows: rows[0].update(vacuous="no"), r"\[0\]\.vacuous is 'no', not true or false"),
        (lambda rows: rows.append(3), r"\[\d+\] is a number, not an object"),
        (lambda rows: rows[0].update(controls={}), r"\[0\]\.controls is \{\}, not a list"),
    ],
)  # fmt: skip
def test_foreign_evidence_is_refused(change: Any, text: str, everything: list[Evidence]) -> None:
    rows = json.loads(to_json(everything))
    change(rows)
    with pytest.raises(InputError, match=text):
        from_json(json.dumps(rows))


def test_a_source_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot read '.*none'.*give the folder of `theorylab check --report`"):
        read_source(tmp_path / "none")
    for text, message in (
        ("x", "a.json': the evidence is not JSON"),
        ("[1]", r"a.json': \[0\] is a number"),
        ("{}", r"a.json' has no id, verdict, quantity, evaluations, trace, best; a trace needs"),
        ("3", "the evidence is a number, not a list of claims"),
    ):
        (tmp_path / "a.json").write_text(text)
        with pytest.raises(InputError, match=message):
            read_source(tmp_path / "a.json")


@pytest.mark.parametrize(
    ("name", "kind", "text"),
    [
        ("auer2002.thm1", "growth", r"no figure of kind 'growth': it has no `growth`.*kind is HighProb.*--report"),
        ("auer2002.thm1", "difference", r"no instance has a `difference`: its kind is HighProbability"),
        ("auer2002.thm1", "trace", r"give the file that `theorylab attack auer2002.thm1 --json > FILE.json` writes"),
        ("lattimore2020.growth", "slack", r"no instance has a `curve` with a bound.*check lattimore2020.growth"),
        ("lattimore2020.growth", "e-path", r"no instance has an `e_path`: an invariant, lemma or sweep"),
        ("lattimore2020.growth", "kills", r"no fault was put to it.*check lattimore2020.growth --report"),
        ("lattimore2020", "regret", r"no instance has a `curve`"),
        ("auer2002.thm", None, r"no claim or paper 'auer2002.thm' is in the evidence; nearest: auer2002.thm1"),
        (None, "slak", r"unknown kind of figure 'slak'; nearest: slack"),
        (None, "trace", r"none of the 7 claims has a figure of kind 'trace'"),
    ],
)  # fmt: skip
def test_what_is_missing_is_named(name: str | None, kind: str | None, text: str, everything: list[Evidence]) -> None:
    with pytest.raises(InputError, match=text):
        choose(everything, None, name, kind)


def test_a_search_has_a_trace_only(search: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="a search has a trace, not 'slack'"):
        choose([], search, None, "slack")
    with pytest.raises(InputError, match=r"the search is of 'simulation-lemma', not of 'a\.b'"):
        choose([], search, "a.b", None)
    with pytest.raises(InputError, match="the trace of simulation-lemma is empty"):
        choose([], {**search, "trace": []}, None, None)[0].table()
    with pytest.raises(InputError, match="is no list of pairs"):
        choose([], {**search, "trace": [1, 2]}, None, None)[0].table()


def test_the_command_writes_figures_with_their_data(folder: Path, tmp_path: Path, everything: list[Evidence]) -> None:
    place = tmp_path / "new" / "out"
    files = execute(folder, "auer2002.thm1", kind="slack", size="icml", format="svg", out=place)
    assert [f.name for f in files] == ["auer2002-thm1-1-slack.svg", "auer2002-thm1-1-slack.csv"]
    assert files[0].read_bytes() == render(drawings(everything[0], "auer2002-thm1")[1].draw("icml"), "svg")
    files = execute(folder, "paper2000", kind=None, size="icml", format="png", out=place)
    assert [f.name for f in files] == ["paper2000-ucb1-kills.png", "paper2000-ucb1-kills.csv"]
    files = execute(folder, "paper2000.property-1", kind="kills", size="icml", format="svg", out=place)
    assert files[0].name == "paper2000-ucb1-paper2000-property-1-kills.svg"
    files = execute(folder / "search.json", None, kind=None, size="icml", format="pdf", out=place)
    assert [f.name for f in files] == ["simulation-lemma-trace.pdf", "simulation-lemma-trace.csv"]
    (tmp_path / "file").write_text("")
    options = dict(kind="slack", size="icml", format="svg", out=place)
    for change, text in (
        ({"size": "nips"}, "unknown figure size 'nips'"),
        ({"format": "gif"}, "unknown figure format 'gif'; use one of pdf"),
        ({"out": tmp_path / "file" / "below"}, "cannot make the folder"),
    ):
        with pytest.raises(InputError, match=text):
            execute(folder, None, **{**options, **change})


def test_hostile_names_are_drawn_as_text(search: dict[str, Any]) -> None:
    i = instance("SUPPORTED", model=HOSTILE, learner=HOSTILE, other=HOSTILE, difference=compared().difference,
                 e_path=coins(0.0, 0.05), curve=curve(100, 10.0, 1.0), unit=HOSTILE)  # fmt: skip
    e = claim(HOSTILE, HOSTILE, i, kills={HOSTILE: True, "x" * 300: False})
    anchor = anchors_of([HOSTILE])[HOSTILE]
    made = [*drawings(e, anchor), *kill_drawings([e], {(e.paper, HOSTILE): anchor})]
    made.append(trace_drawing({**search, "id": HOSTILE, "verdict": HOSTILE, "quantity": HOSTILE}, anchor))
    assert len(made) == 6
    for drawing in made:
        render(drawing.draw("icml"), "svg")


def test_numbers_that_cannot_be_drawn_are_named() -> None:
    band = {**compared().difference, "low": [0.0]}
    with pytest.raises(InputError, match=r"the difference of kl-ucb on .*'low' must be a list as long as 'n'"):
        difference_figure(dataclasses.replace(compared(), difference=band), claim_id="a")
    path = {**coins(0.0, 0.05)}
    path["log_e_support"] = [math.nan, *path["log_e_support"][1:]]
    with pytest.raises(InputError, match=r"the e-path of ucb1 on .*log_e_support\[0\] is NaN"):
        e_figure(claim("a.b", "SUPPORTED", instance("SUPPORTED", e_path=path)))
