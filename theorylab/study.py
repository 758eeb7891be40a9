"""Studies: learners x models x lengths, each with its replicates, from a TOML file to merged results.

    name = "width"                          replicates = 256            seed = 0, block = 64, checkpoints = 200,
    claims = ["auer2002.thm1"]              (optional: ids, checked)    target = "cpu", exact = true (defaults)

    [[learners]]                            [[models]]
    name = "ucb1"                           family = "bernoulli"
    params = { scale = 0.5 }                params = { means = [0.5, 0.6] }
    label = "half"                          length = 1000               rounds, episodes or steps by setting

A model may have `lengths = [100, 1000]` in place of `length`, `horizon = H` (its criterion becomes FiniteHorizon(H)), a
`label`, and `sweep = { states = [6, 12], variant = ["osband", "strehl"] }`: every combination, the last key fastest.
A cell is one learner on one model at one length; its replicates are cut into blocks of `block`, the last one shorter.

`execute` fills a folder: study.json (what the folder is for), shards/ (see `theorylab.store`), summary.csv and, last,
manifest.json. All of it is determined by the study and the versions installed, so a run that was killed and started
again leaves the same bytes as one that was not.
"""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import json
import math
import os
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import msgspec

from theorylab.compiler import TARGETS
from theorylab.coverage import collects, coverage_probes, monitor_of
from theorylab.errors import InputError, nearest
from theorylab.learner import Learner
from theorylab.model import FiniteHorizon, TabularMDP
from theorylab.registry import find_claim, find_learner, find_model
from theorylab.result import Result, merged
from theorylab.rng import key_words
from theorylab.simulation import Simulation, geometric
from theorylab.store import Store, clean, refusal, write_atomic
from theorylab.truth import known_to, sizes_at

__all__ = ["Cell", "LearnerEntry", "ModelEntry", "Result", "Study", "execute", "open_folder"]

Count = Annotated[int, msgspec.Meta(ge=1)]
#: called after each block with blocks done, blocks in all, and what was run
Progress = Callable[[int, int, str], None]

FILES = ("study.json", "summary.csv", "manifest.json")


class LearnerEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One `[[learners]]`: a learner by name, overrides of its parameters, and its label (default: the name)."""

    name: str
    params: dict[str, Any] = {}
    label: str | None = None


class ModelEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One `[[models]]`: a family by name, its parameters, lists of them to sweep over, horizon, length or lengths."""

    family: str
    params: dict[str, Any] = {}
    sweep: dict[str, Any] = {}
    horizon: Count | None = None
    length: Count | None = None
    lengths: list[Count] | None = None
    label: str | None = None


@dataclass(frozen=True)
class Cell:
    """One learner on one model at one length.

    Attributes:
        index: place in the study, from 0. learner, model: labels. length: rounds, episodes or steps.
        params: all parameters given to the family. learner_at, model_at: indices of the entries in the study.
    """

    index: int
    learner: str
    model: str
    params: dict[str, Any]
    length: int
    learner_at: int
    model_at: int


