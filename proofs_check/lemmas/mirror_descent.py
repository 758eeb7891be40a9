"""Mirror descent: the three-point identity, the regret of gradient steps, the regret of exponential weights.

    three points   D(x,z) = D(x,y) + D(y,z) + <psi'(y) - psi'(z), x - y>, D the Bregman divergence of psi; here
                   psi(x) = sum_i (c_i x_i^2 / 2 + x_i^4 / 4)                                  Chen and Teboulle (1993)
    steps          sum_t <g_t, x_t - u> = (|u - x_1|^2 - |u - x_{T+1}|^2) / (2 eta) + eta/2 sum_t |g_t|^2 for
                   x_{t+1} = x_t - eta g_t                                                     Beck and Teboulle (2003)
    exponential    sum_t <p_t, l_t> - min_i L_i <= ln K / eta + eta T / 8, losses in [0, 1]
    weights                                                            Cesa-Bianchi and Lugosi (2006), theorem 2.2

[recalled]. The last is hard where the leader always loses next; about half of the rounds are drawn so.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from proofs_check.lemmas._mdp import Array
from theorylab.lemma import Lemma, Sides
from theorylab.lemma_fields import Field, Instance
from theorylab.strategies import Source, features, rewards, table

__all__ = ["exponential_weights", "gradient_steps", "three_points"]

Both = dict[str, tuple[Any, Any]]


def points(source: Source) -> Instance:
    """Curvatures c >= 0 and three points of R^n."""
    n = source.size(1, 3)
    x, y, z = features(source, 3, n)
    return {"c": rewards(source, n), "x": x, "y": y, "z": z}


def _bregman(c: Array, x: Array, y: Array) -> Any:
    psi = [(c * u * u / 2 + u**4 / 4).sum() for u in (x, y)]
    return psi[0] - psi[1] - (c * y + y**3) @ (x - y)


def _three(sign: int) -> Sides:
    def sides(x: Any, f: Field) -> Both:
        slope = (x.c * x.y + x.y**3) - (x.c * x.z + x.z**3)
        right = _bregman(x.c, x.x, x.y) + _bregman(x.c, x.y, x.z) + sign * (slope @ (x.x - x.y))
        return {"three points": (_bregman(x.c, x.x, x.z), right)}

    return sides


def steps(source: Source) -> Instance:
    """A start, a comparator, T gradients in R^n, a rate."""
    n, T = source.size(1, 3), source.size(1, 4)
    start, u, *g = features(source, T + 2, n)
    return {"start": start, "u": u, "g": np.stack(g), "eta": source.number(0, 1) + Fraction(1, 4)}


def _steps(last: int) -> Sides:
    def sides(x: Any, f: Field) -> Both:
        at, total = x.start, 0 * x.eta
        for g in x.g:
            total, at = total + g @ (at - x.u), at - x.eta * g
        ends = ((x.u - x.start) ** 2).sum() - last * ((x.u - at) ** 2).sum()
        return {"regret": (total, ends / (2 * x.eta) + x.eta / 2 * (x.g * x.g).sum())}

    return sides


def losses(source: Source) -> Instance:
    """Losses (T,K) in [0, 1] and a rate; in about half of the rounds the leader alone loses."""
    K, T = source.size(2, 3), source.size(1, 8)
    eta, rows, sums = Fraction(source.integer(1, 12), 4), [], [Fraction(0)] * K
    for _ in range(T):
        if source.integer(0, 1) == 0:
            row = [Fraction(int(i == sums.index(min(sums)))) for i in range(K)]
        else:
            row = [source.number(0, 1) for _ in range(K)]
        rows += row
        sums = [a + b for a, b in zip(sums, row, strict=True)]
    return {"K": K, "T": T, "eta": eta, "loss": table(rows, T, K)}


def _hedge(prior: int, quadratic: int) -> Sides:
    def sides(x: Any, f: Field) -> Both:
        weights, paid = f.exp(0 * x.loss[0]), 0 * x.eta
        for row in x.loss:
            paid = paid + (weights * row).sum() / weights.sum()
            weights = weights * f.exp(-x.eta * row)
        bound = f.log(f.array([f.number(x.K)]))[0] / (prior * x.eta) + x.eta * x.T / quadratic
        return {"regret": (paid - x.loss.sum(axis=0), bound)}

    return sides


three_points = Lemma(
    name="chen1993.three-points",
    text="D(x,z) = D(x,y) + D(y,z) + <psi'(y) - psi'(z), x - y> for the Bregman divergence of psi = sum_i (c_i x_i^2 / "
    "2 + x_i^4 / 4).",
    tag="recalled",
    draw=points,
    sides=_three(1),
    twins={"sign of the last term": _three(-1), "last term left out": _three(0)},
    kind="identity",
    degree=lambda x: 5,
)

gradient_steps = Lemma(
    name="beck2003.gradient-steps",
    text="sum_t <g_t, x_t - u> = (|u - x_1|^2 - |u - x_{T+1}|^2) / (2 eta) + eta/2 sum_t |g_t|^2 for "
    "x_{t+1} = x_t - eta g_t.",
    tag="recalled",
    draw=steps,
    sides=_steps(1),
    twins={"last distance left out": _steps(0)},
    kind="identity",
    degree=lambda x: 4,
)

exponential_weights = Lemma(
    name="cesabianchi2006.exponential-weights",
    text="Theorem 2.2: exponential weights with rate eta lose at most ln K / eta + eta T / 8 more than any expert, for "
    "losses in [0, 1].",
    tag="recalled",
    draw=losses,
    sides=_hedge(1, 8),
    twins={"half of ln K": _hedge(2, 8), "eta T / 16": _hedge(1, 16)},
    irrational=True,
)
