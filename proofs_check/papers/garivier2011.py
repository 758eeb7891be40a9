"""Garivier and Cappe 2011: KL-UCB with c = 3. Rewards in [0, 1], K = A arms, n rounds, kl of Bernoulli laws in nats.

    theorem 2    E N_a(n) <= (1 + eps) log n / kl(mu_a, mu*) + C1 log log n + C2(eps) / n^b(eps)      [source]
    theorem 10   P(some q < mu is the upper limit, i.e. N(n) kl+(mean, mu) > d) <= e ceil(d log n) exp(-d)   [recalled]

The constants of theorem 2 are hidden: with sum gap_a log n / kl(mu_a, mu*) as shape the best constant is measured.

Steps of the proof, each a claim of its own: the index of the arm played attains the budget log t + 3 log log t; it lies
between mean and 1; no other arm's index is larger; plays and rewards are conserved; theorem 10 at all rounds and arms;
the largest index is at least the best mean; and where it is, an arm is played only while N_a kl+(mean_a, mu*) is within
the budget. Lemmas: Pinsker's inequality and the root.

Made explicit here [derived]. Theorem 10 covers a fixed n: its proof cuts N into slices, in each of which a nonnegative
supermartingale that starts at 1 would have to pass a level. With Ville's inequality in place of Markov's the same
number bounds the probability that this happens at any round up to n. So the best mean exceeds the largest index at
some round t in [2^j, 2^(j+1)) with probability at most e ceil(d_j log 2^(j+1)) exp(-d_j), d_j the budget at 2^j, and
from round 32 on with at most the sum over j >= 5.

The explicit form of theorem 2: at a round t after the first K either the best arm's index is below mu*, with
probability f_t = min(1, e ceil(d_t log t) exp(-d_t)), or an arm a that is played has s kl+(mean_a after s plays, mu*)
<= d_n, s = N_a. A value s is met once, so for every eps in (0, gap_a), by Chernoff-Hoeffding,

    E regret(n) <= max gap sum_{t=K+1}^n f_t + sum_a gap_a (1 + d_n / kl(mu_a + eps, mu*) + 1/(2 eps^2)).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from proofs_check.lemmas.bernoulli_kl import false_pinsker, false_root, kl, pinsker, root
from proofs_check.mutants import kl_ucb as faults
from proofs_check.papers._bandit_probes import (
    MINIMAX,
    SIX_FOUR,
    TEN,
    plays_conserved,
    rewards_conserved,
    stepper,
    sums_begin,
    trivial,
    uniform,
)
from theorylab.assume import bandit, rewards_in_01
from theorylab.claim import Claim, Context, Control, Dominates, Expectation, HighProbability, Instance, Pointwise
from theorylab.kernel import kernel, log
from theorylab.learner import f8
from theorylab.model import DETERMINISTIC, Bandit
from theorylab.probe import NEVER, Monitor, Probe

#: the constant of the theorems
THREE = {"c": 3.0}
SMALL = Instance("bernoulli", 300, {"means": (0.6, 0.1)}, THREE)
#: indices far below 1, where 1 - q says little of how far an arm is from the leader; and indices that round to 1
LOW = Instance("bernoulli", 300, {"means": (0.1, 0.05, 0.02)})
HIGH = Instance.of(Bandit(means=np.array([0.99, 0.96]), reward_law=DETERMINISTIC, name="fixed(0.99,0.96)"), 60, THREE)
STEPS = {
    "quick": (
        Instance("bernoulli", 2000, SIX_FOUR, THREE),
        Instance("bernoulli", 2000, TEN, THREE),
        Instance("minimax-pair", 2000, MINIMAX(2000), THREE),
    ),
    "standard": (
        Instance("bernoulli", 20_000, SIX_FOUR, THREE),
        Instance("bernoulli", 20_000, TEN, THREE),
        Instance("minimax-pair", 20_000, MINIMAX(20_000, 5), THREE),
    ),
}
FINAL = {
    "quick": (Instance("bernoulli", 2500, SIX_FOUR, THREE), Instance("bernoulli", 2500, TEN, THREE)),
    "standard": (Instance("bernoulli", 10_000, SIX_FOUR, THREE), Instance("bernoulli", 10_000, TEN, THREE)),
}
#: first block of rounds [2^j, 2^(j+1)) in which optimism is asked for
FIRST_BLOCK = 5
#: 1 - 2^-53, the last double below 1, and 2^-51, more than the rounding of a root moves it
BELOW_ONE, SLIP = 1.0 - 2.0**-53, 2.0**-51


def budget(c: Context, t: np.ndarray) -> np.ndarray:
    """scale (log t + c log log t), log log counted as 0 below e."""
    t = np.maximum(np.asarray(t, dtype=float), 2.0)
    return np.asarray(c.scale * (np.log(t) + c.c * np.maximum(np.log(np.log(t)), 0.0)))


def miss(d: np.ndarray | float, n: np.ndarray | float) -> np.ndarray:
    """Theorem 10: e ceil(d log n) exp(-d)."""
    return np.asarray(math.e * np.ceil(np.asarray(d) * np.log(n)) * np.exp(-np.asarray(d)))


def shape(c: Context, n: np.ndarray) -> np.ndarray:
    """log n sum gap_a / kl(mu_a, mu*)."""
    best = float(np.max(c.mean))
    lead = sum(float(g) / kl(float(m), best) for m, g in zip(c.mean, c.gap, strict=True) if g > 0)
    return np.asarray(np.log(np.maximum(np.asarray(n, dtype=float), 1.0)) * lead)


def missed_rounds(c: Context, n: np.ndarray) -> np.ndarray:
    """sum_{t=K+1}^n f_t; beyond 4096 rounds f at the left ends of blocks that grow by a twentieth.

    f falls but for the steps of its ceil, and by more over a block than these add.
    """
    ends = np.arange(1.0, 4097.0)
    if n.max() > ends[-1]:
        growth = math.ceil(math.log(float(n.max()) / ends[-1]) / math.log(1.05))
        ends = np.concatenate([ends, ends[-1] * 1.05 ** np.arange(1, growth + 1)])
    left = np.where(ends <= 4096.0, ends, ends / 1.05)
    f = np.where(ends > c.A, np.minimum(1.0, miss(budget(c, left), left)), 0.0)
    total = np.cumsum(f * np.diff(ends, prepend=0.0))
    return np.asarray(total[np.searchsorted(ends, np.clip(n, 1.0, None))])


def explicit(c: Context, n: np.ndarray) -> np.ndarray:
    """The explicit form of the module's text, minimised over a grid of eps for each arm and each n."""
    n = np.asarray(n, dtype=float)
    out = float(np.max(c.gap)) * missed_rounds(c, n)
    level, best = budget(c, n), float(np.max(c.mean))
    for mean, gap in zip(c.mean, c.gap, strict=True):
        if gap > 0:
            grid = float(gap) * np.linspace(0.05, 0.95, 61)
            plays = np.full(n.shape, np.inf)
            for eps in grid:
                plays = np.minimum(plays, level / kl(float(mean) + float(eps), best) + 0.5 / eps**2)
            out = out + float(gap) * (1.0 + plays)
    return np.asarray(out)


