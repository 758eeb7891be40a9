"""Results of a study: merged curves by learner and model, and a table of their final values.

Per cell and quantity at the end of the run, over replicates x_0 .. x_{n-1}, in reward units:

    mean = sum x_i / n      sd = sqrt(sum (x_i - mean)^2 / (n - 1))      q-quantile = min {x : #{x_i <= x} >= q n}

The sums are rounded once, so that no digit depends on a library's order of summation.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from theorylab.errors import InputError, nearest
from theorylab.learner import UNITS
from theorylab.simulation import COLUMNS, Curves, ProbeResult

if TYPE_CHECKING:
    from theorylab.study import Cell, Study

__all__ = ["Result", "merged"]

QUANTILES = (5, 50, 95)  # percent: whole numbers, so that ranks are exact


@dataclass(frozen=True)
class Result:
    """What a study gave: per cell the curves of all replicates, in the order of their indices.

    `result[learner, model]`, with labels, is a `Curves`; `result[learner, model, length]` where a model has several
    lengths. Raises `InputError` with the nearest labels for a pair that is not in the study.
    """

    study: Study
    cells: tuple[Cell, ...]
    curves: tuple[Curves, ...]

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
