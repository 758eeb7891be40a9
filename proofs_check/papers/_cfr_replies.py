"""What the claims on fictitious play measure: a second account of replies and averages.

Iteration t = 1, 2, ... replies to the averages X_t / t by b_t, and X_{t+1} = X_t + x(b_t). Memory, by sequence (Q,):
total = X; x, plans of the replies; mean, an average; raw, payoffs of leaves. short (2,): what each player's reply
earns less than a best one. gaps (3,): what both best responses to a pair of plans earn, twice its exploitability, of
the averages before, of the replies, of the averages after.
"""

from __future__ import annotations

from proofs_check.papers._cfr_probes import fold_best, leaves, plan_of
from theorylab.kernel import kernel
from theorylab.learner import f8
from theorylab.probe import Monitor


@kernel
def begin(p, tr):
    """The plans of the uniform policy, which a random start replaces."""
    for q in range(p.Q):
        tr.mean[q] = 1.0
    for i in range(p.I):
        for q in range(p.seq_first[i], p.seq_first[i] + p.seq_count[i]):
            tr.mean[q] = 1.0 / p.seq_count[i]
    plan_of(tr.total, tr.mean, p)


@kernel
def gap(tr, p, x, scale):
    """What best responses to x / scale earn, both players together; payoffs of leaves stay in raw."""
    for q in range(p.Q):
        tr.mean[q] = x[q] / scale
    leaves(tr.best, tr.mean, p)
    for q in range(p.Q):
        tr.raw[q] = tr.best[q]
    fold_best(tr.best, p)
    return tr.best[0] + tr.best[p.second]


@kernel
def observe(st, p, tr, t):
    """The account of one iteration."""
    plan_of(tr.x, st.pi, p)
    if t == 0 and p.random == 1:
        for q in range(p.Q):
            tr.total[q] = st.total[q] - tr.x[q]
    tr.gaps[0] = gap(tr, p, tr.total, t + 1.0)
    tr.short[0] = tr.best[0]
    tr.short[1] = tr.best[p.second]
    for q in range(p.Q):
        tr.short[0 if q < p.second else 1] -= tr.x[q] * tr.raw[q]
        tr.total[q] += tr.x[q]
    tr.gaps[1] = gap(tr, p, tr.x, 1.0)
    tr.gaps[2] = gap(tr, p, tr.total, t + 2.0)


monitor = Monitor(
    {**{k: f8["Q"] for k in ("total", "x", "mean", "raw", "best")}, "short": f8[2], "gaps": f8[3]}, begin, observe
)


@kernel
def reply(st, p, tr, t):
    """What a reply earns less than a best one, the larger of both players."""
    return max(tr.short[0], tr.short[1])


@kernel
def pure(st, p, tr, t):
    """1 minus the probability of the likeliest action, largest over infosets."""
    worst = 0.0
    for i in range(p.I):
        top = 0.0
        for q in range(p.seq_first[i], p.seq_first[i] + p.seq_count[i]):
            top = max(top, st.pi[q])
        worst = max(worst, 1.0 - top)
    return worst


@kernel
def average(st, p, tr, t):
    """Largest difference of the learner's sum of plans and X, over their number."""
    worst = 0.0
    for q in range(p.Q):
        worst = max(worst, abs(st.total[q] - tr.total[q]))
    return worst / (t + 2.0)


@kernel
def stands_for(st, p, tr, t):
    """|2 exploitability - what best responses to the average earn|."""
    return abs(2.0 * tr.exploitability - tr.gaps[2])


@kernel
def convex(st, p, tr, t):
    """2 exploitability minus (t times that of the average before + that of the replies) / (t + 1)."""
    return 2.0 * tr.exploitability - ((t + 1.0) * tr.gaps[0] + tr.gaps[1]) / (t + 2.0)
