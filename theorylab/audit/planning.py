"""Checks of plans: that exposed values follow from the exposed model by one backup, that the model is all that was
seen when it says so, that epochs end by their rule. Each is a property of the read-outs and the environment's own
counters; no learner's formula for a bonus or a radius is repeated.

Plans in episodes are read at stage 0, where planning has just ended. Plans of average reward are read where they
change.
"""

from __future__ import annotations

import numpy as np

from theorylab.audit.checks import (
    EPISODIC,
    HELD,
    MDP,
    Check,
    Failure,
    Memory,
    Outcome,
    Scale,
    differ,
    entry,
    pooled,
    worst,
)
from theorylab.audit.world import Moment

__all__ = ["PLANNING"]

#: relative, of values that come out of sums, roots and searches in another order
LOOSE = 1e-7


def _ahead(V: np.ndarray, H: int) -> np.ndarray:
    """V_1, ..., V_H, with V_H = 0 where it is not exposed."""
    return V[1:] if V.shape[0] == H + 1 else np.concatenate([V[1:], np.zeros((1, V.shape[1]))])


def _model(m: Moment) -> tuple[np.ndarray, np.ndarray]:
    """Kernel (H,S,A,S) or (S,A,S) and rewards that the plan was made with."""
    r = m.read["r_plan"] if "r_plan" in m.read else m.read["r_hat"]
    return (m.read["p_plan"] if "p_plan" in m.read else m.read["p_hat"]), r


def _targets(m: Moment) -> np.ndarray:
    P, r = _model(m)
    ahead = _ahead(m.read["V"], m.world.H)
    mean = np.einsum("hsay,hy->hsa", np.broadcast_to(P, (m.world.H, m.world.S, m.world.A, m.world.S)), ahead)
    return np.asarray(r + m.read.get("bonus", 0.0) + mean)


def _backup(m: Moment, c: Memory, s: Scale) -> Outcome:
    if m.stage or m.last or m.read["Q"].ndim != 3 or not {"r_plan", "r_hat"} & set(m.read):
        return None
    Q, target, H = m.read["Q"], _targets(m), m.world.H
    before = c.more.get("Q")
    c.more["Q"] = Q
    total = c.traits["cap"]
    caps = {"no cap": np.inf, "H": s.cap[0], "H - h": s.cap[:H, None, None]} if total is None else {"the cap": total}
    forms = {k: np.minimum(target, v) for k, v in caps.items()}
    if before is not None:
        forms |= {f"{k}, last Q": np.minimum(v, before) for k, v in forms.items()}
    left = c.more.setdefault("forms", [f"{k}{x}" for x in ("", ", last Q") for k in caps])
    close = {k: np.abs(Q - forms[k]) <= s.tol for k in left if k in forms}
    kept = [k for k in left if k not in forms or close[k].all()]
    if kept and any(k in forms for k in kept):
        c.more["forms"] = kept
        return HELD
    if before is None and kept:
        kept = []
    form = max((k for k in left if k in forms), key=lambda k: int(close[k].sum()))
    return entry(m, Q, forms[form], ~close[form], "Q", f"min({form}; r + bonus + p V)")


def _plan(m: Moment, c: Memory, s: Scale) -> Outcome:
    if m.stage or m.last or "Q" in m.read:
        return None
    target = _targets(m)
    found = differ(m, m.read["V"][: m.world.H], target.max(axis=-1), s.tol, "V", "max_a r + p V")
    return found or HELD


def _plan_policy(m: Moment, c: Memory, s: Scale) -> Outcome:
    pi = m.read["policy"]
    if m.stage or m.last or pi.dtype.kind not in "iu" or pi.ndim != 2:
        return None
    value = m.read["Q"] if "Q" in m.read else _targets(m)
    mine = np.take_along_axis(value, pi[..., None].astype(int), axis=-1)[..., 0]
    return worst(m, value.max(axis=-1), mine, s.tol, "max_a of the plan", "its value of the policy")


def _falls(m: Moment, c: Memory, s: Scale) -> Outcome:
    before = c.more.get("falls")
    c.more["falls"] = m.read["Q"]
    return None if before is None else worst(m, m.read["Q"], before, s.tol, "Q now", "Q before")


