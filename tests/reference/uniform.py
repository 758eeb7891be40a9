"""Uniform choice of an arm from one uniform number: arm = min(floor(u A), A - 1), u in [0, 1).

For a 64-bit u <= 1 - 2**-53 the rounded product u A stays below A, so the guard min(., A - 1) never fires [derived]:
A 2**-53 is at least half the spacing of the doubles just below A. It matters only if u = 1.0 is handed in.
"""

from __future__ import annotations

import math


def uniform_arm(u: float, A: int) -> int:
    """Arm in 0..A-1 for a uniform number u in [0, 1)."""
    return min(math.floor(u * A), A - 1)
