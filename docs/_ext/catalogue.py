"""Directives that write pages from the package itself, so that no table is kept by hand.

    {catalogue} learners | papers     one entry a registered spec (`theorylab.registry.iter_specs`)
    {catalogue} models                a link to the page of each family (`model_pages`)
    {catalogue} sources               one section a paper: reference, claims, learners, models, findings (`paper_pages`)
    {modules} theorylab.stats ...              reference of a module and of all its public submodules

Texts are taken from the specs' own attributes; a spec that lacks one leaves the line out. The functions
`catalogue` and `modules` return Markdown and need no Sphinx.
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

KINDS = ("models", "learners", "papers", "sources")
#: settings of models, in the order of the overview
SETTINGS = {
    "mdp": "Markov decision processes",
    "bandit": "Bandits",
    "contextual-bandit": "Contextual bandits",
    "linear-bandit": "Linear bandits",
    "game": "Games in extensive form",
    "matrix-game": "Matrix games",
}
#: kind -> (attribute, label) of the lines of an entry, in order
LINES = {
    "learners": (("setting", "Setting"), ("params", "Parameters"), ("state", "State")),
    "papers": (
        ("kind", "Kind"),
        ("learner", "Learner"),
        ("quantity", "Quantity"),
        ("constants", "Constants"),
        ("scope", "Scope"),
    ),
}


def escape(text: str) -> str:
    """Text of a spec as Markdown: characters that would start markup are escaped, code in back quotes is kept."""
    parts = re.split(r"(`+[^`]+`+)", " ".join(text.split()))
    return "".join(p if p.startswith("`") else re.sub(r"([\\*_$<>\[\]{}|#])", r"\\\1", p) for p in parts)


def show(value: Any) -> str:
    """A short form of an attribute: a name where it has one, `key=value` for mappings."""
    if value is None or value == "" or value == () or value == [] or value == {}:
        return ""
    if dataclasses.is_dataclass(value) and not isinstance(value, type) and type(value).__module__ == "theorylab.claim":
        return _kind(value)
    if isinstance(value, dict):
        return ", ".join(f"`{k}`" if v is inspect.Parameter.empty else f"`{k}={_short(v)}`" for k, v in value.items())
    if isinstance(value, (list, tuple)) and not hasattr(value, "_fields"):
        return ", ".join(filter(None, map(show, value)))
    return f"`{_short(value)}`"


def _kind(value: Any) -> str:
    """A kind of claim: its name, with what is given as numbers or text; functions depend on the instance."""
    given = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
    inner = ", ".join(f"{k} by instance" if callable(v) else f"{k}={v}" for k, v in given.items())
    return f"`{type(value).__name__}{f'({inner})' if inner else ''}`"


def _instances(spec: Any) -> Iterable[tuple[str, str]]:
    """Lines for the instances of a claim, a line a profile."""
    for profile, instances in (getattr(spec, "instances", None) or {}).items():
        texts = []
        for i in instances:
            params = ", ".join(f"{k}={_short(v)}" for k, v in {**i.model, **i.learner}.items())
            texts.append(f"`{i.family}({params})` to {i.length:,}")
        yield f"Instances, {profile}", "; ".join(texts)


def _short(value: Any) -> str:
    if isinstance(value, (str, int, float, bool)):
        return str(value)
    if hasattr(value, "dtype") and hasattr(value, "shape"):
        return f"{value.dtype}[{', '.join(map(str, value.shape))}]" if value.shape else str(value)
    name = getattr(value, "name", None) or getattr(value, "id", None) or getattr(value, "__name__", None)
    text = str(name) if name else re.sub(r" at 0x[0-9a-f]+", "", repr(value))
    return " ".join(text.split()).replace("`", "'")


def _text(spec: Any) -> str:
    """The spec's prose: its `text`, else its `doc`, else the docstring of the module that made its function."""
    for attribute in ("text", "doc"):
        value = getattr(spec, attribute, "")
        if isinstance(value, str) and value.strip():
            return escape(value)
    maker = getattr(spec, "build", None) or getattr(spec, "begin", None)
    module = importlib.import_module(maker.__module__) if getattr(maker, "__module__", None) else None
    return escape((inspect.getdoc(module) or "").partition("\n\n")[0]) if module else ""


def _source(spec: Any) -> str:
    cite = getattr(spec, "cite", "") or getattr(spec, "paper", "")
    tag = getattr(spec, "source_tag", "")
    return " ".join(filter(None, [f"`{cite}`" if cite else "", f"({tag})" if tag else ""]))


def entry(kind: str, spec: Any) -> str:
    """Markdown of one spec; attributes that it lacks are left out."""
    name = getattr(spec, "id", None) or getattr(spec, "name", None) or type(spec).__name__
    lines = [f"### {escape(str(name))}", "", _text(spec) or "No text.", ""]
    facts = [("Source", _source(spec))]
    facts += [(label, show(getattr(spec, attribute, None))) for attribute, label in LINES[kind]]
    steps = getattr(spec, "steps", None) or ()
    facts.append(("Steps", ", ".join(f"`{getattr(s, 'id', None) or _short(s)}`" for s in steps)))
    facts += _instances(spec)
    controls = [c.name for c in getattr(spec, "controls", None) or ()]
    facts.append(("Must catch", escape("; ".join(controls))))
    lines += [f"- {label}: {text}" for label, text in facts if text]
    return "\n".join([*lines, ""])


def _group(kind: str, spec: Any) -> str:
    if kind == "papers":
        return str(getattr(spec, "paper", "") or str(getattr(spec, "id", "")).partition(".")[0])
    return str(getattr(spec, "setting", "") or "other")


