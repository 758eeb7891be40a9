"""What rules alone give: policies by rules, rollouts, and the posterior of a history by a filter along own infosets.

`draw()` gives a uniform number in [0, 1), such as the method `random` of a generator of NumPy.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Hashable, Sequence
from itertools import accumulate
from typing import NamedTuple, TypeAlias

from theorylab.errors import InputError
from theorylab.games.form import CHANCE, TERMINAL
from theorylab.games.tree import GameState
from theorylab.validate import SUM_TOLERANCE

Draw: TypeAlias = Callable[[], float]
Policy: TypeAlias = Callable[[int, Hashable, Sequence[Hashable]], Sequence[float]]
#: own infosets of a player with the moves it made there, in order
Seen: TypeAlias = tuple[tuple[Hashable, Hashable], ...]
Populations: TypeAlias = dict[tuple[int, Seen, Hashable], tuple[list[GameState], list[float]]]

KEPT = 64  # populations in memory


def uniform(player: int, infoset: Hashable, moves: Sequence[Hashable]) -> Sequence[float]:
    """The policy by rules that plays all moves alike. Rollouts know it and do not ask for infosets."""
    return (1.0 / len(moves),) * len(moves)


def checked(row: Sequence[float], size: int, whose: str, infoset: Hashable) -> Sequence[float]:
    """The row, if it is a law on `size` moves."""
    if len(row) != size or not min(row) >= 0.0 or not abs(sum(row) - 1.0) <= SUM_TOLERANCE:
        raise InputError(
            f"{whose} gives {[float(x) for x in row]} at infoset {infoset!r} with {size} moves; give a probability "
            "for each move, sum one"
        )
    return row


def pick(row: Sequence[float], draw: Draw) -> int:
    """An index with the probabilities of a row, by one draw."""
    u, below, last = draw(), 0.0, 0
    for i, x in enumerate(row):
        if x > 0.0:
            below, last = below + x, i
            if u < below:
                return i
    return last  # u lies in the rounding of the sum


def law(policy: Policy, state: GameState, who: int, moves: Sequence[Hashable]) -> Sequence[float]:
    """Probabilities of the moves of a player that follows the policy, or of chance."""
    if who == CHANCE:
        return state.chance()
    if policy is uniform:
        return (1.0 / len(moves),) * len(moves)
    infoset = state.infoset()
    return checked(policy(who, infoset, moves), len(moves), "the policy", infoset)


def rollout(state: GameState, policy: Policy, draw: Draw) -> tuple[float, float]:
    """Payoffs of both players, when both follow the policy from a history on: one draw a move."""
    while (who := state.mover()) != TERMINAL:
        moves = state.moves()
        if policy is uniform and who != CHANCE:
            state = state.child(moves[int(draw() * len(moves))])
        else:
            state = state.child(moves[pick(law(policy, state, who, moves), draw)])
    return state.payoffs()


class Belief(NamedTuple):
    """A law on the histories of an infoset.

    Attributes:
        histories, weights: what it may be, and the probabilities, sum one.
        exact: whether it is the posterior itself; else the population was cut, by resampling, on the way.
        fallback: whether the policy left no history, so that all consistent histories are taken alike.
    """

    histories: list[GameState]
    weights: list[float]
    exact: bool
    fallback: bool

    def sample(self, n: int, draw: Draw) -> list[GameState]:
        """Independent draws, with replacement."""
        below = list(accumulate(self.weights))
        last = len(below) - 1
        return [self.histories[min(bisect_right(below, draw() * below[-1]), last)] for _ in range(n)]


def after(
    histories: list[GameState],
    weights: list[float],
    player: int,
    move: Hashable,
    infoset: Hashable,
    policy: Policy | None,
) -> tuple[list[GameState], list[float]]:
    """Those ways to go on from weighted histories that lead to an own infoset, weights times their probabilities.

    The player makes its `move` (None: it has made none before) and is at `infoset` when it moves next; all others and
    chance follow the policy. With None every way that chance allows has weight 1.
    """
    found: list[GameState] = []
    mass: list[float] = []
    todo = [(h if move is None else h.child(move), w) for h, w in zip(histories, weights, strict=True)]
    todo.reverse()
    while todo:
        state, w = todo.pop()
        who = state.mover()
        if who == player:
            if state.infoset() == infoset:
                found.append(state)
                mass.append(w)
        elif who != TERMINAL:
            moves = state.moves()
            row = law(policy or uniform, state, who, moves)
            todo += [(state.child(m), w * x if policy else w) for m, x in zip(moves, row, strict=True) if x > 0.0]
    return found, mass


def resample(
    histories: list[GameState], weights: list[float], size: int, draw: Draw
) -> tuple[list[GameState], list[float]]:
    """At most `size` of the histories, those drawn several times once: systematic, so no weight changes in mean."""
    scale, u = size / sum(weights), draw()
    kept: list[GameState] = []
    copies: list[float] = []
    before, below = 0, 0.0
    for h, w in zip(histories, weights, strict=True):
        below += w * scale
        n = int(below + u)
        if n > before:
            kept.append(h)
            copies.append(float(n - before))
            before = n
    return kept, copies


def belief(
    root: GameState, player: int, seen: Seen, infoset: Hashable, policy: Policy | None, size: int, draw: Draw,
    known: Populations,
) -> Belief | None:  # fmt: skip
    """The posterior of a history given all own infosets up to now, or None where no history is left.

    From own infoset to own infoset the population is carried on by `after`, hence exact, and cut to `size` where it is
    larger. `known` keeps populations that were never cut; they do not depend on the draws.
    """
    path = (*(x for x, _ in seen), infoset)
    histories, weights, exact, start = [root], [1.0], True, 0
    for k in range(len(path) - 1, -1, -1):
        if policy is not None and (player, seen[:k], path[k]) in known:
            histories, weights = known[player, seen[:k], path[k]]
            start = k + 1
            break
    for k in range(start, len(path)):
        histories, weights = after(histories, weights, player, seen[k - 1][1] if k else None, path[k], policy)
        if not histories:
            return None
        if len(histories) > size:
            histories, weights = resample(histories, weights, size, draw)
            exact = False
        elif exact and policy is not None:
            if len(known) >= KEPT:
                known.clear()
            known[player, seen[:k], path[k]] = histories, weights
    total = sum(weights)
    return Belief(histories, [w / total for w in weights], exact, policy is None)
