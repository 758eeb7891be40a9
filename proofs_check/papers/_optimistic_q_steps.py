"""The claims of wei2020 about optimistic Q-learning; see the text of that module."""

from __future__ import annotations

from typing import Any

import numpy as np

from mdps.learners.optimistic_q import learner as LEARNER
from proofs_check.mutants import optimistic_q as faults
from proofs_check.papers import _optimistic_q_probes as probes
from theorylab.assume import average_reward, communicating, rewards_in_01
from theorylab.claim import Claim, Context, Control, HighProbability, Instance, Pointwise
from theorylab.probe import Probe

#: a bonus small enough to move the values, and large enough that its level can be tested
STEPS = {
    "standard": (
        Instance("jump-riverswim", 20_000, {}, {"span": 3.22, "scale": 0.1, "gamma": 0.8}),
        Instance(
            "two-state", 5_000, {"slip": 0.1, "rewards": "bernoulli"}, {"span": 1.0, "scale": 0.45, "gamma": 0.75}
        ),
        Instance("garnet", 10_000, {"S": 5, "A": 2, "b": 2, "seed": 1}, {"span": 1.97, "scale": 0.21, "form": 1}),
    )
}
FINAL = {
    "standard": (
        Instance("jump-riverswim", 100_000, {}, {"span": 3.22}),
        Instance("jump-riverswim", 100_000, {}, {"span": 3.22, "scale": 0.01}),
        Instance("two-state", 100_000, {"slip": 0.1, "rewards": "bernoulli"}, {"span": 1.0}),
    )
}
#: where faults are planted: the bonus soon falls below what the start leaves, so that values move
SMALL = Instance("garnet", 400, {"S": 3, "A": 2, "b": 2, "seed": 2}, {"span": 0.46, "scale": 0.3, "gamma": 0.75})
#: gain 1: the start is attained
SURE = Instance("two-state", 20, {}, {"span": 1.0, "gamma": 0.8})


def shape(c: Context, n: np.ndarray) -> np.ndarray:
    """sp (S A)^{1/3} n^{2/3}: the order of theorem 1 without constant and logarithm; sp the bound that is given."""
    steps = np.asarray(n, dtype=float)
    return np.asarray(float(c.span) * np.cbrt(float(c.S) * c.A) * np.cbrt(steps) ** 2)


def trivial(c: Context, n: np.ndarray) -> np.ndarray:
    """n times the optimal gain: rewards are not negative."""
    return np.asarray(n, dtype=float) * float(c.gain)


def one_sided(c: Context) -> float:
    """Failure probability of optimism."""
    return probes.union(c, 1.0)


def two_sided(c: Context) -> float:
    """Failure probability of the event of concentration."""
    return probes.union(c, 2.0)


CONTROLS = {
    name: Control(name, learner, replicates=4)
    for name, learner in {
        "bonus zero": faults.bonus_zero,
        "log factor dropped": faults.log_dropped,
        "delta left out": faults.delta_dropped,
        "T left out": faults.length_dropped,
        "bonus 1/n": faults.bonus_one_over_n,
        "rate 1/n": faults.rate_one_over_n,
        "rate one visit behind": faults.count_off_by_one,
        "backup of the same state": faults.backup_same_state,
        "undiscounted": faults.undiscounted,
        "counts lost": faults.counts_lost,
        "no running minimum": faults.minimum_left_out,
        "max for min": faults.max_for_min,
        "value not updated": faults.value_stale,
        "value of the action played": faults.value_of_played,
        "unvisited at zero": faults.unvisited_zero,
        "argmin": faults.argmin,
    }.items()
}
CONTROLS["bonus tenfold"] = Control(
    "bonus tenfold",
    faults.bonus_tenfold,
    Instance("garnet", 400, SMALL.model, {"span": 0.46, "scale": 0.17, "gamma": 0.5}),
    replicates=4,
)
CONTROLS["H one less"] = Control("H one less", faults.horizon_one_less, SURE, replicates=4)
#: a broken assumption: rewards far outside [0, 1]
CONTROLS["rewards of sd 50"] = Control(
    "rewards of sd 50",
    LEARNER,
    Instance("garnet", 200, {**SMALL.model, "noise": 50.0}, {"span": 1.0, "gamma": 0.75}),
    replicates=4,
)


def _step(
    name: str, text: str, tag: str, kind: Any, value: Any, tol: float, caught: str, *, copies: bool = False
) -> Claim:
    return Claim(
        id=f"wei2020.q-{name}",
        text=text,
        source_tag=tag,
        learner=LEARNER.name,
        kind=kind,
        quantity=Probe(f"optimistic-q.{name}", value, tol=tol),
        instances=STEPS,
        control_instance=SMALL,
        assumes=(average_reward, communicating, rewards_in_01),
        controls=tuple(CONTROLS[x] for x in caught.split("; ")),
        tables=probes.tables,
        monitor=probes.monitor,
        copies=copies,
    )


