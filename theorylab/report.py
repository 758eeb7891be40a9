"""Reports: one self-contained HTML page, the evidence as JSON, figures, a LaTeX table and the bibliography.

`write_report(folder, evidence, provenance=...)` writes

    index.html        all claims, with figures inline; no scripts, nothing fetched; for screens, phones and print
    evidence.json     `theorylab.evidence.to_json`
    figures/          per instance with a curve: NAME.svg .pdf .png .csv
    verdicts.tex      a booktabs table, a row per claim and instance
    references.bib    the entries of the papers

The same evidence gives the same bytes. Call `check_folder` before the work whose evidence is to be written.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from theorylab.errors import InputError
from theorylab.evidence import Evidence, to_json
from theorylab.latex import latex_table
from theorylab.page import build_page, vacuity
from theorylab.table import clean, where

__all__ = ["check_folder", "write_report"]


def check_folder(folder: str | Path) -> Path:
    """Create the folder, and write and remove a file in it, so that a report cannot fail after the work is done.

    Raises InputError that names the folder where it cannot be created or written.
    """
    path = Path(folder)
    try:
        path.mkdir(parents=True, exist_ok=True)
        (path / "figures").mkdir(exist_ok=True)
        for place in (path, path / "figures"):
            with tempfile.NamedTemporaryFile(dir=place, prefix=".theorylab-"):
                pass
    except OSError as error:
        reason = "a file is in the way" if isinstance(error, (FileExistsError, NotADirectoryError)) else error.strerror
        raise InputError(
            f"the report cannot be written to '{path}': {reason}; name a folder that can be created and written"
        ) from None
    return path


def write_report(
    folder: str | Path,
    evidence: Sequence[Evidence],
    *,
    provenance: Mapping[str, Any] | None = None,
    processes: int = 1,
) -> Path:
    """Write the report and return the path of its `index.html`.

    Args: evidence, a claim each; provenance, what to say about the run (default: that of the first claim); processes
    that draw the figures, whose bytes do not depend on it.
    Papers without an entry in a `references.bib` are named on the page. Raises InputError as `check_folder`.
    """
    path = check_folder(folder)
    anchors = _anchors([e.id for e in evidence])
    jobs = [(e, anchors[e.id], path / "figures") for e in evidence]
    curves = [job for job in jobs if any(i.curve for i in job[0].instances)]
    if processes > 1 and len(curves) > 1:
        from theorylab.engines import processes_of

        figures = {e.id: [] for e in evidence} | {
            curves[at][0].id: drawn for at, drawn in processes_of(_figures, curves, processes)
        }
    else:
        figures = {job[0].id: _figures(*job) for job in jobs}
    known = _references([e.paper for e in evidence])
    chosen = provenance if provenance is not None else (evidence[0].provenance if evidence else {})
    page = build_page(evidence, anchors, figures, known, chosen)
    files = {
        "index.html": page,
        "evidence.json": to_json(list(evidence)) + "\n",
        "verdicts.tex": latex_table(evidence, cited=set(known)),
        "references.bib": _bibliography([e.paper for e in evidence], known),
    }
    for name, text in files.items():
        try:
            (path / name).write_text(text, encoding="utf-8", newline="\n")
        except OSError as error:
            reason = f"{error.strerror}; make room or name another folder"
            raise InputError(f"cannot write '{path / name}': {reason}") from None
    return path / "index.html"


def _anchors(ids: Sequence[str]) -> dict[str, str]:
    """Id -> a name fit for files and links, unique."""
    out: dict[str, str] = {}
    for id in ids:
        base = re.sub(r"[^A-Za-z0-9]+", "-", id).strip("-").lower()[:60] or "claim"
        name, k = base, 2
        while name in out.values():
            name, k = f"{base}-{k}", k + 1
        out.setdefault(id, name)
    return out


def _figures(e: Evidence, anchor: str, folder: Path) -> list[dict[str, Any]]:
    """Write the figures of a claim; their inline SVG, captions and file names."""
    from markupsafe import Markup

    from theorylab.figure import regret_figure, render, save, write_csv

    out = []
    for k, i in enumerate(e.instances):
        if not i.curve:
            continue
        name = f"{anchor}-{k + 1}"
        figure = regret_figure(i, claim_id=e.id)
        files = [save(figure, folder / f"{name}{end}").name for end in (".pdf", ".svg", ".png")]
        files.append(write_csv(i, folder / f"{name}.csv").name)
        run = i.replicates or i.n
        caption = f"{e.id} on {where(i)}: mean cumulative regret, pointwise 5\N{EN DASH}95 % of {run} replicates."
        # on the page the narrow size, whose letters stay readable on a phone
        narrow = render(regret_figure(i, claim_id=e.id, size="icml"), "svg").decode("utf-8")
        svg = inline_svg(narrow, name, f"{clean(caption)} {vacuity(i)}".strip())
        out.append({"svg": Markup(svg), "caption": clean(caption), "files": files})
    return out


def inline_svg(text: str, name: str, title: str) -> str:
    """An SVG file as an element of a page: no prolog, metadata or namespaces, identifiers of its own, and a title."""
    from html import escape

    text = re.sub(r"<\?xml.*?\?>|<!DOCTYPE.*?>|<!--.*?-->|<metadata>.*?</metadata>", "", text, flags=re.S)
    text = re.sub(r'\sxmlns(:\w+)?="[^"]*"', "", text).replace("xlink:href", "href")
    text = re.sub(r'\bid="([^"]*)"', rf'id="{name}-\1"', text)
    text = re.sub(r'href="#([^"]*)"', rf'href="#{name}-\1"', text)
    text = re.sub(r"url\(#([^)]*)\)", rf"url(#{name}-\1)", text)
    return text.strip().replace("<svg ", f'<svg role="img" aria-label="{escape(title)}" ', 1)


def _references(papers: Sequence[str]) -> dict[str, str]:
    """Paper -> its reference in words, for those that a references.bib holds."""
    from theorylab.cite import entries

    known = entries()
    return {p: known[p].reference() for p in papers if p in known}


def _bibliography(papers: Sequence[str], known: Mapping[str, str]) -> str:
    from theorylab.cite import bibtex

    missing = sorted({clean(p) for p in papers if p not in known})
    return "".join(f"% no references.bib has an entry '{p}'\n" for p in missing) + bibtex(known)