def _rows(m: Moment, c: Memory, s: Scale) -> Outcome:
    P = m.read["p_plan"]
    mass = P.sum(axis=-1)
    bad = ~((np.abs(mass - 1.0) <= LOOSE) & (P >= -1e-12).all(axis=-1))
    if m.last or m.t == 0:
        return None
    return entry(m, mass, np.ones_like(mass), bad, "mass of p_plan", "the mass of a law") if bad.any() else HELD


def _fresh(m: Moment, c: Memory, s: Scale) -> Outcome:
    """Where the agent plans before every episode, or in an epoch that has just begun, from all that it has seen."""
    w = m.world
    if m.last or m.stage:
        return None
    if w.setting == "average":
        now, before = m.read.get("counts_plan"), c.more.get("fresh")
        c.more["fresh"] = now
        if now is None or (before is not None and np.array_equal(before, now)):
            return None
    if "p_hat" in m.read:
        P = m.read["p_hat"]
        n = pooled(w.visits, P.ndim - 1)
        true = pooled(w.moves, P.ndim) / np.maximum(1, n)[..., None]
        found = differ(m, np.where((n > 0)[..., None], P, 0.0), true, 1e-9, "p_hat", "the frequency so far")
        if found:
            return found
    if "counts_plan" in m.read:
        n = pooled(w.visits, m.read["counts_plan"].ndim)
        found = differ(m, m.read["counts_plan"], n, 0.0, "counts_plan", "visits so far")
    else:
        found = None
    return found or (HELD if {"p_hat", "counts_plan"} & set(m.read) else None)


def _began(m: Moment, c: Memory) -> bool:
    """Average reward: whether a plan was made since the last decision."""
    return "start" not in c.more or not np.array_equal(c.more["start"], m.read["counts_plan"])


def _doubling(m: Moment, c: Memory) -> Outcome:
    """UCRL2's rule, looked up before a pair is played: nu(s, pi(s)) >= max(1, N(s, pi(s))) ends the epoch."""
    w, N, pi = m.world, m.read["counts_plan"], m.read["policy"]
    old = c.more.get("start")
    if _began(m, c):
        if old is not None:
            b = int(c.more["pi"][m.state])
            nu, n = int(w.visits[m.state, b] - old[m.state, b]), max(1, int(old[m.state, b]))
            if nu < n:
                text = f"an epoch ended with {nu} visits of the next pair, {n} before it"
                return Failure.at(m, text, nu, n)
        c.more["start"], c.more["pi"] = N, pi
    nu, n = int(w.visits[m.state, m.action] - N[m.state, m.action]), max(1, int(N[m.state, m.action]))
    if nu >= n:
        return Failure.at(m, f"the pair has {nu} visits in the epoch, {n} before it, and is played on", nu, n)
    found = differ(m, c.more["pi"].astype(float), pi.astype(float), 0.0, "policy of the epoch", "policy")
    return found or HELD


def _tsde(m: Moment, c: Memory) -> Outcome:
    """An epoch ends when it is one step longer than the last, or the visits of a pair have more than doubled."""
    w, N = m.world, m.read["counts_plan"]
    old, began, last = c.more.get("start"), c.more.get("began", 0), c.more.get("last", 1)
    if _began(m, c):
        if old is not None:
            due = m.t - began > last or (w.visits > 2 * old).any()
            if not due:
                return Failure.at(
                    m, f"an epoch ended after {m.t - began} steps, the last had {last}", m.t - began, last
                )
            c.more["last"] = m.t - began
        c.more["start"], c.more["began"] = N, m.t
        return HELD
    if m.t - began > last:
        return Failure.at(m, f"an epoch goes on after {m.t - began} steps, the last had {last}", m.t - began, last)
    return worst(m, w.visits, 2 * N, 0.0, "visits", "twice those before the epoch")


