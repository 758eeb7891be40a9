"""Auer, Cesa-Bianchi, Fischer 2002: finite-time analysis of UCB1. Rewards in [0, 1], A arms, n rounds.

    theorem 1    E regret(n) <= 8 sum_{j: gap_j > 0} ln n / gap_j + (1 + pi^2/3) sum_j gap_j        [recalled]

Steps of its proof, each a claim of its own: the index is the printed formula; plays and reward sums are conserved; the
means are inside their widths (Chernoff-Hoeffding, equations 7 and 8); the best arm's index is above its mean; and
whenever the two means in question are inside, an arm with more than 8 ln n / gap_j^2 plays is not played (equation 9).

The union bounds are made explicit here [derived]: at the decision after n rounds each of n possible counts fails with
probability n^-4 on each side, so from n = n0 on the failure probability is at most sum_{n >= n0} n^-3 <=
n0^-3 + n0^-2 / 2 for one arm and one side.
"""

from __future__ import annotations

import math

import numpy as np

from proofs_check.mutants import ucb1 as faults
from proofs_check.papers._bandit_probes import plays_conserved, rewards_conserved, sums
from theorylab.assume import bandit, rewards_in_01
from theorylab.claim import Claim, Context, Control, Expectation, HighProbability, Instance, Pointwise
from theorylab.kernel import kernel, log, sqrt
from theorylab.probe import NEVER, Probe

TWO = {"means": (0.9, 0.6)}
TEN = {"means": (0.9, 0.8, 0.8, 0.7, 0.7, 0.6, 0.6, 0.5, 0.5, 0.4)}
WIDE = Instance("bernoulli", 300, {"means": (0.9, 0.1)})
STEPS = {
    "quick": (Instance("bernoulli", 2000, TWO), Instance("bernoulli", 2000, TEN)),
    "standard": (Instance("bernoulli", 2000, TWO), Instance("bernoulli", 5000, TEN)),
}


def bound(c: Context, n: np.ndarray) -> np.ndarray:
    """Theorem 1, right-hand side, at n rounds."""
    gap = c.gap[c.gap > 0]
    leading = 8.0 * np.log(np.maximum(n, 1.0)) * float(np.sum(1.0 / gap))
    return np.asarray(leading + (1.0 + math.pi**2 / 3.0) * float(np.sum(gap)))


def trivial(c: Context, n: np.ndarray) -> np.ndarray:
    """No policy loses more than the largest gap in each round."""
    return np.asarray(n, dtype=float) * float(np.max(c.gap))


def start(c: Context) -> int:
    """First n at which the events are asked for: before it the union bound is not small."""
    return max(10, 2 * int(c.A))


def tail(c: Context) -> float:
    """Sum of n^-3 over n >= start, bounded by its first term plus an integral."""
    n0 = float(start(c))
    return n0**-3 + 0.5 * n0**-2


def tables(c: Context) -> dict[str, float]:
    """Constants that the probes read."""
    return {"n_start": float(start(c)), "best_mean": float(np.max(c.mean))}


@kernel
def index_formula(st, p, tr, t):
    """Largest distance of an index from the formula, recomputed from the environment's counters."""
    worst = NEVER
    if t >= p.A:
        for a in range(p.A):
            n = tr.visits[a]
            total = tr.sums[a]
            if a == tr.a:
                n -= 1
                total -= tr.r
            if n == 0:
                return abs(st.ucb[a]) + 1.0  # an arm without plays has no index
            x = total / n + sqrt(2.0 * log(float(t)) / n)
            worst = max(worst, abs(st.ucb[a] - x))
    return worst


@kernel
def greedy(st, p, tr, t):
    """Largest index minus the index of the arm played; in the first A rounds, the plays of the arm before this one."""
    if t < p.A:
        return tr.visits[tr.a] - 1.0
    top = st.ucb[0]
    for a in range(1, p.A):
        top = max(top, st.ucb[a])
    return top - st.ucb[tr.a]


@kernel
def outside(st, p, tr, a, b):
    """|mean - mu| minus the learner's own width for arm a, at the decision whose outcome was arm b (played once
    since)."""
    n = tr.visits[a]
    total = tr.sums[a]
    if a == b:
        n -= 1
        total -= tr.r
    if n == 0:
        return NEVER
    mean = total / n
    return abs(mean - tr.mean[a]) - (st.ucb[a] - mean)


@kernel
def coverage(st, p, tr, t):
    """Largest excess of a mean's error over its width."""
    worst = NEVER
    if t >= tr.n_start:
        for a in range(p.A):
            worst = max(worst, outside(st, p, tr, a, tr.a))
    return worst


@kernel
def optimism(st, p, tr, t):
    """Best mean minus the index of a best arm."""
    worst = NEVER
    if t >= tr.n_start:
        for a in range(p.A):
            if tr.gap[a] == 0.0:
                worst = max(worst, tr.best_mean - st.ucb[a])
    return worst


