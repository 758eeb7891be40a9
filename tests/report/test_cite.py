"""The bibliography: every cited key is there, entries come back as written, malformed files are refused by line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from theorylab.cite import OWN, bibtex, entries, parse
from theorylab.errors import InputError
from theorylab.registry import names

ROOT = Path(__file__).resolve().parents[2]
GOOD = """% comment
@article{a2000,
  author = {A, B and {C D}, E},
  title = {T {U}: V},
  journal = {J},
  year = {2000},
}
"""


def test_every_key_that_a_spec_cites_has_an_entry() -> None:
    cited = set(names("papers"))
    for folder in ("mdps", "bandits", "proofs_check"):
        for file in (ROOT / folder).rglob("*.py"):
            cited |= set(re.findall(r"\b(?:cite|paper)=\"([a-z]+[0-9]{4}[a-z]*)\"", file.read_text(encoding="utf-8")))
    assert {"auer2002", "jin2018", "jaksch2010", "osband2013"} <= cited
    assert not cited - set(entries())
    assert bibtex(cited)


def test_keys_are_the_first_author_the_year_and_where_needed_a_word() -> None:
    for entry in (e for key, e in entries().items() if key != OWN):
        whole = entry.authors()[0].lower()  # of a double name the first is enough
        family, first = (re.sub(r"[^a-z]", "", name) for name in (whole, whole.partition("-")[0]))
        assert re.fullmatch(f"({family}|{first}){entry.fields['year']}[a-z]*", entry.key), entry.key


def test_what_is_written_reads_the_same() -> None:
    assert parse(bibtex(entries())) == dict(sorted(entries().items()))
    assert bibtex(["jin2018", "auer2002", "jin2018"]).count("@") == 2


def test_a_reference_for_people() -> None:
    assert parse(GOOD)["a2000"].reference() == "A and C D (2000). T U: V. J."
    assert entries()["auer2002"].fields["author"].count("{\\`o}") == 1
    others = GOOD.replace("A, B and {C D}, E", "G{\\'e}n{\\\"o}, B and others")
    assert parse(others)["a2000"].reference().startswith("Génö et al. (2000)")


def test_an_unknown_key_is_refused_with_the_nearest() -> None:
    with pytest.raises(InputError, match=r"no references\.bib has an entry 'jin2081'; nearest: jin2018"):
        bibtex(["auer2002", "jin2081"])


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (("@article", "@artikel"), "x.bib:2: entry 'a2000' has the type 'artikel'"),
        (("  journal = {J},\n", ""), "x.bib:2: entry 'a2000' \\(article\\) lacks journal"),
        (("{2000}", "2000"), "x.bib:6: expected a field"),
        (("{2000}", "{MM}"), "x.bib:2: .* the year 'MM'"),
        (("{J},", "{J}"), "x.bib:5: expected a comma after the field 'journal'"),
        (("{T {U}: V}", "{T {U: V}"), "x.bib:4: the braces of the field 'title' do not balance"),
        (("journal", "title"), "x.bib:5: .* gives the field 'title' twice"),
        (("% comment", "stray"), "x.bib:1: expected an entry"),
        (("{2000},\n}", "{2000"), "x.bib:6: this brace is never closed"),
        (("% comment\n", GOOD), "x.bib:8: the key 'a2000' is given twice"),
    ],
)  # fmt: skip
def test_a_malformed_file_is_refused_by_line(change: tuple[str, str], text: str) -> None:
    changed = GOOD.replace(change[0], change[1], 1)
    with pytest.raises(InputError, match=text):
        parse(changed, "x.bib")
