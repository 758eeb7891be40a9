"""Magnetic mirror descent (MMD) on matrix games and quadratics: rates, stepsize conditions, matching pennies.

    operator     MMD(eta, alpha) is mirror descent with eta' = eta / (1 + eta alpha) on the regularised operator, here
                 in logits: gradient q - alpha (log p - log rho)                    [source: proposition D.7]
    contraction  B(z*; z+) <= B(z*; z) / (1 + eta alpha), eta <= alpha / L^2, B = KL(x*,x) + KL(y*,y), L = max |A|
                                                                                    [source: theorem 3.4, matrix games]
    range        the same with L = (max A - min A) / 2                              [derived]
    repaired     psi mu_psi-strongly convex, g mu-strongly convex relative to psi: B(z*; z+) <= B(z*; z) / (1 + eta mu
                 alpha) for eta <= alpha mu mu_psi^2 / L^2                          [derived; corollary D.6 repaired]
    spectrum     matching pennies +-c, alpha < c: the linearised simultaneous step has complex eigenvalues with
                 |lambda|^2 = (1 + eta^2 c^2) / (1 + eta alpha)^2, < 1 iff eta < 2 alpha / (c^2 - alpha^2)    [derived]
    steps        the step itself from x = y = (1+z, 1-z)/2, in squared distance of log odds: no growth for
                 eta <= 2 alpha / (c^2 - alpha^2), no decrease for eta >= 2 alpha / (c^2 (1 - z^2) - alpha^2) [derived]

One MMD step of the player who minimises x^T A y: x+ proportional to [x exp(-eta A y)]^(1/(1 + eta alpha)), with a
uniform magnet; the other with +eta A^T x, both from the old iterate. z* = (x*, y*) is the quantal response equilibrium
if x* is proportional to exp(-A y*/alpha) and y* to exp(A^T x*/alpha). Here z* is drawn, and A = A0 + a 1^T + 1 b^T with
a = -alpha log x* - A0 y*, b = alpha log y* - A0^T x*, up to constants, has it as its solution. L is taken as at least
1/4: a larger constant of smoothness is one too.

Repaired condition. The printed one is eta <= alpha mu / L^2 for every mu_psi. psi/mu_psi is 1-strongly convex, and the
step divided by mu_psi has stepsize eta/mu_psi and temperature alpha mu mu_psi; theorem 3.4 then asks for eta/mu_psi <=
alpha mu mu_psi / L^2. The printed one fails at every mu_psi < 1: for F(x,y) = L (y,-x), psi = mu_psi |z|^2 / 2,
g = mu psi, z* = 0,

    |z+|^2 = |z|^2 (mu_psi^2 + eta^2 L^2) / (mu_psi^2 (1 + eta mu alpha)^2), at most |z|^2 / (1 + eta mu alpha) iff
    eta <= alpha mu mu_psi^2 / L^2;

with L = alpha = mu = eta = 1, mu_psi = 1/2, z = (1,0): z+ = (1/2,1), so |z+|^2 = 5/4 where 1/2 is claimed; it diverges.

Steps: the log odds l of x and of y become (l -+ 2 eta c z)/(1 + eta alpha), and z^2 (1 - z^2) <= (l/2)^2 (1 - z^2) <=
z^2 for l = 2 artanh(z).

Degrees [derived]. A step of the first multiplies by 1 + eta alpha, of degree 2, and adds alpha eta log rho. In the
spectrum, with alpha = g c, all is a quotient of polynomials in c, the shift, g and t of degree at most 12.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from proofs_check.lemmas._games import CLOSE, shares
from proofs_check.lemmas._mdp import Array
from theorylab.lemma import Lemma, Sides
from theorylab.lemma_fields import Field, Instance
from theorylab.strategies import Source, law, rewards, table

__all__ = ["contraction", "operator", "range_contraction", "repaired", "spectrum", "steps"]

Both = dict[str, tuple[Any, Any]]
QUARTER, HALF = Fraction(1, 4), Fraction(1, 2)


def logits(source: Source) -> Instance:
    """Logits of a policy and of a magnet (A,), T vectors of action values, a stepsize, a temperature."""
    A, T = source.size(2, 4), source.size(1, 3)
    start, magnet, *q = rewards(source, T + 2, A, low=-2, high=2)
    return {
        "A": A,
        "start": start,
        "magnet": magnet,
        "vectors": table([v for row in q for v in row], T, A),
        "eta": source.number(0, 4),
        "alpha": source.number(0, 2),
    }


def _operator(own: int = 1, anchor: int = 1) -> Sides:
    """T steps of both forms; eta' = eta / (1 + own eta alpha), `anchor` the weight of log rho in the operator."""

    def sides(x: Any, f: Field) -> Both:
        ours = theirs = x.start
        smaller = x.eta / (1 + own * x.eta * x.alpha)
        for q in x.vectors:
            ours = (ours + x.alpha * x.eta * x.magnet + x.eta * q) / (1 + x.alpha * x.eta)
            theirs = theirs + smaller * (q - x.alpha * (theirs - anchor * x.magnet))
        return {"odds": (ours[1:] - ours[0], theirs[1:] - theirs[0])}  # shared constants are no matter

    return sides


