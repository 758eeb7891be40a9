"""Growth claims: the mean of regret or of a `Total` along a sweep, each point with its own instance and replicates.

The claim's instances are the points: their sizes `kind.sweep` (T, K, S, A or H, or what `kind.size` gives) increase,
and `shape` is the order g with constant 1. Replicates of different points have disjoint addresses, so columns are
independent. The decision is `theorylab.stats.order.growth`, at a number of replicates fixed beforehand; a sweep never
refutes. Regret that grows like uniform play's is VACUOUS; a Total has no such comparison, and is VACUOUS only where its
mean is at least half of `trivial`, such as the length of the run.

Controls. Each learner fault runs on the same sweep and must come out INCONSISTENT or VACUOUS (regret as large as any
algorithm's). The order lowered until the ratio grows like x^(1/4) must be INCONSISTENT on fresh addresses (bound
fault). Points of exactly the order g, with the spread that was measured, must not be (null).
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from scipy.special import ndtri

from theorylab.claim import Claim, Growth, Instance
from theorylab.controls import FRESH, cannot_run
from theorylab.errors import InputError, naming
from theorylab.evidence import ControlOutcome, InstanceEvidence
from theorylab.learner import UNITS, Learner
from theorylab.measure import ROUNDING, context_of, finals
from theorylab.rng import CONTROL, uniforms
from theorylab.stats import slope
from theorylab.stats.order import GrowthDecision, compare, growth

__all__ = ["REPLICATES", "Sweep", "check_growth"]

#: profile -> replicates at each point
REPLICATES = {"quick": 200, "standard": 1000, "full": 4000}
#: exponent of the ratio under the bound fault
LOWERED = 0.25
#: level of each limit of means and local slopes in figures
LIMIT = 0.05


class Sweep:
    """Points of a growth claim.

    Attributes: x, g, trivial, shape (m,): sizes, the order there, and what any algorithm satisfies (reward units).
    Raises `InputError` for fewer than four sizes, sizes that do not increase, or an order that is not positive.
    """

    def __init__(
        self, claim: Claim, learner: Learner, instances: Sequence[Instance], params: Mapping[str, Any], seed: int,
        target: str,
    ) -> None:  # fmt: skip
        kind = claim.kind
        assert isinstance(kind, Growth) and claim.shape is not None and claim.trivial is not None
        if len(instances) < 4:
            raise InputError(f"claim {claim.id}: a sweep of {len(instances)} sizes shows no growth; give at least 4")
        self.claim, self.kind, self.instances, self.params = claim, kind, tuple(instances), dict(params)
        self.seed, self.target = seed, target
        self.models = [i.build() for i in instances]
        pairs = list(zip(instances, self.models, strict=True))
        contexts = [context_of(learner, m, i.length, {**i.learner, **params}) for i, m in pairs]
        lengths = [np.array([float(i.length)]) for i in instances]
        for c in contexts:
            if kind.size is None and not hasattr(c, kind.sweep):
                raise InputError(
                    f"claim {claim.id}: sweep='{kind.sweep}' is no size of its instances; they have "
                    f"{', '.join(k for k in ('T', 'K', 'S', 'A', 'H') if hasattr(c, k))}; give size=... for another"
                )
        size = kind.size or (lambda c: getattr(c, kind.sweep))
        with naming(f"claim {claim.id}: size", "mend the function"):
            self.x = np.array([float(size(c)) for c in contexts])
        self.contexts = contexts
        self.g = np.array([float(claim.shape(c, n)[0]) for c, n in zip(contexts, lengths, strict=True)])
        self.trivial = np.array([float(claim.trivial(c, n)[0]) for c, n in zip(contexts, lengths, strict=True)])
        with naming(f"claim {claim.id}: regime", "mend the predicate"):
            self.regime = None if kind.regime is None else np.array([bool(kind.regime(c)) for c in contexts])
        for k in np.flatnonzero(np.diff(self.x) <= 0):
            raise InputError(
                f"claim {claim.id}: {kind.sweep}[{k + 1}]={self.x[k + 1]:g} is not above {kind.sweep}[{k}]="
                f"{self.x[k]:g}; order the instances by size"
            )
        for name, y in (("order", self.g), ("trivial bound", self.trivial)):
            for k in np.flatnonzero(~(np.isfinite(y) & (y > 0))):
                raise InputError(
                    f"claim {claim.id}: the {name} is {y[k]} at {kind.sweep}={self.x[k]:g}; it must be positive"
                )

    def sample(self, learner: Learner, k: int, replicates: int, first: int = 0) -> np.ndarray:
        """Final regret or Total at point k on addresses that no other point uses, shape (replicates,)."""
        instance = self.instances[k]
        given = {a: v for a, v in {**instance.learner, **self.params}.items() if a in learner.settable}
        _, read = finals(
            self.claim, learner, self.models[k], self.contexts[k], replicates=replicates, length=instance.length,
            seed=self.seed, params=given, target=self.target, first=first + k * replicates,
            checkpoints=[instance.length],
        )  # fmt: skip
        return np.array(read()[:, -1])

    def samples(self, learner: Learner, replicates: int, first: int = 0) -> list[np.ndarray]:
        """Final regret or Total at every point."""
        return [self.sample(learner, k, replicates, first) for k in range(len(self.x))]

    def decide(
        self,
        samples: Sequence[np.ndarray],
        g: np.ndarray | None = None,
        uniform: Sequence[np.ndarray] | None = None,
        regime: np.ndarray | None = None,
    ) -> GrowthDecision:
        """The decision on the order g (default: the claim's); for regret, vacuity is looked at with `uniform`."""
        kind, total = self.kind, self.claim.path != "regret"
        return growth(
            self.x, samples, self.g if g is None else g, eta=kind.margin, exact=kind.exact,
            trivial=self.trivial if total or uniform is not None else None,
            uniform=None if uniform is None else [u.mean() for u in uniform], regime=regime, seed=self.seed,
        )  # fmt: skip

    def at_the_order(self, samples: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Lognormal numbers whose mean is exactly of the order, with the coefficient of variation of the samples."""
        scale, out = np.exp(np.mean([np.log(s.mean() / g) for s, g in zip(samples, self.g, strict=True)])), []
        for k, s in enumerate(samples):
            sd = np.sqrt(np.log1p(s.var() / s.mean() ** 2))
            z = ndtri(uniforms(self.seed, np.arange(s.size), k, 0, CONTROL))
            out.append(scale * self.g[k] * np.exp(sd * z - sd * sd / 2))
        return out

    def record(self, samples: Sequence[np.ndarray], decision: GrowthDecision) -> dict[str, Any]:
        """The decision as plain data, with what figures draw.

        Besides its fields: quantity, regret or the name of a Total; size, the letter that is swept; margin, exact;
        sweep, columns x, mean, low, high, order, scaled (the order times its weighted least-squares constant on the
        range) and trivial; slopes, columns x, slope, low, high of the local slopes of log(mean/order), x between
        neighbours. Limits are normal, 5 % on each side.
        """
        mean, se = slope.from_samples(samples)
        reach = float(-ndtri(LIMIT)) * se
        local = slope.local(self.x, mean / self.g, se / self.g, alpha=LIMIT)
        inside = self.x >= decision.T1
        pure = compare(self.x[inside], mean[inside], se[inside], {"order": self.g[inside]}, affine=False)
        scaled = self.g * pure.fits[0].c
        between = np.sqrt(self.x[1:] * self.x[:-1])
        sweep = dict(
            x=self.x, mean=mean, low=mean - reach, high=mean + reach, order=self.g, scaled=scaled, trivial=self.trivial
        )
        slopes = dict(x=between, slope=local.value, low=local.low, high=local.high)
        tables = {
            name: {k: [float(v) for v in column] for k, column in table.items()}
            for name, table in (("sweep", sweep), ("slopes", slopes))
        }
        what = self.claim.path or self.claim.quantity.name
        about = dict(quantity=what, size=self.kind.sweep, margin=self.kind.margin, exact=self.kind.exact)
        return {**asdict(decision), **about, **tables}


def check_growth(
    claim: Claim,
    learner: Learner,
    faithful: Learner,
    instances: Sequence[Instance],
    *,
    params: Mapping[str, Any],
    profile: str,
    seed: int,
    target: str,
    run_controls: bool,
) -> tuple[list[InstanceEvidence], list[ControlOutcome], dict[str, Any]]:
    """Evidence of each point, outcomes of the controls, and the decision on the sweep as `Sweep.record`."""
    from theorylab.registry import find_learner

    sweep, count = Sweep(claim, faithful, instances, params, seed, target), REPLICATES[profile]
    parts, samples = [], []
    for k, (instance, model) in enumerate(zip(instances, sweep.models, strict=True)):
        started = time.perf_counter()
        samples.append(sweep.sample(learner, k, count))
        mean, top = float(samples[k].mean()), float(samples[k].max())
        if learner is faithful and top > sweep.trivial[k] * (1.0 + ROUNDING):
            raise InputError(
                f"claim {claim.id}: a replicate at {sweep.kind.sweep}={sweep.x[k]:g} reached {top:.6g}, above trivial="
                f"{sweep.trivial[k]:.6g}, which any algorithm is said to satisfy; correct the claim's trivial, or give "
                "longer runs to a Total that a run must complete"
            )
        parts.append(
            InstanceEvidence(
                model=model.name, digest=model.digest, learner=learner.name,
                params={**learner.params, **instance.learner, **params}, length=instance.length,
                unit=UNITS[learner.setting], verdict="MEASURED", n=count, trivial=float(sweep.trivial[k]), mean=mean,
                note=f"{sweep.kind.sweep} = {sweep.x[k]:g}: mean / order = {mean / sweep.g[k]:.4g}",
                seconds=time.perf_counter() - started,
            )
        )  # fmt: skip
    uniform = None
    if claim.path == "regret":
        uniform = sweep.samples(find_learner("uniform", learner.setting), max(count // 4, 32))
    decision = sweep.decide(samples, uniform=uniform, regime=sweep.regime)
    outcomes = _controls(sweep, learner, samples, uniform) if run_controls else []
    return parts, outcomes, sweep.record(samples, decision)


def _controls(
    sweep: Sweep, learner: Learner, samples: list[np.ndarray], uniform: list[np.ndarray] | None
) -> list[ControlOutcome]:
    count, name = samples[0].size, sweep.kind.sweep
    out = []
    for control in sweep.claim.controls:
        try:
            found = sweep.decide(sweep.samples(control.learner, count), uniform=uniform)
        except Exception as broken:
            raise cannot_run(control, sweep.claim, broken) from broken
        ok = found.verdict in ("INCONSISTENT", "VACUOUS")
        out.append(ControlOutcome(control.name, "learner fault", "INCONSISTENT", found.verdict, ok, found.reason))
    slope = np.polyfit(np.log(sweep.x), np.log([s.mean() for s in samples] / sweep.g), 1)[0]
    lower = sweep.g * sweep.x ** (slope - LOWERED)
    found = sweep.decide(sweep.samples(learner, count, FRESH), lower)
    detail = f"the order lowered until the ratio grows like {name}^{LOWERED:g}, on fresh addresses: {found.reason}"
    ok = found.verdict == "INCONSISTENT"
    out.append(ControlOutcome("order lowered", "bound fault", "INCONSISTENT", found.verdict, ok, detail))
    found = sweep.decide(sweep.at_the_order(samples))
    ok, detail = found.verdict != "INCONSISTENT", f"noise of the measured spread: {found.reason}"
    word = "not inconsistent" if ok else found.verdict
    out.append(ControlOutcome("points of exactly the order", "null", "not inconsistent", word, ok, detail))
    return out
