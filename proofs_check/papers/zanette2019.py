"""Zanette, Brunskill 2019: EULER. Episodic, rewards in [0, 1], T = K H, l = ln(4 S A T / d'), d' = delta / 7.

    theorem 1    with probability 1 - delta, for a stationary MDP (pooled=1),
                 regret(K) <= O~(sqrt(Q* S A T) + sqrt(S) S A H^2 (sqrt(S) + sqrt(H))),
                 Q* = max_{h,s,a} Var r(s,a) + Var_p(V_star_{h+1})                          [recalled]

Levels [derived]. For n values of mean x in an interval of length B, with variance V_n (divided by n - 1), the empirical
Bernstein inequality of Maurer and Pontil (2009) [recalled], two-sided, is

    |x_n - x| <= sqrt(2 V_n L / n) + 7 B L / (3 (n - 1))     except with probability 3 exp(-L).

The printed widths have Var_hat = (n-1) V_n / n in place of V_n, and for V_star H l / 3 + 4 J + B_p in place of 7 H l /
3. So a width is compared with the inequality at L = q l: q is the largest number with which it dominates for every n <=
K (T if pooled) at which it is below B, whatever the variance. The union bound over S A T pairs (h,s,a) and counts n,
and for values over the H - 1 stages with a next one, gives 3 S A T exp(-q l) for rewards and 3 (H - 1) S A K exp(-q l)
for V_star. If pooled the latter is 3 (H - 1) S A T exp(-q l) for one kernel, and nothing is claimed for a kernel that
depends on the stage. With q = 1 the first would be 3 d' / 4. `scale` enters q. q is computed from the constants and the
counts alone; nothing of a run enters it.

B_p = H sqrt(2 l), as recalled, is too small for its own step sqrt(2 l / n) |sd_p_hat(V_star) - sd_p(V_star)| <= B_p /
n: a next state of probability c / n and value v, the others 0, is never seen in n visits with probability (1 - c/n)^n,
and then the left side is about v sqrt(2 l c) / n, above B_p / n for c > (H / v)^2. About 2 H l in place of B_p would
do. The sum of all terms has 5 H l / 3 + B_p where the inequality asks for 7 H l / 3, which is enough for l <= 4.5
alone; above, q < 1 once counts are large, and the level for V_star can exceed delta, which the paper has for all
events together [recalled]. No failure of coverage is known: summed exactly, coins miss the width less than exp(-l).

On coverage, V_low <= V_star <= V_up follows by induction over the stages, since sqrt(Var_p_hat(V_star)) is at most
sqrt(Var_p_hat(V)) + |V - V_star|_{2,p_hat} for V = V_up and V = V_low.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from proofs_check.lemmas.bernstein import false_twin, total_variance, wrong_total_variance
from proofs_check.lemmas.bernstein import quantity as empirical_bernstein
from proofs_check.mutants import euler as faults
from proofs_check.papers import _euler_probes as probes
from theorylab.assume import episodic, rewards_in_01, stationary
from theorylab.claim import Claim, Context, Control, HighProbability, Instance, Pointwise
from theorylab.probe import Probe

HALF = {"delta": 0.5}
CHAIN = {"states": 3, "horizon": 3, "rewards": "bernoulli"}
LONG = {"states": 4, "horizon": 6, "rewards": "bernoulli"}
#: small enough for the values to leave their caps within some hundred episodes of the python target
SMALL = Instance("riverswim", 240, {"states": 2, "horizon": 2, "rewards": "bernoulli"}, {"delta": 0.05, "scale": 0.4})
#: theory's constants, for what holds with a probability
RANDOM = {"S": 3, "A": 2, "b": 2, "seed": 1, "horizon": 2, "rewards": "bernoulli"}
THEORY = Instance("garnet", 100, RANDOM, {"delta": 0.05})
#: a switch that never slips: pairs with one next state, and lower values above zero
SURE = Instance("two-state", 200, {"horizon": 2, "rewards": "bernoulli"}, {"delta": 0.05, "scale": 0.4})
#: the same with slips: lower values above zero whose next state is random
SLIPS = Instance("two-state", 200, {"slip": 0.3, "horizon": 2, "rewards": "bernoulli"}, {"delta": 0.05, "scale": 0.1})
#: one count for all of three stages; values fall far below their caps
POOLED = Instance(
    "two-state",
    200,
    {"slip": 0.3, "horizon": 3, "rewards": "bernoulli"},
    {"delta": 0.05, "scale": 0.05, "pooled": 1},
)
#: action 0 has two next states, the others one
MIXED = {"b": 1, "w": 0.3, "seed": 1, "rewards": "bernoulli"}
STEPS = {
    "quick": (
        Instance("riverswim", 2500, CHAIN, HALF),
        Instance("riverswim", 1000, CHAIN, {"delta": 0.2, "pooled": 1}),
        Instance("garnet", 2500, {**MIXED, "S": 3, "A": 2, "horizon": 3}, HALF),
    ),
    # the longer, the further is q below 1: with delta = .5 the levels would be near 1
    "standard": (
        Instance("riverswim", 20_000, LONG, {"delta": 0.2}),
        Instance("riverswim", 10_000, {**LONG, "horizon": 4}, {"delta": 0.05, "pooled": 1}),
        Instance("garnet", 20_000, {**MIXED, "S": 4, "A": 3, "horizon": 4}, {"delta": 0.2}),
    ),
}
SWITCH = {"slip": 0.1, "rewards": "bernoulli", "horizon": 2, "start": "uniform"}
FINAL = {
    "quick": (Instance("two-state", 20_000, SWITCH, {"delta": 0.1, "pooled": 1}),),
    "standard": (
        Instance("two-state", 200_000, SWITCH, {"delta": 0.1, "pooled": 1}),
        Instance("riverswim", 50_000, CHAIN, {"delta": 0.1, "pooled": 1}),
    ),
}


def largest_variance(c: Context) -> float:
    """Q*: the largest variance of a reward and the next optimal value together."""
    model = c.model
    P = model.dense() if model.stage_dependent else np.broadcast_to(model.dense(), (c.H, c.S, c.A, c.S))
    ahead = np.asarray(c.V_star)[1:, None, None, :]
    mean = (P * ahead).sum(axis=-1, keepdims=True)
    values = (P * (ahead - mean) ** 2).sum(axis=-1)
    rewards = model.r * (1.0 - model.r) if model.reward_law.kind == "bernoulli" else np.zeros_like(model.r)
    return float((values + rewards).max())


def shape(c: Context, n: np.ndarray) -> np.ndarray:
    """sqrt(Q* S A (n H) l) + sqrt(S) S A H^2 (sqrt(S) + sqrt(H)) l^2: the order of theorem 1 after n episodes.

    The powers of the logarithm are not stated: one under the root and two in the constant are what summing widths of
    order sqrt(l / n) and l / n over all visits gives [derived].
    """
    first = np.sqrt(largest_variance(c) * c.S * c.A * np.asarray(n, dtype=float) * c.H * c.l)
    constant = math.sqrt(c.S) * c.S * c.A * c.H**2 * (math.sqrt(c.S) + math.sqrt(c.H)) * c.l**2
    return np.asarray(first + constant)


def trivial(c: Context, n: np.ndarray) -> np.ndarray:
    """n times the largest optimal value of a first state: rewards are not negative, so no algorithm loses more."""
    return np.asarray(n, dtype=float) * float(np.max(c.V_star[0][c.mu0 > 0]))


def fraction(c: Context, reach: float, rest: np.ndarray, n: np.ndarray) -> float:
    """q: the width scale (sd sqrt(2 l / n) + rest) covers the Bernstein width at q l, or `reach`, for every sd.

    Args:
        reach: length B of the interval. rest: terms of the width without the deviation, at the counts n >= 2.
    """
    narrow = c.scale * rest < reach
    n, rest = n[narrow], rest[narrow]
    if n.size == 0:
        return math.inf
    slope = 7.0 * reach / (3.0 * (n - 1.0))
    worst = np.inf
    # linear in the deviation, so its two ends suffice; with u = sqrt(q l) the condition is slope u^2 + root u <= width
    for sd in (0.0, 0.5 * reach):
        root = sd * np.sqrt(2.0 / (n - 1.0))
        width = c.scale * (sd * np.sqrt(2.0 * c.l / n) + rest)
        u = (np.sqrt(root**2 + 4.0 * slope * width) - root) / (2.0 * slope)
        worst = min(worst, float(np.min(u)) ** 2 / c.l)
    return worst


def _level(c: Context, reach: float, rest: np.ndarray, first: float, events: float) -> float:
    """3 events exp(-q l); 1 where the width at the first visit does not cover the whole interval."""
    n = np.arange(2.0, most(c) + 1.0)
    if c.scale * first < reach:
        return 1.0
    q = fraction(c, reach, rest, n)
    return float(min(1.0, max(3.0 * events * math.exp(-min(q * c.l, 600.0)), 1e-300)))


def most(c: Context) -> int:
    """The largest count of a pair: K, or T where the stages share it."""
    return int(c.T if c.pooled else c.K)


def reward_level(c: Context) -> float:
    """Failure probability of |r_hat - r| <= b_r at all pairs and counts."""
    n = np.arange(2.0, most(c) + 1.0)
    return _level(c, 1.0, 7.0 * c.l / (3.0 * (n - 1.0)), 7.0 * c.l / 3.0, float(c.S) * c.A * c.T)


def value_level(c: Context) -> float:
    """Failure probability of |(p_hat - p) V_star| <= phi(V_star) + (4 J + B_p) / n at all pairs and counts.

    1, no claim, where counts of different kernels are pooled: p_hat then tends to none of them.
    """
    if c.pooled and c.model.stage_dependent:
        return 1.0
    n = np.arange(2.0, most(c) + 1.0)
    last = 4.0 * c.J + c.B_p
    first = c.H * c.l / 3.0 + last
    rest = c.H * c.l / (3.0 * (n - 1.0)) + last / n
    return _level(c, float(c.H), rest, first, float(c.H - 1) * c.S * c.A * most(c))


def level(c: Context) -> float:
    """Both events together."""
    return float(min(1.0, reward_level(c) + value_level(c)))


def tables(c: Context) -> dict[str, float]:
    """ln(4 S A T / (delta / 7)) in nats, apart from the learner's own constant."""
    return {"log_term": math.log(28.0 * c.S * c.A * c.T / c.delta)}


