"""The exact model that an audited agent plays, step by step.

Rewards and next states come from the addresses of the package's runs (`theorylab.rng`: purpose ENVIRONMENT, site the
arm or the cell, visit the environment's own counter), so that a faithful port of a learner plays, bit for bit, the
trajectory of `theorylab.run`. The world counts what happens; the agent is handed numbers only, never its arrays.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from types import SimpleNamespace
from typing import Any

import numpy as np

from theorylab import loops
from theorylab.audit.agent import index_of
from theorylab.errors import InputError
from theorylab.rng import CONTROL, ENVIRONMENT, INITIAL, Rng, draw, key_words
from theorylab.truth import Truth, sizes_at, truth_of

__all__ = ["Moment", "OutOfRange", "Over", "World", "seed_of"]

_draw = draw.build("python")


class Over(BaseException):
    """The length is reached: ends the loop of an agent that drives the environment, past its `except Exception`."""


class OutOfRange(BaseException):
    """An action outside 0..A-1: the replicate cannot go on."""


class Moment:
    """A decision: what was chosen and read, before the outcome is known.

    Attributes:
        t: decisions so far; episode, stage: counts from 0 (both 0 outside episodes, where t counts). state, action.
        read: read-outs by name. world: its counters are those before this step. last: True once, after the end.
    """

    __slots__ = ("action", "episode", "last", "read", "stage", "state", "t", "world")

    def __init__(self, world: World, state: int, action: int, read: dict[str, np.ndarray], last: bool = False) -> None:
        self.world, self.state, self.action, self.read, self.last = world, state, action, read, last
        self.t, self.episode, self.stage = world.t, world.episode, world.stage


def seed_of(study: int, replicate: int, twin: bool = False) -> int:
    """The agent's own seed in a replicate: 32 bits; another one for the twin."""
    k0, k1 = key_words(study)
    return int(_draw(Rng(int(k0), int(k1), replicate), 1 if twin else 0, 0, CONTROL)[0] * 2**32)


class World:
    """One replicate of a model.

    Args:
        model: a bandit, or a tabular MDP with a finite horizon or average reward (a linear one as its embedding).
        length: rounds, episodes or steps. study, replicate: the address space.
        listener: called at every decision with its `Moment`.

    Attributes:
        visits: (A,), (H,S,A) or (S,A); moves: visits by next state; sums: rewards by pair; gaps: (t,) gap regret so
        far.
    """

    def __init__(
        self, model: Any, length: int, study: int, replicate: int, listener: Callable[[Moment], None] | None = None
    ) -> None:
        self.truth: Truth = truth_of(model)
        self.setting = self.truth.setting
        self.length, self.listener = int(length), listener
        sizes = sizes_at(model, self.length)
        self.S, self.A, self.H = sizes.get("S", 1), sizes["A"], sizes.get("H", 1)
        self.total = self.length * self.H
        k0, k1 = key_words(study)
        self.rng = Rng(int(k0), int(k1), int(replicate))
        self.tb = SimpleNamespace(**self.truth.tables)
        #: features of a linear model: (A,d), (S,A,d), or (S,A,S,d) of transitions; None otherwise
        self.features = next(
            (np.asarray(x) for k in ("features", "phi") if (x := getattr(model, k, None)) is not None), None
        )
        self._next = (loops.next_alias if self.truth.alias else loops.next_scan).build("python")
        self._reward = loops.reward.build("python", LAW=self.truth.law)
        cells = {"bandit": (self.A,), "episodic": (self.H, self.S, self.A), "average": (self.S, self.A)}[self.setting]
        self.visits = np.zeros(cells, dtype=np.int64)
        self.moves = np.zeros((*cells, self.S), dtype=np.int64)
        self.sums = np.zeros(cells)
        self.t = self.episode = self.stage = self.state = 0
        self.inside = False
        self.gap = 0.0
        self.gaps = np.zeros(self.total)
        self.path: list[tuple[int, int]] = []

    def reset(self) -> int:
        """The first state of the next episode; outside episodes, the first state, once."""
        if self.inside and (self.stage == 0 if self.setting == "episodic" else self.t == 0):
            return self.state  # reset twice before anything was played
        if self.inside:
            at = f"stage {self.stage} of {self.H}" if self.setting == "episodic" else f"step {self.t}"
            raise InputError(f"the agent calls reset at {at}; play episodes to their end, and reset once outside them")
        if self.t >= self.total:
            raise Over
        if self.setting != "bandit":
            u, _ = _draw(self.rng, self.episode, 0, INITIAL)
            self.state = 0
            while u >= self.tb.mu0_cum[self.state]:
                self.state += 1
        self.inside = True
        return self.state

    def step(self, action: Any, read: dict[str, np.ndarray]) -> tuple[int, float, bool]:
        """Play an action: next state, reward, whether the episode is over."""
        if not self.inside:
            raise InputError(f"the agent calls step before reset (step {self.t}); call reset first")
        if self.t >= self.total:
            raise Over
        a = index_of(action)
        if a is None or not 0 <= a < self.A:
            raise OutOfRange(f"action {action!r} in state {self.state}")
        s, h = self.state, self.stage
        if self.listener is not None:
            self.listener(Moment(self, s, a, read))
        self.path.append((s, a))
        if self.setting == "bandit":
            cell: tuple[int, ...] = (a,)
            row = site = a
        elif self.setting == "episodic":
            cell = (h, s, a)
            row, site = h * self.tb.stride + s * self.A + a, (h * self.S + s) * self.A + a
        else:
            cell = (s, a)
            row = site = s * self.A + a
        u, v = _draw(self.rng, int(self.visits[cell]), site, ENVIRONMENT)
        s2 = 0 if self.setting == "bandit" else int(self._next(self.tb, row, u))
        r = float(self._reward(self.tb, row, v))
        self.visits[cell] += 1
        self.moves[cell][s2] += 1
        self.sums[cell] += r
        self.gap += float(self.tb.gap[cell])
        self.gaps[self.t] = self.gap
        self.t += 1
        self.state = s2
        done = False
        if self.setting == "episodic":
            self.stage += 1
            done = self.stage == self.H
            if done:
                self.stage, self.episode, self.inside = 0, self.episode + 1, False
        return s2, r, done

    @cached_property
    def _rows(self) -> np.ndarray:
        flat = np.zeros((self.tb.succ.shape[0], self.S))
        np.add.at(flat, (np.arange(len(flat))[:, None], self.tb.succ), self.tb.prob)
        return flat.reshape(-1, self.S, self.A, self.S)

    def kernel(self, staged: bool) -> np.ndarray:
        """The true kernel, (H,S,A,S) where staged, else (S,A,S): that of stage 0 where they differ."""
        return np.broadcast_to(self._rows, (self.H, self.S, self.A, self.S)) if staged else np.asarray(self._rows[0])

    def means(self, ndim: int) -> np.ndarray:
        """The true mean rewards: (A,), (S,A), or (H,S,A) for ndim = 3."""
        if self.setting == "bandit":
            return np.asarray(self.tb.mean)
        r = np.asarray(self.tb.r_mean[: self.S * self.A].reshape(self.S, self.A))
        return np.broadcast_to(r, (self.H, self.S, self.A)) if ndim == 3 else r

    @property
    def over(self) -> bool:
        """Whether the whole length has been played."""
        return self.t >= self.total