class Study(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Learners x models x lengths with R replicates each; `read` and `parse` check every name and parameter."""

    name: str
    replicates: Count
    learners: list[LearnerEntry]
    models: list[ModelEntry]
    seed: int = 0
    block: Count = 64
    checkpoints: Annotated[int, msgspec.Meta(ge=2)] = 200
    target: str = "cpu"
    exact: bool = True
    claims: list[str] = []

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Study:
        """The study in a TOML file. Raises `InputError` naming the file, the entry and the mend."""
        try:
            text = Path(path).read_text(encoding="utf-8")
        except OSError as reason:
            raise InputError(f"study {path} cannot be read: {reason.strerror}; give the path of a TOML file") from None
        except UnicodeDecodeError as reason:
            raise InputError(f"study {path} is not UTF-8 text (byte {reason.start}); save it as UTF-8") from None
        return cls.parse(text, str(path))

    @classmethod
    def parse(cls, text: str, where: str = "study") -> Study:
        """The study in a TOML text; `where` begins the messages."""
        try:
            table = tomllib.loads(text)
        except tomllib.TOMLDecodeError as reason:
            raise InputError(f"{where}: not TOML: {reason}; correct that line") from None
        return cls.from_table(table, where)

    @classmethod
    def from_table(cls, table: Mapping[str, Any], where: str = "study") -> Study:
        """The study in a dictionary of the TOML file's form, all of it checked."""
        try:
            _known(table, cls, "")
            for part, entry in (("learners", LearnerEntry), ("models", ModelEntry)):
                entries = table.get(part)
                for i, item in enumerate(entries if isinstance(entries, list) else ()):
                    _known(item, entry, f"{part}[{i}].")
            try:
                study: Study = msgspec.convert(table, cls)
            except msgspec.ValidationError as reason:
                raise InputError(_place(str(reason))) from None
            study.check()
        except InputError as reason:
            raise InputError(f"{where}: {reason}") from None
        return study

    def check(self) -> None:
        """Refuse unknown names and parameters, unfit settings and labels that do not tell entries apart."""
        try:
            msgspec.convert(msgspec.to_builtins(self), Study)  # a study made in Python has not been through this
        except (msgspec.ValidationError, TypeError) as reason:
            raise InputError(_place(str(reason))) from None
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", self.name):
            raise InputError(f"name: '{self.name}' names a folder; use letters, digits, '.', '_' and '-' alone")
        key_words(self.seed)
        if self.target not in TARGETS:
            raise InputError(f"target: unknown target '{self.target}'{nearest(self.target, TARGETS)}")
        for part in ("learners", "models"):
            if not getattr(self, part):
                raise InputError(f"{part}: there is none; add a [[{part}]] table")
        for i, name in enumerate(self.claims):
            with _at(f"claims[{i}]"):
                find_claim(name)
        for i, learner in enumerate(self.learners):
            with _at(f"learners[{i}].name"):
                find_learner(learner.name)
            _plain(learner.params, f"learners[{i}].params")
        for i, entry in enumerate(self.models):
            with _at(f"models[{i}].family"):
                find_model(entry.family)
            _plain(entry.params, f"models[{i}].params")
            _plain(entry.sweep, f"models[{i}].sweep")
            if (entry.length is None) == (entry.lengths is None):
                raise InputError(
                    f"models[{i}]: give either length = ... or lengths = [...] (rounds, episodes or steps)"
                )
            single = [k for k, v in entry.sweep.items() if not isinstance(v, list)]
            if single:
                raise InputError(f"models[{i}].sweep.{single[0]} is no list; give [...], or move it to params")
            empty = [k for k, v in entry.sweep.items() if not v] + (["lengths"] if entry.lengths == [] else [])
            if empty:
                raise InputError(f"models[{i}]: the list of '{empty[0]}' is empty; give at least one value")
            twice = [k for k in entry.sweep if k in entry.params]
            if twice:
                raise InputError(f"models[{i}]: '{twice[0]}' stands in params and in sweep; leave it out of one")
        self._check_labels()
        label: str | None = None
        model: Any = None
        for cell in self.cells():
            if cell.model != label:
                with _at(f"models[{cell.model_at}]"):
                    label, model = cell.model, self._model(cell)
            with _at(f"learners[{cell.learner_at}] on models[{cell.model_at}]"):
                learner = find_learner(self.learners[cell.learner_at].name, model.setting)
                given = self.learners[cell.learner_at].params
                learner.parameters(given, sizes_at(model, cell.length), known_to(learner, model))

    def _check_labels(self) -> None:
        seen: dict[str, str] = {}
        for i, learner in enumerate(self.learners):
            _unique(seen, learner.label or learner.name, f"learners[{i}]")
        seen = {}
        for i, model in enumerate(self.models):
            for label, _ in _instances(model):
                _unique(seen, label, f"models[{i}]")
            lengths = _lengths(model)
            if len(set(lengths)) < len(lengths):
                raise InputError(f"models[{i}]: a length stands twice in lengths = {lengths}; leave one out")

    def cells(self) -> list[Cell]:
        """All cells: models in the file's order, each combination of its sweep, each length, each learner."""
        out: list[Cell] = []
        for j, model in enumerate(self.models):
            for label, params in _instances(model):
                for length in _lengths(model):
                    for i, learner in enumerate(self.learners):
                        name = learner.label or learner.name
                        out.append(Cell(len(out), name, label, params, length, learner_at=i, model_at=j))
        return out

    def blocks(self, cell: Cell | None = None) -> list[tuple[int, int]]:
        """Blocks (first, replicates) of a cell, in order; they are the same for every cell."""
        return [(a, min(self.block, self.replicates - a)) for a in range(0, self.replicates, self.block)]

    def _model(self, cell: Cell) -> Any:
        entry = self.models[cell.model_at]
        try:
            model = find_model(entry.family)(**cell.params)
        except InputError:
            raise
        except (TypeError, ValueError) as reason:  # a value of a type that the family does not expect
            raise InputError(f"{entry.family}({_arguments(cell.params)}) cannot be built: {reason}") from reason
        if entry.horizon is None:
            return model
        if not isinstance(model, TabularMDP):
            raise InputError(f"'{entry.family}' is a bandit and has no horizon; leave out horizon = {entry.horizon}")
        return dataclasses.replace(model, criterion=FiniteHorizon(entry.horizon))

    def build(self, cell: Cell) -> tuple[Learner, Any]:
        """The learner and the model of a cell."""
        model = self._model(cell)
        learner = find_learner(self.learners[cell.learner_at].name, model.setting)
        assert isinstance(learner, Learner)
        return learner, model

    def maker(self, cell: Cell, threads: int | None = None) -> Callable[[int, int], Simulation]:
        """The function (first, replicates) -> `Simulation` of a cell, for `Store.run`; with coverage of collectors."""
        learner, model = self.build(cell)
        of_coverage = collects(learner)

        def make(first: int, replicates: int) -> Simulation:
            return Simulation(
                learner,
                model,
                replicates=replicates,
                length=cell.length,
                seed=self.seed,
                params=self.learners[cell.learner_at].params,
                target=self.target,
                first=first,
                checkpoints=geometric(cell.length, self.checkpoints),
                probes=coverage_probes() if of_coverage else (),
                monitor=monitor_of(learner) if of_coverage else None,
                exact=self.exact,
                threads=threads,
            )

        return make

    def about(self) -> dict[str, Any]:
        """Plain data that says what the study is; it determines the digest."""
        return {"study": msgspec.to_builtins(self), "cells": [dataclasses.asdict(c) for c in self.cells()]}

    @property
    def digest(self) -> str:
        """sha256 of what the study is; comments and the order of keys do not enter."""
        return hashlib.sha256(json.dumps(self.about(), sort_keys=True, allow_nan=False).encode()).hexdigest()


class _at:
    """Puts the place of an entry before the text of an `InputError`."""

    def __init__(self, place: str) -> None:
        self.place = place

    def __enter__(self) -> None: ...

    def __exit__(self, kind: Any, reason: BaseException | None, trace: Any) -> None:
        if isinstance(reason, InputError):
            raise InputError(f"{self.place}: {reason}") from None


def _known(table: Any, struct: type[msgspec.Struct], place: str) -> None:
    for key in table if isinstance(table, Mapping) else ():
        if key not in struct.__struct_fields__:
            raise InputError(f"{place}{key}: unknown key{nearest(str(key), struct.__struct_fields__)}")


def _place(text: str) -> str:
    """A message of the decoder with its place in front: "models[0].length: expected `int`, got `str`"."""
    found = re.fullmatch(r"(.*) - at `\$\.?(.*)`", text, flags=re.DOTALL)
    what, place = (found[1], found[2]) if found else (text, "")
    what = what.replace("Object missing required field", "missing the key").replace("object", "table")
    return f"{place}: {what}; correct that entry" if place else f"{what}; correct that entry"


def _plain(value: Any, place: str) -> None:
    """Refuse values that no parameter takes: dates, NaN, infinities."""
    if isinstance(value, Mapping):
        for k, v in value.items():
            _plain(v, f"{place}.{k}")
    elif isinstance(value, list):
        for i, v in enumerate(value):
            _plain(v, f"{place}[{i}]")
    elif not isinstance(value, (str, bool, int, float)) or (isinstance(value, float) and not math.isfinite(value)):
        raise InputError(f"{place} is {value}; give a finite number, a string, true or false, or lists of them")


def _unique(seen: dict[str, str], label: str, place: str) -> None:
    if label in seen:
        raise InputError(f"{place}: '{label}' is also {seen[label]}; leave one out, or give it another label = \"...\"")
    seen[label] = place


def _instances(model: ModelEntry) -> Iterator[tuple[str, dict[str, Any]]]:
    """Label and parameters of each combination of a sweep; one without a sweep."""
    for values in itertools.product(*model.sweep.values()):
        swept = dict(zip(model.sweep, values, strict=True))
        label = (model.label or model.family) + (f"({_arguments(swept)})" if swept else "")
        yield label, {**model.params, **swept}


def _lengths(model: ModelEntry) -> list[int]:
    return [model.length] if model.length is not None else list(model.lengths or ())


def _arguments(params: Mapping[str, Any]) -> str:
    return ", ".join(f"{k}={v}" for k, v in params.items())


def open_folder(study: Study, out: str | os.PathLike[str]) -> Store:
    """The store of a study's folder, which is made, or belonged to the same study before.

    Raises `InputError` for the folder of another study, for one that holds files of these names without a
    study.json, and for one that cannot be written.
    """
    folder, digest = Path(out), study.digest
    mark = folder / "study.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        present = [name for name in FILES if (folder / name).exists()]
        found = json.loads(mark.read_bytes()) if "study.json" in present else None
        clean(folder)
    except OSError as reason:
        raise refusal(folder, 0, reason) from None
    except ValueError:
        raise InputError(f"{mark} is not the file of a study; delete it, or choose another folder") from None
    if found is None and present:
        raise InputError(f"{folder} holds {present[0]} but no study.json; choose another folder")
    if found is not None and (not isinstance(found, dict) or found.get("digest") != digest):
        old = f"'{found.get('study', {}).get('name')}'" if isinstance(found, dict) else "another"
        of = str(found.get("digest"))[:12] if isinstance(found, dict) else "?"
        raise InputError(
            f"{folder} holds the results of the study {old} (digest {of}), not of '{study.name}' as it now reads "
            f"(digest {digest[:12]}); choose another folder, or put the study back as it was"
        )
    store = Store(folder / "shards")
    if found is None:
        write_atomic(mark, _json({"digest": digest, **study.about()}))
    return store


def execute(
    study: Study,
    out: str | os.PathLike[str],
    *,
    engine: str = "local",
    resume: bool = True,
    progress: Progress | None = None,
    threads: int | None = None,
) -> Result:
    """Run every block of every cell that is not stored yet, write summary and manifest, return all results.

    Args:
        out: folder of the study, made if missing. engine: "local".
        resume: False runs every block again and replaces its shard, whatever is stored.
        progress: called after each block; threads: workers in a block (default: all cores).

    Raises:
        InputError: a folder of another study, a folder that cannot be written, an unknown engine.
        StoreFull: no room; ShardError: a stored file that cannot be used. What was finished is kept, and the next
            call goes on from there.
    """
    from theorylab.engines import engine_of

    runner = engine_of(engine)
    study.check()
    store = open_folder(study, out)
    folder, cells = Path(out), study.cells()
    shards: list[list[str]] = [[] for _ in cells]
    curves = []
    for cell, parts in runner(study, store, reuse=resume, progress=progress, threads=threads):
        shards[cell.index] = [p.key for p in parts]
        curves.append(merged([p.curves for p in parts]))
    result = Result(study, tuple(cells), tuple(curves))
    write_atomic(folder / "summary.csv", result.to_csv().encode())
    listed = [{**dataclasses.asdict(c), "shards": keys} for c, keys in zip(cells, shards, strict=True)]
    manifest = {"digest": study.digest, "name": study.name, "claims": study.claims, "versions": result.versions}
    write_atomic(folder / "manifest.json", _json({**manifest, "cells": listed}))
    clean(folder)
    store.clean()
    return result


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=1, sort_keys=True, allow_nan=False, ensure_ascii=False) + "\n").encode()
