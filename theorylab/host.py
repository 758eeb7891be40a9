"""Plans made by the host: array programs over replicates, and calls of a solver, between stretches of the loop.

A loop built with HOST leaves each replicate where its plan is due, with the epoch flag 1 and its own clock. `plan`
computes these plans and sets the flag to 2; the loop then goes on from there. What a replicate does is a function of
its own state alone, so the bits do not depend on which other replicates are planned at the same time.
"""

from __future__ import annotations

import hashlib
import inspect
import sys
import time
from functools import cache
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from theorylab.errors import InputError
from theorylab.learner import UNITS, Learner

if TYPE_CHECKING:
    from theorylab.simulation import Simulation

__all__ = ["digest", "plan", "plan_alone"]

#: replicates of one call of `plan_batch`: what bounds its memory
BLOCK = 64
DUE, PLANNED = 1, 2


def plan(simulation: Simulation, to: int) -> bool:
    """Plan every replicate that waits before `to`; false where none does.

    Raises `InputError` where a plan fails, naming learner, replicate and time.
    """
    cur, learner = simulation.observed["cur"], simulation.learner
    waiting = np.flatnonzero((cur[:, 1] == DUE) & (cur[:, 3] < to))
    started = time.perf_counter()
    p = SimpleNamespace(**simulation.params)
    if learner.plan_one is not None:
        for row in waiting.tolist():
            _one(simulation, row, p)
    else:
        for i in range(0, waiting.size, BLOCK):
            _batch(simulation, waiting[i : i + BLOCK], p)
    cur[waiting, 1] = PLANNED
    simulation.seconds["plan"] += time.perf_counter() - started
    return bool(waiting.size)


def _now(simulation: Simulation, rows: Any) -> tuple[Any, ...]:
    """Clock, and in the average setting the state, of one replicate or of several."""
    cur = simulation.observed["cur"][rows]
    return (cur[..., 3],) if simulation.learner.setting == "episodic" else (cur[..., 3], cur[..., 0])


def _refused(simulation: Simulation, rows: str, when: Any, reason: InputError) -> InputError:
    unit = UNITS[simulation.learner.setting][:-1]
    return InputError(f"learner '{simulation.learner.name}', {rows}, {unit} {when}: {reason}")


def _one(simulation: Simulation, i: int, p: SimpleNamespace) -> None:
    call = simulation.learner.plan_one
    assert call is not None
    now = tuple(int(x) for x in _now(simulation, i))
    try:
        call(SimpleNamespace(**{k: v[i] for k, v in simulation.state.items()}), p, *now)
    except InputError as reason:
        raise _refused(simulation, f"replicate {simulation.first + i}", now[0], reason) from None


def _batch(simulation: Simulation, rows: np.ndarray, p: SimpleNamespace) -> None:
    call = simulation.learner.plan_batch
    assert call is not None
    xp, back = _arrays(simulation.target)
    here = {k: xp.asarray(v[rows]) for k, v in simulation.state.items()}
    now = _now(simulation, rows)
    try:
        call(SimpleNamespace(**here), p, *(xp.asarray(x) for x in now), xp)
    except InputError as reason:
        who = f"replicates {simulation.first + int(rows[0])}..{simulation.first + int(rows[-1])}"
        raise _refused(simulation, who, now[0].tolist()[:8], reason) from None
    for k, v in here.items():
        simulation.state[k][rows] = back(v)


def plan_alone(learner: Learner, st: Any, p: Any, *now: int) -> None:
    """The host plan of one replicate, whose state `st` has no axis of replicates; its arrays are written in place."""
    if learner.plan_one is not None:
        learner.plan_one(st, p, *now)
        return
    assert learner.plan_batch is not None
    rows = SimpleNamespace(**{k: getattr(st, k)[None].copy() for k in learner.state})
    learner.plan_batch(rows, p, *(np.array([x]) for x in now), np)
    for k in learner.state:
        getattr(st, k)[...] = getattr(rows, k)[0]


def _arrays(target: str) -> tuple[Any, Any]:
    """Array namespace of a target, and how an array of it comes back to the host."""
    from theorylab.device import simulated

    if target != "cuda" or simulated():
        return np, np.asarray
    import cupy  # type: ignore[import-not-found,unused-ignore]

    return cupy, cupy.asnumpy


@cache
def digest(learner: Learner) -> str:
    """sha256 of the sources that a host plan runs: its module, and those of its package that this one uses, in turn."""
    call = learner.plan_one or learner.plan_batch
    assert call is not None
    top = call.__module__.split(".")[0]
    found: dict[str, str] = {}
    stack = [call.__module__]
    while stack:
        name = stack.pop()
        if name in found or name not in sys.modules:
            continue
        module = sys.modules[name]
        found[name] = inspect.getsource(module)
        for value in vars(module).values():
            owner = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
            if isinstance(owner, str) and owner.split(".")[0] == top:
                stack.append(owner)
    return hashlib.sha256("".join(found[k] for k in sorted(found)).encode()).hexdigest()
