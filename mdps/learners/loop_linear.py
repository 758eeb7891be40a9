"""LOOP on linear functions (Algorithm 1 with the value-based discrepancy). Linear MDP, average reward, rewards known.

The class: Q = phi^T omega, |omega| <= W, V = max_a Q with |V| <= B/2, J <= cap, B = `span`; the auxiliary class all
linear functions. At the first step, and whenever the excess loss of the hypothesis in play has reached factor * beta on
all data, old and new,

    (omega, J) becomes the hypothesis of largest gain among those with |omega - u(omega) + J q|_M^2 <= beta,

M = Lam + ridge I; statistics, solvers and state: `mdps.learners._loop_linear`, `mdps.loop.linear`. `trigger` 0 excess
(factor 4 is the paper's [recalled]), 1 every step, 2 determinant doubled (then it is FOPO with another radius).

`beta` in units of reward squared; norms as for linear MDPs, |phi| <= L, |theta| and the norm of mu's total at most
sqrt(d), so that the truth, centred, has |omega| <= (2 + B/2) sqrt(d) (W = 0 takes this) [derived]:

    form 0   9 (sqrt(ridge) (W + W_e) + sqrt(beta_V) + 2 B / sqrt(T))^2,    W_e = W + cap |kappa| + (1 + B/2) sqrt(d),
             beta_V = (B^2/2) ((d/2) ln(1 + T L^2/(d ridge)) + d ln(1 + 4 W L T / B) + ln(1/delta)): an epoch adds at
             least beta to the sum of squared errors                                                       [derived]
    form 1   (sqrt(ridge) W + B sqrt(((d/2) ln(1 + T L^2/(d ridge)) + ln(1/delta)) / 2))^2, optimism only    [derived]
    form 2   constant * B (ln(T/delta) + 2 ln N), the paper's form, ln N = d ln(1 + 2 W L T) + ln ceil(T/2) for the
             functions and gains at mesh 1/T; the constant is not specified there          [recalled; N derived]

`scale` multiplies it; `beta` > 0 replaces the form. L = 0 takes the largest |phi|. Without a ridge (0) forms 0 and 1
have no meaning, and J absorbs the centring of V exactly; with one-hot features the learner is then `loop`.

Source: he2024, Algorithm 1 [recalled; linear class: recalled], its reduction [derived].
"""

from __future__ import annotations

from math import ceil
from typing import Any

import numpy as np

from mdps.learners._loop import checked_factors
from mdps.learners._loop_linear import SOLVER, STATE, act, begin, checked, doubled, plan_one, record
from theorylab.errors import InputError
from theorylab.kernel import kernel, log, sqrt
from theorylab.learner import Learner


@kernel
def watch(st, p, t, s, a, r, s2):
    """Record the step; true when the hypothesis is given up."""
    record(st, p, s, a, s2)
    if p.trigger == 0:
        return st.upsilon[0] >= p.factor * p.beta
    if p.trigger == 1:
        return True
    return doubled(st, p)


def noise(p: dict[str, Any]) -> float:
    """(d/2) ln(1 + T L^2/(d ridge)) + ln(1/delta)."""
    d = p["d"]
    return float(0.5 * d * log(1.0 + p["T"] * p["L"] ** 2 / (d * p["ridge"])) + log(1.0 / p["delta"]))


def beta_of(p: dict[str, Any]) -> float:
    """beta of the form asked for, before `scale`; reward squared."""
    B, W, L, d, T = p["span"], p["W"], p["L"], p["d"], float(p["T"])
    if p["form"] == 2:
        size = d * log(1.0 + 2.0 * W * L * T) + log(float(ceil(max(2.0, T / 2.0))))
        return float(p["constant"] * B * (log(T / p["delta"]) + 2.0 * size))
    root = sqrt(p["ridge"])
    if p["form"] == 1:
        return float((root * W + B * sqrt(0.5 * noise(p))) ** 2)
    uniform = B * sqrt(0.5 * (noise(p) + d * log(1.0 + 4.0 * W * L * T / B))) + 2.0 * B / sqrt(T)
    return float(9.0 * (root * (W + p["W_e"]) + uniform) ** 2)


def derive(p: dict[str, Any]) -> dict[str, Any]:
    """beta, L, W, W_e; refuses parameters without meaning."""
    name = "loop-linear"
    checked_factors(name, p, "factor", "constant")
    kappa = checked(name, p)
    if p["trigger"] not in (0, 1, 2):
        raise InputError(f"learner '{name}': trigger={p['trigger']} is none of 0 excess, 1 every step, 2 determinant")
    for key in ("ridge", "L", "W"):
        if p[key] < 0.0:
            raise InputError(f"learner '{name}': {key}={p[key]} is negative")
    if p["ridge"] == 0.0 and p["beta"] == 0.0 and p["form"] != 2:
        raise InputError(
            f"learner '{name}': ridge=0 leaves form={p['form']} without a beta; give a ridge, beta, or form=2"
        )
    largest = float(np.sqrt((p["phi"] ** 2).sum(axis=-1)).max())
    if 0.0 < p["L"] < largest * (1.0 - 1e-12):
        raise InputError(
            f"learner '{name}': L={p['L']} is below the largest |phi| = {largest:.10g}; give at least that"
        )
    B, root = p["span"], sqrt(float(p["d"]))
    W = p["W"] or (2.0 + 0.5 * B) * root
    norms = dict(L=p["L"] or largest, W=W, W_e=W + p["cap"] * float(sqrt(kappa @ kappa)) + (1.0 + 0.5 * B) * root)
    return dict(**norms, width=B, beta=p["scale"] * (p["beta"] or beta_of({**p, **norms})))


def example(model: Any) -> dict[str, Any]:
    """A span that fits small models, and a budget that is exceeded within some ten steps."""
    return dict(span=4.0, scale=0.002)


learner = Learner(
    name="loop-linear",
    setting="average",
    cite="he2024",
    source_tag="recalled",
    params=dict(
        delta=0.05, span=0.0, beta=0.0, form=0, constant=1.0, scale=1.0, factor=4.0, trigger=0, cap=1.0, ridge=1.0,
        L=0.0, W=0.0, **SOLVER,
    ),
    knows=("phi", "r"),
    state=STATE,
    begin=begin,
    act=act,
    watch=watch,
    plan_one=plan_one,
    derive=derive,
    example=example,
    text="The paper leaves beta's constant and the solution of its program open: derived beta, a ridge, an enumeration "
    "of the maximising actions with certified bounds (or a certified grid, or a heuristic ascent); of the maximisers "
    "the one of least norm.",
)  # fmt: skip
