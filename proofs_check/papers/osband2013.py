"""Osband, Russo, Van Roy 2013: posterior sampling (PSRL) in episodes; one kernel for all stages, rewards in [0, 1].

    theorem 1    the BAYESIAN regret of PSRL after T = KH steps is O(H S sqrt(A T ln(S A T)))        [recalled]

The mean is over models drawn from the prior as well as over the run. Nothing follows from it for one fixed model, and
an instance here is one fixed model, so the theorem has no verdict; no bound is known for this plain form on every model
[recalled]. What its proof uses, and what makes the algorithm the one of the theorem, is checked step by step:

    lemma 1      given the past, M_k and the true model have the same law: M_k is a draw from the exact posterior, by
                 independent Dirichlet rows (and Beta rewards), fresh in each episode, independent over pairs
    section 5    the policy of the episode is optimal for M_k, and the value it has in M_k exceeds its true value by

                     V^{M_k}_1(s_1) - V^{pi_k}_1(s_1) = sum_h E[ r_k - r + (P_k - P) V^{M_k}_{h+1} ],

                 the expectation over the true path of pi_k                                          [recalled; exact]
    lemma 2      the true model and M_k are near the empirical one. Here with sharper and separate widths [derived]: of
                 n visits, ||p_hat - p||_1 <= sqrt(2 (S ln 2 + ln(SAT/d)) / n) for all pairs and counts n <= T, except
                 with probability d (weissman2003: P(||p_hat - p||_1 >= x) <= 2^S exp(-n x^2/2) [recalled], summed over
                 S A T cases); and a Dirichlet row of total mass w is 1/(4(w+1))-sub-Gaussian in every direction of
                 {0,1}^S (marchal2017 [recalled]), so that ||P_k - mean||_1 <= sqrt(2 (S ln 2 + ln(SAK/d)) / (w + 1))
                 for all pairs and episodes, except with probability d
    pigeonhole   counts frozen at the start of an episode, over steps whose pair had more than H visits then:
                 sum 1/sqrt(N_{t_k}) <= 2 sqrt(2 S A T), and at most 2 H S A other steps             [derived]
"""

from __future__ import annotations

from typing import Any

from proofs_check.lemmas.frozen_counts import false_frozen_counts, frozen_counts
from proofs_check.mutants import psrl as faults
from proofs_check.papers._beta_law import LEVEL
from proofs_check.papers._posterior_probes import (
    MEMORY,
    calibration,
    concentration,
    coverage,
    fresh,
    judge_draw,
    keep_draw,
    moves_off,
    record,
    rewards,
    rows,
    tables,
)
from theorylab.assume import episodic, rewards_in_01, stationary
from theorylab.claim import Claim, Control, HighProbability, Instance, Pointwise
from theorylab.kernel import kernel
from theorylab.learner import f8
from theorylab.probe import NEVER, Monitor, Probe
from theorylab.records import larger

COINS = {"rewards": "bernoulli"}
SMALL = Instance("two-state", 60, {"slip": 0.3, "horizon": 3, **COINS}, {"known_rewards": 0})
#: told rewards: with fewer visits than rewards a plan that samples rewards would fail
TOLD = Instance("two-state", 60, {"slip": 0.3, "horizon": 3, **COINS})
#: many rows, where the law of a draw shows soon
MANY = Instance("garnet", 60, {"S": 4, "A": 2, "b": 3, "seed": 1, "horizon": 3, **COINS})
PLACES = {"self-loops lost": TOLD, "reward to the next action": TOLD}
#: found by rates, which need more replicates than what holds without exception
RATES = ("half the variance", "counts from one", "draw reused", "draw shared by all pairs")
STEPS = {
    "quick": (
        Instance("riverswim", 300, {"states": 4, "horizon": 6, **COINS}),
        Instance("garnet", 200, {"S": 5, "A": 2, "b": 3, "seed": 1, "horizon": 4, **COINS}, {"known_rewards": 0}),
    ),
    "standard": (
        Instance("riverswim", 2000, {"states": 6, "horizon": 20, **COINS}),
        Instance("garnet", 1000, {"S": 8, "A": 3, "b": 3, "seed": 1, "horizon": 6, **COINS}, {"known_rewards": 0}),
        Instance("frozen-lake", 300, {"horizon": 15, **COINS}, {"prior": 0.25}),
    ),
}


@kernel
def counts(st, p, tr, t):
    """Transitions of the pair against the record, their sum against the visits served at all stages."""
    n = 0
    for s2 in range(p.S):
        n += st.moves[tr.s, tr.a, s2]
    for h in range(p.H):
        n -= tr.visits[h, tr.s, tr.a]
    return max(moves_off(st, p, tr), abs(float(n)))


