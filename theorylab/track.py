"""A claim on one instance while it is being decided: blocks of replicates in, a decision out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from theorylab import controls
from theorylab.claim import Claim, Expectation, HighProbability, Pointwise
from theorylab.decide import Decision, Levels, decide_invariant, decide_rate, first_passage
from theorylab.errors import InputError
from theorylab.measure import Group, Sample, join
from theorylab.simulation import Curves
from theorylab.stats import least_n, log_e_support, nonvacuous_from_callable

__all__ = ["CONSTANT_LEVEL", "PROFILES", "Track", "next_block", "run_tracks", "track"]

#: replicates of the first block, and of later ones at least; beyond these a block is longer than verdicts may need by a
#: share of those done, and takes this much memory, in bytes
BLOCK, LEAST, SHARE, MEMORY = 32, 16, 8, 1 << 28
#: profile -> (budget of replicates for a rate, replicates for an invariant, replicates for a constant)
PROFILES = {"quick": (8192, 64, 64), "standard": (32768, 256, 512), "full": (131072, 1024, 2048)}
CONSTANT_LEVEL = 0.01


@dataclass
class Track:
    """A claim on one instance while it is being decided."""

    claim: Claim
    group: Group
    level: float | None
    vacuous: bool
    nonvacuous_from: int | None
    bound: float | None
    trivial: float | None
    least: int
    parts: list[Sample] = field(default_factory=list)
    decision: Decision | None = None
    read: int = 0
    total: float = 0.0

    def feed(self, sample: Sample, levels: Levels, effort: int, instances: int) -> None:
        """Add a block of replicates and decide again; a rate is decided once, an invariant by every replicate run."""
        self.parts.append(sample)
        if self.level is None:
            self.decision = decide_invariant(np.concatenate([s.count for s in self.parts]), effort)
            return
        if self.decision is not None and self.decision.final:
            return
        # an open constant or a vacuous bound has nothing to support; violations still refute
        empty = self._empty()
        fresh = controls.values_of(self.claim, self.group, sample)
        last = self.read + fresh.size >= (min(self.least, levels.budget) if empty else levels.budget)
        if not self._crosses(fresh, levels, instances, support=not empty) and not last:
            self.decision = None  # nothing is decided: the e-values of all replicates are not asked for again
            return
        x = controls.values_of(self.claim, self.group, join(self.parts))
        self.decision = decide_rate(x, self.level, levels, instances, support=not empty)
        if empty:
            final = self.decision.verdict == "REFUTED" or len(x) >= self.least
            self.decision = replace(self.decision, e_support=0.0, final=final)

    def _crosses(self, fresh: np.ndarray, levels: Levels, instances: int, support: bool) -> bool:
        """Whether an e-process passes its threshold within a block, or the level leaves nothing to decide."""
        assert self.level is not None
        total = np.cumsum(np.concatenate([[self.total], fresh]))[1:]  # the same order of additions as in one go
        before, self.read, self.total = self.read, self.read + fresh.size, float(total[-1])
        if self.level >= 1.0:
            return True
        x = np.minimum(total, before + np.arange(1, fresh.size + 1))
        if first_passage(x, before, self.level, levels.refute / instances, refute=True) < x.size:
            return True
        return support and first_passage(x, before, self.level, levels.support, refute=False) < x.size

    def _empty(self) -> bool:
        """Whether the claim can only be refuted: an open constant, or a bound above the trivial one."""
        return self.claim.constants == "unspecified" or self.vacuous

    def horizon(self, levels: Levels, effort: int) -> int:
        """More replicates that this claim needs at least to be done, a refutation apart; 0 where it is done.

        For a rate: the number after which its e-process for support would pass with no further violation.
        """
        if self.done:
            return 0
        have = sum(len(s.count) for s in self.parts)
        if self.level is None:
            return effort - have
        if self._empty() or self.level >= 1.0 or (self.decision is not None and self.decision.final):
            return self.least - have
        low, high = 0, levels.budget - self.read
        total = min(self.total, float(self.read))
        while high - low > 1:
            middle = (low + high) // 2
            passed = log_e_support(np.array([total]), np.array([self.read + middle]), self.level)[0]
            low, high = (low, middle) if passed >= math.log(1.0 / levels.support) else (middle, high)
        return max(high, self.least - have)

    @property
    def done(self) -> bool:
        """Decided, and with enough replicates for its constant."""
        have = sum(len(s.count) for s in self.parts)
        return self.decision is not None and self.decision.final and have >= self.least


def _vacuity(claim: Claim, group: Group) -> tuple[bool, int | None, float | None, float | None]:
    if not claim.cumulative or claim.trivial is None:
        return False, None, None, None
    trivial_of, n = claim.trivial, float(group.instance.length)
    trivial = float(trivial_of(group.context, np.array([n]))[0])
    if claim.bound is None:
        return False, None, None, trivial
    bound_of = claim.bound

    def at(which: Any, t: int) -> float:
        return float(which(group.at(t), np.array([float(t)]))[0])

    bound = float(bound_of(group.context, np.array([n]))[0])
    start = nonvacuous_from_callable(lambda t: at(bound_of, t), lambda t: at(trivial_of, t), start=2)
    grid = np.unique(np.geomspace(1, group.instance.length, 400).astype(int)).astype(float)
    below = np.any(bound_of(group.context, grid) < trivial_of(group.context, grid))
    return not bool(below), start, bound, trivial


def track(claim: Claim, group: Group, profile: str) -> Track:
    """A claim on one instance, ready to be fed: its level, vacuity, and the least number of replicates.

    Raises `InputError` for a kind that no decision exists for yet.
    """
    if not isinstance(claim.kind, (HighProbability, Expectation, Pointwise)):
        raise InputError(
            f"claim {claim.id}: a claim of kind {type(claim.kind).__name__} is not decided on runs; state it as "
            "HighProbability, Expectation, Pointwise, Growth or Dominates"
        )
    level = controls.level_of(claim, group)
    vacuous, start, bound, trivial = _vacuity(claim, group)
    open_mean = isinstance(claim.kind, Expectation) and claim.bound is None
    if level is not None and level >= 1.0 and not open_mean:  # what the claim allows is all there is
        vacuous = True
    _, effort, constant = PROFILES[profile]
    least = effort if level is None else 1
    if claim.cumulative and level is not None:
        least = 32
        if isinstance(claim.kind, HighProbability):
            least = max(least, least_n(1.0 - level, CONSTANT_LEVEL) if level < 1 else least)
            if claim.constants == "unspecified":
                least = max(least, constant)
        else:
            least = 16 * constant  # for the slack: the always-valid interval of the mean narrows with n
    return Track(claim, group, level, vacuous, start, bound, trivial, least)


def next_block(tracks: Sequence[Track], done: int, levels: Levels, effort: int, footprint: int) -> int:
    """Replicates of the next block: until a verdict can come, or an eighth of those done, within memory and budget.

    Verdicts stop at the replicate where they fall, whatever the blocks; longer blocks only cost fewer starts.
    """
    wanted = max(LEAST, done // SHARE, max(t.horizon(levels, effort) for t in tracks))
    return min(wanted, max(BLOCK, MEMORY // footprint), levels.budget - done)


def run_tracks(
    tracks: list[Track], *, levels: Levels, effort: int, counts: Mapping[str, int], seed: int, target: str
) -> list[Curves]:
    """Run blocks of replicates until every track is done; the curves of all blocks."""
    group, first, block, curves = tracks[0].group, 0, min(BLOCK, levels.budget), []
    while not all(t.done for t in tracks) and first < levels.budget:
        simulation = group.simulation(first, block, seed=seed, target=target)
        result = simulation.advance().curves()
        for t in tracks:
            t.feed(group.sample(t.claim, result), levels, effort, counts[t.claim.id])
        curves.append(replace(result, final={}, probes={}))  # read already; states may be megabytes a replicate
        first += block
        block = next_block(tracks, first, levels, effort, simulation.footprint)
    return curves
