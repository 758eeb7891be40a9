"""Sobel (1982): the law of total variance of returns."""

from __future__ import annotations

from proofs_check.lemmas.total_variance import discounted, stages
from theorylab.claim import Claim

claims = [Claim.of(x) for x in (discounted, stages)]
