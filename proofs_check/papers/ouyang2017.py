"""Ouyang, Gagrani, Nayyar, Jain 2017: posterior sampling, dynamic episodes (TSDE). Average reward, rewards in [0, 1].

    theorem 1    if every model of the prior has a span of at most H, the BAYESIAN regret after T steps is at most
                 (H + 1) sqrt(2 S A T ln T) + 49 H S sqrt(A T ln(A T))                              [recalled]

The mean is over models drawn from the prior as well as over the run. Nothing follows from it for one fixed model, and
an instance here is one fixed model, so the theorem has no verdict. What its proof uses is checked step by step:

    lemma 1      given the past, theta_k has the law of the true model at the start of an episode: a draw from the
                 exact posterior, by independent Dirichlet rows (and Beta rewards), fresh in each episode
    algorithm 1  the first criterion lets lengths grow by at most one, the second ends an episode as soon as a pair's
                 visits are more than doubled, and nothing else ends one
    lemma 2      episodes up to T: K_T <= sqrt(2 S A T ln T) [recalled, T >= 2]; with the constants written out,
                 K_T <= sqrt(2 T (1 + S A log2(1 + T/(S A)))) [derived, `lemmas/frozen_counts`]
    section 4    the policy is optimal for theta_k: J + u = max_a (r + P u). Here within `precision`: span(L u - u) is
                 below it, and the policy is greedy, so that its gain in theta_k is within it of the optimal one
    lemma 3      theta_k and the true model are near the empirical one: the widths of `osband2013`, with steps for
                 episodes in the union                                                             [derived]

How many draws a run makes depends on them, so that the tallies of draws stop after a number of episodes that every
run reaches: as T_k <= k + 1, n steps take at least (sqrt(8 n + 9) - 3) / 2 episodes [derived].
"""

from __future__ import annotations

import math
from typing import Any

from proofs_check.lemmas.frozen_counts import dynamic_episodes, false_dynamic_episodes
from proofs_check.mutants import psrl_average as faults
from proofs_check.papers import _posterior_probes as shared
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
)
from theorylab.assume import average_reward, communicating, rewards_in_01
from theorylab.claim import Claim, Context, Control, HighProbability, Instance, Pointwise
from theorylab.kernel import kernel, log, sqrt
from theorylab.learner import i8
from theorylab.probe import NEVER, Monitor, Probe
from theorylab.records import larger

COINS = {"rewards": "bernoulli"}
LN2 = 0.69314718055994530942
SMALL = Instance("two-state", 300, {"slip": 0.3, **COINS}, {"known_rewards": 0})
#: told rewards: with fewer visits than rewards a plan that samples rewards would fail
TOLD = Instance("two-state", 300, {"slip": 0.3, **COINS})
#: many rows and plans, where the law of a draw shows soon; and the same with drawn rewards
MANY = Instance("garnet", 1200, {"S": 4, "A": 2, "b": 3, "seed": 1, **COINS})
DRAWN = Instance("garnet", 1200, {"S": 4, "A": 2, "b": 3, "seed": 1, **COINS}, {"known_rewards": 0})
PLACES = {
    "self-loops lost": TOLD,
    "reward to the next action": TOLD,
    "successor not recorded": TOLD,
    "successes counted as failures too": DRAWN,
}
#: found by rates, which need more than what holds without exception
RATES = (
    "posterior mean played", "half the variance", "counts from one", "draw reused", "draw shared by all pairs",
    "rows mirrored",
)  # fmt: skip
STEPS = {
    "quick": (
        Instance("riverswim", 10_000, {"states": 4, **COINS}),
        Instance("garnet", 6000, {"S": 5, "A": 2, "b": 3, "seed": 1, **COINS}, {"known_rewards": 0}),
    ),
    "standard": (
        Instance("riverswim", 100_000, COINS),
        Instance("jao", 100_000, {"delta": 0.25, "epsilon": 0.1, **COINS}, {"known_rewards": 0}),
        Instance("garnet", 50_000, {"S": 10, "A": 3, "b": 3, "seed": 1, **COINS}),
    ),
}


def tables(c: Context) -> dict[str, Any]:
    """As for episodes, and the number of plans that every run makes."""
    return {**shared.tables(c), "judged": math.ceil((math.sqrt(8.0 * c.T + 9.0) - 3.0) / 2.0)}


@kernel
def counts(st, p, tr, t):
    """Visits of the pair against the environment's counter, transitions against the record."""
    return max(moves_off(st, p, tr), abs(float(st.N[tr.s, tr.a] - tr.visits[tr.s, tr.a])))


@kernel
def value_of(st, p, s, a):
    """r + P u of the drawn model."""
    value = st.r[s, a]
    for s2 in range(p.S):
        value += st.P[s, a, s2] * st.u[s2]
    return value


