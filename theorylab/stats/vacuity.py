"""From which size on is a bound better than trivial?

A bound is vacuous at t while bound(t) >= trivial(t), trivial being what any algorithm satisfies (K H, T gap_max). The
reported number is the first t from which bound(t) < trivial(t) holds for good. `nonvacuous_from` reads it off arrays;
`nonvacuous_from_callable` searches up to t_max = 1e18, far beyond any run, in about 200 evaluations.

Assumption of the search: bound/trivial is decreasing from some point on; precisely, after the last point of the
doubling grid at which the bound is vacuous the comparison changes once. It is probed, not proved: the bound is vacuous
at t - 1 and below trivial at t, t + 1, t + 2, t + 4, ... up to t_max; a vacuous point among these restarts the search
behind it. [derived]
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from theorylab.errors import InputError
from theorylab.stats._inputs import count, finite_array

__all__ = ["nonvacuous_from", "nonvacuous_from_callable"]


def nonvacuous_from(bound: ArrayLike, trivial: ArrayLike, start: int = 1) -> int | None:
    """First index t from which bound < trivial up to the end of the arrays; None if the last entry is vacuous.

    Args: bound, shape (T,), entry i at index t = start + i; trivial, shape (T,) or a number. Infinite entries are
    allowed. Raises InputError for NaN, an empty array or shapes that differ.
    """
    b, first = finite_array("bound", bound, infinite=True), count("start", start)
    c = finite_array("trivial", trivial, infinite=True)
    if b.ndim != 1 or b.size == 0:
        raise InputError(f"bound has shape {b.shape}; give a non-empty array of shape (T,)")
    if c.ndim and c.shape != b.shape:
        raise InputError(f"trivial has shape {c.shape} and bound {b.shape}; give the same shape, or one number")
    vacuous = np.flatnonzero(b >= c)
    if vacuous.size == 0:
        return first
    last = int(vacuous[-1])
    return None if last == b.size - 1 else first + last + 1


def nonvacuous_from_callable(
    bound: Callable[[int], float], trivial: Callable[[int], float], *, start: int = 1, t_max: int = 10**18
) -> int | None:
    """First integer t >= start from which bound(t) < trivial(t), or None if the bound is still vacuous at t_max.

    Both are called with Python integers and must return numbers in the same reward units. See the module docstring for
    the assumption and how it is probed. Raises InputError if either returns NaN, or start > t_max.
    """
    first, top = count("start", start, 1), count("t_max", t_max, 1)
    if first > top:
        raise InputError(f"start={first} is above t_max={top}; give start <= t_max")

    def vacuous(t: int) -> bool:
        b, c = float(bound(t)), float(trivial(t))
        if b != b or c != c:
            raise InputError(f"bound({t})={b!r}, trivial({t})={c!r}: NaN; mend the formula at t={t}")
        return b >= c

    grid = [first]
    while grid[-1] < top:
        grid.append(min(2 * grid[-1], top))
    bad = [t for t in grid if vacuous(t)]
    if not bad:
        candidate, low = first, first - 1
    elif bad[-1] == top:
        return None
    else:
        low = bad[-1]
        candidate = grid[grid.index(low) + 1]
    while True:
        while candidate - low > 1:
            mid = (low + candidate) // 2
            low, candidate = (mid, candidate) if vacuous(mid) else (low, mid)
        probes = [candidate] + [candidate + 2**k for k in range(64) if candidate + 2**k <= top]
        later = [t for t in probes if vacuous(t)]
        if not later:
            return candidate
        if later[-1] == top:
            return None
        low = later[-1]  # the assumption failed before this point: search again behind it
        beyond = [t for t in [*probes, *grid, top] if t > low and not vacuous(t)]
        candidate = min(beyond)