def near_equilibrium(source: Source) -> Instance:
    """A0, a drawn equilibrium z*, an iterate z, alpha, t: eta = t alpha / L^2; half are pennies close to z*."""
    if source.integer(0, 1) == 0:
        r, shift = Fraction(source.integer(1, 4), 2), source.integer(-1, 1)
        A0 = table([r + shift, shift - r, shift - r, r + shift], 2, 2)
        x_star = y_star = table([HALF, HALF], 2)
        u, v = (Fraction(source.integer(-3, 3), 64) for _ in range(2))
        x, y = table([HALF + u, HALF - u], 2), table([HALF - v, HALF + v], 2)
    else:
        m, n = source.size(2, 3), source.size(2, 3)
        A0 = rewards(source, m, n, low=-1)
        x_star, y_star, x, y = ((law(source, k) + QUARTER) / (1 + k * QUARTER) for k in (m, n, m, n))
    alpha = Fraction(source.integer(1, 8), 4)
    t = 1 - Fraction(source.integer(0, 1), 2)
    return {"A0": A0, "x_star": x_star, "y_star": y_star, "x": x, "y": y, "alpha": alpha, "t": t}


def solved(x: Any, f: Field) -> Array:
    """The payoffs A whose quantal response equilibrium at temperature alpha is (x*, y*)."""
    a = -x.alpha * f.log(x.x_star) - x.A0 @ x.y_star
    b = x.alpha * f.log(x.y_star) - x.A0.T @ x.x_star
    return np.asarray(x.A0 + (a - a.sum() / len(a))[:, None] + b - b.sum() / len(b))


def mmd(p: Array, gradient: Array, eta: Any, alpha: Any, f: Field) -> Array:
    """One step with a uniform magnet, p > 0."""
    return shares(f.exp((f.log(p) + eta * gradient) / (1 + eta * alpha)))


def _contraction(scale: str, faster: Fraction = Fraction(1), larger: Fraction = Fraction(1)) -> Sides:
    """`faster`: a factor in the rate, `larger`: one of the stepsize."""

    def sides(x: Any, f: Field) -> Both:
        A = solved(x, f)
        size = f.max(abs(A)) if scale == "largest" else f.span(A) / 2
        L = f.max(f.array([size, f.number(QUARTER)]))
        eta = f.number(larger) * x.t * x.alpha / (L * L)
        p = mmd(x.x, -(A @ x.y), eta, x.alpha, f)
        q = mmd(x.y, A.T @ x.x, eta, x.alpha, f)

        def B(x_at: Array, y_at: Array) -> Any:
            return (x.x_star * f.log(x.x_star / x_at)).sum() + (x.y_star * f.log(x.y_star / y_at)).sum()

        right = B(x.x, x.y) / (1 + f.number(faster) * eta * x.alpha)
        return {"B": (B(p, q), right + f.number(CLOSE))}

    return sides


def _beyond(scale: str) -> dict[str, Sides]:
    """A rate and a stepsize that are a tenth too large."""
    return {
        "1 + 1.1 eta alpha": _contraction(scale, faster=Fraction(11, 10)),
        "1.1 times the stepsize": _contraction(scale, larger=Fraction(11, 10)),
    }


def quadratics(source: Source) -> Instance:
    """F(z) = K z, K = [[s, l], [-l, s]]; curvatures of psi and g; z; alpha; eta = t times the most; half are round."""
    if source.integer(0, 1) == 0:
        s, psi, extra = Fraction(0), table([source.number(0, 2) + QUARTER] * 2, 2), table([0, 0], 2)
    else:
        s, psi, extra = source.number(0, 1), rewards(source, 2, high=2) + QUARTER, rewards(source, 2)
    return {
        "s": s,
        "l": source.number(0, 2) + QUARTER,
        "psi": psi,
        "extra": extra,
        "mu": source.number(0, 1) + QUARTER,
        "alpha": source.number(0, 1) + QUARTER,
        "z": rewards(source, 2, low=-1),
        "t": 1 - Fraction(source.integer(0, 1), 2),
    }


