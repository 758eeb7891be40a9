"""What catches the planted faults that a machine makes: one wrong token at a time, in every kernel of a learner.

    python -m proofs_check.mutation [LEARNER ...] [--json FILE] [--markdown FILE] [--limit SECONDS]

Each mutant of `theorylab.mutate` runs on the python target under the learner's claims, where those plant their own
faults; what no claim catches meets the conformance suite's checks on the python target, then, run from the repository,
the differential check against an independent transcription. The first that catches it, in this order, is the one said:

    property        a step of a proof, or a property of the algorithm
    theorem         a final bound
    formula         a step that repeats a formula of the learner
    stopped         the run itself: an index, an action or a root that cannot be, or more CPU time than `--limit`
    conformance     the suite that every learner must pass
    differential    the transcription of the paper's pseudo-code
    equivalent      nothing, and `proofs_check.mutants._equivalent` says why nothing can
    alive           nothing: a missing step or test

`--json FILE` keeps the results, learner by learner as they come (`theorylab.automatic`): reports and `theorylab show`
read them from `proofs_check/mutants/automatic.json`. `--markdown FILE` without a learner runs nothing: it makes the
page of what is stored, in the file of `--json` or there.

The faithful learner goes the same way first; a claim that does not hold for it where another plants its fault is left
out there. The exit code is 1 where a mutant is alive or a listed equivalent was caught.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from proofs_check.kill_matrix import learners
from proofs_check.mutants._equivalent import EQUIVALENT
from theorylab.automatic import FATES, Record, Row, digest_of, read, stored_in, write
from theorylab.automatic import counts as counted
from theorylab.claim import Claim, Control, Instance
from theorylab.conformance import on_python
from theorylab.controls import fault_matrix
from theorylab.decide import Levels
from theorylab.errors import InputError
from theorylab.learner import Learner
from theorylab.mutate import Mutant, mutants
from theorylab.registry import find_learner

__all__ = ["FATES", "Fate", "Place", "differential_check", "fates", "main", "markdown", "page", "places", "record"]

LIMIT = 20.0
STOPPED = "stopped by the loop"
Differential = Callable[[Learner], "str | None"]


class _Late(BaseException):
    """The CPU time is used up; no `Exception`, so that nothing on the way takes it for its own."""


@dataclass(frozen=True)
class Place:
    """Where claims plant faults: an instance, replicates, and the claims that hold there for the faithful learner."""

    instance: Instance
    replicates: int
    claims: tuple[Claim, ...]

    @property
    def cost(self) -> int:
        """Rounds, episodes or steps in all."""
        return self.instance.length * self.replicates


@dataclass(frozen=True)
class Fate:
    """A mutant, what caught it (a word of `FATES`), and which claim or difference that was."""

    mutant: Mutant
    by: str
    detail: str


@contextmanager
def _within(seconds: float) -> Iterator[None]:
    """Raise `_Late` after so much CPU time of this process; plain Python code can be interrupted anywhere."""

    def late(*_: Any) -> None:
        raise _Late

    before = signal.signal(signal.SIGVTALRM, late)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0.0)
        signal.signal(signal.SIGVTALRM, before)


def _caught(place: Place, learner: Learner) -> dict[str, tuple[bool, str]]:
    """Claim id -> (refuted, detail) with this learner in the faithful one's place."""
    control = Control("mutant", learner, place.instance, place.replicates)
    planted = [replace(c, controls=(control,)) for c in place.claims]
    return {c: row["mutant"] for c, row in fault_matrix(planted, params={}, levels=Levels(), seed=0).items()}


def places(name: str, claims: Sequence[Claim] | None = None) -> list[Place]:
    """The places of a learner's claims, those of steps first, the cheap ones first."""
    found: dict[tuple[str, bool], tuple[Instance, int, list[Claim]]] = {}
    chosen = learners()[name] if claims is None else claims
    for claim in chosen:
        for control in claim.controls:
            instance = control.instance or claim.control_instance
            if control.target == "python" and instance is not None:
                key = (repr(instance), claim.cumulative)
                _, replicates, users = found.setdefault(key, (instance, control.replicates, []))
                users += [claim] if claim not in users else []
                found[key] = (instance, max(replicates, control.replicates), users)
    for instance, _, users in found.values():  # claims without a fault of their own there ride along
        users += [c for c in chosen if c.control_instance == instance and not c.cumulative and c not in users]
    out = []
    for instance, replicates, users in found.values():
        faithful = find_learner(users[0].learner, users[0].setting)
        holds = _caught(Place(instance, replicates, tuple(users)), faithful)
        sound = tuple(c for c in users if not holds[c.id][0])
        out += [Place(instance, replicates, sound)] if sound else []
    return sorted(out, key=lambda p: (p.claims[0].cumulative, p.cost))


