"""Reports: one self-contained HTML page, the evidence as JSON, figures, a LaTeX table and the bibliography.

`write_report(folder, evidence, provenance=...)` writes

    index.html        all claims, with figures inline; no scripts, nothing fetched; for screens, phones and print
    evidence.json     `theorylab.evidence.to_json`
    figures/          every figure that applies (`theorylab.figure_kinds`): NAME.svg .csv, of regret also .pdf .png
    verdicts.tex      a table for a paper, a row per claim
    instances.tex     the same with a row per instance
    references.bib    the entries that the two tables cite

The same evidence gives the same bytes. Call `check_folder` before the work whose evidence is to be written.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from theorylab.cite import OWN, bibtex, entries, sources
from theorylab.errors import InputError
from theorylab.evidence import Evidence, to_json
from theorylab.figure_command import anchors_of
from theorylab.latex import instance_table, latex_table
from theorylab.page import build_page, vacuity
from theorylab.table import clean

if TYPE_CHECKING:
    from theorylab.figure_kinds import Drawing

__all__ = ["check_folder", "write_report"]

#: a glyph in the SVG files of matplotlib, which has outlines at one scale
GLYPH = re.compile(r'<path id="([^"]+)" d="([^"]*)" transform="scale\(0\.015625\)"/>\s*')


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
    anchors = anchors_of([e.id for e in evidence])
    figures, matrices = _all_figures(evidence, anchors, path / "figures", processes)
    known = _references([e.paper for e in evidence])
    defined = sources(evidence)
    wanted = {OWN, *(e.paper for e in evidence), *defined.values()}
    cited = wanted & set(entries())
    chosen = provenance if provenance is not None else (evidence[0].provenance if evidence else {})
    page = build_page(evidence, anchors, figures, matrices, known, chosen)
    files = {
        "index.html": page,
        "evidence.json": to_json(list(evidence)) + "\n",
        "verdicts.tex": latex_table(evidence, cited=cited),
        "instances.tex": instance_table(evidence, cited=cited, sources=defined),
        "references.bib": _bibliography(wanted, cited),
    }
    for name, text in files.items():
        try:
            (path / name).write_text(text, encoding="utf-8", newline="\n")
        except OSError as error:
            reason = f"{error.strerror}; make room or name another folder"
            raise InputError(f"cannot write '{path / name}': {reason}") from None
    return path / "index.html"


def _all_figures(
    evidence: Sequence[Evidence], anchors: Mapping[str, str], folder: Path, processes: int
) -> tuple[dict[str, list[dict[str, Any]]], dict[tuple[str, str], list[dict[str, Any]]]]:
    """The figures of each claim, and of each (paper, learner) its kill matrix."""
    if not any(e.kills or e.growth or any(i.curve or i.e_path or i.difference for i in e.instances) for e in evidence):
        return {}, {}
    from theorylab.kills import kill_groups

    groups = kill_groups(evidence)
    names = anchors_of(["-".join(key) for key in groups])
    claims = [(e, anchors[e.id], folder) for e in evidence]
    papers = [(key, members, names["-".join(key)], folder) for key, members in groups.items()]
    jobs: list[tuple[Any, ...]] = [(_claim_figures, job) for job in claims] + [(_paper_figures, job) for job in papers]
    if processes > 1 and len(jobs) > 1:
        from theorylab.engines import processes_of

        drawn = dict(processes_of(_call, jobs, processes))
    else:
        drawn = {at: _call(*job) for at, job in enumerate(jobs)}
    first = len(claims)
    return (
        {e.id: drawn[at] for at, e in enumerate(evidence)},
        {key: drawn[first + at] for at, key in enumerate(groups)},
    )


def _call(make: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    return make(*arguments)


def _claim_figures(e: Evidence, anchor: str, folder: Path) -> list[dict[str, Any]]:
    """Write the figures of a claim; their inline SVG with its glyphs, captions and file names."""
    from theorylab.figure_kinds import drawings

    return [_written(d, folder, _sentence(e, d)) for d in drawings(e, anchor)]


def _paper_figures(key: tuple[str, str], claims: Sequence[Evidence], anchor: str, folder: Path) -> list[dict[str, Any]]:
    """Write the kill matrix of a learner's claims, as `_claim_figures`."""
    from theorylab.figure_kinds import kill_drawings

    return [_written(d, folder, "") for d in kill_drawings(claims, {key: anchor})]


