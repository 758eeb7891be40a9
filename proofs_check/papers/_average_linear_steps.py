"""Steps that UCRL2-VTR and LOOP-EVI share: name -> text, tag, kind, probe, moment, tolerance, faults, whether a copy.

`sure` is the kind of steps that hold with the confidence set's probability; RADIUS is bound by the paper.
"""

from __future__ import annotations

from typing import Any

from proofs_check.papers import _ucrl2_vtr_probes as probes
from theorylab.claim import Pointwise

Steps = dict[str, tuple[Any, ...]]


def steps(sure: Any, radius: Any) -> Steps:
    """The table with the learner's radius."""

    def on(k: Any) -> Any:
        return k.throughout(RADIUS=radius)

    flat = Pointwise()
    return {
        "confidence": (
            "|theta_hat - theta|_A <= radius at every plan, A and theta_hat the ridge regression of w(s') on X.",
            "derived", sure, on(probes.confidence), "plan", 1e-9,
            "value of the state left",
        ),
        "optimism": (
            "The largest change of the last sweep is at least the optimal gain at every plan: on the event of "
            "confidence, as the truncated sweep dominates the truncated Bellman update of the true model.",
            "derived", sure, probes.optimism, "plan", 1e-9, "radius zero; lower bound",
        ),
        "domination": (
            "Wherever theta is in the ellipsoid, Q >= r + P u for every pair.",
            "derived", flat, on(probes.domination), "plan", 1e-9, "lower bound; norm squared",
        ),
        "overshoot": (
            "Wherever theta is in the ellipsoid, Q <= r + P u + 2 radius |X|_{A^-1}.",
            "derived", flat, on(probes.overshoot), "plan", 1e-9, "half the range off",
        ),
        "decomposition": (
            "Wherever theta is in the ellipsoid, gain <= Q(s,pi(s)) - u(s) + 1/sqrt(T) for every state: gain - r <= "
            "E + P u - u(s) + 1/sqrt(T).",
            "derived", flat, on(probes.decomposition), "plan", 1e-9, "policy minimises; one sweep",
        ),
        "error": (
            "E = Q - r - P u = (theta~ - theta)^T X exactly, theta~ the maximiser along A^{-1} X, and theta~ is in the "
            "ellipsoid wherever theta is.",
            "derived", flat, on(probes.error_identity), "plan", 1e-7, "uncentred; half the range off",
        ),
        "radius": (
            "The radius is the printed one.",
            "source", flat, on(probes.radii), "plan", 1e-9,
            "radius zero; log factor dropped; delta left out; norm of theta dropped", True,
        ),
        "formula": (
            "Q = r + c + clip(<X, theta_hat> + radius |X|_{A^-1}, -half, half), c the midrange of u and half its span.",
            "derived", flat, on(probes.formula), "plan", 1e-7,
            "no clipping; norm squared; unseen directions known", True,
        ),
        "centred": (
            "w is u minus its midrange (pitfall 8).",
            "source", flat, probes.centred, "plan", 1e-12, "uncentred; half the range off",
        ),
        "range": (
            "Q - r lies between min u and max u, as the average of u under any law does.",
            "derived", flat, probes.in_range, "plan", 1e-9, "no clipping",
        ),
        "backup": (
            "The last sweep is (1 - tau) u + tau L u, L truncated at the span bound above its least value.",
            "derived", flat, probes.backup, "plan", 1e-9, "no truncation",
        ),
        "span": (
            "The span of u is at most the bound, so that targets lie in an interval of that length.",
            "derived", flat, probes.span, "plan", 1e-9, "no truncation",
        ),
        "greedy": (
            "The planned action of every state attains the maximum of the last sweep.",
            "recalled", flat, probes.greedy, "plan", 0.0, "policy minimises",
        ),
        "played": (
            "The action played is the planned one.",
            "recalled", flat, probes.played, "step", 0.0, "action 0 played",
        ),
        "stopping": (
            "Sweeps stop with the span of L u - u below 1/sqrt(T).",
            "recalled", flat, probes.stopping, "plan", 1e-12, "one sweep",
        ),
        "normal-equations": (
            "A theta_hat = sum X w(s') / v at every plan, with the environment's transitions, the w of the plan that "
            "each step was played by (pitfall 7) and v = 1 or sigma^2.",
            "source", flat, probes.normal_equations, "plan", 1e-9,
            "estimate kept; value of the state left; features without values; ridge lam + 1",
        ),
        "inverse": (
            "The matrix kept is the inverse of A = lam I + sum X X^T / v.",
            "source", flat, probes.inverse, "plan", 1e-8,
            "ridge lam + 1; unseen directions known; features without values",
        ),
        "counts": (
            "Each step is one sample of the regression.",
            "derived", flat, probes.counts, "step", 0.0, "self-loops lost",
        ),
        "determinant": (
            "The determinant that the trigger reads is that of A.",
            "source", flat, probes.determinant, "step", 1e-8, "determinant of norms; self-loops lost",
        ),
        "potential": (
            "sum min(1, |X|^2 / v) <= 2 ln(det A / lam^d), each norm in the matrix before its step (elliptical "
            "potential).",
            "derived", flat, probes.potential, "step", 1e-8, "self-loops lost",
        ),
        "trigger": (
            "Before every step det A is less than twice that of the plan.",
            "source", flat, probes.trigger, "step", 1e-9, "tripled determinant",
        ),
        "widths": (
            "|X|^2 in the matrix of the plan is at most twice that in the matrix before the step.",
            "derived", flat, probes.widths_kept, "step", 1e-9, "tripled determinant",
        ),
        "switches": (
            "The number of plans is at most 1 + log2(det A / lam^d).",
            "derived", flat, probes.switches, "step", 1e-8, "plan at every step",
        ),
    }  # fmt: skip
