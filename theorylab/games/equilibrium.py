"""Nash equilibria of zero-sum games by linear programming in sequence form, with a certificate.

    max_x min_y x^T U y = max over x, v of v[0] with E x = e, x >= 0 and F^T v <= U^T x,

E and F the constraints that make x and y realisation plans, e = (1, 0, ..., 0). The dual gives y. Source: Koller,
Megiddo and von Stengel (1996) [recalled].
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from theorylab.errors import InputError
from theorylab.games.form import PLAYERS, ExtensiveForm
from theorylab.games.matrix import MatrixGame
from theorylab.games.values import exploitability, require_zero_sum, uniform_policy

__all__ = ["Equilibrium", "behavioural", "constraints", "solve"]

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class Equilibrium:
    """A Nash equilibrium up to `error`.

    Attributes:
        value: of player 0, reward units, within 2 `error` of the game's.
        policy: (I,A), uniform at infosets that the player's own moves do not reach.
        error: exploitability of `policy`, computed by best responses.
    """

    value: float
    policy: Floats
    error: float


def constraints(game: ExtensiveForm, player: int) -> Any:
    """E, CSR (1+m,n): the first row says x[0] = 1; the row of an infoset that its sequences add up to their parent."""
    from scipy.sparse import csr_array

    one = game.sequences[player]
    m, n = one.infosets.size, one.infoset.size
    rows = np.concatenate([[0], np.repeat(np.arange(1, m + 1), one.actions), np.arange(1, m + 1)])
    own = np.concatenate(
        [np.arange(f, f + c) for f, c in zip(one.first, one.actions, strict=True)] or [np.zeros(0, int)]
    )
    columns = np.concatenate([[0], own, one.parent])
    return csr_array((np.concatenate([np.ones(1 + own.size), -np.ones(m)]), (rows, columns)), shape=(1 + m, n))


def solve(game: ExtensiveForm | MatrixGame) -> Equilibrium:
    """An equilibrium of a zero-sum game (HiGHS). Raises InputError for a game that is not, or a program not solved."""
    from scipy.optimize import linprog
    from scipy.sparse import block_array, csr_array

    tree = game.extensive() if isinstance(game, MatrixGame) else game
    require_zero_sum(tree)
    U = tree.payoff_matrices[0]
    E, F = (constraints(tree, p) for p in PLAYERS)
    cost = np.zeros(E.shape[1] + F.shape[0])
    cost[E.shape[1]] = -1.0
    right = np.zeros(E.shape[0])
    right[0] = 1.0
    found = linprog(
        cost,
        A_ub=block_array([[-U.T, F.T]], format="csr"),
        b_ub=np.zeros(F.shape[1]),
        A_eq=block_array([[E, csr_array((E.shape[0], F.shape[0]))]], format="csr"),
        b_eq=right,
        bounds=[(0.0, None)] * E.shape[1] + [(None, None)] * F.shape[0],
        method="highs",
    )
    if found.status != 0:
        raise InputError(f"HiGHS found no equilibrium of '{tree.name}': {found.message}")
    plans = (found.x[: E.shape[1]], -found.ineqlin.marginals)
    policy = behavioural(tree, plans)
    return Equilibrium(float(-found.fun), policy, exploitability(tree, policy))


def behavioural(game: ExtensiveForm, plans: tuple[Floats, Floats]) -> Floats:
    """The policy (I,A) of realisation plans; uniform where the plan does not reach the infoset."""
    out = uniform_policy(game)
    for one, x in zip(game.sequences, plans, strict=True):
        clean = np.maximum(x, 0.0)  # a solver's zeros may lie a rounding below 0
        at = one.infoset[1:]
        weight = np.zeros(game.legal.shape)
        weight[at, one.action[1:]] = clean[1:]
        total = weight.sum(axis=1)
        reached = total > 1e-14
        out[reached] = weight[reached] / total[reached, None]
    return out
