"""What every registered claim must have, so that its verdict means something: for the tests, and for claims of others.

    text, source tag, paper     a statement; source, recalled or derived; a BibTeX entry of its key
    learner, steps              known by name
    instances                   for the profile quick or standard, unless the claim is about all models
    controls                    those of its sort; without them it is toothless, since nothing shows that it can fail
    places                      every learner fault has an instance to be planted on, and a name of its own

Controls by sort: a step, a comparison (`Growth`, `Dominates`) and a final bound that is below what any algorithm
satisfies need a learner fault; a final bound that is vacuous, or whose constant is open, is put to the test by half the
best constant, which the check does by itself; a lemma needs a false twin. [source: DESIGN section 7]
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from theorylab.claim import SOURCE_TAGS, Claim
from theorylab.errors import InputError
from theorylab.evidence import ControlOutcome, InstanceEvidence
from theorylab.lemma import Lemma

__all__ = ["Outcome", "claim_conformance", "toothless", "toothless_in"]


@dataclass(frozen=True)
class Outcome:
    """One check: its name, whether it holds, and what was found."""

    name: str
    ok: bool
    detail: str = ""


def toothless(claim: Claim, vacuous: Sequence[bool]) -> str:
    """Which controls a claim lacks, in words; "" for none. `vacuous`: whether its bound is, on each instance."""
    if claim.scope == "models":
        twins = claim.quantity.twins if isinstance(claim.quantity, Lemma) else claim.false_twin
        return "" if twins else "no false twin"
    if claim.controls:
        return ""
    if claim.compares or not claim.cumulative:
        return "no learner fault"
    below = claim.constants == "explicit" and not all(vacuous)
    return "no learner fault, though the bound is below trivial" if below else ""


def toothless_in(claim: Claim, parts: Sequence[InstanceEvidence], outcomes: Sequence[ControlOutcome]) -> str:
    """As `toothless`, after a check: a bound fault that could not be made counts as missing too."""
    used = [p for p in parts if p.verdict != "NOT_APPLICABLE"]
    lacks = toothless(claim, [p.vacuous for p in used])
    if lacks or not used or claim.controls or claim.scope == "models" or any(p.verdict == "REFUTED" for p in used):
        return lacks
    return "" if any(o.sort == "bound fault" for o in outcomes) else "no bound fault: every measured constant is 0"


def _vacuities(claim: Claim) -> list[bool]:
    """Whether the bound is vacuous, on each instance of the smallest profile."""
    from theorylab.measure import Group
    from theorylab.registry import find_learner
    from theorylab.track import track

    out = []
    for instance in claim.on("quick") or claim.on("standard"):
        model = instance.build()
        spec = find_learner(claim.learner, model.setting)
        out.append(track(claim, Group([claim], spec, instance, model, dict(instance.learner), spec), "quick").vacuous)
    return out


def claim_conformance(claim: Claim, beside: Sequence[Claim] = ()) -> list[Outcome]:
    """All checks of a claim; nothing is run.

    `beside`: claims of the same file, whose ids its steps may name besides the registered ones.
    """
    from theorylab.cite import entries
    from theorylab.registry import find_claim, find_learner

    on_runs = claim.scope == "run"

    def known(find: Callable[[], object]) -> str:
        try:
            find()
        except InputError as error:
            return str(error)
        return ""

    def steps() -> str:
        others = {c.id for c in beside}
        found = [known(partial(find_claim, s)) for s in claim.steps if s not in others]
        return "; ".join(filter(None, found))

    def places() -> str:
        names = [k.name for k in claim.controls]
        twice = sorted({n for n in names if names.count(n) > 1})
        homeless = [k.name for k in claim.controls if k.instance is None and claim.control_instance is None]
        planted = [] if claim.compares else homeless  # a comparison plants its faults on its own instances
        return "; ".join([f"two controls '{n}'" for n in twice] + [f"'{n}' has no instance" for n in planted])

    def controls() -> str:
        needs = (
            on_runs and claim.cumulative and not claim.compares and not claim.controls and claim.constants == "explicit"
        )
        return toothless(claim, _vacuities(claim) if needs else [])

    has_instances = not on_runs or claim.on("standard")
    checks: dict[str, Callable[[], str]] = {
        "text": lambda: "" if claim.text.strip() else "the text is empty",
        "source tag": lambda: "" if claim.source_tag in SOURCE_TAGS else f"'{claim.source_tag}' is no source tag",
        "paper": lambda: "" if claim.paper in entries() else f"no BibTeX entry of '{claim.paper}'",
        "learner": lambda: known(lambda: find_learner(claim.learner)) if on_runs else "",
        "steps": steps,
        "instances": lambda: "" if has_instances else "no instances in quick or standard",
        "places": places,
        "controls": controls,
    }
    out = []
    for name, find in checks.items():
        try:
            wrong = find()
        except Exception as error:  # a claim of someone else's may raise anything
            wrong = f"{type(error).__name__}: {error}"
        detail = f"toothless: {wrong}" if wrong and name == "controls" else wrong
        out.append(Outcome(name, not wrong, detail))
    return out
