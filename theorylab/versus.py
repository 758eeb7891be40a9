"""Dominance claims: a learner's mean final regret, or mean `Total`, is below another's, under common random numbers.

D_r = that of the learner - that of the other in replicate r, at the same addresses: an outcome of a site depends
on how often the site was served, not on when, so both see the same sequence of outcomes at each site. D lies in
[-range, range] with the range of `trivial`, and (D + range)/(2 range) in [0, 1] is read by the betting processes of
`theorylab.stats.mean` against 1/2. SUPPORTED: E D < 0 at level alpha_support; REFUTED: E D > 0 at alpha_refute.

Controls. Learner faults take the learner's place and must be refuted; the pair exchanged must be refuted wherever the
claim is supported (bound fault); differences with random signs must not be refuted (null).
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from theorylab.claim import Claim, Control, Dominates, Instance
from theorylab.controls import cannot_run
from theorylab.decide import Decision, Levels, e_path, path_grid
from theorylab.errors import InputError
from theorylab.evidence import ControlOutcome, InstanceEvidence
from theorylab.learner import UNITS, Learner
from theorylab.measure import context_of, finals
from theorylab.rng import CONTROL, uniforms
from theorylab.simulation import geometric
from theorylab.stats.mean import interval, log_capital
from theorylab.stats.paired import uniform_in_time

__all__ = ["Pair", "check_dominance"]

#: replicates of a block at least, or this share of those done
BLOCK, SHARE = 128, 8
#: checkpoints of the curves, draws and level of the band around their difference, which is for drawing
POINTS, DRAWS, BAND = 40, 999, 0.05


class Pair:
    """Two learners on one instance, run at the same addresses, block after block."""

    def __init__(
        self, claim: Claim, learner: Learner, other: Learner, instance: Instance, model: Any, params: Mapping[str, Any],
        seed: int, target: str,
    ) -> None:  # fmt: skip
        assert claim.trivial is not None
        self.claim, self.learners, self.instance, self.model = claim, (learner, other), instance, model
        self.params, self.seed, self.target = {**instance.learner, **params}, seed, target
        known = {k: v for k, v in self.params.items() if k in learner.settable}
        self.context = context_of(learner, model, instance.length, known)
        self.range = float(claim.trivial(self.context, np.array([float(instance.length)]))[0])
        if not 0.0 < self.range < math.inf:
            raise InputError(
                f"claim {claim.id}: trivial is {self.range:g} on {model.name}; a comparison needs a positive finite "
                "range: correct it, or leave out an instance on which nothing can be lost"
            )
        self.total = not claim.path
        self.what = claim.path or claim.quantity.name
        self.checkpoints = [instance.length] if self.total else geometric(instance.length, POINTS)
        self.curves, self.code = [np.zeros((0, len(self.checkpoints)))] * 2, ["", ""]

    def extend(self, budget: int) -> None:
        """Run another block of both learners: 128 replicates, an eighth of those done once that is more."""
        first = len(self.curves[0])
        block = min(max(BLOCK, first // SHARE), budget - first)
        for k, learner in enumerate(self.learners):
            given = {a: v for a, v in self.params.items() if a in learner.settable}
            simulation, read = finals(
                self.claim, learner, self.model, self.context, replicates=block, length=self.instance.length,
                seed=self.seed, params=given, target=self.target, first=first, checkpoints=self.checkpoints,
            )  # fmt: skip
            self.code[k] = self.code[k] or simulation.statement()
            self.curves[k] = np.concatenate([self.curves[k], read()])

    @property
    def losses(self) -> list[np.ndarray]:
        """Final regret, or Total, of both, each of shape (n,)."""
        return [c[:, -1] for c in self.curves]

    def band(self) -> dict[str, list[float]]:
        """Columns n, mean, low, high of the difference of the curves, simultaneous at level 0.05 (approximate).

        Empty for a Total, which has no curve.
        """
        if self.total:
            return {}
        found = uniform_in_time(self.curves[0] - self.curves[1], draws=DRAWS, seed=self.seed, alpha=BAND).band
        assert found is not None
        named = zip(("n", "mean", "low", "high"), (np.asarray(self.checkpoints), *found), strict=True)
        return {name: [float(v) for v in column] for name, column in named}

    @property
    def difference(self) -> np.ndarray:
        """D, shape (n,), in the quantity's units; `InputError` where it leaves [-range, range]."""
        d = self.losses[0] - self.losses[1]
        bad = np.flatnonzero(~(np.abs(d) <= self.range * (1 + 1e-9)))
        if bad.size:
            raise InputError(
                f"claim {self.claim.id}: the difference in replicate {bad[0]} is {d[bad[0]]:.6g}, outside of "
                f"[-{self.range:.6g}, {self.range:.6g}]; correct the claim's trivial bound"
            )
        # rounding at the ends only: larger excursions raised above
        inside: np.ndarray = np.minimum(np.maximum(d, -self.range), self.range)
        return inside