PLANTED = {
    "bonus zero": faults.bonus_zero,
    "log factor dropped": faults.log_dropped,
    "delta not divided": faults.delta_undivided,
    "K for T": faults.episodes_for_steps,
    "b_r without 7 l / (3 (n - 1))": faults.b_r_half,
    "n for n - 1": faults.n_for_n_minus_one,
    "B_p without H": faults.B_p_without_H,
    "second moment for the variance": faults.second_moment,
    "norm of V_up alone": faults.norm_of_upper,
    "norm left out": faults.norm_dropped,
    "bonus of n + 1": faults.count_ahead,
    "self-loops lost": faults.counts_lost,
    "every move stays": faults.mass_to_self,
    "p_hat of the first visit": faults.p_hat_stale,
    "unvisited at zero": faults.unvisited_zero,
    "no clipping": faults.clipping_off,
    "lower value below zero": faults.lower_below_zero,
    "backup skips a stage": faults.stage_skipped,
    "bonus added to the lower value": faults.lower_plus,
    "phi of V_up in the lower value": faults.phi_of_upper,
    "lower value of its own best action": faults.lower_own_action,
    "worst action played": faults.worst_action,
    "plan every second episode": faults.plan_late,
}
CONTROLS = {name: Control(name, learner, replicates=3) for name, learner in PLANTED.items()}
#: enough replicates to refute a rate
RATES = {name: Control(name, learner, THEORY, replicates=6) for name, learner in PLANTED.items()}
LONGER = Instance("garnet", 300, RANDOM, {"delta": 0.05})
RATES["log factor dropped"] = Control("log factor dropped", faults.log_dropped, LONGER, replicates=6)
for name in ("second moment for the variance", "norm of V_up alone", "lower value of its own best action"):
    CONTROLS[name] = Control(name, PLANTED[name], SURE, replicates=2)
