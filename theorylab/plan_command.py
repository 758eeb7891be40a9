"""The work of `theorylab plan`: find a model, solve and measure it, give the result as JSON or as a figure.

A model is named by its family, is a published instance, or lies in a .npz file. `theorylab.plan_text` puts the same
result into words. Shapes and units are those of `Plan`: V in units of reward, with average reward the bias.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any
from zipfile import ZipFile, is_zipfile

import numpy as np

from theorylab.criteria import AverageReward, Criterion, Discounted, FiniteHorizon, ShortestPath
from theorylab.errors import InputError
from theorylab.family import COMMON, GAMES, Family, Grid, Published
from theorylab.linear import LinearMDP, LinearMixtureMDP
from theorylab.linear_bandit import ContextualBandit, LinearBandit
from theorylab.model import Bandit, RewardLaw, TabularMDP
from theorylab.npz import load
from theorylab.picture import first_stage
from theorylab.plan.api import plan as plan_of
from theorylab.plan.certify import Rounding, U, dot_bound
from theorylab.plan.record import Certified, Plan
from theorylab.registry import find_model

__all__ = [
    "SNAP",
    "Measure",
    "Solved",
    "Subject",
    "as_json",
    "check_path",
    "criterion_of",
    "find",
    "proved",
    "save_figure",
    "solve",
    "source_of",
    "start_value",
    "value_error",
]

SNAP_DISTANCE = Fraction(1, 10**12)  # as in theorylab.plan.exact
ARRAYS = 10_000  # most S*A for which JSON holds the arrays
SNAP = 10_000  # numbers of a model become the nearest fractions with at most this denominator
Measure = tuple[str, float | None, float | None, str, str]


@dataclass(frozen=True, eq=False)
class Subject:
    """A model and where it comes from.

    Attributes:
        model: a `TabularMDP` or a `Bandit`.
        digest: content hash of the model as its family makes it.
        origin: class of a model that is solved by its exact embedding, such as "LinearMDP"; else "".
        d: its number of features, if it has features.
        family: its family; None for a file.
        published: the published instance with the same content, if there is one.
        grid: where the states lie, if they lie in a plane; the goal of a shortest path is marked "G".
        params: parameters given to the family.
    """

    model: Any
    digest: str
    origin: str = ""
    d: int | None = None
    family: Family | None = None
    published: Published | None = None
    grid: Grid | None = None
    params: Mapping[str, Any] | None = None


@dataclass(frozen=True, eq=False)
class Solved:
    """What is known of a subject.

    Attributes:
        plan: the optimal plan; None for a bandit.
        hardness: rows (name, value, error, unit, reason); the value is None where the measure does not apply.
        exact: an `ExactPlan`, if asked for.
        exact_start: its gain, or its expected value under mu0.
    """

    subject: Subject
    plan: Plan | None
    hardness: tuple[Measure, ...]
    exact: Any = None
    exact_start: Fraction | None = None


def criterion_of(horizon: int | None, gamma: float | None, goal: int | None, average: bool) -> Criterion | None:
    """The criterion of the options, None if none is given; two of them raise `InputError`."""
    given: dict[str, Criterion] = {}
    if horizon is not None:
        given["--horizon"] = FiniteHorizon(horizon)
    if gamma is not None:
        given["--gamma"] = Discounted(gamma)
    if goal is not None:
        given["--goal"] = ShortestPath(goal)
    if average:
        given["--average"] = AverageReward()
    if len(given) > 1:
        raise InputError(f"{' and '.join(given)} exclude each other; give one criterion")
    return next(iter(given.values()), None)


def find(name: str, params: Mapping[str, Any], criterion: Criterion | None, *, unit_cost: bool = False) -> Subject:
    """The model called `name`, or in the file `name` if that ends in .npz, with another criterion where one is given.

    `unit_cost`: each step of a shortest path costs 1 whatever the model's rewards, so that -V is the expected time.

    Raises:
        InputError: an unknown name (with the nearest ones), a parameter that the family does not have, a file that is
            missing or holds no model, a criterion that does not fit, `unit_cost` without a goal.
    """
    if name.endswith(".npz"):
        if params:
            raise InputError("--param sets parameters of a family; a file has none")
        # a file of plain arrays takes the criterion when it is read: stages of P need it
        made, family = load(name, criterion=None if _saved(name) else criterion), None
    else:
        family = find_model(name)
        if family.setting in GAMES:
            raise InputError(
                f"'{family.name}' is a game, and a plan is for one agent; solve zero-sum games by theorylab.games.solve"
            )
        fixed = [k for k in params if k not in COMMON] if isinstance(family.build, partial) else []
        if fixed:
            raise InputError(f"'{family.name}' is a published instance, {fixed[0]} is fixed; give the family's name")
        made = family(**params)
    model: Any = made
    if isinstance(made, (LinearMDP, LinearMixtureMDP, ContextualBandit)):
        model = made.tabular()
    elif isinstance(made, LinearBandit):
        model = made.bandit()
    origin = type(made).__name__ if model is not made else ""
    d = _features(made)
    digest: str = made.digest
    if criterion is not None and getattr(model, "criterion", None) != criterion:
        if isinstance(model, Bandit):
            raise InputError(f"'{model.name}' is a bandit: it has no --horizon, --gamma, --goal or --average")
        if model.stage_dependent:
            raise InputError(f"'{model.name}' has transitions for its {model.H} stages: it has no other criterion")
        model = replace(model, criterion=criterion)
        digest = model.digest
    if unit_cost:
        model = _unit_cost(model)
        digest = model.digest
    if family is None:
        return Subject(model, digest, origin, d)
    named = next((p for p in family.published if p.name == family.name), None)
    own = named.params if named else {k: v for k, v in params.items() if k in family.params}
    grid = family.grid(**own) if family.grid is not None else None
    if grid is not None and isinstance(model.criterion, ShortestPath):
        grid = replace(grid, marks={**grid.marks, model.criterion.goal: "G"})
    same = next((p for p in family.published if p.digest == digest[:16]), None)
    return Subject(model, digest, origin, d, family, same, grid, dict(params))


def _features(made: Any) -> int | None:
    if isinstance(made, ContextualBandit):
        return None if made.features is None else int(made.features.shape[-1])
    return made.d if isinstance(made, (LinearMDP, LinearMixtureMDP, LinearBandit)) else None


def _saved(name: str) -> bool:
    """Whether a file has the header of `npz.save`."""
    if not is_zipfile(name):
        return False
    with ZipFile(name) as file:
        return "header.npy" in file.namelist()


def _unit_cost(model: TabularMDP | Bandit) -> TabularMDP:
    if isinstance(model, Bandit) or not isinstance(model.criterion, ShortestPath):
        raise InputError("--unit-cost belongs to a shortest path; give --goal S too")
    r = np.full((model.S, model.A), -1.0)
    r[model.criterion.goal] = 0.0
    law = RewardLaw("deterministic", low=-1.0, high=0.0)
    return replace(model, r=r, reward_law=law, name=f"{model.name}-unit-cost")


def solve(subject: Subject, *, method: str = "auto", tol: float = 1e-10, exact: bool = False) -> Solved:
    """Plan and measure; `exact` adds fractions, every number of the model read as a decimal (`exact_plan`, snap).

    Raises `InputError` where the planner does, and for `exact` or a `method` on a bandit.
    """
    from theorylab.hardness import hardness

    model = subject.model
    if isinstance(model, Bandit):
        if exact:
            raise InputError("--exact solves MDPs; the means of a bandit are its solution")
        if method != "auto":
            raise InputError(f"--method '{method}': the means of a bandit are its solution; leave it out")
        return Solved(subject, None, tuple(hardness(model).as_rows()))
    plan = plan_of(model, method=method, tol=tol)
    measures = tuple(hardness(model).as_rows())
    if not exact:
        return Solved(subject, plan, measures)
    from theorylab.plan.exact import exact_plan

    try:
        fractions = exact_plan(model, snap=SNAP)
    except InputError as error:
        raise InputError(
            f"--exact takes short decimals and small fractions ({error}); theorylab.plan.exact_plan takes any number"
        ) from None
    return Solved(subject, plan, measures, fractions, _exact_start(model, fractions))


def _exact_start(model: TabularMDP, exact: Any) -> Fraction:
    if exact.gain is not None:
        return Fraction(exact.gain)
    values = exact.V[0] if isinstance(model.criterion, FiniteHorizon) else exact.V
    total = Fraction(0)
    for s, p in enumerate(model.mu0.tolist()):
        near = Fraction(p).limit_denominator(SNAP)
        if abs(near - Fraction(p)) > SNAP_DISTANCE:
            raise InputError(
                f"--exact: mu0[{s}] is {p!r}, no fraction with a denominator up to {SNAP}; mend that entry"
            )
        total += near * values[s]
    return total


def start_value(model: TabularMDP, plan: Plan) -> Certified:
    """The gain, or the expected value under mu0 with its certified error, the rounding of the sum included."""
    if plan.gain is not None:
        return Certified(plan.gain, plan.certified_error)
    values, _, _ = first_stage(plan)
    weight = float(model.mu0.sum()) * (1 + dot_bound(model.S))
    rounding = dot_bound(model.S) * weight * float(np.abs(values).max()) + model.S * 2.0**-1022
    return Certified(float(model.mu0 @ values), (plan.certified_error * weight + rounding) * (1 + 8 * U))


def value_error(plan: Plan) -> float:
    """The certified error of V: that of the bias with average reward."""
    if plan.gain is None:
        return plan.certified_error
    return float("inf") if plan.bias_error is None else plan.bias_error


def proved(model: TabularMDP, plan: Plan) -> np.ndarray:
    """Where the greedy action is proved to be the only optimal one: bool, the shape of `plan.pi`.

    Its lead in Q is larger than twice the error of Q, which is that of V through P plus the rounding of the backup.
    """
    rounding = Rounding.of(model)
    v_max, q_max = float(np.abs(plan.V).max()), float(np.abs(plan.Q).max())
    error = rounding.row_sum * value_error(plan) + rounding.defect * v_max + rounding.backup(v_max, q_max)
    if model.A == 1:
        return np.ones(plan.pi.shape, dtype=bool)
    two = np.partition(plan.Q, model.A - 2, axis=-1)
    lead: np.ndarray = two[..., -1] - two[..., -2] > 2 * error * (1 + 8 * U)
    return lead


def source_of(subject: Subject) -> tuple[str, str]:
    """BibTeX key and source tag: those of the published variant where it has its own."""
    family, published = subject.family, subject.published
    if family is None:
        return "", ""
    if published is not None and (published.cite or published.tag):
        return published.cite or family.cite, published.tag or family.source_tag
    return family.cite, family.source_tag


# JSON


def as_json(solved: Solved) -> dict[str, Any]:
    """Everything as plain data; arrays as lists where S*A is at most 10,000, else a note. Not finite: as text."""
    from theorylab.evidence import plain

    subject, plan, model = solved.subject, solved.plan, solved.subject.model
    family = subject.family
    head: dict[str, Any] = {
        "name": model.name,
        "family": family.name if family else None,
        "params": dict(subject.params or {}),
        "published": subject.published.name if subject.published else None,
        "cite": source_of(subject)[0],
        "source_tag": source_of(subject)[1],
        "digest": subject.digest,
        "embedded": subject.origin or None,
        "d": subject.d,
        "setting": model.setting,
        "A": model.A,
    }
    out: dict[str, Any] = {"model": head}
    if plan is None:
        out["solution"] = {"best_mean": model.best_mean, "means": model.means.tolist(), "gaps": model.gaps.tolist()}
    else:
        head |= {"S": model.S, "criterion": str(model.criterion), "sparse": model.sparse}
        start, known = start_value(model, plan), proved(model, plan)
        out["solution"] = {
            "gain" if plan.gain is not None else "value": {"value": start.value, "error": start.error},
            "V_error": value_error(plan),
            "residual": plan.residual,
            "method": plan.method,
            "iterations": plan.iterations,
            "proved_unique": int(known.sum()),
            "decisions": int(known.size),
            **_arrays(model, plan),
        }
    law = model.reward_law
    head["rewards"] = {"kind": law.kind, "low": law.low, "high": law.high, "sd": law.sd}
    out["hardness"] = [
        {"name": name, "value": value, "error": error, "unit": unit, "reason": reason}
        for name, value, error, unit, reason in solved.hardness
    ]
    if solved.exact is not None:
        name = "gain" if solved.exact.gain is not None else "value"
        out["exact"] = {name: str(solved.exact_start), "V": _fractions(solved.exact.V)}
    made: dict[str, Any] = plain(out)
    return made


def _arrays(model: TabularMDP, plan: Plan) -> dict[str, Any]:
    if model.S * model.A > ARRAYS:
        return {"note": f"V, Q and pi are left out: S*A = {model.S * model.A} is more than {ARRAYS}"}
    return {"V": plan.V.tolist(), "Q": plan.Q.tolist(), "pi": plan.pi.tolist()}


def _fractions(values: Any) -> Any:
    return [_fractions(v) for v in values] if isinstance(values, (list, np.ndarray)) else str(values)


def save_figure(solved: Solved, path: Path, size: str) -> None:
    """Write the picture of the model; the suffix says how. Raises `InputError` as `theorylab.figure.save` does."""
    from theorylab.figure import save
    from theorylab.picture import model_figure

    save(model_figure(solved.subject.model, solved.plan, grid=solved.subject.grid, size=size), path)


def check_path(path: Path | None, size: str) -> None:
    """Refuse, before any work, an unknown size, and a figure that could not be written."""
    from theorylab.errors import nearest
    from theorylab.figure import FORMATS, SIZES

    if size not in SIZES:
        raise InputError(f"unknown figure size '{size}'{nearest(size, SIZES)}")
    if path is None:
        return
    if path.suffix.lstrip(".") not in FORMATS:
        raise InputError(f"'{path}' has the suffix '{path.suffix}'; use one of {', '.join('.' + f for f in FORMATS)}")
    if not path.parent.is_dir():
        raise InputError(f"cannot write '{path}': there is no folder '{path.parent}'")