def _power(m: Moment, c: Memory) -> Outcome:
    """The model of a pair is that of its last power of two visits."""
    n = pooled(m.world.visits, m.read["counts_plan"].ndim)
    power = np.where(n > 0, 2 ** np.floor(np.log2(np.maximum(1, n))).astype(int), 0)
    found = differ(m, m.read["counts_plan"], power, 0.0, "counts_plan", "the last power of two")
    if found or "r_plan" not in m.read:
        return found or HELD
    total = pooled(m.world.sums, 2)
    at = c.more.setdefault("sums", {})
    for i in np.ndindex(n.shape):
        kept = at.setdefault(i, [0, 0.0, 0.0])
        if power[i] != kept[0]:
            span = max(1, int(power[i]) // 2)
            kept[:] = [int(power[i]), float(total[i]), float((total[i] - kept[1]) / span)]
            if "p_hat" in m.read:
                row = pooled(m.world.moves, 3)[i] / n[i]
                found = differ(m, m.read["p_hat"][i], row, 1e-9, f"refreshed p_hat{list(i)}", "the frequency so far")
                if found:
                    return found
    mean = np.array([at[i][2] for i in np.ndindex(n.shape)]).reshape(n.shape)
    return differ(m, m.read["r_plan"], mean, 1e-9, "r_plan", "mean since the refresh before") or HELD


RULES = {"doubling": _doubling, "tsde": _tsde, "powers": _power}


def _epochs(m: Moment, c: Memory, s: Scale) -> Outcome:
    if m.last:
        return None
    rule = RULES[c.traits["epochs"]]
    return None if rule is _doubling and "policy" not in m.read else rule(m, c)


def ball(p: np.ndarray, radius: np.ndarray, u: np.ndarray) -> np.ndarray:
    """max q u over laws q with |q - p|_1 <= radius, for rows p (..., S)."""
    q, order = p.copy(), np.argsort(-u, kind="stable")
    add = np.minimum(0.5 * radius, 1.0 - q[..., order[0]])
    q[..., order[0]] += add
    for i in order[:0:-1]:
        taken = np.minimum(add, q[..., i])
        q[..., i] -= taken
        add = add - taken
    return np.asarray(q @ u)


def box(low: np.ndarray, high: np.ndarray, u: np.ndarray) -> np.ndarray:
    """max q u over laws q with low <= q <= high."""
    q, free = low.copy(), 1.0 - low.sum(axis=-1)
    for i in np.argsort(-u, kind="stable"):
        add = np.minimum(np.maximum(free, 0.0), high[..., i] - low[..., i])
        q[..., i] += add
        free = free - add
    return np.asarray(q @ u)


def divergence_ball(p: np.ndarray, radius: np.ndarray, u: np.ndarray) -> np.ndarray:
    """max q u over laws q with KL(p, q) <= radius, by its dual: min over z >= max u of z - e^-radius prod (z - u)^p."""
    top, span = u.max(), max(float(u.max() - u.min()), 1e-12)
    low, high = np.full(radius.shape, -60.0), np.full(radius.shape, 30.0)

    def dual(x: np.ndarray) -> np.ndarray:
        z = span * np.exp(x)[..., None] + (top - u)
        logs = np.where(p > 0.0, p * np.log(np.where(p > 0.0, z, 1.0)), 0.0)
        return np.asarray(span * np.exp(x) - np.exp(-radius + logs.sum(axis=-1)))

    for _ in range(130):
        a, b = low + (high - low) / 3.0, high - (high - low) / 3.0
        left = dual(a) <= dual(b)
        low, high = np.where(left, low, a), np.where(left, b, high)
    return np.asarray(top + np.minimum(0.0, dual(0.5 * (low + high))))


def _extended(m: Moment, c: Memory, s: Scale) -> Outcome:
    """The last sweep of extended value iteration, from the sets that are exposed."""
    u, v, up, pi = m.read["u"], m.read["u_next"], m.read["r_up"], m.read["policy"]
    now = np.concatenate([m.read.get("counts_plan", v).ravel(), v])
    before = c.more.get("u_next")
    if m.last or (before is not None and np.array_equal(before, now)):
        return None
    c.more["u_next"] = now
    seen = m.world.visits > 0
    if "radius_p" in m.read:
        value = ball(m.read["p_hat"], m.read["radius_p"], u)
    elif "radius_kl" in m.read:
        value = divergence_ball(m.read["p_hat"], m.read["radius_kl"], u)
    elif "p_low" in m.read:
        value = box(m.read["p_low"], m.read["p_high"], u)
    else:
        return None
    value = np.where(seen, value, u.max())
    tau = float(m.read.get("mixing", np.array(1.0)))
    Q = up + tau * value + (1.0 - tau) * u[:, None]
    tol = LOOSE * max(1.0, float(np.abs(u).max()))
    found = differ(m, v, Q.max(axis=1), tol, "u_next", "the largest plausible backup of u")
    if found:
        return found
    mine = Q[np.arange(len(u)), pi]
    out = worst(m, Q.max(axis=1), mine, tol, "largest plausible backup", "that of the policy")
    if out is not HELD:
        return out
    span = float((v - u).max() - (v - u).min())
    if "precision" in m.read and not span < float(m.read["precision"]):
        return Failure.at(m, f"span of the last sweep = {span:.10g}, not below the precision", span,
                          float(m.read["precision"]))  # fmt: skip
    if "gain" in m.read:
        return differ(m, m.read["gain"].reshape(1), (v - u).max(), tol, "gain", "max (u_next - u)") or HELD
    return HELD


def _rewards(m: Moment, c: Memory, s: Scale) -> Outcome:
    """Optimistic mean rewards lie above the empirical ones and, where the agent says so, below the largest."""
    if m.last or not _begins(m, c):
        return None
    up, n = m.read["r_up"], m.world.visits
    mean = m.world.sums / np.maximum(1, n)
    found = worst(m, np.where(n > 0, mean, -np.inf), up, s.tol, "empirical mean", "r_up")
    if found is HELD and c.traits["caps_rewards"]:
        found = worst(m, up, s.high, s.tol, "r_up", "the largest reward")
    return found


def _begins(m: Moment, c: Memory) -> bool:
    now = m.read.get("counts_plan", m.read["r_up"])
    before = c.more.get("r_up")
    c.more["r_up"] = now
    return before is None or not np.array_equal(before, now)


def _bias(m: Moment, c: Memory, s: Scale) -> Outcome:
    """A plan for the average reward of p_plan, r_plan: the span of L u - u below the precision, the policy greedy."""
    u, P = m.read["u"], m.read["p_plan"]
    before = c.more.get("bias")
    if m.last or (before is not None and np.array_equal(before, P)):
        return None
    c.more["bias"] = P
    Q = m.read["r_plan"] + P @ u
    change, precision = Q.max(axis=1) - u, float(m.read["precision"])
    span = float(change.max() - change.min())
    if not span < precision + 1e-9:
        return Failure.at(m, f"span of L u - u = {span:.10g}, not below the precision", span, precision)
    mine = Q[np.arange(len(u)), m.read["policy"]]
    return worst(m, Q.max(axis=1), mine, 1e-9, "max_a r + p u", "that of the policy")


def _lower(m: Moment, c: Memory, s: Scale) -> Outcome:
    low, high = m.read["V_low"], m.read["V"]
    found = worst(m, np.zeros_like(low), low, s.tol, "0", "V_low")
    return found if found is not HELD else worst(m, low, high, s.tol, "V_low", "V")


def _under(m: Moment, c: Memory, s: Scale) -> Outcome:
    low = m.read["V_low"]
    found = worst(m, low, m.world.tb.V_star[: low.shape[0]], s.tol, "V_low", "V_star")
    return found if found is not HELD or (low > s.tol).any() else None


def _samples(m: Moment, c: Memory, s: Scale) -> Outcome:
    """Where a sample is to be collected: open states, the action of the largest gap, complete when nothing is short."""
    if m.last:
        return None
    short = np.maximum(0, m.read["need"] - m.world.visits)
    found = differ(m, m.read["goal"].astype(float), (short.max(axis=1) > 0).astype(float), 0.0, "goal", "open states")
    if found:
        return found
    row = short[m.state]
    if row[m.action] < row.max():
        return Failure.at(m, f"the action lacks {row[m.action]} samples, another {row.max()}", row[m.action], row.max())
    return HELD


def _trip(m: Moment, c: Memory, s: Scale) -> Outcome:
    """Values of a trip to the open states: one backup of them with the kernel p_plan, unit costs, 0 on arrival."""
    v, P, goal = m.read["trip"], m.read["p_plan"], m.read["goal"] == 1
    before = c.more.get("trip")
    if m.last or not v.any() or (before is not None and np.array_equal(before, v)):
        return None
    c.more["trip"] = v
    if goal[m.state]:
        return None
    Q = 1.0 + P @ np.where(goal, 0.0, v)
    out: Outcome
    if c.traits["told_kernel"]:
        want = np.where(goal, 0.0, m.world.kernel(False))
        out = differ(m, np.where(goal, 0.0, P), want, 1e-12, "p_plan", "the kernel that it was told")
    else:
        n = m.world.visits[..., None]
        out = worst(m, np.where(goal, 0.0, P), m.world.moves / np.maximum(1, n), 1e-12, "p_plan", "the frequency")
    if isinstance(out, Failure):
        return out
    off = np.abs(np.where(goal, 0.0, Q.min(axis=1) - v))
    found = worst(m, off, float(m.read["precision"]), 1e-12, "|L v - v|", "the precision")
    if found is not HELD:
        return found
    mine = Q[np.arange(len(v)), m.read["policy"]]
    tol = 2.0 * float(m.read["precision"])
    return worst(m, np.where(goal, -np.inf, mine), Q.min(axis=1), tol, "cost of the policy", "least cost")


def _attempts(m: Moment, c: Memory, s: Scale) -> Outcome:
    """A trip begins in a closed state, after a sample was taken in an open one or a pair has doubled in the trip."""
    k, goal, U = int(m.read["attempts"]), m.read["goal"] == 1, m.read.get("counts_plan")
    last = c.more.get("attempts")
    c.more["attempts"] = (k, goal, U, m.state, m.action)
    if last is None or m.last:
        return None
    before, open_before, old, x, a = last
    closed = not goal[m.state] and bool(goal.any())
    doubled = old is not None and m.world.visits[x, a] - old[x, a] >= max(1, old[x, a])
    due = closed and bool(open_before[x] or doubled)
    if (k > before) != due:
        text = f"trips begun: {before}, then {k}, where one {'is' if due else 'is not'} due"
        return Failure.at(m, text, k - before, float(due))
    if due and U is not None:
        return differ(m, U, m.world.visits, 0.0, "counts_plan", "visits so far") or HELD
    return HELD


PLANNING = (
    Check("backup", "Q = min(cap, r + bonus + p V) of what is exposed, always alike", "invariant",
          ("Q", "V", "p_hat", "bonus"), EPISODIC, _backup),
    Check("plan", "V = max_a r_plan + p_plan V", "invariant", ("V", "p_plan", "r_plan"), EPISODIC, _plan),
    Check("plan-policy", "the exposed policy maximises the exposed plan", "invariant", ("V", "policy", "p_plan"),
          EPISODIC, _plan_policy),
    Check("Q-falls", "Q never grows", "invariant", ("Q",), EPISODIC, _falls, "monotone"),
    Check("rows", "rows of p_plan are laws", "invariant", ("p_plan", "r_plan"), MDP, _rows),
    Check("fresh", "a plan uses all that was seen", "invariant", (), MDP, _fresh, "plans"),
    Check("extended", "u_next = the largest plausible backup of u; span below the precision", "invariant",
          ("u", "u_next", "r_up", "policy"), ("average",), _extended),
    Check("bias", "span of L u - u below the precision in the exposed plan, the policy greedy", "invariant",
          ("u", "p_plan", "r_plan", "policy", "precision"), ("average",), _bias),
    Check("epochs", "epochs end where their rule says", "invariant", ("counts_plan",), MDP, _epochs, "epochs"),
    Check("r_up", "empirical mean <= r_up, at most the largest reward where so claimed", "invariant",
          ("r_up",), ("average",), _rewards),
    Check("lower", "0 <= V_low <= V", "invariant", ("V", "V_low"), EPISODIC, _lower),
    Check("lower-V", "V_low <= V_star at every decision", "rate", ("V_low",), EPISODIC, _under, "optimistic"),
    Check("samples", "open states are those short of samples; the furthest action is played there", "invariant",
          ("need", "goal"), ("average",), _samples),
    Check("attempts", "trips begin where they are due, from all that was seen", "invariant", ("attempts", "goal"),
          ("average",), _attempts),
    Check("trip", "one backup of a trip's values changes them by no more than the precision", "invariant",
          ("trip", "p_plan", "goal", "policy", "precision"), ("average",), _trip),
)  # fmt: skip
