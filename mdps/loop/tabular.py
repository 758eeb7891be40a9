"""Tabular LOOP: excess loss, its elimination, bounds of policies, and the exact optimistic hypothesis.

    e = empirical(moves, r)                          # transitions counted (S,A,S), known mean rewards (S,A)
    f = optimise(e, beta, span)                      # argmax of J over the confidence set, with a certificate
    f.pi, f.V, f.Q, f.J, f.bound - f.J

With the class of all tables Q (V = max_a Q, range of V at most `span`) and J <= cap, and G all tables, the excess loss
is [derived]

    excess(Q, J) = sum n (Q + J - r - P_hat V)^2  <=  beta,                                                   (set)

pairs without visits at weight zero. With c = r + P_hat V - J, the cheapest Q of given V, J and maximising actions pi is
min(c, V), raised to V at pi, so that for each pi [derived]

    sum n (c - V)_+^2 + sum_s n(s,pi) (V - c(s,pi))_+^2  <=  beta                                             (pi)

is a convex program in (V, J), and the largest J over the set is the largest over pi. No multiplier is trusted: for a
signed m (S,A) that is <= 0 off pi, with b = V + J - r - P_hat V (b >= 0 off pi where it costs nothing), k = sum m and
d = sum_{s,a} m P_hat(. | s,a) - sum_a m, every (V, J) that satisfies (pi) has, V centred [derived]

    k J <= sum m r + sqrt(beta) sqrt(sum m^2 / n) + (span / 2) sum |d|.                                       (dual)

Restarted laws of pi as m are its bound U(pi), the solver's multipliers close the gap where the span or a pair off the
policy binds. Source: he2024, algorithm 1 [recalled: the set, argmax J], this reduction [derived].
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mdps.loop._programs import Programs, programs
from theorylab.errors import InputError

__all__ = [
    "LIMIT",
    "Empirical",
    "Optimistic",
    "Search",
    "checked",
    "completion",
    "dual_bound",
    "empirical",
    "excess",
    "largest_gain",
    "minimal_excess",
    "minimal_excess_of",
    "optimise",
    "policies",
    "policy_bounds",
    "solve_policy",
]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
#: most policies that `optimise` enumerates
LIMIT = 1_000_000
#: of the restarts of a policy's laws
RESTART = 1e-8
#: gains nearer than this to each other, in units of cap + span, count as equal
TOLERANCE = 1e-7
#: relative excess over beta that is put down to rounding
SLACK = 1e-6
#: the same, tried in this order, for the gain that V affords
ROUNDING = (0.0, 1e-9, 1e-8, 1e-7, 0.9 * SLACK)
#: by how much the second program may exceed the residuals of the first, in units of sqrt(beta)
THIN = 1e-8


@dataclass(frozen=True)
class Empirical:
    """An empirical model.

    Attributes:
        P_hat: (S,A,S) rows of transition frequencies; where n = 0 any fixed row (`empirical`: uniform), at weight zero.
        n: (S,A) visits, not necessarily whole numbers. r: (S,A) known mean rewards.
    """

    P_hat: Floats
    n: Floats
    r: Floats

    def __post_init__(self) -> None:
        for name in ("P_hat", "n", "r"):
            array = np.array(getattr(self, name), dtype=np.float64)
            array.flags.writeable = False
            object.__setattr__(self, name, array)
        if self.P_hat.ndim != 3 or self.P_hat.shape[0] != self.P_hat.shape[2]:
            raise InputError(f"P_hat has shape {self.P_hat.shape}; give (S,A,S)")
        for name in ("n", "r"):
            if (shape := getattr(self, name).shape) != self.P_hat.shape[:2]:
                raise InputError(f"{name} has shape {shape}; give {self.P_hat.shape[:2]} as P_hat has it")
        _refuse("n", self.n, ~(np.isfinite(self.n) & (self.n >= 0.0)), "give visits, finite and not negative")
        _refuse("r", self.r, ~np.isfinite(self.r), "give finite mean rewards")
        _refuse("P_hat", self.P_hat, ~(np.isfinite(self.P_hat) & (self.P_hat >= 0.0)), "give probabilities")
        sums = self.P_hat.sum(axis=-1)
        _refuse("P_hat.sum(-1)", sums, np.abs(sums - 1.0) > 1e-12, "give rows that sum to 1")

    @property
    def S(self) -> int:
        """Number of states."""
        return int(self.n.shape[0])

    @property
    def A(self) -> int:
        """Number of actions."""
        return int(self.n.shape[1])

    def of(self, pi: Ints) -> tuple[Floats, Floats, Floats]:
        """P_hat (...,S,S), n and r (...,S) of policies pi (...,S)."""
        states = np.arange(self.S)
        return self.P_hat[states, pi], self.n[states, pi], self.r[states, pi]


@dataclass(frozen=True)
class Optimistic:
    """A hypothesis with the largest gain that was found.

    Attributes:
        V: (S,) centred, |V| <= span / 2. Q: (S,A) with max_a Q = V = Q(s,pi(s)). J: its gain, reward units a step.
        pi: (S,) what is played. excess: excess loss of (Q, J), evaluated directly, reward^2; at most beta (1 + 1e-6).
        bound: certified upper bound on the largest gain in the confidence set; bound - J is the certified gap.
        programs: cone programs solved. policies: policies enumerated, or looked at.
    """

    V: Floats
    Q: Floats
    J: float
    pi: Ints
    excess: float
    bound: float
    programs: int
    policies: int


def _refuse(name: str, values: Any, wrong: Any, mend: str) -> None:
    if wrong.any():
        at = np.argwhere(wrong)[0]
        raise InputError(f"{name}[{','.join(map(str, at))}]={values[tuple(at)]:g}; {mend}")


def empirical(moves: ArrayLike, r: ArrayLike) -> Empirical:
    """The empirical model of transitions counted `moves` (S,A,S), whole numbers. Raises `InputError`."""
    counted = np.asarray(moves)
    if counted.dtype.kind not in "iu":
        raise InputError(
            f"moves has dtype {counted.dtype}; give whole numbers of transitions, or Empirical(P_hat, n, r)"
        )
    if counted.ndim != 3 or counted.shape[0] != counted.shape[2]:
        raise InputError(f"moves has shape {counted.shape}; give (S,A,S)")
    _refuse("moves", counted, counted < 0, "give counts")
    n = counted.sum(axis=-1).astype(float)
    P_hat = np.where((n > 0.0)[..., None], counted / np.maximum(n, 1.0)[..., None], 1.0 / counted.shape[0])
    return Empirical(P_hat, n, np.asarray(r, dtype=float))


def excess(e: Empirical, Q: Floats, J: float) -> float:
    """Excess loss of (Q (S,A), J): sum n (Q + J - r - P_hat max_a Q)^2, reward^2. [derived, 4b]"""
    return float((e.n * (Q + J - e.r - e.P_hat @ Q.max(axis=-1)) ** 2).sum())


def _costs(e: Empirical, V: Floats, J: float) -> tuple[Floats, Floats]:
    """n (c - V)_+^2 and n (V - c)_+^2, each (S,A)."""
    gap = e.r + e.P_hat @ V - J - V[:, None]
    return e.n * np.maximum(gap, 0.0) ** 2, e.n * np.minimum(gap, 0.0) ** 2


def minimal_excess(e: Empirical, V: Floats, J: float) -> float:
    """The least excess of hypotheses with values V (S,) and gain J. [derived, b1]"""
    above, below = _costs(e, V, J)
    return float(above.sum() + below.min(axis=-1).sum())


def minimal_excess_of(e: Empirical, V: Floats, J: float, pi: Ints) -> float:
    """The same with pi (S,) among the maximising actions; convex in (V, J). [derived, b1]"""
    above, below = _costs(e, V, J)
    return float(above.sum() + below[np.arange(e.S), pi].sum())


def completion(e: Empirical, V: Floats, J: float, pi: Ints) -> Floats:
    """The Q (S,A) that attains `minimal_excess_of`: min(c, V), and V at pi. [derived, b6]"""
    Q = np.minimum(e.r + e.P_hat @ V - J, V[:, None])
    Q[np.arange(e.S), pi] = V
    return Q


def largest_gain(e: Empirical, V: Floats, pi: Ints, beta: float, cap: float) -> float | None:
    """The largest J <= cap with minimal_excess_of(e, V, J, pi) <= beta, to rounding, or None where there is none.

    Newton steps from the right on a convex, piecewise quadratic function of J.
    """
    gap = e.r + e.P_hat @ V - V[:, None]
    own, n = gap[np.arange(e.S), pi], e.n[np.arange(e.S), pi]
    J = cap
    for _ in range(200):
        above, below = np.maximum(gap - J, 0.0), np.maximum(J - own, 0.0)
        value = (e.n * above**2).sum() + (n * below**2).sum() - beta
        if value <= 1e-13 * beta:
            return float(J)
        slope = 2.0 * ((n * below).sum() - (e.n * above).sum())
        if slope <= 0.0:
            return None
        J -= value / slope
    return None


def policies(e: Empirical, limit: int = LIMIT) -> Ints:
    """Deterministic policies (m,S) in the order of their index, state 0 the most significant digit.

    In a state with an unvisited action only the lowest one stands: its Q is free, so that no other does better [b3].
    Raises `InputError` for more than `limit` policies.
    """
    choices = [np.flatnonzero(row == 0.0)[:1] if (row == 0.0).any() else np.arange(e.A) for row in e.n]
    count = 1
    for choice in choices:
        count *= choice.size
    if count > limit:
        raise InputError(
            f"{count} policies (S={e.S}, A={e.A}) exceed the limit {limit} of an enumeration; give a larger limit, or "
            "use mdps.loop.ascent.ascend, whose gap is certified"
        )
    grid = np.meshgrid(*choices, indexing="ij")
    return np.stack([axis.ravel() for axis in grid], axis=-1).astype(np.int64)


def policy_bounds(e: Empirical, beta: float, span: float, policies: Ints) -> Floats:
    """U(pi) (m,) of policies (m,S): no (V, J) with range at most `span` that satisfies (pi) has a larger J.

    For start s, m = restarted law (1 - g) e_s (I - g P_pi)^-1, 1 - g = 1e-8, in (dual); the least over s. It holds for
    the computed law, however inexact, since its defect of stationarity d is charged; that and the restarts cost about
    1e-8 span, so that with one recurrent class U = <mu, r> + sqrt(beta) ||mu / sqrt(n)|| + O(1e-8 span) for the
    stationary law mu. Infinite where every start leads to unvisited pairs. [derived, b2]
    """
    found = np.empty(len(policies))
    size = max(1, 2_000_000 // e.S**2)
    for first in range(0, len(policies), size):
        P, n, r = e.of(policies[first : first + size])
        restart = np.broadcast_to(RESTART * np.eye(e.S), P.shape)
        law = np.linalg.solve(np.eye(e.S) - (1.0 - RESTART) * P.swapaxes(-1, -2), restart).swapaxes(-1, -2)
        law = np.maximum(law, 0.0)
        law /= law.sum(axis=-1, keepdims=True)
        drift = np.abs(law @ P - law).sum(axis=-1)
        value = (law @ r[..., None])[..., 0] + np.sqrt(beta * _over(law**2, n[:, None, :]).sum(axis=-1))
        found[first : first + size] = (value + 0.5 * span * drift).min(axis=-1)
    return found


def _over(mass: Floats, n: Floats) -> Floats:
    """mass / n, infinite where n = 0 is charged, 0 where it is not."""
    return np.where(n > 0.0, mass / np.where(n > 0.0, n, 1.0), np.where(mass > 0.0, np.inf, 0.0))


def dual_bound(e: Empirical, beta: float, span: float, cap: float, pi: Ints, m: Floats) -> float:
    """Upper bound on J <= cap over (V, J) of (pi) by weak duality, for any multipliers m (S,A); see the module's text.

    Entries above 0 off pi count as 0. Infinite where m proves nothing, -infinite where it proves that (pi) is empty.
    """
    m = np.where(np.arange(e.A) == pi[:, None], m, np.minimum(m, 0.0))
    k = float(m.sum())
    drift = np.abs(np.einsum("sa,sat->t", m, e.P_hat) - m.sum(axis=-1)).sum()
    most = float((m * e.r).sum() + np.sqrt(beta * _over(m**2, e.n).sum()) + 0.5 * span * drift)
    if k > 0.0:
        return most / k
    return -np.inf if most < k * cap else np.inf


def checked(e: Empirical, beta: float, span: float, cap: float) -> None:
    """Refuse, by `InputError`, a beta, span or cap that is not positive and rewards outside [-cap, cap]."""
    for name, value in (("beta", beta), ("span", span), ("cap", cap)):
        if not (np.isfinite(value) and value > 0.0):
            raise InputError(f"{name}={value}; give a positive number")
    _refuse("r", e.r, np.abs(e.r) > cap, f"a reward outside [-cap, cap], cap={cap:g}: give the largest reward as cap")


class Search:
    """The best policy so far under one confidence set: what enumeration and ascent share.

    Attributes:
        best: (pi, V, J) or None. upper: certified bound on the gain of the policies considered. programs: solved.
    """

    def __init__(self, e: Empirical, beta: float, span: float, cap: float) -> None:
        checked(e, beta, span, cap)
        self.e, self.beta, self.span, self.cap = e, beta, span, cap
        self.tolerance = TOLERANCE * (cap + span)
        self.best: tuple[Ints, Floats, float] | None = None
        self.upper = -np.inf
        self.programs = 0

    @property
    def J(self) -> float:
        """The largest gain so far."""
        return -np.inf if self.best is None else self.best[2]

    def consider(self, pi: Ints, bound: float) -> None:
        """Solve the program of pi (S,), whose gain is known to be at most `bound`."""
        found, dual = self._gain(pi)
        bound = min(bound, dual)
        if found is None and bound > self.J + self.tolerance:
            found, dual = self._residual(pi)
            bound = min(bound, dual)
        if found is not None and found[1] > self.J + (self.tolerance if self.best else 0.0):
            self.best = (pi, *found)
        self.upper = max(self.upper, bound)

    def _posed(self, pi: Ints) -> Programs:
        cone = programs(self.e.S, self.e.A)
        weights = np.sqrt(self.e.n / self.beta) * self.cap  # in units of the cap
        cone.set(self.e.P_hat, self.e.r / self.cap, weights, pi, 0.5 * self.span / self.cap)
        cone.cap.value = 1.0
        self.programs += 1
        return cone

    def _gain(self, pi: Ints) -> tuple[tuple[Floats, float] | None, float]:
        cone = self._posed(pi)
        return self._read(cone, pi) if cone.solve(cone.gain) else (None, np.inf)

    def _residual(self, pi: Ints) -> tuple[tuple[Floats, float] | None, float]:
        """The least residual with a gain above the best: multipliers that prove that there is none, or a point."""
        cone = self._posed(pi)
        cone.low.value = max(self.J, -self.cap - 2.0 * self.span) / self.cap
        return self._read(cone, pi) if cone.solve(cone.residual) else (None, np.inf)

    def _read(self, cone: Programs, pi: Ints) -> tuple[tuple[Floats, float] | None, float]:
        V = self._boxed(cone.V.value * self.cap)
        dual = dual_bound(self.e, self.beta, self.span, self.cap, pi, cone.multipliers(pi))
        J = self._afforded(V, pi)
        return (None if J is None else (V, J)), min(self.cap, dual)

    def _afforded(self, V: Floats, pi: Ints) -> float | None:
        """The largest gain that the budget affords at V; where rounding of V leaves none, with a little more budget."""
        tries = (largest_gain(self.e, V, pi, self.beta * (1.0 + more), self.cap) for more in ROUNDING)
        return next((J for J in tries if J is not None), None)

    def _boxed(self, V: Floats) -> Floats:
        """Centred, and shrunk onto the box where the solver's rounding left it."""
        V = V - 0.5 * (V.max() + V.min())
        return V * min(1.0, self.span / max(float(np.ptp(V)), self.span))

    def result(self, policies: int, bound: float) -> Optimistic:
        """The best policy, with the V of the rule; `bound` holds for all policies. Raises `InputError`: none."""
        if self.best is None:
            how = "is empty" if max(self.upper, bound) < -self.cap else "looks empty, to the solver's accuracy"
            raise InputError(
                f"none of {policies} policies has a hypothesis with range of V at most span={self.span:g} and excess "
                f"at most beta={self.beta:g}: the confidence set {how}; span is below the range of the true V, or "
                "beta is too small: give larger ones"
            )
        pi, V, J = self.best
        V, J = self._least(pi, V, J)
        Q = completion(self.e, V, J, pi)
        spent = excess(self.e, Q, J)
        assert spent <= self.beta * (1.0 + SLACK)
        return Optimistic(V, Q, J, pi, spent, max(J, min(self.cap, bound)), self.programs, policies)

    def _least(self, pi: Ints, V: Floats, J: float) -> tuple[Floats, float]:
        """Among the maximisers V of pi the one with the least sum of squares, and its gain.

        Below the cap all maximisers have the same residuals; at the cap all V that the budget allows there are
        maximisers. Where this program fails to the solver's accuracy, V and J stay.
        """
        cone = self._posed(pi)
        cone.fix_gain(J / self.cap)
        if J < self.cap:
            y, z = cone.residuals(V / self.cap)
            cone.most_y.value, cone.most_z.value, cone.radius.value = y + THIN, z + THIN, 2.0
        else:
            cone.most_y.value, cone.most_z.value = np.full(self.e.S * self.e.A, 2.0), np.full(self.e.S, 2.0)
            cone.radius.value = 1.0
        if cone.solve(cone.least):
            least = self._boxed(cone.V.value * self.cap)
            gain = self._afforded(least, pi)
            if gain is not None and gain > J - self.tolerance:
                return least, gain
        return V, J


