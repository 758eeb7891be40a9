"""Checks by a second agent on the same past: the same class with another delta or another length.

    delta-matters    with delta/1000 something exposed widens. A radius that holds with probability 1 - delta for every
                     delta cannot be free of delta.
    length-matters   an agent that says `anytime = True` exposes and plays the same under another length; one that says
                     False (its guarantee is a union over the length) does not.

The second agent sees what the first observed; its actions are not played. Equal numbers are held against an agent only
where a number of it was below what holds of any agent.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from theorylab.audit.checks import Failure, Scale
from theorylab.audit.world import Moment

__all__ = ["Shadow", "shadows_of"]

FACTOR = 1000.0
STRETCH = 16
#: what a guarantee is made of
WIDE = ("bonus", "radius_p", "radius_r", "radius_kl", "p_low", "p_high", "r_up", "gain", "Q", "V", "V_low",
        "inflation", "p_plan", "trip")  # fmt: skip


class Shadow:
    """One second agent; `same` says whether it should agree."""

    def __init__(self, name: str, agent: Any, same: bool) -> None:
        self.name, self.agent, self.same = name, agent, same
        self.differs: Failure | None = None
        self.free = False
        self.count = 0

    def look(self, m: Moment, s: Scale) -> None:
        """The same decision."""
        if m.stage == 0 and (m.world.setting == "episodic" or m.t == 0):
            self.agent.begin_episode()
        action, theirs = self.agent.act(m.state, m.stage), self.agent.audit_read()
        self.count += 1
        for k in WIDE:
            if k not in m.read or k not in theirs or m.read[k].shape != theirs[k].shape:
                continue
            x, y = np.asarray(m.read[k], dtype=float), np.asarray(theirs[k], dtype=float)
            self.free = self.free or _informative(k, x, m, s)
            bad = ~((np.abs(x - y) <= s.tol) | (x == y))
            if bad.any() and self.differs is None:
                at = tuple(int(i) for i in np.argwhere(bad)[0])
                text = f"{k}{list(at)} = {float(x[at]):.10g}, of the second agent {float(y[at]):.10g}"
                self.differs = Failure.at(m, text, float(x[at]), float(y[at]))
        if self.same:
            self.free = True
            if action != m.action and self.differs is None:
                text = f"action {m.action}, of the second agent {action}"
                self.differs = Failure.at(m, text, m.action, action)
        self.last = Failure.at(m, f"the same at {self.count} decisions", 0.0, 0.0)

    @property
    def failure(self) -> Failure | None:
        """What refutes, None where nothing does."""
        if self.same:
            return self.differs
        return self.last if self.free and self.differs is None else None


def _informative(name: str, x: np.ndarray, m: Moment, s: Scale) -> bool:
    """Whether a number is below what holds of any agent, so that it should move."""
    if name == "V":
        return bool((x[: m.world.H] < s.cap[: m.world.H, None] - s.tol).any())
    if name == "Q" and m.world.setting == "episodic" and x.ndim == 3:
        return bool((x < s.cap[: m.world.H, None, None] - s.tol).any())
    if name == "Q":
        return bool((m.world.visits > 0).all())
    if name in ("gain", "r_up"):
        return bool((x < s.high - s.tol).any())
    if name in ("p_low", "p_plan"):
        return bool((x > 0.0).any())
    if name == "p_high":
        return bool(((x < 1.0) & (x > 0.0)).any())
    if name in ("V_low", "trip"):
        return False
    return bool((m.world.visits > 0).any()) and bool((x > 0.0).any())


def shadows_of(maker: Any, setup: Any, traits: Any) -> list[Shadow]:
    """The second agents that a maker can make."""
    out = []
    if traits["delta"] is not None:
        other = maker.vary(setup, delta=float(traits["delta"]) / FACTOR)
        if other is not None:
            out.append(Shadow("delta-matters", other, False))
    if traits["anytime"] is not None:
        other = maker.vary(setup, length=setup.length * STRETCH)
        if other is not None:
            out.append(Shadow("length-matters", other, bool(traits["anytime"])))
    return out
