"""Boone, Zhang 2024: PMEVI-DT. Average reward, weakly communicating, rewards in [0, 1], nothing known of span(h*).

    theorem      with high probability regret(T) = O(sqrt(span(h*) S A T log(S A T))) [source: abstract; one constant
                 and the lower-order terms are not printed there]
    the rest     steps of the learner that `mdps.learners.pmevi_dt` states: its structure is recalled, its constants and
                 the following proofs are derived here

Let g be the optimal gain, h the optimal bias, c0 >= span(h), D(s,a) >= 0 the gap of a pair, and M_t the martingale
difference (r - R_t) + (P h - h(s_{t+1})), in an interval of length 1 + c0. Then R_t - g + M_t + D_t = h(s_t) -
h(s_{t+1}). For two states s, y, sum this over the stretches s -> y and subtract it over those y -> s: with n completed
stretches,

    n (h(s) - h(y)) = n est(s,y) + (mean reward - g) (steps there - steps back) + (sum of +-M) + (sum of +-D).

With Reg = t g - (rewards) and w a bound of both martingales, the three errors are at most |Reg|, w, and sum D = Reg -
sum M + h(s_0) - h(s_t) <= Reg + w + c0, together 2 max(0, Reg) + 2 w + c0. Where every plan so far was optimistic, Reg
is at most owed - rewards: the slack. Levels:

    bias      w = (1 + c0) sqrt(t x / 2), x = ln(2 S^2 t_k^2 / delta): Azuma with its maximum over time, S (S-1)/2 + 1
              martingales, two sides, all t_k: delta pi^2 / 12, beside the level of optimism before
    bonus     empirical Bernstein for the fixed vector h of range c0, as the boxes': 3 S A sum_n (delta/(6SAn))^2
    total     both and the sets; by induction over plans, on that event h is in every region, every bonus covers (P -
              p_hat) h, and max (u_next - u) >= g: h / tau is a point with (projected, mitigated update) >= it + g

For one state there is no pair. Nothing here shows convergence of the sweeps: a plan that
needs more than `max_sweeps` fails.
"""

from __future__ import annotations

import numpy as np

from mdps.learners.pmevi_dt import learner as LEARNER
from proofs_check.mutants import pmevi_dt as faults
from proofs_check.papers import _optimistic_probes as shared
from proofs_check.papers import _pmevi_probes as own
from proofs_check.papers import _ucrl2_probes as common
from proofs_check.papers import fruit2020
from proofs_check.papers._truncated_steps import Steps
from theorylab.assume import average_reward, communicating, rewards_in_01
from theorylab.claim import Claim, Context, Control, HighProbability, Instance, Pointwise

WIDE, COINS, JAO, THREE = fruit2020.WIDE, fruit2020.COINS, fruit2020.JAO, fruit2020.THREE
SMALL = Instance("garnet", 400, THREE, {"delta": 0.01, "max_sweeps": 200})
#: sets and widths so narrow that bias region and bonus matter after few visits
NARROW = Instance(
    "garnet", 1000, {"S": 4, "A": 2, "b": 4, "seed": 1, **COINS}, {"scale": 0.02, "span": 0.5, "max_sweeps": 200}
)
#: two states: estimates of a difference cannot contradict each other
PAIR = Instance("jao", 1000, JAO, {"delta": 0.01, "max_sweeps": 200})
EVERY = Instance("garnet", 100, THREE, {"scale": 0.2, "max_sweeps": 200})
INSTANCES = {
    "standard": (
        Instance("jao", 100_000, JAO, WIDE),
        Instance("three-state", 100_000, {"q": 0.01}, {**WIDE, "span": 1.1}),
        Instance("garnet", 50_000, {"S": 5, "A": 2, "b": 2, "seed": 1, **COINS}, WIDE),
    ),
}
FINAL = {
    "standard": (
        Instance("three-state", 300_000, {"q": 0.01}, {}),
        Instance("jao", 300_000, JAO, {}),
    ),
}