def differential_check() -> Differential | None:
    """`differential` of the repository's tests, which compare a learner with its transcription; None elsewhere."""
    try:
        found = importlib.util.find_spec("tests.differential.cases")
    except ModuleNotFoundError:
        return None
    if found is None:
        return None
    compare: Differential = importlib.import_module("tests.differential.cases").differential
    return compare


def _by_claims(at: Sequence[Place], learner: Learner) -> tuple[str, str]:
    """The strongest word that a claim says, with its id; the places are left at the first property."""
    found: dict[str, str] = {}
    for place in at:
        rank = {c.id: "formula" if c.copies else "theorem" if c.cumulative else "property" for c in place.claims}
        try:
            seen = _caught(place, learner)
        except Exception as error:  # a changed text may raise anything, at construction too
            found.setdefault("stopped", f"{type(error).__name__}: {error}")
            continue
        for claim, (hit, detail) in seen.items():
            if hit:
                found.setdefault(rank[claim], claim)
            elif detail.startswith(STOPPED):
                found.setdefault("stopped", detail.partition("claim: ")[2])
        if "property" in found:
            break
    return next(((word, found[word]) for word in FATES if word in found), ("", ""))


def _fate(mutant: Mutant, at: Sequence[Place], compare: Differential | None, limit: float) -> tuple[str, str]:
    assert mutant.learner is not None
    try:
        with _within(limit):
            word, which = _by_claims(at, mutant.learner)
            if word:
                return word, which
            failed = [o for o in on_python(mutant.learner) if not o.ok]
            if failed:
                return "conformance", f"{failed[0].name.rpartition(': ')[2]}: {failed[0].detail}"
            if compare is not None and (difference := _differs(compare, mutant.learner)):
                return "differential", difference
    except _Late:
        return "stopped", "no end within the limit of CPU time"
    return "alive", ""


def _differs(compare: Differential, learner: Learner) -> str | None:
    try:
        return compare(learner)
    except KeyError:  # no transcription of this learner is registered
        return None
    except Exception as error:  # a mutant may raise anything where nothing else does
        return f"{type(error).__name__}: {error}"


def fates(
    name: str,
    *,
    limit: float = LIMIT,
    only: Callable[[Mutant], bool] = lambda m: True,
    at: Sequence[Place] | None = None,
) -> Iterator[Fate]:
    """What becomes of each mutant of a learner (a key of `kill_matrix.learners`), in order."""
    faithful = faithful_of(name)
    where, compare = places(name) if at is None else at, differential_check()
    listed = EQUIVALENT.get(name, {})
    for mutant in mutants(faithful):
        if not only(mutant):
            continue
        if mutant.learner is None:
            yield Fate(mutant, "equivalent" if mutant.same else "not run", mutant.same or mutant.broken)
            continue
        by, detail = _fate(mutant, where, compare, limit)
        if by == "alive" and mutant.name in listed:
            by, detail = "equivalent", listed[mutant.name]
        yield Fate(mutant, by, detail)


def stale(name: str, found: Sequence[Fate]) -> list[str]:
    """Listed equivalents that something caught, or that are no mutants any more."""
    fate = {f.mutant.name: f.by for f in found}
    return [m for m in EQUIVALENT.get(name, {}) if fate.get(m) != "equivalent"]


def faithful_of(name: str) -> Learner:
    """The learner that a key of `kill_matrix.learners` stands for."""
    claims = learners()[name]
    found: Learner = find_learner(claims[0].learner, claims[0].setting)
    return found


def record(name: str, found: Sequence[Fate]) -> Record:
    """One learner's mutants as they are stored; a reason stays whole, other details are cut."""
    rows = [(f.mutant.name, f.mutant.before, f.mutant.after, f.by, _short(f.detail, f.by)) for f in found]
    return Record(digest_of(faithful_of(name)), tuple(Row(*row) for row in rows))


