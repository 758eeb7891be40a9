"""Agrawal and Goyal 2013: Thompson sampling with Beta(1, 1) priors. Rewards in [0, 1], N = A arms, T rounds.

    theorem 1    E regret(T) <= (1 + eps) sum gap_i ln T / d(mu_i, mu_1) + O(N / eps^2)      [source]
    theorem 2    E regret(T) <= O(sqrt(N T ln T))                                          [source]

d is the divergence of Bernoulli laws, the best arm is unique. The constants are hidden: the best ones are measured.

Steps, each a claim of its own: successes and failures add up to the plays, and for rewards 0 and 1 the successes are
the rewards; for others the coin is fair; samples lie in (0, 1) and have the posterior's law; the arm played has the
largest sample; the success rates are near the means (the events E^mu rest on this). Lemmas: the link of Beta and
binomial laws (fact 1), and lemma 1 for two arms.

Levels [derived]. Given the past, the probability integral transform v of every sample is uniform, and independent from
arm to arm and round to round: v - 1/2 is subgaussian with variance proxy 1/12, and the indicator of |v - 1/2| < 1/4,
less 1/2, is a fair coin, with variance proxy 1/4. By the maximal inequality the sums of n = T A of them stay below
sqrt(2 s n ln(4/delta)), s = 1/12 and 1/4, at every round, both sides, except with probability delta. The toss of a coin
for a reward r adds heads - r, in an interval of length 1, so that their sum stays below sqrt(T ln(2/delta)/2). By
Chernoff's bound, s kl(rate after s plays, mu) <= ln(2 A T/delta) for all arms and s <= T.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from proofs_check.lemmas.bernoulli_kl import kl
from proofs_check.lemmas.beta_binomial import (
    distribution,
    false_identity,
    false_ratio,
    identity,
    log_factorials,
    ratio,
)
from proofs_check.mutants import thompson as faults
from proofs_check.papers._bandit_probes import MINIMAX, SIX_FOUR, TEN, stepper, sums, trivial
from theorylab.assume import Assumption, bandit, rewards_in_01, unique_optimal_arm
from theorylab.claim import Claim, Context, Control, Expectation, HighProbability, Instance, Pointwise
from theorylab.kernel import kernel, log
from theorylab.learner import f8, i8
from theorylab.model import DETERMINISTIC, Bandit
from theorylab.probe import NEVER, Monitor, Probe

DELTA = 0.05
SMALL = Instance("bernoulli", 150, {"means": (0.9, 0.1)})
STEPS = {
    "quick": (
        Instance("bernoulli", 1000, SIX_FOUR),
        Instance("bernoulli", 1000, TEN),
        Instance("minimax-pair", 1000, MINIMAX(1000)),
    ),
    "standard": (
        Instance("bernoulli", 10_000, SIX_FOUR),
        Instance("bernoulli", 10_000, TEN),
        Instance("minimax-pair", 10_000, MINIMAX(10_000, 5)),
    ),
}
#: rewards equal to their means: every success is a toss of the learner's own coin
FIXED = Bandit(means=np.array([0.6, 0.4]), reward_law=DETERMINISTIC, name="fixed(0.6,0.4)")
COINS = {"quick": (Instance.of(FIXED, 2000),), "standard": (Instance.of(FIXED, 20_000),)}
COINS_SMALL = Instance.of(FIXED, 150)
FINAL = {
    "quick": (Instance("bernoulli", 600, SIX_FOUR), Instance("bernoulli", 600, TEN)),
    "standard": (Instance("bernoulli", 5000, SIX_FOUR), Instance("bernoulli", 5000, TEN)),
}


def _zero_or_one(model: Any) -> str | None:
    if (wrong := bandit(model)) is not None:
        return wrong
    kind = model.reward_law.kind
    if kind == "bernoulli" or (kind == "deterministic" and np.all((model.means == 0) | (model.means == 1))):
        return None
    return f"rewards are {kind}, not all of them 0 or 1"


zero_or_one = Assumption("rewards-0-or-1", "every reward is 0 or 1", _zero_or_one)


def gap_shape(c: Context, n: np.ndarray) -> np.ndarray:
    """ln n sum gap_i / d(mu_i, mu_1)."""
    best = float(np.max(c.mean))
    lead = sum(float(g) / kl(float(m), best) for m, g in zip(c.mean, c.gap, strict=True) if g > 0)
    return np.asarray(np.log(np.maximum(np.asarray(n, dtype=float), 1.0)) * lead)


def worst_case_shape(c: Context, n: np.ndarray) -> np.ndarray:
    """sqrt(N n ln n)."""
    n = np.maximum(np.asarray(n, dtype=float), 1.0)
    return np.asarray(np.sqrt(c.A * n * np.log(n)))


def tables(c: Context) -> dict[str, Any]:
    """Constants that the probes read."""
    samples = float(c.A) * c.T * math.log(4.0 / DELTA)
    return {
        "log_factorial": log_factorials(c.T + 2),
        "drift": math.sqrt(samples / 6.0),
        "spread": math.sqrt(samples / 2.0),
        "tosses": math.sqrt(c.T * math.log(2.0 / DELTA) / 2.0),
        "rate_level": math.log(2.0 * c.A * c.T / DELTA),
    }


@kernel
def counts(st, p, tr, t):
    """Successes and failures against the environment's plays."""
    worst = 0.0
    for a in range(p.A):
        worst = max(worst, abs(float(st.successes[a] + st.failures[a] - tr.visits[a])))
    return worst


