"""What searchers play: rows of many seeds, the policy pbar that they average to, and how well it is known.

Where an update U is not linear, a searcher that draws its own action values qhat plays

    pbar(i,.) = E over the searcher's draws of U(pi(i,.), qhat),

not U at the exact values; every statement about the searcher is one about pbar. The table of a single seed is another
policy, much easier to exploit, since a best response may use its noise.

A `SearchResult` estimates pbar by the average over M seeds. What holds of that average [derived]: with exact beliefs
its rows at different infosets are independent, so its expected payoff is unbiased; its exploitability is convex in
realisation plans, so that it is biased upward; and responses chosen on some seeds and tried on others earn in
expectation at most the exploitability of pbar.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from theorylab.errors import InputError
from theorylab.games.form import PLAYERS, ExtensiveForm
from theorylab.games.values import best_response, expected_value, exploitability, require_zero_sum

__all__ = ["Estimate", "SearchResult", "jackknife"]

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]


class Estimate(NamedTuple):
    """A quantity of pbar, by a delete-group jackknife over seeds.

    Attributes:
        plain: of the average over all seeds. corrected: less the jackknife's estimate of its bias.
        error: standard error, of both where the quantity is smooth; NaN for a single seed, 0 for an exact search.
    """

    plain: float
    corrected: float
    error: float


@dataclass(frozen=True, eq=False)
class SearchResult:
    """The rows that searchers with M seeds play at S infosets, and pbar.

    Attributes:
        game: the game. blueprint: (I,A). infosets: (S,) where search was done; elsewhere the blueprint is played.
        rows: (M,S,A) what each seed's searcher plays there. seeds: their indices.
        settings: what it was called with.
        zero_mass: infosets among the S that the blueprint leaves no mass; its rows are kept there.
        ties: pairs of seed and infoset where an argmax was tied (play="argmax", or a greedy update).
        fallbacks, short: see `theorylab.games.search.SampledValues`.
        rollouts: plays to the end of the game, all seeds together.
    """

    game: ExtensiveForm
    blueprint: Floats
    infosets: Ints
    rows: Floats
    seeds: range
    settings: dict[str, Any]
    zero_mass: int
    ties: int
    fallbacks: int
    short: int
    rollouts: int

    def tables(self, rows: Any) -> Floats:
        """(R,I,A) policies with rows (R,S,A) at the infosets that were searched."""
        out: Floats = np.repeat(self.blueprint[None], len(rows), axis=0)
        out[:, self.infosets] = rows
        return out

    @property
    def policy(self) -> Floats:
        """(I,A) the estimate of pbar: the average over seeds."""
        out: Floats = self.tables(self.rows.mean(axis=0)[None])[0]
        return out

    @property
    def stderr(self) -> Floats:
        """(I,A) standard error of each entry of `policy`: 0 for an exact search, NaN for one seed."""
        out = np.zeros_like(self.blueprint)
        if self.settings["rollouts"] is not None:
            M = len(self.rows)
            out[self.infosets] = self.rows.std(axis=0, ddof=1) / np.sqrt(M) if M > 1 else np.nan
        return out

    def estimate(self, quantity: Callable[[Floats], Any], groups: int = 20) -> Estimate:
        """A quantity of pbar: `quantity` maps policies (R,I,A) to (R,)."""
        if self.settings["rollouts"] is None:
            exact = float(quantity(self.policy[None])[0])
            return Estimate(exact, exact, 0.0)
        return jackknife(lambda rows: quantity(self.tables(rows)), self.rows, groups)

    def value(self, player: int = 0, groups: int = 20) -> Estimate:
        """Expected payoff of a player when pbar is played, reward units."""
        return self.estimate(lambda pi: expected_value(self.game, pi)[:, player], groups)

    def exploitability(self, groups: int = 20) -> Estimate:
        """Exploitability of pbar, reward units; `plain` is biased upward.

        The correction presumes a smooth bias, of order 1/M. Where best responses change with the noise it removes a
        part of it, and `corrected` varies more than `error` says, about twice as much in small searches of abrupt Dark
        Hex: a statement with confidence is `exploitability_interval`. Raises InputError for a game not zero-sum.
        """
        require_zero_sum(self.game)
        return self.estimate(lambda pi: exploitability(self.game, pi), groups)

    def exploitability_floor(self, groups: int = 20) -> Estimate:
        """What best responses to the first half of the seeds earn against the second half: at most the exploitability
        of pbar in expectation, and smooth in the rows that it is averaged over, so that `error` is sound.

        With particles the rows of a seed share plays, and the statement is only nearly right. Needs a zero-sum game
        and four seeds.
        """
        require_zero_sum(self.game)
        if self.settings["rollouts"] is None:
            return self.exploitability(groups)
        half = len(self.rows) // 2
        if half < 2:
            raise InputError(f"{len(self.rows)} seeds: give four at least, half of them to choose responses")
        against = self.tables(self.rows[:half].mean(axis=0)[None])[0]
        chosen = [best_response(self.game, against, p).actions for p in PLAYERS]

        def gain(rows: Floats) -> Floats:
            out = np.zeros(len(rows))
            for p in PLAYERS:
                played = self.tables(rows)
                played[:, self.game.sequences[p].infosets] = np.arange(self.game.A) == chosen[p][:, None]
                out += expected_value(self.game, played)[:, p] / 2.0
            return out

        return jackknife(gain, self.rows[half:], groups)

    def exploitability_interval(self, confidence: float = 0.95, groups: int = 20) -> tuple[float, float]:
        """Bounds of the exploitability of pbar: the floor less, and the upward-biased average plus, its error.

        Errors times Student's t at (1 + confidence)/2, a degree of freedom less than groups (of 20 seeds' halves: 9).
        """
        if self.settings["rollouts"] is None:
            return (self.exploitability().plain,) * 2
        low, high = self.exploitability_floor(groups), self.exploitability(groups)
        M = len(self.rows)
        ends = [float(stdtrit(min(groups, size) - 1, (1.0 + confidence) / 2.0)) for size in (M - M // 2, M)]
        return low.plain - ends[0] * low.error, high.plain + ends[1] * high.error

    def realised_exploitability(self) -> Floats:
        """(M,) exploitability of each seed's single realised table, NOT of what the searcher plays; reward units."""
        out: Floats = exploitability(self.game, self.tables(self.rows))
        return out

    def realised_value(self, player: int = 0) -> Floats:
        """(M,) expected payoff of a player under each seed's single realised table, reward units."""
        out: Floats = expected_value(self.game, self.tables(self.rows))[:, player]
        return out

    def join(self, other: SearchResult) -> SearchResult:
        """This result and that of the seeds right after it: the bits are those of one call with all seeds."""
        same = self.game is other.game and self.settings == other.settings
        if not same or not np.array_equal(self.infosets, other.infosets):
            raise InputError("only results of the same search can be joined, with the same update object")
        if self.seeds.stop != other.seeds.start or not np.array_equal(self.blueprint, other.blueprint):
            raise InputError(f"seeds {other.seeds} do not follow {self.seeds}, or the blueprint is another")
        return replace(
            self,
            rows=np.concatenate([self.rows, other.rows]),
            seeds=range(self.seeds.start, other.seeds.stop),
            ties=self.ties + other.ties,
            fallbacks=self.fallbacks + other.fallbacks,
            short=self.short + other.short,
            rollouts=self.rollouts + other.rollouts,
        )


