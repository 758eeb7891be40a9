"""Linear Thompson sampling. Linear bandit, A arms with known features x_a in R^d, R-subgaussian noise.

With V = lam I + sum x x^T over the n plays so far and theta_hat = V^-1 sum x r, at the decision t = n + 1

    theta~ = theta_hat + beta V^(-1/2) eta,  eta ~ N(0, I);     play argmax_a <x_a, theta~>
    beta = scale (R sqrt(2 ln(1/delta') + d ln((lam + t) / lam)) + sqrt(lam) S_theta),    delta' = delta / (4 T)

(scale = 1: the theory, for ||x|| <= 1). `inflate=0` is plain posterior sampling, beta = scale R: the exact posterior
under a prior N(0, (R^2/lam) I) and Gaussian noise of sd R, for which there is no frequentist bound. Rewards may be any
real numbers. The learner knows the features, T, R (noise sd), S_theta >= ||theta||, lam and delta.

V^(-1/2) is any root M with M M^T = V^-1: which one does not matter to the law of theta~. For a play of x with q = M^T x
and w = ||q||^2, M - c (M q) q^T is a root after it, c = 1 / (s (1 + s)), s = sqrt(1 + w): indeed (I - c q q^T)^2 = I -
q q^T / (1 + w), as 2 c - c^2 w = 1 / (1 + w) [derived]. No factorisation is needed, and no system is solved. Rounding
adds up slowly, as each step shrinks the errors with M: M^T V M = I to 1e-12 after 1e6 rounds, measured (d = 5).

State: N (A,) plays; theta (d,), root M (d,d), beta (1,), all of them for the next decision; sample (d,) = theta~ and
value (A,) = <x_a, theta~> of the last one; eta, q, u (d,): work. Noise: eta_i at decision t is the normal at visit t,
site i. Ties go to the lowest arm. Cost O(d^2 + A d) a round.

Source: abeille2017, figure 1 [source]; Agrawal and Goyal 2013 has the same rule with another beta [recalled].
"""

from __future__ import annotations

from typing import Any

from bandits.learners._ridge import along, constants, first_largest
from theorylab.errors import InputError
from theorylab.kernel import LEARNER, dot, kernel, log, normal, product, sqrt
from theorylab.learner import Learner, f8, i8


@kernel
def inflation(p, n):
    """scale * beta after n plays."""
    if p.inflate == 0:
        return p.scale * p.R
    return p.scale * (p.R * sqrt(p.two_log + p.d * log((p.lam + (n + 1.0)) / p.lam)) + p.bias)


@kernel
def begin(st, p):
    """No plays: V = lam I, theta_hat = 0 (the state arrives zeroed)."""
    for i in range(p.d):
        st.root[i, i] = p.root_at_first
    st.beta[0] = inflation(p, 0)


@kernel
def act(st, p, t, rng):
    """Draw theta~ and play the arm that it makes the best."""
    for i in range(p.d):
        st.eta[i] = normal(rng, t, i, LEARNER)
    product(st.root, st.eta, st.u, p.d)
    beta = st.beta[0]
    for i in range(p.d):
        st.sample[i] = st.theta[i] + beta * st.u[i]
    along(p, st.sample, st.value)
    return first_largest(st.value, p.A)


@kernel
def learn(st, p, t, a, r):
    """Rank-one update of the root and the estimate for the arm played; then the inflation of the next decision."""
    st.N[a] += 1
    for j in range(p.d):
        st.q[j] = 0.0
    for i in range(p.d):
        for j in range(p.d):
            st.q[j] += p.features[a, i] * st.root[i, j]
    w = dot(st.q, st.q, p.d)
    product(st.root, st.q, st.u, p.d)  # V^-1 x
    s = sqrt(1.0 + w)
    c = 1.0 / (s * (1.0 + s))
    gain = (r - dot(p.features[a], st.theta, p.d)) / (1.0 + w)
    for i in range(p.d):
        st.theta[i] += gain * st.u[i]
        step = c * st.u[i]
        for j in range(p.d):
            st.root[i, j] -= step * st.q[j]
    st.beta[0] = inflation(p, t + 1)


def derive(p: dict[str, Any]) -> dict[str, Any]:
    """Logarithms and constants; refuses features for which the inflation proves nothing."""
    out = constants("lin-thompson", p)
    if p["inflate"] not in (0, 1):
        raise InputError(f"learner 'lin-thompson': inflate={p['inflate']} is neither 1 (theory) nor 0 (posterior)")
    if p["inflate"] == 1 and out["longest"] > 1.0 + 1e-12:
        raise InputError(
            f"learner 'lin-thompson': beta is for ||x|| <= 1, here max ||x||^2 = {out['longest']:g}; scale the "
            "features, or give inflate=0"
        )
    return out | dict(two_log=2.0 * log(4.0 * p["T"] / p["delta"]), root_at_first=1.0 / sqrt(p["lam"]))


learner = Learner(
    name="lin-thompson",
    setting="bandit",
    cite="abeille2017",
    source_tag="source",
    knows=("features",),
    params=dict(delta=0.05, scale=1.0, lam=1.0, R=1.0, S_theta=1.0, inflate=1),
    state=dict(
        N=i8["A"],
        theta=f8["d"],
        root=f8["d", "d"],
        beta=f8[1],
        sample=f8["d"],
        value=f8["A"],
        eta=f8["d"],
        q=f8["d"],
        u=f8["d"],
    ),
    begin=begin,
    act=act,
    learn=learn,
    derive=derive,
    text="theta_hat + scale beta_t(delta/(4T)) V^(-1/2) eta with standard normal eta, power form of beta; inflate=0 is "
    "plain posterior sampling, without the theorem.",
)
