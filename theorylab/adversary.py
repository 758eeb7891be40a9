"""Worst instances: search over a space of models for the largest ratio of what is measured to its bound.

    attack      CMA-ES on logits, restarted from known hard instances and from random ones in turn
    polish      coordinate search on the probabilities and numbers themselves, which reaches the boundary
    simplify    merges states, rounds probabilities to small fractions and numbers to ends, middle, small fractions

Each takes an objective, a function from a point to a number (larger is worse for the theorem), and returns `Found`.
The words for a search that ends below 1 are "no violation in N evaluations; best ratio ... at this instance": a search
supports nothing. A noisy objective must be a fixed function of the point (common random numbers), and its winner must
be measured again on fresh ones (`theorylab.adversary_claims`). Method: STATISTICS section 6 of the theory pages;
CMA-ES: Hansen, arXiv:1604.00772 [recalled], package `cma`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np

from theorylab.adversary_space import Floats, Interval, Point, Rows, Space, nearest_fraction, small_fractions
from theorylab.errors import InputError

__all__ = ["DENOMINATORS", "Found", "attack", "polish", "random_search", "simplify"]

Objective: TypeAlias = Callable[[Point], float]
Feasible: TypeAlias = Callable[[Point], "str | None"]

#: denominators that `simplify` tries, in this order
DENOMINATORS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 50, 100, 1000)


@dataclass(frozen=True, eq=False)
class Found:
    """What a search found.

    Attributes:
        ratio: the objective at `point`, a point of `space`. origin: what the search began from.
        best: the largest value seen, which simplification may have given up a part of.
        evaluations: of the objective, all stages together; rejected: points that were not evaluated because an
            assumption fails, with `reasons`, sentence -> count.
        trace: (evaluations so far, best value so far), a pair at each improvement.
        stages: (evaluations before it, what began): runs of the search, "polish", "simplify".
    """

    ratio: float
    point: Point
    space: Space
    origin: str
    best: float
    evaluations: int
    rejected: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    trace: tuple[tuple[int, float], ...] = ()
    stages: tuple[tuple[int, str], ...] = ()


class Search:
    """Evaluates points one by one, counts, and keeps the best: the running state of the three stages."""

    def __init__(self, objective: Objective, feasible: Feasible | None, budget: float, found: Found | None) -> None:
        self.objective, self.feasible = objective, feasible
        self.found = found
        self.evaluations = found.evaluations if found else 0
        self.rejected = found.rejected if found else 0
        self.reasons = dict(found.reasons) if found else {}
        self.trace = list(found.trace) if found else []
        self.stages = list(found.stages) if found else []
        self.last = self.evaluations + self.rejected + budget

    def begin(self, stage: str) -> None:
        """Note that a stage begins here."""
        self.stages.append((self.evaluations, stage))

    @property
    def left(self) -> float:
        """Points that may still be looked at; rejected ones count, so that every search ends."""
        return self.last - self.evaluations - self.rejected

    def value(self, point: Point, space: Space, origin: str) -> float:
        """The objective, -inf where the point is rejected; `InputError` for NaN."""
        reason = self.feasible(point) if self.feasible is not None else None
        if reason is not None:
            self.rejected += 1
            self.reasons[reason] = self.reasons.get(reason, 0) + 1
            return -math.inf
        value = float(self.objective(point))
        self.evaluations += 1
        if math.isnan(value):
            raise InputError(f"the objective is not a number at {point}; correct it, or reject such points")
        if self.found is None or value > self.found.best:
            self.trace.append((self.evaluations, value))
            self.found = Found(value, point, space, origin, value, self.evaluations)
        return value

    def result(self, chosen: tuple[float, Point, Space] | None = None) -> Found:
        """What was found: the best point, or the chosen one."""
        if self.found is None:
            most = max(self.reasons, key=lambda r: self.reasons[r], default="nothing was tried")
            raise InputError(
                f"all {self.rejected} points were rejected, most because: {most}; give a start that satisfies the "
                "assumptions"
            )
        ratio, point, space = chosen or (self.found.ratio, self.found.point, self.found.space)
        return replace(
            self.found,
            ratio=ratio,
            point=space.checked(point, "the found point"),  # a search that leaves the space proves nothing
            space=space,
            evaluations=self.evaluations,
            rejected=self.rejected,
            reasons=dict(self.reasons),
            trace=tuple(self.trace),
            stages=tuple(self.stages),
        )


def _budget(name: str, value: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InputError(f"{name}={value!r} must be an integer >= 1")
    return value


def attack(
    objective: Objective,
    space: Space,
    *,
    evaluations: int = 2000,
    seed: int = 0,
    starts: Sequence[tuple[str, Point]] = (),
    restarts: int = 2,
    feasible: Feasible | None = None,
    spread: float = 2.0,
) -> Found:
    """The point with the largest objective within a budget.

    Args:
        objective: point -> number. space: where to search. evaluations: budget, rejected points included.
        seed: of the search; equal seeds give equal results.
        starts: (name, point) known hard instances. Each is evaluated as it is; then runs of CMA-ES begin at them,
            best first, and at random points, in turn.
        restarts: runs that share the budget evenly; what a run leaves is spent on further ones.
        feasible: point -> None, or why it is no instance: such points are counted and left out, never mended.
        spread: first standard deviation of the search, in logits.

    Raises:
        InputError: a start that does not fit the space or is infeasible, no feasible point at all, a NaN objective,
            a package `cma` that is missing (extra `attack`).
    """
    cma = _cma()
    _budget("evaluations", evaluations)
    _budget("restarts", restarts)
    rng = np.random.Generator(np.random.Philox(key=seed))
    search = Search(objective, feasible, evaluations, None)
    known = []
    for name, point in starts:
        point = space.checked(point, f"start '{name}'")
        reason = feasible(point) if feasible is not None else None
        if reason is not None:
            raise InputError(f"start '{name}' is no instance of the claim: {reason}; leave it out or change it")
        if search.left > 0:
            known.append((search.value(point, space, name), name, point))
    known.sort(key=lambda one: -one[0])
    share = math.ceil(search.left / restarts) if search.left else 0
    for run in range(evaluations):
        if search.left < 1:
            break
        if known and run % 2 == 0:
            _, origin, point = known[run // 2 % len(known)]
            mean = space.encode(point)
        else:
            origin, mean = f"random {run}", rng.standard_normal(space.size)
        search.begin(f"search from {origin}")
        _run(cma, search, space, mean, spread, origin, min(share, search.left), rng)
    return search.result()


def _cma() -> Any:
    try:
        import cma
    except ImportError:
        raise InputError(
            "the search needs the package cma, which is not installed; install the extra: pip install theorylab[attack]"
        ) from None
    return cma


def _run(
    cma: Any,
    search: Search,
    space: Space,
    mean: Floats,
    spread: float,
    origin: str,
    budget: float,
    rng: np.random.Generator,
) -> None:
    """One run of CMA-ES, until it stops by itself or its share of the budget is spent."""
    options = {
        "verbose": -9,
        "seed": np.nan,  # the package would seed the global generator; it draws from ours instead
        "randn": lambda *shape: rng.standard_normal(shape),
        "maxfevals": math.inf,
    }
    strategy = cma.CMAEvolutionStrategy(mean, spread, options)
    end = search.left - budget
    while not strategy.stop():
        candidates = strategy.ask()
        values = []
        for x in candidates:
            if search.left <= end:
                return
            values.append(search.value(space.decode(np.asarray(x)), space, origin))
        finite = [v for v in values if math.isfinite(v)]
        worst = (min(finite) if finite else 0.0) - 1.0
        best = (max(finite) if finite else 0.0) + 1.0
        # the strategy uses ranks alone: what was rejected is last
        strategy.tell(candidates, [-(v if math.isfinite(v) else worst if v < 0 else best) for v in values])


def random_search(
    objective: Objective,
    space: Space,
    *,
    evaluations: int = 2000,
    seed: int = 0,
    concentration: float = 1.0,
    feasible: Feasible | None = None,
) -> Found:
    """The best of independent random points (`Space.random`): what a search must beat to be worth its name."""
    _budget("evaluations", evaluations)
    rng = np.random.Generator(np.random.Philox(key=seed))
    search = Search(objective, feasible, evaluations, None)
    while search.left >= 1:
        search.value(space.random(rng, concentration), space, "random")
    return search.result()


def _moves(
    space: Space, point: Point, step: float
) -> Iterator[tuple[str, tuple[int, ...], Callable[[Floats], Floats]]]:
    """(block, row or entry, change): towards each vertex and away from it, and each number up and down."""
    for name, block in space.searched().items():
        if isinstance(block, Interval):
            for index in np.ndindex(point[name].shape):
                for end in (block.low, block.high):
                    yield name, index, lambda v, end=end: v + step * (end - v)  # type: ignore[misc]
        else:
            for row in np.ndindex(point[name].shape[:-1]):
                for j in range(point[name].shape[-1]):
                    yield name, row, lambda p, j=j: _towards(p, j, step)  # type: ignore[misc]
                    yield name, row, lambda p, j=j: _away(p, j, step)  # type: ignore[misc]


def _towards(row: Floats, j: int, step: float) -> Floats:
    out = (1.0 - step) * row
    out[j] += step
    return out


def _away(row: Floats, j: int, step: float) -> Floats:
    """Part `step` of the mass of j spread over the others in proportion; a vertex stays."""
    others = row.copy()
    others[j] = 0.0
    rest = float(others.sum())  # not 1 - row[j]: next to a vertex that would be rounding alone
    if rest == 0.0:
        return row
    out: Floats = others * ((rest + step * row[j]) / rest)
    out[j] = (1.0 - step) * row[j]
    return out


def polish(
    objective: Objective,
    found: Found,
    *,
    evaluations: int = 2000,
    least: float = 1.0 / 64,
    feasible: Feasible | None = None,
) -> Found:
    """Coordinate search from the found point: steps 1, 1/2, 1/4, ... down to `least` of the way, while one improves.

    A step of 1 puts a row on a vertex, takes a successor away, or puts a number at an end of its range: places that
    logits never reach. Stops at `evaluations` at the latest.
    """
    search = Search(objective, feasible, _budget("evaluations", evaluations), found)
    search.begin("polish")
    point, value, step = found.point, found.ratio, 1.0
    while step >= least and search.left >= 1:
        before = value
        for name, index, change in _moves(found.space, point, step):
            if search.left < 1:
                break
            moved = np.asarray(change(point[name][index]))
            if np.array_equal(moved, point[name][index]):
                continue
            trial = _with(point, name, index, moved)
            new = search.value(trial, found.space, found.origin)
            if new > value + 1e-12 * abs(value):
                point, value = trial, new
        step = step if value > before else step / 2
    return search.result((value, point, found.space))


def _with(point: Point, name: str, index: tuple[int, ...], entry: Any) -> Point:
    changed = point[name].copy()
    changed[index] = entry
    return {**point, name: changed}


def simplify(
    objective: Objective,
    found: Found,
    *,
    keep: float = 0.95,
    merge: str = "S",
    evaluations: int = 2000,
    feasible: Feasible | None = None,
) -> Found:
    """A simpler point whose ratio stays at `keep` of the best or above.

    Greedily: joins two indices of a letter of `merge` (states "S", actions "A") while a pair can be joined and more
    than two are left (with one there is nothing to learn, and diameters and gaps are 0), then gives each row the
    smallest denominator of `DENOMINATORS`, and each number an end or the middle of its range, or else
    the smallest denominator. What cannot be rounded stays as it is.

    Raises `InputError` unless 0 < keep <= 1.
    """
    if not 0.0 < keep <= 1.0:
        raise InputError(f"keep={keep} must lie in (0, 1]: the part of the best ratio that a simpler instance keeps")
    search = Search(objective, feasible, _budget("evaluations", evaluations), found)
    search.begin("simplify")
    floor = found.best - (1.0 - keep) * abs(found.best)
    space, point, value = found.space, found.point, found.ratio

    def good(new: float) -> bool:
        return new >= floor

    for letter in merge:
        while space.sizes.get(letter, 0) > 2:
            best: tuple[float, Space, Point] | None = None
            for i in range(space.sizes[letter]):
                for j in range(space.sizes[letter]):
                    if i == j or search.left < 1:
                        continue
                    smaller, trial = space.merged(point, letter, i, j)
                    new = search.value(trial, smaller, found.origin)
                    if good(new) and (best is None or new > best[0]):
                        best = (new, smaller, trial)
            if best is None:
                break
            value, space, point = best
    for name, block in space.searched().items():
        shape = point[name].shape
        for index in np.ndindex(shape[:-1] if isinstance(block, Rows) else shape):
            for entry in _simpler(block, point[name][index]):
                if search.left < 1:
                    break
                trial = _with(point, name, index, entry)
                new = search.value(trial, space, found.origin)
                if good(new):
                    point, value = trial, new
                    break
    return search.result((value, point, space))


def _simpler(block: Rows | Interval, entry: Any) -> Iterator[Any]:
    """Candidates for a row or a number, the simplest first."""
    if isinstance(block, Rows):
        yield from (small_fractions(entry, d) for d in DENOMINATORS)
        return
    places = (block.low, 0.5 * (block.low + block.high), block.high)
    yield min(places, key=lambda v: abs(v - float(entry)))
    yield from (nearest_fraction(float(entry), block.low, block.high, d) for d in DENOMINATORS[2:])
