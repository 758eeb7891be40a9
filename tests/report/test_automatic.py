"""Stored fates of automatic mutants: written, read, shown on pages and by `show`, and no evidence once out of date."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from proofs_check import mutation
from tests.report.conftest import claim, instance
from theorylab import automatic, describe, registry
from theorylab.automatic import Record, Row, counts, digest_of, key_in, read, record_of, stored_in, write
from theorylab.errors import InputError
from theorylab.kernel import kernel
from theorylab.page import build_page
from theorylab.registry import find_learner

PAPERS = dict(ucb1="auer2002", moss="audibert2010", explore="auer2002")
UCB1 = find_learner("ucb1")
ROWS = (
    Row("act 3: log to 1", "x = log(t)", "x = 1.0", "property", "auer2002.coverage"),
    Row("act 6: <b>", "a | b", "", "equivalent", 'the "same" <text>'),
    Row("learn 1: 1 doubled", "st.N[a] += 1", "st.N[a] += 2", "alive"),
)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of the package `proofs_check`, in an empty folder."""
    monkeypatch.setattr(automatic, "stored_in", lambda p: tmp_path / "automatic.json" if p == "proofs_check" else None)
    return tmp_path / "automatic.json"


def page() -> str:
    made = [claim("auer2002.coverage", "NO VIOLATION FOUND", instance("NO VIOLATION FOUND"), steps=())]
    return build_page(made, {"auer2002.coverage": "coverage"}, {}, {}, {}, {})


def test_records_are_merged_learner_by_learner(tmp_path: Path) -> None:
    file = tmp_path / "automatic.json"
    assert read(file) == {} and read(None) == {}
    write(file, "ucb1", Record("a", ROWS))
    write(file, "moss", Record("b", ROWS[:1]))
    write(file, "ucb1", Record("c", ROWS[1:]))
    assert read(file) == {"moss": Record("b", ROWS[:1]), "ucb1": Record("c", ROWS[1:])}
    assert len(file.read_text().splitlines()) == 9  # a line for each mutant, so that differences can be read
    first = file.read_bytes()
    write(file, "ucb1", Record("c", ROWS[1:]))
    assert file.read_bytes() == first


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "JSONDecodeError"),
        ("[]", "TypeError"),
        ('{"format": 2, "learners": {}}', "format 2 in place of 1"),
        ('{"format": 1, "learners": {"moss": {"digest": ""}}}', "KeyError: 'mutants'"),
        ('{"format": 1, "learners": {"moss": {"digest": "", "mutants": [{"name": "x"}]}}}', "missing 3 required"),
        (json.dumps({"format": 1, "learners": {"moss": {"digest": "", "mutants": [
            {"name": "act 1: < to >", "before": "", "after": "", "by": "luck"}]}}}),
         "learners.moss: 'act 1: < to >' is caught by 'luck'"),
    ],
)  # fmt: skip
def test_a_spoilt_file_is_refused(tmp_path: Path, text: str, why: str) -> None:
    file = tmp_path / "automatic.json"
    file.write_text(text)
    with pytest.raises(InputError, match=r"automatic\.json' is no file of automatic mutants") as refused:
        read(file)
    assert why in str(refused.value) and "write it anew" in str(refused.value)


def test_the_digest_is_of_the_text_alone() -> None:
    @kernel
    def act(st, p, t, rng):  # type: ignore[no-untyped-def]
        """One arm."""
        return 0  # the first

    same = kernel(act.f)
    same.source = act.source.replace("  # the first", "").replace("One arm", "An arm")
    other = kernel(act.f)
    other.source = act.source.replace("return 0", "return 1")
    digests = [digest_of(replace(UCB1, act=k)) for k in (act, same, other)]
    assert digests[0] == digests[1] != digests[2] and digest_of(UCB1) not in digests

    def derive(p):  # type: ignore[no-untyped-def]
        return dict(x=1.0)

    assert digest_of(replace(UCB1, derive=derive)) != digest_of(UCB1)


def test_where_a_record_is_looked_for(store: Path) -> None:
    assert stored_in("json") is not None and stored_in("nobody_has_this") is None
    assert str(stored_in("proofs_check")).endswith("proofs_check/mutants/automatic.json")
    assert key_in(["psrl", "psrl-average"], "psrl", "average") == "psrl-average"
    assert key_in(["psrl", "psrl-average"], "psrl", "episodic") == "psrl" and key_in(["psrl"], "ucb1", "bandit") is None
    assert record_of(UCB1, ["proofs_check"]) == (None, "not run")
    write(store, "ucb1", Record(digest_of(UCB1), ROWS))
    assert record_of(UCB1, ["bandits", "proofs_check"]) == (read(store)["ucb1"], "current")
    write(store, "ucb1", Record("of an older text", ROWS))
    assert record_of(UCB1, ["proofs_check"])[1] == "out of date"
    assert registry.home_of("auer2002") == "proofs_check" and registry.home_of("nobody1999") == ""


