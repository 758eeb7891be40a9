"""`check`: run a claim until sound statistics decide, run its controls, and return the evidence.

Replicates come in blocks and are read in index order, so the verdict of a rate or a mean does not depend on how they
were cut. Claims that share a learner and an instance share runs. After the claim itself its controls are run
(`theorylab.controls`); one failed control makes the verdict CHECK_INVALID.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from theorylab import controls, models_scope
from theorylab.claim import Claim, Growth, Instance, Total
from theorylab.claim_conformance import toothless_in
from theorylab.decide import Levels
from theorylab.errors import InputError, naming
from theorylab.evidence import ControlOutcome, Evidence, InstanceEvidence
from theorylab.judge import Run, judge
from theorylab.learner import UNITS, Learner
from theorylab.measure import Group
from theorylab.probe import Probe
from theorylab.records import names_used
from theorylab.sweep import check_growth
from theorylab.track import PROFILES, run_tracks, track
from theorylab.versus import check_dominance

__all__ = ["PROFILES", "check", "check_many", "instances_of", "levels_of", "missing"]

Progress = Callable[[str], None]


PRECEDENCE = ("REFUTED", "VACUOUS", "INCONCLUSIVE")


def _combine(parts: list[InstanceEvidence], outcomes: Sequence[ControlOutcome], levels: Levels) -> str:
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
    growth: dict[str, Any],
) -> Evidence:
    verdict = _combine(parts, outcomes, levels)
    if growth and verdict == "MEASURED":
        verdict = growth["verdict"]
    used = [p for p in parts if p.verdict != "NOT_APPLICABLE"]
    e_support = min((p.e_support for p in used), default=0.0)
    e_refute = sum(p.e_refute for p in used) / len(used) if used else 0.0
    decisive = next((p for p in used if p.verdict == verdict), used[0] if used else parts[0])
    interval = decisive.constant if verdict == "CONSTANT MEASURED" else decisive.interval
    if growth:
        interval = (growth["low"], growth["high"])
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
        copies=claim.copies,
        toothless=toothless_in(claim, parts, outcomes),
        replay=decisive.replay,
        growth=growth,
        provenance={**provenance, "assumes": [f"{a.name}: {a.text}" for a in claim.assumes]},
        seconds=sum(p.seconds for p in parts),
    )


def _around(claim: Claim, model: Any, like: Instance | None) -> Instance:
    """An instance around a model object, as long as the claim's own first instance."""
    if not hasattr(model, "digest"):
        raise InputError(f"models=[{model!r}]: give Instance objects, or models such as TabularMDP or Bandit")
    if like is None:
        raise InputError(f"claim {claim.id} has no instance to take a length from; give Instance.of(model, length)")
    return Instance.of(model, like.length, like.learner)


def levels_of(profile: str, alpha_support: float, alpha_refute: float, budget: int | None, studied: int) -> Levels:
    """Levels and budget of a check of `studied` claims. Raises `InputError` for a value without meaning."""
    if profile not in PROFILES:
        raise InputError(f"unknown profile '{profile}'; known: {', '.join(PROFILES)}")
    for name, alpha in (("alpha_support", alpha_support), ("alpha_refute", alpha_refute)):
        if not 0.0 < alpha < 1.0:
            raise InputError(f"{name}={alpha} must lie strictly between 0 and 1")
    if budget is not None and (isinstance(budget, bool) or not isinstance(budget, int) or budget < 1):
        raise InputError(f"budget={budget!r} must be an integer >= 1")
    return Levels(alpha_support, min(alpha_refute, 1.0 / (20 * studied)), budget or PROFILES[profile][0])


def instances_of(claim: Claim, profile: str, models: Sequence[Any] | None) -> tuple[Instance, ...]:
    """The profile's instances of a claim, or those given instead, model objects made as long as the claim's first."""
    if models is None:
        found = claim.on(profile)
    else:
        like = next((i for p in ("quick", "standard", "full") for i in claim.instances.get(p, ())), None)
        found = tuple(m if isinstance(m, Instance) else _around(claim, m, like) for m in models)
    if not found:
        raise InputError(f"claim {claim.id} has no instances in the profile '{profile}'; give models=[Instance(...)]")
    return found


