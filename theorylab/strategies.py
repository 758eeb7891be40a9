"""Random objects of reinforcement-learning theory in exact fractions, near equality and with small counterexamples.

Each builder draws from a `Source`, so that one text serves two ends: `Search`, behind which Hypothesis draws and
shrinks, and `Points`, random integers up to N for identities (Schwartz-Zippel). Sizes come first, so that they shrink;
laws are certain in half of the draws, else integer weights 0..4 over their sum, and shrink to certain ones; rewards are
quarters. The only draw that is repeated is a row of weights that are all zero. All entries are `fractions.Fraction`;
`theorylab.lemma_fields.FLOATS.read` gives them as doubles.

`strategy(build, ...)` makes a Hypothesis strategy of a builder for tests of one's own:

    @given(strategy(model, S=(1, 3), A=(1, 2)))
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Points", "Search", "Source", "confidence_set", "deterministic_policy", "features", "kernel", "law", "model",
    "moved", "policy", "preference_matrix", "rewards", "sizes", "strategy", "table", "values", "values_near",
]  # fmt: skip

Fractions = NDArray[np.object_]  # of fractions.Fraction
Range = tuple[int, int]
GAMMAS = (Fraction(1, 2), Fraction(9, 10), Fraction(99, 100))
#: Hypothesis repeats constants that it finds in the modules that are loaded; no module has integers from here on, so
#: that the draws depend on the seed alone
FAR = 3**50


class Source(ABC):
    """Where builders draw from."""

    @abstractmethod
    def integer(self, low: int, high: int) -> int:
        """An integer in low..high; 0 is the simplest, else the least."""

    @abstractmethod
    def size(self, low: int, high: int) -> int:
        """A size in low..high."""

    @abstractmethod
    def number(self, low: int, high: int) -> Fraction:
        """A number in [low, high]: a quarter, or of denominator N."""

    @abstractmethod
    def weights(self, n: int) -> list[int]:
        """n weights, not all zero."""

    @abstractmethod
    def gamma(self) -> Fraction:
        """A discount factor."""


@cache
def _below(n: int) -> Any:
    """The Hypothesis strategy of FAR..FAR+n-1."""
    from hypothesis import strategies as st

    return st.integers(FAR, FAR + n - 1)


@cache
def _weights(n: int) -> Any:
    from hypothesis import strategies as st

    return st.tuples(*[_below(5)] * n).filter(lambda row: any(k > FAR for k in row))


@cache
def _simplest_first(low: int, high: int) -> list[int]:
    return sorted(range(low, high + 1), key=lambda k: (abs(k), k < 0))


class Search(Source):
    """Draws of a Hypothesis test; `draw` is what `hypothesis.strategies.composite` hands over.

    Sizes are at most `most`, where a builder's least size allows it.
    """

    def __init__(self, draw: Callable[[Any], Any], most: int = 1000) -> None:
        self.draw, self.most = draw, most

    def integer(self, low: int, high: int) -> int:
        return _simplest_first(low, high)[self.draw(_below(high - low + 1)) - FAR] if high > low else low

    def size(self, low: int, high: int) -> int:
        return self.integer(low, max(low, min(high, self.most)))

    def number(self, low: int, high: int) -> Fraction:
        return Fraction(self.integer(4 * low, 4 * high), 4)

    def weights(self, n: int) -> list[int]:
        if n == 1 or self.integer(0, 1) == 0:  # bounds are attained where laws are certain
            at = self.integer(0, n - 1)
            return [int(i == at) for i in range(n)]
        return [k - FAR for k in self.draw(_weights(n))]

    def gamma(self) -> Fraction:
        return GAMMAS[self.integer(0, len(GAMMAS) - 1)]


class Points(Source):
    """Independent uniform integers from 1 to N at the largest sizes: points at which an identity is evaluated."""

    def __init__(self, N: int, seed: int) -> None:
        self.N, self.rng = N, np.random.Generator(np.random.Philox(key=seed))

    def integer(self, low: int, high: int) -> int:
        return int(self.rng.integers(low, high + 1))

    def size(self, low: int, high: int) -> int:
        return high

    def number(self, low: int, high: int) -> Fraction:
        return low + Fraction((high - low) * self.integer(1, self.N), self.N)

    def weights(self, n: int) -> list[int]:
        return [self.integer(1, self.N) for _ in range(n)]

    def gamma(self) -> Fraction:
        return Fraction(self.integer(1, self.N), self.N + 1)


def strategy(build: Callable[..., Any], *args: Any, most: int = 1000, **options: Any) -> Any:
    """The Hypothesis strategy whose values are `build(source, *args, **options)`, sizes at most `most`."""
    from hypothesis import strategies as st

    @st.composite
    def drawn(draw: Callable[[Any], Any]) -> Any:
        return build(Search(draw, most), *args, **options)

    return drawn()


def table(entries: Sequence[Any], *shape: int) -> Fractions:
    """Fractions or integers as an object array of the given shape."""
    out = np.empty(len(entries), dtype=object)
    out[:] = [Fraction(x) for x in entries]
    return out.reshape(shape)


def sizes(source: Source, S: Range = (1, 4), A: Range = (1, 3)) -> tuple[int, int]:
    """Numbers of states and actions."""
    return source.size(*S), source.size(*A)


def law(source: Source, n: int, anchored: bool = False) -> Fractions:
    """A law on n outcomes (n,): weights over their sum. `anchored`: outcome 0 has positive probability."""
    weights = source.weights(n)
    if anchored:
        weights[0] += 1
    total = sum(weights)
    return table([Fraction(w, total) for w in weights], n)


def kernel(source: Source, S: int, A: int, anchored: bool = False) -> Fractions:
    """Transition probabilities (S,A,S); `anchored`: state 0 follows every pair with positive probability."""
    return np.stack([law(source, S, anchored) for _ in range(S * A)]).reshape(S, A, S)


def rewards(source: Source, *shape: int, low: int = 0, high: int = 1) -> Fractions:
    """Rewards in [low, high], in quarters."""
    return table([source.number(low, high) for _ in range(int(np.prod(shape)))], *shape)


def model(source: Source, S: Range = (1, 4), A: Range = (1, 3), anchored: bool = False) -> dict[str, Any]:
    """A discounted MDP: S, A, gamma, P (S,A,S), r (S,A) in [0, 1].

    gamma is 1/2, 9/10 or 99/100. `anchored` models reach state 0 from every pair: every policy is unichain.
    """
    states, actions = sizes(source, S, A)
    return dict(
        S=states,
        A=actions,
        gamma=source.gamma(),
        P=kernel(source, states, actions, anchored),
        r=rewards(source, states, actions),
    )


def policy(source: Source, S: int, A: int) -> Fractions:
    """A stochastic policy (S,A)."""
    return np.stack([law(source, A) for _ in range(S)])


def deterministic_policy(source: Source, S: int, A: int) -> NDArray[np.int64]:
    """Actions (S,)."""
    return np.array([source.integer(0, A - 1) for _ in range(S)])


def values(source: Source, n: int, most: int = 2) -> Fractions:
    """Values (n,) in [-most, most]."""
    return rewards(source, n, low=-most, high=most)


def values_near(source: Source, v_star: Fractions, e: Fraction) -> Fractions:
    """v_star + e*s with s in {-1, 0, 1}^S: where bounds in |v - v_star| <= e are attained."""
    return np.asarray(v_star + e * table([source.integer(-1, 1) for _ in v_star], len(v_star)))


def moved(source: Source, P: Fractions, unit: int = 20) -> Fractions:
    """Another kernel near P (...,n): in each row 0 to 4 parts in `unit` of one entry's mass go to another entry."""
    out = P.copy()
    for row in out.reshape(-1, out.shape[-1]):
        n = len(row)
        where, to, parts = source.integer(0, n - 1), source.integer(0, n - 1), source.integer(0, 4)
        mass = row[where] * Fraction(parts, unit)
        row[where] -= mass
        row[to] += mass
    return out


def confidence_set(source: Source, n: int) -> tuple[Fractions, Fraction, Fractions]:
    """(p_hat, radius, p): a law, the radius of an l1 ball around it, and a law in the ball, often on its edge."""
    p_hat = law(source, n)
    p = moved(source, p_hat)
    distance = sum((abs(x - y) for x, y in zip(p, p_hat, strict=True)), Fraction(0))
    return p_hat, distance + Fraction(source.integer(0, 2), 20), p


def features(source: Source, n: int, d: int) -> Fractions:
    """Feature vectors (n,d) with entries in [-1, 1], in quarters."""
    return rewards(source, n, d, low=-1)


def preference_matrix(source: Source, n: int) -> Fractions:
    """A skew-symmetric matrix (n,n) in [-1, 1]: twice the probability that row beats column, less 1."""
    out = table([0] * (n * n), n, n)
    for i in range(n):
        for j in range(i):
            out[i, j] = source.number(-1, 1)
            out[j, i] = -out[i, j]
    return out
