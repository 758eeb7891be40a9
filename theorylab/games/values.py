"""Exact values of policies of a game: expected payoffs, action values, best responses and exploitability.

A policy is behavioural: pi[i,a] = Pr(a | infoset i), for the infosets of both players, shape (I,A), rows that sum to
one over the actions that an infoset has and 0 beyond them; (R,I,A) for R policies at once. All is computed in sequence
form (`theorylab.games.form`): realisation plans from the root to the leaves, then values from the leaves to the root.

Counterfactual values weigh histories by the reach of chance and the opponent; an *action value*

    q(i,a) = E[ payoff of the mover | infoset i is reached, a is played there, both follow pi from then on ]

is the counterfactual value over the mass of the infoset, the summed reach of its histories by chance and the opponent.
Own reach is the same for all histories of an infoset (perfect recall) and cancels. Where the mass is 0 the action value
is undefined, NaN. Source: sokota2023, appendix A, and sokota2024 [source].
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from theorylab.errors import InputError
from theorylab.games.form import PLAYERS, ExtensiveForm
from theorylab.validate import SUM_TOLERANCE

__all__ = [
    "ActionValues",
    "Response",
    "action_values",
    "best_response",
    "check_policy",
    "expected_value",
    "exploitability",
    "first_action_policy",
    "random_policy",
    "realisation",
    "require_zero_sum",
    "uniform_policy",
]

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]


class ActionValues(NamedTuple):
    """Of R policies (the axis is left out for a single one).

    Attributes:
        q: (R,I,A) action values, reward units; NaN at actions that are not there and at infosets of mass 0.
        counterfactual: (R,I,A) q times mass, 0 at actions that are not there.
        mass: (R,I) summed reach of the infoset's histories by chance and the opponent.
        reach: (R,I) probability that the player's own moves lead to the infoset.
        value: (R,2) expected payoffs.
    """

    q: Floats
    counterfactual: Floats
    mass: Floats
    reach: Floats
    value: Floats


class Response(NamedTuple):
    """A best response of one player to R policies.

    Attributes:
        value: (R,) its expected payoff. actions: (R,m) what it plays at the infosets of the player, in the order of
            `game.sequences[player].infosets`; ties to the lowest action.
    """

    value: Floats
    actions: Ints


@dataclass(frozen=True)
class _Level:
    """Infosets of a player with equally many own moves before them: m of them, at most A actions.

    `table` (m,A): their sequences, n where an action is not there; `add` (m,n) CSR: infoset -> parent sequence.
    """

    infosets: Ints
    parent: Ints
    table: Ints
    add: Any


class _Side(NamedTuple):
    """One player: n sequences, levels from the root on, and mass (m,n of the opponent) CSR."""

    n: int
    levels: tuple[_Level, ...]
    infosets: Ints
    mass: Any


@cache
def _sides(game: ExtensiveForm) -> tuple[_Side, _Side]:
    from scipy.sparse import csr_array

    out = []
    for p in PLAYERS:
        one = game.sequences[p]
        n = one.infoset.size
        levels = []
        for k in range(int(one.depth.max(initial=-1)) + 1):
            at = one.depth == k
            most = int(one.actions[at].max())
            table = one.first[at][:, None] + np.arange(most)
            table[np.arange(most) >= one.actions[at][:, None]] = n
            m = int(at.sum())
            add = csr_array((np.ones(m), (np.arange(m), one.parent[at])), shape=(m, n))
            levels.append(_Level(one.infosets[at], one.parent[at], table, add))
        nodes = np.flatnonzero(game.mover == p)
        row = np.empty(game.infosets, dtype=np.int64)
        row[one.infosets] = np.arange(one.infosets.size)
        shape = (one.infosets.size, game.sequences[1 - p].infoset.size)
        entries = (game.chance_reach[nodes], (row[game.infoset[nodes]], game.sequence[1 - p, nodes]))
        mass = csr_array(entries, shape=shape)
        mass.sum_duplicates()
        out.append(_Side(n, tuple(levels), one.infosets, mass))
    return out[0], out[1]


# Policies


def check_policy(game: ExtensiveForm, policy: Any) -> tuple[Floats, bool]:
    """The policy as (R,I,A), and whether it came as a single one.

    Raises InputError: a shape that does not fit, an entry that is no probability, a row that does not sum to one, or
    weight on an action that an infoset does not have.
    """
    pi = np.asarray(policy, dtype=np.float64)
    shape = (game.infosets, game.A)
    if pi.shape[-2:] != shape or pi.ndim not in (2, 3):
        raise InputError(f"policy has shape {pi.shape}; expected {shape} or (R, {shape[0]}, {shape[1]})")
    single = pi.ndim == 2
    pi = pi.reshape(-1, *shape)
    bad = ~(np.isfinite(pi) & (pi >= 0.0))
    if bad.any():
        k, i, a = np.argwhere(bad)[0]
        raise InputError(f"policy[{k},{i},{a}]={pi[k, i, a]} is no probability; give policies with entries in [0, 1]")
    if (bad := (pi > 0.0) & ~game.legal).any():
        k, i, a = np.argwhere(bad)[0]
        raise InputError(f"policy[{k},{i},{a}]={pi[k, i, a]}, but infoset {game.label(int(i))} has no action {a}")
    total = pi.sum(axis=-1)
    if (bad := np.abs(total - 1.0) > SUM_TOLERANCE).any():
        k, i = np.argwhere(bad)[0]
        raise InputError(f"policy[{k},{i}] sums to {total[k, i]:.12g}, not to 1; normalise it")
    return pi, single


def uniform_policy(game: ExtensiveForm) -> Floats:
    """(I,A): all actions of an infoset alike."""
    out: Floats = game.legal / game.infoset_actions[:, None]
    return out


def first_action_policy(game: ExtensiveForm) -> Floats:
    """(I,A): the first action everywhere."""
    out = np.zeros((game.infosets, game.A))
    out[:, 0] = 1.0
    return out


def random_policy(game: ExtensiveForm, seed: int, replicates: int | None = None, weight: float = 1.0) -> Floats:
    """(I,A), or (R,I,A): at every infoset a symmetric Dirichlet law with parameter `weight`.

    Drawn from a counter-based stream: replicate k of R is the same whatever R.
    """
    if not weight > 0.0:
        raise InputError(f"weight={weight} must be positive")
    made = []
    for k in range(1 if replicates is None else replicates):
        drawn = np.random.Generator(np.random.Philox(key=[seed, k])).standard_gamma(weight, (game.infosets, game.A))
        drawn = np.where(game.legal, np.maximum(drawn, np.finfo(float).tiny), 0.0)
        made.append(drawn / drawn.sum(axis=-1, keepdims=True))
    return made[0] if replicates is None else np.stack(made)


# Values


def realisation(game: ExtensiveForm, policy: Any) -> tuple[Floats, Floats]:
    """Realisation plans of both players: (R,n0) and (R,n1), without R for a single policy."""
    pi, single = check_policy(game, policy)
    x, y = (_realise(side, pi) for side in _sides(game))
    return (x[0], y[0]) if single else (x, y)


def _realise(side: _Side, pi: Floats) -> Floats:
    x = np.ones((len(pi), side.n + 1))
    for level in side.levels:
        x[:, level.table] = x[:, level.parent, None] * pi[:, level.infosets, : level.table.shape[1]]
    return x[:, :-1]


def _gradients(game: ExtensiveForm, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """U_0 y and U_1^T x: (R,n0) and (R,n1), payoffs of leaves right after each own sequence, opponent fixed."""
    first, second = game.payoff_matrices
    return (first @ y.T).T, (second.T @ x.T).T


def expected_value(game: ExtensiveForm, policy: Any) -> Floats:
    """Expected payoffs of both players, reward units: (R,2), or (2,) for a single policy."""
    pi, single = check_policy(game, policy)
    x, y = (_realise(side, pi) for side in _sides(game))
    first, second = _gradients(game, x, y)
    out: Floats = np.stack([(x * first).sum(axis=1), (y * second).sum(axis=1)], axis=1)
    return out[0] if single else out


def action_values(game: ExtensiveForm, policy: Any) -> ActionValues:
    """Action values, counterfactual values, masses and own reaches of all infosets, in one pass."""
    pi, single = check_policy(game, policy)
    R = len(pi)
    cfv = np.zeros((R, game.infosets, game.A))
    mass, reach = np.zeros((R, game.infosets)), np.zeros((R, game.infosets))
    sides = _sides(game)
    plans = [_realise(side, pi) for side in sides]
    value = np.zeros((R, 2))
    for p, (side, g) in enumerate(zip(sides, _gradients(game, *plans), strict=True)):
        full = np.concatenate([g, np.zeros((R, 1))], axis=1)
        for level in reversed(side.levels):
            width = level.table.shape[1]
            found = full[:, level.table]
            cfv[:, level.infosets, :width] = found
            full[:, :-1] += (found * pi[:, level.infosets, :width]).sum(axis=2) @ level.add
            reach[:, level.infosets] = plans[p][:, level.parent]
        value[:, p] = full[:, 0]
        mass[:, side.infosets] = (side.mass @ plans[1 - p].T).T
    known = game.legal & (mass > 0.0)[:, :, None]
    q = np.where(known, cfv / np.where(mass > 0.0, mass, 1.0)[:, :, None], np.nan)
    out = ActionValues(q, cfv, mass, reach, value)
    return ActionValues(*(x[0] for x in out)) if single else out


def best_response(game: ExtensiveForm, policy: Any, player: int) -> Response:
    """A best response of `player` to the other's part of `policy`; the player's own part is not used."""
    if player not in PLAYERS:
        raise InputError(f"player={player} is none of 0 and 1")
    pi, single = check_policy(game, policy)
    sides = _sides(game)
    matrix = game.payoff_matrices[player]
    plan = _realise(sides[1 - player], pi)
    g = ((matrix if player == 0 else matrix.T) @ plan.T).T
    out = _respond(sides[player], g)
    return Response(out.value[0], out.actions[0]) if single else out


def _respond(side: _Side, g: Floats) -> Response:
    # the last column stands for actions that are not there
    full = np.concatenate([g, np.full((len(g), 1), -np.inf)], axis=1)
    actions = []
    for level in reversed(side.levels):
        found = full[:, level.table]
        actions.append(found.argmax(axis=2))
        full[:, :-1] += found.max(axis=2) @ level.add
    chosen = np.concatenate(actions[::-1], axis=1) if actions else np.zeros((len(g), 0), dtype=np.int64)
    return Response(full[:, 0], chosen)


EXPLOITABLE = "exploitability is for zero-sum games (for common payoffs use expected_value and best_response)"


def require_zero_sum(game: ExtensiveForm, mend: str = EXPLOITABLE) -> None:
    """Refuse a game whose payoffs do not add up to 0, by the first leaf where they do not; `mend` ends the message."""
    if not game.zero_sum:
        most = np.abs(game.payoff).max()
        n = int(np.argmax(np.abs(game.payoff.sum(axis=1)) > 1e-12 * most))
        raise InputError(f"the game is not zero-sum: payoffs {game.payoff[n].tolist()} at node {n}; {mend}")


def exploitability(game: ExtensiveForm, policy: Any) -> Any:
    """What best responses gain on average, reward units: (max_x x^T U_0 y + max_y x^T U_1 y) / 2, (R,) or a float.

    Half of NashConv; 0 at a Nash equilibrium. Raises InputError for a game that is not zero-sum.
    """
    require_zero_sum(game)
    pi, single = check_policy(game, policy)
    sides = _sides(game)
    plans = [_realise(side, pi) for side in sides]
    found = [_respond(side, g).value for side, g in zip(sides, _gradients(game, *plans), strict=True)]
    out = (found[0] + found[1]) / 2.0
    return float(out[0]) if single else out
