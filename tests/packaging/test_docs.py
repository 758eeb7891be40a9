"""Documentation: every public name has a docstring and a reference page; pages, examples and fragments hold together.

The catalogue and the docstring translation are tested as plain functions; one slow test builds the pages with
warnings as errors.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import re
import subprocess
import sys
import zlib
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"


def load(path: Path) -> ModuleType:
    """A module from a file that belongs to no package."""
    spec = importlib.util.spec_from_file_location(f"_loaded_{path.stem}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


sys.path.insert(0, str(DOCS / "_ext"))  # they import each other, as Sphinx has it
catalogue = load(DOCS / "_ext" / "catalogue.py")
model_pages = load(DOCS / "_ext" / "model_pages.py")
paper_pages = load(DOCS / "_ext" / "paper_pages.py")
sys.path.remove(str(DOCS / "_ext"))
plain = load(DOCS / "_ext" / "plain_docstrings.py")
fragments = load(ROOT / "changes" / "assemble.py")


def pages() -> list[Path]:
    """Pages written by hand: those of models are written by the build."""
    made = (DOCS / "_build", DOCS / model_pages.FOLDER)
    return sorted(p for p in DOCS.rglob("*.md") if not any(p.is_relative_to(folder) for folder in made))


def texts() -> list[Path]:
    """The pages and what the repository shows first."""
    return [ROOT / "README.md", *pages()]


def documented_modules() -> list[str]:
    """Modules that a reference page takes in, submodules of packages included."""
    named: list[str] = []
    for page in sorted((DOCS / "reference").glob("*.md")):
        for arguments in re.findall(r"^```\{modules\} (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE):
            named += arguments.split()
    return [found for name in named for found in catalogue.public_modules(name)]


def undocumented(obj: Any) -> bool:
    """True if an object has no docstring of its own; a dataclass's generated one does not count."""
    text = getattr(obj, "__doc__", None) or ""
    generated = inspect.isclass(obj) and text.startswith(f"{obj.__name__}(")
    inherited = not inspect.isclass(obj) and text == (type(obj).__doc__ or "")
    return not text.strip() or generated or inherited


def public(module: ModuleType) -> list[str]:
    return list(getattr(module, "__all__", [n for n in vars(module) if not n.startswith("_")]))


def test_each_public_name_has_a_docstring() -> None:
    import theorylab

    missing = [name for name in theorylab.__all__ if undocumented(getattr(theorylab, name))]
    # reward laws, field types and the like are constants: the comment at their definition is their documentation
    constants = [n for n in missing if not callable(getattr(theorylab, n))]
    assert sorted(set(missing) - set(constants)) == []


def test_each_public_name_is_on_a_reference_page() -> None:
    import theorylab

    covered = {name for module in documented_modules() for name in public(importlib.import_module(module))}
    assert sorted(set(theorylab.__all__) - covered - {"__version__"}) == []


def test_each_public_module_is_on_a_reference_page() -> None:
    # the package itself only re-exports, and `_`-modules are shared pieces
    assert sorted(set(catalogue.public_modules("theorylab")) - {"theorylab"} - set(documented_modules())) == []


def is_constant(obj: Any) -> bool:
    """True for what holds a value: its type's docstring says nothing of it."""
    return not (inspect.isclass(obj) or inspect.isroutine(obj) or type(obj).__name__ == "Kernel")


def test_each_documented_module_declares_its_names_and_documents_them() -> None:
    modules = documented_modules()
    assert "theorylab.model" in modules and "proofs_check.lemmas.bellman" in modules
    wrong = []
    for name in modules:
        module = importlib.import_module(name)
        if not (module.__doc__ or "").strip():
            wrong.append(f"{name}: no module docstring")
        if not hasattr(module, "__all__") and not hasattr(module, "__path__"):
            wrong.append(f"{name}: no __all__")
        for entry in getattr(module, "__all__", ()):
            obj = getattr(module, entry)
            if not is_constant(obj) and undocumented(obj):
                wrong.append(f"{name}.{entry}: no docstring")
    assert not wrong, "\n".join(wrong)


def test_constants_without_a_comment_are_listed_with_their_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(DOCS / "_ext"))
    made = ModuleType("made")
    monkeypatch.setitem(sys.modules, "made", made)
    monkeypatch.setattr(inspect, "getsource", lambda m: "#: why\nA, E = 1, 5\nB = 2\nC: int = 3  #: here\n")
    vars(made).update(A=1, B=2, C=3, D=SimpleNamespace(text="What it says."), __all__=["A", "B", "C", "D"])
    assert catalogue.commented(made) == {"A", "C", "E"}
    assert [line for line in catalogue.constants("made") if line.strip()] == [
        ".. py:data:: B", "   :value: 2", "   A constant: int.", ".. py:data:: D", "   What it says.",
    ]  # fmt: skip


