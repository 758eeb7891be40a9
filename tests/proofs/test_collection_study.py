"""The study of sample collection: comparisons by hand, results that go on, studies that can be read, slopes."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from proofs_check import _collection_cells as cells
from proofs_check import _collection_figures as figures
from proofs_check import _collection_tables as tables
from proofs_check import collection_study
from proofs_check._collection_runs import Found, Runs
from proofs_check._small_svg import small_svg
from theorylab.errors import InputError
from theorylab.study import Study

STUDIES = sorted((Path(collection_study.__file__).parent / "studies").glob("*.toml"))
TINY = cells.Cell("uniform-collection", "star", 2000, 4, {"samples": 1})


@pytest.mark.parametrize("path", STUDIES, ids=lambda p: p.stem)
def test_studies_can_be_read(path: Path) -> None:
    study = Study.read(path)
    assert study.name == path.stem and study.replicates >= 30
    assert len(study.cells()) == len(study.learners) * len(study.models)


def test_there_are_studies() -> None:
    assert "sample-collection" in [p.stem for p in STUDIES]


# Comparisons


def test_a_difference_in_combined_standard_errors_by_hand() -> None:
    values = np.array([8.0, 10.0, 12.0, 14.0])  # mean 11, variance 20/3
    printed = tables.compare("x", values, cells.Reference(9.0, 1.0))
    assert printed.z == pytest.approx(2.0 / math.sqrt(20 / 12 + 1.0)) and printed.se == pytest.approx(
        math.sqrt(20 / 12)
    )
    seeds = tables.compare("x", values, cells.Reference(9.0, seeds=20, unit=0.1))
    assert seeds.z == pytest.approx(2.0 / math.sqrt(20 / 12 + 20 / 60 + 0.01 / 12))
    assert printed.cell() == "9 (1), +1.2" and seeds.cell(1) == "9.0, +1.4"


def test_runs_that_were_cut_are_no_mean() -> None:
    beyond, mean = cells.Reference(2e6, 0.0, beyond=True), cells.Reference(9.0, 1.0)
    cut, none = np.array([-1, -1]), np.array([3, 4])
    assert tables.compare("x", cut, beyond).z == 0.0
    pooled = 31 / 32  # 1 of 2 and 30 of 30
    by_hand = -0.5 / math.sqrt(pooled * (1 - pooled) * (1 / 2 + 1 / 30))
    assert tables.compare("x", np.array([-1, 4]), beyond).z == pytest.approx(by_hand)
    assert tables.compare("x", none, beyond).z < -4
    for values in (np.array([-1, 4]), cut):
        assert tables.compare("x", values, mean).z == math.inf
    assert tables.shown(Found(np.array([-1, 4]), 0.0)) == "1/2 cut"
    assert Found(np.array([-1, 4]), 0.0).mean() == math.inf


def test_agreement_counts_and_names_what_is_far() -> None:
    made = [
        tables.Compared(n, 1.0, 0.1, 0, 9, cells.Reference(1.0), z) for n, z in (("a", 0.5), ("b", -3.0), ("c", 5.0))
    ]
    text = tables.agreement(made)
    assert text.startswith("3 values of the notes: 1 within 2 combined standard errors, 2 within 4.")
    assert "- b: 1 against 1, -3.00" in text and "- c" in text and "- a" not in text


def test_the_table_of_the_notes_is_read_as_it_stands() -> None:
    assert len(cells.TREASURE) == 49
    assert cells.TREASURE["GOSPRL ROS alpha=1", "four-rooms"][1] == cells.Reference(321308.0, 5762.0)
    assert cells.TREASURE["0/1-UCRL alpha=1", "star"][1] == cells.Reference(1533.0, 116.0)
    assert [key for key, (_, ref) in cells.TREASURE.items() if ref.beyond] == [("uniform", "riverswim-12")]
    assert cells.SAMPLES["GOSPRL AME alpha=1", "star", 100][1] == cells.Reference(16019.0, seeds=20)
    assert cells.CHAIN["GOSPRL AME alpha=.1", 24][1] == cells.Reference(3230.0, seeds=20)
    assert cells.ERRORS["uniform", "riverswim-6", 10_000, "worst"] == cells.Reference(0.365, seeds=20, unit=1e-3)
    assert len(cells.ERRORS) == 24


def test_bounds_of_the_table() -> None:
    assert tables.exact("LP bound", "riverswim-6") == pytest.approx(230.554, abs=1e-3)
    assert tables.exact("sum_s D_s b(s)", "star") == pytest.approx(600.0, abs=1e-6)


def test_models_of_the_study() -> None:
    wheel = cells.model_of("wheel-5").dense()
    assert wheel[0, 0].tolist() == [0.0, 0.25, 0.25, 0.25, 0.25] and np.all(wheel[0, 1:, 0] == 1.0)
    assert cells.model_of("noisy-riverswim-12").S == 12 and cells.model_of("four-rooms").S == 68
    graph, asked = cells.model_of("garnet-20-4-2-1"), cells.requirement_of("garnet-20-4-2-1")
    assert np.all((graph.dense() > 0).sum(axis=-1) == 2)
    assert asked.min() >= 0 and asked.max() <= 100 and asked.shape == (20, 4)
    assert not np.array_equal(asked, cells.requirement_of("garnet-20-4-2-2"))


# Results


def test_results_go_on_and_are_dropped_when_the_cell_has_changed(tmp_path: Path) -> None:
    told: list[str] = []
    few = Runs(tmp_path, 2, told.append, "python")[TINY].values
    more = Runs(tmp_path, 5, told.append, "python")[TINY].values
    whole = Runs(tmp_path / "other", 5, target="python")[TINY].values
    assert more.tolist() == whole.tolist() and more[:2].tolist() == few.tolist() and more.min() >= 12
    assert Runs(tmp_path, 3, told.append, "python")[TINY].values.tolist() == whole[:3].tolist()
    assert ["2 replicates" in told[0], "3 replicates" in told[1], len(told)] == [True, True, 2]
    stored = json.loads((tmp_path / "cells.json").read_text())
    stored[TINY.key].update(digest="another", values=[0] * 5)
    (tmp_path / "cells.json").write_text(json.dumps(stored))
    assert Runs(tmp_path, 5, target="python")[TINY].values.tolist() == whole.tolist()


def test_a_cut_is_kept_as_one(tmp_path: Path) -> None:
    short = cells.Cell("uniform-collection", "star", 5, 3, {"samples": 1})
    runs = Runs(tmp_path, target="python")
    assert runs[short].values.tolist() == [-1, -1, -1]
    with pytest.raises(InputError, match="3 runs were cut"):
        figures.complete(runs, short)


def test_errors_are_taken_on_the_way(tmp_path: Path) -> None:
    cell = cells.Cell("stationary-policy", "star", 40, 3, at=(10, 40))
    values = Runs(tmp_path, target="python")[cell].values
    alone = Runs(tmp_path, target="python")[cells.Cell("stationary-policy", "star", 40, 3, at=(40,))]
    assert values.shape == (3, 2, 2) and np.all(values[:, :, 1] >= values[:, :, 0]) and alone.values.shape == (3, 1, 2)


def test_a_spoilt_file_and_a_single_replicate_are_refused(tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "cells.json").write_text("{")
    assert collection_study.main(["--only", "chain", "--out", str(tmp_path)]) == 2
    assert collection_study.main(["--replicates", "1", "--out", str(tmp_path / "x")]) == 2
    assert "cells.json" in (text := capsys.readouterr().err) and "--replicates 1" in text


# Figures


def powers(exponent: float, noise: float) -> figures.Line:
    rng = np.random.default_rng(3)
    S = (6.0, 8.0, 12.0, 16.0, 24.0)
    values = tuple(5.0 * x**exponent * np.exp(noise * rng.standard_normal(60)) for x in S)
    return figures.Line("RiverSwim(S)", cells.PRACTICE, S, values)


def test_slopes_of_the_burn_in() -> None:
    line = powers(1.9, 0.3)
    low, high = figures.slope_of(line).limits(0.025)
    assert low < 1.9 < high and high - low < 0.3
    table = figures.burn_table([line])
    assert table["slope"] == [figures.slope_of(line).value] * 5 and table["S"] == list(line.x)
    data = line.summary()
    assert np.all(data["q10"] < data["mean"]) and np.all(data["mean"] < data["q90"])
    assert data["q10"][0] == np.sort(line.values[0])[5]


@pytest.mark.long
def test_figures_are_the_same_bytes_each_time() -> None:
    from theorylab.figure_style import render

    lines = [powers(1.9, 0.3), replace(powers(1.6, 0.3), name=cells.THEORY)]
    for size in ("neurips", "icml"):
        assert render(figures.burn_figure(lines, size), "svg") == render(figures.burn_figure(lines, size), "svg")


def test_small_svg_keeps_what_is_drawn() -> None:
    mark = '<use xlink:href="#m1" x="{}" y="2.0" style="fill: #d55e00; stroke: #123"/>'
    text = (
        '<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">\n'
        '<g id="axes_1">\n <g id="line2d_1">\n<defs><path id="m1" d="M 0 0 \nL 1.23456 -0.123456 z"/></defs>\n'
        f'<g clip-path="url(#p1)">{mark.format("1.26")} {mark.format("3.0")}</g>\n </g>\n</g>\n'
        '<g/><text x="1.25">slope 1.66</text><defs><clipPath id="p1"><rect x="0" width="5.04"/></clipPath></defs></svg>'
    )
    small = small_svg(text)
    found = ElementTree.fromstring(small)
    assert [e.get("x") for e in found.iter() if e.tag.endswith("use")] == ["1.3", "3"]
    assert set(re.findall(r"#(a\w+)", small)) == {e.get("id") for e in found.iter() if e.get("id")}
    assert 'd="M0 0L1.2 -0.1235z"' in small and small.count("fill:#d55e00") == 1 and "axes_1" not in small
    assert ">slope 1.66<" in small
