"""Play and search by rules alone, where the tree of a game is too large.

A *policy by rules* is a function of (player, infoset, moves) that returns a probability for each move; the infoset is
`GameState.infoset()`. A `Searcher` starts from such a policy, its *blueprint* pi, and at a decision point h of a player

    draws K histories from the posterior of h under pi,
    for each of them and each move a: plays a, then rolls out everyone by pi; q(a) = mean payoff of the player,
    plays from U(pi(h), q), U any update of a row.

Everyone includes the player itself, and the posterior is that of the blueprint even where the players search: then
what is played is, in the limit of the budget, U applied to pi at every decision point [source: sokota2024, algorithm 1
and proposition 1, as quoted by later papers]. A searcher draws anew at every decision: its policy is the mean of what
it may play, and a match is a draw from that.

Match k has streams of its own, Philox with key (seed, k): one for chance and, for each player, one for the moves and
one for the search. So results do not depend on how matches are split, and two players of a seat meet the same chance
and the same draws of the opponent (common random numbers).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from theorylab.errors import InputError
from theorylab.games._beliefs import Belief, Draw, Policy, Populations, Seen, belief, checked, pick, rollout, uniform
from theorylab.games.form import CHANCE, PLAYERS, TERMINAL, ExtensiveForm
from theorylab.games.tree import GameState, _text
from theorylab.games.values import check_policy
from theorylab.parameters import choice, integer

__all__ = [
    "Belief",
    "LowerBound",
    "Matches",
    "Policy",
    "Search",
    "Searcher",
    "TrainedResponse",
    "difference",
    "exploit",
    "first_action",
    "play_matches",
    "table_policy",
    "train_response",
    "uniform",
]

Floats: TypeAlias = NDArray[np.float64]
Update: TypeAlias = Callable[[Floats, Floats, NDArray[np.bool_]], Floats]
#: what became of a decision of a searcher, and moves whose values tied under "argmax"
EVENTS = ("searched", "cut", "fallback", "refused", "ties")


def first_action(player: int, infoset: Hashable, moves: Sequence[Hashable]) -> Sequence[float]:
    """The policy by rules that always plays the first of the moves."""
    return (1.0, *(0.0,) * (len(moves) - 1))


def table_policy(game: ExtensiveForm, policy: Any) -> Policy:
    """A policy (I,A) of a tree as a policy by rules, by the labels of its infosets.

    Raises InputError for a tree without labels or with one twice for a player, for what is no policy, and when asked
    for an infoset that the tree does not have.
    """
    pi, single = check_policy(game, policy)
    if not single:
        raise InputError(f"policy has {len(pi)} tables; give one, (I,A)")
    if not game.labels:
        raise InputError("the tree has no labels; make it from rules by `game_tree`")
    rows = {
        (int(p), label): tuple(row[:n])
        for p, label, row, n in zip(
            game.infoset_player, game.labels, pi[0].tolist(), game.infoset_actions.tolist(), strict=True
        )
    }
    if len(rows) < game.infosets:
        raise InputError("two infosets of a player have the same label; tell them apart by it")

    def row(player: int, infoset: Hashable, moves: Sequence[Hashable]) -> Sequence[float]:
        key = (player, _text(infoset))
        if key not in rows:
            raise InputError(
                f"'{game.name}' has no infoset {infoset!r} of player {player}; give the table of this game"
            )
        return rows[key]

    return row


class Search(NamedTuple):
    """What a search at a decision point found.

    Attributes:
        row: probabilities of the moves, to play from. q: estimated action values of the player, reward units; None
            where nothing was searched.
        event: "searched": the posterior was exact. "cut": the population was resampled on the way. "fallback": no
            history was left, because the blueprint gives the infoset probability 0 or because a cut lost them; all
            consistent histories were taken alike. "refused": none was left even so; the row is the blueprint's.
        tie: two best moves of the same weight under "argmax".
    """

    row: Sequence[float]
    q: Floats | None
    event: str
    tie: bool = False


@dataclass(frozen=True, eq=False)
class Searcher:
    """Update-equivalent search from rules: see the module's text.

    Attributes:
        rules: the empty history.
        blueprint: a policy by rules; for posterior, rollouts and the row that is updated.
        update: (row, q, legal) -> new row, all (moves,) and every move legal: those of `theorylab.games.updates`, say.
        particles: K, histories drawn from the posterior, with replacement; each is used for all moves.
        rollouts: of each history and move.
        histories: the size to which the population that stands for the posterior is cut where it is larger. At
            infosets with no more histories the posterior is exact and q unbiased; else its bias is O(1/histories).
        play: "sample" from the updated row, or "argmax" of it, ties to the first move [source: sokota2024 in Hanabi].

    Costs (own decisions up to now) x histories x (ways to the next own decision) steps of the rules, and
    particles x rollouts x moves rollouts.
    """

    rules: GameState
    blueprint: Policy
    update: Update
    particles: int = 10
    rollouts: int = 1
    histories: int = 1000
    play: str = "sample"
    _known: Populations = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        for name in ("particles", "rollouts", "histories"):
            integer("Searcher", name, getattr(self, name), 1)
        choice("Searcher", "play", self.play, ("sample", "argmax"))

    def belief(self, player: int, seen: Seen, infoset: Hashable, draw: Draw) -> Belief | None:
        """The posterior of the history under the blueprint; where it has none, consistent histories alike; or None.

        `seen` has the player's earlier infosets with its moves there, in order.
        """
        found = belief(self.rules, player, seen, infoset, self.blueprint, self.histories, draw, self._known)
        if found is None:
            found = belief(self.rules, player, seen, infoset, None, self.histories, draw, self._known)
        return found

    def value(self, history: GameState, player: int, draw: Draw) -> float:
        """The player's payoff, reward units, of one rollout by the blueprint."""
        return float(rollout(history, self.blueprint, draw)[player])

    def search(self, player: int, seen: Seen, infoset: Hashable, moves: Sequence[Hashable], draw: Draw) -> Search:
        """The updated row at an infoset of the player. `draw()` is uniform on [0, 1): `np.random.Generator.random`."""
        row = checked(self.blueprint(player, infoset, moves), len(moves), "the blueprint", infoset)
        found = self.belief(player, seen, infoset, draw)
        if found is None:
            return Search(row, None, "refused")
        total = np.zeros(len(moves))
        for history in found.sample(self.particles, draw):
            for a, move in enumerate(moves):
                child = history.child(move)
                for _ in range(self.rollouts):
                    total[a] += self.value(child, player, draw)
        q = total / (self.particles * self.rollouts)
        new = checked(
            np.asarray(self.update(np.asarray(row), q, np.ones(len(moves), bool))).tolist(),
            len(moves),
            "the update",
            infoset,
        )
        event = "fallback" if found.fallback else "searched" if found.exact else "cut"
        if self.play == "sample":
            return Search(new, q, event)
        best = max(range(len(moves)), key=new.__getitem__)
        return Search([float(a == best) for a in range(len(moves))], q, event, list(new).count(new[best]) > 1)


