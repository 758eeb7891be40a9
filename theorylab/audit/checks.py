"""The inequalities of an audit, read at every decision of an agent.

An *invariant* holds along every run: one violation beyond the tolerance refutes. A *rate* holds with probability 1 -
delta over whole runs: replicates decide. A check looks at a `Moment` and returns None (nothing to test there),
`HELD`, or the first entry that fails as a `Failure`. Against what holds of any agent at all, such as V at its cap or
a radius that covers everything, an inequality is not tested: a rate that was never tested is VACUOUS.

Values are in units of reward, and caps are the stages left times the largest reward of the declared range. V_star,
gain and means are the planner's, within its certified error, which is part of every tolerance.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from theorylab.audit.world import Moment, World
from theorylab.errors import InputError

__all__ = [
    "ALL", "CHECKS", "EPISODIC", "HELD", "MDP", "SHAPES", "TOLERANCE", "Check", "Failure", "Memory", "Outcome", "Scale",
    "differ", "entry", "pooled", "scale_of", "shaped", "worst",
]  # fmt: skip

#: relative to the scale of values, max(1, H * largest reward)
TOLERANCE = 1e-9
#: read-out -> admissible shapes by setting, in letters; T for H + 1, "" for a number
SHAPES: dict[str, dict[str, tuple[str, ...]]] = {
    "bandit": {
        **dict.fromkeys(("Q", "counts", "reward_sums", "r_hat", "radius_r", "r_up", "alive"), ("A",)),
        **dict.fromkeys(("inflation", "top", "choice", "stopped"), ("",)),
    },
    "episodic": {
        "Q": ("HSA", "SA"), "V": ("HS", "TS"), "counts": ("HSA", "SA"), "transitions": ("HSAS", "SAS"),
        "reward_sums": ("HSA", "SA"), "p_hat": ("HSAS", "SAS"), "r_hat": ("HSA", "SA"),
        "radius_p": ("SA", "SAS", "HSAS"), "p_low": ("SAS", "HSAS"), "p_high": ("SAS", "HSAS"),
        "radius_r": ("HSA", "SA"), "r_up": ("HSA", "SA"),
        "bonus": ("HSA", "SA"), "policy": ("HS", "S", "HSA", "SA"), "p_plan": ("HSAS", "SAS"), "r_plan": ("HSA", "SA"),
        "V_low": ("TS",), "counts_plan": ("SA",), "inflation": ("", "H"),
    },
    "average": {
        "Q": ("SA",), "counts": ("SA",), "transitions": ("SAS",), "reward_sums": ("SA",), "p_hat": ("SAS",),
        "r_hat": ("SA",), "radius_p": ("SA", "SAS"), "p_low": ("SAS",), "p_high": ("SAS",), "radius_r": ("SA",),
        "r_up": ("SA",), "policy": ("S", "SA"), "gain": ("",), "p_plan": ("SAS",), "r_plan": ("SA",), "u": ("S",),
        "u_next": ("S",), "radius_kl": ("SA",), "counts_plan": ("SA",), "mixing": ("",), "precision": ("",),
        "trip": ("S",), "goal": ("S",), "need": ("SA",), "stopped": ("",), "attempts": ("",),
    },
}  # fmt: skip


@dataclass(frozen=True)
class Failure:
    """Where an inequality failed first.

    Attributes:
        t: decisions before it; episode, stage, state, action of that decision; text: what failed, in words with
            both sides; lhs, rhs: their values. replicate: the first in which it failed.
    """

    t: int
    episode: int
    stage: int
    state: int
    action: int
    text: str
    lhs: float
    rhs: float
    replicate: int = 0

    @classmethod
    def at(cls, m: Moment, text: str, lhs: float, rhs: float) -> Failure:
        """The failure at a decision."""
        return cls(m.t, m.episode, m.stage, m.state, m.action, text, float(lhs), float(rhs))


class _Held:
    def __repr__(self) -> str:
        return "HELD"


HELD = _Held()
Outcome = Failure | _Held | None


@dataclass
class Memory:
    """What the checks remember within one replicate, and the agent's traits."""

    before: dict[str, np.ndarray] = field(default_factory=dict)
    caps: dict[str, bool] = field(default_factory=lambda: {"H": True, "H - h": True})
    forms: list[str] = field(default_factory=lambda: ["max Q", "min(H, max Q)", "min(H - h, max Q)"])
    traits: Mapping[str, Any] = field(default_factory=dict)
    draws: list[np.ndarray] = field(default_factory=list)
    more: dict[str, Any] = field(default_factory=dict)


