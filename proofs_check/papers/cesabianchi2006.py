"""Cesa-Bianchi and Lugosi (2006): regret of exponential weights."""

from __future__ import annotations

from proofs_check.lemmas.mirror_descent import exponential_weights
from theorylab.claim import Claim

claims = [Claim.of(exponential_weights)]