@dataclass(frozen=True, eq=False)
class Matches:
    """Matches `first`, ..., `first` + n - 1 of a seed.

    Attributes:
        payoff: (n,2), reward units.
        counts: of both players (2,): "decisions"; of searchers how many were "searched" with the exact posterior, with
            a "cut" one, by "fallback" or "refused" (see `Search`); and "ties" under "argmax".
    """

    payoff: Floats
    counts: dict[str, tuple[int, int]]
    seed: int
    first: int

    @property
    def mean(self) -> Floats:
        """(2,) mean payoffs."""
        return np.asarray(self.payoff.mean(axis=0))

    @property
    def error(self) -> Floats:
        """(2,) standard errors of the means; infinite for one match."""
        return _error(self.payoff)

    def interval(
        self, player: int, payoffs: tuple[float, float], alpha: float = 0.05, two: bool = False
    ) -> tuple[float, float]:
        """Interval for the expected payoff of a player: covers it with probability at least 1 - alpha.

        By betting (`theorylab.stats.mean`), valid at any n; `payoffs` is the range of the rules, smallest and largest,
        reward units. With `two`, where the rules know no other payoffs (Dark Hex), Clopper-Pearson, narrower.
        Raises InputError for a payoff that is not so.
        """
        return _interval(self.payoff[:, player], payoffs, alpha, two)


def _error(payoff: Floats) -> Floats:
    n = len(payoff)
    return np.asarray(payoff.std(axis=0, ddof=1) / math.sqrt(n) if n > 1 else np.full(payoff.shape[1:], np.inf))


