"""Gradients of tabular softmax policies, pi(a|s) = w(s,a) / sum_b w(s,b), w = exp(theta) any positive numbers.

    gradient       dV(mu)/dtheta(s,a) = d(s) pi(a|s) A(s,a) / (1-gamma)
    natural        F u = dV(mu)/dtheta for u = A / (1-gamma), F = E_{s~d, a~pi} of the outer product of grad log pi: so
                   the natural step theta + eta u multiplies the weights, pi' = pi exp(eta A / (1-gamma)) / Z
    improvement    V'(mu) - V(mu) >= (1-gamma)/eta sum_s mu(s) ln Z(s) >= 0 for that step

[recalled: Agarwal et al. (2021); Kakade (2001)]. The left side of the gradient is differentiated by dual numbers
through the elimination that solves for V: d/dtheta = w d/dw, a rational function.

Degree [derived]: V is a quotient of degree v = S(A+3), its derivative over the square of the denominator, d and A add
one v each and the denominators of P and pi: at most 4 v + S(A+1) + 6.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from proofs_check.lemmas._mdp import Array, advantages, backups, occupancy, value
from theorylab.lemma import Lemma, Sides
from theorylab.lemma_fields import Field, Instance
from theorylab.strategies import Source, law, model, table

__all__ = ["gradient", "improvement", "natural"]

Both = dict[str, tuple[Any, Any]]


class Dual:
    """x + d eps with eps^2 = 0: a value and its derivative."""

    __slots__ = ("d", "x")

    def __init__(self, x: Any, d: Any) -> None:
        self.x, self.d = x, d

    def __add__(self, o: Dual) -> Dual:
        return Dual(self.x + o.x, self.d + o.d)

    def __sub__(self, o: Dual) -> Dual:
        return Dual(self.x - o.x, self.d - o.d)

    def __mul__(self, o: Dual) -> Dual:
        return Dual(self.x * o.x, self.x * o.d + self.d * o.x)

    def __truediv__(self, o: Dual) -> Dual:
        return Dual(self.x / o.x, (self.d * o.x - self.x * o.d) / (o.x * o.x))


def eliminate(M: list[list[Dual]], b: list[Dual]) -> list[Dual]:
    """x with M x = b, M diagonally dominant: no pivots."""
    n = len(b)
    for k in range(n):
        for i in range(k + 1, n):
            by = M[i][k] / M[k][k]
            M[i] = [p - by * q for p, q in zip(M[i], M[k], strict=True)]
            b[i] = b[i] - by * b[k]
    for k in reversed(range(n)):
        for j in range(k + 1, n):
            b[k] = b[k] - M[k][j] * b[j]
        b[k] = b[k] / M[k][k]
    return b


def derivative(x: Any, f: Field, s: int, a: int) -> Any:
    """dV(mu)/dtheta(s,a)."""
    zero, one = f.number(0), f.number(1)
    pi = []
    for t in range(x.S):
        row = [Dual(w, w if (t, b) == (s, a) else zero) for b, w in enumerate(x.w[t])]
        total = row[0]
        for entry in row[1:]:
            total = total + entry
        pi.append([entry / total for entry in row])
    M = [[Dual(one if t == u else zero, zero) for u in range(x.S)] for t in range(x.S)]
    b = [Dual(zero, zero) for _ in range(x.S)]
    for t in range(x.S):
        for c in range(x.A):
            b[t] = b[t] + pi[t][c] * Dual(x.r[t, c], zero)
            for u in range(x.S):
                M[t][u] = M[t][u] - pi[t][c] * Dual(x.gamma * x.P[t, c, u], zero)
    V = eliminate(M, b)
    return sum((x.mu[t] * V[t].d for t in range(x.S)), zero)


def gradients(x: Any, f: Field) -> Array:
    """dV(mu)/dtheta, (S,A)."""
    return f.array([derivative(x, f, s, a) for s in range(x.S) for a in range(x.A)]).reshape(x.S, x.A)


def weighted(source: Source) -> Instance:
    """A model, positive weights of a softmax policy, a law of s_0."""
    x = model(source, S=(1, 3), A=(1, 2))
    S, A = x["S"], x["A"]
    w = table([k + 1 for _ in range(S) for k in source.weights(A)], S, A)
    return {**x, "w": w, "mu": law(source, S)}


def degree(x: Instance) -> int:
    """See the text of the module."""
    S, A = x["S"], x["A"]
    return int(4 * S * (A + 3) + S * (A + 1) + 6)


def _gradient(advantage: bool, occupied: bool) -> Sides:
    def sides(x: Any, f: Field) -> Both:
        pi = x.w / x.w.sum(axis=1)[:, None]
        d = occupancy(x.P, x.r, x.gamma, pi, x.mu, f) if occupied else x.mu
        V = value(x.P, x.r, x.gamma, pi, f)
        signal = backups(x.P, x.r, x.gamma, V) - (V[:, None] if advantage else 0)
        return {"gradient": (gradients(x, f), d[:, None] * pi * signal / (1 - x.gamma))}

    return sides


def _natural(normalised: bool) -> Sides:
    def sides(x: Any, f: Field) -> Both:
        pi = x.w / x.w.sum(axis=1)[:, None]
        d = occupancy(x.P, x.r, x.gamma, pi, x.mu, f)
        u = advantages(x.P, x.r, x.gamma, pi, f) / (1 - x.gamma if normalised else 1)
        score = f.eye(x.A)[None] - pi[:, None, :]  # d log pi(a|s) / d theta(s,b), (S,a,b)
        along = (score * u[:, None, :]).sum(axis=2)
        return {"F u": ((d[:, None, None] * (pi * along)[:, :, None] * score).sum(axis=1), gradients(x, f))}

    return sides


def stepping(source: Source) -> Instance:
    """A model, a policy that plays every action, a law of s_0, a step size."""
    x = weighted(source)
    w = x.pop("w")
    return {**x, "pi": w / w.sum(axis=1)[:, None], "eta": Fraction(source.integer(1, 8), 4)}


def _improvement(start: bool) -> Sides:
    def sides(x: Any, f: Field) -> Both:
        exponent = x.eta * advantages(x.P, x.r, x.gamma, x.pi, f) / (1 - x.gamma)
        most = f.max(exponent, axis=1)
        grown = x.pi * f.exp(exponent - most[:, None])
        scaled = grown.sum(axis=1)
        log_Z = most + f.log(scaled)
        gain = value(x.P, x.r, x.gamma, grown / scaled[:, None], f) - value(x.P, x.r, x.gamma, x.pi, f)
        least = x.mu @ log_Z / x.eta
        return {
            "improvement": ((1 - x.gamma) * least if start else least, x.mu @ gain),
            "ln Z >= 0": (0 * log_Z, log_Z),
        }

    return sides


gradient = Lemma(
    name="agarwal2021.softmax-gradient",
    text="dV(mu)/dtheta(s,a) = d(s) pi(a|s) A(s,a) / (1-gamma) for softmax policies, d the normalised occupancy "
    "from mu.",
    tag="recalled",
    draw=weighted,
    sides=_gradient(True, True),
    twins={"Q for the advantage": _gradient(False, True), "mu for the occupancy": _gradient(True, False)},
    kind="identity",
    degree=degree,
)

natural = Lemma(
    name="kakade2001.natural-gradient",
    text="The Fisher matrix of a softmax policy takes A / (1-gamma) to the gradient: the natural step multiplies "
    "pi(a|s) by exp(eta A(s,a) / (1-gamma)).",
    tag="recalled",
    draw=weighted,
    sides=_natural(True),
    twins={"1/(1-gamma) lost": _natural(False)},
    kind="identity",
    degree=degree,
)

improvement = Lemma(
    name="agarwal2021.npg-improvement",
    text="A natural step with rate eta gains at least (1-gamma)/eta sum_s mu(s) ln Z(s) >= 0 from every mu, Z(s) = "
    "sum_a pi(a|s) exp(eta A(s,a) / (1-gamma)).",
    tag="recalled",
    draw=stepping,
    sides=_improvement(True),
    twins={"1-gamma lost": _improvement(False)},
    irrational=True,
)
