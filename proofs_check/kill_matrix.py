"""The kill matrix: every planted fault of a learner against every claim on it.

    python -m proofs_check.kill_matrix [LEARNER ...] [--markdown FILE]

A row is a fault, a column a claim on runs. A fault must be caught by a claim; one that is caught only by claims that
repeat a formula of the learner is marked, since a property is the stronger witness. Generic faults that are not planted
stand below with their reason. Controls with `target="cpu"`, which check final bounds, are left to `theorylab check`.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType

from proofs_check.mutants._generic import FAULTS
from theorylab.claim import Claim
from theorylab.controls import fault_matrix
from theorylab.decide import Levels
from theorylab.learner import Learner
from theorylab.registry import iter_specs

__all__ = ["Kills", "kills_of", "learners", "main", "mutants_of", "planted"]


def learners() -> dict[str, list[Claim]]:
    """Learner (`psrl`, `psrl-average`: the setting where two share a name) -> its claims on runs."""
    out: dict[str, list[Claim]] = {}
    for claim in iter_specs("papers"):
        if claim.scope == "run" and not claim.compares:
            out.setdefault(key_of(claim), []).append(claim)
    return out


def key_of(claim: Claim) -> str:
    """The learner's name, with the setting where the file of mutants has it."""
    name = f"{claim.learner}-{claim.setting}"
    return name if importlib.util.find_spec(f"proofs_check.mutants.{_file(name)}") else claim.learner


def _file(name: str) -> str:
    return name.replace("-", "_")


def mutants_of(name: str) -> ModuleType:
    """The file of mutants of a learner."""
    return importlib.import_module(f"proofs_check.mutants.{_file(name)}")


def planted(name: str) -> dict[str, Learner]:
    """The mutants of a learner by the name of their line in the file."""
    # the faithful learner is imported there too, under names that begin with `learner` or `faithful`
    found = {k: v for k, v in vars(mutants_of(name)).items() if isinstance(v, Learner)}
    return {k: v for k, v in found.items() if not k.startswith(("learner", "faithful"))}


@dataclass(frozen=True)
class Kills:
    """What became of the faults of one learner.

    Attributes:
        learner: key of `learners`. claims: columns. caught: fault -> ids of the claims that caught it; missed: fault ->
            ids of the claims that ran it and did not. copies: ids of claims that repeat a formula.
        named: (claim, fault) that the claim says it catches and did not. generic: fault -> its generic name.
        absent: generic fault -> why it is not planted.
    """

    learner: str
    claims: tuple[str, ...]
    caught: dict[str, tuple[str, ...]]
    missed: dict[str, tuple[str, ...]]
    copies: frozenset[str]
    named: tuple[tuple[str, str], ...]
    generic: dict[str, str]
    absent: dict[str, str]

    @property
    def alive(self) -> list[str]:
        """Faults that no claim caught."""
        return [f for f, ids in self.caught.items() if not ids]

    @property
    def by_copies_only(self) -> list[str]:
        """Faults that only a repeated formula caught."""
        return [f for f, ids in self.caught.items() if ids and set(ids) <= self.copies]


def _python(claims: Sequence[Claim]) -> list[Claim]:
    return [replace(c, controls=tuple(k for k in c.controls if k.target == "python")) for c in claims]


