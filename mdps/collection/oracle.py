"""Algorithms for a generative model without one: a collector such as GOSPRL delivers the samples that they ask for.

An algorithm with a generative model asks for n(s,a) samples of every pair before it computes anything. `sample_through`
has a learner collect them on one trajectory of the model at average reward; `draw_samples` is the generative model
itself. Outcomes are addressed by pair and visit (`theorylab.rng`), so that for the same seed and replicate both see the
same n-th sample of a pair: what is computed from the first n(s,a) samples is the same to the last bit, and all that the
missing resets cost is steps. Samples taken on the way beyond n(s,a) are left out, as their number depends on what was
seen: the first n(s,a) are independent [derived].

`discounted_through` is the simplest such algorithm: with n samples of every pair (`discounted_uniform`), the policy
that is optimal in the empirical discounted model. Rewards are taken as known.

Source: the sampling oracle is the point of view of tarbouriech2021 [source: abstract]; n with a constant c that the
notes leave open [recalled].
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mdps.collection.bounds import LowerBound, check_budget, lower_bound
from mdps.collection.requirements import discounted_uniform, requirement
from theorylab.errors import InputError
from theorylab.model import AverageReward, Discounted, TabularMDP
from theorylab.plan import evaluate, plan
from theorylab.plan.inputs import as_tabular
from theorylab.rng import ENVIRONMENT, uniforms
from theorylab.run import run
from theorylab.truth import truth_of

__all__ = ["DiscountedResult", "Samples", "discounted_through", "draw_samples", "sample_through"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Rule = Callable[[int, int], int]


@dataclass(frozen=True, eq=False)
class Samples:
    """A sample collected in R runs of one trajectory each.

    Attributes:
        b: (S,A), samples asked for. moves: (R,S,A,S), transitions of the first b(s,a) samples of every pair, fewer
            where the budget ended before. missing: (R,S,A), samples not taken; zero in a complete run.
        steps: (R,), steps until the sample was complete, -1 in a run that is not.
        bound: proved lower bounds on the expected steps of any collector, even one that knows the model.
        algorithm: the learner; unfinished: the number of runs that did not complete.
    """

    b: Ints
    moves: Ints
    missing: Ints
    steps: Ints
    bound: LowerBound
    algorithm: str
    unfinished: int

    @property
    def price(self) -> Floats:
        """Steps a sample, (R,): a generative model pays 1; NaN in runs that did not complete."""
        out: Floats = np.where(self.steps >= 0, self.steps / max(1, int(self.b.sum())), np.nan)
        return out

    @property
    def least_price(self) -> float:
        """The lower bound in steps a sample."""
        return self.bound.value / max(1, int(self.b.sum()))


@dataclass(frozen=True, eq=False)
class DiscountedResult:
    """Discounted uniform sampling through a collector.

    Attributes:
        samples: `Samples`. n: samples of every pair. c: the constant in n, not the theorem's.
        pi: (R,S), optimal in the empirical model; -1 in runs that did not complete.
        loss: (R,), max over s of V*(s) - V^pi(s) in the true model, in units of reward; NaN in runs that did not
            complete. error: bound on the rounding of each loss.
        epsilon: the loss that was to be kept with probability 1 - delta.
    """

    samples: Samples
    n: int
    c: float
    pi: Ints
    loss: Floats
    error: float
    epsilon: float

    def summary(self) -> str:
        """What was asked, kept and paid, in one paragraph."""
        s = self.samples
        done = self.loss[~np.isnan(self.loss)]
        kept = f"largest loss {done.max():.4g} against epsilon={self.epsilon:g}, " if done.size else ""
        price = f"{np.nanmean(s.price):.3g} steps a sample, " if done.size else ""
        return (
            f"n={self.n} samples a pair, with the constant c={self.c:g} (not specified by the source); "
            f"{done.size} of {s.steps.size} runs of {s.algorithm} complete; {kept}{price}"
            f"no collector pays less than {s.least_price:.3g} on average, a generative model pays 1"
        )


def _average(model: Any) -> TabularMDP:
    return replace(as_tabular(model), criterion=AverageReward())


def _asked(model: TabularMDP, b: ArrayLike | Rule) -> Ints:
    if callable(b):
        b = np.array([[b(s, a) for a in range(model.A)] for s in range(model.S)])
    return requirement(model, b).pairs


def draw_samples(model: Any, b: ArrayLike | Rule, *, replicates: int = 1, seed: int = 0, first: int = 0) -> Ints:
    """Transitions (R,S,A,S) of b(s,a) samples of every pair from a generative model.

    Args:
        model: stationary, of any criterion. b: (S,A), or a rule n(s, a). replicates, seed, first: the address space;
            for the same one, a run of any learner on the model sees the same outcomes: sample n of a pair here is that
            of visit n there. Another seed makes them independent.

    Raises InputError for fewer than one replicate and for requirements that `requirement` refuses.
    """
    model = _average(model)
    asked = _asked(model, b)
    if replicates < 1 or first < 0:
        raise InputError(f"replicates={replicates}, first={first}: give at least one replicate, first >= 0")
    return _draws(model, np.broadcast_to(asked, (replicates, *asked.shape)), seed, first)


def _draws(model: TabularMDP, visits: Ints, seed: int, first: int) -> Ints:
    """Transitions of the first visits[r,s,a] samples."""
    truth = truth_of(model)
    succ, cum = truth.tables["succ"], truth.tables["cum"]
    out = np.zeros((*visits.shape, model.S), dtype=np.int64)
    for r, s, a in np.argwhere(visits > 0).tolist():
        row, n = s * model.A + a, int(visits[r, s, a])
        address = np.full(n, first + r)
        u = uniforms(seed, address, np.arange(n), row, ENVIRONMENT)  # type: ignore[arg-type]  # a visit each
        if truth.alias:
            x = u * succ.shape[1]
            j = x.astype(np.int64)
            j = np.where(x - j >= cum[row, j], truth.tables["alias"][row, j], j)
        else:
            j = np.searchsorted(cum[row], u, side="right")
        out[r, s, a] = np.bincount(succ[row, j], minlength=model.S)
    return out


def sample_through(
    model: Any,
    b: ArrayLike | Rule,
    *,
    algorithm: str = "gosprl",
    budget: int,
    replicates: int = 1,
    seed: int = 0,
    params: Mapping[str, Any] | None = None,
    target: str = "cpu",
) -> Samples:
    """Collect b(s,a) samples of every pair without resets.

    Args:
        model: stationary and communicating; its criterion gives way to average reward. b: (S,A), or a rule n(s, a).
        algorithm: a learner that takes `b` and records `N` and `finished`: gosprl, gosprl-policy-iteration,
            gosprl-extended, known-p-greedy, uniform-collection, ...
        budget: steps of a run. params: of the learner, such as alpha and delta.

    Raises:
        InputError: a learner that is no collector; requirements that cannot be met and budgets that no algorithm can do
            with (`requirement`, `check_budget`); what `run` refuses.
    """
    model = _average(model)
    asked = _asked(model, b)
    check_budget(model, asked, budget)
    from theorylab.registry import find_learner

    spec = find_learner(algorithm, "average")
    if "b" not in spec.arrays or not {"N", "finished"} <= set(spec.state):
        raise InputError(f"learner '{algorithm}' collects no prescribed sample; take gosprl or another with an array b")
    if "b" in (params or {}):
        raise InputError("params holds b; give the requirement as the argument b")
    final = run(
        spec,
        model,
        replicates=replicates,
        steps=budget,
        seed=seed,
        params={**(params or {}), "b": asked.tolist()},
        checkpoints=[budget],
        target=target,
    ).final
    got = np.minimum(final["N"], asked)
    steps = final["finished"][:, 0].astype(np.int64)
    moves = _draws(model, got, seed, 0)
    return Samples(asked, moves, asked - got, steps, lower_bound(model, asked), algorithm, int((steps < 0).sum()))


def discounted_through(
    model: Any,
    gamma: float,
    epsilon: float,
    delta: float,
    *,
    c: float = 1.0,
    algorithm: str = "gosprl",
    budget: int,
    replicates: int = 1,
    seed: int = 0,
    params: Mapping[str, Any] | None = None,
    target: str = "cpu",
) -> DiscountedResult:
    """A policy for discounted rewards in [0, 1] from `discounted_uniform` samples of every pair, without resets.

    Its loss is at most epsilon with probability 1 - delta for c large enough [recalled]: c = 1 is a convention, and
    whether it was enough is what `loss` says. Arguments as `discounted_uniform` and `sample_through`; `delta` is that
    of n, a learner's own delta goes into `params`.

    Raises InputError as they do, and for rewards outside [0, 1].
    """
    model = as_tabular(model)
    if model.r.min() < 0.0 or model.r.max() > 1.0:
        raise InputError(f"rewards of {model.name} lie in [{model.r.min():g}, {model.r.max():g}]; scale them to [0, 1]")
    b = discounted_uniform(model.S, model.A, gamma, epsilon, delta, c)
    samples = sample_through(
        model, b, algorithm=algorithm, budget=budget, replicates=replicates, seed=seed, params=params, target=target
    )
    true = replace(model, criterion=Discounted(gamma))
    best = plan(true)
    pi, loss = np.full((replicates, model.S), -1), np.full(replicates, np.nan)
    error = best.certified_error
    for r in np.flatnonzero(samples.steps >= 0).tolist():
        pi[r] = plan(replace(true, P=samples.moves[r] / b[..., None], name="empirical")).pi
        own = evaluate(true, pi[r])
        loss[r] = float(np.max(best.V - own.V))
        error = max(error, best.certified_error + own.certified_error)
    return DiscountedResult(samples, int(b[0, 0]), c, pi, loss, error, epsilon)
