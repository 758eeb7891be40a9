"""Steps of wei2020's proof for optimistic Q-learning, about the discounted problem whose values it overestimates.

Tables: Q_disc, V_disc are Q* and V* of the true model discounted by the learner's gamma, rounded down by their
certified error; H0 and L the H and ln(2T/delta) of the text, apart from the learner's own constants.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from theorylab.claim import Context
from theorylab.kernel import kernel, sqrt
from theorylab.learner import f8
from theorylab.model import Discounted
from theorylab.probe import Monitor


def discounted(c: Context) -> Any:
    """Q*, V* and their certified error for the true model discounted by the learner's gamma."""
    from theorylab.plan import plan

    return plan(replace(c.model, criterion=Discounted(float(c.gamma))), tol=1e-12)


def tables(c: Context) -> dict[str, Any]:
    """See the text of the module."""
    exact = discounted(c)
    return {
        "Q_disc": exact.Q - exact.certified_error,
        "V_disc": exact.V - exact.certified_error,
        "H0": 1.0 / (1.0 - c.gamma) - c.form,
        "L": float(np.log(2.0 * c.T / c.delta)),
    }


def union(c: Context, sides: float) -> float:
    """sides S A T exp(-16 scale^2 sp^2 L / D^2), D the length of an interval that holds r + gamma V*(s')."""
    exact = discounted(c)
    D = float(c.gamma) * float(np.ptp(exact.V) + 2.0 * exact.certified_error)
    if c.model.reward_law.kind != "deterministic":
        D += 1.0
    L = np.log(2.0 * c.T / c.delta)
    exponent = 16.0 * float(c.scale) ** 2 * float(c.span) ** 2 * L / D**2 if D > 0.0 else np.inf
    # rounded up from an underflow: in the theorem's favour it may not be zero
    return float(np.clip(sides * c.S * c.A * c.T * np.exp(-exponent), 1e-300, 1.0))


@kernel
def width(p, tr, n):
    """4 scale sp sqrt((H/n) ln(2T/delta))."""
    return 4.0 * p.scale * p.span * sqrt(tr.H0 / n * tr.L)


@kernel
def counts(st, p, tr, t):
    """Visits of the pair: the learner's against the environment's."""
    return abs(float(st.N[tr.s, tr.a] - tr.visits[tr.s, tr.a]))


@kernel
def bonus(st, p, tr, t):
    """Bonus of the last update against the formula."""
    return abs(st.bonus[0] - width(p, tr, tr.visits[tr.s, tr.a]))


@kernel
def cap(st, p, tr, t):
    """Largest of Qhat and Vhat minus H."""
    worst = st.Vhat[0] - tr.H0
    for s in range(p.S):
        worst = max(worst, st.Vhat[s] - tr.H0)
        for a in range(p.A):
            worst = max(worst, st.Qhat[s, a] - tr.H0)
    return worst


@kernel
def monotone(st, p, tr, t):
    """Increase of Qhat at the pair that was updated."""
    return st.Qhat[tr.s, tr.a] - tr.before[1]


@kernel
def minimum(st, p, tr, t):
    """Qhat against min(Qhat before, Q)."""
    return abs(st.Qhat[tr.s, tr.a] - min(tr.before[1], st.Q[tr.s, tr.a]))


@kernel
def value(st, p, tr, t):
    """Vhat against max_a Qhat, all states."""
    worst = 0.0
    for s in range(p.S):
        top = st.Qhat[s, 0]
        for a in range(1, p.A):
            top = max(top, st.Qhat[s, a])
        worst = max(worst, abs(st.Vhat[s] - top))
    return worst


@kernel
def update(st, p, tr, t):
    """Q of the pair against the printed rule applied to the monitor's copies."""
    n = tr.visits[tr.s, tr.a]
    rate = (tr.H0 + 1.0) / (tr.H0 + n)
    target = tr.r + p.gamma * tr.before[2] + width(p, tr, n)
    return abs(st.Q[tr.s, tr.a] - ((1.0 - rate) * tr.before[0] + rate * target))


