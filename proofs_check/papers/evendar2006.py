"""Even-Dar, Mannor, Mansour 2006: successive elimination. Rewards in [0, 1], K = A arms, confidence 1 - delta, c > 4.

    theorem 8   with probability 1 - delta the arm that is left is the best one, and the number of plays is
                O(sum_{gap_i > 0} ln(K / (delta gap_i)) / gap_i^2)                                       [source]

A round of the paper plays every survivor once; alpha_t = sqrt(ln(c K t^2 / delta) / t) is the width after t rounds.

Steps, each a claim of its own: the survivors are played in turn and the dropped arms no more; plays and rewards are
conserved; the width is the printed formula; an arm is dropped exactly when it trails the largest mean by 2 alpha_t;
every mean is within alpha_t at all times; the best arm survives; arms are dropped on time; the stop is recorded.

Made explicit here [derived]. By Chernoff-Hoeffding a mean of t rewards is off by more than alpha_t with probability at
most 2 exp(-2 t alpha_t^2) = 2 (delta / (c K t^2))^2, so all means are inside at all times except with probability
2 zeta(4) delta^2 / (c^2 K), which is far below the delta of the theorem. On that event the best arm never trails by 2
alpha_t, and arm i with 4 alpha_t <= gap_i trails the best by at least gap_i - 2 alpha_t >= 2 alpha_t: it is dropped at
the latest in round t_i, the first with 4 alpha_t <= gap_i. With one best arm the plays are at most

    sum_{gap_i > 0} t_i + max_i t_i.
"""

from __future__ import annotations

import math

import numpy as np

from proofs_check.mutants import successive_elimination as faults
from proofs_check.papers._bandit_probes import (
    MINIMAX,
    SIX_FOUR,
    TEN,
    plays_conserved,
    rewards_conserved,
    stepper,
)
from theorylab.assume import bandit, rewards_in_01, unique_optimal_arm
from theorylab.claim import Claim, Context, Control, HighProbability, Instance, Pointwise, Total
from theorylab.kernel import kernel, log, sqrt
from theorylab.learner import f8, i8
from theorylab.probe import NEVER, Monitor, Probe

#: a large delta brings the level of the coverage step to a size that runs can test
HALF = {"delta": 0.5}
WIDE = {"means": (0.9, 0.1)}
SMALL = Instance("bernoulli", 900, WIDE, HALF)
STEPS = {
    "quick": (
        Instance("bernoulli", 5000, SIX_FOUR, HALF),
        Instance("bernoulli", 5000, TEN, {"delta": 0.9}),
        Instance("minimax-pair", 2000, MINIMAX(2000), HALF),
    ),
    "standard": (
        Instance("bernoulli", 40_000, SIX_FOUR, HALF),
        Instance("bernoulli", 40_000, TEN, {"delta": 0.9}),
        Instance("minimax-pair", 20_000, MINIMAX(20_000, 5), HALF),
    ),
}
#: long enough for the learner to have stopped, with room for the explicit bound
STOPPED = {
    "quick": (
        Instance("bernoulli", 20_000, SIX_FOUR, HALF),
        Instance("bernoulli", 6000, {"means": (0.2, 0.9, 0.4)}, HALF),
    ),
    "standard": (
        Instance("bernoulli", 30_000, SIX_FOUR, HALF),
        Instance("bernoulli", 200_000, {"means": (0.9, 0.8, 0.7, 0.5, 0.4)}, HALF),
    ),
}
ZETA4 = math.pi**4 / 90.0


def coverage_level(c: Context) -> float:
    """2 zeta(4) delta^2 / (c^2 K), for scale 1."""
    return float(min(1.0, 2.0 * ZETA4 * c.delta**2 / (c.c**2 * c.A)))


