"""The studies of LOOP: study files, cells that are missing, runs that end with an error, statistics by hand."""

from __future__ import annotations

import json
import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from proofs_check import _loop_analysis as analysis
from proofs_check import _loop_cells as cells
from proofs_check import _loop_lemmas as lemmas
from proofs_check import _loop_panels as panels
from proofs_check import _loop_runs, loop_study
from proofs_check._loop_runs import Found, Runs
from theorylab.errors import InputError
from theorylab.model import AVERAGE_REWARD
from theorylab.plan import plan_batch

TINY = cells.Cell("stationary-policy", cells.JAO, 40, replicates=5)


def found(regret: list[float], **final: list[float]) -> Found:
    values = np.array(regret)[:, None]
    kept = {k: np.array(v) for k, v in final.items()}
    stopped = {i: "empty" for i, v in enumerate(regret) if math.isnan(v)}
    return Found(np.array([100]), values, values, kept, stopped, 0.0, len(regret))


# Cells


def test_gaps_of_the_study_file_are_retuned_with_the_length() -> None:
    for label, _, cell in cells.of_file("loop-hard"):
        text = dict(part.split("=") for part in cell.model.removeprefix("jao(").rstrip(")").split(", "))
        epsilon = float(text["epsilon"])
        if label.startswith("c="):
            c = int(label.split(",")[0][2:])
            assert epsilon == pytest.approx(c * math.sqrt(0.25 * 2 / cell.length), abs=1e-6)
        assert float(text["delta"]) == 0.25 and epsilon <= 0.25 and cells.span_of(cell.model) <= cell.params["span"]


def test_cells_of_a_file_have_its_seed_and_its_replicates() -> None:
    found_cells = cells.of_file("loop-diameter")
    assert {c.seed for *_, c in found_cells} == {805} and {c.replicates for *_, c in found_cells} == {32}
    assert all(cells.span_of(c.model) <= 1.2 for *_, c in found_cells)
    triggers = [c.params for stem in ("loop-trigger-riverswim", "loop-trigger-jao") for *_, c in cells.of_file(stem)]
    assert [p.get("factor", "doubling") for p in triggers] == [1.5, 2.0, 4.0, 8.0, 16.0, "doubling"] * 2
    for *_, c in cells.of_file("loop-trigger-riverswim"):
        assert c.params["span"] == pytest.approx(cells.bound_of(c.model), abs=1e-4)


def test_reference_values_stand_as_in_the_notes() -> None:
    assert cells.REFERENCE[cells.JAO, 1_000_000, 1.0] == (12, 1863)
    assert cells.REFERENCE[cells.RIVER4, 1_000_000, 0.1] == (11, 1649)
    assert cells.REFERENCE[cells.RIVER6, 100_000, 0.05] == (17, 2634)
    assert cells.REFERENCE[cells.THREE, 1_000_000, 0.02] == (11, 4.7)
    assert len(cells.REFERENCE) == 20 and set(cells.REFERENCE) <= set(cells.growing())
    assert analysis.COEFFICIENTS[cells.RIVER6] == 7.9


def test_seeds_that_choose_scales_are_not_those_reported() -> None:
    one = cells.method_cell("UCRL2B", cells.JAO, 0.1, cells.TUNING, 8, 1.0)
    other = cells.method_cell("UCRL2B", cells.JAO, 0.1, cells.REPORTED, 64, 1.0)
    assert one.seed != other.seed and one.key != other.key and other.replicates == 64
    assert "scale=0.1" in one.key and analysis.scale_label("UCRL2B", None) == "scale 1"


def test_twins_hide_their_coin() -> None:
    models, _, span = cells._class("twins 8")  # type: ignore[misc]
    r = np.zeros((3, 8))
    r[2] = 1.0
    solved = plan_batch(models, r, AVERAGE_REWARD)
    assert np.ptp(solved.V[:, 0] - solved.V[:, 1]) < 1e-9
    assert solved.gain is not None and np.ptp(solved.gain) < 1e-9
    assert cells.truth_of_class("twins 8") == 7 and span == pytest.approx(1.0 / 0.6)
    assert np.abs(models[0] - models[7]).sum(axis=-1).min() > 0.3


# Results