def _quadratic(power: int, faster: Fraction = Fraction(1)) -> Sides:
    """eta = t alpha mu mu_psi^power / L^2; `faster`: in the rate."""

    def sides(x: Any, f: Field) -> Both:
        eta = x.t * x.alpha * x.mu * f.min(x.psi) ** power / (x.s**2 + x.l**2)
        F = f.array([x.s * x.z[0] + x.l * x.z[1], x.s * x.z[1] - x.l * x.z[0]])
        g = x.psi * (x.mu + x.extra)  # mu-strongly convex relative to psi
        new = (x.psi * x.z - eta * F) / (x.psi + eta * x.alpha * g)  # 0 = eta (F + alpha g z+) + psi (z+ - z)
        rate = 1 + f.number(faster) * eta * x.mu * x.alpha
        return {"B": ((x.psi * new**2).sum() / 2, (x.psi * x.z**2).sum() / 2 / rate)}

    return sides


def pennies(source: Source) -> Instance:
    """Scale c and shift of matching pennies, alpha = part c, eta = t times the threshold."""
    return {
        "c": source.number(0, 2) + QUARTER,
        "shift": source.number(-1, 1),
        "part": source.gamma(),
        "t": source.number(0, 2),
    }


def linearised(p: Array, moved: Array, gradient: Array, eta: Any, alpha: Any) -> Array:
    """Derivative of an MMD step at its fixed point p, in the direction `moved`, which changes the action values so."""
    slope = (moved / p + eta * gradient) / (1 + eta * alpha)
    return np.asarray(p * (slope - (p * slope).sum()))


def _spectrum(threshold: Any, late: bool = False) -> Sides:
    def sides(x: Any, f: Field) -> Both:
        A = x.c * (2 * f.eye(2) - 1) + x.shift
        alpha = x.part * x.c
        eta = x.t * threshold(alpha, x.c**2)
        half, zero = (f.eye(2) * 0 + 1)[0] / 2, f.eye(2)[0] * 0
        tilt = f.eye(2)[0] - f.eye(2)[1]
        columns = []
        for u, v in ((tilt, zero), (zero, tilt)):
            p = linearised(half, u, -(A @ v), eta, alpha)
            q = linearised(half, v, A.T @ (p if late else u), eta, alpha)
            columns.append((p[0], q[0]))
        (a, b), (c, d) = columns
        det, grown = a * d - b * c, (1 + eta * alpha) ** 2
        return {
            "|lambda|^2": (det, (1 + eta**2 * x.c**2) / grown),
            "complex": ((a + d) ** 2 - 4 * det, -4 * eta**2 * x.c**2 / grown),
            "|lambda|^2 - 1": (det - 1, 2 * alpha * eta * (x.t - 1) / grown),
        }

    return sides


def tilted(source: Source) -> Instance:
    """Matching pennies +-c, temperature alpha, tilt z with c^2 (1 - z^2) > alpha^2, parts t <= 1 of the thresholds."""
    c, alpha = Fraction(source.integer(2, 8), 4), Fraction(source.integer(1, 3), 8)
    z = Fraction(source.integer(1, 7), 16 * 2 ** source.integer(0, 6))
    return {"c": c, "alpha": alpha, "z": z, "t": 1 - Fraction(source.integer(0, 3), 4)}


def _steps(below: Any, beyond: Any, late: bool = False) -> Sides:
    def sides(x: Any, f: Field) -> Both:
        A = x.c * (2 * f.eye(2) - 1)
        at = f.array([1 + x.z, 1 - x.z]) / 2

        def distance(eta: Any) -> Any:
            p = mmd(at, -(A @ at), eta, x.alpha, f)
            q = mmd(at, A.T @ (p if late else at), eta, x.alpha, f)
            new = f.array([f.log(p[0] / p[1]), f.log(q[0] / q[1])])
            return new @ new

        odds = f.log(at[0] / at[1])
        start = 2 * odds * odds
        return {
            "no growth": (distance(x.t * below(x.alpha, x.c**2)), start),
            "no decrease": (start, distance(beyond(x.alpha, x.c**2 * (1 - x.z**2)) / x.t)),
        }

    return sides


