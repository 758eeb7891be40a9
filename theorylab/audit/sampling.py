"""Checks of draws: what a randomised agent exposes has the law that it says, draw by draw.

Given the past, a draw from its stated law F has F(draw) uniform on [0, 1], and draws of one plan or of successive plans
are independent. F is computed from the environment's counters. So the numbers of a run, in order, are independent
uniform numbers whatever the agent played, and four sums of them are tested: the mean and the spread (Hoeffding), the
whole distribution (Dvoretzky, Kiefer, Wolfowitz with Massart's constant), and products of neighbours and of successive
plans (Azuma). Each error is exact at every sample size.

    law "beta"       bandit with rewards 0 and 1: Q(a) ~ Beta(1 + sum of rewards, 1 + plays - sum)
    law "dirichlet"  p_plan(s,a,.) ~ Dirichlet(mass + transitions); r_plan(s,a) ~ Beta as above if rewards are drawn
    law "regression" Q_h(s,a) ~ N((beta H + sum (r + max Q_{h+1})) / (n + beta), v / (n + beta))
    law "epsilon"    an action that does not maximise Q has probability epsilon (A - number of maximisers) / A
    law "linear"     Q = X theta, theta ~ N(ridge estimate, inflation^2 V^-1), `inflation` a read-out

The traits `law` = {"kind": ..., "mass", "rewards", "v", "beta", "lam": ...} say which.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.special import betainc, ndtr

from theorylab.audit.checks import ALL, HELD, Check, Memory, Outcome, Scale
from theorylab.audit.world import Moment

__all__ = ["SAMPLING", "uniform_fault"]

LEAST = 50  # draws before anything is said


def _beta(m: Moment, c: Memory, law: dict[str, Any]) -> np.ndarray:
    won, n = m.world.sums, m.world.visits
    if not np.array_equal(won, np.round(won)):
        return np.zeros(0)
    return np.asarray(betainc(1.0 + won, 1.0 + n - won, m.read["Q"]))


def _dirichlet(m: Moment, c: Memory, law: dict[str, Any]) -> np.ndarray:
    P = m.read["p_plan"]
    before = c.more.get("P")
    if m.world.setting == "average" and before is not None and np.array_equal(before, P):
        return np.zeros(0)
    c.more["P"] = P
    w = m.world
    moves = w.moves if w.setting == "average" else w.moves.sum(axis=0)
    shape = law["mass"] + moves
    out = []
    left, rest = np.ones(P.shape[:2]), shape.sum(axis=-1)
    for y in range(w.S - 1):  # the row piece by piece: independent beta numbers
        rest = rest - shape[..., y]
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.where(left > 1e-9, P[..., y] / left, np.nan)
        out.append(betainc(shape[..., y], rest, np.clip(share, 0.0, 1.0)).ravel())
        left = left - P[..., y]
    if law.get("rewards"):
        won, n = (x if w.setting == "average" else x.sum(axis=0) for x in (w.sums, w.visits))
        out.append(betainc(1.0 + won, 1.0 + n - won, m.read["r_plan"]).ravel())
    return np.concatenate(out)


def _regression(m: Moment, c: Memory, law: dict[str, Any]) -> np.ndarray:
    w, Q = m.world, m.read["Q"]
    V = np.concatenate([Q[1:].max(axis=-1), np.zeros((1, w.S))])
    weight = 1.0 / (w.visits + law["beta"])
    mean = weight * (law["beta"] * w.H + w.sums + np.einsum("hsay,hy->hsa", w.moves, V))
    return np.asarray(ndtr((Q - mean) / np.sqrt(law["v"] * weight))).ravel()


def _linear(m: Moment, c: Memory, law: dict[str, Any]) -> np.ndarray:
    X = m.world.features
    if X is None or X.ndim != 2:
        return np.zeros(0)
    V = law["lam"] * np.eye(X.shape[1]) + (X.T * m.world.visits) @ X
    theta = np.linalg.solve(V, X.T @ m.world.sums)
    drawn = np.linalg.lstsq(X, m.read["Q"], rcond=None)[0]
    size = float(m.read["inflation"])
    if not size > 0.0:  # no draw at all: as far from uniform as can be
        return np.zeros(X.shape[1])
    return np.asarray(ndtr(np.linalg.cholesky(V).T @ (drawn - theta) / size))


def _epsilon(m: Moment, c: Memory, law: dict[str, Any]) -> np.ndarray:
    """A uniform number that is large where the action is no maximiser, which has probability epsilon (A - best)/A."""
    row = m.read["Q"][m.stage, m.state]
    other = law["epsilon"] * float((row < row.max() - 1e-12).mean())
    if other == 0.0:
        return np.zeros(0)
    x = float(np.random.Generator(np.random.Philox(key=m.t)).random())
    return np.array([1.0 - other * x if row[m.action] < row.max() - 1e-12 else (1.0 - other) * x])


NEEDS = {
    "epsilon": ("Q",),
    "beta": ("Q",),
    "dirichlet": ("p_plan",),
    "regression": ("Q",),
    "linear": ("Q", "inflation"),
}
KINDS = {"epsilon": _epsilon, "beta": _beta, "dirichlet": _dirichlet, "regression": _regression, "linear": _linear}


def _collect(m: Moment, c: Memory, s: Scale) -> Outcome:
    law = c.traits["law"]
    if m.last or (m.stage and law["kind"] != "epsilon") or not set(NEEDS[law["kind"]]) <= set(m.read):
        return None
    x = KINDS[law["kind"]](m, c, law)
    if x.size:
        c.draws.append(np.asarray(x, dtype=float))
    return HELD if c.draws else None


def uniform_fault(runs: list[list[np.ndarray]], level: float) -> str:
    """What is wrong with numbers that should be independent and uniform, "" if nothing is; error at most `level`.

    `runs` has the numbers of each plan of each replicate. NaN stands for a number that rounding hid and is left out.
    """
    flat = [np.concatenate(r) for r in runs if r]
    x = np.concatenate(flat) if flat else np.zeros(0)
    x = x[np.isfinite(x)]
    n = x.size
    if n < LEAST:
        return ""
    log = math.log(2.0 * 5.0 / level)  # two sides of five tests
    mean, spread = float(x.mean()), float((12.0 * (x - 0.5) ** 2).mean())
    if abs(mean - 0.5) > math.sqrt(log / (2.0 * n)):
        return f"mean of F(draw) = {mean:.4g}, not 1/2, over {n} draws"
    if abs(spread - 1.0) > 3.0 * math.sqrt(log / (2.0 * n)):
        return f"12 times the variance of F(draw) = {spread:.4g}, not 1, over {n} draws"
    top = np.arange(1, n + 1) / n
    apart = float(np.maximum(np.abs(np.sort(x) - top), np.abs(np.sort(x) - top + 1.0 / n)).max())
    if apart > math.sqrt(log / (2.0 * n)):
        return f"F(draw) is {apart:.4g} off the uniform distribution, over {n} draws"
    near = [2.0 * (r - 0.5) for r in flat]
    plans = [2.0 * (np.stack(r) - 0.5) for r in runs if r and len({y.size for y in r}) == 1]
    for word, pairs in (
        ("neighbours", [r[1:] * r[:-1] for r in near]),
        ("successive plans", [(r[1:] * r[:-1]).ravel() for r in plans]),
    ):
        product = np.concatenate(pairs) if pairs else np.zeros(0)
        product = product[np.isfinite(product)]
        if product.size and abs(product.sum()) > math.sqrt(2.0 * product.size * log):
            return f"draws of {word} are correlated: {3.0 * product.mean():.4g} over {product.size} pairs"
    return ""


SAMPLING = (
    Check("law", "draws have the stated law, independently", "draws", (), ALL, _collect, "law"),
)  # fmt: skip
