"""Kearns and Singh (2002): the simulation lemma, with equal and with different rewards."""

from __future__ import annotations

from proofs_check.lemmas.simulation_lemma import same_rewards, two_rewards
from theorylab.claim import Claim

claims = [Claim.of(x) for x in (same_rewards, two_rewards)]