@kernel
def rewards(st, p, tr, t):
    """Successes against the rewards that the arm paid, where all of them are 0 or 1."""
    worst = 0.0
    for a in range(p.A):
        worst = max(worst, abs(st.successes[a] - tr.sums[a]))
    return worst


@kernel
def coins(st, p, tr, t):
    """|successes - rewards|, summed over the arms, minus its bound."""
    total = 0.0
    for a in range(p.A):
        total += st.successes[a] - tr.sums[a]
    return abs(total) - tr.tosses


@kernel
def in_range(st, p, tr, t):
    """1 where a sample is not inside (0, 1)."""
    worst = 0.0
    for a in range(p.A):
        if not 0.0 < st.theta[a] < 1.0:
            worst = 1.0
    return worst


@kernel
def greedy(st, p, tr, t):
    """Largest sample minus that of the arm played."""
    top = st.theta[0]
    for a in range(1, p.A):
        top = max(top, st.theta[a])
    return top - st.theta[tr.a]


@kernel
def law(st, p, tr, t):
    """The larger excess of the two sums of transforms over its bound."""
    return max(abs(tr.transforms[0]) - tr.drift, abs(tr.transforms[1]) - tr.spread)


@kernel
def concentration(st, p, tr, t):
    """Largest s kl(successes / s, mu) minus ln(2 A T / delta)."""
    worst = NEVER
    for a in range(p.A):
        up = float(st.successes[a])
        down = float(st.failures[a])
        n = up + down
        if n > 0.0 and 0.0 < tr.mean[a] < 1.0:
            x = -tr.rate_level
            if up > 0.0:
                x += up * log(up / (n * tr.mean[a]))
            if down > 0.0:
                x += down * log(down / (n * (1.0 - tr.mean[a])))
            worst = max(worst, x)
    return worst


@kernel
def monitor_begin(p, tr):
    """Nothing has been paid or tossed."""
    tr.transforms[0] = 0.0
    tr.transforms[1] = 0.0
    for a in range(p.A):
        tr.sums[a] = 0.0
        tr.up[a] = 0
        tr.down[a] = 0


@kernel
def monitor_observe(st, p, tr, t):
    """Add the reward; transform the samples by the laws of the counts as they stood before the round."""
    tr.sums[tr.a] += tr.r
    for a in range(p.A):
        v = 0.0
        if st.theta[a] >= 1.0:
            v = 1.0
        elif st.theta[a] > 0.0:
            v = distribution(st.theta[a], tr.up[a], tr.down[a], tr.log_factorial)
        tr.transforms[0] += v - 0.5
        tr.transforms[1] += 0.5 if 0.25 < v < 0.75 else -0.5
        tr.up[a] = st.successes[a]
        tr.down[a] = st.failures[a]


monitor = Monitor(
    {"sums": f8["A"], "up": i8["A"], "down": i8["A"], "transforms": f8[2]}, monitor_begin, monitor_observe
)
ALL = {
    "bonus zero": faults.bonus_zero,
    "variance fourfold": faults.variance_fourfold,
    "one success more": faults.count_off_by_one,
    "parameters swapped": faults.parameters_swapped,
    "draw reused": faults.draw_reused,
    "samples kept": faults.samples_kept,
    "unvisited at zero": faults.unvisited_zero,
    "argmin": faults.argmin,
    "failures lost": faults.failures_lost,
    "outcome to the next arm": faults.arm_confused,
    "heads are failures": faults.coin_reversed,
}
CONTROLS = {name: Control(name, learner) for name, learner in ALL.items()}
COIN_CONTROLS = {
    name: Control(name, learner)
    for name, learner in (("rewards rounded", faults.rewards_rounded), ("coin reused", faults.coin_reused))
}
_SHARED: dict[str, Any] = dict(learner="thompson", tables=tables)
step = stepper("agrawal2013", CONTROLS, instances=STEPS, control_instance=SMALL, monitor=monitor, **_SHARED)
binary = stepper(
    "agrawal2013",
    CONTROLS,
    assumes=(bandit, zero_or_one),
    instances=STEPS,
    control_instance=SMALL,
    monitor=monitor,
    **_SHARED,
)
toss = stepper("agrawal2013", COIN_CONTROLS, instances=COINS, control_instance=COINS_SMALL, monitor=sums, **_SHARED)
NAMES = ("counts", "rewards", "coins", "range", "law", "greedy", "concentration", "fact1", "lemma1")


