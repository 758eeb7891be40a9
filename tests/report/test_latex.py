"""The tables for a paper: sound LaTeX whatever the names, numbers as in papers, a bibliography of what is cited.

Where pdflatex is installed the tables are compiled at the widths of the venues too, and nothing may stand out.
"""

from __future__ import annotations

import dataclasses
import math
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.report.conftest import claim, instance
from theorylab.cite import OWN, bibtex, entries, parse, sources
from theorylab.evidence import Evidence
from theorylab.latex import _count, _evalue, _number, escape, instance_table, latex_table
from theorylab.report import write_report

ROOT = Path(__file__).resolve().parents[2]
NASTY = r"_ % & # ^ ~ \ { } -- --- [x] << ?` '' \end{tabular} $ __a " + '"'
KNOWN = {"theorylab", "auer2002", "jin2018", "jaksch2010"}
CELLS = r"(?<!\\)&"


def balanced(text: str) -> bool:
    """Braces balance, outside of escaped ones."""
    depth = 0
    for token in re.findall(r"\\.|[{}]", text):
        depth += (token == "{") - (token == "}")
        if depth < 0:
            return False
    return depth == 0


def nasty() -> list[Evidence]:
    bad = instance("SUPPORTED", model=NASTY, learner=NASTY, unit="rounds", note=NASTY)
    return [claim(f"p{k}.{NASTY}", "SUPPORTED", bad, paper=f"p{k} {NASTY}", text=NASTY) for k in range(3)]


def both(evidence: list[Evidence]) -> list[str]:
    return [latex_table(evidence, cited=KNOWN), instance_table(evidence, cited=KNOWN, sources={"ucb1": "auer2002"})]


def body(text: str) -> list[str]:
    """Rows of cells."""
    lines = [
        line for line in text.splitlines() if not line.startswith(("%", r"\caption", r"\begin", r"{\scr", r"{\foo"))
    ]
    return [line for line in lines if re.search(CELLS, line)]


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("long", [False, True])
@pytest.mark.parametrize("hostile", [False, True])
def test_a_table_is_sound(evidence: list[Evidence], which: int, long: bool, hostile: bool) -> None:
    made = nasty() if hostile else evidence
    text = both(made * 20 if long else made)[which]
    lines = [line for line in text.splitlines() if not line.startswith("%")]
    assert balanced("\n".join(lines)) and all(ord(c) < 256 for c in text)
    longtable = r"\begin{longtable}" in text
    assert longtable or not long
    name = "longtable" if longtable else "tabular"
    assert len(re.findall(rf"(?<!\\textbackslash)\\begin{{{name}}}", text)) == text.count(rf"\end{{{name}}}") == 1
    found = re.search(r"^% needs \\usepackage\{([a-z,]*)\}", text)
    assert found and set(found[1].split(",")) == {"booktabs", "array", *(["longtable"] if longtable else [])}
    outside = re.sub(
        r"\$[^$]*\$|\\(cite|label)\{[^}]*\}|\\ensuremath\{[^}]*\}", "", "\n".join(lines).replace(r"\$", "")
    )
    assert not re.search(r"(?<!\\)[_^#%]", outside)
    spec = re.search(rf"\\begin{{{name}}}\{{(@.*)\}}$", text, re.M)
    assert spec
    columns = spec[1].count("p{") + len(spec[1].removesuffix("@{}")) - len(spec[1].removesuffix("@{}").rstrip("r"))
    assert {len(re.findall(CELLS, row)) for row in body(text)} == {columns - 1}
    assert text.count(r"\caption") == text.count(r"\label") == 1


def test_a_row_for_each_claim_or_instance_under_its_source(evidence: list[Evidence]) -> None:
    claims, instances = both(evidence)
    assert len(body(claims)) == 1 + len(evidence)
    heads = 2 if "longtable" in instances else 1
    assert len(body(instances)) == heads + sum(len(e.instances) for e in evidence)
    for paper in ("auer2002", "jin2018", "jaksch2010"):
        assert rf"\textbf{{{paper}}}~\cite{{{paper}}}" in claims
    assert r"\textbf{nobody1999}}" in claims
    assert "Consistent on {[}64, 65536{]}" in claims and "identity\\textsuperscript{d}" in claims
    # a definition is cited where it first stands
    assert instances.count(r"ucb1~\cite{auer2002}") == 1 and r"ucb-h on riverswim(6), $1000$~episodes" in instances


def test_the_caption_says_what_the_words_mean_and_at_which_levels(evidence: list[Evidence]) -> None:
    for text in both(evidence):
        (caption,) = (line for line in text.splitlines() if line.startswith(r"\caption"))
        assert r"TheoryLab~0.1.0~\cite{theorylab}" in caption and "profile quick, seed~0" in caption
        for w in ("Supported", "Refuted", "Vacuous", "Not applicable", "Constant measured"):
            assert rf"\emph{{{w}}}: " in caption
        assert r"$P$(said if false)~\ensuremath{\le}~$0.01$" in caption
        assert r"$P$(said if true)~\ensuremath{\le}~$10^{-3}$" in caption
        assert "e-value" in caption and "slack" in caption and "quoted from memory" in caption
    only = latex_table([claim("a.b", "SUPPORTED", instance("SUPPORTED", slack=None))], cited=())
    assert "Refuted" not in only and "slack" in only and r"\cite" not in only


