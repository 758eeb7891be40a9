"""Docstrings as they are written here, turned into reStructuredText without loss.

The house style is plain text: paragraphs, indented blocks for formulas and tables, `name` in single back quotes,
and sections such as `Attributes:` with one `name: text` an entry. Read as reStructuredText, such text loses its
formulas (`|x|`, `pi_*`) and warns. Hence this translation:

    paragraph            the same text, special characters escaped, `name` as code
    indented block       a literal block, line by line
    - item               a list
    Attributes: and so   a heading line and a list of entries
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

SECTIONS = ("Args", "Arguments", "Attributes", "Fields", "Parameters", "Raises", "Returns", "Yields")
CODE = re.compile(r"(``?)(.+?)\1", re.DOTALL)
ENTRY = re.compile(r"^(\*{0,2}[\w.`]+(?:, \*{0,2}[\w.`]+)*): +(.*)$")


def escape(text: str) -> str:
    """Plain text as reStructuredText: special characters escaped, `code` as literals."""
    out, end = [], 0
    for found in CODE.finditer(text):
        code = found.group(2).strip()
        before, after = text[end : found.start()], text[found.end() : found.end() + 1]
        # an inline literal must stand free of letters; an escaped blank joins it to them
        joint = "\\ " if before[-1:].strip() or (end and not before) else ""
        out.append(_escape(before) + joint + f"``{code}``" + ("\\ " if after.isalnum() else ""))
        end = found.end()
    return "".join(out) + _escape(text[end:])


def _escape(text: str) -> str:
    return re.sub(r"([\\*_|`])", r"\\\1", text)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _entries(block: list[str]) -> list[str]:
    """A list of the entries of a section; lines of more indentation continue the entry above."""
    level = min(_indent(line) for line in block if line.strip())
    items: list[str] = []
    for line in block:
        if not line.strip():
            continue
        if _indent(line) > level and items:
            items[-1] += " " + line.strip()
        else:
            items.append(line.strip())
    out = []
    for item in items:
        named = ENTRY.match(item)
        out.append(f"* ``{named[1].strip('`')}``: {escape(named[2])}" if named else f"* {escape(item)}")
    return out


def to_rst(lines: list[str]) -> list[str]:
    """A docstring's lines (dedented) as reStructuredText lines."""
    out: list[str] = []
    i = 0
    while i < len(lines):
        line = lines[i]
        if not line.strip():
            i += 1
            continue
        if _indent(line) or line.startswith(">>>"):
            j = i
            while j < len(lines) and (not lines[j].strip() or _indent(lines[j]) or lines[i].startswith(">>>")):
                if lines[i].startswith(">>>") and not lines[j].strip():
                    break
                j += 1
            out += ["::", "", *("    " + text for text in "\n".join(lines[i:j]).rstrip().split("\n")), ""]
            i = j
            continue
        name = line.strip().removesuffix(":")
        if line.strip().endswith(":") and name in SECTIONS:
            j = i + 1
            while j < len(lines) and (not lines[j].strip() or _indent(lines[j])):
                j += 1
            out += [f"**{name}**", ""]
            out += [*_entries(lines[i + 1 : j]), ""] if any(text.strip() for text in lines[i + 1 : j]) else []
            i = j
            continue
        bullet = re.match(r"([-*]|\d+\.) ", line)
        j = i + 1
        while j < len(lines) and lines[j].strip() and not re.match(r"([-*]|\d+\.) ", lines[j]):
            if not bullet and _indent(lines[j]):
                break
            j += 1
        text = " ".join(part.strip() for part in lines[i:j])
        if bullet:
            out += [f"{bullet[0]}{escape(text[len(bullet[0]) :])}", ""]
        else:
            out += [escape(text), ""]
        i = j
    return out


def _process(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    lines[:] = to_rst(lines)


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    app.connect("autodoc-process-docstring", _process)
    return {"version": "1", "parallel_read_safe": True}
