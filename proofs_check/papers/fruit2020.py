"""Fruit, Pirotta, Lazaric 2020 (a note): UCRL2B. Average reward, communicating MDPs of diameter D, rewards in [0, 1].

    theorem 1    with probability 1 - delta, for any initial state and all T > 1,
                 regret(T) <= c (sqrt(D Gamma S A T ln(T/delta) ln T) + D^2 S^2 A ln(T/delta) ln T), c hidden
                 [recalled: the two terms; the logarithms are less certain]

Gamma is the largest number of possible successors. Coverage [derived from recalled]: for n draws in [0, 1] with
empirical variance v (divisor n), Audibert, Munos and Szepesvari (2009) have |mean - mu| <= sqrt(2 v x / n) + 3 x / n
except with probability 3 exp(-x) [recalled]. The half-width scale (2 sqrt(v alpha l / n) + 6 alpha l / n) is at least
that for x = m l with m = 2 alpha min(scale^2, scale), so with m = 2 at theory's scale the union over n <= T and over c
cells fails with probability at most

    3 c sum_{n <= T} (delta / (6 S A n))^m,        c = S^2 A entries of the kernel, S A mean rewards;

at scale 1 that is below delta^2 pi^2 / (72 A) and delta^2 pi^2 / (72 S A). For form 1 the same with m = alpha
min(7 scale^2, 49 scale / 9) and 2 S A n in place of 6 S A n, since t_k > n. On that event every sweep dominates the
(mixed) Bellman update of the true MDP, so max_s (u_next - u)(s) >= gain [derived as for UCRL2].
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mdps.learners.ucrl2b import learner as LEARNER
from proofs_check.lemmas.inner_maximum import box_excess, false_box_excess
from proofs_check.mutants import ucrl2b as faults
from proofs_check.papers import _optimistic_probes as shared
from proofs_check.papers import _ucrl2_probes as common
from proofs_check.papers import _ucrl2b_probes as own
from proofs_check.papers._optimistic_steps import STEPS as SHARED
from theorylab.assume import average_reward, communicating, rewards_in_01
from theorylab.claim import Claim, Context, Control, HighProbability, Instance, Pointwise
from theorylab.probe import Probe

#: a failure probability that a few hundred runs can test
WIDE = {"delta": 0.9}
#: form 1 at a scale where its level can be tested too
OLDER = {"delta": 0.9, "form": 1, "scale": 0.6}
COINS = {"rewards": "bernoulli"}
JAO = {"delta": 0.25, "epsilon": 0.1, "rewards": "bernoulli"}
#: where faults are planted: every action is random, few sweeps are needed, sweeps that do not converge are cut short
THREE = {"S": 3, "A": 2, "b": 2, "seed": 2, **COINS}
SMALL = Instance("garnet", 400, THREE, {"delta": 0.01, "max_sweeps": 200})
#: sets so narrow that they matter after few visits, for what holds at every scale
NARROW = Instance("garnet", 1000, THREE, {"scale": 0.2, "max_sweeps": 200})
STEPS = {
    "quick": (
        Instance("riverswim", 5_000, COINS, WIDE),
        Instance("jao", 10_000, JAO, OLDER),
        Instance("garnet", 5_000, {"S": 5, "A": 2, "b": 2, "seed": 1, **COINS}, WIDE),
    ),
    "standard": (
        Instance("riverswim", 100_000, COINS, WIDE),
        Instance("jao", 100_000, JAO, OLDER),
        Instance("garnet", 50_000, {"S": 10, "A": 3, "b": 3, "seed": 1, **COINS}, WIDE),
    ),
}
FINAL = {
    "quick": (Instance("two-state", 100_000, {"slip": 0.1, **COINS}),),
    "standard": (Instance("two-state", 1_000_000, {"slip": 0.1, **COINS}), Instance("jao", 300_000, JAO)),
}


#: enough steps for one plan each to be too many
EVERY = Instance("garnet", 100, THREE, {"scale": 0.2, "max_sweeps": 200})


def branching(c: Context) -> int:
    """Gamma: the largest number of possible successors of a pair."""
    P = c.model.P
    return int(np.diff(P.indptr).max() if c.model.sparse else np.count_nonzero(P, axis=-1).max())


def shape(c: Context, n: np.ndarray) -> np.ndarray:
    """Theorem 1 after n steps without its constant; infinite at n <= 1, which the theorem leaves out."""
    steps = np.asarray(n, dtype=float)
    safe = np.maximum(steps, 2.0)
    logs = np.log(safe / c.delta) * np.log(safe)
    first = np.sqrt(c.diameter * branching(c) * c.S * c.A * steps * logs)
    return np.where(steps > 1.0, first + c.diameter**2 * c.S**2 * c.A * logs, np.inf)


def trivial(c: Context, n: np.ndarray) -> np.ndarray:
    """n times the optimal gain: rewards are not negative."""
    return np.asarray(n, dtype=float) * float(c.gain)


def failure(c: Context, cells: float) -> float:
    """3 cells sum_{n <= T} (delta / (k S A n))^m of the module's text, at most 1."""
    pairs = float(c.S * c.A)
    n = np.arange(1.0, c.T + 1.0)
    if c.form == 1:
        power, base = c.alpha * min(7.0 * c.scale**2, 49.0 * c.scale / 9.0), c.delta / (2.0 * pairs * n)
    else:
        power, base = 2.0 * c.alpha * min(c.scale**2, c.scale), c.delta / (6.0 * pairs * n)
    return float(min(1.0, 3.0 * cells * np.sum(base**power)))


def level_p(c: Context) -> float:
    """Failure probability of the boxes."""
    return failure(c, float(c.S) ** 2 * c.A)


