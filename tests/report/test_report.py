"""The report: one page that fetches and runs nothing, with all text escaped; sound JSON, LaTeX and BibTeX beside it."""

from __future__ import annotations

import dataclasses
import json
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.report.conftest import HOSTILE, PROVENANCE, claim, instance
from theorylab.errors import InputError
from theorylab.evidence import Evidence, InstanceEvidence
from theorylab.figure import regret_figure, render
from theorylab.page import vacuity
from theorylab.report import check_folder, inline_svg, write_report
from theorylab.table import clean

VOID = {"meta", "br", "link", "img", "hr", "input"}


class Page(HTMLParser):
    """A page taken apart; `wrong` lists tags that do not nest."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str]] = []
        self.text: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(tag, k, v or "") for k, v in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(tag, k, v or "") for k, v in attrs]

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, evidence: list[Evidence]) -> Path:
    return write_report(tmp_path_factory.mktemp("r") / "new" / "report", evidence).parent


@pytest.fixture(scope="module")
def page(folder: Path) -> Page:
    return Page((folder / "index.html").read_text(encoding="utf-8"))


def test_the_page_nests_and_its_links_lead_somewhere(folder: Path, page: Page) -> None:
    assert not page.wrong and not page.open
    ids = [v for _, k, v in page.attributes if k == "id"]
    assert len(ids) == len(set(ids))
    for tag, key, value in page.attributes:
        if key in ("href", "src") and tag != "use":
            target = value.removeprefix("#")
            if value == "data:,":  # the icon: none, rather than one that a browser would ask a server for
                continue
            assert target in ids if value.startswith("#") else (folder / value).is_file(), value
        if (tag, key) == ("use", "href"):
            assert value.removeprefix("#") in ids


def test_the_page_fetches_and_runs_nothing(folder: Path, page: Page) -> None:
    text = (folder / "index.html").read_text(encoding="utf-8")
    text = text.replace("<meta http-equiv=", "").replace('<link rel="icon" href="data:,">', "")
    assert "<script" not in text.lower() and "http" not in text.lower() and "<link" not in text
    assert "default-src 'none'" in text
    assert "@import" not in text and not re.search(r"url\((?!#)", text)
    assert not set(page.tags) & {"script", "iframe", "object", "embed", "img", "form"}
    assert not [k for _, k, _ in page.attributes if k.startswith("on")]


def test_all_text_is_on_the_page_escaped(page: Page, evidence: list[Evidence]) -> None:
    words = " ".join("".join(page.text).split())
    assert words.count(clean(HOSTILE)) >= 6
    for e in evidence:
        assert e.id in words and clean(e.text) in words
        for c in e.controls:
            assert c.name in words
    assert "alert" in words and "\x1b" not in words
    assert "Of 1 refuted among 11 claims, 1 survives e-BH at a false discovery rate of 0.05: jin2018.optimism." in words
    assert "Caught by no claim of this report: bonus_1_over_n." in words
    assert f"Caught none of the faults planted in this run: {evidence[-1].id}." in words
    assert "toothless" not in words.lower()  # said of claims without controls alone
    assert "nobody1999" in words and "No references.bib has an entry for this paper." in words
    assert "Finite-time Analysis of the Multiarmed Bandit Problem" in words
    assert "auer2002.not-registered (not in this report)" in words
    assert "bandit: a finite-armed stochastic bandit; rewards: in <0, 1>." in words
    assert str(PROVENANCE["kernels"]) in words


def test_figures_that_apply(folder: Path, page: Page) -> None:
    """Of three curves regret, and slack where the bound is finite; a kill matrix for each learner of each paper."""
    files = sorted(f.name for f in (folder / "figures").iterdir())
    ends = Counter(f.rpartition(".")[2] for f in files)
    assert ends == {"csv": 11, "svg": 11, "pdf": 3, "png": 3}
    assert sum("-slack." in f for f in files) == 4 and sum("-kills." in f for f in files) == 12
    labels = [v for t, k, v in page.attributes if (t, k) == ("svg", "aria-label")]
    assert page.tags["svg"] == 12 == len(labels) + 1  # and one that holds the glyphs
    assert any("At 1000 episodes the bound is 4.5e8 and any algorithm satisfies 20000" in text for text in labels)


def test_a_row_for_each_claim_and_instances_in_its_section(folder: Path, evidence: list[Evidence]) -> None:
    text = (folder / "index.html").read_text(encoding="utf-8")
    table = text.partition('<section id="verdicts">')[2].partition("</table>")[0]
    assert table.count('data-label="claim"') == len(evidence) and table.count('class="paper"') == 4
    assert "2 instances: 1 refuted, 1 supported" in table and "2 instances</td>" in table
    assert "<details open" not in text and text.count("<details>") == text.count("<summary>")
    assert text.count("<summary>The matrix as a table</summary>") == 6
    section = text.partition('<article id="auer2002-thm1">')[2].partition("</article>")[0]
    assert "bernoulli(0.6, 0.4)" in section and 'data-label="slack" class="r">11.4' in section
    assert 'data-label="best constant"' in section
    lemma = text.partition('<article id="jin2018-identity">')[2].partition("</article>")[0]
    assert "Instances" not in lemma
    bare = text.partition('<article id="jaksch2010-thm2">')[2].partition("</article>")[0]
    assert 'data-label="slack"' not in bare and 'data-label="n"' in bare  # columns that say nothing are left out


def test_a_claim_has_all_that_a_reviewer_asks_for(folder: Path, evidence: list[Evidence]) -> None:
    text = (folder / "index.html").read_text(encoding="utf-8")
    for anchor in ("auer2002-thm1", "jin2018-optimism", "jin2018-identity"):
        section = text.partition(f'<article id="{anchor}">')[2].partition("</article>")[0]
        for name in ("kind", "source", "assumptions", "steps", "evidence", "provenance"):
            assert f"<dt>{name}</dt>" in section
        assert "profile quick, seed 0, levels 0.01 to support and 0.001 to refute, theorylab 0.1.0" in section
        assert (
            f'<h3><a href="#{anchor}">' in section and "<h4>Controls</h4>" in section and "<h4>Replay</h4>" in section
        )
    legend = text.partition('id="columns"')[2].partition("</section>")[0]
    for table in re.findall(r'aria-label="Instances of .*?</thead>', text, re.S):
        for heading in re.findall(r"<th [^>]*>([^<]*)</th>", table)[3:]:
            assert f"<dt>{heading}</dt>" in legend, heading
    assert "models a1b2c3d4e5f6" in text and "assumes" not in text.partition('id="provenance"')[2]
    assert "theorylab check jin2018.identity --profile quick --seed 0" in text  # a lemma has no run to replay
    bare = text.partition('<article id="jaksch2010-thm2">')[2].partition("</article>")[0]
    assert "NOT APPLICABLE: " in bare
    measured = text.partition('data-label="claim"><a href="#jin2018-constant"')[2].partition("</tr>")[0]
    assert 'data-label="e-value" class="r none"' in measured  # the verdict rests on no e-value


def test_a_kill_matrix_names_what_caught_each_fault(folder: Path) -> None:
    text = (folder / "index.html").read_text(encoding="utf-8")
    tables = re.findall(r'<table class="cards kills".*?</table>', text, re.S)
    (table,) = (t for t in tables if "Kill matrix of jin2018, ucb-h" in t)
    rows = re.findall(r"<tr>\n<td.*?</tr>", table, re.S)
    cells = [re.findall(r"<td [^>]*>([^<]*)</td>", row) for row in rows]
    assert cells == [
        ["bonus_zero", "regret, constant", "–", "–", "–"],
        ["bonus_1_over_n", "–", "–", "regret, constant", "–"],
    ]


def test_the_json_is_strict_and_complete(folder: Path, evidence: list[Evidence]) -> None:
    def refuse(name: str) -> None:
        raise AssertionError(name)

    rows = json.loads((folder / "evidence.json").read_text(encoding="utf-8"), parse_constant=refuse)
    assert [r["id"] for r in rows] == [e.id for e in evidence]
    assert {"id", "verdict", "n", "e_value", "interval", "slack", "vacuous", "controls", "instances"} <= set(rows[0])
    assert rows[6]["e_value"] == "inf" and rows[-1]["text"] == HOSTILE


def test_the_same_evidence_gives_the_same_bytes(tmp_path: Path, folder: Path, evidence: list[Evidence]) -> None:
    again = write_report(tmp_path / "again", evidence, processes=2).parent
    files = sorted(f.relative_to(folder) for f in folder.rglob("*") if f.is_file())
    assert files and files == sorted(f.relative_to(again) for f in again.rglob("*") if f.is_file())
    for f in files:
        assert (folder / f).read_bytes() == (again / f).read_bytes(), f


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"bound": None}, ""),
        ({"trivial": None}, "At 20000 rounds the bound is 99; the claim names no trivial value to compare it with."),
        ({}, "satisfies 16000: the bound has content from 168 rounds on."),
        ({"nonvacuous_from": 340_000_000}, "the bound says nothing before 3.4e8 rounds."),
        ({"nonvacuous_from": None}, "the bound is not known to fall below that at any length up to 1e18."),
    ],
)
def test_the_sentence_on_vacuity(changes: dict[str, object], text: str) -> None:
    made = vacuity(dataclasses.replace(instance("SUPPORTED", bound=99.0), **changes))  # type: ignore[arg-type]
    assert made.endswith(text) and bool(made) == bool(text)


def test_no_evidence_makes_a_page(tmp_path: Path) -> None:
    page = Page(write_report(tmp_path / "r", [], provenance={}).read_text(encoding="utf-8"))
    assert not page.wrong and not page.open


def test_ids_that_look_alike_keep_their_own_figures(tmp_path: Path, bandit: InstanceEvidence) -> None:
    made = [claim("a.b_c", "SUPPORTED", bandit), claim("a.b-c", "SUPPORTED", bandit)]
    folder = write_report(tmp_path / "r", made).parent
    assert sorted(f.stem for f in (folder / "figures").glob("a-b-c*.svg")) == [
        "a-b-c-1", "a-b-c-1-slack", "a-b-c-2-1", "a-b-c-2-1-slack",
    ]  # fmt: skip


def test_a_folder_that_cannot_be_written_is_refused_first(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(InputError, match=r"file.*a file is in the way; name a folder that can be created"):
            check_folder(place)
    assert check_folder(tmp_path / "a" / "b") == tmp_path / "a" / "b"
    assert sorted(f.name for f in (tmp_path / "a" / "b").iterdir()) == ["figures"]
    assert not list((tmp_path / "a" / "b" / "figures").iterdir())


def test_an_inline_figure_keeps_its_glyphs_apart(bandit: InstanceEvidence) -> None:
    text = render(regret_figure(bandit, claim_id="a.b", size="icml"), "svg").decode()
    svg, glyphs = inline_svg(text, "f", "<title>")
    assert 'aria-label="&lt;title&gt;"' in svg and len(svg) < 0.5 * len(text) and len(glyphs) > 20
    refs = set(re.findall(r'href="#([^"]*)"', svg)) | set(re.findall(r"url\(#([^)]*)\)", svg))
    ids = re.findall(r'\sid="([^"]*)"', svg)
    assert refs == set(ids) | set(glyphs) and len(ids) == len(set(ids))
    assert all(i.startswith("f-") for i in ids)
