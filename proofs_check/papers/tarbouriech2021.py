"""Tarbouriech, Pirotta, Valko, Lazaric 2021: GOSPRL. Collect b(s,a) samples in a communicating MDP of diameter D.

    theorem      with probability 1 - delta, GOSPRL is complete after O~(B D + D^{3/2} S^2 A) steps, B = sum b;
                 constants and logarithms are hidden [source: abstract]
    coverage     |p_hat - p| <= 2 sqrt(p_hat (1 - p_hat) iota / n) + 6 iota / n, iota = ln(6 S A n / delta), for all
                 entries, pairs and times at once, except with probability delta [source: lemma 1 of tarbouriech2020]
    optimism     on that event the planner's values satisfy v_j <= V*_G <= D_G <= D entrywise, for all j [derived]
    certificate  at unit cost |L v - v| <= eps < 1, from v = 0, gives v <= V* <= V^pi <= v / (1 - eps) [derived]
    attempts     at most (arrivals in G <= B) + S A (2 + log2 T); an attempt begun after t_k steps lasts at most
                 sum max(1, U) <= t_k + S A steps, U the visits before it [derived]

Optimism and what carries it hold with alpha beta in place of beta wherever p lies that near: steps are stated so, for
any alpha. The radius is loose: in uniform play on RiverSwim the largest |p_hat - p| / beta that was seen is 0.19
[computed], so that coverage itself is nowhere near its level; but 0.1 beta is left at some time in most of these runs,
and alpha = 0.1 has no level. Requirements are fixed here, so that G only shrinks. The steps on values need V*_G of
every goal set, hence at most 12 states.

The greedy learner that knows p has steps of its own, by the names known-...
"""

from __future__ import annotations

from typing import Any

import numpy as np

from proofs_check.lemmas import shortest_path as lemmas
from proofs_check.papers import _gosprl_probes as probes
from proofs_check.papers._collection_predictions import CLAIMS as PREDICTIONS
from proofs_check.papers._gosprl_controls import CONTROLS, KNOWN_CONTROLS, LEAF_PAIRS, WHEEL
from proofs_check.papers._gosprl_lemmas import LEMMAS
from proofs_check.papers._gosprl_monitor import monitor, monitor_known
from proofs_check.papers._gosprl_sparse_steps import CLAIMS as SPARSE
from proofs_check.papers._gosprl_task_steps import CLAIMS as TASKS
from proofs_check.papers._gosprl_variant_steps import CLAIMS as VARIANTS
from proofs_check.papers._r_max_steps import CLAIMS as R_MAX
from proofs_check.papers._zero_one_ucrl_steps import CLAIMS as ZERO_ONE
from theorylab.assume import Assumption, average_reward, communicating, stationary
from theorylab.claim import Claim, Context, HighProbability, Instance, Pointwise, Total
from theorylab.probe import Probe

MOST_STATES = 12

#: one action of every leaf is asked for: every arrival at a leaf pays one sample, so that arrivals <= B is an equality
LEAVES = [[0, 0, 0], [150, 0, 0], [150, 0, 0], [150, 0, 0]]
STEPS = {
    "quick": (
        Instance("riverswim", 5_500, {}, {"samples": 100}),
        Instance("star", 15_000, {}, {"b": LEAVES}),
        Instance("garnet", 7_000, {"S": 5, "A": 3, "b": 2, "seed": 1}, {"samples": 60}),
    ),
    "standard": (
        Instance("riverswim", 12_000, {}, {"samples": 300}),
        Instance("riverswim", 1_500, {}, {"samples": 10, "alpha": 0.1}),
        Instance("star", 4_000, {}, {"samples": 10, "alpha": 0.1}),
        Instance("wheel", 4_000, {"states": 10}, {"samples": 10}),
        Instance("garnet", 4_000, {"S": 10, "A": 3, "b": 3, "seed": 1}, {"samples": 30, "alpha": 0.1}),
    ),
}
THEOREM = {
    "quick": STEPS["quick"],
    "standard": (
        Instance("riverswim", 12_000, {}, {"samples": 300}),
        Instance("riverswim", 10_000, {}, {"samples": 1}),
        Instance("riverswim", 40_000, {"states": 12}, {"samples": 10}),
        Instance("corridor", 60_000, {}, {"samples": 10}),
        Instance("noisy-riverswim", 20_000, {}, {"samples": 10}),
    ),
}
KNOWN = {
    "standard": (
        Instance("star", 3_000, {}, {"samples": 20}),
        Instance("riverswim", 3_000, {}, {"samples": 100}),
        Instance("garnet", 3_000, {"S": 10, "A": 3, "b": 3, "seed": 1}, {"samples": 30}),
        Instance("noisy-riverswim", 2_000, {"states": 10}, {"samples": 20}),
    ),
}


def shape(c: Context, n: np.ndarray) -> np.ndarray:
    """B D + D^{3/2} S^2 A, whatever the length n of the run."""
    D, B = float(c.diameter), float(c.b.sum())
    value = B * D + D * np.sqrt(D) * c.S * c.S * c.A
    return np.full(np.shape(n), value)


