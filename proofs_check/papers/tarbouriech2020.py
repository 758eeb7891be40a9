"""Tarbouriech, Shekhar, Pirotta, Ghavamzadeh, Lazaric 2020: model estimation by WeightedMaxEnt (algorithm 2).

    proposition 2   with probability 1 - delta the average error ||p_hat - p||_1 over pairs is at most (4 / (S A)) log(6
                    S A n / delta) sum F, and the worst one at most 4 log(6 S A n / delta) max F, F = V / sqrt(T + 1) +
                    S / (T + 1), T visits, V = (1 / sqrt S) sum sqrt(p (1 - p)), n the length of the run [source: notes]
    lemma 1         |p_hat - p| <= 2 sqrt(p_hat (1 - p_hat) l / T) + 6 l / T, l = log(6 S A T / delta), for all entries,
                    pairs and times at once, except with probability delta [source: notes]
    noise           0 <= V <= sqrt(Gamma - 1) / sqrt S <= 1, zero exactly for a deterministic row, Gamma its number of
                    successors [source: notes]

A pair never visited has p_hat = 0 and error 1, below the bound for T = 0. The bounds are far from equality at these
sizes; at tens of thousands of states they cannot hold as they stand in the notes, see `mdps.collection.errors`
[derived]. The notes say of the gradient that it is not negative for mu <= 1/e - 1/(SA): that holds at lam <= 1/(SA),
and in general wherever lam + mu <= 1/e [derived]; a pair visited far more often than that has a negative one.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mdps.collection.requirements import row_noise
from mdps.learners.max_ent import learner as LEARNER
from proofs_check.mutants import max_ent as faults
from proofs_check.papers import _max_ent_probes as probes
from proofs_check.papers import _ucrl2_probes as common
from theorylab.assume import average_reward, communicating, stationary
from theorylab.claim import Claim, Context, Control, HighProbability, Instance, Pointwise
from theorylab.probe import Probe

WEIGHTED = {"weighted": 1}
STEPS = {
    "standard": (
        Instance("riverswim", 2_000, {}, {}),
        Instance("wheel", 2_000, {}, WEIGHTED),
        Instance("garnet", 2_000, {"S": 6, "A": 3, "b": 3, "seed": 1}, WEIGHTED),
    ),
}
#: where faults are planted: every action is random, few sweeps are needed, sweeps that do not converge are cut short
THREE = {"S": 3, "A": 2, "b": 2, "seed": 2}
SMALL = Instance("garnet", 400, THREE, {**WEIGHTED, "delta": 0.01, "max_sweeps": 200})
#: boxes so narrow that they matter after few visits, for what holds at every scale
NARROW = Instance("garnet", 400, THREE, {**WEIGHTED, "alpha": 0.1, "max_sweeps": 200})
#: enough steps for the bound of the error to be below that of a wrong model
LONG = Instance("garnet", 60_000, THREE, {**WEIGHTED, "delta": 0.01, "max_sweeps": 200})


def level(c: Context) -> float:
    """delta, once for the whole run."""
    return float(c.delta)


def tables(c: Context) -> dict[str, Any]:
    """The true kernel (S,A,S) and the noise of its rows (S,A)."""
    P = np.array(c.model.dense())
    return {"P": P, "V": row_noise(P, len(P))}


CONTROLS = {
    name: Control(name, learner, replicates=4)
    for name, learner in {
        "radii zero": faults.radius_zero,
        "log factor dropped": faults.log_dropped,
        "delta left out": faults.delta_dropped,
        "variance outside the root": faults.variance_unrooted,
        "visits plus one": faults.count_ahead,
        "length in the logarithm": faults.length_in_log,
        "unvisited pairs stay": faults.unseen_stays,
        "upper ends above 1": faults.uncut,
        "entropy minimised": faults.negated,
        "logarithm alone": faults.log_only,
        "weights left out": faults.weights_ignored,
        "gradient of the first episode": faults.gradient_stale,
        "visits over the length": faults.divided_by_length,
        "drift not set back": faults.drift_kept,
        "noise without allowance": faults.plug_in_noise,
        "variance for noise": faults.variance_for_noise,
        "mass to the worst state": faults.mass_to_worst,
        "one sweep": faults.stops_early,
        "policy minimises": faults.policy_minimises,
        "action 0 played": faults.plays_zero,
        "trigger at fourfold visits": faults.trigger_late,
        "plan at every step": faults.trigger_always,
        "drift ignored": faults.drift_ignored,
        "drift squared": faults.drift_squared,
        "self-loops lost": faults.counts_lost,
        "successor not recorded": faults.successors_lost,
    }.items()
}
CONTROLS["successor not recorded, long"] = Control(
    "successor not recorded, long", faults.successors_lost, LONG, target="cpu"
)


def _step(
    name: str, text: str, tag: str, kind: Any, value: Any, at: str, tol: float, caught: str, copies: bool = False
) -> Claim:
    return Claim(
        id=f"tarbouriech2020.{name}",
        text=text,
        source_tag=tag,
        learner=LEARNER.name,
        kind=kind,
        quantity=Probe(f"max-ent.{name}", value, at, tol),
        instances=STEPS,
        control_instance=SMALL if isinstance(kind, HighProbability) else NARROW,
        assumes=(average_reward, communicating, stationary),
        controls=tuple(CONTROLS[c] for c in caught.split("; ")),
        tables=tables,
        monitor=probes.monitor,
        copies=copies,
    )


def _row(rng: np.random.Generator, least: int, uniform: bool) -> tuple[np.ndarray, int]:
    """A kernel (1,1,S) of one row with Gamma >= least successors, and Gamma."""
    S = int(rng.integers(least, 9))
    width = int(rng.integers(least, S + 1))
    law = np.zeros((1, 1, S))
    law[0, 0, rng.permutation(S)[:width]] = 1.0 / width if uniform else rng.dirichlet(np.ones(width))
    law /= law.sum()  # one successor: exactly 1
    return law, width


def noise_excess(rng: np.random.Generator) -> tuple[float, str]:
    """Largest of -V, V - sqrt(Gamma - 1) / sqrt S, that - 1, and 1 where V = 0 at two successors or more.

    Over random rows, half of them uniform on their successors, where the second is zero.
    """
    worst, where = -np.inf, ""
    for i in range(200):
        law, width = _row(rng, 1, i % 2 == 0)
        V, most = float(row_noise(law, law.size)[0, 0]), float(np.sqrt((width - 1.0) / law.size))
        found = max(-V, V - most, most - 1.0, 1.0 if width > 1 and V <= 0.0 else -1.0)
        if found > worst:
            worst, where = found, f"row {law[0, 0].tolist()}"
    return worst, where


def false_noise_excess(rng: np.random.Generator) -> tuple[float, str]:
    """The middle inequality with sqrt(Gamma - 1.01), at a row that is uniform on two successors or more."""
    law, width = _row(rng, 2, True)
    return float(row_noise(law, law.size)[0, 0] - np.sqrt((width - 1.01) / law.size)), f"row {law[0, 0].tolist()}"


claims = [
    _step(
        "gradient",
        "The rewards that are planned for are the gradient of H(lam) = sum w lam log(1/(lam + mu)) at the frequencies "
        "so far: they agree with its difference quotients.",
        "source", Pointwise(), probes.gradient, "plan", 1e-6,
        "entropy minimised; logarithm alone; weights left out; gradient of the first episode; visits over the length",
    ),
    _step(
        "positive",
        "The gradient is not negative wherever lam + mu <= 1/e: as mu <= 1/e - 1/(SA), wherever lam <= 1/(SA).",
        "derived", Pointwise(), probes.positive, "plan", 1e-12, "entropy minimised",
    ),
    _step(
        "weights",
        "At every plan w = V+ / sqrt(S log(S A / delta)), V+ = (1/sqrt S) sum (sqrt(p_hat (1 - p_hat)) + sqrt(2 l' / "
        "n)), l' = log(4 S^2 A n^2 / delta), n = max(1, N); w = 1 in MaxEnt.",
        "source", Pointwise(), probes.weights, "plan", 1e-9, "noise without allowance; variance for noise",
        copies=True,
    ),
    _step(
        "radii",
        "At every plan a box is p_hat -+ alpha (2 sqrt(p_hat (1 - p_hat) l / n) + 6 l / n), l = log(6 S A n / delta), "
        "cut to [0, 1]; everything before the first visit.",
        "source", Pointwise(), probes.radii, "plan", 1e-9,
        "radii zero; log factor dropped; delta left out; variance outside the root; visits plus one; length in the "
        "logarithm; unvisited pairs stay; upper ends above 1",
        copies=True,
    ),
    _step(
        "coverage",
        "Every entry of the true kernel is in its box at every plan, except with probability delta (lemma 1; alpha = "
        "1). Loose: the radii are about five times too large.",
        "source", HighProbability(level), probes.coverage, "plan", 1e-9, "radii zero",
    ),
    _step(
        "greedy",
        "The policy attains u_next = max_a g + tau max p~ u + (1 - tau) u over the boxes (least dual bound).",
        "source", Pointwise(), probes.greedy, "plan", 1e-8, "policy minimises; mass to the worst state",
    ),
    _step(
        "stopping",
        "Extended value iteration stops with span(u_next - u) < 1/sqrt(t_k).",
        "source", Pointwise(), common.stopping, "plan", 1e-12, "one sweep",
    ),
    _step(
        "episode",
        "The planned policy is played while Phi <= 2 log(1/mu) and the next pair has fewer than max(1, N) visits in "
        "the episode, no longer and no shorter.",
        "source", Pointwise(), probes.episode, "step", 0.0,
        "action 0 played; trigger at fourfold visits; plan at every step; drift ignored; drift squared; drift not set "
        "back",
    ),
    _step(
        "counts",
        "Counts are conserved: N is the environment's number of visits and the transitions are those that were made.",
        "derived", Pointwise(), probes.counts, "step", 0.0, "self-loops lost; successor not recorded",
    ),
    _step(
        "model-error",
        "Proposition 2: at every plan the average and the worst error of p_hat are within their bounds, except with "
        "probability delta. Far from equality.",
        "source", HighProbability(level), probes.model_error, "plan", 1e-9, "successor not recorded, long",
    ),
    Claim(
        id="tarbouriech2020.noise",
        text="For all rows: 0 <= V <= sqrt(Gamma - 1) / sqrt S <= 1, Gamma successors of S states, V = 0 exactly for "
        "one successor; equality of the middle for rows that are uniform on their successors.",
        source_tag="source",
        learner=LEARNER.name,
        scope="models",
        kind=Pointwise(),
        quantity=noise_excess,
        false_twin=false_noise_excess,
        instances={},
    ),
]  # fmt: skip
