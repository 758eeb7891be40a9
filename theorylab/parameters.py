"""Checks of the scalar parameters of families: messages name the family, the parameter, its value and the mend."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from theorylab.errors import InputError

__all__ = ["integer", "number"]


def integer(family: str, name: str, value: Any, low: int, high: int | None = None) -> int:
    """`value` as an int with low <= value (<= high)."""
    fits = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not fits or value < low or (high is not None and value > high):
        bounds = f">= {low}" if high is None else f"in {low}..{high}"
        raise InputError(f"{family}: {name} is {value!r}; give an integer {bounds}")
    return int(value)


def number(family: str, name: str, value: Any, low: float, high: float = math.inf, open_low: bool = False) -> float:
    """`value` as a finite float with low <= value <= high, or low < value with `open_low`."""
    fits = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    if not fits or not math.isfinite(value) or not low <= value <= high or (open_low and value == low):
        top = "inf)" if high == math.inf else f"{high:g}]"
        raise InputError(f"{family}: {name} is {value!r}; give a number in {'(' if open_low else '['}{low:g}, {top}")
    return float(value)
