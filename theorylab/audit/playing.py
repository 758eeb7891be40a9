"""Checks of play and of single updates: indices, elimination, commitment, the temporal-difference update, widths.

Each holds of the method that the trait names, whatever its constants: the constants are the agent's.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from theorylab.audit.checks import ALL, EPISODIC, HELD, Check, Failure, Memory, Outcome, Scale, differ, worst
from theorylab.audit.world import Moment

__all__ = ["PLAYING"]

LOOSE = 1e-7


def _means(m: Moment) -> np.ndarray:
    n = m.world.visits
    return np.where(n > 0, m.world.sums / np.maximum(1, n), -np.inf)


def _once(m: Moment, c: Memory, s: Scale) -> Outcome:
    """Every arm is played once in the first A rounds."""
    n = m.world.visits
    if m.t < m.world.A:
        return None
    return HELD if (n > 0).all() else Failure.at(m, f"arm {int(n.argmin())} was never played in {m.t} rounds", 0, 1)


def _index(m: Moment, c: Memory, s: Scale) -> Outcome:
    if m.last or not (m.world.visits > 0).all():
        return None
    return worst(m, _means(m), m.read["Q"], s.tol, "mean", "index")


def _level(m: Moment, c: Memory, s: Scale) -> Outcome:
    """Every index fails with one probability: n (index - mean)^2 is the same for all arms, and grows."""
    n, Q = m.world.visits, m.read["Q"]
    if m.last or not (n > 0).all():
        return None
    level = n * (Q - m.world.sums / n) ** 2
    found = differ(m, level, level[0], LOOSE * max(1.0, level[0]), "n (index - mean)^2", "that of arm 0")
    before = c.more.get("level")
    c.more["level"] = float(level[0])
    if found is None and before is not None and not level[0] > before:
        return Failure.at(m, f"n (index - mean)^2 = {level[0]:.10g} has not grown", before, float(level[0]))
    return found or HELD


def _share(m: Moment, c: Memory, s: Scale) -> Outcome:
    """A width that ends at the fair share: index > mean exactly while n < T/A."""
    n, w = m.world.visits, m.world
    if m.last or not (n > 0).all():
        return None
    wide = m.read["Q"] - _means(m) > s.tol
    short = n * w.A < w.length
    bad = (wide != short) & (n * w.A != w.length)
    if bad.any():
        a = int(bad.argmax())
        what = "none" if short[a] else "one"
        return Failure.at(m, f"arm {a} has {n[a]} of a share of {w.length / w.A:.6g} plays and {what} of width", n[a],
                          w.length / w.A)  # fmt: skip
    return HELD


def divergence(p: float, q: float) -> float:
    """kl(p, q) in nats, of two coins."""
    if q >= 1.0:
        return 0.0 if p >= 1.0 else math.inf
    one = p * math.log(p / q) if p > 0.0 else 0.0
    return one + ((1.0 - p) * math.log((1.0 - p) / (1.0 - q)) if p < 1.0 else 0.0)


def _kl_level(m: Moment, c: Memory, s: Scale) -> Outcome:
    """The largest index q has N kl(mean, q) equal to one growing number, of which no other arm has less at q."""
    n, q = m.world.visits, float(m.read["top"])
    if m.last or not (n > 0).all():
        return None
    mean = _means(m)
    if not mean.max() - 1e-12 <= q <= 1.0:
        return Failure.at(m, f"the largest index = {q:.10g}, the largest mean {mean.max():.10g}, and 1", q, mean.max())
    if q > 1.0 - 1e-9:
        return None
    level = [int(k) * divergence(float(x), q) if x < q else 0.0 for k, x in zip(n, mean, strict=True)]
    mine, tol = level[m.action], 1e-6 * max(1.0, level[m.action])
    before = c.more.get("kl")
    c.more["kl"] = mine
    if before is not None and not mine > before:
        return Failure.at(m, f"N kl(mean, index) = {mine:.10g} has not grown", before, mine)
    if min(level) < mine - tol:
        a = int(np.argmin(level))
        return Failure.at(m, f"the index of arm {a} is larger: N kl(mean, q) = {level[a]:.10g} there", level[a], mine)
    return HELD


def _commit(m: Moment, c: Memory, s: Scale) -> Outcome:
    """The named number of plays of every arm, then for ever the arm of the largest mean of those plays."""
    n, goal = m.world.visits, c.traits["explores"]
    if m.last:
        return None
    if n.sum() < goal * m.world.A:
        if n[m.action] < goal:
            return HELD
        return Failure.at(m, f"arm {m.action} is played on after {n[m.action]} plays while others explore",
                          n[m.action], goal)  # fmt: skip
    mean = c.more.setdefault("explored", _means(m))
    if mean[m.action] >= mean.max() - s.tol:
        arm = c.more.setdefault("arm", m.action)
        if arm == m.action:
            return HELD
    return Failure.at(m, f"arm {m.action} with mean {mean[m.action]:.10g}, the largest was {mean.max():.10g}",
                      mean[m.action], mean.max())  # fmt: skip


def _eliminate(m: Moment, c: Memory, s: Scale) -> Outcome:
    """Survivors are played in turn; at the end of a round those go that trail by twice the width, and no others."""
    if m.last:
        return None
    n, alive, mean = m.world.visits, m.read["alive"] == 1, _means(m)
    width = float(m.read["radius_r"].max())
    if not alive[m.action]:
        return Failure.at(m, f"arm {m.action} is played, and has been dropped", 0, 1)
    if alive.sum() > 1 and n[alive].max() - n[alive].min() > 1:
        return Failure.at(m, "survivors are not played in turn", n[alive].max(), n[alive].min())
    before = c.more.get("alive", np.ones_like(alive))
    c.more["alive"] = alive
    if (
        before.sum() == 1
        or n[before].min() != n[before].max()
        or n.min() == 0
        or c.more.get("round") == n[before].max()
    ):
        bad = before != alive
        if bad.any():
            return Failure.at(m, f"arm {int(bad.argmax())} is dropped within a round", 0, 1)
        return HELD
    c.more["round"] = int(n[before].max())
    gap = mean[before].max() - mean
    wrong = before & ((gap >= 2.0 * width + 1e-12) & alive | (gap < 2.0 * width - 1e-12) & ~alive)
    if wrong.any():
        a = int(wrong.argmax())
        word = "stays" if alive[a] else "is dropped"
        return Failure.at(m, f"arm {a} {word}, trails by {gap[a]:.10g}, twice the width is {2 * width:.10g}", gap[a],
                          2.0 * width)  # fmt: skip
    rate = int(n[before].max()) * width * width
    last = c.more.get("rate", 0.0)
    c.more["rate"] = rate
    if not rate > last:
        return Failure.at(m, f"n width^2 = {rate:.10g} has not grown from round to round", last, rate)
    return HELD


def _stopped(m: Moment, c: Memory, s: Scale) -> Outcome:
    """The decisions that it says it needed are those after which it was done."""
    done = m.read["alive"].sum() == 1 if "alive" in m.read else not (m.read["need"] > m.world.visits).any()
    at = c.more.setdefault("done", m.t) if done else -1
    mine = int(m.read["stopped"])
    return HELD if mine == at else Failure.at(m, f"stopped = {mine}, it was done after {at} decisions", mine, at)


RATES = {"(H+1)/(H+n)": lambda H, n: (H + 1.0) / (H + n), "1/n": lambda H, n: 1.0 / n}


def _learning(m: Moment, c: Memory, s: Scale) -> Outcome:
    """Q <- (1 - rate) Q + rate (r + V_{h+1}(s') + b) at the cell that was left: b depends on its visits alone.

    Where the agent claims optimism, b > 0 and sqrt(n) b is one number; otherwise b = 0.
    """
    w, Q = m.world, m.read["Q"]
    V = np.minimum(Q.max(axis=-1), s.cap[0]) if c.traits["optimistic"] else Q.max(axis=-1)
    last = c.more.get("step")
    found: Outcome = None
    if last is not None:
        h, x, a, old, paid = last
        n = int(w.visits[h, x, a])
        rate = RATES[c.traits["rate"]](w.H, n)
        ahead = V[h + 1, m.state] if h + 1 < w.H else 0.0
        b = (Q[h, x, a] - (1.0 - rate) * old[h, x, a]) / rate - (w.sums[h, x, a] - paid) - ahead
        tol = LOOSE * max(1.0, abs(float(s.cap[0]))) * max(1.0, 1.0 / rate)
        scaled = math.sqrt(n) * b
        want = c.more.setdefault("scaled", scaled) if c.traits["optimistic"] else 0.0
        others = Q != old
        others[h, x, a] = False
        if others.any():
            found = Failure.at(m, "an update changed a cell that was not played", float(others.sum()), 0.0)
        elif not abs(scaled - want) <= tol * math.sqrt(n) or (c.traits["optimistic"] and not b > 0.0):
            found = Failure.at(m, f"the update of Q[{h}, {x}, {a}] with n = {n} has sqrt(n) bonus = {scaled:.10g}",
                               scaled, want)  # fmt: skip
        else:
            found = HELD
    if not m.last:
        c.more["step"] = (m.stage, m.state, m.action, Q, float(w.sums[m.stage, m.state, m.action]))
    return found


def _hoeffding(m: Moment, c: Memory, s: Scale) -> Outcome:
    """Widths of one plan shrink as one over the root of the visits: sqrt(n) width is one number for all pairs."""
    if m.last or m.stage:
        return None
    out: Outcome = None
    for name in c.traits["root_n"]:
        if name in m.read:
            n = m.read["counts_plan"] if "counts_plan" in m.read else m.world.visits
            n = n if n.ndim == m.read[name].ndim else n.sum(axis=0)
            level = np.sqrt(n) * m.read[name]
            if (n > 0).any():
                first = level[n > 0][0]
                found = differ(m, np.where(n > 0, level, first), first, LOOSE * max(1.0, first), f"sqrt(n) {name}",
                               "that of the first pair")  # fmt: skip
                out = found or HELD
                if found:
                    break
    return out


def _grows(m: Moment, c: Memory, s: Scale) -> Outcome:
    """A confidence radius that is a function of the information grows with it."""
    now = np.asarray(m.read["inflation"])
    before = c.more.get("inflation")
    c.more["inflation"] = now
    if before is None or (m.world.setting == "episodic" and m.stage):
        return None
    if m.last or (m.world.setting == "bandit" and now > before):
        return HELD
    if m.world.setting == "bandit":
        return Failure.at(m, f"the radius {float(now):.10g} has not grown", float(before), float(now))
    return worst(m, before, now, s.tol, "radius before", "radius")


BANDIT = ("bandit",)
PLAYING: tuple[Any, ...] = (
    Check("each-once", "every arm is played in the first A rounds", "invariant", (), BANDIT, _once, "each_once"),
    Check("index", "an index is at least the arm's mean", "invariant", ("Q",), BANDIT, _index, "above_mean"),
    Check("level", "n (index - mean)^2 is one growing number for all arms", "invariant", ("Q",), BANDIT, _level,
          "one_level"),
    Check("share", "index > mean exactly while an arm has less than T/A plays", "invariant", ("Q",), BANDIT, _share,
          "fair_share"),
    Check("kl-level", "N kl(mean, index) is a growing number, and no arm has less at the largest index", "invariant",
          ("top",), BANDIT, _kl_level),
    Check("commit", "explores evenly, then plays the arm of the largest mean", "invariant", (), BANDIT, _commit,
          "explores"),
    Check("eliminate", "arms go when they trail by twice the width, and only then; n width^2 grows", "invariant",
          ("alive", "radius_r"), BANDIT, _eliminate),
    Check("stopped", "it was done when it says so", "invariant", ("stopped", "alive"), BANDIT, _stopped),
    Check("collected", "it was done when it says so", "invariant", ("stopped", "need"), ("average",), _stopped),
    Check("learning", "an update moves the played cell to its target, with a bonus of its visits alone", "invariant",
          ("Q",), EPISODIC, _learning, "rate"),
    Check("root-n", "widths of one plan are one number over sqrt(n)", "invariant", (), ALL, _hoeffding, "root_n"),
    Check("grows", "the radius grows with the information", "invariant", ("inflation",), ("bandit", "episodic"),
          _grows, "radius_grows"),
)  # fmt: skip
