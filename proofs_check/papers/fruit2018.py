"""Fruit, Pirotta, Lazaric, Ortner 2018: SCAL. Average reward, rewards in [0, 1], span(h*) <= c, c given.

    theorem      with probability 1 - delta, regret(T) <= k min{D, c} sqrt(Gamma S A T ln(T/delta)), k hidden
                 [recalled: the order; the logarithm and lower-order terms are less certain]
    operator     T_c u = min(L u, min L u + c / tau), L the optimistic update with restart probability eta = min(1,
                 1/(c t_k)) in state 0 and lazy kernels (tau) [truncation: source, public code; restart: recalled]
    mixture      reward 0 and the least plausible law give a value of at most the threshold [derived]
    optimism     where the true MDP is plausible and c >= span(h*), max_s (u_next - u)(s) >= gain - eta span(h*), for
                 any u with a span of at most c / tau [derived]

Optimism: h = h*/tau has L h >= h + gain - eta span(h*) =: h + g, its span is at most c / tau, so that min L h + c / tau
>= h + g too and T_c h >= h + g. T_c is monotone and adds constants: with k = max(h - u), attained at s, T_c u + k >=
T_c h >= h + g, hence (T_c u)(s) - u(s) >= g. Levels are those of UCRL2B's sets (`fruit2020`): they hold at any time.
Below the true span optimism fails: a control. The action drawn: the sum of (best played) - mix over the n mixed
decisions is a martingale with steps in an interval of length 1, hence below sqrt((n+1)/2 ln(sqrt(n+1)/x)) for all n
except with probability x (Gaussian mixture) [derived].
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from mdps.learners.scal import learner as LEARNER
from proofs_check.mutants import scal as faults
from proofs_check.papers import _scal_probes as own
from proofs_check.papers import fruit2020
from proofs_check.papers._truncated_steps import Steps
from theorylab.assume import average_reward, communicating, rewards_in_01
from theorylab.claim import Claim, Context, Control, HighProbability, Instance, Pointwise

WIDE, COINS, JAO, THREE = fruit2020.WIDE, fruit2020.COINS, fruit2020.JAO, fruit2020.THREE
#: where faults are planted: span(h*) = 0.457; NARROW cuts below it, for what holds at any c
SMALL = Instance("garnet", 400, THREE, {"delta": 0.01, "span": 0.5, "max_sweeps": 200})
NARROW = Instance("garnet", 1000, THREE, {"scale": 0.2, "span": 0.2, "max_sweeps": 200})
EVERY = Instance("garnet", 100, THREE, {"scale": 0.2, "span": 0.2, "max_sweeps": 200})
#: sets so narrow that the restart and the cut decide, span(h*) = 1.67 and c = 0.2: optimism must fail
BELOW = Instance("jao", 1000, JAO, {"delta": 0.01, "span": 0.2})
INSTANCES = {
    "standard": (
        Instance("riverswim", 100_000, COINS, {**WIDE, "span": 6.5}),
        Instance("three-state", 100_000, {"q": 0.01}, {**WIDE, "span": 1.1}),
        Instance("garnet", 50_000, {"S": 10, "A": 3, "b": 3, "seed": 1, **COINS}, {**WIDE, "span": 1.0}),
    ),
}
#: c below span(h*), for what holds at any c: there two actions are mixed, which is rare above it
CUT = (
    Instance("garnet", 20_000, THREE, {**WIDE, "span": 0.2}),
    Instance("jao", 20_000, JAO, {**WIDE, "span": 0.5}),
)
FINAL = {
    "standard": (
        Instance("three-state", 300_000, {"q": 0.01}, {"span": 1.1}),
        Instance("jao", 300_000, JAO, {"span": 1.7}),
    ),
}


def shape(c: Context, n: np.ndarray) -> np.ndarray:
    """The theorem after n steps without its constant."""
    steps = np.asarray(n, dtype=float)
    logs = np.log(np.maximum(steps, 2.0) / c.delta)
    root = np.sqrt(fruit2020.branching(c) * c.S * c.A * steps * logs)
    return np.asarray(min(c.diameter, c.span) * root)


def tables(c: Context) -> dict[str, Any]:
    """Those of UCRL2B, and the span of the optimal bias."""
    return {**fruit2020.tables(c), "sp": float(np.ptp(c.bias))}


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
        "restart left out": faults.restart_left_out,
        "restart to the last state": faults.restart_to_last,
        "restart does not shrink": faults.restart_constant,
        "pessimistic sign": faults.wrong_sign,
        "no truncation": faults.not_truncated,
        "truncated from the top": faults.truncated_from_top,
        "span not divided by tau": faults.span_undivided,
        "best action alone": faults.best_action_alone,
        "weights swapped": faults.mixture_swapped,
        "worst action keeps its reward": faults.reward_kept,
        "worst action with its best law": faults.best_laws,
        "mixture ignored": faults.mixture_ignored,
        "coin read the wrong way": faults.coin_swapped,
        "one coin for all": faults.coin_kept,
        "action 0 played": faults.plays_zero,
        "policy minimises": faults.policy_minimises,
        "one sweep": faults.stops_early,
        "trigger at fourfold visits": faults.trigger_late,
    }.items()
}
CONTROLS["plan at every step"] = Control("plan at every step", faults.trigger_always, EVERY, replicates=2)
CONTROLS["span below the true span"] = Control("span below the true span", LEARNER, BELOW, replicates=8)

steps = Steps(
    "fruit2018", LEARNER.name, instances=INSTANCES, small=SMALL, narrow=NARROW, controls=CONTROLS, tables=tables,
    monitor=own.monitor,
)  # fmt: skip
STEP_CLAIMS = [
    *steps.inherited(attained="mass to the worst state"),  # with values cut to a span, two states may tie at the top
    steps.step(
        "optimism",
        "With c >= span(h*), on the event of coverage: at every plan the largest change of the last sweep is at least "
        "gain - eta span(h*), eta = 1/(c t_k).",
        "derived", HighProbability(fruit2020.level), own.optimism, "plan", 1e-9,
        "radii zero; unvisited pairs at zero; span below the true span",
    ),
    steps.step(
        "domination",
        "Wherever the true MDP is plausible, the raised values dominate its Bellman update of u with the restart.",
        "derived", Pointwise(), own.domination, "plan", 1e-9,
        "mass to the worst state; unvisited pairs at zero; pessimistic sign", more=CUT,
    ),
    steps.step(
        "backup",
        "The last sweep raises u to max_a r~ + tau ((1 - eta) law u + eta u(0)) + (1 - tau) u(s).",
        "recalled", Pointwise(), own.backup, "plan", 1e-8,
        "restart left out; restart to the last state; restart does not shrink", more=CUT,
    ),
    steps.step(
        "truncation",
        "u_next is min(raised, min raised + c / tau).",
        "source", Pointwise(), own.cut, "plan", 1e-12,
        "no truncation; truncated from the top; span not divided by tau", more=CUT,
    ),
    steps.step(
        "span",
        "tau span(u_next) <= c at every plan.",
        "source", Pointwise(), own.span, "plan", 1e-9, "no truncation", more=CUT,
    ),
    steps.step(
        "floor",
        "Where the value was cut, floor is the least value of an action with reward 0: the largest dual bound price + "
        "sum low (u - price)^+ - high (price - u)^+ of its box, least over the actions.",
        "derived", Pointwise(), own.floors, "plan", 1e-9,
        "worst action keeps its reward; worst action with its best law; best action alone", more=CUT,
    ),
    steps.step(
        "mixture-exists",
        "floor <= u_next in every state: the threshold is a mixture of the two values.",
        "derived", Pointwise(), own.exists, "plan", 1e-9, "worst action keeps its reward; best action alone", more=CUT,
    ),
    steps.step(
        "mixture",
        "mix raised + (1 - mix) floor = u_next with mix in [0, 1]: the policy attains the cut value.",
        "source", Pointwise(), own.mixture, "plan", 1e-8,
        "weights swapped; best action alone; worst action keeps its reward", more=CUT,
    ),
    steps.step("greedy", "The best action of every state attains the raised value.",
        "recalled", Pointwise(), own.greedy, "plan", 1e-8, "policy minimises", more=CUT,
    ),
    steps.step(
        "played",
        "The action played is the best one or, where the value was cut, the worst one.",
        "source", Pointwise(), own.played, "step", 0.0, "action 0 played", more=CUT,
    ),
    replace(
        steps.step(
            "law",
            "Over the n decisions between two actions the best one is played as often as mix says, within "
            "sqrt((n+1)/2 ln(20 sqrt(n+1))), except with probability 0.05 (module text; Gaussian mixture).",
            "derived", HighProbability(0.05), own.law, "end", 0.0,
            "mixture ignored; coin read the wrong way; one coin for all", planted=NARROW,
        ),
        instances={"standard": CUT},
    ),
]  # fmt: skip

claims = [
    Claim(
        id="fruit2018.thm",
        text="With probability 1 - delta, for all T > 1, regret(T) <= k min{D, c} sqrt(Gamma S A T ln(T/delta)); the "
        "order is recalled, its constant hidden.",
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
