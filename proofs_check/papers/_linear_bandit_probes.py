"""Steps that OFUL and linear Thompson sampling share: a shadow regression, and probes that compare a learner with it.

The monitor keeps V = lam I + sum x x^T and its Cholesky factor, formed every round from the environment's arms and
rewards. After the outcome of round t it holds, and with the ending `_at` what it held at the decision of round t:

    lower, growth     the factor L, V = L L^T, and ln(det V / lam^d)
    theta, beta       the learner's estimate and radius; `outside` = ||theta_hat - theta||_V - beta
    square (A+1,)     ||x_a||^2_{V^-1} of every arm, and ||sum x noise||^2_{V^-1} in the last place

Besides: `target` = sum x r, `noise` = sum x (r - <x, theta>), `potential` = sum of min(1, ||x||^2_{V^-1}) at the
decisions, and `inside`, 1 while theta has been in the ellipsoid of every decision. At the first one theta_hat = 0, and
beta is the printed radius before any play, `first_beta`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from theorylab.assume import Assumption
from theorylab.claim import Context
from theorylab.kernel import cholesky, dot, kernel, log_det_factor, solve_lower, sqrt
from theorylab.learner import f8
from theorylab.linear_bandit import LinearBandit
from theorylab.probe import Monitor

ROUNDING = 1e-9


def _linear(model: Any) -> str | None:
    return None if isinstance(model, LinearBandit) else f"the model is a {type(model).__name__}, not a LinearBandit"


def _unit_means(model: Any) -> str | None:
    if (wrong := _linear(model)) is not None:
        return wrong
    largest = float(np.abs(model.means).max())
    return None if largest <= 1.0 + ROUNDING else f"a mean reward is {largest:g} in size, above 1"


def _unit_features(model: Any) -> str | None:
    if (wrong := _linear(model)) is not None:
        return wrong
    return None if model.feature_norm <= 1.0 + ROUNDING else f"max ||x|| is {model.feature_norm:g}, above 1"


linear_bandit = Assumption("linear bandit", "finitely many arms with known features, linear mean rewards", _linear)
unit_means = Assumption("unit means", "|<x, theta>| <= 1 for every arm", _unit_means)
unit_features = Assumption("unit features", "||x|| <= 1 for every arm", _unit_features)


def told_true(c: Context) -> bool:
    """Whether what the learner is told holds: ||theta|| <= S_theta, and the noise is R-subgaussian."""
    law = c.model.reward_law
    proxy = {"gaussian": law.sd, "bernoulli": 0.5, "deterministic": 0.0}[law.kind]
    return bool(proxy <= c.R * (1.0 + ROUNDING) and c.model.parameter_norm <= c.S_theta * (1.0 + ROUNDING))


def trivial(c: Context, n: np.ndarray) -> np.ndarray:
    """No policy loses more than the largest gap in each round."""
    return np.asarray(n, dtype=float) * float(np.max(c.gap))


def shared_tables(c: Context) -> dict[str, Any]:
    """The truth, and what the learner was told, apart from the learner's own constants."""
    model = c.model
    return dict(
        x=np.array(model.features),
        theta_star=np.array(model.theta),
        best_mean=float(np.max(model.means)),
        bias=float(np.sqrt(c.lam) * c.S_theta),
        first_log_det=float(c.d * np.log(c.lam)),
    )


@kernel
def error(tr, theta_hat, d):
    """||theta_hat - theta||_V, from the factor of V."""
    total = 0.0
    for i in range(d):
        side = 0.0
        for k in range(i, d):
            side += tr.lower[k, i] * (theta_hat[k] - tr.theta_star[k])
        total += side * side
    return sqrt(total)


@kernel
def monitor_begin(p, tr):
    """V = lam I; nothing seen."""
    for i in range(p.d):
        tr.gram[i, i] = p.lam
        tr.lower[i, i] = sqrt(p.lam)
    for a in range(p.A):
        tr.square[a] = dot(tr.x[a], tr.x[a], p.d) / p.lam
    tr.beta[0] = tr.first_beta
    tr.outside[0] = error(tr, tr.theta, p.d) - tr.first_beta
    tr.inside[0] = 1.0


@kernel
def monitor_observe(st, p, tr, t):
    """What was held goes to the decision of this round; then its outcome is added."""
    for i in range(p.d):
        tr.theta_at[i] = tr.theta[i]
        tr.theta[i] = st.theta[i]
        for j in range(p.d):
            tr.lower_at[i, j] = tr.lower[i, j]
            tr.gram[i, j] += tr.x[tr.a, i] * tr.x[tr.a, j]
        tr.target[i] += tr.x[tr.a, i] * tr.r
        tr.noise[i] += tr.x[tr.a, i] * (tr.r - tr.mean[tr.a])
    tr.beta_at[0] = tr.beta[0]
    tr.beta[0] = st.beta[0]
    tr.growth_at[0] = tr.growth[0]
    tr.potential[0] += min(1.0, tr.square[tr.a])
    cholesky(tr.gram, tr.lower, p.d)
    tr.growth[0] = log_det_factor(tr.lower, p.d) - tr.first_log_det
    for a in range(p.A + 1):
        tr.square_at[a] = tr.square[a]
        for i in range(p.d):
            tr.work[i] = tr.x[a, i] if a < p.A else tr.noise[i]
        solve_lower(tr.lower, tr.work, tr.work, p.d)
        tr.square[a] = dot(tr.work, tr.work, p.d)
    tr.outside_at[0] = tr.outside[0]
    if tr.outside_at[0] > 0.0:
        tr.inside[0] = 0.0
    tr.outside[0] = error(tr, st.theta, p.d) - st.beta[0]


#: memory of the shared probes; a paper adds its own
MEMORY = dict(
    gram=f8["d", "d"],
    lower=f8["d", "d"],
    lower_at=f8["d", "d"],
    growth=f8[1],
    growth_at=f8[1],
    theta=f8["d"],
    theta_at=f8["d"],
    beta=f8[1],
    beta_at=f8[1],
    outside=f8[1],
    outside_at=f8[1],
    square=f8["A+1"],
    square_at=f8["A+1"],
    target=f8["d"],
    noise=f8["d"],
    potential=f8[1],
    inside=f8[1],
    work=f8["d"],
)
monitor = Monitor(MEMORY, monitor_begin, monitor_observe)


@kernel
def estimate(st, p, tr, t):
    """Largest residual of V theta_hat = sum x r, with V and the sum of the monitor, over lam + plays."""
    worst = 0.0
    for i in range(p.d):
        residual = -tr.target[i]
        for j in range(p.d):
            residual += tr.gram[i, j] * st.theta[j]
        worst = max(worst, abs(residual))
    return worst / (p.lam + t + 1.0)


@kernel
def congruence(B, M, d):
    """Largest entry of |B^T M B - I|."""
    worst = 0.0
    for i in range(d):
        for j in range(d):
            total = -1.0 if i == j else 0.0
            for k in range(d):
                for m in range(d):
                    total += B[k, i] * M[k, m] * B[m, j]
            worst = max(worst, abs(total))
    return worst


@kernel
def coverage(st, p, tr, t):
    """||theta_hat - theta||_V minus the radius, after round t."""
    return tr.outside[0]


@kernel
def self_normalised(st, p, tr, t):
    """||sum x noise||_{V^-1} minus the part of the radius that pays for it, beta - sqrt(lam) S_theta."""
    return sqrt(tr.square[p.A]) - (st.beta[0] - tr.bias)
