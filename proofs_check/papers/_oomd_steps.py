"""The claims of wei2020 about MDP-OOMD; see the text of that module."""

from __future__ import annotations

from typing import Any

import numpy as np

from mdps.learners.mdp_oomd import learner as LEARNER
from proofs_check.mutants import mdp_oomd as faults
from proofs_check.papers import _oomd_probes as probes
from theorylab.assume import average_reward, rewards_in_01
from theorylab.claim import Claim, Context, Control, HighProbability, Instance, Pointwise
from theorylab.probe import Probe

COINS = {"slip": 0.1, "rewards": "bernoulli"}
STEPS = {
    "standard": (
        Instance("jump-riverswim", 6_000, {}, {"N": 10, "B": 30}),
        Instance("two-state", 6_000, COINS, {"N": 4, "B": 600, "eta": 0.05, "spacing": 8}),
        Instance("two-state", 20_000, COINS, {"t_mix": 0.05, "t_hit": 1.0, "eta": 0.02}),
        Instance("garnet", 6_000, {"S": 4, "A": 3, "b": 4, "seed": 1}, {"N": 6, "B": 500, "eta": 0.02}),
    )
}
#: mixing and hitting times of all policies, computed: 86 and 600; 4 and 10
FINAL = {
    "standard": (
        Instance("jump-riverswim", 100_000, {}, {"t_mix": 86.0, "t_hit": 600.0}),
        Instance("jump-riverswim", 100_000, {}, {"t_mix": 86.0, "t_hit": 600.0, "N": 10, "B": 30}),
        Instance("two-state", 100_000, COINS, {"t_mix": 4.0, "t_hit": 10.0}),
    )
}
#: where faults are planted: one action more than two, returns that differ, several blocks
SMALL = Instance(
    "garnet", 300, {"S": 3, "A": 3, "b": 3, "seed": 2, "rewards": "bernoulli"}, {"N": 3, "B": 50, "eta": 0.5}
)


def shape(c: Context, n: np.ndarray) -> np.ndarray:
    """sqrt(t_mix^3 t_hit A n): the order of the theorem with rho at its bound t_hit, no constant and no logarithm."""
    return np.asarray(np.sqrt(float(c.t_mix) ** 3 * c.t_hit * c.A * np.asarray(n, dtype=float)))


def trivial(c: Context, n: np.ndarray) -> np.ndarray:
    """n times the optimal gain: rewards are not negative."""
    return np.asarray(n, dtype=float) * float(c.gain)


def _control(name: str, learner: Any, instance: Instance | None = None) -> Control:
    return Control(name, learner, instance, replicates=4)


SPACED = Instance("garnet", 300, SMALL.model, {"N": 2, "B": 50, "eta": 0.5, "spacing": 4})
#: enough visits that a mean of the wrong thing lies outside its width
LONG = Instance("two-state", 1_501, {"slip": 0.1}, {"N": 2, "B": 1_500, "spacing": 2})
#: log2 of 256 is 8, the natural logarithm 5.5
DEFAULTS = Instance("two-state", 256, COINS, {"t_mix": 0.1, "t_hit": 0.1, "eta": 0.1})
CONTROLS = {
    k.name: k
    for k in (
        _control("weight of pi'", faults.weight_of_prime),
        _control("return misses its last reward", faults.return_short, LONG),
        _control("state of today", faults.state_of_today, LONG),
        _control("visits without reward lost", faults.visits_lost, LONG),
        _control("spacing ignored", faults.spacing_ignored, SPACED),
        _control("visit at B - N used", faults.tail_used),
        _control("updated twice a block", faults.update_twice),
        _control("block one step longer", faults.block_long),
        _control("no second step", faults.second_step_dropped),
        _control("sign wrong", faults.sign_wrong),
        _control("exponential weights", faults.exponential_weights),
        _control("sum divided out", faults.sum_divided_out),
        _control("lambda not solved for", faults.lambda_unsolved),
        _control("pi' from pi", faults.one_policy),
        _control("sum for mean", faults.sum_for_mean),
        _control("blocks mixed", faults.blocks_mixed),
        _control("plays the likeliest", faults.plays_likeliest),
        _control("one draw for all", faults.draw_reused),
        _control("natural logarithm", faults.natural_logarithm, DEFAULTS),
        _control("importance weight dropped", faults.weight_dropped, LONG),
    )
}