def test_a_learner_that_is_not_registered_is_listed(tmp_path: Path) -> None:
    runs = Runs(tmp_path)
    absent = cells.Cell("no-such-learner", cells.JAO, 10)
    assert runs.get(absent) is None and runs.get(absent) is None
    assert runs.missing == {"no-such-learner (not registered)": [absent.key]}
    assert "no-such-learner (not registered): 1 cells" in loop_study.absent(runs)
    assert "None." in loop_study.absent(Runs(tmp_path))


def test_what_a_learner_refuses_is_listed(tmp_path: Path) -> None:
    runs = Runs(tmp_path)
    cell = cells.Cell("loop", cells.JAO, 10, {"span": -1.0})
    assert runs.get(cell) is None and "span=-1" in runs.refused[cell.key]
    assert "refused" in loop_study.absent(runs)


def test_results_go_on_and_are_dropped_when_the_cell_has_changed(tmp_path: Path) -> None:
    told: list[str] = []
    few = Runs(tmp_path, 2, told.append, "python").get(TINY)
    more = Runs(tmp_path, 5, told.append, "python").get(TINY)
    whole = Runs(tmp_path / "other", target="python").get(TINY)
    assert few is not None and more is not None and whole is not None
    assert more.regret.tolist() == whole.regret.tolist() and more.regret[:2].tolist() == few.regret.tolist()
    assert ["2 replicates" in told[0], "3 replicates" in told[1], len(told)] == [True, True, 2]
    file = next((tmp_path / "cells").glob("*.json"))
    stored = json.loads(file.read_text())
    stored["digest"] = "another"
    file.write_text(json.dumps(stored))
    again = Runs(tmp_path, 5, told.append, "python").get(TINY)
    assert again is not None and again.regret.tolist() == whole.regret.tolist() and len(told) == 3
    old = Runs(tmp_path, 5, told.append, stored=True)
    assert old.get(TINY) is not None and old.get(cells.Cell("stationary-policy", cells.THREE, 40)) is None
    assert list(old.missing) == ["stationary-policy (not run)"] and len(told) == 3
    file.write_text("{")
    with pytest.raises(InputError, match="cannot be used"):
        Runs(tmp_path, target="python").get(TINY)


def test_runs_that_end_with_an_error_are_kept_and_counted(tmp_path: Path, monkeypatch: Any) -> None:
    whole = _loop_runs.simulation

    def stub(cell: Any, first: int = 0, replicates: int = 1, target: str = "cpu") -> Any:
        sim: Any = whole(cell, first, replicates, "python")
        if first <= 1 < first + replicates:
            sim = SimpleNamespace(advance=lambda: fail(), checkpoints=sim.checkpoints, digest=sim.digest)
        return sim

    def fail() -> None:
        raise InputError("replicate 1: the confidence set is empty")

    monkeypatch.setattr(_loop_runs, "simulation", stub)
    kept = Runs(tmp_path).get(TINY)
    again = Runs(tmp_path).get(TINY)
    assert kept is not None and again is not None
    assert kept.stopped == again.stopped == {1: "replicate 1: the confidence set is empty"}
    assert kept.ended.tolist() == [True, False, True, True, True] and kept.last().size == 4
    assert kept.quantile(1.0) == math.inf and kept.quantile(0.8) == kept.last().max()
    assert "1/5 stopped" in analysis.shown(kept)


def test_time_runs_out_between_blocks(tmp_path: Path) -> None:
    short = cells.Cell("stationary-policy", cells.JAO, 10, replicates=20, limit=1e-9)
    kept = Runs(tmp_path, target="python").get(short)
    assert kept is not None and kept.regret.shape[0] == 2 and "R=2" in analysis.shown(kept)


# Statistics


def test_quantiles_and_verdicts_by_hand() -> None:
    one = found([float(v) for v in range(64, 0, -1)])
    assert one.quantile(0.01) == 1.0 and one.quantile(0.99) == 64.0 and one.quantile(0.1) == 7.0
    assert analysis.inside(one, "regret", 64.0) == (1.0, 64.0, True)
    assert not analysis.inside(one, "regret", 64.5)[2]
    assert analysis.shown(found([1.0, 3.0, math.nan])) == "2 [1, inf], 1/3 stopped"
    assert analysis.shown(None) == "-"


def test_the_envelope_is_over_gaps_and_not_over_the_fixed_instance() -> None:
    rows: Any = {"c=1": {100: found([10.0, 30.0])}, "c=2": {100: found([30.0, 50.0])}, "fixed": {100: found([900.0])}}
    assert analysis.envelope(rows) == {100: 4.0}


