"""Watkins, Dayan 1992: Q-learning. Carried over to episodes of H stages, with epsilon-greedy exploration.

    theorem      if every pair is visited for ever and the rates satisfy sum a_n = inf, sum a_n^2 < inf, then Q
                 converges to Q_star with probability 1 (bounded rewards, discounted)                [recalled]

A limit has no verdict at a finite length, and no theorem bounds the regret of this algorithm in episodes; what holds
exactly along every run is checked, for the rates 1/n and (H+1)/(H+n):

    averaging      Q_h(s,a) is the weighted mean of its targets r_i + max Q_{h+1}(s'_i): for 1/n the plain mean, n Q =
                   sum of the targets; for (H+1)/(H+n) with weights proportional to C(i + H - 1, H), since a_i
                   prod_{i<j<=n} (1 - a_j) = (H+1) (n-1)!/(H+n)! (H+i-1)!/(i-1)!                     [derived]
    decomposition  Q - Q_star is the same mean of (V - V_star)_{h+1}(s'_i) + r_i + V_star(s'_i) - Q_star [derived]
    range          0 <= Q_h <= H - h when Q starts there                                             [derived]
    last stage     its targets are rewards alone, so that Hoeffding's inequality applies: for the rate 1/n,
                   |Q_{H-1} - r| <= sqrt(ln(2 S A K / d) / (2 n)) for all pairs and n <= K, except with probability d
                   [derived]
    coins          given the past, an action that is no maximiser has probability epsilon m / A, m their number, and is
                   each of the m with the same probability: deviations of the first, their products with those of the
                   step before and of the last visit to (h,s), and ranks among the m minus their mean are four
                   martingales, at level d by Azuma and Hoeffding                                    [derived]
"""

from __future__ import annotations

import math
from typing import Any

from proofs_check.mutants import q_learning as faults
from proofs_check.papers._beta_law import LEVEL
from theorylab.assume import episodic, rewards_in_01
from theorylab.claim import Claim, Context, Control, HighProbability, Instance, Pointwise
from theorylab.kernel import kernel, sqrt
from theorylab.learner import f8
from theorylab.probe import NEVER, Monitor, Probe

COINS = {"rewards": "bernoulli"}
BOLD = {"epsilon": 0.4}
SMALL = Instance("garnet", 120, {"S": 3, "A": 3, "b": 2, "seed": 1, "horizon": 3, **COINS}, BOLD)
LONG = Instance("garnet", 600, {"S": 3, "A": 3, "b": 2, "seed": 1, "horizon": 3, **COINS}, BOLD)
STEPS = {
    "quick": (
        Instance("riverswim", 1000, {"states": 4, "horizon": 5, **COINS}, BOLD),
        Instance("garnet", 1000, {"S": 5, "A": 3, "b": 3, "seed": 1, "horizon": 4, **COINS}, {"horizon_rate": 1}),
    ),
    "standard": (
        Instance("riverswim", 10_000, {"states": 6, "horizon": 20, **COINS}, BOLD),
        Instance("frozen-lake", 5000, {"horizon": 20, **COINS}),
        Instance("garnet", 5000, {"S": 8, "A": 3, "b": 3, "seed": 1, "horizon": 6, **COINS}, {"horizon_rate": 1}),
    ),
}
#: the rate 1/n alone
MEANS = {name: tuple(i for i in found if "horizon_rate" not in i.learner) for name, found in STEPS.items()}


def tables(c: Context) -> dict[str, Any]:
    """Logarithms of the two Hoeffding bounds, in nats."""
    return {
        "log_cells": math.log(2.0 * c.S * c.A * c.K / LEVEL),
        "log_coins": math.log(8.0 / LEVEL),
        "factors": float(c.H) if c.horizon_rate == 1 else 0.0,
    }


@kernel
def counts(st, p, tr, t):
    """Visits of the cell: the learner's against the environment's."""
    return abs(float(st.N[tr.h, tr.s, tr.a] - tr.visits[tr.h, tr.s, tr.a]))


