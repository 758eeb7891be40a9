"""Exact sizes of a zero-sum game that bounds on regret at infosets need (derived; a player's regrets have its payoffs).

    Delta        range of payoffs at the leaves; Delta_I the same over the leaves below infoset I
    m(I)         largest reach of I by chance and the opponent, max over the opponent's plans, at most 1
    L(I)         Delta_I m(I): counterfactual values of the actions of I differ by at most that
    B(I)         L(I) sqrt(|A(I)| - 1): the Euclidean norm of the regrets of one iteration is at most that

Of the last: with values in [0, L] the squares sum to sum_a (v_a - <pi, v>)^2, convex in v, so the largest is at v in
{0, L}; with k of A actions at L, of probability P together, it is (k (1-P)^2 + (A-k) P^2) L^2, convex in P, so at most
max(k, A-k) L^2 <= (A-1) L^2, and 0 where all values are equal.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from theorylab.assume import Assumption
from theorylab.claim import Context
from theorylab.games.form import ExtensiveForm
from theorylab.games.layout import as_tree, layout

__all__ = ["Sizes", "heaviest", "sizes_of", "tables", "trivial", "width", "zero_sum"]

Floats: TypeAlias = NDArray[np.float64]

zero_sum = Assumption(
    "zero-sum", "a two-player zero-sum game", lambda m: None if m.zero_sum else "payoffs do not add up to 0"
)


class Sizes(NamedTuple):
    """By infoset in the order of the layout, (I,): actions, Delta_I, m(I), L(I) and B(I) of the module's text."""

    actions: Floats
    span: Floats
    reach: Floats
    L: Floats
    B: Floats


def width(c: Context) -> float:
    """Delta, reward units."""
    low, high = as_tree(c.model).payoff_range
    return high - low


def trivial(c: Context, n: np.ndarray) -> np.ndarray:
    """Delta: neither player can gain more."""
    return width(c) + 0.0 * np.asarray(n, dtype=float)


def sizes_of(model: Any) -> Sizes:
    """The sizes of a game."""
    return _sizes(as_tree(model))


@cache
def _sizes(game: ExtensiveForm) -> Sizes:
    found = layout(game)
    low = np.where(game.mover == -2, game.payoff[:, 0], np.inf)
    high = np.where(game.mover == -2, game.payoff[:, 0], -np.inf)
    for level in reversed(game.levels[1:]):
        np.minimum.at(low, game.parent[level], low[level])
        np.maximum.at(high, game.parent[level], high[level])
    nodes = np.flatnonzero(game.mover >= 0)
    least, most = np.full(game.infosets, np.inf), np.full(game.infosets, -np.inf)
    np.minimum.at(least, game.infoset[nodes], low[nodes])
    np.maximum.at(most, game.infoset[nodes], high[nodes])
    span = (most - least)[found.infosets]
    actions = found.arrays["seq_count"].astype(float)
    reach = _reach(found.sizes, found.arrays)
    L = span * reach
    return Sizes(actions, span, reach, L, L * np.sqrt(actions - 1.0))


def _reach(sizes: dict[str, int], arrays: dict[str, Any]) -> Floats:
    """m(I): each row of masses, maximised over the opponent's plans from its last infosets to its first."""
    start, I0, second = arrays["mass_start"], sizes["I0"], sizes["second"]
    rows = np.zeros((sizes["I"], sizes["Q"]))
    rows[np.repeat(np.arange(sizes["I"]), np.diff(start)), arrays["mass_column"]] = arrays["mass"]
    for i in reversed(range(sizes["I"])):
        first = arrays["seq_first"][i]
        about = slice(I0, None) if i < I0 else slice(0, I0)
        last = first + arrays["seq_count"][i]
        rows[about, arrays["seq_before"][i]] += rows[about, first:last].max(axis=1)
    return np.concatenate([rows[:I0, second], rows[I0:, 0]])


def tables(*, power: int = 0, alternate: int = 0, prediction: int = 0) -> Callable[[Context], dict[str, Any]]:
    """What the probes of a solver read: how it weighs, moves and predicts, and the sizes of the game."""

    def made(c: Context) -> dict[str, Any]:
        sizes = sizes_of(c.model)
        how = {"power": power, "alternate": alternate, "prediction": prediction}
        about = {"L": sizes.L, "B": sizes.B, "heaviest": heaviest(c.model, sizes.B), "Delta": width(c)}
        return {**{k: float(v) for k, v in how.items()}, **about}

    return made


def heaviest(model: Any, weight: Floats) -> float:
    """max over plans of both players of sum_I x(before I) weight(I): what the infosets that one plan reaches add up to.

    At most sum_I weight(I), which is what theorem 3 of zinkevich2007 uses.
    """
    found = layout(as_tree(model))
    arrays, below = found.arrays, np.zeros(found.sizes["Q"])
    for i in reversed(range(found.sizes["I"])):
        first = arrays["seq_first"][i]
        below[arrays["seq_before"][i]] += weight[i] + below[first : first + arrays["seq_count"][i]].max()
    return float(below[0] + below[found.sizes["second"]])
