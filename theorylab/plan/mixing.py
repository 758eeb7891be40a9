"""The stationary law of a policy and its mixing time, certified.

    mu = mu K,  sum mu = 1                                  stationary_distribution(model, pi)
    min {t >= 0: max_s TV(K^t(s,.), mu) <= epsilon}         mixing_time(model, pi, epsilon), in steps

K (S,S) is the chain of the policy, TV half of the 1-norm (Levin, Peres and Wilmer, Markov Chains and Mixing Times,
section 4.5) [recalled]. Exact model: rows of P and of a stochastic pi divided by their exact sums.

Error of the law. Let mu_hat sum to 1, rho = mu_hat - mu_hat K, and W[s] the expected time to a recurrent state ref. For
f with values in [0,1] the solution of h - K h = f - mu f with h[ref] = 0 has h[s] = E_s sum_{t < tau} (f - mu f), so
its span is at most max W, and (mu_hat - mu) f = rho h. As rho sums to 0, TV(mu_hat, mu) <= |rho|_1 max W / 2. W is
bounded by w / c for any w >= 0 with w - K w >= c > 0 off ref [derived].

Error of powers. If A, B are within e, f of K^a, K^b in the norm max_s |row|_1, the computed A B is within
e (1 + f) + f + gamma_S (1 + e)(1 + f) of K^(a+b) [derived]. The distance does not increase with t, so that bisection
over t, with products of the stored squares, finds where it passes epsilon. If it comes within rounding of epsilon the
answer is a bracket; up to EXACT_STATES states and EXACT_STEPS steps it is then settled in exact fractions.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from theorylab.errors import InputError
from theorylab.model import TabularMDP
from theorylab.plan.average_reward import average_reward
from theorylab.plan.certify import Rounding, U, dot_bound
from theorylab.plan.chains import Poisson, policy_chain, policy_graph
from theorylab.plan.record import Certified
from theorylab.plan.structure import period, require_unichain

__all__ = ["mixing_time", "stationary_distribution"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST_STATES = 4_000  # of dense powers
EXACT_STATES = 12
EXACT_STEPS = 512
EXACT_BITS = 100_000  # of the largest denominator of a power, about


class _Law(NamedTuple):
    chain: Any
    mu: Floats
    error: float  # of mu, in total variation
    drift: float  # bound on max_s |chain[s] - K[s]|_1
    members: Ints  # the recurrent class
    graph: Any


def _law(model: TabularMDP, pi: NDArray[Any]) -> _Law:
    if model.stage_dependent:
        raise InputError(f"needs stationary transitions; P has shape {model.P.shape}: give P of shape (S, A, S)")
    chain, _ = policy_chain(model, pi)
    graph = policy_graph(model, pi, chain)
    members = require_unichain(graph)
    rounding = Rounding.of(model)
    drift = rounding.defect
    if pi.ndim == 2:
        off = float(np.abs(pi.sum(axis=1) - 1).max()) + 2 * dot_bound(model.A + 1)
        drift = (drift + off + drift * off) * (1 + 8 * U)
    if members.size == 1:
        unit = np.zeros(model.S)
        unit[members] = 1.0
        return _Law(chain, unit, 0.0, drift, members, graph)
    # only the class matters: the law is 0 elsewhere, for sure
    inner = chain[members][:, members]
    system = Poisson(inner, 0)
    part = np.abs(system.stationary())
    if not 0 < part.sum() < np.inf:
        raise InputError(
            f"the stationary law on states {members[:8].tolist()} is singular in double precision: probabilities that "
            "lead out of some of them are below 1e-16; raise them, or set them to 0"
        )
    part /= part.sum()
    mu = np.zeros(model.S)
    mu[members] = part
    w = system.hitting(int(np.argmax(part)))
    w_max = float(w.max())
    row_terms = int(np.diff(graph.indptr).max())
    column_terms = int(np.bincount(graph.indices, minlength=1).max())
    with np.errstate(invalid="ignore"):
        fall = np.delete(w - inner @ w, int(np.argmax(part)))
    c = float(fall.min()) - ((dot_bound(row_terms) * (1 + drift) + drift + 4 * U) * w_max) * (1 + 8 * U)
    total = abs(float(part.sum()) - 1.0) + dot_bound(part.size)
    rest = float(np.abs(part - part @ inner).sum()) * (1 + dot_bound(part.size))
    rest += (dot_bound(column_terms + 2) * (1 + drift) + drift + 2 * U) * (1 + 2 * total)
    good = c > 0 and (np.delete(w, int(np.argmax(part))) > 0).all()
    error = (rest * w_max / (2 * c) * (1 + 2 * total) + total) * (1 + 16 * U) if good else float("inf")
    return _Law(chain, mu, error, drift, members, graph)


def stationary_distribution(model: TabularMDP, pi: NDArray[Any]) -> Certified:
    """The stationary law of a policy with one recurrent class: float64 (S,), exactly 0 on transient states.

    `error` bounds the distance in total variation (half of the 1-norm), hence the error of each entry too; it is
    infinite where nothing could be proved. pi int (S,) or float (S,A). Periodic policies are allowed.

    Raises:
        InputError: stage-dependent transitions, several recurrent classes (named), or a chain singular in double
            precision.
    """
    law = _law(model, pi)
    return Certified(law.mu, law.error)


class _Powers:
    """Powers of the chain with bounds on their errors, and the distance to stationarity with its error."""

    def __init__(self, law: _Law) -> None:
        self.law = law
        dense = law.chain if isinstance(law.chain, np.ndarray) else law.chain.toarray()
        self.squares = [(dense, law.drift)]
        self.S = dense.shape[0]
        self.gamma = dot_bound(self.S)

    def times(self, a: tuple[Floats, float], b: tuple[Floats, float]) -> tuple[Floats, float]:
        e, f = a[1], b[1]
        return a[0] @ b[0], (e * (1 + f) + f + self.gamma * (1 + e) * (1 + f)) * (1 + 8 * U)

    def square(self, k: int) -> tuple[Floats, float]:
        """Chain to the power 2^k."""
        while len(self.squares) <= k:
            self.squares.append(self.times(self.squares[-1], self.squares[-1]))
        return self.squares[k]

    def distance(self, a: tuple[Floats, float]) -> tuple[float, float]:
        distance = float(np.abs(a[0] - self.law.mu).sum(axis=1).max()) / 2
        error = a[1] / 2 + self.law.error + (dot_bound(self.S) + 2 * U) * (distance + 2 * U)
        return distance, error * (1 + 8 * U)

    def last(self, above: Callable[[float, float], bool], k: int) -> int:
        """The largest t < 2^k with `above` at t (and at all smaller ones); -1 if there is none."""
        power: tuple[Floats, float] = (np.eye(self.S), 0.0)
        if not above(*self.distance(power)):
            return -1
        t = 0
        for j in range(k - 1, -1, -1):
            further = self.times(power, self.square(j))
            if above(*self.distance(further)):
                power, t = further, t + 2**j
        return t


def mixing_time(model: TabularMDP, pi: NDArray[Any] | None = None, epsilon: float = 0.25) -> Certified:
    """The mixing time of a policy in steps: an integer `value`, with `error` 0 where it is decided, as is the rule.

    Args:
        model: stationary, up to MOST_STATES states.
        pi: int (S,) or float (S,A); None: the policy of largest average reward.
        epsilon: total variation distance, in (0, 1).

    Raises:
        InputError: a periodic policy (names the period), one with several recurrent classes (named), an `epsilon` out
            of range, too many states, or a chain too slow for float64.
    """
    if not 0 < epsilon < 1:
        raise InputError(f"epsilon is {epsilon}; give a distance in (0, 1)")
    if model.S > MOST_STATES:
        raise InputError(f"mixing times need dense powers of the chain: {model.S} states are more than {MOST_STATES}")
    law = _law(model, average_reward(model).pi if pi is None else pi)
    if (d := period(law.graph, law.members)) > 1:
        raise InputError(
            f"the policy is periodic with period {d}: its law never settles, so it has no mixing time; "
            "mix in a self-loop (a lazy chain), or use stationary_distribution"
        )
    powers = _Powers(law)
    k = 0
    while True:
        distance, error = powers.distance(powers.square(k))
        if distance + error <= epsilon:
            break
        if not error < epsilon / 4:
            raise InputError(
                f"after 2^{k} steps the distance {distance:.3g} is known to {error:.2g} only, too coarse for epsilon "
                f"{epsilon}: the chain mixes too slowly for float64"
            )
        k += 1
    low = powers.last(lambda x, e: x - e > epsilon, k) + 1
    high = powers.last(lambda x, e: x + e > epsilon, k) + 1
    if low < high and model.S <= EXACT_STATES and high <= EXACT_STEPS:
        exact = _Fractions(model, average_reward(model).pi if pi is None else pi)
        if exact.bits * high <= EXACT_BITS:
            while low < high and exact.distance(low) > Fraction(epsilon):
                low += 1
            high = low
    return Certified(high, float(high - low))


class _Fractions:
    """K, its powers and its stationary law in fractions."""

    def __init__(self, model: TabularMDP, pi: NDArray[Any]) -> None:
        weights = np.eye(model.A)[pi] if pi.ndim == 1 else pi
        self.K = []
        for state, weight in zip(model.dense().tolist(), weights.tolist(), strict=True):
            rows = [[Fraction(x) / sum(map(Fraction, row)) for x in row] for row in state]
            share = [Fraction(x) / sum(map(Fraction, weight)) for x in weight]
            self.K.append(
                [sum((p * x for p, x in zip(share, c, strict=True)), Fraction(0)) for c in zip(*rows, strict=True)]
            )
        self.bits = max(x.denominator.bit_length() for row in self.K for x in row)
        self.mu = self._stationary()

    def _stationary(self) -> list[Fraction]:
        """Elimination on mu (K - I) = 0 with the last equation replaced by sum mu = 1."""
        n = len(self.K)
        a = [[self.K[j][i] - (i == j) for j in range(n)] + [Fraction(0)] for i in range(n - 1)] + [
            [Fraction(1)] * (n + 1)
        ]
        for i in range(n):
            p = next(k for k in range(i, n) if a[k][i] != 0)
            a[i], a[p] = a[p], a[i]
            a[i] = [x / a[i][i] for x in a[i]]
            for k in range(n):
                if k != i and a[k][i] != 0:
                    a[k] = [x - a[k][i] * y for x, y in zip(a[k], a[i], strict=True)]
        return [row[n] for row in a]

    def distance(self, t: int) -> Fraction:
        """max_s TV(K^t(s,.), mu)."""
        n = len(self.K)
        power, square = [[Fraction(int(i == j)) for j in range(n)] for i in range(n)], self.K
        while t:
            if t & 1:
                power = _product(power, square)
            square, t = _product(square, square) if t > 1 else square, t >> 1
        return max(sum((abs(x - m) for x, m in zip(row, self.mu, strict=True)), Fraction(0)) for row in power) / 2


def _product(a: list[list[Fraction]], b: list[list[Fraction]]) -> list[list[Fraction]]:
    columns = list(zip(*b, strict=True))
    return [[sum((x * y for x, y in zip(row, c, strict=True)), Fraction(0)) for c in columns] for row in a]
