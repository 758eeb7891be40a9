"""Every automatic mutant of a learner is caught or listed as equivalent with its reason; the cheap learners at once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proofs_check.kill_matrix import learners
from proofs_check.mutants._equivalent import EQUIVALENT
from proofs_check.mutation import FATES, counts, differential_check, fates, main, markdown, places, stale
from tests.differential.cases import TABLE, differential
from theorylab.mutate import mutants
from theorylab.registry import find_learner

CHEAP = ("ucb1",)
LONG = tuple(name for name in learners() if name not in CHEAP)
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # mutants divide by zero


@pytest.mark.parametrize("name", [*CHEAP, *(pytest.param(n, marks=pytest.mark.long) for n in LONG)])
def test_every_mutant_is_caught_or_listed(name: str) -> None:
    found = list(fates(name))
    assert not [f.mutant.name for f in found if f.by in ("alive", "not run")], markdown(name, found)
    assert not stale(name, found)
    assert sum(f.by == "property" for f in found) >= len(found) / 3


@pytest.mark.parametrize(("name", "setting"), TABLE)
def test_the_faithful_learner_follows_its_transcription(name: str, setting: str) -> None:
    assert differential(find_learner(name, setting)) is None


def test_the_listed_are_mutants_with_reasons() -> None:
    for name, listed in EQUIVALENT.items():
        claim = learners()[name][0]
        known = {m.name for m in mutants(find_learner(claim.learner, claim.setting))}
        assert set(listed) <= known, name
        assert all(len(why) > 25 for why in listed.values())


def test_the_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """One mutant of each sort; without the list of equivalents, or the differential check, the same mutant is alive."""
    wanted = {
        "begin 2: st.N not written": "equivalent",
        "begin 2: 0 to 1": "property",
        "act 3: 2.0 doubled": "formula",
        "act 1: < to <=": "stopped",
        "act 11: ties to the last": "differential",
        "act 11: - 1 left out": "equivalent",
    }
    at = places("ucb1")
    found = {f.mutant.name: f.by for f in fates("ucb1", only=lambda m: m.name in wanted, at=at)}
    assert found == wanted
    monkeypatch.delitem(EQUIVALENT, "ucb1")
    monkeypatch.setattr("proofs_check.mutation.differential_check", lambda: None)
    alive = {f.mutant.name for f in fates("ucb1", only=lambda m: m.name.startswith("act 11"), at=at) if f.by == "alive"}
    assert {"act 11: ties to the last", "act 11: - 1 left out"} <= alive


def test_a_claim_that_does_not_hold_for_the_faithful_learner_is_left_out() -> None:
    from theorylab.kernel import kernel
    from theorylab.probe import Probe

    @kernel
    def broken(st, p, tr, t):  # type: ignore[no-untyped-def]
        return 1.0

    counts_ = next(c for c in learners()["ucb1"] if c.id == "auer2002.counts")
    wrong = replace(counts_, id="auer2002.wrong", quantity=Probe("wrong", broken))
    assert [c.id for place in places("ucb1", [counts_, wrong]) for c in place.claims] == ["auer2002.counts"]


def test_a_mutant_without_end_is_stopped() -> None:
    from proofs_check.mutation import _fate
    from theorylab.kernel import kernel

    @kernel
    def endless(st, p, t, rng):  # type: ignore[no-untyped-def]
        while st.N[0] >= 0:
            st.N[0] += 1
        return 0

    one = mutants(find_learner("ucb1"))[0]
    mutant = replace(one, learner=replace(find_learner("ucb1"), act=endless))
    assert _fate(mutant, places("ucb1"), None, 0.2) == ("stopped", "no end within the limit of CPU time")


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explore-then-commit"]) == 0
    assert capsys.readouterr().out.rstrip().endswith("2 equivalent.")
    assert main(["ucb9"]) == 2
    assert differential_check() is not None
    assert counts([]) == "0 mutants: ." and "property" in FATES