def level(c: Context) -> float:
    """delta: one for the whole run, since the logarithms are uniform in the visits."""
    return float(c.delta)


def total_asked(c: Context) -> dict[str, Any]:
    """B."""
    return {"B": float(c.b.sum())}


def kernel_of(c: Context) -> dict[str, Any]:
    """The kernel as an array (S,A,S)."""
    return {"law": np.array(c.model.dense())}


def values_of(c: Context) -> dict[str, Any]:
    """The kernel, V*_G of every goal set, and D."""
    values = lemmas.goal_values(c.model.dense())
    return {**kernel_of(c), "V_goal": values, "D": float(c.diameter) * (1.0 + 1e-9)}


def _few_states(model: Any) -> str | None:
    if model.S > MOST_STATES:
        return f"the model has {model.S} states; V*_G of all sets of states is tabulated up to {MOST_STATES}"
    return None


few_states = Assumption("few states", f"at most {MOST_STATES} states", _few_states)
ASSUMES = (average_reward, communicating, stationary)


def _step(
    name: str,
    text: str,
    value: Any,
    at: str,
    caught: tuple[str, ...],
    *,
    tag: str = "derived",
    kind: Any = None,
    tol: float = 0.0,
    copies: bool = False,
    tables: Any = None,
) -> Claim:
    known = name.startswith("known-")
    controls = KNOWN_CONTROLS if known else CONTROLS
    return Claim(
        id=f"tarbouriech2021.{name}",
        text=text,
        source_tag=tag,
        learner="known-p-greedy" if known else "gosprl",
        kind=kind or Pointwise(),
        quantity=Probe(f"gosprl.{name}", value, at, tol),
        instances=KNOWN if known else STEPS,
        control_instance=LEAF_PAIRS if known else WHEEL,
        assumes=(*ASSUMES, few_states) if tables is values_of else ASSUMES,
        controls=tuple(controls[c] for c in caught),
        tables=tables,
        monitor=monitor_known if known else monitor,
        copies=copies,
    )


STEP_CLAIMS = [
    _step(
        "radii",
        "At every plan beta = 2 sqrt(p_hat (1 - p_hat) iota / n) + 6 iota / n, iota = ln(6 S A n / delta), n = max(1, "
        "N).",
        probes.radii,
        "plan",
        (
            "radius zero",
            "log factor dropped",
            "delta left out",
            "variance outside the root",
            "time in the logarithm",
            "division by N + 1",
            "model of the first attempt",
        ),
        tag="source",
        tol=1e-9,
        copies=True,
    ),
    _step(
        "own-counts",
        "A radius is a function of its pair's own visits: where a pair was not visited since the last plan it is the "
        "same (one delta for all times).",
        probes.own_counts,
        "plan",
        ("time in the logarithm",),
        tol=1e-12,
    ),
    _step(
        "coverage",
        "|p_hat - p| <= beta for every entry of every pair at every plan, except with probability delta. Loose: the "
        "largest ratio of the two sides is about 0.19.",
        probes.coverage,
        "plan",
        ("radius zero",),
        tag="source",
        kind=HighProbability(level),
        tol=1e-9,
        tables=kernel_of,
    ),
    _step(
        "lower",
        "Where a row lies within alpha beta of p, plow <= p off G.",
        probes.lower,
        "plan",
        ("cut mass stays", "rows normalised"),
        tol=1e-12,
        tables=kernel_of,
    ),
    _step(
        "residue",
        "Off G, 0 <= plow <= p_hat; nothing stands on G; and G's share 1 - sum plow is at least min(1, 6 alpha iota) "
        "/ n, so that every policy of the model is proper; before its first visit a pair jumps to G.",
        probes.residue,
        "plan",
        (
            "radius zero",
            "negative entries kept",
            "cut mass stays",
            "rows normalised",
            "unvisited pairs uniform",
            "unvisited pairs stay",
        ),
        tol=1e-12,
    ),
    _step(
        "backup",
        "v_next = L v, (L v)(s) = 1 + min_a sum plow v off G, and v = v_next = 0 on G.",
        probes.backup,
        "plan",
        ("arrival not charged",),
        tag="recalled",
        tol=1e-9,
        copies=True,
    ),
    _step(
        "greedy",
        "The planned action of every state off G attains the minimum of L v.",
        probes.greedy,
        "plan",
        ("policy maximises",),
        tag="recalled",
        tol=1e-9,
    ),
    _step(
        "stopping",
        "A plan stops with |L v - v| <= max(1e-6, 1 / (2 max(1, t_k))).",
        probes.stopping,
        "plan",
        ("one sweep",),
        tag="recalled",
        tol=1e-15,
    ),
    _step(
        "rising",
        "Values rise from sweep to sweep, v <= L v: they come from zero.",
        probes.rising,
        "plan",
        ("warm start",),
        tol=1e-12,
    ),
    _step(
        "certificate",
        "At every plan v <= V^pi <= v / (1 - eps) in the planned model, eps = |L v - v| < 1 and pi the policy that is "
        "played.",
        probes.certificate,
        "step",
        ("one sweep", "policy maximises", "arrival not charged", "warm start"),
        tol=1e-9,
    ),
    _step(
        "optimism",
        "Where every row off G lies within alpha beta of p, v <= V*_G <= D entrywise.",
        probes.optimism,
        "plan",
        (
            "cut mass stays",
            "unvisited pairs uniform, detour",
            "unvisited pairs stay, detour",
            "rows normalised, spin",
        ),
        tol=1e-9,
        tables=values_of,
    ),
    _step(
        "baseline",
        "At every plan U is the number of visits so far, samples in G and on the way alike.",
        probes.baseline,
        "plan",
        ("U without samples in G",),
    ),
    _step(
        "replanning",
        "A plan is made only where the step before was taken in G, entered it or doubled its pair, and none after "
        "completion.",
        probes.replanning,
        "plan",
        ("plan at every step",),
    ),
    _step(
        "counts",
        "Counts are conserved: N is the environment's number of visits and C holds the transitions that were made.",
        probes.counts,
        "step",
        ("self-loops lost", "samples in G not recorded"),
    ),
    _step(
        "goal-set",
        "G is the set of states with a requirement not met, at every step: while an attempt lasts it cannot change.",
        probes.goal_set,
        "step",
        ("closes one sample late", "closes with its first requirement"),
    ),
    _step(
        "rule",
        "In G the first of the actions with the largest gap b - N is played, on the way the policy planned at the "
        "start of the attempt, after completion action 0.",
        probes.rule,
        "step",
        ("smallest gap", "ties to the last", "action in G not looked up"),
        tag="recalled",
    ),
    _step(
        "doubling",
        "No pair is played more than max(1, U) times in an attempt.",
        probes.doubling,
        "step",
        ("trigger at fourfold visits", "no doubling"),
        tag="recalled",
    ),
    _step(
        "length",
        "An attempt lasts at most sum max(1, U) <= t_k + S A steps.",
        probes.length,
        "step",
        ("no doubling",),
    ),
    _step(
        "attempts",
        "There are at most (arrivals in G) + S A (2 + log2 n) attempts in n steps. Far from equality, where few "
        "pairs double.",
        probes.attempts,
        "step",
        ("plan at every step of a long trip",),
    ),
    _step(
        "arrivals",
        "There are at most B arrivals in G: each pays a sample. Equality on the star.",
        probes.arrivals,
        "step",
        ("action in G not looked up, two a leaf",),
        tables=total_asked,
    ),
    _step(
        "spending",
        "The samples missing and those taken in G add up to B at every step: travel completes no requirement.",
        probes.spending,
        "step",
        ("action in G not looked up",),
        tables=total_asked,
    ),
    _step(
        "completion",
        "The completion time is the first number of steps after which every requirement holds.",
        probes.completion,
        "step",
        ("last step not charged", "complete by the total", "closes one sample late"),
    ),
    _step(
        "ledger",
        "Attempts, arrivals and t_k on record are those that took place.",
        probes.ledger,
        "step",
        ("t_k from one",),
    ),
]

