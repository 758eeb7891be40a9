"""Tsybakov (2009): distances of laws."""

from __future__ import annotations

from proofs_check.lemmas.divergences import hellinger, pinsker
from theorylab.claim import Claim

claims = [Claim.of(x) for x in (pinsker, hellinger)]
