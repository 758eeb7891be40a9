"""Checks of the parameters of families: messages name the family, the parameter, its value and the mend."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from theorylab.errors import InputError, nearest

__all__ = ["LARGEST", "choice", "flag", "integer", "number", "room"]

LARGEST = 2**28  # entries of the largest array that a family builds: 2 GiB


def integer(family: str, name: str, value: Any, low: int, high: int | None = None) -> int:
    """`value` as an int with low <= value (<= high)."""
    fits = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not fits or value < low or (high is not None and value > high):
        bounds = f">= {low}" if high is None else f"in {low}..{high}"
        raise InputError(f"{family}: {name} is {value!r}; give an integer {bounds}")
    return int(value)


def number(family: str, name: str, value: Any, low: float, high: float = math.inf, open_low: bool = False) -> float:
    """`value` as a finite float with low <= value <= high, or low < value with `open_low`."""
    x = math.nan
    if isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool):
        try:
            x = float(value)
        except OverflowError:
            x = math.inf
    if not math.isfinite(x) or not low <= x <= high or (open_low and x == low):
        top = "inf)" if high == math.inf else f"{high:g}]"
        raise InputError(f"{family}: {name} is {value!r}; give a number in {'(' if open_low else '['}{low:g}, {top}")
    return x


def choice(family: str, name: str, value: Any, known: Iterable[str]) -> str:
    """`value` as one of the `known` texts."""
    names = list(known)
    if not isinstance(value, str):
        raise InputError(f"{family}: {name} is {value!r}; give one of: {', '.join(names)}")
    if value not in names:
        near = nearest(value, names)
        near = "" if near.startswith("; known") else near
        raise InputError(f"{family}: unknown {name} '{value}'{near}; known: {', '.join(names)}")
    return value


def flag(family: str, name: str, value: Any) -> bool:
    """`value` as True or False; texts such as "false" and numbers are refused, not taken for true."""
    if not isinstance(value, (bool, np.bool_)):
        raise InputError(f"{family}: {name} is {value!r}; give True or False")
    return bool(value)


def room(family: str, what: str, *shape: int, mend: str = "choose a smaller model") -> None:
    """Refuse to build an array of that shape with more than `LARGEST` entries."""
    entries = min(math.prod(shape), 2**1000)  # more would be no float
    if entries > LARGEST:
        raise InputError(
            f"{family}: {what} of shape ({', '.join(map(str, shape))}) takes {8 * entries / 2**30:.3g} GiB; {mend}"
        )
