"""Random points on a sphere, the same on every machine."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["sphere"]


def sphere(rng: np.random.Generator, shape: tuple[int, ...], d: int) -> NDArray[np.float64]:
    """Points uniform on the unit sphere of R^d, (*shape, d): normals by inversion of uniforms, divided by their norm.

    Built of + - * / and sqrt in a fixed order, so that a seed names one point on every machine.
    """
    from theorylab.special import normal_of

    x = np.array([normal_of(float(u)) for u in rng.random((*shape, d)).ravel()]).reshape(*shape, d)
    square = np.zeros(shape)
    for i in range(d):
        square = square + x[..., i] * x[..., i]
    out: NDArray[np.float64] = x / np.sqrt(square)[..., None]
    return out