@kernel
def plays(st, p, tr, t):
    """Plays of a suboptimal arm before this one, minus 8 ln n / gap^2, where both means are inside their widths."""
    a = tr.a
    if t < p.A or tr.gap[a] == 0.0 or outside(st, p, tr, a, a) > 0.0:
        return NEVER
    for b in range(p.A):
        if tr.gap[b] == 0.0 and outside(st, p, tr, b, a) > 0.0:
            return NEVER
    return tr.visits[a] - 1.0 - 8.0 * log(float(t)) / (tr.gap[a] * tr.gap[a])


ALL = {
    "bonus zero": faults.bonus_zero,
    "log factor dropped": faults.log_dropped,
    "bonus 1/n": faults.bonus_one_over_n,
    "argmin": faults.argmin,
    "counts lost": faults.counts_lost,
    "rewards swapped": faults.rewards_swapped,
    "N + 1 in the width": faults.count_off_by_one,
    "horizon for clock": faults.horizon_for_clock,
    "unplayed arms at zero": faults.unplayed_zero,
}
CONTROLS = {name: Control(name, learner) for name, learner in ALL.items()}
_SHARED = dict(
    learner="ucb1",
    instances=STEPS,
    control_instance=WIDE,
    assumes=(bandit, rewards_in_01),
    tables=tables,
    monitor=sums,
)


def _step(
    name: str, text: str, tag: str, kind: object, probe: Probe, caught: tuple[str, ...], copies: bool = False
) -> Claim:
    return Claim(
        id=f"auer2002.{name}",
        text=text,
        source_tag=tag,
        kind=kind,
        quantity=probe,
        controls=tuple(CONTROLS[c] for c in caught),
        copies=copies,
        **_SHARED,  # type: ignore[arg-type]
    )


def _uniform() -> Control:
    from bandits.learners.uniform import learner

    return Control("uniform play", learner, Instance("bernoulli", 1000, {"means": (0.9, 0.1)}), replicates=24)


claims = [
    Claim(
        id="auer2002.thm1",
        text="Theorem 1: E regret(n) <= 8 sum_{gap>0} (ln n)/gap + (1 + pi^2/3) sum gap, for every n.",
        source_tag="recalled",
        learner="ucb1",
        kind=Expectation(),
        quantity="regret",
        bound=bound,
        trivial=trivial,
        instances={
            "quick": (Instance("bernoulli", 10_000, TWO), Instance("bernoulli", 20_000, TEN)),
            "standard": (
                Instance("bernoulli", 10_000, TWO),
                Instance("bernoulli", 20_000, TEN),
                Instance("bernoulli", 10_000, {"means": (0.6, 0.4)}),
            ),
        },
        assumes=(bandit, rewards_in_01),
        steps=tuple(f"auer2002.{s}" for s in ("index", "greedy", "counts", "sums", "coverage", "optimism", "plays")),
        controls=(_uniform(),),
    ),
    _step(
        "index",
        "The index of every arm at every decision is mean + sqrt(2 ln n / N), n the rounds played before it.",
        "recalled",
        Pointwise(),
        Probe("ucb1.index", index_formula, tol=1e-9),
        ("bonus zero", "log factor dropped", "bonus 1/n", "N + 1 in the width", "horizon for clock"),
        copies=True,
    ),
    _step(
        "greedy",
        "The first A rounds play each arm once; from then on the arm played has the largest index.",
        "recalled",
        Pointwise(),
        Probe("ucb1.greedy", greedy),
        ("argmin", "unplayed arms at zero"),
    ),
    _step(
        "counts",
        "Plays are conserved: N_j equals the number of times arm j was played.",
        "derived",
        Pointwise(),
        Probe("ucb1.counts", plays_conserved),
        ("counts lost",),
    ),
    _step(
        "sums",
        "Rewards are conserved: the sum kept for arm j is the sum of the rewards that arm j paid.",
        "derived",
        Pointwise(),
        Probe("ucb1.sums", rewards_conserved, tol=1e-9),
        ("rewards swapped",),
    ),
    _step(
        "coverage",
        "From n0 = max(10, 2A) on, every mean is within its width at every decision, except with probability "
        "2A sum_{n >= n0} n^-3 (equations 7, 8 and a union bound made explicit).",
        "derived",
        HighProbability(lambda c: 2.0 * c.A * tail(c)),
        Probe("ucb1.coverage", coverage, tol=1e-9),
        ("bonus zero", "bonus 1/n"),
    ),
    _step(
        "optimism",
        "From n0 = max(10, 2A) on, the index of a best arm is at least its mean at every decision, except with "
        "probability sum_{n >= n0} n^-3 for each best arm.",
        "derived",
        HighProbability(lambda c: float(np.sum(c.gap == 0)) * tail(c)),
        Probe("ucb1.optimism", optimism, tol=1e-9),
        ("bonus zero", "rewards swapped"),
    ),
    _step(
        "plays",
        "Where the means of arm j and of a best arm are within their widths, arm j is not played at a decision n with "
        "N_j > 8 ln n / gap_j^2 (the contradiction of equations 7 to 9).",
        "recalled",
        Pointwise(),
        Probe("ucb1.plays", plays),
        ("argmin",),
    ),
]
