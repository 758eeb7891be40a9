"""The work of `theorylab figure`: figures of what is stored, at any size and format, without running anything.

The source is a report folder, its `evidence.json`, what `theorylab attack NAME --json` printed, the ledger of
`theorylab check --ledger`, the folder of a study (results/NAME), or a model: its name, a .npz file, or what
`theorylab plan MODEL --json` printed. Beside each figure lies its data as CSV.
Models are planned, which draws no random number.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from theorylab.errors import InputError, nearest
from theorylab.evidence import Evidence, from_json

__all__ = [
    "anchors_of",
    "choose",
    "choose_model",
    "choose_runs",
    "choose_study",
    "drawings_of",
    "execute",
    "read_source",
]


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

    file, text = _text_of(path)
    if _is_object(text):
        return [], read_search(text, f"'{file}'")
    try:
        return from_json(text), None
    except InputError as wrong:
        raise InputError(f"'{file}': {wrong}") from None


def _text_of(path: str | Path) -> tuple[Path, str]:
    place = Path(path)
    file = place / "evidence.json" if place.is_dir() else place
    try:
        return file, file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise InputError(
            f"cannot read '{file}': {reason}; give the folder of `theorylab check --report`, its evidence.json, the "
            "file of `theorylab attack --json`, a ledger, the folder of a study, or a model"
        ) from None


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


def choose_runs(path: Path, claim: str | None, kind: str | None) -> list[Any]:
    """The drawings of a ledger: the e-values of a claim, or of all that have some, over the runs.

    Raises InputError as `theorylab.ledger.read`, for another kind, and for a claim that is not there or has none.
    """
    from theorylab.figure_ledger import ledger_drawing
    from theorylab.ledger import read, run_by_run

    if kind not in (None, "e-path"):
        raise InputError(f"a ledger has e-values over runs, kind e-path, not '{kind}'; give a report for that kind")
    runs = run_by_run(read(path))
    if claim is not None and claim not in runs:
        raise InputError(f"no claim '{claim}' is in the ledger '{path}'{nearest(claim, runs)}")
    chosen = [name for name in runs if claim in (None, name)]
    made = [name for name in chosen if any(math.isfinite(j.log_e_support) for j in runs[name])]
    if not made:
        raise InputError(
            f"'{path}': nothing to draw of {', '.join(chosen)}; invariants, lemmas and sweeps have no e-values, the "
            "replicates of their runs add up"
        )
    anchors = anchors_of(made)
    return [ledger_drawing(name, runs[name], anchors[name]) for name in made]


def choose_study(folder: Path, model: str | None, kind: str | None) -> list[Any]:
    """The drawings of a study's folder, of one model by its label or of all.

    Raises InputError as `theorylab.result.Result.read`, for another kind, and for a model that is not in the study.
    """
    from theorylab.figure_study import STUDY_KINDS, study_drawings
    from theorylab.result import Result

    if kind not in (None, *STUDY_KINDS):
        raise InputError(f"a study has {', '.join(STUDY_KINDS)}, not '{kind}'; give a report for that kind")
    result = Result.read(folder)
    labels = list(dict.fromkeys(cell.model for cell in result.cells))
    if model not in (None, *labels):
        raise InputError(f"no model of the study is labelled '{model}'{nearest(str(model), labels)}")
    made = [d for d in study_drawings(result, model) if kind in (None, d.kind)]
    if not made:
        raise InputError(
            f"'{folder}' holds no coverage: no learner of the study collects a sample, or an earlier version ran it"
        )
    return made


def choose_model(source: str, claim: str | None, kind: str | None, policy: str | None) -> list[Any]:
    """The drawings of a model and of its optimal plan or a policy.

    Raises InputError as `theorylab.figure_models.subject_of` and `policy_of`, for another kind, and for a claim.
    """
    from theorylab.figure_models import MODEL_KINDS, model_drawings, subject_of

    if kind not in (None, *MODEL_KINDS):
        raise InputError(f"a model has {', '.join(MODEL_KINDS)}, not '{kind}'; give a report for that kind")
    if claim is not None:
        raise InputError(f"'{source}' is a model and has no claim '{claim}'; leave the claim out")
    made = [d for d in model_drawings(subject_of(source), policy) if kind in (None, d.kind)]
    if not made:
        raise InputError(f"'{source}' is a bandit: it has no states to occupy; it has --kind picture")
    return made


def _is_model(source: Path) -> bool:
    """A .npz file, what `theorylab plan MODEL --json` printed, or no file but a name without a folder."""
    if not source.exists():
        return source.suffix == ".npz" or (source.name == str(source) and not source.suffix)
    if source.is_dir():
        return False
    if source.suffix == ".npz":
        return True
    try:
        found = json.loads(source.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(found, dict) and {"model", "solution"} <= found.keys()


def drawings_of(source: Path, claim: str | None, kind: str | None, policy: str | None) -> list[Any]:
    """The drawings of a source of any sort."""
    from theorylab.ledger import is_ledger

    if _is_model(source):
        return choose_model(str(source), claim, kind, policy)
    if policy is not None:
        raise InputError(f"--policy belongs to a model, and '{source}' is none; leave it out")
    if (source / "study.json").exists():
        return choose_study(source, claim, kind)
    if source.is_file() and is_ledger(_text_of(source)[1]):
        return choose_runs(source, claim, kind)
    return choose(*read_source(source), claim, kind)


def execute(
    source: Path,
    claim: str | None,
    *,
    kind: str | None,
    size: str,
    format: str,
    out: Path,
    policy: str | None = None,
) -> list[Path]:
    """Draw, write figures and CSV files into `out`, and return their paths.

    `claim`: of a study, the label of a model. `policy`: of a model (`theorylab.figure_models.policy_of`). Raises
    InputError as `read_source` and the functions `choose...`, for an unknown size or format, for a policy without a
    model, and for a folder that cannot be written.
    """
    from theorylab.figure_kinds import KINDS
    from theorylab.figure_models import MODEL_KINDS
    from theorylab.figure_study import STUDY_KINDS
    from theorylab.figure_style import FORMATS, SIZES, save, write_table

    if size not in SIZES:
        raise InputError(f"unknown figure size '{size}'{nearest(size, SIZES)}; use one of {', '.join(SIZES)}")
    if format not in FORMATS:
        raise InputError(f"unknown figure format '{format}'; use one of {', '.join(FORMATS)}")
    known = [*KINDS, *STUDY_KINDS, *MODEL_KINDS]
    if kind not in (None, *known):
        raise InputError(f"unknown kind of figure '{kind}'{nearest(str(kind), known)}; use one of {', '.join(known)}")
    chosen = drawings_of(source, claim, kind, policy)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot make the folder '{out}': {error.strerror}; name another") from None
    files = []
    for one in chosen:
        files.append(save(one.draw(size), out / f"{one.name}.{format}"))
        files.append(write_table(one.table(), out / f"{one.name}.csv"))
    return files
