"""Agents as users write them: plain classes, faithful and with one wrong line."""

from __future__ import annotations

import math
from typing import Any

import numpy as np


class UCBH:
    """UCB-H as a foreign class: a port of the paper's pseudo-code that knows nothing of the package."""

    greedy = True

    def __init__(
        self, S: int, A: int, horizon: int, seed: int, K: int = 40, c: float = 2.0, delta: float = 0.1
    ) -> None:
        self.H, self.delta, self.c = horizon, delta, c
        self.iota = math.log(S * A * K * horizon / delta)
        self.Q = np.full((horizon, S, A), float(horizon))
        self.V = np.full((horizon + 1, S), float(horizon))
        self.V[horizon] = 0.0
        self.counts = np.zeros((horizon, S, A), dtype=int)

    def act(self, state: int, stage: int) -> int:
        return int(self.Q[stage, state].argmax())

    def bonus_of(self, n: int) -> float:
        return self.c * math.sqrt(self.H**3 * self.iota / n)

    def count(self, h: int, s: int, a: int, s2: int) -> int:
        self.counts[h, s, a] += 1
        return int(self.counts[h, s, a])

    def clip(self, v: float) -> float:
        return min(float(self.H), v)

    def observe(self, state: int, action: int, reward: float, next_state: int, done: bool) -> None:
        h = self.stage_of(done)
        n = self.count(h, state, action, next_state)
        rate = (self.H + 1) / (self.H + n)
        target = reward + self.V[h + 1, next_state] + self.bonus_of(n)
        self.Q[h, state, action] = (1 - rate) * self.Q[h, state, action] + rate * target
        self.V[h, state] = self.clip(self.Q[h, state].max())

    def begin_episode(self) -> None:
        self.h = -1

    def stage_of(self, done: bool) -> int:
        self.h += 1
        return self.h


class SmallBonus(UCBH):
    def bonus_of(self, n: int) -> float:
        return 0.0


class LostLoops(UCBH):
    def count(self, h: int, s: int, a: int, s2: int) -> int:
        if s2 != s or self.counts[h, s, a] == 0:
            self.counts[h, s, a] += 1
        return int(self.counts[h, s, a])


class NoClip(UCBH):
    def clip(self, v: float) -> float:
        return v


class Shrinking(UCBH):
    def begin_episode(self) -> None:
        super().begin_episode()
        self.counts //= 2


class NotFinite(UCBH):
    def bonus_of(self, n: int) -> float:
        return float("nan") if n > 3 else super().bonus_of(n)


class Worst(UCBH):
    def act(self, state: int, stage: int) -> int:
        return int(self.Q[stage, state].argmin())


class Stale(UCBH):
    def clip(self, v: float) -> float:
        return float(self.H)


class Wild(UCBH):
    def act(self, state: int, stage: int) -> Any:
        return 2 if self.counts.sum() > 12 else super().act(state, stage)


class Fraction(UCBH):
    def act(self, state: int, stage: int) -> Any:
        return 0.5


class Global(UCBH):
    """Ties by the system's own generator: not reproducible."""

    generator = np.random.default_rng()

    def act(self, state: int, stage: int) -> int:
        return int(self.generator.integers(2))

    greedy = False


class Fixed(UCBH):
    """Says that it is randomised, and is not."""

    randomised = True


class Raises(UCBH):
    def observe(self, state: int, action: int, reward: float, next_state: int, done: bool) -> None:
        if self.counts.sum() == 0 and done:
            raise ZeroDivisionError("a division in observe")
        super().begin_episode()


class Shapes(UCBH):
    def act(self, state: int, stage: int) -> int:
        self.Q = np.zeros((3, 3))
        return 0


