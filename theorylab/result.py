"""Results of a study: merged curves by learner and model, a table of their final values, and forms for other tools.

Per cell and quantity at the end of the run, over replicates x_0 .. x_{n-1}, in reward units:

    mean = sum x_i / n      sd = sqrt(sum (x_i - mean)^2 / (n - 1))      q-quantile = min {x : #{x_i <= x} >= q n}

The sums are rounded once, so that no digit depends on a library's order of summation.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from theorylab.errors import InputError, ShardError, nearest
from theorylab.learner import UNITS
from theorylab.simulation import COLUMNS, Curves, ProbeResult
from theorylab.store import Store

if TYPE_CHECKING:
    import pandas
    import xarray

    from theorylab.study import Cell, Study

__all__ = ["Result", "installed", "merged"]

QUANTILES = (5, 50, 95)  # percent: whole numbers, so that ranks are exact
PACKAGES = ("theorylab", "numpy", "scipy", "numba", "llvmlite")


def installed() -> dict[str, str]:
    """The versions of this package and of those that numbers come from, as the manifest of a study holds them."""
    out = {}
    for name in PACKAGES:
        try:
            out[name] = version(name)
        except PackageNotFoundError:  # a checkout that is not installed
            out[name] = "not installed"
    return out


@dataclass(frozen=True)
class Result:
    """What a study gave: per cell the curves of all replicates, in the order of their indices.

    `result[learner, model]`, with labels, is a `Curves`; `result[learner, model, length]` where a model has several
    lengths. Raises `InputError` with the nearest labels for a pair that is not in the study. `versions` are those that
    the results come from: `installed`, or the manifest's of a folder that was read.
    """

    study: Study
    cells: tuple[Cell, ...]
    curves: tuple[Curves, ...]
    versions: dict[str, str] = field(default_factory=installed)

    @classmethod
    def read(cls, folder: str | os.PathLike[str]) -> Result:
        """The results in the folder of a finished study, results/NAME; nothing is run, built or written.

        Raises `InputError` for a folder without a finished study, and `ShardError` for a shard that is missing or
        cannot be used.
        """
        from theorylab.study import Study

        root = Path(folder)
        try:
            about, manifest = (json.loads((root / name).read_bytes()) for name in ("study.json", "manifest.json"))
            study, cells = msgspec.convert(about["study"], Study), manifest["cells"]
            keys = [tuple(cell["shards"]) for cell in cells]
            found = (about["digest"], manifest["digest"], len(keys))
            versions = {str(k): str(v) for k, v in manifest["versions"].items()}
        except FileNotFoundError as reason:
            raise InputError(
                f"{root} holds no finished study: there is no {Path(reason.filename).name}; finish it with "
                "`theorylab run`, or give a folder such as results/NAME"
            ) from None
        except OSError as reason:
            raise InputError(f"{reason.filename} cannot be read: {reason.strerror}; give a folder of results") from None
        except (ValueError, KeyError, TypeError, AttributeError) as reason:
            raise InputError(f"{root} does not hold the files of a study ({reason}); run the study again") from None
        if found != (study.digest, study.digest, len(study.cells())):
            raise InputError(
                f"study.json and manifest.json in {root} do not belong together, or another version of theorylab wrote "
                f"them (theorylab {versions.get('theorylab')}); use that version, or run the study again"
            )
        shelf = _Shelf(root / "shards")
        return cls(study, tuple(study.cells()), tuple(shelf.cell(k, study.replicates) for k in keys), versions)

    def __getitem__(self, at: tuple[str, str] | tuple[str, str, int]) -> Curves:
        learner, model, *rest = at
        for name, label, known in (
            ("learner", learner, [c.learner for c in self.cells]),
            ("model", model, [c.model for c in self.cells]),
        ):
            if label not in known:
                raise InputError(f"no {name} is labelled '{label}'{nearest(label, known)}")
        found = [c for c in self.cells if (c.learner, c.model) == (learner, model) and rest in ([], [c.length])]
        if len(found) == 1:
            return self.curves[found[0].index]
        have = [c.length for c in self.cells if (c.learner, c.model) == (learner, model)]
        raise InputError(f"'{learner}' on '{model}' has the lengths {have}; give one as the third index")

    def to_rows(self) -> list[dict[str, Any]]:
        """A dictionary per cell: the rows of summary.csv.

        Keys: cell, learner, model, setting, length, unit, n (replicates), and per quantity q in regret, gap_regret,
        reward at the end of the run, in reward units: q_mean, q_sd (n - 1 in the denominator), q_05, q_50, q_95
        (order statistics: the smallest value with at least that share of the replicates at or below it). None where
        a quantity was not recorded, and for the sd of one replicate.
        """
        rows = []
        for cell, curves in zip(self.cells, self.curves, strict=True):
            row: dict[str, Any] = dict(cell=cell.index, learner=cell.learner, model=cell.model, setting=curves.setting)
            row |= dict(length=cell.length, unit=UNITS[curves.setting], n=curves.replicates)
            for q in COLUMNS:
                row |= _moments(q, curves.data[q][:, -1] if q in curves.data else None)
            rows.append(row)
        return rows

    def to_csv(self) -> str:
        """`to_rows` as the text of summary.csv; what was not recorded is an empty field."""
        rows, text = self.to_rows(), io.StringIO()
        table = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
        return text.getvalue()

    def to_xarray(self) -> xarray.Dataset:
        """All curves as one `xarray.Dataset` (the extra theorylab[export]), in reward units.

        Dimensions (cell, replicate, checkpoint); a variable for each quantity recorded (regret, gap_regret, reward).
        Coordinates: `n` (cell, checkpoint) is what each column stands for, completed rounds, episodes or steps;
        learner, model, setting, length, unit, the learners' parameters `learner_NAME` and the given parameters of the
        models `model_NAME` along cell; `checkpoints` (cell) counts a cell's columns.

        Grids differ between lengths: a cell fills its first `checkpoints` columns, the rest is NaN, in `n` too. So
        `ds.regret.isel(checkpoint=ds.checkpoints - 1)` is the regret at the end. NaN also stands for a quantity or
        parameter that a cell has not; an absent text is empty.

        Where runs had probes: `probe_max`, `probe_first` (-1: no violation) and `probe_count`, (cell, probe,
        replicate), NaN where a cell had not that probe.

        Attributes: study, seed, digest, definition (the study as JSON), the version of each package; all of them texts.

        Memory: 8 bytes x cells x replicates x most checkpoints, for each quantity.
        """
        from theorylab.export import dataset

        out: xarray.Dataset = dataset(self)
        return out

    def to_pandas(self) -> pandas.DataFrame:
        """All curves as one long table (the extra theorylab[export]): a row per cell, replicate and checkpoint.

        Columns: cell, learner, model, setting, length, unit, the parameters `learner_NAME` and `model_NAME`, replicate,
        n (completed rounds, episodes or steps), and each quantity recorded, in reward units. Texts are categories in
        the study's order; a parameter that is no number is its text (a list: JSON). NaN stands for a quantity or
        parameter that a cell has not. `attrs` as those of `to_xarray`; probe results are there alone.

        Memory: about 60 bytes a row, and 1 (text) or 8 (number) for each parameter; half as much again while built.
        Rows are cells x replicates x checkpoints: 24 cells of 10,000 replicates at 200 checkpoints are 48 million rows
        or 3 GB. `to_parquet` never holds the table.
        """
        from theorylab.export import frame

        out: pandas.DataFrame = frame(self)
        return out

    def to_parquet(self, path: str | os.PathLike[str]) -> Path:
        """Write the table of `to_pandas` to a Parquet file, which `pandas.read_parquet` reads as the same table.

        It is written in row groups of one cell and at most 262,144 rows, which takes about 0.1 GB beside the result.
        The attributes are the metadata of the schema. What was not recorded is null; NaN stays NaN. Same result and
        same version of pyarrow: same bytes. The file appears whole or not at all; an old one is replaced. Raises
        `InputError` for a path that cannot be written.
        """
        from theorylab.export import write_parquet

        return write_parquet(self, path)


class _Shelf(Store):
    """A store that is only read: its disk may be read-only."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def cell(self, keys: Sequence[str], replicates: int) -> Curves:
        """The curves of a cell from the shards of its blocks, all of them there."""
        parts = []
        for key in keys:
            curves = self.load(key)
            if curves is None:
                raise ShardError(f"shard {self.path(key)} is missing; run the study again: it computes what is missing")
            parts.append(curves)
        if [p.first for p in parts] + [replicates] != [0, *np.cumsum([p.replicates for p in parts]).tolist()]:
            raise ShardError(f"the shards of a cell in {self.root} do not hold {replicates} replicates; run it again")
        return merged(parts)