def test_every_public_module_of_the_content_is_a_spec_or_on_a_reference_page() -> None:
    """A module of the content packages is a learner, a family, a paper or a set of faults, or lists what is public."""
    specs = {"models": "family", "games": "family", "learners": "learner", "papers": "claims"}
    pages, wrong = set(documented_modules()), []
    for name in (m for package in ("mdps", "bandits", "proofs_check") for m in catalogue.public_modules(package)):
        module, folder = importlib.import_module(name), name.partition(".")[2].partition(".")[0]
        if not (module.__doc__ or "").strip():
            wrong.append(f"{name}: no module docstring")
        if hasattr(module, "__path__") or folder == "mutants":
            continue
        if folder in specs and not any(hasattr(module, a) for a in (specs[folder], specs[folder] + "s")):
            wrong.append(f"{name}: no `{specs[folder]}`")
        if folder not in specs and name not in pages:
            wrong.append(f"{name}: on no reference page")
    assert not wrong, "\n".join(wrong)


def test_a_missing_docstring_is_seen() -> None:
    @dataclass
    class Bare:
        x: int = 0

    def bare() -> None: ...

    def good() -> None:
        """Text."""

    assert undocumented(Bare) and undocumented(bare) and undocumented(1.0) and not undocumented(good)


def test_each_page_is_in_the_table_of_contents() -> None:
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    listed = {
        line.strip()
        for block in re.findall(r"```\{toctree\}\n(.*?)```", index, re.DOTALL)
        for line in block.split("\n")
    }
    assert sorted({p.relative_to(DOCS).with_suffix("").as_posix() for p in pages()} - listed - {"index"}) == []


