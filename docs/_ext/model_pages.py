"""A page for each family of models, written from the registry when the build begins.

    docs/catalogue/models/NAME.md, NAME.svg    definition, parameters, source, published instances, picture, measures

The folder is made by the build and ignores itself in version control. A file is written only where its text changes,
so that a second build reads nothing again. `page`, `solution` and `picture` need no Sphinx.
"""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalogue import escape
from plain_docstrings import to_rst

if TYPE_CHECKING:
    from sphinx.application import Sphinx

FOLDER = "catalogue/models"
TAGS = {
    "source": "read in the source",
    "recalled": "written from knowledge of the source",
    "derived": "derived here",
}
LARGEST = 2_000  # states of a model that is drawn


def source(cite: str, tag: str) -> str:
    """The reference of a key with its tag, as Markdown."""
    from theorylab.cite import entries

    reference = escape(entries()[cite].reference()) + f" (`{cite}`)" if cite else "No paper of its own"
    return f"{reference}; {TAGS[tag]} [{tag}]"


def instances(family: Any) -> str:
    """The table of published instances, and below it the parameters and text of each, as Markdown."""
    known = list(dict.fromkeys(k for p in family.published for k in p.known))
    head = ["name", "content hash", *(k.replace("_", " ") for k in known)]
    rows = [head, ["---"] * len(head)]
    texts: dict[str, list[str]] = {}
    for p in family.published:
        params = ", ".join(f"{k}={getattr(v, 'name', '') or v}" for k, v in p.params.items())
        rows.append([f"`{p.name}`", f"`{p.digest}`", *(p.known.get(k, "") for k in known)])
        cite, tag = p.cite or family.cite, p.tag or family.source_tag
        origin = "" if (cite, tag) == (family.cite, family.source_tag) else f" Source: {cite} [{tag}]."
        named = f"`{p.name}`" + (f" ({escape(params)})" if params else "")
        texts.setdefault(escape(p.text + origin), []).append(named)
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(
        [*lines, "", *(f"- {', '.join(names)}{': ' if text else ''}{text}" for text, names in texts.items())]
    )


def sources(family: Any) -> str:
    """The references of a family and of its published instances, as Markdown."""
    first = {family.cite: family.source_tag}
    for p in family.published:
        first.setdefault(p.cite or family.cite, p.tag or family.source_tag)
    texts = [source(cite, tag) + "." for cite, tag in first.items()]
    return texts[0] if len(texts) == 1 else "\n".join(f"- {text}" for text in texts)


def drawn(family: Any) -> str | None:
    """Name of what the page shows: the family if it needs no parameter, else its first published instance."""
    if all(v is not inspect.Parameter.empty for v in family.params.values()):
        return str(family.name)
    return str(family.published[0].name) if family.published else None


def solution(family: Any) -> Any:
    """What is known of the model that the page shows; None where nothing is shown, the model is large or a game."""
    from theorylab.family import GAMES
    from theorylab.plan_command import find, solve

    name = drawn(family)
    if name is None or family.setting in GAMES:
        return None
    subject = find(name, {}, None)
    return solve(subject) if subject.model.setting == "bandit" or subject.model.S <= LARGEST else None


def page(family: Any, solved: Any = None) -> str:
    """The page of a family as Markdown; with what `solution` gives, a picture and the measures too."""
    from theorylab.plan_text import as_text

    module = importlib.import_module(family.build.__module__)
    doc = to_rst((inspect.getdoc(module) or "").split("\n"))
    lines = [f"# {family.name}", "", "```{eval-rst}", ".. highlight:: none", "", *doc, "```", "", "## Parameters", ""]
    lines += [f"- `{name}`{show(default)}" for name, default in family.params.items()] or ["None."]
    lines += ["", "## Source", "", sources(family), ""]
    if family.published:
        lines += ["## Published instances", "", instances(family), ""]
    if solved is not None:
        name = drawn(family)
        lines += ["## Solution", "", f"![{name} and its optimal plan]({family.name}.svg)", ""]
        printed = as_text(solved, policy=False).rstrip().split("\n")
        shown = [f"$ theorylab plan {name} --no-policy --figure {family.name}.svg", *printed]
        lines += [f"    {line}".rstrip() for line in shown] + [""]
    return "\n".join(lines)


def show(default: Any) -> str:
    """What follows a parameter's name: its default."""
    if default is inspect.Parameter.empty:
        return ""
    return ", optional" if default is None else f", default `{getattr(default, 'name', '') or default}`"


def picture(solved: Any) -> bytes:
    """The figure of what `solution` gives, as SVG."""
    from theorylab.figure import render
    from theorylab.picture import model_figure

    return render(model_figure(solved.subject.model, solved.plan, grid=solved.subject.grid), "svg")


def write(folder: Path) -> None:
    """Write all pages and pictures into the folder; files of families that are gone are removed."""
    from theorylab.registry import iter_specs

    folder.mkdir(parents=True, exist_ok=True)
    made: dict[str, bytes] = {".gitignore": b"*\n"}
    for family in iter_specs("models"):
        solved = solution(family)
        if solved is not None:
            made[f"{family.name}.svg"] = picture(solved)
        made[f"{family.name}.md"] = page(family, solved).encode()
    for file in folder.iterdir():
        if file.name not in made:
            file.unlink()
    for name, data in made.items():
        file = folder / name
        if not file.is_file() or file.read_bytes() != data:
            file.write_bytes(data)


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    app.connect("builder-inited", lambda app: write(Path(app.srcdir) / FOLDER))
    return {"version": "1", "parallel_read_safe": True}