@kernel
def averaging(st, p, tr, t):
    """Distance of Q at the visited cell from the mean of its targets."""
    return abs(st.Q[tr.h, tr.s, tr.a] - tr.targets[tr.h, tr.s, tr.a] / tr.weight[tr.h, tr.s, tr.a])


@kernel
def decomposition(st, p, tr, t):
    """Distance of Q - Q_star at the visited cell from the mean of carried errors and noise."""
    h = tr.h
    s = tr.s
    a = tr.a
    return abs(st.Q[h, s, a] - tr.Q_star[h, s, a] - (tr.carried[h, s, a] + tr.noise[h, s, a]) / tr.weight[h, s, a])


@kernel
def value_range(st, p, tr, t):
    """Excess of Q over H - h at the visited cell, or below zero."""
    q = st.Q[tr.h, tr.s, tr.a]
    return max(q - (p.H - tr.h), -q)


@kernel
def last_stage(st, p, tr, t):
    """At the last stage: |Q - r| - sqrt(ln(2 S A K / level) / (2 n))."""
    if tr.h < p.H - 1:
        return NEVER
    n = tr.visits[tr.h, tr.s, tr.a]
    return abs(st.Q[tr.h, tr.s, tr.a] - tr.r_mean[tr.h * tr.stride + tr.s * p.A + tr.a]) - sqrt(
        tr.log_cells / (2.0 * n)
    )


@kernel
def coins(st, p, tr, t):
    """Largest |martingale| minus sqrt(T ln(8 / level) / 2): steps lie in an interval of length 1.

    The four: deviations of the indicator; products of two in a row; products with the cell's deviation of its last
    visit; ranks in [-1/2, 1/2]. Products of two numbers in [-1, 1] in intervals of length 1 lie, given the first, in
    one of length 1.
    """
    worst = 0.0
    for i in range(4):
        worst = max(worst, abs(tr.coin[i]))
    return worst - sqrt(0.5 * p.T * tr.log_coins)


@kernel
def monitor_begin(p, tr):
    """Tables of zeros; the copy of Q starts where Q does."""
    for h in range(p.H):
        for s in range(p.S):
            for a in range(p.A):
                tr.copy[h, s, a] = p.start


@kernel
def monitor_observe(st, p, tr, t):
    """The coin of the step, judged by Q as it stood; then the means of targets, carried errors and noise."""
    h = tr.h
    s = tr.s
    a = tr.a
    top = tr.copy[h, s, 0]
    for b in range(1, p.A):
        top = max(top, tr.copy[h, s, b])
    fewer = 0
    rank = 0
    for b in range(p.A):
        if tr.copy[h, s, b] < top:
            fewer += 1
            if b < a:
                rank += 1
    deviation = -p.epsilon * fewer / p.A
    if tr.copy[h, s, a] < top:
        deviation += 1.0
        if fewer > 1:
            tr.coin[3] += rank / (fewer - 1.0) - 0.5
    tr.coin[0] += deviation
    tr.coin[1] += deviation * tr.coin[4]
    tr.coin[2] += deviation * tr.coin_at[h, s]
    tr.coin[4] = deviation
    tr.coin_at[h, s] = deviation
    ahead = 0.0
    if h < p.H - 1:
        ahead = tr.copy[h + 1, tr.s2, 0]
        for b in range(1, p.A):
            ahead = max(ahead, tr.copy[h + 1, tr.s2, b])
    weight = 1.0
    for j in range(int(tr.factors)):
        weight *= (tr.visits[h, s, a] + j) / (1.0 + j)
    V = tr.V_star[h + 1, tr.s2]
    tr.weight[h, s, a] += weight
    tr.targets[h, s, a] += weight * (tr.r + ahead)
    tr.carried[h, s, a] += weight * (ahead - V)
    tr.noise[h, s, a] += weight * (tr.r + V - tr.Q_star[h, s, a])
    tr.copy[h, s, a] = st.Q[h, s, a]