@kernel
def best_value(st, p, s):
    """(L u)(s)."""
    top = NEVER
    for a in range(p.A):
        top = larger(top, value_of(st, p, s, a))
    return top


@kernel
def certificate(st, p, tr, t):
    """span(L u - u) minus the precision."""
    fall = NEVER
    rise = NEVER
    for s in range(p.S):
        change = best_value(st, p, s) - st.u[s]
        fall = larger(fall, -change)
        rise = larger(rise, change)
    return rise + fall - p.precision


@kernel
def behind(st, p, s, chosen):
    """(L u)(s) minus the value of an action."""
    top = NEVER
    value = NEVER
    for a in range(p.A):
        now = value_of(st, p, s, a)
        top = larger(top, now)
        if a == chosen:
            value = now
    return top - value


@kernel
def greedy(st, p, tr, t):
    """Largest L u minus the value of the planned action."""
    worst = 0.0
    for s in range(p.S):
        worst = larger(worst, behind(st, p, s, st.pi[s]))
    return worst


@kernel
def played(st, p, tr, t):
    """L u minus the value of the action played, at its state."""
    return behind(st, p, tr.s, tr.a)


@kernel
def lengths(st, p, tr, t):
    """Steps of this episode minus those of the last one, minus 1."""
    return float(tr.length[0] - tr.length[1] - 1)


@kernel
def doubling(st, p, tr, t):
    """Largest excess of a pair's visits over 2 N_{t_k}, over 1 + 2 N_{t_k} for the pair of this step.

    That pair may have been doubled just now: the episode must end with this step.
    """
    worst = -1 - 2 * tr.before[tr.s, tr.a] + tr.visits[tr.s, tr.a]
    for s in range(p.S):
        for a in range(p.A):
            if s != tr.s or a != tr.a:
                worst = max(worst, tr.visits[s, a] - 2 * tr.before[s, a])
    return float(worst)


@kernel
def trigger(st, p, tr, t):
    """0 where the episode that just ended was longer than the one before, or had a pair more than doubled; else 1."""
    if t == 0:
        return NEVER
    if tr.length[0] > tr.length[1]:
        return 0.0
    for s in range(p.S):
        for a in range(p.A):
            if tr.visits[s, a] > 2 * tr.before[s, a]:
                return 0.0
    return 1.0


@kernel
def episodes(st, p, tr, t):
    """Episodes so far minus sqrt(2 S A n ln n), n = t + 1 >= 2."""
    n = t + 1.0
    if n < 2.0:
        return NEVER
    return tr.epochs - sqrt(2.0 * p.S * p.A * n * log(n))


@kernel
def episodes_derived(st, p, tr, t):
    """Episodes so far minus sqrt(2 n (1 + S A log2(1 + n/(S A)))), n = t + 1."""
    n = t + 1.0
    pairs = float(p.S * p.A)
    return tr.epochs - sqrt(2.0 * n * (1.0 + pairs * log(1.0 + n / pairs) / LN2))


@kernel
def monitor_begin(p, tr):
    """T_0 = 1: it becomes the last length when the first episode starts."""
    tr.length[0] = 1


@kernel
def monitor_observe(st, p, tr, t):
    """At an episode's first step judge its draw by the record of what came before; then take the step in."""
    if tr.epochs != tr.seen_epochs[0]:
        tr.seen_epochs[0] = tr.epochs
        if tr.epochs <= tr.judged:
            judge_draw(st, p, tr)
        keep_draw(st, p, tr)
        for s in range(p.S):
            for a in range(p.A):
                tr.before[s, a] = tr.visits[s, a]
        tr.before[tr.s, tr.a] -= 1
        tr.length[1] = tr.length[0]
        tr.length[0] = 0
    tr.length[0] += 1
    record(p, tr)


monitor = Monitor(
    {**MEMORY, "before": i8["S", "A"], "length": i8[2], "seen_epochs": i8[1]}, monitor_begin, monitor_observe
)
CONTROLS = {
    name: Control(name, learner, MANY if name in RATES else PLACES.get(name), replicates=4)
    for name, learner in {
        "posterior mean played": faults.posterior_mean,
        "half the variance": faults.variance_halved,
        "counts from one": faults.counts_from_one,
        "draw reused": faults.draw_reused,
        "draw shared by all pairs": faults.draw_shared,
        "rows mirrored": faults.rows_mirrored,
        "unvisited at zero": faults.unvisited_zero,
        "successes counted as failures too": faults.failures_wrong,
        "one sweep": faults.stops_early,
        "policy minimises": faults.policy_minimises,
        "solved with a discount": faults.solved_discounted,
        "policy of the last draw": faults.policy_stale,
        "counts of the first episode": faults.start_stale,
        "length ignored": faults.length_dropped,
        "visits ignored": faults.doubling_dropped,
        "trigger at fourfold visits": faults.trigger_late,
        "trigger at doubled visits": faults.trigger_early,
        "length may not grow": faults.length_early,
        "length may double": faults.length_twice,
        "draw at every step": faults.trigger_always,
        "self-loops lost": faults.counts_lost,
        "successor not recorded": faults.successors_lost,
        "reward to the next action": faults.rewards_swapped,
        "acts in another state": faults.acts_elsewhere,
    }.items()
}


