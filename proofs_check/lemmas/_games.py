"""Games of two players with a hidden deal and three moves, in any field: draws, values, feedback, a planner.

    deal (c,d) ~ chance (C,D); player 0 sees c, plays a; player 1 sees d and a, plays b; player 0 sees b too, plays e;
    payoff U[c,d,a,b,e], common to both players

Player 0 has a later decision of its own, both have hidden cards, and recall is perfect. A policy is a triple of rows:
first (C,A), reply (D,A,B), last (C,A,B,E), each row a law. At an infoset h, with the sums over the hidden card,

    mass(h)              reach of h by chance and the other player
    counterfactual(h,a)  sum of reach by chance and the other player times the expected payoff after a
    q(h,a)               counterfactual / mass, the expected payoff given that h is reached; 0 here where mass is 0

`feedback` has them from one pass over arrays. `Planner` computes the same at one infoset, as search does: the histories
of that infoset alone, their posterior by the other player's moves, and the rest of the game played out by recursion.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from proofs_check.lemmas._mdp import Array
from theorylab.lemma_fields import Field, Instance
from theorylab.strategies import Source, table

Rows = tuple[Array, Array, Array]
Integers = Callable[[Source, int], list[int]]
Update = Callable[[Array, Array], Array]  # (p, q), actions along the last axis -> new p
#: balls cannot show that two sides are equal, only that they are this close; added where they may be equal
CLOSE = Fraction(1, 2**120)
#: stepsizes, 1/payoff
PALETTE = (Fraction(1), Fraction(1, 4), Fraction(4), Fraction(16), Fraction(50))


def many(source: Source, n: int) -> list[int]:
    """n integers for an identity: up to N at random points."""
    return source.weights(n)


def packed(source: Source, n: int) -> list[int]:
    """n integers 0..4 for an inequality, five to a draw, since a game has many and each draw of a search costs."""
    drawn = [source.integer(0, 5 ** min(5, n - k) - 1) for k in range(0, n, 5)]
    return [drawn[k // 5] // 5 ** (k % 5) % 5 for k in range(n)]


def rows(drawn: list[int], shape: tuple[int, ...], interior: bool = False) -> Array:
    """Laws along the last axis, from integer weights; the first action where all are 0. `interior`: no zeros."""
    weights = np.array(drawn, dtype=object).reshape(-1, shape[-1]) + int(interior)
    weights[:, 0] += (weights.sum(axis=1) == 0) * 1
    return table([Fraction(w, sum(row)) for row in weights.tolist() for w in row], *shape)


def policy(source: Source, x: Instance, integers: Integers = packed, interior: bool = False) -> Rows:
    """Rows of both players."""
    C, D, A, B, E = x["U"].shape
    shapes = (C, A), (D, A, B), (C, A, B, E)
    first, reply, last = (rows(integers(source, int(np.prod(shape))), shape, interior) for shape in shapes)
    return first, reply, last


def game(source: Source, integers: Integers = packed, signed: bool = True, most: int = 3) -> Instance:
    """A game: chance (C,D), up to `most` cards each; payoffs (C,D,A,B,E), A and B from 2 to `most`, E = 2.

    Payoffs are in [-1, 1] if `signed`, else in [0, 1]; at random points large integers.
    """
    C, D, A, B = source.size(1, most), source.size(1, most), source.size(2, most), source.size(2, most)
    chance = rows(integers(source, C * D), (1, C * D)).reshape(C, D)
    payoffs = [Fraction(w, 2) - 1 if signed else Fraction(w, 4) for w in integers(source, 2 * C * D * A * B)]
    return {"chance": chance, "U": table(payoffs, C, D, A, B, 2)}


def signalling(source: Source) -> Instance:
    """Two cards of player 0, none of player 1, whose reply must name the card: hard for two who change the code."""
    U = np.zeros((2, 1, 2, 2, 2), dtype=np.int64)
    U[0, :, :, 0], U[1, :, :, 1] = 1, 1
    return {"chance": rows(packed(source, 2), (1, 2)).reshape(2, 1), "U": table(U.ravel().tolist(), *U.shape)}


def with_policy(source: Source, x: Instance, integers: Integers = packed, interior: bool = False) -> Instance:
    """A game and a joint policy."""
    first, reply, last = policy(source, x, integers, interior)
    return {**x, "first": first, "reply": reply, "last": last}


def joint(x: Any) -> Rows:
    """The policy of an instance."""
    return x.first, x.reply, x.last


def number_of_rows(x: Instance) -> int:
    """Laws in an instance with one policy, the deal included."""
    C, D, A, B, _ = x["U"].shape
    return int(1 + C + D * A + C * A * B)


def _on_leaves(x: Any, pi: Rows) -> tuple[Array, Array, Array, Array]:
    first, reply, last = pi
    return x.chance[:, :, None, None, None], first[:, None, :, None, None], reply[None, ..., None], last[:, None]


def leaves(x: Any, pi: Rows) -> Array:
    """Probabilities of the ends (C,D,A,B,E)."""
    deal, first, reply, last = _on_leaves(x, pi)
    return np.asarray(deal * first * reply * last)


def value(x: Any, pi: Rows) -> Any:
    """Expected payoff. Linear in each of the three tables of rows."""
    return (leaves(x, pi) * x.U).sum()


class Feedback(NamedTuple):
    """At the infosets of one table of rows: mass and reach (by all players) like a row's index, the rest like the rows.

    Attributes: mass, reach, counterfactual, q (see the text of the module).
    """

    mass: Array
    reach: Array
    counterfactual: Array
    q: Array


def _feedback(mass: Array, own: Any, counterfactual: Array) -> Feedback:
    return Feedback(mass, mass * own, counterfactual, counterfactual / (mass + (mass == 0) * 1)[..., None])


def feedback(x: Any, pi: Rows) -> tuple[Feedback, Feedback, Feedback]:
    """Action values under pi of the first move, the reply and the last move."""
    deal, first, reply, last = _on_leaves(x, pi)
    return (
        _feedback(x.chance.sum(axis=1), 1, (deal * reply * last * x.U).sum(axis=(1, 3, 4))),
        _feedback((x.chance[..., None] * pi[0][:, None]).sum(axis=0), 1, (deal * first * last * x.U).sum(axis=(0, 4))),
        _feedback(
            (x.chance[..., None, None] * pi[1][None]).sum(axis=1), pi[0][..., None], (deal * reply * x.U).sum(axis=1)
        ),
    )


def updated(x: Any, pi: Rows, update: Update) -> Rows:
    """The rows after all of them are updated at once by their action values under pi; those without mass stay."""
    first, reply, last = (
        np.where((at.mass == 0)[..., None], p, update(p, at.q)) for p, at in zip(pi, feedback(x, pi), strict=True)
    )
    return first, reply, last


def shares(weights: Array) -> Array:
    """Weights over their sum along the last axis."""
    return np.asarray(weights / weights.sum(axis=-1, keepdims=True))


def exponential(f: Field, p: Array, q: Array, eta: Any) -> Array:
    """Mirror descent: p' proportional to p exp(eta q)."""
    return shares(p * f.exp(eta * q))


