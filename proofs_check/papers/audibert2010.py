"""Audibert and Bubeck 2010: regret bounds for MOSS. Rewards in [0, 1], K = A arms, n = T rounds known beforehand.

    theorem 24   E regret(n) <= 25 sqrt(n K), and with gap the least positive gap
                 E pseudo-regret(n) <= (23 K / gap) log(max(110 n gap^2 / K, 10^4))        [source]

What is measured is the pseudo-regret (the sum of gaps), whose mean is at most that of the regret against the best sum.

Steps of the proof, each a claim of its own: the index is the printed formula, never below the mean and equal to it
once N >= n/K; plays and rewards are conserved; the arm played has the largest index; the index of a best arm is never
far below its mean; and where it is not, an arm that was played often enough is not played.

The deviation step is made explicit here [derived]. Let S_s be a sum of s terms mu - X_i and L_j = ln+(n/(K 2^(j+1))).
If S_s >= sqrt(s ln+(n/(K s))) + s x for some s in [2^j, 2^(j+1)), then the largest sum of the first 2^(j+1) terms is at
least 2^(j/2) sqrt(L_j) + 2^j x, which by the maximal inequality of Hoeffding has probability at most
exp(-(sqrt(L_j) + 2^(j/2) x)^2) <= exp(-L_j - 2^j x^2) <= (K 2^(j+1)/n) exp(-2^j x^2). Now sum_j u_j exp(-u_j x^2) over
u_j = 2^j is at most the largest term 1/(e x^2) plus the integral 1/(x^2 ln 2), together 1.811/x^2, so that

    P(some s: index of an arm after s plays < mu - x) <= 3.63 K / (n x^2) <= 15 K / (4 n x^2),

the last of which is lemma 9.3 of lattimore2020 for rewards in [0, 1] [recalled].
"""

from __future__ import annotations

import math

import numpy as np

from proofs_check.mutants import moss as faults
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
from theorylab.assume import bandit, rewards_in_01
from theorylab.claim import Claim, Context, Control, Expectation, HighProbability, Instance, Pointwise
from theorylab.kernel import kernel, log, sqrt
from theorylab.learner import f8
from theorylab.probe import NEVER, Monitor, Probe

TWO_WIDE = {"means": (0.9, 0.1)}
TEN_WIDE = {"means": (0.95, *(0.05,) * 9)}
SMALL = Instance("bernoulli", 1000, {"means": (0.6, 0.1)})
STEPS = {
    "quick": (
        Instance("bernoulli", 5000, SIX_FOUR),
        Instance("bernoulli", 5000, TEN),
        Instance("minimax-pair", 5000, MINIMAX(5000)),
    ),
    "standard": (
        Instance("bernoulli", 20_000, SIX_FOUR),
        Instance("bernoulli", 20_000, TEN),
        Instance("minimax-pair", 20_000, MINIMAX(20_000, 5)),
    ),
}
FINAL = {
    "quick": (Instance("bernoulli", 20_000, TWO_WIDE), Instance("bernoulli", 20_000, TEN_WIDE)),
    "standard": (
        Instance("bernoulli", 20_000, TWO_WIDE),
        Instance("bernoulli", 20_000, TEN_WIDE),
        Instance("bernoulli", 40_000, SIX_FOUR),
    ),
}
#: failure probability asked of the deviation step; its x follows
LEVEL = 0.04
#: room for the mean of a suboptimal arm, in gaps: 1/2 - 1/sqrt(8)
ROOM = 0.5 - math.sqrt(0.125)


def bound(c: Context, n: np.ndarray) -> np.ndarray:
    """Theorem 24: 25 sqrt(n K)."""
    return np.asarray(25.0 * np.sqrt(np.asarray(n, dtype=float) * c.A))


def gap_bound(c: Context, n: np.ndarray) -> np.ndarray:
    """Theorem 24: (23 K / gap) log(max(110 n gap^2 / K, 10^4)), gap the least positive one."""
    gap = float(np.min(c.gap[c.gap > 0]))
    inside = np.maximum(110.0 * np.asarray(n, dtype=float) * gap**2 / c.A, 1e4)
    return np.asarray(23.0 * c.A / gap * np.log(inside))


