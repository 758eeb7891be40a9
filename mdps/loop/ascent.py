"""Tabular LOOP where A^S policies are too many: multi-start ascent, with a certified upper bound on the gain.

    f = ascend(e, beta, span)
    f.J, f.bound - f.J             # a heuristic: the gap is what is known about its loss

Without the span the gain of a policy is the convex function <mu, r> + sqrt(beta) ||mu / sqrt(n)|| of its law mu. One
step linearises it: reward r + b with b = sqrt(beta) (mu / n) / ||mu / sqrt(n)||, the optimal policy for it, its law.
The value does not fall, and the policies are finite in number. All starts go at once: the whole budget on one pair, for
each pair, the box bonus, and none. Laws restart uniformly at rate 1e-7, so that each policy has one law. [derived, b4]

The span is then imposed by the cone programs of the policies with the largest U, and of those that differ from the best
one in a single state, as long as that helps. Alternating "solve the program of pi, then let pi(s) be the cheapest
action" is no substitute: where the start has a program at all, it is often its own fixed point [derived, b4].
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mdps.loop.relaxations import box_bonus, lifted_bound, loop_box, u_bound
from mdps.loop.tabular import Empirical, Optimistic, Search, policy_bounds
from theorylab.errors import InputError

__all__ = ["ascend", "ascent", "starts"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
RESTART = 1e-7


def starts(e: Empirical, beta: float, span: float, cap: float = 1.0) -> Floats:
    """Bonuses (S A + 2, S, A) at which the ascent starts: each single pair, the box bonus, none."""
    box = box_bonus(e, beta, span, cap)
    single = np.eye(e.S * e.A).reshape(-1, e.S, e.A) * box
    return np.concatenate([single, box[None], np.zeros_like(box)[None]])


def ascent(e: Empirical, beta: float, bonuses: Floats, span: float, cap: float = 1.0) -> tuple[Ints, Ints]:
    """Policies at which the starts `bonuses` (K,S,A) end, (K,S), and all that were met on the way, (m,S).

    Pairs without visits count here as n = beta / (cap + span - r)^2; states with such a pair play the lowest one.
    """
    box = box_bonus(e, beta, span, cap)
    n = beta / box**2
    unvisited = e.n == 0.0
    lowest = np.arange(e.A) == unvisited.argmax(axis=-1)[:, None]
    barred = unvisited.any(axis=-1)[:, None] & ~lowest
    b, met = bonuses, set[bytes]()
    pi = np.where(barred, -np.inf, e.r + b).argmax(axis=-1)
    while True:
        pi, law = _optimal(e, e.r + b, barred, pi)
        new = {row.tobytes() for row in pi}
        if new <= met:  # the value does not fall, so that a start that returns has ended
            break
        met |= new
        weights = law / np.take_along_axis(n[None], pi[..., None], axis=-1)[..., 0]
        size = np.sqrt((law * weights).sum(axis=-1, keepdims=True))
        b = np.sqrt(beta) * (weights / size)[..., None] * (np.arange(e.A) == pi[..., None])
    ways = np.array([np.frombuffer(row, dtype=np.int64) for row in sorted(met)])
    return pi, ways


def _optimal(e: Empirical, reward: Floats, barred: NDArray[np.bool_], pi: Ints) -> tuple[Ints, Floats]:
    """Policy iteration for rewards (K,S,A) from pi (K,S), restarted uniformly: optimal ones, their laws (K,S)."""
    states, S = np.arange(e.S), e.S
    rows = np.arange(len(pi))[:, None]
    for _ in range(1000):
        system = np.empty((len(pi), S + 1, S + 1))
        system[:, :S, :S] = np.eye(S) - (1.0 - RESTART) * e.P_hat[states, pi]
        system[:, :S, S] = 1.0
        system[:, S, :] = np.append(np.ones(S), 0.0)
        right = np.zeros((len(pi), S + 1, 1))
        right[:, :S, 0] = reward[rows, states, pi]
        h = np.linalg.solve(system, right)[:, :S, 0]  # bias of mean 0: restarts add nothing
        Q = np.where(barred, -np.inf, reward + (1.0 - RESTART) * np.einsum("sat,kt->ksa", e.P_hat, h))
        better = Q.argmax(axis=-1)
        now = Q[rows, states, pi]
        gains = Q[rows, states, better] > now + 1e-9 * (1.0 + np.abs(now))
        if not gains.any():
            break
        pi = np.where(gains, better, pi)
    law = np.linalg.solve(system[:, :S, :S].swapaxes(-1, -2), np.full((len(pi), S, 1), RESTART / S))[..., 0]
    return pi, law / law.sum(axis=-1, keepdims=True)


def ascend(e: Empirical, beta: float, span: float, cap: float = 1.0, keep: int = 8, lifted: bool = False) -> Optimistic:
    """The best hypothesis that the ascent finds, in the confidence set, with a certified bound on the largest gain.

    Args:
        e, beta, span, cap: as for `mdps.loop.tabular.optimise`. keep: cone programs a round, first of the policies with
            the largest U, then of neighbours of the best. lifted: whether the bound uses the lifted relaxation too.

    Raises InputError: none of the policies found has a hypothesis in the set (it may be empty), rewards outside
        [-cap, cap], too many pairs for `lifted`.
    """
    search = Search(e, beta, span, cap)
    _, met = ascent(e, beta, starts(e, beta, span, cap), span, cap)
    box = loop_box(e, beta, span, cap)
    seen = _consider(search, np.concatenate([met, box.pi[None]]), keep, set())
    while search.best is not None and search.J < cap:
        before = search.J
        pi = search.best[0]
        nearby = np.repeat(pi[None], e.S * e.A, axis=0)
        nearby[np.arange(e.S * e.A), np.repeat(np.arange(e.S), e.A)] = np.tile(np.arange(e.A), e.S)
        seen = _consider(search, nearby, keep, seen)
        if search.J <= before:
            break
    if search.best is None:
        raise InputError(
            f"none of the {len(seen)} policies that the ascent met has a hypothesis with range of V at most "
            f"span={span:g} and excess at most beta={beta:g}: the confidence set may be empty; give a larger span or "
            "beta, or, for few policies, use mdps.loop.tabular.optimise, which decides it"
        )
    bound = cap
    if search.J < cap:
        bound = min(box.bound, u_bound(e, beta, cap), lifted_bound(e, beta, cap) if lifted else cap)
    return search.result(len(seen), bound)


def _consider(search: Search, found: Ints, keep: int, seen: set[bytes]) -> set[bytes]:
    """Solve the programs of the `keep` policies with the largest U that were not seen; the policies seen by now."""
    new = np.array([row for row in np.unique(found, axis=0) if row.tobytes() not in seen], dtype=np.int64)
    if len(new):
        bounds = np.minimum(policy_bounds(search.e, search.beta, search.span, new), search.cap)
        for k in np.argsort(-np.round(bounds / search.cap, 9), kind="stable")[:keep]:
            if bounds[k] <= search.J + search.tolerance:
                break
            search.consider(new[k], float(bounds[k]))
    return seen | {row.tobytes() for row in new}
