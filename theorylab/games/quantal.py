"""Quantal response equilibria of games of two players, in sequence form and by infoset.

With x_i the realisation plan of player i under pi, g_i the payoffs of leaves right after each own sequence given the
other's plan, and the dilated entropy psi(x) = sum_h x[before h] sum_a pi(h,a) ln pi(h,a), psi in nats,

    quantal best response   argmax_w <g_i, w> - alpha psi(w): a softmax of g_i/alpha at every infoset, deepest first,
                            with ln sum exp of the infosets right after a sequence added to its entry
    QRE                     a policy that is its own quantal best response; unique in zero-sum games [source]
    agent QRE               pi(h) = softmax(q_pi(h,.)/alpha) at every infoset, q_pi action values

alpha is the temperature, reward units per nat. Of a zero-sum game the *regularised gap* is what both players gain by
quantal best responses in the game with payoffs -alpha psi added,

    gap = sum_i max_w [<g_i, w> - alpha psi(w)] + alpha psi(x_i) = alpha B_psi(pi; quantal best responses to pi),

B_psi the divergence of `dilated_divergence`; the second form [derived] loses no digits by cancellation, and B_psi(pi;
QRE) <= gap/alpha [derived], so that the gap bounds the error. Source: sokota2023, appendix C [source].
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from theorylab.errors import InputError
from theorylab.games.form import PLAYERS, TERMINAL, ExtensiveForm
from theorylab.games.layout import as_tree
from theorylab.games.matrix import MatrixGame
from theorylab.games.values import (
    _gradients,
    _realise,
    _sides,
    action_values,
    check_policy,
    require_zero_sum,
    uniform_policy,
)

__all__ = [
    "Quantal",
    "agent_quantal_response",
    "dilated_divergence",
    "quantal_best_response",
    "quantal_response",
    "regularised_gap",
]

Floats: TypeAlias = NDArray[np.float64]

#: iterations without progress before the stepsize is halved
PATIENCE = 500


@dataclass(frozen=True)
class Quantal:
    """An equilibrium up to `residual`.

    Attributes:
        policy: (I,A).
        residual: largest change of a probability by the map whose fixed point the equilibrium is.
        gap: regularised gap, reward units; NaN of an agent equilibrium, which has none.
        iterations: steps taken, each of two gradients.
    """

    policy: Floats
    residual: float
    gap: float
    iterations: int


def _positive(alpha: float, what: str) -> None:
    if not (np.isfinite(alpha) and alpha > 0.0):
        raise InputError(f"alpha={alpha}: {what} needs a positive, finite temperature; the theorem needs it positive")


def _zero_sum(tree: ExtensiveForm, what: str) -> None:
    require_zero_sum(tree, f"{what} is for zero-sum games (agent_quantal_response is for all)")


def _logits(tree: ExtensiveForm, pi: Floats) -> Floats:
    """ln pi, and 0 at actions that are not there."""
    with np.errstate(divide="ignore"):
        return np.where(tree.legal, np.log(np.where(tree.legal, pi, 1.0)), 0.0)


def _softmax(tree: ExtensiveForm, scores: Floats) -> Floats:
    """At every infoset the scores less the logarithm of their summed exponentials; 0 at actions that are not there."""
    top = np.max(scores, axis=-1, keepdims=True, where=tree.legal, initial=-np.inf)
    total = np.sum(np.exp(np.where(tree.legal, scores - top, 0.0)), axis=-1, keepdims=True, where=tree.legal)
    return np.where(tree.legal, scores - top - np.log(total), 0.0)


def _policy(tree: ExtensiveForm, logits: Floats) -> Floats:
    return np.where(tree.legal, np.exp(logits), 0.0)


def _dilate(tree: ExtensiveForm, pulls: list[Floats]) -> Floats:
    """ln of the policies that maximise <pull, w> - psi(w), (R,I,A), from pulls by sequence of both players."""
    out = np.zeros((len(pulls[0]), tree.infosets, tree.A))
    for side, pull in zip(_sides(tree), pulls, strict=True):
        # the last column stands for actions that are not there
        full = np.concatenate([pull, np.full((len(pull), 1), -np.inf)], axis=1)
        for level in reversed(side.levels):
            found = full[:, level.table]
            top = found.max(axis=2, keepdims=True)
            top = top + np.log(np.exp(found - top).sum(axis=2, keepdims=True))
            out[:, level.infosets, : level.table.shape[1]] = found - top
            full[:, :-1] += top[:, :, 0] @ level.add
    return np.where(tree.legal, out, 0.0)


def _payoffs(tree: ExtensiveForm, pi: Floats) -> list[Floats]:
    """g of both players, (R,n0) and (R,n1)."""
    return list(_gradients(tree, *(_realise(side, pi) for side in _sides(tree))))


def _by_player(tree: ExtensiveForm, logits: Floats) -> list[Floats]:
    """Logits (R,I,A) by sequence of each player, 0 at the empty one."""
    out = []
    for p in PLAYERS:
        one = tree.sequences[p]
        out.append(np.concatenate([np.zeros((len(logits), 1)), logits[:, one.infoset[1:], one.action[1:]]], axis=1))
    return out


def _divergence(tree: ExtensiveForm, z: Floats, log_z: Floats, log_pi: Floats) -> Floats:
    # z ln(z/pi) - z + pi is not negative, and without cancellation where both are close
    with np.errstate(invalid="ignore", over="ignore"):
        ratio = np.where(z > 0.0, log_z - log_pi, 0.0)
        near = z * (ratio + np.expm1(-np.clip(ratio, -0.5, 0.5)))
        terms = np.where(np.abs(ratio) < 0.5, near, z * ratio - z + np.exp(log_pi))
    terms = np.where(tree.legal, np.where(z > 0.0, terms, np.exp(log_pi)), 0.0).sum(axis=-1)
    total = np.zeros(len(z))
    for side in _sides(tree):
        plan = _realise(side, z)
        for level in side.levels:
            total += np.where(plan[:, level.parent] > 0.0, plan[:, level.parent] * terms[:, level.infosets], 0.0).sum(1)
    return total


def dilated_divergence(game: ExtensiveForm | MatrixGame, z: Any, pi: Any) -> Any:
    """B_psi(z; pi) = sum over infosets h of z's own reach of h times KL(z(h), pi(h)), both players summed; nats.

    Of a matrix game the sum of both divergences KL. (R,), or a float for single policies (I,A); infinite where pi
    excludes what z plays. Raises InputError for what is no policy. Source: sokota2023 [derived for dilated entropy].
    """
    tree = as_tree(game)
    (first, one), (second, other) = (check_policy(tree, x) for x in (z, pi))
    if len(first) != len(second):
        first, second = np.broadcast_arrays(first, second)
    out = _divergence(tree, first, _logits(tree, first), _logits(tree, second))
    return float(out[0]) if one and other else out


def quantal_best_response(game: ExtensiveForm | MatrixGame, policy: Any, alpha: float) -> Floats:
    """(I,A), or (R,I,A): at each player's infosets the quantal best response to the other's part of `policy`.

    Raises InputError: alpha <= 0, and what is no policy.
    """
    tree = as_tree(game)
    _positive(alpha, "a quantal best response")
    pi, single = check_policy(tree, policy)
    out = _policy(tree, _dilate(tree, [g / alpha for g in _payoffs(tree, pi)]))
    return out[0] if single else out


def regularised_gap(game: ExtensiveForm | MatrixGame, policy: Any, alpha: float) -> Any:
    """What quantal best responses gain in the regularised game, both players summed; reward units, (R,) or a float.

    0 at the QRE alone. Raises InputError: alpha <= 0, a game that is not zero-sum, and what is no policy.
    """
    tree = as_tree(game)
    _positive(alpha, "the regularised gap")
    _zero_sum(tree, "the regularised gap")
    pi, single = check_policy(tree, policy)
    best = _dilate(tree, [g / alpha for g in _payoffs(tree, pi)])
    out = alpha * _divergence(tree, pi, _logits(tree, pi), best)
    return float(out[0]) if single else out


class _Dilated:
    """Directions and steps in sequence form: the map is the quantal best response."""

    def __init__(self, tree: ExtensiveForm, alpha: float) -> None:
        self.tree, self.alpha = tree, alpha
        self.scale = max(float(np.abs(U.data).max(initial=0.0)) for U in tree.payoff_matrices)

    def direction(self, logits: Floats) -> Any:
        return _payoffs(self.tree, _policy(self.tree, logits))

    def step(self, logits: Floats, g: Any, eta: float) -> Floats:
        old = _by_player(self.tree, logits)
        return _dilate(self.tree, [(eta * a + b) / (1.0 + eta * self.alpha) for a, b in zip(g, old, strict=True)])

    def image(self, logits: Floats, g: Any) -> Floats:
        return _dilate(self.tree, [a / self.alpha for a in g])


class _Agents:
    """Directions and steps by infoset: the map is softmax(q/alpha). Infosets of mass 0 stay as they are."""

    def __init__(self, tree: ExtensiveForm, alpha: float) -> None:
        self.tree, self.alpha = tree, alpha
        self.scale = float(np.ptp(tree.payoff[tree.mover == TERMINAL], axis=0).max())

    def direction(self, logits: Floats) -> Any:
        return action_values(self.tree, _policy(self.tree, logits)).q

    def step(self, logits: Floats, q: Any, eta: float) -> Floats:
        moved = _softmax(self.tree, (logits + eta * np.nan_to_num(q)) / (1.0 + eta * self.alpha))
        return np.where(np.isnan(q), logits, moved)

    def image(self, logits: Floats, q: Any) -> Floats:
        return np.where(np.isnan(q), logits, _softmax(self.tree, np.nan_to_num(q) / self.alpha))


def _solve(
    tree: ExtensiveForm, rule: _Dilated | _Agents, tol: float, limit: int, what: str
) -> tuple[Floats, float, int]:
    """Mirror-prox: a trial step, then the step from the old point along the direction at the trial point.

    Its stepsize may be of order 1/max|A|, where one step alone needs alpha/max|A|^2. It begins at the inverse scale of
    the payoffs and is halved where policy and image have come no closer for PATIENCE iterations.
    """
    logits = _logits(tree, uniform_policy(tree)[None])
    eta = 1.0 / rule.scale if rule.scale > 0.0 else 1.0
    least, since = np.inf, 0
    residual = np.inf
    for t in range(limit + 1):
        g = rule.direction(logits)
        image = rule.image(logits, g)
        residual = float(np.abs(_policy(tree, image) - _policy(tree, logits)).max(initial=0.0))
        if residual <= tol:
            return _policy(tree, logits), residual, t
        # in logarithms, which still move where a probability is 0 or 1 to all digits
        apart = float(np.abs(image - logits).max())
        if apart < least:
            least, since = apart, t
        elif t - since == PATIENCE:
            eta, since = eta / 2.0, t
        trial = rule.step(logits, g, eta)
        logits = rule.step(logits, rule.direction(trial), eta)
    raise InputError(
        f"no {what} of '{tree.name}' within {limit} iterations: residual {residual:.3g}, wanted {tol:.3g}; raise "
        "limit, tol or alpha"
    )


def quantal_response(
    game: ExtensiveForm | MatrixGame, alpha: float, tol: float = 1e-12, limit: int = 100_000
) -> Quantal:
    """The QRE of a zero-sum game at temperature alpha: of its reduced normal form, in sequence form.

    `tol` bounds the residual, the largest |pi - quantal best response to pi|. Raises InputError: alpha <= 0, a game
    that is not zero-sum, no convergence within `limit` iterations (with the residual reached).
    """
    tree = as_tree(game)
    _positive(alpha, "a quantal response equilibrium")
    _zero_sum(tree, "this quantal response equilibrium")
    pi, residual, t = _solve(tree, _Dilated(tree, alpha), tol, limit, "quantal response equilibrium")
    return Quantal(pi[0], residual, regularised_gap(tree, pi[0], alpha), t)


def agent_quantal_response(
    game: ExtensiveForm | MatrixGame, alpha: float, tol: float = 1e-10, limit: int = 100_000
) -> Quantal:
    """An agent QRE: pi(h) = softmax(q_pi(h,.)/alpha) at every infoset; the fixed points of `mmd` with a uniform magnet.

    Any two-player game has one; in zero-sum games it differs from `quantal_response` where a player moves twice. That
    the iteration finds it is not proved: `residual`, the largest |pi - softmax(q/alpha)| where the mass is positive,
    certifies it; elsewhere pi stays uniform. Raises InputError: alpha <= 0, no convergence within `limit` iterations
    (with the residual reached).
    """
    tree = as_tree(game)
    _positive(alpha, "an agent quantal response equilibrium")
    pi, residual, t = _solve(tree, _Agents(tree, alpha), tol, limit, "agent quantal response equilibrium")
    return Quantal(pi[0], residual, float("nan"), t)
