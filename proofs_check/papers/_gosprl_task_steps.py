"""Claims on two tasks of GOSPRL (tarbouriech2021): exploration for all goals, and the diameter.

    allocation   b(s,a) = ceil phi(X, omega) for every pair, omega = max(c_min, epsilon / (theta X)), X >= D, is enough
                 for the planning phase (`mdps.collection.planning`) to be within epsilon of the best for every goal and
                 every cost in [c_min, 1], with probability 1 - delta, for alpha0 large enough [recalled; phi source:
                 ALT21, equation 6]
    diameter     D <= D_hat <= (1 + 2 epsilon (1 + epsilon)) (1 + epsilon) D, after at most ceil(log2(D (1 + epsilon)))
                 + 1 rounds, with probability 1 - delta [source: ALT21, lemma 9; the ceiling derived]

The constant alpha0 is open. The guarantee is claimed at alpha0 = 1 on models of two and three states, where it holds
with room. The least alpha0 of the grid 0.001, 0.003, 0.01, ... with which no plan of 16 runs was off (alpha = 1, and
alpha = 0.1): wheel(3) 0.3 and 0.03 (159 and 16 samples a pair), riverswim(3) 0.1 and 0.01 (440 and 44), star(0.5, 0.25)
0.003 and 0.003 (11) [computed]. All claims are about runs that end. The instances are long enough for
that, and a run that does not end counts as a violation.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mdps.collection.planning import best_value
from proofs_check.mutants import gosprl_diameter as diameter_faults
from proofs_check.mutants import gosprl_explore as explore_faults
from proofs_check.papers import _gosprl_task_lemmas as lemmas
from proofs_check.papers import _gosprl_task_probes as probes
from proofs_check.papers._gosprl_lemmas import lemma
from theorylab.assume import average_reward, communicating, stationary
from theorylab.claim import Claim, Context, Control, HighProbability, Instance, Pointwise
from theorylab.probe import Probe

__all__ = ["CLAIMS"]

ASSUMES = (average_reward, communicating, stationary)

EXPLORE = {
    "standard": (
        Instance("two-state", 3_000, {"slip": 0.2}, {"times": 1.25, "epsilon": 0.5, "cost": 0.5}),
        Instance("wheel", 12_000, {"states": 3}, {"times": 1.5, "epsilon": 0.5, "cost": 1.0}),
        Instance("star", 20_000, {"p": [0.5]}, {"times": 2.0, "epsilon": 0.5, "cost": 0.5}),
    ),
}
DIAMETER = {
    "standard": (
        Instance("star", 60_000, {"p": [0.11]}, {"epsilon": 1.0}),
        Instance("star", 90_000, {"p": [0.5, 0.25]}, {"epsilon": 1.0}),
        Instance("two-state", 25_000, {"slip": 0.2}, {"epsilon": 0.5}),
        Instance("wheel", 70_000, {"states": 3}, {"epsilon": 1.0}),
    ),
}
#: pairs with one and with two successors; omega is epsilon / (theta X), above c_min
FORK = Instance(
    "star", 600, {"p": [0.5, 0.25]},
    {"times": 2.0, "epsilon": 0.8, "cost": 0.1, "theta": 2.0, "alpha0": 0.004, "alpha": 0.1},
)  # fmt: skip
#: sixteen samples a pair are enough for the planning phase, three are not
SMALL_WHEEL = Instance(
    "wheel", 600, {"states": 3}, {"times": 1.5, "epsilon": 0.5, "cost": 1.0, "alpha0": 0.03, "alpha": 0.1}
)
#: values that rise slowly: a sweep that changes them by a half is far from the last one
SLOW = Instance("star", 1_000, {"p": [0.22]}, {"epsilon": 1.0, "alpha": 0.05})
#: so far away that the estimate of a learner that did nothing is too small
FAR = Instance("star", 3_000, {"p": [0.08]}, {"epsilon": 1.0, "alpha": 0.02})
#: three states: to a leaf the way from the other one is longer than that from the centre
LEAVES = Instance("star", 1_500, {"p": [0.5, 0.25]}, {"epsilon": 0.3, "alpha": 0.005})
#: with radii so small that a round more ends in time
NARROW = Instance("star", 1_000, {"p": [0.22]}, {"epsilon": 1.0, "alpha": 0.02})


def level(c: Context) -> float:
    """delta: one for the whole run, since the logarithms are uniform in the visits."""
    return float(c.delta)


def law_of(c: Context) -> dict[str, Any]:
    """The kernel (S,A,S), unit costs, and D."""
    law = np.array(c.model.dense())
    return {"law": law, "cost": np.ones(law.shape[:2]), "D": float(c.diameter)}


def goals_of(c: Context) -> dict[str, Any]:
    """The kernel, costs between c_min and 1, drawn once, and the least costs to every goal, from above."""
    low = float(c.cost)
    rng = np.random.Generator(np.random.Philox(key=7))
    cost = low + (1.0 - low) * rng.uniform(size=(c.model.S, c.model.A))
    best = np.array([best_value(c.model, g, cost).upper for g in range(c.model.S)])
    return {"law": np.array(c.model.dense()), "cost": cost, "best": best}


def _controls(module: Any, named: dict[str, str]) -> dict[str, Control]:
    return {name: Control(name, getattr(module, line)) for name, line in named.items()}


EXPLORE_CONTROLS = _controls(
    explore_faults,
    {
        "X^2 for X^3": "square_for_cube",
        "Gh of the pair": "branching_of_pair",
        "S for Gh": "branching_all",
        "logarithms dropped": "logs_dropped",
        "delta left out": "delta_dropped",
        "logarithm not squared": "log_not_squared",
        "epsilon in both logarithms": "epsilon_in_both",
        "rounded down": "rounded_down",
        "Gh before the first visit": "branching_stale",
        "half of it": "halved",
        "omega without theta": "theta_dropped",
        "omega as a sum": "omega_added",
        "self-loops lost": "counts_lost",
        "successor not recorded": "successors_lost",
    },
)
DIAMETER_CONTROLS = _controls(
    diameter_faults,
    {
        "eta for eta / 2": "accuracy_whole",
        "eta of the first round": "accuracy_first",
        "two visits more": "two_at_once",
        "nothing asked": "nothing_asked",
        "logarithm dropped": "log_dropped",
        "delta left out": "delta_dropped",
        "values of the last sweep": "iterate_for_policy",
        "one goal": "one_goal",
        "goals kept": "goal_not_reset",
        "W by a quarter": "guess_slow",
        "no factor": "factor_dropped",
        "factor 1 + eta |v|": "factor_halved",
        "factor 1 + 2 epsilon |v|": "factor_without_guess",
        "ends at 2 W": "ends_early",
        "self-loops lost": "counts_lost",
        "successor not recorded": "successors_lost",
    },
)


DIAMETER_CONTROLS |= {
    f"{k}, far": Control(f"{k}, far", DIAMETER_CONTROLS[k].learner, FAR, 6)
    for k in ("one goal", "goals kept", "nothing asked")
}
DIAMETER_CONTROLS["ends at W / 2, narrow"] = Control("ends at W / 2, narrow", diameter_faults.ends_late, NARROW)
DIAMETER_CONTROLS["nearest start, three states"] = Control(
    "nearest start, three states", diameter_faults.nearest_start, LEAVES
)


def _step(
    name: str, text: str, tag: str, kind: Any, value: Any, at: str, tol: float, caught: str, *, copies: bool = False,
    control: Instance | None = None,
) -> Claim:  # fmt: skip
    explores = name.startswith("explore-")
    controls = EXPLORE_CONTROLS if explores else DIAMETER_CONTROLS
    return Claim(
        id=f"tarbouriech2021.{name}",
        text=text,
        source_tag=tag,
        learner="gosprl-explore" if explores else "gosprl-diameter",
        kind=kind,
        quantity=Probe(f"gosprl.{name}", value, at, tol),
        instances=EXPLORE if explores else DIAMETER,
        control_instance=control or (FORK if explores else SLOW),
        assumes=ASSUMES,
        controls=tuple(controls[c] for c in caught.split("; ")),
        tables=goals_of if explores else law_of,
        monitor=probes.monitor_plans if explores else probes.monitor_rounds,
        copies=copies,
    )


CLAIMS = [
    _step(
        "explore-requirement",
        "At every lookup phi <= b < phi + 1 for every pair, phi = alpha0 (X^3 Gh l / (y eps^2) + X^2 S l / (y eps) + "
        "X^2 Gh ln^2(X S A / (y delta)) / y^2), l = ln(X S A / (y eps delta)), y = max(c_min, eps / (theta X)), Gh of "
        "the transitions so far.",
        "source", Pointwise(), probes.requirement, "plan", 1e-9,
        "X^2 for X^3; Gh of the pair; S for Gh; logarithms dropped; delta left out; logarithm not squared; epsilon in "
        "both logarithms; rounded down; Gh before the first visit; half of it; omega without theta; omega as a sum",
        copies=True,
    ),
    _step(
        "explore-collected",
        "At completion every pair has been visited at least phi times, phi of the transitions up to then.",
        "recalled", Pointwise(), probes.collected, "plan", 0.0,
        "X^2 for X^3; Gh of the pair; logarithms dropped; delta left out; logarithm not squared; rounded down; Gh "
        "before the first visit; half of it",
    ),
    _step(
        "explore-counts",
        "Counts are conserved: N is the environment's number of visits and the transitions are those that were made.",
        "derived", Pointwise(), probes.counts, "step", 0.0, "self-loops lost; successor not recorded",
    ),
    _step(
        "explore-guarantee",
        "For every goal, at costs between c_min and 1 drawn once, the policy planned at completion costs at most "
        "epsilon more than the best one, from every state, except with probability delta (alpha0 = 1 here; the source "
        "has it for alpha0 large enough).",
        "recalled", HighProbability(level), probes.guarantee, "end", 1e-9, "logarithms dropped",
        control=SMALL_WHEEL,
    ),
    _step(
        "diameter-estimate",
        "D <= D_hat <= (1 + 2 eps (1 + eps)) (1 + eps) D, eps <= 1, except with probability delta.",
        "source", HighProbability(level), probes.estimate, "end", 1e-9,
        "one goal, far; goals kept, far; nothing asked, far",
    ),
    _step(
        "diameter-rounds",
        "There are at most ceil(log2(D (1 + eps))) + 1 rounds, except with probability delta. Without the ceiling, as "
        "the source has it, there may be one more.",
        "derived", HighProbability(level), probes.rounds, "end", 0.0, "W by a quarter",
    ),
    _step(
        "diameter-bracket",
        "At the estimate the largest optimistic time u over all goals is within (1 - eps / 2) |v| <= u <= |v|.",
        "derived", Pointwise(), probes.bracket, "end", 1e-9,
        "values of the last sweep; one goal; goals kept; nearest start, three states",
    ),
    _step(
        "diameter-optimism",
        "The largest value of the last sweeps of a round is at most D, except with probability delta.",
        "source", HighProbability(level), probes.optimism, "end", 1e-9, "successor not recorded",
    ),
    _step(
        "diameter-accuracy",
        "At the estimate |p_hat - p|_1 <= eps / (2 W) for every pair, W = 2^(rounds - 1), except with probability "
        "delta. Loose: the radii are about five times too large.",
        "derived", HighProbability(level), probes.accuracy, "plan", 1e-9, "nothing asked",
    ),
    _step(
        "diameter-precision",
        "At the estimate the radii of every pair sum to at most eps / (2 W), W = 2^(rounds - 1).",
        "source", Pointwise(), probes.precision, "plan", 1e-9,
        "eta for eta / 2; eta of the first round; nothing asked; logarithm dropped; delta left out",
        copies=True,
    ),
    _step(
        "diameter-asked",
        "At every lookup a pair is asked for one visit more than it has, or for none.",
        "derived", Pointwise(), probes.once_more, "plan", 0.0, "two visits more",
    ),
    _step(
        "diameter-reached",
        "At the estimate |v| <= W = 2^(rounds - 1), and at the end of the round before |v| was above W / 2.",
        "source", Pointwise(), probes.reached, "step", 1e-9, "W by a quarter; ends at 2 W; ends at W / 2, narrow",
    ),
    _step(
        "diameter-formula",
        "D_hat = (1 + 2 eps |v| / W) |v|, W = 2^(rounds - 1).",
        "source", Pointwise(), probes.formula, "end", 1e-9,
        "no factor; factor 1 + eta |v|; factor 1 + 2 epsilon |v|; W by a quarter",
        copies=True,
    ),
    _step(
        "diameter-counts",
        "Counts are conserved: N is the environment's number of visits and the transitions are those that were made.",
        "derived", Pointwise(), probes.counts, "step", 0.0, "self-loops lost; successor not recorded",
    ),
    lemma(
        "nearby",
        "For all models of unit cost: rows within eta in the 1-norm and x = eta |V'| < 2 give V <= V' / (1 - x / 2); "
        "equality for one state.",
        lemmas.nearby, lemmas.false_nearby,
    ),
]  # fmt: skip
