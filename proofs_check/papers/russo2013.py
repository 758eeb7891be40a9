"""Russo and Van Roy (2013): wide confidence sets counted by the eluder dimension."""

from __future__ import annotations

from proofs_check.lemmas.eluder import counting
from theorylab.claim import Claim

claims = [Claim.of(counting)]
