"""Runs the cells of the studies of LOOP and keeps what they gave, one file a cell, so that a second call goes on.

A cell whose learner is not registered is listed in `Runs.missing`, one that is refused before it starts in
`Runs.refused`. A replicate that ends with an error (LOOP's confidence set may be empty where beta is scaled down) is
kept as such, with its message: its numbers are NaN and tables count it. Replicates are addressed, so that more of
them continue the ones there are; a result whose simulation has changed (its digest) is run again.
"""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from proofs_check._loop_cells import Cell, classes, model_of, truth_of_class
from theorylab.errors import InputError
from theorylab.registry import find_learner
from theorylab.simulation import Simulation, geometric
from theorylab.store import write_atomic

__all__ = ["Found", "Runs", "simulation"]

TRIAL, BLOCK, POINTS = 2, 16, 30
#: scalars of a learner's state that are kept, and sums of the monitor, each (R,)
KEPT = ("switches", "J", "bound", "programs", "contradicted", "sweeps")
SUMS = ("d_hat", "transfer", "most", "double", "plain")


@dataclass(frozen=True)
class Found:
    """What a cell gave.

    Attributes:
        n: checkpoints (C,). regret, gaps: (R,C) cumulative regret and sum of gaps, reward units; NaN where a replicate
            was stopped by an error. final: name -> (R,) of the end; d_end = (sum E)_+^2 / double
            sum of a logged run. stopped: replicate -> message. seconds: CPU time,
            compilation left out. asked: replicates asked for; R is less where the time ran out.
    """

    n: np.ndarray
    regret: np.ndarray
    gaps: np.ndarray
    final: dict[str, np.ndarray]
    stopped: dict[int, str]
    seconds: float
    asked: int

    @property
    def ended(self) -> np.ndarray:
        """Which replicates came to the end (R,)."""
        out: np.ndarray = np.isfinite(self.regret[:, -1])
        return out

    def last(self, name: str = "regret") -> np.ndarray:
        """The values at the end of the replicates that came there: "regret", "gaps" or a name of `final`."""
        kept = self.ended
        if name in ("regret", "gaps"):
            found: np.ndarray = getattr(self, name)[kept, -1]
            return found
        values: np.ndarray = self.final[name][kept]
        return values

    def quantile(self, share: float, name: str = "regret") -> float:
        """Order statistic over all replicates, those stopped counted as infinite: the smallest value with at least
        that share of replicates at or below it."""
        values = np.sort(np.append(self.last(name), [math.inf] * int((~self.ended).sum())))
        return float(values[max(math.ceil(share * values.size - 1e-9), 1) - 1])


def _monitor(cell: Cell) -> dict[str, Any]:
    """The monitor of LOOP's claims and its tables."""
    model = model_of(cell.model)
    law = np.array(getattr(model, "tabular", lambda: model)().dense())
    if cell.learner == "loop-models":
        from proofs_check.papers._loop_models_probes import monitor as own

        return {"monitor": own, "tables": {"law": law, "star": truth_of_class(cell.model), "repeats": 1}}
    from proofs_check.papers._loop_monitor import monitor

    return {"monitor": monitor, "tables": {"law": law, "repeats": 0}}


def simulation(cell: Cell, first: int = 0, replicates: int = 1, target: str = "cpu") -> Simulation:
    """The simulation of some replicates of a cell. Raises InputError for what the learner refuses."""
    return Simulation(
        find_learner(cell.learner, "average"),
        model_of(cell.model),
        replicates=replicates,
        length=cell.length,
        seed=cell.seed,
        params={**classes(cell.model), **cell.params} if cell.learner != "ucrl2-vtr" else cell.params,
        first=first,
        checkpoints=geometric(cell.length, POINTS),
        target=target,
        threads=1,
        **(_monitor(cell) if cell.logged else {}),
    )


def _rows(sim: Simulation) -> dict[str, Any]:
    curves = sim.advance().curves()
    kept = {k: curves.final[k][:, 0] for k in KEPT if k in curves.final and curves.final[k].shape[1:] == (1,)}
    sums = {k: sim.observed[k][:, 0] for k in SUMS if k in sim.observed}
    return {"regret": curves["regret"], "gaps": curves["gap_regret"], **kept, **sums}


