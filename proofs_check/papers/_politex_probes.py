"""Steps of abbasi2019's analysis of Politex, tabular, from the trajectory that the monitor follows.

Tables: B0, N0 phase and first part; P the true rows; L the logarithm of the gain's step, drift that of the draws.
The monitor has, of the running phase: `paid` the rewards of its first part, `out` (S,) and `net` (S,S) visits and
transitions of it, `own` (S,) its rewards by state, `tries` and `sums` (S,A) of the second part, `missed` whether the
last step should have been forced and was not; over phases: `past` (S,A) the sum of all Q, `earned` (S,) that of pi Q,
`ranges` (S,) that of squared ranges. At the first step of a phase it solves for gain and bias of the policy.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from proofs_check.papers._optimistic_probes import true_rows
from theorylab.claim import Context
from theorylab.kernel import exp, kernel, log, sqrt
from theorylab.learner import f8, i8
from theorylab.probe import NEVER, Monitor

#: failure probability of the steps that hold with high probability
LEVEL = 0.05


def tables(c: Context) -> dict[str, Any]:
    """See the text of the module."""
    phases = max(1.0, float(c.T // c.B) + 1.0)
    return {
        "P": true_rows(c.model), "N0": float(c.N), "B0": float(c.B), "L": float(np.log(2.0 * phases / LEVEL)),
        "drift": float(np.sqrt(c.T * np.log(2.0 / LEVEL) / 2.0)),
    }  # fmt: skip


@kernel
def monitor_begin(p, tr):
    """Nothing seen (the memory arrives zeroed); the first policy is uniform."""
    for s in range(p.S):
        for a in range(p.A):
            tr.played[s, a] = 1.0 / p.A


@kernel
def truth(p, tr):
    """Gain and bias of the phase's policy with h(0) = 0: hitting rewards x and times y of state 0, h = x - g y."""
    for s in range(p.S):
        tr.h[s] = 0.0
        tr.times[s] = 1.0
        for s2 in range(p.S):
            tr.left[s, s2] = 1.0 if s == s2 else 0.0
        for a in range(p.A):
            tr.h[s] += tr.played[s, a] * tr.r_mean[s * p.A + a]
            for s2 in range(1, p.S):
                tr.left[s, s2] -= tr.played[s, a] * tr.P[s, a, s2]
    for i in range(1, p.S):
        for j in range(i + 1, p.S):
            factor = tr.left[j, i] / tr.left[i, i]
            for k in range(i + 1, p.S):
                tr.left[j, k] -= factor * tr.left[i, k]
            tr.h[j] -= factor * tr.h[i]
            tr.times[j] -= factor * tr.times[i]
    for x in range(1, p.S):
        i = p.S - x
        for k in range(i + 1, p.S):
            tr.h[i] -= tr.left[i, k] * tr.h[k]
            tr.times[i] -= tr.left[i, k] * tr.times[k]
        tr.h[i] /= tr.left[i, i]
        tr.times[i] /= tr.left[i, i]
    reward = tr.h[0]
    length = 1.0
    for s in range(1, p.S):
        reward -= tr.left[0, s] * tr.h[s]
        length -= tr.left[0, s] * tr.times[s]
    tr.g[0] = reward / length
    tr.h[0] = 0.0
    for s in range(1, p.S):
        tr.h[s] -= tr.g[0] * tr.times[s]


@kernel
def new_phase(st, p, tr, t):
    """An empty phase; of the one that ended, the sums over phases."""
    tr.paid[0] = 0.0
    for s in range(p.S):
        low = st.Q[s, 0]
        high = low
        for a in range(p.A):
            low = min(low, st.Q[s, a])
            high = max(high, st.Q[s, a])
            tr.past[s, a] += st.Q[s, a]
            tr.earned[s] += tr.played[s, a] * st.Q[s, a]
            tr.tries[s, a] = 0
            tr.sums[s, a] = 0.0
        tr.ranges[s] += (high - low) * (high - low)
        tr.out[s] = 0
        tr.own[s] = 0.0
        for s2 in range(p.S):
            tr.net[s, s2] = 0
        for a in range(p.A):
            tr.played[s, a] = st.pi[s, a]
    truth(p, tr)


@kernel
def monitor_observe(st, p, tr, t):
    """Follow the step."""
    i = t % int(tr.B0)
    if i == 0:
        new_phase(st, p, tr, t)
    tr.missed[0] = 0
    open_action = False
    if i < tr.N0:
        tr.paid[0] += tr.r
        tr.out[tr.s] += 1
        tr.net[tr.s, tr.s2] += 1
        tr.own[tr.s] += tr.r
    else:
        for a in range(p.A):
            open_action = open_action or tr.tries[tr.s, a] == 0
        if open_action and tr.tries[tr.s, tr.a] > 0:
            tr.missed[0] = 1
        tr.tries[tr.s, tr.a] += 1
        tr.sums[tr.s, tr.a] += tr.r - st.lam[0] + st.v[tr.s2]
    if not open_action:
        tr.drawn[0] += (1.0 if tr.a == 0 else 0.0) - tr.played[tr.s, 0]


