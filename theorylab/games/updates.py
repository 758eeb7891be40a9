"""Update functions: the local rule of a last-iterate algorithm, applied at one decision point or at all of them.

A last-iterate algorithm with action-value feedback has a local update function U: at infoset i it turns the policy's
row pi(i,.) and the action values q(i,.) under pi into a new row. Its *global* update applies U at every infoset at
once, all q being those of the old joint policy. Update equivalence: a planner that is called at one infoset and returns
U(pi(i,.), q(i,.)) plays, wherever it is called, what the global update would have put there. Source: sokota2024,
definition 1 [source: second-hand].

    mirror_descent(eta)       p'(a) ~ p(a) exp(eta q(a))
    magnetic(eta, alpha)      p'(a) ~ [ p(a) rho(a)^{alpha eta} exp(eta q(a)) ]^{1/(1 + alpha eta)}, rho the magnet
    regularised(alpha)        p'(a) ~ exp(q(a)/alpha): magnetic for eta -> infinity, p > 0 and rho uniform
    best_response()           all on the first action whose q is largest: eta -> infinity of mirror descent, p > 0
    policy_gradient(eta)      logits + eta p(a) (q(a) - <p,q>): one gradient step of a softmax policy
    blueprint()               p' = p

eta is a stepsize (1/reward), alpha a temperature (reward); sokota2023, equations 10 and 12 [source]. All are computed
with logarithms and only over legal actions; nothing is floored: where p(a) = 0 the first, second and fifth keep p'(a) =
0, for every magnet, since KL(p', p) would be infinite otherwise. An infoset with undefined action values (mass 0, NaN)
keeps its row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from theorylab.errors import InputError, naming
from theorylab.games.form import PLAYERS, TERMINAL, ExtensiveForm
from theorylab.games.layout import as_tree
from theorylab.games.rollouts import branches, edge_probabilities
from theorylab.games.values import action_values, check_policy
from theorylab.validate import SUM_TOLERANCE

__all__ = [
    "TIE",
    "Update",
    "apply_globally",
    "apply_locally",
    "best_response",
    "blueprint",
    "grid",
    "leaders",
    "local_action_values",
    "magnetic",
    "mirror_descent",
    "policy_gradient",
    "regularised",
]

Floats: TypeAlias = NDArray[np.float64]
Bools: TypeAlias = NDArray[np.bool_]

#: values this close are tied, relative to the largest of the row: sums in another order must not decide
TIE = 1e-12


@dataclass(frozen=True, eq=False)
class Update:
    """A named local update function.

    Attributes:
        name: for messages and labels.
        function: (policy (...,A), q (...,A), legal (...,A), **parameters) -> rows (...,A): probabilities over the legal
            actions; q is 0 at other actions, and at infosets where it is undefined, whose rows are kept whatever comes.
        parameters: numbers or arrays that broadcast against (R,I,A).
        greedy: it is an argmax of q, so that ties are worth counting.
    """

    name: str
    function: Callable[..., Any]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    greedy: bool = False

    def __call__(self, policy: Any, q: Any, legal: Any) -> Floats:
        """New rows (...,A) from rows `policy`, action values `q` (NaN where undefined) and the mask `legal`.

        Raises InputError: values at some legal actions only or infinite ones, and rows that are no policies.
        """
        pi, values, legal = np.asarray(policy, float), np.asarray(q, float), np.asarray(legal, bool)
        missing = np.isnan(values) & legal
        undefined = missing.any(axis=-1, keepdims=True)
        if ((undefined & legal & ~missing) | (np.isinf(values) & legal)).any():
            raise InputError(
                "q has infinite entries, or NaN at some actions of an infoset only; give numbers, or NaN at all"
            )
        values = np.where(legal & ~undefined, values, 0.0)
        with naming(
            f"update '{self.name}'", "mend the function, or its parameters' shapes: they broadcast with (R,I,A)"
        ):
            found = np.asarray(self.function(pi, values, legal, **self.parameters), dtype=np.float64)
            out: Floats = np.where(undefined, pi, found)
        lawful = np.isfinite(out) & (out >= 0.0) & (legal | (out == 0.0))
        if out.shape[-1] != legal.shape[-1] or not lawful.all() or (abs(out.sum(axis=-1) - 1.0) > SUM_TOLERANCE).any():
            raise InputError(
                f"update '{self.name}' returned a row that is no policy; give probabilities of legal actions"
            )
        return out

    def at(self, infosets: Any) -> Update:
        """The update with its parameters at some infosets: a number takes the axis away, an array picks from it."""

        def take(x: Any) -> Any:
            array = np.asarray(x)
            if array.ndim < 2 or (array.shape[-2] == 1 and np.ndim(infosets)):
                return x
            return array[..., 0 if array.shape[-2] == 1 else infosets, :]

        return Update(self.name, self.function, {k: take(x) for k, x in self.parameters.items()}, self.greedy)


# Rules


def _parameter(x: Any, what: str, positive: bool) -> Floats:
    """Numbers with an axis for actions added: () and (I,), (R,1) or (R,I)."""
    array = np.asarray(x, dtype=np.float64)
    bad = ~(np.isfinite(array) & ((array > 0.0) if positive else (array >= 0.0)))
    if bad.any():
        wanted = "a positive number" if positive else "a number that is not negative"
        raise InputError(f"{what}={array[bad].flat[0]} must be {wanted}")
    return array[..., None]


def _softmax(logits: Floats, legal: Bools) -> Floats:
    logits = np.where(legal, logits, -np.inf)
    top = logits.max(axis=-1, keepdims=True)
    if (top == -np.inf).any():
        raise InputError("no action has positive probability under both the policy and the magnet")
    weight = np.exp(logits - top)
    out: Floats = weight / weight.sum(axis=-1, keepdims=True)
    return out


def _log(p: Floats) -> Floats:
    with np.errstate(divide="ignore"):
        out: Floats = np.log(p)
    return out


def _magnetic(policy: Floats, q: Floats, legal: Bools, eta: Any, alpha: Any, magnet: Any = None) -> Floats:
    pull = np.asarray(alpha * eta)
    logits = _log(policy) + eta * q
    if magnet is not None:
        if ((magnet > 0.0) & ~legal).any():
            raise InputError("the magnet has weight on an action that is not legal")
        anchor = _log(magnet)
        # alpha = 0 is mirror descent, also where the magnet is 0
        logits = logits + np.where(pull > 0.0, np.where(pull > 0.0, pull, 1.0) * anchor, 0.0)
    return _softmax(logits / (1.0 + pull), legal)


def mirror_descent(eta: Any) -> Update:
    """Mirror descent with negative entropy (hedge): p' ~ p exp(eta q). MDS is search with it [source: second-hand].

    Args:
        eta: stepsize, 1/reward, positive: a number, (I,) by infoset, (R,1) or (R,I) by replicate.

    Raises InputError: eta <= 0, NaN or infinite.
    """
    return Update("mirror-descent", _magnetic, {"eta": _parameter(eta, "eta", True), "alpha": 0.0})


def magnetic(eta: Any, alpha: Any, magnet: Any = None) -> Update:
    """Magnetic mirror descent. MMDS is search with it [source: second-hand].

    Args:
        eta: stepsize, 1/reward, positive. alpha: temperature, reward, not negative; 0 is mirror descent. Shapes as in
            `mirror_descent`.
        magnet: rho (I,A) or (R,I,A); None is uniform.

    Raises InputError: eta <= 0, alpha < 0, NaN or infinite; a magnet with rows that are no probabilities.
    """
    parameters: dict[str, Any] = {"eta": _parameter(eta, "eta", True), "alpha": _parameter(alpha, "alpha", False)}
    if magnet is not None:
        rho = np.asarray(magnet, dtype=np.float64)
        if rho.ndim < 2 or not (rho >= 0.0).all() or (abs(rho.sum(axis=-1) - 1.0) > SUM_TOLERANCE).any():
            raise InputError("magnet is no policy; give (I,A) or (R,I,A) with rows of probabilities")
        parameters["magnet"] = rho
    return Update("magnetic", _magnetic, parameters)


def regularised(alpha: Any) -> Update:
    """Regularised policy iteration: p' ~ exp(q/alpha), whatever p. Raises InputError: alpha <= 0, NaN or infinite."""
    return Update(
        "regularised",
        lambda policy, q, legal, alpha: _softmax(q / alpha, legal),
        {"alpha": _parameter(alpha, "alpha", True)},
    )


