"""The work of `theorylab attack`: search the worst instance of a claim or of a lemma, and say what was found.

A claim on runs is attacked by simulation and its winner is checked on fresh addresses. A lemma, registered as a target
in a folder `attacks`, is attacked by its exact ratio; in fractions where the target can.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from theorylab import adversary
from theorylab.adversary import Found
from theorylab.adversary_claims import Attack, attack_claim, find_one
from theorylab.adversary_literal import exact_point, fractions, write_claim_test, write_target_test
from theorylab.adversary_target import MARGIN, Target, find_target, targets
from theorylab.claim import Claim
from theorylab.errors import InputError
from theorylab.evidence import plain

__all__ = ["AttackOutcome", "as_json", "as_text", "attack_target", "execute", "save", "subject_of"]

#: evaluations of the search where none are given: of an exact ratio, and of a block of runs
EVALUATIONS = {"deterministic": 2000, "statistical": 500}


@dataclass(frozen=True, eq=False)
class AttackOutcome:
    """What an attack gave.

    Attributes:
        name: of the target or the claim. regime: "deterministic" or "statistical". found: with the trace.
        verdict: REFUTED, CHECK_INVALID or NO VIOLATION FOUND. exact: the ratio in fractions, where the target can.
        attack: for claims, with the evidence on fresh addresses. attainable: largest ratio known, of a target.
    """

    name: str
    regime: str
    found: Found
    verdict: str
    seed: int
    exact: Fraction | None = None
    attack: Attack | None = None
    attainable: float | None = None
    statement: str = ""
    seconds: float = field(default=0.0)

    @property
    def quantity(self) -> str:
        """What the number is: a ratio to the bound, a ratio whose constant is open, or lhs - rhs of a probe."""
        if self.attack is None or self.attack.threshold == 1.0:
            return "ratio"
        return "constant" if self.attack.threshold == float("inf") else "lhs - rhs"

    @property
    def words(self) -> str:
        """The sentence that the evidence allows."""
        count = self.found.evaluations
        best, here = f"{self.found.best:.6g}", f"{self.found.ratio:.6g}"
        where = f"best {self.quantity} {here} at this instance"
        if best != here:
            where = f"best {self.quantity} {best}, of which this simpler instance has {here}"
        if self.verdict == "REFUTED":
            fresh = " and confirmed on fresh random numbers" if self.attack else ""
            return f"violated: found in {count} evaluations{fresh}; {where}"
        if self.verdict == "CHECK_INVALID":
            return f"a control of the check failed: no verdict after {count} evaluations; {where}"
        return f"no violation in {count} evaluations; {where}"


def attack_target(
    target: Target, *, sizes: dict[str, int] | None = None, evaluations: int = 2000, seed: int = 0, known: bool = True
) -> AttackOutcome:
    """Search, polish and simplify a target; `known=False` begins at random points only.

    REFUTED if the simplified instance's ratio, in fractions, is above 1; without an exact form above 1 + 1e-9.
    """
    started = time.perf_counter()
    try:
        space = target.space(**(sizes or {}))
    except TypeError:
        given = ", ".join(f"{k}={v}" for k, v in (sizes or {}).items())
        raise InputError(f"target '{target.name}' does not take the sizes {given}; leave out those it lacks") from None
    starts = target.starts(space) if known else ()
    found = adversary.attack(target.objective, space, evaluations=evaluations, seed=seed, starts=starts)
    found = adversary.polish(target.objective, found)
    found = adversary.simplify(target.objective, found, merge=target.merge)
    exact = target.exact(exact_point(found.point, found.space)) if target.exact is not None else None
    violated = exact > 1 if exact is not None else found.ratio > 1.0 + MARGIN
    return AttackOutcome(
        name=target.name,
        regime="deterministic",
        found=found,
        verdict="REFUTED" if violated else "NO VIOLATION FOUND",
        seed=seed,
        exact=exact,
        attainable=target.attainable,
        statement=f"{target.text} [{target.source_tag}]",
        seconds=time.perf_counter() - started,
    )


def execute(
    subject: Target | Claim,
    *,
    states: int | None,
    actions: int | None,
    evaluations: int | None,
    seed: int,
    replicates: int,
    starts: Sequence[Any],
    length: int | None = None,
    budget: int | None = None,
    target: str = "cpu",
    progress: Callable[[str], None] | None = None,
) -> AttackOutcome:
    """Attack a target or a claim with the options of the command line."""
    if isinstance(subject, Target):
        if starts or length is not None:
            option = "--start" if starts else "--length"
            raise InputError(f"{option} is for claims on runs; '{subject.name}' is a lemma with starts of its own")
        sizes = {k: v for k, v in (("S", states), ("A", actions)) if v is not None}
        count = EVALUATIONS["deterministic"] if evaluations is None else evaluations
        return attack_target(subject, sizes=sizes, evaluations=count, seed=seed)
    started = time.perf_counter()
    done = attack_claim(
        subject,
        states=states,
        actions=actions,
        length=length,
        evaluations=EVALUATIONS["statistical"] if evaluations is None else evaluations,
        seed=seed,
        replicates=replicates,
        starts=starts,
        budget=budget,
        target=target,
        progress=progress,
    )
    return AttackOutcome(
        name=subject.id,
        regime="statistical",
        found=done.found,
        verdict=done.verdict,
        seed=seed,
        attack=done,
        statement=f"{subject.text} [{subject.source_tag}]",
        seconds=time.perf_counter() - started,
    )


def subject_of(name: str) -> Target | Claim:
    """The target or the one claim called `name`; FILE.py:ID names a claim of a file."""
    if name.replace("_", "-") in targets():
        return find_target(name)
    try:
        return find_one(name)
    except InputError as error:
        raise InputError(f"{error}; targets of `attack`: {', '.join(targets())}") from None


def save(outcome: AttackOutcome, path: Path, source: str) -> None:
    """Write the instance as a Python literal with its test; `source` is what the attacked claim was named by."""
    if outcome.attack is None:
        write_target_test(path, outcome.name, outcome.found.point, outcome.found.ratio, outcome.words)
        return
    done = outcome.attack
    write_claim_test(
        path,
        outcome.name,
        done.instance.given,
        source=source,
        length=done.instance.length,
        learner=done.instance.learner,
        replicates=done.replicates,
        seed=done.seed,
        target=done.target,
        ratio=done.found.ratio,
        threshold=done.threshold,
        words=outcome.words,
    )


def as_json(outcome: AttackOutcome, path: Path | None = None) -> dict[str, Any]:
    """The outcome as data for JSON: verdict, ratio, instance in fractions, trace, the fresh check."""
    found, done = outcome.found, outcome.attack
    row: dict[str, Any] = dict(
        id=outcome.name,
        regime=outcome.regime,
        verdict=outcome.verdict,
        words=outcome.words,
        quantity=outcome.quantity,
        ratio=found.ratio,
        exact=None if outcome.exact is None else str(outcome.exact),
        attainable=outcome.attainable,
        best=found.best,
        evaluations=found.evaluations,
        rejected=found.rejected,
        reasons=found.reasons,
        origin=found.origin,
        seed=outcome.seed,
        sizes=dict(found.space.sizes),
        instance={name: fractions(value) for name, value in found.point.items()},
        trace=[list(pair) for pair in found.trace],
        stages=[list(pair) for pair in found.stages],
        fresh=None,
        saved=None if path is None else str(path),
        seconds=outcome.seconds,
    )
    if done is not None:
        part = done.fresh.instances[0]
        row["threshold"] = done.threshold
        row["fresh"] = dict(
            verdict=done.fresh.verdict, ratio=done.fresh_ratio, n=done.fresh.n, violations=part.violations,
            e_refute=done.fresh.e_refute, replay=done.fresh.replay,
        )  # fmt: skip
    data: dict[str, Any] = plain(row)
    return data


def as_text(outcome: AttackOutcome) -> str:
    """The outcome in words: statement, trace, instance, the fresh check, verdict."""
    found, done = outcome.found, outcome.attack
    lines = [outcome.statement, ""]
    lines.append(f"best {outcome.quantity} after " + ", ".join(f"{n}: {v:.4g}" for n, v in _marks(found.trace)))
    if found.rejected:
        lines.append(f"{found.rejected} points were no instances of the claim:")
        lines += [f"  {count} x {reason}" for reason, count in sorted(found.reasons.items(), key=lambda x: -x[1])[:4]]
    sizes = ", ".join(f"{k}={v}" for k, v in found.space.sizes.items())
    lines += [f"found from: {found.origin}", f"instance ({sizes}):"]
    for name, value in found.point.items():
        lines += [f"  {name} = {_array(fractions(value))}"]
    if outcome.exact is not None:
        lines.append(f"ratio in fractions: {outcome.exact} = {float(outcome.exact):.6g}")
    if outcome.attainable is not None:
        lines.append(f"largest ratio known to be attained: {outcome.attainable:.6g}")
    if done is not None:
        lines.append(
            f"fresh replicates: {outcome.quantity} {done.fresh_ratio:.6g} on a block of {done.replicates}; the check "
            f"says {done.fresh.verdict} at n={done.fresh.n}"
        )
    lines += ["", f"{outcome.verdict}: {outcome.words}"]
    return "\n".join(lines) + "\n"


def _marks(trace: Sequence[tuple[int, float]]) -> list[tuple[int, float]]:
    """The trace at the last improvement before each doubling of the evaluations."""
    last = {n.bit_length(): (n, v) for n, v in trace}
    return list(last.values())


def _array(value: Any, indent: int = 6) -> str:
    """Nested lists, a line for each row of a matrix."""
    if not isinstance(value, list) or not value or not isinstance(value[0], list):
        return "[" + ", ".join(value) + "]" if isinstance(value, list) else str(value)
    inner = (",\n" + " " * indent).join(_array(v, indent + 1) for v in value)
    return f"[{inner}]"
