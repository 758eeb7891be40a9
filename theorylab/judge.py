"""From the replicates of a claim on one instance to its evidence: verdict, slack, best constant, bound faults."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from theorylab import controls
from theorylab.claim import Claim, Expectation, HighProbability
from theorylab.decide import Levels
from theorylab.errors import InputError
from theorylab.evidence import ControlOutcome, InstanceEvidence
from theorylab.learner import UNITS
from theorylab.measure import Group, Sample, join
from theorylab.probe import UNTESTED
from theorylab.registry import claim_file
from theorylab.simulation import Curves
from theorylab.stats import best_constant, least_n, limits
from theorylab.track import CONSTANT_LEVEL, Track

__all__ = ["Run", "judge"]


@dataclass(frozen=True)
class Run:
    """How a check is run: levels, seed, target."""

    levels: Levels
    seed: int
    target: str


def _curve(of: Track, curves: list[Curves]) -> dict[str, list[float]]:
    if not of.claim.path or not curves:
        return {}
    n = curves[0].checkpoints
    x = np.concatenate([c[of.claim.path] for c in curves])
    context, at = of.group.context, n.astype(float)
    columns = dict(n=at, mean=x.mean(0), low=np.quantile(x, 0.05, axis=0), high=np.quantile(x, 0.95, axis=0))
    if isinstance(of.claim.kind, HighProbability) and of.level is not None and of.level < 1.0:
        columns["upper"] = np.quantile(x, 1.0 - of.level, axis=0, method="higher")
    if of.claim.bound is not None:
        columns["bound"] = of.claim.bound(context, at)
    if of.claim.trivial is not None:
        columns["trivial"] = of.claim.trivial(context, at)
    return {k: [float(v) for v in column] for k, column in columns.items()}


@dataclass
class Verdict:
    """What the replicates of one claim on one instance say, before it is written down as evidence."""

    word: str
    note: str = ""
    interval: tuple[float, float] | None = None
    slack: float | None = None
    constant: tuple[float, float] | None = None
    outcomes: list[ControlOutcome] = field(default_factory=list)


def _on_regret(of: Track, sample: Sample, curve: dict[str, list[float]], run: Run) -> Verdict:
    """Verdict, best constant, slack and bound faults of a claim on regret."""
    claim, group, level = of.claim, of.group, of.level
    n = min(of.least, len(sample.ratio))  # fixed beforehand: order statistics are not valid at a random size
    assert of.decision is not None and level is not None
    out = Verdict(of.decision.verdict, interval=of.decision.interval)
    open_constant = claim.constants == "unspecified"
    best: tuple[float, float, float] | None = None
    if isinstance(claim.kind, Expectation):
        x = controls.values_of(claim, group, sample)
        out.interval = limits(float(x.sum()), len(x), run.levels.support)
        out.slack = level / out.interval[1] if claim.bound is not None else None
        if open_constant:
            assert claim.shape is not None and of.trivial is not None
            unit = of.trivial / float(claim.shape(group.context, np.array([float(group.instance.length)]))[0])
            both = limits(float(x.sum()), len(x), 0.5 * CONSTANT_LEVEL)  # each side has half of the level
            out.constant = (both[0] * unit, both[1] * unit)
        out.note = f"the mean at the final length, {group.instance.length}"
        mean = float(x.mean())
        best = (mean, min(1.5 * mean, 0.999), mean) if mean > 0 else None
    elif 0 < level < 1 and n >= least_n(1 - level, CONSTANT_LEVEL):
        best = best_constant(sample.ratio[:n], level, CONSTANT_LEVEL)
        out.constant = (best[0], best[1])
        shape = claim.shape or claim.bound
        assert shape is not None
        if curve and np.isfinite(best[1]):
            curve["scaled"] = [float(v) for v in best[1] * shape(group.context, np.array(curve["n"]))]
        factor = float(claim.constant(group.context)) if claim.constant else 1.0
        out.slack = factor / best[1] if best[1] > 0 and not open_constant else None
    if out.word == "REFUTED":
        return out
    if open_constant and best is not None:
        out.word = "CONSTANT MEASURED"
        if of.trivial is not None and float(sample.value.mean()) >= 0.5 * of.trivial:
            out.word = "VACUOUS"
            out.note = "burn-in: the mean is at least half of what any algorithm satisfies"
    if of.vacuous:
        out.word = "VACUOUS"
        out.note = "the bound is not below what any algorithm satisfies at any length up to this one"
    if (of.vacuous or open_constant) and best is not None and best[2] > 0:
        out.outcomes = controls.bound_fault(claim, group, best, n, levels=run.levels, seed=run.seed, target=run.target)
    return out


def _largest_share(claim: Claim, sample: Sample) -> str:
    """Of a bound without exception, how close the runs came to it."""
    if claim.bound is None or not claim.path or not np.isfinite(sample.ratio).all():
        return ""
    what = "the bound" if claim.shape is None else "the order with constant 1"
    return f"{claim.path} is at most {sample.ratio.max():.4g} times {what} at every length, over these replicates"


def judge(of: Track, curves: list[Curves], run: Run, seconds: float) -> tuple[InstanceEvidence, list[ControlOutcome]]:
    """The evidence of one claim on one instance, and the outcomes of its bound faults."""
    claim, group, decision = of.claim, of.group, of.decision
    assert decision is not None
    sample, curve = join(of.parts), _curve(of, curves)
    if claim.cumulative and of.level is not None:
        found = _on_regret(of, sample, curve, run)
    else:
        found = Verdict(decision.verdict, interval=decision.interval, note=_largest_share(claim, sample))
        if of.vacuous and found.word != "REFUTED":
            found.word, found.note = "VACUOUS", "the failure probability that the claim allows is 1"
            if of.level is None:
                found.note = "the bound is not below what any algorithm satisfies at any length up to this one"
    _check_trivial(of, sample)
    known = sample.excess[~np.isnan(sample.excess)]
    excess = float(known.max()) if known.size else float("nan")
    if np.isnan(sample.excess).any():
        found.note = "the measured quantity was not a number in some replicates, which counts as a violation"
    elif excess <= UNTESTED and not claim.cumulative:
        found.word, found.note = "VACUOUS", "the premise of the inequality was never true: nothing was tested"
    bad = np.flatnonzero(sample.count[: max(decision.n, 1)] > 0)
    replicate = int(bad[0]) if bad.size else 0
    evidence = InstanceEvidence(
        model=group.model.name,
        digest=group.model.digest,
        learner=group.learner.name,
        params={k: type(v)(group.params.get(k, v)) for k, v in group.learner.params.items()},
        length=group.instance.length,
        unit=UNITS[group.learner.setting],
        verdict=found.word,
        n=decision.n,
        violations=int((sample.count[: decision.n] > 0).sum()),
        replicates=len(sample.count),
        e_support=decision.e_support,
        e_refute=decision.e_refute,
        level=of.level,
        interval=found.interval,
        slack=found.slack,
        constant=found.constant,
        bound=of.bound,
        trivial=of.trivial,
        nonvacuous_from=of.nonvacuous_from,
        vacuous=of.vacuous,
        max_excess=None if excess <= UNTESTED else excess,
        first=int(sample.first[bad[0]]) if bad.size else None,
        mean=float(sample.value.mean()) if claim.cumulative else None,
        quantity=claim.path,
        curve=curve,
        e_path=decision.path,
        code=group.code,
        replicate=replicate,
        replay=_replay(claim, group, run.seed, replicate),
        note=found.note,
        seconds=seconds,
    )
    return evidence, found.outcomes


def _check_trivial(of: Track, sample: Sample) -> None:
    """What was measured may not pass what any algorithm satisfies: with a smaller value no bound would have content."""
    if of.trivial is None or not sample.value.size:
        return
    n, top = of.group.instance.length, float(sample.value.max())
    if not 0.0 <= of.trivial < np.inf:
        raise InputError(f"claim {of.claim.id}: trivial is {of.trivial:g} at n={n}; give a finite number of at least 0")
    if top > of.trivial * (1.0 + 1e-9) + of.group.allowance(of.claim, np.array([float(n)]))[0]:
        raise InputError(
            f"claim {of.claim.id}: replicate {int(sample.value.argmax())} reached {top:.6g} at n={n}, above trivial="
            f"{of.trivial:.6g}, which any algorithm is said to satisfy; correct the claim's trivial"
        )


def _replay(claim: Claim, group: Group, seed: int, replicate: int) -> str:
    """The command that shows the replicate's first violation; for a model of no family, the line that runs it again."""
    spec, learner = group.instance, group.learner
    if spec.given is not None:
        settings = f"{UNITS[learner.setting]}={spec.length}, first={replicate}, seed={seed}, params={group.params!r}"
        return f"run('{learner.name}', model, {settings})  # model {group.model.digest[:16]}"
    words = ["theorylab", "replay", claim.id]
    words += ["--file", claim_file(claim.id)] if claim_file(claim.id) else []
    words += ["--model", spec.family, *_pairs("--param", spec.model), "--length", str(spec.length)]
    words += ["--learner", learner.name] if learner is not group.about[0] else []
    words += _pairs("--learner-param", group.params)
    words += ["--replicate", str(replicate), "--seed", str(seed)]
    return shlex.join(words)


def _pairs(option: str, values: Mapping[str, Any]) -> list[str]:
    out: list[str] = []
    for name, value in values.items():
        plain = isinstance(value, str) and value.isidentifier() and value not in ("true", "false", "null")
        out += [option, f"{name}={value if plain else json.dumps(value)}"]
    return out
