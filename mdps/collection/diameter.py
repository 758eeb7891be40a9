"""Estimate the diameter of an unknown model by one trajectory: `gosprl-diameter`, and what its estimate says.

With D_hat the estimate of a run that has ended, on the event of the radii (probability 1 - delta, alpha >= 1) and for
epsilon <= 1: D <= D_hat <= f D, f = (1 + 2 epsilon (1 + epsilon)) (1 + epsilon), so that D lies in [D_hat / f, D_hat]
[source: ALT21, lemma 9]. The optimistic times u behind it are lower bounds on D on the same event, and usually the
better ones: `lower` [derived].
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from theorylab.errors import InputError
from theorylab.run import run

__all__ = ["DiameterEstimate", "estimate_diameter", "factor"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class DiameterEstimate:
    """Estimates of R runs, in steps; a run that the budget has cut off is there with estimate NaN and steps -1.

    Attributes:
        estimate: (R,), D_hat. rounds: (R,), rounds begun. steps: (R,), steps until the estimate.
        lower: (R,), the largest optimistic time of the last round that was planned, at most D on the radii's event; 0
            where there was none.
        interval: (R,2): [D_hat / f, D_hat]; [lower, infinity] where the run did not end.
        unfinished: the number of runs that did not end. alpha: below 1 nothing here is guaranteed.
    """

    estimate: Floats
    rounds: Ints
    steps: Ints
    lower: Floats
    interval: Floats
    unfinished: int
    alpha: float


def factor(epsilon: float) -> float:
    """f = (1 + 2 epsilon (1 + epsilon)) (1 + epsilon), the width of the two-sided bound [source: ALT21, lemma 9]."""
    return (1.0 + 2.0 * epsilon * (1.0 + epsilon)) * (1.0 + epsilon)


def estimate_diameter(
    model: Any,
    epsilon: float,
    *,
    delta: float = 0.1,
    alpha: float = 1.0,
    budget: int,
    replicates: int = 1,
    seed: int = 0,
    target: str = "cpu",
) -> DiameterEstimate:
    """Estimate the diameter of a communicating model with average reward, in `replicates` runs of `budget` steps.

    Args:
        epsilon: accuracy in (0, 1]. The steps needed are of the order D W^2 S A Gamma log / epsilon^2, W the power of
            two at or above D (1 + epsilon), or the one below it.
        delta: of the radii, once for the whole run; alpha: their multiplier. budget: steps of a run, >= 1.

    Raises InputError for what `run` and the learner refuse: among others epsilon above 1, delta outside (0, 1).
    """
    if not 0.0 < delta < 1.0:
        raise InputError(f"delta={delta} is outside (0, 1)")
    final = run(
        "gosprl-diameter",
        model,
        replicates=replicates,
        steps=budget,
        seed=seed,
        params=dict(epsilon=epsilon, delta=delta, alpha=alpha),
        checkpoints=[budget],
        target=target,
    ).final
    steps, rounds, largest = (final[k][:, 0] for k in ("finished", "rounds", "largest"))
    ended = steps >= 0
    estimate = np.where(ended, final["estimate"][:, 0], np.nan)
    lower = largest * (1.0 - 0.5 * epsilon)
    if not np.isfinite(lower).all():
        run_of = int(np.argmax(~np.isfinite(lower)))
        raise InputError(f"planning did not reach its precision in run {run_of}: raise alpha")
    ends = np.column_stack([np.where(ended, estimate / factor(epsilon), lower), np.where(ended, estimate, np.inf)])
    return DiameterEstimate(estimate, rounds, steps, lower, ends, int((~ended).sum()), alpha)
