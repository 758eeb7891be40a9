"""Sub-optimality gaps V_star - Q_star with certified errors, and the smallest positive one.

    FiniteHorizon              V_star[h,s] - Q_star[h,s,a]          (H,S,A)
    Discounted, ShortestPath   V_star[s] - Q_star[s,a]              (S,A), 0 at the goal
    AverageReward              gain + bias[s] - Q[s,a]              (S,A)
    Bandit                     best mean - mean[a]                  (A,)

From values within e of the exact ones every Q is known within e + rounding, hence a gap within twice that. An entry is
positive where its interval excludes 0. The entries of a state that are left are its candidates, one of which has gap 0
for sure. A state with one candidate is decided; so is one whose candidates have equal rewards and equal rows of P:
they tie exactly. Any other candidate but the greedy one is undecided: its gap is 0, or so small that rounding hides
it; small models are then solved in exact rationals (`theorylab.plan.exact`). [derived]
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

from theorylab.model import AverageReward, Bandit, Discounted, FiniteHorizon, ShortestPath, TabularMDP
from theorylab.plan.backward_induction import stage_errors
from theorylab.plan.certify import FINEST, Rounding, U, dot_bound
from theorylab.plan.record import Certified, Plan

__all__ = ["Gaps", "certified_gaps", "decided_gaps", "minimal_gap"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

LEAST = 2.0**-1074  # the least positive float, the spacing of those below 2^-1022
LARGEST = Fraction(2) ** 1023
EXACT_STATES = 50  # models up to this size are decided exactly by default: a fraction of a second
EXACT_ROWS = 5_000


@dataclass(frozen=True, eq=False)
class Gaps:
    """Gaps of a model, and which of them are positive. Units of reward.

    Attributes:
        gaps: value as in the module docstring; error: bound on the largest error of an entry.
        minimal: the smallest positive gap; infinite if all actions are optimal. Where `undecided` is not empty a
            smaller one may hide there: the error then reaches down to 0.
        at: index of the entry of `minimal`, (h,s,a), (s,a) or (a,); None if there is none.
        inverse_sum: sum of 1 / gap over the positive entries; its error is infinite where `undecided` is not empty.
        positive: bool, shape of the gaps: entries proved positive.
        ties: how many actions are optimal beyond the first of their state (and stage), `undecided` left out.
        undecided: indices of the entries that are neither proved positive nor proved to tie with the best.
        exact: whether the gaps come from exact rationals, each then correctly rounded.
    """

    gaps: Certified
    minimal: Certified
    at: tuple[int, ...] | None
    inverse_sum: Certified
    positive: Bools
    ties: int
    undecided: tuple[tuple[int, ...], ...]
    exact: bool


def certified_gaps(model: TabularMDP | Bandit, *, result: Plan | None = None) -> Certified:
    """Gaps, value (H,S,A), (S,A) or (A,), with a bound on the largest error of an entry, in units of reward.

    The error is infinite where the plan's is, as for the bias of an average-reward model whose bias is not unique.
    `result` is `plan(model)`, if it is at hand.

    Raises:
        InputError: a model that `plan` refuses.
    """
    value, radius = _intervals(model, result)
    return Certified(value, float(radius.max()))


def minimal_gap(model: TabularMDP | Bandit) -> Certified:
    """The smallest positive gap, in units of reward; see `Gaps.minimal` and `decided_gaps`."""
    return decided_gaps(model).minimal


def decided_gaps(model: TabularMDP | Bandit, *, exact: bool | None = None, result: Plan | None = None) -> Gaps:
    """Gaps with the decision which of them are positive, which are ties, and which stay open.

    Args:
        model: a bandit, or a model of any criterion.
        exact: whether entries that rounding leaves open are decided in exact rationals; None: where the model is small
            (50 states, 5,000 rows (h,s,a)) and python-flint is installed. Not done where the bias is not unique.
        result: `plan(model)`, if it is at hand.

    Raises:
        InputError: a model that `plan` refuses, or that `exact_plan` refuses where it is used.
    """
    value, radius = _intervals(model, result)
    positive = value > radius
    best = np.zeros(value.shape, dtype=bool)
    np.put_along_axis(best, np.argmin(value, axis=-1)[..., None], True, axis=-1)
    # a gap of 0 without an error is a tie; the greedy action has gap 0 or stands for the one that has
    open_ = ~positive & ~best & (radius > 0)
    if isinstance(model, Bandit):
        return _report(value, radius, positive, open_, value.shape[:-1], False)
    _settle(model, positive, open_)
    if open_.any() and (exact or (exact is None and _small(model))):
        found = _exact(model)
        if found is not None:
            value, positive = found
            radius, open_ = U * value + np.where(positive, LEAST, 0.0), np.zeros_like(open_)
            return _report(value, radius, positive, open_, _states(model), True)
    return _report(value, radius, positive, open_, _states(model), False)


def _intervals(model: TabularMDP | Bandit, result: Plan | None) -> tuple[Floats, Floats]:
    """Gaps, and a bound on the error of each."""
    if isinstance(model, Bandit):
        means = model.means.max() - model.means
        return means, U * means
    from theorylab.plan.api import plan  # the public functions are built on this module

    result = plan(model, tol=FINEST) if result is None else result
    rounding = Rounding.of(model)
    if isinstance(model.criterion, FiniteHorizon):
        q = result.Q
        off = stage_errors(model, result.V, q)[:, None, None]
    else:
        gamma = model.criterion.gamma if isinstance(model.criterion, Discounted) else 1.0
        flat = model.flat
        q = model.r + gamma * (flat @ result.V).reshape(model.S, model.A)
        v_max, q_max = float(np.abs(result.V).max()), float(np.abs(q).max())
        off = np.full((model.S, 1), rounding.backup(v_max, q_max) + U * rounding.row_sum * v_max)
        if isinstance(model.criterion, AverageReward):
            off += rounding.defect * v_max + (np.inf if result.bias_error is None else result.bias_error)
        else:
            off += gamma * rounding.row_sum * (1 + 4 * U) * result.certified_error
        if isinstance(model.criterion, ShortestPath):
            q[model.criterion.goal] = off[model.criterion.goal] = 0.0
    value = q.max(axis=-1, keepdims=True) - q
    return value, (2 * off + U * value) * (1 + 8 * U)


def _states(model: TabularMDP) -> tuple[int, ...]:
    """(H,S) or (S,), the goal of a shortest path left out: the states where actions matter."""
    if isinstance(model.criterion, FiniteHorizon):
        return model.H, model.S
    return (model.S - isinstance(model.criterion, ShortestPath),)


def _settle(model: TabularMDP, positive: Bools, open_: Bools) -> None:
    """Close the entries of states whose candidates have the same reward and the same row of P: they tie exactly."""
    for index in np.argwhere(open_.any(axis=-1)):
        *stage, s = index.tolist()
        actions = np.flatnonzero(~positive[tuple(index)])
        if np.ptp(model.r[s, actions]) == 0:
            laws = {_law(model, stage[0] if stage else 0, s, int(a)) for a in actions}
            if len(laws) == 1:
                open_[tuple(index)] = False


def _law(model: TabularMDP, h: int, s: int, a: int) -> bytes:
    if model.sparse:
        row = slice(*model.P.indptr[s * model.A + a : s * model.A + a + 2])
        law: bytes = model.P.indices[row].tobytes() + model.P.data[row].tobytes()
    else:
        law = (model.P[h, s, a] if model.stage_dependent else model.P[s, a]).tobytes()
    return law


def _small(model: TabularMDP) -> bool:
    rows = model.S * model.A * (model.H if isinstance(model.criterion, FiniteHorizon) else 1)
    return model.S <= EXACT_STATES and rows <= EXACT_ROWS and find_spec("flint") is not None


def _exact(model: TabularMDP) -> tuple[Floats, Bools] | None:
    """Correctly rounded gaps, and which are positive; None where the bias is not proved unique, or beyond floats."""
    from theorylab.plan.exact import exact_plan

    answer = exact_plan(model)
    if isinstance(model.criterion, AverageReward) and not answer.bias_unique:
        return None
    gaps = answer.Q.max(axis=-1, keepdims=True) - answer.Q
    positive: Bools = (gaps > 0).astype(bool)
    if max(gaps.ravel()) >= LARGEST:
        return None
    # a positive gap below the least float stands as that
    values = [max(float(x), LEAST) if x > 0 else 0.0 for x in gaps.ravel()]
    return np.array(values).reshape(gaps.shape), positive


def _report(value: Floats, radius: Floats, positive: Bools, open_: Bools, states: tuple[int, ...], exact: bool) -> Gaps:
    radius = np.broadcast_to(radius, value.shape)
    undecided = tuple(tuple(int(k) for k in i) for i in np.argwhere(open_))
    places = value.size // value.shape[-1]
    # at the goal, if there is one, all gaps are 0 and none is counted
    goal = (places - math.prod(states)) * value.shape[-1]
    ties = int((~positive & ~open_).sum()) - goal - math.prod(states)
    error = float(radius.max())
    if not positive.any():
        nothing = Certified(0.0, np.inf) if undecided else Certified(np.inf, 0.0)
        inverse = Certified(0.0, np.inf if undecided else 0.0)
        return Gaps(Certified(value, error), nothing, None, inverse, positive, ties, undecided, exact)
    g, e = value[positive], radius[positive]
    smallest = float(g.min())
    at = tuple(int(k) for k in np.argwhere(positive)[int(np.argmin(g))])
    # the exact minimum lies between the smallest low and the smallest high end
    away = max(smallest - float((g - e).min()), float((g + e).min()) - smallest, smallest if undecided else 0.0)
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        total = float((1 / g).sum())
        spread = float((e / g / (g - e)).sum()) + 2 * dot_bound(g.size + 4) * total
    if not np.isfinite(spread):  # gaps so small that their inverses overflow
        spread = np.inf
    return Gaps(
        gaps=Certified(value, error),
        minimal=Certified(smallest, (away + 2 * U * smallest) * (1 + 8 * U)),
        at=at,
        inverse_sum=Certified(total, np.inf if undecided else spread * (1 + 1e-9)),
        positive=positive,
        ties=ties,
        undecided=undecided,
        exact=exact,
    )
