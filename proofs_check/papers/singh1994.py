"""Singh and Yee (1994): what the greedy policy of inexact values loses."""

from __future__ import annotations

from proofs_check.lemmas.bellman import greedy_loss
from theorylab.claim import Claim

claims = [Claim.of(greedy_loss)]
