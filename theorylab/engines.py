"""Engines: who runs the blocks of a study. Results are the same bits on each, since blocks are independent.

    local     blocks one after the other in this process; the replicates of a block are spread over threads
    worker    the blocks i, i + n, i + 2n, ... of a job array: any scheduler, a shared folder, no server

Each worker reads and writes the one store; finished blocks are skipped and lost ones run again. When all workers
are done, `execute` finds every block stored and writes summary and manifest.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from theorylab.errors import InputError, nearest
from theorylab.store import Shard, Store
from theorylab.study import Cell, Progress, Study, open_folder

__all__ = ["engine_of", "local", "processes_of", "worker"]

Runner = Callable[..., Iterator[tuple[Cell, list[Shard]]]]


def local(
    study: Study, store: Store, *, reuse: bool = True, progress: Progress | None = None, threads: int | None = None
) -> Iterator[tuple[Cell, list[Shard]]]:
    """Each cell with the shards of all its blocks, in the study's order; a block is stored before the next begins."""
    cells, blocks = study.cells(), study.blocks()
    done = 0
    for cell in cells:
        make = study.maker(cell, threads)
        parts = []
        for first, count in blocks:
            parts.append(store.run(make, first, count, reuse=reuse))
            done += 1
            if progress is not None:
                progress(done, len(cells) * len(blocks), name_of(cell, first, count))
        yield cell, parts


def worker(
    study: Study,
    out: str | os.PathLike[str],
    index: int,
    count: int,
    *,
    progress: Progress | None = None,
    threads: int | None = None,
) -> int:
    """Run and store the blocks whose number is `index` modulo `count`; returns how many were computed just now.

    Blocks are numbered through all cells, from 0. Raises `InputError` unless 0 <= index < count, and as `execute`.
    """
    for name, value, low, high in (("count", count, 1, None), ("index", index, 0, count)):
        if isinstance(value, bool) or not isinstance(value, int) or value < low or (high is not None and value >= high):
            bounds = f"in 0..{high - 1}" if high is not None else f">= {low}"
            raise InputError(f"worker: {name} is {value!r}; give an integer {bounds}")
    study.check()
    store = open_folder(study, out)
    blocks = study.blocks()
    mine = [(cell, block) for cell in study.cells() for block in blocks][index::count]
    fresh, maker, last = 0, None, -1
    for done, (cell, (first, replicates)) in enumerate(mine, 1):
        if maker is None or cell.index != last:
            maker, last = study.maker(cell, threads), cell.index
        fresh += store.run(maker, first, replicates).fresh
        if progress is not None:
            progress(done, len(mine), name_of(cell, first, replicates))
    return fresh


def name_of(cell: Cell, first: int, count: int) -> str:
    """What a block is, for progress lines."""
    return f"{cell.learner} on {cell.model}, length {cell.length}, replicates {first}..{first + count - 1}"


def processes_of(
    function: Callable[..., Any], jobs: Sequence[tuple[Any, ...]], processes: int
) -> Iterator[tuple[int, Any]]:
    """Number and result of each job `function(*job)`, in order of completion; the first error ends the rest.

    The processes are started afresh (spawned): a function and its arguments must be importable and picklable.
    """
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor, as_completed

    with ProcessPoolExecutor(min(processes, len(jobs)), mp_context=multiprocessing.get_context("spawn")) as pool:
        waiting = {pool.submit(function, *job): at for at, job in enumerate(jobs)}
        try:
            for future in as_completed(waiting):
                yield waiting[future], future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


ENGINES: dict[str, Runner] = {"local": local}


def engine_of(name: str) -> Runner:
    """The engine called `name`; `InputError` for one that is unknown or not available yet."""
    if name == "dask":
        raise InputError(
            "engine 'dask' is not available yet: it will come with the extra theorylab[dask]; use engine 'local', or "
            "spread the blocks over a cluster with `worker` and a job array"
        )
    if name not in ENGINES:
        raise InputError(f"unknown engine '{name}'{nearest(name, ENGINES)}")
    return ENGINES[name]
