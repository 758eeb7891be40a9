"""Steps of wei2020's analysis of MDP-OOMD, from the trajectory that the monitor keeps; and what "ergodic" means.

Tables: B0, N0 block and return; L the logarithm of the concentration step, groups the classes of visits with disjoint
returns; P the true rows. At the end of a block the monitor has `estimate` (S,A), the printed estimator, `seen` (S,) the
visits that it uses, and `wanted` (S,A), the expected reward of N steps from (s,a) under the policy of the block.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from proofs_check.papers._optimistic_probes import true_rows
from theorylab.assume import Assumption
from theorylab.claim import Context
from theorylab.kernel import kernel, sqrt
from theorylab.learner import f8, i8
from theorylab.probe import NEVER, Monitor

#: failure probability of the steps that hold with high probability
LEVEL = 0.05
#: policies that are looked at one by one, at most, where no state keeps itself
MOST = 4096


def _avoidable(P: np.ndarray, goal: int) -> bool:
    """Whether some policy stays off a state for ever: the largest set without it that some action does not leave."""
    keeps = np.ones(P.shape[0], dtype=bool)
    keeps[goal] = False
    while True:
        left = keeps & ~(P[:, :, ~keeps].sum(axis=2) == 0.0).any(axis=1)
        if not left.any():
            return bool(keeps.any())
        keeps &= ~left


def _period(chain: np.ndarray) -> int:
    """Period of an irreducible chain."""
    depth = np.full(len(chain), -1)
    depth[0], queue, period = 0, [0], 0
    for s in queue:
        for s2 in np.flatnonzero(chain[s]):
            if depth[s2] < 0:
                depth[s2] = depth[s] + 1
                queue.append(int(s2))
            period = int(np.gcd(period, depth[s] + 1 - depth[s2]))
    return period


def _ergodic(model: Any) -> str | None:
    if not hasattr(model, "stage_dependent") or model.stage_dependent:
        return "the model is no stationary TabularMDP"
    P = np.asarray(true_rows(model))
    for goal in range(model.S):
        if _avoidable(P, goal):
            return f"some policy never reaches state {goal} from some state"
    if any((P[s, :, s] > 0.0).all() for s in range(model.S)):
        return None  # irreducible under every policy, with a loop under every policy
    if model.A**model.S > MOST:
        return f"no state keeps itself under all actions, and {model.A}^{model.S} policies are too many to look at"
    for pi in itertools.product(range(model.A), repeat=model.S):
        if (d := _period(P[np.arange(model.S), list(pi)])) > 1:
            return f"the policy {pi} has period {d}"
    return None


ergodic = Assumption("ergodic", "every policy has an irreducible and aperiodic chain", _ergodic)


def lengths(c: Context) -> tuple[float, float]:
    """N and B of the text: defaults where t_mix or t_hit is given, else what is given."""
    log2 = np.log2(float(c.T))
    N = float(np.ceil(4.0 * c.t_mix * log2)) if c.t_mix > 0 else float(c.N)
    return N, float(np.ceil(16.0 * N * c.t_hit * log2)) if c.t_hit > 0 else float(c.B)


def tables(c: Context) -> dict[str, Any]:
    """See the text of the module."""
    N, B = lengths(c)
    groups = np.ceil(N / c.spacing)
    cells = 2.0 * c.S * c.A * max(1.0, c.T // B) * (B / c.spacing + groups)
    return {
        "P": true_rows(c.model), "N0": N, "B0": B, "groups": groups, "L": float(np.log(cells / LEVEL)),
        "drift": float(np.sqrt(c.T * np.log(2.0 / LEVEL) / 2.0)),
    }  # fmt: skip


@kernel
def monitor_begin(p, tr):
    """Nothing seen; the policies of the first block are uniform."""
    tr.drawn[0] = 0.0
    for s in range(p.S):
        for a in range(p.A):
            tr.played[s, a] = 1.0 / p.A
            tr.base[s, a] = 1.0 / p.A


@kernel
def expected(p, tr):
    """wanted(s,a) = r + P (reward of N - 1 steps of the block's policy), the policies in `played`."""
    for s in range(p.S):
        tr.value[s] = 0.0
    for _ in range(int(tr.N0)):
        for s in range(p.S):
            for a in range(p.A):
                value = tr.r_mean[s * p.A + a]
                for s2 in range(p.S):
                    value += tr.P[s, a, s2] * tr.value[s2]
                tr.wanted[s, a] = value
        for s in range(p.S):
            value = 0.0
            for a in range(p.A):
                value += tr.played[s, a] * tr.wanted[s, a]
            tr.value[s] = value


@kernel
def recount(p, tr, first):
    """The printed estimator of the block that began at step `first`."""
    for s in range(p.S):
        tr.seen[s] = 0
        tr.last[s] = -1
        for a in range(p.A):
            tr.estimate[s, a] = 0.0
    for j in range(int(tr.B0 - tr.N0)):
        s = tr.states[first + j]
        if tr.last[s] < 0 or j >= tr.last[s] + p.spacing:
            total = 0.0
            for k in range(int(tr.N0)):
                total += tr.rewards[first + j + k]
            a = tr.actions[first + j]
            tr.estimate[s, a] += total / tr.played[s, a]
            tr.seen[s] += 1
            tr.last[s] = j
    for s in range(p.S):
        for a in range(p.A):
            if tr.seen[s] > 0:
                tr.estimate[s, a] /= tr.seen[s]


@kernel
def monitor_observe(st, p, tr, t):
    """Keep the step and the policies of the block; estimate at its end. `drawn` sums 1{a = 0} - pi(0|s)."""
    tr.states[t] = tr.s
    tr.actions[t] = tr.a
    tr.rewards[t] = tr.r
    block = int(tr.B0)
    if t % block == 0:
        for s in range(p.S):
            for a in range(p.A):
                tr.played[s, a] = st.pi[s, a]
                tr.base[s, a] = st.prime[s, a]
    tr.drawn[0] += (1.0 if tr.a == 0 else 0.0) - st.pi[tr.s, 0]
    if (t + 1) % block == 0:
        recount(p, tr, t + 1 - block)
        expected(p, tr)


@kernel
def distribution(st, p, tr, t):
    """Largest distance of a row's sum from one, or 1 for an entry that is not positive: both policies."""
    worst = 0.0
    for s in range(p.S):
        total = 0.0
        prime = 0.0
        for a in range(p.A):
            total += st.pi[s, a]
            prime += st.prime[s, a]
            if not (st.pi[s, a] > 0.0 and st.prime[s, a] > 0.0):
                worst = 1.0
        worst = max(worst, max(abs(total - 1.0), abs(prime - 1.0)))
    return worst


@kernel
def floor(st, p, tr, t):
    """1/pi' - 1/pi'_old, and 1/pi - 1/pi', minus eta (max beta - min beta)."""
    if t == 0:
        return NEVER
    worst = NEVER
    for s in range(p.S):
        low = st.beta[s, 0]
        high = low
        for a in range(1, p.A):
            low = min(low, st.beta[s, a])
            high = max(high, st.beta[s, a])
        for a in range(p.A):
            room = p.eta * (high - low)
            worst = max(worst, 1.0 / st.prime[s, a] - 1.0 / tr.base[s, a] - room)
            worst = max(worst, 1.0 / st.pi[s, a] - 1.0 / st.prime[s, a] - room)
    return worst


@kernel
def stationarity(st, p, tr, t):
    """Spread over actions of 1/pi'_new - 1/pi'_old + eta beta and of 1/pi - 1/pi'_new + eta beta: both are lambda."""
    if t == 0:
        return NEVER
    worst = 0.0
    for s in range(p.S):
        first = 1.0 / st.prime[s, 0] - 1.0 / tr.base[s, 0] + p.eta * st.beta[s, 0]
        second = 1.0 / st.pi[s, 0] - 1.0 / st.prime[s, 0] + p.eta * st.beta[s, 0]
        for a in range(1, p.A):
            gain = p.eta * st.beta[s, a]
            worst = max(worst, abs(1.0 / st.prime[s, a] - 1.0 / tr.base[s, a] + gain - first))
            worst = max(worst, abs(1.0 / st.pi[s, a] - 1.0 / st.prime[s, a] + gain - second))
    return worst


@kernel
def estimator(st, p, tr, t):
    """Largest distance of beta from the printed estimator of the trajectory."""
    if t == 0:
        return NEVER
    worst = 0.0
    for s in range(p.S):
        for a in range(p.A):
            worst = max(worst, abs(st.beta[s, a] - tr.estimate[s, a]))
    return worst


@kernel
def concentration(st, p, tr, t):
    """m |beta - expected reward of N steps| - (N/pi) sqrt(groups m L / 2), all pairs of states that were used."""
    worst = NEVER
    if t > 0:
        for s in range(p.S):
            m = float(tr.seen[s])
            if m > 0.0:
                for a in range(p.A):
                    width = tr.N0 / tr.played[s, a] * sqrt(0.5 * tr.groups * m * tr.L)
                    worst = max(worst, m * abs(st.beta[s, a] - tr.wanted[s, a]) - width)
    return worst


@kernel
def blocks(st, p, tr, t):
    """Plans so far against blocks begun, and the policy against the one at the block's first step."""
    worst = abs(float(tr.epochs) - (t // int(tr.B0) + 1))
    for s in range(p.S):
        for a in range(p.A):
            worst = max(worst, abs(st.pi[s, a] - tr.played[s, a]))
    return worst


@kernel
def defaults(st, p, tr, t):
    """N and B against their formulas."""
    return max(abs(p.N - tr.N0), abs(p.B - tr.B0))


@kernel
def sampling(st, p, tr, t):
    """|sum (1{a = 0} - pi(0|s))| minus sqrt((T/2) ln(2/0.05))."""
    return abs(tr.drawn[0]) - tr.drift


PAIRS = f8["S", "A"]
monitor = Monitor(
    {
        "states": i8["T"], "actions": i8["T"], "rewards": f8["T"], "played": PAIRS, "base": PAIRS, "estimate": PAIRS,
        "wanted": PAIRS, "value": f8["S"], "seen": i8["S"], "last": i8["S"], "drawn": f8[1],
    },
    monitor_begin,
    monitor_observe,
)  # fmt: skip
