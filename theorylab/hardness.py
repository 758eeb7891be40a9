"""How hard a model is: the quantities that regret and sample-complexity bounds are stated in, with proved errors.

    branching            largest number of successors of a row (s,a)
    value                expected value under mu0 of an optimal policy                             reward
    gain                 optimal average reward                                                    reward per step
    bias_span            max - min of the optimal bias (Bartlett and Tewari, 2009)                 reward
    diameter             largest minimal expected hitting time (Jaksch et al., 2010, def. 1)       steps
    mixing_time          of the gain-optimal policy that `plan` returns, to within 1/4             steps
    gap, inverse_gaps    smallest positive gap; sum of 1 / gap over positive ones (stages summed)  reward, 1 / reward
    inverse_square_gaps  bandits: sum of 1 / gap^2 (Audibert, Bubeck and Munos, 2010, H_1 without  1 / reward^2
                         the best arm's term)
    ties                 actions that are optimal beyond the first of their state (and stage)
    variance             max_{s,a} Var_{s2 ~ P[s,a]} V_star(s2), the square of the environmental   reward^2
                         norm (Maillard et al., 2014); with average reward V_star is the bias

All definitions [recalled]. Gain, bias span, diameter and mixing time belong to the average-reward view and are computed
whatever the criterion where P does not depend on the stage; they and the variance are those of P with each row divided
by its exact sum. A quantity that does not apply, or that is not computed, is None with a reason.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from theorylab.criteria import AVERAGE_REWARD, AverageReward, Discounted, FiniteHorizon, ShortestPath
from theorylab.errors import InputError
from theorylab.model import Bandit, TabularMDP
from theorylab.plan.api import plan
from theorylab.plan.certify import FINEST, UNDERFLOW, Rounding, U, dot_bound
from theorylab.plan.hitting import certified_diameter
from theorylab.plan.inputs import as_tabular
from theorylab.plan.mixing import mixing_time
from theorylab.plan.record import Certified, Plan
from theorylab.plan.suboptimality import Gaps, decided_gaps

__all__ = ["Hardness", "Row", "hardness"]

Floats = NDArray[np.float64]
T = TypeVar("T")

MOST_STATES = 2_000  # beyond it the average-reward view is computed only where it is asked for

GAPS = ("gap", "inverse_gaps", "ties")
VIEW = ("gain", "bias_span", "mixing_time", "diameter")  # the last one needs no plan
UNPROVED = "no bound on the error of the values or the bias was proved"
UNITS = {
    "branching": "successors",
    "value": "reward",
    "gain": "reward per step",
    "bias_span": "reward",
    "diameter": "steps",
    "mixing_time": "steps",
    "gap": "reward",
    "inverse_gaps": "1/reward",
    "inverse_square_gaps": "1/reward^2",
    "ties": "actions",
    "variance": "reward^2",
    "best_mean": "reward",
}


class Row(NamedTuple):
    """A quantity for printing: name in words; value and error, None where it does not apply; unit; reason or ""."""

    name: str
    value: float | None
    error: float | None
    unit: str
    reason: str


@dataclass(frozen=True, eq=False)
class Hardness:
    """The quantities of the module docstring.

    Attributes:
        name, criterion: of the model; the criterion is "bandit" for a bandit.
        S, A: numbers of states (1 for a bandit) and actions. H, gamma: None where the criterion has none.
        branching .. best_mean: a `Certified`, or None where the quantity does not apply or was not computed. The error
            of `ties` counts the actions that may or may not tie. An infinite error says that nothing was proved.
        reasons: for each quantity that is None, or whose error is infinite or covers undecided ties, why.
    """

    name: str
    criterion: str
    S: int
    A: int
    H: int | None
    gamma: float | None
    branching: Certified | None = None
    value: Certified | None = None
    gain: Certified | None = None
    bias_span: Certified | None = None
    diameter: Certified | None = None
    mixing_time: Certified | None = None
    gap: Certified | None = None
    inverse_gaps: Certified | None = None
    inverse_square_gaps: Certified | None = None
    ties: Certified | None = None
    variance: Certified | None = None
    best_mean: Certified | None = None
    reasons: dict[str, str] = field(default_factory=dict)

    def as_rows(self) -> list[Row]:
        """One row a quantity, (name, value, error, unit, reason), in the order of the module docstring."""
        rows = []
        for key, unit in UNITS.items():
            known: Certified | None = getattr(self, key)
            value, error = (None, None) if known is None else (float(known.value), float(known.error))
            rows.append(Row(key.replace("_", " "), value, error, unit, self.reasons.get(key, "")))
        return rows


def hardness(model: TabularMDP | Bandit, *, diameter: bool | None = None) -> Hardness:
    """Measure a model.

    Args:
        model: a bandit, a model of any criterion, or one with an exact tabular embedding.
        diameter: whether the diameter and the rest of the average-reward view are computed; None: up to 2,000 states.
            (With criterion AverageReward gain and bias span always are.)

    Raises:
        InputError: anything else; a quantity whose computation a model refuses is None, with the reason.
    """
    if isinstance(model, Bandit):
        return _bandit(model)
    model = as_tabular(model)
    found: dict[str, Certified] = {"branching": Certified(float(model.row_profile.terms), 0.0)}
    reasons: dict[str, str] = {k: "only a bandit's arms have one" for k in ("best_mean", "inverse_square_gaps")}

    def attempt(names: tuple[str, ...], compute: Callable[[], T]) -> T | None:
        """What is computed; where the model is refused, None, and the refusal is the reason."""
        try:
            return compute()
        except InputError as error:
            reasons.update(_shared(names, str(error)))
            return None

    own = attempt(("value", "variance", *GAPS), lambda: plan(model, tol=FINEST))
    if own is not None:
        found |= _values(model, own, reasons)
        report = attempt(GAPS, lambda: decided_gaps(model, result=own))
        if report is not None:
            found |= _of_gaps(report, reasons)
    average = isinstance(model.criterion, AverageReward)
    if model.stage_dependent:
        reasons |= dict.fromkeys(VIEW, "the transitions depend on the stage")
    elif diameter or (diameter is None and model.S <= MOST_STATES):
        view = own if average else attempt(VIEW[:-1], lambda: plan(replace(model, criterion=AVERAGE_REWARD)))
        if view is not None:
            found |= _of_bias(view, reasons)
            policy = view.pi
            mixing = attempt(("mixing_time",), lambda: mixing_time(model, policy))
            found |= {} if mixing is None else {"mixing_time": mixing}
        elif average:
            reasons |= dict.fromkeys(VIEW[:-1], "see value")
        widest = attempt(("diameter",), lambda: certified_diameter(model))
        found |= {} if widest is None else {"diameter": widest}
    else:
        ask = f"not computed beyond {MOST_STATES} states ({model.S} here); ask for it: hardness(model, diameter=True)"
        planned = average and own is not None
        left = VIEW[2:] if planned else VIEW
        reasons |= dict.fromkeys(left, "not asked for: diameter=False" if diameter is False else ask)
        if own is not None and planned:
            found |= _of_bias(own, reasons)
    criterion = model.criterion
    return Hardness(
        model.name,
        str(criterion),
        model.S,
        model.A,
        criterion.H if isinstance(criterion, FiniteHorizon) else None,
        criterion.gamma if isinstance(criterion, Discounted) else None,
        **found,
        reasons=reasons,
    )


def _bandit(model: Bandit) -> Hardness:
    report = decided_gaps(model)
    g = report.gaps.value[report.positive]
    with np.errstate(over="ignore", divide="ignore"):
        square = float((1 / g**2).sum())
    states = "a bandit has no states"
    reasons = dict.fromkeys(("branching", "value", "bias_span", "diameter", "mixing_time", "variance"), states)
    reasons["gain"] = "a bandit has no states: see best mean"
    return Hardness(
        model.name,
        "bandit",
        1,
        model.A,
        None,
        None,
        gap=report.minimal,
        inverse_gaps=report.inverse_sum,
        # a gap carries one rounding, its square, the quotient and the sum the rest
        inverse_square_gaps=Certified(square, 2 * dot_bound(g.size + 8) * square),
        ties=Certified(float(report.ties), 0.0),
        best_mean=Certified(model.best_mean, 0.0),
        reasons=reasons,
    )


def _values(model: TabularMDP, result: Plan, reasons: dict[str, str]) -> dict[str, Certified]:
    """Value and variance."""
    if isinstance(model.criterion, AverageReward):
        reasons["value"] = "the value of an average-reward model is its gain"
        error = np.inf if result.bias_error is None else result.bias_error
        out = {"variance": _variance(model, result.V, error)}
    else:
        error = result.certified_error
        start = result.V[0] if isinstance(model.criterion, FiniteHorizon) else result.V
        off = error + dot_bound(model.S + 2) * float(np.abs(start).max())
        # mu0 sums to at most 1 + 1e-9
        value = Certified(float(model.mu0 @ start), off * (1 + 2e-9))
        out = {"value": value, "variance": _variance(model, result.V, error)}
    if not np.isfinite(error):
        reasons |= dict.fromkeys(out, UNPROVED)
    return out


def _of_gaps(report: Gaps, reasons: dict[str, str]) -> dict[str, Certified]:
    open_ = len(report.undecided)
    if open_:
        reasons |= _shared(GAPS, _open(report) if np.isfinite(report.gaps.error) else UNPROVED)
    elif report.at is None:
        reasons["gap"] = "every action is optimal"
    ties = Certified(float(report.ties + open_), float(open_))
    return {"gap": report.minimal, "inverse_gaps": report.inverse_sum, "ties": ties}


def _shared(names: tuple[str, ...], text: str) -> dict[str, str]:
    """One reason for several quantities: the first one has the text."""
    return dict.fromkeys(names, f"see {names[0].replace('_', ' ')}") | {names[0]: text}


def _open(report: Gaps) -> str:
    shown = ", ".join(f"({', '.join(map(str, i))})" for i in report.undecided[:3])
    more = ", ..." if len(report.undecided) > 3 else ""
    letters = "(h,s,a)" if len(report.undecided[0]) == 3 else "(s,a)"
    one = len(report.undecided) == 1
    hint = "" if find_spec("flint") else "; on small models theorylab[exact] decides"
    return (
        f"rounding leaves open whether {letters} = {shown}{more} {'ties' if one else 'tie'} with the best or "
        f"{'has' if one else 'have'} a smaller gap: {len(report.undecided)} in all{hint}"
    )


def _of_bias(view: Plan, reasons: dict[str, str]) -> dict[str, Certified]:
    """Gain and bias span of an average-reward plan."""
    assert view.gain is not None and view.bias is not None
    error = np.inf if view.bias_error is None else view.bias_error
    if not np.isfinite(error):
        reasons["bias_span"] = UNPROVED
    # both biases have minimum 0, so that their spans are their maxima
    span = float(np.ptp(view.bias))
    return {
        "gain": Certified(view.gain, view.certified_error),
        "bias_span": Certified(span, (error + 2 * U * span) * (1 + 4 * U)),
    }


def _variance(model: TabularMDP, V: Floats, error: float) -> Certified:
    """max over rows of the variance of V under the row; `error` bounds |V - V_star|.

    With c = V - middle, |c| <= w: the computed P c^2 - (P c)^2 is off by the rounding of both, and as a standard
    deviation is a seminorm that is at most the largest entry, that of V is within `error` of that of V_star.
    """
    rounding = Rounding.of(model)
    values = V[1:] if isinstance(model.criterion, FiniteHorizon) else V[None]
    middle = (values.max(axis=1) + values.min(axis=1)) / 2
    c = (values - middle[:, None]).T
    with np.errstate(over="ignore", invalid="ignore"):
        if model.stage_dependent:
            flat = model.P.reshape(-1, model.S * model.A, model.S)
            first, second = (np.stack([P @ x[:, h] for h, P in enumerate(flat)], axis=1) for x in (c, c * c))
        else:
            rows: Any = model.P if model.sparse else model.P.reshape(-1, model.S)
            first, second = rows @ c, rows @ (c * c)
        variance = second - first * first
    if not np.isfinite(variance).all():  # squares beyond the largest float
        return Certified(np.inf, np.inf)
    if isinstance(model.criterion, ShortestPath):
        variance = np.delete(variance.reshape(model.S, model.A), model.criterion.goal, axis=0)
    largest = max(float(variance.max(initial=0.0)), 0.0)
    w = float(np.abs(c).max()) * (1 + 4 * U)
    mean_off = (dot_bound(rounding.terms + 1) * rounding.row_sum + rounding.defect) * w
    off = (dot_bound(rounding.terms + 2) * rounding.row_sum + rounding.defect + 4 * U) * w * w
    off += 2 * rounding.row_sum * w * mean_off + mean_off * mean_off + 2 * rounding.terms * UNDERFLOW
    off *= 1 + 16 * U
    if not np.isfinite(error):
        return Certified(largest, np.inf)
    shift = error + 2 * U * (w + float(np.abs(values).max()))
    return Certified(largest, (off + 2 * np.sqrt(largest + off) * shift + shift * shift) * (1 + 16 * U))
