"""Optimistic average-reward planning over an ellipsoid of linear mixture parameters, shared by UCRL2-VTR and LOOP-EVI.

The kernel is P(s'|s,a) = <phi(s'|s,a), theta>, so that (P w)(s,a) = <X_w(s,a), theta> with X_w = sum_s' phi(s'|s,a)
w(s'). A sweep takes u to

    c = (max u + min u)/2,     w = u - c  (the midrange of w is 0),     half = (max u - min u)/2
    Q(s,a)    = r(s,a) + c + clip( <X_w, theta_hat> + radius |X_w|_{A^-1}, -half, half )
    L u(s)    = min( max_a Q(s,a), min_s' max_a Q(s',a) + span )
    u_next(s) = (1 - tau) u(s) + tau L u(s)

from u = 0 until the span of L u - u is below `precision`; the policy is greedy in the last sweep, ties to the lowest
action. A separate theta is the maximiser for each pair, so that this is a relaxation of optimism with one theta.

What is done about valid kernels: nothing but three consequences of validity, so that the value is never below the
maximum over those theta of the ellipsoid that are kernels [derived]. (1) The inner maximum is the closed form over the
whole ellipsoid, rows <phi(.|s,a), theta> with negative entries or another sum than 1 included. (2) An average of w
under any law lies between min w = -half and max w = half: clipped there, from both sides. (3) Row sums are 1 for the
true theta, which is what lets c be taken out before the regression. The span is truncated at a bound on that of the
true bias function; without positivity no diameter bounds it. Since rows may be negative, the sweep need not be a
contraction of the span and can cycle; a plan that needs more than `max_sweeps` fails. A solution of L u = u + gain
exists (Brouwer). tau is damping (the aperiodicity transform with the reward mixed too), which leaves gain and bias as
they are: of 288 runs on random mixtures 65 had a plan that cycled at tau = 1, 3 at 1/2 and none at 1/5 [computed]. With
LOOP-EVI in runs of 1e5 steps on one-hot models, plans failed on JumpRiverSwim in 2 of 2 at tau = .2 and in none of
64 at .02, its default; on RiverSwim-4 in 8 of 8 at .2, in 13 of 64 at .02 and 6 of 64 at .005. Plans of UCRL2-VTR
with its radius times .1 or less fail there in nearly every run, at tau = .2 as at .02 [computed].

max (L u - u) is at least the optimal gain wherever theta is in the ellipsoid and the span of the optimal bias is at
most `span`, whatever u is: L u >= T u with T the true update truncated at the same span, T is monotone and commutes
with constants, and T h = h + gain [derived].

A regression of w(s') on X_w: A = lam I + sum X X^T / v, b = sum X w(s') / v, weights 1/v; log_det = ln(det A / lam^d).
A new plan is due when det A has doubled since the last one.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from theorylab.errors import InputError
from theorylab.kernel import combine, kernel, log, product, rank_one_inverse, sqrt
from theorylab.learner import Field, f8, i8

LN2 = 0.69314718055994530942

STATE: dict[str, Field] = dict(
    A_inv=f8["d", "d"], b=f8["d"], theta=f8["d"], log_det=f8[1], log_det_plan=f8[1], n=i8[1], radius=f8[1],
    u=f8["S"], u_next=f8["S"], w=f8["S"], mid=f8[1], half=f8[1], Q=f8["S", "A"], pi=i8["S"], gain=f8[2],
    sweeps=i8[1], features=f8["d", "S*A"], ahead=f8["S*A"], part=f8["S*A"], width=f8["S*A"], x=f8["d"], work=f8["d"],
)  # fmt: skip


def successors(p: dict[str, Any]) -> dict[str, Any]:
    """The features by successor: reach, successors (reach,S*A), moves (d,reach,S*A)."""
    phi = p["transition_phi"].reshape(p["S"] * p["A"], p["S"], p["d"])
    moves_to = (phi != 0.0).any(axis=-1)
    reach = max(1, int(moves_to.sum(axis=1).max()))
    # the successors with features first, each in index order; the rest of a row has features zero
    order = np.argsort(~moves_to, axis=1, kind="stable")[:, :reach]
    moves = np.take_along_axis(phi, order[:, :, None], axis=1)
    return dict(
        reach=reach,
        successors=np.ascontiguousarray(order.T),
        moves=np.ascontiguousarray(moves.transpose(2, 1, 0)),
    )


def positive(name: str, p: dict[str, Any], *keys: str) -> None:
    """Refuse parameters that are not positive."""
    for key in keys:
        if not p[key] > 0.0:
            raise InputError(f"learner '{name}': {key}={p[key]} must be positive")


def checked_damping(name: str, p: dict[str, Any]) -> None:
    """Refuse a `tau` outside (0, 1]."""
    if not 0.0 < p["tau"] <= 1.0:
        raise InputError(f"learner '{name}': tau={p['tau']} must lie in (0, 1]; 1 leaves the sweeps undamped")


@kernel
def begin(st, p):
    """A = lam I and no data (the state arrives zeroed)."""
    for i in range(p.d):
        st.A_inv[i, i] = 1.0 / p.lam


@kernel
def act(st, p, t, s, rng):
    """The plan's action."""
    return st.pi[s]