@kernel
def value_of(st, p, h, s, a):
    """The value of an action in the drawn model."""
    value = st.r[s, a]
    for s2 in range(p.S):
        value += st.P[s, a, s2] * st.V[h + 1, s2]
    return value


@kernel
def bellman(st, p, tr, t):
    """Largest distance of V from the maximum over actions, and of that from the planned action's value; V_H = 0."""
    worst = 0.0
    for h in range(p.H):
        for s in range(p.S):
            top = NEVER
            planned = NEVER
            for a in range(p.A):
                value = value_of(st, p, h, s, a)
                top = larger(top, value)
                if a == st.pi[h, s]:
                    planned = value
            worst = larger(worst, larger(abs(st.V[h, s] - top), top - planned))
    for s in range(p.S):
        worst = larger(worst, abs(st.V[p.H, s]))
    return worst


@kernel
def value_range(st, p, tr, t):
    """Largest excess of a drawn value over H - h, or below zero."""
    worst = NEVER
    for h in range(p.H):
        for s in range(p.S):
            worst = larger(worst, larger(st.V[h, s] - (p.H - h), -st.V[h, s]))
    return worst


@kernel
def played(st, p, tr, t):
    """V_h(s) minus the value of the action played, both in the drawn model."""
    return st.V[tr.h, tr.s] - value_of(st, p, tr.h, tr.s, tr.a)


@kernel
def decomposition(st, p, tr, t):
    """At an episode's first step: the distance between the two sides of the decomposition."""
    if tr.h > 0:
        return NEVER
    return abs(tr.sides[0] - tr.sides[1])


@kernel
def once(st, p, tr, t):
    """Plans so far against episodes so far."""
    return abs(float(tr.epochs - (t + 1)))


@kernel
def walk(st, p, tr):
    """Both sides of the decomposition, from the law of the true path of the planned policy."""
    for s in range(p.S):
        tr.law[0, s] = 1.0 if s == tr.s else 0.0
    truth = 0.0
    errors = 0.0
    for h in range(p.H):
        now = h % 2
        for s in range(p.S):
            tr.law[1 - now, s] = 0.0
        for s in range(p.S):
            weight = tr.law[now, s]
            a = st.pi[h, s]
            row = s * p.A + a
            truth += weight * tr.r_mean[row]
            errors += weight * (value_of(st, p, h, s, a) - tr.r_mean[row])
            for j in range(tr.width):
                s2 = tr.succ[row, j]
                errors -= weight * tr.prob[row, j] * st.V[h + 1, s2]
                tr.law[1 - now, s2] += weight * tr.prob[row, j]
    tr.sides[0] = st.V[0, tr.s] - truth
    tr.sides[1] = errors


@kernel
def monitor_begin(p, tr):
    """Nothing seen, nothing paid (memory arrives zeroed)."""
    tr.paid[0, 0] = 0.0


@kernel
def monitor_observe(st, p, tr, t):
    """At an episode's first step judge its draw by the record of what came before; then take the step in."""
    if tr.h == 0:
        judge_draw(st, p, tr)
        keep_draw(st, p, tr)
        walk(st, p, tr)
    record(p, tr)


monitor = Monitor({**MEMORY, "law": f8[2, "S"], "sides": f8[2]}, monitor_begin, monitor_observe)
CONTROLS = {
    name: Control(name, learner, MANY if name in RATES else PLACES.get(name), replicates=4)
    for name, learner in {
        "posterior mean played": faults.posterior_mean,
        "half the variance": faults.variance_halved,
        "counts from one": faults.counts_from_one,
        "data unused": faults.data_unused,
        "draw reused": faults.draw_reused,
        "draw shared by all pairs": faults.draw_shared,
        "rows mirrored": faults.rows_mirrored,
        "unvisited at zero": faults.unvisited_zero,
        "not normalised": faults.not_normalised,
        "successes counted as failures too": faults.failures_wrong,
        "backup of the same stage": faults.backup_same_stage,
        "policy minimises": faults.policy_minimises,
        "policy of the last draw": faults.policy_stale,
        "self-loops lost": faults.counts_lost,
        "successor not recorded": faults.successors_lost,
        "reward to the next action": faults.rewards_swapped,
        "draw every other episode": faults.trigger_late,
        "acts on the next stage": faults.acts_on_next_stage,
    }.items()
}


