"""Statistics of the verdicts: pure functions on numbers per replicate, with their guarantees.

    bernoulli      a violation rate against delta: e-processes, stopping tables, exact limits, planning
    quantile       interval of a quantile by order statistics; the best constant of a bound
    vacuity        from which size on a bound is below the trivial one
    multiplicity   Holm, e-Holm, e-BH

Nothing here draws random numbers or knows an algorithm. Only numpy and scipy.special are imported: scipy.stats
costs most of a second at import.
"""

from __future__ import annotations

from theorylab.stats.bernoulli import (
    boundary,
    clopper_pearson_lower,
    clopper_pearson_upper,
    interval,
    limits,
    log_e_refute,
    log_e_support,
    n_support,
    step,
    zero_violation_stop,
)
from theorylab.stats.multiplicity import e_bh, e_holm, holm
from theorylab.stats.quantile import best_constant, least_n, order_interval
from theorylab.stats.vacuity import nonvacuous_from, nonvacuous_from_callable

__all__ = [
    "best_constant",
    "boundary",
    "clopper_pearson_lower",
    "clopper_pearson_upper",
    "e_bh",
    "e_holm",
    "holm",
    "interval",
    "least_n",
    "limits",
    "log_e_refute",
    "log_e_support",
    "n_support",
    "nonvacuous_from",
    "nonvacuous_from_callable",
    "order_interval",
    "step",
    "zero_violation_stop",
]
