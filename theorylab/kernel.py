"""What a kernel's source may use: the decorator, elementary functions, samplers, addressed draws, dense algebra.

    from theorylab.kernel import kernel, log, sqrt

`math.*` and `np.*` functions other than `sqrt` are refused inside kernels by a test, since they differ in the last
bit between targets. See `theorylab.compiler` for how a kernel is built.
"""

from __future__ import annotations

from math import sqrt

from theorylab.algebra import (
    cholesky,
    combine,
    dot,
    invert_factor,
    log_det_factor,
    product,
    quadratic,
    rank_one_inverse,
    solve_lower,
    solve_lower_transposed,
)
from theorylab.compiler import Kernel, kernel
from theorylab.rng import ENVIRONMENT, INITIAL, LEARNER, Rng, draw, draw_indexed
from theorylab.special import beta, exp, exp_each, gamma, log, log_each, normal, normal_inverse

__all__ = [
    "ENVIRONMENT", "INITIAL", "LEARNER", "Kernel", "Rng", "beta", "cholesky", "combine", "dot", "draw", "draw_indexed",
    "exp", "exp_each", "gamma", "invert_factor", "kernel", "log", "log_det_factor", "log_each", "normal",
    "normal_inverse", "product", "quadratic", "rank_one_inverse", "solve_lower", "solve_lower_transposed", "sqrt",
]  # fmt: skip