def optimism_level(c: Context) -> float:
    """The sum over blocks of rounds, from 2^5 up to the horizon."""
    blocks = np.arange(FIRST_BLOCK, int(math.log2(c.T)) + 1)
    return float(min(1.0, np.sum(miss(budget(c, 2.0**blocks), 2.0 ** (blocks + 1)))))


def threshold(c: Context) -> float:
    """d of the deviation step: it makes the level less than 0.1 at the sizes that are run."""
    return math.log(c.A) + 8.0 + math.log(math.log(c.T) / math.log(2000.0))


def deviation_level(c: Context) -> float:
    """Theorem 10 for every arm."""
    return float(c.A * miss(threshold(c), float(c.T)))


def tables(c: Context) -> dict[str, Any]:
    """Constants that the probes read; the budget of the decision in loop round t is allowed[t + 1]."""
    clock = np.arange(c.T + 2)
    return {
        "allowed": budget(c, clock),
        "best_mean": float(np.max(c.mean)),
        "t_start": 2**FIRST_BLOCK - 1,
        "threshold": threshold(c),
    }


@kernel
def divergence(x, y):
    """kl(x, y) in nats; inf where y shuts out what x allows."""
    out = 0.0
    if x > 0.0:
        out += x * (log(x) - log(y))
    if x < 1.0:
        out += (1.0 - x) * (log(1.0 - x) - log(1.0 - y))
    return out