def level_r(c: Context) -> float:
    """Failure probability of the reward intervals."""
    return failure(c, float(c.S) * c.A)


def level(c: Context) -> float:
    """Failure probability of both."""
    return failure(c, float(c.S) * c.A * (c.S + 1.0))


def tables(c: Context) -> dict[str, Any]:
    """What the probes read: the diameter, with room for its certified error, and the true kernel."""
    return {"D": c.diameter * (1.0 + 1e-9), "P": shared.true_rows(c.model)}


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
        "policy minimises": faults.policy_minimises,
        "action 0 played": faults.plays_zero,
        "mixed with the best state": faults.mixed_wrongly,
        "one sweep": faults.stops_early,
        "trigger at fourfold visits": faults.trigger_late,
    }.items()
}
CONTROLS["plan at every step"] = Control("plan at every step", faults.trigger_always, EVERY, replicates=2)


def _step(
    name: str, text: str, tag: str, kind: Any, value: Any, at: str, tol: float, caught: str, copies: bool = False
) -> Claim:
    return Claim(
        id=f"fruit2020.{name}",
        text=text,
        source_tag=tag,
        learner=LEARNER.name,
        kind=kind,
        quantity=Probe(f"ucrl2b.{name}", value, at, tol),
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
        "At every plan each end of a box and each reward radius is the printed formula of the empirical law and "
        "variance: 2 sqrt(v l/n) + 6 l/n with l = ln(6SAn/delta), or the older form.",
        "source", Pointwise(), own.radii, "plan", 1e-9,
        "log factor dropped; delta left out; time in the logarithm; variance of the reward; variance left out; "
        "visits plus one",
        copies=True,
    ),
    _step("counts", *SHARED["counts"]),
    _step(
        "sums",
        "Rewards are conserved: the sums kept for a pair are those of the rewards that it paid and of their squares.",
        "derived", Pointwise(), own.sums, "step", 1e-9, "reward to the next action; squares not summed",
    ),
    _step("estimate", *SHARED["estimate"]),
    _step("optimistic-reward", *SHARED["optimistic-reward"]),
    _step("cap", *SHARED["cap"]),
    _step(
        "coverage",
        "Every entry of the true kernel is in its interval at every plan, except with probability "
        "3 S^2 A sum_n (delta/(6SAn))^2 (module text; far from equality: empirical Bernstein and a union over n).",
        "derived", HighProbability(level_p), own.transitions, "plan", 1e-12, "radii zero; successor not recorded",
    ),
    _step(
        "reward-coverage",
        "Every true mean reward is in its interval at every plan, except with probability 3 S A sum_n "
        "(delta/(6SAn))^2.",
        "derived", HighProbability(level_r), shared.rewards, "plan", 1e-12, "radii zero; reward to the next action",
    ),
    _step(
        "optimism",
        "The largest change of the last sweep is at least the optimal gain at every plan, on the event of coverage.",
        "derived", HighProbability(level), common.optimism, "plan", 1e-9, "radii zero; unvisited pairs at zero",
    ),
    _step(
        "domination",
        "Wherever the true MDP is plausible, the optimistic Bellman update of u dominates the true one (both mixed).",
        "derived", Pointwise(), own.domination, "plan", 1e-9, "mass to the worst state; unvisited pairs at zero",
    ),
    _step(
        "rows",
        "The optimistic rows of the last sweep are probability vectors.",
        "recalled", Pointwise(), shared.sum_to_one, "plan", 1e-9,
        "only the best state filled",
    ),
    _step(
        "in-box",
        "The optimistic rows of the last sweep lie in their boxes.",
        "recalled", Pointwise(), own.in_box, "plan", 1e-9, "free mass past the upper end",
    ),
    _step(
        "attained",
        "The optimistic rows attain the maximum over their boxes: their value is the least dual bound "
        "price + sum high (u - price)^+ - low (price - u)^+.",
        "derived", Pointwise(), own.attained, "plan", 1e-9, "mass to the worst state; free mass past the upper end",
    ),
    _step(
        "backup",
        "The last sweep is the optimistic Bellman update: u_next(s) = max_a r~ + tau law u + (1 - tau) u(s).",
        "recalled", Pointwise(), shared.backup, "plan", 1e-8, "mixed with the best state",
    ),
    _step("greedy", *SHARED["greedy"]),
    _step("played", *SHARED["played"]),
    _step("stopping", *SHARED["stopping"]),
    _step(
        "span",
        "Wherever the true MDP is plausible, tau span(u) <= D (inequality 11 of UCRL2's proof, for the mixed kernels; "
        "needs optimistic rewards of at most 1). Far from equality on these instances: see max_excess.",
        "derived", Pointwise(), own.span, "plan", 1e-9, "optimistic rewards above 1",
    ),
    _step(
        "doubling",
        "No pair is played more than max(1, N) times in an episode, N its visits before it.",
        "source", Pointwise(), common.doubling, "step", 0.0, "trigger at fourfold visits",
    ),
    _step("episodes", *SHARED["episodes"]),
]  # fmt: skip

claims = [
    Claim(
        id="fruit2020.thm1",
        text="Theorem 1: with probability 1 - delta, for all T > 1, regret(T) <= c (sqrt(D Gamma S A T ln(T/delta) "
        "ln T) + D^2 S^2 A ln(T/delta) ln T); the constant is hidden, the logarithms recalled.",
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
        id="fruit2020.inner-maximum",
        text="The inner maximum over a box: rows sum to one, lie in the box, and their value is the least dual bound.",
        source_tag="derived",
        learner=LEARNER.name,
        scope="models",
        kind=Pointwise(),
        quantity=box_excess,
        false_twin=false_box_excess,
        instances={},
    ),
    *STEP_CLAIMS,
]
