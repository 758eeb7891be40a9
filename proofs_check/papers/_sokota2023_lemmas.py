"""What sokota2023 says of all matrix games, quadratics and logits, and the repaired stepsize of its corollary D.6."""

from __future__ import annotations

from proofs_check.lemmas.magnetic import contraction, operator, range_contraction, repaired, spectrum, steps
from theorylab.claim import Claim

LEMMAS = tuple(Claim.of(x) for x in (operator, contraction, range_contraction, repaired, spectrum, steps))
