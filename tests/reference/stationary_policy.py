"""A stationary randomised policy: the action at u in [0, 1) is the smallest a with u < F(a), F its cumulative law.

Textbook inverse transform [derived]. Actions of probability zero are never played.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence


def action(law: Sequence[float], u: float) -> int:
    """The action at u; rounding at the end of the sums goes to the last possible action."""
    possible = [a for a, x in enumerate(law) if x > 0]
    for a, passed in zip(possible, itertools.accumulate(law[a] for a in possible), strict=True):
        if u < passed:
            return a
    return possible[-1]
