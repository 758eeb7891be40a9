"""Linear LOOP and FOPO: regression statistics, excess loss, largest gain, and three solvers of the optimistic program.

    e = regression(phi, r, moves)                    # features (S,A,d), mean rewards (S,A), transitions counted (S,A,S)
    f = exact(e, beta, span, norm)                   # argmax of J over the confidence set, with a certificate
    f.omega, f.V, f.Q, f.J, f.pi, f.excess, f.bound - f.J, f.label

The class: Q = phi^T omega, |omega| <= norm, V = max_a Q with |V| <= span / 2, J <= cap; G all linear functions. With

    Lam = sum phi phi^T,  M = Lam + ridge I,  Phi_{s'} = sum of phi over data with next state s',  total = sum phi,
    u(omega) = M^+ (sum phi r + sum_{s'} Phi_{s'} V(s')),     q = M^+ total,     b = omega - u(omega) + J q

the excess loss is |b|_M^2 exactly [derived, 4c]: without ridge that of the squared losses, and then, for kappa with
phi^T kappa = 1 at every pair, Lam q = Lam kappa, so that |b|_Lam = |omega - u + J kappa|_Lam; with ridge that of the
losses with ridge |.|^2 added on both sides, where the truth has |b|_M <= sqrt(ridge) |omega| + |sum phi xi|_{M^-1}, xi
the noise of V: the first term is the bias. Without ridge omega -> omega + c kappa leaves b and J as they are.

For given omega the excess is a quadratic in J (`largest_gain`); what is left is the maximum of a function of omega with
a kink where the maximising action changes:

    exact    one cone program for each choice pi of maximising actions, in the order of a certified bound
    grid     cells of omega, split while their certified bound is above the best gain; exact up to the mesh
    ascent   gradient ascent from many starts (mdps.loop.linear_ascent): a heuristic, nothing certified

Bounds [derived]: with root R, R^T R = M on its range, and G = R (I - M^+ Phi^T F), F the rows phi(s, pi(s)), every
(omega, J) of pi has, for any y with y^T R q = 1, any nu and lam >= 0,

    J <= y^T R M^+ sum phi r + sqrt(beta) |y| + (span / 2) |nu|_1 + norm |G^T y + F^T nu - D^T lam|,    (dual)

D the rows phi(s, pi(s)) - phi(s,a). Source: he2024 (class, set, argmax J) and wei2021 (the same set) [recalled].
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mdps.loop._linear_programs import programs
from theorylab.errors import InputError

__all__ = [
    "LIMIT",
    "Linear",
    "Regression",
    "constant_direction",
    "exact",
    "excess",
    "grid",
    "largest_gain",
    "policies",
    "policy_bounds",
    "regression",
]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
#: most policies that `exact` enumerates
LIMIT = 100_000
#: eigenvalues below this part of the largest are none
RANK = 1e-10
#: actions whose values differ by less are the same
TIE = 1e-9
#: gains nearer than this to each other, in units of cap + span, count as equal
TOLERANCE = 1e-7
#: what the choice among maximisers may cost, in the same units
LEAST = 1e-8
#: relative excess over beta that is put down to rounding, and the steps in which it is spent
SLACK = 1e-6
ROUNDING = (0.0, 1e-9, 1e-8, 1e-7, 0.9 * SLACK)


@dataclass(frozen=True)
class Regression:
    """What the data say of all linear functions.

    Attributes:
        phi: (S,A,d) features. Lam: (d,d) sum of phi phi^T. Phi: (S,d) sum of phi by next state.
        reward: (d,) sum of phi r. total: (d,) sum of phi. ridge: added to Lam on the diagonal, 0 for none.
    """

    phi: Floats
    Lam: Floats
    Phi: Floats
    reward: Floats
    total: Floats
    ridge: float = 0.0

    def __post_init__(self) -> None:
        if self.phi.ndim != 3:
            raise InputError(f"phi has shape {self.phi.shape}; give (S,A,d)")
        S, _, d = self.phi.shape
        for name, shape in (("Lam", (d, d)), ("Phi", (S, d)), ("reward", (d,)), ("total", (d,))):
            if getattr(self, name).shape != shape:
                raise InputError(f"{name} has shape {getattr(self, name).shape}; give {shape} as phi has it")
        if not self.ridge >= 0.0:
            raise InputError(f"ridge={self.ridge}; give a number that is not negative")

    @cached_property
    def kappa(self) -> Floats:
        """(d,) the least kappa with phi^T kappa = 1. Raises `InputError`: there is none."""
        return constant_direction(self.phi)

    @cached_property
    def _split(self) -> tuple[Floats, Floats]:
        values, vectors = np.linalg.eigh(self.Lam + self.ridge * np.eye(len(self.total)))
        keep = values > RANK * max(float(values[-1]), 1e-300)
        return values[keep], vectors[:, keep]

    @cached_property
    def M(self) -> Floats:
        """(d,d) Lam + ridge I, without what is no eigenvalue."""
        values, vectors = self._split
        return np.asarray((vectors * values) @ vectors.T)

    @cached_property
    def pinv(self) -> Floats:
        """(d,d) M^+."""
        values, vectors = self._split
        return np.asarray((vectors / values) @ vectors.T)

    @cached_property
    def root(self) -> Floats:
        """(m,d) R with R^T R = M, m its rank."""
        values, vectors = self._split
        return np.asarray((vectors * np.sqrt(values)).T)

    @cached_property
    def q(self) -> Floats:
        """(d,) M^+ total, in the direction of which the gain enters."""
        return self.pinv @ self.total

    @cached_property
    def ahead(self) -> Floats:
        """(d,S) M^+ Phi^T."""
        return self.pinv @ self.Phi.T


@dataclass(frozen=True)
class Linear:
    """A linear hypothesis.

    Attributes:
        omega: (d,). Q: (S,A) = phi^T omega. V: (S,) = max_a Q. J: gain, reward units a step. pi: (S,) the lowest action
            within 1e-9 of V. excess: evaluated directly, reward^2, at most beta (1 + 1e-6).
        bound: certified upper bound on the largest gain (cap where nothing is known). label: what is certified.
        mesh: half the edge of the last cells of `grid`, 0 otherwise. programs: cone programs solved.
    """

    omega: Floats
    Q: Floats
    V: Floats
    J: float
    pi: Ints
    excess: float
    bound: float
    label: str
    mesh: float = 0.0
    programs: int = 0


def constant_direction(phi: Floats) -> Floats:
    """kappa (d,), of least norm, with phi(s,a)^T kappa = 1 at every pair, to 1e-9. Raises `InputError`: none."""
    rows = phi.reshape(-1, phi.shape[-1])
    kappa = np.linalg.lstsq(rows, np.ones(len(rows)), rcond=None)[0]
    off = np.abs(phi @ kappa - 1.0)
    if off.max() > 1e-9:
        s, a = np.unravel_index(int(off.argmax()), off.shape)
        raise InputError(
            f"phi lacks the constant direction: no kappa has phi^T kappa = 1 at every pair (best: off by "
            f"{off.max():.3g} at phi[{s},{a}]), and no linear function absorbs the gain; add a constant feature"
        )
    return np.asarray(kappa)


def regression(phi: ArrayLike, r: ArrayLike, moves: ArrayLike, ridge: float = 0.0) -> Regression:
    """The statistics of transitions counted `moves` (S,A,S), with mean rewards r (S,A). Raises `InputError`: shapes."""
    f, mean, count = (np.asarray(x, dtype=float) for x in (phi, r, moves))
    if f.ndim != 3 or mean.shape != f.shape[:2] or count.shape != (*f.shape[:2], f.shape[0]):
        raise InputError(f"shapes phi {f.shape}, r {mean.shape}, moves {count.shape}; give (S,A,d), (S,A), (S,A,S)")
    if (count < 0.0).any():
        raise InputError(f"moves has {count.min():g}; give counts")
    n = count.sum(axis=2)
    rows, weights = f.reshape(-1, f.shape[2]), n.reshape(-1)
    return Regression(
        f,
        rows.T @ (weights[:, None] * rows),
        np.einsum("sat,sad->td", count, f),
        rows.T @ (weights * mean.reshape(-1)),
        rows.T @ weights,
        ridge,
    )


def residual(e: Regression, omega: Floats) -> Floats:
    """z = omega - u(omega), (...,d)."""
    V = np.einsum("sad,...d->...sa", e.phi, omega).max(axis=-1)
    return np.asarray(omega - e.pinv @ e.reward - V @ e.ahead.T)


def excess(e: Regression, omega: Floats, J: float) -> float:
    """|omega - u(omega) + J q|_M^2, reward^2. [derived]"""
    b = residual(e, omega) + J * e.q
    return float(b @ e.M @ b)


def _roots(e: Regression, z: Floats, beta: Any) -> tuple[Floats, Floats]:
    """Smaller and larger J with |z + J q|_M^2 = beta; NaN where the excess is above beta for every J."""
    N = float(e.q @ e.M @ e.q)
    size = np.einsum("...i,ij,...j->...", z, e.M, z) - beta
    if N <= 0.0:
        far = np.where(size <= 0.0, np.inf, np.nan)
        return -far, far
    middle = z @ (e.M @ e.q) / N
    with np.errstate(invalid="ignore"):
        half = np.sqrt(middle * middle - size / N)
    return -middle - half, -middle + half


def largest_gain(e: Regression, omega: Floats, beta: float) -> Floats:
    """The largest J with excess at most beta for each omega (...,d): the larger root of a quadratic [derived].

    Infinite without data, NaN where there is none.
    """
    return _roots(e, residual(e, omega), beta)[1]


def _checked(e: Regression, beta: float, span: float, norm: float, cap: float) -> None:
    for name, value in (("beta", beta), ("norm", norm), ("cap", cap)):
        if not (np.isfinite(value) and value > 0.0):
            raise InputError(f"{name}={value}; give a positive number")
    if not span > 0.0:
        raise InputError(f"span={span}; give a positive number, or inf for no bound but that of norm")
    assert e.kappa is not None


def _settle(e: Regression, omega: Floats, span: float, norm: float) -> Floats:
    """omega in the class: centred where that changes nothing (no ridge), then scaled back by rounding."""
    V = (e.phi @ omega).max(axis=1)
    if e.ridge == 0.0 and np.isfinite(span):
        omega = omega - 0.5 * (V.max() + V.min()) * e.kappa
        V = (e.phi @ omega).max(axis=1)
    largest = max(float(np.abs(V).max()) / (0.5 * span), float(np.sqrt(omega @ omega)) / norm)
    return np.asarray(omega / max(1.0, largest))


def _afforded(e: Regression, omega: Floats, beta: float, cap: float) -> float | None:
    """The largest J <= cap within the budget at omega; with a little more budget where rounding leaves none."""
    z = residual(e, omega)
    for more in ROUNDING:
        low, high = (float(x) for x in _roots(e, z, beta * (1.0 + more)))
        if low <= cap and high == high:
            return min(high, cap)
    return None


def _result(
    e: Regression, omega: Floats, J: float, beta: float, bound: float, label: str, mesh: float = 0.0, solved: int = 0
) -> Linear:
    Q = e.phi @ omega
    V = Q.max(axis=1)
    spent = excess(e, omega, J)
    assert spent <= beta * (1.0 + SLACK)
    pi = (Q >= V[:, None] - TIE).argmax(axis=1)
    return Linear(omega, Q, V, J, pi, spent, max(J, bound), label, mesh, solved)


def policies(phi: Floats, limit: int = LIMIT) -> Ints:
    """Deterministic policies (m,S) by index, state 0 the most significant digit; of equal features the lowest action.

    Raises InputError: more than `limit`.
    """
    choices = [np.sort(np.unique(rows, axis=0, return_index=True)[1]) for rows in phi]
    count = 1
    for choice in choices:
        count *= choice.size
    if count > limit:
        raise InputError(
            f"{count} policies (S={phi.shape[0]}, A={phi.shape[1]}) exceed the limit {limit} of an enumeration; give a "
            "larger limit, or use mdps.loop.linear.grid (d <= 4, certified) or .linear_ascent (a heuristic)"
        )
    mesh = np.meshgrid(*choices, indexing="ij")
    return np.stack([axis.ravel() for axis in mesh], axis=-1).astype(np.int64)


def _maps(e: Regression, pi: Ints) -> Floats:
    """G (...,m,d) of policies pi (...,S)."""
    F = e.phi[np.arange(e.phi.shape[0]), pi]
    return e.root - np.asarray((e.root @ e.ahead) @ F)


def policy_bounds(e: Regression, beta: float, norm: float, pi: Ints) -> Floats:
    """Upper bounds (m,) on the gain of policies pi (m,S), by (dual) with nu = lam = 0 [derived].

    y lies in the span of the k left singular vectors of G with the smallest singular values, the best of all k; with
    one-hot features and no ridge that of value zero is the stationary law.
    """
    if len(e.root) == 0:
        return np.full(len(pi), np.inf)
    target, offset = e.root @ e.q, e.root @ (e.pinv @ e.reward)
    found = np.empty(len(pi))
    for first in range(0, len(pi), 4096):
        G = _maps(e, pi[first : first + 4096])
        left = np.linalg.svd(G, full_matrices=False)[0][..., ::-1]  # smallest values first
        part = np.einsum("pik,i->pk", left, target)
        y = np.cumsum(left * part[:, None, :], axis=2)  # (p,m,k)
        weight = np.cumsum(part**2, axis=1)
        y = y / np.where(weight > 1e-12 * (target @ target), weight, np.nan)[:, None, :]
        rest = np.sqrt((np.einsum("pmd,pmk->pdk", G, y) ** 2).sum(axis=1))
        value = np.einsum("pmk,m->pk", y, offset) + np.sqrt(beta * (y**2).sum(axis=1)) + norm * rest
        found[first : first + 4096] = np.where(np.isnan(value), np.inf, value).min(axis=1)
    return found


def exact(e: Regression, beta: float, span: float, norm: float, cap: float = 1.0, limit: int = LIMIT) -> Linear:
    """The hypothesis of largest gain, by enumeration of the maximising actions at all states. [derived, 4c]

    Ties: bounds equal to 1e-9 by the lowest policy, a later one must be better by 1e-7 (cap + span), span at most 2
    norm;
    of the maximisers of the program that of least norm. Raises `InputError`: empty set, too many policies, no constant
    direction, parameters.
    """
    _checked(e, beta, span, norm, cap)
    candidates = policies(e.phi, limit)
    bounds = np.minimum(policy_bounds(e, beta, norm, candidates), cap)
    tolerance = TOLERANCE * (cap + min(span, 2.0 * norm))
    best: tuple[float, Floats, Ints] | None = None
    upper, solved = -np.inf, 0
    order = np.argsort(-np.round(bounds / cap, 9), kind="stable")
    cone = programs(*e.phi.shape)
    target, offset = e.root @ e.q, e.root @ (e.pinv @ e.reward)
    for i, k in enumerate(order):
        if best is not None and bounds[k] <= best[0] + tolerance:
            upper = max(upper, float(bounds[order[i:]].max()))
            break
        pi, G = candidates[k], _maps(e, candidates[k])
        cone.set(e.phi, pi, G, target, offset, np.sqrt(beta), 0.5 * span, norm, cap)
        solved += 1
        bound = float(bounds[k])
        if cone.solve(cone.gain):
            omega = _settle(e, cone.omega.value, span, norm)
            J = _afforded(e, omega, beta, cap)
            bound = min(bound, cone.dual_bound())
            if J is not None and (best is None or J > best[0] + tolerance):
                best = (J, omega, pi)
        elif cone.proves_empty():
            bound = -np.inf
        upper = max(upper, bound)
    if best is None:
        raise InputError(
            f"none of {len(candidates)} policies has a hypothesis with |V| <= span/2 = {0.5 * span:g}, |omega| <= norm="
            f"{norm:g} and excess at most beta={beta:g}: the confidence set looks empty, to the solver's "
            f"accuracy; give "
            "a larger span, norm or beta"
        )
    J, omega, pi = best
    cone.set(e.phi, pi, _maps(e, pi), target, offset, np.sqrt(beta), 0.5 * span, norm, cap)
    cone.low.value = J - LEAST * (cap + min(span, 2.0 * norm))
    solved += 1
    if cone.solve(cone.least):
        least = _settle(e, cone.omega.value, span, norm)
        gain = _afforded(e, least, beta, cap)
        if gain is not None and gain > J - tolerance:
            J, omega = gain, least
    return _result(e, omega, J, beta, min(cap, upper), "exact: bound certified by weak duality", solved=solved)


def grid(
    e: Regression,
    beta: float,
    span: float,
    norm: float,
    cap: float = 1.0,
    mesh: float = 1e-3,
    cells: int = 400_000,
) -> Linear:
    """The hypothesis of largest gain up to a mesh, d <= 4: d - 1 dimensions of omega without ridge, d with one.

    A cell with centre omega and half-edge h has z within h L of that at the centre, in the norm of M, with L from the
    features of the actions that maximise somewhere in the cell; hence its gain is at most the larger root for
    sqrt(beta)
    + h L. Cells whose bound is above the best gain at a centre are split, until h <= `mesh` or there would be more than
    `cells`; `bound` holds in any case. [derived] Ties: gains equal to 1e-12 by the least norm.

    Raises InputError: d > 4, no centre in the set, and as `exact`.
    """
    _checked(e, beta, span, norm, cap)
    S, _, d = e.phi.shape
    if d > 4:
        raise InputError(f"d={d} is above 4, too many for cells; use mdps.loop.linear.exact or mdps.loop.linear_ascent")
    free = e.ridge == 0.0
    kappa = e.kappa
    basis = np.linalg.svd(kappa[None])[2][1:].T if free else np.eye(d)
    k = basis.shape[1]
    rows = e.phi @ basis
    reach = np.abs(rows).sum(axis=2)  # (S,A) change of Q in a cell of half-edge 1
    pieces = e.root @ e.ahead
    own = e.root @ basis
    side = 9
    axis = (np.arange(side) - side // 2) * (2.0 * norm / side)
    centres = np.stack([x.ravel() for x in np.meshgrid(*[axis] * k, indexing="ij")], axis=-1)
    h = norm / side
    best: tuple[float, Floats] | None = None
    upper = cap
    while True:
        omega = centres @ basis.T
        Q = np.einsum("sad,md->msa", e.phi, omega)
        V = Q.max(axis=2)
        shift = 0.5 * (V.max(axis=1) + V.min(axis=1)) if free and np.isfinite(span) else np.zeros(len(V))
        high = np.abs(V - shift[:, None]).max(axis=1)
        size = np.sqrt(((omega - shift[:, None] * kappa) ** 2).sum(axis=1))
        z = residual(e, omega)
        low, J = _roots(e, z, beta)
        J = np.where((high <= 0.5 * span) & (size <= norm) & (low <= cap), np.minimum(J, cap), np.nan)
        if np.isfinite(J).any():
            top = np.flatnonzero(J >= np.nanmax(J) - 1e-12)
            at = int(top[size[top].argmin()])
            if best is None or J[at] > best[0] + 1e-12:
                best = (float(J[at]), omega[at] - shift[at] * kappa)
        # an action can maximise in the cell only where it comes within the reach of both
        active = Q + h * reach >= (Q - h * reach).max(axis=2, keepdims=True)
        single = active.sum(axis=2) == 1
        chosen = rows[np.arange(S), Q.argmax(axis=2)] * single[..., None]  # (m,S,k)
        fixed = np.abs(0.0 + own[None] - np.einsum("is,msk->mik", pieces, chosen))
        loose = np.where(active, reach, 0.0).max(axis=2) * ~single
        rho = h * (np.sqrt((fixed**2).sum(axis=1)).sum(axis=1) + loose @ np.sqrt((pieces**2).sum(axis=0)))
        far_low, far = _roots(e, z, (np.sqrt(beta) + rho) ** 2)
        drift = h * reach.max()
        inside = (high <= 0.5 * span + drift) & (np.sqrt((omega**2).sum(axis=1)) <= norm + h * np.sqrt(k))
        far = np.where(inside & (far_low <= cap), np.minimum(far, cap), np.nan)
        keep = far > (best[0] if best else -np.inf) + TOLERANCE * cap
        upper = max(
            float(np.nanmax(np.where(keep, far, np.nan))) if keep.any() else -np.inf, best[0] if best else -np.inf
        )
        if not keep.any() or h <= mesh or keep.sum() * 2**k > cells:
            break
        half = np.stack([x.ravel() for x in np.meshgrid(*[(-0.5, 0.5)] * k, indexing="ij")], axis=-1)
        centres = (centres[keep][:, None, :] + h * half).reshape(-1, k)
        h *= 0.5
    if best is None:
        raise InputError(
            f"no centre of a cell of half-edge {h:.3g} has |V| <= span/2 = {0.5 * span:g}, |omega| <= "
            f"norm={norm:g} and "
            f"excess at most beta={beta:g}: the set may be empty; give a larger span, norm or beta, a smaller "
            f"mesh or more "
            "cells, or use mdps.loop.linear.exact, which decides it"
        )
    gain, found = best
    label = f"grid: certified bound at mesh {h:.3g} in {k} dimensions"
    return _result(e, found, gain, beta, min(cap, max(gain, upper)), label, mesh=float(h))
