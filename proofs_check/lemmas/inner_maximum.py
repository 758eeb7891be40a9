"""Inner maxima of extended value iteration: the learners' kernels against certificates of optimality, on all models.

For a visited pair with empirical law p and values u, each kernel returns max q u over a set of laws. A row q certifies
the value from below when it is in the set; a Lagrangian dual bound certifies it from above, whatever found the row
[derived; linear programs agree, see the tests]:

    box  low <= q <= high       q u <= x + sum_i high_i (u_i - x)^+ - low_i (x - u_i)^+                  for every x
    l1   |q - p|_1 <= r         q u <= x + (u* - x) r + sum_i p_i max(u_i - x, x - u*)                   for x <= u*
    KL   KL(p, q) <= r          q u <= nu - exp(sum_i p_i ln(nu - u_i) - r)                              for nu >= u*

with u* = max u. The first two are least at a break point (x = u_i, x = (u_i + u*) / 2), the third at the row's own
multiplier: q_i (nu - u_i) / p_i is the same on the support. Each function returns the largest violation over a batch
of random cases (laws with zeros, ties in u, radii from tiny to everything) and where; the false twins take the sets
to be a tenth smaller than the kernels do.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mdps.learners import kl_ucrl, ucrl2, ucrl2b

__all__ = [
    "Case", "box_excess", "box_row", "false_box_excess", "false_kl_excess", "false_l1_excess", "kl_excess", "kl_row",
    "l1_excess", "l1_value",
]  # fmt: skip

Floats = NDArray[np.float64]
Case = tuple[Floats, Floats, int]
CASES = 40


def _state(p_hat: Floats, u: Floats, n: int, **fields: Any) -> tuple[Any, Any]:
    """State and parameters of a learner on one pair: the fields that its inner maximum reads."""
    S = len(u)
    order = np.array(sorted(range(S), key=lambda s: (-u[s], s)))
    st = SimpleNamespace(
        N=np.array([[n]]), p_hat=p_hat[None, None], u=u.copy(), law=np.zeros((1, 1, S)), order=order, best=order[:1]
    )
    for name, value in fields.items():
        setattr(st, name, np.asarray(value)[None, None])
    return st, SimpleNamespace(S=S, A=1)


def box_row(p_hat: Floats, low: Floats, high: Floats, u: Floats) -> tuple[float, Floats]:
    """UCRL2B's inner maximum and its row."""
    st, p = _state(p_hat, u, 1, low=low, high=high, free=1.0 - low.sum())
    return float(ucrl2b.box_maximum(st, p, 0, 0)), st.law[0, 0]


def l1_value(p_hat: Floats, radius: float, u: Floats) -> float:
    """UCRL2's inner maximum."""
    st, p = _state(p_hat, u, 1, radius_p=radius)
    return float(ucrl2.inner_maximum(st, p, 0, 0))


def kl_row(p_hat: Floats, radius: float, u: Floats) -> tuple[float, Floats]:
    """KL-UCRL's inner maximum and its row."""
    st, p = _state(p_hat, u, 1, radius_p=radius)
    return float(kl_ucrl.kl_maximum(st, p, 0, 0)), st.law[0, 0]


def case(rng: np.random.Generator) -> Case:
    """An empirical law of n draws, values with ties (the span from small to large), and n."""
    S, n = int(rng.integers(2, 9)), int(np.exp(rng.uniform(0, np.log(5000))))
    weights = rng.dirichlet(np.full(S, rng.choice([0.1, 1.0, 5.0])))
    u = rng.integers(0, 4, S) / 4.0 if rng.random() < 0.4 else rng.random(S)
    return rng.multinomial(n, weights) / n, u * 10.0 ** rng.uniform(-2, 1) + rng.choice([0.0, 5.0]), n


def box_of(p_hat: Floats, width: Floats, shrink: float) -> tuple[Floats, Floats]:
    """Ends of the box around a law, its half-widths multiplied by `shrink`."""
    return np.maximum(0.0, p_hat - shrink * width), np.minimum(1.0, p_hat + shrink * width)