def _interval(values: Floats, payoffs: tuple[float, float], alpha: float, two: bool) -> tuple[float, float]:
    from theorylab.stats.bernoulli import clopper_pearson_lower, clopper_pearson_upper
    from theorylab.stats.mean import from_range, interval

    x = from_range(values, *payoffs)
    if two:
        if (other := (x != 0.0) & (x != 1.0)).any():
            raise InputError(f"payoff {values[other][0]:g} is none of the two {payoffs}; leave out `two`")
        won = int(x.sum())
        low = float(clopper_pearson_lower(won, len(x), alpha / 2.0))
        high = float(clopper_pearson_upper(won, len(x), alpha / 2.0))
    else:
        low, high = interval(x, alpha, fixed_n=len(x))
    span = payoffs[1] - payoffs[0]
    return payoffs[0] + span * low, payoffs[0] + span * high


def difference(one: Matches, two: Matches, player: int) -> tuple[float, float]:
    """Mean and standard error of what a player won more in `one` than in `two`, match by match, reward units.

    Raises InputError for matches of another seed, number or first match.
    """
    if (one.seed, one.first, len(one.payoff)) != (two.seed, two.first, len(two.payoff)):
        raise InputError(
            f"seed {one.seed}, matches {one.first}+{len(one.payoff)} against seed {two.seed}, {two.first}+"
            f"{len(two.payoff)}; play both with the same seed, first and number, so that they share their draws"
        )
    d = one.payoff[:, player] - two.payoff[:, player]
    return float(d.mean()), float(_error(d))


class _Streams:
    """The generators of a match, made at first use."""

    def __init__(self, seed: int, match: int) -> None:
        self.key, self.made = np.array([seed, match], dtype=np.uint64), {}  # type: ignore[var-annotated]

    def draw(self, purpose: int) -> Draw:
        if purpose not in self.made:
            counter = np.array([0, 0, 0, purpose], dtype=np.uint64)
            self.made[purpose] = np.random.Generator(np.random.Philox(key=self.key, counter=counter)).random
        return self.made[purpose]  # type: ignore[no-any-return]


Player: TypeAlias = Policy | Searcher
Trace: TypeAlias = tuple[list[tuple[Hashable, Hashable]], list[tuple[Hashable, Hashable]]]


def _match(
    rules: GameState, players: tuple[Player, Player], streams: _Streams, counts: dict[str, list[int]]
) -> tuple[tuple[float, float], Trace]:
    """Payoffs of a match, and own infosets with moves of both players. Purposes: 0, 1 + player, 3 + player."""
    state, seen = rules, ([], [])  # type: tuple[GameState, Trace]
    while (who := state.mover()) != TERMINAL:
        moves = state.moves()
        if who == CHANCE:
            state = state.child(moves[pick(state.chance(), streams.draw(0))])
            continue
        infoset, player = state.infoset(), players[who]
        counts["decisions"][who] += 1
        if isinstance(player, Searcher):
            found = player.search(who, tuple(seen[who]), infoset, moves, streams.draw(3 + who))
            counts[found.event][who] += 1
            counts["ties"][who] += found.tie
            row = found.row
        else:
            row = checked(player(who, infoset, moves), len(moves), f"player {who}", infoset)
        move = moves[pick(row, streams.draw(1 + who))]
        seen[who].append((infoset, move))
        state = state.child(move)
    return state.payoffs(), seen


def play_matches(rules: GameState, players: tuple[Player, Player], matches: int, seed: int, first: int = 0) -> Matches:
    """Matches `first`, ..., `first + matches - 1` of a seed, from the empty history `rules`.

    Args:
        players: of player 0 and player 1, a policy by rules or a `Searcher`. seed: in [0, 2^64).
    """
    n = integer("play_matches", "matches", matches, 1)
    begin = integer("play_matches", "first", first, 0)
    key = integer("play_matches", "seed", seed, 0, 2**64 - 1)
    counts = {name: [0, 0] for name in ("decisions", *EVENTS)}
    payoff = [_match(rules, players, _Streams(key, k), counts)[0] for k in range(begin, begin + n)]
    return Matches(np.array(payoff, dtype=np.float64), {k: (a, b) for k, (a, b) in counts.items()}, key, begin)


# Approximate best responses


