"""Zhang, Ji, Du 2021: MVP. Episodic, one kernel for all stages, rewards of an episode add up to at most 1.

    theorem      with high probability, regret(K) = O((sqrt(S A K) + S^2 A) polylog(S A H K))      [source: abstract]

Levels [derived]. L = 1 + floor(log2 T) counts the powers of two up to T. For m values in an interval of length 1 with
mean x, average x_m and variance v_m (divided by m), the empirical Bernstein inequality (Maurer and Pontil 2009
[recalled]) and m - 1 >= m/2 give, for m >= 2,

    x - x_m <= 2 sqrt(v_m i / m) + 14 i / (3 m)     except with probability 2 exp(-i), both sides 3 exp(-i).

Rewards: m = n/2 and v_m <= r_hat, hence c2 = 2 sqrt(2) and 28/3. At `scale` s the width covers the inequality at q i
with q = min(s, s^2), so all rewards are covered except with probability 3 S A L exp(-q i).
Kernel: m = n and V_star_{h+1}, h < H - 1; s (460/9) (sqrt(Var i / n) + i / n) covers it at q = min((230 s/9)^2, 230
s/21). Optimism uses max(x sqrt(Var i / n), x^2 i / n), x = min(y, sqrt(y)), y = 460 s / 9, which is monotone in the
values and at most the bonus; it covers one side at q i if x^2 >= 2 sqrt(q) x + 14 q / 3, that is with q = u^2 x^2 and
14 u^2 / 3 + 2 u = 1. With s = 1 this is q = 4.47: the kernel is far from equality, and the rewards decide the level,
2 S A L exp(-i) = delta / H.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from proofs_check.lemmas.mvp_monotone import false_monotone, monotone
from proofs_check.mutants import mvp as faults
from proofs_check.papers import _mvp_probes as probes
from proofs_check.papers import _value_probes as values
from proofs_check.papers._mvp_models import scaled, stopping, total_reward_at_most_one
from theorylab.assume import episodic, rewards_in_01, stationary
from theorylab.claim import Claim, Context, Control, HighProbability, Instance, Pointwise
from theorylab.probe import Probe

#: u of the module's text
U = (math.sqrt(1.0 + 14.0 / 3.0) - 1.0) / (14.0 / 3.0)

MODEL = stopping(4, 3, 1)
#: a small scale takes the values below the cap within some hundred episodes, at 0.02 those with a variance not yet
SMALL = Instance.of(MODEL, 200, {"delta": 0.05, "scale": 0.01})
#: theory's constants, for what holds with a probability
THEORY = Instance.of(MODEL, 40, {"delta": 0.05})
STEPS = {
    "quick": (
        Instance.of(MODEL, 6000, {"delta": 0.5}),
        Instance.of(stopping(6, 4, 2), 6000, {"delta": 0.5}),
    ),
    "standard": (
        Instance.of(MODEL, 60_000, {"delta": 0.5}),
        Instance.of(stopping(8, 6, 3), 60_000, {"delta": 0.5}),
        Instance.of(scaled("riverswim", states=4, horizon=6), 40_000, {"delta": 0.5}),
        Instance.of(scaled("garnet", S=5, A=3, b=1, w=0.3, seed=1, horizon=4), 40_000, {"delta": 0.5}),
    ),
}
FINAL = {
    "quick": (Instance.of(stopping(3, 2, 1), 60_000, {"delta": 0.1}),),
    "standard": (
        Instance.of(stopping(3, 2, 1), 600_000, {"delta": 0.1}),
        Instance.of(scaled("riverswim", states=3, horizon=3), 600_000, {"delta": 0.1}),
    ),
}


def shape(c: Context, n: np.ndarray) -> np.ndarray:
    """(sqrt(S A n) + S^2 A) iota^2: the theorem's order after n episodes; the power of the logarithm is not given."""
    return np.asarray((np.sqrt(c.S * c.A * np.asarray(n, dtype=float)) + float(c.S) ** 2 * c.A) * c.iota**2)


def trivial(c: Context, n: np.ndarray) -> np.ndarray:
    """n times the largest optimal value of a first state: rewards are not negative, so no algorithm loses more."""
    return np.asarray(n, dtype=float) * float(np.max(c.V_star[0][c.mu0 > 0]))


def refreshes(c: Context) -> float:
    """S A (1 + floor(log2 T)), the most refreshes there can be."""
    return float(c.S * c.A * int(c.T).bit_length())


def _capped(value: float) -> float:
    return float(min(1.0, max(value, 1e-300)))


def reward_level(c: Context) -> float:
    """Failure probability of |r_hat - r| <= scale (c2 sqrt(r_hat iota/n) + 28 iota/(3n)) at all refreshes."""
    if c.scale * 14.0 * c.iota / 3.0 < 1.0:  # at n = 1 and 2 there is one reward: the width must cover everything
        return 1.0
    return _capped(3.0 * refreshes(c) * math.exp(-min(c.scale, c.scale**2) * c.iota))


