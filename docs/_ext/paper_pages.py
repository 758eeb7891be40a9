"""The catalogue's page of papers: one section for each source that a claim, a learner or a model names.

A section has the full reference, the claims with kind and tag (a theorem before its steps), the learners and families
that are defined there, and the findings that name the paper. All is read from the registered specs, from
`references.bib` and from the findings page; nothing needs Sphinx.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

FINDINGS = Path(__file__).resolve().parents[1] / "theory" / "findings.md"


def slug(heading: str) -> str:
    """The anchor of a heading, as MyST makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def findings(text: str) -> dict[str, list[str]]:
    """Key of a paper -> headings of the sections of the findings page that name it, in order."""
    out: dict[str, list[str]] = {}
    for section in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        heading = section.partition("\n")[0].strip()
        for key in dict.fromkeys(re.findall(r"\b[a-z]+\d{4}[a-z]*\b", section)):
            out.setdefault(key, []).append(heading)
    return out


def ordered(claims: Iterable[Any]) -> list[Any]:
    """Claims with each theorem before its steps; a step of two theorems stands below the first."""
    left = {c.id: c for c in claims}
    named = {s for c in left.values() for s in c.steps}
    out: list[Any] = []

    def put(id: str) -> None:
        c = left.pop(id, None)
        if c is not None:
            out.append(c)
            for step in c.steps:
                put(step)

    for id in [*(i for i in left if i not in named), *left]:
        put(id)
    return out


def counted(words: Iterable[str]) -> str:
    """`3 recalled, 1 source`: the most frequent first."""
    return ", ".join(f"{n} {word}" for word, n in Counter(words).most_common())


def section(
    reference: str, claims: list[Any], learners: list[Any], families: list[Any], found: Iterable[str] = ()
) -> str:
    """One paper as Markdown, without its heading; parts that it lacks are left out."""
    lines = [reference, ""]
    if learners:
        lines.append("- Learners: " + ", ".join(f"`{x.name}` ({x.setting}, {x.source_tag})" for x in learners))
    if families:
        lines.append("- Models: " + ", ".join(f"[{f.name}](models/{f.name}.md)" for f in families))
    found = list(found)
    if found:
        lines.append("- Findings: " + "; ".join(f"[{h}](../theory/findings.md#{slug(h)})" for h in found))
    if claims:
        steps = {s for c in claims for s in c.steps}
        kinds, tags = (type(c.kind).__name__ for c in claims), (c.source_tag for c in claims)
        lines += [f"- Claims: {len(claims)} ({counted(kinds)}; {counted(tags)})", ""]
        lines += ["| claim | | kind | tag | learner |", "|---|---|---|---|---|"]
        for c in ordered(claims):
            part = "theorem" if c.steps else "step" if c.id in steps else "lemma" if c.scope == "models" else ""
            lines.append(f"| `{c.id}` | {part} | {type(c.kind).__name__} | {c.source_tag} | {c.learner or ''} |")
    return "\n".join([*lines, ""])


def papers(escape: Any) -> str:
    """All sections, by key, as Markdown. `escape` turns plain text into Markdown.

    Raises `KeyError` for a key that no `references.bib` has.
    """
    from theorylab.cite import entries
    from theorylab.registry import iter_specs

    claims, learners, families = (list(iter_specs(kind)) for kind in ("papers", "learners", "models"))
    references, found = entries(), findings(FINDINGS.read_text(encoding="utf-8"))
    cited = {f.name: {f.cite, *(p.cite for p in f.published)} for f in families}
    keys = {c.paper for c in claims} | {x.cite for x in learners} | set().union(*cited.values())
    parts = []
    for key in sorted(keys - {""}):
        text = section(
            escape(references[key].reference()),
            [c for c in claims if c.paper == key],
            [x for x in learners if x.cite == key],
            [f for f in families if key in cited[f.name]],
            found.get(key, ()),
        )
        parts.append(f"## {key}\n\n{text}")
    return "\n".join(parts)
