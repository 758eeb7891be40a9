"""Random points of the simplex with + - * / and comparisons alone, so that a seed names one model on every machine."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["sparse_laws", "uniform_simplex"]


def uniform_simplex(rng: np.random.Generator, shape: tuple[int, ...], d: int) -> NDArray[np.float64]:
    """Points uniform on the simplex, that is Dirichlet(1,..,1): the d gaps of d-1 sorted uniforms; (*shape, d)."""
    cuts = np.sort(rng.random((*shape, d - 1)), axis=-1)
    edges = np.concatenate([np.zeros((*shape, 1)), cuts, np.ones((*shape, 1))], axis=-1)
    return np.diff(edges, axis=-1)


def sparse_laws(rng: np.random.Generator, shape: tuple[int, ...], S: int, b: int) -> NDArray[np.float64]:
    """Laws on b distinct states of S: the states first, then their probabilities by `uniform_simplex`; (*shape, S)."""
    order = np.argsort(rng.random((*shape, S)), axis=-1, kind="stable")[..., :b]
    laws = np.zeros((*shape, S))
    np.put_along_axis(laws, order, uniform_simplex(rng, shape, b), axis=-1)
    return laws
