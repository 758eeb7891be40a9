"""Probes of learners that plan with optimistic values Q (H,S,A), V (H+1,S) and play greedily."""

from __future__ import annotations

from theorylab.kernel import kernel
from theorylab.probe import NEVER


@kernel
def optimism(st, p, tr, t):
    """Largest Q_star - Q over all stages and pairs."""
    worst = NEVER
    for h in range(p.H):
        for s in range(p.S):
            for a in range(p.A):
                worst = max(worst, tr.Q_star[h, s, a] - st.Q[h, s, a])
    return worst


@kernel
def greedy(st, p, tr, t):
    """Largest Q of the visited state minus that of the action played."""
    top = st.Q[tr.h, tr.s, 0]
    for a in range(1, p.A):
        top = max(top, st.Q[tr.h, tr.s, a])
    return top - st.Q[tr.h, tr.s, tr.a]


@kernel
def backup(st, p, tr, h, s, a):
    """(r + P V_{h+1})(s,a) with the true model and the learner's V."""
    row = h * tr.stride + s * p.A + a
    value = tr.r_mean[row]
    for j in range(tr.width):
        value += tr.prob[row, j] * st.V[h + 1, tr.succ[row, j]]
    return value