def test_links_between_pages_lead_somewhere() -> None:
    wrong = []
    for page in texts():
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            if not (page.parent / target).exists():
                wrong.append(f"{page.relative_to(ROOT)}: {target}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("page", texts(), ids=lambda p: p.relative_to(ROOT).as_posix())
def test_examples_on_pages_import_what_exists(page: Path) -> None:
    """Python examples parse, and every name they take from the packages is there."""
    wrong = []
    for block in re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("theorylab"):
                module = importlib.import_module(node.module or "")
                wrong += [f"{node.module}.{a.name}" for a in node.names if not hasattr(module, a.name)]
    assert not wrong, f"{page.name}: {wrong}"


def test_a_catalogue_entry_names_what_the_spec_holds() -> None:
    spec = SimpleNamespace(
        name="walker", text="Goes to *S* states and `P` given.", cite="x2001", source_tag="recalled", setting="mdp",
        params={"states": 6, "p": inspect.Parameter.empty},
    )  # fmt: skip
    text = catalogue.catalogue("learners", [spec])
    assert text.startswith("## mdp\n\n### walker\n")
    assert "Goes to \\*S\\* states and `P` given." in text
    assert "- Source: `x2001` (recalled)\n- Setting: `mdp`\n- Parameters: `states=6`, `p`\n" in text


def test_a_catalogue_entry_leaves_out_what_the_spec_lacks() -> None:
    claim = SimpleNamespace(id="a2000.thm1", steps=[SimpleNamespace(id="a2000.optimism")])
    assert catalogue.catalogue("papers", [claim]) == (
        "## a2000\n\n### a2000.thm1\n\nNo text.\n\n- Steps: `a2000.optimism`\n"
    )
    assert catalogue.catalogue("papers", []) == "None is registered.\n"
    with pytest.raises(ValueError, match="unknown catalogue 'theorems'"):
        catalogue.catalogue("theorems", [])


def test_the_page_of_papers_names_claims_learners_models_and_findings(monkeypatch: pytest.MonkeyPatch) -> None:
    from theorylab.registry import iter_specs, papers

    monkeypatch.syspath_prepend(str(DOCS / "_ext"))
    text = catalogue.catalogue("sources")
    parts = {part.partition("\n")[0]: part for part in text.split("## ")[1:]}
    claims = list(iter_specs("papers"))
    assert set(papers()) <= set(parts)
    assert {key for key in parts if f"| `{key}." in parts[key]} == set(papers())
    assert sorted(re.findall(r"^\| `(.+?)` \|", text, re.MULTILINE)) == sorted(c.id for c in claims)
    assert all(f"`{x.name}` ({x.setting}, " in parts[x.cite] for x in iter_specs("learners") if x.cite)
    assert all(f"[{f.name}](models/{f.name}.md)" in parts[f.cite] for f in iter_specs("models") if f.cite)
    ucrl2 = parts["jaksch2010"]
    assert "Near-optimal Regret Bounds" in ucrl2 and "../theory/findings.md#ucrl2-the-span-of-the-optimistic" in ucrl2
    assert "| `jaksch2010.thm2` | theorem | HighProbability | " in ucrl2


def test_theorems_stand_before_their_steps() -> None:
    claims = [
        SimpleNamespace(id=i, steps=s) for i, s in (("b", ()), ("t", ("b", "a")), ("a", ()), ("u", ("a", "gone")))
    ]
    assert [c.id for c in paper_pages.ordered(claims)] == ["t", "b", "a", "u"]
    assert paper_pages.slug("UCRL2: the span, B_p (as is)") == "ucrl2-the-span-b_p-as-is"
    page = "# F\n\n## One\n\na2000.x and a2000\n\n## Two\n\na2000 b2001\n"
    assert paper_pages.findings(page) == {"a2000": ["One", "Two"], "b2001": ["Two"]}


@pytest.mark.parametrize("kind", ["learners", "papers"])
def test_the_catalogue_lists_every_registered_spec(kind: str) -> None:
    from theorylab.registry import iter_specs

    specs = list(iter_specs(kind))
    assert specs
    headings = re.findall(r"^### (.+)$", catalogue.catalogue(kind), re.MULTILINE)
    names = [catalogue.escape(str(getattr(s, "id", None) or s.name)) for s in specs]
    assert sorted(headings) == sorted(names)


def test_the_overview_links_every_family_by_setting() -> None:
    from theorylab.registry import iter_specs

    families = list(iter_specs("models"))
    text = catalogue.catalogue("models", families)
    found = re.findall(r"^- \[(.+)\]\(models/(.+)\.md\): ", text, re.MULTILINE)
    assert sorted(found) == sorted((f.name, f.name) for f in families)
    assert text.startswith("## Markov decision processes\n") and "\n## Bandits\n" in text
    assert {f.setting for f in families} <= set(catalogue.SETTINGS)


def test_the_page_of_a_model_states_its_reference_and_known_quantities() -> None:
    from theorylab.registry import find_model

    family = find_model("riverswim")
    solved = model_pages.solution(family)
    text = model_pages.page(family, solved)
    assert text.startswith("# riverswim\n\n") and "\nRiverSwim: a chain where the far reward" in text
    assert "- `states`, default `6`\n- `variant`, default `osband`\n" in text
    assert "Osband, Russo and Van Roy (2013). (More) Efficient" in text and "read in the source [source]" in text
    (row,) = re.findall(r"^\| `riverswim-osband-6` \|.*$", text, re.MULTILINE)
    (known,) = [p for p in family.published if p.name == "riverswim-osband-6"]
    cells = [c.strip() for c in row.strip("|").split("|")]
    head = [c.strip() for c in re.findall(r"^\| name \|.*$", text, re.MULTILINE)[0].strip("|").split("|")]
    values = dict(zip(head, cells, strict=True))
    assert values["content hash"] == f"`{known.digest}`"
    assert "`riverswim-osband-6` (states=6, variant=osband), " in text
    assert {k: values[k.replace("_", " ")] for k in known.known} == known.known
    assert re.search(
        r"^- `riverswim-strehl-6` \(states=6, variant=strehl\): .* Source: strehl2008 \\\[recalled\\\]\.$",
        text,
        re.MULTILINE,
    )
    assert "](riverswim.svg)\n\n    $ theorylab plan riverswim --no-policy --figure riverswim.svg\n" in text
    shown = text.partition("## Solution\n")[2]
    for line in ("hash       6ba19ec4266938c2", "gain       0.4286", "  bias span  ", "  diameter  ", "  smallest gap"):
        assert f"\n    {line}" in shown
    assert "svg" not in model_pages.page(family)
    listed = text.partition("## Source\n")[2].partition("\n## ")[0]
    assert listed.count("(`osband2013`)") == 1 and all(f"(`{p.cite}`)" in listed for p in family.published if p.cite)


def test_each_model_has_a_page_with_its_source() -> None:
    from theorylab.registry import iter_specs

    for family in iter_specs("models"):
        text = model_pages.page(family)
        assert f"# {family.name}\n" in text and "## Source\n" in text
        assert all(f"`{p.name}`" in text and f"`{p.digest}`" in text for p in family.published)


def test_pictures_of_models() -> None:
    from theorylab.registry import find_model

    svg, again = (model_pages.picture(model_pages.solution(find_model("riverswim"))) for _ in range(2))
    assert svg.startswith(b"<?xml") and svg == again
    needy = SimpleNamespace(published=(), params={"S": inspect.Parameter.empty})
    assert model_pages.drawn(needy) is None and model_pages.solution(needy) is None


def test_pages_are_written_once_and_removed_with_their_family(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from theorylab import registry

    families = [registry.find_model("riverswim"), registry.find_model("bernoulli")]
    monkeypatch.setattr(registry, "iter_specs", lambda kind: families)
    model_pages.write(tmp_path)
    names = {"riverswim.md", "riverswim.svg", "bernoulli.md", "bernoulli.svg", ".gitignore"}
    assert {p.name for p in tmp_path.iterdir()} == names
    before = {p: p.stat().st_mtime_ns for p in tmp_path.iterdir()}
    del families[0]
    model_pages.write(tmp_path)
    assert {p.name for p in tmp_path.iterdir()} == {"bernoulli.md", "bernoulli.svg", ".gitignore"}
    assert all(p.stat().st_mtime_ns == before[p] for p in tmp_path.iterdir())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The value of `pi_*` is |x|.", ["The value of ``pi_*`` is \\|x\\|.", ""]),
        ("One\ntwo.", ["One two.", ""]),
        ("So:\n\n  |b|\n   + c_d\n\nEnd.", ["So:", "", "::", "", "      |b|", "       + c_d", "", "End.", ""]),
        ("- one\n  more\n- two", ["- one more", "", "- two", ""]),
        ("Raises:\n  InputError: `x` < 0\n    or so.\n", ["**Raises**", "", "* ``InputError``: ``x`` < 0 or so.", ""]),
        ("the `n`th and `a`s", ["the ``n``\\ th and ``a``\\ s", ""]),
    ],
)  # fmt: skip
def test_docstrings_become_restructured_text(text: str, expected: list[str]) -> None:
    assert plain.to_rst(text.split("\n")) == expected