def deviation(c: Context) -> float:
    """x with 15 K / (4 n x^2), for every best arm, adding up to LEVEL."""
    return math.sqrt(15.0 * c.A * float(np.sum(c.gap == 0)) / (4.0 * c.T * LEVEL))


def tables(c: Context) -> dict[str, float]:
    """Constants that the probes read."""
    return {"below": deviation(c), "best_mean": float(np.max(c.mean)), "room": ROOM}


@kernel
def index_formula(st, p, tr, t):
    """Largest distance of an index from the formula, recomputed from the environment's counters."""
    worst = NEVER
    for a in range(p.A):
        n = float(tr.visits[a])
        if n > 0.0:
            x = abs(st.ucb[a] - tr.sums[a] / n - sqrt(max(log(p.T / (p.A * n)), 0.0) / n))
            if x != x:
                return x
            worst = max(worst, x)
    return worst


@kernel
def clipped(st, p, tr, t):
    """Distance of index and mean where N >= n/K, at which the width is zero; mean minus index where it is not."""
    worst = NEVER
    for a in range(p.A):
        n = float(tr.visits[a])
        if n > 0.0:
            x = tr.sums[a] / n - st.ucb[a]
            if x != x:
                return x
            if p.A * n >= p.T:
                x = abs(x)
            elif x >= 0.0:
                x = 1.0  # an index may not stand at its mean yet
            worst = max(worst, x)
    return worst


@kernel
def greedy(st, p, tr, t):
    """Largest index that the decision saw minus that of the arm played; in the first A rounds, its earlier plays."""
    if t < p.A:
        return tr.visits[tr.a] - 1.0
    top = tr.seen[0]
    for a in range(1, p.A):
        top = max(top, tr.seen[a])
    return top - tr.seen[tr.a]


@kernel
def optimism(st, p, tr, t):
    """Best mean minus x minus the index of a best arm that was played."""
    worst = NEVER
    for a in range(p.A):
        if tr.gap[a] == 0.0 and tr.visits[a] > 0:
            worst = max(worst, tr.best_mean - tr.below - st.ucb[a])
    return worst


@kernel
def plays(st, p, tr, t):
    """Plays of a suboptimal arm before this one minus 8 log(n gap^2/K)/gap^2, where the proof forbids them."""
    a = tr.a
    gap = tr.gap[a]
    n = tr.visits[a] - 1.0
    if n < 1.0 or gap == 0.0 or (tr.sums[a] - tr.r) / n - tr.mean[a] > tr.room * gap:
        return NEVER
    level = 8.0 * log(p.T * gap * gap / p.A)
    if level < 1.0:
        return NEVER
    for b in range(p.A):
        if tr.gap[b] == 0.0 and tr.seen[b] >= tr.best_mean - 0.5 * gap:
            return n - level / (gap * gap)
    return NEVER


@kernel
def monitor_begin(p, tr):
    """No rewards and no indices yet."""
    for a in range(p.A):
        tr.sums[a] = 0.0
        tr.seen[a] = 0.0
        tr.kept[a] = 0.0


@kernel
def monitor_observe(st, p, tr, t):
    """Add the reward; `seen` becomes what the decision saw, `kept` what the next one will see."""
    tr.sums[tr.a] += tr.r
    for a in range(p.A):
        tr.seen[a] = tr.kept[a]
        tr.kept[a] = st.ucb[a]


