"""Lattimore and Szepesvari 2020, section 6: explore-then-commit. K = A arms, n rounds, m plays of each arm first.

    theorem 6.1   1-subgaussian rewards, 1 <= m <= n/K:
                  E regret(n) <= m sum gap_i + (n - m K) sum gap_i exp(-m gap_i^2 / 4)                     [recalled]

A reward in [0, 1] is 1/2-subgaussian about its mean (Hoeffding's lemma). The difference of two means of m of them is
then sqrt(2/m)/2-subgaussian, and the mean of arm i exceeds that of the best arm with probability at most
exp(-m gap_i^2):

    rewards in [0, 1]   E regret(n) <= m sum gap_i + (n - m K) sum gap_i exp(-m gap_i^2)                    [derived]

Steps, each a claim of its own: exploration takes the arms in turn, m plays each; plays and rewards are conserved; the
arm committed to has the largest mean and is never left; it is suboptimal with probability at most sum exp(-m gap_i^2);
regret is m sum gap_i + (n - m K) gap_choice exactly.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from proofs_check.mutants import explore_then_commit as faults
from proofs_check.papers._bandit_probes import (
    MINIMAX,
    SIX_FOUR,
    TEN,
    plays_conserved,
    rewards_conserved,
    stepper,
    trivial,
    uniform,
)
from theorylab.assume import Assumption, bandit, rewards_in_01
from theorylab.claim import Bound, Claim, Context, Control, Expectation, Growth, HighProbability, Instance, Pointwise
from theorylab.kernel import kernel
from theorylab.learner import f8, i8
from theorylab.probe import NEVER, Monitor, Probe

WIDE = {"means": (0.9, 0.1)}
SMALL = Instance("bernoulli", 200, WIDE, {"m": 10})
STEPS = {
    "quick": (
        Instance("bernoulli", 1000, SIX_FOUR, {"m": 60}),
        Instance("bernoulli", 4000, TEN, {"m": 300}),
        Instance("minimax-pair", 2000, MINIMAX(2000), {"m": 800}),
    ),
    "standard": (
        Instance("bernoulli", 10_000, SIX_FOUR, {"m": 80}),
        Instance("bernoulli", 10_000, TEN, {"m": 400}),
        Instance("minimax-pair", 10_000, MINIMAX(10_000), {"m": 4000}),
    ),
}
#: m is small enough for errors to be seen: the bound is then well above what is measured, and below trivial
BOUNDED = {
    "quick": (
        Instance("bernoulli", 1000, SIX_FOUR, {"m": 25}),
        Instance("bernoulli", 4000, {"means": (0.5, 0.4, 0.5, 0.8)}, {"m": 15}),
    ),
    "standard": (
        Instance("bernoulli", 10_000, SIX_FOUR, {"m": 60}),
        Instance("bernoulli", 10_000, {"means": (0.5, 0.4, 0.5, 0.8)}, {"m": 30}),
    ),
}
SUBGAUSSIAN = {
    "quick": (Instance("gaussian", 2000, {"means": (0.0, 0.5)}, {"m": 20}),),
    "standard": (
        Instance("gaussian", 10_000, {"means": (0.0, 0.5)}, {"m": 40}),
        Instance("gaussian", 10_000, {"means": (0.0, 0.5, 1.0)}, {"m": 40}),
    ),
}


def _subgaussian(model: Any) -> str | None:
    law = model.reward_law
    if law.kind == "gaussian":
        return None if law.sd <= 1.0 else f"rewards are gaussian with standard deviation {law.sd:g}, above 1"
    return (
        None if law.high - law.low <= 2.0 else f"rewards lie in an interval of length {law.high - law.low:g}, above 2"
    )


subgaussian = Assumption("1-subgaussian", "rewards are 1-subgaussian about their means", _subgaussian)


def errors(c: Context, rate: float) -> np.ndarray:
    """exp(-rate m gap_i^2) for the suboptimal arms, 0 for the best ones."""
    return np.where(c.gap > 0, np.exp(-rate * c.m * c.gap**2), 0.0)


def bound_at(rate: float) -> Bound:
    """Theorem 6.1 with exp(-rate m gap^2); before the m K-th round what exploration in turn loses at most."""

    def bound(c: Context, n: np.ndarray) -> np.ndarray:
        n = np.asarray(n, dtype=float)
        explored = c.m * float(np.sum(c.gap))
        committed = np.maximum(n - c.m * c.A, 0.0) * float(c.gap @ errors(c, rate))
        return np.asarray(np.minimum(explored, n * float(np.max(c.gap))) + committed)

    return bound


def error_level(c: Context) -> float:
    """The union over suboptimal arms, rewards in [0, 1]."""
    return min(1.0, float(np.sum(errors(c, 1.0))))


@kernel
def in_turn(st, p, tr, t):
    """Distance of the arm from t mod K while exploring; of its plays from m at the end of exploration."""
    explore = p.m * p.A
    if t >= explore:
        return NEVER
    if t == explore - 1:
        for a in range(p.A):
            if tr.visits[a] != p.m:
                return abs(float(tr.visits[a] - p.m))
    return abs(float(tr.a - t % p.A))


@kernel
def best_of_exploration(st, p, tr, t):
    """Largest mean of the exploration minus that of the arm played."""
    if t < p.m * p.A:
        return NEVER
    top = tr.explored[0]
    for a in range(1, p.A):
        top = max(top, tr.explored[a])
    return (top - tr.explored[tr.a]) / p.m


@kernel
def never_left(st, p, tr, t):
    """1 where the arm played is not that of the first round after exploration."""
    if t < p.m * p.A:
        return NEVER
    return 0.0 if tr.a == tr.first[0] else 1.0


@kernel
def wrong_choice(st, p, tr, t):
    """Gap of the arm that is committed to."""
    if t < p.m * p.A:
        return NEVER
    return tr.gap[tr.a]


@kernel
def decomposition(st, p, tr, t):
    """Distance of the regret from m sum gap + (n - m K) gap_choice, once every arm has had its m turns."""
    if t < p.m * p.A:
        return NEVER
    total = 0.0
    for a in range(p.A):
        total += tr.gap[a]
    return abs(tr.regret - p.m * total - (t - p.m * p.A) * tr.gap[tr.first[0]])


@kernel
def monitor_begin(p, tr):
    """No rewards yet."""
    tr.first[0] = 0
    for a in range(p.A):
        tr.sums[a] = 0.0
        tr.explored[a] = 0.0


@kernel
def monitor_observe(st, p, tr, t):
    """All rewards, those of the exploration, and the first arm after it."""
    tr.sums[tr.a] += tr.r
    if t < p.m * p.A:
        tr.explored[tr.a] += tr.r
    if t == p.m * p.A:
        tr.first[0] = tr.a


monitor = Monitor({"sums": f8["A"], "explored": f8["A"], "first": i8[1]}, monitor_begin, monitor_observe)
ALL = {
    "one turn less": faults.count_off_by_one,
    "one turn more": faults.commits_late,
    "m rounds in all": faults.rounds_for_plays,
    "argmin": faults.argmin,
    "choice renewed": faults.choice_renewed,
    "last turn not seen": faults.choice_stale,
    "others unplayed": faults.others_unplayed,
    "counts lost": faults.counts_lost,
    "rewards swapped": faults.rewards_swapped,
}
#: what the last turn leaves out shows where it decides: hardly at a gap of 0.8, often between equal arms
CLOSE = Instance("bernoulli", 20, {"means": (0.5, 0.5, 0.5, 0.5)}, {"m": 2})
CONTROLS = {
    name: Control(name, x, CLOSE, 48) if name in ("last turn not seen", "choice renewed") else Control(name, x)
    for name, x in ALL.items()
}
step = stepper(
    "lattimore2020",
    CONTROLS,
    learner="explore-then-commit",
    instances=STEPS,
    control_instance=SMALL,
    monitor=monitor,
)
NAMES = ("turns", "counts", "sums", "choice", "commitment", "error", "decomposition")


def sweep(low: int, high: int) -> tuple[Instance, ...]:
    """Horizons n = 2^low .. 2^(high-1) on two arms of gap 0.2, with m = n^(2/3)/2."""
    pair = {"means": (0.7, 0.5)}
    return tuple(Instance("bernoulli", 2**k, pair, {"m": round(2 ** (2 * k / 3) / 2)}) for k in range(low, high))


def two_thirds(c: Context, n: np.ndarray) -> np.ndarray:
    """n^(2/3)."""
    return np.asarray(np.asarray(n, dtype=float) ** (2 / 3))


def _theorem(name: str, text: str, tag: str, rate: float, instances: Any, needs: Assumption, where: Instance) -> Claim:
    return Claim(
        id=f"lattimore2020.{name}",
        text=text,
        source_tag=tag,
        learner="explore-then-commit",
        kind=Expectation(),
        quantity="regret",
        bound=bound_at(rate),
        trivial=trivial,
        instances=instances,
        assumes=(bandit, needs),
        steps=tuple(f"lattimore2020.{s}" for s in NAMES),
        controls=(uniform(where, 24, "python"),),
    )


claims = [
    _theorem(
        "thm6.1",
        "Theorem 6.1: for 1-subgaussian rewards E regret(n) <= m sum gap_i + (n - m K) sum gap_i exp(-m gap_i^2 / 4).",
        "recalled",
        0.25,
        SUBGAUSSIAN,
        subgaussian,
        Instance("gaussian", 300, {"means": (2.0, 0.0)}, {"m": 10}),
    ),
    _theorem(
        "thm6.1-bounded",
        "Theorem 6.1 for rewards in [0, 1], which are 1/2-subgaussian: E regret(n) <= m sum gap_i + (n - m K) sum "
        "gap_i exp(-m gap_i^2).",
        "derived",
        1.0,
        BOUNDED,
        rewards_in_01,
        Instance("bernoulli", 300, WIDE, {"m": 10}),
    ),
    Claim(
        id="lattimore2020.growth",
        text="With m = n^(2/3)/2 plays of each arm regret is of the exact order n^(2/3) where the gaps do not depend "
        "on n (theorem 6.1: the exploration costs m sum gap_i, and the wrong choice dies out).",
        source_tag="derived",
        learner="explore-then-commit",
        kind=Growth("n^(2/3)", exact=True),
        quantity="regret",
        shape=two_thirds,
        trivial=trivial,
        instances={"quick": sweep(9, 17), "standard": sweep(9, 20)},
        assumes=(bandit, rewards_in_01),
        steps=("lattimore2020.thm6.1-bounded",),
        controls=(Control("argmin", faults.argmin),),
    ),
    step(
        "turns",
        "The first m K rounds play the arms in turn, and each of them m times.",
        "recalled",
        Pointwise(),
        Probe("explore-then-commit.turns", in_turn),
        ("one turn less", "m rounds in all", "others unplayed"),
    ),
    step(
        "counts",
        "Plays are conserved: N_j equals the number of times arm j was played.",
        "derived",
        Pointwise(),
        Probe("explore-then-commit.counts", plays_conserved),
        ("counts lost",),
    ),
    step(
        "sums",
        "Rewards are conserved: the sum kept for arm j is the sum of the rewards that arm j paid.",
        "derived",
        Pointwise(),
        Probe("explore-then-commit.sums", rewards_conserved, tol=1e-9),
        ("rewards swapped",),
    ),
    step(
        "choice",
        "After m K rounds the arm played has the largest mean of the exploration.",
        "recalled",
        Pointwise(),
        Probe("explore-then-commit.choice", best_of_exploration, tol=1e-12),
        ("argmin", "last turn not seen", "one turn more"),
    ),
    step(
        "commitment",
        "The arm of round m K + 1 is played to the end.",
        "recalled",
        Pointwise(),
        Probe("explore-then-commit.commitment", never_left),
        ("choice renewed", "one turn more"),
    ),
    step(
        "error",
        "For rewards in [0, 1] a suboptimal arm is committed to with probability at most the sum of exp(-m gap_i^2) "
        "over suboptimal arms.",
        "derived",
        HighProbability(error_level),
        Probe("explore-then-commit.error", wrong_choice, tol=1e-12),
        ("argmin", "rewards swapped"),
    ),
    step(
        "decomposition",
        "Regret after n >= m K rounds is m sum gap_i + (n - m K) gap_choice exactly.",
        "recalled",
        Pointwise(),
        Probe("explore-then-commit.decomposition", decomposition, "end", tol=1e-6),
        ("one turn less", "one turn more"),
    ),
]
