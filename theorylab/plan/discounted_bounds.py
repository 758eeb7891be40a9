"""The certificate of discounted values, and when an iteration may stop.

Let T be the optimality operator (or a policy's), rho the largest row sum of P and gamma rho < 1. If |T V - V| <= d in
every state, then T(V + x) <= V + d + gamma rho x <= V + x for the constant x = d / (1 - gamma rho), so V + x bounds the
fixed point V_star from above, as T is monotone; likewise from below:

    max |V - V_star| <= (max |T V - V| + rounding of the backup) / (1 - gamma rho).

It holds for any V, however found. Iterations shift their iterates by the constant that centres T V - V around 0, the
mid-point of the bounds of MacQueen and Porteus, so that this bound is as small as theirs: half the span of T V - V.

Sources: Puterman (1994), section 6.6.3 (bounds, span), theorem 6.6.5 [recalled]; the rounding term [derived].
"""

from __future__ import annotations

from typing import Any

from theorylab.errors import InputError
from theorylab.model import Discounted, TabularMDP
from theorylab.plan.certify import Rounding, U

__all__ = ["Bound", "Monitor"]

NEAR = 1_000.0  # residuals within this factor of the rounding term count as near the floor
PATIENCE_NEAR, PATIENCE = 12, 3_000  # steps without a smaller bound before giving up: near the floor, elsewhere


class Bound:
    """The constants of a discounted model: `gamma`, `rate` = gamma rho, `reward` = max |r|."""

    def __init__(self, model: TabularMDP) -> None:
        if not isinstance(model.criterion, Discounted):
            raise InputError(f"the criterion is {model.criterion}; this planner needs Discounted(gamma)")
        self.gamma = model.criterion.gamma
        self.rounding = Rounding.of(model)
        self.rate = self.gamma * self.rounding.row_sum * (1 + 4 * U)
        self.reward = float(max(model.r.max(), -model.r.min()))

    def error(self, residual: float, v_max: float, averaging: float = 0.0) -> float:
        """Rounding of T V - V as computed; `averaging`: relative error of a stochastic policy's average of q."""
        q_max = (self.reward + self.gamma * self.rounding.row_sum * v_max) * (1 + 8 * U)
        # the product with gamma rounds once more than `backup` counts, the difference once
        size = self.rounding.backup(v_max, q_max) + U * self.rounding.row_sum * v_max + U * residual
        return ((1 + averaging) * size + averaging * q_max) * (1 + 8 * U)

    def __call__(self, residual: float, v_max: float, averaging: float = 0.0) -> float:
        """Bound on max |V - V_star| from residual = max |T V - V| as computed and v_max = max |V|."""
        rate = self.rate * (1 + averaging) * (1 + 4 * U)
        if not rate < 1:
            return float("inf")
        return (residual + self.error(residual, v_max, averaging)) / (1 - rate) * (1 + 16 * U)

    def shift(self, low: float, high: float) -> float:
        """What to add to V so that T V - V, in [low, high], is centred around 0 (rows of sum 1)."""
        return (low + high) / 2 / (1 - self.gamma)


class Monitor:
    """Keeps the V of the smallest bound and says when to stop.

    An iteration stops when the bound is at most tol max(1, max |V|); when the residual is below the rounding term, so
    that going on could at best halve the bound; or when the bound has stopped falling.

    Attributes:
        steps: full backups so far, over all actions. v, q: the best V, and its q if it was materialised.
        patience: steps without a smaller bound, far from the rounding term, after which it gives up.
    """

    def __init__(self, bound: Bound, tol: float) -> None:
        self.bound, self.tol, self.patience = bound, tol, PATIENCE
        self.steps = 0
        self.v: Any = None
        self.q: Any = None
        self._best = float("inf")
        self._since = 0

    def wanted(self, v_max: float) -> float:
        """The residual at which the bound is met; the rounding term where that is out of reach."""
        error = self.bound.error(0.0, v_max)
        return max(self.tol * max(1.0, v_max) * (1 - self.bound.rate) - error, error)

    def stop(self, xp: Any, v: Any, low: float, high: float, q: Any = None) -> bool:
        """Take note of V with T V - V in [low, high]; True if the iteration should end."""
        residual = max(high, -low)
        v_max = max(float(xp.max(v)), -float(xp.min(v)))
        if not (residual < float("inf") and v_max < float("inf")):  # also NaN
            return self._later(self.patience)
        error = self.bound.error(residual, v_max)
        if residual + error < self._best:
            self._best, self._since, self.v, self.q = residual + error, 0, v, q
        if residual <= error or self.bound(residual, v_max) <= self.tol * max(1.0, v_max):
            self.v, self.q = v, q
            return True
        return self._later(PATIENCE_NEAR if residual <= NEAR * error else self.patience)

    def _later(self, patience: int) -> bool:
        self._since += 1
        return self._since > patience