def test_coefficients_by_hand() -> None:
    one = found([1.0, 2.0], transfer=[10.0, 20.0], most=[2.0, 5.0])
    assert analysis.kappa_of(one, 100) == pytest.approx([5.0 / math.log(100), 4.0 / math.log(100)])


def test_beta_is_that_of_the_learner() -> None:
    cell = cells.logged()[cells.RIVER4]
    assert _loop_runs.simulation(cell, target="python").params["beta"] == pytest.approx(analysis.beta_of(cell))


def test_the_limit_of_a_share_is_that_of_the_binomial_law() -> None:
    for failed, runs in ((0, 100), (3, 20)):
        p = lemmas.upper_limit(failed, runs)
        law = sum(math.comb(runs, k) * p**k * (1 - p) ** (runs - k) for k in range(failed + 1))
        assert law == pytest.approx(0.05)
    assert lemmas.upper_limit(7, 7) == 1.0


def test_the_scale_with_the_least_geometric_mean_is_chosen(monkeypatch: Any) -> None:
    values = {0.1: 20.0, 0.03: 30.0, 0.01: 5.0}

    def get(cell: Any) -> Found:
        assert cell.seed == cells.TUNING
        bad = cell.params["scale"] == 0.01 and cell.model == cells.JAO
        return found([values[cell.params["scale"]], math.nan if bad else 1.0])

    assert analysis.chosen(SimpleNamespace(get=get), "UCRL2B") == 0.1  # type: ignore[arg-type]
    assert analysis.chosen(SimpleNamespace(get=get), "UCRL2") is None  # type: ignore[arg-type]
    assert analysis.chosen(SimpleNamespace(get=lambda cell: None), "SCAL") is None  # type: ignore[arg-type]


# Figures


def test_columns_of_a_figure() -> None:
    one = panels.line("a", {10.0: found([1.0, 3.0]), 20.0: None, 40.0: found([4.0, math.nan])})
    assert one.x == (10.0, 40.0) and one.mean == (2.0, 4.0) and one.low == (1.0, 4.0) and math.isnan(one.high[1])
    dots = panels.Dots("second", "x", {"row": (("theory", 1.0, 0.5, 2.0),)})
    table = panels.rows_of([panels.Panel("first", "x", "y", (one,)), dots])
    assert table["panel"] == ["first", "first", "second"] and table["name"][2] == "row: theory"
    assert table["mean"] == [2.0, 4.0, 1.0]


@pytest.mark.long
def test_figures_are_the_same_bytes_each_time() -> None:
    from theorylab.figure_style import render

    one = panels.line("a", {10.0: found([1.0, 3.0]), 40.0: found([4.0, 9.0])})
    shown = [panels.Panel("first", "x", "y", (one,)), panels.Panel("second", "x", "y", (one,), "")]
    dots = [panels.Dots("d", "x", {"row": (("theory", 1.0, 0.5, 2.0), ("scaled", 0.5, 0.2, 0.9))})]
    for size in ("neurips", "icml"):
        assert render(panels.figure_of(shown, size), "svg") == render(panels.figure_of(shown, size), "svg")
        assert render(panels.dots_of(dots, size), "svg") == render(panels.dots_of(dots, size), "svg")


@pytest.mark.long
def test_upper_bounds_are_above_the_exact_gain() -> None:
    gaps = {k: np.array(v) for k, v in lemmas.instance_gaps(4, 2, 5).items()}
    for name in lemmas.SOLVERS[1:]:
        assert gaps[name].min() > -1e-6
    assert gaps["ascent"].max() < 1e-6 and gaps["certified"].max() < 1e-5
    assert np.all(gaps["lifted relaxation"] <= gaps["box"] + 1e-6)


@pytest.mark.long
def test_a_part_from_the_command_line(tmp_path: Path, capsys: Any) -> None:
    page = tmp_path / "page.md"
    asked = ["--only", "E11", "--replicates", "2", "--out", str(tmp_path / "out"), "--markdown", str(page)]
    assert loop_study.main(asked) == 0
    assert "d_hat" in page.read_text() and (tmp_path / "figures" / "loop-coefficients.svg").exists()
    assert loop_study.main(["--replicates", "1", "--out", str(tmp_path / "x")]) == 2
    assert "--replicates 1" in capsys.readouterr().err
