"""Maurer and Pontil (2009): the empirical Bernstein inequality."""

from __future__ import annotations

from proofs_check.lemmas.empirical_bernstein import empirical_bernstein
from theorylab.claim import Claim

claims = [Claim.of(empirical_bernstein)]