def _step(name: str, text: str, tag: str, value: Any, at: str, tol: float, caught: tuple[str, ...]) -> Claim:
    sure = name not in ("calibration", "concentration", "coverage")
    return Claim(
        id=f"osband2013.{name}",
        text=text,
        source_tag=tag,
        learner="psrl",
        kind=Pointwise() if sure else HighProbability(LEVEL),
        quantity=Probe(f"psrl.{name}", value, at, tol),
        instances=STEPS,
        control_instance=SMALL,
        assumes=(episodic, stationary, rewards_in_01),
        controls=tuple(CONTROLS[c] for c in caught),
        tables=tables,
        monitor=monitor,
    )


claims = [
    _step(
        "counts",
        "Counts are conserved: the transitions of a pair are those that the environment made, pooled over the stages.",
        "derived",
        counts,
        "step",
        0.0,
        ("self-loops lost", "successor not recorded"),
    ),
    _step(
        "rewards",
        "Told rewards are the environment's means; where they are unknown their sums are those paid.",
        "derived",
        rewards,
        "step",
        1e-9,
        ("reward to the next action",),
    ),
    _step(
        "rows",
        "Every drawn row is a distribution: no entry negative, sum one.",
        "derived",
        rows,
        "plan",
        1e-12,
        ("unvisited at zero", "not normalised"),
    ),
    _step(
        "calibration",
        "M_k is a draw from the posterior Dirichlet(prior + counts), Beta(1 + wins, 1 + losses), given the past "
        "(lemma 1's premise): the probability transforms of all broken sticks and rewards are uniform, independent of "
        "those of the last episode and of the pair before, by four Hoeffding tallies at level 0.05.",
        "derived",
        calibration,
        "end",
        0.0,
        (
            "posterior mean played", "half the variance", "counts from one", "data unused", "draw reused",
            "draw shared by all pairs", "rows mirrored", "successes counted as failures too",
        ),
    ),
    _step(
        "fresh",
        "No row of a draw is that of the last episode (S >= 2).",
        "recalled",
        fresh,
        "plan",
        0.0,
        ("posterior mean played",),
    ),
    _step(
        "once",
        "There is one draw an episode.",
        "recalled",
        once,
        "episode",
        0.0,
        ("draw every other episode",),
    ),
    _step(
        "bellman",
        "V solves the Bellman equations of the drawn model and the planned policy attains their maxima.",
        "recalled",
        bellman,
        "plan",
        1e-9,
        ("backup of the same stage", "policy minimises", "policy of the last draw"),
    ),
    _step(
        "played",
        "The action played is optimal for the drawn model at its stage.",
        "recalled",
        played,
        "step",
        1e-9,
        ("policy minimises", "acts on the next stage"),
    ),
    _step(
        "range",
        "0 <= V_h <= H - h for the drawn model.",
        "derived",
        value_range,
        "plan",
        1e-9,
        ("backup of the same stage",),
    ),
    _step(
        "decomposition",
        "V^{M_k}(s_1) - V^{pi_k}(s_1) is the sum of the one-step errors of M_k along the true path of pi_k.",
        "recalled",
        decomposition,
        "step",
        1e-9,
        ("backup of the same stage", "policy minimises", "policy of the last draw"),
    ),
    _step(
        "concentration",
        "||P_k - posterior mean||_1 <= sqrt(2 (S ln 2 + ln(SAK/0.05)) / (mass + n + 1)) for every pair and episode, "
        "except with probability 0.05. Where the width is above 2, at few visits, it says nothing.",
        "derived",
        concentration,
        "plan",
        1e-9,
        ("data unused",),
    ),
    _step(
        "coverage",
        "||p_hat - p||_1 <= sqrt(2 (S ln 2 + ln(SAT/0.05)) / n) for every pair and episode, p_hat from the learner's "
        "counts, except with probability 0.05. Where the width is above 2, at few visits, it says nothing.",
        "derived",
        coverage,
        "plan",
        1e-9,
        ("successor not recorded",),
    ),
    Claim(
        id="osband2013.pigeonhole",
        text="For every sequence of pairs in episodes of H steps: at most 2HSA steps find N_{t_k} <= H, and over the "
        "others sum 1/sqrt(N_{t_k}) <= 2 sqrt(2SAT). The first is attained, the second is not: sums reach 0.65 of it.",
        source_tag="derived",
        scope="models",
        learner="psrl",
        kind=Pointwise(),
        quantity=frozen_counts,
        false_twin=false_frozen_counts,
        instances={},
    ),
]  # fmt: skip