@dataclass(frozen=True, eq=False)
class TrainedResponse:
    """A policy by rules that a training gave: at each key the move that was tried most, ties to the first.

    Attributes:
        player: whose. key: what of an infoset tells its rows apart. table: key -> [tries, summed payoffs] of each move.
        Keys never met are played uniformly.
    """

    player: int
    key: Callable[[Hashable], Hashable]
    table: dict[Hashable, tuple[list[int], list[float]]]

    def __call__(self, player: int, infoset: Hashable, moves: Sequence[Hashable]) -> Sequence[float]:
        """The row at an infoset."""
        found = self.table.get(self.key(infoset))
        if found is None:
            return uniform(player, infoset, moves)
        best = max(range(len(moves)), key=found[0].__getitem__)
        return [float(a == best) for a in range(len(moves))]


def _same(infoset: Hashable) -> Hashable:
    return infoset


def train_response(
    rules: GameState,
    opponent: Player,
    player: int,
    matches: int,
    seed: int,
    payoffs: tuple[float, float],
    key: Callable[[Hashable], Hashable] = _same,
    bonus: float = 0.5,
) -> TrainedResponse:
    """Monte Carlo control against a fixed opponent: at each key a bandit on the payoff at the end of the match.

    Played is the move with the largest mean + bonus (range of payoffs) sqrt(ln tries of the key / tries of the move),
    moves not tried yet first.

    Args:
        key: of an infoset, which ones share a row; with the infoset itself what is learned tends to a best response.
    """
    if player not in PLAYERS:
        raise InputError(f"player={player} is none of 0 and 1")
    n = integer("train_response", "matches", matches, 1)
    wide = bonus * (payoffs[1] - payoffs[0])
    response = TrainedResponse(player, key, {})
    table = response.table

    def learner(who: int, infoset: Hashable, moves: Sequence[Hashable]) -> Sequence[float]:
        tries, won = table.setdefault(key(infoset), ([0] * len(moves), [0.0] * len(moves)))
        log = math.log(sum(tries) + 1.0)
        worth = [w / c + wide * math.sqrt(log / c) if c else math.inf for c, w in zip(tries, won, strict=True)]
        best = max(range(len(moves)), key=worth.__getitem__)
        choices.append((infoset, best))
        return [float(a == best) for a in range(len(moves))]

    choices: list[tuple[Hashable, int]] = []
    counts = {name: [0, 0] for name in ("decisions", *EVENTS)}
    pair = (learner, opponent) if player == 0 else (opponent, learner)
    for k in range(n):
        choices.clear()
        payoff = float(_match(rules, pair, _Streams(seed, k), counts)[0][player])
        for infoset, a in choices:
            tries, won = table[key(infoset)]
            tries[a] += 1
            won[a] += payoff
    return response


@dataclass(frozen=True)
class LowerBound:
    """What one policy earns against a fixed opponent: no more than a best response does.

    Attributes:
        player: whose. mean, error: of the fresh matches, reward units. bound: the best response's value is at least
            this with probability at least 1 - alpha. keys: rows of the table.
    """

    player: int
    mean: float
    error: float
    bound: float
    alpha: float
    matches: int
    keys: int

    def __str__(self) -> str:
        return (
            f"lower bound on the best response of player {self.player}: {self.bound:.4f} at level {self.alpha:g} "
            f"(mean {self.mean:.4f} +- {self.error:.4f} in {self.matches} fresh matches)"
        )


def exploit(
    rules: GameState,
    opponent: Player,
    player: int,
    training: int,
    matches: int,
    seed: int,
    payoffs: tuple[float, float],
    key: Callable[[Hashable], Hashable] = _same,
    alpha: float = 0.05,
    two: bool = False,
) -> LowerBound:
    """A lower bound on the value of a best response to a fixed opponent, from rules alone.

    `train_response` on matches 0, 1, ... of the seed, then fresh ones for the bound. In a zero-sum game half the sum of
    the bounds of both players is a lower bound on the exploitability, at level 2 alpha: not comparable with an exact
    one. `key` as in `train_response`, `two` as in `Matches.interval`.
    """
    response = train_response(rules, opponent, player, training, seed, payoffs, key)
    pair = (response, opponent) if player == 0 else (opponent, response)
    found = play_matches(rules, pair, matches, seed, first=training)
    bound = found.interval(player, payoffs, 2.0 * alpha, two)[0]
    return LowerBound(
        player, float(found.mean[player]), float(found.error[player]), bound, alpha, matches, len(response.table)
    )
