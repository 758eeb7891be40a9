"""Spaces of instances for a worst-case search: named blocks of probabilities and of bounded numbers.

A point is a dictionary of arrays, such as {"P": (S,A,S), "r": (S,A)}. Axes carry letters, so that two states can be
merged in every block at once. For the search a point is a vector: logits for rows of probabilities (softmax), for
numbers in [low, high] the logit of their place in it; every vector is a valid point and nothing needs repair. The
logits of a point on the boundary are infinite: `encode` gives those of a point at distance `EDGE` from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from theorylab.errors import InputError
from theorylab.validate import SUM_TOLERANCE

__all__ = ["EDGE", "Interval", "Point", "Rows", "Space", "nearest_fraction", "small_fractions"]

Floats: TypeAlias = NDArray[np.float64]
Point: TypeAlias = dict[str, Floats]

#: probabilities (and places in an interval) below it are raised to it where a known instance becomes logits
EDGE = 1e-3


@dataclass(frozen=True, eq=False)
class Rows:
    """Probabilities: every row along the last axis sums to 1.

    Attributes:
        axes: a letter for each axis, such as "SAS". fixed: values that are kept instead of being searched.
    """

    axes: str
    fixed: Floats | None = None


@dataclass(frozen=True)
class Interval:
    """Numbers in [low, high]; `axes` has a letter for each axis, such as "SA"."""

    axes: str
    low: float = 0.0
    high: float = 1.0

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise InputError(f"Interval: low={self.low} is not below high={self.high}; give a range to search")


@dataclass(frozen=True)
class Space:
    """Blocks by name, and the size of each letter.

    Raises `InputError` for a letter without a size, or a size below 1.
    """

    blocks: Mapping[str, Rows | Interval]
    sizes: Mapping[str, int]

    def __post_init__(self) -> None:
        for name, block in self.blocks.items():
            for letter in block.axes:
                if self.sizes.get(letter, 0) < 1:
                    raise InputError(f"block {name}: axis '{letter}' has no size >= 1; give sizes={{'{letter}': ...}}")

    def shape(self, name: str) -> tuple[int, ...]:
        """Shape of a block."""
        return tuple(self.sizes[letter] for letter in self.blocks[name].axes)

    def searched(self) -> dict[str, Rows | Interval]:
        """The blocks that are not fixed."""
        return {k: b for k, b in self.blocks.items() if isinstance(b, Interval) or b.fixed is None}

    @property
    def size(self) -> int:
        """Number of coordinates of a vector."""
        return sum(int(np.prod(self.shape(name))) for name in self.searched())

    def decode(self, x: Floats) -> Point:
        """The point of a vector (size,)."""
        point: Point = {k: b.fixed for k, b in self.blocks.items() if isinstance(b, Rows) and b.fixed is not None}
        at = 0
        for name, block in self.searched().items():
            shape = self.shape(name)
            part = x[at : at + int(np.prod(shape))].reshape(shape)
            at += part.size
            if isinstance(block, Rows):
                weights = np.exp(part - part.max(axis=-1, keepdims=True))
                point[name] = weights / weights.sum(axis=-1, keepdims=True)
            else:
                place = 0.5 * (1.0 + np.tanh(0.5 * part))
                point[name] = np.minimum(block.low + (block.high - block.low) * place, block.high)
        return point

    def encode(self, point: Point) -> Floats:
        """The vector of a point, moved inside by `EDGE` where it lies on the boundary."""
        parts = [np.zeros(0)]
        for name, block in self.searched().items():
            value = point[name]
            if isinstance(block, Rows):
                parts.append(np.log(np.maximum(value, EDGE)).ravel())
            else:
                place = np.clip((value - block.low) / (block.high - block.low), EDGE, 1.0 - EDGE)
                parts.append((np.log(place) - np.log1p(-place)).ravel())
        return np.concatenate(parts)

    def checked(self, point: Mapping[str, object], what: str = "the point") -> Point:
        """A private float64 copy; `InputError` names a missing block, a shape, a range or a row that does not fit."""
        out: Point = {}
        for name, block in self.blocks.items():
            if name not in point:
                raise InputError(f"{what} has no block '{name}'; give {', '.join(self.blocks)}")
            value = np.array(point[name], dtype=float)
            if value.shape != self.shape(name):
                raise InputError(f"{what}: {name} has shape {value.shape}; this search has {self.shape(name)}")
            low, high = (0.0, 1.0 + SUM_TOLERANCE) if isinstance(block, Rows) else (block.low, block.high)
            bad = np.argwhere(~((value >= low) & (value <= high)))
            if bad.size:
                at = tuple(int(i) for i in bad[0])
                raise InputError(
                    f"{what}: {name}{list(at)} is {float(value[at])!r}, outside [{low:g}, {high:g}]; correct it"
                )
            if isinstance(block, Rows):
                off = np.argwhere(np.abs(value.sum(axis=-1) - 1.0) > SUM_TOLERANCE)
                if off.size:
                    at = tuple(int(i) for i in off[0])
                    raise InputError(
                        f"{what}: row {name}{list(at)} sums to {float(value[at].sum())!r}, not to 1; correct it"
                    )
            out[name] = value
        return out

    def random(self, rng: np.random.Generator, concentration: float = 1.0) -> Point:
        """A random point: Dirichlet rows of that concentration (1: uniform on the simplex), uniform numbers."""
        point: Point = {}
        for name, block in self.blocks.items():
            shape = self.shape(name)
            if isinstance(block, Interval):
                point[name] = rng.uniform(block.low, block.high, shape)
            elif block.fixed is not None:
                point[name] = block.fixed
            else:
                point[name] = rng.dirichlet(np.full(shape[-1], concentration), shape[:-1])
        return point

    def merged(self, point: Point, letter: str, keep: int, drop: int) -> tuple[Space, Point]:
        """Index `drop` of a letter joined to `keep`: its rows and numbers go, probabilities of reaching it add up."""
        smaller: Point = {}
        blocks = dict(self.blocks)
        for name, block in self.blocks.items():
            value = point[name].copy()
            for axis, other in enumerate(block.axes):
                if other != letter:
                    continue
                if isinstance(block, Rows) and axis == value.ndim - 1:
                    value[..., keep] += value[..., drop]
                value = np.delete(value, drop, axis)
            smaller[name] = value
            if isinstance(block, Rows) and block.fixed is not None:
                blocks[name] = replace(block, fixed=value)
        return Space(blocks, {**self.sizes, letter: self.sizes[letter] - 1}), smaller


def small_fractions(values: Floats, denominator: int) -> Floats:
    """The row k/d with integers k that add up to d nearest to a row (n,) of probabilities, by largest remainders."""
    scaled = values * denominator
    whole = np.floor(scaled + 1e-9)
    missing = denominator - int(whole.sum())
    order = np.argsort(-(scaled - whole), kind="stable")
    whole[order[:missing]] += 1.0
    return whole / denominator


def nearest_fraction(value: float, low: float, high: float, denominator: int) -> float:
    """The nearest k/d to a number within [low, high]; the nearer end where there is none."""
    return min(max(round(value * denominator) / denominator, low), high)