def shape(c: Context, n: np.ndarray) -> np.ndarray:
    """The theorem after n steps without its constant."""
    steps = np.asarray(n, dtype=float)
    pairs = float(c.S * c.A)
    return np.asarray(np.sqrt(np.ptp(c.bias) * pairs * steps * np.log(pairs * np.maximum(steps, 2.0))))


def total(c: Context) -> float:
    """Failure probability of the sets, of the bonus and of the bias region together."""
    cells = float(c.S * c.A) * (c.S + 2.0)
    return float(min(1.0, fruit2020.failure(c, cells) + c.delta * np.pi**2 / 12.0))


CONTROLS = {
    name: Control(name, learner, replicates=4)
    for name, learner in {
        "radii zero": faults.radius_zero,
        "log factor dropped": faults.log_dropped,
        "delta left out": faults.delta_dropped,
        "time in the logarithm": faults.time_in_log,
        "variance of the reward": faults.reward_variance,
        "variance left out": faults.no_variance,
        "visits plus one": faults.one_more,
        "self-loops lost": faults.counts_lost,
        "successor not recorded": faults.successors_lost,
        "squares not summed": faults.squares_lost,
        "reward to the next action": faults.rewards_swapped,
        "unvisited pairs at zero": faults.unvisited_zero,
        "optimistic rewards above 1": faults.uncapped,
        "first estimate kept": faults.stale,
        "mass to the worst state": faults.mass_to_worst,
        "only the best state filled": faults.mass_lost,
        "free mass past the upper end": faults.overfull,
        "pessimistic sign": faults.wrong_sign,
        "stretches booked backwards": faults.stretches_swapped,
        "stretches from the start": faults.stretches_from_start,
        "nothing owed": faults.nothing_owed,
        "no width of the bias": faults.noise_zero,
        "log factor of the bias dropped": faults.noise_log_dropped,
        "delta of the bias left out": faults.noise_delta_dropped,
        "range of the rewards alone": faults.noise_of_rewards,
        "estimate negated": faults.estimate_negated,
        "gain not subtracted": faults.gain_not_subtracted,
        "no slack": faults.slack_zero,
        "regret left out": faults.regret_left_out,
        "span forgotten": faults.span_forgotten,
        "bounds not closed": faults.not_closed,
        "bonus zero": faults.bonus_zero,
        "variance of the span": faults.variance_largest,
        "no mitigation": faults.no_mitigation,
        "no projection": faults.no_projection,
        "bounds not divided by tau": faults.limits_undivided,
        "bounds transposed": faults.limits_transposed,
        "projected to a constant": faults.projected_flat,
        "action 0 played": faults.plays_zero,
        "policy minimises": faults.policy_minimises,
        "one sweep": faults.stops_early,
        "trigger at fourfold visits": faults.trigger_late,
    }.items()
}
CONTROLS["plan at every step"] = Control("plan at every step", faults.trigger_always, EVERY, replicates=2)

