"""Lemmas of the model-free baselines: weights of the rates, discounted against average values, regret, truncation.

    discounted      |g* - (1-gamma) V*_gamma(s)| <= (1-gamma) sp(h*),  sp(V*_gamma) <= 2 sp(h*)      [recalled: lemma 2]
    rates           a_n = (H+1)/(H+n), real H >= 1: sums of weights, and gamma (1 + 1/H) <= 1 for H = 1/(1-gamma) and
                    for gamma/(1-gamma)                                                              [recalled/derived]
    regret          g(pi') - g(pi) = sum_s m'(s) sum_a (pi'(a|s) - pi(a|s)) q(s,a), q = r - g + P h of pi [recalled]
    truncation      expected reward of (s,a) and N-1 steps of pi = N g + q(s,a) - (P P_pi^(N-1) h)(s,a)  [derived]

In models that reach state 0 from every pair, so that every policy has one recurrent class.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from proofs_check.lemmas._mdp import Array, backups, gain_bias, induced, optimal, stationary
from proofs_check.lemmas.learning_rate import tail, weights
from proofs_check.lemmas.performance_difference import degree, two_policies
from theorylab.lemma import Lemma, Sides
from theorylab.lemma_fields import Field, Instance
from theorylab.strategies import Source, model, policy

__all__ = ["CLOSENESS", "DECOMPOSITION", "TRUNCATION", "false_rates", "rates"]

Both = dict[str, tuple[Any, Any]]


def _excess(rng: np.random.Generator, spoilt: float) -> tuple[float, str]:
    worst, where = -np.inf, ""
    gammas = 1.0 - np.exp(rng.uniform(np.log(0.005), np.log(0.5), 40))
    sizes = np.exp(rng.uniform(np.log(20.0), np.log(3000.0), 40)).astype(int)
    for gamma, n, form in zip(gammas, sizes, rng.integers(0, 2, 40), strict=True):
        H = 1.0 / (1.0 - gamma) - form
        if H < 1.0:
            continue
        w, root = weights(H, int(n)), np.sqrt(n)
        before = np.arange(1, n + 1) ** -0.5
        sides = (
            ("sum to one", abs(float(w.sum()) - 1.0) - 1e-9),
            ("largest", float(w.max()) * n / (2.0 * H) - 1.0),
            ("sum of squares", float(w @ w) * n / (2.0 * H * spoilt) - 1.0),
            ("lower", 1.0 - root * float(w @ before)),
            ("upper", root * float(w @ before) / 2.0 - 1.0),
            ("tail", tail(H, int(n), 4 * int(n)) / (1.0 + 1.0 / H) - 1.0),
            ("discount", gamma * (1.0 + 1.0 / H) - 1.0 - 1e-12),
        )
        for name, value in sides:
            if value > worst or value != value:
                worst, where = value, f"{name} at H={H}, n={n}"
    return worst, where


def rates(rng: np.random.Generator) -> tuple[float, str]:
    """Largest relative excess over random gamma, both forms of H, and n."""
    return _excess(rng, 1.0)


def false_rates(rng: np.random.Generator) -> tuple[float, str]:
    """The false twin: a fifth of the bound on the sum of squares."""
    return _excess(rng, 0.2)


def best_gain(P: Array, r: Array, f: Field) -> tuple[Any, Array]:
    """Gain and bias of an optimal policy, by policy iteration that changes an action only for a better one."""
    pi = np.zeros(len(r), dtype=np.int64)
    at = np.arange(len(r))
    while True:
        g, h = gain_bias(P, r, pi, f)
        q = backups(P, r, 1, h)
        better = f.greedy(q)
        gained = q[at, better] > q[at, pi] + (0 if f.exact else 1e-9)
        if not gained.any():
            return g, h
        pi = np.where(gained, better, pi)


def _near(tenths: int, share: int) -> Sides:
    def sides(x: Any, f: Field) -> Both:
        g, h = best_gain(x.P, x.r, f)
        V, span = optimal(x.P, x.r, x.gamma, f), f.span(h)
        off = f.max(abs(g - (1 - x.gamma) * V))
        return {"average": (off * share, (1 - x.gamma) * span), "span": (10 * f.span(V), tenths * span)}

    return sides


def anchored(source: Source) -> Instance:
    """A model that reaches state 0 from every pair."""
    return model(source, anchored=True)


CLOSENESS = Lemma(
    name="wei2020.discounted",
    text="|g* - (1-gamma) V*_gamma(s)| <= (1-gamma) sp(h*) for every s, and sp(V*_gamma) <= 2 sp(h*).",
    tag="recalled",
    draw=anchored,
    sides=_near(20, 1),
    twins={"half of the span": _near(20, 2), "nine tenths of the span": _near(9, 1)},
)


def _regret(law: str, by_advantage: bool) -> Sides:
    def sides(x: Any, f: Field) -> Both:
        g, h = gain_bias(x.P, x.r, x.old, f)
        better, _ = gain_bias(x.P, x.r, x.new, f)
        q = x.r - g + x.P @ h
        shift = x.new - x.old if by_advantage else x.new
        return {"difference": (better - g, stationary(x.P, x.r, getattr(x, law), f) @ (shift * q).sum(axis=1))}

    return sides


DECOMPOSITION = Lemma(
    name="wei2020.regret-decomposition",
    text="g(pi') - g(pi) = sum_s m'(s) sum_a (pi'(a|s) - pi(a|s)) q_pi(s,a), m' the stationary law of pi' and q_pi = "
    "r - "
    "g + P h of pi: regret against pi' is regret of one bandit a state.",
    tag="recalled",
    draw=two_policies,
    sides=_regret("new", True),
    twins={"stationary law of the old policy": _regret("old", True), "old policy left out": _regret("new", False)},
    kind="identity",
    degree=degree,
)


def window(source: Source) -> Instance:
    """A model, a policy, and N steps."""
    x = model(source, anchored=True)
    return {**x, "pi": policy(source, x["S"], x["A"]), "N": source.integer(1, 4)}


def _truncated(exponent: int, with_gain: bool) -> Sides:
    def sides(x: Any, f: Field) -> Both:
        g, h = gain_bias(x.P, x.r, x.pi, f)
        chain, reward = induced(x.P, x.r, x.pi)
        value, rest = 0 * h, h
        for _ in range(x.N - 1):
            value = reward + chain @ value
        for _ in range(x.N - exponent):
            rest = chain @ rest
        left = x.r + x.P @ value
        right = x.N * g + (x.r - g + x.P @ h) - x.P @ rest if with_gain else (x.r - g + x.P @ h) - x.P @ rest
        return {"at most": (left, right), "at least": (right, left)}

    return sides


TRUNCATION = Lemma(
    name="wei2020.truncation",
    text="The expected reward of N steps from (s,a), the last N-1 by pi, is N g + q_pi(s,a) - (P P_pi^(N-1) h)(s,a): "
    "what "
    "the N-step return misses of q_pi + N g is a mean of the bias after N steps.",
    tag="derived",
    draw=window,
    sides=_truncated(1, True),
    twins={"one step less": _truncated(0, True), "gain left out": _truncated(1, False)},
)