@kernel
def feature(st, p, s, a, power):
    """x = X_w(s,a) of the plan's w, or of w^2 with power = 2."""
    row = s * p.A + a
    for i in range(p.d):
        st.x[i] = 0.0
    for m in range(p.reach):
        value = st.w[p.successors[m, row]]
        if power == 2:
            value = value * value
        for i in range(p.d):
            st.x[i] += p.moves[i, m, row] * value


@kernel
def include(st, p, y, v):
    """One sample (x, y) of weight 1/v; x is left divided by sqrt(v)."""
    root = sqrt(v)
    for i in range(p.d):
        st.x[i] = st.x[i] / root
        st.b[i] += st.x[i] * (y / root)
    st.log_det[0] += log(1.0 + rank_one_inverse(st.A_inv, st.x, st.work, p.d))
    st.n[0] += 1


@kernel
def doubled(st, p):
    """Whether det A has doubled since the plan."""
    return st.log_det[0] - st.log_det_plan[0] >= LN2


@kernel
def centre(st, p):
    """w = u - c and half its span."""
    low = st.u[0]
    high = st.u[0]
    for s in range(1, p.S):
        low = min(low, st.u[s])
        high = max(high, st.u[s])
    st.mid[0] = 0.5 * (high + low)
    st.half[0] = 0.5 * (high - low)
    for s in range(p.S):
        st.w[s] = st.u[s] - st.mid[0]


@kernel
def value_features(st, p):
    """features = X_w of every pair: pairs side by side, successors in index order."""
    n = p.S * p.A
    for i in range(p.d):
        for j in range(n):
            st.features[i, j] = 0.0
    for m in range(p.reach):
        for j in range(n):
            st.ahead[j] = st.w[p.successors[m, j]]
        for i in range(p.d):
            for j in range(n):
                st.features[i, j] += p.moves[i, m, j] * st.ahead[j]


@kernel
def widths(st, p):
    """width = |X_w|_{A^-1} of every pair."""
    n = p.S * p.A
    for j in range(n):
        st.width[j] = 0.0
    for i in range(p.d):
        combine(st.features, st.A_inv[i], st.part, n, p.d)
        for j in range(n):
            st.width[j] += st.features[i, j] * st.part[j]
    for j in range(n):
        # rounding may leave a square of zero a little below it
        st.width[j] = sqrt(max(0.0, st.width[j]))


@kernel
def inner(st, p, j):
    """The optimistic (P w) of pair j, as valid kernels allow."""
    return max(-st.half[0], min(st.half[0], st.part[j] + st.radius[0] * st.width[j]))


@kernel
def backup(st, p):
    """Q, the greedy policy and L u, in u_next."""
    centre(st, p)
    value_features(st, p)
    widths(st, p)
    combine(st.features, st.theta, st.part, p.S * p.A, p.d)
    low = 0.0
    for s in range(p.S):
        top = 0.0
        for a in range(p.A):
            value = p.r[s, a] + st.mid[0] + inner(st, p, s * p.A + a)
            st.Q[s, a] = value
            if a == 0 or value > top:
                top = value
                st.pi[s] = a
        st.u_next[s] = top
        low = top if s == 0 else min(low, top)
    for s in range(p.S):
        st.u_next[s] = min(st.u_next[s], low + p.span)


