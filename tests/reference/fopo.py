"""FOPO's constants, and its transcription: that of linear LOOP with another set and trigger."""

from __future__ import annotations

import math

from tests.reference.loop_linear import Floats, LoopLinear

__all__ = ["constants", "transcription"]


def constants(sp: float, d: int, T: int, delta: float) -> tuple[float, float]:
    """radius and W: 20 (2 + sp) d sqrt(ln(T/delta)), (2 + sp) sqrt(d)."""
    return 20 * (2 + sp) * d * math.sqrt(math.log(T / delta)), (2 + sp) * math.sqrt(d)


def transcription(
    phi: Floats, r: Floats, sp: float, T: int, delta: float, scale: float, ridge: float = 1.0
) -> LoopLinear:
    """The algorithm with `scale` times the radius."""
    radius, W = constants(sp, phi.shape[2], T, delta)
    return LoopLinear(phi, r, (scale * radius) ** 2, math.inf, W, ridge, factor=None)
