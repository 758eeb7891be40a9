"""`AuditEnv`: the world of an audit in the form of a Gymnasium environment, for agents that drive the loop themselves.

This module imports nothing outside the standard library unless Gymnasium is there: it runs in the agent's interpreter.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["AuditEnv", "Discrete"]


class Discrete:
    """A space 0..n-1, for agents that ask for one where Gymnasium is not installed."""

    def __init__(self, n: int) -> None:
        self.n = n

    def contains(self, x: Any) -> bool:
        """Whether x is one of 0..n-1."""
        return 0 <= int(x) < self.n


def _space() -> Any:
    try:
        from gymnasium import spaces
    except ImportError:
        return Discrete
    return spaces.Discrete


class AuditEnv:
    """An environment with `reset` and `step` as in Gymnasium, over anything that can reset and step a world.

    `step` gives (state, reward, terminated, truncated, info); an episode is truncated after H steps, and outside
    episodes nothing ends. Nothing of the model can be read from it but the sizes, the horizon and the range of the
    rewards.
    """

    metadata: dict[str, Any] = {}  # noqa: RUF012  as in gymnasium
    render_mode = None
    spec = None

    def __init__(
        self, S: int, A: int, horizon: int | None, reset: Callable[[], int], step: Callable[[Any], Any]
    ) -> None:
        space = _space()
        self.observation_space, self.action_space = space(S), space(A)
        self.horizon, self._reset, self._step = horizon, reset, step

    @property
    def unwrapped(self) -> AuditEnv:
        """Itself."""
        return self

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[int, dict[str, Any]]:
        """The first state of an episode; the seed is not used, as outcomes have addresses."""
        return self._reset(), {}

    def step(self, action: Any) -> tuple[int, float, bool, bool, dict[str, Any]]:
        """Play an action."""
        state, reward, done = self._step(action)
        return state, reward, False, done, {}

    def close(self) -> None:
        """Nothing to close."""
