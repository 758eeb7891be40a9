"""What a kernel's source may use: the decorator, elementary functions and samplers, and addressed draws.

    from theorylab.kernel import kernel, log, sqrt

`math.*` and `np.*` functions other than `sqrt` are refused inside kernels by a test, since they differ in the last
bit between targets. See `theorylab.compiler` for how a kernel is built.
"""

from __future__ import annotations

from math import sqrt

from theorylab.compiler import Kernel, kernel
from theorylab.rng import ENVIRONMENT, INITIAL, LEARNER, Rng, draw, draw_indexed
from theorylab.special import beta, exp, gamma, log, normal, normal_inverse

__all__ = [
    "ENVIRONMENT", "INITIAL", "LEARNER", "Kernel", "Rng", "beta", "draw", "draw_indexed", "exp", "gamma", "kernel",
    "log", "normal", "normal_inverse", "sqrt",
]  # fmt: skip
