"""Ridge regression on the plays of finitely many arms: the pieces that learners of linear bandits share.

V = lam I + sum_a N_a x_a x_a^T,     theta = V^-1 sum x r,     ||x||_V^2 = x^T V x
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from theorylab.errors import InputError
from theorylab.kernel import combine, kernel


@kernel
def along(p, x, out):
    """out[a] = <x_a, x> for every arm."""
    combine(p.columns, x, out, p.A, p.d)


@kernel
def first_largest(value, A):
    """The lowest arm with the largest value: the maximum first, then a search that does not mispredict."""
    top = value[0]
    for a in range(1, A):
        top = max(top, value[a])
    best = 0
    while best < A - 1 and value[best] != top:
        best += 1
    return best


def constants(name: str, p: dict[str, Any]) -> dict[str, Any]:
    """Arrays and constants that do not depend on the radius: the columns of the features, sqrt(lam) S_theta, L^2.

    Raises:
        InputError: a parameter outside its range, or a lam that float64 cannot carry.
    """
    x = np.asarray(p["features"])
    longest = float((x * x).sum(axis=1).max())
    for key in ("lam", "R", "S_theta"):
        if not p[key] > 0.0:
            raise InputError(f"learner '{name}': {key}={p[key]} must be positive")
    if p["lam"] < 1e-8 * longest:
        raise InputError(
            f"learner '{name}': with lam={p['lam']:g} rounding would decide where there is no data; give lam >= "
            f"{1e-8 * longest:.3g}, 1e-8 of max ||x||^2"
        )
    bias = math.sqrt(p["lam"]) * p["S_theta"]
    return dict(columns=np.ascontiguousarray(x.T), longest=longest, bias=bias)
