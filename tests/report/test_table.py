"""The terminal's table: at most 100 columns, every claim, honest words; and the numbers that all reports share."""

from __future__ import annotations

import io
import math

import pytest
from rich.console import Console

from tests.report.conftest import HOSTILE, claim, instance
from theorylab.evidence import FAILURES, POSITIVE, Evidence
from theorylab.table import (
    COLUMNS,
    WORDS,
    cells,
    clean,
    command,
    counts,
    explain,
    fold,
    number,
    plain_table,
    tone,
    verdict_table,
    word,
)  # fmt: skip


def test_the_plain_table_fits_and_is_complete(evidence: list[Evidence]) -> None:
    text = verdict_table(evidence, terminal=False)
    assert text == plain_table(evidence)
    lines = text.splitlines()
    assert max(map(cells, lines)) <= 100
    assert "\x1b" not in text and "\t" not in text
    for e in evidence:
        assert "".join(e.id.split()) in "".join(line[: COLUMNS[0] + 1].strip() for line in lines)
    last = sum(COLUMNS[:-1]) + len(COLUMNS) - 1
    assert "failed control: half radius" in " ".join(line[last:].strip() for line in lines)
    assert "1 supported, 1 constant measured" in text and "(11 claims)" in text


def test_the_rich_table_fits_and_holds_the_same(evidence: list[Evidence]) -> None:
    out = io.StringIO()
    Console(file=out, width=100, force_terminal=True, color_system=None).print(verdict_table(evidence, terminal=True))
    lines = out.getvalue().splitlines()
    assert max(map(cells, lines)) <= 100
    plain = [line for line in plain_table(evidence).splitlines() if not line.startswith("---")]
    assert [line.rstrip() for line in lines] == plain[: len(lines)]


def test_standard_output_decides(evidence: list[Evidence], capsys: pytest.CaptureFixture[str]) -> None:
    assert isinstance(verdict_table(evidence), str)


def test_no_evidence_is_a_table_too() -> None:
    assert "0 claims" in plain_table([])


def test_counts() -> None:
    made = [claim(f"a.{k}", v) for k, v in enumerate(["VACUOUS", "SUPPORTED", "VACUOUS", "CONSISTENT ON [1, 2]"])]
    assert counts(made) == "1 supported, 1 consistent, 2 vacuous (4 claims)"
    assert counts(made[:1]) == "1 vacuous (1 claim)"


def test_every_verdict_word_is_explained_with_its_levels() -> None:
    assert set(WORDS) >= {*POSITIVE, *FAILURES, "VACUOUS", "INCONCLUSIVE", "NOT_APPLICABLE"}
    assert "P(said if false) <= 0.01" in explain("SUPPORTED")
    assert "P(said if true) <= 0.001" in explain("REFUTED")
    assert "<= 1e-6" in explain("REFUTED", {"levels": {"refute": 1e-6}})
    assert "<= 0.05" in explain("SUPPORTED", {"alpha_support": 0.05})
    assert not any("{" in explain(w) for w in WORDS)


def test_words_without_their_range() -> None:
    assert word("CONSISTENT ON [64, 4096]") == "CONSISTENT" and tone("CONSISTENT ON [64, 4096]") == "good"
    assert word("INCONSISTENT ON [64, 4096]") == "INCONSISTENT" and tone("INCONSISTENT ON [1, 2]") == "bad"
    assert word("NEW WORD") == "NEW WORD" and tone("VACUOUS") == tone("NEW WORD") == "open"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"), (0, "0"), (999_999, "999999"), (1_000_000, "1e6"), (340_000_000, "3.4e8"), (0.05, "0.05"),
        (1e-9, "1e-9"), (123.456, "123"), (-12.5, "-12.5"), (math.inf, "inf"), (-math.inf, "-inf"), (math.nan, "nan"),
        (1e304, "1e304"), (2**70, "1.18e21"), (2999.9999, "3000"), (3468.7, "3469"),
    ],
)  # fmt: skip
def test_numbers(value: float | None, text: str) -> None:
    assert number(value) == text


def test_text_cannot_drive_a_terminal() -> None:
    assert clean("a\x1b[31mb\nc\td\u202e\x07") == "a�[31mb c d��"


def test_folding_loses_nothing() -> None:
    for text in (HOSTILE, "a" * 70, "jin2018.a-b_c/d", "", "強化学習" * 9):
        lines = fold(clean(text), 12)
        assert max(map(cells, lines)) <= 12
        assert "".join(lines).replace(" ", "") == clean(text).replace(" ", "")


def test_a_folded_command_is_the_same_command() -> None:
    import shlex

    text = instance("REFUTED").replay + " --note 'a long word in quotes' --x " + "y" * 30
    folded = command(text, 60)
    assert all(len(line) <= 60 for line in folded.splitlines())
    assert shlex.split(folded.replace("\\\n", " ")) == shlex.split(text)
    assert command("unclosed 'quote") == "unclosed 'quote"