class Scale(NamedTuple):
    """Largest and smallest reward of the declared range, the caps (H+1,) of values by stage, and the tolerance."""

    low: float
    high: float
    cap: np.ndarray
    tol: float


def scale_of(world: World, law: Any) -> Scale:
    """The scale of values; every declared range is finite."""
    low, high = float(law.low), float(law.high)
    left = np.arange(world.H, -1, -1.0)
    size = max(1.0, world.H * max(abs(low), abs(high)))
    return Scale(low, high, left * high, TOLERANCE * size + world.truth.error)


def shaped(name: str, agent: str, world: World, value: np.ndarray) -> np.ndarray:
    """A read-out as an array of an admissible shape; `InputError` otherwise."""
    forms = SHAPES[world.setting].get(name)
    if forms is None:
        raise InputError(f"agent '{agent}': {name} has no meaning in the setting {world.setting}; set it to None")
    sizes = {"H": world.H, "T": world.H + 1, "S": world.S, "A": world.A}
    shapes = [tuple(sizes[x] for x in form) for form in forms]
    if value.dtype.kind not in "biuf":
        raise InputError(f"agent '{agent}': {name} has dtype {value.dtype}; give numbers")
    if value.size == 1 and shapes == [()]:
        value = value.reshape(())
    if value.shape not in shapes:
        raise InputError(
            f"agent '{agent}': {name} has shape {value.shape}; expected {' or '.join(map(str, shapes))}"
            f" ({' or '.join('(' + ', '.join(f).replace('T', 'H+1') + ')' for f in forms)})"
        )
    if value.dtype.kind == "b":
        return value.astype(np.int64)
    return value if name == "policy" or value.dtype.kind != "f" else value.astype(float)


_fail = Failure.at


def entry(m: Moment, x: np.ndarray, y: np.ndarray, bad: np.ndarray, left: str, right: str) -> Failure:
    """The first entry that is bad, with both sides."""
    at = tuple(int(i) for i in np.argwhere(bad)[0])
    a, b = float(x[at]), float(np.broadcast_to(y, x.shape)[at])
    return _fail(m, f"{left}{list(at)} = {a:.10g}, {right}{list(at)} = {b:.10g}", a, b)


def differ(m: Moment, x: np.ndarray, y: Any, tol: float, left: str, right: str) -> Failure | None:
    """The first entry in which two arrays differ, as a failure."""
    y = np.broadcast_to(y, x.shape)
    with np.errstate(invalid="ignore"):
        bad = ~((np.abs(x - y) <= tol) | (x == y))
    return entry(m, x, y, bad, left, right) if bad.any() else None


def worst(m: Moment, lhs: np.ndarray, rhs: Any, tol: float, left: str, right: str) -> Outcome:
    """HELD where lhs <= rhs + tol everywhere; else the first entry that is not, NaN included."""
    bad = ~(lhs <= rhs + tol)
    if not bad.any():
        return HELD
    at = tuple(int(i) for i in np.argwhere(bad)[0])
    x, y = float(lhs[at]), float(np.broadcast_to(rhs, lhs.shape)[at])
    return _fail(m, f"{left}{list(at)} = {x:.10g} > {right}{list(at)} = {y:.10g}", x, y)


def pooled(value: np.ndarray, like: int) -> np.ndarray:
    """Counters of cells (H,S,A...) summed over stages where the read-out has no stage axis."""
    return value if value.ndim == like else np.asarray(value.sum(axis=0))


def _finite(m: Moment, c: Memory, s: Scale) -> Outcome:
    for name, value in m.read.items():
        if value.dtype.kind == "f":
            bad = (
                np.isnan(value)
                if name == "r_up" or (name == "Q" and m.world.setting == "bandit")
                else ~np.isfinite(value)
            )
            if bad.any():
                at = np.argwhere(bad)[0].tolist()
                return _fail(m, f"{name}{at} = {value[tuple(at)]}", float("nan"), float("nan"))
    return HELD if m.read else None


