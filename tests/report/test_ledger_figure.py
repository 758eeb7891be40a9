"""The figure of a ledger: products of e-values after each run, as the ledger joins them, and what is refused."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from theorylab.errors import InputError
from theorylab.figure_command import choose_runs, execute
from theorylab.figure_ledger import ledger_figure
from theorylab.ledger import FORMAT, KEPT, accumulate, read, run_by_run

pytestmark = pytest.mark.filterwarnings("error")


def write(file: Path, rows: list[tuple[int, float, float]], claim: str = "a.b", kind: str = "HighProbability") -> Path:
    """A ledger with a line for each (seed, e_support, e_refute)."""
    with file.open("a", encoding="utf-8") as out:
        for seed, support, refute in rows:
            one = dict.fromkeys(KEPT, "") | dict(
                params={}, length=8, verdict="INCONCLUSIVE", n=10, violations=1, level=0.1, e_support=support,
                e_refute=refute,
            )  # fmt: skip
            line = dict(
                format=FORMAT, claim=claim, kind=kind, verdict="INCONCLUSIVE", seed=seed, failed=[], instances=[one]
            )  # fmt: skip
            out.write(json.dumps(line) + "\n")
    return file


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return write(tmp_path / "ledger.jsonl", [(1, 10.0, 0.1), (2, 100.0, 1e-9), (2, 1e9, 1.0), (3, 0.1, 0.0)])


def test_the_path_is_what_the_ledger_joins_after_each_run(ledger: Path, tmp_path: Path) -> None:
    made, data = execute(ledger, None, kind=None, size="neurips", format="svg", out=tmp_path / "out")
    assert (made.name, data.name) == ("a-b-runs.svg", "a-b-runs.csv")
    with data.open(newline="") as rows:
        table = list(csv.DictReader(rows))
    assert [float(r["replicates"]) for r in table] == [10.0, 20.0, 30.0]  # the repeated seed counts once
    assert [round(float(r["log10_e_support"]), 9) for r in table] == [1.0, 3.0, 2.0]
    assert [round(float(r["log10_e_refute"]), 9) for r in table[:2]] == [-1.0, -10.0]
    assert float(table[2]["log10_e_refute"]) == float("-inf")
    assert run_by_run(read(ledger))["a.b"][-1].log_e_support == accumulate(read(ledger))[0].log_e_support


def test_ends_of_runs_are_marked_and_the_sides_told_apart(ledger: Path) -> None:
    figure = ledger_figure(run_by_run(read(ledger))["a.b"], size="icml")
    lines = figure.axes[0].get_lines()
    ends = [line.get_xdata()[0] for line in lines if len(set(line.get_xdata())) == 1]
    assert ends == [10.0, 20.0, 30.0]
    paths = [line for line in lines if len(line.get_xdata()) == 4]
    assert len({line.get_color() for line in paths}) == len({line.get_marker() for line in paths}) == 2
    assert "a.b: SUPPORTED over 3 runs" in " ".join(figure.axes[0].get_title(loc="left").split())


def test_what_has_no_path_is_refused(ledger: Path, tmp_path: Path) -> None:
    write(ledger, [(1, 0.0, 0.0)], "a.never", "Pointwise")
    assert [d.claim for d in choose_runs(ledger, None, None)] == ["a.b"]
    with pytest.raises(InputError, match=r"no claim 'a.c' is in the ledger .*nearest: a.b"):
        choose_runs(ledger, "a.c", None)
    with pytest.raises(InputError, match=r"nothing to draw of a.never; invariants, lemmas and sweeps"):
        choose_runs(ledger, "a.never", None)
    with pytest.raises(InputError, match="kind e-path, not 'regret'"):
        choose_runs(ledger, "a.b", "regret")
    ledger.write_text(ledger.read_text() + "{\n")
    with pytest.raises(InputError, match="line 6 is not a line of a ledger"):
        execute(ledger, None, kind=None, size="neurips", format="svg", out=tmp_path / "out")