name = "phi of V_up in the lower value"
CONTROLS[name] = Control(name, PLANTED[name], SLIPS, replicates=2)
for name in ("self-loops lost", "norm left out", "no clipping"):
    CONTROLS[name] = Control(name, PLANTED[name], POOLED, replicates=2)


def _step(
    name: str,
    text: str,
    tag: str,
    kernel: Any,
    at: str,
    caught: tuple[str, ...],
    tol: float = 1e-9,
    copies: bool = False,
) -> Claim:
    return Claim(
        id=f"zanette2019.{name}",
        text=text,
        source_tag=tag,
        learner="euler",
        kind=Pointwise(),
        quantity=Probe(f"euler.{name}", kernel, at, tol),
        instances=STEPS,
        control_instance=SMALL,
        assumes=(episodic, rewards_in_01),
        controls=tuple(CONTROLS[c] for c in caught),
        tables=tables,
        monitor=probes.monitor,
        copies=copies,
    )


def _rate(name: str, text: str, tag: str, rate: Any, kernel: Any, caught: tuple[str, ...]) -> Claim:
    return Claim(
        id=f"zanette2019.{name}",
        text=text,
        source_tag=tag,
        learner="euler",
        kind=HighProbability(rate),
        quantity=Probe(f"euler.{name}", kernel, "plan", 1e-9),
        instances=STEPS,
        control_instance=THEORY,
        assumes=(episodic, rewards_in_01),
        controls=tuple(RATES[c] for c in caught),
        tables=tables,
        monitor=probes.monitor,
    )


