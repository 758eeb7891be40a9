"""Planted faults of the learners of the setting "average": each is caught, nothing is caught without one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.proofs.kills import CHECKS, names

#: their own tests plant some of the faults; all of them take half a minute
LONG: tuple[str, ...] = ("gosprl-diameter", "gosprl-explore", "max-ent")
LONG += ("optimistic-q", "mdp-oomd", "politex")
#: linear structure: ten seconds each
LONG += ("ucrl2-vtr", "loop-evi", "lscvi-ucb", "ucb-cvi", "olsvi-fh")
#: classes of models; `test_he2024` plants all of theirs
LONG += ("loop-models", "mle-loop")
#: all tables and classes of values: programs, or losses of a class at each step; see `test_loop_tabular`
LONG += ("loop", "loop-ascent", "loop-box", "loop-values")
#: bias spans; `test_scal_papers` runs all of theirs
LONG += ("scal", "pmevi-dt", "loop-linear", "fopo")
NAMES = [pytest.param(n, marks=pytest.mark.long) if n in LONG else n for n in names("average")]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("check", CHECKS, ids=lambda c: c.__name__)
def test_faults_and_claims(check: Callable[[str], None], name: str) -> None:
    check(name)
