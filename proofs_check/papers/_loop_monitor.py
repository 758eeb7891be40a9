"""The memory of the probes that all LOOP learners share (he2024): errors of the hypothesis in play, kept in O(1) a
step.

A LOOP learner's state has Q (S,A), V (S,), J (1,), pi (S,) of the hypothesis f_t in play, N, upsilon and switches; its
parameters beta, span and delta. With the table `law` (S,A,S) of the true kernel,

    E(f)(s,a) = Q_f(s,a) + J_f - r(s,a) - (P V_f)(s,a)

is computed once for each hypothesis, where `switches` has changed. All sums are over steps i = 1..t:

    error (S,A)      E(f_t)
    in_sample (1,)   sum_{i<t} |E l_{f_i}(f_t, f_t, zeta_i)|^2; where probes read it, i <= t
    plain (1,)       sum E(f_i)(x_i)
    transfer (1,)    sum E(f_i)(x_i)^2
    epoch (1,)       the same since the last switch
    double (1,)      sum over i of the in-sample error at i, of steps before i
    most (1,)        the largest of them
    d_hat (1,)       the largest (sum E)_+^2 / double at any time
    paid (1,)        sum (J_{f_i} - r(x_i))
    drift (1,)       sum ((P V_{f_i})(x_i) - V_{f_i}(s_i))
    seen (1,)        switches up to here

The in-sample error of a new hypothesis on old data is the learner's: a monitor binds REFRESH, a kernel (st, p, tr) that
sets in_sample[0] from the data before this step, and FOLLOW, one called at the end of every step. `monitor` is for
learners whose discrepancy is value-based, sum over pairs of visits E^2; `monitor_with` for the others.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from theorylab.claim import Context
from theorylab.kernel import Kernel, kernel
from theorylab.learner import Field, f8, i8
from theorylab.probe import Monitor

REFRESH: Any = None
FOLLOW: Any = None

MEMORY: dict[str, Field] = {
    "error": f8["S", "A"],
    "seen": i8[1],
    **dict.fromkeys(("in_sample", "double", "plain", "transfer", "most", "epoch", "d_hat", "paid", "drift"), f8[1]),
}


@kernel
def begin(p, tr):
    """The memory arrives zeroed."""
    tr.seen[0] = 0


@kernel
def errors(st, p, tr):
    """E(f) of the hypothesis in play."""
    for s in range(p.S):
        for a in range(p.A):
            value = st.Q[s, a] + st.J[0] - tr.r_mean[s * p.A + a]
            for s2 in range(p.S):
                value -= tr.law[s, a, s2] * st.V[s2]
            tr.error[s, a] = value


@kernel
def observe(st, p, tr, t):
    """Bring all sums up to step t."""
    if st.switches[0] != tr.seen[0]:
        tr.seen[0] = st.switches[0]
        tr.epoch[0] = 0.0
        errors(st, p, tr)
        REFRESH(st, p, tr)
    s = tr.s
    a = tr.a
    e = tr.error[s, a]
    tr.most[0] = max(tr.most[0], tr.in_sample[0])
    tr.double[0] += tr.in_sample[0]
    tr.plain[0] += e
    tr.transfer[0] += e * e
    tr.epoch[0] += e * e
    tr.in_sample[0] += e * e
    if tr.plain[0] > 0.0 and tr.double[0] > 0.0:
        tr.d_hat[0] = max(tr.d_hat[0], tr.plain[0] * tr.plain[0] / tr.double[0])
    tr.paid[0] += st.J[0] - tr.r_mean[s * p.A + a]
    ahead = 0.0
    for s2 in range(p.S):
        ahead += tr.law[s, a, s2] * st.V[s2]
    tr.drift[0] += ahead - st.V[s]
    FOLLOW(st, p, tr)


@kernel
def refresh_values(st, p, tr):
    """Value-based: the visits before this step times E^2."""
    total = 0.0
    for s in range(p.S):
        for a in range(p.A):
            n = tr.visits[s, a]
            if s == tr.s and a == tr.a:
                n -= 1
            total += n * tr.error[s, a] * tr.error[s, a]
    tr.in_sample[0] = total


@kernel
def nothing(st, p, tr):
    """Nothing more to follow."""
    tr.seen[0] = st.switches[0]


def monitor_with(refresh: Kernel, follow: Kernel = nothing, memory: dict[str, Field] | None = None) -> Monitor:
    """The monitor with a learner's own in-sample error, and what else it follows in `memory`."""
    return Monitor({**MEMORY, **(memory or {})}, begin, observe.replace(REFRESH=refresh, FOLLOW=follow))


monitor = monitor_with(refresh_values)


def law_of(c: Context) -> np.ndarray:
    """The true kernel (S,A,S): the table `law`."""
    model = c.model.tabular() if hasattr(c.model, "tabular") else c.model
    return np.array(model.dense())
