"""The distribution function of a Beta law, and tallies of what it says about a learner's draws; kernels.

If draws are what they are said to be, their probability integral transforms are, given the past, independent and
uniform. Four events of conditional probability 1/2 are then tallied over a run: the transform is above 1/2; it lies in
(1/4, 3/4); it is on the same side of 1/2 as the last draw at that place; and as the draw at the place before it. Each
sum of (indicator - 1/2) is a martingale with steps in [-1/2, 1/2], so that by Azuma and Hoeffding, n counting the
events,

    P( some |sum| > sqrt(n ln(8 / level) / 2) ) <= level.                                        [derived]

The number n of each kind must not depend on what is drawn: a monitor tallies a number of plans fixed beforehand.
"""

from __future__ import annotations

import math

from theorylab.kernel import exp, kernel, log, sqrt
from theorylab.probe import NEVER
from theorylab.records import larger

#: failure probability that the tallies are tested at
LEVEL = 0.05
#: ln(8 / LEVEL): four events, two sides
LOG_TALLY = math.log(8.0 / LEVEL)
HALF_LOG_2PI = 0.91893853320467274178


@kernel
def log_gamma(x):
    """ln Gamma(x), x > 0: Stirling's series beyond 10, the recurrence before."""
    factor = 1.0
    while x < 10.0:
        factor = factor * x
        x = x + 1.0
    z = 1.0 / (x * x)
    series = (1.0 / 12.0 - z * (1.0 / 360.0 - z * (1.0 / 1260.0 - z * (1.0 / 1680.0 - z / 1188.0)))) / x
    return (x - 0.5) * log(x) - x + HALF_LOG_2PI + series - log(factor)


@kernel
def away_from_zero(x):
    """x, or a tiny number in place of zero (Lentz's method)."""
    if abs(x) < 1e-300:
        return 1e-300
    return x


@kernel
def continued_fraction(x, a, b):
    """The continued fraction of the incomplete beta function, by Lentz's method; for x < (a + 1) / (a + b + 2).

    Some 0.3 sqrt(a + b) terms: the limit of 1000 is enough for a + b up to 1e7.
    """
    c = 1.0
    d = 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0))
    value = d
    for i in range(1, 1000):
        even = i * (b - i) * x / ((a + 2.0 * i - 1.0) * (a + 2.0 * i))
        d = 1.0 / away_from_zero(1.0 + even * d)
        c = away_from_zero(1.0 + even / c)
        value = value * (d * c)
        odd = -(a + i) * (a + b + i) * x / ((a + 2.0 * i) * (a + 2.0 * i + 1.0))
        d = 1.0 / away_from_zero(1.0 + odd * d)
        c = away_from_zero(1.0 + odd / c)
        value = value * (d * c)
        if abs(d * c - 1.0) < 1e-13:
            return value
    return value


@kernel
def log_beta(a, b):
    """ln B(a, b)."""
    total = 0.0
    for i in range(3):  # one place in the compiled code for the three logarithms
        x = a if i == 0 else b if i == 1 else a + b
        value = log_gamma(x)
        total += value if i < 2 else -value
    return total


@kernel
def beta_cdf(x, y, a, b):
    """P(Beta(a, b) <= x), with y = 1 - x given apart, so that neither tail loses digits."""
    if x != x:
        return x
    if x <= 0.0:
        return 0.0
    if y <= 0.0:
        return 1.0
    lower = x < (a + 1.0) / (a + b + 2.0)
    if not lower:
        x, y, a, b = y, x, b, a
    tail = exp(a * log(x) + b * log(y) - log_beta(a, b)) * continued_fraction(x, a, b) / a
    return tail if lower else 1.0 - tail


@kernel
def add(tr, event, happened):
    """One more event of conditional probability 1/2."""
    tr.tally[event, 0] += 1.0
    tr.tally[event, 1] += 0.5 if happened else -0.5


@kernel
def tally(tr, row, column, before, transform):
    """The four events of one draw; `tr.side[row, column]` keeps its side, `before` is the row drawn before it or -1.

    A transform that is not a number stays in the sums: it is a violation.
    """
    if transform != transform:
        tr.tally[0, 1] = transform
    side = 1 if transform > 0.5 else -1
    add(tr, 0, side == 1)
    add(tr, 1, abs(transform - 0.5) < 0.25)
    if tr.side[row, column] != 0:
        add(tr, 2, side == tr.side[row, column])
    if before >= 0 and tr.side[before, column] != 0:
        add(tr, 3, side == tr.side[before, column])
    tr.side[row, column] = side


@kernel
def excess(tr):
    """Largest |sum| - sqrt(n ln(8 / level) / 2) of those of the four events that were tallied at all."""
    worst = NEVER
    for event in range(4):
        n = tr.tally[event, 0]
        if n > 0.0:
            worst = larger(worst, abs(tr.tally[event, 1]) - sqrt(0.5 * n * LOG_TALLY))
    return worst