steps = Steps(
    "boone2024", LEARNER.name, instances=INSTANCES, small=SMALL, narrow=NARROW, controls=CONTROLS,
    tables=fruit2020.tables, monitor=own.monitor,
)  # fmt: skip
STEP_CLAIMS = [
    *steps.inherited(),
    steps.step(
        "stretches",
        "Completed stretches from a state to another, their steps and rewards, are those of the trajectory: a tally of "
        "the steps after which the first state is the one of the two visited last.",
        "derived", Pointwise(), own.stretches, "step", 1e-8,
        "stretches booked backwards; stretches from the start",
    ),
    steps.step(
        "accounts",
        "paid is the sum of the rewards, owed that of the optimistic gains under which the steps were made.",
        "derived", Pointwise(), own.accounts, "step", 1e-8, "nothing owed",
    ),
    steps.step(
        "estimate-error",
        "n |h*(s) - h*(y) - est| is at most |regret| + |signed noise of the stretches| + sum of the gaps, all as they "
        "were in the run: no probability is needed.",
        "derived", Pointwise(), own.estimate_error, "plan", 1e-6, "estimate negated; gain not subtracted",
    ),
    steps.step(
        "bias-widths",
        "Every bound is the printed one of its pair, min(c0, est + slack / n), or a sum of two other bounds.",
        "derived", Pointwise(), own.reached, "plan", 1e-8,
        "no width of the bias; log factor of the bias dropped; delta of the bias left out; range of the rewards alone; "
        "regret left out",
        copies=True,
    ),
    steps.step(
        "closed",
        "The bounds of bias differences are at most c0, zero on the diagonal, and satisfy the triangle inequality.",
        "recalled", Pointwise(), own.closed, "plan", 1e-9, "bounds not closed; span forgotten",
    ),
    steps.step(
        "bias-region",
        "With c0 >= span(h*), every difference of the optimal bias is below its bound at every plan, except with "
        "probability 3 S A (S + 2) sum_n (delta/(6SAn))^2 + delta pi^2/12.",
        "derived", HighProbability(total), own.bias_region, "plan", 1e-9, "no slack", planted=PAIR,
    ),
    steps.step(
        "consistent",
        "The bounds of bias differences never contradict each other, except with the same probability.",
        "derived", HighProbability(total), own.consistent, "plan", 0.0, "no slack",
    ),
    steps.step(
        "bonus",
        "The bonus is c0 times UCRL2B's half-width for the variance min(c0^2/4, half the mean of the squared bounds) / "
        "c0^2.",
        "derived", Pointwise(), own.bonuses, "plan", 1e-9, "bonus zero; variance of the span", copies=True,
    ),
    steps.step(
        "mitigation",
        "With c0 >= span(h*), (P - p_hat) h* is at most the bonus of each visited pair at every plan, except with the "
        "same probability.",
        "derived", HighProbability(total), own.mitigation, "plan", 1e-9, "bonus zero",
    ),
    steps.step(
        "optimism",
        "With c0 >= span(h*), the largest change of the last sweep is at least the optimal gain at every plan, except "
        "with the same probability.",
        "derived", HighProbability(total), common.optimism, "plan", 1e-9, "radii zero; unvisited pairs at zero",
    ),
    steps.step(
        "backup",
        "The last sweep raises u to max_a r~ + tau min(law u, p_hat u + bonus/tau) + (1 - tau) u(s).",
        "recalled", Pointwise(), own.backup, "plan", 1e-8, "no mitigation; pessimistic sign",
    ),
    steps.step(
        "in-region",
        "u_next is below raised and, times tau, in the bias region.",
        "recalled", Pointwise(), own.in_region, "plan", 1e-8,
        "no projection; bounds transposed",
    ),
    steps.step(
        "greatest",
        "u_next is the greatest such vector: each entry is at raised or at its bound from another one.",
        "recalled", Pointwise(), own.greatest, "plan", 1e-8, "projected to a constant; bounds not divided by tau",
    ),
    steps.step(
        "idempotent",
        "The projection leaves u_next where it is.",
        "derived", Pointwise(), own.idempotent, "plan", 1e-8, "no projection; bounds not closed",
    ),
    steps.step(
        "greedy", "The planned action of every state attains the raised value.",
        "recalled", Pointwise(), own.greedy, "plan", 1e-8, "policy minimises",
    ),
    steps.step(
        "played", "The action played is the planned one.",
        "recalled", Pointwise(), shared.played, "step", 0.0, "action 0 played",
    ),
]  # fmt: skip

claims = [
    Claim(
        id="boone2024.thm",
        text="With probability 1 - delta, for all T > 1, regret(T) <= k sqrt(span(h*) S A T ln(S A T)); the order is "
        "the abstract's, its constant and lower-order terms are left out there.",
        source_tag="source",
        learner=LEARNER.name,
        kind=HighProbability(lambda c: float(c.delta)),
        quantity="regret",
        constants="unspecified",
        shape=shape,
        trivial=fruit2020.trivial,
        instances=FINAL,
        assumes=(average_reward, communicating, rewards_in_01),
        steps=tuple(c.id for c in STEP_CLAIMS),
    ),
    *STEP_CLAIMS,
]
