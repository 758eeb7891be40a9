"""Exports: the numbers and labels of a study in xarray, pandas, Parquet, CSV and netCDF, and back."""

from __future__ import annotations

import csv
import dataclasses
import importlib
import json
import math
import os
import shutil
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from theorylab import export
from theorylab.errors import InputError, ShardError
from theorylab.result import Result
from theorylab.run import run
from theorylab.simulation import Curves, ProbeResult
from theorylab.study import Study, execute

TEXT = """
name = "width"
replicates = 5
block = 2
checkpoints = 4
target = "python"
seed = 18446744073709551615

[[learners]]
name = "ucb1"

[[learners]]
name = "ucb1"
label = "half"
params = { scale = 0.5 }

[[models]]
family = "bernoulli"
sweep = { means = [[0.5, 0.6], [0.2, 0.9]] }
lengths = [2, 12]
"""
QUANTITIES = ("regret", "gap_regret", "reward")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("results") / "width"
    execute(Study.parse(TEXT), out)
    return out


@pytest.fixture(scope="module")
def result(folder: Path) -> Result:
    return Result.read(folder)


def made(study: Study, *curves: Curves) -> Result:
    return Result(study, tuple(study.cells()), curves)


def two_models(**second: Any) -> Result:
    """Two cells with numbers of their own: grids of 3 and 2 checkpoints, parameters of different types."""
    text = """
    name = "made"
    replicates = 2
    target = "python"
    [[learners]]
    name = "uniform"
    [[models]]
    family = "bernoulli"
    params = { means = [0.5, 0.6] }
    length = 9
    [[models]]
    family = "riverswim"
    params = { states = 4, variant = "strehl" }
    horizon = 3
    length = 4
    """
    study = Study.from_table(tomllib.loads(text))
    values = {q: np.arange(6.0).reshape(2, 3) + 10 * i for i, q in enumerate(QUANTITIES)}
    one = Curves("uniform", "b", "bandit", np.array([1, 3, 9]), values, {}, {}, {}, 0, 0)
    given: dict[str, Any] = dict(
        data={q: np.arange(4.0).reshape(2, 2) + 100 for q in ("gap_regret", "reward")}, params={"scale": 2}
    )
    two = Curves("uniform", "r", "episodic", np.array([1, 4]), {}, {}, {}, {}, 0, 0)
    return made(study, one, dataclasses.replace(two, **{**given, **second}))


# ---- reading a folder back


def test_a_folder_is_read_back_as_it_was_run(folder: Path, result: Result) -> None:
    again = execute(Study.parse(TEXT), folder)
    assert (result.study, result.cells, result.versions) == (again.study, again.cells, again.versions)
    for a, b in zip(result.curves, again.curves, strict=True):
        assert a.data.keys() == b.data.keys() and a.checkpoints.tolist() == b.checkpoints.tolist()
        assert all(a[q].tobytes() == b[q].tobytes() for q in a.data) and a.params == b.params
    assert result.to_csv() == again.to_csv() == (folder / "summary.csv").read_text()


def test_reading_neither_writes_nor_runs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **more: Any) -> Any:
        raise AssertionError("called")

    for name in ("mkdir", "open", "unlink", "replace"):
        monkeypatch.setattr(os, name, refuse)
    monkeypatch.setattr("theorylab.study.Simulation", refuse)
    assert len(Result.read(folder).curves) == 8


def copy(folder: Path, to: Path) -> Path:
    shutil.copytree(folder, to)
    return to