KNOWN_CLAIMS = [
    _step(
        "known-values",
        "With the true kernel v <= V*_G <= v / (1 - eps) at every plan, eps = |L v - v| < 1.",
        probes.values_known,
        "plan",
        ("self-loops arrive", "open states of the first attempt", "one sweep"),
        tol=1e-9,
        tables=values_of,
    ),
    _step(
        "known-greedy",
        "The planned action of every state off G attains the minimum of L v.",
        probes.greedy,
        "plan",
        ("policy maximises",),
        tol=1e-9,
    ),
    _step(
        "known-replanning",
        "A plan is made only where the step before was taken in G or entered it.",
        probes.replanning_known,
        "plan",
        ("plan at every step",),
    ),
    _step("known-counts", "N is the environment's number of visits.", probes.visits, "step", ("self-loops lost",)),
    _step(
        "known-rule",
        "In G the first of the actions with the largest gap is played, on the way the trip's policy.",
        probes.rule,
        "step",
        ("smallest gap", "ties to the last"),
    ),
    _step(
        "known-completion",
        "The completion time is the first number of steps after which every requirement holds.",
        probes.completion,
        "step",
        ("last step not charged", "closes one sample late"),
    ),
]


claims = [
    Claim(
        id="tarbouriech2021.thm1",
        text="Theorem: with probability 1 - delta every requirement holds after O~(B D + D^{3/2} S^2 A) steps; "
        "constants and logarithms are hidden. The constant measured is that of B D + D^{3/2} S^2 A, no logarithms.",
        source_tag="source",
        learner="gosprl",
        kind=HighProbability(level),
        quantity=Total("completion time", probes.completion_time),
        shape=shape,
        constants="unspecified",
        instances=THEOREM,
        assumes=ASSUMES,
        steps=tuple(c.id for c in STEP_CLAIMS),
    ),
    *STEP_CLAIMS,
    *KNOWN_CLAIMS,
    *LEMMAS,
    *PREDICTIONS,
    *VARIANTS,
    *SPARSE,
    *TASKS,
    *ZERO_ONE,
    *R_MAX,
]