@kernel
def phases(st, p, tr, t):
    """Plans so far against those of phases of B steps in parts of N and B - N; the policy against the phase's first."""
    block = int(tr.B0)
    wanted = 2 * (t // block) + (2 if t % block >= tr.N0 else 1)
    worst = abs(float(tr.epochs) - wanted)
    for s in range(p.S):
        for a in range(p.A):
            worst = max(worst, abs(st.pi[s, a] - tr.played[s, a]))
    return worst


@kernel
def gain(st, p, tr, t):
    """lambda of the first part against its mean reward."""
    return abs(st.lam[0] - tr.paid[0] / tr.N0) if t > 0 and t % int(tr.B0) == tr.N0 else NEVER


@kernel
def solution(st, p, tr, t):
    """Largest residual of the linear system of the first part, recounted."""
    if t == 0 or t % int(tr.B0) != tr.N0:
        return NEVER
    worst = 0.0
    for s in range(p.S):
        x = (tr.out[s] + p.ridge) * st.v[s] - tr.own[s] + st.lam[0] * tr.out[s]
        for s2 in range(p.S):
            x -= tr.net[s, s2] * st.v[s2]
        worst = max(worst, abs(x))
    return worst


@kernel
def accuracy(st, p, tr, t):
    """N |lambda - g| - sp(h) - (sp(h) + 1) sqrt(N L / 2), g and h of the policy that is played."""
    if t == 0 or t % int(tr.B0) != tr.N0:
        return NEVER
    low = 0.0
    high = 0.0
    for s in range(p.S):
        low = min(low, tr.h[s])
        high = max(high, tr.h[s])
    span = high - low
    return tr.N0 * abs(st.lam[0] - tr.g[0]) - span - (span + 1.0) * sqrt(0.5 * tr.N0 * tr.L)


@kernel
def estimate(st, p, tr, t):
    """Q after a phase against the means of r - lambda + v(s') over its second part; 0 without a step."""
    if t == 0 or t % int(tr.B0) != 0:
        return NEVER
    worst = 0.0
    for s in range(p.S):
        for a in range(p.A):
            wanted = tr.sums[s, a] / tr.tries[s, a] if tr.tries[s, a] > 0 else 0.0
            worst = max(worst, abs(st.Q[s, a] - wanted))
    return worst


@kernel
def product_form(st, p, tr, t):
    """pi after a phase against exp(eta sum of all Q), normalised."""
    if t == 0 or t % int(tr.B0) != 0:
        return NEVER
    worst = 0.0
    for s in range(p.S):
        top = p.eta * (tr.past[s, 0] + st.Q[s, 0])
        for a in range(1, p.A):
            top = max(top, p.eta * (tr.past[s, a] + st.Q[s, a]))
        total = 0.0
        for a in range(p.A):
            total += exp(p.eta * (tr.past[s, a] + st.Q[s, a]) - top)
        for a in range(p.A):
            worst = max(worst, abs(st.pi[s, a] - exp(p.eta * (tr.past[s, a] + st.Q[s, a]) - top) / total))
    return worst


@kernel
def prediction(st, p, tr, t):
    """Regret of the experts so far: max_a sum Q - sum pi Q - ln(A)/eta - (eta/8) sum of squared ranges, all states."""
    if t == 0 or t % int(tr.B0) != 0:
        return NEVER
    worst = NEVER
    for s in range(p.S):
        low = st.Q[s, 0]
        high = low
        best = tr.past[s, 0] + st.Q[s, 0]
        earned = tr.earned[s]
        for a in range(p.A):
            low = min(low, st.Q[s, a])
            high = max(high, st.Q[s, a])
            best = max(best, tr.past[s, a] + st.Q[s, a])
            earned += tr.played[s, a] * st.Q[s, a]
        room = tr.ranges[s] + (high - low) * (high - low)
        worst = max(worst, best - earned - log(float(p.A)) / p.eta - 0.125 * p.eta * room)
    return worst


@kernel
def forced(st, p, tr, t):
    """1 where an action was repeated in the second part though another had not been tried there."""
    return float(tr.missed[0])


@kernel
def sampling(st, p, tr, t):
    """|sum over steps that are not forced of 1{a = 0} - pi(0|s)| minus sqrt((T/2) ln(2/0.05))."""
    return abs(tr.drawn[0]) - tr.drift


PAIRS = f8["S", "A"]
monitor = Monitor(
    {
        "played": PAIRS, "past": PAIRS, "sums": PAIRS, "tries": i8["S", "A"], "earned": f8["S"], "ranges": f8["S"],
        "out": i8["S"], "own": f8["S"], "net": i8["S", "S"], "paid": f8[1], "drawn": f8[1], "missed": i8[1], "g": f8[1],
        "h": f8["S"], "times": f8["S"], "left": f8["S", "S"],
    },
    monitor_begin,
    monitor_observe,
)  # fmt: skip
