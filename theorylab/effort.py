"""Planning a check before it runs: what it would cost, and what it could conclude.

`plan_check` goes through the claims as `theorylab.check.check_many` does (instances, assumptions, levels of the study,
vacuity) and simulates nothing: operating characteristics come from the exact recursion of `theorylab.stats.power`. A
claim on a mean is planned as coins of that mean, which vary more. With `pilot` one block of replicates of each run is
compiled and timed. Controls are not planned: most run in plain Python on small instances, and outcomes are kept.
"""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from theorylab import models_scope
from theorylab.check import PROFILES, instances_of, levels_of, missing
from theorylab.claim import Claim, Dominates, Expectation, Growth, Instance
from theorylab.compiler import TARGETS
from theorylab.decide import Levels
from theorylab.errors import InputError, nearest
from theorylab.evidence import plain
from theorylab.learner import UNITS, Learner
from theorylab.lemma import Lemma
from theorylab.measure import Group
from theorylab.rng import key_words
from theorylab.stats.bernoulli import zero_violation_stop
from theorylab.stats.power import Operating, sequential
from theorylab.sweep import REPLICATES
from theorylab.table import WIDTH, clean, fold, number
from theorylab.track import BLOCK, Track, track
from theorylab.truth import sizes_at
from theorylab.versus import BLOCK as PAIRS

__all__ = ["FACTORS", "Effort", "effort_table", "plan_check", "steps_of", "to_json"]

#: true rates that are planned for, in multiples of the tested one
FACTORS = (0.25, 0.5, 2.0)
PILOT = 1.0  # seconds of the loop that a pilot times
_RARE = 1e-12  # tested rates below which no run without violations supports


@dataclass(frozen=True)
class Effort:
    """What one claim needs on one instance, and what may come out.

    Attributes:
        id, kind: of the claim. learner, model, digest, params, length, unit: the run; steps: environment steps of one
            replicate.
        test: "rate", "mean", "invariant", "constant", "vacuous", "sweep", "difference", "lemma" or "not applicable".
        level: the tested rate, or the tested mean in units of trivial; None where the test has none.
        conclusions: the verdicts that the budget allows (CHECK_INVALID besides).
        threshold_support, threshold_refute: e-values that decide on this instance; budget: most replicates.
        zero: replicates that support without a violation, within the budget or not; None where no number does.
        rates: exact operating characteristics at FACTORS times the level (where twice the level is too near to 1,
            halfway to 1).
        vacuous, nonvacuous_from: whether the bound is above what any algorithm satisfies up to this length; from
            which length on it is not (None: beyond 1e18, or no bound).
        constant: replicates that the interval of the constant, or the slack, is computed from. invariant: replicates
            of an invariant.
        replicates: run without a violation, in whole blocks; most: run at most. Claims on one run share them.
        speed: replicate-steps per second, compile_seconds: of the run, and pilot: steps of a replicate that were
            timed; seconds: compilation and `replicates` at that speed, on all cores. None without a pilot, and for
            sweeps, differences and lemmas, which it does not time.
        note: why it does not apply, or what else is run.
    """

    id: str
    kind: str
    learner: str
    model: str
    digest: str
    params: dict[str, Any]
    length: int
    unit: str
    steps: int
    test: str
    conclusions: tuple[str, ...]
    budget: int
    replicates: int = 0
    most: int = 0
    level: float | None = None
    threshold_support: float | None = None
    threshold_refute: float | None = None
    zero: int | None = None
    rates: tuple[Operating, ...] = ()
    vacuous: bool = False
    nonvacuous_from: int | None = None
    constant: int | None = None
    invariant: int | None = None
    speed: float | None = None
    compile_seconds: float | None = None
    pilot: int | None = None
    seconds: float | None = None
    note: str = ""

    @property
    def run(self) -> tuple[str, str, int, str]:
        """What claims have to share to share replicates."""
        return self.learner, self.digest, self.length, repr(sorted(self.params.items()))


@dataclass
class _Study:
    """What all claims of a plan share."""

    profile: str
    levels: Levels
    params: Mapping[str, Any]
    learner: Learner | None
    pilot: bool
    seed: int
    target: str
    efforts: dict[str, list[Effort]] = field(default_factory=dict)


