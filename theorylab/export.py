"""Results in the forms of other tools: xarray, pandas, Parquet, CSV, netCDF (the extra theorylab[export]).

Two layouts of the same numbers, in the model's reward units:

    dataset   an xarray.Dataset (cell, replicate, checkpoint), padded with NaN where a cell has fewer checkpoints
    table     a row per cell, replicate and checkpoint: cell, learner, model, setting, length, unit, learner_NAME ...,
              model_NAME ..., replicate, n, and each quantity recorded

`learner_NAME` are all parameters of the learners, defaults included; `model_NAME` those that the study gives to the
families, and the horizon. A column of parameters is of integers or floats if all its values are, else of texts (lists
and truth values as JSON). The methods of `theorylab.result.Result` are the way in; `execute` is `theorylab export`.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib
import json
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import numpy as np

from theorylab.errors import InputError, nearest
from theorylab.learner import UNITS
from theorylab.result import Result, installed
from theorylab.simulation import COLUMNS, Curves
from theorylab.store import PROBE, refusal, write_atomic

__all__ = [
    "FORMATS", "about", "curves_dataset", "dataset", "execute", "frame", "write_csv", "write_netcdf", "write_parquet",
]  # fmt: skip

#: format -> ending of its files
FORMATS = {"parquet": ".parquet", "csv": ".csv", "netcdf": ".nc"}
ROWS = 1 << 18  # most rows of the table held at a time, and in a row group
EXACT = 1 << 53  # integers up to here are floats without loss
KEYS = ("learner", "model", "setting", "length", "unit")
WORDS = {
    "regret": "regret of the theorem",
    "gap_regret": "sum of the gaps along the trajectory",
    "reward": "sum of rewards",
    "n": "completed rounds, episodes or steps",
    "checkpoints": "number of checkpoints of the cell",
    "probe_max": "largest lhs - rhs of the inequality",
    "probe_first": "index of the first violation, -1 where there is none",
    "probe_count": "number of violations",
}
EXTENT = (1 << 32) - 4  # bytes of a variable in netCDF 3


def _need(name: str) -> Any:
    """A module of the extra; `InputError` with the command that installs it."""
    try:
        return importlib.import_module(name)
    except ImportError as reason:
        raise InputError(
            f"this export needs {name.partition('.')[0]}, which cannot be imported ({reason}); install the extra: "
            "python -m pip install 'theorylab[export]'"
        ) from None


def about(result: Result) -> dict[str, str]:
    """What a file of the result says of its origin: study, seed, digest, definition (JSON), versions of packages."""
    study = result.study
    said = {"study": study.name, "seed": str(study.seed), "digest": study.digest}
    said["definition"] = json.dumps(msgspec.to_builtins(study), sort_keys=True)
    return said | {f"{name}_version": text for name, text in sorted(result.versions.items())}


@dataclass(frozen=True)
class _Column:
    """Values along the cells, None where a cell has none; kind: int64, float64 or string."""

    kind: str
    values: list[Any]

    @classmethod
    def of(cls, values: list[Any]) -> _Column:
        known = [v for v in values if v is not None]
        if all(type(v) is int and abs(v) <= EXACT for v in known):
            return cls("int64", values)
        if all(type(v) in (int, float) and (type(v) is float or abs(v) <= EXACT) for v in known):
            return cls("float64", [v if v is None else float(v) for v in values])
        return cls("string", [v if v is None or isinstance(v, str) else json.dumps(v) for v in values])

    def array(self) -> np.ndarray:
        """For xarray, whose integers and texts have no missing values: NaN and empty texts stand for them."""
        if self.kind == "string":
            return np.array(["" if v is None else v for v in self.values])
        return np.array([np.nan if v is None else v for v in self.values])


def _columns(result: Result) -> dict[str, _Column]:
    """What is constant in a cell: its labels, and the parameters of its learner and model."""
    values: dict[str, list[Any]] = {k: [] for k in KEYS}
    for cell, curves in zip(result.cells, result.curves, strict=True):
        row = dict(learner=cell.learner, model=cell.model, setting=curves.setting, length=cell.length)
        row["unit"] = UNITS[curves.setting]
        row |= {f"learner_{k}": _plain(v) for k, v in curves.params.items()}
        row |= {f"model_{k}": _plain(v) for k, v in cell.params.items()}
        horizon = result.study.models[cell.model_at].horizon
        if horizon is not None:
            row["model_horizon"] = horizon
        for name in row.keys() - values.keys():
            values[name] = [None] * cell.index
        for name, column in values.items():
            column.append(row.get(name))
    parameters = sorted(values.keys() - set(KEYS))  # learner_... before model_...
    return {name: _Column.of(values[name]) for name in (*KEYS, *parameters)}


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, (np.generic, np.ndarray)) else value


def _quantities(result: Result, taken: set[str]) -> list[str]:
    """The quantities recorded in any cell; `InputError` for one with the name of another column."""
    found = {q for curves in result.curves for q in curves.data}
    clash = sorted(found & taken)
    if clash:
        raise InputError(f"the quantity '{clash[0]}' has the name of a column of the export; rename it")
    return [q for q in COLUMNS if q in found] + sorted(found - set(COLUMNS))


# ---- xarray


def _said(name: str) -> dict[str, str]:
    """Attributes of a variable."""
    units = {"units": "reward"} if name in COLUMNS else {}
    return {"long_name": WORDS.get(name, name), **units}


def dataset(result: Result) -> Any:
    """`Result.to_xarray`: where its layout is described."""
    xr = _need("xarray")
    columns = _columns(result)
    fixed = {*columns, "cell", "replicate", "checkpoint", "probe", "n", "checkpoints", *(f"probe_{f}" for f in PROBE)}
    names = _quantities(result, fixed)
    sizes = [curves.checkpoints.size for curves in result.curves]
    cells, r, width = len(sizes), result.curves[0].replicates, max(sizes)
    n = np.full((cells, width), np.nan)
    data = {q: np.full((cells, r, width), np.nan) for q in names}
    probes = list(dict.fromkeys(k for curves in result.curves for k in curves.probes))
    found = {f: np.full((cells, len(probes), r), np.nan) for f in PROBE}
    for i, curves in enumerate(result.curves):
        n[i, : sizes[i]] = curves.checkpoints
        for q, x in curves.data.items():
            data[q][i, :, : sizes[i]] = x
        for k, probe in curves.probes.items():
            for f in PROBE:
                found[f][i, probes.index(k)] = getattr(probe, f)
    coords: dict[str, Any] = {"cell": np.arange(cells), "replicate": np.arange(r), "checkpoint": np.arange(width)}
    coords |= {name: ("cell", column.array()) for name, column in columns.items()}
    coords["checkpoints"] = ("cell", np.array(sizes), _said("checkpoints"))
    coords["n"] = (("cell", "checkpoint"), n, _said("n"))
    variables: dict[str, Any] = {q: (("cell", "replicate", "checkpoint"), x, _said(q)) for q, x in data.items()}
    if probes:
        coords["probe"] = np.array(probes)
        for f in PROBE:
            variables[f"probe_{f}"] = (("cell", "probe", "replicate"), found[f], _said(f"probe_{f}"))
    return xr.Dataset(variables, coords, about(result))


def curves_dataset(curves: Curves) -> Any:
    """The `Curves` of one run as an `xarray.Dataset` with dimensions (replicate, checkpoint), in reward units.

    Coordinates: replicate (from the first one's index), checkpoint, `n` (completed rounds, episodes or steps); with
    probes `probe_max`, `probe_first` (-1: no violation) and `probe_count`, (probe, replicate). Attributes: learner,
    model, setting, unit, seed, params (JSON) and the versions of packages, as texts. The final state is left out.
    """
    xr = _need("xarray")
    r = curves.replicates
    coords: dict[str, Any] = {
        "replicate": np.arange(curves.first, curves.first + r),
        "checkpoint": np.arange(curves.checkpoints.size),
        "n": ("checkpoint", curves.checkpoints, _said("n")),
    }
    fixed = {*coords, "probe", *(f"probe_{f}" for f in PROBE)}
    clash = sorted(curves.data.keys() & fixed)
    if clash:
        raise InputError(f"the quantity '{clash[0]}' has the name of a column of the export; rename it")
    variables: dict[str, Any] = {q: (("replicate", "checkpoint"), x, _said(q)) for q, x in curves.data.items()}
    if curves.probes:
        coords["probe"] = np.array(list(curves.probes))
        for f in PROBE:
            x = np.stack([getattr(probe, f) for probe in curves.probes.values()])
            variables[f"probe_{f}"] = (("probe", "replicate"), x, _said(f"probe_{f}"))
    attrs = dict(learner=curves.learner, model=curves.model, setting=curves.setting, unit=UNITS[curves.setting])
    attrs |= dict(seed=str(curves.seed), params=json.dumps({k: _plain(v) for k, v in curves.params.items()}))
    attrs |= {f"{k}_version": v for k, v in installed().items()}
    return xr.Dataset(variables, coords, attrs)


# ---- the long table


class _Table:
    """The long table of a result as Arrow: its schema, and its rows in parts of one cell and at most ROWS rows."""

    def __init__(self, result: Result) -> None:
        pa = self.pa = _need("pyarrow")
        self.result, self.columns = result, _columns(result)
        self.names = _quantities(result, {*self.columns, "cell", "replicate", "n"})
        self.texts = {
            k: list(dict.fromkeys(v for v in c.values if v is not None))
            for k, c in self.columns.items()
            if c.kind == "string"
        }
        text, number = pa.dictionary(pa.int32(), pa.string()), {"int64": pa.int64(), "float64": pa.float64()}
        fields = [("cell", pa.int64()), *((k, number.get(c.kind, text)) for k, c in self.columns.items())]
        fields += [("replicate", pa.int64()), ("n", pa.int64()), *((q, pa.float64()) for q in self.names)]
        said = about(result)
        # pandas restores a frame's attrs from the key PANDAS_ATTRS
        self.schema = pa.schema(fields, metadata={**said, "PANDAS_ATTRS": json.dumps(said)})

    def parts(self) -> Iterator[Any]:
        """The rows, in order, as tables of the schema."""
        pa = self.pa
        for i, curves in enumerate(self.result.curves):
            width = curves.checkpoints.size
            step = max(1, ROWS // width)
            for first in range(0, curves.replicates, step):
                count = min(step, curves.replicates - first)
                rows = count * width
                arrays = [pa.repeat(pa.scalar(i, pa.int64()), rows)]
                arrays += [self._constant(k, c.values[i], rows) for k, c in self.columns.items()]
                arrays.append(pa.array(np.repeat(np.arange(first, first + count), width)))
                arrays.append(pa.array(np.tile(curves.checkpoints, count)))
                for q in self.names:
                    known = q in curves.data
                    x = curves.data[q][first : first + count].ravel() if known else None
                    arrays.append(pa.nulls(rows, pa.float64()) if x is None else pa.array(x))
                yield pa.Table.from_arrays(arrays, schema=self.schema)

    def _constant(self, name: str, value: Any, rows: int) -> Any:
        pa = self.pa
        if name not in self.texts:
            return pa.repeat(pa.scalar(value, self.schema.field(name).type), rows)
        known = self.texts[name]
        code = pa.scalar(None if value is None else known.index(value), pa.int32())
        return pa.DictionaryArray.from_arrays(pa.repeat(code, rows), pa.array(known, pa.string()))


def frame(result: Result) -> Any:
    """`Result.to_pandas`: where its columns are described."""
    _need("pandas")
    table = _Table(result)
    out = table.pa.concat_tables(table.parts()).to_pandas(split_blocks=True, self_destruct=True)
    out.attrs = about(result)
    return out


def write_parquet(result: Result, path: str | os.PathLike[str]) -> Path:
    """`Result.to_parquet`: where the file is described."""
    parquet, table = _need("pyarrow.parquet"), _Table(result)
    with _whole(Path(path)) as file, parquet.ParquetWriter(file, table.schema) as writer:
        for part in table.parts():
            writer.write_table(part, row_group_size=ROWS)
    return Path(path)


def write_csv(result: Result, path: str | os.PathLike[str]) -> Path:
    """Write the long table as CSV, a part at a time: floats in the fewest digits that give them back, nan for NaN.

    What was not recorded is an empty field. CSV has no place for metadata: of the origin it says nothing. Raises
    `InputError` for a path that cannot be written.
    """
    csv, table = _need("pyarrow.csv"), _Table(result)
    pa = table.pa
    plain = pa.schema([(f.name, pa.string() if f.name in table.texts else f.type) for f in table.schema])
    with _whole(Path(path)) as file, csv.CSVWriter(file, plain) as writer:
        for part in table.parts():
            writer.write_table(part.cast(plain))
    return Path(path)


def write_netcdf(result: Result, path: str | os.PathLike[str]) -> Path:
    """Write the dataset of `Result.to_xarray` as netCDF 3 with 64-bit offsets, which `xarray.open_dataset` reads.

    Memory: the dataset and the file. Raises `InputError` for a quantity of 4 GB or more, which the format cannot
    hold, and for a path that cannot be written.
    """
    data = dataset(result)
    large = [str(name) for name, x in data.variables.items() if x.nbytes > EXTENT]
    if large:
        raise InputError(f"'{large[0]}' has 4 GB or more, too much for netCDF 3; write Parquet")
    write_atomic(Path(path), bytes(data.to_netcdf(engine="scipy", format="NETCDF3_64BIT")))
    return Path(path)


@contextlib.contextmanager
def _whole(path: Path) -> Iterator[BinaryIO]:
    """A file that appears at `path` when the block is done, or not at all; `InputError` where it cannot."""
    temporary = path.with_name(f".{path.name[:20]}.{secrets.token_hex(8)}.tmp")
    try:
        with open(temporary, "xb") as file:
            with contextlib.suppress(OSError):  # a disk without locks
                fcntl.flock(file, fcntl.LOCK_EX)  # a run that cleans this folder leaves what is locked alone
            yield file
            file.flush()
            os.fsync(file.fileno())
            os.replace(temporary, path)
    except OSError as reason:
        raise refusal(path, 0, reason) from None
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


# ---- theorylab export


def execute(folder: str | os.PathLike[str], to: str | None = None, out: str | os.PathLike[str] | None = None) -> Path:
    """Write the finished study in `folder` in the format `to`, and return the file.

    Args:
        to: parquet, csv or netcdf; None: by the ending of `out`, else parquet.
        out: the file; None: NAME.parquet (.csv, .nc) in the current folder, NAME being the study's.

    Raises:
        InputError: an unknown format, an ending of another format, a missing extra, a folder without a finished
            study, a file that cannot be written. ShardError: a shard that cannot be used.
    """
    if to is not None and to not in FORMATS:
        raise InputError(f"--to '{to}' is no format{nearest(to, FORMATS)}")
    ending = next((k for k, e in FORMATS.items() if out is not None and Path(out).suffix == e), None)
    if to is not None and ending is not None and to != ending:
        raise InputError(
            f"--out {out} ends as a file of {ending}, but --to is {to}; leave --to out, or rename the file"
        )
    to = to or ending or "parquet"
    result = Result.read(folder)
    writer = {"parquet": write_parquet, "csv": write_csv, "netcdf": write_netcdf}[to]
    return writer(result, out if out is not None else result.study.name + FORMATS[to])
