"""Kakade (2001): the natural policy gradient of softmax policies."""

from __future__ import annotations

from proofs_check.lemmas.policy_gradient import natural
from theorylab.claim import Claim

claims = [Claim.of(natural)]