def _moments(name: str, x: np.ndarray | None) -> dict[str, float | None]:
    keys = [f"{name}_mean", f"{name}_sd"] + [f"{name}_{q:02d}" for q in QUANTILES]
    if x is None:
        return dict.fromkeys(keys)
    values, n = sorted(x.tolist()), len(x)
    mean = math.fsum(values) / n
    sd = math.sqrt(math.fsum((v - mean) ** 2 for v in values) / (n - 1)) if n > 1 else None
    return dict(zip(keys, [mean, sd, *(values[-(-q * n // 100) - 1] for q in QUANTILES)], strict=True))


def merged(parts: Sequence[Curves]) -> Curves:
    """Curves of consecutive blocks as one, replicates in the order given."""
    head = parts[0]
    probes = {}
    for k in head.probes:
        fields = [(p.probes[k].max, p.probes[k].first, p.probes[k].count) for p in parts]
        probes[k] = ProbeResult(*(np.concatenate(f) for f in zip(*fields, strict=True)))
    data = {k: np.concatenate([p.data[k] for p in parts]) for k in head.data}
    seconds = {k: sum(p.seconds.get(k, 0.0) for p in parts) for k in sorted({k for p in parts for k in p.seconds})}
    return dataclasses.replace(head, data=data, probes=probes, final={}, seconds=seconds)