NAMES = (
    "counts", "estimates", "bonus", "backup", "clipping", "greedy", "schedule", "reward-coverage", "value-coverage",
    "correction", "induction", "optimism", "pessimism", "sure-pairs", "bernstein", "total-variance",
)  # fmt: skip
claims = [
    Claim(
        id="zanette2019.thm1",
        text="Theorem 1: with probability 1 - delta, regret(K) = O~(sqrt(Q* S A T) + sqrt(S) S A H^2 (sqrt(S) + "
        "sqrt(H))) for a stationary MDP with pooled counts; constants and logarithms are not given, the shape has "
        "sqrt(l) and l^2.",
        source_tag="recalled",
        learner="euler",
        kind=HighProbability(lambda c: float(c.delta)),
        quantity="regret",
        shape=shape,
        trivial=trivial,
        constants="unspecified",
        instances=FINAL,
        assumes=(episodic, rewards_in_01, stationary),
        steps=tuple(f"zanette2019.{s}" for s in NAMES),
    ),
    _step(
        "counts",
        "Counts are conserved: visits are those the environment has served, transitions those it made.",
        "derived",
        probes.counts,
        "step",
        ("self-loops lost", "every move stays"),
        0.0,
    ),
    _step(
        "estimates",
        "p_hat, r_hat and Var_r of a pair are those of all its visits, recomputed from sums.",
        "derived",
        probes.estimates,
        "step",
        ("p_hat of the first visit",),
    ),
    _step(
        "bonus",
        "b_r = sqrt(2 Var_r l/n) + 7 l/(3(n-1)), sqrt(2 l/n), and H l/(3(n-1)) + (4J + B_p)/n, n - 1 at least 1.",
        "recalled",
        probes.bonus,
        "step",
        ("log factor dropped", "delta not divided", "K for T", "B_p without H", "n for n - 1", "bonus of n + 1"),
        1e-6,
        copies=True,
    ),
    _step(
        "backup",
        "Q_up, V_up and V_low equal the printed rules at every plan; V_low takes the upper value's action.",
        "recalled",
        probes.backup,
        "plan",
        (
            "second moment for the variance",
            "norm left out",
            "norm of V_up alone",
            "backup skips a stage",
            "lower value of its own best action",
            "bonus added to the lower value",
            "phi of V_up in the lower value",
            "unvisited at zero",
        ),
        1e-6,
        copies=True,
    ),
    _step(
        "clipping",
        "0 <= V_low <= V_up <= H - h and Q_up <= H - h (h from 0) at every plan.",
        "recalled",
        probes.clipping,
        "plan",
        ("no clipping", "lower value below zero"),
    ),
    _step(
        "greedy",
        "The action played maximises Q_up of the last plan.",
        "recalled",
        probes.greedy,
        "step",
        ("worst action played",),
        0.0,
    ),
    _step(
        "schedule",
        "There is one plan before every episode.",
        "recalled",
        probes.schedule,
        "episode",
        ("plan every second episode",),
        0.0,
    ),
    _rate(
        "reward-coverage",
        "|r_hat - r| <= b_r at every pair and plan, except with probability 3 SAT exp(-q l), q the largest with which "
        "b_r covers the empirical Bernstein inequality.",
        "derived",
        reward_level,
        probes.reward_coverage,
        ("bonus zero", "b_r without 7 l / (3 (n - 1))", "log factor dropped"),
    ),
    _rate(
        "value-coverage",
        "|(p_hat - p) V_star_{h+1}| <= phi(V_star_{h+1}) + (4J + B_p)/n at every pair and plan, except with "
        "probability 3 (H-1) SAK exp(-q l) (T for K if pooled, for one kernel). The constants as recalled give "
        "q < 1 for l > 4.5 and many visits, so the level can exceed delta. Far from equality: see max_excess.",
        "derived",
        value_level,
        probes.value_coverage,
        ("bonus zero",),
    ),
    _step(
        "correction",
        "Where V_low <= V_star <= V_up at stage h + 1, phi(V_up) + B_v |V_up - V_low|/sqrt(n) >= phi(V_star): the "
        "norm pays for the variance of V_up.",
        "derived",
        probes.correction,
        "plan",
        ("norm left out",),
    ),
    _step(
        "induction",
        "Where stage h + 1 is enclosed and the widths cover the pair, Q_up >= Q_star, and V_low <= V_star where the "
        "pair is played.",
        "derived",
        probes.induction,
        "plan",
        ("backup skips a stage", "bonus added to the lower value"),
    ),
    _rate(
        "optimism",
        "Q_up >= Q_star and V_up >= V_star at every pair and stage of every plan, except with the probabilities of "
        "reward-coverage and value-coverage together, which may exceed delta.",
        "derived",
        level,
        probes.optimism,
        ("bonus zero", "unvisited at zero"),
    ),
    _rate(
        "pessimism",
        "V_low <= V_star at every stage of every plan, except with the probabilities of reward-coverage and "
        "value-coverage together, which may exceed delta.",
        "derived",
        level,
        probes.pessimism,
        ("bonus zero", "bonus added to the lower value"),
    ),
    _step(
        "sure-pairs",
        "Where all visits of a pair led to one state, the bonus without its norm is at most b_r + (5H l/3 + H "
        "sqrt(2 l))/(n-1), with b_r = 7 l/(3(n-1)) where they paid the same: no term of order 1/sqrt(n).",
        "derived",
        probes.sure_pairs,
        "plan",
        ("second moment for the variance", "norm of V_up alone"),
    ),
    Claim(
        id="zanette2019.bernstein",
        text="Empirical Bernstein inequality (Maurer and Pontil): two-sided failure probability at most 3 exp(-L) for "
        "n coins of any rate, summed exactly. Far from equality: lower-order terms of 2 L/(3(n-1)) would fail here, of "
        "L/(n-1) not.",
        source_tag="recalled",
        scope="models",
        learner="euler",
        kind=Pointwise(),
        quantity=empirical_bernstein,
        false_twin=false_twin,
        instances={},
    ),
    Claim(
        id="zanette2019.total-variance",
        text="Law of total variance: for every policy the variance of the return is the expected sum over the stages "
        "of Var r + Var_p(V_{h+1}), both computed exactly.",
        source_tag="derived",
        scope="models",
        learner="euler",
        kind=Pointwise(),
        quantity=total_variance,
        false_twin=wrong_total_variance,
        instances={},
    ),
]
