"""Cao (1999): the difference of two average rewards."""

from __future__ import annotations

from proofs_check.lemmas.performance_difference import average
from theorylab.claim import Claim

claims = [Claim.of(average)]
