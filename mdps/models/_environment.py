"""A tabular model as a Gymnasium environment; loaded by `to_gymnasium`, as it needs gymnasium."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from theorylab.model import FiniteHorizon, ShortestPath, TabularMDP

__all__ = ["TabularEnv"]


class TabularEnv(gymnasium.Env[Any, Any]):
    """Steps through `model`; see `to_gymnasium` for the meaning of terminated, truncated and info."""

    metadata: dict[str, Any] = {"render_modes": []}  # noqa: RUF012  # Gymnasium's own class attribute
    render_mode = None

    def __init__(self, model: TabularMDP) -> None:
        self.model = model
        self.observation_space = spaces.Discrete(model.S)
        self.action_space = spaces.Discrete(model.A)
        self.initial_state_distrib: NDArray[np.float64] = model.mu0
        self._goal = model.criterion.goal if isinstance(model.criterion, ShortestPath) else -1
        self._H = model.criterion.H if isinstance(model.criterion, FiniteHorizon) else 0
        rows = model.rows()
        self._succ, self._sums = rows.succ, np.cumsum(rows.prob, axis=1)
        self._start, self._start_sums = np.flatnonzero(model.mu0), np.cumsum(model.mu0[model.mu0 > 0])
        self._state, self._stage = -1, 0  # -1: no episode is running

    @cached_property
    def P(self) -> dict[int, dict[int, list[tuple[float, int, float, bool]]]]:
        """P[s][a]: (probability, next state, mean reward, terminated), as in Gymnasium's toy-text environments.

        Raises:
            AttributeError: transitions that depend on the stage have no such table.
        """
        if self.model.stage_dependent:
            raise AttributeError("the transitions depend on the stage: there is no table P[s][a]")
        succ, prob = self.model.rows()
        r, A = self.model.r, self.model.A
        return {
            s: {
                a: [
                    (float(p), int(s2), float(r[s, a]), int(s2) == self._goal)
                    for p, s2 in zip(prob[s * A + a], succ[s * A + a], strict=True)
                    if p > 0
                ]
                for a in range(A)
            }
            for s in range(self.model.S)
        }

    def _index(self, sums: NDArray[np.float64]) -> int:
        """An index drawn from the law with cumulative sums `sums`."""
        # the sum may be off 1 by rounding; the last index is one of positive probability
        return min(int(np.searchsorted(sums, self.np_random.random() * sums[-1], side="right")), sums.size - 1)

    def _reward(self, mean: float) -> float:
        law = self.model.reward_law
        if law.kind == "bernoulli":
            return float(self.np_random.random() < mean)
        return mean + law.sd * float(self.np_random.standard_normal()) if law.kind == "gaussian" else mean

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        """The first state of an episode, drawn from mu0, and {"stage": 0}."""
        super().reset(seed=seed)
        self._state, self._stage = int(self._start[self._index(self._start_sums)]), 0
        return self._state, {"stage": 0}

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        """Next state, reward, terminated, truncated and {"stage": steps taken}."""
        if self._state < 0:
            raise gymnasium.error.ResetNeeded("no episode is running; call reset()")
        if not self.action_space.contains(action):
            raise gymnasium.error.InvalidAction(f"action {action!r} is not in 0..{self.model.A - 1}")
        S, A = self.model.S, self.model.A
        block = self._stage * S if self.model.stage_dependent else 0
        row = (block + self._state) * A + int(action)
        reward = self._reward(float(self.model.r[self._state, action]))
        state = int(self._succ[row, self._index(self._sums[row])])
        self._stage += 1
        terminated, truncated = state == self._goal, self._stage == self._H
        self._state = -1 if terminated or truncated else state
        return state, reward, terminated, truncated, {"stage": self._stage}
