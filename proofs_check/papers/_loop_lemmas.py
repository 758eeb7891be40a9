"""LOOP's deterministic steps on all data and hypotheses: losses, elimination of Q, bounds of gains, Bellman errors."""

from __future__ import annotations

from typing import Any

from proofs_check.lemmas import loop as lemmas
from theorylab.claim import Claim, Pointwise


def lemma(name: str, text: str, quantity: Any, twin: Any, learner: str = "loop", tag: str = "derived") -> Claim:
    """A claim of the paper on all models."""
    return Claim(
        id=f"he2024.lemma-{name}",
        text=text,
        source_tag=tag,
        learner=learner,
        kind=Pointwise(),
        scope="models",
        quantity=quantity,
        false_twin=twin,
        instances={},
    )


CLAIMS = [
    lemma(
        "excess",
        "L9: with all tables as auxiliary class, L(f, Q_f) - inf_g L(f, g) = sum n (Q + J - r - P_hat V)^2; unvisited "
        "pairs weigh nothing.",
        lemmas.losses,
        lemmas.false_losses,
    ),
    lemma(
        "triangle",
        "L10: |sqrt(excess of f) - sqrt(sum n E(f)^2)| <= sqrt(sum n ((P_hat - P) V)^2).",
        lemmas.triangle,
        lemmas.false_triangle,
    ),
    lemma(
        "elimination",
        "b1: the infimum of the excess over Q with max_a Q = V is sum n (c - V)_+^2 + sum_s min_a n (V - c)_+^2, "
        "c = r + P_hat V - J.",
        lemmas.elimination,
        lemmas.false_elimination,
    ),
    lemma(
        "policy-bound",
        "b2: U(pi) = <mu, r> + sqrt(beta sum mu^2 / n), mu the stationary law of P_hat under pi, is at least the gain "
        "of every hypothesis with excess at most beta that pi is greedy for.",
        lemmas.law_bound,
        lemmas.false_law_bound,
    ),
    lemma(
        "dual-bound",
        "b2: for every signed m that is <= 0 off pi, k = sum m > 0 and d = m P_hat - m, such a hypothesis has "
        "k J <= sum m r + sqrt(beta sum m^2 / n) + (B/2) sum |d|.",
        lemmas.dual,
        lemmas.false_dual,
    ),
    lemma(
        "box",
        "b5: the gain of extended value iteration with a bonus sqrt(beta/n) for each pair on its own is at least that "
        "of every hypothesis with excess at most beta.",
        lemmas.box,
        lemmas.false_box,
        "loop-box",
    ),
    lemma(
        "distance",
        "M4: |E(f)(x)| <= B TV(P_f, P)(x) + |r_f - r|(x) for the solution of a model f, TV half of the 1-norm.",
        lemmas.distance,
        lemmas.false_distance,
        "mle-loop",
    ),
    lemma(
        "mixture",
        "X: for linear mixtures E(f)(s,a) = (theta_f - theta)^T X(s,a), X = psi + sum_s' phi V_f(s').",
        lemmas.mixture,
        lemmas.false_mixture,
        "loop-models",
    ),
    lemma(
        "transition",
        "L2 for one transition: E(f)(s,a) + (P V)(s,a) - V(s) = J - r(s,a) where a is greedy, for every table Q and J.",
        lemmas.transition,
        lemmas.false_transition,
        "loop-values",
        "recalled",
    ),
    lemma(
        "eluder",
        "With sum_{i<t} E(f_t)(x_i)^2 <= b at every t, |E(f_t)(x_t)| > u at most (b/u^2 + 1) dim(u) times, dim(u) the "
        "eluder dimension of the Bellman errors on points.",
        lemmas.eluder,
        lemmas.false_eluder,
        "loop-values",
    ),
    lemma(
        "scale",
        "With rewards, B and the cap times k and beta times k^2 the largest gain is k times as large.",
        lemmas.scale,
        lemmas.false_scale,
    ),
]
