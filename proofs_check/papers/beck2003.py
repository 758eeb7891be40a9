"""Beck and Teboulle (2003): regret of mirror descent, the Euclidean case as an identity."""

from __future__ import annotations

from proofs_check.lemmas.mirror_descent import gradient_steps
from theorylab.claim import Claim

claims = [Claim.of(gradient_steps)]