@kernel
def greedy(st, p, tr, t):
    """Largest Qhat of the visited state minus that of the action played, both before the update."""
    worst = 0.0
    for a in range(p.A):
        if a != tr.a:
            worst = max(worst, st.Qhat[tr.s, a] - tr.before[1])
    return worst


@kernel
def optimism(st, p, tr, t):
    """Largest Q* - Qhat, all pairs."""
    worst = tr.Q_disc[0, 0] - st.Qhat[0, 0]
    for s in range(p.S):
        for a in range(p.A):
            worst = max(worst, tr.Q_disc[s, a] - st.Qhat[s, a])
    return worst


@kernel
def value_optimism(st, p, tr, t):
    """Largest V* - Vhat, all states."""
    worst = tr.V_disc[0] - st.Vhat[0]
    for s in range(p.S):
        worst = max(worst, tr.V_disc[s] - st.Vhat[s])
    return worst


@kernel
def concentration(st, p, tr, t):
    """|sum_i a_n^i (r_i + gamma V*(s_i') - Q*(s,a))| minus the bonus at the visited pair."""
    return abs(tr.noise[tr.s, tr.a]) - width(p, tr, tr.visits[tr.s, tr.a])


@kernel
def decomposition(st, p, tr, t):
    """|Q - Q* - sum_i a_n^i (gamma (Vhat - V*)(s_i') + noise_i + b_i)| at the visited pair."""
    explained = tr.carried[tr.s, tr.a] + tr.noise[tr.s, tr.a] + tr.bonuses[tr.s, tr.a]
    return abs(st.Q[tr.s, tr.a] - tr.Q_disc[tr.s, tr.a] - explained)


@kernel
def recursion(st, p, tr, t):
    """Qhat - Q* - sum_i a_n^i gamma (Vhat - V*)(s_i') minus three bonuses at the visited pair."""
    excess = st.Qhat[tr.s, tr.a] - tr.Q_disc[tr.s, tr.a] - tr.carried[tr.s, tr.a]
    return excess - 3.0 * width(p, tr, tr.visits[tr.s, tr.a])


@kernel
def monitor_begin(p, tr):
    """Copies start at H, the weighted sums at zero."""
    for s in range(p.S):
        tr.V_copy[s] = tr.H0
        for a in range(p.A):
            tr.Q_copy[s, a] = tr.H0
            tr.least[s, a] = tr.H0
            tr.noise[s, a] = 0.0
            tr.carried[s, a] = 0.0
            tr.bonuses[s, a] = 0.0


@kernel
def monitor_observe(st, p, tr, t):
    """Weighted sums with the paper's rates, from the environment's counters and the exact values; then copies.

    Vhat(s') is read from the copy: the update may have changed it where s' = s.
    """
    s = tr.s
    a = tr.a
    n = tr.visits[s, a]
    rate = (tr.H0 + 1.0) / (tr.H0 + n)
    seen = tr.V_copy[tr.s2]
    error = tr.r + p.gamma * tr.V_disc[tr.s2] - tr.Q_disc[s, a]
    tr.noise[s, a] = (1.0 - rate) * tr.noise[s, a] + rate * error
    tr.carried[s, a] = (1.0 - rate) * tr.carried[s, a] + rate * p.gamma * (seen - tr.V_disc[tr.s2])
    tr.bonuses[s, a] = (1.0 - rate) * tr.bonuses[s, a] + rate * width(p, tr, n)
    tr.before[0] = tr.Q_copy[s, a]
    tr.before[1] = tr.least[s, a]
    tr.before[2] = seen
    tr.Q_copy[s, a] = st.Q[s, a]
    tr.least[s, a] = st.Qhat[s, a]
    tr.V_copy[s] = st.Vhat[s]


PAIRS = f8["S", "A"]
monitor = Monitor(
    {
        "Q_copy": PAIRS, "least": PAIRS, "V_copy": f8["S"], "noise": PAIRS, "carried": PAIRS, "bonuses": PAIRS,
        "before": f8[3],
    },
    monitor_begin,
    monitor_observe,
)  # fmt: skip
