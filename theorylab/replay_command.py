"""The work of `theorylab replay`: which replicate of which claim, from evidence or by name, and its text."""

from __future__ import annotations

import json
import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from theorylab.claim import Claim, Instance
from theorylab.errors import InputError, nearest
from theorylab.evidence import Evidence, InstanceEvidence, plain
from theorylab.replay import Replay, replay

__all__ = ["as_text", "execute"]

WIDTH = 100


def execute(
    source: str,
    claim: str | None,
    *,
    files: Sequence[Path] = (),
    number: int = 0,
    model: str | None = None,
    given: Mapping[str, Any] | None = None,
    length: int | None = None,
    replicate: int | None = None,
    seed: int | None = None,
    learner: str | None = None,
    params: Mapping[str, Any] | None = None,
    back: int = 5,
    as_json: bool = False,
) -> str:
    """Replay a claim: from stored evidence (`source` is a folder or file), else `source` is the claim's id.

    Args:
        claim: which claim of the evidence; default, its first refuted one. files: single files that state claims, to be
            loaded first. number: which of its instances, from 0, where the evidence does not say. model, given, length:
            an instance instead (family, its parameters, and the learner's from `params` alone). replicate, seed,
            learner, params: as given, else those of the evidence. back: steps shown.
    Raises:
        InputError: for an unknown claim, evidence of an instance that the claim does not have, and as `replay`.
    """
    from theorylab.loading import claims_in
    from theorylab.registry import find_learner

    for file in files:
        claims_in(file)
    if model is None and (given or length is not None):
        raise InputError("--param and --length belong to --model; give --model NAME too")
    stored = _from_evidence(source, claim) if Path(source).exists() else None
    of = _only(source if stored is None else stored.id)
    if stored is not None and seed is None:
        seed = int(stored.provenance.get("seed", 0))
    instances = [i for p in ("quick", "standard", "full") for i in of.instances.get(p, ())]
    if model is not None:
        instance = Instance(model, length or instances[0].length, dict(given or {}))
    elif stored is not None:
        part = next((i for i in stored.instances if i.verdict == stored.verdict), stored.instances[0])
        instance = _instance(of, part)
        replicate, learner = part.replicate if replicate is None else replicate, learner or part.learner
    elif 0 <= number < len(instances):
        instance = instances[number]
    else:
        raise InputError(f"--instance {number}: claim {of.id} has the instances 0 to {len(instances) - 1}")
    spec = None if learner is None else find_learner(learner, instance.build().setting)
    found = replay(of, instance, replicate=replicate or 0, seed=seed or 0, learner=spec, params=params or {}, back=back)
    return json.dumps(plain(found.as_dict()), indent=2) + "\n" if as_json else as_text(found)


def _only(name: str) -> Claim:
    from theorylab.registry import claim_of, find_claim

    own = claim_of(name)
    found = find_claim(name) if own is None else [own]
    if len(found) > 1 or found[0].id != name:
        ids = [c.id for c in found]
        raise InputError(f"'{name}' is no single claim{nearest(name, ids, 5)}; name one, or give a report's folder")
    claim = found[0]
    assert isinstance(claim, Claim)
    return claim


def _from_evidence(source: str, name: str | None) -> Evidence:
    """The evidence of the claim that is meant."""
    from theorylab.figure_command import read_source

    evidence, search = read_source(source)
    if search is not None:
        raise InputError(f"'{source}' is the trace of a search; its `replay` entry is the line that repeats it")
    if name is None:
        refuted = [e for e in evidence if e.verdict == "REFUTED" and e.scope == "run"]
        if not refuted:
            raise InputError("no claim in the evidence is refuted; name the claim to be replayed")
        return refuted[0]
    found = [e for e in evidence if e.id == name]
    if not found:
        raise InputError(f"no claim '{name}' is in the evidence{nearest(name, [e.id for e in evidence])}")
    return found[0]


def _instance(claim: Claim, part: InstanceEvidence) -> Instance:
    for like in {repr(i): i for p in claim.instances.values() for i in p}.values():
        if like.length == part.length and like.build().digest == part.digest:
            return replace(like, learner={**like.learner, **part.params})
    raise InputError(
        f"claim {claim.id} has no instance {part.model} (digest {part.digest[:16]}) of {part.length} {part.unit}: the "
        "evidence is of a model that was given to the check, or of another version; name it with --model and --length"
    )


def as_text(r: Replay) -> str:
    """A replay in words: the last steps, both sides, the learner's entries."""
    params = ", ".join(f"{k}={_number(v)}" for k, v in r.params.items())
    ran = f"{r.learner} on {r.model}, {r.length} {r.unit}, replicate {r.replicate} of seed {r.seed}"
    out = [*_fold(f"{r.claim}: {r.text}"), *_fold(ran + (f", {params}" if params else "")), ""]
    if r.steps:
        out += [*_table(r), ""]
    when = {"step": "after step" if r.unit != "rounds" else "after round", "plan": "at the plan made at"}
    where = when.get(r.at, "after episode" if r.at == "episode" else "at the end, t =")
    if not r.premise:
        out += [f"the premise was never true in this replicate: the inequality was not asked (last {where} {r.t})"]
        return "\n".join([*out, ""])
    out += [f"FAILS {where} {r.t}:" if r.violated else f"holds in the whole replicate; closest {where} {r.t}:"]
    if r.sides is not None:
        name = "difference" if r.sides.lhs - r.sides.rhs == r.value else "|difference|"
        wide = max(len(r.sides.left), len(r.sides.right), len(name))
        place = ", ".join(f"{k}={v}" for k, v in r.sides.indices.items())
        out += [
            f"    {r.sides.left:{wide}} = {r.sides.lhs!r}",
            f"    {r.sides.right:{wide}} = {r.sides.rhs!r}",
            f"    {name:{wide}} = {r.value!r}  {_against(r)}",
            *_fold(f"in `{r.sides.kernel}`" + (f" with {place}" if place else ""), "    "),
        ]
    else:
        out += [f"    value of the probe = {r.value!r}  {_against(r)}"]
    if r.state:
        out += ["", *_fold("learner: " + ", ".join(f"{k} = {_number(v)}" for k, v in r.state.items()))]
    whole = f"{r.failures} evaluations fail; " if r.failures else ""
    out += ["", f"whole replicate: {whole}largest value {r.largest!r}"]
    return "\n".join([*out, ""])


def _against(r: Replay) -> str:
    if math.isinf(r.tol):
        return "(measured only)"
    return f"{'>' if r.violated and r.value == r.value else 'is not <=' if r.violated else '<='} {r.tol:g}"


def _number(x: Any) -> str:
    return f"{x:.10g}" if isinstance(x, (int, float)) else f"array of shape {getattr(x, 'shape', '?')}"


def _fold(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent + "  ", break_on_hyphens=False)


def _table(r: Replay) -> list[str]:
    names, rows = ["t", *r.steps[-1].moved], [[str(s.t), *map(_number, s.moved.values())] for s in r.steps]
    if r.steps[-1].regret is not None:
        names += ["visits", "regret"]
        rows = [[*row, str(s.visits), _number(s.regret)] for row, s in zip(rows, r.steps, strict=True)]
    wide = [max(len(x) for x in column) for column in zip(names, *rows, strict=True)]
    return ["  ".join(f"{x:>{w}}" for x, w in zip(row, wide, strict=True)) for row in [names, *rows]]
