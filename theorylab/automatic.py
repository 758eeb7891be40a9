"""What became of a learner's automatic mutants, as its content package stores it.

A package with `papers/` may ship `mutants/automatic.json` beside them, which `python -m proofs_check.mutation LEARNER
--json FILE` writes: for each learner a digest of the texts that were mutated, and for each mutant of
`theorylab.mutate` its name, the statement before and after, and what caught it. Reports and `theorylab show` read it;
nothing is run. Where the digest is not that of the learner's present text, the record is out of date and no evidence.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import inspect
import json
import textwrap
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from theorylab.errors import InputError
from theorylab.learner import Learner

__all__ = ["FATES", "Record", "Row", "counts", "digest_of", "key_in", "read", "record_of", "stored_in", "write"]

FORMAT = 1
#: what may catch a mutant, in this order; "alive" and "not run" are defects
FATES = ("property", "theorem", "formula", "stopped", "conformance", "differential", "equivalent", "alive", "not run")


@dataclass(frozen=True)
class Row:
    """One mutant: its name, the statement before and after, what caught it (a word of `FATES`), and which or why."""

    name: str
    before: str
    after: str
    by: str
    detail: str = ""


@dataclass(frozen=True)
class Record:
    """All mutants of a learner, and the digest of the texts that they were made from."""

    digest: str
    mutants: tuple[Row, ...]


def digest_of(learner: Learner) -> str:
    """sha256 of the texts that mutants are made of: the learner's kernels and `derive`, without comments and layout."""
    from theorylab.mutate import kernels_of

    texts = [f"{k.__name__}\n{_text(k.source)}" for k in kernels_of(learner)]
    if learner.derive is not None:
        texts.append("derive\n" + _text(textwrap.dedent(inspect.getsource(learner.derive))))
    return hashlib.sha256("\n\n".join(texts).encode()).hexdigest()


def _text(source: str) -> str:
    """The body of a function as `ast` writes it, without its docstring; other text, such as of a lambda, as it is."""
    try:
        found = next(n for n in ast.parse(source).body if isinstance(n, ast.FunctionDef))
    except (SyntaxError, StopIteration):
        return source
    found.body = found.body[1:] if ast.get_docstring(found) is not None else found.body
    return "\n".join(map(ast.unparse, (found.args, *found.body)))


def counts(by: Iterable[str]) -> str:
    """ "37 mutants: 30 property, 4 formula, 3 equivalent."."""
    number = Counter(by)
    return f"{number.total()} mutants: " + ", ".join(f"{number[w]} {w}" for w in FATES if number[w]) + "."


def stored_in(package: str) -> Path | None:
    """Where a package stores its records, whether the file exists or not; None for a package that has no folder."""
    spec = importlib.util.find_spec(package)
    roots = list(spec.submodule_search_locations or ()) if spec else []
    return Path(roots[0]) / "mutants" / "automatic.json" if roots else None


def read(path: Path | None) -> dict[str, Record]:
    """Learner -> its record; empty where there is no file.

    Raises InputError, naming the file and the entry, for one that is no such file.
    """
    if path is None or not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if found["format"] != FORMAT:
            raise ValueError(f"format {found['format']} in place of {FORMAT}")
        return {name: _record(name, one) for name, one in found["learners"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as wrong:
        raise InputError(
            f"'{path}' is no file of automatic mutants ({type(wrong).__name__}: {wrong}); remove it, and write it anew "
            "by `python -m proofs_check.mutation LEARNER --json FILE`"
        ) from None


def _record(name: str, stored: Mapping[str, Any]) -> Record:
    rows = tuple(Row(**one) for one in stored["mutants"])
    for row in rows:
        if row.by not in FATES or not all(isinstance(v, str) for v in asdict(row).values()):
            raise ValueError(f"learners.{name}: '{row.name}' is caught by {row.by!r}, none of {', '.join(FATES)}")
    return Record(str(stored["digest"]), rows)


def write(path: Path, name: str, record: Record) -> None:
    """Put a learner's record into the file, which is made if missing; the records of others stay as they are.

    The file has a line for each mutant, learners in the order of their names. Raises InputError as `read`, and where
    the file cannot be written.
    """
    from theorylab.store import write_atomic

    records = {**read(path), name: record}
    learners = []
    for key in sorted(records):
        lines = ",\n".join("   " + json.dumps(asdict(row), ensure_ascii=False) for row in records[key].mutants)
        learners.append(f'  {json.dumps(key)}: {{"digest": "{records[key].digest}", "mutants": [\n{lines}\n  ]}}')
    text = f'{{"format": {FORMAT}, "learners": {{\n' + ",\n".join(learners) + "\n}}\n"
    write_atomic(path, text.encode())


def key_in(records: Iterable[str], learner: str, setting: str) -> str | None:
    """The key of a learner: `psrl-average`, its name with the setting, where the file has that, else `psrl`."""
    have = set(records)
    return next((k for k in (f"{learner}-{setting}", learner) if k in have), None)


def record_of(learner: Learner, packages: Sequence[str]) -> tuple[Record | None, str]:
    """The first record of a learner in the packages, and the state it is in: "current", "out of date" or "not run"."""
    for package in packages:
        records = read(stored_in(package))
        key = key_in(records, learner.name, learner.setting)
        if key is not None:
            current = records[key].digest == digest_of(learner)
            return records[key], "current" if current else "out of date"
    return None, "not run"
