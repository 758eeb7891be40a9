"""Claims on coins: one round of a bandit whose only arm pays with probability p violates at rate p."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from theorylab.assume import bandit, rewards_in_01
from theorylab.claim import Claim, Control, HighProbability, Instance
from theorylab.kernel import kernel
from theorylab.learner import Learner
from theorylab.probe import Probe
from theorylab.registry import find_learner
from theorylab.rng import ENVIRONMENT, Rng, draw, key_words


@kernel
def paid(st: Any, p: Any, tr: Any, t: Any) -> Any:
    """Positive where the round paid."""
    return tr.r - 0.5


@kernel
def outside(st: Any, p: Any, t: Any, rng: Any) -> Any:
    """An arm that does not exist."""
    return p.A


def coin(p: float, length: int = 1) -> Instance:
    return Instance("bernoulli", length, {"means": (p,)})


def faithful() -> Learner:
    found = find_learner("uniform", "bandit")
    assert isinstance(found, Learner)
    return found


#: a fault that every claim on coins catches; and one that stops the loop, which counts for no claim
CAUGHT = Control("a coin that always pays", faithful(), coin(1.0), replicates=128)
STOPPED = Control("an arm that does not exist", replace(faithful(), act=outside))


def claim(rate: float, *ps: float, kind: Any = None, controls: tuple[Control, ...] = (CAUGHT,), **more: Any) -> Claim:
    """The claim "the round pays with probability at most `rate`" on coins of rates `ps`."""
    given: dict[str, Any] = dict(
        id="coins.rate",
        text="The round pays with probability at most delta.",
        source_tag="derived",
        learner="uniform",
        kind=kind or HighProbability(rate),
        quantity=Probe("paid", paid),
        instances={"quick": tuple(coin(p) for p in ps)},
        control_instance=coin(0.5),
        assumes=(bandit, rewards_in_01),
        controls=controls,
    )
    return Claim(**{**given, **more})


def tosses(p: float, n: int, seed: int = 0) -> np.ndarray:
    """1.0 where replicate i pays, i < n, from the addressed draws."""
    k0, k1 = (int(k) for k in key_words(seed))
    return np.array([float(draw(Rng(k0, k1, i), 0, 0, ENVIRONMENT)[1] < p) for i in range(n)])
