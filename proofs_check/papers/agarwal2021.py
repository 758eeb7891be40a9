"""Agarwal, Kakade, Lee and Mahajan (2021): softmax policy gradients and what a natural step gains."""

from __future__ import annotations

from proofs_check.lemmas.policy_gradient import gradient, improvement
from theorylab.claim import Claim

claims = [Claim.of(x) for x in (gradient, improvement)]
