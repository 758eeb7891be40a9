"""Sokota et al. (2024): update equivalence and search by mirror descent.

On all small games with hidden cards and all small one-shot games (`proofs_check.lemmas.update_equivalence`).
Definition 1 is known at second hand; what it gives for one and for several searching players is derived, with constants
that the paper does not state.
"""

from __future__ import annotations

from proofs_check.lemmas.update_equivalence import (
    derivative,
    difference,
    equivalence,
    one_searcher,
    simultaneous,
    softmax_equivalence,
    three_points,
    tightness,
)
from proofs_check.papers._sokota2024_games import GAMES_CLAIMS
from theorylab.claim import Claim

LEMMAS = (
    equivalence, softmax_equivalence, difference, derivative, three_points, one_searcher, simultaneous, tightness,
)  # fmt: skip
claims = [*(Claim.of(x) for x in LEMMAS), *GAMES_CLAIMS]