def _theorem(name: str, text: str, shape: Any) -> Claim:
    return Claim(
        id=f"agrawal2013.{name}",
        text=text,
        source_tag="source",
        learner="thompson",
        kind=Expectation(),
        quantity="regret",
        shape=shape,
        trivial=trivial,
        constants="unspecified",
        instances=FINAL,
        assumes=(bandit, rewards_in_01, unique_optimal_arm),
        steps=tuple(f"agrawal2013.{s}" for s in NAMES),
    )


claims = [
    _theorem(
        "thm1",
        "Theorem 1: E regret(T) <= (1 + eps) sum gap_i ln T / d(mu_i, mu_1) + O(N / eps^2), constants not given.",
        gap_shape,
    ),
    _theorem("thm2", "Theorem 2: E regret(T) = O(sqrt(N T ln T)); the constant is not given.", worst_case_shape),
    Claim(
        id="agrawal2013.fact1",
        text="Fact 1: for whole a and b, P(Beta(a, b) <= y) = P(Bin(a + b - 1, y) >= a).",
        source_tag="source",
        scope="models",
        learner="thompson",
        kind=Pointwise(),
        quantity=identity,
        false_twin=false_identity,
        instances={},
    ),
    Claim(
        id="agrawal2013.lemma1",
        text="Lemma 1, two arms: P(arm 2 is played, theta_2 <= y) <= (1 - p)/p P(arm 1 is played, theta_2 <= y) given "
        "the past, p = P(theta_1 > y).",
        source_tag="recalled",
        scope="models",
        learner="thompson",
        kind=Pointwise(),
        quantity=ratio,
        false_twin=false_ratio,
        instances={},
    ),
    step(
        "counts",
        "Outcomes are conserved: successes and failures of an arm add up to its plays.",
        "source",
        Pointwise(),
        Probe("thompson.counts", counts),
        ("failures lost", "outcome to the next arm"),
    ),
    binary(
        "rewards",
        "Where rewards are 0 or 1, the successes of an arm are the rewards that it paid.",
        "source",
        Pointwise(),
        Probe("thompson.rewards", rewards),
        ("heads are failures", "outcome to the next arm"),
    ),
    toss(
        "coins",
        "Rewards inside (0, 1) are tossed fairly: successes and rewards, summed over the arms, differ by at most "
        "sqrt(T ln(2/0.05)/2) at every round, except with probability 0.05.",
        "derived",
        HighProbability(DELTA),
        Probe("thompson.coins", coins),
        ("rewards rounded", "coin reused"),
    ),
    step(
        "range",
        "Every sample lies strictly between 0 and 1.",
        "derived",
        Pointwise(),
        Probe("thompson.range", in_range),
        ("unvisited at zero",),
    ),
    step(
        "greedy",
        "The arm played has the largest sample.",
        "source",
        Pointwise(),
        Probe("thompson.greedy", greedy),
        ("argmin",),
    ),
    step(
        "law",
        "The samples of every round follow Beta(successes + 1, failures + 1), independently: the sums of v - 1/2 and "
        "of 1{|v - 1/2| < 1/4} - 1/2 over rounds and arms, v the probability integral transform, stay within "
        "sqrt(T A ln(80)/6) and sqrt(T A ln(80)/2) at every round, except with probability 0.05.",
        "derived",
        HighProbability(DELTA),
        Probe("thompson.law", law),
        (
            "bonus zero",
            "variance fourfold",
            "one success more",
            "parameters swapped",
            "draw reused",
            "samples kept",
        ),
    ),
    step(
        "concentration",
        "s kl(success rate, mu) <= ln(2 A T / 0.05) for every arm after its s plays, except with probability 0.05 "
        "(Chernoff's bound, which the events E^mu rest on).",
        "derived",
        HighProbability(DELTA),
        Probe("thompson.concentration", concentration, tol=1e-9),
        ("failures lost", "heads are failures"),
    ),
]