def kills_of(name: str, claims: Sequence[Claim] | None = None, *, seed: int = 0) -> Kills:
    """Run every fault of a learner that needs no compilation under all of its claims."""
    chosen = _python(learners()[name] if claims is None else claims)
    chosen = [c for c in chosen if c.controls or c.control_instance is not None]
    matrix = fault_matrix(chosen, params={}, levels=Levels(), seed=seed)
    faults = list(dict.fromkeys(f for row in matrix.values() for f in row))
    names = {id(k.learner): k.name for c in chosen for k in c.controls}
    table = mutants_of(name).GENERIC
    return Kills(
        learner=name,
        claims=tuple(c.id for c in chosen),
        caught={f: tuple(c for c, row in matrix.items() if row.get(f, (False,))[0]) for f in faults},
        missed={f: tuple(c for c, row in matrix.items() if f in row and not row[f][0]) for f in faults},
        copies=frozenset(c.id for c in chosen if c.copies),
        named=tuple((c.id, k.name) for c in chosen for k in c.controls if not matrix[c.id][k.name][0]),
        generic={names[id(v)]: g for g, v in table.items() if isinstance(v, Learner) and id(v) in names},
        absent={g: v for g, v in table.items() if isinstance(v, str)},
    )


def markdown(kills: Kills) -> str:
    """One learner's matrix as Markdown: X caught, c caught by a repeated formula, . run and not caught."""
    short = [c.partition(".")[2] for c in kills.claims]
    lines = [f"## {kills.learner}", "", "| fault | " + " | ".join(short) + " |", "|---|" + ":-:|" * len(short)]
    for fault in sorted(kills.caught, key=lambda f: (f not in kills.generic, f)):
        marks = [
            ("c" if c in kills.copies else "X") if c in kills.caught[fault] else "." if c in kills.missed[fault] else ""
            for c in kills.claims
        ]
        generic = kills.generic.get(fault)
        label = f"**{fault}**" if generic == fault else f"{fault} (**{generic}**)" if generic else fault
        lines.append(f"| {label} | " + " | ".join(marks) + " |")
    lines += ["", *(f"- {generic}: {why}." for generic, why in kills.absent.items()), ""]
    if kills.by_copies_only:
        lines += [f"Caught by a repeated formula alone: {', '.join(sorted(kills.by_copies_only))}.", ""]
    if kills.alive:
        lines += [f"Not caught by any step: {', '.join(sorted(kills.alive))}.", ""]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the matrices; 1 where a fault lives."""
    parser = argparse.ArgumentParser(prog="python -m proofs_check.kill_matrix", description="Faults against claims.")
    parser.add_argument("learners", nargs="*", help="default: all")
    parser.add_argument("--markdown", type=Path, help="write the matrices to this file too")
    options = parser.parse_args(arguments)
    known = learners()
    unknown = [n for n in options.learners if n not in known]
    if unknown:
        print(f"unknown learner '{unknown[0]}'; known: {', '.join(known)}", file=sys.stderr)
        return 2
    found, texts = [], []
    for name in options.learners or known:
        kills = kills_of(name)
        found.append(kills)
        texts.append(markdown(kills))
        print(texts[-1], flush=True)
    planted_faults = sum(len(k.caught) for k in found)
    alive = sum(len(k.alive) for k in found)
    copied = sum(len(k.by_copies_only) for k in found)
    print(
        f"{planted_faults} faults in {len(found)} learners: {planted_faults - alive} caught, {copied} of them by a "
        f"repeated formula alone, {alive} alive"
    )
    if options.markdown:
        rows = "\n".join(f"| {k} | {v} |" for k, v in FAULTS.items())
        head = HEAD.format(rows=rows, faults=planted_faults, learners=len(found), copied=copied, alive=alive)
        options.markdown.write_text(head + "\n".join(texts).rstrip() + "\n")
    return 1 if alive or any(k.named for k in found) else 0


HEAD = """# Kill matrix

Every planted fault of every learner against every claim on it, as `python -m proofs_check.kill_matrix` prints it.
X: a property of the algorithm or of its proof catches the fault. c: a claim that repeats a formula of the learner
catches it. A dot: the claim ran with the fault and held. Empty: not run together. Bold: one of the generic faults,
which are planted in every learner that has the part; where one is not planted, the reason stands below. {faults} faults
in {learners} learners, {copied} caught by a repeated formula alone, {alive} not caught.

| generic fault | what it is |
|---|---|
{rows}

"""

if __name__ == "__main__":
    sys.exit(main())