def check_many(
    claims: Sequence[Claim],
    *,
    models: Sequence[Any] | None = None,
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
    processes: int = 1,
    studied: int | None = None,
) -> list[Evidence]:
    """Check several claims; those on the same learner and instance share runs. Arguments as for `check`.

    In a study of m claims a refutation is continued to an e-value of max(1/alpha_refute, 20 m); `studied` gives m where
    these claims are a part of the study. With `processes` above 1 the learners are spread over processes, for
    registered claims on their own instances; the evidence is the same.
    """
    from theorylab.registry import find_learner

    say = progress or (lambda text: None)
    overrides = dict(params or {})
    studied = studied or len(claims)
    levels = levels_of(profile, alpha_support, alpha_refute, budget, studied)
    if models is None and studied > 1:  # a claim may have instances in larger profiles only
        claims = [c for c in claims if c.scope != "run" or c.on(profile)]
        if not claims:
            raise InputError(f"the claims have no instances in the profile '{profile}'; choose a larger one")
    if processes > 1 and models is None and learner is None and _registered(claims):
        options = dict(
            params=overrides, profile=profile, alpha_support=alpha_support, alpha_refute=alpha_refute, budget=budget,
            seed=seed, target=target, run_controls=run_controls, kept=kept, studied=studied,
        )  # fmt: skip
        return _spread(claims, options, processes, say)
    parts: dict[str, list[InstanceEvidence]] = {c.id: [] for c in claims}
    outcomes: dict[str, list[ControlOutcome]] = {c.id: [] for c in claims}
    kills: dict[str, dict[str, bool]] = {c.id: {} for c in claims}
    group_at: dict[str, Group] = {}
    seconds: dict[str, float] = {c.id: 0.0 for c in claims}
    compared = [c for c in claims if c.compares]
    grown: dict[str, dict[str, Any]] = {}
    for claim in compared:
        say(f"{claim.learner}: {claim.id}")
        parts[claim.id], outcomes[claim.id], grown[claim.id] = _compare(
            claim, learner, instances_of(claim, profile, models), params=overrides, levels=levels, profile=profile,
            seed=seed, target=target, run_controls=run_controls,
        )  # fmt: skip
    for_runs = [c for c in claims if c.scope == "run" and c not in compared]
    for name in dict.fromkeys(c.learner for c in for_runs):
        mine = [c for c in for_runs if c.learner == name]
        wanted: dict[str, tuple[Instance, list[Claim]]] = {}
        for claim in mine:
            for instance in instances_of(claim, profile, models):
                wanted.setdefault(repr(instance), (instance, []))[1].append(claim)
        for instance, users in wanted.values():
            started = time.perf_counter()
            model = instance.build()
            faithful = find_learner(name, model.setting)
            spec = learner or faithful
            say(f"{name} on {model.name}, {UNITS[spec.setting]}={instance.length}: {len(users)} claims")
            applicable = []
            for claim in users:
                wrong = broken(claim, model) or missing(claim, spec, faithful)
                if wrong:
                    parts[claim.id].append(_not_applicable(spec, model, instance, wrong[0]))
                else:
                    applicable.append(claim)
            if not applicable:
                continue
            # claims asked for on the same instances have the same probes, hence one build
            group = Group(applicable, spec, instance, model, {**instance.learner, **overrides}, faithful)
            tracks = [track(c, group, profile) for c in applicable]
            counts = {c.id: len(instances_of(c, profile, models)) for c in applicable}
            curves = run_tracks(
                tracks, levels=levels, effort=PROFILES[profile][1], counts=counts, seed=seed, target=target
            )
            spent = (time.perf_counter() - started) / len(tracks)
            for one in tracks:
                part, found = judge(one, curves, Run(levels, seed, target), spent)
                parts[one.claim.id].append(part)
                outcomes[one.claim.id] += found
                group_at.setdefault(one.claim.id, group)
        if run_controls:
            say(f"controls of {name}")
            started = time.perf_counter()
            checked = [c for c in mine if c.id in group_at]
            matrix = controls.fault_matrix(checked, params=overrides, levels=levels, seed=seed, outcomes=kept)
            for claim in checked:
                outcomes[claim.id] += controls.learner_faults(claim, matrix[claim.id])
                outcomes[claim.id] += controls.nulls(claim, group_at[claim.id], levels, seed)
                kills[claim.id] = {k: v[0] for k, v in matrix[claim.id].items()}
                seconds[claim.id] += (time.perf_counter() - started) / len(checked)
    for claim in claims:
        if claim.scope == "models":
            part, found = models_scope.check_lemma(claim, PROFILES[profile][1], seed)
            parts[claim.id].append(part)
            outcomes[claim.id] += found if run_controls else []
    about = _provenance(profile, levels, seed, target)
    done = [_evidence(c, parts[c.id], outcomes[c.id], kills[c.id], levels, about, grown.get(c.id, {})) for c in claims]
    return [replace(e, seconds=e.seconds + seconds[e.id]) for e in done]