operator = Lemma(
    name="sokota2023.regularised-operator",
    text="Proposition D.7: MMD with stepsize eta and temperature alpha is mirror descent on the regularised operator "
    "with stepsize eta / (1 + eta alpha); T steps in logits, negative entropy.",
    tag="source",
    draw=logits,
    sides=_operator(),
    twins={
        "eta for eta'": _operator(own=0),
        "eta / (1 + 2 eta alpha)": _operator(own=2),
        "magnet left out": _operator(anchor=0),
    },
    kind="identity",
    degree=lambda x: 4 * int(x["vectors"].shape[0]) + 4,
)

contraction = Lemma(
    name="sokota2023.contraction",
    text="Theorem 3.4 on matrix games: B(z*; z+) <= B(z*; z) / (1 + eta alpha) for eta <= alpha / L^2, L = max |A|, "
    "B = KL(x*,x) + KL(y*,y), z* the quantal response equilibrium at temperature alpha (to 2^-120).",
    tag="source",
    draw=near_equilibrium,
    sides=_contraction("largest"),
    twins=_beyond("largest"),
    irrational=True,
)

range_contraction = Lemma(
    name="sokota2023.contraction-range",
    text="The same for eta <= alpha / L^2 with L = (max A - min A) / 2: a constant added to A changes no step "
    "(to 2^-120).",
    tag="derived",
    draw=near_equilibrium,
    sides=_contraction("range"),
    twins=_beyond("range"),
    irrational=True,
)

repaired = Lemma(
    name="sokota2023.corollary-d6-repaired",
    text="Psi mu_psi-strongly convex, g mu-strongly convex relative to psi, F monotone and L-smooth: B(z*; z+) <= "
    "B(z*; z) / (1 + eta mu alpha) for eta <= alpha mu mu_psi^2 / L^2, on quadratics in the plane. Corollary D.6 is "
    "printed with eta <= alpha mu / L^2, which is a false twin.",
    tag="derived",
    draw=quadratics,
    sides=_quadratic(2),
    twins={
        "as printed: mu_psi^2 lost": _quadratic(0),
        "mu_psi for mu_psi^2": _quadratic(1),
        "1 + 1.1 eta mu alpha": _quadratic(2, Fraction(11, 10)),
    },
)


def _threshold(alpha: Any, square: Any) -> Any:
    """Stepsize from which on matching pennies +-c diverge, c^2 = square."""
    return 2 * alpha / (square - alpha**2)


spectrum = Lemma(
    name="sokota2023.matching-pennies-spectrum",
    text="Matching pennies +-c, alpha < c, eta = 2 t alpha / (c^2 - alpha^2): the linearised simultaneous MMD step has "
    "complex eigenvalues, |lambda|^2 = (1 + eta^2 c^2)/(1 + eta alpha)^2 = 1 + 2 alpha eta (t - 1)/(1 + eta alpha)^2: "
    "it contracts iff t < 1.",
    tag="derived",
    draw=pennies,
    sides=_spectrum(_threshold),
    twins={
        "2 alpha / c^2": _spectrum(lambda alpha, square: 2 * alpha / square),
        "alpha / c^2": _spectrum(lambda alpha, square: alpha / square),
        "alternating steps": _spectrum(_threshold, late=True),
    },
    kind="identity",
    degree=lambda x: 24,
)

steps = Lemma(
    name="sokota2023.matching-pennies-steps",
    text="Matching pennies +-c, x = y = (1+z, 1-z)/2: the simultaneous MMD step does not raise the squared distance of "
    "the log odds from the equilibrium for eta <= 2 alpha / (c^2 - alpha^2), and does not lower it for "
    "eta >= 2 alpha / (c^2 (1 - z^2) - alpha^2).",
    tag="derived",
    draw=tilted,
    sides=_steps(_threshold, _threshold),
    twins={
        "growth from alpha / c^2 on": _steps(_threshold, lambda alpha, square: alpha / square),
        "growth from 2 alpha / c^2 on": _steps(_threshold, lambda alpha, square: 2 * alpha / square),
        "1.1 times the threshold": _steps(lambda alpha, square: 11 * _threshold(alpha, square) / 10, _threshold),
        "alternating steps": _steps(_threshold, _threshold, late=True),
    },
    irrational=True,
)