def last_round(c: Context, gap: float) -> int:
    """First t with 4 alpha_t <= gap; alpha decreases from t = 2 on (c K / delta > e), so that bisection finds it."""

    def late(t: int) -> bool:
        return 4.0 * math.sqrt(math.log(c.c * c.A * float(t) ** 2 / c.delta) / t) > gap

    low, high = 1, 2
    while late(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if late(middle) else (low, middle)
    return high


def plays_bound(c: Context, n: np.ndarray) -> np.ndarray:
    """sum t_i + max t_i: the plays that are needed, whatever n."""
    rounds = [last_round(c, float(g)) for g in c.gap if g > 0]
    return np.full(np.shape(n), float(sum(rounds) + max(rounds)))


def shape(c: Context, n: np.ndarray) -> np.ndarray:
    """sum_{gap_i > 0} ln(K / (delta gap_i)) / gap_i^2."""
    gap = c.gap[c.gap > 0]
    return np.full(np.shape(n), float(np.sum(np.log(c.A / (c.delta * gap)) / gap**2)))


def trivial(c: Context, n: np.ndarray) -> np.ndarray:
    """All plays that there are."""
    return np.asarray(n, dtype=float)


def tables(c: Context) -> dict[str, float]:
    """c K / delta, apart from the learner's own constant."""
    return {"inside": c.c * c.A / c.delta}


@kernel
def stopping(st, p, tr, t):
    """Plays used when one arm was left; all of them where more are left."""
    return float(st.stop[0]) if st.stop[0] >= 0 else float(p.T)


@kernel
def turns(st, p, tr, t):
    """Most plays of an arm after it was dropped; spread of the survivors' plays beyond one."""
    worst = 0.0
    low = 1e18
    high = 0.0
    for a in range(p.A):
        n = float(tr.visits[a])
        if tr.now[a] == 1:
            low = min(low, n)
            high = max(high, n)
        else:
            worst = max(worst, n - tr.dropped_at[a])
    if st.left[0] == 1:
        return worst
    return max(worst, high - low - 1.0)


@kernel
def width_formula(st, p, tr, t):
    """alpha at the end of a round against the printed formula."""
    if tr.ended[0] == 0:
        return NEVER
    n = float(tr.visits[tr.a])
    return abs(st.alpha[0] - sqrt(log(tr.inside * n * n) / n))


@kernel
def rule(st, p, tr, t):
    """How far an arm that was kept trails 2 alpha, or one that was dropped does not, at the end of a round."""
    if tr.ended[0] == 0:
        return NEVER
    n = float(tr.visits[tr.a])
    top = 0.0
    for a in range(p.A):
        if tr.before[a] == 1:
            top = max(top, tr.sums[a] / n)
    worst = NEVER
    for a in range(p.A):
        if tr.before[a] == 1:
            excess = top - tr.sums[a] / n - 2.0 * st.alpha[0]
            worst = max(worst, excess if tr.now[a] == 1 else -excess)
    return worst


@kernel
def coverage(st, p, tr, t):
    """Largest error of a mean minus alpha at the end of a round, over the arms that were in it."""
    if tr.ended[0] == 0:
        return NEVER
    n = float(tr.visits[tr.a])
    worst = NEVER
    for a in range(p.A):
        if tr.before[a] == 1:
            worst = max(worst, abs(tr.sums[a] / n - tr.mean[a]) - st.alpha[0])
    return worst


@kernel
def survival(st, p, tr, t):
    """1 where no best arm is among the survivors."""
    for a in range(p.A):
        if tr.gap[a] == 0.0 and tr.now[a] == 1:
            return 0.0
    return 1.0


@kernel
def on_time(st, p, tr, t):
    """gap minus 4 alpha of the printed formula for the arms kept after a round, where all means were inside so far."""
    if tr.ended[0] == 0 or tr.outside[0] == 1:
        return NEVER
    n = float(tr.visits[tr.a])
    alpha = sqrt(log(tr.inside * n * n) / n)
    worst = NEVER
    for a in range(p.A):
        if tr.now[a] == 1 and tr.gap[a] > 0.0:
            worst = max(worst, tr.gap[a] - 4.0 * alpha)
    return worst


@kernel
def record(st, p, tr, t):
    """Distance of the recorded stop from the number of plays at which one arm was left first, -1 before."""
    return abs(float(st.stop[0] - tr.stopped[0]))


@kernel
def pac(st, p, tr, t):
    """Gap of the arm that is left, once it has stopped."""
    if st.stop[0] < 0:
        return NEVER
    return tr.gap[st.alive[0]]


@kernel
def monitor_begin(p, tr):
    """Every arm is in."""
    tr.rounds[0] = 0
    tr.ended[0] = 0
    tr.outside[0] = 0
    tr.stopped[0] = 0 if p.A == 1 else -1
    for a in range(p.A):
        tr.sums[a] = 0.0
        tr.now[a] = 1
        tr.before[a] = 1
        tr.dropped_at[a] = 0


@kernel
def monitor_observe(st, p, tr, t):
    """Rewards; who was in the round that ended and who is left; whether a mean has left its printed width."""
    tr.sums[tr.a] += tr.r
    tr.ended[0] = 1 if st.sweep[0] > tr.rounds[0] else 0
    tr.rounds[0] = st.sweep[0]
    for a in range(p.A):
        tr.before[a] = tr.now[a]
        tr.now[a] = 0
    for i in range(st.left[0]):
        tr.now[st.alive[i]] = 1
    if tr.ended[0] == 1:
        n = float(tr.visits[tr.a])
        alpha = sqrt(log(tr.inside * n * n) / n)
        for a in range(p.A):
            if tr.before[a] == 1:
                if abs(tr.sums[a] / n - tr.mean[a]) > alpha:
                    tr.outside[0] = 1
                if tr.now[a] == 0:
                    tr.dropped_at[a] = tr.visits[a]
        if st.left[0] == 1 and tr.stopped[0] < 0:
            tr.stopped[0] = t + 1


monitor = Monitor(
    {
        "sums": f8["A"],
        "now": i8["A"],
        "before": i8["A"],
        "dropped_at": i8["A"],
        "rounds": i8[1],
        "ended": i8[1],
        "outside": i8[1],
        "stopped": i8[1],
    },
    monitor_begin,
    monitor_observe,
)
ALL = {
    "bonus zero": faults.bonus_zero,
    "log factor dropped": faults.log_dropped,
    "arms not divided": faults.arms_not_divided,
    "width over sqrt(2)": faults.width_sharp,
    "width tripled": faults.width_tripled,
    "t + 1 in the width": faults.count_off_by_one,
    "horizon for round": faults.horizon_for_round,
    "leaders dropped": faults.leaders_dropped,
    "alpha for 2 alpha": faults.threshold_halved,
    "never dropped": faults.never_dropped,
    "every second round": faults.every_second_round,
    "last reward missing": faults.last_reward_missing,
    "counts lost": faults.counts_lost,
    "rewards swapped": faults.rewards_swapped,
    "stop off by one": faults.stop_off_by_one,
    "dropped arms played": faults.dropped_arms_played,
}
CONTROLS = {name: Control(name, learner) for name, learner in ALL.items()}
#: a third arm goes on after the first has been dropped
THREE = Instance("bernoulli", 500, {"means": (0.9, 0.8, 0.0)}, HALF)
#: the reward that is missing is the leader's, which decides whether the other arm goes in this round or the next
LAST = Instance("bernoulli", 200, {"means": (0.0, 0.8)}, HALF)
CONTROLS["every second round"] = Control(
    "every second round", faults.every_second_round, Instance("bernoulli", 300, WIDE, HALF), replicates=32
)
CONTROLS["last reward missing"] = Control("last reward missing", faults.last_reward_missing, LAST, replicates=16)
#: five arms, so that some mean leaves a width without a logarithm
FIVE = Instance("bernoulli", 600, {"means": (0.6, 0.5, 0.5, 0.5, 0.5)}, HALF)
CONTROLS["log factor dropped"] = Control("log factor dropped", faults.log_dropped, FIVE, replicates=24)
CONTROLS["dropped arms played"] = Control("dropped arms played", faults.dropped_arms_played, THREE)
NEEDS = (bandit, rewards_in_01, unique_optimal_arm)
step = stepper(
    "evendar2006",
    CONTROLS,
    assumes=NEEDS,
    instances=STEPS,
    control_instance=SMALL,
    tables=tables,
    monitor=monitor,
    learner="successive-elimination",
)
NAMES = ("turns", "counts", "sums", "width", "rule", "coverage", "survival", "on-time", "record")


def delta(c: Context) -> float:
    """The failure probability of the theorem."""
    return float(c.delta)


claims = [
    Claim(
        id="evendar2006.thm8",
        text="Theorem 8: with probability 1 - delta the learner stops after O(sum ln(K/(delta gap_i))/gap_i^2) plays; "
        "the constant is not given.",
        source_tag="source",
        kind=HighProbability(delta),
        quantity=Total("plays", stopping),
        shape=shape,
        trivial=trivial,
        constants="unspecified",
        instances=STOPPED,
        assumes=NEEDS,
        steps=tuple(f"evendar2006.{s}" for s in NAMES),
        learner="successive-elimination",
    ),
    Claim(
        id="evendar2006.plays",
        text="It stops after at most sum t_i + max t_i plays, t_i the first round with 4 alpha_t <= gap_i, except with "
        "probability 2 zeta(4) delta^2 / (c^2 K).",
        source_tag="derived",
        kind=HighProbability(coverage_level),
        quantity=Total("plays", stopping),
        bound=plays_bound,
        trivial=trivial,
        instances=STOPPED,
        assumes=NEEDS,
        controls=(Control("never dropped", faults.never_dropped, Instance("bernoulli", 1200, WIDE, HALF)),),
        learner="successive-elimination",
    ),
    Claim(
        id="evendar2006.pac",
        text="Theorem 8: the arm that is left is the best one, except with probability delta.",
        source_tag="source",
        kind=HighProbability(delta),
        quantity=Probe("successive-elimination.pac", pac),
        instances=STOPPED,
        control_instance=SMALL,
        assumes=NEEDS,
        controls=(Control("leaders dropped", faults.leaders_dropped, replicates=32),),
        learner="successive-elimination",
    ),
    step(
        "turns",
        "Survivors are played in turn, so that their plays differ by at most one; a dropped arm is not played again.",
        "source",
        Pointwise(),
        Probe("successive-elimination.turns", turns),
        ("dropped arms played",),
    ),
    step(
        "counts",
        "Plays are conserved: N_j equals the number of times arm j was played.",
        "derived",
        Pointwise(),
        Probe("successive-elimination.counts", plays_conserved),
        ("counts lost",),
    ),
    step(
        "sums",
        "Rewards are conserved: the sum kept for arm j is the sum of the rewards that arm j paid.",
        "derived",
        Pointwise(),
        Probe("successive-elimination.sums", rewards_conserved, tol=1e-9),
        ("rewards swapped",),
    ),
    step(
        "width",
        "After t rounds alpha_t = sqrt(ln(c K t^2 / delta) / t).",
        "source",
        Pointwise(),
        Probe("successive-elimination.width", width_formula, tol=1e-9),
        ("arms not divided", "width over sqrt(2)", "t + 1 in the width", "horizon for round", "log factor dropped"),
        copies=True,
    ),
    step(
        "rule",
        "At the end of round t an arm is dropped exactly when it trails the largest mean by 2 alpha_t or more.",
        "source",
        Pointwise(),
        Probe("successive-elimination.rule", rule, tol=1e-12),
        ("alpha for 2 alpha", "leaders dropped", "every second round", "never dropped", "last reward missing"),
    ),
    step(
        "coverage",
        "Every mean is within alpha_t of its arm's at the end of every round t, except with probability "
        "2 zeta(4) delta^2 / (c^2 K); the paper asks for delta.",
        "derived",
        HighProbability(coverage_level),
        Probe("successive-elimination.coverage", coverage, tol=1e-12),
        ("bonus zero", "log factor dropped"),
    ),
    step(
        "survival",
        "The best arm is never dropped, except with probability 2 zeta(4) delta^2 / (c^2 K).",
        "derived",
        HighProbability(coverage_level),
        Probe("successive-elimination.survival", survival),
        ("leaders dropped", "bonus zero"),
    ),
    step(
        "on-time",
        "Where all means have been within their widths so far, a suboptimal survivor of round t has gap_i < 4 alpha_t; "
        "arms are dropped in about half that time.",
        "derived",
        Pointwise(),
        Probe("successive-elimination.on-time", on_time, tol=1e-12),
        ("never dropped", "width tripled"),
    ),
    step(
        "record",
        "The recorded stop is the number of plays at which one arm was left first, and -1 before.",
        "derived",
        Pointwise(),
        Probe("successive-elimination.record", record),
        ("stop off by one",),
    ),
]