def value_level(c: Context) -> float:
    """Failure probability of |(p_hat - p) V_star| <= 460/9 scale (sqrt(Var iota/n) + iota/n) at all refreshes."""
    if c.scale * 460.0 / 9.0 * c.iota < 1.0:
        return 1.0
    q = min((230.0 / 9.0 * c.scale) ** 2, 230.0 / 21.0 * c.scale)
    return _capped(3.0 * (c.H - 1) * refreshes(c) * math.exp(-q * c.iota))


def level(c: Context) -> float:
    """Failure probability of the one-sided events that optimism needs."""
    x = min(460.0 / 9.0 * c.scale, math.sqrt(460.0 / 9.0 * c.scale))
    if c.scale * 14.0 * c.iota / 3.0 < 1.0 or x**2 * c.iota < 1.0:
        return 1.0
    rewards = math.exp(-min(c.scale, c.scale**2) * c.iota)
    values = math.exp(-((U * x) ** 2) * c.iota)
    return _capped(2.0 * refreshes(c) * (rewards + (c.H - 1) * values))


def tables(c: Context) -> dict[str, float]:
    """iota in nats, apart from the learner's own constant."""
    return {"log_term": math.log(2.0 * c.H * refreshes(c) / c.delta)}


PLANTED = {
    "bonus zero": faults.bonus_zero,
    "log factor dropped": faults.log_dropped,
    "delta not divided": faults.delta_undivided,
    "K for T": faults.episodes_for_steps,
    "bonus of n + 1": faults.count_ahead,
    "c3 lowered to 28/3": faults.c3_lowered,
    "reward's bonus left out": faults.reward_bonus_dropped,
    "c2 halved": faults.c2_halved,
    "second moment for the variance": faults.second_moment,
    "theta not reset": faults.theta_kept,
    "p_hat of the first visit": faults.p_hat_stale,
    "self-loops lost": faults.counts_lost,
    "every move stays": faults.mass_to_self,
    "refresh at powers of four": faults.trigger_late,
    "refresh at every visit": faults.trigger_always,
    "plan after every episode": faults.plan_always,
    "plan missed": faults.plan_missed,
    "unvisited at zero": faults.unvisited_zero,
    "no clipping": faults.clipping_off,
    "cap H - h": faults.cap_H,
    "backup skips a stage": faults.stage_skipped,
    "worst action played": faults.worst_action,
}
CONTROLS = {name: Control(name, learner, replicates=3) for name, learner in PLANTED.items()}
#: enough replicates to refute a rate
RATES = {name: Control(name, learner, THEORY, replicates=8) for name, learner in PLANTED.items()}
#: long enough for a wrong law to show: the kernel's level is still small there
RATES["every move stays"] = Control(
    "every move stays", faults.mass_to_self, Instance.of(MODEL, 500, {"delta": 0.05, "scale": 0.1}), replicates=4
)


def _claim(
    name: str,
    text: str,
    tag: str,
    kind: Any,
    probe: Probe,
    controls: tuple[Control, ...],
    where: Instance,
    copies: bool = False,
) -> Claim:
    return Claim(
        id=f"zhang2021mvp.{name}",
        text=text,
        source_tag=tag,
        learner="mvp",
        kind=kind,
        quantity=probe,
        instances=STEPS,
        control_instance=where,
        assumes=(episodic, rewards_in_01, stationary, total_reward_at_most_one),
        controls=controls,
        tables=tables,
        monitor=probes.monitor,
        copies=copies,
    )


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
    probe = Probe(f"mvp.{name}", kernel, at, tol)
    return _claim(name, text, tag, Pointwise(), probe, tuple(CONTROLS[c] for c in caught), SMALL, copies)


def _rate(name: str, text: str, tag: str, rate: Any, kernel: Any, caught: tuple[str, ...]) -> Claim:
    probe = Probe(f"mvp.{name}", kernel, "plan", 1e-9)
    return _claim(name, text, tag, HighProbability(rate), probe, tuple(RATES[c] for c in caught), THEORY)


