"""The law of total variance: the variance of a return is the sum of the variances of one step.

    discounted     Var(G)(s) = [(I - gamma^2 P_pi)^-1 sigma^2](s),  G = sum_t gamma^t r(s_t, a_t)
    H stages       Var(r_0 + ... + r_{H-1}) = E sum_h sigma_h^2(s_h)

with sigma^2(s) the variance of r(s,a) + gamma V(s'), a ~ pi(s), s' ~ P(s,a) [recalled: Sobel (1982)]. The left sides
are found from the second moment of the return, and by summation over all trajectories.

Degrees [derived]. Discounted: V and (I - gamma^2 P_pi)^-1 are quotients of degree at most S(A+3), both sides stand over
the square of the first denominator and the second one: at most 3 S(A+3) + 4. H stages: over the denominators of S rows
of pi and S A rows of P, H times for a trajectory and 2 H times for V^2: at most 3 H S (A+1) + 3.
"""

from __future__ import annotations

from typing import Any

from proofs_check.lemmas._mdp import Array, backups, induced, value
from theorylab.lemma import Lemma, Sides
from theorylab.lemma_fields import Field, Instance
from theorylab.strategies import Source, law, model, policy

__all__ = ["discounted", "stages"]


def _step(x: Any, V: Array, gamma: Any) -> tuple[Array, Array]:
    """Mean and second moment (S,) of r + gamma V(s') over a and s'."""
    target = x.r[:, :, None] + gamma * V[None, None, :]
    return (x.pi * (x.P * target).sum(axis=2)).sum(axis=1), (x.pi * (x.P * target**2).sum(axis=2)).sum(axis=1)


def _discounted(power: int, actions: bool) -> Sides:
    def sides(x: Any, f: Field) -> dict[str, tuple[Any, Any]]:
        V = value(x.P, x.r, x.gamma, x.pi, f)
        chain, _ = induced(x.P, x.r, x.pi)
        unit = f.eye(x.S)
        cross = (x.pi * (x.r * x.r + 2 * x.gamma * x.r * (x.P @ V))).sum(axis=1)
        second = f.solve(unit - x.gamma**2 * chain, cross)
        _, square = _step(x, V, x.gamma)
        q = backups(x.P, x.r, x.gamma, V)
        centre = V * V if actions else (x.pi * q * q).sum(axis=1)
        return {"variance": (second - V * V, f.solve(unit - x.gamma**power * chain, square - centre))}

    return sides


def _stages(ahead: int) -> Sides:
    def sides(x: Any, f: Field) -> dict[str, tuple[Any, Any]]:
        prob, returns = x.mu[None, :], f.array([f.number(0)])  # (trajectories, S) and (trajectories,)
        for _ in range(x.H):
            now = prob[:, :, None] * x.pi  # (trajectories, S, A)
            prob = (now[..., None] * x.P).reshape(-1, x.S)
            returns = (returns[:, None, None] + x.r).ravel()
        weight = prob.sum(axis=1)
        mean = weight @ returns
        V = [x.r[:, 0] * 0]
        for _ in range(x.H):
            V.append(_step(x, V[-1], 1)[0])
        chain, _ = induced(x.P, x.r, x.pi)
        at, total = x.mu, mean * 0
        for h in range(x.H):
            first, square = _step(x, V[x.H - 1 - h + ahead], 1)
            total = total + at @ (square - first * first)
            at = at @ chain
        return {"variance": (weight @ (returns * returns) - mean * mean, total + at_start(x, V[x.H]))}

    return sides


def at_start(x: Any, V: Array) -> Any:
    """Variance of V(s_0), s_0 ~ mu: the first of the steps."""
    return x.mu @ (V * V) - (x.mu @ V) ** 2


def chain(source: Source) -> Instance:
    """A discounted model and a stochastic policy."""
    x = model(source, S=(1, 3))
    return {**x, "pi": policy(source, x["S"], x["A"])}


def trajectories(source: Source) -> Instance:
    """A small model with H stages, a stochastic policy, a law of s_0."""
    H = source.size(1, 3)
    x = model(source, S=(1, 2), A=(1, 2))
    return {"H": H, **x, "pi": policy(source, x["S"], x["A"]), "mu": law(source, x["S"])}


discounted = Lemma(
    name="sobel1982.total-variance",
    text="Var of the discounted return from s = [(I - gamma^2 P_pi)^-1 sigma^2](s), sigma^2 the variance of r(s,a) + "
    "gamma V(s') over action and next state.",
    tag="recalled",
    draw=chain,
    sides=_discounted(2, True),
    twins={"gamma for gamma^2": _discounted(1, True), "variance of the action left out": _discounted(2, False)},
    kind="identity",
    degree=lambda x: 3 * x["S"] * (x["A"] + 3) + 4,
)

stages = Lemma(
    name="sobel1982.total-variance-stages",
    text="Var of the return of H stages = Var V_0(s_0) + E sum_h sigma_h^2(s_h), sigma_h^2 the variance of r(s,a) + "
    "V_{h+1}(s') over action and next state; all trajectories summed.",
    tag="derived",
    draw=trajectories,
    sides=_stages(0),
    twins={"V_h for V_{h+1}": _stages(1)},
    kind="identity",
    degree=lambda x: 3 * x["H"] * x["S"] * (x["A"] + 1) + 3,
)
