"""Filippi, Cappe, Garivier 2010: KL-UCRL. Average reward, communicating MDPs of diameter D, rewards in [0, 1].

    theorem 1    with probability 1 - delta, for T > 5, regret(T) <= c D S sqrt(A T ln(ln(T) / delta)), c left open here
                 [recalled: order D S sqrt(A T) up to logarithms; the logarithm is less certain]

Coverage of the balls [derived from recalled]: KL(p_hat, p) <= sum_s2 kl(p_hat(s2), p(s2)), the binary divergences,
since sum (1 - p_hat) ln((1 - p_hat) / (1 - p)) >= 0 by the log-sum inequality [derived]; and for n draws of a coin,
n kl(p_hat, p) > x for some n <= T has probability at most 2 e ceil(x ln T) exp(-x) (Garivier and Cappe 2011, theorem
10; Garivier and Leonardi 2011) [recalled]. With x = scale C_P / S the union over S^2 A entries fails with probability

    2 e S^2 A ceil(x ln T) exp(-x),

which C_P is made to bring to about delta at scale 1. Rewards [derived]: cut n <= T into K = ceil(ln T / ln g) slices
[g^(k-1), g^k]; on one of them the martingale exp(y S_n - y^2 n / 8) with the y of n = g^(k-1/2) gives a deviation of
C / sqrt(n) probability at most exp(-2 C^2 (1 - (g^(1/4) - 1)^2)) a side. g^(1/4) = 1 + sqrt(0.005) makes the exponent
1.99 C^2, hence 2 S A K exp(-1.99 (scale C_R)^2) in all, a little less than 2 delta at scale 1. On both events every
sweep dominates the Bellman update of the true MDP, so max_s (u_next - u)(s) >= gain [derived as for UCRL2].
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mdps.learners.kl_ucrl import learner as LEARNER
from proofs_check.lemmas.inner_maximum import false_kl_excess, kl_excess
from proofs_check.mutants import kl_ucrl as faults
from proofs_check.papers import _kl_ucrl_probes as own
from proofs_check.papers import _optimistic_probes as shared
from proofs_check.papers import _ucrl2_probes as common
from proofs_check.papers._optimistic_steps import STEPS as SHARED
from theorylab.assume import average_reward, communicating, rewards_in_01
from theorylab.claim import Claim, Context, Control, HighProbability, Instance, Pointwise
from theorylab.probe import Probe

COINS = {"rewards": "bernoulli"}
JAO = {"delta": 0.25, "epsilon": 0.1, "rewards": "bernoulli"}
#: where faults are planted: every action is random, few sweeps are needed, sweeps that do not converge are cut short
THREE = {"S": 3, "A": 2, "b": 2, "seed": 2, **COINS}
SMALL = Instance("garnet", 300, THREE, {"delta": 0.01, "max_sweeps": 200})
#: sets so narrow that they matter after few visits, for what holds at every scale
NARROW = Instance("garnet", 300, THREE, {"scale": 0.2, "max_sweeps": 200})
#: radii so wide that optimistic rewards would pass 1 by more than a step can earn
TRAP = Instance("two-state", 100, {}, {"scale": 3.0, "max_sweeps": 200})
#: enough steps for one plan each to be too many
EVERY = Instance("garnet", 60, THREE, {"scale": 0.2, "max_sweeps": 200})
STEPS = {
    "quick": (
        Instance("riverswim", 5_000, COINS),
        Instance("jao", 10_000, JAO),
        Instance("garnet", 5_000, {"S": 5, "A": 2, "b": 2, "seed": 1, **COINS}),
    ),
    "standard": (
        Instance("riverswim", 50_000, COINS),
        Instance("jao", 100_000, JAO),
        Instance("garnet", 20_000, {"S": 10, "A": 3, "b": 3, "seed": 1, **COINS}),
    ),
}
FINAL = {
    "quick": (Instance("two-state", 50_000, {"slip": 0.1, **COINS}),),
    "standard": (Instance("two-state", 500_000, {"slip": 0.1, **COINS}), Instance("jao", 500_000, JAO)),
}


def shape(c: Context, n: np.ndarray) -> np.ndarray:
    """D S sqrt(A n ln(ln(n) / delta)) after n steps; infinite at n <= 5, which the theorem leaves out."""
    steps = np.asarray(n, dtype=float)
    logs = np.log(np.log(np.maximum(steps, 6.0)) / c.delta)
    return np.where(steps > 5.0, c.diameter * c.S * np.sqrt(c.A * steps * logs), np.inf)


def trivial(c: Context, n: np.ndarray) -> np.ndarray:
    """n times the optimal gain: rewards are not negative."""
    return np.asarray(n, dtype=float) * float(c.gain)


def constants(c: Context) -> tuple[float, float]:
    """C_P and C_R as printed, times the scale; ln T at T = 2 at least, as the learner has it."""
    log_T = math.log(max(2, c.T))
    B = math.log(2.0 * math.e * c.S**2 * c.A * log_T / c.delta)
    C_P = c.S * (B + math.log(B + 1.0 / log_T) * (1.0 + 1.0 / (B + 1.0 / log_T)))
    return c.scale * C_P, c.scale * math.sqrt(math.log(4.0 * c.S * c.A * log_T / c.delta) / 1.99)


def level_p(c: Context) -> float:
    """2 e S^2 A ceil(x ln T) exp(-x), x = scale C_P / S: failure probability of the balls."""
    x = constants(c)[0] / c.S
    return float(min(1.0, 2.0 * math.e * c.S**2 * c.A * math.ceil(x * math.log(max(2, c.T))) * math.exp(-x)))


def level_r(c: Context) -> float:
    """2 S A K exp(-1.99 (scale C_R)^2): failure probability of the reward intervals."""
    slices = math.ceil(math.log(max(2, c.T)) / (4.0 * math.log1p(math.sqrt(0.005))))
    return float(min(1.0, 2.0 * c.S * c.A * slices * math.exp(-1.99 * constants(c)[1] ** 2)))


def level(c: Context) -> float:
    """Failure probability of both."""
    return min(1.0, level_p(c) + level_r(c))


def tables(c: Context) -> dict[str, Any]:
    """What the probes read: the diameter, with room for its certified error, the true kernel, C_P and C_R."""
    C_P, C_R = constants(c)
    return {"D": c.diameter * (1.0 + 1e-9), "P": shared.true_rows(c.model), "C_P": C_P, "C_R": C_R}


CONTROLS = {
    name: Control(name, learner, replicates=4)
    for name, learner in {
        "radii zero": faults.radius_zero,
        "log factors dropped": faults.log_dropped,
        "delta left out": faults.delta_dropped,
        "ln T in place of ln ln T": faults.one_log,
        "square root of the radius": faults.root_radius,
        "visits plus one": faults.one_more,
        "self-loops lost": faults.counts_lost,
        "successor not recorded": faults.successors_lost,
        "reward to the next action": faults.rewards_swapped,
        "unvisited pairs at zero": faults.unvisited_zero,
        "optimistic rewards above 1": faults.uncapped,
        "first estimate kept": faults.stale,
        "divergence reversed": faults.reversed_divergence,
        "unseen best state left out": faults.no_special,
        "mass to the worst state": faults.mass_to_worst,
        "root not refined": faults.first_guess_only,
        "mass of an unseen state lost": faults.mass_lost,
        "policy minimises": faults.policy_minimises,
        "action 0 played": faults.plays_zero,
        "optimistic reward left out": faults.reward_left_out,
        "one sweep": faults.stops_early,
        "trigger at fourfold visits": faults.trigger_late,
        "plan at every step": faults.trigger_always,
    }.items()
}
CONTROLS["plan at every step"] = Control("plan at every step", faults.trigger_always, EVERY, replicates=2)
#: inequality 11 needs rewards of at most 1: D = 1 here
CONTROLS["span above the diameter"] = Control("span above the diameter", faults.uncapped, TRAP, replicates=4)


def _step(
    name: str, text: str, tag: str, kind: Any, value: Any, at: str, tol: float, caught: str, copies: bool = False
) -> Claim:
    return Claim(
        id=f"filippi2010.{name}",
        text=text,
        source_tag=tag,
        learner=LEARNER.name,
        kind=kind,
        quantity=Probe(f"kl-ucrl.{name}", value, at, tol),
        instances=STEPS,
        control_instance=SMALL if isinstance(kind, HighProbability) else NARROW,
        assumes=(average_reward, communicating, rewards_in_01),
        controls=tuple(CONTROLS[c] for c in caught.split("; ")),
        tables=tables,
        monitor=own.monitor,
        copies=copies,
    )


STEP_CLAIMS = [
    _step(
        "radii",
        "At every plan n radius_p = C_P and sqrt(n) radius_r = C_R, with n the environment's visits.",
        "recalled", Pointwise(), own.radii, "plan", 1e-9,
        "log factors dropped; delta left out; ln T in place of ln ln T; square root of the radius; visits plus one",
        copies=True,
    ),
    _step("counts", *SHARED["counts"]),
    _step(
        "sums",
        "Rewards are conserved: the sum kept for a pair is the sum of the rewards that it paid.",
        "derived", Pointwise(), common.sums, "step", 1e-9, "reward to the next action",
    ),
    _step("estimate", *SHARED["estimate"]),
    _step("optimistic-reward", *SHARED["optimistic-reward"]),
    _step("cap", *SHARED["cap"]),
    _step(
        "coverage",
        "Every true row is in its ball, n KL(p_hat, p) <= C_P, at every plan, except with probability "
        "2 e S^2 A ceil(C_P ln T / S) exp(-C_P/S), about delta (far from equality: a union over entries and n).",
        "derived", HighProbability(level_p), own.transitions, "plan", 1e-12, "radii zero; successor not recorded",
    ),
    _step(
        "reward-coverage",
        "Every true mean reward is in its interval at every plan, except with probability 2 S A K exp(-1.99 C_R^2), a "
        "little below 2 delta.",
        "derived", HighProbability(level_r), shared.rewards, "plan", 1e-12, "radii zero; reward to the next action",
    ),
    _step(
        "optimism",
        "The largest change of the last sweep is at least the optimal gain at every plan, on the event of coverage.",
        "derived", HighProbability(level), common.optimism, "plan", 1e-9, "radii zero; unvisited pairs at zero",
    ),
    _step(
        "domination",
        "Wherever the true MDP is plausible, the optimistic Bellman update of u dominates the true one.",
        "derived", Pointwise(), own.domination, "plan", 1e-9,
        "mass to the worst state; unvisited pairs at zero",
    ),
    _step(
        "rows",
        "The optimistic rows of the last sweep are probability vectors.",
        "recalled", Pointwise(), shared.sum_to_one, "plan", 1e-9, "mass of an unseen state lost",
    ),
    _step(
        "on-sphere",
        "The optimistic row q of every visited pair is in its ball, and KL(p_hat, q) = C_P / n unless all its mass is "
        "on the best states.",
        "recalled", Pointwise(), own.on_sphere, "plan", 1e-8,
        "root not refined; unseen best state left out; divergence reversed",
    ),
    _step(
        "attained",
        "The optimistic rows attain the maximum over their balls: their value is the dual bound nu - exp(sum p_hat "
        "ln(nu - u) - C_P/n) at their own multiplier nu.",
        "derived", Pointwise(), own.attained, "plan", 1e-8,
        "mass to the worst state; unseen best state left out; divergence reversed",
    ),
    _step(
        "backup",
        "The last sweep is the optimistic Bellman update: u_next(s) = max_a r~ + tau law u + (1 - tau) u(s).",
        "recalled", Pointwise(), shared.backup, "plan", 1e-8, "optimistic reward left out",
    ),
    _step("greedy", *SHARED["greedy"]),
    _step("played", *SHARED["played"]),
    _step("stopping", *SHARED["stopping"]),
    _step(
        "span",
        "Wherever the true MDP is plausible, tau span(u) <= D (inequality 11 of UCRL2's proof; needs optimistic "
        "rewards of at most 1). Far from equality on these instances: see max_excess.",
        "derived", Pointwise(), own.span, "plan", 1e-9, "span above the diameter",
    ),
    _step(
        "doubling",
        "No pair is played more than max(1, N) times in an episode, N its visits before it.",
        "recalled", Pointwise(), common.doubling, "step", 0.0, "trigger at fourfold visits",
    ),
    _step("episodes", *SHARED["episodes"]),
]  # fmt: skip

claims = [
    Claim(
        id="filippi2010.thm1",
        text="Theorem 1: with probability 1 - delta, for T > 5, regret(T) <= c D S sqrt(A T ln(ln(T)/delta)); the "
        "order is recalled, the constant left open.",
        learner=LEARNER.name,
        kind=HighProbability(lambda c: float(c.delta)),
        quantity="regret",
        constants="unspecified",
        shape=shape,
        trivial=trivial,
        instances=FINAL,
        assumes=(average_reward, communicating, rewards_in_01),
        steps=tuple(c.id for c in STEP_CLAIMS),
    ),
    Claim(
        id="filippi2010.inner-maximum",
        text="The inner maximum over a KL ball: rows sum to one, lie on its sphere unless all mass is on the best "
        "states, and their value is the dual bound at their own multiplier.",
        source_tag="derived",
        learner=LEARNER.name,
        scope="models",
        kind=Pointwise(),
        quantity=kl_excess,
        false_twin=false_kl_excess,
        instances={},
    ),
    *STEP_CLAIMS,
]
