"""What linear LOOP and FOPO share: regression statistics, the excess of the hypothesis in play in O(d^2) a step, plans.

With M = Lam + ridge I, y = r + V(s') - J for the hypothesis (omega, J) in play, and M^+ the pseudo-inverse,

    error = M omega - sum phi y,    excess = error^T M^+ error = |omega - u(omega) + J q|_M^2,

so a step adds phi (Q(s,a) - y) to error and one rank to M^+ [derived]. Without a ridge a new direction, phi with a part
a = (I - M M^+) phi outside the range, has (M + phi phi^T)^+ = M^+ - k h^T - h k^T + (1 + phi^T k) h h^T with k = M^+
phi, h = a / |a|^2; below 1e-10 |phi|^2 there is none. All of it is computed afresh at every plan by
`mdps.loop.linear`: `solver` 0 exact (at most `limit` policies), 1 grid (d <= 4, down to `mesh`), 2 ascent (a
heuristic).

State: omega (d,), Q (S,A), V (S,), J (1,), pi (S,) of the hypothesis in play; N (S,A) visits; Lam (d,d), Phi (S,d) sums
of phi by next state, reward (d,) sum of phi r with mean rewards, total (d,) sum of phi; inverse (d,d) = M^+, outside
(d,d) = I - M M^+; error (d,); upsilon (1,) the excess on all data, at_plan (1,) that when it was chosen; log_det (1,) =
ln det(M / ridge) (with no ridge that of the range), log_det_plan (1,) that at the last plan; bound (1,) bound on the
largest gain then, certified by solvers 0 and 1, the cap else; switches (1,) plans so far; programs (1,) cone programs.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mdps.learners._loop import act
from mdps.loop.linear import RANK, Linear, Regression, constant_direction, exact, grid
from mdps.loop.linear_ascent import ascent
from theorylab.errors import InputError
from theorylab.kernel import dot, kernel, log, product, quadratic, rank_one_inverse
from theorylab.learner import Field, f8, i8

__all__ = [
    "LN2",
    "SOLVER",
    "STATE",
    "act",
    "adopt",
    "begin",
    "checked",
    "doubled",
    "include",
    "plan_one",
    "record",
    "solve",
]

LN2 = 0.69314718055994530942
#: parameters of the plans
SOLVER: dict[str, float | int] = dict(solver=0, limit=100_000, mesh=1e-3)
STATE: dict[str, Field] = dict(
    omega=f8["d"], Q=f8["S", "A"], V=f8["S"], J=f8[1], pi=i8["S"], N=i8["S", "A"], Lam=f8["d", "d"], Phi=f8["S", "d"],
    reward=f8["d"], total=f8["d"], inverse=f8["d", "d"], outside=f8["d", "d"], error=f8["d"], upsilon=f8[1],
    at_plan=f8[1], log_det=f8[1], log_det_plan=f8[1], bound=f8[1], switches=i8[1], programs=i8[1], work=f8["d"],
    part=f8["d"],
)  # fmt: skip


@kernel
def begin(st, p):
    """No data (the state arrives zeroed, and the first plan comes before the first step)."""
    st.switches[0] = 0


@kernel
def include(st, p, x):
    """M^+ and ln det with one more x x^T."""
    fresh = 0.0
    if p.ridge == 0.0:
        product(st.outside, x, st.part, p.d)
        fresh = dot(x, st.part, p.d)
    if fresh > RANK * dot(x, x, p.d):
        product(st.inverse, x, st.work, p.d)
        scale = (1.0 + dot(x, st.work, p.d)) / (fresh * fresh)
        for i in range(p.d):
            for j in range(p.d):
                cross = st.work[i] * st.part[j] + st.part[i] * st.work[j]
                st.inverse[i, j] += scale * st.part[i] * st.part[j] - cross / fresh
                st.outside[i, j] -= st.part[i] * st.part[j] / fresh
        st.log_det[0] += log(fresh)
    else:
        st.log_det[0] += log(1.0 + rank_one_inverse(st.inverse, x, st.work, p.d))


@kernel
def record(st, p, s, a, s2):
    """One more transition in all sums, and the excess on all data."""
    st.N[s, a] += 1
    off = st.Q[s, a] - p.r[s, a] - st.V[s2] + st.J[0]
    x = p.phi[s, a]
    for i in range(p.d):
        st.Phi[s2, i] += x[i]
        st.reward[i] += x[i] * p.r[s, a]
        st.total[i] += x[i]
        st.error[i] += x[i] * off
        for j in range(p.d):
            st.Lam[i, j] += x[i] * x[j]
    include(st, p, x)
    st.upsilon[0] = quadratic(st.inverse, st.error, p.d)


@kernel
def doubled(st, p):
    """Whether det M has doubled since the plan; unit features double it exactly, and rounding may not decide that."""
    return st.log_det[0] - st.log_det_plan[0] >= LN2 - 1e-9


def regress(st: Any, p: Any) -> Regression:
    """The data of a state."""
    return Regression(p.phi, st.Lam.copy(), st.Phi.copy(), st.reward.copy(), st.total.copy(), p.ridge)


def solve(e: Regression, p: Any) -> Linear:
    """The hypothesis of largest gain, by the solver asked for."""
    if p.solver == 0:
        return exact(e, p.beta, p.width, p.W, p.cap, p.limit)
    if p.solver == 1:
        return grid(e, p.beta, p.width, p.W, p.cap, p.mesh)
    return ascent(e, p.beta, p.width, p.W, p.cap)


def adopt(st: Any, p: Any, e: Regression, found: Linear) -> None:
    """The hypothesis found is played from now on; what the steps keep up is computed afresh."""
    st.omega[:], st.Q[:], st.V[:], st.J[0], st.pi[:] = found.omega, found.Q, found.V, found.J, found.pi
    st.inverse[:] = e.pinv
    st.outside[:] = np.eye(p.d) - e.root.T @ np.linalg.pinv(e.root.T) if p.ridge == 0.0 else 0.0
    st.error[:] = e.M @ found.omega - e.reward - e.Phi.T @ found.V + found.J * e.total
    st.upsilon[0] = st.at_plan[0] = st.error @ e.pinv @ st.error
    st.log_det_plan[0] = st.log_det[0]
    st.bound[0] = found.bound
    st.programs[0] += found.programs
    st.switches[0] += 1


def plan_one(st: Any, p: Any, t: int, s: int) -> None:
    """The next hypothesis, from all transitions so far."""
    e = regress(st, p)
    adopt(st, p, e, solve(e, p))


def checked(name: str, p: dict[str, Any]) -> np.ndarray:
    """Refuse what no plan can be made with; kappa (d,)."""
    if p["solver"] not in (0, 1, 2):
        raise InputError(f"learner '{name}': solver={p['solver']} is none of 0 exact, 1 grid, 2 ascent")
    if p["solver"] == 1 and p["d"] > 4:
        raise InputError(f"learner '{name}': d={p['d']} is above 4, too many for solver=1 (grid); give solver=0 or 2")
    if not p["span"] > 0.0:
        raise InputError(f"learner '{name}': span={p['span']} must be positive: give a bound on the span of the bias")
    for key in ("limit", "mesh", "cap"):
        if not p[key] > 0:
            raise InputError(f"learner '{name}': {key}={p[key]} must be positive")
    r = p["r"]
    if r.min() < 0.0 or r.max() > p["cap"]:
        s, a = (int(i) for i in np.argwhere((r < 0.0) | (r > p["cap"]))[0])
        raise InputError(f"learner '{name}': r[{s}, {a}] = {r[s, a]} is outside [0, cap] = [0, {p['cap']}]; rescale")
    try:
        return constant_direction(p["phi"])
    except InputError as wrong:
        raise InputError(f"learner '{name}': {wrong}") from None
