"""Episodic models as continuing ones: what has ended begins again, so that one trajectory goes on for ever.

A state absorbs if every action in it leads back to it with probability 1 (holes and goals of FrozenLake, the end of a
Taxi ride). With restarts every action in such a state z leads to the start law, P[z,a,s2] = mu0[s2], and earns 0: a
restart costs one step. No other row changes. The states that no start leads to are dropped. Every state can be reached
from an absorbing one then, hence the model communicates if and only if every state can reach an absorbing one
[derived]. This is the usual way to run learners without resets, such as collectors of samples, on episodic problems;
diameter and gain are those of the model with restarts, not of the environment.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mdps.models._gymnasium import from_gymnasium
from mdps.models._rows import assemble
from theorylab.assume import reachability
from theorylab.errors import InputError
from theorylab.model import AVERAGE_REWARD, Criterion, FiniteHorizon, TabularMDP
from theorylab.parameters import flag
from theorylab.plan.structure import distances

__all__ = ["restartable_states", "with_restarts"]

Ints = NDArray[np.int64]


def restartable_states(model: TabularMDP) -> Ints:
    """The states that can be reached from mu0, int64 (n,), ascending: state i of `with_restarts(model)` is entry i.

    Raises:
        InputError: not a TabularMDP, or transitions that depend on the stage.
    """
    if not isinstance(model, TabularMDP):
        raise InputError(f"with_restarts: got {type(model).__name__}; give a TabularMDP")
    if model.stage_dependent:
        raise InputError(
            f"with_restarts: the transitions depend on the stage, P has shape {model.P.shape}; give P (S, A, S)"
        )
    return np.flatnonzero(distances(reachability(model).T, np.flatnonzero(model.mu0)) >= 0)


def with_restarts(model: TabularMDP, criterion: Criterion = AVERAGE_REWARD) -> TabularMDP:
    """The communicating model in which every absorbing state leads to the start (see the module docstring).

    States that cannot be reached from mu0 are dropped, the others keep their order: state i is the given model's state
    `restartable_states(model)[i]`, with its actions, rewards and reward law. P is stored as it was, dense or CSR.

    Args:
        criterion: of the result, by default AverageReward(); the given model's does not matter.

    Returns:
        A model of n <= S states, called as the given one with "-restarts".

    Raises:
        InputError: no absorbing state can be reached from mu0; a state that cannot reach one (named, with the absorbing
            state), so that the result would not communicate; an absorbing state that earns something, which a restart
            would drop, or that is a start; whatever `restartable_states` raises. Names are the given model's.
    """
    kept = restartable_states(model)
    A, rows = model.A, model.rows()
    absorbs = (rows.succ.reshape(model.S, -1) == np.arange(model.S)[:, None]).all(axis=1)
    ends = kept[absorbs[kept]]
    if not ends.size:
        raise InputError(
            "with_restarts: no absorbing state can be reached from mu0, so that nothing ends; use the model as it is, "
            "dataclasses.replace(model, criterion=...), or make the states where an episode ends absorbing"
        )
    for z in ends.tolist():
        if model.mu0[z] > 0:
            raise InputError(
                f"with_restarts: mu0[{z}] is {float(model.mu0[z])!r}, and state {z} is absorbing: an episode cannot "
                "start where it ends; give another mu0"
            )
        if model.r[z].any():
            a = int(np.flatnonzero(model.r[z])[0])
            raise InputError(
                f"with_restarts: r[{z},{a}] is {float(model.r[z, a])!r}, and state {z} is absorbing: a restart earns "
                "nothing; make the reward 0 (rescale the rewards, if at all, of the model with restarts)"
            )
    layer = distances(reachability(model), ends)[kept]
    if (layer < 0).any():
        raise InputError(
            f"with_restarts: state {kept[np.argmin(layer)]} cannot reach state {ends[0]}, nor another absorbing state, "
            "under any policy, so that the result would not communicate; make such states absorbing, or remove them"
        )

    group, column = np.nonzero(rows.prob)
    going = np.isin(group // A, kept[~absorbs[kept]])
    group, column = group[going], column[going]
    starts = np.flatnonzero(model.mu0)
    left = (ends[:, None] * A + np.arange(A)).ravel()
    new = np.full(model.S, -1)
    new[kept] = np.arange(kept.size)
    row = np.concatenate([group, np.repeat(left, starts.size)])
    col = np.concatenate([rows.succ[group, column], np.tile(starts, left.size)])
    p = np.concatenate([rows.prob[group, column], np.tile(model.mu0[starts], left.size)])
    return TabularMDP(
        P=assemble("with_restarts", kept.size, A, new[row // A] * A + row % A, new[col], p, model.sparse),
        r=model.r[kept],
        mu0=model.mu0[kept],
        criterion=criterion,
        reward_law=model.reward_law,
        name=f"{model.name}-restarts",
    )


def from_episodes(
    family: str, make: Callable[[], Any], H: int | None, usual: int, criterion: Criterion | None, restarts: bool
) -> TabularMDP:
    """What a family makes of an environment: episodes of H (or the usual number of) stages, or restarts without H."""
    if not flag(family, "restarts", restarts):
        stages = FiniteHorizon(usual if H is None else H)
        return from_gymnasium(make(), criterion=stages if criterion is None else criterion)
    if H is not None:
        raise InputError(
            f"{family}: H is {H!r} with restarts: an episode ends in an absorbing state only, and the next one begins; "
            "give H or restarts=True, not both"
        )
    model = from_gymnasium(make(), criterion=AVERAGE_REWARD)
    return with_restarts(model, AVERAGE_REWARD if criterion is None else criterion)