def markdown(name: str, found: Sequence[Fate]) -> str:
    """One learner's mutants as a table."""
    return _section(name, record(name, found).mutants)


def _section(name: str, rows: Sequence[Row]) -> str:
    lines = [f"## {name}", "", counted(r.by for r in rows), "", "| mutant | becomes | caught by |", "|---|---|---|"]
    for r in rows:
        said = f"{r.by}: {r.detail}" if r.detail else r.by
        lines.append(f"| {_cell(r.name)} | `{_cell(r.after or '(removed)')}` | {_cell(said)} |")
    return "\n".join([*lines, ""])


def page(records: Mapping[str, Record], known: Sequence[str]) -> str:
    """The page of stored records; it names learners whose text has changed since, and those without a record."""
    fresh = {n: r for n, r in records.items() if n in known and r.digest == digest_of(faithful_of(n))}
    rows = [row for r in fresh.values() for row in r.mutants]
    absent = {
        "Out of date, since the text has changed": [n for n in known if n in records and n not in fresh],
        "Not run": [n for n in known if n not in records],
    }
    said = "".join(f"{why}: {', '.join(names)}.\n\n" for why, names in absent.items() if names)
    head = HEAD.format(counts=counted(r.by for r in rows), learners=len(fresh))
    return head + said + "\n".join(_section(n, r.mutants) for n, r in fresh.items()).rstrip() + "\n"


def _short(text: str, by: str = "", most: int = 160) -> str:
    text = " ".join(text.split())
    return text if len(text) <= most or by == "equivalent" else text[: most - 3] + "..."


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def counts(found: Sequence[Fate]) -> str:
    """ "37 mutants: 30 property, 4 formula, 3 equivalent."."""
    return counted(f.by for f in found)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what caught each mutant; 1 where one is alive, or a listed equivalent was caught; 2 for bad input."""
    parser = argparse.ArgumentParser(prog="python -m proofs_check.mutation", description="Automatic faults.")
    parser.add_argument("learners", nargs="*", help="default: all")
    parser.add_argument("--json", type=Path, help="put each learner's results into this file")
    parser.add_argument(
        "--markdown", type=Path, help="write the page of what is stored; without a learner, run nothing"
    )
    parser.add_argument("--limit", type=float, default=LIMIT, help="seconds of CPU time for one mutant")
    options = parser.parse_args(arguments)
    known = learners()
    unknown = [n for n in options.learners if n not in known]
    if unknown:
        print(f"unknown learner '{unknown[0]}'; known: {', '.join(known)}", file=sys.stderr)
        return 2
    try:
        return _execute(options, list(known))
    except InputError as wrong:
        print(wrong, file=sys.stderr)
        return 2


def _execute(options: argparse.Namespace, known: list[str]) -> int:
    if options.json is not None:
        read(options.json)  # a spoilt file is refused before the work is done
    wrong, done = 0, {}
    if options.learners or options.markdown is None:
        if differential_check() is None:
            print("not run from the repository: without the differential check", file=sys.stderr)
        for name in options.learners or known:
            found = list(fates(name, limit=options.limit))
            old = stale(name, found)
            said = [f"listed as equivalent, but it is not: {m}" for m in old]
            print(markdown(name, found), *said, sep="\n", flush=True)
            wrong += len(old) + sum(f.by in ("alive", "not run") for f in found)
            done[name] = record(name, found)
            if options.json is not None:
                write(options.json, name, done[name])
        print(counted(row.by for one in done.values() for row in one.mutants))
    if options.markdown is not None:
        stored = done if done and options.json is None else read(options.json or stored_in("proofs_check"))
        options.markdown.write_text(page(stored, list(stored) if stored is done else known))
    return 1 if wrong else 0


HEAD = """# Automatic mutants

Every mutant that `theorylab.mutate` makes of a learner, one wrong token each, and what catches it, as
`python -m proofs_check.mutation` prints it. In this order: a property (a step of a proof), a theorem's final bound, a
step that repeats a formula of the learner, the run itself stopping, the conformance suite on the python target, the
differential check against an independent transcription. What nothing catches is equivalent, with the reason, or alive.
Lines are counted in the kernel's body. All together, in {learners} learners: {counts}

"""

if __name__ == "__main__":
    sys.exit(main())
