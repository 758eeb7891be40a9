"""Planted faults of magnetic mirror descent and of mirror descent: each is caught, nothing is caught without one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.proofs.kills import CHECKS, names

SOLVERS = ("mirror-descent", "mmd", "mmd-dilated")


def test_the_solvers_have_claims() -> None:
    assert set(SOLVERS) <= set(names("game"))


@pytest.mark.parametrize("name", SOLVERS)
@pytest.mark.parametrize("check", CHECKS, ids=lambda c: c.__name__)
def test_faults_and_claims(check: Callable[[str], None], name: str) -> None:
    check(name)
