"""UCRL2-VTR: value-targeted regression, average reward. Linear mixture MDPs of diameter at most D, T steps.

At the start of episode k, with t = t_k from 1 (and A, theta_hat from the t_k - 1 steps before): sweeps, the centring of
w_k, and how far theta must be a valid kernel, are those of `mdps.learners._average_linear`, with span = D and precision
1/sqrt(T). After every step of the episode the sample (X, w_k(s')) is added, X = sum_s' phi(s'|s,a) w_k(s'), with weight
1 (form 0) or 1/sigma_t^2; a new episode begins when det A has doubled. lam = 1/B^2, B >= |theta|_2.

    form 0, Hoeffding   radius = D sqrt(d ln((lam + t D^2)/(delta lam))) + sqrt(lam) B
    form 1, Bernstein   radius = 8 sqrt(d ln(1 + t/lam) l) + 4 sqrt(d) l + sqrt(lam) B,    l = ln(4 t^2/delta)
        sigma_t^2 = max(D^2/d, V_t + E_t)
        V_t = clip(<X2, theta~>, 0, D^2/4) - clip(<X, theta_hat>, -D/2, D/2)^2,    X2 = X of w_k^2
        E_t = min(D^2/4, D rc |X|_{A^-1}) + min(D^2/4, rt |X2|_{A~^-1})
        rc = 8 d sqrt(ln(1 + t/(4 lam)) l) + 4 sqrt(d) l + sqrt(lam) B
        rt = 2 D^2 sqrt(d ln(1 + t D^2/(4 d lam)) l) + D^2 l + sqrt(lam) B
    form 2              as form 1, with V_t clipped as in the public code: to [0, D^2] and to [0, D]

Radii and sigma: [source: code]. The code's clips are those of values in [0, D]; the caps D^2/4 in E_t belong to centred
values, in [-D/2, D/2], and so do the clips of form 1 [derived]: with those of form 2 the estimate may exceed D/2, and
nothing then keeps sigma_t^2 above the variance. theta~ and A~ are of the regression of w_k(s')^2 on X2, unweighted, and
theta_hat in V_t is the weighted one; both take all steps before t. `scale` multiplies the radius of the sets alone. The
code subtracts half the range in one version, the midrange in the paper; the midrange here. The precision is recalled.

The learner knows phi, the mean rewards r in [0, 1], B and D (`diameter`); D >= span of the optimal bias is all that the
steps use of it. State: see `_average_linear` (A_inv, b, theta, log_det of the weighted regression), and A2_inv, b2,
theta2 of the squares; variance (1,) = sigma_t^2 of the last step (1 in form 0). Cost of a step: O(d^2); of a sweep: SA
(m d + d^2) products, m the largest number of successors.

Source: wu2022.
"""

from __future__ import annotations

from typing import Any

from mdps.learners._average_linear import (
    STATE,
    act,
    checked_damping,
    doubled,
    feature,
    include,
    iterate,
    positive,
    regress,
    successors,
)
from mdps.learners._average_linear import begin as begin_first
from theorylab.errors import InputError
from theorylab.kernel import dot, kernel, log, product, quadratic, rank_one_inverse, sqrt
from theorylab.learner import Learner, f8


@kernel
def begin(st, p):
    """Both matrices are lam I."""
    begin_first(st, p)
    for i in range(p.d):
        st.A2_inv[i, i] = 1.0 / p.lam


@kernel
def spread(st, p, t, y):
    """sigma^2 of the step (X = x), and the squares' regression brought up to date with y^2."""
    D = p.span
    n = t + 1.0
    ell = log(4.0 * n * n / p.delta)
    ridge = sqrt(p.lam) * p.B
    first = 8.0 * p.d * sqrt(log(1.0 + n / (4.0 * p.lam)) * ell) + 4.0 * sqrt(1.0 * p.d) * ell + ridge
    second = 2.0 * D * D * sqrt(p.d * log(1.0 + n * D * D / (4.0 * p.d * p.lam)) * ell) + D * D * ell + ridge
    product(st.A_inv, st.b, st.work, p.d)
    mean = dot(st.x, st.work, p.d)
    product(st.A2_inv, st.b2, st.theta2, p.d)
    square = dot(st.x2, st.theta2, p.d)
    if p.form == 1:
        mean = max(-0.5 * D, min(0.5 * D, mean))
        square = max(0.0, min(0.25 * D * D, square))
    else:
        mean = max(0.0, min(D, mean))
        square = max(0.0, min(D * D, square))
    cap = 0.25 * D * D
    error = min(cap, D * first * sqrt(max(0.0, quadratic(st.A_inv, st.x, p.d))))
    error += min(cap, second * sqrt(max(0.0, quadratic(st.A2_inv, st.x2, p.d))))
    for i in range(p.d):
        st.b2[i] += st.x2[i] * (y * y)
    rank_one_inverse(st.A2_inv, st.x2, st.work, p.d)
    return max(D * D / p.d, square - mean * mean + error)


@kernel
def watch(st, p, t, s, a, r, s2):
    """Add the step's sample; true when the determinant has doubled."""
    y = st.w[s2]
    st.variance[0] = 1.0
    if p.form > 0:
        feature(st, p, s, a, 2)
        for i in range(p.d):
            st.x2[i] = st.x[i]
    feature(st, p, s, a, 1)
    if p.form > 0:
        st.variance[0] = spread(st, p, t, y)
    include(st, p, y, st.variance[0])
    return doubled(st, p)


@kernel
def radius_at(st, p, t):
    """The radius of the sets at time t_k = t + 1."""
    n = t + 1.0
    ridge = sqrt(p.lam) * p.B
    if p.form == 0:
        return p.scale * (p.span * sqrt(p.d * log((p.lam + n * p.span * p.span) / (p.delta * p.lam))) + ridge)
    ell = log(4.0 * n * n / p.delta)
    return p.scale * (8.0 * sqrt(p.d * log(1.0 + n / p.lam) * ell) + 4.0 * sqrt(1.0 * p.d) * ell + ridge)


@kernel
def plan(st, p, t, s, rng):
    """Estimate and radius, then the sweeps; false if they do not stop within the limit."""
    regress(st, p)
    st.radius[0] = radius_at(st, p, t)
    return iterate(st, p)


def derive(p: dict[str, Any]) -> dict[str, Any]:
    """lam = 1/B^2, span = D, precision = 1/sqrt(T), and the features by successor."""
    name = "ucrl2-vtr"
    positive(name, p, "diameter", "B")
    checked_damping(name, p)
    if p["form"] not in (0, 1, 2):
        raise InputError(
            f"learner '{name}': form={p['form']} is none of 0 (Hoeffding), 1 (Bernstein), 2 (Bernstein, code's clips)"
        )
    lam = 1.0 / (p["B"] * p["B"])
    return dict(lam=lam, span=p["diameter"], precision=1.0 / sqrt(float(p["T"])), **successors(p))


learner = Learner(
    name="ucrl2-vtr",
    setting="average",
    cite="wu2022",
    source_tag="recalled",
    params=dict(delta=0.1, diameter=10.0, B=1.0, form=0, tau=0.2, scale=1.0, max_sweeps=100_000),
    knows=("transition_phi", "r"),
    state={**STATE, "A2_inv": f8["d", "d"], "b2": f8["d"], "theta2": f8["d"], "x2": f8["d"], "variance": f8[1]},
    begin=begin,
    act=act,
    watch=watch,
    plan=plan,
    derive=derive,
    text="Radii and weights: public code. Kernels need not be valid in the closed form; its values are clipped to the "
    "range that valid kernels allow and the span is truncated at D [derived].",
)