def _sentence(e: Evidence, d: Drawing) -> str:
    return vacuity(d.instance) if d.kind == "regret" and d.instance is not None else ""


def _written(d: Drawing, folder: Path, more: str) -> dict[str, Any]:
    """Regret figures also at paper size; the others lie there as they are on the page, narrow, to be drawn at will."""
    from markupsafe import Markup

    from theorylab.figure_style import render, save, write, write_table

    # on the page the narrow size, whose letters stay readable on a phone
    narrow = render(d.draw("icml"), "svg")
    if d.kind == "regret":
        paper = d.draw("neurips")
        files = [save(paper, folder / f"{d.name}{end}").name for end in (".pdf", ".svg", ".png")]
    else:
        write(folder / f"{d.name}.svg", narrow)
        files = [f"{d.name}.svg"]
    files.append(write_table(d.table(), folder / f"{d.name}.csv").name)
    svg, glyphs = inline_svg(narrow.decode("utf-8"), d.name, f"{d.caption} {more}".strip())
    return {"svg": Markup(svg), "glyphs": glyphs, "caption": d.caption, "files": files, "kind": d.kind}


def inline_svg(text: str, name: str, title: str) -> tuple[str, dict[str, str]]:
    """An SVG file as an element of a page: no prolog, metadata or namespaces, identifiers of its own, and a title.

    Returns the element, and its glyphs apart, identifier -> `<path>`: a page defines each once. Points are rounded to a
    hundredth, and only identifiers that something refers to are kept.
    """
    from html import escape

    text = re.sub(r"<\?xml.*?\?>|<!DOCTYPE.*?>|<!--.*?-->|<metadata>.*?</metadata>", "", text, flags=re.S)
    text = re.sub(r'\sxmlns(:\w+)?="[^"]*"', "", text).replace("xlink:href", "href")
    glyphs: dict[str, str] = {}
    named: dict[str, str] = {}
    for found in GLYPH.finditer(text):
        shape = " ".join(found[2].split())
        named[found[1]] = "g" + hashlib.sha256(shape.encode()).hexdigest()[:12]
        glyphs[named[found[1]]] = f'<path id="{named[found[1]]}" d="{shape}" transform="scale(0.015625)"/>'
    text = GLYPH.sub("", text)
    text = re.sub(r'\b(d|x|y)="([^"]*)"', lambda a: f'{a[1]}="{_hundredths(a[2])}"', text)
    text = re.sub(r"translate\([^)]*\)", lambda t: _hundredths(t[0]), text)
    used = set(re.findall(r'(?:href="|url\()#([^")]*)', text)) - set(named)
    text = re.sub(r'\sid="([^"]*)"', lambda i: f' id="{name}-{i[1]}"' if i[1] in used else "", text)
    text = re.sub(r'href="#([^"]*)"', lambda to: f'href="#{named.get(to[1]) or f"{name}-{to[1]}"}"', text)
    text = re.sub(r"url\(#([^)]*)\)", rf"url(#{name}-\1)", text)
    text = re.sub(r">\s+<", "><", re.sub(r"<defs>\s*</defs>", "", text))
    return text.strip().replace("<svg ", f'<svg role="img" aria-label="{escape(title)}" ', 1), glyphs


def _hundredths(numbers: str) -> str:
    return " ".join(re.sub(r"-?\d+\.\d{3,}", lambda v: f"{float(v[0]):.2f}", numbers).split())


def _references(papers: Sequence[str]) -> dict[str, str]:
    """Paper -> its reference in words, for those that a references.bib holds."""
    known = entries()
    return {p: known[p].reference() for p in papers if p in known}


def _bibliography(wanted: Collection[str], cited: Collection[str]) -> str:
    missing = sorted({clean(key) for key in wanted if key not in cited})
    return "".join(f"% no references.bib has an entry '{key}'\n" for key in missing) + bibtex(cited)
