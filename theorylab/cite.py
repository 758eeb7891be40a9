"""The bibliography: BibTeX entries of everything that claims, learners and models cite.

Each content package may hold a `references.bib` at its top (the built-in one is that of the package with the
papers). The parser is strict and small; it reads the files that this project writes:

    % a comment, on lines of its own between entries
    @article{key,
      author = {Family, Given and Family, Given},
      title = {A Title with {Protected} Words},
      year = {2002},
    }

Values stand in balanced braces and may run over several lines. Macros, `#`, quotes and `@string` are refused: an
entry that is read wrongly is worse than one that is refused.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from theorylab.errors import InputError, nearest
from theorylab.evidence import Evidence

__all__ = ["OWN", "Entry", "bibtex", "entries", "parse", "sources"]

#: key of TheoryLab's own entry
OWN = "theorylab"

#: type of entry -> fields that it must have
REQUIRED = {
    "article": ("author", "title", "journal", "year"),
    "inproceedings": ("author", "title", "booktitle", "year"),
    "book": ("author", "title", "publisher", "year"),
    "phdthesis": ("author", "title", "school", "year"),
    "techreport": ("author", "title", "institution", "year"),
    "misc": ("author", "title", "year"),
}
VENUES = ("journal", "booktitle", "publisher", "school", "institution", "howpublished")
ACCENTS = {
    "`": "\N{COMBINING GRAVE ACCENT}",
    "'": "\N{COMBINING ACUTE ACCENT}",
    "^": "\N{COMBINING CIRCUMFLEX ACCENT}",
    '"': "\N{COMBINING DIAERESIS}",
    "~": "\N{COMBINING TILDE}",
}


@dataclass(frozen=True)
class Entry:
    """One source. `kind`: article, book, ...; `fields`: name -> value as written, without the outer braces."""

    kind: str
    key: str
    fields: dict[str, str]

    def bibtex(self) -> str:
        """The entry as BibTeX, fields in their order, one a line."""
        lines = [f"  {name} = {{{value}}}," for name, value in self.fields.items()]
        return "\n".join([f"@{self.kind}{{{self.key},", *lines, "}"]) + "\n"

    def authors(self) -> list[str]:
        """Family names, in order; "others" stands for those left out."""
        return [plain(a.split(",")[0]) for a in re.split(r"\s+and\s+", self.fields["author"])]

    def reference(self) -> str:
        """One line for people: authors (year). Title. Where."""
        names = self.authors()
        if names[-1] == "others":
            who = ", ".join(names[:-1]) + " et al."
        else:
            who = names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]
        title = plain(self.fields["title"])
        where = next((plain(self.fields[v]) for v in VENUES if v in self.fields), "")
        if where and "volume" in self.fields and "series" not in self.fields:
            where += f" {plain(self.fields['volume'])}"
        text = f"{who} ({self.fields['year']}). {title}{'' if title.endswith(('?', '!')) else '.'}"
        return f"{text} {where}." if where else text


def plain(value: str) -> str:
    """A BibTeX value as plain text: braces dropped, accents composed, dashes set, spaces joined."""
    import unicodedata

    value = re.sub(r"\{?\\([`'^\"~])\{?([A-Za-z])\}?\}?", lambda m: m[2] + ACCENTS[m[1]], value)
    value = unicodedata.normalize("NFC", value.replace("--", "\N{EN DASH}"))
    return " ".join(re.sub(r"[{}]", "", value).split())


def parse(text: str, where: str = "references.bib") -> dict[str, Entry]:
    """Entries of one file by key.

    `where` names the file in messages. Raises `InputError` with the line for anything outside the form of the
    module's docstring: an unknown type or a missing field, a key given twice, unbalanced braces, stray text.
    """
    out: dict[str, Entry] = {}
    at = 0

    def fail(what: str, position: int) -> InputError:
        return InputError(f"{where}:{text.count(chr(10), 0, position) + 1}: {what}")

    def match(pattern: str, what: str) -> re.Match[str]:
        nonlocal at
        found = re.compile(pattern).match(text, at)
        if found is None:
            raise fail(f"expected {what}, found {text[at : at + 20]!r}", at)
        at = found.end()
        return found

    while True:
        match(r"(\s|%[^\n]*(\n|\Z))*", "space")
        if at == len(text):
            return out
        start = at
        head = match(r"@([a-z]+)\{([A-Za-z0-9:_+-]+)\s*,", "an entry such as @article{key,")
        kind, key = head[1], head[2]
        if kind not in REQUIRED:
            raise fail(f"entry '{key}' has the type '{kind}'; use one of {', '.join(REQUIRED)}", start)
        if key in out:
            raise fail(f"the key '{key}' is given twice; remove one entry", start)
        fields: dict[str, str] = {}
        while True:
            match(r"\s*", "space")
            if text.startswith("}", at):
                at += 1
                break
            begin = at
            name = match(r"([a-z]+)\s*=\s*(?=\{)", "a field such as year = {2002}, or }")[1]
            value, at = _braced(text, at, lambda p: fail("this brace is never closed", p))
            if re.search(r"\n\s*[a-z]+\s*=\s*\{", value):  # it has swallowed the next field
                raise fail(f"the braces of the field '{name}' do not balance", begin)
            if name in fields:
                raise fail(f"entry '{key}' gives the field '{name}' twice; remove one", begin)
            fields[name] = " ".join(value.split())
            match(r"\s*(,|(?=\}))", f"a comma after the field '{name}'")
        missing = [f for f in REQUIRED[kind] if not fields.get(f)]
        if missing:
            raise fail(f"entry '{key}' ({kind}) lacks {', '.join(missing)}; add it", start)
        if not re.fullmatch(r"[12][0-9]{3}", fields["year"]):
            raise fail(f"entry '{key}' has the year '{fields['year']}'; give four digits", start)
        out[key] = Entry(kind, key, fields)


def _braced(text: str, at: int, fail: Callable[[int], InputError]) -> tuple[str, int]:
    """The value in the braces that open at `at`, and the position behind them."""
    depth = 0
    for i in range(at, len(text)):
        depth += (text[i] == "{") - (text[i] == "}")
        if depth == 0:
            return text[at + 1 : i], i + 1
    raise fail(at)


def _files() -> tuple[Path, ...]:
    """The `references.bib` of the content packages that there are now."""
    from theorylab.registry import content_packages

    specs = [importlib.util.find_spec(package) for package in content_packages()]
    roots = [Path(root) for spec in specs if spec for root in spec.submodule_search_locations or ()]
    return tuple(root / "references.bib" for root in roots if (root / "references.bib").is_file())


@cache
def _read(files: tuple[Path, ...]) -> dict[str, Entry]:
    out: dict[str, Entry] = {}
    for file in files:
        for key, entry in parse(file.read_text(encoding="utf-8"), str(file)).items():
            if out.setdefault(key, entry) != entry:
                raise InputError(f"{file}: the key '{key}' stands for another source elsewhere; rename one of them")
    return out


def entries() -> dict[str, Entry]:
    """TheoryLab's own entry and all of the content packages' `references.bib`, by key.

    Raises `InputError` where a file is malformed.
    """
    return {OWN: _own(), **_read(_files())}


def _own() -> Entry:
    from theorylab import __version__

    fields = {
        "author": "{The TheoryLab authors}",
        "title": "{TheoryLab}: Numerical Verification of Reinforcement Learning and Bandit Theory",
        "howpublished": f"Software, version {__version__}",
        "year": "2026",
    }
    return Entry("misc", OWN, fields)


def sources(evidence: Iterable[Evidence]) -> dict[str, str]:
    """Learner or model of the evidence -> the key of what defines it, for those whose specs name one.

    A model is known by the family in its replay command, and by the published variant that its name begins with.
    """
    out: dict[str, str] = {}
    for i in (i for e in evidence for i in e.instances):
        found = {i.learner: _learner_key(i.learner, i.unit), i.model: _model_key(i.model, i.replay)}
        out.update({name: key for name, key in found.items() if name and key})
    return out


def _learner_key(name: str, unit: str) -> str:
    from theorylab.learner import UNITS
    from theorylab.registry import find_learner

    setting = {u: s for s, u in UNITS.items()}.get(unit)
    try:
        return str(find_learner(name, setting).cite) if name and setting else ""
    except InputError:  # a learner that was given as an object
        return ""


def _model_key(name: str, replay: str) -> str:
    from theorylab.registry import find_model

    family = re.search(r" --model (\S+)", replay)
    if family is None:
        return ""
    try:
        spec = find_model(family[1])
    except InputError:  # of a single file
        return ""
    variants = [p for p in spec.published if p.cite and f"{name}-".startswith(f"{p.name}-")]
    return str(max(variants, key=lambda p: len(p.name)).cite if variants else spec.cite)


def bibtex(keys: Iterable[str]) -> str:
    """The entries of the given keys as one BibTeX text, sorted by key, each once.

    Raises `InputError` for a key that no `references.bib` holds.
    """
    known = entries()
    wanted = sorted(set(keys))
    for key in wanted:
        if key not in known:
            near = nearest(key, known)
            raise InputError(f"no references.bib has an entry '{key}'{near}; add the entry or mend the key")
    return "\n".join(known[k].bibtex() for k in wanted)