@kernel
def monitor_observe(st, p, tr, t):
    """Add the reward; N kl(mean, top) of every arm as the decision saw it, -1 where there is none.

    A top that rounds to 1 is taken for the last double below it. `slip` is what the rounding of top comes to in nats.
    """
    tr.sums[tr.a] += tr.r
    for a in range(p.A):
        n = float(tr.visits[a])
        s = tr.sums[a]
        if a == tr.a:
            n -= 1.0
            s -= tr.r
        tr.spent[a] = -1.0
        tr.slip[a] = 0.0
        if n > 0.0 and s <= st.top[0] * n and st.top[0] <= 1.0:
            q = min(st.top[0], BELOW_ONE)
            tr.spent[a] = 0.0 if s == n else n * divergence(s / n, q)
            tr.slip[a] = SLIP * (n - s) / (1.0 - q)


monitor = Monitor({"sums": f8["A"], "spent": f8["A"], "slip": f8["A"]}, sums_begin, monitor_observe)


@kernel
def attains(st, p, tr, t):
    """Distance of N kl(mean, index) from the budget for the arm played, beyond the rounding of the index.

    1 - index where the mean is 1; where the index rounds to 1, what N kl still has over the budget just below 1.
    """
    n = tr.visits[tr.a] - 1.0
    if n < 1.0:
        return NEVER
    if tr.sums[tr.a] - tr.r >= n:
        return abs(1.0 - st.top[0])
    if tr.spent[tr.a] < 0.0:
        return 1.0
    if st.top[0] == 1.0:
        return tr.spent[tr.a] - tr.allowed[t + 1]
    return abs(tr.spent[tr.a] - tr.allowed[t + 1]) - tr.slip[tr.a]


@kernel
def in_range(st, p, tr, t):
    """How far the index of the arm played leaves (mean, 1], or [1, 1] where the mean is 1."""
    n = tr.visits[tr.a] - 1.0
    if n < 1.0:
        return NEVER
    mean = (tr.sums[tr.a] - tr.r) / n
    if st.top[0] <= mean and mean < 1.0:
        return 1.0
    return max(mean - st.top[0], st.top[0] - 1.0)


@kernel
def greedy(st, p, tr, t):
    """Budget minus N kl(mean, index of the arm played), largest of the other arms, beyond the rounding of the index.

    In the first A rounds, the plays of the arm before this one.
    """
    if t < p.A:
        return tr.visits[tr.a] - 1.0
    worst = NEVER
    for a in range(p.A):
        if a != tr.a and st.top[0] < 1.0:  # no index is above 1
            # -1: the arm has no plays, or a mean above the index
            worst = max(worst, 1.0 if tr.spent[a] < 0.0 else tr.allowed[t + 1] - tr.spent[a] - tr.slip[a])
    return worst


@kernel
def deviation(st, p, tr, t):
    """Largest N kl(mean, mu) - d over arms whose mean is below mu, by the learner's counts and sums."""
    worst = NEVER
    for a in range(p.A):
        n = float(st.N[a])
        if n > 0.0 and tr.mean[a] < 1.0:
            mean = st.total[a] / n
            if mean < tr.mean[a]:
                worst = max(worst, n * divergence(mean, tr.mean[a]) - tr.threshold)
    return worst