def leaders(values: Any, legal: Any) -> Bools:
    """(...,A) the legal actions whose value is within TIE, relative to the row's largest size, of the best."""
    x = np.where(legal, values, -np.inf)
    slack = TIE * np.abs(np.where(legal, values, 0.0)).max(axis=-1, keepdims=True)
    out: Bools = x >= x.max(axis=-1, keepdims=True) - slack
    return out


def first_leader(values: Any, legal: Any) -> Floats:
    """(...,A) all weight on the first of the best actions."""
    best = leaders(values, legal)
    out: Floats = (np.arange(best.shape[-1]) == best.argmax(axis=-1)[..., None]).astype(np.float64)
    return out


def best_response() -> Update:
    """Policy iteration, the update of best-response search: all on the best action; ties (`TIE`) to the lowest."""
    return Update("best-response", lambda policy, q, legal: first_leader(q, legal), greedy=True)


def _gradient(policy: Floats, q: Floats, legal: Bools, eta: Any) -> Floats:
    lead = q - (policy * q).sum(axis=-1, keepdims=True)
    return _softmax(_log(policy) + eta * policy * lead, legal)


def policy_gradient(eta: Any) -> Update:
    """One gradient step on the logits of the row: z + eta p (q - <p,q>). eta as in `mirror_descent`, 1/reward."""
    return Update("policy-gradient", _gradient, {"eta": _parameter(eta, "eta", True)})


