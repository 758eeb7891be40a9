"""Minimal expected hitting times and the diameter, certified.

T[s,g] = 0 if s = g, else 1 + min_a sum_s2 P[s,a,s2] T[s2,g], in steps; diameter = max_{s,g} T[s,g] (Jaksch, Ortner
and Auer, 2010, definition 1) [recalled]. D_g = max_s T[s,g] is the SSP-diameter of goal g: `value.max(axis=0)`.

Bracket. For a goal g and v >= 0 with v[g] = 0 put c[s] = v[s] - min_a sum_s2 P[s,a,s2] v[s2] off the goal, and let
low <= c <= high. If low > 0, v / low satisfies v / low >= 1 + P_pi v / low for the greedy policy pi, so that pi reaches
g from everywhere and T <= T^pi <= v / low. If high > 0, v / high <= 1 + P_a v / high for all a, hence v / high <= T
[derived; with low = 1 - eps, high = 1 it is v <= T <= v / (1 - eps), the bound for iterates that start at 0].

1. All goals at once: one product of P with v (S,G) a sweep. The sweep is v <- 1 + min_a P v / m, m the mean of c: the
   scaling puts right the size of v, which plain sweeps approach at the rate 1 - 1/T only.
2. The goals that are left over: Howard's policy iteration, each with a policy of its own, by batches of dense systems
   (up to chains.SMALL states) or one at a time. A goal whose greedy policy is not known to be proper starts from the
   policy of fewest arcs.
3. The diameter drops goals whose upper bound is below another's lower bound, and stops when one bound is left.

Errors come from the bracket at the v that is returned, with rounding. The exact model is P with each row divided by its
exact sum (see `certify`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array

from theorylab.assume import reachability
from theorylab.criteria import HUGE
from theorylab.errors import InputError
from theorylab.model import TabularMDP
from theorylab.plan.certify import TIE, Rounding, U
from theorylab.plan.chains import SMALL, Absorption
from theorylab.plan.record import Certified
from theorylab.plan.structure import distances, nearest_policy, require_communicating

__all__ = ["certified_diameter", "certified_hitting_times", "hitting_times", "times_to"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SWEEPS = 150  # of step 1
CHECK = 5  # sweeps between two looks at the bounds
MOST_STEPS = 1_000
BLOCK = 1 << 22  # numbers in a temporary array: goals are taken in groups


class _Times:
    """Upper and lower bounds for the goals of a model, each goal with its column v (S,)."""

    def __init__(self, model: TabularMDP, goals: Ints) -> None:
        self.model, self.goals = model, goals
        S = model.S
        flat = model.flat
        # a matrix product with few successors a row is quicker as CSR
        self.flat = csr_array(flat) if not model.sparse and model.row_profile.terms * 8 < S else flat
        self.rounding = Rounding.of(model)
        self.v = np.ones((S, goals.size))
        self.v[goals, np.arange(goals.size)] = 0.0
        self.low = np.zeros(goals.size)  # factors: v * low <= T <= v * high
        self.high = np.full(goals.size, np.inf)

    def backup(self, columns: Ints) -> Floats:
        """min_a P v for some columns, (S, columns)."""
        S, A = self.model.S, self.model.A
        out: Floats = (self.flat @ self.v[:, columns]).reshape(S, A, -1).min(axis=1)
        return out

    def bound(self, columns: Ints, y: Floats) -> Floats:
        """Sets low and high of the columns from y = min_a P v, and returns c, with 0 at the goals."""
        v = self.v[:, columns]
        c: Floats = v - y
        goals, places = self.goals[columns], np.arange(columns.size)
        v_max = v.max(axis=0, initial=0.0)
        error = self.rounding.backup(1.0, 0.0) * v_max + self.rounding.defect * v_max + 4 * U * v_max + 1e-300
        c[goals, places] = np.nan
        most = np.fmax.reduce(c, axis=0) + error
        least = np.fmin.reduce(c, axis=0) - error
        c[goals, places] = 0.0
        # one rounding in each quotient, and one where v is multiplied with it
        with np.errstate(over="ignore"):
            self.low[columns] = np.where(most > 0, 1.0 / np.where(most > 0, most, 1.0), 0.0) * (1 - 8 * U)
            self.high[columns] = np.where(least > 0, 1.0 / np.where(least > 0, least, 1.0), np.inf) * (1 + 8 * U)
        return c

    def groups(self, columns: Ints) -> list[Ints]:
        size = max(1, BLOCK // (self.model.S * self.model.A))
        return [columns[i : i + size] for i in range(0, columns.size, size)]

    def settled(self, columns: Ints) -> NDArray[np.bool_]:
        """Where the bracket is as narrow as rounding lets it be, up to a factor."""
        v_max = self.v[:, columns].max(axis=0, initial=0.0)
        floor = self.rounding.backup(1.0, 0.0) * v_max + self.rounding.defect * v_max + 4 * U * v_max
        low, high = self.low[columns], self.high[columns]
        known = np.isfinite(high)
        done: NDArray[np.bool_] = known & (np.where(known, high, 1.0) * (1 - 4 * floor) <= low)
        return done

    def sweep(self, columns: Ints) -> None:
        """Step 1 for CHECK sweeps; the bounds are those of the last v before a change."""
        for group in self.groups(columns):
            places = np.arange(group.size)
            for _ in range(CHECK):
                y = self.backup(group)
                m = np.maximum(self.bound(group, y).sum(axis=0) / (self.model.S - 1), 1e-12)
                m[np.abs(m - 1) < TIE] = 1.0  # the end is left to plain sweeps, which keep round numbers round
                new = 1.0 + y / m
                new[self.goals[group], places] = 0.0
                # times near the largest float stay where they are: no bracket will hold them
                self.v[:, group] = np.where(new.max(axis=0) < HUGE, new, self.v[:, group])
            self.bound(group, self.backup(group))

    def most(self) -> tuple[Floats, Floats]:
        """Lower and upper bounds on D_g, (G,)."""
        top = self.v.max(axis=0)
        with np.errstate(invalid="ignore"):
            upper = np.where(np.isinf(self.high), np.inf, top * self.high)
        return top * self.low, upper

    def solve(self, columns: Ints) -> None:
        """Step 2."""
        S = self.model.S
        size = max(1, BLOCK // (S * S)) if S <= SMALL else 1
        for i in range(0, columns.size, size):
            group = columns[i : i + size]
            before = self.v[:, group].copy()
            self._howard(group)
            self.bound(group, self.backup(group))
            # what the sweeps have proved stands where the times are beyond double precision
            lost = np.isinf(self.high[group])
            self.v[:, group[lost]] = before[:, lost]
            self.bound(group[lost], self.backup(group[lost]))

    def _howard(self, group: Ints) -> None:
        S, A = self.model.S, self.model.A
        n, goals = group.size, self.goals[group]
        pi = np.argmin((self.flat @ self.v[:, group]).reshape(S, A, n), axis=1)
        graph = reachability(self.model)
        for k in np.flatnonzero(np.isinf(self.high[group])):
            pi[:, k] = nearest_policy(self.model, distances(graph, goals[k : k + 1]))
        work = np.arange(n)
        for _ in range(MOST_STEPS):
            self.v[:, group[work]] = self._evaluate(pi[:, work], goals[work])
            q = 1.0 + (self.flat @ self.v[:, group[work]]).reshape(S, A, -1)
            kept = np.take_along_axis(q, pi[:, None, work], axis=1)[:, 0]
            better = q.min(axis=1) < kept * (1 - TIE)
            better[goals[work], np.arange(work.size)] = False
            pi[:, work] = np.where(better, np.argmin(q, axis=1), pi[:, work])
            work = work[better.any(axis=0)]
            if not work.size:
                return
        raise InputError(
            f"hitting times of state {goals[work[0]]} did not settle in {MOST_STEPS} steps; check P for near-zero rows"
        )

    def _evaluate(self, pi: Ints, goals: Ints) -> Floats:
        """Hitting times of policies pi (S,n), one a goal: (S,n)."""
        S, A = self.model.S, self.model.A
        rows = np.arange(S)[:, None] * A + pi
        if S > SMALL:
            return Absorption(self.flat[rows[:, 0]], int(goals[0])).solve(np.ones(S))[:, None]
        picked = self.flat[rows.T.ravel()]
        chains: Any = picked if isinstance(picked, np.ndarray) else picked.toarray()
        k = np.arange(goals.size)
        matrix = np.eye(S) - chains.reshape(goals.size, S, S)
        matrix[k, goals] = 0.0
        matrix[k, :, goals] = 0.0
        matrix[k, goals, goals] = 1.0
        right = np.ones((goals.size, S, 1))
        right[k, goals] = 0.0
        try:
            times: Floats = np.linalg.solve(matrix, right)[:, :, 0].T
        except np.linalg.LinAlgError:  # one of them is singular in double precision
            alone = zip(chains.reshape(-1, S, S), goals.tolist(), strict=True)
            return np.stack([Absorption(chain, goal).solve(np.ones(S)) for chain, goal in alone], axis=1)
        # numbers too large for products are dropped, as if singular
        return np.where((np.abs(times) < HUGE).all(axis=0), times, 0.0)


def _stationary(model: TabularMDP) -> None:
    if model.stage_dependent:
        raise InputError(f"hitting times need stationary transitions; P has shape {model.P.shape}: give P (S, A, S)")


def _goals(model: TabularMDP, goals: ArrayLike | None) -> Ints:
    """The goals, checked; all states if None, which need a communicating model."""
    _stationary(model)
    if goals is None:
        require_communicating(model, "the diameter is infinite")
        return np.arange(model.S)
    array = np.atleast_1d(np.asarray(goals))
    if array.ndim != 1 or array.dtype.kind not in "iu" or array.size == 0:
        raise InputError(f"goals is {goals!r}; give states, as integers in 0..{model.S - 1}")
    graph = reachability(model)
    for goal in array.tolist():
        if not 0 <= goal < model.S:
            raise InputError(f"goal {goal} is no state; the model has states 0..{model.S - 1}")
        layer = distances(graph, np.array([goal]))
        if (layer < 0).any():
            raise InputError(
                f"unreachable goal: state {int(np.argmin(layer))} cannot reach state {goal} under any policy; "
                "choose another goal, or remove the states that cannot reach it"
            )
    return array.astype(np.int64)


def certified_hitting_times(model: TabularMDP, goals: ArrayLike | None = None) -> Certified:
    """Minimal expected hitting times of goals (all states if None): value float64 (S,G), in steps, with their error.

    Raises:
        InputError: a stage-dependent model; a goal that is not reached from everywhere, or without `goals` a model that
            is not communicating (names a pair of states).
    """
    times = _Times(model, _goals(model, goals))
    if model.S == 1:
        return Certified(np.zeros((1, times.goals.size)), 0.0)
    left = np.arange(times.goals.size)
    for _ in range(SWEEPS // CHECK):
        times.sweep(left)
        left = left[~times.settled(left)]
        if not left.size:
            break
    if left.size:
        times.solve(left)
    # v itself where the bracket holds it, so that round numbers stay round; the lower bound where there is no upper one
    factor = np.where((times.low <= 1) & (times.high >= 1), 1.0, (times.low + times.high) / 2)
    factor = np.where(np.isinf(times.high), times.low, factor)
    width = np.maximum(times.high - factor, factor - times.low) + 4 * U * times.high
    return Certified(times.v * factor, float((times.v.max(axis=0) * width).max() * (1 + 8 * U)))


def certified_diameter(model: TabularMDP) -> Certified:
    """The diameter in steps, max over ordered pairs of states of the minimal expected hitting time, with its error.

    A lower bound with an infinite error where rounding hides whether some state is reached at all.

    Raises:
        InputError: a stage-dependent model, or one that is not communicating (names a pair of states).
    """
    times = _Times(model, _goals(model, None))
    if model.S == 1:
        return Certified(0.0, 0.0)
    left = np.arange(model.S)
    for _ in range(SWEEPS // CHECK):
        times.sweep(left)
        lower, upper = times.most()
        left = left[upper[left] >= lower.max()]
        if times.settled(left).all():
            break
    lower, upper = times.most()
    for group in [left[i : i + 8] for i in range(0, left.size, 8)] if not times.settled(left).all() else []:
        open_ = group[(upper[group] >= lower.max()) & ~times.settled(group)]
        if open_.size:
            times.solve(open_)
            lower, upper = times.most()
    low, high = float(lower.max()), float(upper.max())
    if np.isinf(high):
        return Certified(low, np.inf)
    return Certified((low + high) / 2, (high - low) / 2 * (1 + 8 * U) + 2 * U * high)


def times_to(model: TabularMDP, goal: int) -> Floats:
    """Minimal expected number of steps from each state to `goal`: float64 (S,), 0 at the goal."""
    value: Floats = certified_hitting_times(model, [goal]).value[:, 0]
    return value


def hitting_times(model: TabularMDP) -> Floats:
    """Minimal expected hitting times T[s,g], float64 (S,S) with zero diagonal, in steps.

    Raises:
        InputError: a stage-dependent model, or one that is not communicating (names a pair of states).
    """
    value: Floats = certified_hitting_times(model).value
    return value