@kernel
def optimism(st, p, tr, t):
    """Best mean minus the largest index."""
    if t < tr.t_start or t < p.A:
        return NEVER
    return tr.best_mean - st.top[0]


@kernel
def plays(st, p, tr, t):
    """N_a kl+(mean_a, mu*) minus the budget for a suboptimal arm that is played with an index of at least mu*."""
    a = tr.a
    n = tr.visits[a] - 1.0
    if n < 1.0 or tr.gap[a] == 0.0 or tr.best_mean >= 1.0 or st.top[0] < tr.best_mean:
        return NEVER
    mean = (tr.sums[a] - tr.r) / n
    if mean >= tr.best_mean:
        return NEVER
    return n * divergence(mean, tr.best_mean) - tr.allowed[t + 1]


ALL = {
    "bonus zero": faults.bonus_zero,
    "log factor dropped": faults.log_dropped,
    "log log left out": faults.log_log_dropped,
    "horizon for clock": faults.horizon_for_clock,
    "Pinsker in place of kl": faults.pinsker_index,
    "no cap at 1": faults.cap_left_out,
    "arguments of kl swapped": faults.arguments_swapped,
    "N + 1 plays": faults.count_off_by_one,
    "one Newton step": faults.newton_cut_short,
    "unvisited at zero": faults.unvisited_zero,
    "argmin": faults.argmin,
    "counts lost": faults.counts_lost,
    "counts doubled": faults.counts_doubled,
    "rewards swapped": faults.rewards_swapped,
    "entropy not renewed": faults.rest_stale,
}
WHERE = {"unvisited at zero": LOW, "Pinsker in place of kl": HIGH}
CONTROLS = {name: Control(name, learner, WHERE.get(name)) for name, learner in ALL.items()}
step = stepper(
    "garivier2011", CONTROLS, learner="kl-ucb", instances=STEPS, control_instance=SMALL, tables=tables, monitor=monitor
)
NAMES = ("index", "range", "greedy", "counts", "sums", "deviation", "optimism", "plays", "pinsker", "root")