def _greedy(m: Moment, c: Memory, s: Scale) -> Outcome:
    if m.last:
        return None
    Q = m.read["Q"]
    row = Q if m.world.setting == "bandit" else Q[m.stage, m.state] if Q.ndim == 3 else Q[m.state]
    top, mine = float(row.max()), float(row[m.action])
    if mine >= top - s.tol or top != top:
        return HELD
    return _fail(
        m, f"Q of the action played = {mine:.10g} < max_a Q = {top:.10g}, at action {int(row.argmax())}", mine, top
    )


def _follows(m: Moment, c: Memory, s: Scale) -> Outcome:
    if m.last:
        return None
    pi = m.read["policy"]
    sure = pi.dtype.kind in "iu"
    staged = pi.ndim == (2 if sure else 3)
    entry = pi[m.stage, m.state] if staged else pi[m.state]
    if sure:
        return HELD if int(entry) == m.action else _fail(m, f"policy: action {int(entry)}", m.action, float(entry))
    if entry[m.action] > 0.0:
        return HELD
    return _fail(m, f"policy({m.action} | {m.state}) = {entry[m.action]:.10g}", float(entry[m.action]), 0.0)


def _equal(name: str, counter: str, tol: float) -> Callable[[Moment, Memory, Scale], Outcome]:
    def test(m: Moment, c: Memory, s: Scale) -> Outcome:
        mine = m.read[name]
        true = pooled(getattr(m.world, counter), mine.ndim)
        bad = ~(np.abs(mine - true) <= tol * np.maximum(1.0, np.abs(true)))
        if not bad.any():
            return HELD
        at = tuple(int(i) for i in np.argwhere(bad)[0])
        x, y = float(mine[at]), float(true[at])
        return _fail(m, f"{name}{list(at)} = {x:.10g}, the environment's = {y:.10g}", x, y)

    return test


def _rising(m: Moment, c: Memory, s: Scale) -> Outcome:
    before, now = c.before.get("counts"), m.read["counts"]
    c.before["counts"] = now
    return None if before is None else worst(m, before, now, 0.0, "counts before", "counts now")


def _cap(m: Moment, c: Memory, s: Scale) -> Outcome:
    V = m.read["V"]
    cap = s.cap[: V.shape[0], None]
    if c.caps["H - h"] and (V > cap + s.tol).any():
        c.caps["H - h"] = False
    found = worst(m, V, np.full(V.shape, s.cap[0]), s.tol, "V", "H * largest reward")
    if found is not HELD:
        c.caps["H"] = False
    elif V.shape[0] == m.world.H + 1 and not (np.abs(V[-1]) <= s.tol).all():
        return _fail(m, f"V at the end of the episode = {np.abs(V[-1]).max():.10g}, not 0", np.abs(V[-1]).max(), 0.0)
    return found


def _maximum(m: Moment, c: Memory, s: Scale) -> Outcome:
    Q, V = m.read["Q"], m.read["V"]
    if Q.ndim != 3:
        return None
    H = m.world.H
    top, V = Q.max(axis=2), V[:H]
    cap = s.cap[:H, None]
    forms = {"max Q": top, "min(H, max Q)": np.minimum(top, s.cap[0]), "min(H - h, max Q)": np.minimum(top, cap)}
    close = {k: np.abs(V - forms[k]) <= s.tol for k in c.forms}
    left = [k for k in c.forms if close[k].all()]
    if left:
        c.forms = left
        return HELD
    h, x = (int(i) for i in np.argwhere(~close[c.forms[-1]])[0])
    form = c.forms[-1]
    return _fail(m, f"V[{h}, {x}] = {V[h, x]:.10g}, {form} = {forms[form][h, x]:.10g}", V[h, x], forms[form][h, x])


def _empirical(name: str, counter: str) -> Callable[[Moment, Memory, Scale], Outcome]:
    """A row of an estimate that has changed equals the frequency or mean of all that was seen."""

    def test(m: Moment, c: Memory, s: Scale) -> Outcome:
        mine, before = m.read[name], c.before.get(name)
        c.before[name] = mine
        if before is None:
            return None
        rows = mine.ndim - (1 if name == "p_hat" else 0)
        n = pooled(m.world.visits, rows)
        changed = (mine != before).reshape(*n.shape, -1).any(axis=-1)
        if not changed.any():
            return None
        true = pooled(getattr(m.world, counter), mine.ndim)
        for at in np.argwhere(changed):
            i = tuple(int(x) for x in at)
            mean = true[i] / max(1, n[i])
            if not np.allclose(mine[i], mean, rtol=0.0, atol=1e-9 * max(1.0, abs(s.high))):
                text = (
                    f"{name}{list(i)} = {np.round(mine[i], 6).tolist()}, of what was seen {np.round(mean, 6).tolist()}"
                )
                return _fail(m, text, float(np.max(np.abs(mine[i] - mean))), 0.0)
        return HELD

    return test


