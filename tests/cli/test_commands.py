"""The command line inside this process: what it prints, its exit codes, and bad input in one line."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.calling import Done
from theorylab.evidence import Evidence
from theorylab.registry import find_claim, papers

COUNTS = ["check", "auer2002.counts", "--model", "bernoulli", "--length", "30", "--target", "python"]
STUDY = """
name = "small"
replicates = 3
block = 2
target = "python"
[[learners]]
name = "ucb1"
[[models]]
family = "bernoulli"
params = { means = [0.9, 0.1] }
length = 40
"""
CLAIMS = """
from dataclasses import replace
from theorylab.claim import Instance
from theorylab.registry import find_claim

counts = find_claim("auer2002.counts")[0]
claims = [replace(counts, id="mine.counts", instances={"quick": (Instance("bernoulli", 20, {"means": (0.2, 0.4)}),)})]
"""


def refused(done: Done, *words: str) -> None:
    """Exit code 2, one line on standard error that names the entry, nothing on standard output."""
    assert done.code == 2 and done.out == ""
    assert done.err.startswith("theorylab: ") and done.err.count("\n") == 1, done.err
    for word in words:
        assert word in done.err


# list, show, doctor, help


def test_list(call: Any) -> None:
    known = {
        "papers": papers(),
        "learners": ["ucb1", "ucb-h", "ucrl2", "uniform"],
        "models": ["bernoulli", "riverswim"],
    }
    for kind, names in known.items():
        done = call("list", kind)
        first = [line.split()[0] for line in done.out.splitlines()]
        assert done.code == 0 and set(names) <= set(first)
        rows = json.loads(call("list", kind, "--json").out)
        assert [r["name"] for r in rows] == first
    claims = json.loads(call("list", "--json").out)
    assert {"auer2002.thm1", "jin2018.thm1", "jaksch2010.thm2"} <= {c["name"] for c in claims}
    assert all(c["tag"] in ("source", "recalled", "derived") for c in claims)
    refused(call("list", "learner"), "unknown list 'learner'; nearest: learners")


def test_show(call: Any) -> None:
    claim = json.loads(call("show", "jin2018.optimism", "--json").out)
    assert len(claim) == 1 and claim[0]["learner"] == "ucb-h" and "bonus zero" in claim[0]["controls"]
    assert len(json.loads(call("show", "auer2002", "--json").out)) == len(find_claim("auer2002"))
    text = call("show", "auer2002.thm1").out
    assert "8 sum_{gap>0} (ln n)/gap" in text and "recalled" in text
    learner = json.loads(call("show", "ucb_h", "--json").out)[0]
    assert learner["setting"] == "episodic" and "Q['H', 'S', 'A']" in learner["state"]
    model = json.loads(call("show", "riverswim", "--json").out)[0]
    assert any(p.startswith("states=") for p in model["params"])
    refused(call("show", "riverswin"), "nothing is called 'riverswin'; nearest: riverswim")


def test_doctor(call: Any) -> None:
    done = call("doctor", "--json")
    rows = {r["what"]: r for r in json.loads(done.out)}
    assert done.code == 0 and not [r for r in rows.values() if r["status"] == "FAIL"]
    assert rows["compiled generator"]["detail"].startswith("known answer right")
    assert {rows[p]["detail"] for p in ("mdps", "bandits", "proofs_check")} == {"ours"}
    assert "gpu" in rows


def test_doctor_finds_foreign_packages(call: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bandits").mkdir()
    (tmp_path / "bandits" / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    for name in [m for m in sys.modules if m.partition(".")[0] == "bandits"]:
        monkeypatch.delitem(sys.modules, name)
    done = call("doctor")
    assert done.code == 1
    assert any(line.startswith("FAIL  bandits") and "foreign" in line for line in done.out.splitlines())


@pytest.mark.parametrize("command", [[], ["check"], ["plan"], ["run"], ["worker"], ["export"], ["replay"], ["doctor"]])
def test_help(call: Any, command: list[str]) -> None:
    done = call(*command, "--help")
    assert done.code == 0 and "Usage:" in done.out and "--help" in done.out


# check: output and exit codes


def test_check_prints_json(call: Any) -> None:
    done = call(*COUNTS, "--param", "means=[0.9, 0.6, 0.1]", "--json")
    rows = json.loads(done.out)
    assert done.code == 0 and len(rows) == 1
    needed = "id verdict n e_value interval slack vacuous controls instances seconds"
    assert set(needed.split()) <= set(rows[0]) and set(rows[0]) == set(Evidence.__dataclass_fields__)
    row = rows[0]
    assert (row["id"], row["verdict"], row["n"], row["vacuous"]) == ("auer2002.counts", "NO VIOLATION FOUND", 64, False)
    assert row["instances"][0]["model"] == "bernoulli(0.9,0.6,0.1)" and row["instances"][0]["length"] == 30
    assert all(k["ok"] for k in row["controls"]) and {k["name"] for k in row["controls"]} >= {"counts lost"}


def test_check_prints_a_table(call: Any) -> None:
    done = call(*COUNTS)
    assert done.code == 0 and "auer2002.counts" in done.out and "no violation found" in done.out
    assert max(len(line) for line in done.out.splitlines()) <= 100


def test_exit_code_1_for_a_refuted_claim(call: Any) -> None:
    given = ["--model", "two-state", "--length", "100", "--learner-param", "cap_rewards=0", "--target", "python"]
    done = call("check", "jaksch2010.span", *given, "--json")
    assert done.code == 1 and json.loads(done.out)[0]["verdict"] == "REFUTED"


def test_exit_code_3_without_a_positive_verdict(call: Any) -> None:
    given = ["--model", "bernoulli", "--param", "means=[0.9,0.6]", "--length", "40", "--target", "python"]
    done = call("check", "auer2002.thm1", *given, "--json")
    (row,) = json.loads(done.out)
    assert done.code == 3 and row["verdict"] == "VACUOUS" and row["vacuous"] is True
    refused(call("check", "auer2002.thm1", *given, "--budget", "0"), "budget=0 must be an integer >= 1")


def test_learner_options(call: Any) -> None:
    done = call(*COUNTS, "--learner-param", "scale=0.5", "--json")
    assert json.loads(done.out)[0]["instances"][0]["params"] == {"scale": 0.5}
    refused(call(*COUNTS, "--learner-param", "scal=0.5"), "has no parameter 'scal'; nearest: scale")
    other = call(*COUNTS, "--learner", "uniform", "--json")  # the step reads N, which uniform play does not keep
    assert other.code == 3 and json.loads(other.out)[0]["verdict"] == "NOT_APPLICABLE"
    # bounds are those of the claim's own learner, whose parameters the other does not have
    given = ["--model", "two-state", "--param", "horizon=2", "--length", "40", "--target", "python"]
    bound = call("check", "jin2018.thm1-explicit", "--learner", "uniform", *given, "--json")
    assert json.loads(bound.out)[0]["verdict"] == "VACUOUS"


def test_claims_of_a_file(call: Any, tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(CLAIMS)
    done = call("check", file, "--target", "python", "--json")
    (row,) = json.loads(done.out)
    assert done.code == 0 and row["id"] == "mine.counts" and row["instances"][0]["model"] == "bernoulli(0.2,0.4)"
    refused(call("check", tmp_path / "no.py"), f"no file '{tmp_path / 'no.py'}'")
    file.write_text("claim = []\n")
    refused(call("check", file), "defines no `claims`")


# check: bad input


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["check", "auer2002.thm"], ["unknown claim 'auer2002.thm'", "nearest: auer2002.thm1"]),
        (["check", "jaksch2011"], ["unknown claim or paper 'jaksch2011'", "nearest: jaksch2010"]),
        (["check", "auer2002.counts", "--learner", "ucb"], ["unknown learner 'ucb'", "nearest: ucb", "ucb1"]),
        (["check", "auer2002.counts", "--model", "bernouli"], ["unknown model 'bernouli'", "nearest: bernoulli"]),
        (["check", "auer2002.counts", "--param", "means=[1]"], ["--param and --length belong to --model"]),
        (["check", "auer2002.counts", "--length", "5"], ["--param and --length belong to --model"]),
        ([*COUNTS, "--param", "means"], ["--param 'means' is not of the form name=value"]),
        ([*COUNTS, "--param", "mean=[0.5]"], ["no parameter 'mean'", "nearest: means"]),
        ([*COUNTS, "--param", "means=[0.5, 1.5]"], ["means[1]"]),
        ([*COUNTS, "--profile", "quik"], ["unknown profile 'quik'"]),
        ([*COUNTS, "--target", "gpu"], ["unknown target 'gpu'"]),
        ([*COUNTS, "--alpha-refute", "2"], ["alpha_refute=2.0 must lie strictly between 0 and 1"]),
        ([*COUNTS, "--seed=-1"], ["seed -1"]),
        (["check", "auer2002.counts", "--model", "bernoulli", "--length", "0"], ["length=0 must be an integer >= 1"]),
        (["check", "auer2002.counts", "--model", "riverswim"], ["setting bandit", "average"]),
        (["check", "jin2018.weights", "--model", "bernoulli"], ["give --length"]),
    ],
)
def test_check_refuses(call: Any, args: list[str], words: list[str]) -> None:
    refused(call(*args), *words)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("claims = [\n", ["line 1", "SyntaxError"]),
        ("x = 1\nimport numpi\n", ["line 2", "numpi"]),
        ("x = 1\n", ["defines no `claims`"]),
        ("claims = 3\n", ["defines no `claims`"]),
    ],
)
def test_a_broken_claim_file(call: Any, tmp_path: Path, text: str, words: list[str]) -> None:
    file = tmp_path / "broken2000.py"
    file.write_text(text)
    refused(call("check", str(file)), str(file), *words)


def test_a_claim_for_larger_profiles_only(call: Any, tmp_path: Path) -> None:
    file = tmp_path / "later2000.py"
    file.write_text(
        "from dataclasses import replace\n"
        "from proofs_check.papers.auer2002 import claims as known\n"
        "claims = [replace(c, id='later2000.counts', instances={'full': c.instances['quick']}) "
        "for c in known if c.id == 'auer2002.counts']\n"
    )
    refused(call("check", str(file)), "no instances in the profile 'quick'")


def test_options_that_do_not_exist(call: Any) -> None:
    for args in (["chek"], ["check", "--profil", "quick"], ["check", "--length", "many"], ["show"]):
        done = call(*args)
        assert done.code == 2 and done.out == "" and "Traceback" not in done.err


def test_a_report_that_cannot_be_written_fails_before_the_work(
    call: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*args: Any, **more: Any) -> None:
        raise AssertionError("a simulation was made")

    monkeypatch.setattr("theorylab.simulation.Simulation.__init__", never)
    (tmp_path / "file").write_text("in the way")
    refused(call(*COUNTS, "--report", tmp_path / "file" / "report"), "cannot be written", "a file is in the way")
    done = call(*COUNTS, "--report", tmp_path / "report")  # the stand-in would have been reached
    assert done.code == 2 and "a simulation was made" in done.err


def test_a_report_is_written(call: Any, tmp_path: Path) -> None:
    done = call(*COUNTS, "--report", tmp_path / "a" / "report")
    assert done.code == 0 and f"report: {tmp_path / 'a' / 'report' / 'index.html'}" in done.err
    assert "auer2002.counts" in (tmp_path / "a" / "report" / "index.html").read_text()
    rows = json.loads((tmp_path / "a" / "report" / "evidence.json").read_text())
    assert [r["id"] for r in rows] == ["auer2002.counts"]


# run and worker


@pytest.fixture
def study(tmp_path: Path) -> Path:
    file = tmp_path / "small.toml"
    file.write_text(STUDY)
    return file


def tree(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_run_twice_gives_the_same_bytes(call: Any, study: Path, tmp_path: Path) -> None:
    first = call("run", study, "--out", tmp_path / "a")
    assert first.code == 0 and "bernoulli" in first.out and f"results: {tmp_path / 'a'}" in first.err
    call("run", study, "--out", tmp_path / "b")
    before = tree(tmp_path / "a")
    assert before == tree(tmp_path / "b") and {"study.json", "summary.csv", "manifest.json"} <= set(before)
    again = call("run", study, "--out", tmp_path / "a", "--json")
    anew = call("run", study, "--out", tmp_path / "a", "--no-resume", "--json")
    assert again.out == anew.out and tree(tmp_path / "a") == before
    (row,) = json.loads(again.out)
    assert (row["learner"], row["length"], row["n"]) == ("ucb1", 40, 3)


def test_run_without_a_folder_goes_to_results(
    call: Any, study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert call("run", study).code == 0 and (tmp_path / "results" / "small" / "manifest.json").is_file()


def test_workers_and_run_give_the_same_bytes(call: Any, study: Path, tmp_path: Path) -> None:
    call("run", study, "--out", tmp_path / "a")
    for share in ("1/2", "0/2"):
        assert call("worker", study, "--out", tmp_path / "b", "--shard", share).code == 0
    assert not (tmp_path / "b" / "manifest.json").exists()
    call("run", study, "--out", tmp_path / "b")
    assert tree(tmp_path / "a") == tree(tmp_path / "b")
    for share in ("2/2", "a/2", "1", "-1/2"):
        refused(call("worker", study, "--out", tmp_path / "c", f"--shard={share}"), f"--shard '{share}' is not I/N")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("replicates = 3", "replicate = 3", ["replicate: unknown key; nearest: replicates"]),
        ("length = 40", "lenght = 40", ["models[0].lenght: unknown key; nearest: length"]),
        ('name = "ucb1"', 'name = "ucb2"', ["learners[0].name: unknown learner 'ucb2'", "ucb1"]),
        ("means = [0.9, 0.1]", "mean = [0.9]", ["models[0]", "no parameter 'mean'", "means"]),
        ("replicates = 3", "replicates = 0", ["replicates"]),
        ("[[models]]", "[[models]", ["not TOML"]),
    ],
)
def test_run_refuses(call: Any, study: Path, tmp_path: Path, old: str, new: str, words: list[str]) -> None:
    assert old in STUDY
    study.write_text(STUDY.replace(old, new))
    refused(call("run", study, "--out", tmp_path / "out"), str(study), *words)
    assert not (tmp_path / "out").exists()


def test_run_refuses_folders(call: Any, study: Path, tmp_path: Path) -> None:
    refused(call("run", tmp_path / "no.toml"), "cannot be read")
    refused(call("run", study, "--out", study / "below"), str(study))
    refused(call("run", study, "--out", tmp_path / "out", "--engine", "locl"), "unknown engine 'locl'; nearest: local")