def _step(
    name: str,
    text: str,
    tag: str,
    value: Any,
    at: str,
    tol: float,
    caught: str,
    *,
    kind: Any = None,
    copies: bool = False,
) -> Claim:
    return Claim(
        id=f"wei2020.oomd-{name}",
        text=text,
        source_tag=tag,
        learner=LEARNER.name,
        kind=kind or Pointwise(),
        quantity=Probe(f"mdp-oomd.{name}", value, at, tol),
        instances=STEPS,
        control_instance=SMALL,
        assumes=(average_reward, rewards_in_01, probes.ergodic),
        controls=tuple(CONTROLS[x] for x in caught.split("; ")),
        tables=probes.tables,
        monitor=probes.monitor,
        copies=copies,
    )


STEP_CLAIMS = [
    _step(
        "blocks", "A policy is played for a block of exactly B steps, and replaced only there.",
        "source", probes.blocks, "step", 0.0, "updated twice a block; block one step longer",
    ),
    _step(
        "defaults", "N = ceil(4 t_mix log2 T) and B = ceil(16 N t_hit log2 T) where they are not given [recalled].",
        "recalled", probes.defaults, "end", 0.0, "natural logarithm", copies=True,
    ),
    _step(
        "sampling",
        "Actions are drawn from pi: |sum_t (1{a_t = 0} - pi(0|s_t))| <= sqrt((T/2) ln(2/0.05)) at every step, except "
        "with "
        "probability 0.05 (Azuma, maximal form).",
        "derived", probes.sampling, "step", 1e-9, "plays the likeliest; one draw for all",
        kind=HighProbability(probes.LEVEL),
    ),
    _step(
        "distribution", "pi and pi' are distributions with positive entries: lambda makes the sum one, by itself.",
        "source", probes.distribution, "plan", 1e-9, "lambda not solved for",
    ),
    _step(
        "floor",
        "1/pi' rises by at most eta (max beta - min beta) in a step, and 1/pi lies no further above 1/pi': lambda is "
        "at "
        "most eta max beta. So no action dies faster than 1/k in k blocks.",
        "derived", probes.floor, "plan", 1e-6, "exponential weights",
    ),
    _step(
        "stationarity",
        "Both steps are maximisers of eta <x, beta> minus the log-barrier's divergence from the old pi': 1/x - "
        "1/pi'_old + "
        "eta beta does not depend on the action.",
        "recalled", probes.stationarity, "plan", 1e-6,
        "no second step; sign wrong; exponential weights; sum divided out; pi' from pi",
    ),
    _step(
        "estimator",
        "beta is the mean of 1{a_j = a} R_j / pi(a|s) over the visits of s before B - N that are `spacing` apart.",
        "source", probes.estimator, "plan", 1e-8,
        "weight of pi'; return misses its last reward; state of today; visits without reward lost; spacing ignored; "
        "visit "
        "at B - N used; sum for mean; blocks mixed",
        copies=True,
    ),
    _step(
        "concentration",
        "beta is right in the mean for the expected reward of N steps q_N under the block's policy, whose distance "
        "from N g "
        "+ q is that of wei2020.truncation: m |beta - q_N| <= (N/pi) sqrt(g m L/2) at every block and pair, m "
        "visits, g = "
        "ceil(N/spacing), L = ln(2 S A (T/B) (B/spacing + g)/0.05), except with probability 0.05 (Azuma for each "
        "class of "
        "visits with disjoint returns).",
        "derived", probes.concentration, "plan", 1e-6,
        "importance weight dropped; return misses its last reward; visits without reward lost; state of today",
        kind=HighProbability(probes.LEVEL),
    ),
]  # fmt: skip

CLAIMS = [
    Claim(
        id="wei2020.oomd-regret",
        text="With high probability the regret of MDP-OOMD is O~(sqrt(t_mix^3 rho A T)) in ergodic MDPs [recalled; a "
        "list "
        "prints it without the cube]; constant and logarithms are hidden. The constant measured is that of "
        "sqrt(t_mix^3 "
        "t_hit A T), since rho <= t_hit. There is no optimism, and no confidence set.",
        source_tag="recalled",
        learner=LEARNER.name,
        kind=HighProbability(probes.LEVEL),
        quantity="regret",
        constants="unspecified",
        shape=shape,
        trivial=trivial,
        instances=FINAL,
        assumes=(average_reward, rewards_in_01, probes.ergodic),
        steps=(*(c.id for c in STEP_CLAIMS), "wei2020.regret-decomposition", "wei2020.truncation"),
    ),
    *STEP_CLAIMS,
]
