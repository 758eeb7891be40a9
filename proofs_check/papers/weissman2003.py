"""Weissman, Ordentlich, Seroussi, Verdu and Weinberger (2003): the l1 deviation of an empirical law."""

from __future__ import annotations

from proofs_check.lemmas.divergences import l1_deviation
from theorylab.claim import Claim

claims = [Claim.of(l1_deviation)]