def solve_policy(e: Empirical, beta: float, span: float, pi: Ints, cap: float = 1.0) -> tuple[Floats, float] | None:
    """V (S,) centred and J of the program (pi) of one policy pi (S,), or None where it is infeasible."""
    search = Search(e, beta, span, cap)
    search.consider(np.asarray(pi), np.inf)
    return None if search.best is None else search.best[1:]


def optimise(e: Empirical, beta: float, span: float, cap: float = 1.0, limit: int = LIMIT) -> Optimistic:
    """The hypothesis with the largest gain in the confidence set, exactly: tabular LOOP's step. [derived, b3]

    Policies are solved in decreasing order of min(U, cap) until the next is at most the best gain found. Rule for ties:
    equal bounds (to 1e-9 cap) by the lowest index, and a later policy must be better by more than
    1e-7 (cap + span); V is the maximiser with the least sum of squares of the policy's program.

    Args:
        e: the data. beta: budget, reward^2. span: largest range of V, reward units. cap: largest gain.
        limit: most policies enumerated.

    Raises InputError: no hypothesis in the set, too many policies, rewards outside [-cap, cap].
    """
    search = Search(e, beta, span, cap)
    candidates = policies(e, limit)
    bounds = np.minimum(policy_bounds(e, beta, span, candidates), cap)
    order = np.argsort(-np.round(bounds / cap, 9), kind="stable")
    rest = -np.inf
    for i, k in enumerate(order):
        if bounds[k] <= search.J + search.tolerance:
            rest = float(bounds[order[i:]].max())
            break
        search.consider(candidates[k], float(bounds[k]))
    return search.result(len(candidates), max(search.upper, rest))
