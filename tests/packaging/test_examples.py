"""The examples of README and pages: files work as written, Python and commands print what is shown.

The package that the how-to pages build up (`mylab`: a learner, a model, claims) is written from their code blocks into
a temporary folder, with the entry point of the page as its only tie to TheoryLab.
"""

from __future__ import annotations

import importlib
import linecache
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from theorylab import registry

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
#: page -> file of the package that its first Python block is
FILES = {
    "add-a-learner.md": "learners/epsilon_greedy.py",
    "add-a-model.md": "models/one_way.py",
    "add-a-claim.md": "papers/example2002.py",
}
PAGES = [ROOT / "README.md", *sorted((DOCS / "how-to").glob("*.md")), *sorted((DOCS / "tutorial").glob("*.md"))]
PAGES += [DOCS / "theory" / "findings.md"]


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of a language on a page."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)


def commands(page: Path) -> list[tuple[str, list[str]]]:
    """(command line, lines shown below it) for each `$ theorylab ...` in an indented block."""
    found, lines = [], page.read_text("utf-8").split("\n")
    for i, line in enumerate(lines):
        if line.startswith("    $ theorylab "):
            shown = []
            for text in lines[i + 1 :]:
                if (text and not text.startswith("    ")) or text.startswith("    $"):
                    break
                shown.append(text.removeprefix("    ").rstrip())
            while shown and not shown[-1]:
                shown.pop()
            found.append((line.removeprefix("    $ "), shown))
    return found


def write(folder: Path) -> Path:
    """The package and the study of the how-to pages, as files."""
    how_to = DOCS / "how-to"
    for page, name in FILES.items():
        path = folder / "mylab" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(blocks(how_to / page, "python")[0], encoding="utf-8")
    (folder / "mylab" / "__init__.py").touch()
    (references,) = blocks(how_to / "add-a-claim.md", "bibtex")
    (folder / "mylab" / "references.bib").write_text(references, encoding="utf-8")
    (entry,) = blocks(how_to / "add-a-learner.md", "toml")
    points = tomllib.loads(entry)["project"]["entry-points"]
    about = folder / "mylab-0.1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: mylab\nVersion: 0.1\n", encoding="utf-8")
    text = "".join(
        f"[{group}]\n" + "".join(f"{k} = {v}\n" for k, v in found.items()) for group, found in points.items()
    )
    (about / "entry_points.txt").write_text(text, encoding="utf-8")
    (folder / "my_theorem.py").write_bytes((DOCS / "tutorial" / "my_theorem.py").read_bytes())
    (folder / "width.toml").write_text(blocks(how_to / "run-a-study.md", "toml")[0], encoding="utf-8")
    return folder


def forget() -> None:
    """Drop what the registry and the import system remember of the package."""
    registry.content_packages.cache_clear()
    for adopted in registry._ADOPTED.values():
        adopted.clear()
    registry._files.cache_clear()
    for name in [m for m in sys.modules if m.partition(".")[0] == "mylab"]:
        del sys.modules[name]