def _optimism_V(m: Moment, c: Memory, s: Scale) -> Outcome:
    V, star = m.read["V"], m.world.tb.V_star
    free = V < s.cap[: V.shape[0], None] - s.tol
    found = worst(m, star[: V.shape[0]], V, s.tol, "V_star", "V")
    return found if found is not HELD or free[: m.world.H].any() else None


def _optimism_Q(m: Moment, c: Memory, s: Scale) -> Outcome:
    Q = m.read["Q"]
    if m.world.setting == "bandit":
        seen = m.world.visits > 0  # before its first play an arm need not have an index
        if not seen.all():
            return None
        return worst(m, m.world.tb.mean, Q, s.tol, "mean", "index")
    if Q.ndim != 3:
        return None
    found = worst(m, m.world.tb.Q_star, Q, s.tol, "Q_star", "Q")
    return found if found is not HELD or (Q < s.cap[: m.world.H, None, None] - s.tol).any() else None


def _optimism_gain(m: Moment, c: Memory, s: Scale) -> Outcome:
    gain, star = float(m.read["gain"]), float(m.world.tb.gain)
    if not gain >= star - s.tol:
        return _fail(m, f"gain = {gain:.10g} < the optimal gain {star:.10g}", gain, star)
    return HELD if gain < s.high - s.tol else None


def _cover_p(m: Moment, c: Memory, s: Scale) -> Outcome:
    p_hat, radius, w = m.read["p_hat"], m.read["radius_p"], m.world
    p = w.kernel(p_hat.ndim == 4)
    seen = pooled(w.visits, p_hat.ndim - 1) > 0
    fresh = p_hat.sum(axis=-1) > 0.5  # a row of zeros: nothing was planned from it yet
    use = seen & fresh
    if radius.ndim == p_hat.ndim:
        off, use = np.abs(p_hat - p), np.broadcast_to(use[..., None], p_hat.shape)
        free, text = radius < 1.0, "|p_hat - p|"
    else:
        off, free, text = np.abs(p_hat - p).sum(axis=-1), radius < 2.0, "|p_hat - p|_1"
    found = worst(m, np.where(use, off, -np.inf), radius, 1e-12, text, "radius_p")
    return found if found is not HELD or (use & free).any() else None


def _cover_box(m: Moment, c: Memory, s: Scale) -> Outcome:
    low, high = m.read["p_low"], m.read["p_high"]
    p = m.world.kernel(low.ndim == 4)
    use = np.broadcast_to((pooled(m.world.visits, low.ndim - 1) > 0)[..., None], low.shape) & (high > 0).any(
        axis=-1, keepdims=True
    )
    found = worst(m, np.where(use, low - p, -np.inf), 0.0, 1e-12, "p_low - p", "0")
    if found is HELD:
        found = worst(m, np.where(use, p - high, -np.inf), 0.0, 1e-12, "p - p_high", "0")
    return found if found is not HELD or (use & ((low > 0.0) | (high < 1.0))).any() else None


def _cover_r(m: Moment, c: Memory, s: Scale) -> Outcome:
    r_hat, radius = m.read["r_hat"], m.read["radius_r"]
    use = pooled(m.world.visits, r_hat.ndim) > 0
    off = np.abs(r_hat - m.world.means(r_hat.ndim))
    found = worst(m, np.where(use, off, -np.inf), radius, s.tol, "|r_hat - r|", "radius_r")
    return found if found is not HELD or (use & (radius < s.high - s.low)).any() else None


def _upper_r(m: Moment, c: Memory, s: Scale) -> Outcome:
    up = m.read["r_up"]
    use = np.isfinite(up)
    found = worst(m, m.world.means(up.ndim), np.where(use, up, np.inf), s.tol, "r", "r_up")
    return found if found is not HELD or (use & (up < s.high - s.tol)).any() else None


