"""Constrained Markov decision processes: the best reward subject to limits on expected costs, within a proved bracket.

    maximise V_r(pi) over policies  subject to  V_k(pi) <= limits[k], k < K

where V_r and V_k are the criterion's value, from mu0, with the rewards r and with the costs c_k in their place: E sum r
(FiniteHorizon), E sum gamma^t r (Discounted), the long-run average (AverageReward). The optimum is a linear program in
the occupancy measure x (see `linear_program`) with K more rows sum c_k x <= limits[k], and pi[s,a] = x[s,a] / sum_a x.

The solver is trusted for nothing but a policy and multipliers; the bracket [lower, upper] of the optimum is proved:

    lower   the value of the returned policy less its certified error, where the certified upper ends of its costs are
            within the limits. Where a solution breaks a limit by rounding, the program is solved again with limits
            tightened by twice the violation. If there is no room inside the limits, lower is -inf and `violation` says
            what is proved.
    upper   for any lam >= 0, max_pi V_{r - lam c}(pi) + lam limits (weak duality), by the certified planner.

With average reward the model is weakly communicating. The optimum over x may mix recurrent classes, which no stationary
policy does: a share BLEND of the uniform policy's frequencies then joins the classes, and `lower` is that much below.
Entries are taken as given, as everywhere: see `certify`. Sources: Altman, Constrained Markov decision processes (1999),
chapters 3 and 4 (linear programs, Lagrangian); Puterman (1994), section 8.9 [recalled]; the bracket [derived].
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array, hstack

from theorylab.assume import reachability
from theorylab.criteria import HUGE, AverageReward, Discounted, FiniteHorizon, RewardLaw, ShortestPath
from theorylab.errors import InputError
from theorylab.model import TabularMDP
from theorylab.plan import api
from theorylab.plan.certify import FINEST, Rounding, dot_bound
from theorylab.plan.inputs import as_tabular
from theorylab.plan.linear_program import OccupancyLP, Optimum, maximise, occupancy_lp
from theorylab.plan.occupancies import occupancy
from theorylab.plan.record import Certified
from theorylab.plan.structure import closed_classes, distances, nearest_policy, require_one_gain
from theorylab.validate import at, first, floats

__all__ = ["ConstrainedPlan", "lagrangian_bound", "plan_constrained"]

Floats = NDArray[np.float64]

ROUNDS = 6  # of tightening
RARE = 1e-9  # probabilities of actions below it are taken as noise of the solver; the policy is evaluated without them
BLEND = 1e-6


@dataclass(frozen=True, eq=False)
class ConstrainedPlan:
    """A policy for a constrained problem, and what is proved about it and about the optimum.

    Attributes:
        pi: (S,A) or (H,S,A), probabilities of actions.
        value: `Certified`: expected reward of pi from mu0, on the criterion's scale.
        costs: `Certified`, value (K,): expected costs of pi from mu0; error is the largest one.
        lower, upper: proved bounds on the optimal value of the constrained problem.
        multipliers: (K,) >= 0, prices of the limits, in units of reward per unit of cost; those behind `upper`.
        slack: (K,), limits - costs.value.
        violation: (K,), proved: pi's cost k is at most limits[k] + violation[k]; all 0 where pi is proved feasible.
        occupancy: occupancy measure of pi, as `theorylab.plan.occupancies` (Discounted: sums to 1).
        iterations: of the solver, all programs together.
        method: the solver.
    """

    pi: Floats
    value: Certified
    costs: Certified
    lower: float
    upper: float
    multipliers: Floats
    slack: Floats
    violation: Floats
    occupancy: Floats
    iterations: int
    method: str

    def __post_init__(self) -> None:
        for array in (self.pi, self.multipliers, self.slack, self.violation, self.occupancy, self.costs.value):
            array.flags.writeable = False


def _checked(model: Any, costs: ArrayLike, limits: ArrayLike) -> tuple[Floats, Floats]:
    if not isinstance(model, TabularMDP) or isinstance(model.criterion, ShortestPath):
        what = model.criterion if isinstance(model, TabularMDP) else f"a {type(model).__name__}"
        raise InputError(
            f"no constrained planner for {what}; give a TabularMDP with Discounted(gamma), FiniteHorizon(H) or "
            "AverageReward()"
        )
    c, d = floats(costs, "costs"), floats(limits, "limits")
    if c.ndim != 3 or c.shape[0] == 0 or c.shape[1:] != (model.S, model.A):
        raise InputError(f"costs has shape {c.shape}; expected (K, S, A) = (K, {model.S}, {model.A}) with K >= 1")
    if d.shape != c.shape[:1]:
        raise InputError(f"limits has shape {d.shape}; expected ({c.shape[0]},), one limit a cost")
    for name, array in (("costs", c), ("limits", d)):
        bad = ~(np.isfinite(array) & (np.abs(array) <= HUGE))
        if bad.any():
            i = first(bad)
            raise InputError(
                f"{at(name, i)} is {float(array[i])!r}; give finite numbers, at most {HUGE:g}: rescale them"
            )
    return c, d


def _with_rewards(model: TabularMDP, r: Floats) -> TabularMDP:
    law = RewardLaw("deterministic", low=float(r.min()), high=float(r.max()))
    return replace(model, r=r, reward_law=law)


def _up(x: Fraction) -> float:
    return float(np.nextafter(float(x), np.inf)) if x else 0.0


def _dot(a: Floats, b: Floats) -> Fraction:
    return sum((Fraction(x) * Fraction(y) for x, y in zip(a.tolist(), b.tolist(), strict=True)), Fraction(0))


def _from_start(model: TabularMDP, result: Any) -> Certified:
    """The value of a `Plan` from mu0 (average reward: the gain)."""
    if result.gain is not None:
        return Certified(result.gain, result.certified_error)
    exact = _dot(model.mu0, result.V[0] if isinstance(model.criterion, FiniteHorizon) else result.V)
    value = float(exact)
    mass = sum(map(Fraction, model.mu0.tolist()), Fraction(0))
    if not np.isfinite(result.certified_error):
        return Certified(value, float("inf"))
    return Certified(value, _up(abs(Fraction(value) - exact) + mass * Fraction(result.certified_error)))


def _excess(cost: Certified, limit: float) -> float:
    """How much a cost may exceed its limit, rounded up; 0 if it provably does not."""
    if not np.isfinite(cost.error):
        return float("inf")
    return _up(max(Fraction(cost.value) + Fraction(cost.error) - Fraction(limit), Fraction(0)))


def _mass(model: TabularMDP) -> float:
    """A bound on the total weight of the steps: sum of an occupancy measure, in steps."""
    rho, start = Rounding.of(model).row_sum, float(model.mu0.sum()) * (1 + 1e-12)
    if isinstance(model.criterion, FiniteHorizon):
        return start * sum(rho**h for h in range(model.H)) * (1 + 1e-9)
    if isinstance(model.criterion, Discounted):
        rate = model.criterion.gamma * rho * (1 + 1e-15)
        return start / (1 - rate) * (1 + 1e-9) if rate < 1 else float("inf")
    return 1.0


def lagrangian_bound(model: Any, costs: ArrayLike, limits: ArrayLike, multipliers: ArrayLike) -> float:
    """A proved upper bound on the constrained optimum, for any multipliers lam >= 0 (K,): see the module docstring.

    Poor multipliers give a loose bound, never a wrong one; infinite where the planner proves nothing.

    Raises:
        InputError: a multiplier that is negative or not finite, or arrays of wrong shapes.
    """
    model = as_tabular(model)
    c, d = _checked(model, costs, limits)
    lam = np.array(multipliers, dtype=np.float64)
    if lam.shape != d.shape:
        raise InputError(f"multipliers has shape {lam.shape}; expected {d.shape}, one a cost")
    bad = ~(np.isfinite(lam) & (lam >= 0))
    if bad.any():
        k = int(np.argmax(bad))
        raise InputError(f"multipliers[{k}] is {lam[k]}; weak duality needs finite multipliers >= 0: fix its sign")
    priced = model.r - np.tensordot(lam, c, axes=1)
    rounding = dot_bound(d.size + 2) * float((np.abs(model.r) + np.tensordot(lam, np.abs(c), axes=1)).max())
    part = _with_rewards(model, priced)
    best = _from_start(part, api.plan(part, tol=FINEST))
    slop = best.error + rounding * _mass(model) * (1 + 1e-9)
    if not np.isfinite(slop):
        return float("inf")
    total = Fraction(best.value) + Fraction(slop) * (1 + Fraction(1, 2**50)) + _dot(lam, d)
    return float(np.nextafter(float(total), np.inf))


def _smallest_cost(model: TabularMDP, cost: Floats) -> Certified:
    """The least expected cost of a policy."""
    part = _with_rewards(model, -cost)
    best = _from_start(part, api.plan(part, tol=FINEST))
    return Certified(-best.value, best.error)


def _met(model: TabularMDP, pi: Floats) -> NDArray[np.bool_]:
    """The pairs (s,a), at any stage, that pi can meet from mu0: (S,A)."""
    S, A, staged = model.S, model.A, isinstance(model.criterion, FiniteHorizon)
    flat = model.flat
    here, met = model.mu0 > 0, np.zeros((S, A), dtype=bool)
    for h in range(model.H if staged else S):
        pairs = here[:, None] & ((pi[h] if staged else pi) > 0)
        met |= pairs
        rows = np.flatnonzero(pairs) + (h * S * A if model.stage_dependent else 0)
        there = np.asarray((flat[rows] > 0).sum(axis=0)).ravel() > 0
        here = there if staged else here | there
    return met


def _policy(model: TabularMDP, x: Floats, elsewhere: NDArray[np.int64]) -> Floats:
    """x / sum_a x; the action `elsewhere` in states that x does not visit."""
    x = np.maximum(x, 0.0).reshape(*elsewhere.shape, model.A)
    mass = x.sum(axis=-1, keepdims=True)
    seen = mass > 1e-12 * mass.max()
    pi = np.where(seen, x / np.where(seen, mass, 1.0), np.eye(model.A)[elsewhere])
    pi[pi < RARE] = 0.0
    out: Floats = pi / pi.sum(axis=-1, keepdims=True)
    return out


def _average_policy(model: TabularMDP, x: Floats) -> Floats:
    """A policy with one recurrent class, and the frequencies x (blended if they mix classes)."""
    S, A = model.S, model.A
    for share in (0.0, BLEND):
        if share:
            x = (1 - share) * x + share * occupancy(model, np.full((S, A), 1 / A)).ravel()
        mass = np.maximum(x, 0.0).reshape(S, A).sum(axis=1)
        inside = np.flatnonzero(mass > 1e-12 * mass.max())
        pi = _policy(model, x, nearest_policy(model, distances(reachability(model), inside)))
        flat = model.flat
        met = np.flatnonzero(pi.ravel() > 0)
        to = csr_array(flat[met] > 0)
        of = csr_array((np.ones(met.size, dtype=np.int32), (met // A, np.arange(met.size))), shape=(S, met.size))
        if len(closed_classes(csr_array(of @ to.astype(np.int32)))) == 1:
            return pi
    raise InputError("the solver's frequencies mix recurrent classes that could not be joined; use solver='highs'")


class _Problem:
    def __init__(self, model: TabularMDP, costs: Floats, limits: Floats, solver: str) -> None:
        self.model, self.costs, self.limits, self.solver = model, costs, limits, solver
        self.average = isinstance(model.criterion, AverageReward)
        self.lp = occupancy_lp(model)
        copies = model.H if isinstance(model.criterion, FiniteHorizon) else 1
        self.rows = np.tile(costs.reshape(limits.size, -1), copies)

    def evaluated(self, pi: Floats) -> tuple[Certified, Certified, Floats]:
        """Value, costs and proved violations of a policy."""
        value = _from_start(self.model, api.evaluate(self.model, pi))
        met = _met(self.model, pi)
        found = []
        for cost in self.costs:
            if not cost[met].any():  # nothing is paid on any path: the cost is 0 without rounding
                found.append(Certified(0.0, 0.0))
                continue
            part = _with_rewards(self.model, cost)
            found.append(_from_start(part, api.evaluate(part, pi)))
        costs = Certified(np.array([k.value for k in found]), max(k.error for k in found))
        return value, costs, np.array([_excess(k, d) for k, d in zip(found, self.limits.tolist(), strict=True)])

    def refuse(self, out: Optimum) -> InputError:
        """Why there is no optimum: a limit below the smallest cost, limits that exclude each other, or the solver."""
        if out.status != "infeasible":
            return InputError(
                f"constrained linear program ({self.solver}): {out.status} ({out.text}); try solver='highs-ds' or "
                "'clarabel'"
            )
        if (single := self.too_low()) is not None:
            return single
        # least t with costs <= limits + t; its multipliers weigh the limits against each other
        extra = csr_array((self.lp.A_eq.shape[0], 1))
        wide = OccupancyLP(hstack([self.lp.A_eq, extra], format="csr"), self.lp.b_eq, -np.eye(self.lp.c.size + 1)[-1])
        rows = np.hstack([self.rows, -np.ones((self.limits.size, 1))])
        least = maximise(wide, self.solver, rows, self.limits)
        if least.multipliers is not None:
            w = np.maximum(least.multipliers, 0.0)
            cost = _smallest_cost(self.model, np.tensordot(w, self.costs, axes=1))
            slop = dot_bound(w.size + 2) * float(np.tensordot(w, np.abs(self.costs), axes=1).max()) * _mass(self.model)
            if Fraction(cost.value) - Fraction(cost.error) - 2 * Fraction(slop) > _dot(w, self.limits):
                return InputError(
                    f"no policy meets all limits {self.limits.tolist()}: with weights {np.round(w, 6).tolist()} every "
                    f"policy costs at least {cost.low:.6g}, the limits allow {float(_dot(w, self.limits)):.6g}; raise "
                    "limits of positive weight"
                )
        return InputError(
            f"the limits {self.limits.tolist()} cannot be met within the tolerance of {self.solver} ({out.text}): "
            "raise them a little"
        )

    def too_low(self) -> InputError | None:
        for k, limit in enumerate(self.limits.tolist()):
            least = _smallest_cost(self.model, self.costs[k])
            if least.low > limit:
                return InputError(
                    f"limits[{k}] is {limit!r}, but every policy has cost {k} of at least {least.low:.9g} (certified): "
                    f"raise limits[{k}]"
                )
        return None


def plan_constrained(model: Any, costs: ArrayLike, limits: ArrayLike, *, solver: str = "highs") -> ConstrainedPlan:
    """The best policy within limits on expected costs, and a proved bracket of the optimal value.

    Args:
        model: Discounted, FiniteHorizon or AverageReward (weakly communicating); dense, stage-dependent or CSR. Values
            and costs are from mu0.
        costs: (K,S,A), any sign, on the criterion's scale (sums, discounted sums or averages).
        limits: (K,), in the unit of the costs.
        solver: "highs", "highs-ds", or a solver of cvxpy such as "clarabel": see `linear_program.maximise`.

    Raises:
        InputError: limits that no policy meets (named, with the smallest attainable cost, certified), a solver that
            failed or is missing, arrays of wrong shapes, or a model that is not weakly communicating.
    """
    model = as_tabular(model)
    c, d = _checked(model, costs, limits)
    problem = _Problem(model, c, d, solver)
    if problem.average:
        require_one_gain(model)
    tight, steps = d.copy(), 0
    first: tuple[Floats, Certified, Certified, Floats] | None = None
    for _ in range(ROUNDS):
        out = maximise(problem.lp, solver, problem.rows, tight)
        if out.x is None or out.multipliers is None:
            if first is None:
                raise problem.refuse(out)
            break
        steps += out.iterations
        if first is None:
            # a solver's multipliers may be negative by its tolerance; any lam >= 0 proves a bound
            multipliers = np.maximum(out.multipliers, 0.0)
            if not problem.average:
                elsewhere = api.plan(_with_rewards(model, model.r - np.tensordot(multipliers, c, axes=1))).pi
        pi = _average_policy(model, out.x) if problem.average else _policy(model, out.x, elsewhere)
        found = (pi, *problem.evaluated(pi))
        if first is None or not found[3].any():
            first = found
        if not found[3].any() or not np.isfinite(found[3]).all():
            break
        tight = tight - 2 * found[3]
    assert first is not None
    pi, value, paid, violation = first
    if violation.any() and (wrong := problem.too_low()) is not None:
        raise wrong
    lower = float("-inf") if violation.any() else float(value.low)
    upper = lagrangian_bound(model, c, d, multipliers)
    return ConstrainedPlan(
        pi, value, paid, lower, upper, multipliers, d - paid.value, violation, occupancy(model, pi), steps, solver
    )