monitor = Monitor({"sums": f8["A"], "seen": f8["A"], "kept": f8["A"]}, monitor_begin, monitor_observe)
ALL = {
    "bonus zero": faults.bonus_zero,
    "width subtracted": faults.width_subtracted,
    "log factor dropped": faults.log_dropped,
    "arms not divided": faults.arms_not_divided,
    "width doubled": faults.width_doubled,
    "mean over N + 1": faults.count_off_by_one,
    "counts lost": faults.counts_lost,
    "rewards swapped": faults.rewards_swapped,
    "index before the reward": faults.index_stale,
    "no clipping": faults.clipping_off,
    "round for horizon": faults.horizon_replaced,
    "unvisited at zero": faults.unvisited_zero,
    "argmin": faults.argmin,
}
#: with these two, four runs in ten do not reach the plays that the proof forbids
RARER = ("argmin", "rewards swapped")
CONTROLS = {name: Control(name, x, replicates=20 if name in RARER else 8) for name, x in ALL.items()}
#: uniform play loses n gap / 2 = 20 000 where the bounds are 7 906 and 827
UNIFORM = uniform(Instance("bernoulli", 50_000, TWO_WIDE), 128)
step = stepper(
    "audibert2010", CONTROLS, learner="moss", instances=STEPS, control_instance=SMALL, tables=tables, monitor=monitor
)
NAMES = ("index", "clipping", "counts", "sums", "greedy", "optimism", "plays")

claims = [
    Claim(
        id="audibert2010.thm24",
        text="Theorem 24: E regret(n) <= 25 sqrt(n K), for every bandit with rewards in [0, 1].",
        source_tag="source",
        learner="moss",
        kind=Expectation(),
        quantity="regret",
        bound=bound,
        trivial=trivial,
        instances=FINAL,
        assumes=(bandit, rewards_in_01),
        steps=tuple(f"audibert2010.{s}" for s in NAMES),
        controls=(UNIFORM,),
    ),
    Claim(
        id="audibert2010.thm24-gap",
        text="Theorem 24: E pseudo-regret(n) <= (23 K / gap) log(max(110 n gap^2 / K, 10^4)), gap the least positive "
        "gap.",
        source_tag="source",
        learner="moss",
        kind=Expectation(),
        quantity="regret",
        bound=gap_bound,
        trivial=trivial,
        instances=FINAL,
        assumes=(bandit, rewards_in_01),
        steps=tuple(f"audibert2010.{s}" for s in NAMES),
        controls=(UNIFORM,),
    ),
    step(
        "index",
        "The index of every arm that was played is mean + sqrt(max(log(n/(K N)), 0)/N), n the horizon.",
        "source",
        Pointwise(),
        Probe("moss.index", index_formula, tol=1e-9),
        ("arms not divided", "width doubled", "round for horizon", "log factor dropped"),
        copies=True,
    ),
    step(
        "clipping",
        "Every index is above its mean up to N = n/K plays, and equal to it from there on: the logarithm is cut at 0.",
        "source",
        Pointwise(),
        Probe("moss.clipping", clipped, tol=1e-12),
        (
            "bonus zero",
            "no clipping",
            "arms not divided",
            "log factor dropped",
            "mean over N + 1",
            "index before the reward",
        ),
    ),
    step(
        "counts",
        "Plays are conserved: N_j equals the number of times arm j was played.",
        "derived",
        Pointwise(),
        Probe("moss.counts", plays_conserved),
        ("counts lost",),
    ),
    step(
        "sums",
        "Rewards are conserved: the sum kept for arm j is the sum of the rewards that arm j paid.",
        "derived",
        Pointwise(),
        Probe("moss.sums", rewards_conserved, tol=1e-9),
        ("rewards swapped",),
    ),
    step(
        "greedy",
        "The first K rounds play each arm once; from then on the arm played has the largest index.",
        "source",
        Pointwise(),
        Probe("moss.greedy", greedy),
        ("argmin", "unvisited at zero"),
    ),
    step(
        "optimism",
        "The index of a best arm never falls below its mean by more than x, except with probability 15 K / (4 n x^2) "
        "for each best arm; x is chosen such that this is 0.04.",
        "derived",
        HighProbability(LEVEL),
        Probe("moss.optimism", optimism, tol=1e-9),
        ("width subtracted",),
    ),
    step(
        "plays",
        "Where the index of a best arm is at least mu* - gap_j/2 and the mean of arm j is at most mu_j + (1/2 - "
        "1/sqrt(8)) gap_j, arm j is not played once N_j >= 8 log(n gap_j^2 / K) / gap_j^2 (the proof's l_0). Plays "
        "stay far below that number where the learner is right.",
        "recalled",
        Pointwise(),
        Probe("moss.plays", plays),
        ("argmin", "counts lost", "rewards swapped"),
    ),
]
