"""Kakade and Langford (2002): the performance-difference lemma."""

from __future__ import annotations

from proofs_check.lemmas.performance_difference import discounted
from theorylab.claim import Claim

claims = [Claim.of(discounted)]