@pytest.fixture
def mylab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    write(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    forget()
    yield tmp_path
    forget()


def test_the_package_is_found_by_its_entry_point(mylab: Path) -> None:
    assert registry.content_packages()[-1] == "mylab"
    assert registry.find_learner("epsilon-greedy").name == "epsilon-greedy"
    assert registry.find_model("one_way").name == "one-way"
    assert [c.id for c in registry.find_claim("example2002")] == ["example2002.thm1", "example2002.optimism"]


def test_the_template_is_the_package_of_the_pages(tmp_path: Path) -> None:
    template, made = DOCS / "template", write(tmp_path)
    for name in [*FILES.values(), "references.bib"]:
        assert (template / "mylab" / name).read_bytes() == (made / "mylab" / name).read_bytes(), name
    project = tomllib.loads((template / "pyproject.toml").read_text("utf-8"))["project"]
    (entry,) = blocks(DOCS / "how-to" / "add-a-learner.md", "toml")
    assert project["entry-points"] == tomllib.loads(entry)["project"]["entry-points"]


def test_the_template_gives_verdicts_controls_and_figures(mylab: Path) -> None:
    path = os.pathsep.join([str(mylab), str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [sys.executable, "-m", "theorylab", "check", "example2002", "--target", "python", "--report", "report"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": path})
    assert done.returncode == 0, done.stderr
    page = (mylab / "report" / "index.html").read_text("utf-8")
    assert "no bonus" in page and "Finite-time Analysis" in page and "<svg" in page
    assert (mylab / "report" / "figures" / "example2002-thm1-1.pdf").is_file()


def test_one_file_registers_its_learner_and_family(mylab: Path) -> None:
    from theorylab.loading import claims_in

    claims = claims_in(Path("my_theorem.py"))
    assert [c.id.partition(".")[2] for c in claims] == ["theorem", "exploration", "growth"]
    assert registry.find_learner("square-greedy", "bandit").text.startswith("Greedy")
    assert registry.find_model("two-coins")(gap=0.1).means.tolist() == [0.25, 0.35]
    assert [c.id for c in claims_in(Path("my_theorem.py"))] == [c.id for c in claims]  # again: known already


def test_the_bound_of_the_one_file_is_its_sum(mylab: Path) -> None:
    from types import SimpleNamespace

    from theorylab.loading import claims_in

    theorem = claims_in(Path("my_theorem.py"))[0]
    for gap in (0.5, 0.1):
        q, m = np.exp(-gap * gap / 2), np.arange(200_000.0)
        total = np.sum((8 * m + 4) * np.minimum(1.0, 2 * q**m / (1 - q)))
        bound = theorem.bound(SimpleNamespace(gap=np.array([gap, 0.0])), np.array([100.0, 120.0]))
        assert bound == pytest.approx(gap * (10.0 + np.array([total, total])), rel=1e-9)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("learner = 3\nclaims = []\n", "'learner' is no Learner"),
        ("from dataclasses import replace\nfrom bandits.learners.ucb1 import learner as other\n"
         "learner = replace(other, text='mine')\nclaims = []\n", "the name 'ucb1' of its learner is taken"),
        ("claims = []\n", "defines no `claims`"),
    ],
)  # fmt: skip
def test_a_file_with_a_wrong_spec_is_refused(mylab: Path, text: str, message: str) -> None:
    from theorylab.errors import InputError
    from theorylab.loading import claims_in

    Path("wrong.py").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        claims_in(Path("wrong.py"))


def test_the_model_is_what_it_says(mylab: Path) -> None:
    from theorylab.errors import InputError
    from theorylab.plan import plan

    family = importlib.import_module("mylab.models.one_way").family
    # V(0) = max(r0, gamma r1) / (1 - gamma): once each side of the maximum
    assert plan(family()).V[0] == pytest.approx(9.0, abs=1e-9)
    assert plan(family(r0=1.0, r1=0.5)).V[0] == pytest.approx(10.0, abs=1e-9)
    with pytest.raises(InputError, match=r"r0 is 1\.5"):
        family(r0=1.5)


def test_the_learner_plays_what_it_says(mylab: Path) -> None:
    from theorylab.kernel import LEARNER, Rng, draw
    from theorylab.model import Bandit
    from theorylab.run import run

    learner, model = importlib.import_module("mylab.learners.epsilon_greedy").learner, Bandit([0.0, 1.0])

    def regret(epsilon: float) -> list[float]:
        curves = run(learner, model, replicates=2, rounds=50, params={"epsilon": epsilon}, target="python", seed=0)
        return curves["regret"][:, -1].tolist()

    assert regret(0.0) == [1.0, 1.0]  # certain rewards: the empty arm once, then never again
    # always exploring: after one play of each arm, the arms of the addressed draws
    arms = [[int(draw(Rng(0, 0, r), t, 0, LEARNER)[1] * 2) for t in range(2, 50)] for r in range(2)]
    assert regret(1.0) == [1.0 + row.count(0) for row in arms]


def test_the_claims_hold_and_their_controls_fail(mylab: Path) -> None:
    from theorylab.check import check_many

    claims = importlib.import_module("mylab.papers.example2002").claims
    theorem, step = check_many(claims, target="python")
    assert (theorem.verdict, theorem.vacuous, step.verdict) == ("SUPPORTED", False, "SUPPORTED")
    assert [(k.sort, k.observed, k.ok) for e in (theorem, step) for k in e.controls] == [
        ("learner fault", "REFUTED", True),
        ("null", "not refuted", True),
        ("null", "not supported", True),
    ] * 2


def test_the_theorem_has_content_at_its_size(mylab: Path) -> None:
    from types import SimpleNamespace

    theorem, _ = importlib.import_module("mylab.papers.example2002").claims
    context = SimpleNamespace(gap=np.array([0.0, 0.5]))
    n = np.array([1.0, 168.0, 169.0])
    # 16 ln n + (1 + pi^2/3) / 2 falls below n / 2 at n = 169, the entry of the table in theory/statistics.md
    assert theorem.bound(context, n) == pytest.approx([2.144934, 84.128358, 84.223314], abs=1e-6)
    assert (theorem.bound(context, n) < theorem.trivial(context, n)).tolist() == [False, False, True]


def test_lengths_of_the_findings_are_the_first_with_content() -> None:
    from theorylab.measure import context_of

    text = (DOCS / "theory" / "findings.md").read_text("utf-8")
    table = re.findall(r"^\| (\w+\.[\w-]+) \| .* on (.+?) \| ([\d,]+) \w+ \| ([\d,]+) \|$", text, re.MULTILINE)
    assert len(table) >= 5
    for name, model_name, length, first in table:
        (claim,) = registry.find_claim(name)
        (instance,) = [i for i in claim.on("quick") if i.build().name == model_name]
        assert instance.length == int(length.replace(",", ""))
        model, n = instance.build(), int(first.replace(",", ""))
        learner = registry.find_learner(claim.learner, model.setting)
        for at, content in ((n - 1, False), (n, True)):
            context, x = context_of(learner, model, at, dict(instance.learner)), np.array([float(at)])
            assert (claim.bound(context, x)[0] < claim.trivial(context, x)[0]) == content, (name, model_name, at)


def test_the_study_leaves_the_files_of_the_page(mylab: Path) -> None:
    from theorylab.study import Study, execute

    study = Study.read("width.toml")
    assert len(study.cells()) * len(study.blocks()) == 24  # as the page says; run here with fewer and shorter
    table = tomllib.loads(Path("width.toml").read_text("utf-8"))
    table["models"][0]["lengths"] = [10, 20]
    execute(Study.from_table({**table, "replicates": 4, "block": 2, "target": "python"}), "results/width")
    text = (DOCS / "how-to" / "run-a-study.md").read_text("utf-8")
    shown = re.findall(r"^    results/width/(\S+) ", text, re.MULTILINE)
    assert sorted(shown) == sorted(p.name + "/" * p.is_dir() for p in Path("results/width").iterdir())


@pytest.mark.slow
@pytest.mark.parametrize("page", [p for p in PAGES if blocks(p, "python")], ids=lambda p: p.name)
def test_python_prints_what_its_comments_say(page: Path, mylab: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each line printed is the beginning of the next comment; what has no comment prints nothing."""
    if page.name == "run-a-study.md":
        from theorylab.study import Study, execute

        execute(Study.read("width.toml"), "results/width")
    own_file = page.name in FILES
    for number, code in enumerate(blocks(page, "python")[own_file:]):
        capsys.readouterr()
        name = f"<{page.name} {number}>"  # kernels are built from their source
        linecache.cache[name] = (len(code), None, code.splitlines(keepends=True), name)
        exec(compile(code, name, "exec"), {"__name__": "example"})
        printed = capsys.readouterr().out.rstrip("\n").split("\n")
        said = re.findall(r"(?:^|  )# (.+)$", code, re.MULTILINE) if "print(" in code else [""]
        said = [s for s in said if not s.startswith("every family")]
        assert len(printed) == len(said), (printed, said)
        assert [s[: len(p)] for p, s in zip(printed, said, strict=True)] == printed


def costs(line: str) -> str:
    """Marker of a command: the larger profile takes most of a minute."""
    return "long" if "jaksch2010.span --profile standard" in line else "slow"


CASES = [
    pytest.param(line, shown, id=line.removeprefix("theorylab "), marks=getattr(pytest.mark, costs(line)))
    for page in PAGES
    for line, shown in commands(page)
    if shown
]


@pytest.mark.parametrize(("line", "shown"), CASES)
def test_commands_print_what_is_shown(line: str, shown: list[str], mylab: Path) -> None:
    """Each line shown is printed; `...` stands for what is left out."""
    path = os.pathsep.join([str(mylab), str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [sys.executable, "-m", *shlex.split(line)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": path})
    assert done.returncode in (0, 1, 3), done.stderr
    printed = {text.rstrip() for text in done.stdout.split("\n")}
    assert [text for text in shown if text != "..." and text not in printed] == [], done.stdout


def test_the_readme_counts_the_claims() -> None:
    table = re.findall(r"^\| (\w+\d{4}\w*) \| .* \| (\d+) \|$", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE)
    assert sorted(name for name, _ in table) == sorted(registry.papers())
    for name, count in table:
        assert len(registry.find_claim(name)) == int(count), name


def test_the_budgets_of_the_statistics_page_are_those_of_the_profiles() -> None:
    from theorylab.track import PROFILES

    text = " ".join((DOCS / "theory" / "statistics.md").read_text("utf-8").split())
    budgets, efforts, _ = zip(*PROFILES.values(), strict=True)
    assert "The budget is {:,}, {:,} or {:,} replicates".format(*budgets) in text
    assert "at least {}, {} or {} replicates".format(*efforts) in text
