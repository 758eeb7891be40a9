"""Runs the cells of the study of sample collection and keeps what they gave in one file, so that a second call goes on.

A cell's replicates are addressed, so that more of them continue the ones there are. A result whose learner, model or
seed has changed since (the digest of its simulation) is run again.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mdps.collection.errors import model_errors
from proofs_check._collection_cells import Cell, model_of, requirement_of
from theorylab.errors import InputError
from theorylab.registry import find_learner
from theorylab.simulation import Simulation
from theorylab.store import write_atomic

__all__ = ["Found", "Runs", "available", "measure", "simulation"]

FIRST = 1024  # steps before it is looked up for the first time whether all replicates are complete


@dataclass(frozen=True)
class Found:
    """What a cell gave.

    Attributes:
        values: completion times in steps (R,), -1 where the run was cut; or errors (R, number of `at`, 2), average and
            worst over pairs. seconds: CPU time, compilation left out.
    """

    values: np.ndarray
    seconds: float

    @property
    def unfinished(self) -> int:
        """Replicates that were cut."""
        return int((self.values < 0).sum())

    def mean(self) -> np.ndarray | float:
        """Over replicates; infinite where one was cut."""
        return float("inf") if self.unfinished else self.values.mean(axis=0)

    def se(self) -> np.ndarray | float:
        """Standard error of the mean; NaN where a replicate was cut or there is one alone."""
        r = self.values.shape[0]
        if self.unfinished or r < 2:
            return float("nan")
        out: np.ndarray = self.values.std(axis=0, ddof=1) / np.sqrt(r)
        return out


def available(cell: Cell) -> bool:
    """Whether the cell's learner exists."""
    try:
        find_learner(cell.learner, "average")
    except InputError:
        return False
    return True


def simulation(cell: Cell, *, first: int = 0, replicates: int | None = None, target: str = "cpu") -> Simulation:
    """The simulation of a cell's replicates."""
    asked = {"b": requirement_of(cell.model).tolist()} if cell.asks else {}
    return Simulation(
        find_learner(cell.learner, "average"),
        model_of(cell.model),
        replicates=cell.replicates if replicates is None else replicates,
        length=cell.length,
        seed=cell.seed,
        params={**cell.params, **asked},
        first=first,
        checkpoints=[cell.length],
        target=target,
        threads=1,
    )


def measure(sim: Simulation, cell: Cell) -> np.ndarray:
    """Completion times (R,), or errors (R, number of `at`, 2)."""
    if cell.at:
        P = model_of(cell.model).dense()
        return np.stack([np.stack(model_errors(sim.advance(n).state["moves"], P), axis=1) for n in cell.at], axis=1)
    to = min(FIRST, cell.length)
    while (sim.advance(to).state["finished"] < 0).any() and to < cell.length:
        to = min(2 * to, cell.length)
    times: np.ndarray = sim.state["finished"][:, 0].copy()
    return times


class Runs:
    """The results in a folder.

    Args:
        folder: made if missing. replicates: of every cell, in place of its own number. tell: called with a line for
            each cell that is run. target: of the simulations.
    """

    def __init__(
        self,
        folder: Path,
        replicates: int | None = None,
        tell: Callable[[str], None] = lambda line: None,
        target: str = "cpu",
    ) -> None:
        self.file, self.replicates, self.tell, self.target = folder / "cells.json", replicates, tell, target
        self.seen: dict[str, dict[str, Any]] = {}
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if self.file.exists():
                self.seen = json.loads(self.file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as reason:
            raise InputError(f"'{self.file}' cannot be used ({reason}); name another folder with --out") from None

    def __getitem__(self, cell: Cell) -> Found:
        """The result of a cell, run as far as it is not stored."""
        wanted = self.replicates or cell.replicates
        kept = self.seen.get(cell.key, {"values": []})
        digest = simulation(cell, replicates=1, target=self.target).digest()
        if kept.get("digest") != digest:
            kept = {"digest": digest, "seed": cell.seed, "seconds": 0.0, "values": []}
        have = len(kept["values"])
        if have < wanted:
            sim = simulation(cell, first=have, replicates=wanted - have, target=self.target)
            started = time.process_time()
            new = measure(sim, cell)
            spent = max(0.0, time.process_time() - started - sim.seconds["compile"])
            kept = {**kept, "values": [*kept["values"], *new.tolist()], "seconds": kept["seconds"] + spent}
            self.seen[cell.key] = kept
            write_atomic(self.file, (json.dumps(self.seen, sort_keys=True, indent=0) + "\n").encode())
            self.tell(f"{cell.key}: {wanted - have} replicates, {spent:.1f} s")
        return Found(np.array(kept["values"][:wanted]), float(kept["seconds"]))