def blueprint() -> Update:
    """No search: the row as it is."""
    return Update(
        "blueprint", lambda policy, q, legal: np.broadcast_to(policy, np.broadcast_shapes(policy.shape, q.shape))
    )


# Where they are applied


def check_players(players: Any) -> tuple[int, ...]:
    """The players as a tuple. Raises InputError: none, or one that is not 0 or 1."""
    given = tuple(players) if np.iterable(players) else (players,)
    if not given or any(p not in PLAYERS for p in given):
        raise InputError(f"players={players} are none of (0,), (1,) and (0, 1)")
    return given


def check_parameters(tree: ExtensiveForm, update: Update) -> None:
    """Refuse parameters for another number of infosets."""
    for key, x in update.parameters.items():
        shape = np.shape(x)
        if len(shape) > 1 and shape[-2] not in (1, tree.infosets):
            raise InputError(
                f"update '{update.name}': {key} is given for {shape[-2]} infosets; the game has {tree.infosets}"
            )


def apply_globally(game: Any, policy: Any, update: Update, players: Any = (0, 1)) -> Floats:
    """The global update: at every infoset of `players` at once, action values all from the old joint policy.

    Args:
        game: ExtensiveForm or MatrixGame. policy: (I,A) or (R,I,A). players: who is updated; the others keep theirs.

    Returns:
        (I,A) or (R,I,A); with parameters by replicate (R,1) one policy gives R.

    Raises:
        InputError: no such policy or players, parameters for another number of infosets, and what `Update` refuses.
    """
    tree = as_tree(game)
    pi, single = check_policy(tree, policy)
    mine = np.isin(tree.infoset_player, check_players(players))[:, None]
    check_parameters(tree, update)
    old = pi[0] if single else pi
    new = update(old, action_values(tree, old).q, tree.legal)
    return np.where(mine, new, old)


def local_action_values(game: Any, policy: Any, infoset: int) -> Floats:
    """(A,) q(i,.) of one infoset, from its own histories: their posterior and the subtrees below them, nothing else.

    Equals `action_values(game, policy).q[infoset]` and shares no code with it: histories instead of the sequence form.
    NaN at actions that are not there, and everywhere where the mass is 0. policy: (I,A).
    """
    tree = as_tree(game)
    pi, single = check_policy(tree, policy)
    if not single or not 0 <= infoset < tree.infosets:
        raise InputError(f"give one policy (I,A) and an infoset in 0..{tree.infosets - 1}, not {infoset}")
    parts, edge = branches(tree), edge_probabilities(tree, pi[0])
    mover, me = tree.mover, int(tree.infoset_player[infoset])
    histories = parts.history[parts.history_start[infoset] : parts.history_start[infoset + 1]]
    weight, above = np.ones(histories.size), histories.copy()
    while (above > 0).any():
        foreign = (above > 0) & (mover[tree.parent[above]] != me)
        weight = np.where(foreign, weight * edge[above], weight)
        above = np.where(above > 0, tree.parent[above], 0)
    q = np.full(tree.A, np.nan)
    if weight.sum() == 0.0:
        return q
    weight = weight / weight.sum()
    for a in range(int(tree.infoset_actions[infoset])):
        nodes, share, q[a] = parts.child[parts.child_start[histories] + a], weight, 0.0
        while nodes.size:
            ended = mover[nodes] == TERMINAL
            q[a] += share[ended] @ tree.payoff[nodes[ended], me]
            nodes, share = nodes[~ended], share[~ended]
            size = parts.child_start[nodes + 1] - parts.child_start[nodes]
            place = np.arange(size.sum()) - np.repeat(np.cumsum(size) - size, size)
            nodes = parts.child[np.repeat(parts.child_start[nodes], size) + place]
            share = np.repeat(share, size) * edge[nodes]
    return q


def apply_locally(game: Any, policy: Any, update: Update, infoset: int) -> Floats:
    """(A,) the new row of one decision point, the work of a planner called there: `local_action_values`, then U.

    Composing these rows for all infosets gives `apply_globally`: update equivalence, as an identity. policy: (I,A);
    parameters without an axis for replicates.
    """
    tree = as_tree(game)
    check_parameters(tree, update)
    q = local_action_values(tree, policy, infoset)
    return update.at(infoset)(np.asarray(policy, dtype=np.float64)[infoset], q, tree.legal[infoset])


def grid(game: Any, policy: Any, etas: Any, alphas: Any, players: Any = (0, 1), magnet: Any = None) -> Floats:
    """One exact magnetic step from `policy` (I,A) for all pairs: (m*n,I,A), at j*n + k with etas[j] and alphas[k]."""
    eta, alpha = (x.reshape(-1, 1) for x in np.meshgrid(np.ravel(etas), np.ravel(alphas), indexing="ij"))
    return apply_globally(game, policy, magnetic(eta, alpha, magnet), players)