def plan_check(
    claims: Sequence[Claim],
    *,
    models: Sequence[Any] | None = None,
    learner: Learner | None = None,
    params: Mapping[str, Any] | None = None,
    profile: str = "quick",
    alpha_support: float = 0.01,
    alpha_refute: float = 0.001,
    budget: int | None = None,
    pilot: bool = False,
    seed: int = 0,
    target: str = "cpu",
) -> list[Effort]:
    """What `check_many` with the same arguments would cost and could conclude, a record per claim and instance.

    In a study of m claims a refutation needs an e-value of max(1/alpha_refute, 20 m), times the claim's instances.
    `pilot` compiles each run and times one block of 32 replicates for a second; without it nothing is compiled. Raises
    `InputError` as `check_many`.
    """
    if not claims:
        raise InputError("there are no claims to plan; give at least one")
    if target not in TARGETS:
        raise InputError(f"unknown target '{target}'{nearest(target, TARGETS)}")
    key_words(seed)  # refuses what is no seed
    levels, studied = levels_of(profile, alpha_support, alpha_refute, budget, len(claims)), len(claims)
    if models is None and studied > 1:  # as in a check: a claim may have instances in larger profiles only
        claims = [c for c in claims if c.scope != "run" or c.on(profile)]
        if not claims:
            raise InputError(f"the claims have no instances in the profile '{profile}'; choose a larger one")
    study = _Study(profile, levels, dict(params or {}), learner, pilot, seed, target, {c.id: [] for c in claims})
    runs: dict[tuple[str, str], tuple[Instance, list[Claim]]] = {}
    counts: dict[str, int] = {}
    for claim in claims:
        if claim.scope == "models":
            study.efforts[claim.id].append(_lemma(claim, study))
            continue
        instances = instances_of(claim, profile, models)
        counts[claim.id] = len(instances)
        for instance in instances:
            runs.setdefault((claim.learner, repr(instance)), (instance, []))[1].append(claim)
    for (name, _), (instance, users) in runs.items():
        _run(name, instance, users, counts, study)
    return [effort for claim in claims for effort in study.efforts[claim.id]]


def _run(name: str, instance: Instance, users: list[Claim], counts: Mapping[str, int], study: _Study) -> None:
    """The efforts of the claims that share a learner and an instance."""
    from theorylab.registry import find_learner

    model = instance.build()
    faithful = find_learner(name, model.setting)
    spec = study.learner or faithful
    base = Effort(
        id="", kind="", learner=spec.name, model=model.name, digest=model.digest,
        params={**instance.learner, **study.params}, length=instance.length, unit=UNITS[spec.setting],
        steps=int(sizes_at(model, instance.length)["T"]), test="not applicable", conclusions=("NOT_APPLICABLE",),
        budget=study.levels.budget,
    )  # fmt: skip
    measured: list[Claim] = []
    for claim in users:
        named = replace(base, id=claim.id, kind=type(claim.kind).__name__)
        wrong = [w for w in (a.predicate(model) for a in claim.assumes) if w] or missing(claim, spec, faithful)
        if wrong:
            study.efforts[claim.id].append(replace(named, note=wrong[0]))
        elif isinstance(claim.kind, (Growth, Dominates)):
            study.efforts[claim.id].append(_compared(claim, named, counts[claim.id], study))
        else:
            measured.append(claim)
    if not measured:
        return
    group = Group(measured, spec, instance, model, {**instance.learner, **study.params}, faithful)
    found = [
        _tracked(
            track(c, group, study.profile), replace(base, id=c.id, kind=type(c.kind).__name__), counts[c.id], study
        )
        for c in measured
    ]
    if study.pilot:
        timed = _pilot(group, base.steps, study)
        found = [
            replace(e, **timed, seconds=timed["compile_seconds"] + e.replicates * e.steps / timed["speed"])
            for e in found
        ]
    for effort in found:
        study.efforts[effort.id].append(effort)


def _tracked(of: Track, base: Effort, instances: int, study: _Study) -> Effort:
    """A claim that is measured on replicates one by one: an invariant, a rate or a mean."""
    claim, levels, level = of.claim, study.levels, of.level
    out = replace(base, level=level, vacuous=of.vacuous, nonvacuous_from=of.nonvacuous_from)
    if level is None:
        n, words = min(of.least, levels.budget), ("NO VIOLATION FOUND", "REFUTED")
        return replace(out, test="invariant", conclusions=words, invariant=of.least, replicates=n, most=n)
    if claim.cumulative:
        out = replace(out, constant=of.least)
    alpha, least = levels.refute / instances, min(of.least, levels.budget)
    if level < 1.0 and (claim.bound is not None or not claim.cumulative):
        out = replace(out, threshold_refute=1.0 / alpha)
    if level >= 1.0 or of.vacuous or claim.constants == "unspecified":
        open_ = ("VACUOUS",) if of.vacuous else ("CONSTANT MEASURED", "VACUOUS")
        refuted = ("REFUTED",) if out.threshold_refute is not None else ()
        test = "vacuous" if of.vacuous else "constant"
        return replace(out, test=test, conclusions=(*open_, *refuted), replicates=least, most=least)
    none, *at = (_at(level, f, alpha, levels) for f in (0.0, *FACTORS))
    every = sequential(level, 1.0, alpha, levels.support, levels.budget)
    possible = {"SUPPORTED": none.supported, "REFUTED": every.refuted, "INCONCLUSIVE": 1.0}
    return replace(
        out,
        test="mean" if isinstance(claim.kind, Expectation) else "rate",
        conclusions=tuple(w for w, probability in possible.items() if probability > 0.0),
        threshold_support=1.0 / levels.support,
        zero=zero_violation_stop(level, levels.support) if level > _RARE else None,
        rates=tuple(at),
        replicates=max(least, min(BLOCK, levels.budget), round(none.mean)),
        most=levels.budget,
    )