claims = [
    Claim(
        id="garivier2011.below-ucb1",
        text="Mean regret of KL-UCB is below that of UCB1 on Bernoulli arms: its index is never above that of UCB1 "
        "with the same logarithm (Pinsker's inequality), most of all where means are near 0 or 1.",
        source_tag="derived",
        learner="kl-ucb",
        kind=Dominates("ucb1"),
        quantity="regret",
        trivial=trivial,
        instances={
            "quick": (
                Instance("bernoulli", 2000, {"means": (0.9, 0.8)}),
                Instance("bernoulli", 2000, {"means": (0.05, 0.02, 0.01)}),
            ),
            "standard": (
                Instance("bernoulli", 20_000, {"means": (0.9, 0.8)}),
                Instance("bernoulli", 20_000, {"means": (0.05, 0.02, 0.01)}),
                Instance("bernoulli", 20_000, SIX_FOUR),
            ),
        },
        assumes=(bandit, rewards_in_01),
        controls=(Control("argmin", faults.argmin, Instance("bernoulli", 2000, {"means": (0.8, 0.9)})),),
    ),
    Claim(
        id="garivier2011.thm2",
        text="Theorem 2, summed over the arms: E regret(n) <= (1 + eps) sum gap_a log n / kl(mu_a, mu*) + lower "
        "orders, with constants that are not given; the shape is sum gap_a log n / kl(mu_a, mu*).",
        source_tag="source",
        learner="kl-ucb",
        kind=Expectation(),
        quantity="regret",
        shape=shape,
        trivial=trivial,
        constants="unspecified",
        instances=FINAL,
        assumes=(bandit, rewards_in_01),
        steps=tuple(f"garivier2011.{s}" for s in NAMES),
    ),
    Claim(
        id="garivier2011.thm2-explicit",
        text="Theorem 2 with the constants of its proof written out: E regret(n) <= max gap sum_t min(1, e ceil(d_t "
        "log t) exp(-d_t)) + sum_a gap_a inf_eps (1 + d_n / kl(mu_a + eps, mu*) + 1/(2 eps^2)), d_t = log t + 3 log "
        "log t.",
        source_tag="derived",
        learner="kl-ucb",
        kind=Expectation(),
        quantity="regret",
        bound=explicit,
        trivial=trivial,
        instances=FINAL,
        assumes=(bandit, rewards_in_01),
        controls=(uniform(Instance("bernoulli", 1000, {"means": (0.9, 0.1)}, THREE), 24, "python"),),
    ),
    Claim(
        id="garivier2011.pinsker",
        text="kl(p, q) >= 2 (q-p)^2 for all p, q, and >= (q-p)^2 / (2 p (1-p)) where 1/2 <= p <= q.",
        source_tag="derived",
        scope="models",
        learner="kl-ucb",
        kind=Pointwise(),
        quantity=pinsker,
        false_twin=false_pinsker,
        instances={},
    ),
    Claim(
        id="garivier2011.root",
        text="The learner's root is max{q <= 1 : N kl(S/N, q) <= budget} to one part in 10^9 of its distance from S/N "
        "and from 1, for rewards that need not be 0 or 1.",
        source_tag="derived",
        scope="models",
        learner="kl-ucb",
        kind=Pointwise(),
        quantity=root,
        false_twin=false_root,
        instances={},
    ),
    step(
        "index",
        "The index q of the arm played attains N kl(mean, q) = log t + c log log t, t the round (counted from 1) that "
        "is decided; q = 1 where the mean is 1.",
        "source",
        Pointwise(),
        Probe("kl-ucb.index", attains, tol=1e-7),
        (
            "log factor dropped",
            "log log left out",
            "horizon for clock",
            "arguments of kl swapped",
            "N + 1 plays",
            "one Newton step",
            "entropy not renewed",
        ),
        copies=True,
    ),
    step(
        "range",
        "The index of the arm played lies above its mean and is at most 1.",
        "derived",
        Pointwise(),
        Probe("kl-ucb.range", in_range, tol=1e-12),
        ("bonus zero", "Pinsker in place of kl", "no cap at 1"),
    ),
    step(
        "greedy",
        "The first K rounds play each arm once; from then on every other arm has N kl(mean, q) >= log t + c log log t "
        "and a mean of at most q at the index q of the arm played: no other index is larger.",
        "source",
        Pointwise(),
        Probe("kl-ucb.greedy", greedy, tol=1e-7),
        ("argmin", "unvisited at zero", "arguments of kl swapped", "N + 1 plays"),
    ),
    step(
        "counts",
        "Plays are conserved: N_a equals the number of times arm a was played.",
        "derived",
        Pointwise(),
        Probe("kl-ucb.counts", plays_conserved),
        ("counts lost", "counts doubled"),
    ),
    step(
        "sums",
        "Rewards are conserved: the sum kept for arm a is the sum of the rewards that arm a paid.",
        "derived",
        Pointwise(),
        Probe("kl-ucb.sums", rewards_conserved, tol=1e-9),
        ("rewards swapped",),
    ),
    step(
        "deviation",
        "Theorem 10, at all rounds and for all arms: N kl+(mean, mu) <= d, except with probability K e ceil(d log T) "
        "exp(-d).",
        "derived",
        HighProbability(deviation_level),
        Probe("kl-ucb.deviation", deviation, tol=1e-9),
        ("counts doubled",),
    ),
    step(
        "optimism",
        "From round 32 on the largest index is at least the best mean, except with the probability of theorem 10 "
        "summed over blocks of rounds [2^j, 2^(j+1)).",
        "derived",
        HighProbability(optimism_level),
        Probe("kl-ucb.optimism", optimism, tol=1e-9),
        ("bonus zero",),
    ),
    step(
        "plays",
        "A suboptimal arm that is played with an index of at least mu* has N_a kl+(mean_a, mu*) <= log t + c log log "
        "t.",
        "source",
        Pointwise(),
        Probe("kl-ucb.plays", plays, tol=1e-7),
        ("rewards swapped",),
    ),
]