def _cover_bonus(m: Moment, c: Memory, s: Scale) -> Outcome:
    p_hat, bonus, w = m.read["p_hat"], m.read["bonus"], m.world
    p = w.kernel(True)
    hat = np.broadcast_to(p_hat, p.shape)
    off = np.einsum("hsay,hy->hsa", hat - p, w.tb.V_star[1:])
    text = "(p - p_hat) V_star"
    if "r_hat" in m.read:
        off, text = off + m.read["r_hat"] - w.means(3), f"(r - r_hat) + {text}"
    use = np.broadcast_to(pooled(w.visits, p_hat.ndim - 1) > 0, off.shape) & (hat.sum(axis=-1) > 0.5)
    bonus = np.broadcast_to(bonus, off.shape)
    found = worst(m, np.where(use, -off, -np.inf), bonus, s.tol, text, "bonus")
    return found if found is not HELD or (use & (bonus < s.cap[:-1, None, None])).any() else None


class Check(NamedTuple):
    """One inequality.

    Attributes:
        name, words: what is printed. kind: "invariant" or "rate". needs: read-outs, all of them; settings: where it
        makes
            sense. trait: the agent's trait without which it does not apply. test: `Moment` -> outcome.
    """

    name: str
    words: str
    kind: str
    needs: tuple[str, ...]
    settings: tuple[str, ...]
    test: Callable[[Moment, Memory, Scale], Outcome]
    trait: str = ""


ALL, MDP, EPISODIC = ("bandit", "episodic", "average"), ("episodic", "average"), ("episodic",)
CHECKS = (
    Check("finite", "every number that is exposed is finite", "invariant", (), ALL, _finite),
    Check("greedy", "the action played maximises the exposed Q", "invariant", ("Q",), ALL, _greedy, "greedy"),
    Check("policy", "the action played is the exposed policy's", "invariant", ("policy",), MDP, _follows),
    Check("counts", "counts = visits that the environment counted", "invariant", ("counts",), ALL,
          _equal("counts", "visits", 0.0)),
    Check("transitions", "transitions = those that the environment counted", "invariant", ("transitions",), MDP,
          _equal("transitions", "moves", 0.0)),
    Check("reward-sums", "reward sums = those of the rewards handed out", "invariant", ("reward_sums",), ALL,
          _equal("reward_sums", "sums", 1e-9)),
    Check("counts-rise", "counts never decrease", "invariant", ("counts",), ALL, _rising),
    Check("cap", "V_h <= H times the largest reward, V_H = 0", "invariant", ("V",), EPISODIC, _cap),
    Check("value-of-Q", "V = max Q, uncapped or capped at H or at H - h, always alike", "invariant", ("Q", "V"),
          EPISODIC, _maximum),
    Check("empirical-p", "a renewed row of p_hat is the frequency of what was seen", "invariant", ("p_hat",), MDP,
          _empirical("p_hat", "moves")),
    Check("empirical-r", "a renewed r_hat is the mean of what was seen", "invariant", ("r_hat",), ALL,
          _empirical("r_hat", "sums")),
    Check("optimism-V", "V_k >= V_star at every decision", "rate", ("V",), EPISODIC, _optimism_V, "optimistic"),
    Check("optimism-Q", "Q_k >= Q_star (bandit: index >= mean) at every decision", "rate", ("Q",),
          ("episodic", "bandit"), _optimism_Q, "optimistic"),
    Check("optimism-gain", "gain >= the optimal average reward in every plan", "rate", ("gain",), ("average",),
          _optimism_gain, "optimistic"),
    Check("coverage-p", "the kernel lies within radius_p of p_hat", "rate", ("p_hat", "radius_p"), MDP, _cover_p),
    Check("coverage-box", "p_low <= p <= p_high", "rate", ("p_low", "p_high"), MDP, _cover_box),
    Check("coverage-r", "mean rewards lie within radius_r of r_hat", "rate", ("r_hat", "radius_r"), ALL, _cover_r),
    Check("upper-r", "r_up >= mean rewards", "rate", ("r_up",), ALL, _upper_r),
    Check("coverage-bonus", "bonus >= (r - r_hat) + (p - p_hat) V_star", "rate", ("p_hat", "bonus"), EPISODIC,
          _cover_bonus),
)  # fmt: skip
