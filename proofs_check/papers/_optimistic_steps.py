"""Steps that the proofs of UCRL2B and KL-UCRL share word for word: what `_step` takes after the name."""

from __future__ import annotations

from typing import Any

from proofs_check.papers import _optimistic_probes as shared
from proofs_check.papers import _ucrl2_probes as common
from theorylab.claim import Pointwise

#: name -> text, tag, kind, probe, moment, tolerance, faults that it must catch, and whether it repeats a formula
STEPS: dict[str, tuple[Any, ...]] = {
    "counts": (
        "Counts are conserved: N + nu equals the visits that the environment has served, and the transitions counted "
        "are those it made.",
        "derived",
        Pointwise(),
        common.counts,
        "step",
        0.0,
        "self-loops lost; successor not recorded",
    ),
    "estimate": (
        "At every plan p_hat is the empirical law: visits times p_hat are the transitions that the environment made.",
        "derived",
        Pointwise(),
        shared.estimate,
        "plan",
        1e-9,
        "visits plus one; first estimate kept",
    ),
    "optimistic-reward": (
        "The optimistic reward is min(1, empirical mean + radius), and 1 before the first visit.",
        "derived",
        Pointwise(),
        shared.optimistic_reward,
        "plan",
        1e-9,
        "optimistic rewards above 1; unvisited pairs at zero",
        True,
    ),
    "cap": (
        "Optimistic rewards are at most 1, the largest reward of a plausible MDP.",
        "recalled",
        Pointwise(),
        common.clipping,
        "plan",
        0.0,
        "optimistic rewards above 1",
    ),
    "greedy": (
        "The planned action of every state attains the maximum of the last sweep.",
        "recalled",
        Pointwise(),
        shared.greedy,
        "plan",
        1e-8,
        "policy minimises",
    ),
    "played": (
        "The action played is the planned one.",
        "recalled",
        Pointwise(),
        shared.played,
        "step",
        0.0,
        "action 0 played",
    ),
    "stopping": (
        "Extended value iteration stops with span(u_next - u) < 1/sqrt(t_k).",
        "recalled",
        Pointwise(),
        common.stopping,
        "plan",
        1e-12,
        "one sweep",
    ),
    "episodes": (
        "The number of episodes up to n >= SA steps is at most SA log2(8n/(SA)) (proposition 18 of UCRL2's paper).",
        "recalled",
        Pointwise(),
        common.episodes,
        "step",
        0.0,
        "plan at every step",
    ),
}
