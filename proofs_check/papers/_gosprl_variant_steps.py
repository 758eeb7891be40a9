"""Steps of tarbouriech2021 for what GOSPRL can do besides: requirements on states, other planners, rules of the data.

    states     b(s) asks for visits of s with any action: G, the rule inside and the completion time count it [derived]
    planners   policy iteration leaves v = L v; extended value iteration takes the least row of all plausible laws, is
               optimistic where they hold p, and nowhere below the lower bounds [derived; inner minimum source: ALT21]
    MODEST     a pair is satisfied iff alpha sum_{s2} beta(s,a,s2) <= eta. At alpha = 1 max |p_hat - p|_1 <= eta at the
               completion time except with probability delta, since on the radii's event the sum is a bound of the error
               [derived]. Steps: O~(D Gamma S A / eta^2 + D S^2 A / eta + D^{3/2} S^2 A) [recalled]
    noise      b(s,a) = max(least, ceil(samples V_hat(s,a))) [derived]

The MODEST guarantee is far from equality, as the radii are: max |p_hat - p|_1 / eta was 0.25 at most where it was
measured, and half of the radii would not break it. What does is a pair satisfied without data.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from proofs_check.lemmas import shortest_path as lemmas
from proofs_check.papers import _gosprl_probes as probes
from proofs_check.papers import _gosprl_rule_probes as rules
from proofs_check.papers import _gosprl_variant_probes as variants
from proofs_check.papers._gosprl_monitor import monitor
from proofs_check.papers._gosprl_variant_controls import (
    ANYTIME,
    BEHIND,
    CONTROLS,
    HONEST,
    MEET,
    NOISY,
    ON_STATES,
    SMALL,
)  # fmt: skip
from theorylab.assume import Assumption, average_reward, communicating, stationary
from theorylab.claim import Claim, Context, HighProbability, Instance, Pointwise, Total
from theorylab.probe import Probe

ASSUMES = (average_reward, communicating, stationary)
MOST_STATES = 12
GARNET = {"S": 6, "A": 3, "b": 3, "seed": 1}
#: visits of states alone, and beside those of pairs
MIXED = [[0, 8], [0, 0], [3, 0], [0, 0], [0, 0], [0, 5]]
STATES = (
    Instance("riverswim", 1_500, {}, {"b_states": [20] * 6, "alpha": 0.1}),
    Instance("riverswim", 1_500, {}, {"b": MIXED, "b_states": [0, 12, 0, 30, 5, 9], "alpha": 0.1}),
    Instance("star", 2_000, {}, {"b_states": [0, 30, 30, 30], "alpha": 0.1}),
)
PLANNERS = (
    Instance("riverswim", 2_500, {}, {"samples": 20, "alpha": 0.1}),
    Instance("star", 3_000, {}, {"samples": 10, "alpha": 0.1}),
    Instance("garnet", 2_000, GARNET, {"samples": 20, "alpha": 0.1}),
)
EXTENDED = (
    *PLANNERS,
    Instance("garnet", 2_000, GARNET, {"samples": 20, "alpha": 0.1, "radius": 2}),
    Instance("riverswim", 4_000, {}, {"samples": 20, "radius": 1, "alpha": 0.05}),
)
MODEST = (
    Instance("riverswim", 20_000, {}, {"eta": 1.5}),
    Instance("wheel", 12_000, {}, {"eta": 1.5}),
    Instance("garnet", 14_000, GARNET, {"eta": 2.0}),
    Instance("riverswim", 20_000, {"states": 4}, {"eta": 4.0, "shrink": 0.7}),
    Instance("star", 6_000, {"p": [0.5, 0.25]}, {"eta": 2.0, "rule": 1}),
)
NOISE = (
    Instance("riverswim", 3_000, {}, {"samples": 60, "alpha": 0.1}),
    Instance("garnet", 3_000, GARNET, {"samples": 60, "alpha": 0.1}),
    Instance("noisy-riverswim", 3_000, {"states": 6}, {"samples": 40, "least": 2, "alpha": 0.1}),
)


def level(c: Context) -> float:
    """delta: one for the whole run."""
    return float(c.delta)


def kernel_of(c: Context) -> dict[str, Any]:
    """The kernel as an array (S,A,S)."""
    return {"law": np.array(c.model.dense())}


def values_of(c: Context) -> dict[str, Any]:
    """The kernel and V*_G of every goal set."""
    return {**kernel_of(c), "V_goal": lemmas.goal_values(c.model.dense())}


def modest_shape(c: Context, n: np.ndarray) -> np.ndarray:
    """D Gamma S A / eta^2 + D S^2 A / eta + D^{3/2} S^2 A, Gamma the most successors of a pair."""
    D, pairs = float(c.diameter), float(c.S * c.A)
    gamma = float((c.model.dense() > 0.0).sum(axis=2).max())
    value = D * gamma * pairs / c.eta**2 + D * c.S * pairs / c.eta + D * np.sqrt(D) * c.S * pairs
    return np.full(np.shape(n), value)


def _few_states(model: Any) -> str | None:
    if model.S > MOST_STATES:
        return f"the model has {model.S} states; V*_G of all sets of states is tabulated up to {MOST_STATES}"
    return None


few_states = Assumption("few states", f"at most {MOST_STATES} states", _few_states)

FAMILIES: dict[str, tuple[str, tuple[Instance, ...], Instance, Any]] = {
    "states": ("gosprl", STATES, ON_STATES, monitor),
    "policy-iteration": ("gosprl-policy-iteration", PLANNERS, BEHIND, monitor),
    "extended": ("gosprl-extended", EXTENDED, MEET, monitor),
    "modest": ("gosprl-modest", MODEST, SMALL, rules.modest_monitor),
    "noise": ("gosprl-noise", NOISE, NOISY, rules.noise_monitor),
}


def _step(
    family: str,
    name: str,
    text: str,
    value: Any,
    at: str,
    caught: str,
    *,
    tag: str = "derived",
    kind: Any = None,
    tol: float = 0.0,
    copies: bool = False,
    tables: Any = None,
    planted: Instance | None = None,
) -> Claim:
    learner, instances, control, watched = FAMILIES[family]
    return Claim(
        id=f"tarbouriech2021.{family}-{name}",
        text=text,
        source_tag=tag,
        learner=learner,
        kind=kind or Pointwise(),
        quantity=Probe(f"{learner}.{family}-{name}", value, at, tol),
        instances={"standard": instances},
        control_instance=planted or control,
        assumes=(*ASSUMES, few_states) if tables is values_of else ASSUMES,
        controls=tuple(CONTROLS[learner][c] for c in caught.split("; ")),
        tables=tables,
        monitor=watched,
        copies=copies,
    )


CLAIMS = [
    _step(
        "states",
        "goal-set",
        "G is the set of states of which an action, or the visits with any action, are short, at every step.",
        probes.goal_set,
        "step",
        "states not looked at; visits of one action",
    ),
    _step(
        "states",
        "rule",
        "In G the first of the largest gaps is played; where the state alone is short, its first action with the "
        "fewest visits.",
        probes.rule,
        "step",
        "most visited action",
    ),
    _step(
        "states",
        "completion",
        "The completion time is the first number of steps after which every requirement on pairs and on states holds.",
        probes.completion,
        "step",
        "states not looked at; visits of one action",
    ),
    _step(
        "policy-iteration",
        "exact",
        "At every plan v = L v = v_next off G up to 1e-9 of it, and v = 0 on G.",
        variants.exact,
        "plan",
        "one round; minimum in the first round only; equations transposed; cost on G; pivot of the row; "
        "no substitution; last action left out",
        tol=1e-9,
    ),
    _step(
        "policy-iteration",
        "greedy",
        "The planned action of every state off G attains the minimum of L v up to 1e-9 of v.",
        variants.greedy,
        "plan",
        "policy maximises; last action left out",
        tol=1e-9,
    ),
    _step(
        "policy-iteration",
        "own-value",
        "v is the expected time of the policy that is played, in the planned model, up to 1e-9 of it.",
        variants.own_value,
        "step",
        "policy maximises; pivot of the row; no substitution",
        tol=1e-9,
    ),
    _step(
        "extended",
        "row",
        "v_next(s) = 1 + min over actions and plausible laws q of q v, by the dual of the inner minimum, and the "
        "planned action attains it; v = 0 on G.",
        variants.extended_row,
        "plan",
        "no upper ends; no lower ends; mass to the worst state; upper ends of twice the width; radius of the ball "
        "not halved; best states lose; unvisited pairs stay; states not sorted; policy maximises",
        tag="source",
        tol=1e-9,
    ),
    _step(
        "extended",
        "optimism",
        "Where every visited row off G holds p among its plausible laws, v <= V*_G entrywise.",
        variants.extended_optimism,
        "plan",
        "mass to the worst state; states not sorted; unvisited pairs stay",
        tol=1e-9,
        tables=values_of,
    ),
    _step(
        "extended",
        "tighter",
        "A sweep on the plausible laws is nowhere below one on the lower bounds.",
        variants.extended_tighter,
        "plan",
        "no lower ends",
        tol=1e-9,
    ),
    _step(
        "extended",
        "stopping",
        "A plan stops with |L v - v| <= max(1e-6, 1 / (2 max(1, t_k))).",
        probes.stopping,
        "plan",
        "one sweep",
        tag="recalled",
        tol=1e-15,
    ),
    Claim(
        id="tarbouriech2021.modest-complexity",
        text="With probability 1 - delta all pairs are satisfied after O~(D Gamma S A / eta^2 + D S^2 A / eta + "
        "D^{3/2} S^2 A) steps; constants and logarithms are hidden. The constant measured is without logarithms.",
        source_tag="recalled",
        learner="gosprl-modest",
        kind=HighProbability(level),
        quantity=Total("completion time", probes.completion_time),
        shape=modest_shape,
        constants="unspecified",
        instances={"standard": MODEST[:3]},
        assumes=ASSUMES,
    ),
    _step(
        "modest",
        "guarantee",
        "At alpha = 1, max |p_hat - p|_1 <= eta over all pairs at every time at which an accuracy eta is met, except "
        "with probability delta. Loose: the largest ratio of the two sides that was measured is 0.25.",
        rules.guarantee,
        "plan",
        "radius zero, alpha 1; unseen successors left out, alpha 1; looked up once, alpha 1",
        kind=HighProbability(level),
        tol=1e-9,
        tables=kernel_of,
        planted=HONEST,
    ),
    _step(
        "modest",
        "requirement",
        "By the lookups that were due, a pair is asked for N visits iff alpha sum beta <= eta, else for N + 1; by "
        "formula for the rounded value of the formula.",
        rules.requirement,
        "step",
        "radius zero; log factor dropped; delta left out; variance outside the root; satisfied by half; unseen "
        "successors left out; largest radius for the sum; visits plus one; looked up once; logarithm not squared; "
        "second term left out; variances for roots; accuracy left out; G moves on the way",
        copies=True,
    ),
    _step(
        "modest",
        "completion",
        "The completion time is the first number of steps after which all pairs are satisfied; there is none with "
        "shrink below 1.",
        rules.modest_completion,
        "step",
        "satisfied by half; largest radius for the sum; looked up once; completion one step late; closes with one "
        "action; ends at the first accuracy",
    ),
    _step(
        "modest",
        "accuracies",
        "With shrink below 1 an accuracy is recorded as met when no pair's radii exceed it, and the next is shrink "
        "times it, which some pair's radii exceed.",
        rules.accuracies,
        "plan",
        "accuracy left out; next accuracy recorded",
        tol=1e-12,
        planted=ANYTIME,
    ),
    _step(
        "modest",
        "goal-set",
        "G is the set of states with a pair not satisfied at its last lookup.",
        rules.goal_set,
        "step",
        "closes with one action; satisfied by half",
    ),
    _step(
        "modest",
        "lookups",
        "All requirements are looked up before a step exactly if the one before was taken in G and left it or "
        "satisfied the last pair, or was taken on the way and entered G or doubled its pair.",
        rules.lookups,
        "step",
        "arrival not looked up; trigger at fourfold visits",
    ),
    _step(
        "modest",
        "rule",
        "In G the first of the open actions with the fewest visits is played (largest gap first), on the way the "
        "policy planned at the start of the attempt, after completion action 0.",
        rules.choice,
        "step",
        "most visited action; ties to the last",
    ),
    _step(
        "modest",
        "greedy",
        "The planned action of every state off G attains the minimum of L v.",
        variants.greedy,
        "plan",
        "policy maximises",
        tag="recalled",
        tol=1e-9,
    ),
    _step(
        "modest",
        "counts",
        "N and C are the environment's visits and the transitions that were made.",
        rules.counts,
        "step",
        "self-loops lost",
    ),
    _step(
        "noise",
        "requirement",
        "By the lookups that were due, a pair is asked for max(least, ceil(samples V_hat)) visits, V_hat = sum "
        "sqrt(p_hat (1 - p_hat)) / sqrt S.",
        rules.requirement,
        "step",
        "variance for its root; not divided by sqrt S; visits plus one; least left out; rounded down; looked up once",
        copies=True,
    ),
    _step(
        "noise",
        "completion",
        "The completion time is the first number of steps after which every requirement by the data is met.",
        rules.noise_completion,
        "step",
        "variance for its root; not divided by sqrt S; least left out; looked up once",
    ),
    _step(
        "noise",
        "goal-set",
        "G is the set of states with a pair short of its requirement at its last lookup.",
        rules.goal_set,
        "step",
        "G moves on the way; variance for its root",
    ),
    _step(
        "noise",
        "frozen",
        "G and the policy off G stay as they are while an attempt lasts.",
        rules.frozen,
        "step",
        "G moves on the way",
    ),
    _step(
        "noise",
        "lookups",
        "All requirements are looked up before a step exactly if the one before was taken in G and left it or closed "
        "the last state, or was taken on the way and entered G or doubled its pair.",
        rules.lookups,
        "step",
        "arrival not looked up; trigger at fourfold visits",
    ),
    _step(
        "noise",
        "rule",
        "In G the first of the actions with the largest gap is played, on the way the policy planned at the start of "
        "the attempt, after completion action 0.",
        rules.choice,
        "step",
        "smallest gap; ties to the last",
    ),
    _step(
        "noise",
        "counts",
        "N and C are the environment's visits and the transitions that were made.",
        rules.counts,
        "step",
        "self-loops lost",
    ),
]
