"""The planning phase of goal-free and cost-free exploration: any goal, any cost, from the transitions collected.

`plan_to_goal` is extended value iteration on the counts. With n = max(1, N(s,a)) and the radii beta of `gosprl`,

    (L v)(s) = min_a  c_nu(s,a) + min { q v : |q - p_hat| <= alpha beta entrywise, 0 <= q <= 1, sum q = 1 },  v(g) = 0

from v = 0 until |L v - v| <= omega epsilon / (6 D_hat), where

    nu = epsilon / (2 theta D_hat),   c_nu = max(c, nu),   omega = max(c_min, epsilon / (theta D_hat))

[source: ALT21, algorithms 2 and 3], g the goal, c_min the least cost, D_hat an upper bound on the diameter. The policy
is greedy for the last v. The inner minimum starts at the lower ends and hands what is missing to states in order of
increasing v, each up to its upper end; a pair never visited jumps to the goal. For epsilon <= D_hat the precision is at
most a third of the least c_nu, as omega <= 2 max(c_min, nu), so that the policy reaches g in the planned law [derived].

With the samples of `gosprl-explore` and its alpha0 large enough, the policy is within epsilon of the best one from
every state, in the true model, with probability 1 - delta; where costs may vanish (c_min = 0), of the best one with an
expected time to g of at most theta times the least. Both are computed here from the true kernel: `goal_value` of a
policy, `best_value` of the best. Costs in [0, 1] a step, values in units of cost, times in steps.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from theorylab.criteria import RewardLaw
from theorylab.errors import InputError
from theorylab.model import ShortestPath, TabularMDP
from theorylab.plan import Certified, evaluate, plan
from theorylab.plan.inputs import as_tabular

__all__ = ["BestValue", "GoalPlan", "best_value", "goal_value", "plan_to_goal", "radii"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST_SWEEPS = 1_000_000
SMALLEST_PRICE = 1e-6  # of a step; with no price at all a policy could stay away from the goal where costs vanish
ROUNDS = 60  # of the search for a price; each one meets a new policy or ends it


@dataclass(frozen=True, eq=False)
class GoalPlan:
    """A planned trip to a goal.

    Attributes:
        pi: int64 (S,), the policy; at the goal action 0.
        v: (S,), the last iterate; at most the optimal values of c_nu on the radii's event.
        nu, omega, precision: as in the module docstring; sweeps: of value iteration.
    """

    pi: Ints
    v: Floats
    nu: float
    omega: float
    precision: float
    sweeps: int


@dataclass(frozen=True, eq=False)
class BestValue:
    """The least expected cost from each state: lower <= optimum <= upper, (S,) each, proved up to rounding.

    prices: (S,), the price of a step behind `lower`; 0 where times are not limited, or the limit does not bind.
    """

    lower: Floats
    upper: Floats
    prices: Floats


def radii(counts: ArrayLike, delta: float, radius: int = 0) -> Floats:
    """beta (S,A,S) of counts (S,A,S): radius 0 (AME) or 1 (ROS), as in `gosprl` [source].

    Raises InputError for another `radius` (the ball of radius 2 is no box).
    """
    counts = np.asarray(counts, dtype=float)
    S, A = counts.shape[:2]
    n = np.maximum(1.0, counts.sum(axis=-1, keepdims=True))
    x = counts / n
    if radius == 0:
        iota = np.log(6.0 * S * A * n / delta)
        out: Floats = 2.0 * np.sqrt(x * (1.0 - x) * iota / n) + 6.0 * iota / n
        return out
    if radius == 1:
        iota = np.log(S * A * n / delta)
        out = 4.0 * np.sqrt(x * iota / n) + 28.0 * iota / n
        return out
    raise InputError(f"radius={radius} is neither 0 (AME) nor 1 (ROS), whose sets are boxes")


def _counts(moves: ArrayLike) -> Floats:
    counts = np.asarray(moves)
    if counts.ndim != 3 or counts.shape[0] != counts.shape[2] or 0 in counts.shape:
        raise InputError(f"moves has shape {counts.shape}; give transitions (S,A,S) of one run, as final['moves'][r]")
    if counts.dtype.kind not in "iuf":
        raise InputError(f"moves has dtype {counts.dtype}; give counts of transitions")
    bad = ~(np.isfinite(counts) & (counts >= 0) & (counts == np.floor(counts)))
    if bad.any():
        at = tuple(int(i) for i in np.argwhere(bad)[0])
        raise InputError(f"moves[{', '.join(map(str, at))}]={counts[at]} is no count; give whole numbers >= 0")
    return counts.astype(float)


def _costs(cost: ArrayLike, S: int, A: int) -> Floats:
    c = np.asarray(cost, dtype=float)
    if c.shape != (S, A):
        raise InputError(f"cost has shape {c.shape}; expected (S, A) = ({S}, {A})")
    bad = ~((c >= 0.0) & (c <= 1.0))
    if bad.any():
        s, a = (int(i) for i in np.argwhere(bad)[0])
        raise InputError(f"cost[{s}, {a}]={c[s, a]} is outside [0, 1]; rescale the costs")
    return c


def _goal(goal: int, S: int) -> int:
    if isinstance(goal, bool) or not isinstance(goal, (int, np.integer)) or not 0 <= goal < S:
        raise InputError(f"goal={goal!r} is no state; give an integer from 0 to {S - 1}")
    return int(goal)


def plan_to_goal(
    moves: ArrayLike,
    goal: int,
    cost: ArrayLike,
    *,
    cost_floor: float,
    epsilon: float,
    theta: float,
    diameter: float,
    delta: float,
    alpha: float = 1.0,
    radius: int = 0,
) -> GoalPlan:
    """A policy to `goal` at `cost`, from transitions collected before; see the module docstring.

    Args:
        moves: (S,A,S) transitions of one run, all of them. goal: g. cost: (S,A) in [0, 1]; the row of g is not used.
        cost_floor: c_min, the least cost that `gosprl-explore` was told of; 0 where costs may vanish.
        epsilon: accuracy, positive and at most `diameter`, in units of cost.
        theta: >= 1, the factor of admitted times where costs may vanish.
        diameter: D_hat >= 1, an upper bound on the diameter, in steps. delta, alpha, radius: of the radii.

    Raises:
        InputError: a goal that was never entered in the counts, or is no state; a cost outside [0, 1] or, off the goal,
            below `cost_floor`; counts that are no counts; shapes; parameters out of range.
    """
    counts = _counts(moves)
    S, A = counts.shape[:2]
    c, g = _costs(cost, S, A), _goal(goal, S)
    for name, value, low, high in (
        ("cost_floor", cost_floor, 0.0, 1.0),
        ("theta", theta, 1.0, np.inf),
        ("diameter", diameter, 1.0, np.inf),
        ("alpha", alpha, 0.0, np.inf),
    ):
        if not low <= value <= high or np.isinf(value):
            raise InputError(f"{name}={value} is outside [{low:g}, {high:g}]")
    for name, value, most in (("epsilon", epsilon, diameter), ("delta", delta, 1.0)):
        if not 0.0 < value <= most:
            raise InputError(f"{name}={value} is outside (0, {most:g}]")
    off = np.arange(S) != g
    if S > 1 and counts[off, :, g].sum() == 0:
        raise InputError(f"goal {g} was never entered in the counts: collect samples of every pair first")
    if (c[off] < cost_floor).any():
        s, a = (int(i) for i in np.argwhere((c < cost_floor) & off[:, None])[0])
        raise InputError(f"cost[{s}, {a}]={c[s, a]} is below cost_floor={cost_floor}, for which samples were collected")
    nu, omega = epsilon / (2.0 * theta * diameter), max(cost_floor, epsilon / (theta * diameter))
    precision = omega * epsilon / (6.0 * diameter)
    priced = np.maximum(c, nu)
    n = counts.sum(axis=-1, keepdims=True)
    x, beta = counts / np.maximum(1.0, n), alpha * radii(counts, delta, radius)
    low, high = np.maximum(0.0, x - beta), np.minimum(1.0, x + beta)
    low[n[..., 0] == 0], high[n[..., 0] == 0] = 0.0, np.arange(S) == g
    spare, free = high - low, 1.0 - low.sum(axis=-1)
    u = np.zeros(S)
    for sweep in range(1, MOST_SWEEPS + 1):
        v = u
        order = np.argsort(v, kind="stable")
        before = np.cumsum(spare[..., order], axis=-1) - spare[..., order]
        given = np.clip(free[..., None] - before, 0.0, spare[..., order])
        q = priced + low @ v + given @ v[order]
        q[g] = 0.0
        u = q.min(axis=1)
        if np.max(np.abs(u - v)) <= precision:
            return GoalPlan(np.argmin(q, axis=1), u, nu, omega, precision, sweep)
    raise InputError(f"no plan of precision {precision:.3g} in {MOST_SWEEPS} sweeps; raise epsilon or alpha")


def _path(model: Any, goal: int, cost: Floats) -> TabularMDP:
    """The shortest-path model with rewards -cost."""
    law = RewardLaw("deterministic", low=-float(max(1.0, cost.max())), high=0.0)
    return replace(as_tabular(model), criterion=ShortestPath(goal), r=-cost, reward_law=law)


def goal_value(model: Any, pi: ArrayLike, goal: int, cost: ArrayLike) -> Certified:
    """Expected cost of a policy until `goal` in the true model, from every state: `Certified`, value (S,).

    Raises InputError for a policy that does not reach the goal, shapes, costs outside [0, 1].
    """
    model = as_tabular(model)
    found = evaluate(_path(model, _goal(goal, model.S), _costs(cost, model.S, model.A)), pi)
    return Certified(-found.V, found.certified_error)


def best_value(model: Any, goal: int, cost: ArrayLike, theta: float | None = None) -> BestValue:
    """The least expected cost until `goal` in the true model, from every state.

    Args:
        cost: (S,A) in [0, 1]. theta: None compares with all policies, for costs that never vanish; else, from each
            state, with those whose expected time to the goal is at most theta >= 1 times the least from there.

    With theta, the optimum from s over all policies, history and mixtures included, is max over prices lam >= 0 of V*
    of (c + lam)(s) - lam theta T(s), T the least times [derived: linear programming duality on occupancies]. Each price
    gives a lower bound, by the certified planner. Two policies, of a price that is too low and of one that is not,
    whose mixture takes time theta T(s) exactly, give an upper bound; their lines meet at the next price. Stationary
    policies that keep the limit from every state at once can only do worse than this optimum.

    Raises:
        InputError: with theta None, a policy that can stay away from the goal without a cost (the states are named);
            theta < 1; shapes, costs outside [0, 1].
    """
    model = as_tabular(model)
    S, c = model.S, _costs(cost, model.S, model.A)
    g = _goal(goal, S)
    if theta is None:
        best = plan(_path(model, g, c))
        error = np.where(np.arange(S) == g, 0.0, best.certified_error)
        return BestValue(np.maximum(-best.V - error, 0.0), error - best.V, np.zeros(S))
    if not (theta >= 1.0 and np.isfinite(theta)):
        raise InputError(f"theta={theta} is below 1, the factor of the fastest policy, or not finite")
    search = _Prices(model, g, c, theta)
    rows = np.array([search.bracket(s) if s != g else (0.0, 0.0, 0.0) for s in range(S)])
    return BestValue(*(np.ascontiguousarray(column) for column in rows.T))


class _Prices:
    """Policies that are optimal for c + lam, by lam: their values, costs and times; all with certified errors."""

    def __init__(self, model: TabularMDP, goal: int, cost: Floats, theta: float) -> None:
        self.model, self.goal, self.cost = model, goal, cost
        self.unit = _path(model, goal, np.ones_like(cost))
        fastest = plan(self.unit)
        self.most = theta * (-fastest.V - fastest.certified_error)  # the limits, from below: for policies
        self.bound = theta * (-fastest.V + fastest.certified_error)  # and from above: for bounds
        self.fast = self.line(fastest.pi)
        self.known: dict[float, tuple[Floats, tuple[Floats, Floats]]] = {}

    def line(self, pi: Ints) -> tuple[Floats, Floats]:
        """Costs and times of a policy, (S,) each, from above."""
        cost, time = evaluate(_path(self.model, self.goal, self.cost), pi), evaluate(self.unit, pi)
        return -cost.V + cost.certified_error, -time.V + time.certified_error

    def at(self, lam: float) -> tuple[Floats, tuple[Floats, Floats]]:
        """Lower bounds on the optimum from every state, and the line of the policy, for one price."""
        if lam not in self.known:
            best = plan(_path(self.model, self.goal, self.cost + lam))
            self.known[lam] = -best.V - best.certified_error - lam * self.bound, self.line(best.pi)
        return self.known[lam]

    def bracket(self, s: int) -> tuple[float, float, float]:
        """Bounds on the optimum from s, and the price of the lower one."""
        lam = SMALLEST_PRICE
        bounds, (cost, time) = self.at(lam)
        low, price, slow = max(0.0, float(bounds[s])), lam, (float(cost[s]), float(time[s]))
        if slow[1] <= self.most[s]:
            return low, slow[0], price
        quick = float(self.fast[0][s]), min(float(self.fast[1][s]), float(self.most[s]))
        for _ in range(ROUNDS):
            share = (self.most[s] - quick[1]) / (slow[1] - quick[1])
            high = quick[0] + share * (slow[0] - quick[0])
            lam = max((quick[0] - slow[0]) / (slow[1] - quick[1]), SMALLEST_PRICE)
            bounds, (cost, time) = self.at(lam)
            if bounds[s] > low:
                low, price = float(bounds[s]), lam
            met = float(cost[s]), float(time[s])
            if high - low <= 1e-9 * max(1.0, high) or met in (slow, quick):
                break
            slow, quick = (met, quick) if met[1] > self.most[s] else (slow, met)
        return min(low, high), high, price
