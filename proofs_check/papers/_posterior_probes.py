"""Probes of posterior sampling that its two settings share (osband2013, ouyang2017): kernels on one replicate.

`st` is PSRL's state; the memory of the monitors is the environment's own record: seen (S,A,S) transitions, paid (S,A)
reward sums, and of the last plan P_last (S,A,S), side (S*A,S) and the tallies of `_beta_law`. `mass` is the prior mass
of an entry. Values are lhs - rhs.
"""

from __future__ import annotations

import math
from typing import Any

from proofs_check.papers._beta_law import LEVEL, beta_cdf, excess, tally
from theorylab.claim import Context
from theorylab.kernel import kernel, sqrt
from theorylab.learner import Field, f8, i8
from theorylab.probe import NEVER
from theorylab.records import larger

MEMORY: dict[str, Field] = {
    "seen": i8["S", "A", "S"],
    "paid": f8["S", "A"],
    "P_last": f8["S", "A", "S"],
    "side": i8["S*A", "S"],
    "tally": f8[4, 2],
}


def tables(c: Context) -> dict[str, Any]:
    """mass of the prior; logarithms of the union bounds of `concentration` and `coverage`, in nats."""
    cells = c.S * math.log(2.0)
    plans = c.K if hasattr(c, "K") else c.T
    return {
        "mass_prior": c.prior if c.prior != 0 else 1.0 / c.S,
        "log_draws": cells + math.log(c.S * c.A * plans / LEVEL),
        "log_visits": cells + math.log(c.S * c.A * c.T / LEVEL),
    }


@kernel
def record(p, tr):
    """Take the step into the environment's record."""
    tr.seen[tr.s, tr.a, tr.s2] += 1
    tr.paid[tr.s, tr.a] += tr.r


@kernel
def judge_draw(st, p, tr):
    """Tally a new draw: every row by the independent Beta laws of its broken stick, unknown rewards by their own.

    For Dirichlet(c_0, ..., c_{S-1}) the fractions P_j / (P_j + ... + P_{S-1}) are independent, Beta(c_j, c_{j+1} + ...
    + c_{S-1}); sums run from the end, so that small fractions keep their digits.
    """
    last = p.S - 1
    for s in range(p.S):
        for a in range(p.A):
            row = s * p.A + a
            rest = st.P[s, a, last]
            weight = tr.mass_prior + tr.seen[s, a, last]
            for i in range(p.S):
                j = last - 1 - i
                if j >= 0:
                    x = st.P[s, a, j]
                    c = tr.mass_prior + tr.seen[s, a, j]
                    whole = x + rest
                else:  # after the row its reward, where that is drawn; column S - 1 is free for it
                    j = last
                    x = st.r[s, a]
                    rest = 1.0 - x
                    c = 1.0 + tr.paid[s, a]
                    weight = 1.0 - p.S * tr.mass_prior + weight - tr.paid[s, a]
                    whole = 1.0 if p.known_rewards == 0 else 0.0
                if whole != 0.0:
                    tally(tr, row, j, row - 1, beta_cdf(x / whole, rest / whole, c, weight))
                rest = whole
                weight += c


@kernel
def keep_draw(st, p, tr):
    """The draw, for the next plan to be compared with."""
    for s in range(p.S):
        for a in range(p.A):
            for s2 in range(p.S):
                tr.P_last[s, a, s2] = st.P[s, a, s2]


@kernel
def calibration(st, p, tr, t):
    """Largest excess of the tallies over their Hoeffding bounds."""
    return excess(tr)


@kernel
def fresh(st, p, tr, t):
    """Number of rows that are bit for bit those of the last plan; a row of one entry is always 1."""
    if p.S == 1:
        return NEVER
    same = 0
    for s in range(p.S):
        for a in range(p.A):
            different = 0
            for s2 in range(p.S):
                if st.P[s, a, s2] != tr.P_last[s, a, s2]:
                    different += 1
            if different == 0:
                same += 1
    return float(same)


@kernel
def rows(st, p, tr, t):
    """Largest |1 - sum| of a drawn row, and the largest negative entry."""
    worst = 0.0
    for s in range(p.S):
        for a in range(p.A):
            total = 0.0
            for s2 in range(p.S):
                total += st.P[s, a, s2]
                worst = larger(worst, -st.P[s, a, s2])
            worst = larger(worst, abs(total - 1.0))
    return worst


@kernel
def moves_off(st, p, tr):
    """Largest distance of the learner's transitions of the pair just played from the record."""
    error = 0.0
    for s2 in range(p.S):
        error = max(error, abs(float(st.moves[tr.s, tr.a, s2] - tr.seen[tr.s, tr.a, s2])))
    return error


@kernel
def rewards(st, p, tr, t):
    """Sums of rewards of the pair against those paid, and told rewards against the environment's means."""
    error = abs(st.total[tr.s, tr.a] - tr.paid[tr.s, tr.a])
    if p.known_rewards == 1:
        error = larger(error, abs(st.r[tr.s, tr.a] - tr.r_mean[tr.s * p.A + tr.a]))
    return error


@kernel
def concentration(st, p, tr, t):
    """Largest ||P - posterior mean||_1 - sqrt(2 (S ln 2 + ln(S A plans / level)) / (sum of the parameters + 1))."""
    worst = NEVER
    for s in range(p.S):
        for a in range(p.A):
            weight = 0.0
            for s2 in range(p.S):
                weight += tr.mass_prior + tr.seen[s, a, s2]
            distance = 0.0
            for s2 in range(p.S):
                distance += abs(st.P[s, a, s2] - (tr.mass_prior + tr.seen[s, a, s2]) / weight)
            worst = larger(worst, distance - sqrt(2.0 * tr.log_draws / (weight + 1.0)))
    return worst


@kernel
def coverage(st, p, tr, t):
    """Largest ||moves/n - P||_1 - sqrt(2 (S ln 2 + ln(S A T / level)) / n), P the environment's kernel, n >= 1."""
    worst = NEVER
    for s in range(p.S):
        for a in range(p.A):
            n = 0
            for s2 in range(p.S):
                n += st.moves[s, a, s2]
            if n > 0:
                row = s * p.A + a
                distance = 1.0
                for j in range(tr.width):
                    if tr.prob[row, j] > 0.0:
                        x = st.moves[s, a, tr.succ[row, j]] / n
                        distance += abs(x - tr.prob[row, j]) - x
                worst = max(worst, distance - sqrt(2.0 * tr.log_visits / n))
    return worst