def _at(level: float, factor: float, alpha_refute: float, levels: Levels) -> Operating:
    rate = min(factor * level, 0.5 * (1.0 + level))
    return sequential(level, rate, alpha_refute, levels.support, levels.budget)


def _compared(claim: Claim, base: Effort, instances: int, study: _Study) -> Effort:
    """A claim that compares sizes, or a learner with another."""
    if isinstance(claim.kind, Growth):
        n = REPLICATES[study.profile]
        words = ("CONSISTENT", "INCONSISTENT", "VACUOUS", "INCONCLUSIVE")
        note = f"{n} replicates at each size, and {max(n // 4, 32)} of uniform play"
        return replace(base, test="sweep", conclusions=words, replicates=n, most=n, note=note)
    levels = study.levels
    return replace(
        base,
        test="difference",
        conclusions=("SUPPORTED", "REFUTED", "INCONCLUSIVE"),
        steps=2 * base.steps,
        threshold_support=1.0 / levels.support,
        threshold_refute=instances / levels.refute,
        replicates=min(PAIRS, levels.budget),
        most=levels.budget,
        note=f"pairs with {claim.kind.other}; how many depends on the size of the difference",
    )


def _lemma(claim: Claim, study: _Study) -> Effort:
    """A claim on all models: no learner runs."""
    batches, quantity = PROFILES[study.profile][1], claim.quantity
    identity = isinstance(quantity, Lemma) and quantity.kind == "identity"
    n, unit, most = batches, "batches", batches
    if isinstance(quantity, Lemma):
        n, unit = (models_scope.POINTS, "points") if identity else (models_scope.CALLS * batches, "calls")
        most = n if identity else max(n, 2 * models_scope.TWIN_CALLS)  # twice as long as its hardest twin
    return Effort(
        id=claim.id, kind=type(claim.kind).__name__, learner="", model="all models", digest="", params={}, length=n,
        unit=unit, steps=0, test="lemma", budget=study.levels.budget,
        conclusions=("IDENTITY HOLDS" if identity else "NO VIOLATION FOUND", "REFUTED"), replicates=n, most=most,
    )  # fmt: skip


def _pilot(group: Group, steps: int, study: _Study) -> dict[str, Any]:
    """Speed of one block of this run: its first steps, in doublings, until a second of the loop has been timed."""
    simulation = group.simulation(0, BLOCK, seed=study.seed, target=study.target)
    while simulation.done < simulation.length and simulation.seconds["loop"] < PILOT:
        simulation.advance(min(simulation.length, max(1, 2 * simulation.done)))
    timed = steps * simulation.done // simulation.length
    speed = BLOCK * timed / simulation.seconds["loop"]
    return dict(speed=speed, compile_seconds=simulation.seconds["compile"], pilot=timed)


# what is shown


def _shared(e: Effort) -> bool:
    """Whether its replicates serve the other claims on the run too."""
    return e.test in ("rate", "mean", "invariant", "constant", "vacuous")


def steps_of(efforts: Sequence[Effort], most: bool = False) -> int:
    """Replicate-steps of all runs without a violation (or at most): claims that share a run count once."""
    runs: dict[Any, int] = {}
    for e in efforts:
        key = e.run if _shared(e) else (e.id, *e.run)
        runs[key] = max(runs.get(key, 0), (e.most if most else e.replicates) * e.steps)
    return sum(runs.values())


def to_json(efforts: Sequence[Effort]) -> str:
    """One JSON array, an object per claim and instance."""
    return json.dumps([plain(asdict(e)) for e in efforts], indent=2, allow_nan=False)


HEAD = ("claim", "instance", "test", "n at 0", "1/4", "1/2", "2x")
COLUMNS = (22, 21, 12, 6, 11, 11, 11)  # with single spaces between: 100


def _test(e: Effort) -> str:
    if e.test in ("rate", "mean"):
        return f"{e.test} {number(e.level)}"
    if e.test == "vacuous" and e.nonvacuous_from is not None:
        return f"vacuous below {number(e.nonvacuous_from)}"
    return e.test