def _box(rng: np.random.Generator, shrink: float) -> float:
    p_hat, u, n = case(rng)
    x = rng.uniform(0.1, 10.0)
    width = 2.0 * np.sqrt(p_hat * (1.0 - p_hat) * x / n) + 6.0 * x / n
    value, row = box_row(p_hat, *box_of(p_hat, width, 1.0), u)
    low, high = box_of(p_hat, width, shrink)
    bounds = [x + float(np.sum(np.where(u > x, high, low) * (u - x))) for x in u]
    sides = (
        abs(row.sum() - 1.0),
        (row - high).max(),
        (low - row).max(),
        abs(value - row @ u),
        abs(value - min(bounds)),
    )
    return float(max(sides))


def _l1(rng: np.random.Generator, shrink: float) -> float:
    p_hat, u, n = case(rng)
    radius = math.sqrt(rng.uniform(0.1, 20.0) / n)
    top, r = float(u.max()), shrink * radius
    bounds = [
        x + (top - x) * r + float(p_hat @ np.maximum(u - x, x - top)) for x in (*((u + top) / 2.0), (u.min() - 1.0))
    ]
    return float(abs(l1_value(p_hat, radius, u) - min(*bounds, top)))


def _kl(rng: np.random.Generator, shrink: float) -> float:
    p_hat, u, n = case(rng)
    radius = float(rng.uniform(0.1, 20.0) / n)
    value, row = kl_row(p_hat, radius, u)
    r, top, seen = shrink * radius, float(u.max()), p_hat > 0
    if row[seen].min() <= 0.0:
        return math.inf
    distance = float(p_hat[seen] @ np.log(p_hat[seen] / row[seen]))
    near, far = (int(np.flatnonzero(seen)[i]) for i in (np.argmax(u[seen]), np.argmin(u[seen])))
    ratio = row[[near, far]] / p_hat[[near, far]]
    nu = 0.0
    if ratio[0] > ratio[1] and row[~seen].sum() == 0.0:  # mass outside the support: nu = u*
        nu = max(0.0, float(ratio[1] * (top - u[far]) - ratio[0] * (top - u[near])) / float(ratio[0] - ratio[1]))
    gaps = nu + top - u[seen]
    bound = top + nu - (math.exp(float(p_hat[seen] @ np.log(gaps)) - r) if gaps.min() > 0 else 0.0)
    sides = [abs(row.sum() - 1.0), float(-row.min()), distance - r, abs(value - row @ u), abs(value - bound)]
    if value < top - 1e-12 * max(1.0, abs(top)):
        sides.append(abs(distance - r))
    return float(max(sides))


def _worst(
    one: Callable[[np.random.Generator, float], float], rng: np.random.Generator, shrink: float
) -> tuple[float, str]:
    found = [one(rng, shrink) for _ in range(CASES)]
    at = int(np.argmax(found))
    return found[at], f"case {at} of {CASES}"


def box_excess(rng: np.random.Generator) -> tuple[float, str]:
    """Largest violation for UCRL2B's boxes."""
    return _worst(_box, rng, 1.0)


def l1_excess(rng: np.random.Generator) -> tuple[float, str]:
    """Largest distance of UCRL2's value from the least dual bound."""
    return _worst(_l1, rng, 1.0)


def kl_excess(rng: np.random.Generator) -> tuple[float, str]:
    """Largest violation for KL-UCRL's balls."""
    return _worst(_kl, rng, 1.0)


def false_box_excess(rng: np.random.Generator) -> tuple[float, str]:
    """The false twin: boxes a tenth narrower."""
    return _worst(_box, rng, 0.9)


def false_l1_excess(rng: np.random.Generator) -> tuple[float, str]:
    """The false twin: l1 balls a tenth smaller."""
    return _worst(_l1, rng, 0.9)


def false_kl_excess(rng: np.random.Generator) -> tuple[float, str]:
    """The false twin: KL balls a tenth smaller."""
    return _worst(_kl, rng, 0.9)