def test_folders_that_hold_no_finished_study(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no finished study: there is no study.json; finish it with `theorylab run`"):
        Result.read(tmp_path / "none")
    part = copy(folder, tmp_path / "part")
    manifest = json.loads((part / "manifest.json").read_text())
    lost = part / "shards" / manifest["cells"][3]["shards"][1][:2] / f"{manifest['cells'][3]['shards'][1]}.npz"
    kept = lost.read_bytes()
    lost.unlink()
    with pytest.raises(ShardError, match="is missing; run the study again"):
        Result.read(part)
    lost.write_bytes(kept[:-5])
    with pytest.raises(ShardError, match="cannot be used"):
        Result.read(part)
    lost.write_bytes(kept)
    for change, message in (
        (lambda m: m["cells"][3]["shards"].pop(), "do not hold 5 replicates"),
        (lambda m: m["cells"][3]["shards"].clear(), "do not hold 5 replicates"),
        (lambda m: m["cells"][3]["shards"].reverse(), "do not hold 5 replicates"),
        (lambda m: m["cells"][3]["shards"].__setitem__(0, "../../x"), "is not the key of a shard"),
        (lambda m: m["cells"].pop(), "do not belong together"),
        (lambda m: m.update(digest="0"), "do not belong together"),
        (lambda m: m.pop("cells"), "does not hold the files of a study"),
    ):
        other = json.loads(json.dumps(manifest))
        change(other)
        (part / "manifest.json").write_text(json.dumps(other))
        with pytest.raises(InputError, match=message):
            Result.read(part)
    (part / "manifest.json").write_text("{")
    with pytest.raises(InputError, match="does not hold the files of a study"):
        Result.read(part)
    (part / "manifest.json").unlink()
    with pytest.raises(InputError, match=r"there is no manifest.json"):
        Result.read(part)


# ---- values


def test_the_dataset_holds_every_number_and_label(result: Result) -> None:
    ds = result.to_xarray()
    assert dict(ds.sizes) == {"cell": 8, "replicate": 5, "checkpoint": 4} and list(ds.data_vars) == list(QUANTITIES)
    for cell, curves in zip(result.cells, result.curves, strict=True):
        at, k = ds.isel(cell=cell.index), curves.checkpoints.size
        assert [at[x].item() for x in ("learner", "model", "length")] == [cell.learner, cell.model, cell.length]
        assert [at[x].item() for x in ("unit", "setting", "checkpoints")] == ["rounds", "bandit", k]
        assert at.learner_scale.item() == curves.params["scale"]
        assert at.model_means.item() == json.dumps(cell.params["means"])
        assert at.n.values[:k].tolist() == curves.checkpoints.tolist()
        for q in QUANTITIES:
            assert at[q].values[:, :k].tobytes() == curves[q].tobytes()
            assert np.isnan(at[q].values[:, k:]).all() and np.isnan(at.n.values[k:]).all()
    assert {c.checkpoints.size for c in result.curves} == {2, 4}  # so that the padding above has been looked at
    last = ds.regret.isel(checkpoint=ds.checkpoints - 1)
    assert last.dims == ("cell", "replicate")
    quantiles = last.quantile([0.05, 0.95], "replicate", method="inverted_cdf")
    for i, row in enumerate(result.to_rows()):
        assert quantiles.isel(cell=i).values.tolist() == [row["regret_05"], row["regret_95"]]
    assert ds.regret.attrs == {"long_name": "regret of the theorem", "units": "reward"}
    assert (ds.attrs["study"], ds.attrs["seed"]) == ("width", "18446744073709551615")
    assert ds.attrs["digest"] == result.study.digest
    assert {k: ds.attrs[f"{k}_version"] for k in result.versions} == result.versions
    assert Study.from_table(json.loads(ds.attrs["definition"])) == result.study


def test_the_frame_is_a_row_per_cell_replicate_and_checkpoint(result: Result) -> None:
    df = result.to_pandas()
    expected = [
        (c.index, c.learner, c.model, "bandit", c.length, "rounds", x.params["scale"], json.dumps(c.params["means"]),
         r, int(n), *(x[q][r, j] for q in QUANTITIES))
        for c, x in zip(result.cells, result.curves, strict=True)
        for r in range(5)
        for j, n in enumerate(x.checkpoints)
    ]  # fmt: skip
    names = ["cell", "learner", "model", "setting", "length", "unit", "learner_scale", "model_means", "replicate", "n"]
    assert list(df.columns) == [*names, *QUANTITIES]
    assert list(df.itertuples(index=False, name=None)) == expected
    assert df.learner.cat.categories.tolist() == ["ucb1", "half"]  # the study's order, for legends
    assert df.attrs == result.to_xarray().attrs
    final = df[df.n == df.length].groupby(["cell"])["regret"].mean()
    assert final.tolist() == pytest.approx([row["regret_mean"] for row in result.to_rows()], rel=1e-14)


def test_grids_settings_and_parameters_that_differ() -> None:
    result = two_models()
    ds, df = result.to_xarray(), result.to_pandas()
    nan = math.nan
    assert np.array_equal(ds.n.values, [[1, 3, 9], [1, 4, nan]], equal_nan=True)
    assert np.array_equal(ds.reward.values[1], [[100, 101, nan], [102, 103, nan]], equal_nan=True)
    assert np.isnan(ds.regret.values[1]).all() and not np.isnan(ds.regret.values[0]).any()
    assert ds.unit.values.tolist() == ["rounds", "episodes"] and ds.checkpoints.values.tolist() == [3, 2]
    assert ds.model_variant.values.tolist() == ["", "strehl"] and ds.model_means.values.tolist() == ["[0.5, 0.6]", ""]
    for name, value in (("model_states", 4), ("model_horizon", 3), ("learner_scale", 2)):
        assert np.array_equal(ds[name].values, [nan, value], equal_nan=True)
    assert len(df) == 2 * 3 + 2 * 2 and df.n.tolist() == [1, 3, 9] * 2 + [1, 4] * 2
    assert df.regret.isna().tolist() == [False] * 6 + [True] * 4
    assert df.gap_regret.tolist() == [10.0, 11, 12, 13, 14, 15, 100, 101, 102, 103]
    assert df.model_states.isna().tolist() == [True] * 6 + [False] * 4 and df.model_states.iloc[-1] == 4
    assert df.model_variant.isna().tolist() == [True] * 6 + [False] * 4 and df.model_variant.iloc[-1] == "strehl"


@pytest.mark.parametrize(
    ("values", "kind", "held"),
    [
        ([1, 2], "int64", [1, 2]),
        ([1, None, 2.5], "float64", [1.0, None, 2.5]),
        ([2**53 + 1, 1], "string", ["9007199254740993", "1"]),  # no float holds it
        ([True, False], "string", ["true", "false"]),
        ([1, "a"], "string", ["1", "a"]),
        ([[1, 2], None], "string", ["[1, 2]", None]),
    ],
)
def test_the_type_of_a_parameter(values: list[Any], kind: str, held: list[Any]) -> None:
    column = export._Column.of(values)
    assert (column.kind, column.values) == (kind, held) and [type(v) for v in held] == [type(v) for v in column.values]


def test_probe_results_are_there_where_they_were_recorded() -> None:
    assert "probe" not in two_models().to_xarray().dims
    probes = {
        "regret": ProbeResult(np.array([-0.5, math.inf]), np.array([-1, 7]), np.array([0, 2])),
        "n": ProbeResult(np.array([math.nan, 0.0]), np.array([3, -1]), np.array([1, 0])),
    }
    ds = two_models(probes=probes).to_xarray()  # names of columns: they are values of a coordinate here
    assert ds.probe.values.tolist() == ["regret", "n"] and ds.probe_max.dims == ("cell", "probe", "replicate")
    for field in ("max", "first", "count"):
        x = ds[f"probe_{field}"]
        assert np.isnan(x.values[0]).all()
        for name, probe in probes.items():
            assert np.array_equal(x.sel(cell=1, probe=name).values, getattr(probe, field), equal_nan=True)


def test_one_run_is_a_dataset_too() -> None:
    from bandits.learners import ucb1
    from theorylab.model import Bandit

    curves = run(ucb1.learner, Bandit(means=[0.2, 0.9]), replicates=3, rounds=20, target="python", first=4, seed=9)
    ds = export.curves_dataset(curves)
    assert ds.replicate.values.tolist() == [4, 5, 6] and ds.n.values.tolist() == curves.checkpoints.tolist()
    assert all(ds[q].values.tobytes() == curves[q].tobytes() for q in QUANTITIES)
    assert (ds.attrs["learner"], ds.attrs["seed"], json.loads(ds.attrs["params"])) == ("ucb1", "9", curves.params)
    probe = ProbeResult(np.array([-1.0, 0, 1]), np.array([-1, -1, 2]), np.array([0, 0, 4]))
    ds = export.curves_dataset(dataclasses.replace(curves, probes={"sums": probe}))
    assert ds.probe_first.sel(probe="sums").values.tolist() == [-1, -1, 2]
    with pytest.raises(InputError, match="the quantity 'n' has the name of a column"):
        export.curves_dataset(dataclasses.replace(curves, data={"n": curves["regret"], "reward": curves["reward"]}))


@pytest.mark.parametrize("name", ["n", "cell", "replicate", "length", "model_states"])
def test_a_quantity_with_the_name_of_a_column_is_refused(name: str) -> None:
    result = two_models(data={name: np.zeros((2, 2)), "reward": np.zeros((2, 2))})
    for form in (result.to_xarray, result.to_pandas):
        with pytest.raises(InputError, match=f"the quantity '{name}' has the name of a column of the export; rename"):
            form()
    other = two_models(data={"spread": np.zeros((2, 2)), "reward": np.zeros((2, 2))})
    assert list(other.to_pandas().columns)[-4:] == [*QUANTITIES, "spread"] and "spread" in other.to_xarray()


# ---- files


def odd() -> Result:
    """Numbers that are lost easily: NaN, infinities, a negative zero, the least float, seventeen digits."""
    data = np.array([[math.nan, math.inf], [-math.inf, -0.0]])
    return two_models(data={"gap_regret": data, "reward": np.array([[5e-324, 0.1 + 0.2], [1e308, -1 / 3]])})


def bits(x: Any) -> list[bytes]:
    return [np.float64(v).tobytes() for v in x]


def test_parquet_reads_back_as_the_frame(result: Result, tmp_path: Path) -> None:
    pd, pq = pytest.importorskip("pandas"), pytest.importorskip("pyarrow.parquet")
    for name, one in (("a", result), ("b", odd())):
        path = one.to_parquet(tmp_path / f"{name}.parquet")
        table, df = pd.read_parquet(path), one.to_pandas()
        pd.testing.assert_frame_equal(table, df, check_exact=True)
        assert table.attrs == df.attrs == export.about(one)
        file = pq.ParquetFile(path)
        said = {k.decode(): v.decode() for k, v in file.schema_arrow.metadata.items()}
        assert {k: said[k] for k in export.about(one)} == export.about(one)
        assert file.metadata.num_row_groups == len(one.cells)
    raw = pq.read_table(path)
    for q in ("gap_regret", "reward"):
        assert bits(table[q][6:]) == bits(odd().curves[1][q].ravel())
        assert raw[q].null_count == 0
    assert raw["regret"].null_count == 4 and raw["regret"].is_null().to_pylist() == [False] * 6 + [True] * 4
    assert raw["model_states"].null_count == raw["model_variant"].null_count == 6


def test_the_same_result_gives_the_same_bytes(folder: Path, result: Result, tmp_path: Path) -> None:
    fresh = execute(Study.parse(TEXT), tmp_path / "other", threads=1)  # run, where `result` was read
    for write, ending in ((export.write_parquet, "parquet"), (export.write_csv, "csv"), (export.write_netcdf, "nc")):
        one, two = (write(r, tmp_path / f"{i}.{ending}").read_bytes() for i, r in enumerate((fresh, result)))
        assert one == two and len(one) > 1000
        changed = dataclasses.replace(result, curves=(*result.curves[:-1], result.curves[0]))
        assert write(changed, tmp_path / f"2.{ending}").read_bytes() != one
    assert sorted(p.name for p in tmp_path.iterdir() if p.name.startswith(".")) == []


def test_the_table_comes_in_parts(result: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pd, pq = pytest.importorskip("pandas"), pytest.importorskip("pyarrow.parquet")
    whole = result.to_pandas()
    monkeypatch.setattr(export, "ROWS", 9)  # two replicates of four checkpoints, four of two
    assert [p.num_rows for p in export._Table(result).parts()][:5] == [8, 2, 8, 2, 8]
    pd.testing.assert_frame_equal(result.to_pandas(), whole)
    path = result.to_parquet(tmp_path / "x.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(path), whole)
    meta = pq.ParquetFile(path).metadata
    assert max(meta.row_group(i).num_rows for i in range(meta.num_row_groups)) <= 9


def test_csv_keeps_every_bit_and_tells_null_from_nan(tmp_path: Path) -> None:
    one = odd()
    with export.write_csv(one, tmp_path / "x.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    df = one.to_pandas()
    assert list(rows[0]) == list(df.columns) and len(rows) == len(df)
    for q in ("gap_regret", "reward"):
        assert bits(float(r[q]) for r in rows) == bits(df[q])
    assert [r["regret"] for r in rows[6:]] == [""] * 4 and rows[6]["gap_regret"] == "nan"
    assert [r["model"] for r in rows] == df.model.tolist() and {r["model_means"] for r in rows} == {"[0.5, 0.6]", ""}


def test_netcdf_reads_back_as_the_dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    xr = pytest.importorskip("xarray")
    one = odd()
    with xr.open_dataset(export.write_netcdf(one, tmp_path / "x.nc")) as read:
        xr.testing.assert_equal(read, one.to_xarray())
        assert read.attrs == one.to_xarray().attrs and read.reward.attrs == one.to_xarray().reward.attrs
    monkeypatch.setattr(export, "EXTENT", 80)
    with pytest.raises(InputError, match="'regret' has 4 GB or more, too much for netCDF 3; write Parquet"):
        export.write_netcdf(one, tmp_path / "y.nc")


@pytest.mark.parametrize("write", [export.write_parquet, export.write_csv, export.write_netcdf])
def test_a_file_appears_whole_or_not_at_all(write: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"old")
    with pytest.raises(InputError, match=r"cannot write .*none/x: No such file"):
        write(odd(), tmp_path / "none" / "x")
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match=r"cannot write .*folder: Is a directory"):
        write(odd(), tmp_path / "folder")

    def full(fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match=r"no room for .*x"):
        write(odd(), path)
    assert path.read_bytes() == b"old" and sorted(p.name for p in tmp_path.iterdir()) == ["folder", "x"]


# ---- the extra, the command


@pytest.mark.parametrize(
    ("form", "package"), [("to_xarray", "xarray"), ("to_pandas", "pandas"), ("to_parquet", "pyarrow")]
)
def test_a_missing_extra_is_named(result: Result, form: str, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.import_module

    def without(name: str, *rest: Any) -> Any:
        if name.partition(".")[0] == package:
            raise ImportError(f"No module named '{package}'")
        return real(name, *rest)

    monkeypatch.setattr(importlib, "import_module", without)
    with pytest.raises(InputError, match=rf"needs {package}, .* python -m pip install 'theorylab\[export\]'"):
        getattr(result, form)(*["x.parquet"] * (form == "to_parquet"))


def test_the_command_goes_by_format_and_ending(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    before = {p: p.stat().st_mtime_ns for p in folder.rglob("*")}
    assert export.execute(folder) == Path("width.parquet") and Path("width.parquet").read_bytes()[:4] == b"PAR1"
    assert export.execute(folder, "csv") == Path("width.csv") and Path("width.csv").read_text().startswith('"cell"')
    assert export.execute(folder, out="a.nc") == Path("a.nc") and Path("a.nc").read_bytes()[:3] == b"CDF"
    assert export.execute(folder, "csv", "a.txt").read_bytes() == Path("width.csv").read_bytes()
    assert {p: p.stat().st_mtime_ns for p in folder.rglob("*")} == before
    for arguments, message in (
        (("parket", None), "--to 'parket' is no format; nearest: parquet"),
        (("parquet", "a.csv"), "--out a.csv ends as a file of csv, but --to is parquet"),
    ):
        with pytest.raises(InputError, match=message):
            export.execute(folder, *arguments)
    with pytest.raises(InputError, match="no finished study"):
        export.execute(tmp_path)
