"""Statistics of the verdicts: pure functions on numbers per replicate, with their guarantees.

    stream         replicates in index order, which the sequential tests rest on
    bernoulli      a violation rate against delta: e-processes, stopping tables, exact limits, planning
    mean           a mean of values in [0, 1]: betting capitals, the always-valid interval
    quantile       interval of a quantile by order statistics; the best constant of a bound
    vacuity        from which size on a bound is below the trivial one
    multiplicity   Holm, e-Holm, e-BH
    slope          exponents over a sweep: weighted and local slopes, bootstrap, the stable range
    order          orders of growth: which fit, and whether a claimed one is consistent
    paired         two learners on coupled runs: signs, sign flips, bounded means, whole curves, whole laws
    power          how many replicates a test needs, and what it will say at a true rate

Nothing here knows an algorithm; what is drawn (sign flips, resamples) comes from an integer seed. Only numpy and
scipy.special are imported: scipy.stats costs most of a second at import.
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
from theorylab.stats.mean import first_crossing, from_range, log_capital
from theorylab.stats.multiplicity import e_bh, e_holm, holm
from theorylab.stats.order import GrowthDecision, compare, growth, linear_regret
from theorylab.stats.paired import (
    dominance,
    flip,
    mean_difference,
    sign,
    sign_sequential,
    uniform_in_time,
    variance_reduction,
)
from theorylab.stats.power import n_refute_power, n_slope, n_support_power, sequential, slope_se
from theorylab.stats.quantile import best_constant, least_n, order_interval
from theorylab.stats.slope import stable_from
from theorylab.stats.stream import Stream
from theorylab.stats.vacuity import nonvacuous_from, nonvacuous_from_callable

__all__ = [
    "GrowthDecision",
    "Stream",
    "best_constant",
    "boundary",
    "clopper_pearson_lower",
    "clopper_pearson_upper",
    "compare",
    "dominance",
    "e_bh",
    "e_holm",
    "first_crossing",
    "flip",
    "from_range",
    "growth",
    "holm",
    "interval",
    "least_n",
    "limits",
    "linear_regret",
    "log_capital",
    "log_e_refute",
    "log_e_support",
    "mean_difference",
    "n_refute_power",
    "n_slope",
    "n_support",
    "n_support_power",
    "nonvacuous_from",
    "nonvacuous_from_callable",
    "order_interval",
    "sequential",
    "sign",
    "sign_sequential",
    "slope_se",
    "stable_from",
    "step",
    "uniform_in_time",
    "variance_reduction",
    "zero_violation_stop",
]