def test_a_report_shows_what_caught_each_mutant(store: Path) -> None:
    assert "not run: no file of automatic mutants" in page() and "<details>\n<summary>Its mutants" not in page()
    write(store, "ucb1", Record(digest_of(UCB1), ROWS))
    text = page()
    assert "3 mutants: 1 property, 1 equivalent, 1 alive." in text and "ucb1 (bandit)" in text
    assert '<a href="#coverage">auer2002.coverage</a>' in text and "(removed)" in text
    assert "the &#34;same&#34; &lt;text&gt;" in text and "act 6: &lt;b&gt;" in text
    assert '<span class="badge bad">alive</span>' in text
    assert "No claim, test or reason accounts for: learn 1: 1 doubled." in text
    write(store, "ucb1", Record("of an older text", ROWS))
    text = page()
    assert "out of date: the learner&#39;s text has changed" in text
    assert "1 property" not in text and "act 3: log to 1" not in text  # what is out of date is no evidence


def test_show_says_what_caught_each_mutant(store: Path) -> None:
    assert describe.describe("ucb1")[0]["automatic_mutants"] == "not run"
    assert [row["setting"] for row in describe.describe("psrl")] == ["episodic", "average"]
    write(store, "ucb1", Record(digest_of(UCB1), ROWS))
    shown = describe.describe("ucb1")[0]["automatic_mutants"]
    assert shown[:2] == ["3 mutants: 1 property, 1 equivalent, 1 alive", "act 3: log to 1: property: auer2002.coverage"]
    assert describe.describe("auer2002.coverage")[0]["automatic_mutants"] == "first to catch 1 of 3"
    write(store, "ucb1", Record("of an older text", ROWS))
    assert describe.describe("ucb1")[0]["automatic_mutants"] == "out of date"
    assert describe.describe("auer2002.coverage")[0]["automatic_mutants"] == "out of date"


def test_a_package_of_its_own_ships_its_own_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_content" / "mutants").mkdir(parents=True)
    (tmp_path / "own_content" / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    write(tmp_path / "own_content" / "mutants" / "automatic.json", "ucb1", Record(digest_of(UCB1), ROWS))
    monkeypatch.setattr(registry, "_files", lambda kind: {"auer2002": ("own_content.papers.auer2002",)})
    assert registry.home_of("auer2002") == "own_content"
    assert record_of(UCB1, [registry.home_of("auer2002")])[1] == "current"


def test_the_command_keeps_results_and_makes_the_page_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file, out = tmp_path / "automatic.json", tmp_path / "page.md"
    monkeypatch.setattr(mutation, "learners", lambda: {n: registry.find_claim(PAPERS[n]) for n in PAPERS})
    few = [m for m in mutation.mutants(UCB1) if m.name in ("begin 2: st.N not written", "learn 1: 1 doubled")]
    ran = lambda name, limit: iter([mutation.Fate(m, "property", "x | y\n" * 40) for m in few])  # noqa: E731
    monkeypatch.setattr(mutation, "fates", ran)
    monkeypatch.setattr(mutation, "stale", lambda name, found: [])
    assert mutation.main(["ucb1", "--json", str(file)]) == 0
    kept = read(file)["ucb1"]
    assert [r.name for r in kept.mutants] == [m.name for m in few] and kept.digest == digest_of(UCB1)
    assert kept.mutants[0].before and len(kept.mutants[0].detail) == 160
    monkeypatch.setattr(mutation, "fates", lambda *a, **b: pytest.fail("something was run"))
    write(file, "moss", Record("of an older text", ROWS))
    assert mutation.main(["--json", str(file), "--markdown", str(out)]) == 0
    text = out.read_text()
    assert "in 1 learners: 2 mutants: 2 property." in text and "## ucb1" in text and "x \\| y" in text
    assert (
        "Out of date, since the text has changed: moss." in text
        and "Not run: explore." in text
        and "## moss" not in text
    )
    file.write_text("{")
    capsys.readouterr()
    assert mutation.main(["ucb1", "--json", str(file)]) == 2
    assert "is no file of automatic mutants" in capsys.readouterr().err


def test_counts_are_in_the_order_of_the_words() -> None:
    assert counts(["alive", "formula", "property", "formula"]) == "4 mutants: 1 property, 2 formula, 1 alive."


@pytest.mark.long
def test_what_is_shipped_is_current_and_on_the_page() -> None:
    """Before a release: every learner was run on its present text, nothing lives, and the docs page is made of it."""
    known, records = mutation.learners(), read(stored_in("proofs_check"))
    assert set(records) == set(known)
    for name, record in records.items():
        assert record.digest == digest_of(mutation.faithful_of(name)), name
        assert not [r.name for r in record.mutants if r.by in ("alive", "not run")], name
        claims = {c.id for c in known[name]}
        assert {r.detail for r in record.mutants if r.by in ("property", "theorem", "formula")} <= claims, name
    docs = Path(sys.modules["proofs_check"].__path__[0]).parent / "docs" / "theory" / "mutation.md"
    assert docs.read_text() == mutation.page(records, list(known))