@kernel
def iterate(st, p):
    """Sweeps until span(L u - u) < precision; false if `max_sweeps` did not suffice."""
    for s in range(p.S):
        st.u_next[s] = 0.0
    for sweep in range(p.max_sweeps):
        for s in range(p.S):
            st.u[s] = st.u_next[s]
        backup(st, p)
        low = 0.0
        high = 0.0
        for s in range(p.S):
            change = st.u_next[s] - st.u[s]
            low = change if s == 0 else min(low, change)
            high = change if s == 0 else max(high, change)
            st.u_next[s] = st.u[s] + p.tau * change
        if high - low < p.precision:
            st.gain[0] = low
            st.gain[1] = high
            st.sweeps[0] = sweep + 1
            return True
    return False


@kernel
def regress(st, p):
    """theta_hat, and the determinant at the plan."""
    product(st.A_inv, st.b, st.theta, p.d)
    st.log_det_plan[0] = st.log_det[0]


# Linear MDPs: data of the regressions of gamma-LSCVI-UCB and OLSVI.FH

#: Lam_inv = (lam I + sum phi phi^T)^{-1}; width (S*A,) = phi^T Lam_inv phi of every pair; after (S,d), row s' the sum
#: of phi over the steps that went to s'
DATA: dict[str, Field] = dict(
    Lam_inv=f8["d", "d"], width=f8["S*A"], after=f8["S", "d"], log_det=f8[1], log_det_plan=f8[1], work=f8["S*A"],
    x=f8["d"],
)  # fmt: skip


def linear_features(name: str, p: dict[str, Any]) -> dict[str, Any]:
    """columns (d,S*A), the features with the pairs side by side.

    Refuses features without the constant direction: laws <phi, mu> sum to one, so that phi^T kappa = 1 for all pairs
    with kappa = mu(S). Every LinearMDP has it; the algorithms do not use kappa.
    """
    rows = p["phi"].reshape(p["S"] * p["A"], p["d"])
    kappa = np.linalg.lstsq(rows, np.ones(len(rows)), rcond=None)[0]
    error = np.abs(rows @ kappa - 1.0)
    if error.max() > 1e-8:
        s, a = divmod(int(np.argmax(error)), p["A"])
        raise InputError(
            f"learner '{name}': phi has no constant direction: no kappa has phi^T kappa = 1 at every pair (off by "
            f"{error.max():.3g} at ({s}, {a})), so that no rows <phi, mu> are laws; give features of a linear MDP"
        )
    return dict(columns=np.ascontiguousarray(rows.T))


@kernel
def begin_data(st, p):
    """Lambda = lam I (the state arrives zeroed)."""
    for i in range(p.d):
        st.Lam_inv[i, i] = 1.0 / p.lam
    for j in range(p.S * p.A):
        for i in range(p.d):
            st.width[j] += p.columns[i, j] * p.columns[i, j] / p.lam


@kernel
def add_data(st, p, s, a, s2):
    """One step: the inverse, the widths, the determinant and where it went."""
    for i in range(p.d):
        st.after[s2, i] += p.phi[s, a, i]
    # x is Lambda^{-1} phi(s,a) of before, so that every width falls by (phi^T x)^2 / (1 + width of the pair)
    before = rank_one_inverse(st.Lam_inv, p.phi[s, a], st.x, p.d)
    shrink = 1.0 / (1.0 + before)
    combine(p.columns, st.x, st.work, p.S * p.A, p.d)
    for j in range(p.S * p.A):
        # rounding may leave a width of zero a little below it
        st.width[j] = max(0.0, st.width[j] - st.work[j] * st.work[j] * shrink)
    st.log_det[0] += log(1.0 + before)


@kernel
def fit_values(st, p, values, base, w):
    """x += sum_s' after[s'] (values[s'] - base), and w = Lambda^{-1} x."""
    for s2 in range(p.S):
        value = values[s2] - base
        for i in range(p.d):
            st.x[i] += st.after[s2, i] * value
    product(st.Lam_inv, st.x, w, p.d)