NAMES = (
    "counts", "doubling", "estimates", "bonus", "backup", "clipping", "greedy", "schedule", "replans",
    "reward-coverage", "value-coverage", "sure-pairs", "monotone", "induction", "optimism",
)  # fmt: skip
claims = [
    Claim(
        id="zhang2021mvp.thm",
        text="Theorem (abstract): with high probability, regret(K) = O((sqrt(S A K) + S^2 A) polylog(S A H K)) when "
        "the rewards of an episode add up to at most 1; the constant is not given, the shape has iota^2 for the logs.",
        source_tag="source",
        learner="mvp",
        kind=HighProbability(lambda c: float(c.delta)),
        quantity="regret",
        shape=shape,
        trivial=trivial,
        constants="unspecified",
        instances=FINAL,
        assumes=(episodic, rewards_in_01, stationary, total_reward_at_most_one),
        steps=tuple(f"zhang2021mvp.{s}" for s in NAMES),
    ),
    _step(
        "counts",
        "Counts are conserved: visits over all stages are those the environment has served, transitions those it made.",
        "derived",
        probes.counts,
        "step",
        ("self-loops lost", "every move stays"),
        0.0,
    ),
    _step(
        "doubling",
        "n(s,a) is the largest power of two that the visits of the pair have reached.",
        "recalled",
        probes.doubling,
        "step",
        ("refresh at powers of four", "refresh at every visit"),
        0.0,
    ),
    _step(
        "estimates",
        "Between powers of two the model of a pair is frozen: p_hat of the first n visits, r_hat of the latter half "
        "of them.",
        "recalled",
        probes.estimates,
        "step",
        ("theta not reset", "p_hat of the first visit", "refresh at every visit"),
    ),
    _step(
        "bonus",
        "The bonus is c1 sqrt(Var iota/n) + c2 sqrt(r_hat iota/n) + c3 iota/n, c1 = 460/9, c2 = 2 sqrt(2), c3 = 544/9.",
        "recalled",
        probes.bonus,
        "step",
        (
            "bonus zero",
            "log factor dropped",
            "delta not divided",
            "K for T",
            "bonus of n + 1",
            "c3 lowered to 28/3",
            "reward's bonus left out",
            "c2 halved",
        ),
        copies=True,
    ),
    _step(
        "backup",
        "Q = min(1, r_hat + p_hat V_{h+1} + b) and V = max Q at every plan, Q = 1 without visits.",
        "recalled",
        probes.backup,
        "plan",
        ("second moment for the variance", "backup skips a stage", "unvisited at zero", "cap H - h"),
        copies=True,
    ),
    _step(
        "sure-pairs",
        "Where all visits of a pair led to one state, the bonus is c2 sqrt(r_hat iota/n) + c3 iota/n at most: no term "
        "c1 / sqrt(n).",
        "derived",
        probes.sure_pairs,
        "plan",
        ("second moment for the variance",),
    ),
    _step(
        "clipping",
        "0 <= V <= 1 and Q <= 1 at every plan (the cap of a total reward of at most 1).",
        "recalled",
        probes.clipping,
        "plan",
        ("no clipping", "cap H - h"),
    ),
    _step(
        "greedy",
        "The action played maximises Q of the last plan.",
        "recalled",
        values.greedy,
        "step",
        ("worst action played",),
        0.0,
    ),
    _step(
        "schedule",
        "A plan follows an episode exactly where some pair has reached a power of two in it.",
        "recalled",
        probes.schedule,
        "step",
        ("plan after every episode", "plan missed", "refresh at powers of four"),
        0.0,
    ),
    _step(
        "replans",
        "Plans after the first number at most S A (1 + log2 T) up to step T, for every T.",
        "recalled",
        probes.replans,
        "step",
        ("plan after every episode", "refresh at every visit"),
    ),
    _rate(
        "reward-coverage",
        "|r_hat - r| <= c2 sqrt(r_hat iota/n) + 28 iota/(3n) at every pair and plan, except with probability "
        "3 S A L exp(-iota) = 3 delta/(2H) (scale 1).",
        "derived",
        reward_level,
        probes.reward_coverage,
        ("bonus zero", "reward's bonus left out"),
    ),
    _rate(
        "value-coverage",
        "|(p_hat - p) V_star_{h+1}| <= (460/9) (sqrt(Var iota/n) + iota/n) at every pair and plan. The claim allows "
        "delta; what is proved is far less, and the inequality is far from equality: see max_excess.",
        "derived",
        lambda c: max(value_level(c), float(c.delta)),
        probes.value_coverage,
        ("every move stays",),
    ),
    Claim(
        id="zhang2021mvp.monotone",
        text="The max-form p V + max(20/3 sqrt(Var_p(V) i/n), 400/9 i/n) is nondecreasing in every V(y) on [0,1]^S.",
        source_tag="recalled",
        scope="models",
        learner="mvp",
        kind=Pointwise(),
        quantity=monotone,
        false_twin=false_monotone,
        instances={},
    ),
    _step(
        "induction",
        "Where V >= V_star at stage h + 1, the reward is covered and the max-form at V_star covers the kernel, "
        "Q >= Q_star: the max-form is monotone and at most the bonus.",
        "derived",
        probes.induction,
        "plan",
        ("bonus zero", "backup skips a stage"),
    ),
    _rate(
        "optimism",
        "Q >= Q_star and V >= V_star at every pair and stage of every plan, except with probability 2 S A L "
        "exp(-iota) = delta/H for the rewards and a negligible one for the kernel (scale 1).",
        "derived",
        level,
        probes.optimism,
        ("bonus zero", "unvisited at zero"),
    ),
]