def decide_difference(d: np.ndarray, width: float, levels: Levels) -> Decision:
    """Read D in order and stop where a capital passes: REFUTED for E D > 0, SUPPORTED for E D < 0."""
    if levels.support >= 0.5:
        raise InputError(f"alpha_support={levels.support:g} is not below 1/2, which a comparison needs; give less")
    x = (d + width) / (2.0 * width)
    above = log_capital(x, 0.5, side="above", alpha=levels.refute)
    below = log_capital(x, 0.5, side="below", alpha=levels.support)
    at = [
        int(hit[0]) if hit.size else x.size
        for hit in (
            np.flatnonzero(above >= math.log(1.0 / levels.refute)),
            np.flatnonzero(below >= math.log(1.0 / levels.support)),
        )
    ]
    stop = min(*at, x.size - 1)
    word = "INCONCLUSIVE" if stop not in at else "REFUTED" if at[0] <= at[1] else "SUPPORTED"
    low, high = interval(x[: stop + 1], 2.0 * levels.support)  # each end is wrong with at most that probability
    e = [math.exp(min(float(v[stop]), 700.0)) for v in (below, above)]
    limits = (width * (2.0 * low - 1.0), width * (2.0 * high - 1.0))
    done = word != "INCONCLUSIVE" or x.size >= levels.budget
    grid, (up, down) = path_grid(stop + 1), (math.log(1.0 / levels.support), math.log(1.0 / levels.refute))
    path = e_path(grid, support=(below[grid - 1], up), refute=(above[grid - 1], down))
    return Decision(word, stop + 1, float(d[: stop + 1].sum()), e[0], e[1], limits, done, path)


def decide_pair(pair: Pair, levels: Levels, sign: float = 1.0) -> Decision:
    """Run blocks until the pair (or, with sign -1, the pair exchanged) is decided or the budget is used."""
    while True:
        if pair.losses[0].size:
            found = decide_difference(sign * pair.difference, pair.range, levels)
            if found.final:
                return found
        pair.extend(levels.budget)


def check_dominance(
    claim: Claim, learner: Learner, instance: Instance, model: Any, *, params: Mapping[str, Any], levels: Levels,
    seed: int, target: str, faults: Sequence[Control], run_controls: bool,
) -> tuple[InstanceEvidence, list[ControlOutcome]]:  # fmt: skip
    """Evidence of a dominance claim on one instance, and outcomes of its controls, learner `faults` first."""
    from theorylab.registry import find_learner

    assert isinstance(claim.kind, Dominates)
    started, other = time.perf_counter(), find_learner(claim.kind.other, learner.setting)
    pair = Pair(claim, learner, other, instance, model, params, seed, target)
    found = decide_pair(pair, levels)
    d = pair.difference[: found.n]
    first, second = (x[: found.n] for x in pair.losses)
    apart = float(first.var() + second.var())
    gain = f", coupling divides the variance by {apart / d.var():.3g}" if d.var() > 0 else ""
    note = (
        f"mean difference to {other.name} {d.mean():.4g} ({pair.what} {first.mean():.4g} against "
        f"{second.mean():.4g}), "
        f"smaller in {np.mean(d < 0):.0%} of replicates{gain}"
    )
    part = InstanceEvidence(
        model=model.name,
        digest=model.digest,
        learner=learner.name,
        params={**learner.params, **instance.learner, **params},
        length=instance.length,
        unit=UNITS[learner.setting],
        verdict=found.verdict,
        n=found.n,
        e_support=found.e_support,
        e_refute=found.e_refute,
        interval=found.interval,
        trivial=pair.range,
        replicates=len(pair.curves[0]),
        mean=float(d.mean()),
        quantity=claim.path,
        e_path=found.path,
        other=other.name,
        difference=pair.band(),
        code="+".join(pair.code),
        note=note,
        seconds=time.perf_counter() - started,
    )
    outcomes = []
    if run_controls:
        for control in faults:
            place = control.instance or instance
            fault = Pair(claim, control.learner, other, place, place.build(), params, seed, target)
            try:
                outcomes.append(_outcome(control.name, "learner fault", decide_pair(fault, levels)))
            except Exception as broken:
                raise cannot_run(control, claim, broken) from broken
        if found.verdict == "SUPPORTED":
            outcomes.append(_outcome("the pair exchanged", "bound fault", decide_pair(pair, levels, -1.0)))
        signs = np.where(uniforms(seed, np.arange(pair.difference.size), 0, 0, CONTROL) < 0.5, -1.0, 1.0)
        null = decide_difference(signs * pair.difference, pair.range, levels)
        ok = null.verdict != "REFUTED"
        word = "not refuted" if ok else null.verdict
        detail = f"{pair.difference.size} differences with random signs: e = {null.e_refute:.3g}"
        outcomes.append(ControlOutcome("random signs", "null", "not refuted", word, ok, detail))
    return part, outcomes


def _outcome(name: str, sort: str, found: Decision) -> ControlOutcome:
    detail = f"{found.n} replicates, e = {found.e_refute:.3g}"
    return ControlOutcome(name, sort, "REFUTED", found.verdict, found.verdict == "REFUTED", detail)
