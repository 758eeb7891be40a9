"""Planted faults of the learners of the setting "bandit": each is caught, nothing is caught without one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.proofs.kills import CHECKS, names


@pytest.mark.parametrize("name", names("bandit"))
@pytest.mark.parametrize("check", CHECKS, ids=lambda c: c.__name__)
def test_faults_and_claims(check: Callable[[str], None], name: str) -> None:
    check(name)