class Told:
    """Is told the mean rewards, and writes into them."""

    knows = ("r",)

    def __init__(self, S: int, A: int, horizon: int | None, seed: int, r: np.ndarray, write: bool = False) -> None:
        self.r, self.write = r, write

    def act(self, state: int, stage: int) -> int:
        return int(self.r[state].argmax())

    def observe(self, state: int, action: int, reward: float, next_state: int, done: bool) -> None:
        if self.write:
            self.r[state, action] = 0.0


class Driver:
    """Drives the loop itself."""

    def __init__(self, S: int, A: int, horizon: int | None, seed: int, short: int = 0, endless: bool = False) -> None:
        self.short, self.endless = short, endless
        self.counts = np.zeros((S, A))

    def train(self, env: Any, length: int) -> None:
        assert env.observation_space.n == self.counts.shape[0] and env.action_space.n == self.counts.shape[1]
        played = 0
        while self.endless or played < length - self.short:
            state, _ = env.reset()
            truncated = False
            while not truncated:
                action = int(self.counts[state].argmin())
                state2, _, terminated, truncated, _ = env.step(action)
                assert not terminated
                self.counts[state, action] += 1
                state = state2
            played += 1


class Model:
    """Estimates the model, with radii; `wrong` plants a fault. Average reward and episodes."""

    minimises_regret = False

    def __init__(
        self, S: int, A: int, horizon: int | None, seed: int, wrong: str = "", level: float = 0.1, say: bool = True
    ) -> None:
        self.delta, self.level, self.wrong, self.S = level if say else None, level, wrong, S
        self.transitions = np.zeros((S, A, S), dtype=int)
        self.reward_sums = np.zeros((S, A))
        self.rng = np.random.default_rng(seed)

    @property
    def counts(self) -> np.ndarray:
        return self.transitions.sum(axis=2)

    @property
    def p_hat(self) -> np.ndarray:
        n = np.maximum(1, self.counts)[:, :, None] + (1 if self.wrong == "n + 1" else 0)
        return np.asarray(self.transitions / n)

    @property
    def r_hat(self) -> np.ndarray:
        return np.asarray(self.reward_sums / np.maximum(1, self.counts))

    @property
    def radius_p(self) -> np.ndarray:
        if self.wrong == "radius":
            return np.asarray(0.1 / np.sqrt(np.maximum(1, self.counts)))
        return np.asarray(np.sqrt(14.0 * self.S * math.log(1e3 / self.level) / np.maximum(1, self.counts)))

    @property
    def radius_r(self) -> np.ndarray:
        if self.wrong == "radius_r":
            return np.asarray(0.05 / np.sqrt(np.maximum(1, self.counts)))
        return np.asarray(np.sqrt(3.5 * math.log(1e3 / self.level) / np.maximum(1, self.counts)))

    def act(self, state: int, stage: int) -> int:
        return int(self.rng.integers(2))

    def observe(self, state: int, action: int, reward: float, next_state: int, done: bool) -> None:
        to = (next_state + 1) % self.S if self.wrong == "other state" else next_state
        self.transitions[state, action, to] += 1
        self.reward_sums[state, action] += 2.0 * reward if self.wrong == "rewards" else reward


class Index:
    """UCB1; `stuck` plays arm 1 after its first round."""

    def __init__(self, S: int, A: int, horizon: None, seed: int, stuck: bool = False) -> None:
        self.counts, self.reward_sums, self.t, self.stuck = np.zeros(A, dtype=int), np.zeros(A), 0, stuck

    def act(self, state: int, stage: int) -> int:
        self.Q = None
        if self.t < len(self.counts):
            return self.t
        if self.stuck:
            return 1
        self.Q = self.reward_sums / self.counts + np.sqrt(2.0 * math.log(self.t) / self.counts)
        return int(self.Q.argmax())

    def observe(self, state: int, action: int, reward: float, next_state: int, done: bool) -> None:
        self.t += 1
        self.counts[action] += 1
        self.reward_sums[action] += reward


class Mute:
    """Has no act."""

    def __init__(self, *arguments: Any) -> None: ...
