"""`run`: replicates of a learner on a model, in one call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from theorylab.errors import InputError
from theorylab.learner import UNITS, Learner
from theorylab.probe import Monitor, Probe
from theorylab.simulation import Curves, Simulation

__all__ = ["length_of", "resolve_learner", "run"]


def resolve_learner(learner: str | Learner, model: Any) -> Learner:
    """A learner by name or spec, for the model's setting."""
    if isinstance(learner, Learner):
        return learner
    if not isinstance(learner, str):
        raise InputError(f"learner={learner!r} is neither a name nor a Learner")
    from theorylab.registry import find_learner

    found = find_learner(learner, getattr(model, "setting", None))
    assert isinstance(found, Learner)
    return found


def length_of(setting: str, given: Mapping[str, int | None]) -> int:
    """The length of a run from `rounds`, `episodes` or `steps`; the one that fits the setting must be given."""
    unit = UNITS[setting]
    extra = [k for k, v in given.items() if v is not None and k != unit]
    if extra or given[unit] is None:
        got = f"; got {', '.join(extra)}" if extra else ""
        raise InputError(f"a run in the setting '{setting}' takes {unit}=...{got}")
    length = given[unit]
    assert length is not None
    return length


def run(
    learner: str | Learner,
    model: Any,
    *,
    replicates: int = 1,
    rounds: int | None = None,
    episodes: int | None = None,
    steps: int | None = None,
    iterations: int | None = None,
    seed: int = 0,
    params: Mapping[str, Any] | None = None,
    target: str = "cpu",
    first: int = 0,
    checkpoints: Sequence[int] | np.ndarray | None = None,
    probes: Sequence[Probe] = (),
    monitor: Monitor | None = None,
    tables: Mapping[str, Any] | None = None,
    exact: bool = True,
    threads: int | None = None,
) -> Curves:
    """Run replicates of a learner on a model.

    Args:
        learner: a name (`"ucb-h"`) or a `Learner`.
        model: a `Bandit` (give `rounds`), a `TabularMDP` with `FiniteHorizon(H)` (give `episodes`) or with
            `AverageReward()` (give `steps`), or a game (give `iterations`).
        replicates: R, run at addresses `first .. first + R - 1` of the study seed.
        params: learner parameters by name. target: "cpu", "python" or "cuda".
        checkpoints: increasing counts at which curves are recorded (default: geometric, at most 200).
        exact: in episodic settings, evaluate each episode's policy exactly (quantity "regret"); without it only
            the cheaper "gap_regret", which has the same conditional mean, is recorded.

    Returns:
        `Curves`: `["regret"]`, `["gap_regret"]`, `["reward"]` of shape (R, checkpoints), in reward units; of a solver
        of games `["exploitability"]`, `["value"]`, `["value_1"]`, and `final["policy"]` (R,I,A).

    Raises:
        InputError: for an unknown learner or parameter, a setting that does not fit, sizes below 1.

    The same seed gives the same bits whatever the number of replicates, threads, stops or the target.
    """
    spec = resolve_learner(learner, model)
    simulation = Simulation(
        spec,
        model,
        replicates=replicates,
        length=length_of(
            spec.setting, {"rounds": rounds, "episodes": episodes, "steps": steps, "iterations": iterations}
        ),
        seed=seed,
        params=params,
        target=target,
        first=first,
        checkpoints=checkpoints,
        probes=probes,
        monitor=monitor,
        tables=tables,
        exact=exact,
        threads=threads,
    )
    return simulation.advance().curves()
