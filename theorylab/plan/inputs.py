"""What planners take: models that have a tabular embedding, and policies as arrays, checked by name."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from theorylab.errors import InputError
from theorylab.model import AVERAGE_REWARD, AverageReward, FiniteHorizon, TabularMDP
from theorylab.validate import SUM_TOLERANCE

__all__ = ["as_stationary", "as_tabular", "checked_policy", "to_numpy"]


def as_tabular(model: Any) -> TabularMDP:
    """The model, or its exact tabular embedding (`LinearMDP`, `LinearMixtureMDP`, `ContextualBandit`).

    Raises:
        InputError: anything else.
    """
    if hasattr(model, "tabular"):
        model = model.tabular()
    if not isinstance(model, TabularMDP):
        raise InputError(f"cannot plan on a {type(model).__name__}; give a TabularMDP (for a bandit, see its .gaps)")
    return model


def as_stationary(model: Any) -> TabularMDP:
    """The model with average reward, whatever its criterion."""
    model = as_tabular(model)
    if model.stage_dependent:
        raise InputError(f"needs stationary transitions; P has shape {model.P.shape}: give P of shape (S, A, S)")
    tabular: TabularMDP = (
        model if isinstance(model.criterion, AverageReward) else replace(model, criterion=AVERAGE_REWARD)
    )
    return tabular


def checked_policy(model: TabularMDP, pi: ArrayLike) -> NDArray[Any]:
    """`pi` validated, with a stage axis if the horizon is finite: int (H,S) / (S,), or float (H,S,A) / (S,A)."""
    S, A = model.S, model.A
    try:
        array = np.array(pi)
    except ValueError as error:
        raise InputError(f"pi is not a rectangular array ({error})") from None
    deterministic = array.dtype.kind in "iu"
    if not deterministic and array.dtype.kind != "f":
        raise InputError(f"pi has dtype {array.dtype}; give integers (actions) or floats (probabilities)")
    shapes = [(S,)] if deterministic else [(S, A)]
    if isinstance(model.criterion, FiniteHorizon):
        shapes += [(model.H, *shapes[0])]
    if array.shape not in shapes:
        kind = "actions (integers)" if deterministic else "probabilities (floats)"
        raise InputError(f"pi of {kind} has shape {array.shape}; expected {' or '.join(map(str, shapes))}")
    bad = (array < 0) | (array >= A) if deterministic else ~(np.isfinite(array) & (array >= 0))
    if bad.any():
        i = tuple(int(k) for k in np.unravel_index(int(np.argmax(bad)), bad.shape))
        what = f"actions are 0..{A - 1}" if deterministic else "probabilities must be finite and >= 0"
        raise InputError(f"pi[{','.join(map(str, i))}] is {array[i].item()}; {what}: fix that entry")
    if not deterministic:
        sums = array.sum(axis=-1)
        off = np.abs(sums - 1) > SUM_TOLERANCE
        if off.any():
            i = tuple(int(k) for k in np.unravel_index(int(np.argmax(off)), off.shape))
            raise InputError(
                f"pi[{','.join(map(str, i))},:] sums to {sums[i].item()!r}; rows must sum to 1 within "
                f"{SUM_TOLERANCE:g}: fix that row"
            )
    array = array.astype(np.int64 if deterministic else np.float64)
    if isinstance(model.criterion, FiniteHorizon) and array.shape == shapes[0]:
        array = np.repeat(array[None], model.H, axis=0)
    return array


def to_numpy(x: Any) -> Any:
    """A NumPy array of the same dtype and entries."""
    # CuPy refuses an implicit transfer; its arrays have .get()
    return np.asarray(x.get() if hasattr(x, "get") else x)
