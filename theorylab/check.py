"""`check`: run a claim until sound statistics decide, run its controls, and return the evidence.

Replicates come in blocks of 32 and are read in index order, so the verdict does not depend on how blocks were
scheduled. Claims that share a learner and an instance share runs. After the claim itself its controls are run
(`theorylab.controls`); one failed control makes the verdict CHECK_INVALID.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from theorylab import controls, models_scope
from theorylab.claim import Claim, Expectation, HighProbability, Instance
from theorylab.decide import Decision, Levels, decide_invariant, decide_rate
from theorylab.errors import InputError
from theorylab.evidence import ControlOutcome, Evidence, InstanceEvidence
from theorylab.learner import UNITS, Learner
from theorylab.measure import Group, Sample, context_of, join
from theorylab.probe import Probe
from theorylab.records import names_used
from theorylab.stats import best_constant, interval, least_n, nonvacuous_from_callable

__all__ = ["PROFILES", "check", "check_many"]

BLOCK = 32
#: profile -> (budget of replicates for a rate, replicates for an invariant, replicates for a constant)
PROFILES = {"quick": (2048, 64, 64), "standard": (16384, 256, 512), "full": (131072, 1024, 2048)}
CONSTANT_LEVEL = 0.01
Progress = Callable[[str], None]


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

    def feed(self, sample: Sample, levels: Levels, effort: int, instances: int) -> None:
        """Add a block of replicates and decide again, unless decided."""
        self.parts.append(sample)
        if self.decision is not None and self.decision.final:
            return
        everything = join(self.parts)
        if self.level is None:
            self.decision = decide_invariant(everything.count, effort)
        elif self.claim.constants == "unspecified" or self.vacuous:
            n = len(everything.count)
            self.decision = Decision("INCONCLUSIVE", n, float(everything.violated.sum()), 0, 0, None, n >= self.least)
        else:
            x = controls.values_of(self.claim, self.group, everything)
            self.decision = decide_rate(x, self.level, levels, instances)

    @property
    def done(self) -> bool:
        """Decided, and with enough replicates for its constant."""
        have = sum(len(s.count) for s in self.parts)
        return self.decision is not None and self.decision.final and have >= self.least


def _vacuity(claim: Claim, group: Group, params: dict[str, Any]) -> tuple[bool, int | None, float | None, float | None]:
    if claim.quantity != "regret" or claim.trivial is None:
        return False, None, None, None
    trivial_of, n = claim.trivial, float(group.instance.length)
    trivial = float(trivial_of(group.context, np.array([n]))[0])
    if claim.bound is None:
        return False, None, None, trivial
    bound_of = claim.bound

    def at(which: Any, t: int) -> float:
        context = context_of(group.learner, group.model, t, params)
        return float(which(context, np.array([float(t)]))[0])

    bound = float(bound_of(group.context, np.array([n]))[0])
    start = nonvacuous_from_callable(lambda t: at(bound_of, t), lambda t: at(trivial_of, t), start=2)
    grid = np.unique(np.geomspace(1, group.instance.length, 400).astype(int)).astype(float)
    below = np.any(bound_of(group.context, grid) < trivial_of(group.context, grid))
    return not bool(below), start, bound, trivial


def _track(claim: Claim, group: Group, profile: str) -> Track:
    level = controls.level_of(claim, group)
    vacuous, start, bound, trivial = _vacuity(claim, group, group.params)
    if isinstance(claim.kind, Expectation) and level is not None and level >= 1.0:
        vacuous = True
    _, effort, constant = PROFILES[profile]
    least = effort if level is None else 1
    if claim.quantity == "regret" and level is not None:
        least = 32
        if isinstance(claim.kind, HighProbability):
            least = max(least, least_n(1.0 - level, CONSTANT_LEVEL) if level < 1 else least)
            if claim.constants == "unspecified":
                least = max(least, constant)
        else:
            least = 4 * constant  # for the slack: the always-valid interval of the mean narrows with n
    return Track(claim, group, level, vacuous, start, bound, trivial, least)


def _run(tracks: list[Track], *, levels: Levels, effort: int, counts: Mapping[str, int], seed: int, target: str) -> Any:
    """Blocks of replicates until every track is done; returns regret curves of all replicates (or None)."""
    group, first, curves = tracks[0].group, 0, []
    while not all(t.done for t in tracks) and first < levels.budget:
        result = group.simulation(first, BLOCK, seed=seed, target=target).advance().curves()
        for track in tracks:
            track.feed(group.sample(track.claim, result), levels, effort, counts[track.claim.id])
        curves.append(result)
        first += BLOCK
    return curves


def _curve(track: Track, curves: list[Any]) -> dict[str, list[float]]:
    if track.claim.quantity != "regret" or not curves:
        return {}
    n = curves[0].checkpoints
    x = np.concatenate([c["regret"] for c in curves])
    context, at = track.group.context, n.astype(float)
    columns = dict(n=at, mean=x.mean(0), low=np.quantile(x, 0.05, axis=0), high=np.quantile(x, 0.95, axis=0))
    if track.claim.bound is not None:
        columns["bound"] = track.claim.bound(context, at)
    if track.claim.trivial is not None:
        columns["trivial"] = track.claim.trivial(context, at)
    return {k: [float(v) for v in column] for k, column in columns.items()}


def _instance(
    track: Track, curves: list[Any], *, levels: Levels, seed: int, target: str, seconds: float
) -> tuple[InstanceEvidence, list[ControlOutcome]]:
    claim, group, decision = track.claim, track.group, track.decision
    assert decision is not None
    sample = join(track.parts)
    outcomes: list[ControlOutcome] = []
    verdict, note, slack, constant = decision.verdict, "", None, None
    shape = claim.shape or claim.bound
    curve = _curve(track, curves)
    if claim.quantity == "regret" and track.level is not None and shape is not None:
        factor = float(claim.constant(group.context)) if claim.constant else 1.0
        n = len(sample.ratio)
        best: tuple[float, float, float] | None = None
        if isinstance(claim.kind, HighProbability) and 0 < track.level < 1 and n >= least_n(1 - track.level, 0.01):
            best = best_constant(sample.ratio, track.level, CONSTANT_LEVEL)
            constant = (best[0], best[1])
            slack = factor / best[1] if best[1] > 0 and claim.constants == "explicit" else None
            curve["scaled"] = [float(v) for v in best[1] * shape(group.context, np.array(curve["n"]))]
        elif isinstance(claim.kind, Expectation):
            x = controls.values_of(claim, group, sample)
            mean_interval = interval(float(x.sum()), len(x), levels.support)
            slack = track.level / mean_interval[1]
            decision = replace(decision, interval=mean_interval)
        open_constant = claim.constants == "unspecified"
        if open_constant and best is not None:
            verdict = "CONSTANT MEASURED"
            assert track.trivial is not None
            if float(sample.value.mean()) >= 0.5 * track.trivial:
                verdict = "VACUOUS"
                note = "burn-in: mean regret is at least half of what any algorithm satisfies"
        if isinstance(claim.kind, Expectation):
            note = f"the mean at the final length, {group.instance.length}"
        if track.vacuous:
            verdict = "VACUOUS"
            note = "the bound is not below what any algorithm satisfies at any length up to this one"
        if (track.vacuous or open_constant) and best is not None:
            outcomes = controls.bound_fault(claim, group, best, n, levels=levels, seed=seed, target=target)
        elif track.vacuous and isinstance(claim.kind, Expectation) and track.trivial:
            mean = float(sample.value.mean()) / track.trivial
            outcomes = controls.bound_fault(
                claim, group, (mean, min(1.5 * mean, 0.999), mean), n, levels=levels, seed=seed, target=target
            )
    bad = np.flatnonzero(sample.count[: max(decision.n, 1)] > 0)
    replay = _replay(claim, group, seed, int(bad[0]) if bad.size else 0)
    evidence = InstanceEvidence(
        model=group.model.name,
        digest=group.model.digest,
        learner=group.learner.name,
        params={k: group.context.values[k] for k in group.learner.params},
        length=group.instance.length,
        unit=UNITS[group.learner.setting],
        verdict=verdict,
        n=decision.n,
        violations=int((sample.count[: decision.n] > 0).sum()),
        e_support=decision.e_support,
        e_refute=decision.e_refute,
        level=track.level,
        interval=decision.interval,
        slack=slack,
        constant=constant,
        bound=track.bound,
        trivial=track.trivial,
        nonvacuous_from=track.nonvacuous_from,
        vacuous=track.vacuous,
        max_excess=float(np.nanmax(sample.excess)) if sample.excess.size else None,
        first=int(sample.first[bad[0]]) if bad.size else None,
        mean=float(sample.value.mean()) if claim.quantity == "regret" else None,
        curve=curve,
        replay=replay,
        note=note,
        seconds=seconds,
    )
    return evidence, outcomes


def _replay(claim: Claim, group: Group, seed: int, replicate: int) -> str:
    unit, spec = UNITS[group.learner.setting], group.instance
    params = ", ".join(f"{k}={v!r}" for k, v in spec.model.items())
    package = "bandits" if group.learner.setting == "bandit" else "mdps"
    return (
        f"python -c \"import {package}; from theorylab import run; run('{group.learner.name}', "
        f"{package}.models.{spec.family.replace('-', '_')}({params}), {unit}={spec.length}, first={replicate}, "
        f'seed={seed}, params={group.params!r})"'
    )


PRECEDENCE = ("REFUTED", "VACUOUS", "INCONCLUSIVE")


def _combine(claim: Claim, parts: list[InstanceEvidence], outcomes: Sequence[ControlOutcome], levels: Levels) -> str:
    if any(not o.ok for o in outcomes):
        return "CHECK_INVALID"
    applicable = [p for p in parts if p.verdict != "NOT_APPLICABLE"]
    if not applicable:
        return "NOT_APPLICABLE"
    mean = sum(p.e_refute for p in applicable) / len(applicable)
    if any(p.verdict == "REFUTED" for p in applicable) and mean >= 1.0 / levels.refute:
        return "REFUTED"
    for verdict in PRECEDENCE[1:]:
        if any(p.verdict in (verdict, "REFUTED" if verdict == "INCONCLUSIVE" else verdict) for p in applicable):
            return verdict
    return applicable[0].verdict


def _evidence(
    claim: Claim,
    parts: list[InstanceEvidence],
    outcomes: list[ControlOutcome],
    kills: dict[str, bool],
    levels: Levels,
    provenance: dict[str, Any],
) -> Evidence:
    verdict = _combine(claim, parts, outcomes, levels)
    used = [p for p in parts if p.verdict != "NOT_APPLICABLE"]
    e_support = min((p.e_support for p in used), default=0.0)
    e_refute = sum(p.e_refute for p in used) / len(used) if used else 0.0
    decisive = next((p for p in used if p.verdict == verdict), used[0] if used else parts[0])
    interval = decisive.constant if verdict == "CONSTANT MEASURED" else decisive.interval
    return Evidence(
        id=claim.id,
        paper=claim.paper,
        source_tag=claim.source_tag,
        text=claim.text,
        kind=type(claim.kind).__name__,
        scope=claim.scope,
        constants=claim.constants,
        verdict=verdict,
        n=sum(p.n for p in used),
        e_support=e_support,
        e_refute=e_refute,
        e_value=e_support if verdict == "SUPPORTED" else e_refute if verdict == "REFUTED" else max(e_support, e_refute),
        interval=interval,
        slack=decisive.slack,
        vacuous=any(p.vacuous for p in used),
        nonvacuous_from=decisive.nonvacuous_from,
        controls=tuple(outcomes),
        instances=tuple(parts),
        kills=kills,
        steps=claim.steps,
        replay=decisive.replay,
        provenance=provenance,
        seconds=sum(p.seconds for p in parts),
    )


def _instances(claim: Claim, profile: str, models: Sequence[Instance] | None) -> tuple[Instance, ...]:
    found = tuple(models) if models is not None else claim.on(profile)
    if not found:
        raise InputError(f"claim {claim.id} has no instances in the profile '{profile}'; give models=[Instance(...)]")
    return found


def check_many(
    claims: Sequence[Claim],
    *,
    models: Sequence[Instance] | None = None,
    learner: Learner | None = None,
    params: Mapping[str, Any] | None = None,
    profile: str = "quick",
    alpha_support: float = 0.01,
    alpha_refute: float = 0.001,
    budget: int | None = None,
    seed: int = 0,
    target: str = "cpu",
    run_controls: bool = True,
    kept: controls.Outcomes | None = None,
    progress: Progress | None = None,
) -> list[Evidence]:
    """Check several claims; those on the same learner and instance share runs. Arguments as for `check`.

    In a study of m claims a refutation is continued to an e-value of max(1/alpha_refute, 20 m).
    """
    from theorylab.registry import find_learner

    if profile not in PROFILES:
        raise InputError(f"unknown profile '{profile}'; known: {', '.join(PROFILES)}")
    for name, alpha in (("alpha_support", alpha_support), ("alpha_refute", alpha_refute)):
        if not 0.0 < alpha < 1.0:
            raise InputError(f"{name}={alpha} must lie strictly between 0 and 1")
    say = progress or (lambda text: None)
    overrides = dict(params or {})
    levels = Levels(alpha_support, min(alpha_refute, 1.0 / (20 * len(claims))), budget or PROFILES[profile][0])
    parts: dict[str, list[InstanceEvidence]] = {c.id: [] for c in claims}
    outcomes: dict[str, list[ControlOutcome]] = {c.id: [] for c in claims}
    kills: dict[str, dict[str, bool]] = {c.id: {} for c in claims}
    level_at: dict[str, float | None] = {}
    seconds: dict[str, float] = {c.id: 0.0 for c in claims}
    if models is None and len(claims) > 1:  # a claim may have instances in larger profiles only
        claims = [c for c in claims if c.scope != "run" or c.on(profile)]
    for_runs = [c for c in claims if c.scope == "run"]
    for name in dict.fromkeys(c.learner for c in for_runs):
        mine = [c for c in for_runs if c.learner == name]
        wanted: dict[str, tuple[Instance, list[Claim]]] = {}
        for claim in mine:
            for instance in _instances(claim, profile, models):
                wanted.setdefault(repr(instance), (instance, []))[1].append(claim)
        for instance, users in wanted.values():
            started = time.perf_counter()
            model = instance.build()
            faithful = find_learner(name, model.setting)
            spec = learner or faithful
            say(f"{name} on {model.name}, {UNITS[spec.setting]}={instance.length}: {len(users)} claims")
            applicable = []
            for claim in users:
                wrong = [w for w in (a.predicate(model) for a in claim.assumes) if w] or _missing(claim, spec, faithful)
                if wrong:
                    parts[claim.id].append(_not_applicable(spec, model, instance, wrong[0]))
                else:
                    applicable.append(claim)
            if not applicable:
                continue
            # claims asked for on the same instances have the same probes, hence one build
            group = Group(applicable, spec, instance, model, {**instance.learner, **overrides}, faithful)
            tracks = [_track(c, group, profile) for c in applicable]
            counts = {c.id: len(_instances(c, profile, models)) for c in applicable}
            curves = _run(tracks, levels=levels, effort=PROFILES[profile][1], counts=counts, seed=seed, target=target)
            spent = (time.perf_counter() - started) / len(tracks)
            for track in tracks:
                part, found = _instance(track, curves, levels=levels, seed=seed, target=target, seconds=spent)
                parts[track.claim.id].append(part)
                outcomes[track.claim.id] += found
                level_at[track.claim.id] = track.level
        if run_controls:
            say(f"controls of {name}")
            started = time.perf_counter()
            checked = [c for c in mine if c.id in level_at]
            matrix = controls.fault_matrix(checked, params=overrides, levels=levels, seed=seed, outcomes=kept)
            for claim in checked:
                outcomes[claim.id] += controls.learner_faults(claim, matrix[claim.id])
                outcomes[claim.id].append(controls.null(claim, level_at[claim.id], levels, seed))
                kills[claim.id] = {k: v[0] for k, v in matrix[claim.id].items()}
                seconds[claim.id] += (time.perf_counter() - started) / len(checked)
    for claim in claims:
        if claim.scope == "models":
            part, found = models_scope.check_lemma(claim, PROFILES[profile][1], seed)
            parts[claim.id].append(part)
            outcomes[claim.id] += found if run_controls else []
    about = _provenance(profile, levels, seed, target)
    done = [_evidence(c, parts[c.id], outcomes[c.id], kills[c.id], levels, about) for c in claims]
    return [replace(e, seconds=e.seconds + seconds[e.id]) for e in done]


def _missing(claim: Claim, spec: Learner, faithful: Learner) -> list[str]:
    """What a claim's probe reads of the faithful learner's state and another learner does not have."""
    if spec is faithful or not isinstance(claim.quantity, Probe):
        return []
    gone = sorted((names_used([claim.quantity.value]) & set(faithful.state)) - set(spec.state))
    return [f"learner '{spec.name}' keeps no {', '.join(gone)}, which this step reads"] if gone else []


def _not_applicable(spec: Learner, model: Any, instance: Instance, why: str) -> InstanceEvidence:
    return InstanceEvidence(
        model=model.name,
        digest=model.digest,
        learner=spec.name,
        params=dict(instance.learner),
        length=instance.length,
        unit=UNITS[spec.setting],
        verdict="NOT_APPLICABLE",
        note=why,
    )


def _provenance(profile: str, levels: Levels, seed: int, target: str) -> dict[str, Any]:
    import numba

    import theorylab

    return dict(
        theorylab=theorylab.__version__,
        python=platform.python_version(),
        numpy=np.__version__,
        numba=numba.__version__,
        profile=profile,
        alpha_support=levels.support,
        alpha_refute=levels.refute,
        budget=levels.budget,
        seed=seed,
        target=target,
    )


def check(
    claim: str | Claim,
    *,
    models: Sequence[Instance] | None = None,
    learner: str | Learner | None = None,
    params: Mapping[str, Any] | None = None,
    profile: str = "quick",
    alpha_support: float = 0.01,
    alpha_refute: float = 0.001,
    budget: int | None = None,
    seed: int = 0,
    target: str = "cpu",
) -> Evidence:
    """Check one claim.

    Args:
        claim: an id (`"jin2018.optimism"`) or a `Claim`.
        models: instances to check on, instead of the profile's. learner: another learner under the same claim.
        params: overrides of the learner's parameters. profile: "quick", "standard" or "full".
        alpha_support, alpha_refute: bounds on P(SUPPORTED though false) and P(REFUTED though true).
        budget: most replicates per instance. seed: study seed. target: "cpu", "cuda" or "python".

    Returns:
        `Evidence`. Raises `InputError` for an unknown claim, learner, parameter or profile.
    """
    from theorylab.registry import find_claim, find_learner

    if isinstance(claim, str):
        found = find_claim(claim)
        if len(found) != 1:
            raise InputError(f"'{claim}' names {len(found)} claims; give one id, such as '{found[0].id}'")
        claim = found[0]
    assert isinstance(claim, Claim)
    spec = find_learner(learner, claim.setting) if isinstance(learner, str) else learner
    return check_many(
        [claim],
        models=models,
        learner=spec,
        params=params,
        profile=profile,
        alpha_support=alpha_support,
        alpha_refute=alpha_refute,
        budget=budget,
        seed=seed,
        target=target,
    )[0]
