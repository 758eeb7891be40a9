"""Hypercube actions of lower bounds: action a is a vector of signs, and the hidden parameter is one of them.

`actions(n)` is float64 (2^n, n): entry j of row a is +1 where bit j of a is set, else -1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from theorylab.errors import InputError
from theorylab.parameters import integer

__all__ = ["MAX_SIGNS", "actions", "best_actions"]

MAX_SIGNS = 12  # 2^12 = 4096 actions


def actions(n: int) -> NDArray[np.float64]:
    """All vectors of n signs, (2^n, n)."""
    bits = (np.arange(2**n)[:, None] >> np.arange(n)) & 1
    return 2.0 * bits.astype(np.float64) - 1.0


def best_actions(family: str, good: Any, n: int, stages: int) -> list[int]:
    """The best action of each stage: `good` (one action, or one a stage); all signs +1, the last action, for None."""
    count = 2**n
    if good is None:
        good = count - 1
    several = (isinstance(good, Sequence) and not isinstance(good, (str, bytes))) or np.ndim(good) == 1
    chosen = list(good) if several else [good] * stages
    if len(chosen) != stages:
        raise InputError(f"{family}: good has {len(chosen)} entries; give one action, or {stages}, one a stage")
    return [integer(family, "good", a, 0, count - 1) for a in chosen]