STEP_CLAIMS = [
    _step(
        "counts", "Visits are conserved: N(s,a) equals the number of visits the environment has served.",
        "derived", Pointwise(), probes.counts, 0.0, "counts lost",
    ),
    _step(
        "bonus", "Every bonus equals 4 scale sp sqrt((H/n) ln(2T/delta)) at its visit n [recalled].",
        "recalled", Pointwise(), probes.bonus, 1e-9,
        "bonus zero; log factor dropped; delta left out; T left out; bonus 1/n", copies=True,
    ),
    _step(
        "update", "Every update equals (1 - a_n) Q + a_n (r + gamma Vhat(s') + b_n), a_n = (H+1)/(H+n) [source: code].",
        "source", Pointwise(), probes.update, 1e-8,
        "rate 1/n; rate one visit behind; backup of the same state; undiscounted", copies=True,
    ),
    _step(
        "minimum", "Qhat after an update is the smaller of Qhat before it and of Q [source: code].",
        "source", Pointwise(), probes.minimum, 1e-12, "max for min; no running minimum", copies=True,
    ),
    _step(
        "value", "Vhat(s) = max_a Qhat(s,a) in every state at every step [source: code].",
        "source", Pointwise(), probes.value, 0.0, "value not updated; value of the action played",
    ),
    _step(
        "monotone", "Qhat never rises.",
        "derived", Pointwise(), probes.monotone, 0.0, "max for min; no running minimum",
    ),
    _step(
        "cap", "Qhat and Vhat are at most H, at every pair and step: they start there.",
        "derived", Pointwise(), probes.cap, 0.0, "max for min; no running minimum",
    ),
    _step(
        "greedy", "The action played maximises Qhat(s,.) as it stood [source: code].",
        "source", Pointwise(), probes.greedy, 0.0, "argmin",
    ),
    _step(
        "concentration",
        "|sum_i a_n^i (r_i + gamma V*(s_i') - Q*(s,a))| <= b_n at every visit, values discounted by gamma, except with "
        "probability 2SAT (delta/2T)^(16 scale^2 sp^2/D^2), D >= sp(r + gamma V*) (Azuma; the paper's b_n allows D = "
        "2 sp).",
        "derived", HighProbability(two_sided), probes.concentration, 1e-8, "rewards of sd 50",
    ),
    _step(
        "optimism",
        "Qhat >= Q* of the problem discounted by gamma, at every pair and step, except with probability SAT "
        "(delta/2T)^(16 scale^2 sp^2/D^2) (lemma 3 [recalled]; the level is derived).",
        "recalled", HighProbability(one_sided), probes.optimism, 1e-8, "bonus zero; unvisited at zero; H one less",
    ),
    _step(
        "value-optimism",
        "Vhat >= V* of the problem discounted by gamma, in every state at every step, on the same event.",
        "recalled", HighProbability(one_sided), probes.value_optimism, 1e-8,
        "bonus zero; unvisited at zero; H one less",
    ),
    _step(
        "decomposition",
        "Q - Q* = sum_i a_n^i (gamma (Vhat - V*)(s_i') + noise_i + b_i) at every update: weights sum to one.",
        "derived", Pointwise(), probes.decomposition, 1e-7,
        "rate 1/n; rate one visit behind; backup of the same state; undiscounted; bonus zero",
    ),
    _step(
        "recursion",
        "Qhat - Q* <= sum_i a_n^i gamma (Vhat - V*)(s_i') + 3 b_n at every update, on the event of concentration "
        "(lemma "
        "3 [recalled]: 12 sp sqrt((H/n) ln(2T/delta)) at scale 1).",
        "recalled", HighProbability(two_sided), probes.recursion, 1e-8, "bonus tenfold",
    ),
]  # fmt: skip

CLAIMS = [
    Claim(
        id="wei2020.thm1",
        text="Theorem 1: with high probability the regret of optimistic Q-learning is O~(sp (S A)^{1/3} T^{2/3}) in "
        "weakly "
        "communicating MDPs; constant and logarithms are hidden. The constant measured is that without logarithms.",
        source_tag="recalled",
        learner=LEARNER.name,
        kind=HighProbability(lambda c: float(c.delta)),
        quantity="regret",
        constants="unspecified",
        shape=shape,
        trivial=trivial,
        instances=FINAL,
        assumes=(average_reward, communicating, rewards_in_01),
        steps=(*(c.id for c in STEP_CLAIMS), "wei2020.discounted", "wei2020.rates"),
    ),
    *STEP_CLAIMS,
]