def test_columns_that_say_nothing_are_left_out() -> None:
    i = instance("NO VIOLATION FOUND", slack=None, nonvacuous_from=None, bound=None, trivial=None, e_support=0.0)
    made = [claim("a.b", "NO VIOLATION FOUND", i)]
    assert re.findall(r"^claim.*", latex_table(made), re.M) == [r"claim & verdict & $n$ \\"]
    assert re.findall(r"^instance.*", instance_table(made), re.M) == [r"instance & verdict & $n$ \\"]


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (_number(None), "--"), (_number(0.0), "$0$"), (_number(0.05), "$0.05$"), (_number(1e-3), "$10^{-3}$"),
        (_number(2.5e-9), r"$2.5 \times 10^{-9}$"), (_number(3470.3), "$3470$"), (_number(9999.7), "$10^{4}$"),
        (_number(707139.8), r"$7.07 \times 10^{5}$"), (_number(math.inf), r"$\infty$"), (_number(-0.5), "$-0.5$"),
        (_number(-2.5e7), r"$-2.5 \times 10^{7}$"), (_number(math.nan), "nan"), (_number(1e5), "$10^{5}$"),
        (_count(None), "--"), (_count(9999), "$9999$"), (_count(10_000), r"$10\,000$"),
        (_count(157_689), r"$157\,689$"),
        (_count(340_000_000), r"$3.4 \times 10^{8}$"), (_count(1_000_000), "$10^{6}$"),
        (_evalue(0.0), "--"), (_evalue(101.2), "$101$"), (_evalue(3.2e10), r"$\ge 10^{10}$"),
        (_evalue(math.inf), r"$\infty$"), (_evalue(0.0175), "$0.0175$"),
    ],
)  # fmt: skip
def test_numbers_as_papers_write_them(made: str, text: str) -> None:
    assert made == text


def test_what_a_verdict_is_of() -> None:
    growth = {"T1": 4096.0, "T2": 262144.0}
    made = [
        claim("a.g", "CONSISTENT", instance("MEASURED"), growth=growth),
        claim("a.c", "CONSTANT MEASURED", instance("CONSTANT MEASURED"), interval=(0.289, 0.2994), e_value=0.0175),
        claim("a.v", "VACUOUS", instance("VACUOUS", vacuous=True, nonvacuous_from=None)),
    ]
    text = latex_table(made)
    assert r"Consistent on {[}$4096$, $262\,144${]} &" in text
    assert "Constant measured: {[}$0.289$, $0.299${]} & $512$ & -- &" in text  # which rests on no e-value
    assert r"$> 10^{18}$ \\" in text


def test_latex_escapes() -> None:
    assert escape("a_b 5% $x$ {y}") == r"a\_b 5\% \$x\$ \{y\}"
    assert escape("Δ λ ≤ Α <= >=") == (
        r"\ensuremath{\Delta} \ensuremath{\lambda} \ensuremath{\le} \texttt{U+0391} \ensuremath{\le} \ensuremath{\ge}"
    )
    assert escape("a-b--c---d") == "a-b-{}-c-{}-{}-d"


def test_the_bibliography_holds_what_the_tables_cite(tmp_path: Path) -> None:
    """And no more: the papers, what defines learners and models, TheoryLab itself."""
    replay = "theorylab replay jin2018.x --model riverswim --param states=6 --param variant=strehl --length 9"
    swim = instance("SUPPORTED", model="riverswim-strehl-6-H5", learner="ucb-h", unit="episodes", replay=replay)
    other = dataclasses.replace(swim, model="riverswim-osband-6", learner="no such learner")
    made = [claim("jin2018.x", "SUPPORTED", swim, other, kills={}), claim("nobody1999.y", "VACUOUS", kills={})]
    expected = {"riverswim-strehl-6-H5": "strehl2008", "riverswim-osband-6": "osband2013", "ucb-h": "jin2018"}
    assert sources(made) == expected
    folder = write_report(tmp_path / "r", made).parent
    bib = (folder / "references.bib").read_text(encoding="utf-8")
    assert set(parse(bib)) == {"jin2018", "strehl2008", "osband2013", OWN}
    assert "% no references.bib has an entry 'nobody1999'" in bib
    tables = "".join((folder / f"{name}.tex").read_text(encoding="utf-8") for name in ("verdicts", "instances"))
    assert set(re.findall(r"\\cite\{([^}]*)\}", tables)) == set(parse(bib))


def test_its_own_entry_is_that_of_the_citation_file() -> None:
    cff = dict(re.findall(r"^[ -]*([a-z-]+): \"?(.*?)\"?$", (ROOT / "CITATION.cff").read_text(encoding="utf-8"), re.M))
    own = entries()[OWN].fields
    assert re.sub("[{}]", "", own["title"]).lower() == cff["title"].lower() and own["author"] == f"{{{cff['name']}}}"
    assert own["year"] == cff["date-released"][:4] and own["howpublished"] == f"Software, version {cff['version']}"
    assert parse(bibtex([OWN])) == {OWN: entries()[OWN]}


@pytest.mark.long
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
@pytest.mark.parametrize("width", ["3.25in", "5.5in", "6in"])
def test_the_tables_compile_and_fit(tmp_path: Path, evidence: list[Evidence], width: str) -> None:
    for k, text in enumerate([*both(evidence), *both(nasty()), *both(evidence * 20)]):
        if k % 2 and width == "3.25in":
            continue  # a row per instance wants a page
        document = (
            rf"\documentclass[10pt]{{article}}\usepackage{{booktabs,array,longtable}}\setlength{{\textwidth}}{{{width}}}"
            rf"\begin{{document}}{text}\end{{document}}"
        )
        (tmp_path / "t.tex").write_text(document, encoding="utf-8")
        command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "t.tex"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace", check=False)
        assert done.returncode == 0, done.stdout[-2000:]
        if k not in (2, 3):  # no citation key is as long as the hostile one
            assert "Overfull" not in done.stdout, re.findall("Overfull.*", done.stdout)
