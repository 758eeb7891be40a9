"""The simulation lemma: values of two Markov chains whose rows are close.

    |V(s) - V^(s)| <= gamma e / (2 (1 - gamma)^2),   ||P(s) - P^(s)||_1 <= e for all s, rewards in [0, 1]     [recalled]

Kearns and Singh (2002), lemma 4, in its usual form. Here gamma = 9/10 and e = 1/5; P^ = P + (e/2) (Q - P) for any
kernel Q, so that every point of the space satisfies the premise with no repair.

The largest ratio is (1 - gamma) / (1 - gamma + gamma e/2) = 10/19 = 0.526316 [derived]: couple the next states so that
they agree with probability 1 - e/2; with D = max (V - V^), D <= gamma ((1 - e/2) D + (e/2) / (1 - gamma)). It is
attained by two absorbing states of rewards 1 and 0, P^ leaving the first with probability e/2.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from theorylab.adversary_space import Interval, Point, Rows, Space
from theorylab.adversary_target import Target

__all__ = ["scaled", "target"]

GAMMA, E = Fraction(9, 10), Fraction(1, 5)
BOUND = GAMMA * E / (2 * (1 - GAMMA) ** 2)
ATTAINABLE = (1 - GAMMA) / (1 - GAMMA + GAMMA * E / 2)


def space(S: int = 4) -> Space:
    """Kernels P, Q (S,S) and rewards r (S,) in [0, 1]."""
    return Space({"P": Rows("SS"), "Q": Rows("SS"), "r": Interval("S")}, {"S": S})


def ratio(point: Point) -> float:
    """max_s |V(s) - V^(s)| over the bound."""
    P, Q, r = point["P"], point["Q"], point["r"]
    gamma, e = float(GAMMA), float(E)
    kernels = np.stack([P, P + 0.5 * e * (Q - P)])
    V = np.linalg.solve(np.eye(len(r)) - gamma * kernels, r[:, None])
    return float(np.abs(V[0] - V[1]).max()) / float(BOUND)


def _values(P: Any, r: Any) -> list[Fraction]:
    """(I - gamma P)^-1 r in fractions, by elimination; strict diagonal dominance needs no pivoting."""
    n = len(r)
    rows = [[Fraction(int(i == j)) - GAMMA * P[i][j] for j in range(n)] + [r[i]] for i in range(n)]
    for k in range(n):
        for i in range(n):
            if i != k:
                factor = rows[i][k] / rows[k][k]
                rows[i] = [a - factor * b for a, b in zip(rows[i], rows[k], strict=True)]
    return [rows[i][n] / rows[i][i] for i in range(n)]


def exact(point: Mapping[str, Any]) -> Fraction:
    """The ratio in fractions."""
    P, Q, r = point["P"], point["Q"], point["r"]
    moved = P + (Q - P) * (E / 2)
    return max(abs(a - b) for a, b in zip(_values(P, r), _values(moved, r), strict=True)) / BOUND


def starts(where: Space) -> list[tuple[str, Point]]:
    """A chain that climbs to a rewarding end and slips in P^, and a JAO pair whose good action is taken away."""
    S = where.sizes["S"]
    up, down = np.zeros((S, S)), np.zeros((S, S))
    up[np.arange(S), np.minimum(np.arange(S) + 1, S - 1)] = 1.0
    down[np.arange(S), np.maximum(np.arange(S) - 1, 0)] = 1.0
    end = np.zeros(S)
    end[-1] = 1.0
    pair = np.zeros((S, S))
    pair[:, 0], pair[:, -1] = 0.8, 0.2
    pair[-1] = pair[-1][::-1]
    fallen = np.zeros((S, S))
    fallen[:, 0] = 1.0
    return [("chain", {"P": up, "Q": down, "r": end}), ("JAO pair", {"P": pair, "Q": fallen, "r": end})]


def scaled(factor: Fraction) -> Target:
    """The lemma with `factor` times its constant: false for a factor below 10/19."""
    return Target(
        name="simulation-lemma",
        text=f"simulation lemma: |V - V^| <= {'' if factor == 1 else f'{factor} '}gamma e / (2 (1 - gamma)^2), "
        f"gamma = {GAMMA}, e = {E}",
        source_tag="recalled",
        space=space,
        objective=lambda point: ratio(point) / float(factor),
        starts=starts,
        exact=lambda point: exact(point) / factor,
        attainable=float(ATTAINABLE / factor),
    )


target = scaled(Fraction(1))