def _cells(e: Effort) -> tuple[str, ...]:
    where = f"{e.learner} on {e.model}, {number(e.length)} {e.unit}" if e.learner else e.model
    zero = number(e.replicates) if e.replicates else "-"
    if e.rates:
        zero = number(e.zero) if e.zero is not None and e.zero <= e.budget else f">{e.budget}"
    rates = [
        f"{round(r.mean)}/{r.ninety}" + (f" {r.inconclusive:.0%} open" if r.inconclusive >= 0.005 else "")
        for r in e.rates
    ]
    return (where, _test(e), zero, *(rates or ["-"] * len(FACTORS)))


def _rows(efforts: Sequence[Effort]) -> list[tuple[str, ...]]:
    """A row for each paper, instance and plan; claims for which these agree stand together."""
    together: dict[tuple[str, ...], list[str]] = {}
    for e in efforts:
        together.setdefault((e.id.partition(".")[0], *_cells(e)), []).append(e.id.partition(".")[2])
    return [(f"{key[0]}.{', '.join(names)}" if names[0] else key[0], *key[1:]) for key, names in together.items()]


def _foot(efforts: Sequence[Effort]) -> list[str]:
    tested = [e for e in efforts if e.rates]
    say = [
        "n at 0: replicates that decide without a violation. 1/4, 1/2, 2x: replicates (mean/90 %) if the true rate is "
        "that multiple of the tested one, and the probability of INCONCLUSIVE where it is 0.5 % or more."
    ]
    never = sum("SUPPORTED" not in e.conclusions for e in tested)
    if never:
        say.append(f"{never} of {len(tested)} tested rates cannot be supported within the budget.")
    empty = sum(e.test == "vacuous" for e in efforts)
    if empty:
        say.append(
            f"{empty} of {len(efforts)} cannot be supported: vacuous at this length. Test the steps of the proof."
        )
    if tested:
        refute = sorted({e.threshold_refute for e in tested if e.threshold_refute is not None})
        span = number(refute[0]) + (f" to {number(refute[-1])}" if len(refute) > 1 else "")
        support = number(tested[0].threshold_support)
        say.append(f"SUPPORTED needs an e-value of {support}, REFUTED one of {span}; budget {tested[0].budget}.")
    cost, most = number(steps_of(efforts)), number(steps_of(efforts, most=True))
    say.append(f"cost: {cost} replicate-steps without a violation, {most} at most; controls not counted.")
    timed: dict[Any, tuple[float, float]] = {}
    for e in efforts:
        if e.seconds is not None and e.compile_seconds is not None:
            spent = max(e.seconds - e.compile_seconds, timed.get(e.run, (0.0, 0.0))[0])
            timed[e.run] = spent, e.compile_seconds
    if timed:
        loop, build = (number(sum(t[k] for t in timed.values())) for k in (0, 1))
        say.append(
            f"pilot: about {loop} s in the loops without a violation, {build} s of compilation, on this machine."
        )
    else:
        say.append("seconds: not measured; --pilot compiles each run and times a block of 32 replicates.")
    return [line for text in say for line in textwrap.wrap(text, WIDTH)]


def effort_table(efforts: Sequence[Effort], *, terminal: bool | None = None) -> Any:
    """The plan for a terminal: a `rich` renderable if standard output is one, else text of at most 100 columns."""
    rows = [[fold(clean(c), w) for c, w in zip(row, COLUMNS, strict=True)] for row in _rows(efforts)]
    if sys.stdout.isatty() if terminal is None else terminal:
        from rich.console import Group as Together
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, width=WIDTH, header_style="bold")
        for k, (name, width) in enumerate(zip(HEAD, COLUMNS, strict=True)):
            table.add_column(name, width=width, justify="right" if k > 2 else "left")
        for row in rows:
            doubtful = row[2][0].startswith("vacuous") or row[3][0].startswith(">")
            made = (Text("\n".join(lines)) for lines in row)
            table.add_row(*made, style="yellow" if doubtful else None)
        return Together(table, Text(""), *(Text(line) for line in _foot(efforts)))
    lines = [_line(HEAD), " ".join("-" * w for w in COLUMNS)]
    for row in rows:
        for k in range(max(map(len, row))):
            lines.append(_line([c[k] if k < len(c) else "" for c in row]))
    return "\n".join([*lines, "", *_foot(efforts)]) + "\n"


def _line(cells: Sequence[str]) -> str:
    parts = [c.rjust(w) if k > 2 else c.ljust(w) for k, (c, w) in enumerate(zip(cells, COLUMNS, strict=True))]
    return " ".join(parts).rstrip()