CELLS = f8["H", "S", "A"]
monitor = Monitor(
    {
        "copy": CELLS, "weight": CELLS, "targets": CELLS, "carried": CELLS, "noise": CELLS, "coin": f8[5],
        "coin_at": f8["H", "S"],
    },
    monitor_begin,
    monitor_observe,
)  # fmt: skip
CONTROLS = {
    name: Control(name, learner, LONG if name == "one coin an episode" else None, replicates=4)
    for name, learner in {
        "never explores": faults.exploration_off,
        "coins of the first episode": faults.coins_reused,
        "one coin an episode": faults.coin_shared,
        "epsilon and 1 - epsilon exchanged": faults.epsilon_swapped,
        "last action not explored": faults.last_unexplored,
        "argmin": faults.argmin,
        "rate 1/(n + 1)": faults.count_off_by_one,
        "constant rate": faults.rate_constant,
        "backup of the same stage": faults.backup_same_stage,
        "backup of the same state": faults.backup_same_state,
        "backup of action 0": faults.backup_first_action,
        "every second visit unused": faults.updates_skipped,
        "self-loops lost": faults.counts_lost,
        "no end of the episode": faults.episode_endless,
    }.items()
}


def _step(
    name: str, text: str, value: Any, at: str, tol: float, caught: tuple[str, ...], copies: bool = False
) -> Claim:
    return Claim(
        id=f"watkins1992.{name}",
        text=text,
        source_tag="derived",
        learner="q-learning",
        kind=HighProbability(LEVEL) if name in ("last-stage", "coins") else Pointwise(),
        quantity=Probe(f"q-learning.{name}", value, at, tol),
        instances=MEANS if name == "last-stage" else STEPS,
        control_instance=SMALL,
        assumes=(episodic, rewards_in_01),
        controls=tuple(CONTROLS[c] for c in caught),
        tables=tables,
        monitor=monitor,
        copies=copies,
    )


claims = [
    _step(
        "counts",
        "Visits are conserved: N_h(s,a) equals the number of visits the environment has served.",
        counts,
        "step",
        0.0,
        ("self-loops lost",),
    ),
    _step(
        "averaging",
        "Q_h(s,a) is the mean of its targets r + max_b Q_{h+1}(s',b), with equal weights for 1/n and weights C(i + H - "
        "1, H) for (H+1)/(H+n).",
        averaging,
        "step",
        1e-9,
        (
            "rate 1/(n + 1)", "constant rate", "backup of the same stage", "backup of the same state",
            "backup of action 0", "every second visit unused",
        ),
    ),
    _step(
        "decomposition",
        "Q - Q_star is the same mean of (V - V_star)_{h+1}(s') + r + V_star(s') - Q_star.",
        decomposition,
        "step",
        1e-9,
        ("rate 1/(n + 1)", "constant rate", "backup of the same stage", "backup of the same state"),
    ),
    _step(
        "range",
        "0 <= Q_h <= H - h from a start in that range.",
        value_range,
        "step",
        1e-9,
        ("backup of the same stage", "no end of the episode"),
    ),
    _step(
        "last-stage",
        "For the rate 1/n: |Q_{H-1}(s,a) - r(s,a)| <= sqrt(ln(2SAK/0.05)/(2n)) at every visit, except with probability "
        "0.05.",
        last_stage,
        "step",
        1e-9,
        ("no end of the episode",),
    ),
    _step(
        "coins",
        "Given the past an action that is no maximiser has probability epsilon m/A, independently of the last step and "
        "of the last visit to the stage and state, and is no sooner a low than a high one: four martingales within "
        "sqrt(T ln(8/0.05)/2), except with probability 0.05. Far from equality for a small epsilon: the width is that "
        "of coins of variance 1/4.",
        coins,
        "end",
        0.0,
        (
            "never explores", "coins of the first episode", "one coin an episode", "epsilon and 1 - epsilon exchanged",
            "last action not explored", "argmin",
        ),
    ),
]  # fmt: skip