def _step(name: str, text: str, tag: str, value: Any, at: str, tol: float, caught: tuple[str, ...]) -> Claim:
    sure = name not in ("calibration", "concentration", "coverage")
    return Claim(
        id=f"ouyang2017.{name}",
        text=text,
        source_tag=tag,
        learner="psrl",
        kind=Pointwise() if sure else HighProbability(LEVEL),
        quantity=Probe(f"tsde.{name}", value, at, tol),
        instances=STEPS,
        control_instance=SMALL,
        assumes=(average_reward, communicating, rewards_in_01),
        controls=tuple(CONTROLS[c] for c in caught),
        tables=tables,
        monitor=monitor,
    )


claims = [
    _step(
        "counts",
        "Counts are conserved: N equals the visits that the environment has served, transitions are those it made.",
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
        ("unvisited at zero",),
    ),
    _step(
        "calibration",
        "theta_k is a draw from the posterior Dirichlet(prior + counts), Beta(1 + wins, 1 + losses), given the past "
        "(lemma 1's premise): the probability transforms of all broken sticks and rewards are uniform, independent of "
        "those of the last episode and of the pair before, by four Hoeffding tallies at level 0.05.",
        "derived",
        calibration,
        "end",
        0.0,
        (
            "posterior mean played", "half the variance", "counts from one", "draw reused", "draw shared by all pairs",
            "rows mirrored", "successes counted as failures too",
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
        "certificate",
        "Relative value iteration stops with span(L u - u) < precision on the drawn model.",
        "derived",
        certificate,
        "plan",
        1e-12,
        ("one sweep", "solved with a discount", "policy of the last draw"),
    ),
    _step(
        "greedy",
        "The planned policy attains L u in every state of the drawn model: its gain is within the precision.",
        "derived",
        greedy,
        "plan",
        1e-9,
        ("policy minimises", "policy of the last draw"),
    ),
    _step(
        "played",
        "The action played attains L u in its state.",
        "recalled",
        played,
        "step",
        1e-9,
        ("policy minimises", "acts in another state"),
    ),
    _step(
        "lengths",
        "An episode is at most one step longer than the one before (T_0 = 1).",
        "recalled",
        lengths,
        "step",
        0.0,
        ("length ignored", "length may double"),
    ),
    _step(
        "doubling",
        "Within an episode only the pair of its last step has more than 2 N_{t_k} visits, one more: more than doubled "
        "visits end it at once.",
        "recalled",
        doubling,
        "step",
        0.0,
        ("visits ignored", "trigger at fourfold visits"),
    ),
    _step(
        "trigger",
        "An episode ends only when it is longer than the one before or a pair's visits are more than doubled.",
        "recalled",
        trigger,
        "plan",
        0.0,
        ("draw at every step", "length may not grow", "trigger at doubled visits", "counts of the first episode"),
    ),
    _step(
        "episodes",
        "The number of episodes up to n >= 2 steps is at most sqrt(2 S A n ln n) (lemma 2).",
        "recalled",
        episodes,
        "step",
        0.0,
        ("draw at every step",),
    ),
    _step(
        "episodes-derived",
        "The number of episodes up to n steps is at most sqrt(2 n (1 + S A log2(1 + n/(SA)))).",
        "derived",
        episodes_derived,
        "step",
        0.0,
        ("draw at every step",),
    ),
    _step(
        "concentration",
        "||theta_k - posterior mean||_1 <= sqrt(2 (S ln 2 + ln(SAT/0.05)) / (mass + n + 1)) for every pair and "
        "episode, except with probability 0.05. Where the width is above 2, at few visits, it says nothing.",
        "derived",
        concentration,
        "plan",
        1e-9,
        ("rows mirrored",),
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
        id="ouyang2017.dynamic-episodes",
        text="For every sequence of pairs: episodes that end by these two criteria alone number at most sqrt(2 T (1 + "
        "SA log2(1 + T/(SA)))) after T steps. Not attained: sequences of the sample reach 0.7 of it.",
        source_tag="derived",
        scope="models",
        learner="psrl",
        kind=Pointwise(),
        quantity=dynamic_episodes,
        false_twin=false_dynamic_episodes,
        instances={},
    ),
]  # fmt: skip