def _compare(
    claim: Claim,
    learner: Learner | None,
    instances: Sequence[Instance],
    *,
    params: Mapping[str, Any],
    levels: Levels,
    profile: str,
    seed: int,
    target: str,
    run_controls: bool,
) -> tuple[list[InstanceEvidence], list[ControlOutcome], dict[str, Any]]:
    """A claim that compares: sizes with each other (growth, with its decision), or a learner with another."""
    from theorylab.registry import find_learner

    faithful = find_learner(claim.learner, claim.setting)
    spec, parts, kept = learner or faithful, [], []
    for instance in instances:
        model = instance.build()
        wrong = broken(claim, model)
        if wrong:
            parts.append(_not_applicable(spec, model, instance, wrong[0]))
        else:
            kept.append((instance, model))
    options: dict[str, Any] = dict(params=params, seed=seed, target=target, run_controls=run_controls)
    if not kept:
        return parts, [], {}
    if isinstance(claim.kind, Growth):
        found, outcomes, growth = check_growth(claim, spec, faithful, [i for i, _ in kept], profile=profile, **options)
        return parts + found, outcomes, growth
    outcomes = []
    strict = replace(levels, refute=levels.refute / len(kept))  # the mean of the e-values passes when one does
    for k, (instance, model) in enumerate(kept):
        faults = claim.controls if k == 0 else ()
        part, more = check_dominance(claim, spec, instance, model, faults=faults, levels=strict, **options)
        parts.append(part)
        outcomes += more
    return parts, outcomes, {}


def _registered(claims: Sequence[Claim]) -> bool:
    """Whether each claim is the one that its id names, so that another process can find it."""
    from theorylab.registry import find_claim

    try:
        return all(find_claim(c.id)[0] is c for c in claims)
    except InputError:
        return False


def _by_name(ids: Sequence[str], options: Mapping[str, Any]) -> list[Evidence]:
    """`check_many` on registered claims: what a process of its own is asked to do."""
    from theorylab.registry import find_claim

    return check_many([find_claim(i)[0] for i in ids], **options)


def _spread(claims: Sequence[Claim], options: dict[str, Any], processes: int, say: Progress) -> list[Evidence]:
    """The claims of one learner after the other, several learners at once; the evidence in the order of the claims."""
    from theorylab.engines import processes_of

    ids = {name: [c.id for c in claims if c.learner == name] for name in dict.fromkeys(c.learner for c in claims)}
    names = sorted(ids, key=lambda name: -len(ids[name]))  # the longest first: no process waits long at the end
    jobs = [(ids[name], options) for name in names]
    found: dict[str, Evidence] = {}
    say(f"0 of {len(jobs)} learners")
    for done, (at, evidence) in enumerate(processes_of(_by_name, jobs, processes), 1):
        found.update({e.id: e for e in evidence})
        say(f"{done} of {len(jobs)} learners, last {names[at]}: {len(evidence)} claims")
    return [found[c.id] for c in claims]


def broken(claim: Claim, model: Any) -> list[str]:
    """Which assumptions of a claim a model does not meet, and why."""
    with naming(f"claim {claim.id}: an assumption", "mend its predicate"):
        return [why for why in (a.predicate(model) for a in claim.assumes) if why]


def missing(claim: Claim, spec: Learner, faithful: Learner) -> list[str]:
    """What a claim's probe reads of the faithful learner's state and another learner does not have."""
    if spec is faithful or not isinstance(claim.quantity, (Probe, Total)):
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
    models: Sequence[Any] | None = None,
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
        models: instances to check on, instead of the profile's, or model objects, run as long as the claim's first
            instance (`Instance.of(model, length)` sets another length). learner: another learner under the same claim.
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
