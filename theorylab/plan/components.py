"""Average reward within an end component: a communicating model of its own (see `structure.end_components`)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from theorylab.model import TabularMDP
from theorylab.plan.average_reward import average_reward

__all__ = ["component_gain"]

Ints = NDArray[np.int64]


def component_gain(model: TabularMDP, members: Ints, allowed: NDArray[np.bool_]) -> tuple[float, float, Ints]:
    """Optimal gain among the policies that stay in a component, its certified error, and a policy, int64 (n,).

    members (n,): the states; allowed bool (n,A): the actions that stay. Others give way to the first allowed one.
    """
    n, A = allowed.shape
    if n == 1:
        action = int(np.argmax(np.where(allowed[0], model.r[members[0]], -np.inf)))
        return float(model.r[members[0], action]), 0.0, np.array([action])
    actions = np.where(allowed, np.arange(A), np.argmax(allowed, axis=1)[:, None])
    rows = (members[:, None] * A + actions).ravel()
    flat = model.flat
    inner = flat[rows][:, members]
    part = TabularMDP(
        P=inner if model.sparse else inner.reshape(n, A, n),
        r=model.r.ravel()[rows].reshape(n, A),
        reward_law=model.reward_law,
    )
    result = average_reward(part)
    assert result.gain is not None
    return result.gain, result.certified_error, np.take_along_axis(actions, result.pi[:, None], axis=1)[:, 0]
