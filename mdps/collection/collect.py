"""Collect a prescribed sample within a budget of steps, and say what is missing where the budget was too small.

    found = collect(mdps.models.riverswim(), samples=10, algorithm="gosprl", params={"alpha": 0.1}, budget=5000)
    found.steps            completion times of the replicates, -1 where the budget ran out
    found.unmet(0)         [] or what replicate 0 is short of: (state, action, samples), action None for a state
    print(found)           a table beside the lower bound of an agent that knows p

Algorithms: the learners with a fixed requirement (gosprl and its planners, known-p-greedy, uniform-collection,
zero-one-ucrl, r-max-collection, max-ent). `theorylab.run` on them is the same without checks of the budget.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mdps.collection.bounds import LowerBound, check_budget, lower_bound
from mdps.collection.requirements import Requirement, requirement
from theorylab.errors import InputError, nearest
from theorylab.learner import Learner
from theorylab.registry import find_learner, iter_specs
from theorylab.run import run

__all__ = ["Collection", "Missing", "algorithms", "collect"]


class Missing(NamedTuple):
    """A requirement that is not met: `samples` more visits of (state, action), or of the state where action is None."""

    state: int
    action: int | None
    samples: int


@dataclass(frozen=True, eq=False)
class Collection:
    """What replicates of one algorithm collected; times in steps, every step charged.

    Attributes:
        algorithm, model: names. asked: the requirement. budget: steps of each replicate.
        steps: int64 (R,), completion times, -1 where the budget ran out.
        counts: int64 (R,S,A), visits at the end of the budget, those after completion included.
        moves: int64 (R,S,A,S), transitions, where the algorithm keeps them, else None.
        lower: lower bounds on the expected completion time with p known; None where they were not asked for.
    """

    algorithm: str
    model: str
    asked: Requirement
    budget: int
    steps: NDArray[np.int64]
    counts: NDArray[np.int64]
    moves: NDArray[np.int64] | None
    lower: LowerBound | None

    @property
    def finished(self) -> NDArray[np.bool_]:
        """(R,), which replicates are complete."""
        done: NDArray[np.bool_] = self.steps >= 0
        return done

    @property
    def mean(self) -> float:
        """Mean completion time; infinite where a replicate is not complete, since none is left out."""
        return float(self.steps.mean()) if self.finished.all() else float("inf")

    def unmet(self, replicate: int = 0) -> list[Missing]:
        """What a replicate is short of at the end of its budget, pairs first, then states. InputError for the index."""
        if not 0 <= replicate < self.steps.size:
            raise InputError(f"replicate={replicate}; there are {self.steps.size}, counted from 0")
        n = self.counts[replicate]
        pairs, states = self.asked.pairs - n, self.asked.states - n.sum(axis=1)
        short = [Missing(int(s), int(a), int(pairs[s, a])) for s, a in np.argwhere(pairs > 0)]
        return short + [Missing(int(s), None, int(states[s])) for s in np.flatnonzero(states > 0)]

    def __str__(self) -> str:
        done, total = int(self.finished.sum()), self.steps.size
        lines = [f"{self.algorithm} on {self.model}: B = {self.asked.total} samples, budget {self.budget} steps"]
        if done:
            times = self.steps[self.finished]
            error = f" (standard error {times.std(ddof=1) / np.sqrt(done):.3g})" if done > 1 else ""
            lines.append(f"complete: {done} of {total} replicates, in {times.mean():.6g} steps on average{error}")
        if self.lower is not None:
            over = f"; the mean is {self.mean / self.lower.value:.3f} times that" if done == total else ""
            lines.append(f"lower bound, p known: {self.lower.value:.6g} steps ({self.lower.binding}){over}")
        if done < total:
            i = int(np.flatnonzero(~self.finished)[0])
            short = self.unmet(i)
            named = ", ".join(f"({m.state}, {m.action}): {m.samples}" if m.action is not None else
                              f"state {m.state}: {m.samples}" for m in short[:6])  # fmt: skip
            more = ", ..." if len(short) > 6 else ""
            lines.append(f"not complete: {total - done} of {total}; replicate {i} is short of {named}{more}")
        return "\n".join(lines)


def algorithms() -> list[str]:
    """Names of the learners that are given a fixed requirement."""
    found = [x for x in iter_specs("learners") if isinstance(x, Learner) and x.setting == "average"]
    return [x.name for x in found if "b" in x.arrays]


def collect(
    model: Any,
    b: ArrayLike | Requirement | None = None,
    *,
    budget: int,
    states: ArrayLike | None = None,
    samples: int | None = None,
    algorithm: str = "gosprl",
    params: Mapping[str, Any] | None = None,
    replicates: int = 1,
    seed: int = 0,
    bounds: bool = True,
) -> Collection:
    """Run an algorithm until the sample is complete or the budget is spent.

    Args:
        model: average reward, stationary. b, states, samples: as for `requirement`.
        budget: most steps of a replicate. algorithm: one of `algorithms()`; params: its parameters.
        replicates: R. seed: of the study. bounds: also compute the lower bounds of `mdps.collection.bounds`.

    Raises:
        InputError: a requirement that `requirement` refuses (negative, fractional, unreachable pairs, by name), a
            budget below the hitting-time bound, an algorithm that takes no requirement, and what `run` refuses.
    """
    asked = requirement(model, b, states=states, samples=samples)
    known = algorithms()
    if algorithm not in known:
        raise InputError(f"algorithm '{algorithm}' takes no requirement{nearest(algorithm, known)}")
    for name in ("b", "b_states", "samples"):
        if name in (params or {}):
            raise InputError(f"params holds {name}; give the requirement by b, states or samples of collect")
    check_budget(model, asked, budget)
    given = {**(params or {}), "b": asked.pairs}
    if "b_states" in find_learner(algorithm, "average").arrays:
        given["b_states"] = asked.states
    elif asked.states.any():
        raise InputError(f"algorithm '{algorithm}' takes requirements on pairs only; give b or samples, not states")
    curves = run(algorithm, model, replicates=replicates, steps=budget, seed=seed, params=given, checkpoints=[budget])
    return Collection(
        algorithm=algorithm,
        model=model.name,
        asked=asked,
        budget=int(budget),
        steps=np.array(curves.final["finished"][:, 0]),
        counts=np.array(curves.final["N"]),
        moves=np.array(curves.final["moves"]) if curves.final.get("moves", np.zeros(0)).ndim == 4 else None,
        lower=lower_bound(model, asked) if bounds else None,
    )