def _groups(rows: Floats, groups: int) -> tuple[Floats, Ints]:
    """Sums of the rows of each group of neighbouring seeds, and the groups' sizes, equal up to one."""
    M = len(rows)
    G = min(groups, M)
    if G < 2:
        raise InputError(f"{groups} groups of {M} seeds: give two groups and two seeds at least")
    first = np.arange(G) * M // G
    return np.add.reduceat(rows, first, axis=0), np.diff(np.append(first, M))


def jackknife(quantity: Callable[[Floats], Any], rows: Any, groups: int = 20) -> Estimate:
    """Delete-group jackknife of a function of an average: its value, bias-corrected, with a standard error.

    Args:
        quantity: maps averages (R,...) to (R,). rows: (M,...), independent and of one law. groups: G of neighbouring
            rows, of sizes m_j equal up to one (M groups if M is less).

    With theta of all rows, theta_j of all but group j and h_j = M/m_j: corrected G theta - sum_j (1 - m_j/M) theta_j,
    and its variance is the mean of (h_j theta - (h_j - 1) theta_j - corrected)^2 / (h_j - 1). Source: Busing, Meijer
    and van der Leeden (Delete-m jackknife for unequal m, 1999) [recalled]. Raises InputError for groups < 2.
    """
    table = np.asarray(rows, dtype=np.float64)
    if len(table) == 1:
        one = float(quantity(table)[0])
        return Estimate(one, one, float("nan"))
    sums, sizes = _groups(table, groups)
    whole, M = sums.sum(axis=0), sizes.sum()
    shape = (-1,) + (1,) * (table.ndim - 1)
    without = np.asarray(quantity((whole - sums) / (M - sizes).reshape(shape)))
    plain = float(quantity((whole / M)[None])[0])
    corrected = float(sizes.size * plain - ((1.0 - sizes / M) * without).sum())
    h = M / sizes
    parts = h * plain - (h - 1.0) * without
    return Estimate(plain, corrected, float(np.sqrt(np.mean((parts - corrected) ** 2 / (h - 1.0)))))
