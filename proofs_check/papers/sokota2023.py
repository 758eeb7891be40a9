"""Sokota et al. (2023): magnetic mirror descent. Lemmas on all small instances: `proofs_check.lemmas.magnetic`."""

from __future__ import annotations

from proofs_check.papers._sokota2023_lemmas import LEMMAS

claims = [*LEMMAS]
