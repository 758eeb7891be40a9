"""Puterman (1994): the Bellman operators, discounted and on average, and their residuals."""

from __future__ import annotations

from proofs_check.lemmas.average_reward import gain_bias_residual, residual, span_contraction
from proofs_check.lemmas.bellman import contraction, monotonicity
from theorylab.claim import Claim

claims = [Claim.of(x) for x in (contraction, monotonicity, residual, gain_bias_residual, span_contraction)]