def catalogue(kind: str, specs: Iterable[Any] | None = None) -> str:
    """The catalogue of a kind as Markdown, grouped by setting (claims: by paper); models as links to their pages.

    `sources` reads the whole registry, whatever `specs` is.
    """
    if kind not in KINDS:
        raise ValueError(f"unknown catalogue '{kind}'; known: {', '.join(KINDS)}")
    if kind == "sources":
        from paper_pages import papers

        return papers(escape)
    if specs is None:
        from theorylab.registry import iter_specs

        specs = iter_specs(kind)
    if kind == "models":
        return overview(specs)
    groups: dict[str, list[str]] = {}
    for spec in specs:
        groups.setdefault(_group(kind, spec), []).append(entry(kind, spec))
    if not groups:
        return "None is registered.\n"
    return "\n".join(f"## {escape(group)}\n\n" + "\n".join(groups[group]) for group in sorted(groups))


def overview(families: Iterable[Any]) -> str:
    """Links to the pages, by setting, as Markdown."""
    groups: dict[str, list[str]] = {}
    for f in families:
        groups.setdefault(f.setting, []).append(f"- [{f.name}](models/{f.name}.md): {escape(f.text)}")
    order = sorted(groups, key=lambda s: (list(SETTINGS).index(s) if s in SETTINGS else len(SETTINGS), s))
    return "\n\n".join(f"## {SETTINGS.get(s, s)}\n\n" + "\n".join(groups[s]) for s in order) + "\n"


def public_modules(name: str) -> list[str]:
    """A module's name and, for a package, those of its submodules that do not begin with an underscore."""
    module = importlib.import_module(name)
    found = [name]
    for info in pkgutil.iter_modules(getattr(module, "__path__", ())):
        if not info.name.startswith("_"):
            found += public_modules(f"{name}.{info.name}")
    return found


def kernels(name: str) -> list[str]:
    """The public kernels of a module as reStructuredText, to stand below `currentmodule`: autodoc passes them over."""
    from plain_docstrings import to_rst

    module, out = importlib.import_module(name), []
    for entry in getattr(module, "__all__", ()):
        obj = getattr(module, entry)
        if type(obj).__name__ == "Kernel":
            text = to_rst((inspect.getdoc(obj) or "").split("\n"))
            out += [
                f".. py:function:: {entry}{inspect.signature(obj)}",
                "",
                *("   " + line for line in text),
                "",
            ]
    return out


def commented(module: Any) -> set[str]:
    """Names of a module's constants that a `#:` comment documents, above the assignment or on its line."""
    lines, found = inspect.getsource(module).split("\n"), set()
    for before, line in zip(["", *lines], lines, strict=False):
        assigned = re.match(r"(\w+(?:, \w+)*)(?:: [^=]+)? = ", line)
        if assigned and (before.startswith("#:") or "  #: " in line):
            found.update(assigned[1].split(", "))
    return found


def constants(name: str) -> list[str]:
    """The public constants of a module that autodoc would leave out for want of a comment, as reStructuredText."""
    from plain_docstrings import to_rst

    module = importlib.import_module(name)
    if hasattr(module, "__path__"):
        return []
    out, known = [], commented(module)
    for entry in getattr(module, "__all__", ()):
        obj = getattr(module, entry)
        if entry in known or inspect.isclass(obj) or inspect.isroutine(obj) or type(obj).__name__ == "Kernel":
            continue
        text = getattr(obj, "text", "")
        value = repr(obj) if isinstance(obj, (str, int, float)) else ""
        about = [text] if isinstance(text, str) and text else [f"A constant: {type(obj).__name__}."]
        out += [f".. py:data:: {entry}", *([f"   :value: {value}"] if value else []), ""]
        out += [*("   " + line for line in to_rst(about)), ""]
    return out


def reexports(name: str) -> list[str]:
    """For a package: its members stand at the modules that define them, so that each has one entry; here are names."""
    module = importlib.import_module(name)
    if not hasattr(module, "__path__"):
        return []
    public = ", ".join(f"``{n}``" for n in getattr(module, "__all__", ()))
    return ["   :no-members:", "", *([f"Public names: {public}."] if public else [])]


def modules(names: Iterable[str]) -> str:
    """Reference of modules as Markdown: one section each, filled by autodoc."""
    parts = []
    for name in names:
        for found in public_modules(name):
            more = [*kernels(found), *constants(found)]
            lines = [f".. automodule:: {found}", *reexports(found), "", f".. py:currentmodule:: {found}", "", *more]
            parts.append("\n".join([f"## {found}", "", "```{eval-rst}", *lines, "```", ""]))
    return "\n".join(parts)


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    from docutils import nodes
    from sphinx.util.docutils import SphinxDirective

    class Catalogue(SphinxDirective):
        required_arguments = 1

        def run(self) -> list[nodes.Node]:
            self.env.note_reread()  # what it shows is in no file that Sphinx watches
            return self.parse_text_to_nodes(catalogue(self.arguments[0]), allow_section_headings=True)

    class Modules(SphinxDirective):
        required_arguments = 1
        final_argument_whitespace = True

        def run(self) -> list[nodes.Node]:
            self.env.note_reread()
            return self.parse_text_to_nodes(modules(self.arguments[0].split()), allow_section_headings=True)

    app.add_directive("catalogue", Catalogue)
    app.add_directive("modules", Modules)
    return {"version": "1", "parallel_read_safe": True}
