"""Chen and Teboulle (1993): the three-point identity of Bregman divergences."""

from __future__ import annotations

from proofs_check.lemmas.mirror_descent import three_points
from theorylab.claim import Claim

claims = [Claim.of(three_points)]
