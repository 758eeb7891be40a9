"""What `theorylab show` prints: a claim's statement, source, constants, steps and controls; a learner; a model.

A learner is shown in each of its settings, with what became of its automatic mutants, as stored beside claims; a claim
with how many of them it caught itself.

A family of models is followed by its published instances, each with content hash and known exact quantities.
"""

from __future__ import annotations

import inspect
from typing import Any

from theorylab.automatic import counts, record_of
from theorylab.errors import InputError, nearest
from theorylab.family import Family, Published
from theorylab.registry import content_packages, find_claim, find_learner, find_model, home_of, names, specs_of

__all__ = ["describe"]


def describe(name: str) -> list[dict[str, Any]]:
    """Rows for a claim id, a paper (all its claims), a learner, a model or a published instance.

    Raises `InputError` with the nearest names for anything else.
    """
    key = name.replace("_", "-")
    if name.partition(".")[0] in names("papers"):
        return [_claim(c) for c in find_claim(name)]
    if key in names("learners"):
        return [_learner(x) for x in specs_of(key)]
    if key in names("models"):
        family = find_model(key)
        return [_model(family), *(_published(family, p) for p in family.published)]
    known = [*names("papers"), *names("learners"), *names("models")]
    for stem in names("models"):
        if key.startswith(stem + "-"):
            family = find_model(stem)
            for published in family.published:
                if published.name == key:
                    return [_published(family, published)]
                known.append(published.name)
    raise InputError(f"nothing is called '{name}'{nearest(name, known)}")


def _claim(c: Any) -> dict[str, Any]:
    instances = [
        f"{p}: {i.family}({_pairs(i.model)}), length {i.length}" for p, all_ in c.instances.items() for i in all_
    ]
    return dict(
        id=c.id,
        statement=c.text,
        paper=c.paper,
        source_tag=c.source_tag,
        kind=type(c.kind).__name__,
        scope=c.scope,
        learner=c.learner,
        constants=c.constants,
        assumes=[a.name for a in c.assumes],
        steps=list(c.steps),
        controls=[k.name for k in c.controls] + ([c.false_twin.__name__] if c.false_twin else []),
        copies_formula=c.copies,
        automatic_mutants=_caught_by(c) if c.scope == "run" else "",
        instances=instances,
    )


def _pairs(params: Any) -> str:
    return ", ".join(f"{k}={v}" for k, v in params.items())


def _learner(x: Any) -> dict[str, Any]:
    state = {k: list(f.shape) for k, f in x.state.items()}
    return dict(
        name=x.name,
        setting=x.setting,
        cite=x.cite,
        source_tag=x.source_tag,
        form="epoch" if x.epochs else "step",
        params=[f"{k}={v}" for k, v in x.params.items()],
        state=[f"{k}{shape}" for k, shape in state.items()],
        text=x.text,
        file=inspect.getmodule(x.act.f).__name__,  # type: ignore[union-attr]
        automatic_mutants=_fates(x),
    )


def _fates(x: Any) -> str | list[str]:
    """What caught each automatic mutant of a learner, after the counts; or why nothing is said."""
    record, state = record_of(x, content_packages())
    if record is None or state != "current":
        return state
    rows = [f"{r.name}: {r.by}{': ' + r.detail if r.detail else ''}" for r in record.mutants]
    return [counts(r.by for r in record.mutants).rstrip("."), *rows]


def _caught_by(c: Any) -> str:
    """How many automatic mutants of its learner a claim is the first to catch."""
    record, state = record_of(find_learner(c.learner, c.setting), [home_of(c.paper)])
    if record is None or state != "current":
        return state
    return f"first to catch {sum(r.detail == c.id for r in record.mutants)} of {len(record.mutants)}"


def _model(f: Family) -> dict[str, Any]:
    params = [k if v is inspect.Parameter.empty else f"{k}={v}" for k, v in f.params.items()]
    return dict(name=f.name, setting=f.setting, cite=f.cite, source_tag=f.source_tag, params=params, text=f.text)


def _published(family: Family, p: Published) -> dict[str, Any]:
    return dict(
        name=p.name,
        family=family.name,
        params=[f"{k}={v}" for k, v in p.params.items()],
        digest=p.digest,
        **p.known,
        cite=p.cite or family.cite,
        source_tag=p.tag or family.source_tag,
        text=p.text,
    )