def stepsizes(x: Instance, draw: Callable[[int], list[Any]]) -> dict[str, Array]:
    """A stepsize for each infoset, `draw` so many."""
    C, D, A, B, _ = x["U"].shape
    shapes = {"eta_first": (C,), "eta_reply": (D, A), "eta_last": (C, A, B)}
    return {name: table(draw(int(np.prod(shape))), *shape) for name, shape in shapes.items()}


class Planner(NamedTuple):
    """Search at one infoset: posterior, expected payoffs of the actions, local update.

    Attributes: blueprint, the rows that are updated; rollout, those that the game is played out by; belief, those of
    the posterior, all three the blueprint; update, (p, q) -> new p; conditional, whether sums are over a posterior.
    """

    blueprint: Rows
    rollout: Rows
    belief: Rows
    update: Update
    conditional: bool = True

    def decide(self, x: Any, f: Field, moves: tuple[int, ...], card: int) -> Array:
        """The row of the player that has a card of index `card` and has seen the moves."""
        owner, total = len(moves) % 2, f.number(0)
        p = _row(self.blueprint, (card, card, *moves))  # of a deal it reads the mover's card
        q = f.array([f.number(0)] * len(p))
        for hidden in range(x.chance.shape[1 - owner]):
            deal = (hidden, card) if owner else (card, hidden)
            weight = x.chance[deal]
            for k in range(len(moves)):
                if k % 2 != owner:
                    weight = weight * _row(self.belief, (*deal, *moves[:k]))[moves[k]]
            total = total + weight
            q = q + weight * f.array([_play_out(x, self.rollout, (*deal, *moves, a)) for a in range(len(p))])
        if total == 0:
            return p  # never reached: nothing to search with
        return self.update(p, q / total if self.conditional else q)


def _row(pi: Rows, history: tuple[int, ...]) -> Array:
    """The mover's row after a deal and moves."""
    c, d, *moves = history
    return np.asarray(pi[len(moves)][(d if len(moves) % 2 else c, *moves)])


def _play_out(x: Any, pi: Rows, history: tuple[int, ...]) -> Any:
    """Expected payoff from a history on."""
    if len(history) == x.U.ndim:
        return x.U[history]
    return sum(p * _play_out(x, pi, (*history, a)) for a, p in enumerate(_row(pi, history)))


def planned(x: Any, planner: Planner, f: Field) -> Rows:
    """The joint policy of planners that are called at every infoset, each on its own."""
    out = []
    for old in planner.blueprint:
        new = old.copy()
        for card, *moves in np.ndindex(*old.shape[:-1]):
            new[(card, *moves)] = planner.decide(x, f, tuple(moves), card)
        out.append(new)
    return out[0], out[1], out[2]
