"""When a learner that collects a sample has met which share of its requirements, kept with the results of a study.

The requirement of a pair is b(s,a) visits (`b`, an array (S,A) of the learner's parameters), that of a state b(s)
visits with any action (`b_states` (S,), where the learner has it); each is met when the environment has counted that
many, whatever the learner believes. With m pairs and states of which something is asked, level j of `LEVELS` is
reached when ceil(j m / LEVELS) requirements are met, after a number of steps that is kept for every replicate, so that
the share at a level is exact, and every step of the share is kept where m <= LEVELS [derived].

    theorylab run collect.toml; theorylab figure results/collect --kind coverage
"""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

import dataclasses
from functools import cache
from typing import Any

import numpy as np

from theorylab.compiler import generated
from theorylab.errors import InputError
from theorylab.kernel import kernel
from theorylab.learner import Learner, i8
from theorylab.probe import Monitor, Probe
from theorylab.simulation import Curves

__all__ = ["LEVELS", "Coverage", "collects", "coverage_of", "coverage_probes", "monitor_of"]

#: shares of the requirements whose times are kept, each a number of every replicate
LEVELS = 20
NAMES = ("coverage:asked", *(f"coverage:{j}/{LEVELS}" for j in range(1, LEVELS + 1)))


STATES: Any = None


@kernel
def begin(p, tr):
    """Nothing met; count the pairs and states of which something is asked."""
    tr.cov_asked[0] = 0
    tr.cov_met[0] = 0
    tr.cov_levels[0] = 0
    for j in range(tr.cov_times.shape[0]):
        tr.cov_times[j] = -1
    for s in range(p.S):
        if STATES(p, s) > 0:
            tr.cov_asked[0] += 1
        for a in range(p.A):
            if p.b[s, a] > 0:
                tr.cov_asked[0] += 1


@kernel
def observe(st, p, tr, t):
    """A requirement is met by the visit that makes the environment's count equal to it; one may meet two."""
    met = 1 if tr.visits[tr.s, tr.a] == p.b[tr.s, tr.a] else 0
    asked = STATES(p, tr.s)
    if asked > 0:
        visits = 0
        for a in range(p.A):
            visits += tr.visits[tr.s, a]
        if visits == asked:
            met += 1
    if met > 0:
        tr.cov_met[0] += met
        levels = tr.cov_times.shape[0]
        while tr.cov_levels[0] < levels and tr.cov_met[0] * levels >= (tr.cov_levels[0] + 1) * tr.cov_asked[0]:
            tr.cov_times[tr.cov_levels[0]] = t + 1
            tr.cov_levels[0] += 1


@kernel
def of_state(p, s):
    """b(s)."""
    return p.b_states[s]


@kernel
def of_no_state(p, s):
    """Nothing is asked of states alone."""
    return 0


MEMORY = dict(cov_asked=i8[1], cov_met=i8[1], cov_levels=i8[1], cov_times=i8[LEVELS])
_OF_PAIRS = Monitor(MEMORY, begin.replace(STATES=of_no_state), observe.replace(STATES=of_no_state))
_OF_STATES = Monitor(MEMORY, begin.replace(STATES=of_state), observe.replace(STATES=of_state))


def monitor_of(learner: Learner) -> Monitor:
    """Memory and kernels that follow the requirements of a learner."""
    return _OF_STATES if "b_states" in learner.arrays else _OF_PAIRS


def collects(learner: Learner) -> bool:
    """Whether a learner is given a requirement b(s,a)."""
    return learner.setting == "average" and "b" in learner.arrays


@cache
def coverage_probes() -> tuple[Probe, ...]:
    """The number of requirements, and the steps after which each level was reached (-1: not); no bounds."""
    sources = ["tr.cov_asked[0]", *(f"tr.cov_times[{j}]" for j in range(LEVELS))]
    out = []
    for j, (name, source) in enumerate(zip(NAMES, sources, strict=True)):
        value = generated(f"coverage_{j}", f"def coverage_{j}(st, p, tr, t):\n    return 1.0 * {source}\n")
        out.append(Probe(name, value, "end", float("inf")))
    return tuple(out)


@dataclasses.dataclass(frozen=True)
class Coverage:
    """When levels of the requirements were met.

    Attributes:
        asked: m, the pairs and states of which something is asked. share: (LEVELS,) share of m met at each level.
        steps: (R, LEVELS) completed steps at which each level was reached, inf where it was not.
    """

    asked: int
    share: np.ndarray
    steps: np.ndarray

    def at(self, n: np.ndarray) -> np.ndarray:
        """Share of the requirements that is met after n steps, (R, n.size); for m > LEVELS that of the last level."""
        out = np.zeros((self.steps.shape[0], n.size))
        for j, share in enumerate(self.share):
            out[self.steps[:, j, None] <= n] = share
        return out


def coverage_of(curves: Curves) -> Coverage | None:
    """What was kept of the coverage; None where nothing was. InputError where nothing is asked."""
    if NAMES[0] not in curves.probes:
        return None
    asked = int(curves.probes[NAMES[0]].max[0])
    if asked == 0:
        raise InputError(
            f"'{curves.learner}' on '{curves.model}' asks for no sample: b is 0; give b, b_states or samples"
        )
    steps = np.stack([curves.probes[name].max for name in NAMES[1:]], axis=1)
    share = -(-np.arange(1, LEVELS + 1) * asked // LEVELS) / asked
    return Coverage(asked, share, np.where(steps < 0, np.inf, steps))
