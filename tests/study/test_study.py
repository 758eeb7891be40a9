"""Studies: what a file may say, what it may not, and what executing one gives."""

from __future__ import annotations

import csv
import json
import math
import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bandits.learners import ucb1
from theorylab import study as study_module
from theorylab.engines import worker
from theorylab.errors import InputError, ShardError
from theorylab.model import Bandit
from theorylab.run import run
from theorylab.study import LearnerEntry, ModelEntry, Study, execute

TEXT = """
name = "width"          # a comment
replicates = 5
block = 2
checkpoints = 4
target = "python"

[[learners]]
name = "ucb1"

[[learners]]
name = "ucb1"
label = "half"
params = { scale = 0.5 }

[[models]]
family = "bernoulli"
sweep = { means = [[0.5, 0.6], [0.2, 0.9]] }
lengths = [6, 12]
"""


def tree(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_cells_and_blocks_in_a_fixed_order() -> None:
    study = Study.parse(TEXT)
    a, b = "bernoulli(means=[0.5, 0.6])", "bernoulli(means=[0.2, 0.9])"
    assert [(c.learner, c.model, c.length) for c in study.cells()] == [
        ("ucb1", a, 6),
        ("half", a, 6),
        ("ucb1", a, 12),
        ("half", a, 12),
        ("ucb1", b, 6),
        ("half", b, 6),
        ("ucb1", b, 12),
        ("half", b, 12),
    ]
    assert [c.index for c in study.cells()] == list(range(8))
    assert study.cells()[4].params == {"means": [0.2, 0.9]}
    assert study.blocks() == [(0, 2), (2, 2), (4, 1)]


def test_a_sweep_takes_every_combination_the_last_key_fastest() -> None:
    text = """
    name = "rivers"
    replicates = 1
    [[learners]]
    name = "ucb-h"
    [[models]]
    family = "riverswim"
    horizon = 3
    length = 2
    label = "river"
    sweep = { states = [4, 3], variant = ["osband", "strehl"] }
    """
    study = Study.parse(text)
    assert [(c.params["states"], c.params["variant"]) for c in study.cells()] == [
        (4, "osband"),
        (4, "strehl"),
        (3, "osband"),
        (3, "strehl"),
    ]
    assert study.cells()[0].model == "river(states=4, variant=osband)"
    learner, model = study.build(study.cells()[2])
    assert (learner.setting, model.S, model.H) == ("episodic", 3, 3)


def test_the_digest_is_of_the_content() -> None:
    digest = Study.parse(TEXT).digest
    moved = TEXT.replace('name = "width"          # a comment\nreplicates = 5', 'replicates = 5\nname = "width"')
    assert moved != TEXT and Study.parse(moved).digest == digest
    for old, new in (
        ("0.9", "0.8"),
        ("= 5", "= 6"),
        ("12]", "13]"),
        ("half", "Half"),
        ("block = 2", "block = 3"),
        ("python", "cpu"),
    ):
        assert Study.parse(TEXT.replace(old, new)).digest != digest, old


WRONG = [
    ("replicates = 5", "replicate = 5", "replicate: unknown key; nearest: replicates"),
    ("replicates = 5\n", "", "missing the key `replicates`"),
    ("replicates = 5", "replicates = 0", "replicates: Expected `int` >= 1"),
    ('name = "width"', 'name = "../../out"', "names a folder"),
    ("replicates = 5", 'replicates = "5"', "replicates: Expected `int`, got `str`"),
    ("replicates = 5", "replicates = true", "replicates: Expected `int`, got `bool`"),
    ("replicates = 5", "replicates = 5\nseed = -1", "seed -1 is not an integer in"),
    ("replicates = 5", f"replicates = 5\nseed = {2**64}", "is not an integer in"),
    ("replicates = 5", 'replicates = 5\nclaims = ["nobody1900.thm1"]', "claims[0]: unknown claim or paper"),
    ("checkpoints = 4", "checkpoints = 1", "checkpoints: Expected `int` >= 2"),
    ('"python"', '"pyton"', "target: unknown target 'pyton'; nearest: python"),
    ("params =", "parms =", "learners[1].parms: unknown key; nearest: params"),
    ("family =", "familly =", "models[0].familly: unknown key; nearest: family"),
    ("lengths =", "lenghts =", "models[0].lenghts: unknown key; nearest: lengths"),
    ('"ucb1"', '"ucb"', "learners[0].name: unknown learner 'ucb'; nearest: ucb1"),
    ('"bernoulli"', '"bernouli"', "models[0].family: unknown model 'bernouli'; nearest: bernoulli"),
    ("scale", "scal", "learner 'ucb1' has no parameter 'scal'; nearest: scale"),
    ("scale = 0.5", 'scale = "0.5"', "learners[1] on models[0]: learner 'ucb1': parameter scale='0.5'"),
    ("scale = 0.5", "scale = nan", "learners[1].params.scale is nan; give a finite number"),
    ("scale = 0.5", "scale = 1979-05-27", "learners[1].params.scale is 1979-05-27; give"),
    ("means =", "mean =", "models[0]: model 'bernoulli' has no parameter 'mean'; nearest: means"),
    ("0.9]", "1.9]", "models[0]: means[1] is 1.9"),
    ("[[0.5, 0.6], [0.2, 0.9]]", "[]", "models[0]: the list of 'means' is empty"),
    ("[[0.5, 0.6], [0.2, 0.9]]", "0.5", "models[0].sweep.means is no list"),
    ("[[0.5, 0.6], [0.2, 0.9]]", "[[0.5], [0.5]]", "models[0]: 'bernoulli(means=[0.5])' is also models[0]"),
    ("lengths = [6, 12]", "params = { means = [0.1] }\nlength = 3", "'means' stands in params and in sweep"),
    ("lengths = [6, 12]", "", "models[0]: give either length = ... or lengths = [...]"),
    ("lengths = [6, 12]", "length = 3\nlengths = [6, 12]", "models[0]: give either length"),
    ("lengths = [6, 12]", "length = 0", "models[0].length: Expected `int` >= 1"),
    ("lengths = [6, 12]", "lengths = [6, 6]", "a length stands twice in lengths = [6, 6]"),
    ("lengths = [6, 12]", "length = 6\nhorizon = 3", "'bernoulli' is a bandit and has no horizon"),
    ('label = "half"\n', "", "learners[1]: 'ucb1' is also learners[0]"),
    ('label = "half"', "label = 3", "learners[1].label: Expected `str | null`, got `int`"),
    ('name = "ucb1"\nlabel', 'name = "ucrl2"\nlabel', "learners[1] on models[0]: learner 'ucrl2' is for the setting"),
    ("replicates = 5", "replicates 5", "not TOML: "),
    ("[[models]]", "[models]", "models: Expected `array`, got `table`"),
]


@pytest.mark.parametrize(("old", "new", "message"), WRONG, ids=[m for _, _, m in WRONG])
def test_a_fault_is_named_with_its_place(tmp_path: Path, old: str, new: str, message: str) -> None:
    file = tmp_path / "study.toml"
    assert old in TEXT
    file.write_text(TEXT.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        Study.read(file)
    assert str(caught.value).startswith(f"{file}: ") and message in str(caught.value)


def test_files_that_are_no_study(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none.toml cannot be read: No such file"):
        Study.read(tmp_path / "none.toml")
    with pytest.raises(InputError, match="cannot be read: Is a directory"):
        Study.read(tmp_path)
    (tmp_path / "latin.toml").write_bytes(b"name = '\xe9'")
    with pytest.raises(InputError, match="is not UTF-8"):
        Study.read(tmp_path / "latin.toml")
    with pytest.raises(InputError, match="learners: there is none"):
        Study.parse('name = "x"\nreplicates = 1\nlearners = []\nmodels = []')


def test_known_claims_are_handed_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(study_module, "find_claim", lambda name: [name])
    study = Study.parse(TEXT.replace("replicates = 5", 'replicates = 5\nclaims = ["auer2002.thm1"]'))
    assert study.claims == ["auer2002.thm1"]
    execute(study, tmp_path)
    assert json.loads((tmp_path / "manifest.json").read_text())["claims"] == ["auer2002.thm1"]


def test_a_study_made_in_python_is_checked_too(tmp_path: Path) -> None:
    learners = [LearnerEntry(name="ucb1")]
    models = [ModelEntry(family="bernoulli", length=4)]
    good = Study(name="x", replicates=2, target="python", learners=learners, models=models)
    assert execute(good, tmp_path / "good")["ucb1", "bernoulli"].replicates == 2
    for changes, message in (
        (dict(replicates=0), "replicates: Expected `int` >= 1"),
        (dict(models=[ModelEntry(family="bernuli", length=4)]), "unknown model 'bernuli'"),
        (dict(models=[ModelEntry(family="bernoulli", length=4, params={"means": np.ones(2)})]), "ndarray"),
    ):
        given: dict[str, Any] = dict(name="x", replicates=2, learners=learners, models=models)
        with pytest.raises(InputError, match=re.escape(message)):
            execute(Study(**{**given, **changes}), tmp_path / "bad")
    assert not (tmp_path / "bad").exists()


def test_a_result_holds_all_replicates_in_order(tmp_path: Path) -> None:
    seen: list[tuple[int, int, str]] = []
    result = execute(Study.parse(TEXT), tmp_path, progress=lambda *step: seen.append(step))
    whole = run(
        ucb1.learner,
        Bandit(means=[0.2, 0.9]),
        replicates=5,
        rounds=12,
        target="python",
        params={"scale": 0.5},
        checkpoints=result["half", "bernoulli(means=[0.2, 0.9])", 12].checkpoints,
    )
    part = result["half", "bernoulli(means=[0.2, 0.9])", 12]
    assert part.checkpoints[-1] == 12 and part.first == 0 and part.params == {"scale": 0.5}
    for q in ("regret", "gap_regret", "reward"):
        assert part[q].tobytes() == whole[q].tobytes() and part[q].shape == (5, part.checkpoints.size)
    assert [s[:2] for s in seen] == [(i, 24) for i in range(1, 25)]
    assert seen[-1][2] == "half on bernoulli(means=[0.2, 0.9]), length 12, replicates 4..4"


def test_results_are_found_by_label(tmp_path: Path) -> None:
    result = execute(Study.parse(TEXT), tmp_path)
    with pytest.raises(InputError, match="no learner is labelled 'haf'; nearest: half"):
        result["haf", "bernoulli(means=[0.2, 0.9])", 6]
    with pytest.raises(InputError, match="no model is labelled 'bernoulli'"):
        result["half", "bernoulli"]
    for at in (("half", "bernoulli(means=[0.2, 0.9])"), ("half", "bernoulli(means=[0.2, 0.9])", 7)):
        with pytest.raises(InputError, match=r"has the lengths \[6, 12\]"):
            result[at]


def test_the_summary_against_exact_arithmetic(tmp_path: Path) -> None:
    result = execute(Study.parse(TEXT), tmp_path)
    with (tmp_path / "summary.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 8
    for cell, row in zip(result.cells, rows, strict=True):
        x = sorted(Fraction(v) for v in result.curves[cell.index]["regret"][:, -1].tolist())
        mean = sum(x) / 5
        assert row["n"] == "5" and row["unit"] == "rounds" and row["length"] == str(cell.length)
        assert math.isclose(float(row["regret_mean"]), mean, rel_tol=1e-15)
        assert math.isclose(float(row["regret_sd"]), math.sqrt(sum((v - mean) ** 2 for v in x) / 4), rel_tol=1e-14)
        # of five values, at least 5, 50, 95 % lie at or below the first, third, fifth
        assert [float(row[f"regret_{q}"]) for q in ("05", "50", "95")] == [x[0], x[2], x[4]]
    assert rows[0]["regret_mean"] != rows[1]["regret_mean"] or rows[2] != rows[3]


def test_what_was_not_recorded_is_empty(tmp_path: Path) -> None:
    text = """
    name = "rivers"
    replicates = 1
    target = "python"
    exact = false
    [[learners]]
    name = "ucb-h"
    [[models]]
    family = "riverswim"
    params = { states = 3 }
    horizon = 2
    length = 3
    """
    row = execute(Study.parse(text), tmp_path).to_rows()[0]
    assert row["unit"] == "episodes" and row["regret_mean"] is None and row["gap_regret_sd"] is None
    assert isinstance(row["gap_regret_mean"], float)
    with (tmp_path / "summary.csv").open(newline="") as file:
        assert next(csv.DictReader(file))["regret_mean"] == ""


def test_the_folder_is_the_same_however_it_came_to_be(tmp_path: Path) -> None:
    """Once, twice, anew, by workers in any order: the same bytes. On another target: the same numbers."""
    study = Study.parse(TEXT)
    execute(study, tmp_path / "once")
    expected = tree(tmp_path / "once")
    execute(study, tmp_path / "once")
    assert tree(tmp_path / "once") == expected
    execute(study, tmp_path / "once", resume=False)
    assert tree(tmp_path / "once") == expected
    assert sum(worker(study, tmp_path / "workers", i, 3) for i in (2, 0, 1)) == 24
    assert worker(study, tmp_path / "workers", 1, 3) == 0
    execute(study, tmp_path / "workers")
    assert tree(tmp_path / "workers") == expected
    execute(Study.parse(TEXT.replace('"python"', '"cpu"')), tmp_path / "cpu", threads=2)
    assert tree(tmp_path / "cpu")["summary.csv"] == expected["summary.csv"]
    cells = json.loads(expected["manifest.json"])["cells"]
    keys = {f"shards/{k[:2]}/{k}.npz" for c in cells for k in c["shards"]}
    assert len(keys) == 24 and set(expected) == keys | {"study.json", "summary.csv", "manifest.json"}


def test_resuming_computes_only_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = Study.parse(TEXT)
    execute(study, tmp_path)
    expected = tree(tmp_path)
    lost = sorted((tmp_path / "shards").rglob("*.npz"))[5]
    lost.unlink()
    ran: list[int] = []
    real = study_module.Simulation.advance

    def counted(self: Any, to: int | None = None) -> Any:
        ran.append(self.first)
        return real(self, to)

    monkeypatch.setattr(study_module.Simulation, "advance", counted)
    execute(study, tmp_path)
    assert len(ran) == 1 and tree(tmp_path) == expected
    execute(study, tmp_path, resume=False)
    assert len(ran) == 25 and tree(tmp_path) == expected


@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_what_killed_processes_left_is_gone_at_the_end(tmp_path: Path, when: str) -> None:
    study = Study.parse(TEXT)
    execute(study, tmp_path / "expected")

    def leave(*step: Any) -> None:
        for folder in (tmp_path / "out", *(tmp_path / "out" / "shards").glob("*")):
            (folder / f".{'ab' * 10}.{'0' * 16}.tmp").write_bytes(b"half")

    if when == "before":
        worker(study, tmp_path / "out", 0, 5)
        leave()
        worker(study, tmp_path / "out", 0, 5)
        assert not list((tmp_path / "out").rglob("*.tmp"))
    else:
        execute(study, tmp_path / "out", progress=leave)
        assert tree(tmp_path / "out") == tree(tmp_path / "expected")


def test_a_damaged_shard_stops_the_study_by_name(tmp_path: Path) -> None:
    study = Study.parse(TEXT)
    execute(study, tmp_path)
    expected = tree(tmp_path)
    damaged = sorted((tmp_path / "shards").rglob("*.npz"))[5]
    damaged.write_bytes(damaged.read_bytes()[:-100])
    with pytest.raises(ShardError, match=f"{damaged}.*delete it and run again"):
        execute(study, tmp_path)
    execute(study, tmp_path, resume=False)
    assert tree(tmp_path) == expected


def test_the_folder_of_another_study(tmp_path: Path) -> None:
    execute(Study.parse(TEXT), tmp_path)
    before = tree(tmp_path)
    other = Study.parse(TEXT.replace("width", "depth"))
    for attempt in (lambda: execute(other, tmp_path), lambda: worker(other, tmp_path, 0, 2)):
        with pytest.raises(InputError, match=r"of the study 'width' .* not of 'depth' .* choose another folder"):
            attempt()
    assert tree(tmp_path) == before
    (tmp_path / "study.json").write_text("{")
    with pytest.raises(InputError, match=r"study.json is not the file of a study"):
        execute(other, tmp_path)


def test_files_of_others_are_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "summary.csv").write_text("mine")
    with pytest.raises(InputError, match=r"holds summary.csv but no study.json; choose another folder"):
        execute(Study.parse(TEXT), tmp_path)
    assert tree(tmp_path) == {"summary.csv": b"mine"}


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for out in (tmp_path / "file", tmp_path / "file" / "out"):
        with pytest.raises(InputError, match=f"cannot write {out}: .*choose a folder"):
            execute(Study.parse(TEXT), out)


def test_engines_and_workers_that_do_not_exist(tmp_path: Path) -> None:
    study = Study.parse(TEXT)
    with pytest.raises(InputError, match=r"not available yet: .*theorylab\[dask\]"):
        execute(study, tmp_path / "out", engine="dask")
    with pytest.raises(InputError, match="unknown engine 'locl'; nearest: local"):
        execute(study, tmp_path / "out", engine="locl")
    for index, count in ((3, 3), (-1, 3), (0, 0), (True, 2), (0.0, 2)):
        with pytest.raises(InputError, match=r"worker: (index|count) is .*; give an integer"):
            worker(study, tmp_path / "out", index, count)  # type: ignore[arg-type]
    assert not (tmp_path / "out").exists()