def test_kernels_are_on_the_reference_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(DOCS / "_ext"))
    page = catalogue.modules(["theorylab.kernel"])
    assert ".. py:currentmodule:: theorylab.kernel\n\n.. py:function:: " in page
    assert ".. py:function:: log(x)\n\n   Natural logarithm" in page


def test_fragments_are_in_form() -> None:
    found = [fragments.read(p) for p in sorted((ROOT / "changes").rglob("*.md")) if p.name != "README.md"]
    assert found


def test_the_changelog_is_assembled_by_version_and_type(tmp_path: Path) -> None:
    for name, text in {
        "0003-b.md": "TYPE: fixed\nB.",
        "0002-a.md": "TYPE: added\nA\nmore.",
        "0.2.0/0001-z.md": "TYPE: added\nZ.",
        "0.10.0/0001-y.md": "TYPE: changed\nY.",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    body = fragments.assemble(tmp_path).removeprefix(fragments.HEADER)
    lines = [line for line in body.split("\n") if line]
    assert lines == [
        "## Unreleased", "### Added", "- A", "  more.", "### Fixed", "- B.",
        "## 0.10.0", "### Changed", "- Y.", "## 0.2.0", "### Added", "- Z.",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("0001-a.md", "added\nText.", "first line"),
        ("0001-a.md", "TYPE: improved\nText.", "first line"),
        ("0001-a.md", "TYPE: added\n\n", "no prose"),
        ("a.md", "TYPE: added\nText.", "NNNN-name"),
    ],
)
def test_a_fragment_out_of_form_is_refused(tmp_path: Path, name: str, text: str, fault: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=fault):
        fragments.read(tmp_path / name)


def inventory(path: Path) -> set[str]:
    """Names of Python objects that a build's `objects.inv` lists."""
    packed = path.read_bytes().split(b"\n", 4)[4]
    lines = zlib.decompress(packed).decode().split("\n")
    return {line.split(" ", 1)[0] for line in lines if " py:" in line}


@pytest.mark.slow
def test_the_pages_build_without_a_warning(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", "-d", str(tmp_path / "trees")]
    done = subprocess.run([*command, str(DOCS), str(tmp_path / "html")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    listed = inventory(tmp_path / "html" / "objects.inv")
    missing = []
    for name in documented_modules():
        module = importlib.import_module(name)
        for entry in () if hasattr(module, "__path__") else module.__all__:
            if f"{name}.{entry}" not in listed:
                missing.append(f"{name}.{entry}")
    assert not missing, missing
