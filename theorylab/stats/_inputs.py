"""Checks of input shared by the statistics: probabilities in (0,1), counts, samples; each names the offending entry."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from theorylab.errors import InputError

__all__ = ["FloatArray", "count", "finite_array", "inside_unit", "successes"]

FloatArray = NDArray[np.float64]


def inside_unit(name: str, value: Any) -> float:
    """`value` as a float strictly between 0 and 1; anything else (NaN too) raises InputError."""
    try:
        v = float(value)
    except (TypeError, ValueError):
        raise InputError(f"{name}={value!r} is not a number; give {name} strictly between 0 and 1") from None
    if not 0.0 < v < 1.0:
        raise InputError(f"{name}={v!r} is outside (0, 1); give {name} strictly between 0 and 1")
    return v


def count(name: str, value: Any, least: int = 0) -> int:
    """`value` as an int >= `least`; a fractional, negative or missing count raises InputError."""
    try:
        v = int(value)
        whole = bool(v == value)
    except (TypeError, ValueError, OverflowError):
        whole = False
        v = 0
    if not whole or v < least:
        raise InputError(f"{name}={value!r} is not a count; give {name} as a whole number, at least {least}")
    return v


def finite_array(name: str, values: ArrayLike, *, infinite: bool = False) -> FloatArray:
    """`values` as a float64 array without NaN (and without +-inf unless `infinite`), or InputError naming the entry."""
    try:
        v = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(f"{name} is not an array of numbers; give a rectangular array of floats") from None
    bad = np.isnan(v) if infinite else ~np.isfinite(v)
    if bad.any():
        at = tuple(int(i) for i in np.argwhere(bad)[0])
        where = f"[{','.join(map(str, at))}]" if at else ""
        need = "a number" if infinite else "a finite number"
        raise InputError(f"{name}{where}={float(v[at])!r}; every entry must be {need}: mend or drop that entry")
    return v


def successes(x: ArrayLike, n: ArrayLike, *, whole: bool) -> tuple[FloatArray, FloatArray]:
    """Broadcast (x, n) with n whole and 0 <= x <= n; with `whole` the x must be whole numbers too."""
    xs, ns = finite_array("x", x), finite_array("n", n)
    try:
        xs, ns = (np.asarray(v) for v in np.broadcast_arrays(xs, ns))
    except ValueError:
        raise InputError(f"x has shape {xs.shape} and n has shape {ns.shape}; give shapes that broadcast") from None
    for bad, why in (
        ((ns < 0) | (ns != np.floor(ns)), "n must be a whole number, at least 0"),
        (xs < 0, "x must be at least 0"),
        (xs > ns, "x must be at most n"),
        ((xs != np.floor(xs)) & whole, "x must be a whole number of violations"),
    ):
        if bad.any():
            at = tuple(int(i) for i in np.argwhere(bad)[0])
            where = f" at [{','.join(map(str, at))}]" if at else ""
            raise InputError(f"x={float(xs[at])!r}, n={float(ns[at])!r}{where}: {why}; mend that entry")
    return xs, ns
