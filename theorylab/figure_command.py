"""The work of `theorylab figure`: figures of stored evidence, at any size and format, without running anything.

The source is a report folder, its `evidence.json`, or what `theorylab attack NAME --json` printed. Beside each figure
lies its data as CSV.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from theorylab.errors import InputError, nearest
from theorylab.evidence import Evidence, from_json

__all__ = ["anchors_of", "choose", "execute", "read_source"]


def anchors_of(ids: Sequence[str]) -> dict[str, str]:
    """Id -> a name fit for files and links, unique."""
    out: dict[str, str] = {}
    for id in ids:
        base = re.sub(r"[^A-Za-z0-9]+", "-", id).strip("-").lower()[:60] or "claim"
        name, k = base, 2
        while name in out.values():
            name, k = f"{base}-{k}", k + 1
        out.setdefault(id, name)
    return out


def read_source(path: str | Path) -> tuple[list[Evidence], dict[str, Any] | None]:
    """(evidence, search): the claims of a report or of a file of evidence; or no claims and the search of an attack.

    Raises InputError for a file that cannot be read or is neither.
    """
    from theorylab.figure_search import read_search

    place = Path(path)
    file = place / "evidence.json" if place.is_dir() else place
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise InputError(
            f"cannot read '{file}': {reason}; give the folder of `theorylab check --report`, its evidence.json, or the "
            "file of `theorylab attack --json`"
        ) from None
    if _is_object(text):
        return [], read_search(text, f"'{file}'")
    try:
        return from_json(text), None
    except InputError as wrong:
        raise InputError(f"'{file}': {wrong}") from None


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def choose(
    evidence: Sequence[Evidence], search: dict[str, Any] | None, claim: str | None, kind: str | None
) -> list[Any]:
    """The drawings asked for: of a claim or of all (or of a paper, for kill matrices), of a kind or of all.

    Raises InputError for an unknown claim or kind, and where there is nothing to draw: what is missing, and how to get
    it.
    """
    from theorylab.figure_kinds import KINDS, drawings, kill_drawings, missing, trace_drawing
    from theorylab.kills import kill_groups

    if kind is not None and kind not in KINDS:
        raise InputError(f"unknown kind of figure '{kind}'{nearest(kind, KINDS)}; use one of {', '.join(KINDS)}")
    if search is not None:
        if kind not in (None, "trace"):
            raise InputError(f"a search has a trace, not '{kind}'; give a report's evidence.json for that kind")
        if claim not in (None, search["id"]):
            raise InputError(f"the search is of '{search['id']}', not of '{claim}'; leave the claim out")
        return [trace_drawing(search, anchors_of([str(search["id"])])[str(search["id"])])]
    chosen = [e for e in evidence if claim in (None, e.id, e.paper)]
    if not chosen:
        known = dict.fromkeys([*(e.id for e in evidence), *(e.paper for e in evidence)])
        raise InputError(f"no claim or paper '{claim}' is in the evidence{nearest(str(claim), known)}")
    names = anchors_of([e.id for e in evidence])
    made = [d for e in chosen for d in drawings(e, names[e.id])]
    of_claim = len(chosen) == 1 and claim == chosen[0].id
    if not of_claim or kind == "kills":  # a matrix is of all claims on a learner; one claim is a matrix if asked for
        groups = {key: anchors_of(["-".join(key)])["-".join(key)] for key in kill_groups(chosen)}
        groups = {k: f"{v}-{names[chosen[0].id]}" if of_claim else v for k, v in groups.items()}
        made += kill_drawings(chosen, groups)
    if kind is not None:
        made = [d for d in made if d.kind == kind]
    if made:
        return made
    if kind is None:
        ids = ", ".join(e.id for e in chosen[:3]) + (", ..." if len(chosen) > 3 else "")
        raise InputError(f"{ids}: nothing to draw; {missing(chosen[0], 'regret')}; {missing(chosen[0], 'e-path')}")
    if of_claim:
        raise InputError(f"claim {chosen[0].id} has no figure of kind '{kind}': {missing(chosen[0], kind)}")
    why = missing(chosen[0], kind)
    raise InputError(f"none of the {len(chosen)} claims has a figure of kind '{kind}': of {chosen[0].id}, {why}")


def execute(source: Path, claim: str | None, *, kind: str | None, size: str, format: str, out: Path) -> list[Path]:
    """Draw, write figures and CSV files into `out`, and return their paths.

    Raises InputError as `read_source` and `choose`, for an unknown size or format, and for a folder that cannot be
    written.
    """
    from theorylab.figure_style import FORMATS, SIZES, save, write_table

    if size not in SIZES:
        raise InputError(f"unknown figure size '{size}'{nearest(size, SIZES)}; use one of {', '.join(SIZES)}")
    if format not in FORMATS:
        raise InputError(f"unknown figure format '{format}'; use one of {', '.join(FORMATS)}")
    chosen = choose(*read_source(source), claim, kind)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot make the folder '{out}': {error.strerror}; name another") from None
    files = []
    for one in chosen:
        files.append(save(one.draw(size), out / f"{one.name}.{format}"))
        files.append(write_table(one.table(), out / f"{one.name}.csv"))
    return files