@dataclass
class Runs:
    """Results in a folder.

    Attributes:
        folder: of the results, made if missing. replicates: of every cell, in place of its own number. tell: called
            with a line for each cell that is run. target: of the simulations. stored: run nothing; take what the folder
            has, whether or not its code has changed since, and list the others in `missing`. missing: learner -> cells
            that it would have. refused: key of a cell -> why.
    """

    folder: Path
    replicates: int | None = None
    tell: Callable[[str], None] = lambda line: None
    target: str = "cpu"
    stored: bool = False
    missing: dict[str, list[str]] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)

    def _file(self, key: str) -> Path:
        return self.folder / "cells" / (hashlib.sha256(key.encode()).hexdigest()[:24] + ".json")

    def _read(self, key: str) -> dict[str, Any]:
        file = self._file(key)
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            kept: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        except (OSError, ValueError) as reason:
            raise InputError(f"'{file}' cannot be used ({reason}); name another folder with --out") from None
        return kept

    def _write(self, key: str, kept: dict[str, Any]) -> None:
        write_atomic(self._file(key), (json.dumps({"key": key, **kept}, sort_keys=True) + "\n").encode())

    def get(self, cell: Cell) -> Found | None:
        """The result of a cell, run as far as it is not stored; None where it is missing or refused."""
        wanted = self.replicates or cell.replicates
        if self.stored:
            kept = self._read(cell.key)
            if not kept:
                self._absent(f"{cell.learner} (not run)", cell.key)
                return None
            return self._found(cell, kept, min(len(kept["rows"]["regret"]), wanted), wanted)
        try:
            find_learner(cell.learner, "average")
        except InputError:
            self._absent(f"{cell.learner} (not registered)", cell.key)
            return None
        try:
            digest = simulation(cell, target=self.target).digest()
        except InputError as reason:
            self.refused[cell.key] = str(reason)
            return None
        kept = self._read(cell.key)
        if kept.get("digest") != digest:
            kept = {"digest": digest, "rows": {}, "stopped": {}, "seconds": 0.0}
        have = len(kept["rows"].get("regret", []))
        before, started = kept["seconds"], have
        while have < wanted and (spent := kept["seconds"] - before) < cell.limit:
            # the first block says how many more fit
            fit = TRIAL if have == started else int((cell.limit - spent) * (have - started) / max(spent, 1e-9))
            count = max(1, min(BLOCK, fit, wanted - have))
            self._block(cell, kept, have, count)
            have += count
        if have > started:
            self._write(cell.key, kept)
            self.tell(f"{cell.key}: {have - started} replicates, {kept['seconds'] - before:.1f} s")
        return self._found(cell, kept, min(have, wanted), wanted)

    def _absent(self, what: str, key: str) -> None:
        cells = self.missing.setdefault(what, [])
        cells += [key] if key not in cells else []

    def _block(self, cell: Cell, kept: dict[str, Any], first: int, count: int) -> None:
        """Run replicates together, or one by one where one of them ends with an error."""
        began = time.process_time()
        compiling = 0.0
        try:
            sim = simulation(cell, first, count, self.target)
            parts = [_rows(sim)]
            compiling = sim.seconds["compile"]
        except InputError:
            parts = []
            for i in range(first, first + count):
                sim = simulation(cell, i, 1, self.target)
                try:
                    parts.append(_rows(sim))
                except InputError as reason:
                    kept["stopped"][str(i)] = str(reason)
                    parts.append({k: np.full((1, sim.checkpoints.size), np.nan) for k in ("regret", "gaps")})
        for part in parts:
            have, more = len(kept["rows"].get("regret", [])), len(part["regret"])
            for name in {*part, *kept["rows"]}:
                row = kept["rows"].setdefault(name, [math.nan] * have)
                row += part[name].tolist() if name in part else [math.nan] * more
        kept["seconds"] += max(0.0, time.process_time() - began - compiling)

    def _found(self, cell: Cell, kept: dict[str, Any], count: int, asked: int) -> Found:
        rows = {k: np.array(v[:count], dtype=float) for k, v in kept["rows"].items()}
        stopped = {int(i): text for i, text in kept["stopped"].items() if int(i) < count}
        n = geometric(cell.length, POINTS)
        final = {k: v for k, v in rows.items() if k not in ("regret", "gaps")}
        if "plain" in final:
            final["d_end"] = np.maximum(final["plain"], 0.0) ** 2 / final["double"]
        return Found(n, rows["regret"], rows["gaps"], final, stopped, kept["seconds"], asked)

    def compute(self, key: str, version: str, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """What `make` gave (plain data) under this key and version, made where it is not stored."""
        kept = self._read(key)
        if not (self.stored and kept) and kept.get("digest") != version:
            started = time.process_time()
            kept = {"digest": version, "made": make(), "seconds": time.process_time() - started}
            self._write(key, kept)
            self.tell(f"{key}: {kept['seconds']:.1f} s")
        made: dict[str, Any] = kept["made"]
        return made

    def all(self, cells: Sequence[Cell]) -> list[Found | None]:
        """The results of cells, in order."""
        return [self.get(cell) for cell in cells]
